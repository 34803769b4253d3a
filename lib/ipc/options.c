/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - see options.h.
 */
#include "lib/ipc/options.h"

#include <getopt.h>
#include <stdio.h>

/* getopt_long() returns this plus the option's index. */
#define FIRST_VALUE 256

/* All tables in one row, as getopt wants them. */
struct flat {
    const struct option_def **defs;
    struct option *longs;
    struct str shorts;
    size_t n;
};

static char *parse(int argc, char *argv[], const char *mode,
                   const struct option_def *const tables[], size_t n_tables,
                   int *first);
static void flatten(struct flat *, const struct option_def *const tables[],
                    size_t n_tables);
static void flat_fini(struct flat *);
static const struct option_def *find_letter(const struct flat *, int letter);
static char *complain(const struct flat *, int c, char *const argv[]);

char *
options_parse(int argc, char *argv[],
              const struct option_def *const tables[], size_t n_tables,
              int *first)
{
    return parse(argc, argv, ":", tables, n_tables, first);
}

char *
options_parse_leading(int argc, char *argv[],
                      const struct option_def *const tables[],
                      size_t n_tables, int *first)
{
    return parse(argc, argv, "+:", tables, n_tables, first);
}

void
options_format_help(struct str *s, const struct option_def *table)
{
    for (const struct option_def *def = table; def->name; def++) {
        const char *metavar = def->metavar ? def->metavar : "ARG";
        size_t start = s->len;

        if (!def->help) {
            continue;
        }
        str_append(s, "  ");
        if (def->letter) {
            str_printf(s, "-%c, ", def->letter);
        }
        str_printf(s, "--%s", def->name);
        if (def->arg == OPTION_ARG_OPTIONAL) {
            str_printf(s, "[=%s]", metavar);
        } else if (def->arg == OPTION_ARG_REQUIRED) {
            str_printf(s, "=%s", metavar);
        }
        str_append_fill(s, ' ', s->len - start < 30
                                ? 30 - (s->len - start) : 1);
        str_printf(s, "%s\n", def->help);
    }
}

/* 'mode' begins getopt's short options: a plus ends them at the first other
 * argument; the colon tells a missing argument from an unknown option. */
static char *
parse(int argc, char *argv[], const char *mode,
      const struct option_def *const tables[], size_t n_tables, int *first)
{
    char *error = NULL;
    struct flat flat;

    str_init(&flat.shorts);
    str_append(&flat.shorts, mode);
    flatten(&flat, tables, n_tables);
    optind = 0;                 /* Makes getopt begin anew. */
    opterr = 0;
    while (!error) {
        const struct option_def *def;
        int c = getopt_long(argc, argv, str_cstr(&flat.shorts), flat.longs,
                            NULL);

        if (c == -1) {
            break;
        } else if (c == '?' || c == ':') {
            error = complain(&flat, c, argv);
            break;
        }
        def = c >= FIRST_VALUE ? flat.defs[c - FIRST_VALUE]
              : find_letter(&flat, c);
        error = def->set(def->arg == OPTION_ARG_NONE ? NULL : optarg,
                         def->aux);
    }
    *first = optind;
    flat_fini(&flat);
    return error;
}

static void
flatten(struct flat *flat, const struct option_def *const tables[],
        size_t n_tables)
{
    size_t i = 0;

    flat->n = 0;
    for (size_t t = 0; t < n_tables; t++) {
        for (const struct option_def *def = tables[t]; def->name; def++) {
            flat->n++;
        }
    }
    flat->defs = xcalloc(flat->n, sizeof *flat->defs);
    flat->longs = xcalloc(flat->n + 1, sizeof *flat->longs);
    for (size_t t = 0; t < n_tables; t++) {
        for (const struct option_def *def = tables[t]; def->name; def++) {
            struct option *o = &flat->longs[i];

            flat->defs[i] = def;
            o->name = def->name;
            o->has_arg = def->arg == OPTION_ARG_NONE ? no_argument
                         : def->arg == OPTION_ARG_OPTIONAL
                         ? optional_argument : required_argument;
            o->val = FIRST_VALUE + (int) i;
            if (def->letter) {
                str_append_char(&flat->shorts, def->letter);
                str_append(&flat->shorts, def->arg == OPTION_ARG_NONE ? ""
                           : def->arg == OPTION_ARG_OPTIONAL ? "::" : ":");
            }
            i++;
        }
    }
}

static void
flat_fini(struct flat *flat)
{
    free(flat->defs);
    free(flat->longs);
    str_fini(&flat->shorts);
}

static const struct option_def *
find_letter(const struct flat *flat, int letter)
{
    size_t i = 0;

    while (flat->defs[i]->letter != letter) {
        i++;
    }
    return flat->defs[i];
}

static char *
complain(const struct flat *flat, int c, char *const argv[])
{
    if (c == ':') {
        if (optopt >= FIRST_VALUE) {
            return xasprintf("option '--%s' requires an argument",
                             flat->defs[optopt - FIRST_VALUE]->name);
        }
        return xasprintf("option requires an argument -- '%c'", optopt);
    } else if (optopt >= FIRST_VALUE) {
        return xasprintf("option '--%s' doesn't allow an argument",
                         flat->defs[optopt - FIRST_VALUE]->name);
    } else if (optopt) {
        return xasprintf("invalid option -- '%c'", optopt);
    }
    return xasprintf("unrecognized option '%s'", argv[optind - 1]);
}
