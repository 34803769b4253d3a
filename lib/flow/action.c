/* SPDX-License-Identifier: Apache-2.0 */

/* action.c - building an action list.
 *
 * Translation builds a list (PMD on a miss, MAIN for tests and tools); the
 * fast path only walks it.  Must never leave a half-written record: what does
 * not fit is left out as a whole, and 'overflow' says so. */

#include "lib/flow/action.h"

#include <string.h>

/* The most that a list can hold: a clone's length is 16 bits and counts its
 * nested list.  Rounded down to whole records' alignment. */
#define MAX_LIST_BYTES (UINT16_MAX & ~7u)

static void *put(struct action_list *, enum action_type, size_t len);

#define ASSERT_RECORD(TYPE)                                                   \
    _Static_assert(sizeof(TYPE) % 8 == 0, #TYPE " keeps the next one aligned")
ASSERT_RECORD(struct action);
ASSERT_RECORD(struct action_output);
ASSERT_RECORD(struct action_push_vlan);
ASSERT_RECORD(struct action_set);
ASSERT_RECORD(struct action_tnl_push);
ASSERT_RECORD(struct action_tnl_pop);
ASSERT_RECORD(struct action_clone);
ASSERT_RECORD(struct action_drop);

void
action_list_init(struct action_list *list)
{
    list->data = (uint8_t *) list->inline_buf;
    list->len = 0;
    list->size = sizeof list->inline_buf;
    list->overflow = false;
}

void
action_list_clear(struct action_list *list)
{
    list->len = 0;
    list->overflow = false;
}

void
action_list_fini(struct action_list *list)
{
    if (list->data != (uint8_t *) list->inline_buf) {
        free(list->data);
    }
    action_list_init(list);
}

void
action_put_output(struct action_list *list, uint32_t port)
{
    struct action_output *a = put(list, ACTION_OUTPUT, sizeof *a);

    if (a) {
        a->port = port;
    }
}

void
action_put_push_vlan(struct action_list *list, be16 tpid, be16 tci)
{
    struct action_push_vlan *a = put(list, ACTION_PUSH_VLAN, sizeof *a);

    if (a) {
        a->tpid = tpid;
        a->tci = tci;
    }
}

void
action_put_pop_vlan(struct action_list *list)
{
    put(list, ACTION_POP_VLAN, sizeof(struct action));
}

void
action_put_set(struct action_list *list, size_t ofs, size_t n,
               const void *value, const void *mask)
{
    struct action_set *a = put(list, ACTION_SET, sizeof *a);

    if (a) {
        n = MIN(n, sizeof a->value);
        a->ofs = (uint16_t) ofs;
        a->n = (uint16_t) n;
        memcpy(a->value, value, n);
        memcpy(a->mask, mask, n);
    }
}

void
action_put_tnl_push(struct action_list *list, const struct tnl_push *push)
{
    struct action_tnl_push *a = put(list, ACTION_TNL_PUSH, sizeof *a);

    if (a) {
        a->push = *push;
    }
}

void
action_put_tnl_pop(struct action_list *list, tnl_type type)
{
    struct action_tnl_pop *a = put(list, ACTION_TNL_POP, sizeof *a);

    if (a) {
        a->type = type;
    }
}

void
action_put_drop(struct action_list *list, uint32_t reason)
{
    struct action_drop *a = put(list, ACTION_DROP, sizeof *a);

    if (a) {
        a->reason = reason;
    }
}

uint32_t
action_begin_clone(struct action_list *list)
{
    struct action_clone *a = put(list, ACTION_CLONE, sizeof *a);

    return a ? (uint32_t) ((uint8_t *) a - list->data) : UINT32_MAX;
}

void
action_end_clone(struct action_list *list, uint32_t mark)
{
    struct action_clone *a;

    if (mark == UINT32_MAX) {
        return;
    }
    a = (struct action_clone *) (void *) (list->data + mark);
    if (list->len - mark == sizeof *a) {
        list->len = mark;
    } else {
        a->head.len = (uint16_t) (list->len - mark);
    }
}

void
action_cancel_clone(struct action_list *list, uint32_t mark)
{
    if (mark != UINT32_MAX) {
        list->len = mark;
    }
}

/* A zeroed record of 'len' bytes at the list's end, or NULL when the list is
 * as long as it may be.  Once something has been left out nothing is added
 * any more: the rest of a list means something else without it. */
static void *
put(struct action_list *list, enum action_type type, size_t len)
{
    struct action *a;

    if (list->overflow || len > MAX_LIST_BYTES - list->len) {
        list->overflow = true;
        return NULL;
    }
    if (len > list->size - list->len) {
        uint32_t size = MIN(MAX(list->size * 2, 1024u), UINT16_MAX + 1u);

        if (list->data == (uint8_t *) list->inline_buf) {
            uint8_t *data = xmalloc(size);

            memcpy(data, list->data, list->len);
            list->data = data;
        } else {
            list->data = xrealloc(list->data, size);
        }
        list->size = size;
    }

    a = (struct action *) (void *) (list->data + list->len);
    memset(a, 0, len);
    a->type = (uint16_t) type;
    a->len = (uint16_t) len;
    list->len += (uint32_t) len;
    return a;
}
