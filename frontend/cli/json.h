/* JSON on standard output. */
#ifndef NETC_FRONTEND_CLI_JSON_H
#define NETC_FRONTEND_CLI_JSON_H

#include "frontend/cli/cli.h"

#include <jansson.h>

/* Prints and frees; an exit code. Numbers keep the nine digits that tell all floats apart. */
int cli_json(cli *c, json_t *j);
/* A number; null for NaN and infinity, which JSON has not. */
json_t *json_of_real(double x);
/* Text from a net, which is UTF-8 or made so. */
json_t *json_of_text(arena *a, const char *s);

#endif
