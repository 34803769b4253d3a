/* SPDX-License-Identifier: Apache-2.0 */

/* l3.h - what the innermost IP header says about fragments.
 *
 * Only for packets that do not fit: where they may be cut depends on fields
 * that the flow key does not hold.  Positions are the parser's; what is read
 * here lies between them. */

#ifndef QANAT_L3_H
#define QANAT_L3_H 1

#include "datapath/pkt.h"

struct l3_view {
    uint8_t version;            /* 4, 6, or 0: not IP; then only 'start' is
                                 * of meaning. */
    uint8_t proto;              /* Of what is at ofs.l4, or of what the
                                 * fragment belongs to. */
    bool is_frag;               /* Part of a datagram. */
    bool is_later;              /* ... and not its first part. */
    bool df;                    /* IPv4: don't fragment. */
    uint16_t start;             /* Where the L3 packet begins (behind the
                                 * Ethernet type, when it is not IP). */
    uint16_t hdr_len;           /* IPv4: the header.  IPv6: what each fragment
                                 * repeats in front of its fragment header
                                 * (RFC 8200, 4.5). */
    uint16_t next_ofs;          /* IPv6: from the packet's start, the byte that
                                 * names what follows 'hdr_len' bytes. */
};

/* Reads the headers of a packet that was parsed.  PMD. */
void l3_view_init(struct l3_view *, const struct rte_mbuf *);

#endif /* l3.h */
