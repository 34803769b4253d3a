/* SPDX-License-Identifier: Apache-2.0 */

/* train.h - the encapsulated pieces of one packet, sent as ONE UDP
 * super-packet: the outer headers once, then piece behind piece from the
 * tunnel's own header on, each gso_size bytes long but the last.  The kernel
 * or a NIC cuts it, or a receiver of ours takes it whole.  One system call for
 * 64 kB.
 *
 * Only where the vport has VPORT_CAP_TRAIN, and the outermost tunnel goes over
 * UDP.  The outer UDP checksum is left to the vport (USO demands one), also
 * where the tunnel has none. */

#ifndef QANAT_TRAIN_H
#define QANAT_TRAIN_H 1

#include "datapath/egress.h"

/* A train under way. */
struct train {
    struct rte_mbuf *head;      /* NULL: none. */
    struct rte_mbuf *last;      /* Of the chain. */
    uint16_t n;
    uint16_t gso_size;          /* Of the first piece. */
};

/* Whether the pieces of 'm' may leave as a train; then '*train' is empty and
 * is for e->train, with train_add() for e->emit.  PMD. */
bool train_begin(struct train *train, const struct egress *,
                 const struct rte_mbuf *m);

/* Adds a piece.  Sends the train first when the piece does not fit behind it,
 * and afterwards when it is shorter than the others. */
egress_emit_fn train_add;

/* Sends what there is. */
void train_end(const struct egress *);

/* The same for packets that come one by one, in the send buffer 'vp' of 'out':
 * puts 'm' behind one with the same outer headers that waits there, and
 * returns true; or returns false, and then the caller puts 'm' into
 * vp->tx[vp->n_tx], where later ones may be put behind it.  Bounded by the
 * burst; no byte of what is inside changes.  PMD. */
bool train_merge(struct vport *out, struct vport_pmd *vp, struct rte_mbuf *m);

/* Completes what was put together, before the buffer is sent. */
void train_flush(struct vport_pmd *vp);

#endif /* train.h */
