/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/tnl/tnl.c: what all types have in common. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pkt/wire.h"
#include "tests/unit/tnl/tnl_test.h"

void suite_tnl(void);

static void
test_types(void)
{
    CU_ASSERT_EQUAL(tnl_type_from_name(""), TNL_TYPE_NONE);
    CU_ASSERT_EQUAL(tnl_type_from_name("geneve"), TNL_TYPE_NONE);
    CU_ASSERT_EQUAL(tnl_type_from_name("GRE"), TNL_TYPE_NONE);
    CU_ASSERT_NOT_EQUAL(tnl_type_from_name("gre"), TNL_TYPE_NONE);
    CU_ASSERT_NOT_EQUAL(tnl_type_from_name("vxlan"), TNL_TYPE_NONE);
    for (tnl_type i = 0; i < tnl_n_types(); i++) {
        const struct tnl_ops *ops = tnl_ops_get(i);

        CU_ASSERT_EQUAL(tnl_type_from_name(ops->name), i);
        CU_ASSERT(sizeof(struct eth_hdr) + sizeof(struct ip6_hdr_wire)
                  + ops->max_l4_len <= TNL_MAX_HDR);
    }
}

static void
test_status(void)
{
    CU_ASSERT_STRING_EQUAL(tnl_status_to_string(TNL_OK), "ok");
    CU_ASSERT_STRING_EQUAL(tnl_status_to_string(TNL_FRAG),
                           "the tunnel packet is itself an IP fragment");
    for (int i = TNL_OK + 1; i < TNL_N_STATUS; i++) {
        CU_ASSERT_STRING_NOT_EQUAL(tnl_status_to_string(i), "ok");
    }
}

static void
test_overhead(void)
{
    static const struct {
        const char *type;
        const char *options;
        unsigned int overhead;  /* Over IPv4; IPv6 has 20 more. */
    } cases[] = {
        {"gre", "remote_ip=192.0.2.2", 24},
        {"gre", "remote_ip=192.0.2.2,key=0", 24},
        {"gre", "remote_ip=192.0.2.2,in_key=5", 24},
        {"gre", "remote_ip=192.0.2.2,key=5", 28},
        {"gre", "remote_ip=192.0.2.2,key=flow", 28},
        {"gre", "remote_ip=192.0.2.2,key=flow,csum=true", 32},
        {"gre", "remote_ip=192.0.2.2,key=flow,csum=true,seq=true", 36},
        {"vxlan", "remote_ip=192.0.2.2", 36},
        {"vxlan", "remote_ip=192.0.2.2,key=5,csum=true", 36},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tnl_cfg cfg = tnl_test_cfg(cases[i].type, cases[i].options);

        CU_ASSERT_EQUAL(tnl_overhead(&cfg, false), cases[i].overhead);
        CU_ASSERT_EQUAL(tnl_overhead(&cfg, true), cases[i].overhead + 20);
    }
}

/* A template tells the datapath what it has to supply. */
static void
test_template(void)
{
    struct tnl_hop hop = tnl_test_hop(false);
    struct tnl_hop hop6 = tnl_test_hop(true);
    struct tnl_push push, again;
    struct tnl_cfg cfg;

    hop.path_mtu = 1400;
    cfg = tnl_test_cfg("vxlan", "remote_ip=192.0.2.2,key=flow,"
                       "icmp_too_big=false");
    memset(&push, 0x55, sizeof push);
    memset(&again, 0xaa, sizeof again);
    tnl_build(&cfg, &hop, htobe64(UINT64_C(0xff00abcdef)), 77, &push);
    tnl_build(&cfg, &hop, htobe64(UINT64_C(0xee00abcdef)), 77, &again);
    CU_ASSERT(!memcmp(&push, &again, sizeof push));
    CU_ASSERT_EQUAL(push.tnl_port, 77);
    CU_ASSERT_EQUAL(push.type, cfg.type);
    CU_ASSERT_EQUAL(push.path_mtu, 1400);
    CU_ASSERT_EQUAL(push.hdr_len, 50);
    CU_ASSERT_EQUAL(push.l3_ofs, 14);
    CU_ASSERT_EQUAL(push.l4_ofs, 34);
    CU_ASSERT(!push.csum && !push.seq && !push.ip_id && push.entropy);
    CU_ASSERT(!push.tos_inherit && !push.ttl_inherit && !push.icmp_too_big);
    CU_ASSERT(!memcmp(push.hdr + 46, "\xab\xcd\xef\0", 4));

    /* UDP over IPv6 has a checksum; an ID is for IPv4 that may fragment. */
    cfg = tnl_test_cfg("vxlan", "remote_ip=192.0.2.2,df_default=false,"
                       "tos=inherit,ttl=inherit");
    tnl_build(&cfg, &hop, 0, 1, &push);
    CU_ASSERT(!push.csum && push.ip_id);
    CU_ASSERT(push.tos_inherit && push.ttl_inherit && push.icmp_too_big);
    tnl_build(&cfg, &hop6, 0, 1, &push);
    CU_ASSERT(push.csum && !push.ip_id);
    CU_ASSERT_EQUAL(push.l4_ofs, 54);

    cfg = tnl_test_cfg("gre", "remote_ip=2001:db8::2,seq=true");
    tnl_build(&cfg, &hop6, 0, 1, &push);
    CU_ASSERT(!push.csum && push.seq && !push.entropy);
}

/* RFC 6040, 4.1, normal mode: the outer field is a copy of the inner one,
 * whatever is done with the rest of the TOS; not IP: Not-ECT. */
static void
test_ecn_encap(void)
{
    static const char *const options[] = {"tos=inherit", "tos=0xa8", "tos=0"};

    for (unsigned int i = 0; i < ARRAY_SIZE(options) * 2; i++) {
        bool ip6 = i & 1;
        char text[64] = "remote_ip=192.0.2.2,";
        struct tnl_hop hop = tnl_test_hop(ip6);
        struct tnl_push push;
        struct tnl_cfg cfg;

        strcat(text, options[i / 2]);
        cfg = tnl_test_cfg("gre", text);
        tnl_build(&cfg, &hop, 0, 1, &push);
        for (unsigned int tos = 0; tos <= UINT8_MAX; tos++) {
            unsigned int dscp = i / 2 == 1 ? 0xa8 : i / 2 ? 0 : tos & 0xfc;
            static const uint16_t dl_types[] = {ETH_TYPE_IP4, ETH_TYPE_IP6,
                                                ETH_TYPE_ARP, 0x8847};

            for (size_t j = 0; j < ARRAY_SIZE(dl_types); j++) {
                struct flow_key inner;
                uint8_t hdr[TNL_MAX_HDR];
                unsigned int got;
                unsigned int want = (j < 2 ? dscp | (tos & 3)
                                     : i / 2 == 1 ? 0xa8 : 0);

                memset(&inner, 0, sizeof inner);
                inner.dl_type = htons(dl_types[j]);
                inner.nw_tos = (uint8_t) tos;
                tnl_apply(&push, hdr, &inner, 0);
                got = (ip6 ? (hdr[14] << 4 | hdr[15] >> 4) & 0xff : hdr[15]);
                CU_ASSERT_EQUAL(got, want);
                if (ip6) {
                    CU_ASSERT_EQUAL(hdr[14] >> 4, 6);
                    CU_ASSERT_EQUAL(hdr[15] & 0x0f, 0);
                }
            }
        }
    }
}

/* RFC 6040, figure 4, with all DSCPs around it. */
static void
test_ecn_decap(void)
{
    enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, DROP = -1 };
    static const int table[4][4] = {
        /*            outer  Not-ECT  ECT(1)   ECT(0)   CE */
        [NOT_ECT] = {        NOT_ECT, NOT_ECT, NOT_ECT, DROP},
        [ECT_1] =   {        ECT_1,   ECT_1,   ECT_1,   CE},
        [ECT_0] =   {        ECT_0,   ECT_1,   ECT_0,   CE},
        [CE] =      {        CE,      CE,      CE,      CE},
    };

    for (unsigned int inner = 0; inner <= UINT8_MAX; inner++) {
        for (unsigned int outer = 0; outer <= UINT8_MAX; outer++) {
            int ecn = table[inner & 3][outer & 3];
            int want = ecn < 0 ? -1 : (int) (inner & 0xfc) | ecn;

            CU_ASSERT_EQUAL(tnl_ecn_decap((uint8_t) inner, (uint8_t) outer),
                            want);
        }
    }
}

/* A fragment of a tunnel packet is refused, whichever it is. */
static void
test_fragments(void)
{
    for (tnl_type type = 0; type < tnl_n_types(); type++) {
        struct tnl_cfg cfg = tnl_test_cfg(tnl_ops_get(type)->name,
                                          "remote_ip=192.0.2.2,key=5");
        uint8_t frame[TNL_TEST_MAX], packet[TNL_TEST_MAX];
        size_t frame_len = tnl_test_inner(TNL_INNER_IP4, frame);
        size_t len = tnl_test_encap(&cfg, false, frame, frame_len, 0, 0,
                                    packet);
        static const uint16_t frags[] = {IP4_MF, IP4_MF | 8, 8, 1, 0x1fff};
        struct flow_key key;
        struct pkt_ofs ofs;
        struct tnl_md md;
        size_t inner_ofs;
        bool verify;

        for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
            packet[20] = (uint8_t) (frags[i] >> 8);
            packet[21] = (uint8_t) frags[i];
            CU_ASSERT_EQUAL(tnl_test_pop(type, packet, len, &key, &ofs, &md,
                                         &inner_ofs, &verify), TNL_FRAG);
        }

        /* Over IPv6 with a fragment header in between. */
        uint8_t packet6[TNL_TEST_MAX];
        size_t len6 = tnl_test_encap(&cfg, true, frame, frame_len, 0, 0,
                                     packet6);
        for (unsigned int ofs_m = 0; ofs_m < 16; ofs_m++) {
            uint8_t f[TNL_TEST_MAX];
            be16 payload_len = htons((uint16_t) (len6 - 54 + 8));

            memcpy(f, packet6, 54);
            memset(f + 54, 0, 8);
            memcpy(f + 62, packet6 + 54, len6 - 54);
            memcpy(f + 18, &payload_len, 2);
            f[54] = f[20];
            f[20] = IPPROTO_FRAGMENT;
            f[57] = (uint8_t) ofs_m;
            CU_ASSERT_EQUAL(parse_packet(f, len6 + 8, len6 + 8, &key, &ofs),
                            PARSE_OK);
            if (key.nw_frag) {
                CU_ASSERT_EQUAL(tnl_pop(type, &key, &ofs, f, len6 + 8,
                                        len6 + 8, &md, &inner_ofs, &verify),
                                TNL_FRAG);
            } else {
                /* "Atomic fragment" (RFC 6946): only if the parser says so. */
                CU_ASSERT(!(ofs_m & 0xf9));
                CU_ASSERT_EQUAL(tnl_pop(type, &key, &ofs, f, len6 + 8,
                                        len6 + 8, &md, &inner_ofs, &verify),
                                TNL_OK);
                CU_ASSERT_EQUAL(inner_ofs, len6 + 8 - frame_len);
            }
        }
    }
}

/* What tnl_pop() is told must fit the packet; else it says no. */
static void
test_other_packets(void)
{
    uint8_t frame[TNL_TEST_MAX];
    struct flow_key key;
    struct pkt_ofs ofs;
    struct tnl_md md;
    size_t inner_ofs;
    bool verify;
    size_t len = tnl_test_inner(TNL_INNER_ARP, frame);

    for (tnl_type type = 0; type < tnl_n_types(); type++) {
        len = tnl_test_inner(TNL_INNER_ARP, frame);
        CU_ASSERT_NOT_EQUAL(tnl_test_pop(type, frame, len, &key, &ofs, &md,
                                         &inner_ofs, &verify), TNL_OK);
        len = tnl_test_inner(TNL_INNER_IP6, frame);
        CU_ASSERT_NOT_EQUAL(tnl_test_pop(type, frame, len, &key, &ofs, &md,
                                         &inner_ofs, &verify), TNL_OK);

        /* ARP whose opcode is the tunnel's protocol number. */
        len = tnl_test_inner(TNL_INNER_ARP, frame);
        frame[21] = tnl_ops_get(type)->ip_proto;
        CU_ASSERT_NOT_EQUAL(tnl_test_pop(type, frame, len, &key, &ofs, &md,
                                         &inner_ofs, &verify), TNL_OK);
    }
}

/* Padding of the outer frame stays outside of the inner one. */
static void
test_padding(void)
{
    for (tnl_type type = 0; type < tnl_n_types(); type++) {
        struct tnl_cfg cfg = tnl_test_cfg(tnl_ops_get(type)->name,
                                          "remote_ip=192.0.2.2,csum=true");
        uint8_t frame[TNL_TEST_MAX], packet[TNL_TEST_MAX];
        size_t frame_len = tnl_test_inner(TNL_INNER_IP4, frame);
        size_t len = tnl_test_encap(&cfg, false, frame, frame_len, 0, 0,
                                    packet);
        struct flow_key key;
        struct pkt_ofs ofs;
        struct tnl_md md;
        size_t inner_ofs;
        bool verify;

        memset(packet + len, 0x99, 20);
        CU_ASSERT_EQUAL(tnl_test_pop(type, packet, len + 20, &key, &ofs, &md,
                                     &inner_ofs, &verify), TNL_OK);
        CU_ASSERT_EQUAL(ofs.l3_end - inner_ofs, frame_len);
        CU_ASSERT(tnl_test_csum_ok(tnl_ops_get(type), packet, &key, &ofs));
    }
}

/* A tunnel in a tunnel in a tunnel, of all types, in and out again. */
static void
test_nested(void)
{
    enum { DEPTH = 6 };
    uint8_t a[TNL_TEST_MAX], b[TNL_TEST_MAX], first[TNL_TEST_MAX];
    size_t first_len = tnl_test_inner(TNL_INNER_IP4, first);
    size_t len = first_len;

    memcpy(a, first, len);
    for (unsigned int i = 0; i < DEPTH; i++) {
        tnl_type type = (tnl_type) (i % tnl_n_types());
        struct tnl_cfg cfg = tnl_test_cfg(tnl_ops_get(type)->name,
                                          "remote_ip=192.0.2.2,key=5,"
                                          "csum=true,tos=inherit");

        len = tnl_test_encap(&cfg, i & 2, a, len, i, i, b);
        memcpy(a, b, len);
    }
    for (unsigned int i = DEPTH; i-- > 0; ) {
        tnl_type type = (tnl_type) (i % tnl_n_types());
        struct flow_key key;
        struct pkt_ofs ofs;
        struct tnl_md md;
        size_t inner_ofs = 0;
        bool verify = false;

        CU_ASSERT_EQUAL_FATAL(tnl_test_pop(type, a, len, &key, &ofs, &md,
                                           &inner_ofs, &verify), TNL_OK);
        CU_ASSERT(verify);
        CU_ASSERT(tnl_test_csum_ok(tnl_ops_get(type), a, &key, &ofs));
        CU_ASSERT_EQUAL(md.tos, 0xb9);
        CU_ASSERT_EQUAL(md.id, htobe64(5));
        len -= inner_ofs;
        memmove(a, a + inner_ofs, len);
    }
    CU_ASSERT_EQUAL(len, first_len);
    CU_ASSERT(!memcmp(a, first, len));
}

/* Bytes changed, cut and grown at random: no read outside (the packet lies in
 * memory of its exact size), and what is popped lies within the packet. */
static void
test_mutations(void)
{
    unsigned int n_ok = 0, n_refused = 0;

    for (unsigned int round = 0; round < 200000; round++) {
        static const char *const options[] = {
            "remote_ip=192.0.2.2", "remote_ip=192.0.2.2,key=5,csum=true",
        };
        static struct tnl_cfg cfgs[2][2];
        tnl_type type = (tnl_type) (round % 2 % tnl_n_types());
        struct tnl_cfg *cfg = &cfgs[type][round / 2 % 2];
        uint8_t frame[TNL_TEST_MAX], packet[TNL_TEST_MAX];
        uint8_t *exact;
        struct flow_key key;
        struct pkt_ofs ofs;
        struct tnl_md md;
        size_t inner_ofs, frame_len, len, head_len;
        bool verify;

        if (!cfg->ttl) {
            *cfg = tnl_test_cfg(tnl_ops_get(type)->name,
                                options[round / 2 % 2]);
        }
        frame_len = tnl_test_inner(round % 3, frame);
        len = tnl_test_encap(cfg, round & 4, frame, frame_len, round, round,
                             packet);
        for (unsigned int n = tnl_test_random() % 4; n > 0; n--) {
            packet[tnl_test_random() % len] ^= 1u << tnl_test_random() % 8;
        }
        if (!(tnl_test_random() % 4)) {
            len = tnl_test_random() % (len + 1);
        }
        head_len = (tnl_test_random() % 4 ? len
                    : tnl_test_random() % (len + 1));
        exact = malloc(head_len ? head_len : 1);
        memcpy(exact, packet, head_len);
        if (parse_packet(exact, head_len, len, &key, &ofs) == PARSE_OK
            && tnl_pop(type, &key, &ofs, exact, head_len, len, &md,
                       &inner_ofs, &verify) == TNL_OK) {
            CU_ASSERT(inner_ofs <= head_len);
            CU_ASSERT(inner_ofs <= ofs.l3_end);
            CU_ASSERT(ofs.l3_end <= len);
            n_ok++;
        } else {
            n_refused++;
        }
        free(exact);
    }
    CU_ASSERT(n_ok > 50000);
    CU_ASSERT(n_refused > 50000);
}

void
suite_tnl(void)
{
    CU_pSuite suite = CU_add_suite("tnl", NULL, NULL);

    CU_add_test(suite, "table of types", test_types);
    CU_add_test(suite, "sentences", test_status);
    CU_add_test(suite, "overhead", test_overhead);
    CU_add_test(suite, "template", test_template);
    CU_add_test(suite, "ECN, encapsulation", test_ecn_encap);
    CU_add_test(suite, "ECN, decapsulation", test_ecn_decap);
    CU_add_test(suite, "outer fragments", test_fragments);
    CU_add_test(suite, "packets that are none of ours", test_other_packets);
    CU_add_test(suite, "padding", test_padding);
    CU_add_test(suite, "nested tunnels", test_nested);
    CU_add_test(suite, "mutations", test_mutations);
}
