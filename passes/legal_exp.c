/* exp and log, and what is made of them. Arguments are reduced as Cody and Waite do (Software Manual for the
 * Elementary Functions, 1980). The polynomials are our own: Remez's algorithm on the relative error of the
 * whole function, in 40 digits, coefficients then rounded to float. */
#include "passes/legal.h"

#include <math.h>

const double legal_ln2[2] = {0.693359375, -2.12194440054690583e-4};

/* (exp(r) − 1 − r) / r² on |r| ≤ ln2/2 (1.002 times that): relative error of exp(r) 2^-28. */
static const float exp_rest[] = {0.49999994f, 0.166665196f, 0.0416684002f, 0.00836885069f, 0.00138143159f};
/* … on √½ − 1 .. √2 − 1: relative error of log(1 + f) 2^-30. */
static const float log_rest[] = {0.333333135f,  -0.250000089f, 0.200021192f,  -0.166679963f, 0.142195553f,
                                 -0.124055892f, 0.118881449f,  -0.116756402f, 0.0674666315f};
/* (tanh(x)/x − 1) / x² in x², |x| ≤ 0.6245: relative error of tanh(x) 2^-27. */
static const float tanh_rest[] = {-0.333332837f, 0.133314535f, -0.0537406653f, 0.020642342f, -0.00570878107f};
/* erf(x)/x − 1 in x², |x| ≤ 1: relative error of erf(x) 2^-29. */
static const float erf_small[] = {0.128379166f,   -0.37612626f,     0.112835854f,   -0.026853811f,
                                  0.00518832682f, -0.000801018672f, 7.85383963e-05f};
/* log(1 − erf(x)), 1 ≤ x ≤ 4: relative error of erf(x) 2^-29. */
static const float erf_tail[] = {-0.000341610197f, -1.12708879f,    -0.638145387f,  -0.10310626f,
                                 0.0218378305f,    -0.00294760079f, 0.000186373436f};

#define COUNT(C) ((int)(sizeof(C) / sizeof *(C)))

/* 2^n for −126 ≤ n ≤ 127 */
static kinst *power_of_two(const legal *l, kinst *n) {
    kinst *exponent = kb_add(l->b, n, legal_bits(l, 127));
    return legal_from_bits(l, kb_arith(l->b, S_SHL, exponent, legal_bits(l, 23), NULL));
}

/* exp(x) = exp(r)·2^n; 2^n in two factors, so that both ends of the range round once. */
kinst *legal_exp_sum(const legal *l, kinst *x, kinst *small) {
    kinst *within =
        legal_op(l, S_MIN, legal_op(l, S_MAX, x, legal_const(l, -104), NULL), legal_const(l, 89), NULL);
    kinst *whole, *n = legal_round(l, within, 1.44269504088896341, &whole);
    kinst *r = legal_fma(l, n, legal_const(l, -legal_ln2[0]), within);
    r = legal_fma(l, n, legal_const(l, -legal_ln2[1]), r);
    if (small) r = legal_add(l, r, small);
    kinst *rest = legal_fma(l, legal_mul(l, r, r), legal_poly(l, r, exp_rest, COUNT(exp_rest)), r);
    kinst *y = legal_add(l, rest, legal_const(l, 1));
    kinst *half = kb_arith(l->b, S_SHR, whole, legal_bits(l, 1), NULL);
    y = legal_mul(l, legal_mul(l, y, power_of_two(l, half)), power_of_two(l, kb_sub(l->b, whole, half)));
    return legal_choose(l, legal_op(l, S_NE, x, x, NULL), x, y);
}

/* ≤ 1 ulp everywhere; results below 2^-126 too, where the machine does not flush them. */
kinst *legal_exp(const legal *l, kinst *x, kinst *y) {
    (void)y;
    return legal_exp_sum(l, x, NULL);
}

kinst *legal_split(const legal *l, kinst *x, kinst **e) {
    enum { SQRT_HALF = 0x3f3504f3 };
    kinst *tiny = legal_is(l, S_LT, x, 0x1p-126);
    kinst *normal = legal_choose(l, tiny, legal_mul(l, x, legal_const(l, 0x1p23)), x);
    kinst *bits = kb_arith(l->b, S_AND, legal_to_bits(l, normal), legal_bits(l, INT32_MAX), NULL);
    bits = kb_sub(l->b, bits, legal_bits(l, SQRT_HALF));
    *e = kb_cast(l->b, l->t, kb_arith(l->b, S_SHR, bits, legal_bits(l, 23), NULL));
    *e = legal_sub(l, *e, legal_choose(l, tiny, legal_const(l, 23), legal_const(l, 0)));
    kinst *m = kb_arith(l->b, S_AND, bits, legal_bits(l, 0x7fffff), NULL);
    m = legal_from_bits(l, kb_add(l->b, m, legal_bits(l, SQRT_HALF)));
    return legal_sub(l, m, legal_const(l, 1));
}

kinst *legal_log_rest(const legal *l, kinst *f) {
    return legal_poly(l, f, log_rest, COUNT(log_rest));
}

/* ≤ 1 ulp. */
kinst *legal_log(const legal *l, kinst *x, kinst *unused) {
    (void)unused;
    kinst *e, *f = legal_split(l, x, &e), *square = legal_mul(l, f, f);
    kinst *y = legal_mul(l, legal_mul(l, f, square), legal_log_rest(l, f));
    y = legal_fma(l, e, legal_const(l, legal_ln2[1]), y);
    y = legal_fma(l, square, legal_const(l, -0.5), y);
    y = legal_fma(l, e, legal_const(l, legal_ln2[0]), legal_add(l, f, y));
    y = legal_choose(l, legal_is(l, S_LT, x, INFINITY), y, x);
    kinst *none = legal_choose(l, legal_is(l, S_EQ, x, 0), legal_const(l, -INFINITY), legal_const(l, NAN));
    return legal_choose(l, legal_is(l, S_GT, x, 0), y, none);
}

/* ≤ 2.5 ulp for x ≥ −87; below, where the result nears 2^-126, exp(−x) overflows at last and it is 0. */
kinst *legal_sigmoid(const legal *l, kinst *x, kinst *y) {
    (void)y;
    kinst *one = legal_const(l, 1), *e = legal_op(l, S_EXP, legal_op(l, S_NEG, x, NULL, NULL), NULL, NULL);
    return legal_op(l, S_DIV, one, legal_add(l, one, e), NULL);
}

/* ≤ 2 ulp. Near 0 a polynomial, else 1 − 2/(exp(2|x|) + 1). */
kinst *legal_tanh(const legal *l, kinst *x, kinst *y) {
    (void)y;
    kinst *a = legal_op(l, S_ABS, x, NULL, NULL), *square = legal_mul(l, x, x), *one = legal_const(l, 1);
    kinst *rest = legal_mul(l, square, legal_poly(l, square, tanh_rest, COUNT(tanh_rest)));
    kinst *near = legal_fma(l, x, rest, x);
    kinst *e = legal_op(l, S_EXP, legal_add(l, a, a), NULL, NULL);
    kinst *far = legal_sub(l, one, legal_op(l, S_DIV, legal_const(l, 2), legal_add(l, e, one), NULL));
    return legal_choose(l, legal_is(l, S_LT, a, 0.6245), near, legal_sign(l, far, x, a));
}

/* ≤ 2 ulp. */
kinst *legal_erf(const legal *l, kinst *x, kinst *y) {
    (void)y;
    kinst *a = legal_op(l, S_ABS, x, NULL, NULL), *square = legal_mul(l, x, x);
    kinst *near = legal_fma(l, x, legal_poly(l, square, erf_small, COUNT(erf_small)), x);
    kinst *t = legal_op(l, S_MIN, legal_const(l, 4), a, NULL); /* a NaN stays */
    kinst *tail = legal_op(l, S_EXP, legal_poly(l, t, erf_tail, COUNT(erf_tail)), NULL, NULL);
    kinst *far = legal_sub(l, legal_const(l, 1), tail);
    return legal_choose(l, legal_is(l, S_LT, a, 1), near, legal_sign(l, far, x, a));
}
