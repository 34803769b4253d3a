/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomtext.c - the text form of single database values: the second half of
 * atom.h, and atomtext.h.
 */
#include "lib/ovsdb/atomtext.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "lib/ovsdb/atom.h"

static char *integer_from_text(union atom *, const char *text);
static char *real_from_text(union atom *, const char *text);
static char *boolean_from_text(union atom *, const char *text);
static char *string_from_text(union atom *, const char *text);
static char *uuid_atom_from_text(union atom *, const struct base_type *,
                                 struct symtab *, const char *text);
static bool take_integer(const char **pos, int64_t *value);
static char *unescape(struct str *, const char **pos, const char *text);
static bool take_hex4(const char **pos, unsigned int *value);
static void append_utf8(struct str *, unsigned int code_point);

char *
atom_from_text(union atom *atom, const struct base_type *base,
               struct symtab *symtab, const char *text)
{
    char *error = NULL;

    if (!*text) {
        return xstrdup("a value is missing; write \"\" for the empty "
                       "string");
    }
    memset(atom, 0, sizeof *atom);
    switch (base->type) {
    case ATOM_INTEGER:
        error = integer_from_text(atom, text);
        break;
    case ATOM_REAL:
        error = real_from_text(atom, text);
        break;
    case ATOM_BOOLEAN:
        error = boolean_from_text(atom, text);
        break;
    case ATOM_STRING:
        error = string_from_text(atom, text);
        break;
    case ATOM_UUID:
        error = uuid_atom_from_text(atom, base, symtab, text);
        break;
    case ATOM_VOID:
        error = xstrdup("no value is allowed here");
        break;
    }
    if (!error) {
        error = atom_check(atom, base);
        if (error) {
            atom_fini(atom, base->type);
        }
    }
    return error;
}

bool
atom_range_from_text(int64_t *first, int64_t *last,
                     const struct base_type *base, const char *text,
                     char **error)
{
    const char *pos = text;

    *error = NULL;
    if (base->type != ATOM_INTEGER || !take_integer(&pos, first)
        || *pos++ != '-' || !take_integer(&pos, last) || *pos) {
        return false;
    }

    union atom low = { .integer = *first };
    union atom high = { .integer = *last };

    if (*first > *last) {
        *error = xasprintf("the range \"%s\" ends before it begins", text);
        return true;
    }
    *error = atom_check(&low, base);
    if (!*error) {
        *error = atom_check(&high, base);
    }
    return true;
}

void
atom_to_text(struct str *s, const union atom *atom, enum atom_type type)
{
    if (type == ATOM_STRING && atomtext_needs_quotes(atom->string)) {
        atom_quote(s, atom->string);
    } else {
        atom_to_bare(s, atom, type);
    }
}

void
atom_to_bare(struct str *s, const union atom *atom, enum atom_type type)
{
    char text[UUID_LEN + 1];

    switch (type) {
    case ATOM_INTEGER:
        str_printf(s, "%"PRId64, atom->integer);
        break;
    case ATOM_REAL:
        str_printf(s, "%.*g", DBL_DIG, atom->real);
        break;
    case ATOM_BOOLEAN:
        str_append(s, atom->boolean ? "true" : "false");
        break;
    case ATOM_STRING:
        str_append(s, atom->string);
        break;
    case ATOM_UUID:
        uuid_to_text(&atom->uuid, text);
        str_append(s, text);
        break;
    case ATOM_VOID:
        break;
    }
}

void
atom_quote(struct str *out, const char *s)
{
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char escapes[] = "\"\\bfnrt";

    str_append_char(out, '"');
    for (; *s; s++) {
        const char *letter = strchr(letters, *s);

        if (letter) {
            str_append_char(out, '\\');
            str_append_char(out, escapes[letter - letters]);
        } else if ((unsigned char) *s < ' ') {
            str_printf(out, "\\u%04x", (unsigned char) *s);
        } else {
            str_append_char(out, *s);
        }
    }
    str_append_char(out, '"');
}

bool
atomtext_is_delimiter(char c)
{
    /* strchr() finds the terminator too: the text's end is a delimiter. */
    return strchr(":=, []{}!<>", c);
}

char *
atomtext_take_word(const char **pos, char **word)
{
    bool in_quotes = false;
    struct str s = STR_INIT;
    const char *p;

    *word = NULL;
    for (p = *pos; *p && (in_quotes || !atomtext_is_delimiter(*p)); p++) {
        if (*p == '"') {
            in_quotes = !in_quotes;
        } else if (*p == '\\') {
            /* What stands in quotes is unescaped later, as a whole. */
            if (in_quotes) {
                str_append_char(&s, *p);
            }
            if (!*++p) {
                str_fini(&s);
                return xasprintf("%s: ends in a backslash with nothing "
                                 "behind it", *pos);
            }
        }
        str_append_char(&s, *p);
    }
    if (in_quotes) {
        str_fini(&s);
        return xasprintf("%s: the closing quote is missing", *pos);
    }
    *pos = p;
    *word = str_steal(&s);
    return NULL;
}

char *
atomtext_unquote(const char *text, char **string)
{
    size_t len = strlen(text);
    struct str s = STR_INIT;
    const char *pos = text + 1;

    *string = NULL;
    while (*pos && *pos != '"') {
        if (*pos != '\\') {
            str_append_char(&s, *pos++);
            continue;
        }
        pos++;

        char *error = unescape(&s, &pos, text);
        if (error) {
            str_fini(&s);
            return error;
        }
    }
    if (pos != text + len - 1) {
        str_fini(&s);
        return xasprintf(*pos ? "%s: something follows the closing quote"
                              : "%s: the closing quote is missing", text);
    }
    *string = str_steal(&s);
    return NULL;
}

bool
atomtext_needs_quotes(const char *s)
{
    const char *p = s;
    struct uuid uuid;

    if ((*p & 0x80) || (!isalpha((unsigned char) *p) && *p != '_')) {
        return true;
    }
    for (p++; *p; p++) {
        if ((*p & 0x80)
            || (!isalnum((unsigned char) *p) && !strchr("_-.", *p))) {
            return true;
        }
    }
    return !strcmp(s, "true") || !strcmp(s, "false")
           || uuid_from_text(&uuid, s);
}

size_t
atomtext_utf8_valid_len(const char *s_)
{
    const unsigned char *s = (const unsigned char *) s_;
    size_t ofs = 0;

    while (s[ofs]) {
        unsigned char c = s[ofs];
        unsigned int n = (c < 0x80 ? 0 : c >= 0xc2 && c <= 0xdf ? 1
                          : c >= 0xe0 && c <= 0xef ? 2
                          : c >= 0xf0 && c <= 0xf4 ? 3 : UINT32_MAX);
        /* The second byte's range excludes long forms, surrogates and what
         * is beyond U+10FFFF. */
        unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

        if (n == UINT32_MAX) {
            return ofs;
        }
        for (unsigned int i = 1; i <= n; i++) {
            if (s[ofs + i] < low || s[ofs + i] > high) {
                return ofs;
            }
            low = 0x80;
            high = 0xbf;
        }
        ofs += n + 1;
    }
    return ofs;
}

static char *
integer_from_text(union atom *atom, const char *text)
{
    const char *pos = text;

    if (take_integer(&pos, &atom->integer) && !*pos) {
        return NULL;
    }
    return xasprintf(errno == ERANGE
                     ? "\"%s\" does not fit into an integer of 64 bits"
                     : "\"%s\" is not a decimal integer", text);
}

static char *
real_from_text(union atom *atom, const char *text)
{
    char *end;

    errno = 0;
    atom->real = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(atom->real)) {
        return xasprintf("\"%s\" is not a number", text);
    }
    return NULL;
}

static char *
boolean_from_text(union atom *atom, const char *text)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        for (int value = 0; value < 2; value++) {
            if (!strcmp(text, words[i][value])) {
                atom->boolean = value;
                return NULL;
            }
        }
    }
    return xasprintf("\"%s\" is neither \"true\" nor \"false\"", text);
}

static char *
string_from_text(union atom *atom, const char *text)
{
    size_t valid_len;
    char *error;

    if (*text == '"') {
        error = atomtext_unquote(text, &atom->string);
        if (error) {
            return error;
        }
    } else {
        atom->string = xstrdup(text);
    }

    valid_len = atomtext_utf8_valid_len(atom->string);
    if (atom->string[valid_len]) {
        error = xasprintf("the string is not valid UTF-8 at byte %zu (0x%02x)",
                          valid_len + 1,
                          (unsigned char) atom->string[valid_len]);
        free(atom->string);
        return error;
    }
    return NULL;
}

static char *
uuid_atom_from_text(union atom *atom, const struct base_type *base,
                    struct symtab *symtab, const char *text)
{
    if (*text == '@' && symtab) {
        struct symbol *symbol = symtab_get(symtab, text);

        if (base->ref_table && !base->is_weak_ref) {
            symbol->has_strong_ref = true;
        } else {
            symbol->has_weak_ref = true;
        }
        atom->uuid = symbol->uuid;
    } else if (!uuid_from_text(&atom->uuid, text)) {
        return xasprintf("\"%s\" is neither a whole UUID nor an @name", text);
    }
    return NULL;
}

/* Reads as many bytes from '*pos' as are an integer, with a sign maybe.  If
 * the integer is too big, errno is ERANGE, otherwise 0. */
static bool
take_integer(const char **pos, int64_t *value)
{
    const char *digits = *pos + (**pos == '-' || **pos == '+');
    char *end;

    errno = 0;
    if (!isdigit((unsigned char) *digits)) {
        return false;
    }
    *value = strtoll(*pos, &end, 10);
    *pos = end;
    return errno == 0;
}

/* Appends what the escape means whose letter '*pos' points to, and advances
 * behind it.  'text' is the whole, for the sentence. */
static char *
unescape(struct str *s, const char **pos, const char *text)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = **pos ? strchr(letters, **pos) : NULL;
    unsigned int code, low;

    if (letter) {
        str_append_char(s, meanings[letter - letters]);
        (*pos)++;
        return NULL;
    } else if (!**pos) {
        return xasprintf("%s: ends in a backslash with nothing behind it",
                         text);
    } else if (**pos != 'u') {
        return xasprintf("%s: \\%c is not an escape that JSON knows", text,
                         **pos);
    }

    (*pos)++;
    if (!take_hex4(pos, &code)) {
        return xasprintf("%s: four hexadecimal digits must follow \\u", text);
    }
    if (code >= 0xd800 && code <= 0xdfff) {
        if (code >= 0xdc00 || (*pos)[0] != '\\' || (*pos)[1] != 'u') {
            return xasprintf("%s: half of a surrogate pair stands alone",
                             text);
        }
        *pos += 2;
        if (!take_hex4(pos, &low) || low < 0xdc00 || low > 0xdfff) {
            return xasprintf("%s: half of a surrogate pair stands alone",
                             text);
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (!code) {
        return xasprintf("%s: \\u0000 cannot be stored in a string", text);
    }
    append_utf8(s, code);
    return NULL;
}

static bool
take_hex4(const char **pos, unsigned int *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char digit[2] = { (*pos)[i], '\0' };

        if (!isxdigit((unsigned char) digit[0])) {
            return false;
        }
        *value = *value * 16 + (unsigned int) strtoul(digit, NULL, 16);
    }
    *pos += 4;
    return true;
}

static void
append_utf8(struct str *s, unsigned int code)
{
    if (code < 0x80) {
        str_append_char(s, (char) code);
        return;
    }
    if (code < 0x800) {
        str_append_char(s, (char) (0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            str_append_char(s, (char) (0xe0 | code >> 12));
        } else {
            str_append_char(s, (char) (0xf0 | code >> 18));
            str_append_char(s, (char) (0x80 | (code >> 12 & 0x3f)));
        }
        str_append_char(s, (char) (0x80 | (code >> 6 & 0x3f)));
    }
    str_append_char(s, (char) (0x80 | (code & 0x3f)));
}
