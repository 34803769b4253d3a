/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datumbuild.h - collects elements in any order and makes a datum of them.
 *
 * For the readers of the JSON and the text form, datum.c and datumtext.c,
 * only.  Control plane only.
 */
#ifndef QANAT_OVSDB_DATUMBUILD_H
#define QANAT_OVSDB_DATUMBUILD_H 1

#include "lib/ovsdb/datum.h"

/* The key stands first: see atom_comparator(). */
struct datum_pair {
    union atom key;
    union atom value;           /* Nothing in it for a set. */
};

struct datum_build {
    const struct datum_type *type;
    struct datum_pair *pairs;
    size_t n;                   /* Elements in use. */
    size_t size;                /* Elements there is room for. */
};

void datum_build_init(struct datum_build *, const struct datum_type *);

/* Takes ownership of the atoms. */
void datum_build_add(struct datum_build *, union atom key, union atom value);

/* Ends building.  Gives '*datum' all elements and returns NULL; or, if
 * 'error' (which is then handed on) is not NULL or two keys are equal, frees
 * them and returns a sentence that the caller frees. */
char *datum_build_finish(struct datum_build *, char *error, struct datum *);

#endif /* QANAT_OVSDB_DATUMBUILD_H */
