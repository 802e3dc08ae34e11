/* Local response normalisation across channels, along rows of a planar image. Krizhevsky et al., "ImageNet
 * Classification with Deep Convolutional Neural Networks", 2012, section 3.3. */
#include "ir/kernel/nest.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <string.h>

typedef struct lrn_recipe {
    desc x;
    desc out;
    int64_t size;
    double alpha, beta, k; /* alpha of one square */
} lrn_recipe;

/* k + α·Σ x² around channel c of the element at idx. */
static kinst *base_at(kb *b, const lrn_recipe *r, kinst *const *idx, kinst *c, run r_) {
    ktype t = r_.lanes > 1 ? k_vector(b->real, r_.lanes) : k_scalar(b->real);
    kinst *zero = kb_int(b, 0), *from[MAX_RANK], *sum = kb_reg(b, "sum", t, 1, 1);
    memcpy(from, idx, sizeof *from * (size_t)r->x.rank);
    kb_set(b, sum, zero, zero, kb_const(b, t, 0));
    kinst *lo = kb_max(b, kb_addi(b, c, -(r->size / 2)), zero);
    kinst *hi = kb_min(b, kb_addi(b, c, (r->size - 1) / 2 + 1), kb_int(b, r->x.dim[r->x.axis]));
    from[r->x.axis] = kb_for(b, "c", lo, hi, 1, KLOOP_SERIAL);
    kinst *v = nest_load(b, &r->x, kb_param(b, 2), from, b->real, r_);
    kb_set(b, sum, zero, zero, kb_fma(b, v, v, kb_get(b, sum, zero, zero)));
    kb_end(b);
    return kb_fma(b, kb_const(b, t, r->alpha), kb_get(b, sum, zero, zero), kb_const(b, t, r->k));
}

static kinst *normalised(kb *b, const void *recipe, kinst *const *idx, run r_) {
    const lrn_recipe *r = recipe;
    kinst *base = base_at(b, r, idx, idx[r->x.axis], r_);
    kinst *scale = kb_arith(b, S_POW, base, kb_const(b, base->type, -r->beta), NULL);
    return kb_mul(b, nest_load(b, &r->x, kb_param(b, 2), idx, b->real, r_), scale);
}

static void build_lrn(kb *b, const void *recipe) {
    const lrn_recipe *r = recipe;
    nest_build(b, &r->out, 3, true, normalised, r);
}

static lrn_recipe recipe_of(const lower *l, const node *n) {
    const lrn_attrs *a = n->attrs;
    lrn_recipe r;
    memset(&r, 0, sizeof r);
    r.x = lower_desc(l, n->in[0]);
    r.out = lower_desc(l, n->out[0]);
    r.size = a->size;
    r.alpha = a->divide ? a->alpha / (double)a->size : a->alpha;
    r.beta = a->beta;
    r.k = a->k;
    return r;
}

static void lower_lrn(lower *l, const node *n) {
    lrn_recipe r = recipe_of(l, n);
    nest_lower(l, n, 0, build_lrn, &r, sizeof r, (double)r.size + 20);
}

/* ---- the gradient: dyᵢ·bᵢ^−β − 2αβ·xᵢ·Σ dyⱼ·xⱼ·bⱼ^(−β−1) over the j whose window holds i ---- */

typedef struct lrn_grad_recipe {
    lrn_recipe lrn;
    desc dy;
} lrn_grad_recipe;

static kinst *gradient(kb *b, const void *recipe, kinst *const *idx, run r_) {
    const lrn_grad_recipe *g = recipe;
    const lrn_recipe *r = &g->lrn;
    ktype t = r_.lanes > 1 ? k_vector(b->real, r_.lanes) : k_scalar(b->real);
    kinst *zero = kb_int(b, 0), *at[MAX_RANK], *c = idx[r->x.axis], *sum = kb_reg(b, "others", t, 1, 1);
    memcpy(at, idx, sizeof *at * (size_t)r->x.rank);
    kb_set(b, sum, zero, zero, kb_const(b, t, 0));
    kinst *lo = kb_max(b, kb_addi(b, c, -((r->size - 1) / 2)), zero);
    kinst *hi = kb_min(b, kb_addi(b, c, r->size / 2 + 1), kb_int(b, r->x.dim[r->x.axis]));
    kinst *j = at[r->x.axis] = kb_for(b, "j", lo, hi, 1, KLOOP_SERIAL);
    kinst *scale = kb_arith(b, S_POW, base_at(b, r, idx, j, r_), kb_const(b, t, -r->beta - 1), NULL);
    kinst *v = kb_mul(b, nest_load(b, &r->x, kb_param(b, 2), at, b->real, r_), scale);
    v = kb_fma(b, nest_load(b, &g->dy, kb_param(b, 3), at, b->real, r_), v, kb_get(b, sum, zero, zero));
    kb_set(b, sum, zero, zero, v);
    kb_end(b);
    kinst *own = kb_arith(b, S_POW, base_at(b, r, idx, c, r_), kb_const(b, t, -r->beta), NULL);
    own = kb_mul(b, nest_load(b, &g->dy, kb_param(b, 3), idx, b->real, r_), own);
    kinst *x = nest_load(b, &r->x, kb_param(b, 2), idx, b->real, r_);
    x = kb_mul(b, x, kb_const(b, t, -2 * r->alpha * r->beta));
    return kb_fma(b, x, kb_get(b, sum, zero, zero), own);
}

static void build_gradient(kb *b, const void *recipe) {
    const lrn_grad_recipe *r = recipe;
    nest_build(b, &r->lrn.out, 4, true, gradient, r);
}

static void lower_gradient(lower *l, const node *n) {
    lrn_grad_recipe r;
    memset(&r, 0, sizeof r);
    r.lrn = recipe_of(l, n);
    r.dy = lower_desc(l, n->in[1]);
    nest_lower(l, n, 0, build_gradient, &r, sizeof r, (double)(r.lrn.size * (r.lrn.size + 20)));
}

static const candidate rows = {.name = "rows", .families = FAMILY_CPU, .lower = lower_lrn};
static const candidate gradient_rows = {.name = "rows", .families = FAMILY_CPU, .lower = lower_gradient};
const candidate *const lrn_candidates[] = {&rows, NULL};
const candidate *const lrn_grad_candidates[] = {&gradient_rows, NULL};
