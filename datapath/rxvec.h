/* SPDX-License-Identifier: Apache-2.0 */

/* rxvec.h - buffers held ready for recvmmsg() and readv(), one set per PMD
 * thread, shared by all vports that it polls.
 *
 * Each slot is a small mbuf and behind it a big one: a common packet takes
 * only the small one, and the big one stays for the next; a 64 kB super-packet
 * takes both as a chain.  So a thousand idle ports hold no buffers. */

#ifndef QANAT_RXVEC_H
#define QANAT_RXVEC_H 1

#include <sys/uio.h>

#include "datapath/pkt.h"

struct rxvec {
    struct rte_mbuf *small[PKT_BURST];
    struct rte_mbuf *big[PKT_BURST];
    struct iovec iov[PKT_BURST][2];     /* Room for a frame. */
};

void rxvec_init(struct rxvec *);
void rxvec_fini(struct rxvec *);

/* Makes slots 0..n-1 ready, 'reserve' bytes left free in front of the data in
 * addition to PKT_HEADROOM.  Returns how many are (fewer without memory).
 * When only big buffers are used up, a slot is ready with room for a common
 * packet, so that one port's super-packets cannot stop the others' pings. */
uint16_t rxvec_fill(struct rxvec *, uint16_t n, uint16_t reserve);

/* Bytes that slot 'i' has room for. */
static inline uint32_t
rxvec_room(const struct rxvec *vec, uint16_t i)
{
    return (uint32_t) (vec->iov[i][0].iov_len + vec->iov[i][1].iov_len);
}

/* Takes the packet of 'len' bytes, at most rxvec_room(), that was written into
 * slot 'i'.  Metadata is uninitialised. */
struct rte_mbuf *rxvec_take(struct rxvec *, uint16_t i, uint32_t len);

#endif /* rxvec.h */
