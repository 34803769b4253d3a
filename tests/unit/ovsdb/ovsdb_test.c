/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb_test.c - see ovsdb_test.h.
 */
#include "tests/unit/ovsdb/ovsdb_test.h"

#include <CUnit/CUnit.h>
#include <event2/event.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/ipc/sandbox.h"
#include "tests/unit/unit.h"

struct event_base *dbt_base;
pid_t dbt_server;
struct ovsdb *dbt_db;
unsigned int dbt_n_changes;

void
dbt_start_server(const char *options)
{
    dbt_server = sandbox_spawn("ovsdb-server conf.db --no-chdir "
                               "--remote=punix:db.sock --unixctl=%s "
                               "-vconsole:off -vsyslog:off %s",
                               sandbox_path("server.ctl"), options);
}

static bool
server_answers(void *aux UNUSED)
{
    return !sandbox_run(NULL, NULL, "ovsdb-client -t 1 list-dbs "
                        "unix:db.sock");
}

bool
dbt_set_up(const char *options)
{
    if (!sandbox_has("ovsdb-server") || access(SCHEMA, R_OK)) {
        unit_skip("ovsdb-server is not installed");
        return false;
    }
    sandbox_init();
    dbt_base = event_base_new();
    CU_ASSERT_FATAL(!sandbox_run(NULL, NULL, "ovsdb-tool create conf.db "
                                 SCHEMA));
    dbt_start_server(options);
    CU_ASSERT_FATAL(sandbox_wait(dbt_base, 10000, server_answers, NULL));
    CU_ASSERT_FATAL(!sandbox_run(NULL, NULL, VSCTL "init"));
    return true;
}

void
dbt_tear_down(void)
{
    ovsdb_destroy(dbt_db);
    dbt_db = NULL;
    event_base_free(dbt_base);
    sandbox_fini();
}

static void
count_change(struct ovsdb *db UNUSED, void *aux UNUSED)
{
    dbt_n_changes++;
}

struct ovsdb *
dbt_make_client(void)
{
    struct ovsdb *client = ovsdb_create(dbt_base, "unix:db.sock",
                                        "Open_vSwitch");
    static const char *const columns[][2] = {
        { "Open_vSwitch", "bridges" }, { "Open_vSwitch", "next_cfg" },
        { "Open_vSwitch", "other_config" }, { "Bridge", "name" },
        { "Bridge", "ports" }, { "Bridge", "flood_vlans" },
        { "Bridge", "stp_enable" }, { "Port", "name" }, { "Port", "tag" },
        { "Port", "trunks" }, { "Port", "interfaces" },
        { "Interface", "name" }, { "Interface", "type" },
        { "Interface", "options" }, { "Interface", "mtu_request" },
        { "Interface", "no_such_column" }, { "No_Such_Table", "x" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_add_column(client, columns[i][0], columns[i][1]);
    }
    ovsdb_add_column_quiet(client, "Open_vSwitch", "cur_cfg");
    ovsdb_add_column_quiet(client, "Interface", "statistics");
    ovsdb_add_column_quiet(client, "Interface", "ofport");
    ovsdb_add_column_quiet(client, "Interface", "error");
    ovsdb_add_column_quiet(client, "Interface", "status");
    ovsdb_add_column_quiet(client, "Interface", "mac_in_use");
    ovsdb_add_column_quiet(client, "Open_vSwitch", "iface_types");
    ovsdb_add_column_quiet(client, "Open_vSwitch", "dpdk_initialized");
    return client;
}

bool
dbt_is_synced(void *client)
{
    return ovsdb_is_synced(client);
}

bool
dbt_is_not_synced(void *client)
{
    return !ovsdb_is_synced(client);
}

void
dbt_start_client(void)
{
    dbt_db = dbt_make_client();
    dbt_n_changes = 0;
    ovsdb_set_change_cb(dbt_db, count_change, NULL);
    ovsdb_start(dbt_db);
    CU_ASSERT_FATAL(sandbox_wait(dbt_base, 10000, dbt_is_synced, dbt_db));
}

/* A change made by ovs-vsctl is awaited by the sequence number. */
bool
dbt_seqno_differs(void *seqno)
{
    return ovsdb_seqno(dbt_db) != *(uint64_t *) seqno;
}

void
dbt_vsctl(const char *args)
{
    uint64_t seqno = ovsdb_seqno(dbt_db);

    CU_ASSERT_EQUAL(sandbox_run(dbt_base, NULL, VSCTL "%s", args), 0);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, dbt_seqno_differs, &seqno));
}

const struct ovsdb_row *
dbt_find_named(const char *table, const char *name)
{
    const struct ovsdb_row *row;

    OVSDB_FOR_EACH_ROW(row, dbt_db, table) {
        if (!strcmp(ovsdb_get_string(row, "name", ""), name)) {
            break;
        }
    }
    return row;
}

/* What ovs-vsctl reads, for comparison with what we think. */
void
dbt_check(const char *args, const char *expected)
{
    const char *output;

    CU_ASSERT_EQUAL(sandbox_run(dbt_base, &output, VSCTL "%s", args), 0);
    if (strcmp(output, expected)) {
        printf("%s: \"%s\" instead of \"%s\"\n", args, output, expected);
    }
    CU_ASSERT_STRING_EQUAL(output, expected);
}

void
dbt_on_outcome(struct ovsdb *db UNUSED, enum ovsdb_txn_status status,
           const char *error, void *outcome_)
{
    struct dbt_outcome *outcome = outcome_;

    outcome->n++;
    outcome->status = status;
    free(outcome->error);
    outcome->error = error ? xstrdup(error) : NULL;
}

bool
dbt_has_outcome(void *outcome)
{
    return ((struct dbt_outcome *) outcome)->n > 0;
}

/* Commits and waits; returns the status. */
enum ovsdb_txn_status
dbt_commit(struct ovsdb_txn *txn)
{
    struct dbt_outcome outcome = { .n = 0 };

    ovsdb_txn_commit(txn, dbt_on_outcome, &outcome);
    CU_ASSERT_EQUAL(outcome.n, 0);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, dbt_has_outcome, &outcome));
    CU_ASSERT_EQUAL(outcome.n, 1);
    CU_ASSERT_EQUAL(ovsdb_n_in_flight(dbt_db), 0);
    free(outcome.error);
    return outcome.status;
}
