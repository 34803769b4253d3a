/* SPDX-License-Identifier: Apache-2.0 */

/* nlroute.c - asks the kernel for a route (see nlroute.h). */

#include "vswitchd/nlroute.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "lib/flow/flow.h"
#include "vswitchd/nlreq.h"

static bool
get_addr(const struct nlattr *attr, struct in6_addr *addr)
{
    if (attr && nla_len(attr) == 4) {
        *addr = flow_addr_from_ip4(nla_get_u32(attr));
        return true;
    }
    if (attr && nla_len(attr) == 16) {
        memcpy(addr, nla_data(attr), sizeof *addr);
        return true;
    }
    return false;
}

/* RTA_VIA: a gateway of the other family. */
static bool
get_via(const struct nlattr *attr, struct in6_addr *addr)
{
    const struct rtvia *via = attr ? nla_data(attr) : NULL;

    if (!via || nla_len(attr) < (int) sizeof *via) {
        return false;
    }
    if (via->rtvia_family == AF_INET6
        && nla_len(attr) >= (int) sizeof *via + 16) {
        memcpy(addr, via->rtvia_addr, 16);
        return true;
    }
    if (via->rtvia_family == AF_INET
        && nla_len(attr) >= (int) sizeof *via + 4) {
        be32 ip4;

        memcpy(&ip4, via->rtvia_addr, 4);
        *addr = flow_addr_from_ip4(ip4);
        return true;
    }
    return false;
}

static void
read_route(const struct nlmsghdr *head, void *route_)
{
    struct nlroute *route = route_;
    const struct rtmsg *rtm = nlmsg_data(head);
    struct nlattr *attrs[RTA_MAX + 1];
    struct nlattr *metrics[RTAX_MAX + 1];

    if (head->nlmsg_type != RTM_NEWROUTE
        || nlmsg_parse((struct nlmsghdr *) (uintptr_t) head, sizeof *rtm,
                       attrs, RTA_MAX, NULL) < 0) {
        return;
    }
    route->found = true;
    route->type = rtm->rtm_type;
    if (attrs[RTA_OIF]) {
        route->ifindex = (int) nla_get_u32(attrs[RTA_OIF]);
    }
    route->has_gateway = get_addr(attrs[RTA_GATEWAY], &route->gateway)
                         || get_via(attrs[RTA_VIA], &route->gateway);
    route->has_src = get_addr(attrs[RTA_PREFSRC], &route->src);
    if (attrs[RTA_METRICS]
        && nla_parse_nested(metrics, RTAX_MAX, attrs[RTA_METRICS], NULL) >= 0
        && metrics[RTAX_MTU]) {
        route->mtu = nla_get_u32(metrics[RTAX_MTU]);
    }
}

int
nlroute_ask(const struct in6_addr *remote, const struct in6_addr *local,
            struct nlroute *route)
{
    bool ip4 = flow_addr_is_ip4(remote);
    struct rtmsg rtm = {
        .rtm_family = ip4 ? AF_INET : AF_INET6,
        .rtm_dst_len = ip4 ? 32 : 128,
        .rtm_src_len = local ? (ip4 ? 32 : 128) : 0,
        .rtm_flags = RTM_F_LOOKUP_TABLE,
    };
    struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);

    memset(route, 0, sizeof *route);
    if (!msg) {
        return -ENOMEM;
    }
    nlmsg_append(msg, &rtm, sizeof rtm, NLMSG_ALIGNTO);
    nlreq_put_addr(msg, RTA_DST, remote);
    if (local) {
        nlreq_put_addr(msg, RTA_SRC, local);
    }
    return nlreq_run(msg, read_route, route);
}
