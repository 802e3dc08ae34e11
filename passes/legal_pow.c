/* pow(a, b) = exp(b·log a), the logarithm and the product as sums of two floats. */
#include "passes/legal.h"

#include <math.h>

/* A number as high + low, |low| ≤ half an ulp of high. */
typedef struct pair {
    kinst *high, *low;
} pair;

/* x + y, exactly. */
static pair sum(const legal *l, kinst *x, kinst *y) {
    kinst *s = legal_add(l, x, y), *part = legal_sub(l, s, x);
    kinst *error = legal_add(l, legal_sub(l, x, legal_sub(l, s, part)), legal_sub(l, y, part));
    return (pair){s, error};
}

/* x·y, exactly: by fma where there is one that rounds once, else by halves (Dekker). */
static pair product(const legal *l, kinst *x, kinst *y) {
    kinst *p = legal_mul(l, x, y);
    bool fused = l->has[S_FMA] && l->b->target->id != TARGET_C99;
    if (fused) return (pair){p, legal_fma(l, x, y, legal_op(l, S_NEG, p, NULL, NULL))};
    kinst *xh = legal_upper(l, x), *xl = legal_sub(l, x, xh), *yh = legal_upper(l, y),
          *yl = legal_sub(l, y, yh);
    kinst *e = legal_sub(l, legal_mul(l, xh, yh), p);
    e = legal_add(l, legal_add(l, e, legal_mul(l, xh, yl)), legal_mul(l, xl, yh));
    return (pair){p, legal_add(l, e, legal_mul(l, xl, yl))};
}

/* log a for positive finite a: f − f²/2 exactly, the rest of the series, e·ln 2. */
static pair log_pair(const legal *l, kinst *a) {
    kinst *e, *f = legal_split(l, a, &e), *half = legal_const(l, -0.5);
    pair square = product(l, f, f);
    pair s = sum(l, f, legal_mul(l, square.high, half));
    kinst *rest = legal_mul(l, legal_mul(l, f, square.high), legal_log_rest(l, f));
    kinst *low = legal_add(l, s.low, legal_fma(l, square.low, half, rest));
    low = legal_fma(l, e, legal_const(l, legal_ln2[1]), low);
    pair t = sum(l, legal_mul(l, e, legal_const(l, legal_ln2[0])), s.high);
    return sum(l, t.high, legal_add(l, t.low, low));
}

/* Beyond ± 2^40 the result is 0, 1 or infinite whatever b is. */
static kinst *power(const legal *l, kinst *a, kinst *b) {
    kinst *within = legal_op(l, S_MIN, legal_op(l, S_MAX, b, legal_const(l, -0x1p40), NULL),
                             legal_const(l, 0x1p40), NULL);
    pair exponent = log_pair(l, a), z = product(l, within, exponent.high);
    kinst *inside = legal_is(l, S_LT, legal_op(l, S_ABS, z.high, NULL, NULL), 128);
    kinst *low = legal_fma(l, within, exponent.low, z.low);
    return legal_exp_sum(l, z.high, legal_choose(l, inside, low, legal_const(l, 0)));
}

static kinst *floor_of(const legal *l, kinst *x) {
    return legal_op(l, S_FLOOR, x, NULL, NULL);
}

/* The sign of a negative base: kept by odd powers; not a number for powers that are not whole. r is pow(|a|,
 * b). */
static kinst *negative_base(const legal *l, kinst *r, kinst *a, kinst *absolute, kinst *b) {
    kinst *half = legal_mul(l, b, legal_const(l, 0.5));
    kinst *even = legal_op(l, S_EQ, floor_of(l, half), half, NULL),
          *whole = legal_op(l, S_EQ, floor_of(l, b), b, NULL);
    kinst *odd = legal_choose(l, even, r, legal_sign(l, r, a, absolute));
    kinst *fraction = legal_choose(l, legal_is(l, S_LT, a, 0), legal_const(l, NAN), r);
    fraction = legal_choose(l, legal_is(l, S_EQ, a, -INFINITY), r, fraction);
    return legal_choose(l, whole, odd, fraction);
}

/* ≤ 2 ulp for |b| ≤ 4, ≤ 16 ulp anywhere; special cases as C's pow. */
kinst *legal_pow(const legal *l, kinst *a, kinst *b) {
    kinst *absolute = legal_op(l, S_ABS, a, NULL, NULL), *r = power(l, absolute, b);
    kinst *zero = legal_const(l, 0), *infinite = legal_const(l, INFINITY), *up = legal_is(l, S_GT, b, 0);
    r = legal_choose(l, legal_is(l, S_EQ, a, 0), legal_choose(l, up, zero, infinite), r);
    r = legal_choose(l, legal_is(l, S_EQ, absolute, INFINITY), legal_choose(l, up, infinite, zero), r);
    r = negative_base(l, r, a, absolute, b);
    kinst *both = legal_add(l, a, b);
    r = legal_choose(l, legal_op(l, S_EQ, b, b, NULL),
                     legal_choose(l, legal_op(l, S_EQ, a, a, NULL), r, both), both);
    kinst *one = legal_const(l, 1);
    r = legal_choose(l, legal_is(l, S_EQ, b, 0), one, r);
    return legal_choose(l, legal_is(l, S_EQ, a, 1), one, r);
}
