# SPDX-License-Identifier: Apache-2.0
#
# qanat-vswitchd: the slow path and the control loop.

if HAVE_VSWITCHD
sbin_PROGRAMS += vswitchd/qanat-vswitchd
endif
vswitchd_qanat_vswitchd_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS) $(DATAPATH_CFLAGS)
vswitchd_qanat_vswitchd_LDADD = $(DATAPATH_LIBS) $(LIB_LIBS) \
	$(DATAPATH_SYSLIBS)
vswitchd_qanat_vswitchd_SOURCES =
