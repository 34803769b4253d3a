/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_unixctl.c - the command socket: the real ovs-appctl and our own client
 * against our server, and clients that behave badly.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ipc/dirs.h"
#include "lib/ipc/unix_socket.h"
#include "lib/ipc/unixctl.h"
#include "tests/unit/ipc/sandbox.h"
#include "tests/unit/unit.h"

static struct event_base *base;
static struct unixctl_server *server;
static struct unixctl_conn *deferred;

void suite_unixctl(void);

static void
echo(struct unixctl_conn *conn, int argc, const char *argv[],
     void *aux UNUSED)
{
    struct str s = STR_INIT;

    for (int i = 1; i < argc; i++) {
        str_printf(&s, "[%s]", argv[i]);
    }
    unixctl_reply(conn, str_cstr(&s));
    str_fini(&s);
}

static void
refuse(struct unixctl_conn *conn, int argc UNUSED,
       const char *argv[] UNUSED, void *text)
{
    unixctl_reply_error(conn, text);
}

static void
defer(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
      void *aux UNUSED)
{
    deferred = conn;
}

/* A reply of a million lines. */
static void
say_much(struct unixctl_conn *conn, int argc UNUSED,
         const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;

    for (int i = 0; i < 1000000; i++) {
        str_append(&s, "12345678\n");
    }
    unixctl_reply(conn, str_cstr(&s));
    str_fini(&s);
}

static void
not_utf8(struct unixctl_conn *conn, int argc UNUSED,
         const char *argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(conn, "a\xff" "b\n");
}

static void
set_up(void)
{
    sandbox_init();
    base = event_base_new();
    unixctl_command_register("echo", "[ARG]...", 0, INT_MAX, echo, NULL);
    unixctl_command_register("two", "A [B]", 1, 2, echo, NULL);
    unixctl_command_register("refuse", "", 0, 0, refuse, (void *) "no way");
    unixctl_command_register("defer", "", 0, 0, defer, NULL);
    unixctl_command_register("much", "", 0, 0, say_much, NULL);
    unixctl_command_register("not-utf8", "", 0, 0, not_utf8, NULL);
    CU_ASSERT_EQUAL_FATAL(unixctl_server_create(base, "test.ctl", &server),
                          0);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
}

static void
tear_down(void)
{
    unixctl_server_destroy(server, 0);
    event_base_free(base);
    CU_ASSERT(access(sandbox_path("test.ctl"), F_OK));
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_INFO);
    sandbox_fini();
}

/* Runs 'program' with 'args' and checks status and output (both streams). */
static void
check_command(const char *program, const char *args, int status,
              const char *expected)
{
    const char *output;
    int actual = sandbox_run(base, &output, "%s -t %s %s", program,
                             sandbox_path("test.ctl"), args);

    if (actual != status || strcmp(output, expected)) {
        printf("%s %s: status %d, \"%s\"\n", program, args, actual, output);
    }
    CU_ASSERT_EQUAL(actual, status);
    CU_ASSERT_STRING_EQUAL(output, expected);
}

/* What both programs must print for each command. */
static void
check_program(const char *program, const char *name)
{
    char *tail = xasprintf("%s: %s: server returned an error\n", name,
                           sandbox_path("test.ctl"));
    char *expected;

    check_command(program, "echo a 'b c' '' \xc3\xa4 -x --y", 0,
                  "[a][b c][][\xc3\xa4][-x][--y]\n");
    check_command(program, "echo", 0, "");
    check_command(program, "not-utf8", 0, "a?b\n");
    check_command(program, "vlog/set unixctl:console:off", 0, "");
    check_command(program, "version", 0, "unit (Qanat) " QANAT_VERSION "\n");

    expected = xasprintf("no way\n%s", tail);
    check_command(program, "refuse", 2, expected);
    free(expected);
    expected = xasprintf("\"nonsense\" is not a valid command (use "
                         "\"list-commands\" to see a list of valid "
                         "commands)\n%s", tail);
    check_command(program, "nonsense", 2, expected);
    free(expected);
    expected = xasprintf("\"two\" command requires at least 1 arguments\n%s",
                         tail);
    check_command(program, "two", 2, expected);
    free(expected);
    expected = xasprintf("\"two\" command takes at most 2 arguments\n%s",
                         tail);
    check_command(program, "two a b c", 2, expected);
    free(expected);
    expected = xasprintf("no destination, level, or module \"x\"\n%s", tail);
    check_command(program, "vlog/set x", 2, expected);
    free(expected);
    expected = xasprintf("Logging to file not configured\n%s", tail);
    check_command(program, "vlog/reopen", 2, expected);
    free(expected);
    free(tail);
}

static void
test_ovs_appctl(void)
{
    const char *output;

    if (!sandbox_has("ovs-appctl")) {
        unit_skip("ovs-appctl is not installed");
        return;
    }
    qanat_set_progname("unit");
    set_up();
    check_program("ovs-appctl", "ovs-appctl");
    CU_ASSERT_EQUAL(sandbox_run(base, &output, "ovs-appctl -t %s "
                                "list-commands", sandbox_path("test.ctl")),
                    0);
    CU_ASSERT(!strncmp(output, "The available commands are:\n"
                       "  defer                   \n"
                       "  echo                    [ARG]...\n", 82));
    CU_ASSERT(strstr(output, "\n  vlog/set                [SPEC]...\n")
              != NULL);
    CU_ASSERT_EQUAL(sandbox_run(base, &output, "ovs-appctl -t %s vlog/list",
                                sandbox_path("test.ctl")), 0);
    CU_ASSERT(strstr(output, "\nunixctl            OFF       ") != NULL);
    CU_ASSERT_EQUAL(sandbox_run(base, &output, "ovs-appctl -t %s much | "
                                "md5sum", sandbox_path("test.ctl")), 0);
    CU_ASSERT_EQUAL(strlen(output), 36);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "yes 12345678 | head -1000000 | "
                                "md5sum | grep -q '%.32s'", output), 0);
    tear_down();
}

/* Our own program, when the tests run in a build tree that has it. */
static void
test_qanat_appctl(void)
{
    char *program = realpath("utilities/qanat-appctl", NULL);

    if (!program) {
        unit_skip("utilities/qanat-appctl is not built");
        return;
    }
    qanat_set_progname("unit");
    set_up();
    check_program(program, "qanat-appctl");
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s -t /no/such echo",
                                program), 1);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s -t nobody echo", program),
                    1);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s", program), 1);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s -T 0 echo", program), 1);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s --bad", program), 1);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s --help", program), 0);
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s -V", program), 0);
    /* The shell tells death by SIGALRM so. */
    CU_ASSERT_EQUAL(sandbox_run(base, NULL, "%s -T 1 -t %s defer; exit $?",
                                program, sandbox_path("test.ctl")),
                    128 + SIGALRM);
    CU_ASSERT_PTR_NOT_NULL_FATAL(deferred);
    unixctl_reply(deferred, "too late");
    tear_down();
    free(program);
}

/* The client of the library needs a process of its own: it waits. */
static void
test_client(void)
{
    pid_t pid;
    int status;

    set_up();
    pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (!pid) {
        char *args[] = { (char *) "x", (char *) "" };
        char *bad[] = { (char *) "\xff" };
        struct unixctl_client *client;
        int64_t deadline = clock_ms() + 10000;
        char *result, *error;
        bool ok = true;

        ok &= unixctl_client_connect(sandbox_path("no"), deadline, &client)
              == -ENOENT;
        ok &= !unixctl_client_connect(sandbox_path("test.ctl"), deadline,
                                      &client);
        ok &= unixctl_client_transact(client, "echo", 1, bad, deadline,
                                      &result, &error) == -EINVAL;
        for (int i = 0; i < 3; i++) {
            ok &= !unixctl_client_transact(client, "echo", 2, args, deadline,
                                           &result, &error);
            ok &= result && !error && !strcmp(result, "[x][]\n");
            free(result);
        }
        ok &= !unixctl_client_transact(client, "refuse", 0, NULL, deadline,
                                       &result, &error);
        ok &= !result && error && !strcmp(error, "no way\n");
        free(error);
        ok &= unixctl_client_transact(client, "defer", 0, NULL,
                                      clock_ms() + 50, &result, &error)
              == -ETIMEDOUT;
        unixctl_client_close(client);
        _exit(ok ? 0 : 1);
    }
    while (!waitpid(pid, &status, WNOHANG)) {
        sandbox_loop(base, 5);
    }
    CU_ASSERT(WIFEXITED(status) && !WEXITSTATUS(status));
    /* Its client is gone; the reply goes nowhere. */
    unixctl_reply(deferred, "too late");
    sandbox_loop(base, 20);
    CU_ASSERT_EQUAL(unixctl_server_n_clients(server), 0);
    tear_down();
}

/* -- Clients that behave badly ------------------------------------------ */

static int
open_client(void)
{
    int fd = unix_socket_connect(sandbox_path("test.ctl"));

    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static bool
is_readable(void *fd)
{
    struct pollfd pfd = { .fd = *(int *) fd, .events = POLLIN };

    return poll(&pfd, 1, 0) == 1;
}

/* Sends as much of 'data' as goes out within half a second. */
static size_t
send_some(int fd, const char *data, size_t n)
{
    int64_t deadline = clock_ms() + 500;
    size_t ofs = 0;

    while (ofs < n && clock_ms() < deadline) {
        ssize_t sent = send(fd, data + ofs, MIN(n - ofs, (size_t) 65536),
                            MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno != EAGAIN) {
            break;
        } else if (sent > 0) {
            ofs += (size_t) sent;
        }
        sandbox_loop(base, 1);
    }
    return ofs;
}

/* Waits for what the server sends; true if it is 'expected', and then, if
 * 'then_closed', the end. */
static bool
expect(int fd, const char *expected, bool then_closed)
{
    struct str s = STR_INIT;
    bool ended = false;
    bool ok;

    while ((s.len < strlen(expected) || then_closed) && !ended
           && sandbox_wait(base, 5000, is_readable, &fd)) {
        ssize_t n = recv(fd, str_reserve(&s, 65536), 65536, 0);

        if (n > 0) {
            str_truncate(&s, s.len + (size_t) n);
        } else {
            ended = true;
        }
    }
    ok = !strcmp(str_cstr(&s), expected) && ended == then_closed;
    if (!ok) {
        printf("got \"%.200s\"%s\n", str_cstr(&s), ended ? " and end" : "");
    }
    str_fini(&s);
    return ok;
}

static void
send_text(int fd, const char *text)
{
    CU_ASSERT_EQUAL(send_some(fd, text, strlen(text)), strlen(text));
}

static void
check_hostile_n(const char *data, size_t n)
{
    int fd = open_client();

    send_some(fd, data, n);
    CU_ASSERT(expect(fd, "", true));
    close(fd);
}

static void
check_hostile(const char *text)
{
    check_hostile_n(text, strlen(text));
}

#define ECHO_X "{\"id\":1,\"method\":\"echo\",\"params\":[\"x\"]}"
#define REPLY_X "{\"id\":1,\"result\":\"[x]\\n\",\"error\":null}"

static void
test_garbage(void)
{
    char *big = xmalloc(3 << 20);
    int fd;

    set_up();
    check_hostile("garbage");
    check_hostile_n("\0\0\0", 3);
    check_hostile("{]");
    check_hostile("[]");
    check_hostile("{\"id\":1}");
    check_hostile("{\"method\":\"echo\",\"params\":[]}");
    check_hostile("{\"id\":null,\"method\":\"echo\",\"params\":[]}");
    check_hostile("{\"id\":1,\"method\":\"echo\",\"params\":{}}");
    check_hostile("{\"id\":1,\"method\":7,\"params\":[]}");
    check_hostile("{\"id\":1,\"method\":\"\xff\",\"params\":[]}");
    memset(big, '[', 3 << 20);
    big[0] = '{';
    check_hostile_n(big, 3 << 20);
    memset(big, 'x', 3 << 20);
    memcpy(big, "{\"id\":\"", 7);
    check_hostile_n(big, 3 << 20);

    /* A parameter that is no string is an error, not the end. */
    fd = open_client();
    send_text(fd, "{\"id\":2,\"method\":\"echo\",\"params\":[1]}");
    CU_ASSERT(expect(fd, "{\"id\":2,\"result\":null,\"error\":\"\\\"echo\\\" "
                     "command has an argument that is not a string\\n\"}",
                     false));
    send_text(fd, ECHO_X);
    CU_ASSERT(expect(fd, REPLY_X, false));
    close(fd);
    free(big);
    tear_down();
}

/* Requests that come in pieces, or several at once. */
static void
test_pieces(void)
{
    int fd;

    set_up();
    fd = open_client();
    for (size_t i = 0; i < strlen(ECHO_X); i++) {
        send_some(fd, &ECHO_X[i], 1);
    }
    CU_ASSERT(expect(fd, REPLY_X, false));
    send_text(fd, ECHO_X " \n" ECHO_X ECHO_X);
    CU_ASSERT(expect(fd, REPLY_X REPLY_X REPLY_X, false));
    close(fd);
    tear_down();
}

/* A client that sends for ever and never reads is held in bounds, and others
 * are served. */
static void
test_never_reads(void)
{
    struct str s = STR_INIT;
    size_t sent;
    int fd, other;

    set_up();
    fd = open_client();
    for (int i = 0; i < 1000; i++) {
        str_append(&s, "{\"id\":1,\"method\":\"much\",\"params\":[]}");
    }
    while (s.len < 8 << 20) {
        str_append(&s, ECHO_X);
    }
    sent = send_some(fd, str_cstr(&s), s.len);
    CU_ASSERT(sent < 2 << 20);
    other = open_client();
    send_text(other, ECHO_X);
    CU_ASSERT(expect(other, REPLY_X, false));
    close(other);
    close(fd);
    sandbox_loop(base, 50);
    CU_ASSERT_EQUAL(unixctl_server_n_clients(server), 0);
    str_fini(&s);
    tear_down();
}

/* Half a message, an idle client, and far too many of them. */
static void
test_too_many(void)
{
    int fds[200];
    int fd;

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = open_client();
        send_some(fds[i], "{\"id\":", i % 2 ? 6 : 0);
        sandbox_loop(base, 1);
        CU_ASSERT(unixctl_server_n_clients(server) <= 64);
    }
    fd = open_client();
    send_text(fd, ECHO_X);
    CU_ASSERT(expect(fd, REPLY_X, false));
    CU_ASSERT(expect(fds[0], "", true));
    close(fd);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        close(fds[i]);
    }
    sandbox_loop(base, 100);
    CU_ASSERT_EQUAL(unixctl_server_n_clients(server), 0);
    tear_down();
}

/* Half a message, sent byte by byte, and a reply that is not read: neither
 * lasts longer than the server's patience.  An idle client may stay. */
static void
test_patience(void)
{
    int half, idle, deaf;

    set_up();
    unixctl_server_set_patience(server, 100);
    idle = open_client();
    half = open_client();
    deaf = open_client();
    send_text(deaf, "{\"id\":1,\"method\":\"much\",\"params\":[]}");
    send_text(half, "{\"id\":\"");
    for (int i = 0; i < 50 && !is_readable(&half); i++) {
        send_some(half, "x", 1);
        sandbox_loop(base, 10);
    }
    CU_ASSERT(is_readable(&half));
    sandbox_loop(base, 100);
    CU_ASSERT_EQUAL(unixctl_server_n_clients(server), 1);
    send_text(idle, ECHO_X);
    CU_ASSERT(expect(idle, REPLY_X, false));
    close(idle);
    close(half);
    close(deaf);
    tear_down();
}

/* Clients that wait for a deferred reply when the server goes. */
static void
test_deferred(void)
{
    int fd;

    set_up();
    fd = open_client();
    send_text(fd, "{\"id\":[\"any\",null],\"method\":\"defer\","
              "\"params\":[]}");
    sandbox_loop(base, 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(deferred);
    unixctl_reply(deferred, "now");
    CU_ASSERT(expect(fd, "{\"id\":[\"any\",null],\"result\":\"now\\n\","
                     "\"error\":null}", false));
    deferred = NULL;
    send_text(fd, "{\"id\":3,\"method\":\"defer\",\"params\":[]}");
    sandbox_loop(base, 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(deferred);
    unixctl_server_destroy(server, 0);
    unixctl_reply(deferred, "too late");
    CU_ASSERT_EQUAL_FATAL(unixctl_server_create(base, "test.ctl", &server),
                          0);
    close(fd);
    tear_down();
}

/* The reply to a command that ends the server still goes out. */
static void
test_last_reply(void)
{
    int fd;

    set_up();
    fd = open_client();
    send_text(fd, "{\"id\":3,\"method\":\"defer\",\"params\":[]}");
    sandbox_loop(base, 20);
    unixctl_reply(deferred, "bye");
    unixctl_server_destroy(server, 1000);
    CU_ASSERT(expect(fd, "{\"id\":3,\"result\":\"bye\\n\",\"error\":null}",
                     true));
    CU_ASSERT_EQUAL_FATAL(unixctl_server_create(base, "test.ctl", &server),
                          0);
    close(fd);
    tear_down();
}

/* -- The socket's file --------------------------------------------------- */

static void
test_default_path(void)
{
    struct unixctl_server *second;
    char link[256] = "";
    char *path, *error;
    struct stat st;
    FILE *f;
    int fd;

    qanat_set_progname("/somewhere/unit");
    set_up();

    /* What a killed instance left: its socket and the link. */
    fd = unix_socket_listen(sandbox_path("unit.999999.ctl"));
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    CU_ASSERT_EQUAL(symlink("unit.999999.ctl", sandbox_path("unit.ctl")), 0);

    CU_ASSERT_EQUAL(unixctl_server_create(base, "test.ctl", &second),
                    -EADDRINUSE);
    CU_ASSERT_EQUAL(unixctl_server_create(base, "no/such/dir", &second),
                    -ENOENT);
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_EQUAL_FATAL(unixctl_server_create(base, NULL, &second), 0);
    CU_ASSERT(readlink(sandbox_path("unit.ctl"), link, sizeof link - 1) > 0);
    CU_ASSERT_STRING_EQUAL(sandbox_path(link),
                           unixctl_server_path(second));
    CU_ASSERT(access(sandbox_path("unit.999999.ctl"), F_OK));
    CU_ASSERT_EQUAL(stat(unixctl_server_path(second), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);

    CU_ASSERT_EQUAL(unixctl_find_socket("/a/b", &path, &error), 0);
    CU_ASSERT_STRING_EQUAL(path, "/a/b");
    free(path);
    CU_ASSERT_EQUAL(unixctl_find_socket("unit", &path, &error), -ENOENT);
    free(error);
    /* Nobody holds the lock of this pid file. */
    f = fopen(sandbox_path("unit.pid"), "w");
    fprintf(f, "%d\n", (int) getpid());
    fclose(f);
    CU_ASSERT_EQUAL(unixctl_find_socket("unit", &path, &error), -ESRCH);
    CU_ASSERT_PTR_NULL(path);
    free(error);

    path = xstrdup(unixctl_server_path(second));
    unixctl_server_destroy(second, 0);
    CU_ASSERT(access(path, F_OK));
    CU_ASSERT(lstat(sandbox_path("unit.ctl"), &st));
    free(path);
    tear_down();
}

void
suite_unixctl(void)
{
    CU_pSuite suite = CU_add_suite("unixctl", NULL, NULL);

    CU_add_test(suite, "ovs_appctl", test_ovs_appctl);
    CU_add_test(suite, "qanat_appctl", test_qanat_appctl);
    CU_add_test(suite, "client", test_client);
    CU_add_test(suite, "garbage", test_garbage);
    CU_add_test(suite, "pieces", test_pieces);
    CU_add_test(suite, "never_reads", test_never_reads);
    CU_add_test(suite, "too_many", test_too_many);
    CU_add_test(suite, "patience", test_patience);
    CU_add_test(suite, "deferred", test_deferred);
    CU_add_test(suite, "last_reply", test_last_reply);
    CU_add_test(suite, "default_path", test_default_path);
}
