/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/pkt/csum.c against a sum of one byte at a time. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pkt/csum.h"

void suite_csum(void);

#define MAX_LEN 70000

static uint8_t *bytes;          /* MAX_LEN random ones. */

static int
set_up(void)
{
    uint64_t seed = 1;

    bytes = malloc(MAX_LEN);
    for (size_t i = 0; bytes && i < MAX_LEN; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1;
        bytes[i] = (uint8_t) (seed >> 56);
    }
    return bytes ? 0 : -1;
}

static int
tear_down(void)
{
    free(bytes);
    return 0;
}

/* RFC 1071 as it stands: big endian words, the last one padded with zero. */
static uint16_t
naive(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t) sum;
}

static uint16_t
folded(uint32_t sum)
{
    return ntohs(csum_fold(sum));
}

static void
test_rfc1071(void)
{
    /* The example of its section 3. */
    static const uint8_t example[] = {
        0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7,
    };

    CU_ASSERT_EQUAL(folded(csum_add(0, example, sizeof example)), 0xddf2);
    CU_ASSERT_EQUAL(ntohs(csum_finish(csum_add(0, example, 8))), 0x220d);
    CU_ASSERT_EQUAL(csum_add(0x12345678, example, 0), 0x12345678);
}

/* Every length at every alignment, in a block that ends with the data. */
static void
test_add(void)
{
    for (size_t n = 0; n < 700; n++) {
        size_t shift = n % 9;
        uint8_t *block = malloc(n + shift + 1);

        memcpy(block + shift, bytes + n, n);
        CU_ASSERT_EQUAL(folded(csum_add(0, block + shift, n)),
                        naive(bytes + n, n));
        free(block);
    }
    CU_ASSERT_EQUAL(folded(csum_add(0, bytes, 65535)), naive(bytes, 65535));
    CU_ASSERT_EQUAL(folded(csum_add(0, bytes + 1, 69999)),
                    naive(bytes + 1, 69999));
}

/* All ones: the most carries that there can be. */
static void
test_carries(void)
{
    uint8_t *ones = malloc(MAX_LEN);

    memset(ones, 0xff, MAX_LEN);
    for (size_t n = 1; n < MAX_LEN; n += 977) {
        CU_ASSERT_EQUAL(folded(csum_add(UINT32_MAX, ones, n)),
                        n % 2 ? 0xff00 : 0xffff);
    }
    memset(ones, 0, MAX_LEN);
    CU_ASSERT_EQUAL(csum_add(0, ones, MAX_LEN), 0);
    CU_ASSERT_EQUAL(csum_finish(0), 0xffff);
    CU_ASSERT_EQUAL(csum_finish(0xffff), 0);
    CU_ASSERT_EQUAL(csum_finish_udp(0xffff), 0xffff);
    CU_ASSERT_EQUAL(csum_finish_udp(UINT32_MAX), 0xffff);
    free(ones);
}

static void
test_pieces(void)
{
    for (size_t a = 0; a < 300; a++) {
        size_t b = (a * 7) % 311, c = (a * 13) % 173;
        uint32_t sum = csum_add_at(0, bytes, a, 0);

        sum = csum_add_at(sum, bytes + a, b, a);
        sum = csum_add_at(sum, bytes + a + b, c, a + b);
        CU_ASSERT_EQUAL(folded(sum), naive(bytes, a + b + c));
        CU_ASSERT_EQUAL(folded(csum_plus(csum_add(0, bytes, 2 * a),
                                         csum_add(0, bytes + 2 * a, b))),
                        naive(bytes, 2 * a + b));
    }
}

static void
test_copy(void)
{
    for (size_t n = 0; n < 2000; n += n < 300 ? 1 : 61) {
        uint8_t *block = malloc(n + 1);

        block[n] = 0x5a;
        CU_ASSERT_EQUAL(folded(csum_copy(0, block, bytes + n % 7, n)),
                        naive(bytes + n % 7, n));
        CU_ASSERT(!memcmp(block, bytes + n % 7, n));
        CU_ASSERT_EQUAL(block[n], 0x5a);
        free(block);
    }
}

static void
test_pseudo(void)
{
    /* The twelve and the forty bytes, written out. */
    uint8_t p4[12] = {10, 0, 0, 1, 192, 168, 255, 254, 0, 17, 0xff, 0xee};
    uint8_t p6[40];
    be32 src, dst;

    memcpy(&src, p4, 4);
    memcpy(&dst, p4 + 4, 4);
    CU_ASSERT_EQUAL(folded(csum_pseudo4(src, dst, 17, 0xffee)),
                    naive(p4, sizeof p4));

    memcpy(p6, bytes, 32);
    memcpy(p6 + 32, "\x00\x01\x02\x03\x00\x00\x00\x06", 8);
    CU_ASSERT_EQUAL(folded(csum_pseudo6(bytes, bytes + 16, IPPROTO_TCP,
                                        0x010203)),
                    naive(p6, sizeof p6));
}

/* A field that was right stays right. */
static void
test_update(void)
{
    uint8_t packet[64];

    for (int i = 0; i < 5000; i++) {
        be16 field, from16, to16;
        be32 from32, to32;

        memcpy(packet, bytes + i, sizeof packet);
        if (i % 10 == 0) {
            memset(packet + 8, i % 20 ? 0xff : 0, 8);
        }
        memset(packet + 20, 0, 2);
        field = csum_finish(csum_add(0, packet, sizeof packet));

        memcpy(&from16, packet + 8, 2);
        memcpy(&to16, bytes + 2 * i, 2);
        memcpy(packet + 8, &to16, 2);
        field = csum_update16(field, from16, to16);
        CU_ASSERT_EQUAL(field, csum_finish(csum_add(0, packet,
                                                    sizeof packet)));

        memcpy(&from32, packet + 12, 4);
        memcpy(&to32, bytes + 3 * i, 4);
        memcpy(packet + 12, &to32, 4);
        field = csum_update32(field, from32, to32);
        CU_ASSERT_EQUAL(field, csum_finish(csum_add(0, packet,
                                                    sizeof packet)));
    }

    /* RFC 1624, section 4: the case that RFC 1141 got wrong. */
    CU_ASSERT_EQUAL(ntohs(csum_update16(htons(0xdd2f), htons(0x5555),
                                        htons(0x3285))), 0);
}

static void
test_crc32c(void)
{
    /* RFC 3720, B.4 and the usual check value. */
    uint8_t block[32];
    uint32_t crc;

    CU_ASSERT_EQUAL(~csum_crc32c(UINT32_MAX, "123456789", 9), 0xe3069283);
    memset(block, 0, sizeof block);
    CU_ASSERT_EQUAL(~csum_crc32c(UINT32_MAX, block, 32), 0x8a9136aa);
    memset(block, 0xff, sizeof block);
    CU_ASSERT_EQUAL(~csum_crc32c(UINT32_MAX, block, 32), 0x62a8ab43);

    /* Bit by bit, and in pieces. */
    for (size_t n = 0; n < 200; n++) {
        uint32_t expected = UINT32_MAX;

        for (size_t i = 0; i < n; i++) {
            expected ^= bytes[i];
            for (int bit = 0; bit < 8; bit++) {
                expected = expected >> 1 ^ (expected & 1 ? 0x82f63b78 : 0);
            }
        }
        crc = csum_crc32c(UINT32_MAX, bytes, n / 3);
        crc = csum_crc32c(crc, bytes + n / 3, n - n / 3);
        CU_ASSERT_EQUAL(crc, expected);
        CU_ASSERT_EQUAL(csum_crc32c_portable(UINT32_MAX, bytes, n),
                        expected);
    }
}

void
suite_csum(void)
{
    CU_pSuite suite = CU_add_suite("csum", set_up, tear_down);

    CU_add_test(suite, "RFC 1071", test_rfc1071);
    CU_add_test(suite, "add", test_add);
    CU_add_test(suite, "carries", test_carries);
    CU_add_test(suite, "pieces", test_pieces);
    CU_add_test(suite, "copy", test_copy);
    CU_add_test(suite, "pseudo headers", test_pseudo);
    CU_add_test(suite, "update", test_update);
    CU_add_test(suite, "CRC32c", test_crc32c);
}
