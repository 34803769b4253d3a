/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_vxlan.c - Ethernet over VXLAN: RFC 7348.
 *
 *   |  UDP source port: entropy     |  destination port, 4789       |
 *   |  UDP length                   |  UDP checksum                 |
 *   |R|R|R|R|I|R|R|R|            reserved                           |
 *   |                VXLAN network identifier       |   reserved    |
 *
 * Reserved bits are sent as 0 and ignored on receipt (RFC 7348, 5).
 * Pure functions over the header's bytes; any thread. */

#include "lib/tnl/tnl.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/pkt/wire.h"

#define VXLAN_PORT 4789         /* Assigned by IANA. */
#define VNI_SHIFT 8

/* What lies from the L4 header to the inner frame. */
struct vxlan_l4 {
    struct udp_hdr udp;
    struct vxlan_hdr vxlan;
} WIRE;

extern const struct tnl_ops tnl_vxlan_ops;

static size_t
vxlan_build(const struct tnl_cfg *cfg, be64 key, uint8_t *l4,
            struct tnl_push *push)
{
    struct vxlan_l4 *h = (struct vxlan_l4 *) l4;

    push->seq = false;
    push->entropy = true;
    h->udp.dst = htons(cfg->dst_port);
    h->vxlan.flags = htonl(VXLAN_FLAG_VNI);
    h->vxlan.vni = htonl((uint32_t) be64toh(key) << VNI_SHIFT);
    return sizeof *h;
}

static void
vxlan_finish(uint8_t *l4, uint32_t l4_len, bool has_seq UNUSED,
             uint32_t seq UNUSED)
{
    struct udp_hdr *udp = (struct udp_hdr *) l4;

    udp->len = htons((uint16_t) l4_len);
    udp->csum = 0;
}

static enum tnl_status
vxlan_pop(const uint8_t *l4, size_t head_len, size_t l4_len UNUSED,
          struct tnl_md *md, size_t *remove_len)
{
    const struct vxlan_l4 *h = (const struct vxlan_l4 *) l4;

    /* The UDP length can end before the IP packet does. */
    if (UNLIKELY(head_len < sizeof *h || ntohs(h->udp.len) < sizeof *h)) {
        return TNL_SHORT;
    }
    if (UNLIKELY(!(h->vxlan.flags & htonl(VXLAN_FLAG_VNI)))) {
        return TNL_FLAGS;
    }
    md->flags |= FLOW_TUN_KEY | (h->udp.csum ? FLOW_TUN_CSUM : 0);
    md->dst_port = ntohs(h->udp.dst);
    md->id = htobe64(ntohl(h->vxlan.vni) >> VNI_SHIFT);
    *remove_len = sizeof *h;
    return TNL_OK;
}

static void
vxlan_format(struct str *s, const uint8_t *l4, size_t len)
{
    const struct vxlan_l4 *h = (const struct vxlan_l4 *) l4;

    if (len >= sizeof h->udp) {
        str_printf(s, "udp(src=%u,dst=%u,csum=0x%x)", ntohs(h->udp.src),
                   ntohs(h->udp.dst), ntohs(h->udp.csum));
    }
    if (len >= sizeof *h) {
        str_printf(s, ",vxlan(flags=0x%x,vni=0x%x)", ntohl(h->vxlan.flags),
                   ntohl(h->vxlan.vni) >> VNI_SHIFT);
    }
}

static const struct tnl_option vxlan_options[] = {
    {"dst_port", "the UDP destination port, 1 to 65535"},
    {"exts", "left out: the extensions gbp and gpe are not supported"},
    {NULL, NULL},
};

const struct tnl_ops tnl_vxlan_ops = {
    .name = "vxlan",
    .ip_proto = IPPROTO_UDP,
    .default_port = VXLAN_PORT,
    .max_l4_len = sizeof(struct vxlan_l4),
    .key_bits = 24,
    .options = vxlan_options,
    .build = vxlan_build,
    .finish = vxlan_finish,
    .pop = vxlan_pop,
    .csum_ofs = offsetof(struct udp_hdr, csum),
    .csum_pseudo = true,
    .format = vxlan_format,
};
