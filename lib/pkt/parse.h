/* SPDX-License-Identifier: Apache-2.0 */

/* parse.h - the one parser: bytes of a frame -> flow key and offsets.
 *
 * Nothing else in the switch derives a header's position in another way.
 * Any thread.  Never allocates, logs or asserts; reads nothing beyond
 * 'head_len'. */

#ifndef QANAT_PARSE_H
#define QANAT_PARSE_H 1

#include <stddef.h>
#include <stdint.h>

struct flow_key;

/* Why a frame was refused: name, English sentence.  The datapath makes a drop
 * reason of each line. */
#define PARSE_ERRORS(X)                                                       \
    X(PARSE_ETH_SHORT, "frame shorter than an Ethernet header")               \
    X(PARSE_VLAN_SHORT, "frame ends inside a VLAN tag")                       \
    X(PARSE_ARP_SHORT, "frame ends inside an ARP header")                     \
    X(PARSE_IP4_SHORT, "frame ends inside the IPv4 header")                   \
    X(PARSE_IP4_VERSION, "Ethernet type says IPv4, the version does not")     \
    X(PARSE_IP4_IHL, "IPv4 header length below 20 or beyond the packet")      \
    X(PARSE_IP4_LEN, "IPv4 total length below the header or above the frame") \
    X(PARSE_IP6_SHORT, "frame ends inside the IPv6 header")                   \
    X(PARSE_IP6_VERSION, "Ethernet type says IPv6, the version does not")     \
    X(PARSE_IP6_LEN, "IPv6 payload length above the frame")                   \
    X(PARSE_IP6_EXT, "IPv6 extension header truncated or chain too long")     \
    X(PARSE_TCP_SHORT, "packet ends inside the TCP header")                   \
    X(PARSE_TCP_OFS, "TCP data offset below 20 or beyond the packet")         \
    X(PARSE_UDP_SHORT, "packet ends inside the UDP header")                   \
    X(PARSE_UDP_LEN, "UDP length below 8 or above the packet")                \
    X(PARSE_SCTP_SHORT, "packet ends inside the SCTP header")                 \
    X(PARSE_ICMP_SHORT, "packet ends inside the ICMP header")                 \
    X(PARSE_ICMP6_SHORT, "packet ends inside the ICMPv6 header")              \
    X(PARSE_ND_SHORT, "packet ends inside a neighbour discovery message")     \
    X(PARSE_ND_OPTION, "neighbour discovery option of length 0 or too long")

enum parse_status {
    PARSE_OK,
#define X(NAME, SENTENCE) NAME,
    PARSE_ERRORS(X)
#undef X
    PARSE_N_STATUS
};

/* The sentence of a status ("ok" for PARSE_OK). */
const char *parse_status_to_string(enum parse_status);

#define PKT_OFS_NONE UINT16_MAX

/* Where the headers are, in bytes from the frame's start.  The Ethernet
 * header is at 0. */
struct pkt_ofs {
    uint16_t l2_5;              /* First VLAN tag, or 12 where it would be
                                 * (the place of the Ethernet type). */
    uint16_t l3;                /* IPv4, IPv6 or ARP header, or NONE. */
    uint16_t l4;                /* TCP, UDP, ICMP, SCTP, GRE ... header: what
                                 * nw_proto names; NONE in a later fragment. */
    uint16_t payload;           /* Behind the TCP, UDP, SCTP or ICMP header
                                 * that was parsed; else NONE. */
    uint32_t l3_end;            /* Where the IP packet ends by its own length
                                 * (jumbograms aside; 'frame_len' where there
                                 * is no IP).  What follows is padding. */
};

/* Parses the frame of 'frame_len' bytes whose first 'head_len' bytes lie at
 * 'data' (head_len == frame_len unless the frame is a chain; the datapath
 * makes at least PARSE_HEAD_BYTES, or the whole frame, contiguous).  Headers
 * that go on behind 'head_len' are refused as if the frame ended there: only
 * very long chains of IPv6 extension headers or ND options do, and whoever
 * wants those can make more contiguous and parse again.
 *
 * On PARSE_OK '*key' holds all packet fields (in_port and tunnel fields are
 * left zero for the caller) and '*ofs' the offsets.  On any other status both
 * are unspecified and the frame is to be dropped.
 *
 * Understands Ethernet II and 802.3, up to two VLAN tags (0x8100, 0x88a8,
 * 0x9100; a third tag is dl_type), ARP (RFC 826; other hardware or protocol
 * sizes leave the fields zero), IPv4 (RFC 791) with options, IPv6 (RFC 8200)
 * with at most 16 hop-by-hop, routing, destination, AH, fragment and mobility
 * headers, TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792),
 * ICMPv6 (RFC 4443, 4 bytes) with ND (RFC 4861) target and the first of each
 * link-layer option.
 *
 * An IP length beyond the frame is an error; below, it is padding.  IPv4
 * total length 0 and IPv6 payload length 0 are errors (no BIG TCP here), but
 * IPv6 payload length 0 with next header 59 or nothing behind is legal.  UDP
 * length must be at least 8 and fit the IP packet.  IP header checksums are
 * not verified: a switch passes them on.
 *
 * Fragments: an IPv6 fragment header with offset 0 and no more to come makes
 * none (RFC 6946).  In a first fragment an L4 header that is not there in full
 * is no error: ports and 'payload' are then zero and NONE, and a TCP header
 * whose options are cut still has its ports.  UDP length is not looked at, nor
 * ND.  A later fragment has no L4; in IPv6 its protocol is IPPROTO_FRAGMENT
 * whatever the fragment header says, as in Open vSwitch. */
#define PARSE_HEAD_BYTES 256
enum parse_status parse_packet(const void *data, size_t head_len,
                               size_t frame_len, struct flow_key *key,
                               struct pkt_ofs *ofs);

#endif /* parse.h */
