/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_str.c - the growing string.
 */
#include <CUnit/CUnit.h>

#include "lib/base/str.h"

void suite_str(void);

static void
test_append(void)
{
    struct str s = STR_INIT;
    char *text;

    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "");
    str_clear(&s);
    str_truncate(&s, 0);
    CU_ASSERT(!str_chomp(&s, 'x'));
    str_append(&s, "");
    str_append_n(&s, NULL, 0);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "");
    str_append(&s, "abc");
    str_append_char(&s, 'd');
    str_append_n(&s, "efg", 2);
    str_append_fill(&s, '.', 3);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "abcdef...");
    CU_ASSERT(str_chomp(&s, '.'));
    CU_ASSERT(!str_chomp(&s, 'x'));
    CU_ASSERT_EQUAL(s.len, 8);
    str_truncate(&s, 2);
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), "ab");
    text = str_steal(&s);
    CU_ASSERT_STRING_EQUAL(text, "ab");
    free(text);
    text = str_steal(&s);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
    str_fini(&s);
}

/* Text of every length around the sizes at which the storage grows. */
static void
test_printf(void)
{
    for (int n = 0; n < 300; n++) {
        struct str s = STR_INIT;

        str_append(&s, "<");
        str_printf(&s, "%*s", n, "");
        str_printf(&s, "%d%s", 42, ">");
        CU_ASSERT_EQUAL(s.len, (size_t) n + 4);
        CU_ASSERT_EQUAL(strlen(str_cstr(&s)), s.len);
        CU_ASSERT_STRING_EQUAL(str_cstr(&s) + n + 1, "42>");
        str_clear(&s);
        CU_ASSERT_STRING_EQUAL(str_cstr(&s), "");
        str_fini(&s);
    }
}

static void
test_bytes(void)
{
    struct str s = STR_INIT;

    for (int i = 0; i < 10000; i++) {
        str_append_char(&s, (char) i);
    }
    CU_ASSERT_EQUAL(s.len, 10000);
    for (int i = 0; i < 10000; i++) {
        CU_ASSERT_EQUAL(s.data[i], (char) i);
    }
    memcpy(str_reserve(&s, 3), "xyz", 3);
    str_truncate(&s, s.len + 3);
    CU_ASSERT_STRING_EQUAL(s.data + 10000, "xyz");
    str_fini(&s);
}

void
suite_str(void)
{
    CU_pSuite suite = CU_add_suite("str", NULL, NULL);

    CU_add_test(suite, "append", test_append);
    CU_add_test(suite, "printf", test_printf);
    CU_add_test(suite, "bytes", test_bytes);
}
