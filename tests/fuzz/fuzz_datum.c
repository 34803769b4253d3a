/* SPDX-License-Identifier: Apache-2.0 */

/* fuzz_datum.c - libFuzzer: any text as a value of the database.
 *
 * The first byte chooses a type.  What is read must be written as a text that
 * is read as the same, or be refused with a sentence; the same for JSON. */

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/ovsdb/datum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(CONDITION)                                                    \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

static void
choose_type(struct datum_type *type, unsigned int choice)
{
    static const enum atom_type types[] = {
        ATOM_INTEGER, ATOM_STRING, ATOM_UUID, ATOM_BOOLEAN, ATOM_REAL,
    };

    datum_type_init_scalar(type, types[choice % 5]);
    type->n_min = choice / 5 % 2;
    type->n_max = choice / 10 % 2 ? UINT_MAX : 1;
    if (choice / 20 % 2) {
        base_type_init(&type->value, types[choice / 40 % 5]);
    }
}

static void
try_json(const char *text, const struct datum_type *type)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    struct datum datum;
    char *error = datum_from_json(&datum, type, json);

    if (!error) {
        datum_fini(&datum, type);
    }
    free(error);
    json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = STR_INIT;
    struct datum_type type;
    struct datum datum, again;
    struct symtab symtab;
    char *text, *error;
    json_t *json;

    if (!size) {
        return 0;
    }
    choose_type(&type, data[0]);
    text = xstrndup((const char *) data + 1, size - 1);
    symtab_init(&symtab);
    try_json(text, &type);

    error = datum_from_text(&datum, &type, &symtab, text);
    if (error) {
        REQUIRE(*error);
        free(error);
    } else {
        datum_to_text(&s, &datum, &type);
        if (type.key.type != ATOM_REAL && type.value.type != ATOM_REAL) {
            /* Reals lose digits in text. */
            error = datum_from_text(&again, &type, &symtab, str_cstr(&s));
            REQUIRE(!error && datum_equal(&datum, &again, &type));
            datum_fini(&again, &type);
        }
        json = datum_to_json(&datum, &type);
        error = datum_from_json(&again, &type, json);
        REQUIRE(!error && datum_equal(&datum, &again, &type));
        datum_fini(&again, &type);
        json_decref(json);
        datum_fini(&datum, &type);
    }
    symtab_fini(&symtab);
    str_fini(&s);
    free(text);
    return 0;
}
