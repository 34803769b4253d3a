/* SPDX-License-Identifier: Apache-2.0 */

/* pipeline.h - what translation reads: bridges and their ports, immutable.
 *
 * MAIN builds a new pipeline from the running configuration after each change,
 * publishes it and frees the old one when no PMD thread can see it.  PMD
 * threads read it in upcalls.  What changes by itself (MAC tables, a tunnel's
 * way) is reached through pointers to objects with locks or RCU of their own,
 * which outlive every pipeline that names them. */

#ifndef QANAT_PIPELINE_H
#define QANAT_PIPELINE_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/tnl/tnl_map.h"

struct mac_table;
struct underlay;

#define OFPORT_LOCAL 65534u     /* A bridge's own port. */

enum vlan_mode {
    VLAN_ACCESS,
    VLAN_TRUNK,
    VLAN_NATIVE_TAGGED,
    VLAN_NATIVE_UNTAGGED,
};

enum pl_port_kind {
    PL_DEVICE,                  /* Output to a vport of the datapath. */
    PL_TUNNEL,                  /* tnl_push, then its underlay. */
    PL_PATCH,                   /* Input on the peer. */
};

struct pl_port {
    struct pl_bridge *bridge;
    const char *name;           /* Owned by the pipeline. */
    enum pl_port_kind kind;
    uint32_t ofport;            /* Within the bridge. */
    uint32_t dp_port;           /* In the datapath.  A patch port has a number
                                 * too (reserved, no vport), so that numbers
                                 * are unique. */
    bool is_internal;           /* A tap: tunnels may end here. */
    uint8_t mac[6];             /* Of an internal port's device. */
    const struct in6_addr *addrs;   /* What the host takes that comes in
                                     * there for; IPv4 mapped. */
    size_t n_addrs;

    enum vlan_mode vlan_mode;
    uint16_t tag;               /* Access or native VLAN, 0 without. */
    const uint64_t *trunks;     /* 4096 bits; NULL: all VLANs. */

    struct pl_port *peer;       /* PL_PATCH; NULL while there is none. */

    const struct tnl_cfg *tnl;  /* PL_TUNNEL. */
    struct underlay *underlay;
};

struct pl_bridge {
    const char *name;
    struct pl_port *ports;
    size_t n_ports;
    struct mac_table *macs;
    bool forward_bpdu;
    const uint64_t *flood_vlans;    /* 4096 bits; NULL: none.  VLANs in which
                                     * nothing is learned. */
    struct pl_port **by_ofport;     /* The ports, sorted; made by
                                     * pipeline_publish(). */
};

struct pipeline {
    struct pl_bridge *bridges;
    size_t n_bridges;
    struct tnl_map *tnl_map;        /* Shared with the datapath, owned by it:
                                     * both are published together. */
    uint32_t hostip_port;           /* The host underlay's vport or NONE. */
    struct pl_port **by_dp_port;    /* Index: datapath port number. */
    size_t n_by_dp_port;
};

/* MAIN.  An empty pipeline is published before the first. */
void pipeline_init(void);

/* MAIN.  Publishes 'pl' (takes ownership), tells the datapath that all flows
 * are to be translated again, waits until the old one is out of use and frees
 * it (with everything it owns: see pipeline_free()). */
void pipeline_publish(struct pipeline *pl);

/* PMD in an upcall, or MAIN. */
const struct pipeline *pipeline_get(void);

/* Frees arrays, names, trunks, addresses and tunnel configurations; not MAC
 * tables, underlays or the tunnel map. */
void pipeline_free(struct pipeline *);

/* The port with this datapath number, or NULL. */
static inline struct pl_port *
pipeline_port(const struct pipeline *pl, uint32_t dp_port)
{
    return dp_port < pl->n_by_dp_port ? pl->by_dp_port[dp_port] : NULL;
}

/* The port of a bridge of a published pipeline with this OpenFlow number, or
 * NULL. */
struct pl_port *pl_bridge_port(const struct pl_bridge *, uint32_t ofport);

#endif /* pipeline.h */
