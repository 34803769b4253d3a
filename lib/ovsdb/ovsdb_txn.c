/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb_txn.c - changes to the database.  See ovsdb.h.
 *
 * What a transaction writes is compared with what the row will hold when the
 * transactions before it are done, that is, with the youngest write in
 * flight, or else with the replica.  Comparing with the replica alone would
 * lose a value that is set, and set back before the server has answered.
 */
#include "lib/ovsdb/ovsdb_private.h"

#include <event2/event.h>

#include "lib/base/log.h"
#include "lib/ipc/framer.h"
#include "lib/ovsdb/jsonrpc.h"

LOG_MODULE(ovsdb_txn);

/* The new value of one column of one row. */
struct write {
    struct hmap_node node;      /* In ovsdb_txn.writes, by row and column. */
    struct ovsdb_table *table;
    const struct ovsdb_column *column;
    struct uuid uuid;
    json_t *value;              /* Normalized: see normalize(). */
};

struct ovsdb_txn {
    struct ovsdb *db;
    struct hmap writes;
    /* Once committed: */
    struct list link;           /* In db->in_flight or db->done. */
    int64_t id;                 /* Of the request. */
    ovsdb_txn_cb *cb;
    void *aux;
    enum ovsdb_txn_status status;
    char *error;
};

static struct write *find_write(const struct ovsdb_txn *,
                                const struct ovsdb_row *,
                                const struct ovsdb_column *);
static void write_destroy(struct ovsdb_txn *, struct write *);
static void txn_destroy(struct ovsdb_txn *);
static void set(struct ovsdb_txn *, const struct ovsdb_row *,
                const char *column, json_t *value);
static json_t *make_operations(const struct ovsdb_txn *);
static void complete(struct ovsdb_txn *, enum ovsdb_txn_status, char *error);
static void call_back(struct ovsdb *);
static void on_complete(evutil_socket_t, short, void *);
static char *find_error(const json_t *msg, bool *is_lock_error);

void
ovsdb_txn_module_init(struct ovsdb *db)
{
    list_init(&db->in_flight);
    list_init(&db->done);
    db->completer = event_new(db->base, -1, 0, on_complete, db);
}

void
ovsdb_txn_module_fini(struct ovsdb *db)
{
    struct list *link;

    ovsdb_txn_connection_lost(db);
    call_back(db);
    while ((link = list_pop_front(&db->done))) {
        txn_destroy(CONTAINER_OF(link, struct ovsdb_txn, link));
    }
    event_free(db->completer);
}

const char *
ovsdb_txn_status_name(enum ovsdb_txn_status status)
{
    switch (status) {
    case OVSDB_TXN_SUCCESS:
        return "success";
    case OVSDB_TXN_UNCHANGED:
        return "unchanged";
    case OVSDB_TXN_ERROR:
        return "error";
    case OVSDB_TXN_LOST:
        return "connection lost";
    case OVSDB_TXN_NOT_LOCKED:
        return "not locked";
    }
    return "unknown";
}

struct ovsdb_txn *
ovsdb_txn_create(struct ovsdb *db)
{
    struct ovsdb_txn *txn = xzalloc(sizeof *txn);

    txn->db = db;
    hmap_init(&txn->writes);
    return txn;
}

void
ovsdb_txn_abort(struct ovsdb_txn *txn)
{
    txn_destroy(txn);
}

void
ovsdb_txn_set_string(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                     const char *column, const char *value)
{
    set(txn, row, column, framer_string(value));
}

void
ovsdb_txn_set_int(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                  const char *column, int64_t value)
{
    set(txn, row, column, json_integer(value));
}

void
ovsdb_txn_set_bool(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                   const char *column, bool value)
{
    set(txn, row, column, json_boolean(value));
}

void
ovsdb_txn_set_smap(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                   const char *column, const struct smap *value)
{
    json_t *pairs = json_array();
    const struct smap_node *node;

    SMAP_FOR_EACH(node, value) {
        json_array_append_new(pairs,
                              json_pack("[o, o]", framer_string(node->key),
                                        framer_string(node->value)));
    }
    set(txn, row, column, json_pack("[s, o]", "map", pairs));
}

void
ovsdb_txn_set_string_set(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                         const char *column, const char *const values[],
                         size_t n)
{
    json_t *elements = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(elements, framer_string(values[i]));
    }
    set(txn, row, column, json_pack("[s, o]", "set", elements));
}

void
ovsdb_txn_set_int_set(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                      const char *column, const int64_t values[], size_t n)
{
    json_t *elements = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(elements, json_integer(values[i]));
    }
    set(txn, row, column, json_pack("[s, o]", "set", elements));
}

void
ovsdb_txn_set_int_map(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                      const char *column, const char *const keys[],
                      const int64_t values[], size_t n)
{
    json_t *pairs = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(pairs,
                              json_pack("[o, I]", framer_string(keys[i]),
                                        (json_int_t) values[i]));
    }
    set(txn, row, column, json_pack("[s, o]", "map", pairs));
}

void
ovsdb_txn_set_empty(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                    const char *column_name)
{
    const struct ovsdb_column *column
        = ovsdb_table_find_column(row->table, column_name);
    bool is_map = column && column->type && datum_type_is_map(column->type);

    set(txn, row, column_name,
        json_pack("[s, []]", is_map ? "map" : "set"));
}

bool
ovsdb_txn_is_empty(const struct ovsdb_txn *txn)
{
    return hmap_is_empty(&txn->writes);
}

void
ovsdb_txn_commit(struct ovsdb_txn *txn, ovsdb_txn_cb *cb, void *aux)
{
    struct ovsdb *db = txn->db;

    txn->cb = cb;
    txn->aux = aux;
    list_push_back(&db->in_flight, &txn->link);
    if (ovsdb_txn_is_empty(txn)) {
        complete(txn, OVSDB_TXN_UNCHANGED, NULL);
    } else if (db->state != OVSDB_SYNCED) {
        complete(txn, OVSDB_TXN_LOST, NULL);
    } else if (!ovsdb_has_lock(db)) {
        complete(txn, OVSDB_TXN_NOT_LOCKED, NULL);
    } else {
        jsonrpc_send(db->rpc, jsonrpc_request("transact",
                                              make_operations(txn),
                                              &txn->id));
    }
}

size_t
ovsdb_n_in_flight(const struct ovsdb *db)
{
    return list_count(&db->in_flight) + list_count(&db->done);
}

bool
ovsdb_txn_handle_answer(struct ovsdb *db, const json_t *msg)
{
    struct ovsdb_txn *txn;

    LIST_FOR_EACH(txn, link, &db->in_flight) {
        if (jsonrpc_is_answer_to(msg, txn->id)) {
            bool is_lock_error;
            char *error = find_error(msg, &is_lock_error);

            complete(txn, !error ? OVSDB_TXN_SUCCESS
                     : is_lock_error ? OVSDB_TXN_NOT_LOCKED
                     : OVSDB_TXN_ERROR, error);
            return true;
        }
    }
    return false;
}

void
ovsdb_txn_connection_lost(struct ovsdb *db)
{
    struct ovsdb_txn *txn, *next;

    LIST_FOR_EACH_SAFE(txn, next, link, &db->in_flight) {
        complete(txn, OVSDB_TXN_LOST, NULL);
    }
}

static uint32_t
hash_cell(const struct uuid *uuid, const struct ovsdb_column *column)
{
    return hash_pointer(column, uuid_hash(uuid, 0));
}

static struct write *
find_write(const struct ovsdb_txn *txn, const struct ovsdb_row *row,
           const struct ovsdb_column *column)
{
    struct write *write;

    HMAP_FOR_EACH_WITH_HASH(write, node, hash_cell(&row->uuid, column),
                            &txn->writes) {
        if (write->column == column && uuid_equal(&write->uuid, &row->uuid)) {
            return write;
        }
    }
    return NULL;
}

static void
write_destroy(struct ovsdb_txn *txn, struct write *write)
{
    hmap_remove(&txn->writes, &write->node);
    json_decref(write->value);
    free(write);
}

static void
txn_destroy(struct ovsdb_txn *txn)
{
    struct write *write, *next;

    HMAP_FOR_EACH_SAFE(write, next, node, &txn->writes) {
        write_destroy(txn, write);
    }
    hmap_fini(&txn->writes);
    free(txn->error);
    free(txn);
}

/* The value that the server will hold for the cell once everything in flight
 * is done: a new reference.  NULL stands for the replica's. */
static json_t *
value_in_flight(const struct ovsdb *db, const struct ovsdb_row *row,
                const struct ovsdb_column *column)
{
    for (const struct list *l = db->in_flight.prev; l != &db->in_flight;
         l = l->prev) {
        const struct ovsdb_txn *txn
            = CONTAINER_OF((struct list *) l, struct ovsdb_txn, link);
        const struct write *write = find_write(txn, row, column);

        if (write) {
            return json_incref(write->value);
        }
    }
    return NULL;
}

/* Takes over 'value'.  It goes to a datum and back, which checks it against
 * the column's type and makes equal values look the same. */
static void
set(struct ovsdb_txn *txn, const struct ovsdb_row *row,
    const char *column_name, json_t *value)
{
    const struct ovsdb_column *column
        = ovsdb_table_find_column(row->table, column_name);
    struct write *write;
    struct datum datum;
    bool is_same;
    json_t *before;
    char *error;

    if (!column || !column->type) {
        if (!column) {
            log_err_rl("column %s of table %s is written but not replicated",
                       column_name, row->table->name);
        }
        json_decref(value);
        return;
    }
    error = datum_from_json(&datum, column->type, value);
    json_decref(value);
    if (error) {
        log_err_rl("column %s of table %s: value not written (%s)",
                   column_name, row->table->name, error);
        free(error);
        return;
    }

    write = find_write(txn, row, column);
    if (write) {
        write_destroy(txn, write);
    }
    before = value_in_flight(txn->db, row, column);
    value = datum_to_json(&datum, column->type);
    is_same = before ? json_equal(before, value)
              : datum_equal(&datum, &row->data[column->index], column->type);
    json_decref(before);
    datum_fini(&datum, column->type);
    if (is_same) {
        json_decref(value);
        return;
    }
    write = xzalloc(sizeof *write);
    write->table = row->table;
    write->column = column;
    write->uuid = row->uuid;
    write->value = value;
    hmap_insert(&txn->writes, &write->node, hash_cell(&row->uuid, column));
}

/* One operation "update" for each row that is written. */
static json_t *
make_operations(const struct ovsdb_txn *txn)
{
    struct ovsdb *db = txn->db;
    json_t *params = json_pack("[s]", db->db_name);
    json_t *rows = json_object();
    const struct write *write;

    if (db->lock_name) {
        json_array_append_new(params, json_pack("{s:s, s:s}", "op", "assert",
                                                "lock", db->lock_name));
    }
    HMAP_FOR_EACH(write, node, &txn->writes) {
        char uuid[UUID_LEN + 1];
        json_t *values;

        uuid_to_text(&write->uuid, uuid);
        values = json_object_get(rows, uuid);
        if (!values) {
            values = json_object();
            json_object_set_new(rows, uuid, values);
            json_array_append_new(
                params,
                json_pack("{s:s, s:s, s:[[s, s, [s, s]]], s:O}",
                          "op", "update", "table", write->table->name,
                          "where", "_uuid", "==", "uuid", uuid,
                          "row", values));
        }
        json_object_set(values, write->column->name, write->value);
    }
    json_decref(rows);
    return params;
}

/* Takes over 'error'.  The callback is due, but only from the event loop. */
static void
complete(struct ovsdb_txn *txn, enum ovsdb_txn_status status, char *error)
{
    txn->status = status;
    txn->error = error;
    list_remove(&txn->link);
    list_push_back(&txn->db->done, &txn->link);
    event_active(txn->db->completer, 0, 0);
}

static void
call_back(struct ovsdb *db)
{
    struct list due = LIST_INITIALIZER(&due);
    struct list *link;

    /* A callback may commit again, which must not keep us here for ever. */
    list_splice_back(&due, &db->done);
    while ((link = list_pop_front(&due))) {
        struct ovsdb_txn *txn = CONTAINER_OF(link, struct ovsdb_txn, link);

        if (txn->status == OVSDB_TXN_ERROR) {
            log_warn_rl("transaction refused: %s", txn->error);
        }
        if (txn->cb) {
            txn->cb(db, txn->status,
                    txn->status == OVSDB_TXN_ERROR ? txn->error : NULL,
                    txn->aux);
        }
        txn_destroy(txn);
    }
}

static void
on_complete(evutil_socket_t fd UNUSED, short events UNUSED, void *db)
{
    call_back(db);
}

/* NULL if 'msg' reports success, else a sentence. */
static char *
find_error(const json_t *msg, bool *is_lock_error)
{
    const json_t *results = json_object_get(msg, "result");
    const json_t *error = json_object_get(msg, "error");
    struct str s = STR_INIT;
    const json_t *element;
    size_t i;

    *is_lock_error = false;
    if (jsonrpc_classify(msg) == JSONRPC_ERROR) {
        framer_dump(&s, error);
        return str_steal(&s);
    }
    json_array_foreach(results, i, element) {
        const char *what = json_string_value(json_object_get(element,
                                                             "error"));
        const char *details = json_string_value(json_object_get(element,
                                                                "details"));

        if (what) {
            *is_lock_error = !strcmp(what, "not owner");
            return xasprintf("%s%s%s", what, details ? ": " : "",
                             details ? details : "");
        }
    }
    return json_is_array(results) ? NULL
           : xstrdup("the server's answer makes no sense");
}
