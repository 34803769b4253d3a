# SPDX-License-Identifier: Apache-2.0
#
# lib/pkt: bytes of a packet.

lib_libqanat_a_SOURCES += \
	lib/pkt/csum.c \
	lib/pkt/csum.h \
	lib/pkt/parse.c \
	lib/pkt/parse.h \
	lib/pkt/pcap.c \
	lib/pkt/pcap.h \
	lib/pkt/virtq.c \
	lib/pkt/virtq.h \
	lib/pkt/vnet.c \
	lib/pkt/vnet.h \
	lib/pkt/wire.h
