/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/tnl/tnl_gre.c: every byte that is sent, every bit that is
 * refused.  The packets were written from RFC 2784 and RFC 2890 and compared
 * with those that scapy makes. */

#include <CUnit/CUnit.h>
#include <endian.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/pkt/csum.h"
#include "tests/unit/tnl/tnl_test.h"

void suite_tnl_gre(void);

static const struct tnl_golden goldens[] = {
    {"plain",
     "remote_ip=192.0.2.2",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 47 00 00 40 00 40 2f b6 83 c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"key",
     "remote_ip=192.0.2.2,key=0x01020304",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x1020304,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 4b 00 00 40 00 40 2f b6 7f c0 00 02 01 c0 00 02 02 "
     "20 00 65 58 01 02 03 04 "},
    {"key 0 is no key",
     "remote_ip=192.0.2.2,key=0",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 47 00 00 40 00 40 2f b6 83 c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"csum",
     "remote_ip=192.0.2.2,csum=true",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_CSUM | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 4b 00 00 40 00 40 2f b6 7f c0 00 02 01 c0 00 02 02 "
     "80 00 65 58 21 71 00 00 "},
    {"seq",
     "remote_ip=192.0.2.2,seq=true",
     TNL_INNER_IP4, false, 0x0, 0xfffffffe, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 4b 00 00 40 00 40 2f b6 7f c0 00 02 01 c0 00 02 02 "
     "10 00 65 58 ff ff ff fe "},
    {"key, csum, seq",
     "remote_ip=192.0.2.2,out_key=4294967295,csum=true,seq=true",
     TNL_INNER_IP4, false, 0x0, 0x7, 0xffffffff,
     FLOW_TUN_KEY | FLOW_TUN_CSUM | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 53 00 00 40 00 40 2f b6 77 c0 00 02 01 c0 00 02 02 "
     "b0 00 65 58 f1 69 00 00 ff ff ff ff 00 00 00 07 "},
    {"DF clear: ID from the counter",
     "remote_ip=192.0.2.2,df_default=false",
     TNL_INNER_IP4, false, 0x0, 0x1abcd, 0x0,
     0,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 47 ab cd 00 00 40 2f 4a b6 c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"DF clear and seq",
     "remote_ip=192.0.2.2,df_default=false,seq=true",
     TNL_INNER_IP4, false, 0x0, 0x1abcd, 0x0,
     0,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 4b ab cd 00 00 40 2f 4a b2 c0 00 02 01 c0 00 02 02 "
     "10 00 65 58 00 01 ab cd "},
    {"tos, ttl given",
     "remote_ip=192.0.2.2,tos=0x28,ttl=3",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 29 00 47 00 00 40 00 03 2f f3 5b c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"tos inherited",
     "remote_ip=192.0.2.2,tos=inherit",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 b9 00 47 00 00 40 00 40 2f b5 cb c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"ttl inherited",
     "remote_ip=192.0.2.2,ttl=inherit",
     TNL_INNER_IP4, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 01 00 47 00 00 40 00 11 2f e5 83 c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"ARP inherits nothing",
     "remote_ip=192.0.2.2,tos=inherit,ttl=inherit",
     TNL_INNER_ARP, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 00 00 42 00 00 40 00 40 2f b6 89 c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"ARP takes what is given",
     "remote_ip=192.0.2.2,tos=40,ttl=9",
     TNL_INNER_ARP, false, 0x0, 0x0, 0x0,
     FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 28 00 42 00 00 40 00 09 2f ed 61 c0 00 02 01 c0 00 02 02 "
     "00 00 65 58 "},
    {"IPv6 inside IPv4",
     "remote_ip=192.0.2.2,tos=inherit,ttl=inherit,key=1",
     TNL_INNER_IP6, false, 0x0, 0x0, 0x1,
     FLOW_TUN_KEY | FLOW_TUN_DF,
     "02 00 00 00 00 02 02 00 00 00 00 01 08 00 "
     "45 03 00 60 00 00 40 00 c8 2f 2e 68 c0 00 02 01 c0 00 02 02 "
     "20 00 65 58 00 00 00 01 "},
    {"over IPv6",
     "remote_ip=2001:db8::2",
     TNL_INNER_IP4, true, 0x0, 0x0, 0x0,
     0,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "60 10 00 00 00 33 2f 40 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "00 00 65 58 "},
    {"over IPv6: key, csum, seq",
     "remote_ip=2001:db8::2,key=5,csum=true,seq=true,df_default=false",
     TNL_INNER_IP4, true, 0x0, 0x9, 0x5,
     FLOW_TUN_KEY | FLOW_TUN_CSUM,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "60 10 00 00 00 3f 2f 40 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "b0 00 65 58 f1 62 00 00 00 00 00 05 00 00 00 09 "},
    {"over IPv6: tos, ttl inherited",
     "remote_ip=2001:db8::2,tos=inherit,ttl=inherit",
     TNL_INNER_IP4, true, 0x0, 0x0, 0x0,
     0,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "6b 90 00 00 00 33 2f 11 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "00 00 65 58 "},
    {"over IPv6: tos given",
     "remote_ip=2001:db8::2,tos=0xfc,ttl=255",
     TNL_INNER_IP6, true, 0x0, 0x0, 0x0,
     0,
     "02 00 00 00 00 02 02 00 00 00 00 01 86 dd "
     "6f f0 00 00 00 48 2f ff 20 01 0d b8 00 00 00 00 00 00 00 00 "
     "00 00 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "00 00 65 58 "},
};

static void
test_packets(void)
{
    tnl_test_golden("gre", goldens, ARRAY_SIZE(goldens));
}

/* Pops 'hex', a GRE header and what follows. */
static enum tnl_status
pop_hex(const char *hex, struct tnl_md *md, size_t *remove_len)
{
    const struct tnl_ops *ops = tnl_ops_get(tnl_type_from_name("gre"));
    uint8_t l4[64];
    size_t len = tnl_test_hex(hex, l4);

    memset(md, 0, sizeof *md);
    return ops->pop(l4, len, len, md, remove_len);
}

static void
test_flags(void)
{
    const struct tnl_ops *ops = tnl_ops_get(tnl_type_from_name("gre"));
    struct tnl_md md;
    size_t n;

    /* Each value of the flags: refused are routing, bits 4 and 5, versions. */
    for (unsigned int flags = 0; flags <= UINT16_MAX; flags++) {
        uint8_t l4[16] = {(uint8_t) (flags >> 8), (uint8_t) flags,
                          0x65, 0x58};
        enum tnl_status want = flags & 0x4c07 ? TNL_FLAGS : TNL_OK;

        memset(&md, 0, sizeof md);
        if (ops->pop(l4, sizeof l4, sizeof l4, &md, &n) != want) {
            CU_FAIL("flags");
        }
        if (want == TNL_OK) {
            CU_ASSERT_EQUAL(n, 4 + 4 * (flags >> 15) + 4 * (flags >> 13 & 1)
                               + 4 * (flags >> 12 & 1));
            CU_ASSERT_EQUAL(md.flags,
                            (flags & 0x8000 ? FLOW_TUN_CSUM : 0)
                            | (flags & 0x2000 ? FLOW_TUN_KEY : 0));
        }
    }

    CU_ASSERT_EQUAL(pop_hex("00 00 08 00 45 00 00 14", &md, &n), TNL_PROTO);
    CU_ASSERT_EQUAL(pop_hex("00 00 88 be 00 00 00 00", &md, &n), TNL_PROTO);
    CU_ASSERT_EQUAL(pop_hex("30 01 88 0b 00 00 00 00", &md, &n), TNL_FLAGS);

    /* Each option on its own line of the packet. */
    CU_ASSERT_EQUAL(pop_hex("b0 00 65 58 aa aa 00 00 01 02 03 04 05 06 07 08",
                            &md, &n), TNL_OK);
    CU_ASSERT_EQUAL(md.id, htobe64(0x01020304));
    CU_ASSERT_EQUAL(n, 16);
}

static void
check_format(const char *hex, const char *want)
{
    struct str s = STR_INIT;
    uint8_t l4[64];
    size_t len = tnl_test_hex(hex, l4);

    tnl_ops_get(tnl_type_from_name("gre"))->format(&s, l4, len);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), want);
    str_fini(&s);
}

static void
test_format(void)
{
    check_format("", "");
    check_format("00 00 65", "");
    check_format("00 00 65 58", "gre((flags=0x0,proto=0x6558))");
    check_format("20 00 65 58 00 01 e2 41",
                 "gre((flags=0x2000,proto=0x6558),key=0x1e241)");
    check_format("b0 00 65 58 ab cd 00 00 00 00 00 05 ff ff ff ff",
                 "gre((flags=0xb000,proto=0x6558),csum=0xabcd,key=0x5,"
                 "seq=0xffffffff)");
    check_format("b0 00 65 58 ab cd 00 00 00 00 00",
                 "gre((flags=0xb000,proto=0x6558),csum=0xabcd)");
}

/* A header completed twice, with another number and length, is as if it had
 * been completed once: each segment of a super-packet is. */
static void
test_finish_again(void)
{
    struct tnl_cfg cfg = tnl_test_cfg("gre", "remote_ip=192.0.2.2,csum=true,"
                                      "seq=true,key=9,df_default=false");
    uint8_t frame[TNL_TEST_MAX], once[TNL_TEST_MAX], twice[TNL_TEST_MAX];
    size_t frame_len = tnl_test_inner(TNL_INNER_IP4, frame);
    size_t len = tnl_test_encap(&cfg, false, frame, frame_len, 0, 2, once);
    const struct tnl_ops *ops = tnl_ops_get(cfg.type);

    tnl_test_encap(&cfg, false, frame, frame_len, 0, 1, twice);
    tnl_finish(ops, twice + 14, twice + 34, (uint32_t) (len - frame_len - 14),
               (uint32_t) (len - 14), TNL_CSUM_FULL,
               csum_add(0, frame, frame_len), true, 2);
    CU_ASSERT(!memcmp(once, twice, len));
}

void
suite_tnl_gre(void)
{
    CU_pSuite suite = CU_add_suite("tnl_gre", NULL, NULL);

    CU_add_test(suite, "packets, byte for byte", test_packets);
    CU_add_test(suite, "all flags", test_flags);
    CU_add_test(suite, "text", test_format);
    CU_add_test(suite, "headers completed again", test_finish_again);
}
