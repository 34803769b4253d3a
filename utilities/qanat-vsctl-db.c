/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-db.c - the commands that work on any table: get, set, add,
 * remove, clear, create, destroy, wait-until and comment.  For list and find
 * see qanat-vsctl-list.c.
 *
 * One thread, within qanat-vsctl's steps; see qanat-vsctl.h.
 */
#include "lib/ovsdb/atomtext.h"
#include "utilities/qanat-vsctl-list.h"
#include "utilities/qanat-vsctl-record.h"

static struct view_row *find_row(struct vsctl_ctx *);
static bool define_symbol(struct vsctl_ctx *, struct symbol *);
static void get_column(struct vsctl_ctx *, const struct view_row *,
                       const char *arg);
static void get_key(struct vsctl_ctx *, const struct view_row *,
                    const struct column_arg *);
static const struct schema_column *writable_column(struct vsctl_ctx *,
                                                   const struct view_row *,
                                                   const char *name);
static bool parse_removal(struct vsctl_ctx *, const struct view_row *,
                          const struct schema_column *, const char *arg,
                          struct datum_type *, struct datum *);
static bool choose_uuid(struct vsctl_ctx *, const struct schema_table *,
                        struct uuid *, bool *is_fixed);

/* "get TABLE RECORD COLUMN[:KEY]..." and others with the same beginning. */
static void
prepare_columns(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct schema_table *table = record_prepare_table(ctx,
                                                            cmd->argv[1]);

    if (table) {
        record_prepare_columns(ctx, table, cmd->argv + 3, cmd->argc - 3,
                               COLUMN_ARG_PLAIN);
    }
}

/* "add TABLE RECORD COLUMN VALUE..." */
static void
prepare_one_column(struct vsctl_ctx *ctx)
{
    const struct schema_table *table
        = record_prepare_table(ctx, ctx->command->argv[1]);
    const struct schema_column *column;

    if (table
        && !vsctl_fail_on(ctx, NULL,
                          schema_match_column(table, ctx->command->argv[3],
                                              &column))) {
        view_need_column(ctx->view, table, column);
    }
}

static void
run_get(struct vsctl_ctx *ctx)
{
    const char *id = vsctl_option_value(ctx, "--id");
    struct vsctl_command *cmd = ctx->command;
    struct view_row *row;

    if (id && vsctl_has_option(ctx, "--if-exists")) {
        vsctl_fail(ctx, "--if-exists and --id exclude each other");
        return;
    }
    row = find_row(ctx);
    if (!row) {
        return;
    }
    if (id) {
        struct symbol *symbol = symtab_find(&ctx->symtab, id);

        if (*id != '@') {
            vsctl_fail(ctx, "--id=%s: the name must begin with \"@\"", id);
            return;
        } else if (symbol && !symbol->is_defined) {
            vsctl_fail(ctx, "%s is used before the \"get\" command that says "
                       "which row it is; put that command first", id);
            return;
        }
        symbol = symtab_get(&ctx->symtab, id);
        if (!define_symbol(ctx, symbol)) {
            return;
        }
        symbol->uuid = row->uuid;
    }
    for (int i = 3; i < cmd->argc && !ctx->error; i++) {
        get_column(ctx, row, cmd->argv[i]);
    }
}

static void
prepare_assignments(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct schema_table *table = record_prepare_table(ctx,
                                                            cmd->argv[1]);

    if (table) {
        record_prepare_columns(ctx, table, cmd->argv + 3, cmd->argc - 3,
                               COLUMN_ARG_ASSIGN);
    }
}

static void
run_set(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_row *row = find_row(ctx);

    for (int i = 3; row && i < cmd->argc && !ctx->error; i++) {
        record_assign(ctx, row, cmd->argv[i]);
    }
}

static void
run_add(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_row *row = find_row(ctx);
    const struct schema_column *column
        = row ? writable_column(ctx, row, cmd->argv[3]) : NULL;
    struct datum_type any_number;
    struct datum datum;

    if (!column) {
        return;
    }
    any_number = column->type;
    any_number.n_min = 1;
    any_number.n_max = UINT_MAX;
    datum_clone(&datum, view_get(row, column), &column->type);
    for (int i = 4; i < cmd->argc; i++) {
        struct datum more;

        if (record_fail_on(ctx, row, column,
                          datum_from_text(&more, &any_number, &ctx->symtab,
                                          cmd->argv[i]))) {
            break;
        }
        datum_add_all(&datum, &more, &column->type);
        datum_fini(&more, &column->type);
    }
    if (datum.n > column->type.n_max) {
        vsctl_fail(ctx, "\"add\" would put %zu values into column %s of "
                   "table %s, which takes at most %u; use \"set\" to replace "
                   "the value", datum.n, column->name,
                   row->table->schema->name, column->type.n_max);
    }
    view_verify(row, column);
    view_write(row, column, &datum);
}

static void
run_remove(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_row *row = find_row(ctx);
    const struct schema_column *column
        = row ? writable_column(ctx, row, cmd->argv[3]) : NULL;
    struct datum datum;

    if (!column) {
        return;
    }
    datum_clone(&datum, view_get(row, column), &column->type);
    for (int i = 4; i < cmd->argc; i++) {
        struct datum_type type;
        struct datum less;

        if (!parse_removal(ctx, row, column, cmd->argv[i], &type, &less)) {
            break;
        }
        datum_remove_all(&datum, &column->type, &less, &type);
        datum_fini(&less, &type);
    }
    if (!ctx->error && datum.n < column->type.n_min) {
        vsctl_fail(ctx, "\"remove\" would leave %zu values in column %s of "
                   "table %s, which needs at least %u", datum.n,
                   column->name, row->table->schema->name,
                   column->type.n_min);
    }
    view_verify(row, column);
    view_write(row, column, &datum);
}

static void
run_clear(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_row *row = find_row(ctx);

    for (int i = 3; row && i < cmd->argc && !ctx->error; i++) {
        const struct schema_column *column = writable_column(ctx, row,
                                                             cmd->argv[i]);
        struct datum datum = DATUM_INIT;

        if (column && column->type.n_min > 0) {
            vsctl_fail(ctx, "column %s of table %s cannot be cleared, "
                       "because it must not be empty", column->name,
                       row->table->schema->name);
        } else if (column) {
            view_write(row, column, &datum);
        }
    }
}

static void
prepare_create(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct schema_table *table = record_prepare_table(ctx,
                                                            cmd->argv[1]);

    if (table) {
        record_prepare_columns(ctx, table, cmd->argv + 2, cmd->argc - 2,
                               COLUMN_ARG_ASSIGN);
    }
}

static void
run_create(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = record_get_table(ctx, cmd->argv[1]);
    struct view_row *row;
    struct uuid uuid;
    bool is_fixed;

    if (!table || !choose_uuid(ctx, table->schema, &uuid, &is_fixed)) {
        return;
    }
    row = view_insert(table, &uuid);
    row->has_fixed_uuid = is_fixed;
    for (int i = 2; i < cmd->argc && !ctx->error; i++) {
        record_assign(ctx, row, cmd->argv[i]);
    }
    cmd->created = row->uuid;
}

static void
finish_create(struct vsctl_ctx *ctx)
{
    const struct uuid *uuid = ctx->get_real_uuid(ctx, &ctx->command->created);
    char text[UUID_LEN + 1];

    uuid_to_text(uuid, text);
    str_printf(&ctx->command->output, "%s\n", text);
}

static void
prepare_rows(struct vsctl_ctx *ctx)
{
    record_prepare_table(ctx, ctx->command->argv[1]);
}

static void
run_destroy(struct vsctl_ctx *ctx)
{
    bool must_exist = !vsctl_has_option(ctx, "--if-exists");
    bool all = vsctl_has_option(ctx, "--all");
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = record_get_table(ctx, cmd->argv[1]);
    struct view_row *row;

    if (!table) {
        return;
    } else if (all && cmd->argc > 2) {
        vsctl_fail(ctx, "\"destroy\" takes either --all or records, not "
                   "both");
        return;
    } else if (all && !must_exist) {
        vsctl_fail(ctx, "--all and --if-exists exclude each other");
        return;
    }

    if (all) {
        VIEW_FOR_EACH (row, table) {
            view_delete(row);
        }
    } else if (cmd->argc == 2) {
        vsctl_warn(ctx, "\"destroy\" does nothing without records or --all");
    }
    for (int i = 2; i < cmd->argc && !ctx->error; i++) {
        row = record_find(ctx, table, cmd->argv[i], must_exist);
        if (row) {
            view_delete(row);
        }
    }
}

static void
prepare_wait_until(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    const struct schema_table *table = record_prepare_table(ctx,
                                                            cmd->argv[1]);

    if (table) {
        record_prepare_columns(ctx, table, cmd->argv + 3, cmd->argc - 3,
                               COLUMN_ARG_CONDITION);
    }
}

static void
run_wait_until(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = record_get_table(ctx, cmd->argv[1]);
    struct view_row *row;

    if (!table) {
        return;
    }
    /* A condition that can never be satisfied must not be waited for. */
    for (int i = 3; i < cmd->argc; i++) {
        struct column_arg parsed;

        if (!column_arg_parse(ctx, table->schema, cmd->argv[i],
                              COLUMN_ARG_CONDITION, &parsed)) {
            return;
        }
        column_arg_fini(&parsed);
    }

    row = record_find(ctx, table, cmd->argv[2], false);
    if (!row) {
        ctx->is_waiting = true;
        return;
    }
    for (int i = 3; i < cmd->argc && !ctx->error; i++) {
        if (!record_satisfies(ctx, row, cmd->argv[i])) {
            ctx->is_waiting = true;
        }
    }
}

static void
prepare_nothing(struct vsctl_ctx *ctx UNUSED)
{
}

static void
run_comment(struct vsctl_ctx *ctx UNUSED)
{
    /* The whole command line goes into the database's log anyway. */
}

const struct vsctl_syntax vsctl_db_commands[] = {
    { "get", 2, INT_MAX, "--if-exists,--id=,",
      prepare_columns, run_get, NULL },
    { "set", 3, INT_MAX, "--if-exists,",
      prepare_assignments, run_set, NULL },
    { "add", 4, INT_MAX, "--if-exists,",
      prepare_one_column, run_add, NULL },
    { "remove", 4, INT_MAX, "--if-exists,",
      prepare_one_column, run_remove, NULL },
    { "clear", 3, INT_MAX, "--if-exists,",
      prepare_columns, run_clear, NULL },
    { "create", 2, INT_MAX, "--id=,",
      prepare_create, run_create, finish_create },
    { "destroy", 1, INT_MAX, "--if-exists,--all,",
      prepare_rows, run_destroy, NULL },
    { "list", 1, INT_MAX, "--if-exists,--columns=,",
      list_prepare, list_run, NULL },
    { "find", 1, INT_MAX, "--columns=,",
      find_prepare, find_run, NULL },
    { "wait-until", 2, INT_MAX, "",
      prepare_wait_until, run_wait_until, NULL },
    { "comment", 0, INT_MAX, "", prepare_nothing, run_comment, NULL },
    { NULL, 0, 0, NULL, NULL, NULL, NULL },
};

/* The row of "COMMAND TABLE RECORD", minding --if-exists. */
static struct view_row *
find_row(struct vsctl_ctx *ctx)
{
    struct vsctl_command *cmd = ctx->command;
    struct view_table *table = record_get_table(ctx, cmd->argv[1]);

    return (table ? record_find(ctx, table, cmd->argv[2],
                                !vsctl_has_option(ctx, "--if-exists"))
            : NULL);
}

/* Notes that a command says what row the symbol is. */
static bool
define_symbol(struct vsctl_ctx *ctx, struct symbol *symbol)
{
    if (symbol->is_defined) {
        vsctl_fail(ctx, "%s stands in two --id options; each row needs a "
                   "name of its own", symbol->name);
        return false;
    }
    symbol->is_defined = true;
    return true;
}

static void
get_column(struct vsctl_ctx *ctx, const struct view_row *row,
           const char *arg)
{
    struct str *output = &ctx->command->output;
    struct column_arg parsed;
    char uuid[UUID_LEN + 1];

    if (!column_arg_parse(ctx, row->table->schema, arg, COLUMN_ARG_PLAIN,
                          &parsed)) {
        return;
    }
    if (parsed.column == &record_uuid_column) {
        uuid_to_text(&row->uuid, uuid);
        str_printf(output, "%s\n", uuid);
    } else {
        view_verify((struct view_row *) row, parsed.column);
        if (parsed.key) {
            get_key(ctx, row, &parsed);
        } else {
            datum_to_text(output, view_get(row, parsed.column),
                          &parsed.column->type);
            str_append_char(output, '\n');
        }
    }
    column_arg_fini(&parsed);
}

static void
get_key(struct vsctl_ctx *ctx, const struct view_row *row,
        const struct column_arg *arg)
{
    const struct datum_type *type = &arg->column->type;
    const struct datum *datum = view_get(row, arg->column);
    union atom key;
    size_t i;

    if (record_fail_on(ctx, row, arg->column,
                      atom_from_text(&key, &type->key, &ctx->symtab,
                                     arg->key))) {
        return;
    }
    i = datum_find(datum, &key, type);
    atom_fini(&key, type->key.type);
    if (i != DATUM_NOT_FOUND) {
        atom_to_text(&ctx->command->output, &datum->values[i],
                     type->value.type);
    } else if (!vsctl_has_option(ctx, "--if-exists")) {
        vsctl_fail(ctx, "no key \"%s\" in column %s of %s record \"%s\"",
                   arg->key, arg->column->name, row->table->schema->name,
                   ctx->command->argv[2]);
        return;
    }
    str_append_char(&ctx->command->output, '\n');
}

static const struct schema_column *
writable_column(struct vsctl_ctx *ctx, const struct view_row *row,
                const char *name)
{
    const struct schema_table *table = row->table->schema;
    const struct schema_column *column;

    if (vsctl_fail_on(ctx, NULL, schema_match_column(table, name,
                                                     &column))) {
        return NULL;
    }
    if (!column->is_mutable && !row->is_new) {
        vsctl_fail(ctx, "column %s of table %s is read-only once the row "
                   "exists", column->name, table->name);
        return NULL;
    }
    return column;
}

/* For a map, what is to be removed may be given as pairs or as keys. */
static bool
parse_removal(struct vsctl_ctx *ctx, const struct view_row *row,
              const struct schema_column *column, const char *arg,
              struct datum_type *type, struct datum *less)
{
    char *error;

    *type = column->type;
    type->n_min = 1;
    type->n_max = UINT_MAX;
    error = datum_from_text(less, type, &ctx->symtab, arg);
    if (error && datum_type_is_map(type)) {
        free(error);
        base_type_init(&type->value, ATOM_VOID);
        error = datum_from_text(less, type, &ctx->symtab, arg);
    }
    return !record_fail_on(ctx, row, column, error);
}

/* The UUID of the row that "create" makes: what --id says, or random. */
static bool
choose_uuid(struct vsctl_ctx *ctx, const struct schema_table *table,
            struct uuid *uuid, bool *is_fixed)
{
    const char *id = vsctl_option_value(ctx, "--id");

    *is_fixed = false;
    if (!id) {
        if (!table->is_root) {
            vsctl_warn(ctx, "\"create\" of a row in table %s has no effect "
                       "without --id, because nothing can refer to the row",
                       table->name);
        }
        uuid_random(uuid);
    } else if (*id == '@') {
        struct symbol *symbol = symtab_get(&ctx->symtab, id);

        if (!define_symbol(ctx, symbol)) {
            return false;
        }
        symbol->is_new_row = true;
        symbol->needs_reference = !table->is_root;
        *uuid = symbol->uuid;
    } else if (uuid_from_text(uuid, id)) {
        *is_fixed = true;
    } else {
        vsctl_fail(ctx, "--id=%s: neither a name that begins with \"@\" nor "
                   "a UUID", id);
        return false;
    }
    return true;
}
