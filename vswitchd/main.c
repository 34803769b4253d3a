/* SPDX-License-Identifier: Apache-2.0 */

/* main.c - the daemon qanat-vswitchd: options, signals, and the event loop
 * that everything in MAIN runs on. */

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "datapath/dp.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ipc/daemon.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/unixctl.h"
#include "vswitchd/commands.h"
#include "vswitchd/control.h"

LOG_MODULE(main);

/* Whoever waits for "--detach" waits at most so long for a database that is
 * not there. */
#define READY_DEADLINE_S 5

/* How long the reply to "exit" may take to go out. */
#define FLUSH_MS 1000

static struct event_base *base;
static struct event *ready_deadline;
static struct unixctl_conn *exit_conn;
static bool wants_help, wants_version;

static char *set_flag(const char *arg, void *flag);

static const struct option_def own_options[] = {
    { "help", 'h', OPTION_ARG_NONE, NULL, "print this", set_flag,
      &wants_help },
    { "version", 'V', OPTION_ARG_NONE, NULL, "print the version", set_flag,
      &wants_version },
    { NULL, 0, OPTION_ARG_NONE, NULL, NULL, NULL, NULL },
};

static char *
set_flag(const char *arg UNUSED, void *flag)
{
    *(bool *) flag = true;
    return NULL;
}

static void
print_help(void)
{
    struct str s = STR_INIT;

    str_printf(&s, "usage: %s [OPTIONS] [DATABASE]\n"
               "where DATABASE is unix:PATH or tcp:IP:PORT of an ovsdb-server "
               "(default: unix:%s/db.sock).\n\nOptions:\n",
               qanat_progname(), dirs_run());
    options_format_help(&s, daemon_options);
    options_format_help(&s, own_options);
    fputs(str_cstr(&s), stdout);
    str_fini(&s);
}

/* Returns the database's name, or ends the process. */
static char *
parse_arguments(int argc, char *argv[])
{
    const struct option_def *const tables[] = { own_options, daemon_options };
    int first;
    char *error = options_parse(argc, argv, tables, ARRAY_SIZE(tables),
                                &first);

    if (!error && argc - first > 1) {
        error = xstrdup("at most one argument is taken, the database");
    }
    if (error) {
        fprintf(stderr, "%s: %s (--help says more)\n", qanat_progname(),
                error);
        free(error);
        exit(EXIT_FAILURE);
    }
    if (wants_help) {
        print_help();
        exit(EXIT_SUCCESS);
    }
    if (wants_version) {
        printf("%s\n%s\n", qanat_version_line(), dp_version());
        exit(EXIT_SUCCESS);
    }
    return argc > first ? xstrdup(argv[first])
           : xasprintf("unix:%s/db.sock", dirs_run());
}

/* --- events --- */

static void
on_end_signal(evutil_socket_t signo, short what UNUSED, void *aux UNUSED)
{
    log_info("ending on signal %d (%s)", (int) signo, strsignal((int) signo));
    event_base_loopbreak(base);
}

static void
on_hangup(evutil_socket_t signo UNUSED, short what UNUSED, void *aux UNUSED)
{
    int error = log_reopen_file();

    if (error && error != -ENOENT) {
        log_err("the log file cannot be opened again (%s)",
                strerror(-error));
    } else {
        log_info("the log file was opened again");
    }
}

static void
on_exit_command(struct unixctl_conn *conn)
{
    if (exit_conn) {
        unixctl_reply(conn, "");
        return;
    }
    /* Answered when all is closed. */
    exit_conn = conn;
    log_info("ending on command");
    event_base_loopbreak(base);
}

static void
on_ready(void)
{
    if (ready_deadline) {
        event_free(ready_deadline);
        ready_deadline = NULL;
        daemon_ready();
    }
}

static void
on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
    log_warn("the database cannot be reached yet; trying on");
    on_ready();
}

static void
watch_signals(struct event *events[4])
{
    events[0] = evsignal_new(base, SIGTERM, on_end_signal, NULL);
    events[1] = evsignal_new(base, SIGINT, on_end_signal, NULL);
    events[2] = evsignal_new(base, SIGHUP, on_hangup, NULL);
    events[3] = evtimer_new(base, on_deadline, NULL);
    for (int i = 0; i < 4; i++) {
        const struct timeval deadline = { .tv_sec = READY_DEADLINE_S };

        if (!events[i] || event_add(events[i], i < 3 ? NULL : &deadline)) {
            log_fatal("cannot watch signals");
        }
    }
    ready_deadline = events[3];
    events[3] = NULL;
}

int
main(int argc, char *argv[])
{
    struct unixctl_server *server;
    struct event *signals[4];
    char *database, *error;
    int status;

    qanat_set_progname(argv[0]);
    database = parse_arguments(argc, argv);
    daemon_start();
    log_info("%s", qanat_version_line());

    base = event_base_new();
    if (!base) {
        log_fatal("cannot make an event loop");
    }
    watch_signals(signals);
    commands_init(on_exit_command);
    status = unixctl_server_create(base, daemon_unixctl_path(), &server);
    if (status) {
        log_fatal("cannot listen for commands (%s)", strerror(-status));
    }
    error = control_init(base, database, on_ready);
    if (error) {
        log_fatal("%s", error);
    }

    event_base_dispatch(base);

    control_fini();
    if (exit_conn) {
        unixctl_reply(exit_conn, "");
    }
    unixctl_server_destroy(server, FLUSH_MS);
    for (int i = 0; i < 3; i++) {
        event_free(signals[i]);
    }
    if (ready_deadline) {
        event_free(ready_deadline);
    }
    event_base_free(base);
    free(database);
    log_info("ended");
    daemon_finish();
    return EXIT_SUCCESS;
}
