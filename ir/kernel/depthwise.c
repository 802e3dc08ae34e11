/* Depthwise convolution: every channel has a filter of its own, so a vector of channels is multiplied by a
 * vector of weights; eight pixels share a load of the weights. */
#include "ir/kernel/conv.h"
#include "ir/kernel/core.h"
#include "ir/kernel/halo.h"
#include "ir/kernel/rows.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum { TILE = 8 };

typedef struct depthwise_recipe {
    view in, out;
    window2d window;
    int64_t bias;
    epilogue ep;
} depthwise_recipe;

static kinst *bias_vector(kb *b, const depthwise_recipe *r, const row_spot *s, int u) {
    if (!r->bias) return kb_const(b, kb_vector(b), 0);
    kinst *at = kb_addi(b, kb_muli(b, s->group, BLOCK), u * b->lanes);
    return kb_load(b, kb_vector(b), kb_param(b, LAYER_BIAS), at);
}

/* `pixels` results from column x on, for vector u of the block. */
static void emit_tile(kb *b, const depthwise_recipe *r, const row_spot *s, kinst *taps[2], kinst *x,
                      int64_t pixels, int u) {
    const window2d *w = &r->window;
    kinst *zero = kb_int(b, 0), *columns = kb_int(b, w->kernel[1]);
    kinst *c = kb_reg(b, "c", kb_vector(b), (int)pixels, 1);
    kinst *first = bias_vector(b, r, s, u);
    for (int64_t p = 0; p < pixels; p++) kb_set(b, c, kb_int(b, p), zero, first);
    kinst *ky = kb_for(b, "ky", taps[0], taps[1], 1, KLOOP_SERIAL);
    kinst *row =
        kb_add(b, kb_addi(b, kb_muli(b, s->row, w->stride[0]), -w->top), kb_muli(b, ky, w->dilation[0]));
    kinst *in = kb_add(b, row_start(b, &r->in, s, row), kb_muli(b, x, w->stride[1] * BLOCK));
    in = kb_offset(b, kb_param(b, LAYER_IN), kb_addi(b, in, u * b->lanes - w->left * BLOCK));
    kinst *filter = kb_add(b, kb_muli(b, s->group, w->kernel[0] * w->kernel[1]), kb_mul(b, ky, columns));
    filter = kb_offset(b, kb_param(b, LAYER_WEIGHTS), kb_addi(b, kb_muli(b, filter, BLOCK), u * b->lanes));
    kinst *kx = kb_for(b, "kx", zero, columns, 1, w->kernel[1] <= 7 ? KLOOP_UNROLL : KLOOP_SERIAL);
    kinst *weight = kb_load(b, kb_vector(b), filter, kb_muli(b, kx, BLOCK));
    kinst *p = kb_for(b, "p", zero, kb_int(b, pixels), 1, KLOOP_UNROLL);
    kinst *at = kb_add(b, kb_muli(b, kx, w->dilation[1] * BLOCK), kb_muli(b, p, w->stride[1] * BLOCK));
    kb_set(b, c, p, zero, kb_fma(b, kb_load(b, kb_vector(b), in, at), weight, kb_get(b, c, p, zero)));
    for (int loops = 0; loops < 3; loops++) kb_end(b);
    kinst *out = kb_addi(b, row_start(b, &r->out, s, s->row), u * b->lanes);
    for (int64_t k = 0; k < pixels; k++) {
        kinst *column = kb_addi(b, x, k);
        kinst *y = row_epilogue(b, &r->ep, &r->out, s, layer_operands(r->bias), column, u,
                                kb_get(b, c, kb_int(b, k), zero));
        kinst *ptr = kb_param(b, layer_out(r->bias, &r->ep));
        kb_store(b, ptr, kb_add(b, out, kb_muli(b, column, BLOCK)), y);
    }
}

static void emit_columns(kb *b, const depthwise_recipe *r, const row_spot *s, kinst *taps[2], int64_t from,
                         int64_t to, int64_t pixels) {
    if (from == to) return;
    kinst *x = kb_for(b, "x", kb_int(b, from), kb_int(b, to), pixels, KLOOP_SERIAL);
    for (int u = 0; u < row_vectors(b, &r->out); u++) emit_tile(b, r, s, taps, x, pixels, u);
    kb_end(b);
}

static void build_depthwise(kb *b, const void *recipe) {
    const depthwise_recipe *r = recipe;
    row_spot s = row_spot_of(b, &r->out);
    kinst *taps[2];
    clip_taps(b, &r->window, 0, r->in.height, s.row, &taps[0], &taps[1]);
    tiling t = tile_row(r->out.width, TILE);
    emit_columns(b, r, &s, taps, 0, t.first * t.size, t.size);
    emit_columns(b, r, &s, taps, t.first * t.size, r->out.width, t.size - 1);
    kinst *out = kb_param(b, layer_out(r->bias, &r->ep));
    zero_halo(b, &r->out, out, row_start(b, &r->out, &s, s.row));
}

static void lower_depthwise(lower *l, const node *n) {
    const conv_attrs *a = n->attrs;
    depthwise_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.out = lower_view(l, n->out[0]);
    r.window.top = a->pad[0];
    r.window.left = a->pad[1];
    for (int k = 0; k < 2; k++) {
        r.window.kernel[k] = n->in[1]->shape.dim[2 + k];
        r.window.stride[k] = a->stride[k];
        r.window.dilation[k] = a->dilation[k];
    }
    r.bias = n->own_inputs > 2;
    r.ep = epilogue_of(l, n);
    layer_args args = layer_args_of(l, n);
    char name[64];
    snprintf(name, sizeof name, "depthwise%d_%dx%d", (int)r.window.kernel[0], (int)r.out.channels,
             (int)r.out.height);
    kcount runs = row_count(&r.out, true);
    double work = (double)node_work(n) / (double)runs.mul;
    layer_call(l, n, name, build_depthwise, &r, sizeof r, &args, runs, work);
}

static bool depthwise_legal(const node *n) {
    const conv_attrs *a = n->attrs;
    const shape *w = &n->in[1]->shape;
    return w->dim[1] == 1 && a->groups == w->dim[0] && a->groups > 1;
}

static double depthwise_cost(const node *n, int64_t batch) {
    (void)batch;
    return (double)node_work(n) / 4; /* against the core, which would multiply mostly zeros */
}

static void depthwise_layouts(const node *n, layout *in, layout *out) {
    conv_halo(n, &in[0]);
    in[0].kind = LAYOUT_BLOCKED16;
    for (int k = 1; k < n->own_inputs; k++) in[k] = (layout){.kind = LAYOUT_LANES16};
    *out = (layout){.kind = LAYOUT_BLOCKED16};
    epilogue_layouts(n, out, in);
}

const candidate depthwise_candidate = {.name = "depthwise",
                                       .families = FAMILY_CPU,
                                       .legal = depthwise_legal,
                                       .cost = depthwise_cost,
                                       .layouts = depthwise_layouts,
                                       .lower = lower_depthwise,
                                       .epilogue = epilogue_accepts,
                                       .in_place = true};
