/* SPDX-License-Identifier: Apache-2.0 */

/* ipfrag.c - see ipfrag.h.
 *
 * Part of the offload stage.  PMD threads.  Must never write into the datagram
 * that it cuts: a clone may share it. */

#include "datapath/ipfrag.h"

#include <arpa/inet.h>
#include <rte_random.h>

#include "datapath/mem.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"

#define FRAG_UNIT 8u            /* Offsets count these. */
#define IP4_OPT_END 0
#define IP4_OPT_NOP 1
#define IP4_OPT_COPIED 0x80

struct frags {
    const struct egress *e;
    struct rte_mbuf *m;
    const struct l3_view *v;
    struct pkt_cursor data;
    uint32_t data_len;          /* What is spread over fragments. */
    bool wants_frame_sum;

    /* IPv4. */
    uint16_t first_ofs;         /* In units: where the datagram begins in the
                                 * sender's. */
    bool last_mf;               /* MF of the last fragment. */
    uint32_t fault;             /* Of the header's checksum, 0 when right. */
    uint8_t later_hdr[60];      /* Header of all but the first. */
    uint32_t later_hdr_len;

    /* IPv6. */
    be32 id;
};

static void init_ip4(struct frags *);
static uint32_t copy_options(const uint8_t *options, uint32_t len,
                             uint8_t *to);
static uint32_t max_data(const struct frags *, uint32_t at,
                         uint32_t max_size);
static struct rte_mbuf *make_fragment(struct frags *, uint32_t at,
                                      uint32_t len, struct egress_sum *);
static uint32_t put_ip4(const struct frags *, uint8_t *l3, uint32_t at,
                        uint32_t len);
static uint32_t put_ip6(const struct frags *, uint8_t *l3, uint32_t at,
                        uint32_t len);

void
ipfrag_cut(const struct egress *e, struct rte_mbuf *m, const struct l3_view *v,
           uint32_t max_size)
{
    struct frags f = { .e = e, .m = m, .v = v };
    uint32_t data_ofs = (uint32_t) v->start + v->hdr_len;
    uint32_t end = MIN(pkt_meta(m)->ofs.l3_end, m->pkt_len);
    uint32_t n = 0;

    f.data_len = end > data_ofs ? end - data_ofs : 0;
    f.wants_frame_sum = egress_wants_sum(m);
    pkt_cursor_init(&f.data, m, data_ofs);
    if (v->version == 4) {
        init_ip4(&f);
    } else {
        f.id = (be32) rte_rand();
    }

    /* The second fragment's limit is that of all that follow. */
    uint32_t first = max_data(&f, 0, max_size);
    uint32_t later = max_data(&f, FRAG_UNIT, max_size);
    if (UNLIKELY(!first || !later || !f.data_len
                 || f.data_len / MIN(first, later) >= PKT_MAX_SEGS
                 || f.first_ofs * FRAG_UNIT + f.data_len > UINT16_MAX)) {
        vport_drop_tx(e->out, e->pmd, m, DROP_BAD_SEGMENT);
        return;
    }

    for (uint32_t at = 0, len; at < f.data_len; at += len) {
        struct egress_sum sum = { .known = false };
        struct rte_mbuf *frag;

        len = MIN(at ? later : first, f.data_len - at);
        frag = make_fragment(&f, at, len, &sum);
        if (UNLIKELY(!frag)) {
            vport_drop_tx(e->out, e->pmd, m, DROP_NO_MBUF);
            return;
        }
        e->emit(e, frag, sum);
        n++;
    }
    e->c->frags += n;
    rte_pktmbuf_free(m);
}

static void
init_ip4(struct frags *f)
{
    const uint8_t *l3 = pkt_data(f->m) + f->v->start;
    const struct ip4_hdr *ip = (const void *) l3;
    uint32_t sum = csum_add(0, l3, f->v->hdr_len);

    f->first_ofs = ntohs(ip->frag) & IP4_OFS_MASK;
    f->last_mf = ip->frag & htons(IP4_MF);
    f->fault = csum_finish(sum) ? csum_fold(sum) : 0;

    memcpy(f->later_hdr, l3, sizeof *ip);
    f->later_hdr_len = sizeof *ip
                       + copy_options(l3 + sizeof *ip,
                                      f->v->hdr_len - (uint32_t) sizeof *ip,
                                      f->later_hdr + sizeof *ip);
    f->later_hdr[0] = (uint8_t) (0x40 | f->later_hdr_len / 4);
}

/* Copies the options that every fragment has, padded to 4 bytes; returns their
 * length.  Options that lie about their length end the list. */
static uint32_t
copy_options(const uint8_t *options, uint32_t len, uint8_t *to)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < len && options[at] != IP4_OPT_END;) {
        uint32_t opt_len = 1;

        if (options[at] != IP4_OPT_NOP) {
            opt_len = at + 1 < len ? options[at + 1] : 0;
            if (opt_len < 2 || opt_len > len - at) {
                break;
            }
        }
        if (options[at] & IP4_OPT_COPIED) {
            memcpy(to + n, options + at, opt_len);
            n += opt_len;
        }
        at += opt_len;
    }
    while (n % 4) {
        to[n++] = IP4_OPT_END;
    }
    return n;
}

/* How many bytes the fragment at 'at' can hold: a multiple of 8, 0 when there
 * is no room for any. */
static uint32_t
max_data(const struct frags *f, uint32_t at, uint32_t max_size)
{
    uint32_t hdr_len = f->v->hdr_len;
    uint32_t room;

    if (f->v->version == 6) {
        hdr_len += (uint32_t) sizeof(struct ip6_frag_hdr);
    } else if (at) {
        hdr_len = f->later_hdr_len;
    }
    room = f->e->room > hdr_len ? f->e->room - hdr_len : 0;
    if (max_size) {
        room = MIN(room, max_size);
    }
    return ROUND_DOWN(room, FRAG_UNIT);
}

/* The fragment of 'len' bytes at 'at'; moves the cursor on. */
static struct rte_mbuf *
make_fragment(struct frags *f, uint32_t at, uint32_t len,
              struct egress_sum *sum)
{
    struct rte_mbuf *frag = mem_alloc_small();
    uint16_t l3 = f->v->start;
    uint16_t start = pkt_meta(f->m)->inner_start;
    struct pkt_meta *md;
    uint32_t hdr_len;

    if (UNLIKELY(!frag)) {
        return NULL;
    }
    md = pkt_meta(frag);
    pkt_meta_copy(md, pkt_meta(f->m));
    memset(&md->need, 0, sizeof md->need);

    memcpy(pkt_data(frag), pkt_data(f->m), l3);
    hdr_len = l3 + (f->v->version == 4
                    ? put_ip4(f, pkt_data(frag) + l3, at, len)
                    : put_ip6(f, pkt_data(frag) + l3, at, len));
    frag->data_len = (uint16_t) hdr_len;
    frag->pkt_len = hdr_len;
    md->ofs.l4 = PKT_OFS_NONE;
    md->ofs.payload = PKT_OFS_NONE;
    md->ofs.l3_end = hdr_len + len;

    if (f->wants_frame_sum) {
        sum->sum = csum_add(pkt_cursor_csum(f->data, len),
                            pkt_data(frag) + start, hdr_len - start);
        sum->known = true;
    }
    if (UNLIKELY(!pkt_cursor_append_ref(&f->data, frag, len))) {
        rte_pktmbuf_free(frag);
        return NULL;
    }
    return frag;
}

static uint32_t
put_ip4(const struct frags *f, uint8_t *l3, uint32_t at, uint32_t len)
{
    struct ip4_hdr *ip = (void *) l3;
    bool mf = at + len < f->data_len || f->last_mf;
    uint32_t hdr_len = at ? f->later_hdr_len : f->v->hdr_len;

    memcpy(l3, at ? f->later_hdr : pkt_data(f->m) + f->v->start, hdr_len);
    ip->tot_len = htons((uint16_t) (hdr_len + len));
    ip->frag = htons((uint16_t) ((f->first_ofs + at / FRAG_UNIT)
                                 | (mf ? IP4_MF : 0)));
    ip->csum = 0;
    ip->csum = csum_finish(csum_plus(csum_add(0, l3, hdr_len), f->fault));
    return hdr_len;
}

static uint32_t
put_ip6(const struct frags *f, uint8_t *l3, uint32_t at, uint32_t len)
{
    struct ip6_hdr_wire *ip = (void *) l3;
    struct ip6_frag_hdr *frag = (void *) (l3 + f->v->hdr_len);
    uint8_t *next = l3 + (f->v->next_ofs - f->v->start);
    uint32_t hdr_len = f->v->hdr_len + (uint32_t) sizeof *frag;

    memcpy(l3, pkt_data(f->m) + f->v->start, f->v->hdr_len);
    frag->next = *next;
    frag->reserved = 0;
    frag->ofs_m = htons((uint16_t) (at | (at + len < f->data_len)));
    frag->id = f->id;
    *next = IPPROTO_FRAGMENT;
    ip->payload_len = htons((uint16_t) (hdr_len - sizeof *ip + len));
    return hdr_len;
}
