/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-list.c - the commands list and find.
 *
 * One thread, within qanat-vsctl's steps; see qanat-vsctl.h.
 */
#include "utilities/qanat-vsctl-list.h"

#include "utilities/qanat-vsctl-record.h"

/* Columns to show, in order; record_uuid_column may be among them. */
struct columns {
    const struct schema_column **columns;
    size_t n;
};

static bool choose_columns(struct vsctl_ctx *, const struct schema_table *,
                           struct columns *);
static bool choose_named_columns(struct vsctl_ctx *,
                                 const struct schema_table *,
                                 const char *names, struct columns *);
static void prepare_columns(struct vsctl_ctx *, const struct schema_table *);
static struct table *start_table(const struct columns *);
static void add_row(struct table *, const struct columns *,
                    struct view_row *);
static bool satisfies_all(struct vsctl_ctx *, struct view_row *);

void
list_prepare(struct vsctl_ctx *ctx)
{
    const struct schema_table *table
        = record_prepare_table(ctx, ctx->command->argv[1]);

    if (table) {
        prepare_columns(ctx, table);
    }
}

void
list_run(struct vsctl_ctx *ctx)
{
    bool must_exist = !vsctl_has_option(ctx, "--if-exists");
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = record_get_table(ctx, cmd->argv[1]);
    struct view_row *row;
    struct columns columns;

    if (!table || !choose_columns(ctx, table->schema, &columns)) {
        return;
    }
    cmd->table = start_table(&columns);
    for (int i = 2; i < cmd->argc && !ctx->error; i++) {
        row = record_find(ctx, table, cmd->argv[i], must_exist);
        if (row) {
            add_row(cmd->table, &columns, row);
        }
    }
    if (cmd->argc == 2) {
        VIEW_FOR_EACH (row, table) {
            add_row(cmd->table, &columns, row);
        }
    }
    free(columns.columns);
}

void
find_prepare(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct schema_table *table = record_prepare_table(ctx,
                                                            cmd->argv[1]);

    if (table) {
        prepare_columns(ctx, table);
        record_prepare_columns(ctx, table, cmd->argv + 2, cmd->argc - 2,
                               COLUMN_ARG_CONDITION);
    }
}

void
find_run(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = record_get_table(ctx, cmd->argv[1]);
    struct view_row *row;
    struct columns columns;

    if (!table || !choose_columns(ctx, table->schema, &columns)) {
        return;
    }
    cmd->table = start_table(&columns);
    VIEW_FOR_EACH (row, table) {
        if (satisfies_all(ctx, row)) {
            add_row(cmd->table, &columns, row);
        }
        if (ctx->error) {
            break;
        }
    }
    free(columns.columns);
}

/* All columns, _uuid first, or those of --columns. */
static bool
choose_columns(struct vsctl_ctx *ctx, const struct schema_table *table,
               struct columns *columns)
{
    const char *names = vsctl_option_value(ctx, "--columns");

    if (names) {
        return choose_named_columns(ctx, table, names, columns);
    }
    columns->n = table->n_columns + 1;
    columns->columns = xcalloc(columns->n, sizeof *columns->columns);
    columns->columns[0] = &record_uuid_column;
    for (size_t i = 0; i < table->n_columns; i++) {
        columns->columns[i + 1] = &table->columns[i];
    }
    return true;
}

static bool
choose_named_columns(struct vsctl_ctx *ctx, const struct schema_table *table,
                     const char *names, struct columns *columns)
{
    char *copy = xstrdup(names);
    char *pos = NULL;

    *columns = (struct columns) { NULL, 0 };
    for (char *name = strtok_r(copy, ", ", &pos); name;
         name = strtok_r(NULL, ", ", &pos)) {
        const struct schema_column *column = &record_uuid_column;

        if (strcmp(name, "_uuid")
            && vsctl_fail_on(ctx, "--columns",
                             schema_match_column(table, name, &column))) {
            break;
        }
        columns->columns = xrealloc(columns->columns,
                                    (columns->n + 1)
                                    * sizeof *columns->columns);
        columns->columns[columns->n++] = column;
    }
    free(copy);
    if (!columns->n) {
        vsctl_fail(ctx, "--columns: the name of a column is missing");
    }
    if (ctx->error) {
        free(columns->columns);
        return false;
    }
    return true;
}

static void
prepare_columns(struct vsctl_ctx *ctx, const struct schema_table *table)
{
    struct columns columns;

    if (choose_columns(ctx, table, &columns)) {
        for (size_t i = 0; i < columns.n; i++) {
            if (columns.columns[i] != &record_uuid_column) {
                view_need_column(ctx->view, table, columns.columns[i]);
            }
        }
        free(columns.columns);
    }
}

static struct table *
start_table(const struct columns *columns)
{
    struct table *table = xmalloc(sizeof *table);

    table_init(table);
    for (size_t i = 0; i < columns->n; i++) {
        table_add_column(table, columns->columns[i]->name);
    }
    return table;
}

static void
add_row(struct table *table, const struct columns *columns,
        struct view_row *row)
{
    table_add_row(table);
    for (size_t i = 0; i < columns->n; i++) {
        const struct schema_column *column = columns->columns[i];

        if (column == &record_uuid_column) {
            union atom atom = { .uuid = row->uuid };
            struct datum datum = { 1, &atom, NULL };

            table_add_datum(table, &datum, &column->type);
        } else {
            table_add_datum(table, view_get(row, column), &column->type);
        }
    }
}

static bool
satisfies_all(struct vsctl_ctx *ctx, struct view_row *row)
{
    struct vsctl_command *cmd = ctx->command;

    for (int i = 2; i < cmd->argc; i++) {
        if (!record_satisfies(ctx, row, cmd->argv[i]) || ctx->error) {
            return false;
        }
    }
    return true;
}
