/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_map.h - which tunnel port a popped packet belongs to.
 *
 * Immutable once built; the datapath publishes a new one by RCU on each
 * change.  tnl_map_find() may run in any thread. */

#ifndef QANAT_TNL_MAP_H
#define QANAT_TNL_MAP_H 1

#include "lib/tnl/tnl.h"

struct tnl_map;

struct tnl_map_entry {
    struct tnl_cfg cfg;
    uint32_t port;
};

/* Copies the entries.  Never NULL.  Of entries that conflict
 * (tnl_cfg_conflicts) the first counts.  MAIN: allocates. */
struct tnl_map *tnl_map_create(const struct tnl_map_entry *, size_t n);
void tnl_map_destroy(struct tnl_map *);

/* The most specific port that accepts '*md', in Open vSwitch's order of
 * preference (exact key before key=flow, then exact remote_ip before
 * remote_ip=flow, then exact local_ip before none before local_ip=flow), or
 * PORT_NONE.  A port without any key accepts only packets without one or with
 * key 0 (GRE), or VNI 0 (VXLAN), as in OVS.  Costs one hash and one cache line
 * for each combination of wildcards that some port uses, at most 8. */
uint32_t tnl_map_find(const struct tnl_map *, const struct tnl_md *md);

/* Whether some port wants packets of this IP protocol and, for a type that has
 * one, (UDP) destination port in host order: the type that should pop them, or
 * TNL_TYPE_NONE.  Used by translation, which knows whether the destination
 * address is ours; whether a port wants the packet is known only when it has
 * been popped (tnl_map_find).  Constant time. */
tnl_type tnl_map_claims(const struct tnl_map *, uint8_t ip_proto,
                        uint16_t dst_port);

#endif /* tnl_map.h */
