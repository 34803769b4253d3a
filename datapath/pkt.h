/* SPDX-License-Identifier: Apache-2.0 */

/* pkt.h - a packet on its way: an rte_mbuf (chain) and what we know of it.
 *
 * The knowledge lies in the private area of the first mbuf; all pools are made
 * by mem.c with that area.  A packet may be one buffer, a chain, or a chain of
 * indirect mbufs that share data.  Headers up to and including the innermost
 * parsed L4 header are always contiguous in the first mbuf once pmd.c has
 * parsed it.
 *
 * PMD threads.  Ownership: a function that takes a packet and does not say
 * otherwise consumes it. */

#ifndef QANAT_PKT_H
#define QANAT_PKT_H 1

#include <rte_mbuf.h>

#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"
#include "lib/pkt/vnet.h"
#include "lib/tnl/tnl.h"

#define PKT_BURST 32            /* Packets in one go, everywhere. */
#define PKT_MAX_ENCAPS TNL_MAX_ENCAPS    /* Tunnels pushed on one packet. */
#define PKT_MAX_POPS 4          /* Tunnels popped from one packet. */
#define PKT_HEADROOM 256        /* In front of what our own rx writes. */

/* One encapsulation that was put in front and awaits tnl_finish().  Offsets
 * from the frame's present start. */
struct pkt_encap {
    const struct tnl_ops *ops;
    uint32_t tnl_port;          /* Whose statistics, sequence and path MTU. */
    uint16_t start;             /* Outer Ethernet header. */
    uint16_t l3;                /* Outer IP header. */
    uint16_t l4;                /* Outer UDP or GRE header. */
    uint16_t inner;             /* Inner Ethernet header. */
    uint16_t path_mtu;          /* 0: the egress MTU alone. */
    bool csum;
    bool seq;
    bool icmp_too_big;
};

struct pkt_meta {
    /* Written by rx. */
    uint32_t in_port;           /* Datapath port it came in on; after a pop
                                 * the tunnel's. */
    uint32_t phys_port;         /* The port whose rx made it. */
    uint32_t offered;           /* VNET_OFFER_* to whoever wrote 'vnet'. */
    bool has_vnet;              /* 'vnet' holds unchecked claims. */
    uint8_t n_pops;
    uint8_t n_encaps;
    uint8_t lie;                /* enum vnet_status: the claims do not fit the
                                 * outer headers; they may fit what a pop
                                 * uncovers, else the packet is dropped. */
    bool is_adopted;            /* encaps[0] is the sender's own, and the flow
                                 * key is about it (adopt.h). */
    struct virtio_net_hdr vnet;

    /* Written by parse (pmd.c), shifted by act.c. */
    struct pkt_ofs ofs;         /* Of the innermost frame; relative to the
                                 * start of the whole packet. */
    uint16_t inner_start;       /* Where that frame begins: 0 unless
                                 * encapsulated. */
    struct pkt_need need;       /* Checked.  Offsets from the whole packet's
                                 * start. */

    /* Written by act.c. */
    struct pkt_encap encaps[PKT_MAX_ENCAPS];    /* The last is outermost. */
    struct tnl_md tnl;          /* Of the last pop, when n_pops. */
};

static inline struct pkt_meta *
pkt_meta(const struct rte_mbuf *m)
{
    return rte_mbuf_to_priv((struct rte_mbuf *) (uintptr_t) m);
}

/* First bytes as a pointer to bytes. */
static inline uint8_t *
pkt_data(const struct rte_mbuf *m)
{
    return rte_pktmbuf_mtod(m, uint8_t *);
}

/* Zeroes the metadata of a packet that rx made. */
static inline void
pkt_meta_init(struct rte_mbuf *m, uint32_t in_port)
{
    struct pkt_meta *md = pkt_meta(m);

    md->in_port = md->phys_port = in_port;
    md->offered = 0;
    md->has_vnet = false;
    md->n_pops = md->n_encaps = 0;
    md->lie = VNET_OK;
    md->is_adopted = false;
    md->inner_start = 0;
    memset(&md->ofs, 0xff, sizeof md->ofs);
    memset(&md->need, 0, sizeof md->need);
}

/* Copies what '*src' holds: of the tunnel fields only what is in use. */
static inline void
pkt_meta_copy(struct pkt_meta *dst, const struct pkt_meta *src)
{
    memcpy(dst, src, offsetof(struct pkt_meta, encaps));
    memcpy(dst->encaps, src->encaps, src->n_encaps * sizeof *src->encaps);
    if (src->n_pops) {
        dst->tnl = src->tnl;
    }
}

/* Whether the bytes of the first mbuf may be written: nobody else refers to
 * them. */
bool pkt_is_ours(const struct rte_mbuf *m);

/* A second reference to the same data with metadata of its own (indirect
 * mbufs; no payload byte is copied).  NULL without memory; '*m' stays
 * valid. */
struct rte_mbuf *pkt_clone(struct rte_mbuf *m);

/* Makes the first 'len' bytes (at most the packet's) contiguous in the first
 * mbuf and ours alone, so that they may be written.  Returns the packet (maybe
 * another mbuf), or NULL without memory, and then '*m' is freed. */
struct rte_mbuf *pkt_own_head(struct rte_mbuf *m, uint32_t len);

/* Makes the first 'len' bytes contiguous for reading.  As above. */
struct rte_mbuf *pkt_pull_head(struct rte_mbuf *m, uint32_t len);

/* Puts 'len' uninitialised bytes in front and shifts every offset of the
 * metadata.  They, and the headers behind them, may be written.  As above. */
struct rte_mbuf *pkt_push(struct rte_mbuf *m, uint16_t len);

/* Removes 'len' bytes (at most all) at the front and shifts every offset of
 * the metadata; one that pointed into them is 0 then.  Works across a chain:
 * the result may be another mbuf, with the metadata.  Never fails. */
struct rte_mbuf *pkt_pull(struct rte_mbuf *m, uint32_t len);

/* Opens ('delta' > 0; the new bytes are uninitialised) or closes a gap of
 * 'delta' bytes at 'at' by moving the bytes in front of it: VLAN tags.
 * Offsets greater than 'at' shift, those equal to it stay.  All headers may be
 * written afterwards.  As pkt_own_head(). */
struct rte_mbuf *pkt_gap(struct rte_mbuf *m, uint16_t at, int delta);

/* Makes one buffer of the packet.  As above; fails for more than
 * MEM_BIG_ROOM. */
struct rte_mbuf *pkt_linearize(struct rte_mbuf *m);

/* The Internet checksum's partial sum over bytes [ofs, ofs + len). */
uint32_t pkt_csum(const struct rte_mbuf *m, uint32_t ofs, uint32_t len);

/* Copies bytes out of a chain; 'ofs + len' must be within the packet. */
void pkt_read(const struct rte_mbuf *m, uint32_t ofs, uint32_t len, void *to);

/* Cuts the packet to 'len' bytes (removes padding behind it). */
void pkt_trim(struct rte_mbuf *m, uint32_t len);

/* Appends to 'head' a reference to bytes [ofs, ofs + len) of 'm', without
 * copying them.  False without memory; 'head' then has to be freed by the
 * caller as it is. */
bool pkt_append_ref(struct rte_mbuf *head, struct rte_mbuf *m, uint32_t ofs,
                    uint32_t len);

/* A place in a packet, for those who walk over its payload once, piece by
 * piece.  What is taken must lie within the packet. */
struct pkt_cursor {
    struct rte_mbuf *seg;
    uint32_t ofs;               /* From the start of 'seg'. */
};

void pkt_cursor_init(struct pkt_cursor *, struct rte_mbuf *m, uint32_t ofs);

/* Steps over 'len' bytes. */
void pkt_cursor_skip(struct pkt_cursor *, uint32_t len);

/* Copies the next 'len' bytes without moving on. */
void pkt_cursor_read(struct pkt_cursor, uint8_t *to, uint32_t len);

/* A packet of its own made of references to the next 'len' bytes (at least 1),
 * and moves on.  Its metadata is uninitialised.  NULL without memory. */
struct rte_mbuf *pkt_cursor_slice(struct pkt_cursor *, uint32_t len);

/* As pkt_append_ref(), and moves on. */
bool pkt_cursor_append_ref(struct pkt_cursor *, struct rte_mbuf *head,
                           uint32_t len);

/* Copies and moves on; with the partial sum of what was copied. */
void pkt_cursor_copy(struct pkt_cursor *, uint8_t *to, uint32_t len);
uint32_t pkt_cursor_copy_csum(struct pkt_cursor *, uint8_t *to, uint32_t len);

/* The partial sum of the next 'len' bytes.  Stays where it is. */
uint32_t pkt_cursor_csum(struct pkt_cursor, uint32_t len);

#endif /* pkt.h */
