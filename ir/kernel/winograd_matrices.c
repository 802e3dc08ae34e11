/* The matrices of Toom and Cook for a set of points, and their products as few operations. */
#include "ir/kernel/winograd.h"

#include <string.h>

/* Points by how many are used: all finite ones, infinity comes on top. ½ and −2 instead of ±2 halve the error
 * of m = 4 (Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution", 2020). */
static const double points[] = {0, 1, -1, 0.5, -2, -0.5, 2};

/* Coefficients of Π (x − root), lowest first; returns how many. */
static int polynomial(const double *roots, int count, int skip, double *c) {
    int degree = 0;
    c[0] = 1;
    for (int r = 0; r < count; r++) {
        if (r == skip) continue;
        degree++;
        c[degree] = 0;
        for (int k = degree; k > 0; k--) c[k] = c[k - 1] - roots[r] * (k < degree ? c[k] : 0);
        c[0] *= -roots[r];
    }
    return degree + 1;
}

winograd_matrices winograd_of(int m) {
    return winograd_for(m, WINOGRAD_TAPS);
}

winograd_matrices winograd_for(int m, int taps) {
    winograd_matrices w = {.m = m, .n = m + taps - 1};
    int finite = w.n - 1;
    for (int i = 0; i < finite; i++) {
        double scale = 1, power = 1;
        for (int j = 0; j < finite; j++) scale *= j == i ? 1 : points[i] - points[j];
        for (int k = 0; k < w.n; k++, power *= points[i]) {
            if (k < m) w.at[k][i] = power;
            if (k < taps) w.g[i][k] = power / scale;
        }
        polynomial(points, finite, i, w.bt[i]);
    }
    w.at[m - 1][finite] = 1;
    w.g[finite][taps - 1] = 1;
    polynomial(points, finite, -1, w.bt[finite]);
    return w;
}

/* sum + c·x, where sum may be nothing yet (NULL). */
static kinst *add_term(kb *b, kinst *sum, double c, kinst *x) {
    kinst *factor = kb_const(b, x->type, c);
    if (!sum) return c == 1 ? x : kb_mul(b, factor, x);
    if (c == 1) return kb_add(b, sum, x);
    if (c == -1) return kb_sub(b, sum, x);
    return kb_fma(b, factor, x, sum);
}

/* The even and odd halves of rows k and k + 1 when these differ only in the sign of the odd (or even)
 * columns, as the rows of points p and −p do. */
static bool mirrored(const double *x, const double *y, int columns, int *sign_of_odd) {
    bool odd = true, even = true;
    for (int j = 0; j < columns; j++) {
        if (y[j] != (j % 2 ? -x[j] : x[j])) odd = false;
        if (y[j] != (j % 2 ? x[j] : -x[j])) even = false;
    }
    *sign_of_odd = odd ? -1 : 1;
    return odd || even;
}

static kinst *half_row(kb *b, const double *c, int columns, int parity, kinst *const *in) {
    kinst *sum = NULL;
    for (int pass = 0; pass < 2; pass++) /* start from a coefficient of one: it costs nothing */
        for (int j = parity; j < columns; j += 2)
            if (c[j] != 0 && (c[j] == 1) == (pass == 0)) sum = add_term(b, sum, c[j], in[j]);
    return sum;
}

static kinst *whole_row(kb *b, const double *c, int columns, kinst *const *in) {
    kinst *sum = NULL;
    for (int pass = 0; pass < 2; pass++)
        for (int j = 0; j < columns; j++)
            if (c[j] != 0 && (c[j] == 1) == (pass == 0)) sum = add_term(b, sum, c[j], in[j]);
    return sum;
}

void winograd_combine(kb *b, double (*c)[WINOGRAD_MOST], int rows, int columns, kinst *const *in,
                      kinst **out) {
    for (int k = 0; k < rows; k++) {
        int sign;
        kinst *even, *odd;
        if (k + 1 < rows && mirrored(c[k], c[k + 1], columns, &sign) &&
            (even = half_row(b, c[k], columns, 0, in)) && (odd = half_row(b, c[k], columns, 1, in))) {
            out[k] = kb_add(b, even, odd);
            out[k + 1] = sign < 0 ? kb_sub(b, even, odd) : kb_sub(b, odd, even);
            k++;
            continue;
        }
        out[k] = whole_row(b, c[k], columns, in);
    }
}

/* ---- weights ---- */

typedef struct winograd_pack_recipe {
    int64_t outputs, inputs, m;
} winograd_pack_recipe;

/* Taps of 16 outputs and one input side by side in double, zero where there is no such output or input:
 * [tap][BLOCK]. */
static kinst *gather_taps(kb *b, const winograd_pack_recipe *r, kinst *block, kinst *input) {
    enum { TAPS = WINOGRAD_TAPS * WINOGRAD_TAPS };
    ktype wide = k_scalar(KB_F64);
    kinst *taps = kb_local(b, "taps", KB_F64, TAPS * BLOCK), *zero = kb_const(b, wide, 0);
    kinst *channel = kb_min(b, input, kb_int(b, r->inputs - 1));
    kinst *real_input = kb_arith(b, S_EQ, input, channel, NULL);
    kinst *lane = kb_for(b, "lane", kb_int(b, 0), kb_int(b, BLOCK), 1, KLOOP_SERIAL);
    kinst *output = kb_add(b, kb_muli(b, block, BLOCK), lane);
    kinst *from = kb_min(b, output, kb_int(b, r->outputs - 1));
    kinst *real_output = kb_arith(b, S_EQ, output, from, NULL);
    kinst *inside = kb_select(b, real_output, real_input, real_output);
    kinst *at = kb_muli(b, kb_add(b, kb_muli(b, from, r->inputs), channel), TAPS);
    for (int k = 0; k < TAPS; k++) {
        kinst *tap = kb_load(b, kb_real(b), kb_param(b, 2), kb_addi(b, at, k));
        if (b->real != KB_F64) tap = kb_cast(b, wide, tap);
        kb_store(b, taps, kb_addi(b, lane, k * BLOCK), kb_select(b, inside, tap, zero));
    }
    kb_end(b);
    return taps;
}

/* U = G g Gᵀ of one vector of outputs, in double, into out[(row·n + column)·apart]. */
static void transform_weights(kb *b, winograd_matrices *w, kinst *taps, int lanes, kinst *out,
                              int64_t apart) {
    ktype wide = k_vector(KB_F64, lanes), real = k_vector(b->real, lanes);
    kinst *half[WINOGRAD_MOST][WINOGRAD_TAPS], *in[WINOGRAD_TAPS], *to[WINOGRAD_MOST];
    for (int x = 0; x < WINOGRAD_TAPS; x++) {
        for (int y = 0; y < WINOGRAD_TAPS; y++)
            in[y] = kb_load(b, wide, taps, kb_int(b, (y * WINOGRAD_TAPS + x) * BLOCK));
        winograd_combine(b, w->g, w->n, WINOGRAD_TAPS, in, to);
        for (int k = 0; k < w->n; k++) half[k][x] = to[k];
    }
    for (int y = 0; y < w->n; y++) {
        winograd_combine(b, w->g, w->n, WINOGRAD_TAPS, half[y], to);
        for (int x = 0; x < w->n; x++) {
            kinst *u = b->real == KB_F64 ? to[x] : kb_cast(b, real, to[x]);
            kb_store(b, out, kb_int(b, (y * w->n + x) * apart), u);
        }
    }
}

enum { LOCAL_BYTES = 14 << 10 };

/* Kernel index: a block of outputs and a block of inputs. Some inputs at a time are transformed into [n²][input][16
 * outputs] first: a point's weights lie far from the next one's, so each gets several lines at once. */
static void build_pack(kb *b, const void *recipe) {
    const winograd_pack_recipe *r = recipe;
    winograd_matrices w = winograd_of((int)r->m);
    int64_t blocks = ceil_div(r->inputs, BLOCK), count = w.n * w.n, square = BLOCK * BLOCK, some = BLOCK;
    while (count * some * BLOCK * kbase_bytes(b->real) > LOCAL_BYTES) some /= 2;
    int lanes = target_lanes(b->target, KB_F64);
    kinst *i = kb_param(b, 0), *zero = kb_int(b, 0), *local = kb_local(b, "u", b->real, count * some * BLOCK);
    kinst *in = kb_modi(b, i, blocks), *block = kb_divi(b, i, blocks);
    kinst *k = kb_for(b, "k", zero, kb_int(b, BLOCK), some, KLOOP_SERIAL);
    kinst *j = kb_for(b, "j", zero, kb_int(b, some), 1, KLOOP_SERIAL);
    kinst *taps = gather_taps(b, r, block, kb_add(b, kb_muli(b, in, BLOCK), kb_add(b, k, j)));
    kinst *first = kb_for(b, "first", zero, kb_int(b, BLOCK), lanes, KLOOP_SERIAL);
    kinst *to = kb_offset(b, local, kb_add(b, kb_muli(b, j, BLOCK), first));
    transform_weights(b, &w, kb_offset(b, taps, first), lanes, to, some * BLOCK);
    kb_end(b);
    kb_end(b);
    kinst *p = kb_for(b, "p", zero, kb_int(b, count), 1, KLOOP_SERIAL);
    kinst *at = kb_add(b, kb_muli(b, kb_add(b, kb_muli(b, block, count), p), blocks * square),
                       kb_muli(b, in, square));
    at = kb_add(b, at, kb_muli(b, k, BLOCK));
    kinst *from = kb_muli(b, p, some * BLOCK);
    kinst *e = kb_for(b, "e", zero, kb_int(b, some * BLOCK), b->lanes, KLOOP_SERIAL);
    kinst *v = kb_load(b, kb_vector(b), local, kb_add(b, from, e));
    kb_store(b, kb_param(b, 3), kb_add(b, at, e), v);
    for (int loops = 0; loops < 3; loops++) kb_end(b);
}

void winograd_pack(lower *l, const node *n) {
    const shape *s = &n->in[0]->shape;
    winograd_pack_recipe r;
    memset(&r, 0, sizeof r);
    r.outputs = s->dim[0];
    r.inputs = s->dim[1];
    r.m = n->out[0]->layout.groups;
    kbase real = l->program->real;
    kparam params[] = {{"w", k_ptr(real)}, {"out", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0])};
    const char *name =
        arena_printf(l->arena, "winograd%d_pack_%dx%d", (int)r.m, (int)r.outputs, (int)r.inputs);
    kcount runs = {ceil_div(r.outputs, BLOCK) * ceil_div(r.inputs, BLOCK), 0};
    double work = (double)(BLOCK * BLOCK * (r.m + 2) * (r.m + 5) * 3);
    lower_call(l, lower_kernel(l, name, build_pack, &r, sizeof r, params, 2, runs, work), args, 2, n);
}
