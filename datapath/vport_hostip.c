/* SPDX-License-Identifier: Apache-2.0 */

/* vport_hostip.c - the host underlay: tunnels through the host's own stack.
 *
 * First and last stage of the packet's way where the address of a tunnel's end
 * sits on a device that is not ours.  To the rest of the datapath this is a
 * port like any other, of which whole outer frames come and into which they
 * are sent, with an Ethernet header that means nothing:
 *   - rx takes a datagram from a UDP socket, or a packet from a raw one, and
 *     puts the outer headers in front that the kernel took away;
 *   - tx takes those headers off again and says in socket terms what they
 *     said.
 * So there is one parser, one pop, one push and one offload decision.
 *
 * Options, written by the control loop only: udp_ports, a comma-separated list
 * of ports to listen on; gre, true or false.  MAIN opens sockets; PMD threads
 * use them.  Must never block. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/hostip_sock.h"
#include "datapath/mem.h"
#include "datapath/pmd.h"
#include "datapath/pmtu_event.h"
#include "datapath/vnetio.h"
#include "datapath/vport.h"
#include "lib/base/log.h"
#include "lib/base/util.h"
#include "lib/pkt/wire.h"

LOG_MODULE(hostip);

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103         /* linux/udp.h */
#define UDP_GRO 104
#endif

#define MAX_RX 64               /* Sockets that we receive from, ever. */
#define N_ENTROPY 8             /* Source ports for each kind of sending. */
#define MAX_MSG_IOVS 256        /* For one burst of sends. */
#define CONTROL_BYTES 128

/* How a packet is to be sent by UDP: an index of 'udp_tx'. */
enum { TX_IP6 = 1, TX_DF = 2, TX_CSUM = 4, N_TX_KINDS = 8 };

struct hostip_rx {
    int fd;                     /* A dead one reads as an error. */
    int family;
    int proto;                  /* IPPROTO_UDP or IPPROTO_GRE. */
    uint16_t port;              /* UDP. */
    bool in_use;
};

struct hostip {
    struct hostip_rx rx[MAX_RX];        /* The first n_rxq of the vport. */
    int udp_tx[N_TX_KINDS][N_ENTROPY];  /* -1: not to be had. */
    int raw_tx[2];                      /* IPv4, IPv6. */
};

/* ---- MAIN ------------------------------------------------------------- */

static void hostip_close(struct vport *);

static bool
add_rx(struct vport *vport, int family, int proto, uint16_t port)
{
    struct hostip *h = vport->priv;
    struct hostip_rx *rx = &h->rx[vport->n_rxq];
    int fd;

    if (vport->n_rxq == MAX_RX) {
        errno = ENOSPC;
        return false;
    }
    fd = proto == IPPROTO_UDP ? hostip_sock_udp_rx(family, port)
                              : hostip_sock_raw(family, proto);
    if (fd < 0) {
        return false;
    }
    *rx = (struct hostip_rx) { fd, family, proto, port, true };
    vport->n_rxq++;
    return true;
}

/* Stops listening without a change of numbers under the threads that poll:
 * another file takes the descriptor's place, the socket closes, and epoll
 * forgets it. */
static void
silence_rx(struct hostip_rx *rx)
{
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (other >= 0) {
        dup3(other, rx->fd, O_CLOEXEC);
        close(other);
    }
    rx->in_use = false;
}

/* Listens on both families.  IPv6 may be absent from the machine. */
static char *
listen_to(struct vport *vport, int proto, uint16_t port)
{
    struct hostip *h = vport->priv;

    for (uint16_t i = 0; i < vport->n_rxq; i++) {
        if (h->rx[i].in_use && h->rx[i].proto == proto
            && h->rx[i].port == port) {
            return NULL;
        }
    }
    if (!add_rx(vport, AF_INET, proto, port)) {
        int error = errno;

        if (proto == IPPROTO_UDP && error == EADDRINUSE) {
            return xasprintf("UDP port %u is in use on this host (by the "
                             "kernel's vxlan device or another program); "
                             "free it, or give the tunnel another "
                             "options:dst_port", port);
        }
        return xasprintf("cannot receive %s packets through the host's "
                         "stack: %s", proto == IPPROTO_UDP ? "UDP" : "GRE",
                         strerror(error));
    }
    if (!add_rx(vport, AF_INET6, proto, port)) {
        log_info("no IPv6 for tunnels through the host's stack: %s",
                 strerror(errno));
    }
    return NULL;
}

static bool
is_listed(const char *ports, uint16_t port)
{
    for (const char *p = ports; p && *p;) {
        char *end;
        unsigned long n = strtoul(p, &end, 10);

        if (end == p) {
            return false;
        }
        if (n == port) {
            return true;
        }
        p = *end == ',' ? end + 1 : end;
    }
    return false;
}

static char *
hostip_update(struct vport *vport, const struct vport_cfg *cfg, bool *reopen)
{
    struct hostip *h = vport->priv;
    const char *ports = smap_get(&cfg->options, "udp_ports");
    bool gre = smap_get_bool(&cfg->options, "gre", false);
    bool has_dead = false;
    char *error = NULL;

    *reopen = false;
    for (uint16_t i = 0; i < vport->n_rxq; i++) {
        struct hostip_rx *rx = &h->rx[i];
        bool wanted = rx->proto == IPPROTO_UDP ? is_listed(ports, rx->port)
                                               : gre;

        if (rx->in_use && !wanted) {
            silence_rx(rx);
        }
        has_dead |= !rx->in_use;
    }
    for (const char *p = ports; !error && p && *p;) {
        char *end;
        unsigned long port = strtoul(p, &end, 10);

        if (end == p || !port || port > UINT16_MAX) {
            return xasprintf("\"%s\" is no list of UDP ports", ports);
        }
        error = listen_to(vport, IPPROTO_UDP, (uint16_t) port);
        p = *end == ',' ? end + 1 : end;
    }
    if (!error && gre) {
        error = listen_to(vport, IPPROTO_GRE, 0);
    }
    if (has_dead && vport->n_rxq == MAX_RX) {
        /* The places of dead sockets come back by a fresh start only. */
        free(error);
        *reopen = true;
        return NULL;
    }
    return error;
}

static char *
hostip_open(struct vport *vport, const struct vport_cfg *cfg)
{
    struct hostip *h = xzalloc(sizeof *h);
    bool reopen;
    char *error;

    vport->priv = h;
    vport->n_rxq = 0;
    vport->n_txq = DP_MAX_PMDS;         /* Sockets need no lock. */
    atomic_store(&vport->caps, VPORT_CAP_CHAIN | VPORT_CAP_ANY_SIZE
                               | VPORT_CAP_CSUM);
    atomic_store(&vport->mtu, UINT16_MAX);

    for (int kind = 0; kind < N_TX_KINDS; kind++) {
        for (int i = 0; i < N_ENTROPY; i++) {
            h->udp_tx[kind][i] = hostip_sock_udp_tx(
                kind & TX_IP6 ? AF_INET6 : AF_INET, kind & TX_DF,
                kind & TX_CSUM);
        }
    }
    if (hostip_sock_takes_trains(h->udp_tx[TX_DF | TX_CSUM][0])) {
        atomic_fetch_or(&vport->caps, VPORT_CAP_USO | VPORT_CAP_TRAIN);
    }
    h->raw_tx[0] = hostip_sock_raw(AF_INET, IPPROTO_RAW);
    h->raw_tx[1] = hostip_sock_raw(AF_INET6, IPPROTO_RAW);

    error = hostip_update(vport, cfg, &reopen);
    if (error) {
        hostip_close(vport);
    }
    return error;
}

static void
hostip_close(struct vport *vport)
{
    struct hostip *h = vport->priv;

    for (uint16_t i = 0; i < vport->n_rxq; i++) {
        close(h->rx[i].fd);
    }
    for (int kind = 0; kind < N_TX_KINDS; kind++) {
        for (int i = 0; i < N_ENTROPY; i++) {
            if (h->udp_tx[kind][i] >= 0) {
                close(h->udp_tx[kind][i]);
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        if (h->raw_tx[i] >= 0) {
            close(h->raw_tx[i]);
        }
    }
    free(h);
    vport->priv = NULL;
}

static void
hostip_get_status(struct vport *vport UNUSED, struct vport_status *status)
{
    status->admin_up = status->link_up = VPORT_YES;
}

static int
hostip_rx_fd(struct vport *vport, uint16_t rxq)
{
    const struct hostip *h = vport->priv;

    return h->rx[rxq].fd;
}

/* ---- PMD: receiving ---------------------------------------------------- */

/* What came along with a packet. */
struct ancillary {
    struct in6_addr dst;        /* IPv4 mapped. */
    uint8_t tos;
    uint8_t ttl;
    uint16_t gso_size;          /* A train; 0: a single datagram. */
};

static void
read_ancillary(struct msghdr *msg, struct ancillary *a)
{
    *a = (struct ancillary) { .ttl = 64 };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        const void *data = CMSG_DATA(c);
        int value = 0;

        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, data, sizeof info);
            a->dst = flow_addr_from_ip4(info.ipi_addr.s_addr);
            continue;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, data, sizeof info);
            a->dst = info.ipi6_addr;
            continue;
        }
        memcpy(&value, data, MIN(sizeof value, c->cmsg_len - CMSG_LEN(0)));
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            a->gso_size = (uint16_t) value;
        } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
                   || (c->cmsg_level == IPPROTO_IPV6
                       && c->cmsg_type == IPV6_TCLASS)) {
            a->tos = (uint8_t) value;
        } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
                   || (c->cmsg_level == IPPROTO_IPV6
                       && c->cmsg_type == IPV6_HOPLIMIT)) {
            a->ttl = (uint8_t) value;
        }
    }
}

/* Puts an IP header of 'len' bytes of payload in front, and what the socket
 * told into it. */
static struct rte_mbuf *
prepend_ip(struct rte_mbuf *m, const struct hostip_rx *rx,
           const struct sockaddr_storage *from, const struct ancillary *a)
{
    uint16_t len = (uint16_t) m->pkt_len;

    if (rx->family == AF_INET) {
        const struct sockaddr_in *sin = (const void *) from;
        struct ip4_hdr *ip = (void *) rte_pktmbuf_prepend(m, sizeof *ip);

        *ip = (struct ip4_hdr) {
            .ver_ihl = 0x45, .tos = a->tos,
            .tot_len = htons((uint16_t) (len + sizeof *ip)),
            .ttl = a->ttl, .proto = (uint8_t) rx->proto,
            .src = sin->sin_addr.s_addr, .dst = flow_addr_to_ip4(&a->dst),
        };
    } else {
        const struct sockaddr_in6 *sin6 = (const void *) from;
        struct ip6_hdr_wire *ip = (void *) rte_pktmbuf_prepend(m, sizeof *ip);

        *ip = (struct ip6_hdr_wire) {
            .ver_tc_label = htonl(6u << 28 | (uint32_t) a->tos << 20),
            .payload_len = htons(len), .next = (uint8_t) rx->proto,
            .hop_limit = a->ttl,
        };
        memcpy(ip->src, &sin6->sin6_addr, sizeof ip->src);
        memcpy(ip->dst, &a->dst, sizeof ip->dst);
    }
    return m;
}

/* Makes a frame of what a socket gave. */
static void
rebuild(struct rte_mbuf *m, const struct vport *vport,
        const struct hostip_rx *rx, struct msghdr *msg)
{
    const struct sockaddr_storage *from = msg->msg_name;
    struct virtio_net_hdr vnet = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
    struct ancillary a;
    struct eth_hdr *eth;

    read_ancillary(msg, &a);
    if (rx->proto == IPPROTO_UDP) {
        uint16_t len = (uint16_t) (m->pkt_len + sizeof(struct udp_hdr));
        struct udp_hdr *udp = (void *) rte_pktmbuf_prepend(m, sizeof *udp);

        /* Checksum 0: the kernel has verified what there was. */
        *udp = (struct udp_hdr) {
            .src = rx->family == AF_INET
                   ? ((const struct sockaddr_in *) (const void *) from)
                     ->sin_port
                   : ((const struct sockaddr_in6 *) (const void *) from)
                     ->sin6_port,
            .dst = htons(rx->port), .len = htons(len),
        };
        prepend_ip(m, rx, from, &a);
    } else if (rx->family == AF_INET6) {
        prepend_ip(m, rx, from, &a);
    }

    eth = (void *) rte_pktmbuf_prepend(m, sizeof *eth);
    memset(eth, 0, sizeof *eth);
    eth->type = htons(rx->family == AF_INET ? ETH_TYPE_IP4 : ETH_TYPE_IP6);

    if (a.gso_size) {
        vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        vnet.gso_type = 5;      /* VIRTIO_NET_HDR_GSO_UDP_L4 */
        vnet.gso_size = a.gso_size;
        vnet.csum_start = (uint16_t) (sizeof *eth
                                      + (rx->family == AF_INET
                                         ? sizeof(struct ip4_hdr)
                                         : sizeof(struct ip6_hdr_wire)));
        vnet.csum_offset = offsetof(struct udp_hdr, csum);
    }
    vnetio_accept(m, vport->port_no, &vnet, VNET_OFFER_ALL);
}

static uint16_t
hostip_rx(struct vport *vport, uint16_t rxq, struct pmd *pmd,
          struct rte_mbuf **pkts, uint16_t n)
{
    const struct hostip *h = vport->priv;
    const struct hostip_rx *rx = &h->rx[rxq];
    struct sockaddr_storage from[PKT_BURST];
    _Alignas(struct cmsghdr) uint8_t control[PKT_BURST][CONTROL_BYTES];
    struct mmsghdr msgs[PKT_BURST];
    uint16_t n_pkts = 0;
    int n_msgs;

    n = rxvec_fill(&pmd->rxvec, n, 0);
    for (uint16_t i = 0; i < n; i++) {
        msgs[i].msg_hdr = (struct msghdr) {
            .msg_name = &from[i], .msg_namelen = sizeof from[i],
            .msg_iov = pmd->rxvec.iov[i], .msg_iovlen = 2,
            .msg_control = control[i], .msg_controllen = CONTROL_BYTES,
        };
    }
    n_msgs = recvmmsg(rx->fd, msgs, n, MSG_DONTWAIT, NULL);
    if (UNLIKELY(n_msgs < 0) && errno != EAGAIN && errno != EINTR) {
        hostip_sock_forget_errors(rx->fd);
        pmtu_event_raise(pmd->now_ms);
    }
    for (int i = 0; i < n_msgs; i++) {
        struct rte_mbuf *m;

        if (UNLIKELY(msgs[i].msg_hdr.msg_flags & MSG_TRUNC)) {
            vport_count_drop(vport, pmd, DROP_RX_TRUNCATED);
            continue;
        }
        m = rxvec_take(&pmd->rxvec, (uint16_t) i, msgs[i].msg_len);
        rebuild(m, vport, rx, &msgs[i].msg_hdr);
        pkts[n_pkts++] = m;
    }
    return n_pkts;
}

/* ---- PMD: sending ------------------------------------------------------- */

/* A burst being put together. */
struct send {
    int fd;                     /* All messages go there. */
    unsigned int n, n_iovs;
    struct rte_mbuf *pkts[PKT_BURST];
    struct mmsghdr msgs[PKT_BURST];
    struct iovec iovs[MAX_MSG_IOVS];
    struct sockaddr_storage to[PKT_BURST];
    _Alignas(struct cmsghdr) uint8_t control[PKT_BURST][CONTROL_BYTES];
};

static enum drop_reason
reason_of(int error)
{
    switch (error) {
    case EAGAIN:
    case ENOBUFS:
        return DROP_TX_FULL;
    case EMSGSIZE:
        return DROP_TOO_BIG;
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
        return DROP_TNL_NO_ROUTE;
    default:
        return DROP_TX_ERROR;
    }
}

/* The kernel did not take 'm'. */
static void
refuse(struct vport *vport, struct pmd *pmd, struct rte_mbuf *m, int error)
{
    /* Of a train older kernels say EINVAL when a piece is too long. */
    if (error == EMSGSIZE
        || (error == EINVAL && pkt_meta(m)->need.gso == PKT_GSO_USO)) {
        pmtu_event_raise(pmd->now_ms);
        error = EMSGSIZE;
    }
    vport_drop_tx(vport, pmd, m, reason_of(error));
}

/* Sends what has gathered.  A message that the kernel refuses costs itself
 * only. */
static uint16_t
send_now(struct vport *vport, struct pmd *pmd, struct send *s,
         uint64_t *bytes)
{
    unsigned int done = 0;
    uint16_t n_sent = 0;

    while (done < s->n) {
        int n = sendmmsg(s->fd, s->msgs + done, s->n - done, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            refuse(vport, pmd, s->pkts[done++], errno);
            continue;
        }
        for (int i = 0; i < n; i++) {
            *bytes += s->pkts[done]->pkt_len;
            rte_pktmbuf_free(s->pkts[done++]);
            n_sent++;
        }
    }
    s->n = s->n_iovs = 0;
    return n_sent;
}

static void *
put_cmsg(struct msghdr *msg, size_t *used, int level, int type, size_t len)
{
    struct cmsghdr *c = (void *) ((uint8_t *) msg->msg_control + *used);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    *used += CMSG_SPACE(len);
    msg->msg_controllen = *used;
    return CMSG_DATA(c);
}

/* Source address, TOS, TTL of the outer IPv4 header in socket terms. */
static void
describe_ip4(struct msghdr *msg, const struct ip4_hdr *ip, be16 port,
             size_t *used)
{
    struct sockaddr_in *sin = msg->msg_name;
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = ip->src };
    int tos = ip->tos;
    int ttl = ip->ttl;

    *sin = (struct sockaddr_in) {
        .sin_family = AF_INET, .sin_addr.s_addr = ip->dst, .sin_port = port,
    };
    msg->msg_namelen = sizeof *sin;
    if (port) {
        memcpy(put_cmsg(msg, used, IPPROTO_IP, IP_PKTINFO, sizeof info),
               &info, sizeof info);
        memcpy(put_cmsg(msg, used, IPPROTO_IP, IP_TOS, sizeof tos), &tos,
               sizeof tos);
        memcpy(put_cmsg(msg, used, IPPROTO_IP, IP_TTL, sizeof ttl), &ttl,
               sizeof ttl);
    }
}

static void
describe_ip6(struct msghdr *msg, const struct ip6_hdr_wire *ip, be16 port,
             size_t *used)
{
    struct sockaddr_in6 *sin6 = msg->msg_name;
    struct in6_pktinfo info = { .ipi6_ifindex = 0 };
    int tclass = ntohl(ip->ver_tc_label) >> 20 & 0xff;
    int hops = ip->hop_limit;

    *sin6 = (struct sockaddr_in6) {
        .sin6_family = AF_INET6, .sin6_port = port,
    };
    memcpy(&sin6->sin6_addr, ip->dst, sizeof ip->dst);
    msg->msg_namelen = sizeof *sin6;
    if (port) {
        memcpy(&info.ipi6_addr, ip->src, sizeof ip->src);
        memcpy(put_cmsg(msg, used, IPPROTO_IPV6, IPV6_PKTINFO, sizeof info),
               &info, sizeof info);
        memcpy(put_cmsg(msg, used, IPPROTO_IPV6, IPV6_TCLASS, sizeof tclass),
               &tclass, sizeof tclass);
        memcpy(put_cmsg(msg, used, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof hops),
               &hops, sizeof hops);
    }
}

/* The socket that sends a packet with this outer header, and how many of its
 * bytes that socket writes itself. */
static int
choose_socket(const struct hostip *h, const struct rte_mbuf *m,
              const struct pkt_encap *e, size_t *skip)
{
    const uint8_t *l3 = pkt_data(m) + e->l3;
    bool is_ip6 = l3[0] >> 4 == 6;
    const struct udp_hdr *udp;
    int kind;

    if (e->ops->ip_proto != IPPROTO_UDP) {
        *skip = e->l3;
        return h->raw_tx[is_ip6];
    }
    udp = (const void *) (pkt_data(m) + e->l4);
    kind = (is_ip6 ? TX_IP6 : 0)
           | (e->csum || pkt_meta(m)->need.csum ? TX_CSUM : 0);
    if (is_ip6
        || ((const struct ip4_hdr *) (const void *) l3)->frag
           & htons(IP4_DF)) {
        kind |= TX_DF;
    }
    *skip = (size_t) e->l4 + sizeof *udp;
    return h->udp_tx[kind][ntohs(udp->src) % N_ENTROPY];
}

static void
put_message(struct send *s, struct rte_mbuf *m, const struct pkt_encap *e,
            size_t skip)
{
    const uint8_t *l3 = pkt_data(m) + e->l3;
    bool is_udp = e->ops->ip_proto == IPPROTO_UDP;
    be16 port = is_udp ? ((const struct udp_hdr *) (const void *)
                          (pkt_data(m) + e->l4))->dst : 0;
    struct msghdr *msg = &s->msgs[s->n].msg_hdr;
    size_t used = 0;

    *msg = (struct msghdr) {
        .msg_name = &s->to[s->n], .msg_control = s->control[s->n],
        .msg_iov = &s->iovs[s->n_iovs],
    };
    if (l3[0] >> 4 == 4) {
        describe_ip4(msg, (const void *) l3, port, &used);
    } else {
        describe_ip6(msg, (const void *) l3, port, &used);
    }
    if (pkt_meta(m)->need.gso == PKT_GSO_USO) {
        memcpy(put_cmsg(msg, &used, IPPROTO_UDP, UDP_SEGMENT,
                        sizeof pkt_meta(m)->need.gso_size),
               &pkt_meta(m)->need.gso_size,
               sizeof pkt_meta(m)->need.gso_size);
    }
    if (!used) {
        msg->msg_control = NULL;
    }
    for (struct rte_mbuf *seg = m; seg; seg = seg->next) {
        if (seg->data_len > skip) {
            s->iovs[s->n_iovs++] = (struct iovec) {
                pkt_data(seg) + skip, seg->data_len - skip,
            };
            skip = 0;
        } else {
            skip -= seg->data_len;
        }
    }
    msg->msg_iovlen = (size_t) (&s->iovs[s->n_iovs] - msg->msg_iov);
    s->pkts[s->n++] = m;
}

static uint16_t
hostip_tx(struct vport *vport, uint16_t txq UNUSED, struct pmd *pmd,
          struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    const struct hostip *h = vport->priv;
    struct send s;
    uint16_t n_sent = 0;

    s.fd = -1;
    s.n = s.n_iovs = 0;         /* The rest is written as it is used. */
    for (uint16_t i = 0; i < n; i++) {
        struct rte_mbuf *m = pkts[i];
        const struct pkt_meta *md = pkt_meta(m);
        const struct pkt_encap *e;
        size_t skip;
        int fd;

        if (UNLIKELY(!md->n_encaps || m->nb_segs > MAX_MSG_IOVS)) {
            vport_drop_tx(vport, pmd, m, DROP_HOST_STACK);
            continue;
        }
        e = &md->encaps[md->n_encaps - 1];
        fd = choose_socket(h, m, e, &skip);
        if (UNLIKELY(fd < 0)) {
            vport_drop_tx(vport, pmd, m, DROP_TNL_NO_ROUTE);
            continue;
        }
        if (s.n && (fd != s.fd || s.n == PKT_BURST
                    || s.n_iovs + m->nb_segs > MAX_MSG_IOVS)) {
            n_sent += send_now(vport, pmd, &s, bytes);
        }
        s.fd = fd;
        put_message(&s, m, e, skip);
    }
    return n_sent + send_now(vport, pmd, &s, bytes);
}

const struct vport_class vport_hostip_class = {
    .type = "hostip",
    .open = hostip_open,
    .update = hostip_update,
    .close = hostip_close,
    .get_status = hostip_get_status,
    .rx = hostip_rx,
    .tx = hostip_tx,
    .rx_fd = hostip_rx_fd,
};
