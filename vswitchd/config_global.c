/* SPDX-License-Identifier: Apache-2.0 */

/* config_global.c - judges the Open_vSwitch row (see config.h). */

#include "vswitchd/config.h"

#define MAX_IDLE_DEFAULT_MS 10000
#define MAX_IDLE_MIN_MS 500
#define MAX_IDLE_MAX_MS 3600000
#define STATS_DEFAULT_MS 5000
#define STATS_MIN_MS 100
#define STATS_MAX_MS 3600000

/* Keys of Open vSwitch that mean something there and nothing here. */
static const char *const unsupported[] = {
    "bundle-idle-timeout", "ct-size", "dpdk-alloc-mem", "dpdk-hugepage-dir",
    "dpdk-lcore-mask", "dpdk-socket-limit", "emc-insert-inv-prob",
    "enable-statistics", "flow-limit", "flow-restore-wait", "hw-offload",
    "max-revalidator", "n-handler-threads", "n-offload-threads",
    "n-revalidator-threads", "offload-rebalance", "per-port-memory",
    "pmd-auto-lb", "pmd-perf-metrics", "pmd-rxq-assign", "pmd-rxq-isolate",
    "shared-mempool-config", "smc-enable", "tc-policy", "tx-flush-interval",
    "vhost-iommu-support", "vhost-postcopy-support", "vhost-sock-dir",
    "vlan-limit",
};

static unsigned int
get_ms(const struct smap *other_config, const char *key, unsigned int def,
       int min, int max, struct strset *notes)
{
    const char *text = smap_get(other_config, key);
    int64_t value;

    if (!text) {
        return def;
    }
    if (!str_to_int64(text, &value)) {
        config_note(notes, "other_config:%s=%s is not a number; %u is used",
                    key, text, def);
        return def;
    }
    if (value < min || value > max) {
        config_note(notes, "other_config:%s=%s is not from %d to %d; %d is "
                    "used", key, text, min, max, value < min ? min : max);
        return (unsigned int) (value < min ? min : max);
    }
    return (unsigned int) value;
}

void
config_check_global(struct cfg_global *global, struct strset *notes)
{
    const struct smap *other_config = &global->other_config;
    const char *init = smap_get(other_config, "dpdk-init");
    const char *tso = smap_get(other_config, "userspace-tso-enable");

    global->max_idle_ms = get_ms(other_config, "max-idle",
                                 MAX_IDLE_DEFAULT_MS, MAX_IDLE_MIN_MS,
                                 MAX_IDLE_MAX_MS, notes);
    global->stats_interval_ms = get_ms(other_config, "stats-update-interval",
                                       STATS_DEFAULT_MS, STATS_MIN_MS,
                                       STATS_MAX_MS, notes);
    if (init && !strcasecmp(init, "false")) {
        config_note(notes, "other_config:dpdk-init=false has no effect: the "
                    "fast path is always DPDK's");
    }
    if (tso && !strcasecmp(tso, "false")) {
        config_note(notes, "other_config:userspace-tso-enable=false has no "
                    "effect: super-packets always stay whole");
    }
    for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
        if (smap_get(other_config, unsupported[i])) {
            config_note(notes, "other_config:%s is not supported yet and has "
                        "no effect", unsupported[i]);
        }
    }
}
