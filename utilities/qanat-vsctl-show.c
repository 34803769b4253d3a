/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-show.c - the command show.
 *
 * The output is a tree: each row that is shown stands below the row that
 * refers to it, with those of its columns that say something.
 *
 * One thread, within qanat-vsctl's steps; see qanat-vsctl.h.
 */
#include "lib/base/strset.h"
#include "utilities/qanat-vsctl.h"

#define INDENT 4
#define MAX_COLUMNS 6

/* What is shown of a table: the name of a row, and further columns in order.
 * Without a name column the UUID is shown. */
struct shown_table {
    const char *name;
    const char *name_column;
    const char *columns[MAX_COLUMNS];
};

static const struct shown_table shown_tables[] = {
    { "Open_vSwitch", NULL, { "manager_options", "bridges", "ovs_version" } },
    { "Bridge", "name",
      { "controller", "fail_mode", "datapath_type", "datapath_version",
        "ports" } },
    { "Port", "name", { "tag", "trunks", "interfaces" } },
    { "Interface", "name", { "type", "options", "error" } },
    { "Controller", "target", { "is_connected" } },
    { "Manager", "target", { "is_connected" } },
};

static const struct shown_table *find_shown(const char *name);
static void show_row(struct vsctl_ctx *, const struct view_row *,
                     size_t level, struct strset *done);
static void show_column(struct vsctl_ctx *, const struct view_row *,
                        const struct schema_column *, size_t level,
                        struct strset *done);

static void
prepare_show(struct vsctl_ctx *ctx)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown_tables); i++) {
        const struct shown_table *shown = &shown_tables[i];

        if (shown->name_column) {
            view_need(ctx->view, shown->name, shown->name_column);
        }
        for (size_t j = 0; j < MAX_COLUMNS && shown->columns[j]; j++) {
            view_need(ctx->view, shown->name, shown->columns[j]);
        }
    }
}

static void
run_show(struct vsctl_ctx *ctx)
{
    struct view_table *table = view_find_table(ctx->view,
                                               shown_tables[0].name);
    struct strset done = STRSET_INIT(&done);
    struct view_row *row;

    VIEW_FOR_EACH (row, table) {
        show_row(ctx, row, 0, &done);
    }
    strset_fini(&done);
}

const struct vsctl_syntax vsctl_show_commands[] = {
    { "show", 0, 0, "", prepare_show, run_show, NULL },
    { NULL, 0, 0, NULL, NULL, NULL, NULL },
};

static const struct shown_table *
find_shown(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown_tables); i++) {
        if (!strcmp(shown_tables[i].name, name)) {
            return &shown_tables[i];
        }
    }
    return NULL;
}

/* Shows the row, unless it is in 'done': a row that several others refer to
 * is shown once, which also ends circles. */
static void
show_row(struct vsctl_ctx *ctx, const struct view_row *row, size_t level,
         struct strset *done)
{
    const struct schema_table *schema = row->table->schema;
    const struct shown_table *shown = find_shown(schema->name);
    const struct schema_column *name_column
        = (shown->name_column
           ? schema_find_column(schema, shown->name_column) : NULL);
    struct str *output = &ctx->command->output;
    char uuid[UUID_LEN + 1];

    uuid_to_text(&row->uuid, uuid);
    if (!strset_add(done, uuid)) {
        return;
    }
    str_append_fill(output, ' ', level * INDENT);
    if (name_column) {
        str_printf(output, "%s ", schema->name);
        datum_to_text(output, view_get(row, name_column),
                      &name_column->type);
    } else {
        str_append(output, uuid);
    }
    str_append_char(output, '\n');

    for (size_t i = 0; i < MAX_COLUMNS && shown->columns[i]; i++) {
        const struct schema_column *column
            = schema_find_column(schema, shown->columns[i]);

        if (column) {
            show_column(ctx, row, column, level + 1, done);
        }
    }
}

static void
show_column(struct vsctl_ctx *ctx, const struct view_row *row,
            const struct schema_column *column, size_t level,
            struct strset *done)
{
    const struct datum *datum = view_get(row, column);
    const char *ref_table = column->type.key.ref_table;

    if (ref_table && find_shown(ref_table)) {
        for (size_t i = 0; i < view_count_refs(row, column->name); i++) {
            const struct view_row *target = view_get_ref(row, column->name,
                                                         i);

            if (target) {
                show_row(ctx, target, level, done);
            }
        }
    } else if (!datum_is_default(datum, &column->type)) {
        str_append_fill(&ctx->command->output, ' ', level * INDENT);
        str_printf(&ctx->command->output, "%s: ", column->name);
        datum_to_text(&ctx->command->output, datum, &column->type);
        str_append_char(&ctx->command->output, '\n');
    }
}
