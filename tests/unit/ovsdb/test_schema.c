/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_schema.c - reading a schema, and names as people type them.
 */
#include <CUnit/CUnit.h>
#include <limits.h>

#include "lib/ovsdb/schema.h"

void suite_schema(void);

#define SCHEMA(TABLES) \
    "{\"name\":\"Db\",\"version\":\"1.2.3\",\"tables\":{" TABLES "}}"

static const char good[] = SCHEMA(
    "\"Port\":{\"columns\":{"
      "\"name\":{\"type\":\"string\",\"mutable\":false},"
      "\"options\":{\"type\":{\"key\":\"string\",\"value\":\"string\","
        "\"min\":0,\"max\":\"unlimited\"}},"
      "\"ofport\":{\"type\":\"integer\",\"ephemeral\":true},"
      "\"ofport_request\":{\"type\":\"integer\"}},"
      "\"indexes\":[[\"name\"],[\"name\",\"ofport\"]]},"
    "\"Bridge\":{\"columns\":{"
      "\"ports\":{\"type\":{\"key\":{\"type\":\"uuid\","
        "\"refTable\":\"Port\"},\"min\":0,\"max\":\"unlimited\"}},"
      "\"output\":{\"type\":{\"key\":{\"type\":\"uuid\","
        "\"refTable\":\"Port\",\"refType\":\"weak\"},\"min\":0,"
        "\"max\":1}}},"
      "\"isRoot\":true,\"maxRows\":1}");

static struct schema *
make_schema(void)
{
    json_t *json = json_loads(good, 0, NULL);
    struct schema *schema;

    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_PTR_NULL_FATAL(schema_from_json(json, &schema));
    json_decref(json);
    return schema;
}

static void
test_good(void)
{
    struct schema *schema = make_schema();
    const struct schema_table *bridge, *port;
    const struct schema_column *column;

    CU_ASSERT_STRING_EQUAL(schema->name, "Db");
    CU_ASSERT_STRING_EQUAL(schema->version, "1.2.3");
    CU_ASSERT_EQUAL_FATAL(schema->n_tables, 2);
    bridge = schema_find_table(schema, "Bridge");
    port = schema_find_table(schema, "Port");
    CU_ASSERT_PTR_EQUAL_FATAL(bridge, &schema->tables[0]);
    CU_ASSERT_PTR_EQUAL_FATAL(port, &schema->tables[1]);
    CU_ASSERT(bridge->is_root && !port->is_root);
    CU_ASSERT(bridge->max_rows == 1 && port->max_rows == UINT_MAX);
    CU_ASSERT_PTR_NULL(schema_find_table(schema, "port"));

    CU_ASSERT_EQUAL_FATAL(port->n_columns, 4);
    for (size_t i = 0; i < port->n_columns; i++) {
        CU_ASSERT_EQUAL(port->columns[i].index, i);
        CU_ASSERT(!i || strcmp(port->columns[i - 1].name,
                               port->columns[i].name) < 0);
    }
    column = schema_find_column(port, "name");
    CU_ASSERT(column && !column->is_mutable && !column->is_ephemeral);
    column = schema_find_column(port, "ofport");
    CU_ASSERT(column && column->is_mutable && column->is_ephemeral);
    CU_ASSERT_PTR_NULL(schema_find_column(port, "ports"));
    column = schema_find_column(bridge, "ports");
    CU_ASSERT_STRING_EQUAL(column->type.key.ref_table, "Port");
    CU_ASSERT(!column->type.key.is_weak_ref);
    CU_ASSERT(schema_find_column(bridge, "output")->type.key.is_weak_ref);

    CU_ASSERT_EQUAL_FATAL(port->n_indexes, 2);
    CU_ASSERT_STRING_EQUAL(port->indexes[0][0], "name");
    CU_ASSERT_PTR_NULL(port->indexes[0][1]);
    CU_ASSERT_STRING_EQUAL(port->indexes[1][1], "ofport");
    schema_destroy(schema);
    schema_destroy(NULL);
}

static void
check_column(const struct schema_table *table, const char *typed,
             const char *expected)
{
    const struct schema_column *column;
    char *error = schema_match_column(table, typed, &column);

    CU_ASSERT_EQUAL(!error, expected != NULL);
    CU_ASSERT_EQUAL(!error, column != NULL);
    if (column && expected) {
        CU_ASSERT_STRING_EQUAL(column->name, expected);
    }
    free(error);
}

static void
test_names(void)
{
    struct schema *schema = make_schema();
    const struct schema_table *table = NULL;
    char *error;

    CU_ASSERT_PTR_NULL(schema_match_table(schema, "pOrT", &table));
    CU_ASSERT_PTR_EQUAL_FATAL(table, schema_find_table(schema, "Port"));
    CU_ASSERT_PTR_NULL(schema_match_table(schema, "b", &table));
    CU_ASSERT_PTR_EQUAL(table, schema_find_table(schema, "Bridge"));
    error = schema_match_table(schema, "bx", &table);
    CU_ASSERT(error && strstr(error, "bx") && !table);
    free(error);
    error = schema_match_table(schema, "", &table);
    CU_ASSERT_PTR_NOT_NULL(error);
    free(error);

    table = schema_find_table(schema, "Port");
    check_column(table, "name", "name");
    check_column(table, "NA", "name");
    check_column(table, "op", "options");
    check_column(table, "of", NULL);
    /* A whole name wins over those that only begin so. */
    check_column(table, "ofport", "ofport");
    check_column(table, "ofport-", "ofport_request");
    check_column(table, "ofport-request", "ofport_request");
    check_column(table, "ofport-requests", NULL);
    error = schema_match_column(table, "o", &(const struct schema_column *) {
                                                NULL });
    CU_ASSERT(error && strstr(error, "ofport, ofport_request, options"));
    free(error);
    schema_destroy(schema);
}

static void
test_bad(void)
{
    static const char *const bad[] = {
        "{}", "[]", "{\"name\":\"x\"}", "{\"name\":5,\"tables\":{}}",
        SCHEMA("\"T\":{}"), SCHEMA("\"T\":5"),
        SCHEMA("\"T\":{\"columns\":{\"c\":5}}"),
        SCHEMA("\"T\":{\"columns\":{\"c\":{\"type\":\"x\"}}}"),
        SCHEMA("\"T\":{\"columns\":{\"c\":{\"type\":{\"key\":{\"type\":"
               "\"uuid\",\"refTable\":\"U\"}}}}}"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        json_t *json = json_loads(bad[i], 0, NULL);
        struct schema *schema;
        char *error = schema_from_json(json, &schema);

        CU_ASSERT_PTR_NOT_NULL(error);
        CU_ASSERT_PTR_NULL(schema);
        free(error);
        json_decref(json);
    }
}

void
suite_schema(void)
{
    CU_pSuite suite = CU_add_suite("schema", NULL, NULL);

    CU_add_test(suite, "a good schema", test_good);
    CU_add_test(suite, "names as typed", test_names);
    CU_add_test(suite, "bad schemas", test_bad);
}
