# What is built in lib/tnl; included by the top Makefile.am.
lib_libqanat_a_SOURCES += \
	lib/tnl/tnl.c \
	lib/tnl/tnl.h \
	lib/tnl/tnl_cfg.c \
	lib/tnl/tnl_gre.c \
	lib/tnl/tnl_map.c \
	lib/tnl/tnl_map.h \
	lib/tnl/tnl_vxlan.c
