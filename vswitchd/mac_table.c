/* SPDX-License-Identifier: Apache-2.0 */

/* mac_table.c - MAC learning of one bridge.
 *
 * An open hash with chains of indices into a fixed array.  The lock is taken
 * in translation only, never for a packet that hits a flow.
 *
 * A full table gives up the oldest of a few entries drawn by lot; so a sender
 * that invents addresses costs the same for each, and the entries of those who
 * go on talking are the ones that stay.  (Neighbours in the array will not do
 * as a sample: hosts that were learned together lie there together.) */

#include "vswitchd/mac_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/util.h"

#define NONE UINT32_MAX
#define EVICT_SAMPLES 16

struct mac_entry {
    struct dp_cell cell;        /* 'used_s' is written by PMD threads too. */
    uint64_t key;               /* VLAN << 48 | address; 0: free. */
    uint32_t ofport;
    uint32_t next;              /* In the chain, or in the free list. */
};

struct mac_table {
    pthread_mutex_t lock;       /* Guards all but the cells. */
    struct dp_cell learned;     /* Bumped when a new entry is made. */
    uint32_t basis;
    unsigned int idle_s;
    size_t max;
    size_t n;
    uint32_t free_head;
    uint32_t n_drawn;           /* Lots drawn, for the next one. */
    size_t n_buckets;           /* Power of 2. */
    uint32_t *buckets;
    struct mac_entry *entries;
};

static uint32_t
now_s(void)
{
    return (uint32_t) (clock_ms() / 1000);
}

static uint64_t
make_key(const uint8_t mac[6], uint16_t vlan)
{
    uint64_t key = 0;

    memcpy(&key, mac, 6);
    /* VLANs end at 4095; the bit keeps the key of address 0 from being 0. */
    return key | (uint64_t) vlan << 48 | UINT64_C(1) << 63;
}

struct mac_table *
mac_table_create(size_t max, unsigned int idle_s)
{
    struct mac_table *mt = xzalloc(sizeof *mt);

    pthread_mutex_init(&mt->lock, NULL);
    mt->basis = (uint32_t) clock_wall_ms();
    mt->idle_s = idle_s;
    mt->max = max;
    for (mt->n_buckets = 16; mt->n_buckets < max; mt->n_buckets *= 2) {
        continue;
    }
    mt->buckets = xcalloc(mt->n_buckets, sizeof *mt->buckets);
    memset(mt->buckets, 0xff, mt->n_buckets * sizeof *mt->buckets);
    mt->entries = xcalloc(max, sizeof *mt->entries);
    for (uint32_t i = 0; i < max; i++) {
        mt->entries[i].next = i + 1 < max ? i + 1 : NONE;
    }
    mt->free_head = max ? 0 : NONE;
    return mt;
}

void
mac_table_destroy(struct mac_table *mt)
{
    if (mt) {
        pthread_mutex_destroy(&mt->lock);
        free(mt->buckets);
        free(mt->entries);
        free(mt);
    }
}

void
mac_table_set_idle(struct mac_table *mt, unsigned int idle_s)
{
    pthread_mutex_lock(&mt->lock);
    mt->idle_s = idle_s;
    pthread_mutex_unlock(&mt->lock);
}

bool
mac_table_has_size(const struct mac_table *mt, size_t max)
{
    return mt->max == max;
}

static uint32_t *
bucket_of(struct mac_table *mt, uint64_t key)
{
    return &mt->buckets[hash_int(key, mt->basis) & (mt->n_buckets - 1)];
}

static uint32_t
find(struct mac_table *mt, uint64_t key)
{
    uint32_t i = *bucket_of(mt, key);

    while (i != NONE && mt->entries[i].key != key) {
        i = mt->entries[i].next;
    }
    return i;
}

static void
bump(struct dp_cell *cell)
{
    /* Pairs with the acquire in pmd.c's is_fresh(). */
    atomic_fetch_add_explicit(&cell->gen, 1, memory_order_release);
}

/* Takes entry 'i' out; whoever depended on it will translate again. */
static void
forget(struct mac_table *mt, uint32_t i)
{
    struct mac_entry *e = &mt->entries[i];
    uint32_t *p = bucket_of(mt, e->key);

    while (*p != i) {
        p = &mt->entries[*p].next;
    }
    *p = e->next;
    e->key = 0;
    e->next = mt->free_head;
    mt->free_head = i;
    mt->n--;
    bump(&e->cell);
}

static unsigned int
age_s(const struct mac_entry *e, uint32_t now)
{
    uint32_t used = atomic_load_explicit(&e->cell.used_s,
                                         memory_order_relaxed);

    return used < now ? now - used : 0;
}

static void
evict_one(struct mac_table *mt)
{
    uint32_t now = now_s();
    uint32_t oldest = NONE;

    /* Called when the table is full: every entry is in use. */
    for (unsigned int k = 0; k < EVICT_SAMPLES; k++) {
        uint32_t i = (uint32_t) (hash_int(mt->n_drawn++, mt->basis) % mt->max);

        if (oldest == NONE
            || age_s(&mt->entries[i], now) > age_s(&mt->entries[oldest],
                                                   now)) {
            oldest = i;
        }
    }
    forget(mt, oldest);
}

static uint32_t
make_entry(struct mac_table *mt, uint64_t key)
{
    uint32_t *bucket = bucket_of(mt, key);
    uint32_t i;

    if (mt->free_head == NONE) {
        evict_one(mt);
    }
    i = mt->free_head;
    mt->free_head = mt->entries[i].next;
    mt->entries[i].key = key;
    mt->entries[i].next = *bucket;
    *bucket = i;
    mt->n++;
    bump(&mt->learned);
    return i;
}

static void
depend(struct dp_dep *dep, struct dp_cell *cell, bool touch)
{
    dep->cell = cell;
    dep->seen = atomic_load_explicit(&cell->gen, memory_order_relaxed);
    dep->touch = touch;
}

void
mac_table_learn(struct mac_table *mt, const uint8_t mac[6], uint16_t vlan,
                uint32_t ofport, struct dp_dep *dep)
{
    uint64_t key = make_key(mac, vlan);
    struct mac_entry *e;
    uint32_t i;

    pthread_mutex_lock(&mt->lock);
    if (!mt->max) {
        depend(dep, &mt->learned, false);
        pthread_mutex_unlock(&mt->lock);
        return;
    }
    i = find(mt, key);
    if (i == NONE) {
        i = make_entry(mt, key);
        mt->entries[i].ofport = ofport;
    } else if (mt->entries[i].ofport != ofport) {
        mt->entries[i].ofport = ofport;
        bump(&mt->entries[i].cell);
    }
    e = &mt->entries[i];
    atomic_store_explicit(&e->cell.used_s, now_s(), memory_order_relaxed);
    depend(dep, &e->cell, true);
    pthread_mutex_unlock(&mt->lock);
}

bool
mac_table_lookup(struct mac_table *mt, const uint8_t mac[6], uint16_t vlan,
                 uint32_t *ofport, struct dp_dep *dep)
{
    uint32_t i;

    pthread_mutex_lock(&mt->lock);
    i = find(mt, make_key(mac, vlan));
    if (i != NONE) {
        *ofport = mt->entries[i].ofport;
        depend(dep, &mt->entries[i].cell, false);
    } else {
        depend(dep, &mt->learned, false);
    }
    pthread_mutex_unlock(&mt->lock);
    return i != NONE;
}

void
mac_table_expire(struct mac_table *mt)
{
    uint32_t now = now_s();

    pthread_mutex_lock(&mt->lock);
    for (uint32_t i = 0; i < mt->max; i++) {
        if (mt->entries[i].key && age_s(&mt->entries[i], now) > mt->idle_s) {
            forget(mt, i);
        }
    }
    pthread_mutex_unlock(&mt->lock);
}

static void
flush_if(struct mac_table *mt, bool all, uint32_t ofport)
{
    pthread_mutex_lock(&mt->lock);
    for (uint32_t i = 0; i < mt->max; i++) {
        if (mt->entries[i].key && (all || mt->entries[i].ofport == ofport)) {
            forget(mt, i);
        }
    }
    pthread_mutex_unlock(&mt->lock);
}

void
mac_table_flush(struct mac_table *mt)
{
    flush_if(mt, true, 0);
}

void
mac_table_flush_port(struct mac_table *mt, uint32_t ofport)
{
    flush_if(mt, false, ofport);
}

void
mac_table_for_each(struct mac_table *mt, mac_visit_fn *visit, void *aux)
{
    uint32_t now = now_s();

    pthread_mutex_lock(&mt->lock);
    for (uint32_t i = 0; i < mt->max; i++) {
        const struct mac_entry *e = &mt->entries[i];
        struct mac_view view;

        if (e->key) {
            memcpy(view.mac, &e->key, 6);
            view.vlan = (e->key >> 48) & 0xfff;
            view.ofport = e->ofport;
            view.age_s = age_s(e, now);
            visit(&view, aux);
        }
    }
    pthread_mutex_unlock(&mt->lock);
}

size_t
mac_table_count(struct mac_table *mt)
{
    size_t n;

    pthread_mutex_lock(&mt->lock);
    n = mt->n;
    pthread_mutex_unlock(&mt->lock);
    return n;
}

size_t
mac_table_max(struct mac_table *mt)
{
    return mt->max;
}
