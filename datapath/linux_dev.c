/* SPDX-License-Identifier: Apache-2.0 */

/* linux_dev.c - network devices of the kernel, by netlink and ethtool.
 *
 * Beside the packet's way; MAIN only.  May wait for the kernel's answer, so no
 * PMD thread may come here. */

#include "datapath/linux_dev.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "lib/base/smap.h"
#include "lib/base/util.h"

static struct nl_sock *connect_route(void);
static void *connect_elsewhere(void *);
static int errno_from_nl(int error);
static void copy_info(struct rtnl_link *, struct linux_dev_info *);
static int dev_ioctl(struct nl_sock *, const char *name, unsigned long,
                     struct ifreq *);
static int ethtool(struct nl_sock *, const char *name, void *cmd);

struct nl_sock *
linux_dev_here(void)
{
    static struct nl_sock *here;

    if (!here) {
        here = connect_route();
    }
    return here;
}

struct errand {
    int nsfd;
    struct nl_sock *sock;
    int error;
};

/* A socket belongs for ever to the namespace that its maker was in.  So a
 * thread of its own goes there, makes it and ends; nobody else is moved. */
struct nl_sock *
linux_dev_enter(int nsfd)
{
    struct errand errand = {.nsfd = nsfd};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, connect_elsewhere, &errand);

    if (error) {
        errno = error;
        return NULL;
    }
    pthread_join(thread, NULL);
    errno = errand.error;
    return errand.sock;
}

void
linux_dev_leave(struct nl_sock *sock)
{
    if (sock) {
        nl_socket_free(sock);
    }
}

int
linux_dev_query(struct nl_sock *sock, const char *name, int ifindex,
                struct linux_dev_info *info)
{
    struct rtnl_link *link;
    int error;

    memset(info, 0, sizeof *info);
    if (!sock) {
        return -ENOTCONN;
    }
    if (name && strlen(name) >= IFNAMSIZ) {
        return -ENODEV;         /* libnl would call it an I/O error. */
    }
    error = rtnl_link_get_kernel(sock, name ? 0 : ifindex, name, &link);
    if (error < 0) {
        return errno_from_nl(error);
    }
    copy_info(link, info);
    rtnl_link_put(link);
    return 0;
}

void
linux_dev_get_speed(struct nl_sock *sock, const char *name,
                    uint64_t *speed_bps, bool *full_duplex)
{
    union {
        struct ethtool_link_settings s;
        uint8_t room[sizeof(struct ethtool_link_settings)
                     + 3 * SCHAR_MAX * sizeof(uint32_t)];
    } cmd;

    *speed_bps = 0;
    *full_duplex = false;

    memset(&cmd, 0, sizeof cmd);
    cmd.s.cmd = ETHTOOL_GLINKSETTINGS;

    /* The kernel first tells, as a negative number, how many words its masks
     * have, and answers when it hears that number back. */
    if (ethtool(sock, name, &cmd) || cmd.s.link_mode_masks_nwords >= 0) {
        return;
    }
    cmd.s.cmd = ETHTOOL_GLINKSETTINGS;
    cmd.s.link_mode_masks_nwords = (int8_t) -cmd.s.link_mode_masks_nwords;
    if (ethtool(sock, name, &cmd)) {
        return;
    }
    if (cmd.s.speed != (uint32_t) SPEED_UNKNOWN) {
        *speed_bps = cmd.s.speed * UINT64_C(1000000);
    }
    *full_duplex = cmd.s.duplex == DUPLEX_FULL;
}

void
linux_dev_get_driver(struct nl_sock *sock, const char *name,
                     struct smap *status)
{
    struct ethtool_drvinfo drv = {.cmd = ETHTOOL_GDRVINFO};

    if (ethtool(sock, name, &drv)) {
        return;
    }
    smap_setf(status, "driver_name", "%.31s", drv.driver);
    smap_setf(status, "driver_version", "%.31s", drv.version);
    smap_setf(status, "firmware_version", "%.31s", drv.fw_version);
}

int
linux_dev_set_mtu(struct nl_sock *sock, const char *name, unsigned int mtu)
{
    struct ifreq ifr = {.ifr_mtu = (int) mtu};

    return dev_ioctl(sock, name, SIOCSIFMTU, &ifr);
}

int
linux_dev_set_mac(struct nl_sock *sock, const char *name,
                  const uint8_t mac[6])
{
    struct ifreq ifr = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

    memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
    return dev_ioctl(sock, name, SIOCSIFHWADDR, &ifr);
}

int
linux_dev_set_tx_queue_len(struct nl_sock *sock, const char *name, int len)
{
    struct ifreq ifr = {.ifr_qlen = len};

    return dev_ioctl(sock, name, SIOCSIFTXQLEN, &ifr);
}

void
linux_dev_disable_lro(struct nl_sock *sock, const char *name)
{
    struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

    if (!ethtool(sock, name, &flags) && flags.data & ETH_FLAG_LRO) {
        flags.cmd = ETHTOOL_SFLAGS;
        flags.data &= ~(uint32_t) ETH_FLAG_LRO;
        ethtool(sock, name, &flags);
    }
}

char *
linux_dev_check_name(const char *name)
{
    if (!*name || strlen(name) >= IFNAMSIZ) {
        return xasprintf("\"%s\" cannot be a network device's name, which has"
                         " 1 to %d characters", name, IFNAMSIZ - 1);
    }
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        return xasprintf("\"%s\" cannot be a network device's name", name);
    }
    for (const char *p = name; *p; p++) {
        /* '%' would be a pattern for the kernel to make a name from. */
        if (*p == '/' || *p == ':' || *p == '%'
            || isspace((unsigned char) *p)) {
            return xasprintf("\"%s\" cannot be a network device's name, which"
                             " has no '/', ':', '%%' or blank", name);
        }
    }
    return NULL;
}

static struct nl_sock *
connect_route(void)
{
    struct nl_sock *sock = nl_socket_alloc();
    int error;

    if (!sock) {
        errno = ENOMEM;
        return NULL;
    }
    error = nl_connect(sock, NETLINK_ROUTE);
    if (error < 0) {
        nl_socket_free(sock);
        errno = -errno_from_nl(error);
        return NULL;
    }
    return sock;
}

static void *
connect_elsewhere(void *errand_)
{
    struct errand *errand = errand_;

    if (!setns(errand->nsfd, CLONE_NEWNET)) {
        errand->sock = connect_route();
    }
    errand->error = errno;
    return NULL;
}

static int
errno_from_nl(int error)
{
    switch (-error) {
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
        return -ENODEV;
    case NLE_PERM:
    case NLE_NOACCESS:
        return -EPERM;
    case NLE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static void
copy_info(struct rtnl_link *link, struct linux_dev_info *info)
{
    struct nl_addr *addr = rtnl_link_get_addr(link);
    const char *kind = rtnl_link_get_type(link);
    int32_t netnsid;

    snprintf(info->name, sizeof info->name, "%s", rtnl_link_get_name(link));
    snprintf(info->kind, sizeof info->kind, "%s", kind ? kind : "");
    info->ifindex = rtnl_link_get_ifindex(link);
    info->arptype = rtnl_link_get_arptype(link);
    info->flags = rtnl_link_get_flags(link);
    info->mtu = rtnl_link_get_mtu(link);
    if (addr && nl_addr_get_len(addr) == sizeof info->mac) {
        info->has_mac = true;
        memcpy(info->mac, nl_addr_get_binary_addr(addr), sizeof info->mac);
    }
    info->carrier = rtnl_link_get_carrier(link) != 0;
    if (rtnl_link_get_carrier_changes(link, &info->carrier_changes) < 0) {
        info->carrier_changes = 0;
    }
    info->master = rtnl_link_get_master(link);
    info->link = rtnl_link_get_link(link);
    info->link_elsewhere = !rtnl_link_get_link_netnsid(link, &netnsid);

    info->rx_dropped = rtnl_link_get_stat(link, RTNL_LINK_RX_DROPPED)
                       + rtnl_link_get_stat(link, RTNL_LINK_RX_MISSED_ERR);
    info->rx_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_ERRORS);
    info->tx_dropped = rtnl_link_get_stat(link, RTNL_LINK_TX_DROPPED);
    info->tx_errors = rtnl_link_get_stat(link, RTNL_LINK_TX_ERRORS);
}

/* The kernel takes device ioctls on a socket of any family. */
static int
dev_ioctl(struct nl_sock *sock, const char *name, unsigned long request,
          struct ifreq *ifr)
{
    if (!sock) {
        return -ENOTCONN;
    }
    snprintf(ifr->ifr_name, sizeof ifr->ifr_name, "%s", name);
    return ioctl(nl_socket_get_fd(sock), request, ifr) < 0 ? -errno : 0;
}

static int
ethtool(struct nl_sock *sock, const char *name, void *cmd)
{
    struct ifreq ifr = {.ifr_data = cmd};

    return dev_ioctl(sock, name, SIOCETHTOOL, &ifr);
}
