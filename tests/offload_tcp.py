#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TCP super-packets, bit by bit: from g1 to g2 through a tunnel.

Usage: offload_tcp.py COMMAND ARGUMENT...

  flags              how CWR, FIN, PSH, the ECN bits, IDs, sequence numbers,
                     options and checksums fare when a super-packet is cut
  outer-ce TYPE DEV  congestion told by the outer header is told by the inner
                     one (RFC 6040), and what cannot carry it is dropped; DEV
                     is the device with h2's address
  merge DEV          segments out of a VXLAN train become a super-packet again,
                     and what only looks alike does not

For the first two the underlay's NICs have no offloads: what is on the wire is
looked at.
"""

import struct
import sys

import offload_net as net
from offload_net import ETH_IP4, ETH_IP6, GSO_ECN, GSO_TCP4, GSO_TCP6

A4, B4 = "10.9.9.1", "10.9.9.9"
A6, B6 = "fd09::1", "fd09::9"
CWR, ECE, ACK, PSH, FIN = 0x80, 0x40, 0x10, 8, 1
TIMESTAMP = b"\1\1\x08\x0a" + bytes(range(8))


def inner(hdr, frame, sums):
    """The frame within a GRE or VXLAN packet, or None."""
    seen = net.check_frame(frame, hdr, 1500, sums)
    if seen.proto == 47:
        size = 4 + sum(4 for bit in (0x80, 0x20, 0x10) if seen.l4[0] & bit)
        return seen, seen.l4[size:]
    if seen.proto == 17 and seen.l4[2:4] == struct.pack("!H", 4789):
        return seen, seen.l4[16:]
    return seen, None


class Lab:
    def __init__(self):
        self.g1, self.g2 = net.Port("g1", "eth0"), net.Port("g2", "eth0")
        self.wire = net.Port("h2", "p1p1")
        self.src, self.dst = net.mac_of("g1", "eth0"), net.mac_of("g2", "eth0")
        self.serial = 0
        self.g2.send(net.eth(self.src, self.dst, net.ETH_TEST, bytes(46)))

    def fence(self, sums=True):
        """All that was sent before has arrived; returns what has, at g2 and,
        of the tunnel, on the wire."""
        self.serial += 1
        mark = b"the fence" + struct.pack("!I", self.serial) + bytes(50)
        self.g1.send(net.eth(self.dst, self.src, net.ETH_TEST, mark))
        arrived = []
        while True:
            got = self.g2.receive()
            if not got:
                sys.exit("the fence did not arrive")
            if mark in got[1]:
                break
            if got[1][6:12] == self.src:
                arrived.append(got)
        wire = []
        for hdr, frame in self.wire.drain():
            outer, within = inner(hdr, frame, sums)
            if within and within[6:12] == self.src and mark not in within:
                wire.append((outer, within))
        return arrived, wire


def super_packet(lab, version, flags, ident, seq, n, tos, options):
    data = net.pattern(n, seq)
    a, b = (A4, B4) if version == 4 else (A6, B6)
    l4 = net.tcp(a, b, 1000, 2000, data, flags, seq=seq, options=options,
                 partial=True)
    l3 = (net.ip4(a, b, 6, l4, df=True, ident=ident, tos=tos)
          if version == 4 else net.ip6(a, b, 6, l4, tc=tos))
    start = 34 if version == 4 else 54
    gso = (GSO_TCP4 if version == 4 else GSO_TCP6) | (
        GSO_ECN if "C" in flags else 0)
    lab.g1.send(net.eth(lab.dst, lab.src,
                        ETH_IP4 if version == 4 else ETH_IP6, l3),
                net.header(net.NEEDS_CSUM, gso, start + 20 + len(options),
                           1448, start, 16))
    return data


def check_flags(lab, version, flags, ident, seq, n, tos, options=TIMESTAMP):
    what = f"IPv{version}, {flags}, id {ident}, seq {seq}, tos {tos}"
    data = super_packet(lab, version, flags, ident, seq, n, tos, options)
    _, wire = lab.fence()
    if len(wire) < n // 1448 + 1:
        sys.exit(f"{what}: {len(wire)} segments on the wire")
    got = b""
    for i, (outer, within) in enumerate(wire):
        seen = net.check_frame(within)
        tcp = seen.l4
        bits = tcp[13]
        last = i == len(wire) - 1
        expected = ACK | (ECE if "E" in flags else 0)
        expected |= CWR if "C" in flags and i == 0 else 0
        expected |= (PSH if "P" in flags else 0) if last else 0
        expected |= (FIN if "F" in flags else 0) if last else 0
        problem = None
        if bits != expected:
            problem = f"flags {bits:#x}, not {expected:#x}"
        elif seen.tos != tos or outer.tos & 3 != tos & 3:
            problem = f"tos {seen.tos:#x}, outside {outer.tos:#x}"
        elif struct.unpack("!I", tcp[4:8])[0] != (seq + len(got)) % 2 ** 32:
            problem = "a wrong sequence number"
        elif tcp[20:20 + len(options)] != options:
            problem = "other options"
        elif version == 4 and seen.ident != (ident + i) % 65536:
            problem = f"id {seen.ident}"
        elif version == 4 and not (seen.df and outer.df):
            problem = "no DF"
        if problem:
            sys.exit(f"{what}: segment {i} has {problem}")
        got += tcp[20 + len(options):]
    if got != data:
        sys.exit(f"{what}: the bytes differ")


def flags():
    lab = Lab()
    for version in (4, 6):
        for names in ("A", "PA", "FA", "FPA", "CA", "EA", "CEPA"):
            check_flags(lab, version, names, 1, 1000, 20000, 2)
        check_flags(lab, version, "PA", 65530, 2 ** 32 - 5000, 20000, 1)
        check_flags(lab, version, "PA", 9, 1, 60000, 0xB8)
        check_flags(lab, version, "PA", 9, 1, 3000, 0, b"")


def outer_ce(kind, dev):
    lab = Lab()
    h1 = net.Port("h1", "p1p1")
    before = net.drops_of("h2").get("tnl_ecn", 0)
    dropped = 0
    for inner_ecn in range(4):
        for outer_ecn in range(4):
            data = net.pattern(100, inner_ecn * 4 + outer_ecn)
            frame = net.eth(lab.dst, lab.src, ETH_IP4, net.ip4(
                A4, B4, 17, net.udp(A4, B4, 1, 2, data), tos=0x28 | inner_ecn))
            shim = (net.udp("192.168.88.1", "192.168.88.2", 50000, 4789,
                            b"\x08" + bytes(7) + frame)
                    if kind == "vxlan" else b"\0\0\x65\x58" + frame)
            h1.send(net.eth(net.mac_of("h2", dev), net.mac_of("h1", dev),
                            ETH_IP4, net.ip4(
                                "192.168.88.1", "192.168.88.2",
                                17 if kind == "vxlan" else 47, shim,
                                tos=outer_ecn)))
            arrived, _ = lab.fence()
            # RFC 6040, figure 4.
            expected = inner_ecn
            if outer_ecn == 3:
                expected = None if inner_ecn == 0 else 3
            elif outer_ecn == 1 and inner_ecn == 2:
                expected = 1
            seen = [net.check_frame(f, hdr) for hdr, f in arrived]
            got = [s.tos for s in seen if s.l4[8:] == data]
            dropped += expected is None
            want = [] if expected is None else [0x28 | expected]
            if got != want:
                sys.exit(f"ECN {inner_ecn} inside, {outer_ecn} outside: "
                         f"arrived {got}, not {want}")
    after = net.drops_of("h2").get("tnl_ecn", 0)
    if after - before != dropped:
        sys.exit(f"{after - before} dropped by name, not {dropped}")


def segment(lab, seq, ident, flags="A", wrong=False, **more):
    """1000 bytes of TCP."""
    l4 = net.tcp(A4, B4, 1000, 2000, net.pattern(1000, seq), flags, seq=seq,
                 **more)
    if wrong:
        l4 = l4[:16] + bytes([l4[16] ^ 1]) + l4[17:]
    return net.eth(lab.dst, lab.src, ETH_IP4,
                   net.ip4(A4, B4, 6, l4, df=True, ident=ident))


def send_train(lab, dev, frames):
    """VXLAN packets of one length in one super-packet: they come out of the
    tunnel in one burst."""
    vxlan = [b"\x08" + bytes(7) + frame for frame in frames]
    a, b = "192.168.88.1", "192.168.88.2"
    l4 = net.udp(a, b, 50000, 4789, b"".join(vxlan), partial=True)
    port = net.Port("h1", "p1p1")
    port.send(net.eth(net.mac_of("h2", dev), net.mac_of("h1", dev), ETH_IP4,
                      net.ip4(a, b, 17, l4, df=True)),
              net.header(net.NEEDS_CSUM, net.GSO_USO, 42, len(vxlan[0]), 34,
                         6))


def merge(dev):
    lab = Lab()
    lab.fence()
    for name, first, second, merged in (
            ("the next", {}, {}, True),
            ("the next, with PSH", {}, {"flags": "PA"}, True),
            ("a gap", {}, {"seq": 2001}, False),
            ("another ACK", {}, {"ack": 2}, False),
            ("another option", {"options": TIMESTAMP},
             {"options": TIMESTAMP[:4] + TIMESTAMP[:3:-1]}, False),
            ("after PSH", {"flags": "PA"}, {}, False),
            ("FIN", {}, {"flags": "FA"}, False),
            ("CWR", {}, {"flags": "CA"}, False),
            ("a wrong checksum", {}, {"wrong": True}, False),
            ("another ID", {}, {"ident": 9}, False)):
        before = net.offload_of("h2", "vnet0")
        sent = [segment(lab, **{"seq": 1, "ident": 5, **first}),
                segment(lab, **{"seq": 1001, "ident": 6, **second})]
        send_train(lab, dev, sent)
        arrived, _ = lab.fence(False)
        frames = [f for _, f in arrived]
        change = net.difference(before, net.offload_of("h2", "vnet0"))
        if not merged:
            if frames != sent or change:
                sys.exit(f"{name}: came as {[len(f) for f in frames]}")
            continue
        if len(frames) != 1 or frames[0][54:] != sent[0][54:] + sent[1][54:]:
            sys.exit(f"{name}: came as {[len(f) for f in frames]}")
        net.check_frame(frames[0], arrived[0][0], 1500)
        if change != {"tx_gro_coalesced": 2, "tx_gso_packets": 1}:
            sys.exit(f"{name}: the counters say {change}")


COMMANDS = {"flags": flags, "outer-ce": outer_ce, "merge": merge}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    try:
        COMMANDS[sys.argv[1]](*sys.argv[2:])
    except net.Bad as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
