/* Inside of libnetc: a model's record, and the frame that every call of <netc.h> runs in. */
#ifndef NETC_FRONTEND_API_LIB_H
#define NETC_FRONTEND_API_LIB_H

#include "frontend/api/executor.h"
#include "frontend/api/netc.h"
#include "ir/base/map.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- calls ---- */

/* One call from outside. What it asks of its arena goes when it ends; a jump of the arena ends it too. */
typedef struct lib_call {
    const netc_options *options; /* whose report and memory; NULL: none and malloc */
    netc_error *error;           /* NULL: unwanted */
    const char *file;            /* that is read, for errors without a place; NULL */
    pthread_mutex_t *lock;       /* held meanwhile; NULL */
    int code;                    /* of the error where work returns false; NETC_BAD_INPUT unless work says */
    arena *arena;
    diags *diags;
    bool (*work)(struct lib_call *c, void *context);
    void *context;
} lib_call;

/* Runs c->work(c, context). Where that fails, the error is filled; warnings go to the host's report. */
bool lib_run(lib_call *c, bool (*work)(lib_call *c, void *context), void *context);
/* The same in the arena `a`, whose trap is set here: it stays, whatever happens, for the caller to free. */
bool lib_build(lib_call *c, arena *a, bool (*work)(lib_call *c, void *context), void *context);
/* Inside of work: an error of this code; false. */
bool lib_fail(lib_call *c, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Before there is a call: the error filled; false. */
bool lib_refuse(netc_error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void lib_clear(netc_error *e); /* takes NULL */

allocator lib_allocator(const netc_options *o);
/* Memory of zeros aligned to NET_ALIGN, from the host; NULL where it has none. */
void *lib_memory(const netc_options *o, int64_t bytes);
void lib_release(const netc_options *o, void *at); /* takes NULL */

/* ---- models ---- */

struct netc_model {
    netc_options options; /* numbers and functions; the host's strings are gone when compiling ends */
    team team;            /* the host's */
    const executor *executor;
    executor_options how; /* to open it: a trainer's is the same, and trains */
    arena arena;          /* of all that follows; nothing is asked of it once the model is made */
    graph *graph;
    net net;
    netc_tensor *inputs, *outputs, *parameters;
    map by_name;          /* parameters: net_param */
    pthread_mutex_t lock; /* of what follows */
    float *params;        /* net.values numbers */
    bool *given;          /* by parameter: it has a value */
    void *packed;
    bool prepared; /* packed holds params */
    bool freed;    /* by the host, while something still holds it */
    int sessions, trainers;
    pthread_mutex_t turn; /* to run, where net.shared is false */
};

/* One more session (trainer), or one less: then the model may go. The lock is not held. */
void lib_hold(netc_model *m, int sessions, int trainers);
void lib_let_go(netc_model *m, int sessions, int trainers);
/* Replaces the weights unless sessions are open; the old ones are released. Takes `values`, which is released too
 * where this fails. */
bool lib_take_weights(lib_call *c, netc_model *m, float *values);
/* Whether the n samples fit: count, pointers, bounds of integers. */
bool lib_check_inputs(lib_call *c, const net *n, int64_t samples, const void *const *inputs);

#endif
