/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid.h - the 128-bit names of database rows.  Any thread.
 */
#ifndef QANAT_OVSDB_UUID_H
#define QANAT_OVSDB_UUID_H 1

#include "lib/base/hash.h"
#include "lib/base/util.h"

/* Length of the text form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. */
#define UUID_LEN 36

/* The digits of the text form in its order, 8 in each part, the first the
 * most significant. */
struct uuid {
    uint32_t parts[4];
};

/* Makes a new random one (RFC 4122, version 4). */
void uuid_random(struct uuid *);

/* Reads the text form, in either case of letters, from all of 's'.  Returns
 * false, with '*uuid' all zero, for anything else. */
bool uuid_from_text(struct uuid *, const char *s);

/* Writes the text form, lower case and terminated. */
void uuid_to_text(const struct uuid *, char text[UUID_LEN + 1]);

/* If 's' is the text form or its beginning, the number of hexadecimal digits
 * in it, otherwise 0. */
int uuid_count_prefix_digits(const char *s);

/* True if the text form begins with 's', in either case of letters. */
bool uuid_has_prefix(const struct uuid *, const char *s);

/* Orders as the text forms are ordered: negative, 0 or positive. */
int uuid_compare(const struct uuid *, const struct uuid *);

static inline bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

static inline bool
uuid_is_zero(const struct uuid *uuid)
{
    return !(uuid->parts[0] | uuid->parts[1] | uuid->parts[2]
             | uuid->parts[3]);
}

static inline uint32_t
uuid_hash(const struct uuid *uuid, uint32_t basis)
{
    return hash_bytes(uuid, sizeof *uuid, basis);
}

#endif /* QANAT_OVSDB_UUID_H */
