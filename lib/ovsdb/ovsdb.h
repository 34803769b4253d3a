/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb.h - a replica of a database that is kept up to date, and changes to
 * it (RFC 7047, and the monitor_cond method and update2 notification of
 * ovsdb-server(7)).
 *
 * The client connects, reads the schema, asks for its lock if it has one, and
 * monitors the columns that were named and exist.  It reconnects for ever,
 * after 0.1 to 8 seconds.  While the server is away the replica stays as it
 * was; when it is back, rows that are the same keep their address, others
 * change or vanish.  Whatever the server sends, the replica holds only what
 * makes sense, and the accessors below give a default for what does not.
 *
 * MAIN thread, on one libevent loop; nothing here blocks.
 */
#ifndef QANAT_OVSDB_OVSDB_H
#define QANAT_OVSDB_OVSDB_H 1

#include <stdint.h>

#include "lib/base/smap.h"
#include "lib/ovsdb/uuid.h"

struct event_base;
struct ovsdb;
struct ovsdb_row;
struct ovsdb_txn;

/* -- The session ------------------------------------------------------- */

/* A client of database 'db_name' at 'remote' (see jsonrpc.h).  Both are
 * copied.  Does nothing until ovsdb_start(). */
struct ovsdb *ovsdb_create(struct event_base *, const char *remote,
                           const char *db_name);

/* Ends the session and frees everything, rows included.  Transactions in
 * flight complete as lost before this returns; what their callbacks commit is
 * thrown away without a callback.  Not from a callback. */
void ovsdb_destroy(struct ovsdb *);

/* Replicates 'column' of 'table'.  Before ovsdb_start().  A table or column
 * that the server's schema does not have is told in the log, and reads as
 * absent. */
void ovsdb_add_column(struct ovsdb *, const char *table, const char *column);

/* The same for a column that only this client writes (statistics, status): it
 * is replicated so that unchanged values are not written again, but a change
 * of it alone causes no change callback and no new sequence number. */
void ovsdb_add_column_quiet(struct ovsdb *, const char *table,
                            const char *column);

/* Asks the server for the lock 'name' on each connection.  Transactions are
 * then committed only while the lock is held, which the server checks, too.
 * Before ovsdb_start(). */
void ovsdb_set_lock(struct ovsdb *, const char *name);

/* True if no lock was asked for or it is held. */
bool ovsdb_has_lock(const struct ovsdb *);

/* True if the server says that another client holds the lock. */
bool ovsdb_is_lock_contended(const struct ovsdb *);

/* Called on the event loop once after each batch of updates that changed
 * something was applied as a whole; after the first and each later complete
 * (re)load; when the connection is lost; and when the lock comes or goes.
 * The rows may be read and transactions committed from it. */
void ovsdb_set_change_cb(struct ovsdb *, void (*cb)(struct ovsdb *, void *),
                         void *aux);

/* After how many milliseconds of silence the server is asked for a sign of
 * life; when none comes for 6 times as long, the connection is given up.
 * Default 10000; 0 turns it off. */
void ovsdb_set_probe_interval(struct ovsdb *, int ms);

void ovsdb_start(struct ovsdb *);

/* True while connected and the replica is complete. */
bool ovsdb_is_synced(const struct ovsdb *);

/* Number of the present state of the replica; 0 before the first content.
 * Differs from an earlier one only if a column that is not quiet, the set of
 * rows, or the lock changed. */
uint64_t ovsdb_seqno(const struct ovsdb *);

/* How often a connection with content was established. */
unsigned int ovsdb_n_syncs(const struct ovsdb *);

/* A sentence about the state of the connection, for people; valid until the
 * next event. */
const char *ovsdb_status(const struct ovsdb *);

/* The version of the schema that the server told last, or "". */
const char *ovsdb_schema_version(const struct ovsdb *);

/* True if the schema has the column and it is replicated. */
bool ovsdb_has_column(const struct ovsdb *, const char *table,
                      const char *column);

/* -- Reading ----------------------------------------------------------- */

/* Rows are valid until control returns to the event loop.  Accessors take a
 * row that is not NULL and any column name; where the column is absent, empty
 * or of another type they give the default. */

const struct ovsdb_row *ovsdb_find_row(const struct ovsdb *,
                                       const char *table,
                                       const struct uuid *);
const struct ovsdb_row *ovsdb_first_row(const struct ovsdb *,
                                        const char *table);
const struct ovsdb_row *ovsdb_next_row(const struct ovsdb_row *);
size_t ovsdb_n_rows(const struct ovsdb *, const char *table);

/* Walks ROW (const struct ovsdb_row *) over the rows of TABLE in no particular
 * order. */
#define OVSDB_FOR_EACH_ROW(ROW, DB, TABLE)                                  \
    for ((ROW) = ovsdb_first_row(DB, TABLE); (ROW);                         \
         (ROW) = ovsdb_next_row(ROW))

const struct uuid *ovsdb_row_uuid(const struct ovsdb_row *);
const char *ovsdb_row_table(const struct ovsdb_row *);

/* The ovsdb_seqno() at which the row appeared or last changed in a column
 * that is not quiet. */
uint64_t ovsdb_row_seqno(const struct ovsdb_row *);

/* The string of a column, or the first of a set of strings; 'def' if none. */
const char *ovsdb_get_string(const struct ovsdb_row *, const char *column,
                             const char *def);

/* The number or boolean of a column; false if there is none. */
bool ovsdb_get_int(const struct ovsdb_row *, const char *column,
                   int64_t *value);
bool ovsdb_get_bool(const struct ovsdb_row *, const char *column,
                    bool *value);

/* Number of elements of a set or map; 1 for a scalar, 0 if absent. */
size_t ovsdb_get_count(const struct ovsdb_row *, const char *column);

/* Replaces the content of 'smap', which is initialized, by that of a map from
 * strings to strings.  Returns false, with 'smap' empty, if it is none. */
bool ovsdb_get_smap(const struct ovsdb_row *, const char *column,
                    struct smap *smap);

/* The value of 'key' in a map from strings to strings, or NULL. */
const char *ovsdb_get_smap_value(const struct ovsdb_row *,
                                 const char *column, const char *key);

/* The elements of a set (for a map: its keys), in ascending order, as an
 * array that the caller frees by free().  Stores NULL and 0 if there are
 * none; returns the number.  The strings themselves are the row's. */
size_t ovsdb_get_uuids(const struct ovsdb_row *, const char *column,
                       struct uuid **, size_t *n);
size_t ovsdb_get_ints(const struct ovsdb_row *, const char *column,
                      int64_t **, size_t *n);
size_t ovsdb_get_strings(const struct ovsdb_row *, const char *column,
                         const char ***, size_t *n);

/* -- Writing ----------------------------------------------------------- */

enum ovsdb_txn_status {
    OVSDB_TXN_SUCCESS,          /* The server has done it. */
    OVSDB_TXN_UNCHANGED,        /* There was nothing to write. */
    OVSDB_TXN_ERROR,            /* The server refused; the text says why. */
    OVSDB_TXN_LOST,             /* The connection broke: it may have been
                                 * done or not. */
    OVSDB_TXN_NOT_LOCKED        /* The lock is not held; not done. */
};

const char *ovsdb_txn_status_name(enum ovsdb_txn_status);

/* 'error' is a sentence for OVSDB_TXN_ERROR, otherwise NULL. */
typedef void ovsdb_txn_cb(struct ovsdb *, enum ovsdb_txn_status,
                          const char *error, void *aux);

/* A transaction: changes that the server makes all or none.  It keeps no
 * pointer to a row, so updates may come before it is committed. */
struct ovsdb_txn *ovsdb_txn_create(struct ovsdb *);

/* Throws the transaction away. */
void ovsdb_txn_abort(struct ovsdb_txn *);

/* Set a column of a row.  A value that equals what the replica holds, or what
 * an earlier transaction in flight writes there, is left out.  The last of
 * several values for one column counts.  A column that is not replicated is
 * ignored (see ovsdb_add_column()).  Strings that are not UTF-8 are made so
 * with '?'. */
void ovsdb_txn_set_string(struct ovsdb_txn *, const struct ovsdb_row *,
                          const char *column, const char *value);
void ovsdb_txn_set_int(struct ovsdb_txn *, const struct ovsdb_row *,
                       const char *column, int64_t value);
void ovsdb_txn_set_bool(struct ovsdb_txn *, const struct ovsdb_row *,
                        const char *column, bool value);
void ovsdb_txn_set_smap(struct ovsdb_txn *, const struct ovsdb_row *,
                        const char *column, const struct smap *value);
void ovsdb_txn_set_string_set(struct ovsdb_txn *, const struct ovsdb_row *,
                              const char *column,
                              const char *const values[], size_t n);
void ovsdb_txn_set_int_set(struct ovsdb_txn *, const struct ovsdb_row *,
                           const char *column, const int64_t values[],
                           size_t n);

/* A map from strings to integers, as Interface's statistics.  A key that
 * comes twice counts once, with the first value. */
void ovsdb_txn_set_int_map(struct ovsdb_txn *, const struct ovsdb_row *,
                           const char *column, const char *const keys[],
                           const int64_t values[], size_t n);

/* Makes a set, an optional value or a map empty. */
void ovsdb_txn_set_empty(struct ovsdb_txn *, const struct ovsdb_row *,
                         const char *column);

/* True if nothing would be written. */
bool ovsdb_txn_is_empty(const struct ovsdb_txn *);

/* Sends the transaction and frees it.  'cb' (may be NULL, then a refusal is
 * logged) is called exactly once from the event loop, or from
 * ovsdb_destroy(); never from within this call. */
void ovsdb_txn_commit(struct ovsdb_txn *, ovsdb_txn_cb *cb, void *aux);

/* Number of transactions whose callback is still to come.  A client that
 * writes periodically skips a turn while the server has not caught up. */
size_t ovsdb_n_in_flight(const struct ovsdb *);

#endif /* QANAT_OVSDB_OVSDB_H */
