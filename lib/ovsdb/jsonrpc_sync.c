/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonrpc_sync.c - the synchronous connection of jsonrpc.h, for command line
 * tools.
 */
#include "lib/ovsdb/jsonrpc.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/ipc/framer.h"

struct jsonrpc_sync {
    int fd;
    struct framer framer;
    struct str in;              /* Read, and not yet given to the framer. */
    size_t in_ofs;
    json_t *aside;              /* Array of messages for later. */
};

static int wait_for(int fd, short events, int64_t deadline_ms);
static int try_open(const char *remote, int64_t deadline_ms, char **error);
static int next_message(struct jsonrpc_sync *, int64_t deadline_ms,
                        json_t **msg);

int
jsonrpc_sync_open(const char *remote, bool retry, int64_t deadline_ms,
                  struct jsonrpc_sync **rpcp, char **error)
{
    struct jsonrpc_sync *rpc;
    int pause_ms = 10;
    int fd;

    *rpcp = NULL;
    while ((fd = try_open(remote, deadline_ms, error)) < 0) {
        int64_t left = deadline_ms - clock_ms();

        if (fd == -EINVAL || (!retry && fd != -EAGAIN) || left <= 0) {
            return fd;
        }
        free(*error);
        poll(NULL, 0, (int) MIN(left, pause_ms));
        pause_ms = MIN(pause_ms * 2, 1000);
    }
    rpc = xzalloc(sizeof *rpc);
    rpc->fd = fd;
    framer_init(&rpc->framer, JSONRPC_MAX_BYTES, JSONRPC_MAX_DEPTH);
    str_init(&rpc->in);
    rpc->aside = json_array();
    *rpcp = rpc;
    return 0;
}

void
jsonrpc_sync_close(struct jsonrpc_sync *rpc)
{
    if (rpc) {
        close(rpc->fd);
        framer_fini(&rpc->framer);
        str_fini(&rpc->in);
        json_decref(rpc->aside);
        free(rpc);
    }
}

int
jsonrpc_sync_send(struct jsonrpc_sync *rpc, json_t *msg, int64_t deadline_ms)
{
    struct str s = STR_INIT;
    size_t ofs = 0;
    int error = 0;

    framer_dump(&s, msg);
    json_decref(msg);
    while (ofs < s.len && !error) {
        ssize_t n = send(rpc->fd, s.data + ofs, s.len - ofs,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0) {
            ofs += (size_t) n;
        } else if (errno == EAGAIN) {
            error = wait_for(rpc->fd, POLLOUT, deadline_ms);
        } else if (errno != EINTR) {
            error = -errno;
        }
    }
    str_fini(&s);
    return error;
}

int
jsonrpc_sync_recv(struct jsonrpc_sync *rpc, int64_t deadline_ms,
                  json_t **msg)
{
    if (json_array_size(rpc->aside)) {
        *msg = json_incref(json_array_get(rpc->aside, 0));
        json_array_remove(rpc->aside, 0);
        return 0;
    }
    return next_message(rpc, deadline_ms, msg);
}

int
jsonrpc_sync_call(struct jsonrpc_sync *rpc, const char *method,
                  json_t *params, int64_t deadline_ms, json_t **result,
                  json_t **errorp)
{
    json_t *msg = NULL;
    int64_t id;
    int error;

    *result = *errorp = NULL;
    error = jsonrpc_sync_send(rpc, jsonrpc_request(method, params, &id),
                              deadline_ms);
    while (!error) {
        error = next_message(rpc, deadline_ms, &msg);
        if (error || jsonrpc_is_answer_to(msg, id)) {
            break;
        }
        json_array_append_new(rpc->aside, msg);
        msg = NULL;
    }
    if (!error) {
        if (jsonrpc_classify(msg) == JSONRPC_ERROR) {
            *errorp = json_incref(json_object_get(msg, "error"));
        } else {
            *result = json_incref(json_object_get(msg, "result"));
        }
    }
    json_decref(msg);
    return error;
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

/* Connects once.  Returns the descriptor or -errno with '*error'. */
static int
try_open(const char *remote, int64_t deadline_ms, char **error)
{
    int fd = jsonrpc_open_remote(remote, error);
    socklen_t len = sizeof(int);
    int so_error = 0;
    int retval;

    if (fd < 0) {
        return fd;
    }
    retval = wait_for(fd, POLLOUT, deadline_ms);
    if (!retval && getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &len)) {
        so_error = errno;
    }
    if (!retval && so_error) {
        retval = -so_error;
    }
    if (retval) {
        *error = xasprintf("%s", strerror(-retval));
        close(fd);
        return retval;
    }
    return fd;
}

static int
fill(struct jsonrpc_sync *rpc, int64_t deadline_ms)
{
    for (;;) {
        int error = wait_for(rpc->fd, POLLIN, deadline_ms);
        ssize_t n;

        if (error) {
            return error;
        }
        str_clear(&rpc->in);
        rpc->in_ofs = 0;
        n = recv(rpc->fd, str_reserve(&rpc->in, 65536), 65536, MSG_DONTWAIT);
        if (n > 0) {
            str_truncate(&rpc->in, (size_t) n);
            return 0;
        } else if (!n) {
            return framer_is_partial(&rpc->framer) ? -EPROTO : -ECONNRESET;
        } else if (errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
    }
}

/* Answers 'msg' if it is an echo request; tells whether it was. */
static bool
answer_echo(struct jsonrpc_sync *rpc, const json_t *msg, int64_t deadline_ms)
{
    if (jsonrpc_classify(msg) != JSONRPC_REQUEST
        || strcmp(json_string_value(json_object_get(msg, "method")),
                  "echo")) {
        return false;
    }
    jsonrpc_sync_send(rpc,
                      jsonrpc_reply(json_incref(json_object_get(msg, "id")),
                                    json_incref(json_object_get(msg,
                                                                "params"))),
                      deadline_ms);
    return true;
}

static int
next_message(struct jsonrpc_sync *rpc, int64_t deadline_ms, json_t **msg)
{
    *msg = NULL;
    for (;;) {
        enum framer_status status = FRAMER_MORE;
        size_t used;
        char *why;

        if (rpc->in_ofs < rpc->in.len) {
            status = framer_feed(&rpc->framer, rpc->in.data + rpc->in_ofs,
                                 rpc->in.len - rpc->in_ofs, &used);
            rpc->in_ofs += used;
        }
        if (status == FRAMER_ERROR) {
            return -EPROTO;
        } else if (status == FRAMER_MORE) {
            int error = fill(rpc, deadline_ms);

            if (error) {
                return error;
            }
            continue;
        }
        *msg = framer_take(&rpc->framer, &why);
        free(why);
        if (!*msg || jsonrpc_classify(*msg) == JSONRPC_BAD) {
            json_decref(*msg);
            *msg = NULL;
            return -EPROTO;
        } else if (!answer_echo(rpc, *msg, deadline_ms)) {
            return 0;
        }
        json_decref(*msg);
        *msg = NULL;
    }
}
