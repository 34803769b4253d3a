/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_list.c - the linked list.
 */
#include <CUnit/CUnit.h>

#include "lib/base/list.h"

struct element {
    int value;
    struct list link;
};

void suite_list(void);

/* Checks that the values of 'list' are the digits of 'expected'. */
static void
check(const struct list *list, const char *expected)
{
    const struct element *e;
    const char *p = expected;

    LIST_FOR_EACH(e, link, list) {
        CU_ASSERT_EQUAL(e->value, *p - '0');
        p++;
    }
    CU_ASSERT_PTR_NULL(e);
    CU_ASSERT_EQUAL(*p, '\0');
    CU_ASSERT_EQUAL(list_count(list), strlen(expected));
    CU_ASSERT_EQUAL(list_is_empty(list), !*expected);
}

static void
test_order(void)
{
    struct element e[5] = { { .value = 0 }, { .value = 1 }, { .value = 2 },
                            { .value = 3 }, { .value = 4 } };
    struct list list = LIST_INITIALIZER(&list);
    struct list other;

    list_init(&other);
    check(&list, "");
    CU_ASSERT_PTR_NULL(list_pop_front(&list));
    list_push_back(&list, &e[1].link);
    list_push_back(&list, &e[2].link);
    list_push_front(&list, &e[0].link);
    check(&list, "012");
    list_insert(&e[2].link, &e[4].link);
    check(&list, "0142");
    list_remove(&e[1].link);
    list_remove(&e[1].link);
    check(&list, "042");

    list_push_back(&other, &e[3].link);
    list_push_back(&other, &e[1].link);
    list_splice_back(&list, &other);
    check(&list, "04231");
    check(&other, "");
    list_splice_back(&list, &other);
    check(&list, "04231");
    list_splice_back(&other, &list);
    check(&other, "04231");
    CU_ASSERT_PTR_EQUAL(list_pop_front(&other), &e[0].link);
    check(&other, "4231");
}

static void
test_safe_walk(void)
{
    struct list list = LIST_INITIALIZER(&list);
    struct element *e, *next;

    for (int i = 0; i < 10; i++) {
        e = xmalloc(sizeof *e);
        e->value = i;
        list_push_back(&list, &e->link);
    }
    LIST_FOR_EACH_SAFE(e, next, link, &list) {
        if (e->value != 3 && e->value != 9) {
            list_remove(&e->link);
            free(e);
        }
    }
    CU_ASSERT_PTR_NULL(e);
    check(&list, "39");
    LIST_FOR_EACH_SAFE(e, next, link, &list) {
        list_remove(&e->link);
        free(e);
    }
    check(&list, "");
}

void
suite_list(void)
{
    CU_pSuite suite = CU_add_suite("list", NULL, NULL);

    CU_add_test(suite, "order", test_order);
    CU_add_test(suite, "safe_walk", test_safe_walk);
}
