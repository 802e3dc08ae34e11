/* Drops what nobody uses. Instructions stand before their users, and loops before their bodies, so one walk
 * backwards finds all that stays. */
#include "ir/kernel/rewrite.h"

typedef struct spot {
    kinst *inst, *around; /* the loop or if that holds it, NULL for none */
} spot;

typedef struct order {
    arena *arena;
    VEC(spot) list;
} order;

static void list_block(order *o, const kblock *b, kinst *around) {
    for (kinst *x = b->first; x; x = x->next) {
        VEC_PUSH(o->arena, &o->list, ((spot){x, around}));
        list_block(o, &x->body, x);
        list_block(o, &x->otherwise, x);
    }
}

static bool has_effect(const kinst *x) {
    return x->op == K_STORE || x->op == K_SET || x->op == K_CALL || x->op == K_BARRIER || x->op == K_PREFETCH;
}

static void sweep(kblock *b, const bool *stays) {
    kinst *x = b->first;
    *b = (kblock){0};
    for (kinst *next; x; x = next) {
        next = x->next;
        x->next = NULL;
        sweep(&x->body, stays);
        sweep(&x->otherwise, stays);
        if (!stays[x->id]) continue;
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
    list_block(&o, &f->body, NULL);
    bool *stays = NEW_ARRAY(a, bool, f->ids + 1);
    for (int i = o.list.count - 1; i >= 0; i--) {
        const spot *s = &o.list.at[i];
        if (has_effect(s->inst)) stays[s->inst->id] = true;
        if (!stays[s->inst->id]) continue;
        if (s->around) stays[s->around->id] = true;
        for (int k = 0; k < s->inst->args; k++) stays[s->inst->arg[k]->id] = true;
    }
    sweep(&f->body, stays);
    f->ids = 0;
    kblock_visit(&f->body, number, &f->ids);
}
