/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/flow/action.c and action_text.c: lists and their text. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/action.h"
#include "lib/pkt/wire.h"

void suite_action(void);

static const char *
name_reason(uint32_t reason)
{
    return reason == 7 ? "storm" : NULL;
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
check_text(const struct action_list *list, const char *expected)
{
    struct str s = STR_INIT;

    action_format(&s, list->data, list->len, NULL, NULL, NULL);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), expected);
    str_fini(&s);
}

static void
test_build(void)
{
    static const uint8_t mac[6] = {0, 0x11, 0x22, 0x33, 0x44, 0x55};
    static const uint8_t all[16] = {[0 ... 15] = 0xff};
    struct action_list list;
    const struct action *a;
    unsigned int n = 0;

    action_list_init(&list);
    check_text(&list, "drop");
    action_put_push_vlan(&list, htons(ETH_TYPE_VLAN), htons(0xf003));
    action_put_output(&list, 2);
    action_put_pop_vlan(&list);
    action_put_set(&list, offsetof(struct flow_key, dl_src), 6, mac, all);
    action_put_tnl_pop(&list, tnl_type_from_name("gre"));
    action_put_drop(&list, 3);
    check_text(&list, "push_vlan(vid=3,pcp=7),2,pop_vlan,"
               "set(eth(src=00:11:22:33:44:55)),tnl_pop(gre),drop(3)");

    ACTION_FOR_EACH (a, list.data, list.len) {
        CU_ASSERT_EQUAL((uintptr_t) a % 8, 0);
        CU_ASSERT_EQUAL(a->len % 8, 0);
        n++;
    }
    CU_ASSERT_EQUAL(n, 6);
    action_list_clear(&list);
    CU_ASSERT_EQUAL(list.len, 0);
    action_list_fini(&list);
}

static void
test_clone(void)
{
    struct action_list list;
    const struct action_clone *clone;
    const struct action_output *out;
    uint32_t outer, inner;

    action_list_init(&list);
    outer = action_begin_clone(&list);
    action_put_pop_vlan(&list);
    inner = action_begin_clone(&list);
    action_put_output(&list, 1);
    action_end_clone(&list, inner);
    action_put_output(&list, 2);
    action_end_clone(&list, outer);
    action_put_output(&list, 3);
    check_text(&list, "clone(pop_vlan,clone(1),2),3");

    clone = (const struct action_clone *) (const void *) list.data;
    out = (const void *) (list.data + clone->head.len);
    CU_ASSERT_EQUAL(out->port, 3);
    CU_ASSERT_EQUAL(action_clone_len(clone), clone->head.len - 8u);

    /* An empty one leaves nothing behind, nor do empty ones in it. */
    action_list_clear(&list);
    outer = action_begin_clone(&list);
    inner = action_begin_clone(&list);
    action_end_clone(&list, inner);
    action_end_clone(&list, outer);
    CU_ASSERT_EQUAL(list.len, 0);
    action_list_fini(&list);
}

/* Grows onto the heap, keeps what it has, and stops whole at 64 kB. */
static void
test_overflow(void)
{
    struct action_list list;
    const struct action *a;
    uint32_t mark, n = 0;

    action_list_init(&list);
    mark = action_begin_clone(&list);
    for (uint32_t i = 1; i <= 5000; i++) {
        action_put_output(&list, i);
    }
    CU_ASSERT(list.overflow);
    CU_ASSERT(list.len <= UINT16_MAX);
    action_put_pop_vlan(&list);     /* Would fit, but after what? */
    action_end_clone(&list, mark);

    ACTION_FOR_EACH (a, list.data, list.len) {
        const struct action_clone *clone = (const void *) a;
        const struct action *b;

        CU_ASSERT_EQUAL(a->type, ACTION_CLONE);
        CU_ASSERT_EQUAL(a->len, list.len);
        ACTION_FOR_EACH (b, action_clone_data(clone),
                         action_clone_len(clone)) {
            n++;
            if (((const struct action_output *) (const void *) b)->port != n
                || b->type != ACTION_OUTPUT) {
                CU_FAIL("a record is not what was put");
                break;
            }
        }
    }
    CU_ASSERT(n > 4000);

    CU_ASSERT_EQUAL(action_begin_clone(&list), UINT32_MAX);
    action_end_clone(&list, UINT32_MAX);
    action_list_clear(&list);
    CU_ASSERT(!list.overflow);
    action_put_output(&list, 9);
    check_text(&list, "9");
    action_list_fini(&list);
}

/* Texts that come back as they were. */
static void
test_round_trip(void)
{
    static const char *const texts[] = {
        "drop",
        "2",
        "push_vlan(vid=3,pcp=0),2,pop_vlan,5",
        "push_vlan(tpid=0x88a8,vid=5,pcp=2),1",
        "set(eth(src=00:11:22:33:44:55)),set(eth(dst=00:00:00:00:00:01)),1",
        "set(eth(src=01:00:00:00:00:00/01:00:00:00:00:00)),1",
        "set(ipv4(src=1.2.3.4)),set(ipv4(dst=1.2.0.0/255.255.0.0)),1",
        "set(ip(tos=0x1c/0xfc)),set(ip(ttl=63)),1",
        "set(ipv6(src=fc00::9)),set(ipv6(dst=fc00::/ffff::)),1",
        "set(ipv6(label=0x7)),1",
        "set(tp(src=7)),set(tp(dst=0x1/0xff)),1",
        "set(arp(sha=00:00:00:00:00:01)),set(arp(tha=00:00:00:00:00:02)),1",
        "set(nd(target=fc00::9)),1",
        "set(vlan(vid=5,pcp=1)),set(vlan(pcp=2)),1",
        "clone(pop_vlan,1,clone(set(ip(ttl=1)),2)),3",
        "tnl_pop(gre)",
        "tnl_pop(vxlan)",
        "drop(7)",
    };
    struct action_list list;
    size_t i;

    action_list_init(&list);
    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        char *error = action_parse(texts[i], NULL, NULL, &list);

        CU_ASSERT_PTR_NULL(error);
        if (error) {
            printf("%s: %s\n", texts[i], error);
            free(error);
        } else if (!strstr(texts[i], "0x1/")) {
            check_text(&list, texts[i]);
        } else {
            check_text(&list, "set(tp(src=7)),set(tp(dst=1/0xff)),1");
        }
    }
    action_list_fini(&list);
}

/* What Open vSwitch 3.1 printed. */
static void
test_ovs_text(void)
{
    struct action_list list;
    char *error;

    action_list_init(&list);
    error = action_parse("set(eth(src=00:11:22:33:44:55)),"
                         "set(ipv4(dst=1.2.3.4,tos=0x1c/0xfc)),"
                         "set(udp(dst=99)),push_vlan(vid=7,pcp=0),2", NULL,
                         NULL, &list);
    CU_ASSERT_PTR_NULL(error);
    free(error);
    check_text(&list, "set(eth(src=00:11:22:33:44:55)),"
               "set(ipv4(dst=1.2.3.4)),set(ip(tos=0x1c/0xfc)),"
               "set(tp(dst=99)),push_vlan(vid=7,pcp=0),2");
    error = action_parse("set(ipv6(dst=fc00::9,label=0x7)),2", NULL, NULL,
                         &list);
    CU_ASSERT_PTR_NULL(error);
    free(error);
    check_text(&list, "set(ipv6(dst=fc00::9)),set(ipv6(label=0x7)),2");
    action_list_fini(&list);
}

static void
test_set_bytes(void)
{
    struct action_list list;
    const struct action_set *a;
    char *error;

    action_list_init(&list);
    error = action_parse("set(ipv4(dst=1.2.0.0/255.255.0.0))", NULL, NULL,
                         &list);
    CU_ASSERT_PTR_NULL(error);
    free(error);
    a = (const void *) list.data;
    CU_ASSERT_EQUAL(a->head.type, ACTION_SET);
    CU_ASSERT_EQUAL(a->ofs, offsetof(struct flow_key, nw_dst));
    CU_ASSERT_EQUAL(a->n, 4);
    CU_ASSERT(!memcmp(a->value, "\1\2\0\0", 4));
    CU_ASSERT(!memcmp(a->mask, "\377\377\0\0", 4));

    error = action_parse("set(vlan(vid=5))", NULL, NULL, &list);
    CU_ASSERT_PTR_NULL(error);
    free(error);
    a = (const void *) list.data;
    CU_ASSERT_EQUAL(a->ofs, offsetof(struct flow_key, vlan_tci0));
    CU_ASSERT(!memcmp(a->value, "\x10\x05", 2));
    CU_ASSERT(!memcmp(a->mask, "\x1f\xff", 2));
    action_list_fini(&list);
}

static void
test_names(void)
{
    char name[] = "p2";
    struct action_list list;
    struct str s = STR_INIT;
    char *error;

    action_list_init(&list);
    error = action_parse("p2,3", find_port, name, &list);
    CU_ASSERT_PTR_NULL(error);
    free(error);
    action_put_drop(&list, 7);
    action_put_drop(&list, 8);
    action_format(&s, list.data, list.len, name_port, name, name_reason);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "p2,3,drop(storm),drop(8)");
    str_fini(&s);
    action_list_fini(&list);
}

static void
put_push(struct action_list *list, const char *type, const char *src,
         const char *dst, uint64_t key)
{
    struct tnl_cfg cfg;
    struct tnl_hop hop;
    struct tnl_push push;
    struct in_addr ip4;

    memset(&cfg, 0, sizeof cfg);
    memset(&hop, 0, sizeof hop);
    memset(&push, 0, sizeof push);
    cfg.type = tnl_type_from_name(type);
    cfg.df = true;
    cfg.ttl = 64;
    cfg.out_key_present = true;
    cfg.dst_port = tnl_ops_get(cfg.type)->default_port;
    memcpy(hop.eth_dst, "\xf8\xbc\x12\x44\x34\xb6", 6);
    memcpy(hop.eth_src, "\xf6\x44\x9f\xec\x9f\x42", 6);
    if (inet_pton(AF_INET, src, &ip4) == 1) {
        hop.src = flow_addr_from_ip4(ip4.s_addr);
        inet_pton(AF_INET, dst, &ip4);
        hop.dst = flow_addr_from_ip4(ip4.s_addr);
    } else {
        inet_pton(AF_INET6, src, &hop.src);
        inet_pton(AF_INET6, dst, &hop.dst);
    }
    tnl_build(&cfg, &hop, htobe64(key), 4, &push);
    action_put_tnl_push(list, &push);
}

/* As Open vSwitch 3.1 prints it, but for the number of the type, and for
 * out_port() which is an action of its own here. */
static void
test_tnl_push(void)
{
    struct action_list list;

    action_list_init(&list);
    put_push(&list, "vxlan", "1.1.2.88", "1.1.2.92", 123);
    check_text(&list, "tnl_push(tnl_port(4),header(size=50,type=vxlan,"
               "eth(dst=f8:bc:12:44:34:b6,src=f6:44:9f:ec:9f:42,"
               "dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=17,"
               "tos=0,ttl=64,frag=0x4000),udp(src=0,dst=4789,csum=0x0),"
               "vxlan(flags=0x8000000,vni=0x7b)))");
    action_list_clear(&list);
    put_push(&list, "gre", "1.1.2.88", "1.1.2.92", 456);
    check_text(&list, "tnl_push(tnl_port(4),header(size=42,type=gre,"
               "eth(dst=f8:bc:12:44:34:b6,src=f6:44:9f:ec:9f:42,"
               "dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=47,"
               "tos=0,ttl=64,frag=0x4000),"
               "gre((flags=0x2000,proto=0x6558),key=0x1c8)))");
    action_list_clear(&list);
    put_push(&list, "vxlan", "fc00::1", "fc00::2", 123);
    check_text(&list, "tnl_push(tnl_port(4),header(size=70,type=vxlan,"
               "eth(dst=f8:bc:12:44:34:b6,src=f6:44:9f:ec:9f:42,"
               "dl_type=0x86dd),ipv6(src=fc00::1,dst=fc00::2,label=0,"
               "proto=17,tclass=0x0,hlimit=64),udp(src=0,dst=4789,csum=0x0),"
               "vxlan(flags=0x8000000,vni=0x7b)))");
    action_list_fini(&list);
}

static void
test_errors(void)
{
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"", "action"},
        {",", "action"},
        {"1,", "action"},
        {"0", "\"0\""},
        {"eth9", "eth9"},
        {"fly(1)", "fly"},
        {"1)", ")"},
        {"push_vlan(vid=4096)", "4096"},
        {"push_vlan(pcp=1)", "vid"},
        {"push_vlan(vid=1", "push_vlan"},
        {"push_vlan(vid=1/0x1)", "mask"},
        {"set(eth(type=0x800))", "type"},
        {"set(ipv4(proto=6))", "proto"},
        {"set(ipv4(frag=no))", "frag"},
        {"set(tunnel(tun_id=1))", "tun_id"},
        {"set(tunnel(ipv6_src=::1))", "ipv6_src"},
        {"set(ip(tos=256))", "256"},
        {"set(ip(ttl=1)", "set"},
        {"set(ip(ttl=1", "ip"},
        {"set(ttl=1)", "ttl"},
        {"clone(1", "clone"},
        {"clone()", "action"},
        {"clone(clone(clone(clone(clone(clone(clone(clone(clone(1)))))))))",
         "nested"},
        {"tnl_pop(carrier-pigeon)", "carrier-pigeon"},
        {"drop(storm)", "storm"},
        {"1drop", "1drop"},
    };
    struct action_list list;
    struct str s = STR_INIT;
    char *error;
    size_t i;

    action_list_init(&list);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        error = action_parse(cases[i].text, NULL, NULL, &list);
        CU_ASSERT(error && strstr(error, cases[i].part));
        if (!error || !strstr(error, cases[i].part)) {
            printf("\"%s\": %s\n", cases[i].text, error ? error : "none");
        }
        free(error);
    }

    for (i = 0; i < 5000; i++) {
        str_append(&s, i ? ",1" : "1");
    }
    error = action_parse(str_cstr(&s), NULL, NULL, &list);
    CU_ASSERT(error && strstr(error, "64 kB"));
    free(error);
    str_fini(&s);
    action_list_fini(&list);
}

void
suite_action(void)
{
    CU_pSuite suite = CU_add_suite("action", NULL, NULL);

    CU_add_test(suite, "build and walk", test_build);
    CU_add_test(suite, "clone", test_clone);
    CU_add_test(suite, "overflow", test_overflow);
    CU_add_test(suite, "text: round trip", test_round_trip);
    CU_add_test(suite, "text: Open vSwitch's", test_ovs_text);
    CU_add_test(suite, "text: bytes of set", test_set_bytes);
    CU_add_test(suite, "text: names", test_names);
    CU_add_test(suite, "text: tnl_push", test_tnl_push);
    CU_add_test(suite, "text: errors", test_errors);
}
