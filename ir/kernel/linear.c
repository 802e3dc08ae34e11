/* y = x·Wᵀ + b over the last axis: rows of x are the pixels of the matrix core, weights packed in blocks of
 * 16 outputs. One kernel index is a group of blocks, and a part of the rows where groups alone are too few to
 * share among threads: then weights are read once a part. */
#include "ir/kernel/core.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum { FEW_GROUPS = 8 };

typedef struct linear_recipe {
    int64_t features, outputs;
    int64_t rows;               /* of one sample */
    int64_t per_sample;         /* 1: kernel indices tell samples apart; 0: rows of all samples are one run */
    int64_t x_batch, out_batch; /* elements from a sample to the next */
    int64_t x_row, out_row;     /* … from a row to the next */
    int64_t operand_row[MAX_OPERANDS], operand_batch[MAX_OPERANDS];
    int64_t group;  /* blocks of one kernel index */
    int64_t part;   /* rows of one kernel index; 0: all of them */
    int64_t single; /* 1: at most one row in all */
    int64_t bias;
    epilogue ep;
} linear_recipe;

static int64_t blocks_of(const linear_recipe *r) {
    return ceil_div(r->outputs, BLOCK);
}

static core_shape shape_of_core(const linear_recipe *r, int64_t pixels, int64_t blocks, bool last) {
    core_shape c;
    memset(&c, 0, sizeof c);
    c.pixels = pixels;
    c.blocks = blocks;
    c.a_pixel = pixels > 1 ? r->x_row : 0;
    c.a_step = 1;
    c.out_pixel = pixels > 1 ? r->out_row : 0;
    c.bias = r->bias;
    c.tail = last && r->outputs % BLOCK ? TAIL_PART : TAIL_NONE;
    c.e = r->ep.e;
    c.operands = r->ep.operands;
    for (int k = 0; k < c.operands; k++) {
        c.operand_kind[k] = r->ep.operand[k].kind;
        if (c.operand_kind[k] == OPERAND_FULL && pixels > 1) c.operand_pixel[k] = r->operand_row[k];
    }
    return c;
}

static void emit_tile(kb *b, const linear_recipe *r, kinst *sample, kinst *row, int64_t pixels, kinst *block,
                      int64_t blocks, bool last) {
    core_shape tile = shape_of_core(r, pixels, blocks, last);
    kinst *one = kb_int(b, 1), *zero = kb_int(b, 0);
    kinst *x = kb_add(b, kb_muli(b, sample, r->x_batch), kb_muli(b, row, r->x_row));
    kinst *out = kb_add(b, kb_muli(b, sample, r->out_batch), kb_muli(b, row, r->out_row));
    kinst *channel = kb_muli(b, block, BLOCK);
    int64_t run = r->features * BLOCK;
    core_call c = {.a = kb_offset(b, kb_param(b, LAYER_IN), x),
                   .count = {one, one, one},
                   .stride = {zero, zero, zero},
                   .inner = kb_int(b, r->features),
                   .b = kb_offset(b, kb_param(b, LAYER_WEIGHTS), kb_muli(b, block, run)),
                   .b_block = kb_int(b, run),
                   .b_run = kb_int(b, run),
                   .out_block = kb_int(b, BLOCK),
                   .valid = kb_sub(b, kb_int(b, r->outputs), channel)};
    if (r->bias) c.bias = kb_offset(b, kb_param(b, LAYER_BIAS), channel);
    for (int k = 0; k < tile.operands; k++) {
        kinst *at = tile.operand_kind[k] == OPERAND_SCALAR ? zero : channel;
        if (tile.operand_kind[k] == OPERAND_FULL) {
            at = kb_add(b, at, kb_muli(b, sample, r->operand_batch[k]));
            at = kb_add(b, at, kb_muli(b, row, r->operand_row[k]));
        }
        c.operand[k] = kb_offset(b, kb_param(b, layer_operands(r->bias) + k), at);
        c.operand_block[k] = kb_int(b, BLOCK);
    }
    kinst *ptr = kb_param(b, layer_out(r->bias, &r->ep));
    c.out = kb_offset(b, ptr, kb_add(b, out, channel));
    core_emit(b, &tile, &c);
}

/* The widest tile of `blocks` blocks that the registers hold, in rows. */
static int64_t tile_rows(const kb *b, int64_t blocks) {
    int64_t room = b->target->pixels * b->target->blocks;
    if (b->lanes == BLOCK) room -= blocks; /* weights that one load brings for all rows */
    int64_t rows = room / blocks;
    return rows > 14 ? 14 : rows > 1 ? rows : 1;
}

/* All rows of [from, to) for `blocks` blocks from `block` on: full tiles, then ever smaller ones. Which tile a row
 * falls in changes nothing: every output is summed in the same order. */
static void emit_rows(kb *b, const linear_recipe *r, kinst *sample, kinst *from, kinst *to, kinst *block,
                      int64_t blocks, bool last) {
    int64_t tile = r->single ? 1 : tile_rows(b, blocks);
    while (tile) {
        kinst *full = kb_muli(b, kb_divi(b, kb_sub(b, to, from), tile), tile);
        kinst *end = tile > 1 ? kb_add(b, from, full) : to;
        kinst *row = kb_for(b, "row", from, end, tile, KLOOP_SERIAL);
        emit_tile(b, r, sample, row, tile, block, blocks, last);
        kb_end(b);
        from = end;
        tile = tile > 4 ? 4 : tile / 2;
    }
}

/* A group of `blocks` blocks in the target's tiles; `last` says that the final block is the last of all. */
static void emit_group(kb *b, const linear_recipe *r, kinst *sample, kinst *from, kinst *to, kinst *block,
                       int64_t blocks, bool last) {
    int64_t wide = b->target->blocks > 1 ? 4 : b->lanes == BLOCK ? 1 : 2;
    if (r->single && b->target->blocks > 1) wide = 8;
    for (int64_t first = 0; first < blocks;) {
        bool tail = last && r->outputs % BLOCK && first + wide >= blocks;
        int64_t count = blocks - first < wide ? blocks - first : wide;
        emit_rows(b, r, sample, from, to, kb_addi(b, block, first), count, tail);
        first += count;
    }
}

static void build_linear(kb *b, const void *recipe) {
    const linear_recipe *r = recipe;
    int64_t groups = ceil_div(blocks_of(r), r->group), rest = blocks_of(r) - (groups - 1) * r->group;
    kinst *i = kb_param(b, 0), *n = kb_param(b, 1), *zero = kb_int(b, 0);
    kinst *g = kb_modi(b, i, groups), *outer = kb_divi(b, i, groups);
    kinst *sample = r->per_sample ? outer : zero, *from = zero;
    kinst *to = r->per_sample ? kb_int(b, r->rows) : kb_muli(b, n, r->rows);
    if (r->part) {
        from = kb_muli(b, outer, r->part);
        to = kb_min(b, kb_addi(b, from, r->part), to);
    }
    if (r->single) to = kb_int(b, 1);
    kinst *block = kb_muli(b, g, r->group);
    bool differs = rest != r->group || r->outputs % BLOCK;
    if (groups > 1 && differs) {
        kb_if(b, kb_arith(b, S_LT, g, kb_int(b, groups - 1), NULL));
        emit_group(b, r, sample, from, to, block, r->group, false);
        kb_else(b);
    }
    emit_group(b, r, sample, from, to, block, groups > 1 && !differs ? r->group : rest, true);
    if (groups > 1 && differs) kb_end(b);
}

static linear_recipe recipe_of(lower *l, const node *n) {
    const shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    linear_recipe r;
    memset(&r, 0, sizeof r);
    bool batched = shape_batched(x);
    r.features = w->dim[1];
    r.outputs = w->dim[0];
    r.rows = shape_count(x) / r.features;
    r.x_row = r.features;
    r.out_row = r.outputs;
    r.x_batch = l->places[n->in[0]->id].batch_stride;
    r.out_batch = l->places[n->out[0]->id].batch_stride;
    r.bias = n->own_inputs > 2;
    r.ep = epilogue_of(l, n);
    bool together = batched && r.x_batch == r.rows * r.x_row && r.out_batch == r.rows * r.out_row;
    for (int k = 0; k < r.ep.operands; k++) {
        r.operand_row[k] = r.outputs;
        r.operand_batch[k] = l->places[n->in[n->own_inputs + k]->id].batch_stride;
        if (r.ep.operand[k].kind == OPERAND_FULL && r.operand_batch[k] != r.rows * r.outputs)
            together = false;
    }
    r.per_sample = batched && !together;
    if (r.per_sample && r.rows == 1) { /* a row a sample, wherever samples lie: still one run of rows */
        r.per_sample = 0;
        r.x_row = r.x_batch;
        r.out_row = r.out_batch;
        for (int k = 0; k < r.ep.operands; k++) r.operand_row[k] = r.operand_batch[k];
    }
    return r;
}

/* How the work is cut: returns the count of kernel indices. Of many rows every index takes some, and up to four
 * blocks, so that what is loaded serves many products. */
static kcount split_work(linear_recipe *r, bool batched, int64_t max_batch) {
    enum { WIDE = 4, FEW_ROWS = 8 };
    int64_t blocks = blocks_of(r), rows = r->rows * (batched ? max_batch : 1);
    r->single = rows == 1;
    r->group = r->single ? 8 : WIDE;
    if ((r->single || rows < FEW_ROWS) && blocks < r->group * FEW_GROUPS)
        r->group = ceil_div(blocks, FEW_GROUPS);
    int64_t groups = ceil_div(blocks, r->group);
    r->group = ceil_div(blocks, groups);
    if (!batched) return (kcount){groups, 0};
    if (r->per_sample) return (kcount){groups, 1};
    if (groups >= FEW_GROUPS || r->single) return (kcount){groups, 0};
    int64_t part = ceil_div(rows, ceil_div(FEW_GROUPS, groups));
    int64_t samples = ceil_div(part < FEW_ROWS ? FEW_ROWS : part, r->rows);
    r->part = samples * r->rows;
    return (kcount){groups, samples};
}

static void lower_linear(lower *l, const node *n) {
    linear_recipe r = recipe_of(l, n);
    layer_args args = layer_args_of(l, n);
    bool batched = shape_batched(&n->in[0]->shape);
    kcount runs = split_work(&r, batched, l->program->max_batch);
    char name[64];
    snprintf(name, sizeof name, "linear_%dx%d", (int)r.outputs, (int)r.features);
    double work =
        (double)(r.rows * r.features * r.outputs) * (double)(runs.per ? runs.per : 1) / (double)runs.mul;
    layer_call(l, n, name, build_linear, &r, sizeof r, &args, runs, work);
}

static void linear_layouts(const node *n, layout *in, layout *out) {
    in[0] = (layout){.kind = LAYOUT_PLANAR};
    in[1] = (layout){.kind = LAYOUT_WEIGHTS1};
    if (n->own_inputs > 2) in[2] = (layout){.kind = LAYOUT_LANES16};
    *out = (layout){.kind = LAYOUT_PLANAR};
    epilogue_layouts(n, out, in);
}

/* Rank 4 results may carry a halo that rows of the core cannot. */
static bool accepts(const node *n, const value *v) {
    return n->out[0]->shape.rank <= 3 && epilogue_accepts(n, v);
}

static const candidate packed = {.name = "packed",
                                 .families = FAMILY_CPU,
                                 .layouts = linear_layouts,
                                 .lower = lower_linear,
                                 .epilogue = accepts,
                                 .strict = true,
                                 .in_place = true};
const candidate *const linear_candidates[] = {&packed, NULL};
