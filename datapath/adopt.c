/* SPDX-License-Identifier: Apache-2.0 */

/* adopt.c - see adopt.h.
 *
 * Fifth stage, in front of a flow's actions, for the few packets whose claims
 * did not fit.  PMD threads.  Adopting only reads; the headers are written by
 * the offload stage. */

#include "datapath/adopt.h"

#include <arpa/inet.h>

#include "datapath/act_set.h"
#include "lib/pkt/wire.h"

/* The type whose packets look like this, by protocol and well-known port. */
static tnl_type
guess_type(const struct flow_key *key)
{
    for (tnl_type type = 0; type < tnl_n_types(); type++) {
        const struct tnl_ops *ops = tnl_ops_get(type);

        if (ops->ip_proto == key->nw_proto
            && (!ops->default_port
                || key->tp_dst == htons(ops->default_port))) {
            return type;
        }
    }
    return TNL_TYPE_NONE;
}

/* Adds 'base' to offsets that are relative to the inner frame. */
static void
rebase(struct pkt_ofs *ofs, struct pkt_need *need, uint16_t base)
{
    ofs->l2_5 = (uint16_t) (ofs->l2_5 + base);
    ofs->l3 = (uint16_t) (ofs->l3 + base);
    ofs->l4 = (uint16_t) (ofs->l4 + base);
    ofs->payload = (uint16_t) (ofs->payload + base);
    ofs->l3_end += base;
    need->csum_start = (uint16_t) (need->csum_start + base);
}

/* Of a packet with a whole tunnel header (a later fragment has none).
 * tnl_finish() writes IPv4 headers without options, and GRE sequence numbers
 * that are our own: what has others is not adopted. */
static bool
can_be_finished(const struct rte_mbuf *m, const struct pkt_ofs *outer,
                const struct flow_key *key)
{
    if (key->nw_proto == IPPROTO_GRE) {
        const struct gre_hdr *gre = (const void *) (pkt_data(m) + outer->l4);

        if (gre->flags & htons(GRE_SEQ | GRE_CSUM)) {
            return false;
        }
    }
    return key->dl_type == htons(ETH_TYPE_IP4)
           ? outer->l4 - outer->l3 == sizeof(struct ip4_hdr)
           : key->dl_type == htons(ETH_TYPE_IP6)
             && outer->l4 - outer->l3 == sizeof(struct ip6_hdr_wire);
}

bool
adopt_tunnel(struct rte_mbuf *m, const struct flow_key *key)
{
    struct pkt_meta *md = pkt_meta(m);
    tnl_type type = guess_type(key);
    struct virtio_net_hdr vnet = md->vnet;
    struct flow_key inner_key;
    struct pkt_ofs inner;
    struct pkt_need need;
    struct tnl_md tnl;
    uint32_t head_len = rte_pktmbuf_data_len(m);
    size_t base;
    bool has_csum;

    if (type == TNL_TYPE_NONE || md->n_encaps
        || tnl_pop(type, key, &md->ofs, pkt_data(m), head_len, m->pkt_len,
                   &tnl, &base, &has_csum) != TNL_OK
        || !can_be_finished(m, &md->ofs, key)
        || base >= head_len || vnet.csum_start < base
        || parse_packet(pkt_data(m) + base, head_len - (uint32_t) base,
                        md->ofs.l3_end - base, &inner_key, &inner)
           != PARSE_OK) {
        return false;
    }
    vnet.csum_start = (uint16_t) (vnet.csum_start - base);
    if (vnet_check(&vnet, pkt_data(m) + base, head_len - (uint32_t) base,
                   md->ofs.l3_end - base, &inner_key, &inner, md->offered,
                   &need) != VNET_OK
        || need.gso == PKT_GSO_NONE || inner.payload == PKT_OFS_NONE) {
        return false;
    }

    md->encaps[md->n_encaps++] = (struct pkt_encap) {
        .ops = tnl_ops_get(type), .tnl_port = md->in_port,
        .start = 0, .l3 = md->ofs.l3, .l4 = md->ofs.l4,
        .inner = (uint16_t) base, .csum = has_csum,
        /* An answer to the inner frame would enter the switch as if the guest
         * had sent it, outside its tunnel. */
        .icmp_too_big = false,
    };
    md->is_adopted = true;
    rebase(&inner, &need, (uint16_t) base);
    md->ofs = inner;
    md->need = need;
    md->inner_start = (uint16_t) base;
    md->lie = VNET_OK;
    return true;
}

struct rte_mbuf *
adopt_set(struct rte_mbuf *m, const struct action_set *set,
          const struct flow_key *key)
{
    struct pkt_ofs inner = pkt_meta(m)->ofs;
    uint16_t inner_start = pkt_meta(m)->inner_start;
    const struct pkt_encap *encap;
    struct pkt_meta *md;

    /* The inner headers stay in one piece with the outer. */
    m = pkt_own_head(m, inner.payload);
    if (UNLIKELY(!m)) {
        return NULL;
    }
    md = pkt_meta(m);
    encap = &md->encaps[0];
    md->ofs.l2_5 = (uint16_t) (encap->start + 2 * 6);
    md->ofs.l3 = encap->l3;
    md->ofs.l4 = encap->l4;
    md->ofs.payload = key->nw_proto == IPPROTO_UDP
                      ? (uint16_t) (encap->l4 + sizeof(struct udp_hdr))
                      : PKT_OFS_NONE;
    md->inner_start = encap->start;
    m = act_set(m, set, key);
    if (LIKELY(m)) {
        md = pkt_meta(m);
        md->ofs = inner;
        md->inner_start = inner_start;
    }
    return m;
}
