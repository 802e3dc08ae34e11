/* Rebuilds a function instruction by instruction, outer ones first, as it would have been built. */
#include "ir/kernel/rewrite.h"

typedef struct state {
    const rewrite *rule;
    kb b;
    kinst **now; /* by id of the old function */
} state;

static void copy_block(state *s, const kblock *block);

static void copy_unrolled(state *s, const kinst *x, int64_t lo, int64_t hi, int64_t step) {
    for (int64_t v = lo; v < hi; v += step) {
        s->now[x->id] = kb_int(&s->b, v);
        copy_block(s, &x->body);
    }
}

static void copy_loop(state *s, const kinst *x, kinst *const *arg) {
    bool known = arg[0]->op == K_CONST && arg[1]->op == K_CONST;
    if (x->loop == KLOOP_UNROLL && s->rule->unroll && known) {
        copy_unrolled(s, x, arg[0]->i, arg[1]->i, x->arg[2]->i);
        return;
    }
    s->now[x->id] = kb_for(&s->b, x->name, arg[0], arg[1], x->arg[2]->i, x->loop);
    copy_block(s, &x->body);
    kb_end(&s->b);
}

static void copy_if(state *s, const kinst *x, kinst *condition) {
    kb_if(&s->b, condition);
    copy_block(s, &x->body);
    if (x->otherwise.first) {
        kb_else(&s->b);
        copy_block(s, &x->otherwise);
    }
    kb_end(&s->b);
}

static kinst *copy_arith(state *s, const kinst *x, kinst *const *arg) {
    kinst *r = s->rule->arith ? s->rule->arith(&s->b, x, arg, s->rule->context) : NULL;
    kinst *z[3] = {0};
    for (int k = 0; k < x->args; k++) z[k] = arg[k];
    return r ? r : kb_arith(&s->b, x->scalar, z[0], z[1], z[2]);
}

static kinst *copy_plain(state *s, const kinst *x, kinst **arg) {
    kb *b = &s->b;
    switch (x->op) {
    case K_ARITH: return copy_arith(s, x, arg);
    case K_CAST: return kb_cast(b, x->type, arg[0]);
    case K_BITS: return kb_bits(b, x->type, arg[0]);
    case K_SPLAT: return kb_splat(b, arg[0], x->type.lanes);
    case K_TAIL: return kb_tail(b, arg[0], x->type.lanes);
    case K_OFFSET: return kb_offset(b, arg[0], arg[1]);
    case K_LOAD:
        return x->args == 3 ? kb_load_part(b, x->type, arg[0], arg[1], arg[2])
                            : kb_load(b, x->type, arg[0], arg[1]);
    case K_STORE:
        if (x->args == 4)
            kb_store_part(b, arg[0], arg[1], arg[2], arg[3]);
        else
            kb_store(b, arg[0], arg[1], arg[2]);
        return NULL;
    default: break;
    }
    kinst like = *x;
    like.arg = arg;
    return kb_append(b, like);
}

static void copy_inst(state *s, const kinst *x) {
    kinst **arg = NEW_ARRAY(s->rule->arena, kinst *, x->args);
    for (int k = 0; k < x->args; k++) arg[k] = s->now[x->arg[k]->id];
    if (x->op == K_FOR)
        copy_loop(s, x, arg);
    else if (x->op == K_IF)
        copy_if(s, x, arg[0]);
    else
        s->now[x->id] = copy_plain(s, x, arg);
}

static void copy_block(state *s, const kblock *block) {
    for (const kinst *x = block->first; x; x = x->next) copy_inst(s, x);
}

void rewrite_function(const rewrite *r, kfunc *f, struct program *p, kbase real) {
    kblock old = f->body;
    state s = {.rule = r, .now = NEW_ARRAY(r->arena, kinst *, f->ids + 1)};
    s.b = (kb){.arena = r->arena, .f = f, .program = p, .target = f->target, .real = real};
    s.b.lanes = target_lanes(f->target, real);
    s.b.values = NEW(r->arena, kb_values);
    s.b.at[0] = &f->body;
    f->body = (kblock){0};
    f->ids = 0;
    copy_block(&s, &old);
    kfunc_prune(r->arena, f);
}
