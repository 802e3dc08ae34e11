/* group
 * Does:   makes one node of elementwise nodes that share operands or read each other and have results of one shape,
 *         so that one loop reads what they share once: the gates of a recurrent cell, a momentum and the parameter
 *         that it moves. The group stands where its last member stood. In bodies of scans too.
 * Needs:  fuse, which makes chains first.
 * Breaks: the members: passes after this one see `maps`, whose results are steps of one expression. */
#include "ir/ops/attrs.h"
#include "ir/ops/list.h"
#include "passes/edit.h"
#include "passes/passes.h"

enum {
    TENSORS = 12 /* operands and results of a group */,
    STEPS = 96,
    OPEN = 8 /* groups that may still grow */
};

typedef struct group {
    VEC(node *) members;
    VEC(value *) in; /* operands from outside */
    int steps;
} group;

typedef struct grouper {
    graph *g;
    arena *arena;
    int *uses;           /* by value id */
    int *step;           /* by value id: the step of the group being written that is it, plus 1 */
    const bool *weights; /* by value id: which region */
    int *group_of;       /* by value id: of the open group that makes it, plus 1 */
    group open[OPEN];
    int count;
    VEC(node *) order;
} grouper;

static bool holds(const group *p, const value *v) {
    for (int i = 0; i < p->in.count; i++)
        if (p->in.at[i] == v) return true;
    return false;
}

static bool made_inside(const group *p, const value *v) {
    for (int i = 0; i < p->members.count; i++)
        if (p->members.at[i]->out[0] == v) return true;
    return false;
}

static bool read_outside(const grouper *s, const group *p, const value *v) {
    int inside = 0;
    for (int j = 0; j < p->members.count; j++)
        for (int k = 0; k < p->members.at[j]->inputs; k++) inside += p->members.at[j]->in[k] == v;
    return s->uses[v->id] > inside;
}

static int results_of(const grouper *s, const group *p) {
    int results = 0;
    for (int i = 0; i < p->members.count; i++) results += read_outside(s, p, p->members.at[i]->out[0]);
    return results;
}

/* ---- writing a group ---- */

static int position(group *p, arena *a, value *v) {
    for (int i = 0; i < p->in.count; i++)
        if (p->in.at[i] == v) return i;
    VEC_PUSH(a, &p->in, v);
    return p->in.count - 1;
}

/* One number everywhere that the other operands do without: written into the expression. */
static bool is_number(const value *v) {
    return v->kind == VALUE_CONST && v->as.constant.splat && v->shape.rank == 0;
}

static void write_member(grouper *s, group *p, expr *whole, const node *n) {
    const expr *e = node_expr(s->arena, n);
    int base = whole->steps;
    for (int i = 0; i < e->steps; i++) {
        expr_step t = e->step[i];
        for (int k = 0; k < scalars[t.op].arity; k++) {
            expr_arg *a = &t.arg[k];
            if (a->kind == EXPR_STEP) a->index += base;
            if (a->kind != EXPR_INPUT) continue;
            value *v = n->in[a->index];
            if (s->step[v->id])
                *a = (expr_arg){.kind = EXPR_STEP, .index = s->step[v->id] - 1};
            else if (is_number(v))
                *a = (expr_arg){.kind = EXPR_CONST, .value = v->as.constant.data[0]};
            else
                a->index = position(p, s->arena, v);
        }
        whole->step[whole->steps++] = t;
    }
    s->step[n->out[0]->id] = whole->steps;
}

static void write_group(grouper *s, group *p) {
    expr e = {.step = NEW_ARRAY(s->arena, expr_step, p->steps)};
    maps_attrs attrs = {0};
    value **out = NEW_ARRAY(s->arena, value *, p->members.count);
    int results = 0;
    p->in.count = 0;
    for (int i = 0; i < p->members.count; i++) write_member(s, p, &e, p->members.at[i]);
    e.inputs = p->in.count;
    for (int i = 0; i < p->members.count; i++) {
        value *v = p->members.at[i]->out[0];
        if (read_outside(s, p, v)) {
            attrs.results.at[results] = s->step[v->id] - 1;
            out[results++] = v;
        }
        s->step[v->id] = 0;
    }
    attrs.results.count = results;
    node *last = p->members.at[p->members.count - 1], *m = NEW(s->arena, node);
    *m = (node){.op = &op_maps, .inputs = p->in.count, .own_inputs = p->in.count, .outputs = results};
    m->in = p->in.at;
    m->out = out;
    m->attrs = attrs_copy(s->arena, &op_maps, &attrs, false);
    m->epilogue = expr_copy(s->arena, &e);
    m->scope = last->scope;
    m->at = last->at;
    for (int k = 0; k < results; k++) {
        out[k]->def = m;
        out[k]->result = k;
    }
    for (int i = 0; i < p->members.count; i++) origin_add(s->arena, m, p->members.at[i]);
    VEC_PUSH(s->arena, &s->order, m);
}

/* ---- finding groups ---- */

static void number_groups(grouper *s) {
    for (int at = 0; at < s->count; at++)
        for (int i = 0; i < s->open[at].members.count; i++)
            s->group_of[s->open[at].members.at[i]->out[0]->id] = at + 1;
}

static void close_group(grouper *s, int at) {
    group *p = &s->open[at];
    for (int i = 0; i < p->members.count; i++) s->group_of[p->members.at[i]->out[0]->id] = 0;
    if (p->members.count == 1)
        VEC_PUSH(s->arena, &s->order, p->members.at[0]);
    else
        write_group(s, p);
    s->count--;
    for (int i = at; i < s->count; i++) s->open[i] = s->open[i + 1];
    number_groups(s);
}

/* Groups that make what n reads must stand before it. */
static void close_makers(grouper *s, const node *n) {
    for (int k = 0; k < n->inputs; k++)
        if (s->group_of[n->in[k]->id]) close_group(s, s->group_of[n->in[k]->id] - 1);
}

/* f32 by one loop, from f32. */
static bool fits_kind(const grouper *s, const node *n) {
    bool fits = node_elementwise(n) && n->inputs < TENSORS && node_expr(s->arena, n)->steps > 0;
    for (int k = 0; fits && k < n->inputs; k++) fits = n->in[k]->type == DT_F32;
    return fits && n->out[0]->type == DT_F32;
}

static bool related(const group *p, const node *n) {
    for (int k = 0; k < n->inputs; k++)
        if (made_inside(p, n->in[k]) ||
            (holds(p, n->in[k]) && shape_equal(&n->in[k]->shape, &n->out[0]->shape)))
            return true;
    return false;
}

/* All that is open may wait for n: a group is closed as soon as somebody outside reads it. */
static bool may_join(const grouper *s, const group *p, const node *n) {
    const value *first = p->members.at[0]->out[0];
    return shape_equal(&first->shape, &n->out[0]->shape) && related(p, n) &&
           s->weights[first->id] == s->weights[n->out[0]->id];
}

static void add_member(grouper *s, group *p, node *n) {
    VEC_PUSH(s->arena, &p->members, n);
    p->steps += node_expr(s->arena, n)->steps;
}

static bool within_limits(grouper *s, group *p) {
    int results = results_of(s, p);
    p->in.count = 0;
    for (int i = 0; i < p->members.count; i++)
        for (int k = 0; k < p->members.at[i]->inputs; k++)
            if (!made_inside(p, p->members.at[i]->in[k])) position(p, s->arena, p->members.at[i]->in[k]);
    return p->steps <= STEPS && results <= MAX_RANK && p->in.count + results <= TENSORS;
}

/* The groups marked, with n, as one that takes the place of the first of them; false where that is too large. */
static bool join(grouper *s, const bool *marked, node *n) {
    group all = {0};
    int into = -1, kept = 0;
    for (int at = 0; at < s->count; at++)
        for (int i = 0; marked[at] && i < s->open[at].members.count; i++)
            add_member(s, &all, s->open[at].members.at[i]);
    add_member(s, &all, n);
    if (!within_limits(s, &all)) return false;
    for (int at = 0; at < s->count; at++) {
        if (marked[at] && into >= 0) continue;
        if (marked[at]) into = kept;
        s->open[kept++] = s->open[at];
    }
    s->count = kept;
    s->open[into] = all;
    number_groups(s);
    return true;
}

static void open_group(grouper *s, node *n) {
    if (s->count == OPEN) close_group(s, 0);
    s->open[s->count] = (group){0};
    add_member(s, &s->open[s->count++], n);
    within_limits(s, &s->open[s->count - 1]);
    number_groups(s);
}

/* n joins the groups that it reads, or the youngest that it shares an operand with. */
static bool join_any(grouper *s, node *n) {
    bool marked[OPEN] = {false};
    int any = 0;
    for (int k = 0; k < n->inputs; k++) {
        int at = s->group_of[n->in[k]->id] - 1;
        if (at < 0 || marked[at] || !may_join(s, &s->open[at], n)) continue;
        marked[at] = true;
        any++;
    }
    for (int at = s->count; at-- > 0 && !any;)
        if (may_join(s, &s->open[at], n)) marked[at] = true, any++;
    for (int k = 0; k < n->inputs; k++) {
        int at = s->group_of[n->in[k]->id] - 1;
        if (at >= 0 && !marked[at]) return false; /* which must stand before n */
    }
    return any && join(s, marked, n);
}

static void take(grouper *s, node *n) {
    bool fits = fits_kind(s, n);
    if (fits && join_any(s, n)) return;
    close_makers(s, n);
    if (fits)
        open_group(s, n);
    else
        VEC_PUSH(s->arena, &s->order, n);
}

static void group_graph(graph *g) {
    grouper s = {.g = g, .arena = g->arena, .weights = graph_weight_region(g->arena, g)};
    s.uses = graph_use_counts(g->arena, g);
    s.group_of = NEW_ARRAY(g->arena, int, g->next_id);
    s.step = NEW_ARRAY(g->arena, int, g->next_id);
    for (int i = 0; i < g->nodes.count; i++) take(&s, g->nodes.at[i]);
    while (s.count) close_group(&s, 0);
    g->nodes.at = s.order.at;
    g->nodes.count = s.order.count;
    g->nodes.room = s.order.room;
}

void pass_group(pass_state *s) {
    each_graph(s->graph, group_graph);
}
