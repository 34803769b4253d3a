/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_cfg.c - the options of a tunnel port: text of the Interface row to
 * struct tnl_cfg and back.
 *
 * Names and meanings are those of ovs-vswitchd.conf.db(5), "Tunnel Options".
 * MAIN thread; allocates.  Must never apply half of a configuration: whatever
 * is not understood is an error that the operator sees. */

#include "lib/tnl/tnl.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "lib/base/smap.h"
#include "lib/base/str.h"
#include "lib/flow/flow.h"

#define DEFAULT_TTL 64
#define ECN_BITS 3u

/* At most so many characters of a name or value are shown in an error. */
#define MAX_SHOWN 48

struct rule;

/* Reads 'value' into the configuration; returns NULL or a sentence. */
typedef char *read_option(const struct rule *, const struct tnl_ops *,
                          const char *value, struct tnl_cfg *);

/* How one option is read.  'help' completes "it must be ..."; NULL: the type
 * has the text (struct tnl_option), and only types that list the option have
 * it. */
struct rule {
    const char *name;
    const char *help;
    read_option *read;
    size_t ofs;                 /* Of the field, for read_bool(). */
};

/* Options that would promise what is not kept. */
struct refusal {
    const char *name;           /* Ends in '*': a prefix. */
    const char *why;
};

static read_option read_remote, read_local, read_key, read_in_key,
    read_out_key, read_dst_port, read_bool, read_tos, read_ttl,
    read_packet_type, read_exts;

static const char bool_help[] = "true or false";
static const char key_help[] = "\"flow\" or a number";

/* In the order in which faults are reported. */
static const struct rule rules[] = {
    {"remote_ip", "the unicast IPv4 or IPv6 address of the other end (names "
     "are not resolved), or \"flow\"", read_remote, 0},
    {"local_ip", "a unicast IPv4 or IPv6 address of this host (names are not "
     "resolved), or \"flow\"", read_local, 0},
    {"key", key_help, read_key, 0},
    {"in_key", key_help, read_in_key, 0},
    {"out_key", key_help, read_out_key, 0},
    {"dst_port", NULL, read_dst_port, 0},
    {"csum", bool_help, read_bool, offsetof(struct tnl_cfg, csum)},
    {"df_default", bool_help, read_bool, offsetof(struct tnl_cfg, df)},
    {"tos", "\"inherit\" or a number from 0 to 252 whose two low bits (ECN) "
     "are 0, that is DSCP times 4", read_tos, 0},
    {"ttl", "\"inherit\" or a number from 0 to 255 (0 means 64)", read_ttl, 0},
    {"seq", NULL, read_bool, offsetof(struct tnl_cfg, seq)},
    {"packet_type", "legacy_l2, since only Ethernet frames are carried",
     read_packet_type, 0},
    {"exts", NULL, read_exts, 0},
    {"icmp_too_big", bool_help, read_bool,
     offsetof(struct tnl_cfg, icmp_too_big)},
};

static const char no_ipsec[] = "this switch does not encrypt; protect the "
    "outer packets by other means and remove the option";

static const struct refusal refusals[] = {
    {"psk", no_ipsec},
    {"remote_cert", no_ipsec},
    {"remote_name", no_ipsec},
    {"local_name", no_ipsec},
    {"peer_cert", no_ipsec},
    {"certificate", no_ipsec},
    {"private_key", no_ipsec},
    {"ca_cert", no_ipsec},
    {"use_ssl_cert", no_ipsec},
    {"ipsec_*", no_ipsec},
    {"egress_pkt_mark", "outer packets cannot carry a mark, and rules that "
     "depend on it would not see them; remove the option"},
    {"layer3", "only Ethernet frames are carried; remove the option"},
    {"erspan_*", "this is an option of another tunnel type; remove it"},
};

/* Options of other classes of port that scripts set on every port alike. They
 * speak of queues and links, which a tunnel port has not. */
static const char *const ignored_options[] = {
    "n_rxq", "n_rxq_desc", "n_txq_desc", "rx-flow-ctrl", "tx-flow-ctrl",
    "flow-ctrl-autoneg", "dpdk-lsc-interrupt", "pmd-rxq-affinity",
};

static char *check_names(const struct tnl_ops *, const struct smap *,
                         char **ignored);
static char *check_whole(const struct smap *, const struct tnl_cfg *);
static char *unknown_option(const struct tnl_ops *, const char *name);
static char *bad_value(const struct rule *, const struct tnl_ops *,
                       const char *value);
static const char *rule_help(const struct rule *, const struct tnl_ops *);
static const char *type_help(const struct tnl_ops *, const char *name);
static const struct rule *find_rule(const struct tnl_ops *, const char *name);
static bool is_ignored(const char *name);
static const char *find_refusal(const char *name);
static char *shown(const char *);

char *
tnl_cfg_parse(tnl_type type, const struct smap *options, struct tnl_cfg *cfg,
              char **ignored)
{
    const struct tnl_ops *ops = tnl_ops_get(type);
    char *error;

    /* Padding too, for memcmp(). */
    memset(cfg, 0, sizeof *cfg);
    cfg->type = type;
    cfg->dst_port = ops->default_port;
    cfg->ttl = DEFAULT_TTL;
    cfg->df = true;
    cfg->icmp_too_big = true;

    error = check_names(ops, options, ignored);
    for (size_t i = 0; !error && i < ARRAY_SIZE(rules); i++) {
        const char *value = smap_get(options, rules[i].name);

        if (value) {
            error = rules[i].read(&rules[i], ops, value, cfg);
        }
    }
    if (!error) {
        error = check_whole(options, cfg);
    }
    if (error) {
        free(*ignored);
        *ignored = NULL;
    }
    return error;
}

static void
format_addr(struct str *s, const struct in6_addr *addr)
{
    char text[INET6_ADDRSTRLEN];

    if (flow_addr_is_ip4(addr)) {
        be32 ip4 = flow_addr_to_ip4(addr);

        inet_ntop(AF_INET, &ip4, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, addr, text, sizeof text);
    }
    str_append(s, text);
}

static void
format_key(struct str *s, const char *name, bool is_flow, bool present,
           be64 key)
{
    if (is_flow) {
        str_printf(s, ",%s=flow", name);
    } else if (present) {
        str_printf(s, ",%s=%llu", name, (unsigned long long) be64toh(key));
    }
}

void
tnl_cfg_format(struct str *s, const struct tnl_cfg *cfg)
{
    str_append(s, "remote_ip=");
    if (cfg->remote_flow) {
        str_append(s, "flow");
    } else {
        format_addr(s, &cfg->remote);
    }
    if (cfg->local_flow) {
        str_append(s, ",local_ip=flow");
    } else if (cfg->has_local) {
        str_append(s, ",local_ip=");
        format_addr(s, &cfg->local);
    }
    if (cfg->in_key_flow == cfg->out_key_flow
        && cfg->in_key_present == cfg->out_key_present
        && cfg->in_key == cfg->out_key) {
        format_key(s, "key", cfg->in_key_flow, cfg->in_key_present,
                   cfg->in_key);
    } else {
        format_key(s, "in_key", cfg->in_key_flow, cfg->in_key_present,
                   cfg->in_key);
        format_key(s, "out_key", cfg->out_key_flow, cfg->out_key_present,
                   cfg->out_key);
    }
    if (cfg->dst_port != tnl_ops_get(cfg->type)->default_port) {
        str_printf(s, ",dst_port=%u", cfg->dst_port);
    }
    if (cfg->csum) {
        str_append(s, ",csum=true");
    }
    if (!cfg->df) {
        str_append(s, ",df_default=false");
    }
    if (cfg->tos_inherit) {
        str_append(s, ",tos=inherit");
    } else if (cfg->tos) {
        str_printf(s, ",tos=0x%x", cfg->tos);
    }
    if (cfg->ttl_inherit) {
        str_append(s, ",ttl=inherit");
    } else if (cfg->ttl != DEFAULT_TTL) {
        str_printf(s, ",ttl=%u", cfg->ttl);
    }
    if (cfg->seq) {
        str_append(s, ",seq=true");
    }
    if (!cfg->icmp_too_big) {
        str_append(s, ",icmp_too_big=false");
    }
}

bool
tnl_cfg_conflicts(const struct tnl_cfg *a, const struct tnl_cfg *b)
{
    return (a->type == b->type
            && a->dst_port == b->dst_port
            && a->in_key_flow == b->in_key_flow
            && a->in_key == b->in_key
            && a->remote_flow == b->remote_flow
            && !memcmp(&a->remote, &b->remote, sizeof a->remote)
            && a->local_flow == b->local_flow
            && !memcmp(&a->local, &b->local, sizeof a->local));
}

/* Each option is one that we read, or one that has no effect here. */
static char *
check_names(const struct tnl_ops *ops, const struct smap *options,
            char **ignored)
{
    const struct smap_node **nodes = smap_sort(options);
    struct str list = STR_INIT;
    char *error = NULL;

    for (size_t i = 0; !error && i < smap_count(options); i++) {
        const char *name = nodes[i]->key;
        const char *why = find_refusal(name);

        if (why) {
            char *text = shown(name);

            error = xasprintf("option %s cannot be honoured: %s", text, why);
            free(text);
        } else if (is_ignored(name)) {
            str_printf(&list, "%s%s", list.len ? ", " : "", name);
        } else if (!find_rule(ops, name)) {
            error = unknown_option(ops, name);
        }
    }
    free(nodes);
    *ignored = list.len ? str_steal(&list) : NULL;
    str_fini(&list);
    return error;
}

/* What is right only together with other options. */
static char *
check_whole(const struct smap *options, const struct tnl_cfg *cfg)
{
    static const char *const halves[] = {"in_key", "out_key"};

    for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
        if (smap_get(options, "key") && smap_get(options, halves[i])) {
            char *key = shown(smap_get(options, "key"));
            char *half = shown(smap_get(options, halves[i]));
            char *error = xasprintf("options key %s and %s %s are both given, "
                                    "and key means in_key and out_key: give "
                                    "either key alone, or in_key and out_key",
                                    key, halves[i], half);

            free(key);
            free(half);
            return error;
        }
    }
    if (!smap_get(options, "remote_ip")) {
        return xstrdup("option remote_ip is missing: set it to the IPv4 or "
                       "IPv6 address of the tunnel's other end");
    }
    if (cfg->local_flow && !cfg->remote_flow) {
        return xstrdup("option local_ip is \"flow\", which is possible only "
                       "with remote_ip=flow: give an address or no local_ip");
    }
    if (cfg->has_local && !cfg->remote_flow
        && (flow_addr_is_ip4(&cfg->local)
            != flow_addr_is_ip4(&cfg->remote))) {
        return xasprintf("options remote_ip \"%s\" and local_ip \"%s\" are of "
                         "different address families: give two IPv4 or two "
                         "IPv6 addresses", smap_get(options, "remote_ip"),
                         smap_get(options, "local_ip"));
    }
    return NULL;
}

/* Reads "flow" into '*is_flow' or a unicast address into '*addr'. */
static char *
read_endpoint(const struct rule *rule, const struct tnl_ops *ops,
              const char *value, bool *is_flow, struct in6_addr *addr)
{
    struct in_addr ip4;
    const char *what = NULL;

    if (!strcmp(value, "flow")) {
        *is_flow = true;
        return NULL;
    }
    if (inet_pton(AF_INET, value, &ip4) == 1) {
        *addr = flow_addr_from_ip4(ip4.s_addr);
    } else if (inet_pton(AF_INET6, value, addr) != 1) {
        return bad_value(rule, ops, value);
    }

    if (flow_addr_is_ip4(addr)) {
        uint32_t ip = ntohl(flow_addr_to_ip4(addr));

        what = (!ip ? "the unspecified address"
                : ip == INADDR_BROADCAST ? "the broadcast address"
                : IN_MULTICAST(ip) ? "a multicast address"
                : NULL);
    } else {
        what = (IN6_IS_ADDR_UNSPECIFIED(addr) ? "the unspecified address"
                : IN6_IS_ADDR_MULTICAST(addr) ? "a multicast address"
                : NULL);
    }
    if (what) {
        return xasprintf("option %s is \"%s\", %s: it must be %s", rule->name,
                         value, what, rule_help(rule, ops));
    }
    return NULL;
}

static char *
read_remote(const struct rule *rule, const struct tnl_ops *ops,
            const char *value, struct tnl_cfg *cfg)
{
    return read_endpoint(rule, ops, value, &cfg->remote_flow, &cfg->remote);
}

static char *
read_local(const struct rule *rule, const struct tnl_ops *ops,
           const char *value, struct tnl_cfg *cfg)
{
    char *error = read_endpoint(rule, ops, value, &cfg->local_flow,
                                &cfg->local);

    cfg->has_local = !cfg->local_flow;
    return error;
}

/* 0 is the same as no key, as the manual has it. */
static char *
read_key_value(const struct rule *rule, const struct tnl_ops *ops,
               const char *value, bool *is_flow, bool *present, be64 *key)
{
    uint64_t max = (UINT64_C(1) << ops->key_bits) - 1;
    uint64_t number;

    if (!strcmp(value, "flow")) {
        *is_flow = true;
        return NULL;
    }
    if (!str_to_uint64(value, &number) || number > max) {
        char *text = shown(value);
        char *error = xasprintf("option %s is %s: it must be %s from 0 to "
                                "%llu (%u bits for %s)", rule->name, text,
                                rule_help(rule, ops),
                                (unsigned long long) max, ops->key_bits,
                                ops->name);

        free(text);
        return error;
    }
    *present = number != 0;
    *key = htobe64(number);
    return NULL;
}

static char *
read_in_key(const struct rule *rule, const struct tnl_ops *ops,
            const char *value, struct tnl_cfg *cfg)
{
    return read_key_value(rule, ops, value, &cfg->in_key_flow,
                          &cfg->in_key_present, &cfg->in_key);
}

static char *
read_out_key(const struct rule *rule, const struct tnl_ops *ops,
             const char *value, struct tnl_cfg *cfg)
{
    return read_key_value(rule, ops, value, &cfg->out_key_flow,
                          &cfg->out_key_present, &cfg->out_key);
}

static char *
read_key(const struct rule *rule, const struct tnl_ops *ops,
         const char *value, struct tnl_cfg *cfg)
{
    char *error = read_in_key(rule, ops, value, cfg);

    return error ? error : read_out_key(rule, ops, value, cfg);
}

static char *
read_dst_port(const struct rule *rule, const struct tnl_ops *ops,
              const char *value, struct tnl_cfg *cfg)
{
    int port;

    if (!str_to_int_range(value, 1, UINT16_MAX, &port)) {
        return bad_value(rule, ops, value);
    }
    cfg->dst_port = (uint16_t) port;
    return NULL;
}

static char *
read_bool(const struct rule *rule, const struct tnl_ops *ops,
          const char *value, struct tnl_cfg *cfg)
{
    bool *field = (bool *) ((char *) cfg + rule->ofs);

    if (!strcmp(value, "true")) {
        *field = true;
    } else if (!strcmp(value, "false")) {
        *field = false;
    } else {
        return bad_value(rule, ops, value);
    }
    return NULL;
}

static char *
read_tos(const struct rule *rule, const struct tnl_ops *ops,
         const char *value, struct tnl_cfg *cfg)
{
    int tos;

    if (!strcmp(value, "inherit")) {
        cfg->tos_inherit = true;
        return NULL;
    }
    if (!str_to_int_range(value, 0, UINT8_MAX, &tos)
        || (unsigned int) tos & ECN_BITS) {
        return bad_value(rule, ops, value);
    }
    cfg->tos = (uint8_t) tos;
    return NULL;
}

static char *
read_ttl(const struct rule *rule, const struct tnl_ops *ops,
         const char *value, struct tnl_cfg *cfg)
{
    int ttl;

    if (!strcmp(value, "inherit")) {
        cfg->ttl_inherit = true;
        return NULL;
    }
    if (!str_to_int_range(value, 0, UINT8_MAX, &ttl)) {
        return bad_value(rule, ops, value);
    }
    cfg->ttl = (uint8_t) (ttl ? ttl : DEFAULT_TTL);
    return NULL;
}

static char *
read_packet_type(const struct rule *rule, const struct tnl_ops *ops,
                 const char *value, struct tnl_cfg *cfg UNUSED)
{
    return strcmp(value, "legacy_l2") ? bad_value(rule, ops, value) : NULL;
}

static char *
read_exts(const struct rule *rule, const struct tnl_ops *ops,
          const char *value, struct tnl_cfg *cfg UNUSED)
{
    return bad_value(rule, ops, value);
}

static char *
bad_value(const struct rule *rule, const struct tnl_ops *ops,
          const char *value)
{
    char *text = shown(value);
    char *error = xasprintf("option %s is %s: it must be %s", rule->name, text,
                            rule_help(rule, ops));

    free(text);
    return error;
}

static char *
unknown_option(const struct tnl_ops *ops, const char *name)
{
    struct str s = STR_INIT;
    char *text = shown(name);
    const char *separator = "";

    str_printf(&s, "option %s is unknown to tunnels of type %s: remove it or "
               "correct its name (known are ", text, ops->name);
    free(text);
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (find_rule(ops, rules[i].name)) {
            str_printf(&s, "%s%s", separator, rules[i].name);
            separator = ", ";
        }
    }
    str_append_char(&s, ')');
    return str_steal(&s);
}

/* The type's own text goes before the common one. */
static const char *
rule_help(const struct rule *rule, const struct tnl_ops *ops)
{
    const char *help = type_help(ops, rule->name);

    return help ? help : rule->help;
}

static const char *
type_help(const struct tnl_ops *ops, const char *name)
{
    for (const struct tnl_option *o = ops->options; o->name; o++) {
        if (!strcmp(o->name, name)) {
            return o->help;
        }
    }
    return NULL;
}

static const struct rule *
find_rule(const struct tnl_ops *ops, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (!strcmp(rules[i].name, name)) {
            return rule_help(&rules[i], ops) ? &rules[i] : NULL;
        }
    }
    return NULL;
}

static bool
is_ignored(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ignored_options); i++) {
        if (!strcmp(ignored_options[i], name)) {
            return true;
        }
    }
    return false;
}

static const char *
find_refusal(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        const char *pattern = refusals[i].name;
        size_t len = strlen(pattern);

        if (pattern[len - 1] == '*' ? !strncmp(name, pattern, len - 1)
            : !strcmp(name, pattern)) {
            return refusals[i].why;
        }
    }
    return NULL;
}

/* 'text' in quotes, cut to MAX_SHOWN, all but printable ASCII escaped: an
 * error must be a valid database string, and a letter that only looks like an
 * ASCII one must be told from it.  Caller frees. */
static char *
shown(const char *text)
{
    struct str s = STR_INIT;
    size_t n = 0;

    str_append_char(&s, '"');
    for (; text[n] && n < MAX_SHOWN; n++) {
        unsigned char c = (unsigned char) text[n];

        if (c < 0x20 || c > 0x7e) {
            str_printf(&s, "\\x%02x", c);
        } else {
            if (c == '"' || c == '\\') {
                str_append_char(&s, '\\');
            }
            str_append_char(&s, (char) c);
        }
    }
    str_append(&s, text[n] ? "...\"" : "\"");
    return str_steal(&s);
}
