/* SPDX-License-Identifier: Apache-2.0 */
/* mac_table.c: learning, moves, ageing by a warped clock, a full table, and
 * what those who depend on an entry see of it. */

#include "vswitchd/mac_table.h"

#include <CUnit/CUnit.h>
#include <pthread.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/util.h"

#define IDLE_S 300

void suite_mac_table(void);

static struct mac_table *mt;

static const uint8_t *
mac(unsigned int i)
{
    static uint8_t m[4][6];
    static unsigned int turn;
    uint8_t *p = m[turn++ % 4];

    p[0] = 2;
    p[1] = 0;
    p[2] = (uint8_t) (i >> 24);
    p[3] = (uint8_t) (i >> 16);
    p[4] = (uint8_t) (i >> 8);
    p[5] = (uint8_t) i;
    return p;
}

static struct dp_dep
learn(unsigned int i, uint16_t vlan, uint32_t ofport)
{
    struct dp_dep dep;

    mac_table_learn(mt, mac(i), vlan, ofport, &dep);
    return dep;
}

/* Where it lies, or 0. */
static uint32_t
find(unsigned int i, uint16_t vlan, struct dp_dep *dep)
{
    struct dp_dep scrap;
    uint32_t ofport = 99;

    if (mac_table_lookup(mt, mac(i), vlan, &ofport, dep ? dep : &scrap)) {
        return ofport;
    }
    CU_ASSERT_EQUAL(ofport, 99);
    return 0;
}

static bool
is_fresh(const struct dp_dep *dep)
{
    return atomic_load(&dep->cell->gen) == dep->seen;
}

/* As a PMD thread does for each hit of a flow that depends on it. */
static void
touch(const struct dp_dep *dep)
{
    CU_ASSERT(dep->touch);
    atomic_store(&dep->cell->used_s, (uint32_t) (clock_ms() / 1000));
}

static void
test_learn_and_move(void)
{
    struct dp_dep dep, seen, unknown, again;

    mt = mac_table_create(100, IDLE_S);
    CU_ASSERT_EQUAL(find(1, 0, &unknown), 0);
    CU_ASSERT(!unknown.touch);
    dep = learn(1, 0, 5);
    CU_ASSERT(!is_fresh(&unknown));     /* Who floods asks again. */
    CU_ASSERT(dep.touch && is_fresh(&dep));
    CU_ASSERT_EQUAL(find(1, 0, &seen), 5);
    CU_ASSERT(!seen.touch && is_fresh(&seen));
    CU_ASSERT_PTR_EQUAL(seen.cell, dep.cell);

    /* Each VLAN has its own. */
    CU_ASSERT_EQUAL(find(1, 7, &unknown), 0);
    learn(1, 4095, 6);
    CU_ASSERT_EQUAL(find(1, 4095, NULL), 6);
    CU_ASSERT_EQUAL(find(1, 0, NULL), 5);
    CU_ASSERT_EQUAL(mac_table_count(mt), 2);

    /* The same again changes nothing. */
    CU_ASSERT_EQUAL(find(2, 0, &unknown), 0);
    again = learn(1, 0, 5);
    CU_ASSERT_EQUAL(again.seen, dep.seen);
    CU_ASSERT(is_fresh(&dep) && is_fresh(&seen) && is_fresh(&unknown));

    /* It moves: whoever sent to the old place asks again, but not those who
     * flood for others. */
    again = learn(1, 0, 8);
    CU_ASSERT(!is_fresh(&dep) && !is_fresh(&seen));
    CU_ASSERT(is_fresh(&unknown) && is_fresh(&again));
    CU_ASSERT_EQUAL(find(1, 0, NULL), 8);
    CU_ASSERT_EQUAL(mac_table_count(mt), 2);
    mac_table_destroy(mt);
}

static void
test_zero_address(void)
{
    struct dp_dep dep;
    const uint8_t zero[6] = { 0 };
    uint32_t ofport;

    mt = mac_table_create(4, IDLE_S);
    CU_ASSERT(!mac_table_lookup(mt, zero, 0, &ofport, &dep));
    mac_table_learn(mt, zero, 0, 3, &dep);
    CU_ASSERT(mac_table_lookup(mt, zero, 0, &ofport, &dep));
    CU_ASSERT_EQUAL(ofport, 3);
    mac_table_destroy(mt);
}

static void
test_ageing(void)
{
    struct dp_dep idle, busy;

    clock_stop();
    mt = mac_table_create(100, IDLE_S);
    idle = learn(1, 0, 1);
    busy = learn(2, 0, 2);
    for (unsigned int s = 0; s < IDLE_S; s += 10) {
        clock_warp(10000);
        touch(&busy);
        mac_table_expire(mt);
    }
    CU_ASSERT_EQUAL(mac_table_count(mt), 2);    /* Not a second early. */
    clock_warp(1000);
    mac_table_expire(mt);
    CU_ASSERT_EQUAL(mac_table_count(mt), 1);
    CU_ASSERT_EQUAL(find(1, 0, NULL), 0);
    CU_ASSERT_EQUAL(find(2, 0, NULL), 2);
    CU_ASSERT(!is_fresh(&idle));
    CU_ASSERT(is_fresh(&busy));

    mac_table_set_idle(mt, 15);
    clock_warp(16000);
    mac_table_expire(mt);
    CU_ASSERT_EQUAL(mac_table_count(mt), 0);
    mac_table_destroy(mt);
    clock_resume();
}

/* A full table gives up the idle, not the busy. */
static void
test_full(void)
{
    const size_t max = 1000;
    struct dp_dep busy[20];
    unsigned int n_kept = 0;

    clock_stop();
    mt = mac_table_create(max, IDLE_S);
    CU_ASSERT(mac_table_has_size(mt, max) && !mac_table_has_size(mt, 999));
    for (unsigned int i = 0; i < ARRAY_SIZE(busy); i++) {
        busy[i] = learn(1000000 + i, 0, 9);
    }
    /* An inventor of addresses; the busy ones go on. */
    for (unsigned int i = 0; i < 30 * max; i++) {
        learn(i, 0, 1);
        CU_ASSERT(mac_table_count(mt) <= max);
        CU_ASSERT_EQUAL(find(i, 0, NULL), 1);
        if (i % 100 == 0) {
            clock_warp(1000);
            for (unsigned int j = 0; j < ARRAY_SIZE(busy); j++) {
                if (is_fresh(&busy[j])) {
                    touch(&busy[j]);
                }
            }
        }
    }
    CU_ASSERT_EQUAL(mac_table_count(mt), max);
    CU_ASSERT_EQUAL(mac_table_max(mt), max);
    for (unsigned int i = 0; i < ARRAY_SIZE(busy); i++) {
        n_kept += find(1000000 + i, 0, NULL) == 9;
    }
    CU_ASSERT_EQUAL(n_kept, ARRAY_SIZE(busy));
    mac_table_destroy(mt);
    clock_resume();
}

/* The cell of an entry that was given up tells, also once it is another's. */
static void
test_reuse(void)
{
    struct dp_dep old, other;

    mt = mac_table_create(1, IDLE_S);
    old = learn(1, 0, 1);
    other = learn(2, 0, 2);
    CU_ASSERT_PTR_EQUAL(old.cell, other.cell);
    CU_ASSERT(!is_fresh(&old));
    CU_ASSERT(is_fresh(&other));
    CU_ASSERT_EQUAL(find(1, 0, NULL), 0);
    CU_ASSERT_EQUAL(find(2, 0, NULL), 2);
    learn(1, 0, 1);
    CU_ASSERT(!is_fresh(&old) && !is_fresh(&other));
    mac_table_destroy(mt);
}

static void
test_no_room(void)
{
    struct dp_dep dep;

    mt = mac_table_create(0, IDLE_S);
    dep = learn(1, 0, 1);
    CU_ASSERT_PTR_NOT_NULL(dep.cell);
    CU_ASSERT(!dep.touch && is_fresh(&dep));
    CU_ASSERT_EQUAL(find(1, 0, &dep), 0);
    CU_ASSERT(is_fresh(&dep));
    mac_table_expire(mt);
    mac_table_flush(mt);
    CU_ASSERT_EQUAL(mac_table_count(mt), 0);
    mac_table_destroy(mt);
    mac_table_destroy(NULL);
}

static void
test_flush(void)
{
    struct dp_dep one, two;

    mt = mac_table_create(100, IDLE_S);
    for (unsigned int i = 0; i < 30; i++) {
        learn(i, (uint16_t) i, i % 3 + 1);
    }
    CU_ASSERT_EQUAL(find(0, 0, &one), 1);
    CU_ASSERT_EQUAL(find(1, 1, &two), 2);
    mac_table_flush_port(mt, 2);
    CU_ASSERT_EQUAL(mac_table_count(mt), 20);
    CU_ASSERT(is_fresh(&one) && !is_fresh(&two));
    for (unsigned int i = 0; i < 30; i++) {
        CU_ASSERT_EQUAL(find(i, (uint16_t) i, NULL),
                        i % 3 == 1 ? 0 : i % 3 + 1);
    }
    mac_table_flush(mt);
    CU_ASSERT_EQUAL(mac_table_count(mt), 0);
    CU_ASSERT(!is_fresh(&one));
    mac_table_destroy(mt);
}

struct seen {
    unsigned int n;
    unsigned int age_s;
    uint64_t sum;
};

static void
view(const struct mac_view *v, void *aux)
{
    struct seen *seen = aux;

    CU_ASSERT(!memcmp(v->mac, mac(v->mac[5]), 6));
    CU_ASSERT_EQUAL(v->vlan, 4000 + v->mac[5]);
    CU_ASSERT_EQUAL(v->ofport, 100u + v->mac[5]);
    seen->n++;
    seen->sum += v->mac[5];
    seen->age_s = v->age_s;
}

static void
test_for_each(void)
{
    struct seen seen = { 0 };

    clock_stop();
    mt = mac_table_create(100, IDLE_S);
    for (unsigned int i = 0; i < 50; i++) {
        learn(i, (uint16_t) (4000 + i), 100 + i);
    }
    clock_warp(7000);
    mac_table_for_each(mt, view, &seen);
    CU_ASSERT_EQUAL(seen.n, 50);
    CU_ASSERT_EQUAL(seen.sum, 50 * 49 / 2);
    CU_ASSERT_EQUAL(seen.age_s, 7);
    mac_table_destroy(mt);
    clock_resume();
}

/* Two threads learn and look up, a third expires and flushes.  Whatever a
 * lookup answers with a fresh dependency was learned by somebody. */
static _Atomic unsigned int n_wrong;

static void *
learn_and_look(void *seed_)
{
    uint64_t x = *(const uint64_t *) seed_;

    for (unsigned int n = 0; n < 200000; n++) {
        uint8_t m[6] = { 2, 0, 0, 0, 0, 0 };
        struct dp_dep dep;
        uint32_t ofport;

        x = x * 6364136223846793005u + 1442695040888963407u;
        m[5] = (uint8_t) (x >> 40);
        m[4] = (x >> 50) & 1;
        if (x >> 63) {
            mac_table_learn(mt, m, 5, 1 + m[5], &dep);
        } else if (mac_table_lookup(mt, m, 5, &ofport, &dep)
                   && ofport != 1u + m[5]) {
            atomic_fetch_add(&n_wrong, 1);
        }
    }
    return NULL;
}

static void
test_threads(void)
{
    uint64_t seeds[2] = { 1, 2 };
    pthread_t threads[2];

    mt = mac_table_create(300, IDLE_S);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(!pthread_create(&threads[i], NULL, learn_and_look,
                                  &seeds[i]));
    }
    for (int i = 0; i < 300; i++) {
        mac_table_expire(mt);
        mac_table_flush_port(mt, (uint32_t) i % 256);
        CU_ASSERT(mac_table_count(mt) <= 300);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    mac_table_flush(mt);
    CU_ASSERT_EQUAL(mac_table_count(mt), 0);
    mac_table_destroy(mt);
}

void
suite_mac_table(void)
{
    CU_pSuite suite = CU_add_suite("mac_table", NULL, NULL);

    CU_add_test(suite, "learning and moving", test_learn_and_move);
    CU_add_test(suite, "the address of zeros", test_zero_address);
    CU_add_test(suite, "ageing", test_ageing);
    CU_add_test(suite, "a full table", test_full);
    CU_add_test(suite, "an entry used again", test_reuse);
    CU_add_test(suite, "room for none", test_no_room);
    CU_add_test(suite, "flushing", test_flush);
    CU_add_test(suite, "each entry", test_for_each);
    CU_add_test(suite, "two threads", test_threads);
}
