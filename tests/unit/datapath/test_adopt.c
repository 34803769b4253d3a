/* SPDX-License-Identifier: Apache-2.0 */
/* adopt.c: a guest's own tunnel super-packet goes from port 1 to port 2, which
 * can do nothing.  What leaves is compared with the naive model's segments,
 * each behind outer headers that are right; and lies about what is inside
 * still cost the packet, under their names. */

#include "datapath/adopt.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/pkt/wire.h"
#include "tests/unit/datapath/pmd_env.h"
#include "tests/unit/datapath/ref_offload.h"

#define GUEST 1
#define UPLINK 2
#define OTHER 3
#define MTU 1500

void suite_adopt(void);

static struct env_bytes inner;
static uint8_t bytes[ENV_MAX_FRAME], got[ENV_MAX_FRAME];
static uint32_t len, hdr_len;
static struct virtio_net_hdr vnet;

/* The outer headers as a guest's tunnel device writes them, with a tag or not;
 * the inner frame; and the claim. */
static void
make(const struct env_tnl *t, bool has_vlan, const struct env_frame *f)
{
    struct env_tnl tnl = *t;
    struct rte_mbuf *m;
    uint8_t *l3, *l4;

    dpdk_env_start();
    env_build(f, &inner);
    m = env_packet(f, &inner, SHAPE_BIG);
    m = env_encap(m, &tnl, GUEST);
    if (has_vlan) {
        m = pkt_gap(m, 12, 4);
        env_put32(pkt_data(m) + 12, 0x81000000u + 7);
    }
    len = dpdk_env_bytes(m, bytes, sizeof bytes);
    rte_pktmbuf_free(m);
    hdr_len = len - inner.len;

    l3 = bytes + (has_vlan ? 18 : 14);
    l4 = l3 + (t->is_ip6 ? 40 : 20);
    memset(bytes, 0x02, 12);
    if (t->is_ip6) {
        env_put16(l3 + 4, (uint32_t) (len - (uint32_t) (l4 - bytes)));
    } else {
        env_put16(l3 + 2, (uint32_t) (len - (uint32_t) (l3 - bytes)));
        env_put16(l3 + 10, 0);
        env_put16(l3 + 10, ~env_sum(0, l3, 20));
    }
    if (!t->is_gre) {
        env_put16(l4 + 4, (uint32_t) (len - (uint32_t) (l4 - bytes)));
        /* A sum that is not finished, as a kernel leaves it. */
        env_put16(l4 + 6, t->csum ? 0x1234 : 0);
    }
    memset(&vnet, 0, sizeof vnet);
    vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    vnet.gso_type = f->proto == IPPROTO_UDP ? 5     /* UDP_L4 */
                    : f->version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                      : VIRTIO_NET_HDR_GSO_TCPV6;
    vnet.gso_size = f->gso_size;
    vnet.csum_start = (uint16_t) (hdr_len + inner.l4);
    vnet.csum_offset = f->proto == IPPROTO_UDP ? 6 : 16;
}

static void
begin(uint32_t caps, const char *actions)
{
    pmd_env_begin();
    for (uint32_t no = GUEST; no <= OTHER; no++) {
        pmd_env_add_port(no, caps, MTU);
    }
    pmd_env_answer(GUEST, actions);
}

static void
rx(void)
{
    struct pkt_meta *md = pkt_meta(pmd_env_rx(GUEST, bytes, len));

    md->has_vnet = true;
    md->offered = VNET_OFFER_ALL;
    md->vnet = vnet;
}

/* What is asked of the outer headers beside env_strip(). */
struct outer {
    struct env_tnl tnl;
    bool has_vlan;
    uint8_t ttl;
    uint8_t eth_dst;            /* Its last byte. */
};

/* Compares one packet of a wire with one segment. */
static bool
check_segment(const struct outer *o, const struct ref_frame *want,
              uint32_t n, bool is_train)
{
    struct env_tnl t = o->tnl;
    uint32_t at, tag = o->has_vlan ? 4 : 0;
    const char *error;

    if (n - 14 - tag > MTU) {
        fprintf(stderr, "longer than the MTU: %u\n", n);
        return false;
    }
    if (o->has_vlan) {
        if (env_get32(got + 12) != 0x81000007) {
            fprintf(stderr, "no tag\n");
            return false;
        }
        memmove(got + 4, got, 12);
    }
    t.csum |= is_train;
    at = env_strip(&t, got + tag, n - tag, &error);
    if (!at || got[tag + 14 + (t.is_ip6 ? 7 : 8)] != o->ttl
        || got[tag + 5] != o->eth_dst) {
        fprintf(stderr, "outer: %s\n", at ? "TTL or MAC" : error);
        return false;
    }
    at += tag;
    /* Two zeros are one. */
    if (env_get16(got + at + inner.csum_ofs) % 0xffff
        == env_get16(want->b + inner.csum_ofs) % 0xffff) {
        memcpy(want->b + inner.csum_ofs, got + at + inner.csum_ofs, 2);
    }
    if (n - at != want->len || memcmp(got + at, want->b, want->len)) {
        fprintf(stderr, "inner: %u bytes, not %u, or others\n", n - at,
                want->len);
        return false;
    }
    return true;
}

/* All that was sent to 'port' is the inner frame's segments in order. */
static void
check_sent(const struct outer *o, const struct env_frame *f, uint32_t port,
           unsigned int n_expected)
{
    uint32_t room = MTU - env_tnl_len(&o->tnl) - 14 - 4u * f->n_vlans;
    const struct ref *ref = ref_offload(f, &inner, room, 0);
    unsigned int n = 0, n_packets = 0;

    CU_ASSERT_EQUAL_FATAL(ref->fate, REF_SENT);
    CU_ASSERT(ref->n > 1);
    for (unsigned int i = 0; i < pmd_env_n_sent; i++) {
        const struct rte_mbuf *m = pmd_env_sent[i].m;
        const char *error = NULL;
        uint32_t piece_len;

        if (pmd_env_sent[i].port != port) {
            continue;
        }
        n_packets++;
        for (unsigned int j = 0; env_piece(m, j, got, &piece_len, &error);
             j++, n++) {
            CU_ASSERT_FATAL(n < ref->n);
            CU_ASSERT_FATAL(check_segment(o, &ref->frames[n], piece_len,
                                          pkt_meta(m)->need.gso));
        }
        CU_ASSERT_PTR_NULL(error);
    }
    CU_ASSERT_EQUAL(n, ref->n);
    CU_ASSERT_EQUAL(n_packets, n_expected ? n_expected : ref->n);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 0);
}

static const struct env_tnl tunnels[] = {
    { .df = true },
    { .csum = true, .df = true },
    { .csum = true },                           /* DF is clear. */
    { .is_ip6 = true, .csum = true, .df = true },
    { .is_gre = true, .df = true },
    { .is_gre = true, .key = true, .df = true },
    { .is_gre = true, .is_ip6 = true, .key = true, .df = true },
};

static struct env_frame
make_super(uint8_t version, uint8_t proto, uint16_t gso_size)
{
    return (struct env_frame) {
        .version = version, .proto = proto, .payload_len = 20000,
        .tcp_flags = TCP_ACK | TCP_PSH, .tcp_options = 12, .frag = IP4_DF,
        .csum = ENV_CSUM_PARTIAL, .gso_size = gso_size,
        .gso = proto == IPPROTO_UDP ? PKT_GSO_USO
               : version == 4 ? PKT_GSO_TCP4 : PKT_GSO_TCP6,
    };
}

/* Each kind of tunnel around each kind of packet, towards a port that can do
 * nothing. */
static void
test_kinds(void)
{
    dpdk_env_seed(1);
    for (unsigned int i = 0; i < ARRAY_SIZE(tunnels); i++) {
        for (unsigned int j = 0; j < 24; j++) {
            struct env_frame f = make_super(j & 1 ? 4 : 6,
                                            j & 2 ? IPPROTO_UDP : IPPROTO_TCP,
                                            j & 4 ? 1000 : 1300);
            struct outer o = { tunnels[i], j & 8, 64, 2 };

            if (j >= 16) {
                f.n_vlans = 1;
            }
            begin(VPORT_CAP_CHAIN, "2");
            make(&o.tnl, o.has_vlan, &f);
            rx();
            pmd_env_run();
            check_sent(&o, &f, UPLINK, 0);
            pmd_env_end();
        }
    }
}

/* More than the path allows is asked for: TCP is cut smaller, and there is no
 * answer to anybody. */
static void
test_too_big(void)
{
    struct env_frame f = make_super(4, IPPROTO_TCP, 1460);
    struct outer o = { tunnels[1], false, 64, 2 };

    begin(VPORT_CAP_CHAIN, "2");
    make(&o.tnl, false, &f);
    rx();
    pmd_env_run();
    check_sent(&o, &f, UPLINK, 0);
    pmd_env_end();

    f = make_super(6, IPPROTO_UDP, 1460);
    begin(VPORT_CAP_CHAIN, "2");
    make(&o.tnl, false, &f);
    rx();
    pmd_env_run();
    CU_ASSERT_EQUAL(pmd_env_n_drops(DROP_TOO_BIG), 1);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 1);
    CU_ASSERT_EQUAL(pmd_env_n_sent, 0);
    CU_ASSERT_EQUAL(dp_port_find(UPLINK)->per_pmd[0]->c.icmp_too_big, 0);
    pmd_env_end();
}

/* A port that takes trains gets one. */
static void
test_train(void)
{
    uint32_t caps = VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_USO
                    | VPORT_CAP_TRAIN;

    dpdk_env_seed(2);
    for (unsigned int i = 0; i < ARRAY_SIZE(tunnels); i++) {
        struct env_frame f = make_super(4, IPPROTO_TCP, 1000);
        struct outer o = { tunnels[i], i & 1, 64, 2 };

        begin(caps, "2");
        make(&o.tnl, o.has_vlan, &f);
        rx();
        pmd_env_run();
        check_sent(&o, &f, UPLINK, o.tnl.is_gre ? 0 : 1);
        pmd_env_end();
    }
}

static void
answer_set(const struct flow_key *key, struct dp_upcall *up)
{
    static const uint8_t mac[6] = { 2, 2, 2, 2, 2, 9 };
    static const uint8_t ones[6] = { 255, 255, 255, 255, 255, 255 };
    static const uint8_t ttl = 33;

    (void) key;
    action_put_set(&up->actions, offsetof(struct flow_key, dl_dst), 6, mac,
                   ones);
    action_put_set(&up->actions, offsetof(struct flow_key, nw_ttl), 1, &ttl,
                   ones);
    action_put_output(&up->actions, UPLINK);
}

/* The flow is about the outer headers: what it sets is there, and the inner
 * frame stays as it is.  Also flooded, with a tag of the switch's on one. */
static void
test_actions(void)
{
    dpdk_env_seed(3);
    for (unsigned int i = 0; i < ARRAY_SIZE(tunnels); i++) {
        for (uint8_t version = 4; version <= 6; version += 2) {
            struct env_frame f = make_super(version, IPPROTO_TCP, 1000);
            struct outer o = { tunnels[i], false, 33, 9 };

            begin(VPORT_CAP_CHAIN, NULL);
            pmd_env_answer_by(GUEST, answer_set);
            make(&o.tnl, false, &f);
            rx();
            pmd_env_run();
            check_sent(&o, &f, UPLINK, 0);
            pmd_env_end();

            o.ttl = 64;
            o.eth_dst = 2;
            begin(VPORT_CAP_CHAIN, "3,push_vlan(vid=7,pcp=0),2");
            make(&o.tnl, false, &f);
            rx();
            pmd_env_run();
            check_sent(&o, &f, OTHER, 0);
            o.has_vlan = true;
            check_sent(&o, &f, UPLINK, 0);
            pmd_env_end();

            begin(VPORT_CAP_CHAIN, "pop_vlan,2");
            make(&o.tnl, true, &f);
            rx();
            pmd_env_run();
            o.has_vlan = false;
            check_sent(&o, &f, UPLINK, 0);
            pmd_env_end();
        }
    }
}

/* Spoils a good packet in the 'way'-th way. */
#define N_WAYS 22
static void
spoil(unsigned int way, bool is_gre, bool is_ip6)
{
    uint8_t *l3 = bytes + 14, *l4 = l3 + (is_ip6 ? 40 : 20);
    uint8_t *ip = bytes + hdr_len + inner.l3;

    switch (way) {
    case 0: vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV6; break;
    case 1: vnet.gso_type = VIRTIO_NET_HDR_GSO_UDP; break;
    case 2: vnet.gso_size = 0; break;
    case 3: vnet.csum_start = (uint16_t) (vnet.csum_start - 2); break;
    case 4: vnet.csum_start = (uint16_t) (hdr_len - 1); break;
    case 5: vnet.csum_start = 0xffff; break;
    case 6: vnet.csum_offset = 6; break;
    case 7: vnet.gso_size = 1; break;           /* 20000 segments. */
    case 8: vnet.gso_size = 60000; break;       /* None. */
    case 9: ip[9] = IPPROTO_UDP; break;
    case 10: ip[0] = 0x44; break;
    case 11: env_put16(ip + 2, 0xffff); break;
    case 12: ip[6] |= 0x20; break;              /* An inner fragment. */
    case 13: bytes[hdr_len + inner.l4 + 13] |= TCP_SYN; break;
    case 14: bytes[hdr_len + inner.l4 + 12] = 0x40; break;
    case 15: vnet.gso_type |= 0x40; break;
    case 16:
        if (is_gre) {
            env_put16(l4, env_get16(l4) | GRE_SEQ);
        } else {
            l4[8] = 0;                          /* No VNI. */
        }
        break;
    case 17:
        if (is_gre) {
            env_put16(l4, env_get16(l4) | GRE_CSUM);
        } else {
            env_put16(l4 + 2, 4790);
        }
        break;
    case 18:
        if (!is_ip6) {
            l3[6] |= 0x20;                      /* First fragment. */
        }
        break;
    case 19:
        if (!is_ip6) {
            env_put16(l3 + 6, 185);             /* A later one. */
        }
        break;
    case 20:
        /* It ends in the tunnel header. */
        len = (uint32_t) (l4 - bytes) + (is_gre ? 1 : 9);
        if (is_ip6) {
            env_put16(l3 + 4, len - 54);
        } else {
            env_put16(l3 + 2, len - 14);
        }
        if (!is_gre) {
            env_put16(l4 + 4, 9);
        }
        break;
    case 21:
        if (!is_ip6) {
            memmove(l3 + 24, l3 + 20, len - 34);
            memset(l3 + 20, 1, 4);              /* Options. */
            l3[0] = 0x46;
            len += 4;
            env_put16(l3 + 2, len - 14);
            vnet.csum_start = (uint16_t) (vnet.csum_start + 4);
        }
        break;
    default: abort();
    }
}

/* One hostile packet costs that one, and its name is a lie's. */
static void
test_lies(void)
{
    struct env_frame f = make_super(4, IPPROTO_TCP, 1000);

    dpdk_env_seed(4);
    for (unsigned int i = 0; i < ARRAY_SIZE(tunnels); i++) {
        const struct env_tnl *t = &tunnels[i];

        for (unsigned int way = 0; way < N_WAYS; way++) {
            uint64_t n_lies = 0;

            make(t, false, &f);
            spoil(way, t->is_gre, t->is_ip6);
            if (t->is_ip6 && (way == 18 || way == 19 || way == 21)) {
                continue;       /* Not of IPv6. */
            }
            begin(VPORT_CAP_CHAIN, "2");
            rx();
            pmd_env_run();
            for (int lie = VNET_OK + 1; lie < VNET_N_STATUS; lie++) {
                n_lies += pmd_env_n_drops(drop_from_vnet(
                                              (enum vnet_status) lie));
            }
            if (n_lies != 1 || pmd_env_n_all_drops() != 1
                || pmd_env_n_sent) {
                fprintf(stderr, "tunnel %u, way %u: %u lies, %u drops, %u"
                        " sent\n", i, way, (unsigned int) n_lies,
                        (unsigned int) pmd_env_n_all_drops(),
                        pmd_env_n_sent);
                CU_FAIL("lie");
            }
            pmd_env_end();
        }
    }
}

/* Nothing is wrong with these, but the offload stage could not write them
 * anew for each segment. */
static void
test_refused(void)
{
    static const struct env_tnl refused[] = {
        { .is_gre = true, .seq = true, .df = true },
        { .is_gre = true, .csum = true, .df = true },
        { .is_gre = true, .is_ip6 = true, .seq = true, .key = true },
    };
    struct env_frame f = make_super(4, IPPROTO_TCP, 1000);

    dpdk_env_seed(5);
    for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++) {
        make(&refused[i], false, &f);
        begin(VPORT_CAP_CHAIN, "2");
        rx();
        pmd_env_run();
        CU_ASSERT_EQUAL(pmd_env_n_drops(DROP_VNET_GSO_PROTO), 1);
        CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 1);
        CU_ASSERT_EQUAL(pmd_env_n_sent, 0);
        pmd_env_end();
    }
}

void
suite_adopt(void)
{
    CU_pSuite suite = CU_add_suite("adopt", NULL, NULL);

    CU_add_test(suite, "each kind of tunnel and packet", test_kinds);
    CU_add_test(suite, "more than fits", test_too_big);
    CU_add_test(suite, "as a train", test_train);
    CU_add_test(suite, "actions of the flow", test_actions);
    CU_add_test(suite, "lies", test_lies);
    CU_add_test(suite, "what cannot be written anew", test_refused);
}
