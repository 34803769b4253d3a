/* SPDX-License-Identifier: Apache-2.0 */

/* act_set.h - writes header fields, checksums following. */

#ifndef QANAT_ACT_SET_H
#define QANAT_ACT_SET_H 1

#include "datapath/pkt.h"
#include "lib/flow/action.h"

/* PMD.  Writes the bits that '*set' tells in the innermost parsed frame of
 * 'm', of which 'key' is the key.  A field that the packet does not have is
 * left alone.  L3 and L4 checksums are kept right, also partial ones, and of a
 * super-packet.  Returns the packet (maybe another mbuf), or NULL without
 * memory, and then '*m' is freed. */
struct rte_mbuf *act_set(struct rte_mbuf *m, const struct action_set *set,
                         const struct flow_key *key);

#endif /* act_set.h */
