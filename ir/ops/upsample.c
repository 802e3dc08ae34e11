/* upsample: images made larger (or smaller) by copying the nearest pixel or interpolating between four. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

#include <string.h>

/* Leaves the size in `size` and 0 in `scale`. */
static bool resolve_size(graph *g, const node *n, upsample_attrs *a, diags *d) {
    const shape *x = &n->in[0]->shape;
    bool scaled = a->scale[0] || a->scale[1], sized = a->size[0] || a->size[1];
    if (scaled == sized)
        return op_error(n, d, "cannot upsample %s: give either 'scale' or 'size'", shape_text(g, x));
    for (int i = 0; i < 2; i++) {
        if (scaled && !want_within(n, "scale", a->scale[i], 1, 1 << 24, d)) return false;
        if (scaled && !size_mul(x->dim[2 + i], a->scale[i], &a->size[i])) a->size[i] = SIZE_LIMIT;
        a->scale[i] = 0;
        if (!want_within(n, "size", a->size[i], 1, 1 << 24, d)) return false;
    }
    return true;
}

static bool infer(graph *g, node *n, diags *d) {
    upsample_attrs *a = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !resolve_size(g, n, a, d)) return false;
    if (a->align_corners && strcmp(a->mode, "nearest") == 0)
        return op_error(n, d, "cannot upsample with mode nearest and align_corners: that is for bilinear");
    return give_shape(g, n, (shape){4, {DIM_N, n->in[0]->shape.dim[1], a->size[0], a->size[1]}}, d);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *x = &n->in[0]->shape;
    upsample_attrs a = *(const upsample_attrs *)n->attrs;
    a.size[0] = x->dim[2];
    a.size[1] = x->dim[3];
    in_grads[0] = make_with(g, n, "upsample_grad", out_grads[0], &a);
}

static const char *const modes[] = {"nearest", "bilinear", NULL};

static const attr attributes[] = {
    {"scale", ATTR_PAIR, offsetof(upsample_attrs, scale), false, 0, NULL},
    {"size", ATTR_PAIR, offsetof(upsample_attrs, size), false, 0, NULL},
    {"mode", ATTR_NAME, offsetof(upsample_attrs, mode), false, 0, modes},
    {"align_corners", ATTR_BOOL, offsetof(upsample_attrs, align_corners), false, 0, NULL},
    {0},
};

#define SAMPLE(x, attrs) "graph upsample\ninput %x f32" x "\n%y = upsample(%x) " attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,3,4,5]", "{scale=[2,2]}"),
    SAMPLE("[N,18,3,4]", "{size=[7,5]}"),
    SAMPLE("[N,3,4,5]", "{scale=[2,3], mode=bilinear}"),
    SAMPLE("[N,18,5,3]", "{size=[9,7], mode=bilinear, align_corners=true}"),
    SAMPLE("[N,2,8,9]", "{size=[4,3], mode=bilinear}"),
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_upsample = {
    .name = "upsample",
    .summary = "images at another size, by nearest pixel or bilinear interpolation",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(upsample_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = upsample_candidates,
    .samples = samples,
};
