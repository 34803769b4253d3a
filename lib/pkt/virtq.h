/* SPDX-License-Identifier: Apache-2.0 */

/* virtq.h - the device's side of a virtqueue that lies in memory of somebody
 * who is not trusted.
 *
 * Split and packed rings, chains and indirect tables, notifications both ways.
 * What the other side writes is read once, into variables of ours, and checked
 * there: it may change under our hands.  A lie costs the chain that it is in;
 * the ring goes on behind it.
 *
 * Source: virtio 1.2, chapter 2.6 to 2.8; linux/virtio_ring.h.  One thread at
 * a time may use a ring.  Little endian machines and guests. */

#ifndef QANAT_VIRTQ_H
#define QANAT_VIRTQ_H 1

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define VIRTQ_MAX_SIZE 32768u   /* Descriptors in a ring. */
#define VIRTQ_MAX_REGIONS 64u
#define VIRTQ_MAX_IOVS 1024u    /* Pieces of memory in a chain. */

/* The other side's memory: the addresses that descriptors use, and where those
 * are for us.  Regions may neither overlap nor wrap. */
struct virtq_region {
    uint64_t guest;
    uint64_t size;
    uint8_t *host;
};

struct virtq_mem {
    unsigned int n;
    struct virtq_region regions[VIRTQ_MAX_REGIONS];
};

/* The lies, each a drop reason of its own. */
#define VIRTQ_LIES(X)                                                         \
    X(VIRTQ_INDEX, "guest's ring index or chain head outside the ring")       \
    X(VIRTQ_CHAIN, "guest's descriptor chain loops or is too long")           \
    X(VIRTQ_KIND, "guest's descriptor of the wrong direction or kind")        \
    X(VIRTQ_MEMORY, "guest's descriptor outside its memory")                  \
    X(VIRTQ_SHORT, "guest's chain too short for header and frame")

enum virtq_status {
    VIRTQ_OK,
#define X(NAME, SENTENCE) NAME,
    VIRTQ_LIES(X)
#undef X
    VIRTQ_EMPTY,                /* No chain is there: no lie. */
};

struct virtq {
    /* Set by the caller before virtq_start().  'desc' is an array of
     * vring_desc, or of vring_packed_desc; 'driver' is the vring_avail or the
     * driver's vring_packed_desc_event, 'device' the vring_used or the
     * device's event.  All lie wholly in memory that stays mapped. */
    uint16_t size;              /* A power of 2 unless packed. */
    bool is_packed;
    bool has_event_idx;         /* VIRTIO_F_EVENT_IDX was negotiated. */
    void *desc, *driver, *device;
    const struct virtq_mem *mem;

    /* Where we are.  Split: counters that wrap at 65536.  Packed: indexes in
     * the ring, each with its wrap counter. */
    uint16_t next_avail, next_used;
    bool avail_wrap, used_wrap;

    /* Ours. */
    uint16_t n_given;           /* Since virtq_publish(): split, chains;
                                 * packed, descriptors. */
    uint16_t first_flags;       /* Packed: of the first one given. */
    uint16_t first_used;
    bool is_broken;             /* Packed: no way to find the next chain. */
};

/* A chain as it was read: pieces of mapped memory. */
struct virtq_chain {
    uint16_t id;
    uint16_t n_slots;           /* To be given back by virtq_give(); 0: nothing
                                 * is to be given back. */
    unsigned int n_iovs;
    uint64_t len;               /* Of all pieces. */
    struct iovec iov[VIRTQ_MAX_IOVS];
};

/* Begins at the given places, in the form of VHOST_USER_SET_VIRTQ_BASE (of a
 * packed ring the highest bit is the wrap counter). */
void virtq_start(struct virtq *, uint16_t avail_base, uint16_t used_base);

/* Those places, after virtq_publish(). */
void virtq_get_base(const struct virtq *, uint16_t *avail_base,
                    uint16_t *used_base);

/* Takes the next chain.  'to_us' tells its direction: what the other side sent
 * us, or room for what we send.  On VIRTQ_OK and on a lie the chain is taken,
 * and must be given back if n_slots is not 0; a lie leaves no piece usable.
 * Pieces of length 0 are left out. */
enum virtq_status virtq_take(struct virtq *, bool to_us,
                             struct virtq_chain *);

/* Whether there is none to be taken. */
bool virtq_is_empty(const struct virtq *);

/* Takes back virtq_take(): '*mark' is a copy of the ring from before, of which
 * nothing was given back since. */
void virtq_untake(struct virtq *, const struct virtq *mark);

/* Gives a chain back after 'len' bytes were written into it.  In the order in
 * which they were taken. */
void virtq_give(struct virtq *, uint16_t id, uint16_t n_slots, uint32_t len);

/* Shows the other side what was given back.  Returns whether it wants to be
 * interrupted for that. */
bool virtq_publish(struct virtq *);

/* Tells the other side whether we want to be notified of new chains.  After
 * switching it on a chain may have come unnoticed: look again. */
void virtq_want_kicks(struct virtq *, bool);

#endif /* virtq.h */
