/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-port.h - making and deleting ports, for the commands that do.
 *
 * One thread.
 */
#ifndef QANAT_VSCTL_PORT_H
#define QANAT_VSCTL_PORT_H 1

#include "utilities/qanat-vsctl-topology.h"

/* Checks that a new bridge, port or interface ('what') can be called 'name';
 * records an error otherwise. */
bool port_check_unused(struct vsctl_ctx *, const char *name,
                       const char *what);

/* Makes a port with 'n' interfaces on the bridge. */
struct view_row *port_insert(struct vsctl_ctx *, const struct topo_bridge *,
                             const char *name, char *const iface_names[],
                             int n);

/* Deletes a port and its interfaces. */
void port_delete(struct vsctl_ctx *, const struct topo_port *);

#endif /* QANAT_VSCTL_PORT_H */
