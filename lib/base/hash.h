/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - one fast hash for tables, inline.
 *
 * Each step multiplies 64 by 64 bits and folds the 128-bit product (one
 * multiply of 3 to 4 cycles).  CRC32C would be as fast but is linear: whoever
 * finds two keys of equal hash has found them for every basis, and packets
 * are written by strangers.  Here the basis enters before the multiply, so a
 * table that strangers fill is safe when its basis is random.
 *
 * Results are deterministic for equal input and basis, and equal for every
 * build on a little-endian machine; they are not a format to be stored.
 * Any thread, no side effects.
 */
#ifndef QANAT_BASE_HASH_H
#define QANAT_BASE_HASH_H 1

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Odd constants with about as many ones as zeros and no pattern. */
#define HASH_K0 UINT64_C(0x9e3779b97f4a7c15)
#define HASH_K1 UINT64_C(0xd6e8feb86659fd93)
#define HASH_K2 UINT64_C(0xa0761d6478bd642f)

static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128) a * b;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t
hash_load64(const void *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

/* Hash of 64 bits of the 'n' words at 'p'. */
static inline uint64_t
hash64_words(const uint64_t *p, size_t n, uint64_t basis)
{
    uint64_t a = basis ^ HASH_K0;
    uint64_t b = basis ^ HASH_K1;
    size_t i;

    /* Two lanes keep two multiplies in flight. */
    for (i = 0; i + 2 <= n; i += 2) {
        a = hash_fold(a ^ p[i], HASH_K1);
        b = hash_fold(b ^ p[i + 1], HASH_K2);
    }
    if (i < n) {
        a = hash_fold(a ^ p[i], HASH_K1);
    }
    return hash_fold(a ^ n, b ^ HASH_K0) ^ b;
}

/* Hash of the 'n' words at 'p'. */
static inline uint32_t
hash_words64(const uint64_t *p, size_t n, uint32_t basis)
{
    uint64_t h = hash64_words(p, n, basis);

    return (uint32_t) (h ^ (h >> 32));
}

/* Hash of the 'n' bytes at 'p', which need no alignment. */
static inline uint32_t
hash_bytes(const void *p_, size_t n, uint32_t basis)
{
    const unsigned char *p = p_;
    uint64_t h = basis ^ HASH_K0;
    uint64_t last = 0;
    size_t left;

    for (left = n; left >= 8; left -= 8, p += 8) {
        h = hash_fold(h ^ hash_load64(p), HASH_K1);
    }
    if (left) {
        memcpy(&last, p, left);
    }
    h = hash_fold(h ^ last, HASH_K2);
    h = hash_fold(h ^ n, HASH_K1);
    return (uint32_t) (h ^ (h >> 32));
}

/* Hash of the string 's' without its terminator. */
static inline uint32_t
hash_string(const char *s, uint32_t basis)
{
    return hash_bytes(s, strlen(s), basis);
}

/* Hash of one integer. */
static inline uint32_t
hash_int(uint64_t x, uint32_t basis)
{
    uint64_t h = hash_fold(x ^ basis ^ HASH_K0, HASH_K1);

    h = hash_fold(h ^ basis, HASH_K2);
    return (uint32_t) (h ^ (h >> 32));
}

/* Hash of an address, not of what is there. */
static inline uint32_t
hash_pointer(const void *p, uint32_t basis)
{
    return hash_int((uint64_t) (uintptr_t) p, basis);
}

#endif /* QANAT_BASE_HASH_H */
