/* broadcast repeats a tensor to a larger shape; sum_to is its adjoint, the sums that make the smaller shape again, the
 * batch's among them. Both are what gradients of broadcasting operands are made of. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

static shape wanted(const node *n) {
    const shape_attrs *a = n->attrs;
    return shape_of(a->shape.count, a->shape.at);
}

/* Does `small` broadcast to `large`? */
static bool widens(const shape *small, const shape *large) {
    shape both;
    return shape_broadcast(small, large, &both) && shape_equal(&both, large);
}

static bool no_fit(graph *g, const node *n, const shape *to, const char *rule, diags *d) {
    return op_error(n, d, "cannot %s %s to %s: %s", n->op->name, input_text(g, n, 0), shape_text(g, to),
                    rule);
}

static bool infer_broadcast(graph *g, node *n, diags *d) {
    shape to = wanted(n);
    if (!want_floats(n, d)) return false;
    if (!widens(&n->in[0]->shape, &to))
        return no_fit(g, n, &to, "axes, aligned at the right, must be equal or 1 in what is repeated", d);
    return give_shape(g, n, to, d);
}

static bool infer_sum_to(graph *g, node *n, diags *d) {
    shape to = wanted(n);
    if (!want_floats(n, d)) return false;
    if (!widens(&to, &n->in[0]->shape))
        return no_fit(g, n, &to, "axes, aligned at the right, must be equal, 1 or left out in the result", d);
    return give_shape(g, n, to, d);
}

static void broadcast_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    in_grads[0] = make_sum_to(g, n, out_grads[0], n->in[0]->shape);
}

static void sum_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    in_grads[0] = make_broadcast(g, n, out_grads[0], n->in[0]->shape);
}

static const attr attributes[] = {
    {"shape", ATTR_INTS, offsetof(shape_attrs, shape), true, 0, NULL},
    {0},
};

#define SAMPLE(name, x, to)                                                                                  \
    "graph " name "\ninput %x f32" x "\n%y = " name "(%x) {shape=" to "}\noutput y %y\n"

static const char *const broadcast_samples[] = {
    SAMPLE("broadcast", "[N,19]", "[-1,19]"),
    SAMPLE("broadcast", "[N,1,4]", "[-1,3,4]"),
    SAMPLE("broadcast", "[N,20,1,1]", "[-1,20,5,3]"),
    "graph broadcast\ninput %x f32[N,4]\nparam %w \"w\" f32[20,1,1] trainable\n"
    "%y = broadcast(%w) {shape=[-1,20,3,5]}\noutput y %y\noutput x %x\n",
    "graph broadcast\ninput %x f32[N,4]\nparam %w \"w\" f32[1] trainable\n"
    "%y = broadcast(%w) {shape=[-1,7]}\noutput y %y\noutput x %x\n",
    NULL,
};

static const char *const sum_samples[] = {
    SAMPLE("sum_to", "[N,20,5,3]", "[20,1,1]"),
    SAMPLE("sum_to", "[N,33]", "[33]"),
    SAMPLE("sum_to", "[N,3,17]", "[17]"),
    SAMPLE("sum_to", "[N,3,4]", "[]"),
    SAMPLE("sum_to", "[N,3,4,5]", "[-1,3,1,5]"),
    SAMPLE("sum_to", "[N,16,4,5]", "[1,16,1,5]"),
    SAMPLE("sum_to", "[N]", "[]"),
    SAMPLE("sum_to", "[N,19]", "[-1,1]"),
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_broadcast = {
    .name = "broadcast",
    .summary = "repeated to a larger shape, -1 for N",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(shape_attrs),
    .scalar = S_COUNT,
    .infer = infer_broadcast,
    .grad = broadcast_grad,
    .candidates = broadcast_candidates,
    .samples = broadcast_samples,
};

const op op_sum_to = {
    .name = "sum_to",
    .summary = "summed, over the batch too, to a shape that would broadcast to x's",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(shape_attrs),
    .scalar = S_COUNT,
    .infer = infer_sum_to,
    .grad = sum_grad,
    .candidates = sum_to_candidates,
    .samples = sum_samples,
};
