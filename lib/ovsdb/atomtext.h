/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomtext.h - words of the text form of database values.
 *
 * The same functions are used for values, for "column:key=value" arguments
 * and for output.  Values only; they allocate: control plane only.
 */
#ifndef QANAT_OVSDB_ATOMTEXT_H
#define QANAT_OVSDB_ATOMTEXT_H 1

#include "lib/base/str.h"

/* True for the bytes that end a word: the space (but no other blank), the end
 * of the text, and the punctuation : = , [ ] { } ! < > */
bool atomtext_is_delimiter(char);

/* Takes one word from '*pos' and advances '*pos' behind it.  Between double
 * quotes nothing ends the word; what stands there, the quotes too, is kept as
 * it is.  Elsewhere a backslash makes the next byte part of the word and
 * vanishes.  The word is empty at a delimiter.
 * Returns NULL and stores the word, which the caller frees, or returns a
 * sentence that the caller frees. */
char *atomtext_take_word(const char **pos, char **word);

/* Stores in '*string', which the caller frees, what the double-quoted 'text'
 * means.  Returns NULL or a sentence that the caller frees. */
char *atomtext_unquote(const char *text, char **string);

/* True if the string 's' must be quoted in output so as not to be taken for
 * a value of another type, or for several words. */
bool atomtext_needs_quotes(const char *s);

/* The offset of the first byte that is not part of valid UTF-8 (RFC 3629), or
 * the length of 's' if all of it is valid. */
size_t atomtext_utf8_valid_len(const char *s);

#endif /* QANAT_OVSDB_ATOMTEXT_H */
