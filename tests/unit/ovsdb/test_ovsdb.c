/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ovsdb.c - the replica against a real ovsdb-server with the stock
 * schema, changed by the real ovs-vsctl.
 */
#include <CUnit/CUnit.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "tests/unit/ipc/sandbox.h"
#include "tests/unit/ovsdb/ovsdb_test.h"

void suite_ovsdb(void);

static void
check_reading(void)
{
    const struct ovsdb_row *row;
    struct smap options = SMAP_INIT(&options);
    struct uuid *uuids;
    int64_t *ints;
    int64_t value;
    bool flag;
    size_t n;

    CU_ASSERT_EQUAL(ovsdb_n_rows(dbt_db, "Open_vSwitch"), 1);
    CU_ASSERT_EQUAL(ovsdb_n_rows(dbt_db, "Bridge"), 0);
    CU_ASSERT(!ovsdb_has_column(dbt_db, "Interface", "no_such_column"));
    CU_ASSERT(!ovsdb_has_column(dbt_db, "No_Such_Table", "x"));
    CU_ASSERT(ovsdb_has_column(dbt_db, "Bridge", "name"));
    CU_ASSERT(ovsdb_schema_version(dbt_db)[0] != '\0');

    dbt_vsctl("add-br br0 -- add-port br0 p1 tag=7 -- set Interface p1 "
          "type=gre options:remote_ip=1.2.3.4 options:key=flow "
          "mtu_request=1400");
    row = dbt_find_named("Bridge", "br0");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_STRING_EQUAL(ovsdb_row_table(row), "Bridge");
    CU_ASSERT_EQUAL(ovsdb_get_uuids(row, "ports", &uuids, &n), 2);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_PTR_NOT_NULL(ovsdb_find_row(dbt_db, "Port", &uuids[i]));
        CU_ASSERT_PTR_NULL(ovsdb_find_row(dbt_db, "Bridge", &uuids[i]));
    }
    free(uuids);
    flag = true;
    CU_ASSERT(ovsdb_get_bool(row, "stp_enable", &flag) && !flag);
    CU_ASSERT_EQUAL(ovsdb_get_ints(row, "flood_vlans", &ints, &n), 0);
    CU_ASSERT_PTR_NULL(ints);

    row = dbt_find_named("Port", "p1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT(ovsdb_get_int(row, "tag", &value) && value == 7);
    row = dbt_find_named("Port", "br0");
    CU_ASSERT(!ovsdb_get_int(row, "tag", &value));

    row = dbt_find_named("Interface", "p1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "type", "x"), "gre");
    CU_ASSERT(ovsdb_get_smap(row, "options", &options));
    CU_ASSERT_EQUAL(smap_count(&options), 2);
    CU_ASSERT_STRING_EQUAL(smap_get_def(&options, "remote_ip", ""),
                           "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(row, "options", "key"),
                           "flow");
    /* Absent, ill-typed and unknown columns give the default. */
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "options", "x"), "x");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "nonsense", "x"), "x");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "no_such_column", "x"),
                           "x");
    CU_ASSERT(!ovsdb_get_smap(row, "name", &options));
    CU_ASSERT(smap_is_empty(&options));
    CU_ASSERT(!ovsdb_get_int(row, "name", &value));
    /* A default that update2 leaves out is not absent. */
    row = dbt_find_named("Interface", "br0");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "type", "x"), "internal");
    smap_fini(&options);
}

/* Differences of sets and maps. */
static void
check_modifying(void)
{
    const struct ovsdb_row *row = dbt_find_named("Interface", "p1");
    const struct ovsdb_row *port = dbt_find_named("Port", "p1");
    uint64_t port_seqno = ovsdb_row_seqno(port);
    int64_t *ints;
    int64_t value;
    size_t n;

    dbt_vsctl("set Interface p1 options:key=5 options:csum=true -- "
          "remove Interface p1 options remote_ip -- "
          "clear Interface p1 mtu_request");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(row, "options", "key"), "5");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(row, "options", "csum"),
                           "true");
    CU_ASSERT_PTR_NULL(ovsdb_get_smap_value(row, "options", "remote_ip"));
    CU_ASSERT(!ovsdb_get_int(row, "mtu_request", &value));
    CU_ASSERT_EQUAL(ovsdb_row_seqno(row), ovsdb_seqno(dbt_db));
    CU_ASSERT_EQUAL(ovsdb_row_seqno(port), port_seqno);

    dbt_vsctl("set Port p1 trunks=1,2,3");
    dbt_vsctl("add Port p1 trunks 4 -- remove Port p1 trunks 2");
    CU_ASSERT_EQUAL_FATAL(ovsdb_get_ints(port, "trunks", &ints, &n), 3);
    CU_ASSERT(ints[0] == 1 && ints[1] == 3 && ints[2] == 4);
    free(ints);

    dbt_vsctl("set Interface p1 type=\\\"\\\"");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "type", "x"), "");

    dbt_vsctl("del-port p1");
    CU_ASSERT_PTR_NULL(dbt_find_named("Port", "p1"));
    CU_ASSERT_PTR_NULL(dbt_find_named("Interface", "p1"));
    CU_ASSERT_PTR_NOT_NULL(dbt_find_named("Interface", "br0"));
}

static void
test_replica(void)
{
    if (!dbt_set_up("")) {
        return;
    }
    dbt_start_client();
    CU_ASSERT_EQUAL(dbt_n_changes, 1);
    check_reading();
    check_modifying();
    dbt_tear_down();
}

/* The same by RFC 7047's own monitor. */
static void
test_replica_without_monitor_cond(void)
{
    if (!dbt_set_up("")) {
        return;
    }
    CU_ASSERT_EQUAL(sandbox_run(NULL, NULL, "ovs-appctl -t %s "
                                "ovsdb-server/disable-monitor-cond",
                                sandbox_path("server.ctl")), 0);
    dbt_start_client();
    check_reading();
    check_modifying();
    dbt_tear_down();
}

static bool
has_two_ports(void *aux UNUSED)
{
    return ovsdb_n_rows(dbt_db, "Port") == 2 && ovsdb_is_synced(dbt_db);
}

/* ovsdb-server goes and comes back with other content. */
static void
test_reconnect(void)
{
    struct dbt_outcome outcome = { .n = 0 };
    const struct ovsdb_row *kept;
    struct ovsdb_txn *txn;
    uint64_t seqno, kept_seqno;

    if (!dbt_set_up("")) {
        return;
    }
    dbt_start_client();
    dbt_vsctl("add-br br0 -- add-port br0 old");
    kept = dbt_find_named("Port", "br0");
    kept_seqno = ovsdb_row_seqno(kept);
    seqno = ovsdb_seqno(dbt_db);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);

    /* A transaction that a stopped dbt_server never answers. */
    kill(dbt_server, SIGSTOP);
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(dbt_db, "Open_vSwitch"), "cur_cfg",
                      9);
    ovsdb_txn_commit(txn, dbt_on_outcome, &outcome);
    sandbox_loop(dbt_base, 50);
    CU_ASSERT_EQUAL(outcome.n, 0);
    dbt_n_changes = 0;
    sandbox_kill(dbt_server, SIGKILL);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, dbt_is_not_synced, dbt_db));
    CU_ASSERT_EQUAL(dbt_n_changes, 1);
    CU_ASSERT(sandbox_wait(dbt_base, 1000, dbt_has_outcome, &outcome));
    CU_ASSERT_EQUAL(outcome.status, OVSDB_TXN_LOST);
    CU_ASSERT_EQUAL(ovsdb_seqno(dbt_db), seqno);
    CU_ASSERT_PTR_NOT_NULL(dbt_find_named("Port", "old"));
    CU_ASSERT_EQUAL(ovsdb_n_rows(dbt_db, "Port"), 2);

    /* While it is away nothing is committed. */
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(dbt_db, "Open_vSwitch"), "cur_cfg",
                      10);
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_LOST);

    /* The database changes behind our back. */
    unlink(sandbox_path("db.sock"));
    dbt_server = sandbox_spawn("ovsdb-server conf.db --no-chdir "
                               "--remote=punix:other.sock -vconsole:off "
                               "-vsyslog:off --unixctl=%s",
                               sandbox_path("server.ctl"));
    while (sandbox_run(dbt_base, NULL, "ovs-vsctl -t 5 --no-wait "
                       "--db=unix:other.sock del-port old -- "
                       "add-port br0 new -- set Port br0 tag=4")) {
        sandbox_loop(dbt_base, 50);
    }
    sandbox_kill(dbt_server, SIGTERM);
    dbt_start_server("");
    CU_ASSERT_FATAL(sandbox_wait(dbt_base, 15000, dbt_is_synced, dbt_db));
    CU_ASSERT_PTR_NULL(dbt_find_named("Port", "old"));
    CU_ASSERT_PTR_NOT_NULL(dbt_find_named("Port", "new"));
    CU_ASSERT_PTR_EQUAL(dbt_find_named("Port", "br0"), kept);
    CU_ASSERT(ovsdb_row_seqno(kept) > kept_seqno);
    CU_ASSERT_EQUAL(ovsdb_row_seqno(kept), ovsdb_seqno(dbt_db));
    CU_ASSERT_EQUAL(ovsdb_n_syncs(dbt_db), 2);

    /* Once more, unchanged: nothing counts as changed. */
    seqno = ovsdb_seqno(dbt_db);
    dbt_n_changes = 0;
    sandbox_kill(dbt_server, SIGKILL);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, dbt_is_not_synced, dbt_db));
    dbt_start_server("");
    CU_ASSERT(sandbox_wait(dbt_base, 15000, has_two_ports, NULL));
    CU_ASSERT_EQUAL(ovsdb_seqno(dbt_db), seqno);
    CU_ASSERT_EQUAL(dbt_n_changes, 2);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    free(outcome.error);
    dbt_tear_down();
}

static bool
lacks_tag(void *aux UNUSED)
{
    return ovsdb_is_synced(dbt_db) && !ovsdb_has_column(dbt_db, "Port", "tag");
}

/* The database is converted to another schema under a running server. */
static void
test_conversion(void)
{
    const struct ovsdb_row *port;
    int64_t *ints;
    int64_t value;
    size_t n;

    if (!dbt_set_up("")) {
        return;
    }
    dbt_start_client();
    dbt_vsctl("add-br br0 -- add-port br0 p1 tag=9 -- set Port p1 trunks=5");
    port = dbt_find_named("Port", "p1");
    CU_ASSERT(ovsdb_get_int(port, "tag", &value) && value == 9);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);

    /* Port.tag goes, and Port.trunks becomes a single optional number. */
    CU_ASSERT_EQUAL_FATAL(
        sandbox_run(NULL, NULL, "python3 -c 'import json; "
                    "s = json.load(open(\"%s\")); "
                    "c = s[\"tables\"][\"Port\"][\"columns\"]; "
                    "del c[\"tag\"]; c[\"trunks\"][\"type\"][\"max\"] = 1; "
                    "s[\"version\"] = \"99.0.0\"; "
                    "json.dump(s, open(\"new.ovsschema\", \"w\"))'",
                    SCHEMA), 0);
    CU_ASSERT_EQUAL_FATAL(
        sandbox_run(dbt_base, NULL, "ovsdb-client -t 10 convert unix:db.sock "
                    "new.ovsschema"), 0);
    CU_ASSERT(sandbox_wait(dbt_base, 10000, lacks_tag, NULL));
    CU_ASSERT_STRING_EQUAL(ovsdb_schema_version(dbt_db), "99.0.0");
    port = dbt_find_named("Port", "p1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(port);
    CU_ASSERT(!ovsdb_get_int(port, "tag", &value));
    CU_ASSERT_EQUAL(ovsdb_get_ints(port, "trunks", &ints, &n), 1);
    free(ints);
    dbt_vsctl("set Port p1 trunks=6");
    CU_ASSERT(ovsdb_get_int(port, "trunks", &value) && value == 6);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    dbt_tear_down();
}

/* A server that is stopped is given up; when it runs again all is well. */
static void
test_slow_server(void)
{
    if (!dbt_set_up("")) {
        return;
    }
    dbt_start_client();
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    ovsdb_set_probe_interval(dbt_db, 50);
    sandbox_loop(dbt_base, 600);
    CU_ASSERT(ovsdb_is_synced(dbt_db));
    CU_ASSERT_EQUAL(ovsdb_n_syncs(dbt_db), 1);
    kill(dbt_server, SIGSTOP);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, dbt_is_not_synced, dbt_db));
    kill(dbt_server, SIGCONT);
    CU_ASSERT(sandbox_wait(dbt_base, 15000, dbt_is_synced, dbt_db));
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    dbt_tear_down();
}

void
suite_ovsdb(void)
{
    CU_pSuite suite = CU_add_suite("ovsdb", NULL, NULL);

    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    CU_add_test(suite, "replica", test_replica);
    CU_add_test(suite, "replica_without_monitor_cond",
                test_replica_without_monitor_cond);
    CU_add_test(suite, "reconnect", test_reconnect);
    CU_add_test(suite, "conversion", test_conversion);
    CU_add_test(suite, "slow_server", test_slow_server);
}
