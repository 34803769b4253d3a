/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs.h - where things are kept, and what this program is called.
 *
 * The folders come, in this order, from dirs_set(), from the environment
 * (QANAT_RUNDIR, QANAT_DBDIR, QANAT_LOGDIR) or from the defaults of the build
 * (/var/run/qanat, /etc/qanat, /var/log/qanat).  Set them before the first
 * thread starts; reading is then for any thread.
 */
#ifndef QANAT_IPC_DIRS_H
#define QANAT_IPC_DIRS_H 1

/* The folders, without a slash at the end.  The text lives until dirs_set().
 * Relative names from the environment are made absolute at the first call. */
const char *dirs_run(void);     /* Sockets and pid files. */
const char *dirs_db(void);      /* The database. */
const char *dirs_log(void);     /* Log files. */

/* Replaces folders; NULL leaves one as it is.  Copies. */
void dirs_set(const char *rundir, const char *dbdir, const char *logdir);

/* 'name' if it is absolute, else 'name' in the folder 'dir'.  The caller
 * frees it. */
char *dirs_join(const char *dir, const char *name);

/* The program's name without folders, for messages, pid file and sockets. */
const char *qanat_progname(void);

/* Takes the name from argv[0], and tells it to the log. */
void qanat_set_progname(const char *argv0);

/* The version of this build, e.g. "0.1.0". */
const char *qanat_version(void);

/* The line that -V and the command "version" print, without a newline, e.g.
 * "qanat-vswitchd (Qanat) 0.1.0".  Static. */
const char *qanat_version_line(void);

#endif /* QANAT_IPC_DIRS_H */
