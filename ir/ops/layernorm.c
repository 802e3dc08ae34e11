/* layernorm: each sample's last axes, as many as the weight has, made to mean 0 and variance 1. */
#include "ir/ops/attrs.h"
#include "ir/ops/infer.h"

enum { X, WEIGHT, BIAS };

static bool ends_with(const shape *x, const shape *w) {
    int shift = x->rank - w->rank;
    if (shift < 0 || w->rank < 1 || shape_batched(w) || (shift == 0 && shape_batched(x))) return false;
    for (int i = 0; i < w->rank; i++)
        if (x->dim[i + shift] != w->dim[i]) return false;
    return true;
}

static bool infer(graph *g, node *n, diags *d) {
    const shape *x = &n->in[X]->shape;
    if (!want_floats(n, d)) return false;
    for (int k = WEIGHT; k < n->own_inputs; k++)
        if (!ends_with(x, &n->in[k]->shape) || n->in[k]->shape.rank != n->in[WEIGHT]->shape.rank)
            return op_error(
                n, d,
                "cannot layernorm %s with %s %s: it must have the shape of the last axes, without the batch",
                shape_text(g, x), n->op->input_names[k], input_text(g, n, k));
    return give_shape(g, n, *x, d);
}

/* y = (x - mean) / √(variance + eps) · weight + bias */
static void expand(graph *g, node *n, value **results) {
    const norm_attrs *a = n->attrs;
    ints axes = {.count = n->in[WEIGHT]->shape.rank};
    for (int i = 0; i < axes.count; i++) axes.at[i] = n->in[X]->shape.rank - axes.count + i;
    value *mean = make_reduce(g, n, "reduce_mean", n->in[X], axes);
    value *centred = make_two(g, n, "sub", n->in[X], mean);
    value *variance = make_reduce(g, n, "reduce_mean", make_two(g, n, "mul", centred, centred), axes);
    value *scale = make_one(g, n, "rsqrt", make_two(g, n, "add", variance, graph_scalar(g, a->eps)));
    value *y = make_two(g, n, "mul", make_two(g, n, "mul", centred, scale), n->in[WEIGHT]);
    results[0] = n->own_inputs > BIAS ? make_two(g, n, "add", y, n->in[BIAS]) : y;
}

static const attr attributes[] = {
    {"eps", ATTR_REAL, offsetof(norm_attrs, eps), false, 1e-5, NULL},
    {0},
};

#define SAMPLE(x, w, attrs)                                                                                  \
    "graph layernorm\ninput %x f32" x "\nparam %w \"weight\" f32" w " trainable\nparam %b \"bias\" f32" w    \
    " trainable\n%y = layernorm(%x, %w, %b)" attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,20]", "[20]", ""),
    SAMPLE("[N,4,33]", "[33]", " {eps=0.001}"),
    SAMPLE("[N,3,4,5]", "[3,4,5]", ""),
    SAMPLE("[N,17,2,6]", "[2,6]", ""),
    "graph layernorm\ninput %x f32[N,9]\nparam %w \"weight\" f32[9] trainable\n%y = layernorm(%x, %w)\n"
    "output y %y\n",
    NULL,
};

static const char *const inputs[] = {"x", "weight", "bias", NULL};

const op op_layernorm = {
    .name = "layernorm",
    .summary = "the last axes made to mean 0 and variance 1, then scaled by weight and shifted by bias",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(norm_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .expand = expand,
    .samples = samples,
};
