/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ovsdb_hostile.c - the replica against a server that lies, babbles,
 * stutters and hangs up.  Each case is followed by a good server, with which
 * the client must get along.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ipc/framer.h"
#include "lib/ipc/unix_socket.h"
#include "lib/ovsdb/ovsdb.h"
#include "tests/unit/ipc/sandbox.h"

#define U1 "11111111-1111-1111-1111-111111111111"
#define U2 "22222222-2222-2222-2222-222222222222"

#define GOOD_SCHEMA                                                         \
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{"\
    "\"s\":{\"type\":\"string\"},"                                          \
    "\"i\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}},"           \
    "\"set\":{\"type\":{\"key\":\"string\",\"min\":0,"                      \
    "\"max\":\"unlimited\"}},"                                              \
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0," \
    "\"max\":\"unlimited\"}}}}}}"
#define GOOD_CONTENT                                                        \
    "{\"T\":{\"" U1 "\":{\"initial\":{\"s\":\"one\",\"i\":7,"               \
    "\"set\":[\"set\",[\"a\",\"b\"]],\"map\":[\"map\",[[\"k\",\"v\"]]]}}}}"

/* What the server does.  NULL for text means: what is good. */
struct script {
    const char *schema;         /* The result of get_schema. */
    const char *content;        /* The result of monitor_cond. */
    const char *then;           /* Sent as it is after the content. */
    bool hang_up;               /* And then closes. */
    bool is_silent;             /* Answers nothing at all. */
    bool is_error;              /* Answers everything with an error. */
};

static const struct script good;

static struct event_base *base;
static struct event *listener;
static struct event *reader;    /* Of the only connection, or NULL. */
static int listen_fd;
static struct framer framer;
static const struct script *script;
static struct ovsdb *db;
static unsigned int n_changes;

void suite_ovsdb_hostile(void);

static void
drop_connection(void)
{
    if (reader) {
        evutil_socket_t fd = event_get_fd(reader);

        event_free(reader);
        close(fd);
        framer_fini(&framer);
        reader = NULL;
    }
}

static void
send_text(const char *text)
{
    size_t len = strlen(text);

    while (len) {
        ssize_t n = send(event_get_fd(reader), text, len, MSG_NOSIGNAL);

        if (n < 0) {
            return;
        }
        text += n;
        len -= (size_t) n;
    }
}

static void
answer(const json_t *request)
{
    const char *method = json_string_value(json_object_get(request,
                                                           "method"));
    const char *result = "{}";
    bool is_content = false;
    struct str s = STR_INIT;

    if (!method || script->is_silent) {
        return;
    } else if (!strcmp(method, "get_schema")) {
        result = script->schema ? script->schema : GOOD_SCHEMA;
    } else if (!strcmp(method, "monitor_cond")) {
        result = script->content ? script->content : GOOD_CONTENT;
        is_content = true;
    } else if (!strcmp(method, "lock")) {
        result = "{\"locked\":true}";
    }
    str_append(&s, "{\"id\":");
    framer_dump(&s, json_object_get(request, "id"));
    if (script->is_error) {
        str_append(&s, ",\"result\":null,\"error\":\"no\"}");
    } else {
        str_printf(&s, ",\"result\":%s,\"error\":null}", result);
    }
    if (is_content && script->then) {
        str_append(&s, script->then);
    }
    send_text(str_cstr(&s));
    str_fini(&s);
    if (is_content && script->hang_up) {
        drop_connection();
    }
}

static void
on_readable(evutil_socket_t fd, short events UNUSED, void *aux UNUSED)
{
    char buf[4096];
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
    size_t ofs = 0;

    if (n < 0 && errno == EAGAIN) {
        return;
    } else if (n <= 0) {
        drop_connection();
        return;
    }
    while (reader && ofs < (size_t) n) {
        size_t used;
        enum framer_status status = framer_feed(&framer, buf + ofs,
                                                (size_t) n - ofs, &used);

        ofs += used;
        if (status == FRAMER_MESSAGE) {
            char *error;
            json_t *msg = framer_take(&framer, &error);

            CU_ASSERT_PTR_NOT_NULL(msg);
            answer(msg);
            json_decref(msg);
            free(error);
        }
    }
}

static void
on_accept(evutil_socket_t fd, short events UNUSED, void *aux UNUSED)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    if (client >= 0) {
        drop_connection();
        framer_init(&framer, 1 << 20, 64);
        reader = event_new(base, client, EV_READ | EV_PERSIST, on_readable,
                           NULL);
        event_add(reader, NULL);
    }
}

static void
count_change(struct ovsdb *db_ UNUSED, void *aux UNUSED)
{
    n_changes++;
}

static void
set_up(void)
{
    sandbox_init();
    base = event_base_new();
    listen_fd = unix_socket_listen(sandbox_path("db.sock"));
    CU_ASSERT_FATAL(listen_fd >= 0);
    listener = event_new(base, listen_fd, EV_READ | EV_PERSIST, on_accept,
                         NULL);
    event_add(listener, NULL);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
}

static void
start_client(const struct script *s)
{
    script = s;
    n_changes = 0;
    db = ovsdb_create(base, "unix:db.sock", "D");
    ovsdb_add_column(db, "T", "s");
    ovsdb_add_column(db, "T", "i");
    ovsdb_add_column(db, "T", "set");
    ovsdb_add_column(db, "T", "map");
    ovsdb_set_lock(db, "L");
    ovsdb_set_change_cb(db, count_change, NULL);
    ovsdb_start(db);
}

static void
stop_client(void)
{
    ovsdb_destroy(db);
    db = NULL;
    drop_connection();
}

static void
tear_down(void)
{
    event_free(listener);
    close(listen_fd);
    event_base_free(base);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    sandbox_fini();
}

static bool
is_synced(void *aux UNUSED)
{
    return ovsdb_is_synced(db);
}

static bool
has_failed(void *aux UNUSED)
{
    return strstr(ovsdb_status(db), "trying again") != NULL;
}

/* The content of the good server and nothing else. */
static bool
is_good(void *aux UNUSED)
{
    const struct ovsdb_row *row = ovsdb_first_row(db, "T");
    int64_t i;

    return ovsdb_is_synced(db) && ovsdb_has_lock(db)
           && ovsdb_n_rows(db, "T") == 1
           && !strcmp(ovsdb_get_string(row, "s", ""), "one")
           && ovsdb_get_int(row, "i", &i) && i == 7
           && ovsdb_get_count(row, "set") == 2
           && ovsdb_get_smap_value(row, "map", "k")
           && !strcmp(ovsdb_get_smap_value(row, "map", "k"), "v");
}

/* Servers that make the client hang up. */
static void
test_fatal(void)
{
    static const struct script scripts[] = {
        { .is_error = true },
        { .schema = "null" },
        { .schema = "[]" },
        { .schema = "{}" },
        { .schema = "{\"name\":\"D\",\"tables\":7}" },
        { .schema = "{\"name\":\"D\",\"tables\":{\"T\":{}}}" },
        { .schema = "{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":"
                    "{\"s\":{\"type\":\"nonsense\"}}}}}" },
        { .schema = "{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":"
                    "{\"s\":{\"type\":{\"key\":\"string\",\"min\":-1}}}}}}" },
        { .schema = "\"\xff\"" },
        { .content = "null" },
        { .content = "[]" },
        { .content = "{{}}" },
        { .content = "{\"T\":{\"" U1 "\":{\"initial\":{\"s\":\"\xff\"}}}}" },
        { .content = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" },
        { .then = "x" },
        { .then = "[]" },
        { .then = "{}" },
        { .then = "{\"id\":null,\"method\":7,\"params\":[]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":{}}" },
        { .hang_up = true },
        { .then = "{\"id\":null,\"meth", .hang_up = true },
        { .then = "{\"id\":null,\"method\":\"monitor_canceled\","
                  "\"params\":[\"qanat\"]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                  "{\"T\":{\"" U2 "\":{\"modify\":{\"s\":\"x\"}}}}]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                  "{\"T\":{\"" U2 "\":{\"delete\":null}}}]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                  "{\"T\":{\"" U1 "\":{\"insert\":{\"s\":\"x\"}}}}]}" },
        /* Good and bad in one update: none of it counts. */
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                  "{\"T\":{\"" U1 "\":{\"modify\":{\"s\":\"bad\"}},"
                  "\"" U2 "\":{\"delete\":null}}}]}" },
        { .then = "{\"id\":null,\"method\":\"update\",\"params\":[\"qanat\","
                  "{\"T\":{\"" U2 "\":{\"old\":{},\"new\":{}}}}]}" },
    };

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        const struct ovsdb_row *row;
        bool failed;

        start_client(&scripts[i]);
        failed = sandbox_wait(base, 5000, has_failed, NULL);
        if (!failed) {
            printf("case %zu: %s\n", i, ovsdb_status(db));
        }
        CU_ASSERT(failed);
        row = ovsdb_first_row(db, "T");
        CU_ASSERT(!row || !strcmp(ovsdb_get_string(row, "s", ""), "one"));
        script = &good;
        CU_ASSERT(sandbox_wait(base, 10000, is_good, NULL));
        stop_client();
    }
    tear_down();
}

/* Nonsense that costs only itself. */
static void
test_tolerated(void)
{
    static const struct script scripts[] = {
        { .content = "{}" },
        { .content = "{\"T\":7,\"X\":{}}" },
        { .content = "{\"T\":{\"nonsense\":{\"initial\":{}},"
                     "\"" U2 "\":7,\"" U1 "\":{\"initial\":{\"s\":"
                     "\"one\"}}}}" },
        { .content = "{\"T\":{\"" U1 "\":{\"initial\":{\"s\":\"one\","
                     "\"i\":\"seven\",\"set\":[\"map\",[]],"
                     "\"map\":[\"map\",[[\"k\"]]]}}}}" },
        { .content = "{\"T\":{\"" U1 "\":{\"initial\":{\"s\":[\"set\",[]],"
                     "\"i\":[\"set\",[1,2,3]],\"set\":{},\"map\":null}}}}" },
        { .content = "{\"T\":{\"" U1 "\":{\"initial\":7}}}" },
        { .content = "{\"T\":{\"" U1 "\":{\"initial\":{\"s\":"
                     "\"o\\u0000\"}}}}" },
        { .content = "{\"T\":{\"" U1 "\":{\"modify\":{\"s\":\"one\"}},"
                     "\"" U2 "\":{\"delete\":null}}}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[7,8]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":"
                  "[\"other\",{\"T\":{\"" U2 "\":{\"delete\":null}}}]}" },
        { .then = "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                  "{\"T\":{\"" U1 "\":{\"modify\":7},\"x\":{},"
                  "\"" U2 "\":{}}}]}" },
        { .then = "{\"id\":null,\"method\":\"nonsense\",\"params\":[]}"
                  "{\"id\":7,\"method\":\"nonsense\",\"params\":[]}"
                  "{\"id\":\"x\",\"result\":7,\"error\":null}"
                  "{\"id\":99999999,\"result\":7,\"error\":null}"
                  "{\"id\":99999999,\"result\":null,\"error\":{}}"
                  "{\"id\":[],\"method\":\"echo\",\"params\":[{}]}"
                  "{\"id\":null,\"method\":\"locked\",\"params\":[\"X\"]}"
                  "{\"id\":null,\"method\":\"stolen\",\"params\":[7]}" },
    };

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        bool synced;

        start_client(&scripts[i]);
        synced = sandbox_wait(base, 5000, is_synced, NULL);
        sandbox_loop(base, 20);
        if (!synced || !ovsdb_is_synced(db)) {
            printf("case %zu: %s\n", i, ovsdb_status(db));
        }
        CU_ASSERT(synced && ovsdb_is_synced(db));
        CU_ASSERT_EQUAL(n_changes, 1);
        CU_ASSERT_EQUAL(ovsdb_n_syncs(db), 1);
        CU_ASSERT(ovsdb_n_rows(db, "T") <= 1);
        script = &good;
        drop_connection();
        CU_ASSERT(sandbox_wait(base, 10000, is_good, NULL));
        stop_client();
    }
    tear_down();
}

/* Updates apply as a whole, with one call for what came together. */
static void
test_differences(void)
{
    static const struct script s = {
        .then = "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                "{\"T\":{\"" U1 "\":{\"modify\":{"
                "\"set\":[\"set\",[\"b\",\"c\"]],\"i\":[\"set\",[]],"
                "\"map\":[\"map\",[[\"k\",\"w\"],[\"l\",\"x\"]]]}},"
                "\"" U2 "\":{\"insert\":{}}}}]}"
                "{\"id\":null,\"method\":\"update2\",\"params\":[\"qanat\","
                "{\"T\":{\"" U1 "\":{\"modify\":{"
                "\"map\":[\"map\",[[\"l\",\"x\"]]]}}}}]}"
    };
    const struct ovsdb_row *row;
    const char **strings;
    struct uuid uuid;
    int64_t i;
    size_t n;

    set_up();
    start_client(&s);
    CU_ASSERT(sandbox_wait(base, 5000, is_synced, NULL));
    sandbox_loop(base, 20);
    CU_ASSERT_EQUAL(n_changes, 1);
    CU_ASSERT_EQUAL(ovsdb_n_rows(db, "T"), 2);
    uuid_from_text(&uuid, U1);
    row = ovsdb_find_row(db, "T", &uuid);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_EQUAL(ovsdb_get_strings(row, "set", &strings, &n), 2);
    CU_ASSERT_STRING_EQUAL(strings[0], "a");
    CU_ASSERT_STRING_EQUAL(strings[1], "c");
    free(strings);
    CU_ASSERT(!ovsdb_get_int(row, "i", &i));
    CU_ASSERT_EQUAL(ovsdb_get_count(row, "map"), 1);
    CU_ASSERT_STRING_EQUAL(ovsdb_get_smap_value(row, "map", "k"), "w");
    uuid_from_text(&uuid, U2);
    row = ovsdb_find_row(db, "T", &uuid);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_STRING_EQUAL(ovsdb_get_string(row, "s", "absent"), "");
    stop_client();
    tear_down();
}

/* A server that never answers, and one that sends without end. */
static void
test_silent_and_endless(void)
{
    static const struct script silent = { .is_silent = true };
    struct script endless = { .schema = NULL };
    struct str s = STR_INIT;

    set_up();
    start_client(&silent);
    ovsdb_set_probe_interval(db, 20);
    CU_ASSERT(sandbox_wait(base, 5000, has_failed, NULL));
    script = &good;
    CU_ASSERT(sandbox_wait(base, 10000, is_good, NULL));
    stop_client();

    str_append_fill(&s, '{', 100000);
    endless.then = str_cstr(&s);
    start_client(&endless);
    CU_ASSERT(sandbox_wait(base, 5000, has_failed, NULL));
    script = &good;
    CU_ASSERT(sandbox_wait(base, 10000, is_good, NULL));
    stop_client();
    str_fini(&s);
    tear_down();
}

/* A server that breaks each session is not tried at the highest rate. */
static void
test_backoff(void)
{
    static const struct script s = { .hang_up = true };

    set_up();
    start_client(&s);
    sandbox_loop(base, 2000);
    /* At 0, 0.1, 0.3, 0.7 and 1.5 s. */
    CU_ASSERT(ovsdb_n_syncs(db) >= 4 && ovsdb_n_syncs(db) <= 6);
    stop_client();
    tear_down();
}

/* Transactions whose answer makes no sense complete, too. */
static void
note_status(struct ovsdb *db_ UNUSED, enum ovsdb_txn_status status,
            const char *error, void *aux)
{
    CU_ASSERT_EQUAL(error != NULL, status == OVSDB_TXN_ERROR);
    *(int *) aux = (int) status;
}

static bool
is_set(void *status)
{
    return *(int *) status >= 0;
}

static int
try_txn(void)
{
    struct ovsdb_txn *txn = ovsdb_txn_create(db);
    int status = -1;

    ovsdb_txn_set_int(txn, ovsdb_first_row(db, "T"), "i", 8);
    ovsdb_txn_commit(txn, note_status, &status);
    CU_ASSERT(sandbox_wait(base, 5000, is_set, &status));
    return status;
}

static void
test_txn_answers(void)
{
    static const struct script error = { .is_error = true };

    set_up();
    start_client(&good);
    CU_ASSERT(sandbox_wait(base, 5000, is_good, NULL));
    /* The good script answers "{}", which is no array. */
    CU_ASSERT_EQUAL(try_txn(), OVSDB_TXN_ERROR);
    script = &error;
    CU_ASSERT_EQUAL(try_txn(), OVSDB_TXN_ERROR);
    CU_ASSERT(ovsdb_is_synced(db));
    stop_client();
    tear_down();
}

/* Destroyed at every stage, with a transaction in flight. */
static void
test_destroy(void)
{
    static const struct script silent = { .is_silent = true };
    struct ovsdb_txn *txn;
    int status = -1;

    set_up();
    start_client(&silent);
    stop_client();
    for (int ms = 0; ms < 20; ms++) {
        start_client(&good);
        sandbox_loop(base, ms);
        stop_client();
    }
    start_client(&good);
    CU_ASSERT(sandbox_wait(base, 5000, is_good, NULL));
    script = &silent;
    txn = ovsdb_txn_create(db);
    ovsdb_txn_set_int(txn, ovsdb_first_row(db, "T"), "i", 8);
    ovsdb_txn_commit(txn, note_status, &status);
    CU_ASSERT_EQUAL(status, -1);
    stop_client();
    CU_ASSERT_EQUAL(status, OVSDB_TXN_LOST);
    tear_down();
}

/* Remotes that are not there or not even remotes. */
static void
test_bad_remotes(void)
{
    static const char *const remotes[] = {
        "", "nonsense", "unix:", "unix:/no/such/socket", "tcp:", "tcp:x:1",
        "tcp:1.2.3.4:0", "tcp:1.2.3.4:99999", "tcp:[::1", "tcp:[::1]x",
        "tcp:1.2.3.4:5:6", "ssl:127.0.0.1:1", "tcp:127.0.0.1:1",
        "tcp:[::1]:1",
    };

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(remotes); i++) {
        db = ovsdb_create(base, remotes[i], "D");
        ovsdb_start(db);
        CU_ASSERT(!has_failed(NULL));
        CU_ASSERT(sandbox_wait(base, 5000, has_failed, NULL));
        CU_ASSERT(!ovsdb_is_synced(db));
        ovsdb_destroy(db);
    }
    db = NULL;
    tear_down();
}

void
suite_ovsdb_hostile(void)
{
    CU_pSuite suite = CU_add_suite("ovsdb_hostile", NULL, NULL);

    CU_add_test(suite, "fatal", test_fatal);
    CU_add_test(suite, "tolerated", test_tolerated);
    CU_add_test(suite, "differences", test_differences);
    CU_add_test(suite, "silent_and_endless", test_silent_and_endless);
    CU_add_test(suite, "backoff", test_backoff);
    CU_add_test(suite, "txn_answers", test_txn_answers);
    CU_add_test(suite, "destroy", test_destroy);
    CU_add_test(suite, "bad_remotes", test_bad_remotes);
}
