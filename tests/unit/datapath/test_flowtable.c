/* SPDX-License-Identifier: Apache-2.0 */
/* flowtable.c against the plainest table there is: an array of flows, looked
 * through from end to end.  Several flows may match a packet; the table may
 * answer with any, but never with another, nor with none. */

#include "datapath/flowtable.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "tests/unit/datapath/dpdk_env.h"

#define MAX_FLOWS 6000
#define MAX_MASKS 3000

struct model_flow {
    struct flow *flow;
    struct flow_key key;        /* Masked. */
    const struct flow_mask *mask;
    uint32_t tag;               /* What its actions say. */
    uint32_t actions_len;
    uint64_t used_ms;
};

void suite_flowtable(void);

static struct flowtable ft;
static struct model_flow flows[MAX_FLOWS];
static unsigned int n_flows;
static struct flow_mask masks[MAX_MASKS];
static unsigned int n_masks;
static struct flowtable_counts counts;
static uint64_t now_ms;

static struct model_flow *
model_find(const struct flow *flow)
{
    for (unsigned int i = 0; i < n_flows; i++) {
        if (flows[i].flow == flow) {
            return &flows[i];
        }
    }
    return NULL;
}

static bool
model_matches(const struct model_flow *f, const struct flow_key *key)
{
    struct flow_key masked;

    flow_key_apply_mask(&masked, key, f->mask);
    return !memcmp(&masked, &f->key, sizeof masked);
}

static void
model_remove(struct model_flow *f)
{
    *f = flows[--n_flows];
}

/* A key of few values, so that masks meet; 'parts' as the parser keeps it. */
static void
random_key(struct flow_key *key)
{
    uint64_t *w = (uint64_t *) (void *) key;
    unsigned int n = FLOW_N_WORDS_BASE;

    memset(key, 0, sizeof *key);
    if (dpdk_env_range(0, 2) == 0) {
        key->parts = FLOW_PART_IPV6;
        n = 11;
    }
    if (dpdk_env_range(0, 4) == 0) {
        key->parts |= FLOW_PART_TUN;
        n = FLOW_N_WORDS;
    }
    key->in_port = dpdk_env_range(1, 3);
    key->dl_type = (be16) dpdk_env_range(0, 1);
    for (unsigned int i = 1; i < n; i++) {
        w[i] = dpdk_env_range(0, 3) * UINT64_C(0x0001000100010001);
    }
}

static void
random_mask(struct flow_mask *mask)
{
    uint64_t *w = (uint64_t *) (void *) &mask->bits;

    flow_mask_init(mask);
    FLOW_MASK_EXACT(mask, in_port);
    for (unsigned int i = 1; i < FLOW_N_WORDS; i++) {
        if (dpdk_env_range(0, 3) == 0) {
            dpdk_env_fill(&w[i], 8);
        } else if (dpdk_env_range(0, 3) == 0) {
            w[i] = UINT64_MAX;
        }
    }
}

/* Actions of any length that begin with a tag. */
static const void *
make_actions(uint32_t tag, uint32_t *len)
{
    static uint32_t actions[64];

    *len = 8 * dpdk_env_range(1, ARRAY_SIZE(actions) / 2);
    for (uint32_t i = 0; i < *len / 4; i++) {
        actions[i] = tag + i;
    }
    return actions;
}

static bool
actions_are(const struct flow *flow, const struct model_flow *f)
{
    const uint32_t *p = flow->actions;

    for (uint32_t i = 0; i < f->actions_len / 4; i++) {
        if (p[i] != f->tag + i) {
            return false;
        }
    }
    return flow->actions_len == f->actions_len;
}

static struct dp_deps
make_deps(uint32_t tag)
{
    return (struct dp_deps) { .pipeline = tag, .n = 0 };
}

static void
op_install(void)
{
    const struct flow_mask *mask = &masks[dpdk_env_range(0, n_masks - 1)];
    uint32_t tag = dpdk_env_random();
    struct dp_deps deps = make_deps(tag);
    struct model_flow *f;
    struct flow_key key;
    struct flow *flow;
    uint32_t len;
    const void *actions = make_actions(tag, &len);

    if (n_flows == MAX_FLOWS) {
        return;
    }
    random_key(&key);
    flow = flowtable_install(&ft, &key, flowtable_hash(&key), mask, actions,
                             len, &deps, now_ms);
    CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
    f = model_find(flow);
    if (f) {
        /* It was there: the same flow, with new actions. */
        CU_ASSERT(f->mask == mask && model_matches(f, &key));
    } else {
        f = &flows[n_flows++];
        f->flow = flow;
        f->mask = mask;
        flow_key_apply_mask(&f->key, &key, mask);
        f->used_ms = now_ms;
        CU_ASSERT_EQUAL(flow->group, FLOW_NO_GROUP);
        for (unsigned int i = 0; i + 1 < n_flows; i++) {
            CU_ASSERT_FATAL(flows[i].mask != mask
                            || !model_matches(&flows[i], &key));
        }
    }
    f->tag = tag;
    f->actions_len = len;
    CU_ASSERT_EQUAL(flow->deps.pipeline, tag);
    CU_ASSERT(!memcmp(&flow->key, &f->key, sizeof f->key));
    CU_ASSERT(!memcmp(flow_get_mask(flow), mask, sizeof *mask));
}

static void
op_lookup(void)
{
    struct flow_key key;
    struct flow *flow;

    random_key(&key);
    flow = flowtable_lookup(&ft, &key, flowtable_hash(&key), &counts);
    if (flow) {
        struct model_flow *f = model_find(flow);

        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        CU_ASSERT_FATAL(model_matches(f, &key));
        CU_ASSERT(actions_are(flow, f));
        flow->used_ms = f->used_ms = now_ms;
        return;
    }
    for (unsigned int i = 0; i < n_flows; i++) {
        CU_ASSERT_FATAL(!model_matches(&flows[i], &key));
    }
}

static void
op_remove(void)
{
    struct model_flow *f;

    if (n_flows) {
        f = &flows[dpdk_env_range(0, n_flows - 1)];
        flowtable_remove(&ft, f->flow);
        model_remove(f);
    }
}

/* A flow removed while a burst holds it lives on, and is found no more. */
static void
op_remove_held(void)
{
    struct model_flow f;

    if (n_flows) {
        f = flows[dpdk_env_range(0, n_flows - 1)];
        flow_ref(f.flow);
        flowtable_remove(&ft, f.flow);
        model_remove(model_find(f.flow));
        CU_ASSERT_PTR_NULL(f.flow->subtable);
        CU_ASSERT(actions_are(f.flow, &f));
        flow_unref(&ft, f.flow);
    }
}

static void
op_change(void)
{
    uint32_t tag = dpdk_env_random();
    struct dp_deps deps = make_deps(tag);
    struct model_flow *f;

    if (n_flows) {
        f = &flows[dpdk_env_range(0, n_flows - 1)];
        const void *actions = make_actions(tag, &f->actions_len);

        f->tag = tag;
        CU_ASSERT(flowtable_set_actions(f->flow, actions, f->actions_len,
                                        &deps));
        CU_ASSERT_EQUAL(f->flow->deps.pipeline, tag);
    }
}

static void
op_sort(void)
{
    flowtable_sort(&ft);
}

static unsigned int n_visited;

static void
visit(struct flow *flow, void *aux)
{
    (void) aux;
    CU_ASSERT_PTR_NOT_NULL_FATAL(model_find(flow));
    n_visited++;
}

/* A whole round: whoever was unused for long is gone, and nobody else. */
static void
sweep_all(uint64_t idle_ms)
{
    unsigned int n_left = 0;

    /* Each subtable costs its buckets and a step between two. */
    flowtable_sweep(&ft, 2 * MAX_FLOWS + 20 * ft.n_subtables, now_ms,
                    idle_ms);
    for (unsigned int i = 0; i < n_flows;) {
        if (now_ms - flows[i].used_ms > idle_ms) {
            model_remove(&flows[i]);
        } else {
            i++;
            n_left++;
        }
    }
    n_visited = 0;
    flowtable_for_each(&ft, visit, NULL);
    CU_ASSERT_EQUAL_FATAL(n_visited, n_left);
}

static void
begin(unsigned int seed, unsigned int n_masks_)
{
    dpdk_env_seed(seed);
    memset(&counts, 0, sizeof counts);
    flowtable_init(&ft);
    n_flows = 0;
    now_ms = 1000;
    n_masks = n_masks_;
    for (unsigned int i = 0; i < n_masks; i++) {
        random_mask(&masks[i]);
        for (unsigned int j = 0; j < i; j++) {
            if (!memcmp(&masks[i], &masks[j], sizeof masks[i])) {
                i--;
                break;
            }
        }
    }
}

static void
end(void)
{
    flowtable_flush(&ft);
    CU_ASSERT_EQUAL(ft.n_flows, 0);
    CU_ASSERT_EQUAL(ft.n_subtables, 0);
    CU_ASSERT_EQUAL(ft.n_bytes, 0);
    flowtable_fini(&ft);
}

static void
run(unsigned int n_ops)
{
    static const struct {
        void (*op)(void);
        unsigned int weight;
    } ops[] = {
        { op_install, 30 }, { op_lookup, 60 }, { op_remove, 8 },
        { op_remove_held, 2 }, { op_change, 5 }, { op_sort, 1 },
    };

    for (unsigned int n = 0; n < n_ops; n++) {
        unsigned int pick = dpdk_env_range(0, 105);
        unsigned int i = 0;

        while (pick >= ops[i].weight) {
            pick -= ops[i++].weight;
        }
        ops[i].op();
        now_ms += dpdk_env_range(0, 2);
        CU_ASSERT_EQUAL_FATAL(ft.n_flows, n_flows);
        if (n % 5000 == 4999) {
            sweep_all(dpdk_env_range(1, 6000));
        }
        if (n % 20000 == 19999) {
            flowtable_flush(&ft);
            n_flows = 0;
            CU_ASSERT_EQUAL(ft.n_bytes, 0);
        }
    }
}

static void
test_few_masks(void)
{
    begin(1, 3);
    run(40000);
    end();
}

static void
test_many_masks(void)
{
    begin(2, 200);
    run(20000);
    end();
}

static void
test_thousands_of_masks(void)
{
    begin(3, MAX_MASKS);
    for (unsigned int i = 0; i < 4000; i++) {
        op_install();
    }
    CU_ASSERT(ft.n_subtables > 1000);
    for (unsigned int i = 0; i < 1000; i++) {
        op_lookup();
    }
    sweep_all(100);
    now_ms += 1000;
    sweep_all(100);
    CU_ASSERT_EQUAL(ft.n_flows, 0);
    end();
}

/* One subtable through many doublings, and down again. */
static void
test_growth(void)
{
    const unsigned int n = 70000;
    struct dp_deps deps = { 0 };
    struct flow_mask mask;
    struct flow_key key = { .in_port = 1 };

    begin(4, 1);
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, in_port);
    FLOW_MASK_EXACT(&mask, nw_src);
    for (unsigned int i = 0; i < n; i++) {
        key.nw_src = i;
        flowtable_install(&ft, &key, flowtable_hash(&key), &mask, &i,
                          sizeof i, &deps, i);
    }
    CU_ASSERT_EQUAL(ft.n_subtables, 1);
    CU_ASSERT_EQUAL(ft.n_flows, n);
    for (unsigned int i = 0; i < n; i++) {
        struct flow *flow;

        key.nw_src = i;
        key.nw_dst = 7;         /* Not looked at. */
        flow = flowtable_lookup(&ft, &key, flowtable_hash(&key), &counts);
        CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
        CU_ASSERT_EQUAL(*(const unsigned int *) flow->actions, i);
        CU_ASSERT_EQUAL(flow->key.nw_dst, 0);
    }
    CU_ASSERT_EQUAL(counts.emc_hits, 0);
    CU_ASSERT_EQUAL(counts.mask_hits, n);

    /* Half of them are old; a sweep of all buckets takes those. */
    flowtable_sweep(&ft, 2 * n, n, n / 2);
    CU_ASSERT_EQUAL(ft.n_flows, n / 2);
    end();
}

/* A dead flow that the exact-match cache still refers to is neither found nor
 * lost. */
static void
test_dead_in_cache(void)
{
    struct dp_deps deps = { 0 };
    struct flow_mask mask;
    struct flow_key key = { .in_port = 1 };
    uint32_t hash = flowtable_hash(&key);
    struct flow *flow, *again;
    size_t n_bytes;

    begin(5, 1);
    flow_mask_init_exact(&mask, &key);
    flow = flowtable_install(&ft, &key, hash, &mask, "", 0, &deps, 1);
    CU_ASSERT_PTR_EQUAL(flowtable_lookup(&ft, &key, hash, &counts), flow);
    CU_ASSERT_EQUAL(counts.emc_hits, 1);
    n_bytes = ft.n_bytes;
    flowtable_remove(&ft, flow);
    CU_ASSERT_PTR_NULL(flowtable_lookup(&ft, &key, hash, &counts));
    CU_ASSERT(ft.n_bytes < n_bytes && ft.n_bytes > 0);

    /* The slot is the dead one's; its flow is freed when that is taken. */
    again = flowtable_install(&ft, &key, hash, &mask, "", 0, &deps, 1);
    CU_ASSERT_PTR_NOT_NULL(again);
    CU_ASSERT_EQUAL(ft.n_bytes, n_bytes);
    end();
}

/* Keys that all have one hash for whoever knows the constants of hash.h, but
 * not what a table draws by lot. */
static void
test_forged_collisions(void)
{
    const unsigned int n = 2000;
    struct dp_deps deps = { 0 };
    struct flow_mask mask;
    struct flow *last = NULL;
    unsigned int n_same = 0;

    begin(6, 1);
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, ipv6_src);
    FLOW_MASK_EXACT(&mask, ipv6_dst);
    for (unsigned int i = 0; i < n; i++) {
        struct flow_key key = { .parts = FLOW_PART_IPV6 };
        const uint64_t *w = flow_key_words(&key);
        uint64_t forged;
        struct flow *flow;
        uint64_t a = HASH_K0;

        dpdk_env_fill(&key.ipv6_src, 16);
        a = hash_fold(a ^ (w[0] & flow_key_words(&mask.bits)[0]), HASH_K1);
        a = hash_fold(a ^ w[6], HASH_K1);
        a = hash_fold(a ^ w[7], HASH_K1);
        forged = a ^ 42;
        memcpy(&key.ipv6_dst, &forged, sizeof forged);
        flow = flowtable_install(&ft, &key, flowtable_hash(&key), &mask,
                                 "", 0, &deps, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
        n_same += last && last->hash == flow->hash;
        last = flow;
    }
    CU_ASSERT_EQUAL(ft.n_flows, n);
    CU_ASSERT(n_same < 10);
    end();
}

/* A subtable whose last flow goes must not make the sweep begin again, or what
 * lies behind it would never be reached. */
static void
test_sweep_reaches_all(void)
{
    struct dp_deps deps = { 0 };
    struct flow_mask busy, idle;
    struct flow_key key = { .in_port = 1 };

    begin(7, 1);
    flow_mask_init(&busy);
    FLOW_MASK_EXACT(&busy, nw_src);
    flow_mask_init(&idle);
    FLOW_MASK_EXACT(&idle, nw_dst);
    for (unsigned int i = 0; i < 100; i++) {
        key.nw_src = i;
        flowtable_install(&ft, &key, flowtable_hash(&key), &busy, "", 0,
                          &deps, UINT64_C(1) << 40);
    }
    for (unsigned int i = 0; i < 100; i++) {
        key.nw_dst = i;
        flowtable_install(&ft, &key, flowtable_hash(&key), &idle, "", 0,
                          &deps, 1);
    }
    for (unsigned int i = 0; i < 1000; i++) {
        struct flow_mask mask;
        struct flow *flow;

        /* A short-lived one, in a table of its own, each time. */
        flow_mask_init(&mask);
        FLOW_MASK_EXACT(&mask, tp_src);
        flow = flowtable_install(&ft, &key, flowtable_hash(&key), &mask, "", 0,
                                 &deps, UINT64_C(1) << 40);
        flowtable_sweep(&ft, 10, UINT64_C(1) << 40, 1000);
        flowtable_remove(&ft, flow);
    }
    CU_ASSERT_EQUAL(ft.n_flows, 100);
    end();
}

void
suite_flowtable(void)
{
    CU_pSuite suite = CU_add_suite("flowtable", NULL, NULL);

    CU_add_test(suite, "a few masks against the model", test_few_masks);
    CU_add_test(suite, "many masks against the model", test_many_masks);
    CU_add_test(suite, "thousands of masks", test_thousands_of_masks);
    CU_add_test(suite, "growth by single buckets", test_growth);
    CU_add_test(suite, "a dead flow in the cache", test_dead_in_cache);
    CU_add_test(suite, "forged hash collisions", test_forged_collisions);
    CU_add_test(suite, "the sweep reaches all", test_sweep_reaches_all);
}
