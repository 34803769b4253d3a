/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/flow/flow.c, flow_text.c and field.c: masks, their
 * normalization, and the text form both ways. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/pkt/wire.h"

void suite_flow(void);

#define N_RANDOM 20000

static uint64_t seed;

static uint32_t
rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1;
    return (uint32_t) (seed >> 32);
}

static bool
coin(unsigned int one_in)
{
    return rnd() % one_in == 0;
}

static void
fill(void *p, size_t n)
{
    uint8_t *bytes = p;

    while (n--) {
        *bytes++ = (uint8_t) rnd();
    }
}

#define FILL(KEY, FIELD) fill(&(KEY)->FIELD, sizeof (KEY)->FIELD)

static void
random_l4(struct flow_key *key, bool is_ip4)
{
    static const uint8_t protos[] = {
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6,
        IPPROTO_GRE, 0,
    };

    FILL(key, nw_tos);
    FILL(key, nw_ttl);
    key->nw_proto = protos[rnd() % ARRAY_SIZE(protos)];
    if (coin(4)) {
        key->nw_frag = FLOW_FRAG_ANY | (coin(2) ? FLOW_FRAG_LATER : 0);
        if (key->nw_frag & FLOW_FRAG_LATER && !is_ip4) {
            key->nw_proto = IPPROTO_FRAGMENT;
        }
    }
    if (!flow_key_has_ports(key)) {
        return;
    }
    if (key->nw_proto == IPPROTO_ICMP || key->nw_proto == IPPROTO_ICMPV6) {
        key->tp_src = htons(coin(2) ? 135 + rnd() % 2 : rnd() % 256);
        key->tp_dst = htons(coin(2) ? 0 : rnd() % 256);
        if (flow_key_is_nd(key)) {
            key->parts |= FLOW_PART_ND;
            FILL(key, nd_target);
            FILL(key, arp_sha);
            FILL(key, arp_tha);
        }
        return;
    }
    FILL(key, tp_src);
    FILL(key, tp_dst);
    if (key->nw_proto == IPPROTO_TCP) {
        key->tcp_flags = htons(rnd() & 0xfff);
    }
}

static void
random_tunnel(struct flow_key *key)
{
    key->parts |= FLOW_PART_TUN;
    if (coin(2)) {
        FILL(key, tun_src);
        FILL(key, tun_dst);
    } else {
        key->tun_src = flow_addr_from_ip4(rnd());
        key->tun_dst = flow_addr_from_ip4(rnd());
    }
    key->tun_flags = rnd() & FLOW_TUN_ALL;
    if (key->tun_flags & FLOW_TUN_KEY) {
        key->tun_id = htobe64(coin(2) ? rnd() : (uint64_t) rnd() << 32);
    }
    FILL(key, tun_tos);
    FILL(key, tun_ttl);
}

/* A key that parse_packet() could have made. */
static void
random_key(struct flow_key *key)
{
    static const uint16_t types[] = {
        ETH_TYPE_IP4, ETH_TYPE_IP4, ETH_TYPE_IP6, ETH_TYPE_IP6, ETH_TYPE_ARP,
        FLOW_DL_TYPE_NONE, 0x88b5,
    };
    static const uint16_t tpids[] = {
        ETH_TYPE_VLAN, ETH_TYPE_QINQ, ETH_TYPE_QINQ_OLD,
    };
    unsigned int n_tags = coin(2) ? 0 : 1 + rnd() % 2;

    memset(key, 0, sizeof *key);
    key->in_port = 1 + rnd() % 1000;
    FILL(key, dl_src);
    FILL(key, dl_dst);
    key->dl_type = htons(types[rnd() % ARRAY_SIZE(types)]);
    if (n_tags > 0) {
        key->vlan_tpid0 = htons(tpids[rnd() % 3]);
        key->vlan_tci0 = htons((uint16_t) (rnd() | VLAN_TCI_PRESENT));
    }
    if (n_tags > 1) {
        key->vlan_tpid1 = htons(tpids[rnd() % 3]);
        key->vlan_tci1 = htons((uint16_t) (rnd() | VLAN_TCI_PRESENT));
        if (coin(8)) {
            key->dl_type = htons(ETH_TYPE_VLAN);
        }
    }
    if (key->dl_type == htons(ETH_TYPE_ARP)) {
        key->parts |= FLOW_PART_ND;
        FILL(key, nw_proto);
        FILL(key, nw_src);
        FILL(key, nw_dst);
        FILL(key, arp_sha);
        FILL(key, arp_tha);
    } else if (key->dl_type == htons(ETH_TYPE_IP4)) {
        FILL(key, nw_src);
        FILL(key, nw_dst);
        random_l4(key, true);
    } else if (key->dl_type == htons(ETH_TYPE_IP6)) {
        key->parts |= FLOW_PART_IPV6;
        FILL(key, ipv6_src);
        FILL(key, ipv6_dst);
        key->ipv6_label = htonl(rnd() & 0xfffff);
        random_l4(key, false);
    }
    if (coin(3)) {
        random_tunnel(key);
    }
}

/* Any bits at all, but mostly few, so that the rules of normalization meet
 * one at a time. */
static void
random_mask(struct flow_mask *mask)
{
    uint8_t *p = (uint8_t *) &mask->bits;
    unsigned int i, n = rnd() % 12;

    flow_mask_init(mask);
    if (coin(10)) {
        fill(p, sizeof mask->bits);
    }
    for (i = 0; i < n; i++) {
        size_t ofs = rnd() % sizeof mask->bits;
        uint8_t bits = coin(2) ? 0xff : (uint8_t) rnd();

        p[ofs] |= bits;
        if (coin(2) && ofs + 1 < sizeof mask->bits) {
            p[ofs + 1] |= bits;
        }
    }
}

static bool
key_matches(const struct flow_key *key, const struct flow_key *other,
            const struct flow_mask *mask)
{
    struct flow_key a, b;

    flow_key_apply_mask(&a, key, mask);
    flow_key_apply_mask(&b, other, mask);
    return !memcmp(&a, &b, sizeof a);
}

static bool
is_tag_possible(be16 tpid, be16 tci)
{
    return tci & htons(VLAN_TCI_PRESENT) ? tpid != 0 : !tpid && !tci;
}

/* Whether parse_packet() could make it: no field is set that its type does not
 * have. */
static bool
is_possible(const struct flow_key *key)
{
    struct flow_mask applies;
    struct flow_key masked;

    if (!is_tag_possible(key->vlan_tpid0, key->vlan_tci0)
        || !is_tag_possible(key->vlan_tpid1, key->vlan_tci1)
        || (key->vlan_tci1 && !key->vlan_tci0)
        || key->nw_frag == FLOW_FRAG_LATER || key->nw_frag > 3) {
        return false;
    }
    flow_mask_init_exact(&applies, key);
    flow_key_apply_mask(&masked, key, &applies);
    return !memcmp(&masked, key, sizeof masked);
}

static void
test_addresses(void)
{
    struct in6_addr addr = flow_addr_from_ip4(htonl(0x0a000001));
    char text[INET6_ADDRSTRLEN];

    inet_ntop(AF_INET6, &addr, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "::ffff:10.0.0.1");
    CU_ASSERT(flow_addr_is_ip4(&addr));
    CU_ASSERT_EQUAL(flow_addr_to_ip4(&addr), htonl(0x0a000001));
    addr.s6_addr[9] = 1;
    CU_ASSERT(!flow_addr_is_ip4(&addr));
    CU_ASSERT(!flow_addr_is_ip4(&in6addr_any));
}

static void
test_merge(void)
{
    struct flow_mask a, b;

    flow_mask_init(&a);
    flow_mask_init(&b);
    FLOW_MASK_EXACT(&a, dl_src);
    b.bits.nw_src = htonl(0xff000000);
    flow_mask_merge(&a, &b);
    CU_ASSERT_EQUAL(a.bits.nw_src, htonl(0xff000000));
    CU_ASSERT_EQUAL(a.bits.dl_src[5], 0xff);
    CU_ASSERT_EQUAL(a.bits.dl_dst[5], 0);
    CU_ASSERT_EQUAL(a.bits.parts, 0xff);
    CU_ASSERT_EQUAL(a.bits.recirc_id, UINT32_MAX);
}

/* The whole point: a packet that matches the normalized mask must also match
 * the one that the translation made. */
static void
test_normalize_is_sound(void)
{
    unsigned int n_matches = 0;
    int i, j;

    seed = 1;
    for (i = 0; i < N_RANDOM; i++) {
        struct flow_key key;
        struct flow_mask raw, normal;

        random_key(&key);
        random_mask(&raw);
        normal = raw;
        flow_mask_normalize(&normal, &key);
        raw.bits.pad0 = 0;
        raw.bits.pad1 = 0;
        raw.bits.pad2 = 0;
        raw.bits.pad3 = 0;
        raw.bits.pad4 = 0;
        for (j = 0; j < 30; j++) {
            struct flow_key other;

            /* Near relatives, so that there is something to find. */
            random_key(&other);
            if (coin(2)) {
                uint8_t *o = (uint8_t *) &other;
                const uint8_t *k = (const uint8_t *) &key;
                size_t ofs, flips = rnd() % 4;

                memcpy(o, k, sizeof key);
                while (flips--) {
                    ofs = rnd() % sizeof key;
                    o[ofs] ^= (uint8_t) (1 << rnd() % 8);
                }
                if (!is_possible(&other)) {
                    continue;
                }
            }
            if (key_matches(&key, &other, &normal)) {
                n_matches++;
                if (!key_matches(&key, &other, &raw)) {
                    struct str s = STR_INIT;

                    flow_format(&s, &key, &normal, NULL, NULL);
                    CU_FAIL("a normalized mask is too wide");
                    printf("%s\n", str_cstr(&s));
                    str_fini(&s);
                    return;
                }
            }
        }
    }
    CU_ASSERT(n_matches > 1000);
}

static void
test_normalize_is_idempotent(void)
{
    int i;

    seed = 2;
    for (i = 0; i < N_RANDOM; i++) {
        struct flow_key key;
        struct flow_mask once, twice;

        random_key(&key);
        random_mask(&once);
        flow_mask_normalize(&once, &key);
        twice = once;
        flow_mask_normalize(&twice, &key);
        CU_ASSERT(!memcmp(&once, &twice, sizeof once));
    }
}

static void
test_normalize_rules(void)
{
    struct flow_key key;
    struct flow_mask mask;

    /* Ports of a packet that has none: the protocol decides. */
    memset(&key, 0, sizeof key);
    key.dl_type = htons(ETH_TYPE_IP4);
    key.nw_proto = IPPROTO_GRE;
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, tp_dst);
    flow_mask_normalize(&mask, &key);
    CU_ASSERT_EQUAL(mask.bits.tp_dst, 0);
    CU_ASSERT_EQUAL(mask.bits.nw_proto, 0xff);
    CU_ASSERT_EQUAL(mask.bits.nw_frag, 0xff);
    CU_ASSERT_EQUAL(mask.bits.dl_type, 0xffff);
    CU_ASSERT_EQUAL(mask.bits.vlan_tci0, htons(VLAN_TCI_PRESENT));

    /* A later fragment must not be matched as if it had ports. */
    key.nw_proto = IPPROTO_UDP;
    key.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, tp_dst);
    flow_mask_normalize(&mask, &key);
    CU_ASSERT_EQUAL(mask.bits.tp_dst, 0);
    CU_ASSERT_EQUAL(mask.bits.nw_frag, 0xff);

    /* IPv4 fields of an IPv6 packet: the type decides. */
    memset(&key, 0, sizeof key);
    key.dl_type = htons(ETH_TYPE_IP6);
    key.parts = FLOW_PART_IPV6;
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, nw_src);
    flow_mask_normalize(&mask, &key);
    CU_ASSERT_EQUAL(mask.bits.nw_src, 0);
    CU_ASSERT_EQUAL(mask.bits.dl_type, 0xffff);

    /* A tag is looked at with its TPID and the next tag's absence. */
    key.vlan_tpid0 = htons(ETH_TYPE_VLAN);
    key.vlan_tci0 = htons(VLAN_TCI_PRESENT | 3);
    flow_mask_init(&mask);
    mask.bits.vlan_tci0 = htons(VLAN_TCI_VID);
    flow_mask_normalize(&mask, &key);
    CU_ASSERT_EQUAL(mask.bits.vlan_tci0,
                    htons(VLAN_TCI_VID | VLAN_TCI_PRESENT));
    CU_ASSERT_EQUAL(mask.bits.vlan_tpid0, 0xffff);
    CU_ASSERT_EQUAL(mask.bits.vlan_tci1, htons(VLAN_TCI_PRESENT));

    /* The target of a neighbour message needs its type. */
    key.nw_proto = IPPROTO_ICMPV6;
    key.tp_src = htons(135);
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, nd_target);
    flow_mask_normalize(&mask, &key);
    CU_ASSERT_EQUAL(mask.bits.tp_src, htons(0xff));
    CU_ASSERT_EQUAL(mask.bits.tp_dst, htons(0xff));
    CU_ASSERT_EQUAL(mask.bits.nw_proto, 0xff);
    CU_ASSERT_EQUAL(mask.bits.nd_target.s6_addr[15], 0xff);

    /* Nothing looked at stays nothing. */
    struct flow_mask empty;

    flow_mask_init(&mask);
    flow_mask_init(&empty);
    flow_mask_normalize(&mask, &key);
    CU_ASSERT(!memcmp(&mask, &empty, sizeof mask));
}

/* Two packets with equal keys under the exact mask have equal keys. */
static void
test_exact(void)
{
    int i;

    seed = 3;
    for (i = 0; i < N_RANDOM; i++) {
        struct flow_key key, masked;
        struct flow_mask mask;

        random_key(&key);
        flow_mask_init_exact(&mask, &key);
        flow_key_apply_mask(&masked, &key, &mask);
        CU_ASSERT(!memcmp(&key, &masked, sizeof key));
    }
}

static void
test_round_trip(void)
{
    int i;

    seed = 4;
    for (i = 0; i < N_RANDOM; i++) {
        struct flow_key key, key2;
        struct flow_mask mask, mask2;
        struct str s = STR_INIT;
        char *error;
        bool is_same;

        random_key(&key);
        random_mask(&mask);
        if (coin(4)) {
            flow_mask_init_exact(&mask, &key);
        }
        flow_mask_normalize(&mask, &key);
        flow_format(&s, &key, &mask, NULL, NULL);
        error = flow_parse(str_cstr(&s), NULL, NULL, &key2, &mask2);
        flow_key_apply_mask(&key, &key, &mask);
        flow_key_apply_mask(&key2, &key2, &mask2);
        key.parts = key2.parts = 0;
        is_same = !error && !memcmp(&mask, &mask2, sizeof mask)
                  && !memcmp(&key, &key2, sizeof key);
        CU_ASSERT(is_same);
        if (!is_same) {
            printf("%s: %s\n", str_cstr(&s), error ? error : "differs");
            i = N_RANDOM;
        }
        free(error);
        str_fini(&s);
    }
}

/* With everything looked at even 'parts' comes back. */
static void
test_round_trip_exact(void)
{
    int i;

    seed = 5;
    for (i = 0; i < N_RANDOM; i++) {
        struct flow_key key, key2;
        struct flow_mask mask;
        struct str s = STR_INIT;
        char *error;

        random_key(&key);
        flow_format(&s, &key, NULL, NULL, NULL);
        error = flow_parse(str_cstr(&s), NULL, NULL, &key2, &mask);
        CU_ASSERT_PTR_NULL(error);
        CU_ASSERT(!memcmp(&key, &key2, sizeof key));
        free(error);
        str_fini(&s);
    }
}

/* What Open vSwitch 3.1 printed for packets through its netdev datapath. */
static const char *const ovs_flows[] = {
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01),eth_type(0x0800),"
    "ipv4(src=10.0.0.1/255.0.0.0,dst=10.0.0.2,proto=17,tos=0/0xfc,ttl=64,"
    "frag=no),udp(dst=2)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),"
    "ipv4(src=10.0.0.1/255.0.0.0,proto=6,tos=0x2e,ttl=64,frag=no),"
    "tcp(dst=2/0xfffe),tcp_flags(+syn-rst+ack)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01),eth_type(0x8100),vlan(vid=3,pcp=2),"
    "encap(eth_type(0x0800),ipv4(src=10.0.0.1/255.0.0.0,dst=10.0.0.2,"
    "proto=17,tos=0/0xfc,ttl=64,frag=no),udp(dst=2))",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(dst=00:00:00:00:00:02),eth_type(0x0806),"
    "arp(sip=10.0.0.1/255.255.255.0,op=1,sha=00:00:00:00:00:01,"
    "tha=00:00:00:00:00:00/ff:00:00:00:00:00)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x0800),"
    "ipv4(src=10.0.0.1/255.0.0.0,proto=17,tos=0/0xfc,ttl=64,frag=first),"
    "udp(dst=2/0xfffe)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x0800),"
    "ipv4(src=10.0.0.1/255.0.0.0,proto=17,tos=0/0xfc,ttl=64,frag=later)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),"
    "ipv4(src=10.0.0.1/255.0.0.0,proto=1,tos=0/0xfc,ttl=64,frag=no),"
    "icmp(type=8,code=0)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x86dd),"
    "ipv6(src=fc00::1/ffff::,dst=fc00::2,label=0x12345,proto=17,"
    "tclass=0x1/0xfc,hlimit=64,frag=no),udp(dst=2)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x86dd),"
    "ipv6(src=fc00::1/ffff::,label=0/0xffff0,proto=58,tclass=0/0xfc,"
    "hlimit=255,frag=no),icmpv6(type=135,code=0),"
    "nd(target=fc00::2,sll=00:00:00:00:00:01)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x86dd),"
    "ipv6(src=fc00::1/ffff::,label=0/0xffff0,proto=58,tclass=0/0xfc,"
    "hlimit=255,frag=no),icmpv6(type=136,code=0),"
    "nd(target=fc00::2,sll=00:00:00:00:00:00,tll=00:00:00:00:00:01)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x86dd),"
    "ipv6(src=fc00::1/ffff::,label=0/0xffff0,proto=44,tclass=0/0xfc,"
    "hlimit=64,frag=later)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0/0xffff)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x86dd),"
    "ipv6(src=fc00::1/ffff::,label=0/0xffff0,proto=58,tclass=0/0xfc,"
    "hlimit=64,frag=no),icmpv6(type=128/0xfc)",
    "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01),eth_type(0x88a8),vlan(vid=5,pcp=0),"
    "encap(eth_type(0x8100),vlan(vid=3,pcp=0),encap(eth_type(0x0800),"
    "ipv4(frag=no)))",
    "tunnel(tun_id=0x1c8,src=1.1.2.92,dst=1.1.2.88,flags(-df+csum+key)),"
    "recirc_id(0),in_port(3),packet_type(ns=0,id=0),"
    "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x0800),"
    "ipv4(tos=0/0x3,frag=no)",
};

static void
test_ovs_text(void)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(ovs_flows); i++) {
        struct flow_key key;
        struct flow_mask mask, normal;
        struct str s = STR_INIT;
        char *error = flow_parse(ovs_flows[i], NULL, NULL, &key, &mask);

        CU_ASSERT_PTR_NULL(error);
        if (error) {
            printf("%s\n", error);
            free(error);
            continue;
        }
        flow_format(&s, &key, &mask, NULL, NULL);
        CU_ASSERT_STRING_EQUAL(str_cstr(&s), ovs_flows[i]);
        if (strcmp(str_cstr(&s), ovs_flows[i])) {
            printf("%s\n", str_cstr(&s));
        }
        str_fini(&s);

        /* Nothing that they look at is lost here. */
        normal = mask;
        flow_mask_normalize(&normal, &key);
        flow_mask_merge(&mask, &normal);
        CU_ASSERT(!memcmp(&mask, &normal, sizeof mask));
    }
}

static const char *
name_port(uint32_t port, void *aux)
{
    return port == 2 ? aux : NULL;
}

static uint32_t
find_port(const char *name, void *aux)
{
    return !strcmp(name, aux) ? 2 : PORT_NONE;
}

static void
test_port_names(void)
{
    char name[] = "vif1.0";
    struct flow_key key;
    struct flow_mask mask;
    struct str s = STR_INIT;
    char *error;

    memset(&key, 0, sizeof key);
    flow_mask_init(&mask);
    FLOW_MASK_EXACT(&mask, in_port);
    key.in_port = 2;
    flow_format(&s, &key, &mask, name_port, name);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "recirc_id(0),in_port(vif1.0),"
                                         "packet_type(ns=0,id=0)");
    error = flow_parse(str_cstr(&s), find_port, name, &key, &mask);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_EQUAL(key.in_port, 2);
    str_clear(&s);
    key.in_port = 3;
    flow_format(&s, &key, &mask, name_port, name);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "recirc_id(0),in_port(3),"
                                         "packet_type(ns=0,id=0)");
    error = flow_parse("in_port(eth7)", find_port, name, &key, &mask);
    CU_ASSERT_STRING_EQUAL(error, "there is no port \"eth7\"");
    free(error);
    str_fini(&s);
}

static void
test_errors(void)
{
    static const struct {
        const char *text;
        const char *part;       /* What the sentence must speak of. */
    } cases[] = {
        {"eth", "eth"},
        {"eth(", "eth"},
        {"eth(src=1)", "src"},
        {"eth(src=00:00:00:00:00:01:02)", "src"},
        {"eth(src=00:00:00:00:00:0g)", "src"},
        {"eth(colour=1)", "colour"},
        {"eth(src=00:00:00:00:00:01/zz)", "mask"},
        {"nonsense(1)", "nonsense"},
        {"ipv4(src=1.2.3.4)", "ipv4"},
        {"eth_type(0x0800),ipv4(src=1.2.3.456)", "1.2.3.456"},
        {"eth_type(0x0800),ipv4(src=1.2.3.4", "ipv4"},
        {"eth_type(0x0800),ipv4(ttl=256)", "256"},
        {"eth_type(0x0800),ipv4(frag=maybe)", "maybe"},
        {"eth_type(0x0800),tcp(src=1)", "tcp"},
        {"eth_type(0x0800),ipv4(proto=6),tcp(src=65536)", "65536"},
        {"eth_type(0x0800),ipv4(proto=6),tcp_flags(+wow)", "wow"},
        {"eth_type(0x0800),tcp_flags(+syn)", "tcp_flags"},
        {"eth_type(0x10000)", "0x10000"},
        {"eth_type(0x0800/0xff)", "mask"},
        {"eth_type(0x0800),eth_type(0x0800)", "twice"},
        {"eth_type(0x0001)", "0x1"},
        {"vlan(vid=1)", "vlan"},
        {"eth_type(0x8100),vlan(vid=1)", "encap"},
        {"eth_type(0x8100),vlan(vid=1),encap()", "encap"},
        {"eth_type(0x8100),vlan(vid=1),eth_type(0x0800)", "encap"},
        {"encap(eth_type(0x0800))", "encap"},
        {"eth_type(0x8100),vlan(vid=1),encap(eth_type(0x0800)", "encap"},
        {"eth_type(0x8100),vlan(vid=4096),encap()", "4096"},
        {"eth_type(0x8100),vlan(colour=1),encap()", "colour"},
        {"eth_type(0x8100),vlan(vid=1,cfi=0),encap(eth_type(0x0800))", "cfi"},
        {"in_port(0)", "0"},
        {"in_port(x)", "x"},
        {"in_port()", "port"},
        {"packet_type(ns=1,id=0x800)", "ns=1"},
        {"tunnel(src=1.2.3.4,colour=2)", "colour"},
        {"tunnel(flags(+df)", "tunnel"},
        {"tunnel(flags(+df", "flags"},
        {"recirc_id(0x100000000)", "0x100000000"},
        {")", ")"},
        {"eth_type(0x0800),ipv4(src=11111111111111111111111111111111111111111"
         "1111111111111111111111111111111111111111)", "src"},
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_key key;
        struct flow_mask mask;
        char *error = flow_parse(cases[i].text, NULL, NULL, &key, &mask);

        CU_ASSERT_PTR_NOT_NULL(error);
        CU_ASSERT(error && strstr(error, cases[i].part));
        if (!error || !strstr(error, cases[i].part)) {
            printf("%s: %s\n", cases[i].text, error ? error : "no error");
        }
        free(error);
    }
}

void
suite_flow(void)
{
    CU_pSuite suite = CU_add_suite("flow", NULL, NULL);

    CU_add_test(suite, "addresses", test_addresses);
    CU_add_test(suite, "merge", test_merge);
    CU_add_test(suite, "normalize: sound", test_normalize_is_sound);
    CU_add_test(suite, "normalize: idempotent",
                test_normalize_is_idempotent);
    CU_add_test(suite, "normalize: rules", test_normalize_rules);
    CU_add_test(suite, "exact mask", test_exact);
    CU_add_test(suite, "text: round trip", test_round_trip);
    CU_add_test(suite, "text: exact round trip", test_round_trip_exact);
    CU_add_test(suite, "text: Open vSwitch's", test_ovs_text);
    CU_add_test(suite, "text: port names", test_port_names);
    CU_add_test(suite, "text: errors", test_errors);
}
