# SPDX-License-Identifier: Apache-2.0
#
# datapath/libdatapath.a: the fast path.  DPDK lives here and only here.

noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
datapath_libdatapath_a_SOURCES =
datapath_libdatapath_a_SOURCES += datapath/mem.c datapath/mem.h
datapath_libdatapath_a_SOURCES += datapath/pkt.c datapath/pkt.h
datapath_libdatapath_a_SOURCES += datapath/rxvec.c datapath/rxvec.h
datapath_libdatapath_a_SOURCES += datapath/egress.c datapath/egress.h
datapath_libdatapath_a_SOURCES += datapath/gso.c datapath/gso.h
datapath_libdatapath_a_SOURCES += datapath/ipfrag.c datapath/ipfrag.h
datapath_libdatapath_a_SOURCES += datapath/l3.c datapath/l3.h
datapath_libdatapath_a_SOURCES += datapath/offload.c datapath/offload.h
datapath_libdatapath_a_SOURCES += datapath/toobig.c datapath/toobig.h
