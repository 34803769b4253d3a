/* SPDX-License-Identifier: Apache-2.0 */

/* vhost_path.h - where a guest's socket is. */

#ifndef QANAT_VHOST_PATH_H
#define QANAT_VHOST_PATH_H 1

#include <stdbool.h>

struct vport_cfg;

/* The socket's path: options:vhost-server-path of a client, else the port's
 * name in the folder for sockets.  NULL with '*path', which the caller frees,
 * or a sentence where no socket can be there: too long, no folder, taken.  A
 * socket on which nobody listens any more is removed if it is to be ours.
 * MAIN. */
char *vhost_path_get(const struct vport_cfg *, bool is_client, char **path);

#endif /* vhost_path.h */
