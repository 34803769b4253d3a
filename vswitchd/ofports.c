/* SPDX-License-Identifier: Apache-2.0 */

/* ofports.c - gives port numbers (see ofports.h). */

#include "vswitchd/ofports.h"

#include "lib/base/hash.h"
#include "vswitchd/config.h"

struct entry {
    struct hmap_node by_name;
    struct hmap_node by_number; /* While 'held'. */
    uint32_t number;
    bool held;
    char name[];
};

/* Names of the past are forgotten beyond so many. */
#define MAX_NAMES 65536

void
ofports_init(struct ofports *p)
{
    hmap_init(&p->by_number);
    hmap_init(&p->by_name);
    p->last = 0;
}

void
ofports_fini(struct ofports *p)
{
    struct entry *e, *next;

    HMAP_FOR_EACH_SAFE (e, next, by_name, &p->by_name) {
        free(e);
    }
    hmap_fini(&p->by_number);
    hmap_fini(&p->by_name);
}

static struct entry *
find_name(const struct ofports *p, const char *name)
{
    struct entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, by_name, hash_string(name, 0), &p->by_name) {
        if (!strcmp(e->name, name)) {
            return e;
        }
    }
    return NULL;
}

static struct entry *
find_holder(const struct ofports *p, uint32_t number)
{
    struct entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, by_number, hash_int(number, 0),
                             &p->by_number) {
        if (e->number == number) {
            return e;
        }
    }
    return NULL;
}

static void
let_go(struct ofports *p, struct entry *e)
{
    if (e->held) {
        hmap_remove(&p->by_number, &e->by_number);
        e->held = false;
    }
}

static void
forget_old(struct ofports *p)
{
    struct entry *e, *next;

    HMAP_FOR_EACH_SAFE (e, next, by_name, &p->by_name) {
        if (!e->held) {
            hmap_remove(&p->by_name, &e->by_name);
            free(e);
        }
    }
}

bool
ofports_take(struct ofports *p, const char *name, uint32_t number)
{
    struct entry *holder = find_holder(p, number);
    struct entry *e = find_name(p, name);

    if (holder) {
        return holder == e;
    }
    if (!e) {
        if (hmap_count(&p->by_name) >= MAX_NAMES) {
            forget_old(p);
        }
        e = xzalloc(sizeof *e + strlen(name) + 1);
        strcpy(e->name, name);
        hmap_insert(&p->by_name, &e->by_name, hash_string(name, 0));
    }
    let_go(p, e);
    e->number = number;
    e->held = true;
    hmap_insert(&p->by_number, &e->by_number, hash_int(number, 0));
    return true;
}

uint32_t
ofports_get(struct ofports *p, const char *name)
{
    const struct entry *e = find_name(p, name);

    if (e && (e->held || ofports_take(p, name, e->number))) {
        return e->number;
    }
    for (uint32_t i = 0; i < OFPORT_MAX; i++) {
        p->last = p->last % OFPORT_MAX + 1;
        if (ofports_take(p, name, p->last)) {
            return p->last;
        }
    }
    return 0;
}

uint32_t
ofports_find(const struct ofports *p, const char *name)
{
    const struct entry *e = find_name(p, name);

    return e && e->held ? e->number : 0;
}

void
ofports_release(struct ofports *p, const char *name)
{
    struct entry *e = find_name(p, name);

    if (e) {
        let_go(p, e);
    }
}
