/* SPDX-License-Identifier: Apache-2.0 */

/* train.c - see train.h.
 *
 * Part of the offload stage, between the cutting and the port.  PMD threads.
 * Must never put a piece behind a shorter one: a cutter would take both for
 * one. */

#include "datapath/train.h"

#include <netinet/in.h>

#include "lib/pkt/wire.h"

/* As many datagrams as the kernel takes in one (UDP_MAX_SEGMENTS of old
 * ones). */
#define MAX_PIECES 64u

#define MAX_L3 65535u

static void send_train(const struct egress *);

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
    const uint32_t need = (VPORT_CAP_TRAIN | VPORT_CAP_USO | VPORT_CAP_CSUM
                           | VPORT_CAP_CHAIN);

    train->head = NULL;
    return (e->caps & need) == need && pkt_meta(m)->n_encaps
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
        t->n = 1;
        t->gso_size = (uint16_t) size;
    } else {
        uint32_t front = front_len(m);

        m->data_off = (uint16_t) (m->data_off + front);
        m->data_len = (uint16_t) (m->data_len - front);
        t->last->next = m;
        t->head->pkt_len += size;
        t->head->nb_segs = (uint16_t) (t->head->nb_segs + m->nb_segs);
        t->n++;
    }
    t->last = rte_pktmbuf_lastseg(m);
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

/* A single piece is an ordinary packet. */
static void
send_train(const struct egress *e)
{
    struct train *t = e->train;
    struct rte_mbuf *m = t->head;
    struct pkt_meta *md = pkt_meta(m);
    const struct pkt_encap *encap = outermost(m);
    uint8_t *l3 = pkt_data(m) + encap->l3;
    bool csum = encap->csum || t->n > 1;

    tnl_finish(encap->ops, l3, pkt_data(m) + encap->l4,
               (uint32_t) (encap->inner - encap->l3), m->pkt_len - encap->l3,
               csum ? TNL_CSUM_PARTIAL : TNL_CSUM_NONE, 0, encap->seq,
               egress_next_seq(encap, l3, t->n));
    memset(&md->need, 0, sizeof md->need);
    if (csum) {
        md->need.csum = true;
        md->need.csum_start = encap->l4;
        md->need.csum_offset = offsetof(struct udp_hdr, csum);
    }
    if (t->n > 1) {
        md->need.gso = PKT_GSO_USO;
        md->need.gso_size = t->gso_size;
        e->c->trains_tx++;
    }
    t->head = NULL;
    egress_tx(e, m);
}
