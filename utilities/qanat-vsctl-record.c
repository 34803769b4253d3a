/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-record.c - records and columns as a person names them.  See
 * qanat-vsctl-record.h.
 */
#include "utilities/qanat-vsctl-record.h"

#include "lib/ovsdb/atomtext.h"

/* A record may be named by the value of 'name_column' in its table; or, if
 * 'via_table' is not NULL, as the only one that 'via_column' refers to in the
 * row of that table that has the name in the column called "name".  Without
 * any of them it may be called "." if it is the table's only row. */
struct record_name {
    const char *table;
    const char *name_column;
    const char *via_table;
    const char *via_column;
};

static const struct record_name record_names[] = {
    { "AutoAttach", NULL, "Bridge", "auto_attach" },
    { "Bridge", "name", NULL, NULL },
    { "Controller", NULL, "Bridge", "controller" },
    { "Flow_Sample_Collector_Set", "id", NULL, NULL },
    { "Flow_Table", "name", NULL, NULL },
    { "IPFIX", NULL, "Bridge", "ipfix" },
    { "Interface", "name", NULL, NULL },
    { "Manager", "target", NULL, NULL },
    { "Mirror", "name", NULL, NULL },
    { "NetFlow", NULL, "Bridge", "netflow" },
    { "Open_vSwitch", NULL, NULL, NULL },
    { "Port", "name", NULL, NULL },
    { "QoS", NULL, "Port", "qos" },
    { "SSL", NULL, NULL, NULL },
    { "sFlow", NULL, "Bridge", "sflow" },
};

static const char *const relop_texts[N_RELOPS] = {
    [RELOP_EQ] = "=",         [RELOP_NE] = "!=",
    [RELOP_LT] = "<",         [RELOP_GT] = ">",
    [RELOP_LE] = "<=",        [RELOP_GE] = ">=",
    [RELOP_SET_EQ] = "{=}",   [RELOP_SET_NE] = "{!=}",
    [RELOP_SET_LT] = "{<}",   [RELOP_SET_GT] = "{>}",
    [RELOP_SET_LE] = "{<=}",  [RELOP_SET_GE] = "{>=}",
    [RELOP_IN] = "{in}",      [RELOP_NOT_IN] = "{not-in}",
};

const struct schema_column record_uuid_column = {
    .name = (char *) "_uuid",
    .index = SIZE_MAX,
    .type = { .key = { .type = ATOM_UUID }, .n_min = 1, .n_max = 1 },
};

static struct view_row *find_by_name(struct vsctl_ctx *,
                                     const struct view_table *,
                                     const struct record_name *,
                                     const char *name);
static struct view_row *find_by_value(struct vsctl_ctx *,
                                      const struct view_table *,
                                      const char *column, const char *name);
static struct view_row *find_by_prefix(struct vsctl_ctx *,
                                       const struct view_table *,
                                       const char *prefix);
static char *take_value(const char *pos, const char *arg,
                        enum column_arg_kind, struct column_arg *);
static bool assign_key(struct vsctl_ctx *, const struct view_row *,
                       const struct column_arg *, struct datum *);
static bool satisfies_key(struct vsctl_ctx *, const struct view_row *,
                          const struct column_arg *);
static bool evaluate(const struct datum *, const struct datum *,
                     const struct datum_type *, enum relop);

const struct schema_table *
record_prepare_table(struct vsctl_ctx *ctx, const char *name)
{
    const struct schema_table *table;

    if (vsctl_fail_on(ctx, NULL, schema_match_table(ctx->view->schema, name,
                                                    &table))) {
        return NULL;
    }
    view_need_table(ctx->view, table);
    for (size_t i = 0; i < ARRAY_SIZE(record_names); i++) {
        const struct record_name *rn = &record_names[i];

        if (strcmp(rn->table, table->name)) {
            continue;
        }
        if (rn->name_column) {
            view_need(ctx->view, table->name, rn->name_column);
        } else if (rn->via_table) {
            view_need(ctx->view, rn->via_table, "name");
            view_need(ctx->view, rn->via_table, rn->via_column);
        }
    }
    return table;
}

struct view_table *
record_get_table(struct vsctl_ctx *ctx, const char *name)
{
    const struct schema_table *table;

    if (vsctl_fail_on(ctx, NULL, schema_match_table(ctx->view->schema, name,
                                                    &table))) {
        return NULL;
    }
    return view_find_table(ctx->view, table->name);
}

struct view_row *
record_find(struct vsctl_ctx *ctx, const struct view_table *table,
            const char *name, bool must_exist)
{
    struct view_row *row = NULL;
    struct uuid uuid;

    if (uuid_from_text(&uuid, name)) {
        row = view_find_row(table, &uuid);
    }
    for (size_t i = 0; !row && !ctx->error && i < ARRAY_SIZE(record_names);
         i++) {
        if (!strcmp(record_names[i].table, table->schema->name)) {
            row = find_by_name(ctx, table, &record_names[i], name);
        }
    }
    if (!row && !ctx->error && uuid_count_prefix_digits(name) >= 4) {
        row = find_by_prefix(ctx, table, name);
    }
    if (!row && must_exist) {
        vsctl_fail(ctx, "no row \"%s\" in table %s", name,
                   table->schema->name);
    }
    return row;
}

bool
column_arg_parse(struct vsctl_ctx *ctx, const struct schema_table *table,
                 const char *arg, enum column_arg_kind kind,
                 struct column_arg *parsed)
{
    const char *pos = arg;
    char *word;
    char *error = atomtext_take_word(&pos, &word);

    *parsed = (struct column_arg) { .column = NULL };
    if (error) {
        return !vsctl_fail_on(ctx, NULL, error);
    }

    if (!*word) {
        error = xasprintf("%s: the name of a column is missing", arg);
    } else if (kind == COLUMN_ARG_PLAIN && !strcmp(word, "_uuid")) {
        parsed->column = &record_uuid_column;
    } else {
        error = schema_match_column(table, word, &parsed->column);
    }
    free(word);
    if (!error && *pos == ':') {
        pos++;
        error = atomtext_take_word(&pos, &parsed->key);
    }
    if (!error) {
        error = take_value(pos, arg, kind, parsed);
    }
    if (!error && parsed->key
        && !datum_type_is_map(&parsed->column->type)) {
        error = xasprintf("%s: column %s of table %s is not a map and so has "
                          "no key", arg, parsed->column->name, table->name);
    }
    if (error) {
        column_arg_fini(parsed);
        vsctl_fail_on(ctx, NULL, error);
        return false;
    }
    return true;
}

void
column_arg_fini(struct column_arg *arg)
{
    free(arg->key);
    free(arg->value);
}

void
record_prepare_columns(struct vsctl_ctx *ctx,
                       const struct schema_table *table, char *const args[],
                       int n, enum column_arg_kind kind)
{
    for (int i = 0; i < n && !ctx->error; i++) {
        const struct schema_column *column;
        const char *pos = args[i];
        char *word;

        /* Only the column matters now.  What else may be wrong with the
         * argument is told when the command runs. */
        if (vsctl_fail_on(ctx, NULL, atomtext_take_word(&pos, &word))) {
            return;
        }
        if (!*word) {
            vsctl_fail(ctx, "%s: the name of a column is missing", args[i]);
        } else if ((kind != COLUMN_ARG_PLAIN || strcmp(word, "_uuid"))
                   && !vsctl_fail_on(ctx, NULL,
                                     schema_match_column(table, word,
                                                         &column))) {
            view_need_column(ctx->view, table, column);
        }
        free(word);
    }
}

bool
record_fail_on(struct vsctl_ctx *ctx, const struct view_row *row,
               const struct schema_column *column, char *error)
{
    const char *name = view_get_string(row, "name", NULL);
    char *where;
    bool retval;

    if (!error) {
        return false;
    }
    where = xasprintf("column %s of %s%s%s", column->name,
                      row->table->schema->name, name && *name ? " " : "",
                      name ? name : "");
    retval = vsctl_fail_on(ctx, where, error);
    free(where);
    return retval;
}

void
record_assign(struct vsctl_ctx *ctx, struct view_row *row, const char *arg)
{
    const struct schema_table *table = row->table->schema;
    const struct schema_column *column;
    struct column_arg parsed;
    struct datum datum = DATUM_INIT;
    bool ok;

    if (!column_arg_parse(ctx, table, arg, COLUMN_ARG_ASSIGN, &parsed)) {
        return;
    }
    column = parsed.column;
    if (!column->is_mutable && !row->is_new) {
        vsctl_fail(ctx, "column %s of table %s is read-only once the row "
                   "exists", column->name, table->name);
        ok = false;
    } else if (parsed.key) {
        ok = assign_key(ctx, row, &parsed, &datum);
        view_verify(row, column);
    } else {
        ok = !record_fail_on(ctx, row, column,
                            datum_from_text(&datum, &column->type,
                                            &ctx->symtab, parsed.value));
    }
    if (ok) {
        view_write(row, column, &datum);
    }
    column_arg_fini(&parsed);
}

bool
record_satisfies(struct vsctl_ctx *ctx, struct view_row *row,
                 const char *arg)
{
    struct column_arg parsed;
    struct datum wanted;
    bool result = false;

    if (!column_arg_parse(ctx, row->table->schema, arg, COLUMN_ARG_CONDITION,
                          &parsed)) {
        return false;
    }
    view_verify(row, parsed.column);
    if (parsed.key) {
        result = satisfies_key(ctx, row, &parsed);
    } else if (!record_fail_on(ctx, row, parsed.column,
                              datum_from_text(&wanted, &parsed.column->type,
                                              &ctx->symtab, parsed.value))) {
        result = evaluate(view_get(row, parsed.column), &wanted,
                          &parsed.column->type, parsed.relop);
        datum_fini(&wanted, &parsed.column->type);
    }
    column_arg_fini(&parsed);
    return result;
}

void
record_describe(struct str *s, const char *table)
{
    str_append(s, "    by UUID, or its first 4 or more digits\n");
    for (size_t i = 0; i < ARRAY_SIZE(record_names); i++) {
        const struct record_name *rn = &record_names[i];

        if (strcmp(rn->table, table)) {
            continue;
        }
        if (rn->name_column) {
            str_printf(s, "    by \"%s\"\n", rn->name_column);
        } else if (rn->via_table) {
            str_printf(s, "    by \"name\" of the %s whose \"%s\" it is\n",
                       rn->via_table, rn->via_column);
        } else {
            str_append(s, "    as \".\"\n");
        }
    }
}

static struct view_row *
find_by_name(struct vsctl_ctx *ctx, const struct view_table *table,
             const struct record_name *rn, const char *name)
{
    struct view_table *via_table;
    struct view_row *via;

    if (rn->name_column) {
        return find_by_value(ctx, table, rn->name_column, name);
    } else if (!rn->via_table) {
        return (!strcmp(name, ".") && view_count(table) == 1
                ? view_first(table) : NULL);
    }
    via_table = view_find_table(ctx->view, rn->via_table);
    via = (via_table ? find_by_value(ctx, via_table, "name", name) : NULL);
    if (!via) {
        return NULL;
    }
    view_verify_name(via, rn->via_column);
    return (view_count_refs(via, rn->via_column) == 1
            ? view_get_ref(via, rn->via_column, 0) : NULL);
}

/* The row whose 'column' is 'name'; two of them are an error. */
static struct view_row *
find_by_value(struct vsctl_ctx *ctx, const struct view_table *table,
              const char *column_name, const char *name)
{
    const struct schema_column *column
        = schema_find_column(table->schema, column_name);
    struct view_row *found = NULL;
    struct view_row *row;

    VIEW_FOR_EACH (row, table) {
        const struct datum *datum = column ? view_get(row, column) : NULL;
        struct str value = STR_INIT;

        if (datum && datum->n == 1) {
            atom_to_bare(&value, &datum->keys[0], column->type.key.type);
            if (!strcmp(str_cstr(&value), name)) {
                if (found) {
                    vsctl_fail(ctx, "several rows of table %s have \"%s\" as "
                               "their %s; name the one you mean by its UUID",
                               table->schema->name, name, column_name);
                }
                found = row;
            }
        }
        str_fini(&value);
    }
    return ctx->error ? NULL : found;
}

static struct view_row *
find_by_prefix(struct vsctl_ctx *ctx, const struct view_table *table,
               const char *prefix)
{
    struct view_row *found = NULL;
    struct view_row *row;

    VIEW_FOR_EACH (row, table) {
        if (uuid_has_prefix(&row->uuid, prefix)) {
            if (found) {
                vsctl_fail(ctx, "several rows of table %s have UUIDs that "
                           "begin with \"%s\"; give more of its digits",
                           table->schema->name, prefix);
                return NULL;
            }
            found = row;
        }
    }
    return found;
}

/* Parses "[OPERATOR VALUE]" at 'pos' of 'arg'. */
static char *
take_value(const char *pos, const char *arg, enum column_arg_kind kind,
           struct column_arg *parsed)
{
    size_t best_len = 0;
    struct str s = STR_INIT;

    if (kind == COLUMN_ARG_PLAIN) {
        return *pos ? xasprintf("%s: \"%s\" is too much; only a column, or "
                                "a column and a key, can stand here",
                                arg, pos) : NULL;
    }
    for (int i = 0; i < (kind == COLUMN_ARG_ASSIGN ? 1 : N_RELOPS); i++) {
        size_t len = strlen(relop_texts[i]);

        if (len > best_len && !strncmp(pos, relop_texts[i], len)) {
            parsed->relop = (enum relop) i;
            best_len = len;
        }
    }
    if (best_len && pos[best_len]) {
        parsed->value = xstrdup(pos + best_len);
        return NULL;
    } else if (kind == COLUMN_ARG_ASSIGN) {
        return xasprintf("%s: \"=\" and a value must follow the column%s "
                         "(write \"\" for the empty string, [] for an empty "
                         "set)", arg, parsed->key ? " and key" : "");
    }
    str_printf(&s, "%s: an operator and a value must follow the column; the "
               "operators are", arg);
    for (int i = 0; i < N_RELOPS; i++) {
        str_printf(&s, " %s", relop_texts[i]);
    }
    return str_steal(&s);
}

/* Makes '*datum' what the column is to be with the key set. */
static bool
assign_key(struct vsctl_ctx *ctx, const struct view_row *row,
           const struct column_arg *arg, struct datum *datum)
{
    const struct schema_column *column = arg->column;
    const struct datum_type *type = &column->type;
    union atom key, value;

    if (record_fail_on(ctx, row, column,
                      atom_from_text(&key, &type->key, &ctx->symtab,
                                     arg->key))) {
        return false;
    }
    if (record_fail_on(ctx, row, column,
                      atom_from_text(&value, &type->value, &ctx->symtab,
                                     arg->value))) {
        atom_fini(&key, type->key.type);
        return false;
    }
    datum_clone(datum, view_get(row, column), type);
    datum_put(datum, &key, &value, type);
    atom_fini(&key, type->key.type);
    atom_fini(&value, type->value.type);
    return true;
}

/* Compares the value at a key of a map.  Where there is no such key, the
 * operators for sets see an empty set, and the others are not satisfied. */
static bool
satisfies_key(struct vsctl_ctx *ctx, const struct view_row *row,
              const struct column_arg *arg)
{
    const struct datum_type *type = &arg->column->type;
    const struct datum *map = view_get(row, arg->column);
    struct datum_type value_type = *type;
    struct datum wanted;
    union atom key;
    bool result = false;
    size_t i;

    value_type.key = type->value;
    base_type_init(&value_type.value, ATOM_VOID);
    if (record_fail_on(ctx, row, arg->column,
                      atom_from_text(&key, &type->key, &ctx->symtab,
                                     arg->key))) {
        return false;
    }
    if (!record_fail_on(ctx, row, arg->column,
                       datum_from_text(&wanted, &value_type, &ctx->symtab,
                                       arg->value))) {
        i = datum_find(map, &key, type);
        if (i != DATUM_NOT_FOUND || arg->relop >= RELOP_SET_EQ) {
            struct datum have = DATUM_INIT;

            if (i != DATUM_NOT_FOUND) {
                have.n = 1;
                have.keys = &map->values[i];
            }
            result = evaluate(&have, &wanted, &value_type, arg->relop);
        }
        datum_fini(&wanted, &value_type);
    }
    atom_fini(&key, type->key.type);
    return result;
}

static bool
evaluate(const struct datum *a, const struct datum *b,
         const struct datum_type *type, enum relop relop)
{
    switch (relop) {
    case RELOP_EQ:
    case RELOP_SET_EQ:
        return datum_compare(a, b, type) == 0;
    case RELOP_NE:
    case RELOP_SET_NE:
        return datum_compare(a, b, type) != 0;
    case RELOP_LT:
        return datum_compare(a, b, type) < 0;
    case RELOP_GT:
        return datum_compare(a, b, type) > 0;
    case RELOP_LE:
        return datum_compare(a, b, type) <= 0;
    case RELOP_GE:
        return datum_compare(a, b, type) >= 0;
    case RELOP_SET_LT:
        return a->n < b->n && datum_is_subset(a, b, type);
    case RELOP_SET_GT:
        return a->n > b->n && datum_is_subset(b, a, type);
    case RELOP_SET_LE:
    case RELOP_IN:
        return datum_is_subset(a, b, type);
    case RELOP_SET_GE:
        return datum_is_subset(b, a, type);
    case RELOP_NOT_IN:
        return datum_is_disjoint(a, b, type);
    case N_RELOPS:
        break;
    }
    return false;
}
