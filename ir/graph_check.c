/* Invariants of a graph. What fails here is a bug of a pass or frontend, never the user's mistake. */
#include "ir/base/map.h"
#include "ir/op.h"

#include <string.h>

typedef struct checker {
    const graph *g;
    diags *d;
    bool *known;      /* by value id: defined above */
    const value **at; /* by value id */
    int depth;
    bool good;
} checker;

static void fault(checker *c, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void fault(checker *c, span at, const char *format, ...) {
    va_list list;
    va_start(list, format);
    diag_add(c->d, DIAG_ERROR, at, "internal: %s", arena_vprintf(c->d->arena, format, list));
    va_end(list);
    c->good = false;
}

/* Lanes and halos only where the layout's formula has the dimensions for them. */
static bool layout_fits(const value *v) {
    const layout *l = &v->layout;
    bool halo = l->left != 0 || l->right != 0, batched = shape_batched(&v->shape);
    int rank = v->shape.rank;
    if ((unsigned)l->kind >= LAYOUT_KINDS || l->left < 0 || l->right < 0 || l->groups < 0) return false;
    switch (l->kind) {
    case LAYOUT_BLOCKED16: return (rank == 4 || (rank == 3 && !batched)) && !l->groups;
    case LAYOUT_LANES16: return rank >= 1 && !batched && !halo && !l->groups;
    case LAYOUT_WEIGHTS16: return (rank == 2 || rank == 4) && !batched && !halo;
    case LAYOUT_PHASES16:
    case LAYOUT_WINOGRAD: return rank == 4 && !batched && !halo && l->groups;
    case LAYOUT_WEIGHTS1: return (rank == 2 || rank == 4) && !batched && !halo && !l->groups;
    default: return (!halo || rank == 3 || rank == 4) && !l->groups;
    }
}

static void check_value(checker *c, const value *v, span at) {
    if (v->id < 0 || v->id >= c->g->next_id) {
        fault(c, at, "value %d is not of this graph", v->id);
        return;
    }
    if (!shape_valid(&v->shape))
        fault(c, at, "%%%d has no valid shape", v->id);
    else if (!layout_fits(v))
        fault(c, at, "%%%d has a layout that its shape cannot have", v->id);
    if (c->at[v->id] && c->at[v->id] != v) fault(c, at, "two values have the id %d", v->id);
    c->at[v->id] = v;
}

static void define(checker *c, const value *v, value_kind kind) {
    check_value(c, v, v->at);
    if (v->kind != kind) fault(c, v->at, "%%%d is listed as what it is not", v->id);
    if (c->good) c->known[v->id] = true;
}

static void check_use(checker *c, const value *v, span at) {
    if (!v) {
        fault(c, at, "an operand is missing");
        return;
    }
    check_value(c, v, at);
    if (v->kind == VALUE_CONST) {
        if (!v->as.constant.data) fault(c, at, "%%%d is a constant without numbers", v->id);
    } else if (c->good && !c->known[v->id]) {
        fault(c, at, "%%%d is used above its definition", v->id);
    }
}

/* Inference again, on a copy of the node that has its own operands alone and fresh results. */
static void check_inference(checker *c, const node *n) {
    graph g = *c->g;
    diags d = {.arena = c->d->arena};
    g.arena = c->d->arena;
    node again = *n;
    again.inputs = n->own_inputs;
    again.attrs = attrs_copy(c->d->arena, n->op, n->attrs, false);
    if (n->op->outputs >= 0) node_set_outputs(&g, &again, n->op->outputs);
    if (!n->op->infer(&g, &again, &d)) {
        fault(c, n->at, "'%s' is no longer valid: %s", n->op->name,
              d.first ? d.first->text : "inference fails");
        return;
    }
    if (!attrs_equal(n->op, n->attrs, again.attrs))
        fault(c, n->at, "the attributes of '%s' are not as its inference leaves them", n->op->name);
    if (again.outputs != n->outputs)
        fault(c, n->at, "'%s' has %d results, not %d", n->op->name, n->outputs, again.outputs);
    for (int i = 0; i < n->outputs && i < again.outputs; i++)
        if (again.out[i]->type != n->out[i]->type || !shape_equal(&again.out[i]->shape, &n->out[i]->shape))
            fault(c, n->at, "the type of %%%d is not what '%s' gives", n->out[i]->id, n->op->name);
}

static void check_epilogue(checker *c, const node *n) {
    bool all = n->op->expression;
    int extra = n->inputs - n->own_inputs;
    if (extra < 0 || (all && extra))
        fault(c, n->at, "'%s' has %d own operands of %d", n->op->name, n->own_inputs, n->inputs);
    if (!n->epilogue && (all || extra))
        fault(c, n->at, "'%s' has no expression to read its operands", n->op->name);
    if (!n->epilogue) return;
    if (n->epilogue->inputs != (all ? n->inputs : 1 + extra))
        fault(c, n->at, "the expression of '%s' has the wrong number of inputs", n->op->name);
    if (!expr_valid(n->epilogue)) fault(c, n->at, "the expression of '%s' is malformed", n->op->name);
    for (int i = 0; !all && i < extra; i++) {
        shape s;
        const value *v = n->in[n->own_inputs + i];
        if (!shape_broadcast(&n->out[0]->shape, &v->shape, &s) || !shape_equal(&s, &n->out[0]->shape))
            fault(c, n->at, "operand %%%d of the epilogue does not fit the result of '%s'", v->id,
                  n->op->name);
    }
}

static bool check_graph(const graph *g, diags *d, int depth);

static void check_node(checker *c, const node *n) {
    if (!n || !n->op) {
        fault(c, (span){0}, "a dead node is left in the graph");
        return;
    }
    for (int i = 0; i < n->inputs; i++) check_use(c, n->in[i], n->at);
    for (int i = 0; i < n->outputs; i++) {
        if (c->good && c->known[n->out[i]->id]) fault(c, n->at, "%%%d is defined twice", n->out[i]->id);
        define(c, n->out[i], VALUE_NODE);
        if (n->out[i]->def != n || n->out[i]->result != i)
            fault(c, n->at, "%%%d names another maker", n->out[i]->id);
    }
    int most = n->op->inputs_max < 0 ? n->own_inputs : n->op->inputs_max;
    if (n->own_inputs < n->op->inputs_min || n->own_inputs > most)
        fault(c, n->at, "'%s' has %d operands", n->op->name, n->own_inputs);
    c->good &= attrs_check(n->op, n->attrs, n->at, c->d);
    if (!c->good) return;
    check_epilogue(c, n);
    check_inference(c, n);
    if (node_body(n) && !check_graph(node_body(n), c->d, c->depth + 1)) c->good = false;
}

static void check_state(checker *c, const value *v) {
    const value *next = v->as.next;
    if (!next) return;
    check_use(c, next, v->at);
    if (next->type != v->type || !shape_equal(&next->shape, &v->shape))
        fault(c, v->at, "state %%%d and its next value differ in type or shape", v->id);
}

static void check_update(checker *c, const update *u) {
    const value *to = u->target;
    if (!to || (to->kind != VALUE_PARAM && to->kind != VALUE_MOMENT)) {
        fault(c, (span){0}, "an update changes neither a parameter nor a moment");
        return;
    }
    check_use(c, to, to->at);
    check_use(c, u->next, to->at);
    if (c->good && (u->next->type != to->type || !shape_equal(&u->next->shape, &to->shape)))
        fault(c, to->at, "the update of %%%d differs from it in type or shape", to->id);
}

static void check_loss(checker *c, const value *loss) {
    if (!loss) return;
    check_use(c, loss, (span){0});
    if (c->good && loss->shape.rank != 0) fault(c, loss->at, "the loss is not one number");
}

/* Names that a host or a weight file uses must be there and differ. */
static void check_names(checker *c, value *const *list, int count) {
    map names = map_in(c->d->arena);
    for (int i = 0; i < count; i++) {
        if (!list[i]->name)
            fault(c, list[i]->at, "%%%d has no name", list[i]->id);
        else if (map_get(&names, list[i]->name))
            fault(c, list[i]->at, "two values are named '%s'", list[i]->name);
        else
            map_put(&names, list[i]->name, list[i]);
    }
}

static void check_interface(checker *c, const graph *g) {
    check_names(c, g->inputs.at, g->inputs.count);
    check_names(c, g->params.at, g->params.count);
    check_names(c, g->states.at, g->states.count);
    check_names(c, g->moments.at, g->moments.count);
    for (int i = 0; i < g->outputs.count; i++)
        if (!g->outputs.at[i].name) fault(c, g->outputs.at[i].value->at, "output %d has no name", i);
}

static bool check_graph(const graph *g, diags *d, int depth) {
    checker c = {.g = g, .d = d, .depth = depth, .good = true};
    c.known = NEW_ARRAY(d->arena, bool, g->next_id);
    c.at = NEW_ARRAY(d->arena, const value *, g->next_id);
    if (depth > GRAPH_DEPTH_MAX) fault(&c, (span){0}, "bodies lie more than %d deep", GRAPH_DEPTH_MAX);
    for (int i = 0; i < g->inputs.count; i++) define(&c, g->inputs.at[i], VALUE_INPUT);
    for (int i = 0; i < g->params.count; i++) define(&c, g->params.at[i], VALUE_PARAM);
    for (int i = 0; i < g->states.count; i++) define(&c, g->states.at[i], VALUE_STATE);
    for (int i = 0; i < g->moments.count; i++) define(&c, g->moments.at[i], VALUE_MOMENT);
    for (int i = 0; i < g->arguments.count; i++) define(&c, g->arguments.at[i], VALUE_BODY);
    for (int i = 0; i < g->nodes.count && c.good; i++) check_node(&c, g->nodes.at[i]);
    for (int i = 0; i < g->outputs.count; i++) check_use(&c, g->outputs.at[i].value, (span){0});
    for (int i = 0; i < g->states.count && c.good; i++) check_state(&c, g->states.at[i]);
    for (int i = 0; i < g->updates.count && c.good; i++) check_update(&c, &g->updates.at[i]);
    if (c.good) check_loss(&c, g->loss);
    if (depth == 0) check_interface(&c, g);
    return c.good;
}

bool graph_check(const graph *g, diags *d) {
    return check_graph(g, d, 0);
}
