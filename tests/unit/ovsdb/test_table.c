/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table.c - output tables in every format.
 */
#include <CUnit/CUnit.h>

#include "lib/ovsdb/table.h"

void suite_table(void);

static struct datum_type string_type;
static struct datum_type map_type;

static void
add_text(struct table *table, const char *text,
         const struct datum_type *type)
{
    struct datum datum;

    CU_ASSERT_PTR_NULL_FATAL(datum_from_text(&datum, type, NULL, text));
    table_add_datum(table, &datum, type);
    datum_fini(&datum, type);
}

/* Two columns and two rows with something to escape. */
static void
fill(struct table *table)
{
    table_init(table);
    table_add_column(table, "name");
    table_add_column(table, "options");
    table_add_row(table);
    add_text(table, "a", &string_type);
    add_text(table, "{}", &map_type);
    table_add_row(table);
    add_text(table, "\"b<&>\"", &string_type);
    add_text(table, "k=\"1,2\"", &map_type);
}

static void
check(const char *format, const char *cells, bool has_headings,
      bool is_pretty, size_t width, const char *expected)
{
    struct table_style style = TABLE_STYLE_INIT;
    struct str s = STR_INIT;
    struct table table;

    CU_ASSERT_FATAL(table_format_from_name(&style.format, format));
    CU_ASSERT_FATAL(table_cell_format_from_name(&style.cell_format, cells));
    style.has_headings = has_headings;
    style.is_pretty = is_pretty;
    style.max_column_width = width;
    fill(&table);
    table_format(&table, &style, &s);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), expected);
    str_fini(&s);
    table_fini(&table);
}

static void
test_formats(void)
{
    datum_type_init_scalar(&string_type, ATOM_STRING);
    datum_type_init_scalar(&map_type, ATOM_STRING);
    base_type_init(&map_type.value, ATOM_STRING);
    map_type.n_min = 0;
    map_type.n_max = 9;

    check("table", "string", true, false, 0,
          "name   options\n"
          "------ ---------\n"
          "a      {}\n"
          "\"b<&>\" {k=\"1,2\"}\n");
    /* A line does not end in blanks. */
    check("table", "bare", false, false, 0, "a\nb<&> k=1,2\n");
    check("table", "string", true, false, 5,
          "name  options\n"
          "----- -------\n"
          "a     {}\n"
          "\"b<&> {k=\"1,2\n");
    check("list", "string", true, false, 0,
          "name                : a\n"
          "options             : {}\n"
          "\n"
          "name                : \"b<&>\"\n"
          "options             : {k=\"1,2\"}\n");
    check("list", "bare", false, false, 0, "a\n\n\nb<&>\nk=1,2\n");
    check("csv", "string", true, false, 0,
          "name,options\n"
          "a,{}\n"
          "\"\"\"b<&>\"\"\",\"{k=\"\"1,2\"\"}\"\n");
    check("html", "bare", true, false, 0,
          "<table border=1>\n"
          "  <tr>\n    <th>name</th>\n    <th>options</th>\n  </tr>\n"
          "  <tr>\n    <td>a</td>\n    <td></td>\n  </tr>\n"
          "  <tr>\n    <td>b&lt;&amp;&gt;</td>\n    <td>k=1,2</td>\n  </tr>\n"
          "</table>\n");
    check("json", "string", true, false, 0,
          "{\"data\":[[\"a\",[\"map\",[]]],[\"b<&>\",[\"map\",[[\"k\","
          "\"1,2\"]]]]],\"headings\":[\"name\",\"options\"]}\n");
    check("json", "string", true, true, 0,
          "{\n"
          "  \"data\": [\n"
          "    [\n"
          "      \"a\",\n"
          "      [\n"
          "        \"map\",\n"
          "        []]],\n"
          "    [\n"
          "      \"b<&>\",\n"
          "      [\n"
          "        \"map\",\n"
          "        [\n"
          "          [\n"
          "            \"k\",\n"
          "            \"1,2\"]]]]],\n"
          "  \"headings\": [\n"
          "    \"name\",\n"
          "    \"options\"]}\n");
    check("list", "json", true, false, 0,
          "name                : \"a\"\n"
          "options             : [\"map\",[]]\n"
          "\n"
          "name                : \"b<&>\"\n"
          "options             : [\"map\",[[\"k\",\"1,2\"]]]\n");
}

/* In HTML, references are links to the rows' own UUIDs. */
static void
test_html_links(void)
{
    const char *text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    struct table_style style = TABLE_STYLE_INIT;
    struct datum_type uuid_type;
    struct str s = STR_INIT;
    struct table table;

    datum_type_init_scalar(&uuid_type, ATOM_UUID);
    style.format = TABLE_FORMAT_HTML;
    style.has_headings = false;
    table_init(&table);
    table_add_column(&table, "_uuid");
    table_add_column(&table, "ports");
    table_add_row(&table);
    add_text(&table, text, &uuid_type);
    add_text(&table, text, &uuid_type);
    table_format(&table, &style, &s);
    CU_ASSERT_STRING_EQUAL(
        str_cstr(&s),
        "<table border=1>\n  <tr>\n"
        "    <td><a name=\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\">f81d4fae"
        "</a></td>\n"
        "    <td><a href=\"#f81d4fae-7dec-11d0-a765-00a0c91e6bf6\">f81d4fae"
        "</a></td>\n"
        "  </tr>\n</table>\n");
    str_fini(&s);
    table_fini(&table);
}

static void
test_names(void)
{
    enum table_cell_format cells;
    enum table_format format;

    CU_ASSERT(!table_format_from_name(&format, ""));
    CU_ASSERT(!table_format_from_name(&format, "xml"));
    CU_ASSERT(!table_cell_format_from_name(&cells, "list"));
}

static void
test_empty(void)
{
    struct table_style style = TABLE_STYLE_INIT;
    struct str s = STR_INIT;
    struct table table;

    table_init(&table);
    table_format(&table, &style, &s);
    style.format = TABLE_FORMAT_JSON;
    table_format(&table, &style, &s);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "{\"data\":[],\"headings\":[]}\n");
    str_fini(&s);
    table_fini(&table);
}

void
suite_table(void)
{
    CU_pSuite suite = CU_add_suite("table", NULL, NULL);

    CU_add_test(suite, "formats", test_formats);
    CU_add_test(suite, "links in HTML", test_html_links);
    CU_add_test(suite, "names", test_names);
    CU_add_test(suite, "empty", test_empty);
}
