/* Direct convolution on the matrix core: blocks of 16 channels in and out, or a planar image in (the stem).
 * One kernel index is a row of the result (or a run of pixels where rows need not be told apart) for two
 * blocks of outputs. Rows of taps that fall on padding are skipped; columns read the zero halo that the input
 * carries. */
#include "ir/kernel/conv.h"
#include "ir/kernel/core.h"
#include "ir/kernel/halo.h"
#include "ir/kernel/winograd.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum {
    UNIT = 2 /* blocks of outputs of one kernel index */,
    UNROLLED = 11 /* taps of a row of a stem */,
    RUN = 84 /* pixels: a multiple of every tile */,
    CACHED_WEIGHTS = 1 << 20 /* bytes that stay in a second-level cache beside the data */
};

typedef struct conv_recipe {
    view in, out;
    int64_t kernel[2], stride[2], dilation[2], top, left;
    int64_t inputs, outputs, groups; /* channels */
    int64_t blocks_read;             /* blocks of inputs that a block of outputs reads (planar: channels) */
    int64_t runs, run, width;        /* rows of the result and their length; or runs of a flat image */
    int64_t units_inner;             /* 1: consecutive indices share a row's inputs; 0: a unit's weights */
    int64_t bias;
    epilogue ep;
} conv_recipe;

static int64_t out_blocks(const conv_recipe *r) {
    return ceil_div(r->outputs, BLOCK);
}

/* Blocks of one kernel index: two share their inputs unless groups fall in between. */
static int64_t unit_of(const conv_recipe *r) {
    return out_blocks(r) > 1 && (r->groups == 1 || r->outputs / r->groups % (UNIT * BLOCK) == 0) ? UNIT : 1;
}

/* Elements of the packed weights of one block of outputs and one row of taps. */
static int64_t tap_row(const conv_recipe *r) {
    return r->blocks_read * r->kernel[1] * (r->in.blocked ? BLOCK * BLOCK : BLOCK);
}

static bool flat(const conv_recipe *r) {
    return r->run > 0;
}

/* The position of one kernel index and what was worked out for it. */
typedef struct spot {
    kinst *sample, *unit, *row;
    kinst *taps;  /* rows of taps that fall on the image */
    kinst *a, *b; /* pointers: input under the first tap of the first pixel, weights */
    kinst *out;   /* element of the first pixel in the result */
} spot;

/* First input block of an output block (groups): ⌊o·16 / (O/g)⌋ · (I/g) / 16, kept inside. */
static kinst *first_block(kb *b, const conv_recipe *r, kinst *block) {
    if (r->groups == 1) return kb_int(b, 0);
    kinst *group = kb_divi(b, kb_muli(b, block, BLOCK), r->outputs / r->groups);
    kinst *first = kb_divi(b, kb_muli(b, group, r->inputs / r->groups), BLOCK);
    return kb_min(b, first, kb_int(b, ceil_div(r->inputs, BLOCK) - r->blocks_read));
}

static void place_rows(kb *b, const conv_recipe *r, spot *s, kinst **first_tap, kinst **in_row) {
    int64_t down = r->stride[0], dilation = r->dilation[0], taps = r->kernel[0];
    kinst *y = kb_muli(b, s->row, down), *zero = kb_int(b, 0);
    *first_tap = zero;
    if (r->top > 0) {
        kinst *above = kb_max(b, kb_sub(b, kb_int(b, r->top + dilation - 1), y), zero);
        *first_tap = kb_min(b, kb_divi(b, above, dilation), kb_int(b, taps));
    }
    kinst *end = kb_int(b, taps);
    if ((r->runs - 1) * down - r->top + (taps - 1) * dilation >= r->in.height) {
        kinst *below = kb_max(b, kb_sub(b, kb_int(b, r->in.height + r->top + dilation - 1), y), zero);
        end = kb_min(b, end, kb_divi(b, below, dilation));
    }
    s->taps = kb_max(b, kb_sub(b, end, *first_tap), zero);
    *in_row = kb_add(b, kb_addi(b, y, -r->top), kb_muli(b, *first_tap, dilation));
}

static spot find_spot(kb *b, const conv_recipe *r) {
    int64_t units = ceil_div(out_blocks(r), unit_of(r));
    kinst *i = kb_param(b, 0);
    spot s = {.sample = kb_divi(b, i, units * r->runs)};
    s.unit = kb_modi(b, r->units_inner ? i : kb_divi(b, i, r->runs), units);
    s.row = kb_modi(b, r->units_inner ? kb_divi(b, i, units) : i, r->runs);
    kinst *in = kb_muli(b, s.sample, r->in.batch), *out = kb_muli(b, s.sample, r->out.batch);
    kinst *first_tap = kb_int(b, 0);
    if (flat(r)) {
        s.taps = kb_int(b, 1);
        in = kb_add(b, in, kb_muli(b, s.row, r->run * r->in.pixel));
        out = kb_add(b, out, kb_muli(b, s.row, r->run * r->out.pixel));
    } else {
        kinst *in_row;
        place_rows(b, r, &s, &first_tap, &in_row);
        in = kb_add(b, in, kb_muli(b, in_row, r->in.row));
        in = kb_addi(b, in, r->in.start - r->left * r->in.pixel);
        out = kb_add(b, out, kb_addi(b, kb_muli(b, s.row, r->out.row), r->out.start));
    }
    kinst *block = kb_muli(b, s.unit, unit_of(r));
    if (r->in.blocked) in = kb_add(b, in, kb_muli(b, first_block(b, r, block), r->in.channel));
    s.a = kb_offset(b, kb_param(b, LAYER_IN), in);
    kinst *w = kb_add(b, kb_muli(b, block, r->kernel[0] * tap_row(r)), kb_muli(b, first_tap, tap_row(r)));
    s.b = kb_offset(b, kb_param(b, LAYER_WEIGHTS), w);
    s.out = kb_add(b, out, kb_muli(b, block, r->out.channel));
    return s;
}

static core_shape shape_of_core(const conv_recipe *r, int64_t pixels, int64_t blocks) {
    core_shape c;
    memset(&c, 0, sizeof c);
    c.pixels = pixels;
    c.blocks = blocks;
    c.a_pixel = r->stride[1] * r->in.pixel;
    c.a_step = r->in.blocked ? 1 : r->dilation[1];
    /* A stem's runs are too short for a loop: its exits would be mispredicted. */
    c.steps = !r->in.blocked && r->kernel[1] <= UNROLLED ? r->kernel[1] : 0;
    c.out_pixel = r->out.pixel;
    c.bias = r->bias;
    c.tail = r->ep.mask && r->outputs % BLOCK ? TAIL_MASK : TAIL_NONE;
    c.e = r->ep.e;
    c.operands = r->ep.operands;
    for (int k = 0; k < c.operands; k++) {
        c.operand_kind[k] = r->ep.operand[k].kind;
        if (c.operand_kind[k] == OPERAND_FULL) c.operand_pixel[k] = r->ep.operand[k].view.pixel;
    }
    return c;
}

/* Pointer of operand k for the tile that begins at pixel x of block `block` of the unit. */
static kinst *operand_at(kb *b, const conv_recipe *r, const spot *s, int k, kinst *block, kinst *x) {
    kinst *ptr = kb_param(b, layer_operands(r->bias) + k);
    const view *v = &r->ep.operand[k].view;
    if (r->ep.operand[k].kind == OPERAND_SCALAR) return ptr;
    if (r->ep.operand[k].kind == OPERAND_CHANNEL) return kb_offset(b, ptr, kb_muli(b, block, BLOCK));
    kinst *at = kb_add(b, kb_muli(b, s->sample, v->batch), kb_muli(b, block, v->channel));
    at = kb_add(b, at, kb_addi(b, kb_muli(b, s->row, flat(r) ? r->run * v->pixel : v->row), v->start));
    return kb_offset(b, ptr, kb_add(b, at, kb_muli(b, x, v->pixel)));
}

/* One call of the core: `pixels` from pixel x on, blocks from `first` of the unit on. */
static void emit_tile(kb *b, const conv_recipe *r, const spot *s, int64_t first, int64_t blocks, kinst *x,
                      int64_t pixels) {
    core_shape tile = shape_of_core(r, pixels, blocks);
    bool blocked = r->in.blocked;
    int64_t block_weights = r->kernel[0] * tap_row(r);
    int64_t inner = blocked ? (r->blocks_read == 1 && r->groups == 1 ? r->inputs : BLOCK) : r->kernel[1];
    kinst *block = kb_addi(b, kb_muli(b, s->unit, unit_of(r)), first);
    core_call c = {.a = kb_offset(b, s->a, kb_muli(b, x, tile.a_pixel)),
                   .count = {s->taps, kb_int(b, r->blocks_read), kb_int(b, blocked ? r->kernel[1] : 1)},
                   .stride = {kb_int(b, r->dilation[0] * r->in.row), kb_int(b, r->in.channel),
                              kb_int(b, blocked ? r->dilation[1] * r->in.pixel : 0)},
                   .inner = kb_int(b, inner),
                   .b = kb_offset(b, s->b, kb_int(b, first * block_weights)),
                   .b_block = kb_int(b, block_weights),
                   .b_run = kb_int(b, blocked ? BLOCK * BLOCK : r->kernel[1] * BLOCK),
                   .out_block = kb_int(b, r->out.channel)};
    if (r->bias) c.bias = kb_offset(b, kb_param(b, LAYER_BIAS), kb_muli(b, block, BLOCK));
    for (int k = 0; k < tile.operands; k++) {
        c.operand[k] = operand_at(b, r, s, k, block, x);
        c.operand_block[k] = kb_int(b, r->ep.operand[k].view.channel);
    }
    kinst *out = kb_addi(b, kb_add(b, s->out, kb_muli(b, x, r->out.pixel)), first * r->out.channel);
    c.out = kb_offset(b, kb_param(b, layer_out(r->bias, &r->ep)), out);
    c.valid = kb_sub(b, kb_int(b, r->outputs), kb_muli(b, block, BLOCK));
    core_emit(b, &tile, &c);
}

static void emit_tiles(kb *b, const conv_recipe *r, const spot *s, int64_t first, int64_t blocks,
                       int64_t width) {
    tiling t = tile_row(width, b->target->pixels);
    if (t.first) {
        kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, t.first * t.size), t.size, KLOOP_SERIAL);
        emit_tile(b, r, s, first, blocks, x, t.size);
        kb_end(b);
    }
    if (t.rest) {
        kinst *x = kb_for(b, "x", kb_int(b, t.first * t.size), kb_int(b, width), t.size - 1, KLOOP_SERIAL);
        emit_tile(b, r, s, first, blocks, x, t.size - 1);
        kb_end(b);
    }
}

/* All blocks of a unit that has `blocks` of them, in the target's register tiles. */
static void emit_blocks(kb *b, const conv_recipe *r, const spot *s, int64_t blocks, int64_t width) {
    int64_t tile = blocks < b->target->blocks ? blocks : b->target->blocks;
    for (int64_t first = 0; first < blocks; first += tile) emit_tiles(b, r, s, first, tile, width);
    kinst *out = kb_param(b, layer_out(r->bias, &r->ep));
    for (int64_t k = 0; k < blocks && !flat(r); k++)
        zero_halo(b, &r->out, out, kb_addi(b, s->out, k * r->out.channel));
}

static void emit_unit(kb *b, const conv_recipe *r, const spot *s, int64_t width) {
    int64_t unit = unit_of(r), last = out_blocks(r) % unit;
    if (!last) {
        emit_blocks(b, r, s, unit, width);
        return;
    }
    kb_if(b, kb_arith(b, S_EQ, s->unit, kb_int(b, out_blocks(r) / unit), NULL));
    emit_blocks(b, r, s, last, width);
    if (out_blocks(r) > unit) {
        kb_else(b);
        emit_blocks(b, r, s, unit, width);
    }
    kb_end(b);
}

static void build_conv(kb *b, const void *recipe) {
    const conv_recipe *r = recipe;
    spot s = find_spot(b, r);
    int64_t last = flat(r) ? r->width - (r->runs - 1) * r->run : r->width;
    if (!flat(r) || last == r->run || r->runs == 1) {
        emit_unit(b, r, &s, last);
        return;
    }
    kb_if(b, kb_arith(b, S_EQ, s.row, kb_int(b, r->runs - 1), NULL));
    emit_unit(b, r, &s, last);
    kb_else(b);
    emit_unit(b, r, &s, r->run);
    kb_end(b);
}

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

static void set_rows(conv_recipe *r) {
    r->runs = r->out.height;
    r->width = r->out.width;
    r->run = 0;
    if (!can_flatten(r)) return;
    r->width = r->out.height * r->out.width;
    r->run = r->width <= RUN + RUN / 2 ? r->width : RUN;
    r->runs = ceil_div(r->width, r->run);
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
    r.units_inner = out_blocks(&r) * r.kernel[0] * tap_row(&r) * 4 <= CACHED_WEIGHTS;
    return r;
}

static void lower_conv(lower *l, const node *n) {
    conv_recipe r = recipe_of(l, n);
    layer_args args = layer_args_of(l, n);
    char name[64];
    snprintf(name, sizeof name, "conv%d_%dx%d", (int)r.kernel[0], (int)r.outputs, (int)r.out.height);
    kcount runs = {ceil_div(out_blocks(&r), unit_of(&r)) * r.runs, 1};
    double work = (double)node_work(n) / (double)runs.mul;
    layer_call(l, n, name, build_conv, &r, sizeof r, &args, runs, work);
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

static double direct_cost(const node *n, int64_t batch) {
    (void)batch; /* rows of one sample reuse weights, those of the next read them again */
    return (double)node_work(n) + WEIGHT_COST * (double)shape_count(&n->in[1]->shape);
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
