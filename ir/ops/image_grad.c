/* Gradients of upsample's and lrn's input. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

#include <string.h>

static bool infer_upsample(graph *g, node *n, diags *d) {
    const upsample_attrs *a = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !want_within(n, "size", a->size[0], 1, 1 << 24, d) ||
        !want_within(n, "size", a->size[1], 1, 1 << 24, d))
        return false;
    if (a->align_corners && strcmp(a->mode, "nearest") == 0)
        return op_error(n, d,
                        "cannot upsample_grad with mode nearest and align_corners: that is for bilinear");
    return give_shape(g, n, (shape){4, {DIM_N, n->in[0]->shape.dim[1], a->size[0], a->size[1]}}, d);
}

static bool infer_lrn(graph *g, node *n, diags *d) {
    const lrn_attrs *a = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !want_within(n, "size", a->size, 1, 1 << 24, d))
        return false;
    if (!shape_equal(&n->in[0]->shape, &n->in[1]->shape))
        return op_error(n, d, "cannot lrn_grad %s with dy %s: both have one shape", input_text(g, n, 0),
                        input_text(g, n, 1));
    return give_shape(g, n, n->in[0]->shape, d);
}

static const char *const modes[] = {"nearest", "bilinear", NULL};

static const attr upsample_attributes[] = {
    {"size", ATTR_PAIR, offsetof(upsample_attrs, size), true, 0, NULL},
    {"mode", ATTR_NAME, offsetof(upsample_attrs, mode), false, 0, modes},
    {"align_corners", ATTR_BOOL, offsetof(upsample_attrs, align_corners), false, 0, NULL},
    {0},
};

static const attr lrn_attributes[] = {
    {"size", ATTR_INT, offsetof(lrn_attrs, size), true, 0, NULL},
    {"alpha", ATTR_REAL, offsetof(lrn_attrs, alpha), false, 1e-4, NULL},
    {"beta", ATTR_REAL, offsetof(lrn_attrs, beta), false, 0.75, NULL},
    {"k", ATTR_REAL, offsetof(lrn_attrs, k), false, 1, NULL},
    {"divide", ATTR_BOOL, offsetof(lrn_attrs, divide), false, 1, NULL},
    {0},
};

#define UPSAMPLE(dy, attrs)                                                                                  \
    "graph upsample_grad\ninput %g f32" dy "\n%y = upsample_grad(%g) {" attrs "}\noutput y %y\n"
#define LRN(x, attrs)                                                                                        \
    "graph lrn_grad\ninput %x f32" x "\ninput %g f32" x "\n%y = lrn_grad(%x, %g) {" attrs "}\noutput y %y\n"

static const char *const upsample_samples[] = {
    UPSAMPLE("[N,3,8,10]", "size=[4,5]"),
    UPSAMPLE("[N,18,7,5]", "size=[3,4]"),
    UPSAMPLE("[N,3,8,15]", "size=[4,5], mode=bilinear"),
    UPSAMPLE("[N,18,9,7]", "size=[5,3], mode=bilinear, align_corners=true"),
    UPSAMPLE("[N,2,4,3]", "size=[8,9], mode=bilinear"),
    NULL,
};

static const char *const lrn_samples[] = {
    LRN("[N,12,4,5]", "size=5"),
    LRN("[N,3,6,17]", "size=2, alpha=0.5, beta=0.6, k=2, divide=false"),
    NULL,
};

static const char *const upsample_inputs[] = {"dy", NULL};
static const char *const lrn_inputs[] = {"x", "dy", NULL};

const op op_upsample_grad = {
    .name = "upsample_grad",
    .summary = "the gradient of upsample's input",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = upsample_inputs,
    .attrs = upsample_attributes,
    .attr_size = sizeof(upsample_attrs),
    .scalar = S_COUNT,
    .infer = infer_upsample,
    .candidates = upsample_grad_candidates,
    .samples = upsample_samples,
};

const op op_lrn_grad = {
    .name = "lrn_grad",
    .summary = "the gradient of lrn's input",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = lrn_inputs,
    .attrs = lrn_attributes,
    .attr_size = sizeof(lrn_attrs),
    .scalar = S_COUNT,
    .infer = infer_lrn,
    .candidates = lrn_grad_candidates,
    .samples = lrn_samples,
};
