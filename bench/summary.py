#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints medians and spread of what bench wrote.

Usage: summary.py FILE.csv
"""

import csv
import statistics
import sys


def main():
    cells = {}
    with open(sys.argv[1], encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            key = (row["nic"], row["switch"], row["tunnel"], row["setup"],
                   row["guest_mtu"])
            cells.setdefault(key, []).append(row)

    print(f"{'NIC':<11} {'switch':<7} {'tunnel':<6} {'set-up':<11} "
          f"{'MTU':>5}  {'Gbit/s':>7}  {'min':>6} {'max':>6}  "
          f"{'fragments':>9}")
    for key, rows in cells.items():
        rates = [float(row["gbit_per_s"] or 0) for row in rows]
        fragments = [row["fragments"] for row in rows]
        if all(n.isdigit() for n in fragments):
            shown = str(max(int(n) for n in fragments))
        else:
            shown = "unknown"
        nic, switch, tunnel, setup, mtu = key
        print(f"{nic:<11} {switch:<7} {tunnel:<6} {setup:<11} {mtu:>5}  "
              f"{statistics.median(rates):>7.2f}  {min(rates):>6.2f} "
              f"{max(rates):>6.2f}  {shown:>9}")


if __name__ == "__main__":
    main()
