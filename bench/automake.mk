# SPDX-License-Identifier: Apache-2.0
#
# The demo and the benchmarks; "./run demo" and "./run bench" call them.

dist_noinst_SCRIPTS += bench/bench bench/demo bench/load.py \
    bench/plot.py bench/pps bench/summary.py
