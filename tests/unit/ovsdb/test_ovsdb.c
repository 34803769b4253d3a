/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ovsdb.c - the replica and transactions against a real ovsdb-server
 * with the stock schema, changed by the real ovs-vsctl.
 */
#include <CUnit/CUnit.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/ovsdb/ovsdb.h"
#include "tests/unit/ipc/sandbox.h"
#include "tests/unit/unit.h"

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define VSCTL "ovs-vsctl --no-wait --db=unix:db.sock "

static struct event_base *base;
static pid_t server;
static struct ovsdb *db;
static unsigned int n_changes;

void suite_ovsdb(void);

static void
start_server(const char *options)
{
    server = sandbox_spawn("ovsdb-server conf.db --remote=punix:db.sock "
                           "--unixctl=%s --no-chdir -vconsole:off "
                           "-vsyslog:off %s", sandbox_path("server.ctl"),
                           options);
}

static bool
server_answers(void *aux UNUSED)
{
    return !sandbox_run(NULL, NULL, "ovsdb-client -t 1 list-dbs "
                        "unix:db.sock");
}

static bool
set_up(const char *options)
{
    if (!sandbox_has("ovsdb-server") || access(SCHEMA, R_OK)) {
        unit_skip("ovsdb-server is not installed");
        return false;
    }
    sandbox_init();
    base = event_base_new();
    CU_ASSERT_FATAL(!sandbox_run(NULL, NULL, "ovsdb-tool create conf.db "
                                 SCHEMA));
    start_server(options);
    CU_ASSERT_FATAL(sandbox_wait(base, 10000, server_answers, NULL));
    CU_ASSERT_FATAL(!sandbox_run(NULL, NULL, VSCTL "init"));
    return true;
}

static void
tear_down(void)
{
    ovsdb_destroy(db);
    db = NULL;
    event_base_free(base);
    sandbox_fini();
}

static void
count_change(struct ovsdb *db_ UNUSED, void *aux UNUSED)
{
    n_changes++;
}

static struct ovsdb *
make_client(void)
{
    struct ovsdb *client = ovsdb_create(base, "unix:db.sock",
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

static bool
is_synced(void *client)
{
    return ovsdb_is_synced(client);
}

static bool
is_not_synced(void *client)
{
    return !ovsdb_is_synced(client);
}

static void
start_client(void)
{
    db = make_client();
    n_changes = 0;
    ovsdb_set_change_cb(db, count_change, NULL);
    ovsdb_start(db);
    CU_ASSERT_FATAL(sandbox_wait(base, 10000, is_synced, db));
}

/* A change made by ovs-vsctl is awaited by the sequence number. */
static bool
seqno_differs(void *seqno)
{
    return ovsdb_seqno(db) != *(uint64_t *) seqno;
}

static void
vsctl(const char *args)
{
    uint64_t seqno = ovsdb_seqno(db);

    CU_ASSERT_EQUAL(sandbox_run(base, NULL, VSCTL "%s", args), 0);
    CU_ASSERT(sandbox_wait(base, 5000, seqno_differs, &seqno));
}

static const struct ovsdb_row *
find_named(const char *table, const char *name)
{
    const struct ovsdb_row *row;

    OVSDB_FOR_EACH_ROW (row, db, table) {
        if (!strcmp(ovsdb_get_string(row, "name", ""), name)) {
            break;
        }
    }
    return row;
}

/* What ovs-vsctl reads, for comparison with what we think. */
static void
check_against_vsctl(const char *args, const char *expected)
{
    const char *output;

    CU_ASSERT_EQUAL(sandbox_run(base, &output, VSCTL "%s", args), 0);
    if (strcmp(output, expected)) {
        printf("%s: \"%s\" instead of \"%s\"\n", args, output, expected);
    }
    CU_ASSERT_STRING_EQUAL(output, expected);
}

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

    CU_ASSERT_EQUAL(ovsdb_n_rows(db, "Open_vSwitch"), 1);
    CU_ASSERT_EQUAL(ovsdb_n_rows(db, "Bridge"), 0);
    CU_ASSERT(!ovsdb_has_column(db, "Interface", "no_such_column"));
    CU_ASSERT(!ovsdb_has_column(db, "No_Such_Table", "x"));
    CU_ASSERT(ovsdb_has_column(db, "Bridge", "name"));
    CU_ASSERT(ovsdb_schema_version(db)[0] != '\0');

    vsctl("add-br br0 -- add-port br0 p1 tag=7 -- set Interface p1 "
          "type=gre options:remote_ip=1.2.3.4 options:key=flow "
          "mtu_request=1400");
    row = find_named("Bridge", "br0");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_STRING_EQUAL(ovsdb_row_table(row), "Bridge");
    CU_ASSERT_EQUAL(ovsdb_get_uuids(row, "ports", &uuids, &n), 2);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_PTR_NOT_NULL(ovsdb_find_row(db, "Port", &uuids[i]));
        CU_ASSERT_PTR_NULL(ovsdb_find_row(db, "Bridge", &uuids[i]));
    }
    free(uuids);
    flag = true;
    CU_ASSERT(ovsdb_get_bool(row, "stp_enable", &flag) && !flag);
    CU_ASSERT_EQUAL(ovsdb_get_ints(row, "flood_vlans", &ints, &n), 0);
    CU_ASSERT_PTR_NULL(ints);

    row = find_named("Port", "p1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT(ovsdb_get_int(row, "tag", &value) && value == 7);
    row = find_named("Port", "br0");
    CU_ASSERT(!ovsdb_get_int(row, "tag", &value));

    row = find_named("Interface", "p1");
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
    row = find_named("Interface", "br0");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "type", "x"), "internal");
    smap_fini(&options);
}

/* Differences of sets and maps. */
static void
check_modifying(void)
{
    const struct ovsdb_row *row = find_named("Interface", "p1");
    const struct ovsdb_row *port = find_named("Port", "p1");
    uint64_t port_seqno = ovsdb_row_seqno(port);
    int64_t *ints;
    int64_t value;
    size_t n;

    vsctl("set Interface p1 options:key=5 options:csum=true -- "
          "remove Interface p1 options remote_ip -- "
          "clear Interface p1 mtu_request");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(row, "options", "key"), "5");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(row, "options", "csum"),
                           "true");
    CU_ASSERT_PTR_NULL(ovsdb_get_smap_value(row, "options", "remote_ip"));
    CU_ASSERT(!ovsdb_get_int(row, "mtu_request", &value));
    CU_ASSERT_EQUAL(ovsdb_row_seqno(row), ovsdb_seqno(db));
    CU_ASSERT_EQUAL(ovsdb_row_seqno(port), port_seqno);

    vsctl("set Port p1 trunks=1,2,3");
    vsctl("add Port p1 trunks 4 -- remove Port p1 trunks 2");
    CU_ASSERT_EQUAL_FATAL(ovsdb_get_ints(port, "trunks", &ints, &n), 3);
    CU_ASSERT(ints[0] == 1 && ints[1] == 3 && ints[2] == 4);
    free(ints);

    vsctl("set Interface p1 type=\\\"\\\"");
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "type", "x"), "");

    vsctl("del-port p1");
    CU_ASSERT_PTR_NULL(find_named("Port", "p1"));
    CU_ASSERT_PTR_NULL(find_named("Interface", "p1"));
    CU_ASSERT_PTR_NOT_NULL(find_named("Interface", "br0"));
}

static void
test_replica(void)
{
    if (!set_up("")) {
        return;
    }
    start_client();
    CU_ASSERT_EQUAL(n_changes, 1);
    check_reading();
    check_modifying();
    tear_down();
}

/* The same by RFC 7047's own monitor. */
static void
test_replica_without_monitor_cond(void)
{
    if (!set_up("")) {
        return;
    }
    CU_ASSERT_EQUAL(sandbox_run(NULL, NULL, "ovs-appctl -t %s "
                                "ovsdb-server/disable-monitor-cond",
                                sandbox_path("server.ctl")), 0);
    start_client();
    check_reading();
    check_modifying();
    tear_down();
}

struct outcome {
    int n;
    enum ovsdb_txn_status status;
    char *error;
};

static void
on_outcome(struct ovsdb *db_ UNUSED, enum ovsdb_txn_status status,
           const char *error, void *outcome_)
{
    struct outcome *outcome = outcome_;

    outcome->n++;
    outcome->status = status;
    free(outcome->error);
    outcome->error = error ? xstrdup(error) : NULL;
}

static bool
has_outcome(void *outcome)
{
    return ((struct outcome *) outcome)->n > 0;
}

/* Commits and waits; returns the status. */
static enum ovsdb_txn_status
commit(struct ovsdb_txn *txn)
{
    struct outcome outcome = { .n = 0 };

    ovsdb_txn_commit(txn, on_outcome, &outcome);
    CU_ASSERT_EQUAL(outcome.n, 0);
    CU_ASSERT(sandbox_wait(base, 5000, has_outcome, &outcome));
    CU_ASSERT_EQUAL(outcome.n, 1);
    CU_ASSERT_EQUAL(ovsdb_n_in_flight(db), 0);
    free(outcome.error);
    return outcome.status;
}

static void
test_transactions(void)
{
    static const char *const keys[] = { "rx_packets", "tx_bytes" };
    static const char *const types[] = { "gre", "system", "gre" };
    const int64_t values[] = { 5, INT64_MAX };
    struct smap status = SMAP_INIT(&status);
    const struct ovsdb_row *iface, *root;
    struct ovsdb_txn *txn;
    uint64_t seqno;
    int64_t value;
    bool flag;

    if (!set_up("")) {
        return;
    }
    start_client();
    vsctl("add-br br0");
    seqno = ovsdb_seqno(db);
    n_changes = 0;
    iface = find_named("Interface", "br0");
    root = ovsdb_first_row(db, "Open_vSwitch");

    txn = ovsdb_txn_create(db);
    CU_ASSERT(ovsdb_txn_is_empty(txn));
    smap_set(&status, "driver_name", "q\"a\\n\xff");
    ovsdb_txn_set_int(txn, iface, "ofport", 65534);
    ovsdb_txn_set_string(txn, iface, "mac_in_use", "00:00:00:00:00:01");
    ovsdb_txn_set_smap(txn, iface, "status", &status);
    ovsdb_txn_set_int_map(txn, iface, "statistics", keys, values, 2);
    ovsdb_txn_set_bool(txn, root, "dpdk_initialized", true);
    ovsdb_txn_set_string_set(txn, root, "iface_types", types, 2);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 3);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 4);
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_SUCCESS);

    /* The update came before the answer, and quiet columns are quiet. */
    CU_ASSERT(ovsdb_get_int(root, "cur_cfg", &value) && value == 4);
    CU_ASSERT(ovsdb_get_bool(root, "dpdk_initialized", &flag) && flag);
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(iface, "status",
                                                "driver_name"),
                           "q\"a\\n?");
    CU_ASSERT_EQUAL(ovsdb_seqno(db), seqno);
    CU_ASSERT_EQUAL(n_changes, 0);
    check_against_vsctl("get Interface br0 ofport mac_in_use statistics",
                        "65534\n\"00:00:00:00:00:01\"\n"
                        "{rx_packets=5, tx_bytes=9223372036854775807}\n");
    check_against_vsctl("get Open_vSwitch . cur_cfg iface_types",
                        "4\n[gre, system]\n");

    /* What is there already is not written. */
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, iface, "ofport", 65534);
    ovsdb_txn_set_smap(txn, iface, "status", &status);
    ovsdb_txn_set_int_map(txn, iface, "statistics", keys, values, 2);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 5);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 4);
    ovsdb_txn_set_empty(txn, iface, "error");
    ovsdb_txn_set_string_set(txn, root, "iface_types", types, 2);
    CU_ASSERT(ovsdb_txn_is_empty(txn));
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_UNCHANGED);

    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_empty(txn, iface, "ofport");
    ovsdb_txn_set_empty(txn, iface, "statistics");
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_SUCCESS);
    check_against_vsctl("get Interface br0 ofport statistics", "[]\n{}\n");

    /* Values that do not fit the column are not sent: the rest is. */
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_string(txn, iface, "ofport", "one");
    ovsdb_txn_set_string_set(txn, root, "iface_types", types, 3);
    ovsdb_txn_set_int(txn, iface, "no_such_column", 1);
    ovsdb_txn_set_int(txn, iface, "never_added", 1);
    CU_ASSERT(ovsdb_txn_is_empty(txn));
    ovsdb_txn_abort(txn);

    /* The server refuses what its constraints forbid. */
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(db, "Port"), "tag", 9999);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 8);
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_ERROR);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    check_against_vsctl("get Port br0 tag", "[]\n");
    check_against_vsctl("get Open_vSwitch . cur_cfg", "4\n");
    smap_fini(&status);
    tear_down();
}

/* Set, and set back before the first is answered. */
static void
test_transactions_in_a_row(void)
{
    struct outcome outcomes[3] = { { .n = 0 }, { .n = 0 }, { .n = 0 } };
    const int64_t values[] = { 7, 0, 0 };
    const struct ovsdb_row *root;

    if (!set_up("")) {
        return;
    }
    start_client();
    root = ovsdb_first_row(db, "Open_vSwitch");
    for (size_t i = 0; i < 3; i++) {
        struct ovsdb_txn *txn = ovsdb_txn_create(db);

        ovsdb_txn_set_int(txn, root, "cur_cfg", values[i]);
        CU_ASSERT_EQUAL(ovsdb_txn_is_empty(txn), i == 2);
        ovsdb_txn_commit(txn, on_outcome, &outcomes[i]);
    }
    CU_ASSERT_EQUAL(ovsdb_n_in_flight(db), 3);
    CU_ASSERT(sandbox_wait(base, 5000, has_outcome, &outcomes[1]));
    CU_ASSERT_EQUAL(outcomes[0].status, OVSDB_TXN_SUCCESS);
    CU_ASSERT_EQUAL(outcomes[1].status, OVSDB_TXN_SUCCESS);
    CU_ASSERT_EQUAL(outcomes[2].status, OVSDB_TXN_UNCHANGED);
    check_against_vsctl("get Open_vSwitch . cur_cfg", "0\n");
    tear_down();
}

static bool
has_two_ports(void *aux UNUSED)
{
    return ovsdb_n_rows(db, "Port") == 2 && ovsdb_is_synced(db);
}

/* ovsdb-server goes and comes back with other content. */
static void
test_reconnect(void)
{
    struct outcome outcome = { .n = 0 };
    const struct ovsdb_row *kept;
    struct ovsdb_txn *txn;
    uint64_t seqno, kept_seqno;

    if (!set_up("")) {
        return;
    }
    start_client();
    vsctl("add-br br0 -- add-port br0 old");
    kept = find_named("Port", "br0");
    kept_seqno = ovsdb_row_seqno(kept);
    seqno = ovsdb_seqno(db);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);

    /* A transaction that a stopped server never answers. */
    kill(server, SIGSTOP);
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(db, "Open_vSwitch"), "cur_cfg",
                      9);
    ovsdb_txn_commit(txn, on_outcome, &outcome);
    sandbox_loop(base, 50);
    CU_ASSERT_EQUAL(outcome.n, 0);
    n_changes = 0;
    sandbox_kill(server, SIGKILL);
    CU_ASSERT(sandbox_wait(base, 5000, is_not_synced, db));
    CU_ASSERT_EQUAL(n_changes, 1);
    CU_ASSERT(sandbox_wait(base, 1000, has_outcome, &outcome));
    CU_ASSERT_EQUAL(outcome.status, OVSDB_TXN_LOST);
    CU_ASSERT_EQUAL(ovsdb_seqno(db), seqno);
    CU_ASSERT_PTR_NOT_NULL(find_named("Port", "old"));
    CU_ASSERT_EQUAL(ovsdb_n_rows(db, "Port"), 2);

    /* While it is away nothing is committed. */
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(db, "Open_vSwitch"), "cur_cfg",
                      10);
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_LOST);

    /* The database changes behind our back. */
    unlink(sandbox_path("db.sock"));
    server = sandbox_spawn("ovsdb-server conf.db --remote=punix:other.sock "
                           "--no-chdir -vconsole:off -vsyslog:off "
                           "--unixctl=%s", sandbox_path("server.ctl"));
    while (sandbox_run(base, NULL, "ovs-vsctl -t 5 --no-wait "
                       "--db=unix:other.sock del-port old -- "
                       "add-port br0 new -- set Port br0 tag=4")) {
        sandbox_loop(base, 50);
    }
    sandbox_kill(server, SIGTERM);
    start_server("");
    CU_ASSERT_FATAL(sandbox_wait(base, 15000, is_synced, db));
    CU_ASSERT_PTR_NULL(find_named("Port", "old"));
    CU_ASSERT_PTR_NOT_NULL(find_named("Port", "new"));
    CU_ASSERT_PTR_EQUAL(find_named("Port", "br0"), kept);
    CU_ASSERT(ovsdb_row_seqno(kept) > kept_seqno);
    CU_ASSERT_EQUAL(ovsdb_row_seqno(kept), ovsdb_seqno(db));
    CU_ASSERT_EQUAL(ovsdb_n_syncs(db), 2);

    /* Once more, unchanged: nothing counts as changed. */
    seqno = ovsdb_seqno(db);
    n_changes = 0;
    sandbox_kill(server, SIGKILL);
    CU_ASSERT(sandbox_wait(base, 5000, is_not_synced, db));
    start_server("");
    CU_ASSERT(sandbox_wait(base, 15000, has_two_ports, NULL));
    CU_ASSERT_EQUAL(ovsdb_seqno(db), seqno);
    CU_ASSERT_EQUAL(n_changes, 2);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    free(outcome.error);
    tear_down();
}

static bool
lacks_tag(void *aux UNUSED)
{
    return ovsdb_is_synced(db) && !ovsdb_has_column(db, "Port", "tag");
}

/* The database is converted to another schema under a running server. */
static void
test_conversion(void)
{
    const struct ovsdb_row *port;
    int64_t *ints;
    int64_t value;
    size_t n;

    if (!set_up("")) {
        return;
    }
    start_client();
    vsctl("add-br br0 -- add-port br0 p1 tag=9 -- set Port p1 trunks=5");
    port = find_named("Port", "p1");
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
        sandbox_run(base, NULL, "ovsdb-client -t 10 convert unix:db.sock "
                    "new.ovsschema"), 0);
    CU_ASSERT(sandbox_wait(base, 10000, lacks_tag, NULL));
    CU_ASSERT_STRING_EQUAL(ovsdb_schema_version(db), "99.0.0");
    port = find_named("Port", "p1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(port);
    CU_ASSERT(!ovsdb_get_int(port, "tag", &value));
    CU_ASSERT_EQUAL(ovsdb_get_ints(port, "trunks", &ints, &n), 1);
    free(ints);
    vsctl("set Port p1 trunks=6");
    CU_ASSERT(ovsdb_get_int(port, "trunks", &value) && value == 6);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    tear_down();
}

static bool
has_lock(void *client)
{
    return ovsdb_has_lock(client);
}

static bool
is_contended(void *client)
{
    return ovsdb_is_synced(client) && ovsdb_is_lock_contended(client);
}

/* Two daemons on one database. */
static void
test_lock(void)
{
    const struct ovsdb_row *root;
    struct ovsdb_txn *txn;
    struct ovsdb *first;
    uint64_t seqno;

    if (!set_up("")) {
        return;
    }
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    first = make_client();
    ovsdb_set_lock(first, "qanat_vswitchd");
    CU_ASSERT(!ovsdb_has_lock(first));
    ovsdb_start(first);
    CU_ASSERT(sandbox_wait(base, 5000, has_lock, first));

    db = make_client();
    ovsdb_set_lock(db, "qanat_vswitchd");
    ovsdb_start(db);
    CU_ASSERT(sandbox_wait(base, 5000, is_contended, db));
    CU_ASSERT(!ovsdb_has_lock(db));
    CU_ASSERT(!ovsdb_is_lock_contended(first));
    root = ovsdb_first_row(db, "Open_vSwitch");
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 1);
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_NOT_LOCKED);

    /* The first one goes, the second takes over. */
    seqno = ovsdb_seqno(db);
    ovsdb_destroy(first);
    CU_ASSERT(sandbox_wait(base, 5000, has_lock, db));
    CU_ASSERT(sandbox_wait(base, 1000, seqno_differs, &seqno));
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 1);
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_SUCCESS);

    /* Somebody steals it: nothing is written any more. */
    sandbox_spawn("ovsdb-client steal unix:db.sock qanat_vswitchd");
    CU_ASSERT(sandbox_wait(base, 5000, is_contended, db));
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 2);
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_NOT_LOCKED);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    tear_down();
}

/* A server that is stopped is given up; when it runs again all is well. */
static void
test_slow_server(void)
{
    if (!set_up("")) {
        return;
    }
    start_client();
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    ovsdb_set_probe_interval(db, 50);
    sandbox_loop(base, 600);
    CU_ASSERT(ovsdb_is_synced(db));
    CU_ASSERT_EQUAL(ovsdb_n_syncs(db), 1);
    kill(server, SIGSTOP);
    CU_ASSERT(sandbox_wait(base, 5000, is_not_synced, db));
    kill(server, SIGCONT);
    CU_ASSERT(sandbox_wait(base, 15000, is_synced, db));
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    tear_down();
}

/* Many rows at once, then a change of each. */
static void
test_many_rows(void)
{
    enum { N = 2000 };
    static const char *const keys[] = { "rx_packets" };
    const struct ovsdb_row *row;
    struct ovsdb_txn *txn;
    struct str s = STR_INIT;
    FILE *f;

    if (!set_up("")) {
        return;
    }
    str_append(&s, "add-br br0");
    for (int i = 0; i < N; i++) {
        str_printf(&s, " -- add-port br0 p%d", i);
    }
    f = fopen(sandbox_path("many"), "w");
    fputs(str_cstr(&s), f);
    fclose(f);
    str_fini(&s);
    CU_ASSERT_EQUAL(sandbox_run(NULL, NULL, "xargs -s 200000 "
                                VSCTL " < many"), 0);
    start_client();
    CU_ASSERT_EQUAL(ovsdb_n_rows(db, "Interface"), N + 1);
    CU_ASSERT_EQUAL(n_changes, 1);
    CU_ASSERT_EQUAL(ovsdb_get_count(ovsdb_first_row(db, "Bridge"), "ports"),
                    N + 1);
    txn = ovsdb_txn_create(db);
    OVSDB_FOR_EACH_ROW (row, db, "Interface") {
        const int64_t value = 77;

        ovsdb_txn_set_int_map(txn, row, "statistics", keys, &value, 1);
    }
    CU_ASSERT_EQUAL(commit(txn), OVSDB_TXN_SUCCESS);
    OVSDB_FOR_EACH_ROW (row, db, "Interface") {
        CU_ASSERT_EQUAL(ovsdb_get_count(row, "statistics"), 1);
    }
    tear_down();
}

void
suite_ovsdb(void)
{
    CU_pSuite suite = CU_add_suite("ovsdb", NULL, NULL);

    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    CU_add_test(suite, "replica", test_replica);
    CU_add_test(suite, "replica_without_monitor_cond",
                test_replica_without_monitor_cond);
    CU_add_test(suite, "transactions", test_transactions);
    CU_add_test(suite, "transactions_in_a_row", test_transactions_in_a_row);
    CU_add_test(suite, "reconnect", test_reconnect);
    CU_add_test(suite, "conversion", test_conversion);
    CU_add_test(suite, "lock", test_lock);
    CU_add_test(suite, "slow_server", test_slow_server);
    CU_add_test(suite, "many_rows", test_many_rows);
}
