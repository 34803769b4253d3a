/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symtab.c - names of rows within one transaction.  See symtab.h.
 */
#include "lib/ovsdb/symtab.h"

#include "lib/base/hash.h"

void
symtab_init(struct symtab *symtab)
{
    hmap_init(&symtab->map);
}

void
symtab_fini(struct symtab *symtab)
{
    struct symbol *symbol, *next;

    HMAP_FOR_EACH_SAFE(symbol, next, node, &symtab->map) {
        hmap_remove(&symtab->map, &symbol->node);
        free(symbol->name);
        free(symbol);
    }
    hmap_fini(&symtab->map);
}

struct symbol *
symtab_find(const struct symtab *symtab, const char *name)
{
    struct symbol *symbol;

    HMAP_FOR_EACH_WITH_HASH(symbol, node, hash_string(name, 0),
                            &symtab->map) {
        if (!strcmp(symbol->name, name)) {
            return symbol;
        }
    }
    return NULL;
}

struct symbol *
symtab_get(struct symtab *symtab, const char *name)
{
    struct symbol *symbol = symtab_find(symtab, name);

    if (!symbol) {
        symbol = xzalloc(sizeof *symbol);
        symbol->name = xstrdup(name);
        uuid_random(&symbol->uuid);
        hmap_insert(&symtab->map, &symbol->node, hash_string(name, 0));
    }
    return symbol;
}
