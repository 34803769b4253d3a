/* SPDX-License-Identifier: Apache-2.0 */

/* pop.c - the way out of a tunnel.
 *
 * PMD threads.  Translation has found that the packet is for us and of which
 * type; here its headers are read, its port is found, and the inner frame goes
 * round again.
 *
 * What the outer frame's virtio-net header claimed is one of three things:
 *   - about the outer packet (a checksum of the outer UDP header): done with;
 *   - a train of tunnel packets (GSO_UDP_L4): cut into its packets first;
 *   - about the inner packet (a kernel's vxlan device hands over an inner
 *     super-packet whole): then the claim is moved along and checked again
 *     against the inner headers. */

#include "datapath/pop.h"

#include <arpa/inet.h>

#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

static _Atomic(struct tnl_map *) tnl_map;

struct tnl_map *
pop_set_tnl_map(struct tnl_map *map)
{
    return atomic_exchange_explicit(&tnl_map, map, memory_order_acq_rel);
}

/* What the outer headers of one tunnel packet said. */
struct popped {
    struct vport *vport;        /* The tunnel's. */
    struct tnl_md tnl;
    size_t inner_ofs;
    bool verify;                /* There is an outer checksum. */
};

static void
drop(struct pmd *pmd, struct rte_mbuf *m, enum drop_reason reason)
{
    vport_drop_rx(dp_port_find(pkt_meta(m)->phys_port), pmd, m, reason);
}

/* Whether the outer checksum, where there is one to look at, is right. */
static bool
outer_csum_ok(const struct rte_mbuf *m, const struct flow_key *key,
              const struct tnl_ops *ops)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint32_t len = md->ofs.l3_end - md->ofs.l4;
    uint32_t sum = 0;

    if (md->need.csum || md->need.csum_valid || md->lie != VNET_OK) {
        return true;            /* Not made yet, or was looked at. */
    }
    if (ops->csum_pseudo) {
        sum = key->dl_type == htons(ETH_TYPE_IP4)
              ? csum_pseudo4(key->nw_src, key->nw_dst, key->nw_proto, len)
              : csum_pseudo6(&key->ipv6_src, &key->ipv6_dst, key->nw_proto,
                             len);
    }
    /* Two even pieces: the sum may be added up in one. */
    return !csum_finish(csum_plus(sum, pkt_csum(m, md->ofs.l4, len)));
}

/* Moves what the outer frame claimed to the inner one, 'ofs' bytes further. */
static bool
move_claims(struct pkt_meta *md, size_t ofs)
{
    struct virtio_net_hdr *vnet = &md->vnet;

    if (md->has_vnet && vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM
        && vnet->csum_start >= ofs) {
        vnet->csum_start = (uint16_t) (vnet->csum_start - ofs);
    } else if (md->lie != VNET_OK) {
        return false;
    } else {
        md->has_vnet = false;
    }
    md->lie = VNET_OK;
    memset(&md->need, 0, sizeof md->need);
    return true;
}

/* Reads the outer headers that 'ofs' tells of; finds the port.  DROP_NONE, or
 * why not. */
static enum drop_reason
identify(tnl_type type, const struct flow_key *key, const struct pkt_ofs *ofs,
         const uint8_t *data, uint32_t head_len, uint32_t len,
         struct popped *p)
{
    const struct tnl_map *map = atomic_load_explicit(&tnl_map,
                                                     memory_order_acquire);
    enum tnl_status status;
    uint32_t port;

    status = tnl_pop(type, key, ofs, data, head_len, len, &p->tnl,
                     &p->inner_ofs, &p->verify);
    if (UNLIKELY(status != TNL_OK)) {
        return drop_from_tnl(status);
    }
    port = map ? tnl_map_find(map, &p->tnl) : PORT_NONE;
    p->vport = port == PORT_NONE ? NULL : dp_port_find(port);
    return LIKELY(p->vport) ? DROP_NONE : DROP_TNL_NO_PORT;
}

/* Sends an inner frame round again. */
static void
deliver(struct pmd *pmd, struct rte_mbuf *m, const struct popped *p)
{
    struct vport_counters *c = &p->vport->per_pmd[pmd->id]->c;
    struct pkt_meta *md = pkt_meta(m);

    md->in_port = p->vport->port_no;
    md->n_pops++;
    md->tnl = p->tnl;
    md->inner_start = 0;
    c->rx_packets++;
    c->rx_bytes += m->pkt_len;
    pmd_recirculate(pmd, m);
}

static void
pop_packet(struct pmd *pmd, struct rte_mbuf *m, const struct flow_key *key,
           tnl_type type)
{
    struct pkt_meta *md = pkt_meta(m);
    enum vnet_status lie = md->lie;
    enum drop_reason reason;
    struct popped p;

    pkt_trim(m, md->ofs.l3_end);
    reason = identify(type, key, &md->ofs, pkt_data(m),
                      rte_pktmbuf_data_len(m), m->pkt_len, &p);
    if (UNLIKELY(reason != DROP_NONE)) {
        drop(pmd, m, reason);
    } else if (p.verify
               && UNLIKELY(!outer_csum_ok(m, key, tnl_ops_get(type)))) {
        drop(pmd, m, DROP_TNL_CSUM);
    } else if (UNLIKELY(!move_claims(md, p.inner_ofs))) {
        drop(pmd, m, drop_from_vnet(lie));
    } else {
        deliver(pmd, pkt_pull(m, (uint32_t) p.inner_ofs), &p);
    }
}

/* A train: many tunnel packets behind one UDP header, 'gso_size' bytes each,
 * the last maybe less.  The inner frames become packets of references to
 * their bytes; only outer headers are copied, to be read in one piece. */
static void
pop_train(struct pmd *pmd, struct rte_mbuf *train, const struct flow_key *key,
          tnl_type type)
{
    const struct pkt_meta *md = pkt_meta(train);
    struct vport *phys = dp_port_find(md->phys_port);
    uint32_t hdr_len = md->ofs.payload;
    uint32_t step = md->need.gso_size;
    uint32_t end = MIN(md->ofs.l3_end, train->pkt_len);
    uint8_t front[PARSE_HEAD_BYTES + TNL_MAX_HDR];
    struct pkt_cursor cursor;

    phys->per_pmd[pmd->id]->c.trains_rx++;
    if (UNLIKELY(hdr_len > PARSE_HEAD_BYTES)) {
        drop(pmd, train, DROP_TNL_SHORT);
        return;
    }
    memcpy(front, pkt_data(train), hdr_len);
    pkt_cursor_init(&cursor, train, hdr_len);
    for (uint32_t ofs = hdr_len; ofs < end; ofs += step) {
        uint32_t len = MIN(step, end - ofs);
        uint32_t n = MIN(len, (uint32_t) TNL_MAX_HDR);
        struct pkt_ofs front_ofs = md->ofs;
        enum drop_reason reason;
        struct rte_mbuf *m;
        struct popped p;

        pkt_cursor_read(cursor, front + hdr_len, n);
        front_ofs.l3_end = hdr_len + len;
        reason = identify(type, key, &front_ofs, front, hdr_len + n,
                          hdr_len + len, &p);
        if (LIKELY(reason == DROP_NONE)) {
            uint32_t tnl_len = (uint32_t) p.inner_ofs - hdr_len;

            if (UNLIKELY(tnl_len >= len)) {
                reason = DROP_TNL_SHORT;
            } else {
                pkt_cursor_skip(&cursor, tnl_len);
                m = pkt_cursor_slice(&cursor, len - tnl_len);
                reason = m ? DROP_NONE : DROP_NO_MBUF;
            }
        }
        if (UNLIKELY(reason != DROP_NONE)) {
            vport_count_drop(phys, pmd, reason);
            pkt_cursor_init(&cursor, train, ofs + len);
            continue;
        }
        pkt_meta_init(m, md->phys_port);
        pkt_meta(m)->n_pops = md->n_pops;
        deliver(pmd, m, &p);
    }
    rte_pktmbuf_free(train);
}

void
pop_tunnel(struct pmd *pmd, struct rte_mbuf *m, const struct flow_key *key,
           tnl_type type)
{
    struct pkt_meta *md = pkt_meta(m);

    if (UNLIKELY(md->n_pops == PKT_MAX_POPS)) {
        drop(pmd, m, DROP_TNL_DEPTH);
    } else if (UNLIKELY(md->n_encaps)) {
        drop(pmd, m, DROP_TNL_LOOP);    /* Our own, and not yet finished. */
    } else if (md->need.gso == PKT_GSO_USO) {
        pop_train(pmd, m, key, type);
    } else {
        pop_packet(pmd, m, key, type);
    }
}

struct rte_mbuf *
pop_inherit_ecn(struct pmd *pmd, struct rte_mbuf *m, struct flow_key *inner)
{
    struct pkt_meta *md = pkt_meta(m);
    struct vport *phys = dp_port_find(md->phys_port);
    int tos = tnl_ecn_decap(inner->nw_tos, md->tnl.tos);
    uint16_t l3 = md->ofs.l3;

    if (tos < 0) {
        vport_drop_rx(phys, pmd, m, DROP_TNL_ECN);
        return NULL;
    }
    if (tos == inner->nw_tos) {
        return m;
    }
    /* All headers, so that they stay in one piece. */
    m = pkt_own_head(m, MIN((uint32_t) rte_pktmbuf_data_len(m),
                            (uint32_t) PARSE_HEAD_BYTES));
    if (!m) {
        vport_count_drop(phys, pmd, DROP_NO_MBUF);
        return NULL;
    }
    if (inner->dl_type == htons(ETH_TYPE_IP4)) {
        struct ip4_hdr *ip = (void *) (pkt_data(m) + l3);

        ip->csum = csum_update16(ip->csum, htons(ip->tos),
                                 htons((uint16_t) tos));
        ip->tos = (uint8_t) tos;
    } else {
        struct ip6_hdr_wire *ip = (void *) (pkt_data(m) + l3);

        ip->ver_tc_label &= ~htonl(0xffu << 20);
        ip->ver_tc_label |= htonl((uint32_t) tos << 20);
    }
    inner->nw_tos = (uint8_t) tos;
    return m;
}
