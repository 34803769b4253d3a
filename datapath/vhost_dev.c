/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_dev.c - see vhost_dev.h.
 *
 * Runs in MAIN (create, destroy, status) and in librte_vhost's threads, which
 * call the functions whose names begin with "on_".  PMD threads take a queue's
 * lock for one burst; nobody holds it longer than that.  Must never let a PMD
 * thread see a ring whose memory is about to go: every message that changes
 * something is seen before librte_vhost obeys it, and the queues that it
 * speaks of are stopped meanwhile. */

#include "datapath/vhost_dev.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_vhost.h>

#include "datapath/vhost_queue.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/util.h"

LOG_MODULE(vhost);

#define BIT(N) (UINT64_C(1) << (N))

#define PROTOCOL_FEATURES                                                     \
    (BIT(VHOST_USER_PROTOCOL_F_MQ) | BIT(VHOST_USER_PROTOCOL_F_REPLY_ACK)     \
     | BIT(VHOST_USER_PROTOCOL_F_NET_MTU)                                     \
     | BIT(VHOST_USER_PROTOCOL_F_STATUS))

/* The messages of the protocol that change queues, and how they begin. */
enum {
    MSG_SET_FEATURES = 2,
    MSG_RESET_OWNER = 4,
    MSG_SET_MEM_TABLE = 5,
    MSG_SET_VRING_NUM = 8,
    MSG_SET_VRING_ADDR = 9,
    MSG_SET_VRING_BASE = 10,
    MSG_GET_VRING_BASE = 11,
    MSG_SET_VRING_KICK = 12,
    MSG_SET_VRING_CALL = 13,
    MSG_GET_QUEUE_NUM = 17,
    MSG_SET_VRING_ENABLE = 18,
};

struct message {
    uint32_t request;
    uint32_t flags;
    uint32_t size;
    union {
        uint64_t u64;
        uint32_t index;
    } __attribute__((__packed__)) payload;
} __attribute__((__packed__));

/* Of each of our receive queues. */
struct vhost_rxq {
    int epoll_fd;               /* Of the guest's kicks and 'nudge_fd', edge
                                 * triggered: what a guest hands us as its
                                 * descriptor is never read. */
    int nudge_fd;
};

struct vhost_dev {
    /* Constant. */
    struct list node;           /* In 'devs'. */
    char *path;
    bool is_client;
    uint16_t n_rxq;
    struct vhost_rxq *rxqs;
    vhost_changed_fn *changed;
    void *aux;

    struct mutex mutex;         /* Never held while librte_vhost is called in
                                 * a way that waits for its threads. */
    int vid;                    /* The connection, or -1. */
    bool is_closing;            /* No queue starts any more. */
    bool has_mem;               /* librte_vhost has a memory table. */
    bool was_up;
    uint64_t features;          /* As negotiated. */
    int numa;
    bool enabled[2 * VHOST_MAX_PAIRS];  /* By the guest. */
    int kick_fds[2 * VHOST_MAX_PAIRS];  /* In the epoll_fd, or -1. */

    /* Written by librte_vhost's threads while no queue is ready. */
    struct virtq_mem mem;

    _Atomic unsigned int n_pairs;
    struct vhost_queue queues[2 * VHOST_MAX_PAIRS];
};

static struct mutex devs_mutex = MUTEX_INIT;
static struct list devs = LIST_INITIALIZER(&devs);
static struct vhost_dev *_Atomic by_vid[RTE_MAX_VHOST_DEVICE];

static bool enter(struct vhost_dev *);
static void leave(struct vhost_dev *);
static char *start(struct vhost_dev *);
static bool make_rxqs(struct vhost_dev *);
static void free_dev(struct vhost_dev *);
static void start_queue(struct vhost_dev *, unsigned int i);
static void start_enabled(struct vhost_dev *);
static void stop_queue(struct vhost_dev *, unsigned int i);
static void stop_all(struct vhost_dev *);
static void read_mem(struct vhost_dev *);
static void tell(struct vhost_dev *);

static int on_connection(int vid);
static void on_disconnection(int vid);
static int on_ready(int vid);
static void on_gone(int vid);
static int on_vring_state(int vid, uint16_t i, int enable);
static enum rte_vhost_msg_result on_message(int vid, void *);
static enum rte_vhost_msg_result on_obeyed(int vid, void *);

static const struct rte_vhost_device_ops ops = {
    .new_device = on_ready,
    .destroy_device = on_gone,
    .vring_state_changed = on_vring_state,
    .new_connection = on_connection,
    .destroy_connection = on_disconnection,
};

static const struct rte_vhost_user_extern_ops message_ops = {
    .pre_msg_handle = on_message,
    .post_msg_handle = on_obeyed,
};

/* --- MAIN --- */

char *
vhost_dev_create(const char *path, bool is_client, uint16_t n_rxq,
                 vhost_changed_fn *changed, void *aux,
                 struct vhost_dev **devp)
{
    struct vhost_dev *dev = rte_zmalloc(NULL, sizeof *dev,
                                        RTE_CACHE_LINE_SIZE);
    char *error = NULL;

    *devp = NULL;
    if (!dev) {
        return xstrdup("no memory for a guest's queues");
    }
    dev->path = xstrdup(path);
    dev->is_client = is_client;
    dev->n_rxq = n_rxq;
    dev->changed = changed;
    dev->aux = aux;
    dev->vid = -1;
    dev->numa = -1;
    mutex_init(&dev->mutex);
    for (unsigned int i = 0; i < ARRAY_SIZE(dev->queues); i++) {
        rte_spinlock_init(&dev->queues[i].lock);
        dev->kick_fds[i] = -1;
    }
    if (!make_rxqs(dev)) {
        error = xstrdup("no descriptors left for a guest's queues");
    }
    if (!error) {
        error = start(dev);
    }
    if (error) {
        free_dev(dev);
        return error;
    }
    *devp = dev;
    return NULL;
}

void
vhost_dev_destroy(struct vhost_dev *dev)
{
    mutex_lock(&dev->mutex);
    dev->is_closing = true;
    stop_all(dev);
    mutex_unlock(&dev->mutex);

    /* Waits for its threads to come out of our functions. */
    rte_vhost_driver_unregister(dev->path);
    leave(dev);
    if (dev->vid >= 0) {
        atomic_store(&by_vid[dev->vid], NULL);
    }
    free_dev(dev);
}

bool
vhost_dev_get_status(struct vhost_dev *dev, struct smap *status)
{
    unsigned int n_rings = 2 * vhost_dev_n_pairs(dev);
    bool is_up;

    mutex_lock(&dev->mutex);
    is_up = dev->was_up;
    smap_set(status, "mode", dev->is_client ? "client" : "server");
    smap_set(status, "socket", dev->path);
    smap_set(status, "status", is_up ? "connected" : "disconnected");
    if (is_up) {
        smap_setf(status, "features", "0x%016llx",
                  (unsigned long long) dev->features);
        smap_setf(status, "numa", "%d", dev->numa);
        smap_setf(status, "num_of_vrings", "%u", n_rings);
        for (unsigned int i = 0; i < n_rings; i++) {
            char key[32];

            snprintf(key, sizeof key, "vring_%u_size", i);
            rte_spinlock_lock(&dev->queues[i].lock);
            uint16_t size = dev->queues[i].is_ready ? dev->queues[i].ring.size
                                                    : 0;
            rte_spinlock_unlock(&dev->queues[i].lock);
            if (size) {
                smap_setf(status, key, "%u", (unsigned int) size);
            }
        }
    }
    mutex_unlock(&dev->mutex);
    return is_up;
}

/* Enters it into 'devs', unless its path is taken: librte_vhost would not
 * mind. */
static bool
enter(struct vhost_dev *dev)
{
    struct vhost_dev *other;
    bool is_taken = false;

    mutex_lock(&devs_mutex);
    LIST_FOR_EACH (other, node, &devs) {
        is_taken |= !strcmp(other->path, dev->path);
    }
    if (!is_taken) {
        list_push_back(&devs, &dev->node);
    }
    mutex_unlock(&devs_mutex);
    return !is_taken;
}

static void
leave(struct vhost_dev *dev)
{
    mutex_lock(&devs_mutex);
    list_remove(&dev->node);
    mutex_unlock(&devs_mutex);
}

static char *
start(struct vhost_dev *dev)
{
    const char *path = dev->path;

    /* It says in a line each message that it reads, and again what failed
     * where we say it in a sentence. */
    rte_log_set_level_pattern("lib.vhost.*", RTE_LOG_WARNING);
    if (!enter(dev)) {
        return xasprintf("the socket %s is another port's already", path);
    }
    if (rte_vhost_driver_register(path, dev->is_client
                                        ? RTE_VHOST_USER_CLIENT : 0)) {
        leave(dev);
        return xstrdup("there are as many guests as there can be");
    }
    if (rte_vhost_driver_set_features(path, vhost_features())
        || rte_vhost_driver_set_protocol_features(path, PROTOCOL_FEATURES)
        || rte_vhost_driver_callback_register(path, &ops)
        || rte_vhost_driver_start(path)) {
        rte_vhost_driver_unregister(path);
        leave(dev);
        return xasprintf("the socket %s could not be %s", path,
                         dev->is_client ? "connected to" : "made");
    }
    return NULL;
}

static bool
make_rxqs(struct vhost_dev *dev)
{
    dev->rxqs = xcalloc(dev->n_rxq, sizeof *dev->rxqs);
    for (uint16_t i = 0; i < dev->n_rxq; i++) {
        dev->rxqs[i].epoll_fd = dev->rxqs[i].nudge_fd = -1;
    }
    for (uint16_t i = 0; i < dev->n_rxq; i++) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLET };
        struct vhost_rxq *q = &dev->rxqs[i];

        q->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        q->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (q->epoll_fd < 0 || q->nudge_fd < 0
            || epoll_ctl(q->epoll_fd, EPOLL_CTL_ADD, q->nudge_fd, &event)) {
            return false;
        }
    }
    return true;
}

static void
free_dev(struct vhost_dev *dev)
{
    for (uint16_t i = 0; i < dev->n_rxq; i++) {
        if (dev->rxqs[i].epoll_fd >= 0) {
            close(dev->rxqs[i].epoll_fd);
        }
        if (dev->rxqs[i].nudge_fd >= 0) {
            close(dev->rxqs[i].nudge_fd);
        }
    }
    free(dev->rxqs);
    mutex_fini(&dev->mutex);
    free(dev->path);
    rte_free(dev);
}

/* --- what PMD threads call --- */

unsigned int
vhost_dev_n_pairs(const struct vhost_dev *dev)
{
    return atomic_load_explicit(&dev->n_pairs, memory_order_relaxed);
}

struct vhost_queue *
vhost_dev_queue(struct vhost_dev *dev, unsigned int i)
{
    return &dev->queues[i];
}

int
vhost_dev_get_fd(const struct vhost_dev *dev, uint16_t rxq)
{
    return dev->rxqs[rxq].epoll_fd;
}

void
vhost_dev_clear_kicks(struct vhost_dev *dev, uint16_t rxq)
{
    struct epoll_event events[VHOST_MAX_PAIRS + 1];

    epoll_wait(dev->rxqs[rxq].epoll_fd, events, ARRAY_SIZE(events), 0);
}

void
vhost_dev_nudge(struct vhost_dev *dev, uint16_t rxq)
{
    uint64_t one = 1;

    /* It never gets full in a lifetime, and full is readable, too. */
    if (write(dev->rxqs[rxq].nudge_fd, &one, sizeof one) < 0) {
        log_dbg_rl("%s: nudge", dev->path);
    }
}

/* --- librte_vhost's threads --- */

static struct vhost_dev *
dev_of(int vid)
{
    return vid >= 0 && vid < RTE_MAX_VHOST_DEVICE
           ? atomic_load(&by_vid[vid]) : NULL;
}

/* Somebody connected, or was connected to. */
static int
on_connection(int vid)
{
    char path[PATH_MAX];
    struct vhost_dev *dev;
    int error = -1;

    if (vid >= RTE_MAX_VHOST_DEVICE
        || rte_vhost_get_ifname(vid, path, sizeof path)) {
        return -1;
    }
    mutex_lock(&devs_mutex);
    LIST_FOR_EACH (dev, node, &devs) {
        if (!strcmp(dev->path, path)) {
            mutex_lock(&dev->mutex);
            if (dev->vid < 0
                && !rte_vhost_extern_callback_register(vid, &message_ops,
                                                       NULL)) {
                dev->vid = vid;
                dev->has_mem = false;
                memset(dev->enabled, 0, sizeof dev->enabled);
                atomic_store(&by_vid[vid], dev);
                error = 0;
            } else {
                log_warn_rl("%s: a second guest is turned away", path);
            }
            mutex_unlock(&dev->mutex);
        }
    }
    mutex_unlock(&devs_mutex);
    return error;
}

static void
on_disconnection(int vid)
{
    struct vhost_dev *dev = dev_of(vid);

    if (dev) {
        mutex_lock(&dev->mutex);
        stop_all(dev);
        dev->vid = -1;
        atomic_store(&by_vid[vid], NULL);
        atomic_store_explicit(&dev->n_pairs, 0, memory_order_relaxed);
        tell(dev);
        mutex_unlock(&dev->mutex);
    }
}

/* Queues are told of one by one, which is all that we need. */
static int
on_ready(int vid UNUSED)
{
    return 0;
}

static void
on_gone(int vid)
{
    struct vhost_dev *dev = dev_of(vid);

    if (dev) {
        mutex_lock(&dev->mutex);
        stop_all(dev);
        tell(dev);
        mutex_unlock(&dev->mutex);
    }
}

static int
on_vring_state(int vid, uint16_t i, int enable)
{
    struct vhost_dev *dev = dev_of(vid);

    if (dev && i < ARRAY_SIZE(dev->queues)) {
        mutex_lock(&dev->mutex);
        stop_queue(dev, i);
        dev->enabled[i] = enable;
        if (enable) {
            start_queue(dev, i);
        }
        tell(dev);
        mutex_unlock(&dev->mutex);
    }
    return 0;
}

/* A message was read, and is obeyed next. */
static enum rte_vhost_msg_result
on_message(int vid, void *message)
{
    struct vhost_dev *dev = dev_of(vid);
    struct message *m = message;
    uint8_t i;

    if (!dev) {
        return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
    }
    mutex_lock(&dev->mutex);
    switch (m->request) {
    case MSG_SET_MEM_TABLE:
    case MSG_RESET_OWNER:
        dev->has_mem = false;
        stop_all(dev);
        break;
    case MSG_SET_FEATURES:
        stop_all(dev);
        break;
    case MSG_SET_VRING_NUM:
    case MSG_SET_VRING_ADDR:
    case MSG_SET_VRING_BASE:
    case MSG_GET_VRING_BASE:
    case MSG_SET_VRING_KICK:
    case MSG_SET_VRING_CALL:
    case MSG_SET_VRING_ENABLE:
        i = (uint8_t) m->payload.index;     /* The byte that they share. */
        if (i < ARRAY_SIZE(dev->queues)) {
            stop_queue(dev, i);
        }
        break;
    case MSG_GET_QUEUE_NUM:
        m->payload.u64 = VHOST_MAX_PAIRS;
        m->size = sizeof m->payload.u64;
        mutex_unlock(&dev->mutex);
        return RTE_VHOST_MSG_RESULT_REPLY;
    default:
        break;
    }
    mutex_unlock(&dev->mutex);
    return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* The message was obeyed.  (After one that failed this is not called, and its
 * queues stay stopped until the next.) */
static enum rte_vhost_msg_result
on_obeyed(int vid, void *message)
{
    const struct message *m = message;
    struct vhost_dev *dev = dev_of(vid);

    if (dev) {
        mutex_lock(&dev->mutex);
        if (m->request == MSG_SET_MEM_TABLE) {
            dev->has_mem = true;
            read_mem(dev);
        }
        if (m->request != MSG_GET_VRING_BASE) {     /* That stops for good. */
            start_enabled(dev);
        }
        tell(dev);
        mutex_unlock(&dev->mutex);
    }
    return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* --- queues; all hold the device's mutex --- */

static void
start_enabled(struct vhost_dev *dev)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(dev->queues); i++) {
        if (dev->enabled[i]) {
            start_queue(dev, i);
        }
    }
}

static void
start_queue(struct vhost_dev *dev, unsigned int i)
{
    struct vhost_rxq *rxq = &dev->rxqs[i / 2 % dev->n_rxq];
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    struct vhost_queue *q = &dev->queues[i];
    uint16_t avail_base, used_base;
    struct rte_vhost_vring vring;

    if (q->is_ready || dev->is_closing || !dev->has_mem
        || rte_vhost_get_negotiated_features(dev->vid, &dev->features)
        || rte_vhost_get_vhost_vring(dev->vid, (uint16_t) i, &vring)
        || rte_vhost_get_vring_base(dev->vid, (uint16_t) i, &avail_base,
                                    &used_base)) {
        return;
    }
    memset(&q->ring, 0, sizeof q->ring);
    q->ring.mem = &dev->mem;
    if (!vhost_queue_set(q, &vring, dev->features)) {
        log_warn_rl("%s: ring %u is not in the guest's memory", dev->path, i);
        return;
    }
    if (i % 2) {
        if (vring.kickfd < 0
            || epoll_ctl(rxq->epoll_fd, EPOLL_CTL_ADD, vring.kickfd,
                         &event)) {
            log_warn_rl("%s: ring %u has no descriptor to tell us of its "
                        "frames", dev->path, i);
            return;
        }
        dev->kick_fds[i] = vring.kickfd;
    }
    q->call_fd = vring.callfd;
    if (q->call_fd >= 0) {
        /* We never wait for a guest. */
        fcntl(q->call_fd, F_SETFL, fcntl(q->call_fd, F_GETFL) | O_NONBLOCK);
    }
    virtq_start(&q->ring, avail_base, used_base);
    q->wants_kicks = i % 2;
    virtq_want_kicks(&q->ring, q->wants_kicks);

    log_dbg("%s: ring %u of %u starts at %#x and %#x", dev->path, i,
            (unsigned int) q->ring.size, avail_base, used_base);
    rte_spinlock_lock(&q->lock);
    q->is_ready = true;
    rte_spinlock_unlock(&q->lock);
    dev->numa = rte_vhost_get_numa_node(dev->vid);
    if (i / 2 >= vhost_dev_n_pairs(dev)) {
        atomic_store_explicit(&dev->n_pairs, i / 2 + 1, memory_order_relaxed);
    }
    if (i % 2) {
        vhost_dev_nudge(dev, (uint16_t) (i / 2 % dev->n_rxq));
    }
}

static void
stop_queue(struct vhost_dev *dev, unsigned int i)
{
    struct vhost_queue *q = &dev->queues[i];
    uint16_t avail_base, used_base;
    bool was_ready;

    rte_spinlock_lock(&q->lock);
    was_ready = q->is_ready;
    q->is_ready = false;
    rte_spinlock_unlock(&q->lock);
    if (dev->kick_fds[i] >= 0) {
        epoll_ctl(dev->rxqs[i / 2 % dev->n_rxq].epoll_fd, EPOLL_CTL_DEL,
                  dev->kick_fds[i], NULL);
        dev->kick_fds[i] = -1;
    }
    if (was_ready) {
        /* Whoever asks where we were asks librte_vhost. */
        virtq_get_base(&q->ring, &avail_base, &used_base);
        log_dbg("%s: ring %u stops at %#x and %#x", dev->path, i, avail_base,
                used_base);
        rte_vhost_set_vring_base(dev->vid, (uint16_t) i, avail_base,
                                 used_base);
    }
}

static void
stop_all(struct vhost_dev *dev)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(dev->queues); i++) {
        stop_queue(dev, i);
    }
}

/* No queue is ready. */
static void
read_mem(struct vhost_dev *dev)
{
    struct rte_vhost_memory *mem;

    dev->mem.n = 0;
    if (rte_vhost_get_mem_table(dev->vid, &mem)) {
        return;
    }
    for (uint32_t i = 0; i < mem->nregions && i < VIRTQ_MAX_REGIONS; i++) {
        const struct rte_vhost_mem_region *r = &mem->regions[i];

        dev->mem.regions[dev->mem.n++] = (struct virtq_region) {
            .guest = r->guest_phys_addr,
            .size = r->size,
            .host = (uint8_t *) (uintptr_t) r->host_user_addr,
        };
    }
    free(mem);
}

/* Tells the port whether the guest can be sent to, and what it takes. */
static void
tell(struct vhost_dev *dev)
{
    bool is_up = dev->queues[0].is_ready;

    if (is_up != dev->was_up) {
        if (is_up) {
            log_info("%s: the guest is there, features 0x%016llx", dev->path,
                     (unsigned long long) dev->features);
        } else {
            log_info("%s: the guest is gone", dev->path);
        }
    }
    dev->was_up = is_up;
    if (!dev->is_closing) {
        dev->changed(dev->aux, is_up, dev->queues[0].caps);
    }
}
