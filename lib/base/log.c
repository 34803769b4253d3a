/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - see log.h.
 *
 * One lock serializes the destinations and the table of modules; levels are
 * read without it.  Must never call anything that logs.
 */
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log_sink.h"
#include "lib/base/thread.h"

/* What a message may cost the log: longer ones are cut. */
#define MAX_MESSAGE_LEN 16384

#define RL_BURST 10
#define RL_MSG_MS 6000

static struct mutex mutex = MUTEX_INIT;
static struct list modules GUARDED_BY(mutex) = LIST_INITIALIZER(&modules);
static int default_levels[LOG_N_DESTS] GUARDED_BY(mutex) = {
    LOG_LEVEL_INFO, LOG_LEVEL_INFO, LOG_LEVEL_INFO
};
static struct log_sink sinks[LOG_N_DESTS] GUARDED_BY(mutex) = {
    [LOG_DEST_CONSOLE] = { .fd = STDERR_FILENO },
    [LOG_DEST_SYSLOG] = { .fd = -1 },
    [LOG_DEST_FILE] = { .fd = -1 },
};
static char *file_name GUARDED_BY(mutex);
static const char *syslog_path GUARDED_BY(mutex) = "/dev/log";
static const char *_Atomic program = "qanat";
static _Atomic unsigned int next_seqno = 1;
static _Thread_local char thread_name[16];

static const char *const level_names[LOG_N_LEVELS] = {
    "OFF", "EMER", "ERR", "WARN", "INFO", "DBG"
};
static const char *const dest_names[LOG_N_DESTS] = {
    "console", "syslog", "file"
};
static const int syslog_priorities[LOG_N_LEVELS] = {
    LOG_DEBUG, LOG_ALERT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG
};

static void update_max_level(struct log_module *) REQUIRES(mutex);
static bool set_level(const char *, enum log_dest, enum log_level)
    REQUIRES(mutex);
static bool module_exists(const char *) REQUIRES(mutex);
static int find_word(const char *const names[], int n, const char *word);
static void emit_line(struct log_module *, enum log_level, unsigned int,
                      const char *, size_t) REQUIRES(mutex);

void
log_module_register(struct log_module *module)
{
    const struct log_module *other;

    mutex_lock(&mutex);
    for (int d = 0; d < LOG_N_DESTS; d++) {
        atomic_init(&module->levels[d], default_levels[d]);
    }
    LIST_FOR_EACH(other, link, &modules) {
        if (!strcmp(other->name, module->name)) {
            for (int d = 0; d < LOG_N_DESTS; d++) {
                atomic_init(&module->levels[d],
                            atomic_load(&other->levels[d]));
            }
            break;
        }
    }
    list_push_back(&modules, &module->link);
    update_max_level(module);
    mutex_unlock(&mutex);
}

void
log_write(struct log_module *module, enum log_level level,
          const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_write_va(module, level, format, args);
    va_end(args);
}

void
log_write_va(struct log_module *module, enum log_level level,
             const char *format, va_list args)
{
    int saved_errno = errno;
    char text[1024];
    char *long_text = NULL;
    const char *line = text;
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(text, sizeof text, format, args);
    if (n >= (int) sizeof text) {
        n = MIN(n, MAX_MESSAGE_LEN);
        long_text = malloc((size_t) n + 1);
        if (long_text) {
            vsnprintf(long_text, (size_t) n + 1, format, again);
            line = long_text;
        }
    }
    va_end(again);

    mutex_lock(&mutex);
    do {
        size_t len = strcspn(line, "\n");
        unsigned int seqno = atomic_fetch_add_explicit(
            &next_seqno, 1, memory_order_relaxed);

        emit_line(module, level, seqno, line, len);
        line += len;
        line += *line == '\n';
    } while (*line);
    mutex_unlock(&mutex);

    free(long_text);
    errno = saved_errno;
}

bool
log_rl_take(struct log_rl *rl, unsigned int *n_suppressed)
{
    int64_t now = clock_ms();
    int64_t until = atomic_load_explicit(&rl->spent_until_ms,
                                         memory_order_relaxed);
    int64_t new_until;

    /* The budget is kept as a point in time: each message moves it RL_MSG_MS
     * on, and it may run ahead of now by a burst. */
    do {
        new_until = MAX(until, now) + RL_MSG_MS;
        if (new_until > now + RL_BURST * RL_MSG_MS) {
            atomic_fetch_add_explicit(&rl->n_suppressed, 1,
                                      memory_order_relaxed);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
                 &rl->spent_until_ms, &until, new_until,
                 memory_order_relaxed, memory_order_relaxed));
    *n_suppressed = atomic_exchange_explicit(&rl->n_suppressed, 0,
                                             memory_order_relaxed);
    return true;
}

void
log_write_rl(struct log_module *module, enum log_level level,
             struct log_rl *rl, const char *format, ...)
{
    unsigned int n_suppressed;
    va_list args;

    if (!log_rl_take(rl, &n_suppressed)) {
        return;
    }
    if (n_suppressed) {
        log_write(module, level, "%u messages like the next one were "
                  "suppressed because they came too fast", n_suppressed);
    }
    va_start(args, format);
    log_write_va(module, level, format, args);
    va_end(args);
}

LOG_MODULE(log);

static void
say_last_words(const char *format, va_list args) PRINTF_FORMAT(1, 0);

static void
say_last_words(const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    log_write_va(&log_this_module, LOG_LEVEL_EMER, format, args);
    if (atomic_load(&log_this_module.levels[LOG_DEST_CONSOLE])
        < LOG_LEVEL_EMER) {
        fprintf(stderr, "%s: ", atomic_load(&program));
        vfprintf(stderr, format, again);
        fputc('\n', stderr);
    }
    va_end(again);
}

void
log_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_last_words(format, args);
    va_end(args);
    exit(EXIT_FAILURE);
}

void
log_abort(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_last_words(format, args);
    va_end(args);
    abort();
}

bool
log_set_level(const char *module, enum log_dest dest, enum log_level level)
{
    bool found;

    mutex_lock(&mutex);
    found = set_level(module, dest, level);
    mutex_unlock(&mutex);
    return found;
}

char *
log_set_from_text(const char *spec)
{
    static const char separators[] = " ,:\t";
    char *copy = xstrdup(spec ? spec : "");
    int level = LOG_LEVEL_DBG;
    int dest = LOG_N_DESTS;
    char *module = NULL;
    char *error = NULL;
    char *save = NULL;

    mutex_lock(&mutex);
    for (char *word = strtok_r(copy, separators, &save); word && !error;
         word = strtok_r(NULL, separators, &save)) {
        int i;

        if (!strcasecmp(word, "ANY")) {
            continue;
        } else if ((i = find_word(level_names, LOG_N_LEVELS, word)) >= 0) {
            level = i;
        } else if ((i = find_word(dest_names, LOG_N_DESTS, word)) >= 0) {
            dest = i;
        } else if (module_exists(word)) {
            module = word;
        } else if (!strcasecmp(word, "PATTERN")
                   || !strcasecmp(word, "FACILITY")) {
            error = xasprintf("setting the %s is not supported", word);
        } else {
            error = xasprintf("no destination, level, or module \"%s\"",
                              word);
        }
    }
    if (!error) {
        set_level(module, dest, level);
    }
    mutex_unlock(&mutex);
    free(copy);
    return error;
}

static int
compare_modules(const void *a_, const void *b_)
{
    const struct log_module *const *a = a_;
    const struct log_module *const *b = b_;

    return strcasecmp((*a)->name, (*b)->name);
}

void
log_format_levels(struct str *s)
{
    const struct log_module **sorted;
    const struct log_module *module;
    const char *last = "";
    size_t n = 0;

    mutex_lock(&mutex);
    sorted = xcalloc(list_count(&modules), sizeof *sorted);
    LIST_FOR_EACH(module, link, &modules) {
        sorted[n++] = module;
    }
    qsort(sorted, n, sizeof *sorted, compare_modules);

    str_append(s, "                 console    syslog    file\n"
                  "                 -------    ------    ------\n");
    for (size_t i = 0; i < n; i++) {
        module = sorted[i];
        if (strcmp(module->name, last)) {
            str_printf(s, "%-16s  %4s       %4s       %4s\n", module->name,
                       level_names[module->levels[LOG_DEST_CONSOLE]],
                       level_names[module->levels[LOG_DEST_SYSLOG]],
                       level_names[module->levels[LOG_DEST_FILE]]);
        }
        last = module->name;
    }
    mutex_unlock(&mutex);
    free(sorted);
}

const char *
log_level_name(enum log_level level)
{
    return level_names[level];
}

const char *
log_dest_name(enum log_dest dest)
{
    return dest_names[dest];
}

bool
log_level_from_name(const char *name, enum log_level *level)
{
    int i = find_word(level_names, LOG_N_LEVELS, name);

    if (i >= 0) {
        *level = (enum log_level) i;
    }
    return i >= 0;
}

void
log_set_program(const char *name)
{
    atomic_store(&program, name);
}

void
log_set_thread_name(const char *name)
{
    snprintf(thread_name, sizeof thread_name, "%s", name);
}

static int
open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY
                        | O_NONBLOCK, 0640);

    return fd < 0 ? -errno : fd;
}

int
log_open_file(const char *path)
{
    struct log_module *module;
    int fd = open_file(path);
    char *copy;

    if (fd < 0) {
        return fd;
    }
    /* A name relative to a directory that the daemon leaves would make
     * reopening go elsewhere. */
    copy = realpath(path, NULL);
    if (!copy) {
        copy = xstrdup(path);
    }

    mutex_lock(&mutex);
    log_sink_set_fd(&sinks[LOG_DEST_FILE], fd);
    free(file_name);
    file_name = copy;
    LIST_FOR_EACH(module, link, &modules) {
        update_max_level(module);
    }
    mutex_unlock(&mutex);
    return 0;
}

int
log_reopen_file(void)
{
    char *path = log_file_name();
    int error = path ? log_open_file(path) : -ENOENT;

    free(path);
    return error;
}

void
log_close_file(void)
{
    struct log_module *module;

    mutex_lock(&mutex);
    log_sink_set_fd(&sinks[LOG_DEST_FILE], -1);
    free(file_name);
    file_name = NULL;
    LIST_FOR_EACH(module, link, &modules) {
        update_max_level(module);
    }
    mutex_unlock(&mutex);
}

char *
log_file_name(void)
{
    char *name;

    mutex_lock(&mutex);
    name = file_name ? xstrdup(file_name) : NULL;
    mutex_unlock(&mutex);
    return name;
}

uint64_t
log_n_lost(enum log_dest dest)
{
    uint64_t n;

    mutex_lock(&mutex);
    n = sinks[dest].n_lost;
    mutex_unlock(&mutex);
    return n;
}

void
log_set_syslog_path(const char *path)
{
    mutex_lock(&mutex);
    syslog_path = path ? path : "/dev/log";
    log_sink_set_fd(&sinks[LOG_DEST_SYSLOG], -1);
    mutex_unlock(&mutex);
}

static void
update_max_level(struct log_module *module)
{
    int max = LOG_LEVEL_OFF;

    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (d != LOG_DEST_FILE || sinks[d].fd >= 0) {
            max = MAX(max, atomic_load(&module->levels[d]));
        }
    }
    atomic_store_explicit(&module->max_level, max, memory_order_relaxed);
}

static bool
module_exists(const char *name)
{
    const struct log_module *module;

    LIST_FOR_EACH(module, link, &modules) {
        if (!strcasecmp(module->name, name)) {
            return true;
        }
    }
    return false;
}

static bool
set_level(const char *name, enum log_dest dest, enum log_level level)
{
    struct log_module *module;
    bool found = !name;

    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (dest != LOG_N_DESTS && d != (int) dest) {
            continue;
        }
        if (!name) {
            default_levels[d] = level;
        }
        LIST_FOR_EACH(module, link, &modules) {
            if (!name || !strcasecmp(module->name, name)) {
                atomic_store(&module->levels[d], (int) level);
                update_max_level(module);
                found = true;
            }
        }
    }
    return found;
}

static int
find_word(const char *const names[], int n, const char *word)
{
    for (int i = 0; i < n; i++) {
        if (!strcasecmp(names[i], word)) {
            return i;
        }
    }
    return -1;
}

/* Fills 'buf' with the prefix of a line; returns its length. */
static size_t
format_prefix(char *buf, size_t size, const struct log_module *module,
              enum log_level level, unsigned int seqno)
{
    int64_t now_ms = clock_wall_ms();
    time_t now = (time_t) (now_ms / 1000);
    struct tm tm;
    size_t len;
    int n;

    gmtime_r(&now, &tm);
    len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
    n = snprintf(buf + len, size - len, ".%03dZ|%05u|%.64s%s%s%s|%s|",
                 (int) (now_ms % 1000), seqno, module->name,
                 thread_name[0] ? "(" : "", thread_name,
                 thread_name[0] ? ")" : "", level_names[level]);
    return len + (size_t) n;
}

static void
emit_line(struct log_module *module, enum log_level level,
          unsigned int seqno, const char *text, size_t text_len)
{
    char small[1280];
    char *line = small;
    size_t prefix_len;
    size_t len;

    prefix_len = format_prefix(small, sizeof small, module, level, seqno);
    len = prefix_len + text_len + 1;
    if (len > sizeof small) {
        line = malloc(len);
        if (!line) {
            line = small;
            len = sizeof small;
        } else {
            memcpy(line, small, prefix_len);
        }
    }
    for (size_t i = 0; i < len - prefix_len - 1; i++) {
        unsigned char c = (unsigned char) text[i];

        line[prefix_len + i] = (char) (c < 32 && c != '\t' ? '?'
                                       : c == 127 ? '?' : c);
    }
    line[len - 1] = '\n';

    for (int d = 0; d < LOG_N_DESTS; d++) {
        if ((int) level > atomic_load_explicit(&module->levels[d],
                                               memory_order_relaxed)) {
            continue;
        }
        if (d == LOG_DEST_SYSLOG) {
            /* Syslog has its own clock: send from the sequence number on. */
            const char *bar = memchr(line, '|', len);

            log_sink_send_syslog(&sinks[d], syslog_path,
                                 atomic_load(&program),
                                 LOG_DAEMON | syslog_priorities[level],
                                 bar + 1, len - (size_t) (bar + 1 - line) - 1);
        } else {
            log_sink_write(&sinks[d], line, len);
        }
    }
    if (line != small) {
        free(line);
    }
}
