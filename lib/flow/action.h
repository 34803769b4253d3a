/* SPDX-License-Identifier: Apache-2.0 */

/* action.h - what is done to a packet: a typed list.
 *
 * A list is a contiguous run of variable-length records, each 8-byte aligned
 * and headed by its type and length, so that it can be copied with memcpy()
 * and walked without pointers.  An empty list drops.
 *
 * Any thread; a list under construction has one owner. */

#ifndef QANAT_ACTION_H
#define QANAT_ACTION_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/util.h"
#include "lib/flow/flow.h"
#include "lib/tnl/tnl.h"

struct str;

enum action_type {
    ACTION_OUTPUT,              /* struct action_output */
    ACTION_PUSH_VLAN,           /* struct action_push_vlan */
    ACTION_POP_VLAN,            /* struct action (no body) */
    ACTION_SET,                 /* struct action_set */
    ACTION_TNL_PUSH,            /* struct action_tnl_push */
    ACTION_TNL_POP,             /* struct action_tnl_pop */
    ACTION_CLONE,               /* struct action_clone, nested list behind */
    ACTION_DROP,                /* struct action_drop */
};

struct action {
    uint16_t type;              /* enum action_type */
    uint16_t len;               /* Of the whole record, a multiple of 8. */
    uint32_t pad;
};

/* Sends (a reference to) the packet as it is now. */
struct action_output {
    struct action head;
    uint32_t port;
    uint32_t pad;
};

struct action_push_vlan {
    struct action head;
    be16 tpid;
    be16 tci;                   /* VLAN_TCI_PRESENT is ignored. */
    uint32_t pad;
};

/* Writes header bits: (old & ~mask) | (value & mask), in the key field that
 * starts at byte 'ofs' of struct flow_key and is 'n' bytes long (at most 16).
 * Only dl_src, dl_dst, vlan_tci0, nw_src, nw_dst, nw_tos, nw_ttl, ipv6_src,
 * ipv6_dst, ipv6_label, tp_src, tp_dst, arp_sha, arp_tha and nd_target may be
 * set; checksums follow. */
struct action_set {
    struct action head;
    uint16_t ofs;
    uint16_t n;
    uint32_t pad;
    uint8_t value[16];
    uint8_t mask[16];
};

/* Puts the tunnel's headers in front.  What follows acts on the outer
 * frame. */
struct action_tnl_push {
    struct action head;
    struct tnl_push push;
} __attribute__((aligned(8)));

/* Removes the outer headers and begins again with the inner frame, coming in
 * on the tunnel's port.  What follows in the list acts on the packet as it
 * was. */
struct action_tnl_pop {
    struct action head;
    uint32_t type;              /* tnl_type */
    uint32_t pad;
};

/* Does the nested list to a copy, then goes on with the packet as it was. */
struct action_clone {
    struct action head;
};

/* Drops under a reason of the datapath (a number that lib does not know;
 * see action_format's 'reason_name'). */
struct action_drop {
    struct action head;
    uint32_t reason;
    uint32_t pad;
};

/* A list under construction.  Grows on the heap when 'inline_buf' is full; a
 * list longer than 64 kB is cut off and 'overflow' set. */
struct action_list {
    uint8_t *data;
    uint32_t len;
    uint32_t size;
    bool overflow;
    uint64_t inline_buf[64];
};

void action_list_init(struct action_list *);
void action_list_clear(struct action_list *);
void action_list_fini(struct action_list *);

void action_put_output(struct action_list *, uint32_t port);
void action_put_push_vlan(struct action_list *, be16 tpid, be16 tci);
void action_put_pop_vlan(struct action_list *);
void action_put_set(struct action_list *, size_t ofs, size_t n,
                    const void *value, const void *mask);
void action_put_tnl_push(struct action_list *, const struct tnl_push *);
void action_put_tnl_pop(struct action_list *, tnl_type);
void action_put_drop(struct action_list *, uint32_t reason);

/* Opens a clone; returns a mark for action_end_clone().  A clone in which
 * nothing was put is removed. */
uint32_t action_begin_clone(struct action_list *);
void action_end_clone(struct action_list *, uint32_t mark);

/* Instead of that: takes the clone back with all that was put in. */
void action_cancel_clone(struct action_list *, uint32_t mark);

/* ACTION_FOR_EACH(a, data, len) walks one level. */
#define ACTION_FOR_EACH(A, DATA, LEN)                                         \
    for ((A) = (const struct action *) (const void *) (DATA);                 \
         (const uint8_t *) (A) < (const uint8_t *) (DATA) + (LEN);            \
         (A) = (const struct action *) (const void *)                         \
               ((const uint8_t *) (A) + (A)->len))

/* The nested list of a clone. */
static inline const void *
action_clone_data(const struct action_clone *c)
{
    return c + 1;
}

static inline uint32_t
action_clone_len(const struct action_clone *c)
{
    return (uint32_t) (c->head.len - sizeof *c);
}

/* OVS's text: "push_vlan(vid=3,pcp=0),2,pop_vlan,5,drop" with port names or
 * numbers; an empty list is "drop".
 *
 * Other than in OVS a set action stands for one field and does not know the
 * packet, so that tos, ttl and ports are set(ip(..)) and set(tp(..)); tunnel
 * types have their name in tnl_push(..,type=vxlan,..) and tnl_pop(vxlan); and
 * a drop may have its reason, by name or number, in brackets. */
typedef const char *action_reason_name_fn(uint32_t reason);
void action_format(struct str *, const void *data, size_t len,
                   flow_port_name_fn *port_name, void *aux,
                   action_reason_name_fn *reason_name);

/* Replaces '*list', which is initialized, by what the text says.  Reads that
 * form, but for tnl_push and the names of drop reasons; OVS's names of set
 * fields and several fields in one set() are understood too.  NULL or an error
 * sentence that the caller frees; the list is then unspecified. */
char *action_parse(const char *text, flow_port_no_fn *port_no, void *aux,
                   struct action_list *);

#endif /* action.h */
