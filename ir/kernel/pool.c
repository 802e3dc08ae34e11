/* Max and average pooling, by window, adaptive and global. A kernel index is one row of the result in a block
 * of channels, or in one channel of a planar image. Windows are clipped to the image: a halo is never read.
 */
#include "ir/kernel/pool.h"
#include "ir/kernel/halo.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ARG_IN = 2, ARG_NEXT };

static reach adaptive_reach(kb *b, int64_t in, int64_t out, kinst *at) {
    kinst *first = kb_divi(b, kb_muli(b, at, in), out);
    kinst *end = kb_divi(b, kb_addi(b, kb_muli(b, kb_addi(b, at, 1), in), out - 1), out);
    return (reach){first, end, kb_sub(b, end, first), kb_int(b, 1)};
}

static reach window_reach(kb *b, const pool_recipe *r, int axis, kinst *at) {
    const window2d *w = &r->window;
    int64_t size = axis ? r->in.width : r->in.height, before = axis ? w->left : w->top;
    int64_t after = axis ? r->right : r->bottom, dilation = w->dilation[axis];
    kinst *first, *end, *base = kb_addi(b, kb_muli(b, at, w->stride[axis]), -before);
    clip_taps(b, w, axis, size, at, &first, &end);
    kinst *count = kb_sub(b, end, first);
    if (r->include_pad)
        count = kb_min(b, kb_int(b, w->kernel[axis]), kb_sub(b, kb_int(b, size + after), base));
    return (reach){kb_add(b, base, kb_muli(b, first, dilation)),
                   kb_addi(b, kb_add(b, base, kb_muli(b, end, dilation)), 1 - dilation), count,
                   kb_int(b, dilation)};
}

reach pool_reach(kb *b, const pool_recipe *r, int axis, kinst *at) {
    if (r->adaptive)
        return adaptive_reach(b, axis ? r->in.width : r->in.height, axis ? r->out.width : r->out.height, at);
    return window_reach(b, r, axis, at);
}

static kinst *gather_window(kb *b, const pool_recipe *r, const row_spot *s, const reach *rows,
                            const reach *columns, int u) {
    ktype t = row_type(b, &r->in);
    kinst *zero = kb_int(b, 0);
    kinst *acc = kb_reg(b, "acc", t, 1, 1);
    int64_t dilation[2] = {rows->stride->i, columns->stride->i};
    kb_set(b, acc, zero, zero, kb_const(b, t, r->average ? 0 : -INFINITY));
    kinst *y = kb_for(b, "y", rows->first, rows->end, dilation[0], KLOOP_SERIAL);
    kinst *row = kb_addi(b, row_start(b, &r->in, s, y), u * b->lanes);
    kinst *x = kb_for(b, "x", columns->first, columns->end, dilation[1], KLOOP_SERIAL);
    kinst *v = kb_load(b, t, kb_param(b, ARG_IN), kb_add(b, row, kb_muli(b, x, r->in.pixel)));
    kb_set(b, acc, zero, zero, kb_arith(b, r->average ? S_ADD : S_MAX, kb_get(b, acc, zero, zero), v, NULL));
    kb_end(b);
    kb_end(b);
    return kb_get(b, acc, zero, zero);
}

static kinst *divide(kb *b, kinst *sum, kinst *count) {
    kinst *d = kb_cast(b, kb_real(b), count);
    if (sum->type.lanes > 1) d = kb_splat(b, d, sum->type.lanes);
    return kb_arith(b, S_DIV, sum, d, NULL);
}

/* −∞ that a window wholly on padding or a tail lane leaves is no value of the image: lanes past the last
 * channel hold zeros in, so maxima and means of them are zero. */
static void build_pool(kb *b, const void *recipe) {
    const pool_recipe *r = recipe;
    row_spot s = row_spot_of(b, &r->out);
    reach rows = pool_reach(b, r, 0, s.row);
    kinst *out = kb_param(b, ARG_NEXT + (int)r->ep.operands), *start = row_start(b, &r->out, &s, s.row);
    kinst *ox = kb_for(b, "ox", kb_int(b, 0), kb_int(b, r->out.width), 1, KLOOP_SERIAL);
    reach columns = pool_reach(b, r, 1, ox);
    for (int u = 0; u < row_vectors(b, &r->out); u++) {
        kinst *v = gather_window(b, r, &s, &rows, &columns, u);
        if (r->average) v = divide(b, v, kb_mul(b, rows.count, columns.count));
        v = row_epilogue(b, &r->ep, &r->out, &s, ARG_NEXT, ox, u, v);
        kb_store(b, out, kb_addi(b, kb_add(b, start, kb_muli(b, ox, r->out.pixel)), u * b->lanes), v);
    }
    kb_end(b);
    zero_halo(b, &r->out, out, start);
}

static void emit_pool(lower *l, const node *n, const pool_recipe *r, const char *what) {
    kparam params[2 + MAX_OPERANDS] = {{"in", k_ptr(l->program->real)}};
    call_arg args[2 + MAX_OPERANDS] = {lower_value(l, n->in[0])};
    int count = epilogue_params(l, n, params, args, 1);
    params[count] = (kparam){"out", k_out(l->program->real)};
    args[count++] = lower_value(l, n->out[0]);
    char name[64];
    snprintf(name, sizeof name, "%s%d_%dx%d", what, (int)r->window.kernel[0], (int)r->out.channels,
             (int)r->out.height);
    kcount runs = row_count(&r->out, shape_batched(&n->in[0]->shape));
    double window = r->adaptive
                        ? (double)(r->in.height * r->in.width) / (double)(r->out.height * r->out.width)
                        : (double)(r->window.kernel[0] * r->window.kernel[1]);
    double work = (double)r->out.width * window * (double)(r->out.blocked ? BLOCK : 1);
    lower_call(l, lower_kernel(l, name, build_pool, r, sizeof *r, params, count, runs, work), args, count, n);
}

static pool_recipe start_recipe(lower *l, const node *n) {
    pool_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.out = lower_view(l, n->out[0]);
    r.ep = epilogue_of(l, n);
    for (int k = 0; k < 2; k++) r.window.stride[k] = r.window.dilation[k] = 1;
    return r;
}

void pool_set_windows(pool_recipe *r, const pool_attrs *a, bool average) {
    r->average = average;
    r->include_pad = a->include_pad && average;
    r->window.top = a->pad[0];
    r->window.left = a->pad[1];
    r->bottom = a->pad[2];
    r->right = a->pad[3];
    for (int k = 0; k < 2; k++) {
        r->window.kernel[k] = a->kernel[k];
        r->window.stride[k] = a->stride[k];
        r->window.dilation[k] = average ? 1 : a->dilation[k];
    }
}

static void lower_window(lower *l, const node *n) {
    pool_recipe r = start_recipe(l, n);
    pool_set_windows(&r, n->attrs, n->op == op_find("avgpool"));
    emit_pool(l, n, &r, r.average ? "avgpool" : "maxpool");
}

static void lower_adaptive(lower *l, const node *n) {
    pool_recipe r = start_recipe(l, n);
    r.average = n->op == op_find("adaptive_avgpool");
    r.adaptive = 1;
    emit_pool(l, n, &r, r.average ? "adaptive_avgpool" : "adaptive_maxpool");
}

/* Whatever layout comes in goes out; planar images stay planar. */
static void pool_layouts(const node *n, layout *in, layout *out) {
    bool blocked = n->in[0]->layout.kind == LAYOUT_BLOCKED16;
    in[0] = *out = (layout){.kind = blocked ? LAYOUT_BLOCKED16 : LAYOUT_PLANAR};
    epilogue_layouts(n, out, in);
}

/* Global pooling: [N,C,H,W] → [N,C] by blocks of channels. */
typedef struct global_recipe {
    view in;
    int64_t average, out_batch;
} global_recipe;

static void build_global(kb *b, const void *recipe) {
    const global_recipe *r = recipe;
    int64_t groups = row_groups(&r->in);
    kinst *i = kb_param(b, 0), *group = kb_modi(b, i, groups), *sample = kb_divi(b, i, groups);
    row_spot s = {sample, group, kb_int(b, 0)};
    kinst *zero = kb_int(b, 0), *one = kb_int(b, 1);
    reach rows = {zero, kb_int(b, r->in.height), NULL, one},
          columns = {zero, kb_int(b, r->in.width), NULL, one};
    pool_recipe window;
    memset(&window, 0, sizeof window);
    window.in = r->in;
    window.average = r->average;
    for (int u = 0; u < row_vectors(b, &r->in); u++) {
        kinst *v = gather_window(b, &window, &s, &rows, &columns, u);
        if (r->average) v = divide(b, v, kb_int(b, r->in.height * r->in.width));
        int64_t width = r->in.blocked ? BLOCK : 1;
        kinst *channel = kb_addi(b, kb_muli(b, group, width), u * b->lanes);
        kinst *at = kb_add(b, kb_muli(b, sample, r->out_batch), channel);
        if (r->in.blocked && r->in.channels % BLOCK)
            kb_store_part(b, kb_param(b, 3), at, v, kb_sub(b, kb_int(b, r->in.channels), channel));
        else
            kb_store(b, kb_param(b, 3), at, v);
    }
}

static void lower_global(lower *l, const node *n) {
    global_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.average = n->op == op_find("global_avgpool");
    r.out_batch = l->places[n->out[0]->id].batch_stride;
    kparam params[] = {{"in", k_ptr(l->program->real)}, {"out", k_out(l->program->real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0])};
    char name[64];
    snprintf(name, sizeof name, "%s_%dx%d", n->op->name, (int)r.in.channels, (int)r.in.height);
    kcount runs = {row_groups(&r.in), shape_batched(&n->in[0]->shape)};
    double work = (double)(r.in.height * r.in.width * (r.in.blocked ? BLOCK : 1));
    lower_call(l, lower_kernel(l, name, build_global, &r, sizeof r, params, 2, runs, work), args, 2, n);
}

static void global_layouts(const node *n, layout *in, layout *out) {
    in[0] = (layout){.kind = n->in[0]->layout.kind};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

static const candidate by_window = {.name = "window",
                                    .families = FAMILY_CPU,
                                    .layouts = pool_layouts,
                                    .lower = lower_window,
                                    .epilogue = epilogue_accepts};
static const candidate adaptive = {.name = "adaptive",
                                   .families = FAMILY_CPU,
                                   .layouts = pool_layouts,
                                   .lower = lower_adaptive,
                                   .epilogue = epilogue_accepts};
static const candidate whole = {
    .name = "whole", .families = FAMILY_CPU, .layouts = global_layouts, .lower = lower_global};
const candidate *const maxpool_candidates[] = {&by_window, NULL};
const candidate *const avgpool_candidates[] = {&by_window, NULL};
const candidate *const adaptive_avgpool_candidates[] = {&adaptive, NULL};
const candidate *const adaptive_maxpool_candidates[] = {&adaptive, NULL};
const candidate *const global_avgpool_candidates[] = {&whole, NULL};
const candidate *const global_maxpool_candidates[] = {&whole, NULL};
