/* Gradients. Every op that has one, or is made of ops that do, over many shapes: against central differences, both in
 * double. What the engine refuses; what meets; what is left alone. */
#include "ir/autodiff.h"
#include "tests/support/gradient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { SHAPES = 20, NUMBERS_MOST = 4000, TEXT_MOST = 4096 };

static const gradient_options exact = {.eps = 1e-6, .atol = 1e-5, .rtol = 1e-3, .elements = 5};

/* ---- shapes: the samples of an op with one number of their types changed ---- */

typedef struct variants {
    char text[SHAPES][TEXT_MOST];
    int count;
} variants;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Copies a graph text with the number `from` as `to` in types and, with `all`, in lists of attributes. */
static bool with_number(const char *s, long from, long to, bool all, char *out) {
    bool inside = false, changed = false;
    size_t at = 0;
    while (*s && at < TEXT_MOST - 24) {
        if (*s == '[') inside = all || is_digit(s[-1]);
        if (*s == ']' || *s == '{') inside = false;
        bool number = is_digit(*s) && inside && !is_digit(s[-1]) && s[-1] != '.' && s[-1] != '-';
        char *end = (char *)s + 1;
        long x = number ? strtol(s, &end, 10) : 0;
        if (number && x == from && *end != '.') {
            at += (size_t)snprintf(out + at, 24, "%ld", to);
            changed = true;
        } else {
            memcpy(out + at, s, (size_t)(end - s));
            at += (size_t)(end - s);
        }
        s = end;
    }
    out[at] = 0;
    return changed && !*s;
}

static graph *parse(arena *a, const char *s, diags *d) {
    source *x = NEW(a, source);
    *x = (source){"sample", s, strlen(s)};
    return graph_parse(a, x, d);
}

static int64_t numbers(const graph *g) {
    int64_t all = 0;
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; k < g->nodes.at[i]->outputs; k++) all += shape_count(&g->nodes.at[i]->out[k]->shape);
    for (int i = 0; i < g->params.count; i++) all += shape_count(&g->params.at[i]->shape);
    return all;
}

/* A net that is correct, small, uses the op, and is not there yet. */
static bool is_new(const variants *v, const op *o, const char *s) {
    trap t;
    arena a;
    for (int i = 0; i < v->count; i++)
        if (strcmp(v->text[i], s) == 0) return false;
    arena_init(&a, (size_t)64 << 20, &t);
    if (setjmp(t.jump)) {
        arena_free(&a);
        return false;
    }
    diags d = {.arena = &a};
    graph *g = parse(&a, s, &d);
    bool good = g && graph_check(g, &d) && numbers(g) <= NUMBERS_MOST, used = false;
    for (int i = 0; good && i < g->nodes.count; i++) used |= g->nodes.at[i]->op == o;
    arena_free(&a);
    return good && used;
}

static void add(variants *v, const op *o, const char *s) {
    if (v->count < SHAPES && strlen(s) < TEXT_MOST && is_new(v, o, s)) strcpy(v->text[v->count++], s);
}

static void vary(variants *v, const op *o) {
    static const long sizes[] = {2, 3, 5, 7, 9, 12, 16, 17, 6, 4, 18, 33, 1, 8, 10};
    static char changed[TEXT_MOST];
    for (const char *const *s = o->samples; s && *s; s++) add(v, o, *s);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (const char *const *s = o->samples; s && *s; s++)
            for (long from = 1; from <= 120 && v->count < SHAPES; from++)
                for (int all = 0; all < 2; all++)
                    if (with_number(*s, from, sizes[k], all, changed)) add(v, o, changed);
}

/* ---- the sweep ---- */

/* Indices below what an embedding or one_hot allows. */
static void fill_indices(arena *a, golden *g) {
    for (int i = 0; i < g->graph->inputs.count; i++) {
        const value *v = g->graph->inputs.at[i];
        golden_fill f = {.name = v->name, .below = v->as.input.bound ? v->as.input.bound : 5};
        if (v->type == DT_I32) VEC_PUSH(a, &g->fills, f);
    }
}

static bool check_text(const op *o, const char *s, int batch, const gradient_options *options) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) {
        fprintf(stderr, "# %s: %s\n%s", o->name, t.reason, s);
        arena_free(&a);
        return false;
    }
    diags d = {.arena = &a};
    golden g = {.name = o->name, .batch = batch, .graph = parse(&a, s, &d)};
    fill_indices(&a, &g);
    bool good = gradient_matches(&a, &g, options);
    if (!good) fputs(s, stderr);
    arena_free(&a);
    return good;
}

static bool trainable(const op *o) {
    return o->grad || o->expand;
}

/* Its gradient is zero wherever it has one. */
static bool is_constant(const op *o) {
    static const char *const names[] = {"lt", "le", "gt", "ge", "eq", "ne", "floor", "samples"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(o->name, names[i]) == 0) return true;
    return false;
}

static void sweep(void **state) {
    const char *only = *state;
    int failed = 0, checked = 0;
    static variants v;
    for (const op *const *o = ops; *o; o++) {
        if (!trainable(*o) || (only && strcmp((*o)->name, only) != 0)) continue;
        v.count = 0;
        vary(&v, *o);
        if (v.count < SHAPES) fprintf(stderr, "# %s has only %d shapes\n", (*o)->name, v.count), failed++;
        for (int i = 0; i < v.count; i++) {
            gradient_options options = exact;
            options.plain = i % 2;
            failed += !check_text(*o, v.text[i], 1 + (i + 1) % 3, &options);
        }
        checked++;
    }
    assert_true(checked >= (only ? 1 : 50));
    assert_int_equal(failed, 0);
}

/* ---- against PyTorch ---- */

static const char *const golden_files[] = {"conv2d",      "conv_transpose2d", "linear",     "matmul",
                                           "rbf",         "maxpool",          "avgpool",    "norms",
                                           "whole_pools", "losses",           "reductions", "moves",
                                           "upsample",    "elementwise",      "recurrent",  "batches"};

static bool check_golden(const golden *g, bool plain) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) {
        fprintf(stderr, "# %s: %s\n", g->name, t.reason);
        arena_free(&a);
        return false;
    }
    bool good = g->expected.count > 0 && gradient_expected(&a, g, plain);
    arena_free(&a);
    return good;
}

static void note_ops(const graph *g, bool *used) {
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; ops[k]; k++) used[k] |= g->nodes.at[i]->op == ops[k];
}

/* How many gradients of a file's cases differ. */
static int check_file(arena *a, const char *name, bool *used) {
    goldens all = {0};
    int failed = 0;
    diags d = {.arena = a};
    if (!golden_read(a, arena_printf(a, "tests/goldens/backward/%s.txt", name), &all, &d))
        fail_msg("%s", d.first->text);
    for (int k = 0; k < all.count; k++) {
        note_ops(all.at[k].graph, used);
        failed += !check_golden(&all.at[k], k % 2);
    }
    return failed;
}

static void gradients_are_those_of_pytorch(void **state) {
    (void)state;
    bool used[256] = {false};
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    for (size_t i = 0; i < sizeof golden_files / sizeof *golden_files; i++)
        assert_int_equal(check_file(&a, golden_files[i], used), 0);
    for (int k = 0; ops[k]; k++)
        if (trainable(ops[k]) && !is_constant(ops[k]) && !used[k]) fail_msg("no case for '%s'", ops[k]->name);
    arena_free(&a);
}

int main(int argc, char **argv) {
    struct CMUnitTest tests[] = {
        {"gradients of all ops against differences", sweep, NULL, NULL, argc > 1 ? argv[1] : NULL},
        cmocka_unit_test(gradients_are_those_of_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
