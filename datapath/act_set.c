/* SPDX-License-Identifier: Apache-2.0 */

/* act_set.c - header fields are written, and what sums them up follows.
 *
 * PMD threads, called by act.c.  A checksum is never computed anew but moved
 * on by the difference (RFC 1624), so that a packet that was wrong stays wrong
 * and no payload is read.  Must never write where the parser saw no header,
 * nor look for L4 in a later fragment, which has none. */

#include "datapath/act_set.h"

#include <arpa/inet.h>

#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

#define ND_TARGET_OFS 8         /* RFC 4861, 4.3 and 4.4. */
#define ND_OPTIONS_OFS 24
#define ND_OPT_SOURCE_LLADDR 1
#define ND_OPT_TARGET_LLADDR 2
#define SCTP_CRC_OFS 8

/* What sums up the bytes of a field. */
enum cover {
    COVER_NONE,
    COVER_IP4,                  /* IPv4's header checksum. */
    COVER_ADDR,                 /* That, and L4's by its pseudo header. */
    COVER_L4,                   /* L4's alone. */
};

/* What of the packet may be written. */
struct view {
    const uint8_t *data;
    uint32_t len;               /* Contiguous, and in no padding. */
    const struct pkt_meta *md;
    const struct flow_key *key;
    bool is_ip4, is_ip6;
};

/* An action in terms of the packet's bytes, which need not look as in the
 * key. */
struct edit {
    uint32_t ofs;
    uint32_t n;
    enum cover cover;
    uint8_t value[16];
    uint8_t mask[16];
};

/* The bytes before and after, widened to whole 16-bit words. */
struct change {
    uint32_t ofs;
    uint32_t n;
    uint8_t before[20];
    uint8_t after[20];
};

static bool find_place(const struct view *, size_t field, struct edit *);
static bool place(struct edit *, uint32_t ofs, uint32_t n, enum cover);
static bool place_vlan(const struct view *, struct edit *);
static bool place_addr4(const struct view *, bool is_src, struct edit *);
static bool place_tos(const struct view *, struct edit *);
static bool place_label(const struct view *, struct edit *);
static bool place_port(const struct view *, bool is_src, struct edit *);
static bool place_ll(const struct view *, bool is_source, struct edit *);
static bool is_usual_arp(const struct view *);
static void write_bytes(uint8_t *data, uint32_t base, const struct edit *,
                        struct change *);
static be16 sum_of(const uint8_t *, uint32_t n);
static void follow_l4(uint8_t *data, const struct pkt_meta *,
                      const struct flow_key *, enum cover,
                      const struct change *);

struct rte_mbuf *
act_set(struct rte_mbuf *m, const struct action_set *set,
        const struct flow_key *key)
{
    const struct pkt_meta *md = pkt_meta(m);
    const struct view v = {
        .data = pkt_data(m),
        .len = MIN((uint32_t) rte_pktmbuf_data_len(m), md->ofs.l3_end),
        .md = md,
        .key = key,
        .is_ip4 = key->dl_type == htons(ETH_TYPE_IP4),
        .is_ip6 = key->dl_type == htons(ETH_TYPE_IP6),
    };
    struct change change;
    struct edit e;

    memcpy(e.value, set->value, sizeof e.value);
    memcpy(e.mask, set->mask, sizeof e.mask);
    if (!find_place(&v, set->ofs, &e) || e.ofs + e.n > v.len) {
        return m;
    }

    /* All headers are made ours, so that they stay in one piece. */
    m = pkt_own_head(m, MIN((uint32_t) rte_pktmbuf_data_len(m),
                            (uint32_t) md->inner_start + PARSE_HEAD_BYTES));
    if (UNLIKELY(!m)) {
        return NULL;
    }
    md = pkt_meta(m);
    write_bytes(pkt_data(m), e.cover == COVER_NONE ? e.ofs : md->ofs.l3, &e,
                &change);
    if (e.cover == COVER_NONE
        || !memcmp(change.before, change.after, change.n)) {
        return m;
    }
    if (v.is_ip4 && e.cover != COVER_L4) {
        struct ip4_hdr *ip = (void *) (pkt_data(m) + md->ofs.l3);

        ip->csum = csum_update16(ip->csum, sum_of(change.before, change.n),
                                 sum_of(change.after, change.n));
    }
    if (e.cover != COVER_IP4) {
        follow_l4(pkt_data(m), md, key, e.cover, &change);
    }
    return m;
}

/* Where the field at byte 'field' of the key lies in the packet.  False when
 * the packet has none. */
static bool
find_place(const struct view *v, size_t field, struct edit *e)
{
    uint32_t start = v->md->inner_start;
    uint32_t l3 = v->md->ofs.l3;
    uint32_t l4 = v->md->ofs.l4;

    switch (field) {
    case offsetof(struct flow_key, dl_dst):
        return place(e, start, 6, COVER_NONE);
    case offsetof(struct flow_key, dl_src):
        return place(e, start + 6, 6, COVER_NONE);
    case offsetof(struct flow_key, vlan_tci0):
        return place_vlan(v, e);
    case offsetof(struct flow_key, nw_src):
        return place_addr4(v, true, e);
    case offsetof(struct flow_key, nw_dst):
        return place_addr4(v, false, e);
    case offsetof(struct flow_key, nw_tos):
        return place_tos(v, e);
    case offsetof(struct flow_key, nw_ttl):
        return v->is_ip4
               ? place(e, l3 + offsetof(struct ip4_hdr, ttl), 1, COVER_IP4)
               : v->is_ip6
               && place(e, l3 + offsetof(struct ip6_hdr_wire, hop_limit), 1,
                        COVER_NONE);
    case offsetof(struct flow_key, ipv6_src):
        return v->is_ip6
               && place(e, l3 + offsetof(struct ip6_hdr_wire, src), 16,
                        COVER_ADDR);
    case offsetof(struct flow_key, ipv6_dst):
        return v->is_ip6
               && place(e, l3 + offsetof(struct ip6_hdr_wire, dst), 16,
                        COVER_ADDR);
    case offsetof(struct flow_key, ipv6_label):
        return place_label(v, e);
    case offsetof(struct flow_key, tp_src):
        return place_port(v, true, e);
    case offsetof(struct flow_key, tp_dst):
        return place_port(v, false, e);
    case offsetof(struct flow_key, arp_sha):
        return place_ll(v, true, e);
    case offsetof(struct flow_key, arp_tha):
        return place_ll(v, false, e);
    case offsetof(struct flow_key, nd_target):
        return flow_key_is_nd(v->key)
               && place(e, l4 + ND_TARGET_OFS, 16, COVER_L4);
    default:
        return false;
    }
}

static bool
place(struct edit *e, uint32_t ofs, uint32_t n, enum cover cover)
{
    e->ofs = ofs;
    e->n = n;
    e->cover = cover;
    return true;
}

static bool
place_vlan(const struct view *v, struct edit *e)
{
    uint32_t ofs = v->md->ofs.l2_5;
    be16 tpid;

    /* An action before this one may have pushed or popped the tag: not the
     * key but the packet knows whether there is one. */
    if (ofs + sizeof(struct vlan_hdr) > v->len) {
        return false;
    }
    memcpy(&tpid, v->data + ofs, sizeof tpid);
    if (tpid != htons(ETH_TYPE_VLAN) && tpid != htons(ETH_TYPE_QINQ)
        && tpid != htons(ETH_TYPE_QINQ_OLD)) {
        return false;
    }
    /* In the key this bit says that there is a tag; on the wire it is DEI. */
    e->mask[0] &= (uint8_t) ~(VLAN_TCI_PRESENT >> 8);
    return place(e, ofs + (uint32_t) offsetof(struct vlan_hdr, tci), 2,
                 COVER_NONE);
}

/* IPv4's addresses, or those that ARP speaks of. */
static bool
place_addr4(const struct view *v, bool is_src, struct edit *e)
{
    uint32_t l3 = v->md->ofs.l3;

    if (v->is_ip4) {
        return place(e, l3 + (uint32_t) (is_src
                                         ? offsetof(struct ip4_hdr, src)
                                         : offsetof(struct ip4_hdr, dst)),
                     4, COVER_ADDR);
    }
    return is_usual_arp(v)
           && place(e, l3 + (uint32_t) (is_src
                                        ? offsetof(struct arp_hdr, spa)
                                        : offsetof(struct arp_hdr, tpa)),
                    4, COVER_NONE);
}

static bool
place_tos(const struct view *v, struct edit *e)
{
    uint8_t value = e->value[0];
    uint8_t mask = e->mask[0];

    if (v->is_ip4) {
        return place(e, v->md->ofs.l3
                        + (uint32_t) offsetof(struct ip4_hdr, tos),
                     1, COVER_IP4);
    }
    /* IPv6's lies across two bytes, behind the version. */
    e->value[0] = value >> 4;
    e->mask[0] = mask >> 4;
    e->value[1] = (uint8_t) (value << 4);
    e->mask[1] = (uint8_t) (mask << 4);
    return v->is_ip6 && place(e, v->md->ofs.l3, 2, COVER_NONE);
}

static bool
place_label(const struct view *v, struct edit *e)
{
    e->mask[0] = 0;
    e->mask[1] &= 0x0f;
    return v->is_ip6 && place(e, v->md->ofs.l3, 4, COVER_NONE);
}

/* Ports, or type and code. */
static bool
place_port(const struct view *v, bool is_src, struct edit *e)
{
    const struct pkt_ofs *ofs = &v->md->ofs;
    uint32_t at = ofs->l4 + (is_src ? 0u : 2u);

    if (!flow_key_has_ports(v->key) || ofs->payload == PKT_OFS_NONE) {
        return false;
    }
    switch (v->key->nw_proto) {
    case IPPROTO_SCTP:
        /* A first fragment does not say how far the CRC goes on: rather than
         * make the whole packet void, its ports stay. */
        return !v->key->nw_frag && place(e, at, 2, COVER_L4);
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        e->value[0] = e->value[1];
        e->mask[0] = e->mask[1];
        return place(e, ofs->l4 + (is_src ? 0u : 1u), 1, COVER_L4);
    default:
        return place(e, at, 2, COVER_L4);
    }
}

/* Link layer addresses, of ARP or in an option of neighbour discovery, which
 * the parser has found to be well formed. */
static bool
place_ll(const struct view *v, bool is_source, struct edit *e)
{
    uint8_t type = is_source ? ND_OPT_SOURCE_LLADDR : ND_OPT_TARGET_LLADDR;

    if (is_usual_arp(v)) {
        return place(e, v->md->ofs.l3
                        + (uint32_t) (is_source
                                      ? offsetof(struct arp_hdr, sha)
                                      : offsetof(struct arp_hdr, tha)),
                     6, COVER_NONE);
    }
    if (!flow_key_is_nd(v->key)) {
        return false;
    }
    for (uint32_t at = v->md->ofs.l4 + ND_OPTIONS_OFS; at + 8 <= v->len;) {
        const uint8_t *opt = v->data + at;

        if (opt[0] == type && opt[1] == 1) {
            return place(e, at + 2, 6, COVER_L4);
        }
        if (!opt[1]) {
            break;
        }
        at += opt[1] * 8u;
    }
    return false;
}

/* Whether it is ARP for Ethernet and IPv4, the only one that has fields. */
static bool
is_usual_arp(const struct view *v)
{
    static const uint8_t usual[6] = { 0, 1, 8, 0, 6, 4 };
    uint32_t l3 = v->md->ofs.l3;

    return v->key->dl_type == htons(ETH_TYPE_ARP)
           && l3 + sizeof(struct arp_hdr) <= v->len
           && !memcmp(v->data + l3, usual, sizeof usual);
}

/* Words of a checksum begin at even distances from 'base'. */
static void
write_bytes(uint8_t *data, uint32_t base, const struct edit *e,
            struct change *change)
{
    uint8_t *p = data + e->ofs;

    change->ofs = e->ofs - ((e->ofs - base) & 1);
    change->n = ROUND_UP(e->ofs + e->n - change->ofs, 2u);
    memcpy(change->before, data + change->ofs, change->n);
    for (uint32_t i = 0; i < e->n; i++) {
        p[i] = (uint8_t) ((p[i] & ~e->mask[i]) | (e->value[i] & e->mask[i]));
    }
    memcpy(change->after, data + change->ofs, change->n);
}

/* Whether IPv6's destination address is not the one that L4 sums up: a routing
 * header has the final one (RFC 8200, 8.1). */
static bool
is_routed(const uint8_t *data, const struct pkt_ofs *ofs)
{
    uint32_t at = ofs->l3 + (uint32_t) sizeof(struct ip6_hdr_wire);
    uint8_t next = data[ofs->l3 + offsetof(struct ip6_hdr_wire, next)];

    /* The parser has walked the same way. */
    while (at + 8 <= ofs->l4) {
        const uint8_t *ext = data + at;

        if (next == IPPROTO_ROUTING && ext[3]) {
            return true;
        }
        at += next == IPPROTO_FRAGMENT ? 8u
              : next == IPPROTO_AH ? (ext[1] + 2u) * 4
              : (ext[1] + 1u) * 8;
        next = ext[0];
    }
    return false;
}

static be16
sum_of(const uint8_t *p, uint32_t n)
{
    return csum_fold(csum_add(0, p, n));
}

/* SCTP's CRC is linear: that of the difference, with as many zeros behind it
 * as the packet goes on, is the difference of the CRCs. */
static void
follow_sctp(uint8_t *l4, uint32_t len, uint32_t at,
            const struct change *change)
{
    static const uint8_t zeros[256];
    uint8_t diff[sizeof change->before];
    uint32_t crc;

    for (uint32_t i = 0; i < change->n; i++) {
        diff[i] = change->before[i] ^ change->after[i];
    }
    /* Zeros in front of it change nothing. */
    crc = csum_crc32c(0, diff, change->n);
    for (uint32_t left = len - at - change->n; left;) {
        uint32_t n = MIN(left, (uint32_t) sizeof zeros);

        crc = csum_crc32c(crc, zeros, n);
        left -= n;
    }
    for (unsigned int i = 0; i < 4; i++) {
        l4[SCTP_CRC_OFS + i] ^= (uint8_t) (crc >> (8 * i));
    }
}

/* Moves the checksum in the L4 header on, where there is one that sums up the
 * change. */
static void
follow_l4(uint8_t *data, const struct pkt_meta *md, const struct flow_key *key,
          enum cover cover, const struct change *change)
{
    const struct pkt_ofs *ofs = &md->ofs;
    bool is_partial = md->need.csum && md->need.csum_start == ofs->l4;
    uint32_t field_ofs;
    be16 before = sum_of(change->before, change->n);
    be16 after = sum_of(change->after, change->n);
    be16 field;

    if (ofs->l4 == PKT_OFS_NONE || (is_partial && cover == COVER_L4)) {
        return;
    }
    switch (key->nw_proto) {
    case IPPROTO_TCP:
        field_ofs = ofs->l4 + (uint32_t) offsetof(struct tcp_hdr, csum);
        break;
    case IPPROTO_UDP:
        field_ofs = ofs->l4 + (uint32_t) offsetof(struct udp_hdr, csum);
        break;
    case IPPROTO_ICMPV6:
        field_ofs = ofs->l4 + (uint32_t) offsetof(struct icmp_hdr, csum);
        break;
    case IPPROTO_ICMP:
        if (cover == COVER_ADDR) {
            return;             /* Has no pseudo header. */
        }
        field_ofs = ofs->l4 + (uint32_t) offsetof(struct icmp_hdr, csum);
        break;
    case IPPROTO_SCTP:
        if (cover == COVER_L4) {
            follow_sctp(data + ofs->l4, ofs->l3_end - ofs->l4,
                        change->ofs - ofs->l4, change);
        }
        return;
    default:
        return;
    }
    /* The start of a short first fragment may end before its checksum. */
    if (field_ofs + sizeof field > ofs->l3_end
        || (change->ofs == ofs->l3 + offsetof(struct ip6_hdr_wire, dst)
            && key->dl_type == htons(ETH_TYPE_IP6)
            && is_routed(data, ofs))) {
        return;
    }

    memcpy(&field, data + field_ofs, sizeof field);
    if (is_partial) {
        field = csum_fold((uint32_t) field + (be16) ~before + after);
    } else if (key->nw_proto != IPPROTO_UDP) {
        field = csum_update16(field, before, after);
    } else if (field) {
        field = csum_update16(field, before, after);
        field = field ? field : 0xffff;
    }
    memcpy(data + field_ofs, &field, sizeof field);
}
