/* SPDX-License-Identifier: Apache-2.0 */

/* egress.c - see egress.h.
 *
 * The end of the offload stage.  PMD threads.  Must never write into a header
 * that another packet shares. */

#include "datapath/egress.h"

#include <arpa/inet.h>

#include "datapath/l3.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

/* Packets sent through each tunnel port.  Of all PMD threads: the far end sees
 * one sequence (RFC 2890) and one space of IPv4 IDs (RFC 6864).  Numbers of
 * ports are reused; a sequence may begin anywhere.  Nothing is ordered by it,
 * so relaxed. */
static _Atomic uint32_t tnl_seqs[DP_MAX_PORTS];

static struct rte_mbuf *complete_sctp(struct rte_mbuf *, uint32_t end);

void
egress_finish(const struct egress *e, struct rte_mbuf *m,
              struct egress_sum sum)
{
    unsigned int n = pkt_meta(m)->n_encaps;

    if (n) {
        m = egress_encapsulate(e, m, n, &sum);
        if (UNLIKELY(!m)) {
            return;
        }
    }
    egress_tx(e, m);
}

struct rte_mbuf *
egress_encapsulate(const struct egress *e, struct rte_mbuf *m, unsigned int n,
                   struct egress_sum *sum)
{
    struct pkt_meta *md;

    m = pkt_own_head(m, pkt_meta(m)->inner_start);
    if (UNLIKELY(!m)) {
        vport_count_drop(e->out, e->pmd, DROP_NO_MBUF);
        return NULL;
    }
    md = pkt_meta(m);
    memset(&md->need, 0, sizeof md->need);

    for (unsigned int i = 0; i < n; i++) {
        const struct pkt_encap *encap = &md->encaps[i];
        uint8_t *l3 = pkt_data(m) + encap->l3;

        if (encap->csum && !sum->known) {
            sum->sum = pkt_csum(m, encap->inner, m->pkt_len - encap->inner);
            sum->known = true;
        }
        tnl_finish(encap->ops, l3, pkt_data(m) + encap->l4,
                   (uint32_t) (encap->inner - encap->l3),
                   m->pkt_len - encap->l3,
                   encap->csum ? TNL_CSUM_FULL : TNL_CSUM_NONE, sum->sum,
                   encap->seq, egress_next_seq(encap, l3, 1));
        if (sum->known) {
            /* An even number of bytes: all headers are. */
            sum->sum = csum_add(sum->sum, pkt_data(m) + encap->start,
                                (size_t) (encap->inner - encap->start));
        }
    }
    return m;
}

uint32_t
egress_next_seq(const struct pkt_encap *encap, const uint8_t *l3, uint32_t n)
{
    const struct ip4_hdr *ip = (const void *) l3;

    /* A sequence counts packets where the header holds one, or where the outer
     * packet may be fragmented, against our advice: then it is the ID. */
    if (LIKELY(!encap->seq
               && (l3[0] >> 4 != 4 || ip->frag & htons(IP4_DF)))) {
        return 0;
    }
    return atomic_fetch_add_explicit(
        &tnl_seqs[encap->tnl_port % DP_MAX_PORTS], n, memory_order_relaxed);
}

void
egress_tx(const struct egress *e, struct rte_mbuf *m)
{
    if (UNLIKELY(m->nb_segs > 1 && !(e->caps & VPORT_CAP_CHAIN))) {
        m = pkt_linearize(m);
        if (UNLIKELY(!m)) {
            vport_count_drop(e->out, e->pmd, DROP_NO_MBUF);
            return;
        }
    }
    pmd_tx(e->pmd, e->out, m);
}

bool
egress_wants_sum(const struct rte_mbuf *m)
{
    const struct pkt_meta *md = pkt_meta(m);

    for (unsigned int i = 0; i < md->n_encaps; i++) {
        if (md->encaps[i].csum) {
            return true;
        }
    }
    return false;
}

struct rte_mbuf *
egress_complete_csum(struct rte_mbuf *m)
{
    struct pkt_meta *md = pkt_meta(m);
    uint32_t start = md->need.csum_start;
    uint32_t field_ofs = start + md->need.csum_offset;
    uint32_t end = md->ofs.l3_end;
    be16 field;

    /* A guest's own tunnel in a frame that is not IP to us, or the field in
     * the padding: then to the frame's end. */
    if (end > m->pkt_len || end < field_ofs + sizeof field) {
        end = m->pkt_len;
    }
    md->need.csum = false;
    if (UNLIKELY(end < field_ofs + sizeof field)) {
        return m;
    }
    if (UNLIKELY(md->need.csum_offset == EGRESS_SCTP_CSUM_OFS
                 && start == md->ofs.l4)) {
        struct l3_view v;

        l3_view_init(&v, m);
        if (v.proto == IPPROTO_SCTP
            && end >= start + sizeof(struct sctp_hdr)) {
            return complete_sctp(m, end);
        }
    }

    m = pkt_own_head(m, field_ofs + (uint32_t) sizeof field);
    if (LIKELY(m)) {
        /* The field holds the pseudo header's sum and counts along.  0 means
         * "no checksum" to UDP, and for the others 0xffff is as good. */
        field = csum_finish_udp(pkt_csum(m, start, end - start));
        memcpy(pkt_data(m) + field_ofs, &field, sizeof field);
    }
    return m;
}

static struct rte_mbuf *
complete_sctp(struct rte_mbuf *m, uint32_t end)
{
    uint32_t start = pkt_meta(m)->need.csum_start;
    uint32_t field_ofs = start + EGRESS_SCTP_CSUM_OFS;
    uint32_t crc = 0, skip = start;

    m = pkt_own_head(m, field_ofs + (uint32_t) sizeof crc);
    if (UNLIKELY(!m)) {
        return NULL;
    }
    memset(pkt_data(m) + field_ofs, 0, sizeof crc);
    crc = UINT32_MAX;
    for (const struct rte_mbuf *seg = m; seg && end; seg = seg->next) {
        uint32_t n = MIN(seg->data_len, end);

        if (skip < n) {
            crc = csum_crc32c(crc, pkt_data(seg) + skip, n - skip);
        }
        skip -= MIN(skip, n);
        end -= n;
    }
    crc = ~crc;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    crc = __builtin_bswap32(crc);
#endif
    memcpy(pkt_data(m) + field_ofs, &crc, sizeof crc);
    return m;
}
