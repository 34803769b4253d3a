/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_clock.c - the clock that tests can stop and push.
 */
#include <CUnit/CUnit.h>
#include <time.h>

#include "lib/base/clock.h"

void suite_clock(void);

static void
spend_2ms(void)
{
    const struct timespec ts = { .tv_nsec = 2000000 };

    nanosleep(&ts, NULL);
}

static void
test_warp(void)
{
    int64_t before = clock_ms();
    int64_t stopped;

    spend_2ms();
    CU_ASSERT(clock_ms() > before);
    CU_ASSERT(clock_ms() < before + 60000);
    clock_warp(3600000);
    CU_ASSERT(clock_ms() >= before + 3600000);

    clock_stop();
    stopped = clock_ns();
    spend_2ms();
    CU_ASSERT_EQUAL(clock_ns(), stopped);
    clock_stop();
    clock_warp(5);
    CU_ASSERT_EQUAL(clock_ns(), stopped + 5000000);
    CU_ASSERT_EQUAL(clock_us(), (stopped + 5000000) / 1000);

    clock_resume();
    spend_2ms();
    CU_ASSERT(clock_ns() > stopped + 5000000);
    CU_ASSERT(clock_ms() < stopped / 1000000 + 60000);
    clock_resume();
}

static void
test_wall(void)
{
    int64_t now = clock_wall_ms();

    CU_ASSERT(now / 1000 >= time(NULL) - 2 && now / 1000 <= time(NULL));
    clock_warp(1000000);
    CU_ASSERT(clock_wall_ms() < now + 500000);
}

void
suite_clock(void)
{
    CU_pSuite suite = CU_add_suite("clock", NULL, NULL);

    CU_add_test(suite, "warp", test_warp);
    CU_add_test(suite, "wall", test_wall);
}
