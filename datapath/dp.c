/* SPDX-License-Identifier: Apache-2.0 */

/* dp.c - the datapath's ports and threads, as MAIN sees them.
 *
 * A port is published by one pointer in 'vports' and found there by number. It
 * is taken back in the order: pointer out, queues out of the threads, every
 * thread once between two rounds (dp_synchronize()), closed.  After the third
 * step no PMD thread holds the vport: flows know ports by number only and send
 * buffers are empty between rounds. */

#include "datapath/dp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_malloc.h>
#include <rte_spinlock.h>

#include "datapath/dp_private.h"
#include "datapath/pmd.h"
#include "datapath/pop.h"
#include "datapath/sched.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

LOG_MODULE(dp);

_Atomic uint32_t dp_pipeline_gen;
_Atomic uint32_t dp_idle_ms = 10000;    /* Open vSwitch's max-idle. */
dp_upcall_fn *dp_upcall_function;

static _Atomic(struct vport *) vports[DP_MAX_PORTS];
static unsigned int n_vport_slots = 1;  /* Highest number in use, plus 1. */

static struct pmd *pmds[DP_MAX_PMDS];
static unsigned int n_pmds;

struct pmd *
dp_pmd(unsigned int i)
{
    return i < n_pmds ? pmds[i] : NULL;
}

struct vport *
dp_port_find(uint32_t port_no)
{
    /* Pairs with the release in dp_port_add(). */
    return port_no < DP_MAX_PORTS
           ? atomic_load_explicit(&vports[port_no], memory_order_acquire)
           : NULL;
}

static bool
make_per_pmd(struct vport *vport, unsigned int pmd_id)
{
    if (!vport->per_pmd[pmd_id]) {
        vport->per_pmd[pmd_id] = rte_zmalloc(NULL,
                                             sizeof *vport->per_pmd[pmd_id],
                                             RTE_CACHE_LINE_SIZE);
    }
    return vport->per_pmd[pmd_id] != NULL;
}

/* Tells each thread which queues are its own, after a change of ports or
 * threads. */
static void
distribute_rxqs(void)
{
    struct sched_rxq *places = NULL;
    struct pmd_rxq *rxqs = NULL;
    struct pmd_rxq *list;
    size_t room = 0, room_places = 0;
    unsigned int n = 0;

    for (uint32_t no = 1; no < n_vport_slots; no++) {
        struct vport *vport = dp_port_find(no);

        for (uint16_t q = 0; vport && vport->class->rx && q < vport->n_rxq;
             q++) {
            if (n == room) {
                rxqs = xgrow(rxqs, &room, sizeof *rxqs);
            }
            if (n == room_places) {
                places = xgrow(places, &room_places, sizeof *places);
            }
            rxqs[n] = (struct pmd_rxq) {
                .vport = vport, .rxq = q,
                .fd = vport->class->rx_fd ? vport->class->rx_fd(vport, q) : -1,
            };
            places[n] = (struct sched_rxq) { .pmd = -1 };
            for (unsigned int i = 0; i < n_pmds; i++) {
                for (unsigned int j = 0; j < pmds[i]->n_rxqs; j++) {
                    if (pmds[i]->rxqs[j].vport == vport
                        && pmds[i]->rxqs[j].rxq == q) {
                        places[n].pmd = (int) i;
                    }
                }
            }
            n++;
        }
    }
    sched_assign(places, n, n_pmds);

    list = xcalloc(n, sizeof *list);
    for (unsigned int i = 0; i < n_pmds; i++) {
        unsigned int k = 0;

        for (unsigned int j = 0; j < n; j++) {
            if (places[j].pmd == (int) i) {
                list[k++] = rxqs[j];
            }
        }
        pmd_set_rxqs(pmds[i], list, k);
    }
    free(list);
    free(rxqs);
    free(places);
}

static void
nothing(struct pmd *pmd UNUSED, void *aux UNUSED)
{
}

void
dp_synchronize(void)
{
    for (unsigned int i = 0; i < n_pmds; i++) {
        pmd_call(pmds[i], nothing, NULL);
    }
}

/* Ends thread 'i' and those behind it. */
static void
end_pmds(unsigned int i)
{
    while (n_pmds > i) {
        n_pmds--;
        pmd_destroy(pmds[n_pmds]);
        pmds[n_pmds] = NULL;
    }
}

static char *
start_pmd(int core)
{
    unsigned int id = n_pmds;

    for (uint32_t no = 1; no < n_vport_slots; no++) {
        struct vport *vport = dp_port_find(no);

        if (vport && !make_per_pmd(vport, id)) {
            return xasprintf("no memory for PMD thread %u", id);
        }
    }
    pmds[id] = pmd_create(id, core);
    if (!pmds[id]) {
        return xasprintf("PMD thread %u could not be started", id);
    }
    n_pmds++;
    return NULL;
}

char *
dp_set_pmd_cpu_mask(const char *mask)
{
    int cpus[DP_MAX_PMDS] = { -1 };
    unsigned int n = 1;
    bool same = true;
    char *error = NULL;

    if (mask && *mask) {
        long n_cpus = sysconf(_SC_NPROCESSORS_CONF);
        int n_named = sched_parse_mask(mask, (unsigned int) n_cpus, cpus,
                                       DP_MAX_PMDS);

        if (n_named < 0) {
            return xasprintf("other_config:pmd-cpu-mask=\"%s\" is no "
                             "hexadecimal mask of some of the %ld CPUs of "
                             "this machine; the PMD threads stay as they are",
                             mask, n_cpus);
        }
        n = (unsigned int) n_named;
    }

    same = n == n_pmds;
    for (unsigned int i = 0; same && i < n; i++) {
        same = pmds[i]->core == cpus[i];
    }
    if (same) {
        return NULL;
    }
    end_pmds(0);
    for (unsigned int i = 0; !error && i < n; i++) {
        error = start_pmd(cpus[i]);
    }
    if (!n_pmds) {
        free(start_pmd(-1));
    }
    distribute_rxqs();
    return error;
}

void
dp_set_max_idle(unsigned int ms)
{
    atomic_store_explicit(&dp_idle_ms, ms, memory_order_relaxed);
}

static uint32_t
choose_port_no(uint32_t wanted)
{
    if (wanted != PORT_NONE && wanted < DP_MAX_PORTS
        && !dp_port_find(wanted)) {
        return wanted;
    }
    for (uint32_t no = 1; no < DP_MAX_PORTS; no++) {
        if (!dp_port_find(no)) {
            return no;
        }
    }
    return PORT_NONE;
}

static void
free_vport(struct vport *vport)
{
    for (unsigned int i = 0; i < DP_MAX_PMDS; i++) {
        rte_free(vport->per_pmd[i]);
    }
    rte_free(vport->txq_locks);
    rte_free(vport);
}

/* A queue that several threads may come to send to is locked. */
static bool
make_txq_locks(struct vport *vport)
{
    if (!vport->n_txq || vport->n_txq >= DP_MAX_PMDS) {
        return true;
    }
    vport->txq_locks = rte_calloc(NULL, vport->n_txq,
                                  sizeof *vport->txq_locks,
                                  RTE_CACHE_LINE_SIZE);
    return vport->txq_locks != NULL;
}

char *
dp_port_add(const struct vport_cfg *cfg, struct vport **vportp)
{
    const struct vport_class *class = vport_class_find(cfg->type);
    struct vport *vport;
    char *error;

    *vportp = NULL;
    if (!class) {
        return xasprintf("%s: unknown interface type \"%s\"", cfg->name,
                         cfg->type);
    }
    if (strlen(cfg->name) > VPORT_NAME_MAX) {
        return xasprintf("%.32s...: the name is longer than %d characters",
                         cfg->name, VPORT_NAME_MAX);
    }
    vport = rte_zmalloc(NULL, sizeof *vport, RTE_CACHE_LINE_SIZE);
    if (!vport) {
        return xasprintf("%s: no memory for another port", cfg->name);
    }
    vport->class = class;
    strcpy(vport->name, cfg->name);
    vport->port_no = choose_port_no(cfg->port_no);
    if (vport->port_no == PORT_NONE) {
        free_vport(vport);
        return xasprintf("%s: there are %d ports already", cfg->name,
                         DP_MAX_PORTS - 1);
    }
    for (unsigned int i = 0; i < n_pmds; i++) {
        if (!make_per_pmd(vport, i)) {
            free_vport(vport);
            return xasprintf("%s: no memory for another port", cfg->name);
        }
    }

    atomic_store(&vport->up, true);
    error = class->open(vport, cfg);
    if (error) {
        free_vport(vport);
        return error;
    }
    if (!make_txq_locks(vport)) {
        class->close(vport);
        free_vport(vport);
        return xasprintf("%s: no memory for another port", cfg->name);
    }

    atomic_store_explicit(&vports[vport->port_no], vport,
                          memory_order_release);
    n_vport_slots = MAX(n_vport_slots, vport->port_no + 1);
    if (class->rx) {
        distribute_rxqs();
    }
    *vportp = vport;
    return NULL;
}

char *
dp_port_update(struct vport *vport, const struct vport_cfg *cfg, bool *reopen)
{
    uint16_t n_rxq = vport->n_rxq;
    char *error;

    *reopen = false;
    if (!vport->class->update) {
        *reopen = true;
        return NULL;
    }
    error = vport->class->update(vport, cfg, reopen);
    if (!*reopen && vport->n_rxq != n_rxq) {
        distribute_rxqs();
    }
    return error;
}

void
dp_port_del(struct vport *vport)
{
    atomic_store_explicit(&vports[vport->port_no], NULL,
                          memory_order_release);
    while (n_vport_slots > 1 && !dp_port_find(n_vport_slots - 1)) {
        n_vport_slots--;
    }
    if (vport->class->rx) {
        distribute_rxqs();
    }
    dp_synchronize();
    vport->class->close(vport);
    free_vport(vport);
}

void
dp_close_all(void)
{
    end_pmds(0);
    for (uint32_t no = 1; no < n_vport_slots; no++) {
        struct vport *vport = dp_port_find(no);

        if (vport) {
            atomic_store(&vports[no], NULL);
            vport->class->close(vport);
            free_vport(vport);
        }
    }
    n_vport_slots = 1;
    tnl_map_destroy(pop_set_tnl_map(NULL));
}

static void
add_counters(struct vport_counters *sum, const struct vport_counters *c)
{
    const uint64_t *from = (const uint64_t *) (const void *) c;
    uint64_t *to = (uint64_t *) (void *) sum;

    /* All members are 64-bit counters; each is read once. */
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
}

void
dp_port_get_counters(struct vport *vport, struct vport_counters *sum,
                     uint64_t *rx_dropped)
{
    uint64_t rx_errors = 0;
    uint64_t tx_errors = 0;

    memset(sum, 0, sizeof *sum);
    *rx_dropped = 0;
    for (unsigned int i = 0; i < DP_MAX_PMDS; i++) {
        if (vport->per_pmd[i]) {
            add_counters(sum, &vport->per_pmd[i]->c);
        }
    }
    if (vport->class->get_device_counters) {
        vport->class->get_device_counters(vport, rx_dropped, &rx_errors,
                                          &tx_errors);
    }
    sum->rx_errors += rx_errors;
    sum->tx_errors += tx_errors;
}

void
dp_set_tnl_map(struct tnl_map *map)
{
    struct tnl_map *old = pop_set_tnl_map(map);

    dp_synchronize();
    tnl_map_destroy(old);
}

void
dp_pipeline_changed(void)
{
    atomic_fetch_add_explicit(&dp_pipeline_gen, 1, memory_order_release);
}

struct flow_walk {
    dp_flow_fn *visit;
    void *aux;
    struct pmd *pmd;
};

static void
show_flow(struct flow *flow, void *walk_)
{
    const struct flow_walk *walk = walk_;
    uint64_t now_ms = (uint64_t) clock_ms();
    struct dp_flow_view view = {
        .key = &flow->key, .mask = flow_get_mask(flow),
        .actions = flow->actions, .actions_len = flow->actions_len,
        .n_pkts = flow->n_pkts, .n_bytes = flow->n_bytes,
        .used_ms = flow->n_pkts ? now_ms - MIN(flow->used_ms, now_ms)
                                : UINT64_MAX,
        .tcp_flags = flow->tcp_flags,
        .pmd_id = walk->pmd->id, .pmd_core = walk->pmd->core,
    };

    walk->visit(&view, walk->aux);
}

static void
show_flows(struct pmd *pmd, void *walk_)
{
    struct flow_walk *walk = walk_;

    walk->pmd = pmd;
    flowtable_for_each(&pmd->flows, show_flow, walk);
}

void
dp_flow_for_each(dp_flow_fn *visit, void *aux)
{
    struct flow_walk walk = { visit, aux, NULL };

    for (unsigned int i = 0; i < n_pmds; i++) {
        pmd_call(pmds[i], show_flows, &walk);
    }
}

static void
flush_flows(struct pmd *pmd, void *aux UNUSED)
{
    flowtable_flush(&pmd->flows);
}

void
dp_flow_flush(void)
{
    for (unsigned int i = 0; i < n_pmds; i++) {
        pmd_call(pmds[i], flush_flows, NULL);
    }
}

void
dp_get_stats(struct dp_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    for (unsigned int i = 0; i < n_pmds; i++) {
        const struct pmd_perf *p = &pmds[i]->perf;

        stats->emc_hits += p->lookup.emc_hits;
        stats->hit += p->lookup.emc_hits + p->lookup.mask_hits;
        stats->missed += p->upcalls - p->revalidated;
        stats->lost += p->unstored;
        stats->masks_probed += p->lookup.probes;
        stats->lookups += pmds[i]->flows.n_lookups;
        stats->n_flows += pmds[i]->flows.n_flows;
        stats->n_masks += pmds[i]->flows.n_subtables;
    }
}
