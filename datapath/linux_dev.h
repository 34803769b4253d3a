/* SPDX-License-Identifier: Apache-2.0 */

/* linux_dev.h - what the kernel knows of a network device, and the few things
 * that we set.
 *
 * Serves the vports that stand on a device of the kernel.  MAIN only.  Nothing
 * here reads /sys, whose content depends on who mounted it: each question goes
 * through a socket of the network namespace that is meant.
 *
 * Errors are -errno. */

#ifndef QANAT_LINUX_DEV_H
#define QANAT_LINUX_DEV_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct nl_sock;
struct smap;

struct linux_dev_info {
    char name[IFNAMSIZ];
    int ifindex;
    unsigned int arptype;       /* ARPHRD_* */
    unsigned int flags;         /* IFF_* */
    unsigned int mtu;
    bool has_mac;
    uint8_t mac[6];
    bool carrier;
    uint32_t carrier_changes;
    char kind[32];              /* "veth", "tun", "bridge" ...; "" for a
                                 * physical device. */
    int master;                 /* Ifindex of the bridge, bond ... that it is
                                 * part of, or 0. */
    int link;                   /* Ifindex of a veth's peer, or 0 ... */
    bool link_elsewhere;        /* ... in another namespace. */
    uint64_t rx_dropped, rx_errors, tx_dropped, tx_errors;
};

/* The way to ask in the namespace of this process; the same one each time,
 * never closed.  NULL, with errno set, when the kernel gives none. */
struct nl_sock *linux_dev_here(void);

/* The way to ask in the namespace that 'nsfd' stands for.  NULL with errno.
 * Closed by linux_dev_leave(). */
struct nl_sock *linux_dev_enter(int nsfd);
void linux_dev_leave(struct nl_sock *);

/* Asks for the device 'name', or, when that is NULL, for 'ifindex'.  -ENODEV
 * when there is none. */
int linux_dev_query(struct nl_sock *, const char *name, int ifindex,
                    struct linux_dev_info *);

/* Speed and duplex; 0 and false where the driver does not know. */
void linux_dev_get_speed(struct nl_sock *, const char *name,
                         uint64_t *speed_bps, bool *full_duplex);

/* Adds driver_name, driver_version and firmware_version to 'status', as far as
 * there are any. */
void linux_dev_get_driver(struct nl_sock *, const char *name,
                          struct smap *status);

int linux_dev_set_mtu(struct nl_sock *, const char *name, unsigned int mtu);
int linux_dev_set_mac(struct nl_sock *, const char *name,
                      const uint8_t mac[6]);
int linux_dev_set_tx_queue_len(struct nl_sock *, const char *name, int len);

/* Turns large receive offload off, where it is on: what it has merged cannot
 * be told in a virtio-net header, nor taken apart again.  (GRO can, and
 * stays.) */
void linux_dev_disable_lro(struct nl_sock *, const char *name);

/* NULL if the kernel takes 'name' for a device, else an error sentence that
 * the caller frees. */
char *linux_dev_check_name(const char *name);

/* A device's MTU as the datapath counts: 16 bits (loopback has 65536). */
static inline uint16_t
linux_dev_clamp_mtu(unsigned int mtu)
{
    return (uint16_t) (mtu < UINT16_MAX ? mtu : UINT16_MAX);
}

#endif /* linux_dev.h */
