/* The interpreter's arithmetic: every operation of scalar.def on every type it is for, in vectors and alone,
 * against C. */
#include "backends/interp/interp.h"
#include "tests/support/one_kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct bench {
    trap trap;
    arena arena;
    diags d;
} bench;

static void start(bench *t) {
    arena_init(&t->arena, 0, &t->trap);
    t->d = (diags){.arena = &t->arena};
}

/* Runs without an error and returns output 0. */
static void *run(bench *t, const one_kernel *k, const void *const *inputs) {
    void *out = one_kernel_run(&t->arena, k, inputs, true, &t->d);
    if (!out) diags_print(&t->d, stderr, false);
    assert_non_null(out);
    return out;
}

enum { VALUES = 64 };

typedef struct operation {
    int64_t op, base, lanes;
} operation;

/* out = op(x, y, z), elementwise; comparisons give 1 and 0. */
static void build_operation(kb *b, const void *recipe) {
    const operation *r = recipe;
    ktype t = k_vector((kbase)r->base, (int)r->lanes);
    scalar_op what = (scalar_op)r->op;
    kinst *k = kb_for(b, "k", kb_int(b, 0), kb_int(b, VALUES), r->lanes, KLOOP_SERIAL), *x[3];
    for (int i = 0; i < 3; i++) x[i] = kb_load(b, t, kb_param(b, 2 + i), k);
    if (what == S_SELECT) x[0] = kb_arith(b, S_NE, x[0], kb_const(b, t, 0), NULL);
    kinst *y = kb_arith(b, what, x[0], x[1], x[2]);
    if (y->type.base == KB_BOOL) y = kb_select(b, y, kb_const(b, t, 1), kb_const(b, t, 0));
    kb_store(b, kb_param(b, 5), k, y);
    kb_end(b);
}

static one_kernel operation_kernel(const operation *r, one_arg *args, target_id which) {
    ktype in = k_ptr((kbase)r->base), out = k_out((kbase)r->base);
    args[0] = (one_arg){"x", in, AREA_INPUT, VALUES, 0};
    args[1] = (one_arg){"y", in, AREA_INPUT, VALUES, 0};
    args[2] = (one_arg){"z", in, AREA_INPUT, VALUES, 0};
    args[3] = (one_arg){"out", out, AREA_OUTPUT, VALUES, 0};
    return (one_kernel){.build = build_operation,
                        .recipe = r,
                        .bytes = sizeof *r,
                        .args = args,
                        .count = 4,
                        .runs = {1, 0},
                        .max_batch = 1,
                        .which = which,
                        .real = r->base == KB_F64 ? KB_F64 : KB_F32};
}

static double number(int k, int which) {
    static const double special[] = {0,   -0.0,  1,     -1, 0.5, INFINITY, -INFINITY, NAN,
                                     2.5, -3.75, 1e-30, 80, 3,   3,        -2,        1000};
    unsigned h = (unsigned)(k * 31 + which * 17) * 2654435761u;
    return k < 32 ? special[(h >> 20) % 16] : ((double)(h >> 8) / (1 << 22) - 2) * (which == 1 ? 3 : 1);
}

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static double expected_real(scalar_op what, const double *x, bool single, bool fused) {
    if (what == S_FMA && !fused)
        return single ? (double)(float)((float)((float)x[0] * (float)x[1]) + (float)x[2])
                      : x[0] * x[1] + x[2];
    if (what == S_FMA && single) return (double)fmaf((float)x[0], (float)x[1], (float)x[2]);
    if (what == S_SELECT) return x[0] != 0 ? x[1] : x[2];
    double y = scalar_eval(what, x[0], x[1], x[2]);
    return single ? (double)(float)y : y;
}

static void check_float(scalar_op what, kbase base, int lanes, target_id which) {
    bench t;
    start(&t);
    one_arg args[4];
    operation r = {what, base, lanes};
    one_kernel k = operation_kernel(&r, args, which);
    float f[3][VALUES];
    double g[3][VALUES];
    for (int i = 0; i < 3; i++)
        for (int v = 0; v < VALUES; v++) g[i][v] = f[i][v] = (float)number(v, i);
    bool single = base == KB_F32;
    const void *inputs[3] = {single ? (void *)f[0] : g[0], single ? (void *)f[1] : g[1],
                             single ? (void *)f[2] : g[2]};
    const void *out = run(&t, &k, inputs);
    for (int v = 0; v < VALUES; v++) {
        double x[3] = {g[0][v], g[1][v], g[2][v]}, want = expected_real(what, x, single, which != TARGET_C99);
        double got = single ? (double)((const float *)out)[v] : ((const double *)out)[v];
        if (!same(got, want))
            fail_msg("%s(%g, %g, %g) in %d lanes of %s: %a, not %a", scalars[what].name, x[0], x[1], x[2],
                     lanes, kbase_name(base), got, want);
    }
    arena_free(&t.arena);
}

static void floats_are_right(void **state) {
    (void)state;
    for (int what = 0; what <= S_FMA; what++)
        for (int lanes = 1; lanes <= 16; lanes *= 4) {
            check_float((scalar_op)what, KB_F32, lanes, TARGET_AVX512);
            check_float((scalar_op)what, KB_F64, lanes, TARGET_AVX512);
        }
    for (int lanes = 1; lanes <= 16; lanes *= 16) {
        check_float(S_FMA, KB_F32, lanes, TARGET_C99);
        check_float(S_FMA, KB_F64, lanes, TARGET_C99);
    }
}

static int64_t expected_int(scalar_op what, int64_t x, int64_t y, int64_t z, int bits) {
    uint64_t a = (uint64_t)x, b = (uint64_t)y, r;
    switch ((int)what) {
    case S_ADD: r = a + b; break;
    case S_SUB: r = a - b; break;
    case S_MUL: r = a * b; break;
    case S_DIV: return y == -1 ? (int64_t)(0 - a) : x / y;
    case S_MOD: return y == -1 ? 0 : x % y;
    case S_NEG: r = 0 - a; break;
    case S_MAX: return x > y ? x : y;
    case S_MIN: return x < y ? x : y;
    case S_ABS: r = x < 0 ? 0 - a : a; break;
    case S_RELU: return x < 0 ? 0 : x;
    case S_LT: return x < y;
    case S_LE: return x <= y;
    case S_GT: return x > y;
    case S_GE: return x >= y;
    case S_EQ: return x == y;
    case S_NE: return x != y;
    case S_SELECT: return x ? y : z;
    case S_AND: return x & y;
    case S_OR: return x | y;
    case S_XOR: return x ^ y;
    case S_SHL: r = a << (b & (unsigned)(bits - 1)); break;
    case S_SHR: return x >> (b & (unsigned)(bits - 1));
    default: r = ((uint64_t)(uint32_t)x * (uint32_t)y) >> 32; break;
    }
    return bits == 32 ? (int64_t)(int32_t)(uint32_t)r : (int64_t)r;
}

static void check_int(scalar_op what, kbase base, int lanes) {
    static const int64_t special[] = {0, 1, -1, 7, -7, 31, INT32_MAX, INT32_MIN, 1000003, -12, 2, 5};
    bench t;
    start(&t);
    one_arg args[4];
    operation r = {what, base, lanes};
    one_kernel k = operation_kernel(&r, args, TARGET_AVX512);
    int64_t g[3][VALUES];
    int32_t f[3][VALUES];
    for (int v = 0; v < VALUES; v++) {
        for (int i = 0; i < 3; i++) g[i][v] = special[(v * (2 * i + 1) + v / 12 + i) % 12];
        if ((what == S_DIV || what == S_MOD) && g[1][v] == 0) g[1][v] = 3;
        if (base == KB_I32 && what == S_DIV && g[0][v] == INT32_MIN) g[0][v] = 5;
        for (int i = 0; i < 3; i++) f[i][v] = (int32_t)g[i][v];
    }
    bool narrow = base == KB_I32;
    const void *inputs[3] = {narrow ? (void *)f[0] : g[0], narrow ? (void *)f[1] : g[1],
                             narrow ? (void *)f[2] : g[2]};
    const void *out = run(&t, &k, inputs);
    for (int v = 0; v < VALUES; v++) {
        int64_t want = expected_int(what, g[0][v], g[1][v], g[2][v], narrow ? 32 : 64);
        int64_t got = narrow ? ((const int32_t *)out)[v] : ((const int64_t *)out)[v];
        if (got != want)
            fail_msg("%s(%lld, %lld) of %s: %lld, not %lld", scalars[what].name, (long long)g[0][v],
                     (long long)g[1][v], kbase_name(base), (long long)got, (long long)want);
    }
    arena_free(&t.arena);
}

static void integers_are_right(void **state) {
    (void)state;
    static const scalar_op operations[] = {S_ADD,    S_SUB,  S_MUL, S_DIV, S_MOD, S_NEG, S_MAX, S_MIN,
                                           S_ABS,    S_RELU, S_LT,  S_LE,  S_GT,  S_GE,  S_EQ,  S_NE,
                                           S_SELECT, S_AND,  S_OR,  S_XOR, S_SHL, S_SHR};
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++)
        for (int lanes = 1; lanes <= 16; lanes *= 4) {
            check_int(operations[k], KB_I32, lanes);
            check_int(operations[k], KB_INT, lanes);
        }
    check_int(S_MULHI, KB_I32, 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_right),
        cmocka_unit_test(integers_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
