/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonrpc.c - messages and remotes, and the event driven connection of
 * jsonrpc.h.  The synchronous one is jsonrpc_sync.c.
 *
 * A connection is told to be over only from the event loop and only when no
 * other callback is running, so an owner never finds it gone under its feet.
 */
#include "lib/ovsdb/jsonrpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/framer.h"
#include "lib/ipc/unix_socket.h"

LOG_MODULE(jsonrpc);

#define DEFAULT_PORT 6640
#define READ_BYTES 65536

/* A server that takes nothing any more must not make us hold everything. */
#define MAX_BACKLOG_BYTES ((size_t) 64 << 20)

struct jsonrpc {
    const struct jsonrpc_callbacks *cbs;
    void *aux;
    int fd;                     /* -1 if there never was one. */
    bool is_connected;
    char *failure;              /* Why it is over, or NULL. */
    struct event *reader;
    struct event *writer;
    struct event *undertaker;   /* Calls cbs->closed. */
    struct framer framer;
    struct str out;
    size_t out_ofs;             /* Up to here 'out' is written. */
    int64_t last_rx_ms;
};

static int open_tcp(const char *where, char **error);
static void on_readable(evutil_socket_t, short, void *);
static void on_writable(evutil_socket_t, short, void *);
static void on_failure(evutil_socket_t, short, void *);
static void handle_bytes(struct jsonrpc *, const char *p, size_t n);
static void flush(struct jsonrpc *);

enum jsonrpc_kind
jsonrpc_classify(const json_t *msg)
{
    const json_t *id = json_object_get(msg, "id");
    const json_t *error = json_object_get(msg, "error");
    bool has_id = id && !json_is_null(id);

    if (json_is_string(json_object_get(msg, "method"))) {
        return !json_is_array(json_object_get(msg, "params")) ? JSONRPC_BAD
               : has_id ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
    } else if (!has_id) {
        return JSONRPC_BAD;
    } else if (error && !json_is_null(error)) {
        return JSONRPC_ERROR;
    }
    return json_object_get(msg, "result") ? JSONRPC_REPLY : JSONRPC_BAD;
}

json_t *
jsonrpc_request(const char *method, json_t *params, int64_t *idp)
{
    static _Atomic int64_t next_id = 1;
    int64_t id = atomic_fetch_add(&next_id, 1);

    if (idp) {
        *idp = id;
    }
    return json_pack("{s:I, s:s, s:o}", "id", (json_int_t) id, "method",
                     method, "params", params);
}

json_t *
jsonrpc_notify(const char *method, json_t *params)
{
    return json_pack("{s:n, s:s, s:o}", "id", "method", method, "params",
                     params);
}

json_t *
jsonrpc_reply(json_t *id, json_t *result)
{
    return json_pack("{s:o, s:o, s:n}", "id", id, "result", result, "error");
}

bool
jsonrpc_is_answer_to(const json_t *msg, int64_t id)
{
    enum jsonrpc_kind kind = jsonrpc_classify(msg);
    const json_t *msg_id = json_object_get(msg, "id");

    return (kind == JSONRPC_REPLY || kind == JSONRPC_ERROR)
           && json_is_integer(msg_id) && json_integer_value(msg_id) == id;
}

int
jsonrpc_open_remote(const char *remote, char **error)
{
    *error = NULL;
    if (!strncmp(remote, "unix:", 5) && remote[5]) {
        char *path = dirs_join(dirs_run(), remote + 5);
        int fd = unix_socket_connect(path);

        if (fd < 0) {
            *error = xasprintf("%s", strerror(-fd));
        }
        free(path);
        return fd;
    } else if (!strncmp(remote, "tcp:", 4)) {
        return open_tcp(remote + 4, error);
    }
    *error = xasprintf("\"%s\" is not of the form unix:PATH or "
                       "tcp:ADDRESS[:PORT]", remote);
    return -EINVAL;
}

struct jsonrpc *
jsonrpc_create(struct event_base *base, const char *remote,
               const struct jsonrpc_callbacks *cbs, void *aux)
{
    struct jsonrpc *rpc = xzalloc(sizeof *rpc);
    char *error;

    rpc->cbs = cbs;
    rpc->aux = aux;
    rpc->last_rx_ms = clock_ms();
    str_init(&rpc->out);
    framer_init(&rpc->framer, JSONRPC_MAX_BYTES, JSONRPC_MAX_DEPTH);
    rpc->undertaker = event_new(base, -1, 0, on_failure, rpc);
    rpc->fd = jsonrpc_open_remote(remote, &error);
    if (rpc->fd < 0) {
        rpc->fd = -1;
        jsonrpc_fail(rpc, "%s", error);
        free(error);
        return rpc;
    }
    rpc->reader = event_new(base, rpc->fd, EV_READ | EV_PERSIST,
                            on_readable, rpc);
    rpc->writer = event_new(base, rpc->fd, EV_WRITE | EV_PERSIST,
                            on_writable, rpc);
    /* Becoming writable is how a connection tells that it is made. */
    event_add(rpc->writer, NULL);
    return rpc;
}

void
jsonrpc_close(struct jsonrpc *rpc)
{
    if (!rpc) {
        return;
    }
    if (rpc->reader) {
        event_free(rpc->reader);
        event_free(rpc->writer);
    }
    event_free(rpc->undertaker);
    if (rpc->fd >= 0) {
        close(rpc->fd);
    }
    framer_fini(&rpc->framer);
    str_fini(&rpc->out);
    free(rpc->failure);
    free(rpc);
}

void
jsonrpc_send(struct jsonrpc *rpc, json_t *msg)
{
    if (rpc->is_connected && !rpc->failure) {
        framer_dump(&rpc->out, msg);
        if (jsonrpc_backlog(rpc) > MAX_BACKLOG_BYTES) {
            jsonrpc_fail(rpc, "the server does not take what we send");
        } else {
            event_add(rpc->writer, NULL);
        }
    }
    json_decref(msg);
}

void
jsonrpc_fail(struct jsonrpc *rpc, const char *format, ...)
{
    va_list args;

    if (rpc->failure) {
        return;
    }
    va_start(args, format);
    rpc->failure = xvasprintf(format, args);
    va_end(args);
    if (rpc->reader) {
        event_del(rpc->reader);
        event_del(rpc->writer);
    }
    event_active(rpc->undertaker, 0, 0);
}

int64_t
jsonrpc_last_rx_ms(const struct jsonrpc *rpc)
{
    return rpc->last_rx_ms;
}

size_t
jsonrpc_backlog(const struct jsonrpc *rpc)
{
    return rpc->out.len - rpc->out_ofs;
}

/* -- Remotes ------------------------------------------------------------ */

/* Splits "IP", "IP:PORT", "[IPV6]" or "[IPV6]:PORT".  Returns false if 'where'
 * is none of them. */
static bool
parse_address(const char *where, struct sockaddr_storage *ss,
              socklen_t *ss_len)
{
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) ss;
    struct sockaddr_in *sin = (struct sockaddr_in *) ss;
    bool is_v6 = where[0] == '[';
    const char *end = strchr(where, is_v6 ? ']' : ':');
    const char *colon;
    int port = DEFAULT_PORT;
    char ip[64];

    if (is_v6 && !end) {
        return false;
    }
    snprintf(ip, sizeof ip, "%.*s",
             (int) (end ? end - where - is_v6 : (ptrdiff_t) strlen(where)),
             where + is_v6);
    colon = end && is_v6 ? end + 1 : end;
    if (colon && *colon
        && (*colon != ':'
            || !str_to_int_range(colon + 1, 1, 65535, &port))) {
        return false;
    }
    memset(ss, 0, sizeof *ss);
    if (is_v6) {
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons((uint16_t) port);
        *ss_len = sizeof *sin6;
        return inet_pton(AF_INET6, ip, &sin6->sin6_addr) == 1;
    }
    sin->sin_family = AF_INET;
    sin->sin_port = htons((uint16_t) port);
    *ss_len = sizeof *sin;
    return inet_pton(AF_INET, ip, &sin->sin_addr) == 1;
}

static int
open_tcp(const char *where, char **error)
{
    struct sockaddr_storage ss;
    socklen_t ss_len;
    int one = 1;
    int fd;

    if (!parse_address(where, &ss, &ss_len)) {
        *error = xasprintf("\"%s\" is not an IP address with an optional "
                           "port", where);
        return -EINVAL;
    }
    fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!connect(fd, (struct sockaddr *) &ss, ss_len)
            || errno == EINPROGRESS) {
            return fd;
        }
    }
    *error = xasprintf("%s", strerror(errno));
    if (fd >= 0) {
        int saved_errno = errno;

        close(fd);
        errno = saved_errno;
    }
    return -errno;
}

/* -- Events ------------------------------------------------------------- */

static void
on_failure(evutil_socket_t fd UNUSED, short events UNUSED, void *rpc_)
{
    struct jsonrpc *rpc = rpc_;

    rpc->cbs->closed(rpc->failure, rpc->aux);
}

static void
on_readable(evutil_socket_t fd, short events UNUSED, void *rpc_)
{
    struct jsonrpc *rpc = rpc_;
    char buf[READ_BYTES];
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);

    if (n > 0) {
        rpc->last_rx_ms = clock_ms();
        handle_bytes(rpc, buf, (size_t) n);
    } else if (!n) {
        jsonrpc_fail(rpc, framer_is_partial(&rpc->framer)
                          ? "the server closed the connection in the middle "
                            "of a message"
                          : "the server closed the connection");
    } else if (errno != EAGAIN && errno != EINTR) {
        jsonrpc_fail(rpc, "%s", strerror(errno));
    }
}

/* Learns what became of connect(). */
static void
finish_connecting(struct jsonrpc *rpc)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(rpc->fd, SOL_SOCKET, SO_ERROR, &error, &len)) {
        error = errno;
    }
    if (error) {
        jsonrpc_fail(rpc, "%s", strerror(error));
        return;
    }
    rpc->is_connected = true;
    rpc->last_rx_ms = clock_ms();
    event_add(rpc->reader, NULL);
    rpc->cbs->connected(rpc->aux);
}

static void
on_writable(evutil_socket_t fd UNUSED, short events UNUSED, void *rpc_)
{
    struct jsonrpc *rpc = rpc_;

    if (!rpc->is_connected) {
        finish_connecting(rpc);
    }
    if (!rpc->failure) {
        flush(rpc);
    }
}

static void
flush(struct jsonrpc *rpc)
{
    while (rpc->out_ofs < rpc->out.len) {
        ssize_t n = send(rpc->fd, rpc->out.data + rpc->out_ofs,
                         rpc->out.len - rpc->out_ofs,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0) {
            rpc->out_ofs += (size_t) n;
        } else if (errno == EAGAIN) {
            /* Keep what is written from piling up before what is not. */
            if (rpc->out_ofs > rpc->out.len / 2) {
                memmove(rpc->out.data, rpc->out.data + rpc->out_ofs,
                        rpc->out.len - rpc->out_ofs);
                str_truncate(&rpc->out, rpc->out.len - rpc->out_ofs);
                rpc->out_ofs = 0;
            }
            return;
        } else if (errno != EINTR) {
            jsonrpc_fail(rpc, "%s", strerror(errno));
            return;
        }
    }
    str_clear(&rpc->out);
    rpc->out_ofs = 0;
    event_del(rpc->writer);
}

static void
handle_message(struct jsonrpc *rpc, const json_t *msg)
{
    enum jsonrpc_kind kind = jsonrpc_classify(msg);

    if (kind == JSONRPC_BAD) {
        jsonrpc_fail(rpc, "the server sent something that is not JSON-RPC");
    } else if (kind == JSONRPC_REQUEST
               && !strcmp(json_string_value(json_object_get(msg, "method")),
                          "echo")) {
        jsonrpc_send(rpc,
                     jsonrpc_reply(json_incref(json_object_get(msg, "id")),
                                   json_incref(json_object_get(msg,
                                                               "params"))));
    } else {
        rpc->cbs->received(msg, rpc->aux);
    }
}

static void
handle_bytes(struct jsonrpc *rpc, const char *p, size_t n)
{
    bool any = false;

    while (n && !rpc->failure) {
        enum framer_status status;
        size_t used;

        status = framer_feed(&rpc->framer, p, n, &used);
        p += used;
        n -= used;
        if (status == FRAMER_ERROR) {
            jsonrpc_fail(rpc, "%s", rpc->framer.error);
        } else if (status == FRAMER_MESSAGE) {
            char *error;
            json_t *msg = framer_take(&rpc->framer, &error);

            if (msg) {
                handle_message(rpc, msg);
                json_decref(msg);
                any = true;
            } else {
                jsonrpc_fail(rpc, "%s", error);
                free(error);
            }
        }
    }
    if (any && !rpc->failure) {
        rpc->cbs->drained(rpc->aux);
    }
}
