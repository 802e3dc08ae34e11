/* A training step as the executors share it: the runtime's record of one, run as two entries of a program. */
#ifndef NETC_FRONTEND_API_STEP_H
#define NETC_FRONTEND_API_STEP_H

#include "ir/kernel/program.h"
#include "runtime/net.h"

enum { STEP_INPUTS_MAX = 64 };

typedef bool step_entry(void *self, entry_kind kind, const run_args *args, diags *d);

/* False with an error for a program that trains and has more inputs than a step can be given. */
bool step_possible(const program *p, diags *d);

/* Inputs of the step in the order of its graph: the net's, the target, and these two where they are read. */
void step_fill(const program *p, const net_step *s, const float *rate, const int32_t *counter,
               const void *inputs[STEP_INPUTS_MAX]);

/* Checks, runs ENTRY_STEP and, where the loss is a number, ENTRY_UPDATE, and counts the step. */
net_stepped step_run(const program *p, const net_step *s, step_entry *run, void *self, diags *d);

/* s->output, from where the step has left it. */
void step_hand_over(const program *p, const net_step *s);

#endif
