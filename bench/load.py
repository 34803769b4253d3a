#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One measurement: a load from one network namespace to another.

Usage: load.py tcp FROM TO WIRE ADDRESS SECONDS STREAMS
       load.py udp FROM TO WIRE ADDRESS SECONDS BYTES

FROM and TO are NAMESPACE@CPU; ADDRESS is one of TO's.  WIRE is
NAMESPACE@DEVICE: outer IP fragments that this device receives meanwhile are
counted.  TCP is iperf3 with STREAMS connections; UDP is one socket that sends
datagrams of BYTES as fast as it can, and another that counts what arrives
whole.

Prints "GBIT_PER_S FRAGMENTS NOTE": the rate of the payload that arrived, and
"-" or one word for why it is 0.  A load that does not get through is a result
and no error; the status is 1 only if the measurement itself failed.
"""

import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

TCP_PORT = 5201
UDP_PORT = 5302
CONNECT_MS = 1000
GRACE_S = 3             # What a load may need beyond its SECONDS.
DRAIN_S = 0.3           # Nothing for so long after the end: all has arrived.
RCVBUF_BYTES = 8 << 20

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_IGNORE_OUTGOING = 23
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)
children = []


def enter(namespace):
    with open(f"/run/netns/{namespace}", "rb") as f:
        if libc.setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


class FragmentCounter:
    """Counts in the kernel, by a socket that never takes a packet.

    A capture would copy each fragment, and slow down whoever makes many.
    Packets that find the receive buffer full are in the statistics too.
    """

    # Offsets are from the network header, as the socket is SOCK_DGRAM.
    PROTOCOL = 0xFFFFF000       # The ancillary word for skb->protocol.
    FILTER = [
        (0x28, 0, 0, PROTOCOL),         # ldh protocol
        (0x15, 0, 2, 0x0800),           # IPv4?
        (0x28, 0, 0, 6),                # ldh flags and offset
        (0x45, 3, 4, 0x3FFF),           # MF or an offset
        (0x15, 0, 3, 0x86DD),           # IPv6?
        (0x30, 0, 0, 6),                # ldb next header
        (0x15, 0, 1, 44),               # Fragment
        (0x06, 0, 0, 1),                # take one byte
        (0x06, 0, 0, 0),                # ignore
    ]

    def __init__(self, namespace, device):
        enter(namespace)
        # No protocol before the filter is there, so nothing comes too early.
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        code = b"".join(struct.pack("HBBI", *op) for op in self.FILTER)
        buf = ctypes.create_string_buffer(code)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
            "HP", len(self.FILTER), ctypes.addressof(buf)))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        # Else every packet sent would be cloned for this socket.
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((device, ETH_P_ALL))
        self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)

    def count(self):
        stats = self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return struct.unpack("II", stats)[0]


# --- TCP -------------------------------------------------------------------

def start_iperf(place, *args):
    namespace, cpu = place
    child = subprocess.Popen(
        ["ip", "netns", "exec", namespace, "taskset", "-c", cpu, "iperf3",
         "-p", str(TCP_PORT), *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    children.append(child)
    return child


def wait_for_line(child, word, seconds):
    """Waits until CHILD says WORD; it must not be read from before."""
    text = b""
    deadline = time.monotonic() + seconds
    os.set_blocking(child.stdout.fileno(), False)
    while word not in text:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
            sys.exit("load: iperf3 does not listen")
        piece = child.stdout.read()
        if not piece:
            sys.exit("load: iperf3 does not listen: " + text.decode())
        text += piece


def tcp(source, target, address, seconds, n_streams):
    server = start_iperf(target, "-s", "-1", "--forceflush")
    wait_for_line(server, b"listening", 5)
    client = start_iperf(source, "-c", address, "-J", "-t", str(seconds),
                         "-P", str(n_streams),
                         "--connect-timeout", str(CONNECT_MS))
    try:
        text = client.communicate(timeout=seconds + GRACE_S)[0]
    except subprocess.TimeoutExpired:
        return 0, "stuck"
    try:
        result = json.loads(text)
    except ValueError:
        return 0, "failed"
    if "error" in result:
        if "connect" in result["error"]:
            return 0, "no-connection"
        return 0, "broken"
    rate = result["end"]["sum_received"]["bits_per_second"] / 1e9
    return rate, "-" if rate >= 0.0005 else "nothing-arrives"


# --- UDP -------------------------------------------------------------------

def start_child(place, function, *args):
    """Forks a child that runs FUNCTION in a namespace, on its CPU."""
    namespace, cpu = place
    pid = os.fork()
    if pid:
        children.append(pid)
        return pid
    status = 1
    try:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        children.clear()        # They are the parent's.
        os.sched_setaffinity(0, {int(cpu)})
        enter(namespace)
        function(*args)
        status = 0
    finally:
        os._exit(status)


def send(address, seconds, size):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, UDP_PORT))
    data = os.urandom(size)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(8):
            try:
                sock.send(data)
            except OSError:
                # A full queue or an ICMP answer; a real sender goes on too.
                pass


def receive(ready, done, answer, size):
    """Counts until nothing comes any more after DONE was closed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                    struct.pack("ll", 0, int(DRAIN_S * 1e6)))
    sock.bind(("", UDP_PORT))
    os.write(ready, b"r")
    buf = bytearray(65536)
    n_whole = 0
    first = last = 0.0
    while True:
        try:
            n = sock.recv_into(buf)
        except BlockingIOError:
            if select.select([done], [], [], 0)[0]:
                break
            continue
        last = time.monotonic()
        first = first or last
        n_whole += n == size
    os.write(answer, struct.pack("Qd", n_whole, last - first))


def udp(source, target, address, seconds, size):
    ready_r, ready_w = os.pipe()
    done_r, done_w = os.pipe()
    answer_r, answer_w = os.pipe()

    def receiver():
        os.close(done_w)
        receive(ready_w, done_r, answer_w, size)

    start_child(target, receiver)
    if not select.select([ready_r], [], [], 5)[0]:
        sys.exit("load: the receiver does not start")
    sender = start_child(source, send, address, seconds, size)
    os.waitpid(sender, 0)
    children.remove(sender)
    os.close(done_w)
    if not select.select([answer_r], [], [], GRACE_S)[0]:
        sys.exit("load: the receiver does not end")
    n_whole, span = struct.unpack("Qd", os.read(answer_r, 16))
    rate = n_whole * size * 8 / max(span, seconds) / 1e9
    return rate, "-" if n_whole else "nothing-arrives"


# --- the whole -------------------------------------------------------------

def end_children():
    for child in children:
        try:
            if isinstance(child, int):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            else:
                child.kill()
                child.wait()
        except (ProcessLookupError, ChildProcessError):
            pass


def interrupted(*_):
    end_children()
    os._exit(1)


def main():
    if len(sys.argv) != 8 or sys.argv[1] not in ("tcp", "udp"):
        sys.exit(__doc__)
    load = tcp if sys.argv[1] == "tcp" else udp
    source, target = (place.split("@") for place in sys.argv[2:4])
    namespace, device = sys.argv[4].split("@")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        counter = FragmentCounter(namespace, device)
        rate, note = load(source, target, sys.argv[5], int(sys.argv[6]),
                          int(sys.argv[7]))
        print(f"{rate:.3f} {counter.count()} {note}")
    finally:
        end_children()


if __name__ == "__main__":
    main()
