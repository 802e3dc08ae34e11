/* Gradients of pooling's input: what a window's result owes goes to the first of its largest, or to all of it. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

static bool wrong_dy(graph *g, const node *n, int k, const shape *want, diags *d) {
    return op_error(n, d, "cannot %s with %s %s: the pool's result is %s", n->op->name, n->op->input_names[k],
                    input_text(g, n, k), shape_text(g, want));
}

/* Operands from k on must have the shape of the pool's result. */
static bool results_fit(graph *g, const node *n, int k, const shape *want, diags *d) {
    for (; k < n->own_inputs; k++)
        if (!shape_equal(&n->in[k]->shape, want)) return wrong_dy(g, n, k, want, d);
    return true;
}

static window window_of(const pool_attrs *p) {
    return (window){.kernel = {p->kernel[0], p->kernel[1]},
                    .stride = {p->stride[0], p->stride[1]},
                    .pad = {p->pad[0], p->pad[1], p->pad[2], p->pad[3]},
                    .dilation = {p->dilation[0], p->dilation[1]},
                    .ceil = p->ceil};
}

static void normalise(pool_attrs *p) {
    for (int a = 0; a < 2; a++) {
        if (!p->stride[a]) p->stride[a] = p->kernel[a];
        if (!p->dilation[a]) p->dilation[a] = 1;
    }
}

static bool infer_max(graph *g, node *n, diags *d) {
    pool_attrs *p = n->attrs;
    int64_t out[2];
    if (!want_floats(n, d) || !want_image(g, n, d)) return false;
    normalise(p);
    window w = window_of(p);
    if (!window_output(g, n, &w, out, d)) return false;
    shape y = {4, {DIM_N, n->in[0]->shape.dim[1], out[0], out[1]}};
    return results_fit(g, n, 1, &y, d) && give_shape(g, n, n->in[0]->shape, d);
}

static bool size_fits(const node *n, const int64_t size[2], diags *d) {
    return want_within(n, "size", size[0], 1, 1 << 24, d) && want_within(n, "size", size[1], 1, 1 << 24, d);
}

static bool infer_avg(graph *g, node *n, diags *d) {
    avgpool_grad_attrs *a = n->attrs;
    int64_t out[2];
    if (!want_floats(n, d) || !want_image(g, n, d) || !size_fits(n, a->size, d)) return false;
    normalise(&a->pool);
    window w = window_of(&a->pool);
    shape x = {4, {DIM_N, n->in[0]->shape.dim[1], a->size[0], a->size[1]}};
    value image = {.shape = x}, *in[1] = {&image};
    node pool = *n; /* as the pool saw it */
    pool.in = in;
    if (!window_output(g, &pool, &w, out, d)) return false;
    shape y = {4, {DIM_N, x.dim[1], out[0], out[1]}};
    return results_fit(g, n, 0, &y, d) && give_shape(g, n, x, d);
}

static bool infer_adaptive_avg(graph *g, node *n, diags *d) {
    const adaptive_attrs *a = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !size_fits(n, a->size, d)) return false;
    return give_shape(g, n, (shape){4, {DIM_N, n->in[0]->shape.dim[1], a->size[0], a->size[1]}}, d);
}

static bool infer_adaptive_max(graph *g, node *n, diags *d) {
    if (!want_floats(n, d) || !want_image(g, n, d)) return false;
    const shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
    if (y->rank != 4 || !shape_batched(y) || y->dim[1] != x->dim[1])
        return op_error(n, d, "cannot adaptive_maxpool_grad %s with y %s: it takes images of equal channels",
                        input_text(g, n, 0), input_text(g, n, 1));
    return results_fit(g, n, 2, y, d) && give_shape(g, n, *x, d);
}

#define WINDOW(type, prefix)                                                                                 \
    {"kernel", ATTR_PAIR, offsetof(type, prefix kernel), true, 0, NULL},                                     \
        {"stride", ATTR_PAIR, offsetof(type, prefix stride), false, 0, NULL},                                \
        {"pad", ATTR_PADS, offsetof(type, prefix pad), false, 0, NULL}, {                                    \
        "ceil", ATTR_BOOL, offsetof(type, prefix ceil), false, 0, NULL                                       \
    }

static const attr max_attributes[] = {
    WINDOW(pool_attrs, ),
    {"dilation", ATTR_PAIR, offsetof(pool_attrs, dilation), false, 1, NULL},
    {0},
};

static const attr avg_attributes[] = {
    WINDOW(avgpool_grad_attrs, pool.),
    {"include_pad", ATTR_BOOL, offsetof(avgpool_grad_attrs, pool.include_pad), false, 1, NULL},
    {"size", ATTR_PAIR, offsetof(avgpool_grad_attrs, size), true, 0, NULL},
    {0},
};

static const attr adaptive_attributes[] = {
    {"size", ATTR_PAIR, offsetof(adaptive_attrs, size), true, 0, NULL},
    {0},
};

/* The pool itself stands in the text: y must be its result. */
#define MAX(pool, x, dy, attrs)                                                                              \
    "graph " pool "_grad\ninput %x f32" x "\ninput %g f32" dy "\n%p = " pool "(%x) {" attrs "}\n%y = " pool  \
    "_grad(%x, %p, %g)"
#define WINDOWED(x, dy, attrs) MAX("maxpool", x, dy, attrs) " {" attrs "}\noutput y %y\n"
#define ADAPTED(x, dy, size)   MAX("adaptive_maxpool", x, dy, "size=" size) "\noutput y %y\n"
#define AVG(pool, dy, attrs)                                                                                 \
    "graph " pool "_grad\ninput %g f32" dy "\n%y = " pool "_grad(%g) {" attrs "}\noutput y %y\n"

static const char *const max_samples[] = {
    WINDOWED("[N,3,8,8]", "[N,3,4,4]", "kernel=[2,2]"),
    WINDOWED("[N,16,13,13]", "[N,16,7,7]", "kernel=[3,3], stride=[2,2], pad=[1,1,1,1]"),
    WINDOWED("[N,20,12,15]", "[N,20,6,7]", "kernel=[3,3], stride=[2,2], ceil=true"),
    WINDOWED("[N,2,11,9]", "[N,2,10,7]", "kernel=[3,2], stride=[1,1], pad=[2,1,1,0], dilation=[2,3]"),
    WINDOWED("[N,5,7,9]", "[N,5,2,3]", "kernel=[2,2], stride=[3,3]"),
    "graph maxpool_grad\ninput %x f32[N,3,8,8]\ninput %g f32[N,18,4,4]\n"
    "param %w \"w\" f32[18,3,1,1] trainable\n%c = conv2d(%x, %w)\n%p = maxpool(%c) {kernel=[2,2]}\n"
    "%y = maxpool_grad(%c, %p, %g) {kernel=[2,2]}\noutput y %y\n",
    NULL,
};

static const char *const avg_samples[] = {
    AVG("avgpool", "[N,3,4,4]", "kernel=[2,2], size=[8,8]"),
    AVG("avgpool", "[N,16,7,7]", "kernel=[3,3], stride=[2,2], pad=[1,1,1,1], size=[13,13]"),
    AVG("avgpool", "[N,20,7,8]",
        "kernel=[3,3], stride=[2,2], pad=[1,1,1,1], ceil=true, include_pad=false, size=[12,15]"),
    AVG("avgpool", "[N,6,1,1]", "kernel=[7,7], size=[7,7]"),
    NULL,
};

static const char *const adaptive_avg_samples[] = {
    AVG("adaptive_avgpool", "[N,3,1,1]", "size=[8,8]"),
    AVG("adaptive_avgpool", "[N,16,6,6]", "size=[13,11]"),
    AVG("adaptive_avgpool", "[N,5,7,7]", "size=[3,4]"),
    NULL,
};

static const char *const adaptive_max_samples[] = {
    ADAPTED("[N,3,8,8]", "[N,3,1,1]", "[1,1]"),
    ADAPTED("[N,16,13,11]", "[N,16,6,6]", "[6,6]"),
    ADAPTED("[N,5,3,4]", "[N,5,7,7]", "[7,7]"),
    NULL,
};

static const char *const max_inputs[] = {"x", "y", "dy", NULL};
static const char *const avg_inputs[] = {"dy", NULL};

#define GRADIENT(NAME, does, most, names, attributes, size, how, list)                                       \
    const op op_##NAME = {                                                                                   \
        .name = #NAME,                                                                                       \
        .summary = does,                                                                                     \
        .inputs_min = most,                                                                                  \
        .inputs_max = most,                                                                                  \
        .outputs = 1,                                                                                        \
        .input_names = names,                                                                                \
        .attrs = attributes,                                                                                 \
        .attr_size = size,                                                                                   \
        .scalar = S_COUNT,                                                                                   \
        .infer = how,                                                                                        \
        .candidates = NAME##_candidates,                                                                     \
        .samples = list,                                                                                     \
    }
GRADIENT(maxpool_grad, "the gradient of maxpool's input: to the first of each window's largest", 3,
         max_inputs, max_attributes, sizeof(pool_attrs), infer_max, max_samples);
GRADIENT(avgpool_grad, "the gradient of avgpool's input", 1, avg_inputs, avg_attributes,
         sizeof(avgpool_grad_attrs), infer_avg, avg_samples);
GRADIENT(adaptive_avgpool_grad, "the gradient of adaptive_avgpool's input", 1, avg_inputs,
         adaptive_attributes, sizeof(adaptive_attrs), infer_adaptive_avg, adaptive_avg_samples);
GRADIENT(adaptive_maxpool_grad, "the gradient of adaptive_maxpool's input", 3, max_inputs, NULL, 0,
         infer_adaptive_max, adaptive_max_samples);
