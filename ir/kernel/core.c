/* Builds the core's micro and its calls. */
#include "ir/kernel/core.h"

#include <stdio.h>

enum { MAX_PARAMS = 32 };

tiling tile_row(int64_t width, int64_t most) {
    int64_t tiles = ceil_div(width, most), size = ceil_div(width, tiles);
    int64_t rest = tiles * size - width;
    return (tiling){size, tiles - rest, rest};
}

/* The micro's parameters, in the order of core_call's members. */
typedef struct params {
    kparam at[MAX_PARAMS];
    kinst *given[MAX_PARAMS];
    int count;
} params;

static int add(params *p, const char *name, ktype type, kinst *given) {
    p->at[p->count] = (kparam){name, type};
    p->given[p->count] = given;
    return p->count++;
}

/* Positions of the parameters that come after the fixed ones; −1 where absent. */
typedef struct slots {
    int inner, run, out_run, operand_run[MAX_OPERANDS], step, tap, ahead, next_a, partial, partial_block,
        bias, operand[MAX_OPERANDS], operand_block[MAX_OPERANDS], out, out_block, valid;
} slots;

enum { P_A, P_N1, P_S1, P_N2, P_S2, P_N3, P_S3, P_B, P_B_BLOCK, P_B_RUN };

static slots list_params(params *p, const core_shape *s, const core_call *c, kbase real) {
    static const char *const counts[] = {"n1", "n2", "n3"}, *const strides[] = {"s1", "s2", "s3"};
    static const char *const operands[] = {"e0", "e1", "e2", "e3"};
    static const char *const blocks[] = {"e0_block", "e1_block", "e2_block", "e3_block"};
    static const char *const runs[] = {"e0_run", "e1_run", "e2_run", "e3_run"};
    slots at = {.inner = -1, .run = -1, .out_run = -1, .step = -1, .tap = -1, .bias = -1, .valid = -1};
    ktype integer = k_scalar(KB_INT), input = k_ptr(real);
    add(p, "a", input, c->a);
    for (int k = 0; k < 3; k++) {
        add(p, counts[k], integer, c->count[k]);
        add(p, strides[k], integer, c->stride[k]);
    }
    add(p, "b", input, c->b);
    add(p, "b_block", integer, c->b_block);
    add(p, "b_run", integer, c->b_run);
    if (s->run) at.run = add(p, "a_run", integer, c->a_run);
    if (s->out_runs) at.out_run = add(p, "out_run", integer, c->out_run);
    if (s->b_step) at.step = add(p, "b_step", integer, c->b_step);
    if (s->ahead) at.ahead = add(p, "ahead", integer, c->ahead);
    if (s->next_pixels) at.next_a = add(p, "next_a", integer, c->next_a);
    if (s->part) at.tap = add(p, "b_tap", integer, c->b_tap);
    if (s->resume == RESUME_PARTIAL) {
        at.partial = add(p, "partial", input, c->partial);
        at.partial_block = add(p, "partial_block", integer, c->partial_block);
    }
    if (!s->steps) at.inner = add(p, "inner", integer, c->inner);
    if (s->bias) at.bias = add(p, "bias", input, c->bias);
    for (int k = 0; k < s->operands; k++) {
        at.operand[k] = add(p, operands[k], input, c->operand[k]);
        if (s->operand_kind[k] == OPERAND_FULL)
            at.operand_block[k] = add(p, blocks[k], integer, c->operand_block[k]);
        if (s->operand_kind[k] == OPERAND_FULL && s->out_runs)
            at.operand_run[k] = add(p, runs[k], integer, c->operand_run[k]);
    }
    at.out = add(p, "out", k_out(real), c->out);
    at.out_block = add(p, "out_block", integer, c->out_block);
    if (s->tail != TAIL_NONE) at.valid = add(p, "valid", integer, c->valid);
    return at;
}

/* Vectors of a tile's row: blocks × (16 / lanes). */
static int tile_vectors(const kb *b, const core_shape *s) {
    return (int)s->blocks * (BLOCK / b->lanes);
}

/* Element offset of vector v (a number under unrolling) in blocks `distance` apart. */
static kinst *vector_at(kb *b, kinst *v, kinst *distance) {
    int per = BLOCK / b->lanes;
    return kb_add(b, kb_mul(b, kb_divi(b, v, per), distance), kb_muli(b, kb_modi(b, v, per), b->lanes));
}

/* Sums as an earlier call left them. */
static void resume(kb *b, const core_shape *s, const slots *at, kinst *c) {
    kinst *zero = kb_int(b, 0);
    kinst *v = kb_for(b, "v", zero, kb_int(b, tile_vectors(b, s)), 1, KLOOP_UNROLL);
    kinst *p = kb_for(b, "p", zero, kb_int(b, s->pixels), 1, KLOOP_UNROLL);
    bool out = s->resume == RESUME_OUT;
    kinst *from = kb_param(b, out ? at->out : at->partial),
          *block = kb_param(b, out ? at->out_block : at->partial_block);
    kinst *index = kb_add(b, vector_at(b, v, block), kb_muli(b, p, out ? s->out_pixel : BLOCK));
    kinst *x;
    if (out && s->tail >= TAIL_PART)
        x = kb_load_part(b, kb_vector(b), from, index,
                         kb_sub(b, kb_param(b, at->valid), kb_muli(b, v, b->lanes)));
    else
        x = kb_load(b, kb_vector(b), from, index);
    kb_set(b, c, p, v, x);
    kb_end(b);
    kb_end(b);
}

static void start(kb *b, const core_shape *s, const slots *at, kinst *c) {
    kinst *v = kb_for(b, "v", kb_int(b, 0), kb_int(b, tile_vectors(b, s)), 1, KLOOP_UNROLL);
    kinst *x = s->bias ? kb_load(b, kb_vector(b), kb_param(b, at->bias), kb_muli(b, v, b->lanes))
                       : kb_const(b, kb_vector(b), 0);
    kinst *p = kb_for(b, "p", kb_int(b, 0), kb_int(b, s->pixels), 1, KLOOP_UNROLL);
    kb_set(b, c, p, v, x);
    kb_end(b);
    kb_end(b);
}

/* Where pixel p (a number under unrolling) lies behind the first, in runs of `run` (0: one). */
static kinst *pixel_at(kb *b, kinst *p, int64_t pixel, int64_t run, int apart) {
    if (!run) return kb_muli(b, p, pixel);
    kinst *in_run = kb_muli(b, kb_modi(b, p, run), pixel);
    return kb_add(b, in_run, kb_mul(b, kb_divi(b, p, run), kb_param(b, apart)));
}

static void multiply(kb *b, const core_shape *s, const slots *slot, kinst *c, kinst *w, kinst *a,
                     kinst *weights, kinst *k) {
    kinst *zero = kb_int(b, 0);
    kinst *v = kb_for(b, "v", zero, kb_int(b, tile_vectors(b, s)), 1, KLOOP_UNROLL);
    kinst *step_ = s->b_step ? kb_param(b, slot->step) : kb_int(b, BLOCK);
    kinst *at = kb_add(b, kb_mul(b, k, step_), vector_at(b, v, kb_param(b, P_B_BLOCK)));
    if (s->tail == TAIL_ROWS) {
        kinst *valid = kb_sub(b, kb_param(b, slot->valid), kb_muli(b, v, b->lanes));
        kb_set(b, w, v, zero, kb_load_part(b, kb_vector(b), weights, at, valid));
    } else {
        kb_set(b, w, v, zero, kb_load(b, kb_vector(b), weights, at));
    }
    kb_end(b);
    kinst *p = kb_for(b, "p", zero, kb_int(b, s->pixels), 1, KLOOP_UNROLL);
    kinst *index = kb_add(b, kb_muli(b, k, s->a_step), pixel_at(b, p, s->a_pixel, s->run, slot->run));
    kinst *x = kb_splat(b, kb_load(b, kb_real(b), a, index), b->lanes);
    v = kb_for(b, "v", zero, kb_int(b, tile_vectors(b, s)), 1, KLOOP_UNROLL);
    kb_set(b, c, p, v, kb_fma(b, x, kb_get(b, w, v, zero), kb_get(b, c, p, v)));
    kb_end(b);
    kb_end(b);
}

/* Weights of one innermost run that a later call will use. */
static void fetch_ahead(kb *b, const core_shape *s, const slots *at, kinst *weights) {
    for (int64_t block = 0; block < s->blocks; block++)
        for (int64_t line = 0; line < s->ahead; line++) {
            kinst *index = kb_add(b, kb_param(b, at->ahead), kb_muli(b, kb_param(b, P_B_BLOCK), block));
            kb_prefetch(b, weights, kb_addi(b, index, line * BLOCK));
        }
}

static void reduce(kb *b, const core_shape *s, const slots *at, kinst *c) {
    kinst *zero = kb_int(b, 0);
    kinst *w = kb_reg(b, "w", kb_vector(b), tile_vectors(b, s), 1);
    kinst *i1 = kb_for(b, "i1", zero, kb_param(b, P_N1), 1, KLOOP_SERIAL);
    kinst *i2 = kb_for(b, "i2", zero, kb_param(b, P_N2), 1, KLOOP_SERIAL);
    kinst *i3 = kb_for(b, "i3", zero, kb_param(b, P_N3), 1, KLOOP_SERIAL);
    kinst *run = s->part ? i2 : kb_add(b, kb_mul(b, i1, kb_param(b, P_N2)), i2);
    run = kb_mul(b, kb_add(b, kb_mul(b, run, kb_param(b, P_N3)), i3), kb_param(b, P_B_RUN));
    if (s->part) run = kb_add(b, run, kb_mul(b, i1, kb_param(b, at->tap)));
    kinst *weights = kb_offset(b, kb_param(b, P_B), run);
    kinst *shift = kb_add(b, kb_mul(b, i1, kb_param(b, P_S1)), kb_mul(b, i2, kb_param(b, P_S2)));
    shift = kb_add(b, shift, kb_mul(b, i3, kb_param(b, P_S3)));
    kinst *a = kb_offset(b, kb_param(b, P_A), shift);
    if (s->ahead) fetch_ahead(b, s, at, weights);
    for (int64_t p = 0; p < s->pixels && s->next_pixels; p++)
        kb_prefetch(b, a, kb_addi(b, kb_param(b, at->next_a), p * s->a_pixel));
    kinst *end = s->steps ? kb_int(b, s->steps) : kb_param(b, at->inner);
    kinst *k = kb_for(b, "k", zero, end, 1, s->steps ? KLOOP_UNROLL : KLOOP_SERIAL);
    multiply(b, s, at, c, w, a, weights, k);
    for (int loops = 0; loops < 4; loops++) kb_end(b);
}

static kinst *operand_vector(kb *b, const core_shape *s, const slots *at, int k, kinst *p, kinst *v,
                             kinst *count) {
    kinst *ptr = kb_param(b, at->operand[k]);
    ktype t = kb_vector(b);
    kinst *index = kb_muli(b, v, b->lanes);
    if (s->operand_kind[k] == OPERAND_SCALAR)
        return kb_splat(b, kb_load(b, kb_real(b), ptr, kb_int(b, 0)), b->lanes);
    if (s->operand_kind[k] == OPERAND_FULL)
        index = kb_add(b, vector_at(b, v, kb_param(b, at->operand_block[k])),
                       pixel_at(b, p, s->operand_pixel[k], s->out_runs ? s->run : 0, at->operand_run[k]));
    return count ? kb_load_part(b, t, ptr, index, count) : kb_load(b, t, ptr, index);
}

/* Stores vector v of pixel p, whose sum is given. */
static void finish_vector(kb *b, const core_shape *s, const slots *at, kinst *sum, kinst *p, kinst *v) {
    kinst *valid = s->tail ? kb_sub(b, kb_param(b, at->valid), kb_muli(b, v, b->lanes)) : NULL;
    kinst *part = s->tail >= TAIL_PART ? valid : NULL;
    kinst *input[1 + MAX_OPERANDS] = {sum};
    for (int k = 0; k < s->operands; k++) input[1 + k] = operand_vector(b, s, at, k, p, v, part);
    kinst *y = s->e ? kb_expr(b, s->e, input) : input[0];
    kinst *pixel = pixel_at(b, p, s->out_pixel, s->out_runs ? s->run : 0, at->out_run);
    kinst *index = kb_add(b, vector_at(b, v, kb_param(b, at->out_block)), pixel);
    if (s->tail == TAIL_MASK) y = kb_select(b, kb_tail(b, valid, b->lanes), y, kb_const(b, kb_vector(b), 0));
    if (part)
        kb_store_part(b, kb_param(b, at->out), index, y, part);
    else
        kb_store(b, kb_param(b, at->out), index, y);
}

/* Whether the epilogue takes dozens of instructions (what legalisation makes polynomials of): unrolled over a tile it
 * would be most of the code, and of the time to compile it. */
static bool is_long(const core_shape *s) {
    static const bool polynomial[S_COUNT] = {
        [S_EXP] = true, [S_LOG] = true,     [S_TANH] = true, [S_ERF] = true,
        [S_SIN] = true, [S_SIGMOID] = true, [S_COS] = true,  [S_POW] = true};
    for (int k = 0; s->e && k < s->e->steps; k++)
        if (polynomial[s->e->step[k].op]) return s->pixels > 1;
    return false;
}

/* The sums wait on the stack for a loop over them. */
static void finish_long(kb *b, const core_shape *s, const slots *at, kinst *c) {
    int vectors = tile_vectors(b, s);
    kinst *zero = kb_int(b, 0), *pixels = kb_int(b, s->pixels);
    kinst *sums = kb_local(b, "sums", b->real, s->pixels * vectors * b->lanes);
    for (int reading = 0; reading < 2; reading++) {
        kinst *v = kb_for(b, "v", zero, kb_int(b, vectors), 1, KLOOP_UNROLL);
        kinst *p = kb_for(b, "p", zero, pixels, 1, reading ? KLOOP_SERIAL : KLOOP_UNROLL);
        kinst *index = kb_muli(b, kb_add(b, kb_muli(b, v, s->pixels), p), b->lanes);
        if (reading)
            finish_vector(b, s, at, kb_load(b, kb_vector(b), sums, index), p, v);
        else
            kb_store(b, sums, index, kb_get(b, c, p, v));
        kb_end(b);
        kb_end(b);
    }
}

static void finish(kb *b, const core_shape *s, const slots *at, kinst *c) {
    if (is_long(s)) {
        finish_long(b, s, at, c);
        return;
    }
    kinst *zero = kb_int(b, 0);
    kinst *v = kb_for(b, "v", zero, kb_int(b, tile_vectors(b, s)), 1, KLOOP_UNROLL);
    kinst *p = kb_for(b, "p", zero, kb_int(b, s->pixels), 1, KLOOP_UNROLL);
    finish_vector(b, s, at, kb_get(b, c, p, v), p, v);
    kb_end(b);
    kb_end(b);
}

static void build_core(kb *b, const void *recipe) {
    const core_shape *s = recipe;
    params unused = {.count = 0};
    core_call none = {0};
    slots at = list_params(&unused, s, &none, b->real);
    kinst *c = kb_reg(b, "c", kb_vector(b), (int)s->pixels, tile_vectors(b, s));
    if (s->resume)
        resume(b, s, &at, c);
    else
        start(b, s, &at, c);
    reduce(b, s, &at, c);
    finish(b, s, &at, c);
}

void core_fetch(kb *b, core_shape *s, core_call *c, int64_t apart, int64_t calls, kinst *k) {
    s->ahead = ceil_div(BLOCK, calls);
    c->ahead = kb_addi(b, kb_muli(b, k, s->ahead * BLOCK), apart);
}

void core_emit(kb *b, const core_shape *s, const core_call *c) {
    params p = {.count = 0};
    list_params(&p, s, c, b->real);
    char name[48];
    snprintf(name, sizeof name, "core_%dx%d", (int)s->pixels, (int)s->blocks);
    kfunc *core = kb_micro(b, name, build_core, s, sizeof *s, p.at, p.count);
    kb_call(b, core, p.given, p.count);
}
