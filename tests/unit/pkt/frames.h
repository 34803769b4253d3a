/* SPDX-License-Identifier: Apache-2.0 */

/* frames.h - well-formed frames for the tests of lib/pkt, by description. */

#ifndef TESTS_UNIT_PKT_FRAMES_H
#define TESTS_UNIT_PKT_FRAMES_H 1

#include <stddef.h>
#include <stdint.h>

struct frame_spec {
    const char *name;
    uint8_t n_tags;             /* The outer of two is 0x88a8. */
    uint16_t eth_type;          /* Behind the tags. */
    uint8_t proto;              /* L4 protocol. */
    uint8_t ip_opts;            /* IPv4: bytes of options (of 4).  IPv6:
                                 * number of extension headers. */
    uint8_t l4_opts;            /* TCP: bytes of options.  ICMPv6: number of
                                 * link-layer options. */
    uint8_t icmp_type;
    uint16_t frag;              /* IPv4's field as it is; in IPv6, when not 0,
                                 * offset << 3 | M of a fragment header. */
    uint16_t payload_len;
    uint16_t padding;           /* Behind the IP packet. */
    uint16_t tcp_flags;         /* 0: ACK. */
};

/* One of each kind. */
extern const struct frame_spec frame_specs[];
extern const size_t n_frame_specs;

#define FRAME_MAX 70000

/* Writes it at 'buf' (FRAME_MAX bytes); returns its length.  Checksums of L4
 * are 0; everything else is as it must be. */
size_t frame_build(const struct frame_spec *, uint8_t *buf);

#endif /* tests/unit/pkt/frames.h */
