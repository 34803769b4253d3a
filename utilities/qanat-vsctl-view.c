/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-view.c - the database as one run sees it.  See
 * qanat-vsctl-view.h.
 */
#include "utilities/qanat-vsctl-view.h"

#include "utilities/qanat-vsctl-order.h"

static struct view_table *get_table(const struct view *,
                                    const struct schema_table *);
static void table_clear(struct view_table *);
static char *load_table(struct view_table *, const json_t *updates);
static char *load_row(struct view_row *, const json_t *columns);
static struct view_row *row_create(struct view_table *, const struct uuid *);
static void row_destroy(struct view_row *);
static void append_to_order(struct view_table *, struct view_row *);
static struct view_row *skip_deleted(const struct view_table *, size_t i);

struct view *
view_create(const struct schema *schema)
{
    struct view *view = xzalloc(sizeof *view);

    view->schema = schema;
    view->tables = xcalloc(schema->n_tables, sizeof *view->tables);
    for (size_t i = 0; i < schema->n_tables; i++) {
        struct view_table *table = &view->tables[i];

        table->view = view;
        table->schema = &schema->tables[i];
        table->is_needed_column = xcalloc(table->schema->n_columns,
                                          sizeof *table->is_needed_column);
        hmap_init(&table->rows);
    }
    return view;
}

void
view_destroy(struct view *view)
{
    if (!view) {
        return;
    }
    for (size_t i = 0; i < view->schema->n_tables; i++) {
        struct view_table *table = &view->tables[i];

        table_clear(table);
        hmap_fini(&table->rows);
        free(table->is_needed_column);
        free(table->order);
    }
    free(view->tables);
    free(view);
}

void
view_need_table(struct view *view, const struct schema_table *table)
{
    get_table(view, table)->is_needed = true;
}

void
view_need_column(struct view *view, const struct schema_table *table,
                 const struct schema_column *column)
{
    view_need_table(view, table);
    get_table(view, table)->is_needed_column[column->index] = true;
}

void
view_need(struct view *view, const char *table_name, const char *column_name)
{
    const struct schema_table *table = schema_find_table(view->schema,
                                                         table_name);
    const struct schema_column *column
        = table ? schema_find_column(table, column_name) : NULL;

    if (column) {
        view_need_column(view, table, column);
    }
}

json_t *
view_make_requests(const struct view *view)
{
    json_t *requests = json_object();

    for (size_t i = 0; i < view->schema->n_tables; i++) {
        const struct view_table *table = &view->tables[i];

        if (table->is_needed) {
            json_t *columns = json_array();

            for (size_t j = 0; j < table->schema->n_columns; j++) {
                if (table->is_needed_column[j]) {
                    json_array_append_new(
                        columns,
                        json_string(table->schema->columns[j].name));
                }
            }
            json_object_set_new(requests, table->schema->name,
                                json_pack("[{so}]", "columns", columns));
        }
    }
    return requests;
}

char *
view_load(struct view *view, const json_t *table_updates)
{
    for (size_t i = 0; i < view->schema->n_tables; i++) {
        table_clear(&view->tables[i]);
    }
    for (size_t i = 0; i < view->schema->n_tables; i++) {
        struct view_table *table = &view->tables[i];
        char *error = load_table(table, json_object_get(table_updates,
                                                        table->schema->name));

        if (error) {
            char *sentence = xasprintf("the server's answer makes no sense: "
                                       "table %s: %s", table->schema->name,
                                       error);

            free(error);
            return sentence;
        }
    }
    order_rows(view, table_updates);
    return NULL;
}

struct view_table *
view_find_table(struct view *view, const char *name)
{
    const struct schema_table *schema = schema_find_table(view->schema, name);

    return schema ? get_table(view, schema) : NULL;
}

struct view_row *
view_find_row(const struct view_table *table, const struct uuid *uuid)
{
    struct view_row *row;

    HMAP_FOR_EACH_WITH_HASH(row, node, uuid_hash(uuid, 0), &table->rows) {
        if (uuid_equal(&row->uuid, uuid)) {
            return row->is_deleted ? NULL : row;
        }
    }
    return NULL;
}

struct view_row *
view_first(const struct view_table *table)
{
    return table ? skip_deleted(table, 0) : NULL;
}

struct view_row *
view_next(const struct view_row *row)
{
    return skip_deleted(row->table, row->position + 1);
}

size_t
view_count(const struct view_table *table)
{
    size_t n = 0;

    for (size_t i = 0; i < table->n_order; i++) {
        n += !table->order[i]->is_deleted;
    }
    return n;
}

const struct datum *
view_get(const struct view_row *row, const struct schema_column *column)
{
    return (row->after[column->index] ? row->after[column->index]
            : &row->before[column->index]);
}

void
view_verify(struct view_row *row, const struct schema_column *column)
{
    row->is_verified[column->index] = true;
}

void
view_write(struct view_row *row, const struct schema_column *column,
           struct datum *datum)
{
    struct datum **after = &row->after[column->index];

    if (!*after) {
        *after = xzalloc(sizeof **after);
    }
    datum_swap(*after, datum);
    datum_fini(datum, &column->type);
}

struct view_row *
view_insert(struct view_table *table, const struct uuid *uuid)
{
    struct view_row *row;
    struct uuid random;

    uuid_random(&random);
    row = row_create(table, uuid ? uuid : &random);
    row->is_new = true;
    append_to_order(table, row);
    return row;
}

void
view_delete(struct view_row *row)
{
    row->is_deleted = true;
}

static struct view_table *
get_table(const struct view *view, const struct schema_table *schema)
{
    return &view->tables[schema->index];
}

static void
table_clear(struct view_table *table)
{
    struct view_row *row, *next;

    HMAP_FOR_EACH_SAFE(row, next, node, &table->rows) {
        hmap_remove(&table->rows, &row->node);
        row_destroy(row);
    }
    table->n_order = 0;
}

static char *
load_table(struct view_table *table, const json_t *updates)
{
    const char *uuid_text;
    json_t *update;

    json_object_foreach((json_t *) updates, uuid_text, update) {
        const json_t *initial;
        struct uuid uuid;
        char *error;

        if (!uuid_from_text(&uuid, uuid_text)) {
            return xasprintf("\"%s\" is not a UUID", uuid_text);
        }
        if (view_find_row(table, &uuid)) {
            continue;
        }
        initial = json_object_get(update, "initial");
        error = load_row(row_create(table, &uuid),
                         initial ? initial : json_object_get(update, "new"));
        if (error) {
            return error;
        }
    }
    return NULL;
}

static char *
load_row(struct view_row *row, const json_t *columns)
{
    const struct schema_table *schema = row->table->schema;

    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct schema_column *column = &schema->columns[i];
        const json_t *json = json_object_get(columns, column->name);

        if (json && row->table->is_needed_column[i]) {
            struct datum datum;
            char *error = datum_from_json(&datum, &column->type, json);

            if (error) {
                char *sentence = xasprintf("column %s: %s", column->name,
                                           error);

                free(error);
                return sentence;
            }
            datum_swap(&row->before[i], &datum);
            datum_fini(&datum, &column->type);
        }
    }
    append_to_order(row->table, row);
    return NULL;
}

static struct view_row *
row_create(struct view_table *table, const struct uuid *uuid)
{
    size_t n = table->schema->n_columns;
    struct view_row *row = xzalloc(sizeof *row);

    row->table = table;
    row->uuid = *uuid;
    row->before = xcalloc(n, sizeof *row->before);
    row->after = xcalloc(n, sizeof *row->after);
    row->is_verified = xcalloc(n, sizeof *row->is_verified);
    for (size_t i = 0; i < n; i++) {
        datum_init_default(&row->before[i], &table->schema->columns[i].type);
    }
    hmap_insert(&table->rows, &row->node, uuid_hash(uuid, 0));
    return row;
}

static void
row_destroy(struct view_row *row)
{
    const struct schema_table *schema = row->table->schema;

    for (size_t i = 0; i < schema->n_columns; i++) {
        datum_fini(&row->before[i], &schema->columns[i].type);
        if (row->after[i]) {
            datum_fini(row->after[i], &schema->columns[i].type);
            free(row->after[i]);
        }
    }
    free(row->before);
    free(row->after);
    free(row->is_verified);
    free(row);
}

static void
append_to_order(struct view_table *table, struct view_row *row)
{
    if (table->n_order >= table->order_size) {
        table->order = xgrow(table->order, &table->order_size,
                             sizeof *table->order);
    }
    row->position = table->n_order;
    table->order[table->n_order++] = row;
}

static struct view_row *
skip_deleted(const struct view_table *table, size_t i)
{
    for (; i < table->n_order; i++) {
        if (!table->order[i]->is_deleted) {
            return table->order[i];
        }
    }
    return NULL;
}
