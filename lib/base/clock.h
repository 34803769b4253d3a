/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the time of day, and the time that only goes forward.
 *
 * Everything that ages or waits asks here and not the kernel, so that a test
 * can stop time or let an hour pass at once.  All functions may be called by
 * any thread; reading is lock-free.
 */
#ifndef QANAT_BASE_CLOCK_H
#define QANAT_BASE_CLOCK_H 1

#include <stdint.h>

/* Monotonic time since an arbitrary start, in the unit of the name. */
int64_t clock_ms(void);
int64_t clock_us(void);
int64_t clock_ns(void);

/* Milliseconds since 1970-01-01 00:00:00 UTC.  May jump with the system's
 * clock; never warped. */
int64_t clock_wall_ms(void);

/* Tests only: freezes the monotonic clock where it stands.  From then on
 * just clock_warp() moves it.  Further calls do nothing. */
void clock_stop(void);

/* Tests only: moves the monotonic clock forward by 'ms' (>= 0), whether it is
 * stopped or not.  Timers of libevent do not take part. */
void clock_warp(int64_t ms);

/* Tests only: lets a stopped clock run again.  The clock never goes back: it
 * goes on from where it stood. */
void clock_resume(void);

#endif /* QANAT_BASE_CLOCK_H */
