#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest behind a vhost-user port may do to a switch, good and bad.

Usage: vhost_lies.py [-v] COMMAND SOCKET [ARGUMENT...]

  headers KIND...   every lie of offload_lies.py in a virtio-net header, and
                    more that only a guest can tell, one among 31 good frames
                    that the switch finds in its ring at once.  KIND is plain,
                    vlan, qinq, vxlan or gre
  refused           GSO types and checksums that were not negotiated
  rings             the same for lies about descriptors, both ways, and for
                    contents that change under the switch's hands
  odd               good frames in chains of every shape
  super             super-packets of every kind come out right, cut anyhow
  report-b          field report B: datagrams of 60000 bytes, from a raw socket
                    whose headers are not where UFO expects them, and good
  receive           what the switch sends a guest is what it has negotiated,
                    whatever that is, and whole
  again             features that change when the guest comes back
  restart CTL       the same guest after the switch was killed and started

The guest is tests/vhost_front, behind port vh0 of h1; g2 is the other end, on
h2 if there is one.  What is asked of each case is what offload_lies.py asks;
beyond that, a lie that the table below knows must have the name that stands
there.  -v prints what became of each.
"""

import os
import random
import signal
import struct
import subprocess
import sys
import tempfile

import offload_lies as lies
import offload_net as net
from offload_net import (ETH_IP4, ETH_IP6, ETH_TEST, GSO_ECN, GSO_TCP4,
                         GSO_TCP6, GSO_UFO, GSO_USO, NEEDS_CSUM)

PORT = "vh0"
CSUM, GUEST_CSUM, MRG_RXBUF, INDIRECT = 1 << 0, 1 << 1, 1 << 15, 1 << 28
GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_UFO = 1 << 7, 1 << 8, 1 << 9, 1 << 10
HOST_TSO4, HOST_TSO6, HOST_ECN, HOST_UFO = (1 << 11, 1 << 12, 1 << 13,
                                            1 << 14)
GUEST_USO4, GUEST_USO6, HOST_USO = 1 << 54, 1 << 55, 1 << 56
VERSION_1 = 1 << 32
ALL = (CSUM | GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN | GUEST_UFO
       | HOST_TSO4 | HOST_TSO6 | HOST_ECN | HOST_UFO | HOST_USO | GUEST_USO4
       | GUEST_USO6 | MRG_RXBUF | INDIRECT | VERSION_1)
OFFERED = ALL & ~INDIRECT

# The names of lies about descriptors, and what the drop is to be called.
RINGS = {
    "loop": "virtq_chain", "zero_loop": "virtq_chain", "next": "virtq_index",
    "next_max": "virtq_index", "null": "virtq_memory",
    "before": "virtq_memory", "behind": "virtq_memory",
    "across": "virtq_memory", "wrap": "virtq_memory", "huge": "virtq_memory",
    "long": "rx_truncated", "zero": "virtq_short", "one": "virtq_short",
    "short": "virtq_short", "header": "virtq_short",
    "direction": "virtq_kind", "table_empty": "virtq_chain",
    "table_odd": "virtq_chain", "table_behind": "virtq_memory",
    "table_across": "virtq_memory", "table_big": "virtq_chain",
    "table_huge": "virtq_chain", "table_next": "virtq_kind",
    "table_table": "virtq_kind", "table_loop": "virtq_chain",
    "table_out": "virtq_index", "head": "virtq_index",
    "head_max": "virtq_index",
}
# Of those, the ones that mean something else where the guest receives.
RX_RINGS = dict({k: v for k, v in RINGS.items() if not k.startswith("head")},
                long=None)


class Front:
    """A guest."""

    def __init__(self, path, features=ALL, *options):
        program = os.path.join(os.environ["LAB_BUILD"], "tests/vhost_front")
        self.process = subprocess.Popen(
            [program, "-l", "-f", hex(features), *options, path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.features = features
        self.file = tempfile.NamedTemporaryFile("w", suffix=".burst")
        self.await_ready(self.answer())

    def await_ready(self, words):
        self.offered, self.negotiated = (int(w, 16) for w in words[1:])
        self.header_len = 12 if self.negotiated & (VERSION_1 | MRG_RXBUF) \
            else 10
        # The switch starts the rings one after another; that it reads the
        # last one means that the other is there, too.
        self.send(b"\x02\0\0\0\x77\x02" * 2 + bytes(48))

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the guest has ended: {self.process.wait()}")
        return line.split()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def line(self, frame, header=bytes(10), more=""):
        header = header + bytes(self.header_len - len(header))
        return f"tx {header.hex()} {frame.hex() or '-'} {more}"

    def burst(self, lines):
        self.file.seek(0)
        self.file.truncate()
        self.file.write("\n".join(lines) + "\n")
        self.file.flush()
        word, n = self.tell("burst " + self.file.name)
        if int(n) != len(lines):
            raise net.Bad(f"{n} of {len(lines)} chains were given back")

    def send(self, frame, header=bytes(10), more=""):
        if self.tell(self.line(frame, header, more)) != ["used", "1"]:
            raise net.Bad("the chain was not given back")

    def receive(self, timeout=2):
        """(virtio-net header, frame), or None."""
        words = self.tell(f"rx {int(timeout * 1000)}")
        if words[0] != "rx":
            if len(words) > 1:
                raise net.Bad(" ".join(words))
            return None
        header, frame = (bytes.fromhex(w.strip("-")) for w in words[1:])
        return header[:10], frame

    def drain(self, timeout=0.2):
        frames = []
        while True:
            got = self.receive(timeout)
            if not got:
                return frames
            frames.append(got)

    def reconnect(self, features):
        self.features = features
        self.await_ready(self.tell(f"reconnect {features:#x}"))

    def close(self):
        self.process.stdin.close()
        if self.process.wait(10):
            sys.exit("the guest ended badly")


class Lab(lies.Lab):
    def __init__(self, front, verbose):
        self.verbose = verbose
        self.front = front
        self.port = PORT
        self.src = b"\x02\0\0\0\x77\x01"
        self.dst = net.mac_of("g2", "eth0")
        self.guest = net.Port("g2", "eth0")
        self.is_overlay = os.path.exists(
            f"/run/netns/{os.environ['LAB_TAG']}-h2")
        self.wire = net.Port("h2", "p1p1") if self.is_overlay \
            else net.Port("g2", "eth0")
        self.serial = 0
        self.first = 1
        net.wait_for("g2", self.hears_g2)

    def hears_g2(self):
        """Also that the switches learn where it is."""
        for vlans in ([], [(net.ETH_VLAN, 3)], [(net.ETH_QINQ, 4)]):
            self.guest.send(net.eth(self.src, self.dst, ETH_TEST, bytes(46),
                                    vlans))
        return len(self.front.drain()) == 3

    def good(self):
        frame, header = super().good()
        if not self.front.negotiated & CSUM and any(header):
            mark = frame[42:]
            frame = net.eth(self.dst, self.src, ETH_IP4, net.ip4(
                lies.A4, lies.B4, 17, net.udp(lies.A4, lies.B4, 5, 6, mark)))
            header = bytes(10)
        return frame, header

    def drops(self):
        return (net.drops_of("h1"),
                net.drops_of("h2") if self.is_overlay else {})

    def run_line(self, line, own=False):
        """One line of the guest's among 31 good frames."""
        self.first = self.serial + 1
        others = []
        before = self.drops()
        rx_before = net.packets_of("h1", self.port)[0]
        good = [self.front.line(*self.good()) for _ in range(lies.GOOD)]
        middle = lies.GOOD // 2
        self.front.burst(good[:middle] + [line] + good[middle:])
        self.await_good(others)
        self.front.send(*self.good())
        self.await_good(others)
        if not net.packets_of("h1", self.port)[0] - rx_before > lies.GOOD:
            raise net.Bad("the port's counter does not move")
        reached = net.packets_of("h1", self.port)[0] - rx_before \
            - lies.GOOD - 1
        new, far = (net.difference(a, b)
                    for a, b in zip(before, self.drops()))
        for hdr, frame in self.wire.drain() + others:
            if lies.MARK not in frame:
                net.check_frame(frame, hdr, 1500, not own)
        return reached, new, far, others

    def run(self, case, kind):
        made = lies.wrap(case, kind, self.dst, self.src)
        if not made:
            return "does not fit"
        reached, new, far, others = self.run_line(
            self.front.line(*made), case.own)
        if len(made[0]) and not reached:
            raise net.Bad("it did not reach the switch")
        if not reached:
            reached = sum(new.values())
        result = self.judge(None, reached, new, far, others)
        if kind == "plain" and case.name not in UNJUDGED \
                and self.front.negotiated & ALL == ALL:
            expected = expected_of(case, self.is_overlay)
            if (list(new) or [None])[0] != expected:
                raise net.Bad(f"{expected} was expected: {result}")
        return result


def headers(lab, kinds):
    for kind in kinds:
        for case in lies.all_cases(kind):
            yield f"{kind}, {case.name}", lambda: lab.run(case, kind)


def odd(lab, _):
    for name, hdr, frame, chain in odd_chains(lab):
        yield name, lambda: check_whole(lab, hdr, frame, chain)


# What the lies are called in a frame without VLAN or tunnel.  Those that are
# not named here are none, and arrive.
NAMES = {
    "vnet_gso_no_csum": (
        "flags: TCP without NEEDS_CSUM", "flags: UFO without NEEDS_CSUM",
        "flags: USO without NEEDS_CSUM"),
    "vnet_gso_type": (
        "gso_type: unknown 0x7f", "gso_type: unknown 2",
        "gso_type: tunnel bit 0x20", "gso_type: tunnel bit 0x40"),
    "vnet_gso_ecn": (
        "gso_type: the ECN bit alone", "gso_type: ECN with UFO",
        "gso_type: ECN with USO"),
    "vnet_gso_proto": (
        "gso_type: TCPV4 on IPv6", "gso_type: TCPV6 on IPv4",
        "gso_type: TCP on UDP", "gso_type: TCP on ICMP",
        "gso_type: TCP on ARP", "gso_type: UFO on TCP",
        "gso_type: USO on TCP"),
    "vnet_gso_size": (
        "gso_size: 0, TCP", "gso_size: 0, UFO", "gso_size: 0, USO",
        "gso_size: 1, TCP", "gso_size: 1, UFO", "gso_size: 1, USO",
        "gso_size: 7, UFO", "gso_size: 1 of 60000", "gso_size: 8 of 60000"),
    "vnet_csum_bounds": (
        "csum: starts at the end", "csum: starts beyond",
        "csum: wraps 16 bits", "csum: wraps to the start",
        "csum: second byte past the end"),
    "vnet_csum_place": (
        "csum: starts in Ethernet", "csum: starts in IP",
        "csum: starts in UDP", "csum: aimed at ports",
        "csum: aimed at IP addresses", "csum: aimed at payload",
        "csum: odd start", "csum, TCP super-packet: starts in TCP",
        "csum, TCP super-packet: aimed at ports",
        "csum, TCP super-packet: aimed at payload",
        "csum, TCP super-packet: starts in payload"),
    "parse_ip4_len": (
        "TCP super-packet: total length above",
        "TCP super-packet: total length 0"),
    "parse_ip4_ihl": ("TCP super-packet: IHL 4",),
    "parse_tcp_ofs": (
        "TCP super-packet: data offset 4",
        "TCP super-packet: data offset beyond"),
    "vnet_gso_flags": (
        "TCP super-packet: SYN", "TCP super-packet: RST",
        "TCP super-packet: URG"),
    "vnet_gso_frag": (
        "TCP super-packet: on a first fragment",
        "TCP super-packet: on a later fragment"),
    "parse_udp_len": (
        "UDP: length 0", "UDP: length 4", "UDP: length above IP's",
        "UDP: UFO, length 0", "UDP: length 4, small"),
    "vnet_gso_len": (
        "UDP: length below IP's", "UDP: UFO, length below IP's"),
    "vnet_csum_frag": ("UDP: NEEDS_CSUM on a later fragment",),
    "parse_ip6_ext": ("IPv6: 50 extension headers",),
    "parse_ip6_len": ("IPv6: payload length 0",),
    "virtq_short": ("0 bytes of Ethernet",),
    "parse_eth_short": ("1 bytes of Ethernet", "12 bytes of Ethernet",
                        "13 bytes of Ethernet"),
}
EXPECTED = {case: name for name, cases in NAMES.items() for case in cases}

# More datagrams than a kernel's own device takes in one go: its choice.
UNJUDGED = ("gso_size: 7, USO", "gso_size: 8, USO", "gso_size: 9, USO")


def expected_of(case, is_overlay):
    name = case.name
    if name.startswith("truncated to "):
        return "parse_ip4_short" if int(name.split()[2]) < 20 \
            else "parse_ip4_len"
    if is_overlay and name == "UDP: DF and too big":
        return "too_big"
    return EXPECTED.get(name)


def refused(lab, _):
    """With nothing negotiated, nothing may be claimed."""
    for features in (VERSION_1, VERSION_1 | CSUM,
                     VERSION_1 | CSUM | HOST_TSO4 | HOST_TSO6):
        lab.front.reconnect(features)
        for case in lies.type_cases():
            if "valid" not in case.name and case.name[10:13] not in ("UFO",
                                                                     "USO"):
                continue
            gso = case.hdr["gso"]
            is_fine = features & HOST_TSO4 and gso in (GSO_TCP4, GSO_TCP6)

            def run():
                result = lab.run(case, "plain")
                if is_fine != ("arrived" in result):
                    raise net.Bad(result)
                if not is_fine and "vnet_gso_type" not in result:
                    raise net.Bad(result)
                return result
            yield f"features {features:#x}, {case.name}", run
    lab.front.reconnect(VERSION_1)
    frame = net.eth(lab.dst, lab.src, ETH_IP4, lies.udp4(100))
    hdr = net.header(NEEDS_CSUM, 0, 42, 0, 34, 6)

    def run_csum():
        _, new, _, others = lab.run_line(lab.front.line(frame, hdr))
        if new != {"vnet_csum_offer": 1} or others:
            raise net.Bad(str(new))
        return str(new)
    yield "a checksum request", run_csum
    lab.front.reconnect(ALL)


def rings(lab, _):
    for kind, reason in RINGS.items():
        def run():
            _, new, far, others = lab.run_line("raw " + kind)
            if new != {reason: 1} or far or others:
                raise net.Bad(f"{new} instead of {reason}")
            return reason
        yield f"transmit, {kind}", run
    yield "transmit, index jumps", lambda: check_jump(lab)
    for kind, reason in RX_RINGS.items():
        yield f"receive, {kind}", lambda: check_rx_lie(lab, kind, reason)
    yield "contents change", lambda: check_mutation(lab)
    yield "mapped anew", lambda: check_remap(lab)


def check_jump(lab):
    before = lab.drops()[0]
    lab.front.tell("raw jump")
    lab.first = lab.serial + 1
    lab.front.send(*lab.good())
    lab.await_good([])
    new = net.difference(before, lab.drops()[0])
    if new != {"virtq_index": 1}:
        raise net.Bad(str(new))
    lab.first = lab.serial + 1
    for _ in range(40):
        lab.front.send(*lab.good())
    lab.await_good([])
    return "virtq_index"


def check_rx_lie(lab, kind, reason):
    """A receive buffer that is a lie costs the frame that would go there."""
    before = lab.drops()[0]
    lab.front.tell("rxlie " + kind)
    lab.guest.send(net.eth(lab.src, lab.dst, ETH_TEST, bytes(100)))
    got = lab.front.receive()
    if got and reason and got[1]:
        raise net.Bad("a frame came in a buffer that is none")
    new = net.difference(before, lab.drops()[0])
    if new != ({reason: 1} if reason else {}):
        raise net.Bad(f"{new} instead of {reason}")
    for i in range(10):
        frame = net.eth(lab.src, lab.dst, ETH_TEST, bytes([i]) * 1000)
        lab.guest.send(frame)
        got = lab.front.receive()
        if not got or got[1] != frame:
            raise net.Bad("a good frame behind it is lost")
    return str(new)


def check_mutation(lab):
    """Two versions of one frame, each good and bad, alternate in the ring's
    memory while the switch reads: whatever it made of them is one of them."""
    udp = net.eth(lab.dst, lab.src, ETH_IP4, lies.udp4(1400))
    tcp = net.eth(lab.dst, lab.src, ETH_IP4, lies.tcp4(1400))
    h1 = net.header(NEEDS_CSUM, 0, 42, 0, 34, 6)
    h2 = net.header(NEEDS_CSUM, GSO_TCP4, 54, 100, 34, 16)
    for i in range(20):
        words = lab.front.line(udp, h1).split()[1:] \
            + lab.front.line(tcp, h2).split()[1:]
        if lab.front.tell("mutate " + " ".join(words) + " 20") \
                != ["used", "1"]:
            raise net.Bad("the chain was not given back")
    lab.first = lab.serial + 1
    others = []
    lab.front.send(*lab.good())
    lab.await_good(others)
    for hdr, frame in lab.wire.drain() + others:
        if lies.MARK not in frame:
            net.check_frame(frame, hdr, 1500, False)
    return f"{len(others)} arrived"


def check_remap(lab):
    lab.first = lab.serial + 1
    for i in range(20):
        lab.front.send(*lab.good())
        lab.front.tell("remap")
    lab.await_good([])
    return "40 good frames"


def odd_chains(lab):
    """Good frames in chains of every shape."""
    frame = net.eth(lab.dst, lab.src, ETH_IP4, lies.udp4(1000))
    hdr = net.header(NEEDS_CSUM, 0, 42, 0, 34, 6)
    rng = random.Random(1)
    shapes = ["1," * 60, "12,14,20,8", "13,1,0,1,0,0,5", "5,7",
              "11,2", "12", "0,0,0,12", "1046"]
    shapes += [",".join(str(rng.randint(0, 60)) for _ in range(30))
               for _ in range(4)]
    for shape in shapes:
        for more in ("", " indirect"):
            yield (f"chain {shape}{more}", hdr, frame,
                   f"chain={shape.strip(',')}{more}")


def check_whole(lab, hdr, frame, chain):
    reached, new, far, others = lab.run_line(lab.front.line(frame, hdr, chain))
    if new or far or len(others) != 1:
        raise net.Bad(f"{reached} reached the switch, {len(others)} arrived,"
                      f" dropped {new} {far}")
    return "whole"


# --- super-packets -----------------------------------------------------------

def super_packets(lab, _):
    for n in (1, 1459, 1460, 1461, 3000, 20000, 60000, 65000):
        yield f"TCP {n}", lambda: check_tcp(lab, n, False, "PA")
        yield f"TCP6 {n}", lambda: check_tcp(lab, n, True, "PA")
        yield f"TCP {n}, ECN, FIN", lambda: check_tcp(lab, n, False, "PAFC")
    for n in (1, 1472, 1473, 8000, 60000, 65507):
        yield f"UFO {n}", lambda: check_udp(lab, n, False, GSO_UFO)
        yield f"UFO6 {n}", lambda: check_udp(lab, min(n, 65000), True,
                                             GSO_UFO)
    for n in (1300, 1301, 2600, 60000):
        yield f"USO {n}", lambda: check_udp(lab, n, False, GSO_USO)
        yield f"USO6 {n}", lambda: check_udp(lab, n, True, GSO_USO)


def arrived(lab, frame, hdr, chain=""):
    """What came of a frame at g2, each checked."""
    lab.first = lab.serial + 1
    before = lab.drops()
    others = []
    lab.front.send(frame, hdr, chain)
    lab.front.send(*lab.good())
    lab.await_good(others)
    # The good frame may overtake what was super until the kernel cut it.
    for hdr, got in lab.wire.drain() + others:
        if lies.MARK not in got:
            net.check_frame(got, hdr, 1500)
    for a, b in zip(before, lab.drops()):
        if net.difference(a, b):
            raise net.Bad(f"dropped: {net.difference(a, b)}")
    return [net.Seen(got) for _, got in others]


def check_tcp(lab, n, is_ip6, flags):
    a, b = (lies.A6, lies.B6) if is_ip6 else (lies.A4, lies.B4)
    data = net.pattern(n, 3)
    l4 = net.tcp(a, b, 1, 2, data, flags, seq=0xFFFFF000, partial=True,
                 options=b"\1\1\x08\x0a\0\1\2\3\4\5\6\7")
    l3 = net.ip6(a, b, 6, l4) if is_ip6 else net.ip4(a, b, 6, l4, df=True)
    frame = net.eth(lab.dst, lab.src, ETH_IP6 if is_ip6 else ETH_IP4, l3)
    start = 54 if is_ip6 else 34
    gso = (GSO_TCP6 if is_ip6 else GSO_TCP4) | (GSO_ECN if "C" in flags else 0)
    size = 1428 if n > 1428 else 0
    hdr = net.header(NEEDS_CSUM, gso if size else 0, start + 32, size, start,
                     16)
    stream = {}
    for seen in arrived(lab, frame, hdr, "chain=12,14,20"):
        seq = (int.from_bytes(seen.l4[4:8], "big") - 0xFFFFF000) & 0xFFFFFFFF
        head = (seen.l4[12] >> 4) * 4
        if seen.l4[20:head] != l4[20:32]:
            raise net.Bad("options are lost")
        bits, part = seen.l4[13], seen.l4[head:]
        is_first, is_last = not seq, seq + len(part) == n
        if bool(bits & 0x80) != ("C" in flags and is_first):
            raise net.Bad("CWR belongs on the first segment alone")
        if bool(bits & 1) != ("F" in flags and is_last):
            raise net.Bad("FIN belongs on the last segment alone")
        if seq in stream:
            raise net.Bad("a segment came twice")
        stream[seq] = part
    got = b"".join(stream[s] for s in sorted(stream))
    if got != data:
        raise net.Bad(f"{len(got)} of {n} bytes are right")
    return f"{len(stream)} segments"


def check_udp(lab, n, is_ip6, gso):
    a, b = (lies.A6, lies.B6) if is_ip6 else (lies.A4, lies.B4)
    data = net.pattern(n, 4)
    l4 = net.udp(a, b, 1, 2, data, True)
    l3 = net.ip6(a, b, 17, l4) if is_ip6 else net.ip4(a, b, 17, l4, ident=77)
    frame = net.eth(lab.dst, lab.src, ETH_IP6 if is_ip6 else ETH_IP4, l3)
    start = 54 if is_ip6 else 34
    size = 1300 if gso == GSO_USO else 1480 - (8 if is_ip6 else 0)
    hdr = net.header(NEEDS_CSUM, gso, start + 8, size, start, 6)
    seen = arrived(lab, frame, hdr, "chain=12,42")
    if gso == GSO_USO:
        got = b"".join(s.l4[8:] for s in seen)
        if got != data or any(len(s.l4) != 1308 for s in seen[:-1]):
            raise net.Bad(f"{len(got)} bytes in {len(seen)} datagrams")
        return f"{len(seen)} datagrams"
    whole = None
    if len(seen) == 1 and not seen[0].is_frag:
        whole = seen[0].l4
    else:
        reassembly = net.Reassembly()
        for s in seen:
            whole = reassembly.add(s) or whole
    total = net.pseudo(a, b, 17, len(l4))
    if not whole or whole[8:] != data or net.csum(whole, total) != 0xFFFF:
        raise net.Bad(f"{len(seen)} fragments make no datagram")
    return f"{len(seen)} fragments"


def report_b(lab, _):
    """A raw socket's datagram: what UFO takes for granted need not be so."""
    payload = net.pattern(60000, 8)
    good = net.udp(lies.A4, lies.B4, 1, 2, payload, True)
    plain = net.ip4(lies.A4, lies.B4, 17, good, ident=5)
    options = net.ip4(lies.A4, lies.B4, 17, good, ident=6,
                      options=b"\1" * 40)
    hdr = {"flags": NEEDS_CSUM, "gso": GSO_UFO, "hdr_len": 42, "size": 1480,
           "start": 34, "offset": 6}
    tail = net.ip4(lies.A4, lies.B4, 17, good, ident=7, frag=0x2000)
    other = net.ip4(lies.A4, lies.B4, 253, good, ident=8)
    short = net.ip4(lies.A4, lies.B4, 17, net.udp(
        lies.A4, lies.B4, 1, 2, payload, True, length=100), ident=9)
    for name, l3, changes, reason in (
            ("as it should be", plain, {}, None),
            ("options that the claim overlooks", options, {},
             "vnet_csum_place"),
            ("options", options, {"start": 74}, None),
            ("no UDP header", other, {}, "vnet_gso_proto"),
            ("a fragment already", tail, {}, "vnet_gso_frag"),
            ("UDP length of its own", short, {}, "vnet_gso_len"),
            ("header length 0", plain, {"hdr_len": 0}, None),
            ("header length 65535", plain, {"hdr_len": 65535}, None),
            ("without a checksum", plain, {"flags": 0}, "vnet_gso_no_csum"),
            ("checksum in the IP header", plain, {"start": 14, "offset": 10},
             "vnet_csum_place"),
            ("checksum beyond the end", plain, {"start": 60040},
             "vnet_csum_bounds"),
            ("size 0", plain, {"size": 0}, "vnet_gso_size"),
            ("size 7", plain, {"size": 7}, "vnet_gso_size"),
            ("size 8", plain, {"size": 8}, "vnet_gso_size"),
            ("size 65535", plain, {"size": 65535}, None)):
        frame = net.eth(lab.dst, lab.src, ETH_IP4, l3)

        def run():
            _, new, far, others = lab.run_line(
                lab.front.line(frame, net.header(**dict(hdr, **changes))))
            if far or new != ({reason: 1} if reason else {}):
                raise net.Bad(f"{new} {far} instead of {reason}")
            if reason:
                return reason
            reassembly = net.Reassembly()
            whole = None
            for _, got in others:
                whole = reassembly.add(net.Seen(got)) or whole
            total = net.pseudo(lies.A4, lies.B4, 17, len(good))
            if not whole or whole[8:] != payload \
                    or net.csum(whole, total) != 0xFFFF:
                raise net.Bad(f"{len(others)} fragments make no datagram")
            return f"whole, in {len(others)} fragments"
        yield name, run


# --- the guest receives ------------------------------------------------------

def receive(lab, _):
    for features in (ALL, VERSION_1 | MRG_RXBUF | GUEST_CSUM | GUEST_TSO4,
                     VERSION_1 | MRG_RXBUF | GUEST_CSUM, MRG_RXBUF,
                     VERSION_1, 0, GUEST_CSUM):
        lab.front.reconnect(features)
        for n in (1, 1460, 9000, 60000):
            yield f"features {features:#x}, TCP {n}", \
                lambda: check_receive_tcp(lab, n)
        for n in (1, 1472, 9000, 60000):
            yield f"features {features:#x}, UFO {n}", \
                lambda: check_receive_udp(lab, n)
    lab.front.reconnect(ALL)


def check_claims(front, hdr, frame):
    flags, gso, _, size, start, offset = struct.unpack("<BBHHHH", hdr)
    negotiated = front.negotiated
    if flags & ~(3 if negotiated & GUEST_CSUM else 0):
        raise net.Bad(f"flags {flags} were not negotiated")
    allowed = {0: 1, GSO_TCP4: GUEST_TSO4, GSO_TCP6: GUEST_TSO6,
               GSO_UFO: GUEST_UFO, GSO_USO: GUEST_USO4}
    if not negotiated & (allowed[gso & 0x7F] if gso & 0x7F else ~0):
        raise net.Bad(f"gso_type {gso} was not negotiated")
    if gso & GSO_ECN and not negotiated & GUEST_ECN:
        raise net.Bad("ECN was not negotiated")
    return net.check_frame(frame, hdr, 1500)


def from_g2(lab, kind, l3, hdr):
    lab.front.drain(0)
    lab.guest.send(net.eth(lab.src, lab.dst, kind, l3), hdr)
    frames = []
    for hdr, frame in lab.front.drain(0.3):
        frames.append((hdr, check_claims(lab.front, hdr, frame)))
    return frames


def check_receive_tcp(lab, n):
    data = net.pattern(n, 5)
    l3 = net.ip4(lies.B4, lies.A4, 6, net.tcp(lies.B4, lies.A4, 2, 1, data,
                                              seq=0, partial=True))
    hdr = net.header(NEEDS_CSUM, GSO_TCP4 if n > 1460 else 0, 54,
                     1460 if n > 1460 else 0, 34, 16)
    frames = from_g2(lab, ETH_IP4, l3, hdr)
    parts = {}
    for _, seen in frames:
        parts[int.from_bytes(seen.l4[4:8], "big")] = seen.l4[20:]
    got = b"".join(parts[s] for s in sorted(parts))
    if got != data:
        raise net.Bad(f"{len(got)} of {n} bytes came, in {len(frames)}")
    return f"{len(frames)} frames"


def check_receive_udp(lab, n):
    data = net.pattern(n, 6)
    l4 = net.udp(lies.B4, lies.A4, 2, 1, data, True)
    hdr = net.header(NEEDS_CSUM, GSO_UFO if n > 1472 else 0, 42,
                     1480 if n > 1472 else 0, 34, 6)
    frames = from_g2(lab, ETH_IP4, net.ip4(lies.B4, lies.A4, 17, l4), hdr)
    reassembly = net.Reassembly()
    whole = None
    for _, seen in frames:
        whole = seen.l4 if not seen.is_frag else reassembly.add(seen) or whole
    if not whole or whole[8:] != data:
        raise net.Bad(f"{len(frames)} frames make no datagram")
    return f"{len(frames)} frames"


def again(lab, _):
    """The offer is always the same; what was not negotiated is refused, and
    is accepted again when it is."""
    for i in range(6):
        features = VERSION_1 if i % 2 else ALL

        def run():
            lab.front.reconnect(features)
            if lab.front.offered & OFFERED != OFFERED:
                raise net.Bad(f"only {lab.front.offered:#x} is offered")
            case = next(c for c in lies.type_cases() if c.name ==
                        "gso_type: TCP, valid")
            result = lab.run(case, "plain")
            if ("arrived" in result) != (features == ALL):
                raise net.Bad(result)
            return result
        yield f"connection {i + 2}, features {features:#x}", run


def restart(lab, args):
    """The guest stays, the switch is another one."""
    for i in range(3):
        def run():
            run_dir = os.path.join(os.environ["LAB_DIR"], "h1")
            pid = int(open(f"{run_dir}/run/qanat-vswitchd.pid").read())
            os.kill(pid, signal.SIGKILL)
            subprocess.run(
                ["ip", "netns", "exec", os.environ["LAB_TAG"] + "-h1",
                 args[0], f"--rundir={run_dir}/run", f"--dbdir={run_dir}/db",
                 f"--logdir={run_dir}/log", "start"], check=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            lab.front.reconnect(ALL)
            net.wait_for("g2", lambda: lab.hears_g2())
            lab.first = lab.serial + 1
            for _ in range(100):
                lab.front.send(*lab.good())
            lab.await_good([])
            return "100 good frames"
        yield f"start {i + 2}", run


COMMANDS = {"odd": odd, "report-b": report_b, "restart": restart,
            "headers": headers, "refused": refused, "rings": rings,
            "super": super_packets, "receive": receive, "again": again}


def main():
    verbose = "-v" in sys.argv
    args = [a for a in sys.argv[1:] if a != "-v"]
    if len(args) < 2 or args[0] not in COMMANDS:
        sys.exit(__doc__)
    options = ["-b", "70000"] if args[0] == "receive" else []
    front = Front(args[1], ALL, *options)
    lab = Lab(front, verbose)
    failures = 0
    for name, run in COMMANDS[args[0]](lab, args[2:]):
        try:
            result, failed = run(), False
        except net.Bad as e:
            result, failed = f"FAILED: {e}", True
            lab.guest.drain()
            lab.wire.drain()
        failures += failed
        if failed or verbose:
            print(f"{name}: {result}", flush=True)
    front.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
