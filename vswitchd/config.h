/* SPDX-License-Identifier: Apache-2.0 */

/* config.h - what the database asks for: a plain value.
 *
 * config_read() copies the rows; config_check() judges them and fills in what
 * follows from them.  After that nothing here refers to the database, so that
 * a configuration can be kept, compared and tested without one.  A fault is a
 * sentence in the interface that it concerns (cfg_iface.error: it is not set
 * up; cfg_iface.warning: it is, but not all of it works) and never keeps
 * others from being set up.  Sentences end without a full stop, for ovs-vsctl
 * goes on behind them.
 *
 * MAIN. */

#ifndef QANAT_CONFIG_H
#define QANAT_CONFIG_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/smap.h"
#include "lib/base/strset.h"
#include "lib/ovsdb/uuid.h"
#include "lib/tnl/tnl.h"
#include "vswitchd/pipeline.h"

struct ovsdb;

#define VLAN_BITMAP_WORDS (4096 / 64)

/* Numbers that ofport_request may ask for. */
#define OFPORT_MAX 65279u

enum cfg_kind {
    CFG_SYSTEM,                 /* A device of the host's. */
    CFG_INTERNAL,               /* A device that we make. */
    CFG_DPDK,                   /* A device that the kernel does not know. */
    CFG_TUNNEL,
    CFG_PATCH,
};

/* A Port row's VLAN columns. */
struct cfg_vlan {
    /* As read. */
    char *mode;                 /* NULL: not set. */
    bool has_tag;
    int64_t tag;
    uint64_t *trunks;           /* VLAN_BITMAP_WORDS, or NULL: all. */
    bool has_cvlans;

    /* As meant. */
    enum vlan_mode vlan_mode;
    uint16_t vid;               /* Access or native VLAN, else 0. */
};

/* An Interface row with the Port row that holds it. */
struct cfg_iface {
    /* As read. */
    struct uuid uuid;     /* Zero: a local port without a row. */
    struct uuid port_uuid;
    char *name;
    char *type;
    char *port_name;
    struct smap options;
    int64_t mtu_request;        /* 0: none. */
    int64_t ofport_request;     /* 0: none. */
    int64_t ofport_old;         /* The ofport column, 0: none. */
    char *mac_text;             /* NULL: none. */
    size_t n_siblings;          /* Interfaces of the port. */
    bool has_qos, has_policing;
    struct cfg_vlan vlan;

    /* As meant. */
    bool is_local;              /* The bridge's own port. */
    enum cfg_kind kind;
    const char *class;          /* Of the datapath: a constant. */
    bool has_mac;
    uint8_t mac[6];
    struct tnl_cfg tnl;         /* CFG_TUNNEL. */
    char *peer;                 /* CFG_PATCH. */
    char *error;
    char *warning;
};

struct cfg_bridge {
    /* As read. */
    struct uuid uuid;
    char *name;
    char *datapath_type;
    struct smap other_config;
    uint64_t *flood_vlans;      /* VLAN_BITMAP_WORDS, or NULL: none. */
    struct strset unsupported;  /* Columns in use that are not supported. */
    struct cfg_iface **ifaces;
    size_t n_ifaces, ifaces_room;

    /* As meant. */
    bool has_hwaddr;
    uint8_t hwaddr[6];
    bool has_dpid;
    uint64_t dpid;
    size_t mac_table_size;
    unsigned int mac_aging_s;
    bool forward_bpdu;
    char *error;                /* It is not set up. */
    char *warning;              /* Told at its own port. */
};

/* The Open_vSwitch row. */
struct cfg_global {
    bool has_row;
    struct uuid uuid;
    int64_t next_cfg;
    struct smap other_config;

    unsigned int max_idle_ms;
    unsigned int stats_interval_ms;
};

struct config {
    struct cfg_global global;
    struct cfg_bridge **bridges;
    size_t n_bridges, bridges_room;

    /* What deserves a line in the log; the reader says each once. */
    struct strset notes;
};

/* Names the columns that config_read() wants replicated. */
void config_add_columns(struct ovsdb *);

/* Copies what the database holds now.  Never NULL. */
struct config *config_read(const struct ovsdb *);

struct config *config_create(void);
void config_destroy(struct config *);

/* For whoever makes one by hand: empty elements, owned by their parent. */
struct cfg_bridge *config_add_bridge(struct config *, const char *name);
struct cfg_iface *config_add_iface(struct cfg_bridge *, const char *name,
                                   const char *type);

/* Judges the whole: each row by itself, then what must fit together (names,
 * patch peers).  Adds local ports that have no row.  Sorts by name. */
void config_check(struct config *);

/* Parts of it, each for one row. */
void config_check_global(struct cfg_global *, struct strset *notes);
void config_check_bridge(struct cfg_bridge *, struct strset *notes);
void config_check_iface(const struct cfg_bridge *, struct cfg_iface *,
                        struct strset *notes);

/* Sets 'iface->error' or '->warning', unless there is one already.  Takes
 * over 'sentence'. */
void config_fail(struct cfg_iface *, char *sentence);
void config_warn(struct cfg_iface *, char *sentence);

/* Adds a line, printf-like, to 'notes'. */
void config_note(struct strset *notes, const char *format, ...)
    PRINTF_FORMAT(2, 3);

/* A unicast MAC address that is not zero: "aa:bb:cc:dd:ee:ff". */
bool config_parse_mac(const char *, uint8_t mac[6]);

/* An address of our own making for what has the name 'uuid': always the same,
 * locally administered. */
void config_stable_mac(const struct uuid *uuid, uint8_t mac[6]);

/* Whether two VLAN settings mean the same. */
bool config_vlan_equal(const struct cfg_vlan *, const struct cfg_vlan *);

#endif /* config.h */
