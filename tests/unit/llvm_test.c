/* Every op against PyTorch's numbers (tests/goldens/ops/) through LLVM in this process: each target that this
 * machine runs, on a pool of threads, and held against the interpreter too. Run from the repository's root. */
#include "tests/support/execute.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#ifndef NETC_LLVM

int main(void) {
    printf("# skipped: this netc was built without LLVM\n");
    return 0;
}

#else

#include "backends/llvm/llvm.h"
#include "frontend/api/compile.h"
#include "runtime/pool.h"

#define FOLDER "tests/goldens/ops"

/* As in ops_c_test.c: order of sums, and polynomials in place of libm's functions. */
static const double TOLERANCE = 2e-5, BETWEEN = 1e-5;

enum { FENCE = 64, MOST = 64 };

typedef struct way {
    const char *how;
    execute_options options;
} way;

/* What this machine runs best takes every case, the others every third. */
static const way ways[] = {
    {"avx512", {TARGET_AVX512, false, false, KB_F32, NULL}},
    {"avx2", {TARGET_AVX2, false, false, KB_F32, NULL}},
    {"neon", {TARGET_NEON, false, false, KB_F32, NULL}},
    {"c99", {TARGET_C99, false, false, KB_F32, NULL}},
    {"c99-plain", {TARGET_C99, true, false, KB_F32, NULL}},
    {"avx512-winograd4", {TARGET_AVX512, false, false, KB_F32, "winograd4"}},
};

/* A buffer of quiet NaNs with a fence behind it, which stands while all bytes of it are 0xff. */
static char *fenced(arena *a, int64_t bytes) {
    char *p = arena_alloc(a, (size_t)bytes + BUFFER_ALIGN + FENCE, 1);
    p += (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
    memset(p, 0xff, (size_t)bytes + FENCE);
    return p;
}

static bool fence_stands(const char *from, int64_t bytes) {
    for (int k = 0; k < FENCE; k++)
        if (from[bytes + k] != (char)0xff) return false;
    return true;
}

static int64_t output_bytes(const golden *g, const program *p, int i) {
    const value *v = g->graph->outputs.at[i].value;
    return golden_count(g, v) * (v->type == DT_I32 ? 4 : kbase_bytes(p->real));
}

/* Prepares and runs on these threads; outputs as execute_interp gives them, NULL after a complaint. */
static float **run_on(arena *a, const golden *g, const program *p, const llvm_code *code, const team *t,
                      diags *d) {
    run_args r = execute_arguments(a, g, p);
    int count = g->graph->outputs.count;
    void **outputs = NEW_ARRAY(a, void *, count + 1);
    for (int i = 0; i < count; i++) outputs[i] = fenced(a, output_bytes(g, p, i));
    r.outputs = outputs;
    r.packed = fenced(a, p->packed_bytes);
    r.workspace = fenced(a, p->workspace_bytes);
    if (!llvm_run(code, ENTRY_PREPARE, &r, t, d) || !llvm_run(code, ENTRY_FORWARD, &r, t, d)) return NULL;
    bool whole = fence_stands(r.packed, p->packed_bytes) && fence_stands(r.workspace, p->workspace_bytes);
    for (int i = 0; i < count; i++) whole = whole && fence_stands(outputs[i], output_bytes(g, p, i));
    if (!whole) return fprintf(stderr, "# %s writes behind a buffer\n", g->name), NULL;
    float **out = NEW_ARRAY(a, float *, count + 1);
    for (int i = 0; i < count; i++) out[i] = execute_output(a, g, p, &r, i);
    return out;
}

static bool within(const golden *g, float *const *x, float *const *y, double tolerance, const char *how) {
    bool good = true;
    for (int i = 0; i < g->graph->outputs.count; i++) {
        double far = 0, largest = 1;
        int64_t count = golden_count(g, g->graph->outputs.at[i].value);
        for (int64_t k = 0; k < count; k++) {
            double apart = fabs((double)x[i][k] - (double)y[i][k]);
            largest = fmax(largest, fabs((double)y[i][k]));
            if (!(apart <= far)) far = isnan(apart) ? INFINITY : apart;
        }
        if (far / largest <= tolerance) continue;
        fprintf(stderr, "# %s, %s: output %d differs by %.3g (allowed %.1g)\n", g->name, how, i,
                far / largest, tolerance);
        good = false;
    }
    return good;
}

static bool run_case(arena *a, const golden *g, const way *w, pool *threads) {
    diags d = {.arena = a};
    const llvm_options options = {.target = w->options.target, .threads = 2};
    float **interpreted = execute_interp(a, g, &w->options, &d), **shared = NULL, **alone = NULL;
    program *p = execute_compile(a, g, &w->options, &d);
    if (p) legalise(p, options.target, llvm_supported(options.target));
    llvm_code *code = p ? llvm_load(a, p, &options, &d) : NULL;
    if (code) {
        const team *t = pool_take(threads);
        shared = run_on(a, g, p, code, t, &d);
        pool_give(threads, t);
        alone = run_on(a, g, p, code, NULL, &d);
    }
    llvm_unload(code);
    diags_print(&d, stderr, false);
    if (!interpreted || !shared || !alone)
        return fprintf(stderr, "# %s does not run: %s\n", g->name, w->how), false;
    bool right = execute_matches(g, shared, TOLERANCE, w->how);
    right = within(g, shared, interpreted, BETWEEN, w->how) && right;
    return within(g, shared, alone, 0, "on one thread and on two") && right; /* not a bit differs */
}

/* In an arena of its own. */
static int run_apart(const golden *g, const way *w, pool *threads) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    volatile bool good = false;
    if (setjmp(t.jump))
        fprintf(stderr, "# %s, %s: %s\n", g->name, w->how, t.reason);
    else
        good = run_case(&a, g, w, threads);
    arena_free(&a);
    return !good;
}

static void run_file(void **state) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    goldens cases = {0};
    pool *threads = pool_new(2, &d);
    bool read = threads && golden_read(&a, *state, &cases, &d);
    diags_print(&d, stderr, false);
    assert_true(read);
    assert_true(cases.count > 0);
    int failed = 0;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        const execute_options *o = &ways[k].options;
        int every = o->target == compile_host_target() && !o->plain && !o->prefer ? 1 : 3;
        for (int i = 0; compile_host_runs(o->target) && i < cases.count; i += every)
            failed += run_apart(&cases.at[i], &ways[k], threads);
    }
    pool_free(threads);
    arena_free(&a);
    assert_int_equal(failed, 0);
}

/* ---- a whole net, whose layers are worth a team ---- */

/* A host's threads: parts come last first, from slots that change. */
static void run_oddly(void *user, team_body *body, void *arg, int count) {
    int *calls = user;
    for (int i = count - 1; i >= 0; i--) body(arg, i, (i * 7 + *calls) % 3);
    *calls += 1;
}

static void fill(float *x, int64_t count) {
    unsigned number = 1;
    for (int64_t k = 0; k < count; k++) {
        number = number * 1664525u + 1013904223u;
        x[k] = (float)(number >> 8) / 16777216.0f * 0.02f;
    }
}

/* Logits of resnet20 for three pictures on this team. */
static float *classify(arena *a, const program *p, const llvm_code *code, const team *t, diags *d) {
    const int64_t pictures = 3, numbers = pictures * 3 * 32 * 32;
    float *params = (float *)fenced(a, p->params_bytes), *picture = NEW_ARRAY(a, float, numbers);
    float *logits = (float *)fenced(a, pictures * 10 * 4);
    fill(params, p->params_bytes / 4);
    fill(picture, numbers);
    const void *in[] = {picture};
    void *out[] = {logits};
    const run_args r = {.n = pictures,
                        .params = params,
                        .packed = fenced(a, p->packed_bytes),
                        .inputs = in,
                        .outputs = out,
                        .workspace = fenced(a, p->workspace_bytes)};
    assert_true(llvm_run(code, ENTRY_PREPARE, &r, t, d));
    assert_true(llvm_run(code, ENTRY_FORWARD, &r, t, d));
    assert_true(fence_stands(r.packed, p->packed_bytes) && fence_stands(r.workspace, p->workspace_bytes));
    return logits;
}

/* However a call is cut and wherever its parts run, not a bit of the result differs. */
static void teams_agree(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    const lang_options lang = {0};
    const target_id best = compile_host_target();
    compile_options o = {.max_batch = 4, .max_threads = 3};
    const llvm_options options = {.target = best, .threads = 2};
    o.targets[best] = true;
    const graph *g = compile_read(&a, "examples/resnet20.net", &lang, &d);
    program *p = g ? compile_program(&a, g, &o, &d) : NULL;
    assert_non_null(p);
    legalise(p, best, llvm_supported(best));
    llvm_code *code = llvm_load(&a, p, &options, &d);
    assert_non_null(code);
    pool *threads = pool_new(3, &d), *many = pool_new(5, &d); /* more than there is scratch for */
    assert_true(threads && many);
    int calls = 0;
    const team odd = {&calls, 3, run_oddly};
    const team *of[] = {&odd, pool_take(threads), pool_take(many)};
    const float *want = classify(&a, p, code, NULL, &d);
    assert_true(isfinite(want[0]) && want[0] != 0);
    for (int k = 0; k < 3; k++)
        assert_memory_equal(classify(&a, p, code, of[k], &d), want, 3 * 10 * sizeof *want);
    assert_true(calls > 20); /* layers were handed out */
    pool_give(threads, of[1]);
    pool_give(many, of[2]);
    pool_free(threads);
    pool_free(many);
    llvm_unload(code);
    arena_free(&a);
}

/* What must be refused is refused, with a reason. */
static void refuses(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    goldens cases = {0};
    assert_true(golden_read(&a, FOLDER "/linear.txt", &cases, &d));
    const golden *g = &cases.at[0];
    const execute_options o = {TARGET_C99, false, false, KB_F32, NULL};
    const llvm_options options = {.target = TARGET_C99, .threads = 1};
    program *p = execute_compile(&a, g, &o, &d);
    assert_non_null(p);
    legalise(p, TARGET_C99, llvm_supported(TARGET_C99));
    llvm_code *code = llvm_load(&a, p, &options, &d);
    assert_non_null(code);
    run_args r = execute_arguments(&a, g, p);
    assert_false(llvm_run(code, ENTRY_FORWARD, &r, NULL, &d)); /* nothing is prepared */
    assert_false(llvm_run(code, ENTRY_FORWARD_U8, &r, NULL, &d));
    assert_true(llvm_run(code, ENTRY_PREPARE, &r, NULL, &d));
    assert_true(llvm_run(code, ENTRY_FORWARD, &r, NULL, &d));
    r.n = p->max_batch + 1;
    assert_false(llvm_run(code, ENTRY_FORWARD, &r, NULL, &d));
    assert_int_equal(d.errors, 3);
    llvm_unload(code);
    /* kernels that the program has for no such target */
    const llvm_options other = {.target = TARGET_NEON, .threads = 1};
    assert_null(llvm_load(&a, p, &other, &d));
    assert_int_equal(d.errors, 4);
    arena_free(&a);
}

int main(int argc, char **argv) {
    static char paths[MOST + 2][128];
    struct CMUnitTest tests[MOST + 2] = {{"refuses", refuses, NULL, NULL, NULL},
                                         {"teams_agree", teams_agree, NULL, NULL, NULL}};
    size_t count = 2;
    DIR *folder = opendir(FOLDER);
    for (struct dirent *e; folder && count < MOST + 2 && (e = readdir(folder));) {
        if (!strstr(e->d_name, ".txt") || (argc > 1 && !strstr(e->d_name, argv[1]))) continue;
        snprintf(paths[count], sizeof paths[count], FOLDER "/%.90s", e->d_name);
        const struct CMUnitTest test = {paths[count], run_file, NULL, NULL, paths[count]};
        memcpy(&tests[count], &test, sizeof test);
        count++;
    }
    if (folder) closedir(folder);
    if (count == 2) fprintf(stderr, "run me from the root of netc: " FOLDER " is not here\n");
    return count > 2 ? _cmocka_run_group_tests("ops through LLVM against PyTorch", tests, count, NULL, NULL)
                     : 1;
}

#endif
