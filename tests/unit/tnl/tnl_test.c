/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_test.c - what the tests of the tunnels share. */

#include "tests/unit/tnl/tnl_test.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/smap.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

static const char *const inners[] = {
    [TNL_INNER_IP4] =
    "02 aa 00 00 00 02 02 aa 00 00 00 01 08 00 45 b9 00 21 12 34 "
    "00 00 11 11 82 dd 0a 00 00 01 0a 00 00 02 03 e8 07 d0 00 0d "
    "8c 56 71 61 6e 61 74 ",
    [TNL_INNER_ARP] =
    "ff ff ff ff ff ff 02 aa 00 00 00 01 08 06 00 01 08 00 06 04 "
    "00 01 02 aa 00 00 00 01 0a 00 00 01 00 00 00 00 00 00 0a 00 "
    "00 02 ",
    [TNL_INNER_IP6] =
    "02 aa 00 00 00 02 02 aa 00 00 00 01 86 dd 60 30 00 00 00 0e "
    "11 c8 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 fd 00 "
    "00 00 00 00 00 00 00 00 00 00 00 00 00 02 03 e8 07 d0 00 0e "
    "9b db 77 61 74 65 72 73 ",
};

size_t
tnl_test_hex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;

    while (*hex) {
        char *end;

        if (isspace((unsigned char) *hex)) {
            hex++;
            continue;
        }
        bytes[n++] = (uint8_t) strtoul(hex, &end, 16);
        hex = end;
    }
    return n;
}

size_t
tnl_test_inner(enum tnl_inner inner, uint8_t *frame)
{
    return tnl_test_hex(inners[inner], frame);
}

struct tnl_cfg
tnl_test_cfg(const char *type, const char *options)
{
    struct smap map;
    struct tnl_cfg cfg;
    char *ignored;
    char *error;

    smap_init(&map);
    error = smap_parse(&map, options, strlen(options));
    CU_ASSERT_PTR_NULL_FATAL(error);
    error = tnl_cfg_parse(tnl_type_from_name(type), &map, &cfg, &ignored);
    if (error) {
        printf("    %s %s: %s\n", type, options, error);
    }
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_PTR_NULL(ignored);
    free(error);
    free(ignored);
    smap_fini(&map);
    return cfg;
}

struct tnl_hop
tnl_test_hop(bool ip6)
{
    struct tnl_hop hop;

    memset(&hop, 0, sizeof hop);
    memcpy(hop.eth_dst, "\x02\0\0\0\0\x02", 6);
    memcpy(hop.eth_src, "\x02\0\0\0\0\x01", 6);
    if (ip6) {
        inet_pton(AF_INET6, "2001:db8::1", &hop.src);
        inet_pton(AF_INET6, "2001:db8::2", &hop.dst);
    } else {
        hop.src = flow_addr_from_ip4(inet_addr("192.0.2.1"));
        hop.dst = flow_addr_from_ip4(inet_addr("192.0.2.2"));
    }
    return hop;
}

static size_t
encap(const struct tnl_cfg *cfg, bool ip6, const uint8_t *frame, size_t len,
      uint32_t hash, uint32_t seq, bool partial, uint8_t *out)
{
    struct tnl_hop hop = tnl_test_hop(ip6);
    struct tnl_push push;
    struct flow_key inner;
    struct pkt_ofs ofs;
    enum tnl_csum how;

    CU_ASSERT_EQUAL(parse_packet(frame, len, len, &inner, &ofs), PARSE_OK);
    tnl_build(cfg, &hop, cfg->out_key, 3, &push);
    CU_ASSERT_EQUAL(push.hdr_len - push.l3_ofs, tnl_overhead(cfg, ip6));
    CU_ASSERT(push.hdr_len - push.l4_ofs
              <= tnl_ops_get(cfg->type)->max_l4_len);

    /* What is not written must show. */
    memset(out, 0xee, push.hdr_len);
    memcpy(out + push.hdr_len, frame, len);
    tnl_apply(&push, out, &inner, hash);
    how = (!push.csum ? TNL_CSUM_NONE
           : partial ? TNL_CSUM_PARTIAL : TNL_CSUM_FULL);
    tnl_finish(tnl_ops_get(cfg->type), out + push.l3_ofs, out + push.l4_ofs,
               push.hdr_len - push.l3_ofs,
               (uint32_t) (push.hdr_len - push.l3_ofs + len), how,
               how == TNL_CSUM_FULL ? csum_add(0, frame, len) : 0,
               push.seq, push.seq || push.ip_id ? seq : 0xdead);
    return push.hdr_len + len;
}

size_t
tnl_test_encap(const struct tnl_cfg *cfg, bool ip6, const uint8_t *frame,
               size_t len, uint32_t hash, uint32_t seq, uint8_t *out)
{
    return encap(cfg, ip6, frame, len, hash, seq, false, out);
}

enum tnl_status
tnl_test_pop(tnl_type type, const uint8_t *frame, size_t len,
             struct flow_key *key, struct pkt_ofs *ofs, struct tnl_md *md,
             size_t *inner_ofs, bool *verify)
{
    CU_ASSERT_EQUAL_FATAL(parse_packet(frame, len, len, key, ofs), PARSE_OK);
    return tnl_pop(type, key, ofs, frame, len, len, md, inner_ofs, verify);
}

bool
tnl_test_csum_ok(const struct tnl_ops *ops, const uint8_t *frame,
                 const struct flow_key *key, const struct pkt_ofs *ofs)
{
    uint32_t len = ofs->l3_end - ofs->l4;
    uint32_t sum = 0;

    if (ops->csum_pseudo) {
        sum = (key->dl_type == htons(ETH_TYPE_IP4)
               ? csum_pseudo4(key->nw_src, key->nw_dst, key->nw_proto, len)
               : csum_pseudo6(&key->ipv6_src, &key->ipv6_dst, key->nw_proto,
                              len));
    }
    return csum_finish(csum_add(sum, frame + ofs->l4, len)) == 0;
}

/* The first 'n' bytes of 'packet' in memory of just that size, so that a
 * sanitizer sees a read beyond them. */
static uint8_t *
cut_off(const uint8_t *packet, size_t n)
{
    uint8_t *cut = malloc(n ? n : 1);

    memcpy(cut, packet, n);
    return cut;
}

/* Makes the lengths in the outer headers those of a packet of 'len' bytes. */
static void
fix_lengths(uint8_t *packet, const struct flow_key *key,
            const struct pkt_ofs *ofs, size_t len)
{
    be16 l3_len = htons((uint16_t) (len - ofs->l3));
    be16 l4_len = htons((uint16_t) (len - ofs->l4));

    if (key->dl_type == htons(ETH_TYPE_IP4)) {
        memcpy(packet + ofs->l3 + 2, &l3_len, 2);
    } else {
        memcpy(packet + ofs->l3 + 4, &l4_len, 2);
    }
    if (key->nw_proto == IPPROTO_UDP
        && len >= ofs->l4 + sizeof(struct udp_hdr)) {
        memcpy(packet + ofs->l4 + offsetof(struct udp_hdr, len), &l4_len, 2);
    }
}

/* The packet of 'len' bytes with 'hdr_len' of outer headers, cut off at each
 * byte, in three ways. */
static void
check_truncated(tnl_type type, const uint8_t *packet, size_t hdr_len,
                size_t len)
{
    struct flow_key key, key2;
    struct pkt_ofs ofs, ofs2;
    struct tnl_md md;
    size_t inner_ofs;
    bool verify;

    CU_ASSERT_EQUAL_FATAL(parse_packet(packet, len, len, &key, &ofs),
                          PARSE_OK);
    for (size_t n = 0; n <= hdr_len; n++) {
        enum tnl_status want = n < hdr_len ? TNL_SHORT : TNL_OK;
        uint8_t *cut = cut_off(packet, n);

        /* The head is short, the packet is not. */
        CU_ASSERT_EQUAL(tnl_pop(type, &key, &ofs, cut, n, len, &md,
                                &inner_ofs, &verify), want);

        /* The IP packet ends here, padding follows. */
        ofs2 = ofs;
        ofs2.l3_end = (uint32_t) n;
        CU_ASSERT_EQUAL(tnl_pop(type, &key, &ofs2, packet, len, len, &md,
                                &inner_ofs, &verify), want);

        /* The frame ends here, and the outer headers say so. */
        if (n >= ofs.l4) {
            fix_lengths(cut, &key, &ofs, n);
            if (parse_packet(cut, n, n, &key2, &ofs2) == PARSE_OK) {
                CU_ASSERT_EQUAL(tnl_pop(type, &key2, &ofs2, cut, n, n, &md,
                                        &inner_ofs, &verify), want);
            } else {
                CU_ASSERT(n < hdr_len);
            }
        }
        free(cut);
    }
}

static void
check_popped(tnl_type type, const struct tnl_golden *g, const uint8_t *packet,
             size_t hdr_len, size_t len)
{
    const struct tnl_ops *ops = tnl_ops_get(type);
    struct tnl_hop hop = tnl_test_hop(g->ip6);
    struct flow_key key;
    struct pkt_ofs ofs;
    struct tnl_md md;
    size_t inner_ofs = 0;
    bool verify = false;

    CU_ASSERT_EQUAL(tnl_test_pop(type, packet, len, &key, &ofs, &md,
                                 &inner_ofs, &verify), TNL_OK);
    CU_ASSERT_EQUAL(inner_ofs, hdr_len);
    CU_ASSERT_EQUAL(md.type, type);
    CU_ASSERT_EQUAL(be64toh(md.id), g->id);
    CU_ASSERT_EQUAL(md.flags, g->flags);
    CU_ASSERT_EQUAL(md.tos, key.nw_tos);
    CU_ASSERT_EQUAL(md.ttl, key.nw_ttl);
    CU_ASSERT_EQUAL(md.dst_port,
                    ops->default_port ? ntohs(key.tp_dst) : 0);
    CU_ASSERT(!memcmp(&md.src, &hop.src, sizeof md.src));
    CU_ASSERT(!memcmp(&md.dst, &hop.dst, sizeof md.dst));
    CU_ASSERT_EQUAL(verify, (g->flags & FLOW_TUN_CSUM) != 0);
    if (verify) {
        CU_ASSERT(tnl_test_csum_ok(ops, packet, &key, &ofs));
    }
}

/* With TNL_CSUM_PARTIAL the egress sums from the L4 header to the end and
 * stores the complement: it must come to the same bytes. */
static void
check_partial(tnl_type type, uint8_t *packet, const uint8_t *want, size_t len)
{
    const struct tnl_ops *ops = tnl_ops_get(type);
    struct flow_key key;
    struct pkt_ofs ofs;
    be16 field;

    CU_ASSERT_EQUAL_FATAL(parse_packet(packet, len, len, &key, &ofs),
                          PARSE_OK);
    field = csum_finish(csum_add(0, packet + ofs.l4, len - ofs.l4));
    memcpy(packet + ofs.l4 + ops->csum_ofs, &field, sizeof field);
    CU_ASSERT(!memcmp(packet, want, len));
}

static void
print_difference(const struct tnl_golden *g, const uint8_t *want,
                 const uint8_t *got, size_t len)
{
    printf("    %s (%s): byte, want, got:", g->name, g->options);
    for (size_t i = 0; i < len; i++) {
        if (want[i] != got[i]) {
            printf(" %zu:%02x,%02x", i, want[i], got[i]);
        }
    }
    putchar('\n');
}

void
tnl_test_golden(const char *type_name, const struct tnl_golden *goldens,
                size_t n)
{
    tnl_type type = tnl_type_from_name(type_name);

    for (const struct tnl_golden *g = goldens; g < goldens + n; g++) {
        struct tnl_cfg cfg = tnl_test_cfg(type_name, g->options);
        uint8_t frame[TNL_TEST_MAX], want[TNL_TEST_MAX], got[TNL_TEST_MAX];
        size_t frame_len = tnl_test_inner(g->inner, frame);
        size_t hdr_len = tnl_test_hex(g->outer, want);
        size_t len = hdr_len + frame_len;

        memcpy(want + hdr_len, frame, frame_len);
        CU_ASSERT_EQUAL(encap(&cfg, g->ip6, frame, frame_len, g->hash, g->seq,
                              false, got), len);
        if (memcmp(want, got, len)) {
            print_difference(g, want, got, len);
            CU_FAIL("packet differs");
        }
        check_popped(type, g, got, hdr_len, len);
        check_truncated(type, got, hdr_len, len);
        if (g->flags & FLOW_TUN_CSUM) {
            encap(&cfg, g->ip6, frame, frame_len, g->hash, g->seq, true, got);
            check_partial(type, got, want, len);
        }
    }
}

uint32_t
tnl_test_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t) (state >> 32);
}
