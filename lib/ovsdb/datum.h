/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datum.h - the value of one column: a set or a map of atoms.
 *
 * RFC 7047 section 3.2 (<type>) and 5.1 (<value>).  A scalar is a set of
 * exactly one, an optional value a set of at most one.
 *
 * Functions that read a value return NULL, or a sentence that says what is
 * wrong, which the caller frees; the output is then not initialized.  They
 * take any bytes.  Not locked; they allocate: control plane only.
 */
#ifndef QANAT_OVSDB_DATUM_H
#define QANAT_OVSDB_DATUM_H 1

#include "lib/ovsdb/atom.h"

/* For a map, 'value' is not void.  n_max is UINT_MAX if there is no limit. */
struct datum_type {
    struct base_type key;
    struct base_type value;
    unsigned int n_min;
    unsigned int n_max;
};

/* Invariant: the 'n' keys ascend and differ; 'values' is NULL for a set and
 * has as many elements for a map. */
struct datum {
    size_t n;
    union atom *keys;
    union atom *values;
};

#define DATUM_INIT { 0, NULL, NULL }
#define DATUM_NOT_FOUND SIZE_MAX

static inline bool
datum_type_is_map(const struct datum_type *type)
{
    return type->value.type != ATOM_VOID;
}

static inline bool
datum_type_is_scalar(const struct datum_type *type)
{
    return !datum_type_is_map(type) && type->n_min == 1 && type->n_max == 1;
}

/* Reads RFC 7047's <type>. */
char *datum_type_from_json(struct datum_type *, const json_t *);

/* Initializes the type of a scalar without constraints. */
void datum_type_init_scalar(struct datum_type *, enum atom_type);
void datum_type_fini(struct datum_type *);

/* Appends what the type is in English, e.g. "set of up to 3 integers". */
void datum_type_to_english(struct str *, const struct datum_type *);

/* The value that a new row's column has: a default scalar or nothing.  (A
 * column that demands more than one element has no good default.) */
void datum_init_default(struct datum *, const struct datum_type *);
bool datum_is_default(const struct datum *, const struct datum_type *);

void datum_clone(struct datum *dst, const struct datum *src,
                 const struct datum_type *);
void datum_fini(struct datum *, const struct datum_type *);
void datum_swap(struct datum *, struct datum *);

/* Less than, equal to or greater than 0: the number of elements counts first,
 * then the keys, then the values. */
int datum_compare(const struct datum *, const struct datum *,
                  const struct datum_type *);

static inline bool
datum_equal(const struct datum *a, const struct datum *b,
            const struct datum_type *type)
{
    return !datum_compare(a, b, type);
}

/* Index of 'key', or DATUM_NOT_FOUND. */
size_t datum_find(const struct datum *, const union atom *key,
                  const struct datum_type *);

/* Sets 'key' (with 'value', for a map), cloning them. */
void datum_put(struct datum *, const union atom *key, const union atom *value,
               const struct datum_type *);
void datum_remove_at(struct datum *, size_t i, const struct datum_type *);

/* Adds all of 'more'; its values win over those that are there. */
void datum_add_all(struct datum *, const struct datum *more,
                   const struct datum_type *);

/* Removes every element of 'less', a datum of type 'less_type': of a map's
 * pairs those with equal key and value, or, if 'less' is a set, those with
 * equal keys. */
void datum_remove_all(struct datum *, const struct datum_type *,
                      const struct datum *less,
                      const struct datum_type *less_type);

/* True if each element (key and value) of 'a' is in 'b', or none is. */
bool datum_is_subset(const struct datum *a, const struct datum *b,
                     const struct datum_type *);
bool datum_is_disjoint(const struct datum *a, const struct datum *b,
                       const struct datum_type *);

/* Reads RFC 7047's <value>. */
char *datum_from_json(struct datum *, const struct datum_type *,
                      const json_t *);

/* A new reference to the JSON form. */
json_t *datum_to_json(const struct datum *, const struct datum_type *);

/* Reads the whole of 'text': elements separated by blanks or a comma, maybe
 * in [] or {}.  Numbers of elements and constraints are checked.  "@names"
 * are looked up in 'symtab', unless it is NULL. */
char *datum_from_text(struct datum *, const struct datum_type *,
                      struct symtab *symtab, const char *text);

/* Appends the text form, as ovs-vsctl prints it. */
void datum_to_text(struct str *, const struct datum *,
                   const struct datum_type *);

/* Appends the elements without any punctuation but the "=" of pairs. */
void datum_to_bare(struct str *, const struct datum *,
                   const struct datum_type *);

#endif /* QANAT_OVSDB_DATUM_H */
