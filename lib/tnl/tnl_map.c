/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_map.c - which tunnel port a popped packet belongs to.
 *
 * One open hash table for all ports.  A port's place in it is the hash of what
 * it demands of a packet, with zeroes for what it leaves open, and with the
 * combination of what is open.  A lookup goes through the combinations that
 * some port uses, the most specific first: most switches use one or two.
 *
 * Built by MAIN, read by PMDs at the pop of each packet; immutable. */

#include "lib/tnl/tnl_map.h"

#include <netinet/in.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/util.h"
#include "lib/flow/flow.h"

/* What is left open, ordered so that a smaller combination is the more
 * specific: the key weighs most, then the remote address. */
enum {
    OPEN_LOCAL = 1 << 0,
    OPEN_REMOTE = 1 << 1,
    OPEN_KEY = 1 << 2,
    N_COMBOS = 1 << 3,
};

/* What a port demands, in words that are made, hashed and compared in
 * registers. */
struct demand {
    uint64_t key;
    uint64_t remote[2];
    uint64_t local[2];
    uint64_t rest;              /* Combination, type, destination port. */
};

struct slot {
    struct demand demand;
    uint32_t port;              /* PORT_NONE: empty. */
    uint32_t zero[3];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct slot) == 64, "one cache line");

/* A claim on an IP protocol and UDP port. */
struct claim {
    uint16_t dst_port;
    uint8_t ip_proto;
    tnl_type type;              /* TNL_TYPE_NONE: empty. */
};

/* Both tables are at most half full, so that a search ends soon. */
struct tnl_map {
    struct slot *slots;
    struct claim *claims;
    uint32_t slot_mask;
    uint32_t claim_mask;
    uint8_t n_combos;
    uint8_t combos[N_COMBOS];   /* In use, the most specific first. */
};

static inline struct demand
make_demand(unsigned int combo, tnl_type type, uint16_t dst_port, be64 key,
            const struct in6_addr *remote, const struct in6_addr *local)
{
    struct demand d = {
        .rest = combo | (uint64_t) type << 8 | (uint64_t) dst_port << 16,
    };

    if (!(combo & OPEN_KEY)) {
        d.key = key;
    }
    if (!(combo & OPEN_REMOTE)) {
        memcpy(d.remote, remote, sizeof d.remote);
    }
    if (!(combo & OPEN_LOCAL)) {
        memcpy(d.local, local, sizeof d.local);
    }
    return d;
}

/* Three multiplications at once and one behind.  A lookup takes 4 ns, and took
 * 18 when the demand was laid out in memory for hash_words64(). */
static inline uint32_t
demand_hash(const struct demand *d)
{
    uint64_t a = hash_fold(d->key ^ HASH_K0, d->rest ^ HASH_K1);
    uint64_t b = hash_fold(d->remote[0] ^ HASH_K1, d->remote[1] ^ HASH_K2);
    uint64_t c = hash_fold(d->local[0] ^ HASH_K2, d->local[1] ^ HASH_K0);
    uint64_t h = hash_fold(a ^ b, c ^ HASH_K1);

    return (uint32_t) (h ^ h >> 32);
}

static inline bool
demand_equal(const struct demand *a, const struct demand *b)
{
    return !((a->key ^ b->key) | (a->rest ^ b->rest)
             | (a->remote[0] ^ b->remote[0]) | (a->remote[1] ^ b->remote[1])
             | (a->local[0] ^ b->local[0]) | (a->local[1] ^ b->local[1]));
}

/* The slot that holds 'd', or the empty one where it would be. */
static inline struct slot *
find_slot(const struct tnl_map *map, const struct demand *d)
{
    uint32_t i = demand_hash(d);

    for (;; i++) {
        struct slot *slot = &map->slots[i & map->slot_mask];

        if (demand_equal(&slot->demand, d) || slot->port == PORT_NONE) {
            return slot;
        }
    }
}

static struct claim *
find_claim(const struct tnl_map *map, uint8_t ip_proto, uint16_t dst_port)
{
    uint32_t i = hash_int((uint32_t) dst_port << 8 | ip_proto, 0);

    for (;; i++) {
        struct claim *claim = &map->claims[i & map->claim_mask];

        if (claim->type == TNL_TYPE_NONE
            || (claim->dst_port == dst_port && claim->ip_proto == ip_proto)) {
            return claim;
        }
    }
}

static void
add_entry(struct tnl_map *map, const struct tnl_map_entry *entry)
{
    const struct tnl_cfg *cfg = &entry->cfg;
    const struct tnl_ops *ops = tnl_ops_get(cfg->type);
    unsigned int combo = ((cfg->in_key_flow ? OPEN_KEY : 0)
                          | (cfg->remote_flow ? OPEN_REMOTE : 0)
                          | (cfg->has_local ? 0 : OPEN_LOCAL));
    struct demand d = make_demand(combo, cfg->type, cfg->dst_port,
                                  cfg->in_key, &cfg->remote, &cfg->local);

    struct slot *slot = find_slot(map, &d);
    if (slot->port == PORT_NONE) {
        slot->demand = d;
        slot->port = entry->port;
    }

    struct claim *claim = find_claim(map, ops->ip_proto,
                                     ops->default_port ? cfg->dst_port : 0);
    if (claim->type == TNL_TYPE_NONE) {
        claim->ip_proto = ops->ip_proto;
        claim->dst_port = ops->default_port ? cfg->dst_port : 0;
        claim->type = cfg->type;
    }
    map->combos[combo] = 1;
}

struct tnl_map *
tnl_map_create(const struct tnl_map_entry *entries, size_t n)
{
    struct tnl_map *map = xzalloc(sizeof *map);
    uint32_t size = 8;

    while (size < 2 * n) {
        size *= 2;
    }
    if (posix_memalign((void **) &map->slots, _Alignof(struct slot),
                       size * sizeof *map->slots)) {
        abort();
    }
    memset(map->slots, 0, size * sizeof *map->slots);
    map->slot_mask = size - 1;
    map->claims = xmalloc(size * sizeof *map->claims);
    memset(map->claims, TNL_TYPE_NONE, size * sizeof *map->claims);
    map->claim_mask = size - 1;

    /* Without local_ip goes before local_ip=flow; both leave it open, so they
     * share a combination and the first to come is found. */
    for (size_t i = 0; i < n; i++) {
        if (!entries[i].cfg.local_flow) {
            add_entry(map, &entries[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (entries[i].cfg.local_flow) {
            add_entry(map, &entries[i]);
        }
    }

    /* From flags, one for each combination, to the list of those set. */
    for (uint8_t combo = 0; combo < N_COMBOS; combo++) {
        if (map->combos[combo]) {
            map->combos[map->n_combos++] = combo;
        }
    }
    return map;
}

void
tnl_map_destroy(struct tnl_map *map)
{
    if (map) {
        free(map->slots);
        free(map->claims);
        free(map);
    }
}

uint32_t
tnl_map_find(const struct tnl_map *map, const struct tnl_md *md)
{
    for (uint8_t i = 0; i < map->n_combos; i++) {
        struct demand d = make_demand(map->combos[i], md->type, md->dst_port,
                                      md->id, &md->src, &md->dst);
        const struct slot *slot = find_slot(map, &d);
        if (slot->port != PORT_NONE) {
            return slot->port;
        }
    }
    return PORT_NONE;
}

tnl_type
tnl_map_claims(const struct tnl_map *map, uint8_t ip_proto, uint16_t dst_port)
{
    tnl_type type = find_claim(map, ip_proto, dst_port)->type;

    if (type == TNL_TYPE_NONE && dst_port) {
        /* Protocols without ports. */
        type = find_claim(map, ip_proto, 0)->type;
    }
    return type;
}
