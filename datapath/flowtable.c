/* SPDX-License-Identifier: Apache-2.0 */

/* flowtable.c - third stage of a packet's way: which flow is it?
 *
 * Runs in the PMD thread that owns the table.  Lookups allocate nothing;
 * installing a flow does.
 *
 * A subtable is a hash table that grows by one bucket with each flow (linear
 * hashing), so that the millionth flow costs no more than the tenth: no pause
 * for a rehash in the middle of traffic. */

#include "datapath/flowtable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/clock.h"

#define EMC_ENTRIES 8192        /* Power of 2.  As Open vSwitch has. */
#define EMC_WAYS 2

struct emc_entry {
    struct flow *flow;          /* A reference, or NULL. */
    uint32_t hash;
    struct flow_key key;        /* Whole. */
} __attribute__((aligned(64)));

struct flow_emc {
    struct emc_entry entries[EMC_ENTRIES];
};

struct flow_subtable {
    /* Read by each lookup. */
    unsigned int n_words;       /* Words of the mask that are not 0. */
    uint8_t words[FLOW_N_WORDS];        /* Which. */
    uint64_t masks[FLOW_N_WORDS];       /* Their values, packed. */
    uint64_t basis;             /* The table's. */
    struct flow **buckets;
    uint64_t low_mask;          /* 2^k - 1: buckets before the present
                                 * doubling began. */
    unsigned int n_buckets;     /* low_mask + 1 .. 2 * (low_mask + 1). */

    unsigned int room_buckets;
    unsigned int n_flows;
    uint64_t n_hits;            /* Since the last sort. */
    struct flow_mask mask;
};

static struct flow *subtable_find(struct flow_subtable *,
                                  const struct flow_key *, uint64_t *hash);

static inline bool
key_equal(const struct flow_key *a, const struct flow_key *b)
{
    const uint64_t *x = flow_key_words(a);
    const uint64_t *y = flow_key_words(b);
    unsigned int n = flow_key_n_words(a);
    uint64_t diff = 0;

    /* 'parts' lies in the first word: equal there means equal lengths. */
    for (unsigned int i = 0; i < n; i++) {
        diff |= x[i] ^ y[i];
    }
    return !diff;
}

void
flowtable_init(struct flowtable *ft)
{
    memset(ft, 0, sizeof *ft);
    ft->emc = aligned_alloc(64, sizeof *ft->emc);
    if (!ft->emc) {
        abort();
    }
    memset(ft->emc, 0, sizeof *ft->emc);
    /* Whoever could work out which keys share a bucket could make one long
     * chain of his flows.  Without the kernel's number the clock has to do. */
    if (getrandom(&ft->basis, sizeof ft->basis, GRND_NONBLOCK)
        != (ssize_t) sizeof ft->basis) {
        ft->basis = HASH_K0 ^ (uint64_t) clock_ns();
    }
}

void
flowtable_fini(struct flowtable *ft)
{
    flowtable_flush(ft);
    free(ft->subtables);
    free(ft->emc);
    memset(ft, 0, sizeof *ft);
}

static inline struct emc_entry *
emc_slot(struct flowtable *ft, uint32_t hash, unsigned int way)
{
    /* The second way takes other bits, so that two keys that meet in one
     * slot part in the other. */
    uint32_t i = way ? (hash >> 13) ^ (hash << 3) : hash;

    return &ft->emc->entries[i & (EMC_ENTRIES - 1)];
}

static void
emc_put(struct flowtable *ft, const struct flow_key *key, uint32_t hash,
        struct flow *flow)
{
    struct emc_entry *victim = NULL;

    for (unsigned int way = 0; way < EMC_WAYS; way++) {
        struct emc_entry *e = emc_slot(ft, hash, way);

        if (!e->flow || !e->flow->subtable
            || (e->hash == hash && key_equal(&e->key, key))) {
            victim = e;
            break;
        }
        if (!victim || e->flow->used_ms < victim->flow->used_ms) {
            victim = e;
        }
    }
    flow_ref(flow);
    if (victim->flow) {
        flow_unref(ft, victim->flow);
    }
    victim->flow = flow;
    victim->hash = hash;
    victim->key = *key;
}

struct flow *
flowtable_lookup(struct flowtable *ft, const struct flow_key *key,
                 uint32_t hash, struct flowtable_counts *counts)
{
    for (unsigned int way = 0; way < EMC_WAYS; way++) {
        struct emc_entry *e = emc_slot(ft, hash, way);

        if (e->hash == hash && e->flow && e->flow->subtable
            && key_equal(&e->key, key)) {
            counts->emc_hits++;
            return e->flow;
        }
    }

    ft->n_lookups++;
    for (unsigned int i = 0; i < ft->n_subtables; i++) {
        uint64_t masked_hash;
        struct flow *flow = subtable_find(ft->subtables[i], key,
                                          &masked_hash);

        counts->probes++;
        if (flow) {
            ft->subtables[i]->n_hits++;
            counts->mask_hits++;
            /* With more flows than entries most guests of the cache are gone
             * before they come again: then it takes one in 16, which still
             * finds the busy ones.  With 100000 flows that made a lookup 220
             * ns instead of 320. */
            if (LIKELY(ft->n_flows < EMC_ENTRIES) || !(ft->n_lookups % 16)) {
                emc_put(ft, key, hash, flow);
            }
            return flow;
        }
    }
    return NULL;
}

/* Hash of 'key' under the subtable's mask. */
static inline uint64_t
subtable_hash(const struct flow_subtable *st, const struct flow_key *key)
{
    const uint64_t *words = flow_key_words(key);
    uint64_t a = st->basis;

    for (unsigned int i = 0; i < st->n_words; i++) {
        a = hash_fold(a ^ (words[st->words[i]] & st->masks[i]), HASH_K1);
    }
    return a;
}

static inline unsigned int
subtable_bucket(const struct flow_subtable *st, uint64_t hash)
{
    unsigned int i = hash & (2 * st->low_mask + 1);

    return i < st->n_buckets ? i : (unsigned int) (hash & st->low_mask);
}

static inline bool
subtable_match(const struct flow_subtable *st, const struct flow *flow,
               const struct flow_key *key)
{
    const uint64_t *f = flow_key_words(&flow->key);
    const uint64_t *k = flow_key_words(key);
    uint64_t diff = 0;

    for (unsigned int i = 0; i < st->n_words; i++) {
        diff |= f[st->words[i]] ^ (k[st->words[i]] & st->masks[i]);
    }
    return !diff;
}

static struct flow *
subtable_find(struct flow_subtable *st, const struct flow_key *key,
              uint64_t *hashp)
{
    uint64_t hash = subtable_hash(st, key);
    struct flow *flow;

    *hashp = hash;
    for (flow = st->buckets[subtable_bucket(st, hash)]; flow;
         flow = flow->next) {
        if (flow->hash == hash && subtable_match(st, flow, key)) {
            return flow;
        }
    }
    return NULL;
}

/* Opens one more bucket and moves there what belongs there. */
static void
subtable_grow(struct flowtable *ft, struct flow_subtable *st)
{
    struct flow **p;
    unsigned int fresh = st->n_buckets;
    unsigned int split;

    if (fresh == st->room_buckets) {
        size_t size = 2u * st->room_buckets * sizeof *st->buckets;
        struct flow **buckets = realloc(st->buckets, size);

        if (!buckets) {
            return;             /* Longer chains, still right. */
        }
        ft->n_bytes += size / 2;
        st->buckets = buckets;
        st->room_buckets *= 2;
    }
    if (fresh == 2 * (st->low_mask + 1)) {
        st->low_mask = 2 * st->low_mask + 1;
    }
    split = (unsigned int) (fresh & st->low_mask);
    st->buckets[fresh] = NULL;
    st->n_buckets++;

    for (p = &st->buckets[split]; *p;) {
        struct flow *flow = *p;

        if (subtable_bucket(st, flow->hash) == fresh) {
            *p = flow->next;
            flow->next = st->buckets[fresh];
            st->buckets[fresh] = flow;
        } else {
            p = &flow->next;
        }
    }
}

#define SUBTABLE_FIRST_BUCKETS 16u

static struct flow_subtable *
subtable_get(struct flowtable *ft, const struct flow_mask *mask)
{
    const uint64_t *words = flow_key_words(&mask->bits);
    struct flow_subtable *st;

    for (unsigned int i = 0; i < ft->n_subtables; i++) {
        if (!memcmp(&ft->subtables[i]->mask, mask, sizeof *mask)) {
            return ft->subtables[i];
        }
    }

    if (ft->n_subtables == ft->room_subtables) {
        unsigned int room = ft->room_subtables ? 2 * ft->room_subtables : 8;
        struct flow_subtable **p = realloc(ft->subtables, room * sizeof *p);

        if (!p) {
            return NULL;
        }
        ft->subtables = p;
        ft->room_subtables = room;
    }

    st = calloc(1, sizeof *st);
    if (!st) {
        return NULL;
    }
    st->buckets = calloc(SUBTABLE_FIRST_BUCKETS, sizeof *st->buckets);
    if (!st->buckets) {
        free(st);
        return NULL;
    }
    st->mask = *mask;
    st->basis = ft->basis;
    for (unsigned int i = 0; i < FLOW_N_WORDS; i++) {
        if (words[i]) {
            st->words[st->n_words] = (uint8_t) i;
            st->masks[st->n_words++] = words[i];
        }
    }
    st->n_buckets = st->room_buckets = SUBTABLE_FIRST_BUCKETS;
    st->low_mask = SUBTABLE_FIRST_BUCKETS - 1;
    ft->n_bytes += sizeof *st + SUBTABLE_FIRST_BUCKETS * sizeof *st->buckets;
    ft->subtables[ft->n_subtables++] = st;
    return st;
}

/* The last flow has gone. */
static void
subtable_remove(struct flowtable *ft, struct flow_subtable *st)
{
    for (unsigned int i = 0; i < ft->n_subtables; i++) {
        if (ft->subtables[i] == st) {
            memmove(&ft->subtables[i], &ft->subtables[i + 1],
                    (ft->n_subtables - i - 1) * sizeof *ft->subtables);
            ft->n_subtables--;
            /* The sweep goes on where it is: if it began again each time, it
             * might never come to the end. */
            if (i < ft->sweep_subtable) {
                ft->sweep_subtable--;
            } else if (i == ft->sweep_subtable) {
                ft->sweep_bucket = 0;
            }
            break;
        }
    }
    ft->n_bytes -= sizeof *st + st->room_buckets * sizeof *st->buckets;
    free(st->buckets);
    free(st);
}

bool
flowtable_set_actions(struct flow *flow, const void *actions, uint32_t len,
                      const struct dp_deps *deps)
{
    void *copy = flow->inline_actions;

    if (len > sizeof flow->inline_actions) {
        copy = malloc(len);
        if (!copy) {
            return false;
        }
    }
    if (flow->actions != flow->inline_actions) {
        free((void *) (uintptr_t) flow->actions);
    }
    memcpy(copy, actions, len);
    flow->actions = copy;
    flow->actions_len = len;
    flow->deps = *deps;
    return true;
}

struct flow *
flowtable_install(struct flowtable *ft, const struct flow_key *key,
                  uint32_t hash, const struct flow_mask *mask,
                  const void *actions, uint32_t actions_len,
                  const struct dp_deps *deps, uint64_t now_ms)
{
    struct flow_subtable *st;
    struct flow *flow;
    unsigned int bucket;
    uint64_t masked_hash;

    if (ft->n_flows >= FLOWTABLE_MAX_FLOWS) {
        return NULL;
    }
    st = subtable_get(ft, mask);
    flow = st ? subtable_find(st, key, &masked_hash) : NULL;
    if (flow) {
        /* Another packet of the same megaflow was quicker. */
        emc_put(ft, key, hash, flow);
        return flowtable_set_actions(flow, actions, actions_len, deps)
               ? flow : NULL;
    }
    flow = st ? aligned_alloc(64, sizeof *flow) : NULL;
    if (flow) {
        memset(flow, 0, sizeof *flow);
        flow->actions = flow->inline_actions;
        if (!flowtable_set_actions(flow, actions, actions_len, deps)) {
            free(flow);
            flow = NULL;
        }
    }
    if (!flow) {
        if (st && !st->n_flows) {
            subtable_remove(ft, st);
        }
        return NULL;
    }

    flow_key_apply_mask(&flow->key, key, mask);
    flow->hash = masked_hash;
    flow->group = FLOW_NO_GROUP;
    flow->checked_ms = flow->used_ms = now_ms;
    flow->n_refs = 1;
    flow->subtable = st;
    if (++st->n_flows > st->n_buckets) {
        subtable_grow(ft, st);
    }
    bucket = subtable_bucket(st, flow->hash);
    flow->next = st->buckets[bucket];
    st->buckets[bucket] = flow;
    ft->n_flows++;
    ft->n_bytes += sizeof *flow;
    emc_put(ft, key, hash, flow);
    return flow;
}

const struct flow_mask *
flow_get_mask(const struct flow *flow)
{
    return &flow->subtable->mask;
}

bool
flow_matches(const struct flow *flow, const struct flow_key *key)
{
    return subtable_match(flow->subtable, flow, key);
}

void
flowtable_remove(struct flowtable *ft, struct flow *flow)
{
    struct flow_subtable *st = flow->subtable;
    struct flow **p = &st->buckets[subtable_bucket(st, flow->hash)];

    while (*p != flow) {
        p = &(*p)->next;
    }
    *p = flow->next;
    flow->next = NULL;
    flow->subtable = NULL;
    ft->n_flows--;
    if (!--st->n_flows) {
        subtable_remove(ft, st);
    }
    flow_unref(ft, flow);
}

void
flow_unref(struct flowtable *ft, struct flow *flow)
{
    if (--flow->n_refs) {
        return;
    }
    if (flow->actions != flow->inline_actions) {
        free((void *) (uintptr_t) flow->actions);
    }
    ft->n_bytes -= sizeof *flow;
    free(flow);
}

static void
emc_flush(struct flowtable *ft)
{
    for (unsigned int i = 0; i < EMC_ENTRIES; i++) {
        struct emc_entry *e = &ft->emc->entries[i];

        if (e->flow) {
            flow_unref(ft, e->flow);
            e->flow = NULL;
        }
    }
}

void
flowtable_flush(struct flowtable *ft)
{
    emc_flush(ft);
    while (ft->n_subtables) {
        struct flow_subtable *st = ft->subtables[ft->n_subtables - 1];
        unsigned int n = ft->n_subtables;

        for (unsigned int i = 0; n == ft->n_subtables && i < st->n_buckets;) {
            if (st->buckets[i]) {
                flowtable_remove(ft, st->buckets[i]);
            } else {
                i++;
            }
        }
    }
}

void
flowtable_sweep(struct flowtable *ft, unsigned int n, uint64_t now_ms,
                uint64_t idle_ms)
{
    while (n-- && ft->n_subtables) {
        struct flow_subtable *st;
        struct flow *flow, *next;

        if (ft->sweep_subtable >= ft->n_subtables) {
            ft->sweep_subtable = ft->sweep_bucket = 0;
        }
        st = ft->subtables[ft->sweep_subtable];
        if (ft->sweep_bucket >= st->n_buckets) {
            ft->sweep_bucket = 0;
            ft->sweep_subtable++;
            continue;
        }
        for (flow = st->buckets[ft->sweep_bucket++]; flow; flow = next) {
            bool last = st->n_flows == 1;

            next = flow->next;
            if (now_ms - flow->used_ms > idle_ms) {
                flowtable_remove(ft, flow);
                if (last) {
                    break;      /* The subtable went with it. */
                }
            }
        }
    }
}

void
flowtable_for_each(struct flowtable *ft, flowtable_visit_fn *visit, void *aux)
{
    for (unsigned int i = 0; i < ft->n_subtables; i++) {
        struct flow_subtable *st = ft->subtables[i];

        for (unsigned int j = 0; j < st->n_buckets; j++) {
            for (struct flow *f = st->buckets[j]; f; f = f->next) {
                visit(f, aux);
            }
        }
    }
}

static int
compare_hits(const void *a_, const void *b_)
{
    const struct flow_subtable *const *a = a_;
    const struct flow_subtable *const *b = b_;

    return (*a)->n_hits > (*b)->n_hits ? -1 : (*a)->n_hits < (*b)->n_hits;
}

void
flowtable_sort(struct flowtable *ft)
{
    if (ft->n_subtables > 1) {
        qsort(ft->subtables, ft->n_subtables, sizeof *ft->subtables,
              compare_hits);
    }
    for (unsigned int i = 0; i < ft->n_subtables; i++) {
        ft->subtables[i]->n_hits /= 2;
    }
}
