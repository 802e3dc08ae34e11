/* The interpreter: runs any program, every access checked against its buffer. It needs no compiler at hand
 * and is what the other backends are compared with. */
#ifndef NETC_BACKENDS_INTERP_INTERP_H
#define NETC_BACKENDS_INTERP_INTERP_H

#include "ir/kernel/program.h"

typedef struct interp interp;

typedef struct interp_options {
    /* Keep a shadow of workspaces, packed, outputs and what is trained: reading what nobody wrote, reading what
     * another buffer has overwritten, and two indices of one call that touch an element one of them writes are
     * errors. Several times slower; memory 3 × what is shadowed. */
    bool check;
} interp_options;

/* Prepares the bodies of target `which` (one the program was lowered for, loops unrolled) to be run. NULL
 * with errors in d where a function does not pass kfunc_check. The interp lies in the arena; one thread at a
 * time may run it. options NULL: none. */
interp *interp_new(arena *a, const program *p, target_id which, const interp_options *options, diags *d);

/* Runs an entry; false with errors in d that name kernel, node and index. packed is written by prepare and
 * must carry this program's header for forward. ENTRY_UPDATE finds in the workspace what ENTRY_STEP left there. */
bool interp_run(interp *in, entry_kind kind, const run_args *args, diags *d);

#endif
