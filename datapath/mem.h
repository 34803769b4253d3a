/* SPDX-License-Identifier: Apache-2.0 */

/* mem.h - packet memory: three mempools, made by MAIN at start.
 *
 * 'small' holds the common packet and all ethdev receive buffers, 'big' the
 * rest of a super-packet, 'ind' references without room of their own.  All
 * have 'struct pkt_meta' as private area. */

#ifndef QANAT_MEM_H
#define QANAT_MEM_H 1

#include <rte_mbuf.h>

#define MEM_SMALL_ROOM 2048     /* Behind a headroom of PKT_HEADROOM. */
#define MEM_BIG_ROOM 64000

/* Returns NULL or an error sentence (caller frees).  MAIN. */
char *mem_init(unsigned int n_small, unsigned int n_big);
void mem_fini(void);

/* PMD.  NULL when used up; the caller drops as DROP_NO_MBUF.  Data begins at
 * PKT_HEADROOM in a small one and at 0 in a big one; metadata is
 * uninitialised. */
struct rte_mbuf *mem_alloc_small(void);
struct rte_mbuf *mem_alloc_big(void);
struct rte_mbuf *mem_alloc_ind(void);

/* The pool that ethdev receive queues are given. */
struct rte_mempool *mem_pool_small(void);
struct rte_mempool *mem_pool_ind(void);

struct mem_usage {
    unsigned int n_small, n_small_free, n_big, n_big_free, n_ind, n_ind_free;
};
void mem_get_usage(struct mem_usage *);

#endif /* mem.h */
