/* Random kernels of scalars and registers, run by the interpreter (as built, and rebuilt by unrolling) and by a
 * plain walk over the tree: so that what the interpreter saves (moves, splats, additions) changes nothing. */
#include "tests/support/one_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { CELLS = 8, LANES = 4, KERNELS = 1500, STEPS = 40, MEMORY = 64 };

/* ---- making ---- */

typedef struct maker {
    kb *b;
    uint64_t state;
    kinst *reals, *vectors, *ints; /* registers */
    kinst *seen[3][64];            /* values made in reach: reals, vectors, ints */
    int count[3];
    int depth, left;
} maker;

static uint32_t draw(maker *m, uint32_t below) {
    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->state >> 33) % below;
}

static kinst *some(maker *m, int kind) {
    return m->seen[kind][draw(m, (uint32_t)m->count[kind])];
}

static void see(maker *m, int kind, kinst *x) {
    if (m->count[kind] < 64)
        m->seen[kind][m->count[kind]++] = x;
    else
        m->seen[kind][draw(m, 64)] = x;
}

static kinst *cell(maker *m) {
    return kb_int(m->b, draw(m, CELLS));
}

/* An index within memory, from an int of any size; sometimes with a number added. */
static kinst *address(maker *m, int64_t room) {
    kinst *x = kb_modi(m->b, kb_arith(m->b, S_AND, some(m, 2), kb_int(m->b, 1023), NULL), MEMORY - room - 3);
    return kb_addi(m->b, x, draw(m, 4));
}

static void make_int(maker *m) {
    static const scalar_op operations[] = {S_ADD, S_SUB, S_MUL, S_MIN, S_MAX, S_AND};
    kinst *x = some(m, 2), *y = draw(m, 2) ? some(m, 2) : kb_int(m->b, (int64_t)draw(m, 9) - 4);
    see(m, 2,
        kb_arith(m->b, S_AND, kb_arith(m->b, operations[draw(m, 6)], x, y, NULL), kb_int(m->b, 0xffffff),
                 NULL));
}

static void make_real(maker *m, int kind) {
    static const scalar_op operations[] = {S_ADD, S_SUB, S_MUL, S_MAX, S_FMA, S_MIN};
    scalar_op what = operations[draw(m, 6)];
    kinst *x = some(m, kind), *y = some(m, kind), *z = what == S_FMA ? some(m, kind) : NULL;
    see(m, kind, kb_arith(m->b, what, x, y, z));
}

static void make_memory(maker *m) {
    kinst *memory = kb_param(m->b, 2);
    ktype v = k_vector(KB_F32, LANES);
    switch (draw(m, 5)) {
    case 0: see(m, 0, kb_load(m->b, k_scalar(KB_F32), memory, address(m, 1))); break;
    case 1: see(m, 1, kb_load(m->b, v, memory, address(m, LANES))); break;
    case 2: see(m, 1, kb_splat(m->b, kb_load(m->b, k_scalar(KB_F32), memory, address(m, 1)), LANES)); break;
    case 3: kb_store(m->b, memory, address(m, 1), some(m, 0)); break;
    default: kb_store(m->b, memory, address(m, LANES), some(m, 1)); break;
    }
}

static void make_register(maker *m) {
    int kind = (int)draw(m, 3);
    kinst *reg = kind == 0   ? m->reals
                 : kind == 1 ? m->vectors
                             : m->ints,
          *i = cell(m), *zero = kb_int(m->b, 0);
    if (draw(m, 2))
        see(m, kind, kb_get(m->b, reg, i, zero));
    else
        kb_set(m->b, reg, i, zero, some(m, kind));
}

/* An accumulation, as kernels have them: the set follows at once. */
static void make_sum(maker *m) {
    kinst *i = cell(m), *zero = kb_int(m->b, 0);
    kinst *x = draw(m, 2) ? some(m, 1) : kb_get(m->b, m->vectors, cell(m), zero);
    kb_set(m->b, m->vectors, i, zero, kb_fma(m->b, x, some(m, 1), kb_get(m->b, m->vectors, i, zero)));
}

static void make_steps(maker *m);

/* Values made inside are not used outside. */
static void make_inside(maker *m) {
    int count[3];
    kinst *seen[3][64];
    memcpy(count, m->count, sizeof count);
    memcpy(seen, m->seen, sizeof seen);
    make_steps(m);
    memcpy(m->count, count, sizeof count);
    memcpy(m->seen, seen, sizeof seen);
}

static void make_block(maker *m) {
    if (m->depth == 3) return;
    m->depth++;
    if (draw(m, 2)) {
        kinst *lo =
            draw(m, 2) ? kb_int(m->b, draw(m, 3)) : kb_arith(m->b, S_AND, some(m, 2), kb_int(m->b, 3), NULL);
        kinst *hi =
            draw(m, 2) ? kb_int(m->b, draw(m, 5)) : kb_arith(m->b, S_AND, some(m, 2), kb_int(m->b, 3), NULL);
        kloop kind = draw(m, 3) ? KLOOP_SERIAL : KLOOP_UNROLL;
        kinst *before = m->seen[2][0];
        m->seen[2][0] = kb_for(m->b, "v", lo, hi, 1 + draw(m, 2), kind);
        make_inside(m);
        m->seen[2][0] = before;
    } else {
        kb_if(m->b, kb_arith(m->b, S_LT, some(m, 2), some(m, 2), NULL));
        make_inside(m);
        if (draw(m, 2)) {
            kb_else(m->b);
            make_inside(m);
        }
    }
    kb_end(m->b);
    m->depth--;
}

static void make_steps(maker *m) {
    for (int k = 4 + (int)draw(m, 8); k > 0 && m->left > 0; k--) {
        m->left--;
        switch (draw(m, 9)) {
        case 0: make_int(m); break;
        case 1: make_real(m, 0); break;
        case 2: make_real(m, 1); break;
        case 3:
        case 4: make_memory(m); break;
        case 5:
        case 6: make_register(m); break;
        case 7: make_sum(m); break;
        default: make_block(m); break;
        }
    }
}

static void build_random(kb *b, const void *recipe) {
    maker m = {.b = b, .state = *(const uint64_t *)recipe, .left = STEPS};
    ktype real = k_scalar(KB_F32), vector = k_vector(KB_F32, LANES), integer = k_scalar(KB_INT);
    kinst *zero = kb_int(b, 0);
    m.reals = kb_reg(b, "r", real, CELLS, 1);
    m.vectors = kb_reg(b, "v", vector, CELLS, 1);
    m.ints = kb_reg(b, "k", integer, CELLS, 1);
    for (int c = 0; c < CELLS; c++) {
        kb_set(b, m.reals, kb_int(b, c), zero, kb_const(b, real, c - 3));
        kb_set(b, m.vectors, kb_int(b, c), zero, kb_const(b, vector, 0.5 * c));
        kb_set(b, m.ints, kb_int(b, c), zero, kb_int(b, 3 * c));
    }
    see(&m, 2, kb_param(b, 0));
    see(&m, 2, kb_param(b, 1));
    see(&m, 0, kb_load(b, real, kb_param(b, 2), kb_int(b, 5)));
    see(&m, 1, kb_load(b, vector, kb_param(b, 2), kb_int(b, 9)));
    while (m.left > 0) make_steps(&m);
    for (int c = 0; c < CELLS; c++) {
        kb_store(b, kb_param(b, 2), kb_int(b, c), kb_get(b, m.reals, kb_int(b, c), zero));
        kb_store(b, kb_param(b, 2), kb_int(b, 8 + LANES * c), kb_get(b, m.vectors, kb_int(b, c), zero));
        kb_store(b, kb_param(b, 2), kb_int(b, 48 + c),
                 kb_cast(b, real, kb_get(b, m.ints, kb_int(b, c), zero)));
    }
}

/* ---- the plain walk ---- */

typedef struct number {
    double f[LANES];
    int64_t i;
} number;

typedef struct walker {
    number *value, (*reg)[CELLS];
    int64_t i, n;
    float *memory;
} walker;

static number walk_arith(const walker *w, const kinst *x) {
    number r = {{0}, 0};
    const number *a[3] = {0};
    for (int k = 0; k < x->args; k++) a[k] = &w->value[x->arg[k]->id];
    if (x->arg[0]->type.base == KB_INT) {
        double y = scalar_eval(x->scalar, (double)a[0]->i, (double)a[1]->i, 0);
        r.i = x->scalar == S_AND ? a[0]->i & a[1]->i : (int64_t)y;
        return r;
    }
    for (int l = 0; l < x->type.lanes; l++) {
        double p = a[0]->f[l], q = a[1]->f[l];
        r.f[l] = x->scalar == S_FMA ? (float)((float)(p * q) + a[2]->f[l])
                                    : (float)scalar_eval(x->scalar, p, q, 0);
    }
    return r;
}

static void walk_block(walker *w, const kblock *b);

static void walk_access(walker *w, const kinst *x) {
    bool store = x->op == K_STORE;
    number *v = &w->value[store ? x->arg[2]->id : x->id];
    int lanes = store ? x->arg[2]->type.lanes : x->type.lanes;
    float *at = &w->memory[w->value[x->arg[1]->id].i];
    for (int l = 0; l < lanes; l++) {
        if (store)
            at[l] = (float)v->f[l];
        else
            v->f[l] = at[l];
    }
}

static void walk_inst(walker *w, const kinst *x) {
    number *r = &w->value[x->id];
    const number *a = x->args ? &w->value[x->arg[0]->id] : NULL;
    switch (x->op) {
    case K_PARAM: r->i = x->i ? w->n : w->i; break;
    case K_CONST:
        r->i = x->i;
        for (int l = 0; l < LANES; l++) r->f[l] = x->f;
        break;
    case K_ARITH: *r = walk_arith(w, x); break;
    case K_CAST: r->f[0] = (float)a->i; break;
    case K_SPLAT:
        for (int l = 0; l < LANES; l++) r->f[l] = a->f[0];
        break;
    case K_LOAD:
    case K_STORE: walk_access(w, x); break;
    case K_GET: *r = w->reg[x->arg[0]->id][w->value[x->arg[1]->id].i]; break;
    case K_SET: w->reg[x->arg[0]->id][w->value[x->arg[1]->id].i] = w->value[x->arg[3]->id]; break;
    case K_FOR: {
        int64_t hi = w->value[x->arg[1]->id].i;
        for (int64_t v = a->i; v < hi; v += x->arg[2]->i) {
            r->i = v;
            walk_block(w, &x->body);
        }
        break;
    }
    case K_IF: walk_block(w, a->i ? &x->body : &x->otherwise); break;
    default: break;
    }
}

static void walk_block(walker *w, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next) walk_inst(w, x);
}

static bool same(float a, float b) {
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/* One kernel, built, and unrolled: the memory it leaves. */
static void compare(uint64_t seed) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    diags d = {.arena = &a};
    static const one_arg args[] = {{"memory", {KB_PTR, 1, KB_F32, 1}, AREA_OUTPUT, MEMORY, 0}};
    one_kernel k = {.build = build_random,
                    .recipe = &seed,
                    .bytes = sizeof seed,
                    .args = args,
                    .count = 1,
                    .runs = {1, 0},
                    .max_batch = 1,
                    .which = TARGET_C99};
    program *p = one_kernel_program(&a, &k);
    const kfunc *f = p->kernels.at[0]->body[TARGET_C99];
    float want[MEMORY], start[MEMORY];
    for (int m = 0; m < MEMORY; m++) want[m] = start[m] = (float)(m % 7) - 2.5f;
    walker w = {.value = NEW_ARRAY(&a, number, f->ids + 1), .n = 1, .memory = want};
    w.reg = arena_alloc(&a, (size_t)f->ids + 1, sizeof *w.reg);
    walk_block(&w, &f->body);
    for (int turn = 0; turn < 2; turn++) {
        if (turn) one_kernel_unroll(p);
        interp *in = interp_new(&a, p, TARGET_C99, NULL, &d);
        if (!in || !program_check(p, &d)) diags_print(&d, stderr, false);
        assert_int_equal(d.errors, 0);
        run_args r = one_kernel_args(&a, p, 1);
        memcpy(r.outputs[0], start, sizeof start);
        assert_true(interp_run(in, ENTRY_FORWARD, &r, &d));
        for (int m = 0; m < MEMORY; m++)
            if (!same(((float *)r.outputs[0])[m], want[m])) {
                text out = text_in(&a);
                kfunc_print(&out, p->kernels.at[0]->body[TARGET_C99]);
                fail_msg("seed %d, %s: element %d is %a, not %a\n%s", (int)seed,
                         turn ? "unrolled" : "as built", m, (double)((float *)r.outputs[0])[m],
                         (double)want[m], out.at);
            }
    }
    arena_free(&a);
}

static void random_kernels_agree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= KERNELS; seed++) compare(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_kernels_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
