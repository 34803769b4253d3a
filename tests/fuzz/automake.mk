# SPDX-License-Identifier: Apache-2.0
#
# Fuzz targets (libFuzzer) and their kept corpora; "./run fuzz" builds them.

EXTRA_DIST += \
	tests/fuzz/corpus \
	tests/fuzz/fuzz_datum.c \
	tests/fuzz/fuzz_flow_text.c \
	tests/fuzz/fuzz_parse.c \
	tests/fuzz/fuzz_tnl_pop.c \
	tests/fuzz/fuzz_vnet.c
dist_noinst_SCRIPTS += tests/fuzz/run
