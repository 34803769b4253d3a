/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - output of rows and columns in the forms that ovs-vsctl offers.
 *
 * A table is filled row by row and then printed.  Control plane only.
 */
#ifndef QANAT_OVSDB_TABLE_H
#define QANAT_OVSDB_TABLE_H 1

#include "lib/ovsdb/datum.h"

enum table_format {
    TABLE_FORMAT_TABLE,         /* Aligned columns. */
    TABLE_FORMAT_LIST,          /* One line per cell. */
    TABLE_FORMAT_HTML,
    TABLE_FORMAT_CSV,           /* RFC 4180. */
    TABLE_FORMAT_JSON,
};

enum table_cell_format {
    TABLE_CELL_STRING,          /* What datum_to_text() gives. */
    TABLE_CELL_BARE,            /* What datum_to_bare() gives. */
    TABLE_CELL_JSON,
};

struct table_style {
    enum table_format format;
    enum table_cell_format cell_format;
    bool has_headings;
    bool is_pretty;             /* JSON over several lines. */
    size_t max_column_width;    /* For TABLE_FORMAT_TABLE; 0: no limit. */
};

#define TABLE_STYLE_INIT \
    { TABLE_FORMAT_LIST, TABLE_CELL_STRING, true, false, 0 }

/* Read a format's name.  False if there is no such format. */
bool table_format_from_name(enum table_format *, const char *name);
bool table_cell_format_from_name(enum table_cell_format *, const char *name);

/* Cells are stored row by row; a row that is not full is padded with empty
 * cells. */
struct table {
    char **headings;
    size_t n_columns;
    size_t headings_size;       /* Headings there is room for. */
    struct table_cell *cells;
    size_t n_cells;
    size_t cells_size;          /* Cells there is room for. */
    size_t n_rows;
};

void table_init(struct table *);
void table_fini(struct table *);

/* Adds a column, before the first row. */
void table_add_column(struct table *, const char *heading);
void table_add_row(struct table *);

/* Adds a cell to the last row.  The datum is cloned; '*type' must live as
 * long as the table. */
void table_add_datum(struct table *, const struct datum *,
                     const struct datum_type *);

/* Appends the table. */
void table_format(const struct table *, const struct table_style *,
                  struct str *);

#endif /* QANAT_OVSDB_TABLE_H */
