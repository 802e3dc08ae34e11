/* dx = dy·W over the last axis, on the matrix core and without packing: a row of W lies along the features, which are the
 * core's vectors, and steps of the sum go down its rows. A kernel index is a share of the features for all rows of dy; it
 * takes some rows of W at a time, which stay in a second-level cache for all rows of dy, and goes on from the sums in dx. */
#include "ir/kernel/core.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS = 8 /* of dy in a tile */,
    INDICES = 16 /* that there are at least, where features are many */,
    CACHE = 256 << 10 /* bytes of W that stay in a second-level cache beside rows of dy and dx */,
    LEAST = 64 /* rows of W at a time, so that sums are not read and written too often */,
    FEW = 8 /* shares of features: rows are shared among kernel indices too */,
    PART = 24 /* rows that a kernel index has then at least: W is read once for all of them */
};

typedef struct data_recipe {
    int64_t outputs, features;
    int64_t rows;                /* of one sample, or of all of them */
    int64_t per_sample, batched; /* per_sample: rows of a sample follow each other, samples lie apart */
    int64_t dy_batch, dx_batch;
    int64_t dy_row, dx_row, operand_row[MAX_OPERANDS], operand_batch[MAX_OPERANDS];
    int64_t share; /* blocks of features of a kernel index */
    int64_t part;  /* rows of a kernel index; 0: all of them */
    int64_t chunk; /* rows of W at a time */
    epilogue ep;
} data_recipe;

/* The rows of dy and blocks of features of a kernel index. */
typedef struct area_spot {
    kinst *first_row, *end_row, *from, *to;
} area_spot;

/* Where a tile lies, and which part of the sum it adds. */
typedef struct tile_spot {
    kinst *sample, *row, *block, *first; /* first row of W */
    int64_t steps;                       /* rows of W */
    bool begins, ends;
} tile_spot;

static void emit_tile(kb *b, const data_recipe *r, const tile_spot *s, int64_t pixels, int64_t blocks,
                      bool tail) {
    kinst *one = kb_int(b, 1), *zero = kb_int(b, 0), *feature = kb_muli(b, s->block, BLOCK);
    core_shape tile;
    memset(&tile, 0, sizeof tile);
    tile.pixels = pixels;
    tile.blocks = blocks;
    tile.a_pixel = pixels > 1 ? r->dy_row : 0;
    tile.a_step = 1;
    tile.out_pixel = pixels > 1 ? r->dx_row : 0;
    tile.b_step = 1;
    tile.resume = s->begins ? RESUME_NOT : RESUME_OUT;
    tile.tail = tail ? TAIL_ROWS : TAIL_NONE;
    kinst *dy = kb_add(b, kb_muli(b, s->sample, r->dy_batch), kb_muli(b, s->row, r->dy_row));
    kinst *dx = kb_add(b, kb_muli(b, s->sample, r->dx_batch), kb_muli(b, s->row, r->dx_row));
    core_call c = {.a = kb_offset(b, kb_param(b, LAYER_IN), kb_add(b, dy, s->first)),
                   .count = {one, one, one},
                   .stride = {zero, zero, zero},
                   .inner = kb_int(b, s->steps),
                   .b_block = kb_int(b, BLOCK),
                   .b_run = zero,
                   .b_step = kb_int(b, r->features),
                   .out_block = kb_int(b, BLOCK),
                   .valid = kb_sub(b, kb_int(b, r->features), feature)};
    c.b = kb_offset(b, kb_param(b, LAYER_WEIGHTS), kb_add(b, kb_muli(b, s->first, r->features), feature));
    c.out = kb_offset(b, kb_param(b, layer_out(0, &r->ep)), kb_add(b, dx, feature));
    tile.e = s->ends ? r->ep.e : NULL;
    tile.operands = s->ends ? r->ep.operands : 0;
    for (int k = 0; k < tile.operands; k++) {
        kinst *at = r->ep.operand[k].kind == OPERAND_SCALAR ? zero : feature;
        tile.operand_kind[k] = r->ep.operand[k].kind;
        if (tile.operand_kind[k] == OPERAND_FULL) {
            if (pixels > 1) tile.operand_pixel[k] = r->operand_row[k];
            at = kb_add(b, at, kb_muli(b, s->sample, r->operand_batch[k]));
            at = kb_add(b, at, kb_muli(b, s->row, r->operand_row[k]));
        }
        c.operand[k] = kb_offset(b, kb_param(b, layer_operands(0) + k), at);
        c.operand_block[k] = kb_int(b, BLOCK);
    }
    core_emit(b, &tile, &c);
}

/* All rows of the area for some blocks: whole tiles, then what is left in halves. */
static void emit_rows(kb *b, const data_recipe *r, tile_spot s, const area_spot *a, int64_t blocks,
                      bool tail) {
    int64_t most = b->target->pixels < ROWS ? b->target->pixels : ROWS;
    kinst *from = a->first_row;
    for (int64_t size = most; size; size /= 2) {
        kinst *left = kb_sub(b, a->end_row, from),
              *to = kb_add(b, from, kb_muli(b, kb_divi(b, left, size), size));
        s.row = kb_for(b, "row", from, to, size, KLOOP_SERIAL);
        emit_tile(b, r, &s, size, blocks, tail);
        kb_end(b);
        from = to;
    }
}

/* Some rows of W for the area's blocks. */
static void emit_blocks(kb *b, const data_recipe *r, tile_spot s, const area_spot *a) {
    int64_t wide = b->target->blocks, whole = r->features / (wide * BLOCK) * wide;
    int64_t left = ceil_div(r->features, BLOCK) - whole;
    if (whole) {
        s.block = kb_for(b, "block", a->from, kb_min(b, a->to, kb_int(b, whole)), wide, KLOOP_SERIAL);
        emit_rows(b, r, s, a, wide, false);
        kb_end(b);
    }
    if (!left) return;
    s.block = kb_for(b, "block", kb_max(b, a->from, kb_int(b, whole)), a->to, left, KLOOP_SERIAL);
    emit_rows(b, r, s, a, left, r->features % BLOCK != 0);
    kb_end(b);
}

static void emit_area(kb *b, const data_recipe *r, kinst *sample, const area_spot *a) {
    int64_t last = (r->outputs - 1) / r->chunk * r->chunk;
    tile_spot s = {.sample = sample, .first = kb_int(b, 0), .steps = r->chunk, .begins = true};
    if (last) {
        emit_blocks(b, r, s, a);
        s.begins = false;
        if (last > r->chunk) {
            s.first = kb_for(b, "o", kb_int(b, r->chunk), kb_int(b, last), r->chunk, KLOOP_SERIAL);
            emit_blocks(b, r, s, a);
            kb_end(b);
        }
    }
    s.first = kb_int(b, last);
    s.steps = r->outputs - last;
    s.ends = true;
    emit_blocks(b, r, s, a);
}

static int64_t shares_of(const data_recipe *r) {
    return ceil_div(ceil_div(r->features, BLOCK), r->share);
}

static void build_data(kb *b, const void *recipe) {
    const data_recipe *r = recipe;
    kinst *i = kb_param(b, 0), *n = kb_param(b, 1), *zero = kb_int(b, 0);
    area_spot a = {.first_row = zero, .from = kb_muli(b, kb_modi(b, i, shares_of(r)), r->share)};
    a.to = kb_min(b, kb_addi(b, a.from, r->share), kb_int(b, ceil_div(r->features, BLOCK)));
    a.end_row = r->batched && !r->per_sample ? kb_muli(b, n, r->rows) : kb_int(b, r->rows);
    if (r->part) {
        a.first_row = kb_muli(b, kb_divi(b, i, shares_of(r)), r->part);
        a.end_row = kb_min(b, kb_addi(b, a.first_row, r->part), a.end_row);
    }
    if (!r->per_sample) {
        emit_area(b, r, zero, &a);
        return;
    }
    kinst *sample = kb_for(b, "s", zero, n, 1, KLOOP_SERIAL);
    emit_area(b, r, sample, &a);
    kb_end(b);
}

/* Rows of all samples are one run where samples follow each other, or have one row each. */
static void set_rows(data_recipe *r, const lower *l, const node *n) {
    const value *dy = n->in[0], *dx = n->out[0];
    r->rows = shape_count(&dy->shape) / r->outputs;
    r->batched = shape_batched(&dy->shape);
    r->dy_row = r->outputs;
    r->dx_row = r->features;
    r->dy_batch = l->places[dy->id].batch_stride;
    r->dx_batch = l->places[dx->id].batch_stride;
    bool together = r->dy_batch == r->rows * r->dy_row && r->dx_batch == r->rows * r->dx_row;
    for (int k = 0; k < r->ep.operands; k++) {
        r->operand_row[k] = r->features;
        r->operand_batch[k] = l->places[n->in[n->own_inputs + k]->id].batch_stride;
        bool full = r->ep.operand[k].kind == OPERAND_FULL;
        together &= !full || r->operand_batch[k] == r->rows * r->features;
    }
    r->per_sample = r->batched && !together && r->rows > 1;
    if (r->batched && !together && r->rows == 1) {
        r->dy_row = r->dy_batch;
        r->dx_row = r->dx_batch;
        for (int k = 0; k < r->ep.operands; k++) r->operand_row[k] = r->operand_batch[k];
    }
}

static data_recipe recipe_of(lower *l, const node *n) {
    data_recipe r;
    memset(&r, 0, sizeof r);
    r.outputs = n->in[1]->shape.dim[0];
    r.features = n->in[1]->shape.dim[1];
    r.ep = epilogue_of(l, n);
    set_rows(&r, l, n);
    int64_t blocks = ceil_div(r.features, BLOCK);
    r.share = round_up(ceil_div(blocks, INDICES), 2);
    int64_t fit = CACHE / (r.share * BLOCK * kbase_bytes(l->program->real));
    r.chunk = fit > LEAST ? fit : LEAST;
    int64_t chunks = ceil_div(r.outputs, r.chunk);
    r.chunk = ceil_div(r.outputs, chunks);
    return r;
}

static void lower_data(lower *l, const node *n) {
    data_recipe r = recipe_of(l, n);
    layer_args args = layer_args_of(l, n);
    char name[64];
    snprintf(name, sizeof name, "linear_data_%dx%d", (int)r.outputs, (int)r.features);
    kcount runs = {shares_of(&r), 0};
    double samples = r.batched ? (double)l->program->max_batch : 1;
    if (r.batched && !r.per_sample && runs.mul < FEW) {
        runs.per = ceil_div(PART, r.rows);
        r.part = runs.per * r.rows;
        samples = (double)runs.per;
    }
    double work = (double)node_work(n) * samples / (double)runs.mul;
    layer_call(l, n, name, build_data, &r, sizeof r, &args, runs, work);
}

static void data_layouts(const node *n, layout *in, layout *out) {
    for (int k = 0; k < 2; k++) in[k] = (layout){.kind = LAYOUT_PLANAR};
    *out = (layout){.kind = LAYOUT_PLANAR};
    epilogue_layouts(n, out, in);
}

/* Channel operands would have to be packed for the lanes. */
static bool data_accepts(const node *n, const value *v) {
    return n->out[0]->shape.rank <= 3 && epilogue_accepts(n, v) && operand_of(n, v) != OPERAND_CHANNEL;
}

static const candidate data_core = {.name = "core",
                                    .families = FAMILY_CPU,
                                    .layouts = data_layouts,
                                    .lower = lower_data,
                                    .epilogue = data_accepts,
                                    .strict = true};
const candidate *const linear_data_candidates[] = {&data_core, NULL};
