/* SPDX-License-Identifier: Apache-2.0 */

/* tnl.c - what all tunnel types have in common: the table of types, and the
 * outer Ethernet and IP headers on their way out and in.
 *
 * Encapsulation: translation builds a template once (tnl_build), the PMD puts
 * it before each packet (tnl_apply) and completes it when the packet's length
 * is final (tnl_finish).  Decapsulation: tnl_pop.  Any thread.  Allocates
 * nothing, and never asserts on what a packet holds. */

#include "lib/tnl/tnl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/flow/flow.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/parse.h"
#include "lib/pkt/wire.h"

/* The table: one line for each type.  tnl_NAME.c defines tnl_NAME_ops.  Order
 * gives the number of a type. */
#define TNL_TYPES(X)                                                          \
    X(gre)                                                                    \
    X(vxlan)

#define X(NAME) extern const struct tnl_ops tnl_##NAME##_ops;
TNL_TYPES(X)
#undef X

static const struct tnl_ops *const types[] = {
#define X(NAME) &tnl_##NAME##_ops,
    TNL_TYPES(X)
#undef X
};

_Static_assert(sizeof(struct eth_hdr) + sizeof(struct ip6_hdr_wire)
               + 40 <= TNL_MAX_HDR,
               "the template has room for 40 bytes from the L4 header on");

/* Source ports: the first and the last of the kernel's default range for
 * ephemeral ports, and how many they are. */
#define PORT_MIN 32768u
#define PORT_MAX 61000u
#define N_PORTS (PORT_MAX - PORT_MIN + 1)

#define ECN_MASK 3u
#define ECN_NOT_ECT 0u
#define ECN_ECT_1 1u
#define ECN_ECT_0 2u
#define ECN_CE 3u

static bool is_ip(const struct flow_key *);
static void set_ip6_tos(uint8_t *l3, uint8_t tos);
static void finish_ip4(uint8_t *l3, uint32_t len, uint32_t seq);
static uint32_t sum_pseudo(const uint8_t *l3, uint8_t proto, uint32_t l4_len);
static uint32_t sum_plus(uint32_t a, uint32_t b);

const struct tnl_ops *
tnl_ops_get(tnl_type type)
{
    return types[type];
}

tnl_type
tnl_type_from_name(const char *name)
{
    for (tnl_type i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(types[i]->name, name)) {
            return i;
        }
    }
    return TNL_TYPE_NONE;
}

unsigned int
tnl_n_types(void)
{
    return ARRAY_SIZE(types);
}

void
tnl_build(const struct tnl_cfg *cfg, const struct tnl_hop *hop, be64 key,
          uint32_t tnl_port, struct tnl_push *push)
{
    const struct tnl_ops *ops = tnl_ops_get(cfg->type);
    struct eth_hdr *eth = (struct eth_hdr *) push->hdr;
    bool is_ip4 = flow_addr_is_ip4(&hop->dst);
    uint8_t *l3 = push->hdr + sizeof *eth;
    uint8_t *l4;

    memset(push, 0, sizeof *push);
    push->tnl_port = tnl_port;
    push->type = cfg->type;
    push->l3_ofs = sizeof *eth;
    push->tos_inherit = cfg->tos_inherit;
    push->ttl_inherit = cfg->ttl_inherit;
    push->icmp_too_big = cfg->icmp_too_big;
    push->path_mtu = hop->path_mtu;

    /* A UDP checksum of 0 over IPv6 is allowed to tunnels by RFC 6935, but
     * only towards a receiver that is known to take it; we do not know. */
    push->csum = cfg->csum || (!is_ip4 && ops->ip_proto == IPPROTO_UDP);

    memcpy(eth->dst, hop->eth_dst, sizeof eth->dst);
    memcpy(eth->src, hop->eth_src, sizeof eth->src);
    if (is_ip4) {
        struct ip4_hdr *ip = (struct ip4_hdr *) l3;

        eth->type = htons(ETH_TYPE_IP4);
        ip->ver_ihl = 0x45;
        ip->tos = cfg->tos;
        ip->frag = htons(cfg->df ? IP4_DF : 0);
        ip->ttl = cfg->ttl;
        ip->proto = ops->ip_proto;
        ip->src = flow_addr_to_ip4(&hop->src);
        ip->dst = flow_addr_to_ip4(&hop->dst);
        push->ip_id = !cfg->df;
        l4 = l3 + sizeof *ip;
    } else {
        struct ip6_hdr_wire *ip6 = (struct ip6_hdr_wire *) l3;

        eth->type = htons(ETH_TYPE_IP6);
        set_ip6_tos(l3, cfg->tos);
        ip6->next = ops->ip_proto;
        ip6->hop_limit = cfg->ttl;
        memcpy(ip6->src, &hop->src, sizeof ip6->src);
        memcpy(ip6->dst, &hop->dst, sizeof ip6->dst);
        l4 = l3 + sizeof *ip6;
    }
    push->l4_ofs = (uint8_t) (l4 - push->hdr);
    push->hdr_len = (uint8_t) (push->l4_ofs + ops->build(cfg, key, l4, push));
}

unsigned int
tnl_overhead(const struct tnl_cfg *cfg, bool outer_ip6)
{
    struct tnl_hop hop;
    struct tnl_push push;

    /* By way of a template, so that there is one truth about lengths. */
    memset(&hop, 0, sizeof hop);
    if (!outer_ip6) {
        hop.src = hop.dst = flow_addr_from_ip4(0);
    }
    tnl_build(cfg, &hop, 0, 0, &push);
    return push.hdr_len - push.l3_ofs;
}

void
tnl_apply(const struct tnl_push *push, uint8_t *hdr,
          const struct flow_key *inner, uint32_t hash)
{
    uint8_t *l3 = hdr + push->l3_ofs;

    memcpy(hdr, push->hdr, push->hdr_len);
    if (is_ip(inner)) {
        bool is_ip4 = l3[0] >> 4 == 4;
        uint8_t inherit = push->tos_inherit ? UINT8_MAX : ECN_MASK;
        uint8_t tos = inner->nw_tos & inherit;

        /* The configured TOS has no ECN bits, and is 0 with tos=inherit. */
        if (is_ip4) {
            l3[offsetof(struct ip4_hdr, tos)] |= tos;
        } else {
            set_ip6_tos(l3, (uint8_t) (l3[0] << 4 | l3[1] >> 4 | tos));
        }
        if (push->ttl_inherit) {
            l3[is_ip4 ? offsetof(struct ip4_hdr, ttl)
               : offsetof(struct ip6_hdr_wire, hop_limit)] = inner->nw_ttl;
        }
    }
    if (push->entropy) {
        struct udp_hdr *udp = (struct udp_hdr *) (hdr + push->l4_ofs);

        udp->src = htons((uint16_t) (PORT_MIN
                                     + ((uint64_t) hash * N_PORTS >> 32)));
    }
}

void
tnl_finish(const struct tnl_ops *ops, uint8_t *l3, uint8_t *l4,
           uint32_t hdr_end_ofs, uint32_t len, enum tnl_csum csum,
           uint32_t payload_sum, bool has_seq, uint32_t seq)
{
    uint32_t l4_ofs = (uint32_t) (l4 - l3);
    uint32_t l4_len = len - l4_ofs;
    be16 field;

    if (l3[0] >> 4 == 4) {
        finish_ip4(l3, len, seq);
    } else {
        struct ip6_hdr_wire *ip6 = (struct ip6_hdr_wire *) l3;

        ip6->payload_len = htons((uint16_t) (len - sizeof *ip6));
    }

    /* Leaves 0 in the checksum field. */
    ops->finish(l4, l4_len, has_seq, seq);
    if (csum == TNL_CSUM_NONE) {
        return;
    }

    uint32_t sum = (ops->csum_pseudo ? sum_pseudo(l3, ops->ip_proto, l4_len)
                    : 0);
    if (csum == TNL_CSUM_PARTIAL) {
        field = csum_fold(sum);
    } else {
        sum = csum_add(sum, l4, hdr_end_ofs - l4_ofs);
        sum = sum_plus(sum, payload_sum);
        field = ops->csum_pseudo ? csum_finish_udp(sum) : csum_finish(sum);
    }
    memcpy(l4 + ops->csum_ofs, &field, sizeof field);
}

enum tnl_status
tnl_pop(tnl_type type, const struct flow_key *outer, const struct pkt_ofs *ofs,
        const uint8_t *data, size_t head_len, size_t frame_len,
        struct tnl_md *md, size_t *inner_ofs, bool *verify)
{
    const struct tnl_ops *ops = tnl_ops_get(type);
    size_t l4_end = MIN((size_t) ofs->l3_end, frame_len);
    enum tnl_status status;
    size_t remove_len;

    if (UNLIKELY(outer->nw_frag)) {
        return TNL_FRAG;
    }
    if (UNLIKELY(outer->nw_proto != ops->ip_proto)) {
        return TNL_PROTO;
    }
    if (UNLIKELY(!is_ip(outer) || ofs->l3 == PKT_OFS_NONE
                 || ofs->l4 == PKT_OFS_NONE || ofs->l4 > l4_end
                 || ofs->l4 > head_len)) {
        return TNL_SHORT;
    }

    md->type = type;
    md->tos = outer->nw_tos;
    md->ttl = outer->nw_ttl;
    md->flags = 0;
    md->dst_port = 0;
    md->id = 0;
    if (outer->dl_type == htons(ETH_TYPE_IP4)) {
        const struct ip4_hdr *ip = (const struct ip4_hdr *) (data + ofs->l3);

        md->src = flow_addr_from_ip4(outer->nw_src);
        md->dst = flow_addr_from_ip4(outer->nw_dst);
        if (ip->frag & htons(IP4_DF)) {
            md->flags |= FLOW_TUN_DF;
        }
    } else {
        md->src = outer->ipv6_src;
        md->dst = outer->ipv6_dst;
    }

    status = ops->pop(data + ofs->l4, MIN(head_len, l4_end) - ofs->l4,
                      l4_end - ofs->l4, md, &remove_len);
    if (LIKELY(status == TNL_OK)) {
        *inner_ofs = ofs->l4 + remove_len;
        *verify = md->flags & FLOW_TUN_CSUM;
    }
    return status;
}

int
tnl_ecn_decap(uint8_t inner_tos, uint8_t outer_tos)
{
    unsigned int inner = inner_tos & ECN_MASK;
    unsigned int outer = outer_tos & ECN_MASK;

    if (outer == ECN_CE) {
        return inner == ECN_NOT_ECT ? -1 : inner_tos | (int) ECN_CE;
    }
    if (outer == ECN_ECT_1 && inner == ECN_ECT_0) {
        return (inner_tos & ~(int) ECN_MASK) | (int) ECN_ECT_1;
    }
    return inner_tos;
}

const char *
tnl_status_to_string(enum tnl_status status)
{
    switch (status) {
#define X(NAME, SENTENCE)                                                     \
    case NAME:                                                                \
        return SENTENCE;
        TNL_ERRORS(X)
#undef X
    case TNL_OK:
    case TNL_N_STATUS:
    default:
        return "ok";
    }
}

static bool
is_ip(const struct flow_key *key)
{
    return (key->dl_type == htons(ETH_TYPE_IP4)
            || key->dl_type == htons(ETH_TYPE_IP6));
}

/* Writes version and traffic class; keeps the flow label. */
static void
set_ip6_tos(uint8_t *l3, uint8_t tos)
{
    l3[0] = 0x60 | tos >> 4;
    l3[1] = (uint8_t) (tos << 4) | (l3[1] & 0x0f);
}

static void
finish_ip4(uint8_t *l3, uint32_t len, uint32_t seq)
{
    struct ip4_hdr *ip = (struct ip4_hdr *) l3;
    be16 tot_len = htons((uint16_t) len);
    be16 frag = ip->frag;
    be16 id = frag & htons(IP4_DF) ? 0 : htons((uint16_t) seq);
    uint64_t sum;

    /* Each field is loaded as wide as it was last stored, and those that are
     * new come from registers.  To store them first and then load 32 bits at
     * a time would wait for the stores: 13 ns against 4. */
    sum = (uint64_t) ip->src + ip->dst;
    sum += htons((uint16_t) (ip->ver_ihl << 8 | ip->tos));
    sum += htons((uint16_t) (ip->ttl << 8 | ip->proto));
    sum += (uint32_t) tot_len + id + frag;
    ip->tot_len = tot_len;
    ip->id = id;
    ip->csum = csum_finish(sum_plus((uint32_t) sum, (uint32_t) (sum >> 32)));
}

static uint32_t
sum_pseudo(const uint8_t *l3, uint8_t proto, uint32_t l4_len)
{
    if (l3[0] >> 4 == 4) {
        const struct ip4_hdr *ip = (const struct ip4_hdr *) l3;

        return csum_pseudo4(ip->src, ip->dst, proto, l4_len);
    }

    const struct ip6_hdr_wire *ip6 = (const struct ip6_hdr_wire *) l3;

    return csum_pseudo6(ip6->src, ip6->dst, proto, l4_len);
}

/* Adds two partial sums; the carry comes in again at the low end. */
static uint32_t
sum_plus(uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;

    return sum + (sum < a);
}
