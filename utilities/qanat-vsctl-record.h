/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-record.h - tables, records and columns as a person names them
 * on the command line.
 *
 * One thread.  What fails leaves its sentence in the context.
 */
#ifndef QANAT_VSCTL_RECORD_H
#define QANAT_VSCTL_RECORD_H 1

#include "utilities/qanat-vsctl.h"

/* Operators between a column and a value. */
enum relop {
    RELOP_EQ, RELOP_NE, RELOP_LT, RELOP_GT, RELOP_LE, RELOP_GE,
    RELOP_SET_EQ, RELOP_SET_NE, RELOP_SET_LT, RELOP_SET_GT, RELOP_SET_LE,
    RELOP_SET_GE, RELOP_IN, RELOP_NOT_IN,
    N_RELOPS
};

/* "COLUMN[:KEY][OPERATOR VALUE]".  The key and value are as typed. */
struct column_arg {
    const struct schema_column *column;
    char *key;                  /* NULL if there is none. */
    char *value;                /* NULL if there is none. */
    enum relop relop;
};

enum column_arg_kind {
    COLUMN_ARG_PLAIN,           /* No value. */
    COLUMN_ARG_ASSIGN,          /* = and a value. */
    COLUMN_ARG_CONDITION,       /* Any operator, and a value. */
};

/* Stands for the column _uuid, which no schema mentions. */
extern const struct schema_column record_uuid_column;

/* Finds the table, and names for loading what finding records in it takes.
 * NULL if there is none. */
const struct schema_table *record_prepare_table(struct vsctl_ctx *,
                                                const char *name);

/* Finds the table once more when the command runs. */
struct view_table *record_get_table(struct vsctl_ctx *, const char *name);

/* Finds the record.  Where there is none, that is an error only if
 * 'must_exist'; the result is NULL in any case. */
struct view_row *record_find(struct vsctl_ctx *, const struct view_table *,
                             const char *name, bool must_exist);

/* Parses the argument.  False if that fails. */
bool column_arg_parse(struct vsctl_ctx *, const struct schema_table *,
                      const char *arg, enum column_arg_kind,
                      struct column_arg *);
void column_arg_fini(struct column_arg *);

/* Names the columns of 'args' for loading. */
void record_prepare_columns(struct vsctl_ctx *, const struct schema_table *,
                            char *const args[], int n,
                            enum column_arg_kind);

/* As vsctl_fail_on(), for an error in a value for the column of the row. */
bool record_fail_on(struct vsctl_ctx *, const struct view_row *,
                    const struct schema_column *, char *error);

/* Sets the column of the row as the argument says. */
void record_assign(struct vsctl_ctx *, struct view_row *, const char *arg);

/* Whether the row satisfies the condition. */
bool record_satisfies(struct vsctl_ctx *, struct view_row *,
                      const char *arg);

/* How records of 'table' may be named beside their UUIDs, for --help: appends
 * lines. */
void record_describe(struct str *, const char *table);

#endif /* QANAT_VSCTL_RECORD_H */
