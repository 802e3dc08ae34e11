/* Reader of the derivative column: numbers, the names a b c y, + - * /, functions by the names of rows. */
#include "ir/derivative.h"

#include <string.h>

enum { STEPS_MOST = 32, DEPTH_MOST = 16 };

typedef struct reader {
    arena *arena;
    const char *at, *end;
    int depth;
    derivative *d;
    expr_step step[STEPS_MOST];
} reader;

static _Noreturn void wrong(const reader *r, const char *why) {
    trap_spring(r->arena->trap, arena_printf(r->arena, "internal error: derivative '%s': %s", r->at, why));
}

static bool take(reader *r, char c) {
    while (r->at < r->end && *r->at == ' ') r->at++;
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static expr_arg number(double x) {
    return (expr_arg){.kind = EXPR_CONST, .value = x};
}

static bool is_number(expr_arg x, double value) {
    return x.kind == EXPR_CONST && x.value == value;
}

static expr_arg input(reader *r, int what) {
    expr *e = &r->d->gradient;
    int k = 0;
    while (k < e->inputs && r->d->reads[k] != what) k++;
    if (k == e->inputs) r->d->reads[e->inputs++] = what;
    return (expr_arg){.kind = EXPR_INPUT, .index = k};
}

/* One step more; what is known is worked out here. */
static expr_arg apply(reader *r, scalar_op op, const expr_arg *x) {
    expr *e = &r->d->gradient;
    bool known = true;
    for (int i = 0; i < scalars[op].arity; i++) known &= x[i].kind == EXPR_CONST;
    if (known) return number(scalar_eval(op, x[0].value, x[1].value, x[2].value));
    if (e->steps == STEPS_MOST) wrong(r, "too long");
    expr_step *s = &r->step[e->steps++];
    s->op = op;
    memcpy(s->arg, x, sizeof s->arg);
    return (expr_arg){.kind = EXPR_STEP, .index = e->steps - 1};
}

static expr_arg apply_two(reader *r, scalar_op op, expr_arg x, expr_arg y) {
    return apply(r, op, (expr_arg[3]){x, y});
}

static expr_arg sum(reader *r);

static expr_arg call(reader *r, const char *name, size_t length) {
    scalar_op op = scalar_find(name, length);
    expr_arg x[3] = {{0}};
    if (op == S_COUNT || !scalars[op].in_graph) wrong(r, "no such function");
    for (int i = 0; i < scalars[op].arity; i++) {
        if (!take(r, i ? ',' : '(')) wrong(r, "an argument is missing");
        x[i] = sum(r);
    }
    if (!take(r, ')')) wrong(r, "')' is missing");
    return apply(r, op, x);
}

static expr_arg name(reader *r) {
    static const char operands[] = "abcy";
    const char *first = r->at;
    while (r->at < r->end && *r->at >= 'a' && *r->at <= 'z') r->at++;
    size_t length = (size_t)(r->at - first);
    const char *which = length == 1 ? strchr(operands, *first) : NULL;
    return which ? input(r, (int)(which - operands)) : call(r, first, length);
}

static expr_arg factor(reader *r) {
    if (take(r, '-')) return apply(r, S_NEG, (expr_arg[3]){factor(r)});
    if (take(r, '(')) {
        expr_arg x = sum(r);
        if (!take(r, ')')) wrong(r, "')' is missing");
        return x;
    }
    if (r->at < r->end && *r->at >= 'a' && *r->at <= 'z') return name(r);
    double x;
    size_t length = strspn(r->at, "0123456789.");
    if (!length || !text_read_real(r->at, length, &x)) wrong(r, "a number is missing");
    r->at += length;
    return number(x);
}

static expr_arg product(reader *r) {
    expr_arg x = factor(r);
    for (;;) {
        if (take(r, '*'))
            x = apply_two(r, S_MUL, x, factor(r));
        else if (take(r, '/'))
            x = apply_two(r, S_DIV, x, factor(r));
        else
            return x;
    }
}

static expr_arg sum(reader *r) {
    if (++r->depth > DEPTH_MOST) wrong(r, "too deep");
    expr_arg x = product(r);
    for (;;) {
        if (take(r, '+'))
            x = apply_two(r, S_ADD, x, product(r));
        else if (take(r, '-'))
            x = apply_two(r, S_SUB, x, product(r));
        else
            break;
    }
    r->depth--;
    return x;
}

/* select(.., 1, 0) and 1/.. take the gradient in place of their 1: a step less, and no 0·inf. */
static bool replace_one(reader *r, expr_arg partial, expr_arg g) {
    if (partial.kind != EXPR_STEP) return false;
    expr_step *s = &r->step[partial.index];
    bool select = s->op == S_SELECT && s->arg[1].kind == EXPR_CONST && s->arg[2].kind == EXPR_CONST;
    bool chosen = is_number(s->arg[1], 1) && is_number(s->arg[2], 0),
         other = is_number(s->arg[1], 0) && is_number(s->arg[2], 1);
    int slot = select && chosen                            ? 1
               : select && other                           ? 2
               : s->op == S_DIV && is_number(s->arg[0], 1) ? 0
                                                           : -1;
    if (slot >= 0) s->arg[slot] = g;
    return slot >= 0;
}

/* The formula of one operand, between ';'. */
static bool find_formula(reader *r, scalar_op op, int operand) {
    const char *s = scalars[op].derivative;
    if (!*s) return false;
    for (int k = 0; k < operand; k++) {
        s = strchr(s, ';');
        if (!s) return false;
        s++;
    }
    r->at = s;
    r->end = s + strcspn(s, ";");
    return true;
}

bool derivative_of(arena *a, scalar_op op, int operand, derivative *out) {
    reader r = {.arena = a, .d = out};
    *out = (derivative){0};
    if (!find_formula(&r, op, operand)) return false;
    expr_arg partial = sum(&r);
    if (r.at != r.end) wrong(&r, "something is left over");
    if (is_number(partial, 0)) return false;
    expr_arg g = input(&r, READS_GRADIENT);
    if (is_number(partial, -1))
        apply(&r, S_NEG, (expr_arg[3]){g});
    else if (!is_number(partial, 1) && !replace_one(&r, partial, g))
        apply_two(&r, S_MUL, partial, g);
    out->gradient.step = arena_copy(a, r.step, (size_t)out->gradient.steps * sizeof *r.step);
    return true;
}
