/* SPDX-License-Identifier: Apache-2.0 */

/* frames.c - well-formed frames for the tests of lib/pkt. */

#include "tests/unit/pkt/frames.h"

#include <netinet/in.h>
#include <string.h>

#define IP4 0x0800
#define IP6 0x86dd
#define ARP 0x0806
#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP
#define ICMP IPPROTO_ICMP
#define ICMP6 IPPROTO_ICMPV6
#define SCTP IPPROTO_SCTP

/* name, tags, type, proto, IP options, L4 options, ICMP type, fragment,
 * payload, padding, TCP flags */
const struct frame_spec frame_specs[] = {
    {"udp4", 0, IP4, UDP, 0, 0, 0, 0, 18, 0, 0},
    {"udp4 padded", 0, IP4, UDP, 0, 0, 0, 0, 1, 17, 0},
    {"udp4 vlan", 1, IP4, UDP, 0, 0, 0, 0, 18, 0, 0},
    {"udp4 qinq", 2, IP4, UDP, 0, 0, 0, 0, 18, 0, 0},
    {"udp4 options", 0, IP4, UDP, 40, 0, 0, 0, 18, 0, 0},
    {"udp4 first fragment", 0, IP4, UDP, 0, 0, 0, 0x2000, 64, 0, 0},
    {"udp4 short first fragment", 0, IP4, UDP, 0, 0, 0, 0x2000, 0, 0, 0},
    {"udp4 later fragment", 0, IP4, UDP, 0, 0, 0, 0x2005, 64, 0, 0},
    {"udp4 last fragment", 0, IP4, UDP, 0, 0, 0, 0x0005, 64, 0, 0},
    {"udp4 df", 0, IP4, UDP, 0, 0, 0, 0x4000, 64, 0, 0},
    {"udp4 long", 0, IP4, UDP, 0, 0, 0, 0, 1472, 0, 0},
    {"tcp4", 0, IP4, TCP, 0, 0, 0, 0x4000, 10, 0, 0},
    {"tcp4 options", 0, IP4, TCP, 12, 40, 0, 0x4000, 10, 0, 0},
    {"tcp4 vlan", 1, IP4, TCP, 0, 12, 0, 0x4000, 10, 0, 0},
    {"tcp4 first fragment", 0, IP4, TCP, 0, 20, 0, 0x2000, 20, 0, 0},
    {"sctp4", 0, IP4, SCTP, 0, 0, 0, 0, 16, 0, 0},
    {"sctp4 first fragment", 1, IP4, SCTP, 0, 0, 0, 0x2000, 16, 0, 0},
    {"icmp4", 0, IP4, ICMP, 0, 0, 8, 0, 56, 0, 0},
    {"icmp4 first fragment", 0, IP4, ICMP, 0, 0, 8, 0x2000, 56, 0, 0},
    {"icmp6 over ip4", 0, IP4, ICMP6, 0, 0, 135, 0, 56, 0, 0},
    {"gre4", 0, IP4, IPPROTO_GRE, 0, 0, 0, 0, 40, 0, 0},
    {"nothing4", 0, IP4, 59, 0, 0, 0, 0, 0, 26, 0},
    {"udp6", 0, IP6, UDP, 0, 0, 0, 0, 18, 0, 0},
    {"udp6 vlan", 1, IP6, UDP, 0, 0, 0, 0, 18, 0, 0},
    {"udp6 extensions", 0, IP6, UDP, 5, 0, 0, 0, 18, 0, 0},
    {"udp6 longest chain", 0, IP6, UDP, 16, 0, 0, 0, 18, 0, 0},
    {"udp6 first fragment", 0, IP6, UDP, 2, 0, 0, 1, 64, 0, 0},
    {"udp6 later fragment", 0, IP6, UDP, 1, 0, 0, 0x0051, 64, 0, 0},
    {"udp6 atomic fragment", 0, IP6, UDP, 0, 0, 0, 0x0006, 64, 0, 0},
    {"tcp6", 0, IP6, TCP, 0, 0, 0, 0, 10, 0, 0},
    {"tcp6 qinq options", 2, IP6, TCP, 3, 20, 0, 0, 10, 3, 0},
    {"tcp6 first fragment", 0, IP6, TCP, 0, 0, 0, 1, 24, 0, 0},
    {"sctp6", 0, IP6, SCTP, 0, 0, 0, 0, 16, 0, 0},
    {"icmp4 over ip6", 0, IP6, ICMP, 0, 0, 8, 0, 16, 0, 0},
    {"echo6", 0, IP6, ICMP6, 0, 0, 128, 0, 16, 0, 0},
    {"echo6 first fragment", 0, IP6, ICMP6, 0, 0, 128, 1, 16, 0, 0},
    {"ns", 0, IP6, ICMP6, 0, 1, 135, 0, 0, 0, 0},
    {"ns vlan, three options", 1, IP6, ICMP6, 0, 3, 135, 0, 0, 0, 0},
    {"ns fragment", 0, IP6, ICMP6, 0, 1, 135, 1, 8, 0, 0},
    {"na", 0, IP6, ICMP6, 1, 2, 136, 0, 0, 0, 0},
    {"na bare", 0, IP6, ICMP6, 0, 0, 136, 0, 0, 0, 0},
    {"nothing6", 0, IP6, 59, 0, 0, 0, 0, 0, 20, 0},
    {"arp", 0, ARP, 0, 0, 0, 0, 0, 0, 18, 0},
    {"arp vlan", 1, ARP, 0, 0, 0, 0, 0, 0, 0, 0},
    {"unknown type", 0, 0x88b5, 0, 0, 0, 0, 0, 46, 0, 0},
    {"unknown type qinq", 2, 0x88b5, 0, 0, 0, 0, 0, 46, 0, 0},
    {"three tags", 2, 0x8100, 0, 0, 0, 0, 0, 46, 0, 0},
    {"802.3", 0, 46, 0, 0, 0, 0, 0, 46, 0, 0},
};
const size_t n_frame_specs = sizeof frame_specs / sizeof *frame_specs;

static void
put16(uint8_t *p, unsigned int x)
{
    p[0] = (uint8_t) (x >> 8);
    p[1] = (uint8_t) x;
}

static void
put_bytes(uint8_t *p, unsigned int first, size_t n)
{
    while (n--) {
        *p++ = (uint8_t) first++;
    }
}

/* L4 header and payload; returns the length. */
static size_t
build_l4(const struct frame_spec *f, uint8_t *p)
{
    size_t hdr_len = 0;

    switch (f->proto) {
    case TCP:
        hdr_len = 20u + f->l4_opts;
        put_bytes(p, 0x11, 12);
        put16(p + 12, (unsigned int) hdr_len << 10
                      | (f->tcp_flags ? f->tcp_flags : 0x010));
        put_bytes(p + 20, 1, f->l4_opts);
        break;
    case UDP:
        /* A short first fragment is one that ends inside this header. */
        if (f->frag == 0x2000 && !f->payload_len) {
            put_bytes(p, 0x11, 4);
            return 4;
        }
        hdr_len = 8;
        put_bytes(p, 0x11, 4);
        put16(p + 4, 8u + f->payload_len);
        break;
    case SCTP:
        hdr_len = 12;
        put_bytes(p, 0x11, 8);
        break;
    case ICMP:
        hdr_len = 8;
        p[0] = f->icmp_type;
        put_bytes(p + 4, 0x21, 4);
        break;
    case ICMP6:
        p[0] = f->icmp_type;
        if (f->icmp_type != 135 && f->icmp_type != 136) {
            hdr_len = 8;
            break;
        }
        put_bytes(p + 8, 0xf0, 16);
        for (unsigned int i = 0; i < f->l4_opts; i++) {
            uint8_t *opt = p + 24 + 8 * i;

            opt[0] = (uint8_t) (i % 2 + 1);
            opt[1] = 1;
            put_bytes(opt + 2, 0x60 + i, 6);
        }
        hdr_len = 24u + 8u * f->l4_opts;
        break;
    default:
        break;
    }
    put_bytes(p + hdr_len, 0, f->payload_len);
    return hdr_len + f->payload_len;
}

static size_t
build_ip4(const struct frame_spec *f, uint8_t *p)
{
    size_t hdr_len = 20u + f->ip_opts;
    size_t len = hdr_len + build_l4(f, p + hdr_len);
    uint32_t sum = 0;
    size_t i;

    p[0] = (uint8_t) (0x40 | hdr_len / 4);
    p[1] = 0x2e;
    put16(p + 2, (unsigned int) len);
    put16(p + 4, 0x1234);
    put16(p + 6, f->frag);
    p[8] = 64;
    p[9] = f->proto;
    put_bytes(p + 12, 0x0a, 8);
    memset(p + 20, 1, f->ip_opts);
    for (i = 0; i < hdr_len; i += 2) {
        sum += (uint32_t) p[i] << 8 | p[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(p + 10, ~sum & 0xffff);
    return len;
}

/* Extension headers in turn: hop-by-hop, routing, destination, AH, mobility.
 * A fragment header comes last. */
static size_t
build_ip6(const struct frame_spec *f, uint8_t *p)
{
    static const uint8_t kinds[] = {0, 43, 60, 51, 135};
    uint8_t *next = p + 6;
    size_t len = 40;

    memset(p, 0, 40);
    put16(p, 0x62e1);
    put16(p + 2, 0x2345);
    p[7] = 64;
    put_bytes(p + 8, 0x20, 32);
    for (unsigned int i = 0; i < f->ip_opts; i++) {
        uint8_t kind = kinds[i % sizeof kinds];
        uint8_t *ext = p + len;
        size_t ext_len = kind == 51 ? 12 : 8;

        *next = kind;
        next = ext;
        memset(ext, 0, ext_len);
        ext[1] = kind == 51 ? 1 : 0;
        len += ext_len;
    }
    if (f->frag) {
        uint8_t *ext = p + len;

        *next = 44;
        next = ext;
        memset(ext, 0, 8);
        put16(ext + 2, f->frag);
        put_bytes(ext + 4, 1, 4);
        len += 8;
    }
    *next = f->proto;
    len += build_l4(f, p + len);
    put16(p + 4, (unsigned int) len - 40);
    return len;
}

size_t
frame_build(const struct frame_spec *f, uint8_t *buf)
{
    uint8_t *p = buf + 12;
    size_t len;

    memset(buf, 0, 400);
    put_bytes(buf, 0x02, 12);
    for (unsigned int i = 0; i < f->n_tags; i++) {
        put16(p, f->n_tags == 2 && !i ? 0x88a8 : 0x8100);
        put16(p + 2, 0x2003 + i);
        p += 4;
    }
    put16(p, f->eth_type);
    p += 2;

    if (f->eth_type == IP4) {
        len = build_ip4(f, p);
    } else if (f->eth_type == IP6) {
        len = build_ip6(f, p);
    } else if (f->eth_type == ARP) {
        put16(p, 1);
        put16(p + 2, IP4);
        put16(p + 4, 0x0604);
        put16(p + 6, 1);
        put_bytes(p + 8, 0x30, 20);
        len = 28;
    } else {
        put_bytes(p, 0x40, f->payload_len);
        len = f->payload_len;
    }
    memset(p + len, 0, f->padding);
    return (size_t) (p - buf) + len + f->padding;
}
