# qanat-vsctl; included by utilities/automake.mk.
bin_PROGRAMS += utilities/qanat-vsctl
dist_man_MANS += utilities/qanat-vsctl.8
utilities_qanat_vsctl_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS)
utilities_qanat_vsctl_LDADD = $(LIB_LIBS)
utilities_qanat_vsctl_SOURCES = \
	utilities/qanat-vsctl.c \
	utilities/qanat-vsctl.h \
	utilities/qanat-vsctl-args.c \
	utilities/qanat-vsctl-args.h \
	utilities/qanat-vsctl-bridge.c \
	utilities/qanat-vsctl-config.c \
	utilities/qanat-vsctl-db.c \
	utilities/qanat-vsctl-help.c \
	utilities/qanat-vsctl-list.c \
	utilities/qanat-vsctl-list.h \
	utilities/qanat-vsctl-named.c \
	utilities/qanat-vsctl-order.c \
	utilities/qanat-vsctl-order.h \
	utilities/qanat-vsctl-port.c \
	utilities/qanat-vsctl-port.h \
	utilities/qanat-vsctl-record.c \
	utilities/qanat-vsctl-record.h \
	utilities/qanat-vsctl-session.c \
	utilities/qanat-vsctl-session.h \
	utilities/qanat-vsctl-show.c \
	utilities/qanat-vsctl-topology.c \
	utilities/qanat-vsctl-topology.h \
	utilities/qanat-vsctl-txn.c \
	utilities/qanat-vsctl-txn.h \
	utilities/qanat-vsctl-view.c \
	utilities/qanat-vsctl-view.h

# Bash looks for completions by the command's name.
vsctlcompdir = $(bashcompdir)
nodist_vsctlcomp_DATA = utilities/completions/qanat-vsctl
EXTRA_DIST += utilities/qanat-vsctl-completion.bash
CLEANFILES += utilities/completions/qanat-vsctl
utilities/completions/qanat-vsctl: utilities/qanat-vsctl-completion.bash
	$(AM_V_GEN)$(MKDIR_P) utilities/completions && \
	cp $(srcdir)/utilities/qanat-vsctl-completion.bash $@
