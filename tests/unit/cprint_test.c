/* Kernels built by hand, printed as C for every instruction set that this machine runs, compiled, run, and
 * compared with values computed here. */
#include "backends/c/load.h"
#include "ir/kernel/core.h"
#include "ir/kernel/lower.h"
#include "passes/passes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { COUNT = 37, ROW = 48, ROWS = 24, OUT = ROW * ROWS };

typedef struct bench {
    trap trap;
    arena arena;
    diags d;
    float x[COUNT], y[OUT];
} bench;

static bool runs_here(target_id t) {
#if defined(__x86_64__)
    if (t == TARGET_AVX512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    if (t == TARGET_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(__aarch64__)
    if (t == TARGET_NEON) return true;
#endif
    return t == TARGET_C99;
}

/* A net of one kernel, y = kernel(x), run once a sample. */
static program *one_kernel(bench *b, target_id t, kernel_build *build) {
    program *p = NEW(&b->arena, program);
    graph *g = graph_new(&b->arena, "net");
    value *x = graph_input(g, "x", DT_F32, shape_of(2, (int64_t[]){DIM_N, COUNT}), (span){0});
    graph_output out = {"y", graph_input(g, "y", DT_F32, shape_of(2, (int64_t[]){DIM_N, OUT}), (span){0})};
    (void)x;
    g->inputs.count = 1; /* y is an output only */
    VEC_PUSH(&b->arena, &g->outputs, out);
    *p = (program){
        .arena = &b->arena, .name = "net", .graph = g, .real = KB_F32, .max_batch = 1, .max_threads = 1};
    p->wanted[t] = true;
    p->packed_bytes = PACKED_HEADER;
    p->entries[ENTRY_PREPARE] = (entry){.kind = ENTRY_PREPARE, .present = true};
    p->entries[ENTRY_FORWARD] = (entry){.kind = ENTRY_FORWARD, .present = true};
    lower l = {.arena = &b->arena, .program = p, .graph = g, .steps = &p->entries[ENTRY_FORWARD].steps};
    kparam params[] = {{"x", k_ptr(KB_F32)}, {"y", k_out(KB_F32)}};
    call_arg args[] = {
        {.kind = ARG_BUFFER, .buffer = program_buffer(p, "x", AREA_INPUT, KB_F32, 0, COUNT)},
        {.kind = ARG_BUFFER, .buffer = program_buffer(p, "y", AREA_OUTPUT, KB_F32, 0, OUT)},
    };
    int64_t recipe = 0;
    kernel *k = lower_kernel(&l, "test", build, &recipe, sizeof recipe, params, 2, (kcount){1, 1}, 1);
    lower_call(&l, k, args, 2, NULL);
    pass_state s = {.arena = &b->arena, .program = p};
    pass_unroll(&s);
    legalise(p, t, c_supported(t));
    return p;
}

static void refuse(bench *b, const char *what) {
    diags_print(&b->d, stderr, false);
    fail_msg("%s", what);
}

/* Prints, compiles and runs the kernel: x to y. */
static void execute(bench *b, target_id t, kernel_build *build) {
    program *p = one_kernel(b, t, build);
    c_options o = {.header_name = "net.h", .invoke = true};
    o.targets[t] = true;
    text code = text_in(&b->arena), header = text_in(&b->arena);
    c_library l;
    if (!c_emit(&b->arena, p, &o, &code, &header, &b->d)) refuse(b, "not printed");
    if (!c_load(&l, &b->arena, p, &o, &code, &header, &b->d)) refuse(b, "not loaded");
    _Alignas(64) char packed[PACKED_HEADER], params[4];
    const void *inputs[] = {b->x};
    void *outputs[] = {b->y};
    assert_int_equal(l.invoke(ENTRY_PREPARE, 1, params, packed, inputs, outputs, NULL, NULL, 0), 0);
    assert_int_equal(l.invoke(ENTRY_FORWARD, 1, NULL, packed, inputs, outputs, NULL, NULL, 0), 0);
    c_unload(&l);
}

static void on_every_target(kernel_build *build, void (*check)(const bench *b, target_id t)) {
    for (int t = 0; t < TARGET_COUNT; t++) {
        if (!runs_here((target_id)t)) continue;
        bench *b = calloc(1, sizeof *b);
        arena_init(&b->arena, 0, &b->trap);
        b->d.arena = &b->arena;
        for (int k = 0; k < COUNT; k++) b->x[k] = (float)((k * 29) % 41 - 20) * 0.37f;
        b->x[5] = NAN;
        b->x[6] = -0.0f;
        b->x[7] = INFINITY;
        for (int k = 0; k < OUT; k++) b->y[k] = 1000; /* what is not written stays so */
        execute(b, (target_id)t, build);
        check(b, (target_id)t);
        arena_free(&b->arena);
        free(b);
    }
}

static void same(float got, float want, const char *what, int at, target_id t) {
    uint32_t a, b;
    memcpy(&a, &got, 4);
    memcpy(&b, &want, 4);
    if (a != b && !(isnan(got) && isnan(want)) && !(got == 0 && want == 0))
        fail_msg("%s at %d on %s: %a, not %a", what, at, targets[t].name, got, want);
}

/* ---- vectors: every operation, whole and in part ---- */

typedef struct row_maker {
    kb *b;
    kinst *at, *left; /* where this vector begins, how many of its lanes there are */
    int row;
} row_maker;

static void put(row_maker *m, kinst *v) {
    kinst *index = kb_addi(m->b, m->at, m->row++ * ROW);
    kb_store_part(m->b, kb_param(m->b, 3), index, v, m->left);
}

static kinst *real(kb *b, double x) {
    return kb_const(b, kb_vector(b), x);
}

static kinst *two_to(kb *b, kinst *a) { /* 2^floor(a) through the exponent's bits */
    ktype whole = k_vector(KB_I32, b->lanes);
    kinst *power = kb_cast(b, whole, kb_arith(b, S_FLOOR, a, NULL, NULL));
    power = kb_arith(b, S_ADD, power, kb_const(b, whole, 127), NULL);
    return kb_bits(b, kb_vector(b), kb_arith(b, S_SHL, power, kb_const(b, whole, 23), NULL));
}

static void put_rows(row_maker *m, kinst *a) {
    kb *b = m->b;
    kinst *less = kb_arith(b, S_LT, a, real(b, 0.1), NULL),
          *not_less = kb_arith(b, S_GE, a, real(b, -3), NULL);
    kinst *early = kb_tail(b, kb_addi(b, m->left, -3), b->lanes);
    put(m, kb_max(b, a, real(b, 0.5)));
    put(m, kb_max(b, real(b, 0.5), a));
    put(m, kb_min(b, a, real(b, -0.25)));
    put(m, kb_arith(b, S_ABS, a, NULL, NULL));
    put(m, kb_arith(b, S_FLOOR, a, NULL, NULL));
    put(m, kb_arith(b, S_SQRT, a, NULL, NULL));
    put(m, kb_select(b, less, kb_mul(b, a, real(b, 2)), kb_arith(b, S_NEG, a, NULL, NULL)));
    put(m, kb_select(b, kb_arith(b, S_AND, less, not_less, NULL), real(b, 7), a));
    put(m, kb_select(b, kb_arith(b, S_XOR, less, not_less, NULL), real(b, 7), a));
    put(m, kb_select(b, kb_arith(b, S_OR, early, less, NULL), a, real(b, 9)));
    put(m, kb_fma(b, a, a, a));
    put(m, kb_add(b, kb_mul(b, a, a), a)); /* two roundings, whatever the compiler would like */
    put(m, kb_arith(b, S_DIV, a, real(b, 3), NULL));
    put(m, two_to(b, a));
    put(m, kb_cast(b, kb_vector(b), kb_arith(b, S_NE, a, real(b, 0), NULL)));
    put(m, kb_sub(b, a, kb_splat(b, kb_load(b, kb_real(b), kb_param(b, 2), kb_int(b, 3)), b->lanes)));
}

static void build_vectors(kb *b, const void *recipe) {
    (void)recipe;
    kinst *x = kb_param(b, 2);
    kinst *at = kb_for(b, "at", kb_int(b, 0), kb_int(b, COUNT), b->lanes, KLOOP_SERIAL);
    row_maker m = {b, at, kb_sub(b, kb_int(b, COUNT), at), 0};
    put_rows(&m, kb_load_part(b, kb_vector(b), x, at, m.left));
    kb_end(b);
    kinst *whole = kb_load(b, kb_vector(b), x, kb_int(b, 8)), *y = kb_param(b, 3);
    kb_store(b, y, kb_int(b, 20 * ROW), kb_hsum(b, whole));
    kb_store(b, y, kb_int(b, 20 * ROW + 1), kb_hmax(b, kb_mul(b, whole, real(b, -1))));
}

static float by_halves(const float *x, int lanes, bool sum) {
    float v[16];
    for (int k = 0; k < lanes; k++) v[k] = sum ? x[k] : -x[k];
    for (int half = lanes / 2; half; half /= 2)
        for (int k = 0; k < half; k++)
            v[k] = sum ? v[k] + v[k + half] : v[k] > v[k + half] ? v[k] : v[k + half];
    return v[0];
}

static float expected(int row, float a, int k, const bench *b, target_id t) {
    int lanes = targets[t].lanes, left = COUNT - k / lanes * lanes - 3;
    bool less = a < 0.1f, not_less = a >= -3, early = k % lanes < left;
    volatile float square = a * a;
    switch (row) {
    case 0: return a > 0.5f ? a : 0.5f;
    case 1: return 0.5f > a ? 0.5f : a;
    case 2: return a < -0.25f ? a : -0.25f;
    case 3: return fabsf(a);
    case 4: return floorf(a);
    case 5: return sqrtf(a);
    case 6: return less ? a * 2 : -a;
    case 7: return less && not_less ? 7 : a;
    case 8: return less != not_less ? 7 : a;
    case 9: return early || less ? a : 9;
    case 10: return t == TARGET_C99 ? square + a : fmaf(a, a, a);
    case 11: return square + a;
    case 12: return a / 3;
    case 13: return ldexpf(1, (int)floorf(a));
    case 14: return a != 0;
    default: return a - b->x[3];
    }
}

static void check_vectors(const bench *b, target_id t) {
    for (int row = 0; row < 16; row++) {
        for (int k = 0; k < COUNT; k++) {
            bool convertible = row != 13 || isfinite(b->x[k]);
            if (convertible)
                same(b->y[row * ROW + k], expected(row, b->x[k], k, b, t), "row", row * ROW + k, t);
        }
        for (int k = COUNT; k < ROW; k++) same(b->y[row * ROW + k], 1000, "past the end", row * ROW + k, t);
    }
    same(b->y[20 * ROW], by_halves(b->x + 8, targets[t].lanes, true), "sum", 0, t);
    same(b->y[20 * ROW + 1], by_halves(b->x + 8, targets[t].lanes, false), "maximum", 0, t);
}

static void vectors(void **state) {
    (void)state;
    on_every_target(build_vectors, check_vectors);
}

/* ---- scalars ---- */

static kinst *as_real(kb *b, kinst *x) {
    return kb_cast(b, kb_real(b), x);
}

static void build_scalars(kb *b, const void *recipe) {
    (void)recipe;
    kinst *x = kb_param(b, 2), *y = kb_param(b, 3);
    kinst *j = kb_for(b, "int", kb_int(b, 0), kb_int(b, COUNT), 1, KLOOP_SERIAL); /* a name C has taken */
    kinst *a = kb_load(b, kb_real(b), x, j), *half = kb_const(b, kb_real(b), 0.5);
    ktype small = k_scalar(KB_I32);
    kinst *late = kb_arith(b, S_GT, j, kb_int(b, 9), NULL);
    kinst *big = kb_mul(b, kb_select(b, late, kb_int(b, 70000), kb_int(b, 50000)), kb_addi(b, j, 70000));
    kinst *bits = kb_bits(b, small, a);
    kinst *low = kb_arith(b, S_AND, bits, kb_const(b, small, 0x7fff), NULL);
    kinst *results[] = {
        as_real(b, kb_add(b, kb_muli(b, kb_divi(b, j, 7), 100), kb_modi(b, j, 7))),
        as_real(b, kb_sub(b, kb_int(b, 5), kb_sub(b, j, kb_min(b, j, kb_int(b, 11))))),
        as_real(b, kb_divi(b, big, 1000)),
        kb_max(b, a, half),
        kb_arith(b, S_ABS, a, NULL, NULL),
        kb_arith(b, S_FLOOR, a, NULL, NULL),
        kb_arith(b, S_SQRT, a, NULL, NULL),
        kb_fma(b, a, half, a),
        kb_sub(b, half, kb_sub(b, a, kb_arith(b, S_NEG, half, NULL, NULL))),
        as_real(b, kb_arith(b, S_SHL, low, kb_const(b, small, 3), NULL)),
        kb_bits(b, kb_real(b), kb_arith(b, S_XOR, bits, kb_const(b, small, 1 << 23), NULL)),
        kb_select(b, kb_arith(b, S_OR, late, kb_arith(b, S_LT, a, half, NULL), NULL), a, half),
        kb_const(b, kb_real(b), INFINITY),
        kb_const(b, kb_real(b), 0.1),
    };
    for (int k = 0; k < (int)(sizeof results / sizeof *results); k++)
        kb_store(b, y, kb_addi(b, j, k * ROW), results[k]);
    kb_end(b);
}

static void check_scalars(const bench *b, target_id t) {
    for (int j = 0; j < COUNT; j++) {
        float a = b->x[j], other;
        int32_t bits;
        memcpy(&bits, &a, 4);
        int32_t turned = bits ^ (1 << 23);
        memcpy(&other, &turned, 4);
        volatile float product = a * 0.5f;
        int64_t big = (j > 9 ? 70000 : 50000) * (int64_t)(j + 70000);
        const float want[] = {
            (float)(j / 7 * 100 + j % 7),
            (float)(5 - (j - (j < 11 ? j : 11))),
            (float)(big / 1000),
            a > 0.5f ? a : 0.5f,
            fabsf(a),
            floorf(a),
            sqrtf(a),
            t == TARGET_C99 ? product + a : fmaf(a, 0.5f, a),
            0.5f - (a + 0.5f),
            (float)((bits & 0x7fff) << 3),
            other,
            j > 9 || a < 0.5f ? a : 0.5f,
            INFINITY,
            0.1f,
        };
        for (int k = 0; k < 14; k++) same(b->y[k * ROW + j], want[k], "scalar", k * ROW + j, t);
    }
}

static void scalars_(void **state) {
    (void)state;
    on_every_target(build_scalars, check_scalars);
}

/* ---- order: what is printed late must not read what was written since ---- */

static void build_order(kb *b, const void *recipe) {
    (void)recipe;
    kinst *y = kb_param(b, 3), *zero = kb_int(b, 0);
    kinst *k = kb_for(b, "k", zero, kb_int(b, 3 * ROW), 1, KLOOP_SERIAL);
    kb_store(b, y, k, as_real(b, k));
    kb_end(b);
    kinst *first = kb_load(b, kb_real(b), y, zero), *second = kb_load(b, kb_real(b), y, kb_int(b, 1));
    kb_store(b, y, zero, second);
    kb_store(b, y, kb_int(b, 1), first); /* a swap */
    kinst *v = kb_load(b, kb_vector(b), y, kb_int(b, 10));
    kb_store(b, y, kb_int(b, 11), kb_mul(b, v, real(b, 2))); /* overlapping: all is read before */
    kinst *r = kb_reg(b, "r", kb_real(b), 2, 1), *one = kb_int(b, 1);
    kb_set(b, r, zero, zero, kb_const(b, kb_real(b), 3));
    kb_set(b, r, one, zero, kb_const(b, kb_real(b), 4));
    kinst *old = kb_get(b, r, zero, zero);
    kb_set(b, r, zero, zero, kb_get(b, r, one, zero));
    kb_set(b, r, one, zero, old);
    kb_store(b, y, kb_int(b, 2), kb_get(b, r, zero, zero));
    kb_store(b, y, kb_int(b, 3), kb_get(b, r, one, zero));
    kinst *local = kb_local(b, "local", KB_F32, 4);
    for (int j = 0; j < 4; j++) kb_store(b, local, kb_int(b, j), kb_const(b, kb_real(b), j * j));
    kinst *i = kb_for(b, "i", zero, kb_int(b, 4), 2, KLOOP_SERIAL);
    kb_if(b, kb_arith(b, S_EQ, i, zero, NULL));
    kb_store(b, y, kb_int(b, 4), kb_load(b, kb_real(b), kb_offset(b, local, i), kb_int(b, 3)));
    kb_else(b);
    kb_store(b, y, kb_int(b, 5), kb_load(b, kb_real(b), local, i));
    kb_end(b);
    kb_end(b);
}

static void check_order(const bench *b, target_id t) {
    static const float want[] = {1, 0, 4, 3, 9, 4, 6, 7, 8, 9, 10};
    for (int k = 0; k < 11; k++) same(b->y[k], want[k], "order", k, t);
    int lanes = targets[t].lanes;
    for (int k = 0; k < lanes; k++) same(b->y[11 + k], (float)(2 * (10 + k)), "overlap", k, t);
    same(b->y[11 + lanes], (float)(11 + lanes), "after the overlap", 0, t);
}

static void order(void **state) {
    (void)state;
    on_every_target(build_order, check_order);
}

/* ---- the matrix core, with an epilogue and a tail ---- */

enum { PIXELS = 2, STEPS = 4, VALID = 19 };

/* a = x[0..8), two pixels of four steps; b = 4 × 16 and its second block, made of x too, in a local array. */
static void build_product(kb *b, const void *recipe) {
    (void)recipe;
    kinst *x = kb_param(b, 2), *zero = kb_int(b, 0), *local = kb_local(b, "weights", KB_F32, 2 * STEPS * 16);
    kinst *k = kb_for(b, "k", zero, kb_int(b, 2 * STEPS * 16), 1, KLOOP_SERIAL);
    kb_store(b, local, k, kb_load(b, kb_real(b), x, kb_addi(b, kb_modi(b, k, 25), 9)));
    kb_end(b);
    const char *rule = "s0=add(i0,i1); max(0,s0)";
    core_shape s = {
        .pixels = PIXELS, .blocks = 2, .a_pixel = STEPS, .a_step = 1, .out_pixel = ROW, .bias = 1};
    s.tail = TAIL_PART;
    s.e = expr_parse(b->arena, rule, strlen(rule));
    s.operands = 1;
    s.operand_kind[0] = OPERAND_FULL;
    s.operand_pixel[0] = 1;
    kinst *one = kb_int(b, 1);
    core_call c = {
        .a = kb_offset(b, x, kb_int(b, 24)), .count = {one, one, one}, .stride = {zero, zero, zero}};
    c.inner = kb_int(b, STEPS);
    c.b = local;
    c.b_block = kb_int(b, STEPS * 16);
    c.b_run = zero;
    c.bias = kb_offset(b, x, kb_int(b, 0));
    c.operand[0] = kb_offset(b, x, kb_int(b, 8));
    c.operand_block[0] = kb_int(b, 8);
    c.out = kb_param(b, 3);
    c.out_block = kb_int(b, 16);
    c.valid = kb_int(b, VALID);
    core_emit(b, &s, &c);
}

static void check_product(const bench *b, target_id t) {
    for (int p = 0; p < PIXELS; p++) {
        for (int o = 0; o < VALID; o++) {
            float c = b->x[o];
            for (int k = 0; k < STEPS; k++) {
                float w = b->x[(o / 16 * STEPS * 16 + k * 16 + o % 16) % 25 + 9],
                      a = b->x[24 + p * STEPS + k];
                volatile float product = a * w;
                c = t == TARGET_C99 ? product + c : fmaf(a, w, c);
            }
            c += b->x[8 + o / 16 * 8 + o % 16 + p];
            same(b->y[p * ROW + o], 0 > c ? 0 : c, "product", p * ROW + o, t);
        }
        for (int o = VALID; o < ROW; o++) same(b->y[p * ROW + o], 1000, "past the last", p * ROW + o, t);
    }
}

static void product(void **state) {
    (void)state;
    on_every_target(build_product, check_product);
}

/* ---- functions that legalisation writes as polynomials ---- */

static const char *const functions[] = {"exp(i0)", "tanh(i0)", "sigmoid(i0)", "erf(i0)", "relu(i0)"};

static void build_functions(kb *b, const void *recipe) {
    (void)recipe;
    for (int f = 0; f < 5; f++) {
        const expr *e = expr_parse(b->arena, functions[f], strlen(functions[f]));
        kinst *at = kb_for(b, "at", kb_int(b, 0), kb_int(b, COUNT), b->lanes, KLOOP_SERIAL);
        kinst *left = kb_sub(b, kb_int(b, COUNT), at);
        kinst *a = kb_load_part(b, kb_vector(b), kb_param(b, 2), at, left);
        kb_store_part(b, kb_param(b, 3), kb_addi(b, at, f * ROW), kb_expr(b, e, &a), left);
        kb_end(b);
    }
}

static void check_functions(const bench *b, target_id t) {
    for (int k = 0; k < COUNT; k++) {
        double a = b->x[k], want[] = {exp(a), tanh(a), 1 / (1 + exp(-a)), erf(a), 0 > a ? 0 : a};
        for (int f = 0; f < 5; f++) {
            float got = b->y[f * ROW + k], right = (float)want[f];
            bool near = isfinite(right) && fabs(got - want[f]) <= 4e-7 * fabs(want[f]) + 1e-38; /* 3 ulp */
            if (!near) same(got, right, functions[f], k, t);
        }
    }
}

static void functions_(void **state) {
    (void)state;
    on_every_target(build_functions, check_functions);
}

/* ---- compilers that are not there, or fail ---- */

static void load_fails(const char *compiler, const char *message) {
    bench *b = calloc(1, sizeof *b);
    const char *before = getenv("CC");
    char *kept = before ? strdup(before) : NULL;
    arena_init(&b->arena, 0, &b->trap);
    b->d.arena = &b->arena;
    program *p = one_kernel(b, TARGET_C99, build_scalars);
    c_options o = {.header_name = "net.h", .invoke = true, .targets = {[TARGET_C99] = true}};
    text code = text_in(&b->arena), header = text_in(&b->arena);
    c_library l;
    assert_true(c_emit(&b->arena, p, &o, &code, &header, &b->d));
    setenv("CC", compiler, 1);
    assert_false(c_load(&l, &b->arena, p, &o, &code, &header, &b->d));
    if (kept)
        setenv("CC", kept, 1);
    else
        unsetenv("CC");
    assert_null(l.handle);
    assert_int_equal(b->d.errors, 1);
    if (!strstr(b->d.first->text, message)) refuse(b, message);
    arena_free(&b->arena);
    free(kept);
    free(b);
}

static void compilers(void **state) {
    (void)state;
    load_fails("/no/such/compiler -O2", "there is no such compiler");
    load_fails("false", "the C compiler failed");
    load_fails("true", "cannot load what was compiled"); /* says it is done, and is not */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors), cmocka_unit_test(scalars_),   cmocka_unit_test(order),
        cmocka_unit_test(product), cmocka_unit_test(functions_), cmocka_unit_test(compilers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
