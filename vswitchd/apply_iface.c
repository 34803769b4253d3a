/* SPDX-License-Identifier: Apache-2.0 */

/* apply_iface.c - opens, changes and closes the datapath's port of one
 * interface.
 *
 * A port that could not be opened is remembered with its error and tried again
 * when its row or its device changes, or when another port was closed that may
 * have been in the way. */

#include "datapath/dp.h"
#include "lib/base/log.h"
#include "vswitchd/apply_private.h"
#include "vswitchd/nlmon.h"

LOG_MODULE(bridge);

/* What the kernel lets a tap have. */
#define MAX_TAP_MTU 65521u

/* --- what a port is opened with --- */

/* OVS gives internal ports the smallest MTU of the bridge's other ports, so
 * that what the host sends through one fits the wire behind it. */
static unsigned int
choose_mtu(const struct run_iface *iface)
{
    unsigned int mtu = 0;
    struct run_iface *other;

    if (iface->cfg->mtu_request || iface->cfg->kind != CFG_INTERNAL) {
        return (unsigned int) iface->cfg->mtu_request;
    }
    HMAP_FOR_EACH (other, node, &running.ifaces) {
        if (other->bridge == iface->bridge && other->vport
            && (other->cfg->kind == CFG_SYSTEM
                || other->cfg->kind == CFG_DPDK)) {
            unsigned int m = atomic_load(&other->vport->mtu);

            if (m && (!mtu || m < mtu)) {
                mtu = m;
            }
        }
    }
    /* Without others: as it is, but not what a port gone by had wanted. */
    return mtu ? MIN(mtu, MAX_TAP_MTU) : iface->opened.mtu_request ? 1500 : 0;
}

/* The lowest universal address of the bridge's devices, as OVS has it.  Those
 * of guests and veths are made up and come and go; a bridge's must stay. */
void
apply_choose_mac(const struct run_bridge *bridge, uint8_t mac[6])
{
    bool found = false;
    struct run_iface *i;

    if (bridge->cfg->has_hwaddr) {
        memcpy(mac, bridge->cfg->hwaddr, 6);
        return;
    }
    HMAP_FOR_EACH (i, node, &running.ifaces) {
        if (i->bridge == bridge && i->vport
            && (i->cfg->kind == CFG_SYSTEM || i->cfg->kind == CFG_DPDK)) {
            const struct nlmon_link *link = i->cfg->kind == CFG_SYSTEM
                                            ? nlmon_link_find(i->name) : NULL;
            const uint8_t *m = link ? link->mac : i->vport->mac;

            if (!(m[0] & 3) && (m[0] | m[1] | m[2] | m[3] | m[4] | m[5])
                && (!found || memcmp(m, mac, 6) < 0)) {
                memcpy(mac, m, 6);
                found = true;
            }
        }
    }
    if (!found) {
        config_stable_mac(&bridge->cfg->uuid, mac);
    }
}

void
apply_make_vport_cfg(const struct run_iface *iface, struct vport_cfg *vc)
{
    const struct cfg_iface *cfg = iface->cfg;

    memset(vc, 0, sizeof *vc);
    vc->name = xstrdup(iface->name);
    vc->type = xstrdup(cfg->class);
    smap_clone(&vc->options, &cfg->options);
    vc->mtu_request = choose_mtu(iface);
    vc->has_mac = cfg->has_mac || cfg->is_local;
    if (cfg->is_local) {
        memcpy(vc->mac, iface->bridge->mac, 6);
    } else if (cfg->has_mac) {
        memcpy(vc->mac, cfg->mac, 6);
    }
    vc->port_no = iface->vport ? iface->vport->port_no : PORT_NONE;
}

void
apply_free_vport_cfg(struct vport_cfg *vc)
{
    free(vc->name);
    free(vc->type);
    smap_fini(&vc->options);
}

static bool
vport_cfg_equal(const struct vport_cfg *a, const struct vport_cfg *b)
{
    return !strcmp(a->type, b->type) && smap_equal(&a->options, &b->options)
           && a->mtu_request == b->mtu_request && a->has_mac == b->has_mac
           && !memcmp(a->mac, b->mac, 6);
}

/* --- opening --- */

void
apply_set_error(struct run_iface *iface, char *error)
{
    size_t len = strlen(iface->name);

    /* Whoever reads this knows which interface it is about. */
    if (error && !strncmp(error, iface->name, len)
        && !strncmp(error + len, ": ", 2)) {
        memmove(error, error + len + 2, strlen(error + len + 2) + 1);
    }
    if (error && (!iface->error || strcmp(error, iface->error))) {
        log_warn("bridge %s: port %s is not set up: %s", iface->bridge->name,
                 iface->name, error);
    }
    free(iface->error);
    iface->error = error;
}

static void
set_warning(struct run_iface *iface, char *warning)
{
    if (warning && (!iface->warning || strcmp(warning, iface->warning))) {
        log_warn("bridge %s: port %s: %s", iface->bridge->name, iface->name,
                 warning);
    }
    free(iface->warning);
    iface->warning = warning;
}

/* Takes over what the kernel says of the device: PMD threads read these. */
static void
refresh_device(struct run_iface *iface)
{
    const struct nlmon_link *link = nlmon_link_find(iface->name);

    iface->link_seq = link ? link->seq : 0;
    if (link && link->mtu) {
        atomic_store(&iface->vport->mtu,
                     (uint16_t) MIN(link->mtu, UINT16_MAX));
    }
    if (link) {
        atomic_store(&iface->vport->up, (link->flags & IFF_UP) != 0);
    }
}

static bool
has_device(const struct run_iface *iface)
{
    return iface->cfg->kind == CFG_SYSTEM || iface->cfg->kind == CFG_INTERNAL;
}

static void
remember(struct run_iface *iface, struct vport_cfg *vc)
{
    if (iface->tried) {
        apply_free_vport_cfg(&iface->opened);
    }
    iface->opened = *vc;
    smap_init(&iface->opened.options);
    smap_swap(&iface->opened.options, &vc->options);
    iface->tried = true;
}

/* 'vc' is taken over. */
static void
open_port(struct run_iface *iface, struct vport_cfg *vc)
{
    const struct nlmon_link *link = nlmon_link_find(iface->name);
    struct vport_status status;
    char *error = dp_port_add(vc, &iface->vport);

    remember(iface, vc);
    set_warning(iface, NULL);
    apply_set_error(iface, error);
    iface->ifindex = 0;
    iface->link_seq = link && has_device(iface) ? link->seq : 0;
    if (error) {
        iface->vport = NULL;
        return;
    }
    if (has_device(iface)) {
        memset(&status, 0, sizeof status);
        smap_init(&status.status);
        iface->vport->class->get_status(iface->vport, &status);
        iface->ifindex = status.ifindex;
        smap_fini(&status.status);
        refresh_device(iface);
    }
    log_info("bridge %s: added port %s (%s) as %u, datapath port %u",
             iface->bridge->name, iface->name, iface->cfg->class,
             iface->ofport, iface->vport->port_no);
}

/* 'vc' is taken over. */
static void
update_port(struct run_iface *iface, struct vport_cfg *vc)
{
    bool reopen = false;
    char *warning = dp_port_update(iface->vport, vc, &reopen);

    if (reopen) {
        log_info("bridge %s: port %s is opened again for its new options",
                 iface->bridge->name, iface->name);
        free(warning);
        dp_port_del(iface->vport);
        iface->vport = NULL;
        open_port(iface, vc);
    } else {
        remember(iface, vc);
        set_warning(iface, warning);
        if (has_device(iface)) {
            refresh_device(iface);
        }
    }
}

void
apply_open_iface(struct run_iface *iface, bool may_retry)
{
    const struct nlmon_link *link = nlmon_link_find(iface->name);
    struct vport_cfg vc;
    bool same;

    if (!iface->ofport) {
        apply_set_error(iface, xasprintf("bridge %s has no port number left",
                                         iface->bridge->name));
        return;
    }
    apply_make_vport_cfg(iface, &vc);
    same = iface->tried && vport_cfg_equal(&vc, &iface->opened);
    if (iface->vport && !same) {
        update_port(iface, &vc);
    } else if (!iface->vport
               && (!same || may_retry
                   || (has_device(iface)
                       && (link ? link->seq : 0) != iface->link_seq))) {
        open_port(iface, &vc);
    } else {
        apply_free_vport_cfg(&vc);
    }
}

void
apply_close_iface(struct run_iface *iface)
{
    if (iface->vport) {
        dp_port_del(iface->vport);
        iface->vport = NULL;
        iface->ifindex = 0;
    }
    iface->is_closing = false;
}

bool
apply_check_device(struct run_iface *iface)
{
    const struct nlmon_link *link;

    if (!iface->vport || !has_device(iface)) {
        return true;
    }
    link = nlmon_link_find(iface->name);
    if (iface->ifindex && (!link || link->ifindex != iface->ifindex)) {
        /* A device that was made this moment may be unknown to us yet. */
        return !link && if_nametoindex(iface->name)
                        == (unsigned int) iface->ifindex;
    }
    refresh_device(iface);
    return true;
}
