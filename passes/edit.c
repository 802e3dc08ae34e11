/* The walk of edit.h. */
#include "passes/edit.h"

#include <string.h>

/* Tables for ids up to the graph's newest. */
static void grow(edit *r) {
    int ids = r->graph->next_id;
    if (ids <= r->room) return;
    int room = ids < 2 * r->room ? 2 * r->room : ids;
    arena *a = r->graph->arena;
    r->uses = arena_grow(a, r->uses, (size_t)r->room, (size_t)room, sizeof *r->uses);
    r->with = arena_grow(a, r->with, (size_t)r->room, (size_t)room, sizeof *r->with);
    r->room = room;
}

edit edit_begin(graph *g) {
    edit r = {.graph = g, .old = g->nodes.at, .count = g->nodes.count, .room = g->next_id};
    r.uses = graph_use_counts(g->arena, g);
    r.with = NEW_ARRAY(g->arena, value *, g->next_id);
    memset(&g->nodes, 0, sizeof g->nodes);
    return r;
}

static value *now(const edit *r, value *v) {
    while (v && v->id < r->room && r->with[v->id]) v = r->with[v->id];
    return v;
}

/* Operands of nodes that were made since. */
static void count_new(edit *r) {
    grow(r);
    for (; r->counted < r->graph->nodes.count; r->counted++) {
        const node *n = r->graph->nodes.at[r->counted];
        for (int k = 0; k < n->inputs; k++) r->uses[n->in[k]->id]++;
    }
}

node *edit_next(edit *r) {
    count_new(r);
    if (r->next == r->count) return NULL;
    node *n = r->old[r->next++];
    for (int k = 0; k < n->inputs; k++) n->in[k] = now(r, n->in[k]);
    return n;
}

void edit_keep(edit *r, node *n) {
    count_new(r);
    VEC_PUSH(r->graph->arena, &r->graph->nodes, n);
    r->counted++;
}

static bool unread(const edit *r, const node *n) {
    for (int k = 0; k < n->outputs; k++)
        if (r->uses[n->out[k]->id]) return false;
    return true;
}

/* What only a node that goes has read is not read any more either, and so on up the graph. */
static void release(edit *r, node *n) {
    VEC(node *) going = {0};
    VEC_PUSH(r->graph->arena, &going, n);
    while (going.count) {
        node *next = going.at[--going.count];
        for (int k = 0; k < next->inputs; k++) {
            value *v = next->in[k];
            if (--r->uses[v->id] == 0 && v->kind == VALUE_NODE && unread(r, v->def))
                VEC_PUSH(r->graph->arena, &going, v->def);
        }
    }
}

void edit_replace(edit *r, node *n, value *const *with) {
    for (int i = r->counted; i < r->graph->nodes.count; i++)
        if (!r->graph->nodes.at[i]->origin.count) origin_add(r->graph->arena, r->graph->nodes.at[i], n);
    count_new(r);
    for (int k = 0; k < n->outputs; k++) {
        value *old = n->out[k], *new = now(r, with[k]);
        if (new == old) continue;
        r->with[old->id] = new;
        r->uses[new->id] += r->uses[old->id];
        r->uses[old->id] = 0;
        if (!new->name &&new->kind == VALUE_NODE) new->name = old->name;
    }
    release(r, n);
}

void edit_swap(edit *r, node *n, node *m) {
    m->out = n->out;
    m->outputs = n->outputs;
    for (int k = 0; k < m->outputs; k++) m->out[k]->def = m;
    VEC_PUSH(r->graph->arena, &r->graph->nodes, m);
    count_new(r);
    release(r, n);
}

int edit_uses(edit *r, const value *v) {
    count_new(r);
    return r->uses[v->id];
}

void edit_end(edit *r) {
    graph *g = r->graph;
    count_new(r);
    value **root;
    for (int k = 0; (root = graph_root(g, k)); k++) *root = now(r, *root);
    graph_prune(g);
}

/* Origins are for comments: past some, more say nothing. */
enum { ORIGINS = 64 };

static void origin_one(arena *a, node *to, node *n) {
    if (to->origin.count == ORIGINS) return;
    for (int i = 0; i < to->origin.count; i++)
        if (to->origin.at[i] == n) return;
    VEC_PUSH(a, &to->origin, n);
}

void origin_add(arena *a, node *to, node *n) {
    if (!n->origin.count) origin_one(a, to, n);
    for (int i = 0; i < n->origin.count; i++) origin_one(a, to, n->origin.at[i]);
}

static bool expand_once(graph *g, bool (*wanted)(const op *o)) {
    bool any = false;
    edit r = edit_begin(g);
    for (node *n; (n = edit_next(&r));) {
        if (!n->op->expand || !wanted(n->op)) {
            edit_keep(&r, n);
            continue;
        }
        value **results = NEW_ARRAY(g->arena, value *, n->outputs);
        n->op->expand(g, n, results);
        edit_replace(&r, n, results);
        any = true;
    }
    edit_end(&r);
    return any;
}

void expand_nodes(graph *g, bool (*wanted)(const op *o)) {
    while (expand_once(g, wanted)) continue;
}

void each_graph(graph *g, void (*pass)(graph *g)) {
    for (int i = 0; i < g->nodes.count; i++) {
        graph *body = node_body(g->nodes.at[i]);
        if (body) each_graph(body, pass);
    }
    pass(g);
}

bool value_is(const value *v, double x) {
    if (v->kind != VALUE_CONST) return false;
    int64_t count = v->as.constant.splat ? 1 : shape_count(&v->shape);
    for (int64_t i = 0; i < count; i++)
        if (v->as.constant.data[i] != x) return false;
    return true;
}
