/* How long every call of a compiled net takes, and what that says of its layers. */
#ifndef NETC_FRONTEND_API_PROFILE_H
#define NETC_FRONTEND_API_PROFILE_H

#include "frontend/api/executor.h"
#include "frontend/api/speed.h"

enum { PROFILE_LEAST = 5 /* passes measured, however long they take */ };

typedef struct profile_options {
    const executor *executor;
    executor_options how; /* compile.max_batch samples a pass; compile.train: whole steps of training */
    double seconds;       /* of measuring */
} profile_options;

typedef struct profile_call {
    entry_kind entry;
    const call *call;
    int64_t times; /* a pass: loops around it */
} profile_call;

typedef struct profile_event {
    int call;           /* of profile.calls */
    int64_t begin, end; /* nanoseconds since the pass began */
} profile_event;

typedef struct profile {
    const program *program;
    target_id target;
    int threads;
    profile_call *calls;
    int count;
    int passes;
    const float *ms;       /* [passes][count] */
    double total;          /* of a pass, in milliseconds: the median */
    profile_event *events; /* of the fastest pass */
    int event_count;
} profile;

/* Compiles g as it is otherwise compiled, but that it tells when each call begins, and runs it on random numbers. n is
 * described already and will be closed by the caller. False with errors. All lies in the arena. */
bool profile_run(profile *p, arena *a, net *n, const graph *g, const float *params, const profile_options *o,
                 diags *d);
/* What these calls (by number, `count` of them) take together in a pass, in milliseconds: a share of `part` of the passes
 * takes less. */
double profile_quantile(const profile *p, const int *calls, int count, double part);
double profile_median(const profile *p, const int *calls, int count);

/* ---- what it says of layers ---- */

typedef enum profile_phase { PHASE_FORWARD, PHASE_BACKWARD, PHASE_UPDATE, PHASES } profile_phase;
extern const char *const profile_phases[PHASES]; /* "forward", ... */

/* A layer of the text, in one phase; fused ones are one row. */
typedef struct profile_row {
    const char *name; /* of the layer that does the work, as `netc show` has it; an input's; "loss" */
    const char *const *layers; /* it and what was merged into it */
    int layer_count;
    const char *op,
        *way; /* its largest operation, and the candidate that computes it: "conv2d", "winograd4" */
    profile_phase phase; /* PHASE_FORWARD where the net only infers */
    const int *calls;    /* numbers of its calls */
    int call_count;
    double ms, share;      /* median; of the sum over all rows */
    int64_t multiply_adds; /* a pass, as a direct sum has them */
    int64_t bytes;         /* read and written a pass, whatever is read again counted once */
    double gflops;         /* 2 × multiply-adds over time */
    double floor;          /* ms: the longer of arithmetic at its peak and bytes at the machine's rate */
} profile_row;

typedef struct profile_table {
    profile_row *at;
    int count;
} profile_table;

/* Rows by phase, each in the order in which they run. */
profile_table profile_rows(const profile *p, arena *a, const graph *g, const speed *machine);
/* Bytes of all that the program keeps in memory for a pass. */
int64_t profile_bytes(const profile *p);

#endif
