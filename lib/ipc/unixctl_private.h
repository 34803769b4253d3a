/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unixctl_private.h - what the two halves of the server share: the table of
 * commands (unixctl_command.c) and the clients (unixctl.c).  MAIN.
 */
#ifndef QANAT_IPC_UNIXCTL_PRIVATE_H
#define QANAT_IPC_UNIXCTL_PRIVATE_H 1

#include "lib/base/hmap.h"
#include "lib/ipc/unixctl.h"

struct unixctl_command {
    struct hmap_node node;      /* In the table, by name. */
    char *name;
    char *usage;
    int min_args, max_args;
    unixctl_cb *cb;
    void *aux;
};

/* The command called 'name', or NULL. */
struct unixctl_command *unixctl_find_command(const char *name);

/* Registers what every daemon has: list-commands, version, vlog/... */
void unixctl_register_builtins(void);

#endif /* QANAT_IPC_UNIXCTL_PRIVATE_H */
