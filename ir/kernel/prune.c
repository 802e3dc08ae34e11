/* Drops what nobody uses. Instructions stand before their users, so one walk backwards finds all that are
 * used. */
#include "ir/kernel/rewrite.h"

typedef struct order {
    arena *arena;
    VEC(kinst *) list;
} order;

static void add(void *context, kinst *x) {
    order *o = context;
    VEC_PUSH(o->arena, &o->list, x);
}

static bool has_effect(const kinst *x) {
    return x->op == K_STORE || x->op == K_SET || x->op == K_FOR || x->op == K_IF || x->op == K_CALL ||
           x->op == K_BARRIER;
}

static bool stays(const kinst *x, const bool *used) {
    if (x->op == K_FOR || x->op == K_IF) return x->body.first || x->otherwise.first;
    return has_effect(x) || used[x->id];
}

static void sweep(kblock *b, const bool *used) {
    kinst *x = b->first;
    *b = (kblock){0};
    for (kinst *next; x; x = next) {
        next = x->next;
        x->next = NULL;
        sweep(&x->body, used);
        sweep(&x->otherwise, used);
        if (!stays(x, used)) continue;
        if (b->last)
            b->last->next = x;
        else
            b->first = x;
        b->last = x;
    }
}

static void number(void *context, kinst *x) {
    x->id = (*(int *)context)++;
}

void kfunc_prune(arena *a, kfunc *f) {
    order o = {.arena = a};
    kblock_visit(&f->body, add, &o);
    bool *used = NEW_ARRAY(a, bool, f->ids + 1);
    for (int i = o.list.count - 1; i >= 0; i--) {
        const kinst *x = o.list.at[i];
        if (has_effect(x) || used[x->id])
            for (int k = 0; k < x->args; k++) used[x->arg[k]->id] = true;
    }
    sweep(&f->body, used);
    f->ids = 0;
    kblock_visit(&f->body, number, &f->ids);
}
