/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datum.c - sets and maps of atoms.  See datum.h; the text form is in
 * datumtext.c.
 */
#include "lib/ovsdb/datum.h"

#include <limits.h>

#include "lib/ovsdb/datumbuild.h"

static char *read_count(unsigned int *, const json_t *);
static bool contains(const struct datum *, const union atom *key,
                     const union atom *value, const struct datum_type *);
static size_t search(const struct datum *, const union atom *key,
                     enum atom_type, bool *is_found);
static char *read_pair(struct datum_build *, const json_t *);

char *
datum_type_from_json(struct datum_type *type, const json_t *json)
{
    const json_t *key, *value;
    char *error;

    datum_type_init_scalar(type, ATOM_VOID);
    if (json_is_string(json)) {
        return base_type_from_json(&type->key, json);
    }

    key = json_object_get(json, "key");
    value = json_object_get(json, "value");
    if (!key) {
        return xstrdup("a column's type has no \"key\"");
    }
    error = base_type_from_json(&type->key, key);
    if (!error && value) {
        error = base_type_from_json(&type->value, value);
    }
    if (!error) {
        error = read_count(&type->n_min, json_object_get(json, "min"));
    }
    if (!error) {
        error = read_count(&type->n_max, json_object_get(json, "max"));
    }
    if (!error && (type->n_min > 1 || type->n_max < 1)) {
        error = xstrdup("\"min\" is above 1 or \"max\" below 1");
    }
    if (error) {
        datum_type_fini(type);
    }
    return error;
}

void
datum_type_init_scalar(struct datum_type *type, enum atom_type atom_type)
{
    base_type_init(&type->key, atom_type);
    base_type_init(&type->value, ATOM_VOID);
    type->n_min = type->n_max = 1;
}

void
datum_type_fini(struct datum_type *type)
{
    base_type_fini(&type->key);
    base_type_fini(&type->value);
}

void
datum_type_to_english(struct str *s, const struct datum_type *type)
{
    const char *key = atom_type_name(type->key.type);

    if (datum_type_is_scalar(type)) {
        str_append(s, key);
        return;
    }
    str_append(s, datum_type_is_map(type) ? "map of " : "set of ");
    if (type->n_max != UINT_MAX) {
        str_printf(s, type->n_min ? "%u to " : "up to ", type->n_min);
        str_printf(s, "%u ", type->n_max);
    } else if (type->n_min) {
        str_printf(s, "%u or more ", type->n_min);
    }
    if (datum_type_is_map(type)) {
        str_printf(s, "(%s, %s) pairs", key,
                   atom_type_name(type->value.type));
    } else {
        str_printf(s, "%ss", key);
    }
}

void
datum_init_default(struct datum *datum, const struct datum_type *type)
{
    *datum = (struct datum) DATUM_INIT;
    if (type->n_min) {
        datum->n = 1;
        datum->keys = xmalloc(sizeof *datum->keys);
        atom_init_default(datum->keys, type->key.type);
        if (datum_type_is_map(type)) {
            datum->values = xmalloc(sizeof *datum->values);
            atom_init_default(datum->values, type->value.type);
        }
    }
}

bool
datum_is_default(const struct datum *datum, const struct datum_type *type)
{
    return (datum->n == type->n_min
            && (!datum->n
                || (atom_is_default(&datum->keys[0], type->key.type)
                    && (!datum->values
                        || atom_is_default(&datum->values[0],
                                           type->value.type)))));
}

void
datum_clone(struct datum *dst, const struct datum *src,
            const struct datum_type *type)
{
    *dst = (struct datum) DATUM_INIT;
    dst->n = src->n;
    if (!src->n) {
        return;
    }
    dst->keys = xcalloc(src->n, sizeof *dst->keys);
    if (src->values) {
        dst->values = xcalloc(src->n, sizeof *dst->values);
    }
    for (size_t i = 0; i < src->n; i++) {
        atom_clone(&dst->keys[i], &src->keys[i], type->key.type);
        if (src->values) {
            atom_clone(&dst->values[i], &src->values[i], type->value.type);
        }
    }
}

void
datum_fini(struct datum *datum, const struct datum_type *type)
{
    for (size_t i = 0; i < datum->n; i++) {
        atom_fini(&datum->keys[i], type->key.type);
        if (datum->values) {
            atom_fini(&datum->values[i], type->value.type);
        }
    }
    free(datum->keys);
    free(datum->values);
    *datum = (struct datum) DATUM_INIT;
}

void
datum_swap(struct datum *a, struct datum *b)
{
    struct datum tmp = *a;

    *a = *b;
    *b = tmp;
}

int
datum_compare(const struct datum *a, const struct datum *b,
              const struct datum_type *type)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = 0; i < a->n; i++) {
        int cmp = atom_compare(&a->keys[i], &b->keys[i], type->key.type);

        if (cmp) {
            return cmp;
        }
    }
    for (size_t i = 0; a->values && b->values && i < a->n; i++) {
        int cmp = atom_compare(&a->values[i], &b->values[i],
                               type->value.type);

        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

size_t
datum_find(const struct datum *datum, const union atom *key,
           const struct datum_type *type)
{
    bool is_found;
    size_t i = search(datum, key, type->key.type, &is_found);

    return is_found ? i : DATUM_NOT_FOUND;
}

void
datum_put(struct datum *datum, const union atom *key,
          const union atom *value, const struct datum_type *type)
{
    bool is_found;
    size_t i = search(datum, key, type->key.type, &is_found);
    size_t n_after = datum->n - i;

    if (is_found) {
        if (value) {
            atom_fini(&datum->values[i], type->value.type);
            atom_clone(&datum->values[i], value, type->value.type);
        }
        return;
    }

    datum->keys = xrealloc(datum->keys, (datum->n + 1) * sizeof *key);
    memmove(&datum->keys[i + 1], &datum->keys[i], n_after * sizeof *key);
    atom_clone(&datum->keys[i], key, type->key.type);
    if (value) {
        datum->values = xrealloc(datum->values,
                                 (datum->n + 1) * sizeof *value);
        memmove(&datum->values[i + 1], &datum->values[i],
                n_after * sizeof *value);
        atom_clone(&datum->values[i], value, type->value.type);
    }
    datum->n++;
}

void
datum_remove_at(struct datum *datum, size_t i, const struct datum_type *type)
{
    size_t n_after = datum->n - i - 1;

    atom_fini(&datum->keys[i], type->key.type);
    memmove(&datum->keys[i], &datum->keys[i + 1],
            n_after * sizeof *datum->keys);
    if (datum->values) {
        atom_fini(&datum->values[i], type->value.type);
        memmove(&datum->values[i], &datum->values[i + 1],
                n_after * sizeof *datum->values);
    }
    datum->n--;
}

void
datum_add_all(struct datum *datum, const struct datum *more,
              const struct datum_type *type)
{
    for (size_t i = 0; i < more->n; i++) {
        datum_put(datum, &more->keys[i],
                  more->values ? &more->values[i] : NULL, type);
    }
}

void
datum_remove_all(struct datum *datum, const struct datum_type *type,
                 const struct datum *less, const struct datum_type *less_type)
{
    bool compare_values = datum_type_is_map(less_type);

    for (size_t i = 0; i < less->n; i++) {
        size_t at = datum_find(datum, &less->keys[i], type);

        if (at != DATUM_NOT_FOUND
            && (!compare_values
                || !atom_compare(&datum->values[at], &less->values[i],
                                 type->value.type))) {
            datum_remove_at(datum, at, type);
        }
    }
}

bool
datum_is_subset(const struct datum *a, const struct datum *b,
                const struct datum_type *type)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!contains(b, &a->keys[i], a->values ? &a->values[i] : NULL,
                      type)) {
            return false;
        }
    }
    return true;
}

bool
datum_is_disjoint(const struct datum *a, const struct datum *b,
                  const struct datum_type *type)
{
    for (size_t i = 0; i < a->n; i++) {
        if (contains(b, &a->keys[i], a->values ? &a->values[i] : NULL,
                     type)) {
            return false;
        }
    }
    return true;
}

char *
datum_from_json(struct datum *datum, const struct datum_type *type,
                const json_t *json)
{
    const char *wanted_tag = datum_type_is_map(type) ? "map" : "set";
    const char *tag = json_string_value(json_array_get(json, 0));
    const json_t *elements = json_array_get(json, 1);
    struct datum_build build;
    char *error = NULL;

    datum_build_init(&build, type);
    if (tag && !strcmp(tag, wanted_tag) && json_array_size(json) == 2
        && json_is_array(elements)) {
        for (size_t i = 0; !error && i < json_array_size(elements); i++) {
            error = read_pair(&build, json_array_get(elements, i));
        }
    } else if (datum_type_is_map(type)) {
        error = xstrdup("the JSON value is not a map");
    } else {
        error = read_pair(&build, json);
    }
    return datum_build_finish(&build, error, datum);
}

json_t *
datum_to_json(const struct datum *datum, const struct datum_type *type)
{
    json_t *elements;

    if (!datum_type_is_map(type) && datum->n == 1) {
        return atom_to_json(&datum->keys[0], type->key.type);
    }

    elements = json_array();
    for (size_t i = 0; i < datum->n; i++) {
        json_t *key = atom_to_json(&datum->keys[i], type->key.type);

        json_array_append_new(
            elements,
            datum->values
            ? json_pack("[oo]", key, atom_to_json(&datum->values[i],
                                                  type->value.type))
            : key);
    }
    return json_pack("[so]", datum_type_is_map(type) ? "map" : "set",
                     elements);
}

void
datum_build_init(struct datum_build *build, const struct datum_type *type)
{
    *build = (struct datum_build) { .type = type };
}

void
datum_build_add(struct datum_build *build, union atom key, union atom value)
{
    if (build->n >= build->size) {
        build->pairs = xgrow(build->pairs, &build->size,
                             sizeof *build->pairs);
    }
    build->pairs[build->n++] = (struct datum_pair) { key, value };
}

char *
datum_build_finish(struct datum_build *build, char *error,
                   struct datum *datum)
{
    const struct datum_type *type = build->type;
    size_t n = build->n;

    *datum = (struct datum) DATUM_INIT;
    if (n) {
        qsort(build->pairs, n, sizeof *build->pairs,
              atom_comparator(type->key.type));
        datum->n = n;
        datum->keys = xcalloc(n, sizeof *datum->keys);
        if (datum_type_is_map(type)) {
            datum->values = xcalloc(n, sizeof *datum->values);
        }
    }
    for (size_t i = 0; i < n; i++) {
        datum->keys[i] = build->pairs[i].key;
        if (datum->values) {
            datum->values[i] = build->pairs[i].value;
        }
        if (!error && i && !atom_compare(&datum->keys[i - 1], &datum->keys[i],
                                         type->key.type)) {
            struct str s = STR_INIT;

            atom_to_text(&s, &datum->keys[i], type->key.type);
            error = xasprintf(datum->values ? "the key %s occurs twice"
                                            : "the value %s occurs twice",
                              str_cstr(&s));
            str_fini(&s);
        }
    }
    free(build->pairs);
    if (error) {
        datum_fini(datum, type);
    }
    return error;
}

/* Stores in '*count' what the schema says, and leaves it if there is
 * nothing. */
static char *
read_count(unsigned int *count, const json_t *json)
{
    const char *text = json_string_value(json);

    if (!json) {
        return NULL;
    } else if (text && !strcmp(text, "unlimited")) {
        *count = UINT_MAX;
        return NULL;
    } else if (!json_is_integer(json) || json_integer_value(json) < 0
               || json_integer_value(json) > INT_MAX) {
        return xstrdup("\"min\" or \"max\" is not a number of elements");
    }
    *count = (unsigned int) json_integer_value(json);
    return NULL;
}

static bool
contains(const struct datum *datum, const union atom *key,
         const union atom *value, const struct datum_type *type)
{
    size_t i = datum_find(datum, key, type);

    return i != DATUM_NOT_FOUND
           && (!value || !atom_compare(&datum->values[i], value,
                                       type->value.type));
}

/* Index of 'key', or else of where it belongs. */
static size_t
search(const struct datum *datum, const union atom *key, enum atom_type type,
       bool *is_found)
{
    size_t low = 0;
    size_t high = datum->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int cmp = atom_compare(&datum->keys[middle], key, type);

        if (!cmp) {
            *is_found = true;
            return middle;
        } else if (cmp < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *is_found = false;
    return low;
}

static char *
read_pair(struct datum_build *build, const json_t *json)
{
    const struct datum_type *type = build->type;
    union atom key, value = { .integer = 0 };
    char *error;

    if (!datum_type_is_map(type)) {
        error = atom_from_json(&key, type->key.type, json);
        if (error) {
            return error;
        }
    } else {
        if (json_array_size(json) != 2) {
            return xstrdup("an element of the map is not a pair");
        }
        error = atom_from_json(&key, type->key.type, json_array_get(json, 0));
        if (error) {
            return error;
        }
        error = atom_from_json(&value, type->value.type,
                               json_array_get(json, 1));
        if (error) {
            atom_fini(&key, type->key.type);
            return error;
        }
    }
    datum_build_add(build, key, value);
    return NULL;
}
