/* SPDX-License-Identifier: Apache-2.0 */

/* hostblock.c - the tc program that keeps the host's stack off a system port.
 *
 * Beside the packet's way; MAIN only.
 *
 * Two ways to attach.  From Linux 6.6 on by a TCX link, a descriptor that we
 * hold: however this process ends, the kernel takes the program away with it.
 * Before, by a filter of the clsact qdisc, which stays when we are killed; it
 * has a preference and handle of its own to be known by, and its program's
 * name has our process number, so that the next start can tell what is stale
 * from what another living instance has attached. */

#include "datapath/hostblock.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/log.h"
#include "lib/base/util.h"

LOG_MODULE(hostblock);

/* From the kernel's uapi, for headers older than 6.6. */
#define ATTACH_TCX_INGRESS 46   /* BPF_TCX_INGRESS */
#define ATTACH_BEFORE (1u << 3) /* BPF_F_BEFORE; of none: at the head. */

#define TC_PREFERENCE 0x514eu
#define TC_HANDLE 0x51414e54u   /* Below 2^31 as cls_bpf wants it. */
#define PROG_PREFIX "qanat_"

struct block {
    struct hmap_node node;
    int ifindex;
    int link_fd;                /* -1: attached as a tc filter. */
    unsigned int n_users;
};

static struct hmap blocks = HMAP_INIT(&blocks);
static int prog_fd = -1;
static bool is_tcx_absent;

static int load_prog(void);
static struct block *find_block(int ifindex);
static int attach_tcx(int ifindex);
static int attach_tc(int ifindex);
static void detach_tc(int ifindex);
static bool find_owner(int ifindex, pid_t *);
static bool is_alive(pid_t);
static int be_silent(enum libbpf_print_level, const char *, va_list)
    PRINTF_FORMAT(2, 0);

void
hostblock_cleanup_stale(void)
{
    struct if_nameindex *names = if_nameindex();
    libbpf_print_fn_t print = libbpf_set_print(be_silent);

    for (struct if_nameindex *n = names; n && n->if_index; n++) {
        pid_t owner;

        if (find_owner((int) n->if_index, &owner) && !is_alive(owner)) {
            detach_tc((int) n->if_index);
            log_info("%s: gave the device back to the host's stack, which"
                     " process %d had not done", n->if_name, (int) owner);
        }
    }
    libbpf_set_print(print);
    if_freenameindex(names);
}

char *
hostblock_attach(int ifindex, const char *name)
{
    libbpf_print_fn_t print;
    struct block *block = find_block(ifindex);
    int fd, error = 0;

    if (block) {
        block->n_users++;
        return NULL;
    }

    print = libbpf_set_print(be_silent);
    fd = load_prog();
    if (fd < 0) {
        error = fd;
    } else {
        fd = is_tcx_absent ? -EINVAL : attach_tcx(ifindex);
        if (fd < 0) {
            error = attach_tc(ifindex);
            fd = -1;
        }
    }
    libbpf_set_print(print);
    if (error) {
        return xasprintf("cannot keep the host's stack off %s (%s)", name,
                         strerror(-error));
    }

    block = xzalloc(sizeof *block);
    block->ifindex = ifindex;
    block->link_fd = fd;
    block->n_users = 1;
    hmap_insert(&blocks, &block->node, hash_int((uint32_t) ifindex, 0));
    return NULL;
}

void
hostblock_detach(int ifindex)
{
    struct block *block = find_block(ifindex);

    if (!block || --block->n_users) {
        return;
    }
    if (block->link_fd >= 0) {
        close(block->link_fd);
    } else {
        libbpf_print_fn_t print = libbpf_set_print(be_silent);

        detach_tc(ifindex);
        libbpf_set_print(print);
    }
    hmap_remove(&blocks, &block->node);
    free(block);
}

void
hostblock_pretend_no_tcx(bool pretend)
{
    is_tcx_absent = pretend;
}

/* Returns the program's descriptor or -errno.  Loaded once, shared by all
 * devices.  "Drop" is 2 for both ways: TC_ACT_SHOT and TCX_DROP. */
static int
load_prog(void)
{
    static const struct bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2},
        {.code = BPF_JMP | BPF_EXIT},
    };
    char name[BPF_OBJ_NAME_LEN];

    if (prog_fd < 0) {
        snprintf(name, sizeof name, PROG_PREFIX "%d", (int) getpid());
        prog_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "Apache-2.0",
                                insns, ARRAY_SIZE(insns), NULL);
        if (prog_fd < 0) {
            prog_fd = -1;
            return -errno;
        }
    }
    return prog_fd;
}

static struct block *
find_block(int ifindex)
{
    struct block *block;

    HMAP_FOR_EACH_WITH_HASH (block, node, hash_int((uint32_t) ifindex, 0),
                             &blocks) {
        if (block->ifindex == ifindex) {
            return block;
        }
    }
    return NULL;
}

/* Returns the link's descriptor or -errno (-EINVAL: a kernel before 6.6).  Put
 * at the head, so that no other program of the host lets a frame pass. */
static int
attach_tcx(int ifindex)
{
    union bpf_attr attr;
    long fd;

    memset(&attr, 0, sizeof attr);
    attr.link_create.prog_fd = (uint32_t) prog_fd;
    attr.link_create.target_ifindex = (uint32_t) ifindex;
    attr.link_create.attach_type = ATTACH_TCX_INGRESS;
    attr.link_create.flags = ATTACH_BEFORE;
    fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
    return fd < 0 ? -errno : (int) fd;
}

/* Returns 0 or -errno.  Replaces our own filter where a former process left
 * it.  The clsact qdisc that this may make is left behind at the end: empty it
 * does nothing, and others may have filters in it by then. */
static int
attach_tc(int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE,
                .priority = TC_PREFERENCE, .prog_fd = prog_fd,
                .flags = BPF_TC_F_REPLACE);
    int error = bpf_tc_hook_create(&hook);

    if (error && error != -EEXIST) {
        return error;
    }
    return bpf_tc_attach(&hook, &opts);
}

static void
detach_tc(int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE,
                .priority = TC_PREFERENCE);

    bpf_tc_detach(&hook, &opts);
}

/* Tells whether the device has a filter of ours, and which process made it. */
static bool
find_owner(int ifindex, pid_t *owner)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE,
                .priority = TC_PREFERENCE);
    struct bpf_prog_info info;
    uint32_t len = sizeof info;
    int fd, error;

    if (bpf_tc_query(&hook, &opts)) {
        return false;
    }
    fd = bpf_prog_get_fd_by_id(opts.prog_id);
    if (fd < 0) {
        return false;
    }
    memset(&info, 0, sizeof info);
    error = bpf_obj_get_info_by_fd(fd, &info, &len);
    close(fd);
    if (error || strncmp(info.name, PROG_PREFIX, strlen(PROG_PREFIX))) {
        return false;
    }
    *owner = atoi(info.name + strlen(PROG_PREFIX));
    return *owner > 0;
}

/* Tells whether process 'pid' lives and runs what we run: the number may have
 * gone to somebody else since. */
static bool
is_alive(pid_t pid)
{
    char path[64], theirs[32] = "", ours[32] = "";
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/comm", (int) pid);
    f = fopen(path, "re");
    if (!f) {
        return false;
    }
    if (!fgets(theirs, sizeof theirs, f)) {
        theirs[0] = '\0';
    }
    fclose(f);

    f = fopen("/proc/self/comm", "re");
    if (f) {
        if (!fgets(ours, sizeof ours, f)) {
            ours[0] = '\0';
        }
        fclose(f);
    }
    return pid != getpid() && !strcmp(theirs, ours);
}

/* What libbpf has to say (no such filter, qdisc exists) is no news; errors
 * come back as values. */
static int
be_silent(enum libbpf_print_level level UNUSED, const char *format UNUSED,
          va_list args UNUSED)
{
    return 0;
}
