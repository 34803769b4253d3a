/* SPDX-License-Identifier: Apache-2.0 */

/* mac_table.h - which MAC address in which VLAN lies behind which port of one
 * bridge.
 *
 * PMD threads learn and look up during translation only, under the table's
 * lock.  Ageing costs the fast path one store: a flow that depends on an entry
 * touches its cell (datapath/dp.h).  Entries live in an array that is never
 * freed before the table, so that a flow may look at the cell of an entry that
 * has since been reused: its generation tells. */

#ifndef QANAT_MAC_TABLE_H
#define QANAT_MAC_TABLE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/dp.h"

struct mac_table;

#define MAC_TABLE_SIZE_DEFAULT 8192
#define MAC_TABLE_IDLE_S_DEFAULT 300

/* MAIN. */
struct mac_table *mac_table_create(size_t max, unsigned int idle_s);
void mac_table_destroy(struct mac_table *);
void mac_table_set_idle(struct mac_table *, unsigned int idle_s);
bool mac_table_has_size(const struct mac_table *, size_t max);

/* MAIN, each second: removes what is too old. */
void mac_table_expire(struct mac_table *);
void mac_table_flush(struct mac_table *);
void mac_table_flush_port(struct mac_table *, uint32_t ofport);

/* PMD.  Notes that 'mac' in 'vlan' was seen as a source on 'ofport'; makes or
 * moves an entry where needed.  Fills '*dep' (to be touched). */
void mac_table_learn(struct mac_table *, const uint8_t mac[6], uint16_t vlan,
                     uint32_t ofport, struct dp_dep *dep);

/* PMD.  Where 'mac' lies: true and '*ofport', or false; '*dep' either way (on
 * the entry, or on the table: "until something new is learned"). */
bool mac_table_lookup(struct mac_table *, const uint8_t mac[6], uint16_t vlan,
                      uint32_t *ofport, struct dp_dep *dep);

/* MAIN.  One call an entry, sorted by no order. */
struct mac_view {
    uint8_t mac[6];
    uint16_t vlan;
    uint32_t ofport;
    unsigned int age_s;
};
typedef void mac_visit_fn(const struct mac_view *, void *aux);
void mac_table_for_each(struct mac_table *, mac_visit_fn *, void *aux);
size_t mac_table_count(struct mac_table *);
size_t mac_table_max(struct mac_table *);

#endif /* mac_table.h */
