/* SPDX-License-Identifier: Apache-2.0 */

/* flow_text.c - flow keys and masks as the text of dpctl/dump-flows.
 *
 * Control plane threads.  The spelling is Open vSwitch 3.1's for a netdev
 * datapath, which scripts read; must never differ from it for what both
 * switches have. */

#include "lib/flow/flow.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/field.h"
#include "lib/pkt/wire.h"

/* A group of fields behind the Ethernet type, and what it demands of it and
 * of nw_proto (0: nothing). */
struct group {
    const char *name;
    uint16_t dl_type;
    uint8_t proto;
};

static const struct group groups[] = {
    {"ipv4", ETH_TYPE_IP4, 0},
    {"ipv6", ETH_TYPE_IP6, 0},
    {"arp", ETH_TYPE_ARP, 0},
    {"tcp", 0, IPPROTO_TCP},
    {"udp", 0, IPPROTO_UDP},
    {"sctp", 0, IPPROTO_SCTP},
    {"icmp", ETH_TYPE_IP4, IPPROTO_ICMP},
    {"icmpv6", ETH_TYPE_IP6, IPPROTO_ICMPV6},
    {"nd", ETH_TYPE_IP6, IPPROTO_ICMPV6},
};

/* A flow being read. */
struct reader {
    struct scan scan;
    flow_port_no_fn *port_no;
    void *aux;
    struct flow_key *key;
    struct flow_mask *mask;
    unsigned int n_encaps;      /* How many encap() were opened, */
    unsigned int n_open;        /* and how many are not yet closed. */
    unsigned int n_tags;
    bool has_eth_type;          /* Since the last vlan(). */
};

static void format_tunnel(struct str *, const struct flow_key *,
                          const struct flow_mask *);
static void format_in_port(struct str *, uint32_t port,
                           flow_port_name_fn *port_name, void *aux);
static unsigned int format_tags(struct str *, const struct flow_key *,
                                const struct flow_mask *);
static void format_group(struct str *, const struct flow_key *,
                         const struct flow_mask *, const char *group);
static void close_group(struct str *);

static char *read_item(struct reader *);
static char *read_recirc_id(struct reader *);
static char *read_in_port(struct reader *);
static char *read_packet_type(struct reader *);
static char *read_tunnel(struct reader *);
static char *read_eth_type(struct reader *);
static char *read_vlan(struct reader *);
static char *read_group(struct reader *, const char *group);
static char *read_tcp_flags(struct reader *);
static char *read_fields(struct reader *, const char *group);
static void finish_reading(struct reader *);

static bool
group_applies(const struct group *g, const struct flow_key *key)
{
    bool is_ip = key->dl_type == htons(ETH_TYPE_IP4)
                 || key->dl_type == htons(ETH_TYPE_IP6);

    if (g->dl_type ? key->dl_type != htons(g->dl_type) : !is_ip) {
        return false;
    }
    return !g->proto || key->nw_proto == g->proto;
}

void
flow_format(struct str *s, const struct flow_key *key,
            const struct flow_mask *mask, flow_port_name_fn *port_name,
            void *aux)
{
    struct flow_mask exact;
    const struct flow_key *m;
    unsigned int n_encaps;
    size_t i;

    if (!mask) {
        flow_mask_init_exact(&exact, key);
        mask = &exact;
    }
    m = &mask->bits;

    if (key->parts & FLOW_PART_TUN) {
        format_tunnel(s, key, mask);
    }
    str_printf(s, "recirc_id(%#x)", key->recirc_id);
    if (m->in_port) {
        format_in_port(s, key->in_port, port_name, aux);
    }
    str_append(s, ",packet_type(ns=0,id=0)");
    format_group(s, key, mask, "eth");
    n_encaps = format_tags(s, key, mask);

    for (i = 0; i < ARRAY_SIZE(groups); i++) {
        if (group_applies(&groups[i], key)) {
            format_group(s, key, mask, groups[i].name);
        }
    }
    if (m->tcp_flags) {
        str_append(s, ",tcp_flags(");
        field_format_flags(s, field_tcp_flags, ntohs(key->tcp_flags),
                           ntohs(m->tcp_flags));
        close_group(s);
    }
    str_append_fill(s, ')', n_encaps);
}

/* An address whose upper mask says "exactly an IPv4 one" is written so. */
static bool
is_tunnel_ip4(const struct field *f, const struct flow_key *key,
              const struct flow_mask *mask)
{
    bool is_src = f->ofs < offsetof(struct flow_key, tun_dst);
    const struct in6_addr *addr = is_src ? &key->tun_src : &key->tun_dst;
    const struct in6_addr *m = is_src ? &mask->bits.tun_src
                                      : &mask->bits.tun_dst;
    int i;

    for (i = 0; i < 12; i++) {
        if (m->s6_addr[i] != 0xff) {
            return false;
        }
    }
    return flow_addr_is_ip4(addr);
}

static void
format_tunnel(struct str *s, const struct flow_key *key,
              const struct flow_mask *mask)
{
    const uint8_t *k = (const uint8_t *) key;
    const uint8_t *m = (const uint8_t *) &mask->bits;

    str_append(s, "tunnel(");
    for (const struct field *f = fields; f->group; f++) {
        if (strcmp(f->group, "tunnel")
            || ((f->kind == FIELD_IP4 || f->kind == FIELD_IP6)
                && is_tunnel_ip4(f, key, mask) != (f->kind == FIELD_IP4))) {
            continue;
        }
        field_format(s, f, k + f->ofs, m + f->ofs);
    }
    if (mask->bits.tun_flags) {
        str_append(s, "flags(");
        field_format_flags(s, field_tun_flags, key->tun_flags,
                           mask->bits.tun_flags);
        str_append_char(s, ')');
    }
    close_group(s);
    str_append_char(s, ',');
}

static void
format_in_port(struct str *s, uint32_t port, flow_port_name_fn *port_name,
               void *aux)
{
    const char *name = port_name ? port_name(port, aux) : NULL;

    if (name) {
        str_printf(s, ",in_port(%s)", name);
    } else {
        str_printf(s, ",in_port(%u)", port);
    }
}

/* The tags, each with the bracket of its encap() left open, and the type
 * behind them.  Returns the number of open brackets. */
static unsigned int
format_tags(struct str *s, const struct flow_key *key,
            const struct flow_mask *mask)
{
    const struct flow_key *m = &mask->bits;
    const be16 present = htons(VLAN_TCI_PRESENT);
    const be16 tcis[] = {key->vlan_tci0, key->vlan_tci1};
    const be16 tci_masks[] = {m->vlan_tci0, m->vlan_tci1};
    const be16 tpids[] = {key->vlan_tpid0, key->vlan_tpid1};
    unsigned int n = 0;

    while (n < FLOW_MAX_VLANS && tcis[n] & tci_masks[n] & present) {
        str_printf(s, "%ceth_type(0x%04x),vlan(", n ? '(' : ',',
                   ntohs(tpids[n]));
        field_format_tci(s, ntohs(tcis[n]), ntohs(tci_masks[n]));
        close_group(s);
        str_append(s, ",encap");
        n++;
    }
    if (m->dl_type) {
        str_append_char(s, n ? '(' : ',');
        if (key->dl_type == htons(FLOW_DL_TYPE_NONE)) {
            str_append(s, "eth_type(0/0xffff)");
        } else {
            str_printf(s, "eth_type(0x%04x)", ntohs(key->dl_type));
        }
    } else if (n) {
        str_append_char(s, '(');
    }
    return n;
}

/* Nothing at all for a group of which nothing is looked at. */
static void
format_group(struct str *s, const struct flow_key *key,
             const struct flow_mask *mask, const char *group)
{
    size_t start = s->len;
    size_t inside;

    str_printf(s, ",%s(", group);
    inside = s->len;
    for (const struct field *f = fields; f->group; f++) {
        if (!strcmp(f->group, group)) {
            field_format(s, f, (const uint8_t *) key + f->ofs,
                         (const uint8_t *) &mask->bits + f->ofs);
        }
    }
    if (s->len == inside) {
        str_truncate(s, start);
    } else {
        close_group(s);
    }
}

static void
close_group(struct str *s)
{
    str_chomp(s, ',');
    str_append_char(s, ')');
}

char *
flow_parse(const char *text, flow_port_no_fn *port_no, void *aux,
           struct flow_key *key, struct flow_mask *mask)
{
    struct reader r = {
        .scan = {.p = text},
        .port_no = port_no,
        .aux = aux,
        .key = key,
        .mask = mask,
    };

    memset(key, 0, sizeof *key);
    flow_mask_init(mask);
    for (;;) {
        char *error;

        r.scan.p += strspn(r.scan.p, " ,");
        if (r.n_open && scan_char(&r.scan, ')')) {
            r.n_open--;
            continue;
        }
        if (!*r.scan.p) {
            break;
        }
        error = read_item(&r);
        if (error) {
            return error;
        }
    }
    if (r.n_open) {
        return xstrdup("the bracket of encap() is not closed");
    }
    if (r.n_tags != r.n_encaps || (r.n_tags && !r.has_eth_type)) {
        return xstrdup("there is no encap(eth_type()) behind vlan()");
    }
    finish_reading(&r);
    return NULL;
}

/* Reads "name(...)", or "encap(", whose bracket the caller watches. */
static char *
read_item(struct reader *r)
{
    static const struct {
        const char *name;
        char *(*read)(struct reader *);
    } readers[] = {
        {"tunnel", read_tunnel},
        {"recirc_id", read_recirc_id},
        {"in_port", read_in_port},
        {"packet_type", read_packet_type},
        {"eth_type", read_eth_type},
        {"vlan", read_vlan},
        {"tcp_flags", read_tcp_flags},
    };
    const char *start = r->scan.p;
    char name[sizeof r->scan.token];
    char *error = NULL;
    size_t i;

    if (!scan_token(&r->scan) || !scan_char(&r->scan, '(')) {
        return xasprintf("\"%.40s\" is not of the form name(...)", start);
    }
    memcpy(name, r->scan.token, sizeof name);
    if (!strcmp(name, "encap")) {
        if (r->n_tags != r->n_encaps + 1) {
            return xstrdup("encap() must stand behind vlan()");
        }
        r->n_encaps++;
        r->n_open++;
        return NULL;
    }
    for (i = 0; i < ARRAY_SIZE(readers); i++) {
        if (!strcmp(readers[i].name, name)) {
            error = readers[i].read(r);
            break;
        }
    }
    if (i == ARRAY_SIZE(readers)) {
        error = read_group(r, name);
    }
    if (!error && !scan_char(&r->scan, ')')) {
        error = xasprintf("there is no ')' where %s(...) should end, at "
                          "\"%.40s\"", name, r->scan.p);
    }
    return error;
}

static char *
read_recirc_id(struct reader *r)
{
    uint64_t value;
    char *error = scan_integer(&r->scan, UINT32_MAX, &value);

    if (!error) {
        r->key->recirc_id = (uint32_t) value;
    }
    return error;
}

static char *
read_in_port(struct reader *r)
{
    const char *start = r->scan.p;
    uint64_t number;

    if (!scan_token(&r->scan)) {
        return xasprintf("\"%.40s\" is not a port", start);
    }
    FLOW_MASK_EXACT(r->mask, in_port);
    if (str_to_uint64(r->scan.token, &number) && number
        && number <= UINT32_MAX) {
        r->key->in_port = (uint32_t) number;
    } else {
        r->key->in_port = r->port_no ? r->port_no(r->scan.token, r->aux)
                                     : PORT_NONE;
    }
    return r->key->in_port == PORT_NONE
           ? xasprintf("there is no port \"%s\"", r->scan.token) : NULL;
}

/* Frames begin with Ethernet, always. */
static char *
read_packet_type(struct reader *r)
{
    static const char ethernet[] = "ns=0,id=0";

    if (strncmp(r->scan.p, ethernet, strlen(ethernet))) {
        return xasprintf("the packet type \"%.20s\" is not Ethernet",
                         r->scan.p);
    }
    r->scan.p += strlen(ethernet);
    return NULL;
}

static char *
read_tunnel(struct reader *r)
{
    static const char flags[] = "flags(";
    char *error;

    r->key->parts |= FLOW_PART_TUN;
    error = read_fields(r, "tunnel");
    if (!error && !strncmp(r->scan.p, flags, strlen(flags))) {
        r->scan.p += strlen(flags);
        error = field_scan_flags(&r->scan, field_tun_flags,
                                 &r->key->tun_flags,
                                 &r->mask->bits.tun_flags);
        if (!error && !scan_char(&r->scan, ')')) {
            error = xstrdup("the bracket of flags() is not closed");
        }
    }
    return error;
}

/* The type behind the tags; or, when vlan() follows, a tag's TPID. */
static char *
read_eth_type(struct reader *r)
{
    uint64_t type;
    uint64_t bits = UINT16_MAX;
    char *error = scan_integer(&r->scan, UINT16_MAX, &type);

    if (!error && scan_char(&r->scan, '/')) {
        error = scan_integer(&r->scan, UINT16_MAX, &bits);
    }
    if (error) {
        return error;
    }
    if (bits != UINT16_MAX) {
        return xstrdup("the mask of eth_type() can only be 0xffff");
    }
    if (type && type < ETH_TYPE_MIN && type != FLOW_DL_TYPE_NONE) {
        return xasprintf("%#x is a length, not an Ethernet type",
                         (unsigned int) type);
    }
    if (r->has_eth_type) {
        return xstrdup("eth_type() is given twice");
    }
    r->has_eth_type = true;
    FLOW_MASK_EXACT(r->mask, dl_type);
    r->key->dl_type = htons(type ? (uint16_t) type : FLOW_DL_TYPE_NONE);
    return NULL;
}

static char *
read_vlan(struct reader *r)
{
    uint16_t tci, tci_mask;
    char *error;

    if (!r->has_eth_type || r->n_tags != r->n_encaps
        || r->n_tags == FLOW_MAX_VLANS) {
        return xasprintf("vlan() must stand behind the eth_type() of a tag, "
                         "and at most %d times", FLOW_MAX_VLANS);
    }
    error = field_scan_tci(&r->scan, &tci, &tci_mask, NULL);
    if (error) {
        return error;
    }
    if (!r->n_tags++) {
        r->key->vlan_tpid0 = r->key->dl_type;
        r->key->vlan_tci0 = htons(tci);
        r->mask->bits.vlan_tci0 = htons(tci_mask);
        FLOW_MASK_EXACT(r->mask, vlan_tpid0);
    } else {
        r->key->vlan_tpid1 = r->key->dl_type;
        r->key->vlan_tci1 = htons(tci);
        r->mask->bits.vlan_tci1 = htons(tci_mask);
        FLOW_MASK_EXACT(r->mask, vlan_tpid1);
    }
    r->has_eth_type = false;
    r->key->dl_type = 0;
    r->mask->bits.dl_type = 0;
    return NULL;
}

static char *
read_group(struct reader *r, const char *name)
{
    size_t i;

    if (!strcmp(name, "eth")) {
        return read_fields(r, name);
    }
    for (i = 0; i < ARRAY_SIZE(groups); i++) {
        if (!strcmp(groups[i].name, name)) {
            if (!group_applies(&groups[i], r->key)) {
                return xasprintf("%s() does not fit the eth_type() or the "
                                 "proto= before it", name);
            }
            return read_fields(r, name);
        }
    }
    return xasprintf("there is no field \"%s\"", name);
}

static char *
read_fields(struct reader *r, const char *group)
{
    while (*r->scan.p && *r->scan.p != ')'
           && strncmp(r->scan.p, "flags(", 6)) {
        const char *start = r->scan.p;
        const struct field *f = NULL;
        char *error;

        if (scan_token(&r->scan) && scan_char(&r->scan, '=')) {
            f = field_find(group, r->scan.token);
        }
        if (!f) {
            return xasprintf("\"%.40s\" is not a field of %s()", start,
                             group);
        }
        error = field_scan(&r->scan, f, (uint8_t *) r->key + f->ofs,
                           (uint8_t *) &r->mask->bits + f->ofs);
        if (error) {
            return error;
        }
        if (f->kind == FIELD_IP4 && f->ofs >= offsetof(struct flow_key,
                                                       tun_src)) {
            /* The twelve bytes before an IPv4 address make it a mapped one. */
            struct in6_addr prefix = flow_addr_from_ip4(0);

            memcpy((uint8_t *) r->key + f->ofs - 12, &prefix, 12);
            memset((uint8_t *) &r->mask->bits + f->ofs - 12, 0xff, 12);
        }
        scan_char(&r->scan, ',');
    }
    return NULL;
}

static char *
read_tcp_flags(struct reader *r)
{
    uint16_t flags, bits;
    char *error;

    if (!flow_key_has_ports(r->key) || r->key->nw_proto != IPPROTO_TCP) {
        return xstrdup("tcp_flags() does not fit the eth_type() or the "
                       "proto= before it");
    }
    error = field_scan_flags(&r->scan, field_tcp_flags, &flags, &bits);
    if (!error) {
        r->key->tcp_flags = htons(flags);
        r->mask->bits.tcp_flags = htons(bits);
    }
    return error;
}

/* What the text says by leaving it out: no further tag behind an eth_type(),
 * and the groups of words that can be non-zero. */
static void
finish_reading(struct reader *r)
{
    struct flow_key *m = &r->mask->bits;

    if (r->has_eth_type && r->n_tags == 0) {
        m->vlan_tci0 = htons(VLAN_TCI_PRESENT);
    } else if (r->has_eth_type && r->n_tags == 1) {
        m->vlan_tci1 = htons(VLAN_TCI_PRESENT);
    }
    if (r->key->dl_type == htons(ETH_TYPE_IP6)) {
        r->key->parts |= FLOW_PART_IPV6;
    }
    if (r->key->dl_type == htons(ETH_TYPE_ARP) || flow_key_is_nd(r->key)) {
        r->key->parts |= FLOW_PART_ND;
    }
    if (r->key->recirc_id) {
        r->key->parts |= FLOW_PART_TUN;
    }
}
