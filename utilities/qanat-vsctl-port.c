/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-port.c - the commands for ports and interfaces.
 *
 * One thread, within qanat-vsctl's steps; see qanat-vsctl.h.
 */
#include "utilities/qanat-vsctl-port.h"

#include "utilities/qanat-vsctl-record.h"

static void add_port(struct vsctl_ctx *, const char *bridge_name,
                     const char *port_name, char *const iface_names[],
                     int n_ifaces, char *const settings[], int n_settings);
static int count_ifaces(const struct vsctl_command *);
static bool are_unused(struct vsctl_ctx *, char *const iface_names[], int n);
static void check_existing_port(struct vsctl_ctx *, const struct topo_port *,
                                const char *bridge_name,
                                char *const iface_names[], int n);
static void describe_ifaces(struct str *, const struct view_row *port);
static bool has_exactly(const struct view_row *port,
                        char *const iface_names[], int n);
static struct topo_port *choose_port(struct vsctl_ctx *, const char *name);

bool
port_check_unused(struct vsctl_ctx *ctx, const char *name, const char *what)
{
    const char *article = *what == 'i' ? "an" : "a";
    const struct topo_bridge *bridge = topology_find_bridge(ctx, name);
    const struct topo_port *port = topology_find_port(ctx, name);
    const struct topo_iface *iface = topology_find_iface(ctx, name);

    if (bridge) {
        vsctl_fail(ctx, "cannot create %s %s named %s because a bridge has "
                   "that name already", article, what, name);
    } else if (port) {
        vsctl_fail(ctx, "cannot create %s %s named %s because a port on "
                   "bridge %s has that name already", article, what, name,
                   port->bridge->name);
    } else if (iface) {
        vsctl_fail(ctx, "cannot create %s %s named %s because an interface "
                   "on bridge %s has that name already", article, what, name,
                   iface->port->bridge->name);
    }
    return !ctx->error;
}

struct view_row *
port_insert(struct vsctl_ctx *ctx, const struct topo_bridge *bridge,
            const char *name, char *const iface_names[], int n)
{
    struct view_row *port = view_insert(view_find_table(ctx->view, "Port"),
                                        NULL);

    view_set_string(port, "name", name);
    for (int i = 0; i < n; i++) {
        struct view_row *iface
            = view_insert(view_find_table(ctx->view, "Interface"), NULL);

        view_set_string(iface, "name", iface_names[i]);
        view_add_ref(port, "interfaces", iface);
    }
    view_add_ref(bridge->row, "ports", port);
    return port;
}

void
port_delete(struct vsctl_ctx *ctx, const struct topo_port *port)
{
    const struct topology *topo = topology_get(ctx);

    view_remove_ref(port->bridge->row, "ports", port->row);
    for (size_t i = 0; i < topo->n_ifaces; i++) {
        if (topo->ifaces[i]->port == port) {
            view_delete(topo->ifaces[i]->row);
        }
    }
    view_delete(port->row);
}

static void
prepare_add_port(struct vsctl_ctx *ctx)
{
    const struct schema_table *table = schema_find_table(ctx->view->schema,
                                                         "Port");
    struct vsctl_command *cmd = ctx->command;

    int first = 3;

    topology_prepare(ctx);
    if (!strcmp(cmd->argv[0], "add-bond")) {
        view_need(ctx->view, "Port", "bond_fake_iface");
        first += count_ifaces(cmd);
    }
    if (table) {
        record_prepare_columns(ctx, table, cmd->argv + first,
                               cmd->argc - first, COLUMN_ARG_ASSIGN);
    }
}

static void
run_add_port(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;

    if (!*cmd->argv[2]) {
        vsctl_fail(ctx, "the name of a port must not be empty");
        return;
    }
    add_port(ctx, cmd->argv[1], cmd->argv[2], &cmd->argv[2], 1,
             cmd->argv + 3, cmd->argc - 3);
}

static void
run_add_bond(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    int n_ifaces = count_ifaces(cmd);

    if (n_ifaces < 2) {
        vsctl_fail(ctx, "a bond needs 2 interfaces or more, before its "
                   "settings; %d %s given", n_ifaces,
                   n_ifaces == 1 ? "is" : "are");
        return;
    }
    add_port(ctx, cmd->argv[1], cmd->argv[2], cmd->argv + 3, n_ifaces,
             cmd->argv + 3 + n_ifaces, cmd->argc - 3 - n_ifaces);
}

static void
run_del_port(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const char *name = cmd->argv[cmd->argc - 1];
    const struct topo_bridge *bridge;
    struct topo_port *port = choose_port(ctx, name);

    if (!port) {
        return;
    }
    if (cmd->argc > 2) {
        bridge = topology_get_bridge(ctx, cmd->argv[1]);
        if (bridge && port->bridge != bridge) {
            if (port->bridge->parent == bridge) {
                vsctl_fail(ctx, "port %s is not on bridge %s itself but on "
                           "its child bridge %s", name, bridge->name,
                           port->bridge->name);
            } else {
                vsctl_fail(ctx, "port %s is not on bridge %s but on bridge "
                           "%s", name, bridge->name, port->bridge->name);
            }
        }
    }
    if (!ctx->error && topology_is_local_port(port)) {
        vsctl_fail(ctx, "port %s cannot be deleted, because it is the local "
                   "port of bridge %s; delete the bridge with \"del-br\"",
                   port->name, port->bridge->name);
    }
    if (!ctx->error) {
        port_delete(ctx, port);
        }
}

static void
run_list_ports(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_bridge(ctx, ctx->command->argv[1]);
    const struct topology *topo = topology_get(ctx);

    for (size_t i = 0; bridge && i < topo->n_ports; i++) {
        const struct topo_port *port = topo->ports[i];

        if (port->bridge == bridge && !topology_is_local_port(port)) {
            str_printf(&ctx->command->output, "%s\n", port->name);
        }
    }
}

static void
run_port_to_br(struct vsctl_ctx *ctx)
{
    const struct topo_port *port = topology_get_port(ctx,
                                                     ctx->command->argv[1]);

    if (port) {
        str_printf(&ctx->command->output, "%s\n", port->bridge->name);
    }
}

static void
run_list_ifaces(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_bridge(ctx, ctx->command->argv[1]);
    const struct topology *topo = topology_get(ctx);

    for (size_t i = 0; bridge && i < topo->n_ifaces; i++) {
        const struct topo_iface *iface = topo->ifaces[i];

        if (iface->port->bridge == bridge
            && strcmp(iface->name, bridge->name)) {
            str_printf(&ctx->command->output, "%s\n", iface->name);
        }
    }
}

static void
run_iface_to_br(struct vsctl_ctx *ctx)
{
    const struct topo_iface *iface
        = topology_get_iface(ctx, ctx->command->argv[1]);

    if (iface) {
        str_printf(&ctx->command->output, "%s\n", iface->port->bridge->name);
    }
}

static void
run_add_bond_iface(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct topo_port *port = topology_get_port(ctx, cmd->argv[1]);
    struct topo_iface *iface = topology_find_iface(ctx, cmd->argv[2]);
    struct view_row *row;

    if (!port) {
        return;
    } else if (iface) {
        if (iface->port != port) {
            vsctl_fail(ctx, "interface %s is in port %s already", iface->name,
                       iface->port->name);
        } else if (!vsctl_has_option(ctx, "--may-exist")) {
            vsctl_fail(ctx, "interface %s is in %s already", iface->name,
                       port->name);
        }
        return;
    }
    row = view_insert(view_find_table(ctx->view, "Interface"), NULL);
    view_set_string(row, "name", cmd->argv[2]);
    view_add_ref(port->row, "interfaces", row);
}

static void
run_del_bond_iface(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const char *name = cmd->argv[cmd->argc - 1];
    struct topo_port *port = NULL;
    struct topo_iface *iface = topology_find_iface(ctx, name);

    if (!iface) {
        if (!vsctl_has_option(ctx, "--if-exists")) {
            vsctl_fail(ctx, "no interface named %s", name);
        }
        return;
    }
    if (cmd->argc > 2) {
        port = topology_get_port(ctx, cmd->argv[1]);
        if (!port) {
            return;
        } else if (iface->port != port) {
            vsctl_fail(ctx, "interface %s is not in port %s but in port %s",
                       name, port->name, iface->port->name);
            return;
        }
    }
    port = iface->port;
    if (view_count_refs(port->row, "interfaces") == 1) {
        vsctl_fail(ctx, "interface %s cannot be removed from port %s, which "
                   "has no other; delete the port with \"del-port\"", name,
                   port->name);
        return;
    }
    view_remove_ref(port->row, "interfaces", iface->row);
    view_delete(iface->row);
}

const struct vsctl_syntax vsctl_port_commands[] = {
    { "list-ports", 1, 1, "", topology_prepare, run_list_ports, NULL },
    { "add-port", 2, INT_MAX, "--may-exist,",
      prepare_add_port, run_add_port, NULL },
    { "add-bond", 4, INT_MAX, "--may-exist,--fake-iface,",
      prepare_add_port, run_add_bond, NULL },
    { "add-bond-iface", 2, 2, "--may-exist,",
      topology_prepare, run_add_bond_iface, NULL },
    { "del-bond-iface", 1, 2, "--if-exists,",
      topology_prepare, run_del_bond_iface, NULL },
    { "del-port", 1, 2, "--if-exists,--with-iface,",
      topology_prepare, run_del_port, NULL },
    { "port-to-br", 1, 1, "", topology_prepare, run_port_to_br, NULL },
    { "list-ifaces", 1, 1, "", topology_prepare, run_list_ifaces, NULL },
    { "iface-to-br", 1, 1, "", topology_prepare, run_iface_to_br, NULL },
    { NULL, 0, 0, NULL, NULL, NULL, NULL },
};

static void
add_port(struct vsctl_ctx *ctx, const char *bridge_name,
         const char *port_name, char *const iface_names[], int n_ifaces,
         char *const settings[], int n_settings)
{
    const struct topo_port *existing = topology_find_port(ctx, port_name);
    const struct topo_bridge *bridge;
    struct view_row *port;

    if (existing && vsctl_has_option(ctx, "--may-exist")) {
        check_existing_port(ctx, existing, bridge_name, iface_names,
                            n_ifaces);
        return;
    }
    if (!port_check_unused(ctx, port_name, "port")) {
        return;
    }
    if (!are_unused(ctx, iface_names, n_ifaces)) {
        return;
    }
    bridge = topology_get_bridge(ctx, bridge_name);
    if (!bridge) {
        return;
    }
    port = port_insert(ctx, bridge, port_name, iface_names, n_ifaces);
    if (bridge->parent) {
        view_set_integer(port, "tag", bridge->vlan);
    }
    if (vsctl_has_option(ctx, "--fake-iface")) {
        view_set_boolean(port, "bond_fake_iface", true);
    }
    for (int i = 0; i < n_settings && !ctx->error; i++) {
        record_assign(ctx, port, settings[i]);
    }
}

/* Number of interfaces of an "add-bond" command; settings, which have an "=",
 * stand behind them. */
static int
count_ifaces(const struct vsctl_command *cmd)
{
    int n = 0;

    while (3 + n < cmd->argc && !strchr(cmd->argv[3 + n], '=')) {
        n++;
    }
    return n;
}

/* Whether new interfaces can have these names. */
static bool
are_unused(struct vsctl_ctx *ctx, char *const iface_names[], int n)
{
    for (int i = 0; i < n; i++) {
        if (!port_check_unused(ctx, iface_names[i], "interface")) {
            return false;
        }
        for (int j = 0; j < i; j++) {
            if (!strcmp(iface_names[i], iface_names[j])) {
                vsctl_fail(ctx, "interface %s is named twice",
                           iface_names[i]);
                return false;
            }
        }
    }
    return true;
}

/* Whether a port that exists is what --may-exist permits. */
static void
check_existing_port(struct vsctl_ctx *ctx, const struct topo_port *port,
                    const char *bridge_name, char *const iface_names[],
                    int n)
{
    if (strcmp(port->bridge->name, bridge_name)) {
        vsctl_fail(ctx, "port %s exists, but on bridge %s and not on %s",
                   port->name, port->bridge->name, bridge_name);
    } else if (!has_exactly(port->row, iface_names, n)) {
        struct str s = STR_INIT;

        describe_ifaces(&s, port->row);
        str_append(&s, ", not");
        for (int i = 0; i < n; i++) {
            str_printf(&s, "%s %s", i ? "," : "", iface_names[i]);
        }
        vsctl_fail(ctx, "port %s exists on bridge %s, but its interfaces are "
                   "%s", port->name, bridge_name, str_cstr(&s));
        str_fini(&s);
    }
}

static void
describe_ifaces(struct str *s, const struct view_row *port)
{
    for (size_t i = 0; i < view_count_refs(port, "interfaces"); i++) {
        struct view_row *iface = view_get_ref(port, "interfaces", i);

        str_append(s, i ? ", " : "");
        str_append(s, iface ? view_get_string(iface, "name", "?") : "?");
    }
}

static bool
has_exactly(const struct view_row *port, char *const iface_names[], int n)
{
    if (view_count_refs(port, "interfaces") != (size_t) n) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        struct view_row *iface = view_get_ref(port, "interfaces", (size_t) i);
        bool is_named = false;

        for (int j = 0; iface && j < n; j++) {
            is_named |= !strcmp(view_get_string(iface, "name", ""),
                                iface_names[j]);
        }
        if (!is_named) {
            return false;
        }
    }
    return true;
}

/* The port that "del-port" means, minding --with-iface and --if-exists. */
static struct topo_port *
choose_port(struct vsctl_ctx *ctx, const char *name)
{
    bool with_iface = vsctl_has_option(ctx, "--with-iface");
    struct topo_port *port = topology_find_port(ctx, name);

    if (!port && with_iface) {
        struct topo_iface *iface = topology_find_iface(ctx, name);

        port = iface ? iface->port : NULL;
    }
    if (!port && !vsctl_has_option(ctx, "--if-exists")) {
        vsctl_fail(ctx, with_iface ? "no port or interface named %s"
                                   : "no port named %s", name);
    }
    return port;
}
