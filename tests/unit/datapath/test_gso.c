/* SPDX-License-Identifier: Apache-2.0 */
/* gso.c at its edges.  That segments are right is test_offload.c's. */

#include "datapath/gso.h"

#include <CUnit/CUnit.h>

#include "datapath/mem.h"
#include "datapath/offload.h"
#include "tests/unit/datapath/egress_env.h"

void suite_gso(void);

static struct env_bytes bytes;
static uint8_t got[ENV_MAX_FRAME];

static struct env_frame
super_frame(uint32_t payload_len, uint16_t gso_size)
{
    return (struct env_frame) {
        .version = 4, .proto = IPPROTO_TCP, .tcp_flags = 0x10,
        .payload_len = payload_len, .csum = ENV_CSUM_PARTIAL,
        .gso = PKT_GSO_TCP4, .gso_size = gso_size,
    };
}

static struct rte_mbuf *
make(const struct env_frame *f, uint32_t caps, uint16_t mtu)
{
    env_reset(caps, mtu);
    env_build(f, &bytes);
    return env_packet(f, &bytes, SHAPE_BIG);
}

static void
pass(struct rte_mbuf *m)
{
    offload_send(&env_pmd, &env_vport, m);
    env_collect();
}

/* A UDP checksum that comes out as 0 is sent as 0xffff (RFC 768). */
static void
test_udp_zero(void)
{
    struct env_frame f = super_frame(2000, 1000);
    uint32_t sum, len;
    uint8_t *p;

    f.proto = IPPROTO_UDP;
    f.gso = PKT_GSO_USO;
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);

    /* The first datagram: make its own sum all ones by its first word. */
    p = bytes.b + bytes.payload;
    env_put16(p, 0);
    memcpy(got, bytes.b + bytes.l4, 8 + 1000);
    env_put16(got + 4, 8 + 1000);
    env_put16(got + 6, 0);
    sum = env_sum(env_pseudo_sum(bytes.b + bytes.l3, IPPROTO_UDP, 8 + 1000),
                  got, 8 + 1000);
    env_put16(p, 0xffff - sum);

    pass(env_packet(&f, &bytes, SHAPE_TINY));
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 2);
    CU_ASSERT(env_bytes_of(env_sent[0], got, &len));
    CU_ASSERT_EQUAL(env_get16(got + bytes.l4 + 6), 0xffff);
    env_free_sent();
}

/* A datagram's checksum that the port does not make is made the same way. */
static void
test_plain_udp_zero(void)
{
    struct env_frame f = super_frame(100, 0);
    uint32_t sum, len;
    uint8_t *p;

    f.proto = IPPROTO_UDP;
    f.gso = PKT_GSO_NONE;
    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    p = bytes.b + bytes.payload;
    env_put16(p, 0);
    sum = env_sum(0, bytes.b + bytes.l4, 108);
    env_put16(p, 0xffff - sum);
    pass(env_packet(&f, &bytes, SHAPE_TINY));
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 1);
    CU_ASSERT(env_bytes_of(env_sent[0], got, &len));
    CU_ASSERT_EQUAL(env_get16(got + bytes.l4 + 6), 0xffff);
    env_free_sent();
}

/* A super-packet with CWR stays whole only where the port knows what to do
 * with it (the segments behind the first may be coalesced again). */
static void
test_cwr(void)
{
    struct env_frame f = super_frame(20000, 1000);
    uint32_t caps = VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_TSO4;
    uint32_t len;

    f.tcp_flags = 0x10 | 0x80;
    pass(make(&f, caps, 1500));
    CU_ASSERT(env_n_sent > 1);
    for (unsigned int i = 0; i < env_n_sent; i++) {
        CU_ASSERT(env_bytes_of(env_sent[i], got, &len));
        CU_ASSERT_EQUAL(got[bytes.l4 + 13], i ? 0x10 : 0x90);
        CU_ASSERT(i || !pkt_meta(env_sent[i])->need.gso);
    }
    env_free_sent();

    pass(make(&f, caps | VPORT_CAP_ECN, 1500));
    CU_ASSERT_EQUAL(env_n_sent, 1);
    CU_ASSERT(pkt_meta(env_sent[0])->need.ecn);
    CU_ASSERT_EQUAL(pkt_meta(env_sent[0])->need.gso, PKT_GSO_TCP4);
    env_free_sent();
    CU_ASSERT(dpdk_env_is_full());
}

static bool
lies_within(const struct rte_mbuf *seg, const uint8_t *start, uint32_t len)
{
    const uint8_t *p = rte_pktmbuf_mtod(seg, const uint8_t *);

    return p >= start && p + seg->data_len <= start + len;
}

/* Long payload is referred to where it lies. */
static void
test_refers_to_payload(void)
{
    struct env_frame f = super_frame(60000, 8000);
    struct rte_mbuf *m = make(&f, VPORT_CAP_CHAIN, 9000);
    const uint8_t *start = pkt_data(m);
    uint32_t len = m->data_len;

    pass(m);
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 8);
    for (unsigned int i = 0; i < env_n_sent; i++) {
        CU_ASSERT_EQUAL(env_sent[i]->data_len, bytes.payload);
        CU_ASSERT_EQUAL_FATAL(env_sent[i]->nb_segs, 2);
        CU_ASSERT(lies_within(env_sent[i]->next, start, len));
    }
    env_free_sent();

    /* 1448 bytes too, where nobody has to add them up. */
    f = super_frame(14480, 1448);
    m = make(&f, VPORT_CAP_CHAIN | VPORT_CAP_CSUM, 1500);
    start = pkt_data(m);
    len = m->data_len;
    pass(m);
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 10);
    CU_ASSERT_EQUAL_FATAL(env_sent[9]->nb_segs, 2);
    CU_ASSERT(lies_within(env_sent[9]->next, start, len));
    env_free_sent();
    CU_ASSERT(dpdk_env_is_full());
}

static void
expect_bad(struct rte_mbuf *m)
{
    pass(m);
    CU_ASSERT_EQUAL(env_n_sent, 0);
    CU_ASSERT_EQUAL(env_n_drops(), 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_BAD_SEGMENT], 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.segments, 0);
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_no_progress(void)
{
    struct env_frame f = super_frame(4000, 1000);

    /* 40 bytes of headers: 48 leave 8 for payload, 47 do not. */
    expect_bad(make(&f, VPORT_CAP_CHAIN, 40));
    expect_bad(make(&f, VPORT_CAP_CHAIN, 39));
    expect_bad(make(&f, VPORT_CAP_CHAIN, 47));
    pass(make(&f, VPORT_CAP_CHAIN, 48));
    CU_ASSERT_EQUAL(env_n_sent, 500);
    env_free_sent();

    f.gso = PKT_GSO_NONE;
    expect_bad(make(&f, VPORT_CAP_CHAIN, 47));
    pass(make(&f, VPORT_CAP_CHAIN, 48));
    CU_ASSERT_EQUAL(env_n_sent, 500);
    env_free_sent();
}

static void
test_too_many(void)
{
    struct env_frame f = super_frame(PKT_MAX_SEGS, 1);

    pass(make(&f, VPORT_CAP_CHAIN, 1500));
    CU_ASSERT_EQUAL(env_n_sent, PKT_MAX_SEGS);
    CU_ASSERT_EQUAL(env_vport_pmd.c.cut, 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.segments, PKT_MAX_SEGS);
    env_free_sent();
    f.payload_len++;
    expect_bad(make(&f, VPORT_CAP_CHAIN, 1500));
}

/* Without memory half of a super-packet may have left; the rest is one drop
 * and nothing is lost. */
static void
test_no_memory(void)
{
    static struct rte_mbuf *hoard[1 << 16];
    struct env_frame f = super_frame(60000, 1448);
    struct rte_mbuf *m = make(&f, VPORT_CAP_CHAIN, 1500);
    unsigned int n = 0;

    while (n < ARRAY_SIZE(hoard) && (hoard[n] = mem_alloc_small())) {
        n++;
    }
    for (int i = 0; i < 10; i++) {
        rte_pktmbuf_free(hoard[--n]);
    }
    pass(m);
    CU_ASSERT_EQUAL(env_n_sent, 10);
    CU_ASSERT_EQUAL(env_n_drops(), 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_NO_MBUF], 1);
    env_free_sent();
    while (n) {
        rte_pktmbuf_free(hoard[--n]);
    }
    CU_ASSERT(dpdk_env_is_full());
}

void
suite_gso(void)
{
    CU_pSuite suite = CU_add_suite("gso", NULL, NULL);

    CU_add_test(suite, "a UDP checksum of 0, cut", test_udp_zero);
    CU_add_test(suite, "a UDP checksum of 0, plain", test_plain_udp_zero);
    CU_add_test(suite, "CWR and who knows it", test_cwr);
    CU_add_test(suite, "long payload stays where it is",
                test_refers_to_payload);
    CU_add_test(suite, "no room for payload", test_no_progress);
    CU_add_test(suite, "too many segments", test_too_many);
    CU_add_test(suite, "no memory half way", test_no_memory);
}
