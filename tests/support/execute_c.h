/* Golden cases through the C backend: many nets in one shared object, since a compiler's start costs more
 * than a small net. Each pair stands in a C++ namespace of its own, so that their file-scope names do not
 * meet (and the generated code is C++ here; tests/e2e compiles it as C). */
#ifndef NETC_TESTS_SUPPORT_EXECUTE_C_H
#define NETC_TESTS_SUPPORT_EXECUTE_C_H

#include "backends/c/c.h"
#include "tests/support/execute.h"

typedef struct c_case {
    const golden *golden;
    program *program; /* NULL where the pipeline or the backend refused, which was said on stderr */
    c_invoke *invoke;
} c_case;

typedef struct c_batch {
    const char *how; /* "avx2" */
    execute_options options;
    VEC(c_case) cases;
} c_batch;

/* Fills every batch (`how` and `options` set) with every case, compiles them with g++ on all cores and loads
 * them; they stay loaded until the process ends. False with errors in d. */
bool execute_c_compile(arena *a, c_batch *batches, int count, const goldens *cases, diags *d);
/* Outputs of one case, as execute_interp gives them. All memory that the net may not read before it has
 * written it holds quiet NaNs, and what follows each buffer is watched. NULL with an error on stderr. */
float **execute_c_run(arena *a, const c_case *c);
/* Whether the machine can run this target's code. */
bool execute_c_can_run(target_id t);

#endif
