/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_front.c - a guest that says whatever it is told to: a vhost-user front
 * end (QEMU's role) that writes any virtio-net header, any frame and any
 * descriptor into its rings.
 *
 * Usage: vhost_front [-l] [-f FEATURES] [-n RING_SIZE] [-b BUFFER_SIZE] SOCKET
 *
 *   -l             listen on SOCKET (for dpdkvhostuserclient), else connect
 *   -f FEATURES    virtio features to negotiate, a number; those that are not
 *                  offered are left out.  Default: all that a guest can use
 *   -n RING_SIZE   descriptors in each ring, default 256
 *   -b SIZE        of each receive buffer, default 2048
 *
 * Prints "ready OFFERED NEGOTIATED" once connected.  Then it reads commands
 * from standard input, one a line, and answers each with one line:
 *
 *   tx HEADER FRAME [chain=N,N,...] [indirect]
 *       sends a frame; both in hexadecimal, "-" is empty.  The bytes are cut
 *       into buffers of N, N, ... bytes, the rest in the last one; or into one
 *       table.  Answers "used 1" when the switch has given the buffers back,
 *       else "used 0" after two seconds
 *   raw KIND
 *       a lie about descriptors, see 'lies' and put_raw() below.  Answers like
 *       tx; of "jump" there is nothing to give back
 *   burst FILE
 *       all lines of FILE, each a tx or raw, are shown to the switch at once;
 *       "used N"
 *   mutate HEADER1 FRAME1 HEADER2 FRAME2 MS
 *       sends the first and overwrites it by turns with the second and the
 *       first, again and again for MS milliseconds
 *   rx [MS]
 *       "rx HEADER FRAME" when one comes within MS milliseconds (default
 *       2000), else "none"
 *   rxlie KIND
 *       the next receive buffer is a lie; "ok"
 *   reconnect FEATURES
 *       hangs up and begins anew; "ready ..." again
 *   remap
 *       has the memory mapped anew; "ok"
 *   stop
 *       stops both rings; "base RX TX", where the switch says it is
 *   quit
 *
 * Rings are split, of virtio 1.2, 2.7; the header has 12 bytes if VERSION_1 or
 * MRG_RXBUF is negotiated, else 10: what HEADER holds is written as it is.
 * Kicks only when the switch wants to be kicked. */

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/vhost_front_proto.h"

#define RX 0
#define TX 1
#define MAX_RING 1024u
#define MAX_PIECES 1024u
#define BUFFER_ROOM 0x20000u    /* For what one tx line sends. */
#define MEM_SIZE (256u << 20)
#define DEADLINE_MS 2000
#define DEFAULT_FEATURES UINT64_C(0x01c000011000ff83)
#define MRG_RXBUF (UINT64_C(1) << 15)
#define VERSION_1 (UINT64_C(1) << 32)

/* One ring, and what of it is in use. */
struct ring {
    struct vring_desc *desc;
    struct vring_avail *avail;
    struct vring_used *used;
    uint16_t next_avail;        /* Not yet shown. */
    uint16_t last_used;
    uint16_t next_desc;
};

static struct front front;
static struct ring rings[FRONT_QUEUES];
static size_t rx_buffers_ofs, tx_buffers_ofs, tables_ofs;
static size_t buffer_size = 2048;
static uint8_t *bytes;          /* What a tx line sends, and what rx got. */

/* --- time, text --- */

static long
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
nap(void)
{
    nanosleep(&(struct timespec) { 0, 100000 }, NULL);
}

/* Appends the bytes that 'text' stands for; returns the new length. */
static size_t
add_hex(const char *text, size_t len)
{
    if (!strcmp(text, "-")) {
        return len;
    }
    for (; *text; text += 2) {
        unsigned int byte;

        if (!isxdigit((unsigned char) text[0])
            || !isxdigit((unsigned char) text[1])
            || sscanf(text, "%2x", &byte) != 1 || len >= BUFFER_ROOM) {
            front_die("no bytes: %.20s", text);
        }
        bytes[len++] = (uint8_t) byte;
    }
    return len;
}

static void
put_hex(const uint8_t *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    if (!len) {
        putchar('-');
    }
    for (size_t i = 0; i < len; i++) {
        putchar(digits[p[i] >> 4]);
        putchar(digits[p[i] & 15]);
    }
}

/* --- rings --- */

static uint64_t
guest_addr(size_t ofs)
{
    return FRONT_GUEST_BASE + ofs;
}

static void
lay_out(void)
{
    size_t ofs = 0;

    for (unsigned int i = 0; i < FRONT_QUEUES; i++) {
        struct ring *r = &rings[i];

        front.desc_ofs[i] = ofs;
        front.avail_ofs[i] = ofs + 0x8000;
        front.used_ofs[i] = ofs + 0x10000;
        r->desc = (void *) (front.mem + front.desc_ofs[i]);
        r->avail = (void *) (front.mem + front.avail_ofs[i]);
        r->used = (void *) (front.mem + front.used_ofs[i]);
        ofs += 0x20000;
    }
    rx_buffers_ofs = ofs;
    ofs += front.ring_size * buffer_size;
    tables_ofs = ofs = (ofs + 4095) & ~(size_t) 4095;
    ofs += MAX_PIECES * sizeof(struct vring_desc) * front.ring_size;
    tx_buffers_ofs = ofs;
    if (ofs + front.ring_size * (size_t) BUFFER_ROOM > MEM_SIZE) {
        front_die("rings and buffers do not fit the memory");
    }
}

static void
expose(struct ring *r, uint16_t head)
{
    r->avail->ring[r->next_avail % front.ring_size] = head;
    r->next_avail++;
}

/* Shows what was exposed, and kicks if that is wanted. */
static void
publish(unsigned int queue)
{
    struct ring *r = &rings[queue];
    uint64_t one = 1;

    __atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!(*(volatile uint16_t *) &r->used->flags & VRING_USED_F_NO_NOTIFY)
        && write(front.kick_fds[queue], &one, sizeof one) < 0) {
        front_die("kick: %s", strerror(errno));
    }
}

static void
post_rx(uint16_t i)
{
    struct ring *r = &rings[RX];

    r->desc[i] = (struct vring_desc) {
        guest_addr(rx_buffers_ofs + i * buffer_size), (uint32_t) buffer_size,
        VRING_DESC_F_WRITE, 0,
    };
    expose(r, i);
}

/* Empty rings at place 0, all receive buffers posted. */
static void
begin(uint64_t features)
{
    for (unsigned int i = 0; i < FRONT_QUEUES; i++) {
        struct ring *r = &rings[i];

        memset(front.mem + front.desc_ofs[i], 0, 0x20000);
        r->next_avail = r->last_used = r->next_desc = 0;
        r->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
    }
    for (uint16_t i = 0; i < front.ring_size; i++) {
        post_rx(i);
    }
    rings[RX].avail->idx = rings[RX].next_avail;
    front.features = features;
    front_connect(&front, 0);
    printf("ready 0x%llx 0x%llx\n", (unsigned long long) front.offered,
           (unsigned long long) front.negotiated);
}

/* Waits until 'n' chains were given back since 'before'. */
static void
wait_used(uint16_t n)
{
    struct ring *r = &rings[TX];
    long deadline = now_ms() + DEADLINE_MS;
    uint16_t got;

    for (;;) {
        got = (uint16_t) (__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE)
                          - r->last_used);
        if (got >= n || now_ms() > deadline) {
            break;
        }
        nap();
    }
    r->last_used = (uint16_t) (r->last_used + got);
    printf("used %u\n", (unsigned int) got);
}

/* The descriptors of one line; they are never in use, as each line waits. */
static uint16_t
take_desc(void)
{
    return (uint16_t) (rings[TX].next_desc++ % front.ring_size);
}

/* --- tx --- */

static void
fill_table(struct vring_desc *d, size_t addr_ofs, size_t len, char *chain,
           struct vring_desc *table, bool is_table)
{
    unsigned int n = 0, i = 0;
    size_t pieces[MAX_PIECES];

    for (char *p = chain ? strtok(chain, ",") : NULL; p;
         p = strtok(NULL, ",")) {
        size_t piece = (size_t) atoi(p);

        if (n < MAX_PIECES - 1 && piece <= len) {
            pieces[n++] = piece;
            len -= piece;
        }
    }
    if (len || !n) {
        pieces[n++] = len;
    }
    for (i = 0; i < n; i++) {
        bool is_last = i == n - 1;
        uint16_t next = (uint16_t) (i + 1);
        struct vring_desc *to = d;

        if (is_table) {
            to = &table[i];
        } else if (!is_last) {
            next = take_desc();
        }
        *to = (struct vring_desc) {
            guest_addr(addr_ofs), (uint32_t) pieces[i],
            is_last ? 0 : VRING_DESC_F_NEXT, is_last ? 0 : next,
        };
        addr_ofs += pieces[i];
        if (!is_table) {
            d = &rings[TX].desc[next];
        }
    }
    if (is_table) {
        *d = (struct vring_desc) {
            guest_addr((size_t) ((uint8_t *) table - front.mem)),
            (uint32_t) (n * sizeof *table), VRING_DESC_F_INDIRECT, 0,
        };
    }
}

/* Puts one frame on the ring; returns where its bytes are. */
static uint8_t *
put_frame(char *header, char *frame, char *chain, bool is_table)
{
    uint16_t head = take_desc();
    size_t ofs = tx_buffers_ofs + head * (size_t) BUFFER_ROOM;
    struct vring_desc *table
        = (void *) (front.mem + tables_ofs
                    + head * MAX_PIECES * sizeof *table);
    size_t len;

    bytes = front.mem + ofs;
    len = add_hex(frame, add_hex(header, 0));
    fill_table(&rings[TX].desc[head], ofs, len, chain, table, is_table);
    expose(&rings[TX], head);
    return front.mem + ofs;
}

/* --- lies about descriptors --- */

/* Writes a lie of kind 'kind' for a ring of direction 'flags'; false if there
 * is no such kind.  Each begins with a header and a frame's beginning that
 * would be good, where it can. */
static bool
put_lie(struct ring *r, uint16_t head, const char *kind, uint16_t flags)
{
    size_t good = tx_buffers_ofs + head * (size_t) BUFFER_ROOM;
    size_t table_ofs = tables_ofs
                       + head * MAX_PIECES * sizeof(struct vring_desc);
    struct vring_desc *table = (void *) (front.mem + table_ofs);
    struct vring_desc *d = &r->desc[head];
    uint16_t next = VRING_DESC_F_NEXT | flags;
    const struct {
        const char *kind;
        struct vring_desc d;
    } lies[] = {
        /* One descriptor that points to itself. */
        { "loop", { guest_addr(good), 64, next, head } },
        { "zero_loop", { guest_addr(good), 0, next, head } },
        /* The next one is not in the ring. */
        { "next", { guest_addr(good), 64, next, front.ring_size } },
        { "next_max", { guest_addr(good), 64, next, 65535 } },
        /* Outside memory: in front, behind, across the end, everywhere. */
        { "null", { 0, 100, flags, 0 } },
        { "before", { FRONT_GUEST_BASE - 50, 100, flags, 0 } },
        { "behind", { guest_addr(MEM_SIZE), 100, flags, 0 } },
        { "across", { guest_addr(MEM_SIZE - 50), 100, flags, 0 } },
        { "wrap", { UINT64_MAX - 10, 100, flags, 0 } },
        { "huge", { guest_addr(good), UINT32_MAX, flags, 0 } },
        /* All of it there, and too long for a frame. */
        { "long", { guest_addr(good), 128u << 20, flags, 0 } },
        /* Nothing, less than a header, a header and no frame. */
        { "zero", { guest_addr(good), 0, flags, 0 } },
        { "one", { guest_addr(good), 1, flags, 0 } },
        { "short", { guest_addr(good), 11, flags, 0 } },
        { "header", { guest_addr(good), 12, flags, 0 } },
        /* The wrong direction. */
        { "direction", { guest_addr(good), 100,
                         flags ^ VRING_DESC_F_WRITE, 0 } },
        /* Tables: empty, crooked, outside memory, greater than the ring,
         * linked, within one another, looping. */
        { "table_empty", { guest_addr(table_ofs), 0, 4, 0 } },
        { "table_odd", { guest_addr(table_ofs), 17, 4, 0 } },
        { "table_behind", { guest_addr(MEM_SIZE), 64, 4, 0 } },
        { "table_across", { guest_addr(MEM_SIZE - 16), 64, 4, 0 } },
        { "table_big", { guest_addr(0), (front.ring_size + 1u) * 16, 4, 0 } },
        { "table_huge", { guest_addr(0), UINT32_MAX - 15, 4, 0 } },
        { "table_next", { guest_addr(table_ofs), 16, 5, 0 } },
        { "table_table", { guest_addr(table_ofs), 16, 4, 0 } },
        { "table_loop", { guest_addr(table_ofs), 32, 4, 0 } },
        { "table_out", { guest_addr(table_ofs), 32, 4, 0 } },
    };

    memset(front.mem + good, 0, 256);
    memset(table, 0, 64);
    if (!strcmp(kind, "table_table")) {
        table[0] = (struct vring_desc) { guest_addr(table_ofs), 16, 4, 0 };
    } else if (!strcmp(kind, "table_loop")) {
        table[0] = (struct vring_desc) { guest_addr(good), 8, next, 1 };
        table[1] = (struct vring_desc) { guest_addr(good), 8, next, 0 };
    } else if (!strcmp(kind, "table_across")) {
        table = (void *) (front.mem + MEM_SIZE - 16);
        table[0] = (struct vring_desc) { guest_addr(good), 8, next, 1 };
    } else if (!strcmp(kind, "table_out")) {
        table[0] = (struct vring_desc) { guest_addr(good), 100, next, 9 };
    }
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        if (!strcmp(lies[i].kind, kind)) {
            *d = lies[i].d;
            return true;
        }
    }
    return false;
}

static void
put_raw(const char *kind)
{
    struct ring *r = &rings[TX];
    uint16_t head = take_desc();

    if (!strcmp(kind, "head")) {            /* Not in the ring. */
        expose(r, front.ring_size);
    } else if (!strcmp(kind, "head_max")) {
        expose(r, 65535);
    } else if (!strcmp(kind, "jump")) {     /* More than there can be. */
        r->next_avail = (uint16_t) (r->next_avail + front.ring_size + 1);
    } else if (put_lie(r, head, kind, 0)) {
        expose(r, head);
    } else {
        front_die("no such lie: %s", kind);
    }
}

/* --- commands --- */

/* "tx" or "raw"; false if it is neither. */
static bool
put_line(char *line)
{
    char *save, *word = strtok_r(line, " \n", &save);
    char *header, *frame, *option, *chain = NULL;
    bool is_table = false;

    if (word && !strcmp(word, "raw")) {
        word = strtok_r(NULL, " \n", &save);
        put_raw(word ? word : "");
        return true;
    }
    if (!word || strcmp(word, "tx")) {
        return false;
    }
    header = strtok_r(NULL, " \n", &save);
    frame = strtok_r(NULL, " \n", &save);
    if (!header || !frame) {
        front_die("tx needs a header and a frame");
    }
    while ((option = strtok_r(NULL, " \n", &save))) {
        if (!strncmp(option, "chain=", 6)) {
            chain = option + 6;
        } else if (!strcmp(option, "indirect")) {
            is_table = true;
        } else {
            front_die("no such option: %s", option);
        }
    }
    put_frame(header, frame, chain, is_table);
    return true;
}

static void
burst(const char *name)
{
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    uint16_t n = 0;

    if (!file) {
        front_die("%s: %s", name, strerror(errno));
    }
    while (getline(&line, &room, file) > 0) {
        n = (uint16_t) (n + put_line(line));
    }
    free(line);
    fclose(file);
    publish(TX);
    wait_used(n);
}

static void
mutate(char *header1, char *frame1, char *header2, char *frame2, int ms)
{
    static uint8_t versions[2][BUFFER_ROOM];
    uint8_t *at = put_frame(header1, frame1, NULL, false);
    long deadline = now_ms() + ms;
    size_t len[2];

    len[0] = (strlen(header1) + strlen(frame1)) / 2;
    memcpy(versions[0], at, len[0]);
    bytes = versions[1];
    len[1] = add_hex(frame2, add_hex(header2, 0));
    publish(TX);
    for (unsigned int i = 1; now_ms() < deadline; i++) {
        memcpy(at, versions[i % 2], len[i % 2]);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    wait_used(1);
}

/* The next used receive buffer's number and length; false after 'ms'. */
static bool
take_rx(long deadline, uint16_t *i, uint32_t *len)
{
    struct ring *r = &rings[RX];
    struct vring_used_elem e;

    while (__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) == r->last_used) {
        if (now_ms() > deadline) {
            return false;
        }
        nap();
    }
    e = r->used->ring[r->last_used++ % front.ring_size];
    if (e.id >= front.ring_size) {
        front_die("the switch gave back buffer %u", e.id);
    }
    *i = (uint16_t) e.id;
    *len = e.len;
    return true;
}

static void
rx(int ms)
{
    static uint8_t frame[1 << 18];
    bool has_n = front.negotiated & (MRG_RXBUF | VERSION_1);
    size_t hdr_len = has_n ? 12 : 10, total = 0;
    unsigned int n = 1;

    for (unsigned int k = 0; k < n; k++) {
        uint8_t *buffer;
        uint32_t len;
        uint16_t i;

        if (!take_rx(now_ms() + ms, &i, &len)) {
            puts(k ? "none, the frame is not whole" : "none");
            return;
        }
        buffer = front.mem + rx_buffers_ofs + i * buffer_size;
        if (len > buffer_size || total + len > sizeof frame
            || (!k && len && len < hdr_len)) {
            front_die("the switch says that it wrote %u bytes", len);
        }
        memcpy(frame + total, buffer, len);
        memset(buffer, 0xee, buffer_size);
        total += len;
        if (!k && has_n && len) {
            n = frame[10] | (unsigned int) frame[11] << 8;
        }
        post_rx(i);
    }
    publish(RX);
    printf("rx ");
    put_hex(frame, total < hdr_len ? total : hdr_len);
    putchar(' ');
    put_hex(frame + hdr_len, total > hdr_len ? total - hdr_len : 0);
    putchar('\n');
}

/* Makes a lie of the receive buffer that the switch will take next. */
static bool
rx_lie(const char *kind)
{
    struct ring *r = &rings[RX];
    uint16_t idx = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);
    uint16_t head = r->avail->ring[idx % front.ring_size];

    return put_lie(r, head, kind, VRING_DESC_F_WRITE);
}

static void
obey(char *line)
{
    char *copy = strdup(line), *save;
    char *args[6] = { NULL };
    unsigned int n = 0;

    if (put_line(line)) {
        publish(TX);
        wait_used(1);
        free(copy);
        return;
    }
    for (char *p = strtok_r(copy, " \n", &save); p && n < 6;
         p = strtok_r(NULL, " \n", &save)) {
        args[n++] = p;
    }
    if (!n) {
        free(copy);
        return;
    }
    if (!strcmp(args[0], "burst") && n == 2) {
        burst(args[1]);
    } else if (!strcmp(args[0], "mutate") && n == 6) {
        mutate(args[1], args[2], args[3], args[4], atoi(args[5]));
    } else if (!strcmp(args[0], "rx") && n <= 2) {
        rx(n == 2 ? atoi(args[1]) : DEADLINE_MS);
    } else if (!strcmp(args[0], "rxlie") && n == 2 && rx_lie(args[1])) {
        puts("ok");
    } else if (!strcmp(args[0], "reconnect") && n == 2) {
        front_disconnect(&front);
        begin(strtoull(args[1], NULL, 0));
    } else if (!strcmp(args[0], "remap") && n == 1) {
        front_remap(&front);
        puts("ok");
    } else if (!strcmp(args[0], "stop") && n == 1) {
        unsigned int rx_base = front_stop(&front, RX);

        printf("base %u %u\n", rx_base,
               (unsigned int) front_stop(&front, TX));
    } else if (!strcmp(args[0], "quit")) {
        exit(0);
    } else {
        front_die("not understood: %s", args[0]);
    }
    free(copy);
}

int
main(int argc, char *argv[])
{
    uint64_t features = DEFAULT_FEATURES;
    char *line = NULL;
    size_t room = 0;
    int opt;

    front.ring_size = 256;
    while ((opt = getopt(argc, argv, "lf:n:b:")) != -1) {
        switch (opt) {
        case 'l':
            front.listens = true;
            break;
        case 'f':
            features = strtoull(optarg, NULL, 0);
            break;
        case 'n':
            front.ring_size = (uint16_t) atoi(optarg);
            break;
        case 'b':
            buffer_size = (size_t) atol(optarg);
            break;
        default:
            return 2;
        }
    }
    if (optind != argc - 1 || !front.ring_size
        || front.ring_size > MAX_RING || buffer_size < 64) {
        fprintf(stderr, "usage: %s [-l] [-f FEATURES] [-n RING_SIZE] "
                "[-b BUFFER_SIZE] SOCKET\n", argv[0]);
        return 2;
    }
    front.path = argv[optind];
    front.mem_size = MEM_SIZE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    front_init(&front);
    lay_out();
    begin(features);
    while (getline(&line, &room, stdin) > 0) {
        obey(line);
        fflush(stdout);
    }
    free(line);
    return 0;
}
