/* The product of two tensors that both depend on the input, by NumPy's rules: a row of the result by vectors
 * along it, where the rows of the second factor lie dense. */
#include "ir/kernel/nest.h"
#include "ir/ops/candidates.h"

#include <string.h>

typedef struct matmul_recipe {
    desc a, b, out;
    int64_t depth;
} matmul_recipe;

/* Leading indices of operand d for the result at idx: axes align at the right and repeat where they are 1. */
static void leading_index(kb *b, const desc *d, const desc *out, kinst *const *idx, kinst **from) {
    for (int64_t k = 0; k < d->rank - 2; k++) {
        bool batch = k == 0 && d->batched;
        from[k] = !batch && d->dim[k] == 1 ? kb_int(b, 0) : idx[k + out->rank - d->rank];
    }
}

static kinst *product(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const matmul_recipe *r = recipe;
    kinst *fa[MAX_RANK], *fb[MAX_RANK], *zero = kb_int(b, 0);
    int64_t rank = r->out.rank;
    ktype t = run_.lanes > 1 ? k_vector(b->real, run_.lanes) : k_scalar(b->real);
    kinst *acc = kb_reg(b, "acc", t, 1, 1);
    kb_set(b, acc, zero, zero, kb_const(b, t, 0));
    leading_index(b, &r->a, &r->out, idx, fa);
    leading_index(b, &r->b, &r->out, idx, fb);
    fa[r->a.rank - 2] = idx[rank - 2];
    fb[r->b.rank - 1] = idx[rank - 1];
    kinst *k = kb_for(b, "k", zero, kb_int(b, r->depth), 1, KLOOP_SERIAL);
    fa[r->a.rank - 1] = k;
    fb[r->b.rank - 2] = k;
    kinst *x = nest_load(b, &r->a, kb_param(b, 2), fa, b->real, (run){1, NULL});
    kinst *y = nest_load(b, &r->b, kb_param(b, 3), fb, b->real, run_);
    if (run_.lanes > 1) x = kb_splat(b, x, run_.lanes);
    kb_set(b, acc, zero, zero, kb_fma(b, x, y, kb_get(b, acc, zero, zero)));
    kb_end(b);
    return kb_get(b, acc, zero, zero);
}

static void build_matmul(kb *b, const void *recipe) {
    const matmul_recipe *r = recipe;
    nest_build(b, &r->out, 4, true, product, r);
}

static void lower_matmul(lower *l, const node *n) {
    matmul_recipe r;
    memset(&r, 0, sizeof r);
    r.a = lower_desc(l, n->in[0]);
    r.b = lower_desc(l, n->in[1]);
    r.out = lower_desc(l, n->out[0]);
    r.depth = n->in[0]->shape.dim[r.a.rank - 1];
    nest_lower(l, n, 0, build_matmul, &r, sizeof r, (double)r.depth);
}

static const candidate rows = {.name = "rows", .families = FAMILY_CPU, .lower = lower_matmul};
const candidate *const matmul_candidates[] = {&rows, NULL};
