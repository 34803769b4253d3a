/* SPDX-License-Identifier: Apache-2.0 */

/* running.c - finds its way in the running configuration (see running.h). */

#include "vswitchd/running.h"

#include "datapath/dp.h"
#include "lib/base/hash.h"
#include "vswitchd/apply_private.h"

struct running running = {
    .bridges = HMAP_INIT(&running.bridges),
    .ifaces = HMAP_INIT(&running.ifaces),
    .hostip_wanted = STRSET_INIT(&running.hostip_wanted),
    .hostip_open = STRSET_INIT(&running.hostip_open),
    .hostip_errors = SMAP_INIT(&running.hostip_errors),
};

struct run_bridge *
running_find_bridge(const char *name)
{
    struct run_bridge *b;

    HMAP_FOR_EACH_WITH_HASH (b, node, hash_string(name, 0),
                             &running.bridges) {
        if (!strcmp(b->name, name)) {
            return b;
        }
    }
    return NULL;
}

struct run_iface *
running_find_iface(const char *name)
{
    struct run_iface *i;

    HMAP_FOR_EACH_WITH_HASH (i, node, hash_string(name, 0),
                             &running.ifaces) {
        if (!strcmp(i->name, name)) {
            return i;
        }
    }
    return NULL;
}

struct run_iface *
running_find_port(uint32_t port_no)
{
    struct vport *vport = dp_port_find(port_no);
    struct run_iface *i = vport ? running_find_iface(vport->name) : NULL;

    return i && i->vport == vport ? i : NULL;
}

static int
compare_bridges(const void *a_, const void *b_)
{
    const struct run_bridge *const *a = a_, *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

static int
compare_ifaces(const void *a_, const void *b_)
{
    const struct run_iface *const *a = a_, *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

struct run_bridge **
running_sort_bridges(size_t *n)
{
    struct run_bridge **array = xcalloc(hmap_count(&running.bridges) + 1,
                                        sizeof *array);
    struct run_bridge *b;

    *n = 0;
    HMAP_FOR_EACH (b, node, &running.bridges) {
        array[(*n)++] = b;
    }
    qsort(array, *n, sizeof *array, compare_bridges);
    return array;
}

struct run_iface **
running_sort_ifaces(const struct run_bridge *bridge, size_t *n)
{
    struct run_iface **array = xcalloc(hmap_count(&running.ifaces) + 1,
                                       sizeof *array);
    struct run_iface *i;

    *n = 0;
    HMAP_FOR_EACH (i, node, &running.ifaces) {
        if (!bridge || i->bridge == bridge) {
            array[(*n)++] = i;
        }
    }
    qsort(array, *n, sizeof *array, compare_ifaces);
    return array;
}

const char *
running_get_error(const struct run_iface *iface)
{
    return !iface->vport ? (iface->error ? iface->error : "not open")
           : apply_get_hostip_error(iface);
}

const char *
running_get_warning(const struct run_iface *iface)
{
    return iface->warning ? iface->warning : iface->cfg->warning;
}
