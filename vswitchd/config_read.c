/* SPDX-License-Identifier: Apache-2.0 */

/* config_read.c - copies the database's rows into a configuration (see
 * config.h).  It judges nothing: a reference that leads nowhere, or a column
 * that is not there, reads as empty. */

#include "lib/ovsdb/ovsdb.h"
#include "vswitchd/config.h"

struct column {
    const char *table;
    const char *name;
};

/* What changes the configuration. */
static const struct column columns[] = {
    { "Open_vSwitch", "bridges" },
    { "Open_vSwitch", "next_cfg" },
    { "Open_vSwitch", "other_config" },
    { "Bridge", "name" },
    { "Bridge", "ports" },
    { "Bridge", "datapath_type" },
    { "Bridge", "other_config" },
    { "Bridge", "flood_vlans" },
    { "Bridge", "fail_mode" },
    { "Bridge", "protocols" },
    { "Bridge", "controller" },
    { "Bridge", "mirrors" },
    { "Bridge", "netflow" },
    { "Bridge", "sflow" },
    { "Bridge", "ipfix" },
    { "Bridge", "auto_attach" },
    { "Bridge", "flow_tables" },
    { "Bridge", "stp_enable" },
    { "Bridge", "rstp_enable" },
    { "Bridge", "mcast_snooping_enable" },
    { "Port", "name" },
    { "Port", "interfaces" },
    { "Port", "tag" },
    { "Port", "trunks" },
    { "Port", "cvlans" },
    { "Port", "vlan_mode" },
    { "Port", "qos" },
    { "Interface", "name" },
    { "Interface", "type" },
    { "Interface", "options" },
    { "Interface", "mtu_request" },
    { "Interface", "ofport_request" },
    { "Interface", "mac" },
    { "Interface", "ingress_policing_rate" },
    { "Interface", "ingress_policing_kpkts_rate" },
};

/* What only we write. */
static const struct column quiet_columns[] = {
    { "Open_vSwitch", "cur_cfg" },
    { "Open_vSwitch", "ovs_version" },
    { "Open_vSwitch", "dpdk_initialized" },
    { "Open_vSwitch", "dpdk_version" },
    { "Open_vSwitch", "datapath_types" },
    { "Open_vSwitch", "iface_types" },
    { "Bridge", "datapath_id" },
    { "Bridge", "datapath_version" },
    { "Bridge", "status" },
    { "Port", "status" },
    { "Interface", "ofport" },
    { "Interface", "error" },
    { "Interface", "mac_in_use" },
    { "Interface", "ifindex" },
    { "Interface", "mtu" },
    { "Interface", "admin_state" },
    { "Interface", "link_state" },
    { "Interface", "link_speed" },
    { "Interface", "link_resets" },
    { "Interface", "duplex" },
    { "Interface", "statistics" },
    { "Interface", "status" },
};

void
config_add_columns(struct ovsdb *db)
{
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_add_column(db, columns[i].table, columns[i].name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(quiet_columns); i++) {
        ovsdb_add_column_quiet(db, quiet_columns[i].table,
                               quiet_columns[i].name);
    }
}

static int64_t
get_int(const struct ovsdb_row *row, const char *column)
{
    int64_t value;

    return ovsdb_get_int(row, column, &value) ? value : 0;
}

/* A set of VLANs as a bitmap that the caller frees; NULL if it is empty. */
static uint64_t *
get_vlans(const struct ovsdb_row *row, const char *column)
{
    uint64_t *bitmap = NULL;
    int64_t *vlans;
    size_t n;

    ovsdb_get_ints(row, column, &vlans, &n);
    for (size_t i = 0; i < n; i++) {
        if (vlans[i] >= 0 && vlans[i] < 4096) {
            if (!bitmap) {
                bitmap = xcalloc(VLAN_BITMAP_WORDS, sizeof *bitmap);
            }
            bitmap[vlans[i] / 64] |= UINT64_C(1) << vlans[i] % 64;
        }
    }
    free(vlans);
    return bitmap;
}

static void
read_iface(struct cfg_bridge *bridge, const struct ovsdb_row *port,
           const struct ovsdb_row *row, size_t n_siblings)
{
    struct cfg_iface *iface = config_add_iface(
        bridge, ovsdb_get_string(row, "name", ""),
        ovsdb_get_string(row, "type", ""));
    const char *mac = ovsdb_get_string(row, "mac", NULL);
    const char *mode = ovsdb_get_string(port, "vlan_mode", NULL);

    iface->uuid = *ovsdb_row_uuid(row);
    iface->port_uuid = *ovsdb_row_uuid(port);
    free(iface->port_name);
    iface->port_name = xstrdup(ovsdb_get_string(port, "name", ""));
    ovsdb_get_smap(row, "options", &iface->options);
    iface->mtu_request = get_int(row, "mtu_request");
    iface->ofport_request = get_int(row, "ofport_request");
    iface->ofport_old = get_int(row, "ofport");
    iface->mac_text = mac && *mac ? xstrdup(mac) : NULL;
    iface->n_siblings = n_siblings;
    iface->has_policing = get_int(row, "ingress_policing_rate")
                          || get_int(row, "ingress_policing_kpkts_rate");

    iface->has_qos = ovsdb_get_count(port, "qos") != 0;
    iface->vlan.mode = mode ? xstrdup(mode) : NULL;
    iface->vlan.has_tag = ovsdb_get_int(port, "tag", &iface->vlan.tag);
    iface->vlan.trunks = get_vlans(port, "trunks");
    iface->vlan.has_cvlans = ovsdb_get_count(port, "cvlans") != 0;
}

static void
read_port(const struct ovsdb *db, struct cfg_bridge *bridge,
          const struct ovsdb_row *port)
{
    struct uuid *uuids;
    size_t n;

    ovsdb_get_uuids(port, "interfaces", &uuids, &n);
    for (size_t i = 0; i < n; i++) {
        const struct ovsdb_row *row = ovsdb_find_row(db, "Interface",
                                                     &uuids[i]);

        if (row) {
            read_iface(bridge, port, row, n);
        }
    }
    free(uuids);
}

static void
read_unsupported(struct cfg_bridge *bridge, const struct ovsdb_row *row)
{
    static const char *const sets[] = {
        "protocols", "controller", "mirrors", "netflow", "sflow", "ipfix",
        "auto_attach", "flow_tables",
    };
    static const char *const switches[] = {
        "stp_enable", "rstp_enable", "mcast_snooping_enable",
    };

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        if (ovsdb_get_count(row, sets[i])) {
            strset_add(&bridge->unsupported, sets[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
        bool on;

        if (ovsdb_get_bool(row, switches[i], &on) && on) {
            strset_add(&bridge->unsupported, switches[i]);
        }
    }
    if (!strcmp(ovsdb_get_string(row, "fail_mode", ""), "secure")) {
        strset_add(&bridge->unsupported, "fail_mode=secure");
    }
}

static void
read_bridge(const struct ovsdb *db, struct config *config,
            const struct ovsdb_row *row)
{
    struct cfg_bridge *bridge = config_add_bridge(
        config, ovsdb_get_string(row, "name", ""));
    struct uuid *ports;
    size_t n;

    bridge->uuid = *ovsdb_row_uuid(row);
    free(bridge->datapath_type);
    bridge->datapath_type = xstrdup(ovsdb_get_string(row, "datapath_type",
                                                     ""));
    ovsdb_get_smap(row, "other_config", &bridge->other_config);
    bridge->flood_vlans = get_vlans(row, "flood_vlans");
    read_unsupported(bridge, row);

    ovsdb_get_uuids(row, "ports", &ports, &n);
    for (size_t i = 0; i < n; i++) {
        const struct ovsdb_row *port = ovsdb_find_row(db, "Port", &ports[i]);

        if (port) {
            read_port(db, bridge, port);
        }
    }
    free(ports);
}

struct config *
config_read(const struct ovsdb *db)
{
    struct config *config = config_create();
    const struct ovsdb_row *root = ovsdb_first_row(db, "Open_vSwitch");
    struct uuid *bridges;
    size_t n;

    if (!root) {
        return config;
    }
    config->global.has_row = true;
    config->global.uuid = *ovsdb_row_uuid(root);
    config->global.next_cfg = get_int(root, "next_cfg");
    ovsdb_get_smap(root, "other_config", &config->global.other_config);

    ovsdb_get_uuids(root, "bridges", &bridges, &n);
    for (size_t i = 0; i < n; i++) {
        const struct ovsdb_row *row = ovsdb_find_row(db, "Bridge",
                                                     &bridges[i]);

        if (row) {
            read_bridge(db, config, row);
        }
    }
    free(bridges);
    return config;
}
