/* SPDX-License-Identifier: Apache-2.0 */

/* hostip_sock.h - the sockets of the host underlay, ready for use.
 *
 * MAIN.  Each returns a descriptor, or -1 and errno. */

#ifndef QANAT_HOSTIP_SOCK_H
#define QANAT_HOSTIP_SOCK_H 1

#include <stdbool.h>
#include <stdint.h>

/* Receives UDP datagrams to 'port' at all our addresses of 'family', trains of
 * them whole (UDP_GRO, Linux 5.0), each with its TOS, TTL and addresses. */
int hostip_sock_udp_rx(int family, uint16_t port);

/* Sends UDP datagrams from a source port of its own; with DF or, when 'df' is
 * false, as the kernel likes; with a checksum, or 0 in its place. */
int hostip_sock_udp_tx(int family, bool df, bool csum);

/* Whether a UDP socket cuts what it is given (UDP_SEGMENT, Linux 4.18). */
bool hostip_sock_takes_trains(int fd);

/* Sends and receives IP packets of 'proto', with IPv4 headers both ways and
 * IPv6 headers on the way out. */
int hostip_sock_raw(int family, int proto);

/* PMD.  Takes from a socket what ICMP told it, which stands in its way and has
 * served its purpose: the kernel knows the path MTU now. */
void hostip_sock_forget_errors(int fd);

#endif /* hostip_sock.h */
