/* How parameters start: PyTorch's defaults where train {} is silent, what its `init` says, and He's in a net that has no
 * train {}. */
#include "frontend/lang/lang.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char layers_text[] = "net few {\n"
                                  "    input image[3, 8, 8]\n"
                                  "    x = image -> conv: conv(4, [3, 2], groups = 1) -> bn: batchnorm -> "
                                  "up: conv_transpose(6, 3) -> prelu\n"
                                  "    own = param(\"own\", [1, 6, 1, 1], init = \"xavier\")\n"
                                  "    output out = x * own -> flatten -> fc: linear(9)\n"
                                  "%s"
                                  "}\n";

static const char words_text[] = "net words {\n"
                                 "    input w[5] int\n"
                                 "    y, h, c = w -> embedding(10, 6) -> lstm(7)\n"
                                 "    output out = last(y) -> fc: linear(9)\n"
                                 "%s"
                                 "}\n";

static const graph *compiled(arena *a, const char *format, const char *train, const char *set) {
    static const char *none[] = {NULL};
    const char *sets[] = {set, NULL};
    diags d = {.arena = a};
    source *s = NEW(a, source);
    s->path = "test.net";
    s->text = arena_printf(a, format, train);
    s->bytes = strlen(s->text);
    const graph *g = lang_compile(a, s, &(lang_options){.sets = set ? sets : none}, &d);
    if (!g) diags_print(&d, stderr, false);
    assert_non_null(g);
    return g;
}

static const value *param_of(const graph *g, const char *name) {
    for (int k = 0; k < g->params.count; k++)
        if (strcmp(g->params.at[k]->name, name) == 0) return g->params.at[k];
    fail_msg("there is no parameter '%s'", name);
    return NULL;
}

static void assert_rule(const graph *g, const char *name, const char *rule, int64_t fan_in) {
    const init_rule *i = &param_of(g, name)->as.param.init;
    if (strcmp(i->rule, rule) != 0) fail_msg("'%s' starts by %s, not %s", name, i->rule, rule);
    if (fan_in) assert_int_equal(i->fan_in, fan_in);
}

/* Weights and biases that follow the recipe, and those that do not. */
static void assert_start(const graph *g, const char *weight, const char *bias) {
    assert_rule(g, "conv.weight", weight, 3 * 3 * 2);
    assert_rule(g, "conv.bias", bias, 3 * 3 * 2);
    assert_rule(g, "up.weight", weight, 6 * 3 * 3); /* torch's fan_in of [in, out, k, k] is out·k·k */
    assert_rule(g, "up.bias", bias, 6 * 3 * 3);
    assert_rule(g, "fc.weight", weight, 0);
    assert_rule(g, "fc.bias", bias, 0);
    assert_rule(g, "bn.weight", "ones", 0);
    assert_rule(g, "bn.bias", "zeros", 0);
    assert_rule(g, "bn.running_var", "ones", 0);
    assert_rule(g, "own", "xavier", 0);
}

#define TRAIN(init) "    train { loss = mse(out)\n" init "    }\n"

static void layers_start_as_the_text_says(void **state) {
    static const struct {
        const char *train, *set, *weight, *bias;
    } cases[] = {
        {"", NULL, "he", "zeros"},
        {TRAIN(""), NULL, "uniform", "uniform"},
        {TRAIN("init = uniform\n"), NULL, "uniform", "uniform"},
        {TRAIN("init = he\n"), NULL, "he", "zeros"},
        {TRAIN("init = xavier\n"), NULL, "xavier", "zeros"},
        {TRAIN("init = normal(std = 0.02)\n"), NULL, "normal", "zeros"},
        {TRAIN("init = zeros\n"), NULL, "zeros", "zeros"},
        {TRAIN("init = zeros\n"), "init=he", "he", "zeros"},
        {"", "loss=mse(out)", "uniform", "uniform"},
    };
    (void)state;
    for (volatile size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        arena a;
        trap t;
        arena_init(&a, 0, &t);
        if (setjmp(t.jump)) fail_msg("%s", t.reason);
        assert_start(compiled(&a, layers_text, cases[k].train, cases[k].set), cases[k].weight, cases[k].bias);
        arena_free(&a);
    }
}

static void normal_has_its_deviation(void **state) {
    arena a;
    trap t;
    (void)state;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    const graph *g = compiled(&a, layers_text, TRAIN("init = normal(std = 0.02)\n"), NULL);
    assert_true(param_of(g, "conv.weight")->as.param.init.scale == 0.02);
    g = compiled(&a, layers_text, TRAIN("init = normal\n"), NULL);
    assert_true(param_of(g, "conv.weight")->as.param.init.scale == 1);
    arena_free(&a);
}

/* PyTorch draws an LSTM's all from ±1/√hidden, an embedding from the normal distribution, whatever init says. */
static void recurrent_layers_and_embeddings_keep_their_own(void **state) {
    static const char *const trains[] = {"", TRAIN(""), TRAIN("init = xavier\n")};
    (void)state;
    for (volatile size_t k = 0; k < sizeof trains / sizeof *trains; k++) {
        arena a;
        trap t;
        arena_init(&a, 0, &t);
        if (setjmp(t.jump)) fail_msg("%s", t.reason);
        const graph *g = compiled(&a, words_text, trains[k], NULL);
        for (int p = 0; p < g->params.count; p++) {
            const char *name = g->params.at[p]->name;
            if (strstr(name, "_l0")) assert_rule(g, name, "uniform", 7);
            if (strncmp(name, "embedding", 9) == 0) assert_rule(g, name, "normal", 0);
        }
        assert_int_equal(g->params.count, 7);
        arena_free(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_start_as_the_text_says),
        cmocka_unit_test(normal_has_its_deviation),
        cmocka_unit_test(recurrent_layers_and_embeddings_keep_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
