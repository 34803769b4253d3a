/* SPDX-License-Identifier: Apache-2.0 */

/* dpdk_tx.h - what a packet still needs, in the terms of an ethdev driver. */

#ifndef QANAT_DPDK_TX_H
#define QANAT_DPDK_TX_H 1

#include "datapath/vport.h"

struct rte_eth_dev_info;

/* Fixed while the device runs. */
struct dpdk_tx {
    uint16_t port_id;
    uint16_t max_segs;          /* Longest chain. */
    uint32_t caps;              /* enum vport_cap */
    uint64_t offloads;          /* RTE_ETH_TX_OFFLOAD_* to configure. */
};

/* Chooses what the driver is to do.  MAIN. */
void dpdk_tx_init(struct dpdk_tx *, uint16_t port_id,
                  const struct rte_eth_dev_info *);

/* The class's tx() on a device that is there.  PMD. */
uint16_t dpdk_tx_burst(const struct dpdk_tx *, struct vport *, uint16_t txq,
                       struct pmd *, struct rte_mbuf **pkts, uint16_t n,
                       uint64_t *bytes);

#endif /* dpdk_tx.h */
