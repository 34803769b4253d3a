/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/tnl/tnl_vxlan.c: every byte that is sent, every bit that is
 * refused.  The packets were written from RFC 7348 and compared with those
 * that scapy makes. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/pkt/wire.h"
#include "tests/unit/tnl/tnl_test.h"

void suite_tnl_vxlan(void);

static const struct tnl_golden goldens[] = {
    {"plain",
     "remote_ip=192.0.2.2",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 00 00 40 00 40 11 b6 95 c0 00 02 01 c0 00 02 02 "
     "80 00 12 b5 00 3f 00 00 08 00 00 00 00 00 00 00 "},
    {"VNI, last port",
     "remote_ip=192.0.2.2,key=0x010203",
     TNL_INNER_IP4, false, 0xffffffff, 0x0, 0x10203,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 00 00 40 00 40 11 b6 95 c0 00 02 01 c0 00 02 02 "
     "ee 48 12 b5 00 3f 00 00 08 00 00 00 01 02 03 00 "},
    {"largest VNI",
     "remote_ip=192.0.2.2,key=16777215",
     TNL_INNER_IP4, false, 0x80000000, 0x0, 0xffffff,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 00 00 40 00 40 11 b6 95 c0 00 02 01 c0 00 02 02 "
     "b7 24 12 b5 00 3f 00 00 08 00 00 00 ff ff ff 00 "},
    {"csum",
     "remote_ip=192.0.2.2,key=7,csum=true",
     TNL_INNER_IP4, false, 0x12345678, 0x0, 0x7,
     FLOW_TUN_KEY | FLOW_TUN_CSUM | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 00 00 40 00 40 11 b6 95 c0 00 02 01 c0 00 02 02 "
     "87 d7 12 b5 00 3f d8 a9 08 00 00 00 00 00 07 00 "},
    {"dst_port",
     "remote_ip=192.0.2.2,key=7,dst_port=8472",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x7,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 00 00 40 00 40 11 b6 95 c0 00 02 01 c0 00 02 02 "
     "80 00 21 18 00 3f 00 00 08 00 00 00 00 00 07 00 "},
    {"DF clear: ID from the counter",
     "remote_ip=192.0.2.2,key=7,df_default=false",
     TNL_INNER_IP4, false, 0x0, 0x1abcd, 0x7,
     FLOW_TUN_KEY,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 ab cd 00 00 40 11 4a c8 c0 00 02 01 c0 00 02 02 "
     "80 00 12 b5 00 3f 00 00 08 00 00 00 00 00 07 00 "},
    {"tos, ttl given",
     "remote_ip=192.0.2.2,tos=0x28,ttl=3",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 29 00 53 00 00 40 00 03 11 f3 6d c0 00 02 01 c0 00 02 02 "
     "80 00 12 b5 00 3f 00 00 08 00 00 00 00 00 00 00 "},
    {"tos, ttl inherited",
     "remote_ip=192.0.2.2,tos=inherit,ttl=inherit",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 b9 00 53 00 00 40 00 11 11 e4 dd c0 00 02 01 c0 00 02 02 "
     "80 00 12 b5 00 3f 00 00 08 00 00 00 00 00 00 00 "},
    {"ARP inherits nothing",
     "remote_ip=192.0.2.2,tos=inherit,ttl=inherit",
     TNL_INNER_ARP, false, 0x0, 0x0, 0x0,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 00 00 4e 00 00 40 00 40 11 b6 9b c0 00 02 01 c0 00 02 02 "
     "80 00 12 b5 00 3a 00 00 08 00 00 00 00 00 00 00 "},
    {"IPv6 inside IPv4",
     "remote_ip=192.0.2.2,tos=inherit,ttl=inherit,csum=true",
     TNL_INNER_IP6, false, 0x0, 0x0, 0x0,
     FLOW_TUN_KEY | FLOW_TUN_CSUM | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 03 00 68 00 00 40 00 c8 11 2e 7e c0 00 02 01 c0 00 02 02 "
     "80 00 12 b5 00 54 e2 70 08 00 00 00 00 00 00 00 "},
    {"over IPv6 with a checksum, as OVS",
     "remote_ip=2001:db8::2,key=5",
     TNL_INNER_IP4, true, 0x0, 0x0, 0x5,
     FLOW_TUN_KEY | FLOW_TUN_CSUM,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "60 10 00 00 00 3f 11 40 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "80 00 12 b5 00 3f 0b 10 08 00 00 00 00 00 05 00 "},
    {"over IPv6: csum, inherited",
     "remote_ip=2001:db8::2,key=5,csum=true,tos=inherit,ttl=inherit",
     TNL_INNER_IP4, true, 0x0, 0x0, 0x5,
     FLOW_TUN_KEY | FLOW_TUN_CSUM,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "6b 90 00 00 00 3f 11 11 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "80 00 12 b5 00 3f 0b 10 08 00 00 00 00 00 05 00 "},
    {"over IPv6: ARP",
     "remote_ip=2001:db8::2,key=5,tos=0x60",
     TNL_INNER_ARP, true, 0x0, 0x0, 0x5,
     FLOW_TUN_KEY | FLOW_TUN_CSUM,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "66 00 00 00 00 3a 11 40 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "80 00 12 b5 00 3a d4 ea 08 00 00 00 00 00 05 00 "},
};

static void
test_packets(void)
{
    tnl_test_golden("vxlan", goldens, ARRAY_SIZE(goldens));
}

static const struct tnl_ops *
vxlan(void)
{
    return tnl_ops_get(tnl_type_from_name("vxlan"));
}

/* Only the I flag counts; whatever else is set is ignored. */
static void
test_reserved_bits(void)
{
    for (unsigned int bit = 0; bit < 64; bit++) {
        uint8_t l4[] = {
            0x80, 0x00, 0x12, 0xb5, 0x00, 0x10, 0x00, 0x00,
            0x08, 0x00, 0x00, 0x00, 0x12, 0x34, 0x56, 0x00,
        };
        struct tnl_md md;
        size_t n = 0;
        bool is_i = bit == 4;
        bool is_vni = bit >= 32 && bit < 56;
        uint64_t vni = 0x123456 ^ (is_vni ? UINT64_C(1) << (55 - bit) : 0);

        memset(&md, 0, sizeof md);
        l4[8 + bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
        CU_ASSERT_EQUAL(vxlan()->pop(l4, sizeof l4, sizeof l4, &md, &n),
                        is_i ? TNL_FLAGS : TNL_OK);
        if (!is_i) {
            CU_ASSERT_EQUAL(be64toh(md.id), vni);
            CU_ASSERT_EQUAL(md.flags, FLOW_TUN_KEY);
            CU_ASSERT_EQUAL(md.dst_port, 4789);
            CU_ASSERT_EQUAL(n, 16);
        }
    }
}

/* The VXLAN header lies within what UDP says is its own. */
static void
test_udp_length(void)
{
    for (unsigned int udp_len = 8; udp_len <= 24; udp_len++) {
        uint8_t l4[24] = {0x80, 0, 0x12, 0xb5, 0, (uint8_t) udp_len, 1, 2, 8};
        struct tnl_md md;
        size_t n;

        memset(&md, 0, sizeof md);
        CU_ASSERT_EQUAL(vxlan()->pop(l4, sizeof l4, sizeof l4, &md, &n),
                        udp_len < 16 ? TNL_SHORT : TNL_OK);
        if (udp_len >= 16) {
            CU_ASSERT_EQUAL(md.flags, FLOW_TUN_KEY | FLOW_TUN_CSUM);
        }
    }
}

/* A checksum that comes to 0 is sent as 0xffff (RFC 768). */
static void
test_csum_zero(void)
{
    struct tnl_cfg cfg = tnl_test_cfg("vxlan",
                                      "remote_ip=192.0.2.2,csum=true");
    uint8_t frame[TNL_TEST_MAX], packet[TNL_TEST_MAX];
    size_t frame_len = tnl_test_inner(TNL_INNER_IP4, frame);
    unsigned int n_zero = 0;

    /* Two free bytes go through all values: one of them makes it. */
    for (unsigned int x = 0; x <= UINT16_MAX; x++) {
        const struct udp_hdr *udp;
        size_t len;

        frame[0] = (uint8_t) (x >> 8);
        frame[1] = (uint8_t) x;
        len = tnl_test_encap(&cfg, false, frame, frame_len, 0, 0, packet);
        udp = (const struct udp_hdr *) (packet + 34);
        CU_ASSERT_NOT_EQUAL(udp->csum, 0);
        if (udp->csum == 0xffff) {
            struct flow_key key;
            struct pkt_ofs ofs;

            CU_ASSERT_EQUAL(parse_packet(packet, len, len, &key, &ofs),
                            PARSE_OK);
            CU_ASSERT(tnl_test_csum_ok(vxlan(), packet, &key, &ofs));
            n_zero++;
        }
    }
    CU_ASSERT(n_zero > 0);
}

/* Source ports stay within the range, reach both ends and spread evenly. */
static void
test_entropy(void)
{
    struct tnl_cfg cfg = tnl_test_cfg("vxlan", "remote_ip=192.0.2.2");
    struct tnl_hop hop = tnl_test_hop(false);
    unsigned int buckets[16] = {0};
    const unsigned int n = 1 << 16;
    struct flow_key inner;
    struct tnl_push push;
    uint8_t hdr[TNL_MAX_HDR];

    memset(&inner, 0, sizeof inner);
    tnl_build(&cfg, &hop, 0, 1, &push);
    for (unsigned int i = 0; i < n; i++) {
        unsigned int port;

        tnl_apply(&push, hdr, &inner, tnl_test_random());
        port = (unsigned int) hdr[34] << 8 | hdr[35];
        if (port < 32768 || port > 61000) {
            CU_FAIL("out of range");
            break;
        }
        buckets[(port - 32768) * 16 / 28233]++;
    }
    for (unsigned int i = 0; i < 16; i++) {
        CU_ASSERT(buckets[i] > n / 16 * 9 / 10);
        CU_ASSERT(buckets[i] < n / 16 * 11 / 10);
    }
}

static void
check_format(const char *hex, const char *want)
{
    struct str s = STR_INIT;
    uint8_t l4[64];
    size_t len = tnl_test_hex(hex, l4);

    vxlan()->format(&s, l4, len);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), want);
    str_fini(&s);
}

static void
test_format(void)
{
    check_format("", "");
    check_format("00 00 12 b5 00 00 00 00",
                 "udp(src=0,dst=4789,csum=0x0)");
    check_format("00 00 12 b5 00 00 00 00 08 00 00 00 00 00 7b 00",
                 "udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,"
                 "vni=0x7b)");
}

void
suite_tnl_vxlan(void)
{
    CU_pSuite suite = CU_add_suite("tnl_vxlan", NULL, NULL);

    CU_add_test(suite, "packets, byte for byte", test_packets);
    CU_add_test(suite, "reserved bits", test_reserved_bits);
    CU_add_test(suite, "UDP length", test_udp_length);
    CU_add_test(suite, "checksum 0", test_csum_zero);
    CU_add_test(suite, "source ports", test_entropy);
    CU_add_test(suite, "text", test_format);
}
