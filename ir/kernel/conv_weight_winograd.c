/* The gradient of a 3×3 convolution's weight by Winograd's filtering, F(3×3, 4×4) or F(3×3, 2×2): the gradient of the
 * result is cut into tiles, which are the taps that go over a tile of the input two rows and columns larger. Transformed,
 * a tile of 4×4 adds 36 products to each weight instead of 144, one of 2×2 16 instead of 36; what comes of all tiles is
 * transformed back once. A kernel index takes some blocks of outputs and of inputs for one of a fixed number of parts of
 * the batch, some tiles at a time: transforms them into V[input block][point][tile][16] and
 * D[output block][point][tile][16], and multiplies point by point on the matrix core. */
#include "ir/kernel/conv_weight.h"
#include "ir/kernel/core.h"
#include "ir/kernel/winograd.h"
#include "ir/ops/attrs.h"

#include <stdio.h>
#include <string.h>

enum {
    RESULTS = 3 /* rows and columns of the weight */,
    SHARE = 4 /* blocks of outputs, and of inputs, of a kernel index */,
    CACHE = 640 << 10 /* bytes of V and D that stay in a second-level cache beside the sums */,
    INDICES = 8 /* that there are at least, where the batch allows */,
    MOST_PARTS = 8,
    SQUARE = BLOCK * BLOCK
};

typedef struct tiles_recipe {
    view x, dy;
    int64_t tile; /* rows and columns */
    int64_t top, left;
    int64_t inputs, outputs;             /* blocks */
    int64_t share_inputs, share_outputs; /* of one kernel index */
    int64_t rows, columns;               /* of tiles in a sample */
    int64_t samples, tile_rows;          /* at a time: several samples, or some rows of one */
    int64_t parts;
} tiles_recipe;

enum { P_X = 2, P_DY, P_OUT, P_SCRATCH, P_ROOM };

static int64_t points_of(const tiles_recipe *r) {
    return (r->tile + RESULTS - 1) * (r->tile + RESULTS - 1);
}
/* One tile more than are used: points that lie a power of two apart share a few places of the cache. */
static int64_t apart_of(const tiles_recipe *r) {
    return (r->samples * r->tile_rows * r->columns + 1) * BLOCK;
}
static int64_t block_count(const tiles_recipe *r) {
    return points_of(r) * apart_of(r);
}
static int64_t d_start(const tiles_recipe *r) {
    return r->share_inputs * block_count(r);
}
static int64_t sums_start(const tiles_recipe *r) {
    return d_start(r) + r->share_outputs * block_count(r);
}
/* Sums [point][input block][output block][16 inputs][16 outputs]. */
static int64_t sums_count(const tiles_recipe *r) {
    return points_of(r) * r->share_inputs * r->share_outputs * SQUARE;
}
static int64_t shares_of(const tiles_recipe *r) {
    return ceil_div(r->inputs, r->share_inputs) * ceil_div(r->outputs, r->share_outputs);
}

/* ---- the kernel ---- */

/* The blocks of one kernel index: the first, and how many. */
typedef struct share_spot {
    kinst *input, *inputs, *output, *outputs;
    kinst *sums; /* pointer */
} share_spot;

static share_spot find_share(kb *b, const tiles_recipe *r, kinst *share) {
    int64_t across = ceil_div(r->inputs, r->share_inputs);
    share_spot s;
    s.input = kb_muli(b, kb_modi(b, share, across), r->share_inputs);
    s.output = kb_muli(b, kb_divi(b, share, across), r->share_outputs);
    s.inputs = kb_min(b, kb_int(b, r->share_inputs), kb_sub(b, kb_int(b, r->inputs), s.input));
    s.outputs = kb_min(b, kb_int(b, r->share_outputs), kb_sub(b, kb_int(b, r->outputs), s.output));
    s.sums = kb_param(b, P_SCRATCH);
    return s;
}

/* Tiles that are taken at a time. */
typedef struct chunk_spot {
    kinst *sample, *samples, *row, *rows; /* first and how many; rows of tiles of each sample */
} chunk_spot;

/* Transforms the chunk's tiles of `blocks` blocks from `first` on: x, or dy where `result`. */
static void transform_tiles(kb *b, const tiles_recipe *r, const chunk_spot *c, kinst *first, kinst *blocks,
                            bool result) {
    const view *v = result ? &r->dy : &r->x;
    kfunc *f = result ? winograd_taps(b, RESULTS, (int)r->tile) : winograd_input(b, (int)r->tile);
    kinst *zero = kb_int(b, 0), *apart = kb_int(b, apart_of(r));
    kinst *block = kb_for(b, "block", zero, blocks, 1, KLOOP_SERIAL),
          *s = kb_for(b, "s", zero, c->samples, 1, KLOOP_SERIAL);
    kinst *ty = kb_for(b, "ty", zero, c->rows, 1, KLOOP_SERIAL);
    kinst *tx = kb_for(b, "tx", zero, kb_int(b, r->columns), 1, KLOOP_SERIAL);
    kinst *t = kb_add(b, kb_muli(b, kb_add(b, kb_mul(b, s, c->rows), ty), r->columns), tx);
    kinst *y = kb_muli(b, kb_add(b, c->row, ty), r->tile), *x = kb_muli(b, tx, r->tile);
    if (!result) {
        y = kb_addi(b, y, -r->top);
        x = kb_addi(b, x, -r->left);
    }
    kinst *at = kb_muli(b, kb_add(b, c->sample, s), v->batch);
    at = kb_add(b, at, kb_muli(b, kb_add(b, first, block), v->channel));
    at = kb_addi(b, kb_add(b, at, kb_add(b, kb_muli(b, y, v->row), kb_muli(b, x, BLOCK))), v->start);
    kinst *to = kb_add(b, kb_muli(b, block, block_count(r)), kb_muli(b, t, BLOCK));
    to = kb_addi(b, to, result ? d_start(r) : 0);
    kinst *end = kb_sub(b, kb_int(b, v->height), y), *above = kb_max(b, zero, kb_sub(b, zero, y));
    for (int u = 0; u < BLOCK / b->lanes; u++) {
        kinst *in = kb_offset(b, kb_param(b, result ? P_DY : P_X), kb_addi(b, at, u * b->lanes));
        kinst *out = kb_offset(b, kb_param(b, P_SCRATCH), kb_addi(b, to, u * b->lanes)),
              *row = kb_int(b, v->row);
        if (result)
            kb_call(b, f, (kinst *[]){in, row, end, out, apart}, 5);
        else
            kb_call(b, f, (kinst *[]){in, row, above, end, out, apart}, 6);
    }
    for (int loops = 0; loops < 4; loops++) kb_end(b);
}

/* Adds what `tiles` tiles give to the sums of point p, 16 inputs × `blocks` blocks of outputs. */
static void multiply_block(kb *b, const tiles_recipe *r, const share_spot *s, kinst *p, kinst *input,
                           kinst *output, int64_t blocks, kinst *tiles) {
    kinst *one = kb_int(b, 1), *zero = kb_int(b, 0), *scratch = kb_param(b, P_SCRATCH);
    int64_t most = b->target->pixels * b->target->blocks / blocks;
    tiling t = tile_row(BLOCK, most);
    kinst *v = kb_add(b, kb_muli(b, input, block_count(r)), kb_muli(b, p, apart_of(r)));
    kinst *d = kb_add(b, kb_muli(b, output, block_count(r)), kb_muli(b, p, apart_of(r)));
    kinst *sums =
        kb_add(b, kb_muli(b, kb_add(b, kb_muli(b, p, r->share_inputs), input), r->share_outputs), output);
    for (int64_t first = 0; first < BLOCK;) {
        core_shape tile;
        memset(&tile, 0, sizeof tile);
        tile.pixels = first < t.first * t.size ? t.size : t.size - 1;
        tile.blocks = blocks;
        tile.a_pixel = 1;
        tile.a_step = tile.out_pixel = BLOCK;
        tile.resume = 1;
        core_call c = {.a = kb_offset(b, scratch, kb_addi(b, v, first)),
                       .count = {one, one, one},
                       .stride = {zero, zero, zero},
                       .inner = tiles,
                       .b = kb_offset(b, scratch, kb_addi(b, d, d_start(r))),
                       .b_block = kb_int(b, block_count(r)),
                       .b_run = zero,
                       .out_block = kb_int(b, SQUARE),
                       .partial_block = kb_int(b, SQUARE)};
        c.partial = c.out = kb_offset(b, s->sums, kb_addi(b, kb_muli(b, sums, SQUARE), first * BLOCK));
        core_emit(b, &tile, &c);
        first += tile.pixels;
    }
}

static void multiply(kb *b, const tiles_recipe *r, const share_spot *s, kinst *tiles) {
    int64_t wide = r->share_outputs < b->target->blocks ? r->share_outputs : b->target->blocks;
    kinst *zero = kb_int(b, 0), *p = kb_for(b, "p", zero, kb_int(b, points_of(r)), 1, KLOOP_SERIAL);
    kinst *input = kb_for(b, "input", zero, s->inputs, 1, KLOOP_SERIAL);
    kinst *even = kb_muli(b, kb_divi(b, s->outputs, wide), wide);
    kinst *output = kb_for(b, "output", zero, even, wide, KLOOP_SERIAL);
    multiply_block(b, r, s, p, input, output, wide, tiles);
    kb_end(b);
    if (r->outputs % wide) {
        output = kb_for(b, "output", even, s->outputs, 1, KLOOP_SERIAL);
        multiply_block(b, r, s, p, input, output, 1, tiles);
        kb_end(b);
    }
    kb_end(b);
    kb_end(b);
}

static void emit_chunk(kb *b, const tiles_recipe *r, const share_spot *s, const chunk_spot *c) {
    transform_tiles(b, r, c, s->input, s->inputs, false);
    transform_tiles(b, r, c, s->output, s->outputs, true);
    multiply(b, r, s, kb_muli(b, kb_mul(b, c->samples, c->rows), r->columns));
}

static void emit_samples(kb *b, const tiles_recipe *r, const share_spot *s, kinst *from, kinst *to) {
    kinst *sample = kb_for(b, "sample", from, to, r->samples, KLOOP_SERIAL), *rows = kb_int(b, r->rows);
    kinst *row = kb_for(b, "row", kb_int(b, 0), rows, r->tile_rows, KLOOP_SERIAL);
    chunk_spot c = {.sample = sample, .row = row};
    c.samples = r->samples == 1 ? kb_int(b, 1) : kb_min(b, kb_int(b, r->samples), kb_sub(b, to, sample));
    c.rows = kb_min(b, kb_int(b, r->tile_rows), kb_sub(b, rows, row));
    emit_chunk(b, r, s, &c);
    kb_end(b);
    kb_end(b);
}

/* The weights of the share from its sums. */
static void store_share(kb *b, const tiles_recipe *r, const share_spot *s) {
    int64_t taps = RESULTS * RESULTS, channels = r->x.channels, results = r->dy.channels;
    kfunc *f = winograd_output(b, RESULTS, (int)r->tile);
    kinst *zero = kb_int(b, 0), *w = kb_local(b, "w", b->real, taps * b->lanes);
    kinst *output = kb_for(b, "output", zero, s->outputs, 1, KLOOP_SERIAL);
    kinst *input = kb_for(b, "input", zero, s->inputs, 1, KLOOP_SERIAL);
    kinst *in = kb_muli(b, kb_add(b, s->input, input), BLOCK),
          *out = kb_muli(b, kb_add(b, s->output, output), BLOCK);
    kinst *inputs = kb_min(b, kb_int(b, BLOCK), kb_sub(b, kb_int(b, channels), in));
    kinst *i = kb_for(b, "i", zero, inputs, 1, KLOOP_SERIAL);
    kinst *from = kb_muli(b, kb_add(b, kb_muli(b, input, r->share_outputs), output), SQUARE);
    from = kb_add(b, from, kb_muli(b, i, BLOCK));
    for (int u = 0; u < BLOCK / b->lanes; u++) {
        kinst *sums = kb_offset(b, s->sums, kb_addi(b, from, u * b->lanes));
        kb_call(b, f, (kinst *[]){sums, kb_int(b, r->share_inputs * r->share_outputs * SQUARE), w}, 3);
        kinst *first = kb_addi(b, out, u * b->lanes), *left = kb_sub(b, kb_int(b, results), first);
        kinst *lane = kb_for(b, "lane", zero, kb_min(b, kb_int(b, b->lanes), left), 1, KLOOP_SERIAL);
        kinst *to = kb_add(b, kb_muli(b, kb_add(b, first, lane), channels), kb_add(b, in, i));
        for (int64_t tap = 0; tap < taps; tap++) {
            kinst *v = kb_load(b, kb_real(b), w, kb_addi(b, lane, tap * b->lanes));
            kb_store(b, kb_param(b, P_OUT), kb_addi(b, kb_muli(b, to, taps), tap), v);
        }
        kb_end(b);
    }
    for (int loops = 0; loops < 3; loops++) kb_end(b);
}

static void build_tiles(kb *b, const void *recipe) {
    const tiles_recipe *r = recipe;
    kinst *i = kb_param(b, 0), *n = kb_param(b, 1);
    share_spot s = find_share(b, r, kb_modi(b, i, shares_of(r)));
    kinst *part = kb_divi(b, i, shares_of(r));
    if (r->parts > 1)
        s.sums = kb_offset(b, kb_param(b, P_ROOM), kb_muli(b, i, sums_count(r)));
    else
        s.sums = kb_offset(b, kb_param(b, P_SCRATCH), kb_int(b, sums_start(r)));
    kinst *e = kb_for(b, "e", kb_int(b, 0), kb_int(b, sums_count(r)), b->lanes, KLOOP_SERIAL);
    kb_store(b, s.sums, e, kb_const(b, kb_vector(b), 0));
    kb_end(b);
    kinst *from = kb_divi(b, kb_mul(b, part, n), r->parts);
    kinst *to = kb_divi(b, kb_mul(b, kb_addi(b, part, 1), n), r->parts);
    emit_samples(b, r, &s, from, to);
    if (r->parts == 1) store_share(b, r, &s);
}

/* The parts' sums of one share added up, into those of the first part. */
static void build_total(kb *b, const void *recipe) {
    const tiles_recipe *r = recipe;
    kinst *i = kb_param(b, 0);
    share_spot s = find_share(b, r, i);
    s.sums = kb_offset(b, kb_param(b, P_ROOM), kb_muli(b, i, sums_count(r)));
    kinst *e = kb_for(b, "e", kb_int(b, 0), kb_int(b, sums_count(r)), b->lanes, KLOOP_SERIAL);
    kinst *v = kb_load(b, kb_vector(b), s.sums, e);
    for (int64_t k = 1; k < r->parts; k++) {
        kinst *at = kb_addi(b, e, k * shares_of(r) * sums_count(r));
        v = kb_add(b, v, kb_load(b, kb_vector(b), s.sums, at));
    }
    kb_store(b, s.sums, e, v);
    kb_end(b);
    store_share(b, r, &s);
}

/* ---- the recipe ---- */

static tiles_recipe outline(const node *n, int64_t tile, int64_t max_batch) {
    const conv_weight_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape, *dy = &n->in[1]->shape;
    tiles_recipe r;
    memset(&r, 0, sizeof r);
    r.tile = tile;
    r.top = a->conv.pad[0];
    r.left = a->conv.pad[1];
    r.inputs = ceil_div(x->dim[1], BLOCK);
    r.outputs = ceil_div(dy->dim[1], BLOCK);
    r.share_inputs = r.inputs < SHARE ? r.inputs : SHARE;
    r.share_outputs = r.outputs < SHARE ? r.outputs : SHARE;
    r.rows = ceil_div(dy->dim[2], tile);
    r.columns = ceil_div(dy->dim[3], tile);
    int64_t fit = CACHE / 4 / ((r.share_inputs + r.share_outputs) * points_of(&r) * BLOCK) / r.columns;
    r.tile_rows = fit < 1 ? 1 : fit < r.rows ? fit : r.rows;
    r.samples = fit / r.rows > 1 ? fit / r.rows : 1;
    if (r.samples > max_batch) r.samples = max_batch;
    r.parts = ceil_div(INDICES, shares_of(&r));
    if (r.parts > MOST_PARTS) r.parts = MOST_PARTS;
    if (r.parts > max_batch) r.parts = max_batch;
    return r;
}

static void lower_tiles(lower *l, const node *n, int64_t tile) {
    kbase real = l->program->real;
    tiles_recipe r = outline(n, tile, l->program->max_batch);
    r.x = lower_view(l, n->in[0]);
    r.dy = lower_view(l, n->in[1]);
    int64_t scratch = sums_start(&r) + (r.parts > 1 ? 0 : sums_count(&r));
    kparam params[] = {{"x", k_ptr(real)},
                       {"dy", k_ptr(real)},
                       {"out", k_out(real)},
                       {"scratch", k_out(real)},
                       {"room", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]),
                       lower_value(l, n->in[1]),
                       lower_value(l, n->out[0]),
                       lower_scratch(l, scratch * kbase_bytes(real)),
                       {0}};
    int count = r.parts > 1 ? 5 : 4;
    if (r.parts > 1) args[4] = lower_room(l, n);
    char name[64];
    snprintf(name, sizeof name, "winograd%d_weight_%dx%d", (int)tile, (int)r.dy.channels, (int)r.dy.height);
    kcount runs = {shares_of(&r) * r.parts, 0};
    double work = (double)node_work(n) * (double)l->program->max_batch / 3 / (double)runs.mul;
    lower_call(l, lower_kernel(l, name, build_tiles, &r, sizeof r, params, count, runs, work), args, count,
               n);
    if (r.parts == 1) return;
    snprintf(name, sizeof name, "winograd%d_weight_%dx%d_total", (int)tile, (int)r.dy.channels,
             (int)r.dy.height);
    runs = (kcount){shares_of(&r), 0};
    work = (double)(sums_count(&r) * r.parts) / BLOCK;
    lower_call(l, lower_kernel(l, name, build_total, &r, sizeof r, params, count, runs, work), args, count,
               n);
}

/* ---- the candidate ---- */

static bool tiles_legal(const node *n) {
    const conv_weight_attrs *a = n->attrs;
    const conv_attrs *c = &a->conv;
    bool dense = c->groups == 1 && c->stride[0] * c->stride[1] == 1 && c->dilation[0] * c->dilation[1] == 1;
    return dense && a->kernel[0] == RESULTS && a->kernel[1] == RESULTS && c->pad[0] <= 1 && c->pad[1] <= 1 &&
           n->in[0]->shape.dim[1] >= BLOCK && n->in[1]->shape.dim[1] >= BLOCK;
}

/* Products of whole tiles and blocks, a tenth for keeping the sums; transforms by their time, some four cycles a tile,
 * block and point. */
static double tiles_cost(const node *n, int64_t tile, int64_t batch) {
    tiles_recipe r = outline(n, tile, batch);
    double tiles = (double)(r.rows * r.columns * points_of(&r)), inputs = (double)r.inputs,
           outputs = (double)r.outputs;
    double products = tiles * inputs * outputs * SQUARE * 1.1;
    double transforms = inputs * (double)ceil_div(r.outputs, r.share_outputs) +
                        outputs * (double)ceil_div(r.inputs, r.share_inputs);
    return products + transforms * tiles * 4 * 32;
}

static void tiles_layouts(const node *n, layout *in, layout *out, int64_t tile) {
    const conv_weight_attrs *a = n->attrs;
    int64_t columns = ceil_div(n->in[1]->shape.dim[3], tile) * tile;
    int64_t reach = columns + RESULTS - 1 - a->conv.pad[1] - n->in[0]->shape.dim[3];
    in[0] =
        (layout){.kind = LAYOUT_BLOCKED16, .left = (int)a->conv.pad[1], .right = reach > 0 ? (int)reach : 0};
    in[1] = (layout){.kind = LAYOUT_BLOCKED16, .right = (int)(columns - n->in[1]->shape.dim[3])};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

static int64_t tiles_room(const node *n, int64_t tile, int64_t max_batch) {
    tiles_recipe r = outline(n, tile, max_batch);
    return r.parts > 1 ? r.parts * shares_of(&r) * sums_count(&r) : 0;
}

/* Rounding: some 3.2 times that of the direct sum by tiles of 4×4. */
#define WINOGRAD(tile, rounding)                                                                             \
    static double cost##tile(const node *n, int64_t batch) {                                                 \
        return tiles_cost(n, tile, batch);                                                                   \
    }                                                                                                        \
    static void layouts##tile(const node *n, layout *in, layout *out) {                                      \
        tiles_layouts(n, in, out, tile);                                                                     \
    }                                                                                                        \
    static void lower##tile(lower *l, const node *n) {                                                       \
        lower_tiles(l, n, tile);                                                                             \
    }                                                                                                        \
    static int64_t room##tile(const node *n, int64_t max_batch) {                                            \
        return tiles_room(n, tile, max_batch);                                                               \
    }                                                                                                        \
    const candidate weight_winograd##tile##_candidate = {.name = "winograd" #tile,                           \
                                                         .families = FAMILY_CPU,                             \
                                                         .legal = tiles_legal,                               \
                                                         .cost = cost##tile,                                 \
                                                         .layouts = layouts##tile,                           \
                                                         .lower = lower##tile,                               \
                                                         .room = room##tile,                                 \
                                                         .inexact = rounding}
WINOGRAD(2, INEXACT_TWICE);
WINOGRAD(4, INEXACT_MORE);
