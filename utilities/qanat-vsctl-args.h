/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-args.h - the command line: global options, and commands
 * separated by "--", each with options of its own.
 *
 * One thread.
 */
#ifndef QANAT_VSCTL_ARGS_H
#define QANAT_VSCTL_ARGS_H 1

#include "utilities/qanat-vsctl.h"

struct vsctl_args {
    char *db;                   /* Servers, separated by commas. */
    unsigned int timeout_s;     /* 0: none. */
    bool wait_for_reload;
    bool is_dry_run;
    bool is_oneline;
    bool retry;
    struct table_style table_style;
    bool wants_help;            /* --help or --version: nothing else is */
    bool wants_version;         /* looked at. */

    struct vsctl_command *commands;
    size_t n_commands;
};

/* Parses the command line.  Returns NULL, or a sentence that the caller
 * frees; "" means that getopt has told already what is wrong. */
char *args_parse(struct vsctl_args *, int argc, char *argv[]);
void args_fini(struct vsctl_args *);

/* Appends the command line as a shell would take it. */
void args_quote(struct str *, int argc, char *argv[]);

/* Prints the help. */
void args_print_help(void);

/* Prints the names of all commands, one per line, for shells that complete
 * them. */
void args_print_commands(void);

/* Prints the options, one per line. */
void args_print_options(void);

#endif /* QANAT_VSCTL_ARGS_H */
