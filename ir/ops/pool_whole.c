/* Pools whose windows follow from the size: adaptive ones, which give the size asked for, and global ones,
 * which give one number a channel, [N,C]. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

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
    .candidates = global_maxpool_candidates,
    .samples = global_max,
};
