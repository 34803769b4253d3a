/* SPDX-License-Identifier: Apache-2.0 */

/* pmtu_event.h - tells MAIN that a path's MTU has become smaller.
 *
 * The kernel says nothing when it learns a path MTU by ICMP.  But it refuses
 * the next packet of the host underlay that is too long for it, and that is
 * when MAIN should ask for the tunnels' routes again. */

#ifndef QANAT_PMTU_EVENT_H
#define QANAT_PMTU_EVENT_H 1

#include <stdint.h>

/* MAIN.  A descriptor that becomes readable when a packet was refused, until 8
 * bytes are read from it; made by the first call and never closed.  -1 where
 * it cannot be made. */
int pmtu_event_fd(void);

/* PMD.  A packet was refused, now.  Tells it at most 50 times a second, for
 * the kernel may refuse more than a better MTU cures. */
void pmtu_event_raise(uint64_t now_ms);

#endif /* pmtu_event.h */
