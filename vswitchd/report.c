/* SPDX-License-Identifier: Apache-2.0 */

/* report.c - writes the running state into the database (see report.h). */

#include "vswitchd/report.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "datapath/dp.h"
#include "lib/base/log.h"
#include "lib/flow/flow.h"
#include "lib/ipc/dirs.h"
#include "lib/ovsdb/ovsdb.h"
#include "vswitchd/nlmon.h"
#include "vswitchd/running.h"
#include "vswitchd/underlay.h"

LOG_MODULE(report);

/* What the server refused, to be tried again. */
static unsigned int refused;

/* --- the daemon's own row --- */

static void
write_types(struct ovsdb_txn *txn, const struct ovsdb_row *root)
{
    static const char *const datapath_types[] = { "netdev", "system" };
    const char *types[64];
    size_t n = 0;

    for (unsigned int i = 0; n < ARRAY_SIZE(types) && vport_class_type(i);
         i++) {
        types[n++] = vport_class_type(i);
    }
    ovsdb_txn_set_string_set(txn, root, "iface_types", types, n);
    ovsdb_txn_set_string_set(txn, root, "datapath_types", datapath_types,
                             ARRAY_SIZE(datapath_types));
}

static void
write_root(struct ovsdb *db, struct ovsdb_txn *txn)
{
    const struct ovsdb_row *root = ovsdb_find_row(
        db, "Open_vSwitch", &running.config->global.uuid);
    char *version;

    if (!root) {
        return;
    }
    version = xasprintf("Qanat %s", qanat_version());
    ovsdb_txn_set_string(txn, root, "ovs_version", version);
    free(version);
    ovsdb_txn_set_bool(txn, root, "dpdk_initialized", true);
    ovsdb_txn_set_string(txn, root, "dpdk_version", dp_version());
    write_types(txn, root);
    ovsdb_txn_set_int(txn, root, "cur_cfg", running.config->global.next_cfg);
}

/* --- bridges --- */

void
report_get_dpid(const struct run_bridge *b, char text[REPORT_DPID_LEN + 1])
{
    uint64_t dpid = b->cfg->dpid;

    if (!b->cfg->has_dpid) {
        dpid = 0;
        for (int i = 0; i < 6; i++) {
            dpid = dpid << 8 | b->mac[i];
        }
    }
    snprintf(text, REPORT_DPID_LEN + 1, "%016"PRIx64, dpid);
}

static void
write_bridge(struct ovsdb *db, struct ovsdb_txn *txn,
             const struct cfg_bridge *cfg)
{
    const struct ovsdb_row *row = ovsdb_find_row(db, "Bridge", &cfg->uuid);
    const struct run_bridge *b = running_find_bridge(cfg->name);
    struct smap status;

    if (!row) {
        return;
    }
    smap_init(&status);
    if (cfg->error) {
        smap_set(&status, "error", cfg->error);
    }
    ovsdb_txn_set_smap(txn, row, "status", &status);
    smap_fini(&status);
    if (b && !cfg->error) {
        char dpid[REPORT_DPID_LEN + 1];
        char *version = xasprintf("Qanat %s", qanat_version());

        report_get_dpid(b, dpid);
        ovsdb_txn_set_string(txn, row, "datapath_id", dpid);
        ovsdb_txn_set_string(txn, row, "datapath_version", version);
        free(version);
    } else {
        ovsdb_txn_set_empty(txn, row, "datapath_id");
        ovsdb_txn_set_string(txn, row, "datapath_version", "");
    }
}

/* --- interfaces --- */

static void
set_optional(struct ovsdb_txn *txn, const struct ovsdb_row *row,
             const char *column, const char *value)
{
    if (value) {
        ovsdb_txn_set_string(txn, row, column, value);
    } else {
        ovsdb_txn_set_empty(txn, row, column);
    }
}

static void
set_positive(struct ovsdb_txn *txn, const struct ovsdb_row *row,
             const char *column, int64_t value)
{
    if (value > 0) {
        ovsdb_txn_set_int(txn, row, column, value);
    } else {
        ovsdb_txn_set_empty(txn, row, column);
    }
}

static const char *
tristate(int value)
{
    return value == VPORT_YES ? "up" : value == VPORT_NO ? "down" : NULL;
}

static void
add_ip(struct smap *status, const char *key, const struct in6_addr *addr)
{
    char text[INET6_ADDRSTRLEN];

    if (flow_addr_is_ip4(addr)) {
        be32 ip4 = flow_addr_to_ip4(addr);

        inet_ntop(AF_INET, &ip4, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, addr, text, sizeof text);
    }
    smap_set(status, key, text);
}

static void
add_way(const struct run_iface *iface, struct smap *status)
{
    const struct underlay_state *st;
    const struct nlmon_link *link;

    if (!iface->underlay) {
        return;
    }
    st = underlay_get(iface->underlay);
    if (st->kind == UNDERLAY_NONE) {
        smap_set(status, "underlay", "none");
        smap_set(status, "underlay_reason", st->reason);
        return;
    }
    link = nlmon_link_by_index(st->ifindex);
    smap_set(status, "underlay",
             st->kind == UNDERLAY_BRIDGE ? "bridge" : "host");
    smap_set(status, "tunnel_egress_iface", st->ifname);
    smap_set(status, "tunnel_egress_iface_carrier",
             link && link->flags & IFF_RUNNING ? "up" : "down");
    smap_setf(status, "path_mtu", "%u", (unsigned int) st->hop.path_mtu);
    add_ip(status, "next_hop", &st->next_hop);
    add_ip(status, "local_ip", &st->hop.src);
    if (st->kind == UNDERLAY_BRIDGE && st->has_neigh) {
        const uint8_t *m = st->hop.eth_dst;

        smap_setf(status, "next_hop_mac", "%02x:%02x:%02x:%02x:%02x:%02x",
                  m[0], m[1], m[2], m[3], m[4], m[5]);
    }
}

/* A patch port or tunnel is up as far as it leads somewhere. */
static void
judge_virtual(const struct run_iface *iface, struct vport_status *st)
{
    if (iface->cfg->kind == CFG_PATCH) {
        const struct run_iface *peer = running_find_iface(iface->cfg->peer);

        st->link_up = peer && peer->vport && peer->cfg->kind == CFG_PATCH
                      && !strcmp(peer->cfg->peer, iface->name)
                      ? VPORT_YES : VPORT_NO;
        smap_set(&st->status, "peer", iface->cfg->peer);
    } else if (iface->cfg->kind == CFG_TUNNEL) {
        const char *carrier;

        add_way(iface, &st->status);
        carrier = smap_get(&st->status, "tunnel_egress_iface_carrier");
        if (iface->underlay) {
            st->link_up = carrier && !strcmp(carrier, "up") ? VPORT_YES
                          : VPORT_NO;
        }
    }
}

void
report_get_status(const struct run_iface *iface, struct vport_status *st)
{
    memset(st, 0, sizeof *st);
    st->admin_up = st->link_up = VPORT_UNKNOWN;
    smap_init(&st->status);
    iface->vport->class->get_status(iface->vport, st);
    judge_virtual(iface, st);
}

static void
write_open(struct ovsdb_txn *txn, const struct ovsdb_row *row,
           const struct run_iface *iface)
{
    struct vport_status st;
    char mac[18];

    report_get_status(iface, &st);
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", st.mac[0],
             st.mac[1], st.mac[2], st.mac[3], st.mac[4], st.mac[5]);
    set_optional(txn, row, "mac_in_use", st.has_mac ? mac : NULL);
    set_positive(txn, row, "ifindex", st.ifindex);
    set_positive(txn, row, "mtu", st.mtu);
    set_optional(txn, row, "admin_state", tristate(st.admin_up));
    set_optional(txn, row, "link_state", tristate(st.link_up));
    set_positive(txn, row, "link_speed", (int64_t) st.link_speed_bps);
    set_optional(txn, row, "duplex", !st.link_speed_bps ? NULL
                 : st.full_duplex ? "full" : "half");
    ovsdb_txn_set_int(txn, row, "link_resets", (int64_t) st.link_resets);
    ovsdb_txn_set_smap(txn, row, "status", &st.status);
    smap_fini(&st.status);
}

/* Nothing is known of what is not there, but that it is down. */
static void
write_closed(struct ovsdb_txn *txn, const struct ovsdb_row *row)
{
    static const char *const columns[] = {
        "mac_in_use", "ifindex", "mtu", "admin_state", "link_speed", "duplex",
        "link_resets", "status", "statistics",
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_txn_set_empty(txn, row, columns[i]);
    }
    ovsdb_txn_set_string(txn, row, "link_state", "down");
}

static void
write_iface_status(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                   const struct cfg_iface *cfg, const struct run_iface *iface)
{
    const char *error = iface ? running_get_error(iface) : cfg->error;
    const char *warning = iface ? running_get_warning(iface) : NULL;

    set_optional(txn, row, "error", error ? error : warning);
    ovsdb_txn_set_int(txn, row, "ofport",
                      error ? -1 : (int64_t) iface->ofport);
    if (iface && iface->vport) {
        write_open(txn, row, iface);
    } else {
        write_closed(txn, row);
    }
}

static void
write_port_status(struct ovsdb *db, struct ovsdb_txn *txn,
                  const struct cfg_iface *cfg, const struct run_iface *iface)
{
    const struct ovsdb_row *row = ovsdb_find_row(db, "Port",
                                                 &cfg->port_uuid);
    struct smap status;

    if (row) {
        smap_init(&status);
        if (!iface || !iface->vport) {
            smap_set(&status, "error",
                     iface ? running_get_error(iface) : cfg->error);
        }
        ovsdb_txn_set_smap(txn, row, "status", &status);
        smap_fini(&status);
    }
}

static void
write_iface_stats(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                  const struct run_iface *iface)
{
    enum { N_OWN = 8, N = N_OWN + REPORT_N_OFFLOAD };
    const char *keys[N + REPORT_MAX_EXTRA] = {
        "rx_packets", "rx_bytes", "rx_dropped", "rx_errors",
        "tx_packets", "tx_bytes", "tx_dropped", "tx_errors",
    };
    int64_t values[N + REPORT_MAX_EXTRA];
    uint64_t offload[REPORT_N_OFFLOAD];
    const char *names[REPORT_MAX_EXTRA];
    uint64_t extra[REPORT_MAX_EXTRA];
    char *owned[REPORT_MAX_EXTRA];
    struct report_stats s;
    unsigned int n;

    report_get_stats(iface->vport, &s);
    values[0] = (int64_t) s.rx_packets;
    values[1] = (int64_t) s.rx_bytes;
    values[2] = (int64_t) s.rx_dropped;
    values[3] = (int64_t) s.rx_errors;
    values[4] = (int64_t) s.tx_packets;
    values[5] = (int64_t) s.tx_bytes;
    values[6] = (int64_t) s.tx_dropped;
    values[7] = (int64_t) s.tx_errors;
    report_get_offload(iface->vport, offload);
    for (unsigned int i = 0; i < REPORT_N_OFFLOAD; i++) {
        keys[N_OWN + i] = report_offload_names[i];
        values[N_OWN + i] = (int64_t) offload[i];
    }
    n = report_get_extra(iface->vport, names, extra);
    for (unsigned int i = 0; i < n; i++) {
        owned[i] = xasprintf("drop_%s", names[i]);
        keys[N + i] = owned[i];
        values[N + i] = (int64_t) extra[i];
    }
    ovsdb_txn_set_int_map(txn, row, "statistics", keys, values, N + n);
    for (unsigned int i = 0; i < n; i++) {
        free(owned[i]);
    }
}

static void
write_iface(struct ovsdb *db, struct ovsdb_txn *txn,
            const struct cfg_iface *cfg, unsigned int what)
{
    const struct ovsdb_row *row = ovsdb_find_row(db, "Interface",
                                                 &cfg->uuid);
    const struct run_iface *iface = running_find_iface(cfg->name);
    bool is_here = iface && iface->cfg == cfg;

    if (!row) {
        return;
    }
    if (!is_here && iface && uuid_equal(&iface->cfg->uuid, &cfg->uuid)) {
        return;                 /* The row's other use speaks. */
    }
    if (what & REPORT_STATUS) {
        write_iface_status(txn, row, cfg, is_here ? iface : NULL);
        write_port_status(db, txn, cfg, is_here ? iface : NULL);
    }
    if (what & REPORT_STATS && is_here && iface->vport) {
        write_iface_stats(txn, row, iface);
    }
}

/* --- all together --- */

static void
on_written(struct ovsdb *db UNUSED, enum ovsdb_txn_status status,
           const char *error, void *what_)
{
    if (status == OVSDB_TXN_ERROR) {
        log_warn_rl("the database refuses what is reported: %s", error);
        refused |= (unsigned int) (uintptr_t) what_;
    }
}

void
report_write(struct ovsdb *db, unsigned int what)
{
    struct ovsdb_txn *txn;

    if (!running.config || !ovsdb_is_synced(db) || !ovsdb_has_lock(db)) {
        return;
    }
    txn = ovsdb_txn_create(db);
    for (size_t i = 0; i < running.config->n_bridges; i++) {
        const struct cfg_bridge *cfg = running.config->bridges[i];

        /* Its address may have changed with a port's. */
        if (what & (REPORT_CONFIG | REPORT_STATUS)) {
            write_bridge(db, txn, cfg);
        }
        for (size_t j = 0; j < cfg->n_ifaces; j++) {
            write_iface(db, txn, cfg->ifaces[j], what);
        }
    }
    if (what & REPORT_CONFIG) {
        write_root(db, txn);
    }
    ovsdb_txn_commit(txn, on_written, (void *) (uintptr_t) what);
}

void
report_retry(struct ovsdb *db)
{
    unsigned int what = refused;

    refused = 0;
    if (what) {
        report_write(db, what);
    }
}
