/* The pass pipeline: one table orders the passes; each lives in a file of its own, named after it, and
 * exports one function. A pass reads and edits the state; it owns no memory. */
#ifndef NETC_PASSES_PASSES_H
#define NETC_PASSES_PASSES_H

#include "ir/kernel/lower.h"

/* Who knows better than the costs of candidates: asked for every node that has some, for the name of the one to take;
 * NULL, or one that cannot compute it: the cheapest. */
typedef struct tuner {
    const char *(*choose)(void *user, const node *n, int64_t batch, inexact most);
    void *user;
} tuner;

typedef struct pass_options {
    bool targets[TARGET_COUNT];  /* which bodies to lower */
    kbase real;                  /* KB_F32, or KB_F64 for exact comparisons */
    int64_t max_batch;           /* ≥ 1 */
    int max_threads;             /* workspace has scratch for so many; 1..1024 */
    bool exact;                  /* --exact-conv: no candidate that rounds more than the direct sum */
    const char *prefer;          /* name of a candidate to take wherever it is legal; NULL: the cheapest */
    const tuner *tuner;          /* NULL: none */
    bool pixels;                 /* emit forward_u8 where the first input has normalize */
    const char *const *disabled; /* names of optional passes to skip, ends with NULL; NULL: none */
    const char *dump_after;      /* name of a pass whose result is printed to `dump`; NULL: none */
    text *dump;
    bool train; /* the entries of a training step too */
    const char *const
        *freeze;   /* patterns (fnmatch) of parameters that a step leaves alone, ends with NULL; NULL: none */
    bool profiled; /* a program that tells when each call begins: program.h, profile_mark */
    bool rolled;   /* leave loops marked unroll to unroll(): for who may not need the bodies */
    bool check;    /* run the checkers after every pass (tests; always in sanitizer builds) */
} pass_options;

typedef struct pass_state {
    arena *arena; /* the compilation's */
    const pass_options *options;
    diags *diags;
    graph *graph;
    place *places;           /* by value id, from plan-buffers on */
    program *program;        /* from plan-buffers on */
    struct scan_plan *scans; /* places inside scan bodies (passes/plan.h) */
    int loss_nodes;          /* of a step: how many nodes come before the loss is known (schedule) */
} pass_state;

typedef struct pass {
    const char *name;
    const char *summary;
    bool required; /* results would be wrong, or nothing would come out, without it */
    unsigned of;   /* which graphs it runs on */
    void (*run)(pass_state *s);
} pass;

/* The net is compiled as it infers and, asked for, as it trains: two clones on their way into one program. */
enum { OF_EVAL = 1, OF_STEP = 2 };

extern const pass passes[]; /* in order; ends with a NULL name */

/* Runs the table over a clone of g, and with options.train over a second one. NULL with errors in d on an unknown pass name, on attempts to disable a
 * required one, or where a checker found a bug. */
program *passes_run(arena *a, const graph *g, const pass_options *o, diags *d);

/* In order: */
void pass_train(pass_state *s);    /* required, step: batch statistics, dropout masks, the loss */
void pass_expand(pass_state *s);   /* composites → primitives (batchnorm's eval affine aside) */
void pass_eval(pass_state *s);     /* required: dropout gone, batchnorm an affine map of running statistics */
void pass_hoist(pass_state *s);    /* out of scans: invariants, products of whole sequences */
void pass_autodiff(pass_state *s); /* required, step: gradients, optimizer, updates */
void pass_fold_bn(pass_state *s);
void pass_fold_constants(pass_state *s);
void pass_simplify(pass_state *s); /* identity and dead nodes */
void pass_cse(pass_state *s);
void pass_fuse(pass_state *s);             /* epilogues and elementwise chains */
void pass_sums(pass_state *s);             /* sums over the batch, of expressions and together */
void pass_group(pass_state *s);            /* loops that share operands */
void pass_choose_algorithm(pass_state *s); /* required */
void pass_choose_layout(pass_state *s);    /* required */
void pass_schedule(pass_state *s);     /* required, step: the loss first, then updates as soon as may be */
void pass_plan_buffers(pass_state *s); /* required: views, in place, lifetimes to offsets */
void pass_lower(pass_state *s);        /* required: program with entries */
void pass_init(pass_state *s);         /* required, step: the entry that draws parameters */
void pass_unroll(pass_state *s);       /* required: loops marked unroll */

/* What the pass does, for programs made with `rolled`. */
void unroll(program *p);
/* For backends: expands what `supported` lacks (exp, tanh, sigmoid, ... into polynomials; relu into max) in
 * every function of the program for target t. */
void legalise(program *p, target_id t, const bool supported[S_COUNT]);

#endif
