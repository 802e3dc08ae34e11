/* Sums, means, maxima and the position of the maximum over axes; sums run in the order of the index. */
#include "ir/kernel/nest.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <math.h>
#include <string.h>

typedef enum reduction { REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_ARGMAX } reduction;

typedef struct reduce_recipe {
    desc in, out;
    int64_t reduced[MAX_RANK]; /* 1 where the axis of x goes */
    int64_t how, keep, count;
} reduce_recipe;

/* The axis of x that the last axis of the result walks; −1 if none. */
static int64_t last_kept(const reduce_recipe *r) {
    for (int64_t k = r->in.rank - 1; k >= 0; k--)
        if (!r->reduced[k]) return k;
    return -1;
}

static kinst *with_element(kb *b, const reduce_recipe *r, kinst *acc, kinst *best, kinst *v,
                           kinst *position) {
    kinst *zero = kb_int(b, 0), *old = kb_get(b, acc, zero, zero);
    if (r->how == REDUCE_ARGMAX) {
        kinst *more = kb_arith(b, S_GT, v, old, NULL);
        kb_set(b, best, zero, zero, kb_select(b, more, position, kb_get(b, best, zero, zero)));
        return kb_select(b, more, v, old);
    }
    return kb_arith(b, r->how == REDUCE_MAX ? S_MAX : S_ADD, old, v, NULL);
}

static kinst *reduced(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const reduce_recipe *r = recipe;
    kinst *from[MAX_RANK], *zero = kb_int(b, 0), *position = zero, *best = NULL;
    ktype t = run_.lanes > 1 ? k_vector(b->real, run_.lanes) : k_scalar(b->real);
    bool max = r->how == REDUCE_MAX || r->how == REDUCE_ARGMAX;
    kinst *acc = kb_reg(b, "acc", t, 1, 1);
    kb_set(b, acc, zero, zero, kb_const(b, t, max ? -INFINITY : 0));
    if (r->how == REDUCE_ARGMAX) {
        best = kb_reg(b, "best", k_scalar(KB_INT), 1, 1);
        kb_set(b, best, zero, zero, zero);
    }
    int loops = 0, at = 0;
    for (int64_t k = 0; k < r->in.rank; k++) {
        if (!r->reduced[k]) {
            from[k] = idx[at++];
            continue;
        }
        from[k] = kb_for(b, "r", zero, kb_int(b, r->in.dim[k]), 1, KLOOP_SERIAL);
        position = from[k];
        at += (int)r->keep;
        loops++;
    }
    kinst *v = nest_load(b, &r->in, kb_param(b, 2), from, b->real, run_);
    kb_set(b, acc, zero, zero, with_element(b, r, acc, best, v, position));
    while (loops--) kb_end(b);
    kinst *y = kb_get(b, acc, zero, zero);
    if (r->how == REDUCE_ARGMAX) return kb_cast(b, k_scalar(KB_I32), kb_get(b, best, zero, zero));
    return r->how == REDUCE_MEAN ? kb_arith(b, S_DIV, y, kb_const(b, t, (double)r->count), NULL) : y;
}

static void build_reduce(kb *b, const void *recipe) {
    const reduce_recipe *r = recipe;
    bool vector = r->how != REDUCE_ARGMAX && !r->in.blocked && last_kept(r) == r->in.rank - 1;
    nest_build(b, &r->out, 3, vector, reduced, r);
}

static void emit_reduce(lower *l, const node *n, reduction how, const ints *axes, bool keep) {
    reduce_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_desc(l, n->in[0]);
    r.out = lower_desc(l, n->out[0]);
    r.how = how;
    r.keep = keep;
    r.count = 1;
    for (int k = 0; k < axes->count; k++) {
        r.reduced[axes->at[k]] = 1;
        r.count *= r.in.dim[axes->at[k]];
    }
    nest_lower(l, n, 0, build_reduce, &r, sizeof r, (double)r.count);
}

static void lower_sum(lower *l, const node *n) {
    const reduce_attrs *a = n->attrs;
    emit_reduce(l, n, REDUCE_SUM, &a->axes, a->keep);
}

static void lower_mean(lower *l, const node *n) {
    const reduce_attrs *a = n->attrs;
    emit_reduce(l, n, REDUCE_MEAN, &a->axes, a->keep);
}

static void lower_max(lower *l, const node *n) {
    const reduce_attrs *a = n->attrs;
    emit_reduce(l, n, REDUCE_MAX, &a->axes, a->keep);
}

static void lower_argmax(lower *l, const node *n) {
    const argmax_attrs *a = n->attrs;
    ints axes = {1, {a->axis}};
    emit_reduce(l, n, REDUCE_ARGMAX, &axes, a->keep);
}

/* Any layout in, planar out. */
static void reduce_layouts(const node *n, layout *in, layout *out) {
    in[0] = (layout){.kind = n->in[0]->layout.kind};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

#define REDUCE(op, function)                                                                                 \
    static const candidate op##_loop = {                                                                     \
        .name = "loop", .families = FAMILY_CPU, .layouts = reduce_layouts, .lower = function};               \
    const candidate *const op##_candidates[] = {&op##_loop, NULL};
REDUCE(reduce_sum, lower_sum)
REDUCE(reduce_mean, lower_mean)
REDUCE(reduce_max, lower_max)
REDUCE(argmax, lower_argmax)
