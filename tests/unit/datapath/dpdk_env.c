/* SPDX-License-Identifier: Apache-2.0 */
/* dpdk_env.c - see dpdk_env.h. */

#include "tests/unit/datapath/dpdk_env.h"

#include <stdio.h>
#include <stdlib.h>

#include "datapath/mem.h"
#include "datapath/pkt.h"
#include "tests/unit/unit.h"

static uint64_t state = 1;

void
dpdk_env_start(void)
{
    static bool is_started;
    char *error;

    if (is_started) {
        return;
    }
    is_started = true;
    unit_start_dpdk();
    error = mem_init(8192, 64);
    if (error) {
        fprintf(stderr, "unit-tests: %s\n", error);
        exit(1);
    }
}

bool
dpdk_env_is_full(void)
{
    struct mem_usage u;

    mem_get_usage(&u);
    if (u.n_small != u.n_small_free || u.n_big != u.n_big_free
        || u.n_ind != u.n_ind_free) {
        fprintf(stderr, "lost: %u small, %u big, %u indirect\n",
                u.n_small - u.n_small_free, u.n_big - u.n_big_free,
                u.n_ind - u.n_ind_free);
        return false;
    }
    return true;
}

static struct rte_mbuf *
alloc_for(enum dpdk_env_shape shape, bool is_first, uint32_t left)
{
    bool small = shape == SHAPE_TINY || (shape == SHAPE_SMALL_BIG && is_first)
                 || left <= MEM_SMALL_ROOM / 2;

    return small ? mem_alloc_small() : mem_alloc_big();
}

static uint32_t
piece_len(enum dpdk_env_shape shape, bool is_first, uint32_t left,
          uint32_t head, uint32_t room)
{
    uint32_t n = left;

    if (shape == SHAPE_TINY) {
        n = is_first ? head + dpdk_env_range(0, 20) : dpdk_env_range(1, 300);
    }
    n = MIN(n, room);
    return MIN(n, left);
}

struct rte_mbuf *
dpdk_env_packet(const void *data_, uint32_t len, enum dpdk_env_shape shape,
                uint32_t head)
{
    const uint8_t *data = data_;
    struct rte_mbuf *first = NULL, *last = NULL;
    uint32_t done = 0;

    do {
        struct rte_mbuf *m = alloc_for(shape, !first, len - done);
        uint32_t n;

        if (!m) {
            abort();
        }
        n = piece_len(shape, !first, len - done, MAX(head, 1),
                      rte_pktmbuf_tailroom(m));
        memcpy(pkt_data(m), data + done, n);
        m->data_len = (uint16_t) n;
        m->pkt_len = n;
        done += n;
        if (first) {
            last->next = m;
            first->nb_segs++;
            first->pkt_len += n;
        } else {
            first = m;
            pkt_meta_init(m, 1);
        }
        last = m;
    } while (done < len);
    return first;
}

uint32_t
dpdk_env_bytes(const struct rte_mbuf *m, void *to, uint32_t size)
{
    uint32_t len = m->pkt_len, done = 0;
    uint16_t n_segs = 0;

    if (len > size) {
        return UINT32_MAX;
    }
    for (const struct rte_mbuf *seg = m; seg; seg = seg->next) {
        if (seg->data_len > size - done
            || seg->data_off + seg->data_len > seg->buf_len) {
            return UINT32_MAX;
        }
        memcpy((uint8_t *) to + done, rte_pktmbuf_mtod(seg, uint8_t *),
               seg->data_len);
        done += seg->data_len;
        n_segs++;
    }
    return done == len && n_segs == m->nb_segs ? len : UINT32_MAX;
}

void
dpdk_env_seed(uint64_t seed)
{
    state = seed * 0x9e3779b97f4a7c15u + 1;
}

uint32_t
dpdk_env_random(void)
{
    /* xorshift64*. */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t) ((state * 0x2545f4914f6cdd1du) >> 32);
}

uint32_t
dpdk_env_range(uint32_t min, uint32_t max)
{
    return min + dpdk_env_random() % (max - min + 1);
}

void
dpdk_env_fill(void *p_, uint32_t len)
{
    uint8_t *p = p_;

    for (uint32_t i = 0; i < len; i++) {
        p[i] = (uint8_t) (dpdk_env_random() >> 5);
    }
}
