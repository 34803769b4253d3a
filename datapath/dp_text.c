/* SPDX-License-Identifier: Apache-2.0 */

/* dp_text.c - what the datapath tells people: the texts of pmd-rxq-show,
 * pmd-perf-show, memory/show and coverage/show.  MAIN. */

#include <inttypes.h>

#include <rte_cycles.h>

#include "datapath/dp_private.h"
#include "datapath/mem.h"
#include "datapath/pmd.h"
#include "lib/base/str.h"

static void
format_pmd_name(struct str *s, const struct pmd *pmd)
{
    if (pmd->core >= 0) {
        str_printf(s, "pmd thread numa_id %d core_id %d:\n", pmd->numa,
                   pmd->core);
    } else {
        str_printf(s, "pmd thread %u (not pinned):\n", pmd->id);
    }
}

static void
format_rxqs(struct pmd *pmd, void *s_)
{
    struct str *s = s_;
    const struct pmd_perf *p = &pmd->perf;
    uint64_t total = p->busy_cycles + p->idle_cycles + p->sleep_cycles;

    format_pmd_name(s, pmd);
    str_append(s, "  isolated : false\n");
    for (unsigned int i = 0; i < pmd->n_rxqs; i++) {
        const struct pmd_rxq *q = &pmd->rxqs[i];

        str_printf(s, "  port: %-16s  queue-id: %2u (enabled)   pmd usage: "
                   "%2"PRIu64" %%\n", q->vport->name, (unsigned int) q->rxq,
                   total ? q->cycles * 100 / total : 0);
    }
}

void
dp_format_pmd_rxq(struct str *s)
{
    for (unsigned int i = 0; dp_pmd(i); i++) {
        pmd_call(dp_pmd(i), format_rxqs, s);
    }
}

static double
ratio(uint64_t a, uint64_t b)
{
    return b ? (double) a / (double) b : 0.0;
}

static void
format_perf(struct pmd *pmd, void *s_)
{
    struct str *s = s_;
    const struct pmd_perf *p = &pmd->perf;
    const struct flowtable_counts *l = &p->lookup;
    uint64_t total = p->busy_cycles + p->idle_cycles + p->sleep_cycles;

    format_pmd_name(s, pmd);
    str_printf(s, "  Iterations:         %14"PRIu64"  (%.1f %% busy)\n",
               p->iterations,
               100 * ratio(p->busy_iterations, p->iterations));
    str_printf(s, "  - busy time:        %13.1f %%\n",
               100 * ratio(p->busy_cycles, total));
    str_printf(s, "  - idle polling:     %13.1f %%\n",
               100 * ratio(p->idle_cycles, total));
    str_printf(s, "  - asleep:           %13.1f %%  (%"PRIu64" sleeps)\n",
               100 * ratio(p->sleep_cycles, total), p->sleeps);
    str_printf(s, "  Rx packets:         %14"PRIu64"  (%.1f a batch, "
               "%.0f cycles each)\n", p->rx_packets,
               ratio(p->rx_packets, p->rx_batches),
               ratio(p->busy_cycles, p->rx_packets));
    str_printf(s, "  Tunnel packets popped: %11"PRIu64"\n", p->recirculated);
    str_printf(s, "  - EMC hits:         %14"PRIu64"\n", l->emc_hits);
    str_printf(s, "  - Megaflow hits:    %14"PRIu64"  (%.2f masks probed a "
               "lookup)\n", l->mask_hits,
               ratio(l->probes, pmd->flows.n_lookups));
    str_printf(s, "  - Upcalls:          %14"PRIu64"  (%.2f us each)\n",
               p->upcalls,
               1e6 * ratio(p->upcall_cycles, p->upcalls)
               / (double) rte_get_tsc_hz());
    str_printf(s, "  - of them again:    %14"PRIu64"  (flows whose "
               "translation was out of date)\n", p->revalidated);
    str_printf(s, "  - without a flow:   %14"PRIu64"\n", p->unstored);
}

void
dp_format_pmd_perf(struct str *s)
{
    for (unsigned int i = 0; dp_pmd(i); i++) {
        pmd_call(dp_pmd(i), format_perf, s);
    }
}

void
dp_format_memory(struct str *s)
{
    struct mem_usage use;

    mem_get_usage(&use);
    str_printf(s, "packet buffers: small %u of %u in use, big %u of %u, "
               "references %u of %u\n",
               use.n_small - use.n_small_free, use.n_small,
               use.n_big - use.n_big_free, use.n_big,
               use.n_ind - use.n_ind_free, use.n_ind);
    for (unsigned int i = 0; dp_pmd(i); i++) {
        const struct flowtable *ft = &dp_pmd(i)->flows;

        str_printf(s, "pmd %u: %u flows under %u masks, %zu bytes (%.0f a "
                   "flow)\n", i, ft->n_flows, ft->n_subtables, ft->n_bytes,
                   ratio(ft->n_bytes, ft->n_flows));
    }
}

void
dp_format_coverage(struct str *s)
{
    uint64_t drops[N_DROP_REASONS] = { 0 };
    bool any = false;

    for (uint32_t no = 1; no < DP_MAX_PORTS; no++) {
        struct vport *vport = dp_port_find(no);
        struct vport_counters sum;
        uint64_t rx_dropped;

        if (!vport) {
            continue;
        }
        dp_port_get_counters(vport, &sum, &rx_dropped);
        for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
            drops[i] += sum.drops[i];
        }
    }
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        if (drops[i]) {
            str_printf(s, "drop_%-26s total: %-12"PRIu64" %s\n",
                       drop_reason_name(i), drops[i],
                       drop_reason_sentence(i));
            any = true;
        }
    }
    if (!any) {
        str_append(s, "no packet was dropped\n");
    }
}
