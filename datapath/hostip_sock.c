/* SPDX-License-Identifier: Apache-2.0 */

/* hostip_sock.c - opens the sockets of the host underlay.  MAIN. */

#include "datapath/hostip_sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/util.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103         /* linux/udp.h */
#define UDP_GRO 104
#endif
#ifndef UDP_NO_CHECK6_TX
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#endif

/* The kernel's default of 208 kB is three super-packets. */
#define BUFFER_BYTES (4 << 20)

/* Forgotten at once; what is left makes the socket fail again. */
#define MAX_ERRORS 64

static bool
set(int fd, int level, int name, int value)
{
    return !setsockopt(fd, level, name, &value, sizeof value);
}

static void
set_buffers(int fd)
{
    /* Beyond the system's limit where we are privileged, else up to it. */
    if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)) {
        set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
    }
    if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)) {
        set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
    }
}

/* What was done to 'fd' failed: closes it and keeps errno. */
static int
give_up(int fd)
{
    int error = errno;

    close(fd);
    errno = error;
    return -1;
}

/* Asks for what the outer header said to come along with each packet. */
static bool
set_ancillary(int fd, int family)
{
    if (family == AF_INET) {
        return set(fd, IPPROTO_IP, IP_PKTINFO, 1)
               && set(fd, IPPROTO_IP, IP_RECVTOS, 1)
               && set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    }
    return set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
           && set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
           && set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

int
hostip_sock_udp_rx(int family, uint16_t port)
{
    struct sockaddr_in6 addr6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port),
    };
    struct sockaddr_in addr4 = {
        .sin_family = AF_INET, .sin_port = htons(port),
    };
    bool is_ip4 = family == AF_INET;
    const struct sockaddr *addr = is_ip4 ? (const void *) &addr4
                                         : (const void *) &addr6;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    if ((!is_ip4 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
        || !set_ancillary(fd, family)
        || bind(fd, addr, is_ip4 ? sizeof addr4 : sizeof addr6)) {
        return give_up(fd);
    }
    set_buffers(fd);
    set(fd, IPPROTO_UDP, UDP_GRO, 1);   /* Without it: one by one. */
    if (!is_ip4) {
        set(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
    }
    return fd;
}

/* Whether the kernel may fragment what we send: never above what the route
 * allows, for that is answered before. */
static bool
set_df(int fd, int family, bool df)
{
    int value = df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;

    return family == AF_INET
           ? set(fd, IPPROTO_IP, IP_MTU_DISCOVER, value)
           : set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, value);
}

int
hostip_sock_udp_tx(int family, bool df, bool csum)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    if (!set_df(fd, family, df)
        || (!csum && !(family == AF_INET
                       ? set(fd, SOL_SOCKET, SO_NO_CHECK, 1)
                       : set(fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)))) {
        return give_up(fd);
    }
    set_buffers(fd);
    return fd;
}

bool
hostip_sock_takes_trains(int fd)
{
    return fd >= 0 && set(fd, IPPROTO_UDP, UDP_SEGMENT, 0);
}

int
hostip_sock_raw(int family, int proto)
{
    int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);

    if (fd < 0) {
        return -1;
    }
    if (!set_ancillary(fd, family)
        || !(family == AF_INET ? set(fd, IPPROTO_IP, IP_HDRINCL, 1)
                               : set(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1))) {
        return give_up(fd);
    }
    /* Without this the kernel ignores an ICMPv6 "packet too big" about raw
     * sockets that are not connected.  About all others it need not be
     * asked. */
    if (family == AF_INET6 && proto != IPPROTO_RAW) {
        set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
    set_buffers(fd);
    return fd;
}

void
hostip_sock_forget_errors(int fd)
{
    uint8_t byte;

    for (int i = 0; i < MAX_ERRORS; i++) {
        if (recv(fd, &byte, sizeof byte, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            return;
        }
    }
}
