/* SPDX-License-Identifier: Apache-2.0 */

/* vport_dpdk.c - any device that DPDK has a driver for.
 *
 * First and last stage of a packet's way.  MAIN attaches, starts, stops and
 * detaches the device that options:dpdk-devargs names: a PCI address or a
 * virtual device such as net_null0.  PMD threads poll its queues and send to
 * them; PMD code never waits.  The translation of what a packet still needs
 * into the driver's terms is in dpdk_tx.c.
 *
 * A device that is pulled out says so from DPDK's interrupt thread; from then
 * on the port receives nothing and drops what it should send. */

#include "datapath/vport.h"

#include <errno.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "datapath/dpdk_tx.h"
#include "datapath/mem.h"
#include "datapath/pmd.h"
#include "lib/base/log.h"

LOG_MODULE(vport_dpdk);

#define MAX_RXQS 64
#define MAX_TXQS 64
#define MAX_DESCS 32768
#define DEFAULT_DESCS 1024
#define MAX_MTU 9978            /* With headers and two tags below 10000. */

#define RX_CSUM_OFFLOADS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM                       \
                          | RTE_ETH_RX_OFFLOAD_UDP_CKSUM                      \
                          | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define RSS_FIELDS (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)

/* What is wanted, from the options. */
struct dpdk_cfg {
    const char *devargs;        /* In the options. */
    uint16_t n_rxq, n_rxq_desc, n_txq_desc;
    uint16_t mtu;               /* 0: leave it. */
};

struct dpdk {
    uint16_t id;                /* DPDK's number of the port. */
    bool is_started;
    bool is_attached;           /* By us, so it is ours to detach. */
    struct rte_device *device;
    char *devargs;
    uint16_t n_rxq, n_rxq_desc, n_txq_desc;     /* As asked for. */
    uint16_t mtu;                               /* As asked for. */
    struct dpdk_tx tx;
    _Atomic bool is_gone;       /* The interrupt thread writes. */
    _Atomic uint64_t n_resets;  /* ... too: link state changes. */
    struct vport *vport;
};

/* Ports that are vports already; MAIN. */
static bool is_used[RTE_MAX_ETHPORTS];

static char *dpdk_open(struct vport *, const struct vport_cfg *);
static void dpdk_close(struct vport *);

static char *parse_cfg(const struct vport_cfg *, struct dpdk_cfg *);
static char *parse_number(const struct vport_cfg *, const char *key, int min,
                          int max, int def, uint16_t *);
static char *attach(struct dpdk *, const char *name);
static bool find_port(const char *devargs, uint16_t *id);
static char *start(struct vport *, struct dpdk *, const char *name);
static int configure(struct dpdk *, const struct rte_eth_dev_info *,
                     uint16_t n_txq);
static int set_up_queues(struct dpdk *, const struct rte_eth_dev_info *,
                         uint16_t n_txq);
static char *refuse(const char *name, const struct dpdk *, const char *what,
                    int error);
static int on_event(uint16_t id, enum rte_eth_event_type, void *dpdk, void *);
static void add_error_counters(uint16_t id, struct smap *);

static char *
dpdk_open(struct vport *vport, const struct vport_cfg *cfg)
{
    struct rte_ether_addr mac;
    struct dpdk_cfg dc;
    struct dpdk *dpdk;
    char *error = parse_cfg(cfg, &dc);

    if (error) {
        return error;
    }
    dpdk = xzalloc(sizeof *dpdk);
    dpdk->devargs = xstrdup(dc.devargs);
    dpdk->n_rxq = dc.n_rxq;
    dpdk->n_rxq_desc = dc.n_rxq_desc;
    dpdk->n_txq_desc = dc.n_txq_desc;
    dpdk->mtu = dc.mtu;
    dpdk->vport = vport;
    error = attach(dpdk, cfg->name);
    if (error) {
        free(dpdk->devargs);
        free(dpdk);
        return error;
    }
    vport->priv = dpdk;

    error = start(vport, dpdk, cfg->name);
    if (error) {
        dpdk_close(vport);
        return error;
    }
    if (!rte_eth_macaddr_get(dpdk->id, &mac)) {
        memcpy(vport->mac, mac.addr_bytes, sizeof vport->mac);
    }
    atomic_store(&vport->up, true);
    return NULL;
}

static char *
dpdk_update(struct vport *vport, const struct vport_cfg *cfg, bool *reopen)
{
    const struct dpdk *dpdk = vport->priv;
    struct dpdk_cfg dc;
    char *error;

    *reopen = false;
    error = parse_cfg(cfg, &dc);
    if (error) {
        return error;
    }
    *reopen = atomic_load(&dpdk->is_gone)
              || strcmp(dc.devargs, dpdk->devargs) || dc.mtu != dpdk->mtu
              || dc.n_rxq != dpdk->n_rxq || dc.n_rxq_desc != dpdk->n_rxq_desc
              || dc.n_txq_desc != dpdk->n_txq_desc;
    return NULL;
}

static void
dpdk_close(struct vport *vport)
{
    struct dpdk *dpdk = vport->priv;
    int error = 0;

    rte_eth_dev_callback_unregister(dpdk->id, RTE_ETH_EVENT_INTR_RMV,
                                    on_event, dpdk);
    rte_eth_dev_callback_unregister(dpdk->id, RTE_ETH_EVENT_INTR_LSC,
                                    on_event, dpdk);
    if (dpdk->is_started) {
        rte_eth_dev_stop(dpdk->id);
    }
    is_used[dpdk->id] = false;
    if (dpdk->is_attached) {
        rte_eth_dev_close(dpdk->id);
        error = rte_dev_remove(dpdk->device);
    }
    if (error) {
        log_warn("%s: could not detach %s (%s)", vport->name, dpdk->devargs,
                 rte_strerror(-error));
    }
    free(dpdk->devargs);
    free(dpdk);
    vport->priv = NULL;
}

static void
dpdk_get_status(struct vport *vport, struct vport_status *status)
{
    struct dpdk *dpdk = vport->priv;
    struct smap *more = &status->status;
    struct rte_eth_dev_info info;
    struct rte_eth_link link;
    uint16_t mtu;

    if (atomic_load(&dpdk->is_gone)
        || rte_eth_dev_info_get(dpdk->id, &info)) {
        status->admin_up = status->link_up = VPORT_NO;
        return;
    }
    if (!rte_eth_dev_get_mtu(dpdk->id, &mtu)) {
        status->mtu = mtu;
        atomic_store(&vport->mtu, mtu);
    }
    status->ifindex = (int) info.if_index;
    status->has_mac = true;
    memcpy(status->mac, vport->mac, sizeof status->mac);
    status->admin_up = VPORT_YES;
    memset(&link, 0, sizeof link);
    if (!rte_eth_link_get_nowait(dpdk->id, &link)) {
        status->link_up = link.link_status ? VPORT_YES : VPORT_NO;
        status->full_duplex = link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
        if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN) {
            status->link_speed_bps = link.link_speed * UINT64_C(1000000);
        }
    } else {
        status->link_up = VPORT_UNKNOWN;
    }
    status->link_resets = atomic_load(&dpdk->n_resets);

    smap_set(more, "driver_name", info.driver_name);
    smap_setf(more, "port_no", "%u", (unsigned int) dpdk->id);
    smap_setf(more, "numa_id", "%d", rte_eth_dev_socket_id(dpdk->id));
    smap_setf(more, "min_rx_bufsize", "%u", info.min_rx_bufsize);
    smap_setf(more, "max_rx_pktlen", "%u", info.max_rx_pktlen);
    smap_setf(more, "max_rx_queues", "%u", (unsigned) info.max_rx_queues);
    smap_setf(more, "max_tx_queues", "%u", (unsigned) info.max_tx_queues);
    smap_setf(more, "n_rxq", "%u", (unsigned int) vport->n_rxq);
    smap_setf(more, "n_txq", "%u", (unsigned int) vport->n_txq);
    smap_setf(more, "n_rxq_desc", "%u", (unsigned int) dpdk->n_rxq_desc);
    smap_setf(more, "n_txq_desc", "%u", (unsigned int) dpdk->n_txq_desc);
    add_error_counters(dpdk->id, more);
}

static void
dpdk_get_device_counters(struct vport *vport, uint64_t *rx_dropped,
                         uint64_t *rx_errors, uint64_t *tx_errors)
{
    const struct dpdk *dpdk = vport->priv;
    struct rte_eth_stats stats;

    if (!atomic_load(&dpdk->is_gone)
        && !rte_eth_stats_get(dpdk->id, &stats)) {
        *rx_dropped += stats.imissed + stats.rx_nombuf;
        *rx_errors += stats.ierrors;
        *tx_errors += stats.oerrors;
    }
}

static uint16_t
dpdk_rx(struct vport *vport, uint16_t rxq, struct pmd *pmd UNUSED,
        struct rte_mbuf **pkts, uint16_t n)
{
    const struct dpdk *dpdk = vport->priv;

    if (UNLIKELY(atomic_load_explicit(&dpdk->is_gone,
                                      memory_order_relaxed))) {
        return 0;
    }
    n = rte_eth_rx_burst(dpdk->id, rxq, pkts, n);
    for (uint16_t i = 0; i < n; i++) {
        pkt_meta_init(pkts[i], vport->port_no);
        pkt_meta(pkts[i])->need.csum_valid
            = (pkts[i]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK)
              == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    }
    return n;
}

static uint16_t
dpdk_tx(struct vport *vport, uint16_t txq, struct pmd *pmd,
        struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    const struct dpdk *dpdk = vport->priv;

    if (UNLIKELY(atomic_load_explicit(&dpdk->is_gone,
                                      memory_order_relaxed))) {
        for (uint16_t i = 0; i < n; i++) {
            vport_drop_tx(vport, pmd, pkts[i], DROP_PORT_DOWN);
        }
        return 0;
    }
    return dpdk_tx_burst(&dpdk->tx, vport, txq, pmd, pkts, n, bytes);
}

/* Queues are polled. */
static int
dpdk_rx_fd(struct vport *vport UNUSED, uint16_t rxq UNUSED)
{
    return -1;
}

const struct vport_class vport_dpdk_class = {
    .type = "dpdk",
    .open = dpdk_open,
    .update = dpdk_update,
    .close = dpdk_close,
    .get_status = dpdk_get_status,
    .get_device_counters = dpdk_get_device_counters,
    .rx = dpdk_rx,
    .tx = dpdk_tx,
    .rx_fd = dpdk_rx_fd,
};

static char *
parse_cfg(const struct vport_cfg *cfg, struct dpdk_cfg *dc)
{
    char *error;

    dc->devargs = smap_get(&cfg->options, "dpdk-devargs");
    if (!dc->devargs || !*dc->devargs) {
        return xasprintf("%s: options:dpdk-devargs is missing; it names the"
                         " device, by a PCI address or as a virtual device"
                         " like net_tap0,iface=foo", cfg->name);
    }
    if (cfg->mtu_request > MAX_MTU) {
        return xasprintf("%s: mtu_request %u is more than %d", cfg->name,
                         cfg->mtu_request, MAX_MTU);
    }
    dc->mtu = (uint16_t) cfg->mtu_request;
    error = parse_number(cfg, "n_rxq", 1, MAX_RXQS, 1, &dc->n_rxq);
    if (!error) {
        error = parse_number(cfg, "n_rxq_desc", 1, MAX_DESCS, DEFAULT_DESCS,
                             &dc->n_rxq_desc);
    }
    if (!error) {
        error = parse_number(cfg, "n_txq_desc", 1, MAX_DESCS, DEFAULT_DESCS,
                             &dc->n_txq_desc);
    }
    return error;
}

static char *
parse_number(const struct vport_cfg *cfg, const char *key, int min, int max,
             int def, uint16_t *number)
{
    const char *text = smap_get(&cfg->options, key);
    int n = def;

    if (text && !str_to_int_range(text, min, max, &n)) {
        return xasprintf("%s: options:%s is \"%s\" and must be a number from"
                         " %d to %d", cfg->name, key, text, min, max);
    }
    *number = (uint16_t) n;
    return NULL;
}

/* Finds or attaches the device.  NULL with 'id', or a sentence. */
static char *
attach(struct dpdk *dpdk, const char *name)
{
    struct rte_eth_dev_info info;
    int error = 0;

    if (!find_port(dpdk->devargs, &dpdk->id)) {
        error = rte_dev_probe(dpdk->devargs);
        if (!error && !find_port(dpdk->devargs, &dpdk->id)) {
            error = -ENODEV;
        }
        if (error) {
            return xasprintf("%s: could not attach the device of"
                             " options:dpdk-devargs \"%s\" (%s)", name,
                             dpdk->devargs,
                             error == -EFAULT ? "neither an address nor a"
                                                " driver's name"
                                              : rte_strerror(-error));
        }
        dpdk->is_attached = true;
    }
    if (is_used[dpdk->id]) {
        return xasprintf("%s: the device of options:dpdk-devargs \"%s\" is"
                         " another port already", name, dpdk->devargs);
    }
    if (!rte_eth_dev_info_get(dpdk->id, &info)) {
        dpdk->device = info.device;
    }
    is_used[dpdk->id] = true;
    rte_eth_dev_callback_register(dpdk->id, RTE_ETH_EVENT_INTR_RMV, on_event,
                                  dpdk);
    rte_eth_dev_callback_register(dpdk->id, RTE_ETH_EVENT_INTR_LSC, on_event,
                                  dpdk);
    return NULL;
}

static bool
find_port(const char *devargs, uint16_t *id)
{
    struct rte_dev_iterator it;

    RTE_ETH_FOREACH_MATCHING_DEV (*id, devargs, &it) {
        rte_eth_iterator_cleanup(&it);
        return true;
    }
    return false;
}

static char *
start(struct vport *vport, struct dpdk *dpdk, const char *name)
{
    struct rte_eth_dev_info info;
    long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint16_t n_txq, mtu;
    int error = rte_eth_dev_info_get(dpdk->id, &info);

    if (error) {
        return refuse(name, dpdk, "could not be asked for its abilities",
                      error);
    }
    if (dpdk->n_rxq > info.max_rx_queues) {
        return xasprintf("%s: options:n_rxq is %u, but %s has at most %u",
                         name, (unsigned int) dpdk->n_rxq, dpdk->devargs,
                         (unsigned int) info.max_rx_queues);
    }

    /* A send queue for each thread that there can be, or as many as there
     * are; some devices want as many as receive queues, neither more nor
     * fewer. */
    n_txq = (uint16_t) MIN(MIN(MAX(n_cpus, 1), MAX_TXQS),
                           (long) info.max_tx_queues);
    error = configure(dpdk, &info, n_txq);
    if (error && n_txq != dpdk->n_rxq) {
        n_txq = dpdk->n_rxq;
        error = configure(dpdk, &info, n_txq);
    }
    if (error) {
        return refuse(name, dpdk, "could not be configured", error);
    }
    error = set_up_queues(dpdk, &info, n_txq);
    if (error) {
        return refuse(name, dpdk, "did not set up its queues", error);
    }
    error = rte_eth_dev_start(dpdk->id);
    if (error) {
        return refuse(name, dpdk, "did not start", error);
    }
    dpdk->is_started = true;
    error = rte_eth_promiscuous_enable(dpdk->id);
    if (error && error != -ENOTSUP) {
        log_warn("%s: %s does not hear all (%s)", name, dpdk->devargs,
                 rte_strerror(-error));
    }

    vport->n_rxq = dpdk->n_rxq;
    vport->n_txq = n_txq;
    if (rte_eth_dev_get_mtu(dpdk->id, &mtu)) {
        mtu = RTE_ETHER_MTU;
    }
    atomic_store(&vport->mtu, mtu);
    atomic_store(&vport->caps, dpdk->tx.caps);
    return NULL;
}

static int
configure(struct dpdk *dpdk, const struct rte_eth_dev_info *info,
          uint16_t n_txq)
{
    uint32_t room = MEM_SMALL_ROOM + PKT_HEADROOM - RTE_PKTMBUF_HEADROOM;
    uint32_t mtu = dpdk->mtu ? dpdk->mtu : RTE_ETHER_MTU;
    struct rte_eth_conf conf;

    memset(&conf, 0, sizeof conf);
    conf.rxmode.mtu = mtu;
    /* Virtio's drivers take the wish for checked checksums as leave to hand
     * over unfinished ones. */
    if (!strstr(info->driver_name, "virtio")
        && !strstr(info->driver_name, "vhost")) {
        conf.rxmode.offloads = info->rx_offload_capa & RX_CSUM_OFFLOADS;
    }
    if (mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * RTE_VLAN_HLEN
        > room) {
        conf.rxmode.offloads |= info->rx_offload_capa
                                & RTE_ETH_RX_OFFLOAD_SCATTER;
    }
    if (dpdk->n_rxq > 1 && info->flow_type_rss_offloads & RSS_FIELDS) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads
                                           & RSS_FIELDS;
    }
    conf.intr_conf.rmv = (*info->dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
    conf.intr_conf.lsc = (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
    dpdk_tx_init(&dpdk->tx, dpdk->id, info);
    conf.txmode.offloads = dpdk->tx.offloads;
    return rte_eth_dev_configure(dpdk->id, dpdk->n_rxq, n_txq, &conf);
}

static int
set_up_queues(struct dpdk *dpdk, const struct rte_eth_dev_info *info,
              uint16_t n_txq)
{
    unsigned int socket = (unsigned int) rte_eth_dev_socket_id(dpdk->id);
    uint16_t n_rxd = dpdk->n_rxq_desc, n_txd = dpdk->n_txq_desc;
    struct rte_eth_rxconf rxconf = info->default_rxconf;
    struct rte_eth_txconf txconf = info->default_txconf;
    int error = rte_eth_dev_adjust_nb_rx_tx_desc(dpdk->id, &n_rxd, &n_txd);

    rxconf.offloads = 0;        /* What the port has, no more. */
    txconf.offloads = 0;
    for (uint16_t q = 0; !error && q < dpdk->n_rxq; q++) {
        error = rte_eth_rx_queue_setup(dpdk->id, q, n_rxd, socket, &rxconf,
                                       mem_pool_small());
    }
    for (uint16_t q = 0; !error && q < n_txq; q++) {
        error = rte_eth_tx_queue_setup(dpdk->id, q, n_txd, socket, &txconf);
    }
    dpdk->n_rxq_desc = n_rxd;
    dpdk->n_txq_desc = n_txd;
    return error;
}

static char *
refuse(const char *name, const struct dpdk *dpdk, const char *what, int error)
{
    return xasprintf("%s: the device of options:dpdk-devargs \"%s\" %s (%s)",
                     name, dpdk->devargs, what, rte_strerror(-error));
}

/* Called in DPDK's interrupt thread. */
static int
on_event(uint16_t id UNUSED, enum rte_eth_event_type type, void *dpdk_,
         void *ret UNUSED)
{
    struct dpdk *dpdk = dpdk_;

    if (type == RTE_ETH_EVENT_INTR_RMV) {
        atomic_store(&dpdk->is_gone, true);
        atomic_store(&dpdk->vport->up, false);
        log_warn("%s: the device %s was removed", dpdk->vport->name,
                 dpdk->devargs);
    } else if (type == RTE_ETH_EVENT_INTR_LSC) {
        atomic_fetch_add(&dpdk->n_resets, 1);
    }
    return 0;
}

/* Adds the driver's own counters that tell of trouble, if they are not 0. */
static void
add_error_counters(uint16_t id, struct smap *status)
{
    int n = rte_eth_xstats_get_names(id, NULL, 0);
    struct rte_eth_xstat_name *names;
    struct rte_eth_xstat *values;

    if (n <= 0) {
        return;
    }
    names = xcalloc((size_t) n, sizeof *names);
    values = xcalloc((size_t) n, sizeof *values);
    if (rte_eth_xstats_get_names(id, names, (unsigned int) n) == n
        && rte_eth_xstats_get(id, values, (unsigned int) n) == n) {
        for (int i = 0; i < n; i++) {
            const char *s = names[values[i].id].name;

            if (values[i].value && (strstr(s, "err") || strstr(s, "drop")
                                    || strstr(s, "miss"))) {
                smap_setf(status, s, "%llu",
                          (unsigned long long) values[i].value);
            }
        }
    }
    free(names);
    free(values);
}
