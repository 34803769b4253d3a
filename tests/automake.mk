# SPDX-License-Identifier: Apache-2.0
#
# Unit tests (tests/unit, CUnit, no root) and the end-to-end suite
# (tests/testsuite, GNU Autotest, network namespaces).

include tests/unit/automake.mk
include tests/fuzz/automake.mk

TESTSUITE = $(srcdir)/tests/testsuite
TESTSUITE_AT = \
	tests/ctl.at \
	tests/local.at \
	tests/system-bridge.at \
	tests/system-change.at \
	tests/system-config.at \
	tests/system-interop.at \
	tests/system-macros.at \
	tests/system-offload.at \
	tests/system-overlay.at \
	tests/system-vhost.at \
	tests/testsuite.at \
	tests/vsctl.at
EXTRA_DIST += $(TESTSUITE_AT) $(TESTSUITE) tests/atlocal.in tests/lab.sh \
	tests/lab.py tests/offload_lies.py tests/offload_net.py \
	tests/offload_tcp.py tests/offload_udp.py
EXTRA_DIST += tests/vhost_lies.py
EXTRA_DIST += tests/vsctl.py tests/vsctl
DISTCLEANFILES += tests/atconfig tests/atlocal
MAINTAINERCLEANFILES += $(TESTSUITE)

# A guest that lies.
noinst_PROGRAMS += tests/vhost_front
tests_vhost_front_SOURCES = tests/vhost_front.c tests/vhost_front_proto.c \
	tests/vhost_front_proto.h

# package.m4 tells Autotest whose suite it is.
$(srcdir)/tests/package.m4: $(srcdir)/configure.ac
	$(AM_V_GEN){ \
	  echo '# Signature of the current package.'; \
	  echo 'm4_define([AT_PACKAGE_NAME], [$(PACKAGE_NAME)])'; \
	  echo 'm4_define([AT_PACKAGE_TARNAME], [$(PACKAGE_TARNAME)])'; \
	  echo 'm4_define([AT_PACKAGE_VERSION], [$(PACKAGE_VERSION)])'; \
	  echo 'm4_define([AT_PACKAGE_STRING], [$(PACKAGE_STRING)])'; \
	  echo 'm4_define([AT_PACKAGE_BUGREPORT], [$(PACKAGE_BUGREPORT)])'; \
	} > $@.tmp && mv -f $@.tmp $@
EXTRA_DIST += tests/package.m4
MAINTAINERCLEANFILES += tests/package.m4

$(TESTSUITE): $(TESTSUITE_AT:%=$(srcdir)/%) $(srcdir)/tests/package.m4
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I $(srcdir) \
	  -I $(srcdir)/tests \
	  -o $@.tmp $(srcdir)/tests/testsuite.at && mv -f $@.tmp $@
noinst_SCRIPTS = $(TESTSUITE)

check-unit: tests/unit/unit-tests
	$(AM_V_at)tests/unit/unit-tests $(UNITFLAGS)
check-system: all
	$(AM_V_at)$(SHELL) $(TESTSUITE) -C tests \
	  $(TESTSUITEFLAGS)
check-local: check-unit check-system
clean-local:
	-test ! -f $(TESTSUITE) || $(SHELL) $(TESTSUITE) -C tests --clean
PHONY_TARGETS += check-unit check-system
