/* Runs golden cases: from graph to program to numbers, on the interpreter or through the C backend. */
#ifndef NETC_TESTS_SUPPORT_EXECUTE_H
#define NETC_TESTS_SUPPORT_EXECUTE_H

#include "passes/passes.h"
#include "tests/support/golden.h"

typedef struct execute_options {
    target_id target;
    bool plain;         /* every optional pass off */
    bool check;         /* interpreter: shadow memory; passes: checkers after each */
    kbase real;         /* KB_F32 or KB_F64 */
    const char *prefer; /* candidate to take wherever it is legal */
} execute_options;

/* The program of a case; NULL with errors in d. */
program *execute_compile(arena *a, const golden *g, const execute_options *o, diags *d);
/* Parameters and inputs as the case fills them, and room for everything that a run needs. */
run_args execute_arguments(arena *a, const golden *g, const program *p);
/* Compiles, prepares and runs on the interpreter; outputs in graph order, as float. NULL with errors in d. */
float **execute_interp(arena *a, const golden *g, const execute_options *o, diags *d);
/* Output i of a run as float. */
float *execute_output(arena *a, const golden *g, const program *p, const run_args *args, int i);
/* True if all outputs are within `tolerance` (golden_distance) of what the case expects; else prints which.
 */
bool execute_matches(const golden *g, float *const *outputs, double tolerance, const char *how);

#endif
