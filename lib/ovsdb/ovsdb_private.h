/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb_private.h - what the files behind ovsdb.h share:
 *
 *     ovsdb.c           the session: connect, schema, lock, monitor, retry
 *     ovsdb_replica.c   tables and rows, and updates of them
 *     ovsdb_row.c       reading rows
 *     ovsdb_txn.c       transactions
 *
 * MAIN thread.
 */
#ifndef QANAT_OVSDB_OVSDB_PRIVATE_H
#define QANAT_OVSDB_OVSDB_PRIVATE_H 1

#include <jansson.h>

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/ovsdb/ovsdb.h"
#include "lib/ovsdb/schema.h"

struct event;
struct jsonrpc;

/* A column that somebody asked for. */
struct ovsdb_column {
    char *name;
    size_t index;               /* In the table's columns[] and in rows. */
    bool is_quiet;
    /* Of the schema in use; NULL if that does not have the column. */
    const struct datum_type *type;
};

/* A table of which somebody asked for a column.  Lives as long as the
 * client, whether the schema has it or not. */
struct ovsdb_table {
    struct hmap_node node;      /* In replica.tables, by name. */
    struct ovsdb *db;
    char *name;
    struct ovsdb_column **columns;
    size_t n_columns;
    size_t columns_size;        /* Elements there is room for. */
    bool is_in_schema;
    struct hmap rows;           /* Of struct ovsdb_row, by uuid. */
};

/* data[i] is of type table->columns[i]->type, and empty if that is NULL. */
struct ovsdb_row {
    struct hmap_node node;
    struct ovsdb_table *table;
    struct uuid uuid;
    uint64_t seqno;
    bool is_fresh;              /* Seen in the load that is going on. */
    struct datum data[];
};

struct ovsdb_replica {
    struct hmap tables;         /* Of struct ovsdb_table. */
    struct schema *schema;      /* In use, or NULL before the first load. */
    json_t *schema_json;        /* What 'schema' was made from. */
    uint64_t seqno;
    bool has_changed;           /* Since 'seqno' was last counted up. */
};

enum ovsdb_state {
    OVSDB_STOPPED,              /* Before ovsdb_start(). */
    OVSDB_BACKOFF,              /* Waits before it connects again. */
    OVSDB_CONNECTING,
    OVSDB_GET_SCHEMA,           /* Waits for the schema. */
    OVSDB_MONITOR,              /* Waits for the first content. */
    OVSDB_SYNCED
};

struct ovsdb {
    struct event_base *base;
    char *remote;
    char *db_name;
    struct ovsdb_replica replica;
    void (*change_cb)(struct ovsdb *, void *aux);
    void *change_aux;

    /* The session. */
    enum ovsdb_state state;
    struct jsonrpc *rpc;        /* NULL if stopped or in backoff. */
    struct event *retry;        /* Ends the backoff. */
    struct event *prober;
    int backoff_ms;
    int probe_ms;
    unsigned int n_silent;      /* Probe intervals without a byte. */
    int64_t silent_since_ms;    /* jsonrpc_last_rx_ms() at the last probe. */
    int64_t synced_at_ms;
    unsigned int n_syncs;
    json_t *new_schema;         /* Told, and in use once content comes. */
    int64_t schema_id, monitor_id, lock_id;     /* Requests. */
    bool is_monitor_v1;         /* The server knows no monitor_cond. */
    bool must_tell;             /* The change callback is due. */
    char *last_failure;         /* Told in the log, or NULL. */
    char *status;

    /* The lock. */
    char *lock_name;            /* NULL if none is wanted. */
    bool has_lock;
    bool is_lock_contended;

    /* Transactions (struct ovsdb_txn). */
    struct list in_flight;      /* Sent, in order. */
    struct list done;           /* Their callback is due. */
    struct event *completer;    /* Calls the callbacks of 'done'. */
};

/* -- ovsdb_replica.c --------------------------------------------------- */

void ovsdb_replica_init(struct ovsdb_replica *);
void ovsdb_replica_fini(struct ovsdb_replica *);

void ovsdb_replica_add_column(struct ovsdb *, const char *table,
                              const char *column, bool is_quiet);
struct ovsdb_table *ovsdb_replica_find_table(const struct ovsdb *,
                                             const char *name);
struct ovsdb_column *ovsdb_table_find_column(const struct ovsdb_table *,
                                             const char *name);

/* The <monitor-requests> for what was asked for and is in 'schema'; what is
 * not is logged. */
json_t *ovsdb_replica_monitor_requests(struct ovsdb *,
                                       const struct schema *);

/* Replaces the content by 'updates', <table-updates> or <table-updates2>,
 * and the schema by 'schema', taken over, made from 'schema_json'. */
void ovsdb_replica_load(struct ovsdb *, struct schema *schema,
                        json_t *schema_json, const json_t *updates,
                        bool is_v1);

/* Applies the changes 'updates'.  Returns NULL, or a constant that says how
 * they contradict the replica, which must then be loaded anew. */
const char *ovsdb_replica_update(struct ovsdb *, const json_t *updates,
                                 bool is_v1);

/* Counts the sequence number up if anything changed; tells whether. */
bool ovsdb_replica_commit(struct ovsdb_replica *);

/* -- ovsdb_txn.c ------------------------------------------------------- */

void ovsdb_txn_module_init(struct ovsdb *);
void ovsdb_txn_module_fini(struct ovsdb *);

/* Takes the answer to a transaction.  Returns false if 'msg' is none. */
bool ovsdb_txn_handle_answer(struct ovsdb *, const json_t *msg);

/* All transactions in flight are lost. */
void ovsdb_txn_connection_lost(struct ovsdb *);

#endif /* QANAT_OVSDB_OVSDB_PRIVATE_H */
