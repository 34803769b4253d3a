/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - intrusive doubly linked list.
 *
 * The same struct is the head and the link inside an element.  The head of an
 * empty list points to itself.  Nothing allocates.  Not locked: the owner of
 * a list says which thread touches it.
 */
#ifndef QANAT_BASE_LIST_H
#define QANAT_BASE_LIST_H 1

#include "lib/base/util.h"

struct list {
    struct list *prev;
    struct list *next;
};

#define LIST_INITIALIZER(LIST) { (LIST), (LIST) }

static inline void
list_init(struct list *list)
{
    list->prev = list->next = list;
}

static inline bool
list_is_empty(const struct list *list)
{
    return list->next == list;
}

/* Puts 'link' immediately before 'before', which may be a head. */
static inline void
list_insert(struct list *before, struct list *link)
{
    link->prev = before->prev;
    link->next = before;
    before->prev->next = link;
    before->prev = link;
}

static inline void
list_push_back(struct list *list, struct list *link)
{
    list_insert(list, link);
}

static inline void
list_push_front(struct list *list, struct list *link)
{
    list_insert(list->next, link);
}

/* Takes 'link' out of its list and makes it an empty list of its own, so that
 * a second removal is harmless. */
static inline void
list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Removes and returns the first link, or returns NULL if there is none. */
static inline struct list *
list_pop_front(struct list *list)
{
    struct list *link = list->next;

    if (link == list) {
        return NULL;
    }
    list_remove(link);
    return link;
}

/* Appends all of 'from' to 'to'; 'from' is empty afterwards. */
static inline void
list_splice_back(struct list *to, struct list *from)
{
    if (!list_is_empty(from)) {
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
    }
}

static inline size_t
list_count(const struct list *list)
{
    size_t n = 0;

    for (const struct list *l = list->next; l != list; l = l->next) {
        n++;
    }
    return n;
}

/* Walks VAR over the elements of LIST, whose links are their MEMBER.  VAR is
 * NULL after a walk that was not broken off.  The body must not remove VAR. */
#define LIST_FOR_EACH(VAR, MEMBER, LIST)                                    \
    for (struct list *UNIQUE_NAME(it_) = (LIST)->next;                      \
         UNIQUE_NAME(it_) != (LIST)                                         \
         ? ((VAR) = CONTAINER_OF(UNIQUE_NAME(it_), __typeof__(*(VAR)),      \
                                 MEMBER), true)                             \
         : ((VAR) = NULL, false);                                           \
         UNIQUE_NAME(it_) = UNIQUE_NAME(it_)->next)

/* The same, and the body may remove or free VAR (but not NEXT, a variable of
 * VAR's type that the loop uses). */
#define LIST_FOR_EACH_SAFE(VAR, NEXT, MEMBER, LIST)                         \
    for (struct list *UNIQUE_NAME(it_) = (LIST)->next;                      \
         UNIQUE_NAME(it_) != (LIST)                                         \
         ? ((VAR) = CONTAINER_OF(UNIQUE_NAME(it_), __typeof__(*(VAR)),      \
                                 MEMBER),                                   \
            (NEXT) = UNIQUE_NAME(it_)->next != (LIST)                       \
                     ? CONTAINER_OF(UNIQUE_NAME(it_)->next,                 \
                                    __typeof__(*(VAR)), MEMBER)             \
                     : NULL,                                                \
            true)                                                           \
         : ((VAR) = NULL, false);                                           \
         UNIQUE_NAME(it_) = (NEXT) ? &(NEXT)->MEMBER : (LIST))

#endif /* QANAT_BASE_LIST_H */
