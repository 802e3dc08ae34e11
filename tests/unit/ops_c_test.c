/* Every op against PyTorch's numbers (tests/goldens/ops/) through the C backend: compiled for each target
 * that this machine runs, and held against the interpreter too. Run from the repository's root. */
#include "tests/support/execute_c.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define FOLDER "tests/goldens/ops"

/* Sums of a few hundred products in float differ from PyTorch's by their order; from the interpreter's by the
 * fused multiply-adds that plain C has not, and by polynomials for exp and its kin in place of libm's. */
static const double TOLERANCE = 2e-5, BETWEEN = 1e-5;

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
    goldens cases;
    c_batch ways[8];
    int count;
} fixture;

/* The cases of one file. */
typedef struct part {
    char path[128];
    int begin, end;
    const fixture *fixture;
} part;

static void add_ways(fixture *f) {
    static const c_batch all[] = {
        {.how = "avx512", .options = {.target = TARGET_AVX512, .real = KB_F32}},
        {.how = "avx2", .options = {.target = TARGET_AVX2, .real = KB_F32}},
        {.how = "neon", .options = {.target = TARGET_NEON, .real = KB_F32}},
        {.how = "c99", .options = {.target = TARGET_C99, .real = KB_F32}},
        {.how = "c99-plain", .options = {.target = TARGET_C99, .plain = true, .real = KB_F32}},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        if (execute_c_can_run(all[k].options.target))
            f->ways[f->count++] = all[k];
        else
            print_message("# %s is not run: this machine has not the instructions\n", all[k].how);
    }
}

/* ---- one case ---- */

/* The interpreter's output as numbers to be met. */
static golden_tensor as_expected(arena *a, const golden *g, int i, const float *numbers) {
    golden_tensor t = *golden_expected(g, g->graph->outputs.at[i].name);
    t.at = NEW_ARRAY(a, double, t.count);
    for (int64_t k = 0; k < t.count; k++) t.at[k] = numbers[k];
    return t;
}

static bool agree(arena *a, const golden *g, float *const *c, float *const *interp, const char *how) {
    bool good = true;
    for (int i = 0; i < g->graph->outputs.count; i++) {
        golden_tensor want = as_expected(a, g, i, interp[i]);
        double distance = golden_distance(&want, c[i]);
        if (distance <= BETWEEN) continue;
        fprintf(stderr, "# %s, %s: output %s is %.3g of the largest from the interpreter's (allowed %.1g)\n",
                g->name, how, want.name, distance, BETWEEN);
        good = false;
    }
    return good;
}

static bool run_case(arena *a, const c_batch *way, int i) {
    const c_case *c = &way->cases.at[i];
    diags d = {.arena = a};
    float **compiled = execute_c_run(a, c);
    float **interpreted = execute_interp(a, c->golden, &way->options, &d);
    diags_print(&d, stderr, false);
    if (!compiled || !interpreted) return fprintf(stderr, "# ... with %s\n", way->how), false;
    bool right = execute_matches(c->golden, compiled, TOLERANCE, way->how);
    return agree(a, c->golden, compiled, interpreted, way->how) && right;
}

/* In an arena of its own. */
static bool run_apart(const c_batch *way, int i) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) {
        fprintf(stderr, "# %s, %s: %s\n", way->cases.at[i].golden->name, way->how, t.reason);
        return arena_free(&a), false;
    }
    bool good = run_case(&a, way, i);
    return arena_free(&a), good;
}

static void run_part(void **state) {
    const part *p = *state;
    int failed = 0;
    assert_true(p->end > p->begin);
    for (int k = 0; k < p->fixture->count; k++)
        for (int i = p->begin; i < p->end; i++) failed += !run_apart(&p->fixture->ways[k], i);
    assert_int_equal(failed, 0);
}

/* ---- all files ---- */

enum { MOST = 64 };

/* Reads the files whose names hold `which`; returns how many, 0 where one is malformed. */
static int read_parts(fixture *f, part *parts, const char *which) {
    int count = 0;
    DIR *folder = opendir(FOLDER);
    for (struct dirent *e; folder && count < MOST && (e = readdir(folder));) {
        if (!strstr(e->d_name, ".txt") || !strstr(e->d_name, which)) continue;
        part *p = &parts[count++];
        *p = (part){.begin = f->cases.count, .fixture = f};
        snprintf(p->path, sizeof p->path, FOLDER "/%.90s", e->d_name);
        if (!golden_read(&f->arena, p->path, &f->cases, &f->diags)) count = 0;
        p->end = f->cases.count;
        if (!count) break;
    }
    if (folder) closedir(folder);
    if (!count) fprintf(stderr, "# " FOLDER " cannot be read: run me from the root of netc\n");
    return count;
}

static int run_all(fixture *f, const char *which) {
    part parts[MOST];
    struct CMUnitTest tests[MOST];
    int count = read_parts(f, parts, which);
    for (int k = 0; k < count; k++) {
        const struct CMUnitTest test = {parts[k].path, run_part, NULL, NULL, &parts[k]};
        memcpy(&tests[k], &test, sizeof test);
    }
    bool good = count && execute_c_compile(&f->arena, f->ways, f->count, &f->cases, &f->diags);
    diags_print(&f->diags, stderr, false);
    return good ? _cmocka_run_group_tests("ops through C against PyTorch", tests, (size_t)count, NULL, NULL)
                : 1;
}

int main(int argc, char **argv) {
    fixture f = {0};
    arena_init(&f.arena, 0, &f.trap);
    f.diags.arena = &f.arena;
    if (setjmp(f.trap.jump)) return fprintf(stderr, "# %s\n", f.trap.reason), 1;
    add_ways(&f);
    int failed = run_all(&f, argc > 1 ? argv[1] : "");
    arena_free(&f.arena);
    return failed;
}
