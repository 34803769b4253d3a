/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_framer.c - cutting a stream into JSON objects, however it comes.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "lib/ipc/framer.h"

void suite_framer(void);

/* Feeds 'n' bytes of 'stream' in pieces of 'step'.  Returns the messages, as
 * they were decoded, each followed by ';', and at last "!" if the stream or a
 * message was bad.  The caller frees it. */
static char *
run(const char *stream, size_t n, size_t step, size_t max_bytes,
    unsigned int max_depth)
{
    struct str out = STR_INIT;
    struct framer f;
    size_t ofs = 0;

    framer_init(&f, max_bytes, max_depth);
    while (ofs < n) {
        size_t used;
        enum framer_status status
            = framer_feed(&f, stream + ofs, MIN(step, n - ofs), &used);

        ofs += used;
        if (status == FRAMER_ERROR) {
            CU_ASSERT_PTR_NOT_NULL(f.error);
            str_append_char(&out, '!');
            CU_ASSERT_EQUAL(framer_feed(&f, "{}", 2, &used), FRAMER_ERROR);
            break;
        } else if (status == FRAMER_MESSAGE) {
            char *error;
            json_t *json;

            CU_ASSERT(!framer_is_partial(&f));
            json = framer_take(&f, &error);
            if (json) {
                framer_dump(&out, json);
                str_append_char(&out, ';');
                json_decref(json);
            } else {
                CU_ASSERT_PTR_NOT_NULL(error);
                str_append_char(&out, '!');
            }
            free(error);
        } else {
            CU_ASSERT(used == MIN(step, n - (ofs - used)));
        }
    }
    framer_fini(&f);
    return str_steal(&out);
}

/* However it is cut, 'stream' must come out as 'expected'. */
static void
check_n(const char *stream, size_t n, const char *expected)
{
    for (size_t step = 1; step <= n + 1; step++) {
        char *result = run(stream, n, step, 1000, 10);

        if (strcmp(result, expected)) {
            printf("%s by %zu: \"%s\", not \"%s\"\n", stream, step, result,
                   expected);
        }
        CU_ASSERT_STRING_EQUAL(result, expected);
        free(result);
    }
}

static void
check(const char *stream, const char *expected)
{
    check_n(stream, strlen(stream), expected);
}

static void
test_streams(void)
{
    check("", "");
    check(" \r\n\t", "");
    check("{}", "{};");
    check("{}{}\n {\"a\":[1,{}]}", "{};{};{\"a\":[1,{}]};");
    check("{\"a\":\"}{][\\\"}\"}{}", "{\"a\":\"}{][\\\"}\"};{};");
    check("{\"a\\\\\":\"\\\\\"}", "{\"a\\\\\":\"\\\\\"};");
    check("{\"a\":1", "");
    check("x", "!");
    check("[1]", "!");
    check("1", "!");
    check("{}x", "{};!");
    check("{]", "!");
    check("{\"a\":[}]{}", "!{};");
    check("{\"a\" 1}", "!");
    check("{\"a\":1,\"a\":2}", "!");
    check("{\"a\":\"\xff\"}", "!");
    check("{\"a\":\"\xed\xa0\x80\"}", "!");
    check("{\"a\":123456789012345678901234567890}", "!");
    check_n("{\"a\":\"\\u0000\"}", 14, "{\"a\":\"\\u0000\"};");
    check_n("{\"a\":\"\0\"}", 9, "!");
    check_n("\0{}", 3, "!");
}

static void
test_bounds(void)
{
    struct str s = STR_INIT;
    char *result;

    /* A brace and 9 brackets are 10 deep. */
    check("{\"a\":[[[[[[[[[1]]]]]]]]]}", "{\"a\":[[[[[[[[[1]]]]]]]]]};");
    check("{\"a\":[[[[[[[[[[1]]]]]]]]]]}", "!");

    for (size_t n = 980; n < 1010; n++) {
        str_append(&s, "{\"a\":\"");
        str_append_fill(&s, 'x', n - 8);
        str_append(&s, "\"}");
        result = run(str_cstr(&s), s.len, 7, 1000, 10);
        CU_ASSERT_EQUAL(!strcmp(result, "!"), n > 1000);
        free(result);
        str_clear(&s);
    }

    /* What has no end is refused early, and not kept. */
    str_append_fill(&s, '{', 100000);
    result = run(str_cstr(&s), s.len, 100000, SIZE_MAX, 10);
    CU_ASSERT_STRING_EQUAL(result, "!");
    free(result);
    str_fini(&s);
}

/* As deep as the database client permits, it must not cost the stack. */
static void
test_depth(void)
{
    struct str s = STR_INIT;
    char *result;

    str_append(&s, "{\"a\":");
    str_append_fill(&s, '[', 63);
    str_append_fill(&s, ']', 63);
    str_append(&s, "}");
    result = run(str_cstr(&s), s.len, 10, 1 << 20, 64);
    CU_ASSERT(strlen(result) > 100);
    free(result);
    str_fini(&s);
}

static void
test_fuzz(void)
{
    static const char alphabet[] = "{}[]\"\\:,a1 \0\xc3\xa4";
    size_t n_valid = 0;

    CU_ASSERT_EQUAL(framer_fuzz("{}{\"a\":[]}", 10, 3), 2);
    CU_ASSERT_EQUAL(framer_fuzz("", 0, 1), 0);
    srand(1);
    for (int i = 0; i < 50000; i++) {
        size_t n = 1 + (size_t) (rand() % 40);
        char *text = xmalloc(n);

        text[0] = '{';
        for (size_t j = 1; j < n; j++) {
            text[j] = alphabet[rand() % (int) (sizeof alphabet - 1)];
        }
        n_valid += framer_fuzz(text, n, 1 + (size_t) (rand() % 9));
        free(text);
    }
    CU_ASSERT(n_valid > 100);
}

static void
check_string(const char *text, const char *expected)
{
    json_t *json = framer_string(text);

    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_STRING_EQUAL(json_string_value(json), expected);
    json_decref(json);
}

static void
test_string(void)
{
    char text[8];

    check_string("", "");
    check_string("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z",
                 "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
    check_string("\xff", "?");
    check_string("a\xc3", "a?");
    check_string("\xc3(", "?(");
    check_string("\xe2\x82", "??");
    check_string("\xc0\xaf", "??");
    check_string("\xed\xa0\x80", "???");
    check_string("\xf4\x90\x80\x80", "????");

    /* Every pair and triple of a choice of bytes gives something valid. */
    for (unsigned int i = 0x78; i < 0x100; i++) {
        for (unsigned int j = 0x78; j < 0x100; j++) {
            for (unsigned int k = 0x78; k < 0x100; k += 7) {
                json_t *json;

                text[0] = (char) i;
                text[1] = (char) j;
                text[2] = (char) k;
                text[3] = '\0';
                json = framer_string(text);
                CU_ASSERT_PTR_NOT_NULL(json);
                json_decref(json);
            }
        }
    }
}

void
suite_framer(void)
{
    CU_pSuite suite = CU_add_suite("framer", NULL, NULL);

    CU_add_test(suite, "streams", test_streams);
    CU_add_test(suite, "bounds", test_bounds);
    CU_add_test(suite, "depth", test_depth);
    CU_add_test(suite, "fuzz", test_fuzz);
    CU_add_test(suite, "string", test_string);
}
