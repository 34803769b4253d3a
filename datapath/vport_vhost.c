/* SPDX-License-Identifier: Apache-2.0 */

/* vport_vhost.c - a guest behind a vhost-user socket: dpdkvhostuserclient,
 * which connects to the guest's process, and dpdkvhostuser, which listens.
 *
 * First and last stage of a packet's way.  vhost_dev.c has the connection;
 * here frames are copied out of the guest's buffers, with their virtio-net
 * header as it stands there, and into them.  The header's claims are for
 * vnet_check() alone.
 *
 * PMD threads, which hold a queue for one burst; MAIN opens and closes.  Must
 * never wait for the guest, and never believe it: what is read twice may have
 * changed between. */

#include "datapath/vport.h"

#include <sched.h>

#include "datapath/pmd.h"
#include "datapath/vhost_dev.h"
#include "datapath/vhost_path.h"
#include "datapath/vnetio.h"
#include "lib/base/util.h"

#define MAX_FRAME (65535u + 14u + 8u)
#define MAX_MTU 65521u
#define MAX_RXQS 64

/* Chains of one burst that are all lies, before others get their turn. */
#define MAX_LIES 256u

/* Chains that one frame may take: of 64 bytes each.  No driver offers less
 * than a common frame's. */
#define MAX_CHAINS 1024u

struct vhost {
    char *path;
    bool is_client;
    struct vhost_dev *dev;
};

/* One frame on its way into the guest's buffers. */
struct placement {
    unsigned int n;
    struct {
        uint16_t id;
        uint16_t n_slots;
        uint32_t len;
    } chains[MAX_CHAINS];
    uint8_t *n_buffers[2];      /* The header's bytes that count chains. */
};

/* A place in an array of iovecs. */
struct iov_cursor {
    const struct iovec *iov;
    size_t ofs;
};

static char *parse_n_rxq(const struct vport_cfg *, uint16_t *);
static uint16_t choose_mtu(const struct vport_cfg *);
static vhost_changed_fn on_changed;
static uint16_t rx_queue(struct vport *, struct vhost_queue *, struct pmd *,
                         struct rte_mbuf **, uint16_t n, bool is_idle,
                         bool *more);
static struct rte_mbuf *take_frame(struct vport *, struct vhost_queue *,
                                   struct pmd *, const struct virtq_chain *,
                                   uint16_t slot);
static uint16_t tx_queue(struct vport *, struct vhost_queue *, struct pmd *,
                         struct rte_mbuf **, uint16_t n, uint16_t *n_sent,
                         uint64_t *bytes);
static enum drop_reason place(struct vhost_queue *, struct rte_mbuf *);

/* --- MAIN --- */

static char *
vhost_open(struct vport *vport, const struct vport_cfg *cfg, bool is_client)
{
    struct vhost *vhost;
    char *path = NULL, *error;
    uint16_t n_rxq;

    error = parse_n_rxq(cfg, &n_rxq);
    if (error) {
        return error;
    }
    error = vhost_path_get(cfg, is_client, &path);
    if (error) {
        return error;
    }
    vhost = xzalloc(sizeof *vhost);
    vhost->path = path;
    vhost->is_client = is_client;
    vport->priv = vhost;
    vport->n_rxq = n_rxq;
    vport->n_txq = DP_MAX_PMDS; /* The guest's queues have locks of their
                                 * own. */
    atomic_store(&vport->mtu, choose_mtu(cfg));
    atomic_store(&vport->caps, VPORT_CAP_CHAIN);
    atomic_store(&vport->up, false);
    error = vhost_dev_create(path, is_client, n_rxq, on_changed, vport,
                             &vhost->dev);
    if (error) {
        char *sentence = xasprintf("%s: %s", cfg->name, error);

        free(error);
        free(path);
        free(vhost);
        vport->priv = NULL;
        return sentence;
    }
    return NULL;
}

static char *
vhost_client_open(struct vport *vport, const struct vport_cfg *cfg)
{
    return vhost_open(vport, cfg, true);
}

static char *
vhost_server_open(struct vport *vport, const struct vport_cfg *cfg)
{
    return vhost_open(vport, cfg, false);
}

static char *
vhost_update(struct vport *vport, const struct vport_cfg *cfg, bool *reopen)
{
    const struct vhost *vhost = vport->priv;
    const char *path = smap_get_def(&cfg->options, "vhost-server-path", "");
    uint16_t n_rxq;
    char *error = parse_n_rxq(cfg, &n_rxq);

    *reopen = false;
    if (error) {
        return error;
    }
    if (n_rxq != vport->n_rxq
        || (vhost->is_client && strcmp(path, vhost->path))) {
        *reopen = true;
    } else {
        atomic_store(&vport->mtu, choose_mtu(cfg));
    }
    return NULL;
}

static void
vhost_close(struct vport *vport)
{
    struct vhost *vhost = vport->priv;

    vhost_dev_destroy(vhost->dev);
    free(vhost->path);
    free(vhost);
    vport->priv = NULL;
}

static void
vhost_get_status(struct vport *vport, struct vport_status *status)
{
    struct vhost *vhost = vport->priv;

    status->mtu = atomic_load(&vport->mtu);
    status->admin_up = VPORT_YES;
    status->link_up = vhost_dev_get_status(vhost->dev, &status->status)
                      ? VPORT_YES : VPORT_NO;
    smap_setf(&status->status, "n_rxq", "%u", (unsigned int) vport->n_rxq);
    status->full_duplex = true;
}

static int
vhost_rx_fd(struct vport *vport, uint16_t rxq)
{
    const struct vhost *vhost = vport->priv;

    return vhost_dev_get_fd(vhost->dev, rxq);
}

/* Called in a thread of librte_vhost. */
static void
on_changed(void *vport_, bool is_up, uint32_t caps)
{
    struct vport *vport = vport_;

    if (is_up) {
        atomic_store(&vport->caps, caps);
    }
    atomic_store(&vport->up, is_up);
}

static char *
parse_n_rxq(const struct vport_cfg *cfg, uint16_t *n_rxq)
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

static uint16_t
choose_mtu(const struct vport_cfg *cfg)
{
    return (uint16_t) MIN(cfg->mtu_request ? cfg->mtu_request : 1500u,
                          MAX_MTU);
}

/* --- pieces of the guest's memory --- */

/* Copies between the pieces and memory of ours, and moves on. */
static inline void
cursor_copy(struct iov_cursor *c, void *ours, size_t len, bool to_us)
{
    uint8_t *p = ours;

    while (len) {
        uint8_t *piece = (uint8_t *) c->iov->iov_base + c->ofs;
        size_t n = MIN(len, c->iov->iov_len - c->ofs);

        memcpy(to_us ? p : piece, to_us ? piece : p, n);
        p += n;
        len -= n;
        c->ofs += n;
        if (c->ofs == c->iov->iov_len) {
            c->iov++;
            c->ofs = 0;
        }
    }
}

/* --- receiving --- */

static uint16_t
vhost_rx(struct vport *vport, uint16_t rxq, struct pmd *pmd,
         struct rte_mbuf **pkts, uint16_t n)
{
    struct vhost *vhost = vport->priv;
    unsigned int n_pairs = vhost_dev_n_pairs(vhost->dev);
    bool more = false;
    uint16_t got = 0;

    for (unsigned int i = rxq; i < n_pairs && got < n; i += vport->n_rxq) {
        got = (uint16_t) (got
                          + rx_queue(vport,
                                     vhost_dev_queue(vhost->dev, 2 * i + 1),
                                     pmd, pkts + got, (uint16_t) (n - got),
                                     false, &more));
    }
    if (LIKELY(got)) {
        return got;             /* We are called again. */
    }

    /* From here on the guest tells us; what it sent before it knew that is
     * found by looking once more. */
    vhost_dev_clear_kicks(vhost->dev, rxq);
    n_pairs = vhost_dev_n_pairs(vhost->dev);
    for (unsigned int i = rxq; i < n_pairs; i += vport->n_rxq) {
        got = (uint16_t) (got
                          + rx_queue(vport,
                                     vhost_dev_queue(vhost->dev, 2 * i + 1),
                                     pmd, pkts + got, (uint16_t) (n - got),
                                     true, &more));
    }
    if (UNLIKELY(more && !got)) {
        vhost_dev_nudge(vhost->dev, rxq);
    }
    return got;
}

/* Takes up to 'n' frames.  Sets '*more' where it left some for later.
 * 'is_idle': the guest is to kick us. */
static uint16_t
rx_queue(struct vport *vport, struct vhost_queue *q, struct pmd *pmd,
         struct rte_mbuf **pkts, uint16_t n, bool is_idle, bool *more)
{
    unsigned int n_lies = 0;
    uint16_t slot = 0, got = 0;
    struct virtq_chain chain;

    rte_spinlock_lock(&q->lock);
    if (!q->is_ready) {
        rte_spinlock_unlock(&q->lock);
        return 0;
    }
    if (is_idle && !q->wants_kicks) {
        q->wants_kicks = true;
        virtq_want_kicks(&q->ring, true);
    }
    if (virtq_is_empty(&q->ring)) {
        rte_spinlock_unlock(&q->lock);
        return 0;
    }

    n = rxvec_fill(&pmd->rxvec, MIN(n, PKT_BURST), 0);
    while (got < n && n_lies < MAX_LIES) {
        enum virtq_status status = virtq_take(&q->ring, true, &chain);
        struct rte_mbuf *m = NULL;

        if (status == VIRTQ_EMPTY) {
            break;
        }
        if (LIKELY(status == VIRTQ_OK && chain.len > q->hdr_len)) {
            m = take_frame(vport, q, pmd, &chain, slot);
        } else {
            vport_drop_rx(vport, pmd, NULL,
                          drop_from_virtq(status ? status : VIRTQ_SHORT));
        }
        if (LIKELY(m != NULL)) {
            pkts[got++] = m;
            slot++;
        } else {
            n_lies++;
        }
        if (LIKELY(chain.n_slots)) {
            virtq_give(&q->ring, chain.id, chain.n_slots, 0);
        }
    }
    if (virtq_publish(&q->ring)) {
        vhost_queue_call(q);
    }
    if (got && q->wants_kicks) {
        q->wants_kicks = false;
        virtq_want_kicks(&q->ring, false);
    }
    *more |= !virtq_is_empty(&q->ring);
    rte_spinlock_unlock(&q->lock);
    return got;
}

/* Copies a frame into a slot of the PMD thread's and takes it from there.
 * NULL when it was dropped. */
static struct rte_mbuf *
take_frame(struct vport *vport, struct vhost_queue *q, struct pmd *pmd,
           const struct virtq_chain *chain, uint16_t slot)
{
    struct iov_cursor cursor = { .iov = chain->iov, .ofs = 0 };
    const struct iovec *to = pmd->rxvec.iov[slot];
    uint32_t len = (uint32_t) (chain->len - q->hdr_len);
    struct virtio_net_hdr_mrg_rxbuf hdr;
    struct rte_mbuf *m;
    uint32_t first;

    if (UNLIKELY(chain->len - q->hdr_len > MAX_FRAME
                 || len > rxvec_room(&pmd->rxvec, slot))) {
        vport_drop_rx(vport, pmd, NULL,
                      chain->len - q->hdr_len > MAX_FRAME
                      ? DROP_RX_TRUNCATED : DROP_NO_MBUF);
        return NULL;
    }
    cursor_copy(&cursor, &hdr, q->hdr_len, true);
    first = (uint32_t) MIN(len, to[0].iov_len);
    cursor_copy(&cursor, to[0].iov_base, first, true);
    if (UNLIKELY(len > first)) {
        cursor_copy(&cursor, to[1].iov_base, len - first, true);
    }
    m = rxvec_take(&pmd->rxvec, slot, len);
    vnetio_accept(m, vport->port_no, &hdr.hdr, q->offered);
    return m;
}

/* --- sending --- */

static uint16_t
vhost_tx(struct vport *vport, uint16_t txq, struct pmd *pmd,
         struct rte_mbuf **pkts, uint16_t n, uint64_t *bytes)
{
    struct vhost *vhost = vport->priv;
    unsigned int n_pairs = MAX(vhost_dev_n_pairs(vhost->dev), 1u);
    struct vhost_queue *q = vhost_dev_queue(vhost->dev,
                                            2 * (txq % n_pairs));
    uint16_t n_sent = 0, done;

    /* A pair that the guest does not use (yet). */
    if (UNLIKELY(!__atomic_load_n(&q->is_ready, __ATOMIC_RELAXED))) {
        q = vhost_dev_queue(vhost->dev, 0);
    }
    done = tx_queue(vport, q, pmd, pkts, n, &n_sent, bytes);
    if (UNLIKELY(done < n)) {
        /* The guest may make room as soon as it gets the CPU; but once in a
         * burst is enough. */
        sched_yield();
        done = (uint16_t) (done + tx_queue(vport, q, pmd, pkts + done,
                                           (uint16_t) (n - done), &n_sent,
                                           bytes));
    }
    while (done < n) {
        vport_drop_tx(vport, pmd, pkts[done++], DROP_TX_FULL);
    }
    return n_sent;
}

/* Sends or drops packets until the ring is full.  Returns how many. */
static uint16_t
tx_queue(struct vport *vport, struct vhost_queue *q, struct pmd *pmd,
         struct rte_mbuf **pkts, uint16_t n, uint16_t *n_sent,
         uint64_t *bytes)
{
    uint16_t i;

    rte_spinlock_lock(&q->lock);
    for (i = 0; i < n; i++) {
        enum drop_reason reason = DROP_PORT_DOWN;

        if (LIKELY(q->is_ready)) {
            reason = place(q, pkts[i]);
        }
        if (LIKELY(reason == DROP_NONE)) {
            *bytes += pkts[i]->pkt_len;
            (*n_sent)++;
            rte_pktmbuf_free(pkts[i]);
        } else if (reason == DROP_TX_FULL) {
            break;
        } else {
            vport_drop_tx(vport, pmd, pkts[i], reason);
        }
    }
    if (q->is_ready && virtq_publish(&q->ring)) {
        vhost_queue_call(q);
    }
    rte_spinlock_unlock(&q->lock);
    return i;
}

/* Whether this guest takes such a packet.  The offload stage saw to that, but
 * the guest may have been another one then. */
static bool
is_taken(const struct vhost_queue *q, const struct pkt_need *need)
{
    static const uint32_t caps[] = {
        [PKT_GSO_NONE] = VPORT_CAP_CSUM,
        [PKT_GSO_TCP4] = VPORT_CAP_TSO4,
        [PKT_GSO_TCP6] = VPORT_CAP_TSO6,
        [PKT_GSO_UFO] = VPORT_CAP_UFO,
        [PKT_GSO_USO] = VPORT_CAP_USO,
    };

    return !need->csum || q->caps & caps[need->gso];
}

/* Where byte 'ofs' of the chain is, which is there. */
static uint8_t *
chain_byte(const struct virtq_chain *chain, size_t ofs)
{
    const struct iovec *iov = chain->iov;

    while (ofs >= iov->iov_len) {
        ofs -= iov->iov_len;
        iov++;
    }
    return (uint8_t *) iov->iov_base + ofs;
}

/* Copies as much of the header and of the 'left' bytes behind 'from' as the
 * chain has room for.  Returns how much. */
static uint32_t
fill(const struct virtq_chain *chain, const void *hdr, uint32_t hdr_len,
     struct pkt_cursor *from, uint32_t left)
{
    struct iov_cursor to = { .iov = chain->iov, .ofs = 0 };
    uint32_t room = (uint32_t) MIN(chain->len, hdr_len + left);
    uint32_t n = room - hdr_len;

    cursor_copy(&to, (void *) (uintptr_t) hdr, hdr_len, false);
    while (n) {
        uint32_t piece = (uint32_t) MIN(n, to.iov->iov_len - to.ofs);

        pkt_cursor_copy(from, (uint8_t *) to.iov->iov_base + to.ofs, piece);
        n -= piece;
        to.iov++;
        to.ofs = 0;
    }
    return room;
}

/* Puts the packet into the guest's buffers.  DROP_TX_FULL leaves all as it
 * was. */
static enum drop_reason
place(struct vhost_queue *q, struct rte_mbuf *m)
{
    struct virtio_net_hdr_mrg_rxbuf hdr = { .num_buffers = 1 };
    enum drop_reason reason = DROP_NONE;
    struct virtq mark = q->ring;
    uint32_t left = m->pkt_len, hdr_len = q->hdr_len;
    struct pkt_cursor from;
    struct placement p;

    if (UNLIKELY(!is_taken(q, &pkt_meta(m)->need))) {
        return DROP_TX_ERROR;
    }
    if (q->caps & VPORT_CAP_CSUM) {
        vnetio_fill(m, &hdr.hdr);       /* Else nothing may be said. */
    }
    pkt_cursor_init(&from, m, 0);
    p.n = 0;
    p.n_buffers[0] = p.n_buffers[1] = NULL;
    do {
        struct virtq_chain chain;
        enum virtq_status status = virtq_take(&q->ring, false, &chain);
        uint32_t written = 0;

        if (status == VIRTQ_EMPTY) {
            virtq_untake(&q->ring, &mark);
            return DROP_TX_FULL;
        }
        if (status == VIRTQ_OK && chain.len <= hdr_len) {
            status = VIRTQ_SHORT;
        }
        if (UNLIKELY(status != VIRTQ_OK)) {
            reason = drop_from_virtq(status);
        } else if (UNLIKELY(!q->is_mergeable && chain.len < hdr_len + left)) {
            virtq_untake(&q->ring, &mark);
            return DROP_GUEST_ROOM;
        } else {
            if (hdr_len == sizeof hdr) {
                p.n_buffers[0] = chain_byte(&chain, sizeof hdr - 2);
                p.n_buffers[1] = chain_byte(&chain, sizeof hdr - 1);
            }
            written = fill(&chain, &hdr, hdr_len, &from, left);
            left -= written - hdr_len;
            hdr_len = 0;
        }
        if (LIKELY(chain.n_slots)) {
            p.chains[p.n].id = chain.id;
            p.chains[p.n].n_slots = chain.n_slots;
            p.chains[p.n++].len = written;
        }
        if (UNLIKELY(p.n == MAX_CHAINS && left)) {
            reason = DROP_GUEST_ROOM;
        }
    } while (left && reason == DROP_NONE);

    if (UNLIKELY(p.n > 1 && p.n_buffers[0] && reason == DROP_NONE)) {
        *p.n_buffers[0] = (uint8_t) p.n;
        *p.n_buffers[1] = (uint8_t) (p.n >> 8);
    }
    for (unsigned int i = 0; i < p.n; i++) {
        virtq_give(&q->ring, p.chains[i].id, p.chains[i].n_slots,
                   reason == DROP_NONE ? p.chains[i].len : 0);
    }
    return reason;
}

#define VHOST_CLASS(TYPE, OPEN)                                               \
    {                                                                         \
        .type = (TYPE), .open = (OPEN), .update = vhost_update,               \
        .close = vhost_close, .get_status = vhost_get_status,                 \
        .rx = vhost_rx, .tx = vhost_tx, .rx_fd = vhost_rx_fd,                 \
    }

const struct vport_class vport_vhost_client_class
    = VHOST_CLASS("dpdkvhostuserclient", vhost_client_open);
const struct vport_class vport_vhost_server_class
    = VHOST_CLASS("dpdkvhostuser", vhost_server_open);
