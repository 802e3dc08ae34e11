/* ir/scalar and ir/expr: values of every row, texts, composition. */
#include "ir/scalar.h"

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    trap t;
    arena a;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->a, 0, &f->t);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->a);
    free(f);
    return 0;
}

static expr *parse(fixture *f, const char *s) {
    expr *e = expr_parse(&f->a, s, strlen(s));
    if (!e) fail_msg("'%s' does not parse", s);
    return e;
}

static const char *print(fixture *f, const expr *e) {
    text t = text_in(&f->a);
    expr_print(&t, e);
    return t.at;
}

static void rows_have_their_values(void **state) {
    (void)state;
    static const struct {
        scalar_op op;
        double a, b, c, want;
    } cases[] = {{S_ADD, 2, 3, 0, 5},
                 {S_SUB, 2, 3, 0, -1},
                 {S_MUL, 2, 3, 0, 6},
                 {S_DIV, 3, 2, 0, 1.5},
                 {S_NEG, 2, 0, 0, -2},
                 {S_MAX, 2, 3, 0, 3},
                 {S_MIN, 2, 3, 0, 2},
                 {S_ABS, -2, 0, 0, 2},
                 {S_SQRT, 9, 0, 0, 3},
                 {S_RSQRT, 4, 0, 0, .5},
                 {S_EXP, 0, 0, 0, 1},
                 {S_LOG, 1, 0, 0, 0},
                 {S_TANH, 0, 0, 0, 0},
                 {S_ERF, 0, 0, 0, 0},
                 {S_SIN, 0, 0, 0, 0},
                 {S_COS, 0, 0, 0, 1},
                 {S_POW, 2, 10, 0, 1024},
                 {S_FLOOR, -.5, 0, 0, -1},
                 {S_RELU, -1, 0, 0, 0},
                 {S_RELU, 2, 0, 0, 2},
                 {S_SIGMOID, 0, 0, 0, .5},
                 {S_LT, 1, 2, 0, 1},
                 {S_LE, 2, 2, 0, 1},
                 {S_GT, 1, 2, 0, 0},
                 {S_GE, 1, 2, 0, 0},
                 {S_EQ, 2, 2, 0, 1},
                 {S_NE, 2, 2, 0, 0},
                 {S_SELECT, 1, 5, 6, 5},
                 {S_SELECT, 0, 5, 6, 6},
                 {S_FMA, 2, 3, 4, 10},
                 {S_MOD, 7, 4, 0, 3},
                 {S_AND, 6, 3, 0, 2},
                 {S_OR, 6, 3, 0, 7},
                 {S_XOR, 6, 3, 0, 5},
                 {S_SHL, 3, 4, 0, 48},
                 {S_SHR, 48, 4, 0, 3},
                 {S_MULHI, 4294967296, 5, 0, 5}};
    bool seen[S_COUNT] = {false};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = scalar_eval(cases[i].op, cases[i].a, cases[i].b, cases[i].c);
        if (got != cases[i].want)
            fail_msg("%s gives %g, not %g", scalars[cases[i].op].name, got, cases[i].want);
        seen[cases[i].op] = true;
    }
    for (int i = 0; i < S_COUNT; i++)
        if (!seen[i]) fail_msg("no case for %s", scalars[i].name);
}

static void a_nan_stays_a_nan(void **state) {
    (void)state;
    assert_true(isnan(scalar_eval(S_RELU, NAN, 0, 0)));
    assert_true(isnan(scalar_eval(S_MAX, 0, NAN, 0)));
    assert_true(scalar_eval(S_MAX, NAN, 0, 0) == 0); /* a > b ? a : b, as everywhere */
}

static void rows_are_found_by_name(void **state) {
    (void)state;
    for (int i = 0; i < S_COUNT; i++)
        assert_int_equal(scalar_find(scalars[i].name, strlen(scalars[i].name)), i);
    assert_int_equal(scalar_find("relu6", 5), S_COUNT);
    assert_int_equal(scalar_find("relu6", 4), S_RELU);
    assert_int_equal(scalar_find("", 0), S_COUNT);
}

static void texts_read_back(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {
        "i0",
        "relu(i0)",
        "s0=add(i0,i1); relu(s0)",
        "s0=mul(i0,0.5); s1=mul(i0,0.7071067811865476); s2=erf(s1); s3=add(s2,1.0); mul(s0,s3)",
        "select(i2,i0,-inf)",
        "max(i0,i15)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expr *e = parse(f, texts[i]);
        assert_true(expr_valid(e));
        assert_string_equal(print(f, e), texts[i]);
    }
    assert_int_equal(parse(f, "max(i0,i15)")->inputs, 16);
    assert_string_equal(print(f, parse(f, " s0 = add( i0 ,i1 ) ;relu(s0) ")), "s0=add(i0,i1); relu(s0)");
}

static void malformed_texts_are_refused(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {
        "",
        "i1",
        "relu",
        "relu(",
        "relu(i0",
        "relu(i0))",
        "relu(i0);",
        "relu(s0)",
        "add(i0)",
        "add(i0,i1,i2)",
        "fma(i0,i0,i0)",
        "s1=relu(i0); relu(s1)",
        "what(i0)",
        "s0=relu(i0)",
        "relu(i99999)",
        "relu(i-1)",
        "add(i0,)",
        "relu(i0) relu(i0)",
        "relu(0x1)",
        "relu(i0); s1=relu(s0)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (expr_parse(&f->a, texts[i], strlen(texts[i]))) fail_msg("'%s' parses", texts[i]);
    assert_null(expr_parse(&f->a, "i0\0", 3));
}

static void an_endless_text_is_refused(void **state) {
    fixture *f = *state;
    text t = text_in(&f->a);
    for (int i = 0; i < EXPR_STEPS_MAX; i++)
        text_printf(&t, "s%d=relu(%s%d); ", i, i ? "s" : "i", i ? i - 1 : 0);
    text_printf(&t, "relu(s%d)", EXPR_STEPS_MAX - 1);
    assert_null(expr_parse(&f->a, t.at, t.length));
}

static void values_are_computed_in_steps(void **state) {
    fixture *f = *state;
    double x[] = {-3, 5, 7};
    assert_true(expr_eval(parse(f, "i0"), x) == -3);
    assert_true(expr_eval(parse(f, "s0=add(i0,i1); s1=mul(s0,i2); sub(s1,s0)"), x) == 12);
    assert_true(expr_eval(expr_single(&f->a, S_SELECT), x) == 5);
    assert_string_equal(print(f, expr_single(&f->a, S_SUB)), "sub(i0,i1)");
}

/* f(i0, i1) = i0 - 2·i1 with slot 1 replaced by g(i0, i1) = relu(i0 / i1): among four inputs. */
static void composition_substitutes(void **state) {
    fixture *f = *state;
    expr *outer = parse(f, "s0=mul(i1,2.0); sub(i0,s0)"), *inner = parse(f, "s0=div(i0,i1); relu(s0)");
    int map_f[] = {3, -1}, map_g[] = {2, 0};
    expr *e = expr_compose(&f->a, outer, 1, map_f, inner, map_g, 4);
    double x[] = {2, 99, 6, 10};
    assert_true(expr_valid(e));
    assert_string_equal(print(f, e), "s0=div(i2,i0); s1=relu(s0); s2=mul(s1,2.0); sub(i3,s2)");
    assert_true(expr_eval(e, x) == 4);
}

static void composition_with_identities(void **state) {
    fixture *f = *state;
    expr *same = parse(f, "i0"), *relu = parse(f, "relu(i0)"), *add = parse(f, "add(i0,i1)");
    int zero[] = {0}, one[] = {1}, both[] = {0, 1};
    assert_string_equal(print(f, expr_compose(&f->a, relu, 0, zero, same, one, 2)), "relu(i1)");
    assert_string_equal(print(f, expr_compose(&f->a, same, 0, zero, add, both, 2)), "add(i0,i1)");
    assert_string_equal(print(f, expr_compose(&f->a, add, 0, both, relu, one, 2)), "s0=relu(i1); add(s0,i1)");
    assert_int_equal(expr_compose(&f->a, add, 0, both, relu, one, 5)->inputs, 5);
}

static void composition_does_not_grow_without_end(void **state) {
    fixture *f = *state;
    expr *relu = parse(f, "relu(i0)"), *e = relu;
    int zero[] = {0}, steps = 0;
    for (expr *more = e; more; more = expr_compose(&f->a, relu, 0, zero, e, zero, 1)) e = more, steps++;
    assert_int_equal(steps, EXPR_STEPS_MAX);
    assert_int_equal(e->steps, EXPR_STEPS_MAX);
    assert_true(expr_eval(e, (double[]){3}) == 3);
}

static void wrong_indices_are_found(void **state) {
    fixture *f = *state;
    expr *e = parse(f, "s0=add(i0,i1); relu(s0)");
    assert_true(expr_valid(e));
    e->step[1].arg[0].index = 1; /* its own result */
    assert_false(expr_valid(e));
    e = parse(f, "add(i0,i1)");
    e->inputs = 1;
    assert_false(expr_valid(e));
    e = parse(f, "add(i0,i1)");
    e->step[0].op = S_XOR;
    assert_false(expr_valid(e));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(rows_have_their_values),       TEST(a_nan_stays_a_nan),
        TEST(rows_are_found_by_name),       TEST(texts_read_back),
        TEST(malformed_texts_are_refused),  TEST(an_endless_text_is_refused),
        TEST(values_are_computed_in_steps), TEST(composition_substitutes),
        TEST(composition_with_identities),  TEST(composition_does_not_grow_without_end),
        TEST(wrong_indices_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
