/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atom.h - one value of the database: an integer, a real, a boolean, a
 * string or a UUID, and the type that says which values are allowed.
 *
 * RFC 7047 section 3.2 (base types) and 5.1 (atoms) give the JSON form.  The
 * text form is the one that people type to and read from ovs-vsctl.
 *
 * Functions that read a value return NULL, or a sentence that says what is
 * wrong, which the caller frees; the output is then not initialized.  They
 * take any bytes.  Not locked; they allocate: control plane only.
 */
#ifndef QANAT_OVSDB_ATOM_H
#define QANAT_OVSDB_ATOM_H 1

#include <jansson.h>

#include "lib/base/str.h"
#include "lib/ovsdb/symtab.h"

enum atom_type {
    ATOM_VOID,                  /* The value type of what is not a map. */
    ATOM_INTEGER,
    ATOM_REAL,
    ATOM_BOOLEAN,
    ATOM_STRING,
    ATOM_UUID,
};

union atom {
    int64_t integer;
    double real;
    bool boolean;
    char *string;               /* Owned. UTF-8, never NULL. */
    struct uuid uuid;
};

/* An atomic type and its constraints.  Of the constraints only those of the
 * type matter; all of them are set, "no limit" being the extreme value.
 * Where there are 'enums' (sorted), they are the only allowed values. */
struct base_type {
    enum atom_type type;
    union atom *enums;
    size_t n_enums;
    int64_t min_integer, max_integer;
    double min_real, max_real;
    unsigned int min_chars, max_chars;
    char *ref_table;            /* For UUIDs: table referred to, or NULL. */
    bool is_weak_ref;           /* The reference does not keep the row. */
};

/* "integer", "string", ... */
const char *atom_type_name(enum atom_type);

/* Initializes an unconstrained type. */
void base_type_init(struct base_type *, enum atom_type);
void base_type_fini(struct base_type *);

/* Reads RFC 7047's <base-type>. */
char *base_type_from_json(struct base_type *, const json_t *);

/* The default value of a type: 0, false, "" or the zero UUID. */
void atom_init_default(union atom *, enum atom_type);
bool atom_is_default(const union atom *, enum atom_type);

void atom_clone(union atom *dst, const union atom *src, enum atom_type);
void atom_fini(union atom *, enum atom_type);

/* Less than, equal to or greater than 0.  Strings compare by bytes, UUIDs as
 * their text forms do. */
int atom_compare(const union atom *, const union atom *, enum atom_type);

/* A function for qsort() that compares elements which begin with an atom. */
int (*atom_comparator(enum atom_type))(const void *, const void *);

/* Reads an atom's JSON form.  Constraints are the server's business here. */
char *atom_from_json(union atom *, enum atom_type, const json_t *);

/* A new reference to the JSON form. */
json_t *atom_to_json(const union atom *, enum atom_type);

/* Reads the whole of 'text'.  A string may stand in double quotes with JSON's
 * escapes.  A UUID may be a "@name" if 'symtab' is not NULL.  The value obeys
 * the constraints. */
char *atom_from_text(union atom *, const struct base_type *,
                     struct symtab *symtab, const char *text);

/* Reads "FIRST-LAST" of integers.  Returns false, and no sentence, if 'text'
 * has not that form; otherwise true, with '*error' NULL or a sentence. */
bool atom_range_from_text(int64_t *first, int64_t *last,
                          const struct base_type *, const char *text,
                          char **error);

/* Appends the text form: what atom_from_text() reads. */
void atom_to_text(struct str *, const union atom *, enum atom_type);

/* Appends the value without quotes. */
void atom_to_bare(struct str *, const union atom *, enum atom_type);

/* Appends 's' in double quotes with JSON's escapes. */
void atom_quote(struct str *, const char *s);

/* NULL, or a sentence if the constraints forbid the value. */
char *atom_check(const union atom *, const struct base_type *);

#endif /* QANAT_OVSDB_ATOM_H */
