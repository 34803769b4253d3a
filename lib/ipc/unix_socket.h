/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_socket.h - UNIX stream sockets by file name, of any length.
 *
 * The address structure holds 107 bytes of path.  Longer ones are reached
 * through /proc/self/fd, so that neither the working directory nor anything
 * else of the process changes.  Any thread.
 */
#ifndef QANAT_IPC_UNIX_SOCKET_H
#define QANAT_IPC_UNIX_SOCKET_H 1

/* Connects to the socket 'path'.  Returns a non-blocking, close-on-exec
 * descriptor, or -errno; -EAGAIN when the server's queue is full. */
int unix_socket_connect(const char *path);

/* Listens at 'path' with permission for the owner only.  A socket that a dead
 * process left is replaced.  Returns a non-blocking, close-on-exec
 * descriptor, or -errno: -EADDRINUSE when somebody listens there, -EEXIST
 * when something that is not a socket is there, -ENAMETOOLONG when the last
 * component alone is too long. */
int unix_socket_listen(const char *path);

#endif /* QANAT_IPC_UNIX_SOCKET_H */
