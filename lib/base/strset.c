/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strset.c - see strset.h.
 */
#include "lib/base/strset.h"

#include "lib/base/hash.h"

static struct strset_node *find(const struct strset *, const char *name);
static int compare_names(const void *, const void *);

void
strset_init(struct strset *set)
{
    hmap_init(&set->map);
}

void
strset_fini(struct strset *set)
{
    strset_clear(set);
    hmap_fini(&set->map);
}

void
strset_clear(struct strset *set)
{
    struct strset_node *node, *next;

    HMAP_FOR_EACH_SAFE(node, next, node, &set->map) {
        free(node);
    }
    hmap_clear(&set->map);
}

void
strset_swap(struct strset *a, struct strset *b)
{
    hmap_swap(&a->map, &b->map);
}

void
strset_clone(struct strset *dst, const struct strset *src)
{
    const char *name;

    strset_init(dst);
    hmap_reserve(&dst->map, hmap_count(&src->map));
    STRSET_FOR_EACH(name, src) {
        strset_add(dst, name);
    }
}

bool
strset_add(struct strset *set, const char *name)
{
    struct strset_node *node;
    size_t size;

    if (find(set, name)) {
        return false;
    }
    size = strlen(name) + 1;
    node = xmalloc(sizeof *node + size);
    memcpy(node->name, name, size);
    hmap_insert(&set->map, &node->node, hash_string(name, 0));
    return true;
}

bool
strset_remove(struct strset *set, const char *name)
{
    struct strset_node *node = find(set, name);

    if (node) {
        hmap_remove(&set->map, &node->node);
        free(node);
    }
    return node != NULL;
}

bool
strset_contains(const struct strset *set, const char *name)
{
    return find(set, name) != NULL;
}

size_t
strset_count(const struct strset *set)
{
    return hmap_count(&set->map);
}

bool
strset_is_empty(const struct strset *set)
{
    return hmap_is_empty(&set->map);
}

bool
strset_equal(const struct strset *a, const struct strset *b)
{
    const char *name;

    if (strset_count(a) != strset_count(b)) {
        return false;
    }
    STRSET_FOR_EACH(name, a) {
        if (!strset_contains(b, name)) {
            return false;
        }
    }
    return true;
}

const char **
strset_sort(const struct strset *set)
{
    const char **names = xcalloc(strset_count(set), sizeof *names);
    const char *name;
    size_t n = 0;

    STRSET_FOR_EACH(name, set) {
        names[n++] = name;
    }
    qsort(names, n, sizeof *names, compare_names);
    return names;
}

static struct strset_node *
find(const struct strset *set, const char *name)
{
    struct strset_node *node;

    HMAP_FOR_EACH_WITH_HASH(node, node, hash_string(name, 0), &set->map) {
        if (!strcmp(node->name, name)) {
            return node;
        }
    }
    return NULL;
}

static int
compare_names(const void *a_, const void *b_)
{
    const char *const *a = a_;
    const char *const *b = b_;

    return strcmp(*a, *b);
}
