/* SPDX-License-Identifier: Apache-2.0 */

/* fuzz_parse.c - libFuzzer: any bytes as a frame, parsed by parse_packet() and
 * by the naive parser of the unit tests, which must agree.
 *
 * The first byte of the input says how many bytes at the end are not in the
 * first buffer of the chain. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"
#include "tests/unit/pkt/ref_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(CONDITION)                                                    \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum parse_status status, ref_status;
    struct flow_key key, ref_key, masked;
    struct pkt_ofs ofs, ref_ofs;
    struct flow_mask mask;
    size_t frame_len, head_len;
    uint8_t *head;

    if (!size) {
        return 0;
    }
    frame_len = size - 1;
    head_len = frame_len - (data[0] < frame_len ? data[0] : 0);

    /* A block of its own, so that a read behind the head is seen. */
    head = malloc(head_len ? head_len : 1);
    memcpy(head, data + 1, head_len);
    memset(&key, 0xa5, sizeof key);
    memset(&ofs, 0xa5, sizeof ofs);
    status = parse_packet(head, head_len, frame_len, &key, &ofs);
    ref_status = ref_parse(head, head_len, frame_len, &ref_key, &ref_ofs);
    free(head);

    REQUIRE(status == ref_status);
    if (!status) {
        REQUIRE(!memcmp(&key, &ref_key, sizeof key));
        REQUIRE(!memcmp(&ofs, &ref_ofs, sizeof ofs));

        /* The exact mask loses nothing. */
        flow_mask_init_exact(&mask, &key);
        flow_key_apply_mask(&masked, &key, &mask);
        REQUIRE(!memcmp(&masked, &key, sizeof key));
    }
    return 0;
}
