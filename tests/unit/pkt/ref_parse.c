/* SPDX-License-Identifier: Apache-2.0 */

/* ref_parse.c - the naive parser of the tests (ref_parse.h). */

#include "tests/unit/pkt/ref_parse.h"

#include <arpa/inet.h>
#include <string.h>

struct cursor {
    const uint8_t *data;
    size_t pos;
    size_t readable;            /* Bytes beyond do not exist for us. */
};

struct result {
    struct flow_key *key;
    struct pkt_ofs *ofs;
};

/* Whether 'n' more bytes can be read. */
static bool
has(const struct cursor *c, size_t n)
{
    return c->pos <= c->readable && n <= c->readable - c->pos;
}

static unsigned int
u8(const struct cursor *c, size_t i)
{
    return c->data[c->pos + i];
}

static unsigned int
u16(const struct cursor *c, size_t i)
{
    return u8(c, i) * 256 + u8(c, i + 1);
}

static bool
is_tag(unsigned int type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static void
copy(const struct cursor *c, size_t i, void *dst, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        ((uint8_t *) dst)[j] = (uint8_t) u8(c, i + j);
    }
}

static enum parse_status
ref_tcp(struct cursor *c, size_t end, struct result *r, bool first_fragment)
{
    unsigned int hdr_len;

    if (!has(c, 20)) {
        return first_fragment ? PARSE_OK : PARSE_TCP_SHORT;
    }
    hdr_len = u8(c, 12) / 16 * 4;
    if (hdr_len < 20) {
        return PARSE_TCP_OFS;
    }
    if (c->pos + hdr_len > end && !first_fragment) {
        return PARSE_TCP_OFS;
    }
    r->key->tp_src = htons((uint16_t) u16(c, 0));
    r->key->tp_dst = htons((uint16_t) u16(c, 2));
    r->key->tcp_flags = htons((uint16_t) (u16(c, 12) % 4096));
    if (c->pos + hdr_len <= end) {
        r->ofs->payload = (uint16_t) (c->pos + hdr_len);
    }
    return PARSE_OK;
}

static enum parse_status
ref_nd(struct cursor *c, struct result *r)
{
    static const uint8_t zero[6];
    bool seen[3] = {false, false, false};

    if (!has(c, 24)) {
        return PARSE_ND_SHORT;
    }
    copy(c, 8, &r->key->nd_target, 16);
    c->pos += 24;
    while (c->pos < c->readable) {
        unsigned int type, len;

        if (!has(c, 8)) {
            return PARSE_ND_OPTION;
        }
        type = u8(c, 0);
        len = u8(c, 1) * 8;
        if (len == 0 || !has(c, len)) {
            return PARSE_ND_OPTION;
        }
        if (len == 8 && (type == 1 || type == 2) && !seen[type]) {
            copy(c, 2, type == 1 ? r->key->arp_sha : r->key->arp_tha,
                 sizeof zero);
            seen[type] = true;
        }
        c->pos += len;
    }
    return PARSE_OK;
}

static enum parse_status
ref_l4(struct cursor *c, size_t end, unsigned int proto, bool is_ip6,
       struct result *r)
{
    bool first_fragment = r->key->nw_frag == FLOW_FRAG_ANY;

    r->ofs->l4 = (uint16_t) c->pos;
    if (proto == 6) {
        return ref_tcp(c, end, r, first_fragment);
    } else if (proto == 17 || proto == 132) {
        size_t hdr_len = proto == 17 ? 8 : 12;

        if (!has(c, hdr_len)) {
            return first_fragment ? PARSE_OK
                   : proto == 17 ? PARSE_UDP_SHORT : PARSE_SCTP_SHORT;
        }
        if (proto == 17 && !first_fragment
            && (u16(c, 4) < 8 || c->pos + u16(c, 4) > end)) {
            return PARSE_UDP_LEN;
        }
        r->key->tp_src = htons((uint16_t) u16(c, 0));
        r->key->tp_dst = htons((uint16_t) u16(c, 2));
        r->ofs->payload = (uint16_t) (c->pos + hdr_len);
    } else if (proto == (is_ip6 ? 58 : 1)) {
        size_t hdr_len = is_ip6 ? 4 : 8;

        if (!has(c, hdr_len)) {
            return first_fragment ? PARSE_OK
                   : is_ip6 ? PARSE_ICMP6_SHORT : PARSE_ICMP_SHORT;
        }
        r->key->tp_src = htons((uint16_t) u8(c, 0));
        r->key->tp_dst = htons((uint16_t) u8(c, 1));
        r->ofs->payload = (uint16_t) (c->pos + hdr_len);
        if (is_ip6 && (u8(c, 0) == 135 || u8(c, 0) == 136) && u8(c, 1) == 0
            && !first_fragment) {
            r->key->parts |= FLOW_PART_ND;
            return ref_nd(c, r);
        }
    }
    return PARSE_OK;
}

static enum parse_status
ref_ip4(struct cursor *c, size_t frame_len, struct result *r)
{
    unsigned int hdr_len, tot_len, frag;

    if (!has(c, 20)) {
        return PARSE_IP4_SHORT;
    }
    if (u8(c, 0) / 16 != 4) {
        return PARSE_IP4_VERSION;
    }
    hdr_len = u8(c, 0) % 16 * 4;
    if (hdr_len < 20 || !has(c, hdr_len)) {
        return PARSE_IP4_IHL;
    }
    tot_len = u16(c, 2);
    if (tot_len < hdr_len || c->pos + tot_len > frame_len) {
        return PARSE_IP4_LEN;
    }
    r->ofs->l3_end = (uint32_t) (c->pos + tot_len);
    r->key->nw_tos = (uint8_t) u8(c, 1);
    r->key->nw_ttl = (uint8_t) u8(c, 8);
    r->key->nw_proto = (uint8_t) u8(c, 9);
    copy(c, 12, &r->key->nw_src, 4);
    copy(c, 16, &r->key->nw_dst, 4);

    frag = u16(c, 6);
    if (frag % 0x2000 != 0) {
        r->key->nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
        return PARSE_OK;
    }
    if (frag & 0x2000) {
        r->key->nw_frag = FLOW_FRAG_ANY;
    }
    if (c->readable > r->ofs->l3_end) {
        c->readable = r->ofs->l3_end;
    }
    c->pos += hdr_len;
    return ref_l4(c, r->ofs->l3_end, r->key->nw_proto, false, r);
}

static enum parse_status
ref_ip6(struct cursor *c, size_t frame_len, struct result *r)
{
    unsigned int payload_len, next, n_exts = 0;

    if (!has(c, 40)) {
        return PARSE_IP6_SHORT;
    }
    if (u8(c, 0) / 16 != 6) {
        return PARSE_IP6_VERSION;
    }
    payload_len = u16(c, 4);
    next = u8(c, 6);
    if (c->pos + 40 + payload_len > frame_len
        || (payload_len == 0 && next != 59 && frame_len != c->pos + 40)) {
        return PARSE_IP6_LEN;
    }
    r->ofs->l3_end = (uint32_t) (c->pos + 40 + payload_len);
    r->key->parts |= FLOW_PART_IPV6;
    r->key->nw_tos = (uint8_t) (u8(c, 0) % 16 * 16 + u8(c, 1) / 16);
    r->key->ipv6_label = htonl(u8(c, 1) % 16 * 65536 + u16(c, 2));
    r->key->nw_ttl = (uint8_t) u8(c, 7);
    copy(c, 8, &r->key->ipv6_src, 16);
    copy(c, 24, &r->key->ipv6_dst, 16);
    if (c->readable > r->ofs->l3_end) {
        c->readable = r->ofs->l3_end;
    }
    c->pos += 40;

    while (next == 0 || next == 43 || next == 44 || next == 51 || next == 60
           || next == 135) {
        unsigned int len;

        if (++n_exts > 16 + 1 || !has(c, 8)) {
            return PARSE_IP6_EXT;
        }
        len = next == 44 ? 8 : next == 51 ? (u8(c, 1) + 2) * 4
                             : u8(c, 1) * 8 + 8;
        if (!has(c, len)) {
            return PARSE_IP6_EXT;
        }
        if (next == 44) {
            if (u16(c, 2) / 8 != 0) {
                r->key->nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
                r->key->nw_proto = 44;
                return PARSE_OK;
            }
            if (u16(c, 2) % 2 == 1) {
                r->key->nw_frag = FLOW_FRAG_ANY;
            }
        }
        next = u8(c, 0);
        c->pos += len;
    }
    if (n_exts > 16) {
        return PARSE_IP6_EXT;
    }
    r->key->nw_proto = (uint8_t) next;
    return ref_l4(c, r->ofs->l3_end, next, true, r);
}

static enum parse_status
ref_arp(struct cursor *c, struct result *r)
{
    r->key->parts = FLOW_PART_ND;
    if (!has(c, 8)) {
        return PARSE_ARP_SHORT;
    }
    if (u16(c, 0) != 1 || u16(c, 2) != 0x0800 || u8(c, 4) != 6
        || u8(c, 5) != 4) {
        return PARSE_OK;
    }
    if (!has(c, 28)) {
        return PARSE_ARP_SHORT;
    }
    r->key->nw_proto = (uint8_t) (u16(c, 6) < 256 ? u16(c, 6) : 0);
    copy(c, 8, r->key->arp_sha, 6);
    copy(c, 14, &r->key->nw_src, 4);
    copy(c, 18, r->key->arp_tha, 6);
    copy(c, 24, &r->key->nw_dst, 4);
    return PARSE_OK;
}

enum parse_status
ref_parse(const uint8_t *data, size_t head_len, size_t frame_len,
          struct flow_key *key, struct pkt_ofs *ofs)
{
    struct cursor c = {.data = data, .readable = head_len};
    struct result r = {.key = key, .ofs = ofs};
    unsigned int type, n_tags = 0;

    memset(key, 0, sizeof *key);
    memset(ofs, 0, sizeof *ofs);
    ofs->l2_5 = 12;
    ofs->l3 = ofs->l4 = ofs->payload = PKT_OFS_NONE;
    ofs->l3_end = (uint32_t) frame_len;

    if (!has(&c, 14)) {
        return PARSE_ETH_SHORT;
    }
    copy(&c, 0, key->dl_dst, 6);
    copy(&c, 6, key->dl_src, 6);
    c.pos = 12;
    type = u16(&c, 0);
    while (is_tag(type) && n_tags < 2) {
        be16 tpid = htons((uint16_t) type);
        be16 tci;

        if (!has(&c, 6)) {
            return PARSE_VLAN_SHORT;
        }
        tci = htons((uint16_t) (u16(&c, 2) | 0x1000));
        if (n_tags++ == 0) {
            key->vlan_tpid0 = tpid;
            key->vlan_tci0 = tci;
        } else {
            key->vlan_tpid1 = tpid;
            key->vlan_tci1 = tci;
        }
        c.pos += 4;
        type = u16(&c, 0);
    }
    c.pos += 2;
    key->dl_type = htons((uint16_t) (type < 0x600 ? 0x5ff : type));

    if (type != 0x0800 && type != 0x86dd && type != 0x0806) {
        return PARSE_OK;
    }
    ofs->l3 = (uint16_t) c.pos;
    return type == 0x0800 ? ref_ip4(&c, frame_len, &r)
           : type == 0x86dd ? ref_ip6(&c, frame_len, &r) : ref_arp(&c, &r);
}
