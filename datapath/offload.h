/* SPDX-License-Identifier: Apache-2.0 */

/* offload.h - the one place, at egress, once, that compares what a packet still
 * needs with what the vport can do, and does the rest in software.
 *
 * PMD threads. */

#ifndef QANAT_OFFLOAD_H
#define QANAT_OFFLOAD_H 1

#include "datapath/vport.h"

/* Consumes 'm' and hands what may leave to pmd_tx() of 'out': the packet as it
 * is, or its segments, or fragments.  Finishes all encapsulations
 * (tnl_finish), checksums that 'out' cannot do, and answers what is too big by
 * ICMP.  Path MTU is min(out->mtu, each encapsulation's path_mtu).
 *
 *   - TCP (GSO or plain) is cut so that each segment fits;
 *   - USO is cut into its datagrams; a datagram that does not fit is treated as
 *     a plain one;
 *   - UFO is cut into fragments of the innermost datagram;
 *   - other IPv4 without DF is fragmented (innermost); with DF, and IPv6, is
 *     answered by ICMP "fragmentation needed" / ICMPv6 "packet too big" and
 *     dropped as DROP_TOO_BIG.
 *   - An outer packet is never fragmented. */
void offload_send(struct pmd *, struct vport *out, struct rte_mbuf *m);

#endif /* offload.h */
