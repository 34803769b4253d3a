/* SPDX-License-Identifier: Apache-2.0 */

/* dp_private.h - what dp.c has for the rest of the fast path. */

#ifndef QANAT_DP_PRIVATE_H
#define QANAT_DP_PRIVATE_H 1

#include <stdatomic.h>

#include "datapath/dp.h"
#include "datapath/vport.h"

struct pmd;

/* Written by MAIN, read by PMD threads. */
extern _Atomic uint32_t dp_pipeline_gen;
extern _Atomic uint32_t dp_idle_ms;
extern dp_upcall_fn *dp_upcall_function;        /* Set before any thread. */

/* Pairs with the release in dp_pipeline_changed(). */
static inline uint32_t
dp_pipeline_generation(void)
{
    return atomic_load_explicit(&dp_pipeline_gen, memory_order_acquire);
}

static inline uint32_t
dp_max_idle_ms(void)
{
    return atomic_load_explicit(&dp_idle_ms, memory_order_relaxed);
}

/* MAIN.  The PMD threads; NULL behind the last. */
struct pmd *dp_pmd(unsigned int i);

/* MAIN.  Ends all threads, closes all ports. */
void dp_close_all(void);

#endif /* dp_private.h */
