/* Short forms in which gradients are written. */
#include "ir/ops/gradient.h"
#include "ir/ops/attrs.h"

value *make_three(graph *g, const node *n, const char *name, value *a, value *b, value *c,
                  const void *attrs) {
    value *in[3] = {a, b, c};
    return graph_make(g, name, in, 3, attrs, n->scope, n->at);
}

value *make_slice(graph *g, const node *n, value *v, int axis, int64_t start, int64_t stop) {
    if (start == 0 && stop == v->shape.dim[axis]) return v;
    slice_attrs a = {.axis = axis, .start = start, .stop = stop, .step = 1};
    return make_with(g, n, "slice", v, &a);
}

value *make_padded(graph *g, const node *n, value *v, int axis, int64_t before, int64_t after) {
    int batch = shape_batched(&v->shape);
    pad_attrs a = {
        .before.count = v->shape.rank - batch, .after.count = v->shape.rank - batch, .mode = "constant"};
    a.before.at[axis - batch] = before;
    a.after.at[axis - batch] = after;
    return before || after ? make_with(g, n, "pad", v, &a) : v;
}

value *make_turned(graph *g, const node *n, value *v) {
    int rank = v->shape.rank;
    transpose_attrs a = {.order.count = rank};
    for (int i = 0; i < rank; i++) a.order.at[i] = i;
    a.order.at[rank - 2] = rank - 1;
    a.order.at[rank - 1] = rank - 2;
    return make_with(g, n, "transpose", v, &a);
}

value *make_shape(graph *g, const node *n, value *v, shape s) {
    if (shape_equal(&v->shape, &s)) return v;
    int batch = shape_batched(&s);
    shape own = {.rank = s.rank - batch};
    for (int i = 0; i < own.rank; i++) own.dim[i] = s.dim[i + batch];
    return make_reshape(g, n, v, own);
}

value *make_zeros(graph *g, const node *n, shape s) {
    return make_broadcast(g, n, graph_scalar(g, 0), s);
}

static shape channels(const shape *x) {
    shape s = {.rank = x->rank - 1};
    for (int i = 0; i < s.rank; i++) s.dim[i] = i ? 1 : x->dim[1];
    return s;
}

value *make_channel_sum(graph *g, const node *n, value *v) {
    value *sum = make_sum_to(g, n, v, channels(&v->shape));
    return make_shape(g, n, sum, (shape){1, {v->shape.dim[1]}});
}

value *make_by_channel(graph *g, const node *n, value *v, const shape *x) {
    return make_shape(g, n, v, channels(x));
}

value *make_count(graph *g, const node *n, value *v) {
    double each = (double)shape_count(&v->shape);
    if (!shape_batched(&v->shape)) return graph_scalar(g, each);
    return make_scaled(g, n, make_one(g, n, "samples", v), each);
}
