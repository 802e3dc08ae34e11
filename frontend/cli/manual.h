/* What is installed beside the program, from the same tables that it parses: a manual page, completions. */
#ifndef NETC_FRONTEND_CLI_MANUAL_H
#define NETC_FRONTEND_CLI_MANUAL_H

#include "frontend/cli/cli.h"

/* netc.1, for man. */
void manual_print(FILE *to, arena *a);

/* The shells that completions are written for; ends with NULL. */
extern const char *const completion_shells[];
void completion_print(FILE *to, const char *shell);

#endif
