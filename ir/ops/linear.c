/* linear: x·weightᵀ + bias over the last axis. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool infer(graph *g, node *n, diags *d) {
    const shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (!want_floats(n, d) || !want_weight(g, n, 1, 2, "[O,F]", d)) return false;
    if (x->rank < 2)
        return op_error(
            n, d, "cannot linear %s with weight %s: the input needs rows of features, [N,F] or more axes",
            shape_text(g, x), shape_text(g, w));
    if (x->dim[x->rank - 1] != w->dim[1])
        return op_error(
            n, d,
            "cannot linear %s with weight %s: features differ, the input has %lld and the weight takes "
            "%lld%s",
            shape_text(g, x), shape_text(g, w), (long long)x->dim[x->rank - 1], (long long)w->dim[1],
            x->rank == 4 ? "; flatten the input first" : "");
    if (!want_vector(g, n, 2, w->dim[0], "outputs", d)) return false;
    shape s = *x;
    s.dim[s.rank - 1] = w->dim[0];
    return give_shape(g, n, s, d);
}

static int64_t work(const node *n) {
    return work_product(shape_count(&n->out[0]->shape), n->in[1]->shape.dim[1]);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *dy = out_grads[0];
    in_grads[0] = make_two(g, n, "linear_data", dy, n->in[1]);
    in_grads[1] = make_two(g, n, "linear_weight", n->in[0], dy);
    if (n->own_inputs > 2) in_grads[2] = make_sum_to(g, n, dy, n->in[2]->shape);
}

#define SAMPLE(x, w, bias)                                                                                   \
    "graph linear\ninput %x f32" x "\nparam %w \"w\" f32" w " trainable\nparam %b \"b\" f32" bias            \
    " trainable\n%y = linear(%x, %w, %b)\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,16]", "[16,16]", "[16]"),
    SAMPLE("[N,7]", "[3,7]", "[3]"),
    SAMPLE("[N,100]", "[37,100]", "[37]"),
    SAMPLE("[N,5,20]", "[33,20]", "[33]"),
    SAMPLE("[N,3,2,10]", "[4,10]", "[4]"),
    "graph linear\ninput %x f32[N,48]\nparam %w \"w\" f32[65,48] trainable\n%y = linear(%x, %w)\noutput y "
    "%y\n",
    NULL,
};

static const char *const inputs[] = {"x", "weight", "bias", NULL};

const op op_linear = {
    .name = "linear",
    .summary = "every row [F] times the weight [O,F], plus bias [O]",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .grad = grad,
    .candidates = linear_candidates,
    .samples = samples,
};
