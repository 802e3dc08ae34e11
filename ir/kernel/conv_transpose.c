/* Transposed convolution. One kernel index is a row of one output channel, gathered in scratch by phase: the
 * columns x ≡ p (mod stride) of a row are dense there, so that every tap adds a dense run of an input row
 * times one weight, by vectors. At the end the phases are woven together. */
#include "ir/kernel/conv_transpose.h"
#include "ir/kernel/epilogue.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

typedef struct transpose_recipe {
    view in, out;
    int64_t kernel[2], stride[2], dilation[2], top, left, groups;
    int64_t bias;
    int64_t phase_room; /* elements of scratch a phase */
} transpose_recipe;

/* Columns of the result in phase p. */
static int64_t phase_width(const transpose_recipe *r, int64_t p) {
    return p < r->out.width ? ceil_div(r->out.width - p, r->stride[1]) : 0;
}

/* scratch[at + x] += w · in[x] for x in [from, to), by vectors. */
static void add_run(kb *b, kinst *scratch, kinst *at, kinst *in, kinst *w, int64_t from, int64_t to) {
    int64_t whole = from + (to - from) / b->lanes * b->lanes;
    kinst *wide = kb_splat(b, w, b->lanes);
    ktype t = kb_vector(b);
    if (from >= to) return;
    if (whole > from) {
        kinst *x = kb_for(b, "x", kb_int(b, from), kb_int(b, whole), b->lanes, KLOOP_SERIAL);
        kinst *where = kb_add(b, at, x);
        kb_store(b, scratch, where, kb_fma(b, kb_load(b, t, in, x), wide, kb_load(b, t, scratch, where)));
        kb_end(b);
    }
    if (whole == to) return;
    kinst *x = kb_int(b, whole), *where = kb_add(b, at, x), *count = kb_int(b, to - whole);
    kinst *sum = kb_fma(b, kb_load_part(b, t, in, x, count), wide, kb_load_part(b, t, scratch, where, count));
    kb_store_part(b, scratch, where, sum, count);
}

/* All taps of one row of the filter over one row of the input. */
static void add_row(kb *b, const transpose_recipe *r, kinst *scratch, kinst *in, kinst *weights) {
    for (int64_t kx = 0; kx < r->kernel[1]; kx++) {
        int64_t s = r->stride[1], move = kx * r->dilation[1] - r->left;
        int64_t phase = ((move % s) + s) % s, shift = (move - phase) / s; /* result column / s = x + shift */
        int64_t from = shift < 0 ? -shift : 0, to = phase_width(r, phase) - shift;
        if (to > r->in.width) to = r->in.width;
        kinst *w = kb_load(b, kb_real(b), weights, kb_int(b, kx));
        add_run(b, scratch, kb_int(b, phase * r->phase_room + shift), in, w, from, to);
    }
}

static void weave(kb *b, const transpose_recipe *r, kinst *scratch, kinst *out, kinst *row) {
    for (int64_t p = 0; p < r->stride[1] && p < r->out.width; p++) {
        kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, phase_width(r, p)), 1, KLOOP_SERIAL);
        kinst *v = kb_load(b, kb_real(b), scratch, kb_addi(b, x, p * r->phase_room));
        kb_store(b, out, kb_add(b, row, kb_addi(b, kb_muli(b, x, r->stride[1]), p)), v);
        kb_end(b);
    }
    for (int64_t x = -r->out.left; x < r->out.width + r->out.right; x++)
        if (x < 0 || x >= r->out.width) kb_store(b, out, kb_addi(b, row, x), kb_const(b, kb_real(b), 0));
}

static void build_transpose(kb *b, const void *recipe) {
    const transpose_recipe *r = recipe;
    int64_t per_group = r->out.channels / r->groups, inputs = r->in.channels / r->groups;
    kinst *i = kb_param(b, 0), *zero = kb_int(b, 0);
    kinst *y = kb_modi(b, i, r->out.height),
          *channel = kb_modi(b, kb_divi(b, i, r->out.height), r->out.channels);
    kinst *sample = kb_divi(b, i, r->out.height * r->out.channels);
    kinst *out = kb_param(b, layer_operands(r->bias)), *scratch = kb_param(b, layer_operands(r->bias) + 1);
    kinst *start =
        r->bias ? kb_load(b, kb_real(b), kb_param(b, LAYER_BIAS), channel) : kb_const(b, kb_real(b), 0);
    kinst *x = kb_for(b, "x", zero, kb_int(b, r->stride[1] * r->phase_room), 1, KLOOP_SERIAL);
    kb_store(b, scratch, x, start);
    kb_end(b);
    kinst *ky = kb_for(b, "ky", zero, kb_int(b, r->kernel[0]), 1, KLOOP_SERIAL);
    kinst *above = kb_sub(b, kb_addi(b, y, r->top), kb_muli(b, ky, r->dilation[0]));
    kb_if(b, kb_arith(b, S_GE, above, zero, NULL));
    kb_if(b, kb_arith(b, S_EQ, kb_modi(b, above, r->stride[0]), zero, NULL));
    kinst *in_row = kb_divi(b, above, r->stride[0]);
    kb_if(b, kb_arith(b, S_LT, in_row, kb_int(b, r->in.height), NULL));
    kinst *first = kb_muli(b, kb_divi(b, channel, per_group), inputs);
    kinst *c = kb_for(b, "c", zero, kb_int(b, inputs), 1, KLOOP_SERIAL);
    kinst *from = kb_add(b, first, c);
    kinst *at = kb_add(b, kb_muli(b, sample, r->in.batch), kb_muli(b, from, r->in.channel));
    at = kb_addi(b, kb_add(b, at, kb_muli(b, in_row, r->in.row)), r->in.start);
    kinst *w = kb_add(b, kb_muli(b, from, per_group), kb_modi(b, channel, per_group));
    w = kb_muli(b, kb_add(b, kb_muli(b, w, r->kernel[0]), ky), r->kernel[1]);
    add_row(b, r, scratch, kb_offset(b, kb_param(b, LAYER_IN), at),
            kb_offset(b, kb_param(b, LAYER_WEIGHTS), w));
    for (int k = 0; k < 5; k++) kb_end(b);
    kinst *row = kb_add(b, kb_muli(b, sample, r->out.batch), kb_muli(b, channel, r->out.channel));
    weave(b, r, scratch, out, kb_addi(b, kb_add(b, row, kb_muli(b, y, r->out.row)), r->out.start));
}

static transpose_recipe recipe_of(const lower *l, const node *n) {
    const conv_transpose_attrs *a = n->attrs;
    transpose_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.out = lower_view(l, n->out[0]);
    for (int k = 0; k < 2; k++) {
        r.kernel[k] = n->in[1]->shape.dim[2 + k];
        r.stride[k] = a->stride[k];
        r.dilation[k] = a->dilation[k];
    }
    r.top = a->pad[0];
    r.left = a->pad[1];
    r.groups = a->groups;
    r.bias = n->inputs > 2;
    r.phase_room = ceil_div(r.out.width, r.stride[1]);
    return r;
}

static void lower_transpose(lower *l, const node *n) {
    transpose_recipe r = recipe_of(l, n);
    kbase real = l->program->real;
    layer_args args = layer_args_of(l, n);
    call_arg scratch = lower_scratch(l, r.stride[1] * r.phase_room * kbase_bytes(real));
    layer_args_add(&args, "scratch", k_out(real), scratch);
    char name[64];
    snprintf(name, sizeof name, "conv_transpose%d_%dx%d", (int)r.kernel[0], (int)r.out.channels,
             (int)r.out.height);
    kcount runs = {r.out.channels * r.out.height, 1};
    double work = (double)node_work(n) / (double)runs.mul;
    layer_call(l, n, name, build_transpose, &r, sizeof r, &args, runs, work);
}

/* By vectors along rows alone, which are woven together at the end. */
static double phases_cost(const node *n, int64_t batch) {
    (void)batch;
    return 10 * (double)node_work(n);
}

static const candidate phases = {
    .name = "phases", .families = FAMILY_CPU, .cost = phases_cost, .lower = lower_transpose};
const candidate *const conv_transpose2d_candidates[] = {&transpose_core_candidate, &phases, NULL};
