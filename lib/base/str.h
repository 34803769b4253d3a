/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - a string that grows.
 *
 * May hold bytes of any value; a terminating zero beyond 'len' is kept when
 * there is a buffer.  Not locked.  Allocates: control plane only.
 */
#ifndef QANAT_BASE_STR_H
#define QANAT_BASE_STR_H 1

#include "lib/base/util.h"

/* Invariant: data is NULL and len and size are 0, or len < size and
 * data[len] is 0. */
struct str {
    char *data;
    size_t len;                 /* Bytes in use, without the terminator. */
    size_t size;                /* Bytes of storage. */
};

#define STR_INIT { NULL, 0, 0 }

void str_init(struct str *);

/* Frees the storage; the string is empty and usable afterwards. */
void str_fini(struct str *);

/* Makes the string empty, and keeps the storage. */
void str_clear(struct str *);

/* Makes room for 'n' more bytes, and returns where they go (at len).  The
 * caller that writes there adds to len and terminates by str_truncate(). */
char *str_reserve(struct str *, size_t n);

/* Cuts to 'len' bytes, which must be at most the storage reserved. */
void str_truncate(struct str *, size_t len);

void str_append(struct str *, const char *s);
void str_append_n(struct str *, const void *p, size_t n);
void str_append_char(struct str *, char c);
void str_append_fill(struct str *, char c, size_t n);

/* Appends as printf() prints. */
void str_printf(struct str *, const char *format, ...) PRINTF_FORMAT(2, 3);
void str_vprintf(struct str *, const char *format, va_list args)
    PRINTF_FORMAT(2, 0);

/* Removes 'c' from the end, if it is there; tells whether it was. */
bool str_chomp(struct str *, char c);

/* The text, zero-terminated; valid until the string is changed.  Not NULL. */
const char *str_cstr(const struct str *);

/* Hands the text over to the caller, who must free() it, and leaves an empty
 * string.  Not NULL. */
char *str_steal(struct str *);

#endif /* QANAT_BASE_STR_H */
