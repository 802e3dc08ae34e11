/* transpose: axes in another order; the batch stays first. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool permutes(const ints *order, const shape *x) {
    bool seen[MAX_RANK] = {false};
    if (order->count != x->rank || x->rank == 0) return false;
    for (int i = 0; i < x->rank; i++) {
        int64_t a = order->at[i];
        if (a < 0 || a >= x->rank || seen[a]) return false;
        seen[a] = true;
    }
    return true;
}

static bool infer(graph *g, node *n, diags *d) {
    const transpose_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape;
    if (!permutes(&a->order, x))
        return op_error(n, d, "cannot transpose %s: the order must name each of its axes 0 to %d once",
                        shape_text(g, x), x->rank - 1);
    if (shape_batched(x) && a->order.at[0] != 0)
        return op_error(n, d, "cannot transpose %s: the batch, axis 0, must stay first", shape_text(g, x));
    shape s = {.rank = x->rank};
    for (int i = 0; i < s.rank; i++) s.dim[i] = x->dim[a->order.at[i]];
    return give_shape(g, n, s, d);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const transpose_attrs *a = n->attrs;
    transpose_attrs back = {.order.count = a->order.count};
    for (int i = 0; i < a->order.count; i++) back.order.at[a->order.at[i]] = i;
    in_grads[0] = make_with(g, n, "transpose", out_grads[0], &back);
}

static const attr attributes[] = {
    {"order", ATTR_INTS, offsetof(transpose_attrs, order), true, 0, NULL},
    {0},
};

#define SAMPLE(x, order)                                                                                     \
    "graph transpose\ninput %x f32" x "\n%y = transpose(%x) {order=" order "}\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,6,4,5]", "[0,2,3,1]"),
    SAMPLE("[N,20,3,7]", "[0,1,3,2]"),
    SAMPLE("[N,5,18]", "[0,2,1]"),
    SAMPLE("[N,2,3,4,5]", "[0,3,1,4,2]"),
    "graph transpose\nparam %w \"w\" f32[6,4] trainable\ninput %x f32[N,6]\n%v = transpose(%w) "
    "{order=[1,0]}\n"
    "%y = linear(%x, %v)\noutput y %y\n",
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_transpose = {
    .name = "transpose",
    .summary = "axes in another order",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(transpose_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = transpose_candidates,
    .samples = samples,
};
