/* SPDX-License-Identifier: Apache-2.0 */

/* l3.c - see l3.h.
 *
 * PMD threads, off the common path: for packets that do not fit.  Must never
 * read beyond the first mbuf, whatever the headers claim. */

#include "datapath/l3.h"

#include <arpa/inet.h>

#include "lib/pkt/wire.h"

static void view_ip4(struct l3_view *, const uint8_t *l3, uint32_t room);
static void view_ip6(struct l3_view *, const uint8_t *l3, uint32_t room,
                     uint32_t l4_ofs);

void
l3_view_init(struct l3_view *v, const struct rte_mbuf *m)
{
    const struct pkt_ofs *ofs = &pkt_meta(m)->ofs;
    const uint8_t *data = pkt_data(m);
    be16 type;

    memset(v, 0, sizeof *v);
    if (ofs->l3 == PKT_OFS_NONE) {
        /* No more than tags and a type are between l2_5 and what counts. */
        uint32_t at = ofs->l2_5;

        for (int i = 0; i < FLOW_MAX_VLANS && at + 6 <= m->data_len; i++) {
            memcpy(&type, data + at, sizeof type);
            if (type != htons(ETH_TYPE_VLAN) && type != htons(ETH_TYPE_QINQ)
                && type != htons(ETH_TYPE_QINQ_OLD)) {
                break;
            }
            at += sizeof(struct vlan_hdr);
        }
        v->start = (uint16_t) (at + sizeof type);
        return;
    }

    v->start = ofs->l3;
    memcpy(&type, data + ofs->l3 - sizeof type, sizeof type);
    if (type == htons(ETH_TYPE_IP4)) {
        view_ip4(v, data + ofs->l3, m->data_len - ofs->l3);
    } else if (type == htons(ETH_TYPE_IP6)) {
        uint32_t l4 = ofs->l4 == PKT_OFS_NONE ? ofs->l3_end : ofs->l4;

        view_ip6(v, data + ofs->l3, m->data_len - ofs->l3, l4 - ofs->l3);
    }
}

static void
view_ip4(struct l3_view *v, const uint8_t *l3, uint32_t room)
{
    const struct ip4_hdr *ip = (const void *) l3;
    uint32_t hdr_len = (ip->ver_ihl & 0xfu) * 4;

    if (hdr_len < sizeof *ip || hdr_len > room) {
        return;
    }
    v->version = 4;
    v->proto = ip->proto;
    v->is_later = ip->frag & htons(IP4_OFS_MASK);
    v->is_frag = ip->frag & htons(IP4_OFS_MASK | IP4_MF);
    v->df = ip->frag & htons(IP4_DF);
    v->hdr_len = (uint16_t) hdr_len;
}

/* Walks the extension headers from 'l3' up to 'l4_ofs', where the parser has
 * stopped. */
static void
view_ip6(struct l3_view *v, const uint8_t *l3, uint32_t room, uint32_t l4_ofs)
{
    const struct ip6_hdr_wire *ip = (const void *) l3;
    uint32_t next_ofs = offsetof(struct ip6_hdr_wire, next);
    uint32_t at = sizeof *ip;
    uint32_t end = MIN(room, l4_ofs);

    v->version = 6;
    v->proto = ip->next;
    v->hdr_len = sizeof *ip;
    v->next_ofs = (uint16_t) (v->start + next_ofs);
    while (at + 8 <= end) {
        const uint8_t *ext = l3 + at;
        uint32_t len = (ext[1] + 1u) * 8;
        bool repeated = false;

        switch (v->proto) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
            repeated = true;
            break;
        case IPPROTO_DSTOPTS:
        case IPPROTO_MH:
            break;
        case IPPROTO_AH:
            len = (ext[1] + 2u) * 4;
            break;
        case IPPROTO_FRAGMENT:
            /* One that holds a whole datagram counts too: there can be no
             * second. */
            len = sizeof(struct ip6_frag_hdr);
            v->is_frag = true;
            v->is_later = ext[2] || ext[3] & 0xf8;
            break;
        default:
            return;
        }
        next_ofs = at;
        at += len;
        v->proto = ext[0];
        if (repeated && !v->is_frag && at <= room) {
            v->hdr_len = (uint16_t) at;
            v->next_ofs = (uint16_t) (v->start + next_ofs);
        }
        if (v->is_later) {
            return;             /* No header follows but in the first part. */
        }
    }
}
