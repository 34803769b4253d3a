/* SPDX-License-Identifier: Apache-2.0 */

/* pcap.c - capture files, written and read.
 *
 * Control plane threads.  Both formats are sequences of records in the
 * writer's byte order, told by a magic number at the start.  The reader must
 * not trust a length that a file states. */

#include "lib/pkt/pcap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/util.h"

#define NS_PER_S UINT64_C(1000000000)
#define LINK_ETHERNET 1

/* pcap */
#define MAGIC_NS UINT32_C(0xa1b23c4d)
#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define CLASSIC_HDR_LEN 24
#define CLASSIC_RECORD_LEN 16

/* pcapng */
#define BLOCK_SECTION UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE UINT32_C(1)
#define BLOCK_PACKET UINT32_C(6)
#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define OPT_END 0
#define OPT_COMMENT 1
#define OPT_TSRESOL 9
#define OPT_TSOFFSET 14

/* A block's type and length, and its length again at the end. */
#define BLOCK_OVERHEAD 12
#define MAX_BLOCK (PCAP_MAX_PACKET + 64 * 1024)
#define MAX_INTERFACES 64

struct pcap_writer {
    FILE *file;
    enum pcap_format format;
    int error;                  /* The first -errno, or 0. */
};

/* An interface of a pcapng section: how its times count. */
struct interface {
    uint64_t units_per_s;
    uint64_t offset_s;
    bool is_ethernet;
};

struct pcap_reader {
    FILE *file;
    bool is_ng;
    bool swap;                  /* The file has the other byte order. */
    bool is_us;                 /* pcap in microseconds. */
    unsigned int n_interfaces;
    struct interface interfaces[MAX_INTERFACES];
    uint8_t *block;             /* MAX_BLOCK bytes. */
    char comment[PCAP_MAX_COMMENT + 1];
};

static void put(struct pcap_writer *, const void *, size_t n);
static void put_padded(struct pcap_writer *, const void *, size_t n);
static void put_option(struct pcap_writer *, uint16_t code, const void *,
                       size_t n);
static void put_section(struct pcap_writer *, const char *comment);
static size_t comment_len(const char *);

static int read_start(struct pcap_reader *);
static int read_exactly(struct pcap_reader *, void *, size_t n);
static int read_classic(struct pcap_reader *, struct pcap_packet *);
static int read_ng(struct pcap_reader *, struct pcap_packet *);
static int read_section(struct pcap_reader *);
static int read_block(struct pcap_reader *, uint32_t *type, uint32_t *len);
static int take_interface(struct pcap_reader *, uint32_t len);
static int take_packet(struct pcap_reader *, uint32_t len,
                       struct pcap_packet *);
static const uint8_t *find_option(const struct pcap_reader *, uint32_t ofs,
                                  uint32_t len, uint16_t code, uint16_t *n);
static uint32_t get32(const struct pcap_reader *, const void *);
static uint16_t get16(const struct pcap_reader *, const void *);
static uint64_t to_ns(const struct interface *, uint64_t units);

int
pcap_writer_open(const char *path, enum pcap_format format,
                 const char *comment, struct pcap_writer **writerp)
{
    struct pcap_writer *w;
    FILE *file = fopen(path, "wbe");

    *writerp = NULL;
    if (!file) {
        return -errno;
    }
    w = xzalloc(sizeof *w);
    w->file = file;
    w->format = format;
    if (format == PCAP_NG) {
        put_section(w, comment);
    } else {
        const uint32_t hdr[] = {
            MAGIC_NS, 2 | 4 << 16, 0, 0, PCAP_MAX_PACKET, LINK_ETHERNET,
        };

        put(w, hdr, sizeof hdr);
    }
    *writerp = w;
    return 0;
}

int
pcap_write(struct pcap_writer *w, const struct pcap_packet *p)
{
    if (p->cap_len > PCAP_MAX_PACKET || p->cap_len > p->len) {
        return -EMSGSIZE;
    }
    if (w->format == PCAP_NG) {
        size_t n_comment = p->comment ? comment_len(p->comment) : 0;
        size_t opts_len = n_comment ? 4 + ROUND_UP(n_comment, 4u) + 4 : 0;
        uint32_t block_len = (uint32_t) (BLOCK_OVERHEAD + 20
                                         + ROUND_UP(p->cap_len, 4u)
                                         + opts_len);
        const uint32_t hdr[] = {
            BLOCK_PACKET, block_len, 0, (uint32_t) (p->time_ns >> 32),
            (uint32_t) p->time_ns, p->cap_len, p->len,
        };

        put(w, hdr, sizeof hdr);
        put_padded(w, p->data, p->cap_len);
        if (n_comment) {
            put_option(w, OPT_COMMENT, p->comment, n_comment);
            put_option(w, OPT_END, NULL, 0);
        }
        put(w, &block_len, sizeof block_len);
    } else {
        const uint32_t hdr[] = {
            (uint32_t) (p->time_ns / NS_PER_S),
            (uint32_t) (p->time_ns % NS_PER_S), p->cap_len, p->len,
        };

        put(w, hdr, sizeof hdr);
        put(w, p->data, p->cap_len);
    }
    return w->error;
}

int
pcap_flush(struct pcap_writer *w)
{
    if (!w->error && fflush(w->file)) {
        w->error = -errno;
    }
    return w->error;
}

int
pcap_writer_close(struct pcap_writer *w)
{
    int error;

    if (!w) {
        return 0;
    }
    error = pcap_flush(w);
    if (fclose(w->file) && !error) {
        error = -errno;
    }
    free(w);
    return error;
}

int
pcap_reader_open(const char *path, struct pcap_reader **readerp)
{
    struct pcap_reader *r;
    FILE *file = fopen(path, "rbe");
    int error;

    *readerp = NULL;
    if (!file) {
        return -errno;
    }
    r = xzalloc(sizeof *r);
    r->file = file;
    r->block = xmalloc(MAX_BLOCK);
    error = read_start(r);
    if (error) {
        pcap_reader_close(r);
        return error;
    }
    *readerp = r;
    return 0;
}

int
pcap_read(struct pcap_reader *r, struct pcap_packet *p)
{
    memset(p, 0, sizeof *p);
    return r->is_ng ? read_ng(r, p) : read_classic(r, p);
}

void
pcap_reader_close(struct pcap_reader *r)
{
    if (r) {
        fclose(r->file);
        free(r->block);
        free(r);
    }
}

static void
put(struct pcap_writer *w, const void *p, size_t n)
{
    if (!w->error && n && fwrite(p, n, 1, w->file) != 1) {
        w->error = errno ? -errno : -EIO;
    }
}

/* Pads with zeros to a multiple of four bytes. */
static void
put_padded(struct pcap_writer *w, const void *p, size_t n)
{
    put(w, p, n);
    put(w, "\0\0", ROUND_UP(n, 4u) - n);
}

static void
put_option(struct pcap_writer *w, uint16_t code, const void *p, size_t n)
{
    const uint16_t hdr[] = {code, (uint16_t) n};

    put(w, hdr, sizeof hdr);
    put_padded(w, p, n);
}

/* The section header and its one interface: Ethernet, nanoseconds. */
static void
put_section(struct pcap_writer *w, const char *comment)
{
    const uint8_t resolution = 9;
    size_t n = comment ? comment_len(comment) : 0;
    size_t opts_len = n ? 4 + ROUND_UP(n, 4u) + 4 : 0;
    const uint32_t section_len = (uint32_t) (BLOCK_OVERHEAD + 16 + opts_len);
    const uint32_t section[] = {
        BLOCK_SECTION, section_len, BYTE_ORDER_MAGIC, 1, UINT32_MAX,
        UINT32_MAX,             /* The section's length: not known. */
    };
    const uint32_t interface_len = BLOCK_OVERHEAD + 8 + 8 + 4;
    const uint32_t interface[] = {
        BLOCK_INTERFACE, interface_len, LINK_ETHERNET, PCAP_MAX_PACKET,
    };

    put(w, section, sizeof section);
    if (n) {
        put_option(w, OPT_COMMENT, comment, n);
        put_option(w, OPT_END, NULL, 0);
    }
    put(w, &section_len, sizeof section_len);
    put(w, interface, sizeof interface);
    put_option(w, OPT_TSRESOL, &resolution, sizeof resolution);
    put_option(w, OPT_END, NULL, 0);
    put(w, &interface_len, sizeof interface_len);
}

/* Not in the middle of a UTF-8 character. */
static size_t
comment_len(const char *s)
{
    size_t n = strnlen(s, PCAP_MAX_COMMENT + 1);

    if (n > PCAP_MAX_COMMENT) {
        n = PCAP_MAX_COMMENT;
        while (n && ((uint8_t) s[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    return n;
}

static int
read_start(struct pcap_reader *r)
{
    uint8_t hdr[CLASSIC_HDR_LEN];
    uint32_t magic;

    if (read_exactly(r, &magic, sizeof magic) <= 0) {
        return -EPROTO;
    }
    if (magic == BLOCK_SECTION) {
        r->is_ng = true;
        return read_section(r);
    }

    r->swap = magic == __builtin_bswap32(MAGIC_NS)
              || magic == __builtin_bswap32(MAGIC_US);
    if (r->swap) {
        magic = __builtin_bswap32(magic);
    }
    r->is_us = magic == MAGIC_US;
    if ((magic != MAGIC_NS && magic != MAGIC_US)
        || read_exactly(r, hdr + 4, sizeof hdr - 4) <= 0
        || (get32(r, hdr + 20) & 0xffff) != LINK_ETHERNET) {
        return -EPROTO;
    }
    return 0;
}

/* 1, 0 if the file ends before the first byte, -EPROTO if in between. */
static int
read_exactly(struct pcap_reader *r, void *p, size_t n)
{
    size_t got = fread(p, 1, n, r->file);

    if (got == n) {
        return 1;
    }
    return ferror(r->file) ? -EIO : got ? -EPROTO : 0;
}

static int
read_classic(struct pcap_reader *r, struct pcap_packet *p)
{
    uint8_t hdr[CLASSIC_RECORD_LEN];
    int n = read_exactly(r, hdr, sizeof hdr);

    if (n <= 0) {
        return n;
    }
    p->time_ns = get32(r, hdr) * NS_PER_S
                 + (uint64_t) get32(r, hdr + 4) * (r->is_us ? 1000 : 1);
    p->cap_len = get32(r, hdr + 8);
    p->len = get32(r, hdr + 12);
    if (p->cap_len > PCAP_MAX_PACKET || p->cap_len > p->len) {
        return -EPROTO;
    }
    if (p->cap_len) {
        n = read_exactly(r, r->block, p->cap_len);
    }
    p->data = r->block;
    return n > 0 ? 1 : n < 0 ? n : -EPROTO;
}

static int
read_ng(struct pcap_reader *r, struct pcap_packet *p)
{
    for (;;) {
        uint32_t type, len;
        int n = read_block(r, &type, &len);

        if (n > 0) {
            if (type == BLOCK_INTERFACE) {
                n = take_interface(r, len);
            } else if (type == BLOCK_PACKET) {
                n = take_packet(r, len, p);
                if (n > 0) {
                    return 1;
                }
            }
        }
        if (n <= 0) {
            return n;
        }
    }
}

/* The rest of a section header, behind its type. */
static int
read_section(struct pcap_reader *r)
{
    uint8_t hdr[8];
    uint32_t magic, len;

    if (read_exactly(r, hdr, sizeof hdr) <= 0) {
        return -EPROTO;
    }
    memcpy(&magic, hdr + 4, sizeof magic);
    r->swap = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
    r->n_interfaces = 0;
    len = get32(r, hdr);
    if ((magic != BYTE_ORDER_MAGIC && !r->swap) || len % 4
        || len < BLOCK_OVERHEAD + 16 || len > MAX_BLOCK) {
        return -EPROTO;
    }
    return read_exactly(r, r->block, len - 12) > 0 ? 0 : -EPROTO;
}

/* Reads the body of the next block that is no section header into 'block';
 * '*len' is the body's. */
static int
read_block(struct pcap_reader *r, uint32_t *type, uint32_t *len)
{
    uint8_t hdr[4];

    for (;;) {
        int n = read_exactly(r, hdr, sizeof hdr);

        if (n <= 0) {
            return n;
        }
        *type = get32(r, hdr);
        if (*type != BLOCK_SECTION) {
            break;
        }
        n = read_section(r);
        if (n < 0) {
            return n;
        }
    }

    if (read_exactly(r, hdr, sizeof hdr) <= 0) {
        return -EPROTO;
    }
    *len = get32(r, hdr);
    if (*len % 4 || *len < BLOCK_OVERHEAD || *len > MAX_BLOCK) {
        return -EPROTO;
    }
    *len -= 8;
    if (read_exactly(r, r->block, *len) <= 0
        || get32(r, r->block + *len - 4) != *len + 8) {
        return -EPROTO;
    }
    *len -= 4;
    return 1;
}

static int
take_interface(struct pcap_reader *r, uint32_t len)
{
    struct interface *i = &r->interfaces[r->n_interfaces];
    const uint8_t *opt;
    uint16_t n;

    if (len < 8 || r->n_interfaces == MAX_INTERFACES) {
        return -EPROTO;
    }
    i->is_ethernet = get16(r, r->block) == LINK_ETHERNET;
    i->units_per_s = 1000000;
    i->offset_s = 0;

    opt = find_option(r, 8, len, OPT_TSRESOL, &n);
    if (opt && n == 1) {
        unsigned int power = *opt & 0x7f;

        i->units_per_s = 1;
        if (*opt & 0x80 ? power > 63 : power > 19) {
            return -EPROTO;
        }
        while (power--) {
            i->units_per_s *= *opt & 0x80 ? 2 : 10;
        }
    }
    opt = find_option(r, 8, len, OPT_TSOFFSET, &n);
    if (opt && n == 8) {
        memcpy(&i->offset_s, opt, 8);
        if (r->swap) {
            i->offset_s = __builtin_bswap64(i->offset_s);
        }
    }
    r->n_interfaces++;
    return 1;
}

static int
take_packet(struct pcap_reader *r, uint32_t len, struct pcap_packet *p)
{
    const struct interface *i;
    const uint8_t *opt;
    uint32_t number;
    uint16_t n;

    if (len < 20) {
        return -EPROTO;
    }
    number = get32(r, r->block);
    p->cap_len = get32(r, r->block + 12);
    p->len = get32(r, r->block + 16);
    if (number >= r->n_interfaces || p->cap_len > PCAP_MAX_PACKET
        || p->cap_len > p->len || ROUND_UP(p->cap_len, 4u) > len - 20) {
        return -EPROTO;
    }
    i = &r->interfaces[number];
    if (!i->is_ethernet) {
        return -EPROTO;
    }
    p->time_ns = to_ns(i, (uint64_t) get32(r, r->block + 4) << 32
                          | get32(r, r->block + 8));
    p->data = r->block + 20;

    opt = find_option(r, 20 + ROUND_UP(p->cap_len, 4u), len, OPT_COMMENT, &n);
    if (opt) {
        n = (uint16_t) MIN(n, PCAP_MAX_COMMENT);
        memcpy(r->comment, opt, n);
        r->comment[n] = '\0';
        p->comment = r->comment;
    }
    return 1;
}

/* The first option of that code between 'ofs' and 'len' of the block, or
 * NULL. */
static const uint8_t *
find_option(const struct pcap_reader *r, uint32_t ofs, uint32_t len,
            uint16_t code, uint16_t *n)
{
    while (len - ofs >= 4) {
        uint16_t found = get16(r, r->block + ofs);

        *n = get16(r, r->block + ofs + 2);
        ofs += 4;
        if (found == OPT_END || *n > len - ofs) {
            return NULL;
        }
        if (found == code) {
            return r->block + ofs;
        }
        ofs += MIN(ROUND_UP((uint32_t) *n, 4u), len - ofs);
    }
    return NULL;
}

static uint32_t
get32(const struct pcap_reader *r, const void *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return r->swap ? __builtin_bswap32(x) : x;
}

static uint16_t
get16(const struct pcap_reader *r, const void *p)
{
    uint16_t x;

    memcpy(&x, p, sizeof x);
    return r->swap ? __builtin_bswap16(x) : x;
}

static uint64_t
to_ns(const struct interface *i, uint64_t units)
{
    __extension__ unsigned __int128 ns = units % i->units_per_s;

    ns = ns * NS_PER_S / i->units_per_s;
    return (i->offset_s + units / i->units_per_s) * NS_PER_S + (uint64_t) ns;
}
