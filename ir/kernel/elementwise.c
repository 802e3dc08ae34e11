/* Elementwise operations and fused chains of them, over strided operands: dimensions that every operand walks
 * alike are merged, the innermost is taken by vectors, broadcasting is a stride of zero. A blocked value
 * counts as [N][C/16][H][W][16]. */
#include "ir/kernel/elementwise.h"
#include "ir/kernel/epilogue.h"
#include "ir/kernel/halo.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_TENSORS = 16, /* operands and results */
    MAX_RESULTS = MAX_RANK,
    MAX_DIMS = MAX_RANK + 1,
    CHUNK = 2048
};

typedef struct strided_recipe {
    int64_t dims, dim[MAX_DIMS];
    int64_t tensors, results;              /* operands first, results last */
    int64_t step[MAX_RESULTS];             /* of e that is result k; -1: the last */
    int64_t stride[MAX_TENSORS][MAX_DIMS]; /* elements; 0 repeats */
    int64_t batch[MAX_TENSORS], start[MAX_TENSORS], base[MAX_TENSORS] /* kbase */;
    int64_t outer;                         /* leading dims told apart by the kernel index */
    int64_t chunk;                         /* of a single long dim that the kernel index cuts; 0: whole */
    int64_t channels, group_dim, lane_dim; /* mask of tail lanes: where lane_dim ≥ 0 */
    view out[MAX_RESULTS];                 /* halos */
    const expr *e;
} strided_recipe;

static kbase base_of(const lower *l, dtype t) {
    return t == DT_I32 ? KB_I32 : t == DT_U8 ? KB_U8 : l->program->real;
}

/* Dimensions of the result, the channel axis split where it is blocked; the batch left out. */
static void set_dims(strided_recipe *r, const desc *d) {
    for (int64_t k = d->batched; k < d->rank; k++) {
        bool split = d->blocked && k == d->axis;
        r->dim[r->dims++] = split ? ceil_div(d->dim[k], BLOCK) : d->dim[k];
        if (split) r->channels = d->dim[k], r->group_dim = r->dims - 1;
    }
    if (d->blocked) {
        r->lane_dim = r->dims;
        r->dim[r->dims++] = BLOCK;
    }
}

/* How operand v, aligned at the right, walks the result's dimensions. */
static void set_strides(strided_recipe *r, lower *l, int tensor, const value *v, const desc *out) {
    desc d = lower_desc(l, v);
    int64_t *stride = r->stride[tensor];
    r->start[tensor] = d.start;
    r->base[tensor] = base_of(l, v->type);
    if (d.batched) r->batch[tensor] = d.stride[0];
    for (int64_t k = d.batched; k < d.rank; k++) {
        int64_t at = k + out->rank - d.rank - out->batched; /* index among r's dims */
        if (at < 0) continue;                               /* a leading 1 */
        stride[at] = d.dim[k] == 1 ? 0 : d.stride[k];
    }
    if (out->blocked) {
        int64_t k = d.axis;
        bool channels = k >= 0 && d.dim[k] > 1;
        stride[r->lane_dim] = channels || out->dim[out->axis] == 1 ? d.blocked : 0;
    }
}

static bool mergeable(const strided_recipe *r, int64_t k) {
    for (int64_t t = 0; t < r->tensors; t++)
        if (r->stride[t][k] != r->stride[t][k + 1] * r->dim[k + 1]) return false;
    return true;
}

static void drop_dim(strided_recipe *r, int64_t k) {
    for (int64_t j = k; j + 1 < r->dims; j++) {
        r->dim[j] = r->dim[j + 1];
        for (int64_t t = 0; t < r->tensors; t++) r->stride[t][j] = r->stride[t][j + 1];
    }
    r->dims--;
    r->dim[r->dims] = 0;
    for (int64_t t = 0; t < r->tensors; t++) r->stride[t][r->dims] = 0;
}

/* Merges dimensions from `from` on; those before it stay apart (rows, where the result has a halo). */
static void merge_dims(strided_recipe *r, int64_t from) {
    for (int64_t k = r->dims - 1; k >= from && r->dims > from + 1; k--)
        if (r->dim[k] == 1) drop_dim(r, k);
    for (int64_t k = r->dims - 2; k >= from; k--) {
        if (!mergeable(r, k)) continue;
        r->dim[k + 1] *= r->dim[k];
        drop_dim(r, k);
    }
}

/* Which dimensions the kernel index runs over. */
static void set_outer(strided_recipe *r) {
    int64_t inner = 1, k = r->dims;
    while (k > 0 && (inner < CHUNK / 2 || k == r->dims)) inner *= r->dim[--k];
    r->outer = k;
    if (k == 0 && r->dims == 1 && r->dim[0] > 2 * CHUNK) r->chunk = CHUNK;
}

/* ---- the kernel ---- */

static kinst *load_operand(kb *b, const strided_recipe *r, int t, kinst *ptr, kinst *at, kinst *count,
                           int lanes) {
    kbase base = (kbase)r->base[t];
    bool repeat = r->stride[t][r->dims - 1] == 0;
    ktype type = repeat || lanes == 1 ? k_scalar(base) : k_vector(base, lanes);
    kinst *v = !repeat && count ? kb_load_part(b, type, ptr, at, count) : kb_load(b, type, ptr, at);
    if (base != b->real) v = kb_cast(b, (ktype){.base = (uint8_t)b->real, .lanes = v->type.lanes}, v);
    return repeat && lanes > 1 ? kb_splat(b, v, lanes) : v;
}

static void store_result(kb *b, const strided_recipe *r, int t, kinst *y, kinst *const *at, kinst *x,
                         kinst *count, kinst *valid) {
    if (valid) y = kb_select(b, kb_tail(b, kb_sub(b, valid, x), b->lanes), y, kb_const(b, kb_vector(b), 0));
    if (r->base[t] != (int64_t)b->real) y = kb_cast(b, k_vector((kbase)r->base[t], b->lanes), y);
    kinst *ptr = kb_param(b, 2 + t), *where = kb_add(b, at[t], x);
    if (count)
        kb_store_part(b, ptr, where, y, count);
    else
        kb_store(b, ptr, where, y);
}

/* One vector (or, with count, part of one) of the innermost dimension at position x. */
static void emit_vector(kb *b, const strided_recipe *r, kinst *const *at, kinst *x, kinst *count,
                        kinst *valid) {
    kinst *input[MAX_TENSORS], *y[MAX_RESULTS];
    int operands = (int)(r->tensors - r->results);
    for (int t = 0; t < operands; t++) {
        kinst *where = kb_add(b, at[t], kb_muli(b, x, r->stride[t][r->dims - 1]));
        input[t] = load_operand(b, r, t, kb_param(b, 2 + t), where, count, b->lanes);
    }
    if (r->step[0] < 0)
        y[0] = kb_expr(b, r->e, input);
    else
        kb_exprs(b, r->e, input, r->step, (int)r->results, y);
    for (int k = 0; k < r->results; k++) store_result(b, r, operands + k, y[k], at, x, count, valid);
}

static void emit_run(kb *b, const strided_recipe *r, kinst *const *at, kinst *from, kinst *to, kinst *valid) {
    kinst *whole = kb_muli(b, kb_divi(b, kb_sub(b, to, from), b->lanes), b->lanes);
    kinst *end = kb_add(b, from, whole);
    kinst *x = kb_for(b, "x", from, end, b->lanes, KLOOP_SERIAL);
    emit_vector(b, r, at, x, NULL, valid);
    kb_end(b);
    if (r->dim[r->dims - 1] % b->lanes == 0) return;
    kinst *left = kb_sub(b, to, end);
    kb_if(b, kb_arith(b, S_GT, left, kb_int(b, 0), NULL));
    emit_vector(b, r, at, end, left, valid);
    kb_end(b);
}

/* Loops over dimensions [k, dims − 1), then the run. */
static void emit_loops(kb *b, const strided_recipe *r, int64_t k, kinst **at, kinst *from, kinst *to,
                       kinst *valid) {
    if (k == r->dims - 1) {
        emit_run(b, r, at, from, to, valid);
        return;
    }
    kinst *next[MAX_TENSORS] = {NULL};
    kinst *j = kb_for(b, "j", kb_int(b, 0), kb_int(b, r->dim[k]), 1, KLOOP_SERIAL);
    for (int t = 0; t < r->tensors; t++) next[t] = kb_add(b, at[t], kb_muli(b, j, r->stride[t][k]));
    if (r->lane_dim >= 0 && k == r->group_dim)
        valid = kb_sub(b, kb_int(b, r->channels), kb_muli(b, j, BLOCK));
    emit_loops(b, r, k + 1, next, from, to, valid);
    kb_end(b);
}

static void build_strided(kb *b, const void *recipe) {
    const strided_recipe *r = recipe;
    kinst *i = kb_param(b, 0), *at[MAX_TENSORS] = {NULL}, *valid = NULL;
    kinst *from = kb_int(b, 0), *to = kb_int(b, r->dim[r->dims - 1]);
    for (int t = 0; t < r->tensors; t++) at[t] = kb_int(b, r->start[t]);
    if (r->chunk) {
        int64_t chunks = ceil_div(r->dim[0], r->chunk);
        from = kb_muli(b, kb_modi(b, i, chunks), r->chunk);
        to = kb_min(b, kb_addi(b, from, r->chunk), to);
        i = kb_divi(b, i, chunks);
    }
    for (int64_t k = r->outer - 1; k >= 0; k--) {
        kinst *index = kb_modi(b, i, r->dim[k]);
        i = kb_divi(b, i, r->dim[k]);
        for (int t = 0; t < r->tensors; t++) at[t] = kb_add(b, at[t], kb_muli(b, index, r->stride[t][k]));
        if (r->lane_dim >= 0 && k == r->group_dim)
            valid = kb_sub(b, kb_int(b, r->channels), kb_muli(b, index, BLOCK));
    }
    for (int t = 0; t < r->tensors; t++) at[t] = kb_add(b, at[t], kb_muli(b, i, r->batch[t]));
    emit_loops(b, r, r->outer, at, from, to, valid);
    for (int64_t k = 0, t = r->tensors - r->results; k < r->results; k++, t++)
        zero_halo(b, &r->out[k], kb_param(b, 2 + (int)t), at[t]);
}

/* ---- the recipe ---- */

static bool needs_mask(const strided_recipe *r, const node *n) {
    double zeros[MAX_TENSORS] = {0};
    if (r->channels % BLOCK == 0) return false;
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k]->layout.kind != LAYOUT_BLOCKED16) return true; /* repeats into tail lanes */
    for (int k = 0; k < n->inputs; k++) {
        const shape *s = &n->in[k]->shape;
        if (s->rank < 3 || s->dim[s->rank - 3] == 1) return true;
    }
    for (int k = 0; k < r->results; k++) {
        expr part = *r->e; /* up to result k */
        if (r->step[k] >= 0) part.steps = (int)r->step[k] + 1;
        if (!(fabs(expr_eval(&part, zeros)) <= 0)) return true;
    }
    return false;
}

static strided_recipe recipe_of(lower *l, const node *n, const expr *e, const ints *results) {
    strided_recipe r;
    memset(&r, 0, sizeof r);
    desc out = lower_desc(l, n->out[0]);
    r.lane_dim = r.group_dim = -1;
    r.tensors = n->inputs + n->outputs;
    r.results = n->outputs;
    for (int k = 0; k < n->outputs; k++) r.step[k] = results ? results->at[k] : -1;
    r.e = lower_expr(l, e);
    set_dims(&r, &out);
    for (int t = 0; t < n->inputs; t++) set_strides(&r, l, t, n->in[t], &out);
    bool halo = false;
    for (int k = 0; k < n->outputs; k++) {
        set_strides(&r, l, n->inputs + k, n->out[k], &out);
        if (out.blocked) r.stride[n->inputs + k][r.lane_dim] = 1;
        if (!n->out[k]->layout.left && !n->out[k]->layout.right) continue;
        r.out[k] = lower_view(l, n->out[k]);
        r.outer = r.dims - 1 - out.blocked; /* a kernel index is a row */
        halo = true;
    }
    bool mask = out.blocked && needs_mask(&r, n);
    if (r.dims == 0) r.dim[r.dims++] = 1; /* one number (a sample) */
    if (!mask) {
        r.lane_dim = -1;
        merge_dims(&r, r.outer);
    }
    if (!halo) set_outer(&r);
    if (mask && r.outer > r.lane_dim) r.outer = r.lane_dim;
    return r;
}

expr *expr_identity(arena *a) {
    expr *e = NEW(a, expr);
    e->inputs = 1;
    return e;
}

static const char *kernel_name(lower *l, const node *n, const expr *e) {
    const char *what = e->steps == 1 ? scalars[e->step[0].op].name
                       : e->steps    ? n->outputs > 1 ? "maps" : "map"
                                     : "copy";
    return arena_printf(l->arena, "%s_%d", what, (int)shape_count(&n->out[0]->shape));
}

static void lower_results(lower *l, const node *n, const expr *e, const ints *results) {
    strided_recipe r = recipe_of(l, n, e, results);
    kparam params[MAX_TENSORS];
    call_arg args[MAX_TENSORS];
    for (int t = 0; t < r.tensors; t++) {
        bool out = t >= n->inputs;
        const char *name = arena_printf(l->arena, "%s%d", out ? "out" : "in", out ? t - n->inputs : t);
        params[t] = (kparam){name, out ? k_out((kbase)r.base[t]) : k_ptr((kbase)r.base[t])};
        args[t] = lower_value(l, out ? n->out[t - n->inputs] : n->in[t]);
    }
    int64_t count = r.chunk ? ceil_div(r.dim[0], r.chunk) : 1, inner = 1;
    for (int64_t k = 0; k < r.outer; k++) count *= r.dim[k];
    for (int64_t k = r.outer; k < r.dims; k++) inner *= r.chunk ? r.chunk : r.dim[k];
    kcount runs = {count, shape_batched(&n->out[0]->shape)};
    double work = (double)inner * (1 + r.e->steps);
    kernel *k = lower_kernel(l, kernel_name(l, n, r.e), build_strided, &r, sizeof r, params, (int)r.tensors,
                             runs, work);
    lower_call(l, k, args, (int)r.tensors, n);
}

void lower_strided(lower *l, const node *n, const expr *e) {
    lower_results(l, n, e, NULL);
}

static void lower_maps(lower *l, const node *n) {
    const maps_attrs *a = n->attrs;
    lower_results(l, n, n->epilogue, &a->results);
}

static void lower_elementwise(lower *l, const node *n) {
    lower_strided(l, n, node_expr(l->arena, n));
}

/* Blocked if any image comes in blocked: then everything that has channels is blocked too. */
static void elementwise_layouts(const node *n, layout *in, layout *out) {
    bool blocked = false;
    *out = (layout){.kind = LAYOUT_PLANAR};
    for (int k = 0; k < n->inputs; k++) {
        in[k] = (layout){.kind = LAYOUT_PLANAR};
        blocked |= n->in[k]->layout.kind == LAYOUT_BLOCKED16 && n->in[k]->shape.rank == 4;
    }
    if (!blocked || n->out[0]->shape.rank != 4 || !shape_batched(&n->out[0]->shape)) return;
    out->kind = LAYOUT_BLOCKED16;
    for (int k = 0; k < n->inputs; k++) {
        const shape *s = &n->in[k]->shape;
        bool image = s->rank == 4 && shape_batched(s);
        if (image || (s->rank >= 3 && s->dim[s->rank - 3] > 1)) in[k].kind = LAYOUT_BLOCKED16;
    }
}

static bool few_operands(const node *n) {
    return n->inputs + n->outputs <= MAX_TENSORS;
}

const candidate elementwise_candidate = {.name = "elementwise",
                                         .families = FAMILY_CPU,
                                         .legal = few_operands,
                                         .layouts = elementwise_layouts,
                                         .lower = lower_elementwise,
                                         .in_place = true};

static const candidate maps_loop = {.name = "loop",
                                    .families = FAMILY_CPU,
                                    .legal = few_operands,
                                    .layouts = elementwise_layouts,
                                    .lower = lower_maps,
                                    .in_place = true};
const candidate *const maps_candidates[] = {&maps_loop, NULL};

/* ---- broadcast: blocked where its result is an image of many channels, whose neighbours are blocked ---- */

static void lower_broadcast(lower *l, const node *n) {
    lower_strided(l, n, expr_identity(l->arena));
}

static void broadcast_layouts(const node *n, layout *in, layout *out) {
    const shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
    *in = *out = (layout){.kind = LAYOUT_PLANAR};
    if (y->rank != 4 || !shape_batched(y) || y->dim[1] < BLOCK / 2) return;
    out->kind = LAYOUT_BLOCKED16;
    if (x->rank >= 3 && x->dim[x->rank - 3] > 1) in->kind = LAYOUT_BLOCKED16;
}

static const candidate broadcast_copy = {
    .name = "copy", .families = FAMILY_CPU, .layouts = broadcast_layouts, .lower = lower_broadcast};
const candidate *const broadcast_candidates[] = {&broadcast_copy, NULL};
