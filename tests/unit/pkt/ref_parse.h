/* SPDX-License-Identifier: Apache-2.0 */

/* ref_parse.h - a second parser, slow and naive, to hold the first against.
 *
 * Written from the RFCs and the contract in parse.h alone: byte by byte, with
 * each bound checked where the byte is read. */

#ifndef TESTS_UNIT_PKT_REF_PARSE_H
#define TESTS_UNIT_PKT_REF_PARSE_H 1

#include "lib/flow/flow.h"
#include "lib/pkt/parse.h"

enum parse_status ref_parse(const uint8_t *data, size_t head_len,
                            size_t frame_len, struct flow_key *,
                            struct pkt_ofs *);

#endif /* tests/unit/pkt/ref_parse.h */
