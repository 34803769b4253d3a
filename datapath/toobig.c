/* SPDX-License-Identifier: Apache-2.0 */

/* toobig.c - see toobig.h.
 *
 * Part of the offload stage.  PMD threads.  Must never answer an error or more
 * than one host. */

#include "datapath/toobig.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "datapath/mem.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

/* Length of an answer, IP header included: RFC 1812, 4.3.2.3 and RFC 4443,
 * 3.2. */
#define MAX_IP4 576u
#define MAX_IP6 1280u

#define TTL 64
#define TOS_INTERNETWORK_CONTROL 0xc0   /* RFC 1812, 4.3.2.5. */

static bool may_answer(const struct rte_mbuf *, const struct l3_view *);
static bool may_answer_ip4(const struct rte_mbuf *, const struct l3_view *);
static bool may_answer_ip6(const struct rte_mbuf *, const struct l3_view *);
static bool is_one_host(be32 ip);
static bool take_token(struct vport_pmd *, uint64_t now_ms);
static void put_eth(uint8_t *to, const uint8_t *from, uint32_t len);
static uint32_t put_ip4(uint8_t *to, const struct rte_mbuf *,
                        const struct l3_view *, uint32_t mtu);
static uint32_t put_ip6(uint8_t *to, const struct rte_mbuf *,
                        const struct l3_view *, uint32_t mtu);

void
toobig_answer(const struct egress *e, const struct rte_mbuf *m,
              const struct l3_view *v)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint32_t eth_len = (uint32_t) (v->start - md->inner_start);
    uint32_t port = e->out->port_no;
    struct rte_mbuf *answer;
    uint8_t *data;

    if (md->n_encaps) {
        if (!md->encaps[0].icmp_too_big) {
            return;
        }
        port = md->encaps[0].tnl_port;
    }
    if (!may_answer(m, v)
        || !take_token(e->out->per_pmd[e->pmd->id], e->pmd->now_ms)) {
        return;
    }
    answer = mem_alloc_small();
    if (UNLIKELY(!answer)) {
        return;
    }

    pkt_meta_init(answer, port);
    pkt_meta(answer)->phys_port = md->phys_port;
    data = pkt_data(answer);
    put_eth(data, pkt_data(m) + md->inner_start, eth_len);
    answer->pkt_len = eth_len
                      + (v->version == 4
                         ? put_ip4(data + eth_len, m, v, e->room)
                         : put_ip6(data + eth_len, m, v, e->room));
    answer->data_len = (uint16_t) answer->pkt_len;
    e->c->icmp_too_big++;
    pmd_recirculate(e->pmd, answer);
}

static bool
may_answer(const struct rte_mbuf *m, const struct l3_view *v)
{
    const struct eth_hdr *eth
        = (const void *) (pkt_data(m) + pkt_meta(m)->inner_start);

    /* To and from one station each. */
    if (eth->dst[0] & 1 || eth->src[0] & 1) {
        return false;
    }
    return v->version == 4 ? may_answer_ip4(m, v) : may_answer_ip6(m, v);
}

static bool
may_answer_ip4(const struct rte_mbuf *m, const struct l3_view *v)
{
    const struct ip4_hdr *ip = (const void *) (pkt_data(m) + v->start);
    uint16_t l4 = pkt_meta(m)->ofs.l4;

    if (v->is_later || !is_one_host(ip->src) || !is_one_host(ip->dst)) {
        return false;
    }
    if (v->proto == IPPROTO_ICMP && l4 != PKT_OFS_NONE && l4 < m->data_len) {
        switch (pkt_data(m)[l4]) {
        case ICMP_DEST_UNREACH:
        case ICMP_SOURCE_QUENCH:
        case ICMP_REDIRECT:
        case ICMP_TIME_EXCEEDED:
        case ICMP_PARAMETERPROB:
            return false;
        default:
            break;
        }
    }
    return true;
}

/* Neither a group nor the whole network nor the host itself. */
static bool
is_one_host(be32 ip)
{
    uint8_t first = (uint8_t) (ntohl(ip) >> 24);

    return first != 0 && first != 127 && first < 224;
}

static bool
may_answer_ip6(const struct rte_mbuf *m, const struct l3_view *v)
{
    static const struct in6_addr any, loopback = IN6ADDR_LOOPBACK_INIT;
    const struct ip6_hdr_wire *ip = (const void *) (pkt_data(m) + v->start);
    uint16_t l4 = pkt_meta(m)->ofs.l4;

    /* RFC 4443 would allow an answer to a multicast packet, from an address of
     * our own; we have none. */
    if (ip->src[0] == 0xff || ip->dst[0] == 0xff
        || !memcmp(ip->src, &any, sizeof any)
        || !memcmp(ip->src, &loopback, sizeof loopback)
        || !memcmp(ip->dst, &any, sizeof any)) {
        return false;
    }
    if (v->proto == IPPROTO_ICMPV6 && l4 != PKT_OFS_NONE
        && l4 < m->data_len) {
        uint8_t type = pkt_data(m)[l4];

        return type & ICMP6_INFOMSG_MASK && type != ND_REDIRECT;
    }
    return true;
}

/* A bucket with thousandths of an answer. */
static bool
take_token(struct vport_pmd *vp, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - vp->too_big_ms;
    uint64_t tokens = TOOBIG_BURST * 1000u;

    if (passed_ms < tokens) {
        tokens = MIN(tokens, vp->too_big_tokens + passed_ms * TOOBIG_PER_S);
    }
    vp->too_big_ms = now_ms;
    vp->too_big_tokens = (uint32_t) tokens;
    if (tokens < 1000) {
        return false;
    }
    vp->too_big_tokens -= 1000;
    return true;
}

/* The Ethernet header and tags of the way back. */
static void
put_eth(uint8_t *to, const uint8_t *from, uint32_t len)
{
    const struct eth_hdr *there = (const void *) from;
    struct eth_hdr *back = (void *) to;

    memcpy(to, from, len);
    memcpy(back->dst, there->src, sizeof back->dst);
    memcpy(back->src, there->dst, sizeof back->src);
}

static uint32_t
put_ip4(uint8_t *to, const struct rte_mbuf *m, const struct l3_view *v,
        uint32_t mtu)
{
    const struct ip4_hdr *there = (const void *) (pkt_data(m) + v->start);
    struct ip4_hdr *ip = (void *) to;
    struct icmp_hdr *icmp = (void *) (to + sizeof *ip);
    uint32_t hdr_len = sizeof *ip + sizeof *icmp;
    uint32_t quoted = MIN(m->pkt_len - v->start, MAX_IP4 - hdr_len);
    uint32_t len = hdr_len + quoted;

    memset(to, 0, hdr_len);
    ip->ver_ihl = 0x45;
    ip->tos = TOS_INTERNETWORK_CONTROL;
    ip->tot_len = htons((uint16_t) len);
    ip->frag = htons(IP4_DF);
    ip->ttl = TTL;
    ip->proto = IPPROTO_ICMP;
    ip->src = there->dst;
    ip->dst = there->src;
    ip->csum = csum_finish(csum_add(0, ip, sizeof *ip));

    icmp->type = ICMP_DEST_UNREACH;
    icmp->code = ICMP_FRAG_NEEDED;
    icmp->rest = htonl(MIN(mtu, (uint32_t) UINT16_MAX));
    pkt_read(m, v->start, quoted, to + hdr_len);
    icmp->csum = csum_finish(csum_add(0, icmp, len - sizeof *ip));
    return len;
}

static uint32_t
put_ip6(uint8_t *to, const struct rte_mbuf *m, const struct l3_view *v,
        uint32_t mtu)
{
    const struct ip6_hdr_wire *there
        = (const void *) (pkt_data(m) + v->start);
    struct ip6_hdr_wire *ip = (void *) to;
    struct icmp_hdr *icmp = (void *) (to + sizeof *ip);
    uint32_t hdr_len = sizeof *ip + sizeof *icmp;
    uint32_t quoted = MIN(m->pkt_len - v->start, MAX_IP6 - hdr_len);
    uint32_t l4_len = (uint32_t) sizeof *icmp + quoted;

    memset(to, 0, hdr_len);
    ip->ver_tc_label = htonl(6u << 28);
    ip->payload_len = htons((uint16_t) l4_len);
    ip->next = IPPROTO_ICMPV6;
    ip->hop_limit = TTL;
    memcpy(ip->src, there->dst, sizeof ip->src);
    memcpy(ip->dst, there->src, sizeof ip->dst);

    icmp->type = ICMP6_PACKET_TOO_BIG;
    icmp->rest = htonl(mtu);
    pkt_read(m, v->start, quoted, to + hdr_len);
    icmp->csum = csum_finish(csum_plus(csum_pseudo6(ip->src, ip->dst,
                                                    IPPROTO_ICMPV6, l4_len),
                                       csum_add(0, icmp, l4_len)));
    return hdr_len + quoted;
}
