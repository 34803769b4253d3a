/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl.h - what the files of qanat-vsctl share: a command as it was
 * typed, the context in which commands run, and the tables of commands.
 *
 * A run goes through these steps: the command line becomes commands
 * (qanat-vsctl-args.c); each command names what it reads ("prepare"); a
 * snapshot is loaded (qanat-vsctl-session.c); the commands run, one after the
 * other, on the snapshot ("run"); their changes become one transaction
 * (qanat-vsctl-txn.c); what they printed comes out ("finish" may add what is
 * only known then).  Running may be repeated from a newer snapshot, so a
 * command must have no effects but on the context.
 *
 * One thread.
 */
#ifndef QANAT_VSCTL_H
#define QANAT_VSCTL_H 1

#include <limits.h>

#include "lib/ovsdb/table.h"
#include "utilities/qanat-vsctl-view.h"

struct topology;
struct vsctl_ctx;

/* A command that exists. */
struct vsctl_syntax {
    const char *name;
    int min_args;
    int max_args;               /* INT_MAX if there is no limit. */

    /* Options that it takes, each ended by a comma, with "=" before the comma
     * if the option has an argument: "--may-exist,--id=,".  */
    const char *options;

    void (*prepare)(struct vsctl_ctx *);
    void (*run)(struct vsctl_ctx *);
    void (*finish)(struct vsctl_ctx *);         /* May be NULL. */
};

struct vsctl_option {
    char *name;                 /* With the dashes. */
    char *value;                /* NULL if it has none. */
};

/* A command that was typed.  argv[0] is its name. */
struct vsctl_command {
    const struct vsctl_syntax *syntax;
    int argc;
    char **argv;
    struct vsctl_option *options;
    size_t n_options;
    size_t options_size;        /* Options there is room for. */

    /* Written when the command runs. */
    struct str output;
    struct table *table;        /* Or NULL. */
    struct uuid created;        /* The row that "create" made. */
};

struct vsctl_ctx {
    struct view *view;
    struct vsctl_command *command;      /* The one that runs. */
    struct symtab symtab;
    struct topology *topology;  /* Of the present state, or NULL. */

    /* Results.  The first error counts. */
    char *error;
    bool is_waiting;            /* A wait-until is not satisfied. */
    int exit_status;            /* Nonzero: end at once and say nothing. */
    struct str warnings;        /* Lines. */

    /* The real UUIDs of new rows, for "finish"; NULL if nothing was
     * committed. */
    const struct uuid *(*get_real_uuid)(const struct vsctl_ctx *,
                                        const struct uuid *provisional);
    void *aux;                  /* For get_real_uuid. */
};

/* Tables of commands, ended by an entry without a name. */
extern const struct vsctl_syntax vsctl_bridge_commands[];
extern const struct vsctl_syntax vsctl_port_commands[];
extern const struct vsctl_syntax vsctl_config_commands[];
extern const struct vsctl_syntax vsctl_show_commands[];
extern const struct vsctl_syntax vsctl_db_commands[];

/* Records an error, in a sentence, unless there is one already. */
void vsctl_fail(struct vsctl_ctx *, const char *format, ...)
    PRINTF_FORMAT(2, 3);

/* The same for a sentence on the heap, which is freed; 'where' (may be NULL)
 * says what it is about.  Returns true if 'error' is not NULL. */
bool vsctl_fail_on(struct vsctl_ctx *, const char *where, char *error);

/* Records a warning. */
void vsctl_warn(struct vsctl_ctx *, const char *format, ...)
    PRINTF_FORMAT(2, 3);

/* Whether the running command has the option, and the option's argument (NULL
 * if the option is not there). */
bool vsctl_has_option(const struct vsctl_ctx *, const char *name);
const char *vsctl_option_value(const struct vsctl_ctx *, const char *name);

/* The root row of the database; there is always one when commands run. */
struct view_row *vsctl_root(const struct vsctl_ctx *);

#endif /* QANAT_VSCTL_H */
