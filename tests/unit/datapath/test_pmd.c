/* SPDX-License-Identifier: Apache-2.0 */
/* pmd.c: bursts through parse, lookup and miss; flows that grow stale; hostile
 * frames among good ones; and a real thread that is woken and sends. */

#include "datapath/pmd.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/pkt/wire.h"
#include "tests/unit/datapath/pmd_env.h"

void suite_pmd(void);

static struct env_bytes frame;
static uint8_t bytes[ENV_MAX_FRAME];

static void
make_frame(uint32_t payload_len)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = payload_len,
    };

    env_build(&f, &frame);
}

static void
begin(void)
{
    pmd_env_begin();
    for (uint32_t no = 1; no <= 5; no++) {
        pmd_env_add_port(no, VPORT_CAP_CHAIN, 1500);
    }
    make_frame(100);
}

/* Puts 'n' equal frames in, but for the last byte of nw_src. */
static void
rx(unsigned int n, uint8_t host)
{
    frame.b[frame.l3 + 15] = host;
    for (unsigned int i = 0; i < n; i++) {
        pmd_env_rx(1, frame.b, frame.len);
    }
}

static unsigned int
n_sent_to(uint32_t port)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < pmd_env_n_sent; i++) {
        n += pmd_env_sent[i].port == port;
    }
    return n;
}

static void
test_flows_and_counters(void)
{
    const struct flow *flow;

    begin();
    pmd_env_answer(1, "2");
    rx(3, 1);
    rx(2, 2);
    rx(4, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 2);
    CU_ASSERT_EQUAL(pmd_env.flows.n_flows, 2);
    CU_ASSERT_EQUAL(n_sent_to(2), 9);
    CU_ASSERT_EQUAL(pmd_env.perf.upcalls, 2);

    /* The packets of one flow stay in order. */
    pmd_env_forget();
    for (uint8_t i = 0; i < PKT_BURST; i++) {
        frame.b[frame.payload] = i;
        rx(1, i & 1);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, PKT_BURST);
    for (unsigned int i = 0; i < PKT_BURST; i++) {
        static int last[2] = { -1, -1 };

        pmd_env_bytes(i, 2, bytes, sizeof bytes);
        CU_ASSERT(bytes[frame.payload] > last[bytes[frame.l3 + 15]]);
        last[bytes[frame.l3 + 15]] = bytes[frame.payload];
    }

    struct flowtable_counts counts;
    struct flow_key key;
    struct pkt_ofs ofs;

    frame.b[frame.l3 + 15] = 1;
    parse_packet(frame.b, frame.len, frame.len, &key, &ofs);
    key.in_port = 1;
    flow = flowtable_lookup(&pmd_env.flows, &key, flowtable_hash(&key),
                            &counts);
    CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
    CU_ASSERT_EQUAL(flow->n_pkts, 7 + PKT_BURST / 2);
    CU_ASSERT_EQUAL(flow->n_bytes, (7 + PKT_BURST / 2) * frame.len);
    CU_ASSERT_EQUAL(flow->used_ms, pmd_env.now_ms);
    CU_ASSERT_EQUAL(flow->group, FLOW_NO_GROUP);
    pmd_env_end();
}

static void
test_stale_pipeline(void)
{
    begin();
    pmd_env_answer(1, "2");
    rx(5, 1);
    pmd_env_run();
    rx(5, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 1);
    pmd_env_answer(1, "3");
    rx(5, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(n_sent_to(3), 0);
    atomic_fetch_add(&dp_pipeline_gen, 1);
    rx(5, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(n_sent_to(3), 5);
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 2);
    CU_ASSERT_EQUAL(pmd_env.perf.revalidated, 1);
    CU_ASSERT_EQUAL(pmd_env.flows.n_flows, 1);
    rx(5, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 2);
    pmd_env_end();
}

/* A cell: stale when it changes, touched when the flow is hit. */
static void
test_stale_cell(void)
{
    static struct dp_cell cell;

    begin();
    pmd_env_cell = &cell;
    pmd_env_answer(1, "2");
    rx(1, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(atomic_load(&cell.used_s), pmd_env.now_ms / 1000);
    pmd_env.now_ms += 5000;
    rx(1, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(atomic_load(&cell.used_s), pmd_env.now_ms / 1000);
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 1);
    atomic_fetch_add(&cell.gen, 1);
    pmd_env_answer(1, "3,4");
    rx(3, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 2);
    CU_ASSERT_EQUAL(n_sent_to(3), 3);
    CU_ASSERT_EQUAL(n_sent_to(4), 3);
    pmd_env_end();
}

/* More dependencies than fit: translated again each second, no oftener. */
static void
answer_overflow(const struct flow_key *key, struct dp_upcall *up)
{
    (void) key;
    action_put_output(&up->actions, 2);
    up->deps.overflow = true;
}

static void
test_overflowed_deps(void)
{
    begin();
    pmd_env_answer_by(1, answer_overflow);
    for (unsigned int i = 0; i < 30; i++) {
        rx(2, 1);
        pmd_env_run();
        pmd_env.now_ms += 100;
    }
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 3);
    pmd_env_end();
}

/* Odd hosts go to 3, even ones to 4. */
static void
answer_by_host(const struct flow_key *key, struct dp_upcall *up)
{
    flow_mask_init(&up->mask);
    FLOW_MASK_EXACT(&up->mask, in_port);
    FLOW_MASK_EXACT(&up->mask, nw_src);
    flow_mask_normalize(&up->mask, key);
    action_put_output(&up->actions, ntohl(key->nw_src) & 1 ? 3 : 4);
}

/* A flow for all hosts becomes one for each: in the very burst that finds it
 * stale every packet goes where it should. */
static void
test_narrowed_mask(void)
{
    struct flow_mask wide;

    begin();
    flow_mask_init(&wide);
    FLOW_MASK_EXACT(&wide, in_port);
    pmd_env_mask = &wide;
    pmd_env_answer(1, "2");
    rx(1, 1);
    rx(1, 2);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env.flows.n_flows, 1);
    CU_ASSERT_EQUAL(n_sent_to(2), 2);

    atomic_fetch_add(&dp_pipeline_gen, 1);
    pmd_env_answer_by(1, answer_by_host);
    for (uint8_t host = 0; host < PKT_BURST; host++) {
        rx(1, host);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(n_sent_to(2), 2);
    CU_ASSERT_EQUAL(n_sent_to(3), PKT_BURST / 2);
    CU_ASSERT_EQUAL(n_sent_to(4), PKT_BURST / 2);
    for (unsigned int i = 2; i < pmd_env_n_sent; i++) {
        uint32_t port = pmd_env_sent[i].port;

        CU_ASSERT(pmd_env_bytes(i, port, bytes, sizeof bytes) > 0);
        CU_ASSERT_EQUAL(port, bytes[frame.l3 + 15] & 1 ? 3 : 4);
    }
    CU_ASSERT_EQUAL(pmd_env.flows.n_flows, PKT_BURST);

    /* And wide again. */
    atomic_fetch_add(&dp_pipeline_gen, 1);
    pmd_env_answer_by(1, NULL);
    pmd_env_forget();
    for (uint8_t host = 0; host < PKT_BURST; host++) {
        rx(1, host);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(n_sent_to(2), PKT_BURST);
    CU_ASSERT_EQUAL(pmd_env.flows.n_flows, 1);
    pmd_env_end();
}

/* A table at its limit: each packet is asked for, none is lost. */
static void
test_full_table(void)
{
    unsigned int n_flows;

    begin();
    pmd_env_answer(1, "2");
    n_flows = pmd_env.flows.n_flows;
    pmd_env.flows.n_flows = FLOWTABLE_MAX_FLOWS;
    rx(3, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(n_sent_to(2), 3);
    CU_ASSERT_EQUAL(pmd_env_n_upcalls, 3);
    CU_ASSERT_EQUAL(pmd_env.perf.unstored, 3);
    pmd_env.flows.n_flows = n_flows;
    pmd_env_end();
}

/* Many more actions than a list may have. */
static void
answer_too_much(const struct flow_key *key, struct dp_upcall *up)
{
    (void) key;
    for (unsigned int i = 0; i < 10000; i++) {
        action_put_output(&up->actions, 2);
    }
}

static void
test_too_many_actions(void)
{
    begin();
    pmd_env_answer_by(1, answer_too_much);
    rx(2, 1);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 0);
    CU_ASSERT_EQUAL(pmd_env_n_drops(DROP_ACTIONS_TOO_LONG), 2);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 2);
    pmd_env_end();
}

/* Spoils the good frame in 'bytes' in one way. */
static void
spoil(unsigned int way, uint32_t *len, struct virtio_net_hdr *vnet)
{
    uint8_t *ip = bytes + frame.l3;

    switch (way) {
    case 0: *len = 13; break;
    case 1: *len = frame.l3 + 19; break;
    case 2: ip[0] = 0x65; break;
    case 3: ip[0] = 0x44; break;
    case 4: env_put16(ip + 2, 19); break;
    case 5: env_put16(ip + 2, frame.len); break;
    case 6: env_put16(bytes + frame.l4 + 4, 7); break;
    case 7: env_put16(bytes + frame.l4 + 4, 0xffff); break;
    case 8: env_put16(ip + 2, 27); *len = frame.l4 + 7; break;
    case 9: ip[9] = IPPROTO_TCP; bytes[frame.l4 + 12] = 0x40; break;
    case 10: vnet->gso_type = 77; vnet->flags = 1; break;
    case 11: vnet->gso_type = VIRTIO_NET_HDR_GSO_TCPV4; vnet->flags = 1; break;
    case 12: vnet->flags = 1; vnet->csum_start = 0xffff; break;
    case 13: vnet->flags = 1; vnet->csum_start = 4; break;
    case 14: vnet->gso_type = VIRTIO_NET_HDR_GSO_UDP; break;
    case 15: env_put16(bytes + 12, 0x8100); *len = 17; break;
    case 16: env_put16(bytes + 12, ETH_TYPE_ARP); *len = 20; break;
    case 17: env_put16(bytes + 12, ETH_TYPE_IP6); break;
    default: break;
    }
}

#define N_WAYS 18

/* One hostile frame among 31 good ones costs that one, under a name. */
static void
test_hostile_frame(void)
{
    begin();
    pmd_env_answer(1, "2");
    for (unsigned int way = 0; way < N_WAYS; way++) {
        uint64_t drops = pmd_env_n_all_drops();

        for (unsigned int i = 0; i < PKT_BURST; i++) {
            struct virtio_net_hdr vnet = { .flags = 0 };
            uint32_t len = frame.len;
            struct rte_mbuf *m;

            memcpy(bytes, frame.b, frame.len);
            if (i == way % PKT_BURST) {
                spoil(way, &len, &vnet);
            }
            m = pmd_env_rx(1, bytes, len);
            pkt_meta(m)->has_vnet = true;
            pkt_meta(m)->offered = VNET_OFFER_ALL;
            pkt_meta(m)->vnet = vnet;
        }
        pmd_env_run();
        CU_ASSERT_EQUAL(n_sent_to(2), PKT_BURST - 1);
        CU_ASSERT_EQUAL(pmd_env_n_all_drops(), drops + 1);
        CU_ASSERT_EQUAL(dp_port_find(1)->per_pmd[0]->c.rx_errors, way + 1);
        for (unsigned int i = 0; i < pmd_env_n_sent; i++) {
            CU_ASSERT(pmd_env_bytes(i, 2, bytes, sizeof bytes) == frame.len
                      && !memcmp(bytes, frame.b, frame.len));
        }
        pmd_env_forget();
    }
    CU_ASSERT_EQUAL(pmd_env_n_drops(DROP_NONE), 0);
    pmd_env_end();
}

/* A frame in as many buffers as it has bytes. */
static void
test_long_chain(void)
{
    struct rte_mbuf *m = NULL, *last = NULL;

    begin();
    pmd_env_answer(1, "2");
    m = pmd_env_rx(1, frame.b, 1);
    last = m;
    for (uint32_t i = 1; i < frame.len; i++) {
        struct rte_mbuf *seg = dpdk_env_packet(frame.b + i, 1, SHAPE_BIG, 0);

        last->next = seg;
        last = seg;
        m->nb_segs++;
        m->pkt_len++;
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_bytes(0, 2, bytes, sizeof bytes), frame.len);
    CU_ASSERT(!memcmp(bytes, frame.b, frame.len));
    pmd_env_end();
}

/* --- A real thread. --- */

static struct {
    pthread_mutex_t lock;
    struct rte_mbuf *queue[PKT_BURST];
    unsigned int n;
    unsigned int n_sent;
    int fd;
} wire = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint16_t
wire_rx(struct vport *vport, uint16_t rxq, struct pmd *pmd,
        struct rte_mbuf **pkts, uint16_t n)
{
    uint64_t count;
    uint16_t got;

    (void) rxq;
    (void) pmd;
    pthread_mutex_lock(&wire.lock);
    if (read(wire.fd, &count, sizeof count) < 0) {
        count = 0;
    }
    got = (uint16_t) MIN(n, wire.n);
    memcpy(pkts, wire.queue, got * sizeof *pkts);
    wire.n -= got;
    pthread_mutex_unlock(&wire.lock);
    for (uint16_t i = 0; i < got; i++) {
        pkt_meta_init(pkts[i], vport->port_no);
    }
    return got;
}

static uint16_t
wire_tx(struct vport *vport, uint16_t txq, struct pmd *pmd,
        struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes_sent)
{
    (void) vport;
    (void) txq;
    (void) pmd;
    for (uint16_t i = 0; i < n; i++) {
        *bytes_sent += pkts[i]->pkt_len;
        rte_pktmbuf_free(pkts[i]);
    }
    pthread_mutex_lock(&wire.lock);
    wire.n_sent += n;
    pthread_mutex_unlock(&wire.lock);
    return n;
}

static int
wire_rx_fd(struct vport *vport, uint16_t rxq)
{
    (void) vport;
    (void) rxq;
    return wire.fd;
}

static void
wire_close(struct vport *vport)
{
    (void) vport;
}

static const struct vport_class wire_class = {
    .type = "wire", .rx = wire_rx, .tx = wire_tx, .rx_fd = wire_rx_fd,
    .close = wire_close,
};

static void
wire_send(unsigned int n)
{
    uint64_t one = 1;

    pthread_mutex_lock(&wire.lock);
    for (unsigned int i = 0; i < n; i++) {
        wire.queue[wire.n++] = dpdk_env_packet(frame.b, frame.len, SHAPE_BIG,
                                               0);
    }
    pthread_mutex_unlock(&wire.lock);
    CU_ASSERT(write(wire.fd, &one, sizeof one) == sizeof one);
}

static unsigned int
wire_n_sent(void)
{
    unsigned int n;

    pthread_mutex_lock(&wire.lock);
    n = wire.n_sent;
    pthread_mutex_unlock(&wire.lock);
    return n;
}

static bool
wire_wait(unsigned int n)
{
    for (int64_t end = clock_ms() + 20000; clock_ms() < end;) {
        if (wire_n_sent() == n) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

static void
test_thread(void)
{
    struct vport *in, *out;
    struct vport_counters c;
    struct dp_stats stats;
    struct pmd_rxq rxq;
    uint64_t dropped;

    pmd_env_begin();
    make_frame(100);
    wire.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    wire.n_sent = 0;
    in = pmd_env_add_port(1, VPORT_CAP_CHAIN, 1500);
    out = pmd_env_add_port(2, VPORT_CAP_CHAIN, 1500);
    in->class = out->class = &wire_class;
    in->n_rxq = 1;
    pmd_env_answer(1, "2");
    CU_ASSERT_PTR_NULL_FATAL(dp_set_pmd_cpu_mask(NULL));
    rxq = (struct pmd_rxq) { .vport = in, .fd = wire.fd };
    pmd_set_rxqs(dp_pmd(0), &rxq, 1);

    for (unsigned int i = 1, n = 0; i <= 50; i++) {
        wire_send(i % PKT_BURST + 1);
        n += i % PKT_BURST + 1;
        CU_ASSERT_FATAL(wire_wait(n));
    }
    dp_synchronize();           /* The round is over, all is counted. */
    dp_port_get_counters(in, &c, &dropped);
    CU_ASSERT_EQUAL(c.rx_packets, wire_n_sent());
    CU_ASSERT_EQUAL(c.rx_bytes, c.rx_packets * frame.len);
    dp_port_get_counters(out, &c, &dropped);
    CU_ASSERT_EQUAL(c.tx_packets, wire_n_sent());
    dp_get_stats(&stats);
    CU_ASSERT_EQUAL(stats.missed, 1);
    CU_ASSERT_EQUAL(stats.n_flows, 1);

    /* A changed pipeline is seen by the next packet. */
    pmd_env_answer(1, "drop(1)");
    dp_pipeline_changed();
    dp_synchronize();
    wire_send(1);
    for (int64_t end = clock_ms() + 20000; clock_ms() < end;) {
        dp_port_get_counters(in, &c, &dropped);
        if (c.drops[1]) {
            break;
        }
        usleep(1000);
    }
    CU_ASSERT_EQUAL(c.drops[1], 1);
    CU_ASSERT_EQUAL(wire_n_sent(), c.rx_packets - 1);
    dp_flow_flush();
    dp_get_stats(&stats);
    CU_ASSERT_EQUAL(stats.n_flows, 0);

    pmd_set_rxqs(dp_pmd(0), NULL, 0);
    in->n_rxq = 0;
    dp_close_all();
    close(wire.fd);
    CU_ASSERT(dpdk_env_is_full());
    flowtable_fini(&pmd_env.flows);
}

void
suite_pmd(void)
{
    CU_pSuite suite = CU_add_suite("pmd", NULL, NULL);

    CU_add_test(suite, "flows and counters", test_flows_and_counters);
    CU_add_test(suite, "a new pipeline", test_stale_pipeline);
    CU_add_test(suite, "a cell that changes", test_stale_cell);
    CU_add_test(suite, "too many dependencies", test_overflowed_deps);
    CU_add_test(suite, "a mask that is narrowed", test_narrowed_mask);
    CU_add_test(suite, "a full table", test_full_table);
    CU_add_test(suite, "too many actions", test_too_many_actions);
    CU_add_test(suite, "one hostile frame among 31", test_hostile_frame);
    CU_add_test(suite, "a chain of single bytes", test_long_chain);
    CU_add_test(suite, "a real thread", test_thread);
}
