/* From a .net text to a graph, and from a graph to a program: the steps that every command takes. */
#ifndef NETC_FRONTEND_API_COMPILE_H
#define NETC_FRONTEND_API_COMPILE_H

#include "frontend/lang/lang.h"
#include "passes/passes.h"

enum { COMPILE_MAX_BATCH = 65536, COMPILE_MAX_THREADS = 1024, COMPILE_THREADS = 16 };

typedef struct compile_options {
    int64_t max_batch;          /* 1..COMPILE_MAX_BATCH */
    int max_threads;            /* 1..COMPILE_MAX_THREADS: the workspace has scratch for so many */
    bool targets[TARGET_COUNT]; /* bodies to lower; none where only sizes are wanted */
    bool pixels;                /* the entry that takes 8-bit pixels too */
    bool train;                 /* a training step too */
    const char *const
        *freeze;        /* patterns of parameters that a step leaves alone; ends with NULL; NULL: none */
    bool profiled;      /* a program that tells when each call begins */
    bool rolled;        /* loops marked unroll stand, for a backend that may have the code already */
    const tuner *tuner; /* who chooses among ways to compute a layer; NULL: their costs */
    bool exact;         /* no way to compute that rounds more than the direct sum */
    const char *const *disabled; /* optional passes to skip; ends with NULL; NULL: none */
    const char *dump_after;      /* pass whose result is printed to `dump`; NULL: none */
    text *dump;
} compile_options;

/* Reads a file ("-": standard input); NULL with errors. */
graph *compile_read(arena *a, const char *path, const lang_options *o, diags *d);
/* The program of a net; NULL with errors. Any number of programs can be made of one graph. */
program *compile_program(arena *a, const graph *g, const compile_options *o, diags *d);
/* Rewrites what C has no words for; needed before c_emit, and done once. */
void compile_legalise(program *p);

/* The instruction set of this machine that netc has kernels for. */
target_id compile_host_target(void);
/* False where this machine cannot run the target's kernels. */
bool compile_host_runs(target_id t);

#endif
