/* SPDX-License-Identifier: Apache-2.0 */

/* nlmon.c - follows the kernel's links and addresses (see nlmon.h). */

#include "vswitchd/nlmon.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/log.h"
#include "lib/flow/flow.h"
#include "vswitchd/nlreq.h"

LOG_MODULE(netlink);

/* A change is told at once, but the next one not before this time is over: a
 * route flap or "ip addr flush" is then two changes and not fifty. */
#define BURST_MS 10

/* Datagrams that are read before others get their turn. */
#define MAX_MESSAGES 1024

struct link_node {
    struct hmap_node node;      /* In 'links', by ifindex. */
    struct nlmon_link link;
    bool seen;                  /* While all are read again. */
};

struct addr_node {
    struct hmap_node node;      /* In 'addrs', by ifindex. */
    int ifindex;
    struct in6_addr addr;
    bool is_global;             /* Of more than link or host scope. */
    bool seen;
};

static struct {
    struct nl_sock *sock;
    struct event *readable;
    struct event *burst;        /* Timer. */
    unsigned int pending;       /* enum nlmon_what */
    int64_t told_ms;            /* When changes were told last. */
    struct nlmon_callbacks cbs;
    void *aux;
    struct hmap links;
    struct hmap addrs;
    uint64_t seq;
    unsigned int n_overruns;
} mon;

static void note(unsigned int what);
static void on_readable(evutil_socket_t, short, void *);
static void on_burst(evutil_socket_t, short, void *);
static int read_all(void);

/* --- the tables --- */

static struct link_node *
find_link(int ifindex)
{
    struct link_node *l;

    HMAP_FOR_EACH_WITH_HASH (l, node, hash_int((uint32_t) ifindex, 0),
                             &mon.links) {
        if (l->link.ifindex == ifindex) {
            return l;
        }
    }
    return NULL;
}

static struct addr_node *
find_addr(int ifindex, const struct in6_addr *addr)
{
    struct addr_node *a;

    HMAP_FOR_EACH_WITH_HASH (a, node, hash_int((uint32_t) ifindex, 0),
                             &mon.addrs) {
        if (a->ifindex == ifindex && !memcmp(&a->addr, addr, sizeof *addr)) {
            return a;
        }
    }
    return NULL;
}

static void
remove_link(struct link_node *l)
{
    hmap_remove(&mon.links, &l->node);
    free(l);
    note(NLMON_LINKS);
}

static void
remove_addr(struct addr_node *a)
{
    hmap_remove(&mon.addrs, &a->node);
    free(a);
    note(NLMON_ADDRS);
}

const struct nlmon_link *
nlmon_link_find(const char *name)
{
    struct link_node *l;

    HMAP_FOR_EACH (l, node, &mon.links) {
        if (!strcmp(l->link.name, name)) {
            return &l->link;
        }
    }
    return NULL;
}

const struct nlmon_link *
nlmon_link_by_index(int ifindex)
{
    struct link_node *l = find_link(ifindex);

    return l ? &l->link : NULL;
}

static int
compare_addrs(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct in6_addr));
}

size_t
nlmon_get_addrs(int ifindex, struct in6_addr **addrs)
{
    struct addr_node *a;
    size_t n = 0, room = 0;

    *addrs = NULL;
    HMAP_FOR_EACH (a, node, &mon.addrs) {
        if (a->ifindex == ifindex || a->is_global) {
            if (n == room) {
                *addrs = xgrow(*addrs, &room, sizeof **addrs);
            }
            (*addrs)[n++] = a->addr;
        }
    }
    if (n) {
        qsort(*addrs, n, sizeof **addrs, compare_addrs);
    }
    return n;
}

bool
nlmon_has_addr(const struct in6_addr *addr)
{
    struct addr_node *a;

    HMAP_FOR_EACH (a, node, &mon.addrs) {
        if (!memcmp(&a->addr, addr, sizeof *addr)) {
            return true;
        }
    }
    return false;
}

unsigned int
nlmon_n_overruns(void)
{
    return mon.n_overruns;
}

/* --- messages --- */

static void
handle_link(const struct nlmsghdr *head)
{
    const struct ifinfomsg *info = nlmsg_data(head);
    struct nlattr *attrs[IFLA_MAX + 1];
    struct nlmon_link new;
    struct link_node *l;

    /* A bridge port's own message of AF_BRIDGE is not about the link. */
    if (info->ifi_family != AF_UNSPEC
        || nlmsg_parse((struct nlmsghdr *) (uintptr_t) head, sizeof *info,
                       attrs, IFLA_MAX, NULL) < 0) {
        return;
    }
    l = find_link(info->ifi_index);
    if (head->nlmsg_type == RTM_DELLINK) {
        if (l) {
            remove_link(l);
        }
        return;
    }
    if (!attrs[IFLA_IFNAME]) {
        return;
    }
    memset(&new, 0, sizeof new);
    new.ifindex = info->ifi_index;
    new.flags = info->ifi_flags;
    nla_strlcpy(new.name, attrs[IFLA_IFNAME], sizeof new.name);
    new.mtu = attrs[IFLA_MTU] ? nla_get_u32(attrs[IFLA_MTU]) : 0;
    new.master = attrs[IFLA_MASTER]
                 ? (int) nla_get_u32(attrs[IFLA_MASTER]) : 0;
    if (attrs[IFLA_ADDRESS] && nla_len(attrs[IFLA_ADDRESS]) == 6) {
        memcpy(new.mac, nla_data(attrs[IFLA_ADDRESS]), 6);
    }
    if (!l) {
        l = xzalloc(sizeof *l);
        hmap_insert(&mon.links, &l->node,
                    hash_int((uint32_t) new.ifindex, 0));
    } else {
        /* Statistics make messages, too. */
        l->seen = true;
        if (!memcmp(&new, &l->link, offsetof(struct nlmon_link, seq))) {
            return;
        }
    }
    l->seen = true;
    memcpy(&l->link, &new, sizeof new);
    l->link.seq = ++mon.seq;
    note(NLMON_LINKS);
}

static bool
read_ip(const struct nlattr *attr, int family, struct in6_addr *addr)
{
    if (!attr) {
        return false;
    }
    if (family == AF_INET && nla_len(attr) == 4) {
        *addr = flow_addr_from_ip4(nla_get_u32(attr));
        return true;
    }
    if (family == AF_INET6 && nla_len(attr) == 16) {
        memcpy(addr, nla_data(attr), sizeof *addr);
        return true;
    }
    return false;
}

static void
handle_addr(const struct nlmsghdr *head)
{
    const struct ifaddrmsg *info = nlmsg_data(head);
    struct nlattr *attrs[IFA_MAX + 1];
    struct in6_addr addr;
    struct addr_node *a;
    int ifindex = (int) info->ifa_index;

    if (nlmsg_parse((struct nlmsghdr *) (uintptr_t) head, sizeof *info, attrs,
                    IFA_MAX, NULL) < 0) {
        return;
    }
    /* On a point-to-point link IFA_ADDRESS is the other end. */
    if (!read_ip(attrs[IFA_LOCAL], info->ifa_family, &addr)
        && !read_ip(attrs[IFA_ADDRESS], info->ifa_family, &addr)) {
        return;
    }
    a = find_addr(ifindex, &addr);
    if (head->nlmsg_type == RTM_DELADDR) {
        if (a) {
            remove_addr(a);
        }
        return;
    }
    if (!a) {
        a = xzalloc(sizeof *a);
        a->ifindex = ifindex;
        a->addr = addr;
        a->is_global = info->ifa_scope < RT_SCOPE_LINK;
        hmap_insert(&mon.addrs, &a->node, hash_int((uint32_t) ifindex, 0));
        note(NLMON_ADDRS);
    }
    a->seen = true;
}

bool
nlmon_parse_neigh(const struct nlmsghdr *head, struct nlmon_neigh *neigh)
{
    const struct ndmsg *nd = nlmsg_data(head);
    struct nlattr *attrs[NDA_MAX + 1];

    memset(neigh, 0, sizeof *neigh);
    if ((head->nlmsg_type != RTM_NEWNEIGH && head->nlmsg_type != RTM_DELNEIGH)
        || nlmsg_parse((struct nlmsghdr *) (uintptr_t) head, sizeof *nd,
                       attrs, NDA_MAX, NULL) < 0
        || !read_ip(attrs[NDA_DST], nd->ndm_family, &neigh->addr)) {
        return false;
    }
    neigh->ifindex = nd->ndm_ifindex;
    neigh->state = nd->ndm_state;
    neigh->is_gone = head->nlmsg_type == RTM_DELNEIGH;
    if (attrs[NDA_LLADDR] && nla_len(attrs[NDA_LLADDR]) == 6) {
        memcpy(neigh->mac, nla_data(attrs[NDA_LLADDR]), 6);
        neigh->has_mac = true;
    }
    return true;
}

static void
handle_message(const struct nlmsghdr *head, void *aux UNUSED)
{
    struct nlmon_neigh neigh;

    switch (head->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        handle_link(head);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        handle_addr(head);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        note(NLMON_ROUTES);
        break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        if (nlmon_parse_neigh(head, &neigh)) {
            mon.cbs.neigh(&neigh, mon.aux);
        }
        break;
    }
}

static int
on_message(struct nl_msg *msg, void *aux)
{
    handle_message(nlmsg_hdr(msg), aux);
    return NL_OK;
}

/* --- the event socket --- */

static void
on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    int error = 0;

    /* A storm of neighbours must not keep MAIN from everything else. */
    for (int i = 0; i < MAX_MESSAGES && error >= 0; i++) {
        error = nl_recvmsgs_default(mon.sock);
    }
    if (error < 0 && error != -NLE_AGAIN) {
        /* ENOBUFS: the kernel had more to say than we read. */
        mon.n_overruns++;
        log_info_rl("netlink messages were lost, reading everything again");
        read_all();
        note(NLMON_LINKS | NLMON_ADDRS | NLMON_ROUTES | NLMON_NEIGHS);
    }
}

static void
note(unsigned int what)
{
    int64_t wait_ms = mon.told_ms + BURST_MS - clock_ms();
    const struct timeval delay = {
        .tv_usec = wait_ms > 0 ? MIN(wait_ms, BURST_MS) * 1000 : 0,
    };

    mon.pending |= what;
    if (mon.burst && !event_pending(mon.burst, EV_TIMEOUT, NULL)) {
        event_add(mon.burst, &delay);
    }
}

static void
on_burst(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    unsigned int pending = mon.pending;

    mon.pending = 0;
    mon.cbs.changed(pending, mon.aux);
    mon.told_ms = clock_ms();
}

static char *
open_monitor(struct event_base *base)
{
    static const int groups[] = {
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
        RTNLGRP_IPV6_RULE, RTNLGRP_NEIGH, RTNLGRP_NEXTHOP,
    };
    int size = 4 << 20;

    mon.sock = nl_socket_alloc();
    if (!mon.sock || nl_connect(mon.sock, NETLINK_ROUTE) < 0) {
        return xasprintf("cannot open a netlink socket (%s)",
                         strerror(errno));
    }
    nl_socket_disable_seq_check(mon.sock);
    nl_socket_set_nonblocking(mon.sock);
    nl_socket_modify_cb(mon.sock, NL_CB_VALID, NL_CB_CUSTOM, on_message,
                        NULL);
    /* Beyond net.core.rmem_max where we may. */
    if (setsockopt(nl_socket_get_fd(mon.sock), SOL_SOCKET, SO_RCVBUFFORCE,
                   &size, sizeof size)) {
        setsockopt(nl_socket_get_fd(mon.sock), SOL_SOCKET, SO_RCVBUF, &size,
                   sizeof size);
    }
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        /* A kernel without IPv6 or nexthop objects lacks their groups. */
        if (nl_socket_add_membership(mon.sock, groups[i]) < 0) {
            log_info("no netlink group %d here", groups[i]);
        }
    }
    mon.readable = event_new(base, nl_socket_get_fd(mon.sock),
                             EV_READ | EV_PERSIST, on_readable, NULL);
    mon.burst = event_new(base, -1, 0, on_burst, NULL);
    if (!mon.readable || !mon.burst || event_add(mon.readable, NULL)) {
        return xstrdup("cannot watch a netlink socket");
    }
    return NULL;
}

/* Reads links and addresses from scratch and forgets what is no more. */
static int
read_all(void)
{
    struct link_node *l, *l_next;
    struct addr_node *a, *a_next;
    struct ifinfomsg links = { .ifi_family = AF_UNSPEC };
    struct ifaddrmsg addrs = { .ifa_family = AF_UNSPEC };
    int error;

    HMAP_FOR_EACH (l, node, &mon.links) {
        l->seen = false;
    }
    HMAP_FOR_EACH (a, node, &mon.addrs) {
        a->seen = false;
    }
    error = nlreq_dump(RTM_GETLINK, &links, sizeof links, handle_message,
                       NULL);
    if (!error) {
        error = nlreq_dump(RTM_GETADDR, &addrs, sizeof addrs,
                           handle_message, NULL);
    }
    if (error) {
        log_err("cannot read the kernel's links and addresses (%s)",
                strerror(-error));
        return error;
    }
    HMAP_FOR_EACH_SAFE (l, l_next, node, &mon.links) {
        if (!l->seen) {
            remove_link(l);
        }
    }
    HMAP_FOR_EACH_SAFE (a, a_next, node, &mon.addrs) {
        if (!a->seen) {
            remove_addr(a);
        }
    }
    return 0;
}

char *
nlmon_init(struct event_base *base, const struct nlmon_callbacks *cbs,
           void *aux)
{
    char *sentence;
    int error;

    mon.cbs = *cbs;
    mon.aux = aux;
    hmap_init(&mon.links);
    hmap_init(&mon.addrs);
    error = nlreq_init();
    sentence = error ? xasprintf("cannot open a netlink socket (%s)",
                                 strerror(-error))
               : open_monitor(base);
    if (!sentence) {
        error = read_all();
        if (error) {
            sentence = xasprintf("cannot read the kernel's links (%s)",
                                 strerror(-error));
        }
    }
    if (sentence) {
        nlmon_fini();
    }
    return sentence;
}

void
nlmon_fini(void)
{
    struct link_node *l, *l_next;
    struct addr_node *a, *a_next;

    if (mon.readable) {
        event_free(mon.readable);
        mon.readable = NULL;
    }
    if (mon.burst) {
        event_free(mon.burst);
        mon.burst = NULL;
    }
    nl_socket_free(mon.sock);
    mon.sock = NULL;
    HMAP_FOR_EACH_SAFE (l, l_next, node, &mon.links) {
        free(l);
    }
    HMAP_FOR_EACH_SAFE (a, a_next, node, &mon.addrs) {
        free(a);
    }
    hmap_fini(&mon.links);
    hmap_fini(&mon.addrs);
    nlreq_fini();
}
