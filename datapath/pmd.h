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

/* One receive queue in the care of a PMD thread. */
struct pmd_rxq {
    struct vport *vport;
    uint16_t rxq;
    int fd;                     /* In the PMD's epoll set, or -1. */
    bool hot;                   /* Had packets when last asked: asked again
                                 * before the thread sleeps. */
    uint16_t burst;             /* Packets to take at a time. */
    uint64_t n_pkts;            /* Received in all. */
    uint64_t cycles;            /* Spent on its packets. */
};

/* Numbers for pmd-perf-show; written by the PMD, read by MAIN. */
struct pmd_perf {
    uint64_t iterations, busy_iterations, sleeps;
    uint64_t busy_cycles, idle_cycles, sleep_cycles;
    uint64_t rx_packets, rx_batches;
    uint64_t upcalls, upcall_cycles, revalidated, unstored;
    uint64_t recirculated;
    struct flowtable_counts lookup;
};

#define PMD_MAX_RECIRC (64 * PKT_BURST)

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
    uint64_t now_ms;            /* Of clock_ms(). */

    struct vport *dirty[PKT_BURST];     /* Ports with packets to send. */
    unsigned int n_dirty;

    struct rte_mbuf *recirc[PMD_MAX_RECIRC];    /* Popped, to be parsed. */
    unsigned int n_recirc;

    struct pmd_thread *thread;  /* pmd.c's own. */
};

/* MAIN.  Starts and ends a thread; 'core' -1 does not pin it. */
struct pmd *pmd_create(unsigned int id, int core);
void pmd_destroy(struct pmd *);

/* MAIN.  Gives the thread the list of queues that it polls from now on
 * (copied).  When it returns the old list is out of use.  A queue that stays
 * keeps its numbers. */
void pmd_set_rxqs(struct pmd *, const struct pmd_rxq *, unsigned int n);

/* MAIN.  Runs 'fn' on the PMD thread, between two bursts, and waits. */
typedef void pmd_call_fn(struct pmd *, void *aux);
void pmd_call(struct pmd *, pmd_call_fn *fn, void *aux);

/* PMD.  Puts a frame that is ready for the wire (but for what 'need' leaves to
 * the vport) into the send buffer of 'out'; flushed once a burst.  Consumes
 * it. */
void pmd_tx(struct pmd *, struct vport *out, struct rte_mbuf *);

/* PMD.  Sends what has gathered in all send buffers: at the end of a burst. */
void pmd_flush(struct pmd *);

/* PMD.  Keeps a popped packet for the next round of pmd_process(). */
void pmd_recirculate(struct pmd *, struct rte_mbuf *);

/* PMD.  The packet's way, from parse on, for a burst of at most PKT_BURST with
 * metadata set by rx.  Consumes the packets. */
void pmd_process(struct pmd *, struct rte_mbuf **pkts, unsigned int n);

#endif /* pmd.h */
