# SPDX-License-Identifier: Apache-2.0
#
# qanat-vswitchd: the slow path and the control loop.  All but main.c is a
# library, so that the unit tests can reach it.

noinst_LIBRARIES += vswitchd/libvswitchd.a
vswitchd_libvswitchd_a_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
vswitchd_libvswitchd_a_SOURCES =

if HAVE_VSWITCHD
sbin_PROGRAMS += vswitchd/qanat-vswitchd
endif
vswitchd_qanat_vswitchd_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
vswitchd_qanat_vswitchd_LDADD = vswitchd/libvswitchd.a $(DATAPATH_LIBS) \
	$(LIB_LIBS) $(DATAPATH_SYSLIBS)
vswitchd_qanat_vswitchd_SOURCES = vswitchd/main.c
