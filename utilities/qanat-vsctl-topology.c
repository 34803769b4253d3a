/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-topology.c - bridges, ports and interfaces.  See
 * qanat-vsctl-topology.h.
 */
#include "utilities/qanat-vsctl-topology.h"

#define MAX_VLAN 4095

static struct topology *topology_create(struct vsctl_ctx *);
static void add_bridge(struct topology *, struct view_row *);
static void add_fake_bridges(struct topology *, struct topo_bridge *);
static void add_ports(struct topology *, struct topo_bridge *);
static struct topo_bridge *choose_bridge(const struct topology *,
                                         struct topo_bridge *real,
                                         const struct view_row *port);
static int get_tag(const struct view_row *port);
static void append(void *arrayp, size_t *n, void *element);
static int compare_names(const void *, const void *);
static void sort(void *array, size_t n);
static void *find(void *array, size_t n, const char *name);

void
topology_prepare(struct vsctl_ctx *ctx)
{
    static const char *const columns[][2] = {
        { "Open_vSwitch", "bridges" }, { "Bridge", "name" },
        { "Bridge", "ports" },         { "Port", "name" },
        { "Port", "interfaces" },      { "Port", "fake_bridge" },
        { "Port", "tag" },             { "Interface", "name" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        view_need(ctx->view, columns[i][0], columns[i][1]);
    }
}

const struct topology *
topology_get(struct vsctl_ctx *ctx)
{
    if (!ctx->topology) {
        ctx->topology = topology_create(ctx);
    }
    return ctx->topology;
}

void
topology_forget(struct vsctl_ctx *ctx)
{
    struct topology *topo = ctx->topology;

    if (topo) {
        for (size_t i = 0; i < topo->n_bridges; i++) {
            free(topo->bridges[i]);
        }
        for (size_t i = 0; i < topo->n_ports; i++) {
            free(topo->ports[i]);
        }
        for (size_t i = 0; i < topo->n_ifaces; i++) {
            free(topo->ifaces[i]);
        }
        free(topo->bridges);
        free(topo->ports);
        free(topo->ifaces);
        free(topo);
        ctx->topology = NULL;
    }
}

struct topo_bridge *
topology_find_bridge(struct vsctl_ctx *ctx, const char *name)
{
    const struct topology *topo = topology_get(ctx);

    return find(topo->bridges, topo->n_bridges, name);
}

struct topo_bridge *
topology_get_bridge(struct vsctl_ctx *ctx, const char *name)
{
    struct topo_bridge *bridge = topology_find_bridge(ctx, name);

    if (!bridge) {
        vsctl_fail(ctx, "no bridge named %s", name);
    }
    return bridge;
}

struct topo_bridge *
topology_get_real_bridge(struct vsctl_ctx *ctx, const char *name)
{
    struct topo_bridge *bridge = topology_get_bridge(ctx, name);

    if (bridge && bridge->parent) {
        vsctl_fail(ctx, "%s is a fake bridge; use its parent %s instead",
                   name, bridge->parent->name);
        return NULL;
    }
    return bridge;
}

struct topo_port *
topology_find_port(struct vsctl_ctx *ctx, const char *name)
{
    const struct topology *topo = topology_get(ctx);

    return find(topo->ports, topo->n_ports, name);
}

struct topo_port *
topology_get_port(struct vsctl_ctx *ctx, const char *name)
{
    struct topo_port *port = topology_find_port(ctx, name);

    if (!port || topology_is_local_port(port)) {
        vsctl_fail(ctx, "no port named %s", name);
        return NULL;
    }
    return port;
}

struct topo_iface *
topology_find_iface(struct vsctl_ctx *ctx, const char *name)
{
    const struct topology *topo = topology_get(ctx);

    return find(topo->ifaces, topo->n_ifaces, name);
}

struct topo_iface *
topology_get_iface(struct vsctl_ctx *ctx, const char *name)
{
    struct topo_iface *iface = topology_find_iface(ctx, name);

    if (!iface || !strcmp(name, iface->port->bridge->name)) {
        vsctl_fail(ctx, "no interface named %s", name);
        return NULL;
    }
    return iface;
}

bool
topology_is_local_port(const struct topo_port *port)
{
    return !strcmp(port->name, port->bridge->name);
}

static struct topology *
topology_create(struct vsctl_ctx *ctx)
{
    struct topology *topo = xzalloc(sizeof *topo);
    struct view_row *root = vsctl_root(ctx);
    size_t n_real;

    view_verify_name(root, "bridges");
    for (size_t i = 0; i < view_count_refs(root, "bridges"); i++) {
        struct view_row *row = view_get_ref(root, "bridges", i);

        if (row) {
            add_bridge(topo, row);
        }
    }
    n_real = topo->n_bridges;
    for (size_t i = 0; i < n_real; i++) {
        add_fake_bridges(topo, topo->bridges[i]);
    }
    for (size_t i = 0; i < n_real; i++) {
        add_ports(topo, topo->bridges[i]);
    }
    sort(topo->bridges, topo->n_bridges);
    sort(topo->ports, topo->n_ports);
    sort(topo->ifaces, topo->n_ifaces);
    return topo;
}

static void
add_bridge(struct topology *topo, struct view_row *row)
{
    struct topo_bridge *bridge = xzalloc(sizeof *bridge);

    view_verify_name(row, "ports");
    bridge->name = view_get_string(row, "name", "");
    bridge->row = row;
    append(&topo->bridges, &topo->n_bridges, bridge);
}

static void
add_fake_bridges(struct topology *topo, struct topo_bridge *parent)
{
    for (size_t i = 0; i < view_count_refs(parent->row, "ports"); i++) {
        struct view_row *port = view_get_ref(parent->row, "ports", i);

        if (port && view_get_boolean(port, "fake_bridge")
            && get_tag(port) >= 0) {
            struct topo_bridge *fake = xzalloc(sizeof *fake);

            fake->name = view_get_string(port, "name", "");
            fake->row = parent->row;
            fake->fake_port = port;
            fake->parent = parent;
            fake->vlan = get_tag(port);
            append(&topo->bridges, &topo->n_bridges, fake);
        }
    }
}

static void
add_ports(struct topology *topo, struct topo_bridge *real)
{
    for (size_t i = 0; i < view_count_refs(real->row, "ports"); i++) {
        struct view_row *row = view_get_ref(real->row, "ports", i);
        struct topo_port *port;

        if (!row) {
            continue;
        }
        port = xzalloc(sizeof *port);
        port->name = view_get_string(row, "name", "");
        port->row = row;
        port->bridge = choose_bridge(topo, real, row);
        append(&topo->ports, &topo->n_ports, port);

        view_verify_name(row, "interfaces");
        for (size_t j = 0; j < view_count_refs(row, "interfaces"); j++) {
            struct view_row *iface_row = view_get_ref(row, "interfaces", j);

            if (iface_row) {
                struct topo_iface *iface = xzalloc(sizeof *iface);

                iface->name = view_get_string(iface_row, "name", "");
                iface->row = iface_row;
                iface->port = port;
                append(&topo->ifaces, &topo->n_ifaces, iface);
            }
        }
    }
}

/* The fake bridge on the port's VLAN, if there is one, or the real one. */
static struct topo_bridge *
choose_bridge(const struct topology *topo, struct topo_bridge *real,
              const struct view_row *port)
{
    int tag = get_tag(port);

    for (size_t i = 0; tag >= 0 && i < topo->n_bridges; i++) {
        if (topo->bridges[i]->parent == real
            && topo->bridges[i]->vlan == tag) {
            return topo->bridges[i];
        }
    }
    return real;
}

/* The port's VLAN tag, or -1. */
static int
get_tag(const struct view_row *port)
{
    int64_t tag = view_get_integer(port, "tag", -1);

    return tag >= 0 && tag <= MAX_VLAN ? (int) tag : -1;
}

/* Appends to the array of pointers that '*arrayp' is. */
static void
append(void *arrayp, size_t *n, void *element)
{
    void **array;

    memcpy(&array, arrayp, sizeof array);
    array = xrealloc(array, (*n + 1) * sizeof *array);
    array[(*n)++] = element;
    memcpy(arrayp, &array, sizeof array);
}

/* A name is the first member of every element. */
static int
compare_names(const void *a, const void *b)
{
    const char *const *name_a = *(const char *const *const *) a;
    const char *const *name_b = *(const char *const *const *) b;

    return strcmp(*name_a, *name_b);
}

/* An array without elements is NULL, which qsort() and bsearch() must not be
 * given. */
static void
sort(void *array, size_t n)
{
    if (n) {
        qsort(array, n, sizeof(void *), compare_names);
    }
}

static void *
find(void *array, size_t n, const char *name)
{
    const char *const *key = &name;
    void **found = n ? bsearch(&key, array, n, sizeof(void *), compare_names)
                     : NULL;

    return found ? *found : NULL;
}
