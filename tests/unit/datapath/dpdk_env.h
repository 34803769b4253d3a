/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the fast path share: DPDK without root, packet memory,
 * packets out of bytes in any shape of chain and back, and random numbers that
 * are the same in each run. */
#ifndef TESTS_UNIT_DATAPATH_DPDK_ENV_H
#define TESTS_UNIT_DATAPATH_DPDK_ENV_H 1

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts DPDK and makes the pools of mem.h.  More calls do nothing. */
void dpdk_env_start(void);

/* Whether every mbuf of every pool is back. */
bool dpdk_env_is_full(void);

/* How the bytes of a packet are spread. */
enum dpdk_env_shape {
    SHAPE_BIG,                  /* One buffer (one chain link more where the
                                 * largest buffer is too small). */
    SHAPE_SMALL_BIG,            /* A small buffer and the rest in a big one,
                                 * as rx makes it. */
    SHAPE_TINY,                 /* 'head' bytes, then many of 1 to 300. */
    N_SHAPES
};

/* A packet with the bytes at 'data'; in SHAPE_TINY the first buffer has at
 * least 'head' of them.  Metadata is initialised. */
struct rte_mbuf *dpdk_env_packet(const void *data, uint32_t len,
                                 enum dpdk_env_shape, uint32_t head);

/* Copies a packet's bytes to 'to' (of 'size' bytes) after checking the chain's
 * own arithmetic.  Returns the length, or UINT32_MAX when something is
 * wrong. */
uint32_t dpdk_env_bytes(const struct rte_mbuf *, void *to, uint32_t size);

/* Random numbers: a seed, a 32-bit number, one in [min, max], and bytes. */
void dpdk_env_seed(uint64_t);
uint32_t dpdk_env_random(void);
uint32_t dpdk_env_range(uint32_t min, uint32_t max);
void dpdk_env_fill(void *, uint32_t len);

#endif /* tests/unit/datapath/dpdk_env.h */
