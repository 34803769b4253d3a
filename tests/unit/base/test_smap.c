/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_smap.c - string maps and string sets.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "lib/base/smap.h"
#include "lib/base/str.h"
#include "lib/base/strset.h"

void suite_smap(void);

static void
test_map(void)
{
    struct smap map = SMAP_INIT(&map), copy, swapped;
    const struct smap_node **sorted;
    struct smap_node *node, *next;

    smap_set(&map, "a", "1");
    smap_set(&map, "b", "2");
    smap_set(&map, "a", "3");
    smap_set(&map, "c", smap_get(&map, "a"));
    smap_set(&map, "c", smap_get(&map, "c"));
    CU_ASSERT_EQUAL(smap_count(&map), 3);
    CU_ASSERT_STRING_EQUAL(smap_get(&map, "a"), "3");
    CU_ASSERT_STRING_EQUAL(smap_get(&map, "c"), "3");
    CU_ASSERT_PTR_NULL(smap_get(&map, "d"));
    CU_ASSERT_STRING_EQUAL(smap_get_def(&map, "d", "x"), "x");

    smap_clone(&copy, &map);
    CU_ASSERT(smap_equal(&map, &copy));
    smap_setf(&copy, "b", "%d", 9);
    CU_ASSERT(!smap_equal(&map, &copy));
    CU_ASSERT(smap_remove(&copy, "b"));
    CU_ASSERT(!smap_remove(&copy, "b"));
    CU_ASSERT(!smap_equal(&map, &copy));
    smap_set(&copy, "d", "2");
    CU_ASSERT(!smap_equal(&map, &copy));

    sorted = smap_sort(&map);
    CU_ASSERT_STRING_EQUAL(sorted[0]->key, "a");
    CU_ASSERT_STRING_EQUAL(sorted[1]->key, "b");
    CU_ASSERT_STRING_EQUAL(sorted[2]->key, "c");
    free(sorted);

    smap_init(&swapped);
    smap_swap(&map, &swapped);
    CU_ASSERT(smap_is_empty(&map));
    SMAP_FOR_EACH_SAFE(node, next, &swapped) {
        smap_remove_node(&swapped, node);
    }
    CU_ASSERT(smap_is_empty(&swapped));
    smap_fini(&map);
    smap_fini(&copy);
    smap_fini(&swapped);
}

static void
test_values(void)
{
    static const struct {
        const char *text;
        int as_int;             /* -7 where it is none. */
    } ints[] = {
        { "0", 0 }, { "12", 12 }, { "-12", -12 }, { "0x1F", 31 },
        { "2147483647", INT32_MAX }, { "2147483648", -7 }, { "", -7 },
        { " 1", -7 }, { "1 ", -7 }, { "1x", -7 }, { "0x", -7 },
        { "-", -7 }, { "010", 10 }, { "99999999999999999999", -7 },
        { "1.5", -7 }, { "--1", -7 },
    };
    struct smap map = SMAP_INIT(&map);

    for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
        smap_set(&map, "k", ints[i].text);
        CU_ASSERT_EQUAL(smap_get_int(&map, "k", -7), ints[i].as_int);
    }
    CU_ASSERT_EQUAL(smap_get_int(&map, "absent", 3), 3);
    smap_set(&map, "k", "18446744073709551615");
    CU_ASSERT_EQUAL(smap_get_uint64(&map, "k", 1), UINT64_MAX);
    smap_set(&map, "k", "-1");
    CU_ASSERT_EQUAL(smap_get_uint64(&map, "k", 1), 1);

    smap_set(&map, "k", "True");
    CU_ASSERT(smap_get_bool(&map, "k", false));
    smap_set(&map, "k", "false");
    CU_ASSERT(!smap_get_bool(&map, "k", true));
    smap_set(&map, "k", "yes");
    CU_ASSERT(smap_get_bool(&map, "k", true));
    CU_ASSERT(!smap_get_bool(&map, "k", false));
    CU_ASSERT(smap_get_bool(&map, "absent", true));
    smap_fini(&map);
}

/* Parses 'text' and checks that the outcome, pairs sorted and joined by
 * semicolons, or "!" for an error, is 'expected'. */
static void
check_parse(const char *text, const char *expected)
{
    struct smap map = SMAP_INIT(&map);
    char *error = smap_parse(&map, text, strlen(text));
    struct str s = STR_INIT;

    if (error) {
        CU_ASSERT(smap_is_empty(&map));
        str_append(&s, "!");
    } else {
        const struct smap_node **sorted = smap_sort(&map);

        for (size_t i = 0; i < smap_count(&map); i++) {
            str_printf(&s, "%s%s:%s", i ? ";" : "", sorted[i]->key,
                       sorted[i]->value);
        }
        free(sorted);
    }
    if (strcmp(str_cstr(&s), expected)) {
        printf("%s: \"%s\", not \"%s\"\n", text, str_cstr(&s), expected);
    }
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), expected);
    str_fini(&s);
    free(error);
    smap_fini(&map);
}

static void
test_parse(void)
{
    check_parse("", "");
    check_parse("  ", "");
    check_parse("a=1", "a:1");
    check_parse(" a = 1 , b=2", "a:1;b:2");
    check_parse("a=", "a:");
    check_parse("a=x=y", "a:x=y");
    check_parse("\"a,b\"=\"c=\\\"d\\\\\"", "a,b:c=\"d\\");
    check_parse("a=1,", "a:1");
    check_parse("a", "!");
    check_parse("=1", "!");
    check_parse("a=1,a=2", "!");
    check_parse("a=1,,b=2", "!");
    check_parse("a=\"x", "!");
    check_parse("a=\"x\"y", "!");
    check_parse("\"a\\", "!");
}

/* Whatever the bytes are, nothing is read beyond their end. */
static void
test_parse_garbage(void)
{
    static const char alphabet[] = "ab=,\"\\ \0\xff";

    srand(1);
    for (int i = 0; i < 20000; i++) {
        struct smap map = SMAP_INIT(&map);
        size_t n = (size_t) (rand() % 20);
        char *text = xmalloc(n);
        char *error;

        for (size_t j = 0; j < n; j++) {
            text[j] = alphabet[rand() % (int) (sizeof alphabet - 1)];
        }
        error = smap_parse(&map, text, n);
        CU_ASSERT(!error || smap_is_empty(&map));
        free(error);
        free(text);
        smap_fini(&map);
    }
}

static void
test_set(void)
{
    struct strset set = STRSET_INIT(&set), copy, other;
    const char **sorted;
    const char *name;
    size_t n = 0;

    CU_ASSERT(strset_is_empty(&set));
    CU_ASSERT(strset_add(&set, "b"));
    CU_ASSERT(strset_add(&set, "a"));
    CU_ASSERT(!strset_add(&set, "b"));
    CU_ASSERT(strset_add(&set, ""));
    CU_ASSERT_EQUAL(strset_count(&set), 3);
    CU_ASSERT(strset_contains(&set, "a"));
    CU_ASSERT(!strset_contains(&set, "c"));
    STRSET_FOR_EACH(name, &set) {
        CU_ASSERT(strset_contains(&set, name));
        n++;
    }
    CU_ASSERT_EQUAL(n, 3);
    sorted = strset_sort(&set);
    CU_ASSERT_STRING_EQUAL(sorted[0], "");
    CU_ASSERT_STRING_EQUAL(sorted[1], "a");
    CU_ASSERT_STRING_EQUAL(sorted[2], "b");
    free(sorted);
    strset_clone(&copy, &set);
    CU_ASSERT(strset_equal(&copy, &set));
    CU_ASSERT(strset_remove(&copy, "a"));
    CU_ASSERT(!strset_remove(&copy, "a"));
    CU_ASSERT(!strset_equal(&copy, &set));
    strset_add(&copy, "c");
    CU_ASSERT(!strset_equal(&copy, &set));
    strset_init(&other);
    strset_swap(&copy, &other);
    CU_ASSERT(strset_contains(&other, "c"));
    CU_ASSERT(strset_is_empty(&copy));
    strset_fini(&set);
    strset_fini(&copy);
    strset_fini(&other);
}

void
suite_smap(void)
{
    CU_pSuite suite = CU_add_suite("smap", NULL, NULL);

    CU_add_test(suite, "map", test_map);
    CU_add_test(suite, "values", test_values);
    CU_add_test(suite, "parse", test_parse);
    CU_add_test(suite, "parse_garbage", test_parse_garbage);
    CU_add_test(suite, "set", test_set);
}
