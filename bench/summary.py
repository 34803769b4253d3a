#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of what bench measured, in Markdown.

Usage: summary.py MACHINE RESULTS SECTION...

MACHINE is a file that describes the machine; RESULTS is the folder with
SECTION.csv.  Prints everything, and writes each section to SECTION.md there.
"""

import collections
import csv
import os
import statistics
import sys

SWITCHES = {"qanat": "Qanat", "kernel": "kernel",
            "kernel-blind": "kernel, guests without PMTU discovery",
            "ovs": "Open vSwitch",
            "ovs-tso": "Open vSwitch, userspace-tso-enable"}
TITLES = {"tcp": "TCP, guest offloads on if not said otherwise",
          "udp": "UDP",
          "offloads-off": "TCP, guest offloads off",
          "internal": "TCP from an internal port"}

Row = collections.namedtuple("Row", "switch tunnel setup guest_offloads")
Cell = collections.namedtuple("Cell", "nic guest_mtu load")


class Section:
    """All runs of a section: rates[row][cell][run] is in Gbit/s."""

    def __init__(self, path):
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.rates = {}
        self.fragments = {}
        self.notes = {}
        self.cells = []
        with open(path, encoding="utf-8", newline="") as f:
            for line in csv.DictReader(f):
                row = Row(*(line[name] for name in Row._fields))
                cell = Cell(line["nic"], int(line["guest_mtu"]),
                            int(line["load"]))
                run = int(line["run"])
                if cell not in self.cells:
                    self.cells.append(cell)
                runs = self.rates.setdefault(row, {}).setdefault(cell, {})
                runs[run] = float(line["gbit_per_s"])
                self.fragments.setdefault((row, cell.load), []).append(
                    int(line["fragments"]))
                if line["note"] != "-":
                    self.notes.setdefault((row, cell), set()).add(line["note"])
        self.rows = sorted(self.rates, key=lambda row: (
            row.tunnel != "vxlan", list(SWITCHES).index(row.switch),
            row.guest_offloads != "on", row.setup != "two-bridge"))

    def loads(self):
        return list(dict.fromkeys(cell.load for cell in self.cells))

    def kernel(self, guest_offloads):
        return Row("kernel", "vxlan", "bridge", guest_offloads)

    def label(self, row):
        text = f"{SWITCHES[row.switch]}, {row.tunnel.upper()}"
        if row.switch == "qanat":
            text += f", {row.setup}"
        if row.guest_offloads == "off" and self.name == "tcp":
            text += ", guest offloads off"
        return text

    def load_label(self, load):
        if self.name == "udp":
            return f"datagrams of {load} bytes"
        return f"{load} stream" + ("s" if load != 1 else "")


def ratios(above, below):
    """The ratio of two cells in each run that has both."""
    return [above[run] / below[run] for run in above
            if below.get(run, 0) > 0]


def spread(values):
    """In brackets, if there are several."""
    if len(values) == 1:
        return ""
    return f" ({min(values):.2f}..{max(values):.2f})"


def show_cell(section, row, cell):
    runs = section.rates[row].get(cell)
    if not runs:
        return ""
    median = statistics.median(runs.values())
    notes = section.notes.get((row, cell))
    if max(runs.values()) < 0.005:
        why = " and ".join(sorted(notes)).replace("-", " ") if notes else ""
        return "0" + (f" ({why})" if why else "")
    text = f"{median:.2f}{spread(runs.values())}"
    kernel = section.rates.get(section.kernel(row.guest_offloads), {})
    if not row.switch.startswith("kernel") and cell in kernel:
        values = ratios(runs, kernel[cell])
        if values:
            text += f" x{statistics.median(values):.2f}"
    return text


def table(section, load):
    cells = [cell for cell in section.cells if cell.load == load]
    heads = [f"{cell.nic} NIC, MTU {cell.guest_mtu}" for cell in cells]
    yield "| | " + " | ".join(heads) + " | outer fragments |"
    yield "|---|" + "---:|" * (len(heads) + 1)
    for row in section.rows:
        if any(cell in section.rates[row] for cell in cells):
            shown = [show_cell(section, row, cell) for cell in cells]
            yield (f"| {section.label(row)} | " + " | ".join(shown)
                   + f" | {max(section.fragments[row, load])} |")


def show_section(section):
    for load in section.loads():
        yield (f"**{TITLES[section.name]}, {section.load_label(load)}** "
               "(Gbit/s)")
        yield ""
        yield from table(section, load)
        yield ""


# --- what the figures are for ----------------------------------------------

class Goal:
    """One demand on many cells: how many meet it, and the worst of them."""

    def __init__(self, demand, least):
        self.demand = demand
        self.least = least
        self.found = []         # (median of the ratios, spread, where)

    def add(self, above, below, where):
        values = ratios(above, below)
        if values:
            self.found.append((statistics.median(values), spread(values),
                               where))
        elif above and below:
            # Nothing to divide by: as good as it gets, or no better than that.
            median = float("inf") if max(above.values()) > 0 else 0.0
            self.found.append((median, " (the other side is 0)", where))

    def show(self):
        if not self.found:
            return
        met = sum(median >= self.least for median, _, _ in self.found)
        median, around, where = min(self.found)
        yield (f"| {self.demand} | {self.least:g} | {met} of "
               f"{len(self.found)} | {median:.2f}{around}: {where} |")


def no_fragments(sections):
    counts = [(max(numbers), row) for section in sections
              for (row, _), numbers in section.fragments.items()
              if row.switch == "qanat"]
    if counts:
        met = sum(n == 0 for n, _ in counts)
        yield (f"| Qanat's outer fragments | 0 | {met} of {len(counts)} "
               f"| {max(n for n, _ in counts)} |")


def goals_of(section):
    """The demands on one section."""
    mtu = Goal(f"{section.name}: guest MTU 1500 / guest MTU 1400", 1)
    kernel = Goal(f"{section.name}: Qanat VXLAN / kernel VXLAN, same MTU", 1)
    fair = Goal(f"{section.name}: Qanat VXLAN at MTU 1500 / kernel VXLAN at "
                "MTU 1400", 1)
    gre = Goal(f"{section.name}: Qanat GRE / kernel VXLAN, same MTU", 1)
    ovs = Goal(f"{section.name}: Qanat GRE / best Open vSwitch", 3)
    for row in section.rows:
        if row.switch != "qanat":
            continue
        theirs = section.rates.get(section.kernel(row.guest_offloads), {})
        for cell, runs in section.rates[row].items():
            where = (f"{section.label(row)}, {cell.nic} NIC, "
                     f"{section.load_label(cell.load)}")
            at = f"{where}, MTU {cell.guest_mtu}"
            small = cell._replace(guest_mtu=1400)
            is_big = cell.guest_mtu == 1500
            if is_big and section.name == "tcp":
                mtu.add(runs, section.rates[row].get(small, {}), where)
            if row.tunnel == "vxlan":
                kernel.add(runs, theirs.get(cell, {}), at)
                if is_big:
                    fair.add(runs, theirs.get(small, {}), where)
            elif section.name == "udp":
                gre.add(runs, theirs.get(cell, {}), at)
            if row.tunnel == "gre" and section.name == "tcp":
                ovs.add(runs, best_ovs(section, cell.nic), at)
    return [mtu, kernel, fair, gre, ovs]


def best_ovs(section, nic):
    """In each run, the best that Open vSwitch made of this NIC."""
    best = {}
    for row in section.rows:
        if row.switch.startswith("ovs") and row.tunnel == "gre":
            for cell, runs in section.rates[row].items():
                for run, rate in runs.items():
                    if cell.nic == nic:
                        best[run] = max(rate, best.get(run, 0))
    return best


def show_goals(sections):
    yield "**What it comes to** (medians of the ratios within each run)"
    yield ""
    yield "| ratio | at least | met | the worst |"
    yield "|---|---:|---:|---|"
    yield from no_fragments(sections)
    for section in sections:
        for goal in goals_of(section):
            yield from goal.show()
    yield ""


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        machine = [f"- {line.rstrip()}" for line in f] + [""]
    folder = sys.argv[2]
    sections = [Section(os.path.join(folder, f"{name}.csv"))
                for name in sys.argv[3:]]

    print("\n".join(machine))
    for section in sections:
        lines = list(show_section(section))
        print("\n".join(lines))
        with open(os.path.join(folder, f"{section.name}.md"), "w",
                  encoding="utf-8") as f:
            f.write("\n".join(machine + lines + list(show_goals([section]))))
    print("Median (min..max); x is the median ratio to the kernel's row of "
          "the same runs.\nOuter fragments: the most in one measurement.\n")
    print("\n".join(show_goals(sections)))


if __name__ == "__main__":
    main()
