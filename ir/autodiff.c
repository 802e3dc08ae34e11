/* The backward walk of autodiff.h. */
#include "ir/autodiff.h"

#include <string.h>

typedef struct walk {
    graph *graph;
    bool *leads; /* by id: a value whose gradient is wanted leads here */
    value **grads;
    diags *diags;
} walk;

static bool is_float(const value *v) {
    return v->type == DT_F32 || v->type == DT_F64;
}

static void want_all(bool *leads, value *const *leaves, int count) {
    for (int i = 0; i < count; i++) leads[leaves[i]->id] = is_float(leaves[i]);
}

/* Forward: what the wanted values lead to, through integers too, so that losing a gradient there is seen. */
static void mark(walk *w, const bool *wanted, int nodes) {
    graph *g = w->graph;
    if (wanted) {
        memcpy(w->leads, wanted, (size_t)g->next_id * sizeof *wanted);
    } else {
        want_all(w->leads, g->inputs.at, g->inputs.count);
        want_all(w->leads, g->params.at, g->params.count);
        want_all(w->leads, g->states.at, g->states.count);
        want_all(w->leads, g->arguments.at, g->arguments.count);
    }
    for (int i = 0; i < nodes; i++) {
        const node *n = g->nodes.at[i];
        bool any = false;
        for (int k = 0; k < n->inputs; k++) any |= w->leads[n->in[k]->id];
        for (int k = 0; k < n->outputs; k++) w->leads[n->out[k]->id] |= any;
    }
}

static void wrong_shape(const walk *w, const char *name) {
    trap_spring(w->graph->arena->trap,
                arena_printf(w->graph->arena, "internal error: the gradient of %s has another shape", name));
}

/* `by`: the node that made `gradient`; NULL for a seed. */
static void add_gradient(walk *w, const node *by, value *v, value *gradient) {
    if (!shape_equal(&v->shape, &gradient->shape)) wrong_shape(w, by ? by->op->name : "a result");
    value *sum[2] = {w->grads[v->id], gradient};
    if (sum[0]) gradient = graph_make(w->graph, "add", sum, 2, NULL, by ? by->scope : NULL, v->at);
    w->grads[v->id] = gradient;
}

/* A cast of integers only hides who made them. */
static bool no_gradient(walk *w, const node *n) {
    while (strcmp(n->op->name, "cast") == 0 && n->in[0]->kind == VALUE_NODE) n = n->in[0]->def;
    diag_add(
        w->diags, DIAG_ERROR, n->at,
        "cannot train through %s: it has no gradient, and weights before it lead to the loss through it; "
        "leave it out of what the loss reads, or freeze those weights",
        n->op->name);
    return false;
}

/* What a body's gradient reads of its steps is stacked over them, which takes an axis more. */
static bool stackable(walk *w, const node *n) {
    const graph *body = node_body(n);
    bool good = true;
    for (int i = 0; i < body->nodes.count; i++)
        for (int k = 0; k < body->nodes.at[i]->outputs; k++)
            good &= body->nodes.at[i]->out[k]->shape.rank < MAX_RANK;
    if (!good)
        diag_add(w->diags, DIAG_ERROR, n->at,
                 "cannot train through %s: its body makes a tensor of %d axes, which "
                 "cannot be kept for every step; reshape it to fewer",
                 n->op->name, MAX_RANK);
    return good;
}

/* Ops with a body differentiate it where they cannot report errors: these are found on a copy. */
static bool body_differentiable(walk *w, const graph *body) {
    graph *trial = graph_clone(w->graph->arena, body);
    int count = trial->outputs.count;
    value **results = NEW_ARRAY(trial->arena, value *, count),
          **seeds = NEW_ARRAY(trial->arena, value *, count);
    int floats = 0;
    for (int i = 0; i < count; i++) {
        value *v = results[floats] = trial->outputs.at[i].value;
        if (is_float(v)) seeds[floats++] = graph_splat(trial, v->type, v->shape, 1);
    }
    value **grads = NEW_ARRAY(trial->arena, value *, trial->next_id);
    return graph_differentiate(trial, results, seeds, floats, NULL, grads, w->diags);
}

static bool back_through(walk *w, node *n) {
    arena *a = w->graph->arena;
    value **out = NEW_ARRAY(a, value *, n->outputs), **in = NEW_ARRAY(a, value *, n->inputs);
    bool reached = false, matters = false;
    for (int k = 0; k < n->outputs; k++) reached |= (out[k] = w->grads[n->out[k]->id]) != NULL;
    for (int k = 0; k < n->inputs; k++) matters |= w->leads[n->in[k]->id];
    if (!reached || !matters) return true;
    if (!n->op->grad || n->epilogue) return no_gradient(w, n);
    if (node_body(n) && (!stackable(w, n) || !body_differentiable(w, node_body(n)))) return false;
    n->op->grad(w->graph, n, out, in);
    for (int k = 0; k < n->inputs; k++)
        if (in[k] && w->leads[n->in[k]->id]) add_gradient(w, n, n->in[k], in[k]);
    return true;
}

bool graph_differentiate(graph *g, value *const *results, value *const *seeds, int count, const bool *wanted,
                         value **grads, diags *d) {
    int nodes = g->nodes.count;
    walk w = {.graph = g, .leads = NEW_ARRAY(g->arena, bool, g->next_id), .grads = grads, .diags = d};
    memset(grads, 0, (size_t)g->next_id * sizeof *grads);
    mark(&w, wanted, nodes);
    for (int i = 0; i < count; i++) add_gradient(&w, NULL, results[i], seeds[i]);
    for (int i = nodes; i-- > 0;)
        if (!back_through(&w, g->nodes.at[i])) return false;
    return true;
}
