/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log.c - levels, destinations, and destinations that fail.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "tests/unit/ipc/sandbox.h"

LOG_MODULE(test_log);

void suite_log(void);

static struct str text = STR_INIT;

/* The contents of the log file; lives until the next call. */
static const char *
read_log(const char *name)
{
    FILE *f = fopen(sandbox_path(name), "r");
    char buf[4096];
    size_t n;

    str_clear(&text);
    while (f && (n = fread(buf, 1, sizeof buf, f)) > 0) {
        str_append_n(&text, buf, n);
    }
    if (f) {
        fclose(f);
    }
    return str_cstr(&text);
}

static size_t
count_lines(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        n += *s == '\n';
    }
    return n;
}

static void
set_up(void)
{
    char *error = log_set_from_text("console:off");

    CU_ASSERT_PTR_NULL(error);
    sandbox_init();
    log_set_level(NULL, LOG_DEST_SYSLOG, LOG_LEVEL_OFF);
    log_set_level(NULL, LOG_DEST_FILE, LOG_LEVEL_INFO);
    CU_ASSERT_EQUAL(log_open_file(sandbox_path("log")), 0);
}

static void
tear_down(void)
{
    log_close_file();
    sandbox_fini();
    str_fini(&text);
}

static bool
matches(const char *s, const char *pattern)
{
    regex_t re;
    bool result;

    CU_ASSERT_EQUAL_FATAL(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB),
                          0);
    result = !regexec(&re, s, 0, NULL, 0);
    regfree(&re);
    return result;
}

static void
test_format(void)
{
    char *big = xmalloc(100001);

    set_up();
    errno = 42;
    log_info("hello %s", "you");
    CU_ASSERT_EQUAL(errno, 42);
    log_dbg("not this");
    log_warn("a\nb\033c");
    CU_ASSERT(matches(read_log("log"),
                      "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5]"
                      "[0-9]:[0-6][0-9]\\.[0-9]{3}Z\\|[0-9]{5}\\|test_log\\|"
                      "INFO\\|hello you\n"
                      ".*\\|test_log\\|WARN\\|a\n"
                      ".*\\|test_log\\|WARN\\|b\\?c\n$"));
    memset(big, 'x', 100000);
    big[100000] = '\0';
    log_info("%s", big);
    CU_ASSERT(strlen(read_log("log")) > 10000);
    CU_ASSERT(strlen(read_log("log")) < 20000);
    log_set_thread_name("pmd3");
    log_err("named");
    CU_ASSERT(strstr(read_log("log"), "|test_log(pmd3)|ERR|named\n") != NULL);
    log_set_thread_name("");
    free(big);
    tear_down();
}

static void
check_spec(const char *spec, const char *expected_error)
{
    char *error = log_set_from_text(spec);

    if (expected_error) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        CU_ASSERT_STRING_EQUAL(error, expected_error);
    } else {
        CU_ASSERT_PTR_NULL(error);
    }
    free(error);
}

static void
test_levels(void)
{
    struct str s = STR_INIT;

    set_up();
    check_spec("test_log:file:dbg", NULL);
    CU_ASSERT(log_is_dbg_enabled());
    log_dbg("one");
    check_spec("test_log file,warn", NULL);
    log_info("two");
    check_spec("off", NULL);
    log_emer("three");
    check_spec("TEST_LOG:File:Info", NULL);
    log_info("four");
    check_spec("nonsense", "no destination, level, or module \"nonsense\"");
    check_spec("file:dbg:nonsense",
               "no destination, level, or module \"nonsense\"");
    check_spec("PATTERN:file:%m", "setting the PATTERN is not supported");
    log_dbg("five");
    CU_ASSERT_EQUAL(count_lines(read_log("log")), 2);
    CU_ASSERT(strstr(read_log("log"), "|one\n") != NULL);
    CU_ASSERT(strstr(read_log("log"), "|four\n") != NULL);
    log_format_levels(&s);
    CU_ASSERT(strstr(str_cstr(&s),
                     "                 console    syslog    file\n"
                     "                 -------    ------    ------\n")
              == str_cstr(&s));
    CU_ASSERT(strstr(str_cstr(&s), "test_log           OFF        OFF       "
                     "INFO\n") != NULL);
    str_clear(&s);
    check_spec(NULL, NULL);
    log_format_levels(&s);
    CU_ASSERT(strstr(str_cstr(&s), "test_log           DBG        DBG       "
                     " DBG\n") != NULL);
    check_spec("off", NULL);
    str_fini(&s);
    CU_ASSERT(!log_set_level("nonsense", LOG_N_DESTS, LOG_LEVEL_OFF));
    tear_down();
}

/* A module that comes later obeys what was set for all. */
static void
test_late_module(void)
{
    static struct log_module late = { .name = "test_late" };
    static struct log_module twin = { .name = "test_late" };

    set_up();
    log_module_register(&late);
    CU_ASSERT(log_is_enabled(&late, LOG_LEVEL_INFO));
    CU_ASSERT(!log_is_enabled(&late, LOG_LEVEL_DBG));
    check_spec("test_late:file:dbg", NULL);
    log_module_register(&twin);
    CU_ASSERT(log_is_enabled(&twin, LOG_LEVEL_DBG));
    log_close_file();
    CU_ASSERT(!log_is_enabled(&twin, LOG_LEVEL_EMER));
    tear_down();
}

static void
test_reopen(void)
{
    char *name;

    set_up();
    log_info("before");
    CU_ASSERT_EQUAL(rename(sandbox_path("log"), sandbox_path("log.1")), 0);
    log_info("still before");
    CU_ASSERT_EQUAL(log_reopen_file(), 0);
    log_info("after");
    CU_ASSERT_EQUAL(count_lines(read_log("log.1")), 2);
    CU_ASSERT_EQUAL(count_lines(read_log("log")), 1);
    name = log_file_name();
    CU_ASSERT_STRING_EQUAL(name, sandbox_path("log"));
    free(name);

    CU_ASSERT_EQUAL(log_open_file(sandbox_path("no/such/dir")), -ENOENT);
    log_info("file kept");
    CU_ASSERT_EQUAL(count_lines(read_log("log")), 2);
    log_close_file();
    CU_ASSERT_EQUAL(log_reopen_file(), -ENOENT);
    CU_ASSERT_PTR_NULL(log_file_name());
    tear_down();
}

/* /dev/full is a disk without room. */
static void
test_full_disk(void)
{
    uint64_t n_lost;

    set_up();
    CU_ASSERT_EQUAL(log_open_file("/dev/full"), 0);
    n_lost = log_n_lost(LOG_DEST_FILE);
    log_info("lost");
    log_info("lost, too");
    CU_ASSERT_EQUAL(log_n_lost(LOG_DEST_FILE), n_lost + 2);
    CU_ASSERT_EQUAL(log_open_file(sandbox_path("log")), 0);
    log_info("room again");
    CU_ASSERT(strstr(read_log("log"), "|room again\n(2 log lines before this "
                     "one were lost)\n") != NULL);
    log_info("last");
    CU_ASSERT_EQUAL(count_lines(read_log("log")), 3);
    tear_down();
}

/* A quota that ends within a line. */
static void
test_torn_line(void)
{
    struct rlimit old, limit;
    struct sigaction sa = { .sa_handler = SIG_IGN }, old_sa;
    struct stat st;

    set_up();
    log_info("first");
    CU_ASSERT_EQUAL(stat(sandbox_path("log"), &st), 0);
    sigaction(SIGXFSZ, &sa, &old_sa);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = (rlim_t) st.st_size + 10;
    setrlimit(RLIMIT_FSIZE, &limit);
    log_info("torn");
    log_info("lost");
    setrlimit(RLIMIT_FSIZE, &old);
    sigaction(SIGXFSZ, &old_sa, NULL);
    log_info("whole");
    CU_ASSERT(matches(read_log("log"),
                      "^[^\n]*INFO\\|first\n20[^\n]{8}\n[^\n]*INFO\\|whole\n"
                      "\\(2 log lines before this one were lost\\)\n$"));
    tear_down();
}

/* Standard error is a pipe that nobody reads, or that nobody can read. */
static void
test_stuck_console(void)
{
    uint64_t n_lost = log_n_lost(LOG_DEST_CONSOLE);
    int saved = dup(STDERR_FILENO);
    int64_t start = clock_ms();
    int fds[2];

    set_up();
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    fflush(stderr);
    dup2(fds[1], STDERR_FILENO);
    check_spec("test_log:console:info", NULL);
    for (int i = 0; i < 5000; i++) {
        log_info("a line of which 64 kB of pipe hold about a thousand");
    }
    close(fds[0]);
    log_info("no SIGPIPE");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fds[1]);
    check_spec("console:off", NULL);
    CU_ASSERT(clock_ms() < start + 20000);
    CU_ASSERT(log_n_lost(LOG_DEST_CONSOLE) > n_lost + 1000);
    CU_ASSERT_EQUAL(count_lines(read_log("log")), 5001);
    tear_down();
}

static void
test_syslog(void)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    uint64_t n_lost = log_n_lost(LOG_DEST_SYSLOG);
    char buf[2048];
    ssize_t n;

    set_up();
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", sandbox_path("sl"));
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *) &sun, sizeof sun), 0);
    log_set_syslog_path(sun.sun_path);
    log_set_program("prog");
    log_set_level("test_log", LOG_DEST_SYSLOG, LOG_LEVEL_WARN);
    log_info("not this");
    log_warn("this");
    n = recv(fd, buf, sizeof buf - 1, 0);
    CU_ASSERT_FATAL(n > 0);
    buf[n] = '\0';
    CU_ASSERT(matches(buf, "^<28>prog\\[[0-9]+\\]: qanat\\|[0-9]+\\|test_log"
                      "\\|WARN\\|this$"));
    /* Nobody reads: the queue fills, and nothing blocks. */
    for (int i = 0; i < 5000; i++) {
        log_warn("more");
    }
    CU_ASSERT(log_n_lost(LOG_DEST_SYSLOG) > n_lost);
    close(fd);
    log_warn("nobody listens");
    log_set_level(NULL, LOG_DEST_SYSLOG, LOG_LEVEL_OFF);
    log_set_syslog_path(NULL);
    tear_down();
}

static void
test_rate_limit(void)
{
    set_up();
    clock_stop();
    for (int i = 0; i < 100; i++) {
        log_info_rl("again");
        if (i == 50) {
            CU_ASSERT_EQUAL(count_lines(read_log("log")), 10);
            clock_warp(6000);
        }
    }
    /* The eleventh, preceded by the number of those in between. */
    CU_ASSERT_EQUAL(count_lines(read_log("log")), 12);
    CU_ASSERT(strstr(read_log("log"), "|41 messages like the next one")
              != NULL);
    clock_resume();
    tear_down();
}

static void *
write_many(void *aux UNUSED)
{
    for (int i = 0; i < 1000; i++) {
        log_info("line %d of a thread", i);
    }
    return NULL;
}

static void
test_threads(void)
{
    pthread_t threads[4];
    const char *line;
    size_t n = 0;

    set_up();
    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, write_many, NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (line = read_log("log"); *line; line = strchr(line, '\n') + 1) {
        char tail[24];
        int number;

        CU_ASSERT_EQUAL(sscanf(line, "%*[^|]|%*[^|]|test_log|INFO|line %d of"
                               " a %20s", &number, tail), 2);
        CU_ASSERT_STRING_EQUAL(tail, "thread");
        n++;
    }
    CU_ASSERT_EQUAL(n, 4000);
    tear_down();
}

void
suite_log(void)
{
    CU_pSuite suite = CU_add_suite("log", NULL, NULL);

    CU_add_test(suite, "format", test_format);
    CU_add_test(suite, "levels", test_levels);
    CU_add_test(suite, "late_module", test_late_module);
    CU_add_test(suite, "reopen", test_reopen);
    CU_add_test(suite, "full_disk", test_full_disk);
    CU_add_test(suite, "torn_line", test_torn_line);
    CU_add_test(suite, "stuck_console", test_stuck_console);
    CU_add_test(suite, "syslog", test_syslog);
    CU_add_test(suite, "rate_limit", test_rate_limit);
    CU_add_test(suite, "threads", test_threads);
}
