# lib/ipc: the command socket and what a daemon needs of the system.
AM_CPPFLAGS += \
	-DQANAT_DEFAULT_RUNDIR='"$(RUNDIR)"' \
	-DQANAT_DEFAULT_DBDIR='"$(DBDIR)"' \
	-DQANAT_DEFAULT_LOGDIR='"$(LOGDIR)"'
lib_libqanat_a_SOURCES += \
	lib/ipc/daemon.c \
	lib/ipc/daemon.h \
	lib/ipc/dirs.c \
	lib/ipc/dirs.h \
	lib/ipc/framer.c \
	lib/ipc/framer.h \
	lib/ipc/options.c \
	lib/ipc/options.h \
	lib/ipc/unix_socket.c \
	lib/ipc/unix_socket.h \
	lib/ipc/unixctl.c \
	lib/ipc/unixctl.h \
	lib/ipc/unixctl_client.c \
	lib/ipc/unixctl_command.c \
	lib/ipc/unixctl_private.h
