/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - command line options as tables, so that a program joins its own
 * with those that others bring (daemon.h).
 */
#ifndef QANAT_IPC_OPTIONS_H
#define QANAT_IPC_OPTIONS_H 1

#include "lib/base/str.h"

enum option_arg {
    OPTION_ARG_NONE,
    OPTION_ARG_OPTIONAL,
    OPTION_ARG_REQUIRED
};

/* One option.  A table ends with an entry without a name. */
struct option_def {
    const char *name;           /* Long name without the dashes. */
    char letter;                /* Short name, or 0. */
    enum option_arg arg;
    const char *metavar;        /* What the argument is called, or NULL. */
    const char *help;           /* A line for --help, or NULL: not shown. */

    /* Called for each occurrence, in order.  'arg' is NULL when there is
     * none.  Returns NULL, or a sentence that options_parse() frees. */
    char *(*set)(const char *arg, void *aux);
    void *aux;
};

/* Parses 'argv' by the 'n_tables' tables.  Options may stand between other
 * arguments; "--" ends them.  Stores the index of the first argument that is
 * no option in '*first'; getopt has moved those to the end of 'argv'.
 * Returns NULL, or a sentence that the caller frees. */
char *options_parse(int argc, char *argv[],
                    const struct option_def *const tables[],
                    size_t n_tables, int *first);

/* The same, but the first argument that is no option ends them all: what
 * follows is for somebody else.  Does not move arguments. */
char *options_parse_leading(int argc, char *argv[],
                            const struct option_def *const tables[],
                            size_t n_tables, int *first);

/* Appends a table's options with their help, one line each. */
void options_format_help(struct str *, const struct option_def *table);

#endif /* QANAT_IPC_OPTIONS_H */
