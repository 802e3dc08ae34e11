/* Expressions of scalar.def as instructions. Comparisons are numbers in an expression and truth values in a
 * kernel: they turn into numbers only where one is read as such. */
#include "ir/kernel/emit.h"

#include <string.h>

typedef struct steps_built {
    kb *b;
    const expr *e;
    kinst *const *inputs;
    ktype type; /* of every number */
    kinst *truth[EXPR_STEPS_MAX], *number[EXPR_STEPS_MAX];
} steps_built;

static kinst *number_of(steps_built *s, const expr_arg *g) {
    if (g->kind == EXPR_CONST) return kb_const(s->b, s->type, g->value);
    if (g->kind == EXPR_INPUT) return kb_splat(s->b, s->inputs[g->index], s->type.lanes);
    int k = g->index;
    if (!s->number[k])
        s->number[k] = kb_select(s->b, s->truth[k], kb_const(s->b, s->type, 1), kb_const(s->b, s->type, 0));
    return s->number[k];
}

static kinst *truth_of(steps_built *s, const expr_arg *g) {
    if (g->kind == EXPR_STEP && s->truth[g->index]) return s->truth[g->index];
    return kb_arith(s->b, S_NE, number_of(s, g), kb_const(s->b, s->type, 0), NULL);
}

static void build_step(steps_built *s, int k) {
    const expr_step *t = &s->e->step[k];
    kinst *x[3] = {0};
    for (int i = 0; i < scalars[t->op].arity; i++)
        x[i] = t->op == S_SELECT && i == 0 ? truth_of(s, &t->arg[i]) : number_of(s, &t->arg[i]);
    kinst *r = kb_arith(s->b, t->op, x[0], x[1], x[2]);
    *(scalar_is_compare(t->op) ? &s->truth[k] : &s->number[k]) = r;
}

void kb_exprs(kb *b, const expr *e, kinst *const *inputs, const int64_t *step, int count, kinst **out) {
    steps_built *s = NEW(b->arena, steps_built);
    *s = (steps_built){.b = b, .e = e, .inputs = inputs, .type = inputs[0]->type};
    for (int i = 1; i < e->inputs; i++)
        if (inputs[i]->type.lanes > s->type.lanes) s->type = inputs[i]->type;
    for (int k = 0; k < e->steps; k++) build_step(s, k);
    for (int k = 0; k < count; k++)
        out[k] = number_of(s, &(expr_arg){.kind = EXPR_STEP, .index = (int)step[k]});
}

kinst *kb_expr(kb *b, const expr *e, kinst *const *inputs) {
    kinst *out = inputs[0];
    int64_t last = e->steps - 1;
    kb_exprs(b, e, inputs, &last, e->steps > 0, &out);
    return out;
}
