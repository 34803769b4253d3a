/* SPDX-License-Identifier: Apache-2.0 */
/*
 * framer.c - see framer.h.
 */
#include "lib/ipc/framer.h"

static bool take_byte(struct framer *, char c);
static enum framer_status fail(struct framer *, const char *why);
static size_t utf8_len(const char *);
static int dump_to_str(const char *p, size_t n, void *s);

void
framer_init(struct framer *f, size_t max_bytes, unsigned int max_depth)
{
    memset(f, 0, sizeof *f);
    str_init(&f->text);
    f->max_bytes = max_bytes;
    f->max_depth = max_depth;
}

void
framer_fini(struct framer *f)
{
    str_fini(&f->text);
}

enum framer_status
framer_feed(struct framer *f, const void *p_, size_t n, size_t *used)
{
    const char *p = p_;
    size_t start = 0;
    size_t i;

    *used = 0;
    if (f->error) {
        return FRAMER_ERROR;
    }
    if (!f->depth) {
        while (start < n && strchr(" \t\r\n", p[start]) && p[start]) {
            start++;
        }
        *used = start;
        if (start == n) {
            return FRAMER_MORE;
        } else if (p[start] != '{') {
            return fail(f, "a message does not begin with a brace");
        }
    }
    for (i = start; i < n; i++) {
        bool ended = take_byte(f, p[i]);

        if (f->depth > f->max_depth) {
            return fail(f, "a message is nested too deeply");
        } else if (f->text.len + (i - start) >= f->max_bytes) {
            return fail(f, "a message is too long");
        } else if (ended) {
            i++;
            break;
        }
    }
    str_append_n(&f->text, p + start, i - start);
    *used = i;
    return f->depth ? FRAMER_MORE : FRAMER_MESSAGE;
}

json_t *
framer_take(struct framer *f, char **error)
{
    json_error_t why;
    json_t *json;

    /* A zero byte within a string is legal; jansson lets it pass if asked,
     * and one odd row then does not cost the whole connection. */
    json = json_loadb(str_cstr(&f->text), f->text.len,
                      JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    *error = NULL;
    if (!json) {
        *error = xasprintf("invalid JSON at byte %d: %s", why.position,
                           why.text);
    }
    /* A buffer that held one huge message is not kept for small ones. */
    if (f->text.size > 65536) {
        str_fini(&f->text);
    }
    str_clear(&f->text);
    return json;
}

bool
framer_is_partial(const struct framer *f)
{
    return f->depth > 0;
}

size_t
framer_fuzz(const void *p_, size_t n, size_t step)
{
    const char *p = p_;
    struct framer f;
    size_t n_valid = 0;
    size_t ofs = 0;

    framer_init(&f, 4096, 8);
    while (ofs < n) {
        size_t len = MIN(step ? step : 1, n - ofs);
        enum framer_status status;
        size_t used;

        status = framer_feed(&f, p + ofs, len, &used);
        ofs += used;
        if (status == FRAMER_ERROR) {
            break;
        } else if (status == FRAMER_MESSAGE) {
            struct str again = STR_INIT;
            char *error;
            json_t *json = framer_take(&f, &error);

            if (json) {
                framer_dump(&again, json);
                n_valid++;
            }
            str_fini(&again);
            json_decref(json);
            free(error);
        }
    }
    framer_fini(&f);
    return n_valid;
}

json_t *
framer_string(const char *text)
{
    json_t *json = json_string(text);
    struct str clean = STR_INIT;

    if (json) {
        return json;
    }
    while (*text) {
        size_t len = utf8_len(text);

        if (len) {
            str_append_n(&clean, text, len);
            text += len;
        } else {
            str_append_char(&clean, '?');
            text++;
        }
    }
    json = json_string(str_cstr(&clean));
    str_fini(&clean);
    return json;
}

void
framer_dump(struct str *s, const json_t *json)
{
    json_dump_callback(json, dump_to_str, s,
                       JSON_COMPACT | JSON_ENCODE_ANY);
}

/* Counts one byte in; true if it ends the message.  Mismatched brackets, as
 * in "{]", only mislead the count: the decoder finds them. */
static bool
take_byte(struct framer *f, char c)
{
    if (f->in_string) {
        if (f->after_backslash) {
            f->after_backslash = false;
        } else if (c == '\\') {
            f->after_backslash = true;
        } else if (c == '"') {
            f->in_string = false;
        }
    } else if (c == '"') {
        f->in_string = true;
    } else if (c == '{' || c == '[') {
        f->depth++;
    } else if (c == '}' || c == ']') {
        f->depth--;
        return !f->depth;
    }
    return false;
}

static enum framer_status
fail(struct framer *f, const char *why)
{
    f->error = why;
    return FRAMER_ERROR;
}

/* Length of the well-formed UTF-8 character at 's', or 0 (RFC 3629). */
static size_t
utf8_len(const char *s_)
{
    const unsigned char *s = (const unsigned char *) s_;
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    /* Longer than needed, a surrogate, or beyond U+10FFFF. */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)
        || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return len;
}

static int
dump_to_str(const char *p, size_t n, void *s)
{
    str_append_n(s, p, n);
    return 0;
}
