/* The interpreter: lanes, registers and memory by the element and by parts, entries, states and batches, and what
 * it refuses: accesses outside, races, bytes that nobody has written. */
#include "backends/interp/interp.h"
#include "tests/support/one_kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct bench {
    trap trap;
    arena arena;
    diags d;
} bench;

static void start(bench *t) {
    arena_init(&t->arena, 0, &t->trap);
    t->d = (diags){.arena = &t->arena};
}

/* Runs without an error and returns output 0. */
static void *run(bench *t, const one_kernel *k, const void *const *inputs) {
    void *out = one_kernel_run(&t->arena, k, inputs, true, &t->d);
    if (!out) diags_print(&t->d, stderr, false);
    assert_non_null(out);
    return out;
}

/* Fails, and says this. */
static void refuses(const one_kernel *k, const void *const *inputs, const char *why) {
    bench t;
    start(&t);
    assert_null(one_kernel_run(&t.arena, k, inputs, true, &t.d));
    if (!diags_have(&t.d, why)) fail_msg("'%s' does not say '%s'", t.d.first->text, why);
    arena_free(&t.arena);
}

/* ---- lanes and conversions ---- */

static void build_lanes(kb *b, const void *recipe) {
    (void)recipe;
    kinst *out = kb_param(b, 3), *whole_out = kb_param(b, 4), *zero = kb_int(b, 0);
    kinst *x = kb_load(b, k_vector(KB_F32, 16), kb_param(b, 2), zero);
    kinst *eight = kb_load(b, k_vector(KB_F32, 8), kb_param(b, 2), zero);
    kb_store(b, out, kb_int(b, 0), kb_hsum(b, x));
    kb_store(b, out, kb_int(b, 1), kb_hmax(b, x));
    kb_store(b, out, kb_int(b, 2), kb_hsum(b, eight));
    ktype v = k_vector(KB_F32, 4);
    kinst *tail = kb_tail(b, kb_add(b, kb_param(b, 1), kb_int(b, 1)), 4); /* n = 1: two lanes */
    kinst *part = kb_load_part(b, v, kb_param(b, 2), kb_int(b, 14), kb_add(b, kb_param(b, 1), kb_int(b, 1)));
    kb_store(b, out, kb_int(b, 4), kb_select(b, tail, part, kb_const(b, v, 9)));
    kb_store(b, out, kb_int(b, 8), part);
    kb_store_part(b, out, kb_int(b, 14), part, kb_param(b, 1)); /* the last element */
    kinst *whole = kb_cast(b, k_vector(KB_I32, 4), kb_load(b, v, kb_param(b, 2), zero));
    kb_store(b, whole_out, kb_int(b, 0), whole);
    kb_store(b, whole_out, kb_int(b, 4), kb_bits(b, k_vector(KB_I32, 4), kb_const(b, v, -1)));
    kb_store(b, out, kb_int(b, 3), kb_cast(b, k_scalar(KB_F32), kb_param(b, 1)));
    kinst *nothing = kb_sub(b, kb_param(b, 1), kb_int(b, 5)); /* −4: no lane */
    kb_store_part(b, out, kb_int(b, 1000), part, nothing);
    kb_store(b, out, kb_int(b, 12),
             kb_load_part(b, k_vector(KB_F32, 2), kb_param(b, 2), kb_int(b, -77), nothing));
}

static void lanes_are_right(void **state) {
    (void)state;
    bench t;
    start(&t);
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 16, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 15, 0},
                                   {"ints", {KB_PTR, 1, KB_I32, 1}, AREA_WORKSPACE, 8, 0}};
    one_kernel k = {
        .build = build_lanes, .args = args, .count = 3, .runs = {1, 0}, .max_batch = 1, .which = TARGET_C99};
    float x[16], h[16];
    for (int l = 0; l < 16; l++) h[l] = x[l] = ldexpf(1, l * 5 % 16 * 3) - (l == 3 ? 2.75f : 0);
    program *p = one_kernel_program(&t.arena, &k);
    run_args r = one_kernel_args(&t.arena, p, 1);
    const void *inputs[] = {x};
    r.inputs = inputs;
    interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
    assert_non_null(in);
    if (!interp_run(in, ENTRY_FORWARD, &r, &t.d)) diags_print(&t.d, stderr, false);
    assert_int_equal(t.d.errors, 0);
    const float *out = r.outputs[0];
    for (int half = 8; half; half /= 2)
        for (int l = 0; l < half; l++) h[l] += h[l + half];
    assert_true(out[0] == h[0]);
    assert_true(out[1] == 0x1p45f);
    assert_true(out[2] == ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7])));
    assert_true(out[3] == 1);
    assert_true(out[4] == x[14] && out[5] == x[15] && out[6] == 9 && out[7] == 9);
    assert_true(out[8] == x[14] && out[9] == x[15] && out[10] == 0 && out[11] == 0);
    assert_true(out[12] == 0 && out[13] == 0 && out[14] == x[14]);
    const int32_t *whole_out = r.workspace;
    for (int l = 0; l < 4; l++) assert_int_equal(whole_out[l], x[l] >= 0x1p31f ? INT32_MIN : (int32_t)x[l]);
    assert_int_equal(whole_out[4], (int32_t)0xbf800000);
    arena_free(&t.arena);
}

/* ---- registers and control ---- */

/* Values taken from registers before they change, swaps, and a bound that changes within its loop. */
static void build_registers(kb *b, const void *recipe) {
    (void)recipe;
    kinst *zero = kb_int(b, 0), *one = kb_int(b, 1), *out = kb_param(b, 3), *in = kb_param(b, 2);
    ktype t = kb_real(b);
    kinst *r = kb_reg(b, "r", t, 2, 1), *bound = kb_reg(b, "bound", k_scalar(KB_INT), 1, 1);
    kb_set(b, r, zero, zero, kb_load(b, t, in, zero));
    kb_set(b, r, one, zero, kb_load(b, t, in, one));
    kinst *x = kb_get(b, r, zero, zero), *y = kb_get(b, r, one, zero);
    kb_set(b, r, zero, zero, y);
    kb_set(b, r, one, zero, x);
    kb_store(b, out, kb_int(b, 0), kb_get(b, r, zero, zero));
    kb_store(b, out, kb_int(b, 1), kb_get(b, r, one, zero));
    kinst *old = kb_get(b, r, zero, zero);
    kinst *doubled = kb_add(b, old, old);
    kb_set(b, r, zero, zero, doubled);
    kb_store(b, out, kb_int(b, 2), old);
    kb_store(b, out, kb_int(b, 3), doubled);
    kb_set(b, bound, zero, zero, kb_int(b, 3));
    kinst *end = kb_get(b, bound, zero, zero);
    kinst *turn = kb_for(b, "turn", zero, end, 1, KLOOP_SERIAL);
    kb_set(b, bound, zero, zero, kb_addi(b, kb_get(b, bound, zero, zero), 100));
    kinst *before = kb_get(b, r, one, zero);
    kb_if(b, kb_arith(b, S_EQ, turn, one, NULL));
    kb_set(b, r, one, zero, kb_const(b, t, 0.5));
    kb_else(b);
    kb_set(b, r, one, zero, kb_mul(b, kb_get(b, r, one, zero), kb_const(b, t, 3)));
    kb_end(b);
    kb_store(b, out, kb_addi(b, kb_muli(b, turn, 2), 4), before);
    kb_store(b, out, kb_addi(b, kb_muli(b, turn, 2), 5), kb_get(b, r, one, zero));
    kb_end(b);
    kb_store(b, out, kb_int(b, 10), kb_cast(b, t, kb_get(b, bound, zero, zero)));
}

static void registers_hold(void **state) {
    (void)state;
    bench t;
    start(&t);
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 2, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 11, 0}};
    one_kernel k = {.build = build_registers, .args = args, .count = 2, .runs = {1, 0}, .max_batch = 1};
    static const float x[] = {2, 7}, want[] = {7, 2, 7, 14, 2, 6, 6, 0.5f, 0.5f, 1.5f, 303};
    const float *out = run(&t, &k, (const void *const[]){x});
    for (int l = 0; l < 11; l++)
        if (out[l] != want[l]) fail_msg("element %d is %g, not %g", l, (double)out[l], (double)want[l]);
    arena_free(&t.arena);
}

/* ---- what is refused ---- */

typedef struct access {
    int64_t read, write, per; /* element i·per + … */
} access;

static void build_access(kb *b, const void *recipe) {
    const access *r = recipe;
    kinst *at = kb_muli(b, kb_param(b, 0), r->per);
    kinst *x = kb_load(b, kb_real(b), kb_param(b, 2), kb_addi(b, at, r->read));
    kb_store(b, kb_param(b, 3), kb_addi(b, at, r->write), x);
}

static one_kernel access_kernel(const access *r, const one_arg *args) {
    return (one_kernel){.build = build_access,
                        .recipe = r,
                        .bytes = sizeof *r,
                        .args = args,
                        .count = 2,
                        .runs = {4, 0},
                        .max_batch = 1};
}

static void accesses_stay_inside(void **state) {
    (void)state;
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 4, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 4, 0}};
    access r = {0, 0, 1};
    one_kernel k = access_kernel(&r, args);
    static const float x[] = {1, 2, 3, 4};
    const void *inputs[] = {x};
    bench t;
    start(&t);
    assert_memory_equal(run(&t, &k, inputs), x, sizeof x);
    arena_free(&t.arena);
    r = (access){1, 0, 1};
    refuses(&k, inputs,
            "kernel one (no node), index 3 of n = 1: %5 in one touches elements 4 to 4 of x, which has 4");
    r = (access){0, -1, 1};
    refuses(&k, inputs, "in one touches elements -1 to -1 of out");
    r = (access){INT64_MAX, 0, INT64_MAX};
    refuses(&k, inputs, "touches elements");
}

static void races_are_seen(void **state) {
    (void)state;
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 4, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 4, 0}};
    static const float x[] = {1, 2, 3, 4};
    const void *inputs[] = {x};
    access r = {0, 2, 0};
    one_kernel k = access_kernel(&r, args);
    refuses(&k, inputs, "in one writes element 2 of out, which index 0 of the same call writes too");
    r = (access){0, 0, 1};
    k.runs.mul = 3;
    refuses(&k, inputs, "ends without element 3 of out, of 4, written");
}

/* A buffer in the workspace, read as it is written: t[i + write] = t[i + read] after a first call filled it. */
static void shifts(const access *r, const char *why) {
    static const one_arg args[] = {{"t", {KB_PTR, 1, KB_F32, 0}, AREA_WORKSPACE, 8, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 4, 0}};
    bench t;
    start(&t);
    one_kernel k = access_kernel(r, args);
    program *p = one_kernel_program(&t.arena, &k);
    call *c = &p->entries[ENTRY_FORWARD].steps.list.at[0].call;
    c->arg[1].buffer = p->buffers.at[0];
    interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
    run_args args_of_run = one_kernel_args(&t.arena, p, 1);
    assert_non_null(in);
    assert_false(interp_run(in, ENTRY_FORWARD, &args_of_run, &t.d));
    if (!diags_have(&t.d, why)) fail_msg("'%s' does not say '%s'", t.d.first->text, why);
    arena_free(&t.arena);
}

static void unwritten_bytes_are_seen(void **state) {
    (void)state;
    shifts(&(access){0, 4, 1}, "reads element 0 of t, which nobody has written");
}

/* fill: t[i] = x[i]; then shift: t[i + 1] = t[i], which races. */
static void build_fill(kb *b, const void *recipe) {
    const int64_t *shift = recipe;
    kinst *i = kb_param(b, 0), *t = kb_param(b, 2);
    kinst *x = shift[0] ? kb_load(b, kb_real(b), kb_param(b, 3), i) : kb_const(b, kb_real(b), 1);
    kb_store(b, t, kb_addi(b, i, shift[0]), x);
}

static void reads_of_what_others_write_are_seen(void **state) {
    (void)state;
    for (int64_t shift = -1; shift <= 1; shift += 2) {
        bench t;
        start(&t);
        static const one_arg args[] = {{"t", {KB_PTR, 1, KB_F32, 1}, AREA_WORKSPACE, 9, 0},
                                       {"t2", {KB_PTR, 1, KB_F32, 0}, AREA_WORKSPACE, 9, 0}};
        int64_t none = 0;
        one_kernel k = {.build = build_fill,
                        .recipe = &none,
                        .bytes = sizeof none,
                        .args = args,
                        .count = 2,
                        .runs = {9, 0},
                        .max_batch = 1};
        program *p = one_kernel_program(&t.arena, &k);
        kparam params[] = {{"t", args[0].type}, {"t2", args[1].type}};
        lower l = {.arena = &t.arena, .program = p, .steps = &p->entries[ENTRY_FORWARD].steps};
        kernel *second =
            lower_kernel(&l, "shift", build_fill, &shift, sizeof shift, params, 2, (kcount){8, 0}, 1);
        call_arg both[] = {{.kind = ARG_BUFFER, .buffer = p->buffers.at[0], .offset = shift < 0},
                           {.kind = ARG_BUFFER, .buffer = p->buffers.at[0], .offset = shift < 0}};
        lower_call(&l, second, both, 2, NULL);
        interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
        run_args r = one_kernel_args(&t.arena, p, 1);
        assert_non_null(in);
        assert_false(interp_run(in, ENTRY_FORWARD, &r, &t.d));
        const char *why = shift < 0 ? "writes element 1 of t, which another index of the same call reads"
                                    : "reads element 1 of t, which index 0 of the same call writes";
        if (!diags_have(&t.d, why)) fail_msg("'%s' does not say '%s'", t.d.first->text, why);
        arena_free(&t.arena);
    }
}

/* Two buffers in the same bytes: reading the first after the second was written. */
static void given_away_bytes_are_seen(void **state) {
    (void)state;
    bench t;
    start(&t);
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 4, 0},
                                   {"a", {KB_PTR, 1, KB_F32, 1}, AREA_WORKSPACE, 4, 0}};
    access copy = {0, 0, 1};
    one_kernel k = access_kernel(&copy, args);
    program *p = one_kernel_program(&t.arena, &k);
    buffer *b = program_buffer(p, "b", AREA_WORKSPACE, KB_F32, 4, 0),
           *out = program_buffer(p, "out", AREA_OUTPUT, KB_F32, 4, 0);
    b->offset = p->buffers.at[1]->offset;
    assert_int_equal(out->index, 0);
    one_kernel_call(p, ENTRY_FORWARD, 0, (const char *const[]){"x", "b"});
    one_kernel_call(p, ENTRY_FORWARD, 0, (const char *const[]){"a", "out"});
    interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
    run_args r = one_kernel_args(&t.arena, p, 1);
    assert_non_null(in);
    assert_false(interp_run(in, ENTRY_FORWARD, &r, &t.d));
    assert_true(diags_have(&t.d, "reads element 0 of a, whose bytes were last written as b"));
    arena_free(&t.arena);
}

static void build_divide(kb *b, const void *recipe) {
    (void)recipe;
    kinst *i = kb_param(b, 0), *x = kb_cast(b, k_scalar(KB_INT), kb_load(b, kb_real(b), kb_param(b, 2), i));
    kb_store(b, kb_param(b, 3), i, kb_cast(b, kb_real(b), kb_arith(b, S_DIV, kb_int(b, 12), x, NULL)));
}

static void division_by_zero_is_no_crash(void **state) {
    (void)state;
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_F32, 0}, AREA_INPUT, 4, 0},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 4, 0}};
    one_kernel k = {.build = build_divide, .args = args, .count = 2, .runs = {4, 0}, .max_batch = 1};
    static const float x[] = {1, 2, 0, -1}, y[] = {1, 2, 5, -1};
    refuses(&k, (const void *const[]){x}, "index 2 of n = 1: %5 in one divides an integer by zero");
    bench t;
    start(&t);
    const float *out = run(&t, &k, (const void *const[]){y});
    assert_true(out[0] == 12 && out[1] == 6 && out[2] == 2 && out[3] == -12);
    arena_free(&t.arena);
}

/* ---- entries ---- */

static void build_scale(kb *b, const void *recipe) {
    kinst *i = kb_param(b, 0), *x = kb_load(b, kb_real(b), kb_param(b, 2), i);
    kb_store(b, kb_param(b, 3), i, kb_mul(b, x, kb_const(b, kb_real(b), (double)*(const int64_t *)recipe)));
}

static void prepare_comes_first(void **state) {
    (void)state;
    bench t;
    start(&t);
    static const one_arg args[] = {{"p", {KB_PTR, 1, KB_F32, 0}, AREA_PARAMS, 4, 0},
                                   {"w", {KB_PTR, 1, KB_F32, 1}, AREA_PACKED, 4, 0}};
    int64_t factor = 3;
    one_kernel k = {.build = build_scale,
                    .recipe = &factor,
                    .bytes = sizeof factor,
                    .args = args,
                    .count = 2,
                    .runs = {4, 0},
                    .max_batch = 1,
                    .prepare = true};
    program *p = one_kernel_program(&t.arena, &k);
    program_buffer(p, "out", AREA_OUTPUT, KB_F32, 4, 0);
    p->buffers.at[1]->offset = PACKED_HEADER;
    p->packed_bytes = 2 * BUFFER_ALIGN;
    p->hash = 77;
    one_kernel_call(p, ENTRY_FORWARD, 0, (const char *const[]){"w", "out"});
    interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
    assert_non_null(in);
    run_args r = one_kernel_args(&t.arena, p, 1);
    memset(r.packed, 0, (size_t)p->packed_bytes);
    assert_false(interp_run(in, ENTRY_FORWARD, &r, &t.d));
    assert_true(diags_have(&t.d, "not prepared for it; run prepare first"));
    t.d = (diags){.arena = &t.arena};
    static const float params[] = {1, 2, 3, 4};
    r.params = params;
    assert_true(interp_run(in, ENTRY_PREPARE, &r, &t.d));
    for (int turn = 0; turn < 3; turn++) assert_true(interp_run(in, ENTRY_FORWARD, &r, &t.d));
    for (int l = 0; l < 4; l++) assert_true(((const float *)r.outputs[0])[l] == 9 * params[l]);
    packed_header h;
    memcpy(&h, r.packed, sizeof h);
    assert_memory_equal(h.magic, PACKED_MAGIC, 8);
    assert_int_equal(h.hash, 77);
    r.n = 2;
    assert_false(interp_run(in, ENTRY_FORWARD, &r, &t.d));
    assert_true(diags_have(&t.d, "number of samples is out of range"));
    assert_false(interp_run(in, ENTRY_FORWARD_U8, &r, &t.d));
    assert_true(diags_have(&t.d, "no such entry"));
    r.n = 1;
    r.outputs = NULL;
    assert_false(interp_run(in, ENTRY_FORWARD, &r, &t.d));
    assert_true(diags_have(&t.d, "an output has no memory"));
    arena_free(&t.arena);
}

/* next = 3·now; out is untouched but for the state. */
static void states_go_on(void **state) {
    (void)state;
    bench t;
    start(&t);
    static const one_arg args[] = {{"now", {KB_PTR, 1, KB_F32, 0}, AREA_WORKSPACE, 0, 2},
                                   {"next", {KB_PTR, 1, KB_F32, 1}, AREA_WORKSPACE, 0, 2}};
    int64_t factor = 3;
    one_kernel k = {.build = build_scale,
                    .recipe = &factor,
                    .bytes = sizeof factor,
                    .args = args,
                    .count = 2,
                    .runs = {2, 1},
                    .max_batch = 3};
    program *p = one_kernel_program(&t.arena, &k);
    state_slot s = {.name = "h", .now = p->buffers.at[0], .next = p->buffers.at[1], .per_sample = 2};
    VEC_PUSH(&t.arena, &p->states, s);
    interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
    assert_non_null(in);
    run_args r = one_kernel_args(&t.arena, p, 2);
    float h[4] = {1, 2, 3, 4};
    void *states[] = {h};
    assert_true(interp_run(in, ENTRY_FORWARD, &r, &t.d)); /* zeros, and nothing kept */
    r.states = states;
    for (int turn = 0; turn < 2; turn++) assert_true(interp_run(in, ENTRY_FORWARD, &r, &t.d));
    for (int l = 0; l < 4; l++) assert_true(h[l] == 9 * (float)(l + 1));
    arena_free(&t.arena);
}

static void build_pixels(kb *b, const void *recipe) {
    (void)recipe;
    kinst *i = kb_muli(b, kb_param(b, 0), 4);
    kinst *x = kb_load_part(b, k_vector(KB_U8, 4), kb_param(b, 2), i, kb_int(b, 3));
    kb_store(b, kb_param(b, 3), i, kb_cast(b, k_vector(KB_F32, 4), x));
}

static void pixels_are_bytes(void **state) {
    (void)state;
    bench t;
    start(&t);
    static const one_arg args[] = {{"x", {KB_PTR, 1, KB_U8, 0}, AREA_PIXELS, 0, 8},
                                   {"out", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, 0, 8}};
    one_kernel k = {.build = build_pixels, .args = args, .count = 2, .runs = {2, 1}, .max_batch = 1};
    program *p = one_kernel_program(&t.arena, &k);
    p->entries[ENTRY_FORWARD_U8] = p->entries[ENTRY_FORWARD];
    interp *in = interp_new(&t.arena, p, TARGET_C99, &(interp_options){.check = true}, &t.d);
    assert_non_null(in);
    run_args r = one_kernel_args(&t.arena, p, 1);
    static const unsigned char x[] = {0, 1, 255, 9, 128, 3, 4, 9};
    r.inputs = (const void *const[]){x};
    assert_true(interp_run(in, ENTRY_FORWARD_U8, &r, &t.d));
    for (int l = 0; l < 8; l++)
        assert_true(((const float *)r.outputs[0])[l] == (l % 4 == 3 ? 0 : (float)x[l]));
    assert_false(interp_run(in, ENTRY_FORWARD, &r, &t.d)); /* has no pixels */
    assert_true(diags_have(&t.d, "of x, which has 0"));
    arena_free(&t.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_are_right),           cmocka_unit_test(registers_hold),
        cmocka_unit_test(accesses_stay_inside),      cmocka_unit_test(races_are_seen),
        cmocka_unit_test(unwritten_bytes_are_seen),  cmocka_unit_test(reads_of_what_others_write_are_seen),
        cmocka_unit_test(given_away_bytes_are_seen), cmocka_unit_test(division_by_zero_is_no_crash),
        cmocka_unit_test(prepare_comes_first),       cmocka_unit_test(states_go_on),
        cmocka_unit_test(pixels_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
