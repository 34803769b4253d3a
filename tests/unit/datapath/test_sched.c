/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c: queues find their threads, and stay there. */

#include "datapath/sched.h"

#include <CUnit/CUnit.h>

#include "datapath/vport.h"
#include "lib/base/util.h"

void suite_sched(void);

static void
test_assign(void)
{
    struct sched_rxq q[10];

    for (unsigned int i = 0; i < 10; i++) {
        q[i] = (struct sched_rxq) { .pmd = -1 };
    }
    sched_assign(q, 10, 3);
    for (unsigned int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(q[i].pmd, (int) i % 3);
    }

    /* A new one moves no other and goes where there is least to do. */
    q[1].load = 100;
    q[2].load = 10;
    q[9] = (struct sched_rxq) { .pmd = -1 };
    sched_assign(q, 10, 3);
    for (unsigned int i = 0; i < 9; i++) {
        CU_ASSERT_EQUAL(q[i].pmd, (int) i % 3);
    }
    CU_ASSERT_EQUAL(q[9].pmd, 0);

    /* A thread that is gone gives its queues to the others. */
    sched_assign(q, 10, 2);
    for (unsigned int i = 0; i < 10; i++) {
        CU_ASSERT(q[i].pmd == 0 || q[i].pmd == 1);
        CU_ASSERT(i % 3 == 2 || i == 9 || q[i].pmd == (int) i % 3);
    }
    CU_ASSERT_EQUAL(q[2].pmd, 0);       /* 1 has a load of 100. */
}

static void
test_no_threads(void)
{
    struct sched_rxq q = { .pmd = 3 };

    sched_assign(&q, 1, 0);
    CU_ASSERT_EQUAL(q.pmd, -1);
    sched_assign(NULL, 0, 4);
}

static void
test_masks(void)
{
    static const struct {
        const char *text;
        unsigned int n_cpus;
        int n;
        int cpus[4];
    } cases[] = {
        { "1", 4, 1, { 0 } },
        { "0xf", 4, 4, { 0, 1, 2, 3 } },
        { "0X5", 4, 2, { 0, 2 } },
        { "0000000000000000000A", 4, 2, { 1, 3 } },
        { "c", 4, 2, { 2, 3 } },
        { "8000000000000000", 64, 1, { 63 } },
        { "100000000000000000000", 81, 1, { 80 } },
        { "0", 4, -1, { 0 } },
        { "", 4, -1, { 0 } },
        { "0x", 4, -1, { 0 } },
        { "10", 4, -1, { 0 } },         /* CPU 4 is none of ours. */
        { "g", 4, -1, { 0 } },
        { "1 ", 4, -1, { 0 } },
        { "-1", 4, -1, { 0 } },
        { "1,2", 4, -1, { 0 } },
        { "1f", 8, -1, { 0 } },         /* More than there is room for. */
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        int cpus[4] = { -1, -1, -1, -1 };
        int n = sched_parse_mask(cases[i].text, cases[i].n_cpus, cpus, 4);

        CU_ASSERT_EQUAL(n, cases[i].n);
        for (int j = 0; j < n; j++) {
            CU_ASSERT_EQUAL(cpus[j], cases[i].cpus[j]);
        }
    }
}

void
suite_sched(void)
{
    CU_pSuite suite = CU_add_suite("sched", NULL, NULL);

    CU_add_test(suite, "queues to threads", test_assign);
    CU_add_test(suite, "no threads", test_no_threads);
    CU_add_test(suite, "CPU masks", test_masks);
}
