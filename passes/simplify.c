/* simplify
 * Does:   drops nodes that do nothing (identity, x + 0, x · 1, reshape to the same shape, slices of
 *         everything, pads by nothing, relu of relu, ...), joins views and transposes that follow each
 *         other, gives zero padding to the convolutions that read it, and drops what nobody reads: nodes,
 *         and operands and yields of scans.
 * Needs:  nothing.
 * Breaks: nothing: what remains computes the same numbers (x + 0 turns no -0.0 into 0.0 any more). */
#include "ir/ops/attrs.h"
#include "passes/edit.h"
#include "passes/passes.h"
#include "passes/scans.h"

#include <string.h>

typedef struct simplifier {
    edit r;
    const bool *convs_only; /* by id, of the values that were there: every reader convolves it */
    int known;
    bool changed;
} simplifier;

static bool same_tensor(const value *a, const value *b) {
    return a->type == b->type && shape_equal(&a->shape, &b->shape);
}

/* The node that made v, if it is of this op and nothing is attached to it. */
static const node *made_by(const value *v, const char *op_name) {
    const node *n = v->kind == VALUE_NODE ? v->def : NULL;
    return n && !n->epilogue && strcmp(n->op->name, op_name) == 0 ? n : NULL;
}

/* The input itself where that has the result's type and shape. */
static value *its_input(simplifier *s, node *n) {
    (void)s;
    return same_tensor(n->in[0], n->out[0]) ? n->in[0] : NULL;
}

/* Binary ops whose operand k may be this number without effect. */
static value *neutral(simplifier *s, node *n) {
    static const struct {
        scalar_op op;
        double number;
        bool either; /* else only the second operand */
    } table[] = {{S_ADD, 0, true}, {S_SUB, 0, false}, {S_MUL, 1, true}, {S_DIV, 1, false}, {S_POW, 1, false}};
    (void)s;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (n->op->scalar != table[i].op) continue;
        for (int k = table[i].either ? 0 : 1; k < 2; k++)
            if (value_is(n->in[k], table[i].number) && same_tensor(n->in[1 - k], n->out[0]))
                return n->in[1 - k];
    }
    return NULL;
}

/* f(f(x)) = f(x) */
static value *idempotent(simplifier *s, node *n) {
    (void)s;
    return made_by(n->in[0], n->op->name) ? n->in[0] : NULL;
}

/* f(f(x)) = x */
static value *involution(simplifier *s, node *n) {
    (void)s;
    const node *inner = made_by(n->in[0], n->op->name);
    return inner ? inner->in[0] : NULL;
}

static value *reshape_to(simplifier *s, const node *n, value *x, const shape *to) {
    reshape_attrs a = {0};
    for (int i = shape_batched(to); i < to->rank; i++) a.shape.at[a.shape.count++] = to->dim[i];
    return graph_make(s->r.graph, "reshape", &x, 1, &a, n->scope, n->at);
}

/* A view of a view is one view of what lies below. */
static value *view_of_view(simplifier *s, node *n) {
    value *root = n->in[0];
    while (root->kind == VALUE_NODE && root->def->op->view && !root->def->epilogue &&
           root->def->in[0]->type == root->type)
        root = root->def->in[0];
    if (same_tensor(root, n->out[0])) return root;
    return root == n->in[0] ? NULL : reshape_to(s, n, root, &n->out[0]->shape);
}

/* Axes longer than 1 keep their order: nothing moves. */
static bool moves_nothing(const ints *order, const shape *x) {
    int64_t last = -1;
    for (int i = 0; i < order->count; i++) {
        if (x->dim[order->at[i]] == 1) continue;
        if (order->at[i] < last) return false;
        last = order->at[i];
    }
    return true;
}

static value *transposed(simplifier *s, node *n) {
    transpose_attrs a = *(const transpose_attrs *)n->attrs;
    value *x = n->in[0];
    const node *inner = made_by(x, "transpose");
    if (inner) {
        const transpose_attrs *first = inner->attrs;
        for (int i = 0; i < a.order.count; i++) a.order.at[i] = first->order.at[a.order.at[i]];
        x = inner->in[0];
    }
    if (moves_nothing(&a.order, &x->shape)) {
        return same_tensor(x, n->out[0]) ? x : reshape_to(s, n, x, &n->out[0]->shape);
    }
    return inner ? graph_make(s->r.graph, "transpose", &x, 1, &a, n->scope, n->at) : NULL;
}

static value *only_part(simplifier *s, node *n) {
    return n->inputs == 1 && n->outputs == 1 ? its_input(s, n) : NULL;
}

/* Rows and columns of zeros, as a convolution pads by itself. */
static bool pads_image(const pad_attrs *p, const shape *x) {
    int axes = p->before.count;
    if (x->rank != 4 || axes != 3 || p->before.at[0] || p->after.at[0]) return false;
    return p->value == 0 && strcmp(p->mode, "constant") == 0;
}

static value *padded_conv(simplifier *s, node *n) {
    const node *pad = made_by(n->in[0], "pad");
    if (!pad || n->epilogue || n->in[0]->id >= s->known || !s->convs_only[n->in[0]->id]) return NULL;
    const pad_attrs *p = pad->attrs;
    if (!pads_image(p, &pad->in[0]->shape)) return NULL;
    conv_attrs a = *(const conv_attrs *)n->attrs;
    for (int k = 0; k < 2; k++) {
        a.pad[k] += p->before.at[1 + k];
        a.pad[2 + k] += p->after.at[1 + k];
        if (a.pad[k] > 1 << 20 || a.pad[2 + k] > 1 << 20) return NULL; /* far from inference's limit */
    }
    value **in = arena_copy(s->r.graph->arena, n->in, (size_t)n->inputs * sizeof *in);
    in[0] = pad->in[0];
    value *y = graph_make(s->r.graph, "conv2d", in, n->inputs, &a, n->scope, n->at);
    origin_add(s->r.graph->arena, y->def, (node *)pad);
    origin_add(s->r.graph->arena, y->def, n);
    return y;
}

typedef value *rule(simplifier *s, node *n);

static rule *rule_for(const op *o) {
    static const struct {
        const char *op;
        rule *apply;
    } rules[] = {
        {"identity", its_input},   {"cast", its_input},       {"slice", its_input},
        {"pad", its_input},        {"upsample", its_input},   {"add", neutral},
        {"broadcast", its_input},  {"sum_to", its_input},     {"sub", neutral},
        {"mul", neutral},          {"div", neutral},          {"pow", neutral},
        {"relu", idempotent},      {"abs", idempotent},       {"floor", idempotent},
        {"neg", involution},       {"reshape", view_of_view}, {"flatten", view_of_view},
        {"transpose", transposed}, {"concat", only_part},     {"split", only_part},
        {"conv2d", padded_conv},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].op, o->name) == 0) return rules[i].apply;
    return NULL;
}

/* Values that are read only as the image of convolutions. */
static bool *read_by_convs(graph *g) {
    int *uses = graph_use_counts(g->arena, g);
    for (int i = 0; i < g->nodes.count; i++)
        if (strcmp(g->nodes.at[i]->op->name, "conv2d") == 0) uses[g->nodes.at[i]->in[0]->id]--;
    bool *only = NEW_ARRAY(g->arena, bool, g->next_id);
    for (int i = 0; i < g->next_id; i++) only[i] = uses[i] == 0;
    return only;
}

/* Elementwise nodes broadcast by themselves: those that read `broadcast` read what it repeats, where the other
 * operands still make the result's shape. */
static value *own_broadcast(simplifier *s, node *n) {
    graph *g = s->r.graph;
    value **in = arena_copy(g->arena, n->in, (size_t)n->inputs * sizeof *in);
    shape all = {0};
    bool any = false;
    for (int k = 0; k < n->inputs; k++) {
        const node *repeat = made_by(in[k], "broadcast");
        if (repeat) in[k] = repeat->in[0];
        any |= repeat != NULL;
        if (!shape_broadcast(&all, &in[k]->shape, &all)) return NULL;
    }
    if (!any || !shape_equal(&all, &n->out[0]->shape)) return NULL;
    diags d = {.arena = g->arena};
    node *m = graph_node(g, n->op, in, n->inputs, NULL, n->scope, n->at, &d);
    if (m) m->epilogue = n->epilogue;
    return m ? m->out[0] : NULL;
}

static void simplify_node(simplifier *s, node *n) {
    if (node_body(n)) {
        s->changed |= scan_trim(&s->r, n);
        return;
    }
    rule *apply = n->epilogue ? NULL : rule_for(n->op);
    value *with = apply ? apply(s, n) : NULL;
    if (!with && node_elementwise(n)) with = own_broadcast(s, n);
    if (with)
        edit_replace(&s->r, n, &with);
    else
        edit_keep(&s->r, n);
    s->changed |= with != NULL;
}

static bool simplify_once(graph *g) {
    simplifier s = {.convs_only = read_by_convs(g), .known = g->next_id};
    s.r = edit_begin(g);
    for (node *n; (n = edit_next(&s.r));) simplify_node(&s, n);
    edit_end(&s.r);
    return s.changed;
}

/* A round may open the way for the next (a pad behind an identity); few ever do. */
static void simplify(graph *g) {
    enum { ROUNDS = 4 };
    for (int i = 0; i < ROUNDS && simplify_once(g); i++) continue;
}

void pass_simplify(pass_state *s) {
    each_graph(s->graph, simplify);
}
