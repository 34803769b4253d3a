/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-order.h - the order in which rows are listed.
 *
 * A database has no order of rows, and ovs-vsctl lists them as its hash
 * tables happen to yield them.  People compare outputs, and scripts take the
 * first line; so a list of ours comes in the same order.
 */
#ifndef QANAT_VSCTL_ORDER_H
#define QANAT_VSCTL_ORDER_H 1

#include "utilities/qanat-vsctl-view.h"

/* Arranges the rows just loaded from 'table_updates' in the order in which
 * ovs-vsctl of Open vSwitch 3.1, built without special CPU instructions,
 * lists the same rows from the same answer of the server. */
void order_rows(struct view *, const json_t *table_updates);

#endif /* QANAT_VSCTL_ORDER_H */
