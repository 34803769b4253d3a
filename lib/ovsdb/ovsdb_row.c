/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb_row.c - reading the rows of the replica.  See ovsdb.h.
 *
 * Every accessor looks the column up and checks its type, so that a schema
 * that is older, newer or simply wrong yields defaults and nothing worse.
 */
#include "lib/ovsdb/ovsdb_private.h"

static const struct datum *find(const struct ovsdb_row *, const char *column,
                                enum atom_type key, enum atom_type value);

const struct ovsdb_row *
ovsdb_find_row(const struct ovsdb *db, const char *table_name,
               const struct uuid *uuid)
{
    const struct ovsdb_table *table = ovsdb_replica_find_table(db,
                                                               table_name);
    const struct ovsdb_row *row;

    if (table) {
        HMAP_FOR_EACH_WITH_HASH(row, node, uuid_hash(uuid, 0),
                                &table->rows) {
            if (uuid_equal(&row->uuid, uuid)) {
                return row;
            }
        }
    }
    return NULL;
}

const struct ovsdb_row *
ovsdb_first_row(const struct ovsdb *db, const char *table_name)
{
    const struct ovsdb_table *table = ovsdb_replica_find_table(db,
                                                               table_name);
    struct hmap_node *node = table ? hmap_first(&table->rows) : NULL;

    return CONTAINER_OF_OR_NULL(node, struct ovsdb_row, node);
}

const struct ovsdb_row *
ovsdb_next_row(const struct ovsdb_row *row)
{
    struct hmap_node *node = hmap_next(&row->table->rows, &row->node);

    return CONTAINER_OF_OR_NULL(node, struct ovsdb_row, node);
}

size_t
ovsdb_n_rows(const struct ovsdb *db, const char *table_name)
{
    const struct ovsdb_table *table = ovsdb_replica_find_table(db,
                                                               table_name);

    return table ? hmap_count(&table->rows) : 0;
}

const struct uuid *
ovsdb_row_uuid(const struct ovsdb_row *row)
{
    return &row->uuid;
}

const char *
ovsdb_row_table(const struct ovsdb_row *row)
{
    return row->table->name;
}

uint64_t
ovsdb_row_seqno(const struct ovsdb_row *row)
{
    return row->seqno;
}

bool
ovsdb_has_column(const struct ovsdb *db, const char *table_name,
                 const char *column_name)
{
    const struct ovsdb_table *table = ovsdb_replica_find_table(db,
                                                               table_name);
    const struct ovsdb_column *column
        = table ? ovsdb_table_find_column(table, column_name) : NULL;

    return column && column->type;
}

const char *
ovsdb_get_string(const struct ovsdb_row *row, const char *column,
                 const char *def)
{
    const struct datum *d = find(row, column, ATOM_STRING, ATOM_VOID);

    return d && d->n ? d->keys[0].string : def;
}

bool
ovsdb_get_int(const struct ovsdb_row *row, const char *column,
              int64_t *value)
{
    const struct datum *d = find(row, column, ATOM_INTEGER, ATOM_VOID);

    if (!d || !d->n) {
        return false;
    }
    *value = d->keys[0].integer;
    return true;
}

bool
ovsdb_get_bool(const struct ovsdb_row *row, const char *column, bool *value)
{
    const struct datum *d = find(row, column, ATOM_BOOLEAN, ATOM_VOID);

    if (!d || !d->n) {
        return false;
    }
    *value = d->keys[0].boolean;
    return true;
}

size_t
ovsdb_get_count(const struct ovsdb_row *row, const char *column_name)
{
    const struct ovsdb_column *column
        = ovsdb_table_find_column(row->table, column_name);

    return column && column->type ? row->data[column->index].n : 0;
}

bool
ovsdb_get_smap(const struct ovsdb_row *row, const char *column,
               struct smap *smap)
{
    const struct datum *d = find(row, column, ATOM_STRING, ATOM_STRING);

    smap_clear(smap);
    for (size_t i = 0; d && i < d->n; i++) {
        smap_set(smap, d->keys[i].string, d->values[i].string);
    }
    return d != NULL;
}

const char *
ovsdb_get_smap_value(const struct ovsdb_row *row, const char *column,
                     const char *key)
{
    const struct datum *d = find(row, column, ATOM_STRING, ATOM_STRING);

    for (size_t i = 0; d && i < d->n; i++) {
        if (!strcmp(d->keys[i].string, key)) {
            return d->values[i].string;
        }
    }
    return NULL;
}

/* The keys of a set or map of type 'key', whatever its values. */
static const struct datum *
find_keys(const struct ovsdb_row *row, const char *column_name,
          enum atom_type key)
{
    const struct ovsdb_column *column
        = ovsdb_table_find_column(row->table, column_name);

    return column && column->type && column->type->key.type == key
           ? &row->data[column->index] : NULL;
}

size_t
ovsdb_get_uuids(const struct ovsdb_row *row, const char *column,
                struct uuid **uuids, size_t *n)
{
    const struct datum *d = find_keys(row, column, ATOM_UUID);

    *n = d ? d->n : 0;
    *uuids = *n ? xcalloc(*n, sizeof **uuids) : NULL;
    for (size_t i = 0; i < *n; i++) {
        (*uuids)[i] = d->keys[i].uuid;
    }
    return *n;
}

size_t
ovsdb_get_ints(const struct ovsdb_row *row, const char *column,
               int64_t **ints, size_t *n)
{
    const struct datum *d = find_keys(row, column, ATOM_INTEGER);

    *n = d ? d->n : 0;
    *ints = *n ? xcalloc(*n, sizeof **ints) : NULL;
    for (size_t i = 0; i < *n; i++) {
        (*ints)[i] = d->keys[i].integer;
    }
    return *n;
}

size_t
ovsdb_get_strings(const struct ovsdb_row *row, const char *column,
                  const char ***strings, size_t *n)
{
    const struct datum *d = find_keys(row, column, ATOM_STRING);

    *n = d ? d->n : 0;
    *strings = *n ? xcalloc(*n, sizeof **strings) : NULL;
    for (size_t i = 0; i < *n; i++) {
        (*strings)[i] = d->keys[i].string;
    }
    return *n;
}

/* The value of a column if it has exactly the types asked for. */
static const struct datum *
find(const struct ovsdb_row *row, const char *column, enum atom_type key,
     enum atom_type value)
{
    const struct ovsdb_column *c = ovsdb_table_find_column(row->table,
                                                           column);

    return c && c->type && c->type->key.type == key
           && c->type->value.type == value ? &row->data[c->index] : NULL;
}
