/* The transforms of inputs, taps and results, as micros: one vector of channels of one tile. */
#include "ir/kernel/winograd.h"

typedef struct transform_recipe {
    int64_t m, taps;
} transform_recipe;

static winograd_matrices matrices_of(const transform_recipe *r) {
    return winograd_for((int)r->m, (int)r->taps);
}

/* half[y] = c·(the `columns` pixels at `from`) where the row is there, zero otherwise. */
static void transform_row(kb *b, double (*c)[WINOGRAD_MOST], int rows, int columns, kinst *there, kinst *from,
                          kinst *half, int y) {
    kinst *d[WINOGRAD_MOST], *t[WINOGRAD_MOST];
    kb_if(b, there);
    for (int x = 0; x < columns; x++) d[x] = kb_load(b, kb_vector(b), from, kb_int(b, x * BLOCK));
    winograd_combine(b, c, rows, columns, d, t);
    for (int x = 0; x < rows; x++) kb_set(b, half, kb_int(b, y), kb_int(b, x), t[x]);
    kb_else(b);
    for (int x = 0; x < rows; x++) kb_set(b, half, kb_int(b, y), kb_int(b, x), kb_const(b, kb_vector(b), 0));
    kb_end(b);
}

/* out[(y·rows + x)·apart] = c·half, column by column. */
static void transform_columns(kb *b, double (*c)[WINOGRAD_MOST], int rows, int taps, kinst *half, kinst *out,
                              kinst *apart) {
    kinst *d[WINOGRAD_MOST], *t[WINOGRAD_MOST];
    for (int x = 0; x < rows; x++) {
        for (int y = 0; y < taps; y++) d[y] = kb_get(b, half, kb_int(b, y), kb_int(b, x));
        winograd_combine(b, c, rows, taps, d, t);
        for (int k = 0; k < rows; k++) kb_store(b, out, kb_muli(b, apart, x + k * rows), t[k]);
    }
}

/* (in, row, first, end, out, apart): rows [first, end) of the tile lie on the image, the others are zero;
 * `in` is the tile's corner; out[(y·n + x)·apart]. */
static void build_input(kb *b, const void *recipe) {
    winograd_matrices w = matrices_of(recipe);
    kinst *in = kb_param(b, 0), *row = kb_param(b, 1), *half = kb_reg(b, "half", kb_vector(b), w.n, w.n);
    for (int y = 0; y < w.n; y++) {
        kinst *at = kb_int(b, y), *below = kb_arith(b, S_GE, at, kb_param(b, 2), NULL);
        kinst *there = kb_select(b, below, kb_arith(b, S_LT, at, kb_param(b, 3), NULL), below);
        transform_row(b, w.bt, w.n, w.n, there, kb_offset(b, in, kb_muli(b, row, y)), half, y);
    }
    transform_columns(b, w.bt, w.n, w.n, half, kb_param(b, 4), kb_param(b, 5));
}

/* (in, row, end, out, apart): rows from `end` on are zero. */
static void build_taps(kb *b, const void *recipe) {
    winograd_matrices w = matrices_of(recipe);
    int taps = (int)((const transform_recipe *)recipe)->taps;
    kinst *in = kb_param(b, 0), *row = kb_param(b, 1), *half = kb_reg(b, "half", kb_vector(b), taps, w.n);
    for (int y = 0; y < taps; y++) {
        kinst *there = kb_arith(b, S_LT, kb_int(b, y), kb_param(b, 2), NULL);
        transform_row(b, w.g, w.n, taps, there, kb_offset(b, in, kb_muli(b, row, y)), half, y);
    }
    transform_columns(b, w.g, w.n, taps, half, kb_param(b, 3), kb_param(b, 4));
}

static void build_output(kb *b, const void *recipe) {
    winograd_matrices w = matrices_of(recipe);
    kinst *in = kb_param(b, 0), *apart = kb_param(b, 1), *out = kb_param(b, 2);
    kinst *half = kb_local(b, "half", b->real, w.m * w.n * b->lanes);
    kinst *d[WINOGRAD_MOST], *t[WINOGRAD_MOST], *zero = kb_int(b, 0);
    kinst *x = kb_for(b, "x", zero, kb_int(b, w.n), 1, KLOOP_SERIAL);
    for (int k = 0; k < w.n; k++)
        d[k] = kb_load(b, kb_vector(b), in, kb_mul(b, kb_addi(b, x, k * w.n), apart));
    winograd_combine(b, w.at, w.m, w.n, d, t);
    for (int k = 0; k < w.m; k++)
        kb_store(b, half, kb_addi(b, kb_muli(b, x, b->lanes), k * w.n * b->lanes), t[k]);
    kb_end(b);
    kinst *y = kb_for(b, "y", zero, kb_int(b, w.m), 1, KLOOP_SERIAL);
    kinst *row = kb_offset(b, half, kb_muli(b, y, w.n * b->lanes));
    for (int k = 0; k < w.n; k++) d[k] = kb_load(b, kb_vector(b), row, kb_int(b, k * b->lanes));
    winograd_combine(b, w.at, w.m, w.n, d, t);
    kinst *to = kb_offset(b, out, kb_muli(b, y, w.m * b->lanes));
    for (int k = 0; k < w.m; k++) kb_store(b, to, kb_int(b, k * b->lanes), t[k]);
    kb_end(b);
}

kfunc *winograd_input(kb *b, int m) {
    const transform_recipe r = {m, WINOGRAD_TAPS};
    const ktype number = k_scalar(KB_INT);
    const kparam params[] = {{"in", k_ptr(b->real)}, {"row", number},         {"first", number},
                             {"end", number},        {"out", k_out(b->real)}, {"apart", number}};
    return kb_micro(b, "winograd_input", build_input, &r, sizeof r, params, 6);
}

kfunc *winograd_taps(kb *b, int m, int taps) {
    const transform_recipe r = {m, taps};
    const ktype number = k_scalar(KB_INT);
    const kparam params[] = {
        {"in", k_ptr(b->real)}, {"row", number}, {"end", number}, {"out", k_out(b->real)}, {"apart", number}};
    return kb_micro(b, "winograd_taps", build_taps, &r, sizeof r, params, 5);
}

kfunc *winograd_output(kb *b, int m, int taps) {
    const transform_recipe r = {m, taps};
    const kparam params[] = {{"in", k_ptr(b->real)}, {"apart", k_scalar(KB_INT)}, {"out", k_out(b->real)}};
    return kb_micro(b, "winograd_output", build_output, &r, sizeof r, params, 3);
}
