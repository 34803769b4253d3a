/* SPDX-License-Identifier: Apache-2.0 */

/* egress.h - what the parts of the offload stage share: one packet's egress,
 * and the last step of whatever leaves.
 *
 * offload.c decides; gso.c and ipfrag.c make smaller packets; each of those
 * ends here.  PMD threads. */

#ifndef QANAT_EGRESS_H
#define QANAT_EGRESS_H 1

#include "datapath/pkt.h"
#include "datapath/pmd.h"

/* Of the packet at hand, constant while it is cut. */
struct egress {
    struct pmd *pmd;
    struct vport *out;
    struct vport_counters *c;
    uint32_t caps;              /* enum vport_cap */
    uint32_t room;              /* Bytes that the innermost L3 packet may have:
                                 * the MTU that its sender should know. */
};

/* The Internet checksum's sum over the frame at inner_start, when the maker of
 * a packet has it anyway. */
struct egress_sum {
    bool known;
    uint32_t sum;
};

/* Takes one packet made out of a bigger one. */
typedef void egress_emit_fn(const struct egress *, struct rte_mbuf *,
                            struct egress_sum);

/* Completes all encapsulations from the inside out and hands the packet to
 * pmd_tx().  What 'need' still says must be covered by the vport and have no
 * encapsulation around it. */
egress_emit_fn egress_finish;

/* Whether somebody wants to know the sum of a packet like 'm'. */
bool egress_wants_sum(const struct rte_mbuf *);

/* Computes the checksum that the packet needs and writes it.  Returns the
 * packet, maybe another mbuf; NULL without memory, and then it is gone. */
struct rte_mbuf *egress_complete_csum(struct rte_mbuf *);

/* Whether the packet needs SCTP's CRC32c, of which virtio_net_hdr says no more
 * than a checksum field 8 bytes behind its start.  No vport makes it for
 * us. */
#define EGRESS_SCTP_CSUM_OFS 8

#endif /* egress.h */
