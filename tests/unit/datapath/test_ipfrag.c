/* SPDX-License-Identifier: Apache-2.0 */
/* ipfrag.c at its edges.  That fragments are right is test_offload.c's. */

#include "datapath/ipfrag.h"

#include <CUnit/CUnit.h>

#include "datapath/offload.h"
#include "tests/unit/datapath/egress_env.h"

void suite_ipfrag(void);

static struct env_bytes bytes;
static uint8_t got[ENV_MAX_FRAME];

static struct env_frame
datagram(uint32_t payload_len)
{
    return (struct env_frame) {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = payload_len,
    };
}

static void
pass(const struct env_frame *f)
{
    offload_send(&env_pmd, &env_vport, env_packet(f, &bytes, SHAPE_TINY));
    env_collect();
}

static void
expect_bad(const struct env_frame *f, uint16_t mtu)
{
    env_reset(VPORT_CAP_CHAIN, mtu);
    env_build(f, &bytes);
    pass(f);
    CU_ASSERT_EQUAL(env_n_sent, 0);
    CU_ASSERT_EQUAL(env_n_drops(), 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_BAD_SEGMENT], 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.frags, 0);
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_no_progress(void)
{
    struct env_frame f = datagram(2000);

    expect_bad(&f, 27);
    expect_bad(&f, 20);
    expect_bad(&f, 19);
    f.ip4_options = 40;
    expect_bad(&f, 67);

    env_reset(VPORT_CAP_CHAIN, 68);
    env_build(&f, &bytes);
    pass(&f);
    /* The first carries 8 bytes; then 13 options of which some stay. */
    CU_ASSERT(env_n_sent > 40);
    CU_ASSERT_EQUAL(env_vport_pmd.c.frags, env_n_sent);
    env_free_sent();

    f = datagram(60000);
    expect_bad(&f, 68);         /* 1250 fragments. */
}

/* A later fragment that ends behind 65535 is nobody's datagram. */
static void
test_beyond_the_end(void)
{
    struct env_frame f = datagram(3000);

    f.frag = 65000 / 8;
    expect_bad(&f, 1500);
}

/* Every fragment's header is whole whatever the options say about their
 * lengths. */
static void
test_lying_options(void)
{
    for (unsigned int round = 0; round < 3000; round++) {
        struct env_frame f = datagram(3000);

        dpdk_env_seed(round);
        f.ip4_options = 40;
        env_reset(VPORT_CAP_CHAIN, 576);
        env_build(&f, &bytes);
        for (int i = 0; i < 40; i++) {
            static const uint8_t values[] = { 0, 1, 2, 3, 4, 8, 39, 40, 41,
                                              0x80, 0x81, 0x83, 0xff };

            bytes.b[bytes.l3 + 20 + (uint32_t) i]
                = values[dpdk_env_range(0, sizeof values - 1)];
        }
        env_put16(bytes.b + bytes.l3 + 10, 0);
        env_put16(bytes.b + bytes.l3 + 10,
                  ~env_sum(0, bytes.b + bytes.l3, 60));
        pass(&f);
        CU_ASSERT_FATAL(env_n_sent >= 6);

        uint32_t total = 0;
        for (unsigned int i = 0; i < env_n_sent; i++) {
            uint8_t *ip = got + bytes.l3;
            uint32_t len, hdr_len;

            CU_ASSERT_FATAL(env_bytes_of(env_sent[i], got, &len));
            hdr_len = (ip[0] & 15u) * 4;
            CU_ASSERT(hdr_len >= 20 && hdr_len <= 60);
            CU_ASSERT_EQUAL(env_sum(0, ip, hdr_len), 0xffff);
            CU_ASSERT_EQUAL(env_get16(ip + 2), len - bytes.l3);
            CU_ASSERT(len - bytes.l3 <= 576);
            CU_ASSERT_EQUAL((env_get16(ip + 6) & 0x1fffu) * 8, total);
            total += len - bytes.l3 - hdr_len;
        }
        CU_ASSERT_EQUAL(total, 3008);
        env_free_sent();
    }
    CU_ASSERT(dpdk_env_is_full());
}

/* A header that was damaged on its way does not become whole. */
static void
test_wrong_header_checksum(void)
{
    struct env_frame f = datagram(3000);
    uint32_t len;

    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    bytes.b[bytes.l3 + 11] ^= 0x10;
    pass(&f);
    CU_ASSERT_EQUAL(env_n_sent, 3);
    for (unsigned int i = 0; i < env_n_sent; i++) {
        CU_ASSERT(env_bytes_of(env_sent[i], got, &len));
        CU_ASSERT_NOT_EQUAL(env_sum(0, got + bytes.l3, 20), 0xffff);
    }
    env_free_sent();
}

/* An IPv6 fragment cannot be fragmented again: its sender is told. */
static void
test_ip6_fragment(void)
{
    struct env_frame f = datagram(3000);
    uint8_t *ip;

    f.version = 6;
    f.dest_options = true;
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    ip = bytes.b + bytes.l3;
    ip[6] = IPPROTO_FRAGMENT;   /* 8 bytes, as the options were. */
    env_put16(ip + 42, 1480 | 1);
    pass(&f);
    CU_ASSERT_EQUAL(env_n_sent, 0);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_BIG], 1);
    CU_ASSERT_EQUAL(env_pmd.n_recirc, 1);
    env_free_sent();
    CU_ASSERT(dpdk_env_is_full());
}

void
suite_ipfrag(void)
{
    CU_pSuite suite = CU_add_suite("ipfrag", NULL, NULL);

    CU_add_test(suite, "no room for data", test_no_progress);
    CU_add_test(suite, "a fragment beyond 65535", test_beyond_the_end);
    CU_add_test(suite, "options that lie", test_lying_options);
    CU_add_test(suite, "a wrong header checksum stays wrong",
                test_wrong_header_checksum);
    CU_add_test(suite, "an IPv6 fragment", test_ip6_fragment);
}
