/* SPDX-License-Identifier: Apache-2.0 */
/* drop.c: each reason has a name of its own and a sentence, and the statuses
 * of the libraries lead to theirs. */

#include "datapath/drop.h"

#include <CUnit/CUnit.h>
#include <ctype.h>
#include <string.h>

void suite_drop(void);

static void
test_names(void)
{
    for (uint32_t i = 0; i < N_DROP_REASONS; i++) {
        const char *name = drop_reason_name(i);

        CU_ASSERT(strlen(name) > 2);
        for (const char *p = name; *p; p++) {
            CU_ASSERT(islower((unsigned char) *p) || *p == '_'
                      || isdigit((unsigned char) *p));
        }
        CU_ASSERT(strlen(drop_reason_sentence(i)) > 5);
        for (uint32_t j = 0; j < i; j++) {
            CU_ASSERT_STRING_NOT_EQUAL(name, drop_reason_name(j));
            CU_ASSERT_STRING_NOT_EQUAL(drop_reason_sentence(i),
                                       drop_reason_sentence(j));
        }
    }
    CU_ASSERT_STRING_EQUAL(drop_reason_name(DROP_TNL_NO_PORT), "tnl_no_port");
    CU_ASSERT_STRING_EQUAL(drop_reason_name(N_DROP_REASONS), "unknown");
    CU_ASSERT_STRING_EQUAL(drop_reason_name(UINT32_MAX), "unknown");
    CU_ASSERT_STRING_EQUAL(drop_reason_sentence(UINT32_MAX), "unknown");
}

static void
test_statuses(void)
{
    for (int i = 1; i < PARSE_N_STATUS; i++) {
        enum drop_reason reason = drop_from_parse((enum parse_status) i);

        CU_ASSERT_STRING_EQUAL(drop_reason_sentence(reason),
                               parse_status_to_string((enum parse_status) i));
    }
    for (int i = 1; i < VNET_N_STATUS; i++) {
        enum drop_reason reason = drop_from_vnet((enum vnet_status) i);

        CU_ASSERT_STRING_EQUAL(drop_reason_sentence(reason),
                               vnet_status_to_string((enum vnet_status) i));
    }
    for (int i = 1; i < TNL_N_STATUS; i++) {
        enum drop_reason reason = drop_from_tnl((enum tnl_status) i);

        CU_ASSERT_STRING_EQUAL(drop_reason_sentence(reason),
                               tnl_status_to_string((enum tnl_status) i));
    }
    CU_ASSERT_EQUAL(drop_from_tnl(TNL_CSUM), DROP_TNL_CSUM);
    CU_ASSERT_EQUAL(drop_from_virtq(VIRTQ_INDEX), DROP_VIRTQ_INDEX);
    CU_ASSERT_EQUAL(drop_from_virtq(VIRTQ_SHORT), DROP_VIRTQ_SHORT);
}

void
suite_drop(void)
{
    CU_pSuite suite = CU_add_suite("drop", NULL, NULL);

    CU_add_test(suite, "names and sentences", test_names);
    CU_add_test(suite, "statuses of the libraries", test_statuses);
}
