/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unixctl.h - commands to a running daemon, and their replies.
 *
 * The wire form is that of ovs-appctl, so that both that program and ours can
 * talk to the daemon: JSON-RPC 1.0 over a UNIX stream socket,
 *
 *     {"id":0,"method":"COMMAND","params":["ARG",...]}
 *     {"id":0,"result":"TEXT","error":null}
 *
 * The server runs on the MAIN thread's event loop and never blocks.  What a
 * client may cost is bounded: 64 clients, 1 MB of request, 30 seconds for the
 * rest of a begun request and 30 for each piece of reply that it does not
 * read; the oldest idle client makes room for a new one.
 */
#ifndef QANAT_IPC_UNIXCTL_H
#define QANAT_IPC_UNIXCTL_H 1

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct unixctl_conn;
struct unixctl_server;
struct unixctl_client;

/* Handles a command.  argv[0] is its name, argv[1] to argv[argc - 1] its
 * arguments; both live until 'conn' is replied to.  The handler, or somebody
 * later on the same thread, must call exactly one of unixctl_reply() and
 * unixctl_reply_error() on 'conn'.  The client may be gone by then, which the
 * handler needs not care about. */
typedef void unixctl_cb(struct unixctl_conn *conn, int argc,
                        const char *argv[], void *aux);

/* Makes command 'name' known to all servers of the process.  It takes from
 * 'min_args' to 'max_args' arguments (INT_MAX: any number); 'usage' names them
 * for list-commands.  A command that is known already is replaced.  'name'
 * and 'usage' are copied.  MAIN. */
void unixctl_command_register(const char *name, const char *usage,
                              int min_args, int max_args, unixctl_cb *cb,
                              void *aux);

/* Forgets a command; requests that wait for a reply are not affected. */
void unixctl_command_unregister(const char *name);

/* Answers a request and frees 'conn'.  'text' is copied; a newline is added
 * at its end if it is missing and the text is not empty.  Bytes that are not
 * UTF-8 are replaced by '?'.  NULL means "".  MAIN. */
void unixctl_reply(struct unixctl_conn *conn, const char *text);
void unixctl_reply_error(struct unixctl_conn *conn, const char *text);

/* Starts to listen at 'path', or, when it is NULL, at RUNDIR/PROG.PID.ctl
 * with a symbolic link RUNDIR/PROG.ctl to it.  A relative 'path' is in RUNDIR.
 * Registers list-commands, version, vlog/list, vlog/set, vlog/reopen and
 * vlog/close.  Returns 0 or -errno.  MAIN. */
int unixctl_server_create(struct event_base *, const char *path,
                          struct unixctl_server **);

/* Drops all clients, removes the socket and the link.  Replies that are ready
 * but not written are given at most 'flush_ms' milliseconds to go out (an exit
 * command's own reply).  Deferred requests may still be replied to; the text
 * then goes nowhere.  NULL is allowed.  MAIN. */
void unixctl_server_destroy(struct unixctl_server *, int flush_ms);

/* How long a client may take for the rest of a begun request, and for each
 * piece of its reply; default 30000. */
void unixctl_server_set_patience(struct unixctl_server *, int ms);

/* The absolute name of the socket. */
const char *unixctl_server_path(const struct unixctl_server *);

size_t unixctl_server_n_clients(const struct unixctl_server *);

/* The client: synchronous, for command line tools.  Deadlines are in
 * clock_ms() time; INT64_MAX waits for ever. */

/* Finds the socket of 'target': the name itself if it starts with a slash;
 * else RUNDIR/TARGET.PID.ctl with the PID that RUNDIR/TARGET.pid holds.
 * Returns 0 and a name in '*path', or -errno and a sentence in '*error'; the
 * caller frees either. */
int unixctl_find_socket(const char *target, char **path, char **error);

/* Connects to the socket 'path'.  Returns 0 or -errno. */
int unixctl_client_connect(const char *path, int64_t deadline_ms,
                           struct unixctl_client **);
void unixctl_client_close(struct unixctl_client *);

/* Sends 'command' with 'argc' arguments and waits for the answer.  Returns 0
 * with either '*result' or '*error' set to the server's text and the other to
 * NULL; the caller frees both.  Returns -errno with both NULL when there was
 * no proper answer: -ETIMEDOUT, -EPROTO, -EINVAL (a reply that is not text or
 * an argument that is not UTF-8), -ECONNRESET. */
int unixctl_client_transact(struct unixctl_client *, const char *command,
                            int argc, char *const argv[],
                            int64_t deadline_ms, char **result,
                            char **error);

#endif /* QANAT_IPC_UNIXCTL_H */
