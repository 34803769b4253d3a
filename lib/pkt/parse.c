/* SPDX-License-Identifier: Apache-2.0 */

/* parse.c - bytes of a frame -> flow key and offsets.
 *
 * Stands between rx and lookup, and behind each tunnel pop.  Runs in PMD
 * threads, once per packet.  Must never read beyond 'head_len', and never
 * trust a length that the packet states about itself.
 *
 * IPv4 goes straight down in parse_packet(), with everything inlined and
 * nothing of 'struct view' in memory; all else is in functions of its own,
 * which get values instead of pointers so that this stays so.
 *
 * The key is put together from whole 64-bit words, each stored once: whoever
 * hashes it next loads words, and a load that spans several narrow stores
 * just made has to wait until all of them have left the store buffer. */

#include "lib/pkt/parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/util.h"
#include "lib/flow/flow.h"
#include "lib/pkt/wire.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the words of a key are put together in little endian");
_Static_assert(offsetof(struct pkt_ofs, payload) == 6
               && offsetof(struct pkt_ofs, l3_end) == 8,
               "the four short offsets are stored as one word");

/* The value V in the place that FIELD has in its word of the key. */
#define AT(FIELD, V) \
    ((uint64_t) (V) << (8 * (offsetof(struct flow_key, FIELD) % 8)))

#define ETH_TYPE_OFS offsetof(struct eth_hdr, type)
#define ETH_ADDR_BITS UINT64_C(0x0000ffffffffffff)
#define IP6_HDR_LEN sizeof(struct ip6_hdr_wire)

/* Bounds the walk through IPv6 extension headers.  RFC 8200 recommends six
 * at most. */
#define MAX_IP6_EXT 16

enum {
    PROTO_MOBILITY = 135,       /* RFC 6275 */
    ICMP6_HDR_LEN = 4,          /* RFC 4443, 2.1: the rest is body. */
    ICMP6_NS = 135,             /* RFC 4861, 4.3 */
    ICMP6_NA = 136,
    ND_HDR_LEN = 24,            /* With the target address. */
    ND_OPT_SOURCE_LLADDR = 1,
    ND_OPT_TARGET_LLADDR = 2,
};

/* A packet on its way through this file. */
struct view {
    const uint8_t *data;
    size_t head_len;
    size_t frame_len;
    size_t l3;
    size_t l4;
    size_t payload;
    size_t end;                 /* Of the IP packet by its own length. */
    size_t head_end;            /* What of that lies in 'head_len'. */
    uint64_t w3;                /* Words 3, 4, 5 of the key. */
    uint64_t w4;
    uint64_t w5;
    be16 dl_type;
    uint8_t parts;
    uint8_t proto;
    bool is_frag;
};

/* Where a chain of IPv6 extension headers led. */
struct ip6_walk {
    uint32_t l4;
    uint8_t status;             /* enum parse_status */
    uint8_t proto;
    uint8_t frag;               /* FLOW_FRAG_* */
};

static enum parse_status parse_not_ip4(const uint8_t *data, size_t head_len,
                                       size_t frame_len, size_t l3,
                                       be16 dl_type, uint64_t w3,
                                       struct flow_key *,
                                       struct pkt_ofs *);
static inline enum parse_status parse_ip4(struct view *);
static inline enum parse_status parse_ip6(struct view *, struct flow_key *);
static struct ip6_walk walk_ip6_exts(const uint8_t *data, size_t ofs,
                                     size_t end, uint8_t proto);
static inline enum parse_status parse_l4(struct view *);
static inline enum parse_status parse_icmp4(struct view *);
static enum parse_status parse_icmp6(struct view *, struct flow_key *);
static enum parse_status parse_nd(const uint8_t *p, size_t len,
                                  struct flow_key *);
static inline enum parse_status parse_arp(struct view *, struct flow_key *);

static inline void zero_tail(struct flow_key *);
static inline void store_view(const struct view *, struct flow_key *,
                              struct pkt_ofs *);
static inline uint16_t load16(const uint8_t *);
static inline uint32_t load32(const uint8_t *);
static inline uint64_t load64(const uint8_t *);
static inline void store64(void *, uint64_t);

static inline bool
is_vlan_tpid(be16 type)
{
    return type == htons(ETH_TYPE_VLAN) || type == htons(ETH_TYPE_QINQ)
           || type == htons(ETH_TYPE_QINQ_OLD);
}

const char *
parse_status_to_string(enum parse_status status)
{
    static const char *const sentences[PARSE_N_STATUS] = {
        "ok",
#define X(NAME, SENTENCE) SENTENCE,
        PARSE_ERRORS(X)
#undef X
    };

    return (unsigned int) status < PARSE_N_STATUS ? sentences[status]
                                                  : "unknown parse status";
}

enum parse_status
parse_packet(const void *data_, size_t head_len, size_t frame_len,
             struct flow_key *key, struct pkt_ofs *ofs)
{
    const uint8_t *data = data_;
    size_t l3 = sizeof(struct eth_hdr);
    uint64_t w3 = 0;
    uint64_t tci0 = 0;
    uint64_t tci1 = 0;
    be16 type;

    if (UNLIKELY(head_len < sizeof(struct eth_hdr))) {
        return PARSE_ETH_SHORT;
    }

    type = load16(data + ETH_TYPE_OFS);
    if (UNLIKELY(is_vlan_tpid(type))) {
        if (UNLIKELY(head_len < l3 + 4)) {
            return PARSE_VLAN_SHORT;
        }
        w3 = AT(vlan_tpid0, type);
        tci0 = load16(data + l3) | htons(VLAN_TCI_PRESENT);
        type = load16(data + l3 + 2);
        l3 += 4;
        if (UNLIKELY(is_vlan_tpid(type))) {
            if (UNLIKELY(head_len < l3 + 4)) {
                return PARSE_VLAN_SHORT;
            }
            w3 |= AT(vlan_tpid1, type);
            tci1 = load16(data + l3) | htons(VLAN_TCI_PRESENT);
            type = load16(data + l3 + 2);
            l3 += 4;
        }
    }

    zero_tail(key);
    store64(&key->dl_dst,
            (load64(data) & ETH_ADDR_BITS) | AT(vlan_tci0, tci0));
    store64(&key->dl_src,
            (load64(data + 6) & ETH_ADDR_BITS) | AT(vlan_tci1, tci1));

    if (LIKELY(type == htons(ETH_TYPE_IP4))) {
        struct view v = {
            .data = data,
            .head_len = head_len,
            .frame_len = frame_len,
            .l3 = l3,
            .payload = PKT_OFS_NONE,
            .w3 = w3,
            .dl_type = type,
        };
        enum parse_status status = parse_ip4(&v);

        if (LIKELY(!status)) {
            store_view(&v, key, ofs);
        }
        return status;
    }
    return parse_not_ip4(data, head_len, frame_len, l3, type, w3, key, ofs);
}

static __attribute__((noinline)) enum parse_status
parse_not_ip4(const uint8_t *data, size_t head_len, size_t frame_len,
              size_t l3, be16 dl_type, uint64_t w3, struct flow_key *key,
              struct pkt_ofs *ofs)
{
    struct view v = {
        .data = data,
        .head_len = head_len,
        .frame_len = frame_len,
        .l3 = l3,
        .l4 = PKT_OFS_NONE,
        .payload = PKT_OFS_NONE,
        .end = frame_len,
        .w3 = w3,
        .dl_type = dl_type,
    };
    enum parse_status status = PARSE_OK;

    if (dl_type == htons(ETH_TYPE_IP6)) {
        status = parse_ip6(&v, key);
    } else if (dl_type == htons(ETH_TYPE_ARP)) {
        status = parse_arp(&v, key);
    } else {
        v.l3 = PKT_OFS_NONE;
        if (ntohs(dl_type) < ETH_TYPE_MIN) {
            v.dl_type = htons(FLOW_DL_TYPE_NONE);
        }
    }
    store_view(&v, key, ofs);
    return status;
}

static inline enum parse_status
parse_ip4(struct view *v)
{
    const uint8_t *ip = v->data + v->l3;
    size_t hdr_len = sizeof(struct ip4_hdr);
    size_t tot_len;
    be16 frag;

    if (UNLIKELY(v->head_len < v->l3 + sizeof(struct ip4_hdr))) {
        return PARSE_IP4_SHORT;
    }
    if (UNLIKELY(ip[0] != 0x45)) {
        if (ip[0] >> 4 != 4) {
            return PARSE_IP4_VERSION;
        }
        hdr_len = (ip[0] & 15) * 4;
        if (hdr_len < sizeof(struct ip4_hdr)
            || hdr_len > v->head_len - v->l3) {
            return PARSE_IP4_IHL;
        }
    }
    tot_len = ntohs(load16(ip + offsetof(struct ip4_hdr, tot_len)));
    v->end = v->l3 + tot_len;
    if (UNLIKELY(tot_len < hdr_len || v->end > v->frame_len)) {
        return PARSE_IP4_LEN;
    }

    /* The header lies in the head and the packet reaches at least to its
     * end, so that head_end >= l4. */
    v->l4 = v->l3 + hdr_len;
    v->head_end = MIN(v->end, v->head_len);
    v->proto = ip[offsetof(struct ip4_hdr, proto)];
    v->w3 |= AT(nw_proto, v->proto)
             | AT(nw_tos, ip[offsetof(struct ip4_hdr, tos)])
             | AT(nw_ttl, ip[offsetof(struct ip4_hdr, ttl)]);
    v->w5 = load64(ip + offsetof(struct ip4_hdr, src));

    frag = load16(ip + offsetof(struct ip4_hdr, frag));
    if (UNLIKELY(frag & htons(IP4_MF | IP4_OFS_MASK))) {
        if (frag & htons(IP4_OFS_MASK)) {
            v->w3 |= AT(nw_frag, FLOW_FRAG_ANY | FLOW_FRAG_LATER);
            v->l4 = PKT_OFS_NONE;
            return PARSE_OK;
        }
        v->w3 |= AT(nw_frag, FLOW_FRAG_ANY);
        v->is_frag = true;
    }
    return UNLIKELY(v->proto == IPPROTO_ICMP) ? parse_icmp4(v) : parse_l4(v);
}

static inline enum parse_status
parse_ip6(struct view *v, struct flow_key *key)
{
    const uint8_t *ip = v->data + v->l3;
    uint32_t ver_tc_label;
    size_t payload_len;

    if (UNLIKELY(v->head_len < v->l3 + IP6_HDR_LEN)) {
        return PARSE_IP6_SHORT;
    }
    ver_tc_label = ntohl(load32(ip));
    if (UNLIKELY(ver_tc_label >> 28 != 6)) {
        return PARSE_IP6_VERSION;
    }
    payload_len = ntohs(load16(ip + offsetof(struct ip6_hdr_wire,
                                             payload_len)));
    v->proto = ip[offsetof(struct ip6_hdr_wire, next)];
    v->l4 = v->l3 + IP6_HDR_LEN;
    v->end = v->l4 + payload_len;
    if (UNLIKELY(v->end > v->frame_len
                 || (!payload_len && v->proto != IPPROTO_NONE
                     && v->frame_len > v->l4))) {
        return PARSE_IP6_LEN;
    }
    v->head_end = MIN(v->end, v->head_len);

    memcpy(&key->ipv6_src, ip + offsetof(struct ip6_hdr_wire, src),
           sizeof key->ipv6_src);
    memcpy(&key->ipv6_dst, ip + offsetof(struct ip6_hdr_wire, dst),
           sizeof key->ipv6_dst);
    store64(&key->ipv6_label,
            AT(ipv6_label, htonl(ver_tc_label & 0x000fffff)));
    v->parts = FLOW_PART_IPV6;
    v->w3 |= AT(nw_tos, ver_tc_label >> 20 & 0xff)
             | AT(nw_ttl, ip[offsetof(struct ip6_hdr_wire, hop_limit)]);

    if (UNLIKELY(v->proto != IPPROTO_TCP && v->proto != IPPROTO_UDP)) {
        struct ip6_walk walk = walk_ip6_exts(v->data, v->l4, v->head_end,
                                             v->proto);

        if (walk.status) {
            return walk.status;
        }
        v->l4 = walk.l4;
        v->proto = walk.proto;
        v->is_frag = walk.frag != 0;
        v->w3 |= AT(nw_frag, walk.frag);
    }
    v->w3 |= AT(nw_proto, v->proto);
    if (UNLIKELY(v->l4 == PKT_OFS_NONE)) {
        return PARSE_OK;
    }
    return v->proto == IPPROTO_ICMPV6 ? parse_icmp6(v, key) : parse_l4(v);
}

/* Walks from the header at 'ofs', which is of type 'proto', to the first that
 * is not an extension header, or to a fragment header of a later fragment:
 * what follows that one is the middle of something, even where its type is
 * known, and so its protocol is IPPROTO_FRAGMENT. */
static __attribute__((noinline)) struct ip6_walk
walk_ip6_exts(const uint8_t *data, size_t ofs, size_t end, uint8_t proto)
{
    struct ip6_walk walk = {.status = PARSE_IP6_EXT};
    unsigned int i;

    for (i = 0; i <= MAX_IP6_EXT; i++) {
        const uint8_t *ext = data + ofs;
        size_t len;

        switch (proto) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
        case PROTO_MOBILITY:
        case IPPROTO_AH:
        case IPPROTO_FRAGMENT:
            break;
        default:
            walk.l4 = (uint32_t) ofs;
            walk.proto = proto;
            walk.status = PARSE_OK;
            return walk;
        }

        if (end - ofs < 8) {
            return walk;
        }
        len = proto == IPPROTO_FRAGMENT ? 8
              : proto == IPPROTO_AH ? (ext[1] + 2) * 4
              : (ext[1] + 1) * 8;
        if (len > end - ofs) {
            return walk;
        }
        if (proto == IPPROTO_FRAGMENT) {
            uint16_t ofs_m = ntohs(load16(ext + offsetof(struct ip6_frag_hdr,
                                                         ofs_m)));

            if (ofs_m & 0xfff8) {
                walk.frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
                walk.l4 = PKT_OFS_NONE;
                walk.proto = IPPROTO_FRAGMENT;
                walk.status = PARSE_OK;
                return walk;
            }
            /* Offset 0 without M is a whole packet (RFC 6946). */
            if (ofs_m & 1) {
                walk.frag = FLOW_FRAG_ANY;
            }
        }
        proto = ext[0];
        ofs += len;
    }
    return walk;
}

/* The L4 headers that both IP versions share. */
static inline enum parse_status
parse_l4(struct view *v)
{
    const uint8_t *p = v->data + v->l4;
    size_t head_room = v->head_end - v->l4;
    size_t room = v->end - v->l4;

    if (LIKELY(v->proto == IPPROTO_TCP)) {
        uint16_t ofs_flags;
        size_t hdr_len;

        if (UNLIKELY(head_room < sizeof(struct tcp_hdr))) {
            return v->is_frag ? PARSE_OK : PARSE_TCP_SHORT;
        }
        ofs_flags = load16(p + offsetof(struct tcp_hdr, ofs_flags));
        hdr_len = (ofs_flags & 0xf0) >> 2;
        if (UNLIKELY(hdr_len < sizeof(struct tcp_hdr))) {
            return PARSE_TCP_OFS;
        }
        v->w4 = AT(tp_src, load32(p))
                | AT(tcp_flags, ofs_flags & htons(0x0fff));
        if (UNLIKELY(hdr_len > room)) {
            return v->is_frag ? PARSE_OK : PARSE_TCP_OFS;
        }
        v->payload = v->l4 + hdr_len;
    } else if (LIKELY(v->proto == IPPROTO_UDP)) {
        size_t len;

        if (UNLIKELY(head_room < sizeof(struct udp_hdr))) {
            return v->is_frag ? PARSE_OK : PARSE_UDP_SHORT;
        }
        len = ntohs(load16(p + offsetof(struct udp_hdr, len)));
        if (UNLIKELY(len < sizeof(struct udp_hdr) || len > room)
            && !v->is_frag) {
            return PARSE_UDP_LEN;
        }
        v->w4 = AT(tp_src, load32(p));
        v->payload = v->l4 + sizeof(struct udp_hdr);
    } else if (v->proto == IPPROTO_SCTP) {
        if (UNLIKELY(head_room < sizeof(struct sctp_hdr))) {
            return v->is_frag ? PARSE_OK : PARSE_SCTP_SHORT;
        }
        v->w4 = AT(tp_src, load32(p));
        v->payload = v->l4 + sizeof(struct sctp_hdr);
    }
    return PARSE_OK;
}

static inline enum parse_status
parse_icmp4(struct view *v)
{
    const uint8_t *p = v->data + v->l4;

    if (UNLIKELY(v->head_end - v->l4 < sizeof(struct icmp_hdr))) {
        return v->is_frag ? PARSE_OK : PARSE_ICMP_SHORT;
    }
    v->w4 = AT(tp_src, htons(p[0])) | AT(tp_dst, htons(p[1]));
    v->payload = v->l4 + sizeof(struct icmp_hdr);
    return PARSE_OK;
}

static enum parse_status
parse_icmp6(struct view *v, struct flow_key *key)
{
    const uint8_t *p = v->data + v->l4;
    size_t head_room = v->head_end - v->l4;

    if (UNLIKELY(head_room < ICMP6_HDR_LEN)) {
        return v->is_frag ? PARSE_OK : PARSE_ICMP6_SHORT;
    }
    v->w4 = AT(tp_src, htons(p[0])) | AT(tp_dst, htons(p[1]));
    v->payload = v->l4 + ICMP6_HDR_LEN;

    /* Neighbour discovery is never fragmented (RFC 6980). */
    if ((p[0] == ICMP6_NS || p[0] == ICMP6_NA) && !p[1] && !v->is_frag) {
        v->parts |= FLOW_PART_ND;
        return parse_nd(p, head_room, key);
    }
    return PARSE_OK;
}

/* Of each link-layer option the first one counts, as in Linux. */
static enum parse_status
parse_nd(const uint8_t *p, size_t len, struct flow_key *key)
{
    bool have_source = false;
    bool have_target = false;
    size_t ofs;

    if (len < ND_HDR_LEN) {
        return PARSE_ND_SHORT;
    }
    memcpy(&key->nd_target, p + ND_HDR_LEN - sizeof key->nd_target,
           sizeof key->nd_target);

    for (ofs = ND_HDR_LEN; ofs < len; ) {
        const uint8_t *opt = p + ofs;
        size_t opt_len;

        if (len - ofs < 8) {
            return PARSE_ND_OPTION;
        }
        opt_len = opt[1] * 8;
        if (!opt_len || opt_len > len - ofs) {
            return PARSE_ND_OPTION;
        }
        if (opt_len == 8) {
            if (opt[0] == ND_OPT_SOURCE_LLADDR && !have_source) {
                memcpy(key->arp_sha, opt + 2, sizeof key->arp_sha);
                have_source = true;
            } else if (opt[0] == ND_OPT_TARGET_LLADDR && !have_target) {
                memcpy(key->arp_tha, opt + 2, sizeof key->arp_tha);
                have_target = true;
            }
        }
        ofs += opt_len;
    }
    return PARSE_OK;
}

static inline enum parse_status
parse_arp(struct view *v, struct flow_key *key)
{
    /* Hardware Ethernet, protocol IPv4, address lengths 6 and 4. */
    static const uint8_t usual[6] = {0, 1, 8, 0, 6, 4};
    const uint8_t *p = v->data + v->l3;
    size_t room = v->head_len - v->l3;
    struct arp_hdr arp;

    v->parts = FLOW_PART_ND;
    if (room < 8) {
        return PARSE_ARP_SHORT;
    }
    if (memcmp(p, usual, sizeof usual)) {
        return PARSE_OK;
    }
    if (room < sizeof arp) {
        return PARSE_ARP_SHORT;
    }
    memcpy(&arp, p, sizeof arp);
    if (ntohs(arp.op) <= 0xff) {
        v->w3 |= AT(nw_proto, ntohs(arp.op));
    }
    v->w5 = AT(nw_src, arp.spa) | AT(nw_dst, arp.tpa);
    memcpy(key->arp_sha, arp.sha, sizeof key->arp_sha);
    memcpy(key->arp_tha, arp.tha, sizeof key->arp_tha);
    return PARSE_OK;
}

/* Zeroes the words behind the base ones.  Spelled out in vectors because the
 * compiler turns a memset() of this length into "rep stos", which needs some
 * 30 cycles to begin. */
static inline void
zero_tail(struct flow_key *key)
{
    typedef uint64_t vec __attribute__((vector_size(16), aligned(8),
                                        may_alias));
    uint8_t *p = (uint8_t *) key + FLOW_N_WORDS_BASE * 8;
    const size_t n = sizeof *key - FLOW_N_WORDS_BASE * 8;
    size_t i;

#pragma GCC unroll 16
    for (i = 0; i + sizeof(vec) <= n; i += sizeof(vec)) {
        *(vec *) (void *) (p + i) = (vec) {0, 0};
    }
    if (n % sizeof(vec)) {
        store64(p + n - 8, 0);
    }
}

static inline void
store_view(const struct view *v, struct flow_key *key, struct pkt_ofs *ofs)
{
    store64(&key->in_port, AT(dl_type, v->dl_type) | AT(parts, v->parts));
    store64(&key->vlan_tpid0, v->w3);
    store64(&key->tp_src, v->w4);
    store64(&key->nw_src, v->w5);

    store64(&ofs->l2_5, ETH_TYPE_OFS | (uint64_t) v->l3 << 16
                        | (uint64_t) v->l4 << 32
                        | (uint64_t) v->payload << 48);
    ofs->l3_end = (uint32_t) v->end;
}

static inline uint16_t
load16(const uint8_t *p)
{
    uint16_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint32_t
load32(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t
load64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline void
store64(void *p, uint64_t x)
{
    memcpy(p, &x, sizeof x);
}
