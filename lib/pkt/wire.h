/* SPDX-License-Identifier: Apache-2.0 */

/* wire.h - headers as they lie on the wire.  All packed, any alignment, all
 * multi-byte fields in network byte order.  Sources beside each. */

#ifndef QANAT_WIRE_H
#define QANAT_WIRE_H 1

#include <stdint.h>

#include "lib/base/util.h"

#define WIRE __attribute__((packed))

#define ETH_TYPE_IP4 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_TEB 0x6558     /* Ethernet in GRE (RFC 7637). */
#define ETH_TYPE_VLAN 0x8100
#define ETH_TYPE_QINQ 0x88a8
#define ETH_TYPE_QINQ_OLD 0x9100
#define ETH_TYPE_IP6 0x86dd
#define ETH_TYPE_MIN 0x0600     /* Below: an 802.3 length. */

struct eth_hdr {                /* IEEE 802.3 */
    uint8_t dst[6];
    uint8_t src[6];
    be16 type;
} WIRE;

struct vlan_hdr {               /* IEEE 802.1Q, behind the addresses */
    be16 tpid;
    be16 tci;
} WIRE;

struct arp_hdr {                /* RFC 826, Ethernet and IPv4 */
    be16 hrd;
    be16 pro;
    uint8_t hln;
    uint8_t pln;
    be16 op;
    uint8_t sha[6];
    be32 spa;
    uint8_t tha[6];
    be32 tpa;
} WIRE;

struct ip4_hdr {                /* RFC 791 */
    uint8_t ver_ihl;
    uint8_t tos;
    be16 tot_len;
    be16 id;
    be16 frag;
    uint8_t ttl;
    uint8_t proto;
    be16 csum;
    be32 src;
    be32 dst;
} WIRE;

#define IP4_DF 0x4000
#define IP4_MF 0x2000
#define IP4_OFS_MASK 0x1fff

struct ip6_hdr_wire {           /* RFC 8200 */
    be32 ver_tc_label;
    be16 payload_len;
    uint8_t next;
    uint8_t hop_limit;
    uint8_t src[16];
    uint8_t dst[16];
} WIRE;

struct ip6_frag_hdr {           /* RFC 8200, 4.5 */
    uint8_t next;
    uint8_t reserved;
    be16 ofs_m;                 /* Offset in the high 13 bits, M the lowest. */
    be32 id;
} WIRE;

struct tcp_hdr {                /* RFC 9293 */
    be16 src;
    be16 dst;
    be32 seq;
    be32 ack;
    be16 ofs_flags;             /* Data offset: the high 4 bits. */
    be16 window;
    be16 csum;
    be16 urg;
} WIRE;

enum {
    TCP_FIN = 0x001, TCP_SYN = 0x002, TCP_RST = 0x004, TCP_PSH = 0x008,
    TCP_ACK = 0x010, TCP_URG = 0x020, TCP_ECE = 0x040, TCP_CWR = 0x080,
};

struct udp_hdr {                /* RFC 768 */
    be16 src;
    be16 dst;
    be16 len;
    be16 csum;
} WIRE;

struct sctp_hdr {               /* RFC 9260 */
    be16 src;
    be16 dst;
    be32 vtag;
    be32 crc;
} WIRE;

struct icmp_hdr {               /* RFC 792, RFC 4443 */
    uint8_t type;
    uint8_t code;
    be16 csum;
    be32 rest;
} WIRE;

struct gre_hdr {                /* RFC 2784, RFC 2890; options follow */
    be16 flags;
    be16 proto;
} WIRE;

#define GRE_CSUM 0x8000
#define GRE_KEY 0x2000
#define GRE_SEQ 0x1000

struct vxlan_hdr {              /* RFC 7348 */
    be32 flags;
    be32 vni;                   /* In the high 24 bits. */
} WIRE;

#define VXLAN_FLAG_VNI 0x08000000u

#endif /* wire.h */
