/* Ops that move elements without computing: transpose, slice, split, concat, pad, upsample (nearest and
 * bilinear), embedding, one_hot. Each is a formula from an element's index to where it comes from. */
#include "ir/kernel/nest.h"
#include "ir/kernel/upsample.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <string.h>

enum { MAX_PARTS = 16 };

/* One record for all: result, sources, and numbers by axis that each formula reads its own way. */
typedef struct move_recipe {
    desc out, in[MAX_PARTS];
    int64_t parts, base;
    int64_t axis, a[MAX_RANK], c[MAX_RANK];
    double value;
} move_recipe;

static move_recipe start_recipe(const lower *l, const node *n, int k) {
    move_recipe r;
    memset(&r, 0, sizeof r);
    r.out = lower_desc(l, n->out[k]);
    r.base = nest_base(l, n->out[k]->type);
    r.parts = n->inputs < MAX_PARTS ? n->inputs : MAX_PARTS;
    for (int j = 0; j < r.parts; j++) r.in[j] = lower_desc(l, n->in[j]);
    return r;
}

static kinst *load_part(kb *b, const move_recipe *r, int part, kinst *const *idx, run run_) {
    return nest_load(b, &r->in[part], kb_param(b, 2 + part), idx, (kbase)r->base, run_);
}

/* ---- transpose: axis k of the result is axis a[k] of x ---- */

static kinst *transposed(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    kinst *from[MAX_RANK];
    for (int64_t k = 0; k < r->out.rank; k++) from[r->a[k]] = idx[k];
    return load_part(b, r, 0, from, run_);
}

static void build_transpose(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    bool vector = r->a[r->out.rank - 1] == r->out.rank - 1 && !r->in[0].blocked;
    nest_build(b, &r->out, 3, vector, transposed, r);
}

static void lower_transpose(lower *l, const node *n) {
    const transpose_attrs *a = n->attrs;
    move_recipe r = start_recipe(l, n, 0);
    for (int k = 0; k < a->order.count; k++) r.a[k] = a->order.at[k];
    nest_lower(l, n, 0, build_transpose, &r, sizeof r, 1);
}

/* ---- slice and split: element a + idx·c of the axis ---- */

static kinst *sliced(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    kinst *from[MAX_RANK];
    for (int64_t k = 0; k < r->out.rank; k++) from[k] = kb_addi(b, kb_muli(b, idx[k], r->c[k]), r->a[k]);
    return load_part(b, r, 0, from, run_);
}

static void build_slice(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    bool vector = r->out.rank > 0 && r->c[r->out.rank - 1] == 1 && !r->in[0].blocked;
    nest_build(b, &r->out, 3, vector, sliced, r);
}

static void emit_slice(lower *l, const node *n, int k, int64_t axis, int64_t first, int64_t by) {
    move_recipe r = start_recipe(l, n, k);
    for (int64_t j = 0; j < r.out.rank; j++) r.c[j] = 1;
    r.a[axis] = first;
    r.c[axis] = by;
    nest_lower(l, n, k, build_slice, &r, sizeof r, 1);
}

static void lower_slice(lower *l, const node *n) {
    const slice_attrs *a = n->attrs;
    emit_slice(l, n, 0, a->axis, a->start, a->step);
}

static void lower_split(lower *l, const node *n) {
    const split_attrs *a = n->attrs;
    int64_t first = 0;
    for (int k = 0; k < n->outputs; k++) {
        if (!l->places[n->out[k]->id].view) emit_slice(l, n, k, a->axis, first, 1);
        first += a->sizes.at[k];
    }
}

/* ---- concat: one kernel a part; part p lies at a[axis] of the result's axis ---- */

typedef struct part_recipe {
    desc in, out;
    int64_t base, axis, first;
} part_recipe;

static void build_part(kb *b, const void *recipe) {
    const part_recipe *r = recipe;
    desc walk = r->in; /* loops over the part's own elements */
    walk.left = walk.right = 0;
    int64_t last = walk.rank - 1;
    kinst *idx[MAX_RANK], *to[MAX_RANK], *i = kb_param(b, 0);
    for (int64_t k = walk.rank - 2; k >= 0; k--) {
        idx[k] = k == 0 ? i : kb_modi(b, i, walk.dim[k]);
        if (k) i = kb_divi(b, i, walk.dim[k]);
    }
    idx[last] = kb_for(b, "x", kb_int(b, 0), kb_int(b, walk.dim[last]), 1, KLOOP_SERIAL);
    memcpy(to, idx, sizeof to);
    to[r->axis] = kb_addi(b, idx[r->axis], r->first);
    kinst *v = nest_load(b, &r->in, kb_param(b, 2), idx, (kbase)r->base, (run){1, NULL});
    kb_store(b, kb_param(b, 3), kb_address(b, &r->out, to), v);
    kb_end(b);
}

static void build_clear(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, r->a[0]), 1, KLOOP_SERIAL);
    kinst *at = kb_add(b, kb_muli(b, kb_param(b, 0), r->out.stride[0]), x);
    kb_store(b, kb_param(b, 2), at, kb_const(b, k_scalar((kbase)r->base), 0));
    kb_end(b);
}

/* Where tail lanes or a halo remain between the parts, the result is cleared first. */
static void clear_result(lower *l, const node *n) {
    const layout *y = &n->out[0]->layout;
    move_recipe r = start_recipe(l, n, 0);
    r.parts = 0;
    memset(r.in, 0, sizeof r.in);
    r.a[0] = layout_count(y, &n->out[0]->shape);
    if (r.a[0] == shape_count(&n->out[0]->shape)) return;
    kparam param = {"out", k_out((kbase)r.base)};
    call_arg arg = lower_value(l, n->out[0]);
    kernel *k = lower_kernel(l, "clear", build_clear, &r, sizeof r, &param, 1, (kcount){1, r.out.batched},
                             (double)r.a[0]);
    lower_call(l, k, &arg, 1, n);
}

/* Did the part's producer write it where it belongs in the result? A view of something else, or a part that the
 * concat holds twice, lies elsewhere. */
static bool in_place(const lower *l, const node *n, int k, int64_t axis, int64_t first) {
    const place *part = &l->places[n->in[k]->id], *whole = &l->places[n->out[0]->id];
    desc d = lower_desc(l, n->out[0]);
    int64_t offset = (d.blocked && axis == d.axis ? first / BLOCK : first) * d.stride[axis];
    return part->view && part->buffer == whole->buffer && part->offset == whole->offset + offset;
}

static void lower_concat(lower *l, const node *n) {
    const axis_attrs *a = n->attrs;
    int64_t first = 0;
    bool all_views = true;
    for (int k = 0; k < n->inputs; first += n->in[k++]->shape.dim[a->axis])
        all_views &= in_place(l, n, k, a->axis, first);
    if (!all_views) clear_result(l, n);
    first = 0;
    for (int k = 0; k < n->inputs; k++) {
        part_recipe r;
        memset(&r, 0, sizeof r);
        r.in = lower_desc(l, n->in[k]);
        r.out = lower_desc(l, n->out[0]);
        r.base = nest_base(l, n->out[0]->type);
        r.axis = a->axis;
        r.first = first;
        first += n->in[k]->shape.dim[a->axis];
        if (in_place(l, n, k, a->axis, r.first)) continue;
        kparam params[] = {{"in", k_ptr((kbase)r.base)}, {"out", k_out((kbase)r.base)}};
        call_arg args[] = {lower_value(l, n->in[k]), lower_value(l, n->out[0])};
        kcount runs = {1, r.in.batched};
        for (int64_t j = r.in.batched; j + 1 < r.in.rank; j++) runs.mul *= r.in.dim[j];
        const char *name = arena_printf(l->arena, "concat_%d", (int)shape_count(&n->in[k]->shape));
        kernel *part =
            lower_kernel(l, name, build_part, &r, sizeof r, params, 2, runs, (double)r.in.dim[r.in.rank - 1]);
        lower_call(l, part, args, 2, n);
    }
}

/* ---- pad: a before, c the size inside ---- */

static kinst *reflected(kb *b, kinst *x, int64_t size) {
    kinst *zero = kb_int(b, 0);
    x = kb_max(b, x, kb_sub(b, zero, x));
    return kb_min(b, x, kb_sub(b, kb_int(b, 2 * (size - 1)), x));
}

static kinst *padded(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    kinst *from[MAX_RANK], *inside = NULL, *zero = kb_int(b, 0);
    for (int64_t k = 0; k < r->out.rank; k++) {
        from[k] = kb_addi(b, idx[k], -r->a[k]);
        if (r->c[k] == r->out.dim[k]) continue;
        if (r->axis == 1) from[k] = reflected(b, from[k], r->c[k]);
        kinst *low = kb_arith(b, S_GE, from[k], zero, NULL);
        kinst *both = kb_select(b, low, kb_arith(b, S_LT, from[k], kb_int(b, r->c[k]), NULL), low);
        inside = inside ? kb_select(b, inside, both, inside) : both;
        from[k] = kb_max(b, zero, kb_min(b, from[k], kb_int(b, r->c[k] - 1)));
    }
    kinst *v = load_part(b, r, 0, from, run_);
    if (r->axis || !inside) return v;
    return kb_select(b, inside, v, kb_const(b, k_scalar((kbase)r->base), r->value));
}

static void build_pad(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, padded, r);
}

/* axis says the mode: 0 constant, 1 reflect, 2 replicate. */
static void lower_pad(lower *l, const node *n) {
    const pad_attrs *a = n->attrs;
    move_recipe r = start_recipe(l, n, 0);
    r.axis = strcmp(a->mode, "reflect") == 0 ? 1 : strcmp(a->mode, "replicate") == 0 ? 2 : 0;
    r.value = a->value;
    for (int64_t k = 0; k < r.out.rank; k++) {
        int64_t at = k - r.out.batched;
        r.c[k] = r.in[0].dim[k];
        r.a[k] = at < 0 ? 0 : a->before.at[at];
    }
    nest_lower(l, n, 0, build_pad, &r, sizeof r, 2);
}

/* ---- upsample ---- */

static kinst *nearest(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    kinst *from[MAX_RANK];
    for (int64_t k = 0; k < r->out.rank; k++)
        from[k] = r->in[0].dim[k] == r->out.dim[k]
                      ? idx[k]
                      : kb_divi(b, kb_muli(b, idx[k], r->in[0].dim[k]), r->out.dim[k]);
    return load_part(b, r, 0, from, run_);
}

static void build_nearest(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, nearest, r);
}

void upsample_neighbours(kb *b, const upsampling *u, kinst *at, kinst **low, kinst **high, kinst **part) {
    int64_t in = u->in, out = u->out;
    ktype real = kb_real(b);
    kinst *x = kb_cast(b, real, at);
    if (u->align_corners) {
        double ratio = out > 1 ? (double)(in - 1) / (double)(out - 1) : 0;
        x = kb_mul(b, x, kb_const(b, real, ratio));
    } else {
        kinst *half = kb_const(b, real, 0.5);
        x = kb_mul(b, kb_add(b, x, half), kb_const(b, real, (double)in / (double)out));
        x = kb_max(b, kb_sub(b, x, half), kb_const(b, real, 0));
    }
    kinst *first = kb_min(b, kb_cast(b, k_scalar(KB_INT), x), kb_int(b, in - 1));
    *low = first;
    *high = kb_min(b, kb_addi(b, first, 1), kb_int(b, in - 1));
    *part = kb_sub(b, x, kb_cast(b, real, first));
}

static kinst *lerp(kb *b, kinst *x, kinst *y, kinst *part) {
    kinst *rest = kb_sub(b, kb_const(b, kb_real(b), 1), part);
    return kb_add(b, kb_mul(b, rest, x), kb_mul(b, part, y));
}

static kinst *bilinear(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    int64_t h = r->out.rank - 2, w = h + 1;
    kinst *row[2], *column[2], *down, *across, *line[2], *from[MAX_RANK];
    upsampling rows = {r->in[0].dim[h], r->out.dim[h], r->axis};
    upsampling columns = {r->in[0].dim[w], r->out.dim[w], r->axis};
    upsample_neighbours(b, &rows, idx[h], &row[0], &row[1], &down);
    upsample_neighbours(b, &columns, idx[w], &column[0], &column[1], &across);
    memcpy(from, idx, sizeof *from * (size_t)r->out.rank);
    for (int k = 0; k < 2; k++) {
        from[h] = row[k];
        from[w] = column[0];
        kinst *left = load_part(b, r, 0, from, run_);
        from[w] = column[1];
        line[k] = lerp(b, left, load_part(b, r, 0, from, run_), across);
    }
    return lerp(b, line[0], line[1], down);
}

static void build_bilinear(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, bilinear, r);
}

static void lower_upsample(lower *l, const node *n) {
    const upsample_attrs *a = n->attrs;
    move_recipe r = start_recipe(l, n, 0);
    bool smooth = strcmp(a->mode, "bilinear") == 0;
    r.axis = a->align_corners;
    nest_lower(l, n, 0, smooth ? build_bilinear : build_nearest, &r, sizeof r, smooth ? 8 : 1);
}

/* ---- embedding: rows of a table by index, clamped to it ---- */

static kinst *embedded(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    kinst *index = nest_load(b, &r->in[0], kb_param(b, 2), idx, KB_I32, (run){1, NULL});
    index = kb_cast(b, k_scalar(KB_INT), index);
    index = kb_max(b, kb_int(b, 0), kb_min(b, index, kb_int(b, r->in[1].dim[0] - 1)));
    kinst *from[2] = {index, idx[r->out.rank - 1]};
    return load_part(b, r, 1, from, run_);
}

static void build_embedding(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    nest_build(b, &r->out, 4, true, embedded, r);
}

static void lower_embedding(lower *l, const node *n) {
    move_recipe r = start_recipe(l, n, 0);
    nest_lower(l, n, 0, build_embedding, &r, sizeof r, 1);
}

/* ---- one_hot: is the class that of the last axis? ---- */

static kinst *hot(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const move_recipe *r = recipe;
    (void)run_;
    kinst *label = kb_load(b, k_scalar(KB_I32), kb_param(b, 2), kb_address(b, &r->in[0], idx));
    kinst *same = kb_arith(b, S_EQ, kb_cast(b, k_scalar(KB_INT), label), idx[r->out.rank - 1], NULL);
    return kb_select(b, same, kb_const(b, kb_real(b), 1), kb_const(b, kb_real(b), 0));
}

static void build_one_hot(kb *b, const void *recipe) {
    const move_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, hot, r);
}

static void lower_one_hot(lower *l, const node *n) {
    move_recipe r = start_recipe(l, n, 0);
    nest_lower(l, n, 0, build_one_hot, &r, sizeof r, 1);
}

/* ---- candidates ---- */

/* All parts blocked if one is: then lanes need not be told apart. */
static void concat_layouts(const node *n, layout *in, layout *out) {
    bool blocked = false;
    for (int k = 0; k < n->inputs; k++) blocked |= n->in[k]->layout.kind == LAYOUT_BLOCKED16;
    *out = (layout){.kind = blocked ? LAYOUT_BLOCKED16 : LAYOUT_PLANAR};
    for (int k = 0; k < n->inputs; k++) in[k] = *out;
}

#define MOVE(op, how, function, choose)                                                                      \
    static const candidate op##_move = {                                                                     \
        .name = how, .families = FAMILY_CPU, .layouts = choose, .lower = function};                          \
    const candidate *const op##_candidates[] = {&op##_move, NULL};
MOVE(transpose, "copy", lower_transpose, NULL)
MOVE(slice, "copy", lower_slice, nest_layouts)
MOVE(split, "copy", lower_split, NULL)
MOVE(concat, "copy", lower_concat, concat_layouts)
MOVE(pad, "copy", lower_pad, nest_layouts)
MOVE(upsample, "copy", lower_upsample, nest_layouts)
MOVE(embedding, "copy", lower_embedding, NULL)
MOVE(one_hot, "compare", lower_one_hot, NULL)
