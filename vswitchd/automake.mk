# SPDX-License-Identifier: Apache-2.0
#
# qanat-vswitchd: the slow path and the control loop.  All but main.c is a
# library, so that the unit tests can reach it.

noinst_LIBRARIES += vswitchd/libvswitchd.a
vswitchd_libvswitchd_a_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
vswitchd_libvswitchd_a_SOURCES = \
	vswitchd/apply.c \
	vswitchd/apply.h \
	vswitchd/apply_iface.c \
	vswitchd/apply_pipeline.c \
	vswitchd/apply_private.h \
	vswitchd/apply_tunnel.c \
	vswitchd/commands.c \
	vswitchd/commands.h \
	vswitchd/commands_dp.c \
	vswitchd/commands_offload.c \
	vswitchd/commands_tnl.c \
	vswitchd/config.c \
	vswitchd/config.h \
	vswitchd/config_bridge.c \
	vswitchd/config_global.c \
	vswitchd/config_iface.c \
	vswitchd/config_read.c \
	vswitchd/control.c \
	vswitchd/control.h \
	vswitchd/mac_table.c \
	vswitchd/mac_table.h \
	vswitchd/nlmon.c \
	vswitchd/nlmon.h \
	vswitchd/nlreq.c \
	vswitchd/nlreq.h \
	vswitchd/nlroute.c \
	vswitchd/nlroute.h \
	vswitchd/ofports.c \
	vswitchd/ofports.h \
	vswitchd/pipeline.c \
	vswitchd/pipeline.h \
	vswitchd/report.c \
	vswitchd/report.h \
	vswitchd/report_stats.c \
	vswitchd/running.c \
	vswitchd/running.h \
	vswitchd/underlay.c \
	vswitchd/underlay.h \
	vswitchd/xlate.c \
	vswitchd/xlate.h \
	vswitchd/xlate_normal.c \
	vswitchd/xlate_private.h

sbin_PROGRAMS += vswitchd/qanat-vswitchd
vswitchd_qanat_vswitchd_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
vswitchd_qanat_vswitchd_LDADD = vswitchd/libvswitchd.a $(DATAPATH_LIBS) \
	$(LIB_LIBS) $(DATAPATH_SYSLIBS)
vswitchd_qanat_vswitchd_SOURCES = vswitchd/main.c
