/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - see clock.h.
 *
 * The shown time is the kernel's plus an offset, or a frozen value.  Both are
 * atomics, so a reader needs no lock; a reader that races with a test's
 * clock_stop() sees the time before or after, which are the same.
 */
#include "lib/base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t offset_ns;
static _Atomic int64_t frozen_ns = -1;  /* -1: the clock runs. */

static int64_t
read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
clock_ns(void)
{
    int64_t frozen = atomic_load_explicit(&frozen_ns, memory_order_relaxed);

    if (__builtin_expect(frozen >= 0, 0)) {
        return frozen;
    }
    return read_clock(CLOCK_MONOTONIC)
           + atomic_load_explicit(&offset_ns, memory_order_relaxed);
}

int64_t
clock_us(void)
{
    return clock_ns() / 1000;
}

int64_t
clock_ms(void)
{
    return clock_ns() / 1000000;
}

int64_t
clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME) / 1000000;
}

void
clock_stop(void)
{
    int64_t running = -1;
    int64_t now = clock_ns();

    atomic_compare_exchange_strong(&frozen_ns, &running, now);
}

void
clock_warp(int64_t ms)
{
    if (atomic_load(&frozen_ns) >= 0) {
        atomic_fetch_add(&frozen_ns, ms * 1000000);
    } else {
        atomic_fetch_add(&offset_ns, ms * 1000000);
    }
}

void
clock_resume(void)
{
    int64_t frozen = atomic_load(&frozen_ns);

    if (frozen >= 0) {
        atomic_store(&offset_ns, frozen - read_clock(CLOCK_MONOTONIC));
        atomic_store(&frozen_ns, -1);
    }
}
