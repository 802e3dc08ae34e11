/* The text of a function, one instruction a line. Whole numbers and parameters stand where they are used;
 * every other value is %ID. kernel/README.md describes the form.  */
#include "ir/kernel/emit.h"

#include <string.h>

typedef struct printer {
    text *t;
    const kfunc *f;
} printer;

void ktype_print(text *t, ktype type) {
    if (type.base == KB_PTR)
        text_printf(t, "*%s%s", type.writes ? "mut " : "", kbase_name((kbase)type.elem));
    else
        text_puts(t, kbase_name((kbase)type.base));
    if (type.lanes != 1) text_printf(t, "x%d", type.lanes);
}

static bool stands_inline(const kinst *x) {
    return x->op == K_PARAM || (x->op == K_CONST && x->type.base == KB_INT && x->type.lanes == 1);
}

static void print_value(printer *p, const kinst *x) {
    if (x->op == K_PARAM)
        text_puts(p->t, p->f->param[x->i].name);
    else if (stands_inline(x))
        text_printf(p->t, "%lld", (long long)x->i);
    else
        text_printf(p->t, "%%%d", x->id);
}

/* An instruction's text: letters are copied, but for
 *   $t its type, $n its name, $d its id, $0 .. $3 operands, $+ all operands, $s the scalar operation, $c the
 *   constant, $i the number, $k the loop's kind, $f the callee, $r [dim0][dim1], ? what follows is left out
 *   without a last operand (partial loads and stores). */
static const char *const formats[K_OPS] = {
    [K_CONST] = "%$d = const $t $c",
    [K_ARITH] = "%$d = $s $+",
    [K_CAST] = "%$d = cast $t $0",
    [K_BITS] = "%$d = bits $t $0",
    [K_SPLAT] = "%$d = splat $t $0",
    [K_TAIL] = "%$d = tail $t $0",
    [K_LOAD] = "%$d = load $t $0[$1]?, count $2",
    [K_STORE] = "store $0[$1] = $2?, count $3",
    [K_OFFSET] = "%$d = offset $0[$1]",
    [K_HSUM] = "%$d = hsum $0",
    [K_HMAX] = "%$d = hmax $0",
    [K_REG] = "%$d = reg $t$r$n",
    [K_GET] = "%$d = get $0[$1][$2]",
    [K_SET] = "set $0[$1][$2] = $3",
    [K_LOCAL] = "%$d = local $e[$i]$n",
    [K_FOR] = "%$d = for $0..$1 step $2 $k$n {",
    [K_IF] = "if $0 {",
    [K_CALL] = "call $f($+)",
    [K_BARRIER] = "barrier",
    [K_PREFETCH] = "prefetch $0[$1]",
};

const char *const kloop_names[] = {"serial", "unroll", "grid", "block"};

static void print_constant(text *t, const kinst *x) {
    if (kbase_is_float((kbase)x->type.base))
        text_real(t, x->f, x->type.base == KB_F32);
    else
        text_printf(t, "%lld", (long long)x->i);
}

static void print_operands(printer *p, const kinst *x) {
    for (int k = 0; k < x->args; k++) {
        if (k) text_puts(p->t, ", ");
        print_value(p, x->arg[k]);
    }
}

static void print_field(printer *p, const kinst *x, char field) {
    switch (field) {
    case 't': ktype_print(p->t, x->type); break;
    case 'e': text_puts(p->t, kbase_name((kbase)x->type.elem)); break;
    case 'n': text_printf(p->t, x->name ? " %s" : "%s", x->name ? x->name : ""); break;
    case 'd': text_printf(p->t, "%d", x->id); break;
    case 's': text_puts(p->t, scalars[x->scalar].name); break;
    case 'c': print_constant(p->t, x); break;
    case 'i': text_printf(p->t, "%lld", (long long)x->i); break;
    case 'k': text_puts(p->t, kloop_names[x->loop]); break;
    case 'f': text_puts(p->t, x->callee->name); break;
    case 'r': text_printf(p->t, "[%d][%d]", x->dim[0], x->dim[1]); break;
    case '+': print_operands(p, x); break;
    default: print_value(p, x->arg[field - '0']); break;
    }
}

static void print_block(printer *p, const kblock *b, int indent);

static void print_indent(text *t, int indent) {
    for (int k = 0; k < indent; k++) text_puts(t, "  ");
}

static void print_inst(printer *p, const kinst *x, int indent) {
    bool full = x->args == (x->op == K_LOAD ? 3 : 4);
    print_indent(p->t, indent);
    for (const char *f = formats[x->op]; *f && (*f != '?' || full); f++) {
        if (*f == '$')
            print_field(p, x, *++f);
        else if (*f != '?')
            text_add(p->t, f, 1);
    }
    text_puts(p->t, "\n");
    if (x->op != K_FOR && x->op != K_IF) return;
    print_block(p, &x->body, indent + 1);
    print_indent(p->t, indent);
    if (x->otherwise.first) {
        text_puts(p->t, "} else {\n");
        print_block(p, &x->otherwise, indent + 1);
        print_indent(p->t, indent);
    }
    text_puts(p->t, "}\n");
}

static void print_block(printer *p, const kblock *b, int indent) {
    for (const kinst *x = b->first; x; x = x->next)
        if (!stands_inline(x)) print_inst(p, x, indent);
}

void kfunc_print(text *t, const kfunc *f) {
    printer p = {t, f};
    text_printf(t, "%s %s(", f->micro ? "micro" : "kernel", f->name);
    for (int k = 0; k < f->params; k++) {
        text_printf(t, k ? ", %s: " : "%s: ", f->param[k].name);
        ktype_print(t, f->param[k].type);
    }
    text_printf(t, ") %s {\n", f->target->name);
    print_block(&p, &f->body, 1);
    text_puts(t, "}\n");
}
