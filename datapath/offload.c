/* SPDX-License-Identifier: Apache-2.0 */

/* offload.c - sixth stage of a packet's way: what it still needs against what
 * the vport can do.
 *
 * PMD threads.  Here it is decided, once for each packet and output; the work
 * is done by gso.c, ipfrag.c, toobig.c and egress.c.  Must never cut an outer
 * packet, and never send one that is longer than its way allows. */

#include "datapath/offload.h"

#include <arpa/inet.h>

#include "datapath/egress.h"
#include "datapath/gso.h"
#include "datapath/ipfrag.h"
#include "datapath/l3.h"
#include "datapath/toobig.h"
#include "datapath/train.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

/* Lengths are 16 bits: what no IP packet exceeds that we send. */
#define MAX_L3 65535u

/* A TCP packet that is too big is cut when at least so much payload goes into
 * each piece. */
#define MIN_PAYLOAD 8u

static void send_slowly(struct egress *, struct rte_mbuf *);
static void send_in_pieces(struct egress *, struct rte_mbuf *,
                           const struct l3_view *);
static void send_super(const struct egress *, struct rte_mbuf *,
                       const struct l3_view *);
static bool takes_whole(const struct egress *, struct pkt_meta *,
                        const struct l3_view *);
static void send_fitting(const struct egress *, struct rte_mbuf *);
static void send_too_big(const struct egress *, struct rte_mbuf *,
                         const struct l3_view *);
static egress_emit_fn send_datagram;
static uint32_t find_room(const struct vport *, const struct rte_mbuf *,
                          uint32_t caps, uint32_t l3);
static uint32_t extra_tags_len(const struct rte_mbuf *);
static bool is_tag(be16 tpid);
static bool is_cuttable_tcp(const struct rte_mbuf *, const struct l3_view *);
static bool needs_sctp_csum(const struct pkt_need *);
static enum drop_reason reason_of(const struct egress *,
                                  const struct rte_mbuf *,
                                  const struct l3_view *);

void
offload_send(struct pmd *pmd, struct vport *out, struct rte_mbuf *m)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint32_t caps = atomic_load_explicit(&out->caps, memory_order_relaxed);
    uint32_t mtu = atomic_load_explicit(&out->mtu, memory_order_relaxed);

    /* The common packet: leaves as it is. */
    if (LIKELY(!md->n_encaps && md->need.gso == PKT_GSO_NONE
               && m->pkt_len <= mtu + sizeof(struct eth_hdr)
               && (!md->need.csum
                   || (caps & VPORT_CAP_CSUM && !needs_sctp_csum(&md->need)
                       && md->ofs.l3_end == m->pkt_len))
               && (m->nb_segs == 1 || caps & VPORT_CAP_CHAIN))) {
        pmd_tx(pmd, out, m);
        return;
    }

    struct egress e = {
        .pmd = pmd,
        .out = out,
        .c = &out->per_pmd[pmd->id]->c,
        .caps = caps,
        .emit = egress_finish,
    };
    send_slowly(&e, m);
}

static void
send_slowly(struct egress *e, struct rte_mbuf *m)
{
    const struct pkt_meta *md = pkt_meta(m);
    struct l3_view v;

    /* Padding must not count, neither in lengths nor in a checksum that a port
     * adds up to the frame's end. */
    if (md->need.csum) {
        pkt_trim(m, md->ofs.l3_end);
    }
    if (LIKELY(md->ofs.l3 != PKT_OFS_NONE)) {
        e->room = find_room(e->out, m, e->caps, md->ofs.l3);
        if (md->need.gso == PKT_GSO_NONE
            && LIKELY(m->pkt_len <= md->ofs.l3 + e->room)) {
            send_fitting(e, m);
            return;
        }
    }

    l3_view_init(&v, m);
    e->room = find_room(e->out, m, e->caps, v.start);
    if (v.version) {
        pkt_trim(m, md->ofs.l3_end);
    }
    if (md->need.gso == PKT_GSO_NONE && m->pkt_len <= v.start + e->room) {
        send_fitting(e, m);
    } else {
        send_in_pieces(e, m, &v);
    }
}

/* The pieces leave one by one, or as a train. */
static void
send_in_pieces(struct egress *e, struct rte_mbuf *m, const struct l3_view *v)
{
    struct train train;
    bool is_train = train_begin(&train, e, m);

    if (is_train) {
        e->emit = train_add;
        e->train = &train;
    }
    if (pkt_meta(m)->need.gso != PKT_GSO_NONE) {
        send_super(e, m, v);
    } else {
        send_too_big(e, m, v);
    }
    if (is_train) {
        train_end(e);
    }
}

static void
send_super(const struct egress *e, struct rte_mbuf *m,
           const struct l3_view *v)
{
    struct pkt_meta *md = pkt_meta(m);
    uint32_t size = md->need.gso_size;
    uint32_t max;

    if (takes_whole(e, md, v)) {
        e->c->tx_super++;
        egress_finish(e, m, (struct egress_sum) { .known = false });
        return;
    }

    switch ((enum pkt_gso) md->need.gso) {
    case PKT_GSO_TCP4:
    case PKT_GSO_TCP6:
        max = gso_max_payload(e, m);
        if (UNLIKELY(max < MIN(size, MIN_PAYLOAD))) {
            vport_drop_tx(e->out, e->pmd, m, DROP_BAD_SEGMENT);
            return;
        }
        gso_cut(e, m, v, MIN(size, max), e->emit);
        return;

    case PKT_GSO_USO:
        if (LIKELY(size <= gso_max_payload(e, m))) {
            gso_cut(e, m, v, size, e->emit);
        } else if (v->version == 4 && !v->df) {
            gso_cut(e, m, v, size, send_datagram);
        } else {
            toobig_answer(e, m, v);
            vport_drop_tx(e->out, e->pmd, m, DROP_TOO_BIG);
        }
        return;

    case PKT_GSO_UFO:
        m = egress_complete_csum(m);
        if (UNLIKELY(!m)) {
            vport_count_drop(e->out, e->pmd, DROP_NO_MBUF);
            return;
        }
        e->c->cut++;
        ipfrag_cut(e, m, v, size);
        return;

    case PKT_GSO_NONE:
        break;
    }
    vport_drop_tx(e->out, e->pmd, m, DROP_BAD_SEGMENT);
}

/* Whether the vport cuts a super-packet itself; makes its gso_size fit. */
static bool
takes_whole(const struct egress *e, struct pkt_meta *md,
            const struct l3_view *v)
{
    static const uint32_t caps[] = {
        [PKT_GSO_TCP4] = VPORT_CAP_TSO4,
        [PKT_GSO_TCP6] = VPORT_CAP_TSO6,
        [PKT_GSO_UFO] = VPORT_CAP_UFO,
        [PKT_GSO_USO] = VPORT_CAP_USO,
    };
    uint32_t need = VPORT_CAP_CSUM | caps[md->need.gso];
    uint32_t hdr_len, max;

    if (md->need.ecn) {
        need |= VPORT_CAP_ECN;
    }
    if (md->n_encaps || (e->caps & need) != need) {
        return false;
    }

    if (md->need.gso == PKT_GSO_UFO) {
        hdr_len = v->hdr_len;
        if (v->version == 6) {
            hdr_len += (uint32_t) sizeof(struct ip6_frag_hdr);
        }
    } else {
        hdr_len = (uint32_t) (md->ofs.payload - v->start);
    }
    max = e->room > hdr_len ? e->room - hdr_len : 0;
    if (LIKELY(md->need.gso_size <= max)) {
        return true;
    }
    if (md->need.gso == PKT_GSO_UFO) {
        max = ROUND_DOWN(max, 8);
    }
    if (md->need.gso == PKT_GSO_USO || max < MIN_PAYLOAD) {
        return false;           /* A datagram's size is not ours to change. */
    }
    md->need.gso_size = (uint16_t) max;
    return true;
}

/* Not a super-packet, and short enough. */
static void
send_fitting(const struct egress *e, struct rte_mbuf *m)
{
    const struct pkt_meta *md = pkt_meta(m);

    if (md->need.csum
        && (md->n_encaps || !(e->caps & VPORT_CAP_CSUM)
            || needs_sctp_csum(&md->need))) {
        m = egress_complete_csum(m);
        if (UNLIKELY(!m)) {
            vport_count_drop(e->out, e->pmd, DROP_NO_MBUF);
            return;
        }
    }
    egress_finish(e, m, (struct egress_sum) { .known = false });
}

/* Not a super-packet, and too long. */
static void
send_too_big(const struct egress *e, struct rte_mbuf *m,
             const struct l3_view *v)
{
    if (is_cuttable_tcp(m, v)) {
        uint32_t max = gso_max_payload(e, m);

        if (UNLIKELY(max < MIN_PAYLOAD)) {
            vport_drop_tx(e->out, e->pmd, m, DROP_BAD_SEGMENT);
            return;
        }
        gso_cut(e, m, v, max, e->emit);
    } else if (v->version == 4 && !v->df) {
        if (pkt_meta(m)->need.csum) {
            m = egress_complete_csum(m);
            if (UNLIKELY(!m)) {
                vport_count_drop(e->out, e->pmd, DROP_NO_MBUF);
                return;
            }
        }
        ipfrag_cut(e, m, v, 0);
    } else {
        enum drop_reason reason = reason_of(e, m, v);

        if (v->version) {
            toobig_answer(e, m, v);
        }
        vport_drop_tx(e->out, e->pmd, m, reason);
    }
}

/* One datagram of a USO super-packet, whose checksum is complete or left to
 * the vport, and which may be too long. */
static void
send_datagram(const struct egress *e, struct rte_mbuf *m,
              struct egress_sum sum)
{
    struct l3_view v;

    if (m->pkt_len - pkt_meta(m)->ofs.l3 <= e->room) {
        e->emit(e, m, sum);
        return;
    }
    l3_view_init(&v, m);
    send_too_big(e, m, &v);
}

/* How long the innermost L3 packet, which begins at 'l3', may be: each
 * tunnel's path and the vport allow so much to what begins with the outer
 * header that is theirs. */
static uint32_t
find_room(const struct vport *out, const struct rte_mbuf *m, uint32_t caps,
          uint32_t l3)
{
    const struct pkt_meta *md = pkt_meta(m);
    uint32_t limit = atomic_load_explicit(&out->mtu, memory_order_relaxed);
    uint32_t room = MAX_L3;

    for (unsigned int i = 0; i < md->n_encaps; i++) {
        const struct pkt_encap *encap = &md->encaps[i];
        uint32_t path = encap->path_mtu ? encap->path_mtu : MAX_L3;
        uint32_t before = l3 - encap->l3;

        room = MIN(room, path > before ? path - before : 0);
    }
    if (!limit || caps & VPORT_CAP_ANY_SIZE) {
        limit = MAX_L3;
    } else if (caps & VPORT_CAP_ONE_TAG) {
        limit -= MIN(limit, extra_tags_len(m));
    }
    if (md->n_encaps) {
        uint32_t before = l3 - md->encaps[md->n_encaps - 1].l3;

        limit = limit > before ? limit - before : 0;
    }
    return MIN(room, limit);
}

/* Length of the frame's tags, but for a first one of 802.1Q: what a Linux
 * device does not grant beside its MTU. */
static uint32_t
extra_tags_len(const struct rte_mbuf *m)
{
    const struct vlan_hdr *tags
        = (const void *) (pkt_data(m) + offsetof(struct eth_hdr, type));
    uint32_t len = 0;

    if (LIKELY(!is_tag(tags[0].tpid))) {
        return 0;
    }
    if (tags[0].tpid != htons(ETH_TYPE_VLAN)) {
        len += (uint32_t) sizeof tags[0];
    }
    if (is_tag(tags[1].tpid)) {
        len += (uint32_t) sizeof tags[1];
    }
    return len;
}

static bool
is_tag(be16 tpid)
{
    return tpid == htons(ETH_TYPE_VLAN) || tpid == htons(ETH_TYPE_QINQ)
           || tpid == htons(ETH_TYPE_QINQ_OLD);
}

/* A byte stream may be cut anywhere, but not a packet that says more than
 * bytes. */
static bool
is_cuttable_tcp(const struct rte_mbuf *m, const struct l3_view *v)
{
    const struct pkt_ofs *ofs = &pkt_meta(m)->ofs;
    const struct tcp_hdr *tcp;

    if (!v->version || v->proto != IPPROTO_TCP || v->is_frag
        || ofs->l4 == PKT_OFS_NONE || ofs->payload == PKT_OFS_NONE
        || ofs->payload > m->data_len) {
        return false;
    }
    tcp = (const void *) (pkt_data(m) + ofs->l4);
    return !(tcp->ofs_flags & htons(TCP_SYN | TCP_RST | TCP_URG));
}

static bool
needs_sctp_csum(const struct pkt_need *need)
{
    return need->csum_offset == EGRESS_SCTP_CSUM_OFS;
}

/* Why it cannot leave. */
static enum drop_reason
reason_of(const struct egress *e, const struct rte_mbuf *m,
          const struct l3_view *v)
{
    const struct pkt_meta *md = pkt_meta(m);

    if (md->n_encaps) {
        uint32_t outer = md->encaps[md->n_encaps - 1].l3;

        /* No way has an MTU for it. */
        if (e->room + v->start - outer >= MAX_L3) {
            return DROP_TOO_LONG_ENCAP;
        }
    }
    return v->version ? DROP_TOO_BIG : DROP_TOO_BIG_NOT_IP;
}
