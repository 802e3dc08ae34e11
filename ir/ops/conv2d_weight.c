/* conv2d_weight: the gradient of conv2d's weight. conv2d_turn: the weight as the gradient of conv2d's input needs it. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

enum { X, DY };

/* dy must be what conv2d with these attributes makes of x. */
static bool results_fit(graph *g, const node *n, diags *d) {
    const conv_weight_attrs *a = n->attrs;
    const conv_attrs *c = &a->conv;
    const shape *y = &n->in[DY]->shape;
    int64_t out[2];
    window w = {.kernel = {a->kernel[0], a->kernel[1]},
                .stride = {c->stride[0], c->stride[1]},
                .pad = {c->pad[0], c->pad[1], c->pad[2], c->pad[3]},
                .dilation = {c->dilation[0], c->dilation[1]}};
    if (!window_output(g, n, &w, out, d)) return false;
    if (y->rank == 4 && shape_batched(y) && y->dim[2] == out[0] && y->dim[3] == out[1]) return true;
    return op_error(n, d, "cannot conv2d_weight %s with dy %s: dy must be [N,O,%lld,%lld]",
                    input_text(g, n, X), input_text(g, n, DY), (long long)out[0], (long long)out[1]);
}

static bool infer_weight(graph *g, node *n, diags *d) {
    const conv_weight_attrs *a = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !results_fit(g, n, d)) return false;
    int64_t inputs = n->in[X]->shape.dim[1], outputs = n->in[DY]->shape.dim[1], groups = a->conv.groups;
    if (!want_within(n, "groups", groups, 1, inputs, d)) return false;
    if (inputs % groups || outputs % groups)
        return op_error(n, d, "cannot conv2d_weight %s with dy %s: channels must be multiples of %lld groups",
                        input_text(g, n, X), input_text(g, n, DY), (long long)groups);
    return give_shape(g, n, (shape){4, {outputs, inputs / groups, a->kernel[0], a->kernel[1]}}, d);
}

static int64_t work(const node *n) {
    const shape *w = &n->out[0]->shape;
    return work_product(shape_count(&n->in[DY]->shape), w->dim[1] * w->dim[2] * w->dim[3]);
}

static bool infer_turn(graph *g, node *n, diags *d) {
    const turn_attrs *a = n->attrs;
    const shape *w = &n->in[0]->shape;
    if (!want_floats(n, d) || !want_weight(g, n, 0, 4, "[O,I/groups,KH,KW]", d) ||
        !want_within(n, "groups", a->groups, 1, w->dim[0], d))
        return false;
    if (w->dim[0] % a->groups)
        return op_error(n, d,
                        "cannot conv2d_turn %s in %lld groups: outputs must be a multiple of the groups",
                        input_text(g, n, 0), (long long)a->groups);
    return give_shape(g, n, (shape){4, {w->dim[1] * a->groups, w->dim[0] / a->groups, w->dim[2], w->dim[3]}},
                      d);
}

#define CONV(field) offsetof(conv_weight_attrs, conv.field)
static const attr weight_attributes[] = {
    {"kernel", ATTR_PAIR, offsetof(conv_weight_attrs, kernel), true, 0, NULL},
    {"stride", ATTR_PAIR, CONV(stride), false, 1, NULL},
    {"pad", ATTR_PADS, CONV(pad), false, 0, NULL},
    {"dilation", ATTR_PAIR, CONV(dilation), false, 1, NULL},
    {"groups", ATTR_INT, CONV(groups), false, 1, NULL},
    {0},
};

static const attr turn_attributes[] = {
    {"groups", ATTR_INT, offsetof(turn_attrs, groups), false, 1, NULL},
    {0},
};

#define WEIGHT(x, dy, attrs)                                                                                 \
    "graph conv2d_weight\ninput %x f32" x "\ninput %g f32" dy "\n%y = conv2d_weight(%x, %g) {" attrs         \
    "}\noutput y %y\n"
/* Operands as a convolution's neighbours leave them, in blocks. */
#define BLOCKED(x, dy, attrs)                                                                                \
    "graph conv2d_weight\ninput %x f32" x "\ninput %g f32" dy "\n%a = maxpool(%x) {kernel=[1,1]}\n"          \
    "%y = conv2d_weight(%a, %g) {" attrs "}\noutput y %y\n"
#define TURN(x, w, groups, conv)                                                                             \
    "graph conv2d_turn\ninput %x f32" x "\nparam %w \"w\" f32" w " trainable\n%t = conv2d_turn(%w)" groups   \
    "\n%y = conv2d(%x, %t)" conv "\noutput y %y\n"

static const char *const weight_samples[] = {
    WEIGHT("[N,3,8,8]", "[N,4,8,8]", "kernel=[3,3], pad=[1,1,1,1]"),
    WEIGHT("[N,16,9,10]", "[N,32,9,10]", "kernel=[3,3], pad=[1,1,1,1]"),
    WEIGHT("[N,20,9,7]", "[N,18,9,7]", "kernel=[1,1]"),
    WEIGHT("[N,33,9,10]", "[N,40,5,5]", "kernel=[1,1], stride=[2,2]"),
    WEIGHT("[N,17,10,12]", "[N,19,5,6]", "kernel=[3,3], stride=[2,2], pad=[1,1,1,1]"),
    WEIGHT("[N,3,17,19]", "[N,16,9,10]", "kernel=[7,7], stride=[2,2], pad=[3,3,3,3]"),
    WEIGHT("[N,1,12,12]", "[N,10,8,8]", "kernel=[5,5]"),
    WEIGHT("[N,10,8,8]", "[N,20,4,4]", "kernel=[5,5]"),
    WEIGHT("[N,5,10,12]", "[N,17,11,5]", "kernel=[3,2], stride=[1,2], pad=[3,1,2,0], dilation=[2,3]"),
    WEIGHT("[N,16,9,9]", "[N,16,9,9]", "kernel=[3,3], pad=[1,1,1,1], groups=16"),
    WEIGHT("[N,9,6,6]", "[N,15,4,4]", "kernel=[3,3], groups=3"),
    BLOCKED("[N,32,7,7]", "[N,48,7,7]", "kernel=[3,3], pad=[1,1,1,1]"),
    BLOCKED("[N,50,4,4]", "[N,33,2,2]", "kernel=[3,3], stride=[2,2], pad=[1,1,1,1]"),
    NULL,
};

static const char *const turn_samples[] = {
    TURN("[N,4,6,6]", "[4,3,3,3]", "", " {pad=[1,1,1,1]}"),
    TURN("[N,6,5,7]", "[6,2,2,3]", " {groups=3}", " {groups=3}"),
    TURN("[N,18,5,5]", "[18,1,3,3]", " {groups=18}", " {groups=18}"),
    NULL,
};

static const char *const weight_inputs[] = {"x", "dy", NULL};
static const char *const turn_inputs[] = {"weight", NULL};

const op op_conv2d_weight = {
    .name = "conv2d_weight",
    .summary = "the gradient of conv2d's weight, from conv2d's input and its result's gradient",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = weight_inputs,
    .attrs = weight_attributes,
    .attr_size = sizeof(conv_weight_attrs),
    .scalar = S_COUNT,
    .infer = infer_weight,
    .work = work,
    .candidates = conv2d_weight_candidates,
    .samples = weight_samples,
};

const op op_conv2d_turn = {
    .name = "conv2d_turn",
    .summary = "conv2d's weight with inputs and outputs exchanged and the kernel turned by half a turn",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = turn_inputs,
    .attrs = turn_attributes,
    .attr_size = sizeof(turn_attrs),
    .scalar = S_COUNT,
    .infer = infer_turn,
    .candidates = conv2d_turn_candidates,
    .samples = turn_samples,
};
