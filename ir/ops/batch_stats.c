/* batch_stats: mean and (biased) variance of every channel over samples and positions, what batch normalisation
 * divides by while it trains. */
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool infer(graph *g, node *n, diags *d) {
    const shape *x = &n->in[0]->shape;
    if (!want_floats(n, d)) return false;
    if (!shape_batched(x) || x->rank < 2)
        return op_error(n, d, "cannot batch_stats %s: it takes [N,channels] or more axes", shape_text(g, x));
    shape s = {1, {x->dim[1]}};
    return give(g, n, 0, n->in[0]->type, s, d) && give(g, n, 1, n->in[0]->type, s, d);
}

/* dx = (dmean + 2·(x - mean)·dvar) / M */
static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *x = n->in[0], *sum = NULL;
    int64_t each = shape_count(&x->shape) / x->shape.dim[1];
    value *count = make_scaled(g, n, make_one(g, n, "samples", x), (double)each);
    if (out_grads[1]) {
        value *slope = make_scaled(g, n, make_two(g, n, "div", out_grads[1], count), 2);
        value *centred = make_two(g, n, "sub", x, make_by_channel(g, n, n->out[0], &x->shape));
        sum = make_two(g, n, "mul", centred, make_by_channel(g, n, slope, &x->shape));
    }
    if (out_grads[0]) {
        value *mean = make_by_channel(g, n, make_two(g, n, "div", out_grads[0], count), &x->shape);
        sum = sum ? make_two(g, n, "add", sum, mean) : make_broadcast(g, n, mean, x->shape);
    }
    in_grads[0] = sum;
}

#define SAMPLE(x) "graph batch_stats\ninput %x f32" x "\n%m, %v = batch_stats(%x)\noutput m %m\noutput v %v\n"

static const char *const samples[] = {
    SAMPLE("[N,3,5,7]"),
    SAMPLE("[N,37]"),
    SAMPLE("[N,4,9]"),
    "graph batch_stats\ninput %x f32[N,3,5,6]\nparam %w \"w\" f32[20,3,3,3] trainable\n%c = conv2d(%x, %w)\n"
    "%m, %v = batch_stats(%c)\noutput m %m\noutput v %v\n",
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_batch_stats = {
    .name = "batch_stats",
    .summary = "mean and variance of each channel over the batch and all positions",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = batch_stats_candidates,
    .samples = samples,
};
