/* SPDX-License-Identifier: Apache-2.0 */

/* train.c - see train.h.
 *
 * Part of the offload stage, between the cutting and the port.  PMD threads.
 * Must never put a piece behind a shorter one: a cutter would take both for
 * one. */

#include "datapath/train.h"

#include <arpa/inet.h>

#include "lib/pkt/wire.h"

/* As many datagrams as the kernel takes in one (UDP_MAX_SEGMENTS of old
 * ones). */
#define MAX_PIECES 64u

#define MAX_L3 65535u

/* A chain may have so many links: as many iovecs a host socket's message
 * takes. */
#define MAX_LINKS 256u

static void send_train(const struct egress *);
static struct rte_mbuf *hang_on(struct rte_mbuf *head, struct rte_mbuf *tail,
                                struct rte_mbuf *);

/* Whether a vport takes trains. */
static bool
can_pull(uint32_t caps)
{
    const uint32_t need = (VPORT_CAP_TRAIN | VPORT_CAP_USO | VPORT_CAP_CSUM
                           | VPORT_CAP_CHAIN);

    return (caps & need) == need;
}

static const struct pkt_encap *
outermost(const struct rte_mbuf *m)
{
    const struct pkt_meta *md = pkt_meta(m);

    return &md->encaps[md->n_encaps - 1];
}

/* What stands before the first piece: up to the outermost UDP header's end. */
static uint32_t
front_len(const struct rte_mbuf *m)
{
    return outermost(m)->l4 + (uint32_t) sizeof(struct udp_hdr);
}

bool
train_begin(struct train *train, const struct egress *e,
            const struct rte_mbuf *m)
{
    train->head = NULL;
    return can_pull(e->caps) && pkt_meta(m)->n_encaps
           && outermost(m)->ops->ip_proto == IPPROTO_UDP;
}

void
train_add(const struct egress *e, struct rte_mbuf *m, struct egress_sum sum)
{
    struct train *t = e->train;
    uint32_t size;

    m = egress_encapsulate(e, m, pkt_meta(m)->n_encaps - 1u, &sum);
    if (UNLIKELY(!m)) {
        return;
    }
    size = m->pkt_len - front_len(m);
    if (t->head
        && (size > t->gso_size || t->n == MAX_PIECES
            || t->head->pkt_len - outermost(m)->l3 + size > MAX_L3)) {
        send_train(e);
    }

    if (!t->head) {
        t->head = m;
        t->last = rte_pktmbuf_lastseg(m);
        t->n = 1;
        t->gso_size = (uint16_t) size;
    } else {
        t->last = hang_on(t->head, t->last, m);
        t->n++;
    }
    if (size < t->gso_size) {
        send_train(e);
    }
}

void
train_end(const struct egress *e)
{
    if (e->train->head) {
        send_train(e);
    }
}

/* Makes one super-packet of the pieces that hang behind 'm': lengths and the
 * sum that the vport goes on from. */
static void
finish_train(struct rte_mbuf *m, uint16_t gso_size, uint32_t seq)
{
    struct pkt_meta *md = pkt_meta(m);
    const struct pkt_encap *encap = outermost(m);

    tnl_finish(encap->ops, pkt_data(m) + encap->l3, pkt_data(m) + encap->l4,
               (uint32_t) (encap->inner - encap->l3), m->pkt_len - encap->l3,
               TNL_CSUM_PARTIAL, 0, encap->seq, seq);
    memset(&md->need, 0, sizeof md->need);
    md->need.csum = true;
    md->need.csum_start = encap->l4;
    md->need.csum_offset = offsetof(struct udp_hdr, csum);
    md->need.gso = gso_size ? PKT_GSO_USO : PKT_GSO_NONE;
    md->need.gso_size = gso_size;
}

/* A single piece is an ordinary packet. */
static void
send_train(const struct egress *e)
{
    struct train *t = e->train;
    struct rte_mbuf *m = t->head;
    const struct pkt_encap *encap = outermost(m);
    uint8_t *l3 = pkt_data(m) + encap->l3;
    uint32_t seq = egress_next_seq(encap, l3, t->n);

    if (t->n > 1) {
        finish_train(m, t->gso_size, seq);
        e->c->trains_tx++;
    } else if (encap->csum) {
        finish_train(m, 0, seq);
    } else {
        tnl_finish(encap->ops, l3, pkt_data(m) + encap->l4,
                   (uint32_t) (encap->inner - encap->l3),
                   m->pkt_len - encap->l3, TNL_CSUM_NONE, 0, encap->seq, seq);
        memset(&pkt_meta(m)->need, 0, sizeof pkt_meta(m)->need);
    }
    t->head = NULL;
    egress_tx(e, m);
}

/* Whether 'm' is one finished tunnel packet over UDP that may be part of a
 * train: over IPv4 with DF, so that its ID says nothing. */
static bool
is_piece(const struct rte_mbuf *m, const struct pkt_meta *md)
{
    const struct pkt_encap *encap = outermost(m);
    const struct ip4_hdr *ip = (const void *) (pkt_data(m) + encap->l3);

    return md->need.gso == PKT_GSO_NONE
           && encap->ops->ip_proto == IPPROTO_UDP
           && front_len(m) < m->data_len
           && (!md->need.csum || md->need.csum_start == encap->l4)
           && (ip->ver_ihl >> 4 == 6 || ip->frag == htons(IP4_DF));
}

/* Whether the two have the same UDP ports, and so may be of one conversation
 * whatever else differs (the ECN field of its pure ACKs does). */
static bool
have_same_ports(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
    return !memcmp(pkt_data(a) + outermost(a)->l4,
                   pkt_data(b) + outermost(b)->l4,
                   offsetof(struct udp_hdr, len));
}

/* Whether the two have the same outer headers but for lengths and sums. */
static bool
have_same_front(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
    const struct pkt_encap *x = outermost(a);
    const struct pkt_encap *y = outermost(b);
    const uint8_t *p = pkt_data(a);
    const uint8_t *q = pkt_data(b);
    const struct ip4_hdr *ip = (const void *) (p + x->l3);

    if (x->l3 != y->l3 || x->l4 != y->l4 || x->csum != y->csum
        || memcmp(p, q, x->l3)
        || memcmp(p + x->l4, q + x->l4, offsetof(struct udp_hdr, len))) {
        return false;
    }
    p += x->l3;
    q += x->l3;
    if (ip->ver_ihl >> 4 == 6) {
        size_t len = offsetof(struct ip6_hdr_wire, payload_len);
        size_t next = offsetof(struct ip6_hdr_wire, next);

        return !memcmp(p, q, len)
               && !memcmp(p + next, q + next,
                          (size_t) (x->l4 - x->l3) - next);
    }
    return !memcmp(p, q, offsetof(struct ip4_hdr, tot_len))
           && !memcmp(p + offsetof(struct ip4_hdr, frag),
                      q + offsetof(struct ip4_hdr, frag),
                      offsetof(struct ip4_hdr, csum)
                      - offsetof(struct ip4_hdr, frag))
           && !memcmp(p + offsetof(struct ip4_hdr, src),
                      q + offsetof(struct ip4_hdr, src), 8);
}

/* Hangs 'm' without its front behind 'head'; returns its last buffer. */
static struct rte_mbuf *
hang_on(struct rte_mbuf *head, struct rte_mbuf *tail, struct rte_mbuf *m)
{
    uint32_t front = front_len(m);
    struct rte_mbuf *last = rte_pktmbuf_lastseg(m);

    head->pkt_len += m->pkt_len - front;
    head->nb_segs = (uint16_t) (head->nb_segs + m->nb_segs);
    m->data_off = (uint16_t) (m->data_off + front);
    m->data_len = (uint16_t) (m->data_len - front);
    tail->next = m;
    return last;
}

bool
train_merge(struct vport *out, struct vport_pmd *vp, struct rte_mbuf *m)
{
    uint32_t caps = atomic_load_explicit(&out->caps, memory_order_relaxed);
    uint32_t size = m->pkt_len - front_len(m);

    if (!can_pull(caps)) {
        return false;
    }
    if (!is_piece(m, pkt_meta(m))) {
        /* It may be of a row that is open: nothing may pass it. */
        for (unsigned int i = 0; i < vp->n_trains; i++) {
            vp->trains[i].closed = true;
        }
        return false;
    }
    for (unsigned int i = vp->n_trains; i-- > 0;) {
        struct train_slot *slot = &vp->trains[i];
        struct rte_mbuf *head = vp->tx[slot->index];

        if (!have_same_front(head, m)) {
            /* What comes after 'm' must not be put before it. */
            slot->closed |= have_same_ports(head, m);
            continue;
        }
        if (slot->closed || size > slot->gso_size || slot->n == MAX_PIECES
            || (uint32_t) head->nb_segs + m->nb_segs > MAX_LINKS
            || head->pkt_len - outermost(head)->l3 + size > MAX_L3) {
            slot->closed = true;
            break;
        }
        slot->tail = hang_on(head, slot->tail, m);
        slot->n++;
        slot->closed = size < slot->gso_size;
        return true;
    }
    if (vp->n_trains < TRAIN_SLOTS) {
        vp->trains[vp->n_trains++] = (struct train_slot) {
            .tail = rte_pktmbuf_lastseg(m), .index = vp->n_tx,
            .gso_size = (uint16_t) size, .n = 1,
        };
    }
    return false;
}

void
train_flush(struct vport_pmd *vp)
{
    for (unsigned int i = 0; i < vp->n_trains; i++) {
        const struct train_slot *slot = &vp->trains[i];

        if (slot->n > 1) {
            finish_train(vp->tx[slot->index], slot->gso_size, 0);
            vp->c.trains_tx++;
        }
    }
    vp->n_trains = 0;
}
