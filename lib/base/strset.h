/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strset.h - a set of strings.
 *
 * The set owns copies of its strings.  Not locked.  Allocates: control plane.
 */
#ifndef QANAT_BASE_STRSET_H
#define QANAT_BASE_STRSET_H 1

#include "lib/base/hmap.h"

struct strset_node {
    struct hmap_node node;
    char name[];
};

struct strset {
    struct hmap map;
};

#define STRSET_INIT(SET) { HMAP_INIT(&(SET)->map) }

/* Walks NAME (const char *) over SET in no particular order.  The body must
 * neither add nor remove.  NAME is NULL after a walk not broken off. */
#define STRSET_FOR_EACH(NAME, SET)                                          \
    for (struct hmap_node *UNIQUE_NAME(it_) = hmap_first(&(SET)->map);      \
         ((NAME) = UNIQUE_NAME(it_)                                         \
                   ? CONTAINER_OF(UNIQUE_NAME(it_), struct strset_node,     \
                                  node)->name                               \
                   : NULL) != NULL;                                         \
         UNIQUE_NAME(it_) = hmap_next(&(SET)->map, UNIQUE_NAME(it_)))

void strset_init(struct strset *);
void strset_fini(struct strset *);
void strset_clear(struct strset *);
void strset_swap(struct strset *, struct strset *);

/* Initializes 'dst' as a copy of 'src'. */
void strset_clone(struct strset *dst, const struct strset *src);

/* Adds a copy of 'name'; false if it was there already. */
bool strset_add(struct strset *, const char *name);

/* Removes 'name'; false if it was not there. */
bool strset_remove(struct strset *, const char *name);

bool strset_contains(const struct strset *, const char *name);
size_t strset_count(const struct strset *);
bool strset_is_empty(const struct strset *);
bool strset_equal(const struct strset *, const struct strset *);

/* The names in byte order: an array of strset_count() elements that the
 * caller frees by free(); the names stay the set's. */
const char **strset_sort(const struct strset *);

#endif /* QANAT_BASE_STRSET_H */
