/* SPDX-License-Identifier: Apache-2.0 */
/* train.c: tunnel packets that come one by one, put behind one another in the
 * send buffer.  Each piece of what leaves, cut as a kernel cuts it and taken
 * apart byte by byte, is what went in, in the order of its outer flow.  And
 * back through pop.c. */

#include "datapath/train.h"

#include <CUnit/CUnit.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/offload.h"
#include "datapath/pop.h"
#include "lib/pkt/wire.h"
#include "tests/unit/datapath/pmd_env.h"
#include "tests/unit/datapath/ref_offload.h"

#define N_CASES 3000
#define MAX_FLOWS 12            /* More than TRAIN_SLOTS. */
#define MAX_QUEUE 600
#define MAX_BIG 40              /* Big buffers are few. */
#define MTU 1500
#define ALL_CAPS (VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_USO            \
                  | VPORT_CAP_TRAIN)

void suite_train(void);

/* One packet on a wire: its outer headers as they were pushed, and what is
 * inside. */
struct want {
    uint8_t front[TNL_MAX_HDR + 4];
    uint8_t *inner;
    uint32_t inner_len;
    bool may_join;              /* In a train: DF is set, or the cutter itself
                                 * made it. */
};

/* An outer flow: a source port (VXLAN), or all that is GRE. */
struct flow_case {
    struct env_tnl tnl;
    uint16_t port;
    bool has_vlan;
    uint8_t tos;
    uint32_t front_len;
    struct want queue[MAX_QUEUE];
    unsigned int n, n_out;
};

static struct flow_case flows[MAX_FLOWS];
static unsigned int n_flows;
static uint8_t arena[32u << 20];
static size_t arena_used;
static unsigned int n_big;
static bool may_chain = true;   /* Each packet, before it is sent. */
static unsigned int n_seen_trains, n_seen_pieces, n_seen_single, n_most;
static struct env_bytes frame;
static uint8_t got[ENV_MAX_FRAME];

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), false)

static bool
coin(unsigned int one_in)
{
    return !dpdk_env_range(0, one_in - 1);
}

static uint8_t *
keep(const uint8_t *b, uint32_t len)
{
    uint8_t *p = arena + arena_used;

    if (arena_used + len > sizeof arena) {
        abort();
    }
    memcpy(p, b, len);
    arena_used += len;
    return p;
}

static void
begin(uint32_t caps)
{
    env_reset(caps, MTU);
    arena_used = 0;
    n_flows = 0;
    n_big = 0;
}

static struct flow_case *
add_flow(struct env_tnl tnl, bool has_vlan)
{
    struct flow_case *f = &flows[n_flows++];

    f->tnl = tnl;
    f->port = (uint16_t) (40000 + n_flows);
    f->has_vlan = has_vlan;
    f->tos = 0;
    f->front_len = 14 + env_tnl_len(&tnl) + (has_vlan ? 4 : 0);
    f->n = f->n_out = 0;
    return f;
}

static void
expect(struct flow_case *f, const uint8_t *front, const uint8_t *inner,
       uint32_t len, bool may_join)
{
    struct want *w = &f->queue[f->n++];

    if (f->n > MAX_QUEUE) {
        abort();
    }
    memcpy(w->front, front, f->front_len);
    w->inner = keep(inner, len);
    w->inner_len = len;
    w->may_join = may_join;
}

/* Pushes the outer headers, with the flow's own bits; 'odd' changes some. */
static struct rte_mbuf *
encapsulate(struct flow_case *f, struct rte_mbuf *m, uint32_t vni, bool odd,
            bool df)
{
    struct env_tnl tnl = f->tnl;
    uint8_t *p;

    tnl.df = df;
    m = env_encap(m, &tnl, ENV_TNL_PORT);
    if (f->has_vlan) {
        m = pkt_gap(m, 12, 4);
        env_put32(pkt_data(m) + 12, 0x81000000u + 7);
    }
    p = pkt_data(m) + pkt_meta(m)->encaps[0].l3;
    if (tnl.is_ip6) {
        p[1] = (uint8_t) (f->tos << 4);
        p[7] = (uint8_t) (p[7] - odd);
    } else {
        p[1] = f->tos;
        p[8] = (uint8_t) (p[8] - odd);
    }
    if (!tnl.is_gre) {
        p = pkt_data(m) + pkt_meta(m)->encaps[0].l4;
        env_put16(p, f->port);
        env_put32(p + 12, vni << 8);
    }
    return m;
}

/* Sends one frame into the tunnel. */
static void
send_frame(struct flow_case *f, const struct env_frame *e, uint32_t vni,
           bool odd, bool df)
{
    enum dpdk_env_shape shape = may_chain ? (enum dpdk_env_shape)
                                            dpdk_env_range(0, N_SHAPES - 1)
                                          : SHAPE_SMALL_BIG;
    struct rte_mbuf *m, *clone = NULL;
    uint8_t front[TNL_MAX_HDR + 4];
    const struct ref *ref;
    uint32_t room = MTU - 14 - 4u * e->n_vlans - env_tnl_len(&f->tnl);

    env_build(e, &frame);
    if ((shape == SHAPE_BIG || frame.len > 2000) && frame.len > 1024
        && n_big++ >= MAX_BIG) {
        shape = SHAPE_TINY;
    }
    m = env_packet(e, &frame, shape);
    m = encapsulate(f, m, vni, odd, df);
    memcpy(front, pkt_data(m), f->front_len);
    ref = ref_offload(e, &frame, room, 0);
    if (ref->fate != REF_SENT) {
        abort();
    }
    for (unsigned int i = 0; i < ref->n; i++) {
        expect(f, front, ref->frames[i].b, ref->frames[i].len,
               df || ref->n > 1);
    }
    if (coin(6)) {
        clone = pkt_clone(m);
    }
    offload_send(&env_pmd, &env_vport, m);
    rte_pktmbuf_free(clone);
}

static void
send_random(struct flow_case *f)
{
    struct env_frame e = {
        .version = coin(2) ? 4 : 6, .n_vlans = coin(4), .frag = IP4_DF,
        .proto = IPPROTO_UDP,
        .payload_len = coin(4) ? dpdk_env_range(1, 1300) : 1000,
    };

    if (coin(25)) {
        e.proto = IPPROTO_TCP;
        e.tcp_flags = TCP_ACK;
        e.csum = ENV_CSUM_PARTIAL;
        e.gso = e.version == 4 ? PKT_GSO_TCP4 : PKT_GSO_TCP6;
        e.gso_size = (uint16_t) dpdk_env_range(500, 1300);
        e.payload_len = dpdk_env_range(2000, 20000);
    }
    if (coin(20)) {
        f->tos ^= 4;
    }
    send_frame(f, &e, dpdk_env_range(1, 3), coin(20),
               f->tnl.is_ip6 || (f->tnl.df && !coin(12)));
}

static struct flow_case *
flow_of(const uint8_t *b, uint32_t l3, uint32_t l4)
{
    uint8_t proto = b[l3] >> 4 == 4 ? b[l3 + 9] : b[l3 + 6];

    for (unsigned int i = 0; i < n_flows; i++) {
        if (flows[i].tnl.is_gre ? proto == IPPROTO_GRE
            : proto == IPPROTO_UDP && env_get16(b + l4) == flows[i].port) {
            return &flows[i];
        }
    }
    return NULL;
}

/* The outer fields that must be as they were pushed: all but lengths, IPv4 ID
 * and sums. */
static bool
same_front(const struct flow_case *f, const struct want *w, uint8_t *b,
           uint32_t l3, uint32_t l4)
{
    uint8_t front[TNL_MAX_HDR + 4], is[TNL_MAX_HDR + 4];

    memcpy(front, w->front, f->front_len);
    memcpy(is, b, f->front_len);
    for (uint8_t *p = front; p; p = p == front ? is : NULL) {
        if (f->tnl.is_ip6) {
            memset(p + l3 + 4, 0, 2);
        } else {
            memset(p + l3 + 2, 0, 4);
            memset(p + l3 + 10, 0, 2);
        }
        if (!f->tnl.is_gre) {
            memset(p + l4 + 4, 0, 4);
        } else if (f->tnl.csum) {
            memset(p + l4 + 4, 0, 2);
        }
    }
    return !memcmp(front, is, f->front_len);
}

/* One packet as a wire sees it. */
static bool
check_packet(uint8_t *b, uint32_t len, bool is_train)
{
    uint32_t l3 = env_get16(b + 12) == 0x8100 ? 18 : 14;
    uint32_t l4 = l3 + (b[l3] >> 4 == 4 ? 20 : 40);
    struct flow_case *f = flow_of(b, l3, l4);
    const struct want *w;
    uint32_t sum;

    if (!f || f->n_out == f->n) {
        return FAIL("a packet of no flow, or too many");
    }
    w = &f->queue[f->n_out++];
    if (len != f->front_len + w->inner_len) {
        return FAIL("packet %u of flow %u: %u bytes, not %u", f->n_out - 1,
                    (unsigned int) (f - flows), len,
                    f->front_len + w->inner_len);
    }
    if (is_train && (f->tnl.is_gre || !w->may_join)) {
        return FAIL("GRE, or what may be fragmented, in a train");
    }
    if (len - l3 > MTU) {
        return FAIL("longer than the MTU");
    }
    if (!same_front(f, w, b, l3, l4)) {
        return FAIL("outer headers of another packet");
    }
    if (f->tnl.is_ip6 ? env_get16(b + l3 + 4) != len - l4
        : env_get16(b + l3 + 2) != len - l3
          || env_sum(0, b + l3, 20) != 0xffff) {
        return FAIL("outer IP header");
    }
    if (!f->tnl.is_gre) {
        bool has_csum = env_get16(b + l4 + 6);

        sum = env_sum(env_pseudo_sum(b + l3, IPPROTO_UDP, len - l4), b + l4,
                      len - l4);
        if (env_get16(b + l4 + 4) != len - l4
            || (has_csum && sum != 0xffff)
            || (!is_train && has_csum != (f->tnl.csum || f->tnl.is_ip6))
            || (is_train && !has_csum)) {
            return FAIL("outer UDP header");
        }
    } else if (f->tnl.csum && env_sum(0, b + l4, len - l4) != 0xffff) {
        return FAIL("GRE checksum");
    }
    for (uint32_t i = 0; i < w->inner_len; i++) {
        if (b[f->front_len + i] != w->inner[i]) {
            return FAIL("inner byte %u of packet %u of flow %u", i,
                        f->n_out - 1, (unsigned int) (f - flows));
        }
    }
    return true;
}

static bool
check_sent(uint32_t caps)
{
    bool can = (caps & ALL_CAPS) == ALL_CAPS;
    unsigned int n_trains = 0;

    pmd_flush(&env_pmd);
    if (env_vport_pmd.n_tx || env_vport_pmd.n_trains || env_pmd.n_dirty) {
        return FAIL("something is held");
    }
    for (unsigned int i = 0; i < env_n_sent; i++) {
        const struct rte_mbuf *m = env_sent[i];
        bool is_train = pkt_meta(m)->need.gso;
        unsigned int n = 0;
        const char *error;
        uint32_t len;

        if (!can && (is_train || pkt_meta(m)->need.csum)) {
            return FAIL("more than the port can do");
        }
        for (; env_piece(m, n, got, &len, &error); n++) {
            if (!check_packet(got, len, is_train)) {
                return false;
            }
        }
        if (error) {
            return FAIL("%s", error);
        }
        n_trains += is_train;
        *(is_train ? &n_seen_pieces : &n_seen_single) += n;
        n_most = MAX(n_most, n);
    }
    for (unsigned int i = 0; i < n_flows; i++) {
        if (flows[i].n_out != flows[i].n) {
            return FAIL("%u of %u packets of flow %u", flows[i].n_out,
                        flows[i].n, i);
        }
    }
    n_seen_trains += n_trains;
    return (env_vport_pmd.c.trains_tx == n_trains
            && env_vport_pmd.c.tx_packets == env_n_sent && !env_n_drops())
           || FAIL("counters");
}

static bool
end(void)
{
    env_free_sent();
    return dpdk_env_is_full();
}

static struct env_tnl
random_tnl(bool may_be_gre)
{
    struct env_tnl t = {
        .is_gre = may_be_gre && coin(2), .is_ip6 = coin(2), .key = coin(2),
        .df = !coin(6),
    };

    t.csum = coin(2) || (t.is_ip6 && !t.is_gre);
    t.df |= t.is_ip6;
    return t;
}

static bool
run_case(void)
{
    static const uint32_t masks[] = {
        VPORT_CAP_TRAIN, VPORT_CAP_USO, VPORT_CAP_CSUM, VPORT_CAP_CHAIN,
    };
    uint32_t caps = ALL_CAPS;
    unsigned int n = dpdk_env_range(1, 150);
    bool ok;

    if (coin(6)) {
        caps &= ~masks[dpdk_env_range(0, ARRAY_SIZE(masks) - 1)];
    }
    begin(caps);
    for (unsigned int i = coin(3) ? dpdk_env_range(2, MAX_FLOWS) : 1; i; i--) {
        /* One of GRE at most: it has no port to know it by. */
        add_flow(random_tnl(i == 1), coin(3));
    }
    for (unsigned int i = 0; i < n;) {
        struct flow_case *f = &flows[dpdk_env_range(0, n_flows - 1)];

        for (unsigned int run = dpdk_env_range(1, 20);
             run && i < n && f->n < MAX_QUEUE - 50; run--, i++) {
            send_random(f);
        }
        i++;
        if (coin(10)) {
            pmd_flush(&env_pmd);
        }
    }
    ok = check_sent(caps);
    return end() && ok;
}

static void
test_random(void)
{
    unsigned int n_bad = 0;

    dpdk_env_start();
    for (unsigned int i = 0; i < N_CASES && n_bad < 5; i++) {
        dpdk_env_seed(i);
        if (!run_case()) {
            fprintf(stderr, "train case %u\n", i);
            n_bad++;
        }
    }
    CU_ASSERT_EQUAL(n_bad, 0);
    CU_ASSERT(n_seen_trains > 1000);
    CU_ASSERT(n_seen_pieces > 3 * n_seen_trains);
    CU_ASSERT(n_seen_single > 10000);
    CU_ASSERT(n_most > 30);
}

/* Equal packets in a row: how many leave, and of how many pieces the first
 * is. */
static void
expect_train(struct env_tnl tnl, uint32_t payload_len, unsigned int n,
             unsigned int n_first, unsigned int n_packets)
{
    struct env_frame e = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = payload_len,
    };
    unsigned int pieces = 0;
    struct flow_case *f;
    const char *error;
    uint32_t len;

    may_chain = false;          /* Or the number of links ends it. */
    begin(ALL_CAPS);
    f = add_flow(tnl, true);
    for (unsigned int i = 0; i < n; i++) {
        send_frame(f, &e, i, false, tnl.df);
    }
    CU_ASSERT(check_sent(ALL_CAPS));
    CU_ASSERT_EQUAL(env_n_sent, n_packets);
    while (env_piece(env_sent[0], pieces, got, &len, &error)) {
        pieces++;
    }
    CU_ASSERT_EQUAL(pieces, n_first);
    may_chain = true;
    CU_ASSERT(end());
}

static void
test_sizes(void)
{
    struct env_tnl vxlan = { .df = true }, with_sum = { .df = true,
                                                        .csum = true };
    struct env_tnl vxlan6 = { .is_ip6 = true, .csum = true, .df = true };
    struct env_tnl fragile = { .csum = true };
    struct env_tnl gre = { .is_gre = true, .df = true };

    dpdk_env_seed(1);
    expect_train(vxlan, 400, 20, 20, 1);
    expect_train(with_sum, 400, 20, 20, 1);
    expect_train(vxlan6, 400, 20, 20, 1);
    /* No more than 64 pieces ... */
    expect_train(vxlan, 100, 150, 64, 3);
    /* ... and 65535 bytes: 28 + 46 * 1408 = 64796. */
    expect_train(vxlan, 1400 - 42, 80, 46, 2);
    expect_train(vxlan, 100, 1, 1, 1);
    expect_train(fragile, 400, 20, 1, 20);
    expect_train(gre, 400, 20, 1, 20);
}

/* --- And back, through a PMD: a guest's packets into a tunnel, the train
 * into another host. --- */

enum { GUEST_A = 1, WIRE_A, WIRE_B, GUEST_B, TNL_A = 20, TNL_B = 30 };

static struct tnl_push push;

static void
answer_push(const struct flow_key *key, struct dp_upcall *up)
{
    (void) key;
    action_put_tnl_push(&up->actions, &push);
    action_put_output(&up->actions, WIRE_A);
}

static void
begin_hosts(bool is_ip6, bool csum, uint32_t caps)
{
    struct tnl_hop hop = {
        .src = flow_addr_from_ip4(htobe32(0xc0000201)),
        .dst = flow_addr_from_ip4(htobe32(0xc0000202)),
    };
    struct tnl_map_entry entry = { .port = TNL_B };
    struct tnl_cfg cfg;

    if (is_ip6) {
        memset(&hop.src, 0xfd, sizeof hop.src);
        memset(&hop.dst, 0xfc, sizeof hop.dst);
    }
    memset(&cfg, 0, sizeof cfg);
    cfg.type = tnl_type_from_name("vxlan");
    cfg.csum = csum;
    cfg.df = true;
    cfg.ttl = 64;
    cfg.dst_port = 4789;
    cfg.in_key_present = cfg.out_key_present = true;
    cfg.in_key = cfg.out_key = htobe64(5);
    cfg.remote = hop.dst;
    pmd_env_begin();
    for (uint32_t no = GUEST_A; no <= GUEST_B; no++) {
        pmd_env_add_port(no, caps, MTU);
    }
    pmd_env_add_tunnel(TNL_A, "vxlan");
    pmd_env_add_tunnel(TNL_B, "vxlan");
    tnl_build(&cfg, &hop, cfg.out_key, TNL_A, &push);
    cfg.remote = hop.src;
    entry.cfg = cfg;
    tnl_map_destroy(pop_set_tnl_map(tnl_map_create(&entry, 1)));
    pmd_env_answer_by(GUEST_A, answer_push);
    pmd_env_answer(WIRE_B, "tnl_pop(vxlan)");
    pmd_env_answer(TNL_B, "4");
}

static void
there_and_back(bool is_ip6, bool csum, uint32_t caps, unsigned int n_wire)
{
    struct env_frame e = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = 900,
    };
    static struct env_bytes in[PKT_BURST];
    struct rte_mbuf *m;

    begin_hosts(is_ip6, csum, caps);
    for (unsigned int i = 0; i < PKT_BURST; i++) {
        env_build(&e, &in[i]);
        memcpy(in[i].b, in[0].b, in[0].payload - 2);    /* One flow, but for
                                                         * the checksum. */
        in[i].b[in[i].payload] = (uint8_t) i;
        pmd_env_rx(GUEST_A, in[i].b, in[i].len);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, n_wire);
    for (unsigned int i = 0; i < n_wire; i++) {
        uint32_t len = pmd_env_bytes(i, WIRE_A, got, sizeof got);
        const struct pkt_need *need = &pkt_meta(pmd_env_sent[i].m)->need;

        CU_ASSERT_FATAL(len > 0);
        m = pmd_env_rx(WIRE_B, got, len);
        pkt_meta(m)->has_vnet = true;
        pkt_meta(m)->offered = VNET_OFFER_ALL;
        vnet_fill(&pkt_meta(m)->vnet, need, 42);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, n_wire + PKT_BURST);
    for (unsigned int i = 0; i < PKT_BURST; i++) {
        CU_ASSERT_EQUAL(pmd_env_bytes(n_wire + i, GUEST_B, got, sizeof got),
                        in[i].len);
        CU_ASSERT(!memcmp(got, in[i].b, in[i].len));
    }
    CU_ASSERT_EQUAL(dp_port_find(WIRE_B)->per_pmd[0]->c.trains_rx,
                    n_wire == 1);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
    pmd_env_end();
}

static void
test_there_and_back(void)
{
    dpdk_env_seed(2);
    there_and_back(false, false, ALL_CAPS, 1);
    there_and_back(false, true, ALL_CAPS, 1);
    there_and_back(true, true, ALL_CAPS, 1);
    there_and_back(true, true, ALL_CAPS & ~(uint32_t) VPORT_CAP_TRAIN,
                   PKT_BURST);
}

void
suite_train(void)
{
    CU_pSuite suite = CU_add_suite("train", NULL, NULL);

    CU_add_test(suite, "random tunnel packets", test_random);
    CU_add_test(suite, "sizes", test_sizes);
    CU_add_test(suite, "there and back", test_there_and_back);
}
