/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/pkt/parse.c: what it says of good frames, that it never reads
 * too far, and that it agrees with a naive second parser on bad ones. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"
#include "lib/pkt/wire.h"
#include "tests/unit/pkt/frames.h"
#include "tests/unit/pkt/ref_parse.h"

void suite_parse(void);

#define N_MUTATIONS 4000        /* Of each kind of frame. */

static uint64_t seed;

static uint32_t
rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1;
    return (uint32_t) (seed >> 32);
}

/* Parses with both; the bytes lie at the end of a heap block of their own, so
 * that the address sanitizer sees a read behind them.  The key is dirty
 * before. */
static enum parse_status
parse_both(const uint8_t *frame, size_t head_len, size_t frame_len,
           struct flow_key *key, struct pkt_ofs *ofs, const char *name)
{
    uint8_t *copy = malloc(head_len ? head_len : 1);
    enum parse_status status, ref_status;
    struct flow_key ref_key;
    struct pkt_ofs ref_ofs;
    bool is_same;

    memcpy(copy, frame, head_len);
    memset(key, 0xa5, sizeof *key);
    memset(ofs, 0xa5, sizeof *ofs);
    status = parse_packet(copy, head_len, frame_len, key, ofs);
    ref_status = ref_parse(copy, head_len, frame_len, &ref_key, &ref_ofs);
    free(copy);

    is_same = status == ref_status
              && (status || (!memcmp(key, &ref_key, sizeof *key)
                             && !memcmp(ofs, &ref_ofs, sizeof *ofs)));
    CU_ASSERT(is_same);
    if (!is_same) {
        printf("%s (%zu of %zu bytes): \"%s\", the naive parser says \"%s\"\n",
               name, head_len, frame_len, parse_status_to_string(status),
               parse_status_to_string(ref_status));
        if (!status && !ref_status) {
            struct str a = STR_INIT, b = STR_INIT;

            flow_format(&a, key, NULL, NULL, NULL);
            flow_format(&b, &ref_key, NULL, NULL, NULL);
            printf("%s l4 %u payload %u end %u\n%s l4 %u payload %u end %u\n",
                   str_cstr(&a), ofs->l4, ofs->payload, ofs->l3_end,
                   str_cstr(&b), ref_ofs.l4, ref_ofs.payload,
                   ref_ofs.l3_end);
            str_fini(&a);
            str_fini(&b);
        }
    }
    return status;
}

static enum parse_status
parse_frame(const uint8_t *frame, size_t len, struct flow_key *key,
            struct pkt_ofs *ofs)
{
    return parse_both(frame, len, len, key, ofs, "frame");
}

static const struct frame_spec *
find_spec(const char *name)
{
    for (size_t i = 0; i < n_frame_specs; i++) {
        if (!strcmp(frame_specs[i].name, name)) {
            return &frame_specs[i];
        }
    }
    abort();
}

/* Against texts written by hand: the reference parser could be wrong too. */
static void
test_known_frames(void)
{
#define HEAD "recirc_id(0),in_port(0),packet_type(ns=0,id=0)," \
             "eth(src=08:09:0a:0b:0c:0d,dst=02:03:04:05:06:07),"
#define V4 "src=10.11.12.13,dst=14.15.16.17,"
#define V6 "src=2021:2223:2425:2627:2829:2a2b:2c2d:2e2f," \
           "dst=3031:3233:3435:3637:3839:3a3b:3c3d:3e3f,label=0x12345,"
#define TAIL4 "tos=0x2e,ttl=64,"
#define TAIL6 "tclass=0x2e,hlimit=64,"
    static const struct {
        const char *name;
        const char *text;
        uint16_t l3, l4, payload, l3_end;
    } cases[] = {
        {"udp4", HEAD "eth_type(0x0800),ipv4(" V4 "proto=17," TAIL4
         "frag=no),udp(src=4370,dst=4884)", 14, 34, 42, 60},
        {"udp4 padded", HEAD "eth_type(0x0800),ipv4(" V4 "proto=17," TAIL4
         "frag=no),udp(src=4370,dst=4884)", 14, 34, 42, 43},
        {"udp4 qinq", HEAD "eth_type(0x88a8),vlan(vid=3,pcp=1),"
         "encap(eth_type(0x8100),vlan(vid=4,pcp=1),encap(eth_type(0x0800),"
         "ipv4(" V4 "proto=17," TAIL4 "frag=no),udp(src=4370,dst=4884)))",
         22, 42, 50, 68},
        {"udp4 options", HEAD "eth_type(0x0800),ipv4(" V4 "proto=17," TAIL4
         "frag=no),udp(src=4370,dst=4884)", 14, 74, 82, 100},
        {"udp4 first fragment", HEAD "eth_type(0x0800),ipv4(" V4 "proto=17,"
         TAIL4 "frag=first),udp(src=4370,dst=4884)", 14, 34, 42, 106},
        {"udp4 short first fragment", HEAD "eth_type(0x0800),ipv4(" V4
         "proto=17," TAIL4 "frag=first),udp(src=0,dst=0)", 14, 34,
         PKT_OFS_NONE, 38},
        {"udp4 later fragment", HEAD "eth_type(0x0800),ipv4(" V4 "proto=17,"
         TAIL4 "frag=later)", 14, PKT_OFS_NONE, PKT_OFS_NONE, 106},
        {"tcp4 options", HEAD "eth_type(0x0800),ipv4(" V4 "proto=6," TAIL4
         "frag=no),tcp(src=4370,dst=4884),tcp_flags(ack)", 14, 46, 106, 116},
        {"icmp4", HEAD "eth_type(0x0800),ipv4(" V4 "proto=1," TAIL4
         "frag=no),icmp(type=8,code=0)", 14, 34, 42, 98},
        {"gre4", HEAD "eth_type(0x0800),ipv4(" V4 "proto=47," TAIL4
         "frag=no)", 14, 34, PKT_OFS_NONE, 74},
        {"udp6 extensions", HEAD "eth_type(0x86dd),ipv6(" V6 "proto=17,"
         TAIL6 "frag=no),udp(src=4370,dst=4884)", 14, 98, 106, 124},
        {"udp6 later fragment", HEAD "eth_type(0x86dd),ipv6(" V6 "proto=44,"
         TAIL6 "frag=later)", 14, PKT_OFS_NONE, PKT_OFS_NONE, 142},
        {"udp6 atomic fragment", HEAD "eth_type(0x86dd),ipv6(" V6
         "proto=17," TAIL6 "frag=no),udp(src=4370,dst=4884)", 14, 62, 70,
         134},
        {"sctp6", HEAD "eth_type(0x86dd),ipv6(" V6 "proto=132," TAIL6
         "frag=no),sctp(src=4370,dst=4884)", 14, 54, 66, 82},
        {"ns vlan, three options", HEAD "eth_type(0x8100),vlan(vid=3,pcp=1),"
         "encap(eth_type(0x86dd),ipv6(" V6 "proto=58," TAIL6 "frag=no),"
         "icmpv6(type=135,code=0),"
         "nd(target=f0f1:f2f3:f4f5:f6f7:f8f9:fafb:fcfd:feff,"
         "sll=60:61:62:63:64:65,tll=61:62:63:64:65:66))", 18, 58, 62, 106},
        {"arp", HEAD "eth_type(0x0806),arp(sip=54.55.56.57,tip=64.65.66.67,"
         "op=1,sha=30:31:32:33:34:35,tha=3a:3b:3c:3d:3e:3f)", 14,
         PKT_OFS_NONE, PKT_OFS_NONE, 60},
        {"three tags", HEAD "eth_type(0x88a8),vlan(vid=3,pcp=1),"
         "encap(eth_type(0x8100),vlan(vid=4,pcp=1),encap(eth_type(0x8100)))",
         PKT_OFS_NONE, PKT_OFS_NONE, PKT_OFS_NONE, 68},
        {"802.3", HEAD "eth_type(0/0xffff)", PKT_OFS_NONE, PKT_OFS_NONE,
         PKT_OFS_NONE, 60},
    };
    static uint8_t frame[FRAME_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t len = frame_build(find_spec(cases[i].name), frame);
        struct flow_mask mask;
        struct flow_key key;
        struct pkt_ofs ofs;
        struct str s = STR_INIT;

        CU_ASSERT_EQUAL(parse_frame(frame, len, &key, &ofs), PARSE_OK);
        flow_mask_init_exact(&mask, &key);
        flow_format(&s, &key, &mask, NULL, NULL);
        CU_ASSERT_STRING_EQUAL(str_cstr(&s), cases[i].text);
        if (strcmp(str_cstr(&s), cases[i].text)) {
            printf("%s: %s\n", cases[i].name, str_cstr(&s));
        }
        str_fini(&s);
        CU_ASSERT_EQUAL(ofs.l2_5, 12);
        CU_ASSERT_EQUAL(ofs.l3, cases[i].l3);
        CU_ASSERT_EQUAL(ofs.l4, cases[i].l4);
        CU_ASSERT_EQUAL(ofs.payload, cases[i].payload);
        CU_ASSERT_EQUAL(ofs.l3_end, cases[i].l3_end);
    }
}

/* Every kind of frame, cut at every byte, and with a head of every length. */
static void
test_truncation(void)
{
    static uint8_t frame[FRAME_MAX];

    for (size_t i = 0; i < n_frame_specs; i++) {
        size_t len = frame_build(&frame_specs[i], frame);
        struct flow_key key;
        struct pkt_ofs ofs;

        CU_ASSERT_EQUAL(parse_both(frame, len, len, &key, &ofs,
                                   frame_specs[i].name), PARSE_OK);
        for (size_t n = 0; n < len; n++) {
            enum parse_status status;

            status = parse_both(frame, n, n, &key, &ofs,
                                frame_specs[i].name);
            /* Nothing but padding, or what has no length, may be missing. */
            if (ntohs(key.dl_type) == ETH_TYPE_IP4
                || ntohs(key.dl_type) == ETH_TYPE_IP6) {
                CU_ASSERT(status != PARSE_OK
                          || n >= len - frame_specs[i].padding);
            }
            parse_both(frame, n, len, &key, &ofs, frame_specs[i].name);
        }
    }
}

/* The frame as it is with the whole head and the rest elsewhere. */
static void
test_chain(void)
{
    static uint8_t frame[FRAME_MAX];

    for (size_t i = 0; i < n_frame_specs; i++) {
        size_t len = frame_build(&frame_specs[i], frame);
        struct flow_key whole, part;
        struct pkt_ofs whole_ofs, part_ofs;

        if (len > PARSE_HEAD_BYTES) {
            parse_both(frame, len, len, &whole, &whole_ofs, "whole");
            CU_ASSERT_EQUAL(parse_both(frame, PARSE_HEAD_BYTES, len, &part,
                                       &part_ofs, "part"), PARSE_OK);
            CU_ASSERT(!memcmp(&whole, &part, sizeof whole));
            CU_ASSERT(!memcmp(&whole_ofs, &part_ofs, sizeof whole_ofs));
        }
    }
}

/* Bytes that mean something, so that mutations go deep. */
static uint8_t
interesting_byte(void)
{
    static const uint8_t bytes[] = {
        0, 1, 2, 4, 5, 6, 8, 17, 43, 44, 45, 51, 58, 59, 60, 64, 0x40, 0x45,
        0x46, 0x4f, 0x50, 0x60, 0x81, 0x86, 0x88, 0xa8, 0xdd, 0xff, 132, 135,
        136, 0x7f, 0x80, 0xf0,
    };

    return rnd() % 3 ? bytes[rnd() % sizeof bytes] : (uint8_t) rnd();
}

static void
test_mutations(void)
{
    static uint8_t frame[FRAME_MAX], mutant[FRAME_MAX];
    unsigned int seen[PARSE_N_STATUS] = {0};

    seed = 1;
    for (size_t i = 0; i < n_frame_specs; i++) {
        size_t len = frame_build(&frame_specs[i], frame);

        for (int j = 0; j < N_MUTATIONS; j++) {
            unsigned int n_changes = 1 + rnd() % 4;
            size_t n = len;
            struct flow_key key;
            struct pkt_ofs ofs;

            memcpy(mutant, frame, len);
            while (n_changes--) {
                /* Mostly in the headers. */
                size_t span = rnd() % 4 ? MIN(len, 64u) : len;

                mutant[rnd() % span] = interesting_byte();
            }
            if (rnd() % 4 == 0) {
                n = rnd() % (len + 1);
            }
            seen[parse_both(mutant, rnd() % 4 ? n : rnd() % (n + 1), n, &key,
                            &ofs, frame_specs[i].name)]++;
        }
    }

    /* The mutations reach everything that the parser can say. */
    for (int i = 0; i < PARSE_N_STATUS; i++) {
        CU_ASSERT(seen[i] > 0);
        if (!seen[i]) {
            printf("never seen: %s\n", parse_status_to_string(i));
        }
    }
}

/* Where to put which byte to get which error; "headers" of the list of input
 * that lies. */
static void
test_lies(void)
{
    static const struct {
        const char *name;
        uint16_t ofs;
        uint8_t bytes[2];
        uint8_t n;
        enum parse_status status;
    } cases[] = {
        /* Total length above the frame, below the header, 0. */
        {"udp4", 16, {0, 47}, 2, PARSE_IP4_LEN},
        {"udp4", 16, {0xff, 0xff}, 2, PARSE_IP4_LEN},
        {"udp4", 16, {0, 19}, 2, PARSE_IP4_LEN},
        {"udp4", 16, {0, 0}, 2, PARSE_IP4_LEN},
        {"udp4", 16, {0, 27}, 2, PARSE_UDP_SHORT},
        {"udp4", 16, {0, 45}, 2, PARSE_UDP_LEN},
        {"udp4 options", 16, {0, 59}, 2, PARSE_IP4_LEN},
        {"udp4", 14, {0x55}, 1, PARSE_IP4_VERSION},
        {"udp4", 14, {0x44}, 1, PARSE_IP4_IHL},
        {"udp4", 14, {0x40}, 1, PARSE_IP4_IHL},
        {"udp4", 14, {0x4f}, 1, PARSE_IP4_IHL},
        {"udp4 padded", 14, {0x4b}, 1, PARSE_IP4_LEN},
        /* UDP length 0, below 8, above IP, one below IP. */
        {"udp4", 38, {0, 0}, 2, PARSE_UDP_LEN},
        {"udp4", 38, {0, 7}, 2, PARSE_UDP_LEN},
        {"udp4", 38, {0, 8}, 2, PARSE_OK},
        {"udp4", 38, {0, 25}, 2, PARSE_OK},
        {"udp4", 38, {0, 27}, 2, PARSE_UDP_LEN},
        {"udp4", 38, {0xff, 0xff}, 2, PARSE_UDP_LEN},
        {"udp4 first fragment", 38, {0xff, 0xff}, 2, PARSE_OK},
        {"udp4 first fragment", 38, {0, 0}, 2, PARSE_OK},
        {"udp4 later fragment", 38, {0, 0}, 2, PARSE_OK},
        {"udp6", 58, {0, 0}, 2, PARSE_UDP_LEN},
        /* Data offset below 5, beyond the packet. */
        {"tcp4", 46, {0x40}, 1, PARSE_TCP_OFS},
        {"tcp4", 46, {0x00}, 1, PARSE_TCP_OFS},
        {"tcp4", 46, {0x80}, 1, PARSE_TCP_OFS},
        {"tcp4", 46, {0x70}, 1, PARSE_OK},
        {"tcp4 first fragment", 46, {0xf0}, 1, PARSE_OK},
        {"tcp4 first fragment", 46, {0x40}, 1, PARSE_TCP_OFS},
        {"tcp6", 66, {0xf0}, 1, PARSE_TCP_OFS},
        /* IPv6 payload length 0, above; the version. */
        {"udp6", 18, {0, 0}, 2, PARSE_IP6_LEN},
        {"udp6", 18, {0, 27}, 2, PARSE_IP6_LEN},
        {"udp6", 18, {0, 25}, 2, PARSE_UDP_LEN},
        {"udp6", 14, {0x45}, 1, PARSE_IP6_VERSION},
        {"nothing6", 18, {0, 0}, 2, PARSE_OK},
        {"nothing6", 18, {0, 21}, 2, PARSE_IP6_LEN},
        /* Extension headers that lie about their length; one too many. */
        {"udp6 extensions", 55, {255}, 1, PARSE_IP6_EXT},
        {"udp6 extensions", 55, {8}, 1, PARSE_IP6_EXT},
        {"udp6 longest chain", 186, {60}, 1, PARSE_IP6_EXT},
        /* Neighbour discovery: option length 0, too long, cut. */
        {"ns", 79, {0}, 1, PARSE_ND_OPTION},
        {"ns", 79, {2}, 1, PARSE_ND_OPTION},
        {"ns", 79, {255}, 1, PARSE_ND_OPTION},
        {"ns", 18, {0, 31}, 2, PARSE_ND_OPTION},
        {"ns", 18, {0, 23}, 2, PARSE_ND_SHORT},
        {"ns", 18, {0, 3}, 2, PARSE_ICMP6_SHORT},
        {"ns", 55, {1}, 1, PARSE_OK},
        {"icmp4", 16, {0, 27}, 2, PARSE_ICMP_SHORT},
        {"sctp4", 16, {0, 31}, 2, PARSE_SCTP_SHORT},
        {"sctp6", 18, {0, 11}, 2, PARSE_SCTP_SHORT},
        /* ARP of other hardware is not ours to read. */
        {"arp", 15, {6}, 1, PARSE_OK},
        {"arp", 20, {1, 1}, 2, PARSE_OK},
    };
    static uint8_t frame[FRAME_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t len = frame_build(find_spec(cases[i].name), frame);
        enum parse_status status;
        struct flow_key key;
        struct pkt_ofs ofs;

        memcpy(frame + cases[i].ofs, cases[i].bytes, cases[i].n);
        status = parse_both(frame, len, len, &key, &ofs, cases[i].name);
        CU_ASSERT_EQUAL(status, cases[i].status);
        if (status != cases[i].status) {
            printf("%s, byte %u: %s\n", cases[i].name, cases[i].ofs,
                   parse_status_to_string(status));
        }
    }
}

/* Two later fragments that differ where ports would be have one key. */
static void
test_later_fragment(void)
{
    static uint8_t frame[FRAME_MAX];
    size_t len = frame_build(find_spec("udp4 later fragment"), frame);
    struct flow_key a, b;
    struct pkt_ofs ofs;

    CU_ASSERT_EQUAL(parse_frame(frame, len, &a, &ofs), PARSE_OK);
    memset(frame + 34, 0x77, 20);
    CU_ASSERT_EQUAL(parse_frame(frame, len, &b, &ofs), PARSE_OK);
    CU_ASSERT(!memcmp(&a, &b, sizeof a));
    CU_ASSERT_EQUAL(a.tp_src, 0);
    CU_ASSERT(!flow_key_has_ports(&a));
}

/* ARP: an opcode above 255 is none of those that we know. */
static void
test_arp(void)
{
    static uint8_t frame[FRAME_MAX];
    size_t len = frame_build(find_spec("arp"), frame);
    struct flow_key key;
    struct pkt_ofs ofs;

    frame[20] = 1;
    CU_ASSERT_EQUAL(parse_frame(frame, len, &key, &ofs), PARSE_OK);
    CU_ASSERT_EQUAL(key.nw_proto, 0);
    CU_ASSERT_NOT_EQUAL(key.nw_src, 0);
    frame[14 + 4] = 8;          /* EUI-64 addresses. */
    CU_ASSERT_EQUAL(parse_frame(frame, len, &key, &ofs), PARSE_OK);
    CU_ASSERT_EQUAL(key.nw_src, 0);
}

/* 64 kB, and a length that an offset cannot hold. */
static void
test_long(void)
{
    static uint8_t frame[FRAME_MAX];
    struct frame_spec spec = {
        "long", 2, ETH_TYPE_IP4, IPPROTO_UDP, 0, 0, 0, 0, 65535 - 28, 0, 0,
    };
    struct flow_key key;
    struct pkt_ofs ofs;
    size_t len = frame_build(&spec, frame);

    CU_ASSERT_EQUAL(len, 65535 + 22);
    CU_ASSERT_EQUAL(parse_frame(frame, len, &key, &ofs), PARSE_OK);
    CU_ASSERT_EQUAL(ofs.l3_end, len);
    CU_ASSERT_EQUAL(parse_both(frame, len, 1u << 20, &key, &ofs, "long"),
                    PARSE_OK);
    CU_ASSERT_EQUAL(ofs.l3_end, len);

    /* The longest chain of extension headers that can be. */
    memset(frame, 0, sizeof frame);
    memcpy(frame + 12, "\x86\xdd\x60\0\0\0\xff\xff\x3c", 9);
    for (size_t i = 0, pos = 54; i < 16; i++, pos += 2048) {
        frame[pos] = i < 15 ? 60 : 6;
        frame[pos + 1] = 255;
    }
    frame[54 + 16 * 2048 + 12] = 0x50;
    CU_ASSERT_EQUAL(parse_frame(frame, 54 + 65535, &key, &ofs), PARSE_OK);
    CU_ASSERT_EQUAL(ofs.l4, 54 + 16 * 2048);
    CU_ASSERT_EQUAL(ofs.payload, 54 + 16 * 2048 + 20);
}

static void
test_sentences(void)
{
    CU_ASSERT_STRING_EQUAL(parse_status_to_string(PARSE_OK), "ok");
    CU_ASSERT_STRING_EQUAL(parse_status_to_string(PARSE_ETH_SHORT),
                           "frame shorter than an Ethernet header");
    for (int i = 0; i < PARSE_N_STATUS; i++) {
        CU_ASSERT(strlen(parse_status_to_string(i)) > 1);
    }
    CU_ASSERT_PTR_NOT_NULL(parse_status_to_string(PARSE_N_STATUS));
}

void
suite_parse(void)
{
    CU_pSuite suite = CU_add_suite("parse", NULL, NULL);

    CU_add_test(suite, "known frames", test_known_frames);
    CU_add_test(suite, "truncation at every byte", test_truncation);
    CU_add_test(suite, "head of a chain", test_chain);
    CU_add_test(suite, "mutations", test_mutations);
    CU_add_test(suite, "lies", test_lies);
    CU_add_test(suite, "later fragment", test_later_fragment);
    CU_add_test(suite, "ARP", test_arp);
    CU_add_test(suite, "64 kB", test_long);
    CU_add_test(suite, "sentences", test_sentences);
}
