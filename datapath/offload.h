/* SPDX-License-Identifier: Apache-2.0 */

/* offload.h - the one place, at egress, once, that compares what a packet
 * still needs with what the vport can do, and does the rest in software.
 *
 * PMD threads. */

#ifndef QANAT_OFFLOAD_H
#define QANAT_OFFLOAD_H 1

#include "datapath/vport.h"

/* Consumes 'm' and hands what may leave to pmd_tx() of 'out': the packet as it
 * is, or its segments, or fragments.  Finishes all encapsulations
 * (tnl_finish), checksums that 'out' cannot do, and answers what is too big by
 * ICMP.
 *
 * What has to fit is the L3 packet, without Ethernet header and VLAN tags:
 * into out->mtu from the outermost IP header on, and into each encapsulation's
 * path_mtu from its own.  What that leaves to the innermost L3 packet is the
 * MTU for its sender.
 *
 *   - A super-packet that the vport takes whole stays whole; the gso_size of
 *     TCP and UFO is made smaller where it would not fit.
 *   - TCP (GSO or plain, but for SYN, RST, URG) is cut so that each segment
 *     fits;
 *   - USO is cut into its datagrams; a datagram that does not fit is treated
 *     as a plain one (where fragments are not allowed the whole super-packet
 *     is: one answer, one drop);
 *   - UFO is cut into fragments of the innermost datagram;
 *   - other IPv4 without DF is fragmented (innermost); with DF, and IPv6, is
 *     answered by ICMP "fragmentation needed" / ICMPv6 "packet too big" and
 *     dropped as DROP_TOO_BIG.
 *   - An outer packet is never fragmented.
 *
 * On whatever leaves, md->need says what the vport still has to do. */
void offload_send(struct pmd *, struct vport *out, struct rte_mbuf *m);

#endif /* offload.h */
