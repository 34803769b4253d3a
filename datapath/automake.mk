# SPDX-License-Identifier: Apache-2.0
#
# datapath/libdatapath.a: the fast path.  DPDK lives here and only here.

noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
datapath_libdatapath_a_SOURCES =
datapath_libdatapath_a_SOURCES += datapath/mem.c datapath/mem.h
datapath_libdatapath_a_SOURCES += datapath/pkt.c datapath/pkt.h
datapath_libdatapath_a_SOURCES += datapath/rxvec.c datapath/rxvec.h
