/* Expressions of scalar operations: value, text, composition. */
#include "ir/scalar.h"

#include <limits.h>
#include <string.h>

double expr_eval(const expr *e, const double *inputs) {
    double steps[EXPR_STEPS_MAX];
    for (int k = 0; k < e->steps; k++) {
        const expr_step *s = &e->step[k];
        double x[3] = {0};
        for (int i = 0; i < scalars[s->op].arity; i++) {
            const expr_arg *g = &s->arg[i];
            x[i] = g->kind == EXPR_CONST  ? g->value
                   : g->kind == EXPR_STEP ? steps[g->index]
                                          : inputs[g->index];
        }
        steps[k] = scalar_eval(s->op, x[0], x[1], x[2]);
    }
    return e->steps ? steps[e->steps - 1] : inputs[0];
}

bool expr_valid(const expr *e) {
    if (e->inputs < 1 || e->steps < 0 || e->steps > EXPR_STEPS_MAX) return false;
    for (int k = 0; k < e->steps; k++) {
        const expr_step *s = &e->step[k];
        if ((unsigned)s->op >= S_COUNT || !scalars[s->op].in_graph) return false;
        for (int i = 0; i < scalars[s->op].arity; i++) {
            int limit = s->arg[i].kind == EXPR_STEP ? k : e->inputs;
            if (s->arg[i].kind != EXPR_CONST && (s->arg[i].index < 0 || s->arg[i].index >= limit))
                return false;
        }
    }
    return true;
}

static bool arg_equal(const expr_arg *x, const expr_arg *y) {
    return x->kind == y->kind &&
           (x->kind == EXPR_CONST ? real_same(x->value, y->value) : x->index == y->index);
}

bool expr_equal(const expr *a, const expr *b) {
    if (!a || !b) return a == b;
    if (a->inputs != b->inputs || a->steps != b->steps) return false;
    for (int k = 0; k < a->steps; k++) {
        const expr_step *x = &a->step[k], *y = &b->step[k];
        if (x->op != y->op) return false;
        for (int i = 0; i < scalars[x->op].arity; i++)
            if (!arg_equal(&x->arg[i], &y->arg[i])) return false;
    }
    return true;
}

static void print_arg(text *t, const expr_arg *g) {
    if (g->kind == EXPR_CONST)
        text_real(t, g->value, false);
    else
        text_printf(t, "%c%d", g->kind == EXPR_STEP ? 's' : 'i', g->index);
}

void expr_print(text *t, const expr *e) {
    if (!e->steps) text_puts(t, "i0");
    for (int k = 0; k < e->steps; k++) {
        const expr_step *s = &e->step[k];
        if (k + 1 < e->steps) text_printf(t, "s%d=", k);
        text_printf(t, "%s(", scalars[s->op].name);
        for (int i = 0; i < scalars[s->op].arity; i++) {
            if (i) text_puts(t, ",");
            print_arg(t, &s->arg[i]);
        }
        text_puts(t, k + 1 < e->steps ? "); " : ")");
    }
}

/* Where the parser stands; `at` never passes `end`. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static void blanks(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t')) c->at++;
}

static bool take(cursor *c, char want) {
    blanks(c);
    if (c->at == c->end || *c->at != want) return false;
    c->at++;
    return true;
}

/* The characters up to the next delimiter or blank. */
static cursor word(cursor *c) {
    blanks(c);
    cursor w = {c->at, c->at};
    while (w.end < c->end && !strchr(" \t(),;=", *w.end)) w.end++;
    c->at = w.end;
    return w;
}

static bool read_index(cursor w, char letter, int *out) {
    if (w.end - w.at < 2 || w.end - w.at > 5 || *w.at != letter) return false;
    *out = 0;
    for (const char *d = w.at + 1; d < w.end; d++) {
        if (*d < '0' || *d > '9') return false;
        *out = 10 * *out + (*d - '0');
    }
    return true;
}

static bool parse_arg(cursor *c, expr *e, expr_arg *g) {
    cursor w = word(c);
    if (read_index(w, 'i', &g->index)) {
        g->kind = EXPR_INPUT;
        if (g->index >= e->inputs) e->inputs = g->index + 1;
        return true;
    }
    g->kind = EXPR_STEP;
    if (read_index(w, 's', &g->index)) return g->index < e->steps;
    g->kind = EXPR_CONST;
    return text_read_real(w.at, (size_t)(w.end - w.at), &g->value);
}

/* [sK=] NAME(ARG, ...) */
static bool parse_step(cursor *c, expr *e, expr_step *s, bool *named) {
    cursor w = word(c);
    int index;
    *named = read_index(w, 's', &index) && take(c, '=');
    if (*named && index != e->steps) return false;
    if (*named) w = word(c);
    s->op = scalar_find(w.at, (size_t)(w.end - w.at));
    if (s->op == S_COUNT || !scalars[s->op].in_graph || !take(c, '(')) return false;
    for (int i = 0; i < scalars[s->op].arity; i++)
        if ((i && !take(c, ',')) || !parse_arg(c, e, &s->arg[i])) return false;
    return take(c, ')');
}

expr *expr_parse(arena *a, const char *s, size_t length) {
    cursor c = {s, s + length};
    expr_step steps[EXPR_STEPS_MAX] = {0};
    expr *e = NEW(a, expr);
    e->inputs = 1;
    e->step = steps;
    cursor first = c, whole = word(&first);
    if (whole.end - whole.at == 2 && memcmp(whole.at, "i0", 2) == 0) {
        c = first;
    } else {
        for (bool named = true; named; e->steps++) {
            if (e->steps == EXPR_STEPS_MAX || !parse_step(&c, e, &steps[e->steps], &named)) return NULL;
            if (named && !take(&c, ';')) return NULL;
        }
    }
    blanks(&c);
    if (c.at != c.end) return NULL;
    e->step = arena_copy(a, steps, (size_t)e->steps * sizeof *steps);
    return e;
}

expr *expr_single(arena *a, scalar_op op) {
    expr *e = NEW(a, expr);
    *e = (expr){.inputs = scalars[op].arity, .steps = 1, .step = NEW(a, expr_step)};
    e->step->op = op;
    for (int i = 0; i < e->inputs; i++) e->step->arg[i] = (expr_arg){.kind = EXPR_INPUT, .index = i};
    return e;
}

expr *expr_copy(arena *a, const expr *e) {
    expr *copy = arena_copy(a, e, sizeof *e);
    copy->step = arena_copy(a, e->step, (size_t)e->steps * sizeof *e->step);
    return copy;
}

/* An argument of f as it reads once g's steps stand in front. */
static expr_arg shifted(expr_arg x, int slot, const int *map_f, const expr *g, const int *map_g) {
    if (x.kind == EXPR_STEP) x.index += g->steps;
    if (x.kind != EXPR_INPUT) return x;
    if (x.index != slot)
        x.index = map_f[x.index];
    else if (g->steps)
        x = (expr_arg){.kind = EXPR_STEP, .index = g->steps - 1};
    else
        x.index = map_g[0];
    return x;
}

expr *expr_compose(arena *a, const expr *f, int slot, const int *map_f, const expr *g, const int *map_g,
                   int inputs) {
    if (f->steps + g->steps > EXPR_STEPS_MAX) return NULL;
    expr *e = NEW(a, expr);
    *e = (expr){.inputs = inputs, .steps = f->steps + g->steps};
    e->step = NEW_ARRAY(a, expr_step, e->steps + 1);
    for (int k = 0; k < g->steps; k++) {
        e->step[k] = g->step[k];
        for (int i = 0; i < 3; i++)
            if (e->step[k].arg[i].kind == EXPR_INPUT && i < scalars[e->step[k].op].arity)
                e->step[k].arg[i].index = map_g[e->step[k].arg[i].index];
    }
    for (int k = 0; k < f->steps; k++) {
        expr_step *s = &e->step[g->steps + k];
        s->op = f->step[k].op;
        for (int i = 0; i < scalars[s->op].arity; i++)
            s->arg[i] = shifted(f->step[k].arg[i], slot, map_f, g, map_g);
    }
    return e;
}
