/* SPDX-License-Identifier: Apache-2.0 */

/* commands_dp.c - commands about the datapath, in the form of ovs-dpctl and
 * "ovs-appctl dpif/..." (see commands.h).  There is one datapath; wherever a
 * command takes a datapath's name, OVS's usual names mean it too. */

#include <inttypes.h>
#include <limits.h>

#include "datapath/dp.h"
#include "datapath/vport.h"
#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "lib/ipc/unixctl.h"
#include "vswitchd/commands.h"
#include "vswitchd/report.h"
#include "vswitchd/running.h"

#define DP_NAME "netdev@qanat"

static void
reply_str(struct unixctl_conn *conn, struct str *s)
{
    unixctl_reply(conn, str_cstr(s));
    str_fini(s);
}

static bool
is_dp_name(const char *s)
{
    static const char *const names[] = {
        DP_NAME, "qanat", "netdev@ovs-netdev", "ovs-netdev",
        "system@ovs-system", "ovs-system",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(s, names[i])) {
            return true;
        }
    }
    return false;
}

/* What a command may have been told. */
struct dp_args {
    bool more;                  /* -m */
    bool statistics;            /* -s */
    bool names;                 /* --names */
    const char *rest;           /* What is neither option nor datapath. */
};

/* Reads options as ovs-dpctl has them; false after an error reply. */
static bool
parse_args(struct unixctl_conn *conn, int argc, const char *argv[],
           struct dp_args *args)
{
    memset(args, 0, sizeof *args);
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];

        if (!strcmp(a, "-m") || !strcmp(a, "--more")
            || !strcmp(a, "-mm")) {
            args->more = true;
        } else if (!strcmp(a, "-s") || !strcmp(a, "--statistics")) {
            args->statistics = true;
        } else if (!strcmp(a, "--names") || !strcmp(a, "--no-names")) {
            args->names = !strcmp(a, "--names");
        } else if (a[0] == '-') {
            char *error = xasprintf("unknown option %s", a);

            unixctl_reply_error(conn, error);
            free(error);
            return false;
        } else if (!is_dp_name(a)) {
            args->rest = a;
        }
    }
    return true;
}

/* For commands that take nothing but a datapath. */
static bool
parse_dp_only(struct unixctl_conn *conn, int argc, const char *argv[],
              struct dp_args *args)
{
    if (!parse_args(conn, argc, argv, args)) {
        return false;
    }
    if (args->rest) {
        char *error = xasprintf("there is no datapath %s (there is only %s)",
                                args->rest, DP_NAME);

        unixctl_reply_error(conn, error);
        free(error);
        return false;
    }
    return true;
}

/* --- ports --- */

static void
format_options(struct str *s, const struct smap *options)
{
    const struct smap_node **nodes = smap_sort(options);

    for (size_t i = 0; i < smap_count(options); i++) {
        str_printf(s, "%c %s=%s", i ? ',' : ':', nodes[i]->key,
                   nodes[i]->value);
    }
    free(nodes);
}

static void
format_keys(struct str *s, const struct strset *set)
{
    const char **keys = strset_sort(set);

    for (size_t i = 0; i < strset_count(set); i++) {
        str_printf(s, "%c %s", i ? ',' : ':', keys[i]);
    }
    free(keys);
}

static void
format_bytes(struct str *s, uint64_t n)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    double value = (double) n / 1024;
    size_t i = 0;

    str_printf(s, "%"PRIu64, n);
    if (n >= 1024) {
        while (value >= 1024 && i < ARRAY_SIZE(units) - 1) {
            value /= 1024;
            i++;
        }
        str_printf(s, " (%.1f %s)", value, units[i]);
    }
}

static void
format_statistics(struct str *s, struct vport *vport)
{
    struct report_stats st;

    report_get_stats(vport, &st);
    str_printf(s, "    RX packets:%"PRIu64" errors:%"PRIu64" dropped:%"PRIu64
               " overruns:? frame:?\n", st.rx_packets, st.rx_errors,
               st.rx_dropped);
    str_printf(s, "    TX packets:%"PRIu64" errors:%"PRIu64" dropped:%"PRIu64
               " aborted:? carrier:?\n", st.tx_packets, st.tx_errors,
               st.tx_dropped);
    str_append(s, "    collisions:?\n    RX bytes:");
    format_bytes(s, st.rx_bytes);
    str_append(s, "  TX bytes:");
    format_bytes(s, st.tx_bytes);
    str_append_char(s, '\n');
}

static void
format_port(struct str *s, struct vport *vport, bool statistics)
{
    const struct run_iface *i = running_find_port(vport->port_no);

    str_printf(s, "  port %u: %s", vport->port_no, vport->name);
    if (strcmp(vport->class->type, "system")) {
        str_printf(s, " (%s", vport->class->type);
        if (i) {
            format_options(s, &i->cfg->options);
        } else if (vport == running.hostip) {
            format_keys(s, &running.hostip_open);
        }
        str_append_char(s, ')');
    }
    str_append_char(s, '\n');
    if (statistics) {
        format_statistics(s, vport);
    }
}

static void
cmd_dpctl_show(struct unixctl_conn *conn, int argc, const char *argv[],
               void *aux UNUSED)
{
    struct str s = STR_INIT;
    struct dp_stats st;
    struct dp_args args;

    if (!parse_dp_only(conn, argc, argv, &args)) {
        return;
    }
    dp_get_stats(&st);
    str_printf(&s, "%s:\n  lookups: hit:%"PRIu64" missed:%"PRIu64
               " lost:%"PRIu64"\n  flows: %u\n", DP_NAME, st.hit, st.missed,
               st.lost, st.n_flows);
    str_printf(&s, "  masks: hit:%"PRIu64" total:%u hit/pkt:%.2f\n",
               st.masks_probed, st.n_masks,
               st.hit + st.missed
               ? (double) st.masks_probed / (double) (st.hit + st.missed)
               : 0.0);
    for (uint32_t no = 1; no < DP_MAX_PORTS; no++) {
        struct vport *vport = dp_port_find(no);

        /* Patch ports are none of OVS's datapath. */
        if (vport && strcmp(vport->class->type, "patch")) {
            format_port(&s, vport, args.statistics);
        }
    }
    reply_str(conn, &s);
}

static void
cmd_dump_dps(struct unixctl_conn *conn, int argc UNUSED,
             const char *argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(conn, DP_NAME);
}

static void
cmd_dpif_show(struct unixctl_conn *conn, int argc UNUSED,
              const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;
    struct dp_stats st;
    size_t n;
    struct run_bridge **bridges = running_sort_bridges(&n);

    dp_get_stats(&st);
    str_printf(&s, "%s: hit:%"PRIu64" missed:%"PRIu64"\n", DP_NAME, st.hit,
               st.missed);
    for (size_t b = 0; b < n; b++) {
        size_t n_ifaces;
        struct run_iface **ifaces = running_sort_ifaces(bridges[b],
                                                        &n_ifaces);

        str_printf(&s, "  %s:\n", bridges[b]->name);
        for (size_t k = 0; k < n_ifaces; k++) {
            const struct run_iface *i = ifaces[k];

            if (!i->vport) {
                continue;
            }
            str_printf(&s, "    %s %u/", i->name, i->ofport);
            if (i->cfg->kind == CFG_PATCH) {
                str_append(&s, "none:");
            } else {
                str_printf(&s, "%u:", i->vport->port_no);
            }
            str_printf(&s, " (%s", i->cfg->class);
            format_options(&s, &i->cfg->options);
            str_append(&s, ")\n");
        }
        free(ifaces);
    }
    free(bridges);
    reply_str(conn, &s);
}

/* --- flows --- */

struct flow_dump {
    struct str s;
    struct dp_args args;
    const struct run_bridge *bridge;    /* NULL: all. */
    bool any_pmd;
    unsigned int pmd_id;                /* Whose heading was printed. */
};

/* As OVS writes them: "SFPR." and so on. */
static void
format_tcp_flags(struct str *s, uint16_t flags)
{
    static const char letters[] = "FSRP.UEC";

    for (int i = 0; i < 8; i++) {
        if (flags & 1u << i) {
            str_append_char(s, letters[i]);
        }
    }
    if (flags >> 8) {
        str_printf(s, "[%x]", flags & 0xff00u);
    }
}

/* OVS names a flow by a hash of it, too. */
static void
format_ufid(struct str *s, const struct dp_flow_view *flow)
{
    uint32_t id[4];

    for (uint32_t i = 0; i < 4; i++) {
        id[i] = hash_words64(flow_key_words(flow->key), FLOW_N_WORDS, i);
        id[i] = hash_words64(flow_key_words(&flow->mask->bits), FLOW_N_WORDS,
                             id[i]);
    }
    str_printf(s, "ufid:%08x-%04x-%04x-%04x-%04x%08x, ", id[0], id[1] >> 16,
               id[1] & 0xffff, id[2] >> 16, id[2] & 0xffff, id[3]);
}

static void
show_flow(const struct dp_flow_view *flow, void *dump_)
{
    struct flow_dump *dump = dump_;
    struct str *s = &dump->s;
    flow_port_name_fn *port_name = dump->args.names ? commands_port_name
                                   : NULL;

    if (dump->bridge) {
        const struct run_iface *in = running_find_port(flow->key->in_port);

        if (!in || in->bridge != dump->bridge) {
            return;
        }
    } else if (!dump->any_pmd || dump->pmd_id != flow->pmd_id) {
        if (flow->pmd_core >= 0) {
            str_printf(s, "flow-dump from pmd on cpu core: %d\n",
                       flow->pmd_core);
        } else {
            str_printf(s, "flow-dump from pmd: %u\n", flow->pmd_id);
        }
        dump->any_pmd = true;
        dump->pmd_id = flow->pmd_id;
    }
    if (dump->args.more) {
        format_ufid(s, flow);
    }
    flow_format(s, flow->key, flow->mask, port_name, NULL);
    str_printf(s, ", packets:%"PRIu64", bytes:%"PRIu64", used:",
               flow->n_pkts, flow->n_bytes);
    if (flow->used_ms == UINT64_MAX) {
        str_append(s, "never");
    } else {
        str_printf(s, "%"PRIu64".%03us", flow->used_ms / 1000,
                   (unsigned int) (flow->used_ms % 1000));
    }
    if (flow->tcp_flags) {
        str_append(s, ", flags:");
        format_tcp_flags(s, flow->tcp_flags);
    }
    if (dump->args.more) {
        str_append(s, ", dp:qanat");
    }
    str_append(s, ", actions:");
    action_format(s, flow->actions, flow->actions_len, port_name, NULL,
                  drop_reason_name);
    str_append_char(s, '\n');
}

static void
cmd_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[],
               void *aux UNUSED)
{
    struct flow_dump dump = { .s = STR_INIT };

    if (parse_dp_only(conn, argc, argv, &dump.args)) {
        dp_flow_for_each(show_flow, &dump);
        reply_str(conn, &dump.s);
    }
}

static void
cmd_dpif_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[],
                    void *aux UNUSED)
{
    struct flow_dump dump = { .s = STR_INIT };

    if (!parse_args(conn, argc, argv, &dump.args)) {
        return;
    }
    dump.bridge = dump.args.rest ? running_find_bridge(dump.args.rest) : NULL;
    if (!dump.bridge) {
        unixctl_reply_error(conn, "no such bridge");
        return;
    }
    dp_flow_for_each(show_flow, &dump);
    reply_str(conn, &dump.s);
}

static void
cmd_del_flows(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux UNUSED)
{
    struct dp_args args;

    if (!parse_args(conn, argc, argv, &args)) {
        return;
    }
    if (args.rest) {
        unixctl_reply_error(conn, "a single flow cannot be deleted: flows are "
                            "made from the configuration (without a flow, "
                            "all of them are)");
        return;
    }
    dp_flow_flush();
    unixctl_reply(conn, "");
}

void
commands_dp_init(void)
{
    static const struct {
        const char *name, *usage;
        int min_args;
        unixctl_cb *cb;
    } commands[] = {
        { "dpctl/show", "[-s] [dp]", 0, cmd_dpctl_show },
        { "dpctl/dump-dps", "", 0, cmd_dump_dps },
        { "dpctl/dump-flows", "[-m] [--names] [dp]", 0, cmd_dump_flows },
        { "dpctl/del-flows", "[dp]", 0, cmd_del_flows },
        { "dpctl/flush", "[dp]", 0, cmd_del_flows },
        { "dpif/show", "", 0, cmd_dpif_show },
        { "dpif/dump-dps", "", 0, cmd_dump_dps },
        { "dpif/dump-flows", "[-m] [--names] bridge", 1,
          cmd_dpif_dump_flows },
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        unixctl_command_register(commands[i].name, commands[i].usage,
                                 commands[i].min_args, INT_MAX,
                                 commands[i].cb, NULL);
    }
}
