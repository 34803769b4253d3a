/* SPDX-License-Identifier: Apache-2.0 */
/* xlate_env.c - see xlate_env.h. */

#include "tests/unit/vswitchd/xlate_env.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/smap.h"
#include "lib/pkt/wire.h"

#define MAX_BRIDGES 64
#define MAX_PORT 4200
#define MAX_OUTPUTS 512

static struct {
    char name[16];
    struct mac_table *macs;
} tables[MAX_BRIDGES];
static unsigned int n_tables;

static struct underlay underlays[MAX_PORT];
static struct tnl_map *tnl_map;

static struct mac_table *
table_of(const char *name)
{
    for (unsigned int i = 0; i < n_tables; i++) {
        if (!strcmp(tables[i].name, name)) {
            return tables[i].macs;
        }
    }
    if (n_tables == MAX_BRIDGES) {
        abort();
    }
    snprintf(tables[n_tables].name, sizeof tables[n_tables].name, "%s", name);
    tables[n_tables].macs = mac_table_create(64, 300);
    return tables[n_tables++].macs;
}

static uint64_t *
parse_vlans(const char *text)
{
    uint64_t *bits;

    if (!text) {
        return NULL;
    }
    bits = xcalloc(64, sizeof *bits);
    while (*text) {
        char *end;
        unsigned long vlan = strtoul(text, &end, 10);

        bits[vlan / 64] |= UINT64_C(1) << (vlan % 64);
        text = end;
    }
    return bits;
}

static struct in6_addr
parse_addr(const char *text)
{
    struct in6_addr a;
    be32 ip4;

    if (inet_pton(AF_INET, text, &ip4) == 1) {
        return flow_addr_from_ip4(ip4);
    }
    if (inet_pton(AF_INET6, text, &a) != 1) {
        fprintf(stderr, "no address: %s\n", text);
        abort();
    }
    return a;
}

static void
parse_internal(struct pl_port *port, const char *text)
{
    struct in6_addr *addrs = xcalloc(8, sizeof *addrs);
    char *copy = xstrdup(text);

    port->is_internal = true;
    memcpy(port->mac, (uint8_t [6]) { 2, 0xaa, 0, 0, 0,
                                      (uint8_t) port->dp_port }, 6);
    for (char *a = strtok(copy, " "); a; a = strtok(NULL, " ")) {
        addrs[port->n_addrs++] = parse_addr(a);
    }
    port->addrs = addrs;
    free(copy);
}

static void
parse_tunnel(struct pl_port *port, const char *text)
{
    struct tnl_cfg *cfg = xzalloc(sizeof *cfg);
    const char *colon = strchr(text, ':');
    char *type = xstrndup(text, (size_t) (colon - text));
    struct smap options;
    char *ignored = NULL;
    char *error;

    smap_init(&options);
    error = smap_parse(&options, colon + 1, strlen(colon + 1));
    if (!error) {
        error = tnl_cfg_parse(tnl_type_from_name(type), &options, cfg,
                              &ignored);
    }
    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        abort();
    }
    free(ignored);
    free(type);
    smap_fini(&options);
    port->tnl = cfg;
    port->underlay = &underlays[port->dp_port];
}

static void
make_port(struct pl_port *port, struct pl_bridge *br,
          const struct xenv_port *p)
{
    port->bridge = br;
    port->name = xasprintf("p%u", p->no);
    port->ofport = port->dp_port = p->no;
    port->kind = p->tnl ? PL_TUNNEL : p->peer ? PL_PATCH : PL_DEVICE;
    port->vlan_mode = p->mode == VLAN_ACCESS && !p->tag ? VLAN_TRUNK
                                                        : p->mode;
    port->tag = p->tag;
    port->trunks = parse_vlans(p->trunks);
    if (p->addrs) {
        parse_internal(port, p->addrs);
    }
    if (p->tnl) {
        parse_tunnel(port, p->tnl);
        atomic_store(&port->underlay->state, p->way);
    }
}

static struct pl_bridge *
find_bridge(struct pipeline *pl, const char *name)
{
    for (size_t i = 0; i < pl->n_bridges; i++) {
        if (!strcmp(pl->bridges[i].name, name)) {
            return &pl->bridges[i];
        }
    }
    return NULL;
}

static struct tnl_map *
make_tnl_map(const struct pipeline *pl)
{
    struct tnl_map_entry *entries = xcalloc(MAX_PORT, sizeof *entries);
    struct tnl_map *map;
    size_t n = 0;

    for (size_t i = 0; i < pl->n_by_dp_port; i++) {
        if (pl->by_dp_port[i] && pl->by_dp_port[i]->kind == PL_TUNNEL) {
            entries[n].cfg = *pl->by_dp_port[i]->tnl;
            entries[n++].port = (uint32_t) i;
        }
    }
    map = n ? tnl_map_create(entries, n) : NULL;
    free(entries);
    return map;
}

void
xenv_publish(const struct xenv_port *ports, size_t n, uint32_t hostip_port)
{
    struct pipeline *pl = xzalloc(sizeof *pl);
    struct tnl_map *old = tnl_map;

    pl->bridges = xcalloc(n + 1, sizeof *pl->bridges);
    pl->by_dp_port = xcalloc(MAX_PORT, sizeof *pl->by_dp_port);
    pl->n_by_dp_port = MAX_PORT;
    pl->hostip_port = hostip_port;
    for (size_t i = 0; i < n; i++) {
        struct pl_bridge *br = find_bridge(pl, ports[i].bridge);

        if (!br) {
            br = &pl->bridges[pl->n_bridges++];
            br->name = xstrdup(ports[i].bridge);
            br->macs = table_of(br->name);
            br->ports = xcalloc(n, sizeof *br->ports);
        }
        make_port(&br->ports[br->n_ports], br, &ports[i]);
        pl->by_dp_port[ports[i].no] = &br->ports[br->n_ports++];
    }
    for (size_t i = 0; i < n; i++) {
        if (ports[i].peer && *ports[i].peer) {
            pl->by_dp_port[ports[i].no]->peer
                = pl->by_dp_port[atoi(ports[i].peer)];
        }
    }
    tnl_map = pl->tnl_map = make_tnl_map(pl);
    pipeline_publish(pl);
    tnl_map_destroy(old);
}

void
xenv_end(void)
{
    struct pipeline *pl = xzalloc(sizeof *pl);

    /* The last one published is left to pipeline.c; let it be small. */
    pipeline_publish(pl);
    tnl_map_destroy(tnl_map);
    tnl_map = NULL;
    while (n_tables) {
        mac_table_destroy(tables[--n_tables].macs);
    }
    xenv_outputs(NULL);
    xenv_actions(NULL);
}

struct pl_bridge *
xenv_bridge(const char *name)
{
    return find_bridge((struct pipeline *) (uintptr_t) pipeline_get(), name);
}

struct underlay *
xenv_underlay(uint32_t port)
{
    return &underlays[port];
}

void
xenv_set_way(uint32_t port, const struct underlay_state *way)
{
    atomic_store(&underlays[port].state, way);
    atomic_fetch_add(&underlays[port].cell.gen, 1);
}

struct flow_key
xenv_key(uint32_t in_port, uint8_t src, uint8_t dst, uint16_t tci0,
         uint16_t tci1)
{
    struct flow_key key = {
        .in_port = in_port, .dl_type = htons(ETH_TYPE_IP4),
        .dl_src = { 2, 0, 0, 0, 0, src }, .dl_dst = { 2, 0, 0, 0, 0, dst },
        .nw_proto = IPPROTO_UDP, .nw_ttl = 64,
        .nw_src = htonl(0x0a000001), .nw_dst = htonl(0x0a000002),
        .tp_src = htons(1000), .tp_dst = htons(2000),
    };

    if (dst == 0xff) {
        memset(key.dl_dst, 0xff, sizeof key.dl_dst);
    }
    if (tci0) {
        key.vlan_tci0 = htons(VLAN_TCI_PRESENT | tci0);
        key.vlan_tpid0 = htons(tci1 ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
    }
    if (tci1) {
        key.vlan_tci1 = htons(VLAN_TCI_PRESENT | tci1);
        key.vlan_tpid1 = htons(ETH_TYPE_VLAN);
    }
    return key;
}

/* A packet in the hands of its actions. */
struct walker {
    uint32_t tags[8];           /* TPID << 16 | TCI, outermost first. */
    unsigned int n_tags;
    char prefix[64];
};

static struct {
    uint32_t port;
    char text[128];
} outputs[MAX_OUTPUTS];
static unsigned int n_outputs;

static void
walk_output(const struct walker *w, uint32_t port)
{
    char *p = outputs[n_outputs].text;

    outputs[n_outputs++].port = port;
    p += sprintf(p, "%s%u", w->prefix, port);
    for (unsigned int i = 0; i < w->n_tags; i++) {
        uint32_t tpid = w->tags[i] >> 16;

        *p++ = ':';
        if (tpid != ETH_TYPE_VLAN) {
            p += sprintf(p, "%04x.", tpid);
        }
        p += sprintf(p, "%04x", w->tags[i] & 0xffff & ~VLAN_TCI_PRESENT);
    }
}

static void
walk(struct walker *w, const void *actions, uint32_t len)
{
    const struct action *a;

    ACTION_FOR_EACH (a, actions, len) {
        const void *body = a;
        struct walker copy = *w;

        if (n_outputs == MAX_OUTPUTS || w->n_tags == ARRAY_SIZE(w->tags)) {
            abort();
        }
        switch ((enum action_type) a->type) {
        case ACTION_OUTPUT:
            walk_output(w, ((const struct action_output *) body)->port);
            break;
        case ACTION_PUSH_VLAN: {
            const struct action_push_vlan *push = body;

            memmove(w->tags + 1, w->tags, w->n_tags * sizeof *w->tags);
            w->tags[0] = (uint32_t) ntohs(push->tpid) << 16
                         | ntohs(push->tci);
            w->n_tags++;
            break;
        }
        case ACTION_POP_VLAN:
            if (!w->n_tags) {
                fprintf(stderr, "pop_vlan without a tag\n");
                abort();
            }
            memmove(w->tags, w->tags + 1, --w->n_tags * sizeof *w->tags);
            break;
        case ACTION_CLONE:
            walk(&copy, action_clone_data(body), action_clone_len(body));
            break;
        case ACTION_TNL_PUSH: {
            const struct action_tnl_push *push = body;
            size_t used = strlen(w->prefix);

            snprintf(w->prefix + used, sizeof w->prefix - used, "%u>",
                     push->push.tnl_port);
            w->n_tags = 0;
            break;
        }
        case ACTION_TNL_POP:
            sprintf(outputs[n_outputs++].text, "%spop", w->prefix);
            break;
        case ACTION_DROP:
            sprintf(outputs[n_outputs++].text, "drop(%s)",
                    drop_reason_name(((const struct action_drop *)
                                      body)->reason));
            break;
        case ACTION_SET:
            abort();
        }
    }
}

static int
compare_outputs(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;      /* The port comes first. */

    return *x < *y ? -1 : *x > *y ? 1
           : strcmp((const char *) (x + 1), (const char *) (y + 1));
}

void
xenv_translate(const struct flow_key *key, bool learn,
               struct xenv_answer *answer)
{
    struct walker w = { .n_tags = 0 };

    memset(answer, 0, sizeof *answer);
    action_list_init(&answer->up.actions);
    if (learn) {
        xlate_upcall(key, &answer->up);
    } else {
        xlate_trace(key, &answer->up, &answer->trace);
    }
    action_format(&answer->actions, answer->up.actions.data,
                  answer->up.actions.len, NULL, NULL, drop_reason_name);
    if (key->vlan_tci0) {
        w.tags[w.n_tags++] = (uint32_t) ntohs(key->vlan_tpid0) << 16
                             | ntohs(key->vlan_tci0);
    }
    if (key->vlan_tci1) {
        w.tags[w.n_tags++] = (uint32_t) ntohs(key->vlan_tpid1) << 16
                             | ntohs(key->vlan_tci1);
    }
    memset(outputs, 0, sizeof outputs);
    n_outputs = 0;
    walk(&w, answer->up.actions.data, answer->up.actions.len);
    qsort(outputs, n_outputs, sizeof outputs[0], compare_outputs);
    for (unsigned int i = 0; i < n_outputs; i++) {
        str_printf(&answer->outputs, "%s%s", i ? " " : "", outputs[i].text);
    }
}

void
xenv_answer_fini(struct xenv_answer *answer)
{
    action_list_fini(&answer->up.actions);
    str_fini(&answer->actions);
    str_fini(&answer->outputs);
    str_fini(&answer->trace);
}

const char *
xenv_outputs(const struct flow_key *key)
{
    static struct str last;
    struct xenv_answer answer;

    str_clear(&last);
    if (!key) {
        str_fini(&last);
        return NULL;
    }
    xenv_translate(key, true, &answer);
    str_append(&last, str_cstr(&answer.outputs));
    xenv_answer_fini(&answer);
    return str_cstr(&last);
}

const char *
xenv_actions(const struct flow_key *key)
{
    static struct str last;
    struct xenv_answer answer;

    str_clear(&last);
    if (!key) {
        str_fini(&last);
        return NULL;
    }
    xenv_translate(key, true, &answer);
    str_append(&last, str_cstr(&answer.actions));
    xenv_answer_fini(&answer);
    return str_cstr(&last);
}
