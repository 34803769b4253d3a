/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util.c - see util.h.  Must never log: log.c stands on this file.
 */
#include "lib/base/util.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static void out_of_memory(void) NORETURN;

void *
xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = n && size ? calloc(n, size) : calloc(1, 1);

    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xzalloc(size_t size)
{
    return xcalloc(1, size);
}

void *
xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);

    if (size) {
        memcpy(copy, p, size);
    }
    return copy;
}

char *
xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t max_len)
{
    size_t len = strnlen(s, max_len);
    char *copy = xmalloc(len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *
xvasprintf(const char *format, va_list args)
{
    char *s;

    if (vasprintf(&s, format, args) < 0) {
        out_of_memory();
    }
    return s;
}

char *
xasprintf(const char *format, ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    s = xvasprintf(format, args);
    va_end(args);
    return s;
}

void *
xgrow(void *p, size_t *n, size_t size)
{
    size_t want = *n < 4 ? 4 : *n * 2;

    if (want < *n || want > SIZE_MAX / size) {
        out_of_memory();
    }
    *n = want;
    return xrealloc(p, want * size);
}

/* strtoll() accepts leading blanks and an octal "0"; we want neither. */
static int
number_base(const char *s)
{
    if (*s == '-' || *s == '+') {
        s++;
    }
    if (!isdigit((unsigned char) *s)) {
        return 0;
    }
    return s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
}

bool
str_to_int64(const char *s, int64_t *value)
{
    int base = number_base(s);
    long long int x;
    char *end;

    if (!base) {
        return false;
    }
    errno = 0;
    x = strtoll(s, &end, base);
    if (errno || *end || end[-1] == 'x' || end[-1] == 'X') {
        return false;
    }
    *value = x;
    return true;
}

bool
str_to_uint64(const char *s, uint64_t *value)
{
    int base = *s == '-' ? 0 : number_base(s);
    unsigned long long int x;
    char *end;

    if (!base) {
        return false;
    }
    errno = 0;
    x = strtoull(s, &end, base);
    if (errno || *end || end[-1] == 'x' || end[-1] == 'X') {
        return false;
    }
    *value = x;
    return true;
}

bool
str_to_int_range(const char *s, int min, int max, int *value)
{
    int64_t x;

    if (!str_to_int64(s, &x) || x < min || x > max) {
        return false;
    }
    *value = (int) x;
    return true;
}

int
write_all(int fd, const void *p, size_t len)
{
    const char *data = p;

    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -errno;
        }
        data += n;
        len -= (size_t) n;
    }
    return 0;
}

static void
out_of_memory(void)
{
    static const char text[] = "out of memory\n";

    (void) !write(STDERR_FILENO, text, sizeof text - 1);
    abort();
}
