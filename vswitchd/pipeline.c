/* SPDX-License-Identifier: Apache-2.0 */

/* pipeline.c - publishes what translation reads.
 *
 * MAIN writes the one pointer; PMD threads read it in upcalls.  The old
 * pipeline is freed after dp_synchronize(): no upcall that began before can
 * still be running. */

#include "vswitchd/pipeline.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "datapath/dp.h"

static const struct pipeline empty;
static _Atomic(const struct pipeline *) current = &empty;

void
pipeline_init(void)
{
    atomic_store(&current, &empty);
}

const struct pipeline *
pipeline_get(void)
{
    /* Pairs with the exchange in pipeline_publish(). */
    return atomic_load_explicit(&current, memory_order_acquire);
}

static int
compare_ofports(const void *a_, const void *b_)
{
    const struct pl_port *const *a = a_;
    const struct pl_port *const *b = b_;

    return (*a)->ofport < (*b)->ofport ? -1 : (*a)->ofport > (*b)->ofport;
}

static void
sort_ports(struct pl_bridge *br)
{
    br->by_ofport = xcalloc(br->n_ports, sizeof *br->by_ofport);
    for (size_t i = 0; i < br->n_ports; i++) {
        br->by_ofport[i] = &br->ports[i];
    }
    qsort(br->by_ofport, br->n_ports, sizeof *br->by_ofport, compare_ofports);
}

struct pl_port *
pl_bridge_port(const struct pl_bridge *br, uint32_t ofport)
{
    const struct pl_port wanted = { .ofport = ofport };
    const struct pl_port *key = &wanted;
    struct pl_port **found;

    found = bsearch(&key, br->by_ofport, br->n_ports, sizeof *br->by_ofport,
                    compare_ofports);
    return found ? *found : NULL;
}

void
pipeline_publish(struct pipeline *pl)
{
    const struct pipeline *old;

    for (size_t i = 0; i < pl->n_bridges; i++) {
        sort_ports(&pl->bridges[i]);
    }
    old = atomic_exchange_explicit(&current, pl, memory_order_acq_rel);
    dp_pipeline_changed();
    dp_synchronize();
    if (old != &empty) {
        pipeline_free((struct pipeline *) (uintptr_t) old);
    }
}

static void
free_const(const void *p)
{
    free((void *) (uintptr_t) p);
}

void
pipeline_free(struct pipeline *pl)
{
    if (!pl) {
        return;
    }
    for (size_t i = 0; i < pl->n_bridges; i++) {
        struct pl_bridge *br = &pl->bridges[i];

        for (size_t j = 0; j < br->n_ports; j++) {
            struct pl_port *port = &br->ports[j];

            free_const(port->name);
            free_const(port->addrs);
            free_const(port->trunks);
            free_const(port->tnl);
        }
        free_const(br->name);
        free_const(br->flood_vlans);
        free(br->by_ofport);
        free(br->ports);
    }
    free(pl->bridges);
    free(pl->by_dp_port);
    free(pl);
}
