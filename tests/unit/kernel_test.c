/* The builder: what folds, what is shared, what loops and branches leave; and what kfunc_check refuses. */
#include "ir/kernel/emit.h"
#include "ir/kernel/rewrite.h"
#include "tests/support/one_kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct bench {
    arena arena;
    trap trap;
    diags d;
    program p;
    kfunc f;
    kb b;
} bench;

static const kparam parameters[] = {{"i", {KB_INT, 1, 0, 0}},
                                    {"n", {KB_INT, 1, 0, 0}},
                                    {"in", {KB_PTR, 1, KB_F32, 0}},
                                    {"out", {KB_PTR, 1, KB_INT, 1}}};

static void start(bench *t, target_id which) {
    memset(t, 0, sizeof *t);
    arena_init(&t->arena, 0, &t->trap);
    t->d.arena = &t->arena;
    t->p = (program){.arena = &t->arena, .real = KB_F32};
    t->f = (kfunc){.name = "f", .params = 4, .param = (kparam *)parameters, .target = &targets[which]};
    t->b = (kb){.arena = &t->arena, .f = &t->f, .program = &t->p, .target = &targets[which], .real = KB_F32};
    t->b.lanes = targets[which].lanes;
    t->b.at[0] = &t->f.body;
}

/* The body's lines, without what nobody uses. */
static const char *body(bench *t) {
    text out = text_in(&t->arena);
    if (!kfunc_check(&t->f, &t->d)) diags_print(&t->d, stderr, false);
    assert_int_equal(t->d.errors, 0);
    kfunc_prune(&t->arena, &t->f);
    kfunc_print(&out, &t->f);
    char *first = strchr(out.at, '\n') + 1;
    first[strlen(first) - 2] = 0; /* "}\n" */
    return first;
}

/* What an integer expression of i and n becomes: the line that stores it. */
typedef kinst *expression(kb *b, kinst *i, kinst *n);
static void folds(expression *make, const char *expected) {
    bench t;
    start(&t, TARGET_C99);
    if (setjmp(t.trap.jump)) fail_msg("%s", t.trap.reason);
    kinst *i = kb_param(&t.b, 0), *n = kb_param(&t.b, 1);
    kinst *x = make(&t.b, i, n);
    if (x->type.base == KB_BOOL) x = kb_select(&t.b, x, kb_int(&t.b, 1), kb_int(&t.b, 0));
    kb_store(&t.b, kb_param(&t.b, 3), kb_int(&t.b, 0), x);
    assert_string_equal(body(&t), expected);
    arena_free(&t.arena);
}

#define EXPRESSION(NAME, VALUE)                                                                              \
    static kinst *NAME(kb *b, kinst *i, kinst *n) {                                                          \
        (void)i;                                                                                             \
        (void)n;                                                                                             \
        return VALUE;                                                                                        \
    }
EXPRESSION(constants, kb_add(b, kb_mul(b, kb_int(b, 6), kb_int(b, 7)), kb_int(b, -2)))
EXPRESSION(plus_zero, kb_add(b, kb_int(b, 0), kb_addi(b, i, 0)))
EXPRESSION(nested_sum, kb_addi(b, kb_addi(b, i, 3), 4))
EXPRESSION(sum_of_sums, kb_add(b, kb_addi(b, i, 3), kb_addi(b, n, 4)))
EXPRESSION(difference, kb_sub(b, kb_addi(b, i, 3), kb_addi(b, i, 1)))
EXPRESSION(times_one, kb_muli(b, kb_mul(b, kb_int(b, 1), i), 1))
EXPRESSION(times_zero, kb_mul(b, kb_int(b, 0), i))
EXPRESSION(nested_product, kb_muli(b, kb_muli(b, i, 3), 5))
EXPRESSION(distributed, kb_muli(b, kb_addi(b, i, 3), 5))
EXPRESSION(over_one, kb_divi(b, i, 1))
EXPRESSION(exact_quotient, kb_divi(b, kb_muli(b, i, 12), 4))
EXPRESSION(nested_quotient, kb_divi(b, kb_divi(b, i, 3), 5))
EXPRESSION(modulo_one, kb_modi(b, i, 1))
EXPRESSION(modulo_factor, kb_modi(b, kb_muli(b, i, 12), 4))
EXPRESSION(modulo_twice, kb_modi(b, kb_modi(b, i, 4), 8))
EXPRESSION(bounds, kb_min(b, kb_max(b, kb_int(b, 5), kb_int(b, 9)), kb_int(b, 7)))
EXPRESSION(nested_bounds, kb_min(b, kb_min(b, i, kb_int(b, 9)), kb_int(b, 7)))
EXPRESSION(comparison, kb_arith(b, S_LT, kb_int(b, 3), kb_int(b, 4), NULL))
EXPRESSION(itself, kb_arith(b, S_LE, i, i, NULL))
EXPRESSION(known_choice, kb_select(b, kb_arith(b, S_GT, kb_int(b, 3), kb_int(b, 4), NULL), i, n))
EXPRESSION(same_choice, kb_select(b, kb_arith(b, S_GT, i, n, NULL), i, i))
EXPRESSION(negated, kb_arith(b, S_NEG, kb_int(b, 8), NULL, NULL))
EXPRESSION(logic, kb_arith(b, S_AND, kb_arith(b, S_LT, i, n, NULL),
                           kb_arith(b, S_LT, kb_int(b, 1), kb_int(b, 2), NULL), NULL))
EXPRESSION(by_zero, kb_divi(b, kb_int(b, 8), 0))

static void integers_fold(void **state) {
    (void)state;
    folds(constants, "  store out[0] = 40\n");
    folds(plus_zero, "  store out[0] = i\n");
    folds(nested_sum, "  %2 = add i, 7\n  store out[0] = %2\n");
    folds(sum_of_sums, "  %2 = add i, n\n  %4 = add %2, 7\n  store out[0] = %4\n");
    folds(difference, "  store out[0] = 2\n");
    folds(times_one, "  store out[0] = i\n");
    folds(times_zero, "  store out[0] = 0\n");
    folds(nested_product, "  %2 = mul i, 15\n  store out[0] = %2\n");
    folds(distributed, "  %2 = mul i, 5\n  %4 = add %2, 15\n  store out[0] = %4\n");
    folds(over_one, "  store out[0] = i\n");
    folds(exact_quotient, "  %2 = mul i, 3\n  store out[0] = %2\n");
    folds(nested_quotient, "  %2 = div i, 15\n  store out[0] = %2\n");
    folds(modulo_one, "  store out[0] = 0\n");
    folds(modulo_factor, "  store out[0] = 0\n");
    folds(modulo_twice, "  %2 = mod i, 4\n  store out[0] = %2\n");
    folds(bounds, "  store out[0] = 7\n");
    folds(nested_bounds, "  %2 = min i, 7\n  store out[0] = %2\n");
    folds(comparison, "  store out[0] = 1\n");
    folds(itself, "  store out[0] = 1\n");
    folds(known_choice, "  store out[0] = n\n");
    folds(same_choice, "  store out[0] = i\n");
    folds(negated, "  store out[0] = -8\n");
    folds(by_zero, "  %2 = div 8, 0\n  store out[0] = %2\n");
}

static void logic_folds(void **state) {
    (void)state;
    folds(logic, "  %2 = lt i, n\n  %5 = select %2, 1, 0\n  store out[0] = %5\n");
}

static void one_turn_is_no_loop(void **state) {
    (void)state;
    bench t;
    start(&t, TARGET_C99);
    kinst *x = kb_for(&t.b, "x", kb_int(&t.b, 3), kb_int(&t.b, 4), 1, KLOOP_SERIAL);
    kinst *y = kb_for(&t.b, "y", kb_int(&t.b, 0), kb_param(&t.b, 1), 2, KLOOP_SERIAL);
    kb_store(&t.b, kb_param(&t.b, 3), kb_add(&t.b, x, y), x);
    kb_end(&t.b);
    kb_end(&t.b);
    assert_int_equal(t.b.depth, 0);
    assert_string_equal(
        body(&t), "  %4 = for 0..n step 2 serial y {\n    %5 = add %4, 3\n    store out[%5] = 3\n  }\n");
    arena_free(&t.arena);
}

static void known_branches_vanish(void **state) {
    (void)state;
    for (int known = 0; known < 2; known++) {
        bench t;
        start(&t, TARGET_C99);
        kinst *out = kb_param(&t.b, 3), *at = kb_param(&t.b, 0);
        kb_if(&t.b, kb_truth(&t.b, known, 1));
        kb_store(&t.b, out, at, kb_int(&t.b, 1));
        kb_else(&t.b);
        kb_store(&t.b, out, at, kb_int(&t.b, 2));
        kb_end(&t.b);
        assert_int_equal(t.b.depth, 0);
        assert_string_equal(body(&t), known ? "  store out[i] = 1\n" : "  store out[i] = 2\n");
        arena_free(&t.arena);
    }
}

static void parts_that_cover_are_whole(void **state) {
    (void)state;
    bench t;
    start(&t, TARGET_NEON);
    kinst *in = kb_param(&t.b, 2), *i = kb_param(&t.b, 0);
    ktype v = kb_vector(&t.b);
    kinst *whole = kb_load_part(&t.b, v, in, i, kb_int(&t.b, 4)),
          *part = kb_load_part(&t.b, v, in, i, kb_int(&t.b, 3));
    assert_int_equal(whole->args, 2);
    assert_int_equal(part->args, 3);
    assert_int_equal(kb_tail(&t.b, kb_int(&t.b, 9), 4)->op, K_CONST);
    assert_int_equal(kb_tail(&t.b, i, 4)->op, K_TAIL);
    assert_ptr_equal(kb_offset(&t.b, in, kb_int(&t.b, 0)), in);
    kinst *splat = kb_splat(&t.b, kb_const(&t.b, kb_real(&t.b), 0.1), 4);
    assert_int_equal(splat->op, K_CONST);
    assert_true(splat->f == (double)0.1f);
    arena_free(&t.arena);
}

static void build_store(kb *b, const void *recipe) {
    kb_store(b, kb_param(b, 0), kb_int(b, 0), kb_int(b, *(const int64_t *)recipe));
}

static void micros_are_shared_by_recipe(void **state) {
    (void)state;
    bench t;
    start(&t, TARGET_AVX2);
    const kparam param = {"out", {KB_PTR, 1, KB_INT, 1}};
    int64_t one = 1, two = 2;
    kfunc *a = kb_micro(&t.b, "put", build_store, &one, sizeof one, &param, 1);
    kfunc *b = kb_micro(&t.b, "put", build_store, &two, sizeof two, &param, 1);
    kfunc *c = kb_micro(&t.b, "put", build_store, &one, sizeof one, &param, 1);
    kfunc *f = kb_micro(&t.b, "f", build_store, &two, sizeof two, &param, 1);
    assert_ptr_equal(a, c);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(b, f); /* the recipe counts, not the name */
    assert_string_equal(a->name, "put");
    assert_string_equal(b->name, "put_2");
    assert_int_equal(t.p.micros[TARGET_AVX2].count, 2);
    t.b.target = &targets[TARGET_NEON];
    kfunc *g = kb_micro(&t.b, "f", build_store, &one, sizeof one, &param, 1);
    assert_ptr_not_equal(g, a);
    assert_string_equal(g->name, "f_2"); /* the function being built is called f */
    arena_free(&t.arena);
}

static void build_expression(kb *b, const void *recipe) {
    const expr *e = *(const expr *const *)recipe;
    ktype v = k_vector(KB_F32, 4);
    kinst *inputs[2] = {kb_load(b, v, kb_param(b, 2), kb_int(b, 0)),
                        kb_load(b, k_scalar(KB_F32), kb_param(b, 3), kb_int(b, 0))};
    kb_store(b, kb_param(b, 4), kb_int(b, 0), kb_expr(b, e, inputs));
}

static void expressions_compute_what_they_say(void **state) {
    (void)state;
    static const char *const texts[] = {
        "i0",
        "s0=add(i0,i1); relu(s0)",
        "s0=gt(i0,i1); s1=mul(s0,3); add(s1,0.5)",
        "s0=lt(i0,0); select(s0,i1,i0)",
        "select(i0,2,i1)",
        "lt(i0,i1)",
        "s0=le(i0,i1); s1=select(s0,1,2); s2=add(s0,s1); sub(s2,i0)",
        "s0=exp(1); mul(s0,i1)",
    };
    static const float x[] = {-1.5f, 0, 0.25f, 7}, y[] = {0.25f};
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 4, 0},
                                   {"y", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 1, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 4, 0}};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        trap t;
        arena a;
        arena_init(&a, 0, &t);
        diags d = {.arena = &a};
        expr *e = expr_parse(&a, texts[k], strlen(texts[k]));
        assert_non_null(e);
        if (e->inputs < 2) e->inputs = 2;
        const one_kernel one = {.build = build_expression,
                                .recipe = &e,
                                .bytes = sizeof(const expr *),
                                .args = args,
                                .count = 3,
                                .runs = {1, 0},
                                .max_batch = 1,
                                .which = TARGET_NEON};
        const float *out = one_kernel_run(&a, &one, (const void *const[]){x, y}, true, &d);
        if (!out) diags_print(&d, stderr, false);
        assert_non_null(out);
        for (int l = 0; l < 4; l++) {
            double want = expr_eval(e, (double[]){(double)x[l], (double)y[0]});
            if (fabs((double)out[l] - want) > 1e-6 * (1 + fabs(want)))
                fail_msg("%s: %g, not %g", texts[k], (double)out[l], want);
        }
        arena_free(&a);
    }
}

/* Functions that parse and are wrong, and what is said of them. */
static const struct {
    const char *text, *why;
} wrongs[] = {
    {"kernel f(i: int, n: int, p: *f32) c99 {\n store p[i] = 1\n}", "not of the pointer's elements"},
    {"kernel f(i: int, n: int, p: *f32) c99 {\n %1 = load f32 p[i]\n store p[i] = %1\n}",
     "stores through a pointer to read"},
    {"kernel f(i: int, n: int, p: *f32) c99 {\n %1 = load f64 p[i]\n}", "not of the pointer's elements"},
    {"kernel f(i: int, n: int) c99 {\n %1 = load f32 n[i]\n}", "not a pointer"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = add i, x\n}", "differ in type"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = mod x, x\n}", "mod is not for f32"},
    {"kernel f(i: int, n: int) c99 {\n %1 = exp i\n}", "exp is not for int"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = splat f32x4 x\n %2 = splat f32x8 x\n %3 = add %1, %2\n}",
     "differ in type"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = splat f32x3 x\n}", "has 3 lanes"},
    {"kernel f(i: int, n: int) c99 {\n %1 = select i, i, n\n}", "condition of select"},
    {"kernel f(i: int, n: int) c99 {\n if i {\n }\n}", "condition is not a bool"},
    {"kernel f(i: int, n: int) c99 {\n %1 = for 0..n step n serial {\n }\n}", "step is not a constant"},
    {"kernel f(i: int, n: int) c99 {\n %1 = for 0..n step 0 serial {\n }\n}", "step is not a constant"},
    {"kernel f(i: int, n: int) c99 {\n %1 = for 0..n step 1 serial {\n %2 = add %1, 1\n }\n %3 = add %2, "
     "1\n}",
     "not made before it"},
    {"kernel f(i: int, n: int) c99 {\n %1 = reg f32[2][3] r\n %2 = get %1[2][0]\n}", "outside of register"},
    {"kernel f(i: int, n: int) c99 {\n %1 = reg f32[2][3] r\n %2 = get %1[i][0]\n}", "index is not constant"},
    {"kernel f(i: int, n: int) c99 {\n %1 = reg f32[2][3] r\n %2 = const f64 1\n set %1[0][0] = %2\n}",
     "register's type"},
    {"kernel f(i: int, n: int) c99 {\n %1 = reg f32[2][3] r\n %2 = add %1, %1\n}", "is a register itself"},
    {"kernel f(i: int, n: int) c99 {\n %1 = get i[0][0]\n}", "not a register"},
    {"kernel f(i: int, n: int) c99 {\n %1 = local f32[5000] v\n}", "not between 1 byte"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = bits f64 x\n}", "differ in size"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = hsum x\n}", "vector of floats"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = tail boolx4 x\n}", "not bool of an int"},
    {"kernel f(i: int, n: int, x: f32) c99 {\n %1 = cast u8 x\n}", "nothing is cast to u8"},
    {"kernel f(i: int, p: *f32) c99 {\n}", "first parameters are"},
    {"kernel f(i: int, n: int, i: int) c99 {\n}", "two parameters"},
    {"micro m(n: int) c99 {\n %1 = mulhi n, n\n}", "mulhi is not for int"},
};

static void wrong_functions_are_refused(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
        trap t;
        arena a;
        arena_init(&a, 0, &t);
        diags d = {.arena = &a};
        source s = {"text", wrongs[k].text, strlen(wrongs[k].text)};
        kfunc *f = kfunc_parse(&a, &s, NULL, 0, &d);
        if (!f) diags_print(&d, stderr, false);
        assert_non_null(f);
        if (kfunc_check(f, &d)) fail_msg("accepted: %s", wrongs[k].text);
        assert_int_equal(d.errors, 1);
        if (!diags_have(&d, wrongs[k].why)) fail_msg("'%s' does not say '%s'", d.first->text, wrongs[k].why);
        arena_free(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_fold),
        cmocka_unit_test(logic_folds),
        cmocka_unit_test(one_turn_is_no_loop),
        cmocka_unit_test(known_branches_vanish),
        cmocka_unit_test(parts_that_cover_are_whole),
        cmocka_unit_test(micros_are_shared_by_recipe),
        cmocka_unit_test(expressions_compute_what_they_say),
        cmocka_unit_test(wrong_functions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
