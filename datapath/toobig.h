/* SPDX-License-Identifier: Apache-2.0 */

/* toobig.h - tells a sender that its packet was too big for the way.
 *
 * ICMP "fragmentation needed and DF set" (RFC 792, RFC 1191) and ICMPv6
 * "packet too big" (RFC 4443, 3.2), with the exact MTU.
 *
 * The answer takes the way of any packet that comes from beyond: it goes round
 * again (pmd_recirculate) as if it had come in on the port that the packet was
 * to leave by, the tunnel's port when there is one, from the MAC and IP
 * addresses that the packet was sent to.  So whatever translation does to
 * traffic of that direction (VLAN tags of access and trunk ports, patch ports,
 * a tunnel that the sender is behind, where no device could be written to) is
 * done to it, and no second truth about tags is kept in the metadata. */

#ifndef QANAT_TOOBIG_H
#define QANAT_TOOBIG_H 1

#include "datapath/egress.h"
#include "datapath/l3.h"

/* Answers each vport's packets at most so often in each PMD thread: a burst,
 * then so many a second. */
#define TOOBIG_BURST 32u
#define TOOBIG_PER_S 256u

/* PMD.  Answers 'm', an IP packet longer than e->room, unless it is one that
 * must not be answered (RFC 1122, 3.2.2; RFC 4443, 2.4), its tunnel is told
 * not to (icmp_too_big), or too many were.  'm' stays the caller's. */
void toobig_answer(const struct egress *, const struct rte_mbuf *m,
                   const struct l3_view *v);

#endif /* toobig.h */
