/* Layers as outputs, and nets as graphviz draws them. */
#include "tests/support/hostile.h"

#include "frontend/api/describe.h"
#include "frontend/api/executor.h"
#include "frontend/api/inner.h"
#include "frontend/api/picture.h"
#include "runtime/weights.h"

#include <math.h>

/* The convolution is followed by all that the passes would fold and fuse into it. */
static const char whole[] = "block stage(x) {\n"
                            "    return x -> conv: conv(4, 3) -> bn: batchnorm -> relu -> maxpool(2)\n"
                            "}\n"
                            "net m {\n"
                            "    input image[2, 8, 8]\n"
                            "    x = image -> body: stage\n"
                            "    output y = x + x * 2 -> flatten -> fc: linear(3)\n"
                            "}\n";
/* The same net, whose text says for itself what the layers give. */
static const char spelled[] = "net m {\n"
                              "    input image[2, 8, 8]\n"
                              "    output a = image -> conv: conv(4, 3)\n"
                              "    output b = a -> bn: batchnorm\n"
                              "    output c = b -> relu\n"
                              "    output d = c -> maxpool(2)\n"
                              "    output y = d + d * 2 -> flatten -> fc: linear(3)\n"
                              "}\n";

static graph *read_text(bench *b, const char *words) {
    source *s = NEW(&b->arena, source);
    *s = (source){"test.net", words, strlen(words)};
    graph *g = lang_compile(&b->arena, s, NULL, &b->diags);
    assert_quiet(b);
    assert_non_null(g);
    return g;
}

enum { SAMPLES = 2, MOST = 1024 };

/* All outputs of the net, run by the interpreter with all passes. */
static float **run(bench *b, const graph *g, net *n) {
    describe_graph(n, &b->arena, g);
    float *params = NEW_ARRAY(&b->arena, float, n->values + 1),
          *image = NEW_ARRAY(&b->arena, float, 2 * 2 * 64);
    weights_draw(n, 3, params);
    for (int k = 0; k < 2 * 2 * 64; k++) image[k] = (float)((k * 37) % 29 - 14) / 10;
    void **out = NEW_ARRAY(&b->arena, void *, n->output_count + 1);
    for (int k = 0; k < n->output_count; k++) out[k] = NEW_ARRAY(&b->arena, float, SAMPLES *MOST);
    const void *in[] = {image};
    const executor_options o = {.threads = 1, .compile.max_batch = SAMPLES};
    session s = {0};
    assert_true(executor_open(&interp_executor, n, &b->arena, g, &o, &b->diags));
    assert_true(session_open(&s, n, &b->diags) && session_prepare(&s, params, &b->diags));
    assert_true(session_run(&s, SAMPLES, in, out, &b->diags));
    session_close(&s);
    net_close(n);
    assert_quiet(b);
    return (float **)out;
}

static void a_layers_value_is_its_own(void **state) {
    (void)state;
    BENCH(b);
    static const char *const layers[] = {"body.conv", "body.bn", "body.relu0", "body.maxpool0"};
    static const int64_t counts[] = {4 * 36, 4 * 36, 4 * 36, 4 * 9};
    net n, full;
    float **want = run(&b, read_text(&b, spelled), &full);
    for (int k = 0; k < 4; k++) { /* each alone, since more outputs leave less to fuse */
        graph *g = read_text(&b, whole);
        assert_true(inner_output(g, layers[k], &b.diags));
        float **got = run(&b, g, &n);
        assert_int_equal(n.output_count, 2);
        assert_string_equal(n.outputs[1].name, layers[k]);
        assert_int_equal(n.outputs[1].count, counts[k]);
        for (int64_t i = 0; i < SAMPLES * counts[k]; i++) assert_true(fabsf(got[1][i] - want[k][i]) < 1e-5f);
        for (int64_t i = 0; i < SAMPLES * 3; i++) assert_true(fabsf(got[0][i] - want[4][i]) < 1e-4f);
    }
    bench_end(&b);
}

/* A block is its last layer; a layer that is the net's output already is one twice. */
static void blocks_and_outputs_too(void **state) {
    (void)state;
    BENCH(b);
    net n;
    graph *g = read_text(&b, whole);
    assert_true(inner_output(g, "body", &b.diags) && inner_output(g, "fc", &b.diags) &&
                inner_output(g, "body.maxpool0", &b.diags));
    float **got = run(&b, g, &n);
    assert_int_equal(n.output_count, 4);
    assert_memory_equal(got[0], got[2], SAMPLES * 3 * sizeof(float));
    assert_memory_equal(got[1], got[3], SAMPLES * 36 * sizeof(float));
    assert_true(got[1][0] != got[1][1]);
    bench_end(&b);
}

static void what_is_no_layer_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *layer, *told;
    } bad[] = {{"body.con", "did you mean 'body.conv'"}, {"image", "is an input"}, {"zzzzzzzzz", "no layer"}};
    for (int k = 0; k < 3; k++) {
        BENCH(b);
        graph *g = read_text(&b, whole);
        assert_false(inner_output(g, bad[k].layer, &b.diags));
        assert_told(&b, bad[k].told);
        assert_int_equal(g->outputs.count, 1);
        bench_end(&b);
    }
    BENCH(b);
    graph *g = compile_read(&b.arena, "examples/rnn_n_to_m.net", NULL, &b.diags);
    assert_non_null(g);
    assert_false(inner_output(g, "recurrent", &b.diags));
    assert_told(&b, "inside a scan");
    bench_end(&b);
}

static void usual_layers(void **state) {
    (void)state;
    static const struct {
        const char *net, *names[INNER_USUAL];
    } known[] = {{"features_lenet", {"conv1", "maxpool0"}},
                 {"lenet5", {"conv1", "avgpool0"}},
                 {"resnet20", {"conv1", NULL}},
                 {"row_lstm", {"lstm", NULL}}};
    for (int k = 0; k < 4; k++) {
        BENCH(b);
        const char *names[INNER_USUAL] = {0};
        const char *path = arena_printf(&b.arena, "examples/%s.net", known[k].net);
        graph *g = compile_read(&b.arena, path, NULL, &b.diags);
        assert_non_null(g);
        assert_int_equal(inner_usual(&b.arena, g, names), 1 + (known[k].names[1] != NULL));
        assert_string_equal(names[0], known[k].names[0]);
        if (known[k].names[1]) assert_string_equal(names[1], known[k].names[1]);
        bench_end(&b);
    }
}

/* ---- pictures ---- */

static int count_of(const char *in, const char *what) {
    int count = 0;
    for (const char *at = in; (at = strstr(at, what)); at++) count++;
    return count;
}

static void a_shortcut_is_drawn(void **state) {
    (void)state;
    BENCH(b);
    text t = text_in(&b.arena);
    picture_dot(&t, &b.arena,
                read_text(&b, "net m {\n"
                              "    input x[4]\n"
                              "    state h[4]\n"
                              "    a = x -> fc1: linear(4) -> relu\n"
                              "    h = a + h\n"
                              "    output y = h\n"
                              "}\n"));
    static const char *const parts[] = {"digraph \"m\" {",
                                        "label=\"x\\ninput  4\" shape=ellipse",
                                        "label=\"h\\nstate  4\" shape=ellipse",
                                        "label=\"fc1\\nlinear  4\" fillcolor=\"#fce5cd\"",
                                        "label=\"relu0\\nrelu  4\" fillcolor=\"#ffffff\"",
                                        "label=\"add\\n4\" style=\"rounded,filled\"",
                                        "label=\"y\\noutput  4\" shape=ellipse"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        if (!strstr(t.at, parts[k])) fail_msg("no '%s' in\n%s", parts[k], t.at);
    assert_int_equal(count_of(t.at, "label="), 6); /* weights are none */
    assert_int_equal(count_of(t.at, " -> "), 6);   /* x fc1, fc1 relu, relu add, h add, add y, add h */
    assert_int_equal(count_of(t.at, "style=dashed"), 1);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layers_value_is_its_own),   cmocka_unit_test(blocks_and_outputs_too),
        cmocka_unit_test(what_is_no_layer_is_refused), cmocka_unit_test(usual_layers),
        cmocka_unit_test(a_shortcut_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
