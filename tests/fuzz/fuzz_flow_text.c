/* SPDX-License-Identifier: Apache-2.0 */

/* fuzz_flow_text.c - libFuzzer: any text as a flow, and as actions.
 *
 * What is read must be written as a text that is read as the same, or be
 * refused with a sentence. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/action.h"
#include "lib/flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(CONDITION)                                                    \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

static void
try_flow(const char *text)
{
    struct flow_key key, key2;
    struct flow_mask mask, mask2;
    struct str s = STR_INIT;
    char *error = flow_parse(text, NULL, NULL, &key, &mask);

    if (error) {
        REQUIRE(*error);
        free(error);
        return;
    }

    /* Text can look at a part of what must be looked at as a whole. */
    flow_key_apply_mask(&key, &key, &mask);
    flow_mask_normalize(&mask, &key);
    if (mask.bits.in_port && !key.in_port) {
        return;
    }
    flow_format(&s, &key, &mask, NULL, NULL);
    error = flow_parse(str_cstr(&s), NULL, NULL, &key2, &mask2);
    REQUIRE(!error);
    REQUIRE(!memcmp(&mask, &mask2, sizeof mask));
    flow_key_apply_mask(&key, &key, &mask);
    flow_key_apply_mask(&key2, &key2, &mask2);
    key.parts = key2.parts = 0;
    REQUIRE(!memcmp(&key, &key2, sizeof key));
    str_fini(&s);
}

static void
try_actions(const char *text)
{
    struct action_list list, list2;
    struct str s = STR_INIT;
    struct str s2 = STR_INIT;
    char *error;

    action_list_init(&list);
    action_list_init(&list2);
    error = action_parse(text, NULL, NULL, &list);
    if (!error) {
        action_format(&s, list.data, list.len, NULL, NULL, NULL);
        error = action_parse(str_cstr(&s), NULL, NULL, &list2);
        REQUIRE(!error);
        action_format(&s2, list2.data, list2.len, NULL, NULL, NULL);
        REQUIRE(!strcmp(str_cstr(&s), str_cstr(&s2)));
    }
    free(error);
    action_list_fini(&list);
    action_list_fini(&list2);
    str_fini(&s);
    str_fini(&s2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = '\0';
    try_flow(text);
    try_actions(text);
    free(text);
    return 0;
}
