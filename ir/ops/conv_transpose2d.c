/* conv_transpose2d: the convolution that goes the other way, from a small image to a larger one: every input
 * pixel adds its kernel into the result. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

#include <string.h>

enum { LIMIT = 1 << 24 }; /* of strides and the like: far from any overflow */

static bool channels_fit(graph *g, const node *n, diags *d) {
    const conv_transpose_attrs *c = n->attrs;
    const shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (!want_within(n, "groups", c->groups, 1, x->dim[1], d)) return false;
    if (x->dim[1] % c->groups)
        return op_error(n, d,
                        "cannot conv_transpose2d %s in %lld groups: %lld channels are not a multiple of that",
                        input_text(g, n, 0), (long long)c->groups, (long long)x->dim[1]);
    if (w->dim[0] == x->dim[1]) return true;
    return op_error(
        n, d,
        "cannot conv_transpose2d %s with weight %s: channels differ, the input has %lld and the weight "
        "takes %lld",
        input_text(g, n, 0), input_text(g, n, 1), (long long)x->dim[1], (long long)w->dim[0]);
}

static bool numbers_fit(const node *n, int a, diags *d) {
    const conv_transpose_attrs *c = n->attrs;
    int64_t most = c->stride[a] > c->dilation[a] ? c->stride[a] : c->dilation[a];
    return want_within(n, "stride", c->stride[a], 1, LIMIT, d) &&
           want_within(n, "dilation", c->dilation[a], 1, LIMIT, d) &&
           want_within(n, "pad", c->pad[a], 0, LIMIT, d) &&
           want_within(n, "pad", c->pad[a + 2], 0, LIMIT, d) &&
           want_within(n, "output_pad", c->output_pad[a], 0, most - 1, d);
}

static bool too_large(graph *g, const node *n, diags *d) {
    return op_error(n, d, "cannot conv_transpose2d %s with weight %s: the result is too large",
                    input_text(g, n, 0), input_text(g, n, 1));
}

/* Rows (a = 0) or columns of the result. */
static bool result_size(graph *g, const node *n, int a, int64_t *out, diags *d) {
    const conv_transpose_attrs *c = n->attrs;
    int64_t in = n->in[0]->shape.dim[2 + a], kernel = n->in[1]->shape.dim[2 + a], reach, all;
    if (!numbers_fit(n, a, d)) return false;
    if (!size_mul(in - 1, c->stride[a], &all) || !size_mul(kernel - 1, c->dilation[a], &reach) ||
        !size_add(all, reach, &all))
        return too_large(g, n, d);
    *out = all + 1 + c->output_pad[a] - c->pad[a] - c->pad[a + 2];
    if (*out >= 1) return true;
    return op_error(
        n, d, "cannot conv_transpose2d %s with weight %s: the padding takes all of the result's %s; pad less",
        input_text(g, n, 0), input_text(g, n, 1), a ? "columns" : "rows");
}

static bool infer(graph *g, node *n, diags *d) {
    const conv_transpose_attrs *c = n->attrs;
    int64_t out[2], channels;
    if (!want_floats(n, d) || !want_image(g, n, d) || !want_weight(g, n, 1, 4, "[I,O/groups,KH,KW]", d) ||
        !channels_fit(g, n, d) || !result_size(g, n, 0, &out[0], d) || !result_size(g, n, 1, &out[1], d))
        return false;
    if (!size_mul(n->in[1]->shape.dim[1], c->groups, &channels)) return too_large(g, n, d);
    return want_vector(g, n, 2, channels, "outputs", d) &&
           give_shape(g, n, (shape){4, {DIM_N, channels, out[0], out[1]}}, d);
}

/* Every input element meets its group's kernels once. */
static int64_t work(const node *n) {
    const shape *w = &n->in[1]->shape;
    return work_product(shape_count(&n->in[0]->shape), w->dim[1] * w->dim[2] * w->dim[3]);
}

/* The convolution that goes back over dy, and dy as far as its windows reach: what output_pad added by whole
 * strides would give it more results than x has elements. */
static conv_attrs back(graph *g, const node *n, value **dy) {
    const conv_transpose_attrs *c = n->attrs;
    conv_attrs b = {.groups = c->groups};
    memcpy(b.stride, c->stride, sizeof b.stride);
    memcpy(b.pad, c->pad, sizeof b.pad);
    memcpy(b.dilation, c->dilation, sizeof b.dilation);
    for (int a = 0; a < 2; a++) {
        int64_t excess = c->output_pad[a] / c->stride[a] * c->stride[a], size = (*dy)->shape.dim[2 + a];
        int64_t of_pad = excess < b.pad[a + 2] ? excess : b.pad[a + 2];
        b.pad[a + 2] -= of_pad;
        *dy = make_slice(g, n, *dy, 2 + a, 0, size - (excess - of_pad));
    }
    return b;
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *w = &n->in[1]->shape;
    value *dy = out_grads[0];
    conv_weight_attrs a = {.conv = back(g, n, &dy), .kernel = {w->dim[2], w->dim[3]}};
    value *data[2] = {dy, n->in[1]}, *weight[2] = {dy, n->in[0]};
    in_grads[0] = graph_make(g, "conv2d", data, 2, &a.conv, n->scope, n->at);
    in_grads[1] = graph_make(g, "conv2d_weight", weight, 2, &a, n->scope, n->at);
    if (n->own_inputs > 2) in_grads[2] = make_channel_sum(g, n, out_grads[0]);
}

static const attr attributes[] = {
    {"stride", ATTR_PAIR, offsetof(conv_transpose_attrs, stride), false, 1, NULL},
    {"pad", ATTR_PADS, offsetof(conv_transpose_attrs, pad), false, 0, NULL},
    {"output_pad", ATTR_PAIR, offsetof(conv_transpose_attrs, output_pad), false, 0, NULL},
    {"dilation", ATTR_PAIR, offsetof(conv_transpose_attrs, dilation), false, 1, NULL},
    {"groups", ATTR_INT, offsetof(conv_transpose_attrs, groups), false, 1, NULL},
    {0},
};

#define SAMPLE(x, w, bias, attrs)                                                                            \
    "graph conv_transpose2d\ninput %x f32" x "\nparam %w \"w\" f32" w " trainable\nparam %b \"b\" f32" bias  \
    " trainable\n%y = conv_transpose2d(%x, %w, %b)" attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,3,5,5]", "[3,4,3,3]", "[4]", ""),
    SAMPLE("[N,18,4,6]", "[18,20,4,4]", "[20]", " {stride=[2,2], pad=[1,1,1,1]}"),
    SAMPLE("[N,8,5,3]", "[8,4,3,2]", "[8]", " {stride=[3,2], pad=[1,0,0,1], output_pad=[1,0], groups=2}"),
    SAMPLE("[N,6,4,4]", "[6,1,3,3]", "[6]", " {stride=[2,2], pad=[1,1,1,1], output_pad=[1,1], groups=6}"),
    SAMPLE("[N,5,4,5]", "[5,3,2,3]", "[3]", " {dilation=[2,2]}"),
    SAMPLE("[N,3,4,5]", "[3,2,3,3]", "[2]", " {dilation=[2,3], pad=[1,0,1,1], output_pad=[1,2]}"),
    "graph conv_transpose2d\ninput %x f32[N,16,1,1]\nparam %w \"w\" f32[16,32,4,4] trainable\n"
    "%y = conv_transpose2d(%x, %w)\noutput y %y\n",
    NULL,
};

static const char *const inputs[] = {"x", "weight", "bias", NULL};

const op op_conv_transpose2d = {
    .name = "conv_transpose2d",
    .summary = "transposed convolution of images [N,C,H,W] with kernels [C,O/groups,KH,KW]",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(conv_transpose_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .grad = grad,
    .candidates = conv_transpose2d_candidates,
    .samples = samples,
};
