/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/tnl/tnl_map.c: the order of preference, and a comparison with
 * a list that is searched from end to end. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/tnl/tnl_map.h"
#include "tests/unit/tnl/tnl_test.h"

void suite_tnl_map(void);

static struct tnl_md
make_md(const char *type, const char *src, const char *dst, uint64_t id)
{
    struct tnl_md md;

    memset(&md, 0, sizeof md);
    md.type = tnl_type_from_name(type);
    md.dst_port = tnl_ops_get(md.type)->default_port;
    md.id = htobe64(id);
    md.src = flow_addr_from_ip4(inet_addr(src));
    md.dst = flow_addr_from_ip4(inet_addr(dst));
    return md;
}

/* Ports 1, 2, ... in Open vSwitch's order: each is found when those before it
 * are gone. */
static void
test_order(void)
{
    static const char *const options[] = {
        "remote_ip=192.0.2.2,local_ip=192.0.2.1,in_key=5",
        "remote_ip=192.0.2.2,in_key=5",
        "remote_ip=flow,local_ip=192.0.2.1,in_key=5",
        "remote_ip=flow,in_key=5",
        "remote_ip=flow,local_ip=flow,in_key=5",
        "remote_ip=192.0.2.2,local_ip=192.0.2.1,in_key=flow",
        "remote_ip=192.0.2.2,in_key=flow",
        "remote_ip=flow,local_ip=192.0.2.1,in_key=flow",
        "remote_ip=flow,in_key=flow",
        "remote_ip=flow,local_ip=flow,in_key=flow",
    };
    enum { N = ARRAY_SIZE(options) };
    struct tnl_map_entry entries[N];
    struct tnl_md md = make_md("gre", "192.0.2.2", "192.0.2.1", 5);

    /* The last comes first in the list: order in it does not count. */
    for (size_t i = 0; i < N; i++) {
        memset(&entries[N - 1 - i], 0, sizeof entries[0]);
        entries[N - 1 - i].cfg = tnl_test_cfg("gre", options[i]);
        entries[N - 1 - i].port = (uint32_t) i + 1;
    }
    for (size_t n = N + 1; n-- > 0; ) {
        struct tnl_map *map = tnl_map_create(entries, n);

        CU_ASSERT_EQUAL(tnl_map_find(map, &md),
                        n ? entries[n - 1].port : PORT_NONE);
        tnl_map_destroy(map);
    }
}

static void
check_one(const char *type, const char *options, const struct tnl_md *md,
          bool want)
{
    struct tnl_map_entry entry;
    struct tnl_map *map;

    memset(&entry, 0, sizeof entry);
    entry.cfg = tnl_test_cfg(type, options);
    entry.port = 9;
    map = tnl_map_create(&entry, 1);
    CU_ASSERT_EQUAL(tnl_map_find(map, md), want ? 9 : PORT_NONE);
    tnl_map_destroy(map);
}

static void
test_accepts(void)
{
    struct tnl_md none = make_md("gre", "192.0.2.2", "192.0.2.1", 0);
    struct tnl_md zero = none;
    struct tnl_md five = make_md("gre", "192.0.2.2", "192.0.2.1", 5);
    struct tnl_md other = make_md("gre", "192.0.2.3", "192.0.2.1", 0);
    struct tnl_md vni = make_md("vxlan", "192.0.2.2", "192.0.2.1", 0);

    /* No key is key 0, and the other way round. */
    zero.flags = five.flags = FLOW_TUN_KEY;
    check_one("gre", "remote_ip=192.0.2.2", &none, true);
    check_one("gre", "remote_ip=192.0.2.2", &zero, true);
    check_one("gre", "remote_ip=192.0.2.2,in_key=0", &none, true);
    check_one("gre", "remote_ip=192.0.2.2", &five, false);
    check_one("gre", "remote_ip=192.0.2.2,key=5", &five, true);
    check_one("gre", "remote_ip=192.0.2.2,key=5", &none, false);
    check_one("gre", "remote_ip=192.0.2.2,key=flow", &none, true);
    check_one("gre", "remote_ip=192.0.2.2,key=flow", &five, true);
    check_one("gre", "remote_ip=192.0.2.2,out_key=5", &none, true);
    check_one("gre", "remote_ip=192.0.2.2", &other, false);
    check_one("gre", "remote_ip=flow", &other, true);
    check_one("gre", "remote_ip=192.0.2.2,local_ip=192.0.2.9", &none, false);
    check_one("gre", "remote_ip=192.0.2.2", &vni, false);
    check_one("vxlan", "remote_ip=192.0.2.2", &vni, true);
    vni.dst_port = 8472;
    check_one("vxlan", "remote_ip=192.0.2.2", &vni, false);
    check_one("vxlan", "remote_ip=192.0.2.2,dst_port=8472", &vni, true);
}

static void
test_claims(void)
{
    struct tnl_map_entry entries[3];
    struct tnl_map *map = tnl_map_create(NULL, 0);
    tnl_type gre = tnl_type_from_name("gre");
    tnl_type vxlan = tnl_type_from_name("vxlan");

    CU_ASSERT_EQUAL(tnl_map_claims(map, IPPROTO_GRE, 0), TNL_TYPE_NONE);
    CU_ASSERT_EQUAL(tnl_map_claims(map, IPPROTO_UDP, 4789), TNL_TYPE_NONE);
    tnl_map_destroy(map);

    memset(entries, 0, sizeof entries);
    entries[0].cfg = tnl_test_cfg("vxlan", "remote_ip=192.0.2.2");
    entries[1].cfg = tnl_test_cfg("vxlan", "remote_ip=flow,dst_port=8472");
    entries[2].cfg = tnl_test_cfg("gre", "remote_ip=192.0.2.2");
    for (size_t n = 1; n <= 3; n++) {
        map = tnl_map_create(entries, n);
        for (unsigned int port = 0; port <= UINT16_MAX; port++) {
            bool want = port == 4789 || (port == 8472 && n >= 2);

            CU_ASSERT_EQUAL(tnl_map_claims(map, IPPROTO_UDP, (uint16_t) port),
                            want ? vxlan : TNL_TYPE_NONE);
        }
        for (unsigned int proto = 0; proto <= UINT8_MAX; proto++) {
            tnl_type want = (proto == IPPROTO_UDP ? vxlan
                             : proto == IPPROTO_GRE && n >= 3 ? gre
                             : TNL_TYPE_NONE);

            CU_ASSERT_EQUAL(tnl_map_claims(map, (uint8_t) proto, 4789), want);
        }
        CU_ASSERT_EQUAL(tnl_map_claims(map, IPPROTO_GRE, 0),
                        n >= 3 ? gre : TNL_TYPE_NONE);
        tnl_map_destroy(map);
    }
}

/* How well the port fits, the higher the better; -1 not at all. */
static int
naive_rank(const struct tnl_cfg *cfg, const struct tnl_md *md)
{
    if (cfg->type != md->type || cfg->dst_port != md->dst_port) {
        return -1;
    }
    if (!cfg->in_key_flow && cfg->in_key != md->id) {
        return -1;
    }
    if (!cfg->remote_flow
        && memcmp(&cfg->remote, &md->src, sizeof cfg->remote)) {
        return -1;
    }
    if (cfg->has_local && memcmp(&cfg->local, &md->dst, sizeof cfg->local)) {
        return -1;
    }
    return (!cfg->in_key_flow * 8 + !cfg->remote_flow * 4
            + (cfg->has_local ? 2 : cfg->local_flow ? 0 : 1));
}

static uint32_t
naive_find(const struct tnl_map_entry *entries, size_t n,
           const struct tnl_md *md)
{
    uint32_t best = PORT_NONE;
    int best_rank = -1;

    for (size_t i = 0; i < n; i++) {
        int rank = naive_rank(&entries[i].cfg, md);

        if (rank > best_rank) {
            best_rank = rank;
            best = entries[i].port;
        }
    }
    return best;
}

/* Out of small sets, so that things meet. */
static struct in6_addr
random_addr(void)
{
    struct in6_addr addr = {{{0x20, 0x01, 0x0d, 0xb8}}};
    uint32_t random = tnl_test_random();

    if (random & 1) {
        return flow_addr_from_ip4(htonl(0xc0000200 + (random >> 8) % 6));
    }
    addr.s6_addr[15] = (random >> 8) % 6;
    return addr;
}

static void
random_identity(tnl_type *type, uint16_t *dst_port, be64 *key)
{
    *type = (tnl_type) (tnl_test_random() % tnl_n_types());
    *dst_port = tnl_ops_get(*type)->default_port;
    if (*dst_port) {
        *dst_port = (uint16_t) (*dst_port + tnl_test_random() % 3);
    }
    *key = htobe64(tnl_test_random() % 5);
}

static struct tnl_cfg
random_cfg(void)
{
    uint32_t random = tnl_test_random();
    struct tnl_cfg cfg;

    memset(&cfg, 0, sizeof cfg);
    random_identity(&cfg.type, &cfg.dst_port, &cfg.in_key);
    if (random & 3) {
        cfg.in_key_present = cfg.in_key != 0;
    } else {
        cfg.in_key_flow = true;
        cfg.in_key = 0;
    }
    if (random & 4) {
        cfg.remote_flow = true;
        cfg.local_flow = random & 8;
    } else {
        cfg.remote = random_addr();
    }
    if (!cfg.local_flow && random & 16) {
        cfg.has_local = true;
        cfg.local = random_addr();
    }
    return cfg;
}

static void
test_random(void)
{
    enum { MAX = 300 };
    static struct tnl_map_entry entries[MAX];
    unsigned int n_found = 0, n_none = 0;

    for (unsigned int round = 0; round < 400; round++) {
        size_t n = round % 4 ? tnl_test_random() % 12
                   : tnl_test_random() % MAX;
        struct tnl_map *map;

        for (size_t i = 0; i < n; i++) {
            memset(&entries[i], 0, sizeof entries[i]);
            entries[i].cfg = random_cfg();
            entries[i].port = tnl_test_random() | 1;
        }
        map = tnl_map_create(entries, n);
        for (unsigned int i = 0; i < 500; i++) {
            struct tnl_md md;
            uint32_t port;

            memset(&md, 0, sizeof md);
            random_identity(&md.type, &md.dst_port, &md.id);
            md.flags = (uint16_t) tnl_test_random();
            md.tos = (uint8_t) tnl_test_random();
            md.src = random_addr();
            md.dst = random_addr();
            port = tnl_map_find(map, &md);
            CU_ASSERT_EQUAL(port, naive_find(entries, n, &md));
            if (port == PORT_NONE) {
                n_none++;
            } else {
                const struct tnl_ops *ops = tnl_ops_get(md.type);

                n_found++;
                CU_ASSERT_EQUAL(tnl_map_claims(map, ops->ip_proto,
                                               md.dst_port), md.type);
            }
        }
        tnl_map_destroy(map);
    }

    /* Both must have been tried in earnest. */
    CU_ASSERT(n_found > 20000);
    CU_ASSERT(n_none > 20000);
}

void
suite_tnl_map(void)
{
    CU_pSuite suite = CU_add_suite("tnl_map", NULL, NULL);

    CU_add_test(suite, "order of preference", test_order);
    CU_add_test(suite, "what a port accepts", test_accepts);
    CU_add_test(suite, "claims", test_claims);
    CU_add_test(suite, "as a list would have it", test_random);
}
