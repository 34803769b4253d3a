/* SPDX-License-Identifier: Apache-2.0 */

/* config.c - the desired configuration as a whole (see config.h): its memory,
 * and what must fit together. */

#include "vswitchd/config.h"

#include <stdio.h>

#include "lib/base/str.h"

struct config *
config_create(void)
{
    struct config *config = xzalloc(sizeof *config);

    smap_init(&config->global.other_config);
    strset_init(&config->notes);
    return config;
}

static void
iface_destroy(struct cfg_iface *iface)
{
    free(iface->name);
    free(iface->type);
    free(iface->port_name);
    smap_fini(&iface->options);
    free(iface->mac_text);
    free(iface->vlan.mode);
    free(iface->vlan.trunks);
    free(iface->peer);
    free(iface->error);
    free(iface->warning);
    free(iface);
}

static void
bridge_destroy(struct cfg_bridge *bridge)
{
    for (size_t i = 0; i < bridge->n_ifaces; i++) {
        iface_destroy(bridge->ifaces[i]);
    }
    free(bridge->ifaces);
    free(bridge->name);
    free(bridge->datapath_type);
    smap_fini(&bridge->other_config);
    free(bridge->flood_vlans);
    strset_fini(&bridge->unsupported);
    free(bridge->error);
    free(bridge->warning);
    free(bridge);
}

void
config_destroy(struct config *config)
{
    if (!config) {
        return;
    }
    for (size_t i = 0; i < config->n_bridges; i++) {
        bridge_destroy(config->bridges[i]);
    }
    free(config->bridges);
    smap_fini(&config->global.other_config);
    strset_fini(&config->notes);
    free(config);
}

struct cfg_bridge *
config_add_bridge(struct config *config, const char *name)
{
    struct cfg_bridge *bridge = xzalloc(sizeof *bridge);

    bridge->name = xstrdup(name);
    bridge->datapath_type = xstrdup("");
    smap_init(&bridge->other_config);
    strset_init(&bridge->unsupported);
    if (config->n_bridges == config->bridges_room) {
        config->bridges = xgrow(config->bridges, &config->bridges_room,
                                sizeof *config->bridges);
    }
    config->bridges[config->n_bridges++] = bridge;
    return bridge;
}

struct cfg_iface *
config_add_iface(struct cfg_bridge *bridge, const char *name,
                 const char *type)
{
    struct cfg_iface *iface = xzalloc(sizeof *iface);

    iface->name = xstrdup(name);
    iface->type = xstrdup(type);
    iface->port_name = xstrdup(name);
    iface->n_siblings = 1;
    smap_init(&iface->options);
    if (bridge->n_ifaces == bridge->ifaces_room) {
        bridge->ifaces = xgrow(bridge->ifaces, &bridge->ifaces_room,
                               sizeof *bridge->ifaces);
    }
    bridge->ifaces[bridge->n_ifaces++] = iface;
    return iface;
}

void
config_fail(struct cfg_iface *iface, char *sentence)
{
    if (iface->error) {
        free(sentence);
    } else {
        iface->error = sentence;
    }
}

void
config_warn(struct cfg_iface *iface, char *sentence)
{
    if (iface->warning) {
        free(sentence);
    } else {
        iface->warning = sentence;
    }
}

void
config_note(struct strset *notes, const char *format, ...)
{
    va_list args;
    char *line;

    va_start(args, format);
    line = xvasprintf(format, args);
    va_end(args);
    strset_add(notes, line);
    free(line);
}

bool
config_parse_mac(const char *s, uint8_t mac[6])
{
    unsigned int b[6];
    int n = -1;

    if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3],
               &b[4], &b[5], &n) != 6
        || n != (int) strlen(s) || strspn(s, "0123456789abcdefABCDEF:") !=
        (size_t) n) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        mac[i] = (uint8_t) b[i];
    }
    return !(mac[0] & 1) && (b[0] | b[1] | b[2] | b[3] | b[4] | b[5]);
}

void
config_stable_mac(const struct uuid *uuid, uint8_t mac[6])
{
    uint32_t a = uuid_hash(uuid, 0x716e), b = uuid_hash(uuid, 1);

    memcpy(mac, &a, 4);
    memcpy(mac + 4, &b, 2);
    mac[0] = (uint8_t) ((mac[0] & ~1) | 2);
}

bool
config_vlan_equal(const struct cfg_vlan *a, const struct cfg_vlan *b)
{
    return a->vlan_mode == b->vlan_mode && a->vid == b->vid
           && !a->trunks == !b->trunks
           && (!a->trunks
               || !memcmp(a->trunks, b->trunks,
                          VLAN_BITMAP_WORDS * sizeof *a->trunks));
}

/* --- the whole --- */

static int
compare_bridges(const void *a_, const void *b_)
{
    const struct cfg_bridge *const *a = a_, *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

/* By name; where two ports have one interface, the port of the same name comes
 * first and so keeps it. */
static int
compare_ifaces(const void *a_, const void *b_)
{
    const struct cfg_iface *a = *(struct cfg_iface *const *) a_;
    const struct cfg_iface *b = *(struct cfg_iface *const *) b_;
    int order = strcmp(a->name, b->name);

    if (!order) {
        order = !strcmp(b->port_name, b->name) - !strcmp(a->port_name,
                                                         a->name);
    }
    return order ? order : strcmp(a->port_name, b->port_name);
}

static void
add_local_port(struct cfg_bridge *bridge)
{
    for (size_t i = 0; i < bridge->n_ifaces; i++) {
        if (!strcmp(bridge->ifaces[i]->name, bridge->name)) {
            return;
        }
    }
    config_add_iface(bridge, bridge->name, "internal");
}

struct name {
    struct hmap_node node;
    struct cfg_bridge *bridge;
    struct cfg_iface *iface;
};

static struct name *
find_name(const struct hmap *names, const char *s)
{
    struct name *n;

    HMAP_FOR_EACH_WITH_HASH (n, node, hash_string(s, 0), names) {
        if (!strcmp(n->iface->name, s)) {
            return n;
        }
    }
    return NULL;
}

/* A name is a device's, and there is one device of a name.  The database sees
 * to it that two rows differ in name, but one row may hang in two places. */
static void
check_name(struct hmap *names, struct cfg_bridge *bridge,
           struct cfg_iface *iface)
{
    struct name *other = find_name(names, iface->name), *n;

    if (!other) {
        n = xzalloc(sizeof *n);
        n->bridge = bridge;
        n->iface = iface;
        hmap_insert(names, &n->node, hash_string(iface->name, 0));
        return;
    }
    if (iface->is_local || other->iface->is_local) {
        bool local_first = other->iface->is_local;
        struct cfg_iface *loser = local_first ? iface : other->iface;
        const char *owner = local_first ? other->bridge->name : bridge->name;

        config_fail(loser, xasprintf("the name %s belongs to the bridge's own "
                                     "port of bridge %s", iface->name,
                                     owner));
        if (!local_first) {
            other->bridge = bridge;
            other->iface = iface;
        }
        return;
    }
    config_fail(iface, xasprintf("the name %s is used twice: in port %s of "
                                 "bridge %s and in port %s of bridge %s",
                                 iface->name, other->iface->port_name,
                                 other->bridge->name, iface->port_name,
                                 bridge->name));
    if (uuid_equal(&iface->uuid, &other->iface->uuid)) {
        /* One row speaks for both. */
        config_warn(other->iface, xstrdup(iface->error));
    }
}

static void
check_peer(const struct hmap *names, struct cfg_iface *iface)
{
    struct name *peer;

    if (iface->error || iface->kind != CFG_PATCH) {
        return;
    }
    peer = find_name(names, iface->peer);
    if (!peer) {
        config_warn(iface, xasprintf("there is no port %s, which options:peer "
                                     "names", iface->peer));
    } else if (peer->iface->kind != CFG_PATCH || !peer->iface->peer) {
        config_warn(iface, xasprintf("port %s, which options:peer names, is "
                                     "not of type patch", iface->peer));
    } else if (strcmp(peer->iface->peer, iface->name)) {
        config_warn(iface, xasprintf("patch port %s, which options:peer "
                                     "names, has itself the peer %s",
                                     iface->peer, peer->iface->peer));
    }
}

/* The column "error" may be overlooked; the log has it too. */
static void
note_faults(struct config *config)
{
    for (size_t i = 0; i < config->n_bridges; i++) {
        const struct cfg_bridge *bridge = config->bridges[i];

        for (size_t j = 0; j < bridge->n_ifaces && !bridge->error; j++) {
            const struct cfg_iface *iface = bridge->ifaces[j];

            if (iface->error || iface->warning) {
                config_note(&config->notes, "bridge %s: port %s%s: %s",
                            bridge->name, iface->name,
                            iface->error ? " is not set up" : "",
                            iface->error ? iface->error : iface->warning);
            }
        }
    }
}

void
config_check(struct config *config)
{
    struct hmap names;
    struct name *n, *next;

    if (config->n_bridges) {
        qsort(config->bridges, config->n_bridges, sizeof *config->bridges,
              compare_bridges);
    }
    config_check_global(&config->global, &config->notes);
    hmap_init(&names);
    for (size_t i = 0; i < config->n_bridges; i++) {
        struct cfg_bridge *bridge = config->bridges[i];

        config_check_bridge(bridge, &config->notes);
        add_local_port(bridge);
        qsort(bridge->ifaces, bridge->n_ifaces, sizeof *bridge->ifaces,
              compare_ifaces);
        for (size_t j = 0; j < bridge->n_ifaces; j++) {
            config_check_iface(bridge, bridge->ifaces[j], &config->notes);
            check_name(&names, bridge, bridge->ifaces[j]);
        }
    }
    for (size_t i = 0; i < config->n_bridges; i++) {
        for (size_t j = 0; j < config->bridges[i]->n_ifaces; j++) {
            check_peer(&names, config->bridges[i]->ifaces[j]);
        }
    }
    HMAP_FOR_EACH_SAFE (n, next, node, &names) {
        free(n);
    }
    hmap_fini(&names);
    note_faults(config);
}
