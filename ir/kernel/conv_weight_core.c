/* The gradient of a convolution's weight on the matrix core: outputs as vectors, inputs and taps of a row as the core's
 * pixels, summed over the pixels of the image. A unit is one block of inputs for two blocks of outputs. A kernel index
 * takes some units of the same outputs for one of a fixed number of parts of the batch: it walks samples, or rows of
 * one, that stay in a second-level cache, and adds what all taps make of them to the units' sums. Sums of the parts are
 * added in their order. */
#include "ir/kernel/conv_weight.h"
#include "ir/kernel/core.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

enum {
    UNIT = 2 /* blocks of outputs */,
    INDICES = 16 /* that there are at least, where batch and channels allow */,
    MOST_PARTS = 8,
    MOST_SUMS = 5 << 18, /* elements, of all parts: they are written and read once more */
    UNROLLED = 8 /* pixels of a row that need no loop */,
    FEW = 8 /* channels of an image that stays planar */,
    FIRST_CACHE = 24 << 10, /* bytes of operands that stay in a first-level cache beside the sums */
    CACHE = 192 << 10       /* … in a second-level cache */
};

/* The core's pixels, one for each input and tap of a row: `runs` runs of `run`, in which they lie `step` elements apart
 * in x, the runs themselves `apart`. */
typedef struct columns {
    int64_t runs, run, step, apart;
} columns;

typedef struct weight_recipe {
    view x, dy;
    window2d window;
    int64_t inputs, outputs, groups; /* channels, of one group */
    int64_t blocks_in, blocks_out;   /* of one group */
    int64_t unit;
    int64_t tap_rows; /* of the kernel that are summed one after the other; 1: all are among the columns */
    columns columns;
    int64_t samples, rows; /* that the core takes at a time: several samples, or some rows of one */
    int64_t parts;
    int64_t share_pairs,
        share_inputs; /* blocks, two by two, of outputs and blocks of inputs of a kernel index */
} weight_recipe;

enum { ARG_X = 2, ARG_DY, ARG_SUMS, ARG_OUT };

static int64_t width_of(const weight_recipe *r) {
    return r->columns.runs * r->columns.run;
}
/* Sums [tap row][block][column][16] of one unit. */
static int64_t sums_of(const weight_recipe *r) {
    return r->tap_rows * r->unit * width_of(r) * BLOCK;
}
static int64_t pairs_of(const weight_recipe *r) {
    return ceil_div(r->blocks_out, r->unit);
}
static int64_t units_of(const weight_recipe *r) {
    return r->groups * pairs_of(r) * r->blocks_in;
}

/* ---- the kernel ---- */

/* A unit taken apart, and the first elements of its blocks in x and dy, of sample 0. */
typedef struct unit_spot {
    kinst *group, *pair, *input; /* pair of output blocks and block of inputs within the group */
    kinst *x, *dy;
} unit_spot;

static unit_spot find_unit(kb *b, const weight_recipe *r, kinst *unit) {
    unit_spot s = {.input = kb_modi(b, unit, r->blocks_in)};
    kinst *rest = kb_divi(b, unit, r->blocks_in);
    s.pair = kb_modi(b, rest, pairs_of(r));
    s.group = kb_divi(b, rest, pairs_of(r));
    kinst *in = kb_add(b, kb_muli(b, s.group, r->blocks_in), s.input);
    kinst *out = kb_add(b, kb_muli(b, s.group, r->blocks_out), kb_muli(b, s.pair, r->unit));
    s.x = kb_muli(b, in, r->x.blocked ? r->x.channel : 0);
    s.dy = kb_muli(b, out, r->dy.channel);
    return s;
}

/* What one call of the core sums over. */
typedef struct part_spot {
    kinst *samples, *rows; /* how many */
    kinst *x, *dy, *sums;  /* pointers: first pixel, first column; sums of this row of taps */
} part_spot;

/* `size` columns, all in run `run` from `first` on, or (first NULL) whole runs from `run` on. */
static void emit_tile(kb *b, const weight_recipe *r, const part_spot *p, int64_t block, int64_t blocks,
                      kinst *run, kinst *first, int64_t size) {
    const columns *all = &r->columns;
    kinst *zero = kb_int(b, 0), *one = kb_int(b, 1), *x = kb_muli(b, run, all->apart);
    kinst *sums = kb_muli(b, run, all->run * BLOCK);
    core_shape tile;
    memset(&tile, 0, sizeof tile);
    tile.pixels = size;
    tile.blocks = blocks;
    tile.a_pixel = all->step;
    tile.run = !first && size > all->run ? all->run : 0;
    tile.a_step = r->window.stride[1] * r->x.pixel;
    tile.out_pixel = BLOCK;
    tile.steps = r->dy.width <= UNROLLED ? r->dy.width : 0;
    tile.part = tile.resume = 1;
    if (first) {
        x = kb_add(b, x, kb_muli(b, first, all->step));
        sums = kb_add(b, sums, kb_muli(b, first, BLOCK));
    }
    sums = kb_offset(b, p->sums, kb_addi(b, sums, block * width_of(r) * BLOCK));
    kinst *apart = kb_int(b, width_of(r) * BLOCK);
    core_call c = {.a = kb_offset(b, p->x, x),
                   .count = {p->samples, one, p->rows},
                   .stride = {kb_int(b, r->x.batch), zero, kb_int(b, r->window.stride[0] * r->x.row)},
                   .a_run = kb_int(b, all->apart),
                   .inner = kb_int(b, r->dy.width),
                   .b = kb_offset(b, p->dy, kb_int(b, block * r->dy.channel)),
                   .b_block = kb_int(b, r->dy.channel),
                   .b_run = kb_int(b, r->dy.row),
                   .b_tap = kb_int(b, r->dy.batch),
                   .partial = sums,
                   .partial_block = apart,
                   .out = sums,
                   .out_block = apart};
    core_emit(b, &tile, &c);
}

/* Tiles of part of each run, one run after the other. */
static void emit_split_runs(kb *b, const weight_recipe *r, const part_spot *p, int64_t block, int64_t blocks,
                            int64_t most) {
    tiling t = tile_row(r->columns.run, most);
    int64_t whole = t.first * t.size;
    kinst *run = kb_for(b, "run", kb_int(b, 0), kb_int(b, r->columns.runs), 1, KLOOP_SERIAL);
    if (t.first) {
        kinst *c = kb_for(b, "c", kb_int(b, 0), kb_int(b, whole), t.size, KLOOP_SERIAL);
        emit_tile(b, r, p, block, blocks, run, c, t.size);
        kb_end(b);
    }
    if (t.rest) {
        kinst *c = kb_for(b, "c", kb_int(b, whole), kb_int(b, r->columns.run), t.size - 1, KLOOP_SERIAL);
        emit_tile(b, r, p, block, blocks, run, c, t.size - 1);
        kb_end(b);
    }
    kb_end(b);
}

/* Tiles of whole runs. */
static void emit_whole_runs(kb *b, const weight_recipe *r, const part_spot *p, int64_t block, int64_t blocks,
                            int64_t most) {
    tiling t = tile_row(r->columns.runs, most / r->columns.run);
    int64_t whole = t.first * t.size;
    if (t.first) {
        kinst *run = kb_for(b, "run", kb_int(b, 0), kb_int(b, whole), t.size, KLOOP_SERIAL);
        emit_tile(b, r, p, block, blocks, run, NULL, t.size * r->columns.run);
        kb_end(b);
    }
    if (t.rest) {
        kinst *run = kb_for(b, "run", kb_int(b, whole), kb_int(b, r->columns.runs), t.size - 1, KLOOP_SERIAL);
        emit_tile(b, r, p, block, blocks, run, NULL, (t.size - 1) * r->columns.run);
        kb_end(b);
    }
}

/* All columns for `blocks` blocks of outputs, in the target's register tiles. */
static void emit_blocks(kb *b, const weight_recipe *r, const part_spot *p, int64_t blocks) {
    const target *t = b->target;
    int64_t wide = blocks < t->blocks ? blocks : t->blocks, most = t->pixels * t->blocks / wide;
    for (int64_t block = 0; block < blocks; block += wide) {
        if (r->columns.runs == 1 || r->columns.run > most)
            emit_split_runs(b, r, p, block, wide, most);
        else
            emit_whole_runs(b, r, p, block, wide, most);
    }
}

/* The rows [from, to) of dy of some samples, for every row of taps. */
static void emit_rows(kb *b, const weight_recipe *r, const unit_spot *u, kinst *sums, kinst *sample,
                      kinst *samples, kinst *from, kinst *to, int64_t blocks) {
    const window2d *w = &r->window;
    kinst *ky = kb_for(b, "ky", kb_int(b, 0), kb_int(b, r->tap_rows), 1, KLOOP_SERIAL), *first, *end;
    clip_results(b, w, 0, r->x.height, r->dy.height, ky, &first, &end);
    first = kb_max(b, first, from);
    part_spot p = {.samples = samples,
                   .rows = kb_max(b, kb_sub(b, kb_min(b, end, to), first), kb_int(b, 0)),
                   .sums = kb_offset(b, sums, kb_muli(b, ky, r->unit * width_of(r) * BLOCK))};
    kinst *row =
        kb_add(b, kb_addi(b, kb_muli(b, first, w->stride[0]), -w->top), kb_muli(b, ky, w->dilation[0]));
    kinst *x = kb_add(b, kb_add(b, u->x, kb_muli(b, sample, r->x.batch)), kb_muli(b, row, r->x.row));
    p.x = kb_offset(b, kb_param(b, ARG_X), kb_addi(b, x, r->x.start - w->left * r->x.pixel));
    kinst *dy = kb_add(b, kb_add(b, u->dy, kb_muli(b, sample, r->dy.batch)), kb_muli(b, first, r->dy.row));
    p.dy = kb_offset(b, kb_param(b, ARG_DY), kb_addi(b, dy, r->dy.start));
    emit_blocks(b, r, &p, blocks);
    kb_end(b);
}

/* The units of one kernel index: pairs of blocks of outputs (of all groups) times blocks of inputs. */
typedef struct index_spot {
    kinst *first_pair, *end_pair, *first_input, *end_input;
    kinst *sums; /* of the part of the batch, or of the index where there is one part */
} index_spot;

/* Opens two loops over the units. */
static unit_spot each_unit(kb *b, const weight_recipe *r, const index_spot *s, kinst **sums) {
    kinst *pair = kb_for(b, "pair", s->first_pair, s->end_pair, 1, KLOOP_SERIAL);
    kinst *input = kb_for(b, "input", s->first_input, s->end_input, 1, KLOOP_SERIAL);
    kinst *unit = kb_add(b, kb_muli(b, pair, r->blocks_in), input), *at = unit;
    if (r->parts == 1) {
        at = kb_muli(b, kb_sub(b, pair, s->first_pair), r->share_inputs);
        at = kb_add(b, at, kb_sub(b, input, s->first_input));
    }
    *sums = kb_offset(b, s->sums, kb_muli(b, at, sums_of(r)));
    return find_unit(b, r, unit);
}

static void end_units(kb *b) {
    kb_end(b);
    kb_end(b);
}

static void emit_samples(kb *b, const weight_recipe *r, const index_spot *i, kinst *from, kinst *to) {
    kinst *s = kb_for(b, "s", from, to, r->samples, KLOOP_SERIAL), *height = kb_int(b, r->dy.height), *sums;
    kinst *samples = r->samples == 1 ? kb_int(b, 1) : kb_min(b, kb_int(b, r->samples), kb_sub(b, to, s));
    kinst *y = kb_for(b, "y", kb_int(b, 0), height, r->rows, KLOOP_SERIAL);
    kinst *end = kb_min(b, kb_addi(b, y, r->rows), height);
    unit_spot u = each_unit(b, r, i, &sums);
    int64_t last = r->blocks_out % r->unit;
    if (last) {
        kb_if(b, kb_arith(b, S_EQ, u.pair, kb_int(b, pairs_of(r) - 1), NULL));
        emit_rows(b, r, &u, sums, s, samples, y, end, last);
        kb_else(b);
    }
    emit_rows(b, r, &u, sums, s, samples, y, end, r->unit);
    if (last) kb_end(b);
    end_units(b);
    kb_end(b);
    kb_end(b);
}

static void clear_units(kb *b, const weight_recipe *r, const index_spot *i) {
    kinst *sums;
    each_unit(b, r, i, &sums);
    kinst *e = kb_for(b, "e", kb_int(b, 0), kb_int(b, sums_of(r)), b->lanes, KLOOP_SERIAL);
    kb_store(b, sums, e, kb_const(b, kb_vector(b), 0));
    kb_end(b);
    end_units(b);
}

/* The column of input `i` and tap kx (of row ky, where the columns hold all rows). */
static kinst *column_of(kb *b, const weight_recipe *r, kinst *i, kinst *ky, kinst *kx) {
    const window2d *w = &r->window;
    if (r->x.blocked) return kb_add(b, kb_muli(b, kx, width_of(r) / w->kernel[1]), i);
    if (r->tap_rows == 1 && w->kernel[0] > 1) return kb_add(b, kb_muli(b, ky, w->kernel[1]), kx);
    return kb_add(b, kb_muli(b, i, w->kernel[1]), kx);
}

/* The unit's sums into the weight's own order, output by output. */
static void store_unit(kb *b, const weight_recipe *r, const unit_spot *u, kinst *sums) {
    const window2d *w = &r->window;
    int64_t taps = w->kernel[0] * w->kernel[1], block = r->x.blocked ? BLOCK : r->inputs;
    kinst *zero = kb_int(b, 0), *first = kb_muli(b, u->pair, r->unit * BLOCK),
          *in = kb_muli(b, u->input, block);
    kinst *outputs = kb_min(b, kb_int(b, r->unit * BLOCK), kb_sub(b, kb_int(b, r->outputs), first));
    kinst *inputs = kb_min(b, kb_int(b, block), kb_sub(b, kb_int(b, r->inputs), in));
    kinst *o = kb_for(b, "o", zero, outputs, 1, KLOOP_SERIAL);
    kinst *row = kb_add(b, kb_add(b, kb_muli(b, u->group, r->outputs), first), o);
    row = kb_add(b, kb_muli(b, row, r->inputs), in);
    kinst *lane = kb_add(b, kb_muli(b, kb_divi(b, o, BLOCK), width_of(r) * BLOCK), kb_modi(b, o, BLOCK));
    kinst *i = kb_for(b, "i", zero, inputs, 1, KLOOP_SERIAL);
    kinst *to = kb_muli(b, kb_add(b, row, i), taps);
    kinst *ky = kb_for(b, "ky", zero, kb_int(b, w->kernel[0]), 1, KLOOP_SERIAL);
    kinst *kx = kb_for(b, "kx", zero, kb_int(b, w->kernel[1]), 1,
                       w->kernel[1] <= UNROLLED ? KLOOP_UNROLL : KLOOP_SERIAL);
    kinst *from = kb_add(b, lane, kb_muli(b, column_of(b, r, i, ky, kx), BLOCK));
    if (r->tap_rows > 1) from = kb_add(b, from, kb_muli(b, ky, r->unit * width_of(r) * BLOCK));
    kinst *at = kb_add(b, kb_add(b, to, kb_muli(b, ky, w->kernel[1])), kx);
    kb_store(b, kb_param(b, ARG_OUT), at, kb_load(b, kb_real(b), sums, from));
    for (int k = 0; k < 4; k++) kb_end(b);
}

static void store_units(kb *b, const weight_recipe *r, const index_spot *i) {
    kinst *sums;
    unit_spot u = each_unit(b, r, i, &sums);
    store_unit(b, r, &u, sums);
    end_units(b);
}

static void build_units(kb *b, const void *recipe) {
    const weight_recipe *r = recipe;
    int64_t pairs = r->groups * pairs_of(r), across = ceil_div(r->blocks_in, r->share_inputs);
    kinst *i = kb_param(b, 0), *n = kb_param(b, 1), *rest = kb_divi(b, i, across);
    kinst *share = kb_modi(b, rest, ceil_div(pairs, r->share_pairs)),
          *part = kb_divi(b, rest, ceil_div(pairs, r->share_pairs));
    index_spot s = {.first_pair = kb_muli(b, share, r->share_pairs),
                    .first_input = kb_muli(b, kb_modi(b, i, across), r->share_inputs)};
    s.end_pair = kb_min(b, kb_addi(b, s.first_pair, r->share_pairs), kb_int(b, pairs));
    s.end_input = kb_min(b, kb_addi(b, s.first_input, r->share_inputs), kb_int(b, r->blocks_in));
    s.sums = kb_param(b, ARG_SUMS);
    if (r->parts > 1) s.sums = kb_offset(b, s.sums, kb_muli(b, part, units_of(r) * sums_of(r)));
    kinst *from = kb_divi(b, kb_mul(b, part, n), r->parts);
    kinst *to = kb_divi(b, kb_mul(b, kb_addi(b, part, 1), n), r->parts);
    clear_units(b, r, &s);
    emit_samples(b, r, &s, from, to);
    if (r->parts == 1) store_units(b, r, &s);
}

/* The parts' sums of one unit added up, into those of the first. */
static void build_total(kb *b, const void *recipe) {
    const weight_recipe *r = recipe;
    kinst *unit = kb_param(b, 0), *sums = kb_offset(b, kb_param(b, ARG_SUMS), kb_muli(b, unit, sums_of(r)));
    kinst *e = kb_for(b, "e", kb_int(b, 0), kb_int(b, sums_of(r)), b->lanes, KLOOP_SERIAL);
    kinst *v = kb_load(b, kb_vector(b), sums, e);
    for (int64_t k = 1; k < r->parts; k++) {
        kinst *at = kb_addi(b, e, k * units_of(r) * sums_of(r));
        v = kb_add(b, v, kb_load(b, kb_vector(b), sums, at));
    }
    kb_store(b, sums, e, v);
    kb_end(b);
    unit_spot u = find_unit(b, r, unit);
    store_unit(b, r, &u, sums);
}

/* ---- the recipe ---- */

/* Does every row of taps fall on the image for all results? Then columns may hold all of them. */
static bool rows_inside(const weight_recipe *r) {
    const window2d *w = &r->window;
    return w->top == 0 &&
           (r->dy.height - 1) * w->stride[0] + (w->kernel[0] - 1) * w->dilation[0] < r->x.height;
}

static void set_columns(weight_recipe *r) {
    const window2d *w = &r->window;
    columns *c = &r->columns;
    r->tap_rows = w->kernel[0];
    if (!r->x.blocked && r->inputs == 1 && rows_inside(r)) { /* one channel: its taps alone are few */
        r->tap_rows = 1;
        *c = (columns){w->kernel[0], w->kernel[1], w->dilation[1], w->dilation[0] * r->x.row};
    } else if (!r->x.blocked) {
        *c = (columns){r->inputs, w->kernel[1], w->dilation[1], r->x.channel};
    } else if (r->inputs < BLOCK || w->dilation[1] > 1) {
        *c = (columns){w->kernel[1], r->inputs < BLOCK ? r->inputs : BLOCK, 1, w->dilation[1] * BLOCK};
    } else {
        *c = (columns){1, w->kernel[1] * BLOCK, 1, 0};
    }
}

/* What the core takes at a time, and how many parts the batch is cut into. */
static void cut(weight_recipe *r, int64_t max_batch, int64_t bytes) {
    int64_t x_row = r->window.stride[0] * r->x.row * (r->x.blocked ? 1 : r->inputs);
    int64_t row = (x_row + r->unit * r->dy.row) * bytes;
    /* many taps make up for what the second level costs, and save going through all sums often */
    int64_t room = FIRST_CACHE * r->window.kernel[0] * r->window.kernel[1],
            most = (room < CACHE ? room : CACHE) / row;
    r->rows = r->dy.height;
    r->samples = 1;
    if (most >= 2 * r->rows)
        r->samples = most / r->rows;
    else if (most < r->rows)
        r->rows = ceil_div(r->rows, ceil_div(r->rows, most > 0 ? most : 1));
    int64_t pairs = r->groups * pairs_of(r), parts = MOST_SUMS / (units_of(r) * sums_of(r));
    r->parts = parts > MOST_PARTS ? MOST_PARTS : parts > 1 ? parts : 1;
    if (r->parts > max_batch) r->parts = max_batch;
    int64_t shares = ceil_div(INDICES, r->parts);
    r->share_pairs = ceil_div(pairs, shares);
    r->share_inputs = ceil_div(r->blocks_in, ceil_div(shares, pairs));
}

/* Views with strides alone, as far as they are known before there are places. */
static weight_recipe recipe_of(const node *n, view x, view dy, int64_t max_batch, int64_t bytes) {
    const conv_weight_attrs *a = n->attrs;
    weight_recipe r;
    memset(&r, 0, sizeof r);
    r.x = x;
    r.dy = dy;
    r.window = weight_window(n);
    r.groups = a->conv.groups;
    r.inputs = x.channels / r.groups;
    r.outputs = dy.channels / r.groups;
    r.blocks_in = x.blocked ? ceil_div(r.inputs, BLOCK) : 1;
    r.blocks_out = ceil_div(r.outputs, BLOCK);
    r.unit = r.blocks_out > 1 ? UNIT : 1;
    set_columns(&r);
    cut(&r, max_batch, bytes);
    return r;
}

static void lower_core(lower *l, const node *n) {
    kbase real = l->program->real;
    int64_t batch = l->program->max_batch;
    weight_recipe r =
        recipe_of(n, lower_view(l, n->in[0]), lower_view(l, n->in[1]), batch, kbase_bytes(real));
    call_arg sums = r.parts > 1
                        ? lower_room(l, n)
                        : lower_scratch(l, r.share_pairs * r.share_inputs * sums_of(&r) * kbase_bytes(real));
    kparam params[] = {{"x", k_ptr(real)}, {"dy", k_ptr(real)}, {"sums", k_out(real)}, {"out", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->in[1]), sums, lower_value(l, n->out[0])};
    char name[64];
    snprintf(name, sizeof name, "conv_weight%d_%dx%d", (int)r.window.kernel[0], (int)n->in[1]->shape.dim[1],
             (int)r.dy.height);
    int64_t shares = ceil_div(r.groups * pairs_of(&r), r.share_pairs) * ceil_div(r.blocks_in, r.share_inputs);
    kcount runs = {shares * r.parts, 0};
    double work = (double)node_work(n) * (double)batch / (double)runs.mul;
    kernel *k = lower_kernel(l, name, build_units, &r, sizeof r, params, 4, runs, work);
    lower_call(l, k, args, 4, n);
    if (r.parts == 1) return;
    snprintf(name, sizeof name, "conv_weight%d_%dx%d_total", (int)r.window.kernel[0],
             (int)n->in[1]->shape.dim[1], (int)r.dy.height);
    work = (double)(sums_of(&r) * r.parts) / BLOCK;
    k = lower_kernel(l, name, build_total, &r, sizeof r, params, 4, (kcount){units_of(&r), 0}, work);
    lower_call(l, k, args, 4, n);
}

/* ---- the candidate ---- */

static bool stays_planar(const node *n) {
    const conv_weight_attrs *a = n->attrs;
    return a->conv.groups == 1 && n->in[0]->shape.dim[1] < FEW && n->in[0]->layout.kind == LAYOUT_PLANAR;
}

static void core_layouts(const node *n, layout *in, layout *out) {
    weight_halo(n, &in[0]);
    in[0].kind = stays_planar(n) ? LAYOUT_PLANAR : LAYOUT_BLOCKED16;
    in[1] = (layout){.kind = LAYOUT_BLOCKED16};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

/* A view as the recipe needs it where places are not known: all but the distance of samples. */
static view view_of(const value *v) {
    view w = {.channels = v->shape.dim[1],
              .height = v->shape.dim[2],
              .width = v->shape.dim[3],
              .blocked = v->layout.kind == LAYOUT_BLOCKED16};
    w.pixel = w.blocked ? BLOCK : 1;
    w.row = (v->layout.left + w.width + v->layout.right) * w.pixel;
    w.channel = w.height * w.row;
    return w;
}

static int64_t core_room(const node *n, int64_t max_batch) {
    weight_recipe r = recipe_of(n, view_of(n->in[0]), view_of(n->in[1]), max_batch, 4);
    return r.parts > 1 ? r.parts * units_of(&r) * sums_of(&r) : 0;
}

/* Groups whose channels are whole blocks. */
static bool core_legal(const node *n) {
    const conv_weight_attrs *a = n->attrs;
    int64_t groups = a->conv.groups;
    return groups == 1 ||
           (n->in[0]->shape.dim[1] / groups % BLOCK == 0 && n->in[1]->shape.dim[1] / groups % BLOCK == 0);
}

/* Products of whole blocks; the columns that planar images or few channels leave out are no work. */
static double core_cost(const node *n, int64_t batch) {
    weight_recipe r = recipe_of(n, view_of(n->in[0]), view_of(n->in[1]), batch, 4);
    double lanes = (double)(r.groups * r.blocks_out * BLOCK), inputs = r.x.blocked ? (double)r.blocks_in : 1;
    return lanes * inputs * (double)(r.tap_rows * width_of(&r) * r.dy.height * r.dy.width);
}

const candidate weight_core_candidate = {.name = "core",
                                         .families = FAMILY_CPU,
                                         .legal = core_legal,
                                         .cost = core_cost,
                                         .layouts = core_layouts,
                                         .lower = lower_core,
                                         .room = core_room};
