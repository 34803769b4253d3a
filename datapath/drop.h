/* SPDX-License-Identifier: Apache-2.0 */

/* drop.h - named drops.  A packet leaves exactly once: by tx, or here. */

#ifndef QANAT_DROP_H
#define QANAT_DROP_H 1

#include "lib/pkt/parse.h"
#include "lib/pkt/virtq.h"
#include "lib/pkt/vnet.h"
#include "lib/tnl/tnl.h"

enum drop_reason {
    DROP_NONE,
#define DROP(NAME, SENTENCE) DROP_##NAME,
#include "datapath/drop.def"
#undef DROP
    N_DROP_REASONS
};

/* "tnl_no_port" and its sentence.  Any thread. */
const char *drop_reason_name(uint32_t reason);
const char *drop_reason_sentence(uint32_t reason);

/* A library status as a drop reason. */
static inline enum drop_reason
drop_from_parse(enum parse_status s)
{
    return (enum drop_reason) (DROP_PARSE_ETH_SHORT + (s - PARSE_ETH_SHORT));
}

static inline enum drop_reason
drop_from_vnet(enum vnet_status s)
{
    return (enum drop_reason) (DROP_VNET_SHORT + (s - VNET_SHORT));
}

static inline enum drop_reason
drop_from_virtq(enum virtq_status s)
{
    return (enum drop_reason) (DROP_VIRTQ_INDEX + (s - VIRTQ_INDEX));
}

static inline enum drop_reason
drop_from_tnl(enum tnl_status s)
{
    return (enum drop_reason) (DROP_TNL_SHORT + (s - TNL_SHORT));
}

#endif /* drop.h */
