/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_jsonrpc.c - the synchronous connection against a real ovsdb-server,
 * over a UNIX socket and TCP, and against peers that misbehave.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/ipc/unix_socket.h"
#include "lib/ovsdb/jsonrpc.h"
#include "tests/unit/ipc/sandbox.h"
#include "tests/unit/ovsdb/ovsdb_test.h"

void suite_jsonrpc(void);

static void
check_kind(const char *text, enum jsonrpc_kind kind)
{
    json_t *msg = json_loads(text, 0, NULL);

    CU_ASSERT_PTR_NOT_NULL(msg);
    CU_ASSERT_EQUAL(jsonrpc_classify(msg), kind);
    json_decref(msg);
}

static void
test_classify(void)
{
    json_t *msg;
    int64_t id;

    check_kind("{}", JSONRPC_BAD);
    check_kind("[]", JSONRPC_BAD);
    check_kind("{\"method\":\"m\",\"params\":[],\"id\":0}", JSONRPC_REQUEST);
    check_kind("{\"method\":\"m\",\"params\":[],\"id\":null}",
               JSONRPC_NOTIFY);
    check_kind("{\"method\":\"m\",\"params\":[]}", JSONRPC_NOTIFY);
    check_kind("{\"method\":\"m\",\"params\":{},\"id\":0}", JSONRPC_BAD);
    check_kind("{\"method\":\"m\",\"id\":0}", JSONRPC_BAD);
    check_kind("{\"result\":null,\"error\":null,\"id\":0}", JSONRPC_REPLY);
    check_kind("{\"result\":1,\"id\":\"x\"}", JSONRPC_REPLY);
    check_kind("{\"result\":null,\"error\":\"e\",\"id\":0}", JSONRPC_ERROR);
    check_kind("{\"result\":1,\"error\":null,\"id\":null}", JSONRPC_BAD);
    check_kind("{\"error\":null,\"id\":1}", JSONRPC_BAD);

    msg = jsonrpc_request("m", json_array(), &id);
    CU_ASSERT_EQUAL(jsonrpc_classify(msg), JSONRPC_REQUEST);
    CU_ASSERT(!jsonrpc_is_answer_to(msg, id));
    json_decref(msg);
    msg = jsonrpc_reply(json_integer(5), json_null());
    CU_ASSERT(jsonrpc_is_answer_to(msg, 5));
    CU_ASSERT(!jsonrpc_is_answer_to(msg, 6));
    json_decref(msg);
    msg = jsonrpc_notify("m", json_array());
    CU_ASSERT_EQUAL(jsonrpc_classify(msg), JSONRPC_NOTIFY);
    json_decref(msg);
}

static struct jsonrpc_sync *
open_remote(const char *remote)
{
    struct jsonrpc_sync *rpc;
    char *error = NULL;
    int retval = jsonrpc_sync_open(remote, false, clock_ms() + 5000, &rpc,
                                   &error);

    if (retval) {
        printf("%s: %s\n", remote, error);
    }
    CU_ASSERT_EQUAL_FATAL(retval, 0);
    return rpc;
}

static void
check_list_dbs(const char *remote)
{
    struct jsonrpc_sync *rpc = open_remote(remote);
    json_t *result, *error;

    CU_ASSERT_EQUAL(jsonrpc_sync_call(rpc, "list_dbs", json_array(),
                                      clock_ms() + 5000, &result, &error),
                    0);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT(json_array_size(result) == 2);
    json_decref(result);
    CU_ASSERT_EQUAL(jsonrpc_sync_call(rpc, "nonsense", json_array(),
                                      clock_ms() + 5000, &result, &error),
                    0);
    CU_ASSERT_PTR_NULL(result);
    CU_ASSERT_PTR_NOT_NULL(error);
    json_decref(error);
    jsonrpc_sync_close(rpc);
}

/* The port that ovsdb-server chose: its command tells none, its log does. */
static int
find_port(const char *ip)
{
    const char *output;

    if (sandbox_run(NULL, &output, "sed -n 's/.*%s.*listening on port "
                    "\\([0-9]*\\).*/\\1/p' server.log | tail -1", ip)) {
        return 0;
    }
    return atoi(output);
}

static void
test_remotes(void)
{
    char remote[64];
    int port;

    if (!dbt_set_up("--log-file=server.log -vfile:info "
                    "--remote=ptcp:0:127.0.0.1")) {
        return;
    }
    check_list_dbs("unix:db.sock");
    snprintf(remote, sizeof remote, "unix:%s", sandbox_path("db.sock"));
    check_list_dbs(remote);
    port = find_port("127.0.0.1");
    CU_ASSERT_FATAL(port > 0);
    snprintf(remote, sizeof remote, "tcp:127.0.0.1:%d", port);
    check_list_dbs(remote);
    /* IPv6, where the machine has it. */
    if (!sandbox_run(NULL, NULL, "ovs-appctl -t %s ovsdb-server/add-remote "
                     "'ptcp:0:[::1]'", sandbox_path("server.ctl"))
        && (port = find_port("::1")) > 0) {
        snprintf(remote, sizeof remote, "tcp:[::1]:%d", port);
        check_list_dbs(remote);
    }
    dbt_tear_down();
}

/* Updates that come before an answer are kept for later. */
static void
test_notifications(void)
{
    struct jsonrpc_sync *rpc;
    json_t *result, *error;
    json_t *msg;

    if (!dbt_set_up("")) {
        return;
    }
    rpc = open_remote("unix:db.sock");
    CU_ASSERT_EQUAL(
        jsonrpc_sync_call(rpc, "monitor",
                          json_pack("[s, s, {s:[{s:[s]}]}]", "Open_vSwitch",
                                    "m", "Open_vSwitch", "columns",
                                    "next_cfg"),
                          clock_ms() + 5000, &result, &error), 0);
    CU_ASSERT(json_object_size(result) == 1);
    json_decref(result);
    CU_ASSERT_EQUAL(
        jsonrpc_sync_call(rpc, "transact",
                          json_pack("[s, {s:s, s:s, s:[], s:[[s, s, i]]}]",
                                    "Open_vSwitch", "op", "mutate", "table",
                                    "Open_vSwitch", "where", "mutations",
                                    "next_cfg", "+=", 1),
                          clock_ms() + 5000, &result, &error), 0);
    CU_ASSERT(json_is_array(result));
    json_decref(result);
    CU_ASSERT_EQUAL(jsonrpc_sync_recv(rpc, clock_ms() + 5000, &msg), 0);
    CU_ASSERT_EQUAL(jsonrpc_classify(msg), JSONRPC_NOTIFY);
    json_decref(msg);
    CU_ASSERT_EQUAL(jsonrpc_sync_recv(rpc, clock_ms() + 30, &msg),
                    -ETIMEDOUT);
    CU_ASSERT_PTR_NULL(msg);

    /* A server that hangs, and one that is gone. */
    kill(dbt_server, SIGSTOP);
    CU_ASSERT_EQUAL(jsonrpc_sync_call(rpc, "list_dbs", json_array(),
                                      clock_ms() + 50, &result, &error),
                    -ETIMEDOUT);
    sandbox_kill(dbt_server, SIGKILL);
    CU_ASSERT_EQUAL(jsonrpc_sync_recv(rpc, clock_ms() + 5000, &msg),
                    -ECONNRESET);
    jsonrpc_sync_close(rpc);
    dbt_tear_down();
}

static void
test_open(void)
{
    struct jsonrpc_sync *rpc;
    int64_t start = clock_ms();
    char *error;

    sandbox_init();
    CU_ASSERT_EQUAL(jsonrpc_sync_open("nonsense", true, INT64_MAX, &rpc,
                                      &error), -EINVAL);
    CU_ASSERT_PTR_NULL(rpc);
    free(error);
    CU_ASSERT_EQUAL(jsonrpc_sync_open("unix:none", false, INT64_MAX, &rpc,
                                      &error), -ENOENT);
    CU_ASSERT_STRING_EQUAL(error, "No such file or directory");
    free(error);
    CU_ASSERT_EQUAL(jsonrpc_sync_open("unix:none", true, clock_ms() + 100,
                                      &rpc, &error), -ENOENT);
    free(error);
    CU_ASSERT(clock_ms() >= start + 100);
    CU_ASSERT(clock_ms() < start + 5000);
    sandbox_fini();
}

/* What a peer that sends 'n' bytes of 'data' makes of a call. */
static int
call_peer(const char *data, size_t n)
{
    int listen_fd = unix_socket_listen(sandbox_path("peer"));
    struct jsonrpc_sync *rpc = open_remote("unix:peer");
    int fd = accept(listen_fd, NULL, NULL);
    json_t *result, *error;
    int retval;

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(send(fd, data, n, MSG_NOSIGNAL), (ssize_t) n);
    shutdown(fd, SHUT_WR);
    retval = jsonrpc_sync_call(rpc, "list_dbs", json_array(),
                               clock_ms() + 1000, &result, &error);
    CU_ASSERT_PTR_NULL(result);
    CU_ASSERT_PTR_NULL(error);
    jsonrpc_sync_close(rpc);
    close(fd);
    close(listen_fd);
    unlink(sandbox_path("peer"));
    return retval;
}

static void
test_bad_peers(void)
{
    static const struct {
        const char *data;
        int error;
    } peers[] = {
        { "", -ECONNRESET },
        { "{\"id\":", -EPROTO },
        { "garbage", -EPROTO },
        { "{}", -EPROTO },
        { "{\"id\":1,\"result\":\"\xff\"}", -EPROTO },
        { "{\"id\":null,\"method\":\"x\",\"params\":[]}", -ECONNRESET },
        { "{\"id\":\"no\",\"result\":1,\"error\":null}", -ECONNRESET },
        { "{\"id\":1,\"method\":\"echo\",\"params\":[]}", -ECONNRESET },
    };
    char deep[1000];

    sandbox_init();
    for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
        CU_ASSERT_EQUAL(call_peer(peers[i].data, strlen(peers[i].data)),
                        peers[i].error);
    }
    memset(deep, '{', sizeof deep);
    CU_ASSERT_EQUAL(call_peer(deep, sizeof deep), -EPROTO);
    sandbox_fini();
}

/* UUIDs from text, of which none but the one form is taken. */
static void
check_uuid(const char *text, bool ok)
{
    char again[UUID_LEN + 1];
    struct uuid uuid;

    CU_ASSERT_EQUAL(uuid_from_text(&uuid, text), ok);
    uuid_to_text(&uuid, again);
    CU_ASSERT_STRING_EQUAL(again, ok ? text : "00000000-0000-0000-0000-"
                                             "000000000000");
}

static void
test_uuid(void)
{
    static const char alphabet[] = "0f-gF";
    struct uuid a, b;

    check_uuid("00112233-4455-6677-8899-aabbccddeeff", true);
    check_uuid("00112233-4455-6677-8899-aabbccddeef", false);
    check_uuid("00112233-4455-6677-8899-aabbccddeeff0", false);
    check_uuid("001122334455-6677-8899-aabbccddeeff-", false);
    check_uuid("g0112233-4455-6677-8899-aabbccddeeff", false);
    check_uuid("", false);
    uuid_random(&a);
    uuid_random(&b);
    CU_ASSERT(!uuid_equal(&a, &b));
    CU_ASSERT_EQUAL(uuid_hash(&a, 0), uuid_hash(&a, 0));
    srand(1);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t) (rand() % 40);
        char *text = xmalloc(n + 1);

        for (size_t j = 0; j < n; j++) {
            text[j] = rand() % 4 && (j == 8 || j == 13 || j == 18 || j == 23)
                      ? '-' : alphabet[rand() % 5];
        }
        text[n] = '\0';
        CU_ASSERT(!uuid_from_text(&a, text) || n == UUID_LEN);
        free(text);
    }
}

void
suite_jsonrpc(void)
{
    CU_pSuite suite = CU_add_suite("jsonrpc", NULL, NULL);

    CU_add_test(suite, "classify", test_classify);
    CU_add_test(suite, "remotes", test_remotes);
    CU_add_test(suite, "notifications", test_notifications);
    CU_add_test(suite, "open", test_open);
    CU_add_test(suite, "bad_peers", test_bad_peers);
    CU_add_test(suite, "uuid", test_uuid);
}
