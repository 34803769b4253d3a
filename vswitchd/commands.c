/* SPDX-License-Identifier: Apache-2.0 */

/* commands.c - commands about bridges and the daemon (see commands.h). */

#include "vswitchd/commands.h"

#include <inttypes.h>
#include <limits.h>

#include "datapath/dp.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ipc/unixctl.h"
#include "vswitchd/control.h"
#include "vswitchd/mac_table.h"
#include "vswitchd/report.h"
#include "vswitchd/running.h"
#include "vswitchd/xlate.h"

static void (*exit_cb)(struct unixctl_conn *);

static void
reply_str(struct unixctl_conn *conn, struct str *s)
{
    unixctl_reply(conn, str_cstr(s));
    str_fini(s);
}

const char *
commands_port_name(uint32_t port, void *aux UNUSED)
{
    const struct vport *vport = dp_port_find(port);

    return vport ? vport->name : NULL;
}

static uint32_t
find_port_no(const char *name, void *aux UNUSED)
{
    const struct run_iface *i = running_find_iface(name);

    return i && i->vport ? i->vport->port_no : PORT_NONE;
}

/* --- exit --- */

static void
cmd_exit(struct unixctl_conn *conn, int argc, const char *argv[],
         void *aux UNUSED)
{
    /* Nothing outlives the daemon in any case. */
    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        unixctl_reply_error(conn, "exit takes --cleanup only");
        return;
    }
    exit_cb(conn);
}

/* --- the MAC table --- */

static struct run_bridge *
find_bridge(struct unixctl_conn *conn, const char *name)
{
    struct run_bridge *b = running_find_bridge(name);

    if (!b) {
        char *error = xasprintf("no such bridge: %s", name);

        unixctl_reply_error(conn, error);
        free(error);
    }
    return b;
}

static void
show_mac(const struct mac_view *view, void *s_)
{
    struct str *s = s_;
    const uint8_t *m = view->mac;

    if (view->ofport == OFPORT_LOCAL) {
        str_append(s, "LOCAL");
    } else {
        str_printf(s, "%5u", view->ofport);
    }
    str_printf(s, "  %4u  %02x:%02x:%02x:%02x:%02x:%02x  %3u\n",
               (unsigned int) view->vlan, m[0], m[1], m[2], m[3], m[4], m[5],
               view->age_s);
}

static void
cmd_fdb_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
             void *aux UNUSED)
{
    struct run_bridge *b = find_bridge(conn, argv[1]);
    struct str s = STR_INIT;

    if (b) {
        str_append(&s, " port  VLAN  MAC                Age\n");
        mac_table_for_each(b->macs, show_mac, &s);
        reply_str(conn, &s);
    }
}

static void
cmd_fdb_flush(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux UNUSED)
{
    struct run_bridge *b;

    if (argc > 1) {
        b = find_bridge(conn, argv[1]);
        if (!b) {
            return;
        }
        mac_table_flush(b->macs);
    } else {
        HMAP_FOR_EACH (b, node, &running.bridges) {
            mac_table_flush(b->macs);
        }
    }
    unixctl_reply(conn, "table successfully flushed");
}

static void
cmd_fdb_stats(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
              void *aux UNUSED)
{
    struct run_bridge *b = find_bridge(conn, argv[1]);
    struct str s = STR_INIT;

    if (b) {
        str_printf(&s, "Statistics for bridge \"%s\":\n"
                   "  Current/maximum MAC entries in the table: %zu/%zu\n",
                   b->name, mac_table_count(b->macs), mac_table_max(b->macs));
        reply_str(conn, &s);
    }
}

/* --- ofproto --- */

static void
cmd_ofproto_list(struct unixctl_conn *conn, int argc UNUSED,
                 const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;
    size_t n;
    struct run_bridge **bridges = running_sort_bridges(&n);

    for (size_t i = 0; i < n; i++) {
        str_printf(&s, "%s\n", bridges[i]->name);
    }
    free(bridges);
    reply_str(conn, &s);
}

static void
format_trace(struct str *s, const struct flow_key *key)
{
    const struct run_iface *in = running_find_port(key->in_port);
    struct dp_upcall up;
    struct str steps = STR_INIT;

    memset(&up, 0, sizeof up);
    flow_mask_init(&up.mask);
    action_list_init(&up.actions);
    xlate_trace(key, &up, &steps);

    str_append(s, "Flow: ");
    flow_format(s, key, NULL, commands_port_name, NULL);
    str_printf(s, "\n\nbridge(\"%s\")\n%s\nMegaflow: ",
               in ? in->bridge->name : "none", str_cstr(&steps));
    flow_format(s, key, &up.mask, commands_port_name, NULL);
    str_append(s, "\nDatapath actions: ");
    action_format(s, up.actions.data, up.actions.len, commands_port_name,
                  NULL, drop_reason_name);
    str_append_char(s, '\n');
    str_fini(&steps);
    action_list_fini(&up.actions);
}

static void
cmd_ofproto_trace(struct unixctl_conn *conn, int argc, const char *argv[],
                  void *aux UNUSED)
{
    struct flow_key key;
    struct flow_mask mask;
    struct str s = STR_INIT;
    char *error;

    /* A bridge or datapath may stand in front, as in OVS; the in_port says it
     * all. */
    error = flow_parse(argv[argc - 1], find_port_no, NULL, &key, &mask);
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
        return;
    }
    format_trace(&s, &key);
    reply_str(conn, &s);
}

/* --- everything on one page --- */

static const char *
link_state(const struct run_iface *iface)
{
    struct vport_status st;

    report_get_status(iface, &st);
    smap_fini(&st.status);
    return st.admin_up == VPORT_NO ? "admin down"
           : st.link_up == VPORT_NO ? "no link"
           : st.link_up == VPORT_YES ? "up" : "-";
}

static void
show_iface(struct str *s, const struct run_iface *i)
{
    const char *names[REPORT_MAX_EXTRA];
    uint64_t values[REPORT_MAX_EXTRA];
    const char *trouble = running_get_error(i);
    struct report_stats st;
    unsigned int n;

    str_printf(s, "  %-16s %-10s %5u  ", i->name, i->cfg->class, i->ofport);
    if (i->vport) {
        report_get_stats(i->vport, &st);
        str_printf(s, "%-11s rx %"PRIu64" (%"PRIu64" bytes)  "
                   "tx %"PRIu64" (%"PRIu64" bytes)\n", link_state(i),
                   st.rx_packets, st.rx_bytes, st.tx_packets, st.tx_bytes);
        n = report_get_extra(i->vport, names, values);
        for (unsigned int j = 0; j < n; j++) {
            str_printf(s, "      dropped %"PRIu64": %s\n", values[j],
                       names[j]);
        }
    } else {
        str_append(s, "not set up\n");
    }
    if (trouble || running_get_warning(i)) {
        str_printf(s, "      %s: %s\n", trouble ? "error" : "warning",
                   trouble ? trouble : running_get_warning(i));
    }
}

static void
cmd_show(struct unixctl_conn *conn, int argc UNUSED,
         const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;
    size_t n;
    struct run_bridge **bridges = running_sort_bridges(&n);
    const struct smap_node *error;

    str_printf(&s, "database: %s\n", control_status());
    for (size_t b = 0; b < n; b++) {
        size_t n_ifaces;
        struct run_iface **ifaces = running_sort_ifaces(bridges[b],
                                                        &n_ifaces);

        str_printf(&s, "bridge %s: %zu of at most %zu MAC addresses known\n",
                   bridges[b]->name, mac_table_count(bridges[b]->macs),
                   mac_table_max(bridges[b]->macs));
        for (size_t i = 0; i < n_ifaces; i++) {
            show_iface(&s, ifaces[i]);
        }
        free(ifaces);
    }
    free(bridges);
    SMAP_FOR_EACH (error, &running.hostip_errors) {
        str_printf(&s, "host underlay, %s: %s\n", error->key, error->value);
    }
    reply_str(conn, &s);
}

/* --- memory, coverage --- */

static void
cmd_text(struct unixctl_conn *conn, int argc UNUSED,
         const char *argv[] UNUSED, void *format_)
{
    void (**format)(struct str *) = format_;
    struct str s = STR_INIT;

    if (running.config) {
        (*format)(&s);
    }
    reply_str(conn, &s);
}

void
commands_init(void (*on_exit)(struct unixctl_conn *))
{
    static void (*memory)(struct str *) = dp_format_memory;
    static void (*coverage)(struct str *) = dp_format_coverage;
    static void (*rxq)(struct str *) = dp_format_pmd_rxq;
    static void (*perf)(struct str *) = dp_format_pmd_perf;
    static const struct {
        const char *name, *usage;
        int min_args, max_args;
        unixctl_cb *cb;
        void *aux;
    } commands[] = {
        { "exit", "[--cleanup]", 0, 1, cmd_exit, NULL },
        { "fdb/show", "bridge", 1, 1, cmd_fdb_show, NULL },
        { "fdb/flush", "[bridge]", 0, 1, cmd_fdb_flush, NULL },
        { "fdb/stats-show", "bridge", 1, 1, cmd_fdb_stats, NULL },
        { "ofproto/list", "", 0, 0, cmd_ofproto_list, NULL },
        { "ofproto/trace", "[bridge|dp] flow", 1, 2, cmd_ofproto_trace,
          NULL },
        { "qanat/show", "", 0, 0, cmd_show, NULL },
        { "memory/show", "", 0, 0, cmd_text, &memory },
        { "coverage/show", "", 0, 0, cmd_text, &coverage },
        { "pmd-rxq-show", "", 0, INT_MAX, cmd_text, &rxq },
        { "dpif-netdev/pmd-rxq-show", "", 0, INT_MAX, cmd_text, &rxq },
        { "pmd-perf-show", "", 0, INT_MAX, cmd_text, &perf },
        { "dpif-netdev/pmd-perf-show", "", 0, INT_MAX, cmd_text, &perf },
    };

    exit_cb = on_exit;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        unixctl_command_register(commands[i].name, commands[i].usage,
                                 commands[i].min_args, commands[i].max_args,
                                 commands[i].cb, commands[i].aux);
    }
    commands_dp_init();
    commands_offload_init();
    commands_tnl_init();
}
