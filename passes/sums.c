/* sums
 * Does:   sums over the batch of what an elementwise node makes for nobody else take its expression in, and sums of
 *         equal shape that share operands become one node: batch norm's gradient reads its tensors once for both of its
 *         sums. In bodies of scans too.
 * Needs:  fuse, which makes one node of elementwise chains.
 * Breaks: the single steps: passes after this one see `map_sums`. */
#include "ir/ops/attrs.h"
#include "ir/ops/list.h"
#include "passes/edit.h"
#include "passes/passes.h"

enum {
    NEAR = 32 /* nodes behind the first sum among which others are looked for */,
    RESULTS = 4,
    OPERANDS = 8,
    STEPS = 48
};

typedef struct summer {
    graph *g;
    arena *arena;
    const int *uses; /* by value id */
    bool *later;     /* by value id: depends on a sum of the bundle being made */
    bool *taken;     /* by value id: of an elementwise node that a bundle took in */
} summer;

/* Sums that are taken together, and the nodes whose expressions they take in (NULL: none). */
typedef struct bundle {
    node *sum[RESULTS], *map[RESULTS];
    int count, last; /* position of the last sum */
    VEC(value *) in;
    int steps;
} bundle;

static bool is_sum(const node *n) {
    return n->op == &op_sum_to && n->in[0]->type == DT_F32 && n->op->candidates[0]->legal(n);
}

static bool is_number(const value *v) {
    return v->kind == VALUE_CONST && v->shape.rank == 0;
}

/* The elementwise node whose result only this sum reads. */
static node *taken_in(const summer *s, const node *sum) {
    value *v = sum->in[0];
    if (v->kind != VALUE_NODE || !node_elementwise(v->def) || s->uses[v->id] != 1) return NULL;
    for (int k = 0; k < v->def->inputs; k++)
        if (v->def->in[k]->type != DT_F32) return NULL;
    return v->def;
}

static int place_of(const bundle *b, const value *v) {
    for (int i = 0; i < b->in.count; i++)
        if (b->in.at[i] == v) return i;
    return -1;
}

/* May this sum join: its operands are there before the group's results are, some are shared, and it is not too much? */
static bool may_join(const summer *s, const bundle *b, const node *sum, const node *map) {
    value *const *in = map ? map->in : sum->in;
    int count = map ? map->inputs : 1, fresh = 0, more = map ? node_expr(s->arena, map)->steps : 1;
    bool shared = false;
    for (int k = 0; k < count; k++) {
        if (s->later[in[k]->id]) return false;
        bool known = place_of(b, in[k]) >= 0;
        shared |= known && shape_equal(&in[k]->shape, &sum->in[0]->shape);
        fresh += !known && !is_number(in[k]);
    }
    if (b->in.count + fresh > OPERANDS || b->steps + more > STEPS) return false;
    if (!b->count) return true;
    return shared && b->count < RESULTS && shape_equal(&b->sum[0]->out[0]->shape, &sum->out[0]->shape) &&
           shape_equal(&b->sum[0]->in[0]->shape, &sum->in[0]->shape);
}

static void join(summer *s, bundle *b, node *sum, node *map, int at) {
    value *const *in = map ? map->in : sum->in;
    for (int k = 0; k < (map ? map->inputs : 1); k++)
        if (place_of(b, in[k]) < 0 && !is_number(in[k])) VEC_PUSH(s->arena, &b->in, in[k]);
    b->steps += map ? node_expr(s->arena, map)->steps : 1;
    b->sum[b->count] = sum;
    b->map[b->count++] = map;
    b->last = at;
    s->later[sum->out[0]->id] = true;
}

/* Nodes that a bundle stands for: they are the origin of its node, so they stay as they are. */
static bool is_gone(const summer *s, const node *n) {
    return n->out[0]->def != n || s->taken[n->out[0]->id];
}

/* The bundle that begins with the sum at position `at`. */
static bundle bundle_at(summer *s, int at) {
    bundle b = {.last = at};
    node *first = s->g->nodes.at[at], *map = taken_in(s, first);
    if (!may_join(s, &b, first, map)) return b;
    join(s, &b, first, map, at);
    for (int i = at + 1; i < s->g->nodes.count && i <= at + NEAR; i++) {
        node *n = s->g->nodes.at[i];
        if (is_gone(s, n)) continue;
        if (is_sum(n) && may_join(s, &b, n, map = taken_in(s, n))) {
            join(s, &b, n, map, i);
            continue;
        }
        for (int k = 0; k < n->inputs; k++)
            for (int j = 0; j < n->outputs && s->later[n->in[k]->id]; j++) s->later[n->out[j]->id] = true;
    }
    return b;
}

/* Appends what member k sums; returns its last step. */
static int write_member(const summer *s, const bundle *b, int k, expr *whole) {
    const node *map = b->map[k];
    if (!map) {
        expr_step same = {.op = S_MUL, .arg = {{.kind = EXPR_INPUT, .index = place_of(b, b->sum[k]->in[0])}}};
        same.arg[1] = (expr_arg){.kind = EXPR_CONST, .value = 1};
        whole->step[whole->steps++] = same;
        return whole->steps - 1;
    }
    const expr *e = node_expr(s->arena, map);
    int base = whole->steps;
    for (int i = 0; i < e->steps; i++) {
        expr_step t = e->step[i];
        for (int j = 0; j < scalars[t.op].arity; j++) {
            expr_arg *a = &t.arg[j];
            if (a->kind == EXPR_STEP) a->index += base;
            if (a->kind != EXPR_INPUT) continue;
            const value *v = map->in[a->index];
            if (is_number(v))
                *a = (expr_arg){.kind = EXPR_CONST, .value = v->as.constant.data[0]};
            else
                a->index = place_of(b, v);
        }
        whole->step[whole->steps++] = t;
    }
    return whole->steps - 1;
}

static void write_bundle(summer *s, bundle *b) {
    const node *first = b->sum[0], *last = b->sum[b->count - 1];
    expr e = {.inputs = b->in.count, .step = NEW_ARRAY(s->arena, expr_step, b->steps)};
    map_sums_attrs attrs = {.shape = ((const shape_attrs *)first->attrs)->shape, .results.count = b->count};
    node *m = NEW(s->arena, node);
    *m = (node){.op = &op_map_sums, .inputs = b->in.count, .own_inputs = b->in.count, .outputs = b->count};
    m->in = b->in.at;
    m->out = NEW_ARRAY(s->arena, value *, b->count);
    m->scope = last->scope;
    m->at = last->at;
    for (int k = 0; k < b->count; k++) {
        attrs.results.at[k] = write_member(s, b, k, &e);
        value *v = m->out[k] = b->sum[k]->out[0];
        v->def = m;
        v->result = k;
        if (b->map[k]) origin_add(s->arena, m, b->map[k]);
        origin_add(s->arena, m, b->sum[k]);
    }
    m->attrs = attrs_copy(s->arena, &op_map_sums, &attrs, false);
    m->epilogue = expr_copy(s->arena, &e);
    for (int k = 0; k < b->count; k++)
        if (b->map[k]) s->taken[b->map[k]->out[0]->id] = true;
    s->g->nodes.at[b->last] = m;
}

static void sum_graph(graph *g) {
    summer s = {.g = g, .arena = g->arena, .uses = graph_use_counts(g->arena, g)};
    s.taken = NEW_ARRAY(g->arena, bool, g->next_id);
    for (int i = 0; i < g->nodes.count; i++) {
        node *n = g->nodes.at[i];
        if (is_gone(&s, n) || !is_sum(n)) continue;
        s.later = NEW_ARRAY(g->arena, bool, g->next_id);
        bundle b = bundle_at(&s, i);
        if (b.count > 1 || (b.count == 1 && b.map[0])) write_bundle(&s, &b);
    }
    int kept = 0;
    for (int i = 0; i < g->nodes.count; i++)
        if (!is_gone(&s, g->nodes.at[i])) g->nodes.at[kept++] = g->nodes.at[i];
    g->nodes.count = kept;
    graph_sort(g);
}

void pass_sums(pass_state *s) {
    each_graph(s->graph, sum_graph);
}
