/* Gradients of whole nets against differences: what meets, what is shared, loops of every kind; what the engine leaves
 * alone and what it refuses; the shape of a loop's gradient. */
#include "ir/autodiff.h"
#include "tests/support/gradient.h"

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

static graph *parse(fixture *f, const char *s) {
    source *x = NEW(&f->a, source);
    *x = (source){"net", s, strlen(s)};
    graph *g = graph_parse(&f->a, x, &f->d);
    if (!g) fail_msg("%s\n%s", s, f->d.first->text);
    return g;
}

/* ---- nets ---- */

static const char *const nets[] = {
    /* a residual block, shared weights, a loss */
    "graph residual\ninput %x f32[N,3,6,5]\ninput %l i32[N]\nparam %w \"w\" f32[3,3,3,3] trainable\n"
    "param %g \"g\" f32[3] trainable\nparam %b \"b\" f32[3] trainable\nparam %o \"o\" f32[4,3] trainable\n"
    "%c = conv2d(%x, %w) {pad=1}\n%n, %m, %v = batchnorm_train(%c, %g, %b)\n%r = relu(%n)\n"
    "%d = conv2d(%r, %w) {pad=1}\n%s = add(%d, %x)\n%t = add(%s, %r)\n%q = global_avgpool(%t)\n"
    "%p = linear(%q, %o)\n%y = cross_entropy(%p, %l) {label_smoothing=0.1}\noutput y %y\n",
    /* one parameter as weight, as bias and as factor; an operand used twice */
    "graph shared\ninput %x f32[N,4]\nparam %w \"w\" f32[4,4] trainable\n%a = linear(%x, %w)\n"
    "%b = matmul(%a, %w)\n%c = mul(%b, %b)\n%s = slice(%w) {axis=0, start=1, stop=2}\n%d = mul(%c, %s)\n"
    "%e = div(%d, %x)\n%y = tanh(%e)\noutput y %y\noutput a %a\n",
    /* two layers, both directions, the last steps alone */
    "graph bidirectional\ninput %x f32[N,4,3]\nconst %z f32[3] 0\nparam %wi \"wi\" f32[12,3] trainable\n"
    "param %wh \"wh\" f32[12,3] trainable\nparam %bi \"bi\" f32[12] trainable\nparam %bh \"bh\" f32[12] "
    "trainable\n"
    "%y, %h, %c = lstm(%x, %z, %z, %wi, %wh, %bi, %bh)\n"
    "%u, %v, %w = lstm(%y, %z, %z, %wi, %wh, %bi, %bh) {reversed=true}\n%j = concat(%v, %h)\noutput y %j\n",
    /* indices in, a class for every step */
    "graph characters\ninput %i i32[N,5]\ninput %l i32[N,5]\nparam %t \"t\" f32[7,4] trainable\nconst %z "
    "f32[6] 0\n"
    "param %wi \"wi\" f32[18,4] trainable\nparam %wh \"wh\" f32[18,6] trainable\nparam %bi \"bi\" f32[18] "
    "trainable\n"
    "param %bh \"bh\" f32[18] trainable\nparam %o \"o\" f32[7,6] trainable\n%e = embedding(%i, %t)\n"
    "%y, %h = gru(%e, %z, %wi, %wh, %bi, %bh)\n%p = linear(%y, %o)\n%s = cross_entropy(%p, %l)\noutput s "
    "%s\n",
    /* a loop within a loop; the inner one's weight comes from outside of both */
    "graph nested\ninput %x f32[N,3,2,4]\nparam %w \"w\" f32[4,4] trainable\nparam %h \"h\" f32[4] "
    "trainable\n"
    "%y, %s = scan(%x, %h, %w) {sequences=1, carries=1, yields=1, body={argument %e f32[N,2,4]\n"
    "argument %c f32[N,4]\nargument %w f32[4,4]\n%z, %d = scan(%e, %c, %w) {sequences=1, carries=1, "
    "yields=1, body={\n"
    "argument %e f32[N,4]\nargument %c f32[N,4]\nargument %w f32[4,4]\n%a = linear(%c, %w)\n%b = add(%a, "
    "%e)\n"
    "%n = tanh(%b)\noutput %n\noutput %n\n}}\n%m = reduce_sum(%z) {axes=[1]}\n%n = mul(%m, %d)\noutput %n\n"
    "output %m\n}}\noutput y %y\noutput s %s\n",
    /* a convolution in a loop: its weight's gradient adds up in a carry */
    "graph images\ninput %x f32[N,3,2,4,4]\nparam %w \"w\" f32[2,2,3,3] trainable\nparam %b \"b\" f32[2] "
    "trainable\n"
    "const %z f32[] 0\n%y, %s = scan(%x, %z, %w, %b) {sequences=1, carries=1, yields=1, reversed=true, "
    "body={\n"
    "argument %e f32[N,2,4,4]\nargument %c f32[N,2,4,4]\nargument %w f32[2,2,3,3]\nargument %b f32[2]\n"
    "%a = conv2d(%c, %w, %b) {pad=1}\n%t = add(%a, %e)\n%n = sigmoid(%t)\noutput %n\noutput %a\n}}\n"
    "output y %y\noutput s %s\n",
    /* carries that change places, one that nothing changes, one that is an argument yielded as it is */
    "graph exchange\ninput %x f32[N,3,2]\ninput %a f32[N,2]\nparam %b \"b\" f32[2] trainable\nparam %k \"k\" "
    "f32[1,2] trainable\n"
    "%y, %u, %v, %p, %q, %r = scan(%x, %a, %b, %a, %k) {sequences=1, carries=3, yields=3, body={\nargument "
    "%e f32[N,2]\n"
    "argument %p f32[N,2]\nargument %q f32[N,2]\nargument %r f32[N,2]\nargument %k f32[1,2]\n%m = mul(%q, "
    "%e)\n"
    "%n = mul(%m, %k)\n%o = sub(%n, %r)\noutput %o\noutput %p\noutput %r\noutput %p\noutput %e\noutput "
    "%m\n}}\n"
    "output y %y\noutput u %u\noutput v %v\noutput p %p\noutput q %q\noutput r %r\n",
    /* what all steps read, for each sample: attention over a memory, with a softmax inside */
    "graph attention\ninput %x f32[N,3,4]\ninput %m f32[N,5,4]\nconst %z f32[1,4] 0\nparam %w \"w\" f32[4,4] "
    "trainable\n"
    "%y, %s = scan(%x, %z, %m, %w) {sequences=1, carries=1, yields=1, body={argument %e f32[N,4]\n"
    "argument %c f32[N,4]\nargument %m f32[N,5,4]\nargument %w f32[4,4]\n%q = add(%e, %c)\n%v = linear(%q, "
    "%w)\n"
    "%r = reshape(%v) {shape=[4,1]}\n%a = matmul(%m, %r)\n%p = softmax(%a) {axis=1}\n%o = mul(%m, %p)\n"
    "%n = reduce_sum(%o) {axes=[1]}\noutput %n\noutput %p\n}}\noutput y %y\noutput s %s\n",
    /* arithmetic of captured values alone, and a scalar; the same weight read twice */
    "graph captured\ninput %x f32[N,4,3]\nparam %w \"w\" f32[3,3] trainable\nparam %k \"k\" f32[] trainable\n"
    "%y = scan(%x, %x, %w, %k) {sequences=2, carries=0, yields=1, body={argument %e f32[N,3]\nargument %f "
    "f32[N,3]\n"
    "argument %w f32[3,3]\nargument %k f32[]\n%t = transpose(%w) {order=[1,0]}\n%u = mul(%t, %k)\n%a = "
    "linear(%e, %u)\n"
    "%b = linear(%f, %w)\n%c = mul(%a, %b)\n%s = mul(%c, %k)\noutput %s\n}}\noutput y %y\n",
    /* sequences of indices and of what is the same for all samples; a carry that starts as one number */
    "graph table\ninput %i i32[N,3]\nparam %p \"p\" f32[3,4] trainable\nparam %t \"t\" f32[5,4] trainable\n"
    "const %z f32[] 1\n%y, %h = scan(%i, %p, %z, %t) {sequences=2, carries=1, yields=1, body={\n"
    "argument %i i32[N]\nargument %p f32[4]\nargument %c f32[N,4]\nargument %t f32[5,4]\n"
    "%r = embedding(%i, %t)\n%k = mul(%c, %p)\n%m = add(%k, %r)\noutput %m\noutput %m\n}}\n"
    "output y %y\noutput h %h\n",
    /* parts of a parameter; steps without a sequence */
    "graph parts\ninput %x f32[N,4]\nparam %w \"w\" f32[5,4] trainable\n%f, %r = split(%w) {axis=0, "
    "sizes=[1,4]}\n"
    "%a = mul(%x, %f)\n%y, %s = scan(%a, %r) {sequences=0, carries=1, yields=1, steps=3, body={\n"
    "argument %c f32[N,4]\nargument %w f32[4,4]\n%b = linear(%c, %w)\n%n = sin(%b)\noutput %n\noutput "
    "%b\n}}\n"
    "output y %y\noutput s %s\n",
};

static bool check_net(const char *s, bool plain, int batch) {
    static const gradient_options exact = {.eps = 1e-6, .atol = 1e-5, .rtol = 1e-3, .elements = 8};
    gradient_options o = exact;
    trap t;
    arena a;
    o.plain = plain;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) {
        fprintf(stderr, "# %s\n%s", t.reason, s);
        arena_free(&a);
        return false;
    }
    diags d = {.arena = &a};
    source x = {"net", s, strlen(s)};
    golden g = {.batch = batch, .graph = graph_parse(&a, &x, &d)};
    if (!g.graph) fail_msg("%s\n%s", s, d.first->text);
    g.name = g.graph->name;
    golden_fill indices[] = {{"i", .below = 5}, {"l", .below = 4}};
    for (int i = 0; i < 2; i++) VEC_PUSH(&a, &g.fills, indices[i]);
    bool good = gradient_matches(&a, &g, &o);
    arena_free(&a);
    return good;
}

static void nets_have_the_gradients_of_differences(void **state) {
    (void)state;
    int failed = 0;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        for (int plain = 0; plain < 2; plain++) failed += !check_net(nets[i], plain, 3 - plain);
    assert_int_equal(failed, 0);
}

/* ---- where functions have kinks ---- */

/* The first number of the gradient of Σ y with every x being `x` and every t being `t`. */
static double gradient_at(fixture *f, const char *call, double x, double t) {
    golden g = {.name = call, .batch = 1};
    golden_fill fills[] = {{"x", x, x, 0}, {"t", t, t, 0}, {"r_y", 1, 1, 0}};
    for (int i = 0; i < 3; i++) VEC_PUSH(&f->a, &g.fills, fills[i]);
    g.graph = parse(f, arena_printf(&f->a,
                                    "graph kink\ninput %%x f32[N,4]\ninput %%t f32[N,4]\n%%y = %s\n"
                                    "output y %%y\n",
                                    call));
    const double *d = gradient_numbers(&f->a, &g, "x", &f->d);
    if (!d) fail_msg("%s: %s", call, f->d.first ? f->d.first->text : "no gradient");
    return *d;
}

static void assert_near(double got, double want) {
    if (!(got - want < 1e-12 && want - got < 1e-12)) fail_msg("%.17g, not %.17g", got, want);
}

/* x [N,4]: losses are means of 4 numbers. */
static void kinks_have_the_gradients_of_pytorch(void **state) {
    fixture *f = *state;
    assert_near(gradient_at(f, "relu(%x)", 0, 0), 0);
    assert_near(gradient_at(f, "abs(%x)", 0, 0), 0);
    assert_near(gradient_at(f, "reduce_max(%x)", 3, 0), 0.25);
    assert_near(gradient_at(f, "l1(%x, %t)", 2, 2), 0);
    assert_near(gradient_at(f, "bce_with_logits(%x, %t)", 0, 0.25), (0.5 - 0.25) / 4);
    assert_near(gradient_at(f, "bce_with_logits(%x, %t)", -800, 1), -1.0 / 4);
    assert_near(gradient_at(f, "bce(%x, %t)", 1, 1), 0);
    assert_near(gradient_at(f, "bce(%x, %t)", 0, 0), 0);
    assert_near(gradient_at(f, "bce(%x, %t)", 0.5, 1), -2.0 / 4);
}

/* ---- the engine ---- */

/* Differentiates g's outputs, seeded with ones. */
static value **differentiate(fixture *f, graph *g, const bool *wanted) {
    value *results[8], *seeds[8], **grads = NEW_ARRAY(&f->a, value *, g->next_id + 16);
    int count = g->outputs.count;
    for (int i = 0; i < count; i++) {
        results[i] = g->outputs.at[i].value;
        seeds[i] = graph_splat(g, DT_F32, results[i]->shape, 1);
    }
    return graph_differentiate(g, results, seeds, count, wanted, grads, &f->d) ? grads : NULL;
}

static void refuses(fixture *f, const char *s, const char *why, const char *line) {
    graph *g = parse(f, s);
    int errors = f->d.errors;
    assert_null(differentiate(f, g, NULL));
    assert_int_equal(f->d.errors, errors + 1);
    text shown = text_in(&f->a);
    text_add(&shown, s + f->d.last->at.begin, f->d.last->at.end - f->d.last->at.begin);
    if (!strstr(f->d.last->text, why)) fail_msg("%s", f->d.last->text);
    assert_string_equal(shown.at, line);
}

static void what_has_no_gradient_is_refused_where_it_stands(void **state) {
    fixture *f = *state;
    refuses(f,
            "graph a\ninput %x f32[N,4]\nparam %w \"w\" f32[4,4] trainable\n%a = linear(%x, %w)\n%k = "
            "argmax(%a)\n"
            "%c = cast(%k)\noutput y %c\n",
            "cannot train through argmax", "argmax(%a)");
    refuses(f,
            "graph b\ninput %x f32[N,3,4]\nparam %w \"w\" f32[4,4] trainable\n"
            "%y = scan(%x, %w) {sequences=1, carries=0, yields=1, body={argument %e f32[N,4]\nargument %w "
            "f32[4,4]\n"
            "%a = linear(%e, %w)\n%k = argmax(%a) {keep=true}\n%c = cast(%k)\n%m = mul(%a, %c)\noutput "
            "%m\n}}\noutput y %y\n",
            "cannot train through argmax", "argmax(%a) {keep=true}");
    refuses(f,
            "graph c\ninput %x f32[N,2,1,1,1,1,1,3]\n%y = scan(%x) {sequences=1, carries=0, yields=1, body={"
            "argument %e f32[N,1,1,1,1,1,3]\n%r = reshape(%e) {shape=[1,1,1,1,1,1,3]}\n%m = mul(%r, %r)\n"
            "%s = reduce_sum(%m)\noutput %s\n}}\noutput y %y\n",
            "a tensor of 8 axes",
            "scan(%x) {sequences=1, carries=0, yields=1, body={"
            "argument %e f32[N,1,1,1,1,1,3]\n%r = reshape(%e) {shape=[1,1,1,1,1,1,3]}\n%m = mul(%r, %r)\n"
            "%s = reduce_sum(%m)\noutput %s\n}}");
}

static void integers_without_weights_before_them_pass(void **state) {
    fixture *f = *state;
    graph *g = parse(
        f, "graph c\ninput %i i32[N]\nparam %w \"w\" f32[1] trainable\n%c = cast(%i)\n%y = mul(%c, %w)\n"
           "output y %y\n");
    value **grads = differentiate(f, g, NULL);
    assert_non_null(grads);
    assert_non_null(grads[g->params.at[0]->id]);
    assert_null(grads[g->inputs.at[0]->id]);
}

/* Only what a wanted value leads to is walked. */
static void what_is_not_wanted_is_left_alone(void **state) {
    fixture *f = *state;
    graph *g = parse(
        f,
        "graph d\ninput %x f32[N,4]\nparam %v \"v\" f32[4,4] trainable\nparam %w \"w\" f32[4,4] trainable\n"
        "%a = linear(%x, %v)\n%k = argmax(%a)\n%c = cast(%k)\n%d = reshape(%c) {shape=[1]}\n%e = mul(%a, "
        "%d)\n"
        "%y = linear(%e, %w)\noutput y %y\n");
    bool *wanted = NEW_ARRAY(&f->a, bool, g->next_id + 8);
    value *v = g->params.at[0], *w = g->params.at[1];
    wanted[w->id] = true;
    int nodes = g->nodes.count;
    value **grads = differentiate(f, g, wanted);
    assert_non_null(grads);
    assert_non_null(grads[w->id]);
    assert_null(grads[v->id]);
    assert_null(grads[g->inputs.at[0]->id]);
    assert_in_range(g->nodes.count - nodes, 1,
                    3); /* linear_weight, and what of linear's gradient nobody reads */
    assert_true(graph_check(g, &f->d));
}

static int count_ops(const graph *g, const char *name) {
    int count = 0;
    for (int i = 0; i < g->nodes.count; i++) count += strcmp(g->nodes.at[i]->op->name, name) == 0;
    return count;
}

/* The weight's gradient of all steps is one product behind the loop; nothing turns the weight. */
static void loops_leave_sums_over_rows_outside(void **state) {
    fixture *f = *state;
    graph *g = parse(
        f, "graph e\ninput %x f32[N,9,4]\nconst %z f32[4] 0\nparam %w \"w\" f32[4,4] trainable\n"
           "param %b \"b\" f32[4] trainable\n"
           "%y, %s = scan(%x, %z, %w, %b) {sequences=1, carries=1, yields=1, body={argument %e f32[N,4]\n"
           "argument %c f32[N,4]\nargument %w f32[4,4]\nargument %b f32[4]\n%a = linear(%c, %w, %b)\n"
           "%t = add(%a, %e)\n%n = tanh(%t)\noutput %n\noutput %n\n}}\noutput s %s\n");
    value **grads = differentiate(f, g, NULL);
    assert_non_null(grads);
    graph_output d = {"d_w", grads[g->params.at[0]->id]}, b = {"d_b", grads[g->params.at[1]->id]};
    VEC_PUSH(&f->a, &g->outputs, d);
    VEC_PUSH(&f->a, &g->outputs, b);
    graph_prune(g);
    assert_true(graph_check(g, &f->d));
    assert_int_equal(count_ops(g, "scan"), 2);
    assert_int_equal(count_ops(g, "linear_weight"), 1);
    assert_string_equal(d.value->def->op->name, "linear_weight");
    assert_int_equal(d.value->def->in[0]->shape.dim[1], 9);
    const graph *back = node_body(d.value->def->in[1]->def);
    assert_int_equal(count_ops(g, "transpose") + count_ops(back, "transpose"), 0);
    assert_int_equal(count_ops(back, "linear_data"), 1);
    assert_int_equal(count_ops(back, "linear") + count_ops(back, "linear_weight") + count_ops(back, "sum_to"),
                     0);
    assert_int_equal(back->outputs.count, 2); /* the gradient of the carry, and of the sum before tanh */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets_have_the_gradients_of_differences),
        cmocka_unit_test_setup_teardown(kinks_have_the_gradients_of_pytorch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_gradient_is_refused_where_it_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(integers_without_weights_before_them_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_wanted_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loops_leave_sums_over_rows_outside, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
