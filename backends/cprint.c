/* Statements and whole functions of the kernel IR in C. */
#include "backends/cprint.h"
#include "backends/cvalue.h"

#include <string.h>

static void print_block(cprinter *p, const kblock *b);

static void print_store_lanes(cprinter *p, const kinst *x) {
    const kinst *value = x->arg[2];
    int lanes = value->type.lanes;
    /* the store must not change what later lanes of the value still read */
    if (VALUE(p, value)->memory) cprint_force(p, value);
    if (VALUE(p, x->arg[1])->memory) cprint_force(p, x->arg[1]);
    if (x->args > 3) cprint_force(p, x->arg[3]);
    const char *s = cprint_operand(p, value, PREC_TERNARY), *at = cprint_operand(p, x->arg[0], PREC_ATOM);
    bool first = x->arg[1]->op == K_CONST && x->arg[1]->i == 0;
    const char *index = first ? "" : arena_printf(p->arena, "%s + ", cprint_operand(p, x->arg[1], PREC_ADD));
    const char *limit = "";
    if (x->args > 3)
        limit = arena_printf(p->arena, " && lane < %s", cprint_operand(p, x->arg[3], PREC_UNARY));
    cprint_flush_memory(p);
    cprint_line(p, "for (int lane = 0; lane < %d%s; lane++) %s[%slane] = %s;", lanes, limit, at, index, s);
}

static void print_store(cprinter *p, const kinst *x) {
    const kinst *value = x->arg[2], *count = x->args > 3 ? x->arg[3] : NULL;
    const char *s;
    if (cprint_lanes_loop(p, value->type)) {
        print_store_lanes(p, x);
        return;
    }
    if (value->type.lanes == 1) {
        const char *to = cprint_operand(p, x->arg[0], PREC_ATOM);
        const char *index = cprint_operand(p, x->arg[1], PREC_TERNARY);
        s = arena_printf(p->arena, "%s[%s] = %s", to, index, cprint_operand(p, value, PREC_TERNARY));
    } else {
        operands o = {.at = {NULL, NULL, value, count}, .type = value->type, .result = value->type};
        const char *format = cprint_spelling(p, count ? SPELL_STORE_PART : SPELL_STORE, value->type);
        if (!format) return;
        o.spelled[0] = cprint_address(p, x->arg[0], x->arg[1]);
        precedence prec;
        s = cprint_format(p, format, &o, &prec);
    }
    cprint_flush_memory(p);
    cprint_line(p, "%s;", s);
}

static void print_prefetch(cprinter *p, const kinst *x) {
    operands o = {.type = x->arg[0]->type, .result = x->arg[0]->type};
    const char *format = cprint_spelling(p, SPELL_PREFETCH, o.type);
    if (!format) return;
    o.spelled[0] = cprint_address(p, x->arg[0], x->arg[1]);
    precedence prec;
    cprint_line(p, "%s;", cprint_format(p, format, &o, &prec));
}

static void print_set(cprinter *p, const kinst *x) {
    const kinst *reg = x->arg[0];
    cvalue *v = VALUE(p, reg);
    int64_t e = cprint_element(reg, x);
    if (!v->declared[e]) return; /* nobody reads it */
    const char *s = cprint_operand(p, x->arg[3], PREC_TERNARY);
    cprint_flush_register(p, reg, e);
    if (v->declared[e] == 2)
        cprint_declare(p, reg->type, v->elements[e], s, false);
    else
        cprint_assign(p, reg->type, v->elements[e], s);
    v->declared[e] = 1;
}

/* Zero at the start is for compilers, which cannot see that it is set before it is read. */
static void declare_element(cprinter *p, const kinst *reg, const char *name) {
    ktype t = reg->type;
    if (cprint_lanes_loop(p, t)) {
        cprint_line(p, "%s %s[%d] = {0};", cprint_scalar((kbase)t.base), name, t.lanes);
    } else if (t.base == KB_PTR) {
        cprint_line(p, "%s%s = NULL;", cprint_type(p, t), name);
    } else if (t.lanes == 1) {
        cprint_line(p, "%s %s = 0;", cprint_type(p, t), name);
    } else {
        operands o = {.spelled = {"0"}, .type = t, .result = t};
        const char *format = cprint_spelling(p, SPELL_SPLAT, t);
        precedence prec;
        if (format)
            cprint_line(p, "%s %s = %s;", cprint_type(p, t), name, cprint_format(p, format, &o, &prec));
    }
}

static void print_reg(cprinter *p, const kinst *x) {
    cvalue *v = VALUE(p, x);
    int rows = x->dim[0] > 1 ? x->dim[0] : 1, columns = x->dim[1] > 1 ? x->dim[1] : 1;
    const char *base = x->name ? x->name : "r";
    for (int e = 0; e < rows * columns; e++) {
        const char *hint = base;
        if (rows > 1 && columns > 1)
            hint = arena_printf(p->arena, "%s%d_%d", base, e / columns, e % columns);
        else if (rows * columns > 1)
            hint = arena_printf(p->arena, "%s%d", base, e);
        if (!v->declared[e]) continue;
        v->elements[e] = c_name(&p->names, hint);
        if (v->declared[e] == 1) declare_element(p, x, v->elements[e]);
    }
}

static void print_local(cprinter *p, const kinst *x) {
    cvalue *v = VALUE(p, x);
    v->text = c_name(&p->names, x->name ? x->name : "local");
    v->prec = PREC_ATOM;
    v->simple = true;
    cprint_line(p, "ALIGNED(64) %s %s[%lld];", cprint_scalar((kbase)x->type.elem), v->text, (long long)x->i);
}

/* What the body may write is read before it. */
static void flush(cprinter *p) {
    cprint_flush_memory(p);
    cprint_flush_register(p, NULL, 0);
}

static void print_body(cprinter *p, const kblock *b) {
    p->indent += 4;
    print_block(p, b);
    p->indent -= 4;
}

static void print_for(cprinter *p, const kinst *x) {
    cprint_force(p, x->arg[1]);
    const char *lo = cprint_operand(p, x->arg[0], PREC_TERNARY), *hi = cprint_operand(p, x->arg[1], PREC_ADD);
    flush(p);
    cvalue *v = VALUE(p, x);
    const char *name = c_name(&p->names, x->name ? x->name : "j");
    v->text = name;
    v->prec = PREC_ATOM;
    v->simple = true;
    const char *step = x->arg[2]->i == 1
                           ? arena_printf(p->arena, "%s++", name)
                           : arena_printf(p->arena, "%s += %lld", name, (long long)x->arg[2]->i);
    cprint_line(p, "for (ptrdiff_t %s = %s; %s < %s; %s) {", name, lo, name, hi, step);
    print_body(p, &x->body);
    cprint_line(p, "}");
}

static void print_if(cprinter *p, const kinst *x) {
    const char *condition = cprint_operand(p, x->arg[0], PREC_TERNARY);
    flush(p);
    cprint_line(p, "if (%s) {", condition);
    print_body(p, &x->body);
    if (x->otherwise.first) {
        cprint_line(p, "} else {");
        print_body(p, &x->otherwise);
    }
    cprint_line(p, "}");
}

static void print_call(cprinter *p, const kinst *x) {
    text t = text_in(p->arena);
    text_printf(&t, "%s%s(", x->callee->name, p->dialect->suffix);
    for (int k = 0; k < x->args; k++)
        text_printf(&t, "%s%s", k ? ", " : "", cprint_operand(p, x->arg[k], PREC_TERNARY));
    cprint_flush_memory(p);
    cprint_line(p, "%s);", t.at);
}

static void print_inst(cprinter *p, const kinst *x) {
    switch (x->op) {
    case K_STORE: print_store(p, x); break;
    case K_SET: print_set(p, x); break;
    case K_REG: print_reg(p, x); break;
    case K_FOR: print_for(p, x); break;
    case K_IF: print_if(p, x); break;
    case K_CALL: print_call(p, x); break;
    case K_PREFETCH: print_prefetch(p, x); break;
    case K_BARRIER: break; /* one thread runs a whole kernel */
    case K_LOCAL:
        if (VALUE(p, x)->uses) print_local(p, x);
        break;
    default:
        if (VALUE(p, x)->uses) cprint_value(p, x);
    }
}

static void print_block(cprinter *p, const kblock *b) {
    for (const kinst *x = b->first; x && !p->failed; x = x->next) print_inst(p, x);
}

void cprint_param(text *t, const kparam *k, const char *name) {
    if (k->type.base == KB_PTR)
        text_printf(t, "%s%s *%s", k->type.writes ? "" : "const ", cprint_scalar((kbase)k->type.elem), name);
    else
        text_printf(t, "%s %s", cprint_scalar((kbase)k->type.base), name);
}

/* Names of the parameters; those that nothing uses are told so. */
static const char **name_params(cprinter *p) {
    const char **names = NEW_ARRAY(p->arena, const char *, p->f->params + 1);
    for (int k = 0; k < p->f->params; k++) names[k] = c_name(&p->names, p->f->param[k].name);
    return names;
}

static void mark_params(cprinter *p, const kblock *b, const char **names, bool *used) {
    for (const kinst *x = b->first; x; x = x->next) {
        if (x->op == K_PARAM) {
            cvalue *v = VALUE(p, x);
            v->text = names[x->i];
            v->prec = PREC_ATOM;
            v->simple = true;
            used[x->i] |= v->uses > 0;
        }
        mark_params(p, &x->body, names, used);
        mark_params(p, &x->otherwise, names, used);
    }
}

static void print_signature(cprinter *p, const char **names) {
    const kfunc *f = p->f;
    text t = text_in(p->arena);
    const char *kind = f->micro && p->dialect->bytes ? "NOINLINE " : "";
    text_printf(&t, "%s%sstatic void %s%s(", p->dialect->attribute, kind, f->name, p->dialect->suffix);
    if (!f->micro) text_puts(&t, "ptrdiff_t begin, ptrdiff_t end");
    for (int k = !f->micro; k < f->params; k++) {
        if (k == 1 && p->no_n) continue;
        if (k) text_puts(&t, ", ");
        cprint_param(&t, &f->param[k], names[k]);
    }
    text_puts(&t, f->micro && !f->params ? "void)" : ")");
    c_line(p->out, 0, t.at);
}

static void print_function_body(cprinter *p, const char **names, const bool *used) {
    const kfunc *f = p->f;
    for (int k = !f->micro; k < f->params; k++)
        if (!used[k] && !(k == 1 && p->no_n)) cprint_line(p, "(void)%s;", names[k]);
    if (f->micro) {
        print_block(p, &f->body);
        return;
    }
    cprint_line(p, "for (ptrdiff_t %s = begin; %s < end; %s++) {", names[0], names[0], names[0]);
    print_body(p, &f->body);
    cprint_line(p, "}");
}

void cprint_function(arena *a, text *t, const kfunc *f, bool with_n, const dialect *to, diags *d) {
    cprinter p = {
        .arena = a, .out = t, .f = f, .dialect = to, .diags = d, .names = c_names_in(a), .indent = 4};
    static const char *const own[] = {"begin", "end", "lane"};
    for (int k = 0; k < 3; k++) map_put(&p.names.taken, own[k], (void *)(uintptr_t)own);
    p.values = NEW_ARRAY(a, cvalue, f->ids + 1);
    p.no_n = !f->micro && !with_n;
    cprint_count_uses(&p);
    if (p.failed) return;
    const char **names = name_params(&p);
    bool *used = NEW_ARRAY(a, bool, f->params + 1);
    mark_params(&p, &f->body, names, used);
    print_signature(&p, names);
    text_puts(t, "{\n");
    print_function_body(&p, names, used);
    text_puts(t, "}\n\n");
}
