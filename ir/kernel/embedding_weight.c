/* The gradient of an embedding: rows of dy added up by their index. A kernel index owns a run of columns and takes the
 * rows in their order. */
#include "ir/kernel/nest.h"
#include "ir/ops/candidates.h"

#include <string.h>

typedef struct rows_recipe {
    desc x, dy, out;
} rows_recipe;

/* Loops over all axes of d but the last; idx as far as there. Returns how many were opened. */
static int over_rows(kb *b, const desc *d, int64_t axes, kinst **idx) {
    for (int64_t k = 0; k < axes; k++) {
        kinst *end = k == 0 && d->batched ? kb_param(b, 1) : kb_int(b, d->dim[k]);
        idx[k] = kb_for(b, "r", kb_int(b, 0), end, 1, KLOOP_SERIAL);
    }
    return (int)axes;
}

static rows_recipe recipe_of(const lower *l, const node *n) {
    rows_recipe r;
    memset(&r, 0, sizeof r);
    r.x = lower_desc(l, n->in[0]);
    r.dy = lower_desc(l, n->in[1]);
    r.out = lower_desc(l, n->out[0]);
    return r;
}

static double rows_of(const lower *l, const value *v) {
    double rows = (double)shape_count(&v->shape) / (double)v->shape.dim[v->shape.rank - 1];
    return shape_batched(&v->shape) ? rows * (double)l->program->max_batch : rows;
}

static void clear_columns(kb *b, const rows_recipe *r, kinst *column, kinst *count) {
    kinst *row = kb_for(b, "row", kb_int(b, 0), kb_int(b, r->out.dim[0]), 1, KLOOP_SERIAL);
    kinst *at = kb_add(b, kb_muli(b, row, r->out.stride[0]), column);
    kb_store_part(b, kb_param(b, 4), at, kb_const(b, kb_vector(b), 0), count);
    kb_end(b);
}

static void add_columns(kb *b, const rows_recipe *r, kinst *column, kinst *count) {
    kinst *out = kb_param(b, 4), *idx[MAX_RANK];
    clear_columns(b, r, column, count);
    int loops = over_rows(b, &r->x, r->x.rank, idx);
    kinst *index = kb_load(b, k_scalar(KB_I32), kb_param(b, 2), kb_address(b, &r->x, idx));
    index = kb_cast(b, k_scalar(KB_INT), index);
    index = kb_max(b, kb_int(b, 0), kb_min(b, index, kb_int(b, r->out.dim[0] - 1)));
    idx[loops] = column;
    kinst *g = kb_load_part(b, kb_vector(b), kb_param(b, 3), kb_address(b, &r->dy, idx), count);
    kinst *at = kb_add(b, kb_muli(b, index, r->out.stride[0]), column);
    kb_store_part(b, out, at, kb_add(b, kb_load_part(b, kb_vector(b), out, at, count), g), count);
    while (loops--) kb_end(b);
}

static void build_scatter(kb *b, const void *recipe) {
    const rows_recipe *r = recipe;
    for (int u = 0; u < BLOCK / b->lanes; u++) {
        kinst *column = kb_addi(b, kb_muli(b, kb_param(b, 0), BLOCK), u * b->lanes);
        add_columns(b, r, column, kb_sub(b, kb_int(b, r->out.dim[1]), column));
    }
}

static void lower_scatter(lower *l, const node *n) {
    kbase real = l->program->real;
    rows_recipe r = recipe_of(l, n);
    kparam params[] = {{"indices", k_ptr(KB_I32)}, {"dy", k_ptr(real)}, {"out", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->in[1]), lower_value(l, n->out[0])};
    const char *name = arena_printf(l->arena, "embedding_weight_%dx%d", (int)r.out.dim[0], (int)r.out.dim[1]);
    kcount runs = {ceil_div(r.out.dim[1], BLOCK), 0};
    double work = BLOCK * (rows_of(l, n->in[1]) + (double)r.out.dim[0]);
    kernel *k = lower_kernel(l, name, build_scatter, &r, sizeof r, params, 3, runs, work);
    lower_call(l, k, args, 3, n);
}

static const candidate scatter = {.name = "scatter", .families = FAMILY_CPU, .lower = lower_scatter};
const candidate *const embedding_weight_candidates[] = {&scatter, NULL};
