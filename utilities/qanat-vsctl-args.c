/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-args.c - the command line.  See qanat-vsctl-args.h; the text of
 * --help is in qanat-vsctl-help.c.
 */
#include "utilities/qanat-vsctl-args.h"

#include <getopt.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "lib/ipc/dirs.h"

enum {
    OPT_DB = UCHAR_MAX + 1,
    OPT_NO_WAIT,
    OPT_DRY_RUN,
    OPT_ONELINE,
    OPT_RETRY,
    OPT_NO_HEADINGS,
    OPT_BARE,
    OPT_PRETTY,
    OPT_MAX_COLUMN_WIDTH,
    OPT_NO_SYSLOG,
    OPT_LOG_FILE,
    OPT_COMMANDS,
    OPT_OPTIONS,
    OPT_LOCAL,                  /* One of the first command's options. */
};

static const struct option global_options[] = {
    { "db", required_argument, NULL, OPT_DB },
    { "no-wait", no_argument, NULL, OPT_NO_WAIT },
    { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "oneline", no_argument, NULL, OPT_ONELINE },
    { "retry", no_argument, NULL, OPT_RETRY },
    { "timeout", required_argument, NULL, 't' },
    { "format", required_argument, NULL, 'f' },
    { "data", required_argument, NULL, 'd' },
    { "no-headings", no_argument, NULL, OPT_NO_HEADINGS },
    { "bare", no_argument, NULL, OPT_BARE },
    { "pretty", no_argument, NULL, OPT_PRETTY },
    { "max-column-width", required_argument, NULL, OPT_MAX_COLUMN_WIDTH },
    { "verbose", optional_argument, NULL, 'v' },
    { "no-syslog", no_argument, NULL, OPT_NO_SYSLOG },
    { "log-file", optional_argument, NULL, OPT_LOG_FILE },
    { "commands", no_argument, NULL, OPT_COMMANDS },
    { "options", no_argument, NULL, OPT_OPTIONS },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static const struct vsctl_syntax *const syntaxes[] = {
    vsctl_bridge_commands, vsctl_port_commands, vsctl_config_commands,
    vsctl_show_commands,   vsctl_db_commands,
};

/* Options of commands that stood before the first command. */
struct local_options {
    struct vsctl_option *options;
    size_t n;
    size_t size;                /* Options there is room for. */
};

static struct option *make_options(void);
static bool has_option_named(const struct option *, const char *name,
                             size_t len);
static char *apply_option(struct vsctl_args *, struct local_options *,
                          int option, const char *name);
static char *apply_local(struct local_options *, const char *name,
                         const char *value);
static char *parse_commands(struct vsctl_args *, struct local_options *,
                            int argc, char *argv[]);
static char *parse_command(struct vsctl_command *, struct local_options *,
                           int argc, char *argv[]);
static char *check_options(const struct vsctl_command *);
static char *check_n_args(const struct vsctl_command *);
static const struct vsctl_syntax *find_syntax(const char *name);
static bool needs_no_quotes(const char *);
static int compare_names(const void *, const void *);

char *
args_parse(struct vsctl_args *args, int argc, char *argv[])
{
    struct option *options = make_options();
    struct local_options locals = { NULL, 0, 0 };
    char *error = NULL;

    /* getopt begins its messages with this. */
    argv[0] = (char *) qanat_progname();
    *args = (struct vsctl_args) {
        .db = xasprintf("unix:%s/db.sock", dirs_run()),
        .wait_for_reload = true,
        .table_style = TABLE_STYLE_INIT,
    };
    while (!error && !args->wants_help && !args->wants_version) {
        int index = -1;
        int option = getopt_long(argc, argv, "+t:f:d:v::hV", options, &index);

        if (option == -1) {
            break;
        }
        error = apply_option(args, &locals, option,
                             index >= 0 ? options[index].name : NULL);
    }
    if (!error && !args->wants_help && !args->wants_version) {
        error = parse_commands(args, &locals, argc - optind, argv + optind);
    }

    for (size_t i = 0; i < locals.n; i++) {
        free(locals.options[i].name);
        free(locals.options[i].value);
    }
    free(locals.options);
    for (size_t i = ARRAY_SIZE(global_options) - 1; options[i].name; i++) {
        free((char *) options[i].name);
    }
    free(options);
    return error;
}

void
args_fini(struct vsctl_args *args)
{
    for (size_t i = 0; i < args->n_commands; i++) {
        struct vsctl_command *cmd = &args->commands[i];

        for (size_t j = 0; j < cmd->n_options; j++) {
            free(cmd->options[j].name);
            free(cmd->options[j].value);
        }
        free(cmd->options);
        str_fini(&cmd->output);
        if (cmd->table) {
            table_fini(cmd->table);
            free(cmd->table);
        }
    }
    free(args->commands);
    free(args->db);
}

void
args_quote(struct str *s, int argc, char *argv[])
{
    for (int i = 0; i < argc; i++) {
        str_append(s, i ? " " : "");
        if (needs_no_quotes(argv[i])) {
            str_append(s, argv[i]);
        } else {
            atom_quote(s, argv[i]);
        }
    }
}

void
args_print_commands(void)
{
    const char *names[128];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(syntaxes); i++) {
        for (const struct vsctl_syntax *s = syntaxes[i]; s->name; s++) {
            if (n < ARRAY_SIZE(names)) {
                names[n++] = s->name;
            }
        }
    }
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++) {
        puts(names[i]);
    }
}

void
args_print_options(void)
{
    struct option *options = make_options();

    for (const struct option *o = options; o->name; o++) {
        printf("--%s%s\n", o->name, o->has_arg == required_argument ? "="
                                    : "");
    }
    for (size_t i = ARRAY_SIZE(global_options) - 1; options[i].name; i++) {
        free((char *) options[i].name);
    }
    free(options);
}

/* The global options and behind them, each once, all options of commands,
 * whose names are on the heap. */
static struct option *
make_options(void)
{
    size_t n = ARRAY_SIZE(global_options) - 1;
    struct option *options = xmemdup(global_options, sizeof global_options);

    for (size_t i = 0; i < ARRAY_SIZE(syntaxes); i++) {
        for (const struct vsctl_syntax *s = syntaxes[i]; s->name; s++) {
            for (const char *p = s->options; *p; p += strcspn(p, ",") + 1) {
                size_t len = strcspn(p, "=,");

                if (has_option_named(options, p + 2, len - 2)) {
                    continue;
                }
                options = xrealloc(options, (n + 2) * sizeof *options);
                options[n++] = (struct option) {
                    xstrndup(p + 2, len - 2),
                    p[len] == '=' ? required_argument : no_argument, NULL,
                    OPT_LOCAL,
                };
                options[n] = (struct option) { NULL, 0, NULL, 0 };
            }
        }
    }
    return options;
}

static bool
has_option_named(const struct option *options, const char *name, size_t len)
{
    for (; options->name; options++) {
        if (strlen(options->name) == len
            && !strncmp(options->name, name, len)) {
            return true;
        }
    }
    return false;
}

static char *
apply_option(struct vsctl_args *args, struct local_options *locals,
             int option, const char *name)
{
    struct table_style *style = &args->table_style;
    int value;

    switch (option) {
    case OPT_DB:
        free(args->db);
        args->db = xstrdup(optarg);
        return NULL;
    case OPT_NO_WAIT:
        args->wait_for_reload = false;
        return NULL;
    case OPT_DRY_RUN:
        args->is_dry_run = true;
        return NULL;
    case OPT_ONELINE:
        args->is_oneline = true;
        return NULL;
    case OPT_RETRY:
        args->retry = true;
        return NULL;
    case 't':
        if (!str_to_int_range(optarg, 0, INT_MAX, &value)) {
            return xasprintf("-t or --timeout: \"%s\" is not a number of "
                             "seconds", optarg);
        }
        args->timeout_s = (unsigned int) value;
        return NULL;
    case 'f':
        return (table_format_from_name(&style->format, optarg) ? NULL
                : xasprintf("-f or --format: \"%s\" is not one of table, "
                            "list, html, csv, json", optarg));
    case 'd':
        return (table_cell_format_from_name(&style->cell_format, optarg)
                ? NULL
                : xasprintf("-d or --data: \"%s\" is not one of string, "
                            "bare, json", optarg));
    case OPT_NO_HEADINGS:
        style->has_headings = false;
        return NULL;
    case OPT_BARE:
        style->format = TABLE_FORMAT_LIST;
        style->cell_format = TABLE_CELL_BARE;
        style->has_headings = false;
        return NULL;
    case OPT_PRETTY:
        style->is_pretty = true;
        return NULL;
    case OPT_MAX_COLUMN_WIDTH:
        if (!str_to_int_range(optarg, 1, INT_MAX, &value)) {
            return xasprintf("--max-column-width: \"%s\" is not a number "
                             "above 0", optarg);
        }
        style->max_column_width = (size_t) value;
        return NULL;
    case 'v':
        return log_set_from_text(optarg);
    case OPT_NO_SYSLOG:
        log_set_level("vsctl", LOG_DEST_SYSLOG, LOG_LEVEL_WARN);
        return NULL;
    case OPT_LOG_FILE: {
        char *file_name = (optarg ? xstrdup(optarg)
                           : xasprintf("%s/%s.log", dirs_log(),
                                       qanat_progname()));
        int error = log_open_file(file_name);
        char *sentence = error ? xasprintf("cannot write the log file %s: %s",
                                           file_name, strerror(-error))
                               : NULL;

        free(file_name);
        return sentence;
    }
    case OPT_COMMANDS:
        args_print_commands();
        exit(EXIT_SUCCESS);
    case OPT_OPTIONS:
        args_print_options();
        exit(EXIT_SUCCESS);
    case 'h':
        args->wants_help = true;
        return NULL;
    case 'V':
        args->wants_version = true;
        return NULL;
    case OPT_LOCAL:
        return apply_local(locals, name, optarg);
    default:
        return xstrdup("");
    }
}

static char *
apply_local(struct local_options *locals, const char *name,
            const char *value)
{
    struct vsctl_option *option;

    for (size_t i = 0; i < locals->n; i++) {
        if (!strcmp(locals->options[i].name + 2, name)) {
            return xasprintf("the option --%s is given twice", name);
        }
    }
    if (locals->n >= locals->size) {
        locals->options = xgrow(locals->options, &locals->size,
                                sizeof *locals->options);
    }
    option = &locals->options[locals->n++];
    option->name = xasprintf("--%s", name);
    option->value = value ? xstrdup(value) : NULL;
    return NULL;
}

/* Splits the arguments at each "--". */
static char *
parse_commands(struct vsctl_args *args, struct local_options *locals,
               int argc, char *argv[])
{
    int start = 0;

    for (int i = 0; i <= argc; i++) {
        if (i < argc && strcmp(argv[i], "--")) {
            continue;
        }
        if (i > start) {
            struct vsctl_command *cmd;
            char *error;

            args->commands = xrealloc(args->commands,
                                      (args->n_commands + 1)
                                      * sizeof *args->commands);
            cmd = &args->commands[args->n_commands++];
            *cmd = (struct vsctl_command) { .syntax = NULL };
            error = parse_command(cmd, locals, i - start, argv + start);
            if (error) {
                return error;
            }
        }
        start = i + 1;
    }
    if (!args->n_commands) {
        return xstrdup("there is no command; see --help");
    }
    return NULL;
}

/* The first command takes the options that stood before it. */
static char *
parse_command(struct vsctl_command *cmd, struct local_options *locals,
              int argc, char *argv[])
{
    char *error = NULL;
    int i;

    for (i = 0; i < argc && argv[i][0] == '-' && !error; i++) {
        size_t len = strcspn(argv[i], "=");
        char *name = xstrndup(argv[i], len);

        if (strncmp(name, "--", 2)) {
            error = xasprintf("%s: the options of commands begin with \"--\"",
                              name);
        } else {
            error = apply_local(locals, name + 2,
                                argv[i][len] ? argv[i] + len + 1 : NULL);
        }
        free(name);
    }
    if (error) {
        return error;
    } else if (i >= argc) {
        return xstrdup("options, but no command after them; see --help");
    }

    cmd->options = locals->options;
    cmd->n_options = locals->n;
    *locals = (struct local_options) { NULL, 0, 0 };
    cmd->argc = argc - i;
    cmd->argv = argv + i;
    cmd->syntax = find_syntax(cmd->argv[0]);
    if (!cmd->syntax) {
        return xasprintf("there is no command \"%s\"; see --help",
                         cmd->argv[0]);
    }
    error = check_options(cmd);
    return error ? error : check_n_args(cmd);
}

static char *
check_options(const struct vsctl_command *cmd)
{
    for (size_t i = 0; i < cmd->n_options; i++) {
        const struct vsctl_option *option = &cmd->options[i];
        size_t len = strlen(option->name);
        const char *p = cmd->syntax->options;

        while (*p && (strcspn(p, "=,") != len
                      || strncmp(p, option->name, len))) {
            p += strcspn(p, ",") + 1;
        }
        if (!*p) {
            return xasprintf("\"%s\" has no option %s", cmd->syntax->name,
                             option->name);
        } else if (p[len] == '=' && !option->value) {
            return xasprintf("the option %s of \"%s\" needs a value: %s=...",
                             option->name, cmd->syntax->name, option->name);
        } else if (p[len] != '=' && option->value) {
            return xasprintf("the option %s of \"%s\" takes no value",
                             option->name, cmd->syntax->name);
        }
    }
    return NULL;
}

static char *
check_n_args(const struct vsctl_command *cmd)
{
    const struct vsctl_syntax *syntax = cmd->syntax;
    int n = cmd->argc - 1;

    if (n < syntax->min_args) {
        return xasprintf("\"%s\" needs %s%d argument%s, but %d %s given",
                         syntax->name,
                         syntax->max_args > syntax->min_args ? "at least "
                                                             : "",
                         syntax->min_args, syntax->min_args == 1 ? "" : "s",
                         n, n == 1 ? "is" : "are");
    } else if (n > syntax->max_args) {
        return xasprintf("\"%s\" takes at most %d argument%s, but %d %s "
                         "given", syntax->name, syntax->max_args,
                         syntax->max_args == 1 ? "" : "s", n,
                         n == 1 ? "is" : "are");
    }
    return NULL;
}

static const struct vsctl_syntax *
find_syntax(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(syntaxes); i++) {
        for (const struct vsctl_syntax *s = syntaxes[i]; s->name; s++) {
            if (!strcmp(s->name, name)) {
                return s;
            }
        }
    }
    return NULL;
}

static bool
needs_no_quotes(const char *arg)
{
    static const char safe[]
        = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
          "-_.:/=@,%+";

    return *arg && !arg[strspn(arg, safe)];
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}
