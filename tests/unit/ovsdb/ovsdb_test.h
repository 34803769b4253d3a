/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb_test.h - a real ovsdb-server with the stock schema in a sandbox, and a
 * client of it under test.
 */
#ifndef TESTS_UNIT_OVSDB_OVSDB_TEST_H
#define TESTS_UNIT_OVSDB_OVSDB_TEST_H 1

#include <sys/types.h>

#include "lib/ovsdb/ovsdb.h"

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define VSCTL "ovs-vsctl --no-wait --db=unix:db.sock "

extern struct event_base *dbt_base;
extern struct ovsdb *dbt_db;            /* The client under test. */
extern pid_t dbt_server;                /* The ovsdb-server. */
extern unsigned int dbt_n_changes;      /* Calls of the change callback. */

/* Starts a sandbox and in it ovsdb-server with 'options' and an initialized
 * database.  Returns false, with the test marked as skipped, if it is not
 * installed. */
bool dbt_set_up(const char *options);
void dbt_tear_down(void);
void dbt_start_server(const char *options);

/* A client that replicates what the tests look at, not started; and dbt_db
 * made such a client and synced. */
struct ovsdb *dbt_make_client(void);
void dbt_start_client(void);

/* Conditions for sandbox_wait(): the first two take a client, the third a
 * pointer to the number that ovsdb_seqno(dbt_db) was. */
bool dbt_is_synced(void *client);
bool dbt_is_not_synced(void *client);
bool dbt_seqno_differs(void *seqno);

/* Runs ovs-vsctl, which must succeed, and waits until dbt_db has changed. */
void dbt_vsctl(const char *args);

/* Checks that ovs-vsctl prints 'expected'. */
void dbt_check(const char *args, const char *expected);

/* The row of 'table' whose column "name" is 'name', or NULL. */
const struct ovsdb_row *dbt_find_named(const char *table, const char *name);

/* What became of a transaction. */
struct dbt_outcome {
    int n;
    enum ovsdb_txn_status status;
    char *error;
};

void dbt_on_outcome(struct ovsdb *, enum ovsdb_txn_status,
                    const char *error, void *outcome);
bool dbt_has_outcome(void *outcome);

/* Commits 'txn' and waits for its end. */
enum ovsdb_txn_status dbt_commit(struct ovsdb_txn *txn);

#endif /* TESTS_UNIT_OVSDB_OVSDB_TEST_H */
