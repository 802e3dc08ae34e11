/* Winograd against the direct sum: in double both give the same numbers but for rounding, on every way that
 * tiles, runs, splits, halos and epilogues can fall. In float the error is that of the matrices, stated here.
 */
#include "ir/kernel/winograd.h"
#include "tests/support/execute.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct layer {
    int inputs, outputs, height, width, pad, batch;
} layer;

static const layer layers[] = {
    {16, 16, 4, 4, 1, 1},   {16, 32, 5, 7, 1, 3},   {20, 48, 7, 7, 1, 5},   {33, 17, 1, 9, 1, 2},
    {16, 80, 14, 14, 1, 1}, {48, 40, 13, 6, 0, 2},  {16, 16, 28, 28, 1, 1}, {16, 48, 9, 3, 0, 4},
    {64, 16, 8, 8, 1, 2},   {16, 16, 56, 11, 1, 1}, {128, 32, 14, 9, 1, 1}, {16, 24, 3, 3, 0, 7},
    {512, 16, 7, 7, 1, 1},  {32, 33, 17, 5, 1, 3},
};

/* conv, bias, residual, relu; then a second conv, which wants a halo of the first. */
static golden make_case(arena *a, const layer *l) {
    int h = l->height + 2 * l->pad - 2, w = l->width + 2 * l->pad - 2;
    char *text_ =
        arena_printf(a,
                     "graph winograd\ninput %%x f32[N,%d,%d,%d]\ninput %%r f32[N,%d,%d,%d]\n"
                     "param %%w \"w\" f32[%d,%d,3,3] trainable\nparam %%b \"b\" f32[%d] trainable\n"
                     "param %%v \"v\" f32[16,%d,3,3] trainable\n"
                     "%%c = conv2d(%%x, %%w, %%b) {pad=[%d,%d,%d,%d]}\n%%s = add(%%c, %%r)\n%%t = relu(%%s)\n"
                     "%%y = conv2d(%%t, %%v) {pad=[1,1,1,1]}\noutput y %%y\noutput t %%t\n",
                     l->inputs, l->height, l->width, l->outputs, h, w, l->outputs, l->inputs, l->outputs,
                     l->outputs, l->pad, l->pad, l->pad, l->pad);
    source *s = NEW(a, source);
    *s = (source){"winograd.graph", text_, strlen(text_)};
    diags d = {.arena = a};
    golden g = {.name = "winograd", .batch = l->batch, .graph = graph_parse(a, s, &d)};
    diags_print(&d, stderr, false);
    assert_non_null(g.graph);
    return g;
}

static float **run(arena *a, const golden *g, target_id t, kbase real, const char *way) {
    diags d = {.arena = a};
    execute_options o = {.target = t, .check = true, .real = real, .prefer = way};
    float **out = execute_interp(a, g, &o, &d);
    diags_print(&d, stderr, false);
    assert_non_null(out);
    return out;
}

static double distance(const golden *g, float *const *x, float *const *y) {
    double most = 0, largest = 1;
    for (int i = 0; i < g->graph->outputs.count; i++) {
        int64_t count = golden_count(g, g->graph->outputs.at[i].value);
        for (int64_t k = 0; k < count; k++) {
            most = fmax(most, fabs((double)x[i][k] - (double)y[i][k]));
            largest = fmax(largest, fabs((double)y[i][k]));
        }
    }
    return most / largest;
}

static void compare_layer(const layer *l) {
    static const char *const ways[] = {"winograd2", "winograd4"};
    arena a;
    trap t;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    golden g = make_case(&a, l);
    float **want = run(&a, &g, TARGET_C99, KB_F64, "direct");
    for (int k = 0; k < 2; k++) {
        double exact = distance(&g, run(&a, &g, TARGET_AVX512, KB_F64, ways[k]), want);
        double single = distance(&g, run(&a, &g, k ? TARGET_AVX512 : TARGET_AVX2, KB_F32, ways[k]), want);
        if (exact > 1e-7 || single > 1e-5)
            fail_msg("%s, %dx%d at %dx%d: %.3g in double (results are compared as float: 1e-7), %.3g in "
                     "float (1e-5)",
                     ways[k], l->inputs, l->outputs, l->height, l->width, exact, single);
    }
    arena_free(&a);
}

static void agrees_with_direct(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) compare_layer(&layers[i]);
}

/* Aᵀ[(G g) ⊙ (Bᵀ d)] is the sliding product, for every m. */
static void matrices_filter(void **state) {
    (void)state;
    for (int m = 2; m <= 6; m += 2) {
        winograd_matrices w = winograd_of(m);
        double d[WINOGRAD_MOST], g[3] = {0.5, -1.25, 2}, u, v;
        for (int k = 0; k < w.n; k++) d[k] = (k * 7 % 5) - 1.5;
        for (int i = 0; i < m; i++) {
            double y = 0;
            for (int k = 0; k < w.n; k++) {
                u = v = 0;
                for (int j = 0; j < 3; j++) u += w.g[k][j] * g[j];
                for (int j = 0; j < w.n; j++) v += w.bt[k][j] * d[j];
                y += w.at[i][k] * u * v;
            }
            double want = d[i] * g[0] + d[i + 1] * g[1] + d[i + 2] * g[2];
            assert_true(fabs(y - want) < 1e-12 * 100);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(matrices_filter),
                                       cmocka_unit_test(agrees_with_direct)};
    return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
