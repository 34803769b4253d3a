/* SPDX-License-Identifier: Apache-2.0 */

/* nlmon.h - what the kernel says about links, addresses, routes and
 * neighbours, followed.
 *
 * Links and addresses are kept as tables; of routes and rules only is told
 * that something changed; neighbours are told one by one.  Bursts are told
 * once.  When the kernel had to drop messages, everything is read again.
 * MAIN, on the event loop. */

#ifndef QANAT_NLMON_H
#define QANAT_NLMON_H 1

#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

enum nlmon_what {
    NLMON_LINKS = 1 << 0,
    NLMON_ADDRS = 1 << 1,
    NLMON_ROUTES = 1 << 2,
    NLMON_NEIGHS = 1 << 3,      /* Messages were lost: read them all. */
};

struct nlmon_link {
    int ifindex;
    char name[IFNAMSIZ];
    unsigned int flags;         /* IFF_* */
    unsigned int mtu;
    int master;                 /* ifindex, or 0. */
    uint8_t mac[6];
    uint64_t seq;               /* Another one after each change of the
                                 * above, and for a new link. */
};

/* A neighbour of ours, as it is now. */
struct nlmon_neigh {
    int ifindex;
    struct in6_addr addr;       /* IPv4 mapped. */
    uint16_t state;             /* NUD_* */
    bool has_mac;
    uint8_t mac[6];
    bool is_gone;               /* The entry was deleted. */
};

struct nlmon_callbacks {
    /* After a burst: a combination of enum nlmon_what. */
    void (*changed)(unsigned int what, void *aux);

    /* At once, for each message. */
    void (*neigh)(const struct nlmon_neigh *, void *aux);
};

/* Opens both sockets in the present network namespace and reads the tables.
 * NULL or an error sentence that the caller frees. */
char *nlmon_init(struct event_base *, const struct nlmon_callbacks *,
                 void *aux);
void nlmon_fini(void);

/* A link, or NULL; valid until control returns to the event loop. */
const struct nlmon_link *nlmon_link_find(const char *name);
const struct nlmon_link *nlmon_link_by_index(int ifindex);

/* The addresses at which the host takes what comes in on an interface: those
 * of the interface, and as Linux has it (the weak host model, RFC 1122,
 * 3.3.4.2) those of all others that are not of link or host scope.  Sorted,
 * IPv4 mapped, an array that the caller frees. */
size_t nlmon_get_addrs(int ifindex, struct in6_addr **);

/* Whether some interface has the address. */
bool nlmon_has_addr(const struct in6_addr *);

/* Reads a neighbour message; false if it is none that has a meaning here. */
bool nlmon_parse_neigh(const struct nlmsghdr *, struct nlmon_neigh *);

/* How often messages were lost; for tests and memory/show. */
unsigned int nlmon_n_overruns(void);

#endif /* nlmon.h */
