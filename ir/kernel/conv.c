/* Direct convolution on the matrix core: blocks of 16 channels in and out, or a planar image in (the stem).
 * One kernel index is a row of the result (or a run of pixels where rows need not be told apart) for two blocks of
 * outputs; on small images with many inputs all rows of two blocks, a chunk of the inputs at a time. */
#include "ir/kernel/conv.h"
#include "ir/kernel/conv_emit.h"
#include "ir/kernel/winograd.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum {
    SMALL = 14 /* pixels: a register tile */,
    RUN = 112 /* pixels: eight of the largest tile */,
    SHORT = 18 /* pixels: runs are not cut further */,
    EVEN = 8 /* kernel indices that threads share evenly, whatever their number */,
    FIRST_CACHE = 40 << 10 /* bytes of weights that stay in a first-level cache */,
    CACHED = 1 << 20 /* bytes that stay in a second-level cache beside others */
};

/* 1×1 without halo: the image is one long row, cut into runs. */
static bool can_flatten(const conv_recipe *r) {
    if (r->kernel[0] * r->kernel[1] != 1 || r->stride[0] * r->stride[1] != 1 || r->top || r->left)
        return false;
    if (r->in.height != r->out.height || r->in.width != r->out.width) return false;
    if (r->in.left + r->in.right + r->out.left + r->out.right) return false;
    for (int k = 0; k < r->ep.operands; k++)
        if (r->ep.operand[k].view.left + r->ep.operand[k].view.right) return false;
    return true;
}

/* Rows, or runs of nearly one length. */
static void set_rows(conv_recipe *r) {
    r->runs = r->out.height;
    r->width = r->out.width;
    r->run = 0;
    if (!can_flatten(r)) return;
    r->width = r->out.height * r->out.width;
    r->runs = ceil_div(r->width, RUN);
    bool uneven = r->runs * conv_units_of(r) % 2 || r->runs * conv_units_of(r) < EVEN;
    if (uneven && r->width / (r->runs + 1) >= SHORT) r->runs++;
    r->run = ceil_div(r->width, r->runs);
    r->runs = ceil_div(r->width, r->run);
}

/* Small images with many inputs: a row alone would fetch all weights of its unit from the second-level cache for a
 * few pixels. */
static void set_chunk(conv_recipe *r, int64_t bytes) {
    int64_t unit = conv_unit_of(r), pixels = conv_flat(r) ? r->width : r->runs * r->width,
            weights = unit * r->kernel[0] * conv_tap_row(r) * bytes;
    bool small = r->width <= SMALL || (conv_flat(r) && pixels <= 4 * SMALL);
    if (!r->in.blocked || r->groups > 1 || !small || pixels <= SMALL || weights <= 2 * FIRST_CACHE) return;
    int64_t most = FIRST_CACHE * r->blocks_read / weights;
    for (int64_t c = most > 0 ? most : 1; c > 0 && !r->chunk; c--)
        if (r->blocks_read % c == 0 && 2 * c <= r->blocks_read) r->chunk = c;
}

/* What reading this often from so much memory takes, by the cache that holds it. */
static double reading(int64_t bytes, double times) {
    return (double)bytes * times * (bytes <= CACHED ? 1 : 4);
}

/* Either all units take a row in turn, and weights are read again for every row; or all rows take a unit's weights
 * in turn, and inputs are read again for every unit. */
static void set_order(conv_recipe *r, int64_t bytes, int64_t max_batch) {
    int64_t units = conv_units_of(r), weights = conv_out_blocks(r) * r->kernel[0] * conv_tap_row(r) * bytes;
    int64_t inputs = ceil_div(r->inputs, BLOCK) * BLOCK * r->in.height * r->in.width * bytes;
    bool by_row = reading(weights, (double)r->runs) <= reading(inputs, (double)units);
    if (by_row && !r->chunk) return;
    r->samples = CACHED / inputs;
    if (r->samples < 1) r->samples = 1;
    r->samples = ceil_div(max_batch, ceil_div(max_batch, r->samples)); /* groups of nearly one size */
    r->parts = (units % 2 || units < EVEN) && r->runs > 1 ? 2 : 1;
}

static conv_recipe recipe_of(lower *l, const node *n) {
    const conv_attrs *a = n->attrs;
    const shape *w = &n->in[1]->shape;
    conv_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.out = lower_view(l, n->out[0]);
    for (int k = 0; k < 2; k++) {
        r.kernel[k] = w->dim[2 + k];
        r.stride[k] = a->stride[k];
        r.dilation[k] = a->dilation[k];
    }
    r.top = a->pad[0];
    r.left = a->pad[1];
    r.inputs = r.in.channels;
    r.outputs = r.out.channels;
    r.groups = a->groups;
    r.blocks_read = r.in.blocked ? weights16_blocks(w, (int)a->groups) : r.inputs;
    r.bias = n->own_inputs > 2;
    r.ep = epilogue_of(l, n);
    set_rows(&r);
    set_chunk(&r, kbase_bytes(l->program->real));
    set_order(&r, kbase_bytes(l->program->real), l->program->max_batch);
    return r;
}

static void lower_conv(lower *l, const node *n) {
    conv_recipe r = recipe_of(l, n);
    layer_args args = layer_args_of(l, n);
    char name[64];
    snprintf(name, sizeof name, "conv%d_%dx%d", (int)r.kernel[0], (int)r.outputs, (int)r.out.height);
    kcount runs = {conv_units_of(&r) * (r.samples ? r.parts : r.runs), r.samples ? r.samples : 1};
    if (r.chunk) {
        int64_t row = conv_flat(&r) ? r.run : r.width;
        int64_t sums = r.samples * conv_unit_of(&r) * r.runs * row * BLOCK;
        call_arg scratch = lower_scratch(l, sums * kbase_bytes(l->program->real));
        layer_args_add(&args, "scratch", k_out(l->program->real), scratch);
    }
    double work = (double)node_work(n) * (double)runs.per / (double)runs.mul;
    layer_call(l, n, name, conv_build, &r, sizeof r, &args, runs, work);
}

void conv_halo(const node *n, layout *in) {
    const conv_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape, *w = &n->in[1]->shape, *y = &n->out[0]->shape;
    int64_t last = (y->dim[3] - 1) * a->stride[1] - a->pad[1] + (w->dim[3] - 1) * a->dilation[1];
    *in = (layout){.left = (int)a->pad[1], .right = last >= x->dim[3] ? (int)(last - x->dim[3] + 1) : 0};
}

static void conv_layouts(const node *n, layout *in, layout *out) {
    const conv_attrs *a = n->attrs;
    /* A planar input of few channels is read as it is: a block of 16 would be mostly zeros. */
    bool stem = a->groups == 1 && n->in[0]->shape.dim[1] < 8 && n->in[0]->layout.kind == LAYOUT_PLANAR;
    conv_halo(n, &in[0]);
    in[0].kind = stem ? LAYOUT_PLANAR : LAYOUT_BLOCKED16;
    in[1] = (layout){.kind = stem ? LAYOUT_WEIGHTS1 : LAYOUT_WEIGHTS16, .groups = stem ? 0 : (int)a->groups};
    if (n->own_inputs > 2) in[2] = (layout){.kind = LAYOUT_LANES16};
    *out = (layout){.kind = LAYOUT_BLOCKED16};
    epilogue_layouts(n, out, in);
}

/* The share of the taps' rows that fall on the image: the others are skipped. */
static double rows_on_image(const node *n) {
    const conv_attrs *a = n->attrs;
    int64_t taps = n->in[1]->shape.dim[2], rows = n->out[0]->shape.dim[2], height = n->in[0]->shape.dim[2],
            on = 0;
    for (int64_t k = 0; k < taps; k++) {
        int64_t shift = a->pad[0] - k * a->dilation[0]; /* row y of the result reads row y·stride − shift */
        int64_t first = shift > 0 ? ceil_div(shift, a->stride[0]) : 0;
        int64_t end = height + shift > 0 ? ceil_div(height + shift, a->stride[0]) : 0;
        if (end > rows) end = rows;
        if (end > first) on += end - first;
    }
    return (double)on / (double)(rows * taps);
}

static double direct_cost(const node *n, int64_t batch) {
    (void)batch; /* rows of one sample reuse weights, those of the next read them again */
    return (double)node_work(n) * rows_on_image(n) + WEIGHT_COST * (double)shape_count(&n->in[1]->shape);
}

static const candidate direct = {.name = "direct",
                                 .cost = direct_cost,
                                 .families = FAMILY_CPU,
                                 .layouts = conv_layouts,
                                 .lower = lower_conv,
                                 .epilogue = epilogue_accepts,
                                 .in_place = true};

const candidate *const conv2d_candidates[] = {&depthwise_candidate, &direct, &winograd4_candidate,
                                              &winograd2_candidate, NULL};
