/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of datapath/dpdk_tx.c and datapath/vport_dpdk.c.
 *
 * A net_ring device gives back the very mbufs that it was given, so one sees
 * what a driver would have been told. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <rte_ethdev.h>

#include "datapath/dpdk_tx.h"
#include "datapath/mem.h"
#include "datapath/pmd.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/wire.h"
#include "tests/unit/unit.h"

void suite_dpdk_tx(void);

static struct vport *port;
static struct vport_pmd *counters;
static struct pmd *pmd;
static struct dpdk_tx hw;       /* As of a NIC that does all. */

/* Calls the class's open().  Returns the sentence, or NULL. */
static char *
open_port(struct vport *vport, const char *devargs, const char *key,
          const char *value)
{
    struct vport_cfg cfg = {.name = "p0", .type = "dpdk"};
    char *error;

    memset(vport, 0, sizeof *vport);
    strcpy(vport->name, cfg.name);
    vport->port_no = 7;
    vport->class = &vport_dpdk_class;
    smap_init(&cfg.options);
    if (devargs) {
        smap_set(&cfg.options, "dpdk-devargs", devargs);
    }
    if (key) {
        smap_set(&cfg.options, key, value);
    }
    error = vport->class->open(vport, &cfg);
    smap_fini(&cfg.options);
    return error;
}

static int
set_up(void)
{
    char *error;

    unit_start_dpdk();
    error = mem_init(2048, 64);
    if (error) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    port = xzalloc(sizeof *port);
    counters = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof *counters);
    memset(counters, 0, sizeof *counters);
    pmd = xzalloc(sizeof *pmd);
    error = open_port(port, "net_ring_tx", NULL, NULL);
    if (error) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    port->per_pmd[0] = counters;
    hw.max_segs = 40;
    hw.caps = VPORT_CAP_CSUM | VPORT_CAP_TSO4 | VPORT_CAP_TSO6
              | VPORT_CAP_CHAIN;
    hw.offloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    return rte_eth_dev_get_port_by_name("net_ring_tx", &hw.port_id);
}

static int
tear_down(void)
{
    struct mem_usage u;

    port->class->close(port);
    mem_get_usage(&u);
    if (u.n_small != u.n_small_free || u.n_big != u.n_big_free
        || u.n_ind != u.n_ind_free) {
        fprintf(stderr, "packets were lost\n");
        return 1;
    }
    mem_fini();
    free(port);
    free(counters);
    free(pmd);
    return 0;
}

/* A TCP or UDP packet with 'payload' bytes, a checksum field that holds the
 * pseudo header's sum, and metadata. */
static struct rte_mbuf *
make_packet(bool is_ip6, bool is_tcp, bool has_vlan, uint16_t payload)
{
    struct rte_mbuf *m = mem_alloc_small();
    uint8_t proto = is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
    uint16_t l4_len = (uint16_t) ((is_tcp ? 32 : 8) + payload);
    uint16_t l3 = has_vlan ? 18 : 14;
    uint16_t l4 = (uint16_t) (l3 + (is_ip6 ? 40 : 20));
    uint8_t *p = (uint8_t *) rte_pktmbuf_append(m, (uint16_t) (l4 + l4_len));
    struct pkt_meta *md = pkt_meta(m);
    struct flow_key key;
    uint32_t sum;

    for (int i = 0; i < l4 + l4_len; i++) {
        p[i] = (uint8_t) (i * 37 + 1);
    }
    p[0] = 2;
    if (has_vlan) {
        memcpy(p + 12, "\x81\x00\x00\x05", 4);
    }
    memcpy(p + l3 - 2, is_ip6 ? "\x86\xdd" : "\x08\x00", 2);
    if (is_ip6) {
        struct ip6_hdr_wire *ip = (void *) (p + l3);

        ip->ver_tc_label = htonl(0x60000000);
        ip->payload_len = htons(l4_len);
        ip->next = proto;
        sum = csum_pseudo6(ip->src, ip->dst, proto, l4_len);
    } else {
        struct ip4_hdr *ip = (void *) (p + l3);

        ip->ver_ihl = 0x45;
        ip->tot_len = htons((uint16_t) (20 + l4_len));
        ip->frag = htons(IP4_DF);
        ip->proto = proto;
        ip->csum = 0;
        ip->csum = csum_finish(csum_add(0, ip, sizeof *ip));
        sum = csum_pseudo4(ip->src, ip->dst, proto, l4_len);
    }
    if (is_tcp) {
        struct tcp_hdr *tcp = (void *) (p + l4);

        tcp->ofs_flags = htons(8 << 12 | TCP_ACK);
        tcp->csum = csum_fold(sum);
    } else {
        struct udp_hdr *udp = (void *) (p + l4);

        udp->len = htons(l4_len);
        udp->csum = csum_fold(sum);
    }

    pkt_meta_init(m, 1);
    CU_ASSERT_EQUAL(parse_packet(p, m->data_len, m->pkt_len, &key, &md->ofs),
                    PARSE_OK);
    CU_ASSERT_EQUAL(md->ofs.l4, l4);
    md->need.csum = true;
    md->need.csum_start = l4;
    md->need.csum_offset = is_tcp ? 16 : 6;
    return m;
}

/* Sends it, and returns what the driver got, or NULL. */
static struct rte_mbuf *
send_one(const struct dpdk_tx *tx, struct rte_mbuf *m)
{
    uint32_t len = m->pkt_len;
    uint64_t bytes = 0;
    struct rte_mbuf *got = NULL;
    uint16_t n = dpdk_tx_burst(tx, port, 0, pmd, &m, 1, &bytes);

    CU_ASSERT_EQUAL(bytes, n ? len : 0);
    CU_ASSERT_EQUAL(rte_eth_rx_burst(tx->port_id, 0, &got, 1), n);
    return n ? got : NULL;
}

static bool
is_csum_right(const struct rte_mbuf *m, uint16_t l3, uint16_t l4,
              uint8_t proto)
{
    const uint8_t *p = pkt_data(m);
    uint32_t len = m->pkt_len - l4;
    uint32_t sum = p[l3] >> 4 == 6
                   ? csum_pseudo6(p + l3 + 8, p + l3 + 24, proto, len)
                   : csum_add(proto == 6 ? htons(6) : htons(17), p + l3 + 12,
                              8) + htons((uint16_t) len);

    return csum_fold(csum_add(sum, p + l4, len)) == 0xffff;
}

static void
test_csum_flags(void)
{
    for (int bits = 0; bits < 8; bits++) {
        bool is_ip6 = bits & 1, is_tcp = bits & 2, has_vlan = bits & 4;
        struct rte_mbuf *m = make_packet(is_ip6, is_tcp, has_vlan, 101);
        uint16_t field = *(uint16_t *) (void *) (pkt_data(m)
                                        + pkt_meta(m)->need.csum_start
                                        + pkt_meta(m)->need.csum_offset);

        m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_RSS_HASH;
        m = send_one(&hw, m);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m);
        CU_ASSERT_EQUAL(m->ol_flags,
                        (is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4)
                        | (is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM
                                  : RTE_MBUF_F_TX_UDP_CKSUM));
        CU_ASSERT_EQUAL(m->l2_len, has_vlan ? 18 : 14);
        CU_ASSERT_EQUAL(m->l3_len, is_ip6 ? 40 : 20);
        CU_ASSERT_EQUAL(field, *(uint16_t *) (void *) (pkt_data(m)
                                          + pkt_meta(m)->need.csum_start
                                          + pkt_meta(m)->need.csum_offset));
        rte_pktmbuf_free(m);
    }
}

static void
test_tso(void)
{
    for (int bits = 0; bits < 4; bits++) {
        bool is_ip6 = bits & 1, is_virtio = bits & 2;
        struct rte_mbuf *m = make_packet(is_ip6, true, false, 1500);
        struct dpdk_tx tx = hw;
        uint16_t l4 = pkt_meta(m)->need.csum_start;
        const struct tcp_hdr *tcp;
        const uint8_t *p;

        if (is_virtio) {
            tx.offloads = 0;
        }
        pkt_meta(m)->need.gso = is_ip6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
        pkt_meta(m)->need.gso_size = 700;
        m = send_one(&tx, m);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m);
        CU_ASSERT_EQUAL(m->ol_flags,
                        RTE_MBUF_F_TX_TCP_SEG
                        | (is_ip6 ? RTE_MBUF_F_TX_IPV6
                           : RTE_MBUF_F_TX_IPV4
                             | (is_virtio ? 0 : RTE_MBUF_F_TX_IP_CKSUM)));
        CU_ASSERT_EQUAL(m->l2_len, 14);
        CU_ASSERT_EQUAL(m->l3_len, l4 - 14);
        CU_ASSERT_EQUAL(m->l4_len, 32);
        CU_ASSERT_EQUAL(m->tso_segsz, 700);

        /* The pseudo header without the length; the IPv4 header's own sum 0
         * for a NIC and right for virtio. */
        p = pkt_data(m);
        tcp = (const void *) (p + l4);
        if (is_ip6) {
            CU_ASSERT_EQUAL(tcp->csum, csum_fold(csum_pseudo6(p + 22, p + 38,
                                                              6, 0)));
        } else {
            be32 src, dst;

            memcpy(&src, p + 26, 4);
            memcpy(&dst, p + 30, 4);
            CU_ASSERT_EQUAL(tcp->csum, csum_fold(csum_pseudo4(src, dst, 6,
                                                              0)));
            CU_ASSERT_EQUAL(csum_fold(csum_add(0, p + 14, 20)) == 0xffff,
                            is_virtio);
        }
        rte_pktmbuf_free(m);
    }
}

/* What the driver has no words for is summed up here. */
static void
test_software(void)
{
    for (int way = 0; way < 3; way++) {
        bool is_tcp = way != 1;
        struct rte_mbuf *m = make_packet(false, is_tcp, true, 333);
        struct dpdk_tx tx = hw;

        if (way == 0) {         /* A device that does nothing. */
            tx.caps = 0;
        } else {                /* A checksum inside of a tunnel of ours. */
            pkt_meta(m)->n_encaps = 1;
            memset(&pkt_meta(m)->encaps[0], 0, sizeof(struct pkt_encap));
        }
        m = send_one(&tx, m);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m);
        CU_ASSERT_EQUAL(m->ol_flags, 0);
        CU_ASSERT_TRUE(is_csum_right(m, 18, 38, is_tcp ? 6 : 17));
        rte_pktmbuf_free(m);
    }

    /* A super-packet that cannot be told is not sent wrong. */
    struct rte_mbuf *m = make_packet(false, false, false, 1000);

    pkt_meta(m)->need.gso = PKT_GSO_USO;
    pkt_meta(m)->need.gso_size = 100;
    CU_ASSERT_PTR_NULL(send_one(&hw, m));
    CU_ASSERT_EQUAL(counters->c.drops[DROP_TX_ERROR], 1);
}

/* A flood's other copies do not see what is written for the driver. */
static void
test_shared(void)
{
    struct rte_mbuf *m = make_packet(false, true, false, 1500);
    struct rte_mbuf *copy;
    uint8_t before[200];

    pkt_meta(m)->need.gso = PKT_GSO_TCP4;
    pkt_meta(m)->need.gso_size = 500;
    copy = pkt_clone(m);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    pkt_read(copy, 0, sizeof before, before);
    m = send_one(&hw, m);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_EQUAL(memcmp(pkt_data(copy), before, sizeof before), 0);
    CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG,
                    RTE_MBUF_F_TX_TCP_SEG);
    rte_pktmbuf_free(m);
    rte_pktmbuf_free(copy);
}

/* Runts are dropped, long chains become one buffer, a full queue is counted;
 * the neighbours get through. */
static void
test_burst(void)
{
    enum { N = 32 };
    struct rte_mbuf *pkts[N], *got[N];
    struct dpdk_tx tx = hw;
    uint64_t bytes = 0;
    uint16_t n, n_got;

    memset(&counters->c, 0, sizeof counters->c);
    tx.max_segs = 1;
    for (int i = 0; i < N; i++) {
        pkts[i] = make_packet(false, true, false, 100);
        memset(&pkt_meta(pkts[i])->need, 0, sizeof(struct pkt_need));
    }
    rte_pktmbuf_trim(pkts[5], (uint16_t) (pkts[5]->pkt_len - 13));
    rte_pktmbuf_chain(pkts[7], mem_alloc_small());
    rte_pktmbuf_append(pkts[7], 50);
    n = dpdk_tx_burst(&tx, port, 0, pmd, pkts, N, &bytes);
    CU_ASSERT_EQUAL(n, N - 1);
    CU_ASSERT_EQUAL(bytes, (N - 1) * 166 + 50);
    CU_ASSERT_EQUAL(counters->c.drops[DROP_TX_ERROR], 1);
    n_got = rte_eth_rx_burst(tx.port_id, 0, got, N);
    CU_ASSERT_EQUAL(n_got, N - 1);
    for (int i = 0; i < n_got; i++) {
        CU_ASSERT_EQUAL(got[i]->nb_segs, 1);
    }
    rte_pktmbuf_free_bulk(got, n_got);

    /* The ring holds 1023 at most. */
    uint64_t n_sent = 0, n_all = 0;

    for (int round = 0; round < 40; round++) {
        for (n = 0; n < N; n++) {
            pkts[n] = mem_alloc_small();
            CU_ASSERT_PTR_NOT_NULL_FATAL(pkts[n]);
            rte_pktmbuf_append(pkts[n], 60);
            pkt_meta_init(pkts[n], 1);
        }
        n_all += n;
        n_sent += dpdk_tx_burst(&tx, port, 0, pmd, pkts, n, &bytes);
    }
    CU_ASSERT_EQUAL(n_sent, 1023);
    CU_ASSERT_EQUAL(n_all - n_sent, counters->c.drops[DROP_TX_FULL]);
    while ((n_got = rte_eth_rx_burst(tx.port_id, 0, got, N)) > 0) {
        rte_pktmbuf_free_bulk(got, n_got);
    }
}

/* The class itself: what it refuses, and in which words. */
static void
test_refused(void)
{
    static const struct {
        const char *devargs, *key, *value, *part;
    } cases[] = {
        {NULL, NULL, NULL, "dpdk-devargs is missing"},
        {"", NULL, NULL, "dpdk-devargs is missing"},
        {"nonsense", NULL, NULL, "dpdk-devargs \"nonsense\""},
        {"net_ring_tx", NULL, NULL, "another port already"},
        {"net_null9", "n_rxq", "0", "options:n_rxq is \"0\""},
        {"net_null9", "n_rxq", "many", "options:n_rxq is \"many\""},
        {"net_ring9", "n_rxq", "64", "at most 16"},
        {"net_null9", "n_rxq_desc", "0", "options:n_rxq_desc"},
        {"net_null9", "n_txq_desc", "99999", "options:n_txq_desc"},
    };
    struct vport *v = xzalloc(sizeof *v);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *error = open_port(v, cases[i].devargs, cases[i].key,
                                cases[i].value);

        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        CU_ASSERT_PTR_NOT_NULL(strstr(error, cases[i].part));
        CU_ASSERT_EQUAL(strncmp(error, "p0: ", 4), 0);
        free(error);
    }
    free(v);
}

/* Opened, closed and opened again; what goes out comes back in. */
static void
test_class(void)
{
    struct vport *v = xzalloc(sizeof *v);

    for (int round = 0; round < 2; round++) {
        struct rte_mbuf *m, *got[PKT_BURST];
        struct vport_status status;
        uint64_t bytes = 0;
        char *error = open_port(v, "net_ring9", "n_rxq_desc", "512");

        CU_ASSERT_PTR_NULL_FATAL(error);
        v->per_pmd[0] = counters;
        CU_ASSERT_EQUAL(v->n_rxq, 1);
        CU_ASSERT_TRUE(v->n_txq >= 1);
        CU_ASSERT_EQUAL(v->mtu, 1500);
        CU_ASSERT_EQUAL(v->class->rx_fd(v, 0), -1);

        m = make_packet(false, true, false, 10);
        CU_ASSERT_EQUAL(v->class->tx(v, 0, pmd, &m, 1, &bytes), 1);
        CU_ASSERT_EQUAL(bytes, 76);
        CU_ASSERT_EQUAL(v->class->rx(v, 0, pmd, got, PKT_BURST), 1);
        CU_ASSERT_EQUAL(pkt_meta(got[0])->in_port, 7);
        CU_ASSERT_FALSE(pkt_meta(got[0])->has_vnet);
        CU_ASSERT_FALSE(pkt_meta(got[0])->need.csum);
        CU_ASSERT_TRUE(is_csum_right(got[0], 14, 34, 6));
        rte_pktmbuf_free(got[0]);

        memset(&status, 0, sizeof status);
        smap_init(&status.status);
        v->class->get_status(v, &status);
        CU_ASSERT_EQUAL(status.admin_up, VPORT_YES);
        CU_ASSERT_EQUAL(status.mtu, 1500);
        CU_ASSERT_STRING_EQUAL(smap_get_def(&status.status, "driver_name",
                                            ""), "net_ring");
        smap_fini(&status.status);
        v->class->close(v);
    }
    free(v);
}

void
suite_dpdk_tx(void)
{
    CU_pSuite suite = CU_add_suite("dpdk_tx", set_up, tear_down);

    CU_add_test(suite, "checksum flags", test_csum_flags);
    CU_add_test(suite, "TCP segmentation", test_tso);
    CU_add_test(suite, "checksums in software", test_software);
    CU_add_test(suite, "shared headers", test_shared);
    CU_add_test(suite, "bursts", test_burst);
    CU_add_test(suite, "what is refused", test_refused);
    CU_add_test(suite, "open and close", test_class);
}
