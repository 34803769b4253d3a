/* SPDX-License-Identifier: Apache-2.0 */

/* field.c - the table of a key's fields, and each value's spelling.
 *
 * A field that is added to struct flow_key gets a line here and is then
 * written, read and settable by name.  Must never write beyond the size that
 * the table gives, whatever the text says. */

#include "lib/flow/field.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"

#define F(GROUP, NAME, FIELD, KIND, FULL)                                     \
    {GROUP, NAME, offsetof(struct flow_key, FIELD),                           \
     sizeof ((struct flow_key *) 0)->FIELD, FIELD_##KIND, FULL}

/* Where an IPv4-mapped address has its IPv4 part. */
#define IP4_OFS(FIELD) (offsetof(struct flow_key, FIELD) + 12)

const struct field fields[] = {
    /* Set actions alone: they do not know which protocol they will meet.  They
     * stand first so that field_find_set() prefers them. */
    F("vlan", "vid", vlan_tci0, TCI, 0),
    F("ip", "tos", nw_tos, HEX, 0xff),
    F("ip", "ttl", nw_ttl, DEC, 0xff),
    F("tp", "src", tp_src, DEC, 0xffff),
    F("tp", "dst", tp_dst, DEC, 0xffff),

    F("eth", "src", dl_src, MAC, 0),
    F("eth", "dst", dl_dst, MAC, 0),
    F("ipv4", "src", nw_src, IP4, 0),
    F("ipv4", "dst", nw_dst, IP4, 0),
    F("ipv4", "proto", nw_proto, DEC, 0xff),
    F("ipv4", "tos", nw_tos, HEX, 0xff),
    F("ipv4", "ttl", nw_ttl, DEC, 0xff),
    F("ipv4", "frag", nw_frag, FRAG, 0xff),
    F("ipv6", "src", ipv6_src, IP6, 0),
    F("ipv6", "dst", ipv6_dst, IP6, 0),
    F("ipv6", "label", ipv6_label, HEX, 0xfffff),
    F("ipv6", "proto", nw_proto, DEC, 0xff),
    F("ipv6", "tclass", nw_tos, HEX, 0xff),
    F("ipv6", "hlimit", nw_ttl, DEC, 0xff),
    F("ipv6", "frag", nw_frag, FRAG, 0xff),
    F("arp", "sip", nw_src, IP4, 0),
    F("arp", "tip", nw_dst, IP4, 0),
    F("arp", "op", nw_proto, DEC, 0xff),
    F("arp", "sha", arp_sha, MAC, 0),
    F("arp", "tha", arp_tha, MAC, 0),
    F("tcp", "src", tp_src, DEC, 0xffff),
    F("tcp", "dst", tp_dst, DEC, 0xffff),
    F("udp", "src", tp_src, DEC, 0xffff),
    F("udp", "dst", tp_dst, DEC, 0xffff),
    F("sctp", "src", tp_src, DEC, 0xffff),
    F("sctp", "dst", tp_dst, DEC, 0xffff),
    F("icmp", "type", tp_src, DEC, 0xff),
    F("icmp", "code", tp_dst, DEC, 0xff),
    F("icmpv6", "type", tp_src, DEC, 0xff),
    F("icmpv6", "code", tp_dst, DEC, 0xff),
    F("nd", "target", nd_target, IP6, 0),
    F("nd", "sll", arp_sha, MAC, 0),
    F("nd", "tll", arp_tha, MAC, 0),
    F("tunnel", "tun_id", tun_id, HEX, UINT64_MAX),
    {"tunnel", "src", IP4_OFS(tun_src), 4, FIELD_IP4, 0},
    {"tunnel", "dst", IP4_OFS(tun_dst), 4, FIELD_IP4, 0},
    F("tunnel", "ipv6_src", tun_src, IP6, 0),
    F("tunnel", "ipv6_dst", tun_dst, IP6, 0),
    F("tunnel", "tos", tun_tos, HEX, 0xff),
    F("tunnel", "ttl", tun_ttl, DEC, 0xff),
    {NULL, NULL, 0, 0, 0, 0},
};

const struct field_flag field_tcp_flags[] = {
    {"fin", 0x001}, {"syn", 0x002}, {"rst", 0x004}, {"psh", 0x008},
    {"ack", 0x010}, {"urg", 0x020}, {"ece", 0x040}, {"cwr", 0x080},
    {"ns", 0x100}, {"[200]", 0x200}, {"[400]", 0x400}, {"[800]", 0x800},
    {NULL, 0},
};

const struct field_flag field_tun_flags[] = {
    {"df", FLOW_TUN_DF}, {"csum", FLOW_TUN_CSUM}, {"key", FLOW_TUN_KEY},
    {"oam", FLOW_TUN_OAM},
    {NULL, 0},
};

static uint64_t get_integer(const void *, size_t n);
static void put_integer(void *, size_t n, uint64_t);
static void format_value(struct str *, const struct field *, const void *);
static void format_mask(struct str *, const struct field *, const void *);
static bool is_full(const struct field *, const void *mask);
static bool is_empty(const struct field *, const void *mask);
static bool parse_value(const char *, const struct field *, void *value);
static bool parse_integer(const char *, uint64_t max, uint64_t *value);
static bool parse_mac(const char *, uint8_t mac[6]);
static const struct field_flag *find_flag(const struct field_flag *,
                                          const char *name);

const struct field *
field_find(const char *group, const char *name)
{
    for (const struct field *f = fields; f->group; f++) {
        if (!strcmp(f->group, group) && !strcmp(f->name, name)) {
            return f;
        }
    }
    return NULL;
}

const struct field *
field_find_set(size_t ofs, size_t n)
{
    for (const struct field *f = fields; f->group; f++) {
        if (f->ofs == ofs && f->n == n) {
            return f;
        }
    }
    return NULL;
}

void
field_format(struct str *s, const struct field *f, const void *value,
             const void *mask)
{
    if (mask && is_empty(f, mask)) {
        return;
    }
    str_printf(s, "%s=", f->name);
    format_value(s, f, value);
    if (mask && !is_full(f, mask)) {
        str_append_char(s, '/');
        format_mask(s, f, mask);
    }
    str_append_char(s, ',');
}

void
field_format_tci(struct str *s, uint16_t tci, uint16_t mask)
{
    uint16_t vid_mask = mask & VLAN_TCI_VID;
    uint16_t pcp_mask = (mask & VLAN_TCI_PCP) >> 13;

    if (vid_mask) {
        str_printf(s, "vid=%u", tci & VLAN_TCI_VID);
        if (vid_mask != VLAN_TCI_VID) {
            str_printf(s, "/%#x", vid_mask);
        }
        str_append_char(s, ',');
    }
    if (pcp_mask) {
        str_printf(s, "pcp=%u", tci >> 13);
        if (pcp_mask != 7) {
            str_printf(s, "/%#x", pcp_mask);
        }
        str_append_char(s, ',');
    }
}

bool
scan_token(struct scan *scan)
{
    size_t len = strcspn(scan->p, ",()/=");

    if (!len || len >= sizeof scan->token) {
        return false;
    }
    memcpy(scan->token, scan->p, len);
    scan->token[len] = '\0';
    scan->p += len;
    return true;
}

bool
scan_char(struct scan *scan, char c)
{
    if (*scan->p != c) {
        return false;
    }
    scan->p++;
    return true;
}

char *
field_scan(struct scan *scan, const struct field *f, void *value, void *mask)
{
    const char *start = scan->p;

    if (!scan_token(scan) || !parse_value(scan->token, f, value)) {
        return xasprintf("\"%.40s\" is not a value of %s(%s=)", start,
                         f->group, f->name);
    }
    if (!scan_char(scan, '/')) {
        if (f->full) {
            put_integer(mask, f->n, f->full);
        } else {
            memset(mask, 0xff, f->n);
        }
        return NULL;
    }
    start = scan->p;
    if (!scan_token(scan) || !parse_value(scan->token, f, mask)) {
        return xasprintf("\"%.40s\" is not a mask of %s(%s=)", start,
                         f->group, f->name);
    }
    return NULL;
}

char *
field_scan_tci(struct scan *scan, uint16_t *tci, uint16_t *mask,
               uint16_t *tpid)
{
    *tci = *mask = VLAN_TCI_PRESENT;
    while (*scan->p && *scan->p != ')') {
        uint64_t max, value, bits;
        unsigned int shift;
        char *error;

        if (!scan_token(scan) || !scan_char(scan, '=')) {
            return xasprintf("\"%.20s\" is not part of a VLAN tag", scan->p);
        }
        if (!strcmp(scan->token, "vid")) {
            shift = 0;
            max = VLAN_TCI_VID;
        } else if (!strcmp(scan->token, "pcp")) {
            shift = 13;
            max = 7;
        } else if (!strcmp(scan->token, "cfi")) {
            shift = 12;
            max = 1;
        } else if (tpid && !strcmp(scan->token, "tpid")) {
            error = scan_integer(scan, UINT16_MAX, &value);
            if (error) {
                return error;
            }
            *tpid = (uint16_t) value;
            scan_char(scan, ',');
            continue;
        } else {
            return xasprintf("\"%s\" is not part of a VLAN tag",
                             scan->token);
        }

        error = scan_integer(scan, max, &value);
        bits = max;
        if (!error && scan_char(scan, '/')) {
            error = scan_integer(scan, max, &bits);
        }
        if (error) {
            return error;
        }
        if (shift == 12 && !value) {
            return xstrdup("a tag with cfi=0 is none");
        }
        *tci = (uint16_t) ((*tci & ~(max << shift)) | value << shift);
        *mask = (uint16_t) (*mask | bits << shift);
        scan_char(scan, ',');
    }
    return NULL;
}

char *
scan_integer(struct scan *scan, uint64_t max, uint64_t *value)
{
    const char *start = scan->p;

    if (!scan_token(scan) || !parse_integer(scan->token, max, value)) {
        return xasprintf("\"%.40s\" is not a number from 0 to %" PRIu64, start,
                         max);
    }
    return NULL;
}

void
field_format_flags(struct str *s, const struct field_flag *names,
                   uint16_t flags, uint16_t mask)
{
    const struct field_flag *f;
    uint16_t all = 0;
    bool any = false;

    for (f = names; f->name; f++) {
        all |= f->bit;
    }
    if ((mask & all) != all) {
        for (f = names; f->name; f++) {
            if (mask & f->bit) {
                str_printf(s, "%c%s", flags & f->bit ? '+' : '-', f->name);
            }
        }
        return;
    }
    for (f = names; f->name; f++) {
        if (flags & f->bit) {
            str_printf(s, "%s%s", any ? "|" : "", f->name);
            any = true;
        }
    }
    if (!any) {
        str_append_char(s, '0');
    }
}

char *
field_scan_flags(struct scan *scan, const struct field_flag *names,
                 uint16_t *flags, uint16_t *mask)
{
    const struct field_flag *f;

    *flags = *mask = 0;
    if (*scan->p != '+' && *scan->p != '-') {
        for (f = names; f->name; f++) {
            *mask |= f->bit;
        }
        if (*scan->p == '0') {
            scan->p++;
            return NULL;
        }
    }
    while (*scan->p && *scan->p != ')') {
        size_t len;

        bool is_set = *scan->p != '-';
        scan->p += strspn(scan->p, "+-|");
        len = strcspn(scan->p, "+-|)");
        if (!len || len >= sizeof scan->token) {
            return xasprintf("there is no flag at \"%.20s\"", scan->p);
        }
        memcpy(scan->token, scan->p, len);
        scan->token[len] = '\0';
        scan->p += len;

        f = find_flag(names, scan->token);
        if (!f) {
            return xasprintf("\"%s\" is not a flag", scan->token);
        }
        *flags = (uint16_t) (is_set ? *flags | f->bit : *flags & ~f->bit);
        *mask |= f->bit;
    }
    return NULL;
}

static const struct field_flag *
find_flag(const struct field_flag *f, const char *name)
{
    while (f->name && strcmp(f->name, name)) {
        f++;
    }
    return f->name ? f : NULL;
}

/* Integers of the key are big endian and of 1 to 8 bytes. */
static uint64_t
get_integer(const void *p_, size_t n)
{
    const uint8_t *p = p_;
    uint64_t x = 0;

    while (n--) {
        x = x << 8 | *p++;
    }
    return x;
}

static void
put_integer(void *p_, size_t n, uint64_t x)
{
    uint8_t *p = p_;

    while (n--) {
        p[n] = (uint8_t) x;
        x >>= 8;
    }
}

static void
format_value(struct str *s, const struct field *f, const void *value)
{
    static const char *const frags[4] = {
        [0] = "no",
        [FLOW_FRAG_ANY] = "first",
        [FLOW_FRAG_ANY | FLOW_FRAG_LATER] = "later",
    };
    char buf[INET6_ADDRSTRLEN];
    const uint8_t *p = value;

    switch (f->kind) {
    case FIELD_DEC:
        str_printf(s, "%" PRIu64, get_integer(value, f->n) & f->full);
        break;
    case FIELD_HEX:
        str_printf(s, "%#" PRIx64, get_integer(value, f->n) & f->full);
        break;
    case FIELD_MAC:
        str_printf(s, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2],
                   p[3], p[4], p[5]);
        break;
    case FIELD_IP4:
        str_append(s, inet_ntop(AF_INET, value, buf, sizeof buf));
        break;
    case FIELD_IP6:
        str_append(s, inet_ntop(AF_INET6, value, buf, sizeof buf));
        break;
    case FIELD_FRAG:
        if (p[0] < ARRAY_SIZE(frags) && frags[p[0]]) {
            str_append(s, frags[p[0]]);
        } else {
            str_printf(s, "%#x", p[0]);
        }
        break;
    default:
        break;
    }
}

static void
format_mask(struct str *s, const struct field *f, const void *mask)
{
    if (f->full) {
        str_printf(s, "%#" PRIx64, get_integer(mask, f->n) & f->full);
    } else {
        format_value(s, f, mask);
    }
}

static bool
is_full(const struct field *f, const void *mask)
{
    const uint8_t *p = mask;
    size_t i;

    if (f->full) {
        return (get_integer(mask, f->n) & f->full) == f->full;
    }
    for (i = 0; i < f->n; i++) {
        if (p[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static bool
is_empty(const struct field *f, const void *mask)
{
    const uint8_t *p = mask;
    size_t i;

    if (f->full) {
        return !(get_integer(mask, f->n) & f->full);
    }
    for (i = 0; i < f->n; i++) {
        if (p[i]) {
            return false;
        }
    }
    return true;
}

static bool
parse_value(const char *text, const struct field *f, void *value)
{
    uint64_t x;

    switch (f->kind) {
    case FIELD_MAC:
        return parse_mac(text, value);
    case FIELD_IP4:
        return inet_pton(AF_INET, text, value) == 1;
    case FIELD_IP6:
        return inet_pton(AF_INET6, text, value) == 1;
    case FIELD_FRAG:
        if (!strcmp(text, "no")) {
            x = 0;
        } else if (!strcmp(text, "first")) {
            x = FLOW_FRAG_ANY;
        } else if (!strcmp(text, "later")) {
            x = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
        } else if (!parse_integer(text, f->full, &x)) {
            return false;
        }
        break;
    case FIELD_DEC:
    case FIELD_HEX:
        if (!parse_integer(text, f->full, &x)) {
            return false;
        }
        break;
    default:
        return false;
    }
    put_integer(value, f->n, x);
    return true;
}

static bool
parse_integer(const char *text, uint64_t max, uint64_t *value)
{
    return str_to_uint64(text, value) && *value <= max;
}

static bool
parse_mac(const char *text, uint8_t mac[6])
{
    static const char digits[] = "0123456789abcdefABCDEF";
    int i;

    for (i = 0; i < 6; i++) {
        char byte[3] = {0};
        size_t len = strspn(text, digits);

        if (!len || len > 2 || text[len] != (i < 5 ? ':' : '\0')) {
            return false;
        }
        memcpy(byte, text, len);
        mac[i] = (uint8_t) strtoul(byte, NULL, 16);
        text += len + (i < 5);
    }
    return true;
}
