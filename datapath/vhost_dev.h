/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_dev.h - a guest's connection: the control side of vhost-user.
 *
 * librte_vhost speaks the protocol and maps the guest's memory, in threads of
 * its own.  Here is what it learns made into queues that PMD threads may use
 * (lib/pkt/virtq.h), and taken from them again before anything underneath
 * changes.  vport_vhost.c carries the packets.
 *
 * Why we do not let librte_vhost read the rings, too: it turns the virtio-net
 * header into mbuf flags and forgets what it was.  Of DPDK 22.11, with flags
 * as receivers' (the default):
 *   - csum_start anywhere up to the end of the L4 header is "needs a
 *     checksum"; behind that, it writes a checksum wherever csum_start +
 *     csum_offset points;
 *   - unknown GSO types, gso_size 0, TCP types on UDP and the reverse are
 *     forgotten, and the frame goes on as an ordinary one;
 *   - TCPV4, TCPV6 and UDP (UFO) all come out as RX_LRO; USO and ECN are lost;
 *     that a type was not negotiated is not looked at.
 * With the "legacy" flags, what looks wrong to it loses its claims as well,
 * and goes on with a checksum that nobody will finish.  Rings: a chain that
 * loops or points outside memory stops its queue for ever; one that is shorter
 * than its header vanishes uncounted; the length of a frame is limited by the
 * mempool alone.  None of that can be made into "one bad frame costs that
 * frame, under its name". */

#ifndef QANAT_VHOST_DEV_H
#define QANAT_VHOST_DEV_H 1

#include <stdbool.h>
#include <stdint.h>

#include "datapath/vhost_queue.h"
#include "lib/base/smap.h"

/* Queue pairs that a guest may have. */
#define VHOST_MAX_PAIRS 64

struct vhost_dev;

/* What became of the guest; called in a thread of librte_vhost.  'caps' is a
 * set of enum vport_cap. */
typedef void vhost_changed_fn(void *aux, bool is_up, uint32_t caps);

/* Connects to 'path' ('is_client', again and again) or listens there.  NULL
 * with '*devp', or a sentence.  MAIN.
 *
 * 'n_rxq' is the number of our receive queues; queue i serves the guest's
 * queue pairs i, i + n_rxq, i + 2 * n_rxq ... */
char *vhost_dev_create(const char *path, bool is_client, uint16_t n_rxq,
                       vhost_changed_fn *, void *aux,
                       struct vhost_dev **devp);

/* After every PMD thread has let go of it.  MAIN. */
void vhost_dev_destroy(struct vhost_dev *);

/* Queue pairs 0 to n - 1 may be ready.  Any thread. */
unsigned int vhost_dev_n_pairs(const struct vhost_dev *);
struct vhost_queue *vhost_dev_queue(struct vhost_dev *, unsigned int i);

/* Becomes readable when the guest kicked a queue that receive queue 'rxq'
 * serves, or after a nudge.  MAIN. */
int vhost_dev_get_fd(const struct vhost_dev *, uint16_t rxq);

/* Makes it unreadable until then.  PMD. */
void vhost_dev_clear_kicks(struct vhost_dev *, uint16_t rxq);
void vhost_dev_nudge(struct vhost_dev *, uint16_t rxq);

/* In Open vSwitch's words, and whether the guest is there.  MAIN. */
bool vhost_dev_get_status(struct vhost_dev *, struct smap *);

#endif /* vhost_dev.h */
