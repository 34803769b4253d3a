/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_unix_socket.c - UNIX sockets by name: stale, taken and very long ones.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "lib/ipc/unix_socket.h"
#include "tests/unit/ipc/sandbox.h"

void suite_unix_socket(void);

static void
test_listen(void)
{
    int fd;

    sandbox_init();
    fd = open(sandbox_path("file"), O_CREAT | O_WRONLY, 0600);
    close(fd);
    CU_ASSERT_EQUAL(unix_socket_listen(sandbox_path("file")), -EEXIST);

    /* What nobody listens at is replaced. */
    fd = unix_socket_listen(sandbox_path("stale"));
    close(fd);
    CU_ASSERT_EQUAL(unix_socket_connect(sandbox_path("stale")),
                    -ECONNREFUSED);
    fd = unix_socket_listen(sandbox_path("stale"));
    CU_ASSERT(fd >= 0);
    close(fd);
    sandbox_fini();
}

/* Names of any length, with folders of 200 bytes. */
static void
test_long_names(void)
{
    struct str name = STR_INIT;
    int fd, fd2;

    sandbox_init();
    str_append(&name, sandbox_path(""));
    for (int i = 0; i < 3; i++) {
        str_append_fill(&name, 'd', 200);
        CU_ASSERT_EQUAL(mkdir(str_cstr(&name), 0700), 0);
        str_append(&name, "/");
    }
    str_append(&name, "socket");
    fd = unix_socket_listen(str_cstr(&name));
    CU_ASSERT_FATAL(fd >= 0);
    fd2 = unix_socket_connect(str_cstr(&name));
    CU_ASSERT_FATAL(fd2 >= 0);
    CU_ASSERT_EQUAL(unix_socket_listen(str_cstr(&name)), -EADDRINUSE);
    close(fd);
    close(fd2);
    fd = unix_socket_listen(str_cstr(&name));
    CU_ASSERT(fd >= 0);
    close(fd);
    str_append_fill(&name, 'x', 100);
    CU_ASSERT_EQUAL(unix_socket_listen(str_cstr(&name)), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(unix_socket_connect(str_cstr(&name)), -ENOENT);
    str_fini(&name);
    sandbox_fini();
}

void
suite_unix_socket(void)
{
    CU_pSuite suite = CU_add_suite("unix_socket", NULL, NULL);

    CU_add_test(suite, "listen", test_listen);
    CU_add_test(suite, "long_names", test_long_names);
}
