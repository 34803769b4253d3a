/* SPDX-License-Identifier: Apache-2.0 */
/* pop.c, and act.c's tnl_push before it: two "hosts" in one PMD.  Host A has a
 * guest at port 1 and the wire at port 2; what it sends there is put into host
 * B's wire port 3 byte by byte, and host B's guest is at port 4.  Tunnels are
 * ports 20 (A) and 30 (B), second ones 21 and 31. */

#include "datapath/pop.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/mem.h"
#include "lib/base/smap.h"
#include "lib/pkt/wire.h"
#include "tests/unit/datapath/pmd_env.h"

#define GUEST_A 1
#define WIRE_A 2
#define WIRE_B 3
#define GUEST_B 4
#define TNL_A 20
#define TNL_B 30

void suite_pop(void);

static struct env_bytes frame;
static uint8_t bytes[ENV_MAX_FRAME];
static struct tnl_push pushes[3];
static unsigned int n_pushes;
static const char *type_name;

static void
parse_cfg(struct tnl_cfg *cfg, const char *remote, const char *options)
{
    struct smap map;
    char *copy = strdup(options);
    char *error, *ignored;

    smap_init(&map);
    smap_set(&map, "remote_ip", remote);
    for (char *o = strtok(copy, ","); o; o = strtok(NULL, ",")) {
        char *eq = strchr(o, '=');

        *eq = '\0';
        smap_set(&map, o, eq + 1);
    }
    error = tnl_cfg_parse(tnl_type_from_name(type_name), &map, cfg, &ignored);
    if (error) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
    free(ignored);
    free(copy);
    smap_fini(&map);
}

static struct in6_addr
addr(const char *text)
{
    struct in6_addr a;
    be32 ip4;

    if (inet_pton(AF_INET, text, &ip4) == 1) {
        return flow_addr_from_ip4(ip4);
    }
    inet_pton(AF_INET6, text, &a);
    return a;
}

static void
answer_push(const struct flow_key *key, struct dp_upcall *up)
{
    (void) key;
    for (unsigned int i = 0; i < n_pushes; i++) {
        action_put_tnl_push(&up->actions, &pushes[i]);
    }
    action_put_output(&up->actions, WIRE_A);
}

static void
answer_pop(const struct flow_key *key, struct dp_upcall *up)
{
    (void) key;
    action_put_tnl_pop(&up->actions, tnl_type_from_name(type_name));
}

static void
begin(const char *type, const char *options, bool is_ip6, uint32_t caps)
{
    const char *a = is_ip6 ? "2001:db8::1" : "192.0.2.1";
    const char *b = is_ip6 ? "2001:db8::2" : "192.0.2.2";
    struct tnl_hop hop = {
        .eth_dst = { 2, 0, 0, 0, 0, 2 }, .eth_src = { 2, 0, 0, 0, 0, 1 },
        .src = addr(a), .dst = addr(b),
    };
    struct tnl_map_entry entry = { .port = TNL_B };
    struct tnl_cfg cfg;

    type_name = type;
    pmd_env_begin();
    for (uint32_t no = GUEST_A; no <= GUEST_B; no++) {
        pmd_env_add_port(no, caps, 1500);
    }
    pmd_env_add_tunnel(TNL_A, type);
    pmd_env_add_tunnel(TNL_B, type);
    parse_cfg(&cfg, b, options);
    tnl_build(&cfg, &hop, cfg.out_key, TNL_A, &pushes[0]);
    n_pushes = 1;
    parse_cfg(&entry.cfg, a, options);
    pop_set_tnl_map(tnl_map_create(&entry, 1));
    pmd_env_answer_by(GUEST_A, answer_push);
    pmd_env_answer_by(WIRE_B, answer_pop);
    pmd_env_answer(TNL_B, "4");
}

static void
make_frame(uint8_t version, uint8_t n_vlans, uint32_t payload_len)
{
    struct env_frame f = {
        .version = version, .proto = IPPROTO_UDP, .n_vlans = n_vlans,
        .payload_len = payload_len,
    };

    env_build(&f, &frame);
}

/* What A sends on its wire, put on B's.  Returns its length. */
static uint32_t
carry(unsigned int i)
{
    uint32_t len = pmd_env_bytes(i, WIRE_A, bytes, sizeof bytes);

    CU_ASSERT_FATAL(len > 0);
    pmd_env_rx(WIRE_B, bytes, len);
    return len;
}

/* The checksum of the outer IPv4 header, and of UDP or GRE where it has one;
 * whether there is one. */
static bool
check_outer(uint32_t len)
{
    const uint8_t *l3 = bytes + 14;
    bool is_ip6 = l3[0] >> 4 == 6;
    uint8_t proto = l3[is_ip6 ? 6 : 9];
    const uint8_t *l4 = l3 + (is_ip6 ? 40 : 20);
    uint32_t l4_len = len - (uint32_t) (l4 - bytes);

    if (!is_ip6) {
        CU_ASSERT_EQUAL(env_sum(0, l3, 20), 0xffff);
        CU_ASSERT_EQUAL(env_get16(l3 + 2), len - 14);
        CU_ASSERT_EQUAL(env_get16(l3 + 6), IP4_DF);
    } else {
        CU_ASSERT_EQUAL(env_get16(l3 + 4), len - 14 - 40);
    }
    if (proto == IPPROTO_UDP) {
        CU_ASSERT_EQUAL(env_get16(l4 + 4), l4_len);
        CU_ASSERT_EQUAL(env_get16(l4 + 2), 4789);
        CU_ASSERT(env_get16(l4) >= 32768);
        if (!env_get16(l4 + 6)) {
            return false;
        }
        CU_ASSERT_EQUAL(env_sum(env_pseudo_sum(l3, proto, l4_len), l4,
                                l4_len), 0xffff);
        return true;
    }
    if (!(env_get16(l4) & GRE_CSUM)) {
        return false;
    }
    CU_ASSERT_EQUAL(env_sum(0, l4, l4_len), 0xffff);
    return true;
}

static void
round_trip(const char *type, const char *options, bool is_ip6, bool has_csum)
{
    static const uint32_t lens[] = { 0, 1, 17, 600, 1300, 1301 };

    begin(type, options, is_ip6, VPORT_CAP_CHAIN);
    for (unsigned int i = 0; i < ARRAY_SIZE(lens); i++) {
        uint32_t len;

        make_frame(i & 1 ? 4 : 6, (uint8_t) (i % 3), lens[i]);
        pmd_env_rx(GUEST_A, frame.b, frame.len);
        pmd_env_run();
        len = carry(0);
        CU_ASSERT_EQUAL(check_outer(len), has_csum);
        pmd_env_run();
        CU_ASSERT_EQUAL(pmd_env_n_sent, 2);
        CU_ASSERT_EQUAL(pmd_env_bytes(1, GUEST_B, bytes, sizeof bytes),
                        frame.len);
        CU_ASSERT(!memcmp(bytes, frame.b, frame.len));
        pmd_env_forget();
    }
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
    CU_ASSERT_EQUAL(dp_port_find(TNL_A)->per_pmd[0]->c.tx_packets, 6);
    CU_ASSERT_EQUAL(dp_port_find(TNL_B)->per_pmd[0]->c.rx_packets, 6);
    pmd_env_end();
}

static void
test_round_trips(void)
{
    round_trip("vxlan", "key=77", false, false);
    round_trip("vxlan", "key=77,csum=true", false, true);
    round_trip("vxlan", "key=77", true, true);
    round_trip("gre", "", false, false);
    round_trip("gre", "key=9,csum=true", false, true);
    round_trip("gre", "key=9,seq=true", true, false);
}

/* One drop, under this reason, for whatever waits to be processed. */
static void
expect_drop(enum drop_reason reason)
{
    uint64_t before = pmd_env_n_all_drops();
    uint64_t named = pmd_env_n_drops(reason);
    unsigned int sent = pmd_env_n_sent;

    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), before + 1);
    CU_ASSERT_EQUAL(pmd_env_n_drops(reason), named + 1);
    CU_ASSERT_EQUAL(pmd_env_n_sent, sent);
}

static uint32_t
encapsulate(void)
{
    uint32_t len;

    make_frame(4, 0, 100);
    pmd_env_rx(GUEST_A, frame.b, frame.len);
    pmd_env_run();
    len = pmd_env_bytes(0, WIRE_A, bytes, sizeof bytes);
    CU_ASSERT_FATAL(len > 0);
    pmd_env_forget();
    return len;
}

static void
test_bad_outer(void)
{
    uint32_t len;

    begin("vxlan", "key=7,csum=true", false, VPORT_CAP_CHAIN);
    len = encapsulate();
    bytes[len - 1] ^= 1;        /* A payload byte. */
    pmd_env_rx(WIRE_B, bytes, len);
    expect_drop(DROP_TNL_CSUM);
    bytes[len - 1] ^= 1;
    bytes[40] ^= 0xff;          /* And the checksum itself. */
    pmd_env_rx(WIRE_B, bytes, len);
    expect_drop(DROP_TNL_CSUM);
    bytes[40] = bytes[41] = 0;  /* None at all is right. */
    pmd_env_rx(WIRE_B, bytes, len);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 1);
    pmd_env_forget();

    bytes[48] ^= 1;             /* Another VNI. */
    pmd_env_rx(WIRE_B, bytes, len);
    expect_drop(DROP_TNL_NO_PORT);
    bytes[42] = 0;              /* No VNI. */
    pmd_env_rx(WIRE_B, bytes, len);
    expect_drop(DROP_TNL_FLAGS);
    pmd_env_end();
}

/* Cut anywhere, the outer lengths being right: one drop, or a frame of what
 * there is. */
static void
test_truncation(void)
{
    uint32_t len;

    begin("gre", "key=7", false, VPORT_CAP_CHAIN);
    len = encapsulate();
    for (uint32_t cut = 34; cut < len; cut++) {
        uint64_t before = pmd_env_n_all_drops();

        env_put16(bytes + 16, cut - 14);
        pmd_env_rx(WIRE_B, bytes, cut);
        pmd_env_run();
        CU_ASSERT_EQUAL(pmd_env_n_all_drops() - before + pmd_env_n_sent, 1);
        pmd_env_forget();
    }
    pmd_env_end();
}

/* The outer ECN field is inherited, and the packet's headers stay in one
 * piece, also where its data is shared. */
static void
test_ecn(void)
{
    struct env_frame f = {
        .version = 6, .proto = IPPROTO_TCP, .payload_len = 1000,
        .tcp_flags = TCP_ACK,
    };
    uint32_t len;
    struct rte_mbuf *m;

    begin("vxlan", "key=7", false, VPORT_CAP_CHAIN);
    env_build(&f, &frame);
    frame.b[frame.l3 + 1] = 0x20;   /* ECT(0) */
    pmd_env_rx(GUEST_A, frame.b, frame.len);
    pmd_env_run();
    len = pmd_env_bytes(0, WIRE_A, bytes, sizeof bytes);
    CU_ASSERT_EQUAL(bytes[15] & 3, 2);
    pmd_env_forget();

    bytes[15] = 3;              /* CE */
    pmd_env_rx(WIRE_B, bytes, len);
    pmd_env_answer(WIRE_B, "1,tnl_pop(vxlan)");
    pmd_env_run();
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, 2);
    m = pmd_env_sent[1].m;
    CU_ASSERT_EQUAL(pmd_env_sent[1].port, GUEST_B);
    CU_ASSERT(m->data_len >= frame.payload);
    CU_ASSERT_EQUAL(pkt_data(m)[frame.l3 + 1], 0x30);
    CU_ASSERT_EQUAL(pmd_env_bytes(0, GUEST_A, frame.b, sizeof frame.b), len);
    CU_ASSERT(!memcmp(frame.b, bytes, len));
    pmd_env_forget();

    /* Of IPv4 the checksum follows. */
    make_frame(4, 0, 100);
    frame.b[frame.l3 + 1] = 1;  /* ECT(1) */
    env_put16(frame.b + frame.l3 + 10, 0);
    env_put16(frame.b + frame.l3 + 10, ~env_sum(0, frame.b + frame.l3, 20));
    pmd_env_rx(GUEST_A, frame.b, frame.len);
    pmd_env_run();
    len = pmd_env_bytes(0, WIRE_A, bytes, sizeof bytes);
    pmd_env_forget();
    bytes[15] = 3;
    pmd_env_rx(WIRE_B, bytes, len);
    pmd_env_run();
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, 2);
    m = pmd_env_sent[1].m;
    CU_ASSERT_EQUAL(pkt_data(m)[frame.l3 + 1], 3);
    CU_ASSERT_EQUAL(env_sum(0, pkt_data(m) + frame.l3, 20), 0xffff);
    pmd_env_forget();

    /* CE on what knows no ECN. */
    len = encapsulate();
    bytes[15] = 3;
    bytes[14 + 20 + 8 + 8 + 14 + 1] &= 0xfc;
    pmd_env_rx(WIRE_B, bytes, len);
    flowtable_flush(&pmd_env.flows);
    pmd_env_answer(WIRE_B, "tnl_pop(vxlan)");
    expect_drop(DROP_TNL_ECN);
    pmd_env_end();
}

/* A pop amid others: each gets the packet as it came. */
static void
test_pop_and_flood(void)
{
    uint32_t len;

    begin("vxlan", "key=7", false, VPORT_CAP_CHAIN);
    len = encapsulate();
    pmd_env_answer(WIRE_B, "tnl_pop(vxlan),1,clone(push_vlan(vid=5,pcp=0),2),"
                           "2");
    pmd_env_rx(WIRE_B, bytes, len);
    pmd_env_run();
    CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, 4);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
    for (unsigned int i = 0; i < 4; i++) {
        static uint8_t got[ENV_MAX_FRAME];
        bool is_inner = pmd_env_sent[i].port == GUEST_B;
        uint32_t got_len = pmd_env_bytes(i, pmd_env_sent[i].port, got,
                                         sizeof got);

        if (is_inner) {
            CU_ASSERT(got_len == frame.len && !memcmp(got, frame.b, got_len));
        } else if (got_len == len) {
            CU_ASSERT(!memcmp(got, bytes, len));
        } else {
            CU_ASSERT_EQUAL(got_len, len + 4);
            CU_ASSERT(!memcmp(got + 16, bytes + 12, len - 12));
        }
    }
    pmd_env_end();
}

/* Follows tunnels as deep as they go. */
static void
answer_pop_or_deliver(const struct flow_key *key, struct dp_upcall *up)
{
    if (key->nw_proto == IPPROTO_GRE) {
        answer_pop(key, up);
    } else {
        action_put_output(&up->actions, GUEST_B);
    }
}

/* So many tunnels in one another are pushed, and not one more; so many are
 * popped, and not one more. */
static void
test_nesting(void)
{
    static uint8_t got[ENV_MAX_FRAME];
    uint32_t len;

    begin("gre", "", false, VPORT_CAP_CHAIN);
    pushes[1] = pushes[2] = pushes[0];
    n_pushes = 3;
    len = encapsulate();
    CU_ASSERT_EQUAL(len, frame.len + 3 * (14 + 20 + 4));
    pmd_env_answer_by(TNL_B, answer_pop_or_deliver);
    pmd_env_rx(WIRE_B, bytes, len);
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 1);
    CU_ASSERT_EQUAL(pmd_env_bytes(0, GUEST_B, got, sizeof got), frame.len);
    CU_ASSERT(!memcmp(got, frame.b, frame.len));
    CU_ASSERT_EQUAL(dp_port_find(TNL_B)->per_pmd[0]->c.rx_packets, 3);
    pmd_env_forget();

    /* Two more around: the fifth is too deep. */
    CU_ASSERT_EQUAL(n_pushes, 3);
    flowtable_flush(&pmd_env.flows);
    n_pushes = 2;
    pmd_env_rx(GUEST_A, bytes, len);
    pmd_env_run();
    CU_ASSERT_EQUAL(carry(0), frame.len + 5 * (14 + 20 + 4));
    expect_drop(DROP_TNL_DEPTH);
    CU_ASSERT_EQUAL(dp_port_find(TNL_B)->per_pmd[0]->c.rx_packets, 3 + 4);
    pmd_env_end();
}

static void
answer_four(const struct flow_key *key, struct dp_upcall *up)
{
    action_put_tnl_push(&up->actions, &pushes[0]);
    n_pushes = 3;
    answer_push(key, up);
}

static void
test_push_too_deep(void)
{
    begin("gre", "", false, VPORT_CAP_CHAIN);
    pushes[1] = pushes[2] = pushes[0];
    pmd_env_answer_by(GUEST_A, answer_four);
    make_frame(4, 0, 100);
    pmd_env_rx(GUEST_A, frame.b, frame.len);
    expect_drop(DROP_TNL_DEPTH);
    pmd_env_end();
}

/* What a kernel's vxlan device hands over: a claim about the inner frame,
 * which is a lie about the outer one.  Also when the packet is flooded: then
 * it goes to the tunnel alone.  A lie about both is dropped. */
static void
test_inner_super_packet(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_TCP, .payload_len = 20000,
        .tcp_flags = TCP_ACK, .csum = ENV_CSUM_PARTIAL,
    };
    static const char *const answers[] = {
        "tnl_pop(vxlan)", "1,tnl_pop(vxlan)",
        "clone(push_vlan(vid=1,pcp=0),1),clone(tnl_pop(vxlan)),1", "1",
    };
    uint32_t caps = VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_TSO4;

    for (unsigned int i = 0; i < ARRAY_SIZE(answers); i++) {
        struct rte_mbuf *m;
        struct pkt_meta *md;
        uint32_t hdr_len = pushes[0].hdr_len;

        begin("vxlan", "key=7", false, caps);
        pmd_env_answer(WIRE_B, answers[i]);
        encapsulate();          /* For the headers. */
        hdr_len = pushes[0].hdr_len;
        env_build(&f, &frame);
        memcpy(bytes + hdr_len, frame.b, frame.len);
        bytes[15] = 0;          /* No ECN to inherit. */
        env_put16(bytes + 16, hdr_len - 14 + frame.len);
        env_put16(bytes + 38, hdr_len - 34 + frame.len);
        m = pmd_env_rx(WIRE_B, bytes, hdr_len + frame.len);
        md = pkt_meta(m);
        md->has_vnet = true;
        md->offered = VNET_OFFER_ALL;
        memset(&md->vnet, 0, sizeof md->vnet);
        md->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        md->vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        md->vnet.gso_size = 1400;
        md->vnet.csum_start = (uint16_t) (hdr_len + frame.l4);
        md->vnet.csum_offset = 16;
        if (i == 3) {
            /* True of nothing. */
            md->vnet.csum_start = (uint16_t) (hdr_len + frame.l3);
            expect_drop(DROP_VNET_GSO_PROTO);
        } else {
            pmd_env_run();
            CU_ASSERT_EQUAL_FATAL(pmd_env_n_sent, 1);
            CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
            md = pkt_meta(pmd_env_sent[0].m);
            CU_ASSERT_EQUAL(pmd_env_sent[0].port, GUEST_B);
            CU_ASSERT_EQUAL(md->need.gso, PKT_GSO_TCP4);
            CU_ASSERT_EQUAL(md->need.gso_size, 1400);
            CU_ASSERT_EQUAL(md->need.csum_start, frame.l4);
            CU_ASSERT_EQUAL(pmd_env_bytes(0, GUEST_B, bytes, sizeof bytes),
                            frame.len);
            CU_ASSERT(!memcmp(bytes, frame.b, frame.len));
        }
        pmd_env_end();
    }
}

/* A super-packet goes over a wire that can do nothing: segments that fit, each
 * with outer headers of its own, and at the other end the same bytes. */
static void
test_super_packet_over_wire(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_TCP, .payload_len = 30000,
        .tcp_flags = TCP_ACK | TCP_PSH, .csum = ENV_CSUM_PARTIAL,
        .gso = PKT_GSO_TCP4, .gso_size = 1448,
    };
    static uint8_t got[ENV_MAX_FRAME];
    struct rte_mbuf *m;
    unsigned int n_wire;
    uint32_t n_payload = 0;

    begin("gre", "key=1", false, VPORT_CAP_CHAIN);
    env_build(&f, &frame);
    m = pmd_env_rx(GUEST_A, frame.b, frame.len);
    pkt_meta(m)->has_vnet = true;
    pkt_meta(m)->offered = VNET_OFFER_ALL;
    pkt_meta(m)->vnet = (struct virtio_net_hdr) {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448,
        .csum_start = (uint16_t) frame.l4, .csum_offset = 16,
    };
    pmd_env_run();
    n_wire = pmd_env_n_sent;
    CU_ASSERT(n_wire > 20 && n_wire <= PKT_BURST);
    for (unsigned int i = 0; i < n_wire; i++) {
        CU_ASSERT(carry(i) <= 1514);
    }
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_sent, 2 * n_wire);
    for (unsigned int i = n_wire; i < pmd_env_n_sent; i++) {
        uint32_t len = pmd_env_bytes(i, GUEST_B, got, sizeof got);

        CU_ASSERT_FATAL(len > frame.payload);
        CU_ASSERT_EQUAL(env_sum(env_pseudo_sum(got + frame.l3, IPPROTO_TCP,
                                               len - frame.l4),
                                got + frame.l4, len - frame.l4), 0xffff);
        CU_ASSERT_EQUAL(env_get32(got + frame.l4 + 4),
                        env_get32(frame.b + frame.l4 + 4) + n_payload);
        CU_ASSERT(!memcmp(got + frame.payload,
                          frame.b + frame.payload + n_payload,
                          len - frame.payload));
        n_payload += len - frame.payload;
    }
    CU_ASSERT_EQUAL(n_payload, 30000);
    pmd_env_end();
}

void
suite_pop(void)
{
    CU_pSuite suite = CU_add_suite("pop", NULL, NULL);

    CU_add_test(suite, "round trips", test_round_trips);
    CU_add_test(suite, "bad outer headers", test_bad_outer);
    CU_add_test(suite, "truncation anywhere", test_truncation);
    CU_add_test(suite, "ECN", test_ecn);
    CU_add_test(suite, "a pop amid a flood", test_pop_and_flood);
    CU_add_test(suite, "nested tunnels", test_nesting);
    CU_add_test(suite, "pushed too deep", test_push_too_deep);
    CU_add_test(suite, "an inner super-packet", test_inner_super_packet);
    CU_add_test(suite, "a super-packet over a wire",
                test_super_packet_over_wire);
}
