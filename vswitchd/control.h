/* SPDX-License-Identifier: Apache-2.0 */

/* control.h - the control loop: database -> configuration -> running switch ->
 * database, and what comes from outside in between.  MAIN. */

#ifndef QANAT_CONTROL_H
#define QANAT_CONTROL_H 1

struct event_base;

/* Connects to the database 'remote' and follows the kernel's links.  'ready'
 * is called once: when the first configuration is in force, or when it is sure
 * that this must wait (another daemon holds the database).  NULL or an error
 * sentence that the caller frees.
 *
 * The fast path starts with the first configuration, whose options it needs;
 * when it cannot, the process ends with the reason. */
char *control_init(struct event_base *, const char *remote,
                   void (*ready)(void));

/* Closes all ports and everything else. */
void control_fini(void);

/* A sentence about the database connection, for people. */
const char *control_status(void);

#endif /* control.h */
