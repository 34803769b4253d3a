/* SPDX-License-Identifier: Apache-2.0 */

/* xlate_normal.c - the action NORMAL: a learning switch with VLANs.
 *
 * Looks at the Ethernet addresses and the outermost VLAN tag, at nothing else;
 * the meanings of vlan_mode are those of ovs-vswitchd.conf.db(5). */

#include <arpa/inet.h>
#include <string.h>

#include "vswitchd/mac_table.h"
#include "vswitchd/xlate_private.h"

static bool
has_vlan(const uint64_t *bitmap, uint16_t vlan)
{
    return bitmap[vlan / 64] >> (vlan % 64) & 1;
}

/* Whether a trunk port carries 'vlan'. */
static bool
trunks_vlan(const struct pl_port *port, uint16_t vlan)
{
    return !port->trunks || has_vlan(port->trunks, vlan);
}

static bool
carries_vlan(const struct pl_port *port, uint16_t vlan)
{
    switch (port->vlan_mode) {
    case VLAN_ACCESS:
        return vlan == port->tag;
    case VLAN_NATIVE_TAGGED:
    case VLAN_NATIVE_UNTAGGED:
        return vlan == port->tag || trunks_vlan(port, vlan);
    case VLAN_TRUNK:
        return trunks_vlan(port, vlan);
    }
    return false;
}

/* The VLAN that a packet with outermost tag 'tci' (0: none) belongs to when it
 * comes in on 'port', or -1 when the port does not take it. */
static int
input_vlan(const struct pl_port *port, uint16_t tci)
{
    uint16_t vid = tci & VLAN_TCI_VID;

    if (!vid) {
        /* Untagged, or tagged with a priority only. */
        if (port->vlan_mode != VLAN_TRUNK) {
            return port->tag;
        }
        return trunks_vlan(port, 0) ? 0 : -1;
    }
    if (port->vlan_mode == VLAN_ACCESS) {
        return -1;
    }
    return carries_vlan(port, vid) ? vid : -1;
}

/* The tag that a packet of 'vlan' bears when it leaves by 'port'. */
static uint16_t
output_tci(const struct pl_port *port, uint16_t vlan, uint16_t pcp)
{
    bool plain = !vlan || port->vlan_mode == VLAN_ACCESS
                 || (port->vlan_mode == VLAN_NATIVE_UNTAGGED
                     && vlan == port->tag);

    return plain ? 0 : VLAN_TCI_PRESENT | pcp | vlan;
}

/* What no bridge forwards: IEEE 802.1D, 7.12.6, and the vendors' protocols
 * that ovs-vswitchd.conf.db(5) lists at forward-bpdu. */
static bool
is_reserved(const uint8_t mac[6])
{
    static const struct {
        uint8_t mac[6];
        uint8_t last_mask;
    } reserved[] = {
        { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 }, 0xf0 },
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x00 }, 0xff },   /* EDP */
        { { 0x00, 0xe0, 0x2b, 0x00, 0x00, 0x04 }, 0xfd },   /* EAPS */
        { { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xc0 }, 0xf0 },   /* CDP, CFM .. */
        { { 0x01, 0x00, 0x0c, 0xcd, 0xcd, 0xcd }, 0xff },   /* Uplink Fast */
        { { 0x01, 0x00, 0x0c, 0x00, 0x00, 0x00 }, 0xff },   /* ISL */
    };

    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (!memcmp(mac, reserved[i].mac, 5)
            && (mac[5] & reserved[i].last_mask) == reserved[i].mac[5]) {
            return true;
        }
    }
    return false;
}

static void
learn(struct xlate *x, const struct pl_port *in, uint16_t vlan)
{
    const struct pl_bridge *br = in->bridge;
    struct dp_dep dep;

    if (!x->learn || x->key.dl_src[0] & 1
        || (br->flood_vlans && has_vlan(br->flood_vlans, vlan))) {
        return;
    }
    mac_table_learn(br->macs, x->key.dl_src, vlan, in->ofport, &dep);
    xlate_depend(x, &dep);
}

static void
flood(struct xlate *x, const struct pl_port *in, uint16_t vlan, uint16_t pcp)
{
    const struct pl_bridge *br = in->bridge;
    bool any = false;

    xlate_say(x, "flooding VLAN %u of %s", vlan, br->name);
    for (size_t i = 0; i < br->n_ports; i++) {
        const struct pl_port *port = &br->ports[i];

        if (port != in && carries_vlan(port, vlan)) {
            any = true;
            xlate_output(x, port, output_tci(port, vlan, pcp));
        }
    }
    if (!any) {
        xlate_refuse(x, DROP_NO_OUTPUT);
    }
}

void
xlate_normal(struct xlate *x, const struct pl_port *in)
{
    const struct pl_bridge *br = in->bridge;
    uint16_t tci = ntohs(x->key.vlan_tci0);
    const struct pl_port *out;
    struct dp_dep dep;
    uint32_t ofport;
    uint16_t vlan;
    int in_vlan;

    FLOW_MASK_EXACT(x->mask, dl_src);
    FLOW_MASK_EXACT(x->mask, dl_dst);
    FLOW_MASK_EXACT(x->mask, vlan_tci0);

    in_vlan = input_vlan(in, tci);
    if (in_vlan < 0) {
        xlate_say(x, "%s does not take VLAN %u", in->name,
                  tci & VLAN_TCI_VID);
        xlate_refuse(x, DROP_VLAN_NOT_ALLOWED);
        return;
    }
    vlan = (uint16_t) in_vlan;
    if (is_reserved(x->key.dl_dst) && !br->forward_bpdu) {
        xlate_say(x, "link-local multicast stays here");
        xlate_refuse(x, DROP_RESERVED_MULTICAST);
        return;
    }

    learn(x, in, vlan);
    if (x->key.dl_dst[0] & 1
        || (br->flood_vlans && has_vlan(br->flood_vlans, vlan))) {
        flood(x, in, vlan, tci & VLAN_TCI_PCP);
        return;
    }
    if (!mac_table_lookup(br->macs, x->key.dl_dst, vlan, &ofport, &dep)) {
        xlate_depend(x, &dep);
        flood(x, in, vlan, tci & VLAN_TCI_PCP);
        return;
    }
    xlate_depend(x, &dep);
    out = pl_bridge_port(br, ofport);
    if (!out) {
        /* The port has gone and its addresses not yet. */
        flood(x, in, vlan, tci & VLAN_TCI_PCP);
    } else if (out == in) {
        xlate_say(x, "the destination lies behind %s itself", in->name);
        xlate_refuse(x, DROP_SAME_PORT);
    } else if (!carries_vlan(out, vlan)) {
        xlate_refuse(x, DROP_NO_OUTPUT);
    } else {
        xlate_say(x, "learned: the destination in VLAN %u is behind %s",
                  vlan, out->name);
        xlate_output(x, out, output_tci(out, vlan, tci & VLAN_TCI_PCP));
    }
}
