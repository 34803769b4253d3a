/* SPDX-License-Identifier: Apache-2.0 */

/* vnetio.h - a packet and its virtio-net header as an array of iovecs.
 *
 * The form in which packet sockets and taps take and give frames; shared by
 * vport_system.c, vport_internal.c and vport_vhost.c.  PMD threads. */

#ifndef QANAT_VNETIO_H
#define QANAT_VNETIO_H 1

#include <sys/uio.h>

#include "datapath/pkt.h"

/* Most iovecs that the kernel takes for one frame (UIO_MAXIOV). */
#define VNETIO_MAX_IOVS 1024u

/* The shortest frame that the kernel takes for Ethernet. */
#define VNETIO_MIN_LEN 14u

/* How many iovecs vnetio_gather() makes of 'm' at most. */
static inline unsigned int
vnetio_n_iovs(const struct rte_mbuf *m)
{
    return 1u + m->nb_segs;
}

/* Writes the header that tells the receiver what 'm' needs. */
static inline void
vnetio_fill(const struct rte_mbuf *m, struct virtio_net_hdr *hdr)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint32_t hdr_len = 0;

    /* The length of the headers is a hint: the kernel makes room for them in
     * one piece and puts the rest into pages. */
    if (md->need.csum) {
        hdr_len = (uint32_t) md->need.csum_start + md->need.csum_offset + 2;
        if (md->ofs.payload != PKT_OFS_NONE) {
            hdr_len = MAX(hdr_len, md->ofs.payload);
        }
        hdr_len = MIN(hdr_len, m->pkt_len);
    }
    vnet_fill(hdr, &md->need, (uint16_t) MIN(hdr_len, UINT16_MAX));
}

/* Describes the frame for sending: 'hdr', which is filled, and the segments.
 * Returns the number of iovecs written. */
static inline unsigned int
vnetio_gather(const struct rte_mbuf *m, struct virtio_net_hdr *hdr,
              struct iovec *iov)
{
    unsigned int n = 0;

    vnetio_fill(m, hdr);
    iov[n++] = (struct iovec) {hdr, sizeof *hdr};
    for (; m; m = m->next) {
        if (LIKELY(m->data_len)) {
            iov[n++] = (struct iovec) {pkt_data(m), m->data_len};
        }
    }
    return n;
}

/* Sets the metadata of a frame that came in with 'hdr', written by someone who
 * was offered 'offered'. */
static inline void
vnetio_accept(struct rte_mbuf *m, uint32_t in_port,
              const struct virtio_net_hdr *hdr, uint32_t offered)
{
    struct pkt_meta *md = pkt_meta(m);

    pkt_meta_init(m, in_port);
    /* Most small frames claim nothing, and nothing need be checked then. */
    md->has_vnet = (hdr->flags | hdr->gso_type) != 0;
    md->vnet = *hdr;
    md->offered = offered;
}

#endif /* vnetio.h */
