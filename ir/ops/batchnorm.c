/* batchnorm: in the neutral graph an op of its own, because evaluation and training mean different things by
 * it; for evaluation it expands into the affine map of its running statistics. */
#include "ir/ops/attrs.h"
#include "ir/ops/infer.h"

enum { X, WEIGHT, BIAS, MEAN, VAR };

static bool infer(graph *g, node *n, diags *d) {
    const shape *x = &n->in[X]->shape;
    if (!want_floats(n, d)) return false;
    if (x->rank < 2 || !shape_batched(x))
        return op_error(n, d, "cannot batchnorm %s: it takes [N,channels] or [N,channels,height,width]",
                        shape_text(g, x));
    for (int k = WEIGHT; k <= VAR; k++)
        if (!want_vector(g, n, k, x->dim[1], "channels", d)) return false;
    return give_shape(g, n, *x, d);
}

/* [C] as [C,1,1], so that it broadcasts along axis 1 of x. */
static value *by_channel(graph *g, node *n, value *v) {
    const shape *x = &n->in[X]->shape;
    shape s = {.rank = x->rank - 1};
    for (int i = 0; i < s.rank; i++) s.dim[i] = i ? 1 : x->dim[1];
    return s.rank == 1 ? v : make_reshape(g, n, v, s);
}

/* y = x·s + t, s = weight/√(var + eps), t = bias - mean·s */
static void expand(graph *g, node *n, value **results) {
    const norm_attrs *a = n->attrs;
    value *var = make_two(g, n, "add", n->in[VAR], graph_scalar(g, a->eps));
    value *s = make_two(g, n, "mul", n->in[WEIGHT], make_one(g, n, "rsqrt", var));
    value *t = make_two(g, n, "sub", n->in[BIAS], make_two(g, n, "mul", n->in[MEAN], s));
    value *scaled = make_two(g, n, "mul", n->in[X], by_channel(g, n, s));
    results[0] = make_two(g, n, "add", scaled, by_channel(g, n, t));
}

static const attr attributes[] = {
    {"eps", ATTR_REAL, offsetof(norm_attrs, eps), false, 1e-5, NULL},
    {"momentum", ATTR_REAL, offsetof(norm_attrs, momentum), false, 0.1, NULL},
    {0},
};

/* The variance is a product of itself, so that any numbers filled in make sense. */
#define SAMPLE(x, c, attrs)                                                                                  \
    "graph batchnorm\ninput %x f32" x "\nparam %w \"weight\" f32" c " trainable\nparam %b \"bias\" f32" c    \
    " trainable\nparam %m \"running_mean\" f32" c "\nparam %r \"running_var\" f32" c                         \
    "\n%v = mul(%r, %r)\n%y = batchnorm(%x, %w, %b, %m, %v)" attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,3,5,6]", "[3]", ""),   SAMPLE("[N,16,4,4]", "[16]", " {eps=0.001}"),
    SAMPLE("[N,37,3,2]", "[37]", ""), SAMPLE("[N,21]", "[21]", ""),
    SAMPLE("[N,6,5]", "[6]", ""),     NULL,
};

static const char *const inputs[] = {"x", "weight", "bias", "mean", "var", NULL};

const op op_batchnorm = {
    .name = "batchnorm",
    .summary = "each channel made to mean 0 and variance 1, then scaled by weight and shifted by bias",
    .inputs_min = 5,
    .inputs_max = 5,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(norm_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .expand = expand,
    .samples = samples,
};
