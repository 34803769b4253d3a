/* SPDX-License-Identifier: Apache-2.0 */

/* rxvec.c - buffers held ready for recvmmsg() and readv().
 *
 * The first stage of a packet's way where a kernel hands it over by copying:
 * vport_system.c and vport_internal.c.  Runs in the PMD thread that owns the
 * vector; never blocks, never logs.
 *
 * Invariant: a slot's buffers are fresh from the pool (no bytes, no chain),
 * and belong to the slot until rxvec_take(). */

#include "datapath/rxvec.h"

#include "datapath/mem.h"

static void prepare(struct iovec *, const struct rte_mbuf *);

void
rxvec_init(struct rxvec *vec)
{
    memset(vec, 0, sizeof *vec);
}

void
rxvec_fini(struct rxvec *vec)
{
    for (unsigned int i = 0; i < PKT_BURST; i++) {
        rte_pktmbuf_free(vec->small[i]);
        rte_pktmbuf_free(vec->big[i]);
    }
    memset(vec, 0, sizeof *vec);
}

uint16_t
rxvec_fill(struct rxvec *vec, uint16_t n, uint16_t reserve)
{
    for (uint16_t i = 0; i < n; i++) {
        if (!vec->small[i]) {
            vec->small[i] = mem_alloc_small();
            if (UNLIKELY(!vec->small[i])) {
                return i;
            }
        }
        if (!vec->big[i]) {
            vec->big[i] = mem_alloc_big();
        }
        /* Each time, for the last user of the slot may have asked for another
         * reserve. */
        vec->small[i]->data_off = (uint16_t) (PKT_HEADROOM + reserve);
        prepare(&vec->iov[i][0], vec->small[i]);
        prepare(&vec->iov[i][1], vec->big[i]);
    }
    return n;
}

struct rte_mbuf *
rxvec_take(struct rxvec *vec, uint16_t i, uint32_t len)
{
    struct rte_mbuf *m = vec->small[i];
    uint32_t room = (uint32_t) vec->iov[i][0].iov_len;

    vec->small[i] = NULL;
    m->pkt_len = len;
    if (LIKELY(len <= room)) {
        m->data_len = (uint16_t) len;
        return m;
    }

    m->data_len = (uint16_t) room;
    m->next = vec->big[i];
    m->nb_segs = 2;
    m->next->data_len = (uint16_t) (len - room);
    vec->big[i] = NULL;
    return m;
}

static void
prepare(struct iovec *iov, const struct rte_mbuf *m)
{
    iov->iov_base = m ? pkt_data(m) : NULL;
    iov->iov_len = m ? rte_pktmbuf_tailroom(m) : 0;
}
