/* batchnorm_train: batch normalisation by the batch's own mean and variance, which are results too, for the running
 * statistics. What passes make of batchnorm for training (Ioffe and Szegedy, 2015). */
#include "ir/ops/attrs.h"
#include "ir/ops/gradient.h"

enum { X, WEIGHT, BIAS };

static bool infer(graph *g, node *n, diags *d) {
    const shape *x = &n->in[X]->shape;
    if (!want_floats(n, d)) return false;
    if (x->rank < 2 || !shape_batched(x))
        return op_error(n, d, "cannot batchnorm_train %s: it takes [N,channels] or [N,channels,height,width]",
                        shape_text(g, x));
    for (int k = WEIGHT; k <= BIAS; k++)
        if (!want_vector(g, n, k, x->dim[1], "channels", d)) return false;
    shape channels = {1, {x->dim[1]}};
    return give_shape(g, n, *x, d) && give(g, n, 1, n->in[X]->type, channels, d) &&
           give(g, n, 2, n->in[X]->type, channels, d);
}

/* 1/√(var + eps) */
static value *inverse_deviation(graph *g, const node *n, value *var) {
    const norm_attrs *a = n->attrs;
    return make_one(g, n, "rsqrt", make_two(g, n, "add", var, graph_scalar(g, a->eps)));
}

/* y = x·s + t, s = weight/√(var + eps), t = bias - mean·s */
static void expand(graph *g, node *n, value **results) {
    const shape *x = &n->in[X]->shape;
    node *stats = make_one(g, n, "batch_stats", n->in[X])->def;
    value *s = make_two(g, n, "mul", n->in[WEIGHT], inverse_deviation(g, n, stats->out[1]));
    value *t = make_two(g, n, "sub", n->in[BIAS], make_two(g, n, "mul", stats->out[0], s));
    value *scaled = make_two(g, n, "mul", n->in[X], make_by_channel(g, n, s, x));
    results[0] = make_two(g, n, "add", scaled, make_by_channel(g, n, t, x));
    results[1] = stats->out[0];
    results[2] = stats->out[1];
}

static value *sum_of(graph *g, const node *n, value *a, value *b) {
    return a && b ? make_two(g, n, "add", a, b) : a ? a : b;
}

/* dbias = Σ dy, dweight = Σ dy·x̂, dx = weight·r·(dy - (dbias + x̂·dweight)/M) with r = 1/√(var + eps) and
 * x̂ = (x - mean)·r, as dy and x - mean times one number a channel each: a pass for the sums and one for dx. */
static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *x = &n->in[X]->shape;
    value *dy = out_grads[0] ? out_grads[0] : make_zeros(g, n, *x), *r = inverse_deviation(g, n, n->out[2]);
    value *centred = make_two(g, n, "sub", n->in[X], make_by_channel(g, n, n->out[1], x));
    value *scale = make_two(g, n, "mul", n->in[WEIGHT], r);
    in_grads[BIAS] = make_channel_sum(g, n, dy);
    in_grads[WEIGHT] = make_two(g, n, "mul", make_channel_sum(g, n, make_two(g, n, "mul", dy, centred)), r);
    value *slope = make_two(g, n, "mul", make_two(g, n, "mul", scale, r), in_grads[WEIGHT]);
    value *shift = make_two(g, n, "mul", scale, in_grads[BIAS]);
    slope =
        sum_of(g, n, make_one(g, n, "neg", slope), out_grads[2] ? make_scaled(g, n, out_grads[2], 2) : NULL);
    shift = sum_of(g, n, make_one(g, n, "neg", shift), out_grads[1]);
    int64_t each = shape_count(x) / x->dim[1];
    value *count = make_scaled(g, n, make_one(g, n, "samples", dy), (double)each);
    slope = make_by_channel(g, n, make_two(g, n, "div", slope, count), x);
    shift = make_by_channel(g, n, make_two(g, n, "div", shift, count), x);
    value *direct = make_two(g, n, "mul", dy, make_by_channel(g, n, scale, x));
    value *through = make_two(g, n, "add", make_two(g, n, "mul", centred, slope), shift);
    in_grads[X] = make_two(g, n, "add", direct, through);
}

static const attr attributes[] = {
    {"eps", ATTR_REAL, offsetof(norm_attrs, eps), false, 1e-5, NULL},
    {0},
};

#define SAMPLE(x, c, attrs)                                                                                  \
    "graph batchnorm_train\ninput %x f32" x "\nparam %w \"weight\" f32" c                                    \
    " trainable\nparam %b \"bias\" f32" c " trainable\n%y, %m, %v = batchnorm_train(%x, %w, %b)" attrs       \
    "\noutput y %y\noutput m %m\noutput v %v\n"

static const char *const samples[] = {
    SAMPLE("[N,3,5,6]", "[3]", ""),   SAMPLE("[N,16,4,4]", "[16]", " {eps=0.001}"),
    SAMPLE("[N,37,3,2]", "[37]", ""), SAMPLE("[N,21]", "[21]", " {eps=0.1}"),
    SAMPLE("[N,6,5]", "[6]", ""),     NULL,
};

static const char *const inputs[] = {"x", "weight", "bias", NULL};

const op op_batchnorm_train = {
    .name = "batchnorm_train",
    .summary = "each channel of the batch made to mean 0 and variance 1, then scaled and shifted; its mean "
               "and variance",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 3,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(norm_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .expand = expand,
    .grad = grad,
    .samples = samples,
};
