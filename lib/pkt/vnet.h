/* SPDX-License-Identifier: Apache-2.0 */

/* vnet.h - the virtio-net header: claims in, needs out, and back.
 *
 * A frame from a vport that others write to carries a header whose claims are
 * checked here, once, against the packet itself.  What survives is a
 * 'struct pkt_need': the only thing later stages look at.
 *
 * Source: virtio 1.2, 5.1.6; linux/virtio_net.h.  Any thread. */

#ifndef QANAT_VNET_H
#define QANAT_VNET_H 1

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"

enum pkt_gso {
    PKT_GSO_NONE,
    PKT_GSO_TCP4,
    PKT_GSO_TCP6,
    PKT_GSO_UFO,                /* One datagram, to be sent as IP fragments. */
    PKT_GSO_USO,                /* Many datagrams (GSO_UDP_L4). */
};

/* What a packet still needs before it may stand on a wire.  Offsets are from
 * the start of the frame that it is about; pkt.h shifts them with headers.
 *
 * Invariants: gso != NONE implies csum; csum_start + csum_offset + 2 <= frame
 * length; with GSO csum_start is the L4 header's offset. */
struct pkt_need {
    uint8_t gso;                /* enum pkt_gso. */
    bool csum;                  /* The 16-bit ones' complement sum from
                                 * csum_start to the IP packet's end is yet to
                                 * be folded into the field at csum_start +
                                 * csum_offset, which holds the pseudo header's
                                 * sum. */
    bool ecn;                   /* TCP with CWR: only the first segment keeps
                                 * it. */
    bool csum_valid;            /* The sender vouches for the L4 checksum. */
    uint16_t gso_size;          /* Payload bytes a segment (for UFO: bytes of
                                 * IP payload a fragment, a multiple of 8). */
    uint16_t csum_start;
    uint16_t csum_offset;
};

/* The lies, each a drop reason of its own. */
#define VNET_LIES(X)                                                          \
    X(VNET_SHORT, "frame shorter than its virtio-net header")                 \
    X(VNET_GSO_TYPE, "unknown or not negotiated GSO type")                    \
    X(VNET_GSO_NO_CSUM, "GSO without a checksum request")                     \
    X(VNET_GSO_SIZE, "GSO size is zero or makes too many segments")           \
    X(VNET_GSO_PROTO, "GSO type contradicts the packet's protocols")          \
    X(VNET_GSO_FRAG, "GSO on an IP fragment")                                 \
    X(VNET_GSO_ECN, "ECN bit on what is not a TCP super-packet")              \
    X(VNET_GSO_FLAGS, "TCP super-packet with SYN, RST or URG")                \
    X(VNET_GSO_LEN, "UDP super-packet with a UDP length not its own")         \
    X(VNET_CSUM_OFFER, "checksum request that was not negotiated")            \
    X(VNET_CSUM_FRAG, "checksum request on an IP fragment")                   \
    X(VNET_CSUM_BOUNDS, "checksum start or offset outside the packet")        \
    X(VNET_CSUM_PLACE, "checksum offset does not fit the L4 protocol")

enum vnet_status {
    VNET_OK,
#define X(NAME, SENTENCE) NAME,
    VNET_LIES(X)
#undef X
    VNET_N_STATUS
};

const char *vnet_status_to_string(enum vnet_status);

/* What the writer of headers was offered, as a set of 1u << enum pkt_gso,
 * plus checksum and ECN. */
#define VNET_OFFER_CSUM (1u << 8)
#define VNET_OFFER_ECN (1u << 9)
#define VNET_OFFER_ALL (VNET_OFFER_CSUM | VNET_OFFER_ECN                      \
                        | 1u << PKT_GSO_TCP4 | 1u << PKT_GSO_TCP6             \
                        | 1u << PKT_GSO_UFO | 1u << PKT_GSO_USO)

/* At most so many segments are ever made of one super-packet. */
#define PKT_MAX_SEGS 1024

/* Checks the claims of 'hdr' (little endian fields, as virtio 1.0 and as the
 * kernel on little endian machines; converted inside) on the frame that
 * parse_packet() has understood as 'key' and 'ofs'.  On VNET_OK fills '*need',
 * which is unspecified otherwise.
 *
 * hdr_len is a hint and ignored.  Unknown flag bits are ignored; NEEDS_CSUM
 * outweighs DATA_VALID.  A gso_size at or above the payload makes an ordinary
 * packet of it (need->gso NONE, the checksum request stays).  UFO's gso_size
 * is rounded down to a multiple of 8.
 *
 * A checksum request at the L4 header that we parsed must name the protocol's
 * field (of SCTP, the CRC32c at offset 8, which Linux asks for in this way).
 * One that starts deeper (a guest's own tunnel) is accepted when it lies
 * within the packet, behind UDP's header or in a protocol that we do not
 * parse.  After a tunnel is popped such a claim must be checked again, on the
 * inner frame: its field may be in what the new key is made of.
 *
 * Linux sends the super-packets of a vxlan device over a veth pair as
 * VIRTIO_NET_HDR_GSO_TCPV4 with csum_start at the inner TCP header.  That is
 * VNET_GSO_PROTO here, and true of the inner frame once it is popped. */
enum vnet_status vnet_check(const struct virtio_net_hdr *hdr,
                            const void *data, size_t head_len,
                            size_t frame_len, const struct flow_key *key,
                            const struct pkt_ofs *ofs, uint32_t offered,
                            struct pkt_need *need);

/* Writes the header that tells a kernel or guest what '*need' says; hdr_len
 * is the length of all headers.  The inverse of vnet_check(). */
void vnet_fill(struct virtio_net_hdr *hdr, const struct pkt_need *need,
               uint16_t hdr_len);

#endif /* vnet.h */
