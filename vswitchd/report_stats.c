/* SPDX-License-Identifier: Apache-2.0 */

/* report_stats.c - counters in the words of the Interface table (see
 * report.h). */

#include <string.h>

#include "datapath/dp.h"
#include "datapath/vport.h"
#include "vswitchd/report.h"

/* How a drop is shown beside its own name: OVS has errors (the packet or the
 * device is at fault) and dropped (all else), for each direction. */
enum column { RX_ERROR, RX_DROPPED, TX_ERROR, TX_DROPPED };

static enum column
column_of(unsigned int reason)
{
    switch (reason) {
    case DROP_TX_ERROR:
        return TX_ERROR;
    case DROP_PORT_DOWN:
    case DROP_TX_FULL:
    case DROP_GUEST_ROOM:
    case DROP_TOO_BIG:
    case DROP_TOO_BIG_NOT_IP:
    case DROP_TOO_LONG_ENCAP:
    case DROP_BAD_SEGMENT:
        return TX_DROPPED;
    default:
        /* Counted as errors where they happen. */
        return reason <= DROP_VIRTQ_SHORT ? RX_ERROR : RX_DROPPED;
    }
}

void
report_get_stats(struct vport *vport, struct report_stats *stats)
{
    struct vport_counters c;
    uint64_t rx_dropped;

    dp_port_get_counters(vport, &c, &rx_dropped);
    memset(stats, 0, sizeof *stats);
    stats->rx_packets = c.rx_packets;
    stats->rx_bytes = c.rx_bytes;
    stats->rx_errors = c.rx_errors;
    stats->rx_dropped = rx_dropped;
    stats->tx_packets = c.tx_packets;
    stats->tx_bytes = c.tx_bytes;
    stats->tx_errors = c.tx_errors;
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        switch (column_of(i)) {
        case RX_DROPPED:
            stats->rx_dropped += c.drops[i];
            break;
        case TX_DROPPED:
            stats->tx_dropped += c.drops[i];
            break;
        case RX_ERROR:
        case TX_ERROR:
            break;
        }
    }
}

_Static_assert(N_DROP_REASONS <= REPORT_MAX_EXTRA, "each has a place");

unsigned int
report_get_extra(struct vport *vport, const char *names[], uint64_t values[])
{
    struct vport_counters c;
    uint64_t rx_dropped;
    unsigned int n = 0;

    dp_port_get_counters(vport, &c, &rx_dropped);
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        if (c.drops[i]) {
            names[n] = drop_reason_name(i);
            values[n++] = c.drops[i];
        }
    }
    return n;
}

const char *const report_offload_names[REPORT_N_OFFLOAD] = {
    "rx_gso_packets", "tx_gso_packets", "tx_gso_cut", "tx_gso_segments",
    "rx_trains", "tx_trains", "tx_gro_coalesced", "tx_ip_fragments",
    "tx_icmp_too_big",
};

void
report_get_offload(struct vport *vport, uint64_t values[REPORT_N_OFFLOAD])
{
    struct vport_counters c;
    uint64_t rx_dropped;

    dp_port_get_counters(vport, &c, &rx_dropped);
    const uint64_t in_order[REPORT_N_OFFLOAD] = {
        c.rx_super, c.tx_super, c.cut, c.segments, c.trains_rx, c.trains_tx,
        c.coalesced, c.frags, c.icmp_too_big,
    };
    memcpy(values, in_order, sizeof in_order);
}
