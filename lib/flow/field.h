/* SPDX-License-Identifier: Apache-2.0 */

/* field.h - the fields of a flow key in OVS's text: "group(name=value/mask)".
 *
 * Shared by flow_text.c and action_text.c, and by nobody else.  Allocates:
 * for control plane threads, and for a PMD only where a person asked. */

#ifndef QANAT_FIELD_H
#define QANAT_FIELD_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

/* How a value is spelled. */
enum field_kind {
    FIELD_DEC,                  /* A big endian integer; masks in hex. */
    FIELD_HEX,
    FIELD_MAC,
    FIELD_IP4,
    FIELD_IP6,
    FIELD_FRAG,                 /* FLOW_FRAG_*: no, first, later. */
    FIELD_TCI,                  /* "vid=..,pcp=..", by functions below. */
};

struct field {
    const char *group;
    const char *name;
    uint16_t ofs;               /* In struct flow_key. */
    uint8_t n;                  /* Bytes. */
    uint8_t kind;               /* enum field_kind */
    uint64_t full;              /* Of an integer: the bits that count. */
};

/* The table, groups together and fields in the order of output; ends with a
 * NULL group.  The groups "ip", "tp" and "vlan" are for set actions. */
extern const struct field fields[];

/* Fields by what names them; NULL if there is none.  'field_find_set' gives
 * the name that a set action on the 'n' bytes at 'ofs' has. */
const struct field *field_find(const char *group, const char *name);
const struct field *field_find_set(size_t ofs, size_t n);

/* Appends "name=value" or "name=value/mask,", with a comma behind, unless the
 * mask is empty.  'value' and 'mask' have the field's size; NULL is a full
 * mask. */
void field_format(struct str *, const struct field *, const void *value,
                  const void *mask);

/* The same for a VLAN tag: "vid=3,pcp=0,". */
void field_format_tci(struct str *, uint16_t tci, uint16_t mask);

/* A text being read. */
struct scan {
    const char *p;
    char token[64];             /* What was read last. */
};

/* Reads up to (not including) one of ",()/=" or the end into 'token'.  False
 * when that is empty or too long. */
bool scan_token(struct scan *);

/* Reads 'c' if it comes next. */
bool scan_char(struct scan *, char c);

/* Reads "value" or "value/mask" into the field's size of bytes at 'value' and
 * 'mask'.  NULL, or an error sentence that the caller frees. */
char *field_scan(struct scan *, const struct field *, void *value,
                 void *mask);

/* Reads "vid=..,pcp=.." up to ')', and tpid= where 'tpid' is not NULL.
 * VLAN_TCI_PRESENT is set in both. */
char *field_scan_tci(struct scan *, uint16_t *tci, uint16_t *mask,
                     uint16_t *tpid);

/* Reads an unsigned integer up to 'max'. */
char *scan_integer(struct scan *, uint64_t max, uint64_t *value);

/* The names of the flags of tcp_flags and tun_flags, in order of output; ends
 * with a NULL name. */
struct field_flag {
    const char *name;
    uint16_t bit;
};
extern const struct field_flag field_tcp_flags[];
extern const struct field_flag field_tun_flags[];

/* Appends "+syn-rst+ack", or "syn|ack" when the mask holds all flags. */
void field_format_flags(struct str *, const struct field_flag *,
                        uint16_t flags, uint16_t mask);
/* Reads either form, up to ')'. */
char *field_scan_flags(struct scan *, const struct field_flag *,
                       uint16_t *flags, uint16_t *mask);

#endif /* field.h */
