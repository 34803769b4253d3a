/* SPDX-License-Identifier: Apache-2.0 */
/* egress_env.c - see egress_env.h. */

#include "tests/unit/datapath/egress_env.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/pkt/wire.h"

struct pmd env_pmd;
struct vport env_vport;
struct vport_pmd env_vport_pmd;
struct rte_mbuf *env_sent[ENV_MAX_SENT];
unsigned int env_n_sent;

static uint16_t keep(struct vport *, uint16_t, struct pmd *,
                     struct rte_mbuf **, uint16_t, uint64_t *);

static const struct vport_class keeping_class = { .type = "test", .tx = keep };

uint16_t
env_get16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

uint32_t
env_get32(const uint8_t *p)
{
    return (uint32_t) env_get16(p) << 16 | env_get16(p + 2);
}

void
env_put16(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t) (x >> 8);
    p[1] = (uint8_t) x;
}

void
env_put32(uint8_t *p, uint32_t x)
{
    env_put16(p, x >> 16);
    env_put16(p + 2, x);
}

uint32_t
env_sum(uint32_t sum, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        sum += i & 1 ? p[i] : (uint32_t) p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (sum & 0xffff) + (sum >> 16);
}

uint32_t
env_pseudo_sum(const uint8_t *l3, uint8_t proto, uint32_t l4_len)
{
    uint8_t tail[8] = { 0 };
    uint32_t sum = l3[0] >> 4 == 4 ? env_sum(0, l3 + 12, 8)
                                   : env_sum(0, l3 + 8, 32);

    env_put32(tail, l4_len);
    tail[7] = proto;
    return env_sum(sum, tail, sizeof tail);
}

static uint16_t
keep(struct vport *vport, uint16_t txq, struct pmd *pmd,
     struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    (void) vport;
    (void) txq;
    (void) pmd;

    for (uint16_t i = 0; i < n; i++) {
        if (env_n_sent == ENV_MAX_SENT) {
            abort();
        }
        env_sent[env_n_sent++] = pkts[i];
        *bytes += pkts[i]->pkt_len;
    }
    return n;
}

void
env_reset(uint32_t caps, uint16_t mtu)
{
    dpdk_env_start();
    memset(&env_vport, 0, sizeof env_vport);
    memset(&env_vport_pmd, 0, sizeof env_vport_pmd);
    env_vport.class = &keeping_class;
    env_vport.port_no = ENV_PORT;
    env_vport.n_txq = 1;
    atomic_store(&env_vport.caps, caps);
    atomic_store(&env_vport.mtu, mtu);
    atomic_store(&env_vport.up, true);
    env_vport.per_pmd[0] = &env_vport_pmd;
    env_pmd.id = 0;
    env_pmd.n_dirty = 0;
    env_pmd.n_recirc = 0;
    env_pmd.now_ms = 1000000;
    env_n_sent = 0;
}

void
env_collect(void)
{
    uint64_t bytes = 0;

    keep(&env_vport, 0, &env_pmd, env_vport_pmd.tx, env_vport_pmd.n_tx,
         &bytes);
    env_vport_pmd.n_tx = 0;
    env_vport_pmd.tx_dirty = false;
    env_pmd.n_dirty = 0;
}

void
env_free_sent(void)
{
    for (unsigned int i = 0; i < env_n_sent; i++) {
        rte_pktmbuf_free(env_sent[i]);
    }
    env_n_sent = 0;
    for (unsigned int i = 0; i < env_pmd.n_recirc; i++) {
        rte_pktmbuf_free(env_pmd.recirc[i]);
    }
    env_pmd.n_recirc = 0;
}

uint64_t
env_n_drops(void)
{
    uint64_t n = 0;

    for (int i = 0; i < N_DROP_REASONS; i++) {
        n += env_vport_pmd.c.drops[i];
    }
    return n;
}

/* An Ethernet header, tags and the type; returns the length. */
static uint32_t
build_eth(const struct env_frame *f, uint8_t *b)
{
    uint32_t at = 12;

    dpdk_env_fill(b, 12);
    b[0] &= 0xfe;
    b[6] &= 0xfe;
    for (int i = 0; i < f->n_vlans; i++) {
        env_put16(b + at, f->n_vlans == 2 && !i ? 0x88a8 : 0x8100);
        env_put16(b + at + 2, dpdk_env_range(1, 4094));
        at += 4;
    }
    env_put16(b + at, f->version == 4 ? 0x0800 : 0x86dd);
    return at + 2;
}

static uint32_t
build_ip4(const struct env_frame *f, uint8_t *ip)
{
    uint32_t hdr_len = 20 + f->ip4_options;

    memset(ip, 0, hdr_len);
    ip[0] = (uint8_t) (0x40 | hdr_len / 4);
    ip[1] = (uint8_t) dpdk_env_random();
    env_put16(ip + 4, f->ip_id);
    env_put16(ip + 6, f->frag);
    ip[8] = 64;
    ip[9] = f->proto;
    env_put32(ip + 12, 0x0a000001 + dpdk_env_range(0, 0xffff));
    env_put32(ip + 16, 0x0a800001 + dpdk_env_range(0, 0xffff));
    /* Turns of: a timestamp (not copied), a router alert (copied), NOPs. */
    for (uint32_t at = 20; at < hdr_len; at += 4) {
        static const uint8_t options[3][4] = {
            { 0x44, 4, 5, 0 }, { 0x94, 4, 0, 0 }, { 1, 1, 1, 1 },
        };

        memcpy(ip + at, options[at / 4 % 3], 4);
    }
    return hdr_len;
}

static uint32_t
add_extension(uint8_t *ip, uint32_t at, uint32_t *next_ofs, uint8_t type)
{
    memset(ip + at, 0, 8);
    ip[at + 2] = type == IPPROTO_ROUTING ? 0 : 1;       /* PadN */
    ip[at + 3] = type == IPPROTO_ROUTING ? 0 : 4;
    ip[*next_ofs] = type;
    *next_ofs = at;
    return at + 8;
}

static uint32_t
build_ip6(const struct env_frame *f, uint8_t *ip, struct env_bytes *out)
{
    uint32_t at = 40, next_ofs = 6;

    memset(ip, 0, 40);
    env_put32(ip, 6u << 28 | (dpdk_env_random() & 0x0fffffff));
    ip[7] = 64;
    dpdk_env_fill(ip + 8, 32);
    ip[8] = ip[24] = 0x20;
    if (f->hop_by_hop) {
        at = add_extension(ip, at, &next_ofs, IPPROTO_HOPOPTS);
    }
    if (f->routing) {
        at = add_extension(ip, at, &next_ofs, IPPROTO_ROUTING);
    }
    out->unfrag_len = at;
    out->unfrag_next = out->l3 + next_ofs;
    if (f->dest_options) {
        at = add_extension(ip, at, &next_ofs, IPPROTO_DSTOPTS);
    }
    ip[next_ofs] = f->proto;
    return at;
}

/* The L4 header; returns its length, and where its checksum is. */
static uint32_t
build_l4(const struct env_frame *f, uint8_t *l4, uint32_t *csum_ofs)
{
    dpdk_env_fill(l4, 20);
    switch (f->proto) {
    case IPPROTO_TCP:
        env_put16(l4 + 12, (5u + f->tcp_options / 4u) << 12 | f->tcp_flags);
        memset(l4 + 20, 1, f->tcp_options);
        *csum_ofs = 16;
        return 20 + f->tcp_options;
    case IPPROTO_UDP:
        /* Neither VXLAN nor anything else that a parser might know. */
        env_put16(l4 + 2, 9999);
        env_put16(l4 + 4, 8 + f->payload_len);
        *csum_ofs = 6;
        return 8;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        l4[0] = f->proto == IPPROTO_ICMP ? 8 : 128;
        l4[1] = 0;
        *csum_ofs = 2;
        return 8;
    case IPPROTO_SCTP:
        return 12;              /* A CRC32c is the test's own affair. */
    default:
        return 0;
    }
}

static void
build_csum(const struct env_frame *f, struct env_bytes *out)
{
    uint32_t l4_len = out->end - out->l4;
    uint8_t *field = out->b + out->csum_ofs;
    uint32_t pseudo = f->proto == IPPROTO_ICMP ? 0
                      : env_pseudo_sum(out->b + out->l3, f->proto, l4_len);

    env_put16(field, 0);
    if (f->csum == ENV_CSUM_PARTIAL) {
        env_put16(field, pseudo);
        return;
    }
    uint32_t csum = ~env_sum(pseudo, out->b + out->l4, l4_len) & 0xffff;
    if (f->csum == ENV_CSUM_WRONG) {
        csum = (csum + dpdk_env_range(1, 0xfffe)) % 0xffff;
    }
    env_put16(field, csum ? csum : 0xffff);
}

void
env_build(const struct env_frame *f, struct env_bytes *out)
{
    uint8_t *ip;

    out->l3 = build_eth(f, out->b);
    ip = out->b + out->l3;
    out->l4 = out->l3 + (f->version == 4 ? build_ip4(f, ip)
                                         : build_ip6(f, ip, out));
    out->csum_ofs = 0;
    out->payload = out->l4 + build_l4(f, out->b + out->l4, &out->csum_ofs);
    out->end = out->payload + f->payload_len;
    out->len = out->end + f->padding;
    dpdk_env_fill(out->b + out->payload, f->payload_len);
    memset(out->b + out->end, 0xaa, f->padding);
    if (f->version == 4) {
        env_put16(ip + 2, out->end - out->l3);
        env_put16(ip + 10, ~env_sum(0, ip, out->l4 - out->l3));
    } else {
        env_put16(ip + 4, out->end - out->l3 - 40);
    }
    if (out->csum_ofs) {
        out->csum_ofs += out->l4;
        build_csum(f, out);
    }
}

struct rte_mbuf *
env_packet(const struct env_frame *f, const struct env_bytes *bytes,
           enum dpdk_env_shape shape)
{
    struct rte_mbuf *m = dpdk_env_packet(bytes->b, bytes->len, shape,
                                         bytes->payload);
    struct pkt_meta *md = pkt_meta(m);
    struct flow_key key;
    enum parse_status status;

    status = parse_packet(pkt_data(m), m->data_len, m->pkt_len, &key,
                          &md->ofs);
    if (status != PARSE_OK) {
        fprintf(stderr, "test frame refused: %s\n",
                parse_status_to_string(status));
        abort();
    }
    md->need.gso = f->gso;
    md->need.gso_size = f->gso_size;
    md->need.csum = f->csum == ENV_CSUM_PARTIAL;
    md->need.csum_start = (uint16_t) bytes->l4;
    md->need.csum_offset = (uint16_t) (bytes->csum_ofs - bytes->l4);
    md->need.ecn = f->gso && f->proto == IPPROTO_TCP
                   && f->tcp_flags & TCP_CWR;
    return m;
}

/* As act.c does it. */
struct rte_mbuf *
env_encap(struct rte_mbuf *m, const struct env_tnl *t, uint32_t tnl_port)
{
    struct tnl_cfg cfg;
    struct tnl_hop hop;
    struct tnl_push push;
    struct pkt_encap *e;
    struct flow_key key;

    memset(&key, 0, sizeof key);
    memset(&cfg, 0, sizeof cfg);
    memset(&hop, 0, sizeof hop);
    cfg.type = tnl_type_from_name(t->is_gre ? "gre" : "vxlan");
    cfg.csum = t->csum;
    cfg.df = t->df;
    cfg.seq = t->seq;
    cfg.out_key_present = t->key || !t->is_gre;
    cfg.out_key = htobe64(5);
    cfg.ttl = 64;
    cfg.dst_port = t->is_gre ? 0 : 4789;
    cfg.icmp_too_big = !t->quiet;
    hop.path_mtu = t->path_mtu;
    if (t->is_ip6) {
        hop.src.s6_addr[0] = hop.dst.s6_addr[0] = 0xfd;
        hop.dst.s6_addr[15] = 2;
    } else {
        hop.src = flow_addr_from_ip4(htonl(0xc0000201));
        hop.dst = flow_addr_from_ip4(htonl(0xc0000202));
    }
    tnl_build(&cfg, &hop, cfg.out_key, tnl_port, &push);

    m = pkt_push(m, push.hdr_len);
    if (!m) {
        abort();
    }
    e = &pkt_meta(m)->encaps[pkt_meta(m)->n_encaps++];
    e->ops = tnl_ops_get(push.type);
    e->tnl_port = push.tnl_port;
    e->start = 0;
    e->l3 = push.l3_ofs;
    e->l4 = push.l4_ofs;
    e->inner = push.hdr_len;
    e->path_mtu = push.path_mtu;
    e->csum = push.csum;
    e->seq = push.seq;
    e->icmp_too_big = push.icmp_too_big;
    tnl_apply(&push, pkt_data(m), &key, dpdk_env_random());
    return m;
}

bool
env_bytes_of(const struct rte_mbuf *m, uint8_t *to, uint32_t *len)
{
    const struct pkt_need *need = &pkt_meta(m)->need;

    *len = dpdk_env_bytes(m, to, ENV_MAX_FRAME);
    if (*len == UINT32_MAX) {
        return false;
    }
    if (need->csum) {
        uint32_t at = (uint32_t) need->csum_start + need->csum_offset;
        uint32_t sum;

        if (at + 2 > *len) {
            return false;
        }
        sum = ~env_sum(0, to + need->csum_start, *len - need->csum_start)
              & 0xffff;
        env_put16(to + at, sum ? sum : 0xffff);
    }
    return true;
}

/* As the kernel cuts a UDP super-packet (GSO_UDP_L4). */
static void
cut_train(const struct pkt_need *need, uint32_t l3, unsigned int i,
          uint8_t *b, uint32_t *len)
{
    uint32_t l4 = need->csum_start, front = l4 + 8;
    uint32_t at = front + i * need->gso_size;
    uint32_t n = MIN(need->gso_size, *len - at), sum;
    uint8_t *ip = b + l3;

    memmove(b + front, b + at, n);
    *len = front + n;
    if (ip[0] >> 4 == 4) {
        env_put16(ip + 2, *len - l3);
        env_put16(ip + 10, 0);
        env_put16(ip + 10, ~env_sum(0, ip, 20));
    } else {
        env_put16(ip + 4, *len - l3 - 40);
    }
    env_put16(b + l4 + 4, 8 + n);
    env_put16(b + l4 + 6, 0);
    sum = ~env_sum(env_pseudo_sum(ip, IPPROTO_UDP, 8 + n), b + l4, 8 + n)
          & 0xffff;
    env_put16(b + l4 + 6, sum ? sum : 0xffff);
}

bool
env_piece(const struct rte_mbuf *m, unsigned int i, uint8_t *to,
          uint32_t *len, const char **error)
{
    const struct pkt_meta *md = pkt_meta(m);
    const struct pkt_encap *outer;
    uint32_t payload;

    *error = NULL;
    if (!md->need.gso) {
        if (!i && !env_bytes_of(m, to, len)) {
            *error = "broken packet";
        }
        return !i && !*error;
    }

    outer = &md->encaps[md->n_encaps - 1];
    payload = m->pkt_len - outer->l4 - 8;
    *len = dpdk_env_bytes(m, to, ENV_MAX_FRAME);
    if (!md->n_encaps || md->need.gso != PKT_GSO_USO || !md->need.csum
        || md->need.csum_start != outer->l4 || md->need.csum_offset != 6
        || payload <= md->need.gso_size || *len == UINT32_MAX) {
        *error = "broken train";
    } else if (m->pkt_len - outer->l3 > 65535
               || DIV_ROUND_UP(payload, md->need.gso_size) > 64) {
        *error = "too long a train";
    } else if (env_get16(to + outer->l4 + 4) != payload + 8
               || env_get16(to + outer->l4 + 6)
                  != env_sum(env_pseudo_sum(to + outer->l3, IPPROTO_UDP,
                                            payload + 8), to, 0)) {
        *error = "a train's UDP header";
    }
    if (*error || i * md->need.gso_size >= payload) {
        return false;
    }
    cut_train(&md->need, outer->l3, i, to, len);
    return true;
}

uint32_t
env_tnl_len(const struct env_tnl *t)
{
    return (t->is_ip6 ? 40 : 20)
           + (t->is_gre ? 4 + 4 * (t->csum + t->key + t->seq) : 16);
}

static const char *
check_outer_ip(const struct env_tnl *t, const uint8_t *ip, uint32_t len)
{
    uint8_t proto = t->is_gre ? IPPROTO_GRE : IPPROTO_UDP;

    if (t->is_ip6) {
        return ip[0] >> 4 != 6 ? "outer version"
               : env_get16(ip + 4) != len - 40 ? "outer IPv6 length"
               : ip[6] != proto ? "outer next header" : NULL;
    }
    return ip[0] != 0x45 ? "outer version"
           : env_get16(ip + 2) != len ? "outer IPv4 length"
           : env_sum(0, ip, 20) != 0xffff ? "outer IPv4 checksum"
           : env_get16(ip + 6) != (t->df ? 0x4000 : 0) ? "outer DF or MF"
           : ip[9] != proto ? "outer protocol" : NULL;
}

static const char *
check_outer_l4(const struct env_tnl *t, const uint8_t *ip, const uint8_t *l4,
               uint32_t l4_len)
{
    if (t->is_gre) {
        uint32_t flags = (t->csum ? 0x8000u : 0) | (t->key ? 0x2000u : 0)
                         | (t->seq ? 0x1000u : 0);

        return env_get16(l4) != flags ? "GRE flags"
               : env_get16(l4 + 2) != 0x6558 ? "GRE protocol"
               : t->csum && env_sum(0, l4, l4_len) != 0xffff ? "GRE checksum"
               : NULL;
    }
    if (env_get16(l4 + 2) != 4789 || env_get16(l4 + 4) != l4_len
        || env_get32(l4 + 8) != 0x08000000 || env_get32(l4 + 12) != 5 << 8) {
        return "UDP or VXLAN header";
    }
    if (!t->csum && !t->is_ip6) {
        return env_get16(l4 + 6) ? "UDP checksum not 0" : NULL;
    }
    return !env_get16(l4 + 6)
           || env_sum(env_pseudo_sum(ip, IPPROTO_UDP, l4_len), l4, l4_len)
              != 0xffff ? "UDP checksum" : NULL;
}

uint32_t
env_strip(const struct env_tnl *t, const uint8_t *p, uint32_t len,
          const char **error)
{
    uint32_t l4 = 14 + (t->is_ip6 ? 40 : 20);
    uint32_t hdr_len = 14 + env_tnl_len(t);

    if (len < hdr_len || env_get16(p + 12) != (t->is_ip6 ? 0x86dd : 0x0800)) {
        *error = "outer Ethernet type or length";
        return 0;
    }
    *error = check_outer_ip(t, p + 14, len - 14);
    if (!*error) {
        *error = check_outer_l4(t, p + 14, p + l4, len - l4);
    }
    return *error ? 0 : hdr_len;
}
