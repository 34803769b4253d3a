/* SPDX-License-Identifier: Apache-2.0 */

/* xlate.c - the slow path: what is to become of packets like this one?
 *
 * Runs inline in PMD threads on a miss, and in MAIN for a trace.  Reads the
 * pipeline, MAC tables and tunnels' ways; writes only what it learns.  Must
 * unwildcard each bit that a decision looked at, and no other. */

#include "vswitchd/xlate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/pkt/wire.h"
#include "vswitchd/underlay.h"
#include "vswitchd/xlate_private.h"

static void enter_bridge(struct xlate *, const struct pl_port *in);

void
xlate_say__(struct xlate *x, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    str_printf(x->trace, "%*s%s\n", (int) (2 * (x->depth + 1)), "", text);
}

void
xlate_refuse(struct xlate *x, enum drop_reason reason)
{
    x->reason = reason;
}

void
xlate_depend(struct xlate *x, const struct dp_dep *dep)
{
    struct dp_deps *deps = &x->out->deps;

    for (uint32_t i = 0; i < deps->n; i++) {
        if (deps->deps[i].cell == dep->cell) {
            deps->deps[i].touch |= dep->touch;
            return;
        }
    }
    if (deps->n == DP_MAX_DEPS) {
        deps->overflow = true;
        return;
    }
    deps->deps[deps->n++] = *dep;
}

/* Makes the outermost tag 'tci' (0: none), in the packet and in x->key. */
static void
commit_vlan(struct xlate *x, uint16_t tci)
{
    struct flow_key *key = &x->key;
    be16 tpid = key->vlan_tpid0;

    if (key->vlan_tci0 == htons(tci)) {
        return;
    }
    if (key->vlan_tci0) {
        action_put_pop_vlan(&x->out->actions);
        /* What the tag hid comes to light, and may be looked at next. */
        FLOW_MASK_EXACT(x->mask, vlan_tci1);
        FLOW_MASK_EXACT(x->mask, vlan_tpid0);
        key->vlan_tci0 = key->vlan_tci1;
        key->vlan_tpid0 = key->vlan_tpid1;
        key->vlan_tci1 = key->vlan_tpid1 = 0;
    } else {
        tpid = htons(ETH_TYPE_VLAN);
    }
    if (tci) {
        action_put_push_vlan(&x->out->actions, tpid, htons(tci));
        key->vlan_tci1 = key->vlan_tci0;
        key->vlan_tpid1 = key->vlan_tpid0;
        key->vlan_tci0 = htons(tci);
        key->vlan_tpid0 = tpid;
    }
}

static bool
is_address_of(const struct pl_port *port, const struct flow_key *key)
{
    for (size_t i = 0; i < port->n_addrs; i++) {
        const struct in6_addr *addr = &port->addrs[i];

        if (key->dl_type == htons(ETH_TYPE_IP4)
            ? flow_addr_is_ip4(addr) && flow_addr_to_ip4(addr) == key->nw_dst
            : !memcmp(addr, &key->ipv6_dst, sizeof *addr)) {
            return true;
        }
    }
    return false;
}

/* The type of tunnel that ends here when the packet, tagless, is handed to the
 * stack behind internal port 'port', or TNL_TYPE_NONE.  Fragments are left to
 * the stack. */
static tnl_type
ends_tunnel(struct xlate *x, const struct pl_port *port)
{
    const struct flow_key *key = &x->key;
    bool is_ip4 = key->dl_type == htons(ETH_TYPE_IP4);
    tnl_type type;

    if (!port->is_internal || key->vlan_tci0
        || (!is_ip4 && key->dl_type != htons(ETH_TYPE_IP6))
        || memcmp(key->dl_dst, port->mac, sizeof port->mac)) {
        return TNL_TYPE_NONE;
    }
    FLOW_MASK_EXACT(x->mask, nw_proto);
    FLOW_MASK_EXACT(x->mask, nw_frag);
    if (key->nw_frag) {
        return TNL_TYPE_NONE;
    }
    if (key->nw_proto == IPPROTO_UDP) {
        FLOW_MASK_EXACT(x->mask, tp_dst);
    }
    type = tnl_map_claims(x->pl->tnl_map, key->nw_proto, ntohs(key->tp_dst));
    if (type == TNL_TYPE_NONE) {
        return type;
    }
    if (is_ip4) {
        FLOW_MASK_EXACT(x->mask, nw_dst);
    } else {
        FLOW_MASK_EXACT(x->mask, ipv6_dst);
    }
    return is_address_of(port, key) ? type : TNL_TYPE_NONE;
}

static void
output_device(struct xlate *x, const struct pl_port *port)
{
    tnl_type type = x->pl->tnl_map ? ends_tunnel(x, port) : TNL_TYPE_NONE;

    if (type != TNL_TYPE_NONE) {
        xlate_say(x, "tunnel %s ends here: popped, and begun again inside",
                  tnl_ops_get(type)->name);
        action_put_tnl_pop(&x->out->actions, type);
    } else {
        xlate_say(x, "output to %s", port->name);
        action_put_output(&x->out->actions, port->dp_port);
    }
    x->n_outputs++;
}

static void
output_patch(struct xlate *x, const struct pl_port *port)
{
    uint32_t in_port = x->key.in_port;

    if (!port->peer) {
        xlate_say(x, "patch port %s has no peer", port->name);
        xlate_refuse(x, DROP_NO_PORT);
        return;
    }
    xlate_say(x, "through patch port %s", port->name);
    x->key.in_port = port->peer->dp_port;
    enter_bridge(x, port->peer);
    x->key.in_port = in_port;
}

/* The outer frame as the bridge under a tunnel sees it. */
static void
make_outer_key(struct flow_key *key, const struct tnl_hop *hop,
               const struct tnl_cfg *cfg, uint32_t in_port)
{
    memset(key, 0, sizeof *key);
    key->in_port = in_port;
    memcpy(key->dl_dst, hop->eth_dst, 6);
    memcpy(key->dl_src, hop->eth_src, 6);
    if (flow_addr_is_ip4(&hop->dst)) {
        key->dl_type = htons(ETH_TYPE_IP4);
        key->nw_src = flow_addr_to_ip4(&hop->src);
        key->nw_dst = flow_addr_to_ip4(&hop->dst);
    } else {
        key->dl_type = htons(ETH_TYPE_IP6);
        key->parts = FLOW_PART_IPV6;
        key->ipv6_src = hop->src;
        key->ipv6_dst = hop->dst;
    }
    key->nw_proto = tnl_ops_get(cfg->type)->ip_proto;
    key->nw_ttl = cfg->ttl;
    key->tp_dst = htons(cfg->dst_port);
}

/* Sends the encapsulated packet on its way under the tunnel. */
static void
output_underlay(struct xlate *x, const struct pl_port *port,
                const struct underlay_state *way)
{
    const struct pl_port *under;
    struct flow_mask scrap;
    struct flow_mask *mask = x->mask;

    if (way->kind == UNDERLAY_HOST) {
        xlate_say(x, "through the host's stack, out of %s", way->ifname);
        action_put_output(&x->out->actions, x->pl->hostip_port);
        x->n_outputs++;
        return;
    }
    under = pipeline_port(x->pl, way->dp_port);
    if (!under) {
        xlate_refuse(x, DROP_TNL_NO_ROUTE);
        return;
    }
    xlate_say(x, "out of bridge %s, as if from %s", under->bridge->name,
              under->name);
    make_outer_key(&x->key, &way->hop, port->tnl, way->dp_port);
    flow_mask_init(&scrap);
    x->mask = &scrap;
    enter_bridge(x, under);
    x->mask = mask;
}

static bool
is_within(const struct xlate *x, const struct pl_port *tunnel)
{
    for (unsigned int i = 0; i < x->n_encaps; i++) {
        if (x->tunnels[i] == tunnel) {
            return true;
        }
    }
    return false;
}

/* The key to put into the tunnel's header. */
static be64
tunnel_key(struct xlate *x, const struct tnl_cfg *cfg)
{
    if (!cfg->out_key_flow) {
        return cfg->out_key;
    }
    FLOW_MASK_EXACT(x->mask, tun_id);
    return x->key.tun_id;
}

static void
output_tunnel(struct xlate *x, const struct pl_port *port)
{
    struct dp_dep dep = {
        .cell = &port->underlay->cell,
        .seen = atomic_load_explicit(&port->underlay->cell.gen,
                                     memory_order_acquire),
    };
    struct flow_key inner = x->key;
    const struct underlay_state *way;
    struct tnl_push push;

    /* The generation is read first: a change between the two reads makes the
     * flow stale rather than wrong. */
    way = underlay_get(port->underlay);
    xlate_depend(x, &dep);
    xlate_say(x, "into tunnel %s", port->name);
    if (way->kind == UNDERLAY_NONE
        || (way->kind == UNDERLAY_HOST
            && x->pl->hostip_port == PORT_NONE)) {
        xlate_say(x, "no route: %s", way->reason);
        xlate_refuse(x, DROP_TNL_NO_ROUTE);
        return;
    }
    if (way->kind == UNDERLAY_BRIDGE && !way->has_neigh) {
        xlate_say(x, "the next hop's MAC address is not yet known");
        xlate_refuse(x, DROP_TNL_NO_NEIGH);
        return;
    }
    if (x->n_encaps == TNL_MAX_ENCAPS || is_within(x, port)) {
        xlate_say(x, "the tunnel leads back into itself");
        xlate_refuse(x, DROP_TNL_LOOP);
        return;
    }

    tnl_build(port->tnl, &way->hop, tunnel_key(x, port->tnl), port->dp_port,
              &push);
    action_put_tnl_push(&x->out->actions, &push);
    x->tunnels[x->n_encaps++] = port;
    output_underlay(x, port, way);
    x->n_encaps--;
    x->key = inner;
}

void
xlate_output(struct xlate *x, const struct pl_port *port, uint16_t tci)
{
    bool edits = x->key.vlan_tci0 != htons(tci) || port->kind == PL_TUNNEL;
    unsigned int n_outputs = x->n_outputs;
    struct flow_key key = x->key;
    uint32_t mark = 0;

    /* A copy is edited, so that the next output begins with the packet as it
     * was; a clone out of which nothing is sent leaves no trace. */
    if (edits) {
        mark = action_begin_clone(&x->out->actions);
        commit_vlan(x, tci);
    }
    switch (port->kind) {
    case PL_DEVICE:
        output_device(x, port);
        break;
    case PL_PATCH:
        output_patch(x, port);
        break;
    case PL_TUNNEL:
        output_tunnel(x, port);
        break;
    }
    if (edits) {
        if (x->n_outputs == n_outputs) {
            action_cancel_clone(&x->out->actions, mark);
        } else {
            action_end_clone(&x->out->actions, mark);
        }
        x->key = key;
    }
}

/* Table 0 of a bridge.  OpenFlow tables will stand here; today there is one
 * rule: everything is NORMAL. */
static void
table_0(struct xlate *x, const struct pl_port *in)
{
    xlate_say(x, "table 0: priority 0: NORMAL");
    xlate_normal(x, in);
}

/* Whether a loop of patch ports has multiplied the packet beyond what anybody
 * can have wanted. */
static bool
is_exhausted(const struct xlate *x)
{
    return x->n_entries == XLATE_MAX_ENTRIES || x->out->actions.overflow;
}

static void
enter_bridge(struct xlate *x, const struct pl_port *in)
{
    if (x->depth == XLATE_MAX_DEPTH || is_exhausted(x)) {
        xlate_say(x, "too many patch ports or tunnels in a row");
        xlate_refuse(x, DROP_PATCH_DEPTH);
        return;
    }
    xlate_say(x, "bridge %s, in on %s", in->bridge->name, in->name);
    x->n_entries++;
    x->depth++;
    table_0(x, in);
    x->depth--;
}

/* What the host's stack handed over: a tunnel's packet, or nothing of ours. */
static void
from_host_stack(struct xlate *x)
{
    tnl_type type;

    FLOW_MASK_EXACT(x->mask, nw_proto);
    FLOW_MASK_EXACT(x->mask, nw_frag);
    FLOW_MASK_EXACT(x->mask, tp_dst);
    type = x->pl->tnl_map && !x->key.nw_frag
           ? tnl_map_claims(x->pl->tnl_map, x->key.nw_proto,
                            ntohs(x->key.tp_dst))
           : TNL_TYPE_NONE;
    if (type == TNL_TYPE_NONE) {
        xlate_refuse(x, DROP_HOST_STACK);
        return;
    }
    xlate_say(x, "tunnel %s through the host's stack: popped",
              tnl_ops_get(type)->name);
    action_put_tnl_pop(&x->out->actions, type);
    x->n_outputs++;
}

static void
translate(const struct flow_key *key, struct dp_upcall *out, bool learn,
          struct str *trace)
{
    struct xlate x = {
        .pl = pipeline_get(), .out = out, .key = *key, .mask = &out->mask,
        .trace = trace, .learn = learn, .reason = DROP_NO_OUTPUT,
    };
    const struct pl_port *in;

    flow_mask_init(x.mask);
    FLOW_MASK_EXACT(x.mask, in_port);
    FLOW_MASK_EXACT(x.mask, dl_type);

    in = pipeline_port(x.pl, key->in_port);
    if (in) {
        enter_bridge(&x, in);
    } else if (key->in_port == x.pl->hostip_port) {
        from_host_stack(&x);
    } else {
        xlate_say(&x, "port %u belongs to no bridge", key->in_port);
        xlate_refuse(&x, DROP_NO_BRIDGE);
    }
    if (x.n_entries == XLATE_MAX_ENTRIES) {
        x.n_outputs = 0;
        x.reason = DROP_PATCH_DEPTH;
    }
    if (!x.n_outputs) {
        xlate_say(&x, "dropped: %s", drop_reason_sentence(x.reason));
        action_list_clear(&out->actions);
        action_put_drop(&out->actions, x.reason);
    }
    flow_mask_normalize(x.mask, key);
}

void
xlate_upcall(const struct flow_key *key, struct dp_upcall *out)
{
    translate(key, out, true, NULL);
}

void
xlate_trace(const struct flow_key *key, struct dp_upcall *out,
            struct str *trace)
{
    translate(key, out, false, trace);
}
