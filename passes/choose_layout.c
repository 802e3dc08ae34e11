/* choose-layout: decides how every value lies in memory and writes the reorders that this takes.
 * Does:   asks each node's candidate what it wants; kinds go forward with the data, halos backward from the
 *         consumers. Puts a `reorder` wherever a value is wanted otherwise than it is made; weights are
 *         packed so, once, in the weights' region. Graph outputs, states and scan results end up planar and
 *         dense, each made by a node of its own; parameters that the forward region reads are copied to
 *         `packed`.
 * Needs:  choose-algorithm.
 * Breaks: nothing; topological order is restored at the end. */
#include "ir/ops/attrs.h"
#include "ir/ops/list.h"
#include "ir/ops/scan.h"
#include "passes/passes.h"

#include <string.h>

typedef struct want {
    layout *in; /* of every input of the node, as its candidate asked */
} want;

/* Reorders of one value: one serves all who want it so. */
typedef VEC(value *) copies;

typedef struct chooser {
    pass_state *state;
    graph *graph;
    node *scan;            /* whose body this is, NULL at the top */
    struct chooser *outer; /* of the graph around the body */
    const bool *outer_weights;
    want *wants;  /* by position in the node list as it was */
    node **nodes; /* that list */
    int count;
    copies *copies; /* by value id, of the values there were at first */
    int known;
    bool step; /* weights change from step to step of training: they are packed where they are read */
} chooser;

static bool is_scan(const node *n) {
    return n->op == &op_scan;
}

/* Made where no halo can be written: by the outside, a view, a scan, a strict candidate. */
static bool fixed_in_place(const value *v) {
    return v->kind != VALUE_NODE || v->def->op->view || is_scan(v->def) ||
           (v->def->choice && v->def->choice->strict);
}

static void set_layout(value *v, layout y) {
    v->layout = y;
    if (v->kind != VALUE_NODE || v->def->op != &op_reorder) return;
    reorder_attrs *a = v->def->attrs;
    *a = (reorder_attrs){layout_names[y.kind], y.left, y.right, y.groups};
}

static value *reorder(chooser *c, value *v, layout y, const node *by) {
    copies *known = v->id < c->known ? &c->copies[v->id] : NULL;
    for (int i = 0; known && i < known->count; i++)
        if (layout_equal(&known->at[i]->layout, &y)) return known->at[i];
    reorder_attrs a = {layout_names[y.kind], y.left, y.right, y.groups};
    value *r = graph_make(c->graph, "reorder", &v, 1, &a, by ? by->scope : NULL, by ? by->at : v->at);
    r->def->choice = candidate_of(r->def);
    if (known) VEC_PUSH(c->state->arena, known, r);
    return r;
}

/* Weights that a scan's body wants packed are packed outside and captured so. */
static value *capture_packed(chooser *c, value *argument, layout y, const node *by) {
    int at = 0;
    while (c->graph->arguments.at[at] != argument) at++;
    node *scan = c->scan;
    value *packed = reorder(c->outer, scan->in[at], y, by);
    for (int k = 0; k < scan->inputs; k++)
        if (scan->in[k] == packed) return c->graph->arguments.at[k];
    value *inner = graph_argument(c->graph, argument->name, argument->type, argument->shape);
    inner->layout = y;
    scan->in = arena_grow(c->outer->graph->arena, scan->in, (size_t)scan->inputs, (size_t)scan->inputs + 1,
                          sizeof *scan->in);
    scan->in[scan->inputs++] = packed;
    scan->own_inputs = scan->inputs;
    return inner;
}

static bool captured_weight(const chooser *c, const value *v) {
    if (!c->scan || v->kind != VALUE_BODY) return false;
    const scan_attrs *a = c->scan->attrs;
    for (int k = (int)(a->sequences + a->carries); k < c->graph->arguments.count; k++)
        if (c->graph->arguments.at[k] == v) return c->outer_weights[c->scan->in[k]->id] || c->step;
    return false;
}

static value *as_wanted(chooser *c, value *v, layout y, const node *by) {
    if (y.kind != LAYOUT_PLANAR && captured_weight(c, v)) return capture_packed(c, v, y, by);
    return reorder(c, v, y, by);
}

/* What n wants of its inputs; sets the kind of its results. */
static layout *ask(chooser *c, node *n) {
    layout *in = NEW_ARRAY(c->state->arena, layout, n->inputs + 1), out = {.kind = LAYOUT_PLANAR};
    if (n->op == &op_reorder) {
        in[0] = n->in[0]->layout;
        return in;
    }
    if (is_scan(n)) {
        const graph *body = ((scan_attrs *)n->attrs)->body;
        for (int k = 0; k < n->inputs; k++) in[k] = body->arguments.at[k]->layout;
        return in;
    }
    if (n->choice && n->choice->layouts) n->choice->layouts(n, in, &out);
    out.left = out.right = 0;
    for (int k = 0; k < n->outputs; k++) n->out[k]->layout = out;
    return in;
}

static bool same_kind(const layout *a, const layout *b) {
    return a->kind == b->kind && a->groups == b->groups;
}

/* Forward: kinds. */
static void choose_kinds(chooser *c) {
    for (int i = 0; i < c->count; i++) {
        node *n = c->nodes[i];
        layout *in = c->wants[i].in = ask(c, n);
        for (int k = 0; k < n->inputs; k++) {
            if (same_kind(&n->in[k]->layout, &in[k])) continue;
            layout y = in[k];
            y.left = y.right = 0;
            n->in[k] = as_wanted(c, n->in[k], y, n);
        }
    }
}

static void raise(layout *y, int left, int right) {
    if (left > y->left) y->left = left;
    if (right > y->right) y->right = right;
}

/* Backward: halos. Parts of a concat get the halo of the whole, so that they can be views of it. */
static void choose_halos(chooser *c) {
    for (int i = c->count - 1; i >= 0; i--) {
        node *n = c->nodes[i];
        for (int k = 0; k < n->inputs; k++) {
            layout *y = &c->wants[i].in[k];
            if (n->op == &op_concat) raise(y, n->out[0]->layout.left, n->out[0]->layout.right);
            if ((y->left == 0 && y->right == 0) || fixed_in_place(n->in[k])) continue;
            layout raised = n->in[k]->layout;
            raise(&raised, y->left, y->right);
            set_layout(n->in[k], raised);
        }
    }
}

/* A parameter, or what may be a view of one: what `prepare` alone can read. */
static bool is_param(const value *v) {
    while (v->kind == VALUE_NODE && (v->def->op->view || v->def->op == &op_slice || v->def->op == &op_split))
        v = v->def->in[0];
    return v->kind == VALUE_PARAM;
}

/* Where an input is still not as wanted: no halo where there must be one, or one where there must be none; or
 * a parameter read by the forward region. */
static void mend_inputs(chooser *c, const bool *weights) {
    for (int i = 0; i < c->count; i++) {
        node *n = c->nodes[i];
        bool strict = n->op->view || is_scan(n) || (n->choice && n->choice->strict);
        for (int k = 0; k < n->inputs; k++) {
            value *v = n->in[k];
            layout y = c->wants[i].in[k], have = v->layout;
            y.kind = have.kind;
            y.groups = have.groups;
            bool lacks = have.left < y.left || have.right < y.right;
            bool excess = strict && have.kind <= LAYOUT_BLOCKED16 && (have.left || have.right);
            if (lacks || excess) v = n->in[k] = reorder(c, v, y, n);
            bool forward = !weights[n->out[0]->id] && !c->step;
            if (is_param(v) && forward && n->op != &op_reorder) n->in[k] = reorder(c, v, v->layout, n);
        }
    }
}

/* v as a planar, dense value made by a node of its own that is no view. `taken` says it has another place. */
static value *as_result(chooser *c, value *v, bool taken) {
    layout planar = {.kind = LAYOUT_PLANAR};
    bool own = v->kind == VALUE_NODE && !v->def->op->view && !is_scan(v->def) && v->def->op != &op_split &&
               v->def->op != &op_slice;
    if (own && !taken && layout_equal(&v->layout, &planar)) return v;
    reorder_attrs a = {layout_names[LAYOUT_PLANAR], 0, 0, 0};
    const node *by = v->kind == VALUE_NODE ? v->def : NULL;
    value *r = graph_make(c->graph, "reorder", &v, 1, &a, by ? by->scope : NULL, v->at);
    r->def->choice = candidate_of(r->def);
    r->name = v->name;
    return r;
}

static bool listed_before(const graph *g, int i) {
    for (int j = 0; j < i; j++)
        if (g->outputs.at[j].value == g->outputs.at[i].value) return true;
    return false;
}

static bool concatenated(const graph *g, const value *v) {
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; g->nodes.at[i]->op == &op_concat && k < g->nodes.at[i]->inputs; k++)
            if (g->nodes.at[i]->in[k] == v) return true;
    return false;
}

/* A carry as the step found it: it lies in the carries' stack. */
static bool carried_in(const chooser *c, const value *v) {
    const scan_attrs *a = c->scan->attrs;
    for (int64_t k = 0; k < a->carries; k++)
        if (c->graph->arguments.at[a->sequences + k] == v) return true;
    return false;
}

static void mend_outputs(chooser *c) {
    graph *g = c->graph;
    for (int i = 0; i < g->outputs.count; i++) {
        value *v = g->outputs.at[i].value;
        int64_t carries = c->scan ? ((scan_attrs *)c->scan->attrs)->carries : 0;
        bool yield = c->scan && i >= carries; /* a yield may be a carry's value: they share the stack */
        bool shared = false;
        for (int j = 0; yield && j < carries; j++) shared |= g->outputs.at[j].value == v;
        if (shared || (yield && carried_in(c, v))) continue;
        value *r = as_result(c, v, listed_before(g, i) || concatenated(g, v));
        for (int j = i; j < g->outputs.count; j++) /* a yield goes with its carry */
            if (j == i || (c->scan && i < carries && j >= carries && g->outputs.at[j].value == v))
                g->outputs.at[j].value = r;
    }
    for (int i = 0; i < g->states.count; i++) {
        value *s = g->states.at[i];
        if (s->as.next) s->as.next = as_result(c, s->as.next, true);
    }
    for (int i = 0; i < g->updates.count; i++) {
        update *u = &g->updates.at[i];
        u->next = as_result(c, u->next, false);
    }
    if (g->loss) g->loss = as_result(c, g->loss, false);
}

static void choose_layouts(pass_state *s, graph *g, node *scan, chooser *outer, const bool *outer_weights);

static void choose_bodies(chooser *c, const bool *weights) {
    for (int i = 0; i < c->count; i++)
        if (is_scan(c->nodes[i]))
            choose_layouts(c->state, ((scan_attrs *)c->nodes[i]->attrs)->body, c->nodes[i], c, weights);
}

/* Pictures are converted from 8 bits while they are laid out for the first layer: that takes a node of its
 * own. */
static void lay_out_pixels(pass_state *s, graph *g) {
    for (int i = 0; s->options->pixels && i < g->inputs.count; i++) {
        value *v = g->inputs.at[i];
        if (!v->as.input.mean || v->shape.rank != 4) continue;
        reorder_attrs a = {layout_names[LAYOUT_PLANAR], 0, 0, 0};
        value *r = graph_make(g, "reorder", &v, 1, &a, NULL, v->at);
        node *copy = r->def;
        graph_replace(g, v, r);
        copy->in[0] = v;
        copy->choice = candidate_of(copy);
    }
    graph_sort(g);
}

static void choose_layouts(pass_state *s, graph *g, node *scan, chooser *outer, const bool *outer_weights) {
    chooser c = {.state = s, .graph = g, .scan = scan, .outer = outer, .outer_weights = outer_weights};
    c.step = s->graph->loss != NULL;
    c.count = g->nodes.count;
    c.nodes = arena_copy(s->arena, g->nodes.at, (size_t)c.count * sizeof *c.nodes);
    c.wants = NEW_ARRAY(s->arena, want, c.count);
    c.known = g->next_id;
    c.copies = NEW_ARRAY(s->arena, copies, c.known);
    choose_bodies(&c, graph_weight_region(s->arena, g));
    choose_kinds(&c);
    choose_halos(&c);
    bool *weights = graph_weight_region(s->arena, g);
    if (!scan)
        mend_inputs(&c, weights);
    else
        mend_inputs(&c, NEW_ARRAY(s->arena, bool, g->next_id));
    mend_outputs(&c);
    graph_sort(g);
}

void pass_choose_layout(pass_state *s) {
    if (!s->graph->loss) lay_out_pixels(s, s->graph);
    choose_layouts(s, s->graph, NULL, NULL, NULL);
}
