/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atom.c - values of the database and their types.  See atom.h.
 */
#include "lib/ovsdb/atom.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>

#include "lib/ovsdb/atomtext.h"

static char *read_enums(struct base_type *, const json_t *);
static char *read_limits(struct base_type *, const json_t *);
static char *read_reference(struct base_type *, const json_t *);
static bool read_count(unsigned int *, const json_t *object,
                       const char *member);
static int compare_integers(const void *, const void *);
static int compare_reals(const void *, const void *);
static int compare_booleans(const void *, const void *);
static int compare_strings(const void *, const void *);
static int compare_uuids(const void *, const void *);
static char *check_enums(const union atom *, const struct base_type *);
static size_t count_chars(const char *utf8);

const char *
atom_type_name(enum atom_type type)
{
    switch (type) {
    case ATOM_INTEGER:
        return "integer";
    case ATOM_REAL:
        return "real";
    case ATOM_BOOLEAN:
        return "boolean";
    case ATOM_STRING:
        return "string";
    case ATOM_UUID:
        return "uuid";
    case ATOM_VOID:
        break;
    }
    return "void";
}

void
base_type_init(struct base_type *base, enum atom_type type)
{
    *base = (struct base_type) {
        .type = type,
        .min_integer = INT64_MIN,
        .max_integer = INT64_MAX,
        .min_real = -HUGE_VAL,
        .max_real = HUGE_VAL,
        .max_chars = UINT_MAX,
    };
}

void
base_type_fini(struct base_type *base)
{
    for (size_t i = 0; i < base->n_enums; i++) {
        atom_fini(&base->enums[i], base->type);
    }
    free(base->enums);
    free(base->ref_table);
    base_type_init(base, ATOM_VOID);
}

char *
base_type_from_json(struct base_type *base, const json_t *json)
{
    static const enum atom_type types[] = {
        ATOM_INTEGER, ATOM_REAL, ATOM_BOOLEAN, ATOM_STRING, ATOM_UUID,
    };
    const char *name = json_string_value(
        json_is_object(json) ? json_object_get(json, "type") : json);
    char *error = NULL;

    base_type_init(base, ATOM_VOID);
    for (size_t i = 0; name && i < ARRAY_SIZE(types); i++) {
        if (!strcmp(name, atom_type_name(types[i]))) {
            base->type = types[i];
        }
    }
    if (base->type == ATOM_VOID) {
        return xasprintf("\"%s\" is not an atomic type", name ? name : "");
    }
    if (json_is_object(json)) {
        error = read_enums(base, json_object_get(json, "enum"));
        if (!error) {
            error = read_limits(base, json);
        }
        if (!error) {
            error = read_reference(base, json);
        }
    }
    if (error) {
        base_type_fini(base);
    }
    return error;
}

void
atom_init_default(union atom *atom, enum atom_type type)
{
    memset(atom, 0, sizeof *atom);
    if (type == ATOM_STRING) {
        atom->string = xstrdup("");
    }
}

bool
atom_is_default(const union atom *atom, enum atom_type type)
{
    switch (type) {
    case ATOM_INTEGER:
        return !atom->integer;
    case ATOM_REAL:
        return fpclassify(atom->real) == FP_ZERO;
    case ATOM_BOOLEAN:
        return !atom->boolean;
    case ATOM_STRING:
        return !atom->string[0];
    case ATOM_UUID:
        return uuid_is_zero(&atom->uuid);
    case ATOM_VOID:
        break;
    }
    return true;
}

void
atom_clone(union atom *dst, const union atom *src, enum atom_type type)
{
    *dst = *src;
    if (type == ATOM_STRING) {
        dst->string = xstrdup(src->string);
    }
}

void
atom_fini(union atom *atom, enum atom_type type)
{
    if (type == ATOM_STRING) {
        free(atom->string);
        atom->string = NULL;
    }
}

int
atom_compare(const union atom *a, const union atom *b, enum atom_type type)
{
    switch (type) {
    case ATOM_INTEGER:
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    case ATOM_REAL:
        return a->real < b->real ? -1 : a->real > b->real;
    case ATOM_BOOLEAN:
        return (int) a->boolean - (int) b->boolean;
    case ATOM_STRING:
        return strcmp(a->string, b->string);
    case ATOM_UUID:
        return uuid_compare(&a->uuid, &b->uuid);
    case ATOM_VOID:
        break;
    }
    return 0;
}

int
(*atom_comparator(enum atom_type type))(const void *, const void *)
{
    switch (type) {
    case ATOM_INTEGER:
        return compare_integers;
    case ATOM_REAL:
        return compare_reals;
    case ATOM_BOOLEAN:
        return compare_booleans;
    case ATOM_STRING:
        return compare_strings;
    case ATOM_UUID:
    case ATOM_VOID:
        break;
    }
    return compare_uuids;
}

char *
atom_from_json(union atom *atom, enum atom_type type, const json_t *json)
{
    memset(atom, 0, sizeof *atom);
    switch (type) {
    case ATOM_INTEGER:
        if (json_is_integer(json)) {
            atom->integer = json_integer_value(json);
            return NULL;
        }
        break;
    case ATOM_REAL:
        if (json_is_number(json)) {
            atom->real = json_number_value(json);
            return NULL;
        }
        break;
    case ATOM_BOOLEAN:
        if (json_is_boolean(json)) {
            atom->boolean = json_is_true(json);
            return NULL;
        }
        break;
    case ATOM_STRING:
        if (json_is_string(json)) {
            atom->string = xstrdup(json_string_value(json));
            return NULL;
        }
        break;
    case ATOM_UUID: {
        const char *tag = json_string_value(json_array_get(json, 0));
        const char *text = json_string_value(json_array_get(json, 1));

        if (json_array_size(json) == 2 && tag && !strcmp(tag, "uuid")
            && text && uuid_from_text(&atom->uuid, text)) {
            return NULL;
        }
        break;
    }
    case ATOM_VOID:
        break;
    }
    return xasprintf("the JSON value is not of type %s",
                     atom_type_name(type));
}

json_t *
atom_to_json(const union atom *atom, enum atom_type type)
{
    char text[UUID_LEN + 1];

    switch (type) {
    case ATOM_INTEGER:
        return json_integer(atom->integer);
    case ATOM_REAL:
        return json_real(atom->real);
    case ATOM_BOOLEAN:
        return json_boolean(atom->boolean);
    case ATOM_STRING:
        return json_string(atom->string);
    case ATOM_UUID:
        uuid_to_text(&atom->uuid, text);
        return json_pack("[ss]", "uuid", text);
    case ATOM_VOID:
        break;
    }
    return json_null();
}

char *
atom_check(const union atom *atom, const struct base_type *base)
{
    if (base->n_enums) {
        return check_enums(atom, base);
    }
    switch (base->type) {
    case ATOM_INTEGER:
        if (atom->integer >= base->min_integer
            && atom->integer <= base->max_integer) {
            return NULL;
        } else if (base->max_integer == INT64_MAX) {
            return xasprintf("%"PRId64" is too small: the least allowed "
                             "value is %"PRId64, atom->integer,
                             base->min_integer);
        } else if (base->min_integer == INT64_MIN) {
            return xasprintf("%"PRId64" is too large: the greatest allowed "
                             "value is %"PRId64, atom->integer,
                             base->max_integer);
        }
        return xasprintf("%"PRId64" is outside the allowed range %"PRId64
                         " to %"PRId64, atom->integer, base->min_integer,
                         base->max_integer);

    case ATOM_REAL:
        if (atom->real >= base->min_real && atom->real <= base->max_real) {
            return NULL;
        }
        return xasprintf("%.*g is outside the allowed range %.*g to %.*g",
                         DBL_DIG, atom->real, DBL_DIG, base->min_real,
                         DBL_DIG, base->max_real);

    case ATOM_STRING: {
        size_t n = count_chars(atom->string);

        if (n < base->min_chars) {
            return xasprintf("\"%s\" is too short: it has %zu characters "
                             "and at least %u are required", atom->string, n,
                             base->min_chars);
        } else if (n > base->max_chars) {
            return xasprintf("\"%s\" is too long: it has %zu characters "
                             "and at most %u are allowed", atom->string, n,
                             base->max_chars);
        }
        return NULL;
    }
    case ATOM_BOOLEAN:
    case ATOM_UUID:
    case ATOM_VOID:
        break;
    }
    return NULL;
}

static char *
read_enums(struct base_type *base, const json_t *json)
{
    const json_t *elements = json;
    const char *tag = json_string_value(json_array_get(json, 0));
    json_t *only = NULL;
    char *error = NULL;

    if (!json) {
        return NULL;
    }
    /* A set of one may be written as that one, and a UUID is an array too,
     * so the tag decides. */
    if (tag && !strcmp(tag, "set") && json_array_size(json) == 2
        && json_is_array(json_array_get(json, 1))) {
        elements = json_array_get(json, 1);
    } else {
        only = json_pack("[O]", json);
        elements = only;
    }

    base->enums = xcalloc(json_array_size(elements), sizeof *base->enums);
    for (size_t i = 0; !error && i < json_array_size(elements); i++) {
        error = atom_from_json(&base->enums[i], base->type,
                               json_array_get(elements, i));
        base->n_enums += !error;
    }
    if (!error && !base->n_enums) {
        error = xstrdup("\"enum\" is empty");
    }
    json_decref(only);
    if (!error) {
        qsort(base->enums, base->n_enums, sizeof *base->enums,
              atom_comparator(base->type));
    }
    return error;
}

static char *
read_limits(struct base_type *base, const json_t *json)
{
    const json_t *min_integer = json_object_get(json, "minInteger");
    const json_t *max_integer = json_object_get(json, "maxInteger");
    const json_t *min_real = json_object_get(json, "minReal");
    const json_t *max_real = json_object_get(json, "maxReal");

    if (json_is_integer(min_integer)) {
        base->min_integer = json_integer_value(min_integer);
    }
    if (json_is_integer(max_integer)) {
        base->max_integer = json_integer_value(max_integer);
    }
    if (json_is_number(min_real)) {
        base->min_real = json_number_value(min_real);
    }
    if (json_is_number(max_real)) {
        base->max_real = json_number_value(max_real);
    }
    if (!read_count(&base->min_chars, json, "minLength")
        || !read_count(&base->max_chars, json, "maxLength")) {
        return xstrdup("\"minLength\" or \"maxLength\" is not a length");
    }
    return (base->min_integer > base->max_integer
            || base->min_real > base->max_real
            || base->min_chars > base->max_chars
            ? xstrdup("a minimum is greater than its maximum")
            : NULL);
}

static char *
read_reference(struct base_type *base, const json_t *json)
{
    const json_t *table = json_object_get(json, "refTable");
    const char *type = json_string_value(json_object_get(json, "refType"));

    if (!table) {
        return NULL;
    } else if (!json_is_string(table) || base->type != ATOM_UUID) {
        return xstrdup("\"refTable\" is not a table's name or is not at a "
                       "UUID");
    }
    base->ref_table = xstrdup(json_string_value(table));
    base->is_weak_ref = type && !strcmp(type, "weak");
    return NULL;
}

static bool
read_count(unsigned int *count, const json_t *object, const char *member)
{
    const json_t *json = json_object_get(object, member);

    if (json) {
        json_int_t value = json_integer_value(json);

        if (!json_is_integer(json) || value < 0 || value > UINT_MAX) {
            return false;
        }
        *count = (unsigned int) value;
    }
    return true;
}

static int
compare_integers(const void *a, const void *b)
{
    return atom_compare(a, b, ATOM_INTEGER);
}

static int
compare_reals(const void *a, const void *b)
{
    return atom_compare(a, b, ATOM_REAL);
}

static int
compare_booleans(const void *a, const void *b)
{
    return atom_compare(a, b, ATOM_BOOLEAN);
}

static int
compare_strings(const void *a, const void *b)
{
    return atom_compare(a, b, ATOM_STRING);
}

static int
compare_uuids(const void *a, const void *b)
{
    return atom_compare(a, b, ATOM_UUID);
}

static char *
check_enums(const union atom *atom, const struct base_type *base)
{
    struct str s = STR_INIT;

    for (size_t i = 0; i < base->n_enums; i++) {
        if (!atom_compare(atom, &base->enums[i], base->type)) {
            return NULL;
        }
    }
    str_append_char(&s, '"');
    atom_to_bare(&s, atom, base->type);
    str_append(&s, "\" is not an allowed value; choose from: ");
    for (size_t i = 0; i < base->n_enums; i++) {
        if (i) {
            str_append(&s, ", ");
        }
        atom_to_text(&s, &base->enums[i], base->type);
    }
    return str_steal(&s);
}

static size_t
count_chars(const char *utf8)
{
    size_t n = 0;

    for (; *utf8; utf8++) {
        n += (*utf8 & 0xc0) != 0x80;
    }
    return n;
}
