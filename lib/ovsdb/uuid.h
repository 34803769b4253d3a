/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid.h - the 128-bit names of database rows.  Any thread.
 */
#ifndef QANAT_OVSDB_UUID_H
#define QANAT_OVSDB_UUID_H 1

#include "lib/base/hash.h"
#include "lib/base/util.h"

/* Length of the text form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. */
#define OVSDB_UUID_LEN 36

/* The bytes in the order of the text form. */
struct ovsdb_uuid {
    uint8_t bytes[16];
};

/* Reads the text form (of either case) from the 'n' bytes at 's', which must
 * be all of it.  Returns false, leaving '*uuid' alone, for anything else. */
bool ovsdb_uuid_parse(const char *s, size_t n, struct ovsdb_uuid *uuid);
bool ovsdb_uuid_from_string(const char *s, struct ovsdb_uuid *uuid);

/* Writes the text form, lower case and terminated; returns 'text'. */
const char *ovsdb_uuid_format(const struct ovsdb_uuid *,
                              char text[OVSDB_UUID_LEN + 1]);

/* A new random one (RFC 4122, version 4). */
void ovsdb_uuid_generate(struct ovsdb_uuid *);

static inline bool
ovsdb_uuid_equal(const struct ovsdb_uuid *a, const struct ovsdb_uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

static inline int
ovsdb_uuid_compare(const struct ovsdb_uuid *a, const struct ovsdb_uuid *b)
{
    return memcmp(a, b, sizeof *a);
}

static inline bool
ovsdb_uuid_is_zero(const struct ovsdb_uuid *uuid)
{
    static const struct ovsdb_uuid zero;

    return ovsdb_uuid_equal(uuid, &zero);
}

static inline uint32_t
ovsdb_uuid_hash(const struct ovsdb_uuid *uuid, uint32_t basis)
{
    return hash_bytes(uuid, sizeof *uuid, basis);
}

#endif /* QANAT_OVSDB_UUID_H */
