/* fold-bn
 * Does:   takes a scale or shift by channel (one node of add, sub, mul, div with a value of weights alone, as
 *         batchnorm leaves two) into the weights and bias of the convolution or linear layer around it:
 *         - after conv2d, linear, conv_transpose2d:  w' = w·s, b' = b·s + t;
 *         - after a concat of such, each with its part of s and t;
 *         - before conv2d, linear: w' = w·s over the channels read, b' = b + Σ w·t; a shift only where no padding
 *           is, because padding is zero after the shift.
 *         The arithmetic on weights becomes nodes of the weights' region, which run in `prepare`.
 * Needs:  batchnorm as affine maps (eval).
 * Breaks: nothing: a layer that others read too is left alone. */
#include "ir/ops/attrs.h"
#include "ir/ops/infer.h"
#include "passes/edit.h"
#include "passes/passes.h"

#include <string.h>

enum { NESTED = 8 /* concats of concats that are looked through */ };

/* Ops whose result is linear in weights [O,I/groups,..] or, transposed, [I,O/groups,..]. */
typedef struct layer {
    const char *op;
    int from_right; /* axis of channels, in inputs and results, counted from the last axis */
    bool transposed;
} layer;

/* y = x OP by */
typedef struct affine {
    scalar_op op;
    value *x, *by;
} affine;

typedef struct folder {
    edit r;
    const bool *weights; /* by id, of the values that were there */
    int known;
    node *at; /* where new nodes belong */
} folder;

static const layer *layer_of(const op *o) {
    static const layer layers[] = {{"conv2d", 2, false}, {"linear", 0, false}, {"conv_transpose2d", 2, true}};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (strcmp(layers[i].op, o->name) == 0) return &layers[i];
    return NULL;
}

static int64_t groups_of(const node *n) {
    if (strcmp(n->op->name, "conv2d") == 0) return ((const conv_attrs *)n->attrs)->groups;
    if (strcmp(n->op->name, "conv_transpose2d") == 0) return ((const conv_transpose_attrs *)n->attrs)->groups;
    return 1;
}

/* ---- affine maps by channel ---- */

static bool is_weight(const folder *f, const value *v) {
    return !shape_batched(&v->shape) && (v->id >= f->known || f->weights[v->id]);
}

/* One value, or one for each of the channels that lie `from_right` axes from the last. */
static bool by_channel(const value *by, int from_right, int64_t channels) {
    for (int k = 0; k < by->shape.rank; k++) {
        int64_t size = by->shape.dim[by->shape.rank - 1 - k];
        if (size != 1 && (k != from_right || size != channels)) return false;
    }
    return true;
}

static bool affine_of(const folder *f, const node *n, affine *a) {
    scalar_op how = n->op->scalar;
    if (n->epilogue || (how != S_ADD && how != S_SUB && how != S_MUL && how != S_DIV)) return false;
    int orders = how == S_ADD || how == S_MUL ? 2 : 1;
    for (int k = 0; k < orders; k++) {
        *a = (affine){how, n->in[k], n->in[1 - k]};
        if (is_weight(f, a->by) && !is_weight(f, a->x) && shape_equal(&a->x->shape, &n->out[0]->shape))
            return true;
    }
    return false;
}

static bool is_scale(scalar_op how) {
    return how == S_MUL || how == S_DIV;
}

/* ---- arithmetic on weights ---- */

static value *reshaped(folder *f, value *v, shape s) {
    return shape_equal(&v->shape, &s) ? v : make_reshape(f->r.graph, f->at, v, s);
}

static value *combined(folder *f, scalar_op how, value *a, value *b) {
    return make_two(f->r.graph, f->at, scalars[how].name, a, b);
}

/* `by` as a vector of the channels, or of one value. */
static value *vector(folder *f, value *by) {
    return by->shape.rank ? reshaped(f, by, (shape){1, {shape_count(&by->shape)}}) : by;
}

/* Weights with their groups as an axis in front, [G,d0/G,d1,..]; as they are where there is one group. */
static shape grouped(const shape *w, int64_t groups) {
    if (groups == 1) return *w;
    shape s = {w->rank + 1, {groups, w->dim[0] / groups}};
    for (int i = 1; i < w->rank; i++) s.dim[i + 1] = w->dim[i];
    return s;
}

/* A vector of channels shaped to broadcast along axis 0 or 1 of the weights, of all their groups. */
static value *along(folder *f, value *vector, const shape *w, int axis, int64_t groups) {
    if (shape_count(&vector->shape) == 1) return vector;
    shape s = grouped(w, groups);
    int front = groups > 1;
    for (int i = front; i < s.rank; i++)
        if (i != axis + front) s.dim[i] = 1;
    return reshaped(f, vector, s);
}

static value *scaled_weight(folder *f, const node *n, value *w, scalar_op how, value *by, int axis) {
    int64_t groups = groups_of(n);
    value *split = reshaped(f, w, grouped(&w->shape, groups));
    return reshaped(f, combined(f, how, split, along(f, by, &w->shape, axis, groups)), w->shape);
}

/* bias OP by, where no bias is zeros and `by` may be one value for all. */
static value *moved_bias(folder *f, value *bias, scalar_op how, value *by, shape outputs) {
    if (!bias && is_scale(how)) return NULL;
    if (!bias && how == S_ADD && shape_equal(&by->shape, &outputs)) return by;
    if (!bias) bias = graph_splat(f->r.graph, by->type, outputs, 0);
    return combined(f, how, bias, by);
}

/* Σ w·t over what one output reads: [O]. */
static value *weighted_sum(folder *f, const node *n, value *w, value *by) {
    shape outputs = {1, {w->shape.dim[0]}};
    value *products = scaled_weight(f, n, w, S_MUL, by, 1);
    ints axes = {0};
    for (int i = 1; i < w->shape.rank; i++) axes.at[axes.count++] = i;
    return reshaped(f, make_reduce(f->r.graph, f->at, "reduce_sum", products, axes), outputs);
}

/* ---- after a layer ---- */

static bool only_reader(folder *f, const value *v) {
    return v->kind == VALUE_NODE && !v->def->epilogue && edit_uses(&f->r, v) == 1;
}

static int concat_axis(const node *n) {
    return strcmp(n->op->name, "concat") == 0 ? (int)((const axis_attrs *)n->attrs)->axis : -1;
}

/* Weight and bias are weights: in a scan's body they are arguments, and arithmetic on them would be done
 * again in every step. */
static bool weights_known(const folder *f, const node *n) {
    for (int k = 1; k < n->inputs; k++)
        if (!is_weight(f, n->in[k])) return false;
    return true;
}

/* Can v take in a map over the channels of this axis? A layer, or a concat along it of nothing but such. */
static bool takes(folder *f, const value *v, int from_right, int depth) {
    if (!only_reader(f, v)) return false;
    const layer *l = layer_of(v->def->op);
    if (l) return l->from_right == from_right && weights_known(f, v->def);
    if (concat_axis(v->def) != v->shape.rank - 1 - from_right || depth == NESTED) return false;
    for (int k = 0; k < v->def->inputs; k++)
        if (!takes(f, v->def->in[k], from_right, depth + 1)) return false;
    return true;
}

/* The layer n again, with other operands. */
static value *again(folder *f, node *n, value *x, value *w, value *bias) {
    value *in[3] = {x, w, bias};
    value *y = graph_make(f->r.graph, n->op->name, in, bias ? 3 : 2, n->attrs, n->scope, n->at);
    origin_add(f->r.graph->arena, y->def, n);
    return y;
}

static value *fold_layer(folder *f, node *n, scalar_op how, value *by) {
    value *w = n->in[1], *bias = n->inputs > 2 ? n->in[2] : NULL;
    const layer *l = layer_of(n->op);
    shape outputs = {1, {n->out[0]->shape.dim[n->out[0]->shape.rank - 1 - l->from_right]}};
    bias = moved_bias(f, bias, how, by, outputs);
    if (is_scale(how)) w = scaled_weight(f, n, w, how, by, l->transposed);
    value *y = again(f, n, n->in[0], w, bias);
    origin_add(f->r.graph->arena, y->def, f->at);
    return y;
}

/* Elements [start, stop) of a vector of channels. */
static value *part(folder *f, value *vector, int64_t start, int64_t stop) {
    if (shape_count(&vector->shape) == 1) return vector;
    slice_attrs a = {.axis = 0, .start = start, .stop = stop, .step = 1};
    return make_with(f->r.graph, f->at, "slice", vector, &a);
}

static value *fold_into(folder *f, value *v, scalar_op how, value *by) {
    node *n = v->def;
    int axis = concat_axis(n);
    if (axis < 0) return fold_layer(f, n, how, by);
    value **parts = NEW_ARRAY(f->r.graph->arena, value *, n->inputs);
    int64_t start = 0;
    for (int k = 0; k < n->inputs; k++) {
        int64_t stop = start + n->in[k]->shape.dim[axis];
        parts[k] = fold_into(f, n->in[k], how, part(f, by, start, stop));
        start = stop;
    }
    value *y = graph_make(f->r.graph, "concat", parts, n->inputs, n->attrs, n->scope, n->at);
    origin_add(f->r.graph->arena, y->def, n);
    return y;
}

static value *fold_after(folder *f, const node *n) {
    affine a;
    if (!affine_of(f, n, &a) || a.x->kind != VALUE_NODE) return NULL;
    const layer *l = layer_of(a.x->def->op);
    int axis = concat_axis(a.x->def), rank = a.x->shape.rank;
    if (!l && axis < 0) return NULL;
    int from_right = l ? l->from_right : rank - 1 - axis;
    if (!by_channel(a.by, from_right, a.x->shape.dim[rank - 1 - from_right]) || !takes(f, a.x, from_right, 0))
        return NULL;
    return fold_into(f, a.x, a.op, vector(f, a.by));
}

/* ---- before a layer ---- */

static bool pads_nothing(const node *n) {
    static const int64_t none[4] = {0};
    return strcmp(n->op->name, "linear") == 0 ||
           (strcmp(n->op->name, "conv2d") == 0 &&
            memcmp(((const conv_attrs *)n->attrs)->pad, none, sizeof none) == 0);
}

/* The map that made x, if the layer n may take it in. */
static bool takes_map(folder *f, const node *n, const value *x, affine *a) {
    int from_right = layer_of(n->op)->from_right;
    return only_reader(f, x) && affine_of(f, x->def, a) &&
           by_channel(a->by, from_right, x->shape.dim[x->shape.rank - 1 - from_right]) &&
           (is_scale(a->op) || pads_nothing(n));
}

static value *fold_before(folder *f, node *n) {
    affine a;
    if (!layer_of(n->op) || n->epilogue || !weights_known(f, n) || !takes_map(f, n, n->in[0], &a))
        return NULL;
    value *x = n->in[0], *w = n->in[1], *bias = n->inputs > 2 ? n->in[2] : NULL;
    shape outputs = {1, {n->out[0]->shape.dim[n->out[0]->shape.rank - 1 - layer_of(n->op)->from_right]}};
    VEC(node *) maps = {0};
    for (; takes_map(f, n, x, &a); x = a.x) {
        VEC_PUSH(f->r.graph->arena, &maps, x->def);
        if (is_scale(a.op))
            w = scaled_weight(f, n, w, a.op, vector(f, a.by), !layer_of(n->op)->transposed);
        else
            bias = moved_bias(f, bias, a.op, weighted_sum(f, n, w, vector(f, a.by)), outputs);
    }
    value *y = again(f, n, x, w, bias);
    for (int i = 0; i < maps.count; i++) origin_add(f->r.graph->arena, y->def, maps.at[i]);
    return y;
}

static void fold_graph(graph *g) {
    folder f = {.weights = graph_weight_region(g->arena, g), .known = g->next_id};
    f.r = edit_begin(g);
    for (node *n; (n = edit_next(&f.r));) {
        f.at = n;
        value *with = layer_of(n->op) ? fold_before(&f, n) : fold_after(&f, n);
        if (with)
            edit_replace(&f.r, n, &with);
        else
            edit_keep(&f.r, n);
    }
    edit_end(&f.r);
}

void pass_fold_bn(pass_state *s) {
    each_graph(s->graph, fold_graph);
}
