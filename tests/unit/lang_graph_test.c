/* What elaboration leaves in the graph: scopes, spans, names, states, labels, recipes; what the command line
 * changes. */
#include "frontend/lang/lang.h"
#include "ir/op.h"
#include "ir/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct fixture {
    trap t;
    arena a;
    diags d;
    source source;
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

static graph *compile_with(fixture *f, const char *text_, const lang_options *o) {
    f->source = (source){"tests/lang/readme/net.net", text_, strlen(text_)};
    graph *g = lang_compile(&f->a, &f->source, o, &f->d);
    diags_print(&f->d, stderr, false);
    assert_non_null(g);
    assert_int_equal(f->d.warnings, 0);
    assert_true(graph_check(g, &f->d));
    return g;
}

static graph *compile(fixture *f, const char *text_) {
    return compile_with(f, text_, NULL);
}

static const node *find_node(const graph *g, const char *op_name, int k) {
    for (int i = 0; i < g->nodes.count; i++)
        if (strcmp(g->nodes.at[i]->op->name, op_name) == 0 && k-- == 0) return g->nodes.at[i];
    fail_msg("there is no such %s", op_name);
    return NULL;
}

/* The text that a span covers. */
static const char *covered(fixture *f, span s) {
    assert_ptr_equal(s.source, &f->source);
    return arena_text(&f->a, s.source->text + s.begin, s.end - s.begin);
}

static void scopes_are_the_users_calls(void **state) {
    fixture *f = *state;
    const graph *g = compile(f, "block unit(x, n) {\n    return x -> c: conv(n, 3) -> relu\n}\n"
                                "net a {\n    input x[3, 8, 8]\n    output y = x -> l: unit(4) -> gelu\n}\n");
    static const struct {
        const char *path, *block, *call;
        bool layer;
        int parent;
    } want[] = {{"l", "unit", "l: unit(4)", false, -1},
                {"l.c", "conv", "c: conv(n, 3)", true, 0},
                {"l.relu0", "relu", "relu", true, 0},
                {"gelu0", "gelu", "gelu", true, -1}};
    assert_int_equal(g->scopes.count, 4);
    for (int i = 0; i < 4; i++) {
        const scope *s = g->scopes.at[i];
        assert_string_equal(s->path, want[i].path);
        assert_string_equal(s->block, want[i].block);
        assert_string_equal(covered(f, s->at), want[i].call);
        assert_int_equal(s->layer, want[i].layer);
        assert_int_equal(s->order, i);
        assert_ptr_equal(s->parent, want[i].parent < 0 ? NULL : g->scopes.at[want[i].parent]);
    }
    assert_ptr_equal(find_node(g, "conv2d", 0)->scope, g->scopes.at[1]);
    assert_ptr_equal(find_node(g, "erf", 0)->scope, g->scopes.at[3]);
    assert_string_equal(covered(f, find_node(g, "erf", 0)->at), "gelu");
    assert_string_equal(covered(f, g->params.at[0]->at), "c: conv(n, 3)");
}

static void operators_belong_to_the_block_around(void **state) {
    fixture *f = *state;
    const graph *g = compile(f, "block b(x) { return x + relu(x) }\n"
                                "net a { input x[3]  y = x -> [7]: b  output z = y * y }\n");
    assert_string_equal(find_node(g, "add", 0)->scope->path, "7");
    assert_null(find_node(g, "mul", 0)->scope);
    assert_string_equal(covered(f, find_node(g, "mul", 0)->at), "*");
    assert_string_equal(find_node(g, "add", 0)->out[0]->name, "y");
}

static void labels_without_names_are_stable(void **state) {
    fixture *f = *state;
    const graph *g =
        compile(f, "net a {\n    input x[4]\n    x = x -> linear(4) -> linear1: linear(4) -> linear(4)\n"
                   "    if false { x = x -> linear(9) }\n    output y = x -> linear(2)\n}\n");
    static const char *const want[] = {"linear0.weight", "linear0.bias", "linear1.weight", "linear1.bias",
                                       "linear2.weight", "linear2.bias", "linear3.weight", "linear3.bias"};
    assert_int_equal(g->params.count, 8);
    for (int i = 0; i < 8; i++) assert_string_equal(g->params.at[i]->name, want[i]);
}

static void parameters_bear_pytorchs_names_in_its_order(void **state) {
    fixture *f = *state;
    const graph *g =
        compile(f, "net a {\n    input x[3, 5, 4]\n    y = x -> bn: batchnorm -> reshape([5, 12])\n"
                   "    output z = y -> rnn: lstm(2, bidirectional = true)\n}\n");
    static const char *const want[] = {"bn.weight",
                                       "bn.bias",
                                       "bn.running_mean",
                                       "bn.running_var",
                                       "rnn.weight_ih_l0",
                                       "rnn.weight_hh_l0",
                                       "rnn.bias_ih_l0",
                                       "rnn.bias_hh_l0",
                                       "rnn.weight_ih_l0_reverse",
                                       "rnn.weight_hh_l0_reverse",
                                       "rnn.bias_ih_l0_reverse",
                                       "rnn.bias_hh_l0_reverse"};
    assert_int_equal(g->params.count, 12);
    for (int i = 0; i < 12; i++) {
        assert_string_equal(g->params.at[i]->name, want[i]);
        assert_int_equal(g->params.at[i]->as.param.trainable, i != 2 && i != 3);
    }
}

static void starting_values_know_their_fan(void **state) {
    fixture *f = *state;
    const graph *g =
        compile(f, "net a {\n    input x[4, 8, 8]\n    y = x -> conv(6, [3, 2], groups = 2)\n"
                   "    output z = y * param(\"g\", [6, 1, 1], init = \"constant\", scale = 0.5)\n}\n");
    const init_rule *w = &g->params.at[0]->as.param.init, *b = &g->params.at[1]->as.param.init,
                    *s = &g->params.at[2]->as.param.init;
    assert_string_equal(w->rule, "he");
    assert_int_equal(w->fan_in, 12);
    assert_int_equal(w->fan_out, 36);
    assert_string_equal(b->rule, "zeros");
    assert_int_equal(b->fan_in, 12);
    assert_string_equal(s->rule, "constant");
    assert_true(s->scale == 0.5);
}

static void inputs_states_and_labels(void **state) {
    fixture *f = *state;
    const graph *g = compile(f, "net a {\n    input i[2, 3, 3] normalize(mean = 0.5, std = [0.25, 2])\n"
                                "    input w[5] int\n    state s[3]\n    labels = \"classes.txt\"\n"
                                "    e = w -> embedding(7, 3) -> mean(axes = 1)\n    s = s + e\n"
                                "    output y = s + mean(i, axes = [1, 2])\n}\n");
    const value *i = g->inputs.at[0], *w = g->inputs.at[1], *s = g->states.at[0];
    assert_int_equal(i->as.input.channels, 2);
    assert_true(i->as.input.mean[1] == 0.5 && i->as.input.std[0] == 0.25 && i->as.input.std[1] == 2);
    assert_int_equal(w->type, DT_I32);
    assert_int_equal(w->as.input.bound, 7);
    assert_ptr_equal(s->as.next, find_node(g, "add", 0)->out[0]);
    assert_int_equal(g->labels.count, 3);
    assert_string_equal(g->labels.at[2], "horse");
    assert_string_equal(g->outputs.at[0].name, "y");
}

static void the_last_net_or_the_one_asked_for(void **state) {
    fixture *f = *state;
    static const char both[] =
        "net a { input x[2]  output y = x -> relu }\nnet b { input x[3]  output y = x -> relu }\n";
    const lang_options first = {.net = "a"};
    assert_string_equal(compile(f, both)->name, "b");
    assert_int_equal(compile_with(f, both, &first)->inputs.at[0]->shape.dim[1], 2);
}

static void the_command_line_gives_arguments(void **state) {
    fixture *f = *state;
    static const char net[] = "net a(n = 4, half = n // 2, on = true) {\n    input x[n]\n"
                              "    output y = if on then x -> linear(half) else x -> relu\n}\n";
    const char *const defines[] = {"n=2 * 5", NULL}, *const sets[] = {"half=3", NULL},
                      *const off[] = {"on=false", NULL};
    const lang_options a = {.defines = defines}, b = {.sets = sets}, c = {.defines = off};
    const shape *s = &compile_with(f, net, &a)->outputs.at[0].value->shape;
    assert_int_equal(s->dim[1], 5);
    assert_int_equal(compile_with(f, net, &b)->outputs.at[0].value->shape.dim[1], 3);
    assert_int_equal(compile_with(f, net, &c)->params.count, 0);
}

static const recipe_arg *argument(const recipe_call *c, const char *name) {
    for (int i = 0; i < c->args.count; i++)
        if (strcmp(c->args.at[i].name, name) == 0) return &c->args.at[i];
    fail_msg("'%s' has no '%s'", c->name, name);
    return NULL;
}

static const char trained[] =
    "net a(size = 32) {\n    input x[4]\n    output y = x -> linear(3)\n    output z = x -> relu\n"
    "    train {\n        loss      = cross_entropy(z, label_smoothing = 0.1)\n"
    "        optimizer = sgd(0.1, momentum = 0.9, nesterov = true)\n"
    "        schedule  = multistep([30, 60], gamma = 0.2)\n        init      = normal(0.01)\n"
    "        augment   = [random_crop(size, pad = size // 8), random_flip]\n"
    "        batch     = 2 * size\n        epochs    = 90\n        clip      = 0.5\n    }\n}\n";

static void recipes_are_read(void **state) {
    fixture *f = *state;
    const recipe *r = compile(f, trained)->recipe;
    assert_string_equal(r->loss.name, "cross_entropy");
    assert_string_equal(r->loss_output, "z");
    assert_true(argument(&r->loss, "label_smoothing")->number == 0.1);
    assert_string_equal(r->optimizer.name, "sgd");
    assert_true(argument(&r->optimizer, "lr")->number == 0.1 &&
                argument(&r->optimizer, "momentum")->number == 0.9);
    assert_true(argument(&r->optimizer, "nesterov")->number == 1);
    assert_int_equal(argument(&r->schedule, "milestones")->count, 2);
    assert_true(argument(&r->schedule, "milestones")->list[1] == 60);
    assert_true(argument(&r->init, "std")->number == 0.01);
    assert_int_equal(r->augment.count, 2);
    assert_string_equal(r->augment.at[1].name, "random_flip");
    assert_true(argument(&r->augment.at[0], "pad")->number == 4);
    assert_int_equal(r->batch, 64);
    assert_int_equal(r->epochs, 90);
    assert_true(r->clip == 0.5);
}

static void the_command_line_changes_recipes(void **state) {
    fixture *f = *state;
    const char *const sets[] = {"size=16",
                                "optimizer.lr=0.05",
                                "schedule=none",
                                "loss=mse",
                                "augment=[random_flip(0.2)]",
                                "epochs=3",
                                "optimizer.weight_decay=1e-4",
                                NULL};
    const char *const other[] = {"optimizer=adam(lr=0.001)", "optimizer.beta1=0.8", NULL};
    const lang_options a = {.sets = sets}, b = {.sets = other};
    const recipe *r = compile_with(f, trained, &a)->recipe;
    assert_true(argument(&r->optimizer, "lr")->number == 0.05 &&
                argument(&r->optimizer, "momentum")->number == 0.9);
    assert_true(argument(&r->optimizer, "weight_decay")->number == 1e-4);
    assert_null(r->schedule.name);
    assert_string_equal(r->loss.name, "mse");
    assert_int_equal(r->augment.count, 1);
    assert_true(argument(&r->augment.at[0], "p")->number == 0.2);
    assert_int_equal(r->batch, 32);
    assert_int_equal(r->epochs, 3);
    r = compile_with(f, trained, &b)->recipe;
    assert_string_equal(r->optimizer.name, "adam");
    assert_true(argument(&r->optimizer, "lr")->number == 0.001 &&
                argument(&r->optimizer, "beta1")->number == 0.8);
}

static void a_scan_makes_its_parameters_once(void **state) {
    fixture *f = *state;
    const graph *g = compile(f, "net a {\n    input x[6, 3]\n    k = 2 * x[0]\n"
                                "    y, h = scan t in x carry h = zeros(4) {\n"
                                "        h = tanh(a: linear(t + k, 4) + h)\n        yield h\n    }\n"
                                "    output y = y\n    output h = h\n}\n");
    const node *n = find_node(g, "scan", 0);
    assert_int_equal(g->params.count, 2);
    assert_int_equal(n->inputs, 5); /* x, zeros; captured k, weight, bias */
    assert_int_equal(n->outputs, 2);
    assert_ptr_equal(n->in[0], g->inputs.at[0]);
    assert_string_equal(n->in[2]->name, "k");
    assert_ptr_equal(n->in[3], g->params.at[0]);
    assert_int_equal(shape_count(&n->out[0]->shape), 24);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(scopes_are_the_users_calls),
        CASE(operators_belong_to_the_block_around),
        CASE(labels_without_names_are_stable),
        CASE(parameters_bear_pytorchs_names_in_its_order),
        CASE(starting_values_know_their_fan),
        CASE(inputs_states_and_labels),
        CASE(the_last_net_or_the_one_asked_for),
        CASE(the_command_line_gives_arguments),
        CASE(recipes_are_read),
        CASE(the_command_line_changes_recipes),
        CASE(a_scan_makes_its_parameters_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
