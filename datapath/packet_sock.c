/* SPDX-License-Identifier: Apache-2.0 */

/* packet_sock.c - the packet sockets of a system port, before packets flow.
 *
 * Beside the packet's way; MAIN only. */

#include "datapath/packet_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/base/util.h"

/* Linux 6.2; older ones do not look at it, so there is a filter too. */
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

/* A 64 kB super-packet counts for about 70 kB, and the kernel doubles the
 * figures: room for some 230 of them, that is for what arrives at 10 Gbit/s
 * while the PMD thread is not on a CPU for 12 ms.  With half of it four TCP
 * connections over one port lost packets all the time. */
#define RCVBUF_BYTES (8 << 20)
#define SNDBUF_BYTES (4 << 20)

static int open_one(int ifindex, bool silent);
static int join_fanout(int fd, bool is_first, uint16_t *id);
static int set(int fd, int level, int option, const void *, size_t);
static int filter_all(int fd);
static int filter_outgoing(int fd);
static int make_promiscuous(int fd, int ifindex);

char *
packet_sock_open(const char *name, int ifindex, uint16_t n, int *fds)
{
    uint16_t group = 0, n_open = 0;
    int error = 0;

    while (!error && n_open < n) {
        bool is_first = n_open == 0;
        int fd = open_one(ifindex, !is_first);

        if (fd < 0) {
            error = fd;
            break;
        }
        fds[n_open++] = fd;
        if (n > 1) {
            error = join_fanout(fd, is_first, &group);
        }
    }
    if (!error) {
        error = make_promiscuous(fds[0], ifindex);
    }
    if (!error) {
        return NULL;
    }

    while (n_open) {
        close(fds[--n_open]);
    }
    return xasprintf("could not open a packet socket on %s (%s%s)", name,
                     strerror(-error),
                     error == -EPERM ? "; it takes CAP_NET_RAW" : "");
}

bool
packet_sock_takes_uso(void)
{
    struct utsname u;
    int major = 0, minor = 0;

    /* Where a distribution has brought it to an older kernel we segment
     * ourselves.  Trying it out would put a packet on somebody's wire. */
    return !uname(&u) && sscanf(u.release, "%d.%d", &major, &minor) == 2
           && (major > 6 || (major == 6 && minor >= 2));
}

/* Returns the descriptor or -errno.  A 'silent' one receives nothing until it
 * is a member of a fan-out group: it would see every frame a second time. */
static int
open_one(int ifindex, bool silent)
{
    static const int on = 1, rcvbuf = RCVBUF_BYTES, sndbuf = SNDBUF_BYTES;
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = ifindex,
    };
    /* Protocol 0: nothing comes in before bind(). */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0) {
        return -errno;
    }
    error = set(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on);
    if (!error) {
        error = set(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on);
    }
    /* What the host's stack sends out of the device does not come into the
     * switch, nor does what we send.  Before Linux 4.20 only the filter can
     * keep it out, at the price of a clone of each frame sent. */
    if (!error && set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
                      sizeof on)) {
        error = filter_outgoing(fd);
    }
    if (!error && silent) {
        error = filter_all(fd);
    }
    if (!error && bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        error = -errno;
    }
    if (error) {
        close(fd);
        return error;
    }

    /* FORCE exceeds net.core.[rw]mem_max, where we may. */
    if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf)) {
        set(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    }
    if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof sndbuf)) {
        set(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    }
    return fd;
}

/* The first makes a group and stores its number (which may be 0), the others
 * join it; lets the socket hear.  Returns 0 or -errno. */
static int
join_fanout(int fd, bool is_first, uint16_t *id)
{
    uint32_t flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
    uint32_t arg, now;
    socklen_t len = sizeof now;
    int error;

    if (is_first) {
        flags |= PACKET_FANOUT_FLAG_UNIQUEID;
    }
    arg = flags << 16 | *id;
    error = set(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg);
    if (error) {
        return error;
    }
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &now, &len)) {
        return -errno;
    }
    *id = (uint16_t) now;
    /* In a group PACKET_IGNORE_OUTGOING has no effect. */
    return filter_outgoing(fd);
}

static int
set(int fd, int level, int option, const void *value, size_t len)
{
    return setsockopt(fd, level, option, value, (socklen_t) len) ? -errno : 0;
}

static int
filter_all(int fd)
{
    struct sock_filter insns[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {ARRAY_SIZE(insns), insns};

    return set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int
filter_outgoing(int fd)
{
    struct sock_filter insns[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
                 (uint32_t) (SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {ARRAY_SIZE(insns), insns};

    return set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int
make_promiscuous(int fd, int ifindex)
{
    struct packet_mreq mreq = {
        .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC,
    };

    return set(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq);
}
