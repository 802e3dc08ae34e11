/* Builds kernel functions: every call appends an instruction where the builder stands, folding integer
 * arithmetic on constants on the way, so that lowering may write the general formula. */
#ifndef NETC_IR_KERNEL_BUILD_H
#define NETC_IR_KERNEL_BUILD_H

#include "ir/kernel/target.h"

enum { KB_DEPTH = 32 };

typedef struct kb {
    arena *arena;
    kfunc *f;
    struct program *program; /* where micros are kept and found again */
    const target *target;
    kbase real; /* KB_F32 or KB_F64: what the program computes in */
    int lanes;  /* of a vector of reals on this target */
    kblock *at[KB_DEPTH];
    kinst *open[KB_DEPTH]; /* the loop or if whose block at[k] is; NULL for a loop that was none */
    int depth;
    struct kb_values *values; /* where set, equal pure instructions are one (emit.h) */
} kb;

ktype kb_real(const kb *b);   /* scalar */
ktype kb_vector(const kb *b); /* full vector */

kinst *kb_param(kb *b, int i);
kinst *kb_int(kb *b, int64_t x);
kinst *kb_const(kb *b, ktype t, double x); /* floats, splat on vectors */
/* Any scalar operation; integer operands that are both constants fold, as do x+0, x*1, x*0, x/1. */
kinst *kb_arith(kb *b, scalar_op op, kinst *x, kinst *y, kinst *z);
kinst *kb_add(kb *b, kinst *x, kinst *y);
kinst *kb_sub(kb *b, kinst *x, kinst *y);
kinst *kb_mul(kb *b, kinst *x, kinst *y);
kinst *kb_addi(kb *b, kinst *x, int64_t y);
kinst *kb_muli(kb *b, kinst *x, int64_t y);
kinst *kb_divi(kb *b, kinst *x, int64_t y); /* x ≥ 0 */
kinst *kb_modi(kb *b, kinst *x, int64_t y); /* x ≥ 0 */
kinst *kb_min(kb *b, kinst *x, kinst *y);
kinst *kb_max(kb *b, kinst *x, kinst *y);
kinst *kb_select(kb *b, kinst *condition, kinst *x, kinst *y);
kinst *kb_fma(kb *b, kinst *x, kinst *y, kinst *z); /* x·y + z, rounded once */
kinst *kb_cast(kb *b, ktype t, kinst *x);
kinst *kb_bits(kb *b, ktype t, kinst *x);
kinst *kb_splat(kb *b, kinst *x, int lanes);
kinst *kb_tail(kb *b, kinst *count, int lanes);
kinst *kb_load(kb *b, ktype t, kinst *ptr, kinst *index);
kinst *kb_load_part(kb *b, ktype t, kinst *ptr, kinst *index, kinst *count);
void kb_store(kb *b, kinst *ptr, kinst *index, kinst *value);
void kb_store_part(kb *b, kinst *ptr, kinst *index, kinst *value, kinst *count);
/* Fetches the cache line of ptr[index] into the second-level cache; nothing where a target has no such thing. */
void kb_prefetch(kb *b, kinst *ptr, kinst *index);
kinst *kb_offset(kb *b, kinst *ptr, kinst *index);
kinst *kb_hsum(kb *b, kinst *x);
kinst *kb_hmax(kb *b, kinst *x);
kinst *kb_reg(kb *b, const char *name, ktype t, int dim0, int dim1);
kinst *kb_get(kb *b, kinst *reg, kinst *i, kinst *j);
void kb_set(kb *b, kinst *reg, kinst *i, kinst *j, kinst *value);
kinst *kb_local(kb *b, const char *name, kbase elem, int64_t count);
/* Opens a loop and returns its variable; kb_end closes loops and ifs. A serial loop that runs once is no loop:
 * its variable is the constant. */
kinst *kb_for(kb *b, const char *name, kinst *lo, kinst *hi, int64_t step, kloop kind);
void kb_if(kb *b, kinst *condition);
void kb_else(kb *b);
void kb_end(kb *b);
void kb_call(kb *b, kfunc *callee, kinst *const *args, int count);

/* What e computes of these inputs, scalars or vectors of one width (scalar inputs are splatted). */
kinst *kb_expr(kb *b, const expr *e, kinst *const *inputs);
/* The same for several of its steps: out[k] is the number of step[k]. */
void kb_exprs(kb *b, const expr *e, kinst *const *inputs, const int64_t *step, int count, kinst **out);

/* Builds a function's body from `recipe` (a plain record without padding set to anything but zero). */
typedef void kernel_build(kb *b, const void *recipe);

/* The micro that `build` makes from this recipe for b's target: the same one for the same bytes. Its name is
 * `name` and a number where names clash. */
kfunc *kb_micro(kb *b, const char *name, kernel_build *build, const void *recipe, size_t bytes,
                const kparam *params, int count);

#endif
