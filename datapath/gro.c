/* SPDX-License-Identifier: Apache-2.0 */

/* gro.c - last stage before tx: coalesces TCP segments.
 *
 * Works in the send buffer, so that it is bounded by the burst and costs
 * nothing where a vport takes no super-packets.  What is merged has the same
 * headers but for lengths, sequence, IPv4 ID and checksum, carries ACK and at
 * the end PSH, has a right checksum, and is followed by nothing once a shorter
 * segment or PSH came: so whoever cuts it gets back the segments that were
 * there.  PMD threads. */

#include "datapath/gro.h"

#include <arpa/inet.h>

#include "datapath/pmd.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

/* Longest IP packet. */
#define MAX_L3 65535u

/* A chain may have so many links: the kernel takes no more iovecs for a frame
 * than 1024, one of them for the virtio-net header. */
#define MAX_LINKS 1023u

/* A first segment with less payload does not begin a super-packet: it is not
 * worth a copy of its headers where those are shared. */
#define MIN_FIRST 256u

/* A TCP segment that may be merged. */
struct segment {
    const uint8_t *data;        /* The frame's first bytes. */
    const struct tcp_hdr *tcp;
    uint32_t payload_len;
    uint16_t l3, l4, payload;   /* Offsets. */
    uint16_t id;                /* IPv4. */
    bool is_ip4;
};

/* Whether 'm' is such a segment but for its checksum. */
static bool
describe(const struct rte_mbuf *m, uint32_t caps, struct segment *s)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint16_t flags;

    if (md->ofs.payload == PKT_OFS_NONE || md->n_encaps
        || md->need.gso != PKT_GSO_NONE || md->ofs.payload > m->data_len
        || m->pkt_len != md->ofs.l3_end || md->ofs.l3_end <= md->ofs.payload) {
        return false;
    }
    s->data = pkt_data(m);
    s->l3 = md->ofs.l3;
    s->l4 = md->ofs.l4;
    s->payload = md->ofs.payload;
    s->is_ip4 = s->data[s->l3] >> 4 == 4;
    if (s->is_ip4) {
        const struct ip4_hdr *ip = (const void *) (s->data + s->l3);

        if (ip->proto != IPPROTO_TCP || s->l4 != s->l3 + sizeof *ip
            || ip->frag & htons((uint16_t) ~IP4_DF)
            || !(caps & VPORT_CAP_TSO4)) {
            return false;
        }
        s->id = ntohs(ip->id);
    } else {
        const struct ip6_hdr_wire *ip = (const void *) (s->data + s->l3);

        if (ip->next != IPPROTO_TCP || s->l4 != s->l3 + sizeof *ip
            || !(caps & VPORT_CAP_TSO6)) {
            return false;
        }
        s->id = 0;
    }
    s->tcp = (const void *) (s->data + s->l4);
    flags = ntohs(s->tcp->ofs_flags) & 0xfff;
    s->payload_len = m->pkt_len - s->payload;
    return (flags & ~TCP_PSH) == TCP_ACK;
}

/* Whether the IPv4 header's checksum is right.  The switch passes on what is
 * not, but from a super-packet's header every segment's is made anew. */
static bool
header_is_right(const struct segment *s)
{
    return !s->is_ip4
           || !csum_finish(csum_add(0, s->data + s->l3,
                                    sizeof(struct ip4_hdr)));
}

/* Whether the TCP checksum is right, or of no concern since it is still to be
 * made. */
static bool
csum_is_right(const struct rte_mbuf *m, const struct segment *s)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint32_t len = m->pkt_len - s->l4;
    uint32_t sum;

    if (md->need.csum_valid || (md->need.csum
                                && md->need.csum_start == s->l4)) {
        return true;
    }
    if (s->is_ip4) {
        const struct ip4_hdr *ip = (const void *) (s->data + s->l3);

        sum = csum_pseudo4(ip->src, ip->dst, IPPROTO_TCP, len);
    } else {
        const struct ip6_hdr_wire *ip = (const void *) (s->data + s->l3);

        sum = csum_pseudo6(ip->src, ip->dst, IPPROTO_TCP, len);
    }
    return !csum_finish(csum_plus(sum, pkt_csum(m, s->l4, len)));
}

static bool
is_undamaged(const struct rte_mbuf *m, const struct segment *s)
{
    return header_is_right(s) && csum_is_right(m, s);
}

/* Whether two segments are of one conversation. */
static bool
is_same_stream(const struct segment *a, const struct segment *b)
{
    if (a->is_ip4 != b->is_ip4 || a->l3 != b->l3
        || memcmp(&a->tcp->src, &b->tcp->src, 4)) {
        return false;
    }
    return a->is_ip4
           ? !memcmp(a->data + a->l3 + offsetof(struct ip4_hdr, src),
                     b->data + b->l3 + offsetof(struct ip4_hdr, src), 8)
           : !memcmp(a->data + a->l3 + offsetof(struct ip6_hdr_wire, src),
                     b->data + b->l3 + offsetof(struct ip6_hdr_wire, src), 32);
}

/* Whether all headers are equal, but for what cutting makes anew. */
static bool
have_same_headers(const struct segment *a, const struct segment *b)
{
    const struct tcp_hdr *x = a->tcp;
    const struct tcp_hdr *y = b->tcp;
    be16 psh = htons(TCP_PSH);

    if (a->payload != b->payload || memcmp(a->data, b->data, a->l3)
        || x->ack != y->ack || x->window != y->window || x->urg != y->urg
        || (x->ofs_flags | psh) != (y->ofs_flags | psh)
        || memcmp(x + 1, y + 1, (size_t) (a->payload - a->l4) - sizeof *x)) {
        return false;
    }
    if (a->is_ip4) {
        const struct ip4_hdr *p = (const void *) (a->data + a->l3);
        const struct ip4_hdr *q = (const void *) (b->data + b->l3);

        return p->tos == q->tos && p->ttl == q->ttl && p->frag == q->frag;
    }
    /* Version, class, label; then next header and hop limit. */
    return !memcmp(a->data + a->l3, b->data + b->l3, 4)
           && !memcmp(a->data + a->l3 + 6, b->data + b->l3 + 6, 2);
}

/* Whether 'm', described by 's', goes on where the slot's packet ends. */
static bool
continues(const struct gro_slot *slot, const struct rte_mbuf *head,
          const struct segment *first, const struct rte_mbuf *m,
          const struct segment *s)
{
    return !slot->closed && ntohl(s->tcp->seq) == slot->next_seq
           && s->payload_len <= slot->gso_size
           && slot->n_segs < PKT_MAX_SEGS
           && (uint32_t) head->nb_segs + m->nb_segs <= MAX_LINKS
           && head->pkt_len - first->l3 + s->payload_len <= MAX_L3
           && (!s->is_ip4 || s->id == slot->next_id)
           && have_same_headers(first, s);
}

/* Adds the payload of 'm' to the packet of the slot. */
static void
append(struct gro_slot *slot, struct rte_mbuf *head, struct rte_mbuf *m,
       const struct segment *s)
{
    bool is_last = s->payload_len < slot->gso_size
                   || s->tcp->ofs_flags & htons(TCP_PSH);
    struct rte_mbuf *tail;

    if (s->tcp->ofs_flags & htons(TCP_PSH)) {
        /* The head is ours alone: gro_merge() saw to it. */
        ((struct tcp_hdr *) (void *) (pkt_data(head) + s->l4))->ofs_flags
            |= htons(TCP_PSH);
    }
    slot->next_seq += s->payload_len;
    slot->next_id++;
    slot->n_segs++;
    slot->closed = is_last;

    m = pkt_pull(m, s->payload);
    tail = rte_pktmbuf_lastseg(m);
    slot->tail->next = m;
    slot->tail = tail;
    head->nb_segs = (uint16_t) (head->nb_segs + m->nb_segs);
    head->pkt_len += m->pkt_len;
}

/* Lets later segments be appended to 'm', which is about to be put at 'index'
 * of the row.  Its headers are to be written then, so they are made ours.
 * Returns the packet, or NULL without memory. */
static struct rte_mbuf *
open_slot(struct gro_row *row, uint16_t index, struct rte_mbuf *m,
          const struct segment *s)
{
    struct gro_slot *slot = &row->slots[row->n_slots];
    uint32_t seq = ntohl(s->tcp->seq);  /* The header may move below. */

    if (row->n_slots == GRO_SLOTS || s->tcp->ofs_flags & htons(TCP_PSH)
        || s->payload_len > UINT16_MAX || s->payload_len < MIN_FIRST) {
        return m;
    }
    m = pkt_own_head(m, s->payload);
    if (UNLIKELY(!m)) {
        return NULL;
    }
    row->n_slots++;
    *slot = (struct gro_slot) {
        .tail = rte_pktmbuf_lastseg(m), .index = index, .n_segs = 1,
        .next_seq = seq + s->payload_len,
        .gso_size = (uint16_t) s->payload_len,
        .next_id = (uint16_t) (s->id + 1),
    };
    return m;
}

/* Appends 'm' to a packet of the row and returns NULL; or returns the packet
 * to be put at 'index'; or sets '*lost' for want of memory. */
static struct rte_mbuf *
put(struct gro_row *row, struct rte_mbuf **pkts, uint16_t index,
    uint32_t caps, struct rte_mbuf *m, bool *lost)
{
    struct segment s;

    if (!describe(m, caps, &s)) {
        /* It may be of a stream whose slot is open (a FIN, an ACK): what
         * comes after it must not be put before it. */
        for (unsigned int i = 0; i < row->n_slots; i++) {
            row->slots[i].closed = true;
        }
        return m;
    }
    for (unsigned int i = row->n_slots; i-- > 0;) {
        struct gro_slot *slot = &row->slots[i];
        struct rte_mbuf *head = pkts[slot->index];
        const struct pkt_meta *md = pkt_meta(head);
        struct segment first = {
            .data = pkt_data(head), .l3 = md->ofs.l3, .l4 = md->ofs.l4,
            .payload = md->ofs.payload,
            .tcp = (const void *) (pkt_data(head) + md->ofs.l4),
            .is_ip4 = pkt_data(head)[md->ofs.l3] >> 4 == 4,
        };

        if (!is_same_stream(&first, &s)) {
            continue;
        }
        if (continues(slot, head, &first, m, &s) && is_undamaged(m, &s)
            && (slot->n_segs > 1 || is_undamaged(head, &first))) {
            append(slot, head, m, &s);
            return NULL;
        }
        slot->closed = true;
        break;
    }
    m = open_slot(row, index, m, &s);
    *lost = !m;
    return m;
}

/* Makes a super-packet of what a slot has gathered. */
static void
finish(struct rte_mbuf *m, const struct gro_slot *slot)
{
    struct pkt_meta *md = pkt_meta(m);
    uint8_t *l3 = pkt_data(m) + md->ofs.l3;
    struct tcp_hdr *tcp = (void *) (pkt_data(m) + md->ofs.l4);
    uint32_t l4_len = m->pkt_len - md->ofs.l4;
    uint32_t sum;

    md->ofs.l3_end = m->pkt_len;
    md->need.gso = l3[0] >> 4 == 4 ? PKT_GSO_TCP4 : PKT_GSO_TCP6;
    md->need.gso_size = slot->gso_size;
    md->need.csum = true;
    md->need.csum_valid = false;
    md->need.csum_start = md->ofs.l4;
    md->need.csum_offset = offsetof(struct tcp_hdr, csum);
    if (md->need.gso == PKT_GSO_TCP4) {
        struct ip4_hdr *ip = (void *) l3;
        be16 len = htons((uint16_t) (m->pkt_len - md->ofs.l3));

        ip->csum = csum_update16(ip->csum, ip->tot_len, len);
        ip->tot_len = len;
        sum = csum_pseudo4(ip->src, ip->dst, IPPROTO_TCP, l4_len);
    } else {
        struct ip6_hdr_wire *ip = (void *) l3;

        ip->payload_len = htons((uint16_t) l4_len);
        sum = csum_pseudo6(ip->src, ip->dst, IPPROTO_TCP, l4_len);
    }
    tcp->csum = csum_fold(sum);
}

/* Completes the super-packets of a row, and empties it. */
static void
finish_row(struct gro_row *row, struct rte_mbuf **pkts,
           struct vport_counters *c)
{
    for (unsigned int i = 0; i < row->n_slots; i++) {
        const struct gro_slot *slot = &row->slots[i];

        if (slot->n_segs > 1) {
            finish(pkts[slot->index], slot);
            c->coalesced += slot->n_segs;
            c->tx_super++;
        }
    }
    row->n_slots = 0;
}

struct rte_mbuf *
gro_merge(struct pmd *pmd, struct vport *out, struct vport_pmd *vp,
          struct rte_mbuf *m)
{
    uint32_t caps = atomic_load_explicit(&out->caps, memory_order_relaxed);
    const uint32_t need = VPORT_CAP_CHAIN | VPORT_CAP_CSUM;
    bool lost = false;

    if ((caps & need) != need) {
        return m;
    }
    m = put(&vp->gro, vp->tx, vp->n_tx, caps, m, &lost);
    if (UNLIKELY(lost)) {
        vport_count_drop(out, pmd, DROP_NO_MBUF);
    }
    return m;
}

void
gro_flush(struct vport_pmd *vp)
{
    finish_row(&vp->gro, vp->tx, &vp->c);
}

unsigned int
gro_burst(struct pmd *pmd, struct vport *vport, struct rte_mbuf **pkts,
          const struct flow_key **keys, unsigned int n)
{
    struct gro_row row = { .n_slots = 0 };
    unsigned int kept = 0;

    for (unsigned int i = 0; i < n; i++) {
        bool lost = false;
        struct rte_mbuf *m = put(&row, pkts, (uint16_t) kept,
                                 VPORT_CAP_TSO4 | VPORT_CAP_TSO6, pkts[i],
                                 &lost);

        if (m) {
            pkts[kept] = m;
            keys[kept++] = keys[i];
        } else if (UNLIKELY(lost)) {
            vport_count_drop(vport, pmd, DROP_NO_MBUF);
        }
    }
    finish_row(&row, pkts, &vport->per_pmd[pmd->id]->c);
    return kept;
}
