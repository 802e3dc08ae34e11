/* Graphs as text, one line a node. Constants are written where they are first used. */
#include "ir/graph_text.h"
#include "ir/kernel/lower.h"

#include <inttypes.h>
#include <string.h>

typedef struct printer {
    text *t;
    int indent;
    bool *written; /* constants, by id */
} printer;

void text_quoted(text *t, const char *s) {
    text_puts(t, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_printf(t, "\\%c", *s);
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            text_printf(t, "\\x%02x", (unsigned char)*s);
        else
            text_add(t, s, 1);
    }
    text_puts(t, "\"");
}

/* Bare where the reader takes it for a name and for nothing else. */
static void print_name(text *t, const char *s) {
    static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    bool bare = *s && strchr(letters, *s) &&
                s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")] == 0;
    for (int i = DT_F32; i <= DT_U8; i++) bare &= strcmp(s, dtype_name(i)) != 0;
    if (bare)
        text_puts(t, s);
    else
        text_quoted(t, s);
}

static void print_numbers(text *t, const double *x, int64_t count) {
    text_puts(t, "[");
    for (int64_t i = 0; i < count; i++) {
        if (i) text_puts(t, ",");
        text_real(t, x[i], false);
    }
    text_puts(t, "]");
}

static void print_type(text *t, const value *v) {
    static const layout plain = {0};
    text_puts(t, dtype_name(v->type));
    shape_print(t, &v->shape);
    if (layout_equal(&v->layout, &plain)) return;
    text_puts(t, " ");
    layout_print(t, &v->layout);
}

static void print_line(const printer *p) {
    text_printf(p->t, "%*s", p->indent, "");
}

/* "  input %0 image f32[N,3,224,224]" */
static void print_head(const printer *p, const char *word, const value *v) {
    print_line(p);
    text_printf(p->t, "%s %%%d ", word, v->id);
    if (v->name) {
        print_name(p->t, v->name);
        text_puts(p->t, " ");
    }
    print_type(p->t, v);
}

static void print_input(const printer *p, const value *v) {
    print_head(p, "input", v);
    if (v->as.input.mean) {
        text_puts(p->t, " normalize mean=");
        print_numbers(p->t, v->as.input.mean, v->as.input.channels);
        text_puts(p->t, " std=");
        print_numbers(p->t, v->as.input.std, v->as.input.channels);
    }
    if (v->as.input.bound) text_printf(p->t, " bound=%" PRId64, v->as.input.bound);
    text_puts(p->t, "\n");
}

static void print_param(const printer *p, const value *v) {
    const init_rule *i = &v->as.param.init;
    print_head(p, "param", v);
    if (v->as.param.trainable) text_puts(p->t, " trainable");
    if (i->rule) {
        text_printf(p->t, " init=%s(", i->rule);
        text_real(p->t, i->scale, false);
        text_printf(p->t, ", fan_in=%" PRId64 ", fan_out=%" PRId64 ")", i->fan_in, i->fan_out);
    }
    text_puts(p->t, "\n");
}

static void print_state(const printer *p, const value *v) {
    print_head(p, "state", v);
    if (v->as.next) text_printf(p->t, " next=%%%d", v->as.next->id);
    text_puts(p->t, "\n");
}

static void print_const(const printer *p, const value *v) {
    if (v->kind != VALUE_CONST || p->written[v->id]) return;
    p->written[v->id] = true;
    print_head(p, "const", v);
    text_puts(p->t, " ");
    if (v->as.constant.splat)
        text_real(p->t, v->as.constant.data[0], false);
    else
        print_numbers(p->t, v->as.constant.data, shape_count(&v->shape));
    text_puts(p->t, "\n");
}

static void print_operands(const printer *p, const node *n) {
    for (int i = 0; i < n->inputs; i++) {
        if (i) text_puts(p->t, i == n->own_inputs ? " | " : ", ");
        text_printf(p->t, "%%%d", n->in[i]->id);
    }
}

/* How it will be computed, if that was chosen among the op's ways. */
static void print_choice(const printer *p, const node *n) {
    for (const candidate *const *c = n->op->candidates; c && *c; c++)
        if (*c == n->choice) {
            text_puts(p->t, " by ");
            print_name(p->t, (*c)->name);
        }
}

static void print_node(const printer *p, const node *n) {
    for (int i = 0; i < n->inputs; i++) print_const(p, n->in[i]);
    print_line(p);
    for (int i = 0; i < n->outputs; i++) {
        text_printf(p->t, i ? ", %%%d" : "%%%d", n->out[i]->id);
        if (n->out[i]->name) {
            text_puts(p->t, " ");
            text_quoted(p->t, n->out[i]->name);
        }
    }
    text_printf(p->t, " = %s(", n->op->name);
    print_operands(p, n);
    text_puts(p->t, ")");
    text_print_attrs(p->t, n, p->indent);
    for (int i = 0; i < n->outputs; i++) {
        text_puts(p->t, i ? ", " : " : ");
        print_type(p->t, n->out[i]);
    }
    print_choice(p, n);
    if (n->scope) {
        text_puts(p->t, " @ ");
        text_quoted(p->t, n->scope->path);
    }
    text_puts(p->t, "\n");
}

static void print_outputs(const printer *p, const graph *g) {
    for (int i = 0; i < g->outputs.count; i++) print_const(p, g->outputs.at[i].value);
    for (int i = 0; i < g->states.count; i++)
        if (g->states.at[i]->as.next) print_const(p, g->states.at[i]->as.next);
    for (int i = 0; i < g->outputs.count; i++) {
        print_line(p);
        text_puts(p->t, "output ");
        if (g->outputs.at[i].name) {
            print_name(p->t, g->outputs.at[i].name);
            text_puts(p->t, " ");
        }
        text_printf(p->t, "%%%d\n", g->outputs.at[i].value->id);
    }
}

/* A training step: what it changes, and the loss. */
static void print_step(const printer *p, const graph *g) {
    for (int i = 0; i < g->updates.count; i++) {
        print_const(p, g->updates.at[i].next);
        print_line(p);
        text_printf(p->t, "update %%%d %%%d\n", g->updates.at[i].target->id, g->updates.at[i].next->id);
    }
    if (!g->loss) return;
    print_const(p, g->loss);
    print_line(p);
    text_printf(p->t, "loss %%%d\n", g->loss->id);
}

static void print_labels(const printer *p, const graph *g) {
    if (!g->labels.count) return;
    print_line(p);
    text_puts(p->t, "labels [");
    for (int i = 0; i < g->labels.count; i++) {
        if (i) text_puts(p->t, ", ");
        text_quoted(p->t, g->labels.at[i]);
    }
    text_puts(p->t, "]\n");
}

void text_print_graph(text *t, const graph *g, int indent) {
    printer p = {t, indent, NEW_ARRAY(t->arena, bool, g->next_id)};
    for (int i = 0; i < g->inputs.count; i++) print_input(&p, g->inputs.at[i]);
    for (int i = 0; i < g->params.count; i++) print_param(&p, g->params.at[i]);
    for (int i = 0; i < g->states.count; i++) print_state(&p, g->states.at[i]);
    for (int i = 0; i < g->moments.count; i++) {
        print_head(&p, "moment", g->moments.at[i]);
        text_puts(t, "\n");
    }
    for (int i = 0; i < g->arguments.count; i++) {
        print_head(&p, "argument", g->arguments.at[i]);
        text_puts(t, "\n");
    }
    for (int i = 0; i < g->nodes.count; i++)
        if (g->nodes.at[i]->op) print_node(&p, g->nodes.at[i]);
    print_outputs(&p, g);
    print_step(&p, g);
    print_labels(&p, g);
}

void graph_print(text *t, const graph *g) {
    text_puts(t, "graph ");
    print_name(t, g->name ? g->name : "net");
    text_puts(t, "\n");
    text_print_graph(t, g, 2);
}
