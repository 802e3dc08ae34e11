/* Direct convolution's kernel: for every tile of pixels and blocks of outputs a call of the matrix core. Rows of taps
 * that fall on padding are skipped; columns read the zero halo that the input carries. */
#include "ir/kernel/conv_emit.h"
#include "ir/kernel/core.h"
#include "ir/kernel/halo.h"

#include <string.h>

enum { UNIT = 2 /* blocks of outputs of one kernel index */, UNROLLED = 11 /* taps of a row of a stem */ };

int64_t conv_out_blocks(const conv_recipe *r) {
    return ceil_div(r->outputs, BLOCK);
}

int64_t conv_unit_of(const conv_recipe *r) {
    bool together = r->groups == 1 || r->outputs / r->groups % (UNIT * BLOCK) == 0;
    return conv_out_blocks(r) > 1 && together ? UNIT : 1;
}

int64_t conv_tap_row(const conv_recipe *r) {
    return r->blocks_read * r->kernel[1] * (r->in.blocked ? BLOCK * BLOCK : BLOCK);
}

bool conv_flat(const conv_recipe *r) {
    return r->run > 0;
}

/* The position of one kernel index and what was worked out for it. */
typedef struct spot {
    kinst *sample, *unit, *row;
    kinst *taps;  /* rows of taps that fall on the image */
    kinst *a, *b; /* pointers: input under the first tap of the first pixel, weights */
    kinst *out;   /* element of the first pixel in the result */
    kinst *turn;  /* which of the rows that use these weights one after the other; NULL: one does */
    const struct chunk *chunk; /* NULL: all blocks of inputs at once */
} spot;

/* A part of the inputs' blocks: which, whether the sums begin and end with it, and of which sample of the index. */
typedef struct chunk {
    kinst *first;
    bool begins, ends;
    kinst *sample;
} chunk;

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

static spot spot_at(kb *b, const conv_recipe *r, kinst *sample, kinst *unit, kinst *row) {
    spot s = {.sample = sample, .unit = unit, .row = row};
    kinst *in = kb_muli(b, s.sample, r->in.batch), *out = kb_muli(b, s.sample, r->out.batch);
    kinst *first_tap = kb_int(b, 0);
    if (conv_flat(r)) {
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
    kinst *block = kb_muli(b, s.unit, conv_unit_of(r));
    if (r->in.blocked) in = kb_add(b, in, kb_muli(b, first_block(b, r, block), r->in.channel));
    s.a = kb_offset(b, kb_param(b, LAYER_IN), in);
    kinst *w =
        kb_add(b, kb_muli(b, block, r->kernel[0] * conv_tap_row(r)), kb_muli(b, first_tap, conv_tap_row(r)));
    s.b = kb_offset(b, kb_param(b, LAYER_WEIGHTS), w);
    s.out = kb_add(b, out, kb_muli(b, block, r->out.channel));
    return s;
}

int64_t conv_units_of(const conv_recipe *r) {
    return ceil_div(conv_out_blocks(r), conv_unit_of(r));
}

int64_t conv_part(const conv_recipe *r) {
    return ceil_div(r->runs, r->parts);
}

/* Consecutive indices share a row's inputs. */
static spot find_spot(kb *b, const conv_recipe *r) {
    kinst *i = kb_param(b, 0), *at = kb_divi(b, i, conv_units_of(r));
    return spot_at(b, r, kb_divi(b, i, conv_units_of(r) * r->runs), kb_modi(b, i, conv_units_of(r)),
                   kb_modi(b, at, r->runs));
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
    at = kb_add(b, at, kb_addi(b, kb_muli(b, s->row, conv_flat(r) ? r->run * v->pixel : v->row), v->start));
    return kb_offset(b, ptr, kb_add(b, at, kb_muli(b, x, v->pixel)));
}

/* Narrows a call of the core to one chunk of the inputs; sums rest in scratch, [sample][block][row][pixel][16]. */
static void sum_chunk(kb *b, const conv_recipe *r, const spot *s, int64_t first, kinst *x, core_shape *tile,
                      core_call *c) {
    int64_t row = conv_flat(r) ? r->run : r->width, apart = r->runs * row * BLOCK;
    kinst *rest = kb_add(b, kb_muli(b, s->row, row * BLOCK), kb_muli(b, x, BLOCK));
    rest = kb_add(b, rest, kb_muli(b, s->chunk->sample, conv_unit_of(r) * apart));
    rest = kb_offset(b, kb_param(b, layer_out(r->bias, &r->ep) + 1), kb_addi(b, rest, first * apart));
    c->a = kb_offset(b, c->a, kb_muli(b, s->chunk->first, r->in.channel));
    c->b = kb_offset(b, c->b, kb_muli(b, s->chunk->first, r->kernel[1] * BLOCK * BLOCK));
    c->count[1] = kb_int(b, r->chunk);
    c->b_tap = kb_int(b, conv_tap_row(r));
    c->partial = rest;
    c->partial_block = kb_int(b, apart);
    tile->part = 1;
    tile->resume = !s->chunk->begins;
    if (tile->resume) tile->bias = 0;
    if (s->chunk->ends) return;
    tile->out_pixel = BLOCK;
    tile->e = NULL;
    tile->operands = tile->tail = 0;
    memset(tile->operand_kind, 0, sizeof tile->operand_kind);
    memset(tile->operand_pixel, 0, sizeof tile->operand_pixel);
    c->out = rest;
    c->out_block = c->partial_block;
}

/* While all rows use these weights in turn, the next ones come: another chunk's, or another unit's. */
static void fetch_next(kb *b, const conv_recipe *r, const spot *s, kinst *x, core_shape *tile, core_call *c) {
    int64_t row = conv_flat(r) ? r->run : r->width, tiles = ceil_div(row, b->target->pixels);
    int64_t part = r->chunk * r->kernel[1] * BLOCK * BLOCK,
            unit = conv_unit_of(r) * r->kernel[0] * conv_tap_row(r);
    int64_t apart = !s->chunk ? unit : s->chunk->ends ? unit - conv_tap_row(r) + part : part;
    if (!r->in.blocked) return;
    kinst *turn = kb_add(b, kb_muli(b, s->turn, tiles), kb_divi(b, x, ceil_div(row, tiles)));
    core_fetch(b, tile, c, apart, conv_part(r) * tiles, turn);
}

/* One call of the core: `pixels` from pixel x on, blocks from `first` of the unit on. */
static void emit_tile(kb *b, const conv_recipe *r, const spot *s, int64_t first, int64_t blocks, kinst *x,
                      int64_t pixels) {
    core_shape tile = shape_of_core(r, pixels, blocks);
    bool blocked = r->in.blocked;
    int64_t block_weights = r->kernel[0] * conv_tap_row(r);
    int64_t inner = blocked ? (r->blocks_read == 1 && r->groups == 1 ? r->inputs : BLOCK) : r->kernel[1];
    kinst *block = kb_addi(b, kb_muli(b, s->unit, conv_unit_of(r)), first);
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
    if (s->turn) fetch_next(b, r, s, x, &tile, &c);
    if (s->chunk) sum_chunk(b, r, s, first, x, &tile, &c);
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
    bool done = !s->chunk || s->chunk->ends;
    for (int64_t k = 0; k < blocks && !conv_flat(r) && done; k++)
        zero_halo(b, &r->out, out, kb_addi(b, s->out, k * r->out.channel));
}

static void emit_unit(kb *b, const conv_recipe *r, const spot *s, int64_t width) {
    int64_t unit = conv_unit_of(r), last = conv_out_blocks(r) % unit;
    if (!last) {
        emit_blocks(b, r, s, unit, width);
        return;
    }
    kb_if(b, kb_arith(b, S_EQ, s->unit, kb_int(b, conv_out_blocks(r) / unit), NULL));
    emit_blocks(b, r, s, last, width);
    if (conv_out_blocks(r) > unit) {
        kb_else(b);
        emit_blocks(b, r, s, unit, width);
    }
    kb_end(b);
}

/* One row, or run, of which the last may be shorter. */
static void emit_row(kb *b, const conv_recipe *r, const spot *s) {
    int64_t last = conv_flat(r) ? r->width - (r->runs - 1) * r->run : r->width;
    if (!conv_flat(r) || last == r->run || r->runs == 1) {
        emit_unit(b, r, s, last);
        return;
    }
    kb_if(b, kb_arith(b, S_EQ, s->row, kb_int(b, r->runs - 1), NULL));
    emit_unit(b, r, s, last);
    kb_else(b);
    emit_unit(b, r, s, r->run);
    kb_end(b);
}

/* Kernel index i takes a part of the rows of a unit, in some samples. */
static void emit_rows(kb *b, const conv_recipe *r, chunk *c) {
    kinst *i = kb_param(b, 0), *group = kb_divi(b, i, conv_units_of(r) * r->parts);
    kinst *unit = kb_modi(b, kb_divi(b, i, r->parts), conv_units_of(r)), *part = kb_modi(b, i, r->parts);
    kinst *sample = group, *zero = kb_int(b, 0), *from = kb_muli(b, part, conv_part(r));
    kinst *to = kb_min(b, kb_addi(b, from, conv_part(r)), kb_int(b, r->runs));
    if (r->samples > 1) {
        kinst *first = kb_muli(b, group, r->samples), *rest = kb_sub(b, kb_param(b, 1), first);
        kinst *s = kb_for(b, "s", zero, kb_min(b, rest, kb_int(b, r->samples)), 1, KLOOP_SERIAL);
        sample = kb_add(b, first, s);
        if (c) c->sample = s;
    } else if (c) {
        c->sample = zero;
    }
    kinst *row = kb_for(b, "row", from, to, 1, KLOOP_SERIAL);
    spot s = spot_at(b, r, sample, unit, row);
    s.chunk = c;
    s.turn = kb_sub(b, row, from);
    emit_row(b, r, &s);
    kb_end(b);
    if (r->samples > 1) kb_end(b);
}

/* A chunk of the inputs for all rows before the next: its weights stay in the first-level cache meanwhile. */
static void emit_chunks(kb *b, const conv_recipe *r) {
    kinst *last = kb_int(b, r->blocks_read - r->chunk);
    emit_rows(b, r, &(chunk){kb_int(b, 0), true, false, NULL});
    kinst *first = kb_for(b, "chunk", kb_int(b, r->chunk), last, r->chunk, KLOOP_SERIAL);
    emit_rows(b, r, &(chunk){first, false, false, NULL});
    kb_end(b);
    emit_rows(b, r, &(chunk){last, false, true, NULL});
}

void conv_build(kb *b, const void *recipe) {
    const conv_recipe *r = recipe;
    if (r->chunk) {
        emit_chunks(b, r);
    } else if (r->samples) {
        emit_rows(b, r, NULL);
    } else {
        spot s = find_spot(b, r);
        emit_row(b, r, &s);
    }
}
