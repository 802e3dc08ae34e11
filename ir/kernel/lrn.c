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

static kinst *normalised(kb *b, const void *recipe, kinst *const *idx, run r_) {
    const lrn_recipe *r = recipe;
    ktype t = r_.lanes > 1 ? k_vector(b->real, r_.lanes) : k_scalar(b->real);
    kinst *zero = kb_int(b, 0), *from[MAX_RANK], *c = idx[r->x.axis], *sum = kb_reg(b, "sum", t, 1, 1);
    memcpy(from, idx, sizeof *from * (size_t)r->x.rank);
    kb_set(b, sum, zero, zero, kb_const(b, t, 0));
    kinst *lo = kb_max(b, kb_addi(b, c, -(r->size / 2)), zero);
    kinst *hi = kb_min(b, kb_addi(b, c, (r->size - 1) / 2 + 1), kb_int(b, r->x.dim[r->x.axis]));
    from[r->x.axis] = kb_for(b, "c", lo, hi, 1, KLOOP_SERIAL);
    kinst *v = nest_load(b, &r->x, kb_param(b, 2), from, b->real, r_);
    kb_set(b, sum, zero, zero, kb_fma(b, v, v, kb_get(b, sum, zero, zero)));
    kb_end(b);
    kinst *base = kb_fma(b, kb_const(b, t, r->alpha), kb_get(b, sum, zero, zero), kb_const(b, t, r->k));
    kinst *scale = kb_arith(b, S_POW, base, kb_const(b, t, -r->beta), NULL);
    return kb_mul(b, nest_load(b, &r->x, kb_param(b, 2), idx, b->real, r_), scale);
}

static void build_lrn(kb *b, const void *recipe) {
    const lrn_recipe *r = recipe;
    nest_build(b, &r->out, 3, true, normalised, r);
}

static void lower_lrn(lower *l, const node *n) {
    const lrn_attrs *a = n->attrs;
    lrn_recipe r;
    memset(&r, 0, sizeof r);
    r.x = lower_desc(l, n->in[0]);
    r.out = lower_desc(l, n->out[0]);
    r.size = a->size;
    r.alpha = a->divide ? a->alpha / (double)a->size : a->alpha;
    r.beta = a->beta;
    r.k = a->k;
    nest_lower(l, n, 0, build_lrn, &r, sizeof r, (double)a->size + 20);
}

static const candidate rows = {.name = "rows", .families = FAMILY_CPU, .lower = lower_lrn};
const candidate *const lrn_candidates[] = {&rows, NULL};
