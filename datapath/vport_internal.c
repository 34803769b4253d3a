/* SPDX-License-Identifier: Apache-2.0 */

/* vport_internal.c - the host's own port of a bridge: a tap device.
 *
 * First and last stage of a packet's way.  MAIN opens and closes; the PMD
 * thread that polls the port reads, one frame a system call (the kernel has no
 * more to offer), any PMD thread writes.  PMD code never blocks.
 *
 * The device belongs to our descriptor and vanishes with it, however the
 * process ends.  All packets go by the descriptor and none by the name, so a
 * user may rename the device or move it to another network namespace; MAIN
 * follows it there to see its state.  Should he delete it, the descriptor
 * would report an error for ever and keep a PMD thread from sleeping: then
 * another one takes its number that never reports anything.
 *
 * The socket behind a tap has no limit for what we write: the host's stack
 * takes each frame within the write, so there is no queue to bound. */

#include "datapath/vport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "datapath/linux_dev.h"
#include "datapath/pmd.h"
#include "datapath/vnetio.h"
#include "datapath/vport_internal.h"
#include "lib/base/list.h"
#include "lib/base/log.h"

LOG_MODULE(vport_internal);

/* From the kernel's uapi, for headers older than 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* Frames that wait for us.  500, the kernel's own choice, is the burst of a
 * tenth of a second at 60 Mbit/s of small packets. */
#define TX_QUEUE_LEN 1000

struct tap {
    struct list link;           /* In 'taps'. */
    int fd;
    int ifindex;                /* At creation. */
    uint32_t offered;           /* VNET_OFFER_* */
    char *warning;              /* What of the configuration did not succeed,
                                 * or NULL. */
    _Atomic bool is_gone;       /* The device was deleted. */
    _Atomic bool uso_proven;    /* The kernel took a USO frame of ours. */
};

/* All of this process; MAIN. */
static struct list taps = LIST_INITIALIZER(&taps);

static char *internal_open(struct vport *, const struct vport_cfg *);
static void internal_close(struct vport *);

static char *make_device(struct tap *, const char *name);
static uint32_t offer(int fd, uint32_t *offered);
static char *configure(const struct vport_cfg *, struct linux_dev_info *);
static bool query(struct tap *, struct linux_dev_info *, struct smap *status);
static bool is_elsewhere(int nsfd);
static void retire(struct vport *);
static enum drop_reason judge(struct vport *, const struct rte_mbuf *,
                              int error);

bool
vport_internal_owns(int ifindex)
{
    struct tap *tap;

    LIST_FOR_EACH (tap, link, &taps) {
        if (tap->ifindex == ifindex && !atomic_load(&tap->is_gone)) {
            return true;
        }
    }
    return false;
}

static char *
internal_open(struct vport *vport, const struct vport_cfg *cfg)
{
    struct linux_dev_info info;
    struct tap *tap = xzalloc(sizeof *tap);
    char *error = make_device(tap, cfg->name);

    if (error) {
        free(tap);
        return error;
    }
    list_push_back(&taps, &tap->link);
    vport->priv = tap;
    vport->n_rxq = 1;
    vport->n_txq = DP_MAX_PMDS; /* No lock is needed. */
    atomic_store(&vport->caps, offer(tap->fd, &tap->offered));

    linux_dev_set_tx_queue_len(linux_dev_here(), cfg->name, TX_QUEUE_LEN);
    if (!query(tap, &info, NULL)) {
        internal_close(vport);
        return xasprintf("internal port %s vanished while it was made",
                         cfg->name);
    }
    tap->ifindex = info.ifindex;
    tap->warning = configure(cfg, &info);
    if (tap->warning) {
        log_warn("%s", tap->warning);
    }
    memcpy(vport->mac, info.mac, sizeof vport->mac);
    atomic_store(&vport->mtu, linux_dev_clamp_mtu(info.mtu));
    /* Whether the device is up is the user's to say; the kernel tells us when
     * we write. */
    atomic_store(&vport->up, true);
    return NULL;
}

static char *
internal_update(struct vport *vport, const struct vport_cfg *cfg,
                bool *reopen)
{
    struct tap *tap = vport->priv;
    struct linux_dev_info info;

    *reopen = atomic_load(&tap->is_gone);
    if (*reopen || !query(tap, &info, NULL)) {
        return NULL;
    }
    if (info.ifindex != tap->ifindex || strcmp(info.name, vport->name)) {
        return NULL;            /* In other hands now: theirs to configure. */
    }
    free(tap->warning);
    tap->warning = configure(cfg, &info);
    memcpy(vport->mac, info.mac, sizeof vport->mac);
    atomic_store(&vport->mtu, linux_dev_clamp_mtu(info.mtu));
    return tap->warning ? xstrdup(tap->warning) : NULL;
}

static void
internal_close(struct vport *vport)
{
    struct tap *tap = vport->priv;

    list_remove(&tap->link);
    close(tap->fd);
    free(tap->warning);
    free(tap);
    vport->priv = NULL;
}

static void
internal_get_status(struct vport *vport, struct vport_status *status)
{
    struct tap *tap = vport->priv;
    struct linux_dev_info info;

    if (!query(tap, &info, &status->status)) {
        bool is_gone = atomic_load(&tap->is_gone);

        /* Where we cannot see it, all that is known is that it exists. */
        status->ifindex = is_gone ? 0 : tap->ifindex;
        status->mtu = is_gone ? 0 : atomic_load(&vport->mtu);
        status->has_mac = !is_gone;
        memcpy(status->mac, vport->mac, sizeof status->mac);
        status->admin_up = status->link_up
            = is_gone ? VPORT_NO : VPORT_UNKNOWN;
        return;
    }

    atomic_store(&vport->mtu, linux_dev_clamp_mtu(info.mtu));
    memcpy(vport->mac, info.mac, sizeof vport->mac);
    status->ifindex = info.ifindex;
    status->mtu = info.mtu;
    status->has_mac = info.has_mac;
    memcpy(status->mac, info.mac, sizeof status->mac);
    status->admin_up = info.flags & IFF_UP ? VPORT_YES : VPORT_NO;
    status->link_up = info.carrier ? VPORT_YES : VPORT_NO;
    status->link_resets = info.carrier_changes;
    smap_set(&status->status, "driver_name", "tun");
    if (strcmp(info.name, vport->name)) {
        smap_set(&status->status, "device", info.name);
    }
    if (tap->warning) {
        smap_set(&status->status, "warning", tap->warning);
    }
}

/* What the device could not transmit is what we did not read in time.  What it
 * could not receive we have counted when we wrote it. */
static void
internal_get_device_counters(struct vport *vport, uint64_t *rx_dropped,
                             uint64_t *rx_errors UNUSED,
                             uint64_t *tx_errors UNUSED)
{
    struct linux_dev_info info;

    if (query(vport->priv, &info, NULL)) {
        *rx_dropped += info.tx_dropped;
    }
}

static uint16_t
internal_rx(struct vport *vport, uint16_t rxq UNUSED, struct pmd *pmd,
            struct rte_mbuf **pkts, uint16_t n)
{
    struct tap *tap = vport->priv;
    uint16_t n_pkts = 0;

    if (UNLIKELY(atomic_load_explicit(&tap->is_gone, memory_order_relaxed))) {
        return 0;
    }
    while (n_pkts < n) {
        /* One slot is enough: a frame that is read takes its buffers. */
        struct virtio_net_hdr hdr;
        struct iovec iov[3] = {{&hdr, sizeof hdr}};
        struct rte_mbuf *m;
        uint32_t len;
        ssize_t got;

        if (UNLIKELY(!rxvec_fill(&pmd->rxvec, 1, 0))) {
            break;
        }
        memcpy(&iov[1], pmd->rxvec.iov[0], sizeof pmd->rxvec.iov[0]);
        got = readv(tap->fd, iov, 3);
        if (got < (ssize_t) sizeof hdr) {
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0 && errno == EBADFD) {
                retire(vport);
            }
            break;
        }

        len = (uint32_t) got - (uint32_t) sizeof hdr;
        if (UNLIKELY(len == rxvec_room(&pmd->rxvec, 0))) {
            /* The kernel does not tell that it has cut a frame, but nothing
             * that we offered is so long that it fills both buffers. */
            bool is_memory = !pmd->rxvec.big[0];

            m = rxvec_take(&pmd->rxvec, 0, len);
            vport_drop_rx(vport, pmd, m,
                          is_memory ? DROP_NO_MBUF : DROP_RX_TRUNCATED);
            continue;
        }
        m = rxvec_take(&pmd->rxvec, 0, len);
        vnetio_accept(m, vport->port_no, &hdr, tap->offered);
        pkts[n_pkts++] = m;
    }
    return n_pkts;
}

static uint16_t
internal_tx(struct vport *vport, uint16_t txq UNUSED, struct pmd *pmd,
            struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    struct tap *tap = vport->priv;
    struct iovec iov[VNETIO_MAX_IOVS];
    uint16_t n_sent = 0;

    for (uint16_t i = 0; i < n; i++) {
        struct rte_mbuf *m = pkts[i];
        struct virtio_net_hdr hdr;
        ssize_t written;

        if (UNLIKELY(atomic_load_explicit(&tap->is_gone,
                                          memory_order_relaxed))) {
            vport_drop_tx(vport, pmd, m, DROP_PORT_DOWN);
            continue;
        }
        if (UNLIKELY(m->pkt_len < VNETIO_MIN_LEN
                     || vnetio_n_iovs(m) > VNETIO_MAX_IOVS)) {
            vport_drop_tx(vport, pmd, m, DROP_TX_ERROR);
            continue;
        }
        do {
            written = writev(tap->fd, iov, (int) vnetio_gather(m, &hdr, iov));
        } while (UNLIKELY(written < 0) && errno == EINTR);

        if (UNLIKELY(written < 0)) {
            enum drop_reason reason = judge(vport, m, errno);

            vport_drop_tx(vport, pmd, m, reason);
            continue;
        }
        if (pkt_meta(m)->need.gso == PKT_GSO_USO) {
            atomic_store_explicit(&tap->uso_proven, true,
                                  memory_order_relaxed);
        }
        *bytes += m->pkt_len;
        n_sent++;
        rte_pktmbuf_free(m);
    }
    return n_sent;
}

static int
internal_rx_fd(struct vport *vport, uint16_t rxq UNUSED)
{
    const struct tap *tap = vport->priv;

    return tap->fd;
}

const struct vport_class vport_internal_class = {
    .type = "internal",
    .open = internal_open,
    .update = internal_update,
    .close = internal_close,
    .get_status = internal_get_status,
    .get_device_counters = internal_get_device_counters,
    .rx = internal_rx,
    .tx = internal_tx,
    .rx_fd = internal_rx_fd,
};

/* Makes the tap device.  NULL or a sentence. */
static char *
make_device(struct tap *tap, const char *name)
{
    static const int hdr_len = sizeof(struct virtio_net_hdr);
    struct ifreq ifr = {
        /* EXCL: a device that somebody left behind is not ours to take. */
        .ifr_flags = (short) (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
                              | IFF_TUN_EXCL),
    };
    char *sentence = linux_dev_check_name(name);
    int error;

    if (sentence) {
        return sentence;
    }
    tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->fd < 0) {
        return xasprintf("could not open /dev/net/tun for internal port %s"
                         " (%s)", name, strerror(errno));
    }
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    if (ioctl(tap->fd, TUNSETIFF, &ifr)
        || ioctl(tap->fd, TUNSETVNETHDRSZ, &hdr_len)) {
        error = errno;
        close(tap->fd);
        if (error == EBUSY || error == EEXIST || error == EINVAL) {
            return xasprintf("could not make internal port %s: there is"
                             " already a network device of that name", name);
        }
        return xasprintf("could not make internal port %s (%s%s)", name,
                         strerror(error),
                         error == EPERM ? "; it takes CAP_NET_ADMIN" : "");
    }
    return NULL;
}

/* Tells the kernel what may be left undone in frames for us: as much as it
 * will hear of.  Stores what that was in '*offered', and returns what can be
 * left undone in frames for it (enum vport_cap). */
static uint32_t
offer(int fd, uint32_t *offered)
{
    static const uint32_t caps_4_15
        = VPORT_CAP_CSUM | VPORT_CAP_TSO4 | VPORT_CAP_TSO6 | VPORT_CAP_ECN
          | VPORT_CAP_UFO | VPORT_CAP_CHAIN;
    static const unsigned int tso
        = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    static const uint32_t offer_tso
        = VNET_OFFER_CSUM | VNET_OFFER_ECN | 1u << PKT_GSO_TCP4
          | 1u << PKT_GSO_TCP6;
    static const struct {
        unsigned int flags;
        uint32_t offered;
    } sets[] = {
        {tso | TUN_F_UFO | TUN_F_USO4 | TUN_F_USO6, VNET_OFFER_ALL},
        {tso | TUN_F_UFO, offer_tso | 1u << PKT_GSO_UFO},
        {tso, offer_tso},
        {TUN_F_CSUM, VNET_OFFER_CSUM},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(sets); i++) {
        if (!ioctl(fd, TUNSETOFFLOAD, (unsigned long) sets[i].flags)) {
            *offered = sets[i].offered;
            /* Linux 6.2 brought USO for both directions. */
            return caps_4_15 | (i == 0 ? VPORT_CAP_USO : 0u);
        }
    }
    *offered = 0;
    return caps_4_15;
}

/* Sets the address and MTU that are wanted, and corrects '*info'.  NULL or a
 * sentence; the port works on with what it has. */
static char *
configure(const struct vport_cfg *cfg, struct linux_dev_info *info)
{
    struct nl_sock *here = linux_dev_here();
    int error;

    if (cfg->has_mac && memcmp(cfg->mac, info->mac, sizeof info->mac)) {
        error = linux_dev_set_mac(here, info->name, cfg->mac);
        if (error) {
            return xasprintf("could not set the Ethernet address of %s (%s)",
                             info->name, strerror(-error));
        }
        memcpy(info->mac, cfg->mac, sizeof info->mac);
    }
    if (cfg->mtu_request && cfg->mtu_request != info->mtu) {
        error = linux_dev_set_mtu(here, info->name, cfg->mtu_request);
        if (error) {
            return xasprintf("could not set the MTU of %s to %u (%s)",
                             info->name, cfg->mtu_request, strerror(-error));
        }
        info->mtu = cfg->mtu_request;
    }
    return NULL;
}

/* Asks for the device wherever it is and whatever its name has become.  Adds
 * to 'status', unless NULL, where that is. */
static bool
query(struct tap *tap, struct linux_dev_info *info, struct smap *status)
{
    struct nl_sock *sock = linux_dev_here(), *there = NULL;
    struct ifreq ifr;
    int nsfd;
    bool ok;

    memset(&ifr, 0, sizeof ifr);
    if (atomic_load(&tap->is_gone) || ioctl(tap->fd, TUNGETIFF, &ifr)) {
        return false;
    }
    nsfd = ioctl(tap->fd, TUNGETDEVNETNS);
    if (nsfd >= 0 && is_elsewhere(nsfd)) {
        /* Not kept open: a socket would keep its namespace alive. */
        sock = there = linux_dev_enter(nsfd);
        if (status) {
            smap_set(status, "netns", "other");
        }
    }
    ok = !linux_dev_query(sock, ifr.ifr_name, 0, info)
         && !strcmp(info->kind, "tun");
    linux_dev_leave(there);
    if (nsfd >= 0) {
        close(nsfd);
    }
    return ok;
}

static bool
is_elsewhere(int nsfd)
{
    struct stat ours, theirs;

    return !stat("/proc/thread-self/ns/net", &ours) && !fstat(nsfd, &theirs)
           && (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev);
}

/* The device was deleted, and its descriptor now reports an error at each
 * epoll_wait().  A timer that is never set takes its number: closed, the old
 * file leaves all epoll sets.  PMD, maybe several at once. */
static void
retire(struct vport *vport)
{
    struct tap *tap = vport->priv;
    int silent;

    if (atomic_exchange(&tap->is_gone, true)) {
        return;
    }
    atomic_store(&vport->up, false);
    silent = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (silent >= 0) {
        dup3(silent, tap->fd, O_CLOEXEC);
        close(silent);
    }
    log_warn_rl("%s: somebody deleted the device of this internal port",
                vport->name);
}

/* Why the kernel did not take 'm', and what follows from it. */
static enum drop_reason
judge(struct vport *vport, const struct rte_mbuf *m, int error)
{
    struct tap *tap = vport->priv;

    switch (error) {
    case EIO:                   /* The user has not set it up. */
        return DROP_PORT_DOWN;
    case EBADFD:
        retire(vport);
        return DROP_PORT_DOWN;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return DROP_TX_FULL;
    case EINVAL:
        /* A kernel that does not know USO never took one; one frame that it
         * dislikes must not cost the others their offload. */
        if (pkt_meta(m)->need.gso == PKT_GSO_USO
            && !atomic_load_explicit(&tap->uso_proven,
                                     memory_order_relaxed)) {
            atomic_fetch_and(&vport->caps, ~(uint32_t) VPORT_CAP_USO);
        }
        return DROP_TX_ERROR;
    default:
        return DROP_TX_ERROR;
    }
}
