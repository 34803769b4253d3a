/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - messages for people: to the console, a file and syslog.
 *
 * Each source file is part of a module and names it once, at file scope:
 *
 *     LOG_MODULE(pmd);
 *
 * and then writes log_warn("port %s: no such device", name).  For each module
 * and each destination there is a level; a message goes to a destination when
 * it is at least as urgent.  A line looks like
 *
 *     2026-11-21T08:00:00.123Z|00001|bridge|INFO|text
 *
 * with the thread's name after the module where it has one: bridge(pmd3).
 *
 * All functions may be called by any thread.  A message that is not wanted by
 * any destination costs one relaxed load.  Writing a message takes a lock and
 * may enter the kernel, so packet threads use the rate limited forms and not
 * per packet.  No destination can block or end the process: what cannot be
 * written at once is counted and lost.
 */
#ifndef QANAT_BASE_LOG_H
#define QANAT_BASE_LOG_H 1

#include <stdatomic.h>

#include "lib/base/list.h"
#include "lib/base/str.h"

/* From silent to talkative.  OFF is for destinations, not for messages. */
enum log_level {
    LOG_LEVEL_OFF,
    LOG_LEVEL_EMER,
    LOG_LEVEL_ERR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DBG,
    LOG_N_LEVELS
};

enum log_dest {
    LOG_DEST_CONSOLE,
    LOG_DEST_SYSLOG,
    LOG_DEST_FILE,
    LOG_N_DESTS
};

/* A module.  'max_level' is the most talkative level that any destination
 * takes, so that the common case is one load; the rest is log.c's. */
struct log_module {
    const char *name;
    _Atomic int max_level;
    _Atomic int levels[LOG_N_DESTS];
    struct list link;
};

/* Declares this file's module.  Files may share a name: they share levels
 * by name, and vlog/list shows one line. */
#define LOG_MODULE(NAME)                                                    \
    static struct log_module log_this_module = { .name = #NAME };           \
    __attribute__((__constructor__)) static void                            \
    log_register_##NAME(void)                                               \
    {                                                                       \
        log_module_register(&log_this_module);                              \
    }                                                                       \
    _Static_assert(1, "a semicolon follows")

/* Adds 'module', whose name is set and which lives as long as the process,
 * with the levels that its name has or the defaults.  LOG_MODULE calls it. */
void log_module_register(struct log_module *);

static inline bool
log_is_enabled(const struct log_module *module, enum log_level level)
{
    return (int) level
           <= atomic_load_explicit(&module->max_level, memory_order_relaxed);
}

/* Writes a message at 'level' of 'module'.  errno is preserved.  The text
 * needs no newline at its end; further lines in it get the same prefix.
 * Control bytes are shown as '?'. */
void log_write(struct log_module *, enum log_level, const char *format, ...)
    PRINTF_FORMAT(3, 4);
void log_write_va(struct log_module *, enum log_level, const char *format,
                  va_list args) PRINTF_FORMAT(3, 0);

#define LOG_AT(LEVEL, ...)                                                  \
    do {                                                                    \
        if (log_is_enabled(&log_this_module, LEVEL)) {                      \
            log_write(&log_this_module, LEVEL, __VA_ARGS__);                \
        }                                                                   \
    } while (0)

#define log_emer(...) LOG_AT(LOG_LEVEL_EMER, __VA_ARGS__)
#define log_err(...) LOG_AT(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_dbg(...) LOG_AT(LOG_LEVEL_DBG, __VA_ARGS__)

#define log_is_dbg_enabled() log_is_enabled(&log_this_module, LOG_LEVEL_DBG)

/* A call site's budget: 10 messages at once, and one more each 6 seconds.
 * What exceeds it is counted, and the count told with the next message. */
struct log_rl {
    _Atomic int64_t spent_until_ms;     /* Time up to which budget is used. */
    _Atomic unsigned int n_suppressed;
};

/* Takes one message out of the budget.  Returns false if there is none.
 * Otherwise stores the number suppressed since the last message. */
bool log_rl_take(struct log_rl *, unsigned int *n_suppressed);

void log_write_rl(struct log_module *, enum log_level, struct log_rl *,
                  const char *format, ...) PRINTF_FORMAT(4, 5);

#define LOG_AT_RL(LEVEL, ...)                                               \
    do {                                                                    \
        static struct log_rl UNIQUE_NAME(log_rl_);                          \
        if (log_is_enabled(&log_this_module, LEVEL)) {                      \
            log_write_rl(&log_this_module, LEVEL, &UNIQUE_NAME(log_rl_),    \
                         __VA_ARGS__);                                      \
        }                                                                   \
    } while (0)

#define log_err_rl(...) LOG_AT_RL(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn_rl(...) LOG_AT_RL(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info_rl(...) LOG_AT_RL(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_dbg_rl(...) LOG_AT_RL(LOG_LEVEL_DBG, __VA_ARGS__)

/* Ends the process with the message at level EMER (on stderr in any case) and
 * status EXIT_FAILURE, or by abort().  For start-up and broken invariants. */
void log_fatal(const char *format, ...) NORETURN PRINTF_FORMAT(1, 2);
void log_abort(const char *format, ...) NORETURN PRINTF_FORMAT(1, 2);

/* Sets levels.  'module' NULL means all modules, present and future, and
 * 'dest' LOG_N_DESTS all destinations.  Returns false if no module has that
 * name. */
bool log_set_level(const char *module, enum log_dest dest, enum log_level);

/* Sets levels as the option -v and the command vlog/set say: words separated
 * by colons, commas or blanks, each the name of a module, a destination
 * (console, syslog, file) or a level (off, emer, err, warn, info, dbg); "any"
 * for module or destination, like leaving it out, means all of them; no level
 * means dbg.  NULL and "" are like "any:any:dbg".  "PATTERN:..." is refused.
 * Returns NULL, or a sentence that the caller frees; nothing is changed then.
 */
char *log_set_from_text(const char *spec);

/* Appends the table of all modules and their levels, as vlog/list prints. */
void log_format_levels(struct str *);

const char *log_level_name(enum log_level);     /* "OFF", "EMER", ... */
const char *log_dest_name(enum log_dest);       /* "console", ... */
bool log_level_from_name(const char *, enum log_level *);

/* Names the process (for syslog); not copied. */
void log_set_program(const char *name);

/* Names the calling thread in its messages; copied, cut at 15 bytes. */
void log_set_thread_name(const char *name);

/* Opens 'path' for appending as the log file, instead of the present one.
 * Returns 0, or -errno and keeps things as they are. */
int log_open_file(const char *path);

/* Opens the log file anew by its name, for when it was renamed.  Returns 0,
 * -errno with the old file kept, or -ENOENT if there is no log file. */
int log_reopen_file(void);

void log_close_file(void);

/* A copy of the log file's name, which the caller frees, or NULL. */
char *log_file_name(void);

/* Number of lines that a destination did not take. */
uint64_t log_n_lost(enum log_dest);

/* The socket that syslog messages go to; for tests.  NULL restores /dev/log.
 * Not copied. */
void log_set_syslog_path(const char *path);

#endif /* QANAT_BASE_LOG_H */
