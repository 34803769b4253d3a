/* SPDX-License-Identifier: Apache-2.0 */

/* ipfrag.h - cuts the innermost datagram into IP fragments: UFO, and IPv4
 * without DF that does not fit.  An outer packet is never cut. */

#ifndef QANAT_IPFRAG_H
#define QANAT_IPFRAG_H 1

#include "datapath/egress.h"
#include "datapath/l3.h"

/* PMD.  Consumes 'm', whose L4 checksum is complete, and sends fragments that
 * fit e->room, with at most 'max_size' bytes of IP payload (a multiple of 8;
 * 0: as many as fit).  All have the datagram's ID, or for IPv6 one made up.
 *
 * An IPv4 packet that is a fragment already goes on from its own offset and
 * keeps its MF flag on its last.  DF is cleared, as the kernel does for UFO:
 * whoever asks for fragments allows them.  Options: RFC 791, 3.1 (the first
 * fragment has all, the others those with the "copied" flag).  IPv6: RFC 8200,
 * 4.5; 'm' must not be a fragment. */
void ipfrag_cut(const struct egress *, struct rte_mbuf *m,
                const struct l3_view *v, uint32_t max_size);

#endif /* ipfrag.h */
