/* SPDX-License-Identifier: Apache-2.0 */

/* virtq.c - see virtq.h.
 *
 * First thing on the way of a guest's packet, and the last: no byte of a ring
 * is read or written elsewhere.  PMD threads.  Must never use what the guest
 * wrote without having copied it first, nor loop longer than a ring is. */

#include "lib/pkt/virtq.h"

#include <string.h>

#include "lib/base/util.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "descriptors are read as they stand in memory");

#define AVAIL_BIT (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED_BIT (1u << VRING_PACKED_DESC_F_USED)
#define WRAP_BIT (1u << VRING_PACKED_EVENT_F_WRAP_CTR)

/* A descriptor of either ring, once read. */
struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;              /* Split; packed: the chain's id. */
};

static enum virtq_status take_split(struct virtq *, bool to_us,
                                    struct virtq_chain *);
static enum virtq_status take_packed(struct virtq *, bool to_us,
                                     struct virtq_chain *);
static enum virtq_status add_desc(const struct virtq *, const struct desc *,
                                  bool to_us, struct virtq_chain *);
static enum virtq_status add_table(const struct virtq *, const struct desc *,
                                   bool to_us, struct virtq_chain *);
static enum virtq_status add_piece(const struct virtq *, uint64_t addr,
                                   uint64_t len, struct virtq_chain *);
static bool publish_split(struct virtq *);
static bool publish_packed(struct virtq *);
static uint16_t packed_base(uint16_t place, bool wrap);

/* --- what the other side may be writing at this very moment --- */

static inline struct desc
read_split(const struct vring_desc *table, uint16_t i)
{
    const volatile struct vring_desc *d = &table[i];

    return (struct desc) { d->addr, d->len, d->flags, d->next };
}

static inline struct desc
read_packed(const struct vring_packed_desc *table, uint16_t i)
{
    const volatile struct vring_packed_desc *d = &table[i];

    return (struct desc) { d->addr, d->len, d->flags, d->id };
}

static inline uint16_t
avail_idx(const struct virtq *r)
{
    const struct vring_avail *avail = r->driver;

    /* Pairs with the driver's barrier behind its descriptors. */
    return __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
}

static inline bool
is_available(const struct virtq *r)
{
    const struct vring_packed_desc *d = r->desc;
    uint16_t flags = __atomic_load_n(&d[r->next_avail].flags,
                                     __ATOMIC_ACQUIRE);

    return !(flags & AVAIL_BIT) != r->avail_wrap
           && !(flags & USED_BIT) == r->avail_wrap;
}

/* --- beginning and end --- */

void
virtq_start(struct virtq *r, uint16_t avail_base, uint16_t used_base)
{
    r->n_given = 0;
    r->is_broken = false;
    if (r->is_packed) {
        r->next_avail = avail_base & (uint16_t) ~WRAP_BIT;
        r->next_used = used_base & (uint16_t) ~WRAP_BIT;
        r->avail_wrap = avail_base & WRAP_BIT;
        r->used_wrap = used_base & WRAP_BIT;
        /* The base is the other side's word. */
        r->is_broken = r->next_avail >= r->size || r->next_used >= r->size;
    } else {
        r->next_avail = avail_base;
        r->next_used = used_base;
    }
}

void
virtq_get_base(const struct virtq *r, uint16_t *avail_base,
               uint16_t *used_base)
{
    *avail_base = r->next_avail;
    *used_base = r->next_used;
    if (r->is_packed) {
        *avail_base = packed_base(r->next_avail, r->avail_wrap);
        *used_base = packed_base(r->next_used, r->used_wrap);
    }
}

static uint16_t
packed_base(uint16_t place, bool wrap)
{
    return (uint16_t) (place | (wrap ? WRAP_BIT : 0));
}

/* --- taking --- */

bool
virtq_is_empty(const struct virtq *r)
{
    return r->is_packed ? r->is_broken || !is_available(r)
                        : avail_idx(r) == r->next_avail;
}

enum virtq_status
virtq_take(struct virtq *r, bool to_us, struct virtq_chain *chain)
{
    chain->n_slots = 0;
    chain->n_iovs = 0;
    chain->len = 0;
    return r->is_packed ? take_packed(r, to_us, chain)
                        : take_split(r, to_us, chain);
}

void
virtq_untake(struct virtq *r, const struct virtq *mark)
{
    r->next_avail = mark->next_avail;
    r->avail_wrap = mark->avail_wrap;
}

static enum virtq_status
take_split(struct virtq *r, bool to_us, struct virtq_chain *chain)
{
    const volatile struct vring_avail *avail = r->driver;
    uint16_t mask = (uint16_t) (r->size - 1);
    uint16_t idx = avail_idx(r);
    uint16_t n_avail = (uint16_t) (idx - r->next_avail);
    uint16_t i;

    if (!n_avail) {
        return VIRTQ_EMPTY;
    }
    if (UNLIKELY(n_avail > r->size)) {
        r->next_avail = idx;    /* More than there can be: go on from there. */
        return VIRTQ_INDEX;
    }
    i = chain->id = avail->ring[r->next_avail & mask];
    chain->n_slots = 1;
    r->next_avail++;
    if (n_avail > 1) {
        uint16_t next = avail->ring[r->next_avail & mask];

        __builtin_prefetch((const struct vring_desc *) r->desc
                           + (next & mask));
    }

    for (unsigned int n = 0; n < MIN(r->size, VIRTQ_MAX_IOVS); n++) {
        enum virtq_status status;
        struct desc d;

        if (UNLIKELY(i >= r->size)) {
            return VIRTQ_INDEX;
        }
        d = read_split(r->desc, i);
        status = add_desc(r, &d, to_us, chain);
        if (UNLIKELY(status != VIRTQ_OK)
            || LIKELY(!(d.flags & VRING_DESC_F_NEXT))) {
            return status;
        }
        i = d.next;
    }
    return VIRTQ_CHAIN;
}

/* The chain's end must be found in any case: the next chain is behind it. */
static enum virtq_status
take_packed(struct virtq *r, bool to_us, struct virtq_chain *chain)
{
    enum virtq_status status = VIRTQ_OK;
    uint16_t n = 0;
    struct desc d;

    if (virtq_is_empty(r)) {
        return VIRTQ_EMPTY;
    }
    do {
        if (UNLIKELY(n == r->size)) {
            r->is_broken = true;
            return VIRTQ_CHAIN;
        }
        d = read_packed(r->desc, r->next_avail);
        if (LIKELY(status == VIRTQ_OK)) {
            status = add_desc(r, &d, to_us, chain);
        }
        n++;
        if (++r->next_avail == r->size) {
            r->next_avail = 0;
            r->avail_wrap = !r->avail_wrap;
        }
    } while (d.flags & VRING_DESC_F_NEXT);
    chain->id = d.next;
    chain->n_slots = n;
    return status;
}

static enum virtq_status
add_desc(const struct virtq *r, const struct desc *d, bool to_us,
         struct virtq_chain *chain)
{
    if (d->flags & VRING_DESC_F_INDIRECT) {
        return d->flags & VRING_DESC_F_NEXT ? VIRTQ_KIND
                                            : add_table(r, d, to_us, chain);
    }
    if (UNLIKELY(!(d->flags & VRING_DESC_F_WRITE) != to_us)) {
        return VIRTQ_KIND;
    }
    return add_piece(r, d->addr, d->len, chain);
}

/* Copies 'len' bytes from the other side's memory.  False if they are not all
 * there. */
static bool
read_guest(const struct virtq *r, uint64_t addr, void *to, size_t len)
{
    struct virtq_chain piece;

    piece.n_iovs = 0;
    piece.len = 0;
    if (add_piece(r, addr, len, &piece) != VIRTQ_OK) {
        return false;
    }
    for (unsigned int i = 0; i < piece.n_iovs; i++) {
        memcpy(to, piece.iov[i].iov_base, piece.iov[i].iov_len);
        to = (uint8_t *) to + piece.iov[i].iov_len;
    }
    return true;
}

/* The descriptors of an indirect table.  Of a packed ring they follow each
 * other, of a split one they are linked. */
static enum virtq_status
add_table(const struct virtq *r, const struct desc *table, bool to_us,
          struct virtq_chain *chain)
{
    uint32_t n_descs = table->len / (uint32_t) sizeof(struct vring_desc);
    uint32_t i = 0;

    if (!n_descs || n_descs > r->size
        || table->len % sizeof(struct vring_desc)) {
        return VIRTQ_CHAIN;
    }
    for (uint32_t n = 0; n < n_descs; n++) {
        enum virtq_status status;
        struct vring_desc raw;  /* A packed one has the same layout but for
                                 * the order of its last two fields. */
        struct desc d;

        if (i >= n_descs) {
            return VIRTQ_INDEX;
        }
        if (!read_guest(r, table->addr + i * sizeof raw, &raw, sizeof raw)) {
            return VIRTQ_MEMORY;
        }
        d = (struct desc) {
            raw.addr, raw.len, r->is_packed ? raw.next : raw.flags, raw.next,
        };
        if (d.flags & VRING_DESC_F_INDIRECT) {
            return VIRTQ_KIND;
        }
        status = add_desc(r, &d, to_us, chain);
        if (status != VIRTQ_OK) {
            return status;
        }
        if (r->is_packed) {
            i++;
        } else if (d.flags & VRING_DESC_F_NEXT) {
            i = d.next;
        } else {
            return VIRTQ_OK;
        }
    }
    return r->is_packed ? VIRTQ_OK : VIRTQ_CHAIN;
}

/* Where [addr, addr + len) is for us: in one region, or in several that
 * follow each other. */
static enum virtq_status
add_piece(const struct virtq *r, uint64_t addr, uint64_t len,
          struct virtq_chain *chain)
{
    chain->len += len;
    while (len) {
        const struct virtq_region *region = r->mem->regions;
        unsigned int n = r->mem->n;
        uint64_t piece;

        while (n && addr - region->guest >= region->size) {
            region++;
            n--;
        }
        if (UNLIKELY(!n)) {
            return VIRTQ_MEMORY;
        }
        if (UNLIKELY(chain->n_iovs == VIRTQ_MAX_IOVS)) {
            return VIRTQ_CHAIN;
        }
        piece = MIN(len, region->size - (addr - region->guest));
        chain->iov[chain->n_iovs++] = (struct iovec) {
            region->host + (addr - region->guest), piece,
        };
        addr += piece;
        len -= piece;
    }
    return VIRTQ_OK;
}

/* --- giving back --- */

void
virtq_give(struct virtq *r, uint16_t id, uint16_t n_slots, uint32_t len)
{
    if (!r->is_packed) {
        struct vring_used *used = r->device;

        used->ring[(uint16_t) (r->next_used + r->n_given) & (r->size - 1)]
            = (struct vring_used_elem) { .id = id, .len = len };
        r->n_given++;
        return;
    }

    struct vring_packed_desc *d = (struct vring_packed_desc *) r->desc
                                  + r->next_used;
    uint16_t flags = (uint16_t) ((r->used_wrap ? AVAIL_BIT | USED_BIT : 0)
                                 | (len ? VRING_DESC_F_WRITE : 0));

    d->id = id;
    d->len = len;
    if (r->n_given) {
        /* The other side looks at none of these before the first one. */
        __atomic_store_n(&d->flags, flags, __ATOMIC_RELEASE);
    } else {
        r->first_used = r->next_used;
        r->first_flags = flags;
    }
    r->n_given = (uint16_t) (r->n_given + n_slots);
    r->next_used = (uint16_t) (r->next_used + n_slots);
    if (r->next_used >= r->size) {
        r->next_used = (uint16_t) (r->next_used - r->size);
        r->used_wrap = !r->used_wrap;
    }
}

bool
virtq_publish(struct virtq *r)
{
    bool wants;

    if (!r->n_given) {
        return false;
    }
    wants = r->is_packed ? publish_packed(r) : publish_split(r);
    r->n_given = 0;
    return wants;
}

/* Whether 'event' is among the 'n' places before 'next'. */
static bool
is_passed(uint16_t event, uint16_t next, uint16_t n)
{
    return (uint16_t) (next - event - 1) < n;
}

static bool
publish_split(struct virtq *r)
{
    const volatile struct vring_avail *avail = r->driver;
    struct vring_used *used = r->device;

    r->next_used = (uint16_t) (r->next_used + r->n_given);
    __atomic_store_n(&used->idx, r->next_used, __ATOMIC_RELEASE);
    /* The other side writes its wish and looks at the index; we the other way
     * round.  One of us must see the other's. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (r->has_event_idx) {
        return is_passed(avail->ring[r->size], r->next_used, r->n_given);
    }
    return !(avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
}

static bool
publish_packed(struct virtq *r)
{
    const volatile struct vring_packed_desc_event *event = r->driver;
    struct vring_packed_desc *d = r->desc;
    uint16_t flags, off_wrap;

    __atomic_store_n(&d[r->first_used].flags, r->first_flags,
                     __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    flags = event->flags & 3;
    if (flags != VRING_PACKED_EVENT_FLAG_DESC || !r->has_event_idx) {
        return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
    }
    off_wrap = event->off_wrap;
    /* As a distance behind us, across the ring's end. */
    uint16_t place = off_wrap & (uint16_t) ~WRAP_BIT;
    uint32_t behind = r->next_used;

    if (!(off_wrap & WRAP_BIT) == r->used_wrap) {
        behind += r->size;
    }
    return place < behind && behind - place <= r->n_given;
}

void
virtq_want_kicks(struct virtq *r, bool wanted)
{
    if (r->is_packed) {
        volatile struct vring_packed_desc_event *event = r->device;

        event->flags = wanted ? VRING_PACKED_EVENT_FLAG_ENABLE
                              : VRING_PACKED_EVENT_FLAG_DISABLE;
    } else if (r->has_event_idx) {
        struct vring_used *used = r->device;
        volatile uint16_t *avail_event = (void *) &used->ring[r->size];

        /* Unwanted is what was wanted long ago. */
        if (wanted) {
            *avail_event = r->next_avail;
        }
    } else {
        volatile struct vring_used *used = r->device;

        used->flags = wanted ? 0 : VRING_USED_F_NO_NOTIFY;
    }
    if (wanted) {
        /* Before the caller looks again; pairs with the driver's barrier
         * between its index and its look at our wish. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}
