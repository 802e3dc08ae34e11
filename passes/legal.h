/* Inside of legalise: the functions that a target lacks, written in the operations that it has. All are on
 * f32, scalars or vectors. Errors are in units in the last place (ulp) of the result, against the exact
 * value; they are measured by tests/unit/legalise_test.c. */
#ifndef NETC_PASSES_LEGAL_H
#define NETC_PASSES_LEGAL_H

#include "ir/kernel/emit.h"

typedef struct legal {
    kb *b;
    const bool *has; /* S_COUNT: what the target has */
    ktype t;         /* of the operands */
} legal;

/* op(x, y, z), in other operations where the target lacks it. */
kinst *legal_op(const legal *l, scalar_op op, kinst *x, kinst *y, kinst *z);
kinst *legal_const(const legal *l, double x);
kinst *legal_bits(const legal *l, int32_t x); /* i32 in every lane */
/* The bits of a float as i32 lanes, and back. */
kinst *legal_to_bits(const legal *l, kinst *x);
kinst *legal_from_bits(const legal *l, kinst *x);
static inline kinst *legal_add(const legal *l, kinst *x, kinst *y) {
    return legal_op(l, S_ADD, x, y, NULL);
}
static inline kinst *legal_sub(const legal *l, kinst *x, kinst *y) {
    return legal_op(l, S_SUB, x, y, NULL);
}
static inline kinst *legal_mul(const legal *l, kinst *x, kinst *y) {
    return legal_op(l, S_MUL, x, y, NULL);
}
static inline kinst *legal_fma(const legal *l, kinst *x, kinst *y, kinst *z) {
    return legal_op(l, S_FMA, x, y, z);
}
static inline kinst *legal_choose(const legal *l, kinst *condition, kinst *x, kinst *y) {
    return legal_op(l, S_SELECT, condition, x, y);
}
static inline kinst *legal_is(const legal *l, scalar_op compare, kinst *x, double y) {
    return legal_op(l, compare, x, legal_const(l, y), NULL);
}
/* c[0] + c[1]·x + … by Horner's rule. */
kinst *legal_poly(const legal *l, kinst *x, const float *c, int count);
/* The nearest whole number to x·scale, |x·scale| < 2^22, as a float and, in *whole, as i32. */
kinst *legal_round(const legal *l, kinst *x, double scale, kinst **whole);
/* The upper 12 bits of x (Veltkamp's split); |x| < 2^115. */
kinst *legal_upper(const legal *l, kinst *x);
/* magnitude with the sign of x, given |x|. */
kinst *legal_sign(const legal *l, kinst *magnitude, kinst *x, kinst *absolute);

typedef kinst *legal_function(const legal *l, kinst *x, kinst *y);
legal_function legal_exp, legal_log, legal_sigmoid, legal_tanh, legal_erf; /* legal_exp.c */
legal_function legal_sin, legal_cos;                                       /* legal_trig.c */
legal_function legal_pow;                                                  /* legal_pow.c */
/* exp(x + small), |small| far below an ulp of 1; small may be NULL. */
kinst *legal_exp_sum(const legal *l, kinst *x, kinst *small);
/* x = (1 + f)·2^e for positive finite x: f in [√½ − 1, √2 − 1), e as a float. */
kinst *legal_split(const legal *l, kinst *x, kinst **e);
/* (log(1 + f) − f + f²/2) / f³ */
kinst *legal_log_rest(const legal *l, kinst *f);
extern const double legal_ln2[2]; /* high part of 9 bits, low part */

#endif
