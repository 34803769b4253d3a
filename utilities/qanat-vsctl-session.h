/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-session.h - the conversation with the database server.
 *
 * Each function blocks until it is done or the deadline has come.  They return
 * NULL, or a sentence that the caller frees.  One thread.
 */
#ifndef QANAT_VSCTL_SESSION_H
#define QANAT_VSCTL_SESSION_H 1

#include "utilities/qanat-vsctl-view.h"

struct session {
    struct jsonrpc_sync *rpc;
    char *remote;
    int64_t deadline_ms;        /* clock_ms() time; INT64_MAX: never. */
    unsigned int monitor_id;    /* The present monitor, or 0. */
    bool is_basic;              /* The server knows RFC 7047 and no more. */
    bool is_broken;             /* The connection cannot be used any more. */
    bool is_timed_out;          /* The last error is that of the deadline. */
};

/* Connects to the first of the servers in 'remotes', separated by commas,
 * that is there; tries again until the deadline if 'retry'. */
char *session_open(struct session *, const char *remotes, bool retry,
                   int64_t deadline_ms);
void session_close(struct session *);

/* Reads the schema, which the caller destroys. */
char *session_get_schema(struct session *, struct schema **);

/* Loads what the view needs, all of it as of one moment. */
char *session_load(struct session *, struct view *);

/* Waits until something that was loaded has changed. */
char *session_wait_change(struct session *);

/* Lets the server execute the parameters of "transact", which are taken over,
 * and stores the results, which the caller releases. */
char *session_transact(struct session *, json_t *params, json_t **results);

/* Waits until the switch has put configuration number 'next_cfg' in force. */
char *session_wait_cfg(struct session *, int64_t next_cfg);

#endif /* QANAT_VSCTL_SESSION_H */
