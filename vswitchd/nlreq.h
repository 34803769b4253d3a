/* SPDX-License-Identifier: Apache-2.0 */

/* nlreq.h - questions to the kernel over a route netlink socket, answered at
 * once.
 *
 * One socket, opened in the network namespace of the moment.  MAIN.  A kernel
 * that does not answer costs at most two seconds, not the daemon. */

#ifndef QANAT_NLREQ_H
#define QANAT_NLREQ_H 1

#include <linux/netlink.h>
#include <stddef.h>

struct in6_addr;
struct nl_msg;

/* Opens the socket.  0 or -errno. */
int nlreq_init(void);
void nlreq_fini(void);

/* Called for each message of an answer. */
typedef void nlreq_fn(const struct nlmsghdr *, void *aux);

/* Sends 'msg' (taken over) and waits for the whole answer.  'fn' may be NULL.
 * Returns 0 or -errno, which is the kernel's own where it refused. */
int nlreq_run(struct nl_msg *msg, nlreq_fn *fn, void *aux);

/* The same for a dump of 'type' (RTM_GETLINK, ...) with the body 'body'; a
 * dump during which the kernel's table changed is repeated, so that 'fn' may
 * see an object twice. */
int nlreq_dump(int type, const void *body, size_t body_len, nlreq_fn *fn,
               void *aux);

/* Appends an address as the attribute 'attr', in 4 bytes if it is a mapped
 * IPv4 one. */
void nlreq_put_addr(struct nl_msg *, int attr, const struct in6_addr *);

#endif /* nlreq.h */
