/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symtab.h - names like "@port" that stand for rows within one transaction.
 *
 * A name may be used before the row exists: it gets a UUID at once, and
 * whoever makes the row gives it that UUID.  Not locked.  Control plane only.
 */
#ifndef QANAT_OVSDB_SYMTAB_H
#define QANAT_OVSDB_SYMTAB_H 1

#include "lib/base/hmap.h"
#include "lib/ovsdb/uuid.h"

struct symbol {
    struct hmap_node node;
    char *name;                 /* With the "@". */
    struct uuid uuid;
    bool is_defined;            /* Some command said which row this is. */
    bool is_new_row;            /* That row is made in this transaction. */
    bool needs_reference;       /* That row lives only while referenced. */
    bool has_strong_ref;        /* It was named where a row keeps it alive. */
    bool has_weak_ref;          /* It was named where no row does. */
};

struct symtab {
    struct hmap map;
};

#define SYMTAB_FOR_EACH(SYMBOL, SYMTAB) \
    HMAP_FOR_EACH(SYMBOL, node, &(SYMTAB)->map)

void symtab_init(struct symtab *);
void symtab_fini(struct symtab *);

/* The symbol called 'name', or NULL. */
struct symbol *symtab_find(const struct symtab *, const char *name);

/* The symbol called 'name', made with a random UUID if it is new. */
struct symbol *symtab_get(struct symtab *, const char *name);

#endif /* QANAT_OVSDB_SYMTAB_H */
