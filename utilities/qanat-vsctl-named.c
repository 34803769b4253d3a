/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-named.c - reading and changing columns of a view by their names
 * and as plain values, for commands that know the tables of a switch.  See
 * qanat-vsctl-view.h.
 *
 * The schema is the server's and may be of another version: what is not there
 * or of another type reads as the default and is not written.
 */
#include "utilities/qanat-vsctl-view.h"

static const struct schema_column *find_column(const struct view_row *,
                                               const char *name);
static const struct schema_column *find_typed(const struct view_row *,
                                              const char *name,
                                              enum atom_type key,
                                              enum atom_type value);
static const struct datum *get_named(const struct view_row *,
                                     const char *column,
                                     const struct schema_column **);
static void write_atom(struct view_row *, const char *column,
                       enum atom_type, union atom *);
static void put_element(struct view_row *, const struct schema_column *,
                        const union atom *key, const union atom *value);
static void remove_element(struct view_row *, const struct schema_column *,
                           const union atom *key);
static const union atom *get_atoms(const struct view_row *,
                                   const char *column, size_t *n,
                                   const char **ref_table);

const char *
view_get_string(const struct view_row *row, const char *column_name,
                const char *def)
{
    const struct schema_column *column;
    const struct datum *datum = get_named(row, column_name, &column);

    return (datum && datum->n && column->type.key.type == ATOM_STRING
            ? datum->keys[0].string : def);
}

int64_t
view_get_integer(const struct view_row *row, const char *column_name,
                 int64_t def)
{
    const struct schema_column *column;
    const struct datum *datum = get_named(row, column_name, &column);

    return (datum && datum->n && column->type.key.type == ATOM_INTEGER
            ? datum->keys[0].integer : def);
}

bool
view_get_boolean(const struct view_row *row, const char *column_name)
{
    const struct schema_column *column;
    const struct datum *datum = get_named(row, column_name, &column);

    return (datum && datum->n && column->type.key.type == ATOM_BOOLEAN
            && datum->keys[0].boolean);
}

const char *
view_get_key(const struct view_row *row, const char *column_name,
             const char *key)
{
    const struct datum *datum = view_get_map(row, column_name);
    union atom atom = { .string = (char *) key };
    size_t i;

    if (!datum) {
        return NULL;
    }
    i = datum_find(datum, &atom,
                   &find_column(row, column_name)->type);
    return i != DATUM_NOT_FOUND ? datum->values[i].string : NULL;
}

const struct datum *
view_get_map(const struct view_row *row, const char *column_name)
{
    const struct schema_column *column = find_typed(row, column_name,
                                                    ATOM_STRING, ATOM_STRING);

    return column ? view_get(row, column) : NULL;
}

struct view_row *
view_get_ref(const struct view_row *row, const char *column, size_t i)
{
    const char *ref_table = NULL;
    size_t n;
    const union atom *atoms = get_atoms(row, column, &n, &ref_table);
    struct view_table *table;

    if (i >= n) {
        return NULL;
    }
    table = view_find_table(row->table->view, ref_table);
    return table ? view_find_row(table, &atoms[i].uuid) : NULL;
}

size_t
view_count_refs(const struct view_row *row, const char *column)
{
    const char *ref_table;
    size_t n;

    get_atoms(row, column, &n, &ref_table);
    return n;
}

void
view_verify_name(struct view_row *row, const char *column_name)
{
    const struct schema_column *column = find_column(row, column_name);

    if (column) {
        view_verify(row, column);
    }
}

void
view_set_string(struct view_row *row, const char *column, const char *value)
{
    union atom atom = { .string = (char *) value };

    write_atom(row, column, ATOM_STRING, &atom);
}

void
view_set_integer(struct view_row *row, const char *column, int64_t value)
{
    union atom atom = { .integer = value };

    write_atom(row, column, ATOM_INTEGER, &atom);
}

void
view_set_boolean(struct view_row *row, const char *column, bool value)
{
    union atom atom = { .boolean = value };

    write_atom(row, column, ATOM_BOOLEAN, &atom);
}

void
view_set_key(struct view_row *row, const char *column, const char *key,
             const char *value)
{
    union atom key_atom = { .string = (char *) key };
    union atom value_atom = { .string = (char *) value };

    put_element(row, find_typed(row, column, ATOM_STRING, ATOM_STRING),
                &key_atom, &value_atom);
}

void
view_remove_key(struct view_row *row, const char *column, const char *key)
{
    union atom atom = { .string = (char *) key };

    remove_element(row, find_typed(row, column, ATOM_STRING, ATOM_STRING),
                   &atom);
}

void
view_add_ref(struct view_row *row, const char *column,
             const struct view_row *target)
{
    union atom atom = { .uuid = target->uuid };

    put_element(row, find_typed(row, column, ATOM_UUID, ATOM_VOID), &atom,
                NULL);
}

void
view_remove_ref(struct view_row *row, const char *column,
                const struct view_row *target)
{
    union atom atom = { .uuid = target->uuid };

    remove_element(row, find_typed(row, column, ATOM_UUID, ATOM_VOID),
                   &atom);
}

void
view_clear(struct view_row *row, const char *column_name)
{
    const struct schema_column *column = find_column(row, column_name);

    if (column && !column->type.n_min) {
        struct datum datum = DATUM_INIT;

        view_write(row, column, &datum);
    }
}

static const struct schema_column *
find_column(const struct view_row *row, const char *name)
{
    return schema_find_column(row->table->schema, name);
}

/* NULL also if the column is not of these types, which a server of another
 * kind may have. */
static const struct schema_column *
find_typed(const struct view_row *row, const char *name, enum atom_type key,
           enum atom_type value)
{
    const struct schema_column *column = find_column(row, name);

    return (column && column->type.key.type == key
            && column->type.value.type == value ? column : NULL);
}

static const struct datum *
get_named(const struct view_row *row, const char *column_name,
          const struct schema_column **column)
{
    *column = find_column(row, column_name);
    return *column ? view_get(row, *column) : NULL;
}

/* Makes the column a set of just the atom, which stays the caller's. */
static void
write_atom(struct view_row *row, const char *column_name,
           enum atom_type type, union atom *atom)
{
    const struct schema_column *column = find_typed(row, column_name, type,
                                                    ATOM_VOID);

    if (column) {
        struct datum datum = DATUM_INIT;

        datum_put(&datum, atom, NULL, &column->type);
        view_write(row, column, &datum);
    }
}

/* Adds to a set or map.  'column' may be NULL: nothing is done. */
static void
put_element(struct view_row *row, const struct schema_column *column,
            const union atom *key, const union atom *value)
{
    struct datum datum;

    if (column) {
        datum_clone(&datum, view_get(row, column), &column->type);
        /* A new row's column that must not be empty holds a placeholder. */
        if (row->is_new && datum_is_default(&datum, &column->type)) {
            datum_fini(&datum, &column->type);
        }
        datum_put(&datum, key, value, &column->type);
        view_write(row, column, &datum);
    }
}

static void
remove_element(struct view_row *row, const struct schema_column *column,
               const union atom *key)
{
    size_t i = (column ? datum_find(view_get(row, column), key, &column->type)
                : DATUM_NOT_FOUND);
    struct datum datum;

    if (i != DATUM_NOT_FOUND) {
        datum_clone(&datum, view_get(row, column), &column->type);
        datum_remove_at(&datum, i, &column->type);
        view_write(row, column, &datum);
    }
}

/* The atoms of a column that are references, and the table they refer to. */
static const union atom *
get_atoms(const struct view_row *row, const char *column_name, size_t *n,
          const char **ref_table)
{
    const struct schema_column *column;
    const struct datum *datum = get_named(row, column_name, &column);

    *n = datum ? datum->n : 0;
    if (datum && column->type.value.ref_table) {
        *ref_table = column->type.value.ref_table;
        return datum->values;
    } else if (datum && column->type.key.ref_table) {
        *ref_table = column->type.key.ref_table;
        return datum->keys;
    }
    *n = 0;
    return NULL;
}
