/* SPDX-License-Identifier: Apache-2.0 */

/* vport_internal.h - what other classes ask of the internal ports.  MAIN. */

#ifndef QANAT_VPORT_INTERNAL_H
#define QANAT_VPORT_INTERNAL_H 1

#include <stdbool.h>

/* Tells whether the device is that of an internal port of this process. */
bool vport_internal_owns(int ifindex);

#endif /* vport_internal.h */
