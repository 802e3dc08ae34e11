/* Every op against PyTorch's numbers (tests/goldens/ops/), through the whole pipeline and the interpreter:
 * each target's kernels, with the passes and without the optional ones, every access and every race checked.
 */
#include "tests/support/execute.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* Sums of a few hundred products in float differ from PyTorch's by their order. */
static const double TOLERANCE = 2e-5;

static bool run_case(arena *a, const golden *g, const execute_options *o, const char *how) {
    diags d = {.arena = a};
    float **outputs = execute_interp(a, g, o, &d);
    if (!outputs) fprintf(stderr, "# %s, %s: does not run\n", g->name, how);
    if (d.first) diags_print(&d, stderr, false);
    return outputs && execute_matches(g, outputs, TOLERANCE, how);
}

/* One case one way, in an arena of its own. */
static bool run_way(const golden *g, const execute_options *o, const char *how) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) {
        fprintf(stderr, "# %s, %s: %s\n", g->name, how, t.reason);
        arena_free(&a);
        return false;
    }
    bool good = run_case(&a, g, o, how);
    arena_free(&a);
    return good;
}

static int run_ways(const golden *g) {
    static const struct {
        const char *how;
        execute_options o;
    } ways[] = {{"c99", {TARGET_C99, false, true, KB_F32, NULL}},
                {"c99 plain", {TARGET_C99, true, true, KB_F32, NULL}},
                {"avx512", {TARGET_AVX512, false, true, KB_F32, NULL}},
                {"avx2", {TARGET_AVX2, false, true, KB_F32, NULL}},
                {"neon", {TARGET_NEON, false, true, KB_F32, NULL}},
                {"c99 double", {TARGET_C99, false, true, KB_F64, NULL}},
                {"direct", {TARGET_AVX512, false, true, KB_F32, "direct"}},
                {"winograd2", {TARGET_AVX512, false, true, KB_F32, "winograd2"}},
                {"winograd4", {TARGET_AVX512, false, true, KB_F32, "winograd4"}},
                {"winograd4 avx2", {TARGET_AVX2, false, true, KB_F32, "winograd4"}},
                {"winograd4 double", {TARGET_C99, false, true, KB_F64, "winograd4"}}};
    int failed = 0;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) failed += !run_way(g, &ways[k].o, ways[k].how);
    return failed;
}

static void run_file(void **state) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    goldens cases = {0};
    bool read = golden_read(&a, *state, &cases, &d);
    if (!read) diags_print(&d, stderr, false);
    assert_true(read);
    assert_true(cases.count > 0);
    int failed = 0;
    for (int i = 0; i < cases.count; i++) failed += run_ways(&cases.at[i]);
    arena_free(&a);
    assert_int_equal(failed, 0);
}

int main(int argc, char **argv) {
    enum { MOST = 64 };
    static char paths[MOST][128];
    struct CMUnitTest tests[MOST];
    size_t count = 0;
    DIR *folder = opendir("tests/goldens/ops");
    for (struct dirent *e; folder && count < MOST && (e = readdir(folder));) {
        if (!strstr(e->d_name, ".txt") || (argc > 1 && !strstr(e->d_name, argv[1]))) continue;
        snprintf(paths[count], sizeof paths[count], "tests/goldens/ops/%.100s", e->d_name);
        tests[count] = (struct CMUnitTest){paths[count], run_file, NULL, NULL, paths[count]};
        count++;
    }
    if (folder) closedir(folder);
    if (!count) fprintf(stderr, "run me from the root of netc: tests/goldens/ops is not here\n");
    return count ? _cmocka_run_group_tests("ops against PyTorch", tests, count, NULL, NULL) : 1;
}
