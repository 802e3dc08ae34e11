/* fuse
 * Does:   makes one `map` of elementwise nodes that feed each other, and attaches maps to the node that
 *         makes one of their operands as its epilogue (bias, activation, residual), where the way that node
 *         will be computed allows it. Both in either region, never across, and in bodies of scans.
 * Needs:  the candidates' own judgement (candidate_of); simplify and cse leave more to fuse.
 * Breaks: the single steps: passes after this one see expressions. A value that others read is never fused
 *         away. */
#include "passes/edit.h"
#include "passes/passes.h"

#include <string.h>

enum {
    OPERANDS = 6, /* of a map: what a loop can stream at once */
    STEPS = 48    /* of an expression: far more than real chains have, few enough to copy freely */
};

typedef struct fuser {
    edit r;
    arena *arena;
    const bool *weights; /* by id: which region; fusion keeps ids */
    const op *map;
    int *made; /* by id: place in the new order of the node that makes it, from 1 */
} fuser;

/* An elementwise computation that grows: e of `in`, none of them twice. */
typedef struct chain {
    expr *e;
    VEC(value *) in;
    VEC(node *) members; /* nodes in it, the one that gives the result first */
} chain;

/* ---- expressions ---- */

/* Where v stands in the list, appended if it is not there. */
static int place_of(arena *a, chain *c, value *v) {
    for (int i = 0; i < c->in.count; i++)
        if (c->in.at[i] == v) return i;
    VEC_PUSH(a, &c->in, v);
    return c->in.count - 1;
}

/* Do the operands that stay, but for k, give the result's shape? */
static bool shape_without(const node *n, const expr_arg *map, int k) {
    shape s = {0};
    int stay = 0;
    for (int i = 0; i < n->inputs; i++) {
        shape both;
        if (i == k || map[i].kind == EXPR_CONST) continue;
        if (!shape_broadcast(&s, &n->in[i]->shape, &both)) return false;
        s = both;
        stay++;
    }
    return stay && shape_equal(&s, &n->out[0]->shape);
}

static bool known_scalar(const node *n, const expr_arg *map, int k) {
    const value *v = n->in[k];
    return v->kind == VALUE_CONST && shape_count(&v->shape) == 1 && shape_without(n, map, k);
}

/* n by itself: equal operands once, known scalars as constants of the expression. */
static chain chain_of(fuser *f, node *n) {
    chain c = {.e = expr_copy(f->arena, node_expr(f->arena, n))};
    expr_arg *map = NEW_ARRAY(f->arena, expr_arg, n->inputs);
    for (int k = 0; k < n->inputs; k++)
        if (known_scalar(n, map, k))
            map[k] = (expr_arg){.kind = EXPR_CONST, .value = n->in[k]->as.constant.data[0]};
    for (int k = 0; k < n->inputs; k++)
        if (map[k].kind != EXPR_CONST) map[k].index = place_of(f->arena, &c, n->in[k]);
    for (int i = 0; i < c.e->steps; i++)
        for (int k = 0; k < scalars[c.e->step[i].op].arity; k++)
            if (c.e->step[i].arg[k].kind == EXPR_INPUT) c.e->step[i].arg[k] = map[c.e->step[i].arg[k].index];
    c.e->inputs = c.in.count;
    VEC_PUSH(f->arena, &c.members, n);
    return c;
}

/* ---- elementwise chains ---- */

static bool same_region(const fuser *f, const value *a, const value *b) {
    return f->weights[a->id] == f->weights[b->id];
}

/* Do only nodes of the chain read v? */
static bool read_inside(fuser *f, const chain *c, const value *v) {
    int reads = 0;
    for (int i = 0; i < c->members.count; i++)
        for (int k = 0; k < c->members.at[i]->inputs; k++) reads += c->members.at[i]->in[k] == v;
    return edit_uses(&f->r, v) == reads;
}

/* May the chain for n take in what makes its operand v? */
static bool joins(fuser *f, const node *n, const chain *c, const value *v) {
    return v->kind == VALUE_NODE && v->type == n->out[0]->type && shape_equal(&v->shape, &n->out[0]->shape) &&
           same_region(f, v, n->out[0]) && read_inside(f, c, v);
}

static int steps_of(const node *n) {
    return n->epilogue ? n->epilogue->steps : node_elementwise(n);
}

/* The chain with operand `slot` computed inside; false where that is too much. */
static bool take_in(fuser *f, chain *c, int slot) {
    node *n = c->in.at[slot]->def;
    if (c->e->steps + steps_of(n) > STEPS) return false;
    chain inner = chain_of(f, n), both = {0};
    int *map_c = NEW_ARRAY(f->arena, int, c->in.count),
        *map_inner = NEW_ARRAY(f->arena, int, inner.in.count + 1);
    for (int k = 0; k < c->in.count; k++) {
        if (k != slot) map_c[k] = place_of(f->arena, &both, c->in.at[k]);
        for (int i = 0; k == slot && i < inner.in.count; i++)
            map_inner[i] = place_of(f->arena, &both, inner.in.at[i]);
    }
    if (both.in.count > OPERANDS) return false;
    both.e = expr_compose(f->arena, c->e, slot, map_c, inner.e, map_inner, both.in.count);
    if (!both.e) return false;
    both.members.at = c->members.at;
    both.members.count = c->members.count;
    both.members.room = c->members.room;
    VEC_PUSH(f->arena, &both.members, n);
    *c = both;
    return true;
}

/* Takes in what it can, nearest first, until nothing changes: what two members read joins once both are in.
 */
static chain grow_chain(fuser *f, node *n) {
    chain c = chain_of(f, n);
    for (bool again = true; again;) {
        again = false;
        for (int k = 0; k < c.in.count && !again; k++) {
            const value *v = c.in.at[k];
            again = joins(f, n, &c, v) && node_elementwise(v->def) && take_in(f, &c, k);
        }
    }
    return c;
}

static void name_origins(fuser *f, node *m, const chain *c) {
    for (int i = c->members.count; i-- > 0;) origin_add(f->arena, m, c->members.at[i]);
}

static node *map_node(fuser *f, node *n, const chain *c) {
    node *m = NEW(f->arena, node);
    *m = (node){.op = f->map, .inputs = c->in.count, .own_inputs = c->in.count, .in = c->in.at};
    m->scope = n->scope;
    m->at = n->at;
    m->epilogue = c->e;
    name_origins(f, m, c);
    return m;
}

/* ---- epilogues ---- */

/* The chain's operands but the carrier's result, asked for one after the other as they would be attached. */
static bool accepts(fuser *f, const node *carrier, const candidate *way, const chain *c, int slot) {
    node trial = *carrier;
    trial.in = NEW_ARRAY(f->arena, value *, carrier->inputs + c->in.count);
    memcpy(trial.in, carrier->in, (size_t)carrier->inputs * sizeof *trial.in);
    for (int k = 0; k < c->in.count; k++) {
        if (k == slot) continue;
        if (!same_region(f, c->in.at[k], carrier->out[0]) && !f->weights[c->in.at[k]->id]) return false;
        if (!way->epilogue(&trial, c->in.at[k])) return false;
        trial.in[trial.inputs++] = c->in.at[k];
    }
    return true;
}

/* How the node that makes operand `slot` would be computed, if the chain may be its epilogue. */
static bool carries(fuser *f, const node *n, const chain *c, int slot) {
    const value *v = c->in.at[slot];
    if (!joins(f, n, c, v) || node_elementwise(v->def) || v->def->outputs != 1) return false;
    if (c->e->steps + steps_of(v->def) > STEPS) return false;
    const candidate *way = candidate_of(v->def);
    return way && way->epilogue && accepts(f, v->def, way, c, slot);
}

static expr *identity(arena *a) {
    expr *e = NEW(a, expr);
    e->inputs = 1;
    e->step = NEW(a, expr_step);
    return e;
}

/* The carrier with the chain behind what it had attached already; NULL where that is too long. It runs where
 * n stood: all operands are there by then, and nobody has read it before. */
static node *with_epilogue(fuser *f, node *carrier, const chain *c, int slot) {
    int had = carrier->inputs - carrier->own_inputs, count = 1 + had;
    int *map_c = NEW_ARRAY(f->arena, int, c->in.count), *map_had = NEW_ARRAY(f->arena, int, count);
    value **extra = NEW_ARRAY(f->arena, value *, had + c->in.count);
    for (int k = 0; k < count; k++) map_had[k] = k;
    for (int k = 0; k < had; k++) extra[k] = carrier->in[carrier->own_inputs + k];
    for (int k = 0; k < c->in.count; k++) {
        if (k == slot) continue;
        extra[count - 1] = c->in.at[k];
        map_c[k] = count++;
    }
    const expr *before = carrier->epilogue ? carrier->epilogue : identity(f->arena);
    expr *e = expr_compose(f->arena, c->e, slot, map_c, before, map_had, count);
    if (!e) return NULL;
    node *m = arena_copy(f->arena, carrier, sizeof *carrier);
    memset(&m->origin, 0, sizeof m->origin);
    node_set_epilogue(f->r.graph, m, e, extra, count - 1);
    origin_add(f->arena, m, carrier);
    name_origins(f, m, c);
    return m;
}

/* Of several operands that could carry the chain the one made last: the others are there before it. */
static node *last_carrier(fuser *f, const node *n, const chain *c, int *slot) {
    const value *best = NULL;
    for (int k = 0; k < c->in.count; k++) {
        const value *v = c->in.at[k];
        if (carries(f, n, c, k) && (!best || f->made[v->id] > f->made[best->id])) best = v, *slot = k;
    }
    return best ? best->def : NULL;
}

static void fuse_node(fuser *f, node *n) {
    chain c = grow_chain(f, n);
    int slot = -1;
    node *carrier = last_carrier(f, n, &c, &slot), *m = carrier ? with_epilogue(f, carrier, &c, slot) : NULL;
    bool folded = c.in.count < n->inputs || c.members.count > 1;
    if (!m && folded) m = map_node(f, n, &c);
    if (m)
        edit_swap(&f->r, n, m);
    else
        edit_keep(&f->r, n);
}

/* ---- what is cheaper to compute again than to keep ---- */

static bool simple_step(scalar_op op_) {
    static const scalar_op simple[] = {S_ADD, S_SUB, S_MUL, S_NEG, S_MAX, S_MIN, S_RELU, S_SELECT};
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (simple[i] == op_) return true;
    return false;
}

/* Values that elementwise nodes alone read, several of them. */
static bool *read_by_chains(graph *g) {
    int *uses = graph_use_counts(g->arena, g), *chains = NEW_ARRAY(g->arena, int, g->next_id);
    bool *only = NEW_ARRAY(g->arena, bool, g->next_id);
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; k < g->nodes.at[i]->inputs && node_elementwise(g->nodes.at[i]); k++)
            chains[g->nodes.at[i]->in[k]->id]++;
    for (int i = 0; i < g->next_id; i++) only[i] = uses[i] > 1 && uses[i] == chains[i];
    return only;
}

/* One step or two of one large operand and small ones (x - mean by channel): whoever reads the result may as well
 * read the operand. */
static bool is_cheap(arena *a, const node *n) {
    enum { CHEAP = 2 };
    int large = 0;
    if (!node_elementwise(n) || steps_of(n) > CHEAP || !shape_batched(&n->out[0]->shape)) return false;
    for (int i = 0; i < node_expr(a, n)->steps; i++)
        if (!simple_step(node_expr(a, n)->step[i].op)) return false;
    for (int k = 0; k < n->inputs; k++) {
        if (!shape_batched(&n->in[k]->shape)) continue;
        if (!shape_equal(&n->in[k]->shape, &n->out[0]->shape)) return false;
        large++;
    }
    return large == 1;
}

static node *computed_again(graph *g, const node *n) {
    node *m = arena_copy(g->arena, n, sizeof *n);
    m->in = arena_copy(g->arena, n->in, (size_t)n->inputs * sizeof *n->in);
    node_set_outputs(g, m, 1);
    m->out[0]->type = n->out[0]->type;
    m->out[0]->shape = n->out[0]->shape;
    m->origin.room = m->origin.count; /* what is added to one must not show in the other */
    return m;
}

/* Gives every elementwise reader of a cheap node one of its own, in front of it, to be fused into it. */
static bool compute_again(graph *g) {
    VEC(node *) order = {0};
    bool *only = read_by_chains(g), any = false;
    int known = g->next_id;
    for (int i = 0; i < g->nodes.count; i++) {
        node *n = g->nodes.at[i];
        for (int k = 0; k < n->inputs && node_elementwise(n); k++) {
            const value *v = n->in[k];
            if (v->kind != VALUE_NODE || v->id >= known || !only[v->id] || !is_cheap(g->arena, v->def))
                continue;
            node *m = computed_again(g, v->def);
            n->in[k] = m->out[0];
            VEC_PUSH(g->arena, &order, m);
            any = true;
        }
        VEC_PUSH(g->arena, &order, n);
    }
    g->nodes.at = order.at;
    g->nodes.count = order.count;
    g->nodes.room = order.room;
    graph_prune(g);
    return any;
}

static void fuse_once(graph *g) {
    fuser f = {.arena = g->arena, .weights = graph_weight_region(g->arena, g), .map = op_find("map")};
    f.made = NEW_ARRAY(g->arena, int, g->next_id);
    f.r = edit_begin(g);
    for (node *n; (n = edit_next(&f.r));) {
        if (node_elementwise(n))
            fuse_node(&f, n);
        else
            edit_keep(&f.r, n);
        for (int k = 0; k < n->outputs; k++) f.made[n->out[k]->id] = g->nodes.count;
    }
    edit_end(&f.r);
}

/* What is left between chains after the first round is read by several of them. */
static void fuse(graph *g) {
    fuse_once(g);
    if (compute_again(g)) fuse_once(g);
}

void pass_fuse(pass_state *s) {
    each_graph(s->graph, fuse);
}
