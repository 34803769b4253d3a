/* SPDX-License-Identifier: Apache-2.0 */

/* apply_private.h - what the files apply*.c share. */

#ifndef QANAT_APPLY_PRIVATE_H
#define QANAT_APPLY_PRIVATE_H 1

#include "vswitchd/running.h"

struct in6_addr;

/* -- apply_iface.c: one interface's port -- */

/* What the interface's port is to be opened with now. */
void apply_make_vport_cfg(const struct run_iface *, struct vport_cfg *);
void apply_free_vport_cfg(struct vport_cfg *);

/* Opens the port, or updates it where something of its own has changed; 'may'
 * allows to try again what failed before. */
void apply_open_iface(struct run_iface *, bool may_retry);

/* Closes it, after the pipeline without it was published. */
void apply_close_iface(struct run_iface *);

/* Looks at the device behind the port.  Returns false if it is gone or is
 * another one. */
bool apply_check_device(struct run_iface *);

/* The address that a bridge's own port is to have. */
void apply_choose_mac(const struct run_bridge *, uint8_t mac[6]);

/* Sets (and logs, where it is new) why the interface is not open.  Takes over
 * 'error'. */
void apply_set_error(struct run_iface *, char *error);

/* -- apply_tunnel.c: tunnels' ways, and the host underlay -- */

/* Finds tunnels that would claim the same packets, and fails all but one. */
void apply_refuse_conflicts(struct config *);

/* Makes or renews the underlays of open tunnels. */
void apply_underlays(void);

/* Destroys what apply_underlays() replaced, after a pipeline without it was
 * published. */
void apply_drop_old_underlays(void);
void apply_retire_underlay(struct run_iface *);

/* Whether the interface may send or receive through the host's stack. */
bool apply_needs_hostip(const struct run_iface *);

/* Opens or changes the host underlay's port as the tunnels need it.  'retry'
 * tries again after an error although nothing has changed.  Returns true if
 * its port or its error has changed. */
bool apply_hostip(bool retry);

/* Closes it if no tunnel needs it, after a pipeline without it. */
void apply_close_unused_hostip(void);
bool apply_is_hostip_needed(void);

/* Why the host's stack is of no use to the interface, or NULL. */
const char *apply_get_hostip_error(const struct run_iface *);

/* -- apply_pipeline.c -- */

/* Builds the pipeline from what runs, and publishes it if it is another one
 * than before. */
void apply_publish(void);
void apply_forget_published(void);

#endif /* apply_private.h */
