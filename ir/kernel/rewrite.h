/* Rebuilding a function through the builder: what folds folds again, equal values become one, what nobody
 * uses goes. Passes over kernels are such rebuildings with a rule of their own. */
#ifndef NETC_IR_KERNEL_REWRITE_H
#define NETC_IR_KERNEL_REWRITE_H

#include "ir/kernel/emit.h"

typedef struct rewrite rewrite;
struct rewrite {
    arena *arena;
    bool unroll; /* loops marked so */
    /* In place of K_ARITH x with its arguments as they are now; NULL for x itself. May be NULL. */
    kinst *(*arith)(kb *b, const kinst *x, kinst *const *arg, void *context);
    void *context;
};

/* Replaces f's body. */
void rewrite_function(const rewrite *r, kfunc *f, struct program *p, kbase real);
/* Drops pure instructions, loads and gets that nobody uses and loops without a body; numbers ids from 0. */
void kfunc_prune(arena *a, kfunc *f);

#endif
