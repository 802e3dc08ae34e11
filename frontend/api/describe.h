/* A net as the runtime sees it (runtime/net.h), from the compiler's records. */
#ifndef NETC_FRONTEND_API_DESCRIBE_H
#define NETC_FRONTEND_API_DESCRIBE_H

#include "ir/kernel/program.h"
#include "runtime/net.h"

/* Tables of tensors, labels, kind of scores: all that is known before anything is compiled. Sizes are 0. */
void describe_graph(net *n, arena *a, const graph *g);
/* Sizes. */
void describe_program(net *n, const program *p);

#endif
