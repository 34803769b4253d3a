/* SPDX-License-Identifier: Apache-2.0 */

/* commands_tnl.c - commands about tunnels and their ways (see commands.h). */

#include <arpa/inet.h>
#include <limits.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/ipc/unixctl.h"
#include "vswitchd/commands.h"
#include "vswitchd/running.h"
#include "vswitchd/underlay.h"

static void
reply_str(struct unixctl_conn *conn, struct str *s)
{
    unixctl_reply(conn, str_cstr(s));
    str_fini(s);
}

static const char *
ip_to_string(const struct in6_addr *addr, char buf[INET6_ADDRSTRLEN])
{
    if (flow_addr_is_ip4(addr)) {
        be32 ip4 = flow_addr_to_ip4(addr);

        inet_ntop(AF_INET, &ip4, buf, INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
    }
    return buf;
}

static void
cmd_ports_show(struct unixctl_conn *conn, int argc UNUSED,
               const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;
    size_t n;
    struct run_iface **ifaces = running_sort_ifaces(NULL, &n);

    str_append(&s, "Listening ports:\n");
    for (size_t k = 0; k < n; k++) {
        const struct run_iface *i = ifaces[k];

        if (i->cfg->kind == CFG_TUNNEL && i->vport) {
            str_printf(&s, "%s (%u) %s: ", i->name, i->vport->port_no,
                       i->cfg->class);
            tnl_cfg_format(&s, &i->cfg->tnl);
            str_printf(&s, ", bridge %s\n", i->bridge->name);
        }
    }
    free(ifaces);
    reply_str(conn, &s);
}

/* --- one line a tunnel, in full --- */

static void
show_way(const char *name, const struct underlay_state *st, void *s_)
{
    struct str *s = s_;
    char next_hop[INET6_ADDRSTRLEN], src[INET6_ADDRSTRLEN];

    if (st->kind == UNDERLAY_NONE) {
        str_printf(s, "%s: none: %s\n", name, st->reason);
        return;
    }
    str_printf(s, "%s: %s underlay, device %s", name,
               st->kind == UNDERLAY_BRIDGE ? "bridge" : "host", st->ifname);
    if (st->kind == UNDERLAY_BRIDGE) {
        str_printf(s, " (port %u)", st->dp_port);
    }
    str_printf(s, ", from %s, next hop %s", ip_to_string(&st->hop.src, src),
               ip_to_string(&st->next_hop, next_hop));
    if (st->kind == UNDERLAY_BRIDGE) {
        const uint8_t *m = st->hop.eth_dst;

        if (st->has_neigh) {
            str_printf(s, " at %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
                       m[2], m[3], m[4], m[5]);
        } else {
            str_append(s, " not yet resolved");
        }
    }
    str_printf(s, ", path MTU %u\n", (unsigned int) st->hop.path_mtu);
}

static void
cmd_underlay_show(struct unixctl_conn *conn, int argc UNUSED,
                  const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;

    underlay_for_each(show_way, &s);
    reply_str(conn, &s);
}

/* --- in OVS's forms --- */

static void
show_route(const char *name UNUSED, const struct underlay_state *st, void *s_)
{
    struct str *s = s_;
    char buf[INET6_ADDRSTRLEN];

    if (st->kind == UNDERLAY_NONE) {
        return;
    }
    str_printf(s, "Cached: %s/%d dev %s", ip_to_string(&st->hop.dst, buf),
               flow_addr_is_ip4(&st->hop.dst) ? 32 : 128, st->ifname);
    if (memcmp(&st->next_hop, &st->hop.dst, sizeof st->next_hop)) {
        str_printf(s, " GW %s", ip_to_string(&st->next_hop, buf));
    }
    str_printf(s, " SRC %s\n", ip_to_string(&st->hop.src, buf));
}

static void
cmd_route_show(struct unixctl_conn *conn, int argc UNUSED,
               const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;

    str_append(&s, "Route Table:\n");
    underlay_for_each(show_route, &s);
    reply_str(conn, &s);
}

static void
show_neigh(const char *name UNUSED, const struct underlay_state *st, void *s_)
{
    struct str *s = s_;
    char buf[INET6_ADDRSTRLEN];
    const uint8_t *m = st->hop.eth_dst;
    const struct run_iface *i;

    if (st->kind != UNDERLAY_BRIDGE || !st->has_neigh) {
        return;
    }
    i = running_find_port(st->dp_port);
    str_printf(s, "%-45s %02x:%02x:%02x:%02x:%02x:%02x   %s\n",
               ip_to_string(&st->next_hop, buf), m[0], m[1], m[2], m[3],
               m[4], m[5], i ? i->bridge->name : st->ifname);
}

static void
cmd_neigh_show(struct unixctl_conn *conn, int argc UNUSED,
               const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;

    str_printf(&s, "%-45s %-17s   %s\n", "IP", "MAC", "Bridge");
    str_append_fill(&s, '=', 74);
    str_append_char(&s, '\n');
    underlay_for_each(show_neigh, &s);
    reply_str(conn, &s);
}

void
commands_tnl_init(void)
{
    static const struct {
        const char *name;
        unixctl_cb *cb;
    } commands[] = {
        { "tnl/ports/show", cmd_ports_show },
        { "tnl/underlay/show", cmd_underlay_show },
        { "ovs/route/show", cmd_route_show },
        { "tnl/neigh/show", cmd_neigh_show },
        { "tnl/arp/show", cmd_neigh_show },
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        unixctl_command_register(commands[i].name, "[-v]", 0, 1,
                                 commands[i].cb, NULL);
    }
}
