/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smap.h - a map from string to string with unique keys, as the database's
 * other_config, options and external_ids columns are.
 *
 * The map owns copies of its strings.  Not locked.  Allocates: control plane.
 */
#ifndef QANAT_BASE_SMAP_H
#define QANAT_BASE_SMAP_H 1

#include "lib/base/hmap.h"

struct smap_node {
    struct hmap_node node;
    char *key;
    char *value;
};

struct smap {
    struct hmap map;
};

#define SMAP_INIT(SMAP) { HMAP_INIT(&(SMAP)->map) }

/* Walks NODE (struct smap_node *) over MAP in no particular order.  The body
 * may change NODE's value by smap_set() with the same key, but must neither
 * add nor remove; _SAFE permits to remove NODE. */
#define SMAP_FOR_EACH(NODE, MAP) HMAP_FOR_EACH(NODE, node, &(MAP)->map)
#define SMAP_FOR_EACH_SAFE(NODE, NEXT, MAP) \
    HMAP_FOR_EACH_SAFE(NODE, NEXT, node, &(MAP)->map)

void smap_init(struct smap *);
void smap_fini(struct smap *);
void smap_clear(struct smap *);
void smap_swap(struct smap *, struct smap *);

/* Initializes 'dst' as a copy of 'src'. */
void smap_clone(struct smap *dst, const struct smap *src);

/* Sets 'key' to 'value', replacing what it had.  Both are copied; 'value' may
 * be a value of this very map. */
void smap_set(struct smap *, const char *key, const char *value);
void smap_setf(struct smap *, const char *key, const char *format, ...)
    PRINTF_FORMAT(3, 4);

/* Removes 'key'; tells whether it was there. */
bool smap_remove(struct smap *, const char *key);
void smap_remove_node(struct smap *, struct smap_node *);

/* The value of 'key', or NULL (or 'def') if it is not there; valid until the
 * key is changed. */
const char *smap_get(const struct smap *, const char *key);
const char *smap_get_def(const struct smap *, const char *key,
                         const char *def);

/* The value of 'key' as a boolean.  "true" and "false" count in any case of
 * letters; everything else, and absence, is 'def'. */
bool smap_get_bool(const struct smap *, const char *key, bool def);

/* The value of 'key' as an integer, decimal or 0x hexadecimal, of the whole
 * string; 'def' if absent, ill-formed or out of range. */
int smap_get_int(const struct smap *, const char *key, int def);
uint64_t smap_get_uint64(const struct smap *, const char *key, uint64_t def);

size_t smap_count(const struct smap *);
bool smap_is_empty(const struct smap *);

/* True if both have the same keys with the same values. */
bool smap_equal(const struct smap *, const struct smap *);

/* The nodes in byte order of their keys: an array of smap_count() elements
 * that the caller frees by free(); the nodes stay the map's. */
const struct smap_node **smap_sort(const struct smap *);

/* Parses text of the form KEY=VALUE[,KEY=VALUE]..., blanks around keys and
 * values being removed, a part in double quotes taken literally with
 * backslash escapes for the quote and the backslash.  Adds to 'map'.  Returns
 * NULL, or a sentence that says what is wrong, which the caller frees; 'map'
 * is unchanged then.  For any bytes: never reads past 'len'. */
char *smap_parse(struct smap *map, const char *text, size_t len);

#endif /* QANAT_BASE_SMAP_H */
