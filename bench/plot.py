#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plot of what bench measured: bars of medians, with the spread.

Usage: plot.py MACHINE FILE.csv FILE.svg

One panel for each form of the NIC (side by side) and each load (one below the
other).  MACHINE is a file that describes the machine; it is the caption.
"""

import statistics
import sys
from xml.sax.saxutils import escape

from summary import SWITCHES, TITLES, Section

LABEL_W = 270           # All in pixels.
BARS_W = 330
VALUE_W = 62            # Room for the figure behind the longest bar.
GAP = 28
MARGIN = 16
BAR_H = 13
GROUP_GAP = 9
HEAD_H = 34             # A panel's title.
AXIS_H = 30
TITLE_H = 44
LINE_H = 15

COLOURS = {
    "qanat": ("#8fc7b5", "#1b7f64"),
    "kernel": ("#b9bec6", "#6b7280"),
    "kernel-blind": ("#d3d6db", "#9aa1ab"),
    "ovs": ("#f2c79a", "#c9731a"),
    "ovs-tso": ("#e3b3b3", "#a94a4a"),
}
LEGEND = ("qanat", "kernel", "ovs", "ovs-tso")


class Picture:
    def __init__(self):
        self.parts = []

    def text(self, x, y, text, size=12, anchor="start", extra=""):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
            f'text-anchor="{anchor}" {extra}>{escape(text)}</text>')

    def rect(self, x, y, w, h, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
                          f'height="{h:.1f}" fill="{colour}"/>')

    def line(self, x1, y1, x2, y2, colour, width=1.0):
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')

    def save(self, path, width, height):
        with open(path, "w", encoding="utf-8") as f:
            f.write('<svg xmlns="http://www.w3.org/2000/svg" '
                    f'width="{width:.0f}" height="{height:.0f}" '
                    f'viewBox="0 0 {width:.0f} {height:.0f}" '
                    'font-family="DejaVu Sans, Verdana, sans-serif" '
                    'fill="#1f2937">\n'
                    '<rect width="100%" height="100%" fill="#ffffff"/>\n'
                    + "\n".join(self.parts) + "\n</svg>\n")


def nice_step(top):
    """A step of 1, 2 or 5 times a power of ten, 4 to 8 of them up to TOP."""
    step = 1e-3
    while True:
        for factor in (1, 2, 5):
            if top / (step * factor) <= 7:
                return step * factor
        step *= 10


def row_label(section, row):
    text = section.label(row)
    # The names of some contenders are too long for a margin.
    text = text.replace(SWITCHES["kernel-blind"], "kernel, no PMTUD")
    text = text.replace(SWITCHES["ovs-tso"], "OVS, TSO flag")
    text = text.replace(SWITCHES["ovs"], "OVS")
    return text.replace("guest offloads off", "guest off")


def rows_with(section, load):
    return [row for row in section.rows
            if any(cell.load == load for cell in section.rates[row])]


def panel(picture, section, nic, load, x, y, mtus, top):
    """Draws a panel with its bars from X; returns its height."""
    rows = rows_with(section, load)
    group_h = BAR_H * len(mtus) + GROUP_GAP
    body_h = group_h * len(rows)
    title = f"{nic} NIC, {section.load_label(load)}"
    picture.text(x, y + 20, title, 13, extra='font-weight="bold"')
    y += HEAD_H
    step = nice_step(top)
    scale = BARS_W / top
    i = 0
    while i * step <= top * 1.001:
        at = x + i * step * scale
        picture.line(at, y - 4, at, y + body_h, "#e5e7eb")
        picture.text(at, y + body_h + 14, f"{i * step:g}", 10, "middle")
        i += 1
    picture.text(x + BARS_W, y + body_h + 26, "Gbit/s", 10, "end")

    for row in rows:
        for n, mtu in enumerate(mtus):
            runs = [rate for cell, rates in section.rates[row].items()
                    if cell == (nic, mtu, load) for rate in rates.values()]
            if runs:
                # With one MTU only, the strong colour.
                colour = COLOURS[row.switch][n if len(mtus) > 1 else 1]
                bar(picture, x, y + n * BAR_H, scale, runs, colour)
        y += group_h
    picture.line(x, y - body_h - 4, x, y, "#374151")
    return HEAD_H + body_h + AXIS_H


def bar(picture, x, y, scale, runs, colour):
    median = statistics.median(runs)
    low, high = min(runs) * scale, max(runs) * scale
    middle = y + (BAR_H - 1) / 2
    picture.rect(x, y, median * scale, BAR_H - 1, colour)
    if high - low >= 1:
        picture.line(x + low, middle, x + high, middle, "#111827", 1.2)
        for at in (low, high):
            picture.line(x + at, middle - 3, x + at, middle + 3, "#111827",
                         1.2)
    shown = f"{median:.2f}" if median >= 0.005 else "0"
    picture.text(x + max(high, median * scale) + 5, middle + 3.5, shown, 10)


def row_labels(picture, section, load, y, mtus):
    group_h = BAR_H * len(mtus) + GROUP_GAP
    y += HEAD_H
    for row in rows_with(section, load):
        picture.text(MARGIN + LABEL_W - 8, y + len(mtus) * BAR_H / 2 + 3.5,
                     row_label(section, row), 11, "end")
        y += group_h


def legend(picture, x, y, mtus):
    """Which shade is which guest MTU."""
    for n, mtu in enumerate(mtus):
        for i, switch in enumerate(LEGEND):
            picture.rect(x + i * 12, y - 10, 12, 11,
                         COLOURS[switch][n if len(mtus) > 1 else 1])
        picture.text(x + 12 * len(LEGEND) + 6, y, f"guest MTU {mtu}", 11)
        x += 170


def plot(section, machine, path):
    picture = Picture()
    nics = list(dict.fromkeys(cell.nic for cell in section.cells))
    mtus = sorted({cell.guest_mtu for cell in section.cells})[:2]
    top = max([rate for cells in section.rates.values()
               for runs in cells.values() for rate in runs.values()] + [0.1])
    top *= 1.02
    width = (2 * MARGIN + LABEL_W + len(nics) * (BARS_W + VALUE_W)
             + (len(nics) - 1) * GAP)

    picture.text(MARGIN, 26, "Through an overlay: " + TITLES[section.name], 16, extra='font-weight="bold"')
    y = TITLE_H
    legend(picture, MARGIN + LABEL_W, y + 8, mtus)
    y += 18
    for load in section.loads():
        row_labels(picture, section, load, y, mtus)
        x = MARGIN + LABEL_W
        height = 0
        for nic in nics:
            height = panel(picture, section, nic, load, x, y, mtus, top)
            x += BARS_W + VALUE_W + GAP
        y += height
    y += LINE_H
    caption = ["bars: medians; whiskers: lowest and highest run"] + machine
    for line in caption:
        for piece in wrap(line, int((width - 2 * MARGIN) / 6.2)):
            picture.text(MARGIN, y, piece, 10, extra='fill="#4b5563"')
            y += LINE_H
    picture.save(path, width, y)


def wrap(line, columns):
    while len(line) > columns:
        cut = line.rfind(" ", 0, columns)
        if cut <= 0:
            break
        yield line[:cut]
        line = "    " + line[cut + 1:]
    yield line


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        machine = f.read().splitlines()
    plot(Section(sys.argv[2]), machine, sys.argv[3])


if __name__ == "__main__":
    main()
