/* Random graphs (tests/support/random_graph.h) on the interpreter, through LLVM and through C, with the optional passes
 * and without: all agree. random_graphs_test [GRAPHS [GRAPHS THROUGH C [FIRST SEED]]]:
 * with numbers LLVM optimises all of them, and all go through C both ways. */
#include "tests/support/execute_c.h"
#include "tests/support/random_graph.h"

#include "frontend/api/compile.h"
#include "ir/ops/list.h"
#ifdef NETC_LLVM
#include "backends/llvm/llvm.h"
#endif

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* Sums in another order, fused multiply-adds, polynomials for functions of libm. */
static const double RELATIVE = 1e-4, ABSOLUTE = 1e-5;

enum { GRAPHS = 1000, THROUGH_C = 200, MOST_THREADS = 16, MOST_OPS = 256, SHOWN = 3 };

typedef struct settings {
    int graphs, through_c;
    bool quick; /* LLVM optimises one of eight, C is made with all passes or without the optional ones */
    uint64_t first;
} settings;

typedef struct tally {
    const settings *settings;
    atomic_int next, failed, shown;
    atomic_int ops[MOST_OPS]; /* how often each came */
} tally;

/* ---- comparing ---- */

static bool near(double x, double y) {
    return x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= ABSOLUTE + RELATIVE * fabs(y);
}

static bool agree(const golden *g, float *const *got, float *const *want, const char *how) {
    if (!got) return fprintf(stderr, "# %s: %s: it does not run\n", g->name, how), false;
    for (int i = 0; i < g->graph->outputs.count; i++) {
        int64_t count = golden_count(g, g->graph->outputs.at[i].value);
        for (int64_t k = 0; k < count; k++) {
            if (near((double)got[i][k], (double)want[i][k])) continue;
            fprintf(stderr, "# %s: %s: output %s[%lld] is %.9g, not %.9g\n", g->name, how,
                    g->graph->outputs.at[i].name, (long long)k, (double)got[i][k], (double)want[i][k]);
            return false;
        }
    }
    return true;
}

/* ---- on the interpreter and through LLVM ---- */

#ifdef NETC_LLVM

static float **run_llvm(arena *a, const golden *g, const execute_options *o, bool quick, diags *d) {
    const llvm_options options = {.target = o->target, .threads = 1, .quick = quick};
    program *p = execute_compile(a, g, o, d);
    if (p) legalise(p, o->target, llvm_supported(o->target));
    llvm_code *code = p ? llvm_load(a, p, &options, d) : NULL;
    if (!code) return NULL;
    run_args r = execute_arguments(a, g, p);
    bool good = llvm_run(code, ENTRY_PREPARE, &r, NULL, d) && llvm_run(code, ENTRY_FORWARD, &r, NULL, d);
    llvm_unload(code);
    float **out = NEW_ARRAY(a, float *, g->graph->outputs.count + 1);
    for (int i = 0; i < g->graph->outputs.count; i++) out[i] = execute_output(a, g, p, &r, i);
    return good ? out : NULL;
}

#else

static float **run_llvm(arena *a, const golden *g, const execute_options *o, bool quick, diags *d) {
    (void)quick;
    return execute_interp(a, g, o, d);
}

#endif

/* Most on what this machine runs best, the others in turns. */
static target_id target_for(uint64_t seed) {
    target_id t = (target_id)(seed / 4 % TARGET_COUNT);
    return seed % 4 == 0 && compile_host_runs(t) ? t : compile_host_target();
}

static bool check_graph(arena *a, const golden *g, uint64_t seed, bool quick) {
    diags d = {.arena = a};
    target_id best = target_for(seed);
    const execute_options plain = {
        .target = TARGET_C99, .plain = true, .real = KB_F32, .check = seed % 8 == 0};
    const execute_options other = {.target = best, .real = KB_F32};
    const execute_options other_plain = {.target = best, .plain = true, .real = KB_F32};
    float **want = execute_interp(a, g, &plain, &d);
    bool good = want && agree(g, execute_interp(a, g, &other, &d), want, "the interpreter with all passes") &&
                agree(g, run_llvm(a, g, &other, quick, &d), want, "LLVM with all passes") &&
                agree(g, run_llvm(a, g, &other_plain, quick, &d), want, "LLVM without the optional passes");
    diags_print(&d, stderr, false);
    return good;
}

static void count_ops(tally *t, const graph *g) {
    for (int i = 0; i < g->nodes.count; i++) {
        const node *n = g->nodes.at[i];
        for (int k = 0; ops[k] && k < MOST_OPS; k++)
            if (ops[k] == n->op) t->ops[k]++;
        if (node_body(n)) count_ops(t, node_body(n));
    }
}

static void show(tally *t, arena *a, const golden *g) {
    if (atomic_fetch_add(&t->shown, 1) >= SHOWN) return;
    text lines = text_in(a);
    graph_print(&lines, g->graph);
    fprintf(stderr, "# %s, batch %d:\n%s", g->name, g->batch, lines.at);
}

/* In an arena of its own. */
static void check_seed(tally *t, uint64_t seed) {
    trap jumped;
    arena a;
    volatile bool good = false;
    arena_init(&a, (size_t)1 << 30, &jumped);
    if (setjmp(jumped.jump)) {
        fprintf(stderr, "# seed %llu: %s\n", (unsigned long long)seed, jumped.reason);
    } else {
        golden *g = NEW(&a, golden);
        *g = random_graph(&a, seed);
        count_ops(t, g->graph);
        good = check_graph(&a, g, seed, t->settings->quick && seed % 8);
        if (!good) show(t, &a, g);
    }
    t->failed += !good;
    arena_free(&a);
}

static void *work(void *context) {
    tally *t = context;
    for (int k; (k = atomic_fetch_add(&t->next, 1)) < t->settings->graphs;)
        check_seed(t, t->settings->first + (uint64_t)k);
    return NULL;
}

static bool is_own(const op *o) {
    static const op *const own[] = {
#define OWN(name) &op_##name,
        FOR_EACH_OWN_OP(OWN)};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        if (own[k] == o) return o != &op_map && o != &op_scan;
    return false;
}

static void interpreter_and_llvm_agree(void **state) {
    tally *t = calloc(1, sizeof *t);
    pthread_t thread[MOST_THREADS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = processors < 1              ? 1
                  : processors > MOST_THREADS ? MOST_THREADS
                                              : (int)processors,
        failed, missing = 0;
    t->settings = *state;
    for (int k = 0; k < threads; k++) assert_int_equal(pthread_create(&thread[k], NULL, work, t), 0);
    for (int k = 0; k < threads; k++) pthread_join(thread[k], NULL);
    for (int k = 0; ops[k]; k++) {
        if (t->ops[k] || is_own(ops[k]) || t->settings->graphs < GRAPHS) continue;
        fprintf(stderr, "# no graph has op '%s'\n", ops[k]->name);
        missing++;
    }
    failed = t->failed;
    free(t);
    assert_int_equal(failed, 0);
    assert_int_equal(missing, 0);
}

/* ---- through C ---- */

static bool check_c(arena *a, const c_batch *way, int i) {
    const c_case *c = &way->cases.at[i];
    const execute_options plain = {.target = TARGET_C99, .plain = true, .real = KB_F32};
    diags d = {.arena = a};
    float **want = execute_interp(a, c->golden, &plain, &d);
    bool good = want && agree(c->golden, execute_c_run(a, c), want, way->how);
    diags_print(&d, stderr, false);
    return good;
}

static int check_c_apart(const c_batch *way, int i) {
    trap t;
    arena a;
    volatile bool good = false;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump))
        fprintf(stderr, "# %s, %s: %s\n", way->cases.at[i].golden->name, way->how, t.reason);
    else
        good = check_c(&a, way, i);
    arena_free(&a);
    return !good;
}

static void c_agrees(void **state) {
    const settings *s = *state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    target_id best = compile_host_target();
    c_batch ways[2] = {
        {.how = "C with all passes", .options = {.target = best, .real = KB_F32}},
        {.how = "C without the optional passes", .options = {.target = best, .plain = true, .real = KB_F32}}};
    goldens cases[2] = {0};
    for (int k = 0; k < s->through_c; k++) {
        golden g = random_graph(&a, s->first + (uint64_t)k);
        for (int w = 0; w < 2; w++)
            if (!s->quick || k % 2 == w) VEC_PUSH(&a, &cases[w], g);
    }
    int failed = 0;
    for (int w = 0; w < 2; w++) {
        bool compiled = execute_c_compile(&a, &ways[w], 1, &cases[w], &d);
        diags_print(&d, stderr, false);
        assert_true(compiled);
        for (int i = 0; i < cases[w].count; i++) failed += check_c_apart(&ways[w], i);
    }
    arena_free(&a);
    assert_int_equal(failed, 0);
}

/* The same seed, the same graph. */
static void repeats(uint64_t seed) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    text first = text_in(&a), second = text_in(&a);
    diags d = {.arena = &a};
    golden g = random_graph(&a, seed);
    graph_print(&first, g.graph);
    graph_print(&second, random_graph(&a, seed).graph);
    assert_string_equal(first.at, second.at);
    assert_true(graph_check(g.graph, &d));
    arena_free(&a);
}

static void graphs_repeat(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) repeats(seed);
}

static int number(int count, char **given, int i, int otherwise) {
    return i < count ? atoi(given[i]) : otherwise;
}

int main(int argc, char **argv) {
    settings s = {.graphs = number(argc, argv, 1, GRAPHS),
                  .through_c = number(argc, argv, 2, THROUGH_C),
                  .quick = argc < 2,
                  .first = (uint64_t)number(argc, argv, 3, 1)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs_repeat),
        cmocka_unit_test_prestate(interpreter_and_llvm_agree, &s),
        cmocka_unit_test_prestate(c_agrees, &s),
    };
    return cmocka_run_group_tests_name("random graphs", tests, NULL, NULL);
}
