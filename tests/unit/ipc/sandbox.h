/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - a folder of its own for a test, real programs started in it, and
 * waiting for conditions with a deadline.
 */
#ifndef TESTS_UNIT_IPC_SANDBOX_H
#define TESTS_UNIT_IPC_SANDBOX_H 1

#include <stdbool.h>
#include <sys/types.h>

struct event_base;

/* Makes an empty folder, and makes it the run, db and log folder, also of the
 * programs started.  Returns its absolute name, valid until
 * sandbox_fini(). */
const char *sandbox_init(void);

/* Kills what sandbox_spawn() started and is still there, and removes the
 * folder. */
void sandbox_fini(void);

/* The absolute name of 'file' in the folder.  One of a few static buffers. */
const char *sandbox_path(const char *file);

/* True if 'program' is installed. */
bool sandbox_has(const char *program);

/* Starts a program by /bin/sh, its output going to the file "spawn.log". */
pid_t sandbox_spawn(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));

/* Ends such a program by 'signo' and waits for it. */
void sandbox_kill(pid_t, int signo);

/* Runs a command by /bin/sh, while 'base' (if not NULL) handles its events,
 * for at most 30 seconds.  Stores what it prints, in one string that lives
 * until the next run, in '*output' (may be NULL).  Returns its exit status, or
 * 128 plus a signal. */
int sandbox_run(struct event_base *base, const char **output,
                const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* Handles events of 'base' until 'is_true'(aux), for 'ms' at most.  Returns
 * the last value. */
bool sandbox_wait(struct event_base *base, int ms, bool (*is_true)(void *),
                  void *aux);

/* Handles events of 'base' for 'ms'. */
void sandbox_loop(struct event_base *base, int ms);

#endif /* TESTS_UNIT_IPC_SANDBOX_H */
