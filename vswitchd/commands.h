/* SPDX-License-Identifier: Apache-2.0 */

/* commands.h - what "ovs-appctl -t qanat-vswitchd COMMAND" answers.  Texts
 * have OVS's form wherever OVS has the command.  MAIN. */

#ifndef QANAT_COMMANDS_H
#define QANAT_COMMANDS_H 1

#include <stdint.h>

struct unixctl_conn;

/* Makes all commands known.  'on_exit' gets the connection of "exit" and
 * answers it when all is closed. */
void commands_init(void (*on_exit)(struct unixctl_conn *));

/* Parts of it. */
void commands_dp_init(void);            /* dpctl/..., dpif/..., pmd */
void commands_offload_init(void);       /* offload/show */
void commands_tnl_init(void);           /* tnl/..., ovs/route/show */

/* The name of a datapath port, or NULL; a flow_port_name_fn. */
const char *commands_port_name(uint32_t port, void *aux);

#endif /* commands.h */
