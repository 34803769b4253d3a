/* SPDX-License-Identifier: Apache-2.0 */
/* xlate*.c: for random packets, that no translation depends on a bit that it
 * did not own up to.  A packet that differs from the first only outside of the
 * mask hits the first one's flow; so it must have the same answer. */

#include "vswitchd/xlate.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/vswitchd/xlate_env.h"

#define VXLAN "vxlan:remote_ip=192.0.2.2,key=7"
#define HOSTIP 60

void suite_xlate_mask(void);

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

static uint64_t seed = 1;

static unsigned int
lot(unsigned int n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned int) (seed >> 33) % n;
}

#define PICK(...)                                                             \
    ((const unsigned int []) { __VA_ARGS__ }                                  \
     [lot(sizeof((const unsigned int []) { __VA_ARGS__ })                     \
          / sizeof(unsigned int))])

/* Any key that could matter to the pipeline below, as the parser makes it. */
static void
random_key(struct flow_key *key)
{
    struct flow_key k = xenv_key(PICK(1, 2, 3, 4, 8, 7, 9, 12, 24, HOSTIP, 40),
                                 (uint8_t) PICK(1, 2, 3, 4), 0, 0, 0);
    bool is_ip;

    k.dl_dst[5] = (uint8_t) PICK(1, 2, 3, 4, 5, 0x80);
    switch (lot(5)) {
    case 0:
        memset(k.dl_dst, 0xff, 6);
        break;
    case 1:
        memcpy(k.dl_dst, (uint8_t [6]) { 1, 0x80, 0xc2, 0, 0,
                                         (uint8_t) PICK(0, 2, 0x10) }, 6);
        break;
    case 2:
        memcpy(k.dl_dst, (uint8_t [6]) { 2, 0xaa, 0, 0, 0,
                                         (uint8_t) PICK(9, 10) }, 6);
        break;
    default:
        break;
    }
    if (lot(2)) {
        k.vlan_tci0 = htons((uint16_t) (VLAN_TCI_PRESENT
                                        | PICK(0, 3, 4, 5, 6, 0xe004)));
        k.vlan_tpid0 = htons((uint16_t) PICK(0x8100, 0x88a8));
        if (lot(2)) {
            k.vlan_tci1 = htons((uint16_t) (VLAN_TCI_PRESENT
                                            | PICK(0, 3, 4, 0x2005)));
            k.vlan_tpid1 = htons((uint16_t) PICK(0x8100, 0x9100));
        }
    }
    k.dl_type = htons((uint16_t) PICK(0x800, 0x800, 0x86dd, 0x806, 0x88cc));
    is_ip = k.dl_type == htons(0x800) || k.dl_type == htons(0x86dd);
    k.nw_proto = is_ip ? (uint8_t) PICK(17, 17, 47, 6, 1)
                 : k.dl_type == htons(0x806) ? (uint8_t) PICK(1, 2, 17, 47)
                 : 0;
    k.nw_frag = is_ip && !lot(4) ? (uint8_t) PICK(1, 3) : 0;
    k.nw_tos = is_ip ? (uint8_t) lot(256) : 0;
    k.nw_ttl = is_ip ? (uint8_t) lot(256) : 0;
    k.nw_src = htonl(PICK(0xc0000201, 0xc0000202, 0x0a000001));
    k.nw_dst = htonl(PICK(0xc0000201, 0xc0000202, 0x0a000001));
    k.tp_src = htons((uint16_t) PICK(4789, 40000));
    k.tp_dst = htons((uint16_t) PICK(4789, 4789, 4788, 53));
    if (!flow_key_has_ports(&k)) {
        k.tp_src = k.tp_dst = 0;
    }
    if (k.dl_type == htons(0x86dd)) {
        k.parts = FLOW_PART_IPV6;
        inet_pton(AF_INET6, lot(2) ? "2001:db8::1" : "2001:db8::2",
                  &k.ipv6_dst);
    }
    if (k.dl_type != htons(0x800) && k.dl_type != htons(0x806)) {
        k.nw_src = k.nw_dst = 0;
    }
    if (k.dl_type == htons(0x806)) {
        k.parts |= FLOW_PART_ND;
        k.arp_sha[0] = (uint8_t) lot(256);
    }
    if (k.in_port == 2 || k.in_port == 3) {
        k.parts |= FLOW_PART_TUN;
        k.tun_id = htobe64(PICK(0, 7, 8));
        k.tun_flags = k.tun_id ? FLOW_TUN_KEY : 0;
        k.tun_ttl = (uint8_t) lot(256);
    }
    *key = k;
}

/* What of 'b' a flow made for 'a' cannot tell from 'a': the bits outside of
 * the mask are b's.  False when that is no packet. */
static bool
mix(struct flow_key *out, const struct flow_key *a, const struct flow_key *b,
    const struct flow_mask *mask)
{
    struct flow_mask inverse;
    struct flow_key part;
    struct flow_key exact;
    struct flow_mask all;

    for (size_t i = 0; i < sizeof inverse; i++) {
        ((uint8_t *) &inverse)[i] = (uint8_t) ~((const uint8_t *) mask)[i];
    }
    flow_key_apply_mask(out, a, mask);
    flow_key_apply_mask(&part, b, &inverse);
    for (size_t i = 0; i < sizeof part; i++) {
        ((uint8_t *) out)[i] |= ((const uint8_t *) &part)[i];
    }
    out->parts = a->parts;
    out->pad0 = 0;
    out->pad1 = out->pad2 = out->pad3 = out->pad4 = 0;

    /* A packet has no fields that do not apply to it: the parser's rule, as
     * flow_mask_init_exact() knows it. */
    flow_mask_init_exact(&all, out);
    flow_key_apply_mask(&exact, out, &all);
    exact.nw_frag &= exact.nw_frag & FLOW_FRAG_ANY ? 3 : 0;
    if (!flow_key_has_ports(&exact)) {
        exact.tp_src = exact.tp_dst = 0;
    }
    *out = exact;
    flow_key_apply_mask(&part, out, mask);
    flow_key_apply_mask(&exact, a, mask);
    return !memcmp(&part, &exact, sizeof part);
}

static void
test_masks(void)
{
    struct underlay_state way = bridge_way();
    struct underlay_state host = bridge_way();
    struct xenv_port ports[] = {
        { .bridge = "br0", .no = 1 },
        { .bridge = "br0", .no = 2, .tnl = VXLAN, .way = &way },
        { .bridge = "br0", .no = 3, .way = &host,
          .tnl = "gre:remote_ip=192.0.2.9,key=flow" },
        { .bridge = "br0", .no = 4, .mode = VLAN_ACCESS, .tag = 5 },
        { .bridge = "br-phy", .no = 8 },
        { .bridge = "br-phy", .no = 9, .mode = VLAN_ACCESS, .tag = 4,
          .addrs = "192.0.2.1 2001:db8::1" },
        { .bridge = "br-phy", .no = 10, .mode = VLAN_NATIVE_UNTAGGED,
          .tag = 3, .addrs = "192.0.2.2 2001:db8::2" },
        { .bridge = "br-phy", .no = 7, .peer = "12", .mode = VLAN_ACCESS,
          .tag = 3 },
        { .bridge = "b", .no = 12, .peer = "7" },
        { .bridge = "b", .no = 13, .mode = VLAN_ACCESS, .tag = 4 },
        { .bridge = "b", .no = 14, .peer = "24", .mode = VLAN_TRUNK,
          .trunks = "4 5" },
        { .bridge = "c", .no = 24, .peer = "14",
          .mode = VLAN_NATIVE_TAGGED, .tag = 4 },
        { .bridge = "c", .no = 25, .addrs = "192.0.2.1" },
    };
    unsigned int n_tried = 0, n_pops = 0, n_drops = 0;

    host.kind = UNDERLAY_HOST;
    xenv_publish(ports, ARRAY_SIZE(ports), HOSTIP);
    for (unsigned int i = 0; i < 60; i++) {
        struct flow_key key;

        random_key(&key);
        xenv_outputs(&key);     /* Somebody has been learned. */
    }
    for (unsigned int i = 0; i < 20000; i++) {
        struct flow_key a, b, mixed;
        struct xenv_answer of_a, of_mixed;

        random_key(&a);
        random_key(&b);
        xenv_translate(&a, false, &of_a);
        n_pops += strstr(str_cstr(&of_a.outputs), "pop") != NULL;
        n_drops += strstr(str_cstr(&of_a.outputs), "drop") != NULL;
        CU_ASSERT(of_a.trace.len > 0);
        for (unsigned int j = 0; j < 4; j++) {
            if (j) {
                random_key(&b);
            }
            if (!mix(&mixed, &a, &b, &of_a.up.mask)) {
                continue;
            }
            n_tried++;
            xenv_translate(&mixed, false, &of_mixed);
            if (of_a.up.actions.len != of_mixed.up.actions.len
                || memcmp(of_a.up.actions.data, of_mixed.up.actions.data,
                          of_a.up.actions.len)
                || memcmp(&of_a.up.mask, &of_mixed.up.mask,
                          sizeof of_a.up.mask)) {
                struct str s = STR_INIT;

                flow_format(&s, &a, NULL, NULL, NULL);
                str_append(&s, "\n and ");
                flow_format(&s, &mixed, NULL, NULL, NULL);
                str_append(&s, "\n mask ");
                flow_format(&s, &a, &of_a.up.mask, NULL, NULL);
                printf("    %s\n %s\n %s\n", str_cstr(&s),
                       str_cstr(&of_a.actions), str_cstr(&of_mixed.actions));
                str_fini(&s);
                CU_FAIL_FATAL("a mask that hides what was looked at");
            }
            xenv_answer_fini(&of_mixed);
        }
        xenv_answer_fini(&of_a);
    }
    /* Enough of each happened. */
    CU_ASSERT(n_tried > 20000);
    CU_ASSERT(n_pops > 100);
    CU_ASSERT(n_drops > 1000);
    xenv_end();
}

void
suite_xlate_mask(void)
{
    CU_pSuite suite = CU_add_suite("xlate_mask", NULL, NULL);

    CU_add_test(suite, "masks", test_masks);
}
