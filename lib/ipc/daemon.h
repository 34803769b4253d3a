/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - what a program needs to run in the background.
 *
 * The order of a daemon's main():
 *
 *     qanat_set_progname(argv[0]);
 *     options_parse() with own tables and daemon_options;
 *     daemon_start();         the process that goes on is the child
 *     ... open sockets, database, datapath; start threads ...
 *     daemon_ready();         the parent exits with success
 *     ... event loop ...
 *     daemon_finish();
 *
 * If the child ends before daemon_ready(), the parent ends with the child's
 * exit status, so that whoever started the daemon sees the failure.
 *
 * MAIN thread only.  daemon_start() forks and must come before any other
 * thread.
 */
#ifndef QANAT_IPC_DAEMON_H
#define QANAT_IPC_DAEMON_H 1

#include "lib/ipc/options.h"

/* --pidfile[=FILE] --overwrite-pidfile --detach --no-chdir --log-file[=FILE]
 * --unixctl=PATH -v/--verbose[=SPEC].  FILEs are taken relative to RUNDIR or
 * LOGDIR; -v and --log-file act at once. */
extern const struct option_def daemon_options[];

/* Does what the options say: goes into the background, writes the pid file,
 * leaves the working directory.  Also ignores SIGPIPE and SIGXFSZ, so that a
 * closed pipe or a full quota is an errno and not the end.  On failure logs
 * why and exits with status 1: without its pid file a daemon must not run. */
void daemon_start(void);

/* Tells the waiting parent that the service works, and lets go of standard
 * input, output and error if detached. */
void daemon_ready(void);

/* Removes the pid file.  Also done by exit(), not by a signal. */
void daemon_finish(void);

bool daemon_is_detached(void);

/* The argument of --unixctl, or NULL. */
const char *daemon_unixctl_path(void);

/* The absolute name of the pid file, or NULL without --pidfile. */
const char *daemon_pidfile(void);

/* Reads the process id in 'path' and checks that a living process holds the
 * file's lock.  Returns the id, or -errno: -ESRCH when the file is stale,
 * -EINVAL when it holds no number.  Any thread. */
int daemon_read_pidfile(const char *path);

#endif /* QANAT_IPC_DAEMON_H */
