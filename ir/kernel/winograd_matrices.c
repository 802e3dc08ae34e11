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
    winograd_matrices w = {.m = m, .n = m + WINOGRAD_TAPS - 1};
    int finite = w.n - 1;
    for (int i = 0; i < finite; i++) {
        double scale = 1, power = 1;
        for (int j = 0; j < finite; j++) scale *= j == i ? 1 : points[i] - points[j];
        for (int k = 0; k < w.n; k++, power *= points[i]) {
            if (k < m) w.at[k][i] = power;
            if (k < WINOGRAD_TAPS) w.g[i][k] = power / scale;
        }
        polynomial(points, finite, i, w.bt[i]);
    }
    w.at[m - 1][finite] = 1;
    w.g[finite][WINOGRAD_TAPS - 1] = 1;
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

/* U = G g Gᵀ for one output and input, in double, into out[(row·n + column)·apart]. */
static void transform_weight(kb *b, winograd_matrices *w, kinst *taps, kinst *inside, kinst *out,
                             int64_t apart) {
    ktype wide = k_scalar(KB_F64);
    kinst *half[WINOGRAD_MOST][WINOGRAD_TAPS], *in[WINOGRAD_TAPS], *to[WINOGRAD_MOST];
    kinst *scale = kb_select(b, inside, kb_const(b, wide, 1), kb_const(b, wide, 0));
    for (int x = 0; x < WINOGRAD_TAPS; x++) {
        for (int y = 0; y < WINOGRAD_TAPS; y++) {
            kinst *tap = kb_load(b, kb_real(b), taps, kb_int(b, y * WINOGRAD_TAPS + x));
            in[y] = kb_mul(b, b->real == KB_F64 ? tap : kb_cast(b, wide, tap), scale);
        }
        winograd_combine(b, w->g, w->n, WINOGRAD_TAPS, in, to);
        for (int k = 0; k < w->n; k++) half[k][x] = to[k];
    }
    for (int y = 0; y < w->n; y++) {
        winograd_combine(b, w->g, w->n, WINOGRAD_TAPS, half[y], to);
        for (int x = 0; x < w->n; x++) {
            kinst *u = b->real == KB_F64 ? to[x] : kb_cast(b, kb_real(b), to[x]);
            kb_store(b, out, kb_int(b, (y * w->n + x) * apart), u);
        }
    }
}

/* Kernel index: a block of outputs and an input channel. */
static void build_pack(kb *b, const void *recipe) {
    const winograd_pack_recipe *r = recipe;
    winograd_matrices w = winograd_of((int)r->m);
    int64_t padded = round_up(r->inputs, BLOCK), apart = padded * BLOCK;
    kinst *i = kb_param(b, 0), *input = kb_modi(b, i, padded), *block = kb_divi(b, i, padded);
    kinst *lane = kb_for(b, "lane", kb_int(b, 0), kb_int(b, BLOCK), 1, KLOOP_SERIAL);
    kinst *output = kb_add(b, kb_muli(b, block, BLOCK), lane);
    kinst *from = kb_min(b, output, kb_int(b, r->outputs - 1)),
          *channel = kb_min(b, input, kb_int(b, r->inputs - 1));
    kinst *real_output = kb_arith(b, S_EQ, output, from, NULL),
          *real_input = kb_arith(b, S_EQ, input, channel, NULL);
    kinst *inside = kb_select(b, real_output, real_input, real_output);
    kinst *taps = kb_add(b, kb_muli(b, from, r->inputs), channel);
    taps = kb_offset(b, kb_param(b, 2), kb_muli(b, taps, WINOGRAD_TAPS * WINOGRAD_TAPS));
    kinst *at = kb_add(b, kb_muli(b, block, w.n * w.n * apart), kb_add(b, kb_muli(b, input, BLOCK), lane));
    transform_weight(b, &w, taps, inside, kb_offset(b, kb_param(b, 3), at), apart);
    kb_end(b);
}

void winograd_pack(lower *l, const node *n) {
    const shape *s = &n->in[0]->shape;
    winograd_pack_recipe r;
    memset(&r, 0, sizeof r);
    r.outputs = s->dim[0];
    r.inputs = s->dim[1];
    r.m = n->out[0]->layout.groups;
    kparam params[] = {{"w", k_ptr(l->program->real)}, {"out", k_out(l->program->real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0])};
    const char *name =
        arena_printf(l->arena, "winograd%d_pack_%dx%d", (int)r.m, (int)r.outputs, (int)r.inputs);
    kcount runs = {ceil_div(r.outputs, BLOCK) * round_up(r.inputs, BLOCK), 0};
    double work = (double)(BLOCK * (r.m + 2) * (r.m + 5) * 3);
    lower_call(l, lower_kernel(l, name, build_pack, &r, sizeof r, params, 2, runs, work), args, 2, n);
}
