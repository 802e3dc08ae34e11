/* netc run --generate: text from a net of characters. */
#ifndef NETC_FRONTEND_CLI_GENERATE_H
#define NETC_FRONTEND_CLI_GENERATE_H

#include "frontend/cli/cli.h"

/* With the net's weights opened; prints the prompt and what the net writes after it. An exit code. */
int generate_text(cli *c, opened *o);
/* Whether options are given that mean nothing without --generate, or with it; CLI_USAGE then. */
int generate_misuse(cli *c);

#endif
