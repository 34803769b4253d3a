/* SPDX-License-Identifier: Apache-2.0 */

/* flowtable.h - flows of one PMD thread: exact-match cache in front of masked
 * tables (tuple space search: one subtable for each mask, sorted by hits).
 *
 * Single writer, single reader: the owning PMD thread.  No locks. */

#ifndef QANAT_FLOWTABLE_H
#define QANAT_FLOWTABLE_H 1

#include "datapath/dp.h"
#include "lib/base/hash.h"
#include "lib/flow/flow.h"

struct flow_subtable;

#define FLOW_INLINE_ACTIONS 48  /* Two outputs and a VLAN tag. */
#define FLOW_NO_GROUP UINT16_MAX

/* A megaflow.  The first cache line is what a lookup reads of it for packets
 * without IPv6 and tunnel. */
struct flow {
    struct flow *next;          /* In the bucket. */
    uint64_t hash;              /* Of the masked key. */
    struct flow_key key;        /* Masked. */

    /* What to do; replaced when the flow is translated again. */
    uint32_t actions_len;
    uint16_t group;             /* Scratch of the burst in progress. */
    uint16_t tcp_flags;         /* ORed over the packets. */
    const void *actions;        /* 'inline_actions' or heap. */
    struct dp_deps deps;

    uint64_t n_pkts, n_bytes;
    uint64_t used_ms;           /* Last hit, 0: never. */
    uint64_t checked_ms;        /* Last translated. */

    struct flow_subtable *subtable;     /* NULL once removed. */
    unsigned int n_refs;        /* Exact-match entries, the subtable, and
                                 * whoever holds it during a burst. */
    uint64_t inline_actions[FLOW_INLINE_ACTIONS / 8];
} __attribute__((aligned(64)));

struct flowtable {
    struct flow_emc *emc;
    struct flow_subtable **subtables;   /* Sorted by hits, now and then. */
    unsigned int n_subtables, room_subtables;
    unsigned int n_flows;
    uint64_t basis;             /* Of the hashes, drawn by lot. */
    uint64_t n_lookups;         /* In the masked tables. */
    size_t n_bytes;             /* Heap in use by flows and subtables. */
    unsigned int sweep_subtable, sweep_bucket;
};

void flowtable_init(struct flowtable *);
void flowtable_fini(struct flowtable *);

struct flowtable_counts {
    uint64_t emc_hits, mask_hits, probes;
};

/* Hash of a whole key, for the exact-match cache. */
static inline uint32_t
flowtable_hash(const struct flow_key *key)
{
    return hash_words64(flow_key_words(key), flow_key_n_words(key), 0);
}

/* Finds the flow of 'key', whose flowtable_hash() is 'hash', or NULL. */
struct flow *flowtable_lookup(struct flowtable *, const struct flow_key *key,
                              uint32_t hash, struct flowtable_counts *);

/* Installs a flow for 'key' under 'mask' and remembers it in the exact-match
 * cache under the whole key.  Copies the actions.  Where a flow with the same
 * masked key exists, it is given the actions.  NULL when the table is at its
 * limit (or memory is): the caller then does the actions without a flow. */
struct flow *flowtable_install(struct flowtable *, const struct flow_key *key,
                               uint32_t hash, const struct flow_mask *mask,
                               const void *actions, uint32_t actions_len,
                               const struct dp_deps *deps, uint64_t now_ms);

/* Replaces what a flow does.  False without memory: nothing changed. */
bool flowtable_set_actions(struct flow *, const void *actions, uint32_t len,
                           const struct dp_deps *);

/* Of a flow that is in a table: what it looks at, and whether it speaks for a
 * packet with this key. */
const struct flow_mask *flow_get_mask(const struct flow *);
bool flow_matches(const struct flow *, const struct flow_key *);

/* Takes a flow out of the tables; it lives on while somebody holds it. */
void flowtable_remove(struct flowtable *, struct flow *);

/* Holds a flow across something that may remove it, and lets go. */
static inline void
flow_ref(struct flow *flow)
{
    flow->n_refs++;
}
void flow_unref(struct flowtable *, struct flow *);
void flowtable_flush(struct flowtable *);

/* Looks at up to 'n' buckets and removes flows unused for 'idle_ms'. */
void flowtable_sweep(struct flowtable *, unsigned int n, uint64_t now_ms,
                     uint64_t idle_ms);

typedef void flowtable_visit_fn(struct flow *, void *aux);
void flowtable_for_each(struct flowtable *, flowtable_visit_fn *, void *aux);

/* Sorts the subtables by what they answered since the last time, so that a
 * busy mask is tried first.  Once a second. */
void flowtable_sort(struct flowtable *);

/* At most so many flows a PMD thread. */
#define FLOWTABLE_MAX_FLOWS (1u << 21)

#endif /* flowtable.h */
