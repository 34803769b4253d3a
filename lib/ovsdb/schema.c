/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c - tables and columns of a database.  See schema.h.
 */
#include "lib/ovsdb/schema.h"

#include <ctype.h>
#include <limits.h>

static char *read_table(struct schema_table *, const char *name,
                        const json_t *);
static char *read_columns(struct schema_table *, const json_t *);
static void read_indexes(struct schema_table *, const json_t *);
static char *check_references(const struct schema *);
static char *check_reference(const struct schema *,
                             const struct schema_table *,
                             const struct schema_column *,
                             const struct base_type *);
static int compare_tables(const void *, const void *);
static int compare_columns(const void *, const void *);
static void table_fini(struct schema_table *);
static unsigned int score_name(const char *name, const char *typed);
static char *match(const char *(*get_name)(const void *, size_t i),
                   const void *aux, size_t n, const char *typed,
                   const char *what, const char *owner,
                   const char *owner_name, size_t *found);
static const char *get_table_name(const void *schema, size_t i);
static const char *get_column_name(const void *table, size_t i);

char *
schema_from_json(const json_t *json, struct schema **schemap)
{
    const json_t *tables = json_object_get(json, "tables");
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *version = json_string_value(json_object_get(json, "version"));
    struct schema *schema;
    char *error = NULL;
    const char *table_name;
    json_t *table;

    *schemap = NULL;
    if (!name || !json_is_object(tables)) {
        return xstrdup("the schema has no name or no tables");
    }
    schema = xzalloc(sizeof *schema);
    schema->name = xstrdup(name);
    schema->version = xstrdup(version ? version : "");
    schema->tables = xcalloc(json_object_size(tables),
                             sizeof *schema->tables);
    json_object_foreach((json_t *) tables, table_name, table) {
        error = read_table(&schema->tables[schema->n_tables++], table_name,
                           table);
        if (error) {
            break;
        }
    }
    if (!error) {
        qsort(schema->tables, schema->n_tables, sizeof *schema->tables,
              compare_tables);
        for (size_t i = 0; i < schema->n_tables; i++) {
            schema->tables[i].index = i;
        }
        error = check_references(schema);
    }
    if (error) {
        schema_destroy(schema);
        return error;
    }
    *schemap = schema;
    return NULL;
}

void
schema_destroy(struct schema *schema)
{
    if (schema) {
        for (size_t i = 0; i < schema->n_tables; i++) {
            table_fini(&schema->tables[i]);
        }
        free(schema->tables);
        free(schema->name);
        free(schema->version);
        free(schema);
    }
}

const struct schema_table *
schema_find_table(const struct schema *schema, const char *name)
{
    struct schema_table key = { .name = (char *) name };

    return bsearch(&key, schema->tables, schema->n_tables,
                   sizeof *schema->tables, compare_tables);
}

const struct schema_column *
schema_find_column(const struct schema_table *table, const char *name)
{
    struct schema_column key = { .name = (char *) name };

    return bsearch(&key, table->columns, table->n_columns,
                   sizeof *table->columns, compare_columns);
}

char *
schema_match_table(const struct schema *schema, const char *name,
                   const struct schema_table **table)
{
    size_t found = 0;
    char *error = match(get_table_name, schema, schema->n_tables, name,
                        "table", "database", schema->name, &found);

    *table = error ? NULL : &schema->tables[found];
    return error;
}

char *
schema_match_column(const struct schema_table *table, const char *name,
                    const struct schema_column **column)
{
    size_t found = 0;
    char *error = match(get_column_name, table, table->n_columns, name,
                        "column", "table", table->name, &found);

    *column = error ? NULL : &table->columns[found];
    return error;
}

static char *
read_table(struct schema_table *table, const char *name, const json_t *json)
{
    const json_t *columns = json_object_get(json, "columns");
    const json_t *max_rows = json_object_get(json, "maxRows");
    char *error;

    table->name = xstrdup(name);
    table->is_root = json_is_true(json_object_get(json, "isRoot"));
    table->max_rows = UINT_MAX;
    if (json_is_integer(max_rows) && json_integer_value(max_rows) > 0
        && json_integer_value(max_rows) < UINT_MAX) {
        table->max_rows = (unsigned int) json_integer_value(max_rows);
    }
    if (!json_is_object(columns)) {
        return xasprintf("table %s: no columns", name);
    }
    error = read_columns(table, columns);
    if (!error) {
        read_indexes(table, json_object_get(json, "indexes"));
    }
    return error;
}

static char *
read_columns(struct schema_table *table, const json_t *json)
{
    const char *name;
    json_t *column_json;

    table->columns = xcalloc(json_object_size(json), sizeof *table->columns);
    json_object_foreach((json_t *) json, name, column_json) {
        struct schema_column *column = &table->columns[table->n_columns];
        char *error = datum_type_from_json(
            &column->type, json_object_get(column_json, "type"));

        if (error) {
            char *sentence = xasprintf("table %s, column %s: %s",
                                       table->name, name, error);

            free(error);
            return sentence;
        }
        column->name = xstrdup(name);
        column->is_ephemeral = json_is_true(
            json_object_get(column_json, "ephemeral"));
        column->is_mutable = !json_is_false(
            json_object_get(column_json, "mutable"));
        table->n_columns++;
    }
    qsort(table->columns, table->n_columns, sizeof *table->columns,
          compare_columns);
    for (size_t i = 0; i < table->n_columns; i++) {
        table->columns[i].index = i;
    }
    return NULL;
}

/* What is not understood is left out: the server enforces indexes, they only
 * help to explain. */
static void
read_indexes(struct schema_table *table, const json_t *json)
{
    table->indexes = xcalloc(json_array_size(json), sizeof *table->indexes);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *names = json_array_get(json, i);
        char **index = xcalloc(json_array_size(names) + 1, sizeof *index);
        size_t n = 0;

        for (size_t j = 0; j < json_array_size(names); j++) {
            const char *name = json_string_value(json_array_get(names, j));

            if (name && schema_find_column(table, name)) {
                index[n++] = xstrdup(name);
            }
        }
        table->indexes[table->n_indexes++] = index;
    }
}

static char *
check_references(const struct schema *schema)
{
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct schema_table *table = &schema->tables[i];

        for (size_t j = 0; j < table->n_columns; j++) {
            const struct schema_column *column = &table->columns[j];
            char *error = check_reference(schema, table, column,
                                          &column->type.key);

            if (!error) {
                error = check_reference(schema, table, column,
                                        &column->type.value);
            }
            if (error) {
                return error;
            }
        }
    }
    return NULL;
}

static char *
check_reference(const struct schema *schema, const struct schema_table *table,
                const struct schema_column *column,
                const struct base_type *base)
{
    if (base->ref_table && !schema_find_table(schema, base->ref_table)) {
        return xasprintf("table %s, column %s: refers to a table \"%s\" that "
                         "does not exist", table->name, column->name,
                         base->ref_table);
    }
    return NULL;
}

static int
compare_tables(const void *a, const void *b)
{
    return strcmp(((const struct schema_table *) a)->name,
                  ((const struct schema_table *) b)->name);
}

static int
compare_columns(const void *a, const void *b)
{
    return strcmp(((const struct schema_column *) a)->name,
                  ((const struct schema_column *) b)->name);
}

static void
table_fini(struct schema_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        free(table->columns[i].name);
        datum_type_fini(&table->columns[i].type);
    }
    for (size_t i = 0; i < table->n_indexes; i++) {
        for (char **name = table->indexes[i]; *name; name++) {
            free(*name);
        }
        free(table->indexes[i]);
    }
    free(table->columns);
    free(table->indexes);
    free(table->name);
}

/* How well what was typed fits: UINT_MAX when it is the name, 0 when it does
 * not fit, otherwise the number of characters typed. */
static unsigned int
score_name(const char *name, const char *typed)
{
    unsigned int n;

    for (n = 0; typed[n]; n++) {
        int a = tolower((unsigned char) typed[n]);
        int b = tolower((unsigned char) name[n]);

        if ((a == '-' ? '_' : a) != b) {
            return 0;
        }
    }
    return name[n] ? n : UINT_MAX;
}

/* Finds the name that fits best.  'what' is what kind of thing is looked for,
 * 'owner' what kind of thing has it, and 'owner_name' the name of that. */
static char *
match(const char *(*get_name)(const void *, size_t i), const void *aux,
      size_t n, const char *typed, const char *what, const char *owner,
      const char *owner_name, size_t *found)
{
    struct str matches = STR_INIT;
    unsigned int best = 0;
    unsigned int n_best = 0;
    char *error = NULL;

    for (size_t i = 0; i < n; i++) {
        unsigned int score = score_name(get_name(aux, i), typed);

        if (score > best) {
            best = score;
            n_best = 0;
            str_clear(&matches);
            *found = i;
        }
        if (score && score == best) {
            str_append(&matches, n_best++ ? ", " : "");
            str_append(&matches, get_name(aux, i));
        }
    }
    if (!n_best) {
        error = xasprintf("%s %s has no %s \"%s\"", owner, owner_name, what,
                          typed);
    } else if (n_best > 1) {
        error = xasprintf("\"%s\" may be any of these %ss of %s %s: %s",
                          typed, what, owner, owner_name,
                          str_cstr(&matches));
    }
    str_fini(&matches);
    return error;
}

static const char *
get_table_name(const void *schema, size_t i)
{
    return ((const struct schema *) schema)->tables[i].name;
}

static const char *
get_column_name(const void *table, size_t i)
{
    return ((const struct schema_table *) table)->columns[i].name;
}
