/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_socket.c - see unix_socket.h.
 */
#include "lib/ipc/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/util.h"

static int make_socket(void);
static int bind_path(int fd, const char *path);
static int clear_stale(const char *path);

int
unix_socket_connect(const char *path)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int path_fd = -1;
    int error = 0;
    int fd;

    if (strlen(path) < sizeof sun.sun_path) {
        memcpy(sun.sun_path, path, strlen(path));
    } else {
        /* The kernel follows this link to the very socket. */
        path_fd = open(path, O_PATH | O_CLOEXEC);
        if (path_fd < 0) {
            return -errno;
        }
        snprintf(sun.sun_path, sizeof sun.sun_path, "/proc/self/fd/%d",
                 path_fd);
    }
    fd = make_socket();
    if (fd < 0) {
        error = fd;
    } else if (connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        error = -errno;
        close(fd);
    }
    if (path_fd >= 0) {
        close(path_fd);
    }
    return error ? error : fd;
}

int
unix_socket_listen(const char *path)
{
    int fd = make_socket();
    int error;

    if (fd < 0) {
        return fd;
    }
    /* On Linux the file that bind() makes takes the descriptor's mode, so
     * there is no moment at which others could connect. */
    if (fchmod(fd, 0700)) {
        error = -errno;
    } else {
        error = bind_path(fd, path);
        if (error == -EADDRINUSE) {
            error = clear_stale(path);
            if (!error) {
                error = bind_path(fd, path);
            }
        }
    }
    if (!error && listen(fd, 64)) {
        error = -errno;
    }
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

static int
make_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

static int
bind_path(int fd, const char *path)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    const char *slash;
    int error = 0;
    int dir_fd = -1;

    if (strlen(path) < sizeof sun.sun_path) {
        memcpy(sun.sun_path, path, strlen(path));
    } else {
        char *dir;
        int n;

        slash = strrchr(path, '/');
        if (!slash) {
            return -ENAMETOOLONG;
        }
        dir = xstrndup(path, (size_t) (slash - path) + 1);
        dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        error = dir_fd < 0 ? -errno : 0;
        free(dir);
        if (error) {
            return error;
        }
        n = snprintf(sun.sun_path, sizeof sun.sun_path,
                     "/proc/self/fd/%d/%s", dir_fd, slash + 1);
        if (n >= (int) sizeof sun.sun_path) {
            error = -ENAMETOOLONG;
        }
    }
    if (!error && bind(fd, (struct sockaddr *) &sun, sizeof sun)) {
        error = -errno;
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    return error;
}

/* Removes the socket 'path' if nobody listens there. */
static int
clear_stale(const char *path)
{
    struct stat st;
    int fd;

    if (lstat(path, &st)) {
        return errno == ENOENT ? 0 : -errno;
    } else if (!S_ISSOCK(st.st_mode)) {
        return -EEXIST;
    }
    fd = unix_socket_connect(path);
    if (fd >= 0) {
        close(fd);
        return -EADDRINUSE;
    } else if (fd == -ECONNREFUSED || fd == -ENOENT) {
        return unlink(path) && errno != ENOENT ? -errno : 0;
    }
    return fd == -EAGAIN ? -EADDRINUSE : fd;
}
