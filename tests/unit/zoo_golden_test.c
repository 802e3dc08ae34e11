/* Whole nets of examples/ against PyTorch's outputs (tests/goldens/zoo/), for weights that golden.py's
 * formula gives, through the whole pipeline and the interpreter. Nets of more than LIMIT multiply-adds are
 * left to tests/goldens/zoo.py, which goes through the C backend; `zoo_golden_test NAME` runs one whatever
 * its size. Run from the repository's root. */
#include "frontend/lang/lang.h"
#include "ir/base/file.h"
#include "tests/support/execute.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define FOLDER "tests/goldens/zoo"

/* A batch; the interpreter does some 10^9 a second. */
static const int64_t LIMIT = 100000000, MANY = 5000000;
/* Of the largest output: PyTorch computed in double, netc in float, in another order. */
static const double TOLERANCE = 1e-4, TOLERANCE_F64 = 1e-6;

static const struct {
    const char *how;
    execute_options o;
} ways[] = {
    {"avx512", {.target = TARGET_AVX512, .real = KB_F32}}, /* the only way of nets of more than MANY */
    {"avx512 checked", {.target = TARGET_AVX512, .real = KB_F32, .check = true}},
    {"avx2", {.target = TARGET_AVX2, .real = KB_F32}},
    {"neon", {.target = TARGET_NEON, .real = KB_F32}},
    {"c99", {.target = TARGET_C99, .real = KB_F32}},
    {"c99 plain", {.target = TARGET_C99, .real = KB_F32, .plain = true}},
    {"c99 double", {.target = TARGET_C99, .real = KB_F64}},
};

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* The bounds that golden.py states. */
static golden_fill fill_rule(const value *v) {
    golden_fill f = {v->name, -0.1, 0.1, 0};
    if (v->kind == VALUE_INPUT) {
        f = (golden_fill){v->name, -1, 1, v->type == DT_I32 ? v->as.input.bound : 0};
    } else if (ends_with(v->name, "running_var")) {
        f.low = 0.5, f.high = 1.5;
    } else if (v->shape.rank > 1) {
        f.high = sqrt(6.0 / (double)(shape_count(&v->shape) / v->shape.dim[0]));
        f.low = -f.high;
    } else if (v->shape.rank == 1 && ends_with(v->name, "weight")) {
        f.low = 0.5, f.high = 1;
    }
    return f;
}

static void add_fills(arena *a, golden *g) {
    for (int i = 0; i < g->graph->inputs.count; i++)
        VEC_PUSH(a, &g->fills, fill_rule(g->graph->inputs.at[i]));
    for (int i = 0; i < g->graph->params.count; i++)
        VEC_PUSH(a, &g->fills, fill_rule(g->graph->params.at[i]));
}

/* "expect NAME f32[2,10]" and as many numbers as that output of the graph has. Returns what follows. */
static char *read_output(arena *a, golden *g, int i, char *at) {
    const value *v = g->graph->outputs.at[i].value;
    golden_tensor t = {.name = g->graph->outputs.at[i].name, .type = DT_F32, .shape = v->shape};
    text head = text_in(a);
    t.shape.dim[0] = g->batch;
    text_printf(&head, "expect %s f32", t.name);
    shape_print(&head, &t.shape);
    if (strncmp(at, head.at, head.length) != 0 || at[head.length] != '\n')
        fail_msg("%s: '%.*s' should be '%s'", g->name, (int)strcspn(at, "\n"), at, head.at);
    at += head.length;
    t.count = golden_count(g, v);
    t.at = NEW_ARRAY(a, double, t.count);
    for (int64_t k = 0; k < t.count; k++) {
        char *end;
        t.at[k] = strtod(at, &end);
        if (end == at) fail_msg("%s: %s ends after %lld numbers", g->name, t.name, (long long)k);
        at = end;
    }
    VEC_PUSH(a, &g->expected, t);
    return at + (*at == '\n');
}

static void load(arena *a, golden *g, diags *d) {
    source *net = file_read_text(a, arena_printf(a, "examples/%s.net", g->name), LANG_MAX_BYTES, d);
    source *want = file_read_text(a, arena_printf(a, FOLDER "/%s.txt", g->name), LANG_MAX_BYTES, d);
    g->graph = net && want ? lang_compile(a, net, NULL, d) : NULL;
    diags_print(d, stderr, false);
    if (!g->graph) fail_msg("%s cannot be read", g->name);
    char *at = arena_text(a, want->text, want->bytes);
    assert_int_equal(strncmp(at, "batch ", 6), 0);
    g->batch = (int)strtol(at + 6, &at, 10);
    at += *at == '\n';
    add_fills(a, g);
    for (int i = 0; i < g->graph->outputs.count; i++) at = read_output(a, g, i, at);
    assert_string_equal(at, "");
}

static int64_t work_of(const golden *g) {
    int64_t sum = 0;
    for (int i = 0; i < g->graph->nodes.count; i++) sum += node_work(g->graph->nodes.at[i]);
    return sum * g->batch;
}

/* Way k of running a net, in an arena of its own; false if it differs. */
static bool run_way(const golden *g, size_t k) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) {
        fprintf(stderr, "# %s, %s: %s\n", g->name, ways[k].how, t.reason);
        return arena_free(&a), false;
    }
    diags d = {.arena = &a};
    float **outputs = execute_interp(&a, g, &ways[k].o, &d);
    diags_print(&d, stderr, false);
    double tolerance = ways[k].o.real == KB_F64 ? TOLERANCE_F64 : TOLERANCE;
    bool good = outputs && execute_matches(g, outputs, tolerance, ways[k].how);
    return arena_free(&a), good;
}

/* True if the net was run; it is not where it is larger than `limit`. */
static bool run_net(const char *name, int64_t limit) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s: %s", name, t.reason);
    diags d = {.arena = &a};
    golden g = {.name = name};
    load(&a, &g, &d);
    int64_t work = work_of(&g);
    size_t count = work > limit ? 0 : work > MANY ? 1 : sizeof ways / sizeof *ways;
    int failed = 0;
    for (size_t k = 0; k < count; k++) failed += !run_way(&g, k);
    arena_free(&a);
    if (failed) fail_msg("%s: %d ways of %d differ", name, failed, (int)count);
    return count > 0;
}

static void small_nets_give_pytorchs_outputs(void **state) {
    (void)state;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    int seen = 0, ran = 0;
    for (struct dirent *e; (e = readdir(folder));) {
        char *end = strstr(e->d_name, ".txt");
        if (!end) continue;
        *end = '\0';
        seen++;
        ran += run_net(e->d_name, LIMIT);
    }
    closedir(folder);
    assert_true(seen >= 46);
    assert_true(ran >= 22);
}

static void one_net_gives_pytorchs_outputs(void **state) {
    assert_true(run_net(*state, INT64_MAX));
}

int main(int argc, char **argv) {
    if (argc > 1) {
        const struct CMUnitTest one[] = {{argv[1], one_net_gives_pytorchs_outputs, NULL, NULL, argv[1]}};
        return cmocka_run_group_tests(one, NULL, NULL);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_nets_give_pytorchs_outputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
