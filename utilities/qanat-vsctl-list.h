/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-list.h - the commands list and find, which fill an output
 * table; see struct vsctl_syntax for what each function is.
 */
#ifndef QANAT_VSCTL_LIST_H
#define QANAT_VSCTL_LIST_H 1

#include "utilities/qanat-vsctl.h"

void list_prepare(struct vsctl_ctx *);
void list_run(struct vsctl_ctx *);
void find_prepare(struct vsctl_ctx *);
void find_run(struct vsctl_ctx *);

#endif /* QANAT_VSCTL_LIST_H */
