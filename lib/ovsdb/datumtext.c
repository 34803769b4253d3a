/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datumtext.c - the text form of sets and maps, as people type it to and read
 * it from ovs-vsctl.  See datum.h.
 */
#include <ctype.h>
#include <inttypes.h>

#include "lib/ovsdb/atomtext.h"
#include "lib/ovsdb/datumbuild.h"

/* A range such as 1-4096 stands for each integer in it.  The bound keeps a
 * slip of the finger from eating all memory. */
#define MAX_RANGE_ELEMENTS 4096

static const char *skip_blanks(const char *);
static char *read_elements(struct datum_build *, struct symtab *,
                           const char *text);
static char *read_element(struct datum_build *, struct symtab *,
                          const char **pos, const char *text);
static char *read_range(struct datum_build *, const char *word,
                        bool *is_range);
static char *take_atom(union atom *, const struct base_type *,
                       struct symtab *, const char **pos,
                       const char *text, const struct datum_type *);
static char *complain(const struct datum_type *, const char *text,
                      const char *pos);
static char *check_count(const struct datum_build *, const char *text);

char *
datum_from_text(struct datum *datum, const struct datum_type *type,
                struct symtab *symtab, const char *text)
{
    struct datum_build build;
    char *error;

    datum_build_init(&build, type);
    error = read_elements(&build, symtab, text);
    if (!error) {
        error = check_count(&build, text);
    }
    error = datum_build_finish(&build, error, datum);
    return error;
}

void
datum_to_text(struct str *s, const struct datum *datum,
              const struct datum_type *type)
{
    bool is_map = datum_type_is_map(type);
    /* By the type and not by the number of elements, so that scripts see one
     * form; but nothing at all must be shown somehow. */
    bool is_bracketed = is_map || type->n_max > 1 || !datum->n;

    if (is_bracketed) {
        str_append_char(s, is_map ? '{' : '[');
    }
    for (size_t i = 0; i < datum->n; i++) {
        if (i) {
            str_append(s, ", ");
        }
        atom_to_text(s, &datum->keys[i], type->key.type);
        if (is_map) {
            str_append_char(s, '=');
            atom_to_text(s, &datum->values[i], type->value.type);
        }
    }
    if (is_bracketed) {
        str_append_char(s, is_map ? '}' : ']');
    }
}

void
datum_to_bare(struct str *s, const struct datum *datum,
              const struct datum_type *type)
{
    for (size_t i = 0; i < datum->n; i++) {
        if (i) {
            str_append_char(s, ' ');
        }
        atom_to_bare(s, &datum->keys[i], type->key.type);
        if (datum->values) {
            str_append_char(s, '=');
            atom_to_bare(s, &datum->values[i], type->value.type);
        }
    }
}

static const char *
skip_blanks(const char *p)
{
    while (isspace((unsigned char) *p)) {
        p++;
    }
    return p;
}

static char *
read_elements(struct datum_build *build, struct symtab *symtab,
              const char *text)
{
    bool is_map = datum_type_is_map(build->type);
    const char *p = skip_blanks(text);
    char close = '\0';

    if (*p == (is_map ? '{' : '[')) {
        close = is_map ? '}' : ']';
        p = skip_blanks(p + 1);
    } else if (!*p) {
        return xasprintf("a value is missing; write %s for the empty %s",
                         is_map ? "{}" : "[]", is_map ? "map" : "set");
    }

    while (*p && *p != close) {
        char *error = read_element(build, symtab, &p, text);

        if (error) {
            return error;
        }
        p = skip_blanks(p);
        if (*p == ',') {
            p = skip_blanks(p + 1);
        }
    }
    if (close) {
        if (*p != close) {
            return xasprintf("%s: the closing \"%c\" is missing", text,
                             close);
        }
        p = skip_blanks(p + 1);
        if (*p) {
            return xasprintf("%s: \"%s\" follows the closing \"%c\"", text, p,
                             close);
        }
    }
    return NULL;
}

static char *
read_element(struct datum_build *build, struct symtab *symtab,
             const char **pos, const char *text)
{
    const struct datum_type *type = build->type;
    union atom key, value = { .integer = 0 };
    char *error;

    if (!datum_type_is_map(type) && type->key.type == ATOM_INTEGER) {
        const char *after = *pos;
        char *word;
        bool is_range;

        error = atomtext_take_word(&after, &word);
        if (error) {
            return error;
        }
        error = read_range(build, word, &is_range);
        free(word);
        if (error || is_range) {
            *pos = after;
            return error;
        }
    }

    error = take_atom(&key, &type->key, symtab, pos, text, type);
    if (error) {
        return error;
    }
    if (datum_type_is_map(type)) {
        *pos = skip_blanks(*pos);
        if (**pos != '=') {
            atom_fini(&key, type->key.type);
            return xasprintf("%s: \"=\" and a value must follow each key of "
                             "a map", text);
        }
        *pos = skip_blanks(*pos + 1);
        error = take_atom(&value, &type->value, symtab, pos, NULL, type);
        if (error) {
            atom_fini(&key, type->key.type);
            return error;
        }
    }
    datum_build_add(build, key, value);
    return NULL;
}

static char *
read_range(struct datum_build *build, const char *word, bool *is_range)
{
    int64_t first, last;
    char *error;

    *is_range = atom_range_from_text(&first, &last, &build->type->key, word,
                                     &error);
    if (!*is_range || error) {
        return error;
    }
    /* Unsigned: the distance may exceed what int64_t holds. */
    if ((uint64_t) last - (uint64_t) first >= MAX_RANGE_ELEMENTS) {
        return xasprintf("the range \"%s\" has more than %d elements; give "
                         "several ranges", word, MAX_RANGE_ELEMENTS);
    }
    for (int64_t i = first;; i++) {
        datum_build_add(build, (union atom) { .integer = i },
                        (union atom) { .integer = 0 });
        if (i == last) {
            return NULL;
        }
    }
}

/* Takes one atom from '*pos'.  Where punctuation stands instead of it, the
 * sentence shows the whole 'text', if it is not NULL. */
static char *
take_atom(union atom *atom, const struct base_type *base,
          struct symtab *symtab, const char **pos, const char *text,
          const struct datum_type *type)
{
    char *word;
    char *error;

    if (text && atomtext_is_delimiter(**pos)) {
        return complain(type, text, *pos);
    }
    error = atomtext_take_word(pos, &word);
    if (!error) {
        error = atom_from_text(atom, base, symtab, word);
        free(word);
    }
    return error;
}

static char *
complain(const struct datum_type *type, const char *text, const char *pos)
{
    struct str s = STR_INIT;

    str_printf(&s, "%s: \"%c\" cannot stand there in a ", text, *pos);
    datum_type_to_english(&s, type);
    str_append(&s, "; put double quotes around what is meant literally");
    return str_steal(&s);
}

static char *
check_count(const struct datum_build *build, const char *text)
{
    const struct datum_type *type = build->type;

    if (build->n < type->n_min) {
        return xasprintf("%s: %zu values are given but at least %u %s "
                         "required", text, build->n, type->n_min,
                         type->n_min == 1 ? "is" : "are");
    } else if (build->n > type->n_max) {
        return xasprintf("%s: %zu values are given but at most %u %s allowed",
                         text, build->n, type->n_max,
                         type->n_max == 1 ? "is" : "are");
    }
    return NULL;
}
