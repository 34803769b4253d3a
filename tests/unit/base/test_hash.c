/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hash.c - the hash spreads what tables hold: counters, addresses, keys
 * that differ in one bit.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"

#define N 65536
#define N_BUCKETS 65536

void suite_hash(void);

/* Largest bucket when N hashes fall into as many buckets by their low bits.
 * Random ones give 8 or 9; 13 has a chance of about one in 10^6. */
static unsigned int
largest_bucket(const uint32_t hashes[])
{
    static unsigned char buckets[N_BUCKETS];
    unsigned int max = 0;

    memset(buckets, 0, sizeof buckets);
    for (int i = 0; i < N; i++) {
        unsigned int n = ++buckets[hashes[i] % N_BUCKETS];

        max = n > max ? n : max;
    }
    return max;
}

static uint32_t hashes[N];

static void
test_spread(void)
{
    for (uint64_t i = 0; i < N; i++) {
        hashes[i] = hash_int(i, 0);
    }
    CU_ASSERT(largest_bucket(hashes) < 13);

    for (uint64_t i = 0; i < N; i++) {
        hashes[i] = hash_pointer((void *) (uintptr_t) (i * 4096), 0);
    }
    CU_ASSERT(largest_bucket(hashes) < 13);

    for (int i = 0; i < N; i++) {
        char name[16];

        snprintf(name, sizeof name, "vnet%d", i);
        hashes[i] = hash_string(name, 0);
    }
    CU_ASSERT(largest_bucket(hashes) < 13);

    /* Keys of many words of which one counts up, at every place. */
    for (size_t place = 0; place < 9; place++) {
        uint64_t key[9] = { 0 };

        for (uint64_t i = 0; i < N; i++) {
            key[place] = i << 48 | i;
            hashes[i] = hash_words64(key, 9, 1);
        }
        CU_ASSERT(largest_bucket(hashes) < 13);
    }
}

/* A changed bit of the key changes about half of the bits of the hash. */
static void
test_avalanche(void)
{
    unsigned char key[29] = { 0 };
    uint32_t before = hash_bytes(key, sizeof key, 0);
    unsigned int n_bits = 0;

    for (size_t bit = 0; bit < sizeof key * 8; bit++) {
        uint32_t h;
        int n;

        key[bit / 8] ^= (unsigned char) (1 << bit % 8);
        h = hash_bytes(key, sizeof key, 0);
        n = __builtin_popcount(h ^ before);
        CU_ASSERT(n >= 4);
        n_bits += (unsigned int) n;
        key[bit / 8] ^= (unsigned char) (1 << bit % 8);
    }
    CU_ASSERT(n_bits > sizeof key * 8 * 14 && n_bits < sizeof key * 8 * 18);
}

static void
test_length_and_basis(void)
{
    const char zeros[32] = { 0 };
    const uint64_t words[4] = { 0 };

    for (size_t n = 0; n < sizeof zeros; n++) {
        CU_ASSERT_NOT_EQUAL(hash_bytes(zeros, n, 0),
                            hash_bytes(zeros, n + 1, 0));
        CU_ASSERT_NOT_EQUAL(hash_bytes(zeros, n, 0),
                            hash_bytes(zeros, n, 1));
    }
    for (size_t n = 0; n < 4; n++) {
        CU_ASSERT_NOT_EQUAL(hash_words64(words, n, 0),
                            hash_words64(words, n, 1));
        CU_ASSERT_NOT_EQUAL(hash_words64(words, n, 0),
                            hash_words64(words, (n + 1) % 4, 0));
    }
    CU_ASSERT_EQUAL(hash_string("gre", 5), hash_bytes("gre", 3, 5));
    CU_ASSERT_EQUAL(hash_string("gre", 5), hash_string("gre", 5));
}

/* Bytes are read wherever they lie, and never beyond their end. */
static void
test_alignment(void)
{
    for (size_t n = 0; n < 40; n++) {
        char *exact = malloc(n ? n : 1);
        char buf[64];

        memset(exact, 'x', n);
        for (size_t ofs = 0; ofs < 8; ofs++) {
            memset(buf, 'y', sizeof buf);
            memset(buf + ofs, 'x', n);
            CU_ASSERT_EQUAL(hash_bytes(buf + ofs, n, 0),
                            hash_bytes(exact, n, 0));
        }
        free(exact);
    }
}

void
suite_hash(void)
{
    CU_pSuite suite = CU_add_suite("hash", NULL, NULL);

    CU_add_test(suite, "spread", test_spread);
    CU_add_test(suite, "avalanche", test_avalanche);
    CU_add_test(suite, "length_and_basis", test_length_and_basis);
    CU_add_test(suite, "alignment", test_alignment);
}
