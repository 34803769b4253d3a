/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-session.c - the conversation with the database server.  See
 * qanat-vsctl-session.h.
 */
#include "utilities/qanat-vsctl-session.h"

#include <errno.h>
#include <poll.h>

#include "lib/base/clock.h"
#include "lib/ovsdb/jsonrpc.h"

#define DATABASE "Open_vSwitch"

/* Stands for "the server's whole content, please". */
#define ZERO_TXN_ID "00000000-0000-0000-0000-000000000000"

/* Pause after all of several servers were tried in vain. */
#define ROUND_PAUSE_MS 100

static char *open_any(struct session *, const char *remotes);
static char *open_one(struct session *, const char *remote, bool retry);
static char *call(struct session *, const char *method, json_t *params,
                  const char *what, json_t **result);
static char *monitor(struct session *, json_t *requests, const char *what,
                     json_t **updates);
static char *cancel_monitor(struct session *, const char *what);
static char *receive_update(struct session *, const char *what,
                            json_t **updates);
static void read_cur_cfg(const json_t *updates, int64_t *cur_cfg);
static char *explain(struct session *, int error, const char *what);

char *
session_open(struct session *session, const char *remotes, bool retry,
             int64_t deadline_ms)
{
    char *error;

    *session = (struct session) { .deadline_ms = deadline_ms };
    if (!strchr(remotes, ',')) {
        return open_one(session, remotes, retry);
    }
    while ((error = open_any(session, remotes)) && retry) {
        if (clock_ms() >= deadline_ms) {
            session->is_timed_out = true;
            return error;
        }
        free(error);
        poll(NULL, 0, ROUND_PAUSE_MS);
    }
    return error;
}

void
session_close(struct session *session)
{
    if (session->rpc) {
        jsonrpc_sync_close(session->rpc);
    }
    free(session->remote);
    *session = (struct session) { .rpc = NULL };
}

char *
session_get_schema(struct session *session, struct schema **schema)
{
    json_t *result;
    char *error = call(session, "get_schema", json_pack("[s]", DATABASE),
                       "the schema", &result);

    *schema = NULL;
    if (!error) {
        error = schema_from_json(result, schema);
        json_decref(result);
    }
    return error;
}

char *
session_load(struct session *session, struct view *view)
{
    json_t *updates;
    char *error = monitor(session, view_make_requests(view),
                          "the database's content", &updates);

    if (!error) {
        error = view_load(view, updates);
        json_decref(updates);
    }
    return error;
}

char *
session_wait_change(struct session *session)
{
    json_t *updates;
    char *error = receive_update(session, "the condition of wait-until",
                                 &updates);

    if (!error) {
        json_decref(updates);
    }
    return error;
}

char *
session_transact(struct session *session, json_t *params, json_t **results)
{
    return call(session, "transact", params, "the transaction", results);
}

char *
session_wait_cfg(struct session *session, int64_t next_cfg)
{
    const char *what = "qanat-vswitchd to put the change in force";
    int64_t cur_cfg = INT64_MIN;
    json_t *updates;
    char *error = monitor(session,
                          json_pack("{s[{s[s]}]}", DATABASE, "columns",
                                    "cur_cfg"), what, &updates);

    while (!error) {
        read_cur_cfg(updates, &cur_cfg);
        json_decref(updates);
        if (cur_cfg >= next_cfg) {
            break;
        }
        error = receive_update(session, what, &updates);
    }
    return error;
}

/* Connects to the first of several servers that is there. */
static char *
open_any(struct session *session, const char *remotes)
{
    char *error = xasprintf("%s: no database server is named", remotes);
    char *copy = xstrdup(remotes);
    char *pos = NULL;

    for (char *remote = strtok_r(copy, ", ", &pos); error && remote;
         remote = strtok_r(NULL, ", ", &pos)) {
        free(error);
        error = open_one(session, remote, false);
    }
    free(copy);
    return error;
}

static char *
open_one(struct session *session, const char *remote, bool retry)
{
    char *detail = NULL;
    char *error = NULL;
    int err = jsonrpc_sync_open(remote, retry, session->deadline_ms,
                                &session->rpc, &detail);

    if (err) {
        session->rpc = NULL;
        session->is_timed_out = ((retry || err == -ETIMEDOUT)
                                 && clock_ms() >= session->deadline_ms);
        error = xasprintf("%s: cannot connect to the database server: %s%s",
                          remote, detail ? detail : strerror(-err),
                          err == -ENOENT || err == -ECONNREFUSED
                          ? "; is it running (see qanat-ctl status)?" : "");
    } else {
        free(session->remote);
        session->remote = xstrdup(remote);
    }
    free(detail);
    return error;
}

/* Calls a method; 'what' is waited for, in words. */
static char *
call(struct session *session, const char *method, json_t *params,
     const char *what, json_t **result)
{
    json_t *answer_error;
    int err = jsonrpc_sync_call(session->rpc, method, params,
                                session->deadline_ms, result, &answer_error);

    if (err) {
        return explain(session, err, what);
    }
    if (answer_error) {
        const char *details = json_string_value(
            json_object_get(answer_error, "details"));
        char *text = json_dumps(answer_error, JSON_COMPACT | JSON_ENCODE_ANY);
        char *error = xasprintf("%s: the server refuses to give %s: %s",
                                session->remote, what,
                                details ? details : text ? text : "?");

        free(text);
        json_decref(answer_error);
        *result = NULL;
        return error;
    }
    return NULL;
}

/* Replaces the present monitor by one for 'requests', which are taken over.
 * The updates that are the answer are the caller's. */
static char *
monitor(struct session *session, json_t *requests, const char *what,
        json_t **updates)
{
    char *error = cancel_monitor(session, what);

    *updates = NULL;
    if (!error && !session->is_basic) {
        json_t *result;

        error = call(session, "monitor_cond_since",
                     json_pack("[siOs]", DATABASE,
                               (int) ++session->monitor_id, requests,
                               ZERO_TXN_ID), what, &result);
        if (!error) {
            *updates = json_incref(json_array_get(result, 2));
            json_decref(result);
        } else if (!session->is_broken) {
            free(error);
            error = NULL;
            session->is_basic = true;
        }
    }
    if (!error && session->is_basic) {
        error = call(session, "monitor",
                     json_pack("[siO]", DATABASE,
                               (int) ++session->monitor_id, requests),
                     what, updates);
    }
    json_decref(requests);
    return error;
}

static char *
cancel_monitor(struct session *session, const char *what)
{
    json_t *result;
    char *error;

    if (!session->monitor_id) {
        return NULL;
    }
    error = call(session, "monitor_cancel",
                 json_pack("[i]", (int) session->monitor_id), what, &result);
    if (!error) {
        json_decref(result);
    }
    return error;
}

/* Waits for a change in what the present monitor watches. */
static char *
receive_update(struct session *session, const char *what, json_t **updates)
{
    for (;;) {
        const char *method;
        json_t *params;
        json_t *msg;
        int err = jsonrpc_sync_recv(session->rpc, session->deadline_ms, &msg);

        if (err) {
            return explain(session, err, what);
        }
        method = json_string_value(json_object_get(msg, "method"));
        params = json_object_get(msg, "params");
        if (method
            && !strcmp(method, session->is_basic ? "update" : "update3")
            && json_integer_value(json_array_get(params, 0))
               == (json_int_t) session->monitor_id) {
            *updates = json_incref(json_array_get(params,
                                                  session->is_basic ? 1 : 2));
            json_decref(msg);
            return NULL;
        }
        json_decref(msg);
    }
}

/* Stores what the updates say about cur_cfg, if they do.  What a row has when
 * it is first seen is called "initial" or "new"; a value that is the default
 * is left out under the former name. */
static void
read_cur_cfg(const json_t *updates, int64_t *cur_cfg)
{
    static const char *const kinds[] = {
        "initial", "insert", "modify", "new",
    };
    const char *uuid;
    json_t *update;

    json_object_foreach(json_object_get(updates, DATABASE), uuid, update) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            const json_t *row = json_object_get(update, kinds[i]);

            if (row) {
                *cur_cfg = json_integer_value(json_object_get(row,
                                                              "cur_cfg"));
            }
        }
    }
}

static char *
explain(struct session *session, int error, const char *what)
{
    session->is_broken = true;
    if (error == -ETIMEDOUT) {
        session->is_timed_out = true;
        return xasprintf("the time is over in which to wait for %s", what);
    }
    return xasprintf("%s: the connection to the database server broke while "
                     "waiting for %s: %s", session->remote, what,
                     strerror(-error));
}
