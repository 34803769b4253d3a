/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the packet's way share: a PMD without a thread, ports
 * that record what is sent to them, and a slow path that answers what the test
 * says.  Frames go in and come out as bytes. */
#ifndef TESTS_UNIT_DATAPATH_PMD_ENV_H
#define TESTS_UNIT_DATAPATH_PMD_ENV_H 1

#include "datapath/dp_private.h"
#include "datapath/pmd.h"
#include "tests/unit/datapath/egress_env.h"

extern struct pmd pmd_env;

/* What was sent, in order. */
#define PMD_ENV_MAX_SENT 8192
struct pmd_env_sent {
    uint32_t port;
    struct rte_mbuf *m;
};
extern struct pmd_env_sent pmd_env_sent[PMD_ENV_MAX_SENT];
extern unsigned int pmd_env_n_sent;

/* Begins and ends a test; the end fails it when a packet is lost. */
void pmd_env_begin(void);
void pmd_env_end(void);

/* A port that records, and one of a tunnel ("vxlan", "gre"), under a number
 * of the test's choice. */
struct vport *pmd_env_add_port(uint32_t no, uint32_t caps, uint16_t mtu);
struct vport *pmd_env_add_tunnel(uint32_t no, const char *type);

/* What the slow path answers from now on: for packets that come in on
 * 'in_port', actions as text, or none (PORT_NONE stands for all others).  The
 * mask is exact, or 'pmd_env_mask' where that is set. */
void pmd_env_answer(uint32_t in_port, const char *actions);
extern const struct flow_mask *pmd_env_mask;
extern unsigned int pmd_env_n_upcalls;

/* Where text will not do: fills the action list itself. */
typedef void pmd_env_answer_fn(const struct flow_key *, struct dp_upcall *);
void pmd_env_answer_by(uint32_t in_port, pmd_env_answer_fn *);

/* Cells that every answer depends on from now on. */
extern struct dp_cell *pmd_env_cell;

/* Puts a frame into the burst that pmd_env_run() then processes and
 * flushes. */
struct rte_mbuf *pmd_env_rx(uint32_t in_port, const void *frame, uint32_t len);
void pmd_env_run(void);

/* Frees what was sent. */
void pmd_env_forget(void);

/* Bytes of the i-th packet sent: its length, or 0 when it went elsewhere than
 * to 'port', or its chain is broken. */
uint32_t pmd_env_bytes(unsigned int i, uint32_t port, uint8_t *to,
                       uint32_t size);

/* Drops since pmd_env_begin(): under a reason at all ports, and all. */
uint64_t pmd_env_n_drops(enum drop_reason);
uint64_t pmd_env_n_all_drops(void);

#endif /* tests/unit/datapath/pmd_env.h */
