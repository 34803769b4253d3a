# SPDX-License-Identifier: Apache-2.0
#
# One program with every CUnit suite.  A new file gets a line here and its
# suite a line in suites.def.

noinst_PROGRAMS += tests/unit/unit-tests
tests_unit_unit_tests_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS) \
	$(CUNIT_CFLAGS)
tests_unit_unit_tests_LDADD = vswitchd/libvswitchd.a $(DATAPATH_LIBS) \
	$(LIB_LIBS) $(DATAPATH_SYSLIBS) $(CUNIT_LIBS)
tests_unit_unit_tests_SOURCES = $(unit_tests_SOURCES)

unit_tests_SOURCES = \
	tests/unit/main.c \
	tests/unit/suites.def \
	tests/unit/unit.h

# Keep sorted.
unit_tests_SOURCES += tests/unit/base/test_clock.c
unit_tests_SOURCES += tests/unit/base/test_hash.c
unit_tests_SOURCES += tests/unit/base/test_hmap.c
unit_tests_SOURCES += tests/unit/base/test_list.c
unit_tests_SOURCES += tests/unit/base/test_log.c
unit_tests_SOURCES += tests/unit/base/test_smap.c
unit_tests_SOURCES += tests/unit/base/test_str.c
unit_tests_SOURCES += tests/unit/datapath/dpdk_env.c
unit_tests_SOURCES += tests/unit/datapath/dpdk_env.h
unit_tests_SOURCES += tests/unit/datapath/egress_env.c
unit_tests_SOURCES += tests/unit/datapath/egress_env.h
unit_tests_SOURCES += tests/unit/datapath/pmd_env.c
unit_tests_SOURCES += tests/unit/datapath/pmd_env.h
unit_tests_SOURCES += tests/unit/datapath/ref_offload.c
unit_tests_SOURCES += tests/unit/datapath/ref_offload.h
unit_tests_SOURCES += tests/unit/datapath/test_act.c
unit_tests_SOURCES += tests/unit/datapath/test_act_set.c
unit_tests_SOURCES += tests/unit/datapath/test_adopt.c
unit_tests_SOURCES += tests/unit/datapath/test_dpdk_tx.c
unit_tests_SOURCES += tests/unit/datapath/test_drop.c
unit_tests_SOURCES += tests/unit/datapath/test_egress.c
unit_tests_SOURCES += tests/unit/datapath/test_flowtable.c
unit_tests_SOURCES += tests/unit/datapath/test_gro.c
unit_tests_SOURCES += tests/unit/datapath/test_gso.c
unit_tests_SOURCES += tests/unit/datapath/test_ipfrag.c
unit_tests_SOURCES += tests/unit/datapath/test_mem.c
unit_tests_SOURCES += tests/unit/datapath/test_offload.c
unit_tests_SOURCES += tests/unit/datapath/test_pkt.c
unit_tests_SOURCES += tests/unit/datapath/test_pmd.c
unit_tests_SOURCES += tests/unit/datapath/test_pmtu_event.c
unit_tests_SOURCES += tests/unit/datapath/test_pop.c
unit_tests_SOURCES += tests/unit/datapath/test_rxvec.c
unit_tests_SOURCES += tests/unit/datapath/test_sched.c
unit_tests_SOURCES += tests/unit/datapath/test_toobig.c
unit_tests_SOURCES += tests/unit/datapath/test_train.c
unit_tests_SOURCES += tests/unit/datapath/test_vport.c
unit_tests_SOURCES += tests/unit/flow/test_action.c
unit_tests_SOURCES += tests/unit/flow/test_flow.c
unit_tests_SOURCES += tests/unit/ipc/sandbox.c
unit_tests_SOURCES += tests/unit/ipc/sandbox.h
unit_tests_SOURCES += tests/unit/ipc/test_daemon.c
unit_tests_SOURCES += tests/unit/ipc/test_framer.c
unit_tests_SOURCES += tests/unit/ipc/test_unix_socket.c
unit_tests_SOURCES += tests/unit/ipc/test_unixctl.c
unit_tests_SOURCES += tests/unit/ovsdb/ovsdb_test.c
unit_tests_SOURCES += tests/unit/ovsdb/ovsdb_test.h
unit_tests_SOURCES += tests/unit/ovsdb/test_atom.c
unit_tests_SOURCES += tests/unit/ovsdb/test_datum.c
unit_tests_SOURCES += tests/unit/ovsdb/test_jsonrpc.c
unit_tests_SOURCES += tests/unit/ovsdb/test_ovsdb.c
unit_tests_SOURCES += tests/unit/ovsdb/test_ovsdb_hostile.c
unit_tests_SOURCES += tests/unit/ovsdb/test_ovsdb_txn.c
unit_tests_SOURCES += tests/unit/ovsdb/test_schema.c
unit_tests_SOURCES += tests/unit/ovsdb/test_table.c
unit_tests_SOURCES += tests/unit/pkt/frames.c
unit_tests_SOURCES += tests/unit/pkt/frames.h
unit_tests_SOURCES += tests/unit/pkt/ref_parse.c
unit_tests_SOURCES += tests/unit/pkt/ref_parse.h
unit_tests_SOURCES += tests/unit/pkt/test_csum.c
unit_tests_SOURCES += tests/unit/pkt/test_parse.c
unit_tests_SOURCES += tests/unit/pkt/test_pcap.c
unit_tests_SOURCES += tests/unit/pkt/test_virtq.c
unit_tests_SOURCES += tests/unit/pkt/test_vnet.c
unit_tests_SOURCES += tests/unit/tnl/test_tnl.c
unit_tests_SOURCES += tests/unit/tnl/test_tnl_cfg.c
unit_tests_SOURCES += tests/unit/tnl/test_tnl_gre.c
unit_tests_SOURCES += tests/unit/tnl/test_tnl_map.c
unit_tests_SOURCES += tests/unit/tnl/test_tnl_vxlan.c
unit_tests_SOURCES += tests/unit/tnl/tnl_test.c
unit_tests_SOURCES += tests/unit/tnl/tnl_test.h
unit_tests_SOURCES += tests/unit/vswitchd/test_config.c
unit_tests_SOURCES += tests/unit/vswitchd/test_mac_table.c
unit_tests_SOURCES += tests/unit/vswitchd/test_ofports.c
unit_tests_SOURCES += tests/unit/vswitchd/test_pipeline.c
unit_tests_SOURCES += tests/unit/vswitchd/test_underlay.c
unit_tests_SOURCES += tests/unit/vswitchd/test_xlate.c
unit_tests_SOURCES += tests/unit/vswitchd/test_xlate_mask.c
unit_tests_SOURCES += tests/unit/vswitchd/test_xlate_normal.c
unit_tests_SOURCES += tests/unit/vswitchd/xlate_env.c
unit_tests_SOURCES += tests/unit/vswitchd/xlate_env.h
