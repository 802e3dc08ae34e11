/* Ways to run a compiled net in this process, one record each. The command line's --backend names them. */
#ifndef NETC_FRONTEND_API_EXECUTOR_H
#define NETC_FRONTEND_API_EXECUTOR_H

#include "frontend/api/compile.h"
#include "ir/base/team.h"
#include "runtime/net.h"

typedef struct executor_options {
    compile_options compile; /* targets are the executor's choice where none is set */
    int threads;             /* 0: as many as there are processors */
    bool no_cache;           /* compiled code is neither taken from the cache nor kept there */
    bool prepare_only;       /* forward will not be called */
    const team *team;        /* the host's threads, which several callers may use at once; NULL: own ones */
    const program **made;    /* where to say which program it is; NULL: nobody asks */
} executor_options;

typedef struct executor {
    const char *name;
    const char *summary;
    bool (*available)(void);
    target_id (*target)(void); /* whose kernel bodies it runs best on this machine */
    bool (*runs)(target_id t);
    bool rolled; /* takes programs whose loops marked unroll stand */
    /* Fills n's entries for the program, which it may rewrite. What n->close lets go of is in n before it is held:
     * where this fails or the arena jumps, n is closed. */
    bool (*open)(net *n, arena *a, program *p, const executor_options *o, diags *d);
} executor;

extern const executor *const executors[]; /* the fastest first; ends with NULL */

/* By name; NULL: the fastest that is available, with a warning where that is not the first. NULL with an
 * error. */
const executor *executor_find(const char *name, diags *d);
/* Compiles g and fills n (described by describe_graph already), to be closed with net_close. The arena
 * outlives n. */
bool executor_open(const executor *e, net *n, arena *a, const graph *g, const executor_options *o, diags *d);
void net_close(net *n);

/* Runs `prepare` of the program that these options give on the fastest executor: n->packed_bytes bytes, to be
 * freed. NULL with errors. */
void *executor_pack(const net *n, arena *a, const graph *g, const compile_options *o, const float *params,
                    diags *d);

/* How many threads there are where nobody says how many. */
int executor_processors(void);

extern const executor c_executor, llvm_executor, interp_executor;

#endif
