/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smap.c - see smap.h.
 */
#include "lib/base/smap.h"

#include <strings.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"

static struct smap_node *find(const struct smap *, const char *key);
static int compare_keys(const void *, const void *);

void
smap_init(struct smap *smap)
{
    hmap_init(&smap->map);
}

void
smap_fini(struct smap *smap)
{
    smap_clear(smap);
    hmap_fini(&smap->map);
}

void
smap_clear(struct smap *smap)
{
    struct smap_node *node, *next;

    SMAP_FOR_EACH_SAFE(node, next, smap) {
        smap_remove_node(smap, node);
    }
}

void
smap_swap(struct smap *a, struct smap *b)
{
    hmap_swap(&a->map, &b->map);
}

void
smap_clone(struct smap *dst, const struct smap *src)
{
    const struct smap_node *node;

    smap_init(dst);
    hmap_reserve(&dst->map, hmap_count(&src->map));
    SMAP_FOR_EACH(node, src) {
        smap_set(dst, node->key, node->value);
    }
}

void
smap_set(struct smap *smap, const char *key, const char *value)
{
    struct smap_node *node = find(smap, key);
    char *copy = xstrdup(value);

    if (node) {
        free(node->value);
    } else {
        node = xzalloc(sizeof *node);
        node->key = xstrdup(key);
        hmap_insert(&smap->map, &node->node, hash_string(key, 0));
    }
    node->value = copy;
}

void
smap_setf(struct smap *smap, const char *key, const char *format, ...)
{
    va_list args;
    char *value;

    va_start(args, format);
    value = xvasprintf(format, args);
    va_end(args);
    smap_set(smap, key, value);
    free(value);
}

bool
smap_remove(struct smap *smap, const char *key)
{
    struct smap_node *node = find(smap, key);

    if (node) {
        smap_remove_node(smap, node);
    }
    return node != NULL;
}

void
smap_remove_node(struct smap *smap, struct smap_node *node)
{
    hmap_remove(&smap->map, &node->node);
    free(node->key);
    free(node->value);
    free(node);
}

const char *
smap_get(const struct smap *smap, const char *key)
{
    return smap_get_def(smap, key, NULL);
}

const char *
smap_get_def(const struct smap *smap, const char *key, const char *def)
{
    const struct smap_node *node = find(smap, key);

    return node ? node->value : def;
}

bool
smap_get_bool(const struct smap *smap, const char *key, bool def)
{
    const char *value = smap_get_def(smap, key, "");

    if (!strcasecmp(value, "true")) {
        return true;
    } else if (!strcasecmp(value, "false")) {
        return false;
    }
    return def;
}

int
smap_get_int(const struct smap *smap, const char *key, int def)
{
    int value;

    return str_to_int_range(smap_get_def(smap, key, ""), INT32_MIN,
                            INT32_MAX, &value) ? value : def;
}

uint64_t
smap_get_uint64(const struct smap *smap, const char *key, uint64_t def)
{
    uint64_t value;

    return str_to_uint64(smap_get_def(smap, key, ""), &value) ? value : def;
}

size_t
smap_count(const struct smap *smap)
{
    return hmap_count(&smap->map);
}

bool
smap_is_empty(const struct smap *smap)
{
    return hmap_is_empty(&smap->map);
}

bool
smap_equal(const struct smap *a, const struct smap *b)
{
    const struct smap_node *node;

    if (smap_count(a) != smap_count(b)) {
        return false;
    }
    SMAP_FOR_EACH(node, a) {
        const char *other = smap_get(b, node->key);

        if (!other || strcmp(node->value, other)) {
            return false;
        }
    }
    return true;
}

const struct smap_node **
smap_sort(const struct smap *smap)
{
    const struct smap_node **nodes
        = xcalloc(smap_count(smap), sizeof *nodes);
    const struct smap_node *node;
    size_t n = 0;

    SMAP_FOR_EACH(node, smap) {
        nodes[n++] = node;
    }
    qsort(nodes, n, sizeof *nodes, compare_keys);
    return nodes;
}

/* A cursor over text that may hold zero bytes. */
struct cursor {
    const char *p;
    const char *end;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_blanks(struct cursor *c)
{
    while (c->p < c->end && is_blank(*c->p)) {
        c->p++;
    }
}

/* Reads one key or value, up to '=' (if 'stop_at_equals') or ',' or the end.
 * Returns NULL or a constant that says what is wrong. */
static const char *
parse_word(struct cursor *c, bool stop_at_equals, struct str *word)
{
    bool quoted = false;

    str_clear(word);
    skip_blanks(c);
    if (c->p < c->end && *c->p == '"') {
        quoted = true;
        for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
            if (*c->p == '\\' && c->p + 1 < c->end) {
                c->p++;
            }
            str_append_char(word, *c->p);
        }
        if (c->p >= c->end) {
            return "a quote is not closed";
        }
        c->p++;
        skip_blanks(c);
    }
    while (c->p < c->end && *c->p != ','
           && !(stop_at_equals && *c->p == '=')) {
        if (quoted) {
            return "there is text after a closing quote";
        }
        str_append_char(word, *c->p++);
    }
    while (!quoted && word->len && is_blank(word->data[word->len - 1])) {
        str_truncate(word, word->len - 1);
    }
    return memchr(str_cstr(word), '\0', word->len)
           ? "there is a zero byte" : NULL;
}

char *
smap_parse(struct smap *map, const char *text, size_t len)
{
    struct cursor c = { .p = text, .end = text + len };
    struct smap parsed = SMAP_INIT(&parsed);
    struct str value = STR_INIT;
    struct str key = STR_INIT;
    const char *problem = NULL;
    struct smap_node *node;
    char *error = NULL;

    skip_blanks(&c);
    while (c.p < c.end && !problem) {
        problem = parse_word(&c, true, &key);
        if (!problem && (c.p >= c.end || *c.p != '=')) {
            problem = "\"=\" is missing";
        } else if (!problem && !key.len) {
            problem = "a key is empty";
        } else if (!problem) {
            c.p++;
            problem = parse_word(&c, false, &value);
        }
        if (!problem && smap_get(&parsed, str_cstr(&key))) {
            problem = "the key is given twice";
        }
        if (!problem) {
            smap_set(&parsed, str_cstr(&key), str_cstr(&value));
            c.p += c.p < c.end;
        }
    }
    if (problem) {
        error = xasprintf("%s near key \"%s\"", problem, str_cstr(&key));
    } else {
        SMAP_FOR_EACH(node, &parsed) {
            smap_set(map, node->key, node->value);
        }
    }
    smap_fini(&parsed);
    str_fini(&key);
    str_fini(&value);
    return error;
}

static struct smap_node *
find(const struct smap *smap, const char *key)
{
    struct smap_node *node;

    HMAP_FOR_EACH_WITH_HASH(node, node, hash_string(key, 0), &smap->map) {
        if (!strcmp(node->key, key)) {
            return node;
        }
    }
    return NULL;
}

static int
compare_keys(const void *a_, const void *b_)
{
    const struct smap_node *const *a = a_;
    const struct smap_node *const *b = b_;

    return strcmp((*a)->key, (*b)->key);
}
