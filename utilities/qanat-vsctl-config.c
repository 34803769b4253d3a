/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-config.c - the commands that configure a bridge as a whole, or
 * the switch: external ids, fail mode, controllers, managers, SSL, and the
 * way back to a clean state.
 *
 * One thread, within qanat-vsctl's steps; see qanat-vsctl.h.
 */
#include "utilities/qanat-vsctl-topology.h"

#define FAKE_BRIDGE_PREFIX "fake-bridge-"

static void set_probe(struct vsctl_ctx *, struct view_row *);
static void list_targets(struct vsctl_ctx *, struct view_row *owner,
                         const char *column);
static void delete_referred(struct view_row *owner, const char *column);
static void insert_targets(struct vsctl_ctx *, struct view_row *owner,
                           const char *column, const char *table,
                           int first_arg);
static bool is_plausible_target(const char *);
static void reset_other_config(struct view_row *);
static int compare_strings(const void *, const void *);

static void
run_nothing(struct vsctl_ctx *ctx UNUSED)
{
    /* The root row is made before any command runs. */
}

static void
prepare_external_ids(struct vsctl_ctx *ctx)
{
    topology_prepare(ctx);
    view_need(ctx->view, "Bridge", "external_ids");
    view_need(ctx->view, "Port", "external_ids");
}

static void
run_br_set_external_id(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct topo_bridge *bridge = topology_get_bridge(ctx, cmd->argv[1]);
    struct view_row *row;
    char *key;

    if (!bridge) {
        return;
    }
    row = bridge->parent ? bridge->fake_port : bridge->row;
    key = xasprintf("%s%s", bridge->parent ? FAKE_BRIDGE_PREFIX : "",
                    cmd->argv[2]);
    view_verify_name(row, "external_ids");
    if (cmd->argc > 3) {
        view_set_key(row, "external_ids", key, cmd->argv[3]);
    } else {
        view_remove_key(row, "external_ids", key);
    }
    free(key);
}

static void
run_br_get_external_id(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct topo_bridge *bridge = topology_get_bridge(ctx, cmd->argv[1]);
    const struct datum *ids;
    const char *prefix;

    if (!bridge) {
        return;
    }
    ids = view_get_map(bridge->parent ? bridge->fake_port : bridge->row,
                       "external_ids");
    prefix = bridge->parent ? FAKE_BRIDGE_PREFIX : "";
    for (size_t i = 0; ids && i < ids->n; i++) {
        const char *key = ids->keys[i].string;
        const char *value = ids->values[i].string;

        if (strncmp(key, prefix, strlen(prefix))) {
            continue;
        }
        key += strlen(prefix);
        if (cmd->argc < 3) {
            str_printf(&cmd->output, "%s=%s\n", key, value);
        } else if (!strcmp(key, cmd->argv[2])) {
            str_printf(&cmd->output, "%s\n", value);
        }
    }
}

static void
prepare_fail_mode(struct vsctl_ctx *ctx)
{
    topology_prepare(ctx);
    view_need(ctx->view, "Bridge", "fail_mode");
}

static void
run_get_fail_mode(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        const char *mode = view_get_string(bridge->row, "fail_mode", "");

        view_verify_name(bridge->row, "fail_mode");
        if (*mode) {
            str_printf(&ctx->command->output, "%s\n", mode);
        }
    }
}

static void
run_set_fail_mode(struct vsctl_ctx *ctx)
{
    const char *mode = ctx->command->argv[2];
    const struct topo_bridge *bridge
        = topology_get_real_bridge(ctx, ctx->command->argv[1]);

    if (!bridge) {
        return;
    } else if (strcmp(mode, "standalone") && strcmp(mode, "secure")) {
        vsctl_fail(ctx, "the fail mode \"%s\" is neither \"standalone\" nor "
                   "\"secure\"", mode);
        return;
    }
    view_set_string(bridge->row, "fail_mode", mode);
}

static void
run_del_fail_mode(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_real_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        view_clear(bridge->row, "fail_mode");
    }
}

static void
prepare_controller(struct vsctl_ctx *ctx)
{
    topology_prepare(ctx);
    view_need(ctx->view, "Bridge", "controller");
    view_need(ctx->view, "Controller", "target");
    view_need(ctx->view, "Controller", "inactivity_probe");
}

static void
run_get_controller(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        list_targets(ctx, bridge->row, "controller");
    }
}

static void
run_del_controller(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_real_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        delete_referred(bridge->row, "controller");
    }
}

static void
run_set_controller(struct vsctl_ctx *ctx)
{
    const struct topo_bridge *bridge
        = topology_get_real_bridge(ctx, ctx->command->argv[1]);

    if (bridge) {
        delete_referred(bridge->row, "controller");
        insert_targets(ctx, bridge->row, "controller", "Controller", 2);
    }
}

static void
prepare_manager(struct vsctl_ctx *ctx)
{
    view_need(ctx->view, "Open_vSwitch", "manager_options");
    view_need(ctx->view, "Manager", "target");
    view_need(ctx->view, "Manager", "inactivity_probe");
}

static void
run_get_manager(struct vsctl_ctx *ctx)
{
    list_targets(ctx, vsctl_root(ctx), "manager_options");
}

static void
run_del_manager(struct vsctl_ctx *ctx)
{
    delete_referred(vsctl_root(ctx), "manager_options");
}

static void
run_set_manager(struct vsctl_ctx *ctx)
{
    delete_referred(vsctl_root(ctx), "manager_options");
    insert_targets(ctx, vsctl_root(ctx), "manager_options", "Manager", 1);
}

static void
prepare_ssl(struct vsctl_ctx *ctx)
{
    view_need(ctx->view, "Open_vSwitch", "ssl");
    view_need(ctx->view, "SSL", "private_key");
    view_need(ctx->view, "SSL", "certificate");
    view_need(ctx->view, "SSL", "ca_cert");
    view_need(ctx->view, "SSL", "bootstrap_ca_cert");
}

static void
run_get_ssl(struct vsctl_ctx *ctx)
{
    const struct view_row *ssl = view_get_ref(vsctl_root(ctx), "ssl", 0);

    view_verify_name(vsctl_root(ctx), "ssl");
    if (ssl) {
        str_printf(&ctx->command->output,
                   "Private key: %s\nCertificate: %s\nCA Certificate: %s\n"
                   "Bootstrap: %s\n",
                   view_get_string(ssl, "private_key", ""),
                   view_get_string(ssl, "certificate", ""),
                   view_get_string(ssl, "ca_cert", ""),
                   view_get_boolean(ssl, "bootstrap_ca_cert") ? "true"
                                                              : "false");
    }
}

static void
run_del_ssl(struct vsctl_ctx *ctx)
{
    delete_referred(vsctl_root(ctx), "ssl");
}

static void
run_set_ssl(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = view_find_table(ctx->view, "SSL");
    struct view_row *row;

    if (!table) {
        vsctl_fail(ctx, "this database has no table SSL");
        return;
    }
    delete_referred(vsctl_root(ctx), "ssl");
    row = view_insert(table, NULL);
    view_set_string(row, "private_key", cmd->argv[1]);
    view_set_string(row, "certificate", cmd->argv[2]);
    view_set_string(row, "ca_cert", cmd->argv[3]);
    view_set_boolean(row, "bootstrap_ca_cert",
                     vsctl_has_option(ctx, "--bootstrap"));
    view_add_ref(vsctl_root(ctx), "ssl", row);
}

static void
prepare_emer_reset(struct vsctl_ctx *ctx)
{
    static const char *const columns[][2] = {
        { "Bridge", "mirrors" },      { "Mirror", "name" },
        { "Bridge", "netflow" },      { "NetFlow", "targets" },
        { "Bridge", "sflow" },        { "sFlow", "targets" },
        { "Bridge", "ipfix" },        { "IPFIX", "targets" },
        { "Bridge", "other_config" }, { "Bridge", "flood_vlans" },
        { "Port", "other_config" },
        { "Interface", "ingress_policing_rate" },
        { "Interface", "ingress_policing_burst" },
    };

    prepare_fail_mode(ctx);
    prepare_controller(ctx);
    prepare_manager(ctx);
    prepare_ssl(ctx);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        view_need(ctx->view, columns[i][0], columns[i][1]);
    }
}

/* What ovs-vsctl leaves alone stays alone: bridges, ports and interfaces
 * themselves, VLANs, QoS, and the settings of the switch as a whole. */
static void
run_emer_reset(struct vsctl_ctx *ctx)
{
    static const char *const bridge_refs[] = {
        "controller", "mirrors", "netflow", "sflow", "ipfix",
    };
    struct view_row *row;

    delete_referred(vsctl_root(ctx), "manager_options");
    delete_referred(vsctl_root(ctx), "ssl");
    VIEW_FOR_EACH (row, view_find_table(ctx->view, "Bridge")) {
        for (size_t i = 0; i < ARRAY_SIZE(bridge_refs); i++) {
            delete_referred(row, bridge_refs[i]);
        }
        view_clear(row, "fail_mode");
        view_clear(row, "flood_vlans");
        reset_other_config(row);
    }
    VIEW_FOR_EACH (row, view_find_table(ctx->view, "Port")) {
        reset_other_config(row);
    }
    VIEW_FOR_EACH (row, view_find_table(ctx->view, "Interface")) {
        view_set_integer(row, "ingress_policing_rate", 0);
        view_set_integer(row, "ingress_policing_burst", 0);
    }
}

const struct vsctl_syntax vsctl_config_commands[] = {
    { "init", 0, 0, "", topology_prepare, run_nothing, NULL },
    { "emer-reset", 0, 0, "", prepare_emer_reset, run_emer_reset, NULL },
    { "br-set-external-id", 2, 3, "",
      prepare_external_ids, run_br_set_external_id, NULL },
    { "br-get-external-id", 1, 2, "",
      prepare_external_ids, run_br_get_external_id, NULL },
    { "get-fail-mode", 1, 1, "",
      prepare_fail_mode, run_get_fail_mode, NULL },
    { "set-fail-mode", 2, 2, "",
      prepare_fail_mode, run_set_fail_mode, NULL },
    { "del-fail-mode", 1, 1, "",
      prepare_fail_mode, run_del_fail_mode, NULL },
    { "get-controller", 1, 1, "",
      prepare_controller, run_get_controller, NULL },
    { "del-controller", 1, 1, "",
      prepare_controller, run_del_controller, NULL },
    { "set-controller", 1, INT_MAX, "--inactivity-probe=,",
      prepare_controller, run_set_controller, NULL },
    { "get-manager", 0, 0, "", prepare_manager, run_get_manager, NULL },
    { "del-manager", 0, 0, "", prepare_manager, run_del_manager, NULL },
    { "set-manager", 1, INT_MAX, "--inactivity-probe=,",
      prepare_manager, run_set_manager, NULL },
    { "get-ssl", 0, 0, "", prepare_ssl, run_get_ssl, NULL },
    { "del-ssl", 0, 0, "", prepare_ssl, run_del_ssl, NULL },
    { "set-ssl", 3, 3, "--bootstrap,", prepare_ssl, run_set_ssl, NULL },
    { NULL, 0, 0, NULL, NULL, NULL, NULL },
};

/* Sets a new controller's or manager's probe interval, if it is given. */
static void
set_probe(struct vsctl_ctx *ctx, struct view_row *row)
{
    const char *text = vsctl_option_value(ctx, "--inactivity-probe");
    int64_t probe_ms;

    if (text && (!str_to_int64(text, &probe_ms) || probe_ms < 0)) {
        vsctl_fail(ctx, "--inactivity-probe=%s: not a number of milliseconds",
                   text);
    } else if (text) {
        view_set_integer(row, "inactivity_probe", probe_ms);
    }
}

static void
list_targets(struct vsctl_ctx *ctx, struct view_row *owner,
             const char *column)
{
    size_t n = view_count_refs(owner, column);
    const char **targets = xcalloc(n, sizeof *targets);
    size_t n_targets = 0;

    view_verify_name(owner, column);
    for (size_t i = 0; i < n; i++) {
        const struct view_row *row = view_get_ref(owner, column, i);

        if (row) {
            targets[n_targets++] = view_get_string(row, "target", "");
        }
    }
    qsort(targets, n_targets, sizeof *targets, compare_strings);
    for (size_t i = 0; i < n_targets; i++) {
        str_printf(&ctx->command->output, "%s\n", targets[i]);
    }
    free(targets);
}

/* Deletes all rows that the column refers to, and empties it. */
static void
delete_referred(struct view_row *owner, const char *column)
{
    for (size_t i = 0; i < view_count_refs(owner, column); i++) {
        struct view_row *row = view_get_ref(owner, column, i);

        if (row) {
            view_delete(row);
        }
    }
    view_verify_name(owner, column);
    view_clear(owner, column);
}

static void
insert_targets(struct vsctl_ctx *ctx, struct view_row *owner,
               const char *column, const char *table_name, int first_arg)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = view_find_table(ctx->view, table_name);

    if (!table) {
        vsctl_fail(ctx, "this database has no table %s", table_name);
        return;
    }
    for (int i = first_arg; i < cmd->argc && !ctx->error; i++) {
        struct view_row *row = view_insert(table, NULL);

        if (!is_plausible_target(cmd->argv[i])) {
            vsctl_warn(ctx, "the target \"%s\" is none that the switch knows "
                       "(tcp:, ssl:, unix:, ptcp:, pssl:, punix:)",
                       cmd->argv[i]);
        }
        view_set_string(row, "target", cmd->argv[i]);
        set_probe(ctx, row);
        view_add_ref(owner, column, row);
    }
}

static bool
is_plausible_target(const char *target)
{
    static const char *const methods[] = {
        "tcp:", "ssl:", "unix:", "ptcp:", "pssl:", "punix:",
    };

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!strncmp(target, methods[i], strlen(methods[i]))) {
            return true;
        }
    }
    return false;
}

/* Empties the row's other_config, but a bridge keeps its MAC address. */
static void
reset_other_config(struct view_row *row)
{
    const char *hwaddr = NULL;
    char *copy;

    if (!strcmp(row->table->schema->name, "Bridge")) {
        hwaddr = view_get_key(row, "other_config", "hwaddr");
    }
    copy = hwaddr ? xstrdup(hwaddr) : NULL;
    view_clear(row, "other_config");
    if (copy) {
        view_set_key(row, "other_config", "hwaddr", copy);
        free(copy);
    }
}

static int
compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}
