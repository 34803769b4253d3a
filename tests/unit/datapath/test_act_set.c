/* SPDX-License-Identifier: Apache-2.0 */
/* act_set.c: random fields of random packets.  What the parser reads from the
 * result must be the old key with the new bits; each checksum must be as right
 * or as wrong as it was; and no other byte may have changed. */

#include "datapath/act_set.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>

#include "lib/pkt/wire.h"
#include "tests/unit/datapath/egress_env.h"

void suite_act_set(void);

static struct env_bytes frame;
static uint8_t before[ENV_MAX_FRAME], after[ENV_MAX_FRAME];

#define FIRST_PORT offsetof(struct flow_key, tp_src)
#define LAST_PORT offsetof(struct flow_key, tp_dst)

#define FIELD(NAME) { #NAME, offsetof(struct flow_key, NAME),                 \
                      sizeof ((struct flow_key *) 0)->NAME }
static const struct {
    const char *name;
    uint16_t ofs;
    uint8_t n;
} fields[] = {
    FIELD(dl_src), FIELD(dl_dst), FIELD(vlan_tci0), FIELD(nw_src),
    FIELD(nw_dst), FIELD(nw_tos), FIELD(nw_ttl), FIELD(ipv6_src),
    FIELD(ipv6_dst), FIELD(ipv6_label), FIELD(tp_src), FIELD(tp_dst),
    FIELD(arp_sha), FIELD(arp_tha), FIELD(nd_target),
};

/* SCTP's CRC32c bit by bit. */
static uint32_t
plain_crc(const uint8_t *p, uint32_t n)
{
    uint32_t crc = 0xffffffff;

    for (uint32_t i = 0; i < n; i++) {
        crc ^= i >= 8 && i < 12 ? 0 : p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static uint32_t
load_le32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t) p[3] << 24;
}

/* What is wrong with the L4 checksum of the frame at 'b': a number that must
 * not change. */
static uint32_t
l4_error(const uint8_t *b, const struct pkt_meta *md,
         const struct flow_key *key)
{
    const struct pkt_ofs *ofs = &md->ofs;
    const uint8_t *l4 = b + ofs->l4;
    uint32_t len = ofs->l3_end - ofs->l4;
    uint32_t sum;

    switch (ofs->l4 == PKT_OFS_NONE ? 255 : key->nw_proto) {
    case IPPROTO_SCTP:
        return md->need.csum ? load_le32(l4 + 8)
                             : load_le32(l4 + 8) ^ plain_crc(l4, len);
    case IPPROTO_UDP:
        if (!env_get16(l4 + 6)) {
            return 0x10000;
        }
        sum = env_pseudo_sum(b + ofs->l3, IPPROTO_UDP, len);
        break;
    case IPPROTO_TCP:
    case IPPROTO_ICMPV6:
        sum = env_pseudo_sum(b + ofs->l3, key->nw_proto, len);
        break;
    case IPPROTO_ICMP:
        sum = 0;
        break;
    default:
        return 0;
    }
    if (md->need.csum) {
        uint32_t field = env_get16(b + md->need.csum_start
                                   + md->need.csum_offset);

        return (field + 0xffff - sum % 0xffff) % 0xffff;
    }
    return env_sum(sum, l4, len) % 0xffff;
}

static uint32_t
ip4_error(const uint8_t *b, const struct pkt_meta *md)
{
    const uint8_t *ip = b + md->ofs.l3;

    return env_sum(0, ip, (ip[0] & 15u) * 4);
}

static void
finish_sctp(uint32_t l4, uint32_t end)
{
    uint32_t crc = plain_crc(frame.b + l4, end - l4);

    for (int i = 0; i < 4; i++) {
        frame.b[l4 + 8 + (uint32_t) i] = (uint8_t) (crc >> (8 * i));
    }
}

/* Turns a frame of protocol 255, whose payload is free, into SCTP. */
static void
make_sctp(void)
{
    frame.payload = frame.l4 + 12;
    finish_sctp(frame.l4, frame.end);
}

/* Neighbour discovery with both options, in any order. */
static void
make_nd(void)
{
    uint8_t *p = frame.b + frame.l4;
    uint32_t len = frame.end - frame.l4;
    int first = dpdk_env_range(0, 1) ? 1 : 2;

    p[0] = (uint8_t) dpdk_env_range(135, 136);
    p[1] = 0;
    p[24] = 14;                 /* A nonce. */
    p[25] = 1;
    p[32] = (uint8_t) first;
    p[33] = 1;
    p[40] = (uint8_t) (3 - first);
    p[41] = 1;
    frame.payload = frame.end;
    env_put16(p + 2, 0);
    env_put16(p + 2, ~env_sum(env_pseudo_sum(frame.b + frame.l3,
                                             IPPROTO_ICMPV6, len), p, len));
}

static void
make_arp(struct env_frame *f)
{
    uint8_t *arp = frame.b + frame.l3;

    env_put16(frame.b + frame.l3 - 2, ETH_TYPE_ARP);
    dpdk_env_fill(arp, 28);
    memcpy(arp, "\0\1\10\0\6\4\0", 7);
    arp[7] = (uint8_t) dpdk_env_range(1, 2);
    if (!dpdk_env_range(0, 9)) {
        arp[4] = 8;             /* Addresses that we do not know. */
    }
    frame.payload = frame.l3 + 28;
    frame.len = frame.payload + (f->padding = 18);
}

static struct rte_mbuf *
random_packet(void)
{
    static const uint8_t protos[] = {
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP, 255,
    };
    bool is_ip6 = dpdk_env_range(0, 1);
    uint8_t proto = protos[dpdk_env_range(0, ARRAY_SIZE(protos) - 1)];
    struct env_frame f = {
        .version = is_ip6 ? 6 : 4,
        .proto = proto == IPPROTO_SCTP ? 255
                 : is_ip6 && proto == IPPROTO_ICMP ? IPPROTO_ICMPV6 : proto,
        .n_vlans = (uint8_t) dpdk_env_range(0, 2),
        .ip4_options = (uint8_t) (4 * dpdk_env_range(0, 3)),
        .hop_by_hop = dpdk_env_range(0, 3) == 0,
        .routing = dpdk_env_range(0, 3) == 0,
        .dest_options = dpdk_env_range(0, 3) == 0,
        .tcp_flags = TCP_ACK,
        .payload_len = dpdk_env_range(48, 900),
        .padding = dpdk_env_range(0, 7),
        .csum = dpdk_env_range(0, 2),
    };
    bool is_nd = f.proto == IPPROTO_ICMPV6 && dpdk_env_range(0, 1);
    bool is_arp = !dpdk_env_range(0, 7);

    if (proto == IPPROTO_SCTP || f.proto == 255) {
        f.csum = ENV_CSUM_FULL;
    }
    if (is_nd || is_arp) {
        f.csum = ENV_CSUM_FULL;
        f.payload_len = 40;
        f.padding = 0;
    }
    env_build(&f, &frame);
    if (is_arp) {
        make_arp(&f);
    } else if (is_nd) {
        make_nd();
    } else if (proto == IPPROTO_SCTP) {
        uint32_t next = is_ip6 ? frame.unfrag_next : frame.l3 + 9;

        if (!is_ip6 || !f.dest_options) {
            frame.b[next] = IPPROTO_SCTP;
            make_sctp();
            if (!is_ip6) {
                env_put16(frame.b + frame.l3 + 10, 0);
                env_put16(frame.b + frame.l3 + 10,
                          ~env_sum(0, frame.b + frame.l3,
                                   frame.l4 - frame.l3));
            }
        }
    } else if (proto == IPPROTO_UDP && f.csum == ENV_CSUM_FULL
               && !dpdk_env_range(0, 3)) {
        env_put16(frame.b + frame.l4 + 6, 0);
    }
    return env_packet(&f, &frame, dpdk_env_range(0, N_SHAPES - 1));
}

/* Whether a packet with 'key' has the field, and the bits of it that a mask
 * may change. */
static bool
has_field(const struct flow_key *key, unsigned int field, uint8_t mask[16])
{
    bool is_ip4 = key->dl_type == htons(ETH_TYPE_IP4);
    bool is_ip6 = key->dl_type == htons(ETH_TYPE_IP6);
    bool is_arp = key->dl_type == htons(ETH_TYPE_ARP) && key->nw_proto;

    switch (fields[field].ofs) {
    case offsetof(struct flow_key, vlan_tci0):
        mask[0] &= 0xef;
        return key->vlan_tci0;
    case offsetof(struct flow_key, nw_src):
    case offsetof(struct flow_key, nw_dst):
        return is_ip4 || is_arp;
    case offsetof(struct flow_key, nw_tos):
    case offsetof(struct flow_key, nw_ttl):
        return is_ip4 || is_ip6;
    case offsetof(struct flow_key, ipv6_label):
        mask[0] = 0;
        mask[1] &= 0x0f;
        return is_ip6;
    case offsetof(struct flow_key, ipv6_src):
    case offsetof(struct flow_key, ipv6_dst):
        return is_ip6;
    case offsetof(struct flow_key, tp_src):
    case offsetof(struct flow_key, tp_dst):
        if (key->nw_proto == IPPROTO_ICMP
            || key->nw_proto == IPPROTO_ICMPV6) {
            mask[0] = 0;
        }
        return flow_key_has_ports(key);
    case offsetof(struct flow_key, arp_sha):
    case offsetof(struct flow_key, arp_tha):
        return is_arp || flow_key_is_nd(key);
    case offsetof(struct flow_key, nd_target):
        return flow_key_is_nd(key);
    default:
        return true;
    }
}

static void
random_set(struct action_set *set, unsigned int field)
{
    memset(set, 0, sizeof *set);
    set->head.type = ACTION_SET;
    set->head.len = sizeof *set;
    set->ofs = fields[field].ofs;
    set->n = fields[field].n;
    dpdk_env_fill(set->value, set->n);
    dpdk_env_fill(set->mask, set->n);
    if (dpdk_env_range(0, 1)) {
        memset(set->mask, 0xff, set->n);
    }
    if (!dpdk_env_range(0, 5)) {
        memset(set->value, dpdk_env_range(0, 1) ? 0 : 0xff, set->n);
    }
}

static bool
read_key(struct rte_mbuf *m, struct flow_key *key, struct pkt_ofs *ofs)
{
    return parse_packet(pkt_data(m), m->data_len, m->pkt_len, key, ofs)
           == PARSE_OK;
}

/* Changes nothing but the field's bytes, in the key. */
static void
expect(struct flow_key *key, const struct action_set *set,
       const uint8_t mask[16])
{
    uint8_t *p = (uint8_t *) key + set->ofs;

    for (unsigned int i = 0; i < set->n; i++) {
        p[i] = (uint8_t) ((p[i] & ~mask[i]) | (set->value[i] & mask[i]));
    }
}

/* How many bytes differ outside of the checksum fields. */
static unsigned int
count_other_changes(const struct pkt_meta *md, const struct flow_key *key,
                    uint32_t len)
{
    unsigned int n = 0;

    for (uint32_t i = 0; i < len; i++) {
        uint32_t in_l3 = i - md->ofs.l3;
        uint32_t in_l4 = i - md->ofs.l4;
        bool is_sum = (key->dl_type == htons(ETH_TYPE_IP4)
                       && (in_l3 == 10 || in_l3 == 11));

        if (md->ofs.l4 != PKT_OFS_NONE) {
            switch (key->nw_proto) {
            case IPPROTO_TCP:
                is_sum |= in_l4 == 16 || in_l4 == 17;
                break;
            case IPPROTO_UDP:
                is_sum |= in_l4 == 6 || in_l4 == 7;
                break;
            case IPPROTO_SCTP:
                is_sum |= in_l4 >= 8 && in_l4 < 12;
                break;
            default:
                is_sum |= in_l4 == 2 || in_l4 == 3;
                break;
            }
        }
        n += !is_sum && before[i] != after[i];
    }
    return n;
}

static unsigned int
count_bits(const struct action_set *set, const struct flow_key *key,
           const uint8_t mask[16])
{
    const uint8_t *p = (const uint8_t *) key + set->ofs;
    unsigned int n = 0;

    for (unsigned int i = 0; i < set->n; i++) {
        n += ((p[i] ^ set->value[i]) & mask[i]) != 0;
    }
    return n;
}

static void
set_one(unsigned int field)
{
    struct rte_mbuf *m = random_packet();
    struct rte_mbuf *clone = dpdk_env_range(0, 1) ? pkt_clone(m) : NULL;
    struct pkt_meta *md = pkt_meta(m);
    struct flow_key key, expected, result;
    struct pkt_ofs ofs;
    struct action_set set;
    uint32_t len = dpdk_env_bytes(m, before, sizeof before);
    uint32_t l4_wrong, ip_wrong;
    uint8_t mask[16];
    unsigned int n_bytes = 0;
    bool is_ip4;

    CU_ASSERT_FATAL(read_key(m, &key, &ofs));
    is_ip4 = key.dl_type == htons(ETH_TYPE_IP4);
    l4_wrong = l4_error(before, md, &key);
    ip_wrong = is_ip4 ? ip4_error(before, md) : 0;
    random_set(&set, field);
    memcpy(mask, set.mask, sizeof mask);
    expected = key;
    if (has_field(&key, field, mask)) {
        expect(&expected, &set, mask);
        n_bytes = count_bits(&set, &key, mask);
    }

    m = act_set(m, &set, &key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    md = pkt_meta(m);
    CU_ASSERT_FATAL(dpdk_env_bytes(m, after, sizeof after) == len);
    if (key.nw_proto == IPPROTO_ICMPV6 && set.ofs >= FIRST_PORT
        && set.ofs <= LAST_PORT) {
        /* It may have become, or ceased to be, neighbour discovery. */
        CU_ASSERT_EQUAL(after[md->ofs.l4], ntohs(expected.tp_src));
        CU_ASSERT_EQUAL(after[md->ofs.l4 + 1], ntohs(expected.tp_dst));
    } else {
        CU_ASSERT_FATAL(read_key(m, &result, &ofs));
        CU_ASSERT(!memcmp(&ofs, &md->ofs, sizeof ofs));
        CU_ASSERT(!memcmp(&expected, &result, sizeof result));
    }
    CU_ASSERT_EQUAL(l4_error(after, md, &key), l4_wrong);
    if (is_ip4) {
        CU_ASSERT_EQUAL(ip4_error(after, md), ip_wrong);
    }
    if (set.ofs == offsetof(struct flow_key, nw_tos) && !is_ip4) {
        CU_ASSERT(count_other_changes(md, &key, len) <= 2);
    } else {
        CU_ASSERT_EQUAL(count_other_changes(md, &key, len), n_bytes);
    }

    rte_pktmbuf_free(m);
    if (clone) {
        CU_ASSERT(dpdk_env_bytes(clone, after, sizeof after) == len
                  && !memcmp(before, after, len));
        rte_pktmbuf_free(clone);
    }
}

static void
test_random(void)
{
    dpdk_env_start();
    dpdk_env_seed(7);
    for (unsigned int i = 0; i < 30000; i++) {
        set_one(i % ARRAY_SIZE(fields));
    }
    CU_ASSERT(dpdk_env_is_full());
}

/* A set with all bits of the value. */
static struct action_set
whole(uint16_t ofs, uint16_t n, const void *value)
{
    struct action_set set = { .ofs = ofs, .n = n };

    memcpy(set.value, value, n);
    memset(set.mask, 0xff, n);
    return set;
}

/* The headers stay in one piece when the packet is shared. */
static void
test_head_stays_whole(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_TCP, .payload_len = 1000,
        .tcp_flags = TCP_ACK,
    };
    struct action_set set = whole(offsetof(struct flow_key, dl_src), 6,
                                  "\2\2\2\2\2\2");
    struct rte_mbuf *m, *clone;
    struct flow_key key;
    struct pkt_ofs ofs;

    dpdk_env_start();
    env_build(&f, &frame);
    m = env_packet(&f, &frame, SHAPE_BIG);
    clone = pkt_clone(m);
    CU_ASSERT_FATAL(read_key(m, &key, &ofs));
    m = act_set(m, &set, &key);
    CU_ASSERT(m->data_len >= ofs.payload);
    CU_ASSERT(m->nb_segs == 2);     /* And the payload is not copied. */
    rte_pktmbuf_free(m);
    rte_pktmbuf_free(clone);
    CU_ASSERT(dpdk_env_is_full());
}

/* A later fragment has no L4, a first one a checksum over all of them. */
static void
test_fragments(void)
{
    be32 addr = htonl(0x01020304);
    be16 port = htons(99);
    struct action_set set_addr = whole(offsetof(struct flow_key, nw_src), 4,
                                       &addr);
    struct action_set set_port = whole(offsetof(struct flow_key, tp_dst), 2,
                                       &port);

    dpdk_env_start();
    for (int later = 0; later < 2; later++) {
        struct env_frame f = {
            .version = 4, .proto = IPPROTO_UDP, .payload_len = 800,
            .frag = later ? 100 : IP4_MF,
        };
        struct rte_mbuf *m;
        struct flow_key key;
        struct pkt_ofs ofs;
        uint32_t wrong;

        env_build(&f, &frame);
        m = env_packet(&f, &frame, SHAPE_SMALL_BIG);
        CU_ASSERT_FATAL(read_key(m, &key, &ofs));
        m = act_set(m, &set_addr, &key);
        m = act_set(m, &set_port, &key);
        dpdk_env_bytes(m, after, sizeof after);
        CU_ASSERT_EQUAL(env_get32(after + frame.l3 + 12), 0x01020304);
        CU_ASSERT_EQUAL(env_sum(0, after + frame.l3, 20), 0xffff);
        if (later) {
            CU_ASSERT(!memcmp(after + frame.l4, frame.b + frame.l4,
                              frame.end - frame.l4));
        } else {
            CU_ASSERT_EQUAL(env_get16(after + frame.l4 + 2), 99);
            wrong = env_sum(env_pseudo_sum(after + frame.l3, IPPROTO_UDP,
                                           frame.end - frame.l4),
                            after + frame.l4, frame.end - frame.l4);
            CU_ASSERT_EQUAL(wrong, 0xffff);
        }
        rte_pktmbuf_free(m);
    }
    CU_ASSERT(dpdk_env_is_full());
}

/* A UDP checksum that comes out as 0 is sent as 0xffff: of all ports, one
 * makes it so. */
static void
test_udp_zero(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_UDP, .payload_len = 100,
    };
    unsigned int n_ffff = 0;
    struct rte_mbuf *m;
    struct flow_key key;
    struct pkt_ofs ofs;

    dpdk_env_start();
    env_build(&f, &frame);
    m = env_packet(&f, &frame, SHAPE_BIG);
    CU_ASSERT_FATAL(read_key(m, &key, &ofs));
    for (uint32_t i = 0; i < 0x10000; i++) {
        be16 port = htons((uint16_t) i);
        struct action_set set = whole(offsetof(struct flow_key, tp_src), 2,
                                      &port);
        uint32_t field;

        m = act_set(m, &set, &key);
        field = env_get16(pkt_data(m) + frame.l4 + 6);
        CU_ASSERT_FATAL(field != 0);
        n_ffff += field == 0xffff;
    }
    /* 0 and 0xffff are the same port to a checksum. */
    CU_ASSERT(n_ffff == 1 || n_ffff == 2);
    rte_pktmbuf_free(m);
    CU_ASSERT(dpdk_env_is_full());
}

/* With segments left in a routing header L4 sums up the last destination. */
static void
test_routing_header(void)
{
    struct env_frame f = {
        .version = 6, .proto = IPPROTO_UDP, .payload_len = 100,
        .routing = true,
    };

    dpdk_env_start();
    for (uint8_t left = 0; left < 2; left++) {
        static const uint8_t addr[16] = { 0x20, 1, 2, 3 };
        struct action_set dst = whole(offsetof(struct flow_key, ipv6_dst), 16,
                                      addr);
        struct action_set src = whole(offsetof(struct flow_key, ipv6_src), 16,
                                      addr);
        struct rte_mbuf *m;
        struct flow_key key;
        struct pkt_ofs ofs;
        uint32_t field;

        env_build(&f, &frame);
        frame.b[frame.l3 + 43] = left;
        m = env_packet(&f, &frame, SHAPE_BIG);
        CU_ASSERT_FATAL(read_key(m, &key, &ofs));
        field = env_get16(pkt_data(m) + frame.l4 + 6);
        m = act_set(m, &dst, &key);
        CU_ASSERT_EQUAL(field == env_get16(pkt_data(m) + frame.l4 + 6), left);
        field = env_get16(pkt_data(m) + frame.l4 + 6);
        m = act_set(m, &src, &key);
        CU_ASSERT_NOT_EQUAL(field, env_get16(pkt_data(m) + frame.l4 + 6));
        rte_pktmbuf_free(m);
    }
    CU_ASSERT(dpdk_env_is_full());
}

/* Behind tunnel headers the inner frame is written; behind a pushed tag that
 * tag. */
static void
test_inner_frame(void)
{
    struct env_frame f = {
        .version = 4, .proto = IPPROTO_TCP, .payload_len = 100,
        .tcp_flags = TCP_ACK,
    };
    struct env_tnl t = { .key = true };
    be16 tci = htons(VLAN_TCI_PRESENT | 0xe000 | 77);
    struct action_set src = whole(offsetof(struct flow_key, dl_src), 6,
                                  "\2\3\4\5\6\7");
    struct action_set vlan = whole(offsetof(struct flow_key, vlan_tci0), 2,
                                   &tci);
    struct rte_mbuf *m;
    struct flow_key key;
    struct pkt_ofs ofs;
    uint16_t inner;

    dpdk_env_start();
    env_build(&f, &frame);
    m = env_packet(&f, &frame, SHAPE_BIG);
    CU_ASSERT_FATAL(read_key(m, &key, &ofs));
    m = act_set(m, &vlan, &key);        /* There is none yet. */
    CU_ASSERT(!memcmp(pkt_data(m), frame.b, frame.len));
    m = pkt_gap(m, 12, 4);
    memcpy(pkt_data(m) + 12, "\x81\0\x10\5", 4);
    m = act_set(m, &vlan, &key);
    CU_ASSERT(!memcmp(pkt_data(m) + 12, "\x81\0\xf0\x4d", 4));

    m = env_encap(m, &t, ENV_TNL_PORT);
    inner = pkt_meta(m)->inner_start;
    CU_ASSERT(inner > 14);
    m = act_set(m, &src, &key);
    CU_ASSERT(!memcmp(pkt_data(m) + inner + 6, "\2\3\4\5\6\7", 6));
    rte_pktmbuf_free(m);
    CU_ASSERT(dpdk_env_is_full());
}

void
suite_act_set(void)
{
    CU_pSuite suite = CU_add_suite("act_set", NULL, NULL);

    CU_add_test(suite, "random fields of random packets", test_random);
    CU_add_test(suite, "the head stays in one piece", test_head_stays_whole);
    CU_add_test(suite, "fragments", test_fragments);
    CU_add_test(suite, "UDP's zero", test_udp_zero);
    CU_add_test(suite, "a routing header", test_routing_header);
    CU_add_test(suite, "the inner frame, and tags", test_inner_frame);
}
