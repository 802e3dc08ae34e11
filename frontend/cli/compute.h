/* From an opened net and --input to the numbers of its outputs: what `run` and `features` share. */
#ifndef NETC_FRONTEND_CLI_COMPUTE_H
#define NETC_FRONTEND_CLI_COMPUTE_H

#include "frontend/cli/results.h"

/* Opens the graph, with what --layer names as outputs behind the net's own; `usual`: where it names none, the
 * first convolution and so on (inner.h). */
int compute_open(cli *c, opened *o, bool usual);
/* Reads --input and the operands behind the net; inputs_close is due where it gives CLI_OK. */
int compute_inputs(cli *c, const net *n, inputs *in);
/* Opens a session and runs it on all samples. r has its net and inputs already; its outputs are the arena's. */
int compute_outputs(cli *c, opened *o, results *r);

#endif
