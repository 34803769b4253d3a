/* SPDX-License-Identifier: Apache-2.0 */

/* apply_pipeline.c - builds the immutable pipeline out of what runs.
 *
 * Publishing makes every flow be translated again, so a pipeline that says
 * the same as the last one is thrown away: a digest of all that it says tells.
 */

#include "datapath/dp.h"
#include "lib/base/str.h"
#include "lib/tnl/tnl_map.h"
#include "vswitchd/apply_private.h"
#include "vswitchd/nlmon.h"
#include "vswitchd/underlay.h"

/* What was published last, as bytes. */
static char *published;
static size_t published_len;

static bool
is_in(const struct run_iface *iface)
{
    return iface->vport && !iface->is_closing;
}

/* --- ports --- */

static uint64_t *
copy_vlans(const uint64_t *bitmap)
{
    return bitmap ? xmemdup(bitmap, VLAN_BITMAP_WORDS * sizeof *bitmap)
           : NULL;
}

static void
set_vlans(struct pl_port *port, const struct cfg_vlan *v)
{
    port->vlan_mode = v->vlan_mode;
    port->tag = v->vid;
    if (v->vlan_mode != VLAN_ACCESS && v->trunks) {
        uint64_t *trunks = copy_vlans(v->trunks);

        /* The native VLAN is always carried. */
        if (v->vlan_mode != VLAN_TRUNK) {
            trunks[v->vid / 64] |= UINT64_C(1) << v->vid % 64;
        }
        port->trunks = trunks;
    }
}

static void
set_internal(struct pl_port *port, const struct run_iface *iface)
{
    const struct nlmon_link *link = nlmon_link_by_index(iface->ifindex);
    struct in6_addr *addrs;

    port->is_internal = true;
    memcpy(port->mac, link ? link->mac : iface->vport->mac, 6);
    port->n_addrs = underlay_get_addrs(iface->ifindex, &addrs);
    port->addrs = addrs;
}

static void
build_port(struct pl_port *port, struct pl_bridge *bridge,
           const struct run_iface *iface)
{
    const struct cfg_iface *cfg = iface->cfg;

    port->bridge = bridge;
    port->name = xstrdup(iface->name);
    port->ofport = iface->ofport;
    port->dp_port = iface->vport->port_no;
    port->kind = cfg->kind == CFG_TUNNEL ? PL_TUNNEL
                 : cfg->kind == CFG_PATCH ? PL_PATCH : PL_DEVICE;
    set_vlans(port, &cfg->vlan);
    if (cfg->kind == CFG_INTERNAL) {
        set_internal(port, iface);
    } else if (cfg->kind == CFG_TUNNEL) {
        port->tnl = xmemdup(&cfg->tnl, sizeof cfg->tnl);
        port->underlay = iface->underlay;
    }
}

static void
build_bridge(struct pl_bridge *bridge, const struct run_bridge *run)
{
    struct run_iface **ifaces;
    size_t n;

    bridge->name = xstrdup(run->name);
    bridge->macs = run->macs;
    bridge->forward_bpdu = run->cfg->forward_bpdu;
    bridge->flood_vlans = copy_vlans(run->cfg->flood_vlans);
    ifaces = running_sort_ifaces(run, &n);
    bridge->ports = xcalloc(n + 1, sizeof *bridge->ports);
    for (size_t i = 0; i < n; i++) {
        if (is_in(ifaces[i])) {
            build_port(&bridge->ports[bridge->n_ports++], bridge, ifaces[i]);
        }
    }
    free(ifaces);
}

static void
index_ports(struct pipeline *pl)
{
    uint32_t max = 0;

    for (size_t i = 0; i < pl->n_bridges; i++) {
        for (size_t j = 0; j < pl->bridges[i].n_ports; j++) {
            max = MAX(max, pl->bridges[i].ports[j].dp_port);
        }
    }
    pl->n_by_dp_port = max + 1;
    pl->by_dp_port = xcalloc(pl->n_by_dp_port, sizeof *pl->by_dp_port);
    for (size_t i = 0; i < pl->n_bridges; i++) {
        for (size_t j = 0; j < pl->bridges[i].n_ports; j++) {
            struct pl_port *port = &pl->bridges[i].ports[j];

            pl->by_dp_port[port->dp_port] = port;
        }
    }
}

/* Joins patch ports that name each other. */
static void
join_patches(struct pipeline *pl)
{
    struct run_iface *i;

    HMAP_FOR_EACH (i, node, &running.ifaces) {
        struct run_iface *peer;

        if (!is_in(i) || i->cfg->kind != CFG_PATCH) {
            continue;
        }
        peer = running_find_iface(i->cfg->peer);
        if (peer && is_in(peer) && peer->cfg->kind == CFG_PATCH
            && !strcmp(peer->cfg->peer, i->name)) {
            pl->by_dp_port[i->vport->port_no]->peer =
                pl->by_dp_port[peer->vport->port_no];
        }
    }
}

/* --- tunnels --- */

static struct tnl_map_entry *
collect_tunnels(const struct pipeline *pl, size_t *n)
{
    struct tnl_map_entry *entries = xcalloc(pl->n_by_dp_port + 1,
                                            sizeof *entries);

    *n = 0;
    for (size_t i = 0; i < pl->n_by_dp_port; i++) {
        const struct pl_port *port = pl->by_dp_port[i];

        if (port && port->kind == PL_TUNNEL) {
            entries[*n].cfg = *port->tnl;
            entries[*n].port = port->dp_port;
            (*n)++;
        }
    }
    return entries;
}

/* --- the digest --- */

#define DIGEST(S, VALUE) str_append_n(S, &(VALUE), sizeof (VALUE))

static void
digest_vlans(struct str *s, const uint64_t *vlans)
{
    bool any = vlans != NULL;

    DIGEST(s, any);
    if (any) {
        str_append_n(s, vlans, VLAN_BITMAP_WORDS * sizeof *vlans);
    }
}

static void
digest_port(struct str *s, const struct pl_port *port)
{
    uint32_t peer = port->peer ? port->peer->dp_port : PORT_NONE;

    str_append_n(s, port->name, strlen(port->name) + 1);
    DIGEST(s, port->kind);
    DIGEST(s, port->ofport);
    DIGEST(s, port->dp_port);
    DIGEST(s, port->is_internal);
    DIGEST(s, port->mac);
    DIGEST(s, port->n_addrs);
    if (port->n_addrs) {
        str_append_n(s, port->addrs, port->n_addrs * sizeof *port->addrs);
    }
    DIGEST(s, port->vlan_mode);
    DIGEST(s, port->tag);
    digest_vlans(s, port->trunks);
    DIGEST(s, peer);
    DIGEST(s, port->underlay);
    if (port->tnl) {
        str_append_n(s, port->tnl, sizeof *port->tnl);
    }
}

static void
digest_pipeline(struct str *s, const struct pipeline *pl)
{
    DIGEST(s, pl->n_bridges);
    DIGEST(s, pl->hostip_port);
    for (size_t i = 0; i < pl->n_bridges; i++) {
        const struct pl_bridge *bridge = &pl->bridges[i];

        str_append_n(s, bridge->name, strlen(bridge->name) + 1);
        DIGEST(s, bridge->macs);
        DIGEST(s, bridge->forward_bpdu);
        digest_vlans(s, bridge->flood_vlans);
        DIGEST(s, bridge->n_ports);
        for (size_t j = 0; j < bridge->n_ports; j++) {
            digest_port(s, &bridge->ports[j]);
        }
    }
}

/* --- all together --- */

static struct pipeline *
build(void)
{
    struct pipeline *pl = xzalloc(sizeof *pl);
    struct run_bridge **bridges = running_sort_bridges(&pl->n_bridges);

    pl->bridges = xcalloc(pl->n_bridges + 1, sizeof *pl->bridges);
    for (size_t i = 0; i < pl->n_bridges; i++) {
        build_bridge(&pl->bridges[i], bridges[i]);
    }
    free(bridges);
    index_ports(pl);
    join_patches(pl);
    pl->hostip_port = running.hostip && apply_is_hostip_needed()
                      ? running.hostip->port_no : PORT_NONE;
    return pl;
}

void
apply_publish(void)
{
    struct pipeline *pl = build();
    struct tnl_map_entry *tunnels;
    struct str digest = STR_INIT;
    size_t n_tunnels;

    digest_pipeline(&digest, pl);
    if (published && digest.len == published_len
        && !memcmp(digest.data, published, published_len)) {
        pipeline_free(pl);
        str_fini(&digest);
        return;
    }
    free(published);
    published_len = digest.len;
    published = str_steal(&digest);

    tunnels = collect_tunnels(pl, &n_tunnels);
    pl->tnl_map = tnl_map_create(tunnels, n_tunnels);
    free(tunnels);
    pipeline_publish(pl);

    /* Only now: the pipeline before held the map before, which goes here. */
    dp_set_tnl_map(pl->tnl_map);
}

void
apply_forget_published(void)
{
    free(published);
    published = NULL;
    published_len = 0;
}
