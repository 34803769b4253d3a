/* SPDX-License-Identifier: Apache-2.0 */

/* report.h - writes back to the database what is true.
 *
 * cur_cfg is written in the same transaction as the errors and port numbers of
 * the configuration that it stands for, so that whoever waits for it
 * (ovs-vsctl) finds them.  Values that have not changed cost nothing: the
 * database client leaves them out.  MAIN. */

#ifndef QANAT_REPORT_H
#define QANAT_REPORT_H 1

#include <stdbool.h>
#include <stdint.h>

struct ovsdb;
struct run_bridge;
struct run_iface;
struct vport;
struct vport_status;

enum report_what {
    REPORT_CONFIG = 1 << 0,     /* cur_cfg, and what belongs to the daemon and
                                 * to bridges. */
    REPORT_STATUS = 1 << 1,     /* Interfaces: numbers, errors, links. */
    REPORT_STATS = 1 << 2,
};

/* Writes; what the server refuses is written again by report_retry(). */
void report_write(struct ovsdb *, unsigned int what);
void report_retry(struct ovsdb *);

/* Counters in the sense of the Interface table. */
struct report_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors;
    uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
};

/* The counters of a port, and one by name ("drop_...") for each reason for
 * which it dropped something.  Stores the number of the latter; arrays have
 * room for REPORT_MAX_EXTRA. */
#define REPORT_MAX_EXTRA 128
void report_get_stats(struct vport *, struct report_stats *);
unsigned int report_get_extra(struct vport *, const char *names[],
                              uint64_t values[]);

/* What offloading did to a port's packets; each is a key of
 * Interface:statistics, beside those that OVS has. */
#define REPORT_N_OFFLOAD 9
extern const char *const report_offload_names[REPORT_N_OFFLOAD];
void report_get_offload(struct vport *, uint64_t values[REPORT_N_OFFLOAD]);

/* Bridge.datapath_id, 16 hexadecimal digits. */
#define REPORT_DPID_LEN 16
void report_get_dpid(const struct run_bridge *,
                     char text[REPORT_DPID_LEN + 1]);

/* What is true of an open interface, with what its class does not know: a
 * tunnel's way, a patch port's peer.  The caller frees st->status. */
void report_get_status(const struct run_iface *, struct vport_status *st);

#endif /* report.h */
