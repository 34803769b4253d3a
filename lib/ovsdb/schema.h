/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - what tables a database has, and what columns they have.
 *
 * RFC 7047 section 3.2.  Read once from the server's answer to get_schema and
 * not changed afterwards.  Control plane only.
 */
#ifndef QANAT_OVSDB_SCHEMA_H
#define QANAT_OVSDB_SCHEMA_H 1

#include "lib/ovsdb/datum.h"

struct schema_column {
    char *name;
    size_t index;               /* In the table's columns[]. */
    struct datum_type type;
    bool is_ephemeral;          /* Need not survive the server. */
    bool is_mutable;            /* May be changed once the row exists. */
};

/* The columns are sorted by name, and do not include _uuid and _version,
 * which every row has.  n_indexes arrays of column names, each ended by NULL,
 * say which columns together are unique. */
struct schema_table {
    char *name;
    size_t index;               /* In the schema's tables[]. */
    bool is_root;               /* Rows live without being referenced. */
    unsigned int max_rows;      /* UINT_MAX if there is no limit. */
    struct schema_column *columns;
    size_t n_columns;
    char ***indexes;
    size_t n_indexes;
};

/* The tables are sorted by name. */
struct schema {
    char *name;
    char *version;              /* "" if the schema has none. */
    struct schema_table *tables;
    size_t n_tables;
};

/* Reads <database-schema>.  Returns NULL and stores the schema, which the
 * caller destroys, or returns a sentence, which the caller frees. */
char *schema_from_json(const json_t *, struct schema **);
void schema_destroy(struct schema *);

/* By exact name; NULL if there is none. */
const struct schema_table *schema_find_table(const struct schema *,
                                             const char *name);
const struct schema_column *schema_find_column(const struct schema_table *,
                                               const char *name);

/* By the name as a person types it: case does not matter, '-' is as good as
 * '_', and a unique beginning is enough.  Returns NULL and stores what was
 * found, or returns a sentence, which the caller frees. */
char *schema_match_table(const struct schema *, const char *name,
                         const struct schema_table **);
char *schema_match_column(const struct schema_table *, const char *name,
                          const struct schema_column **);

#endif /* QANAT_OVSDB_SCHEMA_H */
