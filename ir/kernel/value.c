/* Equal pure instructions: a table by what they compute, from which entries leave as the builder leaves the
 * block that made them. */
#include "ir/base/map.h"
#include "ir/kernel/emit.h"

#include <string.h>

enum { SLOTS = sizeof((kb_values *)0)->slots / sizeof(kb_value *) };

static int slot_of(const kinst *x) {
    int64_t key[6] = {x->op, x->scalar, x->type.base * 256 + x->type.lanes, x->i};
    memcpy(&key[4], &x->f, sizeof x->f);
    uint64_t h = hash_bytes(key, sizeof key, 0);
    for (int k = 0; k < x->args; k++) h = hash_bytes(&x->arg[k]->id, sizeof x->arg[k]->id, h);
    return (int)(h % SLOTS);
}

static bool equal(const kinst *x, const kinst *y) {
    if (x->op != y->op || x->scalar != y->scalar || !ktype_equal(x->type, y->type) || x->i != y->i)
        return false;
    if (!real_same(x->f, y->f) || x->args != y->args) return false;
    for (int k = 0; k < x->args; k++)
        if (x->arg[k] != y->arg[k]) return false;
    return true;
}

kinst *kb_value_find(const kb *b, const kinst *like) {
    for (kb_value *v = b->values->slots[slot_of(like)]; v; v = v->next)
        if (equal(v->inst, like)) return v->inst;
    return NULL;
}

void kb_value_keep(kb *b, kinst *x) {
    int slot = slot_of(x);
    kb_value *v = NEW(b->arena, kb_value);
    *v = (kb_value){x, b->values->slots[slot]};
    b->values->slots[slot] = v;
    VEC_PUSH(b->arena, &b->values->undo, slot);
}

void kb_value_leave(kb *b) {
    kb_values *all = b->values;
    while (all->undo.count > all->mark[b->depth]) {
        kb_value **slot = &all->slots[all->undo.at[--all->undo.count]];
        *slot = (*slot)->next;
    }
}
