/* SPDX-License-Identifier: Apache-2.0 */

/* fuzz_vnet.c - libFuzzer: a virtio-net header and a frame, as a guest gives
 * them.
 *
 * Input: the header (10 bytes), then what was offered (2 bytes), then the
 * frame.  What vnet_check() believes must lie within the packet, must leave
 * the packet's key as it was parsed whatever is written into the checksum's
 * field, and must survive the way through vnet_fill(). */

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"
#include "lib/pkt/vnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(CONDITION)                                                    \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

static void
check_need(uint8_t *frame, size_t len, const struct flow_key *key,
           const struct pkt_ofs *ofs, const struct pkt_need *need)
{
    uint32_t field = (uint32_t) need->csum_start + need->csum_offset;
    struct flow_key key2;
    struct pkt_ofs ofs2;

    if (!need->csum) {
        REQUIRE(need->gso == PKT_GSO_NONE);
        return;
    }
    REQUIRE(field + 2 <= len && field + 2 <= ofs->l3_end);
    if (need->gso != PKT_GSO_NONE) {
        uint32_t payload = ofs->l3_end - (need->gso == PKT_GSO_UFO
                                          ? ofs->l4 : ofs->payload);

        REQUIRE(need->csum_start == ofs->l4);
        REQUIRE(need->gso_size && need->gso_size < payload);
        REQUIRE(payload <= (uint64_t) need->gso_size * PKT_MAX_SEGS);
        REQUIRE(!key->nw_frag);
    }

    frame[field] ^= 0x5a;
    frame[field + 1] ^= 0xa5;
    REQUIRE(parse_packet(frame, len, len, &key2, &ofs2) == PARSE_OK);
    REQUIRE(!memcmp(key, &key2, sizeof key2));
    REQUIRE(!memcmp(ofs, &ofs2, sizeof ofs2));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct virtio_net_hdr hdr;
    struct pkt_need need, need2;
    struct flow_key key;
    struct pkt_ofs ofs;
    uint16_t offered;
    uint8_t *frame;

    if (size < sizeof hdr + sizeof offered) {
        return 0;
    }
    memcpy(&hdr, data, sizeof hdr);
    memcpy(&offered, data + sizeof hdr, sizeof offered);
    data += sizeof hdr + sizeof offered;
    size -= sizeof hdr + sizeof offered;

    frame = malloc(size ? size : 1);
    memcpy(frame, data, size);
    if (parse_packet(frame, size, size, &key, &ofs) == PARSE_OK
        && vnet_check(&hdr, frame, size, size, &key, &ofs, offered, &need)
           == VNET_OK) {
        REQUIRE(need.gso == PKT_GSO_NONE || offered & 1u << need.gso);
        REQUIRE(!need.csum || offered & VNET_OFFER_CSUM);

        vnet_fill(&hdr, &need, 64);
        REQUIRE(vnet_check(&hdr, frame, size, size, &key, &ofs, offered,
                           &need2) == VNET_OK);
        REQUIRE(!memcmp(&need, &need2, sizeof need));
        check_need(frame, size, &key, &ofs, &need);
    }
    free(frame);
    return 0;
}
