/* SPDX-License-Identifier: Apache-2.0 */
/* pkt.c against arrays of bytes: each operation on a packet of any shape,
 * alone or shared with a clone, must do to the packet what the plain code does
 * to the array, and nothing at all to the clone. */

#include "datapath/pkt.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>

#include "lib/pkt/csum.h"
#include "tests/unit/datapath/dpdk_env.h"

#define MAX_LEN 65535

struct model {
    uint8_t bytes[MAX_LEN + 1024];
    uint32_t len;
};

void suite_pkt(void);

static struct model model, frozen;
static uint8_t out[MAX_LEN + 1024];

static bool
equals(const struct rte_mbuf *m, const struct model *x)
{
    uint32_t len = dpdk_env_bytes(m, out, sizeof out);

    return len == x->len && !memcmp(out, x->bytes, len);
}

/* Offsets at places that a test can tell apart afterwards. */
static void
set_meta(struct rte_mbuf *m)
{
    struct pkt_meta *md = pkt_meta(m);

    md->ofs.l2_5 = 12;
    md->ofs.l3 = 14;
    md->ofs.l4 = 34;
    md->ofs.payload = PKT_OFS_NONE;
    md->ofs.l3_end = m->pkt_len;
    md->need.csum = true;
    md->need.csum_start = 34;
    md->need.csum_offset = 16;
    md->n_encaps = 1;
    md->encaps[0].start = 0;
    md->encaps[0].l3 = 14;
    md->encaps[0].l4 = 34;
    md->encaps[0].inner = 50;
}

static void
op_push(struct rte_mbuf **m)
{
    uint16_t n = (uint16_t) dpdk_env_range(1, 120);
    struct pkt_ofs was = pkt_meta(*m)->ofs;

    if (model.len + n > MAX_LEN) {
        return;
    }
    *m = pkt_push(*m, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*m);
    memmove(model.bytes + n, model.bytes, model.len);
    model.len += n;
    dpdk_env_fill(model.bytes, n);
    memcpy(pkt_data(*m), model.bytes, n);
    CU_ASSERT_EQUAL(pkt_meta(*m)->ofs.l3, was.l3 + n);
    CU_ASSERT_EQUAL(pkt_meta(*m)->ofs.payload, PKT_OFS_NONE);
}

static void
op_pull(struct rte_mbuf **m)
{
    uint32_t n = dpdk_env_range(1, MIN(400, model.len - 1));
    struct pkt_ofs was = pkt_meta(*m)->ofs;
    uint16_t l4 = (uint16_t) MAX((int) was.l4 - (int) n, 0);

    *m = pkt_pull(*m, n);
    memmove(model.bytes, model.bytes + n, model.len - n);
    model.len -= n;
    CU_ASSERT_EQUAL(pkt_meta(*m)->ofs.l4, l4);
    CU_ASSERT_EQUAL(pkt_meta(*m)->need.csum_start, l4);
}

static void
op_gap(struct rte_mbuf **m)
{
    int delta = dpdk_env_random() & 1 ? 4 : -4;
    uint16_t at = 12;

    if (model.len < 64 || model.len + 4 > MAX_LEN
        || (*m)->data_len < 64) {
        return;
    }
    set_meta(*m);
    *m = pkt_gap(*m, at, delta);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*m);
    if (delta > 0) {
        memmove(model.bytes + at + 4, model.bytes + at, model.len - at);
        dpdk_env_fill(model.bytes + at, 4);
        memcpy(pkt_data(*m) + at, model.bytes + at, 4);
    } else {
        memmove(model.bytes + at, model.bytes + at + 4, model.len - at - 4);
    }
    model.len = (uint32_t) ((int) model.len + delta);

    struct pkt_meta *md = pkt_meta(*m);
    CU_ASSERT_EQUAL(md->ofs.l2_5, 12);
    CU_ASSERT_EQUAL(md->ofs.l3, MAX(14 + delta, 12));
    CU_ASSERT_EQUAL(md->ofs.l4, 34 + delta);
    CU_ASSERT_EQUAL(md->ofs.payload, PKT_OFS_NONE);
    CU_ASSERT_EQUAL(md->ofs.l3_end, model.len);
    CU_ASSERT_EQUAL(md->need.csum_start, 34 + delta);
    CU_ASSERT_EQUAL(md->encaps[0].start, 0);
    CU_ASSERT_EQUAL(md->encaps[0].inner, 50 + delta);
}

static void
op_own(struct rte_mbuf **m)
{
    uint32_t n = dpdk_env_range(1, MIN(1900, model.len));

    *m = pkt_own_head(*m, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*m);
    CU_ASSERT_FATAL((*m)->data_len >= n);
    CU_ASSERT(pkt_is_ours(*m));
    dpdk_env_fill(model.bytes, n);
    memcpy(pkt_data(*m), model.bytes, n);
}

static void
op_pull_head(struct rte_mbuf **m)
{
    uint32_t n = dpdk_env_range(1, MIN(1900, model.len));

    *m = pkt_pull_head(*m, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*m);
    CU_ASSERT((*m)->data_len >= n);
}

static void
op_trim(struct rte_mbuf **m)
{
    uint32_t n = model.len - dpdk_env_range(0, model.len / 10);

    pkt_trim(*m, n);
    model.len = n;
    CU_ASSERT(pkt_meta(*m)->ofs.l3_end <= n);
}

static void
op_read(struct rte_mbuf **m)
{
    uint32_t ofs = dpdk_env_range(0, model.len - 1);
    uint32_t n = dpdk_env_range(0, model.len - ofs);
    uint32_t naive = 0;

    pkt_read(*m, ofs, n, out);
    CU_ASSERT(!memcmp(out, model.bytes + ofs, n));

    for (uint32_t i = 0; i < n; i++) {
        naive += (uint32_t) model.bytes[ofs + i] << (i & 1 ? 0 : 8);
        naive = (naive & 0xffff) + (naive >> 16);
    }
    naive = (naive & 0xffff) + (naive >> 16);
    CU_ASSERT_EQUAL(ntohs(csum_fold(pkt_csum(*m, ofs, n))) % 0xffff,
                    naive % 0xffff);
}

static void
op_refs(struct rte_mbuf **m)
{
    struct rte_mbuf *head = dpdk_env_packet("head", 4, SHAPE_TINY, 4);
    uint32_t ofs = dpdk_env_range(0, model.len - 1);
    uint32_t n = dpdk_env_range(0, MIN(model.len - ofs, 60000));
    uint32_t sum;
    struct pkt_cursor cur;

    CU_ASSERT_FATAL(pkt_append_ref(head, *m, ofs, n));
    CU_ASSERT_EQUAL(dpdk_env_bytes(head, out, sizeof out), n + 4);
    CU_ASSERT(!memcmp(out + 4, model.bytes + ofs, n));
    rte_pktmbuf_free(head);

    pkt_cursor_init(&cur, *m, ofs);
    sum = pkt_cursor_csum(cur, n);
    CU_ASSERT_EQUAL(csum_fold(sum), csum_fold(pkt_csum(*m, ofs, n)));
    memset(out, 0, n);
    CU_ASSERT_EQUAL(csum_fold(pkt_cursor_copy_csum(&cur, out, n)),
                    csum_fold(sum));
    CU_ASSERT(!memcmp(out, model.bytes + ofs, n));

    pkt_cursor_init(&cur, *m, ofs);
    memset(out, 0, n);
    pkt_cursor_copy(&cur, out, n);
    CU_ASSERT(!memcmp(out, model.bytes + ofs, n));
}

typedef void op_fn(struct rte_mbuf **);
static op_fn *const ops[] = {
    op_push, op_pull, op_gap, op_own, op_pull_head, op_trim, op_read, op_refs,
};

static void
make_packet(struct rte_mbuf **m)
{
    enum dpdk_env_shape shape
        = (enum dpdk_env_shape) dpdk_env_range(0, N_SHAPES - 1);

    model.len = dpdk_env_random() & 3 ? dpdk_env_range(60, 3000)
                                      : dpdk_env_range(3000, MAX_LEN);
    dpdk_env_fill(model.bytes, model.len);
    *m = dpdk_env_packet(model.bytes, model.len, shape,
                         dpdk_env_range(1, 400));
    set_meta(*m);
}

static void
test_random_operations(void)
{
    dpdk_env_start();
    dpdk_env_seed(42);
    for (int round = 0; round < 1500; round++) {
        struct rte_mbuf *m, *clone = NULL;

        make_packet(&m);
        for (int i = 0; i < 12 && model.len > 1; i++) {
            if (!clone && !(dpdk_env_random() & 3)) {
                clone = pkt_clone(m);
                CU_ASSERT_PTR_NOT_NULL_FATAL(clone);
                memcpy(&frozen, &model, sizeof frozen);
                if (dpdk_env_random() & 1) {
                    /* It matters not which of the two is written to. */
                    struct rte_mbuf *tmp = m;

                    m = clone;
                    clone = tmp;
                }
            }
            ops[dpdk_env_range(0, ARRAY_SIZE(ops) - 1)](&m);
            CU_ASSERT_FATAL(equals(m, &model));
        }
        if (clone) {
            CU_ASSERT_FATAL(equals(clone, &frozen));
            rte_pktmbuf_free(clone);
        }
        rte_pktmbuf_free(m);
    }
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_clone_copies_no_payload(void)
{
    struct rte_mbuf *m, *c;

    dpdk_env_start();
    make_packet(&m);
    pkt_meta(m)->in_port = 77;
    c = pkt_clone(m);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_PTR_EQUAL(pkt_data(c), pkt_data(m));
    CU_ASSERT_PTR_NOT_EQUAL(pkt_meta(c), pkt_meta(m));
    CU_ASSERT_EQUAL(pkt_meta(c)->in_port, 77);
    CU_ASSERT_EQUAL(pkt_meta(c)->encaps[0].inner, 50);
    CU_ASSERT(!pkt_is_ours(m));
    CU_ASSERT(!pkt_is_ours(c));
    rte_pktmbuf_free(c);
    CU_ASSERT(pkt_is_ours(m));
    rte_pktmbuf_free(m);
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_own_head_leaves_payload(void)
{
    struct rte_mbuf *m, *c;
    uint8_t *payload;

    dpdk_env_start();
    model.len = 1500;
    dpdk_env_fill(model.bytes, model.len);
    m = dpdk_env_packet(model.bytes, model.len, SHAPE_BIG, 0);
    payload = pkt_data(m) + 54;
    c = pkt_clone(m);
    c = pkt_own_head(c, 54);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(c->nb_segs, 2);
    CU_ASSERT_EQUAL(c->data_len, 54);
    CU_ASSERT_PTR_EQUAL(pkt_data(c->next), payload);
    rte_pktmbuf_free(c);
    rte_pktmbuf_free(m);
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_pull_everything(void)
{
    struct rte_mbuf *m;

    dpdk_env_start();
    make_packet(&m);
    m = pkt_pull(m, m->pkt_len);
    CU_ASSERT_EQUAL(m->pkt_len, 0);
    CU_ASSERT_EQUAL(m->nb_segs, 1);
    rte_pktmbuf_free(m);
    CU_ASSERT(dpdk_env_is_full());
}

static void
test_linearize(void)
{
    struct rte_mbuf *m;

    dpdk_env_start();
    for (uint32_t len = 100; len <= 63000; len += 4000) {
        model.len = len;
        dpdk_env_fill(model.bytes, len);
        m = dpdk_env_packet(model.bytes, len, SHAPE_TINY, 60);
        m = pkt_linearize(m);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m);
        CU_ASSERT_EQUAL(m->nb_segs, 1);
        CU_ASSERT(equals(m, &model));
        rte_pktmbuf_free(m);
    }
    CU_ASSERT(dpdk_env_is_full());
}

void
suite_pkt(void)
{
    CU_pSuite suite = CU_add_suite("pkt", NULL, NULL);

    CU_add_test(suite, "random operations against bytes",
                test_random_operations);
    CU_add_test(suite, "a clone copies no payload",
                test_clone_copies_no_payload);
    CU_add_test(suite, "owning the head leaves the payload where it is",
                test_own_head_leaves_payload);
    CU_add_test(suite, "pulling everything", test_pull_everything);
    CU_add_test(suite, "one buffer of many", test_linearize);
}
