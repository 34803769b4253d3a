/* SPDX-License-Identifier: Apache-2.0 */

/* dp.h - the datapath as the slow path sees it: ports, flows, PMD threads.
 *
 * The datapath knows nothing of OVSDB or bridges.  All functions run in MAIN
 * unless they say otherwise. */

#ifndef QANAT_DP_H
#define QANAT_DP_H 1

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/flow/action.h"
#include "lib/flow/flow.h"
#include "lib/tnl/tnl_map.h"

struct rte_mbuf;
struct str;
struct vport;
struct vport_cfg;
struct vport_counters;

/* Something that a translation depended on.  Whoever owns it adds 1 to 'gen'
 * when it changes; a flow that saw another value is translated again on its
 * next hit.  'used_s' is written by PMD threads when a flow that depends on
 * the cell with 'touch' was hit (MAC ageing): seconds of the monotonic
 * clock. */
struct dp_cell {
    _Atomic uint32_t gen;
    _Atomic uint32_t used_s;
};

struct dp_dep {
    struct dp_cell *cell;
    uint32_t seen;
    bool touch;
};

/* The memory of a cell may be given back only after a new pipeline was
 * announced (dp_pipeline_changed()) and dp_synchronize() returned: a flow of
 * an old pipeline never looks at its cells. */
#define DP_MAX_DEPS 8
struct dp_deps {
    uint32_t pipeline;          /* Generation that it was translated in. */
    uint32_t n;
    bool overflow;              /* More than fit: translate again each s. */
    struct dp_dep deps[DP_MAX_DEPS];
};

/* The slow path's answer to a miss. */
struct dp_upcall {
    struct flow_mask mask;      /* Out: what was looked at. */
    struct action_list actions; /* Out: initialised by the caller. */
    struct dp_deps deps;        /* Out; 'pipeline' is filled by the caller. */
};

/* Called inline in PMD threads, many at once; inside an RCU read section.
 * 'key' is the whole key.  Must not block. */
typedef void dp_upcall_fn(const struct flow_key *key, struct dp_upcall *);

struct dp_cfg {
    const char *extra_args;     /* other_config:dpdk-extra or NULL. */
    const char *socket_mem;     /* other_config:dpdk-socket-mem or NULL. */
    const char *file_prefix;
    dp_upcall_fn *upcall;
};

/* Starts DPDK (huge pages when the machine has free ones, else without, said
 * once in the log) and the packet memory.  NULL or an error sentence. */
char *dp_init(const struct dp_cfg *);
void dp_fini(void);
const char *dp_version(void);   /* "DPDK 22.11.11" */

/* PMD threads: 'mask' as in other_config:pmd-cpu-mask, NULL or "" for one that
 * is not pinned.  Idempotent. */
char *dp_set_pmd_cpu_mask(const char *mask);

/* Flows unused for so long are removed (other_config:max-idle, ms). */
void dp_set_max_idle(unsigned int ms);

/* Ports.  dp_port_add() chooses a free number unless cfg->port_no is free. */
char *dp_port_add(const struct vport_cfg *, struct vport **);
char *dp_port_update(struct vport *, const struct vport_cfg *, bool *reopen);
void dp_port_del(struct vport *);
struct vport *dp_port_find(uint32_t port_no);

/* Counters of a port, summed over the PMD threads, and what the device itself
 * counted. */
void dp_port_get_counters(struct vport *, struct vport_counters *sum,
                          uint64_t *rx_dropped);

/* Which tunnel ports there are; takes ownership, publishes by RCU. */
void dp_set_tnl_map(struct tnl_map *);

/* The pipeline (and whatever translations read through RCU) has changed: every
 * flow is translated again on its next hit. */
void dp_pipeline_changed(void);

/* Waits until no PMD thread can still see what was unpublished before. */
void dp_synchronize(void);

/* All flows, one call each; strings for dump-flows. */
struct dp_flow_view {
    const struct flow_key *key;
    const struct flow_mask *mask;
    const void *actions;
    uint32_t actions_len;
    uint64_t n_pkts, n_bytes, used_ms;  /* used_ms: age of the last hit, or
                                         * UINT64_MAX for never. */
    uint16_t tcp_flags;
    unsigned int pmd_id;
    int pmd_core;
};
typedef void dp_flow_fn(const struct dp_flow_view *, void *aux);
void dp_flow_for_each(dp_flow_fn *, void *aux);
void dp_flow_flush(void);

struct dp_stats {
    uint64_t hit, missed, lost;
    uint64_t emc_hits, masks_probed, lookups;
    unsigned int n_flows, n_masks;
};
void dp_get_stats(struct dp_stats *);

/* Texts of the unixctl commands. */
void dp_format_pmd_rxq(struct str *);
void dp_format_pmd_perf(struct str *);
void dp_format_memory(struct str *);
void dp_format_coverage(struct str *);

#endif /* dp.h */
