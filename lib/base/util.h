/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util.h - the small words that every other file uses.
 *
 * Types that mark byte order, compile-time helpers, and allocation for the
 * control plane.  Any thread may use all of it, with one exception that each
 * allocating function repeats: the x*alloc() family ends the process when
 * memory is exhausted, so packet threads must never call it.
 */
#ifndef QANAT_BASE_UTIL_H
#define QANAT_BASE_UTIL_H 1

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Integers as they stand on the wire, most significant byte first.  They are
 * plain integers for the compiler; the name tells a reader that ntoh/hton is
 * due before arithmetic. */
typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;

#define LIKELY(X) __builtin_expect(!!(X), 1)
#define UNLIKELY(X) __builtin_expect(!!(X), 0)

#define UNUSED __attribute__((__unused__))
#define NORETURN __attribute__((__noreturn__))
#define WARN_UNUSED __attribute__((__warn_unused_result__))
#define PRINTF_FORMAT(FMT, FIRST) \
    __attribute__((__format__(__printf__, FMT, FIRST)))

/* Number of elements of ARRAY, which must be an array and not a pointer: a
 * pointer makes the negative array size below an error. */
#define ARRAY_SIZE(ARRAY)                                                   \
    (sizeof(ARRAY) / sizeof((ARRAY)[0])                                     \
     + 0 * sizeof(char[1 - 2 * __builtin_types_compatible_p(                \
                                   __typeof__(ARRAY),                       \
                                   __typeof__(&(ARRAY)[0]))]))

/* MIN and MAX evaluate an argument twice; in exchange they are constant
 * expressions when their arguments are.  Give them no side effects. */
#undef MIN
#undef MAX
#define MIN(A, B) ((A) < (B) ? (A) : (B))
#define MAX(A, B) ((A) > (B) ? (A) : (B))

#define DIV_ROUND_UP(X, Y) (((X) + ((Y) - 1)) / (Y))
#define ROUND_UP(X, Y) (DIV_ROUND_UP(X, Y) * (Y))
#define ROUND_DOWN(X, Y) ((X) / (Y) * (Y))
#define IS_POW2(X) ((X) != 0 && ((X) & ((X) - 1)) == 0)

/* The structure of type TYPE whose MEMBER is at PTR.  PTR must not be NULL
 * and must point to something of the member's type. */
#define CONTAINER_OF(PTR, TYPE, MEMBER)                                     \
    ((TYPE *) (void *) ((char *) (1 ? (PTR) : &((TYPE *) 0)->MEMBER)        \
                        - offsetof(TYPE, MEMBER)))

/* The same where PTR may be NULL; the result is NULL then. */
#define CONTAINER_OF_OR_NULL(PTR, TYPE, MEMBER)                             \
    ((PTR) ? CONTAINER_OF(PTR, TYPE, MEMBER) : NULL)

/* A name that is unique on each source line, for variables inside macros. */
#define UTIL_CONCAT2(A, B) A##B
#define UTIL_CONCAT(A, B) UTIL_CONCAT2(A, B)
#define UNIQUE_NAME(PREFIX) UTIL_CONCAT(PREFIX, __LINE__)

/* Heap memory as malloc() and friends give it, released with free(), except
 * that they never return NULL: the process aborts with a message when there
 * is no memory.  A size of 0 yields a valid pointer.  Control plane only. */
void *xmalloc(size_t size) __attribute__((__malloc__));
void *xcalloc(size_t n, size_t size) __attribute__((__malloc__));
void *xzalloc(size_t size) __attribute__((__malloc__));
void *xrealloc(void *p, size_t size);
void *xmemdup(const void *p, size_t size) __attribute__((__malloc__));
char *xstrdup(const char *s) __attribute__((__malloc__));
char *xstrndup(const char *s, size_t max_len) __attribute__((__malloc__));
char *xasprintf(const char *format, ...)
    PRINTF_FORMAT(1, 2) __attribute__((__malloc__));
char *xvasprintf(const char *format, va_list args)
    PRINTF_FORMAT(1, 0) __attribute__((__malloc__));

/* Doubles the array 'p' of elements of 'size' bytes, whose room for '*n' is
 * used up, and stores the new room (at least 4) in '*n'.  Control plane. */
void *xgrow(void *p, size_t *n, size_t size);

/* Reads the whole of 's', a decimal integer or one in hexadecimal after
 * "0x", into '*value'.  Returns false, leaving '*value' alone, when 's' is
 * anything else (empty, blanks around, out of range).  Any thread. */
bool str_to_int64(const char *s, int64_t *value);
bool str_to_uint64(const char *s, uint64_t *value);

/* As above, and also false unless min <= value <= max.  Any thread. */
bool str_to_int_range(const char *s, int min, int max, int *value);

/* Writes all 'len' bytes at 'p' to 'fd', going on after a short write or a
 * signal.  Returns 0 or -errno.  Blocks as 'fd' does. */
int write_all(int fd, const void *p, size_t len);

#endif /* QANAT_BASE_UTIL_H */
