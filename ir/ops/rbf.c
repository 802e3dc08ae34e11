/* rbf: the squared distance of every sample to every row of the weight, LeNet-5's last layer. */
#include "ir/ops/attrs.h"
#include "ir/ops/infer.h"

static bool infer(graph *g, node *n, diags *d) {
    const shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (!want_floats(n, d) || !want_weight(g, n, 1, 2, "[O,F]", d)) return false;
    if (x->rank != 2 || !shape_batched(x) || x->dim[1] != w->dim[1])
        return op_error(n, d, "cannot rbf %s with weight %s: the input must be [N,%lld]", shape_text(g, x),
                        shape_text(g, w), (long long)w->dim[1]);
    return give_shape(g, n, (shape){2, {DIM_N, w->dim[0]}}, d);
}

/* Σ over f of (x[N,1,F] - weight[O,F])² */
static void expand(graph *g, node *n, value **results) {
    int64_t features = n->in[0]->shape.dim[1];
    value *x = make_reshape(g, n, n->in[0], (shape){2, {1, features}});
    value *distance = make_two(g, n, "sub", x, n->in[1]);
    reduce_attrs last = {.axes = {1, {2}}};
    results[0] = make_with(g, n, "reduce_sum", make_two(g, n, "mul", distance, distance), &last);
}

#define SAMPLE(x, w)                                                                                         \
    "graph rbf\ninput %x f32" x "\nparam %w \"weight\" f32" w " trainable\n%y = rbf(%x, %w)\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,84]", "[10,84]"),
    SAMPLE("[N,5]", "[17,5]"),
    SAMPLE("[N,16]", "[1,16]"),
    SAMPLE("[N,1]", "[4,1]"),
    NULL,
};

static const char *const inputs[] = {"x", "weight", NULL};

const op op_rbf = {
    .name = "rbf",
    .summary = "squared distance to each row of the weight [O,F]",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = infer,
    .expand = expand,
    .samples = samples,
};
