/* SPDX-License-Identifier: Apache-2.0 */

/* gro.h - puts neighbouring TCP segments of one stream together again, in the
 * send buffer of a vport that takes super-packets.
 *
 * Only what could be cut back into the very same segments is merged; nothing
 * is held beyond the flush that ends each burst.  PMD threads. */

#ifndef QANAT_GRO_H
#define QANAT_GRO_H 1

#include "datapath/vport.h"

/* Appends 'm' to a packet that already waits in the send buffer 'vp' of 'out',
 * and returns NULL (also when it had to be dropped for want of memory).  Else
 * returns the packet, which the caller puts into vp->tx[vp->n_tx]; there later
 * segments may be appended to it. */
struct rte_mbuf *gro_merge(struct pmd *, struct vport *out,
                           struct vport_pmd *vp, struct rte_mbuf *m);

/* Writes lengths and needs of what was put together, before the buffer is
 * sent. */
void gro_flush(struct vport_pmd *vp);

/* The same for the 'n' packets of a burst on their way into the tunnel
 * 'vport': they have to be cut to fit there, and better as one stream than
 * each for itself.  Returns how many there are then. */
unsigned int gro_burst(struct pmd *, struct vport *, struct rte_mbuf **pkts,
                       const struct flow_key **keys, unsigned int n);

#endif /* gro.h */
