/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_atom.c - single values: text and JSON in and out, constraints.
 */
#include <CUnit/CUnit.h>
#include <inttypes.h>

#include "lib/ovsdb/atom.h"
#include "lib/ovsdb/atomtext.h"

void suite_atom(void);

/* Reads 'text' as the type that is 'type_json' and checks that it prints as
 * 'expected'; NULL means that it must be refused. */
static void
check_text(const char *type_json, const char *text, const char *expected)
{
    json_t *json = json_loads(type_json, JSON_DECODE_ANY, NULL);
    struct base_type base;
    struct str s = STR_INIT;
    union atom atom;
    char *error = base_type_from_json(&base, json);

    CU_ASSERT_PTR_NULL_FATAL(error);
    error = atom_from_text(&atom, &base, NULL, text);
    if (!error) {
        atom_to_text(&s, &atom, base.type);
        atom_fini(&atom, base.type);
    }
    if (!expected ? !error : error || strcmp(str_cstr(&s), expected)) {
        fprintf(stderr, "%s as %s gives %s, not %s\n", text, type_json,
                error ? error : str_cstr(&s), expected);
        CU_FAIL("wrong text");
    }
    free(error);
    str_fini(&s);
    base_type_fini(&base);
    json_decref(json);
}

static void
test_numbers(void)
{
    check_text("\"integer\"", "0", "0");
    check_text("\"integer\"", "-7", "-7");
    check_text("\"integer\"", "+7", "7");
    check_text("\"integer\"", "007", "7");
    check_text("\"integer\"", "9223372036854775807", "9223372036854775807");
    check_text("\"integer\"", "-9223372036854775808",
               "-9223372036854775808");
    check_text("\"integer\"", "9223372036854775808", NULL);
    check_text("\"integer\"", "99999999999999999999999", NULL);
    check_text("\"integer\"", "", NULL);
    check_text("\"integer\"", "-", NULL);
    check_text("\"integer\"", "5x", NULL);
    check_text("\"integer\"", " 5", NULL);
    check_text("\"integer\"", "1.0", NULL);
    check_text("\"integer\"", "0x10", NULL);
    check_text("\"real\"", "1.5", "1.5");
    check_text("\"real\"", "-1e3", "-1000");
    check_text("\"real\"", "x", NULL);
    check_text("\"real\"", "inf", NULL);
    check_text("\"real\"", "nan", NULL);
}

static void
test_booleans(void)
{
    check_text("\"boolean\"", "true", "true");
    check_text("\"boolean\"", "yes", "true");
    check_text("\"boolean\"", "on", "true");
    check_text("\"boolean\"", "1", "true");
    check_text("\"boolean\"", "false", "false");
    check_text("\"boolean\"", "no", "false");
    check_text("\"boolean\"", "off", "false");
    check_text("\"boolean\"", "0", "false");
    check_text("\"boolean\"", "TRUE", NULL);
    check_text("\"boolean\"", "2", NULL);
}

static void
test_strings(void)
{
    check_text("\"string\"", "a", "a");
    check_text("\"string\"", "_a-b.c9", "_a-b.c9");
    check_text("\"string\"", "9a", "\"9a\"");
    check_text("\"string\"", "-a", "\"-a\"");
    check_text("\"string\"", "a b", "\"a b\"");
    check_text("\"string\"", "a:b", "\"a:b\"");
    check_text("\"string\"", "true", "\"true\"");
    check_text("\"string\"", "false", "\"false\"");
    check_text("\"string\"", "truely", "truely");
    check_text("\"string\"", "\"\"", "\"\"");
    check_text("\"string\"", "\"a\"", "a");
    check_text("\"string\"", "\"a\\\"b\\\\\\/\"", "\"a\\\"b\\\\/\"");
    check_text("\"string\"", "\"\\b\\f\\n\\r\\t\"", "\"\\b\\f\\n\\r\\t\"");
    check_text("\"string\"", "\"\\u0001\"", "\"\\u0001\"");
    check_text("\"string\"", "\"\\u00e9\"", "\"\xc3\xa9\"");
    check_text("\"string\"", "\"\\u20ac\"", "\"\xe2\x82\xac\"");
    check_text("\"string\"", "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"");
    check_text("\"string\"", "a\\", "\"a\\\\\"");
    check_text("\"string\"", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
               "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"");
    check_text("\"string\"", "f81d4fae-7dec", "f81d4fae-7dec");
    check_text("\"string\"", "", NULL);
    check_text("\"string\"", "\"", NULL);
    check_text("\"string\"", "\"a", NULL);
    check_text("\"string\"", "\"a\"b", NULL);
    check_text("\"string\"", "\"\\q\"", NULL);
    check_text("\"string\"", "\"\\\"", NULL);
    check_text("\"string\"", "\"\\u12\"", NULL);
    check_text("\"string\"", "\"\\u0000\"", NULL);
    check_text("\"string\"", "\"\\ud83d\"", NULL);
    check_text("\"string\"", "\"\\ud83dxxxxxx\"", NULL);
    check_text("\"string\"", "\"\\ude00\"", NULL);
}

static void
test_utf8(void)
{
    static const char *const bad[] = {
        "\xff", "\x80", "a\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        check_text("\"string\"", bad[i], NULL);
    }
    CU_ASSERT_EQUAL(atomtext_utf8_valid_len("ab\xff"), 2);
    CU_ASSERT_EQUAL(atomtext_utf8_valid_len("\xf0\x9f\x98\x80z"), 5);
    CU_ASSERT_EQUAL(atomtext_utf8_valid_len("\xee\x80\x80"), 3);
    CU_ASSERT_EQUAL(atomtext_utf8_valid_len("\xf4\x8f\xbf\xbf"), 4);
}

static void
test_uuids(void)
{
    const char *text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    struct symtab symtab;
    struct base_type base;
    union atom a, b;
    char *error;

    check_text("\"uuid\"", text, text);
    check_text("\"uuid\"", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", text);
    check_text("\"uuid\"", "f81d4fae", NULL);
    check_text("\"uuid\"", "f81d4fae-7dec-11d0-a765-00a0c91e6bf60", NULL);
    check_text("\"uuid\"", "f81d4fae07dec-11d0-a765-00a0c91e6bf6", NULL);
    check_text("\"uuid\"", "@x", NULL);

    /* A name stands for the same UUID each time. */
    symtab_init(&symtab);
    base_type_init(&base, ATOM_UUID);
    CU_ASSERT_PTR_NULL(atom_from_text(&a, &base, &symtab, "@x"));
    CU_ASSERT_PTR_NULL(atom_from_text(&b, &base, &symtab, "@x"));
    CU_ASSERT(uuid_equal(&a.uuid, &b.uuid));
    CU_ASSERT_PTR_NULL(atom_from_text(&b, &base, &symtab, "@y"));
    CU_ASSERT(!uuid_equal(&a.uuid, &b.uuid));
    CU_ASSERT(symtab_find(&symtab, "@x")->has_weak_ref);
    CU_ASSERT(!symtab_find(&symtab, "@x")->has_strong_ref);
    CU_ASSERT_PTR_NULL(symtab_find(&symtab, "@z"));

    /* Where rows are kept alive the name counts as a strong reference. */
    base.ref_table = xstrdup("T");
    CU_ASSERT_PTR_NULL(atom_from_text(&a, &base, &symtab, "@x"));
    CU_ASSERT(symtab_find(&symtab, "@x")->has_strong_ref);
    error = atom_from_text(&a, &base, NULL, "@x");
    CU_ASSERT_PTR_NOT_NULL(error);
    free(error);
    base_type_fini(&base);
    symtab_fini(&symtab);
}

static void
test_constraints(void)
{
    const char *vlan = "{\"type\":\"integer\",\"minInteger\":0,"
                       "\"maxInteger\":4095}";
    const char *mode = "{\"type\":\"string\",\"enum\":[\"set\",[\"b\","
                       "\"a\"]]}";

    check_text(vlan, "0", "0");
    check_text(vlan, "4095", "4095");
    check_text(vlan, "4096", NULL);
    check_text(vlan, "-1", NULL);
    check_text("{\"type\":\"integer\",\"minInteger\":5}", "4", NULL);
    check_text("{\"type\":\"integer\",\"maxInteger\":5}", "6", NULL);
    check_text("{\"type\":\"real\",\"minReal\":0.5,\"maxReal\":1}", "0.25",
               NULL);
    check_text("{\"type\":\"real\",\"minReal\":0.5,\"maxReal\":1}", "0.5",
               "0.5");
    check_text(mode, "a", "a");
    check_text(mode, "c", NULL);
    check_text("{\"type\":\"integer\",\"enum\":5}", "5", "5");
    check_text("{\"type\":\"integer\",\"enum\":5}", "6", NULL);
    check_text("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", "a",
               NULL);
    /* Lengths count characters, not bytes. */
    check_text("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
               "\xc3\xa9\xc3\xa9\xc3\xa9", "\"\xc3\xa9\xc3\xa9\xc3\xa9\"");
    check_text("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
               "abcd", NULL);
}

static void
test_ranges(void)
{
    struct base_type base;
    int64_t first, last;
    char *error;

    base_type_init(&base, ATOM_INTEGER);
    base.min_integer = 0;
    base.max_integer = 100;
    CU_ASSERT(atom_range_from_text(&first, &last, &base, "3-7", &error));
    CU_ASSERT(!error && first == 3 && last == 7);
    CU_ASSERT(atom_range_from_text(&first, &last, &base, "7-3", &error));
    CU_ASSERT_PTR_NOT_NULL(error);
    free(error);
    CU_ASSERT(atom_range_from_text(&first, &last, &base, "7-101", &error));
    CU_ASSERT_PTR_NOT_NULL(error);
    free(error);
    CU_ASSERT(!atom_range_from_text(&first, &last, &base, "7", &error));
    CU_ASSERT(!atom_range_from_text(&first, &last, &base, "7-", &error));
    CU_ASSERT(!atom_range_from_text(&first, &last, &base, "-7", &error));
    CU_ASSERT(!atom_range_from_text(&first, &last, &base, "1-2-3", &error));
    base_type_fini(&base);
}

static void
test_json(void)
{
    static const char *const bad_types[] = {
        "5", "\"void\"", "{}", "{\"type\":\"x\"}",
        "{\"type\":\"integer\",\"minInteger\":2,\"maxInteger\":1}",
        "{\"type\":\"string\",\"minLength\":-1}",
        "{\"type\":\"string\",\"enum\":[\"set\",[]]}",
        "{\"type\":\"string\",\"enum\":[\"set\",[1]]}",
        "{\"type\":\"string\",\"refTable\":\"T\"}",
    };
    static const struct {
        enum atom_type type;
        const char *json;
        bool ok;
    } atoms[] = {
        { ATOM_INTEGER, "5", true },         { ATOM_INTEGER, "1.5", false },
        { ATOM_INTEGER, "\"5\"", false },    { ATOM_REAL, "1.5", true },
        { ATOM_BOOLEAN, "true", true },      { ATOM_BOOLEAN, "1", false },
        { ATOM_STRING, "\"a\"", true },      { ATOM_STRING, "null", false },
        { ATOM_UUID, "[\"uuid\",\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"]",
          true },
        { ATOM_UUID, "[\"uuid\",\"f81d4fae\"]", false },
        { ATOM_UUID, "[\"named-uuid\",\"a\"]", false },
        { ATOM_UUID, "[\"uuid\"]", false },  { ATOM_UUID, "{}", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad_types); i++) {
        json_t *json = json_loads(bad_types[i], JSON_DECODE_ANY, NULL);
        struct base_type base;
        char *error = base_type_from_json(&base, json);

        CU_ASSERT_PTR_NOT_NULL(error);
        free(error);
        json_decref(json);
    }
    for (size_t i = 0; i < ARRAY_SIZE(atoms); i++) {
        json_t *json = json_loads(atoms[i].json, JSON_DECODE_ANY, NULL);
        union atom atom;
        char *error = atom_from_json(&atom, atoms[i].type, json);

        CU_ASSERT_EQUAL(!error, atoms[i].ok);
        if (!error) {
            json_t *again = atom_to_json(&atom, atoms[i].type);

            CU_ASSERT(json_equal(again, json));
            json_decref(again);
            atom_fini(&atom, atoms[i].type);
        }
        free(error);
        json_decref(json);
    }
}

static void
test_words(void)
{
    static const struct {
        const char *text, *word, *rest;
    } words[] = {
        { "ab:c", "ab", ":c" },
        { "a\\:b=", "a:b", "=" },
        { "\"a b\" c", "\"a b\"", " c" },
        { "\"a\\\"b\",", "\"a\\\"b\"", "," },
        { "x\"a b\"y,z", "x\"a b\"y", ",z" },
        { "=a", "", "=a" },
        { "", "", "" },
        { "a\tb", "a\tb", "" },
        { "a\"", NULL, "a\"" },
        { "a\\", NULL, "a\\" },
        { "\"a\\", NULL, "\"a\\" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const char *pos = words[i].text;
        char *word;
        char *error = atomtext_take_word(&pos, &word);

        CU_ASSERT_EQUAL(!error, words[i].word != NULL);
        if (!error) {
            CU_ASSERT_STRING_EQUAL(word, words[i].word);
        }
        CU_ASSERT_STRING_EQUAL(pos, words[i].rest);
        free(error);
        free(word);
    }
}

static void
test_order(void)
{
    union atom a = { .string = (char *) "a" };
    union atom b = { .string = (char *) "b" };
    union atom low = { .integer = INT64_MIN };
    union atom high = { .integer = INT64_MAX };
    union atom u = { .uuid = { { 1, 0, 0, 0 } } };
    union atom v = { .uuid = { { 0x80000000, 0, 0, 0 } } };

    CU_ASSERT(atom_compare(&a, &b, ATOM_STRING) < 0);
    CU_ASSERT(atom_compare(&b, &a, ATOM_STRING) > 0);
    CU_ASSERT(atom_compare(&low, &high, ATOM_INTEGER) < 0);
    CU_ASSERT(atom_compare(&u, &v, ATOM_UUID) < 0);
    CU_ASSERT(atom_comparator(ATOM_UUID)(&v, &u) > 0);
    CU_ASSERT(atom_comparator(ATOM_STRING)(&a, &a) == 0);
}

void
suite_atom(void)
{
    CU_pSuite suite = CU_add_suite("atom", NULL, NULL);

    CU_add_test(suite, "numbers", test_numbers);
    CU_add_test(suite, "booleans", test_booleans);
    CU_add_test(suite, "strings", test_strings);
    CU_add_test(suite, "UTF-8", test_utf8);
    CU_add_test(suite, "UUIDs and names", test_uuids);
    CU_add_test(suite, "constraints", test_constraints);
    CU_add_test(suite, "ranges", test_ranges);
    CU_add_test(suite, "JSON", test_json);
    CU_add_test(suite, "words", test_words);
    CU_add_test(suite, "order", test_order);
}
