/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-dpctl.c - shows the datapath of a running switch in the form of
 * ovs-dpctl.
 *
 * The datapath lives in the daemon, so this only asks it: "qanat-dpctl show
 * -s" is "qanat-appctl dpctl/show -s".  Exit status: 0, 1 if there was no
 * proper answer or a wrong argument, 2 for a refusal by the daemon.
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

#define DAEMON "qanat-vswitchd"

struct command {
    const char *name;
    const char *remote;         /* The daemon's name for it. */
    const char *usage;
    const char *help;
};

static const struct command commands[] = {
    { "show", "dpctl/show", "[DP]", "show ports and counts" },
    { "dump-dps", "dpctl/dump-dps", "", "name the datapath" },
    { "dump-flows", "dpctl/dump-flows", "[DP]", "show the flows" },
    { "del-flows", "dpctl/del-flows", "[DP]",
      "forget all flows; they are made again as packets come" },
    { "flush", "dpctl/del-flows", "[DP]", "the same" },
};

/* Options that go on to the daemon. */
static bool statistics, more, names;
static char *target;

static char *show_help(const char *, void *);

static char *
set_flag(const char *arg UNUSED, void *flag)
{
    *(bool *) flag = true;
    return NULL;
}

static char *
clear_names(const char *arg UNUSED, void *aux UNUSED)
{
    names = false;
    return NULL;
}

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
        return xasprintf("value %s on -t or --timeout is invalid", arg);
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
    { "statistics", 's', OPTION_ARG_NONE, NULL,
      "show: each port's counters, too", set_flag, &statistics },
    { "more", 'm', OPTION_ARG_NONE, NULL,
      "dump-flows: each flow's identity, too", set_flag, &more },
    { "names", 0, OPTION_ARG_NONE, NULL,
      "dump-flows: names instead of port numbers", set_flag, &names },
    { "no-names", 0, OPTION_ARG_NONE, NULL,
      "dump-flows: port numbers (default)", clear_names, NULL },
    { "target", 0, OPTION_ARG_REQUIRED, "TARGET",
      "pid file name or socket of the daemon (default: " DAEMON ")",
      set_target, NULL },
    { "timeout", 't', OPTION_ARG_REQUIRED, "SECS",
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

    str_printf(&s, "%s, to look into the datapath of the running switch\n"
               "usage: %s [OPTION...] COMMAND\nCommands:\n",
               qanat_progname(), qanat_progname());
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        str_printf(&s, "  %-10s %-6s  %s\n", commands[i].name,
                   commands[i].usage, commands[i].help);
    }
    str_append(&s, "Options:\n");
    options_format_help(&s, options);
    fputs(str_cstr(&s), stdout);
    str_fini(&s);
    exit(EXIT_SUCCESS);
}

static void NORETURN PRINTF_FORMAT(1, 2)
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

static const struct command *
get_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
    }
    fail("unknown command '%s'; use --help for help", name);
}

/* The link is there also if the daemon was started without a pid file. */
static char *
find_socket(void)
{
    char *error;
    char *path;

    if (!target) {
        path = xasprintf("%s/%s.ctl", dirs_run(), DAEMON);
        if (!access(path, F_OK)) {
            return path;
        }
        free(path);
    }
    if (unixctl_find_socket(target ? target : DAEMON, &path, &error)) {
        fail("%s", error);
    }
    return path;
}

/* Sends the command; returns the exit status. */
static int
ask(const char *path, const struct command *command, int argc,
    char *const argv[])
{
    struct unixctl_client *client;
    char *result, *refusal;
    int error = unixctl_client_connect(path, INT64_MAX, &client);

    if (error) {
        fail("cannot connect to \"%s\" (%s)", path, strerror(-error));
    }
    error = unixctl_client_transact(client, command->remote, argc, argv,
                                    INT64_MAX, &result, &refusal);
    if (error) {
        fail("%s: no proper answer (%s)", path, strerror(-error));
    }
    unixctl_client_close(client);
    if (refusal) {
        fprintf(stderr, "%s: %s%s", qanat_progname(), refusal,
                refusal[0] && refusal[strlen(refusal) - 1] == '\n'
                ? "" : "\n");
    } else {
        fputs(result, stdout);
    }
    error = refusal != NULL;
    free(result);
    free(refusal);
    if (fflush(stdout) || ferror(stdout)) {
        fail("cannot write the answer (%s)", strerror(errno));
    }
    return error ? 2 : EXIT_SUCCESS;
}

int
main(int argc, char *argv[])
{
    const struct option_def *const tables[] = { options };
    char opt_s[] = "-s", opt_m[] = "-m", opt_names[] = "--names";
    const struct command *command;
    char **args;
    char *problem, *path;
    int first, status, n = 0;

    qanat_set_progname(argv[0]);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    log_set_level(NULL, LOG_DEST_SYSLOG, LOG_LEVEL_OFF);
    problem = options_parse(argc, argv, tables, 1, &first);
    if (problem) {
        fail("%s", problem);
    } else if (first >= argc) {
        fail("missing command name; use --help for help");
    }
    command = get_command(argv[first]);

    args = xcalloc((size_t) argc + 3, sizeof *args);
    if (statistics) {
        args[n++] = opt_s;
    }
    if (more) {
        args[n++] = opt_m;
    }
    if (names) {
        args[n++] = opt_names;
    }
    for (int i = first + 1; i < argc; i++) {
        args[n++] = argv[i];
    }
    path = find_socket();
    status = ask(path, command, n, args);
    free(path);
    free(args);
    free(target);
    return status;
}
