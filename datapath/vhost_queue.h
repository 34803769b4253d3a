/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_queue.h - one virtqueue of a guest, and what was negotiated for it. */

#ifndef QANAT_VHOST_QUEUE_H
#define QANAT_VHOST_QUEUE_H 1

#include <stdbool.h>
#include <stdint.h>

#include <rte_spinlock.h>

#include "lib/pkt/virtq.h"

struct rte_vhost_vring;

/* One virtqueue: even numbers are what the guest receives from, odd ones what
 * it sends to. */
struct vhost_queue {
    rte_spinlock_t lock;        /* Whoever uses or changes the rest. */
    bool is_ready;              /* Else the rest means nothing. */
    bool is_mergeable;          /* A frame may take several chains. */
    bool wants_kicks;
    uint8_t hdr_len;            /* Of the virtio-net header, 10 or 12. */
    int call_fd;                /* -1: none. */
    uint32_t offered;           /* VNET_OFFER_*: what the guest may claim. */
    uint32_t caps;              /* enum vport_cap: what it takes. */
    struct virtq ring;
} __rte_cache_aligned;

/* What every guest is offered, always the same: nothing is ever withdrawn from
 * a guest that comes back. */
uint64_t vhost_features(void);

/* Sets all but is_ready, call_fd and the ring's place; ring.mem is set.  False
 * where the ring is not wholly in that memory: then the queue must not be
 * used.  While it is not ready. */
bool vhost_queue_set(struct vhost_queue *, const struct rte_vhost_vring *,
                     uint64_t features);

/* Interrupts the guest.  PMD, holding the queue. */
void vhost_queue_call(const struct vhost_queue *);

#endif /* vhost_queue.h */
