/* hoist
 * Does:   moves out of a scan what need not be done step by step. What depends on captured values alone is
 *         computed once and captured in turn; a linear layer of a sequence's elements becomes one linear
 *         layer of the whole sequence [N,T,F], whose result is a new sequence, and so do elementwise nodes
 *         that lead to one.
 * Needs:  primitives.
 * Breaks: nothing. */
#include "passes/passes.h"
#include "passes/scans.h"

#include <string.h>

/* On what a value of the body depends. Constants count as captured, what cannot be told as carried. */
typedef enum dependence { ON_CAPTURED, ON_SEQUENCE, ON_CARRY } dependence;

typedef struct hoister {
    edit *outer; /* walks the graph that has the scan, and stands at it */
    edit inner;  /* walks the body */
    scan_lists lists;
    dependence *depends; /* by id of the body's values */
    bool *wanted;        /* by id: a product of whole sequences reads it */
    int known, room;     /* ids of the body before; of `outside` */
    value **outside;     /* by id of the body's values: the same outside, NULL if it is not there */
} hoister;

static bool is_product(const node *n) {
    return strcmp(n->op->name, "linear") == 0;
}

/* Can the node's value for all steps be one node outside? Its operands are elements of sequences [N,F] beside
 * captured values that broadcast to each of them. */
static bool works_on_sequences(const hoister *h, const node *n) {
    if (!is_product(n) && !node_elementwise(n)) return false;
    for (int k = 0; k < n->inputs; k++) {
        const shape *s = &n->in[k]->shape;
        bool element = h->depends[n->in[k]->id] == ON_SEQUENCE;
        if (element ? s->rank != 2 || !shape_batched(s) : shape_batched(s) || s->rank > 2) return false;
        if (is_product(n) && element != (k == 0)) return false;
    }
    return true;
}

static dependence result_depends(const hoister *h, const node *n) {
    dependence most = ON_CAPTURED;
    for (int k = 0; k < n->inputs; k++) {
        dependence d = h->depends[n->in[k]->id];
        if (d > most) most = d;
    }
    if (n->inputs > n->own_inputs) return ON_CARRY; /* fused already */
    return most == ON_SEQUENCE && !works_on_sequences(h, n) ? ON_CARRY : most;
}

static void classify_arguments(hoister *h, const graph *body) {
    for (int i = 0; i < body->params.count; i++) h->depends[body->params.at[i]->id] = ON_CARRY;
    for (int i = 0; i < body->inputs.count; i++) h->depends[body->inputs.at[i]->id] = ON_CARRY;
    for (int i = 0; i < body->states.count; i++) h->depends[body->states.at[i]->id] = ON_CARRY;
    for (int i = 0; i < h->lists.sequences.count; i++)
        h->depends[h->lists.sequences.at[i].inner->id] = ON_SEQUENCE;
    for (int i = 0; i < h->lists.carries.count; i++) h->depends[h->lists.carries.at[i].inner->id] = ON_CARRY;
}

static void classify(hoister *h, const graph *body) {
    h->depends = NEW_ARRAY(body->arena, dependence, h->known);
    h->wanted = NEW_ARRAY(body->arena, bool, h->known);
    classify_arguments(h, body);
    for (int i = 0; i < body->nodes.count; i++)
        for (int k = 0; k < body->nodes.at[i]->outputs; k++)
            h->depends[body->nodes.at[i]->out[k]->id] = result_depends(h, body->nodes.at[i]);
    for (int i = body->nodes.count; i-- > 0;) {
        const node *n = body->nodes.at[i];
        int y = n->out[0]->id;
        h->wanted[y] |= is_product(n);
        for (int k = 0; k < n->inputs && h->wanted[y] && h->depends[y] == ON_SEQUENCE; k++)
            h->wanted[n->in[k]->id] = true;
    }
}

static bool moves(const hoister *h, const node *n) {
    dependence d = h->depends[n->out[0]->id];
    return d == ON_CAPTURED || (d == ON_SEQUENCE && h->wanted[n->out[0]->id]);
}

static void set_outside(hoister *h, const value *inner, value *outer) {
    arena *a = h->outer->graph->arena;
    int room = inner->id < h->room ? h->room : 2 * inner->id + 16;
    if (room > h->room)
        h->outside = arena_grow(a, h->outside, (size_t)h->room, (size_t)room, sizeof *h->outside);
    h->room = room;
    h->outside[inner->id] = outer;
}

static value *outside(hoister *h, const value *v) {
    if (v->kind == VALUE_CONST && (v->id >= h->room || !h->outside[v->id])) {
        graph *g = h->outer->graph;
        const double *x = v->as.constant.data;
        bool splat = v->as.constant.splat;
        set_outside(h, v,
                    splat ? graph_splat(g, v->type, v->shape, x[0]) : graph_const(g, v->type, v->shape, x));
    }
    return h->outside[v->id];
}

/* A new argument of the body, listed with the operand that it stands for. */
static value *bring_in(hoister *h, const value *was, value *outer, bool sequence) {
    arena *a = h->outer->graph->arena;
    scan_operand o = {outer, graph_argument(h->inner.graph, was->name, was->type, was->shape)};
    if (sequence)
        VEC_PUSH(a, &h->lists.sequences, o);
    else
        VEC_PUSH(a, &h->lists.captured, o);
    set_outside(h, o.inner, outer);
    return o.inner;
}

/* Writes n outside and reads its results from there. */
static void move(hoister *h, node *n) {
    graph *g = h->outer->graph;
    diags d = {.arena = g->arena};
    bool sequence = h->depends[n->out[0]->id] == ON_SEQUENCE;
    value **in = NEW_ARRAY(g->arena, value *, n->inputs), **with = NEW_ARRAY(g->arena, value *, n->outputs);
    for (int k = 0; k < n->inputs; k++) in[k] = outside(h, n->in[k]);
    node *m = graph_node(g, n->op, in, n->inputs, n->attrs, n->scope, n->at, &d);
    if (!m) trap_spring(g->arena->trap, arena_printf(g->arena, "internal error: %s", d.first->text));
    m->epilogue = n->epilogue;
    origin_add(g->arena, m, n);
    for (int k = 0; k < n->outputs; k++) with[k] = bring_in(h, n->out[k], m->out[k], sequence);
    edit_replace(&h->inner, n, with);
}

static void hoist_from(edit *outer, node *scan) {
    graph *body = node_body(scan);
    hoister h = {.outer = outer, .lists = scan_open(body->arena, scan), .known = body->next_id};
    h.room = h.known;
    h.outside = NEW_ARRAY(outer->graph->arena, value *, h.room);
    classify(&h, body);
    for (int i = 0; i < h.lists.sequences.count; i++)
        set_outside(&h, h.lists.sequences.at[i].inner, h.lists.sequences.at[i].outer);
    for (int i = 0; i < h.lists.captured.count; i++)
        set_outside(&h, h.lists.captured.at[i].inner, h.lists.captured.at[i].outer);
    h.inner = edit_begin(body);
    bool any = false;
    for (node *n; (n = edit_next(&h.inner));) {
        if (moves(&h, n))
            move(&h, n);
        else
            edit_keep(&h.inner, n);
        any |= moves(&h, n);
    }
    edit_end(&h.inner);
    if (!any) {
        edit_keep(outer, scan);
        return;
    }
    scan_lists read = scan_read(body, &h.lists);
    scan_close(outer, scan, &read, NULL);
}

static void hoist(graph *g) {
    edit r = edit_begin(g);
    for (node *n; (n = edit_next(&r));) {
        if (strcmp(n->op->name, "scan") == 0)
            hoist_from(&r, n);
        else
            edit_keep(&r, n);
    }
    edit_end(&r);
}

void pass_hoist(pass_state *s) {
    each_graph(s->graph, hoist);
}
