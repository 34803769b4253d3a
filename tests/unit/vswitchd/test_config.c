/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of vswitchd/config*.c: what a row is judged to mean, and the sentence
 * for each fault.  Rows are made by hand; no database is needed. */

#include <CUnit/CUnit.h>
#include <string.h>

#include "vswitchd/config.h"

void suite_config(void);

/* A configuration with bridge br0, and one interface in it. */
static struct config *
make(const char *name, const char *type, const char *options,
     struct cfg_iface **iface)
{
    struct config *config = config_create();
    struct cfg_bridge *bridge = config_add_bridge(config, "br0");
    char *error;

    *iface = config_add_iface(bridge, name, type);
    (*iface)->uuid.parts[0] = 1;
    error = smap_parse(&(*iface)->options, options, strlen(options));
    CU_ASSERT_PTR_NULL(error);
    free(error);
    return config;
}

static struct cfg_iface *
find(const struct config *config, const char *name)
{
    for (size_t b = 0; b < config->n_bridges; b++) {
        for (size_t i = 0; i < config->bridges[b]->n_ifaces; i++) {
            if (!strcmp(config->bridges[b]->ifaces[i]->name, name)) {
                return config->bridges[b]->ifaces[i];
            }
        }
    }
    return NULL;
}

static bool
has(const char *sentence, const char *word)
{
    return sentence && strstr(sentence, word);
}

/* A sentence is one: no full stop (ovs-vsctl adds one), no newline. */
static bool
is_well_formed(const char *sentence)
{
    size_t len = strlen(sentence);

    return len && sentence[len - 1] != '.' && !strchr(sentence, '\n');
}

static void
test_types(void)
{
    static const struct {
        const char *name, *type, *options;
        enum cfg_kind kind;
        const char *class;
    } cases[] = {
        { "eth0", "", "", CFG_SYSTEM, "system" },
        { "eth0", "system", "", CFG_SYSTEM, "system" },
        { "int0", "internal", "", CFG_INTERNAL, "internal" },
        { "tap0", "tap", "", CFG_INTERNAL, "internal" },
        { "br0", "", "", CFG_INTERNAL, "internal" },
        { "br0", "internal", "", CFG_INTERNAL, "internal" },
        { "d0", "dpdk", "dpdk-devargs=net_null0", CFG_DPDK, "dpdk" },
        { "g0", "gre", "remote_ip=192.0.2.1", CFG_TUNNEL, "gre" },
        { "v0", "vxlan", "remote_ip=2001:db8::1", CFG_TUNNEL, "vxlan" },
        { "p0", "patch", "peer=other", CFG_PATCH, "patch" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cfg_iface *iface;
        struct config *config = make(cases[i].name, cases[i].type,
                                     cases[i].options, &iface);

        config_check(config);
        CU_ASSERT_PTR_NULL(iface->error);
        CU_ASSERT_EQUAL(iface->kind, cases[i].kind);
        CU_ASSERT_STRING_EQUAL(iface->class, cases[i].class);
        CU_ASSERT_EQUAL(iface->is_local, !strcmp(cases[i].name, "br0"));
        config_destroy(config);
    }
}

static void
test_refused_types_and_options(void)
{
    static const struct {
        const char *name, *type, *options, *word;
    } cases[] = {
        { "x", "nosuch", "", "nosuch" },
        { "x", "geneve", "remote_ip=192.0.2.1", "not supported yet" },
        { "x", "erspan", "remote_ip=192.0.2.1", "type erspan" },
        { "x", "GRE", "remote_ip=192.0.2.1", "unknown type" },
        { "x", "hostip", "", "unknown type" },
        { "x", "gre", "", "remote_ip" },
        { "x", "gre", "remote_ip=256.1.1.1", "remote_ip" },
        { "x", "vxlan", "remote_ip=192.0.2.1,key=16777216", "key" },
        { "x", "gre", "remote_ip=192.0.2.1,bogus=1", "bogus" },
        { "x", "patch", "", "options:peer" },
        { "x", "patch", "peer=x", "itself" },
        { "x", "patch", "peer=y,bogus=1", "bogus" },
        { "x", "system", "remote_ip=192.0.2.1", "remote_ip" },
        { "x", "internal", "peer=y", "peer" },
        { "x", "", "dpdk-devargs=net_null0", "dpdk-devargs" },
        { "sixteen-letters-", "", "", "15 bytes" },
        { "a/b", "internal", "", "slash" },
        { "a b", "", "", "blank" },
        { "..", "", "", "no device's name" },
        { "", "gre", "remote_ip=192.0.2.1", "no name" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cfg_iface *iface;
        struct config *config = make(cases[i].name, cases[i].type,
                                     cases[i].options, &iface);

        config_check(config);
        CU_ASSERT(has(iface->error, cases[i].word));
        CU_ASSERT(iface->error && is_well_formed(iface->error));
        CU_ASSERT(strset_count(&config->notes) >= 1);

        /* The bridge's own port is none the worse for it. */
        CU_ASSERT_PTR_NULL(find(config, "br0")->error);
        config_destroy(config);
    }
}

static void
test_long_tunnel_name(void)
{
    /* A tunnel is no device. */
    struct cfg_iface *iface;
    struct config *config = make("a-tunnel-with-quite-a-long-name", "gre",
                                 "remote_ip=192.0.2.1", &iface);

    config_check(config);
    CU_ASSERT_PTR_NULL(iface->error);
    config_destroy(config);
}

static void
test_vlans(void)
{
    static const struct {
        const char *mode;
        int tag;                /* -1: none. */
        enum vlan_mode vlan_mode;
        uint16_t vid;
        const char *word;       /* Of an error. */
    } cases[] = {
        { NULL, -1, VLAN_TRUNK, 0, NULL },
        { NULL, 0, VLAN_ACCESS, 0, NULL },
        { NULL, 4094, VLAN_ACCESS, 4094, NULL },
        { NULL, 4095, VLAN_ACCESS, 4095, "tag=4095" },
        { "access", 7, VLAN_ACCESS, 7, NULL },
        { "access", -1, VLAN_ACCESS, 0, NULL },
        { "trunk", -1, VLAN_TRUNK, 0, NULL },
        { "trunk", 7, VLAN_TRUNK, 0, NULL },
        { "native-tagged", 7, VLAN_NATIVE_TAGGED, 7, NULL },
        { "native-untagged", 7, VLAN_NATIVE_UNTAGGED, 7, NULL },
        { "native-untagged", -1, VLAN_NATIVE_UNTAGGED, 0, NULL },
        { "dot1q-tunnel", 7, VLAN_TRUNK, 0, "dot1q-tunnel" },
        { "nonsense", 7, VLAN_TRUNK, 0, "nonsense" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cfg_iface *iface;
        struct config *config = make("eth0", "", "", &iface);

        iface->vlan.mode = cases[i].mode ? xstrdup(cases[i].mode) : NULL;
        iface->vlan.has_tag = cases[i].tag >= 0;
        iface->vlan.tag = cases[i].tag;
        config_check(config);
        if (cases[i].word) {
            CU_ASSERT(has(iface->error, cases[i].word));
        } else {
            CU_ASSERT_PTR_NULL(iface->error);
        }
        CU_ASSERT_EQUAL(iface->vlan.vlan_mode, cases[i].vlan_mode);
        CU_ASSERT_EQUAL(iface->vlan.vid, cases[i].vid);
        config_destroy(config);
    }
}

static void
test_port_faults(void)
{
    struct cfg_iface *iface;
    struct config *config = make("eth0", "", "", &iface);

    iface->n_siblings = 2;
    config_check(config);
    CU_ASSERT(has(iface->error, "bond"));
    config_destroy(config);

    config = make("eth0", "", "", &iface);
    iface->vlan.has_cvlans = true;
    config_check(config);
    CU_ASSERT(has(iface->error, "cvlans"));
    config_destroy(config);

    config = make("eth0", "", "", &iface);
    iface->ofport_request = 65280;
    config_check(config);
    CU_ASSERT(has(iface->error, "ofport_request=65280"));
    config_destroy(config);
}

/* What a running port is not worth losing for. */
static void
test_warnings(void)
{
    struct cfg_iface *iface;
    struct config *config = make("int0", "internal", "", &iface);
    uint8_t stable[6];

    iface->mtu_request = 67;
    config_check(config);
    CU_ASSERT_PTR_NULL(iface->error);
    CU_ASSERT(has(iface->warning, "mtu_request=67"));
    CU_ASSERT_EQUAL(iface->mtu_request, 0);
    config_destroy(config);

    config = make("int0", "internal", "", &iface);
    iface->mac_text = xstrdup("01:00:00:00:00:01");
    config_check(config);
    CU_ASSERT_PTR_NULL(iface->error);
    CU_ASSERT(has(iface->warning, "mac=01:00:00:00:00:01"));
    config_stable_mac(&iface->uuid, stable);
    CU_ASSERT(iface->has_mac && !memcmp(iface->mac, stable, 6));
    config_destroy(config);

    config = make("g0", "gre", "remote_ip=192.0.2.1", &iface);
    iface->mtu_request = 1400;
    config_check(config);
    CU_ASSERT_PTR_NULL(iface->error);
    CU_ASSERT(has(iface->warning, "mtu_request"));
    config_destroy(config);

    config = make("br0", "gre", "remote_ip=192.0.2.1", &iface);
    smap_clear(&iface->options);
    config_check(config);
    CU_ASSERT_PTR_NULL(iface->error);
    CU_ASSERT(has(iface->warning, "always internal"));
    CU_ASSERT_EQUAL(iface->kind, CFG_INTERNAL);
    config_destroy(config);
}

static void
test_macs(void)
{
    static const char *const bad[] = {
        "", "1", "00:00:00:00:00:00", "01:02:03:04:05:06", "ff:ff:ff:ff:ff:ff",
        "02:00:00:00:00", "02:00:00:00:00:01:02", "02:00:00:00:00:1g",
        "02-00-00-00-00-01", " 02:00:00:00:00:01", "02:00:00:00:00:01 ",
        "02:00:00:00:00:+1", "002:00:00:00:00:01",
    };
    const uint8_t right[6] = { 0x02, 0xaB, 0, 0, 0, 1 };
    const struct uuid a = { { 1, 2, 3, 4 } }, b = { { 1, 2, 3, 5 } };
    uint8_t mac[6], other[6];

    CU_ASSERT(config_parse_mac("02:aB:00:00:00:01", mac));
    CU_ASSERT(!memcmp(mac, right, 6));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CU_ASSERT_FALSE(config_parse_mac(bad[i], mac));
    }

    config_stable_mac(&a, mac);
    config_stable_mac(&a, other);
    CU_ASSERT(!memcmp(mac, other, 6));
    CU_ASSERT_EQUAL(mac[0] & 3, 2);
    config_stable_mac(&b, other);
    CU_ASSERT(memcmp(mac, other, 6));
}

static void
test_local_port(void)
{
    struct config *config = config_create();
    struct cfg_bridge *bridge = config_add_bridge(config, "br0");
    struct cfg_iface *local;

    smap_set(&bridge->other_config, "hwaddr", "02:00:00:00:00:44");
    config_check(config);
    CU_ASSERT_EQUAL_FATAL(bridge->n_ifaces, 1);
    local = bridge->ifaces[0];
    CU_ASSERT(local->is_local);
    CU_ASSERT_PTR_NULL(local->error);
    CU_ASSERT_EQUAL(local->ofport_request, OFPORT_LOCAL);
    CU_ASSERT(local->has_mac && local->mac[5] == 0x44);
    config_destroy(config);
}

static void
test_bridges(void)
{
    struct config *config = config_create();
    struct cfg_bridge *bridge = config_add_bridge(config, "br0");
    static const char *const bad_dpids[] = {
        "", "1", "0x", "0x11112222333344445", "000000000000000g",
        "0000000000000000", "00000000000000001",
    };

    smap_set(&bridge->other_config, "mac-table-size", "5");
    smap_set(&bridge->other_config, "datapath-id", "00000000000000ab");
    smap_set(&bridge->other_config, "whatever", "x");
    config_check(config);
    CU_ASSERT_PTR_NULL(bridge->error);
    CU_ASSERT_EQUAL(bridge->mac_table_size, 10);
    CU_ASSERT_EQUAL(bridge->mac_aging_s, 300);
    CU_ASSERT(bridge->has_dpid && bridge->dpid == 0xab);
    CU_ASSERT(has(bridge->ifaces[0]->warning, "mac-table-size=5"));
    config_destroy(config);

    for (size_t i = 0; i < ARRAY_SIZE(bad_dpids); i++) {
        config = config_create();
        bridge = config_add_bridge(config, "br0");
        smap_set(&bridge->other_config, "datapath-id", bad_dpids[i]);
        config_check(config);
        CU_ASSERT_FALSE(bridge->has_dpid);
        CU_ASSERT(has(bridge->ifaces[0]->warning, "datapath-id"));
        config_destroy(config);
    }
}

/* A bridge that cannot be: each of its ports says so; the others live. */
static void
test_bad_bridges(void)
{
    static const struct {
        const char *name, *datapath_type, *word;
    } cases[] = {
        { "br1", "bogus", "bogus" },
        { "sixteen-letters-", "", "15 bytes" },
        { "a/b", "", "slash" },
        { "", "", "name" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *config = config_create();
        struct cfg_bridge *good = config_add_bridge(config, "br0");
        struct cfg_bridge *bad = config_add_bridge(config, cases[i].name);
        struct cfg_iface *port = config_add_iface(bad, "eth0", "");

        free(bad->datapath_type);
        bad->datapath_type = xstrdup(cases[i].datapath_type);
        config_check(config);
        CU_ASSERT(has(bad->error, cases[i].word));
        CU_ASSERT(has(port->error, cases[i].word));
        CU_ASSERT_PTR_NULL(good->error);
        CU_ASSERT_PTR_NULL(good->ifaces[0]->error);
        config_destroy(config);
    }
}

static void
test_names_used_twice(void)
{
    struct config *config = config_create();
    struct cfg_bridge *br0 = config_add_bridge(config, "br0");
    struct cfg_bridge *br1 = config_add_bridge(config, "br1");
    struct cfg_iface *first = config_add_iface(br0, "eth0", "");
    struct cfg_iface *second = config_add_iface(br1, "eth0", "");
    struct cfg_iface *thief = config_add_iface(br0, "br1", "internal");

    first->uuid.parts[0] = second->uuid.parts[0] = 7;
    thief->uuid.parts[0] = 8;
    config_check(config);
    CU_ASSERT_PTR_NULL(first->error);
    CU_ASSERT(has(first->warning, "twice"));    /* They share a row. */
    CU_ASSERT(has(second->error, "twice"));
    CU_ASSERT(has(thief->error, "own port of bridge br1"));
    CU_ASSERT_PTR_NULL(find(config, "br0")->error);
    for (size_t i = 0; i < br1->n_ifaces; i++) {
        if (!strcmp(br1->ifaces[i]->name, "br1")) {
            CU_ASSERT_PTR_NULL(br1->ifaces[i]->error);
        }
    }
    config_destroy(config);
}

static void
test_patch_peers(void)
{
    struct config *config = config_create();
    struct cfg_bridge *bridge = config_add_bridge(config, "br0");
    static const char *const names[] = { "a", "b", "c", "d" };
    static const char *const peers[] = { "b", "a", "a", "nobody" };
    struct cfg_iface *p[4];

    for (int i = 0; i < 4; i++) {
        p[i] = config_add_iface(bridge, names[i], "patch");
        smap_set(&p[i]->options, "peer", peers[i]);
    }
    config_check(config);
    CU_ASSERT_PTR_NULL(p[0]->warning);
    CU_ASSERT_PTR_NULL(p[1]->warning);
    CU_ASSERT(has(p[2]->warning, "has itself the peer b"));
    CU_ASSERT(has(p[3]->warning, "there is no port nobody"));
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_PTR_NULL(p[i]->error);
    }
    config_destroy(config);
}

static void
test_global(void)
{
    struct config *config = config_create();
    struct smap *other = &config->global.other_config;

    smap_set(other, "unheard-of", "1");
    config_check(config);
    CU_ASSERT_EQUAL(config->global.max_idle_ms, 10000);
    CU_ASSERT_EQUAL(config->global.stats_interval_ms, 5000);
    CU_ASSERT(strset_is_empty(&config->notes));
    config_destroy(config);

    config = config_create();
    other = &config->global.other_config;
    smap_set(other, "max-idle", "soon");
    smap_set(other, "stats-update-interval", "1");
    smap_set(other, "n-handler-threads", "4");
    smap_set(other, "dpdk-init", "false");
    config_check(config);
    CU_ASSERT_EQUAL(config->global.max_idle_ms, 10000);
    CU_ASSERT_EQUAL(config->global.stats_interval_ms, 100);
    CU_ASSERT_EQUAL(strset_count(&config->notes), 4);
    config_destroy(config);
}

void
suite_config(void)
{
    CU_pSuite s = CU_add_suite("config", NULL, NULL);

    CU_add_test(s, "types", test_types);
    CU_add_test(s, "refused types and options",
                test_refused_types_and_options);
    CU_add_test(s, "a long name of a tunnel", test_long_tunnel_name);
    CU_add_test(s, "VLANs", test_vlans);
    CU_add_test(s, "faults of the port", test_port_faults);
    CU_add_test(s, "warnings", test_warnings);
    CU_add_test(s, "MAC addresses", test_macs);
    CU_add_test(s, "the bridge's own port", test_local_port);
    CU_add_test(s, "bridges", test_bridges);
    CU_add_test(s, "bridges that cannot be", test_bad_bridges);
    CU_add_test(s, "names used twice", test_names_used_twice);
    CU_add_test(s, "patch peers", test_patch_peers);
    CU_add_test(s, "the daemon's own keys", test_global);
}
