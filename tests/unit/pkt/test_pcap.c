/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/pkt/pcap.c: what is written is read again, files of others are
 * read, and broken files are told. */

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/pkt/pcap.h"

void suite_pcap(void);

static char path[] = "/tmp/qanat-test-pcap-XXXXXX";

static int
set_up(void)
{
    int fd = mkstemp(path);

    if (fd < 0) {
        return -1;
    }
    return close(fd);
}

static int
tear_down(void)
{
    return unlink(path);
}

static void
write_bytes(const void *p, size_t n)
{
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(p, 1, n, file), n);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static size_t
read_bytes(void *p, size_t n)
{
    FILE *file = fopen(path, "rb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    n = fread(p, 1, n, file);
    fclose(file);
    return n;
}

static volatile uint32_t sink;  /* What is read must be readable. */

/* Reads all that is there; returns what ended it, and counts. */
static int
drain(unsigned int *n_packets)
{
    struct pcap_reader *reader;
    struct pcap_packet p;
    uint32_t sum = 0;
    int error;

    *n_packets = 0;
    error = pcap_reader_open(path, &reader);
    if (error) {
        return error;
    }
    while ((error = pcap_read(reader, &p)) > 0) {
        for (uint32_t i = 0; i < p.cap_len; i++) {
            sum += ((const uint8_t *) p.data)[i];
        }
        sum += p.comment ? (uint32_t) strlen(p.comment) : 0;
        ++*n_packets;
    }
    pcap_reader_close(reader);
    sink = sum;
    return error;
}

static void
write_file(enum pcap_format format, unsigned int n)
{
    struct pcap_writer *writer;
    uint8_t data[300];

    for (unsigned int i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t) i;
    }
    CU_ASSERT_EQUAL_FATAL(pcap_writer_open(path, format, "a \"capture\"",
                                           &writer), 0);
    for (unsigned int i = 0; i < n; i++) {
        char comment[32];
        struct pcap_packet p = {
            .time_ns = UINT64_C(1700000000123456789) + i,
            .len = 1000 + i, .cap_len = i * 7 % sizeof data, .data = data,
            .comment = i % 3 ? comment : NULL,
        };

        snprintf(comment, sizeof comment, "packet %.*u", (int) i % 5, i);
        CU_ASSERT_EQUAL(pcap_write(writer, &p), 0);
    }
    CU_ASSERT_EQUAL(pcap_flush(writer), 0);
    CU_ASSERT_EQUAL(pcap_writer_close(writer), 0);
}

static void
check_round_trip(enum pcap_format format)
{
    struct pcap_reader *reader;
    struct pcap_packet p;

    write_file(format, 100);
    CU_ASSERT_EQUAL_FATAL(pcap_reader_open(path, &reader), 0);
    for (unsigned int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL_FATAL(pcap_read(reader, &p), 1);
        CU_ASSERT_EQUAL(p.time_ns, UINT64_C(1700000000123456789) + i);
        CU_ASSERT_EQUAL(p.len, 1000 + i);
        CU_ASSERT_EQUAL(p.cap_len, i * 7 % 300);
        for (unsigned int j = 0; j < p.cap_len; j++) {
            CU_ASSERT_EQUAL(((const uint8_t *) p.data)[j], j & 0xff);
        }
        if (format == PCAP_NG && i % 3) {
            char comment[32];

            snprintf(comment, sizeof comment, "packet %.*u", (int) i % 5, i);
            CU_ASSERT_PTR_NOT_NULL_FATAL(p.comment);
            CU_ASSERT_STRING_EQUAL(p.comment, comment);
        } else {
            CU_ASSERT_PTR_NULL(p.comment);
        }
    }
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 0);
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 0);
    pcap_reader_close(reader);
}

static void
test_classic(void)
{
    check_round_trip(PCAP_CLASSIC);
}

static void
test_ng(void)
{
    check_round_trip(PCAP_NG);
}

/* The bytes themselves, as the drafts have them. */
static void
test_layout(void)
{
    struct pcap_writer *writer;
    struct pcap_packet p = {
        .time_ns = UINT64_C(0x0102030405060708), .len = 9, .cap_len = 3,
        .data = "abc", .comment = "hello",
    };
    static const uint8_t expected[] = {
        10, 13, 13, 10, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0,
        1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0,
        9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0,
        6, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5,
        3, 0, 0, 0, 9, 0, 0, 0, 'a', 'b', 'c', 0,
        1, 0, 5, 0, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 0, 0, 0, 0,
        52, 0, 0, 0,
    };
    uint8_t bytes[256];

    CU_ASSERT_EQUAL_FATAL(pcap_writer_open(path, PCAP_NG, NULL, &writer), 0);
    CU_ASSERT_EQUAL(pcap_write(writer, &p), 0);
    CU_ASSERT_EQUAL(pcap_writer_close(writer), 0);
    CU_ASSERT_EQUAL(read_bytes(bytes, sizeof bytes), sizeof expected);
    CU_ASSERT(!memcmp(bytes, expected, sizeof expected));
}

/* Other byte order, microseconds; a pcapng section with a block that we do not
 * know, the default resolution, an offset, and a power of two. */
static void
test_foreign(void)
{
    static const uint8_t classic[] = {
        0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 255, 255, 0, 0, 0, 1,
        0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 64, 'x', 'y',
    };
    static const uint8_t ng[] = {
        10, 13, 13, 10, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 28,
        0, 0, 0, 1, 0, 0, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20,
        0, 0, 0, 1, 0, 0, 0, 44, 0, 1, 0, 0, 0, 0, 0, 0,
        0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 9, 0, 1, 0x81, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 44,
        0, 0, 0, 99, 0, 0, 0, 16, 1, 2, 3, 4, 0, 0, 0, 16,
        0, 0, 0, 6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x41,
        0, 0, 0, 1, 0, 0, 0, 1, 'z', 0, 0, 0, 0, 0, 0, 36,
        0, 0, 0, 6, 0, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5,
        0, 0, 0, 1, 0, 0, 0, 1, 'z', 0, 0, 0, 0, 0, 0, 36,
    };
    struct pcap_reader *reader;
    struct pcap_packet p;

    write_bytes(classic, sizeof classic);
    CU_ASSERT_EQUAL_FATAL(pcap_reader_open(path, &reader), 0);
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 1);
    CU_ASSERT_EQUAL(p.time_ns, UINT64_C(5000007000));
    CU_ASSERT_EQUAL(p.len, 64);
    CU_ASSERT_EQUAL(p.cap_len, 2);
    CU_ASSERT(!memcmp(p.data, "xy", 2));
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 0);
    pcap_reader_close(reader);

    write_bytes(ng, sizeof ng);
    CU_ASSERT_EQUAL_FATAL(pcap_reader_open(path, &reader), 0);
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 1);
    CU_ASSERT_EQUAL(p.time_ns, UINT64_C(1000001000));
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 1);
    CU_ASSERT_EQUAL(p.time_ns, UINT64_C(5500000000));
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 0);
    pcap_reader_close(reader);
}

/* Cut at every byte, and with every byte changed: an end or an error, never
 * more packets than were written, never a read outside. */
static void
test_broken(void)
{
    static uint8_t good[8192];

    for (int format = PCAP_CLASSIC; format <= PCAP_NG; format++) {
        unsigned int n_packets;
        size_t len;

        write_file((enum pcap_format) format, 4);
        len = read_bytes(good, sizeof good);
        CU_ASSERT_FATAL(len < sizeof good);
        for (size_t n = 0; n <= len; n++) {
            int error;

            write_bytes(good, n);
            error = drain(&n_packets);
            CU_ASSERT(error == 0 || error == -EPROTO);
            CU_ASSERT_EQUAL(n_packets == 4, n == len);
        }
        for (size_t n = 0; n < len; n++) {
            static const uint8_t values[] = {0, 1, 0x7f, 0xff};

            for (size_t i = 0; i < sizeof values; i++) {
                uint8_t old = good[n];
                int error;

                good[n] = values[i];
                write_bytes(good, len);
                good[n] = old;
                error = drain(&n_packets);
                CU_ASSERT(error == 0 || error == -EPROTO);
                CU_ASSERT(n_packets <= 4);
            }
        }
    }
}

static void
test_errors(void)
{
    struct pcap_writer *writer;
    struct pcap_reader *reader;
    struct pcap_packet p = {.len = 1, .cap_len = 2, .data = "ab"};
    char *comment = malloc(3 * PCAP_MAX_COMMENT);
    static uint8_t large[1024];

    CU_ASSERT_EQUAL(pcap_writer_open("/nonexistent/x", PCAP_NG, NULL,
                                     &writer), -ENOENT);
    CU_ASSERT_PTR_NULL(writer);
    CU_ASSERT_EQUAL(pcap_reader_open("/nonexistent/x", &reader), -ENOENT);
    CU_ASSERT_PTR_NULL(reader);
    CU_ASSERT_EQUAL(pcap_writer_close(NULL), 0);
    pcap_reader_close(NULL);

    CU_ASSERT_EQUAL_FATAL(pcap_writer_open(path, PCAP_NG, NULL, &writer), 0);
    CU_ASSERT_EQUAL(pcap_write(writer, &p), -EMSGSIZE);
    p.len = p.cap_len = PCAP_MAX_PACKET + 1;
    CU_ASSERT_EQUAL(pcap_write(writer, &p), -EMSGSIZE);

    /* A comment too long is cut between two characters ("xé"...). */
    memset(comment, 0, 3 * PCAP_MAX_COMMENT);
    comment[0] = 'x';
    for (int i = 1; i < 2 * PCAP_MAX_COMMENT; i += 2) {
        memcpy(comment + i, "\xc3\xa9", 2);
    }
    p.len = p.cap_len = 2;
    p.comment = comment;
    CU_ASSERT_EQUAL(pcap_write(writer, &p), 0);
    CU_ASSERT_EQUAL(pcap_writer_close(writer), 0);
    CU_ASSERT_EQUAL_FATAL(pcap_reader_open(path, &reader), 0);
    CU_ASSERT_EQUAL(pcap_read(reader, &p), 1);
    CU_ASSERT_EQUAL(strlen(p.comment), PCAP_MAX_COMMENT - 1);
    CU_ASSERT(!strncmp(p.comment, comment, PCAP_MAX_COMMENT - 1));
    pcap_reader_close(reader);
    free(comment);

    /* A full disk: told, and told again at the end. */
    if (pcap_writer_open("/dev/full", PCAP_CLASSIC, NULL, &writer) == 0) {
        p = (struct pcap_packet) {.len = sizeof large,
                                  .cap_len = sizeof large, .data = large};
        for (int i = 0; i < 100; i++) {
            pcap_write(writer, &p);
        }
        CU_ASSERT_EQUAL(pcap_flush(writer), -ENOSPC);
        CU_ASSERT_EQUAL(pcap_write(writer, &p), -ENOSPC);
        CU_ASSERT_EQUAL(pcap_writer_close(writer), -ENOSPC);
    }
}

void
suite_pcap(void)
{
    CU_pSuite suite = CU_add_suite("pcap", set_up, tear_down);

    CU_add_test(suite, "pcap", test_classic);
    CU_add_test(suite, "pcapng", test_ng);
    CU_add_test(suite, "layout", test_layout);
    CU_add_test(suite, "files of others", test_foreign);
    CU_add_test(suite, "broken files", test_broken);
    CU_add_test(suite, "errors", test_errors);
}
