/* SPDX-License-Identifier: Apache-2.0 */

/* pmtu_event.c - see pmtu_event.h.
 *
 * Beside the packet's way.  PMD threads raise, MAIN listens.  Must never
 * block. */

#include "datapath/pmtu_event.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/util.h"

#define PAUSE_MS 20

static _Atomic int event_fd = -1;
static _Atomic uint64_t last_ms;        /* Nothing is ordered by it. */

int
pmtu_event_fd(void)
{
    int fd = atomic_load(&event_fd);

    if (fd < 0) {
        fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        atomic_store(&event_fd, fd);
    }
    return fd;
}

void
pmtu_event_raise(uint64_t now_ms)
{
    static const uint64_t one = 1;
    uint64_t last = atomic_load_explicit(&last_ms, memory_order_relaxed);
    int fd = atomic_load(&event_fd);

    /* Of several threads one tells. */
    if (fd >= 0 && now_ms - last >= PAUSE_MS
        && atomic_compare_exchange_strong_explicit(&last_ms, &last, now_ms,
                                                   memory_order_relaxed,
                                                   memory_order_relaxed)) {
        /* Full means that it is readable anyway. */
        ssize_t n UNUSED = write(fd, &one, sizeof one);
    }
}
