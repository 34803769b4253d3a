/* SPDX-License-Identifier: Apache-2.0 */
/* egress.c and train.c: what is done to a packet that needs no cutting, and
 * how many system calls a super-packet will take.  Also what is no IP
 * packet. */

#include "datapath/egress.h"

#include <CUnit/CUnit.h>

#include "datapath/offload.h"
#include "datapath/train.h"
#include "tests/unit/datapath/egress_env.h"

void suite_egress(void);

static struct env_bytes bytes;
static uint8_t got[ENV_MAX_FRAME];

static void
pass(struct rte_mbuf *m)
{
    offload_send(&env_pmd, &env_vport, m);
    env_collect();
}

/* RFC 9260, appendix A, one bit at a time. */
static uint32_t
naive_crc32c(const uint8_t *p, uint32_t len)
{
    uint32_t crc = 0xffffffff;

    for (uint32_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
        }
    }
    return ~crc;
}

/* A port that makes checksums is not to be trusted with SCTP's. */
static void
test_sctp(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_SCTP, .payload_len = 1203,
    };

    for (int encap = 0; encap < 2; encap++) {
        const struct env_tnl tnl = { .df = true };
        struct rte_mbuf *m;
        uint32_t len, at = 0, crc;
        const char *error;

        env_reset(VPORT_CAP_CHAIN | VPORT_CAP_CSUM, 1500);
        env_build(&f, &bytes);
        m = env_packet(&f, &bytes, SHAPE_TINY);
        pkt_meta(m)->need.csum = true;
        pkt_meta(m)->need.csum_start = (uint16_t) bytes.l4;
        pkt_meta(m)->need.csum_offset = 8;
        if (encap) {
            m = env_encap(m, &tnl, ENV_TNL_PORT);
        }
        pass(m);
        CU_ASSERT_EQUAL_FATAL(env_n_sent, 1);
        CU_ASSERT(!pkt_meta(env_sent[0])->need.csum);
        CU_ASSERT(env_bytes_of(env_sent[0], got, &len));
        if (encap) {
            at = env_strip(&tnl, got, len, &error);
        }
        memset(bytes.b + bytes.l4 + 8, 0, 4);
        crc = naive_crc32c(bytes.b + bytes.l4, bytes.end - bytes.l4);
        for (uint32_t i = 0; i < 4; i++) {
            bytes.b[bytes.l4 + 8 + i] = (uint8_t) (crc >> 8 * i);
        }
        CU_ASSERT_EQUAL(len - at, bytes.len);
        CU_ASSERT(!memcmp(got + at, bytes.b, bytes.len));
        env_free_sent();
    }
    CU_ASSERT(dpdk_env_is_full());
}

/* A guest's own tunnel: the checksum that it asks for lies behind what was
 * parsed, here in a buffer of its own, and starts at an odd place. */
static void
test_csum_anywhere(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = 1000,
    };
    const uint32_t start = 401, field = start + 17;
    struct rte_mbuf *m;
    uint32_t len;

    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    m = env_packet(&f, &bytes, SHAPE_TINY);
    pkt_meta(m)->need.csum = true;
    pkt_meta(m)->need.csum_start = (uint16_t) start;
    pkt_meta(m)->need.csum_offset = (uint16_t) (field - start);
    pass(m);
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 1);
    CU_ASSERT(env_bytes_of(env_sent[0], got, &len));
    env_put16(bytes.b + field,
              ~env_sum(0, bytes.b + start, bytes.len - start));
    CU_ASSERT(!memcmp(got, bytes.b, bytes.len));
    env_free_sent();
}

/* Frames that are neither IPv4 nor IPv6 pass up to the MTU, which tags do not
 * count against. */
static void
send_non_ip(uint32_t n_vlans, uint32_t l3_len, const struct env_tnl *tnl,
            uint16_t mtu)
{
    static uint8_t frame[ENV_MAX_FRAME];
    uint32_t l3 = 14 + 4 * n_vlans;
    struct rte_mbuf *m;
    struct flow_key key;

    memset(frame, 0x42, sizeof frame);
    for (uint32_t i = 0; i < n_vlans; i++) {
        env_put16(frame + 12 + 4 * i, 0x8100);
    }
    env_put16(frame + 12 + 4 * n_vlans, 0x88b5);
    env_reset(VPORT_CAP_CHAIN, mtu);
    m = dpdk_env_packet(frame, l3 + l3_len, SHAPE_BIG, 0);
    CU_ASSERT_EQUAL_FATAL(parse_packet(pkt_data(m), m->data_len, m->pkt_len,
                                       &key, &pkt_meta(m)->ofs), PARSE_OK);
    if (tnl) {
        m = env_encap(m, tnl, ENV_TNL_PORT);
    }
    pass(m);
}

static void
test_non_ip(void)
{
    const struct env_tnl tnl = { .df = true };

    for (uint32_t n_vlans = 0; n_vlans <= 2; n_vlans++) {
        send_non_ip(n_vlans, 1500, NULL, 1500);
        CU_ASSERT_EQUAL(env_n_sent, 1);
        env_free_sent();
        send_non_ip(n_vlans, 1501, NULL, 1500);
        CU_ASSERT_EQUAL(env_n_sent, 0);
        CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_BIG_NOT_IP], 1);

        /* Within a tunnel tags are payload. */
        send_non_ip(n_vlans, 1450 - 4 * n_vlans, &tnl, 1500);
        CU_ASSERT_EQUAL(env_n_sent, 1);
        env_free_sent();
        send_non_ip(n_vlans, 1451 - 4 * n_vlans, &tnl, 1500);
        CU_ASSERT_EQUAL(env_n_sent, 0);
        CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_BIG_NOT_IP], 1);
    }
    send_non_ip(0, 65485, &tnl, 65535);
    CU_ASSERT_EQUAL(env_n_sent, 1);
    env_free_sent();
    send_non_ip(0, 65486, &tnl, 65535);
    CU_ASSERT_EQUAL(env_n_sent, 0);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_TOO_LONG_ENCAP], 1);
    CU_ASSERT(dpdk_env_is_full());
}

/* Many packets of one tunnel: one sequence, also over several packets. */
static void
test_gre_sequence(void)
{
    struct env_frame f = {
        .version = 6, .proto = IPPROTO_UDP, .payload_len = 100,
    };
    const struct env_tnl tnl = { .is_gre = true, .seq = true, .key = true };
    uint32_t last = 0, last_id = 0, len;

    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    for (int i = 0; i < 50; i++) {
        pass(env_encap(env_packet(&f, &bytes, SHAPE_BIG), &tnl,
                       ENV_TNL_PORT + 5));
    }
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 50);
    for (unsigned int i = 0; i < env_n_sent; i++) {
        CU_ASSERT(env_bytes_of(env_sent[i], got, &len));
        if (i) {
            CU_ASSERT_EQUAL(env_get32(got + 14 + 20 + 8), last + 1);
            CU_ASSERT_EQUAL(env_get16(got + 14 + 4), last_id + 1);
        }
        last = env_get32(got + 14 + 20 + 8);
        last_id = env_get16(got + 14 + 4);
    }
    env_free_sent();
}

static void
test_one_train(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_TCP, .tcp_flags = 0x10,
        .payload_len = 60000, .csum = ENV_CSUM_PARTIAL,
        .gso = PKT_GSO_TCP4, .gso_size = 1460,
    };
    const struct env_tnl tnl = { .df = true };
    unsigned int n = 0;
    const char *error;
    uint32_t len;

    env_reset(VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_USO
              | VPORT_CAP_TRAIN, 1500);
    env_build(&f, &bytes);
    pass(env_encap(env_packet(&f, &bytes, SHAPE_SMALL_BIG), &tnl,
                   ENV_TNL_PORT));
    CU_ASSERT_EQUAL_FATAL(env_n_sent, 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.trains_tx, 1);
    CU_ASSERT_EQUAL(env_vport_pmd.c.segments, 43);
    CU_ASSERT_EQUAL(pkt_meta(env_sent[0])->need.gso, PKT_GSO_USO);
    CU_ASSERT_EQUAL(pkt_meta(env_sent[0])->need.gso_size, 1500 - 28);
    while (env_piece(env_sent[0], n, got, &len, &error)) {
        n++;
    }
    CU_ASSERT_EQUAL(n, 43);
    env_free_sent();

    /* Not without the port's word. */
    env_reset(VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_USO, 1500);
    pass(env_encap(env_packet(&f, &bytes, SHAPE_SMALL_BIG), &tnl,
                   ENV_TNL_PORT));
    CU_ASSERT_EQUAL(env_n_sent, 43);
    env_free_sent();
    CU_ASSERT(dpdk_env_is_full());
}

/* A packet that is shared, to a port that is down: one drop, and the sharer
 * unharmed. */
static void
test_down_port_and_sharing(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = 500,
        .csum = ENV_CSUM_PARTIAL,
    };
    struct rte_mbuf *m, *clone;
    uint32_t len;

    env_reset(VPORT_CAP_CHAIN, 1500);
    env_build(&f, &bytes);
    m = env_packet(&f, &bytes, SHAPE_BIG);
    clone = pkt_clone(m);
    atomic_store(&env_vport.up, false);
    pass(m);
    CU_ASSERT_EQUAL(env_n_sent, 0);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_PORT_DOWN], 1);
    CU_ASSERT_EQUAL(env_n_drops(), 1);
    len = dpdk_env_bytes(clone, got, sizeof got);
    CU_ASSERT_EQUAL(len, bytes.len);
    CU_ASSERT(!memcmp(got, bytes.b, len));
    rte_pktmbuf_free(clone);
    CU_ASSERT(dpdk_env_is_full());
}

void
suite_egress(void)
{
    CU_pSuite suite = CU_add_suite("egress", NULL, NULL);

    CU_add_test(suite, "SCTP's CRC32c", test_sctp);
    CU_add_test(suite, "a checksum anywhere", test_csum_anywhere);
    CU_add_test(suite, "neither IPv4 nor IPv6", test_non_ip);
    CU_add_test(suite, "GRE sequence and outer ID", test_gre_sequence);
    CU_add_test(suite, "64 kB as one train", test_one_train);
    CU_add_test(suite, "a port that is down, a packet that is shared",
                test_down_port_and_sharing);
}
