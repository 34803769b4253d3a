/* SPDX-License-Identifier: Apache-2.0 */
/* pmd_env.c - see pmd_env.h. */

#include "tests/unit/datapath/pmd_env.h"

#include <CUnit/CUnit.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/pop.h"

#define MAX_PORT 64

struct pmd pmd_env;
struct pmd_env_sent pmd_env_sent[PMD_ENV_MAX_SENT];
unsigned int pmd_env_n_sent;
const struct flow_mask *pmd_env_mask;
unsigned int pmd_env_n_upcalls;
struct dp_cell *pmd_env_cell;

static struct rte_mbuf *burst[PKT_BURST];
static unsigned int n_burst;
static struct vport *ports[MAX_PORT];

/* Index: the port a packet came in on. */
static struct {
    const char *actions;
    pmd_env_answer_fn *fn;
} answers[MAX_PORT];

static uint16_t
record(struct vport *vport, uint16_t txq, struct pmd *pmd,
       struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    (void) txq;
    (void) pmd;

    CU_ASSERT(n > 0);
    for (uint16_t i = 0; i < n; i++) {
        if (pmd_env_n_sent == PMD_ENV_MAX_SENT) {
            abort();
        }
        pmd_env_sent[pmd_env_n_sent].port = vport->port_no;
        pmd_env_sent[pmd_env_n_sent++].m = pkts[i];
        *bytes += pkts[i]->pkt_len;
    }
    return n;
}

static void
close_nothing(struct vport *vport)
{
    (void) vport;
}

static const struct vport_class recording_class = {
    .type = "test", .tx = record, .close = close_nothing,
};

static void
upcall(const struct flow_key *key, struct dp_upcall *up)
{
    uint32_t i = answers[key->in_port].actions || answers[key->in_port].fn
                 ? key->in_port : PORT_NONE;

    pmd_env_n_upcalls++;
    flow_mask_init_exact(&up->mask, key);
    if (pmd_env_mask) {
        up->mask = *pmd_env_mask;
    }
    if (answers[i].fn) {
        answers[i].fn(key, up);
    } else if (answers[i].actions) {
        char *error = action_parse(answers[i].actions, NULL, NULL,
                                   &up->actions);

        if (error) {
            fprintf(stderr, "%s: %s\n", answers[i].actions, error);
            abort();
        }
    }
    if (pmd_env_cell) {
        up->deps.n = 1;
        up->deps.deps[0] = (struct dp_dep) {
            .cell = pmd_env_cell, .seen = atomic_load(&pmd_env_cell->gen),
            .touch = true,
        };
    }
}

void
pmd_env_begin(void)
{
    dpdk_env_start();
    memset(&pmd_env, 0, sizeof pmd_env);
    flowtable_init(&pmd_env.flows);
    pmd_env.now_ms = 1000000;
    dp_upcall_function = upcall;
    memset(answers, 0, sizeof answers);
    memset(ports, 0, sizeof ports);
    pmd_env_mask = NULL;
    pmd_env_cell = NULL;
    pmd_env_n_upcalls = 0;
    pmd_env_n_sent = n_burst = 0;
}

void
pmd_env_end(void)
{
    pmd_env_forget();
    flowtable_flush(&pmd_env.flows);
    CU_ASSERT_EQUAL(pmd_env.flows.n_bytes, 0);
    flowtable_fini(&pmd_env.flows);
    CU_ASSERT_EQUAL(pmd_env.n_recirc, 0);
    CU_ASSERT_EQUAL(pmd_env.n_dirty, 0);
    for (unsigned int i = 0; i < MAX_PORT; i++) {
        if (ports[i]) {
            dp_port_del(ports[i]);
            ports[i] = NULL;
        }
    }
    tnl_map_destroy(pop_set_tnl_map(NULL));
    CU_ASSERT(dpdk_env_is_full());
}

static struct vport *
add(uint32_t no, const char *type)
{
    char name[16];
    struct vport_cfg cfg = {
        .name = name, .type = (char *) (uintptr_t) type, .port_no = no,
    };
    char *error;

    snprintf(name, sizeof name, "p%u", no);
    smap_init(&cfg.options);
    error = dp_port_add(&cfg, &ports[no]);
    if (error || ports[no]->port_no != no) {
        fprintf(stderr, "port %u: %s\n", no, error ? error : "taken");
        abort();
    }
    if (!ports[no]->per_pmd[0]) {
        ports[no]->per_pmd[0] = rte_zmalloc(NULL, sizeof(struct vport_pmd),
                                            64);
    }
    smap_fini(&cfg.options);
    return ports[no];
}

struct vport *
pmd_env_add_port(uint32_t no, uint32_t caps, uint16_t mtu)
{
    struct vport *vport = add(no, "patch");

    vport->class = &recording_class;
    vport->n_txq = 1;
    atomic_store(&vport->caps, caps);
    atomic_store(&vport->mtu, mtu);
    return vport;
}

struct vport *
pmd_env_add_tunnel(uint32_t no, const char *type)
{
    return add(no, type);
}

void
pmd_env_answer(uint32_t in_port, const char *actions)
{
    answers[in_port].actions = actions;
    answers[in_port].fn = NULL;
}

void
pmd_env_answer_by(uint32_t in_port, pmd_env_answer_fn *fn)
{
    answers[in_port].fn = fn;
}

struct rte_mbuf *
pmd_env_rx(uint32_t in_port, const void *frame, uint32_t len)
{
    struct rte_mbuf *m = dpdk_env_packet(frame, len, SHAPE_SMALL_BIG, 0);

    pkt_meta_init(m, in_port);
    if (n_burst == PKT_BURST) {
        abort();
    }
    burst[n_burst++] = m;
    return m;
}

void
pmd_env_run(void)
{
    unsigned int n = n_burst;

    n_burst = 0;
    pmd_process(&pmd_env, burst, n);
    pmd_flush(&pmd_env);
}

void
pmd_env_forget(void)
{
    for (unsigned int i = 0; i < pmd_env_n_sent; i++) {
        rte_pktmbuf_free(pmd_env_sent[i].m);
    }
    pmd_env_n_sent = 0;
}

uint32_t
pmd_env_bytes(unsigned int i, uint32_t port, uint8_t *to, uint32_t size)
{
    uint32_t len;

    if (i >= pmd_env_n_sent || pmd_env_sent[i].port != port) {
        return 0;
    }
    len = dpdk_env_bytes(pmd_env_sent[i].m, to, size);
    return len == UINT32_MAX ? 0 : len;
}

uint64_t
pmd_env_n_drops(enum drop_reason reason)
{
    uint64_t n = 0;

    for (unsigned int i = 0; i < MAX_PORT; i++) {
        n += ports[i] ? ports[i]->per_pmd[0]->c.drops[reason] : 0;
    }
    return n;
}

uint64_t
pmd_env_n_all_drops(void)
{
    uint64_t n = 0;

    for (int i = 0; i < N_DROP_REASONS; i++) {
        n += pmd_env_n_drops((enum drop_reason) i);
    }
    return n;
}
