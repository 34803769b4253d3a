/* SPDX-License-Identifier: Apache-2.0 */

/* apply.c - turns the running configuration into the desired one (see
 * apply.h). */

#include "vswitchd/apply.h"

#include "datapath/dp.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "vswitchd/apply_private.h"
#include "vswitchd/mac_table.h"
#include "vswitchd/nlmon.h"
#include "vswitchd/underlay.h"

LOG_MODULE(bridge);

/* MAC tables of bridges that are gone, until no pipeline names them. */
static struct mac_table **old_macs;
static size_t n_old_macs, old_macs_room;

/* --- lines for the log --- */

static struct strset told = STRSET_INIT(&told);

/* Each note is told when it appears, and again when it was gone between. */
static void
tell_notes(const struct config *config)
{
    const char **notes = strset_sort(&config->notes);
    size_t n = strset_count(&config->notes);

    for (size_t i = 0; i < n; i++) {
        if (!strset_contains(&told, notes[i])) {
            log_warn("%s", notes[i]);
        }
    }
    free(notes);
    strset_fini(&told);
    strset_clone(&told, &config->notes);
}

/* --- bridges --- */

static void
retire_macs(struct run_bridge *b)
{
    if (n_old_macs == old_macs_room) {
        old_macs = xgrow(old_macs, &old_macs_room, sizeof *old_macs);
    }
    old_macs[n_old_macs++] = b->macs;
    b->macs = NULL;
}

static void
drop_old_macs(void)
{
    while (n_old_macs) {
        mac_table_destroy(old_macs[--n_old_macs]);
    }
}

static void
remove_bridge(struct run_bridge *b)
{
    log_info("bridge %s: removed", b->name);
    hmap_remove(&running.bridges, &b->node);
    retire_macs(b);
    ofports_fini(&b->ofports);
    free(b->name);
    free(b);
}

static struct cfg_bridge *
find_cfg_bridge(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_bridges; i++) {
        if (!strcmp(config->bridges[i]->name, name)
            && !config->bridges[i]->error) {
            return config->bridges[i];
        }
    }
    return NULL;
}

/* Bridges that stay learn their new configuration, new ones are made; those
 * that go have no ports any more. */
static void
set_bridges(struct config *config)
{
    struct run_bridge *b, *next;

    HMAP_FOR_EACH_SAFE (b, next, node, &running.bridges) {
        if (!find_cfg_bridge(config, b->name)) {
            remove_bridge(b);
        }
    }
    for (size_t i = 0; i < config->n_bridges; i++) {
        struct cfg_bridge *cfg = config->bridges[i];

        if (cfg->error) {
            continue;
        }
        b = running_find_bridge(cfg->name);
        if (!b) {
            b = xzalloc(sizeof *b);
            b->name = xstrdup(cfg->name);
            ofports_init(&b->ofports);
            hmap_insert(&running.bridges, &b->node,
                        hash_string(b->name, 0));
            log_info("bridge %s: added", b->name);
        }
        b->cfg = cfg;
        if (b->macs && !mac_table_has_size(b->macs, cfg->mac_table_size)) {
            retire_macs(b);
        }
        if (!b->macs) {
            b->macs = mac_table_create(cfg->mac_table_size,
                                       cfg->mac_aging_s);
        }
        mac_table_set_idle(b->macs, cfg->mac_aging_s);
    }
}

/* --- closing --- */

static struct cfg_iface *
find_cfg_iface(const struct config *config, const char *bridge,
               const char *name)
{
    const struct cfg_bridge *b = find_cfg_bridge(config, bridge);

    for (size_t i = 0; b && i < b->n_ifaces; i++) {
        if (!strcmp(b->ifaces[i]->name, name) && !b->ifaces[i]->error) {
            return b->ifaces[i];
        }
    }
    return NULL;
}

static void
free_iface(struct run_iface *i)
{
    hmap_remove(&running.ifaces, &i->node);
    if (i->tried) {
        apply_free_vport_cfg(&i->opened);
    }
    free(i->error);
    free(i->warning);
    free(i->name);
    free(i);
}

/* Closes the ports of all interfaces marked 'is_closing', which the published
 * pipeline has no more, and forgets what was learned behind them. */
static bool
close_marked(void)
{
    struct run_iface *i;
    bool any = false;

    HMAP_FOR_EACH (i, node, &running.ifaces) {
        if (i->is_closing && i->vport) {
            mac_table_flush_port(i->bridge->macs, i->ofport);
            apply_retire_underlay(i);
            apply_close_iface(i);
            any = true;
        }
        i->is_closing = false;
    }
    return any;
}

/* Removes what the new configuration has not, or has elsewhere or as another
 * type.  Returns true if a port was closed. */
static bool
remove_ifaces(const struct config *config)
{
    struct run_iface *i, *next;
    struct hmap gone;
    bool closed;

    hmap_init(&gone);
    HMAP_FOR_EACH (i, node, &running.ifaces) {
        const struct cfg_iface *cfg = find_cfg_iface(config, i->bridge->name,
                                                     i->name);

        i->is_closing = !cfg || cfg->class != i->cfg->class;
    }
    apply_publish();
    HMAP_FOR_EACH_SAFE (i, next, node, &running.ifaces) {
        if (i->is_closing) {
            hmap_remove(&running.ifaces, &i->node);
            hmap_insert(&gone, &i->node, i->node.hash);
        }
    }
    hmap_swap(&gone, &running.ifaces);
    closed = close_marked();
    HMAP_FOR_EACH_SAFE (i, next, node, &running.ifaces) {
        log_info("bridge %s: removed port %s", i->bridge->name, i->name);
        ofports_release(&i->bridge->ofports, i->name);
        free_iface(i);
    }
    hmap_swap(&gone, &running.ifaces);
    hmap_fini(&gone);
    apply_close_unused_hostip();
    apply_drop_old_underlays();
    return closed;
}

/* --- interfaces that stay or come --- */

static void
set_ifaces(struct config *config)
{
    for (size_t b = 0; b < config->n_bridges; b++) {
        struct run_bridge *bridge =
            config->bridges[b]->error ? NULL
            : running_find_bridge(config->bridges[b]->name);

        for (size_t j = 0; bridge && j < bridge->cfg->n_ifaces; j++) {
            struct cfg_iface *cfg = bridge->cfg->ifaces[j];
            struct run_iface *i;

            if (cfg->error) {
                continue;
            }
            i = running_find_iface(cfg->name);
            if (!i) {
                i = xzalloc(sizeof *i);
                i->name = xstrdup(cfg->name);
                i->bridge = bridge;
                hmap_insert(&running.ifaces, &i->node,
                            hash_string(i->name, 0));
            }
            i->cfg = cfg;
        }
    }
}

static void
set_ofport(struct run_iface *i, uint32_t ofport)
{
    if (i->ofport && i->ofport != ofport) {
        log_info("bridge %s: port %s is number %u instead of %u",
                 i->bridge->name, i->name, ofport, i->ofport);
        mac_table_flush_port(i->bridge->macs, i->ofport);
    }
    i->ofport = ofport;
}

/* First those that ask for a number, then those that had one, then the rest:
 * so an old number is not given to a newcomer. */
static void
set_ofports(void)
{
    size_t n;
    struct run_iface **ifaces = running_sort_ifaces(NULL, &n);

    for (size_t k = 0; k < n; k++) {
        struct run_iface *i = ifaces[k];
        uint32_t request = (uint32_t) i->cfg->ofport_request;

        if (request && ofports_take(&i->bridge->ofports, i->name, request)) {
            set_ofport(i, request);
        }
    }
    for (size_t k = 0; k < n; k++) {
        struct run_iface *i = ifaces[k];
        int64_t old = i->cfg->ofport_old;

        if (!i->ofport && old > 0 && old <= (int64_t) OFPORT_MAX
            && ofports_take(&i->bridge->ofports, i->name, (uint32_t) old)) {
            set_ofport(i, (uint32_t) old);
        }
    }
    for (size_t k = 0; k < n; k++) {
        if (!ifaces[k]->ofport) {
            set_ofport(ifaces[k], ofports_get(&ifaces[k]->bridge->ofports,
                                              ifaces[k]->name));
        }
    }
    free(ifaces);
}

/* A bridge's internal ports come last: their MTU and its own port's address
 * depend on the others. */
static void
open_ifaces(bool may_retry)
{
    size_t n;
    struct run_iface **ifaces = running_sort_ifaces(NULL, &n);
    struct run_bridge *b;

    for (size_t k = 0; k < n; k++) {
        if (ifaces[k]->cfg->kind != CFG_INTERNAL) {
            apply_open_iface(ifaces[k], may_retry);
        }
    }
    HMAP_FOR_EACH (b, node, &running.bridges) {
        apply_choose_mac(b, b->mac);
    }
    for (size_t k = 0; k < n; k++) {
        if (ifaces[k]->cfg->kind == CFG_INTERNAL) {
            apply_open_iface(ifaces[k], may_retry);
        }
    }
    free(ifaces);
}

/* --- what the rest follows from --- */

static void
tell_internals(void)
{
    struct underlay_internal *internals = xcalloc(
        hmap_count(&running.ifaces) + 1, sizeof *internals);
    size_t n, n_internals = 0;
    struct run_iface **ifaces = running_sort_ifaces(NULL, &n);

    for (size_t k = 0; k < n; k++) {
        struct run_iface *i = ifaces[k];

        if (i->vport && !i->is_closing && i->cfg->kind == CFG_INTERNAL
            && i->ifindex) {
            const struct nlmon_link *link = nlmon_link_by_index(i->ifindex);

            internals[n_internals].ifindex = i->ifindex;
            internals[n_internals].dp_port = i->vport->port_no;
            memcpy(internals[n_internals].mac,
                   link ? link->mac : i->vport->mac, 6);
            n_internals++;
        }
    }
    underlay_set_internals(internals, n_internals);
    free(ifaces);
    free(internals);
}

/* All ports are as they are to be: finds ways for tunnels, publishes, and
 * frees what the old pipeline had. */
static void
finish(void)
{
    tell_internals();
    apply_underlays();
    apply_hostip(true);
    apply_publish();
    apply_close_unused_hostip();
    apply_drop_old_underlays();
    drop_old_macs();
}

/* --- public --- */

static void
apply_global(const struct cfg_global *global)
{
    static char *last_mask_error;
    char *error = dp_set_pmd_cpu_mask(smap_get(&global->other_config,
                                               "pmd-cpu-mask"));

    if (error && (!last_mask_error || strcmp(error, last_mask_error))) {
        log_warn("%s", error);
    }
    free(last_mask_error);
    last_mask_error = error;
    dp_set_max_idle(global->max_idle_ms);
}

void
apply_config(struct config *config)
{
    struct config *old = running.config;
    bool closed;

    apply_global(&config->global);
    apply_refuse_conflicts(config);
    tell_notes(config);

    closed = remove_ifaces(config);
    set_bridges(config);
    set_ifaces(config);
    running.config = config;
    config_destroy(old);

    set_ofports();
    open_ifaces(closed);
    finish();
}

void
apply_environment(void)
{
    struct run_iface *i;
    bool any = false;

    if (!running.config) {
        return;
    }
    HMAP_FOR_EACH (i, node, &running.ifaces) {
        i->is_closing = !apply_check_device(i);
        any |= i->is_closing;
    }
    if (any) {
        tell_internals();
        apply_publish();
        HMAP_FOR_EACH (i, node, &running.ifaces) {
            if (i->is_closing) {
                apply_set_error(i, xasprintf("the device %s is gone",
                                             i->name));
                /* Ours can be made anew at once; the host's are waited for. */
                i->link_seq = i->cfg->kind == CFG_INTERNAL ? UINT64_MAX : 0;
            }
        }
        close_marked();
    }
    open_ifaces(false);
    finish();
}

bool
apply_retry(void)
{
    if (!running.config || smap_is_empty(&running.hostip_errors)
        || !apply_hostip(true)) {
        return false;
    }
    finish();
    return true;
}

void
apply_clear(void)
{
    struct config *none;

    if (!running.config) {
        return;
    }
    none = config_create();
    remove_ifaces(none);
    set_bridges(none);
    config_destroy(running.config);
    running.config = NULL;
    config_destroy(none);
    finish();
    apply_forget_published();
}
