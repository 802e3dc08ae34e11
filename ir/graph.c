/* Building a graph: values, nodes, inference. */
#include "ir/base/size.h"
#include "ir/op.h"

#include <string.h>

graph *graph_new(arena *a, const char *name) {
    graph *g = NEW(a, graph);
    g->arena = a;
    g->name = name;
    return g;
}

/* Counts v's elements into the graph; false when the shape is wrong or the graph's numbers pass the limit. */
static bool admit(graph *g, const value *v) {
    return shape_valid(&v->shape) && size_add(g->numbers, shape_count(&v->shape), &g->numbers);
}

static value *blank(graph *g, value_kind kind) {
    value *v = NEW(g->arena, value);
    v->id = g->next_id++;
    v->kind = kind;
    return v;
}

static value *new_value(graph *g, value_kind kind, const char *name, dtype t, shape s, span at) {
    value *v = blank(g, kind);
    v->name = name;
    v->type = t;
    v->shape = s;
    v->at = at;
    if (!shape_valid(&s))
        trap_spring(g->arena->trap, "internal error: a value with a shape that was not checked");
    if (!admit(g, v)) trap_spring(g->arena->trap, "the net's tensors hold more than 2^46 numbers");
    return v;
}

value *graph_input(graph *g, const char *name, dtype t, shape s, span at) {
    value *v = new_value(g, VALUE_INPUT, name, t, s, at);
    VEC_PUSH(g->arena, &g->inputs, v);
    return v;
}

value *graph_param(graph *g, const char *name, shape s, bool trainable, init_rule init, span at) {
    value *v = new_value(g, VALUE_PARAM, name, DT_F32, s, at);
    v->as.param.trainable = trainable;
    v->as.param.init = init;
    VEC_PUSH(g->arena, &g->params, v);
    return v;
}

value *graph_state(graph *g, const char *name, shape s, span at) {
    value *v = new_value(g, VALUE_STATE, name, DT_F32, s, at);
    VEC_PUSH(g->arena, &g->states, v);
    return v;
}

value *graph_moment(graph *g, const char *name, shape s, span at) {
    value *v = new_value(g, VALUE_MOMENT, name, DT_F32, s, at);
    VEC_PUSH(g->arena, &g->moments, v);
    return v;
}

value *graph_argument(graph *g, const char *name, dtype t, shape s) {
    value *v = new_value(g, VALUE_BODY, name, t, s, (span){0});
    VEC_PUSH(g->arena, &g->arguments, v);
    return v;
}

value *graph_splat(graph *g, dtype t, shape s, double x) {
    value *v = new_value(g, VALUE_CONST, NULL, t, s, (span){0});
    v->as.constant.splat = true;
    v->as.constant.data = arena_copy(g->arena, &x, sizeof x);
    return v;
}

value *graph_scalar(graph *g, double x) {
    return graph_splat(g, DT_F32, (shape){0}, x);
}

value *graph_const(graph *g, dtype t, shape s, const double *x) {
    value *v = new_value(g, VALUE_CONST, NULL, t, s, (span){0});
    int64_t count = shape_count(&s);
    v->as.constant.splat = count == 1;
    v->as.constant.data = NEW_ARRAY(g->arena, double, count);
    memcpy(v->as.constant.data, x, (size_t)count * sizeof *x);
    return v;
}

void node_set_outputs(graph *g, node *n, int count) {
    n->outputs = count;
    n->out = NEW_ARRAY(g->arena, value *, count);
    for (int i = 0; i < count; i++) {
        value *v = n->out[i] = blank(g, VALUE_NODE);
        v->at = n->at;
        v->def = n;
        v->result = i;
    }
}

void node_set_epilogue(graph *g, node *n, const expr *e, value *const *extra, int count) {
    value **in = NEW_ARRAY(g->arena, value *, n->own_inputs + count);
    for (int i = 0; i < n->own_inputs; i++) in[i] = n->in[i];
    for (int i = 0; i < count; i++) in[n->own_inputs + i] = extra[i];
    n->in = in;
    n->inputs = n->own_inputs + count;
    n->epilogue = expr_copy(g->arena, e);
    n->epilogue->inputs = 1 + count;
}

/* "1 to 3 inputs (x, weight, bias)" */
static const char *wanted_inputs(arena *a, const op *o) {
    text t = text_in(a);
    text_printf(&t, "%d", o->inputs_min);
    if (o->inputs_max < 0)
        text_puts(&t, " or more");
    else if (o->inputs_max != o->inputs_min)
        text_printf(&t, " to %d", o->inputs_max);
    text_puts(&t, o->inputs_min == 1 && o->inputs_max == 1 ? " input" : " inputs");
    for (int i = 0; o->input_names && o->input_names[i] && (o->inputs_max < 0 || i < o->inputs_max); i++)
        text_printf(&t, "%s%s", i ? ", " : " (", o->input_names[i]);
    if (o->input_names && o->input_names[0]) text_puts(&t, ")");
    return t.at;
}

static bool inputs_fit(const graph *g, const op *o, int inputs, span at, diags *d) {
    if (g->nodes.count >= GRAPH_NODES_MAX) {
        diag_add(d, DIAG_ERROR, at, "the net has more than %d operations, which is netc's limit",
                 GRAPH_NODES_MAX);
        return false;
    }
    if (inputs >= o->inputs_min && (o->inputs_max < 0 || inputs <= o->inputs_max)) return true;
    diag_add(d, DIAG_ERROR, at, "'%s' takes %s, but %d %s given", o->name, wanted_inputs(d->arena, o), inputs,
             inputs == 1 ? "is" : "are");
    return false;
}

/* What inference gave must be tensors that netc can hold. */
static bool results_fit(graph *g, const node *n, diags *d) {
    for (int i = 0; i < n->outputs; i++) {
        const value *v = n->out[i];
        text t = text_in(d->arena);
        if (admit(g, v)) continue;
        if (v->shape.rank >= 0 && v->shape.rank <= MAX_RANK) shape_print(&t, &v->shape);
        diag_add(d, DIAG_ERROR, n->at, "'%s' gives %s, which %s", n->op->name,
                 t.at ? t.at : "a tensor of too many dimensions",
                 shape_valid(&v->shape) ? "makes the net's tensors pass 2^46 numbers in all"
                                        : "is empty or past 2^46 numbers");
        return false;
    }
    return true;
}

node *graph_node(graph *g, const op *o, value *const *in, int inputs, const void *attrs, scope *s, span at,
                 diags *d) {
    if (!inputs_fit(g, o, inputs, at, d)) return NULL;
    node *n = NEW(g->arena, node);
    *n = (node){.op = o, .inputs = inputs, .own_inputs = inputs, .scope = s, .at = at};
    n->attrs = attrs ? attrs_copy(g->arena, o, attrs, false) : op_defaults(g->arena, o);
    if (!attrs_check(o, n->attrs, at, d)) return NULL;
    n->in = arena_copy(g->arena, in, (size_t)inputs * sizeof *in);
    if (o->outputs >= 0) node_set_outputs(g, n, o->outputs);
    if (!o->infer(g, n, d) || !results_fit(g, n, d)) return NULL;
    VEC_PUSH(g->arena, &g->nodes, n);
    return n;
}

value *graph_make(graph *g, const char *op_name, value *const *in, int inputs, const void *attrs, scope *s,
                  span at) {
    const op *o = op_find(op_name);
    diags d = {.arena = g->arena};
    node *n = o ? graph_node(g, o, in, inputs, attrs, s, at, &d) : NULL;
    if (!n)
        trap_spring(g->arena->trap,
                    arena_printf(g->arena, "internal error: %s",
                                 o ? d.first->text : arena_printf(g->arena, "no op '%s'", op_name)));
    return n->out[0];
}
