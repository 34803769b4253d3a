/* SPDX-License-Identifier: Apache-2.0 */

/* apply_tunnel.c - what tunnels need beside a number: no rival, a way, and on
 * the host underlay the port that stands for the host's stack. */

#include <netinet/in.h>
#include <stdio.h>

#include "datapath/dp.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "vswitchd/apply_private.h"
#include "vswitchd/underlay.h"

LOG_MODULE(tunnel);

/* No interface row can have this name: it has a slash. */
#define HOSTIP_NAME "host/ip"

/* --- rivals --- */

struct claim {
    struct hmap_node node;
    struct cfg_iface *iface;
    const struct cfg_bridge *bridge;
};

static uint32_t
hash_claim(const struct tnl_cfg *tnl)
{
    return hash_bytes(&tnl->remote, sizeof tnl->remote,
                      hash_int(tnl->in_key, tnl->type));
}

static struct claim *
find_rival(const struct hmap *claims, const struct tnl_cfg *tnl)
{
    struct claim *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash_claim(tnl), claims) {
        if (tnl_cfg_conflicts(&c->iface->tnl, tnl)) {
            return c;
        }
    }
    return NULL;
}

static void
claim(struct hmap *claims, const struct cfg_bridge *bridge,
      struct cfg_iface *iface, struct strset *notes)
{
    struct claim *c = find_rival(claims, &iface->tnl);

    if (c) {
        config_fail(iface, xasprintf("it has the same remote_ip, local_ip and "
                                     "key as tunnel %s of bridge %s",
                                     c->iface->name, c->bridge->name));
        config_note(notes, "bridge %s: port %s is not set up: %s",
                    bridge->name, iface->name, iface->error);
        return;
    }
    c = xzalloc(sizeof *c);
    c->iface = iface;
    c->bridge = bridge;
    hmap_insert(claims, &c->node, hash_claim(&iface->tnl));
}

static bool
is_running_as_is(const struct cfg_iface *iface)
{
    const struct run_iface *run = running_find_iface(iface->name);

    return run && run->vport && run->cfg->kind == CFG_TUNNEL
           && !memcmp(&run->cfg->tnl, &iface->tnl, sizeof iface->tnl);
}

/* Who was there first stays: a new row must not cut an old tunnel. */
void
apply_refuse_conflicts(struct config *config)
{
    struct hmap claims;
    struct claim *c, *next;

    hmap_init(&claims);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < config->n_bridges; i++) {
            const struct cfg_bridge *bridge = config->bridges[i];

            for (size_t j = 0; j < bridge->n_ifaces; j++) {
                struct cfg_iface *iface = bridge->ifaces[j];

                if (!iface->error && iface->kind == CFG_TUNNEL
                    && is_running_as_is(iface) == (pass == 0)) {
                    claim(&claims, bridge, iface, &config->notes);
                }
            }
        }
    }
    HMAP_FOR_EACH_SAFE (c, next, node, &claims) {
        free(c);
    }
    hmap_fini(&claims);
}

/* --- ways --- */

static struct underlay **retired;
static size_t n_retired, retired_room;

void
apply_retire_underlay(struct run_iface *iface)
{
    if (iface->underlay) {
        if (n_retired == retired_room) {
            retired = xgrow(retired, &retired_room, sizeof *retired);
        }
        retired[n_retired++] = iface->underlay;
        iface->underlay = NULL;
    }
}

void
apply_drop_old_underlays(void)
{
    while (n_retired) {
        underlay_destroy(retired[--n_retired]);
    }
}

static bool
same_way(const struct tnl_cfg *a, const struct tnl_cfg *b)
{
    return !memcmp(&a->remote, &b->remote, sizeof a->remote)
           && a->has_local == b->has_local
           && !memcmp(&a->local, &b->local, sizeof a->local)
           && a->remote_flow == b->remote_flow;
}

void
apply_underlays(void)
{
    struct run_iface *i;

    HMAP_FOR_EACH (i, node, &running.ifaces) {
        const struct tnl_cfg *tnl = &i->cfg->tnl;

        if (i->cfg->kind != CFG_TUNNEL || !i->vport || i->is_closing) {
            continue;
        }
        if (i->underlay && !same_way(tnl, &i->way)) {
            apply_retire_underlay(i);
        }
        if (!i->underlay && !tnl->remote_flow) {
            i->underlay = underlay_create(i->name, &tnl->remote,
                                          tnl->has_local ? &tnl->local
                                          : NULL);
            i->way = *tnl;
        }
    }
}

/* --- the host underlay's port --- */

/* Whether the tunnel sends through the host's stack. */
static bool
sends_by_host(const struct run_iface *iface)
{
    return iface->underlay
           && underlay_get(iface->underlay)->kind == UNDERLAY_HOST;
}

/* Each tunnel does, whatever its own way: the other end may have another route
 * to us, by a device of the host's; and what arrives in IP fragments is left
 * to the host's stack, which hands it to us whole.  The kernel's own tunnels
 * are open to all devices likewise. */
bool
apply_needs_hostip(const struct run_iface *iface)
{
    return iface->cfg->kind == CFG_TUNNEL && iface->vport
           && !iface->is_closing;
}

bool
apply_is_hostip_needed(void)
{
    struct run_iface *i;

    HMAP_FOR_EACH (i, node, &running.ifaces) {
        if (apply_needs_hostip(i)) {
            return true;
        }
    }
    return false;
}

/* What a tunnel needs open: "gre", or a UDP port. */
static const char *
key_of(const struct run_iface *iface, char buf[8])
{
    const struct tnl_ops *ops = tnl_ops_get(iface->cfg->tnl.type);

    if (ops->ip_proto != IPPROTO_UDP) {
        return ops->name;
    }
    snprintf(buf, 8, "%u", (unsigned int) iface->cfg->tnl.dst_port);
    return buf;
}

static void
collect_wanted(struct strset *wanted)
{
    struct run_iface *i;
    char buf[8];

    HMAP_FOR_EACH (i, node, &running.ifaces) {
        if (apply_needs_hostip(i)) {
            strset_add(wanted, key_of(i, buf));
        }
    }
}

static char *
join(const struct strset *set)
{
    const char **keys = strset_sort(set);
    struct str s = STR_INIT;

    for (size_t i = 0; i < strset_count(set); i++) {
        str_printf(&s, "%s%s", i ? ", " : "", keys[i]);
    }
    free(keys);
    return str_steal(&s);
}

const char *
apply_get_hostip_error(const struct run_iface *iface)
{
    char buf[8];

    return iface->cfg->kind == CFG_TUNNEL && iface->vport
           && (sends_by_host(iface) || iface->cfg->tnl.remote_flow)
           ? smap_get(&running.hostip_errors, key_of(iface, buf)) : NULL;
}

/* Opens the port for 'keys', or makes it have these; NULL or a sentence. */
static char *
set_hostip(const struct strset *keys)
{
    const char **sorted = strset_sort(keys);
    struct str udp = STR_INIT;
    struct vport_cfg vc;
    bool reopen = false;
    char *error;

    memset(&vc, 0, sizeof vc);
    vc.name = xstrdup(HOSTIP_NAME);
    vc.type = xstrdup("hostip");
    smap_init(&vc.options);
    for (size_t i = 0; i < strset_count(keys); i++) {
        if (sorted[i][0] >= '0' && sorted[i][0] <= '9') {
            str_printf(&udp, "%s%s", udp.len ? "," : "", sorted[i]);
        } else {
            smap_set(&vc.options, sorted[i], "true");
        }
    }
    if (udp.len) {
        smap_set(&vc.options, "udp_ports", str_cstr(&udp));
    }
    if (running.hostip) {
        vc.port_no = running.hostip->port_no;
        error = dp_port_update(running.hostip, &vc, &reopen);
        if (reopen) {
            free(error);
            dp_port_del(running.hostip);
            running.hostip = NULL;
        }
    }
    if (!running.hostip) {
        error = dp_port_add(&vc, &running.hostip);
        if (error) {
            running.hostip = NULL;
        }
    }
    str_fini(&udp);
    free(sorted);
    apply_free_vport_cfg(&vc);
    return error;
}

/* Adds one key to what is open. */
static void
open_key(const char *key)
{
    const char *before = smap_get(&running.hostip_errors, key);
    char *error;

    strset_add(&running.hostip_open, key);
    error = set_hostip(&running.hostip_open);
    if (!error) {
        log_info("listening for tunnels in the host's stack: %s", key);
        smap_remove(&running.hostip_errors, key);
        return;
    }
    if (!before || strcmp(before, error)) {
        log_warn("no tunnels through the host's stack: %s", error);
    }
    smap_set(&running.hostip_errors, key, error);
    free(error);
    strset_remove(&running.hostip_open, key);
}

/* Forgets what is in 'set' and not wanted any more; true if there was any. */
static bool
intersect(struct strset *set, const struct strset *wanted)
{
    struct strset old;
    const char *key;
    bool any = false;

    strset_clone(&old, set);
    STRSET_FOR_EACH (key, &old) {
        if (!strset_contains(wanted, key)) {
            strset_remove(set, key);
            smap_remove(&running.hostip_errors, key);
            any = true;
        }
    }
    strset_fini(&old);
    return any;
}

bool
apply_hostip(bool retry)
{
    size_t n_errors = smap_count(&running.hostip_errors);
    uint32_t old_no = running.hostip ? running.hostip->port_no : PORT_NONE;
    struct strset wanted = STRSET_INIT(&wanted);
    const char **keys;
    bool fewer;

    collect_wanted(&wanted);
    if (strset_is_empty(&wanted)
        || (strset_equal(&wanted, &running.hostip_wanted)
            && !(retry && n_errors))) {
        strset_fini(&wanted);
        return false;
    }
    intersect(&running.hostip_wanted, &wanted);
    fewer = intersect(&running.hostip_open, &wanted);
    keys = strset_sort(&wanted);
    for (size_t i = 0; i < strset_count(&wanted); i++) {
        if (!strset_contains(&running.hostip_open, keys[i])) {
            open_key(keys[i]);
        }
    }
    free(keys);
    if (running.hostip && (fewer || !smap_is_empty(&running.hostip_errors))) {
        free(set_hostip(&running.hostip_open));
    }
    strset_swap(&running.hostip_wanted, &wanted);
    strset_fini(&wanted);
    return n_errors != smap_count(&running.hostip_errors)
           || old_no != (running.hostip ? running.hostip->port_no
                         : PORT_NONE);
}

void
apply_close_unused_hostip(void)
{
    char *text;

    if (strset_is_empty(&running.hostip_wanted) || apply_is_hostip_needed()) {
        return;
    }
    if (running.hostip) {
        dp_port_del(running.hostip);
        running.hostip = NULL;
    }
    text = join(&running.hostip_wanted);
    log_info("not listening for tunnels any more: %s", text);
    free(text);
    strset_clear(&running.hostip_wanted);
    strset_clear(&running.hostip_open);
    smap_clear(&running.hostip_errors);
}
