/* Attributes as text: those that differ from the defaults, then the epilogue. */
#include "ir/graph_text.h"

#include <inttypes.h>
#include <string.h>

static void print_ints(text *t, const int64_t *x, int count) {
    text_puts(t, "[");
    for (int i = 0; i < count; i++) text_printf(t, i ? ",%" PRId64 : "%" PRId64, x[i]);
    text_puts(t, "]");
}

static void print_reals(text *t, const reals *r) {
    text_puts(t, "[");
    for (int i = 0; i < r->count; i++) {
        if (i) text_puts(t, ",");
        text_real(t, r->at[i], false);
    }
    text_puts(t, "]");
}

static void print_body(text *t, const graph *body, int indent) {
    text_puts(t, "{\n");
    text_print_graph(t, body, indent + 2);
    text_printf(t, "%*s}", indent, "");
}

/* Names of the language's own (modes) stand bare; anything else in quotes. */
static void print_word(text *t, const attr *at, const char *name) {
    if (at->choices)
        text_puts(t, name);
    else
        text_quoted(t, name);
}

static void print_value(text *t, const attr *at, const void *x, int indent) {
    switch (at->kind) {
    case ATTR_INT: text_printf(t, "%" PRId64, *(const int64_t *)x); break;
    case ATTR_REAL: text_real(t, *(const double *)x, false); break;
    case ATTR_BOOL: text_puts(t, *(const bool *)x ? "true" : "false"); break;
    case ATTR_PAIR: print_ints(t, x, 2); break;
    case ATTR_PADS: print_ints(t, x, 4); break;
    case ATTR_INTS: print_ints(t, ((const ints *)x)->at, ((const ints *)x)->count); break;
    case ATTR_REALS: print_reals(t, x); break;
    case ATTR_NAME: print_word(t, at, *(const char *const *)x); break;
    case ATTR_GRAPH: print_body(t, *(graph *const *)x, indent); break;
    }
}

static void print_epilogue(text *t, const node *n) {
    text e = text_in(t->arena);
    expr_print(&e, n->epilogue);
    text_puts(t, n->op->expression ? "expr=" : "epilogue=");
    text_quoted(t, e.at);
}

/* What stands before the next one: " {" where none was printed. */
static const char *print_listed(text *t, const op *o, const void *attrs, int indent) {
    const char *between = " {";
    for (const attr *at = o->attrs; at && at->name; at++) {
        if (!at->required && attr_standard(at, attrs)) continue;
        text_printf(t, "%s%s=", between, at->name);
        print_value(t, at, (const char *)attrs + at->offset, indent);
        between = ", ";
    }
    return between;
}

void attrs_print(text *t, const op *o, const void *attrs) {
    if (*print_listed(t, o, attrs, 0) == ',') text_puts(t, "}");
}

void text_print_attrs(text *t, const node *n, int indent) {
    const char *between = print_listed(t, n->op, n->attrs, indent);
    if (n->epilogue) {
        text_puts(t, between);
        print_epilogue(t, n);
        between = ", ";
    }
    if (*between == ',') text_puts(t, "}");
}
