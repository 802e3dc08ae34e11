/* Sums over the batch and over axes that the result lacks, in the order of the index; and what else reads the batch as
 * a whole: how many samples there are. */
#include "ir/kernel/nest.h"
#include "ir/kernel/sums.h"
#include "ir/ops/candidates.h"

#include <string.h>

/* `kept[k]`: 1 + the axis of the result that axis k of x walks, 0 where it is summed. */
typedef struct sum_recipe {
    desc in, out;
    int64_t kept[MAX_RANK];
} sum_recipe;

/* How many elements axis k of d has; the batch as it comes. */
static kinst *extent(kb *b, const desc *d, int64_t k) {
    return k == 0 && d->batched ? kb_param(b, 1) : kb_int(b, d->dim[k]);
}

static kinst *summed(kb *b, const void *recipe, kinst *const *idx, run r_) {
    const sum_recipe *r = recipe;
    ktype t = r_.lanes > 1 ? k_vector(b->real, r_.lanes) : k_scalar(b->real);
    kinst *from[MAX_RANK], *zero = kb_int(b, 0), *acc = kb_reg(b, "sum", t, 1, 1);
    int loops = 0;
    kb_set(b, acc, zero, zero, kb_const(b, t, 0));
    for (int64_t k = 0; k < r->in.rank; k++) {
        if (r->kept[k]) {
            from[k] = idx[r->kept[k] - 1];
            continue;
        }
        from[k] = kb_for(b, "r", zero, extent(b, &r->in, k), 1, KLOOP_SERIAL);
        loops++;
    }
    kinst *v = nest_load(b, &r->in, kb_param(b, 2), from, b->real, r_);
    kb_set(b, acc, zero, zero, kb_add(b, kb_get(b, acc, zero, zero), v));
    while (loops--) kb_end(b);
    return kb_get(b, acc, zero, zero);
}

static void build_sum(kb *b, const void *recipe) {
    const sum_recipe *r = recipe;
    bool vector = !r->in.blocked && r->in.rank && r->kept[r->in.rank - 1] == r->out.rank;
    nest_build(b, &r->out, 3, vector, summed, r);
}

static void lower_sum(lower *l, const node *n) {
    const shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
    sum_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_desc(l, n->in[0]);
    r.out = lower_desc(l, n->out[0]);
    for (int k = 0; k < x->rank; k++) {
        int at = k - (x->rank - y->rank);
        r.kept[k] = at >= 0 && y->dim[at] == x->dim[k] ? at + 1 : 0;
    }
    double share = (double)shape_count(x) / (double)shape_count(y);
    if (!shape_batched(y) && shape_batched(x)) share *= (double)l->program->max_batch;
    nest_lower(l, n, 0, build_sum, &r, sizeof r, share);
}

static double loop_cost(const node *n, int64_t batch) {
    return (double)shape_count(&n->in[0]->shape) * (double)batch;
}

/* Any layout in, planar out. */
static void sum_layouts(const node *n, layout *in, layout *out) {
    in[0] = (layout){.kind = n->in[0]->layout.kind};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

/* ---- samples ---- */

static void build_samples(kb *b, const void *recipe) {
    (void)recipe;
    kb_store(b, kb_param(b, 3), kb_int(b, 0), kb_cast(b, kb_real(b), kb_param(b, 1)));
}

static void lower_samples(lower *l, const node *n) {
    static const int64_t nothing = 0;
    nest_lower(l, n, 0, build_samples, &nothing, sizeof nothing, 1);
}

static const candidate sum_loop = {
    .name = "loop", .families = FAMILY_CPU, .cost = loop_cost, .layouts = sum_layouts, .lower = lower_sum};
static const candidate samples_one = {
    .name = "one", .families = FAMILY_CPU, .layouts = sum_layouts, .lower = lower_samples};
const candidate *const sum_to_candidates[] = {&sums_candidate, &sum_loop, NULL};
const candidate *const samples_candidates[] = {&samples_one, NULL};
