/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_sink.c - see log_sink.h.  Must never log nor wait.
 */
#include "lib/base/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"

static bool try_write(struct log_sink *, const char *p, size_t len);
static bool is_writable(int fd);
static int open_syslog(const char *path);

void
log_sink_set_fd(struct log_sink *sink, int fd)
{
    if (sink->fd >= 0) {
        close(sink->fd);
    }
    sink->fd = fd;
    sink->torn = false;
    sink->retry_ms = 0;
}

void
log_sink_write(struct log_sink *sink, const char *line, size_t len)
{
    if (sink->fd < 0) {
        return;
    }
    if (sink->torn && !try_write(sink, "\n", 1)) {
        sink->torn = true;
    } else if (try_write(sink, line, len)) {
        if (sink->n_untold) {
            char note[80];
            int n = snprintf(note, sizeof note, "(%llu log lines before "
                             "this one were lost)\n",
                             (unsigned long long int) sink->n_untold);

            sink->n_untold = 0;
            try_write(sink, note, (size_t) n);
        }
        return;
    }
    sink->n_lost++;
    sink->n_untold++;
}

/* syslog(3) blocks when the daemon's queue is full, and retries; this sends
 * the same datagram or gives up. */
void
log_sink_send_syslog(struct log_sink *sink, const char *path,
                     const char *program, int priority, const char *text,
                     size_t len)
{
    char msg[2048];
    int n;

    if (sink->fd < 0 && clock_ms() >= sink->retry_ms) {
        sink->fd = open_syslog(path);
        sink->retry_ms = clock_ms() + 1000;
    }
    n = snprintf(msg, sizeof msg, "<%d>%s[%ld]: qanat|%.*s", priority,
                 program, (long int) getpid(),
                 (int) MIN(len, (size_t) 1900), text);
    if (sink->fd >= 0) {
        if (send(sink->fd, msg, MIN((size_t) n, sizeof msg - 1),
                 MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
            return;
        } else if (errno != EAGAIN && errno != ENOBUFS
                   && errno != EMSGSIZE) {
            close(sink->fd);
            sink->fd = -1;
        }
    }
    sink->n_lost++;
}

/* True if a write of at most PIPE_BUF bytes to 'fd' will not wait.  Regular
 * files always say so. */
static bool
is_writable(int fd)
{
    struct pollfd pfd = { .fd = fd, .events = POLLOUT };

    /* A pipe that nobody reads any more would cost a SIGPIPE. */
    return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT)
           && !(pfd.revents & POLLERR);
}

static bool
try_write(struct log_sink *sink, const char *p, size_t len)
{
    while (len) {
        /* A pipe that says it is writable has room for PIPE_BUF bytes, and
         * stderr cannot be made non-blocking: it is shared with others. */
        ssize_t n = is_writable(sink->fd)
                    ? write(sink->fd, p, MIN(len, (size_t) 4096)) : -1;

        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t) n;
        sink->torn = true;
    }
    sink->torn = false;
    return true;
}

static int
open_syslog(const char *path)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        close(fd);
        fd = -1;
    }
    return fd;
}
