/* Layer by layer: what is found where one of two backends is wrong in one place. Run from the repository's root. */
#include "frontend/api/describe.h"
#include "frontend/api/verify.h"
#include "runtime/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* ---- a backend that is wrong in one number ---- */

static struct {
    int output;  /* which; -1: none */
    int outputs; /* only of nets with so many; 0: of any */
    int64_t where;
    float by;
} fault;

typedef struct faulty {
    net inner;
} faulty;

static bool wrong_forward(void *self, const net_call *c, diags *d) {
    const faulty *f = self;
    if (!f->inner.forward(f->inner.self, c, d)) return false;
    bool here = fault.output >= 0 && (!fault.outputs || fault.outputs == f->inner.output_count);
    if (here) ((float *)c->outputs[fault.output])[fault.where] += fault.by;
    return true;
}

static bool right_prepare(void *self, const float *params, void *packed, diags *d) {
    const faulty *f = self;
    return f->inner.prepare(f->inner.self, params, packed, d);
}

static bool open_wrong(net *n, arena *a, program *p, const executor_options *o, diags *d) {
    faulty *f = NEW(a, faulty);
    f->inner = *n;
    if (!interp_executor.open(&f->inner, a, p, o, d)) return false;
    n->self = f;
    n->prepare = right_prepare;
    n->forward = wrong_forward;
    return true;
}

static executor wrong_executor(void) {
    executor e = interp_executor;
    e.name = "wrong";
    e.open = open_wrong;
    return e;
}

/* ---- a net ---- */

static const char text_of_net[] = "net tiny {\n"
                                  "    input x[3, 6, 6]\n"
                                  "    a = x -> first: conv(4, 3) -> relu\n"
                                  "    b = a -> second: conv(5, 3)\n"
                                  "    output y = b -> flatten -> third: linear(7)\n"
                                  "}\n";

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
    graph *graph;
    verify_options options;
    float params[1024], input[2 * 108];
    const void *inputs[1];
    executor wrong;
    verify_table table;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    const source net_source = {"tiny.net", text_of_net, strlen(text_of_net)};
    const lang_options lang = {0};
    net n;
    *state = f;
    arena_init(&f->arena, 0, &f->trap);
    f->diags.arena = &f->arena;
    source *kept = arena_copy(&f->arena, &net_source, sizeof net_source);
    f->graph = lang_compile(&f->arena, kept, &lang, &f->diags);
    if (!f->graph) return -1;
    describe_graph(&n, &f->arena, f->graph);
    if (n.values > 1024) return -1;
    weights_draw(&n, 3, f->params);
    for (int k = 0; k < 216; k++) f->input[k] = (float)(k * 37 % 101) / 50 - 1;
    f->inputs[0] = f->input;
    f->options = (verify_options){.params = f->params, .samples = 2, .inputs = f->inputs};
    f->wrong = wrong_executor();
    fault.output = -1;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->arena);
    free(f);
    return 0;
}

static const verify_row *compared(fixture *f, double tolerance) {
    if (setjmp(f->trap.jump)) fail_msg("%s", f->trap.reason);
    bool good =
        verify_backends(&f->table, &f->arena, f->graph, &f->wrong, &interp_executor, &f->options, &f->diags);
    diags_print(&f->diags, stderr, false);
    assert_true(good);
    assert_int_equal(f->table.layers, 5);
    assert_int_equal(f->table.count, 6);
    return verify_first(&f->table, tolerance);
}

static void the_same_agrees(void **state) {
    fixture *f = *state;
    assert_null(compared(f, 0));
    static const char *const names[] = {"first", "relu0", "second", "flatten0", "third", "y"};
    for (int k = 0; k < 6; k++) {
        assert_string_equal(f->table.at[k].name, names[k]);
        assert_true(f->table.at[k].largest > 0 && f->table.at[k].apart == 0);
    }
}

static void the_first_layer_that_differs_is_found(void **state) {
    static const int lines[] = {3, 3, 4, 5, 5};
    for (int k = 0; k < 5; k++) {
        fixture *f = *state;
        int line, column;
        fault.output = k;
        fault.outputs = 5;
        fault.where = 6;
        fault.by = 0.25f;
        const verify_row *r = compared(f, 1e-5);
        assert_ptr_equal(r, &f->table.at[k]);
        span_place(r->at, &line, &column);
        assert_int_equal(line, lines[k]);
        assert_int_equal(r->where, 6);
        assert_true(fabs(r->first - r->second - 0.25) < 1e-6);
        assert_true(fabs(r->apart - 0.25 / r->largest) < 1e-6);
        assert_null(compared(f, r->apart * 1.001));
    }
}

static void what_only_the_whole_net_has_wrong_is_an_output(void **state) {
    fixture *f = *state;
    fault.output = 0;
    fault.outputs = 1;
    fault.where = 13; /* of the second sample */
    fault.by = -3;
    const verify_row *r = compared(f, 1e-5);
    assert_ptr_equal(r, &f->table.at[5]);
    assert_string_equal(r->name, "y");
    assert_int_equal(r->where, 13);
}

static void what_is_no_number_is_infinitely_far(void **state) {
    fixture *f = *state;
    fault.output = 2;
    fault.outputs = 5;
    fault.where = 0;
    fault.by = NAN;
    const verify_row *r = compared(f, 1e30);
    assert_ptr_equal(r, &f->table.at[2]);
    assert_true(isinf(r->apart) && isnan(r->first));
}

/* Two that are no number in the same places agree. */
static void the_same_infinities_agree(void **state) {
    fixture *f = *state;
    f->input[5] = INFINITY;
    assert_null(compared(f, 0));
}

static void float64_is_close(void **state) {
    fixture *f = *state;
    if (setjmp(f->trap.jump)) fail_msg("%s", f->trap.reason);
    assert_true(verify_error(&f->table, &f->arena, f->graph, &interp_executor, &f->options, &f->diags));
    assert_int_equal(f->table.count, 1);
    assert_null(verify_first(&f->table, 1e-6));
    assert_non_null(verify_first(&f->table, 1e-10)); /* float is not double */
    fault.output = 0;
    fault.outputs = 0;
    fault.where = 3;
    fault.by = 1e-3f;
    assert_true(verify_error(&f->table, &f->arena, f->graph, &f->wrong, &f->options, &f->diags));
    assert_non_null(verify_first(&f->table, 1e-5));
    assert_int_equal(f->table.at[0].where, 3);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_same_agrees),
        TEST(the_first_layer_that_differs_is_found),
        TEST(what_only_the_whole_net_has_wrong_is_an_output),
        TEST(what_is_no_number_is_infinitely_far),
        TEST(the_same_infinities_agree),
        TEST(float64_is_close),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
