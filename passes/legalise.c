/* legalise
 * Does:   rewrites what a backend's target lacks, `supported` says, in every function of that target: relu
 *         as max(0, x), rsqrt as 1/sqrt, sigmoid, exp, log, tanh, erf, sin, cos and pow on f32 as
 *         polynomials.
 * Needs:  a lowered program.
 * Breaks: nothing. Functions on f64 stay as they are: a backend that lacks them refuses them. */
#include "ir/kernel/rewrite.h"
#include "passes/legal.h"
#include "passes/passes.h"

#include <math.h>

kinst *legal_const(const legal *l, double x) {
    return kb_const(l->b, l->t, x);
}

static ktype bits_type(const legal *l) {
    return k_vector(KB_I32, l->t.lanes);
}

kinst *legal_bits(const legal *l, int32_t x) {
    return kb_const(l->b, bits_type(l), x);
}
kinst *legal_to_bits(const legal *l, kinst *x) {
    return kb_bits(l->b, bits_type(l), x);
}
kinst *legal_from_bits(const legal *l, kinst *x) {
    return kb_bits(l->b, l->t, x);
}

kinst *legal_poly(const legal *l, kinst *x, const float *c, int count) {
    kinst *y = legal_const(l, c[count - 1]);
    for (int k = count - 2; k >= 0; k--) y = legal_fma(l, y, x, legal_const(l, c[k]));
    return y;
}

/* Adding 1.5·2^23 leaves the whole number in the lowest bits. */
kinst *legal_round(const legal *l, kinst *x, double scale, kinst **whole) {
    kinst *magic = legal_const(l, 0x1.8p23);
    kinst *t = legal_fma(l, x, legal_const(l, scale), magic);
    *whole = kb_sub(l->b, legal_to_bits(l, t), legal_bits(l, 0x4b400000));
    return legal_sub(l, t, magic);
}

kinst *legal_upper(const legal *l, kinst *x) {
    kinst *c = legal_mul(l, x, legal_const(l, 4097));
    return legal_sub(l, c, legal_sub(l, c, x));
}

kinst *legal_sign(const legal *l, kinst *magnitude, kinst *x, kinst *absolute) {
    kinst *sign = kb_arith(l->b, S_XOR, legal_to_bits(l, x), legal_to_bits(l, absolute), NULL);
    return legal_from_bits(l, kb_arith(l->b, S_OR, legal_to_bits(l, magnitude), sign, NULL));
}

static kinst *make_relu(const legal *l, kinst *x, kinst *y) {
    (void)y;
    return legal_op(l, S_MAX, legal_const(l, 0), x, NULL);
}

static kinst *make_rsqrt(const legal *l, kinst *x, kinst *y) {
    (void)y;
    return legal_op(l, S_DIV, legal_const(l, 1), legal_op(l, S_SQRT, x, NULL, NULL), NULL);
}

static kinst *make_max(const legal *l, kinst *x, kinst *y) {
    return legal_choose(l, legal_op(l, S_GT, x, y, NULL), x, y);
}

static kinst *make_min(const legal *l, kinst *x, kinst *y) {
    return legal_choose(l, legal_op(l, S_LT, x, y, NULL), x, y);
}

static kinst *make_neg(const legal *l, kinst *x, kinst *y) {
    (void)y;
    return legal_sub(l, legal_const(l, -0.0), x);
}

static kinst *make_abs(const legal *l, kinst *x, kinst *y) {
    (void)y;
    return legal_from_bits(l, kb_arith(l->b, S_AND, legal_to_bits(l, x), legal_bits(l, INT32_MAX), NULL));
}

/* From 2^23 on every float is whole. */
static kinst *make_floor(const legal *l, kinst *x, kinst *y) {
    (void)y;
    kinst *small = legal_is(l, S_LT, legal_op(l, S_ABS, x, NULL, NULL), 0x1p23);
    kinst *part = legal_choose(l, small, x, legal_const(l, 0));
    kinst *whole = kb_cast(l->b, l->t, kb_cast(l->b, bits_type(l), part));
    kinst *above = legal_op(l, S_GT, whole, part, NULL);
    kinst *down = legal_choose(l, above, legal_sub(l, whole, legal_const(l, 1)), whole);
    return legal_choose(l, small, down, x);
}

/* max, min, neg, abs and floor, which every target so far has, make the rest independent of that. */
static legal_function *const makers[S_COUNT] = {
    [S_RELU] = make_relu, [S_RSQRT] = make_rsqrt, [S_MAX] = make_max,          [S_MIN] = make_min,
    [S_NEG] = make_neg,   [S_ABS] = make_abs,     [S_FLOOR] = make_floor,      [S_EXP] = legal_exp,
    [S_LOG] = legal_log,  [S_TANH] = legal_tanh,  [S_ERF] = legal_erf,         [S_SIN] = legal_sin,
    [S_COS] = legal_cos,  [S_POW] = legal_pow,    [S_SIGMOID] = legal_sigmoid,
};

static kinst *expand(const legal *l, scalar_op what, kinst *x, kinst *y, kinst *z) {
    if (l->has[what]) return NULL;
    if (what == S_FMA) return legal_add(l, legal_mul(l, x, y), z);
    return makers[what] ? makers[what](l, x, y) : NULL;
}

kinst *legal_op(const legal *l, scalar_op what, kinst *x, kinst *y, kinst *z) {
    kinst *r = expand(l, what, x, y, z);
    return r ? r : kb_arith(l->b, what, x, y, z);
}

/* On f64: what needs no polynomial. */
static bool any_width(scalar_op what) {
    return what == S_RELU || what == S_RSQRT || what == S_MAX || what == S_MIN || what == S_FMA;
}

static kinst *legal_double(const legal *l, scalar_op what, kinst *const *arg) {
    kinst *e;
    if (what != S_SIGMOID) return any_width(what) ? expand(l, what, arg[0], arg[1], arg[2]) : NULL;
    e = kb_arith(l->b, S_EXP, kb_sub(l->b, legal_const(l, 0), arg[0]), NULL, NULL);
    return kb_arith(l->b, S_DIV, legal_const(l, 1), kb_add(l->b, legal_const(l, 1), e), NULL);
}

static kinst *rewrite_arith(kb *b, const kinst *x, kinst *const *arg, void *context) {
    const bool *has = context;
    if (has[x->scalar]) return NULL;
    legal l = {b, has, arg[0]->type};
    kinst *all[3] = {arg[0], x->args > 1 ? arg[1] : NULL, x->args > 2 ? arg[2] : NULL};
    if (l.t.base == KB_F64) return legal_double(&l, x->scalar, all);
    if (l.t.base == KB_F32) return expand(&l, x->scalar, all[0], all[1], all[2]);
    return x->scalar == S_RELU ? kb_max(b, kb_const(b, l.t, 0), arg[0]) : NULL;
}

void legalise(program *p, target_id t, const bool supported[S_COUNT]) {
    bool has[S_COUNT];
    for (int k = 0; k < S_COUNT; k++) has[k] = supported[k];
    rewrite rule = {.arena = p->arena, .arith = rewrite_arith, .context = has};
    for (int i = 0; i < p->micros[t].count; i++) rewrite_function(&rule, p->micros[t].at[i], p, p->real);
    for (int i = 0; i < p->kernels.count; i++)
        if (p->kernels.at[i]->body[t]) rewrite_function(&rule, p->kernels.at[i]->body[t], p, p->real);
}
