/* Pools whose windows follow from the size: adaptive ones, which give the size asked for, and global ones,
 * which give one number a channel, [N,C]. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

/* A result larger than the image repeats pixels, as PyTorch's does. */
static bool adaptive(graph *g, node *n, diags *d) {
    const adaptive_attrs *p = n->attrs;
    if (!want_floats(n, d) || !want_image(g, n, d) || !want_within(n, "size", p->size[0], 1, 1 << 24, d) ||
        !want_within(n, "size", p->size[1], 1, 1 << 24, d))
        return false;
    return give_shape(g, n, (shape){4, {DIM_N, n->in[0]->shape.dim[1], p->size[0], p->size[1]}}, d);
}

static bool global(graph *g, node *n, diags *d) {
    if (!want_floats(n, d) || !want_image(g, n, d)) return false;
    return give_shape(g, n, (shape){2, {DIM_N, n->in[0]->shape.dim[1]}}, d);
}

static void adaptive_avg_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *x = &n->in[0]->shape;
    adaptive_attrs a = {.size = {x->dim[2], x->dim[3]}};
    in_grads[0] = make_with(g, n, "adaptive_avgpool_grad", out_grads[0], &a);
}

static void adaptive_max_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    in_grads[0] = make_three(g, n, "adaptive_maxpool_grad", n->in[0], n->out[0], out_grads[0], NULL);
}

/* [N,C] as [N,C,1,1] */
static value *pixels(graph *g, const node *n, value *v) {
    return make_shape(g, n, v, (shape){4, {DIM_N, v->shape.dim[1], 1, 1}});
}

static void global_avg_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const shape *x = &n->in[0]->shape;
    value *share = make_scaled(g, n, out_grads[0], 1.0 / (double)(x->dim[2] * x->dim[3]));
    in_grads[0] = make_broadcast(g, n, pixels(g, n, share), *x);
}

static void global_max_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *y = pixels(g, n, n->out[0]), *dy = pixels(g, n, out_grads[0]);
    in_grads[0] = make_three(g, n, "adaptive_maxpool_grad", n->in[0], y, dy, NULL);
}

static const attr attributes[] = {
    {"size", ATTR_PAIR, offsetof(adaptive_attrs, size), true, 0, NULL},
    {0},
};

#define ADAPTIVE(name, x, size)                                                                              \
    "graph " name "\ninput %x f32" x "\n%y = " name "(%x) {size=" size "}\noutput y %y\n"
#define GLOBAL(name, x) "graph " name "\ninput %x f32" x "\n%y = " name "(%x)\noutput y %y\n"
#define ADAPTIVE_SAMPLES(name)                                                                               \
    ADAPTIVE(name, "[N,3,8,8]", "[1,1]"), ADAPTIVE(name, "[N,16,13,11]", "[6,6]"),                           \
        ADAPTIVE(name, "[N,20,7,9]", "[3,4]"), ADAPTIVE(name, "[N,5,3,4]", "[7,7]"), NULL
#define GLOBAL_SAMPLES(name)                                                                                 \
    GLOBAL(name, "[N,3,8,8]"), GLOBAL(name, "[N,16,7,7]"), GLOBAL(name, "[N,37,5,3]"),                       \
        GLOBAL(name, "[N,64,1,1]"), NULL

static const char *const adaptive_avg[] = {ADAPTIVE_SAMPLES("adaptive_avgpool")};
static const char *const adaptive_max[] = {ADAPTIVE_SAMPLES("adaptive_maxpool")};
static const char *const global_avg[] = {GLOBAL_SAMPLES("global_avgpool")};
static const char *const global_max[] = {GLOBAL_SAMPLES("global_maxpool")};

static const char *const inputs[] = {"x", NULL};

const op op_adaptive_avgpool = {
    .name = "adaptive_avgpool",
    .summary = "means of windows that divide the image into the size asked for",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(adaptive_attrs),
    .scalar = S_COUNT,
    .infer = adaptive,
    .grad = adaptive_avg_grad,
    .candidates = adaptive_avgpool_candidates,
    .samples = adaptive_avg,
};

const op op_adaptive_maxpool = {
    .name = "adaptive_maxpool",
    .summary = "the largest of windows that divide the image into the size asked for",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(adaptive_attrs),
    .scalar = S_COUNT,
    .infer = adaptive,
    .grad = adaptive_max_grad,
    .candidates = adaptive_maxpool_candidates,
    .samples = adaptive_max,
};

const op op_global_avgpool = {
    .name = "global_avgpool",
    .summary = "the mean of each channel, [N,C]",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = global,
    .grad = global_avg_grad,
    .candidates = global_avgpool_candidates,
    .samples = global_avg,
};

const op op_global_maxpool = {
    .name = "global_maxpool",
    .summary = "the largest of each channel, [N,C]",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = global,
    .grad = global_max_grad,
    .candidates = global_maxpool_candidates,
    .samples = global_max,
};
