/* Convolution 3×3 by Winograd's filtering. One kernel index takes a run of tiles and a share of the output
 * blocks: it transforms the inputs of its tiles into V[n²][I/16][tile][16] in scratch, and for each pair of
 * output blocks does n² products on the matrix core into M[n²][2][tile][16], transforms those back, and
 * applies bias and epilogue at the store. Where tiles are few, indices share them and split the outputs
 * instead; where a sample has fewer tiles than a run, a run takes several samples, so that weights are read
 * once for all of them. */
#include "ir/kernel/winograd.h"
#include "ir/kernel/conv.h"
#include "ir/kernel/core.h"
#include "ir/kernel/halo.h"
#include "ir/kernel/rows.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum {
    PAIR = 2,
    FEW_TILES = 28 /* two of the largest register tiles */,
    MOST_TILES = 64,
    CACHE_BYTES = 820 << 10 /* of V: what a second-level cache holds beside weights on their way */,
    FAR_BYTES = 2400 << 10 /* of V where weights are far more, and better read rarely */,
    FAR_WEIGHTS = 16 << 20
};

typedef struct winograd_recipe {
    view in, out;
    int64_t m, top, left;
    int64_t inputs, outputs; /* blocks of 16 */
    int64_t rows, columns;   /* of tiles in a sample */
    int64_t run;             /* tiles of a kernel index */
    int64_t runs;            /* runs of a sample; 0: a run takes `samples` whole ones */
    int64_t samples;
    int64_t splits; /* shares of the output pairs */
    int64_t bias;
    epilogue ep;
} winograd_recipe;

/* Scratch comes behind the arguments that all layers have. */
static kinst *scratch_of(kb *b, const winograd_recipe *r) {
    return kb_param(b, layer_out(r->bias, &r->ep) + 1);
}

static int64_t side(const winograd_recipe *r) {
    return r->m + WINOGRAD_TAPS - 1;
}
static int64_t points_of(const winograd_recipe *r) {
    return side(r) * side(r);
}
/* From a block's tiles to the next block's, in V and M: an odd number of lines, for blocks that lie a power of two
 * apart share a few places of the cache. */
static int64_t block_apart(const winograd_recipe *r) {
    return (r->run | 1) * BLOCK;
}
static int64_t v_count(const winograd_recipe *r) {
    return points_of(r) * r->inputs * block_apart(r);
}
static int64_t m_count(const winograd_recipe *r) {
    return points_of(r) * PAIR * block_apart(r);
}

/* ---- the kernel ---- */

/* A tile of the run: which sample, where in it, and whether it exists. */
typedef struct tile_spot {
    kinst *sample, *y, *x, *exists; /* exists NULL: always */
} tile_spot;

static tile_spot find_tile(kb *b, const winograd_recipe *r, kinst *run, kinst *t) {
    int64_t tiles = r->rows * r->columns;
    tile_spot s;
    kinst *tile;
    if (r->runs) {
        s.sample = kb_divi(b, run, r->runs);
        tile = kb_add(b, kb_muli(b, kb_modi(b, run, r->runs), r->run), t);
        s.exists = r->runs * r->run > tiles ? kb_arith(b, S_LT, tile, kb_int(b, tiles), NULL) : NULL;
    } else {
        s.sample = kb_add(b, kb_muli(b, run, r->samples), kb_divi(b, t, tiles));
        tile = kb_modi(b, t, tiles);
        s.exists = r->samples > 1 ? kb_arith(b, S_LT, s.sample, kb_param(b, 1), NULL) : NULL;
    }
    s.y = kb_divi(b, tile, r->columns);
    s.x = kb_modi(b, tile, r->columns);
    return s;
}

static kinst *v_at(kb *b, const winograd_recipe *r, kinst *block, kinst *t, int u) {
    kinst *at = kb_add(b, kb_muli(b, block, block_apart(r)), kb_muli(b, t, BLOCK));
    return kb_offset(b, scratch_of(b, r), kb_addi(b, at, u * b->lanes));
}

static void transform_tile(kb *b, const winograd_recipe *r, const tile_spot *s, kinst *block, kinst *t) {
    kfunc *f = winograd_input(b, (int)r->m);
    kinst *y = kb_addi(b, kb_muli(b, s->y, r->m), -r->top), *x = kb_addi(b, kb_muli(b, s->x, r->m), -r->left);
    kinst *at = kb_add(b, kb_muli(b, s->sample, r->in.batch), kb_muli(b, block, r->in.channel));
    at = kb_add(b, at, kb_add(b, kb_muli(b, y, r->in.row), kb_muli(b, x, r->in.pixel)));
    at = kb_addi(b, at, r->in.start);
    kinst *first = kb_max(b, kb_int(b, 0), kb_sub(b, kb_int(b, 0), y)),
          *end = kb_sub(b, kb_int(b, r->in.height), y);
    for (int u = 0; u < BLOCK / b->lanes; u++) {
        kinst *in = kb_offset(b, kb_param(b, LAYER_IN), kb_addi(b, at, u * b->lanes));
        kinst *args[] = {in,  kb_int(b, r->in.row),    first,
                         end, v_at(b, r, block, t, u), kb_int(b, r->inputs * block_apart(r))};
        kb_call(b, f, args, 6);
    }
}

/* A run's last tiles may not exist: their place is cleared, for the core takes whole register tiles. */
static void clear_tile(kb *b, const winograd_recipe *r, kinst *block, kinst *t) {
    kinst *p = kb_for(b, "p", kb_int(b, 0), kb_int(b, points_of(r)), 1, KLOOP_SERIAL);
    for (int u = 0; u < BLOCK / b->lanes; u++)
        kb_store(b, v_at(b, r, block, t, u), kb_muli(b, p, r->inputs * block_apart(r)),
                 kb_const(b, kb_vector(b), 0));
    kb_end(b);
}

static void transform_inputs(kb *b, const winograd_recipe *r, kinst *run) {
    kinst *t = kb_for(b, "t", kb_int(b, 0), kb_int(b, r->run), 1, KLOOP_SERIAL);
    tile_spot s = find_tile(b, r, run, t);
    kinst *block = kb_for(b, "block", kb_int(b, 0), kb_int(b, r->inputs), 1, KLOOP_SERIAL);
    if (s.exists) kb_if(b, s.exists);
    transform_tile(b, r, &s, block, t);
    if (s.exists) {
        kb_else(b);
        clear_tile(b, r, block, t);
        kb_end(b);
    }
    kb_end(b);
    kb_end(b);
}

/* The product of point p for `blocks` output blocks from `block` on, for tiles [from, to) in steps of `size`.
 */
static void multiply_tiles(kb *b, const winograd_recipe *r, kinst *p, kinst *block, int64_t first,
                           int64_t blocks, int64_t from, int64_t to, int64_t size) {
    if (from >= to) return;
    core_shape tile;
    memset(&tile, 0, sizeof tile);
    tile.pixels = size;
    tile.blocks = blocks;
    tile.a_pixel = tile.out_pixel = BLOCK;
    tile.a_step = 1;
    int64_t weights = r->inputs * BLOCK * BLOCK;
    kinst *one = kb_int(b, 1), *zero = kb_int(b, 0),
          *t = kb_for(b, "t", kb_int(b, from), kb_int(b, to), size, KLOOP_SERIAL);
    kinst *a = kb_add(b, kb_muli(b, p, r->inputs * block_apart(r)), kb_muli(b, t, BLOCK));
    kinst *w = kb_add(b, kb_muli(b, kb_addi(b, block, first), points_of(r)), p);
    kinst *out = kb_add(b, kb_muli(b, p, PAIR * block_apart(r)), kb_muli(b, t, BLOCK));
    core_call c = {.a = kb_offset(b, scratch_of(b, r), a),
                   .count = {one, kb_int(b, r->inputs), one},
                   .stride = {zero, kb_int(b, block_apart(r)), zero},
                   .inner = kb_int(b, BLOCK),
                   .b = kb_offset(b, kb_param(b, LAYER_WEIGHTS), kb_muli(b, w, weights)),
                   .b_block = kb_int(b, points_of(r) * weights),
                   .b_run = kb_int(b, BLOCK * BLOCK),
                   .out =
                       kb_offset(b, scratch_of(b, r), kb_addi(b, out, v_count(r) + first * block_apart(r))),
                   .out_block = kb_int(b, block_apart(r))};
    kinst *turn = kb_divi(b, t, tile_row(r->run, b->target->pixels).size);
    core_fetch(b, &tile, &c, weights, ceil_div(r->run, b->target->pixels), turn);
    tile.next_pixels = v_count(r) * 4 > CACHE_BYTES;
    kinst *last = kb_arith(b, S_GE, kb_addi(b, t, size), kb_int(b, r->run), NULL);
    c.next_a = kb_select(b, last, kb_sub(b, kb_int(b, r->inputs * block_apart(r)), kb_muli(b, t, BLOCK)),
                         kb_int(b, size * BLOCK));
    core_emit(b, &tile, &c);
    kb_end(b);
}

static void multiply(kb *b, const winograd_recipe *r, kinst *block, int64_t blocks) {
    int64_t wide = blocks < b->target->blocks ? blocks : b->target->blocks;
    tiling t = tile_row(r->run, b->target->pixels);
    kinst *p = kb_for(b, "p", kb_int(b, 0), kb_int(b, points_of(r)), 1, KLOOP_SERIAL);
    for (int64_t first = 0; first < blocks; first += wide) {
        multiply_tiles(b, r, p, block, first, wide, 0, t.first * t.size, t.size);
        multiply_tiles(b, r, p, block, first, wide, t.first * t.size, r->run, t.size - 1);
    }
    kb_end(b);
}

/* Bias, epilogue and store of the m×m results in `y`, those that lie on the image. */
static void store_tile(kb *b, const winograd_recipe *r, const tile_spot *s, kinst *block, kinst *y, int u) {
    kinst *zero = kb_int(b, 0), *m = kb_int(b, r->m);
    kinst *top = kb_muli(b, s->y, r->m), *left = kb_muli(b, s->x, r->m);
    bool whole_rows = r->rows * r->m == r->out.height, whole_columns = r->columns * r->m == r->out.width;
    kinst *rows = whole_rows ? m : kb_min(b, m, kb_sub(b, kb_int(b, r->out.height), top));
    kinst *columns = whole_columns ? m : kb_min(b, m, kb_sub(b, kb_int(b, r->out.width), left));
    kinst *i = kb_for(b, "i", zero, rows, 1, KLOOP_SERIAL);
    row_spot spot = {s->sample, block, kb_add(b, top, i)};
    kinst *out = kb_addi(b, row_start(b, &r->out, &spot, spot.row), u * b->lanes);
    kinst *j = kb_for(b, "j", zero, columns, 1, KLOOP_SERIAL);
    kinst *x = kb_add(b, left, j);
    kinst *v = kb_load(b, kb_vector(b), y, kb_muli(b, kb_add(b, kb_muli(b, i, r->m), j), b->lanes));
    if (r->bias) {
        kinst *at = kb_addi(b, kb_muli(b, block, BLOCK), u * b->lanes);
        v = kb_add(b, v, kb_load(b, kb_vector(b), kb_param(b, LAYER_BIAS), at));
    }
    v = row_epilogue(b, &r->ep, &r->out, &spot, layer_operands(r->bias), x, u, v);
    kinst *ptr = kb_param(b, layer_out(r->bias, &r->ep));
    kb_store(b, ptr, kb_add(b, out, kb_muli(b, x, r->out.pixel)), v);
    kb_end(b);
    kb_end(b);
}

/* The first tile of a row of tiles clears the halo of its rows. */
static void clear_halo(kb *b, const winograd_recipe *r, const tile_spot *s, kinst *block) {
    if (r->out.left + r->out.right == 0) return;
    kinst *ptr = kb_param(b, layer_out(r->bias, &r->ep)), *top = kb_muli(b, s->y, r->m);
    kb_if(b, kb_arith(b, S_EQ, s->x, kb_int(b, 0), NULL));
    kinst *rows = kb_min(b, kb_int(b, r->m), kb_sub(b, kb_int(b, r->out.height), top));
    kinst *i = kb_for(b, "i", kb_int(b, 0), rows, 1, KLOOP_SERIAL);
    row_spot spot = {s->sample, block, kb_add(b, top, i)};
    zero_halo(b, &r->out, ptr, row_start(b, &r->out, &spot, spot.row));
    kb_end(b);
    kb_end(b);
}

static void transform_outputs(kb *b, const winograd_recipe *r, kinst *run, kinst *block, int64_t blocks) {
    kfunc *f = winograd_output(b, (int)r->m, WINOGRAD_TAPS);
    kinst *y = kb_local(b, "y", b->real, r->m * r->m * b->lanes);
    kinst *t = kb_for(b, "t", kb_int(b, 0), kb_int(b, r->run), 1, KLOOP_SERIAL);
    tile_spot s = find_tile(b, r, run, t);
    if (s.exists) kb_if(b, s.exists);
    for (int64_t k = 0; k < blocks; k++) {
        kinst *own = kb_addi(b, block, k);
        for (int u = 0; u < BLOCK / b->lanes; u++) {
            kinst *at = kb_addi(b, kb_muli(b, t, BLOCK), v_count(r) + k * block_apart(r) + u * b->lanes);
            kinst *args[] = {kb_offset(b, scratch_of(b, r), at), kb_int(b, PAIR * block_apart(r)), y};
            kb_call(b, f, args, 3);
            store_tile(b, r, &s, own, y, u);
        }
        clear_halo(b, r, &s, own);
    }
    if (s.exists) kb_end(b);
    kb_end(b);
}

static void emit_pair(kb *b, const winograd_recipe *r, kinst *run, kinst *block, int64_t blocks) {
    multiply(b, r, block, blocks);
    transform_outputs(b, r, run, block, blocks);
}

static void build_winograd(kb *b, const void *recipe) {
    const winograd_recipe *r = recipe;
    int64_t pairs = ceil_div(r->outputs, PAIR);
    kinst *i = kb_param(b, 0), *run = kb_divi(b, i, r->splits), *split = kb_modi(b, i, r->splits);
    transform_inputs(b, r, run);
    kinst *from = kb_divi(b, kb_muli(b, split, pairs), r->splits);
    kinst *to = kb_divi(b, kb_muli(b, kb_addi(b, split, 1), pairs), r->splits);
    kinst *pair = kb_for(b, "pair", from, to, 1, KLOOP_SERIAL), *block = kb_muli(b, pair, PAIR);
    if (r->outputs % PAIR) {
        kb_if(b, kb_arith(b, S_EQ, pair, kb_int(b, pairs - 1), NULL));
        emit_pair(b, r, run, block, 1);
        if (pairs > 1) {
            kb_else(b);
            emit_pair(b, r, run, block, PAIR);
        }
        kb_end(b);
    } else {
        emit_pair(b, r, run, block, PAIR);
    }
    kb_end(b);
}

/* ---- the recipe ---- */

/* How tiles are cut into runs, and outputs into shares: runs as long as V stays in the cache, and at least
 * four kernel indices for a full batch: shares of outputs transform their inputs again. */
static void cut(winograd_recipe *r, int64_t max_batch, int64_t bytes) {
    int64_t tiles = r->rows * r->columns;
    int64_t weights = points_of(r) * r->inputs * r->outputs * BLOCK * BLOCK * bytes;
    int64_t room =
        (weights > FAR_WEIGHTS ? FAR_BYTES : CACHE_BYTES) / (points_of(r) * r->inputs * BLOCK * bytes);
    int64_t most = room < 14 ? 14 : room > MOST_TILES ? MOST_TILES : room;
    r->samples = 1;
    if (tiles <= most && max_batch > 1) {
        r->samples = ceil_div(max_batch, ceil_div(max_batch, most / tiles));
        r->run = tiles * r->samples;
    } else {
        r->runs = ceil_div(tiles, most);
        if (r->runs == 1 && tiles >= FEW_TILES) r->runs = 2;
        if (r->runs % 2 && r->runs > 1 && r->runs < 8) r->runs++;
        r->run = ceil_div(tiles, r->runs);
        r->runs = ceil_div(tiles, r->run);
    }
    int64_t pairs = ceil_div(r->outputs, PAIR);
    int64_t indices = (r->runs ? r->runs : 1) * ceil_div(max_batch, r->samples);
    r->splits = 1;
    while (indices * r->splits < 4 && r->splits * 2 <= pairs) r->splits *= 2;
}

static winograd_recipe recipe_of(lower *l, const node *n) {
    const conv_attrs *a = n->attrs;
    winograd_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_view(l, n->in[0]);
    r.out = lower_view(l, n->out[0]);
    r.m = n->in[1]->layout.groups;
    r.top = a->pad[0];
    r.left = a->pad[1];
    r.inputs = ceil_div(r.in.channels, BLOCK);
    r.outputs = ceil_div(r.out.channels, BLOCK);
    r.rows = ceil_div(r.out.height, r.m);
    r.columns = ceil_div(r.out.width, r.m);
    r.bias = n->own_inputs > 2;
    r.ep = epilogue_of(l, n);
    cut(&r, l->program->max_batch, kbase_bytes(l->program->real));
    return r;
}

static void lower_winograd(lower *l, const node *n) {
    winograd_recipe r = recipe_of(l, n);
    kbase real = l->program->real;
    layer_args args = layer_args_of(l, n);
    call_arg scratch = lower_scratch(l, (v_count(&r) + m_count(&r)) * kbase_bytes(real));
    layer_args_add(&args, "scratch", k_out(real), scratch);
    char name[64];
    snprintf(name, sizeof name, "winograd%d_%dx%d", (int)r.m, (int)r.out.channels, (int)r.out.height);
    kcount runs = {r.splits * (r.runs ? r.runs : 1), r.samples};
    double work = (double)node_work(n) * (double)r.samples / (double)runs.mul;
    layer_call(l, n, name, build_winograd, &r, sizeof r, &args, runs, work);
}

/* ---- candidates ---- */

static bool winograd_legal(const node *n) {
    const conv_attrs *a = n->attrs;
    const shape *w = &n->in[1]->shape;
    bool taps = w->dim[2] == WINOGRAD_TAPS && w->dim[3] == WINOGRAD_TAPS;
    bool dense = a->groups == 1 && a->stride[0] * a->stride[1] == 1 && a->dilation[0] * a->dilation[1] == 1;
    bool small = a->pad[0] <= 1 && a->pad[1] <= 1;
    return taps && dense && small && w->dim[0] >= BLOCK && w->dim[1] >= BLOCK &&
           n->in[1]->kind != VALUE_CONST;
}

/* Products of whole tiles; transforms at the cost of their vector operations; weights, which are larger than
 * direct's but serve all samples of a run. */
static double winograd_cost(const node *n, int m, int64_t batch) {
    const shape *w = &n->in[1]->shape, *y = &n->out[0]->shape;
    double o = (double)round_up(w->dim[0], BLOCK), c = (double)round_up(w->dim[1], BLOCK), side_ = m + 2;
    winograd_recipe r = {.m = m, .inputs = (int64_t)c / BLOCK, .outputs = (int64_t)o / BLOCK};
    r.rows = ceil_div(y->dim[2], m);
    r.columns = ceil_div(y->dim[3], m);
    cut(&r, batch, 4);
    double tiles = (double)(r.rows * r.columns), products = side_ * side_ * o * c * tiles;
    double transforms = tiles * (c * (double)r.splits + o) * side_ * side_ * 10;
    double weights = side_ * side_ * o * c * WEIGHT_COST / (double)r.samples;
    return products + transforms + weights;
}

static double cost2(const node *n, int64_t batch) {
    return winograd_cost(n, 2, batch);
}
static double cost4(const node *n, int64_t batch) {
    return winograd_cost(n, 4, batch);
}

static void winograd_layouts(const node *n, layout *in, layout *out, int m) {
    const conv_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
    int64_t reach = ceil_div(y->dim[3], m) * m + WINOGRAD_TAPS - 1 - a->pad[1] - x->dim[3];
    in[0] = (layout){.kind = LAYOUT_BLOCKED16, .left = (int)a->pad[1], .right = reach > 0 ? (int)reach : 0};
    in[1] = (layout){.kind = LAYOUT_WINOGRAD, .groups = m};
    if (n->own_inputs > 2) in[2] = (layout){.kind = LAYOUT_LANES16};
    *out = (layout){.kind = LAYOUT_BLOCKED16};
    epilogue_layouts(n, out, in);
}

static void layouts2(const node *n, layout *in, layout *out) {
    winograd_layouts(n, in, out, 2);
}
static void layouts4(const node *n, layout *in, layout *out) {
    winograd_layouts(n, in, out, 4);
}

const candidate winograd2_candidate = {.name = "winograd2",
                                       .families = FAMILY_CPU,
                                       .legal = winograd_legal,
                                       .cost = cost2,
                                       .layouts = layouts2,
                                       .lower = lower_winograd,
                                       .epilogue = epilogue_accepts,
                                       .inexact = INEXACT_TWICE,
                                       .in_place = true};
const candidate winograd4_candidate = {.name = "winograd4",
                                       .families = FAMILY_CPU,
                                       .legal = winograd_legal,
                                       .cost = cost4,
                                       .layouts = layouts4,
                                       .lower = lower_winograd,
                                       .epilogue = epilogue_accepts,
                                       .inexact = INEXACT_MORE,
                                       .in_place = true};
