/* SPDX-License-Identifier: Apache-2.0 */

/* packet_sock.h - makes the packet sockets that a system port consists of.
 *
 * MAIN only. */

#ifndef QANAT_PACKET_SOCK_H
#define QANAT_PACKET_SOCK_H 1

#include <stdbool.h>
#include <stdint.h>

/* Opens 'n' sockets on the Ethernet device 'ifindex', called 'name', which
 * share what comes in by the flow's hash, and makes the device promiscuous as
 * long as the first is open.  They are nonblocking, carry virtio-net headers
 * and PACKET_AUXDATA, and do not see what leaves the device.
 *
 * NULL and the descriptors in 'fds', or an error sentence that the caller
 * frees, with nothing left open. */
char *packet_sock_open(const char *name, int ifindex, uint16_t n, int *fds);

/* Whether this kernel's packet sockets know UDP segmentation (GSO_UDP_L4), as
 * far as one can tell without sending. */
bool packet_sock_takes_uso(void);

#endif /* packet_sock.h */
