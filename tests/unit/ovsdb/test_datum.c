/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_datum.c - sets and maps: text and JSON in and out, and operations
 * against a model that is one bit per element.
 */
#include <CUnit/CUnit.h>
#include <limits.h>

#include "lib/ovsdb/datum.h"

void suite_datum(void);

#define INTS "{\"key\":{\"type\":\"integer\",\"minInteger\":0," \
             "\"maxInteger\":4095},\"min\":0,\"max\":4096}"
#define STRINGS "{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}"
#define SOME "{\"key\":\"string\",\"min\":1,\"max\":\"unlimited\"}"
#define MAYBE "{\"key\":\"integer\",\"min\":0,\"max\":1}"
#define MAP "{\"key\":\"string\",\"value\":\"string\",\"min\":0," \
            "\"max\":\"unlimited\"}"
#define INTMAP "{\"key\":\"integer\",\"value\":\"integer\",\"min\":0," \
               "\"max\":2}"

static void
make_type(struct datum_type *type, const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

    CU_ASSERT_PTR_NULL_FATAL(datum_type_from_json(type, json));
    json_decref(json);
}

/* Reads 'text' and checks that it prints as 'expected', and as 'bare'; NULL
 * means that it must be refused.  What is printed must read as the same, and
 * the JSON form too. */
static void
check_text(const char *type_text, const char *text, const char *expected,
           const char *bare)
{
    struct datum_type type;
    struct datum datum, again;
    char *error;

    make_type(&type, type_text);
    error = datum_from_text(&datum, &type, NULL, text);
    if (!expected) {
        if (!error) {
            fprintf(stderr, "%s is not refused\n", text);
            CU_FAIL("not refused");
            datum_fini(&datum, &type);
        }
        free(error);
        datum_type_fini(&type);
        return;
    }
    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        CU_FAIL("refused");
        free(error);
    } else {
        json_t *json = datum_to_json(&datum, &type);
        struct str s = STR_INIT;
        struct str b = STR_INIT;

        datum_to_text(&s, &datum, &type);
        CU_ASSERT_STRING_EQUAL(str_cstr(&s), expected);
        datum_to_bare(&b, &datum, &type);
        CU_ASSERT_STRING_EQUAL(str_cstr(&b), bare);

        CU_ASSERT_PTR_NULL_FATAL(datum_from_text(&again, &type, NULL,
                                                 str_cstr(&s)));
        CU_ASSERT(datum_equal(&datum, &again, &type));
        datum_fini(&again, &type);

        CU_ASSERT_PTR_NULL_FATAL(datum_from_json(&again, &type, json));
        CU_ASSERT(datum_equal(&datum, &again, &type));
        datum_fini(&again, &type);
        datum_fini(&datum, &type);
        json_decref(json);
        str_fini(&s);
        str_fini(&b);
    }
    datum_type_fini(&type);
}

static void
test_set_text(void)
{
    check_text(INTS, "[]", "[]", "");
    check_text(INTS, " [ ] ", "[]", "");
    check_text(INTS, "5", "[5]", "5");
    check_text(INTS, "10 3 7", "[3, 7, 10]", "3 7 10");
    check_text(INTS, "[10,3, 7]", "[3, 7, 10]", "3 7 10");
    check_text(INTS, "1,2,", "[1, 2]", "1 2");
    check_text(INTS, "1-3,8", "[1, 2, 3, 8]", "1 2 3 8");
    check_text(INTS, "", NULL, NULL);
    check_text(INTS, " ", NULL, NULL);
    check_text(INTS, ",", NULL, NULL);
    check_text(INTS, "1,,2", NULL, NULL);
    check_text(INTS, "[1", NULL, NULL);
    check_text(INTS, "[1]x", NULL, NULL);
    check_text(INTS, "1]", NULL, NULL);
    check_text(INTS, "{1}", NULL, NULL);
    check_text(INTS, "1,1", NULL, NULL);
    check_text(INTS, "1-3,2", NULL, NULL);
    check_text(INTS, "3-1", NULL, NULL);
    check_text(INTS, "4096", NULL, NULL);
    check_text(INTS, "1=2", NULL, NULL);
    check_text(STRINGS, "b,\"a b\"", "[\"a b\", b]", "a b b");
    check_text(STRINGS, "a\\,b", "[\"a,b\"]", "a,b");
    check_text(STRINGS, "\"\"", "[\"\"]", "");
    check_text(SOME, "[]", NULL, NULL);
    check_text(SOME, "a", "[a]", "a");
    check_text(MAYBE, "[]", "[]", "");
    check_text(MAYBE, "5", "5", "5");
    check_text(MAYBE, "[5]", "5", "5");
    check_text(MAYBE, "5,6", NULL, NULL);
    check_text(MAYBE, "1-2", NULL, NULL);
    check_text("\"boolean\"", "true", "true", "true");
    check_text("\"boolean\"", "[]", NULL, NULL);

    /* A range is bounded, whatever its ends are. */
    check_text("{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}",
               "0-4096", NULL, NULL);
    check_text("{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}",
               "-9223372036854775808-9223372036854775807", NULL, NULL);
    check_text("{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}",
               "9223372036854775806-9223372036854775807",
               "[9223372036854775806, 9223372036854775807]",
               "9223372036854775806 9223372036854775807");
}

static void
test_map_text(void)
{
    check_text(MAP, "{}", "{}", "");
    check_text(MAP, "b=1,a=\"x y\"", "{a=\"x y\", b=\"1\"}", "a=x y b=1");
    check_text(MAP, "{ b = 1 , a = x }", "{a=x, b=\"1\"}", "a=x b=1");
    check_text(MAP, "a=b c=d", "{a=b, c=d}", "a=b c=d");
    check_text(MAP, "a=b,", "{a=b}", "a=b");
    check_text(MAP, "a=\"\"", "{a=\"\"}", "a=");
    check_text(MAP, "a", NULL, NULL);
    check_text(MAP, "a=", NULL, NULL);
    check_text(MAP, "=a", NULL, NULL);
    check_text(MAP, "a:b", NULL, NULL);
    check_text(MAP, "a=b=c", NULL, NULL);
    check_text(MAP, "a=b,a=c", NULL, NULL);
    check_text(MAP, "[a=b]", NULL, NULL);
    check_text(MAP, "{a=b", NULL, NULL);
    check_text(MAP, "a=b}", NULL, NULL);
    check_text(MAP, "a=[b]", NULL, NULL);
    check_text(MAP, "", NULL, NULL);
    check_text(INTMAP, "1=2,3=-4", "{1=2, 3=-4}", "1=2 3=-4");
    check_text(INTMAP, "1=2,3=4,5=6", NULL, NULL);
    check_text(INTMAP, "1=1-3", NULL, NULL);
}

static void
test_types(void)
{
    static const struct {
        const char *json, *english;
    } types[] = {
        { "\"string\"", "string" },
        { INTS, "set of up to 4096 integers" },
        { SOME, "set of 1 or more strings" },
        { STRINGS, "set of strings" },
        { MAP, "map of (string, string) pairs" },
        { "{\"key\":\"uuid\",\"min\":1,\"max\":3}", "set of 1 to 3 uuids" },
    };
    static const char *const bad[] = {
        "{}", "5", "{\"key\":\"x\"}", "{\"key\":\"string\",\"min\":2}",
        "{\"key\":\"string\",\"max\":0}", "{\"key\":\"string\",\"max\":\"x\"}",
        "{\"key\":\"string\",\"value\":5}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct datum_type type;
        struct str s = STR_INIT;

        make_type(&type, types[i].json);
        datum_type_to_english(&s, &type);
        CU_ASSERT_STRING_EQUAL(str_cstr(&s), types[i].english);
        str_fini(&s);
        datum_type_fini(&type);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        json_t *json = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        struct datum_type type;
        char *error = datum_type_from_json(&type, json);

        CU_ASSERT_PTR_NOT_NULL(error);
        free(error);
        json_decref(json);
    }
}

static void
test_json(void)
{
    static const struct {
        const char *type, *json;
        bool ok;
    } values[] = {
        { INTS, "5", true },
        { INTS, "[\"set\",[]]", true },
        { INTS, "[\"set\",[2,1]]", true },
        { INTS, "[\"set\",[1,1]]", false },
        { INTS, "[\"set\",[\"a\"]]", false },
        { INTS, "[\"map\",[]]", false },
        { INTS, "[\"set\"]", false },
        { INTS, "[\"set\",5]", false },
        { MAP, "[\"map\",[]]", true },
        { MAP, "[\"map\",[[\"a\",\"b\"]]]", true },
        { MAP, "[\"map\",[[\"a\",\"b\"],[\"a\",\"c\"]]]", false },
        { MAP, "[\"map\",[[\"a\"]]]", false },
        { MAP, "[\"map\",[[\"a\",5]]]", false },
        { MAP, "[\"map\",[5]]", false },
        { MAP, "\"a\"", false },
        { MAP, "[\"set\",[]]", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        json_t *json = json_loads(values[i].json, JSON_DECODE_ANY, NULL);
        struct datum_type type;
        struct datum datum;
        char *error;

        make_type(&type, values[i].type);
        error = datum_from_json(&datum, &type, json);
        CU_ASSERT_EQUAL(!error, values[i].ok);
        if (!error) {
            datum_fini(&datum, &type);
        }
        free(error);
        datum_type_fini(&type);
        json_decref(json);
    }
}

static void
test_defaults(void)
{
    static const char *const types[] = {
        "\"integer\"", "\"string\"", INTS, MAYBE, MAP, SOME,
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct datum_type type;
        struct datum datum;

        make_type(&type, types[i]);
        datum_init_default(&datum, &type);
        CU_ASSERT(datum_is_default(&datum, &type));
        CU_ASSERT_EQUAL(datum.n, type.n_min);
        datum_fini(&datum, &type);
        datum_type_fini(&type);
    }
}

/* A set of numbers below 16 as its bits. */
static unsigned int
to_bits(const struct datum *datum)
{
    unsigned int bits = 0;

    for (size_t i = 0; i < datum->n; i++) {
        bits |= 1u << datum->keys[i].integer;
        CU_ASSERT(!i || datum->keys[i - 1].integer < datum->keys[i].integer);
    }
    return bits;
}

static void
from_bits(struct datum *datum, unsigned int bits,
          const struct datum_type *type)
{
    *datum = (struct datum) DATUM_INIT;
    for (int i = 15; i >= 0; i--) {
        if (bits & (1u << i)) {
            union atom atom = { .integer = i };

            datum_put(datum, &atom, NULL, type);
        }
    }
}

/* Sets as datums and as bits must agree on every operation. */
static void
test_set_model(void)
{
    struct datum_type type;
    unsigned int seed = 1;

    make_type(&type, INTS);
    for (int round = 0; round < 2000; round++) {
        unsigned int x = (unsigned int) rand_r(&seed) & 0xffff;
        unsigned int y = (unsigned int) rand_r(&seed) & 0xffff
                         & (unsigned int) rand_r(&seed);
        union atom atom = { .integer = round % 16 };
        struct datum a, b, c;
        size_t i;

        from_bits(&a, x, &type);
        from_bits(&b, y, &type);
        CU_ASSERT_EQUAL(to_bits(&a), x);
        CU_ASSERT_EQUAL(datum_is_subset(&b, &a, &type), !(y & ~x));
        CU_ASSERT_EQUAL(datum_is_disjoint(&a, &b, &type), !(x & y));
        CU_ASSERT_EQUAL(datum_equal(&a, &b, &type), x == y);
        i = datum_find(&a, &atom, &type);
        CU_ASSERT_EQUAL(i != DATUM_NOT_FOUND, (x >> (round % 16)) & 1);

        datum_clone(&c, &a, &type);
        datum_add_all(&c, &b, &type);
        CU_ASSERT_EQUAL(to_bits(&c), x | y);
        datum_remove_all(&c, &type, &b, &type);
        CU_ASSERT_EQUAL(to_bits(&c), x & ~y);
        datum_fini(&c, &type);
        datum_fini(&a, &type);
        datum_fini(&b, &type);
    }
    datum_type_fini(&type);
}

static void
test_maps(void)
{
    struct datum_type type, keys_only;
    struct datum a, b, keys;
    struct str s = STR_INIT;

    make_type(&type, MAP);
    keys_only = type;
    base_type_init(&keys_only.value, ATOM_VOID);
    CU_ASSERT_PTR_NULL(datum_from_text(&a, &type, NULL, "a=1,b=2,c=3"));
    CU_ASSERT_PTR_NULL(datum_from_text(&b, &type, NULL, "b=9,c=3"));
    CU_ASSERT_PTR_NULL(datum_from_text(&keys, &keys_only, NULL, "a,x"));

    CU_ASSERT(!datum_is_subset(&b, &a, &type));
    CU_ASSERT(!datum_is_disjoint(&b, &a, &type));
    CU_ASSERT(datum_compare(&a, &b, &type) > 0);

    /* A pair goes if key and value agree; given a key, any value does. */
    datum_remove_all(&a, &type, &b, &type);
    datum_remove_all(&a, &type, &keys, &keys_only);
    datum_to_text(&s, &a, &type);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "{b=\"2\"}");

    /* What is added wins. */
    datum_add_all(&a, &b, &type);
    str_clear(&s);
    datum_to_text(&s, &a, &type);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "{b=\"9\", c=\"3\"}");

    str_fini(&s);
    datum_fini(&a, &type);
    datum_fini(&b, &type);
    datum_fini(&keys, &keys_only);
    datum_type_fini(&type);
}

/* Any text is either refused or means what its printed form means. */
static void
test_random_text(void)
{
    static const char *const words[] = {
        "a", "0", "7", "-", "_", ".", ",", " ", "=", ":", "\"", "\\", "{",
        "}", "[", "]", "!", "<", ">", "@x", "true", "\xc3\xa9", "\xff", "\t",
        "1-3", "\\u0041", "\"a b\"",
    };
    static const char *const types[] = { INTS, STRINGS, MAYBE, MAP, INTMAP };
    unsigned int seed = 2;

    for (int round = 0; round < 20000; round++) {
        const char *type_text = types[round % (int) ARRAY_SIZE(types)];
        struct str text = STR_INIT;
        struct datum_type type;
        struct datum datum, again;
        char *error;

        for (int i = rand_r(&seed) % 7; i >= 0; i--) {
            str_append(&text, words[(size_t) rand_r(&seed)
                                    % ARRAY_SIZE(words)]);
        }
        make_type(&type, type_text);
        error = datum_from_text(&datum, &type, NULL, str_cstr(&text));
        if (!error) {
            struct str s = STR_INIT;

            datum_to_text(&s, &datum, &type);
            error = datum_from_text(&again, &type, NULL, str_cstr(&s));
            CU_ASSERT_PTR_NULL(error);
            if (!error) {
                CU_ASSERT(datum_equal(&datum, &again, &type));
                datum_fini(&again, &type);
            }
            datum_fini(&datum, &type);
            str_fini(&s);
        }
        free(error);
        datum_type_fini(&type);
        str_fini(&text);
    }
}

void
suite_datum(void)
{
    CU_pSuite suite = CU_add_suite("datum", NULL, NULL);

    CU_add_test(suite, "sets as text", test_set_text);
    CU_add_test(suite, "maps as text", test_map_text);
    CU_add_test(suite, "types", test_types);
    CU_add_test(suite, "JSON", test_json);
    CU_add_test(suite, "defaults", test_defaults);
    CU_add_test(suite, "sets against bits", test_set_model);
    CU_add_test(suite, "maps", test_maps);
    CU_add_test(suite, "random text", test_random_text);
}
