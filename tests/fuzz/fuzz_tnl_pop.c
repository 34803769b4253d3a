/* SPDX-License-Identifier: Apache-2.0 */

/* fuzz_tnl_pop.c - libFuzzer: a frame from a hostile underlay is parsed and
 * popped as long as it is a tunnel packet, then put into a tunnel again.
 *
 * The first byte of the input says how many bytes at the end are not in the
 * first buffer of the chain.  Offsets must stay within the packet, and what is
 * encapsulated must pop to the same bytes. */

#include <arpa/inet.h>
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/pkt/csum.h"
#include "lib/pkt/parse.h"
#include "lib/tnl/tnl.h"
#include "lib/tnl/tnl_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_FRAME 4096
#define MAX_DEPTH 16

#define REQUIRE(CONDITION)                                                    \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

/* One port that takes any key from anybody, for each type. */
static struct tnl_map *
make_map(void)
{
    struct tnl_map_entry entries[8];
    size_t n = 0;

    memset(entries, 0, sizeof entries);
    for (tnl_type type = 0; type < tnl_n_types() && n < 8; type++, n++) {
        entries[n].cfg.type = type;
        entries[n].cfg.remote_flow = true;
        entries[n].cfg.in_key_flow = true;
        entries[n].cfg.dst_port = tnl_ops_get(type)->default_port;
        entries[n].port = type + 1u;
    }
    return tnl_map_create(entries, n);
}

/* Pops until there is no tunnel packet any more; returns where it begins. */
static size_t
pop_all(const struct tnl_map *map, const uint8_t *frame, size_t head_len,
        size_t len)
{
    size_t start = 0;

    for (unsigned int depth = 0; depth < MAX_DEPTH; depth++) {
        struct flow_key key;
        struct pkt_ofs ofs;
        struct tnl_md md;
        size_t inner_ofs;
        bool verify;
        tnl_type type;

        if (parse_packet(frame + start, head_len - start, len - start, &key,
                         &ofs) != PARSE_OK) {
            break;
        }
        type = tnl_map_claims(map, key.nw_proto, ntohs(key.tp_dst));
        if (type == TNL_TYPE_NONE
            || tnl_pop(type, &key, &ofs, frame + start, head_len - start,
                       len - start, &md, &inner_ofs, &verify) != TNL_OK) {
            break;
        }
        REQUIRE(inner_ofs <= head_len - start);
        REQUIRE(inner_ofs <= ofs.l3_end && ofs.l3_end <= len - start);
        REQUIRE(!(be64toh(md.id) >> tnl_ops_get(type)->key_bits));
        REQUIRE(tnl_map_find(map, &md) == type + 1u);

        struct str s = STR_INIT;
        tnl_ops_get(type)->format(&s, frame + start + ofs.l4,
                                  inner_ofs - ofs.l4);
        REQUIRE(s.len > 0);
        str_fini(&s);

        len = start + ofs.l3_end;
        head_len = MIN(head_len, len);
        start += inner_ofs;
    }
    return start;
}

/* Puts a frame that can be parsed into each type of tunnel and takes it out
 * again. */
static void
push_and_pop(const struct tnl_map *map, const uint8_t *frame, size_t len)
{
    static uint8_t packet[MAX_FRAME + TNL_MAX_HDR];
    struct flow_key inner, outer;
    struct pkt_ofs ofs;

    if (parse_packet(frame, len, len, &inner, &ofs) != PARSE_OK) {
        return;
    }
    for (unsigned int i = 0; i < 4 * tnl_n_types(); i++) {
        struct tnl_cfg cfg;
        struct tnl_hop hop;
        struct tnl_push push;
        struct tnl_md md;
        size_t inner_ofs;
        bool verify;

        memset(&cfg, 0, sizeof cfg);
        cfg.type = (tnl_type) (i / 4);
        cfg.csum = i & 1;
        cfg.seq = cfg.out_key_flow = cfg.tos_inherit = i & 2;
        cfg.ttl = 64;
        cfg.dst_port = tnl_ops_get(cfg.type)->default_port;
        memset(&hop, 0x22, sizeof hop);
        if (i & 2) {
            hop.src = hop.dst = flow_addr_from_ip4(0x01020304);
        }
        tnl_build(&cfg, &hop, htobe64(7), 1, &push);
        tnl_apply(&push, packet, &inner, (uint32_t) len * 2654435761u);
        memcpy(packet + push.hdr_len, frame, len);
        tnl_finish(tnl_ops_get(cfg.type), packet + push.l3_ofs,
                   packet + push.l4_ofs, push.hdr_len - push.l3_ofs,
                   (uint32_t) (push.hdr_len - push.l3_ofs + len),
                   push.csum ? TNL_CSUM_FULL : TNL_CSUM_NONE,
                   push.csum ? csum_add(0, frame, len) : 0, push.seq, 9);
        REQUIRE(parse_packet(packet, push.hdr_len + len, push.hdr_len + len,
                             &outer, &ofs) == PARSE_OK);
        REQUIRE(tnl_map_claims(map, outer.nw_proto, ntohs(outer.tp_dst))
                == cfg.type);
        REQUIRE(tnl_pop(cfg.type, &outer, &ofs, packet, push.hdr_len + len,
                        push.hdr_len + len, &md, &inner_ofs, &verify)
                == TNL_OK);
        REQUIRE(inner_ofs == push.hdr_len && verify == push.csum);
        REQUIRE(ofs.l3_end == push.hdr_len + len);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tnl_map *map;
    size_t head_len, start;
    uint8_t *head;

    if (!map) {
        map = make_map();
    }
    if (!size || size > MAX_FRAME) {
        return 0;
    }
    head_len = size - 1 - MIN(size - 1, (size_t) data[0]);
    data++;
    size--;

    /* Of its exact size, so that a read beyond it is seen. */
    head = malloc(head_len ? head_len : 1);
    memcpy(head, data, head_len);
    start = pop_all(map, head, head_len, size);
    free(head);
    push_and_pop(map, data + start, size - start);
    return 0;
}
