/* Transposed convolution on the matrix core: results whose row and column leave one pair of remainders modulo the
 * stride are a dense convolution with every stride-th tap, and so is each such phase a call of the core. A kernel index
 * is one row of the result for two blocks of outputs, of several samples where rows are short. */
#include "ir/kernel/conv.h"
#include "ir/kernel/conv_transpose.h"
#include "ir/kernel/core.h"
#include "ir/kernel/halo.h"
#include "ir/ops/attrs.h"

#include <stdio.h>
#include <string.h>

enum {
    UNIT = 2 /* blocks of outputs of one kernel index */,
    PIXELS = 14 /* that a tile should have: rows of several samples make up for short ones */,
    MOST_SAMPLES = 4,
    MOST_TAPS = 64,
    CACHED_WEIGHTS = 1 << 20 /* bytes that stay in a second-level cache beside the data */
};

typedef struct phase_recipe {
    view in, out;
    int64_t kernel[2], stride, top, left;
    int64_t inputs, outputs; /* blocks of 16 */
    int64_t inner;           /* steps of the innermost reduction */
    int64_t unit;
    int64_t samples;     /* of one kernel index */
    int64_t units_outer; /* 1: consecutive indices share a unit's weights; 0: a row's inputs */
    int64_t bias;
    epilogue ep;
} phase_recipe;

/* Taps, of `size`, that leave the remainder q. */
static int64_t taps_of(int64_t size, int64_t stride, int64_t q) {
    return (size - q + stride - 1) / stride;
}
/* … that leave a smaller one. */
static int64_t taps_before(int64_t size, int64_t stride, int64_t q) {
    int64_t rest = size % stride;
    return size / stride * q + (q < rest ? q : rest);
}

/* Columns of the result in one phase: the first, how many, and what the first reads with its first tap. */
typedef struct phase {
    int64_t remainder, first, count, from, taps;
} phase;

static phase phase_of(int64_t stride, int64_t size, int64_t left, int64_t width, int64_t q) {
    phase p = {.remainder = q, .taps = taps_of(size, stride, q)};
    p.first = ((q - left) % stride + stride) % stride;
    p.count = p.first < width ? ceil_div(width - p.first, stride) : 0;
    p.from = (p.first + left) / stride;
    return p;
}

static int64_t block_weights(const phase_recipe *r) {
    return r->kernel[0] * r->kernel[1] * r->inputs * BLOCK * BLOCK;
}

/* ---- the kernel ---- */

/* The position of one kernel index. */
typedef struct spot {
    kinst *sample, *unit, *row;
    kinst *taps;       /* rows of taps that fall on the image */
    kinst *in_row;     /* what the first of them reads */
    kinst *rows_taps;  /* all rows of taps of this row's phase */
    kinst *rows_below; /* rows of taps of smaller remainders */
    kinst *first_tap;
} spot;

static void place_row(kb *b, const phase_recipe *r, spot *s) {
    int64_t st = r->stride;
    kinst *at = kb_addi(b, s->row, r->top), *q = kb_modi(b, at, st), *t = kb_divi(b, at, st),
          *zero = kb_int(b, 0);
    s->rows_taps = kb_divi(b, kb_sub(b, kb_int(b, r->kernel[0] + st - 1), q), st);
    s->rows_below = kb_add(b, kb_muli(b, q, r->kernel[0] / st), kb_min(b, q, kb_int(b, r->kernel[0] % st)));
    s->first_tap = kb_max(b, zero, kb_addi(b, t, 1 - r->in.height));
    kinst *end = kb_min(b, s->rows_taps, kb_addi(b, t, 1));
    s->taps = kb_max(b, zero, kb_sub(b, end, s->first_tap));
    s->in_row = kb_sub(b, t, s->first_tap);
}

static spot find_spot(kb *b, const phase_recipe *r) {
    int64_t units = ceil_div(r->outputs, r->unit), rows = r->out.height;
    kinst *i = kb_param(b, 0), *group;
    spot s;
    if (r->units_outer) {
        kinst *groups = kb_divi(b, kb_addi(b, kb_param(b, 1), r->samples - 1), r->samples);
        kinst *rest = kb_divi(b, i, rows);
        s.row = kb_modi(b, i, rows);
        group = kb_arith(b, S_MOD, rest, groups, NULL);
        s.unit = kb_arith(b, S_DIV, rest, groups, NULL);
    } else {
        s.unit = kb_modi(b, i, units);
        s.row = kb_modi(b, kb_divi(b, i, units), rows);
        group = kb_divi(b, i, units * rows);
    }
    s.sample = kb_muli(b, group, r->samples);
    place_row(b, r, &s);
    return s;
}

static core_shape shape_of_core(const phase_recipe *r, int64_t pixels, int64_t blocks, int64_t run) {
    core_shape c;
    memset(&c, 0, sizeof c);
    c.pixels = pixels;
    c.blocks = blocks;
    c.a_pixel = BLOCK;
    c.a_step = 1;
    c.run = run;
    c.out_runs = run > 0;
    c.out_pixel = r->stride * BLOCK;
    c.bias = r->bias;
    c.tail = r->ep.mask && r->out.channels % BLOCK ? TAIL_MASK : TAIL_NONE;
    c.e = r->ep.e;
    c.operands = r->ep.operands;
    for (int k = 0; k < c.operands; k++) {
        c.operand_kind[k] = r->ep.operand[k].kind;
        if (c.operand_kind[k] == OPERAND_FULL) c.operand_pixel[k] = r->stride * r->ep.operand[k].view.pixel;
    }
    return c;
}

/* Element of v at this sample, block and row, and column `first` + x·stride. */
static kinst *element(kb *b, const phase_recipe *r, const view *v, const spot *s, kinst *sample, kinst *block,
                      int64_t first, kinst *x) {
    kinst *at = kb_add(b, kb_muli(b, sample, v->batch), kb_muli(b, block, v->channel));
    at = kb_add(b, at, kb_addi(b, kb_muli(b, s->row, v->row), v->start + first * v->pixel));
    return kb_add(b, at, kb_muli(b, x, r->stride * v->pixel));
}

static void set_operands(kb *b, const phase_recipe *r, const spot *s, const phase *p, kinst *sample,
                         kinst *block, kinst *x, core_call *c) {
    for (int k = 0; k < r->ep.operands; k++) {
        const operand *o = &r->ep.operand[k];
        kinst *at = kb_int(b, 0);
        if (o->kind == OPERAND_CHANNEL) at = kb_muli(b, block, BLOCK);
        if (o->kind == OPERAND_FULL) at = element(b, r, &o->view, s, sample, block, p->first, x);
        c->operand[k] = kb_offset(b, kb_param(b, layer_operands(r->bias) + k), at);
        c->operand_block[k] = kb_int(b, o->view.channel);
        c->operand_run[k] = kb_int(b, o->view.batch);
    }
}

/* `pixels` of phase p from its x-th on (of `pixels / run` samples, where run), for `blocks` blocks from `block` on. */
static void emit_tile(kb *b, const phase_recipe *r, const spot *s, const phase *p, kinst *sample,
                      kinst *block, int64_t blocks, kinst *x, int64_t pixels, int64_t run) {
    core_shape tile = shape_of_core(r, pixels, blocks, run);
    kinst *in = kb_add(b, kb_muli(b, sample, r->in.batch), kb_muli(b, s->in_row, r->in.row));
    in = kb_add(b, in, kb_addi(b, kb_muli(b, x, BLOCK), r->in.start + p->from * BLOCK));
    int64_t row_of_taps = r->inputs * p->taps * BLOCK * BLOCK;
    kinst *w = kb_muli(b, s->rows_below, r->kernel[1]);
    w = kb_add(b, w, kb_muli(b, s->rows_taps, taps_before(r->kernel[1], r->stride, p->remainder)));
    w = kb_add(b, kb_muli(b, w, r->inputs * BLOCK * BLOCK), kb_muli(b, s->first_tap, row_of_taps));
    w = kb_add(b, w, kb_muli(b, block, block_weights(r)));
    core_call c = {.a = kb_offset(b, kb_param(b, LAYER_IN), in),
                   .count = {s->taps, kb_int(b, r->inputs), kb_int(b, p->taps)},
                   .stride = {kb_int(b, -r->in.row), kb_int(b, r->in.channel), kb_int(b, -BLOCK)},
                   .a_run = kb_int(b, r->in.batch),
                   .out_run = kb_int(b, r->out.batch),
                   .inner = kb_int(b, r->inner),
                   .b = kb_offset(b, kb_param(b, LAYER_WEIGHTS), w),
                   .b_block = kb_int(b, block_weights(r)),
                   .b_run = kb_int(b, BLOCK * BLOCK),
                   .out_block = kb_int(b, r->out.channel),
                   .valid = kb_sub(b, kb_int(b, r->out.channels), kb_muli(b, block, BLOCK))};
    if (r->bias) c.bias = kb_offset(b, kb_param(b, LAYER_BIAS), kb_muli(b, block, BLOCK));
    set_operands(b, r, s, p, sample, block, x, &c);
    c.out = kb_offset(b, kb_param(b, layer_out(r->bias, &r->ep)),
                      element(b, r, &r->out, s, sample, block, p->first, x));
    core_emit(b, &tile, &c);
}

/* One sample's row of phase p. */
static void emit_row(kb *b, const phase_recipe *r, const spot *s, const phase *p, kinst *sample, kinst *block,
                     int64_t blocks) {
    tiling t = tile_row(p->count, b->target->pixels);
    int64_t whole = t.first * t.size;
    if (t.first) {
        kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, whole), t.size, KLOOP_SERIAL);
        emit_tile(b, r, s, p, sample, block, blocks, x, t.size, 0);
        kb_end(b);
    }
    if (t.rest) {
        kinst *x = kb_for(b, "x", kb_int(b, whole), kb_int(b, p->count), t.size - 1, KLOOP_SERIAL);
        emit_tile(b, r, s, p, sample, block, blocks, x, t.size - 1, 0);
        kb_end(b);
    }
}

/* All phases of a row for `blocks` blocks of the unit; of all the index's samples at once where the tile holds them. */
static void emit_phases(kb *b, const phase_recipe *r, const spot *s, kinst *sample, bool together,
                        int64_t blocks) {
    int64_t wide = blocks < b->target->blocks ? blocks : b->target->blocks;
    for (int64_t first = 0; first < blocks; first += wide) {
        kinst *block = kb_addi(b, kb_muli(b, s->unit, r->unit), first);
        for (int64_t q = 0; q < r->stride; q++) {
            phase p = phase_of(r->stride, r->kernel[1], r->left, r->out.width, q);
            if (!p.count) continue;
            if (together)
                emit_tile(b, r, s, &p, sample, block, wide, kb_int(b, 0), p.count * r->samples, p.count);
            else
                emit_row(b, r, s, &p, sample, block, wide);
        }
    }
}

static void clear_halos(kb *b, const phase_recipe *r, const spot *s, kinst *sample, int64_t blocks) {
    for (int64_t k = 0; k < blocks; k++) {
        kinst *block = kb_addi(b, kb_muli(b, s->unit, r->unit), k);
        zero_halo(b, &r->out, kb_param(b, layer_out(r->bias, &r->ep)),
                  element(b, r, &r->out, s, sample, block, 0, kb_int(b, 0)));
    }
}

static void emit_unit(kb *b, const phase_recipe *r, const spot *s, int64_t blocks) {
    kinst *end = kb_min(b, kb_addi(b, s->sample, r->samples), kb_param(b, 1));
    bool together = r->samples > 1 && ceil_div(r->out.width, r->stride) * r->samples <= b->target->pixels;
    if (together) {
        kb_if(b, kb_arith(b, S_EQ, kb_sub(b, end, s->sample), kb_int(b, r->samples), NULL));
        emit_phases(b, r, s, s->sample, true, blocks);
        kb_else(b);
    }
    kinst *sample = kb_for(b, "s", s->sample, end, 1, KLOOP_SERIAL);
    emit_phases(b, r, s, sample, false, blocks);
    kb_end(b);
    if (together) kb_end(b);
    if (r->out.left + r->out.right == 0) return;
    sample = kb_for(b, "s", s->sample, end, 1, KLOOP_SERIAL);
    clear_halos(b, r, s, sample, blocks);
    kb_end(b);
}

static void build_phases(kb *b, const void *recipe) {
    const phase_recipe *r = recipe;
    spot s = find_spot(b, r);
    int64_t last = r->outputs % r->unit;
    if (last) {
        kb_if(b, kb_arith(b, S_EQ, s.unit, kb_int(b, r->outputs / r->unit), NULL));
        emit_unit(b, r, &s, last);
        kb_else(b);
    }
    emit_unit(b, r, &s, r->unit);
    if (last) kb_end(b);
}

static phase_recipe recipe_of(lower *l, const node *n) {
    const conv_transpose_attrs *a = n->attrs;
    phase_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.out = lower_view(l, n->out[0]);
    r.kernel[0] = n->in[1]->shape.dim[2];
    r.kernel[1] = n->in[1]->shape.dim[3];
    r.stride = a->stride[0];
    r.top = a->pad[0];
    r.left = a->pad[1];
    r.inputs = ceil_div(r.in.channels, BLOCK);
    r.outputs = ceil_div(r.out.channels, BLOCK);
    r.inner = r.inputs == 1 ? r.in.channels : BLOCK;
    r.unit = r.outputs > 1 ? UNIT : 1;
    r.samples = PIXELS / ceil_div(r.out.width, r.stride);
    if (r.samples > MOST_SAMPLES) r.samples = MOST_SAMPLES;
    if (r.samples > l->program->max_batch) r.samples = l->program->max_batch;
    if (r.samples < 1) r.samples = 1;
    r.units_outer = r.outputs * block_weights(&r) * kbase_bytes(l->program->real) > CACHED_WEIGHTS;
    r.bias = n->own_inputs > 2;
    r.ep = epilogue_of(l, n);
    return r;
}

static void lower_phases(lower *l, const node *n) {
    phase_recipe r = recipe_of(l, n);
    layer_args args = layer_args_of(l, n);
    char name[64];
    snprintf(name, sizeof name, "conv_transpose%d_%dx%d", (int)r.kernel[0], (int)r.out.channels,
             (int)r.out.height);
    kcount runs = {ceil_div(r.outputs, r.unit) * r.out.height, r.samples};
    double work = (double)node_work(n) * (double)r.samples / (double)runs.mul;
    layer_call(l, n, name, build_phases, &r, sizeof r, &args, runs, work);
}

/* ---- packing ---- */

typedef struct pack_recipe {
    int64_t inputs, outputs, kernel[2], stride; /* channels */
} pack_recipe;

/* One block of outputs for one of inputs: 16 inputs' runs of [16 outputs][taps] spread over the taps' places. */
static void build_pack(kb *b, const void *recipe) {
    const pack_recipe *r = recipe;
    int64_t blocks = ceil_div(r->inputs, BLOCK), taps = r->kernel[0] * r->kernel[1], s = r->stride;
    kinst *i = kb_param(b, 0), *zero = kb_int(b, 0), *in = kb_modi(b, i, blocks),
          *out = kb_divi(b, i, blocks);
    kinst *row = kb_for(b, "row", zero, kb_int(b, BLOCK), 1, KLOOP_SERIAL);
    kinst *input = kb_add(b, kb_muli(b, in, BLOCK), row), *first = kb_muli(b, out, BLOCK);
    kinst *to = kb_add(b, kb_muli(b, out, blocks * taps * BLOCK * BLOCK), kb_muli(b, row, BLOCK));
    kinst *lane = kb_for(b, "lane", zero, kb_int(b, BLOCK), 1, KLOOP_SERIAL),
          *output = kb_add(b, first, lane);
    kinst *safe_in = kb_min(b, input, kb_int(b, r->inputs - 1)),
          *safe_out = kb_min(b, output, kb_int(b, r->outputs - 1));
    kinst *from = kb_muli(b, kb_add(b, kb_muli(b, safe_in, r->outputs), safe_out), taps),
          *none = kb_const(b, kb_real(b), 0);
    for (int64_t tap = 0; tap < taps; tap++) {
        int64_t y = tap / r->kernel[1], x = tap % r->kernel[1];
        int64_t rows = taps_of(r->kernel[0], s, y % s), columns = taps_of(r->kernel[1], s, x % s);
        int64_t at =
            taps_before(r->kernel[0], s, y % s) * r->kernel[1] + rows * taps_before(r->kernel[1], s, x % s);
        at = (at + y / s * columns) * blocks +
             x / s; /* of blocks of 16×16, in front of this block of inputs */
        kinst *v = kb_load(b, kb_real(b), kb_param(b, 2), kb_addi(b, from, tap));
        if (r->inputs % BLOCK) v = kb_select(b, kb_arith(b, S_EQ, input, safe_in, NULL), v, none);
        if (r->outputs % BLOCK) v = kb_select(b, kb_arith(b, S_EQ, output, safe_out, NULL), v, none);
        kinst *beside = kb_addi(b, kb_muli(b, in, columns * BLOCK * BLOCK), at * BLOCK * BLOCK);
        kb_store(b, kb_param(b, 3), kb_add(b, kb_add(b, to, lane), beside), v);
    }
    kb_end(b);
    kb_end(b);
}

void phases_pack(lower *l, const node *n) {
    const shape *w = &n->in[0]->shape;
    pack_recipe r = {w->dim[0], w->dim[1], {w->dim[2], w->dim[3]}, n->out[0]->layout.groups};
    kparam params[] = {{"w", k_ptr(l->program->real)}, {"out", k_out(l->program->real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0])};
    kcount runs = {ceil_div(r.inputs, BLOCK) * ceil_div(r.outputs, BLOCK), 0};
    const char *name = arena_printf(l->arena, "phases_pack_%dx%d", (int)r.outputs, (int)r.inputs);
    double work = (double)(r.kernel[0] * r.kernel[1] * BLOCK * BLOCK);
    lower_call(l, lower_kernel(l, name, build_pack, &r, sizeof r, params, 2, runs, work), args, 2, n);
}

/* ---- the candidate ---- */

static bool phases_legal(const node *n) {
    const conv_transpose_attrs *a = n->attrs;
    const shape *w = &n->in[1]->shape;
    return a->groups == 1 && a->dilation[0] * a->dilation[1] == 1 && a->stride[0] == a->stride[1] &&
           a->stride[0] <= BLOCK && w->dim[2] * w->dim[3] <= MOST_TAPS;
}

/* What all phases read left and right of the image. */
static void phases_layouts(const node *n, layout *in, layout *out) {
    const conv_transpose_attrs *a = n->attrs;
    int64_t left = 0, right = 0, width = n->in[0]->shape.dim[3];
    for (int64_t q = 0; q < a->stride[1]; q++) {
        phase p = phase_of(a->stride[1], n->in[1]->shape.dim[3], a->pad[1], n->out[0]->shape.dim[3], q);
        if (!p.count || !p.taps) continue;
        if (p.taps - 1 - p.from > left) left = p.taps - 1 - p.from;
        if (p.from + p.count - width > right) right = p.from + p.count - width;
    }
    in[0] = (layout){.kind = LAYOUT_BLOCKED16, .left = (int)left, .right = (int)right};
    in[1] = (layout){.kind = LAYOUT_PHASES16, .groups = (int)a->stride[0]};
    if (n->own_inputs > 2) in[2] = (layout){.kind = LAYOUT_LANES16};
    *out = (layout){.kind = LAYOUT_BLOCKED16};
    epilogue_layouts(n, out, in);
}

/* Against the loop by rows, which wastes no lanes where channels are few. */
static double phases_cost(const node *n, int64_t batch) {
    const shape *x = &n->in[0]->shape, *y = &n->out[0]->shape, *w = &n->in[1]->shape;
    (void)batch;
    double taps = (double)(w->dim[2] * w->dim[3]), outputs = (double)round_up(y->dim[1], BLOCK);
    return (double)(x->dim[1] * x->dim[2] * x->dim[3]) * taps * outputs +
           WEIGHT_COST * taps * outputs * (double)x->dim[1];
}

const candidate transpose_core_candidate = {.name = "core",
                                            .families = FAMILY_CPU,
                                            .legal = phases_legal,
                                            .cost = phases_cost,
                                            .layouts = phases_layouts,
                                            .lower = lower_phases,
                                            .epilogue = epilogue_accepts,
                                            .in_place = true};
