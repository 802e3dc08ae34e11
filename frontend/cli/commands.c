/* The table of commands. */
#include "frontend/cli/cli.h"

#include <string.h>

const command *const commands[] = {
    &compile_command, &train_command,    &run_command,  &eval_command,   &show_command,
    &profile_command, &features_command, &plot_command, &export_command, &verify_command,
    &fmt_command,     &help_command,     NULL};

const command *command_find(const char *name) {
    for (const command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0) return *c;
    return NULL;
}
