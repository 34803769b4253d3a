/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unixctl.c - the server of unixctl.h.
 *
 * A client has one request at a time.  While it is being worked on, and until
 * its reply is written, nothing is read from the client, so what it can make
 * us hold is one read's worth of bytes, one request and one reply.  Runs on
 * MAIN; must never wait for a client.
 */
#include "lib/ipc/unixctl.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/framer.h"
#include "lib/ipc/unix_socket.h"
#include "lib/ipc/unixctl_private.h"

LOG_MODULE(unixctl);

#define MAX_CLIENTS 64
#define MAX_REQUEST_BYTES (1 << 20)
#define MAX_REQUEST_DEPTH 8
#define READ_BYTES 65536

static const struct timeval accept_pause = { .tv_sec = 1 };

struct unixctl_server {
    struct event_base *base;
    char *path;
    char *link;                 /* Symbolic link to 'path', or NULL. */
    int fd;
    struct event *listener;
    struct event *resume;       /* Ends a pause of the listener. */
    struct timeval patience;    /* How long a client may let us wait. */
    struct list clients;        /* Oldest first. */
    size_t n_clients;
};

struct client {
    struct list link;
    struct unixctl_server *server;
    int fd;
    struct event *reader;       /* Pending while we want input. */
    struct event *writer;       /* Pending while there is output. */
    struct event *timer;        /* Pending while the client must hurry. */
    struct framer framer;
    struct str in;              /* Read, and not yet given to the framer. */
    struct str out;
    size_t out_ofs;             /* Up to here 'out' is written. */
    struct unixctl_conn *request;
};

struct unixctl_conn {
    struct client *client;      /* NULL when it is gone. */
    json_t *id;
    json_t *msg;                /* Owns the text of the arguments. */
    const char **argv;
};

static void make_link(struct unixctl_server *);
static void on_accept(evutil_socket_t, short, void *);
static void on_resume(evutil_socket_t, short, void *);
static void on_readable(evutil_socket_t, short, void *);
static void on_writable(evutil_socket_t, short, void *);
static void on_timeout(evutil_socket_t, short, void *);
static void process_input(struct client *);
static bool handle_message(struct client *);
static bool write_output(struct client *);
static void client_create(struct unixctl_server *, int fd);
static void client_destroy(struct client *);

/* Frees 'conn'. */
static void
reply(struct unixctl_conn *conn, bool success, const char *text)
{
    struct client *client = conn->client;

    if (client) {
        struct str line = STR_INIT;
        json_t *body;
        json_t *msg;

        str_append(&line, text ? text : "");
        if (line.len && line.data[line.len - 1] != '\n') {
            str_append_char(&line, '\n');
        }
        body = framer_string(str_cstr(&line));
        msg = json_pack("{s:O, s:o?, s:o?}", "id", conn->id,
                        "result", success ? body : NULL,
                        "error", success ? NULL : body);
        framer_dump(&client->out, msg);
        json_decref(msg);
        str_fini(&line);

        client->request = NULL;
        /* Not written here: the handler may be called from deep within
         * other work, and a failing write would free the client. */
        event_add(client->writer, NULL);
        event_add(client->timer, &client->server->patience);
    }
    json_decref(conn->id);
    json_decref(conn->msg);
    free(conn->argv);
    free(conn);
}

void
unixctl_reply(struct unixctl_conn *conn, const char *text)
{
    reply(conn, true, text);
}

void
unixctl_reply_error(struct unixctl_conn *conn, const char *text)
{
    reply(conn, false, text);
}

int
unixctl_server_create(struct event_base *base, const char *path,
                      struct unixctl_server **serverp)
{
    struct unixctl_server *server = xzalloc(sizeof *server);
    char *name;

    *serverp = NULL;
    name = path ? xstrdup(path)
           : xasprintf("%s.%ld.ctl", qanat_progname(), (long int) getpid());
    server->base = base;
    server->path = dirs_join(dirs_run(), name);
    free(name);
    server->patience.tv_sec = 30;
    list_init(&server->clients);

    server->fd = unix_socket_listen(server->path);
    if (server->fd < 0) {
        int error = server->fd;

        free(server->path);
        free(server);
        return error;
    }
    if (!path) {
        make_link(server);
    }
    unixctl_register_builtins();
    server->listener = event_new(base, server->fd, EV_READ | EV_PERSIST,
                                 on_accept, server);
    server->resume = evtimer_new(base, on_resume, server);
    event_add(server->listener, NULL);
    *serverp = server;
    return 0;
}

/* Writes what is left for 'client', waiting until 'deadline' at most. */
static void
flush_client(struct client *client, int64_t deadline)
{
    while (write_output(client) && client->out_ofs < client->out.len) {
        struct pollfd pfd = { .fd = client->fd, .events = POLLOUT };
        int64_t left = deadline - clock_ms();

        if (left <= 0 || poll(&pfd, 1, (int) MIN(left, INT_MAX)) <= 0) {
            break;
        }
    }
}

void
unixctl_server_destroy(struct unixctl_server *server, int flush_ms)
{
    struct client *client, *next;
    int64_t deadline = clock_ms() + flush_ms;

    if (!server) {
        return;
    }
    LIST_FOR_EACH_SAFE(client, next, link, &server->clients) {
        flush_client(client, deadline);
        client_destroy(client);
    }
    event_free(server->listener);
    event_free(server->resume);
    close(server->fd);
    unlink(server->path);
    if (server->link) {
        char target[PATH_MAX];
        ssize_t n = readlink(server->link, target, sizeof target - 1);

        /* Another instance may have put its own there. */
        if (n > 0) {
            target[n] = '\0';
            if (!strcmp(target, strrchr(server->path, '/') + 1)) {
                unlink(server->link);
            }
        }
    }
    free(server->link);
    free(server->path);
    free(server);
}

void
unixctl_server_set_patience(struct unixctl_server *server, int ms)
{
    server->patience.tv_sec = ms / 1000;
    server->patience.tv_usec = ms % 1000 * 1000;
}

const char *
unixctl_server_path(const struct unixctl_server *server)
{
    return server->path;
}

size_t
unixctl_server_n_clients(const struct unixctl_server *server)
{
    return server->n_clients;
}

/* Makes PROG.ctl point to the socket.  The link that a killed process left is
 * replaced, and the dead socket that it points to removed. */
static void
make_link(struct unixctl_server *server)
{
    const char *name = strrchr(server->path, '/') + 1;
    char *link = xasprintf("%s/%s.ctl", dirs_run(), qanat_progname());
    char *tmp = xasprintf("%s.tmp.%ld", link, (long int) getpid());
    char old[PATH_MAX];
    ssize_t n = readlink(link, old, sizeof old - 1);

    if (n > 0) {
        char *old_path;
        int fd;

        old[n] = '\0';
        old_path = dirs_join(dirs_run(), old);
        fd = strcmp(old, name) ? unix_socket_connect(old_path) : -EEXIST;
        if (fd == -ECONNREFUSED) {
            unlink(old_path);
        } else if (fd >= 0) {
            close(fd);
        }
        free(old_path);
    }
    unlink(tmp);
    if (symlink(name, tmp) || rename(tmp, link)) {
        log_warn("cannot make link %s (%s)", link, strerror(errno));
        unlink(tmp);
        free(link);
    } else {
        server->link = link;
    }
    free(tmp);
}

/* -- Clients ----------------------------------------------------------- */

static void
on_accept(evutil_socket_t fd, short events UNUSED, void *server_)
{
    struct unixctl_server *server = server_;

    for (int i = 0; i < 16; i++) {
        int client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client_fd >= 0) {
            client_create(server, client_fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
                   || errno == ENOMEM) {
            /* The connection stays in the queue and would wake us at once. */
            log_warn_rl("cannot accept a client (%s)", strerror(errno));
            event_del(server->listener);
            event_add(server->resume, &accept_pause);
            break;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
}

static void
on_resume(evutil_socket_t fd UNUSED, short events UNUSED, void *server_)
{
    struct unixctl_server *server = server_;

    event_add(server->listener, NULL);
}

/* Closes the oldest client that has nothing to wait for from us.  Returns
 * false if there is none. */
static bool
evict_client(struct unixctl_server *server)
{
    struct client *client;

    LIST_FOR_EACH(client, link, &server->clients) {
        if (!client->request && !client->out.len) {
            client_destroy(client);
            return true;
        }
    }
    return false;
}

static void
client_create(struct unixctl_server *server, int fd)
{
    struct client *client;

    if (server->n_clients >= MAX_CLIENTS && !evict_client(server)) {
        log_warn_rl("too many clients; one was turned away");
        close(fd);
        return;
    }
    client = xzalloc(sizeof *client);
    client->server = server;
    client->fd = fd;
    client->reader = event_new(server->base, fd, EV_READ | EV_PERSIST,
                               on_readable, client);
    client->writer = event_new(server->base, fd, EV_WRITE | EV_PERSIST,
                               on_writable, client);
    client->timer = evtimer_new(server->base, on_timeout, client);
    framer_init(&client->framer, MAX_REQUEST_BYTES, MAX_REQUEST_DEPTH);
    str_init(&client->in);
    str_init(&client->out);
    list_push_back(&server->clients, &client->link);
    server->n_clients++;
    event_add(client->reader, NULL);
}

static void
client_destroy(struct client *client)
{
    if (client->request) {
        client->request->client = NULL;
    }
    client->server->n_clients--;
    list_remove(&client->link);
    event_free(client->reader);
    event_free(client->writer);
    event_free(client->timer);
    close(client->fd);
    framer_fini(&client->framer);
    str_fini(&client->in);
    str_fini(&client->out);
    free(client);
}

static void
on_readable(evutil_socket_t fd, short events UNUSED, void *client_)
{
    struct client *client = client_;
    ssize_t n = recv(fd, str_reserve(&client->in, READ_BYTES), READ_BYTES,
                     MSG_DONTWAIT);

    if (n > 0) {
        str_truncate(&client->in, client->in.len + (size_t) n);
        process_input(client);
    } else if (!n || (errno != EAGAIN && errno != EINTR)) {
        client_destroy(client);
    }
}

/* Works on what was read as far as it goes.  May destroy 'client'. */
static void
process_input(struct client *client)
{
    size_t ofs = 0;

    while (!client->request && !client->out.len && ofs < client->in.len) {
        enum framer_status status;
        size_t used;

        status = framer_feed(&client->framer, client->in.data + ofs,
                             client->in.len - ofs, &used);
        ofs += used;
        if (status == FRAMER_ERROR) {
            log_warn_rl("%s: bad request (%s)", client->server->path,
                        client->framer.error);
            client_destroy(client);
            return;
        } else if (status == FRAMER_MESSAGE && !handle_message(client)) {
            client_destroy(client);
            return;
        }
    }
    if (ofs) {
        memmove(client->in.data, client->in.data + ofs,
                client->in.len - ofs);
        str_truncate(&client->in, client->in.len - ofs);
    }

    if (client->request || client->out.len) {
        event_del(client->reader);
    } else {
        event_add(client->reader, NULL);
        if (!framer_is_partial(&client->framer)) {
            event_del(client->timer);
            str_fini(&client->in);
        } else if (!event_pending(client->timer, EV_TIMEOUT, NULL)) {
            event_add(client->timer, &client->server->patience);
        }
    }
}

/* Fills argv of 'conn' from its message.  Returns the number of elements, or
 * -1 if a parameter is no string. */
static int
collect_args(struct unixctl_conn *conn, const char *method, json_t *params)
{
    size_t n = json_array_size(params);

    conn->argv = xcalloc(n + 2, sizeof *conn->argv);
    conn->argv[0] = method;
    for (size_t i = 0; i < n; i++) {
        json_t *arg = json_array_get(params, i);

        if (!json_is_string(arg)) {
            return -1;
        }
        conn->argv[i + 1] = json_string_value(arg);
    }
    return (int) n + 1;
}

static void
run_command(struct unixctl_conn *conn, const char *method, json_t *params)
{
    const struct unixctl_command *command = unixctl_find_command(method);
    int argc = collect_args(conn, method, params);
    char *error = NULL;

    if (!command) {
        error = xasprintf("\"%.80s\" is not a valid command (use "
                          "\"list-commands\" to see a list of valid "
                          "commands)", method);
    } else if (argc < 0) {
        error = xasprintf("\"%s\" command has an argument that is not a "
                          "string", method);
    } else if (argc - 1 < command->min_args) {
        error = xasprintf("\"%s\" command requires at least %d arguments",
                          method, command->min_args);
    } else if (argc - 1 > command->max_args) {
        error = xasprintf("\"%s\" command takes at most %d arguments",
                          method, command->max_args);
    } else {
        log_dbg("received request %s with %d arguments", method, argc - 1);
        command->cb(conn, argc, conn->argv, command->aux);
        return;
    }
    unixctl_reply_error(conn, error);
    free(error);
}

/* Takes the complete message from the framer and acts on it.  Returns false if
 * the client talks nonsense. */
static bool
handle_message(struct client *client)
{
    struct unixctl_conn *conn;
    const char *method;
    json_t *params;
    char *error;
    json_t *msg;
    json_t *id;

    msg = framer_take(&client->framer, &error);
    if (!msg) {
        log_warn_rl("%s: bad request (%s)", client->server->path, error);
        free(error);
        return false;
    }
    method = json_string_value(json_object_get(msg, "method"));
    params = json_object_get(msg, "params");
    id = json_object_get(msg, "id");
    if (!method || !json_is_array(params) || !id || json_is_null(id)) {
        log_warn_rl("%s: not a JSON-RPC request", client->server->path);
        json_decref(msg);
        return false;
    }
    event_del(client->timer);
    conn = xzalloc(sizeof *conn);
    conn->client = client;
    conn->id = json_incref(id);
    conn->msg = msg;
    client->request = conn;
    run_command(conn, method, params);
    return true;
}

/* Writes as much as the client takes.  Returns false if it is gone. */
static bool
write_output(struct client *client)
{
    while (client->out_ofs < client->out.len) {
        ssize_t n = send(client->fd, client->out.data + client->out_ofs,
                         client->out.len - client->out_ofs,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        client->out_ofs += (size_t) n;
    }
    return true;
}

static void
on_writable(evutil_socket_t fd UNUSED, short events UNUSED, void *client_)
{
    struct client *client = client_;

    if (!write_output(client)) {
        client_destroy(client);
    } else if (client->out_ofs < client->out.len) {
        event_add(client->timer, &client->server->patience);
    } else {
        str_fini(&client->out);
        client->out_ofs = 0;
        event_del(client->writer);
        event_del(client->timer);
        process_input(client);
    }
}

static void
on_timeout(evutil_socket_t fd UNUSED, short events UNUSED, void *client_)
{
    struct client *client = client_;

    log_warn_rl("%s: a client was too slow", client->server->path);
    client_destroy(client);
}
