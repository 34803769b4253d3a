/* SPDX-License-Identifier: Apache-2.0 */

/* tnl_gre.c - Ethernet over GRE: RFC 2784, key and sequence number RFC 2890,
 * payload type "transparent Ethernet bridging" (RFC 7637, 3.2).
 *
 *    0                   1                   2                   3
 *   |C|0|K|S| reserved, 0       |ver|        protocol type, 0x6558  |
 *   |  checksum, if C               |  reserved, if C               |
 *   |  key, if K                                                    |
 *   |  sequence number, if S                                        |
 *
 * Pure functions over the header's bytes; any thread. */

#include "lib/tnl/tnl.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/pkt/wire.h"

/* Routing, strict source route, the first bit of recursion control and the
 * version.  A receiver without RFC 1701 must discard packets with any of bits
 * 1 to 5 (C, K and S aside), and versions other than 0; it must ignore bits 6
 * to 12 (RFC 2784, 2.3). */
#define GRE_REFUSED (0x4000 | 0x0800 | 0x0400 | 0x0007)

#define GRE_CSUM_OFS sizeof(struct gre_hdr)

extern const struct tnl_ops tnl_gre_ops;

/* Where the option FLAG begins when the header's flags are 'flags'. */
static size_t
gre_ofs(uint16_t flags, uint16_t flag)
{
    size_t ofs = sizeof(struct gre_hdr);

    if (flag != GRE_CSUM && flags & GRE_CSUM) {
        ofs += 4;
    }
    if (flag == GRE_SEQ && flags & GRE_KEY) {
        ofs += 4;
    }
    return ofs;
}

static size_t
gre_len(uint16_t flags)
{
    return gre_ofs(flags, GRE_SEQ) + (flags & GRE_SEQ ? 4 : 0);
}

static uint16_t
gre_flags(const uint8_t *l4)
{
    return ntohs(((const struct gre_hdr *) l4)->flags);
}

static size_t
gre_build(const struct tnl_cfg *cfg, be64 key, uint8_t *l4,
          struct tnl_push *push)
{
    struct gre_hdr *gre = (struct gre_hdr *) l4;
    uint16_t flags = 0;

    push->seq = cfg->seq;
    if (push->csum) {
        flags |= GRE_CSUM;
    }
    if (push->seq) {
        flags |= GRE_SEQ;
    }
    if (cfg->out_key_present || cfg->out_key_flow) {
        be32 wire_key = htonl((uint32_t) be64toh(key));

        flags |= GRE_KEY;
        memcpy(l4 + gre_ofs(flags, GRE_KEY), &wire_key, sizeof wire_key);
    }
    gre->flags = htons(flags);
    gre->proto = htons(ETH_TYPE_TEB);
    return gre_len(flags);
}

static void
gre_finish(uint8_t *l4, uint32_t l4_len UNUSED, bool has_seq, uint32_t seq)
{
    uint16_t flags = gre_flags(l4);

    if (flags & GRE_CSUM) {
        memset(l4 + GRE_CSUM_OFS, 0, sizeof(be16));
    }
    if (has_seq && flags & GRE_SEQ) {
        be32 wire_seq = htonl(seq);

        memcpy(l4 + gre_ofs(flags, GRE_SEQ), &wire_seq, sizeof wire_seq);
    }
}

static enum tnl_status
gre_pop(const uint8_t *l4, size_t head_len, size_t l4_len UNUSED,
        struct tnl_md *md, size_t *remove_len)
{
    const struct gre_hdr *gre = (const struct gre_hdr *) l4;
    uint16_t flags;

    if (UNLIKELY(head_len < sizeof *gre)) {
        return TNL_SHORT;
    }
    flags = gre_flags(l4);
    if (UNLIKELY(flags & GRE_REFUSED)) {
        return TNL_FLAGS;
    }
    if (UNLIKELY(gre->proto != htons(ETH_TYPE_TEB))) {
        return TNL_PROTO;
    }
    *remove_len = gre_len(flags);
    if (UNLIKELY(*remove_len > head_len)) {
        return TNL_SHORT;
    }

    if (flags & GRE_CSUM) {
        md->flags |= FLOW_TUN_CSUM;
    }
    if (flags & GRE_KEY) {
        be32 key;

        memcpy(&key, l4 + gre_ofs(flags, GRE_KEY), sizeof key);
        md->flags |= FLOW_TUN_KEY;
        md->id = htobe64(ntohl(key));
    }
    return TNL_OK;
}

static void
gre_format(struct str *s, const uint8_t *l4, size_t len)
{
    static const struct {
        uint16_t flag;
        uint8_t size;
        const char *name;
    } options[] = {
        {GRE_CSUM, 2, "csum"},
        {GRE_KEY, 4, "key"},
        {GRE_SEQ, 4, "seq"},
    };
    uint16_t flags;

    if (len < sizeof(struct gre_hdr)) {
        return;
    }
    flags = gre_flags(l4);
    str_printf(s, "gre((flags=0x%x,proto=0x%x)", flags,
               ntohs(((const struct gre_hdr *) l4)->proto));
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        size_t ofs = gre_ofs(flags, options[i].flag);

        if (flags & options[i].flag && ofs + options[i].size <= len) {
            uint32_t value = 0;

            for (size_t j = 0; j < options[i].size; j++) {
                value = value << 8 | l4[ofs + j];
            }
            str_printf(s, ",%s=0x%x", options[i].name, value);
        }
    }
    str_append_char(s, ')');
}

static const struct tnl_option gre_options[] = {
    {"seq", "true to send sequence numbers, or false"},
    {NULL, NULL},
};

const struct tnl_ops tnl_gre_ops = {
    .name = "gre",
    .ip_proto = IPPROTO_GRE,
    .default_port = 0,
    .max_l4_len = sizeof(struct gre_hdr) + 4 + 4 + 4,
    .key_bits = 32,
    .options = gre_options,
    .build = gre_build,
    .finish = gre_finish,
    .pop = gre_pop,
    .csum_ofs = GRE_CSUM_OFS,
    .csum_pseudo = false,
    .format = gre_format,
};
