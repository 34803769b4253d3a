/* SPDX-License-Identifier: Apache-2.0 */

/* dp_eal.c - starts and ends DPDK's environment.
 *
 * MAIN.  Nothing has to be configured: with free huge pages DPDK uses them,
 * without it runs on ordinary memory; PCI devices are left alone until a port
 * names one. */

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_version.h>

#include "datapath/dp_private.h"
#include "datapath/mem.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

LOG_MODULE(dpdk);

#define N_SMALL 16384u
#define N_BIG 512u
/* 16384 packets of 2.7 kB, 512 of 64 kB, 32768 references of 0.5 kB, and what
 * ethdev drivers ask for. */
#define MEMORY_MB 256u
#define MEMORY_MB_NO_HUGE 512u  /* Fixed at start; used pages only count. */
#define MAX_ARGS 64

struct eal_args {
    char *argv[MAX_ARGS + 1];
    int argc;
};

static void PRINTF_FORMAT(2, 3)
add_arg(struct eal_args *args, const char *format, ...)
{
    va_list ap;

    if (args->argc == MAX_ARGS) {
        return;
    }
    va_start(ap, format);
    args->argv[args->argc++] = xvasprintf(format, ap);
    va_end(ap);
}

/* Splits other_config:dpdk-extra at blanks. */
static void
add_extra_args(struct eal_args *args, const char *extra)
{
    while (extra && *extra) {
        size_t n;

        extra += strspn(extra, " \t\n");
        n = strcspn(extra, " \t\n");
        if (n) {
            add_arg(args, "%.*s", (int) n, extra);
        }
        extra += n;
    }
}

static bool
has_arg(const char *extra, const char *arg)
{
    return extra && strstr(extra, arg);
}

/* Free huge pages of any size, in MB. */
static unsigned long
free_huge_mb(void)
{
    static const struct {
        const char *path;
        unsigned long mb;
    } sizes[] = {
        { "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", 2 },
        { "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages",
          1024 },
    };
    unsigned long total = 0;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        FILE *file = fopen(sizes[i].path, "re");
        unsigned long n;

        if (file) {
            if (fscanf(file, "%lu", &n) == 1) {
                total += n * sizes[i].mb;
            }
            fclose(file);
        }
    }
    return total;
}

/* The first CPU that the process may use: DPDK wants its main thread to have a
 * home, though MAIN is given back its whole set below. */
static int
first_cpu(const cpu_set_t *cpus)
{
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((size_t) i, cpus)) {
            return i;
        }
    }
    return 0;
}

/* DPDK's own lines go to our log.  Runs in whatever thread logs. */
static ssize_t
write_log(void *cookie UNUSED, const char *text, size_t len)
{
    int n = (int) len;

    while (n > 0 && isspace((unsigned char) text[n - 1])) {
        n--;
    }
    if (n > 0) {
        int level = rte_log_cur_msg_loglevel();

        if (level <= (int) RTE_LOG_ERR) {
            log_err_rl("%.*s", n, text);
        } else if (level == (int) RTE_LOG_WARNING) {
            log_warn_rl("%.*s", n, text);
        } else {
            log_info("%.*s", n, text);
        }
    }
    return (ssize_t) len;
}

static void
redirect_log(void)
{
    cookie_io_functions_t io = { .write = write_log };
    FILE *stream = fopencookie(NULL, "w", io);

    if (stream) {
        setvbuf(stream, NULL, _IOLBF, 0);
        rte_openlog_stream(stream);
    }
}

const char *
dp_version(void)
{
    return rte_version();
}

static void
make_args(struct eal_args *args, const struct dp_cfg *cfg, int cpu)
{
    unsigned long huge_mb = free_huge_mb();
    bool use_huge = huge_mb >= MEMORY_MB
                    && !has_arg(cfg->extra_args, "--no-huge");

    add_arg(args, "qanat-vswitchd");
    add_arg(args, "--no-telemetry");
    add_arg(args, "--lcores=0@%d", cpu);
    if (!has_arg(cfg->extra_args, "-a") && !has_arg(cfg->extra_args, "-b")) {
        /* An allow list that names nothing: other instances and the kernel
         * keep their devices; a port's devargs attach what it names. */
        add_arg(args, "-a");
        add_arg(args, "0000:00:00.0");
    }
    if (use_huge) {
        add_arg(args, "--in-memory");
        if (cfg->socket_mem && *cfg->socket_mem) {
            add_arg(args, "--socket-mem=%s", cfg->socket_mem);
        } else {
            add_arg(args, "-m");
            add_arg(args, "%u", MEMORY_MB);
        }
    } else {
        log_info("running without huge pages (%lu MB of them are free, %u MB "
                 "are wanted); set /proc/sys/vm/nr_hugepages for more speed",
                 huge_mb, MEMORY_MB);
        if (!has_arg(cfg->extra_args, "--no-huge")) {
            add_arg(args, "--no-huge");
        }
        /* DPDK refuses --in-memory here; this comes to the same: no file is
         * shared with another process. */
        add_arg(args, "--no-shconf");
        add_arg(args, "--file-prefix=qanat%ld", (long) getpid());
        add_arg(args, "-m");
        add_arg(args, "%u", MEMORY_MB_NO_HUGE);
    }
    add_extra_args(args, cfg->extra_args);
}

char *
dp_init(const struct dp_cfg *cfg)
{
    struct eal_args args = { .argc = 0 };
    struct eal_args given;
    struct str text = STR_INIT;
    cpu_set_t cpus;
    char *error = NULL;

    dp_upcall_function = cfg->upcall;
    sched_getaffinity(0, sizeof cpus, &cpus);
    redirect_log();
    make_args(&args, cfg, first_cpu(&cpus));
    for (int i = 0; i < args.argc; i++) {
        str_printf(&text, "%s%s", i ? " " : "", args.argv[i]);
    }
    log_info("DPDK arguments: %s", str_cstr(&text));
    str_fini(&text);

    given = args;               /* DPDK sorts the array it is given. */
    if (rte_eal_init(given.argc, given.argv) < 0) {
        error = xasprintf("DPDK could not be started: %s (look for lines of "
                          "module dpdk in the log)",
                          rte_strerror(rte_errno));
    }
    for (int i = 0; i < args.argc; i++) {
        free(args.argv[i]);
    }
    sched_setaffinity(0, sizeof cpus, &cpus);
    if (!error) {
        /* DPDK's folder for files that others map stays empty here; gone now,
         * it is not left behind in whatever way the process ends. */
        rmdir(rte_eal_get_runtime_dir());
        error = mem_init(N_SMALL, N_BIG);
    }
    return error;
}

void
dp_fini(void)
{
    dp_close_all();
    mem_fini();
    rte_eal_cleanup();
}
