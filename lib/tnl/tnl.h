/* SPDX-License-Identifier: Apache-2.0 */

/* tnl.h - what a tunnel type is: one struct of pure functions.
 *
 * A new tunnel type is one file (tnl_NAME.c) and one line in tnl.c's table;
 * nothing else in the switch names a tunnel type.
 *
 * The life of an encapsulation on transmit:
 *   tnl_cfg_parse()    options of the Interface row -> struct tnl_cfg   (MAIN)
 *   tnl_build()        cfg + next hop -> a header template              (PMD,
 *                      once per flow, during translation)
 *   tnl_apply()        template + what is inherited from the packet     (PMD,
 *                      once per packet, when the header is put in front)
 *   tnl_finish()       lengths, sequence, checksums                     (PMD,
 *                      once per packet that goes on a wire: of a
 *                      super-packet once per segment)
 * and on receive
 *   tnl_pop()          outer headers -> struct tnl_md, length to remove
 *   tnl_map_find()     struct tnl_md -> port (tnl_map.h)
 *   tnl_ecn_decap()    RFC 6040
 *
 * Pure C over bytes, any thread, no allocation but where it is said. */

#ifndef QANAT_TNL_H
#define QANAT_TNL_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/util.h"

struct flow_key;
struct smap;
struct str;

/* Outer Ethernet + IPv6 + UDP or GRE with all fields, rounded up. */
#define TNL_MAX_HDR 96

/* At most so many tunnels inside one another are pushed on one packet. */
#define TNL_MAX_ENCAPS 3

/* Index of a type in the table; stable while the program runs. */
typedef uint8_t tnl_type;
#define TNL_TYPE_NONE 0xff

/* The options of one tunnel port, as a value.  Zero bytes where a flag says
 * "not given", so that memcmp() compares two of them. */
struct tnl_cfg {
    tnl_type type;
    bool remote_flow;           /* remote_ip=flow. */
    bool local_flow;            /* local_ip=flow. */
    bool has_local;             /* local_ip given. */
    bool in_key_present;        /* Only packets with 'in_key' (not 0) are
                                 * ours; false: only those without a key or
                                 * with key 0, as Open vSwitch has it. */
    bool in_key_flow;           /* in_key=flow: any key, or none. */
    bool out_key_present;       /* 'out_key' is not 0; false: packets leave
                                 * without a key (VXLAN: VNI 0). */
    bool out_key_flow;          /* A key is always sent, if only 0. */
    bool csum;                  /* Outer UDP or GRE checksum on transmit; UDP
                                 * over IPv6 has one in any case. */
    bool df;                    /* Outer DF; df_default, true unless given. */
    bool tos_inherit;
    bool ttl_inherit;
    bool seq;                   /* GRE sequence numbers on transmit. */
    bool icmp_too_big;          /* Answer what does not fit; default true. */
    uint8_t tos;
    uint8_t ttl;                /* 64 unless given. */
    uint16_t dst_port;          /* Host order; 0 where the type has none. */
    struct in6_addr remote;     /* IPv4 as ::ffff:a.b.c.d. */
    struct in6_addr local;
    be64 in_key;
    be64 out_key;
};

/* What the outer headers of a popped packet said. */
struct tnl_md {
    tnl_type type;
    uint8_t tos;
    uint8_t ttl;
    uint16_t flags;             /* FLOW_TUN_*. */
    uint16_t dst_port;          /* Host order, 0 where the type has none. */
    be64 id;
    struct in6_addr src;        /* The remote end. */
    struct in6_addr dst;        /* Our end. */
};

/* Where a tunnel packet goes first. */
struct tnl_hop {
    uint8_t eth_dst[6];         /* Zero on the host underlay. */
    uint8_t eth_src[6];
    struct in6_addr src;        /* Outer source address, chosen by route. */
    struct in6_addr dst;        /* Outer destination. */
    uint16_t path_mtu;          /* What the route allows, 0: the egress
                                 * vport's MTU alone decides. */
};

/* A header template and what is done to each packet. */
struct tnl_push {
    uint32_t tnl_port;          /* Datapath number of the tunnel's vport. */
    tnl_type type;
    uint8_t hdr_len;            /* Outer Ethernet to inner Ethernet. */
    uint8_t l3_ofs;             /* Of the outer IP header in 'hdr' (14). */
    uint8_t l4_ofs;             /* Of the outer UDP or GRE header. */
    bool csum;                  /* tnl_finish() must be asked for an L4
                                 * checksum, FULL or PARTIAL; else NONE. */
    bool seq;                   /* tnl_finish() writes a sequence number. */
    bool ip_id;                 /* DF is clear on outer IPv4: tnl_finish()
                                 * makes the ID from 'seq'. */
    bool entropy;               /* tnl_apply() writes the UDP source port. */
    bool tos_inherit;
    bool ttl_inherit;
    bool icmp_too_big;
    uint16_t path_mtu;          /* As in tnl_hop. */
    uint8_t hdr[TNL_MAX_HDR];
};

/* Why a packet could not be popped; each is a drop reason. */
#define TNL_ERRORS(X)                                                         \
    X(TNL_SHORT, "packet ends inside the tunnel header")                      \
    X(TNL_FLAGS, "tunnel header with flags or version we do not know")        \
    X(TNL_PROTO, "tunnel payload is not Ethernet")                            \
    X(TNL_CSUM, "outer checksum is wrong")                                    \
    X(TNL_FRAG, "the tunnel packet is itself an IP fragment")                 \
    X(TNL_ECN, "outer CE on an inner packet that is not ECN-capable")

enum tnl_status {
    TNL_OK,
#define X(NAME, SENTENCE) NAME,
    TNL_ERRORS(X)
#undef X
    TNL_N_STATUS
};

/* An option of the Interface row that a type knows. */
struct tnl_option {
    const char *name;
    const char *help;           /* Completes "it must be ...". */
};

struct tnl_ops {
    const char *name;           /* The OVSDB type: "gre". */
    uint8_t ip_proto;           /* IPPROTO_GRE or IPPROTO_UDP. */
    uint16_t default_port;      /* UDP destination, 0 without. */
    uint8_t max_l4_len;         /* Worst case bytes from outer L4 header to the
                                 * inner Ethernet header. */
    uint8_t key_bits;           /* Width of a key: 32, 24. */
    const struct tnl_option *options;   /* Beyond the common ones; ends with
                                         * a NULL name. */

    /* Writes L4 and tunnel header at 'l4' (zeroed, room for max_l4_len) as far
     * as it is the same for each packet; returns its length.  push->csum is
     * already decided; sets push->seq and push->entropy. */
    size_t (*build)(const struct tnl_cfg *, be64 key, uint8_t *l4,
                    struct tnl_push *push);

    /* Completes the header at 'l4' of a packet whose bytes from 'l4' to its
     * end number 'l4_len'.  'seq' is used where the template has one. */
    void (*finish)(uint8_t *l4, uint32_t l4_len, bool has_seq, uint32_t seq);

    /* Reads the tunnel header.  'l4' has 'head_len' readable bytes, the packet
     * 'l4_len' (not less) from there.  Sets id and dst_port of '*md', ORs KEY
     * and CSUM into its flags, and gives the length to remove from 'l4' on,
     * at most 'head_len'. */
    enum tnl_status (*pop)(const uint8_t *l4, size_t head_len, size_t l4_len,
                           struct tnl_md *md, size_t *remove_len);

    /* Where the L4 checksum field is when there is one (offset from l4), and
     * over what: with 'pseudo' the pseudo header is included, and a result of
     * 0 is sent as 0xffff (UDP). */
    uint8_t csum_ofs;
    bool csum_pseudo;

    /* Appends the text of the header at 'l4' as in OVS's tnl_push(...):
     * "udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x7b)".  'len'
     * may be shorter than the header; what is not there is not printed. */
    void (*format)(struct str *, const uint8_t *l4, size_t len);
};

/* The table. */
const struct tnl_ops *tnl_ops_get(tnl_type);
tnl_type tnl_type_from_name(const char *name);  /* TNL_TYPE_NONE if none. */
unsigned int tnl_n_types(void);

/* Reads an Interface row's options.  Returns NULL, or a sentence (caller
 * frees; printable ASCII, at most a few hundred bytes, whatever the row held)
 * that names the option, its value and the remedy; '*cfg' is then unspecified
 * and '*ignored' NULL.  Unknown options are an error too, but for those of OVS
 * that have no effect here (listed in tnl_cfg.c), which are named in
 * '*ignored' as "n_rxq, n_txq_desc" (caller frees; NULL when none).  MAIN.
 *
 * Stricter than OVS, which falls back to a default with a warning in its log:
 * a value that is not understood is an error.  IPsec options and
 * egress_pkt_mark are refused: to ignore them would send in clear, or past the
 * policy, what the operator wanted protected. */
char *tnl_cfg_parse(tnl_type, const struct smap *options, struct tnl_cfg *,
                    char **ignored);

/* The canonical options as text, for logs: "remote_ip=192.0.2.1,key=5". */
void tnl_cfg_format(struct str *, const struct tnl_cfg *);

/* Whether the two are the same to a received packet: equal type, dst_port,
 * remote_ip, local_ip and in_key (OVS refuses the second).  As in OVS,
 * local_ip=flow differs from no local_ip, although both take any. */
bool tnl_cfg_conflicts(const struct tnl_cfg *, const struct tnl_cfg *);

/* Makes a template.  'key' is cfg->out_key, or with out_key_flow the flow's
 * own id; bits above the type's key_bits are ignored.  Addresses of 'hop' are
 * both IPv4 (mapped) or both IPv6.  Every byte of '*push' is written, so that
 * memcmp() compares two templates. */
void tnl_build(const struct tnl_cfg *, const struct tnl_hop *, be64 key,
               uint32_t tnl_port, struct tnl_push *);

/* Worst-case bytes that a tunnel of 'cfg' adds from the outer IP header (which
 * is included, the outer Ethernet header is not) to the inner Ethernet header
 * (not included). */
unsigned int tnl_overhead(const struct tnl_cfg *, bool outer_ip6);

/* Writes the template at 'hdr' (push->hdr_len bytes in front of the inner
 * Ethernet header) and what comes from the inner packet: TOS (RFC 6040 normal
 * mode for the ECN bits, which are always inherited), TTL, source port out of
 * the high bits of 'hash' (in 32768..61000, the range of the kernel's
 * default).  'inner' is the parsed inner packet; one that is not IP passes on
 * neither TOS nor ECN nor TTL. */
void tnl_apply(const struct tnl_push *, uint8_t *hdr,
               const struct flow_key *inner, uint32_t hash);

/* How tnl_finish() is to treat the outer L4 checksum where one is wanted. */
enum tnl_csum {
    TNL_CSUM_NONE,              /* Field stays 0. */
    TNL_CSUM_FULL,              /* From 'payload_sum'. */
    TNL_CSUM_PARTIAL,           /* Pseudo header only: egress will do it. */
};

/* Completes all outer headers from the IP header at 'l3' (its L4 header at
 * 'l4') for a packet that has 'len' bytes from 'l3' to its end: IPv4 total
 * length, ID and header checksum or IPv6 payload length, UDP length, GRE
 * sequence, checksum.  The inner frame begins 'hdr_end_ofs' bytes behind 'l3'.
 * 'payload_sum' (csum.h) is the sum over the inner frame, used with
 * TNL_CSUM_FULL only.  'len' must fit the outer length fields: at most 65535
 * (IPv4), 65575 (IPv6).  May be called again on the same headers, for example
 * for each segment.
 *
 * 'seq' counts the packets of the tunnel port that leave, and is used when
 * push->seq ('has_seq': the GRE sequence number, RFC 2890) and when
 * push->ip_id (its low 16 bits are the IPv4 ID of a packet that may be
 * fragmented; with DF the ID is 0, RFC 6864, 4.1).
 *
 * TNL_CSUM_PARTIAL leaves in the field what CHECKSUM_PARTIAL wants: the pseudo
 * header's sum for UDP, 0 for GRE; the sum then runs from 'l4'. */
void tnl_finish(const struct tnl_ops *, uint8_t *l3, uint8_t *l4,
                uint32_t hdr_end_ofs, uint32_t len, enum tnl_csum,
                uint32_t payload_sum, bool has_seq, uint32_t seq);

/* Reads the outer headers of a packet which 'outer' and 'ofs' describe and
 * that a tnl_pop action has found to be ours.  'data' has 'head_len' readable
 * bytes of 'frame_len'.  Does not verify an outer checksum (the caller can,
 * over a chain: '*verify' says whether there is one; it covers the bytes from
 * ofs->l4 to ofs->l3_end, with the pseudo header if ops->csum_pseudo).
 * '*inner_ofs' is where the inner Ethernet header begins; the inner frame ends
 * where the outer IP packet does (ofs->l3_end), what follows is padding of the
 * outer Ethernet frame and is to be cut off.  The inner frame can be of any
 * length, 0 too: parse_packet() judges it.  On a status other than TNL_OK the
 * results are unspecified. */
struct pkt_ofs;
enum tnl_status tnl_pop(tnl_type, const struct flow_key *outer,
                        const struct pkt_ofs *ofs, const uint8_t *data,
                        size_t head_len, size_t frame_len, struct tnl_md *md,
                        size_t *inner_ofs, bool *verify);

/* RFC 6040, 4.2: what becomes of the inner ECN field.  Returns the new TOS, or
 * -1 when the packet must be dropped. */
int tnl_ecn_decap(uint8_t inner_tos, uint8_t outer_tos);

const char *tnl_status_to_string(enum tnl_status);

#endif /* tnl.h */
