/* dW = Σ dy·xᵀ over rows, on the matrix core: outputs are its pixels, whose numbers in dy are spread over lanes, and
 * features its vectors, which lie in rows of x as they are. A kernel index is a tile of outputs for a share of the
 * features. */
#include "ir/kernel/core.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum {
    TILE = 14 /* outputs */,
    INDICES = 16 /* that there are at least, where the weight is large enough */
};

typedef struct outer_recipe {
    int64_t features, outputs;
    int64_t rows;              /* of one sample; of all where there is no batch */
    int64_t batched, together; /* together: rows of all samples follow each other */
    int64_t x_batch, dy_batch;
    tiling tiles;  /* of the outputs, one a kernel index */
    int64_t share; /* blocks of features of a kernel index, even */
} outer_recipe;

enum { ARG_X = 2, ARG_DY, ARG_OUT };

static int64_t shares_of(const outer_recipe *r) {
    return ceil_div(ceil_div(r->features, BLOCK), r->share);
}

/* `outputs` × `blocks` of the result from output `o` and block `block` on; `last` says that features end inside. */
static void emit_tile(kb *b, const outer_recipe *r, kinst *o, int64_t outputs, kinst *block, int64_t blocks,
                      bool last) {
    kinst *zero = kb_int(b, 0), *one = kb_int(b, 1), *feature = kb_muli(b, block, BLOCK), *n = kb_param(b, 1);
    core_shape tile;
    memset(&tile, 0, sizeof tile);
    tile.pixels = outputs;
    tile.blocks = blocks;
    tile.a_pixel = 1;
    tile.a_step = r->outputs;
    tile.out_pixel = r->features;
    tile.b_step = 1;
    tile.part = 1;
    tile.tail = last && r->features % BLOCK ? TAIL_ROWS : TAIL_NONE;
    kinst *samples = r->batched && !r->together ? n : one;
    core_call c = {.a = kb_offset(b, kb_param(b, ARG_DY), o),
                   .count = {samples, one, one},
                   .stride = {kb_int(b, r->dy_batch), zero, zero},
                   .inner = r->together ? kb_muli(b, n, r->rows) : kb_int(b, r->rows),
                   .b = kb_offset(b, kb_param(b, ARG_X), feature),
                   .b_block = kb_int(b, BLOCK),
                   .b_run = zero,
                   .b_tap = kb_int(b, r->x_batch),
                   .b_step = kb_int(b, r->features),
                   .out_block = kb_int(b, BLOCK),
                   .valid = kb_sub(b, kb_int(b, r->features), feature)};
    c.out = kb_offset(b, kb_param(b, ARG_OUT), kb_add(b, kb_muli(b, o, r->features), feature));
    core_emit(b, &tile, &c);
}

/* `outputs` outputs from o on for `blocks` blocks of features, in the target's tiles. */
static void emit_outputs(kb *b, const outer_recipe *r, kinst *o, int64_t outputs, kinst *block,
                         int64_t blocks, bool last) {
    tiling t = tile_row(outputs, b->target->pixels);
    for (int64_t first = 0; first < outputs;) {
        int64_t size = first < t.first * t.size ? t.size : t.size - 1;
        emit_tile(b, r, kb_addi(b, o, first), size, block, blocks, last);
        first += size;
    }
}

/* One tile of outputs for the blocks [from, to) of features: whole tiles, then the last features of all. */
static void emit_share(kb *b, const outer_recipe *r, kinst *o, int64_t outputs, kinst *from, kinst *to) {
    int64_t wide = b->target->blocks, whole = r->features / (wide * BLOCK) * wide;
    int64_t left = ceil_div(r->features, BLOCK) - whole;
    if (whole) {
        kinst *end = kb_min(b, to, kb_int(b, whole));
        kinst *block = kb_for(b, "block", from, end, wide, KLOOP_SERIAL);
        emit_outputs(b, r, o, outputs, block, wide, false);
        kb_end(b);
    }
    if (!left) return;
    kinst *block = kb_for(b, "block", kb_max(b, from, kb_int(b, whole)), to, left, KLOOP_SERIAL);
    emit_outputs(b, r, o, outputs, block, left, true);
    kb_end(b);
}

static void build_outer(kb *b, const void *recipe) {
    const outer_recipe *r = recipe;
    const tiling *t = &r->tiles;
    kinst *i = kb_param(b, 0), *tile = kb_divi(b, i, shares_of(r));
    kinst *from = kb_muli(b, kb_modi(b, i, shares_of(r)), r->share);
    kinst *to = kb_min(b, kb_addi(b, from, r->share), kb_int(b, ceil_div(r->features, BLOCK)));
    if (t->rest && t->first) kb_if(b, kb_arith(b, S_LT, tile, kb_int(b, t->first), NULL));
    if (t->first) emit_share(b, r, kb_muli(b, tile, t->size), t->size, from, to);
    if (t->rest && t->first) kb_else(b);
    if (t->rest) {
        kinst *o = kb_addi(b, kb_muli(b, tile, t->size - 1), t->first);
        emit_share(b, r, o, t->size - 1, from, to);
    }
    if (t->rest && t->first) kb_end(b);
}

static outer_recipe recipe_of(const lower *l, const node *n) {
    const shape *x = &n->in[0]->shape, *dy = &n->in[1]->shape;
    outer_recipe r;
    memset(&r, 0, sizeof r);
    r.features = x->dim[x->rank - 1];
    r.outputs = dy->dim[dy->rank - 1];
    r.rows = shape_count(x) / r.features;
    r.batched = shape_batched(x);
    r.x_batch = l->places[n->in[0]->id].batch_stride;
    r.dy_batch = l->places[n->in[1]->id].batch_stride;
    r.together = r.batched && r.x_batch == r.rows * r.features && r.dy_batch == r.rows * r.outputs;
    r.tiles = tile_row(r.outputs, TILE);
    int64_t blocks = ceil_div(r.features, BLOCK), tiles = r.tiles.first + r.tiles.rest;
    r.share = round_up(ceil_div(blocks, ceil_div(INDICES, tiles)), 2);
    return r;
}

static void lower_outer(lower *l, const node *n) {
    kbase real = l->program->real;
    outer_recipe r = recipe_of(l, n);
    kparam params[] = {{"x", k_ptr(real)}, {"dy", k_ptr(real)}, {"out", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->in[1]), lower_value(l, n->out[0])};
    char name[64];
    snprintf(name, sizeof name, "linear_weight_%dx%d", (int)r.outputs, (int)r.features);
    kcount runs = {(r.tiles.first + r.tiles.rest) * shares_of(&r), 0};
    double work = (double)node_work(n) * (double)(r.batched ? l->program->max_batch : 1) / (double)runs.mul;
    kernel *k = lower_kernel(l, name, build_outer, &r, sizeof r, params, 3, runs, work);
    lower_call(l, k, args, 3, n);
}

static const candidate outer = {.name = "core", .families = FAMILY_CPU, .lower = lower_outer, .strict = true};
const candidate *const linear_weight_candidates[] = {&outer, NULL};
