/* lrn: local response normalisation across channels, as AlexNet and GoogLeNet (2014) have it. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool infer(graph *g, node *n, diags *d) {
    const lrn_attrs *a = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !want_within(n, "size", a->size, 1, 1 << 24, d))
        return false;
    return give_shape(g, n, n->in[0]->shape, d);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *in[2] = {n->in[0], out_grads[0]};
    in_grads[0] = graph_make(g, "lrn_grad", in, 2, n->attrs, n->scope, n->at);
}

static const attr attributes[] = {
    {"size", ATTR_INT, offsetof(lrn_attrs, size), true, 0, NULL},
    {"alpha", ATTR_REAL, offsetof(lrn_attrs, alpha), false, 1e-4, NULL},
    {"beta", ATTR_REAL, offsetof(lrn_attrs, beta), false, 0.75, NULL},
    {"k", ATTR_REAL, offsetof(lrn_attrs, k), false, 1, NULL},
    {"divide", ATTR_BOOL, offsetof(lrn_attrs, divide), false, 1, NULL},
    {0},
};

#define SAMPLE(x, attrs) "graph lrn\ninput %x f32" x "\n%y = lrn(%x) " attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,8,4,5]", "{size=5}"),
    SAMPLE("[N,16,3,3]", "{size=5, alpha=0.5, k=2.0, divide=false}"),
    SAMPLE("[N,21,4,2]", "{size=4, alpha=0.3, beta=0.5}"),
    SAMPLE("[N,3,5,5]", "{size=9, alpha=1.0}"),
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_lrn = {
    .name = "lrn",
    .summary = "each pixel divided by a power of the squares of the channels around it",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(lrn_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = lrn_candidates,
    .samples = samples,
};
