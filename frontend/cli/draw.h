/* netc show --draw: a net's layers as a picture. */
#ifndef NETC_FRONTEND_CLI_DRAW_H
#define NETC_FRONTEND_CLI_DRAW_H

#include "frontend/cli/cli.h"

/* Writes --draw's file: DOT text as .dot; .svg, .png and .pdf through graphviz's program dot. An exit code. */
int draw_net(cli *c, const graph *g);

#endif
