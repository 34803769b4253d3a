/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of vswitchd/underlay.c and nlmon.c against a real kernel: in a network
 * namespace of our own, which an ordinary user can have inside a user
 * namespace. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/flow/flow.h"
#include "tests/unit/unit.h"
#include "vswitchd/nlmon.h"
#include "vswitchd/underlay.h"

void suite_underlay(void);

#define DEADLINE_MS 5000

static struct event_base *base;
static unsigned int n_changes;
static bool has_namespace;

static void
on_changed(void *aux UNUSED)
{
    n_changes++;
}

static void
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd >= 0) {
        (void) !write(fd, text, strlen(text));
        close(fd);
    }
}

/* The suite has a process of its own, which may leave its namespaces. */
static int
set_up(void)
{
    char map[64];
    uid_t uid = getuid();
    gid_t gid = getgid();

    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_OFF);
    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
        return 0;
    }
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", (unsigned int) uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", (unsigned int) gid);
    write_file("/proc/self/gid_map", map);
    has_namespace = !system("ip link set lo up 2>/dev/null"
                            " && ip link add qa0 type veth peer name qb0"
                            " 2>/dev/null");
    if (has_namespace) {
        base = event_base_new();
    }
    return 0;
}

static int
tear_down(void)
{
    if (base) {
        event_base_free(base);
    }
    return 0;
}

static bool
begin(void)
{
    if (!has_namespace) {
        unit_skip("no network namespace of our own with veth devices");
        return false;
    }
    return true;
}

static void
run(const char *command)
{
    if (system(command)) {
        fprintf(stderr, "failed: %s\n", command);
        CU_FAIL("a command that prepares the test failed");
    }
}

static struct in6_addr
ip(const char *text)
{
    struct in6_addr addr;
    struct in_addr ip4;

    if (inet_pton(AF_INET, text, &ip4) == 1) {
        return flow_addr_from_ip4(ip4.s_addr);
    }
    CU_ASSERT_EQUAL(inet_pton(AF_INET6, text, &addr), 1);
    return addr;
}

static bool
equals(const struct in6_addr *addr, const char *text)
{
    struct in6_addr other = ip(text);

    return !memcmp(addr, &other, sizeof other);
}

static bool
takes(int ifindex, const char *text)
{
    struct in6_addr *addrs;
    size_t n = underlay_get_addrs(ifindex, &addrs);
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        found |= equals(&addrs[i], text);
    }
    free(addrs);
    return found;
}

/* Lets the event loop run until CONDITION is true. */
#define WAIT(CONDITION)                                                     \
    do {                                                                    \
        int64_t deadline_ = clock_ms() + DEADLINE_MS;                       \
                                                                            \
        while (!(CONDITION) && clock_ms() < deadline_) {                    \
            struct timeval tv_ = { .tv_usec = 20000 };                      \
                                                                            \
            event_base_loopexit(base, &tv_);                                \
            event_base_dispatch(base);                                      \
        }                                                                   \
        CU_ASSERT((CONDITION) ? true : false);                              \
    } while (0)

static void
test_links_and_addresses(void)
{
    struct in6_addr *addrs;
    uint64_t seq;
    char *error;
    int ifindex;

    if (!begin()) {
        return;
    }
    error = underlay_init(base, on_changed, NULL);
    CU_ASSERT_PTR_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(nlmon_link_find("qa0"));
    ifindex = nlmon_link_find("qa0")->ifindex;
    seq = nlmon_link_find("qa0")->seq;
    CU_ASSERT_PTR_NULL(nlmon_link_find("nosuch"));

    n_changes = 0;
    run("ip link set qa0 mtu 1400 up && ip link set qb0 up");
    WAIT(nlmon_link_find("qa0")->mtu == 1400
         && nlmon_link_find("qa0")->flags & IFF_UP);
    CU_ASSERT(nlmon_link_find("qa0")->seq != seq);
    WAIT(n_changes > 0);

    run("ip addr add 192.0.2.1/24 dev qa0");
    WAIT(nlmon_has_addr(&(struct in6_addr[]) { ip("192.0.2.1") }[0]));
    CU_ASSERT(underlay_get_addrs(ifindex, &addrs) >= 1);
    free(addrs);

    /* A global address counts on each interface, one of the link on its own
     * only. */
    run("ip addr add 169.254.7.1/16 scope link dev qb0");
    WAIT(nlmon_has_addr(&(struct in6_addr[]) { ip("169.254.7.1") }[0]));
    CU_ASSERT(takes(nlmon_link_find("qb0")->ifindex, "192.0.2.1"));
    CU_ASSERT(takes(nlmon_link_find("qb0")->ifindex, "169.254.7.1"));
    CU_ASSERT_FALSE(takes(ifindex, "169.254.7.1"));
    CU_ASSERT_FALSE(takes(ifindex, "127.0.0.1"));
    run("ip addr del 169.254.7.1/16 dev qb0");
    run("ip addr del 192.0.2.1/24 dev qa0");
    WAIT(!nlmon_has_addr(&(struct in6_addr[]) { ip("192.0.2.1") }[0]));

    run("ip link add gone type veth peer name gone2");
    WAIT(nlmon_link_find("gone"));
    run("ip link set gone name other");
    WAIT(nlmon_link_find("other") && !nlmon_link_find("gone"));
    run("ip link del other");
    WAIT(!nlmon_link_find("other") && !nlmon_link_find("gone2"));
    run("ip link set qa0 mtu 1500");
    underlay_fini();
}

static void
test_ways(void)
{
    struct in6_addr remote = ip("192.0.2.9"), local;
    const struct underlay_state *st;
    struct underlay_internal internal;
    struct underlay *u;
    uint32_t gen;
    char *error;

    if (!begin()) {
        return;
    }
    error = underlay_init(base, on_changed, NULL);
    CU_ASSERT_PTR_NULL_FATAL(error);
    u = underlay_create("t", &remote, NULL);
    CU_ASSERT_EQUAL(underlay_get(u)->kind, UNDERLAY_NONE);
    CU_ASSERT(strstr(underlay_get(u)->reason, "192.0.2.9") != NULL);

    /* An address makes a route; the device is the host's. */
    run("ip link set qa0 up && ip link set qb0 up"
        " && ip addr add 192.0.2.1/24 dev qa0");
    WAIT(underlay_get(u)->kind == UNDERLAY_HOST);
    st = underlay_get(u);
    CU_ASSERT_STRING_EQUAL(st->ifname, "qa0");
    CU_ASSERT(equals(&st->hop.src, "192.0.2.1"));
    CU_ASSERT(equals(&st->next_hop, "192.0.2.9"));
    CU_ASSERT_EQUAL(st->hop.path_mtu, 1500);

    /* Now it is ours: the way is there when the call returns. */
    memset(&internal, 0, sizeof internal);
    internal.ifindex = st->ifindex;
    internal.dp_port = 7;
    internal.mac[5] = 9;
    gen = atomic_load(&u->cell.gen);
    underlay_set_internals(&internal, 1);
    st = underlay_get(u);
    CU_ASSERT_EQUAL(st->kind, UNDERLAY_BRIDGE);
    CU_ASSERT_EQUAL(st->dp_port, 7);
    CU_ASSERT_EQUAL(st->hop.eth_src[5], 9);
    CU_ASSERT_FALSE(st->has_neigh);
    CU_ASSERT(atomic_load(&u->cell.gen) != gen);

    /* The neighbour, its change, and what lies behind a gateway. */
    run("ip neigh replace 192.0.2.9 lladdr 02:00:00:00:00:09 dev qa0");
    WAIT(underlay_get(u)->has_neigh);
    CU_ASSERT_EQUAL(underlay_get(u)->hop.eth_dst[5], 9);
    run("ip neigh replace 192.0.2.9 lladdr 02:00:00:00:00:0a dev qa0");
    WAIT(underlay_get(u)->hop.eth_dst[5] == 10);
    run("ip neigh replace 192.0.2.254 lladdr 02:00:00:00:00:fe dev qa0"
        " nud permanent");
    run("ip route add 192.0.2.9/32 via 192.0.2.254 mtu 1300");
    WAIT(equals(&underlay_get(u)->next_hop, "192.0.2.254"));
    CU_ASSERT(underlay_get(u)->has_neigh);
    CU_ASSERT_EQUAL(underlay_get(u)->hop.eth_dst[5], 0xfe);
    CU_ASSERT_EQUAL(underlay_get(u)->hop.path_mtu, 1300);

    /* What was permanent stays so. */
    CU_ASSERT_EQUAL(system("ip neigh show 192.0.2.254 | grep -q PERMANENT"),
                    0);

    run("ip route replace unreachable 192.0.2.9/32");
    run("ip route del 192.0.2.9/32 via 192.0.2.254 2>/dev/null; true");
    WAIT(underlay_get(u)->kind == UNDERLAY_NONE);
    run("ip route del unreachable 192.0.2.9/32");
    WAIT(underlay_get(u)->kind == UNDERLAY_BRIDGE);
    underlay_destroy(u);

    remote = ip("192.0.2.1");
    u = underlay_create("self", &remote, NULL);
    CU_ASSERT(strstr(underlay_get(u)->reason, "of this machine") != NULL);
    underlay_destroy(u);

    remote = ip("192.0.2.9");
    local = ip("198.51.100.1");
    u = underlay_create("foreign", &remote, &local);
    CU_ASSERT(strstr(underlay_get(u)->reason, "local_ip 198.51.100.1")
              != NULL);
    underlay_destroy(u);

    run("ip addr flush dev qa0");
    underlay_set_internals(NULL, 0);
    underlay_fini();
}

static void
test_ip6(void)
{
    struct in6_addr remote = ip("2001:db8::9");
    struct underlay *u;
    char *error;

    if (!begin()) {
        return;
    }
    run("ip link set qa0 up && ip link set qb0 up");
    if (system("ip addr add 2001:db8::1/64 dev qa0 nodad 2>/dev/null")) {
        unit_skip("no IPv6 here");
        return;
    }
    error = underlay_init(base, on_changed, NULL);
    CU_ASSERT_PTR_NULL_FATAL(error);
    u = underlay_create("t", &remote, NULL);
    WAIT(underlay_get(u)->kind == UNDERLAY_HOST);
    CU_ASSERT(equals(&underlay_get(u)->hop.src, "2001:db8::1"));
    CU_ASSERT(equals(&underlay_get(u)->next_hop, "2001:db8::9"));
    run("ip addr del 2001:db8::1/64 dev qa0");
    WAIT(underlay_get(u)->kind == UNDERLAY_NONE);
    underlay_destroy(u);
    underlay_fini();
}

/* More changes at once than a socket's buffer holds: the tables are right
 * afterwards in any case. */
static void
test_storm(void)
{
    struct in6_addr addr = ip("10.0.9.99");
    char *error;

    if (!begin()) {
        return;
    }
    error = underlay_init(base, on_changed, NULL);
    CU_ASSERT_PTR_NULL_FATAL(error);
    run("for i in 0 1 2 3 4 5 6 7 8 9; do for j in $(seq 0 99); do"
        " echo addr add 10.0.$i.$j/32 dev qa0; done; done | ip -batch -");
    WAIT(nlmon_has_addr(&addr));
    n_changes = 0;
    run("ip addr flush dev qa0");
    WAIT(!nlmon_has_addr(&addr));
    /* A burst is told a few times, not a thousand. */
    CU_ASSERT(n_changes < 50);
    underlay_fini();
}

void
suite_underlay(void)
{
    CU_pSuite s = CU_add_suite("underlay", set_up, tear_down);

    CU_add_test(s, "links and addresses", test_links_and_addresses);
    CU_add_test(s, "ways", test_ways);
    CU_add_test(s, "IPv6", test_ip6);
    CU_add_test(s, "a storm", test_storm);
}
