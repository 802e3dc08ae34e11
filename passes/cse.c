/* cse
 * Does:   makes one of nodes that compute the same of the same values, and one of equal constants. In
 *         bodies of scans too.
 * Needs:  nothing; finds more after simplify.
 * Breaks: nothing. Parameters stay apart, whatever they hold; max(a, b) and max(b, a) too, as they differ
 *         on NaN. */
#include "ir/base/map.h"
#include "passes/edit.h"
#include "passes/passes.h"

#include <string.h>

/* Hash chains over nodes (or constants) that were met, newest first. */
typedef struct seen {
    uint64_t hash;
    node *node;
    value *constant;
    struct seen *next;
} seen;

enum { LARGEST = 64 /* numbers of constants that are compared */ };

typedef struct finder {
    edit r;
    arena *arena;
    seen **nodes, **constants;
    uint64_t buckets; /* of each */
} finder;

static bool commutes(const op *o) {
    return o->scalar == S_ADD || o->scalar == S_MUL || o->scalar == S_EQ || o->scalar == S_NE;
}

static uint64_t hash_text(const char *s, uint64_t h) {
    return s ? hash_bytes(s, strlen(s), h) : h;
}

static uint64_t hash_attr(const attr *at, const void *attrs, uint64_t h) {
    const void *p = (const char *)attrs + at->offset;
    switch (at->kind) {
    case ATTR_BOOL: return hash_bytes(p, sizeof(bool), h);
    case ATTR_INT: return hash_bytes(p, sizeof(int64_t), h);
    case ATTR_REAL: return hash_bytes(p, sizeof(double), h);
    case ATTR_PAIR: return hash_bytes(p, 2 * sizeof(int64_t), h);
    case ATTR_PADS: return hash_bytes(p, 4 * sizeof(int64_t), h);
    case ATTR_INTS:
        return hash_bytes(((const ints *)p)->at, (size_t)((const ints *)p)->count * sizeof(int64_t), h);
    case ATTR_REALS:
        return hash_bytes(((const reals *)p)->at, (size_t)((const reals *)p)->count * sizeof(double), h);
    case ATTR_NAME: return hash_text(*(const char *const *)p, h);
    case ATTR_GRAPH: return hash_bytes(p, sizeof(graph *), h);
    }
    return h;
}

static uint64_t hash_expr(const expr *e, uint64_t h) {
    for (int k = 0; k < e->steps; k++) {
        h = hash_bytes(&e->step[k].op, sizeof e->step[k].op, h);
        for (int i = 0; i < scalars[e->step[k].op].arity; i++) {
            const expr_arg *x = &e->step[k].arg[i];
            h = x->kind == EXPR_CONST ? hash_bytes(&x->value, sizeof x->value, h)
                                      : hash_bytes(&x->index, sizeof x->index, h + x->kind);
        }
    }
    return h;
}

static uint64_t hash_node(const node *n) {
    uint64_t h = hash_text(n->op->name, 0), operands = 0;
    for (int k = 0; k < n->inputs; k++) {
        uint64_t one = hash_bytes(&n->in[k]->id, sizeof n->in[k]->id, 0);
        operands = commutes(n->op) ? operands + one : operands * 31 + one;
    }
    for (const attr *at = n->op->attrs; at && at->name; at++) h = hash_attr(at, n->attrs, h);
    if (n->epilogue) h = hash_expr(n->epilogue, h);
    return h ^ operands;
}

static bool same_operands(const node *a, const node *b) {
    if (a->inputs != b->inputs || a->own_inputs != b->own_inputs) return false;
    if (commutes(a->op) && a->in[0] == b->in[1] && a->in[1] == b->in[0]) return true;
    return memcmp(a->in, b->in, (size_t)a->inputs * sizeof *a->in) == 0;
}

static bool same_node(const node *a, const node *b) {
    return a->op == b->op && a->outputs == b->outputs && same_operands(a, b) &&
           attrs_equal(a->op, a->attrs, b->attrs) && expr_equal(a->epilogue, b->epilogue);
}

static int64_t numbers(const value *v) {
    return v->as.constant.splat ? 1 : shape_count(&v->shape);
}

static bool same_constant(const value *a, const value *b) {
    return a->type == b->type && shape_equal(&a->shape, &b->shape) && numbers(a) == numbers(b) &&
           memcmp(a->as.constant.data, b->as.constant.data, (size_t)numbers(a) * sizeof(double)) == 0;
}

static void remember(finder *f, seen **bucket, seen e) {
    e.next = *bucket;
    *bucket = arena_copy(f->arena, &e, sizeof e);
}

static value *known_constant(finder *f, value *v) {
    if (numbers(v) > LARGEST) return v;
    uint64_t h =
        hash_bytes(v->as.constant.data, (size_t)numbers(v) * sizeof(double), (uint64_t)v->shape.rank);
    seen **bucket = &f->constants[h % f->buckets];
    for (const seen *e = *bucket; e; e = e->next)
        if (e->constant == v || (e->hash == h && same_constant(e->constant, v))) return e->constant;
    remember(f, bucket, (seen){.hash = h, .constant = v});
    return v;
}

/* The node met before that computes the same; n is remembered if there is none. */
static node *known_node(finder *f, node *n) {
    uint64_t h = hash_node(n);
    seen **bucket = &f->nodes[h % f->buckets];
    for (const seen *e = *bucket; e; e = e->next)
        if (e->hash == h && same_node(e->node, n)) return e->node;
    remember(f, bucket, (seen){.hash = h, .node = n});
    return NULL;
}

static void cse(graph *g) {
    finder f = {.arena = g->arena, .buckets = (uint64_t)g->nodes.count + 1};
    f.nodes = NEW_ARRAY(g->arena, seen *, f.buckets);
    f.constants = NEW_ARRAY(g->arena, seen *, f.buckets);
    f.r = edit_begin(g);
    for (node *n; (n = edit_next(&f.r));) {
        for (int k = 0; k < n->inputs; k++)
            if (n->in[k]->kind == VALUE_CONST) n->in[k] = known_constant(&f, n->in[k]);
        node *same = known_node(&f, n);
        if (!same) {
            edit_keep(&f.r, n);
            continue;
        }
        if (!same->origin.count) origin_add(g->arena, same, same);
        origin_add(g->arena, same, n);
        edit_replace(&f.r, n, same->out);
    }
    edit_end(&f.r);
}

void pass_cse(pass_state *s) {
    each_graph(s->graph, cse);
}
