#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams from g1 to g2 that do not fit the way, of all origins.

Usage: offload_udp.py COMMAND ARGUMENT...

  big ADDRESS        datagrams of up to 65507 bytes, DF clear: from UDP sockets
                     (corked, too), raw sockets with and without their own
                     headers, and as UFO and USO frames with a virtio-net
                     header; each arrives as it was, the receiver's kernel and
                     a look at the fragments agree, and counters keep moving
  fragments MTU      IP fragments that fit pass as they are, byte by byte
  uso ADDRESS        UDP_SEGMENT: each datagram arrives alone and in order
  pmtu ADDRESS MTU   DF set: the sender's kernel learns MTU, and then no packet
                     is lost; IPv4 and IPv6
  silent ADDRESS     the same where no answer is allowed: a named drop each
  rate ADDRESS       answers are limited, drops are not
"""

import contextlib
import errno
import socket
import struct
import sys

import offload_net as net

PORT = 4000
UDP_CORK, UDP_SEGMENT = 1, 103
IP_MTU_DISCOVER, IP_MTU = 10, 14
IPV6_MTU_DISCOVER, IPV6_MTU = 23, 24
PMTUDISC_DONT, PMTUDISC_DO, PMTUDISC_PROBE = 0, 2, 3


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def own_address(address):
    """g1's, when ADDRESS is g2's."""
    return address[:-1] + "1"


def unconnected(address, df, kind=socket.SOCK_DGRAM, proto=0):
    s = net.make_socket("g1", family_of(address), kind, proto)
    if s.family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, df)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, df)
    return s


def connected(address, kind=socket.SOCK_DGRAM, proto=0, df=PMTUDISC_DONT):
    s = unconnected(address, df, kind, proto)
    s.connect((address, PORT))
    return s


def header_for(s, payload):
    """The UDP header before PAYLOAD, as a sender by hand makes it."""
    src, dst = s.getsockname()[0], s.getpeername()[0]
    return net.udp(src, dst, 5000, PORT, payload)


# --- origins: each sends one datagram ----------------------------------------

def by_udp_socket(address, data):
    with connected(address) as s:
        s.send(data)


def by_corked_socket(address, data):
    with connected(address) as s:
        s.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 1)
        for at in range(0, len(data), 7001):
            s.send(data[at:at + 7001])
        s.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 0)


def by_raw_socket(address, data):
    with connected(address, socket.SOCK_RAW, socket.IPPROTO_UDP) as s:
        s.send(header_for(s, data))


def by_own_headers(address, data):
    """IP_HDRINCL: the kernel takes no more than the MTU, so the sender makes
    the fragments.  Last one first, and not all as long as they may be."""
    with connected(address, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        src, dst = s.getsockname()[0], s.getpeername()[0]
        l4 = net.udp(src, dst, 5000, PORT, data)
        step = 1400
        for at in reversed(range(0, len(l4), step)):
            more = 0x2000 if at + step < len(l4) else 0
            s.send(net.ip4(src, dst, 17, l4[at:at + step], ident=77,
                           frag=more | at // 8))


def by_ufo_frame(address, data):
    by_frame(address, data, net.GSO_UFO, 1480)


def by_frame(address, data, gso, size):
    """A virtio-net header of a super-packet that the sender did not cut."""
    src = own_address(address)
    port = net.Port("g1", "eth0")
    l4 = net.udp(src, address, 5000, PORT, data, partial=True)
    port.send(net.eth(net.mac_of("g2", "eth0"), net.mac_of("g1", "eth0"),
                      net.ETH_IP4, net.ip4(src, address, 17, l4, ident=78)),
              net.header(net.NEEDS_CSUM, gso, 42, size, 34, 6))


# --- the receiver ------------------------------------------------------------

class Receiver:
    """A UDP socket in g2 and eyes on its NIC."""

    def __init__(self, address):
        self.socket = net.make_socket("g2", family_of(address),
                                      socket.SOCK_DGRAM)
        self.socket.bind((address, PORT))
        self.eyes = net.Port("g2", "eth0")

    def expect(self, data, what):
        try:
            got = self.socket.recv(1 << 17)
        except TimeoutError:
            sys.exit(f"{what}: lost")
        if got != data:
            at = next((i for i, (a, b) in enumerate(zip(got, data)) if a != b),
                      min(len(got), len(data)))
            sys.exit(f"{what}: {len(got)} bytes came for {len(data)}, "
                     f"different from byte {at}")

    def check_wire(self, data, what):
        """What came in, put together by ourselves, is the datagram too."""
        parts = net.Reassembly()
        for hdr, frame in self.eyes.drain():
            try:
                seen = net.check_frame(frame, hdr, 1500)
                if seen.proto != 17:
                    continue
                whole = parts.add(seen) if seen.is_frag else seen.l4
                if whole is None or whole[2:4] != struct.pack("!H", PORT):
                    continue
                needs = hdr[0] & net.NEEDS_CSUM
                total = net.csum(seen.src + seen.dst
                                 + struct.pack("!IHH", len(whole), 0, 17))
                if not needs and net.csum(whole, total) != 0xFFFF:
                    raise net.Bad("the UDP checksum is wrong")
                if whole[8:] != data:
                    raise net.Bad("the payload is not the sender's")
                return
            except net.Bad as e:
                sys.exit(f"{what}: {e}")
        sys.exit(f"{what}: no datagram on the wire")


def big(address):
    receiver = Receiver(address)
    origins = [by_udp_socket, by_corked_socket]
    if family_of(address) == socket.AF_INET:
        origins += [by_raw_socket, by_own_headers]
        if not address.startswith("10.3."):
            origins.append(by_ufo_frame)
    for seed, origin in enumerate(origins):
        for size in (1, 1400, 1473, 8000, 60000, 65507):
            if family_of(address) == socket.AF_INET6:
                size = min(size, 65487)
            what = f"{origin.__name__}, {size} bytes"
            before = counters()
            data = net.pattern(size, seed + size)
            receiver.eyes.drain()
            origin(address, data)
            receiver.expect(data, what)
            receiver.check_wire(data, what)
            # What was sent is counted once the kernel has it.
            net.wait_for(f"the counters, {what}", lambda was=before: all(
                now > then for now, then in zip(counters(), was)))


def counters():
    """Of the ports that a datagram comes in and leaves by."""
    return net.packets_of("h1", "vnet0")[0], net.packets_of("h2", "vnet0")[1]


def fragments(mtu):
    """Whatever their order, and with parts missing."""
    eyes, port = net.Port("g2", "eth0"), net.Port("g1", "eth0")
    src, dst = net.mac_of("g1", "eth0"), net.mac_of("g2", "eth0")
    eyes.send(net.eth(src, dst, net.ETH_TEST, bytes(46)))
    a, b = "10.9.9.1", "10.9.9.9"
    room = (int(mtu) - 24) // 8 * 8
    data = net.pattern(8000)
    frames = []
    for ident, (step, options) in enumerate(((8, b""), (1000, b""),
                                             (room, b"\x94\4\0\0"))):
        for at in range(0, 3 * step, step):
            frames.append(net.eth(dst, src, net.ETH_IP4, net.ip4(
                a, b, 17, data[at:at + step], ident=ident, tos=0x28,
                frag=0x2000 | at // 8, options=options)))
        frames.append(net.eth(dst, src, net.ETH_IP4, net.ip4(
            a, b, 17, data[4 * step:4 * step + 5], ident=ident,
            df=step == 1000, frag=4 * step // 8)))
    for at, more in ((0, 1), (1000, 1), (3000, 0)):
        frames.append(net.eth(dst, src, net.ETH_IP6, net.ip6(
            "fd09::1", "fd09::9", 44, struct.pack("!BBHI", 17, 0, at | more, 7)
            + data[at:at + 1000])))
    frames += frames[::-1]
    eyes.drain()
    for frame in frames:
        port.send(frame)
    # First and later fragments are different flows, and may change places.
    missing = list(frames)
    while missing:
        got = eyes.receive()
        if not got:
            sys.exit("lost: fragments of "
                     f"{[len(frame) for frame in missing]} bytes")
        if got[1][6:12] != src or not net.Seen(got[1]).is_frag:
            continue
        if got[1] not in missing:
            sys.exit(f"a fragment of {len(got[1])} bytes was changed")
        missing.remove(got[1])


def uso(address):
    receiver = Receiver(address)
    for size, n in ((1000, 60), (1400, 45), (1430, 45), (1472, 40), (20, 60)):
        if ":" in address:
            size = min(size, 1400)      # A router's answer is for the others.
        data = net.pattern(size * n - 7, size)
        with connected(address) as s:
            s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
            s.send(data)
        for at in range(0, len(data), size):
            receiver.expect(data[at:at + size], f"{n} datagrams of {size}, "
                            f"number {at // size}")


def mtu_of(s):
    if s.family == socket.AF_INET:
        return s.getsockopt(socket.IPPROTO_IP, IP_MTU)
    return s.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)


def pmtu(address, mtu):
    mtu = int(mtu)
    headers = 48 if ":" in address else 28
    receiver = Receiver(address)
    with connected(address, df=PMTUDISC_DO) as s:
        # The kernel must first learn; what tells it costs the first.
        for size in (mtu - headers + 1, mtu - headers + 2):
            with contextlib.suppress(OSError):
                s.send(net.pattern(size))
            net.wait_for(f"an MTU below {size + headers}",
                         lambda: mtu_of(s) < size + headers)
        s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if mtu_of(s) != mtu:
            sys.exit(f"the sender learned {mtu_of(s)}, not {mtu}")
        data = net.pattern(mtu - headers, 9)
        s.send(data)
        receiver.expect(data, "the largest that fits")
        try:
            s.send(data + b"x")
        except OSError as e:
            if e.errno != errno.EMSGSIZE:
                raise
        else:
            sys.exit("one byte more was taken")
    # The kernel cuts by itself what it may cut, to the learned size.
    with connected(address) as s:
        for size in (8000, 60000):
            data = net.pattern(size, size)
            s.send(data)
            receiver.expect(data, f"{size} bytes in fragments")


def probes(address, n):
    """Sends N datagrams that are too big, DF set, whatever was learned; and
    one that arrives after them."""
    receiver = Receiver(address)
    drops = net.drops_of("h1").get("too_big", 0)
    answers = net.offload_of("h1")["tx_icmp_too_big"]
    with unconnected(address, PMTUDISC_PROBE) as s:
        # An answer is no error of a socket that is not connected.
        for _ in range(n):
            s.sendto(net.pattern(1450 if ":" in address else 1472),
                     (address, PORT))
        s.sendto(b"last", (address, PORT))
        receiver.expect(b"last", "what fits")
        return (net.drops_of("h1").get("too_big", 0) - drops,
                net.offload_of("h1")["tx_icmp_too_big"] - answers)


def silent(address):
    dropped, answered = probes(address, 5)
    if (dropped, answered) != (5, 0):
        sys.exit(f"of 5, {dropped} were dropped, {answered} answered")


def rate(address):
    dropped, answered = probes(address, 2000)
    if dropped != 2000:
        sys.exit(f"of 2000, {dropped} were dropped by name")
    if not 1 <= answered < 2000:
        sys.exit(f"of 2000, {answered} were answered")


COMMANDS = {"big": big, "fragments": fragments, "uso": uso, "pmtu": pmtu,
            "silent": silent, "rate": rate}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
