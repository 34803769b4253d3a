/* SPDX-License-Identifier: Apache-2.0 */

/* commands_offload.c - "offload/show": what offloading did, for each port and
 * in all (see commands.h).  MAIN. */

#include "vswitchd/commands.h"

#include <inttypes.h>
#include <string.h>

#include "datapath/dp.h"
#include "datapath/vport.h"
#include "lib/base/str.h"
#include "lib/ipc/unixctl.h"
#include "vswitchd/report.h"

/* The drops that are about claims and about what cannot be cut. */
static bool
is_of_offload(uint32_t reason)
{
    return (reason >= DROP_VNET_SHORT && reason <= DROP_VNET_CSUM_PLACE)
           || (reason >= DROP_TOO_BIG && reason <= DROP_BAD_SEGMENT);
}

struct account {
    uint64_t done[REPORT_N_OFFLOAD];
    uint64_t drops[N_DROP_REASONS];
};

static void
format_account(struct str *s, const char *title, const struct account *a)
{
    str_printf(s, "%s:\n", title);
    for (unsigned int i = 0; i < REPORT_N_OFFLOAD; i++) {
        str_printf(s, "  %s: %"PRIu64"\n", report_offload_names[i],
                   a->done[i]);
    }
    for (uint32_t i = 0; i < N_DROP_REASONS; i++) {
        if (is_of_offload(i) && a->drops[i]) {
            str_printf(s, "  drop_%s: %"PRIu64"\n", drop_reason_name(i),
                       a->drops[i]);
        }
    }
}

static void
read_account(struct vport *vport, struct account *a)
{
    struct vport_counters c;
    uint64_t rx_dropped;

    dp_port_get_counters(vport, &c, &rx_dropped);
    memcpy(a->drops, c.drops, sizeof a->drops);
    report_get_offload(vport, a->done);
}

static void
add_account(struct account *sum, const struct account *a)
{
    for (unsigned int i = 0; i < REPORT_N_OFFLOAD; i++) {
        sum->done[i] += a->done[i];
    }
    for (uint32_t i = 0; i < N_DROP_REASONS; i++) {
        sum->drops[i] += a->drops[i];
    }
}

/* Ports that the database does not know (the host's stack) are shown, too. */
static void
cmd_offload_show(struct unixctl_conn *conn, int argc, const char *argv[],
                 void *aux UNUSED)
{
    struct account total = { .done = {0} };
    struct str s = STR_INIT;
    bool found = false;

    for (uint32_t no = 1; no < DP_MAX_PORTS; no++) {
        struct vport *vport = dp_port_find(no);
        struct account a;

        if (!vport || (argc > 1 && strcmp(vport->name, argv[1]))) {
            continue;
        }
        found = true;
        read_account(vport, &a);
        format_account(&s, vport->name, &a);
        add_account(&total, &a);
    }
    if (argc > 1 && !found) {
        str_fini(&s);
        unixctl_reply_error(conn, "no such port");
        return;
    }
    if (argc == 1) {
        format_account(&s, "total", &total);
    }
    unixctl_reply(conn, str_cstr(&s));
    str_fini(&s);
}

void
commands_offload_init(void)
{
    unixctl_command_register("offload/show", "[port]", 0, 1,
                             cmd_offload_show, NULL);
}
