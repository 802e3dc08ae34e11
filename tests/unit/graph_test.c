/* ir/graph: building, editing, copying, regions and the checker. */
#include "ir/base/size.h"
#include "ir/op.h"
#include "ir/ops/attrs.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    trap t;
    arena a;
    diags d;
    graph *g;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->a, 0, &f->t);
    f->d.arena = &f->a;
    f->g = graph_new(&f->a, "test");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->a);
    free(f);
    return 0;
}

#define DIMS(...)                                                                                            \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})
#define N       DIM_N
#define NOWHERE ((span){0})

static graph *parse(fixture *f, const char *s) {
    source *x = NEW(&f->a, source);
    *x = (source){"test", s, strlen(s)};
    graph *g = graph_parse(&f->a, x, &f->d);
    if (!g) fail_msg("%s", f->d.first->text);
    return g;
}

static const char *print(fixture *f, const graph *g) {
    text t = text_in(&f->a);
    graph_print(&t, g);
    return t.at;
}

static value *one(fixture *f, const char *name, value *v) {
    return graph_make(f->g, name, &v, 1, NULL, NULL, NOWHERE);
}

static value *two(fixture *f, const char *name, value *a, value *b) {
    return graph_make(f->g, name, (value *[]){a, b}, 2, NULL, NULL, NOWHERE);
}

static void assert_error(const fixture *f, const char *part) {
    assert_non_null(f->d.last);
    if (!strstr(f->d.last->text, part)) fail_msg("'%s' is not said in '%s'", part, f->d.last->text);
}

static void nodes_infer_their_results(void **state) {
    fixture *f = *state;
    value *x = graph_input(f->g, "x", DT_F32, DIMS(N, 3, 32, 32), NOWHERE);
    value *w = graph_param(f->g, "w", DIMS(16, 3, 3, 3), true, (init_rule){"he", 1, 27, 144}, NOWHERE);
    conv_attrs *c = op_defaults(&f->a, op_find("conv2d"));
    assert_int_equal(c->stride[1], 1);
    assert_int_equal(c->groups, 1);
    c->stride[0] = c->stride[1] = 2;
    node *n = graph_node(f->g, op_find("conv2d"), (value *[]){x, w}, 2, c, NULL, NOWHERE, &f->d);
    assert_non_null(n);
    c->stride[0] = 5; /* the node has a copy */
    assert_int_equal(((conv_attrs *)n->attrs)->stride[0], 2);
    shape want = DIMS(N, 16, 15, 15);
    assert_true(shape_equal(&n->out[0]->shape, &want));
    assert_ptr_equal(n->out[0]->def, n);
    assert_int_equal(n->own_inputs, 2);
    assert_int_equal(node_work(n), 16 * 15 * 15 * 27);
    assert_ptr_equal(f->g->nodes.at[0], n);
    assert_int_equal(f->g->next_id, 3);
}

static void wrong_counts_are_said(void **state) {
    fixture *f = *state;
    value *x = graph_input(f->g, "x", DT_F32, DIMS(N, 3), NOWHERE);
    assert_null(graph_node(f->g, op_find("add"), &x, 1, NULL, NULL, NOWHERE, &f->d));
    assert_error(f, "'add' takes 2 inputs (a, b), but 1 is given");
    assert_null(graph_node(f->g, op_find("relu"), (value *[]){x, x}, 2, NULL, NULL, NOWHERE, &f->d));
    assert_error(f, "'relu' takes 1 input (a), but 2 are given");
    assert_int_equal(f->g->nodes.count, 0);
}

static void a_net_of_too_many_nodes_is_refused(void **state) {
    fixture *f = *state;
    value *x = graph_input(f->g, "x", DT_F32, DIMS(N), NOWHERE);
    const op *relu = op_find("relu");
    for (int i = 0; i < GRAPH_NODES_MAX; i++)
        x = graph_node(f->g, relu, &x, 1, NULL, NULL, NOWHERE, &f->d)->out[0];
    assert_null(graph_node(f->g, relu, &x, 1, NULL, NULL, NOWHERE, &f->d));
    assert_error(f, "more than 200000 operations");
    graph_sort(f->g); /* no recursion: a chain this long does not overflow the stack */
    assert_int_equal(f->g->nodes.count, GRAPH_NODES_MAX);
}

static void tensors_are_limited_in_all(void **state) {
    fixture *f = *state;
    value *x = graph_input(f->g, "x", DT_F32, DIMS(N, SIZE_LIMIT / 2), NOWHERE);
    value *y = one(f, "relu", x);
    assert_null(graph_node(f->g, op_find("relu"), &y, 1, NULL, NULL, NOWHERE, &f->d));
    assert_error(f,
                 "'relu' gives [N,35184372088832], which makes the net's tensors pass 2^46 numbers in all");
}

static void internal_mistakes_spring_the_trap(void **state) {
    fixture *f = *state;
    value *x = graph_input(f->g, "x", DT_F32, DIMS(N, 3), NOWHERE),
          *y = graph_input(f->g, "y", DT_F32, DIMS(N, 4), NOWHERE);
    if (setjmp(f->t.jump) == 0) {
        two(f, "add", x, y);
        fail();
    }
    assert_non_null(strstr(f->t.reason, "internal error: cannot add [N,3] and [N,4]"));
    if (setjmp(f->t.jump) == 0) {
        one(f, "rleu", x);
        fail();
    }
    assert_string_equal(f->t.reason, "internal error: no op 'rleu'");
}

static void attributes_compare_by_value(void **state) {
    fixture *f = *state;
    const op *o = op_find("conv2d");
    conv_attrs *a = op_defaults(&f->a, o), *b = op_defaults(&f->a, o);
    assert_true(attrs_equal(o, a, b));
    b->pad[3] = 1;
    assert_false(attrs_equal(o, a, b));
    assert_true(attr_standard(&o->attrs[1], a));
    assert_false(attr_standard(&o->attrs[1], b));
    assert_null(op_defaults(&f->a, op_find("relu")));
    assert_true(attrs_equal(op_find("relu"), NULL, NULL));
}

static void uses_are_counted_by_place(void **state) {
    fixture *f = *state;
    graph *g = parse(f, "input %x f32[N,4]; state %s f32[N,4] next=%y\n"
                        "%y = add(%x, %x); %z = mul(%y, %s); output a %y; output b %z");
    int *counts = graph_use_counts(&f->a, g);
    value *x = g->inputs.at[0], *y = g->nodes.at[0]->out[0], *z = g->nodes.at[1]->out[0];
    assert_int_equal(graph_uses(g, x), 2);
    assert_int_equal(graph_uses(g, y), 3); /* mul, output, state */
    assert_int_equal(graph_uses(g, z), 1);
    assert_int_equal(counts[x->id], 2);
    assert_int_equal(counts[y->id], 3);
    assert_int_equal(counts[z->id], 1);
}

static void replacing_reaches_every_use(void **state) {
    fixture *f = *state;
    graph *g = parse(f, "input %x f32[N,4]; state %s f32[N,4] next=%y\n"
                        "%y = add(%x, %s); %z = mul(%y, %y); output a %y; output b %z");
    value *x = g->inputs.at[0], *y = g->nodes.at[0]->out[0];
    graph_replace(g, y, x);
    assert_int_equal(graph_uses(g, y), 0);
    assert_ptr_equal(g->nodes.at[1]->in[0], x);
    assert_ptr_equal(g->nodes.at[1]->in[1], x);
    assert_ptr_equal(g->outputs.at[0].value, x);
    assert_ptr_equal(g->states.at[0]->as.next, x);
    graph_prune(g);
    assert_int_equal(g->nodes.count, 1);
    assert_string_equal(g->nodes.at[0]->op->name, "mul");
    assert_true(graph_check(g, &f->d));
}

static void pruning_keeps_what_is_needed_in_order(void **state) {
    fixture *f = *state;
    graph *g = parse(f, "input %x f32[N,4]; %a = relu(%x); %b = exp(%a); %c = neg(%b); %d = tanh(%a)\n"
                        "%e, %u = split(%d) {axis=1, sizes=[2,2]}; output y %u");
    graph_prune(g);
    assert_string_equal(print(f, g), "graph net\n"
                                     "  input %0 x f32[N,4]\n"
                                     "  %1 = relu(%0) : f32[N,4]\n"
                                     "  %4 = tanh(%1) : f32[N,4]\n"
                                     "  %5, %6 = split(%4) {sizes=[2,2]} : f32[N,2], f32[N,2]\n"
                                     "  output y %6\n");
}

/* A node appended at the end is moved before its first reader; a dead one goes; the rest stays. */
static void sorting_is_stable(void **state) {
    fixture *f = *state;
    f->g = parse(
        f, "input %x f32[N,4]; %a = relu(%x); %b = exp(%x); %c = add(%a, %b); %d = neg(%c); output y %d");
    value *a = f->g->nodes.at[0]->out[0], *late = one(f, "tanh", f->g->inputs.at[0]);
    graph_replace(f->g, a, late);
    f->g->nodes.at[0]->op = NULL;
    graph_sort(f->g);
    static const char *const want[] = {"exp", "tanh", "add", "neg"};
    assert_int_equal(f->g->nodes.count, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(f->g->nodes.at[i]->op->name, want[i]);
    assert_true(graph_check(f->g, &f->d));
}

static void cycles_and_lost_nodes_spring_the_trap(void **state) {
    fixture *f = *state;
    f->g = parse(f, "input %x f32[N,4]; %a = relu(%x); %b = exp(%a); output y %b");
    f->g->nodes.at[0]->in[0] = f->g->nodes.at[1]->out[0];
    if (setjmp(f->t.jump) == 0) {
        graph_sort(f->g);
        fail();
    }
    assert_string_equal(f->t.reason, "internal error: a graph with a cycle");
    f->g = parse(f, "input %x f32[N,4]; %a = relu(%x); %b = exp(%a); output y %b");
    f->g->nodes.at[0]->op = NULL;
    if (setjmp(f->t.jump) == 0) {
        graph_sort(f->g);
        fail();
    }
    assert_non_null(strstr(f->t.reason, "has left the graph"));
}

static const char *const recurrent =
    "graph cell\n"
    "input %x f32[N,5,3]; param %w \"w\" f32[4,3] trainable; state %h f32[N,4] next=%l\n"
    "%y, %l = scan(%x, %h, %w) {sequences=1, carries=1, yields=1, body={\n"
    "  argument %e f32[N,3]; argument %c f32[N,4]; argument %k f32[4,3]\n"
    "  %p = linear(%e, %k); %n = add(%p, %c); output %n; output %n\n"
    "}} @ \"rnn.0\"\n"
    "output y %y\nlabels [\"a\", \"b\"]\n";

static void a_clone_is_its_own(void **state) {
    fixture *f = *state;
    graph *g = parse(f, recurrent);
    const char *before = print(f, g);
    trap t;
    arena other;
    arena_init(&other, 0, &t);
    graph *c = graph_clone(&other, g);
    assert_string_equal(print(f, c), before);
    assert_true(graph_check(c, &f->d));
    for (int i = 0; i < c->nodes.count; i++) assert_ptr_not_equal(c->nodes.at[i], g->nodes.at[i]);
    graph *body = node_body(c->nodes.at[0]);
    assert_non_null(body);
    assert_ptr_not_equal(body, node_body(g->nodes.at[0]));
    body->nodes.at[0]->out[0]->shape.dim[1] = 99;
    body->nodes.count--;
    c->outputs.at[0].value = c->inputs.at[0];
    c->states.at[0]->as.next = NULL;
    c->params.at[0]->shape.dim[0] = 99;
    graph_argument(c, "late", DT_F32, DIMS(N, 1));
    arena_free(&other);
    assert_string_equal(print(f, g), before);
}

static void weights_and_input_are_told_apart(void **state) {
    fixture *f = *state;
    graph *g = parse(
        f,
        "input %0 x f32[N,4]; param %1 w f32[4]; const %2 f32[] 2; state %3 s f32[N,4]; const %4 f32[N,4] 0\n"
        "%5 = mul(%1, %2); %6 = exp(%5); %7 = add(%0, %6); %8 = add(%3, %5); %9 = add(%4, %5)\n"
        "output y %7");
    static const bool want[] = {false, true, true, false, false, true, true, false, false, false};
    bool *flags = graph_weight_region(&f->a, g);
    for (int i = 0; i < 10; i++)
        if (flags[i] != want[i])
            fail_msg("%%%d is %s of the weights' region", i, flags[i] ? "part" : "no part");
}

static void epilogues_read_extra_operands(void **state) {
    fixture *f = *state;
    graph *g = parse(
        f, "input %x f32[N,4]; input %r f32[N,3]; param %w w f32[3,4]; %y = linear(%x, %w); output y %y");
    node *n = g->nodes.at[0];
    node_set_epilogue(g, n, expr_parse(&f->a, "s0=add(i0,i1); relu(s0)", 23), &g->inputs.at[1], 1);
    assert_int_equal(n->inputs, 3);
    assert_int_equal(n->own_inputs, 2);
    assert_ptr_equal(n->in[2], g->inputs.at[1]);
    assert_true(graph_check(g, &f->d));
    assert_non_null(strstr(print(f, g), "linear(%0, %2 | %1) {epilogue=\"s0=add(i0,i1); relu(s0)\"}"));
    node_set_epilogue(g, n, expr_parse(&f->a, "relu(i0)", 8), NULL, 0);
    assert_int_equal(n->inputs, 2);
    assert_int_equal(n->epilogue->inputs, 1);
    assert_true(graph_check(g, &f->d));
}

static void elementwise_nodes_are_expressions(void **state) {
    fixture *f = *state;
    graph *g =
        parse(f, "input %x f32[N,4]; %a = add(%x, %x); %b = map(%a, %x) {expr=\"s0=mul(i0,i1); exp(s0)\"}\n"
                 "%c = softmax(%b); output y %c");
    double x[] = {3, 0.5};
    assert_true(node_elementwise(g->nodes.at[0]));
    assert_true(expr_eval(node_expr(&f->a, g->nodes.at[0]), x) == 3.5);
    assert_true(node_elementwise(g->nodes.at[1]));
    assert_int_equal(node_expr(&f->a, g->nodes.at[1])->steps, 2);
    assert_false(node_elementwise(g->nodes.at[2]));
    assert_null(node_expr(&f->a, g->nodes.at[2]));
}

/* Each breaks one invariant of a sound graph: input x, relu a, conv w of a, with an epilogue. */
static void break_order(graph *g) {
    node *n = g->nodes.at[0];
    g->nodes.at[0] = g->nodes.at[1];
    g->nodes.at[1] = n;
}
static void break_id(graph *g) {
    g->nodes.at[0]->out[0]->id = g->inputs.at[0]->id;
}
static void break_id_range(graph *g) {
    g->nodes.at[0]->out[0]->id = 1000;
}
static void break_shape(graph *g) {
    g->nodes.at[0]->out[0]->shape.dim[1]++;
}
static void break_type(graph *g) {
    g->nodes.at[0]->out[0]->type = DT_F64;
}
static void break_layout(graph *g) {
    g->params.at[0]->layout.kind = LAYOUT_BLOCKED16, g->params.at[0]->layout.groups = 2;
}
static void break_halo(graph *g) {
    g->params.at[1]->layout.left = 1;
}
static void break_maker(graph *g) {
    g->nodes.at[0]->out[0]->def = g->nodes.at[1];
}
static void break_epilogue(graph *g) {
    g->nodes.at[1]->epilogue->inputs = 3;
}
static void break_epilogue_step(graph *g) {
    g->nodes.at[1]->epilogue->step[0].arg[0].index = 7;
}
static void break_operands(graph *g) {
    g->nodes.at[1]->epilogue = NULL;
}
static void break_operand_shape(graph *g) {
    g->nodes.at[1]->in[2] = g->params.at[0];
}
static void break_attrs(graph *g) {
    ((conv_attrs *)g->nodes.at[1]->attrs)->groups = 3;
}
static void break_liveness(graph *g) {
    g->nodes.at[0]->op = NULL;
}
static void break_output(graph *g) {
    g->outputs.at[0].name = NULL;
}
static void break_names(graph *g) {
    g->params.at[1]->name = "w";
}
static void break_membership(graph *g) {
    g->inputs.count = 0;
}

static void broken_graphs_are_found(void **state) {
    fixture *f = *state;
    static void (*const breaks[])(graph *) = {
        break_order, break_id,       break_id_range, break_shape,    break_type,          break_layout,
        break_halo,  break_maker,    break_epilogue, break_operands, break_epilogue_step, break_operand_shape,
        break_attrs, break_liveness, break_output,   break_names,    break_membership};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        graph *g =
            parse(f, "input %x f32[N,16,8,8]; param %w w f32[16,16,3,3]; param %b b f32[16,1]; param %c c "
                     "f32[16,1,1]\n"
                     "%a = relu(%x); %y = conv2d(%a, %w | %c) {pad=1, epilogue=\"add(i0,i1)\"}; output y %y");
        diags d = {.arena = &f->a};
        assert_true(graph_check(g, &d));
        breaks[i](g);
        if (graph_check(g, &d)) fail_msg("break %zu is not found", i);
        assert_int_equal(strncmp(d.first->text, "internal: ", 10), 0);
    }
}

static void bodies_are_checked_too(void **state) {
    fixture *f = *state;
    graph *g = parse(f, recurrent);
    assert_true(graph_check(g, &f->d));
    node_body(g->nodes.at[0])->nodes.at[1]->out[0]->type = DT_I32;
    assert_false(graph_check(g, &f->d));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nodes_infer_their_results),
        TEST(wrong_counts_are_said),
        TEST(a_net_of_too_many_nodes_is_refused),
        TEST(tensors_are_limited_in_all),
        TEST(internal_mistakes_spring_the_trap),
        TEST(attributes_compare_by_value),
        TEST(uses_are_counted_by_place),
        TEST(replacing_reaches_every_use),
        TEST(pruning_keeps_what_is_needed_in_order),
        TEST(sorting_is_stable),
        TEST(cycles_and_lost_nodes_spring_the_trap),
        TEST(a_clone_is_its_own),
        TEST(weights_and_input_are_told_apart),
        TEST(epilogues_read_extra_operands),
        TEST(elementwise_nodes_are_expressions),
        TEST(broken_graphs_are_found),
        TEST(bodies_are_checked_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
