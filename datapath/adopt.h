/* SPDX-License-Identifier: Apache-2.0 */

/* adopt.h - super-packets inside a tunnel that somebody else made.
 *
 * A guest's own vxlan device hands over an encapsulated packet whole: its
 * virtio-net header speaks of the inner TCP header, which the parser, looking
 * at the outer headers only, cannot confirm.  When the packet is not ours to
 * pop, the encapsulation is adopted as if we had put it there: the claim is
 * checked against the inner headers, and the offload stage cuts it like any
 * packet in a tunnel. */

#ifndef QANAT_ADOPT_H
#define QANAT_ADOPT_H 1

#include "datapath/pkt.h"
#include "lib/flow/action.h"

/* PMD.  'm' was parsed as 'key' and has a lie noted.  On success the metadata
 * describe the inner frame, one encapsulation around it and what it needs; the
 * lie is cleared.  False where no known tunnel explains the claim. */
bool adopt_tunnel(struct rte_mbuf *m, const struct flow_key *key);

/* PMD.  act_set() for a packet that was adopted: the key, and so the action,
 * is about the outer headers.  Returns the packet, maybe another mbuf; NULL
 * without memory, and then it is gone. */
struct rte_mbuf *adopt_set(struct rte_mbuf *m, const struct action_set *,
                           const struct flow_key *key);

#endif /* adopt.h */
