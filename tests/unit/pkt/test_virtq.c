/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/pkt/virtq.c against a driver written here, byte by byte after
 * the specification: chains of any shape in both rings cross it unharmed for
 * many times the rings' length, notifications are neither lost nor said in
 * vain, and every lie costs its chain alone. */

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/util.h"
#include "lib/pkt/virtq.h"

void suite_virtq(void);

#define SIZE 16u
#define BASE UINT64_C(0x7fff0000)       /* Of region 0; the others follow. */
#define REGION 0x4000u                  /* Bytes in each. */
#define GAP 0x10000u                    /* Behind region 1. */
#define BUFFERS 0x1000u                 /* Where buffers begin, in all. */
#define MEM (3 * REGION)
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define TABLE VRING_DESC_F_INDIRECT
#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED (1u << VRING_PACKED_DESC_F_USED)

/* The driver's side. */
static struct driver {
    bool is_packed;
    uint16_t size;
    uint16_t next_avail, next_used;     /* Packed: places. */
    bool avail_wrap, used_wrap;
    uint16_t next_desc;                 /* Split. */
    uint16_t next_id;                   /* Packed. */
    uint16_t slots[65536];              /* Packed: of the chain with an id. */
} driver;

static uint8_t *host;                   /* All regions, one after another. */
static struct virtq_mem mem;
static struct virtq q;
static struct vring_desc *descs;
static struct vring_packed_desc *packed;
static struct vring_avail *avail;
static struct vring_used *used;
static struct vring_packed_desc_event *driver_event, *device_event;
static uint64_t seed = 1;
static struct virtq_chain chain;

static uint32_t
rnd(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t) (seed >> 33) % n;
}

/* The guest's address of a byte.  Regions 0 and 1 follow each other, 2 lies
 * beyond a gap. */
static uint64_t
guest(size_t ofs)
{
    return BASE + ofs + (ofs >= 2 * REGION ? GAP : 0);
}

static void
begin(bool is_packed, bool has_event_idx, uint16_t size)
{
    static uint8_t storage[MEM] __attribute__((__aligned__(4096)));

    host = storage;
    memset(host, 0, MEM);
    memset(&driver, 0, sizeof driver);
    driver.is_packed = is_packed;
    driver.size = size;
    driver.avail_wrap = driver.used_wrap = true;
    mem.n = 3;
    for (unsigned int i = 0; i < 3; i++) {
        mem.regions[i] = (struct virtq_region) {
            guest(i * REGION), REGION, host + i * REGION,
        };
    }
    descs = (void *) host;
    packed = (void *) host;
    avail = (void *) (host + 0x400);
    used = (void *) (host + 0x800);
    driver_event = (void *) avail;
    device_event = (void *) used;
    memset(&q, 0, sizeof q);
    q.size = size;
    q.is_packed = is_packed;
    q.has_event_idx = has_event_idx;
    q.desc = host;
    q.driver = avail;
    q.device = used;
    q.mem = &mem;
    virtq_start(&q, is_packed ? 0x8000 : 0, is_packed ? 0x8000 : 0);
}

/* Writes 'n' descriptors as the next chain; shows it to the device.  Returns
 * its id. */
static uint16_t
put(const struct vring_desc *d, unsigned int n)
{
    if (!driver.is_packed) {
        uint16_t head = driver.next_desc % driver.size;

        for (unsigned int i = 0; i < n; i++) {
            uint16_t at = (uint16_t) (driver.next_desc++ % driver.size);

            descs[at] = d[i];
            if (d[i].flags & NEXT && !(d[i].flags & TABLE)) {
                descs[at].next = driver.next_desc % driver.size;
            }
        }
        avail->ring[avail->idx % driver.size] = head;
        avail->idx++;
        return head;
    }

    uint16_t id = (uint16_t) (driver.next_id++ * 7);
    uint16_t first = driver.next_avail, first_flags = 0;

    driver.slots[id] = (uint16_t) n;
    for (unsigned int i = 0; i < n; i++) {
        struct vring_packed_desc *to = &packed[driver.next_avail];
        uint16_t flags = (uint16_t) (d[i].flags
                                     | (driver.avail_wrap ? AVAIL : USED));

        to->addr = d[i].addr;
        to->len = d[i].len;
        to->id = id;
        if (i) {
            to->flags = flags;
        } else {
            first_flags = flags;
        }
        if (++driver.next_avail == driver.size) {
            driver.next_avail = 0;
            driver.avail_wrap = !driver.avail_wrap;
        }
    }
    packed[first].flags = first_flags;
    return id;
}

/* The next used chain; false if there is none. */
static bool
get(uint16_t *id, uint32_t *len)
{
    if (!driver.is_packed) {
        if (driver.next_used == used->idx) {
            return false;
        }
        *id = (uint16_t) used->ring[driver.next_used % driver.size].id;
        *len = used->ring[driver.next_used % driver.size].len;
        driver.next_used++;
        return true;
    }

    const struct vring_packed_desc *d = &packed[driver.next_used];

    if (!(d->flags & AVAIL) != !(d->flags & USED)
        || !(d->flags & USED) == driver.used_wrap) {
        return false;
    }
    *id = d->id;
    *len = d->flags & WRITE ? d->len : 0;
    driver.next_used = (uint16_t) (driver.next_used + driver.slots[*id]);
    if (driver.next_used >= driver.size) {
        driver.next_used = (uint16_t) (driver.next_used - driver.size);
        driver.used_wrap = !driver.used_wrap;
    }
    return true;
}

/* --- good chains --- */

struct shape {
    unsigned int n;
    struct vring_desc d[SIZE];
    size_t ofs[SIZE];
    size_t len;
};

/* Random pieces of memory, some across the border of two regions, and, for
 * 'is_table', a table for them. */
static void
make_shape(struct shape *s, unsigned int max, bool to_us, bool is_table)
{
    s->n = 1 + rnd(max);
    s->len = 0;
    for (unsigned int i = 0; i < s->n; i++) {
        uint32_t len = rnd(4) ? 1 + rnd(60) : 0;
        size_t ofs = rnd(3) ? BUFFERS + 0x400 + i * 64
                            : REGION - rnd(len + 1);

        s->ofs[i] = ofs;
        s->d[i] = (struct vring_desc) {
            guest(ofs), len,
            (uint16_t) ((i + 1 < s->n ? NEXT : 0) | (to_us ? 0 : WRITE)),
            (uint16_t) (i + 1),
        };
        s->len += len;
    }
    if (is_table) {
        for (unsigned int i = 0; i < s->n; i++) {
            if (driver.is_packed) {
                struct vring_packed_desc *d = (void *) (host + BUFFERS);

                d[i] = (struct vring_packed_desc) {
                    s->d[i].addr, s->d[i].len, 0,
                    s->d[i].flags & WRITE,
                };
            } else {
                ((struct vring_desc *) (void *) (host + BUFFERS))[i] = s->d[i];
            }
        }
    }
}

static uint16_t
put_shape(const struct shape *s, bool is_table)
{
    struct vring_desc d = { guest(BUFFERS), (uint32_t) (16 * s->n), TABLE, 0 };

    return is_table ? put(&d, 1) : put(s->d, s->n);
}

/* Do the pieces that were taken lie where the shape's do? */
static bool
is_same(const struct shape *s)
{
    size_t at = 0;
    unsigned int k = 0;

    for (unsigned int i = 0; i < s->n; i++) {
        for (uint32_t b = 0; b < s->d[i].len; b++) {
            if (k == chain.n_iovs
                || (uint8_t *) chain.iov[k].iov_base + at
                   != host + s->ofs[i] + b) {
                return false;
            }
            if (++at == chain.iov[k].iov_len) {
                k++;
                at = 0;
            }
        }
    }
    return k == chain.n_iovs && chain.len == s->len;
}

static void
check_good(bool is_packed, bool has_event_idx)
{
    begin(is_packed, has_event_idx, is_packed ? SIZE - 3 : SIZE);
    for (unsigned int round = 0; round < 20000; round++) {
        bool to_us = rnd(2), is_table = rnd(3) == 0;
        uint32_t len = rnd(2) * rnd(1000), len_back;
        struct shape s;
        uint16_t id, id_back;

        make_shape(&s, is_table ? 12 : 5, to_us, is_table);
        CU_ASSERT_FATAL(virtq_is_empty(&q));
        CU_ASSERT_EQUAL_FATAL(virtq_take(&q, to_us, &chain), VIRTQ_EMPTY);
        CU_ASSERT_EQUAL_FATAL(chain.n_slots, 0);
        id = put_shape(&s, is_table);
        CU_ASSERT_FALSE_FATAL(virtq_is_empty(&q));
        if (!rnd(4)) {
            struct virtq mark = q;      /* Taken, and taken back. */

            CU_ASSERT_EQUAL_FATAL(virtq_take(&q, to_us, &chain), VIRTQ_OK);
            virtq_untake(&q, &mark);
        }
        CU_ASSERT_EQUAL_FATAL(virtq_take(&q, to_us, &chain), VIRTQ_OK);
        CU_ASSERT_FATAL(is_same(&s));
        CU_ASSERT_EQUAL_FATAL(chain.id, id);
        CU_ASSERT_FALSE_FATAL(get(&id_back, &len_back));
        virtq_give(&q, chain.id, chain.n_slots, len);
        CU_ASSERT_FALSE_FATAL(get(&id_back, &len_back));
        virtq_publish(&q);
        CU_ASSERT_FATAL(get(&id_back, &len_back));
        CU_ASSERT_EQUAL_FATAL(id_back, id);
        CU_ASSERT_EQUAL_FATAL(len_back, len);
        if (!rnd(8)) {
            uint16_t avail_base, used_base;     /* Stopped, and started. */

            virtq_get_base(&q, &avail_base, &used_base);
            virtq_start(&q, avail_base, used_base);
        }
    }
}

static void
test_split(void)
{
    check_good(false, false);
    check_good(false, true);
}

static void
test_packed(void)
{
    check_good(true, false);
    check_good(true, true);
}

/* Several chains given back at once are seen in order, all or none. */
static void
test_batch(void)
{
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        begin(is_packed, false, SIZE);
        for (unsigned int round = 0; round < 5000; round++) {
            unsigned int n = 1 + rnd(4);
            uint16_t ids[4], slots[4], id;
            uint32_t len;
            struct shape s;

            for (unsigned int i = 0; i < n; i++) {
                make_shape(&s, 4, true, false);
                ids[i] = put_shape(&s, false);
                CU_ASSERT_EQUAL_FATAL(virtq_take(&q, true, &chain), VIRTQ_OK);
                slots[i] = chain.n_slots;
            }
            for (unsigned int i = 0; i < n; i++) {
                virtq_give(&q, ids[i], slots[i], i);
                CU_ASSERT_FALSE_FATAL(get(&id, &len));
            }
            virtq_publish(&q);
            for (unsigned int i = 0; i < n; i++) {
                CU_ASSERT_FATAL(get(&id, &len));
                CU_ASSERT_EQUAL_FATAL(id, ids[i]);
                CU_ASSERT_EQUAL_FATAL(len, i);
            }
            CU_ASSERT_FALSE_FATAL(get(&id, &len));
        }
    }
}

/* --- notifications --- */

static bool
pass_one(void)
{
    struct vring_desc d = { guest(BUFFERS), 4, 0, 0 };
    uint16_t id;
    uint32_t len;
    bool wants;

    put(&d, 1);
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_OK);
    virtq_give(&q, chain.id, chain.n_slots, 0);
    wants = virtq_publish(&q);
    CU_ASSERT(get(&id, &len));
    return wants;
}

static void
test_calls_split(void)
{
    begin(false, false, SIZE);
    CU_ASSERT_FALSE(virtq_publish(&q));         /* For nothing, never. */
    CU_ASSERT(pass_one());
    avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
    CU_ASSERT_FALSE(pass_one());

    begin(false, true, SIZE);
    avail->flags = VRING_AVAIL_F_NO_INTERRUPT;  /* Means nothing then. */
    for (uint32_t i = 0; i < 70000; i++) {
        uint16_t event = (uint16_t) (rnd(3) ? i : i + 1 + rnd(1000));

        avail->ring[SIZE] = event;
        CU_ASSERT_EQUAL_FATAL(pass_one(), event == (uint16_t) i);
    }
}

static void
test_calls_packed(void)
{
    begin(true, true, SIZE);
    CU_ASSERT(pass_one());
    driver_event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
    CU_ASSERT_FALSE(pass_one());
    driver_event->flags = VRING_PACKED_EVENT_FLAG_DESC;
    for (unsigned int i = 0; i < 10000; i++) {
        bool is_next = rnd(2);
        uint16_t place = driver.next_used;
        bool wrap = driver.used_wrap;

        if (!is_next) {         /* Up to a whole ring ahead. */
            place = (uint16_t) (place + 1 + rnd(SIZE - 1));
            if (place >= SIZE) {
                place = (uint16_t) (place - SIZE);
                wrap = !wrap;
            }
        }
        driver_event->off_wrap = (uint16_t) (place | wrap << 15);
        CU_ASSERT_EQUAL_FATAL(pass_one(), is_next);
    }
}

static void
test_kicks(void)
{
    uint16_t event;

    begin(false, false, SIZE);
    virtq_want_kicks(&q, false);
    CU_ASSERT_EQUAL(used->flags, VRING_USED_F_NO_NOTIFY);
    virtq_want_kicks(&q, true);
    CU_ASSERT_EQUAL(used->flags, 0);

    begin(false, true, SIZE);
    pass_one();
    virtq_want_kicks(&q, true);
    memcpy(&event, &used->ring[SIZE], sizeof event);
    CU_ASSERT_EQUAL(event, 1);

    begin(true, false, SIZE);
    virtq_want_kicks(&q, false);
    CU_ASSERT_EQUAL(device_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
    virtq_want_kicks(&q, true);
    CU_ASSERT_EQUAL(device_event->flags, VRING_PACKED_EVENT_FLAG_ENABLE);
}

/* --- lies --- */

/* The good chain behind a lie comes through. */
static void
check_next_is_good(void)
{
    uint16_t id, given = chain.id;
    uint32_t len;
    bool is_given = chain.n_slots;

    if (is_given) {
        virtq_give(&q, chain.id, chain.n_slots, 0);
        virtq_publish(&q);
        driver.slots[given] = chain.n_slots;
        CU_ASSERT_FATAL(get(&id, &len));
        CU_ASSERT_EQUAL(id, given);
    }
    pass_one();
}

static void
check_lie(const struct vring_desc *d, unsigned int n,
          enum virtq_status expected)
{
    put(d, n);
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), expected);
    check_next_is_good();
}

static void
test_lies(void)
{
    static const struct {
        struct vring_desc d;
        enum virtq_status status;
    } lies[] = {
        { { 0, 1, 0, 0 }, VIRTQ_MEMORY },
        { { BASE - 1, 2, 0, 0 }, VIRTQ_MEMORY },
        { { BASE + 2 * REGION - 1, 2, 0, 0 }, VIRTQ_MEMORY },
        { { BASE + 3 * REGION + GAP, 1, 0, 0 }, VIRTQ_MEMORY },
        { { BASE, UINT32_MAX, 0, 0 }, VIRTQ_MEMORY },
        { { UINT64_MAX, 2, 0, 0 }, VIRTQ_MEMORY },
        { { BASE, 10, WRITE, 0 }, VIRTQ_KIND },
        { { BASE, 32, TABLE | NEXT, 0 }, VIRTQ_KIND },
        { { BASE, 0, TABLE, 0 }, VIRTQ_CHAIN },
        { { BASE, 33, TABLE, 0 }, VIRTQ_CHAIN },
        { { BASE, 16 * (SIZE + 1), TABLE, 0 }, VIRTQ_CHAIN },
        { { BASE, UINT32_MAX - 15, TABLE, 0 }, VIRTQ_CHAIN },
        { { BASE - 8, 32, TABLE, 0 }, VIRTQ_MEMORY },
        { { BASE + 2 * REGION - 8, 16, TABLE, 0 }, VIRTQ_MEMORY },
    };

    for (int is_packed = 0; is_packed < 2; is_packed++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(lies); i++) {
            struct vring_desc d = lies[i].d;

            if (is_packed && d.flags == (TABLE | NEXT)) {
                continue;       /* Its next one would be no descriptor. */
            }
            begin(is_packed, false, SIZE);
            check_lie(&d, 1, lies[i].status);
            /* And as the last of three. */
            begin(is_packed, false, SIZE);
            struct vring_desc three[] = {
                { BASE, 4, NEXT, 0 }, { BASE, 4, NEXT, 0 }, d,
            };
            check_lie(three, 3, lies[i].status);
            /* A lie in front: the end must be found all the same. */
            begin(is_packed, false, SIZE);
            three[0] = d;
            three[0].flags |= NEXT;
            three[2] = three[1];
            three[2].flags = 0;
            if (!(d.flags & TABLE)) {
                check_lie(three, 3, lies[i].status);
            }
        }
    }
}

static void
test_lies_split(void)
{
    struct vring_desc *table;
    struct vring_desc d = { BASE, 4, NEXT, 0 };

    begin(false, false, SIZE);
    put(&d, 1);
    descs[0].next = 0;                          /* A loop. */
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_CHAIN);
    check_next_is_good();
    descs[2] = (struct vring_desc) { BASE, 0, NEXT, SIZE };
    avail->ring[avail->idx++ % SIZE] = 2;       /* Out of the ring. */
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_INDEX);
    check_next_is_good();
    avail->ring[avail->idx++ % SIZE] = SIZE;
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_INDEX);
    CU_ASSERT_EQUAL(chain.n_slots, 1);
    check_next_is_good();
    avail->idx = (uint16_t) (avail->idx + SIZE + 1);
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_INDEX);
    CU_ASSERT_EQUAL(chain.n_slots, 0);
    check_next_is_good();

    /* Tables: a loop, out of the table, a table in it. */
    table = (void *) (host + BUFFERS);
    d = (struct vring_desc) { guest(BUFFERS), 32, TABLE, 0 };
    table[0] = (struct vring_desc) { BASE, 1, NEXT, 1 };
    table[1] = (struct vring_desc) { BASE, 1, NEXT, 0 };
    check_lie(&d, 1, VIRTQ_CHAIN);
    table[0].next = 2;
    check_lie(&d, 1, VIRTQ_INDEX);
    table[0] = (struct vring_desc) { guest(BUFFERS), 16, TABLE, 0 };
    check_lie(&d, 1, VIRTQ_KIND);
}

static void
test_lies_packed(void)
{
    struct vring_desc all[SIZE];
    uint16_t flags = AVAIL | NEXT;

    /* A base outside the ring: never read. */
    begin(true, false, SIZE);
    virtq_start(&q, 0x8000 | SIZE, 0x8000);
    CU_ASSERT(virtq_is_empty(&q));
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_EMPTY);

    /* A chain without end: said once, and the ring is left alone. */
    begin(true, false, SIZE);
    for (unsigned int i = 0; i < SIZE; i++) {
        packed[i] = (struct vring_packed_desc) { BASE, 1, 0, flags };
    }
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_CHAIN);
    CU_ASSERT_EQUAL(chain.n_slots, 0);
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_EMPTY);

    /* One as long as the ring is none. */
    begin(true, false, SIZE);
    for (unsigned int i = 0; i < SIZE; i++) {
        all[i] = (struct vring_desc) { BASE, 1, i + 1 < SIZE ? NEXT : 0, 0 };
    }
    put(all, SIZE);
    CU_ASSERT_EQUAL(virtq_take(&q, true, &chain), VIRTQ_OK);
    CU_ASSERT_EQUAL(chain.n_slots, SIZE);
    check_next_is_good();
}

/* Rings of noise: nothing but the statuses comes out, and never without
 * end. */
static void
test_noise(void)
{
    for (unsigned int round = 0; round < 20000; round++) {
        bool is_packed = rnd(2);

        begin(is_packed, rnd(2), SIZE);
        for (unsigned int i = 0; i < 0x400; i++) {
            host[i] = (uint8_t) rnd(256);
        }
        for (unsigned int i = 0; i < SIZE; i++) {
            descs[i].addr = BASE + rnd(MEM + 2 * GAP);
            descs[i].len = rnd(2) ? rnd(REGION) & ~15u : rnd(64);
            (is_packed ? &descs[i].next : &descs[i].flags)[0]
                &= (uint16_t) (0x8080 | NEXT | (rnd(2) ? TABLE : WRITE));
            avail->ring[i] = (uint16_t) rnd(SIZE + 1);
        }
        if (!is_packed) {
            avail->idx = (uint16_t) rnd(SIZE + 2);
        }
        for (unsigned int i = 0; i < 40; i++) {
            enum virtq_status status = virtq_take(&q, true, &chain);
            uint64_t len = 0;

            if (status == VIRTQ_EMPTY) {
                break;
            }
            for (unsigned int k = 0; status == VIRTQ_OK && k < chain.n_iovs;
                 k++) {
                uint8_t *p = chain.iov[k].iov_base;

                len += chain.iov[k].iov_len;
                CU_ASSERT_FATAL(p >= host
                                && p + chain.iov[k].iov_len <= host + MEM);
            }
            CU_ASSERT_FATAL(status != VIRTQ_OK || len == chain.len);
            if (chain.n_slots) {
                virtq_give(&q, chain.id, chain.n_slots, 0);
                virtq_publish(&q);
            }
        }
    }
}

void
suite_virtq(void)
{
    CU_pSuite s = CU_add_suite("virtq", NULL, NULL);

    CU_add_test(s, "split: chains of any shape", test_split);
    CU_add_test(s, "packed: chains of any shape", test_packed);
    CU_add_test(s, "several at once", test_batch);
    CU_add_test(s, "split: interrupts", test_calls_split);
    CU_add_test(s, "packed: interrupts", test_calls_packed);
    CU_add_test(s, "kicks", test_kicks);
    CU_add_test(s, "lies", test_lies);
    CU_add_test(s, "split: lies", test_lies_split);
    CU_add_test(s, "packed: lies", test_lies_packed);
    CU_add_test(s, "noise", test_noise);
}
