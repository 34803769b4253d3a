/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-order.c - the order in which rows are listed.  See
 * qanat-vsctl-order.h.
 *
 * What decides the order over there: a JSON object is kept in a chained hash
 * table by MurmurHash3 of the member's name; tables and rows are taken from
 * those objects in walk order, and each row goes into its table's chained
 * hash table by the first word of its UUID.  A row that is referred to before
 * its own turn comes goes in at that time.
 */
#include "utilities/qanat-vsctl-order.h"

struct chain_node {
    struct chain_node *next;
    uint32_t hash;
    void *data;
};

/* New elements stand first in their chain.  A table is enlarged when there
 * are more than two elements per bucket, in walk order, which turns chains
 * round. */
struct chain_map {
    struct chain_node **buckets;
    size_t mask;
    size_t n;
};

/* What is put where, while rows are being arranged. */
struct arrangement {
    struct chain_map map;
    bool *is_placed;            /* By present position. */
    bool has_zero;              /* The zero UUID has its place. */
};

static void chain_map_init(struct chain_map *);
static void chain_map_fini(struct chain_map *);
static void chain_map_insert(struct chain_map *, void *data, uint32_t hash);
static void chain_map_resize(struct chain_map *, size_t mask);
static void **chain_map_walk(const struct chain_map *);
static size_t enlarged_mask(size_t n);
static const char **walk_members(const json_t *object);
static void put_row(struct arrangement arrs[], struct view_row *);
static void put_referred_rows(struct arrangement arrs[],
                              const struct view_row *);
static void put_atoms(struct arrangement arrs[], const struct view *,
                      const struct base_type *, const union atom *atoms,
                      size_t n);
static uint32_t murmur3(const char *s);
static uint32_t rotate(uint32_t x, int n);

void
order_rows(struct view *view, const json_t *table_updates)
{
    size_t n_tables = view->schema->n_tables;
    struct arrangement *arrs = xcalloc(n_tables, sizeof *arrs);
    const char **table_names = walk_members(table_updates);

    for (size_t i = 0; i < n_tables; i++) {
        chain_map_init(&arrs[i].map);
        arrs[i].is_placed = xcalloc(view->tables[i].n_order,
                                    sizeof *arrs[i].is_placed);
    }
    for (const char **name = table_names; *name; name++) {
        struct view_table *table = view_find_table(view, *name);
        const char **uuids = walk_members(json_object_get(table_updates,
                                                          *name));

        for (const char **text = uuids; table && *text; text++) {
            struct uuid uuid;
            struct view_row *row = (uuid_from_text(&uuid, *text)
                                    ? view_find_row(table, &uuid) : NULL);

            if (row) {
                put_row(arrs, row);
                put_referred_rows(arrs, row);
            }
        }
        free(uuids);
    }
    for (size_t i = 0; i < n_tables; i++) {
        struct view_table *table = &view->tables[i];
        struct view_row **rows
            = (struct view_row **) chain_map_walk(&arrs[i].map);
        size_t n = 0;

        for (size_t j = 0; j < arrs[i].map.n; j++) {
            if (rows[j]) {
                rows[j]->position = n;
                table->order[n++] = rows[j];
            }
        }
        free(rows);
        chain_map_fini(&arrs[i].map);
        free(arrs[i].is_placed);
    }
    free(table_names);
    free(arrs);
}

static void
chain_map_init(struct chain_map *map)
{
    map->buckets = xcalloc(1, sizeof *map->buckets);
    map->mask = 0;
    map->n = 0;
}

static void
chain_map_fini(struct chain_map *map)
{
    for (size_t i = 0; i <= map->mask; i++) {
        struct chain_node *node, *next;

        for (node = map->buckets[i]; node; node = next) {
            next = node->next;
            free(node);
        }
    }
    free(map->buckets);
}

static void
chain_map_insert(struct chain_map *map, void *data, uint32_t hash)
{
    struct chain_node **bucket = &map->buckets[hash & map->mask];
    struct chain_node *node = xmalloc(sizeof *node);

    *node = (struct chain_node) { *bucket, hash, data };
    *bucket = node;
    map->n++;
    if (map->n / 2 > map->mask) {
        chain_map_resize(map, enlarged_mask(map->n));
    }
}

static void
chain_map_resize(struct chain_map *map, size_t mask)
{
    struct chain_node **buckets = xcalloc(mask + 1, sizeof *buckets);

    for (size_t i = 0; i <= map->mask; i++) {
        struct chain_node *node, *next;

        for (node = map->buckets[i]; node; node = next) {
            next = node->next;
            node->next = buckets[node->hash & mask];
            buckets[node->hash & mask] = node;
        }
    }
    free(map->buckets);
    map->buckets = buckets;
    map->mask = mask;
}

/* The elements in walk order: an array of n that the caller frees. */
static void **
chain_map_walk(const struct chain_map *map)
{
    void **elements = xcalloc(map->n + 1, sizeof *elements);
    size_t n = 0;

    for (size_t i = 0; i <= map->mask; i++) {
        for (struct chain_node *node = map->buckets[i]; node;
             node = node->next) {
            elements[n++] = node->data;
        }
    }
    return elements;
}

/* One less than the number of buckets for 'n' elements: two elements each,
 * rounded up to a power of two, and not two buckets but four. */
static size_t
enlarged_mask(size_t n)
{
    size_t mask = 0;

    while (mask < n / 2) {
        mask = mask * 2 + 1;
    }
    return mask == 1 ? 3 : mask;
}

/* The names of an object's members in walk order; an array that ends with
 * NULL, which the caller frees. */
static const char **
walk_members(const json_t *object)
{
    struct chain_map map;
    const char **names;
    const char *name;
    json_t *value;

    chain_map_init(&map);
    json_object_foreach((json_t *) object, name, value) {
        chain_map_insert(&map, (void *) name, murmur3(name));
    }
    names = (const char **) chain_map_walk(&map);
    chain_map_fini(&map);
    return names;
}

static void
put_row(struct arrangement arrs[], struct view_row *row)
{
    struct arrangement *arr = &arrs[row->table->schema->index];

    if (!arr->is_placed[row->position]) {
        arr->is_placed[row->position] = true;
        chain_map_insert(&arr->map, row, row->uuid.parts[0]);
    }
}

static void
put_referred_rows(struct arrangement arrs[], const struct view_row *row)
{
    const struct schema_table *schema = row->table->schema;

    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct datum_type *type = &schema->columns[i].type;
        const struct datum *datum = &row->before[i];

        put_atoms(arrs, row->table->view, &type->key, datum->keys, datum->n);
        if (datum->values) {
            put_atoms(arrs, row->table->view, &type->value, datum->values,
                      datum->n);
        }
    }
}

static void
put_atoms(struct arrangement arrs[], const struct view *view,
          const struct base_type *base, const union atom *atoms, size_t n)
{
    struct view_table *table
        = base->ref_table ? view_find_table((struct view *) view,
                                            base->ref_table) : NULL;

    for (size_t i = 0; table && i < n; i++) {
        struct view_row *row = view_find_row(table, &atoms[i].uuid);

        if (row) {
            put_row(arrs, row);
        } else if (uuid_is_zero(&atoms[i].uuid)
                   && !arrs[table->schema->index].has_zero) {
            arrs[table->schema->index].has_zero = true;
            chain_map_insert(&arrs[table->schema->index].map, NULL, 0);
        }
    }
}

/* Austin Appleby's MurmurHash3, 32 bits, seed 0, except that a rest of less
 * than four bytes counts as a whole word. */
static uint32_t
murmur3(const char *s)
{
    size_t len = strlen(s);
    uint32_t hash = 0;

    for (size_t ofs = 0; ofs < len; ofs += 4) {
        uint32_t word = 0;

        memcpy(&word, s + ofs, MIN(4, len - ofs));
        hash ^= rotate(word * 0xcc9e2d51, 15) * 0x1b873593;
        hash = rotate(hash, 13) * 5 + 0xe6546b64;
    }
    hash ^= (uint32_t) len;
    hash = (hash ^ hash >> 16) * 0x85ebca6b;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35;
    return hash ^ hash >> 16;
}

static uint32_t
rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}
