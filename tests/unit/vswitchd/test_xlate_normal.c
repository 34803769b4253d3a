/* SPDX-License-Identifier: Apache-2.0 */
/* xlate_normal.c: VLANs in and out by the words of ovs-vswitchd.conf.db(5),
 * and a learning switch. */

#include "tests/unit/vswitchd/xlate_env.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/pkt/wire.h"

void suite_xlate_normal(void);

#define EXPECT(KEY, TEXT)                                                     \
    do {                                                                      \
        struct flow_key key_ = (KEY);                                         \
        const char *got_ = xenv_outputs(&key_);                               \
                                                                              \
        CU_ASSERT_STRING_EQUAL(got_, TEXT);                                   \
        if (strcmp(got_, TEXT)) {                                             \
            printf("    line %d: got \"%s\", not \"%s\"\n", __LINE__, got_,   \
                   TEXT);                                                     \
        }                                                                     \
    } while (0)

static void
vlan_bridge(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1, .mode = VLAN_ACCESS, .tag = 10 },
        { .bridge = "br0", .no = 2, .mode = VLAN_ACCESS, .tag = 20 },
        { .bridge = "br0", .no = 3, .mode = VLAN_TRUNK },
        { .bridge = "br0", .no = 4, .mode = VLAN_TRUNK, .trunks = "10 30" },
        { .bridge = "br0", .no = 5, .mode = VLAN_NATIVE_TAGGED, .tag = 10,
          .trunks = "20" },
        { .bridge = "br0", .no = 6, .mode = VLAN_NATIVE_UNTAGGED, .tag = 10,
          .trunks = "20" },
        { .bridge = "br0", .no = 7, .mode = VLAN_TRUNK, .trunks = "0 10" },
    };

    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
}

/* A broadcast from 'port' with 'tci' on the wire. */
static const struct {
    uint32_t port;
    uint16_t tci0, tci1;
    bool priority;              /* A tag of VLAN 0. */
    const char *outputs;
} vlan_cases[] = {
    /* Access ports take what has no tag, or a priority only. */
    { 1, 0, 0, false, "3:000a 4:000a 5:000a 6 7:000a" },
    { 1, 0xa000, 0, true, "3:a00a 4:a00a 5:a00a 6 7:a00a" },
    { 1, 10, 0, false, "drop(vlan_not_allowed)" },
    { 1, 20, 0, false, "drop(vlan_not_allowed)" },
    { 2, 0, 0, false, "3:0014 5:0014 6:0014" },
    { 2, 0xe000, 0, true, "3:e014 5:e014 6:e014" },

    /* A trunk without a list carries all. */
    { 3, 0, 0, false, "7" },
    { 3, 0xe000, 0, true, "7" },
    { 3, 10, 0, false, "1 4:000a 5:000a 6 7:000a" },
    { 3, 0x600a, 0, false, "1 4:600a 5:600a 6 7:600a" },
    { 3, 20, 0, false, "2 5:0014 6:0014" },
    { 3, 30, 0, false, "4:001e" },
    { 3, 99, 0, false, "drop(no_output)" },
    { 3, 4095, 0, false, "drop(no_output)" },

    /* One with a list carries what is there. */
    { 4, 0, 0, false, "drop(vlan_not_allowed)" },
    { 4, 0x2000, 0, true, "drop(vlan_not_allowed)" },
    { 4, 20, 0, false, "drop(vlan_not_allowed)" },
    { 4, 30, 0, false, "3:001e" },
    { 4, 10, 0, false, "1 3:000a 5:000a 6 7:000a" },
    { 7, 0, 0, false, "3" },
    { 7, 10, 0, false, "1 3:000a 4:000a 5:000a 6" },

    /* The native VLAN: untagged in; out with or without its tag. */
    { 5, 0, 0, false, "1 3:000a 4:000a 6 7:000a" },
    { 5, 10, 0, false, "1 3:000a 4:000a 6 7:000a" },
    { 5, 20, 0, false, "2 3:0014 6:0014" },
    { 5, 30, 0, false, "drop(vlan_not_allowed)" },
    { 6, 0, 0, false, "1 3:000a 4:000a 5:000a 7:000a" },
    { 6, 0x800a, 0, false, "1 3:800a 4:800a 5:800a 7:800a" },
    { 6, 20, 0, false, "2 3:0014 5:0014" },
    { 6, 30, 0, false, "drop(vlan_not_allowed)" },

    /* Two tags: the outer one counts, the inner one stays. */
    { 3, 10, 7, false, "1:0007 4:88a8.000a:0007 5:88a8.000a:0007 6:0007 "
                       "7:88a8.000a:0007" },
    { 3, 30, 10, false, "4:88a8.001e:000a" },
    { 1, 10, 7, false, "drop(vlan_not_allowed)" },
};

static void
test_vlans(void)
{
    vlan_bridge();
    for (unsigned int i = 0; i < ARRAY_SIZE(vlan_cases); i++) {
        struct flow_key key = xenv_key(vlan_cases[i].port, 1, 0xff,
                                       vlan_cases[i].tci0,
                                       vlan_cases[i].tci1);
        struct xenv_answer answer;

        CU_ASSERT_EQUAL(!(vlan_cases[i].tci0 & 0xfff),
                        vlan_cases[i].priority || !vlan_cases[i].tci0);
        EXPECT(key, vlan_cases[i].outputs);

        /* Unknown unicast goes where broadcasts go. */
        key = xenv_key(vlan_cases[i].port, 1, 99, vlan_cases[i].tci0,
                       vlan_cases[i].tci1);
        EXPECT(key, vlan_cases[i].outputs);

        /* What was looked at. */
        xenv_translate(&key, false, &answer);
        CU_ASSERT_EQUAL(answer.up.mask.bits.nw_src, 0);
        CU_ASSERT_EQUAL(answer.up.mask.bits.nw_proto, 0);
        CU_ASSERT_EQUAL(answer.up.mask.bits.tp_dst, 0);
        CU_ASSERT_EQUAL(answer.up.mask.bits.in_port, UINT32_MAX);
        CU_ASSERT_EQUAL(answer.up.mask.bits.vlan_tci0,
                        key.vlan_tci0 ? 0xffff : htons(VLAN_TCI_PRESENT));
        CU_ASSERT(answer.trace.len > 20);
        xenv_answer_fini(&answer);
    }
    xenv_end();
}

/* A tag of VLAN 0 and priority 0 is a tag all the same. */
static void
test_tag_of_zeros(void)
{
    struct flow_key key = xenv_key(1, 1, 0xff, 0, 0);

    vlan_bridge();
    key.vlan_tci0 = htons(VLAN_TCI_PRESENT);
    key.vlan_tpid0 = htons(ETH_TYPE_VLAN);
    EXPECT(key, "3:000a 4:000a 5:000a 6 7:000a");
    key.in_port = 3;
    EXPECT(key, "7");
    key.in_port = 2;
    EXPECT(key, "3:0014 5:0014 6:0014");
    xenv_end();
}

static void
test_learning(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 }, { .bridge = "br0", .no = 2 },
        { .bridge = "br0", .no = 3 },
        { .bridge = "br0", .no = 4, .mode = VLAN_ACCESS, .tag = 5 },
    };
    struct xenv_answer answer;
    struct flow_key key;

    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
    EXPECT(xenv_key(1, 1, 2, 0, 0), "2 3");
    EXPECT(xenv_key(2, 2, 1, 0, 0), "1");
    EXPECT(xenv_key(1, 1, 2, 0, 0), "2");
    EXPECT(xenv_key(3, 3, 2, 0, 0), "2");
    EXPECT(xenv_key(1, 1, 0xff, 0, 0), "2 3");

    /* Not back to where it came from. */
    EXPECT(xenv_key(2, 7, 2, 0, 0), "drop(same_port)");
    EXPECT(xenv_key(2, 2, 2, 0, 0), "drop(same_port)");

    /* Another VLAN is another world. */
    EXPECT(xenv_key(1, 1, 2, 5, 0), "2:0005 3:0005 4");
    EXPECT(xenv_key(4, 2, 1, 0, 0), "1:0005");
    EXPECT(xenv_key(1, 1, 2, 0, 0), "2");

    /* It moves. */
    EXPECT(xenv_key(3, 2, 1, 0, 0), "1");
    EXPECT(xenv_key(1, 1, 2, 0, 0), "3");

    /* A group address is nobody's source. */
    key = xenv_key(1, 1, 2, 0, 0);
    key.dl_src[0] |= 1;
    EXPECT(key, "3");
    memcpy(key.dl_dst, key.dl_src, 6);
    EXPECT(key, "2 3");

    /* The port goes and its address not yet. */
    xenv_publish(ports, 2, PORT_NONE);
    EXPECT(xenv_key(1, 1, 2, 0, 0), "2");

    /* A trace learns nothing. */
    key = xenv_key(1, 77, 2, 0, 0);
    xenv_translate(&key, false, &answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_cstr(&answer.trace), "bridge br0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(str_cstr(&answer.trace), "NORMAL"));
    xenv_answer_fini(&answer);
    EXPECT(xenv_key(2, 2, 77, 0, 0), "1");
    CU_ASSERT_EQUAL(mac_table_count(xenv_bridge("br0")->macs), 6);
    xenv_end();
}

/* What a translation depends on: the source's entry, which is touched, and the
 * destination's, or that nothing new is learned. */
static void
test_dependencies(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 }, { .bridge = "br0", .no = 2 },
        { .bridge = "br0", .no = 3 },
    };
    struct xenv_answer flooded, sent;
    struct flow_key key;

    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
    key = xenv_key(1, 1, 2, 0, 0);
    xenv_translate(&key, true, &flooded);
    CU_ASSERT_EQUAL_FATAL(flooded.up.deps.n, 2);
    CU_ASSERT(flooded.up.deps.deps[0].touch);
    CU_ASSERT(!flooded.up.deps.deps[1].touch);
    for (unsigned int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(atomic_load(&flooded.up.deps.deps[i].cell->gen),
                        flooded.up.deps.deps[i].seen);
    }
    xenv_outputs(&(struct flow_key) { 0 });     /* Of no port. */
    key = xenv_key(2, 2, 1, 0, 0);
    xenv_translate(&key, true, &sent);
    CU_ASSERT_EQUAL(atomic_load(&flooded.up.deps.deps[0].cell->gen),
                    flooded.up.deps.deps[0].seen);
    CU_ASSERT_NOT_EQUAL(atomic_load(&flooded.up.deps.deps[1].cell->gen),
                        flooded.up.deps.deps[1].seen);

    /* It sends to 1, and 1 moves. */
    CU_ASSERT_EQUAL_FATAL(sent.up.deps.n, 2);
    key = xenv_key(3, 1, 0xff, 0, 0);
    xenv_outputs(&key);
    CU_ASSERT_EQUAL(atomic_load(&sent.up.deps.deps[0].cell->gen),
                    sent.up.deps.deps[0].seen);
    CU_ASSERT_NOT_EQUAL(atomic_load(&sent.up.deps.deps[1].cell->gen),
                        sent.up.deps.deps[1].seen);
    xenv_answer_fini(&flooded);
    xenv_answer_fini(&sent);
    xenv_end();
}

static void
test_reserved(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 }, { .bridge = "br0", .no = 2 },
    };
    static const struct {
        uint8_t mac[6];
        bool is_reserved;
    } cases[] = {
        { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 }, true },
        { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x01 }, true },
        { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e }, true },
        { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0f }, true },
        { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x10 }, false },
        { { 0x01, 0x80, 0xc2, 0x00, 0x01, 0x00 }, false },
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x00 }, true },
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x04 }, true },
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x05 }, false },
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x06 }, true },
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x07 }, false },
        { { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc }, true },
        { { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcd }, true },
        { { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xc3 }, true },
        { { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xdc }, false },
        { { 0x01, 0x00, 0x0c, 0xcd, 0xcd, 0xcd }, true },
        { { 0x01, 0x00, 0x0c, 0x00, 0x00, 0x00 }, true },
        { { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 }, false },
        { { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 }, false },
        { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, false },
    };

    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
    for (int forward = 0; forward < 2; forward++) {
        xenv_bridge("br0")->forward_bpdu = forward;
        for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
            struct flow_key key = xenv_key(1, (uint8_t) (i + 1), 0, 0, 0);

            memcpy(key.dl_dst, cases[i].mac, 6);
            EXPECT(key, cases[i].is_reserved && !forward
                        ? "drop(reserved_multicast)" : "2");
        }
    }
    xenv_end();
}

static void
test_flood_vlans(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 }, { .bridge = "br0", .no = 2 },
        { .bridge = "br0", .no = 3 },
    };
    uint64_t *vlans;

    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
    vlans = xcalloc(64, sizeof *vlans);
    vlans[0] = UINT64_C(1) << 9;
    xenv_bridge("br0")->flood_vlans = vlans;
    EXPECT(xenv_key(1, 1, 2, 9, 0), "2:0009 3:0009");
    EXPECT(xenv_key(2, 2, 1, 9, 0), "1:0009 3:0009");
    EXPECT(xenv_key(1, 1, 2, 9, 0), "2:0009 3:0009");
    CU_ASSERT_EQUAL(mac_table_count(xenv_bridge("br0")->macs), 0);
    EXPECT(xenv_key(1, 1, 2, 8, 0), "2:0008 3:0008");
    EXPECT(xenv_key(2, 2, 1, 8, 0), "1:0008");
    xenv_end();
}

static void
test_lonely_port(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 }, { .bridge = "br1", .no = 2 },
    };

    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
    EXPECT(xenv_key(1, 1, 0xff, 0, 0), "drop(no_output)");
    EXPECT(xenv_key(2, 1, 0xff, 0, 0), "drop(no_output)");
    EXPECT(xenv_key(3, 1, 0xff, 0, 0), "drop(no_bridge)");
    EXPECT(xenv_key(UINT32_MAX, 1, 0xff, 0, 0), "drop(no_bridge)");
    xenv_end();
    EXPECT(xenv_key(1, 1, 0xff, 0, 0), "drop(no_bridge)");
    xenv_outputs(NULL);
}

void
suite_xlate_normal(void)
{
    CU_pSuite suite = CU_add_suite("xlate_normal", NULL, NULL);

    CU_add_test(suite, "VLANs in and out", test_vlans);
    CU_add_test(suite, "a tag of zeros", test_tag_of_zeros);
    CU_add_test(suite, "learning", test_learning);
    CU_add_test(suite, "dependencies", test_dependencies);
    CU_add_test(suite, "reserved addresses", test_reserved);
    CU_add_test(suite, "VLANs that are flooded", test_flood_vlans);
    CU_add_test(suite, "nobody there", test_lonely_port);
}
