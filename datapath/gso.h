/* SPDX-License-Identifier: Apache-2.0 */

/* gso.h - cuts what lies behind a TCP or UDP header into packets of its own:
 * super-packets that the vport does not take, and TCP that is too big. */

#ifndef QANAT_GSO_H
#define QANAT_GSO_H 1

#include "datapath/egress.h"
#include "datapath/l3.h"

/* The largest payload of a TCP or UDP packet like 'm' that fits e->room; 0
 * when not even the headers do.  PMD. */
uint32_t gso_max_payload(const struct egress *, const struct rte_mbuf *);

/* PMD.  Consumes 'm', a TCP or UDP packet (v->proto), not a fragment, and
 * emits packets of at most 'size' bytes of payload that are complete but for
 * their encapsulations and, where the vport is to do it, the checksum.
 *
 * As the kernel does it: the IPv4 ID grows by one with each packet; CWR stays
 * on the first alone, FIN and PSH on the last.  A checksum that was wrong, of
 * a TCP packet that came without a checksum request, is wrong in every
 * packet. */
void gso_cut(const struct egress *, struct rte_mbuf *m,
             const struct l3_view *v, uint32_t size, egress_emit_fn *);

#endif /* gso.h */
