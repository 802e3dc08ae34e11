/* random_keep: the mask of dropout. Each of its numbers depends on the seed, the step, the stream and its own place. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

static bool infer(graph *g, node *n, diags *d) {
    const random_keep_attrs *a = n->attrs;
    const shape *c = &n->in[0]->shape;
    shape s = shape_of(a->shape.count, a->shape.at);
    if (n->in[0]->type != DT_I32 || c->rank != 1 || c->dim[0] != 4)
        return op_error(n, d, "cannot draw from %s: the counter is the four words of step and seed, i32[4]",
                        input_text(g, n, 0));
    if (!(a->p >= 0 && a->p < 1))
        return op_error(n, d, "cannot drop with p = %g: it is the share that is dropped, 0 to below 1", a->p);
    if (!want_within(n, "stream", a->stream, 0, (1 << 28) - 1, d)) return false;
    if (!shape_valid(&s) || shape_count(&s) > (int64_t)1 << 32)
        return op_error(n, d, "a mask of shape %s is too large or has no size", shape_text(g, &s));
    return give(g, n, 0, DT_F32, s, d);
}

static const attr attributes[] = {
    {"p", ATTR_REAL, offsetof(random_keep_attrs, p), false, 0.5, NULL},
    {"stream", ATTR_INT, offsetof(random_keep_attrs, stream), false, 0, NULL},
    {"shape", ATTR_INTS, offsetof(random_keep_attrs, shape), true, 0, NULL},
    {0},
};

#define SAMPLE(shape, attributes_)                                                                           \
    "graph keep\ninput %c i32[4]\ninput %x f32" shape "\n%m = random_keep(%c) {" attributes_                 \
    "}\n%y = mul(%x, %m)\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,5]", "p=0.3, shape=[-1,5]"),
    SAMPLE("[N,3,7,5]", "shape=[-1,3,7,5], stream=2"),
    SAMPLE("[N,1100]", "p=0.9, shape=[-1,1100]"),
    NULL,
};

static const char *const inputs[] = {"counter", NULL};

const op op_random_keep = {
    .name = "random_keep",
    .summary = "0 for a share p of its numbers, 1/(1 - p) for the others, drawn from step and seed",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(random_keep_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .candidates = random_keep_candidates,
    .samples = samples,
};
