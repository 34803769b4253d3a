# SPDX-License-Identifier: Apache-2.0
#
# What a person types: qanat-ctl, qanat-vsctl, qanat-appctl, qanat-dpctl.
# The programs link lib/ only.

bin_PROGRAMS += utilities/qanat-appctl
utilities_qanat_appctl_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS)
utilities_qanat_appctl_LDADD = $(LIB_LIBS)
utilities_qanat_appctl_SOURCES = utilities/qanat-appctl.c

bin_PROGRAMS += utilities/qanat-dpctl
utilities_qanat_dpctl_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS)
utilities_qanat_dpctl_LDADD = $(LIB_LIBS)
utilities_qanat_dpctl_SOURCES = utilities/qanat-dpctl.c

include utilities/vsctl.mk

# qanat-ctl knows the folders it was configured for.
sbin_SCRIPTS += utilities/qanat-ctl
EXTRA_DIST += utilities/qanat-ctl.in
CLEANFILES += utilities/qanat-ctl
utilities/qanat-ctl: $(srcdir)/utilities/qanat-ctl.in Makefile
	$(AM_V_GEN)$(MKDIR_P) utilities && \
	$(SED) -e 's|[@]SHELL@|$(BASH_PATH)|g' \
	    -e 's|[@]VERSION@|$(VERSION)|g' \
	    -e 's|[@]RUNDIR@|$(RUNDIR)|g' \
	    -e 's|[@]DBDIR@|$(DBDIR)|g' \
	    -e 's|[@]LOGDIR@|$(LOGDIR)|g' \
	    -e 's|[@]sbindir@|$(sbindir)|g' \
	    -e 's|[@]bindir@|$(bindir)|g' \
	    < $(srcdir)/utilities/qanat-ctl.in > $@.tmp && \
	chmod +x $@.tmp && mv -f $@.tmp $@

dist_man_MANS += \
	utilities/qanat-ctl.8 \
	utilities/qanat-appctl.8 \
	utilities/qanat-dpctl.8 \
	utilities/qanat-vswitchd.8

# Bash looks for completions by the command's name: one file, three names.
bashcompdir = @bashcompdir@
nodist_bashcomp_DATA = \
	utilities/completions/qanat-appctl \
	utilities/completions/qanat-ctl \
	utilities/completions/qanat-dpctl
EXTRA_DIST += utilities/qanat-completion.bash
CLEANFILES += $(nodist_bashcomp_DATA)
$(nodist_bashcomp_DATA): $(srcdir)/utilities/qanat-completion.bash
	$(AM_V_GEN)$(MKDIR_P) utilities/completions && \
	cp $(srcdir)/utilities/qanat-completion.bash $@
