/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl.c - asks and changes the configuration of the switch, as
 * ovs-vsctl does: the run from the command line to the exit status.
 *
 * One thread.  Talks to the database server alone, never to the switch; see
 * qanat-vsctl.h for the steps.
 */
#include "utilities/qanat-vsctl.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/ipc/dirs.h"
#include "utilities/qanat-vsctl-args.h"
#include "utilities/qanat-vsctl-session.h"
#include "utilities/qanat-vsctl-topology.h"
#include "utilities/qanat-vsctl-txn.h"

LOG_MODULE(vsctl);

/* A run, and everything it must free. */
struct run {
    struct vsctl_args args;
    struct str command_line;
    struct session session;
    struct schema *schema;
    struct vsctl_ctx ctx;
    struct txn txn;
};

enum outcome {
    OUTCOME_UNCHANGED,          /* Nothing was written. */
    OUTCOME_COMMITTED,
    OUTCOME_FAILED,             /* ctx.error says why. */
    OUTCOME_QUIET,              /* ctx.exit_status and nothing else. */
};

static int run_all(struct run *);
static bool fail(struct run *, char *error);
static bool start(struct run *);
static bool check_schema(struct run *);
static enum outcome execute(struct run *);
static bool execute_commands(struct run *);
static enum outcome commit(struct run *, bool *again);
static void reset_context(struct run *);
static bool check_symbols(struct vsctl_ctx *);
static bool check_new_rows(struct vsctl_ctx *);
static bool has_required(const struct view_row *,
                         const struct schema_column *);
static const struct uuid *get_real_uuid(const struct vsctl_ctx *,
                                        const struct uuid *);
static void print_outputs(struct run *);
static void print_oneline(const char *);
static bool wait_for_switch(struct run *);
static void report_interfaces(struct run *);
static void report_interface(const json_t *row);
static void print_errors(struct run *);
static void die_of_timeout(void) NORETURN;

int
main(int argc, char *argv[])
{
    struct run run = { .schema = NULL };
    bool is_timed_out;
    char *error;
    int status;

    qanat_set_progname(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    log_set_level(NULL, LOG_DEST_CONSOLE, LOG_LEVEL_WARN);
    log_set_level(NULL, LOG_DEST_SYSLOG, LOG_LEVEL_WARN);
    log_set_level("vsctl", LOG_DEST_SYSLOG, LOG_LEVEL_INFO);
    symtab_init(&run.ctx.symtab);

    error = args_parse(&run.args, argc, argv);
    args_quote(&run.command_line, argc, argv);
    if (error) {
        if (*error) {
            fprintf(stderr, "%s: %s\n", qanat_progname(), error);
        }
        free(error);
        status = EXIT_FAILURE;
    } else if (run.args.wants_help) {
        args_print_help();
        status = EXIT_SUCCESS;
    } else if (run.args.wants_version) {
        puts(qanat_version_line());
        status = EXIT_SUCCESS;
    } else {
        status = run_all(&run);
    }
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "%s: cannot write the output\n", qanat_progname());
        status = status ? status : EXIT_FAILURE;
    }

    is_timed_out = run.session.is_timed_out;
    txn_fini(&run.txn);
    topology_forget(&run.ctx);
    symtab_fini(&run.ctx.symtab);
    str_fini(&run.ctx.warnings);
    free(run.ctx.error);
    args_fini(&run.args);
    view_destroy(run.ctx.view);
    schema_destroy(run.schema);
    session_close(&run.session);
    str_fini(&run.command_line);
    if (is_timed_out) {
        die_of_timeout();
    }
    return status;
}

void
vsctl_fail(struct vsctl_ctx *ctx, const char *format, ...)
{
    if (!ctx->error) {
        va_list args;

        va_start(args, format);
        ctx->error = xvasprintf(format, args);
        va_end(args);
    }
}

bool
vsctl_fail_on(struct vsctl_ctx *ctx, const char *where, char *error)
{
    if (!error) {
        return false;
    }
    vsctl_fail(ctx, "%s%s%s", where ? where : "", where ? ": " : "", error);
    free(error);
    return true;
}

void
vsctl_warn(struct vsctl_ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str_printf(&ctx->warnings, "%s: warning: ", qanat_progname());
    str_vprintf(&ctx->warnings, format, args);
    str_append_char(&ctx->warnings, '\n');
    va_end(args);
}

bool
vsctl_has_option(const struct vsctl_ctx *ctx, const char *name)
{
    const struct vsctl_command *cmd = ctx->command;

    for (size_t i = 0; i < cmd->n_options; i++) {
        if (!strcmp(cmd->options[i].name, name)) {
            return true;
        }
    }
    return false;
}

const char *
vsctl_option_value(const struct vsctl_ctx *ctx, const char *name)
{
    const struct vsctl_command *cmd = ctx->command;

    for (size_t i = 0; i < cmd->n_options; i++) {
        if (!strcmp(cmd->options[i].name, name)) {
            return cmd->options[i].value;
        }
    }
    return NULL;
}

struct view_row *
vsctl_root(const struct vsctl_ctx *ctx)
{
    return view_first(view_find_table(ctx->view, "Open_vSwitch"));
}

/* Returns the exit status. */
static int
run_all(struct run *run)
{
    enum outcome outcome = start(run) ? execute(run) : OUTCOME_FAILED;

    switch (outcome) {
    case OUTCOME_FAILED:
        print_errors(run);
        return EXIT_FAILURE;
    case OUTCOME_QUIET:
        return run->ctx.exit_status;
    case OUTCOME_UNCHANGED:
        print_outputs(run);
        return EXIT_SUCCESS;
    case OUTCOME_COMMITTED:
        break;
    }
    print_outputs(run);
    if (run->args.wait_for_reload && !wait_for_switch(run)) {
        print_errors(run);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* Keeps the error, if it is one, and returns whether it is. */
static bool
fail(struct run *run, char *error)
{
    return vsctl_fail_on(&run->ctx, NULL, error);
}

/* Connects, and lets the commands name what they read. */
static bool
start(struct run *run)
{
    struct vsctl_args *args = &run->args;
    int64_t deadline_ms = (args->timeout_s
                           ? clock_ms() + (int64_t) args->timeout_s * 1000
                           : INT64_MAX);

    if (fail(run, session_open(&run->session, args->db, args->retry,
                               deadline_ms))
        || fail(run, session_get_schema(&run->session, &run->schema))) {
        return false;
    }
    run->ctx.view = view_create(run->schema);
    if (!check_schema(run)) {
        return false;
    }
    view_need_table(run->ctx.view,
                    schema_find_table(run->schema, "Open_vSwitch"));
    for (size_t i = 0; i < args->n_commands && !run->ctx.error; i++) {
        run->ctx.command = &args->commands[i];
        args->commands[i].syntax->prepare(&run->ctx);
    }
    return !run->ctx.error;
}

/* Of the schema, which may be of any version, just this is taken for
 * granted. */
static bool
check_schema(struct run *run)
{
    static const char *const refs[][3] = {
        { "Open_vSwitch", "bridges", "Bridge" },
        { "Bridge", "ports", "Port" },
        { "Port", "interfaces", "Interface" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
        const struct schema_table *table = schema_find_table(run->schema,
                                                             refs[i][0]);
        const struct schema_column *column
            = table ? schema_find_column(table, refs[i][1]) : NULL;
        const char *ref_table = column ? column->type.key.ref_table : NULL;

        if (!ref_table || strcmp(ref_table, refs[i][2])
            || datum_type_is_map(&column->type)) {
            vsctl_fail(&run->ctx, "the database is not that of a switch: "
                       "no column %s of table %s refers to table %s",
                       refs[i][1], refs[i][0], refs[i][2]);
            return false;
        }
    }
    return true;
}

/* Runs the commands on one snapshot after the other until their changes are
 * committed. */
static enum outcome
execute(struct run *run)
{
    struct vsctl_ctx *ctx = &run->ctx;

    for (;;) {
        enum outcome outcome;
        bool again = false;

        reset_context(run);
        if (fail(run, session_load(&run->session, ctx->view))
            || !execute_commands(run)) {
            return OUTCOME_FAILED;
        } else if (ctx->exit_status) {
            return OUTCOME_QUIET;
        } else if (ctx->is_waiting) {
            if (fail(run, session_wait_change(&run->session))) {
                return OUTCOME_FAILED;
            }
            continue;
        } else if (!check_symbols(ctx) || !check_new_rows(ctx)) {
            return OUTCOME_FAILED;
        } else if (run->args.is_dry_run) {
            return OUTCOME_UNCHANGED;
        }
        outcome = commit(run, &again);
        if (!again) {
            return outcome;
        }
        log_dbg("the database has changed meanwhile; trying again");
    }
}

static bool
execute_commands(struct run *run)
{
    struct vsctl_ctx *ctx = &run->ctx;
    struct view_table *root_table = view_find_table(ctx->view,
                                                    "Open_vSwitch");

    if (!view_first(root_table)) {
        view_insert(root_table, NULL);
    }
    for (size_t i = 0; i < run->args.n_commands; i++) {
        ctx->command = &run->args.commands[i];
        ctx->command->syntax->run(ctx);
        topology_forget(ctx);
        if (ctx->error) {
            return false;
        } else if (ctx->exit_status || ctx->is_waiting) {
            break;
        }
        if (!vsctl_root(ctx)) {
            vsctl_fail(ctx, "the root row of table Open_vSwitch cannot be "
                       "deleted");
            return false;
        }
    }
    return true;
}

static enum outcome
commit(struct run *run, bool *again)
{
    struct vsctl_ctx *ctx = &run->ctx;
    enum txn_result txn_result;
    json_t *results;
    char *error;

    txn_init(&run->txn, ctx->view, vsctl_root(ctx),
             run->args.wait_for_reload, str_cstr(&run->command_line));
    if (!run->txn.params) {
        return OUTCOME_UNCHANGED;
    }
    log_info("called as: %s", str_cstr(&run->command_line));
    if (fail(run, session_transact(&run->session,
                                   json_incref(run->txn.params),
                                   &results))) {
        return OUTCOME_FAILED;
    }
    txn_result = txn_read_answer(&run->txn, results, &error);
    json_decref(results);
    *again = txn_result == TXN_AGAIN;
    return fail(run, error) ? OUTCOME_FAILED : OUTCOME_COMMITTED;
}

/* Forgets all that an earlier execution left. */
static void
reset_context(struct run *run)
{
    struct vsctl_ctx *ctx = &run->ctx;

    txn_fini(&run->txn);
    run->txn = (struct txn) { .params = NULL };
    symtab_fini(&ctx->symtab);
    symtab_init(&ctx->symtab);
    str_clear(&ctx->warnings);
    ctx->is_waiting = false;
    ctx->get_real_uuid = get_real_uuid;
    ctx->aux = run;
    for (size_t i = 0; i < run->args.n_commands; i++) {
        struct vsctl_command *cmd = &run->args.commands[i];

        str_clear(&cmd->output);
        if (cmd->table) {
            table_fini(cmd->table);
            free(cmd->table);
            cmd->table = NULL;
        }
    }
}

/* Each @name that was used must stand for a row. */
static bool
check_symbols(struct vsctl_ctx *ctx)
{
    struct symbol *symbol;

    SYMTAB_FOR_EACH (symbol, &ctx->symtab) {
        if (!symbol->is_defined) {
            vsctl_fail(ctx, "%s is used, but no command says which row it "
                       "is; add e.g. \"-- --id=%s create TABLE ...\"",
                       symbol->name, symbol->name);
            return false;
        } else if (symbol->is_new_row && symbol->needs_reference
                   && !symbol->has_strong_ref) {
            vsctl_warn(ctx, "the row %s will not stay in the database, "
                       "because no other row refers to it%s", symbol->name,
                       symbol->has_weak_ref ? " in a way that keeps it"
                                            : "");
        }
    }
    return true;
}

/* A new row must have the references that its table demands.  The server
 * checks it too, but speaks of rows that nobody made. */
static bool
check_new_rows(struct vsctl_ctx *ctx)
{
    const struct view_row *row;

    for (size_t i = 0; i < ctx->view->schema->n_tables; i++) {
        const struct schema_table *table = &ctx->view->schema->tables[i];

        VIEW_FOR_EACH (row, &ctx->view->tables[i]) {
            for (size_t j = 0; row->is_new && j < table->n_columns; j++) {
                if (!has_required(row, &table->columns[j])) {
                    vsctl_fail(ctx, "the new row of table %s needs a value "
                               "for its column %s", table->name,
                               table->columns[j].name);
                    return false;
                }
            }
        }
    }
    return true;
}

static bool
has_required(const struct view_row *row, const struct schema_column *column)
{
    return (!column->type.key.ref_table || !column->type.n_min
            || !datum_is_default(view_get(row, column), &column->type));
}

static const struct uuid *
get_real_uuid(const struct vsctl_ctx *ctx, const struct uuid *provisional)
{
    const struct run *run = ctx->aux;

    return txn_get_real_uuid(&run->txn, provisional);
}

static void
print_outputs(struct run *run)
{
    enum table_format format = run->args.table_style.format;
    bool is_first_table = true;
    struct vsctl_ctx *ctx = &run->ctx;

    fputs(str_cstr(&ctx->warnings), stderr);
    for (size_t i = 0; i < run->args.n_commands; i++) {
        struct vsctl_command *cmd = &run->args.commands[i];

        ctx->command = cmd;
        if (cmd->syntax->finish) {
            cmd->syntax->finish(ctx);
        }
        if (cmd->table) {
            struct str s = STR_INIT;

            if (!is_first_table && format != TABLE_FORMAT_JSON
                && format != TABLE_FORMAT_HTML) {
                str_append_char(&s, '\n');
            }
            table_format(cmd->table, &run->args.table_style, &s);
            fputs(str_cstr(&s), stdout);
            str_fini(&s);
            is_first_table = false;
        } else if (run->args.is_oneline) {
            str_chomp(&cmd->output, '\n');
            print_oneline(str_cstr(&cmd->output));
        } else {
            fputs(str_cstr(&cmd->output), stdout);
        }
    }
    fflush(stdout);
}

static void
print_oneline(const char *s)
{
    for (; *s; s++) {
        if (*s == '\n') {
            fputs("\\n", stdout);
        } else if (*s == '\\') {
            fputs("\\\\", stdout);
        } else {
            putchar(*s);
        }
    }
    putchar('\n');
}

/* Waits until the switch has done what was committed, and tells which of the
 * new interfaces it could not make. */
static bool
wait_for_switch(struct run *run)
{
    if (fail(run, session_wait_cfg(&run->session, run->txn.next_cfg))) {
        return false;
    }
    report_interfaces(run);
    return true;
}

static void
report_interfaces(struct run *run)
{
    json_t *params = json_pack("[s]", "Open_vSwitch");
    json_t *results;
    bool has_problem = false;

    for (size_t i = 0; i < run->txn.n_inserts; i++) {
        const struct txn_insert *insert = &run->txn.inserts[i];

        if (!strcmp(insert->row->table->schema->name, "Interface")) {
            union atom atom = { .uuid = insert->real_uuid };

            json_array_append_new(
                params,
                json_pack("{sssss[[sso]]s[sss]}", "op", "select", "table",
                          "Interface", "where", "_uuid", "==",
                          atom_to_json(&atom, ATOM_UUID), "columns", "name",
                          "error", "ofport"));
        }
    }
    if (json_array_size(params) == 1) {
        json_decref(params);
        return;
    }
    if (fail(run, session_transact(&run->session, params, &results))) {
        return;
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *row = json_array_get(
            json_object_get(json_array_get(results, i), "rows"), 0);
        const json_t *ofport = json_object_get(row, "ofport");

        if (row && (json_is_string(json_object_get(row, "error"))
                    || !json_is_integer(ofport)
                    || json_integer_value(ofport) == -1)) {
            report_interface(row);
            has_problem = true;
        }
    }
    if (has_problem) {
        fprintf(stderr, "%s: The default log directory is \"%s\".\n",
                qanat_progname(), dirs_log());
    }
    json_decref(results);
}

static void
report_interface(const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *error = json_string_value(json_object_get(row, "error"));

    fprintf(stderr, "%s: Error detected while setting up '%s'%s%s.  "
            "See qanat-vswitchd log for details.\n", qanat_progname(), name,
            error ? ": " : "", error ? error : "");
}

static void
print_errors(struct run *run)
{
    fputs(str_cstr(&run->ctx.warnings), stderr);
    fprintf(stderr, "%s: %s\n", qanat_progname(), run->ctx.error);
}

/* Ends by the signal that a timer would have sent, as callers of ovs-vsctl
 * expect; without a core file. */
static void
die_of_timeout(void)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
    _exit(128 + SIGALRM);
}
