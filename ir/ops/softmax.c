/* softmax, log_softmax: numbers along an axis as probabilities, or their logarithms. The largest is
 * subtracted first, so that no exponential overflows. */
#include "ir/ops/attrs.h"
#include "ir/ops/gradient.h"

static bool infer(graph *g, node *n, diags *d) {
    axis_attrs *a = n->attrs;
    return want_floats(n, d) && want_axis(g, n, &a->axis, d) && give_shape(g, n, n->in[0]->shape, d);
}

static ints axis_of(const node *n) {
    const axis_attrs *a = n->attrs;
    return (ints){1, {a->axis}};
}

/* x - max(x), which softmax leaves as it is. */
static value *shifted(graph *g, node *n) {
    return make_two(g, n, "sub", n->in[0], make_reduce(g, n, "reduce_max", n->in[0], axis_of(n)));
}

static void expand_softmax(graph *g, node *n, value **results) {
    value *e = make_one(g, n, "exp", shifted(g, n));
    results[0] = make_two(g, n, "div", e, make_reduce(g, n, "reduce_sum", e, axis_of(n)));
}

static void expand_log_softmax(graph *g, node *n, value **results) {
    value *x = shifted(g, n);
    value *sum = make_reduce(g, n, "reduce_sum", make_one(g, n, "exp", x), axis_of(n));
    results[0] = make_two(g, n, "sub", x, make_one(g, n, "log", sum));
}

static value *summed(graph *g, const node *n, value *v) {
    return make_reduce(g, n, "reduce_sum", v, axis_of(n));
}

/* dx = y·(dy - Σ dy·y) */
static void grad_softmax(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *y = n->out[0], *dy = out_grads[0];
    value *mean = summed(g, n, make_two(g, n, "mul", dy, y));
    in_grads[0] = make_two(g, n, "mul", y, make_two(g, n, "sub", dy, mean));
}

/* dx = dy - exp(y)·Σ dy */
static void grad_log_softmax(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *share = make_two(g, n, "mul", make_one(g, n, "exp", n->out[0]), summed(g, n, out_grads[0]));
    in_grads[0] = make_two(g, n, "sub", out_grads[0], share);
}

static const attr attributes[] = {
    {"axis", ATTR_INT, offsetof(axis_attrs, axis), false, -1, NULL},
    {0},
};

#define SAMPLE(name, x, attrs) "graph " name "\ninput %x f32" x "\n%y = " name "(%x)" attrs "\noutput y %y\n"
#define SAMPLES(name)                                                                                        \
    SAMPLE(name, "[N,10]", ""), SAMPLE(name, "[N,4,33]", ""), SAMPLE(name, "[N,19,3,2]", " {axis=1}"),       \
        SAMPLE(name, "[N,2,5,7]", " {axis=-2}"), NULL

static const char *const softmax_samples[] = {SAMPLES("softmax")};
static const char *const log_softmax_samples[] = {SAMPLES("log_softmax")};
static const char *const inputs[] = {"x", NULL};

const op op_softmax = {
    .name = "softmax",
    .summary = "exp(x) / sum of exp(x) along an axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(axis_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .expand = expand_softmax,
    .grad = grad_softmax,
    .samples = softmax_samples,
};

const op op_log_softmax = {
    .name = "log_softmax",
    .summary = "x - log of the sum of exp(x) along an axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(axis_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .expand = expand_log_softmax,
    .grad = grad_log_softmax,
    .samples = log_softmax_samples,
};
