/* SPDX-License-Identifier: Apache-2.0 */

/* flowtable.h - flows of one PMD thread: exact-match cache in front of masked
 * tables (tuple space search: one subtable for each mask, sorted by hits).
 *
 * Single writer, single reader: the owning PMD thread.  No locks. */

#ifndef QANAT_FLOWTABLE_H
#define QANAT_FLOWTABLE_H 1

#include "datapath/dp.h"
#include "lib/flow/flow.h"

struct flow_subtable;

/* A megaflow. */
struct flow {
    struct flow_key key;        /* Masked. */
    uint64_t hash;              /* Of the masked key. */
    struct flow_subtable *subtable;
    struct flow *next;          /* In the bucket. */
    unsigned int n_refs;        /* Exact-match entries, and the subtable. */
    bool dead;                  /* Out of its subtable. */
    uint16_t group;             /* Scratch of the burst in progress, else
                                 * UINT16_MAX. */

    /* What to do; replaced when the flow is translated again. */
    void *actions;
    uint32_t actions_len;
    uint32_t first_output;      /* The port, where the list is one plain output,
                                 * else PORT_NONE. */
    struct dp_deps deps;

    uint64_t n_pkts, n_bytes;
    uint64_t used_ms;           /* Last hit, 0: never. */
    uint16_t tcp_flags;         /* ORed over the packets. */
    uint64_t created_ms;
};

struct flowtable {
    struct flow_emc *emc;
    struct flow_subtable **subtables;   /* Sorted by hits, now and then. */
    unsigned int n_subtables;
    unsigned int n_flows;
    uint64_t n_lookups;
    unsigned int sweep_subtable, sweep_bucket;
};

void flowtable_init(struct flowtable *);
void flowtable_fini(struct flowtable *);

/* Finds flows for keys[0..n-1] (all with hashes in 'hashes': of the whole key);
 * NULL where there is none.  Counts in '*emc_hits' and '*probes'. */
void flowtable_lookup(struct flowtable *, const struct flow_key *keys,
                      const uint32_t *hashes, unsigned int n,
                      struct flow **flows, uint64_t *emc_hits,
                      uint64_t *mask_hits, uint64_t *probes);

/* Installs a flow for 'key' under 'mask' and remembers it in the exact-match
 * cache under the whole key.  Copies the actions.  An existing flow with the
 * same masked key is replaced.  NULL when the table is at its limit: the
 * caller then does the actions without a flow. */
struct flow *flowtable_install(struct flowtable *, const struct flow_key *key,
                               uint32_t hash, const struct flow_mask *mask,
                               const void *actions, uint32_t actions_len,
                               const struct dp_deps *deps, uint64_t now_ms);

void flowtable_set_actions(struct flow *, const void *actions, uint32_t len,
                           const struct dp_deps *);
const struct flow_mask *flow_get_mask(const struct flow *);
void flowtable_remove(struct flowtable *, struct flow *);
void flowtable_flush(struct flowtable *);

/* Looks at up to 'n' buckets and removes flows unused for 'idle_ms'. */
void flowtable_sweep(struct flowtable *, unsigned int n, uint64_t now_ms,
                     uint64_t idle_ms);

typedef void flowtable_visit_fn(struct flow *, void *aux);
void flowtable_for_each(struct flowtable *, flowtable_visit_fn *, void *aux);

/* Bytes used in all. */
size_t flowtable_bytes(const struct flowtable *);

#endif /* flowtable.h */
