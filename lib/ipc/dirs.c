/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs.c - see dirs.h.
 */
#include "lib/ipc/dirs.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/log.h"

#ifndef QANAT_DEFAULT_RUNDIR
#define QANAT_DEFAULT_RUNDIR "/var/run/qanat"
#endif
#ifndef QANAT_DEFAULT_DBDIR
#define QANAT_DEFAULT_DBDIR "/etc/qanat"
#endif
#ifndef QANAT_DEFAULT_LOGDIR
#define QANAT_DEFAULT_LOGDIR "/var/log/qanat"
#endif
#ifndef QANAT_VERSION
#define QANAT_VERSION "0"
#endif

struct dir {
    const char *variable;
    const char *def;
    char *name;                 /* NULL until it is asked for or set. */
};

static struct dir rundir = { "QANAT_RUNDIR", QANAT_DEFAULT_RUNDIR, NULL };
static struct dir dbdir = { "QANAT_DBDIR", QANAT_DEFAULT_DBDIR, NULL };
static struct dir logdir = { "QANAT_LOGDIR", QANAT_DEFAULT_LOGDIR, NULL };

static char *progname;
static char *version_line;

/* A daemon leaves its working directory, so names must not depend on it. */
static char *
absolute(const char *name)
{
    struct str s = STR_INIT;

    if (name[0] != '/') {
        char *cwd = getcwd(NULL, 0);

        str_append(&s, cwd ? cwd : "");
        str_append_char(&s, '/');
        free(cwd);
    }
    str_append(&s, name);
    while (s.len > 1 && str_chomp(&s, '/')) {
        continue;
    }
    return str_steal(&s);
}

static const char *
get_dir(struct dir *dir)
{
    if (!dir->name) {
        const char *value = getenv(dir->variable);

        dir->name = absolute(value && value[0] ? value : dir->def);
    }
    return dir->name;
}

static void
set_dir(struct dir *dir, const char *name)
{
    if (name) {
        char *copy = absolute(name);

        free(dir->name);
        dir->name = copy;
    }
}

const char *
dirs_run(void)
{
    return get_dir(&rundir);
}

const char *
dirs_db(void)
{
    return get_dir(&dbdir);
}

const char *
dirs_log(void)
{
    return get_dir(&logdir);
}

void
dirs_set(const char *run, const char *db, const char *log)
{
    set_dir(&rundir, run);
    set_dir(&dbdir, db);
    set_dir(&logdir, log);
}

char *
dirs_join(const char *dir, const char *name)
{
    return name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", dir, name);
}

const char *
qanat_progname(void)
{
    return progname ? progname : program_invocation_short_name;
}

void
qanat_set_progname(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');
    char *old = progname;

    progname = xstrdup(slash ? slash + 1 : argv0);
    log_set_program(progname);
    free(old);
    free(version_line);
    version_line = NULL;
}

const char *
qanat_version(void)
{
    return QANAT_VERSION;
}

const char *
qanat_version_line(void)
{
    if (!version_line) {
        version_line = xasprintf("%s (Qanat) %s", qanat_progname(),
                                 qanat_version());
    }
    return version_line;
}
