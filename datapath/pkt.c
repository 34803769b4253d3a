/* SPDX-License-Identifier: Apache-2.0 */

/* pkt.c - see pkt.h.
 *
 * PMD threads; all stages call it.  It must never copy payload that it was
 * not asked to make contiguous, and never write into a buffer that somebody
 * else can see too.
 *
 * Whose a buffer is: a first mbuf is ours alone when it holds its buffer
 * itself and nobody else refers to it.  Otherwise the bytes that are to be
 * written move into a new small mbuf, which is put in front of the rest.  The
 * rest needs no write: its own data_off and data_len are ours even where its
 * bytes are not. */

#include "datapath/pkt.h"

#include "datapath/mem.h"
#include "lib/pkt/csum.h"

static struct rte_mbuf *replace_head(struct rte_mbuf *, uint32_t front,
                                     uint32_t len);
static struct rte_mbuf *drop_front(struct rte_mbuf *, uint32_t len);
static struct rte_mbuf *alloc_head(uint32_t room);
static uint32_t max_head(const struct rte_mbuf *, const struct pkt_meta *);
static void shift_all(struct pkt_meta *, int32_t above, int delta);

struct rte_mbuf *
pkt_clone(struct rte_mbuf *m)
{
    struct rte_mbuf *c = rte_pktmbuf_clone(m, mem_pool_ind());

    if (c) {
        pkt_meta_copy(pkt_meta(c), pkt_meta(m));
    }
    return c;
}

bool
pkt_is_ours(const struct rte_mbuf *m)
{
    if (RTE_MBUF_HAS_EXTBUF(m)) {
        return rte_mbuf_refcnt_read(m) == 1
               && rte_mbuf_ext_refcnt_read(m->shinfo) == 1;
    }
    return !RTE_MBUF_CLONED(m) && rte_mbuf_refcnt_read(m) == 1;
}

struct rte_mbuf *
pkt_own_head(struct rte_mbuf *m, uint32_t len)
{
    len = MIN(len, m->pkt_len);
    if (LIKELY(len <= m->data_len && pkt_is_ours(m))) {
        return m;
    }
    return replace_head(m, 0, len);
}

struct rte_mbuf *
pkt_pull_head(struct rte_mbuf *m, uint32_t len)
{
    len = MIN(len, m->pkt_len);
    if (LIKELY(len <= m->data_len)) {
        return m;
    }

    /* Most often the rest of the header fits behind what is there. */
    uint32_t missing = len - m->data_len;
    if (pkt_is_ours(m) && missing <= rte_pktmbuf_tailroom(m)) {
        struct rte_mbuf *rest = m->next;
        uint32_t have = m->data_len;

        pkt_read(m, have, missing, pkt_data(m) + have);
        rest->pkt_len = m->pkt_len - have;
        rest->nb_segs = (uint16_t) (m->nb_segs - 1);
        rest = drop_front(rest, missing);
        m->next = rest;
        m->data_len = (uint16_t) len;
        m->nb_segs = (uint16_t) (rest ? rest->nb_segs + 1 : 1);
        return m;
    }
    return replace_head(m, 0, len);
}

struct rte_mbuf *
pkt_push(struct rte_mbuf *m, uint16_t len)
{
    if (LIKELY(len <= rte_pktmbuf_headroom(m) && pkt_is_ours(m))) {
        m->data_off = (uint16_t) (m->data_off - len);
        m->data_len = (uint16_t) (m->data_len + len);
        m->pkt_len += len;
    } else {
        m = replace_head(m, len, max_head(m, pkt_meta(m)));
        if (!m) {
            return NULL;
        }
    }
    shift_all(pkt_meta(m), -1, len);
    return m;
}

struct rte_mbuf *
pkt_pull(struct rte_mbuf *m, uint32_t len)
{
    struct rte_mbuf *first;

    if (UNLIKELY(len >= m->pkt_len)) {
        len = m->pkt_len;
        rte_pktmbuf_free(m->next);
        m->next = NULL;
        m->nb_segs = 1;
        m->data_len = 0;
        m->pkt_len = 0;
        first = m;
    } else if (LIKELY(len < m->data_len)) {
        m->data_off = (uint16_t) (m->data_off + len);
        m->data_len = (uint16_t) (m->data_len - len);
        m->pkt_len -= len;
        first = m;
    } else {
        struct pkt_meta md;

        pkt_meta_copy(&md, pkt_meta(m));
        first = drop_front(m, len);
        pkt_meta_copy(pkt_meta(first), &md);
    }
    shift_all(pkt_meta(first), -1, -(int) len);
    return first;
}

struct rte_mbuf *
pkt_gap(struct rte_mbuf *m, uint16_t at, int delta)
{
    if (delta > 0) {
        uint16_t n = (uint16_t) delta;

        if (n <= rte_pktmbuf_headroom(m) && at <= m->data_len
            && pkt_is_ours(m)) {
            m->data_off = (uint16_t) (m->data_off - n);
            m->data_len = (uint16_t) (m->data_len + n);
            m->pkt_len += n;
        } else {
            m = replace_head(m, n, MAX(at, max_head(m, pkt_meta(m))));
            if (!m) {
                return NULL;
            }
        }
        memmove(pkt_data(m), pkt_data(m) + n, at);
    } else if (delta < 0) {
        uint16_t n = (uint16_t) -delta;

        m = pkt_own_head(m, MAX((uint32_t) at + n,
                                max_head(m, pkt_meta(m))));
        if (!m) {
            return NULL;
        }
        memmove(pkt_data(m) + n, pkt_data(m), at);
        m->data_off = (uint16_t) (m->data_off + n);
        m->data_len = (uint16_t) (m->data_len - n);
        m->pkt_len -= n;
    }
    shift_all(pkt_meta(m), at, delta);
    return m;
}

struct rte_mbuf *
pkt_linearize(struct rte_mbuf *m)
{
    return m->nb_segs == 1 ? m : pkt_pull_head(m, m->pkt_len);
}

uint32_t
pkt_csum(const struct rte_mbuf *m, uint32_t ofs, uint32_t len)
{
    uint32_t sum = 0, done = 0;

    while (ofs >= m->data_len && m->next) {
        ofs -= m->data_len;
        m = m->next;
    }
    for (; m && done < len; m = m->next) {
        uint32_t n = MIN(m->data_len - ofs, len - done);

        sum = csum_add_at(sum, pkt_data(m) + ofs, n, done);
        done += n;
        ofs = 0;
    }
    return sum;
}

void
pkt_read(const struct rte_mbuf *m, uint32_t ofs, uint32_t len, void *to)
{
    uint8_t *dst = to;

    while (ofs >= m->data_len && m->next) {
        ofs -= m->data_len;
        m = m->next;
    }
    for (; m && len; m = m->next) {
        uint32_t n = MIN(m->data_len - ofs, len);

        memcpy(dst, pkt_data(m) + ofs, n);
        dst += n;
        len -= n;
        ofs = 0;
    }
}

void
pkt_trim(struct rte_mbuf *m, uint32_t len)
{
    struct pkt_meta *md = pkt_meta(m);
    struct rte_mbuf *last = m;
    uint32_t left = len;
    uint16_t n = 1;

    if (len >= m->pkt_len) {
        return;
    }
    while (left > last->data_len) {
        left -= last->data_len;
        last = last->next;
        n++;
    }
    last->data_len = (uint16_t) left;
    if (last->next) {
        rte_pktmbuf_free(last->next);
        last->next = NULL;
    }
    m->nb_segs = n;
    m->pkt_len = len;
    md->ofs.l3_end = MIN(md->ofs.l3_end, len);
}

bool
pkt_append_ref(struct rte_mbuf *head, struct rte_mbuf *m, uint32_t ofs,
               uint32_t len)
{
    struct pkt_cursor cur;

    pkt_cursor_init(&cur, m, ofs);
    return pkt_cursor_append_ref(&cur, head, len);
}

void
pkt_cursor_init(struct pkt_cursor *cur, struct rte_mbuf *m, uint32_t ofs)
{
    while (ofs >= m->data_len && m->next) {
        ofs -= m->data_len;
        m = m->next;
    }
    cur->seg = m;
    cur->ofs = ofs;
}

/* How many bytes can be taken at once, after stepping over what is used up
 * (and over empty mbufs). */
static uint32_t
cursor_run(struct pkt_cursor *cur, uint32_t len)
{
    while (cur->ofs >= cur->seg->data_len && cur->seg->next) {
        cur->seg = cur->seg->next;
        cur->ofs = 0;
    }
    return MIN(cur->seg->data_len - cur->ofs, len);
}

void
pkt_cursor_skip(struct pkt_cursor *cur, uint32_t len)
{
    while (len) {
        uint32_t n = cursor_run(cur, len);

        cur->ofs += n;
        len -= n;
    }
}

void
pkt_cursor_read(struct pkt_cursor cur, uint8_t *to, uint32_t len)
{
    pkt_cursor_copy(&cur, to, len);
}

/* A reference to as many of the next 'len' bytes as lie in one buffer; moves
 * on.  NULL without memory. */
static struct rte_mbuf *
cursor_ref(struct pkt_cursor *cur, uint32_t len)
{
    uint32_t n = cursor_run(cur, len);
    struct rte_mbuf *ref = mem_alloc_ind();

    if (LIKELY(ref)) {
        rte_pktmbuf_attach(ref, cur->seg);
        ref->data_off = (uint16_t) (ref->data_off + cur->ofs);
        ref->data_len = (uint16_t) n;
        ref->pkt_len = n;
        cur->ofs += n;
    }
    return ref;
}

struct rte_mbuf *
pkt_cursor_slice(struct pkt_cursor *cur, uint32_t len)
{
    struct rte_mbuf *head = cursor_ref(cur, len);

    if (head && UNLIKELY(head->data_len < len)
        && !pkt_cursor_append_ref(cur, head, len - head->data_len)) {
        rte_pktmbuf_free(head);
        head = NULL;
    }
    return head;
}

bool
pkt_cursor_append_ref(struct pkt_cursor *cur, struct rte_mbuf *head,
                      uint32_t len)
{
    struct rte_mbuf *last = rte_pktmbuf_lastseg(head);

    while (len) {
        struct rte_mbuf *ref = cursor_ref(cur, len);

        if (!ref) {
            return false;
        }
        last->next = ref;
        last = ref;
        head->nb_segs++;
        head->pkt_len += ref->data_len;
        len -= ref->data_len;
    }
    return true;
}

uint32_t
pkt_cursor_csum(struct pkt_cursor cur, uint32_t len)
{
    uint32_t sum = 0, done = 0;

    while (done < len) {
        uint32_t n = cursor_run(&cur, len - done);

        sum = csum_add_at(sum, pkt_data(cur.seg) + cur.ofs, n, done);
        cur.ofs += n;
        done += n;
    }
    return sum;
}

uint32_t
pkt_cursor_copy_csum(struct pkt_cursor *cur, uint8_t *to, uint32_t len)
{
    uint32_t sum = 0, done = 0;

    while (done < len) {
        uint32_t n = cursor_run(cur, len - done);
        const uint8_t *from = pkt_data(cur->seg) + cur->ofs;

        if (LIKELY(!(done & 1))) {
            sum = csum_copy(sum, to + done, from, n);
        } else {
            memcpy(to + done, from, n);
            sum = csum_add_at(sum, from, n, done);
        }
        cur->ofs += n;
        done += n;
    }
    return sum;
}

void
pkt_cursor_copy(struct pkt_cursor *cur, uint8_t *to, uint32_t len)
{
    while (len) {
        uint32_t n = cursor_run(cur, len);

        memcpy(to, pkt_data(cur->seg) + cur->ofs, n);
        cur->ofs += n;
        to += n;
        len -= n;
    }
}

/* Moves the first 'len' bytes into a new mbuf with 'front' bytes more before
 * them and the rest of '*m' behind.  The metadata moves along, unshifted. */
static struct rte_mbuf *
replace_head(struct rte_mbuf *m, uint32_t front, uint32_t len)
{
    struct rte_mbuf *h = alloc_head(front + len);
    uint32_t pkt_len = m->pkt_len;

    if (!h) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    pkt_read(m, 0, len, pkt_data(h) + front);
    pkt_meta_copy(pkt_meta(h), pkt_meta(m));

    m = drop_front(m, len);
    h->data_len = (uint16_t) (front + len);
    h->pkt_len = front + pkt_len;
    h->next = m;
    h->nb_segs = (uint16_t) (m ? m->nb_segs + 1 : 1);
    return h;
}

/* Removes 'len' bytes at the front without touching metadata.  Returns the
 * first mbuf that still has bytes, or NULL when none has. */
static struct rte_mbuf *
drop_front(struct rte_mbuf *m, uint32_t len)
{
    uint32_t pkt_len = m->pkt_len - len;
    uint16_t nb_segs = m->nb_segs;

    while (m && len >= m->data_len) {
        struct rte_mbuf *next = m->next;

        len -= m->data_len;
        nb_segs--;
        m->next = NULL;
        m->nb_segs = 1;
        rte_pktmbuf_free_seg(m);
        m = next;
    }
    if (m) {
        m->data_off = (uint16_t) (m->data_off + len);
        m->data_len = (uint16_t) (m->data_len - len);
        m->pkt_len = pkt_len;
        m->nb_segs = nb_segs;
    }
    return m;
}

/* An empty mbuf with room for 'room' bytes. */
static struct rte_mbuf *
alloc_head(uint32_t room)
{
    struct rte_mbuf *h;

    if (LIKELY(room <= MEM_SMALL_ROOM)) {
        return mem_alloc_small();
    }
    if (room > MEM_BIG_ROOM) {
        return NULL;
    }
    h = mem_alloc_big();
    if (h && room + PKT_HEADROOM <= rte_pktmbuf_tailroom(h)) {
        h->data_off = (uint16_t) (h->data_off + PKT_HEADROOM);
    }
    return h;
}

/* How much of the front is to stay in one piece with new bytes before it: all
 * that the parser has looked at. */
static uint32_t
max_head(const struct rte_mbuf *m, const struct pkt_meta *md)
{
    uint32_t len = (uint32_t) md->inner_start + PARSE_HEAD_BYTES;

    return MIN(len, m->data_len);
}

static uint16_t
shift(uint16_t ofs, int32_t above, int delta)
{
    int32_t shifted = (int32_t) ofs + delta;

    if (ofs == PKT_OFS_NONE || (int32_t) ofs <= above) {
        return ofs;
    }
    return (uint16_t) MAX(shifted, MAX(above, 0));
}

/* Adds 'delta' to every offset of the metadata that lies above 'above'; none
 * falls below it. */
static void
shift_all(struct pkt_meta *md, int32_t above, int delta)
{
    struct pkt_ofs *ofs = &md->ofs;

    ofs->l2_5 = shift(ofs->l2_5, above, delta);
    ofs->l3 = shift(ofs->l3, above, delta);
    ofs->l4 = shift(ofs->l4, above, delta);
    ofs->payload = shift(ofs->payload, above, delta);
    if ((int64_t) ofs->l3_end > above) {
        ofs->l3_end = (uint32_t) MAX((int64_t) ofs->l3_end + delta, 0);
    }
    md->inner_start = shift(md->inner_start, above, delta);
    if (md->need.csum) {
        md->need.csum_start = shift(md->need.csum_start, above, delta);
    }
    for (unsigned int i = 0; i < md->n_encaps; i++) {
        struct pkt_encap *e = &md->encaps[i];

        e->start = shift(e->start, above, delta);
        e->l3 = shift(e->l3, above, delta);
        e->l4 = shift(e->l4, above, delta);
        e->inner = shift(e->inner, above, delta);
    }
}
