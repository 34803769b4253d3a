#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells lies in virtio-net headers to a switch, one among 31 good frames each.

Usage: offload_lies.py [-v] WAY KIND...

WAY   veth: from the guest g1; the kernel reads the header first, and hands
      the switch what it made of it.
      tap: from inj0, an internal port of h1's bridge.  Its device takes
      super-packets of every kind, so that more gets through.
KIND  plain, vlan, qinq: what stands before the IP packet
      vxlan, gre: all within a tunnel of the guest's own

What is asked of each case: all good frames arrive at g2; whatever else
arrives, there and on the wire between the hosts, is not longer than it may be
and has right checksums (but for those that the sender itself made wrong); a
frame that reached the switch has left it or moved exactly one counter of
drops by one, under a name that fits.  -v prints what became of each.
"""

import struct
import sys

import offload_net as net
from offload_net import (ETH_ARP, ETH_IP4, ETH_IP6, ETH_QINQ, ETH_TEST,
                         ETH_VLAN, GSO_ECN, GSO_NONE, GSO_TCP4, GSO_TCP6,
                         GSO_UFO, GSO_USO, DATA_VALID, NEEDS_CSUM, RSC_INFO)

GOOD = 31
MARK = b"a good frame"
A4, B4 = "10.9.9.1", "10.9.9.9"         # No machine here answers for them.
A6, B6 = "fd09::1", "fd09::9"


# Under what the switch drops a frame that reached it as it was sent, and is
# not within a tunnel, of which nobody knows whose it is.
DROPS = {
    "gso_size: 1, TCP": "vnet_gso_size",
    "gso_size: 1 of 60000": "vnet_gso_size",
    "gso_size: 8 of 60000": "vnet_gso_size",
    "csum: starts in UDP": "vnet_csum_place",
    "csum: aimed at ports": "vnet_csum_place",
    "csum: aimed at payload": "vnet_csum_place",
    "csum: odd start": "vnet_csum_place",
    "TCP super-packet: total length above": "parse_ip4_len",
    "TCP super-packet: total length 0": "parse_ip4_len",
    "TCP super-packet: data offset beyond": "parse_tcp_ofs",
    "TCP super-packet: SYN": "vnet_gso_flags",
    "TCP super-packet: RST": "vnet_gso_flags",
    "TCP super-packet: URG": "vnet_gso_flags",
    "TCP super-packet: on a first fragment": "vnet_gso_frag",
    "TCP super-packet: on a later fragment": "vnet_gso_frag",
    "UDP: length 0": "parse_udp_len",
    "UDP: length 4": "parse_udp_len",
    "UDP: length above IP's": "parse_udp_len",
    "UDP: length below IP's": "vnet_gso_len",
    "UDP: length 4, small": "parse_udp_len",
    "UDP: NEEDS_CSUM on a later fragment": "vnet_csum_frag",
    "IPv6: 50 extension headers": "parse_ip6_ext",
    "IPv6: payload length 0": "parse_ip6_len",
}


class Case:
    """One frame with a header.  'own' says that its wrong checksum or length
    is the sender's own business, and passes."""

    def __init__(self, name, kind, l3, hdr, own=False):
        self.name, self.kind, self.l3, self.own = name, kind, l3, own
        self.hdr = dict(hdr)


def tcp4(n, flags="PA", partial=True, **more):
    ip = {k: more.pop(k) for k in ("df", "frag", "tot_len", "ihl", "ident",
                                   "options", "tos") if k in more}
    l4 = net.tcp(A4, B4, 1000, 2000, net.pattern(n), flags, partial=partial,
                 **more)
    return net.ip4(A4, B4, 6, l4, **ip)


def udp4(n, partial=True, **more):
    ip = {k: more.pop(k) for k in ("df", "frag", "tot_len", "ihl", "ident",
                                   "options") if k in more}
    return net.ip4(A4, B4, 17, net.udp(A4, B4, 1000, 2000, net.pattern(n),
                                       partial, **more), **ip)


def tcp6(n, flags="PA", partial=True):
    return net.ip6(A6, B6, 6, net.tcp(A6, B6, 1000, 2000, net.pattern(n),
                                      flags, partial=partial))


def udp6(n, partial=True):
    return net.ip6(A6, B6, 17, net.udp(A6, B6, 1000, 2000, net.pattern(n),
                                       partial))


# csum_start is counted from the IP packet here; frames() adds the rest.
TCP4 = {"flags": NEEDS_CSUM, "gso": GSO_TCP4, "hdr_len": 54, "size": 1000,
        "start": 20, "offset": 16}
TCP6 = dict(TCP4, gso=GSO_TCP6, hdr_len=74, start=40)
UDP4 = {"flags": NEEDS_CSUM, "start": 20, "offset": 6, "hdr_len": 42}
UDP6 = dict(UDP4, start=40)
UFO4 = dict(UDP4, gso=GSO_UFO, size=1000)
USO4 = dict(UDP4, gso=GSO_USO, size=1000)
UFO6 = dict(UDP6, gso=GSO_UFO, size=1000)
USO6 = dict(UDP6, gso=GSO_USO, size=1000)


def flag_cases():
    big, small = tcp4(5000), udp4(100)
    right = udp4(100, partial=False)
    wrong = small[:40] + b"?" + small[41:]
    yield Case("flags: unknown bits", ETH_IP4, right, {"flags": 0xF8})
    yield Case("flags: NEEDS_CSUM with DATA_VALID", ETH_IP4, small,
               dict(UDP4, flags=NEEDS_CSUM | DATA_VALID))
    yield Case("flags: DATA_VALID on a wrong checksum", ETH_IP4, wrong,
               {"flags": DATA_VALID}, own=True)
    yield Case("flags: RSC_INFO", ETH_IP4, right, {"flags": RSC_INFO})
    for name, l3, hdr in (("TCP", big, TCP4), ("UFO", udp4(5000), UFO4),
                          ("USO", udp4(5000), USO4)):
        yield Case(f"flags: {name} without NEEDS_CSUM", ETH_IP4, l3,
                   dict(hdr, flags=0), own=True)


def type_cases():
    t4, t6, u4, u6 = tcp4(5000), tcp6(5000), udp4(5000), udp6(5000)
    icmp = net.ip4(A4, B4, 1, b"\x08\0\xf7\xff\0\0\0\0" + bytes(5000))
    arp = struct.pack("!HHBBH", 1, ETH_IP4, 6, 4, 1) + bytes(2000)
    for name, kind, l3, hdr in (
            ("unknown 0x7f", ETH_IP4, t4, dict(TCP4, gso=0x7F)),
            ("unknown 2", ETH_IP4, t4, dict(TCP4, gso=2)),
            ("the ECN bit alone", ETH_IP4, udp4(100), dict(UDP4, gso=GSO_ECN)),
            ("TCPV4 on IPv6", ETH_IP6, t6, dict(TCP6, gso=GSO_TCP4)),
            ("TCPV6 on IPv4", ETH_IP4, t4, dict(TCP4, gso=GSO_TCP6)),
            ("TCP on UDP", ETH_IP4, u4, dict(TCP4)),
            ("TCP on ICMP", ETH_IP4, icmp, dict(TCP4, offset=2)),
            ("TCP on ARP", ETH_ARP, arp, dict(TCP4)),
            ("UFO on TCP", ETH_IP4, t4, dict(UFO4)),
            ("USO on TCP", ETH_IP4, t4, dict(USO4)),
            ("UFO", ETH_IP4, u4, dict(UFO4)),
            ("USO", ETH_IP4, u4, dict(USO4)),
            ("UFO, IPv6", ETH_IP6, u6, dict(UFO6)),
            ("USO, IPv6", ETH_IP6, u6, dict(USO6)),
            ("ECN with UFO", ETH_IP4, u4, dict(UFO4, gso=GSO_UFO | GSO_ECN)),
            ("ECN with USO", ETH_IP4, u4, dict(USO4, gso=GSO_USO | GSO_ECN)),
            ("tunnel bit 0x20", ETH_IP4, u4, dict(USO4, gso=GSO_USO | 0x20)),
            ("tunnel bit 0x40", ETH_IP4, t4, dict(TCP4, gso=GSO_TCP4 | 0x40)),
            ("TCP, valid", ETH_IP4, t4, dict(TCP4)),
            ("TCP6, valid", ETH_IP6, t6, dict(TCP6)),
            ("TCP with ECN, valid", ETH_IP4, tcp4(5000, "PAC"),
             dict(TCP4, gso=GSO_TCP4 | GSO_ECN))):
        yield Case("gso_type: " + name, kind, l3, hdr)


def size_cases():
    t4, u4 = tcp4(5000), udp4(5000)
    for size in (0, 1, 7, 8, 9, 65535, 4999, 5000, 5001, 3000):
        yield Case(f"gso_size: {size}, TCP", ETH_IP4, t4,
                   dict(TCP4, size=size))
        # Few enough fragments for the queue of a tap.
        yield Case(f"gso_size: {size}, UFO", ETH_IP4,
                   u4 if size > 9 else udp4(400), dict(UFO4, size=size))
        yield Case(f"gso_size: {size}, USO", ETH_IP4, u4,
                   dict(USO4, size=size))
    for size in (1, 8, 60):
        yield Case(f"gso_size: {size} of 60000", ETH_IP4, tcp4(60000),
                   dict(TCP4, size=size))
    yield Case("gso_size: UFO, 1001", ETH_IP4, u4, dict(UFO4, size=1001))
    for hdr_len in (0, 10, 60, 2000, 65535):
        yield Case(f"hdr_len: {hdr_len}", ETH_IP4, t4,
                   dict(TCP4, hdr_len=hdr_len))


def csum_cases():
    u4 = udp4(101)
    end = len(u4)
    for name, start, offset in (
            ("starts at the end", end, 0), ("starts beyond", end + 100, 6),
            ("wraps 16 bits", 65520, 30), ("wraps to the start", 65535, 65535),
            ("second byte past the end", 20, end - 21),
            ("starts in Ethernet", -14, 6), ("starts in IP", 0, 10),
            ("starts in UDP", 24, 2), ("aimed at ports", 20, 0),
            ("aimed at IP addresses", 0, 16), ("aimed at payload", 20, 30),
            ("odd start", 21, 5), ("payload only", 28, 6)):
        yield Case("csum: " + name, ETH_IP4, u4,
                   dict(UDP4, start=start, offset=offset), own=True)
    for name, start, offset in (("starts in TCP", 24, 12),
                                ("aimed at ports", 20, 0),
                                ("aimed at payload", 20, 60),
                                ("starts in payload", 80, 16)):
        yield Case("csum, TCP super-packet: " + name, ETH_IP4, tcp4(5000),
                   dict(TCP4, start=start, offset=offset), own=True)


def header_cases(thorough):
    for name, l3 in (
            ("total length above", tcp4(5000, tot_len=6000)),
            ("total length below", tcp4(5000, tot_len=3000)),
            ("total length 0", tcp4(5000, tot_len=0)),
            ("IHL 4", tcp4(5000, ihl=4)),
            ("data offset 4", tcp4(5000, doff=4)),
            ("data offset beyond", tcp4(10, doff=15)),
            ("SYN", tcp4(5000, "SA")), ("FIN", tcp4(5000, "FA")),
            ("RST", tcp4(5000, "RA")), ("URG", tcp4(5000, "UA")),
            ("CWR without ECN", tcp4(5000, "CA")),
            ("on a first fragment", tcp4(5000, frag=0x2000)),
            ("on a later fragment", tcp4(5000, frag=0x2010)),
            ("IP id wraps", tcp4(5000, ident=65534)),
            ("sequence wraps", tcp4(5000, seq=0xFFFFFF00)),
            ("DF", tcp4(5000, df=True)),
            ("IP options", tcp4(5000, options=b"\1\1\1\0")),
            ("64 kB and encapsulation", tcp4(65535 - 40)),
            ("payload length 0", tcp4(0))):
        yield Case("TCP super-packet: " + name, ETH_IP4, l3,
                   dict(TCP4, start=24) if "options" in name else TCP4,
                   own=True)
    for name, l3, hdr in (
            ("length 0", udp4(5000, length=0), USO4),
            ("length 4", udp4(5000, length=4), USO4),
            ("length above IP's", udp4(5000, length=6000), USO4),
            ("length below IP's", udp4(5000, length=3000), USO4),
            ("UFO, length 0", udp4(5000, length=0), UFO4),
            ("UFO, length below IP's", udp4(5000, length=3000), UFO4),
            ("checksum 0", udp4(100, no_csum=True), {}),
            ("UFO, 65507 bytes", udp4(65507), UFO4),
            ("UFO, DF", udp4(5000, df=True), UFO4),
            ("length 4, small", udp4(100, length=4), UDP4),
            ("DF and too big", udp4(1472, df=True, partial=False), {}),
            ("NEEDS_CSUM on a later fragment", udp4(1000, frag=0x10), UDP4)):
        yield Case("UDP: " + name, ETH_IP4, l3, hdr, own=True)
    zero = bytes.fromhex(next(
        h for h in (struct.pack("!HH", x, 0).hex() for x in range(65536))
        if net.csum(net.udp(A4, B4, 1, 2, bytes.fromhex(h), True)) == 0xFFFF))
    yield Case("UDP: a checksum that computes to 0", ETH_IP4,
               net.ip4(A4, B4, 17, net.udp(A4, B4, 1, 2, zero, True)), UDP4)
    chain = b"".join(bytes((60 if i < 49 else 6, 0)) + b"\1\4\0\0\0\0"
                     for i in range(50))
    yield Case("IPv6: 50 extension headers", ETH_IP6,
               net.ip6(A6, B6, 60, chain + tcp6(5000)[40:]),
               dict(TCP6, start=440))
    yield Case("IPv6: payload length 0", ETH_IP6,
               net.ip6(A6, B6, 6, tcp6(5000)[40:], length=0), TCP6, own=True)
    for n in (range(42) if thorough else range(0, 42, 6)):
        yield Case(f"truncated to {n} bytes of IP", ETH_IP4, tcp4(5000)[:n],
                   TCP4, own=True)
        yield Case(f"truncated to {n} bytes of IP, nothing claimed", ETH_IP4,
                   udp4(1000)[:n], {}, own=True)
    for n in (0, 1, 12, 13):
        yield Case(f"{n} bytes of Ethernet", None, b"", {"cut": n}, own=True)


def all_cases(kind):
    yield from flag_cases()
    yield from type_cases()
    yield from size_cases()
    yield from csum_cases()
    yield from header_cases(kind == "plain")


def wrap(case, kind, dst, src):
    """The frame and its header."""
    if case.kind is None:
        n = case.hdr["cut"]
        return net.eth(dst, src, ETH_IP4, b"")[:n], net.header()
    vlans = {"vlan": [(ETH_VLAN, 3)],
             "qinq": [(ETH_QINQ, 4), (ETH_VLAN, 3)]}.get(kind, [])
    hdr = dict(case.hdr)
    frame = net.eth(dst, src, case.kind, case.l3, vlans)
    front = 14 + 4 * len(vlans)
    if kind in ("vxlan", "gre"):
        shim = (net.udp(A4, B4, 7000, 4789, b"\x08" + bytes(7) + frame,
                        no_csum=True) if kind == "vxlan"
                else b"\0\0\x65\x58" + frame)
        front += 14 + 20 + len(shim) - len(frame)
        if len(shim) > 65535 - 20:
            return None
        frame = net.eth(dst, src, ETH_IP4, net.ip4(
            A4, B4, 17 if kind == "vxlan" else 47, shim))
    if "start" in hdr:
        hdr["start"] += front
        hdr["hdr_len"] += front - 14 if hdr["hdr_len"] < 100 else 0
    return frame, net.header(**hdr)


class Lab:
    def __init__(self, way, verbose):
        self.verbose = verbose
        place, dev = ("g1", "eth0") if way == "veth" else ("h1", "inj0")
        self.port = dev if way == "tap" else "vnet0"
        self.inject = net.Port(place, dev)
        self.src = net.mac_of(place, dev)
        self.dst = net.mac_of("g2", "eth0")
        self.guest = net.Port("g2", "eth0")
        self.wire = net.Port("h2", "p1p1")
        self.serial = 0
        for vlans in ([], [(ETH_VLAN, 3)], [(ETH_QINQ, 4)]):
            # That the switches learn where it is.
            self.guest.send(net.eth(self.src, self.dst, ETH_TEST, bytes(46),
                                    vlans))

    def good(self):
        """A good frame: in turn of no known kind, and UDP with a checksum
        left to others."""
        self.serial += 1
        mark = MARK + struct.pack("!I", self.serial)
        if self.serial % 2:
            return net.eth(self.dst, self.src, ETH_TEST, mark + bytes(40)), \
                net.header()
        return net.eth(self.dst, self.src, ETH_IP4, net.ip4(
            A4, B4, 17, net.udp(A4, B4, 5, 6, mark + bytes(40), True))), \
            net.header(NEEDS_CSUM, GSO_NONE, 42, 0, 34, 6)

    def send_good(self, n):
        for _ in range(n):
            frame, hdr = self.good()
            self.inject.send(frame, hdr)

    def await_good(self, others):
        """Until the last good frame has come; all must."""
        missing = set(range(self.first, self.serial + 1))
        while missing:
            got = self.guest.receive()
            if not got:
                raise net.Bad(f"good frames are lost: {sorted(missing)}")
            at = got[1].find(MARK)
            if at >= 0:
                number = struct.unpack("!I", got[1][at + len(MARK):][:4])[0]
                if number not in missing:
                    raise net.Bad(f"good frame {number} came again")
                missing.discard(number)
                net.check_frame(got[1], got[0])
            elif got[1][6:12] == self.src:
                others.append(got)
        self.first = self.serial + 1

    def run(self, case, kind):
        made = wrap(case, kind, self.dst, self.src)
        if not made:
            return "does not fit"
        others = []
        self.first = self.serial + 1
        drops = net.drops_of("h1"), net.drops_of("h2")
        rx_before = net.packets_of("h1", self.port)[0]
        self.send_good(GOOD // 2)
        try:
            self.inject.send(*made)
            refused = None
        except OSError as e:
            refused = e.strerror
        self.send_good(GOOD - GOOD // 2)
        self.await_good(others)
        self.send_good(1)       # Behind all that the others could overtake.
        self.await_good(others)

        reached = net.packets_of("h1", self.port)[0] - rx_before - GOOD - 1
        new = net.difference(drops[0], net.drops_of("h1"))
        far = net.difference(drops[1], net.drops_of("h2"))
        wire = [got for got in self.wire.drain()
                if MARK not in got[1]]
        for hdr, frame in wire:
            net.check_frame(frame, hdr, 1500, not case.own)
        for hdr, frame in others:
            net.check_frame(frame, hdr, 1500, not case.own)
        result = self.judge(refused, reached, new, far, others)
        expected = DROPS.get(case.name)
        if case.name.startswith("truncated"):
            expected = "parse_ip4_"
        if expected and reached == 1 and kind not in ("vxlan", "gre") and \
                not "".join(new).startswith(expected):
            raise net.Bad(f"{result}, not dropped as {expected}")
        return result

    @staticmethod
    def judge(refused, reached, new, far, others):
        if far:
            raise net.Bad(f"h2 dropped {far}")
        if refused:
            if reached or new or others:
                raise net.Bad("refused by the kernel, but it came")
            return f"refused by the kernel ({refused})"
        if not reached:
            if new or others:
                raise net.Bad("nothing reached the switch, but it came")
            return "swallowed by the kernel"
        seen = f"{reached} reached the switch"
        if new:
            if len(new) != 1 or list(new.values()) != [1]:
                if reached == 1:
                    raise net.Bad(f"one frame counted as {new}")
            if reached == 1 and others:
                raise net.Bad(f"dropped as {new}, but it came")
            return f"{seen}, dropped: {new}"
        if not others:
            raise net.Bad(f"{seen}, and vanished without a name")
        return f"{seen}, {len(others)} arrived"


def main():
    args = [a for a in sys.argv[1:] if a != "-v"]
    if len(args) < 2:
        sys.exit(__doc__)
    lab = Lab(args[0], "-v" in sys.argv)
    failures = 0
    for kind in args[1:]:
        for case in all_cases(kind):
            try:
                result = lab.run(case, kind)
                failed = False
            except net.Bad as e:
                result, failed = f"FAILED: {e}", True
                lab.guest.drain()
            failures += failed
            if failed or lab.verbose:
                print(f"{kind}, {case.name}: {result}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
