/* SPDX-License-Identifier: Apache-2.0 */

/* gso.c - see gso.h.
 *
 * Part of the offload stage.  PMD threads.  Must never write into the packet
 * that it cuts: a clone may share it.
 *
 * Of all headers, outermost to TCP or UDP, each segment gets a copy, in which
 * the few fields that differ are written.  Their checksum is the sum of what
 * is the same in all segments, taken once, plus the few fields and the
 * payload: each payload byte is read once. */

#include "datapath/gso.h"

#include <arpa/inet.h>

#include "datapath/mem.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

/* Payload is copied behind the headers when that costs less than a reference
 * to it (an mbuf more, a shared counter, another iovec in the kernel).  Where
 * it is to be added up anyway the copy is nearly free: 27 against 24 ns for
 * 1448 bytes, and a segment takes 65 ns where one with a reference takes 81.
 * So whatever the small mbuf has room for is copied then.  Where nothing is
 * added up the two meet at about this length. */
#define COPY_MAX_UNSUMMED 1024u

struct cut {
    const struct egress *e;
    struct rte_mbuf *m;
    struct pkt_cursor payload;
    uint32_t payload_len;
    uint32_t size;              /* Of a segment's payload; the last's may be
                                 * less. */
    uint32_t n;                 /* Segments. */

    uint16_t start, l3, l4, hdr_len;    /* Offsets, as in the metadata. */
    uint8_t version;
    bool is_tcp;
    bool partial;               /* The vport adds the payload up. */
    bool wants_frame_sum;
    uint32_t pseudo_sum;        /* Pseudo header without its length. */
    uint32_t l4_sum;            /* TCP or UDP header, without the fields that
                                 * differ, and the fault of a wrong
                                 * checksum. */
};

static bool cut_init(struct cut *, const struct egress *, struct rte_mbuf *,
                     const struct l3_view *, uint32_t size);
static uint32_t fault_of(const struct cut *);
static struct rte_mbuf *make_segment(struct cut *, uint32_t i, uint32_t len,
                                     struct egress_sum *);
static void set_ip_len(const struct cut *, uint8_t *l3, uint32_t i,
                       uint32_t l4_len);
static void set_tcp(const struct cut *, struct tcp_hdr *, uint32_t i,
                    uint32_t l4_len, uint32_t payload_sum);
static void set_udp(const struct cut *, struct udp_hdr *, uint32_t l4_len,
                    uint32_t payload_sum);
static void set_need(const struct cut *, struct pkt_meta *, uint32_t len);

uint32_t
gso_max_payload(const struct egress *e, const struct rte_mbuf *m)
{
    const struct pkt_ofs *ofs = &pkt_meta(m)->ofs;
    uint32_t hdr_len = (uint32_t) (ofs->payload - ofs->l3);

    return e->room > hdr_len ? e->room - hdr_len : 0;
}

void
gso_cut(const struct egress *e, struct rte_mbuf *m, const struct l3_view *v,
        uint32_t size, egress_emit_fn *emit)
{
    struct cut c;

    if (UNLIKELY(!cut_init(&c, e, m, v, size))) {
        vport_drop_tx(e->out, e->pmd, m, DROP_BAD_SEGMENT);
        return;
    }
    for (uint32_t i = 0; i < c.n; i++) {
        uint32_t len = MIN(size, c.payload_len - i * size);
        struct egress_sum sum;
        struct rte_mbuf *seg = make_segment(&c, i, len, &sum);

        if (UNLIKELY(!seg)) {
            vport_drop_tx(e->out, e->pmd, m, DROP_NO_MBUF);
            return;
        }
        emit(e, seg, sum);
    }
    e->c->cut++;
    e->c->segments += c.n;
    rte_pktmbuf_free(m);
}

static bool
cut_init(struct cut *c, const struct egress *e, struct rte_mbuf *m,
         const struct l3_view *v, uint32_t size)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint8_t l4[60];             /* The longest TCP header. */
    uint32_t l4_len = (uint32_t) (md->ofs.payload - md->ofs.l4);

    if (!size || md->ofs.payload > m->data_len || l4_len > sizeof l4
        || md->ofs.payload > MEM_SMALL_ROOM) {
        return false;
    }
    c->e = e;
    c->m = m;
    c->payload_len = m->pkt_len - md->ofs.payload;
    c->size = size;
    c->n = MAX(DIV_ROUND_UP(c->payload_len, size), 1);
    if (c->n > PKT_MAX_SEGS) {
        return false;
    }
    c->start = md->inner_start;
    c->l3 = md->ofs.l3;
    c->l4 = md->ofs.l4;
    c->hdr_len = md->ofs.payload;
    c->version = v->version;
    c->is_tcp = v->proto == IPPROTO_TCP;
    pkt_cursor_init(&c->payload, m, c->hdr_len);
    c->wants_frame_sum = egress_wants_sum(m);
    c->partial = e->caps & VPORT_CAP_CSUM && !md->n_encaps
                 && (md->need.csum || md->need.csum_valid);

    const uint8_t *l3 = pkt_data(m) + c->l3;
    if (v->version == 4) {
        const struct ip4_hdr *ip = (const void *) l3;

        c->pseudo_sum = csum_pseudo4(ip->src, ip->dst, v->proto, 0);
    } else {
        const struct ip6_hdr_wire *ip = (const void *) l3;

        c->pseudo_sum = csum_pseudo6(ip->src, ip->dst, v->proto, 0);
    }

    memcpy(l4, pkt_data(m) + c->l4, l4_len);
    if (c->is_tcp) {
        struct tcp_hdr *tcp = (void *) l4;

        tcp->seq = 0;
        tcp->ofs_flags = 0;
        tcp->csum = 0;
    } else {
        struct udp_hdr *udp = (void *) l4;

        udp->len = 0;
        udp->csum = 0;
    }
    c->l4_sum = csum_add(c->pseudo_sum, l4, l4_len);
    if (!md->need.csum && !md->need.csum_valid) {
        c->l4_sum = csum_plus(c->l4_sum, fault_of(c));
    }
    return true;
}

/* By how much the checksum in the packet is wrong: 0 when it is right.  Added
 * to a right one it makes a wrong one, so that nothing that was damaged on its
 * way becomes whole by being cut. */
static uint32_t
fault_of(const struct cut *c)
{
    uint32_t l4_len = c->m->pkt_len - c->l4;
    uint32_t sum = pkt_csum(c->m, c->l4, l4_len);

    sum = csum_plus(sum, c->pseudo_sum);
    sum = csum_plus(sum, htons((uint16_t) l4_len));
    return csum_finish(sum) ? csum_fold(sum) : 0;
}

/* The i-th segment, with 'len' bytes of payload; moves the cursor on. */
static struct rte_mbuf *
make_segment(struct cut *c, uint32_t i, uint32_t len, struct egress_sum *sum)
{
    struct rte_mbuf *seg = mem_alloc_small();
    uint32_t payload_sum = 0;
    uint32_t l4_len = (uint32_t) (c->hdr_len - c->l4) + len;
    uint8_t *data;

    if (UNLIKELY(!seg)) {
        return NULL;
    }
    data = pkt_data(seg);
    memcpy(data, pkt_data(c->m), c->hdr_len);
    pkt_meta_copy(pkt_meta(seg), pkt_meta(c->m));
    seg->data_len = c->hdr_len;
    seg->pkt_len = c->hdr_len;

    if (len <= (c->partial ? COPY_MAX_UNSUMMED : MEM_SMALL_ROOM)
        && len <= rte_pktmbuf_tailroom(seg)) {
        if (c->partial) {
            pkt_cursor_copy(&c->payload, data + c->hdr_len, len);
        } else {
            payload_sum = pkt_cursor_copy_csum(&c->payload,
                                               data + c->hdr_len, len);
        }
        seg->data_len = (uint16_t) (c->hdr_len + len);
        seg->pkt_len = c->hdr_len + len;
    } else {
        if (!c->partial) {
            payload_sum = pkt_cursor_csum(c->payload, len);
        }
        if (UNLIKELY(!pkt_cursor_append_ref(&c->payload, seg, len))) {
            rte_pktmbuf_free(seg);
            return NULL;
        }
    }

    set_ip_len(c, data + c->l3, i, l4_len);
    if (c->is_tcp) {
        set_tcp(c, (void *) (data + c->l4), i, l4_len, payload_sum);
    } else {
        set_udp(c, (void *) (data + c->l4), l4_len, payload_sum);
    }
    set_need(c, pkt_meta(seg), seg->pkt_len);

    sum->known = c->wants_frame_sum;
    sum->sum = 0;
    if (sum->known) {
        sum->sum = csum_add(payload_sum, data + c->start,
                            (size_t) (c->hdr_len - c->start));
    }
    return seg;
}

/* IPv4: total length and ID, with the checksum kept in step.  IPv6: payload
 * length. */
static void
set_ip_len(const struct cut *c, uint8_t *l3, uint32_t i, uint32_t l4_len)
{
    uint32_t len = (uint32_t) (c->l4 - c->l3) + l4_len;

    if (c->version == 4) {
        struct ip4_hdr *ip = (void *) l3;
        be16 tot_len = htons((uint16_t) len);
        be16 id = htons((uint16_t) (ntohs(ip->id) + i));

        ip->csum = csum_update16(ip->csum, ip->tot_len, tot_len);
        ip->tot_len = tot_len;
        ip->csum = csum_update16(ip->csum, ip->id, id);
        ip->id = id;
    } else {
        struct ip6_hdr_wire *ip = (void *) l3;

        ip->payload_len = htons((uint16_t) (len - sizeof *ip));
    }
}

static void
set_tcp(const struct cut *c, struct tcp_hdr *tcp, uint32_t i, uint32_t l4_len,
        uint32_t payload_sum)
{
    uint16_t clear = 0;
    uint32_t sum;

    if (i) {
        clear |= TCP_CWR;
    }
    if (i + 1 < c->n) {
        clear |= TCP_FIN | TCP_PSH;
    }
    tcp->seq = htonl(ntohl(tcp->seq) + i * c->size);
    tcp->ofs_flags &= htons((uint16_t) ~clear);

    if (c->partial) {
        tcp->csum = csum_fold(csum_plus(c->pseudo_sum,
                                        htons((uint16_t) l4_len)));
        return;
    }
    sum = csum_plus(c->l4_sum, payload_sum);
    sum = csum_plus(sum, tcp->seq);
    sum = csum_plus(sum, tcp->ofs_flags);
    sum = csum_plus(sum, htons((uint16_t) l4_len));
    tcp->csum = csum_finish(sum);
}

static void
set_udp(const struct cut *c, struct udp_hdr *udp, uint32_t l4_len,
        uint32_t payload_sum)
{
    uint32_t sum;

    udp->len = htons((uint16_t) l4_len);
    if (c->partial) {
        udp->csum = csum_fold(csum_plus(c->pseudo_sum, udp->len));
        return;
    }
    sum = csum_plus(c->l4_sum, payload_sum);
    sum = csum_plus(sum, udp->len);     /* In the pseudo header ... */
    sum = csum_plus(sum, udp->len);     /* ... and in UDP's. */
    udp->csum = csum_finish_udp(sum);
}

/* What the segment still needs: its checksum, when the vport makes it. */
static void
set_need(const struct cut *c, struct pkt_meta *md, uint32_t len)
{
    bool vouched = md->need.csum_valid;

    memset(&md->need, 0, sizeof md->need);
    if (c->partial) {
        md->need.csum = true;
        md->need.csum_start = c->l4;
        md->need.csum_offset = c->is_tcp ? offsetof(struct tcp_hdr, csum)
                                         : offsetof(struct udp_hdr, csum);
    }
    md->need.csum_valid = vouched;
    md->ofs.l3_end = len;
}
