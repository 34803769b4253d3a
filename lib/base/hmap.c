/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmap.c - see hmap.h.
 */
#include "lib/base/hmap.h"

static void rehash(struct hmap *, size_t new_mask);
static void fix_inline_bucket(struct hmap *, const struct hmap *was);

void
hmap_init(struct hmap *map)
{
    map->buckets = &map->one;
    map->one = NULL;
    map->mask = 0;
    map->n = 0;
}

void
hmap_fini(struct hmap *map)
{
    if (map->buckets != &map->one) {
        free(map->buckets);
    }
    hmap_init(map);
}

void
hmap_clear(struct hmap *map)
{
    if (map->n) {
        memset(map->buckets, 0, (map->mask + 1) * sizeof *map->buckets);
        map->n = 0;
    }
}

void
hmap_swap(struct hmap *a, struct hmap *b)
{
    struct hmap tmp = *a;

    *a = *b;
    *b = tmp;
    fix_inline_bucket(a, b);
    fix_inline_bucket(b, a);
}

void
hmap_reserve(struct hmap *map, size_t n)
{
    size_t mask = map->mask;

    while (mask + 1 < n) {
        mask = mask * 2 + 1;
    }
    if (mask != map->mask) {
        rehash(map, mask);
    }
}

void
hmap_insert(struct hmap *map, struct hmap_node *node, uint32_t hash)
{
    struct hmap_node **bucket;

    /* At most one element per bucket on average: a lookup that finds nothing
     * then usually reads one pointer. */
    if (map->n > map->mask) {
        rehash(map, map->mask * 2 + 1);
    }
    bucket = &map->buckets[hash & map->mask];
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    map->n++;
}

void
hmap_remove(struct hmap *map, struct hmap_node *node)
{
    struct hmap_node **p = &map->buckets[node->hash & map->mask];

    while (*p != node) {
        p = &(*p)->next;
    }
    *p = node->next;
    node->next = NULL;
    map->n--;
}

static void
rehash(struct hmap *map, size_t new_mask)
{
    struct hmap_node **buckets = xcalloc(new_mask + 1, sizeof *buckets);

    for (size_t i = 0; i <= map->mask; i++) {
        struct hmap_node *node = map->buckets[i];

        while (node) {
            struct hmap_node *next = node->next;
            struct hmap_node **bucket = &buckets[node->hash & new_mask];

            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    if (map->buckets != &map->one) {
        free(map->buckets);
    }
    map->one = NULL;
    map->buckets = buckets;
    map->mask = new_mask;
}

/* 'map' has been copied from '*was', whose address its bucket pointer still
 * holds if it used the inline bucket. */
static void
fix_inline_bucket(struct hmap *map, const struct hmap *was)
{
    if (map->buckets == &was->one) {
        map->buckets = &map->one;
    }
}
