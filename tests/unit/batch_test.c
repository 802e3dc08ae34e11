/* Kernels that sum over the whole batch, at batches that they cut into parts (the golden cases have two samples): sums,
 * statistics and weights' gradients against sums in double, on the interpreter with every access checked. */
#include "tests/support/execute.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct fixture {
    trap trap;
    arena arena;
    diags d;
} fixture;

static void start(fixture *f) {
    arena_init(&f->arena, 0, &f->trap);
    f->d = (diags){.arena = &f->arena};
}

/* What the graph of this text gives for `batch` samples. */
static golden_tensor output(fixture *f, const char *code, int batch, target_id t, int which) {
    source *s = NEW(&f->arena, source);
    *s = (source){"batch", code, strlen(code)};
    golden g = {.name = "batch", .batch = batch, .graph = graph_parse(&f->arena, s, &f->d)};
    execute_options o = {.target = t, .check = true, .real = KB_F32};
    float **out = g.graph ? execute_interp(&f->arena, &g, &o, &f->d) : NULL;
    if (!out) diags_print(&f->d, stderr, false);
    assert_non_null(out);
    golden_tensor y = {.count = golden_count(&g, g.graph->outputs.at[which].value)};
    y.at = NEW_ARRAY(&f->arena, double, y.count);
    for (int64_t k = 0; k < y.count; k++) y.at[k] = out[which][k];
    return y;
}

static float *numbers(fixture *f, const char *name, int64_t count) {
    golden g = {.batch = 1};
    float *x = NEW_ARRAY(&f->arena, float, count);
    golden_fill_f32(&g, name, count, x);
    return x;
}

/* Within `tolerance` of the largest. */
static void assert_near(const golden_tensor *got, const double *want, double tolerance, const char *what) {
    double most = 0, worst = 0;
    for (int64_t k = 0; k < got->count; k++) {
        most = fmax(most, fabs(want[k]));
        worst = fmax(worst, fabs(got->at[k] - want[k]));
    }
    if (!(worst <= tolerance * most)) fail_msg("%s: off by %g of %g", what, worst, most);
}

static const target_id targets_run[] = {TARGET_C99, TARGET_AVX512, TARGET_AVX2, TARGET_NEON};
enum { TARGETS = sizeof targets_run / sizeof *targets_run };

/* ---- sums and statistics by channel ---- */

typedef struct channel_case {
    const char *text;
    int batch, channels, positions;
    double shift; /* what the graph adds to x */
} channel_case;

static double mean_of(const channel_case *c, const float *x, int channel, double *variance) {
    double sum = 0, squares = 0, count = (double)c->batch * c->positions;
    for (int again = 0; again < 2; again++)
        for (int s = 0; s < c->batch; s++)
            for (int k = 0; k < c->positions; k++) {
                double v = (double)x[(s * c->channels + channel) * c->positions + k] + c->shift;
                if (again)
                    squares += (v - sum / count) * (v - sum / count);
                else
                    sum += v;
            }
    *variance = squares / count;
    return sum / count;
}

/* Through a pool of one pixel or an addition: as they come, or in blocks behind a convolution of ones. */
#define STATS(x, more)                                                                                       \
    "graph g\ninput %x f32" x "\n" more "%m, %v = batch_stats(%z)\noutput m %m\noutput v %v\n"

static void statistics_are_exact(void **state) {
    (void)state;
    static const channel_case cases[] = {
        {STATS("[N,3,24,20]", "const %k f32[] 0\n%z = add(%x, %k)\n"), 37, 3, 480, 0},
        {STATS("[N,17]", "const %k f32[] 0\n%z = add(%x, %k)\n"), 300, 17, 1, 0},
        {STATS("[N,5,130]", "const %k f32[] 100\n%z = add(%x, %k)\n"), 41, 5, 130, 100},
        {STATS("[N,20,16,17]", "const %o f32[20,1,1,1] 1\n"
                               "%z = conv2d(%x, %o) {groups=20}\n"),
         19, 20, 272, 0},
        {STATS("[N,20,16,17]", "const %o f32[20,1,1,1] 1\nconst %b f32[20] 100\n"
                               "%z = conv2d(%x, %o, %b) {groups=20}\n"),
         19, 20, 272, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int t = 0; t < TARGETS; t++) {
            fixture f;
            start(&f);
            const channel_case *c = &cases[i];
            const float *x = numbers(&f, "x", (int64_t)c->batch * c->channels * c->positions);
            double *mean = NEW_ARRAY(&f.arena, double, c->channels),
                   *variance = NEW_ARRAY(&f.arena, double, c->channels);
            for (int k = 0; k < c->channels; k++) mean[k] = mean_of(c, x, k, &variance[k]);
            golden_tensor m = output(&f, c->text, c->batch, targets_run[t], 0);
            golden_tensor v = output(&f, c->text, c->batch, targets_run[t], 1);
            /* a number near 100 is itself 4e-6 off: so is its difference from the mean, and twice its square */
            double rounding = c->shift != 0 ? 4e-5 : 2e-6;
            assert_near(&m, mean, rounding, "mean");
            assert_near(&v, variance, rounding, "variance");
            arena_free(&f.arena);
        }
}

#define SUM(x, more, to) "graph g\ninput %x f32" x "\n" more "%y = sum_to(%z) {shape=" to "}\noutput y %y\n"

static void sums_are_exact(void **state) {
    (void)state;
    static const channel_case cases[] = {
        {SUM("[N,3,24,20]", "const %k f32[] 1\n%z = add(%x, %k)\n", "[3,1,1]"), 37, 3, 480, 1},
        {SUM("[N,17]", "const %k f32[] 1\n%z = add(%x, %k)\n", "[17]"), 2100, 17, 1, 1},
        {SUM("[N,20,16,17]",
             "const %o f32[20,1,1,1] 1\nconst %b f32[20] 1\n%z = conv2d(%x, %o, %b) {groups=20}\n",
             "[20,1,1]"),
         19, 20, 272, 1},
        {SUM("[N,34,8,8]",
             "const %o f32[34,1,1,1] 1\nconst %b f32[34] 1\n%z = conv2d(%x, %o, %b) {groups=34}\n",
             "[1,34,1,1]"),
         40, 34, 64, 1},
        {SUM("[N,1,900]", "const %k f32[] 1\n%z = add(%x, %k)\n", "[]"), 45, 1, 900, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int t = 0; t < TARGETS; t++) {
            fixture f;
            start(&f);
            const channel_case *c = &cases[i];
            const float *x = numbers(&f, "x", (int64_t)c->batch * c->channels * c->positions);
            double *sum = NEW_ARRAY(&f.arena, double, c->channels), variance;
            for (int k = 0; k < c->channels; k++)
                sum[k] = mean_of(c, x, k, &variance) * c->batch * c->positions;
            golden_tensor y = output(&f, c->text, c->batch, targets_run[t], 0);
            assert_near(&y, sum, 1e-6, c->text);
            arena_free(&f.arena);
        }
}

/* ---- weights' gradients ---- */

typedef struct conv_case {
    const char *text;
    int batch, in, out, kernel, stride, pad, size, results;
} conv_case;

static double tap_sum(const conv_case *c, const float *x, const float *g, int o, int i, int ky, int kx) {
    double sum = 0;
    for (int s = 0; s < c->batch; s++)
        for (int y = 0; y < c->results; y++)
            for (int k = 0; k < c->results; k++) {
                int row = y * c->stride - c->pad + ky, column = k * c->stride - c->pad + kx;
                if (row < 0 || column < 0 || row >= c->size || column >= c->size) continue;
                sum += (double)x[((s * c->in + i) * c->size + row) * c->size + column] *
                       (double)g[((s * c->out + o) * c->results + y) * c->results + k];
            }
    return sum;
}

#define WEIGHT(x, g, attrs)                                                                                  \
    "graph g\ninput %x f32" x "\ninput %g f32" g "\n%y = conv2d_weight(%x, %g) {" attrs "}\noutput y %y\n"

static void weights_gradients_are_exact(void **state) {
    (void)state;
    static const conv_case cases[] = {
        {WEIGHT("[N,10,6,6]", "[N,20,4,4]", "kernel=[3,3]"), 21, 10, 20, 3, 1, 0, 6, 4},
        {WEIGHT("[N,33,4,4]", "[N,50,4,4]", "kernel=[3,3], pad=[1,1,1,1]"), 13, 33, 50, 3, 1, 1, 4, 4},
        {WEIGHT("[N,1,9,9]", "[N,10,5,5]", "kernel=[5,5]"), 19, 1, 10, 5, 1, 0, 9, 5},
        {WEIGHT("[N,3,9,9]", "[N,18,5,5]", "kernel=[3,3], stride=[2,2], pad=[1,1,1,1]"), 11, 3, 18, 3, 2, 1,
         9, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int t = 0; t < TARGETS; t++) {
            fixture f;
            start(&f);
            const conv_case *c = &cases[i];
            const float *x = numbers(&f, "x", (int64_t)c->batch * c->in * c->size * c->size);
            const float *g = numbers(&f, "g", (int64_t)c->batch * c->out * c->results * c->results);
            double *want = NEW_ARRAY(&f.arena, double, c->out * c->in * c->kernel * c->kernel), *at = want;
            for (int o = 0; o < c->out; o++)
                for (int k = 0; k < c->in; k++)
                    for (int tap = 0; tap < c->kernel * c->kernel; tap++)
                        *at++ = tap_sum(c, x, g, o, k, tap / c->kernel, tap % c->kernel);
            golden_tensor y = output(&f, c->text, c->batch, targets_run[t], 0);
            assert_near(&y, want, 2e-6, c->text);
            arena_free(&f.arena);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_exact),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(weights_gradients_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
