/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmap.h - intrusive hash table with chains.
 *
 * The element carries a struct hmap_node; the caller computes the hash and
 * compares keys.  Duplicates are allowed.  The table grows by doubling, and
 * never shrinks.  An empty table owns no memory.  Not locked: the owner of a
 * table says which thread touches it.  Insertion may allocate and abort on
 * exhaustion, so it is for the control plane; lookup is for everybody.
 */
#ifndef QANAT_BASE_HMAP_H
#define QANAT_BASE_HMAP_H 1

#include "lib/base/util.h"

struct hmap_node {
    uint32_t hash;
    struct hmap_node *next;     /* In the same bucket. */
};

/* Invariant: mask + 1 buckets, a power of 2; 'one' is the bucket array as
 * long as mask is 0, so a struct hmap in that state must not be copied by
 * assignment: use hmap_swap(). */
struct hmap {
    struct hmap_node **buckets;
    struct hmap_node *one;
    size_t mask;
    size_t n;
};

/* Static initializer of the table named MAP. */
#define HMAP_INIT(MAP) { &(MAP)->one, NULL, 0, 0 }

void hmap_init(struct hmap *);

/* Frees the table's own memory; the elements are the caller's business. */
void hmap_fini(struct hmap *);

/* Forgets all elements without touching them; keeps the memory. */
void hmap_clear(struct hmap *);

void hmap_swap(struct hmap *, struct hmap *);

/* Makes room for 'n' elements in all, so that inserting allocates no more. */
void hmap_reserve(struct hmap *, size_t n);

/* Inserts 'node' under 'hash'.  The order of a walk is unspecified. */
void hmap_insert(struct hmap *, struct hmap_node *node, uint32_t hash);

/* Removes 'node', which must be in the table. */
void hmap_remove(struct hmap *, struct hmap_node *node);

static inline size_t
hmap_count(const struct hmap *map)
{
    return map->n;
}

static inline bool
hmap_is_empty(const struct hmap *map)
{
    return map->n == 0;
}

/* The first element from bucket 'i' on, or NULL. */
static inline struct hmap_node *
hmap_first_from(const struct hmap *map, size_t i)
{
    for (; i <= map->mask; i++) {
        if (map->buckets[i]) {
            return map->buckets[i];
        }
    }
    return NULL;
}

static inline struct hmap_node *
hmap_first(const struct hmap *map)
{
    return hmap_first_from(map, 0);
}

static inline struct hmap_node *
hmap_next(const struct hmap *map, const struct hmap_node *node)
{
    return node->next
           ? node->next
           : hmap_first_from(map, (node->hash & map->mask) + 1);
}

static inline struct hmap_node *
hmap_chain_skip(struct hmap_node *node, uint32_t hash)
{
    while (node && node->hash != hash) {
        node = node->next;
    }
    return node;
}

static inline struct hmap_node *
hmap_first_with_hash(const struct hmap *map, uint32_t hash)
{
    return hmap_chain_skip(map->buckets[hash & map->mask], hash);
}

/* Walks VAR over all elements of MAP, whose hmap_node is their MEMBER.  VAR
 * is NULL after a walk that was not broken off.  The body must not insert
 * into the table nor remove VAR. */
#define HMAP_FOR_EACH(VAR, MEMBER, MAP)                                     \
    for (struct hmap_node *UNIQUE_NAME(it_) = hmap_first(MAP);              \
         UNIQUE_NAME(it_)                                                   \
         ? ((VAR) = CONTAINER_OF(UNIQUE_NAME(it_), __typeof__(*(VAR)),      \
                                 MEMBER), true)                             \
         : ((VAR) = NULL, false);                                           \
         UNIQUE_NAME(it_) = hmap_next(MAP, UNIQUE_NAME(it_)))

/* The same, and the body may remove or free VAR (but not NEXT, a variable of
 * VAR's type that the loop uses). */
#define HMAP_FOR_EACH_SAFE(VAR, NEXT, MEMBER, MAP)                          \
    for (struct hmap_node *UNIQUE_NAME(it_) = hmap_first(MAP),              \
                          *UNIQUE_NAME(after_) = NULL;                      \
         UNIQUE_NAME(it_)                                                   \
         ? ((VAR) = CONTAINER_OF(UNIQUE_NAME(it_), __typeof__(*(VAR)),      \
                                 MEMBER),                                   \
            UNIQUE_NAME(after_) = hmap_next(MAP, UNIQUE_NAME(it_)),         \
            (NEXT) = CONTAINER_OF_OR_NULL(UNIQUE_NAME(after_),              \
                                          __typeof__(*(VAR)), MEMBER),      \
            true)                                                           \
         : ((VAR) = NULL, false);                                           \
         UNIQUE_NAME(it_) = (NEXT) ? &(NEXT)->MEMBER : NULL)

/* Walks VAR over the elements that were inserted under HASH.  The caller
 * still compares keys.  The body must not insert nor remove VAR and go on. */
#define HMAP_FOR_EACH_WITH_HASH(VAR, MEMBER, HASH, MAP)                     \
    for (struct hmap_node *UNIQUE_NAME(it_)                                 \
             = hmap_first_with_hash(MAP, HASH);                             \
         UNIQUE_NAME(it_)                                                   \
         ? ((VAR) = CONTAINER_OF(UNIQUE_NAME(it_), __typeof__(*(VAR)),      \
                                 MEMBER), true)                             \
         : ((VAR) = NULL, false);                                           \
         UNIQUE_NAME(it_) = hmap_chain_skip(UNIQUE_NAME(it_)->next,         \
                                            UNIQUE_NAME(it_)->hash))

#endif /* QANAT_BASE_HMAP_H */
