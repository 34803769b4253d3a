# SPDX-License-Identifier: Apache-2.0
#
# Fuzz targets (libFuzzer) and their kept corpora; not part of the build.

EXTRA_DIST += \
	tests/fuzz/fuzz_tnl_pop.c
