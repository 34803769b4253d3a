/* SPDX-License-Identifier: Apache-2.0 */

/* nlroute.h - where the kernel would send a packet: RTM_GETROUTE.  MAIN. */

#ifndef QANAT_NLROUTE_H
#define QANAT_NLROUTE_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct nlroute {
    bool found;
    int type;                   /* RTN_* */
    int ifindex;
    uint32_t mtu;               /* 0: the route tells none. */
    bool has_gateway, has_src;
    struct in6_addr gateway;    /* Of either family; IPv4 mapped. */
    struct in6_addr src;        /* What the kernel would send from. */
};

/* Asks for the way to 'remote' from 'local' (NULL: any), both IPv4 mapped or
 * both IPv6.  0, or the kernel's own -errno where there is none. */
int nlroute_ask(const struct in6_addr *remote, const struct in6_addr *local,
                struct nlroute *);

#endif /* nlroute.h */
