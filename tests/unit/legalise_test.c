/* Functions that legalisation writes as polynomials, run by the interpreter and held against libm in double:
 * over all exponents, close to where pieces join, and at special values. Errors are in ulp of the exact
 * result; results below 2^-126 count in steps of 2^-149. With fused multiply-add and without, on vectors and
 * scalars. */
#include "passes/passes.h"
#include "tests/support/one_kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { LANES = 16, CHUNK = 1 << 14 };

static const bool basic[S_COUNT] = {
    [S_ADD] = true, [S_SUB] = true, [S_MUL] = true,  [S_DIV] = true,   [S_NEG] = true,    [S_MAX] = true,
    [S_MIN] = true, [S_ABS] = true, [S_SQRT] = true, [S_FLOOR] = true, [S_LT] = true,     [S_LE] = true,
    [S_GT] = true,  [S_GE] = true,  [S_EQ] = true,   [S_NE] = true,    [S_SELECT] = true, [S_FMA] = true,
    [S_AND] = true, [S_OR] = true,  [S_XOR] = true,  [S_SHL] = true,   [S_SHR] = true,    [S_MOD] = true,
};
/* As little as can be. */
static const bool least[S_COUNT] = {
    [S_ADD] = true, [S_SUB] = true, [S_MUL] = true, [S_DIV] = true, [S_SQRT] = true,
    [S_LT] = true,  [S_GT] = true,  [S_EQ] = true,  [S_NE] = true,  [S_SELECT] = true,
    [S_AND] = true, [S_OR] = true,  [S_XOR] = true, [S_SHL] = true, [S_SHR] = true,
};

typedef struct fixture {
    trap trap;
    arena arena;
    diags d;
    interp *in;
    run_args args;
    float x[CHUNK], y[CHUNK];
    const float *out;
} fixture;

typedef struct recipe {
    int64_t op, lanes;
} recipe;

/* Element i·16 … of out = op(x, y), by vectors or one by one. */
static void build(kb *b, const void *data) {
    const recipe *r = data;
    ktype t = k_vector(KB_F32, (int)r->lanes);
    kinst *at = kb_muli(b, kb_param(b, 0), LANES);
    kinst *k = kb_for(b, "k", kb_int(b, 0), kb_int(b, LANES), r->lanes, KLOOP_SERIAL);
    kinst *index = kb_add(b, at, k);
    kinst *x = kb_load(b, t, kb_param(b, 2), index), *y = kb_load(b, t, kb_param(b, 3), index);
    kb_store(b, kb_param(b, 4), index, kb_arith(b, (scalar_op)r->op, x, y, NULL));
    kb_end(b);
}

static program *make_program(fixture *f, target_id which, scalar_op what, int lanes) {
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, CHUNK, 0},
                                   {"y", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, CHUNK, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, CHUNK, 0}};
    recipe r = {what, lanes};
    one_kernel k = {.build = build, .recipe = &r, .bytes = sizeof r, .args = args, .count = 3};
    k.runs.mul = CHUNK / LANES;
    k.max_batch = 1;
    k.which = which;
    return one_kernel_program(&f->arena, &k);
}

static fixture *start(target_id which, const bool *supported, scalar_op what, int lanes) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->arena, 0, &f->trap);
    f->d = (diags){.arena = &f->arena};
    program *p = make_program(f, which, what, lanes);
    legalise(p, which, supported);
    if (!program_check(p, &f->d)) diags_print(&f->d, stderr, false);
    assert_int_equal(f->d.errors, 0);
    f->in = interp_new(&f->arena, p, which, NULL, &f->d);
    assert_non_null(f->in);
    f->args = one_kernel_args(&f->arena, p, 1);
    const void **inputs = NEW_ARRAY(&f->arena, const void *, 2);
    inputs[0] = f->x;
    inputs[1] = f->y;
    f->args.inputs = inputs;
    f->out = f->args.outputs[0];
    return f;
}

static void stop(fixture *f) {
    arena_free(&f->arena);
    free(f);
}

/* Distance of got from want in ulp of want; 0 where both are NaN or the same infinity. */
static double ulps(float got, double want) {
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    double bound = 0x1.ffffffp127; /* from here on the nearest float is infinite */
    if (fabs(want) >= bound)
        return isinf(got) && (got > 0) == (want > 0) ? 0 : fabsf(got) >= 0x1.fffffcp127f ? 1 : INFINITY;
    if (isnan(got)) return INFINITY;
    int e;
    frexp(want, &e);
    if (want == 0 || e < -125) e = -125;
    double g = isinf(got) ? copysign(0x1p128, got) : (double)got;
    return fabs(g - want) / ldexp(1, e - 24);
}

typedef struct worst {
    double ulp;
    float x, y;
} worst;

static double double_eval(scalar_op what, double x, double y) {
    return scalar_eval(what, x, y, 0);
}

static void run_chunk(fixture *f, scalar_op what, worst *w) {
    bool good = interp_run(f->in, ENTRY_FORWARD, &f->args, &f->d);
    if (!good) diags_print(&f->d, stderr, false);
    assert_true(good);
    for (int k = 0; k < CHUNK; k++) {
        double u = ulps(f->out[k], double_eval(what, (double)f->x[k], (double)f->y[k]));
        if (u > w->ulp) *w = (worst){u, f->x[k], f->y[k]};
    }
}

static uint64_t splitmix(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static float of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Any float; and one with a middling exponent, where functions do something. */
static float any_float(uint64_t *state, int k) {
    uint32_t bits = (uint32_t)splitmix(state);
    if (k % 4 == 0) return of_bits(bits);
    uint32_t exponent = 127 - 16 + (bits >> 23 & 31) % 24;
    return of_bits((bits & 0x807fffff) | exponent << 23);
}

static const float special[] = {0.0f,
                                -0.0f,
                                1,
                                -1,
                                0.5f,
                                2,
                                -2,
                                3,
                                -3,
                                1e-40f,
                                -1e-40f,
                                INFINITY,
                                -INFINITY,
                                NAN,
                                88.7f,
                                88.8f,
                                -87.4f,
                                -103.9f,
                                -104.1f,
                                0x1p-126f,
                                0x1.fffffep127f,
                                12800,
                                12801,
                                -12799.5f,
                                0.6245f,
                                0.62449f,
                                4,
                                3.9f,
                                0x1.fffffep-1f,
                                0x1.000002p+0f,
                                1e10f,
                                -3e38f,
                                0x1p24f,
                                16777218};
enum { SPECIALS = sizeof special / sizeof *special };

/* What the arguments are brought to, where they are. */
typedef struct limits {
    float (*x)(float), (*y)(float);
} limits;

static worst measure(fixture *f, scalar_op what, int chunks, limits within) {
    worst w = {0};
    uint64_t state = 42 + what;
    for (int c = 0; c < chunks; c++) {
        for (int k = 0; k < CHUNK; k++) {
            f->x[k] = any_float(&state, k);
            f->y[k] = any_float(&state, k + 1);
            if (c == 0 && k < SPECIALS * SPECIALS) {
                f->x[k] = special[k % SPECIALS];
                f->y[k] = special[k / SPECIALS];
            }
            if (within.x) f->x[k] = within.x(f->x[k]);
            if (within.y) f->y[k] = within.y(f->y[k]);
        }
        run_chunk(f, what, &w);
    }
    return w;
}

/* What is promised, on every way to compute it. */
static void expect(scalar_op what, double limit, limits within) {
    static const struct {
        target_id which;
        const bool *supported;
        int lanes;
    } ways[] = {{TARGET_AVX512, basic, LANES},
                {TARGET_C99, basic, LANES},
                {TARGET_AVX2, basic, 1},
                {TARGET_C99, least, 8}};
    const char *chunks = getenv("LEGALISE_CHUNKS"); /* more than the suite has time for */
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        fixture *f = start(ways[k].which, ways[k].supported, what, ways[k].lanes);
        worst w = measure(f, what, chunks ? atoi(chunks) : 24, within);
        if (chunks)
            printf("%s way %zu: %.3f ulp at %a, %a\n", scalars[what].name, k, w.ulp, (double)w.x,
                   (double)w.y);
        if (w.ulp > limit)
            fail_msg("%s, way %zu: %.3f ulp at %a, %a", scalars[what].name, k, w.ulp, (double)w.x,
                     (double)w.y);
        stop(f);
    }
}

static float small_power(float y) {
    return isfinite(y) ? (float)fmod((double)y, 4) : y;
}

/* Further down exp(-x) overflows. */
static float above_87(float x) {
    return x < -87 ? -87 : x;
}

static void exp_is_right(void **state) {
    (void)state;
    expect(S_EXP, 1, (limits){0});
}

static void log_is_right(void **state) {
    (void)state;
    expect(S_LOG, 1, (limits){0});
}

static void tanh_is_right(void **state) {
    (void)state;
    expect(S_TANH, 2, (limits){0});
}

static void erf_is_right(void **state) {
    (void)state;
    expect(S_ERF, 2, (limits){0});
}

static void sin_is_right(void **state) {
    (void)state;
    expect(S_SIN, 2, (limits){0});
}

static void cos_is_right(void **state) {
    (void)state;
    expect(S_COS, 2, (limits){0});
}

static void rsqrt_is_right(void **state) {
    (void)state;
    expect(S_RSQRT, 1.5, (limits){0});
}

static void floor_is_exact(void **state) {
    (void)state;
    expect(S_FLOOR, 0, (limits){0});
}

static void relu_is_exact(void **state) {
    (void)state;
    expect(S_RELU, 0, (limits){0});
}

static void max_is_exact(void **state) {
    (void)state;
    expect(S_MAX, 0, (limits){0});
}

static void min_is_exact(void **state) {
    (void)state;
    expect(S_MIN, 0, (limits){0});
}

static void abs_is_exact(void **state) {
    (void)state;
    expect(S_ABS, 0, (limits){0});
}

static void neg_is_exact(void **state) {
    (void)state;
    expect(S_NEG, 0, (limits){0});
}

static void pow_is_right(void **state) {
    (void)state;
    expect(S_POW, 16, (limits){0});
}

static void small_powers_are_right(void **state) {
    (void)state;
    expect(S_POW, 2, (limits){.y = small_power});
}

static void sigmoid_is_right(void **state) {
    (void)state;
    expect(S_SIGMOID, 2.5, (limits){.x = above_87});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_right),           cmocka_unit_test(log_is_right),
        cmocka_unit_test(tanh_is_right),          cmocka_unit_test(erf_is_right),
        cmocka_unit_test(sin_is_right),           cmocka_unit_test(cos_is_right),
        cmocka_unit_test(rsqrt_is_right),         cmocka_unit_test(floor_is_exact),
        cmocka_unit_test(relu_is_exact),          cmocka_unit_test(max_is_exact),
        cmocka_unit_test(min_is_exact),           cmocka_unit_test(abs_is_exact),
        cmocka_unit_test(neg_is_exact),           cmocka_unit_test(pow_is_right),
        cmocka_unit_test(small_powers_are_right), cmocka_unit_test(sigmoid_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
