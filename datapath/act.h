/* SPDX-License-Identifier: Apache-2.0 */

/* act.h - fifth stage: does a flow's actions to its packets. */

#ifndef QANAT_ACT_H
#define QANAT_ACT_H 1

#include "datapath/pmd.h"
#include "lib/flow/action.h"

/* PMD.  Does the list to each of 'n' (at most PKT_BURST) packets, which it
 * consumes; keys[i] is the key of pkts[i].  The arrays are scratch
 * afterwards. */
void act_execute(struct pmd *, const void *actions, uint32_t len,
                 struct rte_mbuf **pkts, const struct flow_key **keys,
                 unsigned int n);

#endif /* act.h */
