/* SPDX-License-Identifier: Apache-2.0 */
/*
 * framer.h - cuts a stream of bytes into JSON objects.
 *
 * JSON-RPC over a stream has no lengths: a message ends where its outermost
 * brace closes.  The framer finds that place by counting brackets outside
 * strings, byte by byte, so it does work in proportion to the input however
 * it is cut into pieces.  Only then jansson sees the text.  Both the depth
 * and the size of a message are bounded, because the peer may be anybody.
 *
 * Not locked: one owner.
 */
#ifndef QANAT_IPC_FRAMER_H
#define QANAT_IPC_FRAMER_H 1

#include <jansson.h>

#include "lib/base/str.h"

enum framer_status {
    FRAMER_MORE,                /* All input is used; no message yet. */
    FRAMER_MESSAGE,             /* A message is complete. */
    FRAMER_ERROR                /* The stream makes no sense any more. */
};

struct framer {
    struct str text;            /* The message as far as it has come. */
    size_t max_bytes;
    unsigned int max_depth;
    unsigned int depth;
    bool in_string;
    bool after_backslash;
    const char *error;          /* Why FRAMER_ERROR, a constant. */
};

/* Messages are at most 'max_bytes' long and 'max_depth' brackets deep. */
void framer_init(struct framer *, size_t max_bytes, unsigned int max_depth);
void framer_fini(struct framer *);

/* Takes bytes from 'p' up to the end of the first message, stores in '*used'
 * how many of the 'n' were taken, and returns what came of it.  After
 * FRAMER_MESSAGE the caller calls framer_take() before it feeds the rest.
 * After FRAMER_ERROR the framer only returns FRAMER_ERROR; its 'error' says
 * why.  Blanks between messages are skipped. */
enum framer_status framer_feed(struct framer *, const void *p, size_t n,
                               size_t *used);

/* Decodes the complete message and makes the framer ready for the next.
 * Returns the object, which the caller releases; or NULL when it is not valid
 * JSON, with an explanation in '*error' that the caller frees. */
json_t *framer_take(struct framer *, char **error);

/* True when part of a message has come. */
bool framer_is_partial(const struct framer *);

/* Feeds 'n' arbitrary bytes in pieces of 'step' bytes (at least 1) to a framer
 * with small bounds and decodes what comes out; returns the number of valid
 * messages.  The entry point for fuzzing. */
size_t framer_fuzz(const void *p, size_t n, size_t step);

/* A new JSON string of 'text', in which bytes that are not UTF-8 are replaced
 * by '?'. */
json_t *framer_string(const char *text);

/* Appends 'json' to 's' as compact text. */
void framer_dump(struct str *s, const json_t *json);

#endif /* QANAT_IPC_FRAMER_H */
