/* SPDX-License-Identifier: Apache-2.0 */

/* underlay.c - chooses the way of each tunnel by the kernel's route and keeps
 * it right (see underlay.h).
 *
 * The kernel decides, by RTM_GETROUTE, as it would for a packet of its own:
 * rules, tables, metrics and path MTU are all in its answer.  The next hop's
 * MAC address is the kernel's, too: we ask it to keep the neighbour fresh and
 * follow what it finds.  MAIN; PMD threads only read states. */

#include "vswitchd/underlay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <unistd.h>

#include "datapath/pmtu_event.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/flow/flow.h"
#include "vswitchd/nlmon.h"
#include "vswitchd/nlreq.h"
#include "vswitchd/nlroute.h"

LOG_MODULE(underlay);

/* A next hop whose address the kernel lost is used so much longer: "ip neigh
 * flush" or a probe that went unanswered costs no packet. */
#define NEIGH_GRACE_MS 3000

/* Each so many ticks (of a second) routes are asked for anew: the kernel does
 * not tell when it forgets a path MTU that it has learned.  (That it learned
 * one we hear by the packet that it refused.) */
#define REFRESH_TICKS 10

struct way {
    struct underlay u;          /* First: what others know of it. */
    struct list link;           /* In 'ways'. */
    char *name;
    struct in6_addr remote;
    struct in6_addr local;
    bool has_local;
    uint16_t neigh_state;       /* NUD_* of the kernel's entry, 0: none. */
    int64_t neigh_lost_ms;      /* 0, or since when the kernel has no valid
                                 * entry for the MAC that is in use. */
};

static struct {
    struct list ways;
    struct underlay_internal *internals;
    size_t n_internals;
    struct event *tick;
    struct event *refused;      /* A packet was too long for its path. */
    unsigned int n_ticks;
    bool announced;             /* 'changed' is due. */
    underlay_changed_fn *changed;
    void *aux;

    /* States that PMD threads may still read. */
    struct underlay_state **garbage;
    size_t n_garbage, garbage_room;
} ctx;

static void on_nlmon_changed(unsigned int what, void *);
static void on_neigh(const struct nlmon_neigh *, void *);
static void on_tick(evutil_socket_t, short, void *);
static void on_refused(evutil_socket_t, short, void *);
static void way_resolve(struct way *);
static void way_probe(struct way *, bool managed);
static void collect_garbage(void);

/* --- public --- */

char *
underlay_init(struct event_base *base, underlay_changed_fn *changed,
              void *aux)
{
    static const struct nlmon_callbacks cbs = {
        .changed = on_nlmon_changed,
        .neigh = on_neigh,
    };
    static const struct timeval second = { .tv_sec = 1 };
    char *error;

    list_init(&ctx.ways);
    ctx.changed = changed;
    ctx.aux = aux;
    error = nlmon_init(base, &cbs, NULL);
    if (error) {
        return error;
    }
    ctx.tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    if (!ctx.tick || event_add(ctx.tick, &second)) {
        underlay_fini();
        return xstrdup("cannot start a timer");
    }
    ctx.refused = event_new(base, pmtu_event_fd(), EV_READ | EV_PERSIST,
                            on_refused, NULL);
    if (!ctx.refused || event_add(ctx.refused, NULL)) {
        underlay_fini();
        return xstrdup("cannot listen for path MTUs");
    }
    return NULL;
}

void
underlay_fini(void)
{
    if (ctx.tick) {
        event_free(ctx.tick);
        ctx.tick = NULL;
    }
    if (ctx.refused) {
        event_free(ctx.refused);
        ctx.refused = NULL;
    }
    nlmon_fini();
    free(ctx.internals);
    ctx.internals = NULL;
    ctx.n_internals = 0;
    free(ctx.garbage);
    ctx.garbage = NULL;
    ctx.garbage_room = 0;
}

struct underlay *
underlay_create(const char *name, const struct in6_addr *remote,
                const struct in6_addr *local)
{
    struct way *way = xzalloc(sizeof *way);
    struct underlay_state *none = xzalloc(sizeof *none);

    way->name = xstrdup(name);
    way->remote = *remote;
    if (local) {
        way->local = *local;
        way->has_local = true;
    }
    atomic_store_explicit(&way->u.state, none, memory_order_release);
    list_push_back(&ctx.ways, &way->link);
    way_resolve(way);
    collect_garbage();
    return &way->u;
}

void
underlay_destroy(struct underlay *u)
{
    struct way *way = CONTAINER_OF(u, struct way, u);

    list_remove(&way->link);
    way_probe(way, false);
    /* Flows of the pipeline that named it are out of use by the contract, but
     * a packet may be on its way. */
    dp_synchronize();
    free((void *) (uintptr_t) underlay_get(u));
    free(way->name);
    free(way);
}

void
underlay_set_internals(const struct underlay_internal *internals, size_t n)
{
    struct way *way;

    if (n == ctx.n_internals
        && (!n || !memcmp(internals, ctx.internals, n * sizeof *internals))) {
        return;
    }
    free(ctx.internals);
    ctx.internals = n ? xmemdup(internals, n * sizeof *internals) : NULL;
    ctx.n_internals = n;
    LIST_FOR_EACH (way, link, &ctx.ways) {
        way_resolve(way);
    }
    collect_garbage();
}

size_t
underlay_get_addrs(int ifindex, struct in6_addr **addrs)
{
    return nlmon_get_addrs(ifindex, addrs);
}

void
underlay_for_each(underlay_visit_fn *visit, void *aux)
{
    struct way *way;

    LIST_FOR_EACH (way, link, &ctx.ways) {
        visit(way->name, underlay_get(&way->u), aux);
    }
}

/* --- routes --- */

static const char *
addr_to_string(const struct in6_addr *addr, char buf[INET6_ADDRSTRLEN])
{
    if (flow_addr_is_ip4(addr)) {
        be32 ip4 = flow_addr_to_ip4(addr);

        inet_ntop(AF_INET, &ip4, buf, INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
    }
    return buf;
}

/* Says in words why 'route' (or the error in its stead) leads nowhere; true if
 * it does not. */
static bool
explain_no_way(const struct way *way, int error, const struct nlroute *route,
               char *reason, size_t size)
{
    char addr[INET6_ADDRSTRLEN];

    if (error && way->has_local && !nlmon_has_addr(&way->local)) {
        snprintf(reason, size, "local_ip %s is no address of this machine",
                 addr_to_string(&way->local, addr));
    } else if (error || !route->found) {
        snprintf(reason, size, "no route to %s (%s)",
                 addr_to_string(&way->remote, addr),
                 strerror(error ? -error : ENETUNREACH));
    } else if (route->type == RTN_LOCAL) {
        snprintf(reason, size, "%s is an address of this machine",
                 addr_to_string(&way->remote, addr));
    } else if (route->type != RTN_UNICAST) {
        snprintf(reason, size, "the route to %s is not to one host",
                 addr_to_string(&way->remote, addr));
    } else if (!nlmon_link_by_index(route->ifindex)) {
        snprintf(reason, size, "the route to %s has no device",
                 addr_to_string(&way->remote, addr));
    } else {
        return false;
    }
    return true;
}

static const struct underlay_internal *
find_internal(int ifindex)
{
    for (size_t i = 0; i < ctx.n_internals; i++) {
        if (ctx.internals[i].ifindex == ifindex) {
            return &ctx.internals[i];
        }
    }
    return NULL;
}

/* --- neighbours --- */

static bool
neigh_is_valid(const struct nlmon_neigh *neigh)
{
    return !neigh->is_gone && neigh->has_mac
           && (neigh->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY
                               | NUD_PROBE | NUD_PERMANENT));
}

struct neigh_query {
    int ifindex;
    struct in6_addr addr;
    bool found;
    struct nlmon_neigh neigh;
};

static void
match_neigh(const struct nlmsghdr *head, void *query_)
{
    struct neigh_query *query = query_;
    struct nlmon_neigh neigh;

    if (nlmon_parse_neigh(head, &neigh)
        && neigh.ifindex == query->ifindex
        && !memcmp(&neigh.addr, &query->addr, sizeof neigh.addr)) {
        query->found = true;
        query->neigh = neigh;
    }
}

/* Looks into the kernel's table.  A dump, which all kernels can filter or at
 * least answer; it happens when a tunnel's next hop changes. */
static bool
ask_neigh(int ifindex, const struct in6_addr *addr,
          struct nlmon_neigh *neigh)
{
    struct ndmsg nd = {
        .ndm_family = flow_addr_is_ip4(addr) ? AF_INET : AF_INET6,
    };
    struct neigh_query query = { .ifindex = ifindex, .addr = *addr };

    if (nlreq_dump(RTM_GETNEIGH, &nd, sizeof nd, match_neigh, &query)
        || !query.found) {
        return false;
    }
    *neigh = query.neigh;
    return true;
}

/* Makes the kernel resolve 'way's next hop, and (since 5.16) keep it so; with
 * 'managed' false lets go of it, unless another tunnel has the same. */
static void
way_probe(struct way *way, bool managed)
{
    const struct underlay_state *st = underlay_get(&way->u);
    struct ndmsg nd = {
        .ndm_family = flow_addr_is_ip4(&st->next_hop) ? AF_INET : AF_INET6,
        .ndm_ifindex = st->ifindex,
        .ndm_flags = NTF_USE,
        .ndm_state = NUD_NONE,
    };
    struct nl_msg *msg;
    struct way *other;
    int error;

    /* NTF_USE would turn an entry that the operator made permanent into an
     * ordinary one. */
    if (st->kind != UNDERLAY_BRIDGE
        || way->neigh_state & (NUD_PERMANENT | NUD_NOARP)) {
        return;
    }
    LIST_FOR_EACH (other, link, &ctx.ways) {
        const struct underlay_state *o = underlay_get(&other->u);

        if (!managed && other != way && o->kind == UNDERLAY_BRIDGE
            && o->ifindex == st->ifindex
            && !memcmp(&o->next_hop, &st->next_hop, sizeof o->next_hop)) {
            return;
        }
    }
    if (!managed && !nlmon_link_by_index(st->ifindex)) {
        return;
    }
    msg = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    if (!msg) {
        return;
    }
    nlmsg_append(msg, &nd, sizeof nd, NLMSG_ALIGNTO);
    nlreq_put_addr(msg, NDA_DST, &st->next_hop);
    if (managed) {
        nla_put_u32(msg, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
    }
    error = nlreq_run(msg, NULL, NULL);
    if (error && managed) {
        log_dbg_rl("%s: cannot ask for the next hop's address (%s)",
                   way->name, strerror(-error));
    }
}

/* --- states --- */

static void
announce(void)
{
    ctx.announced = true;
}

/* Runs when MAIN has finished a round of changes: one wait for all. */
static void
collect_garbage(void)
{
    if (ctx.n_garbage) {
        dp_synchronize();
        for (size_t i = 0; i < ctx.n_garbage; i++) {
            free(ctx.garbage[i]);
        }
        ctx.n_garbage = 0;
    }
}

static void
publish(struct way *way, const struct underlay_state *new)
{
    struct underlay_state *copy = xmemdup(new, sizeof *new);
    const struct underlay_state *old = underlay_get(&way->u);

    if (ctx.n_garbage == ctx.garbage_room) {
        ctx.garbage = xgrow(ctx.garbage, &ctx.garbage_room,
                            sizeof *ctx.garbage);
    }
    ctx.garbage[ctx.n_garbage++] = (struct underlay_state *) (uintptr_t) old;
    atomic_store_explicit(&way->u.state, copy, memory_order_release);

    /* Pairs with the acquire of the fast path's look at the cell: who sees the
     * new number sees the new state. */
    atomic_fetch_add_explicit(&way->u.cell.gen, 1, memory_order_release);
    announce();
}

static void
log_state(const struct way *way, const struct underlay_state *st)
{
    char hop[INET6_ADDRSTRLEN];

    addr_to_string(&st->next_hop, hop);
    switch (st->kind) {
    case UNDERLAY_NONE:
        log_info("%s: no way to the remote end: %s", way->name, st->reason);
        break;
    case UNDERLAY_HOST:
        log_info("%s: through the host's stack, device %s", way->name,
                 st->ifname);
        break;
    case UNDERLAY_BRIDGE:
        if (st->has_neigh) {
            const uint8_t *m = st->hop.eth_dst;

            log_info("%s: through our port %s, next hop %s "
                     "(%02x:%02x:%02x:%02x:%02x:%02x)", way->name, st->ifname,
                     hop, m[0], m[1], m[2], m[3], m[4], m[5]);
        } else {
            log_info("%s: through our port %s, next hop %s (not yet "
                     "resolved)", way->name, st->ifname, hop);
        }
        break;
    }
}

/* Puts the MAC address that 'neigh' tells (or has not) into '*st'. */
static void
apply_neigh(struct way *way, struct underlay_state *st,
            const struct nlmon_neigh *neigh)
{
    way->neigh_state = neigh && !neigh->is_gone ? neigh->state : 0;
    if (neigh && neigh_is_valid(neigh)) {
        st->has_neigh = true;
        memcpy(st->hop.eth_dst, neigh->mac, 6);
        way->neigh_lost_ms = 0;
    } else if (st->has_neigh && !way->neigh_lost_ms) {
        way->neigh_lost_ms = clock_ms();
    }
}

static unsigned int
path_mtu(const struct nlroute *route, const struct nlmon_link *dev)
{
    unsigned int mtu = dev->mtu;

    if (route->mtu && (!mtu || route->mtu < mtu)) {
        mtu = route->mtu;
    }
    return MIN(mtu, UINT16_MAX);
}

/* Fills '*st', which is zeroed, from the kernel's answer. */
static void
state_from_route(struct way *way, struct underlay_state *st)
{
    const struct underlay_internal *internal;
    const struct nlmon_link *dev;
    struct nlroute route;
    int error = nlroute_ask(&way->remote,
                            way->has_local ? &way->local : NULL, &route);

    if (explain_no_way(way, error, &route, st->reason, sizeof st->reason)) {
        st->kind = UNDERLAY_NONE;
        return;
    }
    dev = nlmon_link_by_index(route.ifindex);
    internal = find_internal(route.ifindex);
    st->kind = internal ? UNDERLAY_BRIDGE : UNDERLAY_HOST;
    st->hop.dst = way->remote;
    st->hop.src = way->has_local ? way->local : route.src;
    st->hop.path_mtu = (uint16_t) path_mtu(&route, dev);
    st->next_hop = route.has_gateway ? route.gateway : way->remote;
    st->ifindex = route.ifindex;
    memcpy(st->ifname, dev->name, sizeof st->ifname);
    if (!way->has_local && !route.has_src) {
        st->kind = UNDERLAY_NONE;
        snprintf(st->reason, sizeof st->reason,
                 "device %s has no address to send from", dev->name);
    } else if (internal) {
        st->dp_port = internal->dp_port;
        memcpy(st->hop.eth_src, internal->mac, 6);
    }
}

/* Asks for the route again and publishes what has changed. */
static void
way_resolve(struct way *way)
{
    const struct underlay_state *old = underlay_get(&way->u);
    struct underlay_state new;
    bool hop_changed;

    memset(&new, 0, sizeof new);
    state_from_route(way, &new);
    hop_changed = new.kind != old->kind || new.ifindex != old->ifindex
                  || memcmp(&new.next_hop, &old->next_hop,
                            sizeof new.next_hop);
    if (hop_changed) {
        way_probe(way, false);
        way->neigh_state = 0;
    }
    if (new.kind == UNDERLAY_BRIDGE) {
        if (hop_changed) {
            struct nlmon_neigh neigh;
            bool found = ask_neigh(new.ifindex, &new.next_hop, &neigh);

            way->neigh_lost_ms = 0;
            apply_neigh(way, &new, found ? &neigh : NULL);
        } else {
            new.has_neigh = old->has_neigh;
            memcpy(new.hop.eth_dst, old->hop.eth_dst, 6);
        }
    }
    if (!memcmp(&new, old, sizeof new)) {
        return;
    }
    if (hop_changed || strcmp(new.reason, old->reason)) {
        log_state(way, &new);
    }
    publish(way, &new);
    if (hop_changed) {
        way_probe(way, true);
    }
}

/* Takes over what the kernel says about 'way's next hop ('neigh' NULL: it has
 * none). */
static void
way_set_neigh(struct way *way, const struct nlmon_neigh *neigh)
{
    const struct underlay_state *old = underlay_get(&way->u);
    struct underlay_state new;

    memcpy(&new, old, sizeof new);
    apply_neigh(way, &new, neigh);
    if (memcmp(&new, old, sizeof new)) {
        publish(way, &new);
        log_state(way, &new);
    }
}

/* --- events --- */

static void
finish_round(void)
{
    collect_garbage();
    if (ctx.announced) {
        ctx.announced = false;
        ctx.changed(ctx.aux);
    }
}

static void
on_nlmon_changed(unsigned int what, void *aux UNUSED)
{
    struct way *way;

    LIST_FOR_EACH (way, link, &ctx.ways) {
        const struct underlay_state *st;
        struct nlmon_neigh neigh;

        way_resolve(way);
        st = underlay_get(&way->u);
        if (what & NLMON_NEIGHS && st->kind == UNDERLAY_BRIDGE) {
            bool found = ask_neigh(st->ifindex, &st->next_hop, &neigh);

            way_set_neigh(way, found ? &neigh : NULL);
        }
    }
    if (what & (NLMON_LINKS | NLMON_ADDRS)) {
        announce();
    }
    finish_round();
}

static void
on_neigh(const struct nlmon_neigh *neigh, void *aux UNUSED)
{
    struct way *way;

    LIST_FOR_EACH (way, link, &ctx.ways) {
        const struct underlay_state *st = underlay_get(&way->u);

        if (st->kind == UNDERLAY_BRIDGE && st->ifindex == neigh->ifindex
            && !memcmp(&st->next_hop, &neigh->addr, sizeof neigh->addr)) {
            bool was_lost = way->neigh_lost_ms != 0;

            way_set_neigh(way, neigh);
            if (!was_lost && way->neigh_lost_ms) {
                way_probe(way, true);
            }
        }
    }
    finish_round();
}

/* The kernel found a packet of the host underlay too long: it has learned a
 * path MTU. */
static void
on_refused(evutil_socket_t fd, short what UNUSED, void *aux UNUSED)
{
    uint64_t n;
    struct way *way;

    if (read(fd, &n, sizeof n) < 0) {
        return;
    }
    LIST_FOR_EACH (way, link, &ctx.ways) {
        if (underlay_get(&way->u)->kind == UNDERLAY_HOST) {
            way_resolve(way);
        }
    }
    finish_round();
}

/* Each second: what the kernel does not resolve by itself is asked for again,
 * and a MAC address that it lost is given up. */
static void
on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    bool refresh = ++ctx.n_ticks % REFRESH_TICKS == 0;
    struct way *way;

    LIST_FOR_EACH (way, link, &ctx.ways) {
        const struct underlay_state *st;

        if (refresh) {
            way_resolve(way);
        }
        st = underlay_get(&way->u);
        if (st->kind != UNDERLAY_BRIDGE) {
            continue;
        }
        if (way->neigh_lost_ms
            && clock_ms() - way->neigh_lost_ms > NEIGH_GRACE_MS) {
            struct underlay_state new;

            memcpy(&new, st, sizeof new);
            new.has_neigh = false;
            memset(new.hop.eth_dst, 0, sizeof new.hop.eth_dst);
            way->neigh_lost_ms = 0;
            publish(way, &new);
            log_state(way, &new);
            st = underlay_get(&way->u);
        }
        if (!st->has_neigh || way->neigh_lost_ms
            || way->neigh_state & NUD_STALE) {
            way_probe(way, true);
        }
    }
    finish_round();
}
