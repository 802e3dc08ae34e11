/* maxpool, avgpool: the largest or the mean of a window that walks over each channel. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

/* Stride 0 means the kernel's size; avgpool has no dilation. */
static void normalise(pool_attrs *p) {
    for (int a = 0; a < 2; a++) {
        if (!p->stride[a]) p->stride[a] = p->kernel[a];
        if (!p->dilation[a]) p->dilation[a] = 1;
    }
}

/* No window may lie in the padding alone: it would have nothing to take the largest of. */
static bool pads_fit(graph *g, const node *n, const window *w, diags *d) {
    for (int k = 0; k < 4; k++)
        if (w->pad[k] && w->pad[k] >= window_extent(w, k % 2))
            return op_error(
                n, d, "cannot %s %s: padding %lld is not smaller than the kernel, %lld with dilation",
                n->op->name, input_text(g, n, 0), (long long)w->pad[k], (long long)window_extent(w, k % 2));
    return true;
}

static bool pool(graph *g, node *n, diags *d) {
    pool_attrs *p = n->attrs;
    int64_t out[2];
    if (!want_floats(n, d) || !want_image(g, n, d)) return false;
    normalise(p);
    window w = {.kernel = {p->kernel[0], p->kernel[1]},
                .stride = {p->stride[0], p->stride[1]},
                .pad = {p->pad[0], p->pad[1], p->pad[2], p->pad[3]},
                .dilation = {p->dilation[0], p->dilation[1]},
                .ceil = p->ceil};
    if (!window_output(g, n, &w, out, d) || !pads_fit(g, n, &w, d)) return false;
    return give_shape(g, n, (shape){4, {DIM_N, n->in[0]->shape.dim[1], out[0], out[1]}}, d);
}

static bool maxpool(graph *g, node *n, diags *d) {
    const pool_attrs *p = n->attrs;
    return want_within(n, "dilation", p->dilation[0], 1, 1 << 24, d) &&
           want_within(n, "dilation", p->dilation[1], 1, 1 << 24, d) && pool(g, n, d);
}

static void max_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    in_grads[0] = make_three(g, n, "maxpool_grad", n->in[0], n->out[0], out_grads[0], n->attrs);
}

static void avg_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *x = &n->in[0]->shape;
    avgpool_grad_attrs a = {.pool = *(const pool_attrs *)n->attrs, .size = {x->dim[2], x->dim[3]}};
    in_grads[0] = make_with(g, n, "avgpool_grad", out_grads[0], &a);
}

#define KERNEL                                                                                               \
    { "kernel", ATTR_PAIR, offsetof(pool_attrs, kernel), true, 0, NULL }
#define STRIDE                                                                                               \
    { "stride", ATTR_PAIR, offsetof(pool_attrs, stride), false, 0, NULL }
#define PAD                                                                                                  \
    { "pad", ATTR_PADS, offsetof(pool_attrs, pad), false, 0, NULL }
#define CEILING                                                                                              \
    { "ceil", ATTR_BOOL, offsetof(pool_attrs, ceil), false, 0, NULL }

static const attr max_attributes[] = {
    KERNEL,  STRIDE, PAD, {"dilation", ATTR_PAIR, offsetof(pool_attrs, dilation), false, 1, NULL},
    CEILING, {0},
};

static const attr avg_attributes[] = {
    KERNEL,
    STRIDE,
    PAD,
    CEILING,
    {"include_pad", ATTR_BOOL, offsetof(pool_attrs, include_pad), false, 1, NULL},
    {0},
};

#define MAX(x, attrs) "graph maxpool\ninput %x f32" x "\n%y = maxpool(%x) " attrs "\noutput y %y\n"
#define AVG(x, attrs) "graph avgpool\ninput %x f32" x "\n%y = avgpool(%x) " attrs "\noutput y %y\n"

static const char *const max_samples[] = {
    MAX("[N,3,8,8]", "{kernel=[2,2]}"),
    MAX("[N,16,13,13]", "{kernel=[3,3], stride=[2,2], pad=[1,1,1,1]}"),
    MAX("[N,20,12,15]", "{kernel=[3,3], stride=[2,2], ceil=true}"),
    MAX("[N,33,7,6]", "{kernel=[3,2], stride=[1,2], pad=[1,0,0,1], ceil=true}"),
    MAX("[N,2,11,9]", "{kernel=[3,2], stride=[1,1], pad=[2,1,1,0], dilation=[2,3]}"),
    MAX("[N,5,5,5]", "{kernel=[5,5]}"),
    NULL,
};

static const char *const avg_samples[] = {
    AVG("[N,3,8,8]", "{kernel=[2,2]}"),
    AVG("[N,16,13,13]", "{kernel=[3,3], stride=[2,2], pad=[1,1,1,1]}"),
    AVG("[N,20,12,15]", "{kernel=[3,3], stride=[2,2], pad=[1,1,1,1], ceil=true, include_pad=false}"),
    AVG("[N,33,7,6]", "{kernel=[3,2], stride=[2,2], pad=[1,0,0,1], ceil=true}"),
    AVG("[N,6,7,7]", "{kernel=[7,7]}"),
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_maxpool = {
    .name = "maxpool",
    .summary = "the largest in each window",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = max_attributes,
    .attr_size = sizeof(pool_attrs),
    .scalar = S_COUNT,
    .infer = maxpool,
    .grad = max_grad,
    .candidates = maxpool_candidates,
    .samples = max_samples,
};

const op op_avgpool = {
    .name = "avgpool",
    .summary = "the mean of each window",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = avg_attributes,
    .attr_size = sizeof(pool_attrs),
    .scalar = S_COUNT,
    .infer = pool,
    .grad = avg_grad,
    .candidates = avgpool_candidates,
    .samples = avg_samples,
};
