/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unixctl_client.c - the client of unixctl.h, for command line tools.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/ipc/daemon.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/framer.h"
#include "lib/ipc/unix_socket.h"
#include "lib/ipc/unixctl.h"

/* What a daemon may answer with: a table of a million flows fits. */
#define MAX_REPLY_BYTES ((size_t) 1 << 30)
#define MAX_REPLY_DEPTH 64

struct unixctl_client {
    int fd;
    struct framer framer;
};

static int wait_for(int fd, short events, int64_t deadline_ms);
static int receive(struct unixctl_client *, int64_t deadline_ms,
                   json_t **msg);
static int take_text(const json_t *json, char **text);

int
unixctl_find_socket(const char *target, char **path, char **error)
{
    char *pidfile;
    int pid;

    *path = *error = NULL;
    if (target[0] == '/') {
        *path = xstrdup(target);
        return 0;
    }
    pidfile = xasprintf("%s/%s.pid", dirs_run(), target);
    pid = daemon_read_pidfile(pidfile);
    if (pid < 0) {
        *error = xasprintf("cannot read pidfile \"%s\" (%s)", pidfile,
                           strerror(-pid));
    } else {
        *path = xasprintf("%s/%s.%d.ctl", dirs_run(), target, pid);
    }
    free(pidfile);
    return pid < 0 ? pid : 0;
}

int
unixctl_client_connect(const char *path, int64_t deadline_ms,
                       struct unixctl_client **clientp)
{
    struct unixctl_client *client;
    int fd;

    *clientp = NULL;
    while ((fd = unix_socket_connect(path)) == -EAGAIN) {
        /* The server's queue is full; there is nothing to poll for. */
        const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

        if (clock_ms() >= deadline_ms) {
            return -ETIMEDOUT;
        }
        nanosleep(&pause, NULL);
    }
    if (fd < 0) {
        return fd;
    }
    client = xzalloc(sizeof *client);
    client->fd = fd;
    framer_init(&client->framer, MAX_REPLY_BYTES, MAX_REPLY_DEPTH);
    *clientp = client;
    return 0;
}

void
unixctl_client_close(struct unixctl_client *client)
{
    if (client) {
        close(client->fd);
        framer_fini(&client->framer);
        free(client);
    }
}

/* The request as text, or NULL if an argument is not UTF-8. */
static char *
make_request(const char *command, int argc, char *const argv[])
{
    json_t *params = json_array();
    struct str s = STR_INIT;
    json_t *msg;
    int n_bad = 0;

    for (int i = 0; i < argc; i++) {
        n_bad += json_array_append_new(params, json_string(argv[i])) != 0;
    }
    msg = json_pack("{s:i, s:s, s:o}", "id", 0, "method", command,
                    "params", params);
    if (msg && !n_bad) {
        framer_dump(&s, msg);
    }
    json_decref(msg);
    return s.len ? str_steal(&s) : NULL;
}

static int
send_all(int fd, const char *p, size_t len, int64_t deadline_ms)
{
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0) {
            p += n;
            len -= (size_t) n;
        } else if (errno == EAGAIN) {
            int error = wait_for(fd, POLLOUT, deadline_ms);

            if (error) {
                return error;
            }
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int
unixctl_client_transact(struct unixctl_client *client, const char *command,
                        int argc, char *const argv[], int64_t deadline_ms,
                        char **result, char **error)
{
    char *request = make_request(command, argc, argv);
    json_t *msg = NULL;
    int retval;

    *result = *error = NULL;
    if (!request) {
        return -EINVAL;
    }
    retval = send_all(client->fd, request, strlen(request), deadline_ms);
    if (!retval) {
        retval = receive(client, deadline_ms, &msg);
    }
    if (!retval) {
        const json_t *body = json_object_get(msg, "error");

        if (body && !json_is_null(body)) {
            retval = take_text(body, error);
        } else {
            body = json_object_get(msg, "result");
            retval = !body || json_is_null(body) ? -EPROTO
                     : take_text(body, result);
        }
    }
    json_decref(msg);
    free(request);
    return retval;
}

static int
wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = events };
        int64_t left = deadline_ms - clock_ms();
        int n;

        if (deadline_ms != INT64_MAX && left <= 0) {
            return -ETIMEDOUT;
        }
        n = poll(&pfd, 1, (int) (deadline_ms == INT64_MAX ? -1
                                 : MIN(left, INT_MAX)));
        if (n > 0) {
            return 0;
        } else if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

static int
receive(struct unixctl_client *client, int64_t deadline_ms, json_t **msg)
{
    enum framer_status status = FRAMER_MORE;
    char buf[65536];

    while (status == FRAMER_MORE) {
        int error = wait_for(client->fd, POLLIN, deadline_ms);
        ssize_t n;
        size_t used;

        if (error) {
            return error;
        }
        n = recv(client->fd, buf, sizeof buf, MSG_DONTWAIT);
        if (!n) {
            return framer_is_partial(&client->framer) ? -EPROTO
                                                      : -ECONNRESET;
        } else if (n < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                return -errno;
            }
            continue;
        }
        status = framer_feed(&client->framer, buf, (size_t) n, &used);
    }
    if (status == FRAMER_MESSAGE) {
        char *why;

        *msg = framer_take(&client->framer, &why);
        free(why);
    }
    return *msg ? 0 : -EPROTO;
}

static int
take_text(const json_t *json, char **text)
{
    if (!json_is_string(json)) {
        return -EINVAL;
    }
    *text = xstrdup(json_string_value(json));
    return 0;
}
