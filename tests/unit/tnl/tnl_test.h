/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_test.h - what the tests of the tunnels share: packets written as hex,
 * and the way of a packet through build, apply, finish and back. */

#ifndef QANAT_TNL_TEST_H
#define QANAT_TNL_TEST_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"
#include "lib/tnl/tnl.h"

#define TNL_TEST_MAX 2048

/* The inner frames, each with its peculiarity. */
enum tnl_inner {
    TNL_INNER_IP4,              /* TOS 0xb9: DSCP 46, ECT(1); TTL 17; odd. */
    TNL_INNER_ARP,
    TNL_INNER_IP6,              /* Traffic class 3: CE; hop limit 200. */
};

/* One packet: options and inputs, and the outer headers that must come. */
struct tnl_golden {
    const char *name;
    const char *options;
    enum tnl_inner inner;
    bool ip6;
    uint32_t hash;
    uint32_t seq;
    uint64_t id;                /* What a pop must find ... */
    uint16_t flags;
    const char *outer;          /* Hex: outer Ethernet to tunnel header. */
};

size_t tnl_test_hex(const char *hex, uint8_t *bytes);
size_t tnl_test_inner(enum tnl_inner, uint8_t *frame);

/* Reads "a=b,c=d"; fails the test when the options are refused. */
struct tnl_cfg tnl_test_cfg(const char *type, const char *options);

/* From 192.0.2.1 to 192.0.2.2, or 2001:db8::1 to 2001:db8::2. */
struct tnl_hop tnl_test_hop(bool ip6);

/* Puts a tunnel's headers before the frame of 'len' bytes at 'frame' into
 * 'out'; returns the length of all. */
size_t tnl_test_encap(const struct tnl_cfg *, bool ip6, const uint8_t *frame,
                      size_t len, uint32_t hash, uint32_t seq, uint8_t *out);

/* Parses and pops.  '*key', '*ofs' tell of the outer packet. */
enum tnl_status tnl_test_pop(tnl_type, const uint8_t *frame, size_t len,
                             struct flow_key *key, struct pkt_ofs *ofs,
                             struct tnl_md *md, size_t *inner_ofs,
                             bool *verify);

/* Whether the L4 checksum of the packet is right. */
bool tnl_test_csum_ok(const struct tnl_ops *, const uint8_t *frame,
                      const struct flow_key *, const struct pkt_ofs *);

/* Encapsulates each and compares every byte; pops it again; pops it cut off
 * at every byte; checks that a checksum left to the egress comes out right. */
void tnl_test_golden(const char *type, const struct tnl_golden *, size_t n);

/* A small generator, the same on each run. */
uint32_t tnl_test_random(void);

#endif /* tnl_test.h */
