/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_queue.c - see vhost_queue.h.
 *
 * Runs in librte_vhost's threads, while no PMD thread uses the queue;
 * vhost_queue_call() in PMD threads. */

#include "datapath/vhost_queue.h"

#include <unistd.h>

#include <rte_vhost.h>

#include "datapath/vport.h"
#include "lib/base/log.h"
#include "lib/base/util.h"
#include "lib/pkt/vnet.h"

LOG_MODULE(vhost_queue);

/* Not in every linux/virtio_net.h. */
#define F_GUEST_USO4 54
#define F_GUEST_USO6 55
#define F_HOST_USO 56

#define BIT(N) (UINT64_C(1) << (N))

/* What a guest may negotiate: the same for every guest, at all times, and no
 * more than every way through the switch honours.  Left out, of what
 * librte_vhost knows: logging of writes (live migration), translated addresses
 * (IOMMU). */
#define FEATURES                                                              \
    (BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM)                    \
     | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6)              \
     | BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_HOST_UFO)                \
     | BIT(F_HOST_USO)                                                        \
     | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6)            \
     | BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_GUEST_UFO)              \
     | BIT(F_GUEST_USO4) | BIT(F_GUEST_USO6)                                  \
     | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_MQ)                     \
     | BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX)                  \
     | BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT(VIRTIO_NET_F_MTU)               \
     | BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_F_VERSION_1)                     \
     | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER)                     \
     | BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX)        \
     | BIT(VHOST_USER_F_PROTOCOL_FEATURES))

static bool is_inside(const struct virtq_mem *, const void *, size_t len,
                      size_t alignment);
static uint32_t offered_by(uint64_t features);
static uint32_t caps_of(uint64_t features);

uint64_t
vhost_features(void)
{
    return FEATURES;
}

bool
vhost_queue_set(struct vhost_queue *q, const struct rte_vhost_vring *vring,
                uint64_t features)
{
    bool is_packed = features & BIT(VIRTIO_F_RING_PACKED);
    bool has_event_idx = features & BIT(VIRTIO_RING_F_EVENT_IDX);
    size_t n = vring->size;
    size_t driver_len = sizeof(struct vring_packed_desc_event);
    size_t device_len = driver_len;

    q->is_mergeable = features & BIT(VIRTIO_NET_F_MRG_RXBUF);
    q->hdr_len = sizeof(struct virtio_net_hdr);
    if (features & (BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_F_VERSION_1)
                    | BIT(VIRTIO_F_RING_PACKED))) {
        q->hdr_len = sizeof(struct virtio_net_hdr_mrg_rxbuf);
    }
    q->offered = offered_by(features);
    q->caps = caps_of(features);

    q->ring.is_packed = is_packed;
    q->ring.has_event_idx = has_event_idx;
    q->ring.desc = vring->desc;
    q->ring.driver = vring->avail;
    q->ring.device = vring->used;
    if (!is_packed) {
        driver_len = sizeof *vring->avail
                     + (n + has_event_idx) * sizeof vring->avail->ring[0];
        device_len = sizeof *vring->used + n * sizeof vring->used->ring[0]
                     + has_event_idx * sizeof(uint16_t);
    }
    q->ring.size = (uint16_t) n;
    return n && n <= VIRTQ_MAX_SIZE && (is_packed || IS_POW2(n))
           && is_inside(q->ring.mem, q->ring.desc,
                        n * sizeof(struct vring_desc), 16)
           && is_inside(q->ring.mem, q->ring.driver, driver_len,
                        is_packed ? 4 : 2)
           && is_inside(q->ring.mem, q->ring.device, device_len, 4);
}

void
vhost_queue_call(const struct vhost_queue *q)
{
    uint64_t one = 1;

    if (q->call_fd >= 0 && write(q->call_fd, &one, sizeof one) < 0) {
        /* The guest's own descriptor; it has been told already if full. */
        log_dbg_rl("a guest's interrupt is not taken");
    }
}

static bool
is_inside(const struct virtq_mem *mem, const void *p, size_t len,
          size_t alignment)
{
    if ((uintptr_t) p % alignment) {
        return false;
    }
    for (unsigned int i = 0; i < mem->n; i++) {
        const struct virtq_region *r = &mem->regions[i];
        uintptr_t ofs = (uintptr_t) p - (uintptr_t) r->host;

        if (ofs < r->size) {
            return len <= r->size - ofs;
        }
    }
    return false;
}

static uint32_t
offered_by(uint64_t features)
{
    static const struct {
        unsigned int feature;
        uint32_t offer;
    } map[] = {
        { VIRTIO_NET_F_CSUM, VNET_OFFER_CSUM },
        { VIRTIO_NET_F_HOST_TSO4, 1u << PKT_GSO_TCP4 },
        { VIRTIO_NET_F_HOST_TSO6, 1u << PKT_GSO_TCP6 },
        { VIRTIO_NET_F_HOST_ECN, VNET_OFFER_ECN },
        { VIRTIO_NET_F_HOST_UFO, 1u << PKT_GSO_UFO },
        { F_HOST_USO, 1u << PKT_GSO_USO },
    };
    uint32_t offered = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(map); i++) {
        if (features & BIT(map[i].feature)) {
            offered |= map[i].offer;
        }
    }
    return offered;
}

static uint32_t
caps_of(uint64_t features)
{
    static const struct {
        uint64_t features;
        uint32_t cap;
    } map[] = {
        { BIT(VIRTIO_NET_F_GUEST_TSO4), VPORT_CAP_TSO4 },
        { BIT(VIRTIO_NET_F_GUEST_TSO6), VPORT_CAP_TSO6 },
        { BIT(VIRTIO_NET_F_GUEST_ECN), VPORT_CAP_ECN },
        { BIT(VIRTIO_NET_F_GUEST_UFO), VPORT_CAP_UFO },
        { BIT(F_GUEST_USO4) | BIT(F_GUEST_USO6), VPORT_CAP_USO },
    };
    uint32_t caps = VPORT_CAP_CHAIN;

    /* All of them need it. */
    if (features & BIT(VIRTIO_NET_F_GUEST_CSUM)) {
        caps |= VPORT_CAP_CSUM;
        for (unsigned int i = 0; i < ARRAY_SIZE(map); i++) {
            if ((features & map[i].features) == map[i].features) {
                caps |= map[i].cap;
            }
        }
    }
    return caps;
}
