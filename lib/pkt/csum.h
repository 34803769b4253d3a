/* SPDX-License-Identifier: Apache-2.0 */

/* csum.h - the Internet checksum (RFC 1071, RFC 1624) and SCTP's CRC32c.
 *
 * Partial sums are 32-bit accumulators in the machine's byte order over the
 * bytes as they lie; csum_finish() gives the field's value as it is to be
 * stored.  Any thread. */

#ifndef QANAT_CSUM_H
#define QANAT_CSUM_H 1

#include <stddef.h>
#include <stdint.h>

#include "lib/base/util.h"

/* Adds 'n' bytes at 'data' to 'sum'; any alignment, any length.  When another
 * piece is to follow, 'n' must be even, or csum_add_at() be used. */
uint32_t csum_add(uint32_t sum, const void *data, size_t n);

/* The same for a piece that begins 'ofs' bytes after the sum's start (an odd
 * start swaps the bytes). */
uint32_t csum_add_at(uint32_t sum, const void *data, size_t n, size_t ofs);

/* Copies and adds in one pass. */
uint32_t csum_copy(uint32_t sum, void *dst, const void *src, size_t n);

/* Adds two partial sums.  A plain '+' would lose the carry, which comes in
 * again at the low end. */
static inline uint32_t
csum_plus(uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;

    return sum + (sum < a);
}

/* Folds and complements: the value of a checksum field.  Can be 0; UDP sends
 * 0xffff instead (csum_finish_udp). */
be16 csum_finish(uint32_t sum);
be16 csum_finish_udp(uint32_t sum);

/* Folds without complementing: what a field that still needs its payload
 * added (CHECKSUM_PARTIAL) holds. */
be16 csum_fold(uint32_t sum);

/* Sum of the TCP/UDP pseudo header: RFC 9293 3.1 and RFC 8200 8.1.  'len' is
 * the L4 length in host order. */
uint32_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint32_t len);
uint32_t csum_pseudo6(const void *src16, const void *dst16, uint8_t proto,
                      uint32_t len);

/* The new value of a checksum field when a 16- or 32-bit piece of what it
 * covers changes (RFC 1624, eqn. 3).  Can be 0, see csum_finish(). */
be16 csum_update16(be16 field, be16 from, be16 to);
be16 csum_update32(be16 field, be32 from, be32 to);

/* CRC32c of SCTP (RFC 9260, appendix A); start with crc 0xffffffff, finish
 * with ~crc, store little endian. */
uint32_t csum_crc32c(uint32_t crc, const void *data, size_t n);

/* The same without the processor's instruction for it: 20 times slower. */
uint32_t csum_crc32c_portable(uint32_t crc, const void *data, size_t n);

#endif /* csum.h */
