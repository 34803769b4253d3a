/* SPDX-License-Identifier: Apache-2.0 */

/* sched.h - which PMD thread polls which receive queue: a pure function. */

#ifndef QANAT_SCHED_H
#define QANAT_SCHED_H 1

#include <stdbool.h>
#include <stdint.h>

struct sched_rxq {
    uint64_t load;              /* Measured cycles; 0: not known. */
    int pmd;                    /* In: where it is now, -1: nowhere.
                                 * Out: where it shall be. */
};

/* Gives each queue without a place to the thread with the least load, then the
 * fewest queues; a queue that has a place on a thread that exists stays, so
 * that a new port moves no other. */
void sched_assign(struct sched_rxq *, unsigned int n_rxqs,
                  unsigned int n_pmds);

/* Reads a CPU mask as in other_config:pmd-cpu-mask: hexadecimal, with or
 * without "0x".  Returns how many of the CPUs 0..n_cpus-1 it names and puts
 * them into 'cpus' (room for 'max'), or -1 when the text is no mask or names
 * none or others. */
int sched_parse_mask(const char *text, unsigned int n_cpus, int *cpus,
                     unsigned int max);

#endif /* sched.h */
