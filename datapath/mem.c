/* SPDX-License-Identifier: Apache-2.0 */

/* mem.c - the three pools that every packet comes from.
 *
 * MAIN makes them once; PMD threads take and give back through DPDK's
 * per-lcore caches.  Nothing here may be called per packet but the three
 * mem_alloc_*(), which neither block nor log.
 *
 * Why three: a common packet is below 2 kB and a super-packet 64 kB.  One size
 * for both would either waste 62 kB on each ping or make a chain of 32 out of
 * each super-packet, and each link of a chain costs an iovec, a cache miss and
 * a free.  Small plus big makes it a chain of two. */

#include "datapath/mem.h"

#include <rte_errno.h>
#include <rte_mempool.h>

#include "datapath/pkt.h"
#include "lib/base/util.h"

/* Of the pools: what one thread may hold in its cache.  A burst, and what
 * segmentation makes of a super-packet, go to and fro without touching the
 * shared ring. */
#define SMALL_CACHE 256u
#define IND_CACHE 256u
#define BIG_CACHE 32u

/* References are cheap (no data room) and are needed in the greatest number:
 * one for each port of a flood, one for each segment of a super-packet. */
#define IND_PER_SMALL 2u

#define PRIV_SIZE                                                             \
    ((uint16_t) ROUND_UP(sizeof(struct pkt_meta), RTE_MBUF_PRIV_ALIGN))

_Static_assert(PKT_HEADROOM >= RTE_PKTMBUF_HEADROOM,
               "ethdev drivers find their headroom in a small buffer");

static struct rte_mempool *pool_small;
static struct rte_mempool *pool_big;
static struct rte_mempool *pool_ind;

static char *make_pool(struct rte_mempool **, const char *name,
                       unsigned int n, unsigned int cache, uint16_t room);

char *
mem_init(unsigned int n_small, unsigned int n_big)
{
    char *error = make_pool(&pool_small, "qanat_small", n_small, SMALL_CACHE,
                            PKT_HEADROOM + MEM_SMALL_ROOM);

    if (!error) {
        error = make_pool(&pool_big, "qanat_big", n_big, BIG_CACHE,
                          MEM_BIG_ROOM);
    }
    if (!error) {
        error = make_pool(&pool_ind, "qanat_ind", n_small * IND_PER_SMALL,
                          IND_CACHE, 0);
    }
    if (error) {
        mem_fini();
    }
    return error;
}

void
mem_fini(void)
{
    rte_mempool_free(pool_small);
    rte_mempool_free(pool_big);
    rte_mempool_free(pool_ind);
    pool_small = pool_big = pool_ind = NULL;
}

struct rte_mbuf *
mem_alloc_small(void)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool_small);

    if (LIKELY(m != NULL)) {
        m->data_off = PKT_HEADROOM;
    }
    return m;
}

struct rte_mbuf *
mem_alloc_big(void)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool_big);

    if (LIKELY(m != NULL)) {
        m->data_off = 0;
    }
    return m;
}

struct rte_mbuf *
mem_alloc_ind(void)
{
    return rte_pktmbuf_alloc(pool_ind);
}

struct rte_mempool *
mem_pool_small(void)
{
    return pool_small;
}

struct rte_mempool *
mem_pool_ind(void)
{
    return pool_ind;
}

void
mem_get_usage(struct mem_usage *usage)
{
    usage->n_small = pool_small->size;
    usage->n_small_free = rte_mempool_avail_count(pool_small);
    usage->n_big = pool_big->size;
    usage->n_big_free = rte_mempool_avail_count(pool_big);
    usage->n_ind = pool_ind->size;
    usage->n_ind_free = rte_mempool_avail_count(pool_ind);
}

/* 'room' counts the headroom.  Every pool has the same private size: DPDK
 * finds the mbuf behind a shared buffer by the reference's own one. */
static char *
make_pool(struct rte_mempool **pool, const char *name, unsigned int n,
          unsigned int cache, uint16_t room)
{
    /* DPDK refuses a cache of more than two thirds of the pool. */
    cache = MIN(cache, n / 2);
    /* Last given back, first taken: what a thread's cache cannot hold comes
     * back while the processor's still does.  DPDK's default, a ring, walks
     * through the whole pool; cutting 64 kB super-packets then spent a sixth
     * of its time on cold buffers.  Its driver may be missing. */
    *pool = rte_pktmbuf_pool_create_by_ops(name, n, cache, PRIV_SIZE, room,
                                           SOCKET_ID_ANY, "stack");
    if (!*pool) {
        *pool = rte_pktmbuf_pool_create(name, n, cache, PRIV_SIZE, room,
                                        SOCKET_ID_ANY);
    }
    if (!*pool) {
        return xasprintf("not enough memory for %u packet buffers of %u bytes"
                         " (%s)", n, (unsigned int) room,
                         rte_strerror(rte_errno));
    }
    return NULL;
}
