/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of translation share: a pipeline out of a table of ports,
 * and what becomes of a packet, as text.  No packet, no thread, no device. */
#ifndef TESTS_UNIT_VSWITCHD_XLATE_ENV_H
#define TESTS_UNIT_VSWITCHD_XLATE_ENV_H 1

#include "datapath/dp.h"
#include "datapath/drop.h"
#include "lib/base/str.h"
#include "lib/base/util.h"
#include "vswitchd/mac_table.h"
#include "vswitchd/pipeline.h"
#include "vswitchd/underlay.h"
#include "vswitchd/xlate.h"

/* One port.  Its OpenFlow number is its datapath number. */
struct xenv_port {
    const char *bridge;
    uint32_t no;
    const char *peer;           /* A patch port: its peer's number as text, or
                                 * "" for none. */
    const char *tnl;            /* A tunnel: "vxlan:remote_ip=..,key=..". */
    const struct underlay_state *way;   /* Of a tunnel. */
    const char *addrs;          /* An internal port: "192.0.2.1 2001:db8::1";
                                 * its MAC is 02:aa:00:00:00:NO. */
    enum vlan_mode mode;
    uint16_t tag;
    const char *trunks;         /* "10 20"; NULL: all. */
};

/* Publishes a pipeline of these ports (access ports without a tag become
 * trunks, as the database has it).  MAC tables are made with the first
 * mention of a bridge and live until xenv_end(). */
void xenv_publish(const struct xenv_port *, size_t n, uint32_t hostip_port);
void xenv_end(void);

/* Of the published pipeline, to be changed before a translation. */
struct pl_bridge *xenv_bridge(const char *name);
struct underlay *xenv_underlay(uint32_t port);

/* Changes a tunnel's way as MAIN does. */
void xenv_set_way(uint32_t port, const struct underlay_state *);

/* A key of an IPv4 UDP packet from 02:00:00:00:00:SRC to DST (0xff:
 * broadcast), with the tags 'tci0' and 'tci1' (VLAN_TCI_PRESENT is added to
 * one that is not 0). */
struct flow_key xenv_key(uint32_t in_port, uint8_t src, uint8_t dst,
                         uint16_t tci0, uint16_t tci1);

/* What translation makes of it.  'learn' false is a trace. */
struct xenv_answer {
    struct dp_upcall up;
    struct str actions;         /* As action_format() writes it. */
    struct str outputs;         /* See below. */
    struct str trace;
};
void xenv_translate(const struct flow_key *, bool learn,
                    struct xenv_answer *);
void xenv_answer_fini(struct xenv_answer *);

/* The same for those who want to know one thing.  'outputs' are the ports that
 * get a copy and with which tags, sorted by port: "1 3:000a 5:88a8.000a:0007".
 * A tag is its TCI, with the TPID in front where that is not 0x8100; what is
 * done behind a tunnel's push has "TNL>" in front, and a pop is "pop".  The
 * strings live until the next call. */
const char *xenv_outputs(const struct flow_key *);
const char *xenv_actions(const struct flow_key *);

#endif /* tests/unit/vswitchd/xlate_env.h */
