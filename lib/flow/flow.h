/* SPDX-License-Identifier: Apache-2.0 */

/* flow.h - the flow key: what of a packet can decide its way.
 *
 * A key is a fixed struct that is also an array of 64-bit words, so that the
 * flow table can hash, mask and compare it without knowing its fields.  A
 * mask has the same layout: a set bit means "this bit was looked at".
 *
 * Invariants of a key made by parse_packet():
 *   - every byte that does not apply to the packet is zero;
 *   - 'parts' says which of the word groups below can be non-zero, so that
 *     the common packet (IPv4, no tunnel) is compared in its first six words.
 *
 * Any thread.  No allocation. */

#ifndef QANAT_FLOW_H
#define QANAT_FLOW_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/util.h"

struct str;

/* Port numbers of the datapath.  0 is never a port. */
#define PORT_NONE 0u

/* 'parts' of a key: which groups of words hold anything. */
enum flow_part {
    FLOW_PART_IPV6 = 1 << 0,    /* ipv6_src .. ipv6_label. */
    FLOW_PART_ND = 1 << 1,      /* nd_target, arp_sha, arp_tha. */
    FLOW_PART_TUN = 1 << 2,     /* tun_id .. tun_flags. */
};

/* 'nw_frag'. */
enum {
    FLOW_FRAG_ANY = 1 << 0,     /* Is a fragment. */
    FLOW_FRAG_LATER = 1 << 1,   /* Is a fragment with offset other than 0. */
};

/* A present VLAN tag has this bit in its TCI (the place of CFI/DEI on the
 * wire), so that "tag 0, priority 0" differs from "no tag", as in Open
 * vSwitch. */
#define VLAN_TCI_PRESENT 0x1000u
#define VLAN_TCI_VID 0x0fffu
#define VLAN_TCI_PCP 0xe000u
#define FLOW_MAX_VLANS 2

/* dl_type of an 802.3 frame (a length where the type would be). */
#define FLOW_DL_TYPE_NONE 0x05ffu

/* 'tun_flags': what the outer headers said. */
enum {
    FLOW_TUN_KEY = 1 << 0,      /* A key or VNI was present. */
    FLOW_TUN_CSUM = 1 << 1,     /* An outer checksum was there (and right). */
    FLOW_TUN_DF = 1 << 2,       /* The outer IPv4 header had DF set. */
    FLOW_TUN_OAM = 1 << 3,
    FLOW_TUN_ALL = FLOW_TUN_KEY | FLOW_TUN_CSUM | FLOW_TUN_DF | FLOW_TUN_OAM,
};

#define FLOW_N_WORDS 21         /* Of a whole key. */
#define FLOW_N_WORDS_BASE 6     /* Of a key whose 'parts' is 0. */

struct flow_key {
    /* Word 0. */
    uint32_t in_port;           /* Datapath port number, host order. */
    be16 dl_type;               /* Ethertype behind all VLAN tags. */
    uint8_t parts;              /* FLOW_PART_*.  Never masked, never shown. */
    uint8_t pad0;

    /* Words 1, 2. */
    uint8_t dl_dst[6];
    be16 vlan_tci0;             /* Outermost tag; VLAN_TCI_PRESENT or 0. */
    uint8_t dl_src[6];
    be16 vlan_tci1;             /* Second tag. */

    /* Word 3. */
    be16 vlan_tpid0;            /* 0x8100, 0x88a8, 0x9100; 0 without a tag. */
    be16 vlan_tpid1;
    uint8_t nw_proto;           /* IP protocol, IPPROTO_FRAGMENT in a later
                                 * IPv6 fragment; for ARP the opcode, 0 when
                                 * that is above 255. */
    uint8_t nw_tos;             /* DSCP and ECN. */
    uint8_t nw_ttl;
    uint8_t nw_frag;            /* FLOW_FRAG_*. */

    /* Word 4. */
    be16 tp_src;                /* TCP, UDP, SCTP port; ICMP type. */
    be16 tp_dst;                /* TCP, UDP, SCTP port; ICMP code. */
    be16 tcp_flags;             /* 12 bits. */
    uint16_t pad1;

    /* Word 5. */
    be32 nw_src;                /* IPv4; for ARP the sender's address. */
    be32 nw_dst;                /* IPv4; for ARP the target's address. */

    /* Words 6 to 10: FLOW_PART_IPV6. */
    struct in6_addr ipv6_src;
    struct in6_addr ipv6_dst;
    be32 ipv6_label;            /* 20 bits. */
    uint32_t pad2;

    /* Words 11 to 14: FLOW_PART_ND. */
    struct in6_addr nd_target;
    uint8_t arp_sha[6];         /* ARP sender / ND source link layer. */
    uint16_t pad3;
    uint8_t arp_tha[6];         /* ARP target / ND target link layer. */
    uint16_t pad4;

    /* Words 15 to 20: FLOW_PART_TUN, of the outermost popped tunnel. */
    be64 tun_id;                /* Key or VNI, in the low bits. */
    struct in6_addr tun_src;    /* Remote; IPv4 as ::ffff:a.b.c.d. */
    struct in6_addr tun_dst;    /* Local. */
    uint8_t tun_tos;
    uint8_t tun_ttl;
    uint16_t tun_flags;         /* FLOW_TUN_*. */
    uint32_t recirc_id;         /* 0 until recirculation exists. */
};

_Static_assert(sizeof(struct flow_key) == FLOW_N_WORDS * 8,
               "the key is an array of words");
_Static_assert(offsetof(struct flow_key, ipv6_src) == FLOW_N_WORDS_BASE * 8,
               "the base words come first");

/* A mask: the same layout; 'parts' is all ones in every mask. */
struct flow_mask {
    struct flow_key bits;
};

/* The words of a key or of a mask. */
static inline const uint64_t *
flow_key_words(const struct flow_key *key)
{
    return (const uint64_t *) (const void *) key;
}

/* How many leading words of 'key' can be non-zero. */
static inline unsigned int
flow_key_n_words(const struct flow_key *key)
{
    return !key->parts ? FLOW_N_WORDS_BASE : FLOW_N_WORDS;
}

/* Sets every bit of FIELD, a member of struct flow_key, in MASK. */
#define FLOW_MASK_EXACT(MASK, FIELD) \
    memset(&(MASK)->bits.FIELD, 0xff, sizeof (MASK)->bits.FIELD)

/* An empty mask but for 'parts' (and recirc_id, which is always exact). */
void flow_mask_init(struct flow_mask *);

/* A mask that looks at every field that applies to a packet with 'key'. */
void flow_mask_init_exact(struct flow_mask *, const struct flow_key *key);

/* ORs 'src' into 'dst'. */
void flow_mask_merge(struct flow_mask *dst, const struct flow_mask *src);

/* dst = key & mask, over all words. */
void flow_key_apply_mask(struct flow_key *dst, const struct flow_key *key,
                         const struct flow_mask *mask);

/* Removes from 'mask' what cannot differ between packets that agree on the
 * rest of it (for example ports when the protocol has none), but never makes
 * a mask match a packet that the full one would not have let decide alike.
 * In particular a mask that looks at a field which exists only for a given
 * dl_type, nw_proto or nw_frag also looks at those.  Call it on each mask
 * that a translation made.
 *
 * Afterwards in_port, dl_type, the TPIDs and nw_frag are looked at as a whole
 * or not at all; and whoever looks at dl_type or at a VLAN field looks at
 * dl_type and at the number of tags (VLAN_TCI_PRESENT of each tag that is
 * there, and of the next one).  That is what the text form can say.
 * Idempotent. */
void flow_mask_normalize(struct flow_mask *, const struct flow_key *key);

/* Whether tp_src and tp_dst mean something: TCP, UDP, SCTP, ICMP or ICMPv6,
 * and not a later fragment. */
bool flow_key_has_ports(const struct flow_key *);

/* Whether it is a neighbour solicitation or advertisement: nd_target, arp_sha
 * and arp_tha mean something. */
bool flow_key_is_nd(const struct flow_key *);

/* Maps between IPv4 and IPv4-mapped IPv6 addresses (RFC 4291, 2.5.5.2). */
struct in6_addr flow_addr_from_ip4(be32 ip4);
bool flow_addr_is_ip4(const struct in6_addr *);
be32 flow_addr_to_ip4(const struct in6_addr *);

/* The text form of ovs-dpctl dump-flows / ovs-appctl dpctl/dump-flows, for
 * example
 *   recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=..,dst=..),
 *   eth_type(0x0800),ipv4(dst=10.0.0.0/255.0.0.0,proto=6,frag=no),tcp(dst=80)
 * (on one line).  Fields that 'mask', a normalized one, does not look at are
 * left out; NULL means all that apply.  eth_type() without vlan() before it
 * says that there is no tag, or no more.  'port_name' turns a datapath port
 * number into a name; when it is NULL, or returns NULL, the number is
 * printed. */
typedef const char *flow_port_name_fn(uint32_t port, void *aux);
void flow_format(struct str *, const struct flow_key *,
                 const struct flow_mask *, flow_port_name_fn *port_name,
                 void *aux);

/* Reads the same form.  'port_no' turns a name into a number (PORT_NONE: no
 * such port) and may be NULL.  '*key' gets the values as written, also where
 * the mask has no bits; its 'parts' are what the fields say, so that
 * FLOW_PART_ND of ICMPv6 needs type and code.
 *
 * Returns NULL, or an error sentence that the caller frees and that names the
 * offending part; then '*key' and '*mask' are unspecified. */
typedef uint32_t flow_port_no_fn(const char *name, void *aux);
char *flow_parse(const char *text, flow_port_no_fn *port_no, void *aux,
                 struct flow_key *, struct flow_mask *);

#endif /* flow.h */
