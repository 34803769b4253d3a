/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb.c - the session with the database server.  See ovsdb.h.
 *
 * A connection goes through connecting, asking for the schema, and asking for
 * the lock and the content; then it is synced.  Whatever goes wrong at any
 * point ends it, and after a while the next one begins from the start: there
 * is no other way to recover, and so only one to test.
 */
#include "lib/ovsdb/ovsdb_private.h"

#include <event2/event.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ovsdb/jsonrpc.h"

LOG_MODULE(ovsdb);

#define MIN_BACKOFF_MS 100
#define MAX_BACKOFF_MS 8000

/* A session that was synced for so long was a good one: the next attempt
 * comes soon.  One that breaks at once each time must not be retried at the
 * highest rate for ever. */
#define GOOD_SESSION_MS 5000

#define PROBES_BEFORE_GIVING_UP 6

#define MONITOR_ID "qanat"

static const struct jsonrpc_callbacks rpc_callbacks;

static struct timeval ms_to_timeval(int ms);
static void set_status(struct ovsdb *, const char *format, ...)
    PRINTF_FORMAT(2, 3);
static void start_connecting(struct ovsdb *);
static void on_retry(evutil_socket_t, short, void *);
static void on_probe(evutil_socket_t, short, void *);
static void send_monitor(struct ovsdb *);

struct ovsdb *
ovsdb_create(struct event_base *base, const char *remote,
             const char *db_name)
{
    struct ovsdb *db = xzalloc(sizeof *db);

    db->base = base;
    db->remote = xstrdup(remote);
    db->db_name = xstrdup(db_name);
    db->backoff_ms = MIN_BACKOFF_MS;
    db->probe_ms = 10000;
    db->retry = evtimer_new(base, on_retry, db);
    db->prober = event_new(base, -1, EV_PERSIST, on_probe, db);
    ovsdb_replica_init(&db->replica);
    ovsdb_txn_module_init(db);
    set_status(db, "not started");
    return db;
}

void
ovsdb_destroy(struct ovsdb *db)
{
    if (!db) {
        return;
    }
    db->state = OVSDB_STOPPED;
    db->change_cb = NULL;
    ovsdb_txn_module_fini(db);
    jsonrpc_close(db->rpc);
    event_free(db->retry);
    event_free(db->prober);
    ovsdb_replica_fini(&db->replica);
    json_decref(db->new_schema);
    free(db->last_failure);
    free(db->status);
    free(db->lock_name);
    free(db->remote);
    free(db->db_name);
    free(db);
}

void
ovsdb_add_column(struct ovsdb *db, const char *table, const char *column)
{
    ovsdb_replica_add_column(db, table, column, false);
}

void
ovsdb_add_column_quiet(struct ovsdb *db, const char *table,
                       const char *column)
{
    ovsdb_replica_add_column(db, table, column, true);
}

void
ovsdb_set_lock(struct ovsdb *db, const char *name)
{
    free(db->lock_name);
    db->lock_name = xstrdup(name);
}

bool
ovsdb_has_lock(const struct ovsdb *db)
{
    return !db->lock_name || db->has_lock;
}

bool
ovsdb_is_lock_contended(const struct ovsdb *db)
{
    return db->is_lock_contended;
}

void
ovsdb_set_change_cb(struct ovsdb *db, void (*cb)(struct ovsdb *, void *),
                    void *aux)
{
    db->change_cb = cb;
    db->change_aux = aux;
}

void
ovsdb_set_probe_interval(struct ovsdb *db, int ms)
{
    db->probe_ms = ms;
    if (db->rpc && ms) {
        const struct timeval tv = ms_to_timeval(ms);

        event_add(db->prober, &tv);
    } else {
        event_del(db->prober);
    }
}

void
ovsdb_start(struct ovsdb *db)
{
    if (db->state == OVSDB_STOPPED) {
        start_connecting(db);
    }
}

bool
ovsdb_is_synced(const struct ovsdb *db)
{
    return db->state == OVSDB_SYNCED;
}

uint64_t
ovsdb_seqno(const struct ovsdb *db)
{
    return db->replica.seqno;
}

unsigned int
ovsdb_n_syncs(const struct ovsdb *db)
{
    return db->n_syncs;
}

const char *
ovsdb_status(const struct ovsdb *db)
{
    return db->status;
}

const char *
ovsdb_schema_version(const struct ovsdb *db)
{
    return db->replica.schema ? db->replica.schema->version : "";
}

static struct timeval
ms_to_timeval(int ms)
{
    return (struct timeval) { .tv_sec = ms / 1000,
                              .tv_usec = ms % 1000 * 1000 };
}

static void
set_status(struct ovsdb *db, const char *format, ...)
{
    va_list args;

    free(db->status);
    va_start(args, format);
    db->status = xvasprintf(format, args);
    va_end(args);
}

/* -- The connection ----------------------------------------------------- */

static void
start_connecting(struct ovsdb *db)
{
    db->state = OVSDB_CONNECTING;
    db->n_silent = 0;
    set_status(db, "connecting to %s", db->remote);
    db->rpc = jsonrpc_create(db->base, db->remote, &rpc_callbacks, db);
    db->silent_since_ms = jsonrpc_last_rx_ms(db->rpc);
    ovsdb_set_probe_interval(db, db->probe_ms);
}

static void
on_retry(evutil_socket_t fd UNUSED, short events UNUSED, void *db)
{
    start_connecting(db);
}

/* Counts intervals rather than time, so that a process that was stopped for
 * an hour does not blame the server. */
static void
on_probe(evutil_socket_t fd UNUSED, short events UNUSED, void *db_)
{
    struct ovsdb *db = db_;
    int64_t last_rx_ms = jsonrpc_last_rx_ms(db->rpc);

    if (last_rx_ms != db->silent_since_ms) {
        db->silent_since_ms = last_rx_ms;
        db->n_silent = 0;
    } else if (++db->n_silent > PROBES_BEFORE_GIVING_UP) {
        jsonrpc_fail(db->rpc, "the server gives no sign of life");
    } else {
        jsonrpc_send(db->rpc, json_pack("{s:s, s:s, s:[]}", "id", "echo",
                                        "method", "echo", "params"));
    }
}

static void
tell_change(struct ovsdb *db)
{
    db->must_tell = false;
    if (db->change_cb) {
        db->change_cb(db, db->change_aux);
    }
}

static void
set_lock_state(struct ovsdb *db, bool has_lock, bool is_contended)
{
    if (db->has_lock != has_lock || db->is_lock_contended != is_contended) {
        if (is_contended && !db->is_lock_contended) {
            log_warn("%s: another process holds the lock \"%s\"",
                     db->remote, db->lock_name);
        } else if (has_lock) {
            log_info("%s: got the lock \"%s\"", db->remote, db->lock_name);
        }
        db->has_lock = has_lock;
        db->is_lock_contended = is_contended;
        db->replica.has_changed = true;
    }
}

static void
on_connected(void *db_)
{
    struct ovsdb *db = db_;

    db->state = OVSDB_GET_SCHEMA;
    set_status(db, "waiting for the schema of %s from %s", db->db_name,
               db->remote);
    jsonrpc_send(db->rpc,
                 jsonrpc_request("get_schema", json_pack("[s]", db->db_name),
                                 &db->schema_id));
}

/* A failure is told once, as long as it stays the same. */
static void
log_failure(struct ovsdb *db, const char *why)
{
    if (!db->last_failure || strcmp(db->last_failure, why)) {
        log_warn_rl("%s: %s", db->remote, why);
        free(db->last_failure);
        db->last_failure = xstrdup(why);
    } else {
        log_dbg("%s: %s", db->remote, why);
    }
}

static void
on_closed(const char *why, void *db_)
{
    struct ovsdb *db = db_;
    bool was_synced = db->state == OVSDB_SYNCED;
    struct timeval tv;

    log_failure(db, why);
    if (was_synced && clock_ms() - db->synced_at_ms >= GOOD_SESSION_MS) {
        db->backoff_ms = MIN_BACKOFF_MS;
    }
    set_status(db, "%s: %s; trying again in %d ms", db->remote, why,
               db->backoff_ms);
    jsonrpc_close(db->rpc);
    db->rpc = NULL;
    event_del(db->prober);
    json_decref(db->new_schema);
    db->new_schema = NULL;

    db->state = OVSDB_BACKOFF;
    tv = ms_to_timeval(db->backoff_ms);
    event_add(db->retry, &tv);
    db->backoff_ms = MIN(db->backoff_ms * 2, MAX_BACKOFF_MS);

    set_lock_state(db, false, false);
    ovsdb_txn_connection_lost(db);
    if (ovsdb_replica_commit(&db->replica) || was_synced) {
        tell_change(db);
    }
}

/* -- Messages ------------------------------------------------------------ */

static void
handle_schema(struct ovsdb *db, const json_t *msg)
{
    if (jsonrpc_classify(msg) == JSONRPC_ERROR) {
        jsonrpc_fail(db->rpc, "the server has no database %s", db->db_name);
        return;
    }
    json_decref(db->new_schema);
    db->new_schema = json_incref(json_object_get(msg, "result"));
    db->is_monitor_v1 = false;
    db->state = OVSDB_MONITOR;
    if (db->lock_name) {
        jsonrpc_send(db->rpc,
                     jsonrpc_request("lock", json_pack("[s]", db->lock_name),
                                     &db->lock_id));
    }
    send_monitor(db);
}

static void
send_monitor(struct ovsdb *db)
{
    struct schema *schema;
    char *error = schema_from_json(db->new_schema, &schema);

    if (error) {
        jsonrpc_fail(db->rpc, "the schema makes no sense (%s)", error);
        free(error);
        return;
    }
    set_status(db, "waiting for the content of %s from %s", db->db_name,
               db->remote);
    jsonrpc_send(db->rpc,
                 jsonrpc_request(db->is_monitor_v1 ? "monitor"
                                                   : "monitor_cond",
                                 json_pack("[s, s, o]", db->db_name,
                                           MONITOR_ID,
                                           ovsdb_replica_monitor_requests(
                                               db, schema)),
                                 &db->monitor_id));
    schema_destroy(schema);
}

static void
handle_content(struct ovsdb *db, const json_t *msg)
{
    const json_t *updates = json_object_get(msg, "result");
    struct schema *schema;
    char *error;

    if (jsonrpc_classify(msg) == JSONRPC_ERROR) {
        if (!db->is_monitor_v1) {
            /* A server from before 2.6 does not know the method. */
            db->is_monitor_v1 = true;
            send_monitor(db);
        } else {
            jsonrpc_fail(db->rpc, "the server refuses to be monitored");
        }
        return;
    } else if (!json_is_object(updates)) {
        jsonrpc_fail(db->rpc, "the server's content makes no sense");
        return;
    }
    error = schema_from_json(db->new_schema, &schema);
    if (error) {
        jsonrpc_fail(db->rpc, "the schema makes no sense (%s)", error);
        free(error);
        return;
    }
    ovsdb_replica_load(db, schema, db->new_schema, updates,
                       db->is_monitor_v1);
    json_decref(db->new_schema);
    db->new_schema = NULL;

    db->state = OVSDB_SYNCED;
    db->synced_at_ms = clock_ms();
    db->n_syncs++;
    db->must_tell = true;
    free(db->last_failure);
    db->last_failure = NULL;
    set_status(db, "connected to %s", db->remote);
    log_info_rl("%s: connected, database %s with schema %s", db->remote,
                db->db_name, ovsdb_schema_version(db));
}

static void
handle_lock_answer(struct ovsdb *db, const json_t *msg)
{
    const json_t *locked = json_object_get(json_object_get(msg, "result"),
                                           "locked");

    if (!json_is_boolean(locked)) {
        jsonrpc_fail(db->rpc, "the server refuses the lock \"%s\"",
                     db->lock_name);
        return;
    }
    set_lock_state(db, json_is_true(locked), !json_is_true(locked));
}

static void
handle_answer(struct ovsdb *db, const json_t *msg)
{
    if (db->state == OVSDB_GET_SCHEMA
        && jsonrpc_is_answer_to(msg, db->schema_id)) {
        handle_schema(db, msg);
    } else if (db->state == OVSDB_MONITOR
               && jsonrpc_is_answer_to(msg, db->monitor_id)) {
        handle_content(db, msg);
    } else if (db->lock_name && jsonrpc_is_answer_to(msg, db->lock_id)) {
        handle_lock_answer(db, msg);
    } else if (!ovsdb_txn_handle_answer(db, msg)) {
        log_dbg("%s: an answer to no question", db->remote);
    }
}

static void
handle_update(struct ovsdb *db, const json_t *params, bool is_v1)
{
    const json_t *updates = json_array_get(params, 1);
    const char *id = json_string_value(json_array_get(params, 0));
    const char *problem;

    if (!id || strcmp(id, MONITOR_ID) || !json_is_object(updates)) {
        log_warn_rl("%s: ignored an update that is not for us", db->remote);
        return;
    } else if (db->state != OVSDB_SYNCED) {
        jsonrpc_fail(db->rpc, "an update came before the content");
        return;
    }
    problem = ovsdb_replica_update(db, updates, is_v1);
    if (problem) {
        jsonrpc_fail(db->rpc, "the server contradicts itself (%s)", problem);
    }
}

static void
handle_notify(struct ovsdb *db, const char *method, const json_t *params)
{
    const char *name = json_string_value(json_array_get(params, 0));

    if (!strcmp(method, "update2")) {
        handle_update(db, params, false);
    } else if (!strcmp(method, "update")) {
        handle_update(db, params, true);
    } else if (!strcmp(method, "locked") || !strcmp(method, "stolen")) {
        if (db->lock_name && name && !strcmp(name, db->lock_name)) {
            bool is_ours = !strcmp(method, "locked");

            set_lock_state(db, is_ours, !is_ours);
        }
    } else if (!strcmp(method, "monitor_canceled")) {
        jsonrpc_fail(db->rpc, "the server ended the monitor");
    } else {
        log_dbg("%s: ignored notification \"%.32s\"", db->remote, method);
    }
}

static void
on_received(const json_t *msg, void *db_)
{
    struct ovsdb *db = db_;

    switch (jsonrpc_classify(msg)) {
    case JSONRPC_NOTIFY:
        handle_notify(db, json_string_value(json_object_get(msg, "method")),
                      json_object_get(msg, "params"));
        break;
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        handle_answer(db, msg);
        break;
    case JSONRPC_REQUEST:
    case JSONRPC_BAD:
        log_dbg("%s: ignored a request", db->remote);
        break;
    }
}

static void
on_drained(void *db_)
{
    struct ovsdb *db = db_;

    /* The first content is a change even if it is empty. */
    if (db->must_tell && !db->replica.seqno) {
        db->replica.has_changed = true;
    }
    /* The lock may come before the first content; nobody wants to know. */
    if (db->state == OVSDB_SYNCED
        && (ovsdb_replica_commit(&db->replica) || db->must_tell)) {
        tell_change(db);
    }
}

static const struct jsonrpc_callbacks rpc_callbacks = {
    .connected = on_connected,
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};
