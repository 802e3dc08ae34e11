/* What holds for every op: complete records, samples that read, check and print back, expansions that keep
 * types; and the golden cases of PyTorch (tests/goldens/ops/), whose shapes inference must give. */
#include "ir/op.h"
#include "tests/support/golden.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    trap t;
    arena a;
    diags d;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->a, 0, &f->t);
    f->d.arena = &f->a;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->a);
    free(f);
    return 0;
}

static graph *parse(fixture *f, const char *s, size_t length) {
    source *x = NEW(&f->a, source);
    *x = (source){"sample", s, length};
    graph *g = graph_parse(&f->a, x, &f->d);
    if (!g) fail_msg("%s\n%s", s, f->d.first->text);
    return g;
}

static void assert_checks(fixture *f, const graph *g, const char *name) {
    if (!graph_check(g, &f->d)) fail_msg("%s: %s", name, f->d.first->text);
}

static bool named(const char *const *names, int most) {
    int count = 0;
    while (names && names[count]) count++;
    return most < 0 ? count >= 1 : count == most;
}

static void records_are_complete(void **state) {
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        const op *x = *o;
        if (op_find(x->name) != x) fail_msg("two ops are called '%s'", x->name);
        bool elementwise = x->scalar != S_COUNT || strcmp(x->name, "map") == 0;
        bool loop = strcmp(x->name, "scan") == 0;
        bool good = x->summary && x->infer && x->outputs != 0 && named(x->input_names, x->inputs_max) &&
                    !x->attrs == !x->attr_size &&
                    elementwise + x->view + loop + (x->expand != NULL) + (x->candidates != NULL) == 1;
        if (!good) fail_msg("the record of '%s' is not complete", x->name);
        for (const attr *at = x->attrs; at && at->name; at++)
            if (at->offset >= x->attr_size) fail_msg("'%s' of '%s' lies outside", at->name, x->name);
    }
}

/* Every sample of every op. */
static void each_sample(fixture *f, void (*visit)(fixture *f, const op *o, graph *g)) {
    for (const op *const *o = ops; *o; o++)
        for (const char *const *s = (*o)->samples; s && *s; s++) visit(f, *o, parse(f, *s, strlen(*s)));
}

static void check_sample(fixture *f, const op *o, graph *g) {
    bool used = false;
    text first = text_in(&f->a), second = text_in(&f->a);
    for (int i = 0; i < g->nodes.count; i++) used |= g->nodes.at[i]->op == o;
    if (!used) fail_msg("a sample of '%s' does not use it", o->name);
    assert_checks(f, g, o->name);
    graph_print(&first, g);
    graph_print(&second, parse(f, first.at, first.length));
    assert_string_equal(first.at, second.at);
    assert_true(g->outputs.count > 0);
}

static void samples_read_check_and_print_back(void **state) {
    each_sample(*state, check_sample);
    for (const op *const *o = ops; *o; o++) {
        int count = 0;
        while ((*o)->samples && (*o)->samples[count]) count++;
        int least = strcmp((*o)->name, "reorder") == 0 ? 0 : 2; /* which only passes write */
        if (count < least) fail_msg("'%s' has %d samples", (*o)->name, count);
    }
}

static void expand_sample(fixture *f, const op *o, graph *g) {
    for (int i = 0; i < g->nodes.count; i++) { /* what an expansion is made of, too */
        node *n = g->nodes.at[i];
        value *results[4] = {NULL};
        if (!n->op->expand) continue;
        n->op->expand(g, n, results);
        for (int k = 0; k < n->outputs; k++) {
            assert_non_null(results[k]);
            if (!shape_equal(&results[k]->shape, &n->out[k]->shape) || results[k]->type != n->out[k]->type)
                fail_msg("result %d of '%s' changes its type", k, o->name);
            graph_replace(g, n->out[k], results[k]);
        }
    }
    graph_sort(g);
    graph_prune(g);
    assert_checks(f, g, o->name);
    for (int i = 0; i < g->nodes.count; i++)
        if (g->nodes.at[i]->op->expand) fail_msg("'%s' is still there", g->nodes.at[i]->op->name);
}

static void expansions_keep_types(void **state) {
    each_sample(*state, expand_sample);
}

static const char *const golden_files[] = {
    "conv2d",      "conv_transpose2d", "linear",  "matmul",     "rbf",    "maxpool",
    "avgpool",     "whole_pools",      "norms",   "reductions", "moves",  "upsample",
    "elementwise", "recurrent",        "batches", "gradients",  "losses",
};

/* Every result that PyTorch gave has the type and shape that inference gives. */
static void check_golden(fixture *f, const golden *g, bool *used) {
    assert_checks(f, g->graph, g->name);
    assert_int_equal(g->expected.count, g->graph->outputs.count);
    for (int i = 0; i < g->graph->outputs.count; i++) {
        const value *v = g->graph->outputs.at[i].value;
        const golden_tensor *want = golden_expected(g, g->graph->outputs.at[i].name);
        assert_non_null(want);
        shape s = v->shape;
        if (shape_batched(&s)) s.dim[0] = g->batch;
        if (!shape_equal(&s, &want->shape) || v->type != want->type)
            fail_msg("%s: the shape of output %s is not PyTorch's", g->name, want->name);
        assert_int_equal(golden_count(g, v), want->count);
    }
    for (int i = 0; i < g->graph->nodes.count; i++)
        for (int k = 0; ops[k]; k++) used[k] |= g->graph->nodes.at[i]->op == ops[k];
}

static void goldens_have_the_shapes_inferred(void **state) {
    fixture *f = *state;
    bool used[256] = {false};
    for (size_t i = 0; i < sizeof golden_files / sizeof *golden_files; i++) {
        goldens all = {0};
        if (!golden_read(&f->a, arena_printf(&f->a, "tests/goldens/ops/%s.txt", golden_files[i]), &all,
                         &f->d))
            fail_msg("%s", f->d.first->text);
        assert_true(all.count >= 4);
        for (int k = 0; k < all.count; k++) check_golden(f, &all.at[k], used);
    }
    for (int k = 0; ops[k]; k++)
        if (!used[k] && strcmp(ops[k]->name, "reorder") != 0 && strcmp(ops[k]->name, "random_keep") != 0)
            fail_msg("'%s' has no golden case", ops[k]->name);
}

/* Inputs as make_ops.py makes them: these numbers are from there. */
static void fills_are_the_scripts(void **state) {
    (void)state;
    golden g = {.batch = 2};
    golden_fill fills[] = {{"x", -3, 5, 0}, {"i", 0, 0, 11}};
    g.fills.at = fills;
    g.fills.count = 2;
    float x[3], w[3];
    int32_t i[4];
    golden_fill_f32(&g, "x", 3, x);
    golden_fill_f32(&g, "w", 3, w);
    golden_fill_i32(&g, "i", 4, i);
    const float want_x[] = {-0x1.63ecf00000000p+0f, 0x1.bbee700000000p+1f, 0x1.12c36c0000000p+1f},
                want_w[] = {0x1.9695680000000p-1f, 0x1.1de9fc0000000p-1f, -0x1.fbda240000000p-1f};
    const int32_t want_i[] = {5, 7, 7, 0};
    assert_memory_equal(x, want_x, sizeof x);
    assert_memory_equal(w, want_w, sizeof w);
    assert_memory_equal(i, want_i, sizeof i);
}

static void distance_sees_every_difference(void **state) {
    (void)state;
    double want[] = {1, -20, 3};
    golden_tensor t = {.count = 3, .at = want};
    assert_true(golden_distance(&t, (float[]){1, -20, 3}) == 0);
    assert_true(golden_distance(&t, (float[]){1, -20, 3.5f}) == 0.025);
    assert_true(golden_distance(&t, (float[]){1, 0.0f / 0.0f, 3}) > 1e300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_complete),
        cmocka_unit_test_setup_teardown(samples_read_check_and_print_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expansions_keep_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goldens_have_the_shapes_inferred, set_up, tear_down),
        cmocka_unit_test(fills_are_the_scripts),
        cmocka_unit_test(distance_sees_every_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
