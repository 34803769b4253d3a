/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/pkt/vnet.c: the claims that lie, on every kind of packet, and
 * what may be relied on when a claim was believed. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pkt/vnet.h"
#include "lib/pkt/wire.h"
#include "tests/unit/pkt/frames.h"

void suite_vnet(void);

#define CSUM VIRTIO_NET_HDR_F_NEEDS_CSUM
#define VALID VIRTIO_NET_HDR_F_DATA_VALID
#define ECN VIRTIO_NET_HDR_GSO_ECN
#define TCPV4 VIRTIO_NET_HDR_GSO_TCPV4
#define TCPV6 VIRTIO_NET_HDR_GSO_TCPV6
#define UFO VIRTIO_NET_HDR_GSO_UDP
#define USO 5
#define ALL VNET_OFFER_ALL

/* Where a claim's start is counted from. */
enum base { L4, L3, ABS, END, INNER };

struct claim {
    const char *name;
    uint8_t flags;
    uint8_t gso_type;
    uint16_t gso_size;
    enum base base;
    int start;
    uint16_t offset;
    enum vnet_status status;
    uint8_t gso;                /* What comes out, if VNET_OK. */
    uint16_t size_out;
};

/* A frame, parsed, at the end of a heap block. */
struct subject {
    uint8_t *block;
    size_t len;
    uint32_t inner_l4;          /* Of what is in a tunnel. */
    struct flow_key key;
    struct pkt_ofs ofs;
};

static uint8_t scratch[FRAME_MAX];
static uint64_t seed;

static uint32_t
rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1;
    return (uint32_t) (seed >> 32);
}

static void
take(struct subject *s, const uint8_t *frame, size_t len)
{
    s->block = malloc(len);
    s->len = len;
    memcpy(s->block, frame, len);
    CU_ASSERT_EQUAL_FATAL(parse_packet(s->block, len, len, &s->key, &s->ofs),
                          PARSE_OK);
}

static void
make(struct subject *s, const struct frame_spec *spec)
{
    size_t len = frame_build(spec, scratch);

    memset(s, 0, sizeof *s);
    take(s, scratch, len);
}

static struct virtio_net_hdr
make_hdr(const struct claim *c, const struct subject *s)
{
    uint32_t base = c->base == L4 ? s->ofs.l4
                    : c->base == L3 ? s->ofs.l3
                    : c->base == END ? s->ofs.l3_end
                    : c->base == INNER ? s->inner_l4 : 0;
    struct virtio_net_hdr hdr = {
        .flags = c->flags,
        .gso_type = c->gso_type,
        .hdr_len = htole16((uint16_t) rnd()),   /* A hint, never trusted. */
        .gso_size = htole16(c->gso_size),
        .csum_start = htole16((uint16_t) (base + (uint32_t) c->start)),
        .csum_offset = htole16(c->offset),
    };

    return hdr;
}

/* What every later stage builds on.  The field that will be written must not
 * be part of what the key was made of: parsing again with any value in it
 * gives the same key. */
static bool
is_sound(const struct subject *s, const struct pkt_need *need)
{
    uint32_t field = (uint32_t) need->csum_start + need->csum_offset;
    struct flow_key key;
    struct pkt_ofs ofs;
    uint8_t saved[2];
    bool is_same;

    if (!need->csum) {
        return need->gso == PKT_GSO_NONE;
    }
    if (need->csum_valid || field + 2 > s->len || field + 2 > s->ofs.l3_end) {
        return false;
    }
    if (need->gso != PKT_GSO_NONE) {
        uint32_t payload = s->ofs.l3_end - (need->gso == PKT_GSO_UFO
                                            ? s->ofs.l4 : s->ofs.payload);
        bool is_tcp = need->gso == PKT_GSO_TCP4 || need->gso == PKT_GSO_TCP6;

        if (need->csum_start != s->ofs.l4 || !need->gso_size
            || need->csum_offset != (is_tcp ? 16 : 6)
            || need->gso_size >= payload || s->key.nw_frag
            || (payload + need->gso_size - 1) / need->gso_size > PKT_MAX_SEGS
            || (need->gso == PKT_GSO_UFO && need->gso_size % 8)
            || s->key.nw_proto != (is_tcp ? IPPROTO_TCP : IPPROTO_UDP)
            || (need->ecn && !is_tcp)) {
            return false;
        }
    } else if (need->gso_size || need->ecn) {
        return false;
    }

    memcpy(saved, s->block + field, 2);
    s->block[field] ^= 0x5a;
    s->block[field + 1] ^= 0xa5;
    is_same = parse_packet(s->block, s->len, s->len, &key, &ofs) == PARSE_OK
              && !memcmp(&key, &s->key, sizeof key)
              && !memcmp(&ofs, &s->ofs, sizeof ofs);
    memcpy(s->block + field, saved, 2);
    return is_same;
}

static enum vnet_status
check(const struct subject *s, const struct virtio_net_hdr *hdr,
      uint32_t offered, struct pkt_need *need)
{
    memset(need, 0xa5, sizeof *need);
    return vnet_check(hdr, s->block, s->len, s->len, &s->key, &s->ofs,
                      offered, need);
}

static void
check_claim(const struct subject *s, const struct claim *c, uint32_t offered,
            const char *frame)
{
    struct virtio_net_hdr hdr = make_hdr(c, s);
    struct pkt_need need;
    enum vnet_status status = check(s, &hdr, offered, &need);
    bool is_right = status == c->status;

    if (is_right && !status) {
        is_right = is_sound(s, &need) && need.gso == c->gso
                   && need.gso_size == c->size_out
                   && need.csum == !!(c->flags & CSUM)
                   && need.csum_valid == (c->flags & VALID
                                          && !(c->flags & CSUM))
                   && need.ecn == (c->gso && c->gso_type & ECN);
    }
    CU_ASSERT(is_right);
    if (!is_right) {
        printf("%s on %s: %s, gso %u size %u, expected %s\n", c->name, frame,
               vnet_status_to_string(status), need.gso, need.gso_size,
               vnet_status_to_string(c->status));
    }
}

/* On TCP with 4000 bytes of payload; TCPV4 stands for the right family and
 * TCPV6 for the wrong one. */
static const struct claim tcp_claims[] = {
    {"nothing", 0, 0, 0, ABS, 0, 0, VNET_OK, 0, 0},
    {"nothing, with leftovers", 0, 0, 77, ABS, 9999, 9999, VNET_OK, 0, 0},
    {"unknown flags", 0xf8, 0, 0, ABS, 0, 0, VNET_OK, 0, 0},
    {"RSC_INFO", 4, 0, 3, ABS, 4, 5, VNET_OK, 0, 0},
    {"valid", VALID, 0, 0, ABS, 0, 0, VNET_OK, 0, 0},
    {"valid and needed", VALID | CSUM, 0, 0, L4, 0, 16, VNET_OK, 0, 0},
    {"checksum", CSUM, 0, 0, L4, 0, 16, VNET_OK, 0, 0},
    {"checksum, stray size", CSUM, 0, 1448, L4, 0, 16, VNET_OK, 0, 0},

    {"TSO without checksum", 0, TCPV4, 1448, L4, 0, 16, VNET_GSO_NO_CSUM,
     0, 0},
    {"TSO, only valid", VALID, TCPV4, 1448, L4, 0, 16, VNET_GSO_NO_CSUM,
     0, 0},
    {"TSO", CSUM, TCPV4, 1448, L4, 0, 16, VNET_OK, PKT_GSO_TCP4, 1448},
    {"TSO with ECN", CSUM, TCPV4 | ECN, 1448, L4, 0, 16, VNET_OK,
     PKT_GSO_TCP4, 1448},
    {"type 2", CSUM, 2, 1448, L4, 0, 16, VNET_GSO_TYPE, 0, 0},
    {"type 6", CSUM, 6, 1448, L4, 0, 16, VNET_GSO_TYPE, 0, 0},
    {"type 127", CSUM, 127, 1448, L4, 0, 16, VNET_GSO_TYPE, 0, 0},
    {"type 255", CSUM, 255, 1448, L4, 0, 16, VNET_GSO_TYPE, 0, 0},
    {"type 6 without checksum", 0, 6, 1448, L4, 0, 16, VNET_GSO_TYPE, 0, 0},
    {"tunnel bit 4", CSUM, TCPV4 | 0x20, 1448, L4, 0, 16, VNET_GSO_TYPE,
     0, 0},
    {"tunnel bit 6", CSUM, TCPV4 | 0x40, 1448, L4, 0, 16, VNET_GSO_TYPE,
     0, 0},
    {"ECN alone", 0, ECN, 0, ABS, 0, 0, VNET_GSO_ECN, 0, 0},
    {"ECN alone, checksum", CSUM, ECN, 0, L4, 0, 16, VNET_GSO_ECN, 0, 0},
    {"wrong family", CSUM, TCPV6, 1448, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"UFO", CSUM, UFO, 1448, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"UFO as on UDP", CSUM, UFO, 1448, L4, 0, 6, VNET_GSO_PROTO, 0, 0},
    {"USO", CSUM, USO, 1448, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"UFO with ECN", CSUM, UFO | ECN, 1448, L4, 0, 6, VNET_GSO_ECN, 0, 0},

    {"size 0", CSUM, TCPV4, 0, L4, 0, 16, VNET_GSO_SIZE, 0, 0},
    {"size 1", CSUM, TCPV4, 1, L4, 0, 16, VNET_GSO_SIZE, 0, 0},
    {"1025 segments and more", CSUM, TCPV4, 3, L4, 0, 16, VNET_GSO_SIZE,
     0, 0},
    {"1000 segments", CSUM, TCPV4, 4, L4, 0, 16, VNET_OK, PKT_GSO_TCP4, 4},
    {"size 7", CSUM, TCPV4, 7, L4, 0, 16, VNET_OK, PKT_GSO_TCP4, 7},
    {"size of payload - 1", CSUM, TCPV4, 3999, L4, 0, 16, VNET_OK,
     PKT_GSO_TCP4, 3999},
    {"size of payload", CSUM, TCPV4, 4000, L4, 0, 16, VNET_OK, 0, 0},
    {"size of payload + 1", CSUM, TCPV4 | ECN, 4001, L4, 0, 16, VNET_OK,
     0, 0},
    {"size 65535", CSUM, TCPV4, 65535, L4, 0, 16, VNET_OK, 0, 0},

    {"start in Ethernet", CSUM, 0, 0, ABS, 0, 16, VNET_CSUM_PLACE, 0, 0},
    {"start at the type", CSUM, 0, 0, ABS, 12, 6, VNET_CSUM_PLACE, 0, 0},
    {"start at IP", CSUM, 0, 0, L3, 0, 16, VNET_CSUM_PLACE, 0, 0},
    {"start in IP", CSUM, 0, 0, L4, -2, 18, VNET_CSUM_PLACE, 0, 0},
    {"start in IP, odd", CSUM, 0, 0, L4, -1, 17, VNET_CSUM_PLACE, 0, 0},
    {"start in TCP, odd", CSUM, 0, 0, L4, 1, 15, VNET_CSUM_PLACE, 0, 0},
    {"start in TCP", CSUM, 0, 0, L4, 12, 4, VNET_CSUM_PLACE, 0, 0},
    {"start in the payload", CSUM, 0, 0, L4, 64, 16, VNET_CSUM_PLACE, 0, 0},
    {"start at the end", CSUM, 0, 0, END, 0, 0, VNET_CSUM_BOUNDS, 0, 0},
    {"start beyond the end", CSUM, 0, 0, END, 5, 0, VNET_CSUM_BOUNDS, 0, 0},
    {"start 65535", CSUM, 0, 0, ABS, 65535, 0, VNET_CSUM_BOUNDS, 0, 0},
    {"start and offset 65535", CSUM, 0, 0, ABS, 65535, 65535,
     VNET_CSUM_BOUNDS, 0, 0},
    {"offset 65535", CSUM, 0, 0, L4, 0, 65535, VNET_CSUM_BOUNDS, 0, 0},
    {"a sum that wraps to the field", CSUM, 0, 0, ABS, 65500, 86,
     VNET_CSUM_BOUNDS, 0, 0},
    {"second byte past the end", CSUM, 0, 0, END, -17, 16, VNET_CSUM_BOUNDS,
     0, 0},
    {"last two bytes", CSUM, 0, 0, END, -18, 16, VNET_CSUM_PLACE, 0, 0},
    {"field in the ports", CSUM, 0, 0, L4, 0, 0, VNET_CSUM_PLACE, 0, 0},
    {"field in the flags", CSUM, 0, 0, L4, 0, 12, VNET_CSUM_PLACE, 0, 0},
    {"field off by one", CSUM, 0, 0, L4, 0, 15, VNET_CSUM_PLACE, 0, 0},
    {"field of UDP", CSUM, 0, 0, L4, 0, 6, VNET_CSUM_PLACE, 0, 0},
    {"field in the payload", CSUM, 0, 0, L4, 0, 200, VNET_CSUM_PLACE, 0, 0},
    {"field in IP", CSUM, 0, 0, ABS, 14, 12, VNET_CSUM_PLACE, 0, 0},
    {"TSO, field in the ports", CSUM, TCPV4, 1448, L4, 0, 0,
     VNET_CSUM_PLACE, 0, 0},
    {"TSO, start beyond", CSUM, TCPV4, 1448, END, 0, 16, VNET_CSUM_BOUNDS,
     0, 0},
    {"TSO, start in the payload", CSUM, TCPV4, 1448, L4, 100, 16,
     VNET_CSUM_PLACE, 0, 0},
    {"TSO, start in Ethernet", CSUM, TCPV4, 1448, ABS, 4, 16,
     VNET_CSUM_PLACE, 0, 0},
};

/* On UDP with 4000 bytes of payload. */
static const struct claim udp_claims[] = {
    {"nothing", 0, 0, 0, ABS, 0, 0, VNET_OK, 0, 0},
    {"checksum", CSUM, 0, 0, L4, 0, 6, VNET_OK, 0, 0},
    {"UFO", CSUM, UFO, 1480, L4, 0, 6, VNET_OK, PKT_GSO_UFO, 1480},
    {"UFO, not of 8", CSUM, UFO, 1487, L4, 0, 6, VNET_OK, PKT_GSO_UFO, 1480},
    {"UFO of 8", CSUM, UFO, 8, L4, 0, 6, VNET_OK, PKT_GSO_UFO, 8},
    {"UFO of 9", CSUM, UFO, 9, L4, 0, 6, VNET_OK, PKT_GSO_UFO, 8},
    {"UFO of 7", CSUM, UFO, 7, L4, 0, 6, VNET_GSO_SIZE, 0, 0},
    {"UFO of 1", CSUM, UFO, 1, L4, 0, 6, VNET_GSO_SIZE, 0, 0},
    {"UFO of 0", CSUM, UFO, 0, L4, 0, 6, VNET_GSO_SIZE, 0, 0},
    {"UFO of the payload", CSUM, UFO, 4000, L4, 0, 6, VNET_OK, PKT_GSO_UFO,
     4000},
    {"UFO of the datagram", CSUM, UFO, 4008, L4, 0, 6, VNET_OK, 0, 0},
    {"UFO of 65535", CSUM, UFO, 65535, L4, 0, 6, VNET_OK, 0, 0},
    {"UFO without checksum", 0, UFO, 1480, L4, 0, 6, VNET_GSO_NO_CSUM, 0, 0},
    {"UFO with ECN", CSUM, UFO | ECN, 1480, L4, 0, 6, VNET_GSO_ECN, 0, 0},
    {"USO", CSUM, USO, 1400, L4, 0, 6, VNET_OK, PKT_GSO_USO, 1400},
    {"USO with ECN", CSUM, USO | ECN, 1400, L4, 0, 6, VNET_GSO_ECN, 0, 0},
    {"USO of 1", CSUM, USO, 1, L4, 0, 6, VNET_GSO_SIZE, 0, 0},
    {"USO of 4", CSUM, USO, 4, L4, 0, 6, VNET_OK, PKT_GSO_USO, 4},
    {"USO of the payload - 1", CSUM, USO, 3999, L4, 0, 6, VNET_OK,
     PKT_GSO_USO, 3999},
    {"USO of the payload", CSUM, USO, 4000, L4, 0, 6, VNET_OK, 0, 0},
    {"TCP", CSUM, TCPV4, 1448, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"TCP with UDP's field", CSUM, TCPV4, 1448, L4, 0, 6, VNET_GSO_PROTO,
     0, 0},
    {"wrong family", CSUM, TCPV6, 1448, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"field of TCP", CSUM, 0, 0, L4, 0, 16, VNET_CSUM_PLACE, 0, 0},
    {"field in the length", CSUM, 0, 0, L4, 0, 4, VNET_CSUM_PLACE, 0, 0},
    {"start in UDP", CSUM, 0, 0, L4, 4, 2, VNET_CSUM_PLACE, 0, 0},
    {"start in UDP, odd", CSUM, 0, 0, L4, 7, 16, VNET_CSUM_PLACE, 0, 0},
    {"start in IP", CSUM, 0, 0, L4, -4, 10, VNET_CSUM_PLACE, 0, 0},
    {"a tunnel of the sender's", CSUM, 0, 0, L4, 58, 16, VNET_OK, 0, 0},
    {"its field at the very end", CSUM, 0, 0, END, -8, 6, VNET_OK, 0, 0},
    {"its field past the end", CSUM, 0, 0, END, -7, 6, VNET_CSUM_BOUNDS,
     0, 0},
    {"UFO in it", CSUM, UFO, 1480, L4, 58, 6, VNET_CSUM_PLACE, 0, 0},
    {"USO in it", CSUM, USO, 1400, L4, 58, 6, VNET_CSUM_PLACE, 0, 0},
    {"second byte past the end", CSUM, 0, 0, END, -1, 0, VNET_CSUM_BOUNDS,
     0, 0},
};

/* On ICMP, ARP, GRE, and on what we do not know: nothing is segmented. */
static const struct claim gso_claims[] = {
    {"TSO", CSUM, TCPV4, 8, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"TSO of IPv6", CSUM, TCPV6, 8, L4, 0, 16, VNET_GSO_PROTO, 0, 0},
    {"UFO", CSUM, UFO, 8, L4, 0, 6, VNET_GSO_PROTO, 0, 0},
    {"USO", CSUM, USO, 8, L4, 0, 6, VNET_GSO_PROTO, 0, 0},
};

static void
check_kinds(const struct frame_spec *base, const struct claim *claims,
            size_t n_claims)
{
    static const uint16_t types[] = {ETH_TYPE_IP4, ETH_TYPE_IP6};

    for (int family = 0; family < 2; family++) {
        for (unsigned int tags = 0; tags < 3; tags++) {
            for (unsigned int opts = 0; opts < 2; opts++) {
                struct frame_spec spec = *base;
                struct subject s;
                char name[64];

                spec.eth_type = types[family];
                spec.n_tags = (uint8_t) tags;
                spec.ip_opts = (uint8_t) (opts * (family ? 2 : 12));
                spec.padding = (uint16_t) (tags == 1 ? 6 : 0);
                snprintf(name, sizeof name, "%s, IPv%d, %u tags, options %u",
                         spec.name, family ? 6 : 4, tags, spec.ip_opts);
                make(&s, &spec);
                for (size_t i = 0; i < n_claims; i++) {
                    struct claim c = claims[i];
                    uint8_t type = c.gso_type & 0x7f;

                    /* "Right" and "wrong" change places, if the type is not
                     * one that is bad in any place. */
                    if (family && (type == TCPV4 || type == TCPV6)) {
                        c.gso_type ^= TCPV4 ^ TCPV6;
                        c.gso = c.gso ? PKT_GSO_TCP6 : 0;
                    }
                    check_claim(&s, &c, ALL, name);
                }
                free(s.block);
            }
        }
    }
}

static void
test_tcp(void)
{
    struct frame_spec spec = {.name = "tcp", .proto = IPPROTO_TCP,
                              .l4_opts = 12, .payload_len = 4000};

    check_kinds(&spec, tcp_claims, ARRAY_SIZE(tcp_claims));
}

static void
test_udp(void)
{
    struct frame_spec spec = {.name = "udp", .proto = IPPROTO_UDP,
                              .payload_len = 4000};

    check_kinds(&spec, udp_claims, ARRAY_SIZE(udp_claims));
}

static void
test_tcp_flags(void)
{
    static const struct {
        uint16_t flags;
        enum vnet_status status;
    } cases[] = {
        {TCP_ACK | TCP_PSH, VNET_OK},
        {TCP_ACK | TCP_FIN, VNET_OK},
        {TCP_ACK | TCP_CWR, VNET_OK},
        {TCP_ACK | TCP_ECE, VNET_OK},
        {TCP_SYN, VNET_GSO_FLAGS},
        {TCP_SYN | TCP_ACK, VNET_GSO_FLAGS},
        {TCP_RST, VNET_GSO_FLAGS},
        {TCP_ACK | TCP_URG, VNET_GSO_FLAGS},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned int ecn = 0; ecn < 2; ecn++) {
            struct frame_spec spec = {
                .eth_type = ETH_TYPE_IP4, .proto = IPPROTO_TCP,
                .payload_len = 4000, .tcp_flags = cases[i].flags,
            };
            struct claim c = {
                "TSO", CSUM, (uint8_t) (TCPV4 | (ecn ? ECN : 0)), 1448, L4, 0,
                16, cases[i].status, PKT_GSO_TCP4, 1448,
            };
            struct subject s;

            make(&s, &spec);
            check_claim(&s, &c, ALL, "flags");
            /* Too small to be a super-packet: flags are its own affair. */
            c.gso_size = 4000;
            c.status = VNET_OK;
            c.gso = PKT_GSO_NONE;
            c.size_out = 0;
            check_claim(&s, &c, ALL, "flags, ordinary");
            free(s.block);
        }
    }
}

static void
test_others(void)
{
    for (size_t i = 0; i < n_frame_specs; i++) {
        const struct frame_spec *spec = &frame_specs[i];
        struct claim csum = {"checksum", CSUM, 0, 0, L4, 0, 2, VNET_OK, 0, 0};
        bool is_ip = spec->eth_type == ETH_TYPE_IP4
                     || spec->eth_type == ETH_TYPE_IP6;
        struct subject s;

        make(&s, spec);
        if (is_ip && (spec->proto == IPPROTO_TCP
                      || spec->proto == IPPROTO_UDP) && !s.key.nw_frag) {
            free(s.block);
            continue;
        }

        for (size_t j = 0; j < ARRAY_SIZE(gso_claims); j++) {
            struct claim c = gso_claims[j];

            if (s.key.nw_frag
                && (j > 1 || (j == 0) == (spec->eth_type == ETH_TYPE_IP4))) {
                c.status = VNET_GSO_FRAG;
            }
            check_claim(&s, &c, ALL, spec->name);
        }

        if (is_ip && s.key.nw_frag) {
            csum.base = L3;
            csum.status = VNET_CSUM_FRAG;
        } else if (spec->eth_type == ETH_TYPE_ARP) {
            csum.base = ABS;
            csum.start = 40;
            csum.status = VNET_CSUM_PLACE;
        } else if (!is_ip) {
            /* Unknown: anything behind the type. */
            csum.base = ABS;
            csum.start = 14 + 4 * spec->n_tags;
            check_claim(&s, &csum, ALL, spec->name);
            csum.start--;
            csum.status = VNET_CSUM_PLACE;
        } else if (spec->proto == IPPROTO_SCTP) {
            csum.offset = 8;
        } else if (spec->proto == 59) {
            csum.status = VNET_CSUM_BOUNDS;
        }
        check_claim(&s, &csum, ALL, spec->name);
        free(s.block);
    }
}

/* The rest of ICMPv6 is where a neighbour message has its target. */
static void
test_nd(void)
{
    struct frame_spec spec = {
        .eth_type = ETH_TYPE_IP6, .proto = IPPROTO_ICMPV6, .icmp_type = 135,
        .l4_opts = 1,
    };
    struct claim c = {"checksum", CSUM, 0, 0, L4, 8, 6, VNET_CSUM_PLACE,
                      0, 0};
    struct subject s;

    make(&s, &spec);
    check_claim(&s, &c, ALL, "ns");
    c.start = 0;
    c.offset = 26;
    check_claim(&s, &c, ALL, "ns");
    c.offset = 2;
    c.status = VNET_OK;
    check_claim(&s, &c, ALL, "ns");
    free(s.block);
}

/* What was not offered may not be asked for. */
static void
test_offers(void)
{
    static const struct {
        uint8_t proto;
        struct claim claim;
        uint32_t missing;
        enum vnet_status status;
    } cases[] = {
        {IPPROTO_TCP, {"TSO", CSUM, TCPV4, 1448, L4, 0, 16, 0, PKT_GSO_TCP4,
                       1448}, 1u << PKT_GSO_TCP4, VNET_GSO_TYPE},
        {IPPROTO_TCP, {"ECN", CSUM, TCPV4 | ECN, 1448, L4, 0, 16, 0,
                       PKT_GSO_TCP4, 1448}, VNET_OFFER_ECN, VNET_GSO_TYPE},
        {IPPROTO_UDP, {"UFO", CSUM, UFO, 1480, L4, 0, 6, 0, PKT_GSO_UFO,
                       1480}, 1u << PKT_GSO_UFO, VNET_GSO_TYPE},
        {IPPROTO_UDP, {"USO", CSUM, USO, 1400, L4, 0, 6, 0, PKT_GSO_USO,
                       1400}, 1u << PKT_GSO_USO, VNET_GSO_TYPE},
        {IPPROTO_UDP, {"checksum", CSUM, 0, 0, L4, 0, 6, 0, 0, 0},
         VNET_OFFER_CSUM, VNET_CSUM_OFFER},
        {IPPROTO_TCP, {"TSO", CSUM, TCPV4, 1448, L4, 0, 16, 0, PKT_GSO_TCP4,
                       1448}, VNET_OFFER_CSUM, VNET_CSUM_OFFER},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct frame_spec spec = {
            .eth_type = ETH_TYPE_IP4, .proto = cases[i].proto,
            .payload_len = 4000,
        };
        struct claim c = cases[i].claim;
        struct subject s;

        make(&s, &spec);
        c.status = VNET_OK;
        check_claim(&s, &c, ALL, "offered");
        c.status = cases[i].status;
        check_claim(&s, &c, ALL & ~cases[i].missing, "not offered");
        free(s.block);
    }
}

/* A UDP super-packet whose own length is another. */
static void
test_udp_len(void)
{
    struct frame_spec spec = {
        .eth_type = ETH_TYPE_IP4, .proto = IPPROTO_UDP, .payload_len = 4000,
    };
    struct claim ufo = {"UFO", CSUM, UFO, 1480, L4, 0, 6, VNET_GSO_LEN, 0, 0};
    struct claim uso = {"USO", CSUM, USO, 1400, L4, 0, 6, VNET_GSO_LEN, 0, 0};
    size_t len = frame_build(&spec, scratch);
    struct subject s;

    memset(&s, 0, sizeof s);
    scratch[38] = 0;
    scratch[39] = 100;
    take(&s, scratch, len);
    check_claim(&s, &ufo, ALL, "short UDP length");
    check_claim(&s, &uso, ALL, "short UDP length");
    free(s.block);
}

/* 64 kB, as the kernel sends them. */
static void
test_largest(void)
{
    struct frame_spec tcp = {
        .n_tags = 1, .eth_type = ETH_TYPE_IP4, .proto = IPPROTO_TCP,
        .l4_opts = 12, .payload_len = 65535 - 52,
    };
    struct frame_spec udp = {
        .eth_type = ETH_TYPE_IP6, .proto = IPPROTO_UDP,
        .payload_len = 65535 - 8,
    };
    struct claim tso = {"TSO", CSUM, TCPV4, 1448, L4, 0, 16, VNET_OK,
                        PKT_GSO_TCP4, 1448};
    struct claim small = {"TSO of 64", CSUM, TCPV4, 63, L4, 0, 16,
                          VNET_GSO_SIZE, 0, 0};
    struct claim ufo = {"UFO", CSUM, UFO, 1448, L4, 0, 6, VNET_OK,
                        PKT_GSO_UFO, 1448};
    struct subject s;

    make(&s, &tcp);
    CU_ASSERT_EQUAL(s.ofs.l4, 38);
    check_claim(&s, &tso, ALL, "64 kB");
    check_claim(&s, &small, ALL, "64 kB");
    free(s.block);
    make(&s, &udp);
    check_claim(&s, &ufo, ALL, "64 kB");
    free(s.block);
}

/* Puts the outer headers of a tunnel before the frame in 'scratch'. */
static size_t
wrap(size_t len, bool is_gre, bool is_ip6)
{
    static uint8_t inner[FRAME_MAX];
    struct frame_spec outer = {
        .eth_type = is_ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
        .proto = is_gre ? IPPROTO_GRE : IPPROTO_UDP,
        .payload_len = (uint16_t) (len + (is_gre ? 4 : 8)),
    };
    size_t outer_len;

    memcpy(inner, scratch, len);
    outer_len = frame_build(&outer, scratch);
    memcpy(scratch + outer_len - len, inner, len);
    memset(scratch + outer_len - len - 4, 0, 4);
    return outer_len;
}

/* Tunnels that the sender made: nothing of the inner packet was parsed, so
 * nothing but a plain checksum of it is believed. */
static void
test_tunnels(void)
{
    static const struct claim claims[] = {
        {"inner checksum", CSUM, 0, 0, INNER, 0, 16, VNET_OK, 0, 0},
        {"inner TSO", CSUM, TCPV4, 1348, INNER, 0, 16, VNET_GSO_PROTO, 0, 0},
        {"inner TSO of IPv6", CSUM, TCPV6, 1348, INNER, 0, 16,
         VNET_GSO_PROTO, 0, 0},
        {"inner tunnel TSO", CSUM, TCPV4 | 0x20, 1348, INNER, 0, 16,
         VNET_GSO_TYPE, 0, 0},
        {"in the outer IP", CSUM, 0, 0, L3, 8, 4, VNET_CSUM_PLACE, 0, 0},
        {"past the end", CSUM, 0, 0, END, -3, 2, VNET_CSUM_BOUNDS, 0, 0},
        {"at the end", CSUM, 0, 0, END, -4, 2, VNET_OK, 0, 0},
    };

    for (unsigned int i = 0; i < 24; i++) {
        struct frame_spec inner = {
            .n_tags = (uint8_t) (i % 3),
            .eth_type = i & 1 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
            .proto = IPPROTO_TCP, .payload_len = 4000,
        };
        bool is_gre = i / 6 % 2, is_ip6 = i / 12;
        size_t inner_len = frame_build(&inner, scratch);
        struct flow_key key;
        struct pkt_ofs ofs;
        struct subject s;
        size_t len;

        memset(&s, 0, sizeof s);
        CU_ASSERT_EQUAL(parse_packet(scratch, inner_len, inner_len, &key,
                                     &ofs), PARSE_OK);
        len = wrap(inner_len, is_gre, is_ip6);
        s.inner_l4 = (uint32_t) (len - inner_len + ofs.l4);
        take(&s, scratch, len);
        for (size_t j = 0; j < ARRAY_SIZE(claims); j++) {
            check_claim(&s, &claims[j], ALL, is_gre ? "gre" : "vxlan");
        }

        /* Once popped, the claim is one about a plain packet. */
        memmove(s.block, s.block + len - inner_len, inner_len);
        s.len = inner_len;
        s.key = key;
        s.ofs = ofs;
        struct claim popped = {"popped TSO", CSUM,
                               i & 1 ? TCPV6 : TCPV4, 1348, L4, 0, 16,
                               VNET_OK, i & 1 ? PKT_GSO_TCP6 : PKT_GSO_TCP4,
                               1348};
        check_claim(&s, &popped, ALL, "inner");
        free(s.block);
    }
}

/* Every start and offset on every kind of frame, and random headers. */
static void
test_sweep(void)
{
    unsigned int n_ok = 0, n_gso = 0, seen[VNET_N_STATUS] = {0};

    seed = 7;
    for (size_t i = 0; i < n_frame_specs; i++) {
        struct subject s;

        make(&s, &frame_specs[i]);
        for (uint32_t start = 0; start < MIN(s.len, 200u) + 3; start++) {
            for (uint16_t offset = 0; offset < 24; offset++) {
                struct virtio_net_hdr hdr = {
                    .flags = CSUM,
                    .csum_start = htole16((uint16_t) start),
                    .csum_offset = htole16(offset),
                };
                struct pkt_need need;

                if (!check(&s, &hdr, ALL, &need)) {
                    n_ok++;
                    CU_ASSERT(is_sound(&s, &need));
                }
            }
        }
        for (int j = 0; j < 5000; j++) {
            static const uint16_t sizes[] = {1, 7, 8, 9, 500, 65535};
            struct virtio_net_hdr hdr = {
                .flags = (uint8_t) (rnd() % 8 ? CSUM : rnd()),
                .gso_type = (uint8_t) (rnd() % 8 ? rnd() % 6 : rnd()),
                .gso_size = htole16(rnd() % 2 ? sizes[rnd() % 6]
                                              : (uint16_t) rnd() % 2000),
                .hdr_len = htole16((uint16_t) rnd()),
                .csum_start = htole16((uint16_t) (rnd() % 2 ? s.ofs.l4
                                                  : rnd() % (s.len + 4))),
                .csum_offset = htole16((uint16_t) (rnd() % 3 ? 6
                                                   : rnd() % 3 ? 16
                                                   : rnd())),
            };
            struct pkt_need need;
            enum vnet_status status = check(&s, &hdr, rnd() % 4 ? ALL : rnd(),
                                            &need);

            seen[status]++;
            if (!status) {
                n_gso += need.gso != PKT_GSO_NONE;
                CU_ASSERT(is_sound(&s, &need));
            }
        }
        free(s.block);
    }
    CU_ASSERT(n_ok > 1000);
    CU_ASSERT(n_gso > 100);
    for (int i = VNET_SHORT + 1; i < VNET_N_STATUS; i++) {
        /* These two need frames of their own, above. */
        CU_ASSERT(seen[i] || i == VNET_GSO_FLAGS || i == VNET_GSO_LEN);
    }
}

/* What is filled in says what was needed. */
static void
test_fill(void)
{
    static const struct pkt_need needs[] = {
        {0},
        {.csum_valid = true},
        {.csum = true, .csum_start = 34, .csum_offset = 16},
        {.csum = true, .csum_start = 38, .csum_offset = 16,
         .gso = PKT_GSO_TCP4, .gso_size = 1448},
        {.csum = true, .csum_start = 38, .csum_offset = 16,
         .gso = PKT_GSO_TCP4, .gso_size = 1448, .ecn = true},
    };
    struct frame_spec spec = {
        .eth_type = ETH_TYPE_IP4, .proto = IPPROTO_TCP, .payload_len = 4000,
    };
    struct virtio_net_hdr hdr;
    struct subject s;

    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        struct pkt_need need;

        spec.n_tags = needs[i].csum_start == 38;
        make(&s, &spec);
        memset(&hdr, 0xa5, sizeof hdr);
        vnet_fill(&hdr, &needs[i], 66);
        CU_ASSERT_EQUAL(check(&s, &hdr, ALL, &need), VNET_OK);
        CU_ASSERT(!memcmp(&need, &needs[i], sizeof need));
        CU_ASSERT_EQUAL(le16toh(hdr.hdr_len), needs[i].csum ? 66 : 0);
        free(s.block);
    }

    for (unsigned int gso = PKT_GSO_TCP4; gso <= PKT_GSO_USO; gso++) {
        static const uint8_t types[] = {0, TCPV4, TCPV6, UFO, USO};
        struct pkt_need need = {.csum = true, .gso = (uint8_t) gso,
                                .gso_size = 0x1234, .csum_start = 0x0102,
                                .csum_offset = 6};

        vnet_fill(&hdr, &need, 0x0304);
        CU_ASSERT_EQUAL(hdr.gso_type, types[gso]);
        CU_ASSERT(!memcmp(&hdr, (uint8_t[]) {1, types[gso], 4, 3, 0x34, 0x12,
                                             2, 1, 6, 0}, sizeof hdr));
    }
}

static void
test_sentences(void)
{
    CU_ASSERT_STRING_EQUAL(vnet_status_to_string(VNET_OK), "ok");
    for (int i = 0; i < VNET_N_STATUS; i++) {
        CU_ASSERT(strlen(vnet_status_to_string(i)) > 1);
    }
    CU_ASSERT_PTR_NOT_NULL(vnet_status_to_string(VNET_N_STATUS));
}

void
suite_vnet(void)
{
    CU_pSuite suite = CU_add_suite("vnet", NULL, NULL);

    CU_add_test(suite, "TCP", test_tcp);
    CU_add_test(suite, "UDP", test_udp);
    CU_add_test(suite, "TCP flags", test_tcp_flags);
    CU_add_test(suite, "other protocols, fragments", test_others);
    CU_add_test(suite, "neighbour discovery", test_nd);
    CU_add_test(suite, "offers", test_offers);
    CU_add_test(suite, "UDP length", test_udp_len);
    CU_add_test(suite, "64 kB", test_largest);
    CU_add_test(suite, "tunnels of the sender", test_tunnels);
    CU_add_test(suite, "sweep", test_sweep);
    CU_add_test(suite, "fill", test_fill);
    CU_add_test(suite, "sentences", test_sentences);
}
