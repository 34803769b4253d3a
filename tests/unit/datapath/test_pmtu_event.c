/* SPDX-License-Identifier: Apache-2.0 */

/* test_pmtu_event.c - that MAIN hears of a refused packet, and not too often.
 */

#include <CUnit/CUnit.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "datapath/pmtu_event.h"

void suite_pmtu_event(void);

static bool
is_raised(void)
{
    struct pollfd p = { .fd = pmtu_event_fd(), .events = POLLIN };

    return poll(&p, 1, 0) == 1;
}

static void
hear(void)
{
    uint64_t n;

    CU_ASSERT_EQUAL(read(pmtu_event_fd(), &n, sizeof n), sizeof n);
}

static void
test_raise(void)
{
    uint64_t now_ms = 1000000;

    CU_ASSERT_FATAL(pmtu_event_fd() >= 0);
    CU_ASSERT_EQUAL(pmtu_event_fd(), pmtu_event_fd());
    CU_ASSERT_FALSE(is_raised());

    pmtu_event_raise(now_ms);
    CU_ASSERT_TRUE(is_raised());
    hear();
    CU_ASSERT_FALSE(is_raised());

    /* A flood is told once in a while. */
    for (int i = 0; i < 1000; i++) {
        pmtu_event_raise(now_ms + 1);
    }
    CU_ASSERT_FALSE(is_raised());
    pmtu_event_raise(now_ms + 1000);
    CU_ASSERT_TRUE(is_raised());
    hear();
}

void
suite_pmtu_event(void)
{
    CU_pSuite suite = CU_add_suite("pmtu_event", NULL, NULL);

    CU_add_test(suite, "raise", test_raise);
}
