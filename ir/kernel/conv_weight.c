/* The gradient of a convolution's weight, tap by tap, and the weight turned for the gradient of its input. */
#include "ir/kernel/conv_weight.h"
#include "ir/kernel/nest.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <string.h>

typedef struct loop_recipe {
    desc x, dy, out;
    window2d window;
    int64_t group_outputs;
} loop_recipe;

void clip_results(kb *b, const window2d *w, int axis, int64_t size, int64_t results, kinst *tap,
                  kinst **first, kinst **end) {
    int64_t before = axis ? w->left : w->top, s = w->stride[axis];
    kinst *move = kb_addi(b, kb_muli(b, tap, w->dilation[axis]), -before), *zero = kb_int(b, 0);
    *first = kb_divi(b, kb_max(b, kb_sub(b, kb_int(b, s - 1), move), zero), s);
    kinst *last = kb_divi(b, kb_max(b, kb_sub(b, kb_int(b, size + s - 1), move), zero), s);
    *end = kb_min(b, last, kb_int(b, results));
}

window2d weight_window(const node *n) {
    const conv_weight_attrs *a = n->attrs;
    window2d w = {.top = a->conv.pad[0], .left = a->conv.pad[1]};
    for (int k = 0; k < 2; k++) {
        w.kernel[k] = a->kernel[k];
        w.stride[k] = a->conv.stride[k];
        w.dilation[k] = a->conv.dilation[k];
    }
    return w;
}

void weight_halo(const node *n, layout *in) {
    window2d w = weight_window(n);
    int64_t columns = n->in[0]->shape.dim[3], results = n->in[1]->shape.dim[3];
    int64_t last = (results - 1) * w.stride[1] - w.left + (w.kernel[1] - 1) * w.dilation[1];
    *in = (layout){.left = (int)w.left, .right = last >= columns ? (int)(last - columns + 1) : 0};
}

static kinst *tap_sum(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const loop_recipe *r = recipe;
    const window2d *w = &r->window;
    ktype t = kb_real(b);
    kinst *zero = kb_int(b, 0), *acc = kb_reg(b, "sum", t, 1, 1), *first[2], *end[2];
    for (int a = 0; a < 2; a++)
        clip_results(b, w, a, r->x.dim[2 + a], r->dy.dim[2 + a], idx[2 + a], &first[a], &end[a]);
    kinst *group = kb_divi(b, idx[0], r->group_outputs);
    kinst *channel = kb_add(b, kb_muli(b, group, r->out.dim[1]), idx[1]);
    kb_set(b, acc, zero, zero, kb_const(b, t, 0));
    kinst *s = kb_for(b, "s", zero, kb_param(b, 1), 1, KLOOP_SERIAL);
    kinst *y = kb_for(b, "y", first[0], end[0], 1, KLOOP_SERIAL),
          *x = kb_for(b, "x", first[1], end[1], 1, KLOOP_SERIAL);
    kinst *row =
        kb_add(b, kb_addi(b, kb_muli(b, y, w->stride[0]), -w->top), kb_muli(b, idx[2], w->dilation[0]));
    kinst *column =
        kb_add(b, kb_addi(b, kb_muli(b, x, w->stride[1]), -w->left), kb_muli(b, idx[3], w->dilation[1]));
    kinst *from[] = {s, channel, row, column}, *at[] = {s, idx[0], y, x};
    kinst *v = nest_load(b, &r->x, kb_param(b, 2), from, b->real, run_);
    kinst *g = nest_load(b, &r->dy, kb_param(b, 3), at, b->real, run_);
    kb_set(b, acc, zero, zero, kb_fma(b, v, g, kb_get(b, acc, zero, zero)));
    for (int k = 0; k < 3; k++) kb_end(b);
    return kb_get(b, acc, zero, zero);
}

static void build_loop(kb *b, const void *recipe) {
    const loop_recipe *r = recipe;
    nest_build(b, &r->out, 4, false, tap_sum, r);
}

static void lower_loop(lower *l, const node *n) {
    const conv_weight_attrs *a = n->attrs;
    loop_recipe r;
    memset(&r, 0, sizeof r);
    r.x = lower_desc(l, n->in[0]);
    r.dy = lower_desc(l, n->in[1]);
    r.out = lower_desc(l, n->out[0]);
    r.group_outputs = r.out.dim[0] / a->conv.groups;
    r.window = weight_window(n);
    double pixels = (double)(r.dy.dim[2] * r.dy.dim[3]);
    nest_lower(l, n, 0, build_loop, &r, sizeof r, pixels * (double)l->program->max_batch);
}

/* Operands as they lie. */
static void loop_layouts(const node *n, layout *in, layout *out) {
    for (int k = 0; k < 2; k++) in[k] = (layout){.kind = n->in[k]->layout.kind};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

static double loop_cost(const node *n, int64_t batch) {
    (void)batch;
    return 40 * (double)node_work(n);
}

/* ---- the turned weight ---- */

typedef struct turn_recipe {
    desc w, out;
} turn_recipe;

/* out[i][o] of a group is w[o][i], taps from the last to the first. */
static kinst *turned(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const turn_recipe *r = recipe;
    int64_t inputs = r->w.dim[1], outputs = r->out.dim[1];
    kinst *group = kb_divi(b, idx[0], inputs);
    kinst *from[4] = {kb_add(b, kb_muli(b, group, outputs), idx[1]), kb_modi(b, idx[0], inputs)};
    for (int k = 2; k < 4; k++) from[k] = kb_sub(b, kb_int(b, r->w.dim[k] - 1), idx[k]);
    return nest_load(b, &r->w, kb_param(b, 2), from, b->real, run_);
}

static void build_turn(kb *b, const void *recipe) {
    const turn_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, turned, r);
}

static void lower_turn(lower *l, const node *n) {
    turn_recipe r;
    memset(&r, 0, sizeof r);
    r.w = lower_desc(l, n->in[0]);
    r.out = lower_desc(l, n->out[0]);
    nest_lower(l, n, 0, build_turn, &r, sizeof r, 1);
}

static const candidate loop = {
    .name = "loop", .families = FAMILY_CPU, .cost = loop_cost, .layouts = loop_layouts, .lower = lower_loop};
static const candidate copy = {.name = "copy", .families = FAMILY_CPU, .lower = lower_turn};
const candidate *const conv2d_weight_candidates[] = {&weight_depthwise_candidate,
                                                     &weight_winograd4_candidate,
                                                     &weight_winograd2_candidate,
                                                     &weight_core_candidate,
                                                     &loop,
                                                     NULL};
const candidate *const conv2d_turn_candidates[] = {&copy, NULL};
