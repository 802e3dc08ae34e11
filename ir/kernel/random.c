/* Masks of dropout and parameters that start at random. A kernel's index takes CHUNK blocks of four numbers, which one
 * function for each kind of numbers makes; where a mask does not lie in one piece, every element makes its block. */
#include "ir/kernel/random.h"

#include "ir/kernel/nest.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <string.h>

enum { WORDS = 4, CHUNK = 256, WORK = 32 /* multiply-adds that take as long as one number */ };

typedef kinst *kvalue;

/* The operations of ir/base/random.def, written. */
#define WORD              kvalue
#define REAL              kvalue
#define HERE              kb *b,
#define GIVEN             b,
#define WORD_OF(number)   word(b, number)
#define PLUS(x, y)        kb_add(b, x, y)
#define TIMES(x, y)       kb_mul(b, x, y)
#define HIGH(x, y)        kb_arith(b, S_MULHI, x, y, NULL)
#define XOR(x, y)         kb_arith(b, S_XOR, x, y, NULL)
#define AND(x, y)         kb_arith(b, S_AND, x, y, NULL)
#define HAS(x, m, y, z)   kb_select(b, has_bit(b, x, m), y, z)
#define REAL_OF(x)        natural(b, x)
#define NUMBER(x)         kb_const(b, k_scalar(KB_F64), x)
#define ADD(x, y)         kb_add(b, x, y)
#define SUB(x, y)         kb_sub(b, x, y)
#define MUL(x, y)         kb_mul(b, x, y)
#define DIV(x, y)         kb_arith(b, S_DIV, x, y, NULL)
#define SQRT(x)           kb_arith(b, S_SQRT, x, NULL, NULL)
#define BELOW(x, y, z, t) kb_select(b, kb_arith(b, S_LT, x, y, NULL), z, t)

static kinst *word(kb *b, uint32_t x) {
    return kb_const(b, k_scalar(KB_I32), (double)(int32_t)x);
}

static kinst *has_bit(kb *b, kinst *x, uint32_t mask) {
    return kb_arith(b, S_NE, kb_arith(b, S_AND, x, word(b, mask), NULL), word(b, 0), NULL);
}

/* Words are signed here: 2^31 less than that, made up for. */
static kinst *natural(kb *b, kinst *x) {
    kinst *below = kb_arith(b, S_XOR, x, word(b, 0x80000000u), NULL);
    return kb_add(b, kb_cast(b, k_scalar(KB_F64), below), kb_const(b, k_scalar(KB_F64), 0x1p31));
}

#include "ir/base/random.def"

/* ---- four numbers ---- */

typedef struct numbers {
    int64_t mask; /* of a training step; else a parameter's */
    int64_t kind; /* draw_kind; masks: none */
    double a, b;  /* as in draw; masks: the share that is dropped, and what the rest becomes */
} numbers;

/* Rounded to the type that parameters have, and no further where a program computes in double. */
static kinst *stored(kb *b, kinst *x) {
    return kb_cast(b, kb_real(b), kb_cast(b, k_scalar(KB_F32), x));
}

/* The block's counter and key, of step or parameter. */
static void set_counter(kb *b, const numbers *r, kinst *from, kinst *const *at, kinst **c, kinst **key) {
    ktype t = k_scalar(KB_I32);
    kinst *w[WORDS];
    for (int k = 0; k < (r->mask ? WORDS : 2); k++) w[k] = kb_load(b, t, from, kb_int(b, k));
    for (int k = 0; k < 3; k++) c[k] = kb_cast(b, t, at[k]);
    c[3] = r->mask ? w[0] : word(b, 0);
    key[0] = r->mask ? w[2] : w[0];
    key[1] = r->mask ? kb_arith(b, S_XOR, w[3], w[1], NULL) : w[1];
}

/* Words below p·2^32 drop. */
static kinst *kept(kb *b, const numbers *r, kinst *w) {
    double limit = r->a * 0x1p32;
    uint32_t least = limit < 4294967295.0 ? (uint32_t)limit : UINT32_MAX;
    kinst *below = kb_arith(b, S_XOR, w, word(b, 0x80000000u), NULL);
    kinst *drops = kb_arith(b, S_LT, below, word(b, least ^ 0x80000000u), NULL);
    ktype t = kb_real(b);
    return kb_select(b, drops, kb_const(b, t, 0), kb_const(b, t, (float)r->b));
}

/* The four numbers of a block; `at`: block, sample, stream. */
static void make_four(kb *b, const numbers *r, kinst *from, kinst *const *at, kinst **out) {
    kinst *c[WORDS], *key[2], *pair[2];
    set_counter(b, r, from, at, c, key);
    random_block(b, c, key);
    for (int k = 0; k < WORDS; k++) {
        if (r->mask) {
            out[k] = kept(b, r, c[k]);
        } else if (r->kind == DRAW_UNIFORM) {
            out[k] = stored(b, random_between(b, c[k], r->a, r->b));
        } else {
            if (k % 2 == 0) random_pair(b, pair, c[k], c[k + 1]);
            out[k] = stored(b, kb_mul(b, pair[k % 2], kb_const(b, k_scalar(KB_F64), r->a)));
        }
    }
}

/* ---- in one piece ---- */

enum { FROM, TO, FIRST, LAST, COUNT, SAMPLE, STREAM, PARAMS };

static void build_blocks(kb *b, const void *recipe) {
    kinst *p[PARAMS], *x[WORDS];
    for (int k = 0; k < PARAMS; k++) p[k] = kb_param(b, k);
    kinst *block = kb_for(b, "block", p[FIRST], p[LAST], 1, KLOOP_SERIAL);
    kinst *at[3] = {block, p[SAMPLE], p[STREAM]}, *first = kb_muli(b, block, WORDS);
    make_four(b, recipe, p[FROM], at, x);
    for (int k = 0; k < WORDS; k++) {
        kinst *to = kb_addi(b, first, k);
        kb_if(b, kb_arith(b, S_LT, to, p[COUNT], NULL));
        kb_store(b, p[TO], to, x[k]);
        kb_end(b);
    }
    kb_end(b);
}

typedef struct piece_recipe {
    numbers numbers;
    int64_t stream, count, batch /* elements from a sample to the next; 0: there is one */;
} piece_recipe;

static int64_t chunks_of(int64_t count) {
    return ceil_div(count, WORDS * CHUNK);
}

static void build_piece(kb *b, const void *recipe) {
    const piece_recipe *r = recipe;
    ktype integer = k_scalar(KB_INT);
    const kparam params[PARAMS] = {{"from", k_ptr(KB_I32)}, {"to", k_out(b->real)}, {"first", integer},
                                   {"last", integer},       {"count", integer},     {"sample", integer},
                                   {"stream", integer}};
    const char *name = r->numbers.mask ? "random_mask" : "random_numbers";
    kfunc *blocks = kb_micro(b, name, build_blocks, &r->numbers, sizeof r->numbers, params, PARAMS);
    int64_t chunks = chunks_of(r->count);
    kinst *i = kb_param(b, 0), *sample = r->batch ? kb_divi(b, i, chunks) : kb_int(b, 0);
    kinst *first = kb_muli(b, r->batch ? kb_modi(b, i, chunks) : i, CHUNK);
    kinst *last = kb_min(b, kb_addi(b, first, CHUNK), kb_int(b, ceil_div(r->count, WORDS)));
    kinst *to = kb_offset(b, kb_param(b, 3), kb_muli(b, sample, r->batch));
    kinst *args[PARAMS] = {kb_param(b, 2),      to, first, last, kb_int(b, r->count), sample,
                           kb_int(b, r->stream)};
    kb_call(b, blocks, args, PARAMS);
}

static void lower_piece(lower *l, const piece_recipe *r, const call_arg *args, const char *name,
                        const node *n) {
    int64_t chunks = chunks_of(r->count);
    const kparam params[2] = {{"from", k_ptr(KB_I32)}, {"to", k_out(l->program->real)}};
    double work = (double)(r->count < WORDS * CHUNK ? r->count : WORDS * CHUNK) * WORK;
    kernel *k = lower_kernel(l, arena_printf(l->arena, "%s_%lld", name, (long long)r->count), build_piece, r,
                             sizeof *r, params, 2, (kcount){chunks, r->batch != 0}, work);
    lower_call(l, k, args, 2, n);
}

/* ---- parameters ---- */

typedef struct fill_recipe {
    int64_t count;
    double value;
} fill_recipe;

static void build_fill(kb *b, const void *recipe) {
    const fill_recipe *r = recipe;
    kinst *first = kb_muli(b, kb_param(b, 0), CHUNK);
    kinst *last = kb_min(b, kb_addi(b, first, CHUNK), kb_int(b, r->count));
    kinst *at = kb_for(b, "x", first, last, 1, KLOOP_SERIAL);
    kb_store(b, kb_param(b, 2), at, kb_const(b, kb_real(b), (float)r->value));
    kb_end(b);
}

static void lower_fill(lower *l, double x, int64_t count, const call_arg *to) {
    const fill_recipe r = {count, x};
    const kparam param = {"to", k_out(l->program->real)};
    kernel *k = lower_kernel(l, arena_printf(l->arena, "fill_%lld", (long long)count), build_fill, &r,
                             sizeof r, &param, 1, (kcount){ceil_div(count, CHUNK), 0}, CHUNK);
    lower_call(l, k, to, 1, NULL);
}

void lower_draw(lower *l, const draw *d, uint32_t stream, int64_t count, call_arg from, call_arg to) {
    piece_recipe r;
    memset(&r, 0, sizeof r);
    r.numbers = (numbers){.kind = d->kind, .a = d->a, .b = d->b};
    r.stream = stream;
    r.count = count;
    if (d->kind == DRAW_SAME)
        lower_fill(l, d->a, count, &to);
    else
        lower_piece(l, &r, (call_arg[]){from, to}, "draw", NULL);
}

/* ---- masks ---- */

typedef struct mask_recipe {
    numbers numbers;
    int64_t stream;
    desc out;
} mask_recipe;

static kinst *mask_element(kb *b, const void *recipe, kinst *const *idx, run run_) {
    const mask_recipe *r = recipe;
    kinst *within = kb_int(b, 0), *x[WORDS];
    (void)run_;
    for (int64_t k = r->out.batched; k < r->out.rank; k++)
        within = kb_add(b, kb_muli(b, within, r->out.dim[k]), idx[k]);
    kinst *at[3] = {kb_divi(b, within, WORDS), r->out.batched ? idx[0] : kb_int(b, 0), kb_int(b, r->stream)};
    kinst *lane = kb_modi(b, within, WORDS);
    make_four(b, &r->numbers, kb_param(b, 2), at, x);
    for (int k = 1; k < WORDS; k++)
        x[0] = kb_select(b, kb_arith(b, S_EQ, lane, kb_int(b, k), NULL), x[k], x[0]);
    return x[0];
}

static void build_mask(kb *b, const void *recipe) {
    const mask_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, mask_element, r);
}

static void lower_keep(lower *l, const node *n) {
    const random_keep_attrs *a = n->attrs;
    const value *v = n->out[0];
    const numbers mask = {.mask = 1, .a = a->p, .b = 1 / (1 - a->p)};
    int64_t count = shape_count(&v->shape);
    if (layout_count(&v->layout, &v->shape) == count && v->layout.kind == LAYOUT_PLANAR) {
        piece_recipe r;
        memset(&r, 0, sizeof r);
        r = (piece_recipe){mask, RANDOM_MASKS + a->stream, count, l->places[v->id].batch_stride};
        const call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, v)};
        lower_piece(l, &r, args, "mask", n);
        return;
    }
    mask_recipe r;
    memset(&r, 0, sizeof r);
    r.numbers = mask;
    r.stream = RANDOM_MASKS + a->stream;
    r.out = lower_desc(l, v);
    nest_lower(l, n, 0, build_mask, &r, sizeof r, 4 * WORK);
}

static const candidate philox = {.name = "philox", .families = FAMILY_CPU, .lower = lower_keep};
const candidate *const random_keep_candidates[] = {&philox, NULL};
