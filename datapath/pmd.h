/* SPDX-License-Identifier: Apache-2.0 */

/* pmd.h - a PMD thread: polls receive queues, runs the packet's way.
 *
 * Everything of 'struct pmd' belongs to its thread; MAIN reaches in only by
 * pmd_call(). */

#ifndef QANAT_PMD_H
#define QANAT_PMD_H 1

#include <pthread.h>
#include <stdatomic.h>

#include "datapath/flowtable.h"
#include "datapath/rxvec.h"
#include "datapath/vport.h"

struct pmd_rxq {
    struct vport *vport;
    uint16_t rxq;
    int fd;                     /* In the PMD's epoll set, or -1. */
    uint64_t n_pkts;            /* Received in all. */
    uint64_t cycles;            /* Spent on its packets. */
};

/* Numbers for pmd-perf-show; written by the PMD, read by MAIN. */
struct pmd_perf {
    uint64_t iterations, busy_iterations, sleeps;
    uint64_t busy_cycles, idle_cycles, sleep_ns;
    uint64_t rx_packets, rx_batches;
    uint64_t emc_hits, megaflow_hits, upcalls, upcall_cycles, lost_upcalls;
    uint64_t masks_probed;
    uint64_t recirculated;
};

struct pmd {
    unsigned int id;            /* Index, below DP_MAX_PMDS. */
    int core;                   /* CPU it is pinned to, -1: none. */
    int numa;
    struct rxvec rxvec;
    struct flowtable flows;
    struct pmd_perf perf;

    struct pmd_rxq *rxqs;
    unsigned int n_rxqs;

    uint64_t now_tsc;           /* Once an iteration. */
    uint64_t now_ms;

    struct vport *dirty[DP_MAX_PORTS / 64];     /* Ports with tx pending. */
    unsigned int n_dirty;

    struct rte_mbuf *recirc[8 * PKT_BURST];     /* Popped, to be parsed. */
    unsigned int n_recirc;

    struct pmd_thread *thread;  /* pmd.c's own. */
};

/* MAIN.  Starts and ends a thread; 'core' -1 does not pin it. */
struct pmd *pmd_create(unsigned int id, int core);
void pmd_destroy(struct pmd *);

/* MAIN.  Gives the thread the list of queues that it polls from now on
 * (copied).  When it returns the old list is out of use. */
void pmd_set_rxqs(struct pmd *, const struct pmd_rxq *, unsigned int n);

/* MAIN.  Runs 'fn' on the PMD thread, between two bursts, and waits. */
typedef void pmd_call_fn(struct pmd *, void *aux);
void pmd_call(struct pmd *, pmd_call_fn *fn, void *aux);

/* PMD.  Puts a frame that is ready for the wire (but for what 'need' leaves to
 * the vport) into the send buffer of 'out'; flushed once a burst.  Consumes
 * it. */
void pmd_tx(struct pmd *, struct vport *out, struct rte_mbuf *);

/* PMD.  The packet's way, from parse on, for a burst with metadata set by
 * rx.  Consumes the packets. */
void pmd_process(struct pmd *, struct rte_mbuf **pkts, unsigned int n);

#endif /* pmd.h */
