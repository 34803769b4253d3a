/* SPDX-License-Identifier: Apache-2.0 */

/* underlay.h - the way of one tunnel to its remote end, chosen by route.
 *
 * MAIN asks the kernel for the route to the remote address and follows its
 * changes, and those of the next hop's MAC address, over netlink.  PMD threads
 * read the current answer, an immutable state behind an RCU pointer; flows
 * depend on 'cell', which is bumped at each change. */

#ifndef QANAT_UNDERLAY_H
#define QANAT_UNDERLAY_H 1

#include <stdatomic.h>
#include <stdbool.h>

#include "datapath/dp.h"
#include "lib/tnl/tnl.h"

enum underlay_kind {
    UNDERLAY_NONE,              /* No route. */
    UNDERLAY_BRIDGE,            /* Through an internal port of ours. */
    UNDERLAY_HOST,              /* Through the host's stack. */
};

struct underlay_state {
    enum underlay_kind kind;
    bool has_neigh;             /* BRIDGE: hop.eth_dst is known. */
    struct tnl_hop hop;         /* Addresses; eth_src is the internal port's;
                                 * path_mtu by the route (0: none told). */
    struct in6_addr next_hop;   /* Gateway or the remote end itself. */
    uint32_t dp_port;           /* BRIDGE: the internal port's number. */
    int ifindex;
    char ifname[16];
    char reason[96];            /* NONE: why, in words. */
};

struct underlay {
    _Atomic(const struct underlay_state *) state;   /* Never NULL. */
    struct dp_cell cell;
};

/* PMD in an upcall, or MAIN. */
static inline const struct underlay_state *
underlay_get(const struct underlay *u)
{
    return atomic_load_explicit(&u->state, memory_order_acquire);
}

struct event_base;

/* MAIN.  Opens netlink sockets in the present namespace.  'changed' is called
 * (from the event loop) after some underlay's state, or the addresses of some
 * interface, or a link (mtu, state, name, gone, come) changed.  NULL or an
 * error sentence. */
typedef void underlay_changed_fn(void *aux);
char *underlay_init(struct event_base *, underlay_changed_fn *links_changed,
                    void *aux);
void underlay_fini(void);

/* MAIN.  Creates the way of a tunnel to 'remote' from 'local' (NULL: chosen by
 * route).  Its state is right (route looked up synchronously) on return. */
struct underlay *underlay_create(const char *name,
                                 const struct in6_addr *remote,
                                 const struct in6_addr *local);

/* MAIN.  After a pipeline without it was published. */
void underlay_destroy(struct underlay *);

/* MAIN.  Tells which interfaces are internal ports of ours: ifindex ->
 * datapath port, all of them each time; routes are looked at again. */
struct underlay_internal {
    int ifindex;
    uint32_t dp_port;
    uint8_t mac[6];
};
void underlay_set_internals(const struct underlay_internal *, size_t n);

/* MAIN.  The addresses at which the host takes what comes in on an interface
 * (IPv4 mapped, sorted; see nlmon.h), an array that the caller frees. */
size_t underlay_get_addrs(int ifindex, struct in6_addr **);

/* MAIN.  For each underlay, for unixctl (name as given at creation). */
typedef void underlay_visit_fn(const char *name, const struct underlay_state *,
                               void *aux);
void underlay_for_each(underlay_visit_fn *, void *aux);

#endif /* underlay.h */
