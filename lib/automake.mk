# SPDX-License-Identifier: Apache-2.0
#
# lib/libqanat.a: pure C over bytes and values.  No DPDK here.

noinst_LIBRARIES += lib/libqanat.a
lib_libqanat_a_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS)
lib_libqanat_a_SOURCES =

include lib/base/automake.mk
include lib/pkt/automake.mk
include lib/tnl/automake.mk
include lib/flow/automake.mk
include lib/ovsdb/automake.mk
include lib/ipc/automake.mk
