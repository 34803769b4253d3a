/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonrpc.h - JSON-RPC 1.0 with a database server, over a stream.
 *
 * Two forms: struct jsonrpc lives on an event loop and never blocks (the
 * daemon); struct jsonrpc_sync waits with a deadline (command line tools).
 * Both answer the server's echo requests by themselves.
 *
 * Remotes are written unix:PATH, tcp:IP:PORT, tcp:[IPV6]:PORT; the port may
 * be left out (6640), a relative PATH is in RUNDIR.  Each object belongs to
 * one thread.
 */
#ifndef QANAT_OVSDB_JSONRPC_H
#define QANAT_OVSDB_JSONRPC_H 1

#include <jansson.h>
#include <stdint.h>

#include "lib/base/util.h"

struct event_base;

/* What a peer may send at most in one message. */
#define JSONRPC_MAX_BYTES ((size_t) 256 << 20)
#define JSONRPC_MAX_DEPTH 64

enum jsonrpc_kind {
    JSONRPC_REQUEST,            /* method, params, id */
    JSONRPC_NOTIFY,             /* method, params */
    JSONRPC_REPLY,              /* id, result */
    JSONRPC_ERROR,              /* id, error */
    JSONRPC_BAD                 /* Anything else. */
};

enum jsonrpc_kind jsonrpc_classify(const json_t *msg);

/* New messages, which the caller releases; 'params', 'result' and 'id' are
 * taken over.  A request gets a process-wide unique integer id, also stored
 * in '*id' unless it is NULL. */
json_t *jsonrpc_request(const char *method, json_t *params, int64_t *id);
json_t *jsonrpc_notify(const char *method, json_t *params);
json_t *jsonrpc_reply(json_t *id, json_t *result);

/* True if 'msg' is a reply or an error to the request 'id'. */
bool jsonrpc_is_answer_to(const json_t *msg, int64_t id);

/* Starts to connect to 'remote'.  Returns a non-blocking descriptor on which
 * connecting may be in progress, or -errno with a sentence in '*error' that
 * the caller frees: -EINVAL when the name is not understood. */
int jsonrpc_open_remote(const char *remote, char **error);

/* -- On the event loop ------------------------------------------------- */

struct jsonrpc;

/* What happens to a connection.  No callback may call jsonrpc_close(), except
 * 'closed', which must; jsonrpc_fail() is for the others. */
struct jsonrpc_callbacks {
    /* The stream is connected. */
    void (*connected)(void *aux);

    /* A message has come that is not an echo; it is the library's. */
    void (*received)(const json_t *msg, void *aux);

    /* All messages that were there have been given to 'received'. */
    void (*drained)(void *aux);

    /* The connection is over, for the reason told; nothing more will be
     * called.  The owner closes it here. */
    void (*closed)(const char *why, void *aux);
};

/* Connects to 'remote'.  Never NULL: also a bad name or a refused connection
 * is told by 'closed', from the event loop.  'cbs' must live as long as the
 * connection. */
struct jsonrpc *jsonrpc_create(struct event_base *, const char *remote,
                               const struct jsonrpc_callbacks *cbs,
                               void *aux);
void jsonrpc_close(struct jsonrpc *);

/* Queues 'msg', which is taken over.  Silently does nothing on a connection
 * that is not established or broken: 'closed' tells. */
void jsonrpc_send(struct jsonrpc *, json_t *msg);

/* Gives the connection up; 'closed' will be called from the event loop with
 * the first reason given. */
void jsonrpc_fail(struct jsonrpc *, const char *format, ...)
    PRINTF_FORMAT(2, 3);

/* Time of clock_ms() at which a byte last came (or the connection began). */
int64_t jsonrpc_last_rx_ms(const struct jsonrpc *);

/* Bytes that are queued and not yet taken by the system. */
size_t jsonrpc_backlog(const struct jsonrpc *);

/* -- Synchronous ------------------------------------------------------- */

struct jsonrpc_sync;

/* Deadlines are in clock_ms() time; INT64_MAX waits for ever. */

/* Connects to 'remote'; a server that is not there is tried again until the
 * deadline if 'retry'.  Returns 0, or -errno with a sentence in '*error' that
 * the caller frees. */
int jsonrpc_sync_open(const char *remote, bool retry, int64_t deadline_ms,
                      struct jsonrpc_sync **, char **error);
void jsonrpc_sync_close(struct jsonrpc_sync *);

/* Sends 'msg', which is taken over.  Returns 0 or -errno. */
int jsonrpc_sync_send(struct jsonrpc_sync *, json_t *msg,
                      int64_t deadline_ms);

/* Waits for the next message other than echo, first those that
 * jsonrpc_sync_call() put aside.  Returns 0 with '*msg', which the caller
 * releases, or -errno: -ETIMEDOUT, -EPROTO, -ECONNRESET. */
int jsonrpc_sync_recv(struct jsonrpc_sync *, int64_t deadline_ms,
                      json_t **msg);

/* Sends a request, takes over 'params', and waits for its answer.  Other
 * messages that come meanwhile are put aside for jsonrpc_sync_recv().
 * Returns 0 with the answer's '*result' or '*error' (the other NULL), which
 * the caller releases; or -errno with both NULL. */
int jsonrpc_sync_call(struct jsonrpc_sync *, const char *method,
                      json_t *params, int64_t deadline_ms, json_t **result,
                      json_t **error);

#endif /* QANAT_OVSDB_JSONRPC_H */
