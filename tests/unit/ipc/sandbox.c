/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c - see sandbox.h.
 */
#include "tests/unit/ipc/sandbox.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/ipc/dirs.h"

#define MAX_SPAWNED 16

static char folder[64];         /* Empty if there is none. */
static pid_t owner;             /* The process that made it. */
static pid_t spawned[MAX_SPAWNED];
static struct str run_output = STR_INIT;

/* A test that breaks off leaves its sandbox to the end of the process. */
static void
clean_up(void)
{
    if (folder[0] && getpid() == owner) {
        sandbox_fini();
    }
}

const char *
sandbox_init(void)
{
    static bool is_registered;

    if (!is_registered) {
        is_registered = true;
        atexit(clean_up);
    }
    clean_up();
    owner = getpid();
    snprintf(folder, sizeof folder, "/tmp/qanat-unit.XXXXXX");
    if (!mkdtemp(folder)) {
        perror("mkdtemp");
        abort();
    }
    dirs_set(folder, folder, folder);
    setenv("OVS_RUNDIR", folder, 1);
    setenv("OVS_DBDIR", folder, 1);
    setenv("OVS_LOGDIR", folder, 1);
    return folder;
}

void
sandbox_fini(void)
{
    char *command;

    for (size_t i = 0; i < MAX_SPAWNED; i++) {
        if (spawned[i]) {
            sandbox_kill(spawned[i], SIGKILL);
        }
    }
    command = xasprintf("rm -rf %s", folder);
    if (system(command)) {
        fprintf(stderr, "cannot remove %s\n", folder);
    }
    free(command);
    folder[0] = '\0';
    str_fini(&run_output);
}

const char *
sandbox_path(const char *file)
{
    static char names[4][512];
    static unsigned int i;
    char *name = names[i++ % 4];

    snprintf(name, sizeof names[0], "%s/%s", folder, file);
    return name;
}

bool
sandbox_has(const char *program)
{
    char *command = xasprintf("command -v %s >/dev/null 2>&1", program);
    int status = system(command);

    free(command);
    return !status;
}

/* Starts 'command', which it frees; its output goes to 'fd'. */
static pid_t
start(char *command, int fd)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (!chdir(folder)) {
            execl("/bin/sh", "sh", "-c", command, NULL);
        }
        _exit(127);
    }
    free(command);
    return pid;
}

pid_t
sandbox_spawn(const char *format, ...)
{
    int fd = open(sandbox_path("spawn.log"), O_WRONLY | O_CREAT | O_APPEND
                  | O_CLOEXEC, 0600);
    struct str s = STR_INIT;
    va_list args;
    pid_t pid;

    /* exec: the process that we kill later is the program, not a shell. */
    str_append(&s, "exec ");
    va_start(args, format);
    str_vprintf(&s, format, args);
    va_end(args);
    pid = start(str_steal(&s), fd);
    close(fd);
    for (size_t i = 0; i < MAX_SPAWNED; i++) {
        if (!spawned[i]) {
            spawned[i] = pid;
            break;
        }
    }
    return pid;
}

void
sandbox_kill(pid_t pid, int signo)
{
    kill(pid, signo);
    waitpid(pid, NULL, 0);
    for (size_t i = 0; i < MAX_SPAWNED; i++) {
        if (spawned[i] == pid) {
            spawned[i] = 0;
        }
    }
}

static bool
drain(int fd)
{
    char buf[4096];
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) > 0) {
        str_append_n(&run_output, buf, (size_t) n);
    }
    return n < 0 && errno == EAGAIN;
}

int
sandbox_run(struct event_base *base, const char **output,
            const char *format, ...)
{
    int64_t deadline = clock_ms() + 30000;
    va_list args;
    int fds[2];
    pid_t pid;
    int status;

    if (pipe2(fds, O_CLOEXEC)) {
        abort();
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    va_start(args, format);
    pid = start(xvasprintf(format, args), fds[1]);
    va_end(args);
    close(fds[1]);

    str_clear(&run_output);
    while (drain(fds[0]) && clock_ms() < deadline) {
        if (base) {
            sandbox_loop(base, 5);
        } else {
            usleep(2000);
        }
    }
    close(fds[0]);
    if (clock_ms() >= deadline) {
        kill(pid, SIGKILL);
    }
    waitpid(pid, &status, 0);
    if (output) {
        *output = str_cstr(&run_output);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
do_nothing(evutil_socket_t fd, short events, void *aux)
{
    (void) fd;
    (void) events;
    (void) aux;
}

bool
sandbox_wait(struct event_base *base, int ms, bool (*is_true)(void *),
             void *aux)
{
    int64_t deadline = clock_ms() + ms;
    bool result;

    while (!(result = is_true(aux)) && clock_ms() < deadline) {
        const struct timeval tv = { .tv_usec = 5000 };
        struct event *alarm = evtimer_new(base, do_nothing, NULL);

        event_add(alarm, &tv);
        event_base_loop(base, EVLOOP_ONCE);
        event_free(alarm);
    }
    return result;
}

static bool
never(void *aux)
{
    (void) aux;
    return false;
}

void
sandbox_loop(struct event_base *base, int ms)
{
    sandbox_wait(base, ms, never, NULL);
}
