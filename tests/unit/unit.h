/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit test may ask of the runner (main.c) beside CUnit itself.
 *
 * Each suite runs in a process of its own, as an ordinary user.  A test that
 * lacks something that it cannot make itself says so with unit_skip() and
 * returns; it counts as skipped, with its reason printed. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H 1

/* Marks the running test as skipped because of REASON, a string that lives
 * for ever.  The caller then returns. */
void unit_skip(const char *reason);

/* Starts DPDK's environment for tests that need mbufs or vdevs: memory
 * without huge pages, no PCI, no files left behind.  The first call starts
 * it, more calls do nothing.  Fails the program if it cannot be had. */
void unit_start_dpdk(void);

#endif /* tests/unit/unit.h */
