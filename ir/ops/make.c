/* Short forms in which expansions write nodes. */
#include "ir/ops/attrs.h"
#include "ir/ops/infer.h"

value *make_one(graph *g, const node *n, const char *name, value *a) {
    return graph_make(g, name, &a, 1, NULL, n->scope, n->at);
}

value *make_two(graph *g, const node *n, const char *name, value *a, value *b) {
    value *in[2] = {a, b};
    return graph_make(g, name, in, 2, NULL, n->scope, n->at);
}

value *make_with(graph *g, const node *n, const char *name, value *a, const void *attrs) {
    return graph_make(g, name, &a, 1, attrs, n->scope, n->at);
}

value *make_reshape(graph *g, const node *n, value *v, shape s) {
    reshape_attrs attrs = {.shape.count = s.rank};
    for (int i = 0; i < s.rank; i++) attrs.shape.at[i] = s.dim[i];
    return make_with(g, n, "reshape", v, &attrs);
}

value *make_reduce(graph *g, const node *n, const char *name, value *v, ints axes) {
    reduce_attrs attrs = {.axes = axes, .keep = true};
    return make_with(g, n, name, v, &attrs);
}

static value *make_shaped(graph *g, const node *n, const char *name, value *v, shape s) {
    shape_attrs attrs = {.shape.count = s.rank};
    for (int i = 0; i < s.rank; i++) attrs.shape.at[i] = s.dim[i];
    return shape_equal(&v->shape, &s) ? v : make_with(g, n, name, v, &attrs);
}

value *make_broadcast(graph *g, const node *n, value *v, shape s) {
    return make_shaped(g, n, "broadcast", v, s);
}

value *make_sum_to(graph *g, const node *n, value *v, shape s) {
    return make_shaped(g, n, "sum_to", v, s);
}

value *make_scaled(graph *g, const node *n, value *v, double factor) {
    return make_two(g, n, "mul", v, graph_scalar(g, factor));
}
