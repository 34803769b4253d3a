/* SPDX-License-Identifier: Apache-2.0 */

/* pop.h - takes the outer headers of a tunnel packet away and sends what is
 * inside round again, as coming in on the tunnel's port. */

#ifndef QANAT_POP_H
#define QANAT_POP_H 1

#include "datapath/pmd.h"

/* PMD.  Consumes 'm', whose outer headers 'key' describes. */
void pop_tunnel(struct pmd *, struct rte_mbuf *m, const struct flow_key *key,
                tnl_type);

/* PMD.  After the inner frame was parsed: what the outer ECN field says about
 * it (RFC 6040).  Returns the packet, or NULL when it had to be dropped. */
struct rte_mbuf *pop_inherit_ecn(struct pmd *, struct rte_mbuf *m,
                                 struct flow_key *inner);

/* MAIN.  Publishes the table of tunnel ports; returns the old one, which may
 * be destroyed after dp_synchronize(). */
struct tnl_map *pop_set_tnl_map(struct tnl_map *);

#endif /* pop.h */
