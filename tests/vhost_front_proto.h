/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_front_proto.h - the guest's side of a vhost-user socket: the messages
 * that QEMU would send, and the memory that both sides share.
 *
 * Source: QEMU's docs/interop/vhost-user.rst. */

#ifndef TESTS_VHOST_FRONT_PROTO_H
#define TESTS_VHOST_FRONT_PROTO_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRONT_QUEUES 2          /* 0: the guest receives; 1: it sends. */
#define FRONT_GUEST_BASE UINT64_C(0x40000000)   /* Of the memory, in the
                                                 * addresses of descriptors. */

struct front {
    /* Set by the caller. */
    const char *path;
    bool listens;               /* Else connects. */
    uint64_t features;          /* Wanted; what is not offered is left out. */
    uint16_t ring_size;
    size_t mem_size;

    int listen_fd, fd;
    uint64_t offered, negotiated;
    int mem_fd;
    uint8_t *mem;
    int kick_fds[FRONT_QUEUES], call_fds[FRONT_QUEUES];

    /* Where the rings are, from the memory's start; set by the caller. */
    size_t desc_ofs[FRONT_QUEUES];
    size_t avail_ofs[FRONT_QUEUES];
    size_t used_ofs[FRONT_QUEUES];
};

/* Makes the memory and the descriptors.  Ends the program if it cannot. */
void front_init(struct front *);

/* Connects, or waits for somebody who does, negotiates and starts both rings
 * at place 'base'.  Ends the program if the other side does not answer as it
 * should within ten seconds. */
void front_connect(struct front *, uint16_t base);

/* Stops a ring; where the other side says it stands. */
uint16_t front_stop(struct front *, unsigned int queue);

void front_disconnect(struct front *);

/* Sends the memory table again: the other side maps it anew. */
void front_remap(struct front *);

/* Prints a line on stderr and ends the program. */
void front_die(const char *format, ...)
    __attribute__((__noreturn__, __format__(__printf__, 1, 2)));

#endif /* tests/vhost_front_proto.h */
