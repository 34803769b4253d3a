/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unixctl_command.c - the table of commands, and those that every daemon has.
 * See unixctl.h.  Runs on MAIN.
 */
#include "lib/ipc/unixctl_private.h"

#include <limits.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/ipc/dirs.h"

static struct hmap commands = HMAP_INIT(&commands);

static unixctl_cb list_commands, show_version, vlog_list, vlog_set;
static unixctl_cb vlog_reopen, vlog_close;

void
unixctl_command_register(const char *name, const char *usage, int min_args,
                         int max_args, unixctl_cb *cb, void *aux)
{
    struct unixctl_command *command = unixctl_find_command(name);

    if (!command) {
        command = xzalloc(sizeof *command);
        command->name = xstrdup(name);
        hmap_insert(&commands, &command->node, hash_string(name, 0));
    }
    free(command->usage);
    command->usage = xstrdup(usage ? usage : "");
    command->min_args = min_args;
    command->max_args = max_args;
    command->cb = cb;
    command->aux = aux;
}

void
unixctl_command_unregister(const char *name)
{
    struct unixctl_command *command = unixctl_find_command(name);

    if (command) {
        hmap_remove(&commands, &command->node);
        free(command->name);
        free(command->usage);
        free(command);
    }
}

struct unixctl_command *
unixctl_find_command(const char *name)
{
    struct unixctl_command *command;

    HMAP_FOR_EACH_WITH_HASH(command, node, hash_string(name, 0),
                            &commands) {
        if (!strcmp(command->name, name)) {
            return command;
        }
    }
    return NULL;
}

void
unixctl_register_builtins(void)
{
    unixctl_command_register("list-commands", "", 0, 0, list_commands, NULL);
    unixctl_command_register("version", "", 0, 0, show_version, NULL);
    unixctl_command_register("vlog/list", "", 0, 0, vlog_list, NULL);
    unixctl_command_register("vlog/set", "[SPEC]...", 0, INT_MAX, vlog_set,
                             NULL);
    unixctl_command_register("vlog/reopen", "", 0, 0, vlog_reopen, NULL);
    unixctl_command_register("vlog/close", "", 0, 0, vlog_close, NULL);
}

static int
compare_commands(const void *a_, const void *b_)
{
    const struct unixctl_command *const *a = a_;
    const struct unixctl_command *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

static void
list_commands(struct unixctl_conn *conn, int argc UNUSED,
              const char *argv[] UNUSED, void *aux UNUSED)
{
    const struct unixctl_command **sorted = xcalloc(hmap_count(&commands),
                                            sizeof *sorted);
    const struct unixctl_command *command;
    struct str s = STR_INIT;
    size_t n = 0;

    HMAP_FOR_EACH(command, node, &commands) {
        sorted[n++] = command;
    }
    qsort(sorted, n, sizeof *sorted, compare_commands);
    str_append(&s, "The available commands are:\n");
    for (size_t i = 0; i < n; i++) {
        str_printf(&s, "  %-23s %s\n", sorted[i]->name, sorted[i]->usage);
    }
    unixctl_reply(conn, str_cstr(&s));
    str_fini(&s);
    free(sorted);
}

static void
show_version(struct unixctl_conn *conn, int argc UNUSED,
             const char *argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(conn, qanat_version_line());
}

static void
vlog_list(struct unixctl_conn *conn, int argc UNUSED,
          const char *argv[] UNUSED, void *aux UNUSED)
{
    struct str s = STR_INIT;

    log_format_levels(&s);
    unixctl_reply(conn, str_cstr(&s));
    str_fini(&s);
}

static void
vlog_set(struct unixctl_conn *conn, int argc, const char *argv[],
         void *aux UNUSED)
{
    char *error = argc == 1 ? log_set_from_text(NULL) : NULL;

    for (int i = 1; i < argc && !error; i++) {
        error = log_set_from_text(argv[i]);
    }
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
    } else {
        unixctl_reply(conn, NULL);
    }
}

static void
vlog_reopen(struct unixctl_conn *conn, int argc UNUSED,
            const char *argv[] UNUSED, void *aux UNUSED)
{
    char *name = log_file_name();
    int error = name ? log_reopen_file() : 0;

    if (!name) {
        unixctl_reply_error(conn, "Logging to file not configured");
    } else if (error) {
        unixctl_reply_error(conn, strerror(-error));
    } else {
        unixctl_reply(conn, NULL);
    }
    free(name);
}

static void
vlog_close(struct unixctl_conn *conn, int argc UNUSED,
           const char *argv[] UNUSED, void *aux UNUSED)
{
    log_close_file();
    unixctl_reply(conn, NULL);
}
