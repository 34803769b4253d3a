/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid.c - the 128-bit names of database rows.  See uuid.h.
 */
#include "lib/ovsdb/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>

#include "lib/base/log.h"

static bool is_dash_at(size_t i);

void
uuid_random(struct uuid *uuid)
{
    /* 16 bytes never come short nor with EINTR, by getrandom's contract. */
    if (getrandom(uuid, sizeof *uuid, 0) != (ssize_t) sizeof *uuid) {
        log_fatal("cannot get random numbers from the kernel");
    }
    uuid->parts[1] = (uuid->parts[1] & 0xffff0fff) | 0x4000;
    uuid->parts[2] = (uuid->parts[2] & 0x3fffffff) | 0x80000000;
}

bool
uuid_from_text(struct uuid *uuid, const char *s)
{
    int n_digits = 0;
    size_t i;

    memset(uuid, 0, sizeof *uuid);
    for (i = 0; s[i] && i < UUID_LEN; i++) {
        if (is_dash_at(i)) {
            if (s[i] != '-') {
                break;
            }
        } else if (isxdigit((unsigned char) s[i])) {
            char digit[2] = { s[i], '\0' };
            uint32_t *part = &uuid->parts[n_digits / 8];

            *part = (*part << 4) | (uint32_t) strtoul(digit, NULL, 16);
            n_digits++;
        } else {
            break;
        }
    }
    if (i != UUID_LEN || s[i]) {
        memset(uuid, 0, sizeof *uuid);
        return false;
    }
    return true;
}

void
uuid_to_text(const struct uuid *uuid, char text[UUID_LEN + 1])
{
    const uint32_t *p = uuid->parts;

    snprintf(text, UUID_LEN + 1, "%08x-%04x-%04x-%04x-%04x%08x", p[0],
             p[1] >> 16, p[1] & 0xffff, p[2] >> 16, p[2] & 0xffff, p[3]);
}

int
uuid_count_prefix_digits(const char *s)
{
    int n_digits = 0;

    for (size_t i = 0; s[i]; i++) {
        if (i >= UUID_LEN) {
            return 0;
        } else if (is_dash_at(i)) {
            if (s[i] != '-') {
                return 0;
            }
        } else if (!isxdigit((unsigned char) s[i])) {
            return 0;
        } else {
            n_digits++;
        }
    }
    return n_digits;
}

bool
uuid_has_prefix(const struct uuid *uuid, const char *s)
{
    char text[UUID_LEN + 1];

    uuid_to_text(uuid, text);
    return !strncasecmp(text, s, strlen(s));
}

int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
    for (size_t i = 0; i < ARRAY_SIZE(a->parts); i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Whether character 'i' of the text form is a dash. */
static bool
is_dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}
