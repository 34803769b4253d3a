/* SPDX-License-Identifier: Apache-2.0 */

/* xlate_private.h - one translation in progress; shared by xlate*.c only. */

#ifndef QANAT_XLATE_PRIVATE_H
#define QANAT_XLATE_PRIVATE_H 1

#include "datapath/drop.h"
#include "lib/base/str.h"
#include "vswitchd/pipeline.h"
#include "vswitchd/xlate.h"

#define XLATE_MAX_DEPTH 16      /* Patch ports and tunnels in a row. */
#define XLATE_MAX_ENTRIES 4096  /* Bridges entered for one packet, over and
                                 * over: as many as Open vSwitch allows. */

struct xlate {
    const struct pipeline *pl;
    struct dp_upcall *out;
    struct flow_key key;        /* The packet as it is at this point. */
    struct flow_mask *mask;     /* What is looked at of it; a scrap one behind
                                 * a tunnel push, where all is our own. */
    struct str *trace;          /* NULL unless each step is to be told. */
    bool learn;
    unsigned int depth;
    unsigned int n_entries;
    unsigned int n_encaps;
    const struct pl_port *tunnels[TNL_MAX_ENCAPS];  /* Pushed so far. */
    unsigned int n_outputs;
    enum drop_reason reason;    /* Why nothing came of it. */
};

/* Tells a step of a trace. */
#define xlate_say(X, ...)                                                     \
    do {                                                                      \
        if (UNLIKELY((X)->trace)) {                                           \
            xlate_say__(X, __VA_ARGS__);                                      \
        }                                                                     \
    } while (0)
void xlate_say__(struct xlate *, const char *format, ...)
    PRINTF_FORMAT(2, 3);

/* Notes why a packet goes nowhere; the last reason counts when nothing is
 * output at all. */
void xlate_refuse(struct xlate *, enum drop_reason);

/* Notes what the translation depends on. */
void xlate_depend(struct xlate *, const struct dp_dep *);

/* Sends the packet, with the outermost VLAN tag made to be 'tci' (0: none),
 * out of 'port', whatever that means for its kind.  Leaves the packet as it
 * was. */
void xlate_output(struct xlate *, const struct pl_port *port, uint16_t tci);

/* The action NORMAL, for a packet that came in on 'in'. */
void xlate_normal(struct xlate *, const struct pl_port *in);

#endif /* xlate_private.h */
