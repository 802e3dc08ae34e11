/* Mean and variance of each channel over the whole batch. A kernel index is one channel: its mean first, then the
 * squares of what differs from it. */
#include "ir/kernel/nest.h"
#include "ir/ops/candidates.h"

#include <string.h>

typedef struct stats_recipe {
    desc x;
    int64_t positions; /* of a sample and channel */
} stats_recipe;

enum { ARG_X = 2, ARG_MEAN, ARG_VARIANCE };

/* Σ x (mean NULL) or Σ (x − mean)², a sum of sums by sample. */
static kinst *sum_channel(kb *b, const stats_recipe *r, kinst *mean) {
    ktype t = kb_real(b);
    kinst *zero = kb_int(b, 0), *idx[MAX_RANK], *all = kb_reg(b, "all", t, 1, 1),
          *one = kb_reg(b, "one", t, 1, 1);
    kb_set(b, all, zero, zero, kb_const(b, t, 0));
    idx[0] = kb_for(b, "s", zero, kb_param(b, 1), 1, KLOOP_SERIAL);
    idx[1] = kb_param(b, 0);
    kb_set(b, one, zero, zero, kb_const(b, t, 0));
    for (int64_t k = 2; k < r->x.rank; k++)
        idx[k] = kb_for(b, "x", zero, kb_int(b, r->x.dim[k]), 1, KLOOP_SERIAL);
    kinst *v = kb_load(b, t, kb_param(b, ARG_X), kb_address(b, &r->x, idx));
    if (mean) {
        v = kb_sub(b, v, mean);
        v = kb_mul(b, v, v);
    }
    kb_set(b, one, zero, zero, kb_add(b, kb_get(b, one, zero, zero), v));
    for (int64_t k = 2; k < r->x.rank; k++) kb_end(b);
    kb_set(b, all, zero, zero, kb_add(b, kb_get(b, all, zero, zero), kb_get(b, one, zero, zero)));
    kb_end(b);
    return kb_get(b, all, zero, zero);
}

static void build_stats(kb *b, const void *recipe) {
    const stats_recipe *r = recipe;
    kinst *c = kb_param(b, 0), *count = kb_muli(b, kb_param(b, 1), r->positions);
    kinst *numbers = kb_cast(b, kb_real(b), count);
    kinst *mean = kb_arith(b, S_DIV, sum_channel(b, r, NULL), numbers, NULL);
    kb_store(b, kb_param(b, ARG_MEAN), c, mean);
    kb_store(b, kb_param(b, ARG_VARIANCE), c, kb_arith(b, S_DIV, sum_channel(b, r, mean), numbers, NULL));
}

static void lower_stats(lower *l, const node *n) {
    kbase real = l->program->real;
    stats_recipe r;
    memset(&r, 0, sizeof r);
    r.x = lower_desc(l, n->in[0]);
    int64_t channels = n->in[0]->shape.dim[1];
    r.positions = shape_count(&n->in[0]->shape) / channels;
    kparam params[] = {{"x", k_ptr(real)}, {"mean", k_out(real)}, {"variance", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0]), lower_value(l, n->out[1])};
    const char *name = arena_printf(l->arena, "batch_stats_%d", (int)channels);
    double work = 2 * (double)r.positions * (double)l->program->max_batch;
    kernel *k = lower_kernel(l, name, build_stats, &r, sizeof r, params, 3, (kcount){channels, 0}, work);
    lower_call(l, k, args, 3, n);
}

/* Any layout in, planar out. */
static void stats_layouts(const node *n, layout *in, layout *out) {
    in[0] = (layout){.kind = n->in[0]->layout.kind};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

static const candidate loop = {
    .name = "loop", .families = FAMILY_CPU, .layouts = stats_layouts, .lower = lower_stats};
const candidate *const batch_stats_candidates[] = {&loop, NULL};
