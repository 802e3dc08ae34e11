/* The C pair as files. */
#ifndef NETC_FRONTEND_API_OUTPUT_C_H
#define NETC_FRONTEND_API_OUTPUT_C_H

#include "frontend/api/output.h"

bool output_c(arena *a, const net *n, const graph *g, const output_options *o, const char *const **written,
              diags *d);

#endif
