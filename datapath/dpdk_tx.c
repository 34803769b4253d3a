/* SPDX-License-Identifier: Apache-2.0 */

/* dpdk_tx.c - last stage of a packet's way on an ethdev.
 *
 * A packet socket takes "sum from here on and write it there"; an ethdev wants
 * to be told header lengths and protocols, and of the TCP pseudo header a sum
 * without the length when it is to segment.  What cannot be said that way (a
 * checksum inside a tunnel, behind IPv6 extension headers) is done here in
 * software.
 *
 * PMD threads; never waits. */

#include "datapath/dpdk_tx.h"

#include <rte_ethdev.h>

#include "datapath/pkt.h"
#include "datapath/pmd.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

/* Where a checksum lies that the device can do. */
struct place {
    uint16_t l3;
    bool is_ip6;
    bool is_tcp;
};

static struct rte_mbuf *prepare(const struct dpdk_tx *, struct rte_mbuf *,
                                enum drop_reason *);
static struct rte_mbuf *prepare_csum(const struct dpdk_tx *,
                                     struct rte_mbuf *, enum drop_reason *);
static bool find_place(const struct rte_mbuf *, struct place *);
static bool prepare_tso(const struct dpdk_tx *, struct rte_mbuf *,
                        const struct place *);
static void finish_csum(struct rte_mbuf *);

void
dpdk_tx_init(struct dpdk_tx *tx, uint16_t port_id,
             const struct rte_eth_dev_info *info)
{
    static const uint64_t csum
        = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    static const uint64_t tso
        = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    uint64_t capa = info->tx_offload_capa;

    tx->port_id = port_id;
    tx->max_segs = info->tx_desc_lim.nb_seg_max
                   ? info->tx_desc_lim.nb_seg_max : UINT16_MAX;
    tx->caps = 0;
    tx->offloads = 0;

    if (capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) {
        tx->offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
        tx->caps |= VPORT_CAP_CHAIN;
    }
    /* That one does in software, and for IPv4 only, what we do as well. */
    if (!strcmp(info->driver_name, "net_tap") || (capa & csum) != csum) {
        return;
    }
    tx->offloads |= csum;
    tx->caps |= VPORT_CAP_CSUM;
    /* UDP segmentation is not asked for: the drivers do not agree on what the
     * pseudo header's sum then holds, and to vhost it means UFO. */
    if ((capa & tso) == tso && tx->caps & VPORT_CAP_CHAIN) {
        tx->offloads |= tso;
        tx->caps |= VPORT_CAP_TSO4 | VPORT_CAP_TSO6;
    } else if (capa & RTE_ETH_TX_OFFLOAD_TCP_TSO
               && tx->caps & VPORT_CAP_CHAIN) {
        /* Virtio: the far end sums up the IPv4 headers when it segments, and
         * wants that of the super-packet right. */
        tx->offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
        tx->caps |= VPORT_CAP_TSO4 | VPORT_CAP_TSO6;
    }
}

uint16_t
dpdk_tx_burst(const struct dpdk_tx *tx, struct vport *vport, uint16_t txq,
              struct pmd *pmd, struct rte_mbuf **pkts, uint16_t n,
              uint64_t *bytes)
{
    uint16_t n_ready = 0, n_sent = 0, i = 0;

    for (uint16_t k = 0; k < n; k++) {
        enum drop_reason reason = DROP_NONE;
        struct rte_mbuf *m = prepare(tx, pkts[k], &reason);

        if (LIKELY(m != NULL)) {
            pkts[n_ready++] = m;
        } else {
            vport_count_drop(vport, pmd, reason);
        }
    }

    while (i < n_ready) {
        uint16_t n_ok = n_ready, n_done;
        uint32_t lens[2 * PKT_BURST];

        if (tx->caps & VPORT_CAP_CSUM) {
            n_ok = (uint16_t) (i + rte_eth_tx_prepare(tx->port_id, txq,
                                                      &pkts[i],
                                                      (uint16_t) (n_ready
                                                                  - i)));
        }
        n_ok = (uint16_t) MIN(n_ok, i + (int) ARRAY_SIZE(lens));
        for (uint16_t k = i; k < n_ok; k++) {
            lens[k - i] = pkts[k]->pkt_len;     /* It is freed when sent. */
        }
        n_done = rte_eth_tx_burst(tx->port_id, txq, &pkts[i],
                                  (uint16_t) (n_ok - i));
        for (uint16_t k = 0; k < n_done; k++) {
            *bytes += lens[k];
        }
        n_sent = (uint16_t) (n_sent + n_done);
        i = (uint16_t) (i + n_done);
        if (i == n_ready) {
            break;
        }

        /* Stopped at a packet that the driver dislikes, or by a full queue:
         * then the others find no room either. */
        if (i == n_ok && n_ok < n_ready) {
            vport_drop_tx(vport, pmd, pkts[i++], DROP_TX_ERROR);
        } else {
            while (i < n_ready) {
                vport_drop_tx(vport, pmd, pkts[i++], DROP_TX_FULL);
            }
        }
    }
    return n_sent;
}

/* Returns the packet (maybe another mbuf), ready for the driver, or NULL with
 * a reason when it is gone. */
static struct rte_mbuf *
prepare(const struct dpdk_tx *tx, struct rte_mbuf *m,
        enum drop_reason *reason)
{
    if (UNLIKELY(m->pkt_len < sizeof(struct eth_hdr))) {
        *reason = DROP_TX_ERROR;
        rte_pktmbuf_free(m);
        return NULL;
    }
    if (UNLIKELY(m->nb_segs > tx->max_segs)) {
        m = pkt_linearize(m);
        if (!m) {
            *reason = DROP_NO_MBUF;
            return NULL;
        }
    }
    /* What receiving left there is not meant for sending. */
    m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
    m->tx_offload = 0;
    return pkt_meta(m)->need.csum ? prepare_csum(tx, m, reason) : m;
}

static struct rte_mbuf *
prepare_csum(const struct dpdk_tx *tx, struct rte_mbuf *m,
             enum drop_reason *reason)
{
    const struct pkt_need *need = &pkt_meta(m)->need;
    uint32_t head = (uint32_t) need->csum_start + need->csum_offset + 2;
    struct place place;

    /* The driver writes to the headers, and so do we: not to those of a
     * flood's other copies. */
    if (need->csum_offset == offsetof(struct tcp_hdr, csum)) {
        head = MAX(head, need->csum_start + 60u);
    }
    m = pkt_own_head(m, MIN(head, m->pkt_len));
    if (UNLIKELY(!m)) {
        *reason = DROP_NO_MBUF;
        return NULL;
    }
    need = &pkt_meta(m)->need;

    bool is_device = tx->caps & VPORT_CAP_CSUM && find_place(m, &place);

    if (need->gso != PKT_GSO_NONE) {
        if (!is_device || !place.is_tcp || !prepare_tso(tx, m, &place)) {
            *reason = DROP_TX_ERROR;
            rte_pktmbuf_free(m);
            return NULL;
        }
    } else if (is_device) {
        m->ol_flags |= place.is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM
                                    : RTE_MBUF_F_TX_UDP_CKSUM;
    } else {
        finish_csum(m);
        return m;
    }
    m->l2_len = place.l3;
    m->l3_len = (uint16_t) (need->csum_start - place.l3);
    m->ol_flags |= place.is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    return m;
}

/* Tells whether the checksum is one that a device can do, and where its IP
 * header is. */
static bool
find_place(const struct rte_mbuf *m, struct place *place)
{
    const struct pkt_meta *md = pkt_meta(m);
    const struct pkt_need *need = &md->need;
    uint8_t version;

    if (md->n_encaps || md->ofs.l4 != need->csum_start) {
        return false;
    }
    place->l3 = md->ofs.l3;
    version = pkt_data(m)[place->l3] >> 4;
    place->is_ip6 = version == 6;
    place->is_tcp = need->csum_offset == offsetof(struct tcp_hdr, csum);
    if (!place->is_tcp
        && need->csum_offset != offsetof(struct udp_hdr, csum)) {
        return false;
    }
    /* Drivers compute the pseudo header anew from the fixed IPv6 header. */
    return version == 4
           || need->csum_start - place->l3 == sizeof(struct ip6_hdr_wire);
}

static bool
prepare_tso(const struct dpdk_tx *tx, struct rte_mbuf *m,
            const struct place *place)
{
    const struct pkt_need *need = &pkt_meta(m)->need;
    uint8_t *l3 = pkt_data(m) + place->l3;
    struct tcp_hdr *tcp = (void *) (pkt_data(m) + need->csum_start);
    uint32_t sum;

    if (place->is_ip6) {
        const struct ip6_hdr_wire *ip = (void *) l3;

        sum = csum_pseudo6(ip->src, ip->dst, IPPROTO_TCP, 0);
    } else {
        struct ip4_hdr *ip = (void *) l3;

        sum = csum_pseudo4(ip->src, ip->dst, IPPROTO_TCP, 0);
        if (tx->offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) {
            ip->csum = 0;
            m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
        }
    }
    tcp->csum = csum_fold(sum);
    m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    m->l4_len = (uint8_t) ((ntohs(tcp->ofs_flags) >> 12) * 4);
    m->tso_segsz = need->gso_size;
    return m->l4_len >= sizeof *tcp;
}

static void
finish_csum(struct rte_mbuf *m)
{
    const struct pkt_need *need = &pkt_meta(m)->need;
    uint32_t sum = pkt_csum(m, need->csum_start, m->pkt_len
                                                 - need->csum_start);
    be16 field = need->csum_offset == offsetof(struct udp_hdr, csum)
                 ? csum_finish_udp(sum) : csum_finish(sum);

    memcpy(pkt_data(m) + need->csum_start + need->csum_offset, &field,
           sizeof field);
}
