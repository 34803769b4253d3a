/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-appctl.c - sends one command to a running daemon and prints its
 * answer.  Options, output and exit status are those of ovs-appctl: 0 for an
 * answer, 2 for a refusal by the daemon, 1 if there was no proper answer, and
 * death by SIGALRM when the time is up.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/options.h"
#include "lib/ipc/unixctl.h"

#define DEFAULT_TARGET "qanat-vswitchd"

static char *target;

static void fail(const char *format, ...) NORETURN PRINTF_FORMAT(1, 2);
static char *show_help(const char *, void *);

static char *
set_target(const char *arg, void *aux UNUSED)
{
    free(target);
    target = xstrdup(arg);
    return NULL;
}

static char *
set_timeout(const char *arg, void *aux UNUSED)
{
    int secs;

    if (!str_to_int_range(arg, 1, INT_MAX, &secs)) {
        return xasprintf("value %s on -T or --timeout is invalid", arg);
    }
    /* Whoever waits for us learns by the signal that time was up. */
    signal(SIGALRM, SIG_DFL);
    alarm((unsigned int) secs);
    return NULL;
}

static char *
set_verbose(const char *arg, void *aux UNUSED)
{
    return log_set_from_text(arg);
}

static char *
show_version(const char *arg UNUSED, void *aux UNUSED)
{
    puts(qanat_version_line());
    exit(EXIT_SUCCESS);
}

static const struct option_def options[] = {
    { "target", 't', OPTION_ARG_REQUIRED, "TARGET",
      "pid file or socket to contact (default: " DEFAULT_TARGET ")",
      set_target, NULL },
    { "timeout", 'T', OPTION_ARG_REQUIRED, "SECS",
      "wait at most SECS seconds for an answer", set_timeout, NULL },
    { "verbose", 'v', OPTION_ARG_OPTIONAL, "SPEC",
      "set log levels", set_verbose, NULL },
    { "help", 'h', OPTION_ARG_NONE, NULL, "show this text", show_help, NULL },
    { "version", 'V', OPTION_ARG_NONE, NULL, "show the version",
      show_version, NULL },
    { .name = NULL },
};

static char *
show_help(const char *arg UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;

    str_printf(&s,
               "%s, to query and control the running switch\n"
               "usage: %s [OPTION...] COMMAND [ARG...]\n"
               "A TARGET that begins with a slash is a socket; another is\n"
               "the name of a daemon with a pid file in %s.\n"
               "Commands that every daemon has:\n"
               "  list-commands      list the commands of the target\n"
               "  version            print the version of the target\n"
               "  vlog/list          list the log levels\n"
               "  vlog/set [SPEC]    set log levels: SPEC is "
               "[MODULE][:DESTINATION][:LEVEL]\n"
               "  vlog/reopen        open the log file anew\n"
               "Options:\n", qanat_progname(), qanat_progname(), dirs_run());
    options_format_help(&s, options);
    fputs(str_cstr(&s), stdout);
    str_fini(&s);
    exit(EXIT_SUCCESS);
}

static void
fail(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "%s: ", qanat_progname());
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* The socket to talk to.  The default target is found by its link, which is
 * there also if the daemon was started without a pid file. */
static char *
find_socket(void)
{
    char *error;
    char *path;

    if (!target) {
        path = xasprintf("%s/%s.ctl", dirs_run(), DEFAULT_TARGET);
        if (!access(path, F_OK)) {
            return path;
        }
        free(path);
    }
    if (unixctl_find_socket(target ? target : DEFAULT_TARGET, &path,
                            &error)) {
        fail("%s", error);
    }
    return path;
}

int
main(int argc, char *argv[])
{
    const struct option_def *const tables[] = { options };
    struct unixctl_client *client;
    char *result, *refusal;
    char *path, *problem;
    int first, error;
    int status = EXIT_SUCCESS;

    qanat_set_progname(argv[0]);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    log_set_level(NULL, LOG_DEST_SYSLOG, LOG_LEVEL_OFF);
    problem = options_parse_leading(argc, argv, tables, 1, &first);
    if (problem) {
        fail("%s", problem);
    } else if (first >= argc) {
        fail("at least one non-option argument is required "
             "(use --help for help)");
    }

    path = find_socket();
    error = unixctl_client_connect(path, INT64_MAX, &client);
    if (error) {
        fail("cannot connect to \"%s\" (%s)", path, strerror(-error));
    }
    error = unixctl_client_transact(client, argv[first], argc - first - 1,
                                    argv + first + 1, INT64_MAX, &result,
                                    &refusal);
    if (error) {
        fail("%s: transaction error (%s)", path,
             error == -ECONNRESET ? "connection closed by the daemon"
             : strerror(-error));
    }
    if (refusal) {
        fputs(refusal, stderr);
        fprintf(stderr, "%s: %s: server returned an error\n",
                qanat_progname(), path);
        status = 2;
    } else {
        fputs(result, stdout);
    }
    if (fflush(stdout) || ferror(stdout)) {
        fail("cannot write the answer (%s)", strerror(errno));
    }
    free(result);
    free(refusal);
    free(path);
    free(target);
    unixctl_client_close(client);
    return status;
}
