/* SPDX-License-Identifier: Apache-2.0 */

/* pcap.h - capture files: pcap (one link type, nanoseconds) and pcapng, whose
 * packets can carry a comment.
 *
 * Control plane threads: it writes files.  Ethernet only.  A reader and a
 * writer have one owner.
 *
 * Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. */

#ifndef QANAT_PCAP_H
#define QANAT_PCAP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pcap_format {
    PCAP_CLASSIC,               /* No comments. */
    PCAP_NG,
};

/* The longest packet and comment that are written or read. */
#define PCAP_MAX_PACKET (256 * 1024)
#define PCAP_MAX_COMMENT 4096

struct pcap_packet {
    uint64_t time_ns;           /* Since 1970, UTC. */
    uint32_t len;               /* On the wire. */
    uint32_t cap_len;           /* Bytes at 'data', at most 'len'. */
    const void *data;
    const char *comment;        /* NULL: none. */
};

struct pcap_writer;
struct pcap_reader;

/* Creates or truncates the file.  'comment' (pcapng) describes the capture;
 * may be NULL.  0 and '*writer', or -errno. */
int pcap_writer_open(const char *path, enum pcap_format, const char *comment,
                     struct pcap_writer **writer);

/* Appends a packet, buffered.  A comment that is too long is cut.  0 or
 * -errno; after an error every call fails with it. */
int pcap_write(struct pcap_writer *, const struct pcap_packet *);

/* Hands the buffer to the kernel.  0 or -errno. */
int pcap_flush(struct pcap_writer *);

/* Closes and frees, also after an error.  0, or the first -errno. */
int pcap_writer_close(struct pcap_writer *);

/* Opens a file of either format and byte order; times of pcap may be micro- or
 * nanoseconds.  0 and '*reader', or -errno (-EPROTO: not a capture file, or of
 * another link type). */
int pcap_reader_open(const char *path, struct pcap_reader **reader);

/* Reads the next packet; data and comment are the reader's and valid until the
 * next call.  1, 0 at the end of the file, or -errno (-EPROTO: the file is
 * broken from here on).  Blocks of pcapng that are no packets are skipped. */
int pcap_read(struct pcap_reader *, struct pcap_packet *);

void pcap_reader_close(struct pcap_reader *);

#endif /* pcap.h */
