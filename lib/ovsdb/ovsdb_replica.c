/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovsdb_replica.c - the tables and rows of the replica, and how updates of
 * the server change them.  See ovsdb.h.
 *
 * Two dialects: <table-updates> of RFC 7047 section 4.1.6 ("v1"), with whole
 * new rows, and <table-updates2> of ovsdb-server(7), with differences.  What
 * is ill-formed in either is skipped and logged; what contradicts the replica
 * is reported, since only a new load can set it right.
 */
#include "lib/ovsdb/ovsdb_private.h"

#include "lib/base/hash.h"
#include "lib/base/log.h"

LOG_MODULE(ovsdb);

/* What became of a row. */
enum row_change {
    ROW_SAME,
    ROW_QUIET,                  /* Only quiet columns changed. */
    ROW_CHANGED
};

static struct ovsdb_row *find_row(const struct ovsdb_table *,
                                  const struct uuid *);
static struct ovsdb_row *row_create(struct ovsdb_table *,
                                    const struct uuid *);
static void row_destroy(struct ovsdb_row *);
static void free_data(const struct ovsdb_table *, struct datum[]);
static void use_schema(struct ovsdb_replica *, struct schema *,
                       json_t *schema_json);
static void note_change(struct ovsdb_row *, enum row_change);
static enum row_change set_columns(struct ovsdb_row *, const json_t *values,
                                   bool others_are_default);
static enum row_change apply_differences(struct ovsdb_row *,
                                         const json_t *values);
static const char *for_each_row(
    struct ovsdb *, const json_t *updates, bool is_v1,
    const char *(*act)(struct ovsdb_table *, const struct uuid *,
                       const json_t *update, bool is_v1));
static const char *load_row(struct ovsdb_table *, const struct uuid *,
                            const json_t *update, bool is_v1);
static const char *check_row(struct ovsdb_table *, const struct uuid *,
                             const json_t *update, bool is_v1);
static const char *apply_row(struct ovsdb_table *, const struct uuid *,
                             const json_t *update, bool is_v1);

void
ovsdb_replica_init(struct ovsdb_replica *replica)
{
    memset(replica, 0, sizeof *replica);
    hmap_init(&replica->tables);
}

void
ovsdb_replica_fini(struct ovsdb_replica *replica)
{
    struct ovsdb_table *table, *next_table;

    HMAP_FOR_EACH_SAFE(table, next_table, node, &replica->tables) {
        struct ovsdb_row *row, *next_row;

        HMAP_FOR_EACH_SAFE(row, next_row, node, &table->rows) {
            row_destroy(row);
        }
        hmap_fini(&table->rows);
        for (size_t i = 0; i < table->n_columns; i++) {
            free(table->columns[i]->name);
            free(table->columns[i]);
        }
        free(table->columns);
        free(table->name);
        free(table);
    }
    hmap_fini(&replica->tables);
    schema_destroy(replica->schema);
    json_decref(replica->schema_json);
}

void
ovsdb_replica_add_column(struct ovsdb *db, const char *table_name,
                         const char *column_name, bool is_quiet)
{
    struct ovsdb_table *table = ovsdb_replica_find_table(db, table_name);
    struct ovsdb_column *column;

    if (!table) {
        table = xzalloc(sizeof *table);
        table->db = db;
        table->name = xstrdup(table_name);
        hmap_init(&table->rows);
        hmap_insert(&db->replica.tables, &table->node,
                    hash_string(table_name, 0));
    }
    column = ovsdb_table_find_column(table, column_name);
    if (column) {
        column->is_quiet = column->is_quiet && is_quiet;
        return;
    }
    column = xzalloc(sizeof *column);
    column->name = xstrdup(column_name);
    column->index = table->n_columns;
    column->is_quiet = is_quiet;
    if (table->n_columns >= table->columns_size) {
        table->columns = xgrow(table->columns, &table->columns_size,
                               sizeof *table->columns);
    }
    table->columns[table->n_columns++] = column;
}

struct ovsdb_table *
ovsdb_replica_find_table(const struct ovsdb *db, const char *name)
{
    struct ovsdb_table *table;

    HMAP_FOR_EACH_WITH_HASH(table, node, hash_string(name, 0),
                            &db->replica.tables) {
        if (!strcmp(table->name, name)) {
            return table;
        }
    }
    return NULL;
}

struct ovsdb_column *
ovsdb_table_find_column(const struct ovsdb_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (!strcmp(table->columns[i]->name, name)) {
            return table->columns[i];
        }
    }
    return NULL;
}

json_t *
ovsdb_replica_monitor_requests(struct ovsdb *db, const struct schema *schema)
{
    json_t *requests = json_object();
    const struct ovsdb_table *table;

    HMAP_FOR_EACH(table, node, &db->replica.tables) {
        const struct schema_table *st = schema_find_table(schema,
                                                          table->name);
        json_t *columns;

        if (!st) {
            log_info("%s: the schema has no table %s", db->db_name,
                     table->name);
            continue;
        }
        columns = json_array();
        for (size_t i = 0; i < table->n_columns; i++) {
            const char *name = table->columns[i]->name;

            if (schema_find_column(st, name)) {
                json_array_append_new(columns, json_string(name));
            } else {
                log_info("%s: the schema has no column %s in table %s",
                         db->db_name, name, table->name);
            }
        }
        json_object_set_new(requests, table->name,
                            json_pack("[{s:o}]", "columns", columns));
    }
    return requests;
}

void
ovsdb_replica_load(struct ovsdb *db, struct schema *schema,
                   json_t *schema_json, const json_t *updates, bool is_v1)
{
    struct ovsdb_table *table;

    use_schema(&db->replica, schema, schema_json);
    HMAP_FOR_EACH(table, node, &db->replica.tables) {
        struct ovsdb_row *row;

        HMAP_FOR_EACH(row, node, &table->rows) {
            row->is_fresh = false;
        }
    }
    for_each_row(db, updates, is_v1, load_row);
    HMAP_FOR_EACH(table, node, &db->replica.tables) {
        struct ovsdb_row *row, *next;

        HMAP_FOR_EACH_SAFE(row, next, node, &table->rows) {
            if (!row->is_fresh) {
                row_destroy(row);
                db->replica.has_changed = true;
            }
        }
    }
}

const char *
ovsdb_replica_update(struct ovsdb *db, const json_t *updates, bool is_v1)
{
    /* All or nothing: half an update would show a state that the database
     * never had. */
    const char *problem = for_each_row(db, updates, is_v1, check_row);

    if (!problem) {
        for_each_row(db, updates, is_v1, apply_row);
    }
    return problem;
}

bool
ovsdb_replica_commit(struct ovsdb_replica *replica)
{
    if (!replica->has_changed) {
        return false;
    }
    replica->has_changed = false;
    replica->seqno++;
    return true;
}

static struct ovsdb_row *
find_row(const struct ovsdb_table *table, const struct uuid *uuid)
{
    struct ovsdb_row *row;

    HMAP_FOR_EACH_WITH_HASH(row, node, uuid_hash(uuid, 0), &table->rows) {
        if (uuid_equal(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

static struct ovsdb_row *
row_create(struct ovsdb_table *table, const struct uuid *uuid)
{
    struct ovsdb_row *row
        = xzalloc(sizeof *row + table->n_columns * sizeof row->data[0]);

    row->table = table;
    row->uuid = *uuid;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i]->type) {
            datum_init_default(&row->data[i], table->columns[i]->type);
        }
    }
    hmap_insert(&table->rows, &row->node, uuid_hash(uuid, 0));
    return row;
}

static void
row_destroy(struct ovsdb_row *row)
{
    hmap_remove(&row->table->rows, &row->node);
    free_data(row->table, row->data);
    free(row);
}

static void
free_data(const struct ovsdb_table *table, struct datum data[])
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i]->type) {
            datum_fini(&data[i], table->columns[i]->type);
        }
        memset(&data[i], 0, sizeof data[i]);
    }
}

/* Changes over to another schema.  An equal one is simply dropped, so that a
 * reconnect to the same database leaves rows as they are. */
static void
use_schema(struct ovsdb_replica *replica, struct schema *schema,
           json_t *schema_json)
{
    struct ovsdb_table *table;
    struct ovsdb_row *row;

    if (replica->schema_json
        && json_equal(replica->schema_json, schema_json)) {
        schema_destroy(schema);
        return;
    }
    HMAP_FOR_EACH(table, node, &replica->tables) {
        const struct schema_table *st = schema_find_table(schema,
                                                          table->name);

        HMAP_FOR_EACH(row, node, &table->rows) {
            free_data(table, row->data);
            note_change(row, ROW_CHANGED);
        }
        table->is_in_schema = st != NULL;
        for (size_t i = 0; i < table->n_columns; i++) {
            const struct schema_column *sc
                = st ? schema_find_column(st, table->columns[i]->name)
                     : NULL;

            table->columns[i]->type = sc ? &sc->type : NULL;
        }
        HMAP_FOR_EACH(row, node, &table->rows) {
            for (size_t i = 0; i < table->n_columns; i++) {
                if (table->columns[i]->type) {
                    datum_init_default(&row->data[i],
                                       table->columns[i]->type);
                }
            }
        }
    }
    schema_destroy(replica->schema);
    json_decref(replica->schema_json);
    replica->schema = schema;
    replica->schema_json = json_incref(schema_json);
    replica->has_changed = true;
}

static void
note_change(struct ovsdb_row *row, enum row_change change)
{
    struct ovsdb_replica *replica = &row->table->db->replica;

    if (change == ROW_CHANGED) {
        row->seqno = replica->seqno + 1;
        replica->has_changed = true;
    }
}

/* Reads the value of 'column' from 'values' into '*datum'.  Returns false if
 * it is not there or makes no sense. */
static bool
read_column(const struct ovsdb_row *row, const struct ovsdb_column *column,
            const json_t *values, struct datum *datum)
{
    const json_t *json = json_object_get(values, column->name);
    char *error;

    if (!json || !column->type) {
        return false;
    }
    error = datum_from_json(datum, column->type, json);
    if (error) {
        char text[UUID_LEN + 1];

        uuid_to_text(&row->uuid, text);
        log_warn_rl("table %s, row %s, column %s: ignored (%s)",
                    row->table->name, text, column->name, error);
        free(error);
        return false;
    }
    return true;
}

static enum row_change
column_change(const struct ovsdb_column *column, enum row_change so_far)
{
    return MAX(so_far, column->is_quiet ? ROW_QUIET : ROW_CHANGED);
}

static enum row_change
set_columns(struct ovsdb_row *row, const json_t *values,
            bool others_are_default)
{
    const struct ovsdb_table *table = row->table;
    enum row_change change = ROW_SAME;

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ovsdb_column *column = table->columns[i];
        struct datum datum;

        if (!column->type) {
            continue;
        } else if (!read_column(row, column, values, &datum)) {
            if (!others_are_default) {
                continue;
            }
            datum_init_default(&datum, column->type);
        }
        if (!datum_equal(&datum, &row->data[i], column->type)) {
            datum_swap(&datum, &row->data[i]);
            change = column_change(column, change);
        }
        datum_fini(&datum, column->type);
    }
    return change;
}

/* Changes 'datum' by 'diff': what is in both goes, what is in one stays; of a
 * key with two values the one in 'diff' counts. */
static void
apply_difference(struct datum *datum, const struct datum *diff,
                 const struct datum_type *type)
{
    for (size_t i = 0; i < diff->n; i++) {
        const union atom *key = &diff->keys[i];
        size_t at = datum_find(datum, key, type);
        bool is_map = datum_type_is_map(type);

        if (at != DATUM_NOT_FOUND
            && (!is_map || !atom_compare(&datum->values[at],
                                         &diff->values[i],
                                         type->value.type))) {
            datum_remove_at(datum, at, type);
        } else {
            datum_put(datum, key, is_map ? &diff->values[i] : NULL, type);
        }
    }
}

static enum row_change
apply_differences(struct ovsdb_row *row, const json_t *values)
{
    const struct ovsdb_table *table = row->table;
    enum row_change change = ROW_SAME;

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ovsdb_column *column = table->columns[i];
        struct datum datum;

        if (!read_column(row, column, values, &datum)) {
            continue;
        }
        if (column->type->n_max > 1) {
            if (datum.n) {
                apply_difference(&row->data[i], &datum, column->type);
                change = column_change(column, change);
            }
        } else if (!datum_equal(&datum, &row->data[i], column->type)) {
            datum_swap(&datum, &row->data[i]);
            change = column_change(column, change);
        }
        datum_fini(&datum, column->type);
    }
    return change;
}

/* What an update says of one row. */
enum row_action {
    ROW_PUT,                    /* The whole new row. */
    ROW_MODIFY,                 /* What differs, or the changed columns. */
    ROW_DELETE,
    ROW_NOTHING
};

/* Reads <row-update> of RFC 7047 or <row-update2>, as far as it is the same
 * for all tables.  Stores the columns in '*values'. */
static enum row_action
read_row_update(const json_t *update, bool is_v1, const json_t **values)
{
    if (is_v1) {
        bool has_old = json_is_object(json_object_get(update, "old"));

        *values = json_object_get(update, "new");
        return json_is_object(*values) ? (has_old ? ROW_MODIFY : ROW_PUT)
               : has_old ? ROW_DELETE : ROW_NOTHING;
    }
    if ((*values = json_object_get(update, "initial"))
        || (*values = json_object_get(update, "insert"))) {
        return ROW_PUT;
    } else if ((*values = json_object_get(update, "modify"))) {
        return ROW_MODIFY;
    }
    return json_object_get(update, "delete") ? ROW_DELETE : ROW_NOTHING;
}

/* Makes the row 'uuid' have 'values', and all else default. */
static void
put_row(struct ovsdb_table *table, const struct uuid *uuid,
        const json_t *values)
{
    struct ovsdb_row *row = find_row(table, uuid);

    if (!row) {
        row = row_create(table, uuid);
        note_change(row, ROW_CHANGED);
    }
    row->is_fresh = true;
    note_change(row, set_columns(row, values, true));
}

static const char *
load_row(struct ovsdb_table *table, const struct uuid *uuid,
         const json_t *update, bool is_v1)
{
    const json_t *values;

    if (read_row_update(update, is_v1, &values) == ROW_PUT) {
        put_row(table, uuid, values);
    } else {
        log_warn_rl("table %s: ignored a row without content", table->name);
    }
    return NULL;
}

static const char *
check_row(struct ovsdb_table *table, const struct uuid *uuid,
          const json_t *update, bool is_v1)
{
    const json_t *values;
    enum row_action action = read_row_update(update, is_v1, &values);
    bool exists = find_row(table, uuid) != NULL;

    return action == ROW_PUT && exists ? "a row that exists was inserted"
           : action == ROW_MODIFY && !exists
           ? "a row that does not exist was modified"
           : action == ROW_DELETE && !exists
           ? "a row that does not exist was deleted" : NULL;
}

static const char *
apply_row(struct ovsdb_table *table, const struct uuid *uuid,
          const json_t *update, bool is_v1)
{
    const json_t *values;
    struct ovsdb_row *row;

    switch (read_row_update(update, is_v1, &values)) {
    case ROW_PUT:
        put_row(table, uuid, values);
        break;
    case ROW_MODIFY:
        row = find_row(table, uuid);
        note_change(row, is_v1 ? set_columns(row, values, false)
                               : apply_differences(row, values));
        break;
    case ROW_DELETE:
        row_destroy(find_row(table, uuid));
        table->db->replica.has_changed = true;
        break;
    case ROW_NOTHING:
        log_warn_rl("table %s: ignored an update that says nothing",
                    table->name);
        break;
    }
    return NULL;
}

/* Calls 'act' for each row in 'updates' until it returns something. */
static const char *
for_each_row(struct ovsdb *db, const json_t *updates, bool is_v1,
             const char *(*act)(struct ovsdb_table *, const struct uuid *,
                                const json_t *, bool))
{
    const char *table_name;
    json_t *table_update;

    json_object_foreach((json_t *) updates, table_name, table_update) {
        struct ovsdb_table *table = ovsdb_replica_find_table(db, table_name);
        const char *uuid_text;
        json_t *row_update;

        if (!table || !table->is_in_schema) {
            log_warn_rl("ignored an update of table \"%.64s\"", table_name);
            continue;
        }
        json_object_foreach(table_update, uuid_text, row_update) {
            struct uuid uuid;
            const char *problem;

            if (!uuid_from_text(&uuid, uuid_text)) {
                log_warn_rl("table %s: ignored a row with the bad name "
                            "\"%.64s\"", table->name, uuid_text);
                continue;
            }
            problem = act(table, &uuid, row_update, is_v1);
            if (problem) {
                return problem;
            }
        }
    }
    return NULL;
}
