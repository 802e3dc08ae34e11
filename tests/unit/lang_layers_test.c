/* The prelude's layers and the language's own constructs against PyTorch: tests/lang/layers/NAME.net beside
 * NAME.txt, which tests/goldens/lang.py writes, through all passes and the interpreter. Run from the repository's
 * root. */
#include "frontend/lang/lang.h"
#include "ir/base/file.h"
#include "tests/support/execute.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define FOLDER "tests/lang/layers/"

/* Of the largest output: PyTorch computed in double, netc in float, in another order. */
static const double TOLERANCE = 1e-5, TOLERANCE_F64 = 1e-6;

static const struct {
    const char *how;
    execute_options o;
} ways[] = {
    {"avx2", {.target = TARGET_AVX2, .check = true, .real = KB_F32}},
    {"c99 plain", {.target = TARGET_C99, .plain = true, .real = KB_F32}},
    {"c99 double", {.target = TARGET_C99, .real = KB_F64}},
};

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* The bounds that tests/goldens/golden.py states. */
static golden_fill fill_rule(const value *v) {
    double fan =
        v->shape.rank > 1 && v->kind == VALUE_PARAM ? (double)(shape_count(&v->shape) / v->shape.dim[0]) : 0;
    if (v->kind == VALUE_INPUT) return (golden_fill){v->name, -1, 1, 0};
    if (ends_with(v->name, "running_var")) return (golden_fill){v->name, 0.5, 1.5, 0};
    if (fan > 0) return (golden_fill){v->name, -sqrt(6 / fan), sqrt(6 / fan), 0};
    if (ends_with(v->name, "weight")) return (golden_fill){v->name, 0.5, 1, 0};
    return (golden_fill){v->name, -0.1, 0.1, 0};
}

/* "expect NAME f32[2,10]" and the numbers of output i. Returns what follows. */
static char *read_output(arena *a, golden *g, int i, char *at) {
    const value *v = g->graph->outputs.at[i].value;
    golden_tensor t = {.name = g->graph->outputs.at[i].name, .type = DT_F32, .shape = v->shape};
    t.shape.dim[0] = g->batch;
    text head = text_in(a);
    text_printf(&head, "expect %s f32", t.name);
    shape_print(&head, &t.shape);
    size_t line = strcspn(at, "\n");
    assert_string_equal(arena_text(a, at, line), head.at);
    at += line;
    t.count = golden_count(g, v);
    t.at = NEW_ARRAY(a, double, t.count);
    for (int64_t k = 0; k < t.count; k++) t.at[k] = strtod(at, &at);
    VEC_PUSH(a, &g->expected, t);
    return at + (*at == '\n');
}

static void load(arena *a, golden *g, diags *d) {
    source *net = file_read_text(a, arena_printf(a, FOLDER "%s.net", g->name), LANG_MAX_BYTES, d);
    source *want = file_read_text(a, arena_printf(a, FOLDER "%s.txt", g->name), LANG_MAX_BYTES, d);
    g->graph = net && want ? lang_compile(a, net, NULL, d) : NULL;
    diags_print(d, stderr, false);
    if (!g->graph || d->warnings) fail_msg("%s does not compile cleanly", g->name);
    char *at = arena_text(a, want->text, want->bytes);
    assert_int_equal(strncmp(at, "batch ", 6), 0);
    g->batch = (int)strtol(at + 6, &at, 10);
    at += *at == '\n';
    for (int i = 0; i < g->graph->inputs.count; i++)
        VEC_PUSH(a, &g->fills, fill_rule(g->graph->inputs.at[i]));
    for (int i = 0; i < g->graph->params.count; i++)
        VEC_PUSH(a, &g->fills, fill_rule(g->graph->params.at[i]));
    for (int i = 0; i < g->graph->outputs.count; i++) at = read_output(a, g, i, at);
    assert_string_equal(at, "");
}

static void like_pytorch(void **state) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s: %s", (const char *)*state, t.reason);
    diags d = {.arena = &a};
    golden g = {.name = *state};
    load(&a, &g, &d);
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        float **outputs = execute_interp(&a, &g, &ways[k].o, &d);
        diags_print(&d, stderr, false);
        assert_non_null(outputs);
        double tolerance = ways[k].o.real == KB_F64 ? TOLERANCE_F64 : TOLERANCE;
        if (!execute_matches(&g, outputs, tolerance, ways[k].how)) fail_msg("%s differs", g.name);
    }
    arena_free(&a);
}

#define NET(name)                                                                                            \
    { name, like_pytorch, NULL, NULL, name }

int main(void) {
    char activations[] = "activations", convolutions[] = "convolutions", norms[] = "norms", parts[] = "parts",
         recurrent[] = "recurrent", scans[] = "scans";
    const struct CMUnitTest tests[] = {NET(activations), NET(convolutions), NET(norms),
                                       NET(parts),       NET(recurrent),    NET(scans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
