/* SPDX-License-Identifier: Apache-2.0 */

/* vport.c - the table of port classes, and drops at a port's account. */

#include "datapath/vport.h"

#include <string.h>

#include "datapath/pmd.h"

/* Classes with a device.  "hostip" is ours alone: no user may write it. */
static const struct vport_class *const classes[] = {
    &vport_system_class,
    &vport_internal_class,
    &vport_dpdk_class,
    &vport_vhost_client_class,
    &vport_vhost_server_class,
    &vport_patch_class,
    &vport_hostip_class,
};

/* What a class without a device does: it lends a number and counters. */
static char *
virtual_open(struct vport *vport, const struct vport_cfg *cfg UNUSED)
{
    vport->n_rxq = vport->n_txq = 0;
    atomic_store(&vport->caps, 0);
    atomic_store(&vport->mtu, 0);
    atomic_store(&vport->up, true);
    return NULL;
}

static char *
virtual_update(struct vport *vport UNUSED, const struct vport_cfg *cfg UNUSED,
               bool *reopen)
{
    *reopen = false;
    return NULL;
}

static void
virtual_close(struct vport *vport UNUSED)
{
}

static void
virtual_get_status(struct vport *vport UNUSED, struct vport_status *status)
{
    status->admin_up = status->link_up = VPORT_YES;
}

#define VIRTUAL_CLASS(TYPE)                                                   \
    {                                                                         \
        .type = (TYPE), .open = virtual_open, .update = virtual_update,       \
        .close = virtual_close, .get_status = virtual_get_status,             \
    }

const struct vport_class vport_patch_class = VIRTUAL_CLASS("patch");

/* One class a tunnel type, made of lib/tnl's table. */
#define MAX_TNL_TYPES 16

static struct vport_class tnl_classes[MAX_TNL_TYPES];

static const struct vport_class *
tnl_class(tnl_type type)
{
    struct vport_class *class = &tnl_classes[type];

    if (!class->type) {
        *class = (struct vport_class) VIRTUAL_CLASS(tnl_ops_get(type)->name);
    }
    return class;
}

const struct vport_class *
vport_class_find(const char *type)
{
    tnl_type tnl;

    for (unsigned int i = 0; i < ARRAY_SIZE(classes); i++) {
        if (!strcmp(classes[i]->type, type)) {
            return classes[i];
        }
    }
    tnl = tnl_type_from_name(type);
    return tnl == TNL_TYPE_NONE ? NULL : tnl_class(tnl);
}

const char *
vport_class_type(unsigned int i)
{
    unsigned int n_public = ARRAY_SIZE(classes) - 1;

    if (i < n_public) {
        return classes[i]->type;
    }
    i -= n_public;
    return i < tnl_n_types() ? tnl_ops_get((tnl_type) i)->name : NULL;
}

void
vport_count_drop(struct vport *vport, struct pmd *pmd,
                 enum drop_reason reason)
{
    if (LIKELY(vport)) {
        vport->per_pmd[pmd->id]->c.drops[reason]++;
    }
}

void
vport_drop_rx(struct vport *vport, struct pmd *pmd, struct rte_mbuf *m,
              enum drop_reason reason)
{
    vport_count_drop(vport, pmd, reason);
    if (vport && reason <= DROP_VIRTQ_SHORT) {
        vport->per_pmd[pmd->id]->c.rx_errors++;
    }
    rte_pktmbuf_free(m);
}

void
vport_drop_tx(struct vport *vport, struct pmd *pmd, struct rte_mbuf *m,
              enum drop_reason reason)
{
    vport_count_drop(vport, pmd, reason);
    vport->per_pmd[pmd->id]->c.tx_errors
        += reason == DROP_TX_ERROR
           || (reason >= DROP_VIRTQ_INDEX && reason <= DROP_VIRTQ_SHORT);
    rte_pktmbuf_free(m);
}
