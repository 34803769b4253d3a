/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of vswitchd/ofports.c: numbers by hand, and at random against a naive
 * model. */

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "vswitchd/config.h"
#include "vswitchd/ofports.h"

void suite_ofports(void);

static void
test_basics(void)
{
    struct ofports p;

    ofports_init(&p);
    CU_ASSERT_EQUAL(ofports_get(&p, "a"), 1);
    CU_ASSERT_EQUAL(ofports_get(&p, "b"), 2);
    CU_ASSERT_EQUAL(ofports_get(&p, "a"), 1);
    CU_ASSERT(ofports_take(&p, "br0", OFPORT_LOCAL));

    /* A number that somebody holds is not to be had. */
    CU_ASSERT_FALSE(ofports_take(&p, "c", 1));
    CU_ASSERT_EQUAL(ofports_find(&p, "c"), 0);
    CU_ASSERT(ofports_take(&p, "a", 1));

    /* A fresh number is not one that was free a moment ago ... */
    ofports_release(&p, "b");
    CU_ASSERT_EQUAL(ofports_get(&p, "c"), 3);

    /* ... and who comes back finds the old one, if it is free. */
    CU_ASSERT_EQUAL(ofports_get(&p, "b"), 2);
    ofports_release(&p, "b");
    CU_ASSERT(ofports_take(&p, "d", 2));
    CU_ASSERT_EQUAL(ofports_get(&p, "b"), 4);

    /* Another number instead of the one that is held. */
    CU_ASSERT(ofports_take(&p, "a", 77));
    CU_ASSERT_EQUAL(ofports_find(&p, "a"), 77);
    CU_ASSERT(ofports_take(&p, "e", 1));

    ofports_release(&p, "never heard of");
    ofports_fini(&p);
}

static void
test_all_in_use(void)
{
    struct ofports p;
    char name[16];

    ofports_init(&p);
    for (uint32_t i = 1; i <= OFPORT_MAX; i++) {
        snprintf(name, sizeof name, "p%u", i);
        if (ofports_get(&p, name) != i) {
            CU_FAIL("not in order");
            break;
        }
    }
    CU_ASSERT_EQUAL(ofports_get(&p, "one more"), 0);
    ofports_release(&p, "p500");
    CU_ASSERT_EQUAL(ofports_get(&p, "one more"), 500);
    ofports_fini(&p);
}

/* The model: what each name holds. */
#define N_NAMES 40
#define N_NUMBERS 30

static void
test_random(void)
{
    uint32_t held[N_NAMES] = { 0 };
    struct ofports p;
    unsigned int seed = 42;

    ofports_init(&p);
    for (int step = 0; step < 20000; step++) {
        unsigned int i = (unsigned int) rand_r(&seed) % N_NAMES;
        uint32_t number = 1 + (unsigned int) rand_r(&seed) % N_NUMBERS;
        bool is_free = true;
        char name[8];

        snprintf(name, sizeof name, "p%u", i);
        for (unsigned int j = 0; j < N_NAMES; j++) {
            is_free &= j == i || held[j] != number;
        }
        switch (rand_r(&seed) % 3) {
        case 0:
            CU_ASSERT_EQUAL(ofports_take(&p, name, number), is_free);
            if (is_free) {
                held[i] = number;
            }
            break;
        case 1:
            ofports_release(&p, name);
            held[i] = 0;
            break;
        case 2:
            number = ofports_get(&p, name);
            CU_ASSERT(number != 0);
            for (unsigned int j = 0; j < N_NAMES; j++) {
                CU_ASSERT(j == i || held[j] != number);
            }
            CU_ASSERT(!held[i] || held[i] == number);
            held[i] = number;
            break;
        }
        CU_ASSERT_EQUAL(ofports_find(&p, name), held[i]);
    }
    ofports_fini(&p);
}

void
suite_ofports(void)
{
    CU_pSuite s = CU_add_suite("ofports", NULL, NULL);

    CU_add_test(s, "give, keep, find again", test_basics);
    CU_add_test(s, "all numbers in use", test_all_in_use);
    CU_add_test(s, "random against a model", test_random);
}
