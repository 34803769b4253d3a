/* SPDX-License-Identifier: Apache-2.0 */

/* pmd.c - the thread that carries packets: rx, parse, lookup, miss, act, tx.
 *
 * A round asks each queue that may have packets, takes every burst all the way
 * and flushes what is to be sent.  Queues with a descriptor are asked when
 * epoll tells of them, and again as long as they had something ("hot"); those
 * without are asked every round.  A thread with nothing hot sleeps in epoll,
 * so that an idle switch costs no CPU; under load it does not enter the kernel
 * to ask where the packets are.
 *
 * Between two rounds the thread holds no pointer to anything that MAIN may
 * take away.  That is the whole of the RCU: MAIN unpublishes, lets every
 * thread pass between two rounds (pmd_call()), and frees. */

#include "datapath/pmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "datapath/act.h"
#include "datapath/dp_private.h"
#include "datapath/gro.h"
#include "datapath/offload.h"
#include "datapath/pop.h"
#include "datapath/train.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/pkt/wire.h"

LOG_MODULE(pmd);

#define ASK_EPOLL_EVERY 8       /* Rounds, while some queue is hot. */
#define EPOLL_EVENTS 64
#define SLEEP_MAX_MS 1000       /* With no flow to age. */
#define SLEEP_FLOWS_MS 200      /* With flows. */
#define NAP_MIN_US 10           /* Queues without a descriptor: first nap, */
#define NAP_MAX_US 200          /* doubled up to this. */
#define SPIN_ROUNDS 64          /* Empty rounds before the first nap. */
#define TX_FLUSH_BYTES 65536u   /* Sent at once, while it is in the cache. */
#define RX_BURST_BYTES 131072u  /* For the same reason: how much is taken in
                                 * one burst, by the sizes of the last. */
#define RX_BURST_MIN 4
#define SWEEP_EVERY_MS 10
#define SWEEP_BUCKETS 256u      /* A slice: so many, or of a great table */
#define SWEEP_PART 512u         /* such a part, all of it in 5 s: else whoever
                                 * invents flows fills it for minutes. */
#define SORT_EVERY_MS 1000
#define CHECK_EVERY_MS 1000     /* Flows whose dependencies overflowed. */

struct pmd_thread {
    pthread_t id;
    int epoll_fd;
    int event_fd;               /* MAIN wants something. */

    /* pmd_call(): MAIN writes fn and aux, then 'called'; the thread reads them
     * when it sees 'called', clears it and posts 'done'. */
    _Atomic bool called;
    pmd_call_fn *fn;
    void *aux;
    sem_t done;

    bool stop;
    bool must_poll;             /* Some queue has no descriptor. */
    unsigned int n_hot;
    unsigned int empty_rounds;
    unsigned int nap_us;
    uint64_t next_ms_tsc;       /* When to look at the clock again. */
    uint64_t sweep_ms, sort_ms;
    uint64_t tsc_per_ms;
};

/* What a burst needs on the stack, together for the cache's sake. */
struct burst {
    unsigned int n;
    struct rte_mbuf *pkts[PKT_BURST];
    struct flow *flows[PKT_BURST];
    struct flow_key keys[PKT_BURST];
};

static void *pmd_main(void *pmd);
static void apply_rxqs(struct pmd *pmd, void *aux);

struct pmd *
pmd_create(unsigned int id, int core)
{
    struct pmd *pmd = rte_zmalloc(NULL, sizeof *pmd, RTE_CACHE_LINE_SIZE);
    struct pmd_thread *t = xzalloc(sizeof *t);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = UINT32_MAX };

    if (!pmd) {
        free(t);
        return NULL;
    }
    pmd->id = id;
    pmd->core = core;
    pmd->thread = t;
    rxvec_init(&pmd->rxvec);
    flowtable_init(&pmd->flows);
    sem_init(&t->done, 0, 0);
    t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->tsc_per_ms = rte_get_tsc_hz() / 1000;
    if (t->epoll_fd < 0 || t->event_fd < 0
        || epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, t->event_fd, &event)
        || pthread_create(&t->id, NULL, pmd_main, pmd)) {
        log_err("cannot start PMD thread %u: %s", id, strerror(errno));
        flowtable_fini(&pmd->flows);
        rxvec_fini(&pmd->rxvec);
        close(t->epoll_fd);
        close(t->event_fd);
        free(t);
        rte_free(pmd);
        return NULL;
    }
    return pmd;
}

static void
stop(struct pmd *pmd, void *aux UNUSED)
{
    pmd->thread->stop = true;
}

void
pmd_destroy(struct pmd *pmd)
{
    struct pmd_thread *t = pmd->thread;

    pmd_call(pmd, stop, NULL);
    pthread_join(t->id, NULL);
    flowtable_fini(&pmd->flows);
    rxvec_fini(&pmd->rxvec);
    sem_destroy(&t->done);
    close(t->epoll_fd);
    close(t->event_fd);
    free(pmd->rxqs);
    free(t);
    rte_free(pmd);
}

void
pmd_call(struct pmd *pmd, pmd_call_fn *fn, void *aux)
{
    struct pmd_thread *t = pmd->thread;
    uint64_t one = 1;

    t->fn = fn;
    t->aux = aux;
    /* Pairs with the acquire in serve_main(). */
    atomic_store_explicit(&t->called, true, memory_order_release);
    if (write(t->event_fd, &one, sizeof one) < 0) {
        log_err("cannot wake PMD thread %u: %s", pmd->id, strerror(errno));
    }
    while (sem_wait(&t->done) && errno == EINTR) {
        continue;
    }
}

struct rxq_list {
    const struct pmd_rxq *rxqs;
    unsigned int n;
};

void
pmd_set_rxqs(struct pmd *pmd, const struct pmd_rxq *rxqs, unsigned int n)
{
    struct rxq_list list = { rxqs, n };

    pmd_call(pmd, apply_rxqs, &list);
}

/* In the PMD thread. */
static void
apply_rxqs(struct pmd *pmd, void *aux)
{
    const struct rxq_list *list = aux;
    struct pmd_thread *t = pmd->thread;
    struct pmd_rxq *old = pmd->rxqs;
    unsigned int n_old = pmd->n_rxqs;

    pmd->rxqs = xcalloc(list->n, sizeof *pmd->rxqs);
    pmd->n_rxqs = list->n;
    for (unsigned int i = 0; i < n_old; i++) {
        if (old[i].fd >= 0) {
            epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, old[i].fd, NULL);
        }
    }
    t->must_poll = false;
    t->n_hot = 0;
    for (unsigned int i = 0; i < list->n; i++) {
        struct pmd_rxq *q = &pmd->rxqs[i];
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

        *q = list->rxqs[i];
        for (unsigned int j = 0; j < n_old; j++) {
            if (old[j].vport == q->vport && old[j].rxq == q->rxq) {
                q->n_pkts = old[j].n_pkts;
                q->cycles = old[j].cycles;
            }
        }
        q->hot = false;
        q->burst = PKT_BURST;
        if (q->fd >= 0
            && epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, q->fd, &event)) {
            q->fd = -1;         /* Polled then. */
        }
        t->must_poll |= q->fd < 0;
    }
    free(old);
}

/* Sends what has gathered for 'out'. */
static void
flush_port(struct pmd *pmd, struct vport *out)
{
    struct vport_pmd *vp = out->per_pmd[pmd->id];
    uint16_t txq = (uint16_t) (pmd->id % out->n_txq);
    uint64_t bytes = 0;
    uint16_t sent;

    if (UNLIKELY(!vp->n_tx)) {
        return;                 /* A full buffer went before. */
    }
    gro_flush(vp);
    train_flush(vp);
    if (out->txq_locks) {
        rte_spinlock_lock(&out->txq_locks[txq]);
    }
    sent = out->class->tx(out, txq, pmd, vp->tx, vp->n_tx, &bytes);
    if (out->txq_locks) {
        rte_spinlock_unlock(&out->txq_locks[txq]);
    }
    vp->c.tx_packets += sent;
    vp->c.tx_bytes += bytes;
    vp->n_tx = 0;
    vp->tx_bytes = 0;
}

void
pmd_flush(struct pmd *pmd)
{
    for (unsigned int i = 0; i < pmd->n_dirty; i++) {
        struct vport *out = pmd->dirty[i];

        flush_port(pmd, out);
        out->per_pmd[pmd->id]->tx_dirty = false;
    }
    pmd->n_dirty = 0;
}

void
pmd_tx(struct pmd *pmd, struct vport *out, struct rte_mbuf *m)
{
    struct vport_pmd *vp = out->per_pmd[pmd->id];

    if (UNLIKELY(!atomic_load_explicit(&out->up, memory_order_relaxed))) {
        vport_drop_tx(out, pmd, m, DROP_PORT_DOWN);
        return;
    }
    if (pkt_meta(m)->n_encaps) {
        if (train_merge(out, vp, m)) {
            return;
        }
    } else if (atomic_load_explicit(&out->caps, memory_order_relaxed)
               & (VPORT_CAP_TSO4 | VPORT_CAP_TSO6)) {
        m = gro_merge(pmd, out, vp, m);
        if (!m) {
            return;
        }
    }
    if (!vp->tx_dirty) {
        if (UNLIKELY(pmd->n_dirty == ARRAY_SIZE(pmd->dirty))) {
            pmd_flush(pmd);
        }
        vp->tx_dirty = true;
        pmd->dirty[pmd->n_dirty++] = out;
    }
    vp->tx[vp->n_tx++] = m;
    vp->tx_bytes += m->pkt_len;
    if (vp->n_tx == PKT_BURST || vp->tx_bytes >= TX_FLUSH_BYTES) {
        flush_port(pmd, out);
    }
}

void
pmd_recirculate(struct pmd *pmd, struct rte_mbuf *m)
{
    if (UNLIKELY(pmd->n_recirc == ARRAY_SIZE(pmd->recirc))) {
        vport_drop_rx(dp_port_find(pkt_meta(m)->phys_port), pmd, m,
                      DROP_NO_MBUF);
        return;
    }
    pmd->recirc[pmd->n_recirc++] = m;
    pmd->perf.recirculated++;
}

/* Second stage: bytes -> key and offsets, claims -> needs.  Returns the packet
 * (maybe another mbuf), or NULL when it was dropped. */
static inline struct rte_mbuf *
parse(struct pmd *pmd, struct rte_mbuf *m, struct flow_key *key)
{
    struct pkt_meta *md = pkt_meta(m);
    uint32_t len = m->pkt_len;
    uint32_t head_len = rte_pktmbuf_data_len(m);
    enum parse_status status;

    if (UNLIKELY(head_len < len && head_len < PARSE_HEAD_BYTES)) {
        struct vport *phys = dp_port_find(md->phys_port);

        m = pkt_pull_head(m, MIN(len, (uint32_t) PARSE_HEAD_BYTES));
        if (!m) {
            vport_count_drop(phys, pmd, DROP_NO_MBUF);
            return NULL;
        }
        md = pkt_meta(m);
        head_len = rte_pktmbuf_data_len(m);
    }

    status = parse_packet(pkt_data(m), head_len, len, key, &md->ofs);
    if (UNLIKELY(status != PARSE_OK)) {
        vport_drop_rx(dp_port_find(md->phys_port), pmd, m,
                      drop_from_parse(status));
        return NULL;
    }
    key->in_port = md->in_port;

    if (md->has_vnet) {
        enum vnet_status lie;

        lie = vnet_check(&md->vnet, pkt_data(m), head_len, len, key,
                         &md->ofs, md->offered, &md->need);
        if (UNLIKELY(lie != VNET_OK)) {
            /* What a tunnel hides may make the claim true. */
            if (key->nw_proto != IPPROTO_UDP && key->nw_proto != IPPROTO_GRE) {
                vport_drop_rx(dp_port_find(md->phys_port), pmd, m,
                              drop_from_vnet(lie));
                return NULL;
            }
            memset(&md->need, 0, sizeof md->need);
            md->lie = (uint8_t) lie;
        } else if (md->need.gso != PKT_GSO_NONE && !md->n_pops) {
            struct vport *phys = dp_port_find(md->phys_port);

            phys->per_pmd[pmd->id]->c.rx_super++;
        }
    }

    if (md->n_pops) {
        key->parts |= FLOW_PART_TUN;
        key->tun_id = md->tnl.id;
        key->tun_src = md->tnl.src;
        key->tun_dst = md->tnl.dst;
        key->tun_tos = md->tnl.tos;
        key->tun_ttl = md->tnl.ttl;
        key->tun_flags = md->tnl.flags;
        if (UNLIKELY(md->tnl.tos & 3)
            && (key->dl_type == htons(ETH_TYPE_IP4)
                || key->dl_type == htons(ETH_TYPE_IP6))) {
            return pop_inherit_ecn(pmd, m, key);
        }
    }
    return m;
}

/* Asks the slow path.  The answer is in '*up'. */
static void
upcall(struct pmd *pmd, const struct flow_key *key, struct dp_upcall *up)
{
    uint64_t before = rte_rdtsc();

    memset(&up->deps, 0, sizeof up->deps);
    action_list_init(&up->actions);
    up->deps.pipeline = dp_pipeline_generation();
    dp_upcall_function(key, up);
    if (UNLIKELY(up->actions.overflow)) {
        action_list_clear(&up->actions);
        action_put_drop(&up->actions, DROP_ACTIONS_TOO_LONG);
    }
    pmd->perf.upcalls++;
    pmd->perf.upcall_cycles += rte_rdtsc() - before;
}

/* Fourth stage.  Returns the flow that it installed, or does the actions
 * itself and returns NULL where there is no room for one. */
static struct flow *
miss(struct pmd *pmd, struct rte_mbuf *m, const struct flow_key *key,
     uint32_t hash)
{
    struct dp_upcall up;
    struct flow *flow;

    upcall(pmd, key, &up);
    flow = flowtable_install(&pmd->flows, key, hash, &up.mask,
                             up.actions.data, up.actions.len, &up.deps,
                             pmd->now_ms);
    if (UNLIKELY(!flow)) {
        pmd->perf.unstored++;
        act_execute(pmd, up.actions.data, up.actions.len, &m, &key, 1);
    }
    action_list_fini(&up.actions);
    return flow;
}

/* Whether what the flow's translation depended on is as it was. */
static inline bool
is_fresh(const struct pmd *pmd, const struct flow *flow)
{
    const struct dp_deps *deps = &flow->deps;

    if (UNLIKELY(deps->pipeline != dp_pipeline_generation())) {
        return false;
    }
    for (unsigned int i = 0; i < deps->n; i++) {
        if (UNLIKELY(atomic_load_explicit(&deps->deps[i].cell->gen,
                                          memory_order_acquire)
                     != deps->deps[i].seen)) {
            return false;
        }
    }
    return !UNLIKELY(deps->overflow
                     && pmd->now_ms - flow->checked_ms >= CHECK_EVERY_MS);
}

/* Tells the slow path that what the flow depends on is in use. */
static inline void
touch(const struct pmd *pmd, const struct flow *flow)
{
    uint32_t now_s = (uint32_t) (pmd->now_ms / 1000);

    for (unsigned int i = 0; i < flow->deps.n; i++) {
        const struct dp_dep *dep = &flow->deps.deps[i];

        if (dep->touch
            && atomic_load_explicit(&dep->cell->used_s, memory_order_relaxed)
               != now_s) {
            atomic_store_explicit(&dep->cell->used_s, now_s,
                                  memory_order_relaxed);
        }
    }
}

/* Translates a flow again for a packet of its own, and puts the answer in its
 * place: the same flow when it looks at the same bits, else a new one.  NULL
 * where there is no room: the packet is lost to the slow path's memory. */
static struct flow *
revalidate(struct pmd *pmd, struct flow *flow, const struct flow_key *key)
{
    struct dp_upcall up;

    upcall(pmd, key, &up);
    pmd->perf.revalidated++;
    if (flow->subtable
        && !memcmp(flow_get_mask(flow), &up.mask, sizeof up.mask)) {
        if (flowtable_set_actions(flow, up.actions.data, up.actions.len,
                                  &up.deps)) {
            flow->checked_ms = pmd->now_ms;
        } else {
            flow = NULL;
        }
    } else {
        if (flow->subtable) {
            flowtable_remove(&pmd->flows, flow);
        }
        flow = flowtable_install(&pmd->flows, key, flowtable_hash(key),
                                 &up.mask, up.actions.data, up.actions.len,
                                 &up.deps, pmd->now_ms);
    }
    action_list_fini(&up.actions);
    return flow;
}

static void process_one(struct pmd *, struct rte_mbuf *,
                        const struct flow_key *);

/* A flow translated again may look at more than it did, and then no longer
 * speaks for every packet that was gathered under it: those begin again.
 * Returns how many stay. */
static unsigned int
send_strays_back(struct pmd *pmd, const struct flow *flow,
                 struct rte_mbuf **pkts, const struct flow_key **keys,
                 unsigned int n)
{
    struct rte_mbuf *strays[PKT_BURST];
    const struct flow_key *stray_keys[PKT_BURST];
    unsigned int n_strays = 0;
    unsigned int kept = 0;

    for (unsigned int i = 0; i < n; i++) {
        if (flow_matches(flow, keys[i])) {
            pkts[kept] = pkts[i];
            keys[kept++] = keys[i];
        } else {
            strays[n_strays] = pkts[i];
            stray_keys[n_strays++] = keys[i];
        }
    }
    for (unsigned int i = 0; i < n_strays; i++) {
        process_one(pmd, strays[i], stray_keys[i]);
    }
    return kept;
}

/* Fifth stage for all packets of the burst that belong to one flow, which the
 * caller holds. */
static void
act_on_group(struct pmd *pmd, struct flow *flow, struct rte_mbuf **pkts,
             const struct flow_key **keys, unsigned int n)
{
    if (UNLIKELY(!is_fresh(pmd, flow))) {
        struct flow *stale = flow;

        flow = revalidate(pmd, flow, keys[0]);
        if (flow && flow != stale && n > 1) {
            flow_ref(flow);
            n = send_strays_back(pmd, flow, pkts, keys, n);
            flow_unref(&pmd->flows, flow);
        }
        if (!flow) {
            for (unsigned int i = 0; i < n; i++) {
                vport_drop_rx(dp_port_find(pkt_meta(pkts[i])->phys_port), pmd,
                              pkts[i], DROP_UPCALL);
            }
            return;
        }
    }
    flow->used_ms = pmd->now_ms;
    flow->n_pkts += n;
    for (unsigned int i = 0; i < n; i++) {
        flow->n_bytes += pkts[i]->pkt_len;
        flow->tcp_flags |= ntohs(keys[i]->tcp_flags);
    }
    touch(pmd, flow);
    act_execute(pmd, flow->actions, flow->actions_len, pkts, keys, n);
}

/* Third stage and on, for a packet alone. */
static void
process_one(struct pmd *pmd, struct rte_mbuf *m, const struct flow_key *key)
{
    uint32_t hash = flowtable_hash(key);
    struct flow *flow = flowtable_lookup(&pmd->flows, key, hash,
                                         &pmd->perf.lookup);

    if (!flow) {
        flow = miss(pmd, m, key, hash);
    }
    if (flow) {
        flow_ref(flow);
        act_on_group(pmd, flow, &m, &key, 1);
        flow_unref(&pmd->flows, flow);
    }
}

/* Third stage and on: groups the packets by flow, keeping their order within
 * each. */
static void
process_burst(struct pmd *pmd, struct burst *b)
{
    struct flow *groups[PKT_BURST];
    unsigned int n_groups = 0;

    for (unsigned int i = 0; i < b->n; i++) {
        uint32_t hash = flowtable_hash(&b->keys[i]);
        struct flow *flow = flowtable_lookup(&pmd->flows, &b->keys[i], hash,
                                             &pmd->perf.lookup);

        if (UNLIKELY(!flow)) {
            flow = miss(pmd, b->pkts[i], &b->keys[i], hash);
        }
        b->flows[i] = flow;
        if (flow && flow->group == FLOW_NO_GROUP) {
            flow->group = (uint16_t) n_groups;
            flow_ref(flow);
            groups[n_groups++] = flow;
        }
    }

    for (unsigned int g = 0; g < n_groups; g++) {
        const struct flow_key *keys[PKT_BURST];
        struct rte_mbuf *pkts[PKT_BURST];
        unsigned int n = 0;

        for (unsigned int i = 0; i < b->n; i++) {
            if (b->flows[i] == groups[g]) {
                pkts[n] = b->pkts[i];
                keys[n++] = &b->keys[i];
            }
        }
        groups[g]->group = FLOW_NO_GROUP;
        act_on_group(pmd, groups[g], pkts, keys, n);
        flow_unref(&pmd->flows, groups[g]);
    }
}

static void
parse_and_process(struct pmd *pmd, struct rte_mbuf **pkts, unsigned int n)
{
    struct burst b;

    b.n = 0;
    for (unsigned int i = 0; i < n; i++) {
        struct rte_mbuf *m;

        if (i + 1 < n) {
            rte_prefetch0(pkt_data(pkts[i + 1]));
            rte_prefetch0(pkt_meta(pkts[i + 1]));
        }
        m = parse(pmd, pkts[i], &b.keys[b.n]);
        if (LIKELY(m)) {
            b.pkts[b.n++] = m;
        }
    }
    if (b.n) {
        process_burst(pmd, &b);
    }
}

void
pmd_process(struct pmd *pmd, struct rte_mbuf **pkts, unsigned int n)
{
    parse_and_process(pmd, pkts, n);

    /* What was popped goes round again; what that pops, after it. */
    while (pmd->n_recirc) {
        struct rte_mbuf *again[PKT_BURST];
        unsigned int m = MIN(pmd->n_recirc, (unsigned int) PKT_BURST);

        memcpy(again, pmd->recirc, m * sizeof *again);
        pmd->n_recirc -= m;
        memmove(pmd->recirc, pmd->recirc + m,
                pmd->n_recirc * sizeof *pmd->recirc);
        parse_and_process(pmd, again, m);
    }
}

/* How many packets of this size to take at a time. */
static uint16_t
choose_burst(uint64_t size)
{
    uint64_t n = RX_BURST_BYTES / MAX(size, UINT64_C(1));

    return (uint16_t) MAX(MIN(n, (uint64_t) PKT_BURST),
                          (uint64_t) RX_BURST_MIN);
}

/* First stage, for one queue.  Returns how many packets came. */
static unsigned int
serve_rxq(struct pmd *pmd, struct pmd_rxq *q)
{
    struct rte_mbuf *pkts[PKT_BURST];
    uint64_t before = rte_rdtsc();
    unsigned int n;
    uint64_t bytes = 0;

    n = q->vport->class->rx(q->vport, q->rxq, pmd, pkts, q->burst);
    if (n) {
        struct vport_counters *c = &q->vport->per_pmd[pmd->id]->c;

        for (unsigned int i = 0; i < n; i++) {
            bytes += pkts[i]->pkt_len;
        }
        c->rx_packets += n;
        c->rx_bytes += bytes;
        q->n_pkts += n;
        q->burst = choose_burst(bytes / n);
        pmd->perf.rx_packets += n;
        pmd->perf.rx_batches++;
        pmd_process(pmd, pkts, n);
        pmd_flush(pmd);
        q->cycles += rte_rdtsc() - before;
    }
    q->hot = n > 0;
    return n;
}

/* Does what MAIN asked for. */
static void
serve_main(struct pmd *pmd)
{
    struct pmd_thread *t = pmd->thread;
    uint64_t n;

    if (read(t->event_fd, &n, sizeof n) < 0 && errno != EAGAIN) {
        log_err_rl("eventfd: %s", strerror(errno));
    }
    if (atomic_load_explicit(&t->called, memory_order_acquire)) {
        atomic_store_explicit(&t->called, false, memory_order_relaxed);
        t->fn(pmd, t->aux);
        sem_post(&t->done);
    }
}

/* Milliseconds as a round begins; the clock is asked once in each. */
static void
tell_time(struct pmd *pmd)
{
    struct pmd_thread *t = pmd->thread;

    pmd->now_tsc = rte_rdtsc();
    if (pmd->now_tsc >= t->next_ms_tsc) {
        t->next_ms_tsc = pmd->now_tsc + t->tsc_per_ms;
        pmd->now_ms = (uint64_t) clock_ms();
    }
}

static void
housekeep(struct pmd *pmd)
{
    struct pmd_thread *t = pmd->thread;

    if (pmd->now_ms - t->sweep_ms >= SWEEP_EVERY_MS) {
        /* After a long sleep as many slices are due as were slept through,
         * or idle flows of an idle switch would stay for ever. */
        uint64_t slices = MIN((pmd->now_ms - t->sweep_ms) / SWEEP_EVERY_MS,
                              UINT64_C(100));

        t->sweep_ms = pmd->now_ms;
        flowtable_sweep(&pmd->flows,
                        (unsigned int) slices
                        * MAX(SWEEP_BUCKETS,
                              pmd->flows.n_flows / SWEEP_PART),
                        pmd->now_ms, dp_max_idle_ms());
    }
    if (pmd->now_ms - t->sort_ms >= SORT_EVERY_MS) {
        t->sort_ms = pmd->now_ms;
        flowtable_sort(&pmd->flows);
    }
}

/* Waits, or only looks, for descriptors; serves the queues that they name. */
static unsigned int
serve_ready(struct pmd *pmd, const struct timespec *timeout)
{
    struct epoll_event events[EPOLL_EVENTS];
    uint64_t before = rte_rdtsc();
    unsigned int n = 0;
    int n_events;

    n_events = epoll_pwait2(pmd->thread->epoll_fd, events, EPOLL_EVENTS,
                            timeout, NULL);
    tell_time(pmd);
    if (timeout->tv_sec || timeout->tv_nsec) {
        pmd->perf.sleeps++;
        pmd->perf.sleep_cycles += pmd->now_tsc - before;
    }
    for (int i = 0; i < n_events; i++) {
        uint32_t rxq = events[i].data.u32;

        if (rxq == UINT32_MAX) {
            serve_main(pmd);
            break;              /* The queues may be others now. */
        }
        if (!pmd->rxqs[rxq].hot) {
            n += serve_rxq(pmd, &pmd->rxqs[rxq]);
        }
    }
    return n;
}

/* How long the thread may sleep when nothing is hot. */
static struct timespec
sleep_time(struct pmd *pmd)
{
    struct pmd_thread *t = pmd->thread;
    unsigned int ms = pmd->flows.n_flows ? SLEEP_FLOWS_MS : SLEEP_MAX_MS;

    if (!t->must_poll) {
        return (struct timespec) { ms / 1000, (ms % 1000) * 1000000L };
    }
    if (t->empty_rounds < SPIN_ROUNDS) {
        t->nap_us = NAP_MIN_US;
        return (struct timespec) { 0, 0 };
    }
    t->nap_us = MIN(t->nap_us * 2, (unsigned int) NAP_MAX_US);
    return (struct timespec) { 0, (long) t->nap_us * 1000 };
}

static void
round_trip(struct pmd *pmd)
{
    static const struct timespec now = { 0, 0 };
    struct pmd_thread *t = pmd->thread;
    unsigned int n = 0;
    bool any_hot = false;
    uint64_t slept = pmd->perf.sleep_cycles;
    uint64_t before;

    tell_time(pmd);
    before = pmd->now_tsc;
    for (unsigned int i = 0; i < pmd->n_rxqs; i++) {
        struct pmd_rxq *q = &pmd->rxqs[i];

        if (q->fd < 0 || q->hot) {
            n += serve_rxq(pmd, q);
            any_hot |= q->hot;
        }
    }
    pmd->perf.iterations++;
    if (!any_hot) {
        struct timespec sleep = sleep_time(pmd);

        n += serve_ready(pmd, &sleep);
    } else if (pmd->perf.iterations % ASK_EPOLL_EVERY == 0) {
        n += serve_ready(pmd, &now);
    }
    t->empty_rounds = n ? 0 : t->empty_rounds + 1;
    pmd->perf.busy_iterations += n > 0;
    *(n ? &pmd->perf.busy_cycles : &pmd->perf.idle_cycles)
        += rte_rdtsc() - before - (pmd->perf.sleep_cycles - slept);
    housekeep(pmd);
}

static void
pin(const struct pmd *pmd)
{
    char name[16];
    cpu_set_t cpus;

    snprintf(name, sizeof name, "pmd%u", pmd->id);
    pthread_setname_np(pthread_self(), name);
    if (pmd->core >= 0) {
        CPU_ZERO(&cpus);
        CPU_SET((size_t) pmd->core, &cpus);
        if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus)) {
            log_warn("PMD thread %u cannot be pinned to core %d", pmd->id,
                     pmd->core);
        }
    }
}

static void *
pmd_main(void *pmd_)
{
    struct pmd *pmd = pmd_;

    pin(pmd);
    /* An lcore id gives the thread its own cache in the mempools. */
    if (rte_thread_register()) {
        log_warn("PMD thread %u goes without a memory cache: DPDK has no "
                 "lcore id left", pmd->id);
    }
    while (!pmd->thread->stop) {
        round_trip(pmd);
    }
    rte_thread_unregister();
    return NULL;
}
