/* SPDX-License-Identifier: Apache-2.0 */
/* A naive model of the offload stage: which inner frames must leave for a
 * given frame and room.  Arrays of bytes, every checksum computed anew. */
#ifndef TESTS_UNIT_DATAPATH_REF_OFFLOAD_H
#define TESTS_UNIT_DATAPATH_REF_OFFLOAD_H 1

#include "tests/unit/datapath/egress_env.h"

enum ref_fate {
    REF_SENT,                   /* 'frames', as they are. */
    REF_WHOLE,                  /* The one frame, to be cut by the port. */
    REF_TOO_BIG,                /* ICMP and DROP_TOO_BIG. */
    REF_BAD_SEGMENT,
};

struct ref_frame {
    uint8_t *b;
    uint32_t len;
};

struct ref {
    enum ref_fate fate;
    unsigned int n;
    struct ref_frame frames[ENV_MAX_SENT];
    uint16_t gso_size;          /* REF_WHOLE: what must be asked for. */
    bool cut;                   /* Counted as cut, not as fragments alone. */
    unsigned int n_frags;
};

/* What must become of frame 'f' with bytes 'in'.  'room' is for the L3 packet;
 * 'caps' those of the port, 0 within an encapsulation.  The result stays valid
 * until the next call. */
const struct ref *ref_offload(const struct env_frame *f,
                              const struct env_bytes *in, uint32_t room,
                              uint32_t caps);

#endif /* tests/unit/datapath/ref_offload.h */
