# SPDX-License-Identifier: Apache-2.0
"""What the tests of offloading share: frames, their checks, sockets in other
namespaces, the switch's counters.

A test program is one process with a socket in each place that it watches, so
that it needs no timing: what it sent has arrived when a later frame has.
LAB_DIR and LAB_TAG are those of lab.sh.
"""

import contextlib
import ctypes
import json
import os
import socket
import struct
import sys
import time

ETH_P_ALL = 3
ETH_IP4 = 0x0800
ETH_ARP = 0x0806
ETH_IP6 = 0x86DD
ETH_VLAN = 0x8100
ETH_QINQ = 0x88A8
ETH_TEST = 0x88B5               # IEEE 802, local experiments.
SO_RCVBUFFORCE = 33
SO_SNDBUFFORCE = 32
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
TP_STATUS_VLAN_VALID = 1 << 4
CLONE_NEWNET = 0x40000000

NEEDS_CSUM, DATA_VALID, RSC_INFO = 1, 2, 4
GSO_NONE, GSO_TCP4, GSO_UFO, GSO_TCP6, GSO_USO, GSO_ECN = 0, 1, 3, 4, 5, 0x80
VNET_LEN = 10

DEADLINE = 15                   # Seconds that nothing should take.

TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64,
             "C": 128}


# --- namespaces, sockets, the switch -----------------------------------------

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(name):
    """In the network namespace of the laboratory's machine NAME."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{os.environ['LAB_TAG']}-{name}", os.O_RDONLY)
    try:
        if _libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        _libc.setns(here, CLONE_NEWNET)
        os.close(here)
        os.close(there)


def make_socket(name, *args):
    with inside(name):
        s = socket.socket(*args)
    with contextlib.suppress(OSError):
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        s.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20)
    s.settimeout(DEADLINE)
    return s


def mac_of(name, dev):
    with make_socket(name, socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind((dev, 0))
        return s.getsockname()[4]


def appctl(host, command, *args):
    """What the switch on HOST answers."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(DEADLINE)
        s.connect(f"{os.environ['LAB_DIR']}/{host}/run/qanat-vswitchd.ctl")
        s.sendall(json.dumps({"id": 0, "method": command,
                              "params": list(args)}).encode())
        text = b""
        while True:
            chunk = s.recv(1 << 16)
            text += chunk
            try:
                reply = json.loads(text)
                break
            except ValueError:
                if not chunk:
                    raise
    if reply["error"]:
        sys.exit(f"{command}: {reply['error']}")
    return reply["result"]


def drops_of(host):
    """All drops by name."""
    drops = {}
    for line in appctl(host, "coverage/show").splitlines():
        words = line.split()
        if line.startswith("drop_"):
            drops[words[0][5:]] = int(words[2])
    return drops


def offload_of(host, port="total"):
    """What offload/show says of PORT."""
    values, title = {}, None
    for line in appctl(host, "offload/show").splitlines():
        if not line.startswith(" "):
            title = line.rstrip(":")
        elif title == port:
            key, value = line.split(":")
            values[key.strip()] = int(value)
    return values


def packets_of(host, port):
    """(received, sent) packets of PORT."""
    lines = appctl(host, "dpctl/show", "-s").splitlines()
    at = next(i for i, line in enumerate(lines)
              if line.strip().split(": ", 1)[-1].split(" ")[0] == port)
    return tuple(int(lines[at + i].split(":")[1].split()[0]) for i in (1, 2))


def difference(before, after):
    """What has changed in a dictionary of numbers."""
    return {k: v - before.get(k, 0) for k, v in after.items()
            if v != before.get(k, 0)}


def wait_for(what, condition):
    """Until CONDITION() is true; returns that."""
    deadline = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.01)


# --- packet sockets ----------------------------------------------------------

class Port:
    """A packet socket with virtio-net headers on a device."""

    def __init__(self, name, dev):
        self.socket = make_socket(name, socket.AF_PACKET, socket.SOCK_RAW, 0)
        s = self.socket
        s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.bind((dev, ETH_P_ALL))

    def send(self, frame, header=bytes(VNET_LEN)):
        self.socket.send(header + frame)

    def receive(self, timeout=DEADLINE):
        """(virtio-net header, frame with its VLAN tag), or None."""
        self.socket.settimeout(timeout)
        try:
            data, extra, _, _ = self.socket.recvmsg(1 << 17, 256)
        except (TimeoutError, BlockingIOError):
            return None
        header, frame = data[:VNET_LEN], data[VNET_LEN:]
        for level, kind, aux in extra:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH",
                                                              aux[:20])
                if status & TP_STATUS_VLAN_VALID:
                    frame = (frame[:12] + struct.pack("!HH", tpid or ETH_VLAN,
                                                      tci) + frame[12:])
                    header = shift_header(header, 4)
        return header, frame

    def drain(self):
        """All that is there."""
        frames = []
        while True:
            got = self.receive(0)
            if not got:
                return frames
            frames.append(got)


def header(flags=0, gso=0, hdr_len=0, size=0, start=0, offset=0):
    return struct.pack("<BBHHHH", flags, gso, hdr_len & 0xFFFF, size & 0xFFFF,
                       start & 0xFFFF, offset & 0xFFFF)


def shift_header(hdr, by):
    flags, gso, hdr_len, size, start, offset = struct.unpack("<BBHHHH", hdr)
    if flags & NEEDS_CSUM:
        start += by
    return header(flags, gso, hdr_len, size, start, offset)


# --- making packets ----------------------------------------------------------

def csum(data, add=0):
    """The Internet checksum, not yet complemented."""
    if len(data) % 2:
        data += b"\0"
    total = add + sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def addr(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else
                            socket.AF_INET, text)


def pseudo(src, dst, proto, length):
    return csum(addr(src) + addr(dst) + struct.pack("!IHH", length, 0, proto))


def eth(dst, src, kind, payload, vlans=()):
    tags = b"".join(struct.pack("!HH", tpid, tci) for tpid, tci in vlans)
    return dst + src + tags + struct.pack("!H", kind) + payload


def ip4(src, dst, proto, payload, df=False, ident=0, frag=0, tos=0, ttl=64,
        tot_len=None, ihl=5, options=b""):
    ihl += len(options) // 4
    length = 20 + len(options) + len(payload) if tot_len is None else tot_len
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, tos, length & 0xFFFF, ident,
                       frag | (0x4000 if df else 0), ttl, proto, 0)
    head += addr(src) + addr(dst) + options
    total = ~csum(head) & 0xFFFF
    return head[:10] + struct.pack("!H", total) + head[12:] + payload


def ip6(src, dst, proto, payload, length=None, tc=0):
    return struct.pack("!IHBB", 6 << 28 | tc << 20,
                       len(payload) if length is None else length, proto,
                       64) + addr(src) + addr(dst) + payload


def put_csum(l4, at, src, dst, proto, partial):
    total = pseudo(src, dst, proto, len(l4))
    if not partial:
        total = ~csum(l4, total) & 0xFFFF
        if proto == 17 and not total:
            total = 0xFFFF
    return l4[:at] + struct.pack("!H", total) + l4[at + 2:]


def udp(src, dst, sport, dport, payload, partial=False, length=None,
        no_csum=False):
    l4 = struct.pack("!HHHH", sport, dport,
                     (8 + len(payload) if length is None else length)
                     & 0xFFFF, 0) + payload
    return l4 if no_csum else put_csum(l4, 6, src, dst, 17, partial)


def tcp(src, dst, sport, dport, payload, flags="PA", seq=1, ack=1, doff=5,
        options=b"", partial=False):
    doff += len(options) // 4
    bits = sum(TCP_FLAGS[f] for f in flags)
    l4 = struct.pack("!HHIIHHHH", sport, dport, seq & 0xFFFFFFFF, ack,
                     doff << 12 | bits, 1000, 0, 7 if "U" in flags else 0)
    return put_csum(l4 + options + payload, 16, src, dst, 6, partial)


def pattern(size, seed=0):
    """Bytes that differ everywhere, the same for the same seed."""
    block = bytes((i * 167 + (i >> 8) * 59 + seed * 31) & 0xFF
                  for i in range(4096))
    out = bytearray()
    while len(out) < size:
        out += struct.pack("!I", len(out) ^ seed) + block
    return bytes(out[:size])


# --- reading packets ---------------------------------------------------------

class Bad(Exception):
    """A packet that must not be."""


class Seen:
    """A frame taken apart: l3 is the IP packet without padding."""

    def __init__(self, frame):
        self.frame = frame
        self.vlans = []
        self.l3 = self.l4 = b""
        self.version = self.proto = self.frag = 0
        at = 12
        kind = int.from_bytes(frame[at:at + 2], "big")
        while kind in (ETH_VLAN, ETH_QINQ):
            self.vlans.append((kind, int.from_bytes(frame[at + 2:at + 4],
                                                    "big")))
            at += 4
            kind = int.from_bytes(frame[at:at + 2], "big")
        self.kind = kind
        self.l3_ofs = at + 2
        data = frame[self.l3_ofs:]
        if kind == ETH_IP4 and len(data) >= 20:
            self._read_ip4(data)
        elif kind == ETH_IP6 and len(data) >= 40:
            self._read_ip6(data)

    def _read_ip4(self, data):
        self.version = 4
        ihl = (data[0] & 15) * 4
        length, self.ident, self.frag = struct.unpack("!HHH", data[2:8])
        self.tos, self.proto = data[1], data[9]
        self.src, self.dst = data[12:16], data[16:20]
        self.claims = length
        self.l3, self.l4 = data[:length], data[ihl:length]
        self.head = data[:ihl]
        self.df = bool(self.frag & 0x4000)
        self.more = bool(self.frag & 0x2000)
        self.frag_ofs = (self.frag & 0x1FFF) * 8

    def _read_ip6(self, data):
        self.version = 6
        length = int.from_bytes(data[4:6], "big")
        self.tos = int.from_bytes(data[:2], "big") >> 4 & 0xFF
        self.proto = data[6]
        self.src, self.dst = data[8:24], data[24:40]
        self.claims = length + 40
        self.l3, self.l4 = data[:40 + length], data[40:40 + length]
        self.head, self.df, self.more, self.frag_ofs = data[:40], True, 0, 0
        while self.proto in (0, 43, 60, 44) and len(self.l4) >= 8:
            if self.proto == 44:
                self.frag_ofs = int.from_bytes(self.l4[2:4], "big") & 0xFFF8
                self.more = self.l4[3] & 1
                self.ident = self.l4[4:8]
                size = 8
            else:
                size = (self.l4[1] + 1) * 8
            self.proto, self.l4 = self.l4[0], self.l4[size:]

    @property
    def is_frag(self):
        return bool(self.version and (self.more or self.frag_ofs))


def check_frame(frame, hdr=bytes(VNET_LEN), mtu=65535, sums=True):
    """Raises Bad unless the frame is one that may stand on a wire, or will be
    once what the header asks for is done.  Looks into our tunnels, too."""
    flags, gso, _, size, start, offset = struct.unpack("<BBHHHH", hdr)
    seen = Seen(frame)
    if gso and not flags & NEEDS_CSUM:
        raise Bad("GSO without a checksum request")
    if not seen.version:
        if len(frame) - seen.l3_ofs > mtu:
            raise Bad(f"{len(frame)} bytes")
        return seen
    if seen.claims > len(frame) - seen.l3_ofs:
        raise Bad(f"IP length {seen.claims} of {len(frame) - seen.l3_ofs}")
    if gso & 0x7F:
        payload = start + (frame[start + 12] >> 4) * 4 \
            if gso & 0x7F in (GSO_TCP4, GSO_TCP6) else start + 8
        if payload - seen.l3_ofs + size > mtu:
            raise Bad(f"gso_size {size} is too much for {mtu}")
    elif len(seen.l3) > mtu:
        raise Bad(f"{len(seen.l3)} bytes of IP, MTU {mtu}")
    if seen.version == 4 and csum(seen.head) != 0xFFFF:
        raise Bad("the IP header's checksum is wrong")
    if seen.is_frag:
        if flags & NEEDS_CSUM:
            raise Bad("a checksum request on a fragment")
        return seen
    if flags & NEEDS_CSUM:
        if start + offset + 2 > len(frame):
            raise Bad("the checksum is outside")
        return seen
    if sums:
        check_l4(seen)
    return seen


def check_l4(seen):
    total = csum(seen.src + seen.dst
                 + struct.pack("!IHH", len(seen.l4), 0, seen.proto))
    if seen.proto == 17:
        if int.from_bytes(seen.l4[4:6], "big") != len(seen.l4):
            raise Bad("the UDP length is wrong")
        if seen.l4[6:8] != b"\0\0" and csum(seen.l4, total) != 0xFFFF:
            raise Bad("the UDP checksum is wrong")
        if seen.l4[2:4] == struct.pack("!H", 4789):
            check_frame(seen.l4[16:])
    elif seen.proto == 6 and csum(seen.l4, total) != 0xFFFF:
        raise Bad("the TCP checksum is wrong")
    elif seen.proto == 1 and csum(seen.l4) != 0xFFFF:
        raise Bad("the ICMP checksum is wrong")
    elif seen.proto == 58 and csum(seen.l4, total) != 0xFFFF:
        raise Bad("the ICMPv6 checksum is wrong")
    elif seen.proto == 47 and seen.l4[2:4] == b"\x65\x58":
        size = 4 + sum(4 for bit in (0x80, 0x20, 0x10) if seen.l4[0] & bit)
        if seen.l4[0] & 0x80 and csum(seen.l4) != 0xFFFF:
            raise Bad("the GRE checksum is wrong")
        check_frame(seen.l4[size:])


class Reassembly:
    """Fragments of one datagram, which must not overlap."""

    def __init__(self):
        self.parts = {}
        self.total = None

    def add(self, seen):
        """The datagram when it is whole: its L4 bytes, else None."""
        if seen.more and len(seen.l4) % 8:
            raise Bad("a fragment of an odd length")
        if seen.frag_ofs in self.parts:
            raise Bad("a fragment came twice")
        self.parts[seen.frag_ofs] = seen.l4
        if not seen.more:
            self.total = seen.frag_ofs + len(seen.l4)
        at, data = 0, b""
        for ofs in sorted(self.parts):
            if ofs < at:
                raise Bad("fragments overlap")
            if ofs > at:
                return None
            data += self.parts[ofs]
            at = len(data)
        return data if at == self.total else None
