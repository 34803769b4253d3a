/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the offload stage share: frames by description, a port
 * that keeps what is sent to it, encapsulations as act.c pushes them, and an
 * outside view of what came out.  All arithmetic here is the plainest there
 * is, byte by byte, and shares nothing with the code that it judges. */
#ifndef TESTS_UNIT_DATAPATH_EGRESS_ENV_H
#define TESTS_UNIT_DATAPATH_EGRESS_ENV_H 1

#include "datapath/pkt.h"
#include "datapath/pmd.h"
#include "tests/unit/datapath/dpdk_env.h"

#define ENV_MAX_FRAME (65535 + 14 + 8 + 512)
#define ENV_PORT 7              /* The port that is sent to. */
#define ENV_TNL_PORT 20         /* The first tunnel's; the next is 21. */

enum env_csum { ENV_CSUM_FULL, ENV_CSUM_PARTIAL, ENV_CSUM_WRONG };

/* A description. */
struct env_frame {
    uint8_t version;            /* 4 or 6. */
    uint8_t proto;
    uint8_t n_vlans;
    uint8_t ip4_options;        /* Bytes, a multiple of 4. */
    bool hop_by_hop, routing, dest_options;     /* IPv6. */
    uint8_t tcp_options;        /* Bytes, a multiple of 4. */
    uint16_t tcp_flags;
    uint16_t ip_id;
    uint16_t frag;              /* IPv4: flags and offset. */
    uint32_t payload_len;       /* Behind the L4 header. */
    uint32_t padding;           /* Behind the IP packet. */
    enum env_csum csum;
    uint8_t gso;                /* enum pkt_gso */
    uint16_t gso_size;
};

/* And its bytes. */
struct env_bytes {
    uint8_t b[ENV_MAX_FRAME];
    uint32_t len;               /* With padding. */
    uint32_t l3, l4, payload, end;
    uint32_t unfrag_len;        /* IPv6: header, hop-by-hop, routing. */
    uint32_t unfrag_next;       /* Offset of the byte that names the next. */
    uint32_t csum_ofs;          /* Of the L4 checksum field, 0: none. */
};

/* One encapsulation. */
struct env_tnl {
    bool is_gre, is_ip6;
    bool csum, key, seq, df;
    bool quiet;                 /* No ICMP. */
    uint16_t path_mtu;
};

extern struct pmd env_pmd;
extern struct vport env_vport;
extern struct vport_pmd env_vport_pmd;

/* What was sent, in order. */
#define ENV_MAX_SENT 4096
extern struct rte_mbuf *env_sent[ENV_MAX_SENT];
extern unsigned int env_n_sent;

/* Begins a test: an empty port with these capabilities. */
void env_reset(uint32_t caps, uint16_t mtu);

/* Fetches what pmd_tx() still keeps into env_sent. */
void env_collect(void);

/* Frees env_sent and what was put into the PMD's recirc. */
void env_free_sent(void);

/* How many packets were dropped under any reason. */
uint64_t env_n_drops(void);

void env_build(const struct env_frame *, struct env_bytes *);

/* A parsed packet, and one more encapsulation before it. */
struct rte_mbuf *env_packet(const struct env_frame *, const struct env_bytes *,
                            enum dpdk_env_shape);
struct rte_mbuf *env_encap(struct rte_mbuf *, const struct env_tnl *,
                           uint32_t tnl_port);

/* Copies a sent packet's bytes, with a checksum that was left to the port
 * filled in.  False when the chain is broken or the need makes no sense. */
bool env_bytes_of(const struct rte_mbuf *, uint8_t *to, uint32_t *len);

/* The i-th packet that a wire sees of a sent one: that itself, or what a
 * cutter makes of a train.  False when there is none, or '*error' is set. */
bool env_piece(const struct rte_mbuf *, unsigned int i, uint8_t *to,
               uint32_t *len, const char **error);

/* Checks the encapsulation at 'p' of 'len' bytes, which must be as 'tnl' says
 * in every field.  Returns the length of what goes before the inner frame, or
 * 0 when something is wrong ('*error' says what). */
uint32_t env_strip(const struct env_tnl *, const uint8_t *p, uint32_t len,
                   const char **error);

/* The length of the outer headers, without Ethernet's. */
uint32_t env_tnl_len(const struct env_tnl *);

/* Big endian numbers in bytes. */
uint16_t env_get16(const uint8_t *);
uint32_t env_get32(const uint8_t *);
void env_put16(uint8_t *, uint32_t);
void env_put32(uint8_t *, uint32_t);

/* The checksum's value, not complemented, over 'len' bytes on top of 'sum'. */
uint32_t env_sum(uint32_t sum, const uint8_t *, uint32_t len);

/* Of the pseudo header of the IP packet at 'l3'. */
uint32_t env_pseudo_sum(const uint8_t *l3, uint8_t proto, uint32_t l4_len);

#endif /* tests/unit/datapath/egress_env.h */
