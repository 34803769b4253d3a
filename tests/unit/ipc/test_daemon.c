/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_daemon.c - options, pid files and going into the background.  Each
 * daemon is a process of its own that reports by its exit status.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ipc/daemon.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/options.h"
#include "tests/unit/ipc/sandbox.h"

#define MAX_ARGS 8

LOG_MODULE(test_daemon);

void suite_daemon(void);

/* -- Options ------------------------------------------------------------- */

static struct str seen = STR_INIT;

static char *
see(const char *arg, void *name)
{
    str_printf(&seen, "%s=%s;", (const char *) name, arg ? arg : "(none)");
    return arg && !strcmp(arg, "bad") ? xstrdup("this is bad") : NULL;
}

static const struct option_def table_1[] = {
    { "none", 'n', OPTION_ARG_NONE, NULL, "no argument", see,
      (void *) "none" },
    { "maybe", 'm', OPTION_ARG_OPTIONAL, "X", "perhaps one", see,
      (void *) "maybe" },
    { .name = NULL },
};
static const struct option_def table_2[] = {
    { "must", 'u', OPTION_ARG_REQUIRED, NULL, "always one", see,
      (void *) "must" },
    { "hidden", 0, OPTION_ARG_NONE, NULL, NULL, see, (void *) "hidden" },
    { .name = NULL },
};

/* Splits 'line' at blanks, parses it, and checks what was seen, followed by
 * the other arguments or the error. */
static void
check_options(const char *line, bool leading, const char *expected)
{
    const struct option_def *const tables[] = { table_1, table_2 };
    char *argv[16] = { (char *) "prog" };
    char *copy = xstrdup(line);
    char *save = NULL;
    char *error;
    int argc = 1;
    int first;

    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = word;
    }
    str_clear(&seen);
    error = leading ? options_parse_leading(argc, argv, tables, 2, &first)
            : options_parse(argc, argv, tables, 2, &first);
    if (error) {
        str_printf(&seen, "!%s", error);
    } else {
        while (first < argc) {
            str_printf(&seen, " %s", argv[first++]);
        }
    }
    if (strcmp(str_cstr(&seen), expected)) {
        printf("%s: \"%s\"\n", line, str_cstr(&seen));
    }
    CU_ASSERT_STRING_EQUAL(str_cstr(&seen), expected);
    free(error);
    free(copy);
}

static void
test_options(void)
{
    struct str help = STR_INIT;

    check_options("", false, "");
    check_options("a b", false, " a b");
    check_options("a -n b --maybe --maybe=1 -m -m2 c", false,
                  "none=(none);maybe=(none);maybe=1;maybe=(none);maybe=2; "
                  "a b c");
    check_options("-u 1 -u2 --must 3 --must=4 --hidden", false,
                  "must=1;must=2;must=3;must=4;hidden=(none);");
    check_options("-n -- -n", false, "none=(none); -n");
    check_options("-n a -n", true, "none=(none); a -n");
    check_options("--mus=1 --no", false, "must=1;none=(none);");
    check_options("-u", false, "!option requires an argument -- 'u'");
    check_options("--must", false, "!option '--must' requires an argument");
    check_options("--none=1", false,
                  "!option '--none' doesn't allow an argument");
    check_options("-n -x", false, "none=(none);!invalid option -- 'x'");
    check_options("--xyz", false, "!unrecognized option '--xyz'");
    check_options("--must=bad -n", false, "must=bad;!this is bad");
    options_format_help(&help, table_1);
    options_format_help(&help, table_2);
    CU_ASSERT_STRING_EQUAL(str_cstr(&help),
                           "  -n, --none                  no argument\n"
                           "  -m, --maybe[=X]             perhaps one\n"
                           "  -u, --must=ARG              always one\n");
    str_fini(&help);
    str_fini(&seen);
}

/* -- Folders -------------------------------------------------------------- */

static void
test_dirs(void)
{
    char *name;

    dirs_set("/a/b///", "/", NULL);
    CU_ASSERT_STRING_EQUAL(dirs_run(), "/a/b");
    CU_ASSERT_STRING_EQUAL(dirs_db(), "/");
    dirs_set("rel", NULL, "/log");
    CU_ASSERT_EQUAL(dirs_run()[0], '/');
    CU_ASSERT(strlen(dirs_run()) > 4);
    CU_ASSERT_STRING_EQUAL(dirs_log(), "/log");
    name = dirs_join("/a", "b");
    CU_ASSERT_STRING_EQUAL(name, "/a/b");
    free(name);
    name = dirs_join("/a", "/b");
    CU_ASSERT_STRING_EQUAL(name, "/b");
    free(name);
    qanat_set_progname("/x/y/prog");
    CU_ASSERT_STRING_EQUAL(qanat_progname(), "prog");
    CU_ASSERT_STRING_EQUAL(qanat_version_line(),
                           "prog (Qanat) " QANAT_VERSION);
}

/* -- Daemons ------------------------------------------------------------- */

enum daemon_fate {
    RUN,                        /* Gets ready and runs until SIGTERM. */
    FAIL,                       /* Ends with status 7 before it is ready. */
    CRASH                       /* Is killed before it is ready. */
};

static volatile sig_atomic_t must_end;

static void
on_sigterm(int signo UNUSED)
{
    must_end = 1;
}

/* What a daemon's main() does; does not return. */
static void
daemon_main(enum daemon_fate fate, char *argv[])
{
    const struct option_def *const tables[] = { daemon_options };
    struct sigaction sa = { .sa_handler = on_sigterm };
    const struct timespec tick = { .tv_nsec = 5000000 };
    int argc = 0;
    char *error;
    int first;

    while (argv[argc]) {
        argc++;
    }
    error = options_parse(argc, argv, tables, 1, &first);
    if (error) {
        _exit(9);
    }
    sigaction(SIGTERM, &sa, NULL);
    daemon_start();
    if (fate == FAIL) {
        daemon_finish();
        _exit(7);
    } else if (fate == CRASH) {
        raise(SIGKILL);
    }
    log_info("ready");
    daemon_ready();
    while (!must_end) {
        nanosleep(&tick, NULL);
    }
    log_info("bye");
    daemon_finish();
    /* Not exit(): the suite's own exit handlers are not ours. */
    _exit(0);
}

/* Starts a daemon; returns the process that was started.  'output', if not
 * NULL, names a file for standard error. */
static pid_t
start(enum daemon_fate fate, const char *output, const char *line)
{
    char *argv[MAX_ARGS + 2] = { (char *) "prog" };
    char *copy = xstrdup(line);
    char *save = NULL;
    int argc = 1;
    pid_t pid;

    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = word;
    }
    fflush(NULL);
    pid = fork();
    if (!pid) {
        int fd = open(output ? sandbox_path(output) : "/dev/null",
                      O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(fd, STDERR_FILENO);
        qanat_set_progname("prog");
        daemon_main(fate, argv);
    }
    free(copy);
    return pid;
}

static int
wait_status(pid_t pid)
{
    int status;

    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status)
           : 128 + WTERMSIG(status);
}

/* Waits until the pid file names a living process; returns that. */
static int
wait_pidfile(const char *name)
{
    int pid = -1;

    for (int i = 0; i < 1000 && pid < 0; i++) {
        usleep(5000);
        pid = daemon_read_pidfile(sandbox_path(name));
    }
    return pid;
}

/* Ends a detached daemon, which is not our child, and waits for its end. */
static void
end_detached(int pid)
{
    CU_ASSERT_EQUAL(kill(pid, SIGTERM), 0);
    for (int i = 0; i < 1000 && !kill(pid, 0); i++) {
        usleep(5000);
    }
    CU_ASSERT(kill(pid, 0) && errno == ESRCH);
}

static bool
file_contains(const char *name, const char *text)
{
    char buf[4096];
    FILE *f = fopen(sandbox_path(name), "r");
    size_t n = f ? fread(buf, 1, sizeof buf - 1, f) : 0;

    if (f) {
        fclose(f);
    }
    buf[n] = '\0';
    return strstr(buf, text) != NULL;
}

static void
test_pidfile(void)
{
    char text[32];
    pid_t pid;
    FILE *f;

    sandbox_init();
    pid = start(RUN, NULL, "--pidfile");
    CU_ASSERT_EQUAL(wait_pidfile("prog.pid"), pid);
    snprintf(text, sizeof text, "%d\n", (int) pid);
    f = fopen(sandbox_path("prog.pid"), "r");
    CU_ASSERT(f && fgets(text + 16, 16, f) && !strcmp(text, text + 16)
              && !fgets(text + 16, 16, f));
    fclose(f);

    /* A second one is refused and does no harm. */
    CU_ASSERT_EQUAL(wait_status(start(RUN, "second", "--pidfile")), 1);
    CU_ASSERT(file_contains("second", "already running as process"));
    CU_ASSERT_EQUAL(daemon_read_pidfile(sandbox_path("prog.pid")), pid);

    /* SIGTERM removes the file, SIGKILL leaves it stale. */
    kill(pid, SIGTERM);
    CU_ASSERT_EQUAL(wait_status(pid), 0);
    CU_ASSERT(access(sandbox_path("prog.pid"), F_OK));
    pid = start(RUN, NULL, "--pidfile=other");
    CU_ASSERT_EQUAL(wait_pidfile("other"), pid);
    kill(pid, SIGKILL);
    wait_status(pid);
    CU_ASSERT_EQUAL(daemon_read_pidfile(sandbox_path("other")), -ESRCH);
    pid = start(RUN, NULL, "--pidfile=other");
    CU_ASSERT_EQUAL(wait_pidfile("other"), pid);
    kill(pid, SIGTERM);
    wait_status(pid);

    /* Nonsense in the file is replaced; a folder that lacks is told. */
    f = fopen(sandbox_path("other"), "w");
    fputs("nonsense and more of it", f);
    fclose(f);
    CU_ASSERT_EQUAL(daemon_read_pidfile(sandbox_path("other")), -EINVAL);
    pid = start(RUN, NULL, "--pidfile=other");
    CU_ASSERT_EQUAL(wait_pidfile("other"), pid);
    kill(pid, SIGTERM);
    wait_status(pid);
    CU_ASSERT_EQUAL(wait_status(start(RUN, "err", "--pidfile=/no/such/dir")),
                    1);
    CU_ASSERT(file_contains("err", "cannot create pid file"));
    sandbox_fini();
}

/* Many at once: one gets the file. */
static void
test_pidfile_race(void)
{
    enum { N = 16 };
    pid_t pids[N];
    int n_running = 0;
    int owner;

    sandbox_init();
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N; i++) {
            pids[i] = start(RUN, NULL, "--pidfile -vconsole:off");
        }
        owner = wait_pidfile("prog.pid");
        for (int i = 0; i < N; i++) {
            if (pids[i] == owner) {
                n_running++;
            } else {
                CU_ASSERT_EQUAL(wait_status(pids[i]), 1);
            }
        }
        CU_ASSERT_EQUAL(daemon_read_pidfile(sandbox_path("prog.pid")),
                        owner);
        /* Leaves the file stale each second time. */
        kill(owner, round % 2 ? SIGKILL : SIGTERM);
        wait_status(owner);
    }
    CU_ASSERT_EQUAL(n_running, 5);
    sandbox_fini();
}

static void
test_detach(void)
{
    const char *output;
    int pid;

    sandbox_init();
    CU_ASSERT_EQUAL(wait_status(start(RUN, "err", "--detach --pidfile "
                                      "--log-file --unixctl=x")), 0);
    /* The parent returned because the child was ready. */
    pid = daemon_read_pidfile(sandbox_path("prog.pid"));
    CU_ASSERT_FATAL(pid > 0);
    CU_ASSERT(file_contains("prog.log", "|INFO|ready\n"));
    CU_ASSERT_EQUAL(sandbox_run(NULL, &output, "readlink /proc/%d/cwd "
                                "/proc/%d/fd/0 /proc/%d/fd/1 /proc/%d/fd/2",
                                pid, pid, pid, pid), 0);
    CU_ASSERT_STRING_EQUAL(output, "/\n/dev/null\n/dev/null\n/dev/null\n");
    CU_ASSERT_EQUAL(getsid(pid), pid);
    end_detached(pid);
    CU_ASSERT(file_contains("prog.log", "|INFO|bye\n"));
    CU_ASSERT(access(sandbox_path("prog.pid"), F_OK));

    CU_ASSERT_EQUAL(wait_status(start(RUN, NULL, "--detach --pidfile "
                                      "--no-chdir")), 0);
    pid = daemon_read_pidfile(sandbox_path("prog.pid"));
    CU_ASSERT_FATAL(pid > 0);
    CU_ASSERT_EQUAL(sandbox_run(NULL, &output, "readlink /proc/%d/cwd", pid),
                    0);
    CU_ASSERT_STRING_NOT_EQUAL(output, "/\n");

    /* The parent tells the child's failure, of whatever kind. */
    CU_ASSERT_EQUAL(wait_status(start(RUN, "second", "--detach "
                                      "--pidfile")), 1);
    CU_ASSERT(file_contains("second", "already running as process"));
    end_detached(pid);
    CU_ASSERT_EQUAL(wait_status(start(FAIL, NULL, "--detach --pidfile")), 7);
    CU_ASSERT_EQUAL(wait_status(start(CRASH, "err", "--detach")), 1);
    CU_ASSERT(file_contains("err", "prog: ended by signal 9"));
    CU_ASSERT_EQUAL(wait_status(start(RUN, NULL, "--detach "
                                      "--log-file=/no/such/dir")), 9);
    sandbox_fini();
}

static void
test_overwrite_pidfile(void)
{
    pid_t first, second;

    sandbox_init();
    first = start(RUN, NULL, "--pidfile");
    CU_ASSERT_EQUAL(wait_pidfile("prog.pid"), first);
    second = start(RUN, NULL, "--pidfile --overwrite-pidfile");
    for (int i = 0; i < 1000 && wait_pidfile("prog.pid") != second; i++) {
        usleep(5000);
    }
    CU_ASSERT_EQUAL(daemon_read_pidfile(sandbox_path("prog.pid")), second);
    /* The first one must not remove what is no longer its own. */
    kill(first, SIGTERM);
    CU_ASSERT_EQUAL(wait_status(first), 0);
    CU_ASSERT_EQUAL(daemon_read_pidfile(sandbox_path("prog.pid")), second);
    kill(second, SIGTERM);
    CU_ASSERT_EQUAL(wait_status(second), 0);
    CU_ASSERT(access(sandbox_path("prog.pid"), F_OK));
    sandbox_fini();
}

void
suite_daemon(void)
{
    CU_pSuite suite = CU_add_suite("daemon", NULL, NULL);

    CU_add_test(suite, "options", test_options);
    CU_add_test(suite, "dirs", test_dirs);
    CU_add_test(suite, "pidfile", test_pidfile);
    CU_add_test(suite, "pidfile_race", test_pidfile_race);
    CU_add_test(suite, "detach", test_detach);
    CU_add_test(suite, "overwrite_pidfile", test_overwrite_pidfile);
}
