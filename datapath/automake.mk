# SPDX-License-Identifier: Apache-2.0
#
# datapath/libdatapath.a: the fast path.  DPDK lives here and only here.

noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
datapath_libdatapath_a_SOURCES =
datapath_libdatapath_a_SOURCES += datapath/act.c datapath/act.h
datapath_libdatapath_a_SOURCES += datapath/act_set.c datapath/act_set.h
datapath_libdatapath_a_SOURCES += datapath/adopt.c datapath/adopt.h
datapath_libdatapath_a_SOURCES += datapath/dp.c datapath/dp.h datapath/dp_private.h
datapath_libdatapath_a_SOURCES += datapath/dp_eal.c
datapath_libdatapath_a_SOURCES += datapath/dp_text.c
datapath_libdatapath_a_SOURCES += datapath/dpdk_tx.c datapath/dpdk_tx.h
datapath_libdatapath_a_SOURCES += datapath/drop.c datapath/drop.h datapath/drop.def
datapath_libdatapath_a_SOURCES += datapath/egress.c datapath/egress.h
datapath_libdatapath_a_SOURCES += datapath/flowtable.c datapath/flowtable.h
datapath_libdatapath_a_SOURCES += datapath/gro.c datapath/gro.h
datapath_libdatapath_a_SOURCES += datapath/gso.c datapath/gso.h
datapath_libdatapath_a_SOURCES += datapath/hostblock.c datapath/hostblock.h
datapath_libdatapath_a_SOURCES += datapath/hostip_sock.c datapath/hostip_sock.h
datapath_libdatapath_a_SOURCES += datapath/ipfrag.c datapath/ipfrag.h
datapath_libdatapath_a_SOURCES += datapath/l3.c datapath/l3.h
datapath_libdatapath_a_SOURCES += datapath/linux_dev.c datapath/linux_dev.h
datapath_libdatapath_a_SOURCES += datapath/mem.c datapath/mem.h
datapath_libdatapath_a_SOURCES += datapath/offload.c datapath/offload.h
datapath_libdatapath_a_SOURCES += datapath/packet_sock.c datapath/packet_sock.h
datapath_libdatapath_a_SOURCES += datapath/pkt.c datapath/pkt.h
datapath_libdatapath_a_SOURCES += datapath/pmd.c datapath/pmd.h
datapath_libdatapath_a_SOURCES += datapath/pmtu_event.c datapath/pmtu_event.h
datapath_libdatapath_a_SOURCES += datapath/pop.c datapath/pop.h
datapath_libdatapath_a_SOURCES += datapath/rxvec.c datapath/rxvec.h
datapath_libdatapath_a_SOURCES += datapath/sched.c datapath/sched.h
datapath_libdatapath_a_SOURCES += datapath/toobig.c datapath/toobig.h
datapath_libdatapath_a_SOURCES += datapath/vhost_dev.c datapath/vhost_dev.h
datapath_libdatapath_a_SOURCES += datapath/vhost_path.c datapath/vhost_path.h
datapath_libdatapath_a_SOURCES += datapath/vhost_queue.c datapath/vhost_queue.h
datapath_libdatapath_a_SOURCES += datapath/vnetio.h
datapath_libdatapath_a_SOURCES += datapath/vport.c datapath/vport.h
datapath_libdatapath_a_SOURCES += datapath/vport_dpdk.c
datapath_libdatapath_a_SOURCES += datapath/vport_hostip.c
datapath_libdatapath_a_SOURCES += datapath/train.c datapath/train.h
datapath_libdatapath_a_SOURCES += datapath/vport_internal.c datapath/vport_internal.h
datapath_libdatapath_a_SOURCES += datapath/vport_system.c
datapath_libdatapath_a_SOURCES += datapath/vport_vhost.c
