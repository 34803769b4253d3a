/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of datapath/rxvec.c: buffers held ready for the kernel. */

#include <CUnit/CUnit.h>

#include "datapath/mem.h"
#include "datapath/rxvec.h"
#include "tests/unit/unit.h"

void suite_rxvec(void);

enum { N_SMALL = 64, N_BIG = 40 };

static int
set_up(void)
{
    char *error;

    unit_start_dpdk();
    error = mem_init(N_SMALL, N_BIG);
    free(error);
    return error != NULL;
}

static int
tear_down(void)
{
    mem_fini();
    return 0;
}

static void
check_used(unsigned int n_small, unsigned int n_big)
{
    struct mem_usage u;

    mem_get_usage(&u);
    CU_ASSERT_EQUAL(u.n_small - u.n_small_free, n_small);
    CU_ASSERT_EQUAL(u.n_big - u.n_big_free, n_big);
}

/* Does what the kernel does: writes bytes 0, 1, 2 ... through the slot. */
static void
write_frame(const struct rxvec *vec, uint16_t i, uint32_t len)
{
    uint32_t ofs = 0;

    for (int j = 0; j < 2; j++) {
        uint8_t *to = vec->iov[i][j].iov_base;

        for (size_t k = 0; k < vec->iov[i][j].iov_len && ofs < len; k++) {
            to[k] = (uint8_t) (ofs++ * 7);
        }
    }
    CU_ASSERT_EQUAL(ofs, len);
}

static void
check_frame(struct rte_mbuf *m, uint32_t len)
{
    uint32_t ofs = 0;
    unsigned int n_wrong = 0;

    CU_ASSERT_EQUAL(m->pkt_len, len);
    for (const struct rte_mbuf *seg = m; seg; seg = seg->next) {
        for (uint32_t k = 0; k < seg->data_len; k++) {
            n_wrong += pkt_data(seg)[k] != (uint8_t) (ofs++ * 7);
        }
    }
    CU_ASSERT_EQUAL(ofs, len);
    CU_ASSERT_EQUAL(n_wrong, 0);
}

/* Every length around the edges of the buffers comes out as it went in, and
 * only what is needed is taken. */
static void
test_lengths(void)
{
    static const struct {
        uint32_t len;
        uint16_t n_segs;
    } cases[] = {
        {0, 1}, {14, 1}, {1514, 1}, {MEM_SMALL_ROOM - 4, 1},
        {MEM_SMALL_ROOM - 3, 2}, {9014, 2}, {65549, 2},
        {MEM_SMALL_ROOM - 4 + MEM_BIG_ROOM, 2},
    };
    struct rxvec vec;

    rxvec_init(&vec);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct rte_mbuf *m;

        CU_ASSERT_EQUAL_FATAL(rxvec_fill(&vec, 3, 4), 3);
        CU_ASSERT_EQUAL(rxvec_room(&vec, 1),
                        MEM_SMALL_ROOM - 4 + MEM_BIG_ROOM);
        check_used(3, 3);
        write_frame(&vec, 1, cases[c].len);
        m = rxvec_take(&vec, 1, cases[c].len);
        CU_ASSERT_EQUAL(m->nb_segs, cases[c].n_segs);
        CU_ASSERT_EQUAL(rte_pktmbuf_headroom(m), PKT_HEADROOM + 4);
        rte_mbuf_sanity_check(m, 1);
        check_frame(m, cases[c].len);
        rte_pktmbuf_free(m);
        check_used(2, cases[c].n_segs == 2 ? 2 : 3);
    }
    rxvec_fini(&vec);
    check_used(0, 0);
}

/* Two vports that share the vector may want different reserves. */
static void
test_reserve(void)
{
    struct rxvec vec;
    struct rte_mbuf *m;

    rxvec_init(&vec);
    CU_ASSERT_EQUAL(rxvec_fill(&vec, 1, 100), 1);
    CU_ASSERT_EQUAL(vec.iov[0][0].iov_len, MEM_SMALL_ROOM - 100);
    CU_ASSERT_EQUAL(rxvec_fill(&vec, 1, 0), 1);
    CU_ASSERT_EQUAL(vec.iov[0][0].iov_len, MEM_SMALL_ROOM);
    m = rxvec_take(&vec, 0, MEM_SMALL_ROOM);
    CU_ASSERT_EQUAL(m->nb_segs, 1);
    CU_ASSERT_EQUAL(rte_pktmbuf_headroom(m), PKT_HEADROOM);
    rte_pktmbuf_free(m);
    rxvec_fini(&vec);
    check_used(0, 0);
}

static void
test_no_memory(void)
{
    struct rte_mbuf *held[N_SMALL];
    struct rte_mbuf *held_big[N_BIG];
    struct rte_mbuf *m;
    struct rxvec vec;

    rxvec_init(&vec);

    /* Two small ones are left: two slots. */
    for (int i = 0; i < N_SMALL - 2; i++) {
        held[i] = mem_alloc_small();
    }
    CU_ASSERT_EQUAL(rxvec_fill(&vec, PKT_BURST, 0), 2);
    rte_pktmbuf_free_bulk(held, N_SMALL - 2);
    CU_ASSERT_EQUAL(rxvec_fill(&vec, PKT_BURST, 0), PKT_BURST);
    check_used(PKT_BURST, PKT_BURST);
    rxvec_fini(&vec);

    /* No big one is left: room for common packets only, and again for all
     * once there is. */
    for (int i = 0; i < N_BIG; i++) {
        held_big[i] = mem_alloc_big();
        CU_ASSERT_PTR_NOT_NULL_FATAL(held_big[i]);
    }
    CU_ASSERT_EQUAL(rxvec_fill(&vec, 2, 0), 2);
    CU_ASSERT_EQUAL(rxvec_room(&vec, 0), MEM_SMALL_ROOM);
    write_frame(&vec, 0, MEM_SMALL_ROOM);
    m = rxvec_take(&vec, 0, MEM_SMALL_ROOM);
    CU_ASSERT_EQUAL(m->nb_segs, 1);
    check_frame(m, MEM_SMALL_ROOM);
    rte_pktmbuf_free(m);
    rte_pktmbuf_free_bulk(held_big, N_BIG);
    CU_ASSERT_EQUAL(rxvec_fill(&vec, 2, 0), 2);
    CU_ASSERT_EQUAL(rxvec_room(&vec, 1), MEM_SMALL_ROOM + MEM_BIG_ROOM);

    rxvec_fini(&vec);
    check_used(0, 0);
}

/* Any order of sizes, against a count of what each takes. */
static void
test_random(void)
{
    struct rxvec vec;
    unsigned int seed = 1;

    rxvec_init(&vec);
    for (int round = 0; round < 200; round++) {
        uint16_t n = (uint16_t) (1 + rand_r(&seed) % 8);

        CU_ASSERT_EQUAL_FATAL(rxvec_fill(&vec, n, 4), n);
        for (uint16_t i = 0; i < n; i++) {
            uint32_t len = (uint32_t) rand_r(&seed)
                           % (rand_r(&seed) % 2 ? 1600 : 65550);
            struct rte_mbuf *m;

            write_frame(&vec, i, len);
            m = rxvec_take(&vec, i, len);
            rte_mbuf_sanity_check(m, 1);
            check_frame(m, len);
            rte_pktmbuf_free(m);
        }
    }
    rxvec_fini(&vec);
    check_used(0, 0);
}

void
suite_rxvec(void)
{
    CU_pSuite suite = CU_add_suite("rxvec", set_up, tear_down);

    CU_add_test(suite, "lengths", test_lengths);
    CU_add_test(suite, "reserve", test_reserve);
    CU_add_test(suite, "no memory", test_no_memory);
    CU_add_test(suite, "random sizes", test_random);
}
