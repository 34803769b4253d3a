/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_sink.h - where log lines go, without ever waiting: for log.c only, whose
 * lock protects the sinks.  What is not taken at once is counted and lost.
 */
#ifndef QANAT_BASE_LOG_SINK_H
#define QANAT_BASE_LOG_SINK_H 1

#include "lib/base/util.h"

struct log_sink {
    int fd;                     /* -1 if there is none. */
    bool torn;                  /* The last line was written in part. */
    uint64_t n_lost;            /* Lines, in all. */
    uint64_t n_untold;          /* Of these, not yet told in the log. */
    int64_t retry_ms;           /* Syslog: when to connect again. */
};

/* Closes what is open and goes on with 'fd', which may be -1. */
void log_sink_set_fd(struct log_sink *, int fd);

/* Writes a line with its newline to a file, a terminal or a pipe. */
void log_sink_write(struct log_sink *, const char *line, size_t len);

/* Sends a line without its newline to the syslog socket 'path', connecting to
 * it if need be, at most once a second. */
void log_sink_send_syslog(struct log_sink *, const char *path,
                          const char *program, int priority,
                          const char *text, size_t len);

#endif /* QANAT_BASE_LOG_SINK_H */
