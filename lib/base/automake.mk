# lib/base: the words that every other folder uses.  No dependencies.
lib_libqanat_a_SOURCES += \
	lib/base/clock.c \
	lib/base/clock.h \
	lib/base/hash.h \
	lib/base/hmap.c \
	lib/base/hmap.h \
	lib/base/list.h \
	lib/base/log.c \
	lib/base/log.h \
	lib/base/log_sink.c \
	lib/base/log_sink.h \
	lib/base/smap.c \
	lib/base/smap.h \
	lib/base/str.c \
	lib/base/str.h \
	lib/base/strset.c \
	lib/base/strset.h \
	lib/base/thread.h \
	lib/base/util.c \
	lib/base/util.h
