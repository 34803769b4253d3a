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

struct egress;
struct train;

/* The Internet checksum's sum over the frame at inner_start, when the maker of
 * a packet has it anyway. */
struct egress_sum {
    bool known;
    uint32_t sum;
};

/* Takes one packet made out of a bigger one: it fits, and is complete but for
 * its encapsulations and what 'need' still says, which is covered by the vport
 * and has no encapsulation around it. */
typedef void egress_emit_fn(const struct egress *, struct rte_mbuf *,
                            struct egress_sum);

/* Of the packet at hand, constant while it is cut. */
struct egress {
    struct pmd *pmd;
    struct vport *out;
    struct vport_counters *c;
    uint32_t caps;              /* enum vport_cap */
    uint32_t room;              /* Bytes that the innermost L3 packet may have:
                                 * the MTU that its sender should know. */
    egress_emit_fn *emit;       /* egress_finish(), or train_add(). */
    struct train *train;        /* Where train_add() gathers. */
};

/* Completes all encapsulations and hands the packet to pmd_tx(). */
egress_emit_fn egress_finish;

/* Completes the 'n' innermost encapsulations, from the inside out.  '*sum' is
 * then that of the frame within the next.  Returns the packet, maybe another
 * mbuf, with all its outer headers fit to be written and no 'need'; NULL
 * without memory, and then it is gone and counted. */
struct rte_mbuf *egress_encapsulate(const struct egress *, struct rte_mbuf *,
                                    unsigned int n, struct egress_sum *sum);

/* The number that tnl_finish() wants for a packet, the first of 'n', with the
 * encapsulation 'encap' and its outer IP header at 'l3'. */
uint32_t egress_next_seq(const struct pkt_encap *encap, const uint8_t *l3,
                         uint32_t n);

/* Hands over a packet that is complete. */
void egress_tx(const struct egress *, struct rte_mbuf *);

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
