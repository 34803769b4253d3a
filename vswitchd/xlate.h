/* SPDX-License-Identifier: Apache-2.0 */

/* xlate.h - translation: from a flow key to actions and the mask of what was
 * looked at.  Begins with table 0 of the in-port's bridge, which today holds
 * one rule, NORMAL.
 *
 * Runs in PMD threads (upcall) and in MAIN (trace). */

#ifndef QANAT_XLATE_H
#define QANAT_XLATE_H 1

#include "datapath/dp.h"

struct str;

/* The datapath's upcall. */
void xlate_upcall(const struct flow_key *, struct dp_upcall *);

/* The same without learning, telling each step in words. */
void xlate_trace(const struct flow_key *, struct dp_upcall *, struct str *);

#endif /* xlate.h */
