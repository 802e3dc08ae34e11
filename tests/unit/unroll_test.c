/* Unrolling: registers become indexed by constants, addresses fold, what is equal is computed once and what is
 * unused goes; and the results stay. */
#include "ir/kernel/emit.h"
#include "ir/kernel/rewrite.h"
#include "tests/support/one_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void unrolls_to(const char *from, const char *expected) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    diags d = {.arena = &a};
    source s = {"text", from, strlen(from)};
    kfunc *f = kfunc_parse(&a, &s, NULL, 0, &d);
    if (!f || !kfunc_check(f, &d)) diags_print(&d, stderr, false);
    assert_int_equal(d.errors, 0);
    rewrite rule = {.arena = &a, .unroll = true};
    rewrite_function(&rule, f, NULL, KB_F32);
    if (!kfunc_check(f, &d)) diags_print(&d, stderr, false);
    assert_int_equal(d.errors, 0);
    text out = text_in(&a);
    kfunc_print(&out, f);
    assert_string_equal(out.at, expected);
    arena_free(&a);
}

static void indices_become_constants(void **state) {
    (void)state;
    unrolls_to("micro f(a: *f32, out: *mut f32, row: int) c99 {\n"
               "  %0 = reg f32[2][2] c\n"
               "  %1 = for 0..2 step 1 unroll p {\n"
               "    %2 = for 0..2 step 1 unroll v {\n"
               "      %3 = mul %1, row\n"
               "      %4 = add %3, %2\n"
               "      %5 = load f32 a[%4]\n"
               "      set %0[%1][%2] = %5\n"
               "    }\n"
               "  }\n"
               "  %6 = get %0[1][0]\n"
               "  store out[0] = %6\n"
               "}\n",
               "micro f(a: *f32, out: *mut f32, row: int) c99 {\n"
               "  %0 = reg f32[2][2] c\n"
               "  %5 = load f32 a[0]\n"
               "  set %0[0][0] = %5\n"
               "  %7 = load f32 a[1]\n"
               "  set %0[0][1] = %7\n"
               "  %9 = load f32 a[row]\n"
               "  set %0[1][0] = %9\n"
               "  %11 = add row, 1\n"
               "  %12 = load f32 a[%11]\n"
               "  set %0[1][1] = %12\n"
               "  %14 = get %0[1][0]\n"
               "  store out[0] = %14\n"
               "}\n");
}

/* Serial loops stay; what is made within one is not used outside of it. */
static void equal_values_are_one(void **state) {
    (void)state;
    unrolls_to("micro f(out: *mut int, n: int) c99 {\n"
               "  %1 = for 0..n step 1 serial x {\n"
               "    %2 = mul %1, n\n"
               "    store out[%2] = 1\n"
               "    %3 = mul %1, n\n"
               "    store out[%3] = 2\n"
               "  }\n"
               "  %4 = mul n, n\n"
               "  %5 = for 0..2 step 1 serial y {\n"
               "    %6 = mul n, n\n"
               "    store out[%6] = 3\n"
               "  }\n"
               "}\n",
               "micro f(out: *mut int, n: int) c99 {\n"
               "  %3 = for 0..n step 1 serial x {\n"
               "    %4 = mul %3, n\n"
               "    store out[%4] = 1\n"
               "    store out[%4] = 2\n"
               "  }\n"
               "  %9 = mul n, n\n"
               "  %11 = for 0..2 step 1 serial y {\n"
               "    store out[%9] = 3\n"
               "  }\n"
               "}\n");
}

static void dead_code_goes(void **state) {
    (void)state;
    unrolls_to("micro f(out: *mut int, in: *int, n: int) c99 {\n"
               "  %1 = load int in[n]\n"
               "  %2 = add %1, n\n"
               "  %3 = for 0..n step 1 serial {\n"
               "    %4 = mul %3, 7\n"
               "  }\n"
               "  %5 = lt n, 3\n"
               "  if %5 {\n"
               "    %6 = add n, 1\n"
               "  }\n"
               "  %7 = for 3..3 step 1 unroll {\n"
               "    store out[0] = 1\n"
               "  }\n"
               "  store out[1] = n\n"
               "}\n",
               "micro f(out: *mut int, in: *int, n: int) c99 {\n"
               "  store out[1] = n\n"
               "}\n");
}

enum { ROWS = 3, COLUMNS = 5, COUNT = ROWS * COLUMNS };

/* out[i] = Σ over an unrolled tile, through an array of registers that is declared within an unrolled loop. */
static void build_sums(kb *b, const void *recipe) {
    (void)recipe;
    kinst *zero = kb_int(b, 0), *i = kb_param(b, 0), *in = kb_param(b, 2), *out = kb_param(b, 3);
    kinst *u = kb_for(b, "u", zero, kb_int(b, 2), 1, KLOOP_UNROLL);
    kinst *c = kb_reg(b, "c", kb_real(b), ROWS, COLUMNS);
    kinst *p = kb_for(b, "p", zero, kb_int(b, ROWS), 1, KLOOP_UNROLL);
    kinst *q = kb_for(b, "q", zero, kb_int(b, COLUMNS), 1, KLOOP_UNROLL);
    kinst *at = kb_add(b, kb_muli(b, kb_add(b, i, u), COUNT), kb_add(b, kb_muli(b, p, COLUMNS), q));
    kb_set(b, c, p, q, kb_load(b, kb_real(b), in, at));
    kb_end(b);
    kb_end(b);
    kinst *s = kb_reg(b, "s", kb_real(b), 1, 1);
    kb_set(b, s, zero, zero, kb_const(b, kb_real(b), 0));
    p = kb_for(b, "p", zero, kb_int(b, ROWS), 1, KLOOP_UNROLL);
    q = kb_for(b, "q", zero, kb_int(b, COLUMNS), 1, KLOOP_UNROLL);
    kinst *weight = kb_cast(b, kb_real(b), kb_add(b, kb_modi(b, p, 2), q));
    kb_set(b, s, zero, zero, kb_fma(b, kb_get(b, c, p, q), weight, kb_get(b, s, zero, zero)));
    kb_end(b);
    kb_end(b);
    kb_store(b, out, kb_add(b, kb_muli(b, i, 2), u), kb_get(b, s, zero, zero));
    kb_end(b);
}

static float expected_sum(const float *in, int i, int u) {
    float s = 0;
    for (int p = 0; p < ROWS; p++)
        for (int q = 0; q < COLUMNS; q++) s += in[(i + u) * COUNT + p * COLUMNS + q] * (float)(p % 2 + q);
    return s;
}

static void results_stay(void **state) {
    (void)state;
    static const one_arg args[] = {{"in", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 5 * COUNT, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 8, 0}};
    static const one_kernel one = {
        .build = build_sums, .args = args, .count = 2, .runs = {4, 0}, .max_batch = 1};
    for (int unrolled = 0; unrolled < 2; unrolled++) {
        trap t;
        arena a;
        arena_init(&a, 0, &t);
        diags d = {.arena = &a};
        program *p = one_kernel_program(&a, &one);
        if (unrolled) one_kernel_unroll(p);
        if (!program_check(p, &d)) diags_print(&d, stderr, false);
        assert_int_equal(d.errors, 0);
        run_args r = one_kernel_args(&a, p, 1);
        float *in = NEW_ARRAY(&a, float, 5 * COUNT);
        for (int k = 0; k < 5 * COUNT; k++) in[k] = (float)(k * 7 % 11 - 5);
        r.inputs = (const void *const[]){in};
        interp *run = interp_new(&a, p, TARGET_C99, &(interp_options){.check = true}, &d);
        assert_non_null(run);
        assert_true(interp_run(run, ENTRY_FORWARD, &r, &d));
        for (int i = 0; i < 4; i++)
            for (int u = 0; u < 2; u++)
                assert_true(((const float *)r.outputs[0])[2 * i + u] ==
                            expected_sum(in, i, u)); /* whole numbers */
        arena_free(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_become_constants),
        cmocka_unit_test(equal_values_are_one),
        cmocka_unit_test(dead_code_goes),
        cmocka_unit_test(results_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
