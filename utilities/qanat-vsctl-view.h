/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-view.h - the database as the commands of one run see it: a
 * consistent snapshot, and on top of it what the commands have changed so
 * far.
 *
 * First the needed tables and columns are named, then the snapshot is loaded,
 * then commands read and write, then qanat-vsctl-txn.c sends the changes.
 * When the server says that the snapshot was too old, everything from loading
 * on is done again.
 *
 * One thread.  A column that was not named reads as its default and must not
 * be written.
 */
#ifndef QANAT_VSCTL_VIEW_H
#define QANAT_VSCTL_VIEW_H 1

#include "lib/ovsdb/schema.h"

struct jsonrpc_sync;

/* A row.  Per column of the table, 'before' is the snapshot's value and
 * 'after' the changed one, or NULL where nothing was written. */
struct view_row {
    struct hmap_node node;      /* In view_table's rows, by UUID. */
    struct uuid uuid;           /* Provisional for a new row, unless fixed. */
    struct view_table *table;
    size_t position;            /* In the table's order[]. */
    struct datum *before;
    struct datum **after;
    bool *is_verified;          /* Columns that the changes depend on. */
    bool is_new;
    bool has_fixed_uuid;        /* New, and the user chose the UUID. */
    bool is_deleted;
};

struct view_table {
    struct view *view;
    const struct schema_table *schema;
    bool is_needed;
    bool *is_needed_column;
    struct hmap rows;           /* Deleted ones too. */
    struct view_row **order;    /* All rows, in the order of output. */
    size_t n_order;
    size_t order_size;          /* Rows there is room for. */
};

struct view {
    const struct schema *schema;
    struct view_table *tables;  /* As schema->tables. */
};

struct view *view_create(const struct schema *);
void view_destroy(struct view *);

/* -- What to load ------------------------------------------------------ */

/* Name a table, and columns of it.  What the schema does not have is left
 * out, so that a server of another version can be used as far as it goes. */
void view_need_table(struct view *, const struct schema_table *);
void view_need_column(struct view *, const struct schema_table *,
                      const struct schema_column *);
void view_need(struct view *, const char *table, const char *column);

/* The <monitor-requests> for what is needed; a new reference. */
json_t *view_make_requests(const struct view *);

/* Replaces the content, changes included, by the <table-updates> or
 * <table-updates2> that a monitor request was answered with.  Returns NULL or
 * a sentence, which the caller frees. */
char *view_load(struct view *, const json_t *table_updates);

/* -- Reading ----------------------------------------------------------- */

/* NULL if there is no such table in the schema, or no such row. */
struct view_table *view_find_table(struct view *, const char *name);
struct view_row *view_find_row(const struct view_table *,
                               const struct uuid *);

/* The first row in the order of output that is not deleted, and the next;
 * NULL at the end. */
struct view_row *view_first(const struct view_table *);
struct view_row *view_next(const struct view_row *);

#define VIEW_FOR_EACH(ROW, TABLE) \
    for ((ROW) = view_first(TABLE); (ROW); (ROW) = view_next(ROW))

/* Number of rows that are not deleted. */
size_t view_count(const struct view_table *);

/* The column's present value. */
const struct datum *view_get(const struct view_row *,
                             const struct schema_column *);

/* The same by name, with a default where the column is empty or absent. */
const char *view_get_string(const struct view_row *, const char *column,
                            const char *def);
int64_t view_get_integer(const struct view_row *, const char *column,
                         int64_t def);
bool view_get_boolean(const struct view_row *, const char *column);
const char *view_get_key(const struct view_row *, const char *column,
                         const char *key);

/* The whole of a map from strings to strings, or NULL. */
const struct datum *view_get_map(const struct view_row *,
                                 const char *column);

/* Row number 'i' of those that the column (set of references, or map whose
 * values are references) refers to, or NULL: out of range, not there. */
struct view_row *view_get_ref(const struct view_row *, const char *column,
                              size_t i);
size_t view_count_refs(const struct view_row *, const char *column);

/* -- Changing ---------------------------------------------------------- */

/* From now on the changes are only valid if the column is, at commit, what it
 * was in the snapshot. */
void view_verify(struct view_row *, const struct schema_column *);
void view_verify_name(struct view_row *, const char *column);

/* Writes the column; the datum is taken over and '*datum' becomes empty. */
void view_write(struct view_row *, const struct schema_column *,
                struct datum *datum);

/* The same by name; a column that the schema lacks, or has with another type
 * (or that must not be empty, for view_clear()), stays as it is. */
void view_set_string(struct view_row *, const char *column,
                     const char *value);
void view_set_integer(struct view_row *, const char *column, int64_t value);
void view_set_boolean(struct view_row *, const char *column, bool value);
void view_set_key(struct view_row *, const char *column, const char *key,
                  const char *value);
void view_remove_key(struct view_row *, const char *column, const char *key);
void view_add_ref(struct view_row *, const char *column,
                  const struct view_row *target);
void view_remove_ref(struct view_row *, const char *column,
                     const struct view_row *target);
void view_clear(struct view_row *, const char *column);

/* Makes a row; 'uuid' NULL is a random one. */
struct view_row *view_insert(struct view_table *, const struct uuid *uuid);

/* Marks the row deleted; references to it are the caller's business. */
void view_delete(struct view_row *);

#endif /* QANAT_VSCTL_VIEW_H */
