/* conv2d: two-dimensional convolution (cross-correlation, as every network means it), grouped and dilated. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

#include <string.h>

static bool channels_fit(graph *g, const node *n, diags *d) {
    const conv_attrs *c = n->attrs;
    const shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (!want_within(n, "groups", c->groups, 1, x->dim[1], d)) return false;
    if (x->dim[1] % c->groups || w->dim[0] % c->groups)
        return op_error(
            n, d,
            "cannot conv2d %s with weight %s in %lld groups: %lld channels in and %lld out must both be "
            "multiples of the groups",
            input_text(g, n, 0), input_text(g, n, 1), (long long)c->groups, (long long)x->dim[1],
            (long long)w->dim[0]);
    if (w->dim[1] == x->dim[1] / c->groups) return true;
    return op_error(
        n, d,
        "cannot conv2d %s with weight %s: channels differ, the input has %lld and the weight takes %lld "
        "in each of %lld groups",
        input_text(g, n, 0), input_text(g, n, 1), (long long)x->dim[1], (long long)w->dim[1],
        (long long)c->groups);
}

static window window_of(const node *n) {
    const conv_attrs *c = n->attrs;
    const shape *w = &n->in[1]->shape;
    return (window){.kernel = {w->dim[2], w->dim[3]},
                    .stride = {c->stride[0], c->stride[1]},
                    .pad = {c->pad[0], c->pad[1], c->pad[2], c->pad[3]},
                    .dilation = {c->dilation[0], c->dilation[1]}};
}

static bool infer(graph *g, node *n, diags *d) {
    int64_t out[2];
    if (!want_floats(n, d) || !want_image(g, n, d) || !want_weight(g, n, 1, 4, "[O,I/groups,KH,KW]", d) ||
        !channels_fit(g, n, d))
        return false;
    const shape *w = &n->in[1]->shape;
    window walk = window_of(n);
    if (!want_vector(g, n, 2, w->dim[0], "outputs", d) || !window_output(g, n, &walk, out, d)) return false;
    return give_shape(g, n, (shape){4, {DIM_N, w->dim[0], out[0], out[1]}}, d);
}

/* Every result element is a sum over the group's channels and the kernel. */
static int64_t work(const node *n) {
    const shape *w = &n->in[1]->shape;
    return work_product(shape_count(&n->out[0]->shape), w->dim[1] * w->dim[2] * w->dim[3]);
}

static int64_t reach(const node *n, int axis) {
    const conv_attrs *c = n->attrs;
    return (n->in[1]->shape.dim[2 + axis] - 1) * c->dilation[axis];
}

/* With stride 1 the gradient of x is a convolution, too: with the turned kernel, padded by what this one leaves
 * of its kernel's reach. */
static bool turns(const node *n) {
    const conv_attrs *c = n->attrs;
    for (int k = 0; k < 4; k++)
        if (c->stride[k % 2] != 1 || c->pad[k] > reach(n, k % 2)) return false;
    return true;
}

static value *grad_turned(graph *g, const node *n, value *dy) {
    const conv_attrs *c = n->attrs;
    turn_attrs t = {.groups = c->groups};
    conv_attrs back = *c;
    for (int k = 0; k < 4; k++) back.pad[k] = reach(n, k % 2) - c->pad[k];
    value *in[2] = {dy, make_with(g, n, "conv2d_turn", n->in[1], &t)};
    return graph_make(g, "conv2d", in, 2, &back, n->scope, n->at);
}

/* Otherwise every dy adds its kernel to where the window lay; what the last window did not reach is added. */
static value *grad_transposed(graph *g, const node *n, value *dy) {
    const conv_attrs *c = n->attrs;
    conv_transpose_attrs back = {.groups = c->groups};
    memcpy(back.stride, c->stride, sizeof back.stride);
    memcpy(back.pad, c->pad, sizeof back.pad);
    memcpy(back.dilation, c->dilation, sizeof back.dilation);
    for (int a = 0; a < 2; a++) {
        int64_t covered =
            (dy->shape.dim[2 + a] - 1) * c->stride[a] + reach(n, a) + 1 - c->pad[a] - c->pad[a + 2];
        back.output_pad[a] = n->in[0]->shape.dim[2 + a] - covered;
    }
    value *in[2] = {dy, n->in[1]};
    return graph_make(g, "conv_transpose2d", in, 2, &back, n->scope, n->at);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *w = &n->in[1]->shape;
    value *dy = out_grads[0], *in[2] = {n->in[0], dy};
    conv_weight_attrs a = {.conv = *(const conv_attrs *)n->attrs, .kernel = {w->dim[2], w->dim[3]}};
    in_grads[0] = turns(n) ? grad_turned(g, n, dy) : grad_transposed(g, n, dy);
    in_grads[1] = graph_make(g, "conv2d_weight", in, 2, &a, n->scope, n->at);
    if (n->own_inputs > 2) in_grads[2] = make_channel_sum(g, n, dy);
}

static const attr attributes[] = {
    {"stride", ATTR_PAIR, offsetof(conv_attrs, stride), false, 1, NULL},
    {"pad", ATTR_PADS, offsetof(conv_attrs, pad), false, 0, NULL},
    {"dilation", ATTR_PAIR, offsetof(conv_attrs, dilation), false, 1, NULL},
    {"groups", ATTR_INT, offsetof(conv_attrs, groups), false, 1, NULL},
    {0},
};

#define SAMPLE(x, w, bias, attrs)                                                                            \
    "graph conv2d\ninput %x f32" x "\nparam %w \"w\" f32" w " trainable\nparam %b \"b\" f32" bias            \
    " trainable\n%y = conv2d(%x, %w, %b)" attrs "\noutput y %y\n"
#define SAMPLE_PLAIN(x, w, attrs)                                                                            \
    "graph conv2d\ninput %x f32" x "\nparam %w \"w\" f32" w " trainable\n%y = conv2d(%x, %w)" attrs          \
    "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,3,8,8]", "[4,3,3,3]", "[4]", " {pad=[1,1,1,1]}"),
    SAMPLE("[N,16,14,15]", "[32,16,3,3]", "[32]", " {pad=[1,1,1,1]}"),
    SAMPLE("[N,20,9,7]", "[18,20,1,1]", "[18]", ""),
    SAMPLE("[N,33,9,10]", "[40,33,1,1]", "[40]", " {stride=[2,2]}"),
    SAMPLE("[N,3,17,19]", "[16,3,7,7]", "[16]", " {stride=[2,2], pad=[3,3,3,3]}"),
    SAMPLE("[N,5,10,12]", "[17,5,3,2]", "[17]", " {stride=[1,2], pad=[0,1,2,0], dilation=[2,3]}"),
    SAMPLE("[N,6,7,9]", "[4,3,3,4]", "[4]", " {pad=[1,2,3,0], dilation=[2,1], groups=2}"),
    SAMPLE("[N,16,9,9]", "[16,1,3,3]", "[16]", " {pad=[1,1,1,1], groups=16}"),
    SAMPLE("[N,19,8,11]", "[19,1,3,3]", "[19]", " {stride=[2,2], pad=[1,1,1,1], groups=19}"),
    SAMPLE("[N,32,7,7]", "[48,16,3,3]", "[48]", " {pad=[1,1,1,1], groups=2}"),
    SAMPLE("[N,9,6,6]", "[15,3,3,3]", "[15]", " {groups=3}"),
    SAMPLE("[N,4,7,7]", "[8,1,5,5]", "[8]", " {pad=[2,2,2,2], groups=4}"),
    SAMPLE("[N,2,23,23]", "[6,2,11,11]", "[6]", " {stride=[4,4], pad=[2,2,2,2]}"),
    SAMPLE_PLAIN("[N,24,6,8]", "[10,24,1,3]", " {pad=[0,1,0,1]}"),
    SAMPLE_PLAIN("[N,7,4,4]", "[21,7,4,4]", ""),
    SAMPLE_PLAIN("[N,32,28,28]", "[64,32,3,3]", " {stride=[2,2], pad=[1,1,1,1]}"),
    NULL,
};

static const char *const inputs[] = {"x", "weight", "bias", NULL};

const op op_conv2d = {
    .name = "conv2d",
    .summary = "convolution of images [N,C,H,W] with kernels [O,C/groups,KH,KW]",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(conv_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .grad = grad,
    .candidates = conv2d_candidates,
    .samples = samples,
};
