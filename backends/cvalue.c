/* When a value is printed under a name, and when inside the expression that uses it. */
#include "backends/cvalue.h"

#include <string.h>

/* Longer expressions get a name, so that lines stay readable. */
enum { INLINE_LIMIT = 84 };

bool cprint_lanes_loop(const cprinter *p, ktype t) {
    return t.lanes > 1 && p->dialect->bytes == 0;
}

void cprint_line(cprinter *p, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *s = arena_vprintf(p->arena, format, list);
    va_end(list);
    c_line(p->out, p->indent, s);
}

void cprint_unsupported(cprinter *p, const char *what, ktype t) {
    if (!p->failed)
        diag_add(p->diags, DIAG_ERROR, (span){0},
                 "%s: '%s' on %s is not something that %s code can express; this is a bug in netc",
                 p->f->name, what, cprint_type_name(p->arena, t), p->dialect->name);
    p->failed = true;
}

const char *cprint_type(cprinter *p, ktype t) {
    if (t.base == KB_PTR)
        return arena_printf(p->arena, "%s%s *", t.writes ? "" : "const ", cprint_scalar((kbase)t.elem));
    if (t.lanes == 1) return cprint_scalar((kbase)t.base);
    if (t.base != KB_BOOL) return cprint_type_name(p->arena, t);
    const char *mask = t.lanes <= 16 ? p->dialect->masks[t.lanes] : NULL;
    if (!mask) cprint_unsupported(p, "a mask", t);
    return mask ? mask : "int";
}

void cprint_assign(cprinter *p, ktype t, const char *name, const char *s) {
    if (cprint_lanes_loop(p, t))
        cprint_line(p, "for (int lane = 0; lane < %d; lane++) %s[lane] = %s;", t.lanes, name, s);
    else
        cprint_line(p, "%s = %s;", name, s);
}

void cprint_declare(cprinter *p, ktype t, const char *name, const char *s, bool constant) {
    if (cprint_lanes_loop(p, t)) {
        cprint_line(p, "%s %s[%d];", cprint_scalar((kbase)t.base), name, t.lanes);
        cprint_assign(p, t, name, s);
    } else if (t.base == KB_PTR) {
        cprint_line(p, "%s%s = %s;", cprint_type(p, t), name, s);
    } else {
        cprint_line(p, "%s%s %s = %s;", constant ? "const " : "", cprint_type(p, t), name, s);
    }
}

/* Gives x a variable of its own. */
static void declare(cprinter *p, const kinst *x) {
    cvalue *v = VALUE(p, x);
    const char *letter = x->type.base == KB_PTR ? "p" : x->type.lanes > 1 ? "v" : "t";
    const char *hint =
        x->name && x->op != K_PARAM ? x->name : arena_printf(p->arena, "%s%d", letter, p->temporaries++);
    const char *name = c_name(&p->names, hint);
    cprint_declare(p, x->type, name, v->text, true);
    v->text = cprint_lanes_loop(p, x->type) ? arena_printf(p->arena, "%s[lane]", name) : name;
    v->prec = PREC_ATOM;
    v->simple = true;
    v->pending = v->memory = false;
    v->regs = NULL;
}

/* Takes x off the list of what is pending. */
static void take(cprinter *p, const kinst *x) {
    for (int k = p->pending.count - 1; k >= 0; k--) {
        if (p->pending.at[k] != x) continue;
        int after = p->pending.count - k - 1;
        memmove(&p->pending.at[k], &p->pending.at[k + 1], (size_t)after * sizeof *p->pending.at);
        p->pending.count--;
        break;
    }
    VALUE(p, x)->pending = false;
}

void cprint_force(cprinter *p, const kinst *x) {
    cvalue *v = VALUE(p, x);
    if (!v->pending || v->simple) return;
    take(p, x);
    declare(p, x);
}

const char *cprint_operand(cprinter *p, const kinst *x, precedence at_least) {
    cvalue *v = VALUE(p, x);
    if (v->pending) take(p, x);
    return v->prec < at_least ? arena_printf(p->arena, "(%s)", v->text) : v->text;
}

/* What x's text reads, through the operands that stand in it. */
static void inherit(cprinter *p, const kinst *x) {
    cvalue *v = VALUE(p, x);
    if (x->op == K_LOAD) v->memory = true;
    if (x->op == K_GET) {
        reg_read *r = NEW(p->arena, reg_read);
        *r = (reg_read){x, v->regs};
        v->regs = r;
        return;
    }
    for (int k = 0; k < x->args; k++) {
        const cvalue *g = VALUE(p, x->arg[k]);
        v->memory |= g->memory;
        for (const reg_read *r = g->regs; r; r = r->next) {
            reg_read *copy = NEW(p->arena, reg_read);
            *copy = (reg_read){r->get, v->regs};
            v->regs = copy;
        }
    }
}

void cprint_define(cprinter *p, const kinst *x, const char *s, precedence prec) {
    cvalue *v = VALUE(p, x);
    v->text = s;
    v->prec = prec;
    inherit(p, x);
    bool here = v->uses == 1 && v->user_block == v->block;
    if (here && (prec == PREC_ATOM || strlen(s) <= INLINE_LIMIT)) {
        v->pending = true;
        v->simple = x->op == K_GET;
        VEC_PUSH(p->arena, &p->pending, x);
    } else {
        declare(p, x);
    }
}

int64_t cprint_element(const kinst *reg, const kinst *access) {
    return access->arg[1]->i * (reg->dim[1] > 1 ? reg->dim[1] : 1) + access->arg[2]->i;
}

static bool reads(const cvalue *v, const kinst *reg, int64_t element) {
    for (const reg_read *r = v->regs; r; r = r->next)
        if (!reg || (r->get->arg[0] == reg && cprint_element(reg, r->get) == element)) return true;
    return false;
}

void cprint_flush_register(cprinter *p, const kinst *reg, int64_t element) {
    for (int k = 0; k < p->pending.count;) {
        const kinst *x = p->pending.at[k];
        if (reads(VALUE(p, x), reg, element)) {
            take(p, x);
            declare(p, x);
        } else {
            k++;
        }
    }
}

void cprint_flush_memory(cprinter *p) {
    for (int k = 0; k < p->pending.count;) {
        const kinst *x = p->pending.at[k];
        if (VALUE(p, x)->memory) {
            take(p, x);
            declare(p, x);
        } else {
            k++;
        }
    }
}
