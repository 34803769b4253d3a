/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_path.c - see vhost_path.h.
 *
 * librte_vhost cuts a path that is too long, and removes a file that it could
 * not bind to; so all is looked at before it is asked.  MAIN. */

#include "datapath/vhost_path.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "datapath/vport.h"
#include "lib/base/util.h"
#include "lib/ipc/dirs.h"

static char *check_path(const char *name, const char *path, bool is_client);
static char *check_server_path(const char *name, const char *path);

char *
vhost_path_get(const struct vport_cfg *cfg, bool is_client, char **path)
{
    const char *given = smap_get(&cfg->options, "vhost-server-path");
    char *error;

    if (is_client && (!given || !*given)) {
        return xasprintf("%s: options:vhost-server-path is missing; it names"
                         " the socket on which the guest's process listens",
                         cfg->name);
    }
    if (!is_client && strchr(cfg->name, '/')) {
        return xasprintf("%s: a port of this type is named like its socket's"
                         " file and has no slash in it", cfg->name);
    }
    *path = is_client ? xstrdup(given) : dirs_join(dirs_run(), cfg->name);
    error = check_path(cfg->name, *path, is_client);
    if (error) {
        free(*path);
    }
    return error;
}

static char *
check_path(const char *name, const char *path, bool is_client)
{
    size_t max = sizeof ((struct sockaddr_un *) 0)->sun_path - 1;
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (strlen(path) > max) {
        return xasprintf("%s: the socket's path %s is longer than %zu bytes",
                         name, path, max);
    }
    if (slash && slash != path) {
        char *folder = xstrndup(path, (size_t) (slash - path));
        int error = stat(folder, &st) ? errno
                    : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

        free(folder);
        if (error) {
            return xasprintf("%s: there is no folder for the socket %s (%s)",
                             name, path, strerror(error));
        }
    }
    if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
        return xasprintf("%s: %s is a folder and no socket", name, path);
    }
    if (!stat(path, &st) && !S_ISSOCK(st.st_mode)) {
        return xasprintf("%s: %s is a file and no socket", name, path);
    }
    return is_client ? NULL : check_server_path(name, path);
}

/* A socket on which somebody listens is not ours to take; one that a switch
 * left behind when it was killed is. */
static char *
check_server_path(const char *name, const char *path)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char *error = NULL;

    strncpy(sun.sun_path, path, sizeof sun.sun_path - 1);
    if (!connect(fd, (struct sockaddr *) &sun, sizeof sun)
        || errno == EAGAIN) {
        error = xasprintf("%s: the socket %s is taken: somebody listens"
                          " there already", name, path);
    } else if (errno == ECONNREFUSED && unlink(path)) {
        error = xasprintf("%s: the socket %s was left behind and cannot be"
                          " removed (%s)", name, path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return error;
}
