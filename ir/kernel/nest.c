/* Loops over the elements of a result. */
#include "ir/kernel/nest.h"

#include <string.h>

kbase nest_base(const lower *l, dtype t) {
    return t == DT_I32 ? KB_I32 : t == DT_U8 ? KB_U8 : l->program->real;
}

kinst *nest_load(kb *b, const desc *d, kinst *ptr, kinst *const *idx, kbase base, run r) {
    kinst *at = kb_address(b, d, idx);
    ktype t = r.lanes > 1 ? k_vector(base, r.lanes) : k_scalar(base);
    return r.count ? kb_load_part(b, t, ptr, at, r.count) : kb_load(b, t, ptr, at);
}

/* Extent of axis k as the nest walks it: tail lanes of a blocked result are visited (and cleared) too. */
static int64_t extent(const desc *d, int64_t k) {
    return d->blocked && k == d->axis ? round_up(d->dim[k], BLOCK) : d->dim[k];
}

kcount nest_count(const desc *d) {
    int64_t rows = 1;
    for (int64_t k = d->batched; k + 1 < d->rank; k++) rows *= extent(d, k);
    return (kcount){rows, d->batched};
}

/* The kernel index taken apart into idx[0..rank − 1). */
static void split_index(kb *b, const desc *d, kinst **idx) {
    kinst *i = kb_param(b, 0);
    for (int64_t k = d->rank - 2; k >= 0; k--) {
        bool outermost = k == 0;
        idx[k] = outermost ? i : kb_modi(b, i, extent(d, k));
        if (!outermost) i = kb_divi(b, i, extent(d, k));
    }
}

static void clear_columns(kb *b, const desc *d, kinst *ptr, kinst *row, int64_t from, int64_t to,
                          kbase base) {
    if (from == to) return;
    kinst *x = kb_for(b, "h", kb_int(b, 0), kb_int(b, to - from), 1, KLOOP_SERIAL);
    kinst *at = kb_add(b, row, kb_muli(b, kb_addi(b, x, from), d->stride[d->rank - 1]));
    kb_store(b, ptr, at, kb_const(b, k_scalar(base), 0));
    kb_end(b);
}

static void scalar_row(kb *b, const desc *d, kinst *ptr, kinst **idx, nest_element *element,
                       const void *recipe) {
    int64_t last = d->rank - 1;
    idx[last] = kb_for(b, "x", kb_int(b, 0), kb_int(b, d->dim[last]), 1, KLOOP_SERIAL);
    kinst *y = element(b, recipe, idx, (run){1, NULL});
    kb_store(b, ptr, kb_address(b, d, idx), y);
    kb_end(b);
}

static void vector_row(kb *b, const desc *d, kinst *ptr, kinst **idx, nest_element *element,
                       const void *recipe) {
    int64_t last = d->rank - 1, whole = d->dim[last] / b->lanes * b->lanes;
    if (whole) {
        idx[last] = kb_for(b, "x", kb_int(b, 0), kb_int(b, whole), b->lanes, KLOOP_SERIAL);
        kinst *y = element(b, recipe, idx, (run){b->lanes, NULL});
        kb_store(b, ptr, kb_address(b, d, idx), y);
        kb_end(b);
    }
    if (whole == d->dim[last]) return;
    kinst *count = kb_int(b, d->dim[last] - whole);
    idx[last] = kb_int(b, whole);
    kinst *y = element(b, recipe, idx, (run){b->lanes, count});
    kb_store_part(b, ptr, kb_address(b, d, idx), y, count);
}

static void one_element(kb *b, const desc *d, kinst *ptr, nest_element *element, const void *recipe) {
    kinst *idx[1] = {kb_int(b, 0)};
    kb_store(b, ptr, kb_int(b, d->start), element(b, recipe, idx, (run){1, NULL}));
}

void nest_build(kb *b, const desc *d, int out_param, bool vector, nest_element *element, const void *recipe) {
    kinst *ptr = kb_param(b, out_param), *idx[MAX_RANK], *row_idx[MAX_RANK];
    kbase base = (kbase)ptr->type.elem;
    if (d->rank == 0) {
        one_element(b, d, ptr, element, recipe);
        return;
    }
    split_index(b, d, idx);
    if (d->rank == 1 && d->batched) { /* [N]: one number a sample */
        idx[0] = kb_param(b, 0);
        kb_store(b, ptr, kb_address(b, d, idx), element(b, recipe, idx, (run){1, NULL}));
        return;
    }
    memcpy(row_idx, idx, sizeof idx);
    row_idx[d->rank - 1] = kb_int(b, 0);
    kinst *row = kb_address(b, d, row_idx);
    int64_t width = d->dim[d->rank - 1];
    bool tail = d->blocked && d->dim[d->axis] % BLOCK;
    if (tail) kb_if(b, kb_arith(b, S_LT, idx[d->axis], kb_int(b, d->dim[d->axis]), NULL));
    if (vector && !d->blocked && width >= b->lanes)
        vector_row(b, d, ptr, idx, element, recipe);
    else
        scalar_row(b, d, ptr, idx, element, recipe);
    if (tail) {
        kb_else(b);
        clear_columns(b, d, ptr, row, 0, width, base);
        kb_end(b);
    }
    clear_columns(b, d, ptr, row, -d->left, 0, base);
    clear_columns(b, d, ptr, row, width, width + d->right, base);
}

void nest_lower(lower *l, const node *n, int k, kernel_build *build, const void *recipe, size_t bytes,
                double work) {
    static const char *const names[] = {"a", "b", "c", "d"};
    kparam *params = NEW_ARRAY(l->arena, kparam, n->inputs + 1);
    call_arg *args = NEW_ARRAY(l->arena, call_arg, n->inputs + 1);
    for (int j = 0; j < n->inputs; j++) {
        const char *name = j < 4 ? names[j] : arena_printf(l->arena, "in%d", j);
        params[j] = (kparam){name, k_ptr(nest_base(l, n->in[j]->type))};
        args[j] = lower_value(l, n->in[j]);
    }
    params[n->inputs] = (kparam){"out", k_out(nest_base(l, n->out[k]->type))};
    args[n->inputs] = lower_value(l, n->out[k]);
    desc d = lower_desc(l, n->out[k]);
    kcount runs = nest_count(&d);
    double elements = (double)layout_count(&n->out[k]->layout, &n->out[k]->shape);
    const char *name = arena_printf(l->arena, "%s_%d", n->op->name, (int)shape_count(&n->out[k]->shape));
    work *= elements / (double)runs.mul;
    lower_call(l, lower_kernel(l, name, build, recipe, bytes, params, n->inputs + 1, runs, work), args,
               n->inputs + 1, n);
}

void nest_layouts(const node *n, layout *in, layout *out) {
    bool blocked = n->in[0]->layout.kind == LAYOUT_BLOCKED16;
    for (int k = 0; k < n->inputs; k++) in[k] = (layout){.kind = LAYOUT_PLANAR};
    in[0].kind = out->kind =
        blocked && n->out[0]->shape.rank == n->in[0]->shape.rank ? LAYOUT_BLOCKED16 : LAYOUT_PLANAR;
}
