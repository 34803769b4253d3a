/* SPDX-License-Identifier: Apache-2.0 */

/* running.h - what the switch does at present: bridges with their MAC tables,
 * interfaces with their vports.
 *
 * Written by apply*.c alone; report*.c and commands*.c read.  MAIN. */

#ifndef QANAT_RUNNING_H
#define QANAT_RUNNING_H 1

#include <stdbool.h>
#include <stdint.h>

#include "datapath/vport.h"
#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "vswitchd/config.h"
#include "vswitchd/ofports.h"

struct mac_table;
struct underlay;

struct run_bridge {
    struct hmap_node node;      /* In running.bridges, by name. */
    char *name;
    struct cfg_bridge *cfg;     /* In running.config. */
    struct mac_table *macs;
    struct ofports ofports;
    uint8_t mac[6];             /* Of its own port. */
};

/* One for each interface that is desired and makes sense (its cfg has no
 * error), open or not. */
struct run_iface {
    struct hmap_node node;      /* In running.ifaces, by name. */
    char *name;
    struct run_bridge *bridge;
    struct cfg_iface *cfg;      /* In running.config. */
    uint32_t ofport;            /* 0: there was none left. */

    /* The datapath's port; NULL: not open, and 'error' says why. */
    struct vport *vport;
    struct vport_cfg opened;    /* What it was opened or tried with. */
    bool tried;                 /* 'opened' is valid. */
    char *error;
    char *warning;              /* Open, but a change was refused. */
    uint64_t link_seq;          /* Of its device when it was last looked at;
                                 * 0: there was none. */
    int ifindex;                /* Of its device while open, or 0. */
    int link_up;                /* CFG_DPDK: as it was last polled. */
    bool is_closing;            /* Left out of the next pipeline. */

    struct underlay *underlay;  /* CFG_TUNNEL with one remote end. */
    struct tnl_cfg way;         /* What 'underlay' was made for. */
};

struct running {
    struct config *config;
    struct hmap bridges;
    struct hmap ifaces;

    /* The host underlay's port, which is in no database. */
    struct vport *hostip;
    struct strset hostip_wanted;        /* "gre", or a UDP port. */
    struct strset hostip_open;          /* Those of them that are open. */
    struct smap hostip_errors;          /* Why the others are not. */
};

extern struct running running;

struct run_bridge *running_find_bridge(const char *name);
struct run_iface *running_find_iface(const char *name);

/* The interface with this datapath port, or NULL. */
struct run_iface *running_find_port(uint32_t port_no);

/* In order of their names: an array that the caller frees. */
struct run_bridge **running_sort_bridges(size_t *n);

/* The same; of one bridge, or of all where it is NULL. */
struct run_iface **running_sort_ifaces(const struct run_bridge *, size_t *n);

/* Why the interface does not work, or NULL.  A port with a complaint is open
 * all the same; see running_get_warning(). */
const char *running_get_error(const struct run_iface *);
const char *running_get_warning(const struct run_iface *);

#endif /* running.h */
