/* SPDX-License-Identifier: Apache-2.0 */

/* ofports.h - the OpenFlow port numbers of one bridge.
 *
 * A number once given belongs to a name as long as it is held, and is found
 * again by that name later when it is still free.  A fresh number is the next
 * one that was never used lately, so that a script which still has an old
 * number does not meet another port under it.  MAIN. */

#ifndef QANAT_OFPORTS_H
#define QANAT_OFPORTS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/hmap.h"

struct ofports {
    struct hmap by_number;      /* Numbers that are held. */
    struct hmap by_name;        /* Every name that ever had one. */
    uint32_t last;              /* The fresh number given last. */
};

void ofports_init(struct ofports *);
void ofports_fini(struct ofports *);

/* Gives the number 'number' (not 0) to 'name', unless another name holds it.
 * A number that 'name' held before is given back. */
bool ofports_take(struct ofports *, const char *name, uint32_t number);

/* Gives 'name' the number that it had last, or else a fresh one; 0 if all are
 * in use.  A name that holds one keeps it. */
uint32_t ofports_get(struct ofports *, const char *name);

/* The number that 'name' holds, or 0. */
uint32_t ofports_find(const struct ofports *, const char *name);

/* 'name' holds no number any more. */
void ofports_release(struct ofports *, const char *name);

#endif /* ofports.h */
