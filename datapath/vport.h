/* SPDX-License-Identifier: Apache-2.0 */

/* vport.h - what a port of the datapath is: one class each in vport_*.c.
 *
 * MAIN opens, updates and closes a vport.  PMD threads receive from the queues
 * that MAIN gave them and send to any.  A vport is closed only after every PMD
 * thread has let go of it (dp.c), so that PMD code needs no reference count.
 *
 * Error sentences are heap strings that the caller frees; NULL is success. */

#ifndef QANAT_VPORT_H
#define QANAT_VPORT_H 1

#include <net/if.h>
#include <rte_mbuf.h>
#include <stdatomic.h>

#include "datapath/drop.h"
#include "datapath/pkt.h"
#include "lib/base/smap.h"

struct pmd;
struct vport;

#define DP_MAX_PMDS 64
#define DP_MAX_PORTS 16384
#define VPORT_NAME_MAX 255

/* What egress may leave to the vport.  A frame whose 'need' is not covered is
 * finished in software by offload.c. */
enum vport_cap {
    VPORT_CAP_CSUM = 1 << 0,    /* Partial L4 checksums. */
    VPORT_CAP_TSO4 = 1 << 1,
    VPORT_CAP_TSO6 = 1 << 2,
    VPORT_CAP_ECN = 1 << 3,     /* TSO of packets with CWR. */
    VPORT_CAP_USO = 1 << 4,
    VPORT_CAP_UFO = 1 << 5,
    VPORT_CAP_CHAIN = 1 << 6,   /* Takes chained mbufs. */
    VPORT_CAP_ANY_SIZE = 1 << 7,/* No MTU of its own (a tunnel's host
                                 * underlay: the path MTU decides). */
    VPORT_CAP_TRAIN = 1 << 8,   /* With USO: encapsulated segments leave as one
                                 * UDP super-packet (train.h). */
    VPORT_CAP_ONE_TAG = 1 << 9, /* Not a skill: beside its MTU it has room for
                                 * one 802.1Q tag, other tags count. */
};

/* What is desired of a vport: a value. */
struct vport_cfg {
    char *name;
    char *type;                 /* Class: "system", "internal", "dpdk", "gre",
                                 * "vxlan", ... */
    struct smap options;
    unsigned int mtu_request;   /* 0: leave it. */
    bool has_mac;
    uint8_t mac[6];             /* Desired address (internal). */
    uint32_t port_no;           /* Desired datapath number or PORT_NONE. */
};

enum vport_tristate { VPORT_UNKNOWN = -1, VPORT_NO = 0, VPORT_YES = 1 };

/* What is true of a vport, for the Interface row. */
struct vport_status {
    uint8_t mac[6];
    bool has_mac;
    unsigned int mtu;           /* 0: unknown. */
    int ifindex;                /* 0: none. */
    int admin_up;               /* enum vport_tristate */
    int link_up;
    bool full_duplex;
    uint64_t link_speed_bps;    /* 0: unknown. */
    uint64_t link_resets;
    struct smap status;         /* driver_name, ...  Owned by the caller. */
};

/* Counted by one PMD thread, read by MAIN: plain aligned 64-bit stores. */
struct vport_counters {
    uint64_t rx_packets, rx_bytes;
    uint64_t tx_packets, tx_bytes;
    uint64_t rx_errors;         /* Malformed, lying. */
    uint64_t tx_errors;
    uint64_t rx_super, tx_super;        /* Super-packets. */
    uint64_t cut;               /* Super-packets cut by offload.c. */
    uint64_t segments;          /* ... into so many. */
    uint64_t frags;             /* IP fragments made. */
    uint64_t icmp_too_big;      /* Answers sent. */
    uint64_t trains_rx, trains_tx, coalesced;
    uint64_t drops[N_DROP_REASONS];
};

/* A packet of the send buffer to which segments may be appended (gro.c). */
struct gro_slot {
    struct rte_mbuf *tail;      /* Last buffer of the chain. */
    uint32_t next_seq;
    uint16_t index;             /* Of the packet, in tx[]. */
    uint16_t gso_size;          /* Payload of each segment but the last. */
    uint16_t n_segs;
    uint16_t next_id;           /* IPv4 ID that continues the row. */
    bool closed;                /* Nothing more may follow. */
};
#define GRO_SLOTS 8             /* Streams at a time. */

struct gro_row {
    struct gro_slot slots[GRO_SLOTS];
    uint16_t n_slots;
};

/* A tunnel packet of the send buffer behind which others may be put as a train
 * (train.c). */
struct train_slot {
    struct rte_mbuf *tail;      /* Last buffer of the chain. */
    uint16_t index;             /* Of the packet, in tx[]. */
    uint16_t gso_size;          /* Of each piece but the last. */
    uint16_t n;                 /* Pieces. */
    bool closed;                /* Nothing more may follow. */
};
#define TRAIN_SLOTS 8

/* What one PMD thread keeps of one vport. */
struct vport_pmd {
    struct vport_counters c;
    uint64_t too_big_ms;        /* toobig.c: when the bucket was last filled */
    uint32_t too_big_tokens;    /* ... and what is in it. */
    bool tx_dirty;              /* In the PMD's list of ports to flush. */
    uint16_t n_tx;
    uint32_t tx_bytes;          /* Of tx[], but for what gro.c appended. */
    struct rte_mbuf *tx[2 * PKT_BURST];
    struct gro_row gro;         /* Of tx[]. */
    struct train_slot trains[TRAIN_SLOTS];
    uint16_t n_trains;
} __rte_cache_aligned;

struct vport_class {
    const char *type;           /* OVSDB type. */

    /* MAIN.  Opens the device; sets mac, mtu, caps, n_rxq, n_txq, priv. */
    char *(*open)(struct vport *, const struct vport_cfg *);

    /* MAIN.  The configuration changed (never name or type).  Applies what can
     * be applied in place and returns NULL; sets '*reopen' where the vport
     * must be closed and opened again.  NULL: always reopen. */
    char *(*update)(struct vport *, const struct vport_cfg *, bool *reopen);

    /* MAIN.  No PMD thread uses the vport any more. */
    void (*close)(struct vport *);

    /* MAIN. */
    void (*get_status)(struct vport *, struct vport_status *);

    /* MAIN, may be NULL: adds what the device itself counted (drops before
     * us). */
    void (*get_device_counters)(struct vport *, uint64_t *rx_dropped,
                                uint64_t *rx_errors, uint64_t *tx_errors);

    /* PMD.  Receives up to 'n' packets into 'pkts', each with pkt_meta_init()
     * done and has_vnet, vnet, offered set where there is a header.  Counts
     * nothing but its own drops.  NULL: never receives. */
    uint16_t (*rx)(struct vport *, uint16_t rxq, struct pmd *,
                   struct rte_mbuf **pkts, uint16_t n);

    /* PMD.  Sends all, consuming them.  What could not be sent is dropped by
     * vport_drop_tx().  Returns how many were sent, and adds their bytes to
     * '*bytes'.  'txq' is below n_txq; a shared queue is locked by the
     * caller. */
    uint16_t (*tx)(struct vport *, uint16_t txq, struct pmd *,
                   struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes);

    /* MAIN.  A descriptor that is readable when rxq 'rxq' has packets, for
     * epoll, or -1 where there is none (then the queue is polled with timed
     * sleeps). */
    int (*rx_fd)(struct vport *, uint16_t rxq);
};

struct vport {
    /* MAIN writes before PMD threads see the vport, and then only atomically
     * changing single values. */
    uint32_t port_no;
    const struct vport_class *class;
    char name[VPORT_NAME_MAX + 1];
    uint16_t n_rxq;
    uint16_t n_txq;
    void *priv;                 /* The class's own. */
    _Atomic uint32_t caps;      /* enum vport_cap */
    _Atomic uint16_t mtu;       /* Largest L3 packet. */
    _Atomic bool up;            /* Egress allowed. */
    uint8_t mac[6];

    rte_spinlock_t *txq_locks;  /* Where n_txq is below the number of PMD
                                 * threads, else NULL. */

    /* One per PMD thread, made by dp.c; each written by its PMD only. */
    struct vport_pmd *per_pmd[DP_MAX_PMDS];
};

/* The classes; NULL when there is no such type.  Each tunnel type of lib/tnl
 * is a class too: a number and counters, for its packets leave by
 * tnl_push. */
const struct vport_class *vport_class_find(const char *type);

/* All types that a user may write, for Open_vSwitch.iface_types: the i-th, or
 * NULL behind the last. */
const char *vport_class_type(unsigned int i);

/* Drops a packet under 'reason' at the account of the vport that it came in
 * on, or of the vport that should have sent it.  PMD. */
void vport_drop_rx(struct vport *, struct pmd *, struct rte_mbuf *,
                   enum drop_reason);
void vport_drop_tx(struct vport *, struct pmd *, struct rte_mbuf *,
                   enum drop_reason);

/* Counts a drop of a packet that is gone already (freed for want of
 * memory). */
void vport_count_drop(struct vport *, struct pmd *, enum drop_reason);

extern const struct vport_class vport_system_class;
extern const struct vport_class vport_internal_class;
extern const struct vport_class vport_dpdk_class;
extern const struct vport_class vport_vhost_client_class;
extern const struct vport_class vport_vhost_server_class;
extern const struct vport_class vport_hostip_class;
extern const struct vport_class vport_patch_class;

#endif /* vport.h */
