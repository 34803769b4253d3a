/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ovsdb_txn.c - transactions and the lock against a real ovsdb-server;
 * the real ovs-vsctl reads what was written.
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

void suite_ovsdb_txn(void);

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

    if (!dbt_set_up("")) {
        return;
    }
    dbt_start_client();
    dbt_vsctl("add-br br0");
    seqno = ovsdb_seqno(dbt_db);
    dbt_n_changes = 0;
    iface = dbt_find_named("Interface", "br0");
    root = ovsdb_first_row(dbt_db, "Open_vSwitch");

    txn = ovsdb_txn_create(dbt_db);
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
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_SUCCESS);

    /* The update came before the answer, and quiet columns are quiet. */
    CU_ASSERT(ovsdb_get_int(root, "cur_cfg", &value) && value == 4);
    CU_ASSERT(ovsdb_get_bool(root, "dpdk_initialized", &flag) && flag);
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(iface, "status",
                                                "driver_name"),
                           "q\"a\\n?");
    CU_ASSERT_EQUAL(ovsdb_seqno(dbt_db), seqno);
    CU_ASSERT_EQUAL(dbt_n_changes, 0);
    dbt_check("get Interface br0 ofport mac_in_use statistics",
                        "65534\n\"00:00:00:00:00:01\"\n"
                        "{rx_packets=5, tx_bytes=9223372036854775807}\n");
    dbt_check("get Open_vSwitch . cur_cfg iface_types",
                        "4\n[gre, system]\n");

    /* What is there already is not written. */
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, iface, "ofport", 65534);
    ovsdb_txn_set_smap(txn, iface, "status", &status);
    ovsdb_txn_set_int_map(txn, iface, "statistics", keys, values, 2);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 5);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 4);
    ovsdb_txn_set_empty(txn, iface, "error");
    ovsdb_txn_set_string_set(txn, root, "iface_types", types, 2);
    CU_ASSERT(ovsdb_txn_is_empty(txn));
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_UNCHANGED);

    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_empty(txn, iface, "ofport");
    ovsdb_txn_set_empty(txn, iface, "statistics");
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_SUCCESS);
    dbt_check("get Interface br0 ofport statistics", "[]\n{}\n");

    /* Values that do not fit the column are not sent: the rest is. */
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_string(txn, iface, "ofport", "one");
    ovsdb_txn_set_string_set(txn, root, "iface_types", types, 3);
    ovsdb_txn_set_int(txn, iface, "no_such_column", 1);
    ovsdb_txn_set_int(txn, iface, "never_added", 1);
    CU_ASSERT(ovsdb_txn_is_empty(txn));
    ovsdb_txn_abort(txn);

    /* The server refuses what its constraints forbid. */
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(dbt_db, "Port"), "tag", 9999);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 8);
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_ERROR);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    dbt_check("get Port br0 tag", "[]\n");
    dbt_check("get Open_vSwitch . cur_cfg", "4\n");
    smap_fini(&status);
    dbt_tear_down();
}

/* Set, and set back before the first is answered. */
static void
test_transactions_in_a_row(void)
{
    struct dbt_outcome outcomes[3] = { { .n = 0 }, { .n = 0 }, { .n = 0 } };
    const int64_t values[] = { 7, 0, 0 };
    const struct ovsdb_row *root;

    if (!dbt_set_up("")) {
        return;
    }
    dbt_start_client();
    root = ovsdb_first_row(dbt_db, "Open_vSwitch");
    for (size_t i = 0; i < 3; i++) {
        struct ovsdb_txn *txn = ovsdb_txn_create(dbt_db);

        ovsdb_txn_set_int(txn, root, "cur_cfg", values[i]);
        CU_ASSERT_EQUAL(ovsdb_txn_is_empty(txn), i == 2);
        ovsdb_txn_commit(txn, dbt_on_outcome, &outcomes[i]);
    }
    CU_ASSERT_EQUAL(ovsdb_n_in_flight(dbt_db), 3);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, dbt_has_outcome, &outcomes[1]));
    CU_ASSERT_EQUAL(outcomes[0].status, OVSDB_TXN_SUCCESS);
    CU_ASSERT_EQUAL(outcomes[1].status, OVSDB_TXN_SUCCESS);
    CU_ASSERT_EQUAL(outcomes[2].status, OVSDB_TXN_UNCHANGED);
    dbt_check("get Open_vSwitch . cur_cfg", "0\n");
    dbt_tear_down();
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

    if (!dbt_set_up("")) {
        return;
    }
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    first = dbt_make_client();
    ovsdb_set_lock(first, "qanat_vswitchd");
    CU_ASSERT(!ovsdb_has_lock(first));
    ovsdb_start(first);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, has_lock, first));

    dbt_db = dbt_make_client();
    ovsdb_set_lock(dbt_db, "qanat_vswitchd");
    ovsdb_start(dbt_db);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, is_contended, dbt_db));
    CU_ASSERT(!ovsdb_has_lock(dbt_db));
    CU_ASSERT(!ovsdb_is_lock_contended(first));
    root = ovsdb_first_row(dbt_db, "Open_vSwitch");
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 1);
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_NOT_LOCKED);

    /* The first one goes, the second takes over. */
    seqno = ovsdb_seqno(dbt_db);
    ovsdb_destroy(first);
    CU_ASSERT(sandbox_wait(dbt_base, 5000, has_lock, dbt_db));
    CU_ASSERT(sandbox_wait(dbt_base, 1000, dbt_seqno_differs, &seqno));
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 1);
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_SUCCESS);

    /* Somebody steals it: nothing is written any more. */
    sandbox_spawn("ovsdb-client steal unix:db.sock qanat_vswitchd");
    CU_ASSERT(sandbox_wait(dbt_base, 5000, is_contended, dbt_db));
    txn = ovsdb_txn_create(dbt_db);
    ovsdb_txn_set_int(txn, root, "cur_cfg", 2);
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_NOT_LOCKED);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    dbt_tear_down();
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

    if (!dbt_set_up("")) {
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
    dbt_start_client();
    CU_ASSERT_EQUAL(ovsdb_n_rows(dbt_db, "Interface"), N + 1);
    CU_ASSERT_EQUAL(dbt_n_changes, 1);
    row = ovsdb_first_row(dbt_db, "Bridge");
    CU_ASSERT_EQUAL(ovsdb_get_count(row, "ports"), N + 1);
    txn = ovsdb_txn_create(dbt_db);
    OVSDB_FOR_EACH_ROW(row, dbt_db, "Interface") {
        const int64_t value = 77;

        ovsdb_txn_set_int_map(txn, row, "statistics", keys, &value, 1);
    }
    CU_ASSERT_EQUAL(dbt_commit(txn), OVSDB_TXN_SUCCESS);
    OVSDB_FOR_EACH_ROW(row, dbt_db, "Interface") {
        CU_ASSERT_EQUAL(ovsdb_get_count(row, "statistics"), 1);
    }
    dbt_tear_down();
}

void
suite_ovsdb_txn(void)
{
    CU_pSuite suite = CU_add_suite("ovsdb_txn", NULL, NULL);

    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    CU_add_test(suite, "transactions", test_transactions);
    CU_add_test(suite, "transactions_in_a_row", test_transactions_in_a_row);
    CU_add_test(suite, "lock", test_lock);
    CU_add_test(suite, "many_rows", test_many_rows);
}
