/* Choosing how layers are computed by timing them, with a file that remembers. */
#ifndef NETC_FRONTEND_API_TUNE_H
#define NETC_FRONTEND_API_TUNE_H

#include "frontend/api/executor.h"
#include "frontend/api/tune_file.h"

typedef struct tuning tuning;

typedef struct tune_options {
    const char *path;
    const executor *executor; /* that times; NULL: the fastest there is */
    executor_options how;     /* as the net will be compiled */
    /* The code runs elsewhere: answers of any machine are right, so that the same file gives the same code
     * everywhere; where how.compile.targets names one, of that. Else those of this machine's target and threads. */
    bool elsewhere;
} tune_options;

/* Reads the file, times what it does not know of this net (described already) and writes it then. The tuner, which lies
 * in the arena, is for how.compile.tuner. params NULL: random ones. NULL with errors. */
const tuner *tune_net(arena *a, const net *n, const graph *g, const float *params, const tune_options *o,
                      diags *d);

#endif
