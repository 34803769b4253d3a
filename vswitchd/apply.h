/* SPDX-License-Identifier: Apache-2.0 */

/* apply.h - makes the switch do what a configuration says, by the smallest set
 * of operations.
 *
 * The order within one change is always: the pipeline without what goes is
 * published, then ports are closed; ports are opened, then the pipeline with
 * them is published.  So no packet ever finds a number that means another
 * port.  MAIN. */

#ifndef QANAT_APPLY_H
#define QANAT_APPLY_H 1

#include <stdbool.h>

struct config;

/* Takes over 'config', which is checked, and makes it the running one. */
void apply_config(struct config *);

/* Something outside has changed: links, addresses, routes, next hops. */
void apply_environment(void);

/* What failed for a reason that nobody tells the end of (a UDP port in use)
 * is tried again.  Called every few seconds.  Returns true if something
 * changed. */
bool apply_retry(void);

/* Closes everything. */
void apply_clear(void);

#endif /* apply.h */
