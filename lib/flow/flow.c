/* SPDX-License-Identifier: Apache-2.0 */

/* flow.c - masks: which bits of a key were looked at, and what follows.
 *
 * The slow path fills a mask while it decides; flow_mask_normalize() then
 * makes it one that a flow may be installed with.  PMD threads on a miss,
 * MAIN for text.  Must never make a mask match more than what its translation
 * may answer for. */

#include "lib/flow/flow.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/pkt/wire.h"

#define ICMP6_NS 135
#define ICMP6_NA 136

static bool is_ip(const struct flow_key *);
static void normalize_vlan(struct flow_mask *, const struct flow_key *);
static void normalize_ip(struct flow_mask *, const struct flow_key *);
static void normalize_l4(struct flow_mask *, const struct flow_key *);
static void normalize_nd(struct flow_mask *, const struct flow_key *);
static bool any_nonzero(const void *, size_t n);

/* Whether the mask looks at any bit of FIELD; forgets FIELD. */
#define LOOKS_AT(MASK, FIELD) \
    any_nonzero(&(MASK)->bits.FIELD, sizeof (MASK)->bits.FIELD)
#define FORGET(MASK, FIELD) \
    memset(&(MASK)->bits.FIELD, 0, sizeof (MASK)->bits.FIELD)

void
flow_mask_init(struct flow_mask *mask)
{
    memset(mask, 0, sizeof *mask);
    FLOW_MASK_EXACT(mask, parts);
    FLOW_MASK_EXACT(mask, recirc_id);
}

void
flow_mask_init_exact(struct flow_mask *mask, const struct flow_key *key)
{
    memset(mask, 0xff, sizeof *mask);
    flow_mask_normalize(mask, key);
}

void
flow_mask_merge(struct flow_mask *dst, const struct flow_mask *src)
{
    uint64_t *d = (uint64_t *) (void *) &dst->bits;
    const uint64_t *s = flow_key_words(&src->bits);
    unsigned int i;

    for (i = 0; i < FLOW_N_WORDS; i++) {
        d[i] |= s[i];
    }
}

void
flow_key_apply_mask(struct flow_key *dst, const struct flow_key *key,
                    const struct flow_mask *mask)
{
    uint64_t *d = (uint64_t *) (void *) dst;
    const uint64_t *k = flow_key_words(key);
    const uint64_t *m = flow_key_words(&mask->bits);
    unsigned int i;

    for (i = 0; i < FLOW_N_WORDS; i++) {
        d[i] = k[i] & m[i];
    }
}

/* Goes from the inside to the outside, so that what an inner field demands of
 * an outer one is seen when the outer one's turn comes. */
void
flow_mask_normalize(struct flow_mask *mask, const struct flow_key *key)
{
    mask->bits.pad0 = 0;
    mask->bits.pad1 = 0;
    mask->bits.pad2 = 0;
    mask->bits.pad3 = 0;
    mask->bits.pad4 = 0;
    FLOW_MASK_EXACT(mask, parts);
    FLOW_MASK_EXACT(mask, recirc_id);

    normalize_nd(mask, key);
    normalize_l4(mask, key);
    normalize_ip(mask, key);
    normalize_vlan(mask, key);

    /* 'parts', which no mask leaves out, tells packets of tunnels apart. */
    if (!(key->parts & FLOW_PART_TUN)) {
        FORGET(mask, tun_id);
        FORGET(mask, tun_src);
        FORGET(mask, tun_dst);
        FORGET(mask, tun_tos);
        FORGET(mask, tun_ttl);
        FORGET(mask, tun_flags);
    } else {
        if (LOOKS_AT(mask, tun_id)) {
            mask->bits.tun_flags |= FLOW_TUN_KEY;
        }
        mask->bits.tun_flags &= FLOW_TUN_ALL;
    }

    /* A number, whose bits alone mean nothing. */
    if (LOOKS_AT(mask, in_port)) {
        FLOW_MASK_EXACT(mask, in_port);
    }
}

bool
flow_key_is_nd(const struct flow_key *key)
{
    return key->dl_type == htons(ETH_TYPE_IP6)
           && key->nw_proto == IPPROTO_ICMPV6 && !key->nw_frag
           && (key->tp_src == htons(ICMP6_NS)
               || key->tp_src == htons(ICMP6_NA))
           && !key->tp_dst;
}

bool
flow_key_has_ports(const struct flow_key *key)
{
    if (!is_ip(key) || key->nw_frag & FLOW_FRAG_LATER) {
        return false;
    }
    switch (key->nw_proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
        return true;
    case IPPROTO_ICMP:
        return key->dl_type == htons(ETH_TYPE_IP4);
    case IPPROTO_ICMPV6:
        return key->dl_type == htons(ETH_TYPE_IP6);
    default:
        return false;
    }
}

struct in6_addr
flow_addr_from_ip4(be32 ip4)
{
    struct in6_addr addr = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    memcpy(&addr.s6_addr[12], &ip4, sizeof ip4);
    return addr;
}

bool
flow_addr_is_ip4(const struct in6_addr *addr)
{
    return IN6_IS_ADDR_V4MAPPED(addr);
}

be32
flow_addr_to_ip4(const struct in6_addr *addr)
{
    be32 ip4;

    memcpy(&ip4, &addr->s6_addr[12], sizeof ip4);
    return ip4;
}

static void
normalize_nd(struct flow_mask *mask, const struct flow_key *key)
{
    bool is_nd = flow_key_is_nd(key);
    bool is_arp = key->dl_type == htons(ETH_TYPE_ARP);
    bool looks = LOOKS_AT(mask, nd_target) || LOOKS_AT(mask, arp_sha)
                 || LOOKS_AT(mask, arp_tha);

    if (looks) {
        FLOW_MASK_EXACT(mask, dl_type);
        if (key->dl_type == htons(ETH_TYPE_IP6)) {
            FLOW_MASK_EXACT(mask, nw_proto);
            FLOW_MASK_EXACT(mask, nw_frag);
            if (flow_key_has_ports(key)
                && key->nw_proto == IPPROTO_ICMPV6) {
                FLOW_MASK_EXACT(mask, tp_src);
                FLOW_MASK_EXACT(mask, tp_dst);
            }
        }
    }
    if (!is_nd) {
        FORGET(mask, nd_target);
        if (!is_arp) {
            FORGET(mask, arp_sha);
            FORGET(mask, arp_tha);
        }
    }
}

static void
normalize_l4(struct flow_mask *mask, const struct flow_key *key)
{
    bool has_ports = flow_key_has_ports(key);

    if (LOOKS_AT(mask, tp_src) || LOOKS_AT(mask, tp_dst)
        || LOOKS_AT(mask, tcp_flags)) {
        FLOW_MASK_EXACT(mask, dl_type);
        if (is_ip(key)) {
            FLOW_MASK_EXACT(mask, nw_proto);
            FLOW_MASK_EXACT(mask, nw_frag);
        }
    }
    if (!has_ports) {
        FORGET(mask, tp_src);
        FORGET(mask, tp_dst);
    } else if (key->nw_proto == IPPROTO_ICMP
               || key->nw_proto == IPPROTO_ICMPV6) {
        /* Type and code are bytes. */
        mask->bits.tp_src &= htons(0x00ff);
        mask->bits.tp_dst &= htons(0x00ff);
    }
    if (!has_ports || key->nw_proto != IPPROTO_TCP) {
        FORGET(mask, tcp_flags);
    } else {
        mask->bits.tcp_flags &= htons(0x0fff);
    }
}

static void
normalize_ip(struct flow_mask *mask, const struct flow_key *key)
{
    bool is_ip4 = key->dl_type == htons(ETH_TYPE_IP4);
    bool is_ip6 = key->dl_type == htons(ETH_TYPE_IP6);
    bool is_arp = key->dl_type == htons(ETH_TYPE_ARP);

    if (LOOKS_AT(mask, nw_proto) || LOOKS_AT(mask, nw_tos)
        || LOOKS_AT(mask, nw_ttl) || LOOKS_AT(mask, nw_frag)
        || LOOKS_AT(mask, nw_src) || LOOKS_AT(mask, nw_dst)
        || LOOKS_AT(mask, ipv6_src) || LOOKS_AT(mask, ipv6_dst)
        || LOOKS_AT(mask, ipv6_label)) {
        FLOW_MASK_EXACT(mask, dl_type);
    }
    if (!is_ip4 && !is_ip6) {
        FORGET(mask, nw_tos);
        FORGET(mask, nw_ttl);
        FORGET(mask, nw_frag);
        if (!is_arp) {
            FORGET(mask, nw_proto);
        }
    } else if (mask->bits.nw_frag) {
        /* An enumeration: it has no bits to look at one by one. */
        FLOW_MASK_EXACT(mask, nw_frag);
    }
    if (!is_ip4 && !is_arp) {
        FORGET(mask, nw_src);
        FORGET(mask, nw_dst);
    }
    if (!is_ip6) {
        FORGET(mask, ipv6_src);
        FORGET(mask, ipv6_dst);
        FORGET(mask, ipv6_label);
    } else {
        mask->bits.ipv6_label &= htonl(0x000fffff);
    }
}

/* The type behind the tags and the number of tags come together: whoever looks
 * at one looks at the other.  This is so in Open vSwitch's text too, where
 * eth_type() without vlan() before it says that there is no tag. */
static void
normalize_vlan(struct flow_mask *mask, const struct flow_key *key)
{
    const be16 present = htons(VLAN_TCI_PRESENT);
    struct flow_key *m = &mask->bits;

    if (!m->dl_type && !m->vlan_tci0 && !m->vlan_tci1 && !m->vlan_tpid0
        && !m->vlan_tpid1) {
        return;
    }
    FLOW_MASK_EXACT(mask, dl_type);

    m->vlan_tci0 |= present;
    if (!(key->vlan_tci0 & present)) {
        m->vlan_tci0 = present;
        m->vlan_tpid0 = 0;
        m->vlan_tci1 = 0;
        m->vlan_tpid1 = 0;
        return;
    }
    FLOW_MASK_EXACT(mask, vlan_tpid0);

    m->vlan_tci1 |= present;
    if (!(key->vlan_tci1 & present)) {
        m->vlan_tci1 = present;
        m->vlan_tpid1 = 0;
        return;
    }
    FLOW_MASK_EXACT(mask, vlan_tpid1);
}

static bool
is_ip(const struct flow_key *key)
{
    return key->dl_type == htons(ETH_TYPE_IP4)
           || key->dl_type == htons(ETH_TYPE_IP6);
}

static bool
any_nonzero(const void *p_, size_t n)
{
    const uint8_t *p = p_;
    size_t i;

    for (i = 0; i < n; i++) {
        if (p[i]) {
            return true;
        }
    }
    return false;
}
