/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-topology.h - bridges, ports and interfaces as people think of
 * them: each with a name, each in another, and with the "fake bridges" that a
 * VLAN of a bridge may be shown as.
 *
 * It is a value made of the view's present state; whoever changes the view
 * forgets it.  One thread.
 */
#ifndef QANAT_VSCTL_TOPOLOGY_H
#define QANAT_VSCTL_TOPOLOGY_H 1

#include "utilities/qanat-vsctl.h"

/* A bridge.  A fake bridge has a parent, and is made by a port of the parent
 * that has its name and VLAN. */
struct topo_bridge {
    const char *name;
    struct view_row *row;       /* Of the parent, for a fake bridge. */
    struct view_row *fake_port; /* NULL for a real bridge. */
    struct topo_bridge *parent; /* NULL for a real bridge. */
    int vlan;                   /* 0 for a real bridge. */
};

/* The local port of a bridge, real or fake, is among the ports. */
struct topo_port {
    const char *name;
    struct view_row *row;
    struct topo_bridge *bridge; /* Which it belongs to. */
};

struct topo_iface {
    const char *name;
    struct view_row *row;
    struct topo_port *port;
};

/* Each array is sorted by name. */
struct topology {
    struct topo_bridge **bridges;
    size_t n_bridges;
    struct topo_port **ports;
    size_t n_ports;
    struct topo_iface **ifaces;
    size_t n_ifaces;
};

/* Names for loading what a topology is made of. */
void topology_prepare(struct vsctl_ctx *);

/* The topology of the present state; the context keeps it.  From now on the
 * changes of this run depend on it. */
const struct topology *topology_get(struct vsctl_ctx *);

/* Makes the context forget the topology, after a change. */
void topology_forget(struct vsctl_ctx *);

/* What has the name, or NULL.  The _get forms record an error then. */
struct topo_bridge *topology_find_bridge(struct vsctl_ctx *,
                                         const char *name);
struct topo_bridge *topology_get_bridge(struct vsctl_ctx *,
                                        const char *name);
struct topo_bridge *topology_get_real_bridge(struct vsctl_ctx *,
                                             const char *name);
struct topo_port *topology_find_port(struct vsctl_ctx *, const char *name);
struct topo_port *topology_get_port(struct vsctl_ctx *, const char *name);
struct topo_iface *topology_find_iface(struct vsctl_ctx *, const char *name);
struct topo_iface *topology_get_iface(struct vsctl_ctx *, const char *name);

/* True if the port is the one that its bridge, real or fake, is named
 * after. */
bool topology_is_local_port(const struct topo_port *);

#endif /* QANAT_VSCTL_TOPOLOGY_H */
