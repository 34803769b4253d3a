/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - output of rows and columns.  See table.h.
 */
#include "lib/ovsdb/table.h"

/* Digits of a UUID that are shown in HTML. */
#define SHORT_UUID_LEN 8

struct table_cell {
    struct datum datum;
    const struct datum_type *type;      /* NULL for an empty cell. */
};

static const char *const format_names[] = {
    [TABLE_FORMAT_TABLE] = "table", [TABLE_FORMAT_LIST] = "list",
    [TABLE_FORMAT_HTML] = "html",   [TABLE_FORMAT_CSV] = "csv",
    [TABLE_FORMAT_JSON] = "json",
};

static const char *const cell_format_names[] = {
    [TABLE_CELL_STRING] = "string",
    [TABLE_CELL_BARE] = "bare",
    [TABLE_CELL_JSON] = "json",
};

static const struct table_cell *get_cell(const struct table *, size_t row,
                                         size_t column);
static char *cell_to_text(const struct table_cell *, enum table_cell_format);
static void format_table(const struct table *, const struct table_style *,
                         struct str *);
static void format_line(struct str *, char *const cells[],
                        const size_t widths[], size_t n);
static size_t *measure(const struct table *, const struct table_style *,
                       char *const cells[]);
static void format_list(const struct table *, const struct table_style *,
                        struct str *);
static void format_html(const struct table *, const struct table_style *,
                        struct str *);
static void format_html_cell(struct str *, const char *element,
                             const char *text, bool is_anchor);
static void escape_html(struct str *, const char *text, size_t max_len);
static bool starts_with_uuid(const char *text, char uuid[UUID_LEN + 1]);
static void format_csv(const struct table *, const struct table_style *,
                       struct str *);
static void format_csv_cell(struct str *, const char *text, size_t column);
static void format_json(const struct table *, const struct table_style *,
                        struct str *);
static void pretty_print(struct str *, const json_t *, size_t indent);
static size_t find_name(const char *const names[], size_t n,
                        const char *name);

bool
table_format_from_name(enum table_format *format, const char *name)
{
    size_t i = find_name(format_names, ARRAY_SIZE(format_names), name);

    *format = (enum table_format) i;
    return i < ARRAY_SIZE(format_names);
}

bool
table_cell_format_from_name(enum table_cell_format *format, const char *name)
{
    size_t i = find_name(cell_format_names, ARRAY_SIZE(cell_format_names),
                         name);

    *format = (enum table_cell_format) i;
    return i < ARRAY_SIZE(cell_format_names);
}

void
table_init(struct table *table)
{
    *table = (struct table) { .headings = NULL };
}

void
table_fini(struct table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        free(table->headings[i]);
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        if (table->cells[i].type) {
            datum_fini(&table->cells[i].datum, table->cells[i].type);
        }
    }
    free(table->headings);
    free(table->cells);
    table_init(table);
}

void
table_add_column(struct table *table, const char *heading)
{
    if (table->n_columns >= table->headings_size) {
        table->headings = xgrow(table->headings, &table->headings_size,
                                sizeof *table->headings);
    }
    table->headings[table->n_columns++] = xstrdup(heading);
}

void
table_add_row(struct table *table)
{
    table->n_rows++;
}

void
table_add_datum(struct table *table, const struct datum *datum,
                const struct datum_type *type)
{
    struct table_cell *cell;

    if (table->n_cells >= table->cells_size) {
        table->cells = xgrow(table->cells, &table->cells_size,
                             sizeof *table->cells);
    }
    cell = &table->cells[table->n_cells++];
    datum_clone(&cell->datum, datum, type);
    cell->type = type;
}

void
table_format(const struct table *table, const struct table_style *style,
             struct str *out)
{
    switch (style->format) {
    case TABLE_FORMAT_TABLE:
        format_table(table, style, out);
        break;
    case TABLE_FORMAT_LIST:
        format_list(table, style, out);
        break;
    case TABLE_FORMAT_HTML:
        format_html(table, style, out);
        break;
    case TABLE_FORMAT_CSV:
        format_csv(table, style, out);
        break;
    case TABLE_FORMAT_JSON:
        format_json(table, style, out);
        break;
    }
}

/* NULL for a cell that a short last row lacks. */
static const struct table_cell *
get_cell(const struct table *table, size_t row, size_t column)
{
    size_t i = row * table->n_columns + column;

    return i < table->n_cells ? &table->cells[i] : NULL;
}

static char *
cell_to_text(const struct table_cell *cell, enum table_cell_format format)
{
    struct str s = STR_INIT;

    if (!cell) {
        return xstrdup("");
    }
    if (format == TABLE_CELL_JSON) {
        json_t *json = datum_to_json(&cell->datum, cell->type);
        char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY
                                      | JSON_REAL_PRECISION(15));

        str_append(&s, text ? text : "");
        free(text);
        json_decref(json);
    } else if (format == TABLE_CELL_BARE) {
        datum_to_bare(&s, &cell->datum, cell->type);
    } else {
        datum_to_text(&s, &cell->datum, cell->type);
    }
    return str_steal(&s);
}

static void
format_table(const struct table *table, const struct table_style *style,
             struct str *out)
{
    size_t n = table->n_columns;
    char **cells = xcalloc(n * table->n_rows, sizeof *cells);
    size_t *widths;

    for (size_t i = 0; i < n * table->n_rows; i++) {
        cells[i] = cell_to_text(get_cell(table, i / n, i % n),
                                style->cell_format);
    }
    widths = measure(table, style, cells);

    if (style->has_headings) {
        format_line(out, table->headings, widths, n);
        for (size_t i = 0; i < n; i++) {
            str_append(out, i ? " " : "");
            str_append_fill(out, '-', widths[i]);
        }
        str_append_char(out, '\n');
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        format_line(out, &cells[row * n], widths, n);
    }
    for (size_t i = 0; i < n * table->n_rows; i++) {
        free(cells[i]);
    }
    free(cells);
    free(widths);
}

/* Blanks are put before a cell and not behind it, so that lines do not end in
 * blanks. */
static void
format_line(struct str *out, char *const cells[], const size_t widths[],
            size_t n)
{
    size_t n_blanks = 0;

    for (size_t i = 0; i < n; i++) {
        size_t len = strnlen(cells[i], widths[i]);

        if (len) {
            str_append_fill(out, ' ', n_blanks);
            str_append_n(out, cells[i], len);
            n_blanks = 0;
        }
        n_blanks += widths[i] - len + 1;
    }
    str_append_char(out, '\n');
}

static size_t *
measure(const struct table *table, const struct table_style *style,
        char *const cells[])
{
    size_t n = table->n_columns;
    size_t *widths = xcalloc(n, sizeof *widths);

    for (size_t i = 0; i < n; i++) {
        for (size_t row = 0; row < table->n_rows; row++) {
            widths[i] = MAX(widths[i], strlen(cells[row * n + i]));
        }
        if (style->max_column_width) {
            widths[i] = MIN(widths[i], style->max_column_width);
        }
        if (style->has_headings) {
            widths[i] = MAX(widths[i], strlen(table->headings[i]));
        }
    }
    return widths;
}

static void
format_list(const struct table *table, const struct table_style *style,
            struct str *out)
{
    for (size_t row = 0; row < table->n_rows; row++) {
        str_append(out, row ? "\n" : "");
        for (size_t i = 0; i < table->n_columns; i++) {
            char *text = cell_to_text(get_cell(table, row, i),
                                      style->cell_format);

            if (style->has_headings) {
                str_printf(out, "%-20s: ", table->headings[i]);
            }
            str_append(out, text);
            str_append_char(out, '\n');
            free(text);
        }
    }
}

static void
format_html(const struct table *table, const struct table_style *style,
            struct str *out)
{
    str_append(out, "<table border=1>\n");
    if (style->has_headings) {
        str_append(out, "  <tr>\n");
        for (size_t i = 0; i < table->n_columns; i++) {
            format_html_cell(out, "th", table->headings[i], false);
        }
        str_append(out, "  </tr>\n");
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        str_append(out, "  <tr>\n");
        for (size_t i = 0; i < table->n_columns; i++) {
            char *text = cell_to_text(get_cell(table, row, i),
                                      style->cell_format);

            format_html_cell(out, "td", text,
                             !strcmp(table->headings[i], "_uuid"));
            free(text);
        }
        str_append(out, "  </tr>\n");
    }
    str_append(out, "</table>\n");
}

/* A row's UUID is an anchor to which the references to the row, the UUIDs in
 * other cells, are linked; of either only the beginning is shown. */
static void
format_html_cell(struct str *out, const char *element, const char *text,
                 bool is_anchor)
{
    char uuid[UUID_LEN + 1];

    str_printf(out, "    <%s>", element);
    if (is_anchor) {
        str_append(out, "<a name=\"");
        escape_html(out, text, SIZE_MAX);
        str_append(out, "\">");
        escape_html(out, text, SHORT_UUID_LEN);
        str_append(out, "</a>");
        text = "";
    }
    while (*text) {
        if (starts_with_uuid(text, uuid)) {
            str_printf(out, "<a href=\"#%s\">%.*s</a>", uuid, SHORT_UUID_LEN,
                       uuid);
            text += UUID_LEN;
        } else {
            escape_html(out, text++, 1);
        }
    }
    str_printf(out, "</%s>\n", element);
}

/* Appends at most 'max_len' bytes of 'text'. */
static void
escape_html(struct str *out, const char *text, size_t max_len)
{
    for (size_t i = 0; i < max_len && text[i]; i++) {
        switch (text[i]) {
        case '&':
            str_append(out, "&amp;");
            break;
        case '<':
            str_append(out, "&lt;");
            break;
        case '>':
            str_append(out, "&gt;");
            break;
        case '"':
            str_append(out, "&quot;");
            break;
        default:
            str_append_char(out, text[i]);
            break;
        }
    }
}

static bool
starts_with_uuid(const char *text, char uuid[UUID_LEN + 1])
{
    struct uuid parsed;
    size_t len = strnlen(text, UUID_LEN);

    memcpy(uuid, text, len);
    uuid[len] = '\0';
    return len == UUID_LEN && uuid_from_text(&parsed, uuid);
}

static void
format_csv(const struct table *table, const struct table_style *style,
           struct str *out)
{
    if (style->has_headings) {
        for (size_t i = 0; i < table->n_columns; i++) {
            format_csv_cell(out, table->headings[i], i);
        }
        str_append_char(out, '\n');
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        for (size_t i = 0; i < table->n_columns; i++) {
            char *text = cell_to_text(get_cell(table, row, i),
                                      style->cell_format);

            format_csv_cell(out, text, i);
            free(text);
        }
        str_append_char(out, '\n');
    }
}

static void
format_csv_cell(struct str *out, const char *text, size_t column)
{
    str_append(out, column ? "," : "");
    if (!strpbrk(text, "\n\",")) {
        str_append(out, text);
        return;
    }
    str_append_char(out, '"');
    for (; *text; text++) {
        str_append(out, *text == '"' ? "\"" : "");
        str_append_char(out, *text);
    }
    str_append_char(out, '"');
}

static void
format_json(const struct table *table, const struct table_style *style,
            struct str *out)
{
    json_t *headings = json_array();
    json_t *data = json_array();
    json_t *json;

    for (size_t i = 0; i < table->n_columns; i++) {
        json_array_append_new(headings, json_string(table->headings[i]));
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        json_t *row_json = json_array();

        for (size_t i = 0; i < table->n_columns; i++) {
            const struct table_cell *cell = get_cell(table, row, i);

            json_array_append_new(row_json,
                                  cell ? datum_to_json(&cell->datum,
                                                       cell->type)
                                       : json_string(""));
        }
        json_array_append_new(data, row_json);
    }
    json = json_pack("{soso}", "data", data, "headings", headings);
    if (style->is_pretty) {
        pretty_print(out, json, 0);
    } else {
        char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

        str_append(out, text ? text : "");
        free(text);
    }
    str_append_char(out, '\n');
    json_decref(json);
}

/* Each member and element begins a line; closing brackets do not. */
static void
pretty_print(struct str *out, const json_t *json, size_t indent)
{
    size_t n = 0;

    if (json_is_object(json)) {
        const char *key;
        json_t *value;

        str_append_char(out, '{');
        json_object_foreach((json_t *) json, key, value) {
            str_append(out, n++ ? ",\n" : "\n");
            str_append_fill(out, ' ', indent + 2);
            atom_quote(out, key);
            str_append(out, ": ");
            pretty_print(out, value, indent + 2);
        }
        str_append_char(out, '}');
    } else if (json_is_array(json)) {
        str_append_char(out, '[');
        for (; n < json_array_size(json); n++) {
            str_append(out, n ? ",\n" : "\n");
            str_append_fill(out, ' ', indent + 2);
            pretty_print(out, json_array_get(json, n), indent + 2);
        }
        str_append_char(out, ']');
    } else {
        char *text = json_dumps(json, JSON_ENCODE_ANY
                                      | JSON_REAL_PRECISION(15));

        str_append(out, text ? text : "");
        free(text);
    }
}

/* Index of 'name', or 'n'. */
static size_t
find_name(const char *const names[], size_t n, const char *name)
{
    size_t i;

    for (i = 0; i < n && strcmp(names[i], name); i++) {
        continue;
    }
    return i;
}
