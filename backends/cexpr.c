/* What each instruction that gives a value computes, as an expression. */
#include "backends/cvalue.h"

#include <string.h>

static void define_format(cprinter *p, const kinst *x, const char *format, const operands *o) {
    if (!format) {
        cprint_define(p, x, "0", PREC_ATOM); /* an error was added: what is printed goes nowhere */
        return;
    }
    precedence prec;
    const char *s = cprint_format(p, format, o, &prec);
    cprint_define(p, x, s, prec);
}

static void literal(cprinter *p, text *t, ktype type, int64_t i, double f) {
    (void)p;
    if (kbase_is_float((kbase)type.base))
        c_real(t, f, type.base == KB_F32);
    else
        c_int(t, i, type.base == KB_INT);
}

/* A constant as a scalar, or splat by the dialect's spelling. */
static const char *constant(cprinter *p, ktype type, int64_t i, double f) {
    text t = text_in(p->arena);
    literal(p, &t, type, i, f);
    if (type.lanes == 1 || cprint_lanes_loop(p, type)) return t.at;
    const char *format = cprint_spelling(p, SPELL_SPLAT, type);
    precedence prec;
    operands o = {.spelled = {t.at}, .type = type, .result = type};
    return format ? cprint_format(p, format, &o, &prec) : "0";
}

static void print_const(cprinter *p, const kinst *x) {
    cvalue *v = VALUE(p, x);
    v->text = constant(p, x->type, x->i, x->f);
    v->prec = *v->text == '-' || *v->text == '(' ? PREC_UNARY : PREC_ATOM;
    v->simple = true;
}

const char *cprint_address(cprinter *p, const kinst *ptr, const kinst *index) {
    const char *base = cprint_operand(p, ptr, PREC_ADD);
    if (index->op == K_CONST && index->i == 0) return base;
    if (index->op == K_CONST && index->i < 0 && index->i > INT64_MIN)
        return arena_printf(p->arena, "%s - %lld", base, (long long)-index->i);
    return arena_printf(p->arena, "%s + %s", base, cprint_operand(p, index, PREC_ADD));
}

/* Two numbers to choose from would make an int of the expression, and products of ints may overflow. */
static void print_int_select(cprinter *p, const kinst *x) {
    const char *condition = cprint_operand(p, x->arg[0], PREC_UNARY);
    const char *format = "%s ? (ptrdiff_t)%s : %s";
    const char *s = arena_printf(p->arena, format, condition, cprint_operand(p, x->arg[1], PREC_UNARY),
                                 cprint_operand(p, x->arg[2], PREC_UNARY));
    cprint_define(p, x, s, PREC_TERNARY);
}

/* Operand k if there is one and it is a constant. */
static const kinst *constant_at(const kinst *x, int k) {
    return k < x->args && x->arg[k]->op == K_CONST ? x->arg[k] : NULL;
}

static void print_arith(cprinter *p, const kinst *x) {
    bool select = x->scalar == S_SELECT, integer = x->type.base == KB_INT && x->type.lanes == 1;
    const kinst *c = constant_at(x, 1);
    if (select && integer && c && constant_at(x, 2)) {
        print_int_select(p, x);
        return;
    }
    operands o = {.type = x->arg[select ? 1 : 0]->type, .result = x->type};
    for (int k = 0; k < x->args; k++) o.at[k] = x->arg[k];
    const char *format = cprint_spelling(p, (int)x->scalar, o.type);
    if (x->scalar == S_ADD && integer && c && c->i < 0 && c->i > INT64_MIN) {
        o.spelled[1] = arena_printf(p->arena, "%lld", (long long)-c->i); /* x - 1, not x + -1 */
        format = "$a - $b";
    }
    define_format(p, x, format, &o);
}

static void print_load_lanes(cprinter *p, const kinst *x) {
    if (VALUE(p, x->arg[1])->memory) cprint_force(p, x->arg[1]);
    if (x->args > 2) cprint_force(p, x->arg[2]);
    const char *at = cprint_operand(p, x->arg[0], PREC_ATOM);
    bool first = x->arg[1]->op == K_CONST && x->arg[1]->i == 0;
    const char *index = first ? "" : arena_printf(p->arena, "%s + ", cprint_operand(p, x->arg[1], PREC_ADD));
    const char *s = arena_printf(p->arena, "%s[%slane]", at, index);
    if (x->args > 2)
        s = arena_printf(p->arena, "lane < %s ? %s : 0", cprint_operand(p, x->arg[2], PREC_UNARY), s);
    cprint_define(p, x, s, x->args > 2 ? PREC_TERNARY : PREC_ATOM);
}

static void print_load(cprinter *p, const kinst *x) {
    if (cprint_lanes_loop(p, x->type)) {
        print_load_lanes(p, x);
    } else if (x->type.lanes == 1) {
        const char *at = cprint_operand(p, x->arg[0], PREC_ATOM);
        cprint_define(p, x, arena_printf(p->arena, "%s[%s]", at, cprint_operand(p, x->arg[1], PREC_TERNARY)),
                      PREC_ATOM);
    } else {
        operands o = {.at = {NULL, NULL, x->args > 2 ? x->arg[2] : NULL}, .type = x->type, .result = x->type};
        o.spelled[0] = cprint_address(p, x->arg[0], x->arg[1]);
        define_format(p, x, cprint_spelling(p, x->args > 2 ? SPELL_LOAD_PART : SPELL_LOAD, x->type), &o);
    }
}

/* Truth values as numbers: 1 where true. */
static void print_mask_cast(cprinter *p, const kinst *x) {
    operands o = {.at = {x->arg[0]}, .type = x->type, .result = x->type};
    o.spelled[1] = constant(p, x->type, 1, 1);
    o.spelled[2] = constant(p, x->type, 0, 0);
    define_format(p, x, cprint_spelling(p, S_SELECT, x->type), &o);
}

static void print_unary(cprinter *p, const kinst *x, int op) {
    bool mask = x->arg[0]->type.base == KB_BOOL && x->type.lanes > 1 && !cprint_lanes_loop(p, x->type);
    operands o = {.at = {x->arg[0]}, .type = x->arg[0]->type, .result = x->type};
    if (op == SPELL_CAST && mask)
        print_mask_cast(p, x);
    else
        define_format(p, x, cprint_spelling(p, op, o.type), &o);
}

/* Scalars that stand in a loop over lanes are computed before it. */
static void print_splat(cprinter *p, const kinst *x) {
    operands o = {.at = {x->arg[0]}, .type = x->type, .result = x->type};
    if (!cprint_lanes_loop(p, x->type)) {
        define_format(p, x, cprint_spelling(p, SPELL_SPLAT, x->type), &o);
        return;
    }
    cprint_force(p, x->arg[0]);
    const cvalue *g = VALUE(p, x->arg[0]);
    precedence prec = g->prec;
    cprint_define(p, x, cprint_operand(p, x->arg[0], PREC_TERNARY), prec);
}

static void print_tail(cprinter *p, const kinst *x) {
    operands o = {.at = {x->arg[0]}, .type = x->type, .result = x->type};
    if (cprint_lanes_loop(p, x->type)) {
        cprint_force(p, x->arg[0]);
        define_format(p, x, "lane < $a", &o);
    } else {
        define_format(p, x, cprint_spelling(p, SPELL_TAIL, x->type), &o);
    }
}

/* Where vectors are arrays the sum is a function's, which takes the array. */
static void print_reduction(cprinter *p, const kinst *x, int op) {
    const kinst *a = x->arg[0];
    if (!cprint_lanes_loop(p, a->type)) {
        print_unary(p, x, op);
        return;
    }
    const char *name = c_name(&p->names, arena_printf(p->arena, "v%d", p->temporaries++));
    cprint_declare(p, a->type, name, cprint_operand(p, a, PREC_TERNARY), false);
    operands o = {.at = {a}, .type = x->type, .result = x->type};
    o.spelled[0] = arena_printf(p->arena, "%s, %d", name, a->type.lanes);
    define_format(p, x, cprint_spelling(p, op, x->type), &o);
}

static void print_get(cprinter *p, const kinst *x) {
    const cvalue *reg = VALUE(p, x->arg[0]);
    const char *name = reg->elements[cprint_element(x->arg[0], x)];
    if (cprint_lanes_loop(p, x->type)) name = arena_printf(p->arena, "%s[lane]", name);
    cprint_define(p, x, name, PREC_ATOM);
}

bool cprint_value(cprinter *p, const kinst *x) {
    switch (x->op) {
    case K_CONST: print_const(p, x); return true;
    case K_ARITH: print_arith(p, x); return true;
    case K_LOAD: print_load(p, x); return true;
    case K_OFFSET: cprint_define(p, x, cprint_address(p, x->arg[0], x->arg[1]), PREC_ADD); return true;
    case K_CAST: print_unary(p, x, SPELL_CAST); return true;
    case K_BITS: print_unary(p, x, SPELL_BITS); return true;
    case K_SPLAT: print_splat(p, x); return true;
    case K_TAIL: print_tail(p, x); return true;
    case K_HSUM: print_reduction(p, x, SPELL_HSUM); return true;
    case K_HMAX: print_reduction(p, x, SPELL_HMAX); return true;
    case K_GET: print_get(p, x); return true;
    default: return false;
    }
}
