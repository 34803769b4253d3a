# What is built in lib/ovsdb; included by the top Makefile.am.
lib_libqanat_a_SOURCES += \
	lib/ovsdb/atom.c \
	lib/ovsdb/atom.h \
	lib/ovsdb/atomtext.c \
	lib/ovsdb/atomtext.h \
	lib/ovsdb/datum.c \
	lib/ovsdb/datum.h \
	lib/ovsdb/datumbuild.h \
	lib/ovsdb/datumtext.c \
	lib/ovsdb/jsonrpc.c \
	lib/ovsdb/jsonrpc.h \
	lib/ovsdb/jsonrpc_sync.c \
	lib/ovsdb/ovsdb.c \
	lib/ovsdb/ovsdb.h \
	lib/ovsdb/ovsdb_private.h \
	lib/ovsdb/ovsdb_replica.c \
	lib/ovsdb/ovsdb_row.c \
	lib/ovsdb/ovsdb_txn.c \
	lib/ovsdb/schema.c \
	lib/ovsdb/schema.h \
	lib/ovsdb/symtab.c \
	lib/ovsdb/symtab.h \
	lib/ovsdb/table.c \
	lib/ovsdb/table.h \
	lib/ovsdb/uuid.c \
	lib/ovsdb/uuid.h
