/* A deep copy of a graph. Values keep their ids, so that tables by id serve both. */
#include "ir/op.h"

typedef struct cloner {
    arena *arena;
    graph *to;
    value **copies; /* by id of the original */
} cloner;

static value *clone_value(cloner *c, const value *v) {
    if (!v) return NULL;
    value **copy = &c->copies[v->id];
    if (!*copy) *copy = arena_copy(c->arena, v, sizeof *v);
    return *copy;
}

static value **clone_values(cloner *c, value *const *from, int count) {
    value **to = NEW_ARRAY(c->arena, value *, count);
    for (int i = 0; i < count; i++) to[i] = clone_value(c, from[i]);
    return to;
}

static node *clone_node(cloner *c, const node *n) {
    node *copy = arena_copy(c->arena, n, sizeof *n);
    copy->in = clone_values(c, n->in, n->inputs);
    copy->out = clone_values(c, n->out, n->outputs);
    for (int i = 0; i < n->outputs; i++) copy->out[i]->def = copy;
    if (n->op && n->attrs) copy->attrs = attrs_copy(c->arena, n->op, n->attrs, true);
    if (n->epilogue) copy->epilogue = expr_copy(c->arena, n->epilogue);
    copy->origin.at = arena_copy(c->arena, n->origin.at, (size_t)n->origin.count * sizeof *n->origin.at);
    copy->origin.room = n->origin.count;
    return copy;
}

/* A list of its own: what is pushed to one graph must not show in the other. */
#define CLONE_LIST(c, g, list, expression)                                                                   \
    do {                                                                                                     \
        (c)->to->list.at = arena_alloc((c)->arena, (size_t)(g)->list.count, sizeof *(g)->list.at);           \
        (c)->to->list.room = (g)->list.count;                                                                \
        for (int i = 0; i < (g)->list.count; i++) (c)->to->list.at[i] = (expression);                        \
    } while (0)

graph *graph_clone(arena *a, const graph *g) {
    cloner c = {.arena = a, .to = arena_copy(a, g, sizeof *g), .copies = NEW_ARRAY(a, value *, g->next_id)};
    c.to->arena = a;
    CLONE_LIST(&c, g, inputs, clone_value(&c, g->inputs.at[i]));
    CLONE_LIST(&c, g, params, clone_value(&c, g->params.at[i]));
    CLONE_LIST(&c, g, states, clone_value(&c, g->states.at[i]));
    CLONE_LIST(&c, g, moments, clone_value(&c, g->moments.at[i]));
    CLONE_LIST(&c, g, updates, g->updates.at[i]);
    CLONE_LIST(&c, g, arguments, clone_value(&c, g->arguments.at[i]));
    CLONE_LIST(&c, g, nodes, clone_node(&c, g->nodes.at[i]));
    CLONE_LIST(&c, g, outputs, g->outputs.at[i]);
    CLONE_LIST(&c, g, labels, g->labels.at[i]);
    CLONE_LIST(&c, g, scopes, g->scopes.at[i]);
    for (int i = 0; i < g->updates.count; i++)
        c.to->updates.at[i].target = clone_value(&c, g->updates.at[i].target);
    value **root;
    for (int k = 0; (root = graph_root(c.to, k)); k++) *root = clone_value(&c, *root);
    return c.to;
}
