/* The program checker: accesses at the edge are accepted, one further is refused and named; what moves together,
 * what is clamped and what loops over calls shift is followed. */
#include "ir/kernel/emit.h"
#include "ir/kernel/range.h"
#include "tests/support/one_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { IN = 2, OUT = 3 };
static const ktype real_in = {KB_PTR, 1, KB_F32, 0}, real_out = {KB_PTR, 1, KB_F32, 1},
                   ids_in = {KB_PTR, 1, KB_I32, 0};

typedef struct verdict {
    trap trap;
    arena arena;
    diags d;
    program *p;
} verdict;

static void judge(verdict *v, const one_kernel *k) {
    arena_init(&v->arena, 0, &v->trap);
    v->d = (diags){.arena = &v->arena};
    v->p = one_kernel_program(&v->arena, k);
}

/* `why` NULL: accepted. */
static void expect(verdict *v, const char *why) {
    bool good = program_check(v->p, &v->d);
    if (!why && !good) diags_print(&v->d, stderr, false);
    assert_int_equal(good, !why);
    if (why && !diags_have(&v->d, why)) fail_msg("'%s' does not say '%s'", v->d.first->text, why);
    arena_free(&v->arena);
}

static void check(const one_kernel *k, const char *why) {
    verdict v;
    judge(&v, k);
    expect(&v, why);
}

/* A kernel over an input and an output of so many elements (and so many a sample). */
static one_kernel over(kernel_build *build, const int64_t *recipe, int64_t in, int64_t out, int64_t per,
                       kcount runs) {
    static one_arg args[2];
    args[0] = (one_arg){"in", real_in, AREA_INPUT, per ? 0 : in, per ? in : 0};
    args[1] = (one_arg){"out", real_out, AREA_OUTPUT, per ? 0 : out, per ? out : 0};
    return (one_kernel){.build = build,
                        .recipe = recipe,
                        .bytes = 4 * sizeof *recipe,
                        .args = args,
                        .count = 2,
                        .runs = runs,
                        .max_batch = 3,
                        .which = TARGET_AVX2};
}

/* out[i·8 + shift ..8] = in[i·8 ..8] */
static void build_copy(kb *b, const void *recipe) {
    const int64_t *r = recipe;
    kinst *at = kb_muli(b, kb_param(b, 0), 8);
    kinst *x = kb_load(b, k_vector(KB_F32, 8), kb_param(b, IN), at);
    kb_store(b, kb_param(b, OUT), kb_addi(b, at, r[0]), x);
}

static void edges_are_exact(void **state) {
    (void)state;
    int64_t shift[4] = {0};
    one_kernel k = over(build_copy, shift, 80, 80, 0, (kcount){10, 0});
    check(&k, NULL);
    k = over(build_copy, shift, 80, 79, 0, (kcount){10, 0});
    check(&k, "index 9, %7 in one touches elements 72 to 79 of out, which has 79");
    k = over(build_copy, shift, 79, 80, 0, (kcount){10, 0});
    check(&k, "touches elements 72 to 79 of in, which has 79");
    k = over(build_copy, shift, 80, 80, 0, (kcount){11, 0});
    check(&k, "index 10");
    shift[0] = -1;
    k = over(build_copy, shift, 80, 80, 0, (kcount){10, 0});
    check(&k, "index 0, %8 in one touches elements -1 to 6 of out");
}

/* A buffer that grows with the batch: too small for 3 samples only. */
static void every_batch_is_followed(void **state) {
    (void)state;
    int64_t shift[4] = {0};
    one_kernel k = over(build_copy, shift, 16, 16, 1, (kcount){2, 1});
    check(&k, NULL);
    shift[0] = 8;
    check(&k, "n = 1, index 1");
    static const one_arg fixed[] = {{"in", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 32, 0},
                                    {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 80, 0}};
    shift[0] = 0;
    k.args = fixed;
    check(&k, "n = 3, index 4, %4 in one touches elements 32 to 39 of in");
}

/* Rows of an image with padding: the taps that are skipped move with the row, as in the design's example. */
static void build_padded(kb *b, const void *recipe) {
    const int64_t *r = recipe; /* height, width, channels of 8, whether taps are clipped at the lower edge */
    kinst *i = kb_param(b, 0), *y = kb_modi(b, i, r[0]), *s = kb_divi(b, i, r[0]), *zero = kb_int(b, 0);
    kinst *k0 = kb_select(b, kb_arith(b, S_EQ, y, zero, NULL), kb_int(b, 1), zero);
    kinst *last = kb_arith(b, S_EQ, y, kb_int(b, r[0] - 1), NULL);
    kinst *k1 = r[3] ? kb_select(b, last, kb_int(b, 2), kb_int(b, 3)) : kb_int(b, 3);
    kinst *x = kb_for(b, "x", zero, kb_int(b, r[1]), 1, KLOOP_SERIAL);
    kinst *c = kb_reg(b, "c", kb_vector(b), 1, 1);
    kb_set(b, c, zero, zero, kb_const(b, kb_vector(b), 0));
    kinst *k = kb_for(b, "k", k0, k1, 1, KLOOP_SERIAL);
    kinst *row =
        kb_add(b, kb_muli(b, s, r[0] * r[1] * 8), kb_muli(b, kb_addi(b, kb_add(b, y, k), -1), r[1] * 8));
    kinst *v = kb_load(b, kb_vector(b), kb_param(b, IN), kb_add(b, row, kb_muli(b, x, 8)));
    kb_set(b, c, zero, zero, kb_add(b, kb_get(b, c, zero, zero), v));
    kb_end(b);
    kb_store(b, kb_param(b, OUT), kb_muli(b, kb_add(b, kb_muli(b, i, r[1]), x), 8), kb_get(b, c, zero, zero));
    kb_end(b);
}

static void what_moves_together_is_told_apart(void **state) {
    (void)state;
    int64_t image[4] = {56, 20, 8, 1};
    one_kernel k = over(build_padded, image, 56 * 20 * 8, 56 * 20 * 8, 1, (kcount){56, 1});
    check(&k, NULL);
    image[3] =
        0; /* the last row reads one below the image: of the next sample, but after the last there is none */
    check(&k, "n = 1, index 55");
}

/* Columns of a window that depends on the column: clip to [0, width). */
static void build_window(kb *b, const void *recipe) {
    const int64_t *r = recipe; /* width, stride, kernel, padding */
    int64_t outs = (r[0] + 2 * r[3] - r[2]) / r[1] + 1;
    kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, outs), 1, KLOOP_SERIAL),
          *base = kb_addi(b, kb_muli(b, x, r[1]), -r[3]);
    kinst *first = kb_max(b, base, kb_int(b, 0)), *end = kb_min(b, kb_addi(b, base, r[2]), kb_int(b, r[0]));
    kinst *k = kb_for(b, "k", first, end, 1, KLOOP_SERIAL);
    kinst *v = kb_load(b, kb_real(b), kb_param(b, IN), kb_add(b, kb_muli(b, kb_param(b, 0), r[0]), k));
    kb_store(b, kb_param(b, OUT), kb_add(b, kb_muli(b, kb_param(b, 0), outs), x), v);
    kb_end(b);
    kb_end(b);
}

static void windows_are_clipped(void **state) {
    (void)state;
    int64_t window[4] = {1000, 3, 7, 3};
    one_kernel k = over(build_window, window, 1000 * 50, 334 * 50, 0, (kcount){50, 0});
    check(&k, NULL);
    k = over(build_window, window, 1000 * 50 - 1, 334 * 50, 0, (kcount){50, 0});
    check(&k, "index 49");
}

/* out[i·5 + ..] = in[..]: the last vector of each row of 21 is partial. */
static void build_partial(kb *b, const void *recipe) {
    const int64_t *r = recipe; /* row, what is added to the count */
    kinst *at = kb_muli(b, kb_param(b, 0), r[0]);
    kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, r[0]), 8, KLOOP_SERIAL);
    kinst *left = kb_sub(b, kb_int(b, r[0] + r[1]), x);
    kinst *v = kb_load_part(b, kb_vector(b), kb_param(b, IN), kb_add(b, at, x), left);
    kb_store_part(b, kb_param(b, OUT), kb_add(b, at, x), v, left);
    kb_end(b);
}

static void partial_vectors_count(void **state) {
    (void)state;
    int64_t row[4] = {21, 0};
    one_kernel k = over(build_partial, row, 21 * 4, 21 * 4, 0, (kcount){4, 0});
    check(&k, NULL);
    row[1] = 1;
    check(&k, "index 3, %");
}

/* An index that is itself loaded. */
static void build_lookup(kb *b, const void *recipe) {
    const int64_t *r = recipe; /* clamp from, to */
    kinst *id = kb_cast(b, k_scalar(KB_INT), kb_load(b, k_scalar(KB_I32), kb_param(b, IN), kb_param(b, 0)));
    id = kb_min(b, kb_max(b, id, kb_int(b, r[0])), kb_int(b, r[1]));
    kinst *v = kb_load(b, kb_real(b), kb_param(b, 4), id);
    kb_store(b, kb_param(b, OUT), kb_param(b, 0), v);
}

static void loaded_indices_must_be_clamped(void **state) {
    (void)state;
    static const one_arg args[] = {{"ids", {KB_PTR, 1, KB_I32, 0}, AREA_INPUT, 9, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 9, 0},
                                   {"table", {KB_PTR, 1, KB_F32, 0}, AREA_PACKED, 100, 0}};
    assert_int_equal(ids_in.elem, args[0].type.elem);
    int64_t clamp[4] = {0, 99};
    one_kernel k = {.build = build_lookup,
                    .recipe = clamp,
                    .bytes = sizeof clamp,
                    .args = args,
                    .count = 3,
                    .runs = {9, 0},
                    .max_batch = 1,
                    .which = TARGET_AVX512};
    check(&k, NULL);
    clamp[1] = 100;
    check(&k, "of table, which has 100");
    clamp[0] = INT64_MIN;
    clamp[1] = 99;
    check(&k, "of table, which has 100");
}

/* A micro through pointers further in, a local array, scratch. */
static void build_copy_row(kb *b, const void *recipe) {
    (void)recipe;
    kinst *x = kb_for(b, "x", kb_int(b, 0), kb_param(b, 2), 1, KLOOP_SERIAL);
    kb_store(b, kb_param(b, 1), x, kb_load(b, kb_real(b), kb_param(b, 0), x));
    kb_end(b);
}

static void build_through(kb *b, const void *recipe) {
    static const kparam params[] = {
        {"from", {KB_PTR, 1, KB_F32, 0}}, {"to", {KB_PTR, 1, KB_F32, 1}}, {"count", {KB_INT, 1, 0, 0}}};
    const int64_t *r = recipe; /* elements by way of the local array, the scratch, the output */
    kinst *i = kb_param(b, 0), *local = kb_local(b, "v", KB_F32, 12), *scratch = kb_param(b, 4);
    kinst *from = kb_offset(b, kb_param(b, IN), kb_muli(b, i, 12)),
          *to = kb_offset(b, kb_param(b, OUT), kb_muli(b, i, 12));
    kfunc *copy = kb_micro(b, "copy_row", build_copy_row, "", 0, params, 3);
    kb_call(b, copy, (kinst *[]){from, local, kb_int(b, r[0])}, 3);
    kb_call(b, copy, (kinst *[]){local, kb_offset(b, scratch, kb_int(b, 4)), kb_int(b, r[1])}, 3);
    kb_call(b, copy, (kinst *[]){kb_offset(b, scratch, kb_int(b, 4)), to, kb_int(b, r[2])}, 3);
}

static void micros_are_followed(void **state) {
    (void)state;
    static const one_arg args[] = {{"in", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 60, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 60, 0},
                                   {"scratch", {KB_PTR, 1, KB_F32, 1}, AREA_CONST, 0, 0}};
    int64_t counts[4] = {12, 12, 12};
    one_kernel k = {.build = build_through,
                    .recipe = counts,
                    .bytes = sizeof counts,
                    .args = args,
                    .count = 3,
                    .runs = {5, 0},
                    .max_batch = 1,
                    .which = TARGET_NEON,
                    .scratch = 128};
    check(&k, NULL);
    counts[0] = 13;
    check(&k, "of v, which has 12");
    counts[0] = 12;
    counts[1] = 13;
    check(&k, "in copy_row touches elements");
    k.scratch = 0;
    counts[1] = 12;
    check(&k, "of scratch, which has 0");
    k.scratch = 128;
    counts[2] = 13;
    check(&k, "index 4");
}

/* A loop over calls shifts the arguments: its first and last turns are looked at. */
static void loops_over_calls_shift(void **state) {
    (void)state;
    for (int64_t turns = 4; turns <= 5; turns++) {
        int64_t shift[4] = {0};
        one_kernel k = over(build_copy, shift, 64, 64, 0, (kcount){2, 0});
        verdict v;
        judge(&v, &k);
        steps *body = NEW(&v.arena, steps), *outer = &v.p->entries[ENTRY_FORWARD].steps;
        step loop = {.is_loop = true, .count = turns, .body = body}, turn = outer->list.at[0];
        turn.call.arg[0].stride[0] = turn.call.arg[1].stride[0] = 16;
        VEC_PUSH(&v.arena, &body->list, turn);
        outer->list.count = 0;
        VEC_PUSH(&v.arena, &outer->list, loop);
        expect(&v, turns == 4 ? NULL : "touches elements 64 to 71 of in, which has 64");
    }
}

static void programs_must_fit_together(void **state) {
    (void)state;
    int64_t shift[4] = {0};
    one_kernel k = over(build_copy, shift, 80, 80, 0, (kcount){10, 0});
    verdict v;
    judge(&v, &k);
    v.p->entries[ENTRY_FORWARD].steps.list.at[0].call.arg[1].buffer = v.p->buffers.at[0];
    expect(&v, "writes in, which may only be read");
    judge(&v, &k);
    v.p->buffers.at[1]->elem = KB_F64;
    expect(&v, "argument out has another type");
    judge(&v, &k);
    v.p->entries[ENTRY_FORWARD].steps.list.at[0].call.args = 1;
    expect(&v, "another number of arguments");
    judge(&v, &k);
    program_buffer(v.p, "t", AREA_WORKSPACE, KB_F32, 16, 0);
    expect(&v, "buffer t at bytes 0 to 64 is not inside its area");
    judge(&v, &k);
    program_buffer(v.p, "w", AREA_PACKED, KB_F32, 4, 0);
    v.p->packed_bytes = 128;
    expect(&v, "buffer w at bytes 0 to 16 is not inside");
    judge(&v, &k);
    program_buffer(v.p, "w", AREA_PACKED, KB_F32, 4, 0)->offset = 72;
    v.p->packed_bytes = 128;
    expect(&v, "not aligned");
    judge(&v, &k);
    v.p->scratch_bytes = 128;
    v.p->workspace_bytes = 64;
    expect(&v, "scratch does not fit");
}

static void functions_may_not_recurse(void **state) {
    (void)state;
    int64_t shift[4] = {0};
    one_kernel k = over(build_copy, shift, 80, 80, 0, (kcount){10, 0});
    verdict v;
    judge(&v, &k);
    kb b = {.arena = &v.arena, .program = v.p, .target = &targets[TARGET_AVX2], .real = KB_F32, .lanes = 8};
    kfunc *f[2];
    for (int m = 0; m < 2; m++) {
        f[m] = NEW(&v.arena, kfunc);
        *f[m] = (kfunc){.name = m ? "odd" : "even", .micro = true, .target = b.target};
        VEC_PUSH(&v.arena, &v.p->micros[TARGET_AVX2], f[m]);
    }
    for (int m = 0; m < 2; m++) {
        b.f = f[m];
        b.at[0] = &f[m]->body;
        kb_call(&b, f[!m], NULL, 0);
    }
    expect(&v, "calls itself or nests calls too deeply");
    judge(&v, &k);
    kfunc *same = arena_copy(&v.arena, v.p->kernels.at[0]->body[TARGET_AVX2], sizeof *same);
    same->micro = true;
    VEC_PUSH(&v.arena, &v.p->micros[TARGET_AVX2], same);
    expect(&v, "two functions for avx2 are called one");
}

/* What range arithmetic claims holds for every value, and is not wider than it must be where it is linear. */
static void ranges_enclose(void **state) {
    (void)state;
    static const scalar_op operations[] = {S_ADD, S_SUB, S_MUL, S_DIV, S_MOD, S_MIN, S_MAX, S_LT,
                                           S_LE,  S_GT,  S_GE,  S_EQ,  S_NE,  S_AND, S_SHL, S_SHR};
    static const int64_t ends[][2] = {{-7, 9}, {0, 5}, {3, 3}, {1, 12}, {-9, -2}, {4, 4}};
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    for (size_t o = 0; o < sizeof operations / sizeof *operations; o++)
        for (size_t p = 0; p < 6; p++)
            for (size_t q = 0; q < 6; q++) {
                range_space s = {.arena = &a};
                range x = range_new(&s, ends[p][0], ends[p][1]), y = range_new(&s, ends[q][0], ends[q][1]);
                range twice = range_add(&s, &x, &x),
                      r = range_arith(&s, operations[o], KB_INT, &twice, &y, NULL);
                for (int64_t i = ends[p][0]; i <= ends[p][1]; i++)
                    for (int64_t j = ends[q][0]; j <= ends[q][1]; j++) {
                        bool undefined =
                            (j == 0 && (operations[o] == S_DIV || operations[o] == S_MOD)) ||
                            ((j < 0 || i < 0) && (operations[o] == S_SHL || operations[o] == S_SHR));
                        if (undefined) continue;
                        int64_t z = (int64_t)scalar_eval(operations[o], (double)(2 * i), (double)j, 0);
                        if (operations[o] == S_DIV) z = 2 * i / j;
                        if (z < r.lo || z > r.hi)
                            fail_msg("%s(%d, %d) is not in %d..%d", scalars[operations[o]].name, (int)(2 * i),
                                     (int)j, (int)r.lo, (int)r.hi);
                    }
            }
    range_space s = {.arena = &a};
    range x = range_new(&s, 0, 111), q = range_const(56), d = range_arith(&s, S_MOD, KB_INT, &x, &q, NULL);
    range cancel = range_arith(&s, S_SUB, KB_INT, &x, &x, NULL);
    assert_int_equal(cancel.lo, 0);
    assert_int_equal(cancel.hi, 0);
    assert_int_equal(d.lo, 0);
    assert_int_equal(d.hi, 55);
    range row = range_scale(&s, &x, 56), y = range_new(&s, 0, 55), i = range_add(&s, &row, &y);
    range back = range_arith(&s, S_DIV, KB_INT, &i, &q, NULL),
          rest = range_arith(&s, S_MOD, KB_INT, &i, &q, NULL);
    range none = range_arith(&s, S_SUB, KB_INT, &back, &x, NULL),
          nothing = range_arith(&s, S_SUB, KB_INT, &rest, &y, NULL);
    assert_true(range_is_const(&none) && none.lo == 0 && range_is_const(&nothing) && nothing.lo == 0);
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_are_exact),
        cmocka_unit_test(every_batch_is_followed),
        cmocka_unit_test(what_moves_together_is_told_apart),
        cmocka_unit_test(windows_are_clipped),
        cmocka_unit_test(partial_vectors_count),
        cmocka_unit_test(loaded_indices_must_be_clamped),
        cmocka_unit_test(micros_are_followed),
        cmocka_unit_test(loops_over_calls_shift),
        cmocka_unit_test(programs_must_fit_together),
        cmocka_unit_test(functions_may_not_recurse),
        cmocka_unit_test(ranges_enclose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
