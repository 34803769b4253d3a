/* SPDX-License-Identifier: Apache-2.0 */

/* config_bridge.c - judges one Bridge row (see config.h). */

#include <ctype.h>
#include <net/if.h>

#include "vswitchd/config.h"
#include "vswitchd/mac_table.h"

#define MAC_TABLE_SIZE_MIN 10
#define MAC_TABLE_SIZE_MAX 1000000
#define MAC_AGING_MIN_S 15
#define MAC_AGING_MAX_S 3600

/* A name that a device can have, as the bridge's own port must. */
static char *
check_name(const char *name)
{
    if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
        return xstrdup("the bridge needs a name that a device can have");
    }
    if (strlen(name) >= IFNAMSIZ) {
        return xasprintf("bridge %s: the name is longer than %d bytes", name,
                         IFNAMSIZ - 1);
    }
    for (const char *p = name; *p; p++) {
        if (*p == '/' || *p == ':' || isspace((unsigned char) *p)
            || iscntrl((unsigned char) *p)) {
            return xasprintf("bridge \"%s\": a device's name has no blank, "
                             "slash or colon", name);
        }
    }
    return NULL;
}

/* A key that has no effect, or not the one that was meant. */
static void PRINTF_FORMAT(2, 3)
complain(struct cfg_bridge *bridge, const char *format, ...)
{
    va_list args;

    if (!bridge->warning) {
        va_start(args, format);
        bridge->warning = xvasprintf(format, args);
        va_end(args);
    }
}

/* An integer within bounds, which it is brought into as OVS does. */
static int
get_clamped(struct cfg_bridge *bridge, const char *key, int def, int min,
            int max)
{
    const char *text = smap_get(&bridge->other_config, key);
    int64_t value;

    if (!text) {
        return def;
    }
    if (!str_to_int64(text, &value)) {
        complain(bridge, "other_config:%s=%s is not a number; %d is used",
                 key, text, def);
        return def;
    }
    /* OVS takes 0 for "not set". */
    if (value <= 0) {
        return def;
    }
    if (value < min || value > max) {
        int used = value < min ? min : max;

        complain(bridge, "other_config:%s=%s is not from %d to %d; %d is "
                 "used", key, text, min, max, used);
        return used;
    }
    return (int) value;
}

static bool
get_bool(struct cfg_bridge *bridge, const char *key)
{
    const char *text = smap_get(&bridge->other_config, key);

    if (text && strcasecmp(text, "true") && strcasecmp(text, "false")) {
        complain(bridge, "other_config:%s=%s is neither true nor false; "
                 "false is used", key, text);
    }
    return smap_get_bool(&bridge->other_config, key, false);
}

/* 16 hexadecimal digits, or fewer after "0x", and not zero. */
static bool
parse_dpid(const char *s, uint64_t *dpid)
{
    size_t len;

    if (!strncmp(s, "0x", 2)) {
        s += 2;
        len = strlen(s);
        if (!len || len > 16) {
            return false;
        }
    } else {
        len = strlen(s);
        if (len != 16) {
            return false;
        }
    }
    if (strspn(s, "0123456789abcdefABCDEF") != len) {
        return false;
    }
    *dpid = strtoull(s, NULL, 16);
    return *dpid != 0;
}

static void
note_unsupported(const struct cfg_bridge *bridge, struct strset *notes)
{
    static const char *const keys[] = {
        "mcast-snooping-table-size", "disable-in-band", "stp-priority",
        "rstp-priority", "vlan-limit", "dp-desc",
    };
    const char **sorted = strset_sort(&bridge->unsupported);

    for (size_t i = 0; i < strset_count(&bridge->unsupported); i++) {
        config_note(notes, "bridge %s: %s is not supported yet and has no "
                    "effect", bridge->name, sorted[i]);
    }
    free(sorted);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (smap_get(&bridge->other_config, keys[i])) {
            config_note(notes, "bridge %s: other_config:%s is not supported "
                        "yet and has no effect", bridge->name, keys[i]);
        }
    }
}

void
config_check_bridge(struct cfg_bridge *bridge, struct strset *notes)
{
    const char *hwaddr = smap_get(&bridge->other_config, "hwaddr");
    const char *dpid = smap_get(&bridge->other_config, "datapath-id");
    const char *type = bridge->datapath_type;

    bridge->error = check_name(bridge->name);
    if (!bridge->error && *type && strcmp(type, "netdev")
        && strcmp(type, "system")) {
        bridge->error = xasprintf("bridge %s has the unknown datapath_type "
                                  "\"%s\" (known are netdev and system)",
                                  bridge->name, type);
    }
    if (bridge->error) {
        config_note(notes, "%s", bridge->error);
    }

    if (hwaddr) {
        bridge->has_hwaddr = config_parse_mac(hwaddr, bridge->hwaddr);
        if (!bridge->has_hwaddr) {
            complain(bridge, "other_config:hwaddr=%s is no unicast MAC "
                     "address and has no effect", hwaddr);
        }
    }
    if (dpid) {
        bridge->has_dpid = parse_dpid(dpid, &bridge->dpid);
        if (!bridge->has_dpid) {
            complain(bridge, "other_config:datapath-id=%s is not 16 "
                     "hexadecimal digits and has no effect", dpid);
        }
    }
    bridge->mac_table_size = (size_t) get_clamped(
        bridge, "mac-table-size", MAC_TABLE_SIZE_DEFAULT, MAC_TABLE_SIZE_MIN,
        MAC_TABLE_SIZE_MAX);
    bridge->mac_aging_s = (unsigned int) get_clamped(
        bridge, "mac-aging-time", MAC_TABLE_IDLE_S_DEFAULT, MAC_AGING_MIN_S,
        MAC_AGING_MAX_S);
    bridge->forward_bpdu = get_bool(bridge, "forward-bpdu");
    note_unsupported(bridge, notes);
}
