/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-txn.c - the changes of a view as one transaction.  See
 * qanat-vsctl-txn.h.
 */
#include "utilities/qanat-vsctl-txn.h"

#define DATABASE "Open_vSwitch"

static bool is_written(const struct view_row *,
                       const struct schema_column *);
static bool is_changed(const struct view_row *);
static bool has_changes(const struct view *);
static void add_wait(json_t *ops, const struct view_row *);
static void add_change(struct txn *, json_t *ops, const struct view_row *);
static void add_insert(struct txn *, json_t *ops, const struct view_row *);
static void add_increment(struct txn *, json_t *ops, const struct view_row *);
static json_t *written_columns(const struct view_row *);
static json_t *make_where(const struct view_row *);
static json_t *make_value(const struct view *, const struct datum *,
                          const struct datum_type *);
static json_t *make_atom(const struct view *, const union atom *,
                         const struct base_type *);
static json_t *make_row_name(const struct uuid *);

void
txn_init(struct txn *txn, struct view *view, const struct view_row *root,
         bool increment, const char *comment)
{
    json_t *ops;

    *txn = (struct txn) { .params = NULL };
    if (!has_changes(view)) {
        return;
    }
    ops = json_pack("[s]", DATABASE);
    for (size_t i = 0; i < view->schema->n_tables; i++) {
        const struct view_table *table = &view->tables[i];

        for (size_t j = 0; j < table->n_order; j++) {
            add_wait(ops, table->order[j]);
        }
    }
    for (size_t i = 0; i < view->schema->n_tables; i++) {
        const struct view_table *table = &view->tables[i];

        for (size_t j = 0; j < table->n_order; j++) {
            add_change(txn, ops, table->order[j]);
        }
    }
    if (increment) {
        add_increment(txn, ops, root);
    }
    json_array_append_new(ops, json_pack("{ssss}", "op", "comment",
                                         "comment", comment));
    txn->params = ops;
}

void
txn_fini(struct txn *txn)
{
    json_decref(txn->params);
    free(txn->inserts);
}

enum txn_result
txn_read_answer(struct txn *txn, const json_t *results, char **error)
{
    *error = NULL;
    /* The first failure counts.  What is behind it is null, and a failure of
     * the whole stands in an element of its own at the end. */
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const char *why = json_string_value(json_object_get(result,
                                                            "error"));
        const char *details = json_string_value(json_object_get(result,
                                                                "details"));

        if (why && !strcmp(why, "timed out")) {
            return TXN_AGAIN;
        } else if (why) {
            *error = xasprintf("the database refuses the change: %s%s%s",
                               why, details ? ": " : "",
                               details ? details : "");
            return TXN_REFUSED;
        }
    }
    for (size_t i = 0; i < txn->n_inserts; i++) {
        struct txn_insert *insert = &txn->inserts[i];
        const json_t *uuid = json_object_get(
            json_array_get(results, insert->op_index), "uuid");
        union atom atom;
        char *bad = atom_from_json(&atom, ATOM_UUID, uuid);

        if (!bad) {
            insert->real_uuid = atom.uuid;
        }
        free(bad);
    }
    if (txn->select_index) {
        const json_t *rows = json_object_get(
            json_array_get(results, txn->select_index), "rows");

        txn->next_cfg = json_integer_value(
            json_object_get(json_array_get(rows, 0), "next_cfg"));
    }
    return TXN_DONE;
}

const struct uuid *
txn_get_real_uuid(const struct txn *txn, const struct uuid *uuid)
{
    for (size_t i = 0; i < txn->n_inserts; i++) {
        if (uuid_equal(&txn->inserts[i].row->uuid, uuid)) {
            return &txn->inserts[i].real_uuid;
        }
    }
    return uuid;
}

/* Whether the row's column will differ from what it is in the database (for a
 * new row: from the default). */
static bool
is_written(const struct view_row *row, const struct schema_column *column)
{
    const struct datum *after = row->after[column->index];

    return after && !datum_equal(after, &row->before[column->index],
                                 &column->type);
}

/* Rows outside the root set are not deleted by us but by the server, once
 * nothing refers to them; if something still does, they stay. */
static bool
is_changed(const struct view_row *row)
{
    const struct schema_table *schema = row->table->schema;

    if (row->is_deleted) {
        return schema->is_root && !row->is_new;
    } else if (row->is_new) {
        return true;
    }
    for (size_t i = 0; i < schema->n_columns; i++) {
        if (is_written(row, &schema->columns[i])) {
            return true;
        }
    }
    return false;
}

static bool
has_changes(const struct view *view)
{
    for (size_t i = 0; i < view->schema->n_tables; i++) {
        const struct view_table *table = &view->tables[i];

        for (size_t j = 0; j < table->n_order; j++) {
            if (is_changed(table->order[j])) {
                return true;
            }
        }
    }
    return false;
}

/* Adds the check that the row has what was read from it.  A row that is
 * changed must at least exist: an update of nothing would succeed. */
static void
add_wait(json_t *ops, const struct view_row *row)
{
    const struct schema_table *schema = row->table->schema;
    json_t *columns = json_array();
    json_t *values = json_object();

    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct schema_column *column = &schema->columns[i];

        if (row->is_verified[i]) {
            json_array_append_new(columns, json_string(column->name));
            json_object_set_new(values, column->name,
                                datum_to_json(&row->before[i],
                                              &column->type));
        }
    }
    if (!json_array_size(columns) && is_changed(row) && !row->is_deleted) {
        union atom atom = { .uuid = row->uuid };

        json_array_append_new(columns, json_string("_uuid"));
        json_object_set_new(values, "_uuid", atom_to_json(&atom, ATOM_UUID));
    }
    if (row->is_new || !json_array_size(columns)) {
        json_decref(columns);
        json_decref(values);
        return;
    }
    json_array_append_new(
        ops, json_pack("{sssssisososss[o]}", "op", "wait",
                       "table", schema->name, "timeout", 0,
                       "where", make_where(row), "columns", columns,
                       "until", "==", "rows", values));
}

static void
add_change(struct txn *txn, json_t *ops, const struct view_row *row)
{
    if (!is_changed(row)) {
        return;
    } else if (row->is_new) {
        add_insert(txn, ops, row);
    } else if (row->is_deleted) {
        json_array_append_new(ops, json_pack("{ssssso}", "op", "delete",
                                             "table",
                                             row->table->schema->name,
                                             "where", make_where(row)));
    } else {
        json_array_append_new(ops, json_pack("{sssssoso}", "op", "update",
                                             "table",
                                             row->table->schema->name,
                                             "where", make_where(row),
                                             "row", written_columns(row)));
    }
}

static void
add_insert(struct txn *txn, json_t *ops, const struct view_row *row)
{
    json_t *op = json_pack("{ssssso}", "op", "insert", "table",
                           row->table->schema->name, "row",
                           written_columns(row));

    if (row->has_fixed_uuid) {
        char text[UUID_LEN + 1];

        uuid_to_text(&row->uuid, text);
        json_object_set_new(op, "uuid", json_string(text));
    } else {
        json_object_set_new(op, "uuid-name", make_row_name(&row->uuid));
    }

    if (txn->n_inserts >= txn->inserts_size) {
        txn->inserts = xgrow(txn->inserts, &txn->inserts_size,
                             sizeof *txn->inserts);
    }
    /* Results are counted without the database's name, which is first. */
    txn->inserts[txn->n_inserts++] = (struct txn_insert) {
        .row = row,
        .op_index = json_array_size(ops) - 1,
        .real_uuid = row->uuid,
    };
    json_array_append_new(ops, op);
}

static void
add_increment(struct txn *txn, json_t *ops, const struct view_row *root)
{
    json_t *where;

    if (root->is_new) {
        where = json_pack("[[ss[so]]]", "_uuid", "==", "named-uuid",
                          make_row_name(&root->uuid));
    } else {
        where = make_where(root);
    }
    json_array_append_new(
        ops, json_pack("{sssssOs[[ssi]]}", "op", "mutate", "table", DATABASE,
                       "where", where, "mutations", "next_cfg", "+=", 1));
    txn->select_index = json_array_size(ops) - 1;
    json_array_append_new(
        ops, json_pack("{sssssos[s]}", "op", "select", "table", DATABASE,
                       "where", where, "columns", "next_cfg"));
}

static json_t *
written_columns(const struct view_row *row)
{
    const struct schema_table *schema = row->table->schema;
    json_t *columns = json_object();

    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct schema_column *column = &schema->columns[i];

        if (is_written(row, column)) {
            json_object_set_new(columns, column->name,
                                make_value(row->table->view, row->after[i],
                                           &column->type));
        }
    }
    return columns;
}

static json_t *
make_where(const struct view_row *row)
{
    union atom atom = { .uuid = row->uuid };

    return json_pack("[[sso]]", "_uuid", "==",
                     atom_to_json(&atom, ATOM_UUID));
}

/* As datum_to_json(), but with names instead of UUIDs of new rows. */
static json_t *
make_value(const struct view *view, const struct datum *datum,
           const struct datum_type *type)
{
    bool is_map = datum_type_is_map(type);
    json_t *elements = json_array();

    for (size_t i = 0; i < datum->n; i++) {
        json_t *key = make_atom(view, &datum->keys[i], &type->key);

        json_array_append_new(elements,
                              is_map ? json_pack("[oo]", key,
                                                 make_atom(view,
                                                           &datum->values[i],
                                                           &type->value))
                                     : key);
    }
    return json_pack("[so]", is_map ? "map" : "set", elements);
}

static json_t *
make_atom(const struct view *view, const union atom *atom,
          const struct base_type *base)
{
    if (base->ref_table) {
        const struct view_table *table
            = view_find_table((struct view *) view, base->ref_table);
        const struct view_row *row = table ? view_find_row(table, &atom->uuid)
                                           : NULL;

        if (row && row->is_new && !row->has_fixed_uuid) {
            return json_pack("[so]", "named-uuid", make_row_name(&row->uuid));
        }
    }
    return atom_to_json(atom, base->type);
}

/* A name for a new row that is an <id> of RFC 7047. */
static json_t *
make_row_name(const struct uuid *uuid)
{
    char name[3 + UUID_LEN + 1] = "row";

    uuid_to_text(uuid, name + 3);
    for (char *p = name; *p; p++) {
        if (*p == '-') {
            *p = '_';
        }
    }
    return json_string(name);
}
