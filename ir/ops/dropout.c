/* identity and dropout: ops that, in evaluation, give what they get. Passes remove both there; training gives
 * dropout its mask. */
#include "ir/ops/attrs.h"
#include "ir/ops/gradient.h"

static bool infer_identity(graph *g, node *n, diags *d) {
    return give_shape(g, n, n->in[0]->shape, d);
}

static bool infer_dropout(graph *g, node *n, diags *d) {
    const dropout_attrs *a = n->attrs;
    if (!(a->p >= 0 && a->p < 1))
        return op_error(n, d, "cannot dropout with p = %g: it is the share that is dropped, 0 to below 1",
                        a->p);
    return want_floats(n, d) && infer_identity(g, n, d);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    (void)g, (void)n;
    in_grads[0] = out_grads[0];
}

static const attr attributes[] = {
    {"p", ATTR_REAL, offsetof(dropout_attrs, p), false, 0.5, NULL},
    {0},
};

#define SAMPLES(call)                                                                                        \
    "graph same\ninput %x f32[N,3,4,5]\n%y = " call "\noutput y %y\n",                                       \
        "graph same\ninput %a f32[N,19]\n%x = relu(%a)\n%y = " call "\noutput y %y\n", NULL

static const char *const identity_samples[] = {SAMPLES("identity(%x)")};
static const char *const dropout_samples[] = {SAMPLES("dropout(%x) {p=0.3}")};
static const char *const inputs[] = {"x", NULL};

const op op_identity = {
    .name = "identity",
    .summary = "what it gets",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = infer_identity,
    .grad = grad,
    .view = true,
    .samples = identity_samples,
};

const op op_dropout = {
    .name = "dropout",
    .summary = "in training, zeros a share p of its numbers; otherwise what it gets",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(dropout_attrs),
    .scalar = S_COUNT,
    .infer = infer_dropout,
    .grad = grad,
    .view = true,
    .samples = dropout_samples,
};
