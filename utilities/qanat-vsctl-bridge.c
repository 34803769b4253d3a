/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-bridge.c - the commands for bridges, real and fake.
 *
 * One thread, within qanat-vsctl's steps; see qanat-vsctl.h.
 */
#include "utilities/qanat-vsctl-port.h"
#include "utilities/qanat-vsctl-topology.h"

static void add_real_bridge(struct vsctl_ctx *, const char *name);
static void add_fake_bridge(struct vsctl_ctx *, const char *name,
                            const char *parent_name, int vlan);
static bool is_as_asked(struct vsctl_ctx *, const struct topo_bridge *,
                        const char *parent, int vlan);

static void
prepare_add_br(struct vsctl_ctx *ctx)
{
    topology_prepare(ctx);
    view_need(ctx->view, "Interface", "type");
}

static void
run_add_br(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const char *name = cmd->argv[1];
    const char *parent = cmd->argc > 2 ? cmd->argv[2] : NULL;
    const struct topo_bridge *existing;
    int vlan = 0;

    if (cmd->argc == 3) {
        vsctl_fail(ctx, "\"add-br\" takes either a bridge alone, or a bridge, "
                   "its parent and a VLAN");
    } else if (!*name) {
        vsctl_fail(ctx, "the name of a bridge must not be empty");
    } else if (parent && !str_to_int_range(cmd->argv[3], 0, 4095, &vlan)) {
        vsctl_fail(ctx, "\"%s\" is not a VLAN (0 to 4095)", cmd->argv[3]);
    }
    if (ctx->error) {
        return;
    }

    existing = topology_find_bridge(ctx, name);
    if (existing && vsctl_has_option(ctx, "--may-exist")) {
        is_as_asked(ctx, existing, parent, vlan);
    } else if (!port_check_unused(ctx, name, "bridge")) {
        return;
    } else if (parent) {
        add_fake_bridge(ctx, name, parent, vlan);
    } else {
        add_real_bridge(ctx, name);
    }
}

static void
run_del_br(struct vsctl_ctx *ctx)
{
    const char *name = ctx->command->argv[1];
    const struct topo_bridge *bridge
        = (vsctl_has_option(ctx, "--if-exists")
           ? topology_find_bridge(ctx, name)
           : topology_get_bridge(ctx, name));
    const struct topology *topo = topology_get(ctx);

    if (!bridge) {
        return;
    }
    for (size_t i = 0; i < topo->n_ports; i++) {
        const struct topo_port *port = topo->ports[i];

        if (port->bridge == bridge || port->bridge->parent == bridge) {
            port_delete(ctx, port);
        }
    }
    if (!bridge->parent) {
        view_remove_ref(vsctl_root(ctx), "bridges", bridge->row);
        view_delete(bridge->row);
    }
}

static void
run_list_br(struct vsctl_ctx *ctx)
{
    bool real = vsctl_has_option(ctx, "--real");
    bool fake = vsctl_has_option(ctx, "--fake");
    const struct topology *topo = topology_get(ctx);

    for (size_t i = 0; i < topo->n_bridges; i++) {
        const struct topo_bridge *bridge = topo->bridges[i];

        if (real == fake || fake == (bridge->parent != NULL)) {
            str_printf(&ctx->command->output, "%s\n", bridge->name);
        }
    }
}

static void
run_br_exists(struct vsctl_ctx *ctx)
{
    if (!topology_find_bridge(ctx, ctx->command->argv[1])) {
        ctx->exit_status = 2;
    }
}

static void
run_br_to_vlan(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        str_printf(&ctx->command->output, "%d\n", bridge->vlan);
    }
}

static void
run_br_to_parent(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        str_printf(&ctx->command->output, "%s\n",
                   (bridge->parent ? bridge->parent : bridge)->name);
    }
}

const struct vsctl_syntax vsctl_bridge_commands[] = {
    { "add-br", 1, 3, "--may-exist,", prepare_add_br, run_add_br, NULL },
    { "del-br", 1, 1, "--if-exists,", topology_prepare, run_del_br, NULL },
    { "list-br", 0, 0, "--real,--fake,",
      topology_prepare, run_list_br, NULL },
    { "br-exists", 1, 1, "", topology_prepare, run_br_exists, NULL },
    { "br-to-vlan", 1, 1, "", topology_prepare, run_br_to_vlan, NULL },
    { "br-to-parent", 1, 1, "", topology_prepare, run_br_to_parent, NULL },
    { NULL, 0, 0, NULL, NULL, NULL, NULL },
};

static void
add_real_bridge(struct vsctl_ctx *ctx, const char *name)
{
    struct topo_bridge bridge = {
        .name = name,
        .row = view_insert(view_find_table(ctx->view, "Bridge"), NULL),
    };
    struct view_row *port = port_insert(ctx, &bridge, name,
                                        (char *const *) &name, 1);

    view_set_string(bridge.row, "name", name);
    view_set_string(view_get_ref(port, "interfaces", 0), "type", "internal");
    view_add_ref(vsctl_root(ctx), "bridges", bridge.row);
}

static void
add_fake_bridge(struct vsctl_ctx *ctx, const char *name,
                const char *parent_name, int vlan)
{
    const struct topo_bridge *parent = topology_find_bridge(ctx, parent_name);
    const struct topology *topo = topology_get(ctx);
    struct view_row *port;

    if (parent && parent->parent) {
        vsctl_fail(ctx, "%s is a fake bridge itself and cannot be a parent",
                   parent_name);
        return;
    } else if (!parent) {
        vsctl_fail(ctx, "the parent bridge %s does not exist", parent_name);
        return;
    }
    for (size_t i = 0; i < topo->n_bridges; i++) {
        if (topo->bridges[i]->parent == parent
            && topo->bridges[i]->vlan == vlan) {
            vsctl_fail(ctx, "VLAN %d of bridge %s has a fake bridge already, "
                       "named %s", vlan, parent_name,
                       topo->bridges[i]->name);
            return;
        }
    }
    port = port_insert(ctx, parent, name, (char *const *) &name, 1);
    view_set_string(view_get_ref(port, "interfaces", 0), "type", "internal");
    view_set_boolean(port, "fake_bridge", true);
    view_set_integer(port, "tag", vlan);
}

/* Whether a bridge that exists is what --may-exist permits. */
static bool
is_as_asked(struct vsctl_ctx *ctx, const struct topo_bridge *bridge,
            const char *parent, int vlan)
{
    if (!parent && bridge->parent) {
        vsctl_fail(ctx, "%s exists, but as a fake bridge on VLAN %d of %s",
                   bridge->name, bridge->vlan, bridge->parent->name);
    } else if (parent && !bridge->parent) {
        vsctl_fail(ctx, "%s exists, but as a real bridge", bridge->name);
    } else if (parent && (strcmp(bridge->parent->name, parent)
                          || bridge->vlan != vlan)) {
        vsctl_fail(ctx, "%s exists, but on VLAN %d of bridge %s",
                   bridge->name, bridge->vlan, bridge->parent->name);
    }
    return !ctx->error;
}

