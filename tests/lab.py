#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small programs that the end-to-end tests run inside their namespaces.

Usage: lab.py COMMAND ARGUMENT...

  tcp-server PORT              echo one connection's bytes back, then end
  tcp-client HOST PORT BYTES   send BYTES, check that they come back the same
  udp-receive PORT COUNT SECS  count numbered datagrams; status 1 if any of
                               COUNT is lost, doubled or out of order
  udp-send HOST PORT COUNT RATE [SIZE]
                               send COUNT numbered datagrams, RATE a second
  arp-ask DEV ADDRESS SECS     ask who has ADDRESS; print each answer's MAC
  vlan DEV ID NAME             be a VLAN interface NAME on DEV (802.1Q for
                               kernels that have none); ends with SIGTERM
  send DEV HEX...              send frames as they are
  iperf FILE                   Gbit/s that iperf3's JSON says were received
"""

import fcntl
import hashlib
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

ETH_P_ALL = 3
ETH_P_8021Q = 0x8100
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
TP_STATUS_VLAN_VALID = 1 << 4

TUNSETIFF = 0x400454CA
TUNSETOFFLOAD = 0x400454D0
TUNSETVNETHDRSZ = 0x400454D8
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
TUN_F_CSUM = 1
TUN_F_TSO4 = 2
TUN_F_TSO6 = 4
VNET_HDR_LEN = 10
SIOCGIFHWADDR = 0x8927
SIOCSIFHWADDR = 0x8924


def pattern(size, seed):
    """Bytes that differ everywhere, the same for the same seed."""
    block = b"".join(hashlib.sha256(struct.pack("!II", seed, i)).digest()
                     for i in range(2048))
    return (block * (size // len(block) + 1))[:size]


def listen(port):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM) \
        if has_ipv6() else socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    s.listen(1)
    return s


def has_ipv6():
    return os.path.exists("/proc/net/if_inet6")


def tcp_server(port):
    connection, _ = listen(int(port)).accept()
    connection.settimeout(30)
    while True:
        data = connection.recv(1 << 18)
        if not data:
            break
        connection.sendall(data)
    connection.close()


def tcp_client(host, port, size):
    data = pattern(int(size), 1)
    received = bytearray()
    s = socket.create_connection((host, int(port)), timeout=15)
    s.settimeout(30)

    def send():
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    while True:
        chunk = s.recv(1 << 18)
        if not chunk:
            break
        received += chunk
    if received != data:
        common = os.path.commonprefix([bytes(received), data])
        sys.exit(f"{len(data)} bytes sent, {len(received)} came back, the "
                 f"first {len(common)} are right")


def udp_receive(port, count, seconds):
    count = int(count)
    s = socket.socket(socket.AF_INET6 if has_ipv6() else socket.AF_INET,
                      socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    s.bind(("", int(port)))
    deadline = time.monotonic() + float(seconds)
    seen = [0] * count
    last = -1
    disorder = 0
    total = 0
    while total < count or last < count - 1:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        s.settimeout(left)
        try:
            number = struct.unpack("!I", s.recv(65536)[:4])[0]
        except socket.timeout:
            break
        if number >= count:
            break               # The sender's sign that it is done.
        seen[number] += 1
        disorder += number < last
        last = max(last, number)
        total += 1
    lost = [i for i, n in enumerate(seen) if not n]
    doubled = sum(1 for n in seen if n > 1)
    print(f"{total} received, {len(lost)} lost, {doubled} doubled, "
          f"{disorder} out of order; first lost: {lost[:20]}")
    return 1 if lost or doubled or disorder else 0


def udp_send(host, port, count, rate, size="64"):
    count, rate, size = int(count), float(rate), int(size)
    address = socket.getaddrinfo(host, int(port), 0, socket.SOCK_DGRAM)[0]
    s = socket.socket(address[0], socket.SOCK_DGRAM)
    s.connect(address[4])
    start = time.monotonic()
    filler = bytes(max(0, size - 4))
    for number in range(count):
        ahead = start + number / rate - time.monotonic()
        if ahead > 0.001:
            time.sleep(ahead)
        s.send(struct.pack("!I", number) + filler)
    for _ in range(3):
        time.sleep(0.2)
        try:
            s.send(struct.pack("!I", 0xFFFFFFFF))
        except ConnectionRefusedError:
            return              # The receiver has all and is gone.


def own_mac(dev):
    with socket.socket() as s:
        request = fcntl.ioctl(s, SIOCGIFHWADDR, struct.pack("256s",
                                                            dev.encode()))
    return request[18:24]


def arp_ask(dev, address, seconds):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x806))
    s.bind((dev, 0x806))
    mac = own_mac(dev)
    target = socket.inet_aton(address)
    s.send(b"\xff" * 6 + mac + b"\x08\x06"
           + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + mac + bytes(4)
           + bytes(6) + target)
    deadline = time.monotonic() + float(seconds)
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        s.settimeout(left)
        try:
            frame = s.recv(2048)
        except socket.timeout:
            return
        if frame[20:22] == b"\0\2" and frame[28:32] == target:
            print(":".join(f"{b:02x}" for b in frame[22:28]), flush=True)


def send(dev, *frames):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((dev, 0))
    for frame in frames:
        s.send(bytes.fromhex(frame))


def vlan(dev, vlan_id, name):
    """Joins a tap NAME to DEV, tagging what goes out and untagging what comes
    in, super-packets included."""
    tag = struct.pack("!HH", ETH_P_8021Q, int(vlan_id))
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack(
        "16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(tap, TUNSETVNETHDRSZ, struct.pack("i", VNET_HDR_LEN))
    fcntl.ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    with socket.socket() as s:
        fcntl.ioctl(s, SIOCSIFHWADDR, struct.pack(
            "16sH6s232x", name.encode(), 1, own_mac(dev)))

    nic = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                        socket.htons(ETH_P_ALL))
    nic.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    nic.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    nic.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    nic.bind((dev, ETH_P_ALL))

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    poll = select.poll()
    poll.register(tap, select.POLLIN)
    poll.register(nic, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == tap:
                frame = os.read(tap, 1 << 17)
                write_tagged(nic, frame, tag)
            else:
                frame = read_untagged(nic, int(vlan_id))
                if frame:
                    write_quietly(tap, frame)


def shift_csum_start(header, by):
    flags, kind, hdr_len, size, start, offset = struct.unpack("<BBHHHH",
                                                              header)
    if flags & 1:
        start += by
        hdr_len += by if hdr_len else 0
    return struct.pack("<BBHHHH", flags, kind, hdr_len, size, start, offset)


def write_tagged(nic, frame, tag):
    header = shift_csum_start(frame[:VNET_HDR_LEN], len(tag))
    frame = frame[VNET_HDR_LEN:]
    try:
        nic.send(header + frame[:12] + tag + frame[12:])
    except OSError:
        pass                    # The NIC is down: a frame is lost there, too.


def read_untagged(nic, vlan_id):
    frame, extra, _, _ = nic.recvmsg(1 << 17, 256)
    header, frame = frame[:VNET_HDR_LEN], frame[VNET_HDR_LEN:]
    for level, kind, data in extra:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                return header + frame if tci & 0xFFF == vlan_id else None
    if frame[12:14] == b"\x81\x00":
        if struct.unpack("!H", frame[14:16])[0] & 0xFFF == vlan_id:
            return shift_csum_start(header, -4) + frame[:12] + frame[16:]
    return None


def write_quietly(tap, frame):
    try:
        os.write(tap, frame)
    except OSError:
        pass                    # The interface is down.


def iperf(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    try:
        result = json.loads(text)
        end = result["end"]
        bits = end["sum_received" if "sum_received" in end else "sum"][
            "bits_per_second"]
    except (ValueError, KeyError):
        sys.exit("iperf3 failed: " + text.strip()[-200:])
    print(f"{bits / 1e9:.2f}")


COMMANDS = {
    "tcp-server": tcp_server,
    "tcp-client": tcp_client,
    "udp-receive": udp_receive,
    "udp-send": udp_send,
    "arp-ask": arp_ask,
    "vlan": vlan,
    "send": send,
    "iperf": iperf,
}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    return COMMANDS[sys.argv[1]](*sys.argv[2:]) or 0


if __name__ == "__main__":
    sys.exit(main())
