/* SPDX-License-Identifier: Apache-2.0 */

/* hostblock.h - keeps the host's own stack from acting on what arrives on a
 * system port.
 *
 * A packet socket only looks on: the frame goes on into the host's stack,
 * which would answer the same ARP request a second time or forward the same
 * packet a second time.  A program of two instructions at the device's tc
 * ingress, which is behind packet sockets, ends that way.  What the host
 * itself sends out of the device is left alone.
 *
 * MAIN only.  Error sentences are heap strings that the caller frees. */

#ifndef QANAT_HOSTBLOCK_H
#define QANAT_HOSTBLOCK_H 1

#include <stdbool.h>

/* Removes what an earlier process left behind that died without a word, on any
 * device of the namespace; what belongs to a process that lives stays.  To be
 * called once at start. */
void hostblock_cleanup_stale(void);

/* Cuts the device off from the host's stack; 'name' is for the sentence.  NULL
 * when it is done, or was already: then it takes as many hostblock_detach() to
 * undo it. */
char *hostblock_attach(int ifindex, const char *name);

/* Undoes it.  No harm when it was not done or when the device is gone. */
void hostblock_detach(int ifindex);

/* For tests: do as if the kernel had no TCX (Linux 6.6). */
void hostblock_pretend_no_tcx(bool);

#endif /* hostblock.h */
