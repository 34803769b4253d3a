/* SPDX-License-Identifier: Apache-2.0 */

/* vport_system.c - a device of the kernel as a port, by packet sockets.
 *
 * First and last stage of a packet's way.  MAIN opens and closes; PMD threads
 * receive, each from its own queues, and send, all by the first queue's socket
 * (the kernel locks it where it must).  PMD code enters the kernel once for a
 * burst and never blocks.
 *
 * Frames go both ways with a virtio-net header, so that super-packets stay
 * whole and checksums unfinished.  The kernel takes the outer VLAN tag out of
 * what it receives; it is put back before anyone looks.
 *
 * The socket sends through the device's queueing discipline.  Bypassing it
 * (PACKET_QDISC_BYPASS) loses the packet as soon as a NIC's ring is full, and
 * lets traffic past the shaping that an operator has set up by tc; on a veth,
 * which has no discipline, it did not gain a measurable packet per second.
 *
 * A device that vanishes takes nothing with it: its sockets report that once
 * and stay silent until MAIN, which sees ifindex 0 in the status, closes the
 * port and opens it again when a device of that name is back. */

#include "datapath/vport.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/hostblock.h"
#include "datapath/linux_dev.h"
#include "datapath/packet_sock.h"
#include "datapath/pmd.h"
#include "datapath/vnetio.h"
#include "datapath/vport_internal.h"
#include "lib/base/log.h"
#include "lib/pkt/wire.h"

LOG_MODULE(vport_system);

#define MAX_RXQS 16
#define TAG_LEN ((uint16_t) sizeof(struct vlan_hdr))

/* The kernel does not hand UFO frames to packet sockets: it cuts them when
 * they leave the sender's device. */
#define OFFERED (VNET_OFFER_ALL & ~(1u << PKT_GSO_UFO))

#define CAPS                                                                  \
    (VPORT_CAP_CSUM | VPORT_CAP_TSO4 | VPORT_CAP_TSO6 | VPORT_CAP_ECN         \
     | VPORT_CAP_UFO | VPORT_CAP_CHAIN | VPORT_CAP_ONE_TAG)

union aux_room {
    char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    struct cmsghdr align;
};

/* The PMD thread that polls it writes all but 'fd' and 'n_dropped'. */
struct system_rxq {
    int fd;
    uint64_t n_dropped;         /* By the kernel; MAIN's. */
    struct mmsghdr msgs[PKT_BURST];
    struct virtio_net_hdr hdrs[PKT_BURST];
    struct iovec iov[PKT_BURST][3];
    union aux_room aux[PKT_BURST];
} __rte_cache_aligned;

struct system {
    int ifindex;
    bool is_blocked;            /* hostblock_attach() was successful. */
    char *warning;              /* Why the host's stack also acts, or NULL. */
    struct linux_dev_info base; /* Counters when the port was made. */
    _Atomic bool uso_proven;    /* The kernel took a USO frame of ours. */
    struct system_rxq rxqs[];
};

static char *system_open(struct vport *, const struct vport_cfg *);
static void system_close(struct vport *);

static char *check_device(const char *name, struct linux_dev_info *);
static char *get_n_rxq(const struct vport_cfg *, uint16_t *);
static char *set_mtu(struct vport *, const struct vport_cfg *,
                     struct linux_dev_info *);
static char *open_rxqs(struct vport *, struct system *);
static void prepare_rxq(struct system_rxq *);
static bool find_device(const struct vport *, struct linux_dev_info *);
static void set_up(struct vport *, bool up);

static struct rte_mbuf *take(struct vport *, struct pmd *,
                             struct system_rxq *, uint16_t i);
static void restore_tag(struct rte_mbuf *, const struct tpacket_auxdata *);
static bool is_retried(struct vport *, struct pmd *, int error);
static uint16_t send_all(struct vport *, struct pmd *, struct mmsghdr *,
                         struct rte_mbuf **, uint16_t n, uint64_t *bytes);
static enum drop_reason judge(struct vport *, const struct rte_mbuf *,
                              int error);

static char *
system_open(struct vport *vport, const struct vport_cfg *cfg)
{
    struct linux_dev_info info;
    struct system *sys;
    uint16_t n_rxq;
    char *error = check_device(cfg->name, &info);

    if (!error) {
        error = get_n_rxq(cfg, &n_rxq);
    }
    if (error) {
        return error;
    }

    sys = aligned_alloc(RTE_CACHE_LINE_SIZE,
                        ROUND_UP(sizeof *sys + n_rxq * sizeof sys->rxqs[0],
                                 RTE_CACHE_LINE_SIZE));
    if (!sys) {
        return xasprintf("no memory for port %s", cfg->name);
    }
    memset(sys, 0, sizeof *sys + n_rxq * sizeof sys->rxqs[0]);
    sys->ifindex = info.ifindex;
    sys->base = info;
    for (uint16_t i = 0; i < n_rxq; i++) {
        sys->rxqs[i].fd = -1;
    }
    vport->priv = sys;
    vport->n_rxq = n_rxq;
    vport->n_txq = DP_MAX_PMDS; /* No lock is needed. */

    error = open_rxqs(vport, sys);
    if (error) {
        system_close(vport);
        return error;
    }

    sys->warning = hostblock_attach(sys->ifindex, cfg->name);
    sys->is_blocked = !sys->warning;
    if (sys->warning) {
        log_warn("%s", sys->warning);
    }
    linux_dev_disable_lro(linux_dev_here(), cfg->name);
    error = set_mtu(vport, cfg, &info);
    if (error) {
        log_warn("%s", error);
        free(error);
    }

    memcpy(vport->mac, info.mac, sizeof vport->mac);
    atomic_store(&vport->mtu, linux_dev_clamp_mtu(info.mtu));
    atomic_store(&vport->caps,
                 CAPS | (packet_sock_takes_uso()
                         ? VPORT_CAP_USO | VPORT_CAP_TRAIN : 0u));
    atomic_store(&vport->up, (info.flags & IFF_UP) != 0);
    return NULL;
}

static char *
system_update(struct vport *vport, const struct vport_cfg *cfg, bool *reopen)
{
    struct linux_dev_info info;
    uint16_t n_rxq;
    char *error;

    *reopen = false;
    error = get_n_rxq(cfg, &n_rxq);
    if (error) {
        return error;
    }
    if (!find_device(vport, &info) || n_rxq != vport->n_rxq) {
        *reopen = true;
        return NULL;
    }
    error = set_mtu(vport, cfg, &info);
    atomic_store(&vport->mtu, linux_dev_clamp_mtu(info.mtu));
    set_up(vport, (info.flags & IFF_UP) != 0);
    return error;
}

static void
system_close(struct vport *vport)
{
    struct system *sys = vport->priv;

    if (sys->is_blocked) {
        hostblock_detach(sys->ifindex);
    }
    for (uint16_t i = 0; i < vport->n_rxq; i++) {
        if (sys->rxqs[i].fd >= 0) {
            close(sys->rxqs[i].fd);
        }
    }
    free(sys->warning);
    free(sys);
    vport->priv = NULL;
}

static void
system_get_status(struct vport *vport, struct vport_status *status)
{
    const struct system *sys = vport->priv;
    struct linux_dev_info info;

    if (!find_device(vport, &info)) {
        set_up(vport, false);
        status->ifindex = 0;
        status->mtu = 0;
        status->has_mac = false;
        status->admin_up = status->link_up = VPORT_NO;
        return;
    }

    atomic_store(&vport->mtu, linux_dev_clamp_mtu(info.mtu));
    memcpy(vport->mac, info.mac, sizeof vport->mac);
    set_up(vport, (info.flags & IFF_UP) != 0);

    status->ifindex = info.ifindex;
    status->mtu = info.mtu;
    status->has_mac = info.has_mac;
    memcpy(status->mac, info.mac, sizeof status->mac);
    status->admin_up = info.flags & IFF_UP ? VPORT_YES : VPORT_NO;
    status->link_up = info.carrier ? VPORT_YES : VPORT_NO;
    status->link_resets = info.carrier_changes;
    linux_dev_get_speed(linux_dev_here(), vport->name,
                        &status->link_speed_bps, &status->full_duplex);
    linux_dev_get_driver(linux_dev_here(), vport->name, &status->status);
    if (sys->warning) {
        smap_set(&status->status, "host_stack", sys->warning);
    }
}

static void
system_get_device_counters(struct vport *vport, uint64_t *rx_dropped,
                           uint64_t *rx_errors, uint64_t *tx_errors)
{
    struct system *sys = vport->priv;
    struct linux_dev_info info;

    for (uint16_t i = 0; i < vport->n_rxq; i++) {
        struct system_rxq *q = &sys->rxqs[i];
        struct tpacket_stats stats;
        socklen_t len = sizeof stats;

        /* Reading sets the kernel's counters back to 0. */
        if (!getsockopt(q->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len)) {
            q->n_dropped += stats.tp_drops;
        }
        *rx_dropped += q->n_dropped;
    }
    if (find_device(vport, &info)) {
        *rx_dropped += info.rx_dropped - sys->base.rx_dropped;
        *rx_errors += info.rx_errors - sys->base.rx_errors;
        *tx_errors += info.tx_errors - sys->base.tx_errors;
    }
}

static uint16_t
system_rx(struct vport *vport, uint16_t rxq, struct pmd *pmd,
          struct rte_mbuf **pkts, uint16_t n)
{
    struct system *sys = vport->priv;
    struct system_rxq *q = &sys->rxqs[rxq];
    uint16_t n_pkts = 0;
    int n_msgs;

    n = rxvec_fill(&pmd->rxvec, MIN(n, PKT_BURST), TAG_LEN);
    if (UNLIKELY(!n)) {
        return 0;
    }
    for (uint16_t i = 0; i < n; i++) {
        memcpy(&q->iov[i][1], pmd->rxvec.iov[i], sizeof pmd->rxvec.iov[i]);
    }

    do {
        n_msgs = recvmmsg(q->fd, q->msgs, n, MSG_DONTWAIT, NULL);
    } while (UNLIKELY(n_msgs < 0) && is_retried(vport, pmd, errno));

    for (int i = 0; i < n_msgs; i++) {
        struct rte_mbuf *m = take(vport, pmd, q, (uint16_t) i);

        if (LIKELY(m != NULL)) {
            pkts[n_pkts++] = m;
        }
    }
    if (n_pkts && UNLIKELY(!atomic_load_explicit(&vport->up,
                                                 memory_order_relaxed))) {
        set_up(vport, true);
    }
    return n_pkts;
}

/* All fit the arrays: the PMD thread sends at most a burst at a time, and what
 * exceeds that is sent in pieces. */
static uint16_t
system_tx(struct vport *vport, uint16_t txq UNUSED, struct pmd *pmd,
          struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    struct virtio_net_hdr hdrs[PKT_BURST];
    struct mmsghdr msgs[PKT_BURST];
    struct iovec iov[VNETIO_MAX_IOVS];
    struct rte_mbuf *ready[PKT_BURST];
    unsigned int n_iovs = 0;
    uint16_t n_ready = 0, n_sent = 0;

    for (uint16_t i = 0; i < n; i++) {
        struct rte_mbuf *m = pkts[i];

        if (UNLIKELY(m->pkt_len < VNETIO_MIN_LEN
                     || vnetio_n_iovs(m) > VNETIO_MAX_IOVS)) {
            vport_drop_tx(vport, pmd, m, DROP_TX_ERROR);
            continue;
        }
        if (n_ready == PKT_BURST
            || n_iovs + vnetio_n_iovs(m) > VNETIO_MAX_IOVS) {
            n_sent += send_all(vport, pmd, msgs, ready, n_ready, bytes);
            n_ready = 0;
            n_iovs = 0;
        }
        memset(&msgs[n_ready], 0, sizeof msgs[n_ready]);
        msgs[n_ready].msg_hdr.msg_iov = &iov[n_iovs];
        msgs[n_ready].msg_hdr.msg_iovlen
            = vnetio_gather(m, &hdrs[n_ready], &iov[n_iovs]);
        n_iovs += (unsigned int) msgs[n_ready].msg_hdr.msg_iovlen;
        ready[n_ready++] = m;
    }
    return (uint16_t) (n_sent
                       + send_all(vport, pmd, msgs, ready, n_ready, bytes));
}

static int
system_rx_fd(struct vport *vport, uint16_t rxq)
{
    const struct system *sys = vport->priv;

    return sys->rxqs[rxq].fd;
}

const struct vport_class vport_system_class = {
    .type = "system",
    .open = system_open,
    .update = system_update,
    .close = system_close,
    .get_status = system_get_status,
    .get_device_counters = system_get_device_counters,
    .rx = system_rx,
    .tx = system_tx,
    .rx_fd = system_rx_fd,
};

/* Opening. */

/* What may be a port?  Returns NULL with '*info', or a sentence. */
static char *
check_device(const char *name, struct linux_dev_info *info)
{
    struct linux_dev_info master;
    int error = linux_dev_query(linux_dev_here(), name, 0, info);

    if (error) {
        return xasprintf("could not open network device %s (%s)", name,
                         strerror(-error));
    }
    if (strcmp(info->name, name)) {
        return xasprintf("%s is an alternative name of the network device %s;"
                         " a port has the device's own name", name,
                         info->name);
    }
    if (info->flags & IFF_LOOPBACK) {
        return xasprintf("%s is a loopback device, which cannot be a port",
                         name);
    }
    if (info->arptype != ARPHRD_ETHER) {
        return xasprintf("%s is not an Ethernet device, so it cannot be a"
                         " port", name);
    }
    if (vport_internal_owns(info->ifindex)) {
        return xasprintf("%s is the device of an internal port of this switch;"
                         " set its Interface's type to internal", name);
    }
    if (!info->master
        || linux_dev_query(linux_dev_here(), NULL, info->master, &master)) {
        return NULL;
    }
    if (!strcmp(master.kind, "bridge") || !strcmp(master.kind, "bond")
        || !strcmp(master.kind, "team")
        || !strcmp(master.kind, "openvswitch")) {
        return xasprintf("%s belongs to the kernel's %s %s; release it first"
                         " (ip link set dev %s nomaster)", name, master.kind,
                         master.name, name);
    }
    return NULL;
}

static char *
get_n_rxq(const struct vport_cfg *cfg, uint16_t *n_rxq)
{
    const char *text = smap_get(&cfg->options, "n_rxq");
    int n = 1;

    if (text && !str_to_int_range(text, 1, MAX_RXQS, &n)) {
        return xasprintf("%s: options:n_rxq is \"%s\" and must be a number"
                         " from 1 to %d", cfg->name, text, MAX_RXQS);
    }
    *n_rxq = (uint16_t) n;
    return NULL;
}

/* Sets the device's MTU as desired and corrects 'info'.  NULL or a sentence;
 * the port works on with the MTU that it has. */
static char *
set_mtu(struct vport *vport, const struct vport_cfg *cfg,
        struct linux_dev_info *info)
{
    int error;

    if (!cfg->mtu_request || cfg->mtu_request == info->mtu) {
        return NULL;
    }
    error = linux_dev_set_mtu(linux_dev_here(), vport->name,
                              cfg->mtu_request);
    if (error) {
        return xasprintf("could not set the MTU of %s to %u (%s)",
                         vport->name, cfg->mtu_request, strerror(-error));
    }
    info->mtu = cfg->mtu_request;
    return NULL;
}

static char *
open_rxqs(struct vport *vport, struct system *sys)
{
    int fds[MAX_RXQS];
    char *error = packet_sock_open(vport->name, sys->ifindex, vport->n_rxq,
                                   fds);

    for (uint16_t i = 0; !error && i < vport->n_rxq; i++) {
        sys->rxqs[i].fd = fds[i];
        prepare_rxq(&sys->rxqs[i]);
    }
    return error;
}

static void
prepare_rxq(struct system_rxq *q)
{
    for (unsigned int i = 0; i < PKT_BURST; i++) {
        struct msghdr *msg = &q->msgs[i].msg_hdr;

        q->iov[i][0] = (struct iovec) {&q->hdrs[i], sizeof q->hdrs[i]};
        msg->msg_iov = q->iov[i];
        msg->msg_iovlen = ARRAY_SIZE(q->iov[i]);
        msg->msg_control = &q->aux[i];
        msg->msg_controllen = sizeof q->aux[i];
    }
}

/* Tells whether the device that the sockets are bound to still exists in our
 * namespace under the port's name. */
static bool
find_device(const struct vport *vport, struct linux_dev_info *info)
{
    const struct system *sys = vport->priv;

    return !linux_dev_query(linux_dev_here(), vport->name, 0, info)
           && info->ifindex == sys->ifindex;
}

static void
set_up(struct vport *vport, bool up)
{
    atomic_store_explicit(&vport->up, up, memory_order_relaxed);
}

/* Receiving. */

/* Takes message 'i'.  Returns the packet, or NULL when it was dropped. */
static struct rte_mbuf *
take(struct vport *vport, struct pmd *pmd, struct system_rxq *q, uint16_t i)
{
    struct mmsghdr *msg = &q->msgs[i];
    uint32_t len = msg->msg_len - MIN(msg->msg_len,
                                      (uint32_t) sizeof q->hdrs[i]);
    bool is_cut = msg->msg_hdr.msg_flags & MSG_TRUNC;
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg->msg_hdr);
    struct tpacket_auxdata aux = {.tp_status = 0};
    struct rte_mbuf *m;

    if (LIKELY(cmsg && cmsg->cmsg_level == SOL_PACKET
               && cmsg->cmsg_type == PACKET_AUXDATA)) {
        memcpy(&aux, CMSG_DATA(cmsg), sizeof aux);
    }
    msg->msg_hdr.msg_controllen = sizeof q->aux[i];

    if (UNLIKELY(is_cut)) {
        /* Without its big buffer the slot had no room for it. */
        bool is_memory = !pmd->rxvec.big[i];

        m = rxvec_take(&pmd->rxvec, i, len);
        vport_drop_rx(vport, pmd, m,
                      is_memory ? DROP_NO_MBUF : DROP_RX_TRUNCATED);
        return NULL;
    }
    m = rxvec_take(&pmd->rxvec, i, len);
    vnetio_accept(m, vport->port_no, &q->hdrs[i], OFFERED);
    if (aux.tp_status & TP_STATUS_VLAN_VALID) {
        restore_tag(m, &aux);
    }
    return m;
}

/* The kernel counts csum_start in the frame without the tag. */
static void
restore_tag(struct rte_mbuf *m, const struct tpacket_auxdata *aux)
{
    struct pkt_meta *md = pkt_meta(m);
    struct vlan_hdr tag = {
        .tpid = htons(aux->tp_status & TP_STATUS_VLAN_TPID_VALID
                      ? aux->tp_vlan_tpid : ETH_TYPE_VLAN),
        .tci = htons(aux->tp_vlan_tci),
    };
    uint8_t *data = NULL;

    if (LIKELY(m->data_len >= VNETIO_MIN_LEN)) {
        data = (uint8_t *) rte_pktmbuf_prepend(m, sizeof tag);
    }
    if (UNLIKELY(!data)) {
        return;                 /* Too short for the parser anyhow. */
    }
    memmove(data, data + sizeof tag, 12);
    memcpy(data + 12, &tag, sizeof tag);
    if (md->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        md->vnet.csum_start = (uint16_t) (md->vnet.csum_start + sizeof tag);
    }
}

/* What recvmmsg() had to say; tells whether to try again at once. */
static bool
is_retried(struct vport *vport, struct pmd *pmd, int error)
{
    switch (error) {
    case EINTR:
        return true;
    case EINVAL:
        /* A super-packet of a kind that the header has no word for (SCTP): the
         * kernel has dropped it. */
        vport_count_drop(vport, pmd, DROP_VNET_GSO_TYPE);
        return true;
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
        /* The device went down or away; said once. */
        set_up(vport, false);
        return false;
    default:
        return false;
    }
}

/* Sending. */

/* Sends and consumes 'pkts', which 'msgs' describe.  Returns how many were
 * sent. */
static uint16_t
send_all(struct vport *vport, struct pmd *pmd, struct mmsghdr *msgs,
         struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    struct system *sys = vport->priv;
    bool is_second_try = false;
    uint16_t n_sent = 0, i = 0;

    while (i < n) {
        int sent = sendmmsg(sys->rxqs[0].fd, &msgs[i], n - i, MSG_DONTWAIT);
        int error = errno;

        for (int j = 0; j < sent; j++) {
            struct rte_mbuf *m = pkts[i++];

            if (pkt_meta(m)->need.gso == PKT_GSO_USO) {
                atomic_store_explicit(&sys->uso_proven, true,
                                      memory_order_relaxed);
            }
            *bytes += m->pkt_len;
            n_sent++;
            rte_pktmbuf_free(m);
        }
        if (LIKELY(sent > 0) || error == EINTR) {
            continue;
        }

        /* It is packet 'i' that was refused.  A full socket may drain as soon
         * as whoever takes from it gets the CPU; but once in a burst is
         * enough. */
        if (error == EAGAIN && !is_second_try) {
            is_second_try = true;
            sched_yield();
            continue;
        }

        enum drop_reason reason = judge(vport, pkts[i], error);

        vport_drop_tx(vport, pmd, pkts[i++], reason);
        if (reason == DROP_PORT_DOWN || error == EAGAIN) {
            while (i < n) {     /* The others would fare alike. */
                vport_drop_tx(vport, pmd, pkts[i++], reason);
            }
        }
    }
    return n_sent;
}

/* Why the kernel did not send 'm', and what follows from it. */
static enum drop_reason
judge(struct vport *vport, const struct rte_mbuf *m, int error)
{
    struct system *sys = vport->priv;

    switch (error) {
    case EAGAIN:
    case ENOBUFS:               /* The queueing discipline's verdict: final. */
    case ENOMEM:
        return DROP_TX_FULL;
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
        set_up(vport, false);
        return DROP_PORT_DOWN;
    case EMSGSIZE:
        /* The device's MTU has just become smaller. */
        return DROP_TOO_BIG;
    case EINVAL:
        /* A kernel that does not know USO never took one; one frame that it
         * dislikes must not cost the others their offload. */
        if (pkt_meta(m)->need.gso == PKT_GSO_USO
            && !atomic_load_explicit(&sys->uso_proven,
                                     memory_order_relaxed)) {
            atomic_fetch_and(&vport->caps, ~(uint32_t) VPORT_CAP_USO);
        }
        return DROP_TX_ERROR;
    default:
        return DROP_TX_ERROR;
    }
}
