/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.c - see str.h.
 */
#include "lib/base/str.h"

#include <stdio.h>

void
str_init(struct str *s)
{
    s->data = NULL;
    s->len = s->size = 0;
}

void
str_fini(struct str *s)
{
    free(s->data);
    str_init(s);
}

void
str_clear(struct str *s)
{
    if (s->data) {
        str_truncate(s, 0);
    }
}

char *
str_reserve(struct str *s, size_t n)
{
    size_t need = s->len + n + 1;

    if (need > s->size) {
        s->size = MAX(need, MAX(s->size * 2, (size_t) 64));
        s->data = xrealloc(s->data, s->size);
        s->data[s->len] = '\0';
    }
    return s->data + s->len;
}

void
str_truncate(struct str *s, size_t len)
{
    if (s->data) {
        s->len = len;
        s->data[len] = '\0';
    }
}

void
str_append_n(struct str *s, const void *p, size_t n)
{
    if (n) {
        memcpy(str_reserve(s, n), p, n);
        str_truncate(s, s->len + n);
    }
}

void
str_append(struct str *s, const char *text)
{
    str_append_n(s, text, strlen(text));
}

void
str_append_char(struct str *s, char c)
{
    *str_reserve(s, 1) = c;
    str_truncate(s, s->len + 1);
}

void
str_append_fill(struct str *s, char c, size_t n)
{
    memset(str_reserve(s, n), c, n);
    str_truncate(s, s->len + n);
}

void
str_vprintf(struct str *s, const char *format, va_list args)
{
    va_list again;
    size_t room;
    int n;

    va_copy(again, args);
    str_reserve(s, 0);
    room = s->size - s->len;
    n = vsnprintf(s->data + s->len, room, format, args);
    if (n < 0) {
        /* Only an encoding error of a wide string can do this. */
        n = 0;
    } else if ((size_t) n >= room) {
        str_reserve(s, (size_t) n);
        vsnprintf(s->data + s->len, (size_t) n + 1, format, again);
    }
    str_truncate(s, s->len + (size_t) n);
    va_end(again);
}

void
str_printf(struct str *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str_vprintf(s, format, args);
    va_end(args);
}

bool
str_chomp(struct str *s, char c)
{
    if (s->len && s->data[s->len - 1] == c) {
        str_truncate(s, s->len - 1);
        return true;
    }
    return false;
}

const char *
str_cstr(const struct str *s)
{
    return s->data ? s->data : "";
}

char *
str_steal(struct str *s)
{
    char *text = s->data ? s->data : xstrdup("");

    str_init(s);
    return text;
}
