/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of the unit tests.
 *
 * Every line of suites.def is a suite.  Each runs in a process of its own, so
 * that a crash or a sanitizer's report costs that suite alone and is counted,
 * and so that warped clocks, registries and DPDK's environment never leak
 * from one suite into the next.  The child tells its counts through a pipe.
 *
 * Ends with the line "N passed, N failed, N skipped" and status 1 if anything
 * failed.  Must never need root. */

#include <CUnit/CUnit.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "unit.h"

#define SUITE(STEM) void suite_##STEM(void);
#include "suites.def"
#undef SUITE

/* A suite that is not done by then hangs. */
#define SUITE_DEADLINE_S 240

struct suite {
    const char *name;
    void (*register_cb)(void);
};

static const struct suite suites[] = {
#define SUITE(STEM) {#STEM, suite_##STEM},
#include "suites.def"
#undef SUITE
    {NULL, NULL},
};

struct counts {
    unsigned int n_passed;
    unsigned int n_failed;
    unsigned int n_skipped;
};

static const char *skip_reason;         /* Of the running test, or NULL. */
static struct counts child_counts;      /* In a suite's own process. */
static bool is_verbose;

static struct counts run_suite(const struct suite *, bool fork_each);
static void run_in_this_process(const struct suite *);
static struct counts read_counts(int fd, pid_t, const char *name);
static void on_test_complete(const CU_pTest, const CU_pSuite,
                             const CU_pFailureRecord);
static bool is_wanted(const char *name, char *names[], int n_names);
static void usage(void);

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"list", no_argument, NULL, 'l'},
        {"no-fork", no_argument, NULL, 'n'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct counts total = {0, 0, 0};
    unsigned int n_run = 0;
    bool fork_each = true;
    int option;

    while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            for (const struct suite *s = suites; s->name; s++) {
                puts(s->name);
            }
            return 0;
        case 'n':
            fork_each = false;
            break;
        case 'v':
            is_verbose = true;
            break;
        case 'h':
            usage();
            return 0;
        default:
            return 2;
        }
    }

    for (const struct suite *s = suites; s->name; s++) {
        if (is_wanted(s->name, argv + optind, argc - optind)) {
            struct counts c = run_suite(s, fork_each);

            total.n_passed += c.n_passed;
            total.n_failed += c.n_failed;
            total.n_skipped += c.n_skipped;
            n_run++;
        }
    }
    if (optind < argc && n_run < (unsigned int) (argc - optind)) {
        fprintf(stderr, "unit-tests: no such suite (see --list)\n");
        return 2;
    }
    printf("%u passed, %u failed, %u skipped\n", total.n_passed,
           total.n_failed, total.n_skipped);
    return total.n_failed > 0;
}

void
unit_skip(const char *reason)
{
    skip_reason = reason;
}

void
unit_start_dpdk(void)
{
    /* --no-shconf and --no-telemetry: no file, no socket, so that several runs
     * by several users do not meet.  (--in-memory, which says the same in one
     * word, is refused together with --no-huge.) */
    static char *args[] = {
        "unit-tests", "--no-huge", "--no-shconf", "--no-pci",
        "--no-telemetry", "--log-level=3", "-m", "256", "-l", "0", NULL,
    };
    static bool is_started;

    if (!is_started) {
        is_started = true;
        if (rte_eal_init((int) (sizeof args / sizeof *args) - 1, args) < 0) {
            fprintf(stderr, "unit-tests: DPDK does not start: %s\n",
                    rte_strerror(rte_errno));
            exit(1);
        }
    }
}

static bool
is_wanted(const char *name, char *names[], int n_names)
{
    for (int i = 0; i < n_names; i++) {
        if (!strcmp(names[i], name)) {
            return true;
        }
    }
    return n_names == 0;
}

static struct counts
run_suite(const struct suite *suite, bool fork_each)
{
    int fds[2];
    pid_t pid;

    printf("%s\n", suite->name);
    fflush(stdout);
    if (!fork_each) {
        memset(&child_counts, 0, sizeof child_counts);
        run_in_this_process(suite);
        return child_counts;
    }

    if (pipe(fds) < 0 || (pid = fork()) < 0) {
        perror("unit-tests: cannot start a suite");
        exit(2);
    }
    if (!pid) {
        close(fds[0]);
        alarm(SUITE_DEADLINE_S);
        run_in_this_process(suite);
        if (write(fds[1], &child_counts, sizeof child_counts)
            != (ssize_t) sizeof child_counts) {
            _exit(2);
        }
        /* exit() rather than _exit(): the leak check runs in it. */
        exit(0);
    }
    close(fds[1]);

    struct counts counts = read_counts(fds[0], pid, suite->name);
    close(fds[0]);
    return counts;
}

/* A suite that dies counts as one failure on top of what it told, which is
 * nothing unless it came to its end. */
static struct counts
read_counts(int fd, pid_t pid, const char *name)
{
    struct counts counts = {0, 0, 0};
    ssize_t n;
    int status;

    do {
        n = read(fd, &counts, sizeof counts);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t) sizeof counts) {
        memset(&counts, 0, sizeof counts);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        printf("  FAILED %s: not done after %d s\n", name, SUITE_DEADLINE_S);
        counts.n_failed++;
    } else if (WIFSIGNALED(status)) {
        printf("  FAILED %s: died by signal %d (%s)\n", name,
               WTERMSIG(status), strsignal(WTERMSIG(status)));
        counts.n_failed++;
    } else if (WEXITSTATUS(status) != 0) {
        printf("  FAILED %s: ended with status %d\n", name,
               WEXITSTATUS(status));
        counts.n_failed++;
    } else if (n != (ssize_t) sizeof counts) {
        printf("  FAILED %s: ended before its time\n", name);
        counts.n_failed++;
    }
    fflush(stdout);
    return counts;
}

static void
run_in_this_process(const struct suite *suite)
{
    if (CU_initialize_registry() != CUE_SUCCESS) {
        fprintf(stderr, "unit-tests: %s\n", CU_get_error_msg());
        exit(2);
    }
    suite->register_cb();
    if (CU_get_error() != CUE_SUCCESS
        || !CU_get_registry()->uiNumberOfTests) {
        fprintf(stderr, "unit-tests: suite %s registers no test: %s\n",
                suite->name, CU_get_error_msg());
        exit(2);
    }
    CU_set_test_complete_handler(on_test_complete);
    CU_set_error_action(CUEA_IGNORE);
    CU_run_all_tests();

    /* A suite whose set-up or tear-down failed has no test to blame. */
    if (CU_get_number_of_suites_failed()) {
        printf("  FAILED %s: set-up or tear-down\n", suite->name);
        child_counts.n_failed++;
    }
    CU_cleanup_registry();
    fflush(stdout);
}

static void
on_test_complete(const CU_pTest test, const CU_pSuite suite,
                 const CU_pFailureRecord failure)
{
    (void) suite;

    if (failure) {
        child_counts.n_failed++;
        printf("  FAILED %s\n", test->pName);
        for (const CU_FailureRecord *f = failure; f; f = f->pNext) {
            printf("    %s:%u: %s\n", f->strFileName ? f->strFileName : "?",
                   f->uiLineNumber,
                   f->strCondition ? f->strCondition : "");
        }
    } else if (skip_reason) {
        child_counts.n_skipped++;
        printf("  skipped %s: %s\n", test->pName, skip_reason);
    } else {
        child_counts.n_passed++;
        if (is_verbose) {
            printf("  ok %s\n", test->pName);
        }
    }
    skip_reason = NULL;
    fflush(stdout);
}

static void
usage(void)
{
    printf("usage: unit-tests [--list] [--no-fork] [--verbose] [SUITE...]\n"
           "Runs the unit tests, each suite in its own process.\n"
           "  --list         print the names of the suites\n"
           "  --no-fork      run in this process (for a debugger)\n"
           "  -v, --verbose  name the tests that pass, too\n");
}
