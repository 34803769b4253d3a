/* SPDX-License-Identifier: Apache-2.0 */

/* action_text.c - action lists as the text of dpctl/dump-flows.
 *
 * Control plane threads.  The spelling is Open vSwitch 3.1's where both
 * switches have the same action; the differences are listed at
 * action_format() in action.h. */

#include "lib/flow/action.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/field.h"
#include "lib/pkt/wire.h"

/* Lists in lists in text; each is a level of recursion. */
#define MAX_CLONES 8

struct formatter {
    struct str *s;
    flow_port_name_fn *port_name;
    void *aux;
    action_reason_name_fn *reason_name;
};

struct reader {
    struct scan scan;
    flow_port_no_fn *port_no;
    void *aux;
    struct action_list *list;
    unsigned int n_clones;
};

static void format_list(const struct formatter *, const void *data,
                        size_t len);
static void format_action(const struct formatter *, const struct action *);
static void format_port(const struct formatter *, uint32_t port);
static void format_push_vlan(struct str *, const struct action_push_vlan *);
static void format_set(struct str *, const struct action_set *);
static void format_tnl_push(const struct formatter *,
                            const struct tnl_push *);
static void format_drop(const struct formatter *, uint32_t reason);

static char *read_list(struct reader *);
static char *read_action(struct reader *);
static char *read_port(struct reader *, const char *name);
static char *read_push_vlan(struct reader *);
static char *read_set(struct reader *);
static char *read_set_vlan(struct reader *);
static char *read_clone(struct reader *);
static char *read_tnl_pop(struct reader *);
static char *read_drop(struct reader *);
static bool is_settable(const struct field *);

void
action_format(struct str *s, const void *data, size_t len,
              flow_port_name_fn *port_name, void *aux,
              action_reason_name_fn *reason_name)
{
    const struct formatter f = {
        .s = s,
        .port_name = port_name,
        .aux = aux,
        .reason_name = reason_name,
    };

    if (!len) {
        str_append(s, "drop");
    } else {
        format_list(&f, data, len);
    }
}

char *
action_parse(const char *text, flow_port_no_fn *port_no, void *aux,
             struct action_list *list)
{
    struct reader r = {
        .scan = {.p = text},
        .port_no = port_no,
        .aux = aux,
        .list = list,
    };
    char *error;

    action_list_clear(list);
    if (!strcmp(text, "drop")) {
        return NULL;
    }
    error = read_list(&r);
    if (!error && *r.scan.p) {
        error = xasprintf("\"%.40s\" is left over behind the actions",
                          r.scan.p);
    }
    if (!error && list->overflow) {
        error = xstrdup("the actions are more than 64 kB");
    }
    return error;
}

static void
format_list(const struct formatter *f, const void *data, size_t len)
{
    const struct action *a;
    bool is_first = true;

    ACTION_FOR_EACH (a, data, len) {
        if (!is_first) {
            str_append_char(f->s, ',');
        }
        is_first = false;
        format_action(f, a);
    }
}

static void
format_action(const struct formatter *f, const struct action *a)
{
    const void *body = a;

    switch ((enum action_type) a->type) {
    case ACTION_OUTPUT:
        format_port(f, ((const struct action_output *) body)->port);
        break;
    case ACTION_PUSH_VLAN:
        format_push_vlan(f->s, body);
        break;
    case ACTION_POP_VLAN:
        str_append(f->s, "pop_vlan");
        break;
    case ACTION_SET:
        format_set(f->s, body);
        break;
    case ACTION_TNL_PUSH:
        format_tnl_push(f, &((const struct action_tnl_push *) body)->push);
        break;
    case ACTION_TNL_POP: {
        const struct action_tnl_pop *pop = body;

        str_printf(f->s, "tnl_pop(%s)",
                   tnl_ops_get((tnl_type) pop->type)->name);
        break;
    }
    case ACTION_CLONE:
        str_append(f->s, "clone(");
        format_list(f, action_clone_data(body), action_clone_len(body));
        str_append_char(f->s, ')');
        break;
    case ACTION_DROP:
        format_drop(f, ((const struct action_drop *) body)->reason);
        break;
    }
}

static void
format_port(const struct formatter *f, uint32_t port)
{
    const char *name = f->port_name ? f->port_name(port, f->aux) : NULL;

    if (name) {
        str_append(f->s, name);
    } else {
        str_printf(f->s, "%" PRIu32, port);
    }
}

static void
format_push_vlan(struct str *s, const struct action_push_vlan *a)
{
    str_append(s, "push_vlan(");
    if (a->tpid != htons(ETH_TYPE_VLAN)) {
        str_printf(s, "tpid=0x%04x,", ntohs(a->tpid));
    }
    field_format_tci(s, ntohs(a->tci), UINT16_MAX);
    str_chomp(s, ',');
    str_append_char(s, ')');
}

static void
format_set(struct str *s, const struct action_set *a)
{
    const struct field *f = field_find_set(a->ofs, a->n);

    if (!f) {
        str_printf(s, "set(unknown(ofs=%u,n=%u))", a->ofs, a->n);
        return;
    }
    str_printf(s, "set(%s(", f->group);
    if (f->kind == FIELD_TCI) {
        be16 tci, mask;

        memcpy(&tci, a->value, sizeof tci);
        memcpy(&mask, a->mask, sizeof mask);
        field_format_tci(s, ntohs(tci), ntohs(mask));
    } else {
        field_format(s, f, a->value, a->mask);
    }
    str_chomp(s, ',');
    str_append(s, "))");
}

static void
format_tnl_push(const struct formatter *f, const struct tnl_push *push)
{
    const struct tnl_ops *ops = tnl_ops_get(push->type);
    const uint8_t *l3 = push->hdr + push->l3_ofs;
    char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
    struct eth_hdr eth;

    memcpy(&eth, push->hdr, sizeof eth);
    str_append(f->s, "tnl_push(tnl_port(");
    format_port(f, push->tnl_port);
    str_printf(f->s, "),header(size=%u,type=%s,eth(", push->hdr_len,
               ops->name);
    field_format(f->s, field_find("eth", "dst"), eth.dst, NULL);
    field_format(f->s, field_find("eth", "src"), eth.src, NULL);
    str_printf(f->s, "dl_type=0x%04x),", ntohs(eth.type));

    if (eth.type == htons(ETH_TYPE_IP4)) {
        struct ip4_hdr ip;

        memcpy(&ip, l3, sizeof ip);
        inet_ntop(AF_INET, &ip.src, src, sizeof src);
        inet_ntop(AF_INET, &ip.dst, dst, sizeof dst);
        str_printf(f->s, "ipv4(src=%s,dst=%s,proto=%u,tos=%#x,ttl=%u,"
                   "frag=0x%x),", src, dst, ip.proto, ip.tos, ip.ttl,
                   ntohs(ip.frag));
    } else {
        struct ip6_hdr_wire ip;
        uint32_t first;

        memcpy(&ip, l3, sizeof ip);
        first = ntohl(ip.ver_tc_label);
        inet_ntop(AF_INET6, ip.src, src, sizeof src);
        inet_ntop(AF_INET6, ip.dst, dst, sizeof dst);
        str_printf(f->s, "ipv6(src=%s,dst=%s,label=%u,proto=%u,tclass=0x%x,"
                   "hlimit=%u),", src, dst, first & 0xfffff, ip.next,
                   first >> 20 & 0xff, ip.hop_limit);
    }
    ops->format(f->s, push->hdr + push->l4_ofs,
                (size_t) push->hdr_len - push->l4_ofs);
    str_append(f->s, "))");
}

static void
format_drop(const struct formatter *f, uint32_t reason)
{
    const char *name = f->reason_name ? f->reason_name(reason) : NULL;

    if (name) {
        str_printf(f->s, "drop(%s)", name);
    } else {
        str_printf(f->s, "drop(%" PRIu32 ")", reason);
    }
}

static char *
read_list(struct reader *r)
{
    char *error;

    do {
        error = read_action(r);
    } while (!error && scan_char(&r->scan, ','));
    return error;
}

static char *
read_action(struct reader *r)
{
    static const struct {
        const char *name;
        char *(*read)(struct reader *);
    } readers[] = {
        {"push_vlan", read_push_vlan},
        {"set", read_set},
        {"clone", read_clone},
        {"tnl_pop", read_tnl_pop},
        {"drop", read_drop},
    };
    const char *start = r->scan.p;
    char *error;
    size_t i;

    if (!scan_token(&r->scan)) {
        return xasprintf("\"%.40s\" is not an action", start);
    }
    if (!strcmp(r->scan.token, "pop_vlan")) {
        action_put_pop_vlan(r->list);
        return NULL;
    }
    if (!scan_char(&r->scan, '(')) {
        return read_port(r, r->scan.token);
    }
    for (i = 0; i < ARRAY_SIZE(readers); i++) {
        if (!strcmp(readers[i].name, r->scan.token)) {
            error = readers[i].read(r);
            if (!error && !scan_char(&r->scan, ')')) {
                error = xasprintf("the bracket of %s() is not closed",
                                  readers[i].name);
            }
            return error;
        }
    }
    return xasprintf("there is no action \"%s\"", r->scan.token);
}

static char *
read_port(struct reader *r, const char *name)
{
    uint64_t number;
    uint32_t port;

    if (str_to_uint64(name, &number) && number <= UINT32_MAX) {
        port = (uint32_t) number;
    } else {
        port = r->port_no ? r->port_no(name, r->aux) : PORT_NONE;
    }
    if (port == PORT_NONE) {
        return xasprintf("there is no port \"%s\"", name);
    }
    action_put_output(r->list, port);
    return NULL;
}

static char *
read_push_vlan(struct reader *r)
{
    uint16_t tpid = ETH_TYPE_VLAN;
    uint16_t tci, mask;
    char *error = field_scan_tci(&r->scan, &tci, &mask, &tpid);

    if (!error && (mask & VLAN_TCI_VID) != VLAN_TCI_VID) {
        error = xstrdup("push_vlan() needs vid= without a mask");
    }
    if (!error) {
        action_put_push_vlan(r->list, htons(tpid), htons(tci));
    }
    return error;
}

/* "group(name=value/mask,...)", an action for each field. */
static char *
read_set(struct reader *r)
{
    const char *start = r->scan.p;
    char group[sizeof r->scan.token];
    char *error = NULL;

    if (!scan_token(&r->scan) || !scan_char(&r->scan, '(')) {
        return xasprintf("\"%.40s\" is nothing to set", start);
    }
    memcpy(group, r->scan.token, sizeof group);
    if (!strcmp(group, "vlan")) {
        error = read_set_vlan(r);
    } else {
        do {
            uint8_t value[16] = {0};
            uint8_t mask[16] = {0};
            const struct field *f = NULL;

            start = r->scan.p;
            if (scan_token(&r->scan) && scan_char(&r->scan, '=')) {
                f = field_find(group, r->scan.token);
            }
            if (!f || !is_settable(f)) {
                return xasprintf("\"%.40s\" is not a field of %s() that can "
                                 "be set", start, group);
            }
            error = field_scan(&r->scan, f, value, mask);
            if (!error) {
                action_put_set(r->list, f->ofs, f->n, value, mask);
            }
        } while (!error && scan_char(&r->scan, ','));
    }
    if (!error && !scan_char(&r->scan, ')')) {
        error = xasprintf("the bracket of %s() is not closed", group);
    }
    return error;
}

static char *
read_set_vlan(struct reader *r)
{
    uint16_t tci, mask;
    char *error = field_scan_tci(&r->scan, &tci, &mask, NULL);

    if (!error) {
        be16 value = htons(tci);
        be16 bits = htons(mask);

        action_put_set(r->list, offsetof(struct flow_key, vlan_tci0),
                       sizeof value, &value, &bits);
    }
    return error;
}

static char *
read_clone(struct reader *r)
{
    uint32_t mark;
    char *error;

    if (r->n_clones == MAX_CLONES) {
        return xasprintf("clone() is nested more than %d times", MAX_CLONES);
    }
    r->n_clones++;
    mark = action_begin_clone(r->list);
    error = read_list(r);
    action_end_clone(r->list, mark);
    r->n_clones--;
    return error;
}

static char *
read_tnl_pop(struct reader *r)
{
    const char *start = r->scan.p;
    tnl_type type = scan_token(&r->scan) ? tnl_type_from_name(r->scan.token)
                                         : TNL_TYPE_NONE;

    if (type == TNL_TYPE_NONE) {
        return xasprintf("\"%.20s\" is not a tunnel type", start);
    }
    action_put_tnl_pop(r->list, type);
    return NULL;
}

static char *
read_drop(struct reader *r)
{
    uint64_t reason;
    char *error = scan_integer(&r->scan, UINT32_MAX, &reason);

    if (!error) {
        action_put_drop(r->list, (uint32_t) reason);
    }
    return error;
}

static bool
is_settable(const struct field *f)
{
    return strcmp(f->group, "tunnel")
           && f->ofs != offsetof(struct flow_key, nw_proto)
           && f->ofs != offsetof(struct flow_key, nw_frag)
           && f->kind != FIELD_TCI;
}
