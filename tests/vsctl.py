#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vsctl.py SOCK_A SOCK_B FILE: is qanat-vsctl like ovs-vsctl?

Each line of FILE is the arguments of one command, as a POSIX shell would take
them.  ovs-vsctl runs it on the database server at SOCK_A and qanat-vsctl on
the one at SOCK_B, which hold the same when it begins.  What they print, what
kind of message they give, and their exit status must be alike, and both
databases must hold the same afterwards; UUIDs, and the order of rows that
follows from them, do not count.

A line that begins with "= " only reads: both programs run on SOCK_A, and must
print exactly the same.  A line that begins with "! " is a command that
qanat-vsctl refuses and ovs-vsctl does not; only qanat-vsctl runs.

Tells each difference, and ends with status 1 if there is one."""

import json
import re
import shlex
import subprocess
import sys

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPTIONS = ["--no-wait", "--no-syslog", "--timeout=5"]


def run(program, sock, args):
    """Returns standard output, standard error and status."""
    done = subprocess.run([program, "--db=unix:" + sock] + OPTIONS + args,
                          stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout, done.stderr, done.returncode


def normalize(output):
    """Output without UUIDs and without the order that depends on them."""
    text = UUID.sub("<uuid>", output.decode("utf-8", "replace"))
    return sorted(text.splitlines())


def classify(errors, status):
    """What kind of message a program gave."""
    text = errors.decode("utf-8", "replace")
    if "Sanitizer" in text or "runtime error" in text:
        return "SANITIZER"
    if status < 0:
        return "signal"
    if status == 1:
        return "error" if text else "ERROR WITHOUT A WORD"
    return "warning" if text else "nothing"


def named(errors, args):
    """The arguments that a message mentions, other than commands.  (Messages
    that repeat the whole command line are left out of account.)"""
    text = errors.decode("utf-8", "replace")
    if " ".join(args).lstrip("- ") in text.replace("--", ""):
        return set()
    commands = set()
    is_command = True
    for arg in args:
        if is_command and not arg.startswith("-"):
            commands.add(arg)
            is_command = False
        elif arg == "--":
            is_command = True
    return {arg for arg in args
            if len(arg) > 1 and not arg.startswith("-")
            and arg not in commands
            and re.search(r"(?<![\w-])" + re.escape(arg) + r"(?![\w-])",
                          text)}


def read(sock):
    """The whole database, rows within the rows that refer to them."""
    def client(*args):
        return json.loads(subprocess.check_output(
            ["ovsdb-client", args[0], "unix:" + sock] + list(args[1:])))

    tables = sorted(client("get-schema", "Open_vSwitch")["tables"])
    results = client("transact", json.dumps(
        ["Open_vSwitch"] + [{"op": "select", "table": t, "where": []}
                            for t in tables]))
    rows = {row["_uuid"][1]: dict(row, _table=table)
            for table, result in zip(tables, results)
            for row in result["rows"]}

    def show(value, above):
        if not isinstance(value, list) or len(value) != 2:
            return value
        if value[0] == "uuid":
            if value[1] in above or value[1] not in rows:
                return "<row>"
            return show_row(value[1], above)
        if value[0] == "set":
            return sorted((show(v, above) for v in value[1]), key=json.dumps)
        if value[0] == "map":
            return sorted(([show(k, above), show(v, above)]
                           for k, v in value[1]), key=json.dumps)
        return value

    def show_row(uuid, above):
        return {column: show(value, above | {uuid})
                for column, value in sorted(rows[uuid].items())
                if column not in ("_uuid", "_version")}

    return sorted(json.dumps(show_row(uuid, frozenset())) for uuid in rows)


class Comparison:
    def __init__(self, sock_a, sock_b):
        self.socks = sock_a, sock_b
        self.n_differences = 0

    def tell(self, line, what, a=None, b=None):
        self.n_differences += 1
        print("%s: %s" % (what, line))
        if a is not None:
            print("   ovs-vsctl:   %s\n   qanat-vsctl: %s" % (a, b))

    def compare(self, line, what, a, b):
        if a != b:
            self.tell(line, what, a, b)

    def same_database(self, line, args):
        out_a, _, status_a = run("ovs-vsctl", self.socks[0], args)
        out_b, err_b, status_b = run("qanat-vsctl", self.socks[0], args)
        self.compare(line, "status", status_a, status_b)
        self.compare(line, "output", out_a, out_b)
        if classify(err_b, status_b) == "SANITIZER":
            self.tell(line, err_b.decode())

    def refusal(self, line, args):
        out, err, status = run("qanat-vsctl", self.socks[1], args)
        if out or status != 1 or classify(err, status) != "error":
            self.tell(line, "not refused")

    def two_databases(self, line, args):
        out_a, err_a, status_a = run("ovs-vsctl", self.socks[0], args)
        out_b, err_b, status_b = run("qanat-vsctl", self.socks[1], args)
        self.compare(line, "status", status_a, status_b)
        self.compare(line, "output", normalize(out_a), normalize(out_b))
        self.compare(line, "kind of message", classify(err_a, status_a),
                     classify(err_b, status_b))
        missing = named(err_a, args) - named(err_b, args)
        if missing:
            self.tell(line, "not named: " + ", ".join(sorted(missing)),
                      err_a.decode(), err_b.decode())

    def databases(self, line):
        a, b = (read(sock) for sock in self.socks)
        if a != b:
            self.tell(line, "database", sorted(set(a) - set(b)),
                      sorted(set(b) - set(a)))
            sys.exit(1)

    def line(self, line):
        args = shlex.split(line)
        if line.startswith("= "):
            self.same_database(line, args[1:])
        elif line.startswith("! "):
            self.refusal(line, args[1:])
        else:
            self.two_databases(line, args)
        self.databases(line)


def main():
    comparison = Comparison(sys.argv[1], sys.argv[2])
    with open(sys.argv[3], encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                comparison.line(line)
    sys.exit(comparison.n_differences != 0)


if __name__ == "__main__":
    main()
