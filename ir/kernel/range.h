/* What the program checker knows of an integer: a sum of variables times numbers, where a variable is any
 * value between two numbers (a loop's variable, or the result of something that is not linear). So what
 * cancels out does, and each variable counts once. */
#ifndef NETC_IR_KERNEL_RANGE_H
#define NETC_IR_KERNEL_RANGE_H

#include "ir/kernel/kernel.h"

enum { RANGE_TERMS = 6 };
#define RANGE_INF ((int64_t)1 << 62) /* nothing is known beyond */

typedef struct range_term {
    int variable;
    int64_t factor;
} range_term;

typedef struct range {
    int64_t lo, hi; /* of the whole */
    int64_t base;
    int terms;
    range_term term[RANGE_TERMS]; /* by rising variable */
} range;

typedef struct range_bounds {
    int64_t lo, hi;
} range_bounds;

typedef struct range_space {
    arena *arena;
    VEC(range_bounds) variables; /* cut back to forget those of a block */
} range_space;

range range_const(int64_t x);
range range_new(range_space *s, int64_t lo, int64_t hi); /* a new variable; a constant where lo == hi */
range range_unknown(range_space *s, kbase b);            /* any value of this type */
/* A float between two numbers, widened to whole ones. */
range range_float(range_space *s, double lo, double hi);
range range_add(range_space *s, const range *x, const range *y);
range range_scale(range_space *s, const range *x, int64_t factor);
/* Any operation of scalar.def on scalars of type b; arguments past its arity are not read.
 */
range range_arith(range_space *s, scalar_op op, kbase b, const range *x, const range *y, const range *z);
static inline bool range_is_const(const range *x) {
    return !x->terms;
}

#endif
