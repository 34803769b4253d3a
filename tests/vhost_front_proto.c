/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_front_proto.c - see vhost_front_proto.h.
 *
 * Part of the check program vhost_front; one thread.  Every message that can
 * be acknowledged is, so that a test knows when it is in force. */

#include "tests/vhost_front_proto.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_MS 10000

#define F_PROTOCOL_FEATURES 30
#define PROTOCOL_F_REPLY_ACK 3

#define FLAGS_VERSION 1u
#define FLAGS_REPLY (1u << 2)
#define FLAGS_NEED_REPLY (1u << 3)

enum request {
    GET_FEATURES = 1,
    SET_FEATURES = 2,
    SET_OWNER = 3,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    GET_PROTOCOL_FEATURES = 15,
    SET_PROTOCOL_FEATURES = 16,
    SET_VRING_ENABLE = 18,
};

struct vring_state {
    uint32_t index, num;
};

struct vring_addr {
    uint32_t index, flags;
    uint64_t desc, used, avail, log;
};

struct mem_table {
    uint32_t n, padding;
    struct {
        uint64_t guest, size, user, mmap_ofs;
    } regions[1];
};

struct message {
    uint32_t request, flags, size;
    union {
        uint64_t u64;
        struct vring_state state;
        struct vring_addr addr;
        struct mem_table mem;
    } __attribute__((__packed__)) payload;
} __attribute__((__packed__));

void
front_die(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("vhost_front: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void
wait_readable(int fd, const char *what)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    if (poll(&pfd, 1, DEADLINE_MS) != 1) {
        front_die("waited in vain for %s", what);
    }
}

static void
send_message(struct front *f, uint32_t request, struct message *m,
             size_t size, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] __attribute__((__aligned__(8)));
    struct iovec iov = { m, 12 + size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    m->request = request;
    m->flags |= FLAGS_VERSION;
    m->size = (uint32_t) size;
    if (fd >= 0) {
        struct cmsghdr *c;

        memset(control, 0, sizeof control);
        msg.msg_control = control;
        msg.msg_controllen = sizeof control;
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(f->fd, &msg, MSG_NOSIGNAL) != (ssize_t) iov.iov_len) {
        front_die("message %u is not taken: %s", request, strerror(errno));
    }
}

static void
receive(struct front *f, uint32_t request, struct message *m)
{
    size_t got = 0, want = 12;

    while (got < want) {
        ssize_t n;

        wait_readable(f->fd, "an answer");
        n = recv(f->fd, (char *) m + got, want - got, 0);
        if (n <= 0) {
            front_die("message %u: the other side hung up", request);
        }
        got += (size_t) n;
        if (got == 12) {
            want += m->size;
            if (want > sizeof *m) {
                front_die("message %u: an answer of %u bytes", request,
                          m->size);
            }
        }
    }
    if (m->request != request || !(m->flags & FLAGS_REPLY)) {
        front_die("message %u: answered as %u", request, m->request);
    }
}

/* Sends and waits until it is obeyed. */
static void
tell(struct front *f, uint32_t request, struct message *m, size_t size,
     int fd)
{
    m->flags = FLAGS_NEED_REPLY;
    send_message(f, request, m, size, fd);
    receive(f, request, m);
    if (m->payload.u64) {
        front_die("message %u was refused", request);
    }
}

static uint64_t
ask(struct front *f, uint32_t request)
{
    struct message m = { .flags = 0 };

    send_message(f, request, &m, 0, -1);
    receive(f, request, &m);
    return m.payload.u64;
}

static void
tell_state(struct front *f, uint32_t request, uint32_t index, uint32_t num)
{
    struct message m = { .payload.state = { index, num } };

    tell(f, request, &m, sizeof m.payload.state, -1);
}

static void
start_ring(struct front *f, unsigned int i, uint16_t base)
{
    uint64_t user = (uint64_t) (uintptr_t) f->mem;
    struct message m = {
        .payload.addr = {
            .index = i,
            .desc = user + f->desc_ofs[i],
            .avail = user + f->avail_ofs[i],
            .used = user + f->used_ofs[i],
        },
    };

    tell_state(f, SET_VRING_NUM, i, f->ring_size);
    tell_state(f, SET_VRING_BASE, i, base);
    tell(f, SET_VRING_ADDR, &m, sizeof m.payload.addr, -1);
    m = (struct message) { .payload.u64 = i };
    tell(f, SET_VRING_KICK, &m, sizeof m.payload.u64, f->kick_fds[i]);
    m = (struct message) { .payload.u64 = i };
    tell(f, SET_VRING_CALL, &m, sizeof m.payload.u64, f->call_fds[i]);
    tell_state(f, SET_VRING_ENABLE, i, 1);
}

static void
open_socket(struct front *f)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };

    if (strlen(f->path) >= sizeof sun.sun_path) {
        front_die("%s is too long", f->path);
    }
    strcpy(sun.sun_path, f->path);
    if (!f->listens) {
        f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(f->fd, (struct sockaddr *) &sun, sizeof sun)) {
            front_die("%s: %s", f->path, strerror(errno));
        }
        return;
    }
    if (f->listen_fd < 0) {
        f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        unlink(f->path);
        if (bind(f->listen_fd, (struct sockaddr *) &sun, sizeof sun)
            || listen(f->listen_fd, 1)) {
            front_die("%s: %s", f->path, strerror(errno));
        }
    }
    wait_readable(f->listen_fd, "somebody who connects");
    f->fd = accept(f->listen_fd, NULL, NULL);
    if (f->fd < 0) {
        front_die("accept: %s", strerror(errno));
    }
}

void
front_init(struct front *f)
{
    f->fd = f->listen_fd = -1;
    f->mem_fd = memfd_create("guest", MFD_CLOEXEC);
    if (f->mem_fd < 0 || ftruncate(f->mem_fd, (off_t) f->mem_size)) {
        front_die("no memory: %s", strerror(errno));
    }
    f->mem = mmap(NULL, f->mem_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                  f->mem_fd, 0);
    if (f->mem == MAP_FAILED) {
        front_die("no memory: %s", strerror(errno));
    }
    for (unsigned int i = 0; i < FRONT_QUEUES; i++) {
        f->kick_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        f->call_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
}

void
front_remap(struct front *f)
{
    struct message m = {
        .payload.mem = {
            .n = 1,
            .regions = { {
                .guest = FRONT_GUEST_BASE,
                .size = f->mem_size,
                .user = (uint64_t) (uintptr_t) f->mem,
            } },
        },
    };

    tell(f, SET_MEM_TABLE, &m, sizeof m.payload.mem, f->mem_fd);
}

void
front_connect(struct front *f, uint16_t base)
{
    struct message m = { .flags = 0 };
    uint64_t protocol;

    open_socket(f);
    f->offered = ask(f, GET_FEATURES);
    protocol = ask(f, GET_PROTOCOL_FEATURES);
    if (!(protocol & 1u << PROTOCOL_F_REPLY_ACK)) {
        front_die("the other side does not acknowledge");
    }
    m.payload.u64 = 1u << PROTOCOL_F_REPLY_ACK;
    send_message(f, SET_PROTOCOL_FEATURES, &m, sizeof m.payload.u64, -1);
    m = (struct message) { .flags = 0 };
    tell(f, SET_OWNER, &m, 0, -1);
    f->negotiated = (f->features | UINT64_C(1) << F_PROTOCOL_FEATURES)
                    & f->offered;
    m = (struct message) { .payload.u64 = f->negotiated };
    tell(f, SET_FEATURES, &m, sizeof m.payload.u64, -1);
    front_remap(f);
    for (unsigned int i = 0; i < FRONT_QUEUES; i++) {
        start_ring(f, i, base);
    }
}

uint16_t
front_stop(struct front *f, unsigned int queue)
{
    struct message m = { .payload.state = { queue, 0 } };

    send_message(f, GET_VRING_BASE, &m, sizeof m.payload.state, -1);
    receive(f, GET_VRING_BASE, &m);
    return (uint16_t) m.payload.state.num;
}

void
front_disconnect(struct front *f)
{
    close(f->fd);
    f->fd = -1;
}
