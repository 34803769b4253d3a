/* SPDX-License-Identifier: Apache-2.0 */

/* control.c - the control loop (see control.h).
 *
 * While the database is away the switch goes on as it is.  When it is back,
 * its rows are compared with what runs: the same rows change nothing. */

#include "vswitchd/control.h"

#include <event2/event.h>

#include "datapath/dp.h"
#include "datapath/hostblock.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/ovsdb/ovsdb.h"
#include "vswitchd/apply.h"
#include "vswitchd/mac_table.h"
#include "vswitchd/report.h"
#include "vswitchd/running.h"
#include "vswitchd/underlay.h"
#include "vswitchd/xlate.h"

LOG_MODULE(control);

/* Link changes are reported at once, and then at most so often. */
#define STATUS_INTERVAL_MS 100

/* A lock that is held when we start may be that of a daemon which was killed
 * a moment ago, and the server has not noticed yet: whoever waits for us to be
 * ready waits so much longer. */
#define CONTENDED_GRACE_S 2

static struct {
    struct event_base *base;
    struct ovsdb *db;
    void (*ready)(void);

    struct event *second;       /* Each second. */
    struct event *stats;        /* Each stats-update-interval. */
    struct event *status;       /* Pending: the status is to be reported. */
    struct event *grace;        /* Pending: the lock is not ours yet. */
    int64_t status_ms;          /* When it was reported last. */

    bool dp_started;
    char *dpdk_extra;           /* What the fast path was started with. */
    char *socket_mem;

    uint64_t seqno;             /* Of the rows that are in force. */
    unsigned int n_syncs;
    bool told_contended;
} ctl;

static void on_db_changed(struct ovsdb *, void *);
static void on_environment(void *);
static void on_second(evutil_socket_t, short, void *);
static void on_stats(evutil_socket_t, short, void *);
static void on_status(evutil_socket_t, short, void *);
static void on_grace(evutil_socket_t, short, void *);

char *
control_init(struct event_base *base, const char *remote,
             void (*ready)(void))
{
    static const struct timeval second = { .tv_sec = 1 };
    char *error;

    ctl.base = base;
    ctl.ready = ready;
    error = underlay_init(base, on_environment, NULL);
    if (error) {
        return error;
    }
    ctl.second = event_new(base, -1, EV_PERSIST, on_second, NULL);
    ctl.stats = event_new(base, -1, 0, on_stats, NULL);
    ctl.status = event_new(base, -1, 0, on_status, NULL);
    ctl.grace = event_new(base, -1, 0, on_grace, NULL);
    if (!ctl.second || !ctl.stats || !ctl.status || !ctl.grace
        || event_add(ctl.second, &second)) {
        return xstrdup("cannot start timers");
    }

    ctl.db = ovsdb_create(base, remote, "Open_vSwitch");
    config_add_columns(ctl.db);
    ovsdb_set_lock(ctl.db, "qanat_vswitchd");
    ovsdb_set_change_cb(ctl.db, on_db_changed, NULL);
    ovsdb_start(ctl.db);
    return NULL;
}

void
control_fini(void)
{
    apply_clear();
    if (ctl.dp_started) {
        dp_fini();
    }
    underlay_fini();
    ovsdb_destroy(ctl.db);
    event_free(ctl.second);
    event_free(ctl.stats);
    event_free(ctl.status);
    event_free(ctl.grace);
    free(ctl.dpdk_extra);
    free(ctl.socket_mem);
    memset(&ctl, 0, sizeof ctl);
}

const char *
control_status(void)
{
    return ovsdb_status(ctl.db);
}

static void
be_ready(void)
{
    void (*ready)(void) = ctl.ready;

    ctl.ready = NULL;
    if (ready) {
        ready();
    }
}

/* --- the fast path --- */

static char *
copy(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

static void
start_datapath(const struct smap *other_config)
{
    struct dp_cfg cfg = {
        .extra_args = smap_get(other_config, "dpdk-extra"),
        .socket_mem = smap_get(other_config, "dpdk-socket-mem"),
        .upcall = xlate_upcall,
    };
    char *error;

    ctl.dpdk_extra = copy(cfg.extra_args);
    ctl.socket_mem = copy(cfg.socket_mem);
    hostblock_cleanup_stale();
    pipeline_init();
    error = dp_init(&cfg);
    if (error) {
        log_fatal("%s", error);
    }
    ctl.dp_started = true;
}

static bool
differ(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

/* DPDK starts once in a process. */
static void
note_late_options(struct config *config)
{
    const struct smap *other_config = &config->global.other_config;

    if (differ(smap_get(other_config, "dpdk-extra"), ctl.dpdk_extra)) {
        config_note(&config->notes, "other_config:dpdk-extra has changed, "
                    "which takes effect when the daemon is restarted");
    }
    if (differ(smap_get(other_config, "dpdk-socket-mem"), ctl.socket_mem)) {
        config_note(&config->notes, "other_config:dpdk-socket-mem has "
                    "changed, which takes effect when the daemon is "
                    "restarted");
    }
}

/* --- the database --- */

static void
set_stats_timer(void)
{
    unsigned int ms = running.config->global.stats_interval_ms;
    struct timeval tv = {
        .tv_sec = ms / 1000, .tv_usec = (suseconds_t) (ms % 1000) * 1000,
    };

    event_add(ctl.stats, &tv);
}

static void
reconfigure(void)
{
    struct config *config = config_read(ctl.db);
    bool is_first = !running.config;
    unsigned int old_ms = is_first ? 0
                          : running.config->global.stats_interval_ms;

    if (!config->global.has_row) {
        /* "ovs-vsctl init" has not run yet. */
        log_info("the database has no Open_vSwitch row yet");
        config_destroy(config);
        return;
    }
    if (!ctl.dp_started) {
        start_datapath(&config->global.other_config);
    }
    config_check(config);
    note_late_options(config);
    apply_config(config);
    report_write(ctl.db, REPORT_CONFIG | REPORT_STATUS
                         | (is_first ? REPORT_STATS : 0));
    ctl.status_ms = clock_ms();
    if (old_ms != config->global.stats_interval_ms) {
        set_stats_timer();
    }
}

/* Another daemon works for this database: two must not hold the same
 * devices. */
static void
step_aside(void)
{
    static const struct timeval grace = { .tv_sec = CONTENDED_GRACE_S };

    if (!ctl.told_contended) {
        log_warn("another qanat-vswitchd holds the database; waiting until it "
                 "ends");
        ctl.told_contended = true;
        event_add(ctl.grace, &grace);
    }
    apply_clear();
    ctl.seqno = 0;
}

static void
on_grace(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    be_ready();
}

static void
on_db_changed(struct ovsdb *db, void *aux UNUSED)
{
    if (ovsdb_is_lock_contended(db)) {
        step_aside();
        return;
    }
    if (!ovsdb_is_synced(db) || !ovsdb_has_lock(db)) {
        return;
    }
    if (ctl.told_contended) {
        log_info("the database is ours now");
        ctl.told_contended = false;
        event_del(ctl.grace);
    }
    /* After a reconnection the rows may be the same, but what we had written
     * into columns that the server does not keep is gone. */
    if (ovsdb_seqno(db) == ctl.seqno && ovsdb_n_syncs(db) == ctl.n_syncs) {
        return;
    }
    ctl.seqno = ovsdb_seqno(db);
    ctl.n_syncs = ovsdb_n_syncs(db);
    reconfigure();
    be_ready();
}

/* --- the rest of the world --- */

static void
request_status(void)
{
    int64_t wait_ms = ctl.status_ms + STATUS_INTERVAL_MS - clock_ms();
    struct timeval tv = {
        .tv_usec = wait_ms > 0 && wait_ms <= STATUS_INTERVAL_MS
                   ? (suseconds_t) wait_ms * 1000 : 0,
    };

    if (!event_pending(ctl.status, EV_TIMEOUT, NULL)) {
        event_add(ctl.status, &tv);
    }
}

static void
on_status(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    ctl.status_ms = clock_ms();
    report_write(ctl.db, REPORT_STATUS);
}

static void
on_environment(void *aux UNUSED)
{
    apply_environment();
    request_status();
}

static void
on_stats(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    if (!running.config) {
        return;
    }
    if (apply_retry()) {
        request_status();
    }
    report_retry(ctl.db);

    /* A server that has not caught up is given time. */
    if (!ovsdb_n_in_flight(ctl.db)) {
        report_write(ctl.db, REPORT_STATS);
    }
    set_stats_timer();
}

/* DPDK's links tell nobody when they come and go. */
static bool
poll_links(void)
{
    bool changed = false;
    struct run_iface *i;

    HMAP_FOR_EACH (i, node, &running.ifaces) {
        struct vport_status st;

        if (!i->vport || i->cfg->kind != CFG_DPDK) {
            continue;
        }
        report_get_status(i, &st);
        smap_fini(&st.status);
        changed |= st.link_up != i->link_up;
        i->link_up = st.link_up;
    }
    return changed;
}

static void
on_second(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    struct run_bridge *b;

    HMAP_FOR_EACH (b, node, &running.bridges) {
        mac_table_expire(b->macs);
    }
    if (poll_links()) {
        request_status();
    }
}
