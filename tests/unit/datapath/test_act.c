/* SPDX-License-Identifier: Apache-2.0 */
/* act.c: lists of actions on packets, seen from outside: bytes out, data
 * shared, each drop counted once. */

#include "datapath/act.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>

#include "datapath/mem.h"
#include "lib/pkt/wire.h"
#include "tests/unit/datapath/pmd_env.h"

void suite_act(void);

static struct env_bytes frame;
static uint8_t bytes[ENV_MAX_FRAME];

static void
make_frame(uint8_t n_vlans, uint32_t payload_len)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = payload_len,
        .n_vlans = n_vlans,
    };

    env_build(&f, &frame);
}

static void
send_by(const char *actions)
{
    pmd_env_answer(PORT_NONE, actions);
    pmd_env_rx(1, frame.b, frame.len);
    pmd_env_run();
}

/* Whether the i-th packet sent is the frame with VLAN tags 'tags' (TPID and
 * TCI, in hex) in place of its own. */
static bool
is_sent(unsigned int i, uint32_t port, const char *tags)
{
    uint32_t len = pmd_env_bytes(i, port, bytes, sizeof bytes);
    uint32_t skip = frame.l3 - 14;
    uint32_t at = 12;

    if (!len || memcmp(bytes, frame.b, 12)) {
        return false;
    }
    for (; *tags; tags += 4, at += 2) {
        unsigned int word;

        if (sscanf(tags, "%4x", &word) != 1
            || env_get16(bytes + at) != word) {
            return false;
        }
    }
    return len - at == frame.len - skip - 12
           && !memcmp(bytes + at, frame.b + skip + 12, len - at);
}

static void
begin(void)
{
    pmd_env_begin();
    for (uint32_t no = 1; no <= 40; no++) {
        pmd_env_add_port(no, VPORT_CAP_CHAIN, 1500);
    }
}

static void
test_flood_shares_data(void)
{
    char list[256] = "2";
    const uint8_t *payload = NULL;

    begin();
    make_frame(0, 1200);
    for (unsigned int no = 3; no <= 40; no++) {
        sprintf(list + strlen(list), ",%u", no);
    }
    send_by(list);
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, 39);
    for (unsigned int i = 0; i < 39; i++) {
        struct rte_mbuf *m = pmd_env_sent[i].m;

        CU_ASSERT(is_sent(i, i + 2, ""));
        payload = payload ? payload : pkt_data(m);
        CU_ASSERT_PTR_EQUAL(pkt_data(m), payload);
    }
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
    pmd_env_end();
}

static void
test_vlan_tags(void)
{
    begin();
    make_frame(0, 100);
    send_by("push_vlan(vid=3,pcp=5),2,pop_vlan,3,"
         "push_vlan(tpid=0x88a8,vid=7,pcp=0),push_vlan(vid=8,pcp=1),4");
    CU_ASSERT(is_sent(0, 2, "8100a003"));
    CU_ASSERT(is_sent(1, 3, ""));
    CU_ASSERT(is_sent(2, 4, "8100200888a80007"));
    pmd_env_forget();

    make_frame(2, 100);
    pmd_env_answer(2, "pop_vlan,3,pop_vlan,4");
    pmd_env_rx(2, frame.b, frame.len);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 2);
    CU_ASSERT(is_sent(1, 4, ""));
    CU_ASSERT_EQUAL(pmd_env_bytes(0, 3, bytes, sizeof bytes), frame.len - 4);
    CU_ASSERT(!memcmp(bytes + 12, frame.b + 16, frame.len - 16));
    pmd_env_end();
}

/* An edit in a clone does not touch what is sent after it, nor what was sent
 * before. */
static void
test_clones_are_apart(void)
{
    begin();
    make_frame(0, 900);
    send_by("2,clone(push_vlan(vid=9,pcp=0),3,clone(pop_vlan,4),5),6,"
         "clone(set(eth(src=02:02:02:02:02:02)),7),8");
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, 7);
    CU_ASSERT(is_sent(0, 2, ""));
    CU_ASSERT(is_sent(1, 3, "81000009"));
    CU_ASSERT(is_sent(2, 4, ""));
    CU_ASSERT(is_sent(3, 5, "81000009"));
    CU_ASSERT(is_sent(4, 6, ""));
    CU_ASSERT_EQUAL(pmd_env_bytes(5, 7, bytes, sizeof bytes), frame.len);
    CU_ASSERT(!memcmp(bytes + 6, "\2\2\2\2\2\2", 6));
    CU_ASSERT(is_sent(6, 8, ""));
    pmd_env_end();
}

static void
expect_drop(const char *actions, enum drop_reason reason)
{
    uint64_t before = pmd_env_n_all_drops();
    uint64_t before_named = pmd_env_n_drops(reason);

    pmd_env_forget();
    flowtable_flush(&pmd_env.flows);
    send_by(actions);
    CU_ASSERT_EQUAL(pmd_env_n_sent, 0);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), before + 1);
    CU_ASSERT_EQUAL(pmd_env_n_drops(reason), before_named + 1);
}

static void
test_drops(void)
{
    char drop[32];

    begin();
    make_frame(0, 100);
    expect_drop("drop", DROP_UPCALL);
    for (unsigned int i = 1; i < N_DROP_REASONS; i++) {
        sprintf(drop, "drop(%u)", i);
        expect_drop(drop, (enum drop_reason) i);
    }
    expect_drop("63", DROP_NO_PORT);
    pmd_env_add_tunnel(50, "gre");
    expect_drop("50", DROP_NO_PORT);
    atomic_store(&dp_port_find(2)->up, false);
    expect_drop("2", DROP_PORT_DOWN);
    pmd_env_end();
}

/* A list that sends nothing at its end frees what is left of it. */
static void
test_list_without_end(void)
{
    begin();
    make_frame(0, 100);
    send_by("2,push_vlan(vid=5,pcp=0)");
    CU_ASSERT_EQUAL(pmd_env_n_sent, 1);
    CU_ASSERT(is_sent(0, 2, ""));
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
    pmd_env_end();
}

/* More than a buffer's worth to one port: all arrive, in order. */
static void
test_full_send_buffers(void)
{
    begin();
    make_frame(0, 100);
    pmd_env_answer(PORT_NONE, "2,2,2,3");
    for (unsigned int i = 0; i < PKT_BURST; i++) {
        frame.b[frame.payload] = (uint8_t) i;
        pmd_env_rx(1, frame.b, frame.len);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 4 * PKT_BURST);
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 1);
    for (unsigned int i = 0; i < 3 * PKT_BURST; i++) {
        CU_ASSERT(pmd_env_bytes(i, 2, bytes, sizeof bytes) == frame.len);
        CU_ASSERT_EQUAL(bytes[frame.payload], i % PKT_BURST);
    }
    CU_ASSERT_EQUAL(dp_port_find(2)->per_pmd[0]->c.tx_packets,
                    3 * PKT_BURST);
    pmd_env_end();
}

/* Without memory for copies the copies are dropped and counted, the packet
 * itself goes on. */
static void
test_no_memory(void)
{
    static struct rte_mbuf *hoard[65536];
    unsigned int n = 0;
    struct rte_mbuf *m;

    begin();
    make_frame(0, 100);
    pmd_env_answer(PORT_NONE, "2,3,4");
    pmd_env_rx(1, frame.b, frame.len);
    while (n < ARRAY_SIZE(hoard) && (m = mem_alloc_ind())) {
        hoard[n++] = m;
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 1);
    CU_ASSERT(is_sent(0, 4, ""));
    CU_ASSERT_EQUAL(pmd_env_n_drops(DROP_NO_MBUF), 2);
    rte_pktmbuf_free_bulk(hoard, n);
    pmd_env_end();
}

void
suite_act(void)
{
    CU_pSuite suite = CU_add_suite("act", NULL, NULL);

    CU_add_test(suite, "flooding shares data", test_flood_shares_data);
    CU_add_test(suite, "VLAN tags", test_vlan_tags);
    CU_add_test(suite, "clones are apart", test_clones_are_apart);
    CU_add_test(suite, "each drop counts once", test_drops);
    CU_add_test(suite, "a list without an end", test_list_without_end);
    CU_add_test(suite, "full send buffers", test_full_send_buffers);
    CU_add_test(suite, "no memory for copies", test_no_memory);
}
