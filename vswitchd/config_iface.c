/* SPDX-License-Identifier: Apache-2.0 */

/* config_iface.c - judges one Interface row and its Port row (see
 * config.h). */

#include <ctype.h>
#include <net/if.h>

#include "datapath/vport.h"
#include "lib/base/str.h"
#include "vswitchd/config.h"

#define MTU_MIN 68              /* RFC 791: what every link must carry. */
#define MTU_MAX 65535

/* Types of Open vSwitch that we do not have: a person who writes one made no
 * typing error. */
static const char *const ovs_types[] = {
    "afxdp", "afxdp-nonpmd", "bareudp", "dpdkr", "erspan", "geneve", "gtpu",
    "ip6erspan", "ip6gre", "lisp", "srv6", "stt", "vlan",
};

/* Options that speak of a class which 'kind' is not would be silently without
 * effect; tunnels and the vport classes judge their own. */
static const char *const device_options[] = {
    "remote_ip", "local_ip", "key", "in_key", "out_key", "dst_port",
    "dpdk-devargs", "vhost-server-path", "peer",
};

static char *
supported_types(void)
{
    struct strset types = STRSET_INIT(&types);
    struct str s = STR_INIT;
    const char **sorted;
    size_t n;

    for (unsigned int i = 0; vport_class_type(i); i++) {
        strset_add(&types, vport_class_type(i));
    }
    n = strset_count(&types);
    sorted = strset_sort(&types);
    for (size_t i = 0; i < n; i++) {
        str_printf(&s, "%s%s", i ? ", " : "", sorted[i]);
    }
    free(sorted);
    strset_fini(&types);
    return str_steal(&s);
}

static bool
is_public_class(const char *type)
{
    for (unsigned int i = 0; vport_class_type(i); i++) {
        if (!strcmp(vport_class_type(i), type)) {
            return true;
        }
    }
    return false;
}

/* Finds the class of the datapath that 'iface->type' means. */
static bool
check_type(struct cfg_iface *iface)
{
    const char *type = *iface->type ? iface->type : "system";
    char *supported;
    bool known = false;

    if (iface->is_local) {
        if (*iface->type && strcmp(type, "internal")
            && strcmp(type, "system")) {
            config_warn(iface, xasprintf("type=%s has no effect: the port "
                                         "named like its bridge is always "
                                         "internal", type));
        }
        type = "internal";
    } else if (!strcmp(type, "tap")) {
        type = "internal";
    }

    if (is_public_class(type)) {
        iface->class = vport_class_find(type)->type;
        iface->kind = tnl_type_from_name(type) != TNL_TYPE_NONE ? CFG_TUNNEL
                      : !strcmp(type, "patch") ? CFG_PATCH
                      : !strcmp(type, "system") ? CFG_SYSTEM
                      : !strcmp(type, "internal") ? CFG_INTERNAL
                      : CFG_DPDK;
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(ovs_types); i++) {
        known |= !strcmp(type, ovs_types[i]);
    }
    supported = supported_types();
    config_fail(iface, known
                ? xasprintf("type %s is not supported yet (supported are %s)",
                            type, supported)
                : xasprintf("unknown type \"%s\" (supported are %s)", type,
                            supported));
    free(supported);
    return false;
}

/* The name of a device is the kernel's business, of others the datapath's. */
static void
check_name(struct cfg_iface *iface)
{
    bool is_device = iface->kind == CFG_SYSTEM || iface->kind == CFG_INTERNAL;
    size_t max = is_device ? IFNAMSIZ - 1 : VPORT_NAME_MAX;

    if (!*iface->name) {
        config_fail(iface, xstrdup("the interface has no name"));
        return;
    }
    if (strlen(iface->name) > max) {
        config_fail(iface, xasprintf("the name %s is longer than %zu bytes",
                                     iface->name, max));
        return;
    }
    for (const char *p = iface->name; *p; p++) {
        if (iscntrl((unsigned char) *p)
            || (is_device && (*p == '/' || *p == ':'
                              || isspace((unsigned char) *p)))) {
            config_fail(iface, xasprintf("\"%s\": a device's name has no "
                                         "blank, slash or colon",
                                         iface->name));
            return;
        }
    }
    if (is_device && (!strcmp(iface->name, ".")
                      || !strcmp(iface->name, ".."))) {
        config_fail(iface, xasprintf("%s is no device's name", iface->name));
    }
}

/* Columns of the Port row. */
static void
check_port(struct cfg_iface *iface, struct strset *notes)
{
    struct cfg_vlan *v = &iface->vlan;
    const char *mode = v->mode;

    if (iface->n_siblings != 1) {
        config_fail(iface, xasprintf("port %s has %zu interfaces: bonds are "
                                     "not supported yet", iface->port_name,
                                     iface->n_siblings));
    }
    if (v->has_cvlans || (mode && !strcmp(mode, "dot1q-tunnel"))) {
        config_fail(iface, xasprintf("port %s: %s is not supported yet",
                                     iface->port_name,
                                     v->has_cvlans ? "cvlans"
                                     : "vlan_mode=dot1q-tunnel"));
    }
    if (v->has_tag && (v->tag < 0 || v->tag > 4094)) {
        config_fail(iface, xasprintf("port %s: tag=%lld is not from 0 to "
                                     "4094", iface->port_name,
                                     (long long) v->tag));
    }

    v->vlan_mode = !mode ? (v->has_tag ? VLAN_ACCESS : VLAN_TRUNK)
                   : !strcmp(mode, "access") ? VLAN_ACCESS
                   : !strcmp(mode, "native-tagged") ? VLAN_NATIVE_TAGGED
                   : !strcmp(mode, "native-untagged") ? VLAN_NATIVE_UNTAGGED
                   : VLAN_TRUNK;
    if (mode && v->vlan_mode == VLAN_TRUNK && strcmp(mode, "trunk")
        && strcmp(mode, "dot1q-tunnel")) {
        config_fail(iface, xasprintf("port %s: unknown vlan_mode \"%s\"",
                                     iface->port_name, mode));
    }
    v->vid = v->has_tag && v->vlan_mode != VLAN_TRUNK ? (uint16_t) v->tag : 0;

    /* Two columns that contradict each other are what a change in two steps
     * looks like in between, so that the port goes on as OVS's would. */
    if (v->has_tag && v->vlan_mode == VLAN_TRUNK) {
        config_note(notes, "port %s: tag=%lld has no effect in a trunk port",
                    iface->port_name, (long long) v->tag);
    }
    if (v->trunks && v->vlan_mode == VLAN_ACCESS) {
        config_note(notes, "port %s: trunks have no effect in an access port",
                    iface->port_name);
    }
    if (!v->has_tag && mode && v->vlan_mode != VLAN_TRUNK) {
        config_note(notes, "port %s: vlan_mode=%s without a tag means tag=0",
                    iface->port_name, mode);
    }
    if (iface->has_qos) {
        config_note(notes, "port %s: qos is not supported yet and has no "
                    "effect", iface->port_name);
    }
    if (iface->has_policing) {
        config_note(notes, "interface %s: ingress_policing is not supported "
                    "yet and has no effect", iface->name);
    }
}

/* A running port is not worth losing for a wrong number in its row, so this
 * and a wrong address are complained about and otherwise passed over.  (With a
 * wrong VLAN it is: packets would go where they must not.) */
static void
check_mtu(struct cfg_iface *iface)
{
    if (!iface->mtu_request) {
        return;
    }
    if (iface->kind == CFG_TUNNEL || iface->kind == CFG_PATCH) {
        config_warn(iface, xasprintf("mtu_request=%lld has no effect: a port "
                                     "of type %s has no MTU of its own",
                                     (long long) iface->mtu_request,
                                     iface->class));
    } else if (iface->mtu_request < MTU_MIN || iface->mtu_request > MTU_MAX) {
        config_warn(iface, xasprintf("mtu_request=%lld is not from %d to %d "
                                     "and has no effect",
                                     (long long) iface->mtu_request, MTU_MIN,
                                     MTU_MAX));
        iface->mtu_request = 0;
    }
}

static void
check_ofport(struct cfg_iface *iface, struct strset *notes)
{
    if (iface->is_local) {
        if (iface->ofport_request
            && iface->ofport_request != (int64_t) OFPORT_LOCAL) {
            config_note(notes, "interface %s: ofport_request has no effect on "
                        "a bridge's own port", iface->name);
        }
        iface->ofport_request = OFPORT_LOCAL;
    } else if (iface->ofport_request
               && (iface->ofport_request < 1
                   || iface->ofport_request > (int64_t) OFPORT_MAX)) {
        config_fail(iface, xasprintf("ofport_request=%lld is not from 1 to "
                                     "%u", (long long) iface->ofport_request,
                                     OFPORT_MAX));
    }
}

static void
check_mac(const struct cfg_bridge *bridge, struct cfg_iface *iface,
          struct strset *notes)
{
    if (iface->mac_text && (iface->is_local || iface->kind != CFG_INTERNAL)) {
        config_note(notes, "interface %s: mac has no effect %s", iface->name,
                    iface->is_local
                    ? "on a bridge's own port (see other_config:hwaddr of "
                      "the bridge)" : "but on a port of type internal");
    } else if (iface->mac_text) {
        iface->has_mac = config_parse_mac(iface->mac_text, iface->mac);
        if (!iface->has_mac) {
            config_warn(iface, xasprintf("mac=%s is no unicast MAC address "
                                         "and has no effect",
                                         iface->mac_text));
        }
    }
    if (!iface->has_mac && iface->kind == CFG_INTERNAL && !iface->is_local) {
        /* The same after each restart, unlike what the kernel would roll. */
        iface->has_mac = true;
        config_stable_mac(&iface->uuid, iface->mac);
    }
    if (iface->is_local && bridge->has_hwaddr) {
        iface->has_mac = true;
        memcpy(iface->mac, bridge->hwaddr, 6);
    }
}

static void
check_tunnel(struct cfg_iface *iface, struct strset *notes)
{
    char *ignored = NULL;
    char *error = tnl_cfg_parse(tnl_type_from_name(iface->class),
                                &iface->options, &iface->tnl, &ignored);

    if (error) {
        config_fail(iface, error);
    }
    if (ignored) {
        config_note(notes, "interface %s: options %s have no effect on a "
                    "tunnel", iface->name, ignored);
        free(ignored);
    }
}

static void
check_patch(struct cfg_iface *iface)
{
    const char *peer = smap_get(&iface->options, "peer");
    struct smap_node *node;

    if (!peer || !*peer) {
        config_fail(iface, xstrdup("a patch port needs options:peer, the name "
                                   "of its other end"));
        return;
    }
    if (!strcmp(peer, iface->name)) {
        config_fail(iface, xstrdup("options:peer of a patch port must not be "
                                   "the port itself"));
        return;
    }
    SMAP_FOR_EACH (node, &iface->options) {
        if (strcmp(node->key, "peer")) {
            config_fail(iface, xasprintf("unknown option \"%s\" of a patch "
                                         "port (it has only peer)",
                                         node->key));
            return;
        }
    }
    iface->peer = xstrdup(peer);
}

static bool
is_option_of(const char *key, const char *class)
{
    return (!strcmp(key, "dpdk-devargs") && !strcmp(class, "dpdk"))
           || (!strcmp(key, "vhost-server-path")
               && !strcmp(class, "dpdkvhostuserclient"));
}

/* An option of another type shows that the type was forgotten. */
static void
check_device(struct cfg_iface *iface)
{
    for (size_t i = 0; i < ARRAY_SIZE(device_options); i++) {
        const char *key = device_options[i];

        if (smap_get(&iface->options, key)
            && !is_option_of(key, iface->class)) {
            config_fail(iface, xasprintf("options:%s does not belong to a "
                                         "port of type %s", key,
                                         iface->class));
            return;
        }
    }
}

void
config_check_iface(const struct cfg_bridge *bridge, struct cfg_iface *iface,
                   struct strset *notes)
{
    iface->is_local = !strcmp(iface->name, bridge->name);
    if (bridge->error) {
        config_fail(iface, xstrdup(bridge->error));
    }
    if (bridge->warning && iface->is_local) {
        config_warn(iface, xstrdup(bridge->warning));
    }
    if (!check_type(iface)) {
        return;
    }
    check_name(iface);
    check_port(iface, notes);
    check_mtu(iface);
    check_ofport(iface, notes);
    check_mac(bridge, iface, notes);
    switch (iface->kind) {
    case CFG_TUNNEL:
        check_tunnel(iface, notes);
        break;
    case CFG_PATCH:
        check_patch(iface);
        break;
    case CFG_SYSTEM:
    case CFG_INTERNAL:
    case CFG_DPDK:
        check_device(iface);
        break;
    }
}
