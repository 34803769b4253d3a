/* SPDX-License-Identifier: Apache-2.0 */

/* vnet.c - the virtio-net header: claims in, needs out.
 *
 * Stands behind the parser, for frames of vports that others write to.  PMD
 * threads.  The one place where such claims are believed or not; must never
 * let one through that would make a later stage write outside the packet, or
 * into a header field that the flow key was made of. */

#include "lib/pkt/vnet.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/util.h"
#include "lib/pkt/wire.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define TCP_CSUM_OFS offsetof(struct tcp_hdr, csum)
#define UDP_CSUM_OFS offsetof(struct udp_hdr, csum)
#define ICMP_CSUM_OFS offsetof(struct icmp_hdr, csum)
#define SCTP_CRC_OFS offsetof(struct sctp_hdr, crc)

/* The packet that the claims are about. */
struct subject {
    const uint8_t *data;
    const struct flow_key *key;
    const struct pkt_ofs *ofs;
};

static enum vnet_status read_gso_type(uint8_t gso_type, uint32_t offered,
                                      struct pkt_need *);
static enum vnet_status check_csum(const struct subject *,
                                   const struct pkt_need *);
static enum vnet_status check_place(const struct subject *,
                                    const struct pkt_need *);
static enum vnet_status check_gso(const struct subject *, struct pkt_need *);
static enum vnet_status check_gso_proto(const struct subject *,
                                        const struct pkt_need *);

const char *
vnet_status_to_string(enum vnet_status status)
{
    static const char *const sentences[VNET_N_STATUS] = {
        "ok",
#define X(NAME, SENTENCE) SENTENCE,
        VNET_LIES(X)
#undef X
    };

    return (unsigned int) status < VNET_N_STATUS ? sentences[status]
                                                 : "unknown vnet status";
}

enum vnet_status
vnet_check(const struct virtio_net_hdr *hdr, const void *data,
           size_t head_len UNUSED, size_t frame_len UNUSED,
           const struct flow_key *key, const struct pkt_ofs *ofs,
           uint32_t offered, struct pkt_need *need)
{
    const struct subject s = {.data = data, .key = key, .ofs = ofs};
    enum vnet_status status;

    memset(need, 0, sizeof *need);
    if (LIKELY(!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))) {
        if (UNLIKELY(hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)) {
            status = read_gso_type(hdr->gso_type, offered, need);
            return status ? status : VNET_GSO_NO_CSUM;
        }
        need->csum_valid = hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID;
        return VNET_OK;
    }

    need->csum = true;
    need->csum_start = le16toh((uint16_t) hdr->csum_start);
    need->csum_offset = le16toh((uint16_t) hdr->csum_offset);
    need->gso_size = le16toh((uint16_t) hdr->gso_size);
    status = read_gso_type(hdr->gso_type, offered, need);
    if (!status && !(offered & VNET_OFFER_CSUM)) {
        status = VNET_CSUM_OFFER;
    }
    if (!status && need->gso != PKT_GSO_NONE) {
        status = check_gso_proto(&s, need);
    }
    if (!status) {
        status = check_csum(&s, need);
    }
    if (!status && need->gso != PKT_GSO_NONE) {
        status = check_gso(&s, need);
    }
    if (need->gso == PKT_GSO_NONE) {
        need->gso_size = 0;
        need->ecn = false;
    }
    return status;
}

void
vnet_fill(struct virtio_net_hdr *hdr, const struct pkt_need *need,
          uint16_t hdr_len)
{
    static const uint8_t types[] = {
        [PKT_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
        [PKT_GSO_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
        [PKT_GSO_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
        [PKT_GSO_UFO] = VIRTIO_NET_HDR_GSO_UDP,
        [PKT_GSO_USO] = VIRTIO_NET_HDR_GSO_UDP_L4,
    };

    memset(hdr, 0, sizeof *hdr);
    if (LIKELY(!need->csum)) {
        if (need->csum_valid) {
            hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
        }
        return;
    }
    hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    hdr->hdr_len = htole16(hdr_len);
    hdr->csum_start = htole16(need->csum_start);
    hdr->csum_offset = htole16(need->csum_offset);
    if (need->gso != PKT_GSO_NONE) {
        hdr->gso_type = types[need->gso];
        if (need->ecn) {
            hdr->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
        }
        hdr->gso_size = htole16(need->gso_size);
    }
}

/* Sets 'gso' and 'ecn' of '*need'. */
static enum vnet_status
read_gso_type(uint8_t gso_type, uint32_t offered, struct pkt_need *need)
{
    bool is_tcp = false;

    switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        need->gso = PKT_GSO_NONE;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        need->gso = PKT_GSO_TCP4;
        is_tcp = true;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        need->gso = PKT_GSO_TCP6;
        is_tcp = true;
        break;
    case VIRTIO_NET_HDR_GSO_UDP:
        need->gso = PKT_GSO_UFO;
        break;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        need->gso = PKT_GSO_USO;
        break;
    default:
        return VNET_GSO_TYPE;
    }
    if (gso_type & VIRTIO_NET_HDR_GSO_ECN) {
        if (!is_tcp) {
            return VNET_GSO_ECN;
        }
        if (!(offered & VNET_OFFER_ECN)) {
            return VNET_GSO_TYPE;
        }
        need->ecn = true;
    }
    return need->gso == PKT_GSO_NONE || offered & 1u << need->gso
           ? VNET_OK : VNET_GSO_TYPE;
}

static enum vnet_status
check_csum(const struct subject *s, const struct pkt_need *need)
{
    uint32_t field_end = (uint32_t) need->csum_start + need->csum_offset + 2;

    return field_end > s->ofs->l3_end ? VNET_CSUM_BOUNDS
                                      : check_place(s, need);
}

/* Where a sum may start, and its field be.  At the L4 header that we parsed
 * the protocol says it.  Deeper it is the sender's own tunnel, of which we
 * know nothing: allowed behind headers that can carry one, and where nothing
 * is that went into the key. */
static enum vnet_status
check_place(const struct subject *s, const struct pkt_need *need)
{
    const struct flow_key *key = s->key;
    const struct pkt_ofs *ofs = s->ofs;
    bool is_ip = key->dl_type == htons(ETH_TYPE_IP4)
                 || key->dl_type == htons(ETH_TYPE_IP6);
    uint32_t lowest;
    int at_l4 = -1;

    if (!is_ip) {
        lowest = sizeof(struct eth_hdr)
                 + (key->vlan_tci0 ? sizeof(struct vlan_hdr) : 0)
                 + (key->vlan_tci1 ? sizeof(struct vlan_hdr) : 0);
        return key->dl_type != htons(ETH_TYPE_ARP)
               && need->csum_start >= lowest ? VNET_OK : VNET_CSUM_PLACE;
    }
    if (key->nw_frag) {
        return VNET_CSUM_FRAG;
    }

    lowest = ofs->l4;
    switch (key->nw_proto) {
    case IPPROTO_TCP:
        at_l4 = TCP_CSUM_OFS;
        break;
    case IPPROTO_UDP:
        at_l4 = UDP_CSUM_OFS;
        lowest = ofs->payload;
        break;
    case IPPROTO_SCTP:
        at_l4 = SCTP_CRC_OFS;
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        at_l4 = ICMP_CSUM_OFS;
        break;
    default:
        return need->csum_start >= lowest ? VNET_OK : VNET_CSUM_PLACE;
    }
    if (need->csum_start == ofs->l4) {
        return need->csum_offset == at_l4 ? VNET_OK : VNET_CSUM_PLACE;
    }
    return key->nw_proto == IPPROTO_UDP && need->csum_start >= lowest
           ? VNET_OK : VNET_CSUM_PLACE;
}

static enum vnet_status
check_gso_proto(const struct subject *s, const struct pkt_need *need)
{
    const struct flow_key *key = s->key;
    bool is_tcp = need->gso == PKT_GSO_TCP4 || need->gso == PKT_GSO_TCP6;
    bool is_ip4 = key->dl_type == htons(ETH_TYPE_IP4);
    bool is_ip6 = key->dl_type == htons(ETH_TYPE_IP6);

    if ((!is_ip4 && !is_ip6) || (need->gso == PKT_GSO_TCP4 && !is_ip4)
        || (need->gso == PKT_GSO_TCP6 && !is_ip6)) {
        return VNET_GSO_PROTO;
    }
    if (key->nw_frag) {
        return VNET_GSO_FRAG;
    }
    return key->nw_proto == (is_tcp ? IPPROTO_TCP : IPPROTO_UDP)
           ? VNET_OK : VNET_GSO_PROTO;
}

/* The rest, once protocol and checksum are known to be right. */
static enum vnet_status
check_gso(const struct subject *s, struct pkt_need *need)
{
    const struct pkt_ofs *ofs = s->ofs;
    uint32_t payload_len = ofs->l3_end - ofs->payload;

    /* Deeper would be right for a checksum alone. */
    if (need->csum_start != ofs->l4) {
        return VNET_CSUM_PLACE;
    }
    if (need->gso == PKT_GSO_UFO) {
        need->gso_size &= ~7u;
        payload_len = ofs->l3_end - ofs->l4;
    }
    if (!need->gso_size) {
        return VNET_GSO_SIZE;
    }
    if (need->gso_size >= payload_len) {
        need->gso = PKT_GSO_NONE;
        return VNET_OK;
    }
    if (DIV_ROUND_UP(payload_len, need->gso_size) > PKT_MAX_SEGS) {
        return VNET_GSO_SIZE;
    }

    if (need->gso == PKT_GSO_TCP4 || need->gso == PKT_GSO_TCP6) {
        if (s->key->tcp_flags & htons(TCP_SYN | TCP_RST | TCP_URG)) {
            return VNET_GSO_FLAGS;
        }
    } else {
        struct udp_hdr udp;

        memcpy(&udp, s->data + ofs->l4, sizeof udp);
        if (ntohs(udp.len) != ofs->l3_end - ofs->l4) {
            return VNET_GSO_LEN;
        }
    }
    return VNET_OK;
}
