# SPDX-License-Identifier: Apache-2.0
#
# lib/flow: flow keys, masks and actions, and the text form of both.

lib_libqanat_a_SOURCES += \
	lib/flow/action.c \
	lib/flow/action.h \
	lib/flow/action_text.c \
	lib/flow/field.c \
	lib/flow/field.h \
	lib/flow/flow.c \
	lib/flow/flow.h \
	lib/flow/flow_text.c
