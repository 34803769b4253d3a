/* SPDX-License-Identifier: Apache-2.0 */
/* toobig.c: the answers byte by byte, who gets none, and how many. */

#include "datapath/toobig.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "datapath/offload.h"
#include "tests/unit/datapath/egress_env.h"

void suite_toobig(void);

static struct env_bytes bytes;

/* A datagram that fits nowhere and must not be cut. */
static struct env_frame
big_frame(uint8_t version)
{
    return (struct env_frame) {
        .version = version, .proto = IPPROTO_UDP, .frag = 0x4000,
        .payload_len = 3000,
    };
}

static void
pass(const struct env_frame *f, const struct env_tnl *tnl)
{
    struct rte_mbuf *m = env_packet(f, &bytes, SHAPE_TINY);

    pkt_meta(m)->phys_port = 3;
    if (tnl) {
        m = env_encap(m, tnl, ENV_TNL_PORT);
    }
    offload_send(&env_pmd, &env_vport, m);
    env_collect();
}

/* What must come back for the packet in 'bytes'. */
static uint32_t
expect(uint8_t version, uint32_t mtu, uint8_t *b)
{
    uint32_t l3 = bytes.l3, ip_len = version == 4 ? 20 : 40;
    uint32_t max = version == 4 ? 576 : 1280;
    uint32_t quoted = max - ip_len - 8, l4_len = 8 + quoted;
    uint8_t *ip = b + l3, *icmp = ip + ip_len;

    memset(b, 0, l3 + max);
    memcpy(b, bytes.b, l3);
    memcpy(b, bytes.b + 6, 6);
    memcpy(b + 6, bytes.b, 6);
    memcpy(icmp + 8, bytes.b + l3, quoted);
    if (version == 4) {
        ip[0] = 0x45;
        ip[1] = 0xc0;
        env_put16(ip + 2, max);
        ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = 1;
        memcpy(ip + 12, bytes.b + l3 + 16, 4);
        memcpy(ip + 16, bytes.b + l3 + 12, 4);
        env_put16(ip + 10, ~env_sum(0, ip, 20));
        icmp[0] = 3;
        icmp[1] = 4;
        env_put16(icmp + 6, mtu);
        env_put16(icmp + 2, ~env_sum(0, icmp, l4_len));
    } else {
        ip[0] = 0x60;
        env_put16(ip + 4, l4_len);
        ip[6] = 58;
        ip[7] = 64;
        memcpy(ip + 8, bytes.b + l3 + 24, 16);
        memcpy(ip + 24, bytes.b + l3 + 8, 16);
        icmp[0] = 2;
        env_put32(icmp + 4, mtu);
        env_put16(icmp + 2, ~env_sum(env_pseudo_sum(ip, 58, l4_len), icmp,
                                     l4_len));
    }
    return l3 + max;
}

static void
check_answer(uint8_t version, uint8_t n_vlans, const struct env_tnl *tnl,
             uint32_t mtu)
{
    static uint8_t want[4096], got[4096];
    struct env_frame f = big_frame(version);
    uint32_t len;

    f.n_vlans = n_vlans;
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    pass(&f, tnl);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_BIG], 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.icmp_too_big, 1);
    CU_ASSERT_EQUAL_FATAL(env_pmd.n_recirc, 1);

    const struct rte_mbuf *answer = env_pmd.recirc[0];
    CU_ASSERT_EQUAL(pkt_meta(answer)->in_port, tnl ? ENV_TNL_PORT : ENV_PORT);
    CU_ASSERT_EQUAL(pkt_meta(answer)->phys_port, 3);
    CU_ASSERT_EQUAL(pkt_meta(answer)->n_pops, 0);
    CU_ASSERT(!pkt_meta(answer)->has_vnet);
    len = expect(version, mtu, want);
    CU_ASSERT_EQUAL(dpdk_env_bytes(answer, got, sizeof got), len);
    CU_ASSERT(!memcmp(got, want, len));
    env_free_sent();
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_answers(void)
{
    static const struct env_tnl vxlan4 = { .df = true };
    static const struct env_tnl gre4 = { .is_gre = true, .df = true };
    static const struct env_tnl gre6_key = {
        .is_gre = true, .is_ip6 = true, .key = true, .df = true,
    };
    static const struct env_tnl narrow = { .df = true, .path_mtu = 1400 };

    check_answer(4, 0, NULL, 1500);
    check_answer(6, 0, NULL, 1500);
    check_answer(4, 1, NULL, 1500);
    check_answer(4, 0, &vxlan4, 1500 - 50);
    check_answer(6, 0, &vxlan4, 1500 - 50);
    check_answer(4, 1, &vxlan4, 1500 - 54);
    check_answer(6, 2, &gre4, 1500 - 38 - 8);
    check_answer(4, 0, &gre6_key, 1500 - 62);
    check_answer(6, 2, &narrow, 1400 - 58);
}

static void
check_silence(const struct env_frame *f, const struct env_tnl *tnl,
              const char *what)
{
    pass(f, tnl);
    if (env_pmd.n_recirc) {
        CU_FAIL("answered");
        fprintf(stderr, "answered: %s\n", what);
    }
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_BIG], 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.icmp_too_big, 0);
    env_free_sent();
}

/* One byte of the frame decides. */
static void
silent_byte(uint8_t version, uint8_t proto, uint32_t ofs_from_l3, int ofs,
            uint8_t value, const char *what)
{
    struct env_frame f = big_frame(version);

    f.proto = proto;
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    bytes.b[(ofs_from_l3 ? bytes.l3 : 0) + (uint32_t) ofs] = value;
    check_silence(&f, NULL, what);
}

static void
test_silence(void)
{
    static const uint8_t icmp4_errors[] = { 3, 4, 5, 11, 12 };
    static const uint8_t icmp6_errors[] = { 0, 1, 2, 3, 4, 127, 137 };
    static const struct env_tnl quiet = { .df = true, .quiet = true };
    struct env_frame f;

    silent_byte(4, 17, 0, 0, 0x33, "to an Ethernet group");
    silent_byte(4, 17, 0, 0, 0xff, "to Ethernet broadcast");
    silent_byte(4, 17, 0, 6, 0x01, "from an Ethernet group");
    silent_byte(4, 17, 1, 12, 0, "from 0/8");
    silent_byte(4, 17, 1, 12, 127, "from loopback");
    silent_byte(4, 17, 1, 12, 224, "from multicast");
    silent_byte(4, 17, 1, 12, 255, "from broadcast");
    silent_byte(4, 17, 1, 16, 239, "to multicast");
    silent_byte(4, 17, 1, 16, 255, "to broadcast");
    silent_byte(6, 17, 1, 8, 0xff, "from IPv6 multicast");
    silent_byte(6, 17, 1, 24, 0xff, "to IPv6 multicast");
    for (size_t i = 0; i < ARRAY_SIZE(icmp4_errors); i++) {
        silent_byte(4, 1, 1, 20, icmp4_errors[i], "an ICMP error");
    }
    for (size_t i = 0; i < ARRAY_SIZE(icmp6_errors); i++) {
        silent_byte(6, 58, 1, 40, icmp6_errors[i], "an ICMPv6 error");
    }

    f = big_frame(6);
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    memset(bytes.b + bytes.l3 + 8, 0, 16);
    check_silence(&f, NULL, "from ::");

    f = big_frame(4);
    f.frag = 0x4000 | 100;
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    check_silence(&f, NULL, "a later fragment");

    f = big_frame(4);
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    check_silence(&f, &quiet, "a tunnel that was told not to");
    CU_ASSERT(dpdk_env_is_full());
}

static void
send_many(unsigned int n)
{
    struct env_frame f = big_frame(4);

    env_build(&f, &bytes);
    for (unsigned int i = 0; i < n; i++) {
        pass(&f, NULL);
    }
}

static void
test_rate(void)
{
    env_reset(VPORT_CAP_CHAIN, 1500);
    send_many(100);
    CU_ASSERT_EQUAL(env_pmd.n_recirc, TOOBIG_BURST);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_BIG], 100);

    /* 10 ms at 256 a second make 2.56. */
    env_pmd.now_ms += 10;
    send_many(100);
    CU_ASSERT_EQUAL(env_pmd.n_recirc, TOOBIG_BURST + 2);
    env_pmd.now_ms += 2;
    send_many(100);
    CU_ASSERT_EQUAL(env_pmd.n_recirc, TOOBIG_BURST + 3);

    /* However long the silence was. */
    env_pmd.now_ms += 1u << 31;
    send_many(100);
    CU_ASSERT_EQUAL(env_pmd.n_recirc, 2 * TOOBIG_BURST + 3);
    env_free_sent();
    CU_ASSERT(dpdk_env_is_full());
}

void
suite_toobig(void)
{
    CU_pSuite suite = CU_add_suite("toobig", NULL, NULL);

    CU_add_test(suite, "answers byte by byte", test_answers);
    CU_add_test(suite, "what must not be answered", test_silence);
    CU_add_test(suite, "a burst, then so many a second", test_rate);
}
