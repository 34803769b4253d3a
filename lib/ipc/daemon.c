/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c - see daemon.h.
 *
 * Between fork and ready, parent and child share a pipe: one byte means that
 * the service works, end of file that the child is gone.
 */
#include "lib/ipc/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/ipc/dirs.h"

LOG_MODULE(daemon);

static bool want_detach;
static bool keep_cwd;
static bool overwrite_pidfile;
static char *pidfile;
static char *unixctl_path;

static int ready_fd = -1;       /* Where the parent waits, or -1. */
static int pidfile_fd = -1;     /* Open, and thereby locked, until exit. */
static pid_t pidfile_owner;     /* The process that wrote the pid file. */

static void fork_and_wait(void);
static void make_pidfile(void);
static int lock_pidfile(const char *path);
static bool is_same_file(int fd, const char *path);
static void ignore_signal(int signo);

static char *
set_pidfile(const char *arg, void *aux UNUSED)
{
    char *name = arg ? xstrdup(arg)
                 : xasprintf("%s.pid", qanat_progname());

    free(pidfile);
    pidfile = dirs_join(dirs_run(), name);
    free(name);
    return NULL;
}

static char *
set_flag(const char *arg UNUSED, void *flag)
{
    *(bool *) flag = true;
    return NULL;
}

static char *
set_log_file(const char *arg, void *aux UNUSED)
{
    char *name = arg ? xstrdup(arg)
                 : xasprintf("%s.log", qanat_progname());
    char *path = dirs_join(dirs_log(), name);
    int error = log_open_file(path);
    char *text = NULL;

    if (error) {
        text = xasprintf("cannot open log file %s (%s)", path,
                         strerror(-error));
    }
    free(path);
    free(name);
    return text;
}

static char *
set_unixctl(const char *arg, void *aux UNUSED)
{
    free(unixctl_path);
    unixctl_path = xstrdup(arg);
    return NULL;
}

static char *
set_verbose(const char *arg, void *aux UNUSED)
{
    return log_set_from_text(arg);
}

const struct option_def daemon_options[] = {
    { "pidfile", 0, OPTION_ARG_OPTIONAL, "FILE",
      "write the process id to FILE (default: RUNDIR/PROGRAM.pid)",
      set_pidfile, NULL },
    { "overwrite-pidfile", 0, OPTION_ARG_NONE, NULL,
      "start even if the pid file is in use",
      set_flag, &overwrite_pidfile },
    { "detach", 0, OPTION_ARG_NONE, NULL, "run in the background",
      set_flag, &want_detach },
    { "no-chdir", 0, OPTION_ARG_NONE, NULL,
      "stay in the working directory when detached",
      set_flag, &keep_cwd },
    { "log-file", 0, OPTION_ARG_OPTIONAL, "FILE",
      "log to FILE (default: LOGDIR/PROGRAM.log)", set_log_file, NULL },
    { "unixctl", 0, OPTION_ARG_REQUIRED, "SOCKET",
      "name of the command socket (default: RUNDIR/PROGRAM.PID.ctl)",
      set_unixctl, NULL },
    { "verbose", 'v', OPTION_ARG_OPTIONAL, "SPEC",
      "set log levels, as the command vlog/set does", set_verbose, NULL },
    { .name = NULL },
};

void
daemon_start(void)
{
    int devnull;

    ignore_signal(SIGPIPE);
    ignore_signal(SIGXFSZ);

    /* Whoever opens a file must not get descriptor 0, 1 or 2, or a stray
     * message would go there. */
    do {
        devnull = open("/dev/null", O_RDWR);
    } while (devnull >= 0 && devnull <= STDERR_FILENO);
    if (devnull >= 0) {
        close(devnull);
    }

    if (want_detach) {
        fork_and_wait();
        setsid();
    }
    if (pidfile) {
        make_pidfile();
    }
    if (want_detach && !keep_cwd && chdir("/")) {
        log_warn("cannot change to the root directory (%s)",
                 strerror(errno));
    }
}

void
daemon_ready(void)
{
    int fd;

    if (ready_fd < 0) {
        return;
    }
    (void) !write(ready_fd, "", 1);
    close(ready_fd);
    ready_fd = -1;

    fd = open("/dev/null", O_RDWR);
    if (fd >= 0) {
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (fd > STDERR_FILENO) {
            close(fd);
        }
    }
}

void
daemon_finish(void)
{
    /* A child that somebody forks later runs exit handlers, too. */
    if (pidfile_fd >= 0 && pidfile_owner == getpid()) {
        if (is_same_file(pidfile_fd, pidfile)) {
            unlink(pidfile);
        }
        close(pidfile_fd);
        pidfile_fd = -1;
    }
}

bool
daemon_is_detached(void)
{
    return want_detach;
}

const char *
daemon_unixctl_path(void)
{
    return unixctl_path;
}

const char *
daemon_pidfile(void)
{
    return pidfile;
}

int
daemon_read_pidfile(const char *path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char text[32];
    ssize_t n;
    int pid;
    int fd;

    /* A process does not see its own lock, and closing any descriptor of the
     * file would drop it. */
    if (pidfile_fd >= 0 && !strcmp(path, pidfile)) {
        return pidfile_owner;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    n = read(fd, text, sizeof text - 1);
    if (n < 0) {
        pid = -errno;
    } else {
        text[n] = '\0';
        text[strcspn(text, "\n")] = '\0';
        if (!str_to_int_range(text, 1, INT32_MAX, &pid)) {
            pid = -EINVAL;
        } else if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK) {
            pid = -ESRCH;
        }
    }
    close(fd);
    return pid;
}

/* Returns in the child only. */
static void
fork_and_wait(void)
{
    int fds[2];
    char byte;
    pid_t pid;
    ssize_t n;
    int status;

    if (pipe2(fds, O_CLOEXEC)) {
        log_fatal("cannot make a pipe (%s)", strerror(errno));
    }
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        log_fatal("cannot fork (%s)", strerror(errno));
    } else if (!pid) {
        close(fds[0]);
        ready_fd = fds[1];
        return;
    }

    close(fds[1]);
    do {
        n = read(fds[0], &byte, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1) {
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            _exit(EXIT_FAILURE);
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status)) {
        _exit(WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        fprintf(stderr, "%s: ended by signal %d (%s) while starting\n",
                qanat_progname(), WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    }
    _exit(EXIT_FAILURE);
}

static void
make_pidfile(void)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%ld\n", (long int) getpid());
    int error;

    if (overwrite_pidfile) {
        unlink(pidfile);
    }
    error = lock_pidfile(pidfile);
    if (error == -EWOULDBLOCK) {
        log_fatal("%s: already running as process %d", pidfile,
                  daemon_read_pidfile(pidfile));
    } else if (error) {
        log_fatal("%s: cannot create pid file (%s)", pidfile,
                  strerror(-error));
    }
    /* First over the old contents and then cut, so that a reader never finds
     * the file empty. */
    if (pwrite(pidfile_fd, text, (size_t) len, 0) != len
        || ftruncate(pidfile_fd, len)) {
        log_fatal("%s: cannot write pid file (%s)", pidfile,
                  strerror(errno));
    }
    pidfile_owner = getpid();
    atexit(daemon_finish);
}

/* Opens and locks the file 'path' for this process. */
static int
lock_pidfile(const char *path)
{
    for (;;) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
        int error;

        if (fd < 0) {
            return -errno;
        }
        if (fcntl(fd, F_SETLK, &lock)) {
            error = errno == EAGAIN || errno == EACCES
                    ? -EWOULDBLOCK : -errno;
            close(fd);
            return error;
        }
        /* The former owner may have removed the file between our open and
         * our lock; then ours has no name and protects nothing. */
        if (is_same_file(fd, path)) {
            pidfile_fd = fd;
            return 0;
        }
        close(fd);
    }
}

/* True if 'path' still names the file that 'fd' is open on. */
static bool
is_same_file(int fd, const char *path)
{
    struct stat by_fd, by_name;

    return !fstat(fd, &by_fd) && !stat(path, &by_name)
           && by_fd.st_ino == by_name.st_ino
           && by_fd.st_dev == by_name.st_dev;
}

static void
ignore_signal(int signo)
{
    struct sigaction sa = { .sa_handler = SIG_IGN };

    sigaction(signo, &sa, NULL);
}
