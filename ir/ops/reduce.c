/* reduce_sum, reduce_mean, reduce_max over axes; argmax along one. Without axes all but the batch go. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

/* Axes as flags; false with an error for one that is not there, is the batch, or comes twice. */
static bool mark_axes(graph *g, const node *n, const ints *axes, bool marked[MAX_RANK], diags *d) {
    const shape *x = &n->in[0]->shape;
    for (int i = 0; i < axes->count; i++) {
        int64_t a = axes->at[i];
        if (!want_axis(g, n, &a, d)) return false;
        if (marked[a])
            return op_error(n, d, "cannot %s %s: axis %lld is given twice", n->op->name, shape_text(g, x),
                            (long long)a);
        marked[a] = true;
    }
    for (int i = shape_batched(x); !axes->count && i < x->rank; i++) marked[i] = true;
    return true;
}

/* x without the marked axes, or with size 1 there. */
static shape reduced(const shape *x, const bool marked[MAX_RANK], bool keep) {
    shape s = {0};
    for (int i = 0; i < x->rank; i++)
        if (!marked[i] || keep) s.dim[s.rank++] = marked[i] ? 1 : x->dim[i];
    return s;
}

static bool infer(graph *g, node *n, diags *d) {
    reduce_attrs *r = n->attrs;
    const shape *x = &n->in[0]->shape;
    bool marked[MAX_RANK] = {false};
    if (!want_floats(n, d) || !mark_axes(g, n, &r->axes, marked, d)) return false;
    r->axes.count = 0;
    for (int i = 0; i < x->rank; i++)
        if (marked[i]) r->axes.at[r->axes.count++] = i;
    if (!r->axes.count)
        return op_error(n, d, "cannot %s %s: it has no axis besides the batch", n->op->name,
                        shape_text(g, x));
    return give_shape(g, n, reduced(x, marked, r->keep), d);
}

static bool infer_argmax(graph *g, node *n, diags *d) {
    argmax_attrs *a = n->attrs;
    bool marked[MAX_RANK] = {false};
    if (!want_floats(n, d) || !want_axis(g, n, &a->axis, d)) return false;
    marked[a->axis] = true;
    return want_within(n, "size of the axis", n->in[0]->shape.dim[a->axis], 1, INT32_MAX, d) &&
           give(g, n, 0, DT_I32, reduced(&n->in[0]->shape, marked, a->keep), d);
}

/* A value of the result's shape with the axes that went. */
static value *widened(graph *g, const node *n, value *v) {
    const reduce_attrs *r = n->attrs;
    shape s = n->in[0]->shape;
    for (int i = 0; i < r->axes.count; i++) s.dim[r->axes.at[i]] = 1;
    return make_shape(g, n, v, s);
}

static void sum_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    in_grads[0] = make_broadcast(g, n, widened(g, n, out_grads[0]), n->in[0]->shape);
}

static void mean_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    double share = (double)shape_count(&n->out[0]->shape) / (double)shape_count(&n->in[0]->shape);
    value *scaled = make_scaled(g, n, widened(g, n, out_grads[0]), share);
    in_grads[0] = make_broadcast(g, n, scaled, n->in[0]->shape);
}

/* Several largest share the gradient, as in PyTorch's amax. */
static void max_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const reduce_attrs *r = n->attrs;
    value *largest = make_two(g, n, "eq", n->in[0], widened(g, n, n->out[0]));
    value *count = make_reduce(g, n, "reduce_sum", largest, r->axes);
    value *share = make_two(g, n, "div", widened(g, n, out_grads[0]), count);
    in_grads[0] = make_two(g, n, "mul", largest, share);
}

static const attr attributes[] = {
    {"axes", ATTR_INTS, offsetof(reduce_attrs, axes), false, 0, NULL},
    {"keep", ATTR_BOOL, offsetof(reduce_attrs, keep), false, 0, NULL},
    {0},
};

static const attr argmax_attributes[] = {
    {"axis", ATTR_INT, offsetof(argmax_attrs, axis), false, -1, NULL},
    {"keep", ATTR_BOOL, offsetof(argmax_attrs, keep), false, 0, NULL},
    {0},
};

#define SAMPLE(name, x, attrs) "graph " name "\ninput %x f32" x "\n%y = " name "(%x)" attrs "\noutput y %y\n"
#define SAMPLES(name)                                                                                        \
    SAMPLE(name, "[N,3,4,5]", " {axes=[2,3]}"), SAMPLE(name, "[N,20,3,3]", " {axes=[1], keep=true}"),        \
        SAMPLE(name, "[N,37]", ""), SAMPLE(name, "[N,5,18]", " {axes=[-1], keep=true}"),                     \
        SAMPLE(name, "[N,7,2,6]", " {axes=[1,3]}"), NULL

static const char *const sum_samples[] = {SAMPLES("reduce_sum")};
static const char *const mean_samples[] = {SAMPLES("reduce_mean")};
static const char *const max_samples[] = {SAMPLES("reduce_max")};
static const char *const argmax_samples[] = {
    SAMPLE("argmax", "[N,10]", ""),
    SAMPLE("argmax", "[N,19,3,2]", " {axis=1}"),
    SAMPLE("argmax", "[N,4,33]", " {keep=true}"),
    SAMPLE("argmax", "[N,2,5,7]", " {axis=-2}"),
    NULL,
};
static const char *const inputs[] = {"x", NULL};

#define REDUCE(word, does)                                                                                   \
    const op op_reduce_##word = {                                                                            \
        .name = "reduce_" #word,                                                                             \
        .summary = does " over axes",                                                                        \
        .inputs_min = 1,                                                                                     \
        .inputs_max = 1,                                                                                     \
        .outputs = 1,                                                                                        \
        .input_names = inputs,                                                                               \
        .attrs = attributes,                                                                                 \
        .attr_size = sizeof(reduce_attrs),                                                                   \
        .scalar = S_COUNT,                                                                                   \
        .infer = infer,                                                                                      \
        .grad = word##_grad,                                                                                 \
        .candidates = reduce_##word##_candidates,                                                            \
        .samples = word##_samples,                                                                           \
    }
REDUCE(sum, "the sum");
REDUCE(mean, "the mean");
REDUCE(max, "the largest");

const op op_argmax = {
    .name = "argmax",
    .summary = "the index of the largest along an axis, the first of several",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = argmax_attributes,
    .attr_size = sizeof(argmax_attrs),
    .scalar = S_COUNT,
    .infer = infer_argmax,
    .candidates = argmax_candidates,
    .samples = argmax_samples,
};
