/* SPDX-License-Identifier: Apache-2.0 */
/* xlate.c: patch ports, tunnels over both underlays, where tunnels end. */

#include "vswitchd/xlate.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pkt/wire.h"
#include "tests/unit/vswitchd/xlate_env.h"

#define VXLAN "vxlan:remote_ip=192.0.2.2,key=7"
#define GRE "gre:remote_ip=192.0.2.2"
#define HOSTIP 60

void suite_xlate(void);

#define EXPECT_TEXT(GOT, TEXT)                                                \
    do {                                                                      \
        const char *got_ = (GOT);                                             \
                                                                              \
        CU_ASSERT_STRING_EQUAL(got_, TEXT);                                   \
        if (strcmp(got_, TEXT)) {                                             \
            printf("    line %d: got \"%s\"\n", __LINE__, got_);              \
        }                                                                     \
    } while (0)
#define EXPECT(KEY, TEXT)                                                     \
    do {                                                                      \
        struct flow_key key_ = (KEY);                                         \
        EXPECT_TEXT(xenv_outputs(&key_), TEXT);                               \
    } while (0)
#define EXPECT_ACTIONS(KEY, TEXT)                                             \
    do {                                                                      \
        struct flow_key key_ = (KEY);                                         \
        EXPECT_TEXT(xenv_actions(&key_), TEXT);                               \
    } while (0)
#define PUBLISH(PORTS) xenv_publish(PORTS, ARRAY_SIZE(PORTS), HOSTIP)

static struct in6_addr
ip4(uint32_t addr)
{
    return flow_addr_from_ip4(htonl(addr));
}

/* Over bridge br-phy's own port 9, whose host is 192.0.2.1. */
static struct underlay_state
bridge_way(void)
{
    return (struct underlay_state) {
        .kind = UNDERLAY_BRIDGE, .has_neigh = true, .dp_port = 9,
        .hop = {
            .eth_dst = { 2, 0xbb, 0, 0, 0, 1 }, .eth_src = { 2, 0xaa, 0, 0, 0,
                                                             9 },
            .src = ip4(0xc0000201), .dst = ip4(0xc0000202),
        },
    };
}

static const struct underlay_state no_way = {
    .kind = UNDERLAY_NONE, .reason = "network unreachable",
};

static void
test_patch_ports(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "a", .no = 1, .mode = VLAN_ACCESS, .tag = 3 },
        { .bridge = "a", .no = 2, .peer = "12" },
        { .bridge = "b", .no = 12, .peer = "2", .mode = VLAN_ACCESS,
          .tag = 8 },
        { .bridge = "b", .no = 13 },
        { .bridge = "b", .no = 14, .peer = "24" },
        { .bridge = "c", .no = 24, .peer = "14" },
        { .bridge = "c", .no = 25, .mode = VLAN_ACCESS, .tag = 8 },
        { .bridge = "c", .no = 26, .peer = "" },
    };

    PUBLISH(ports);
    /* The first bridge's tag is refused by the second's access port. */
    EXPECT(xenv_key(1, 1, 2, 0, 0), "drop(vlan_not_allowed)");
    EXPECT(xenv_key(13, 1, 2, 8, 0), "25");
    xenv_end();
}

static void
test_patch_chain(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "a", .no = 1, .mode = VLAN_ACCESS, .tag = 3 },
        { .bridge = "a", .no = 2, .peer = "12" },
        { .bridge = "b", .no = 12, .peer = "2" },
        { .bridge = "b", .no = 13 },
        { .bridge = "b", .no = 14, .peer = "24", .mode = VLAN_ACCESS,
          .tag = 3 },
        { .bridge = "c", .no = 24, .peer = "14", .mode = VLAN_ACCESS,
          .tag = 8 },
        { .bridge = "c", .no = 25 },
        { .bridge = "c", .no = 26, .peer = "" },
    };

    PUBLISH(ports);
    EXPECT(xenv_key(1, 1, 2, 0, 0), "13:0003 25:0008");
    /* Each bridge has learned where the source lies. */
    EXPECT(xenv_key(25, 2, 1, 0, 0), "drop(no_port)");
    EXPECT(xenv_key(25, 2, 1, 8, 0), "1");
    EXPECT(xenv_key(1, 1, 2, 0, 0), "25:0008");
    EXPECT(xenv_key(13, 3, 2, 3, 0), "25:0008");
    EXPECT(xenv_key(13, 3, 2, 0, 0), "drop(no_output)");
    xenv_end();
}

/* A tag that hid another: what the next bridge sees was looked at. */
static void
test_patch_and_two_tags(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "a", .no = 1 },
        { .bridge = "a", .no = 2, .peer = "12", .mode = VLAN_ACCESS,
          .tag = 5 },
        { .bridge = "b", .no = 12, .peer = "2" },
        { .bridge = "b", .no = 13, .mode = VLAN_ACCESS, .tag = 6 },
        { .bridge = "b", .no = 14, .mode = VLAN_ACCESS, .tag = 7 },
    };
    struct xenv_answer answer;
    struct flow_key key = xenv_key(1, 1, 2, 5, 6);

    PUBLISH(ports);
    EXPECT(xenv_key(1, 1, 2, 5, 6), "13");
    EXPECT(xenv_key(1, 1, 2, 5, 7), "14");
    EXPECT(xenv_key(1, 1, 2, 5, 0), "drop(no_output)");
    xenv_translate(&key, false, &answer);
    CU_ASSERT_EQUAL(answer.up.mask.bits.vlan_tci1, 0xffff);
    xenv_answer_fini(&answer);
    xenv_end();
}

/* Two bridges joined twice: a packet goes round until it is deep enough. */
static void
test_patch_loop(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "a", .no = 1 },
        { .bridge = "a", .no = 2, .peer = "12" },
        { .bridge = "b", .no = 12, .peer = "2" },
        { .bridge = "b", .no = 13, .peer = "3" },
        { .bridge = "a", .no = 3, .peer = "13" },
        { .bridge = "b", .no = 14 },
    };
    struct xenv_answer answer;
    struct flow_key key = xenv_key(1, 1, 0xff, 0, 0);

    PUBLISH(ports);
    xenv_translate(&key, true, &answer);
    CU_ASSERT(!strncmp(str_cstr(&answer.outputs), "1 1", 3));
    CU_ASSERT(answer.outputs.len < 200);
    xenv_answer_fini(&answer);
    xenv_translate(&key, false, &answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_cstr(&answer.trace), "in a row"));
    xenv_answer_fini(&answer);
    xenv_end();
}

/* Joined many times over, each round would make many out of one: that ends,
 * and at once. */
static void
test_patch_explosion(void)
{
    static char peers[20][8];
    struct xenv_port ports[21];

    for (uint32_t i = 0; i < 10; i++) {
        sprintf(peers[2 * i], "%u", 200 + i);
        sprintf(peers[2 * i + 1], "%u", 100 + i);
        ports[2 * i] = (struct xenv_port) {
            .bridge = "a", .no = 100 + i, .peer = peers[2 * i],
        };
        ports[2 * i + 1] = (struct xenv_port) {
            .bridge = "b", .no = 200 + i, .peer = peers[2 * i + 1],
        };
    }
    ports[20] = (struct xenv_port) { .bridge = "a", .no = 1 };
    PUBLISH(ports);
    EXPECT(xenv_key(1, 1, 0xff, 0, 0), "drop(patch_depth)");
    EXPECT(xenv_key(1, 1, 99, 0, 0), "drop(patch_depth)");
    xenv_end();
}

static void
test_patch_to_itself(void)
{
    static const struct xenv_port ports[] = {
        { .bridge = "a", .no = 1 },
        { .bridge = "a", .no = 2, .peer = "2" },
        { .bridge = "a", .no = 3, .peer = "" },
    };

    PUBLISH(ports);
    EXPECT(xenv_key(1, 1, 0xff, 0, 0), "1");
    xenv_end();
}

#define BRIDGE_UNDERLAY(TNL, WAY)                                             \
    { .bridge = "br0", .no = 1 },                                             \
    { .bridge = "br0", .no = 2, .tnl = (TNL), .way = (WAY) },                 \
    { .bridge = "br-phy", .no = 8, .mode = VLAN_TRUNK },                      \
    { .bridge = "br-phy", .no = 9, .addrs = "192.0.2.1 2001:db8::1",          \
      .mode = VLAN_ACCESS, .tag = 4 }

/* Tunnel output through a bridge: its VLANs count for the outer frame. */
static void
test_bridge_underlay(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = { BRIDGE_UNDERLAY(VXLAN, &way) };
    struct xenv_answer answer;
    struct flow_key key;

    PUBLISH(ports);
    EXPECT_ACTIONS(xenv_key(1, 1, 2, 0, 0),
        "clone(tnl_push(tnl_port(2),header(size=50,type=vxlan,"
        "eth(dst=02:bb:00:00:00:01,src=02:aa:00:00:00:09,dl_type=0x0800),"
        "ipv4(src=192.0.2.1,dst=192.0.2.2,proto=17,tos=0,ttl=64,frag=0x4000),"
        "udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x7))),"
        "clone(push_vlan(vid=4,pcp=0),8))");
    EXPECT(xenv_key(1, 1, 2, 0, 0), "2>8:0004");
    /* The inner frame keeps its tags. */
    EXPECT(xenv_key(1, 1, 2, 33, 0), "2>8:0004");
    EXPECT_TEXT(xenv_actions(&(struct flow_key) { 0 }), "drop(no_bridge)");

    /* The underlay's bridge has learned the outer source. */
    CU_ASSERT_EQUAL(mac_table_count(xenv_bridge("br-phy")->macs), 1);

    /* The answer depends on the way. */
    key = xenv_key(1, 1, 2, 0, 0);
    xenv_translate(&key, true, &answer);
    xenv_set_way(2, &no_way);
    CU_ASSERT(answer.up.deps.n > 2);
    for (unsigned int i = 0; i < answer.up.deps.n; i++) {
        const struct dp_dep *dep = &answer.up.deps.deps[i];

        CU_ASSERT_EQUAL(dep->cell == &xenv_underlay(2)->cell,
                        atomic_load(&dep->cell->gen) != dep->seen);
    }
    /* Of the inner frame no more was looked at than a switch does. */
    CU_ASSERT_EQUAL(answer.up.mask.bits.nw_proto, 0);
    CU_ASSERT_EQUAL(answer.up.mask.bits.nw_dst, 0);
    xenv_answer_fini(&answer);
    EXPECT(xenv_key(1, 1, 2, 0, 0), "drop(tnl_no_route)");
    xenv_end();
}

static void
test_no_way(void)
{
    struct underlay_state no_neigh = bridge_way();
    struct underlay_state gone = bridge_way();
    struct xenv_port ports[] = { BRIDGE_UNDERLAY(GRE, &no_way) };
    struct xenv_answer answer;
    struct flow_key key = xenv_key(1, 1, 2, 0, 0);

    no_neigh.has_neigh = false;
    gone.dp_port = 77;
    PUBLISH(ports);
    xenv_translate(&key, false, &answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_cstr(&answer.trace),
                                  "network unreachable"));
    xenv_answer_fini(&answer);
    EXPECT(key, "drop(tnl_no_route)");
    xenv_set_way(2, &no_neigh);
    EXPECT(key, "drop(tnl_no_neigh)");
    xenv_set_way(2, &gone);
    EXPECT(key, "drop(tnl_no_route)");
    xenv_end();
}

/* Tunnels without a way among ports that are well: no trace of them is left,
 * be it that there is no route or nobody on the bridge that it leads to. */
static void
test_flood_without_way(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 },
        { .bridge = "br0", .no = 2, .tnl = GRE, .way = &no_way },
        { .bridge = "br0", .no = 3, .mode = VLAN_ACCESS, .tag = 5 },
        { .bridge = "br0", .no = 4, .tnl = GRE ",key=9", .way = &way },
        { .bridge = "br-phy", .no = 9, .addrs = "192.0.2.1" },
        { .bridge = "br-phy", .no = 8 },
    };

    PUBLISH(ports);
    EXPECT_ACTIONS(xenv_key(4, 1, 2, 0, 0), "1");
    EXPECT(xenv_key(1, 1, 0xff, 5, 0), "3 4>8");
    xenv_publish(ports, ARRAY_SIZE(ports) - 1, HOSTIP);
    EXPECT_ACTIONS(xenv_key(1, 1, 0xff, 5, 0), "clone(pop_vlan,3)");
    xenv_end();
}

static void
test_host_underlay(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 },
        { .bridge = "br0", .no = 2, .tnl = GRE ",key=5", .way = &way },
    };

    way.kind = UNDERLAY_HOST;
    way.has_neigh = false;
    memset(way.hop.eth_dst, 0, 6);
    memset(way.hop.eth_src, 0, 6);
    PUBLISH(ports);
    EXPECT_ACTIONS(xenv_key(1, 1, 2, 0, 0),
        "clone(tnl_push(tnl_port(2),header(size=42,type=gre,"
        "eth(dst=00:00:00:00:00:00,src=00:00:00:00:00:00,dl_type=0x0800),"
        "ipv4(src=192.0.2.1,dst=192.0.2.2,proto=47,tos=0,ttl=64,frag=0x4000),"
        "gre((flags=0x2000,proto=0x6558),key=0x5))),60)");
    xenv_publish(ports, ARRAY_SIZE(ports), PORT_NONE);
    EXPECT(xenv_key(1, 1, 2, 0, 0), "drop(tnl_no_route)");
    xenv_end();
}

/* A tunnel whose way leads through a bridge with that same tunnel on it, and
 * two that lead into one another. */
static void
test_tunnel_loop(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        { .bridge = "br-phy", .no = 1 },
        { .bridge = "br-phy", .no = 2, .tnl = GRE, .way = &way },
        { .bridge = "br-phy", .no = 9, .addrs = "192.0.2.1" },
        { .bridge = "br-phy", .no = 3, .tnl = VXLAN, .way = &way },
    };
    struct xenv_answer answer;
    struct flow_key key = xenv_key(1, 1, 9, 0, 0);

    xenv_publish(ports, 3, HOSTIP);
    EXPECT(xenv_key(1, 1, 99, 0, 0), "2>1 9");
    xenv_publish(ports, 4, HOSTIP);
    EXPECT(xenv_key(1, 1, 99, 0, 0), "2>1 2>3>1 3>1 3>2>1 9");
    xenv_translate(&key, false, &answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_cstr(&answer.trace), "into itself"));
    xenv_answer_fini(&answer);
    xenv_end();
}

/* A tunnel's packet as it comes out of the wire. */
static struct flow_key
outer_key(uint32_t in_port, uint8_t proto, uint16_t tp_dst)
{
    struct flow_key key = xenv_key(in_port, 7, 1, 4, 0);

    memcpy(key.dl_dst, (uint8_t [6]) { 2, 0xaa, 0, 0, 0, 9 }, 6);
    key.nw_proto = proto;
    key.nw_src = htonl(0xc0000202);
    key.nw_dst = htonl(0xc0000201);
    key.tp_src = proto == IPPROTO_GRE ? 0 : htons(40000);
    key.tp_dst = htons(tp_dst);
    return key;
}

static void
test_tunnel_end(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        BRIDGE_UNDERLAY(VXLAN, &way),
        { .bridge = "br0", .no = 3, .tnl = GRE, .way = &way },
        { .bridge = "br-phy", .no = 7 },
    };
    struct xenv_answer answer;
    struct flow_key key;

    PUBLISH(ports);
    /* The host speaks, so that its address is known: no more flooding. */
    key = xenv_key(9, 0, 7, 0, 0);
    memcpy(key.dl_src, (uint8_t [6]) { 2, 0xaa, 0, 0, 0, 9 }, 6);
    xenv_outputs(&key);

    EXPECT_ACTIONS(outer_key(8, IPPROTO_UDP, 4789),
                   "clone(pop_vlan,tnl_pop(vxlan))");
    EXPECT(outer_key(8, IPPROTO_GRE, 0), "pop");
    EXPECT(outer_key(8, IPPROTO_UDP, 4788), "9");
    EXPECT(outer_key(8, IPPROTO_TCP, 4789), "9");

    /* What was looked at. */
    key = outer_key(8, IPPROTO_UDP, 4789);
    xenv_translate(&key, false, &answer);
    CU_ASSERT_EQUAL(answer.up.mask.bits.nw_proto, 0xff);
    CU_ASSERT_EQUAL(answer.up.mask.bits.nw_frag, 0xff);
    CU_ASSERT_EQUAL(answer.up.mask.bits.tp_dst, 0xffff);
    CU_ASSERT_EQUAL(answer.up.mask.bits.tp_src, 0);
    CU_ASSERT_EQUAL(answer.up.mask.bits.nw_dst, UINT32_MAX);
    CU_ASSERT_EQUAL(answer.up.mask.bits.nw_src, 0);
    xenv_answer_fini(&answer);

    /* For another address, in fragments, with a tag, to another MAC, IPv6. */
    key = outer_key(8, IPPROTO_UDP, 4789);
    key.nw_dst = htonl(0xc0000203);
    EXPECT(key, "9");
    key = outer_key(8, IPPROTO_UDP, 4789);
    key.nw_frag = FLOW_FRAG_ANY;
    EXPECT(key, "9");
    key.nw_frag |= FLOW_FRAG_LATER;
    key.tp_src = key.tp_dst = 0;
    EXPECT(key, "9");
    key = outer_key(8, IPPROTO_UDP, 4789);
    key.dl_dst[5] = 10;
    EXPECT(key, "7:0004 9");
    key = outer_key(8, IPPROTO_UDP, 4789);
    key.dl_type = htons(ETH_TYPE_IP6);
    key.parts = FLOW_PART_IPV6;
    key.nw_src = key.nw_dst = 0;
    EXPECT(key, "9");
    inet_pton(AF_INET6, "2001:db8::1", &key.ipv6_dst);
    EXPECT(key, "pop");

    /* From a tunnel or the guest's side it is nothing special. */
    key = outer_key(1, IPPROTO_UDP, 4789);
    EXPECT(key, "2>7:0004 3>7:0004 2>8:0004 3>8:0004");
    xenv_end();
}

/* Before the host's address is learned, others get the frame too. */
static void
test_tunnel_end_in_flood(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        BRIDGE_UNDERLAY(VXLAN, &way), { .bridge = "br-phy", .no = 7 },
    };

    PUBLISH(ports);
    EXPECT(outer_key(8, IPPROTO_UDP, 4789), "pop 7:0004");
    xenv_end();
}

static void
test_from_host_stack(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 },
        { .bridge = "br0", .no = 2, .tnl = VXLAN, .way = &way },
        { .bridge = "br0", .no = 3, .tnl = GRE, .way = &way },
    };
    struct flow_key key;

    way.kind = UNDERLAY_HOST;
    PUBLISH(ports);
    EXPECT_ACTIONS(outer_key(HOSTIP, IPPROTO_UDP, 4789), "tnl_pop(vxlan)");
    EXPECT_ACTIONS(outer_key(HOSTIP, IPPROTO_GRE, 0), "tnl_pop(gre)");
    EXPECT(outer_key(HOSTIP, IPPROTO_UDP, 53), "drop(host_stack)");
    key = outer_key(HOSTIP, IPPROTO_UDP, 4789);
    key.nw_frag = FLOW_FRAG_ANY;
    EXPECT(key, "drop(host_stack)");
    xenv_end();
}

/* key=flow: the key that the packet came with goes on, and was looked at. */
static void
test_key_of_flow(void)
{
    struct underlay_state way = bridge_way();
    struct xenv_port ports[] = {
        BRIDGE_UNDERLAY("vxlan:remote_ip=192.0.2.2,out_key=flow,in_key=1",
                        &way),
        { .bridge = "br0", .no = 3, .tnl = "gre:remote_ip=192.0.2.3,key=flow",
          .way = &no_way },
    };
    struct flow_key key = xenv_key(3, 1, 2, 0, 0);
    struct xenv_answer answer;

    PUBLISH(ports);
    key.parts = FLOW_PART_TUN;
    key.tun_id = htobe64(0xabc);
    key.tun_flags = FLOW_TUN_KEY;
    xenv_translate(&key, false, &answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_cstr(&answer.actions), "vni=0xabc"));
    CU_ASSERT_EQUAL(answer.up.mask.bits.tun_id, UINT64_MAX);
    xenv_answer_fini(&answer);
    xenv_end();
}

void
suite_xlate(void)
{
    CU_pSuite suite = CU_add_suite("xlate", NULL, NULL);

    CU_add_test(suite, "patch ports", test_patch_ports);
    CU_add_test(suite, "a patch chain", test_patch_chain);
    CU_add_test(suite, "patch ports and two tags", test_patch_and_two_tags);
    CU_add_test(suite, "a patch loop", test_patch_loop);
    CU_add_test(suite, "a patch explosion", test_patch_explosion);
    CU_add_test(suite, "a patch port to itself", test_patch_to_itself);
    CU_add_test(suite, "a tunnel over a bridge", test_bridge_underlay);
    CU_add_test(suite, "no way", test_no_way);
    CU_add_test(suite, "no way, in a flood", test_flood_without_way);
    CU_add_test(suite, "a tunnel over the host", test_host_underlay);
    CU_add_test(suite, "a tunnel into itself", test_tunnel_loop);
    CU_add_test(suite, "where tunnels end", test_tunnel_end);
    CU_add_test(suite, "where tunnels end, flooded", test_tunnel_end_in_flood);
    CU_add_test(suite, "out of the host's stack", test_from_host_stack);
    CU_add_test(suite, "the flow's key", test_key_of_flow);
}
