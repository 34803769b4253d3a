/* SPDX-License-Identifier: Apache-2.0 */

/* csum.c - the Internet checksum and CRC32c.
 *
 * Runs in PMD threads over whole payloads when an egress cannot do it, so the
 * inner loops are made for throughput.  Must never read beyond the length
 * that it is given.
 *
 * The checksum adds 16-bit words with end-around carry.  Since 2^16 = 1
 * modulo 2^16 - 1, words of any width that begin at an even offset may be
 * added instead, as long as no carry is lost.  The loops below add 64-bit
 * lanes.  A lane v = lo + 2^32 hi is added twice: whole to 's', where carries
 * are lost, and its hi to 'h', where there are none.  Then the sum of the lo's
 * is s - (h << 32) modulo 2^64, and exact since 2^32 of them fit.  That is
 * three operations a vector where splitting each lane into halves would need
 * four. */

#include "lib/pkt/csum.h"

#include <arpa/inet.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "a last odd byte counts as the low one");

/* The loops are compiled for AVX2 as well and chosen when the program is
 * loaded.  Not under a sanitizer, which is not ready that early. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) \
    || __has_feature(memory_sanitizer)
#define NO_CLONES 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) \
    || !defined(__x86_64__) || !defined(__GLIBC__) \
    || !__has_attribute(target_clones)
#define NO_CLONES 1
#endif
#ifdef NO_CLONES
#define VECTOR_CLONES
#else
#define VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#endif

/* What one turn of a vector loop takes; shorter pieces go word by word. */
#define TURN_BYTES 128

typedef uint64_t vec __attribute__((vector_size(32), aligned(1), may_alias));

static VECTOR_CLONES uint64_t add_turns(const uint8_t *p, size_t n);
static VECTOR_CLONES uint64_t copy_turns(uint8_t *dst, const uint8_t *src,
                                         size_t n);
static inline uint64_t reduce(const vec *s, const vec *h);
#ifdef __x86_64__
static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n);
#endif

/* 64 bits to 32, the same modulo 2^16 - 1. */
static inline uint32_t
fold64(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    return (uint32_t) sum + (uint32_t) (sum >> 32);
}

static inline uint64_t
load64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

/* The sum of 'n' < 8 bytes. */
static inline uint64_t
add_tail(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;

    if (n & 4) {
        uint32_t x;

        memcpy(&x, p, sizeof x);
        sum = x;
        p += sizeof x;
    }
    if (n & 2) {
        uint16_t x;

        memcpy(&x, p, sizeof x);
        sum += x;
        p += sizeof x;
    }
    return n & 1 ? sum + *p : sum;
}

uint32_t
csum_add(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t total = sum;

    if (n >= TURN_BYTES) {
        size_t turns = n - n % TURN_BYTES;

        total += add_turns(p, turns);
        p += turns;
        n -= turns;
    }
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t x = load64(p);

        total += (x & UINT32_MAX) + (x >> 32);
    }
    return fold64(total + add_tail(p, n));
}

uint32_t
csum_add_at(uint32_t sum, const void *data, size_t n, size_t ofs)
{
    uint32_t piece = csum_add(0, data, n);

    /* A byte's shift multiplies by 256 modulo 2^16 - 1, which for a sum of 32
     * bits is a rotation. */
    if (ofs & 1) {
        piece = piece << 8 | piece >> 24;
    }
    return fold64((uint64_t) sum + piece);
}

uint32_t
csum_copy(uint32_t sum, void *dst_, const void *src, size_t n)
{
    const uint8_t *p = src;
    uint8_t *dst = dst_;
    uint64_t total = sum;

    if (n >= TURN_BYTES) {
        size_t turns = n - n % TURN_BYTES;

        total += copy_turns(dst, p, turns);
        dst += turns;
        p += turns;
        n -= turns;
    }
    for (; n >= 8; n -= 8, p += 8, dst += 8) {
        uint64_t x = load64(p);

        memcpy(dst, &x, sizeof x);
        total += (x & UINT32_MAX) + (x >> 32);
    }
    if (n) {
        total += add_tail(p, n);
        memcpy(dst, p, n);
    }
    return fold64(total);
}

be16
csum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (be16) (sum + (sum >> 16));
}

be16
csum_finish(uint32_t sum)
{
    return (be16) ~csum_fold(sum);
}

be16
csum_finish_udp(uint32_t sum)
{
    be16 field = csum_finish(sum);

    return field ? field : 0xffff;
}

uint32_t
csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint32_t len)
{
    return fold64((uint64_t) src + dst + htonl(len) + htonl(proto));
}

uint32_t
csum_pseudo6(const void *src16, const void *dst16, uint8_t proto,
             uint32_t len)
{
    uint32_t sum = csum_add(0, src16, 16);

    sum = csum_add(sum, dst16, 16);
    return fold64((uint64_t) sum + htonl(len) + htonl(proto));
}

be16
csum_update16(be16 field, be16 from, be16 to)
{
    return csum_finish((uint32_t) (be16) ~field + (be16) ~from + to);
}

be16
csum_update32(be16 field, be32 from, be32 to)
{
    return csum_finish(fold64((uint64_t) (be16) ~field + (be32) ~from + to));
}

uint32_t
csum_crc32c(uint32_t crc, const void *data, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_sse42(crc, data, n);
    }
#endif
    return csum_crc32c_portable(crc, data, n);
}

uint32_t
csum_crc32c_portable(uint32_t crc, const void *data, size_t n)
{
    /* Four bits at a time of the reversed polynomial 0x82f63b78. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
        0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *p = data;

    for (; n; n--, p++) {
        crc ^= *p;
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return crc;
}

/* 'n' is a multiple of TURN_BYTES. */
static VECTOR_CLONES uint64_t
add_turns(const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    vec s0 = {0}, s1 = {0}, h0 = {0}, h1 = {0};

    for (; p < end; p += TURN_BYTES) {
        const vec *v = (const vec *) (const void *) p;

        s0 += v[0];
        h0 += v[0] >> 32;
        s1 += v[1];
        h1 += v[1] >> 32;
        s0 += v[2];
        h0 += v[2] >> 32;
        s1 += v[3];
        h1 += v[3] >> 32;
    }
    s0 += s1;
    h0 += h1;
    return reduce(&s0, &h0);
}

static VECTOR_CLONES uint64_t
copy_turns(uint8_t *dst, const uint8_t *src, size_t n)
{
    const uint8_t *end = src + n;
    vec s0 = {0}, s1 = {0}, h0 = {0}, h1 = {0};

    for (; src < end; src += TURN_BYTES, dst += TURN_BYTES) {
        const vec *v = (const vec *) (const void *) src;
        vec *d = (vec *) (void *) dst;
        vec a = v[0], b = v[1], c = v[2], e = v[3];

        d[0] = a;
        d[1] = b;
        d[2] = c;
        d[3] = e;
        s0 += a + c;
        h0 += (a >> 32) + (c >> 32);
        s1 += b + e;
        h1 += (b >> 32) + (e >> 32);
    }
    s0 += s1;
    h0 += h1;
    return reduce(&s0, &h0);
}

/* The four lanes' sums, explained at the top, in one of less than 2^35. */
static inline __attribute__((always_inline)) uint64_t
reduce(const vec *s, const vec *h)
{
    uint64_t sum = 0;
    int i;

    for (i = 0; i < 4; i++) {
        sum += fold64((*s)[i] - ((*h)[i] << 32));
        sum += fold64((*h)[i]);
    }
    return sum;
}

#ifdef __x86_64__
static __attribute__((target("sse4.2"))) uint32_t
crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t wide = crc;

    for (; n >= 8; n -= 8, p += 8) {
        wide = __builtin_ia32_crc32di(wide, load64(p));
    }
    for (; n; n--, p++) {
        wide = __builtin_ia32_crc32qi((uint32_t) wide, *p);
    }
    return (uint32_t) wide;
}
#endif
