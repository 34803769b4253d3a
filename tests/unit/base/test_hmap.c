/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hmap.c - the hash map against an array that does the same slowly.
 */
#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/hmap.h"

#define N 500

struct element {
    struct hmap_node node;
    int value;
    bool is_in;
};

static struct element elements[N];

void suite_hmap(void);

/* Few hashes make long chains. */
static uint32_t
hash_of(int value, bool is_bad)
{
    return is_bad ? (uint32_t) (value % 7) : hash_int((uint64_t) value, 0);
}

static size_t
count_by_walk(const struct hmap *map)
{
    const struct element *e;
    size_t n = 0;

    HMAP_FOR_EACH(e, node, map) {
        CU_ASSERT(e->is_in);
        n++;
    }
    CU_ASSERT_PTR_NULL(e);
    return n;
}

static void
check_all(const struct hmap *map, bool is_bad)
{
    size_t n = 0;

    for (int i = 0; i < N; i++) {
        const struct element *e;
        bool found = false;

        HMAP_FOR_EACH_WITH_HASH(e, node, hash_of(i, is_bad), map) {
            if (e->value == i) {
                found = true;
                break;
            }
        }
        CU_ASSERT_EQUAL(found, elements[i].is_in);
        n += elements[i].is_in;
    }
    CU_ASSERT_EQUAL(hmap_count(map), n);
    CU_ASSERT_EQUAL(hmap_is_empty(map), n == 0);
    CU_ASSERT_EQUAL(count_by_walk(map), n);
}

static void
run_random(bool is_bad)
{
    struct hmap map = HMAP_INIT(&map);

    srand(1);
    for (int i = 0; i < N; i++) {
        elements[i] = (struct element) { .value = i };
    }
    for (int step = 0; step < 20000; step++) {
        struct element *e = &elements[rand() % N];

        if (e->is_in) {
            hmap_remove(&map, &e->node);
        } else {
            hmap_insert(&map, &e->node, hash_of(e->value, is_bad));
        }
        e->is_in = !e->is_in;
        if (step % 500 == 0) {
            check_all(&map, is_bad);
        }
    }
    check_all(&map, is_bad);
    hmap_fini(&map);
}

static void
test_random(void)
{
    run_random(false);
    run_random(true);
}

static void
fill(struct hmap *map, int n)
{
    for (int i = 0; i < n; i++) {
        elements[i] = (struct element) { .value = i, .is_in = true };
        hmap_insert(map, &elements[i].node, hash_of(i, false));
    }
}

static void
test_safe_walk(void)
{
    struct hmap map = HMAP_INIT(&map);
    struct element *e, *next;
    int n = 0;

    fill(&map, N);
    HMAP_FOR_EACH_SAFE(e, next, node, &map) {
        if (e->value % 3) {
            hmap_remove(&map, &e->node);
            memset(e, 0xff, sizeof *e);
        }
        n++;
    }
    CU_ASSERT_EQUAL(n, N);
    CU_ASSERT_EQUAL(hmap_count(&map), (N + 2) / 3);
    HMAP_FOR_EACH_SAFE(e, next, node, &map) {
        hmap_remove(&map, &e->node);
    }
    CU_ASSERT(hmap_is_empty(&map));
    hmap_fini(&map);
}

static void
test_swap_and_clear(void)
{
    struct hmap a = HMAP_INIT(&a), b = HMAP_INIT(&b);

    fill(&a, 1);
    hmap_swap(&a, &b);
    CU_ASSERT(hmap_is_empty(&a));
    CU_ASSERT_EQUAL(count_by_walk(&a), 0);
    CU_ASSERT_EQUAL(count_by_walk(&b), 1);
    hmap_clear(&b);
    CU_ASSERT_EQUAL(count_by_walk(&b), 0);
    fill(&b, 100);
    hmap_swap(&a, &b);
    CU_ASSERT_EQUAL(count_by_walk(&a), 100);
    CU_ASSERT_EQUAL(count_by_walk(&b), 0);
    hmap_clear(&a);
    fill(&a, 3);
    CU_ASSERT_EQUAL(count_by_walk(&a), 3);
    hmap_fini(&a);
    hmap_fini(&b);
}

static void
test_reserve(void)
{
    struct hmap map = HMAP_INIT(&map);
    struct hmap_node **buckets;

    hmap_reserve(&map, N);
    buckets = map.buckets;
    fill(&map, N);
    CU_ASSERT_PTR_EQUAL(map.buckets, buckets);
    CU_ASSERT_EQUAL(count_by_walk(&map), N);
    hmap_fini(&map);
}

void
suite_hmap(void)
{
    CU_pSuite suite = CU_add_suite("hmap", NULL, NULL);

    CU_add_test(suite, "random", test_random);
    CU_add_test(suite, "safe_walk", test_safe_walk);
    CU_add_test(suite, "swap_and_clear", test_swap_and_clear);
    CU_add_test(suite, "reserve", test_reserve);
}
