/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of datapath/mem.c: the packet pools. */

#include <CUnit/CUnit.h>

#include "datapath/mem.h"
#include "datapath/pkt.h"
#include "tests/unit/unit.h"

void suite_mem(void);

enum { N_SMALL = 64, N_BIG = 8 };

static int
set_up(void)
{
    char *error;

    unit_start_dpdk();
    error = mem_init(N_SMALL, N_BIG);
    if (error) {
        fprintf(stderr, "%s\n", error);
        free(error);
        return 1;
    }
    return 0;
}

static int
tear_down(void)
{
    mem_fini();
    return 0;
}

static void
check_all_free(void)
{
    struct mem_usage u;

    mem_get_usage(&u);
    CU_ASSERT_EQUAL(u.n_small_free, u.n_small);
    CU_ASSERT_EQUAL(u.n_big_free, u.n_big);
    CU_ASSERT_EQUAL(u.n_ind_free, u.n_ind);
}

static void
test_shape(void)
{
    struct rte_mbuf *small = mem_alloc_small();
    struct rte_mbuf *big = mem_alloc_big();
    struct rte_mbuf *ind = mem_alloc_ind();
    struct mem_usage u;

    CU_ASSERT_PTR_NOT_NULL_FATAL(small);
    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ind);

    CU_ASSERT_EQUAL(rte_pktmbuf_headroom(small), PKT_HEADROOM);
    CU_ASSERT_EQUAL(rte_pktmbuf_tailroom(small), MEM_SMALL_ROOM);
    CU_ASSERT_EQUAL(rte_pktmbuf_headroom(big), 0);
    CU_ASSERT_EQUAL(rte_pktmbuf_tailroom(big), MEM_BIG_ROOM);
    CU_ASSERT_EQUAL(rte_pktmbuf_tailroom(ind), 0);
    CU_ASSERT_EQUAL(small->pool, mem_pool_small());
    CU_ASSERT_EQUAL(ind->pool, mem_pool_ind());

    /* Metadata and data do not overlap: write both in full. */
    memset(pkt_meta(small), 0xaa, sizeof(struct pkt_meta));
    memset(rte_pktmbuf_append(small, MEM_SMALL_ROOM), 0x55, MEM_SMALL_ROOM);
    memset(rte_pktmbuf_prepend(small, PKT_HEADROOM), 0x55, PKT_HEADROOM);
    memset(pkt_meta(big), 0xaa, sizeof(struct pkt_meta));
    memset(rte_pktmbuf_append(big, MEM_BIG_ROOM), 0x55, MEM_BIG_ROOM);
    memset(pkt_meta(ind), 0xaa, sizeof(struct pkt_meta));
    CU_ASSERT_EQUAL(((uint8_t *) pkt_meta(small))[0], 0xaa);
    CU_ASSERT_EQUAL(((uint8_t *) (pkt_meta(small) + 1))[-1], 0xaa);
    CU_ASSERT_EQUAL(((uint8_t *) (pkt_meta(big) + 1))[-1], 0xaa);

    mem_get_usage(&u);
    CU_ASSERT_EQUAL(u.n_small, N_SMALL);
    CU_ASSERT_EQUAL(u.n_small_free, N_SMALL - 1);
    CU_ASSERT_EQUAL(u.n_big, N_BIG);
    CU_ASSERT_EQUAL(u.n_big_free, N_BIG - 1);
    CU_ASSERT_EQUAL(u.n_ind_free, u.n_ind - 1);

    rte_pktmbuf_free(small);
    rte_pktmbuf_free(big);
    rte_pktmbuf_free(ind);
    check_all_free();
}

/* A reference to either kind of buffer has metadata of its own, and the buffer
 * goes back only with the last of them. */
static void
test_reference(void)
{
    for (int is_big = 0; is_big < 2; is_big++) {
        struct rte_mbuf *m = is_big ? mem_alloc_big() : mem_alloc_small();
        struct rte_mbuf *ind = mem_alloc_ind();
        struct mem_usage u;

        memset(rte_pktmbuf_append(m, 100), 7, 100);
        pkt_meta(m)->in_port = 1;
        rte_pktmbuf_attach(ind, m);
        pkt_meta(ind)->in_port = 2;
        CU_ASSERT_EQUAL(pkt_meta(m)->in_port, 1);
        CU_ASSERT_EQUAL(pkt_data(ind), pkt_data(m));
        CU_ASSERT_EQUAL(rte_mbuf_from_indirect(ind), m);

        rte_pktmbuf_free(m);
        mem_get_usage(&u);
        CU_ASSERT_EQUAL(is_big ? u.n_big - u.n_big_free
                               : u.n_small - u.n_small_free, 1);
        CU_ASSERT_EQUAL(pkt_data(ind)[99], 7);
        rte_pktmbuf_free(ind);
        check_all_free();
    }
}

static void
test_used_up(void)
{
    struct rte_mbuf *small[N_SMALL];
    struct rte_mbuf *big[N_BIG];

    for (int i = 0; i < N_SMALL; i++) {
        small[i] = mem_alloc_small();
        CU_ASSERT_PTR_NOT_NULL_FATAL(small[i]);
    }
    for (int i = 0; i < N_BIG; i++) {
        big[i] = mem_alloc_big();
        CU_ASSERT_PTR_NOT_NULL_FATAL(big[i]);
    }
    CU_ASSERT_PTR_NULL(mem_alloc_small());
    CU_ASSERT_PTR_NULL(mem_alloc_big());

    rte_pktmbuf_free_bulk(small, N_SMALL);
    rte_pktmbuf_free_bulk(big, N_BIG);
    check_all_free();
}

/* Last, for it leaves no pools behind; DPDK logs the failure it is asked
 * for. */
static void
test_too_much(void)
{
    char *error;

    mem_fini();
    error = mem_init(N_SMALL, 1u << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "1048576 packet buffers"));
    free(error);

    /* What was made before the failure is gone: the names are free. */
    error = mem_init(N_SMALL, N_BIG);
    CU_ASSERT_PTR_NULL(error);
    check_all_free();
}

void
suite_mem(void)
{
    CU_pSuite suite = CU_add_suite("mem", set_up, tear_down);

    CU_add_test(suite, "shape of the buffers", test_shape);
    CU_add_test(suite, "references", test_reference);
    CU_add_test(suite, "used up", test_used_up);
    CU_add_test(suite, "more than there is", test_too_much);
}
