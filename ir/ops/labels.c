/* What a loss needs besides arithmetic: how many samples a batch has, and classes as vectors. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

static bool infer_samples(graph *g, node *n, diags *d) {
    if (!want_floats(n, d)) return false;
    if (!shape_batched(&n->in[0]->shape))
        return op_error(n, d, "cannot count the samples of %s: it is one tensor for all of them",
                        input_text(g, n, 0));
    return give_shape(g, n, (shape){0}, d);
}

static bool infer_one_hot(graph *g, node *n, diags *d) {
    const count_attrs *a = n->attrs;
    shape s = n->in[0]->shape;
    if (n->in[0]->type != DT_I32)
        return op_error(n, d,
                        "cannot one_hot %s of type %s: classes are integers; declare the input as `int`",
                        shape_text(g, &s), dtype_name(n->in[0]->type));
    if (s.rank == MAX_RANK) return op_error(n, d, "cannot one_hot %s: too many axes", shape_text(g, &s));
    if (!want_within(n, "classes", a->count, 1, INT32_MAX, d)) return false;
    s.dim[s.rank++] = a->count;
    bound_indices(n->in[0], a->count);
    return give(g, n, 0, DT_F32, s, d);
}

/* How many there are does not depend on what they are. */
static void samples_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    (void)g, (void)n, (void)out_grads;
    in_grads[0] = NULL;
}

static const attr classes[] = {
    {"classes", ATTR_INT, offsetof(count_attrs, count), true, 0, NULL},
    {0},
};

static const char *const samples_samples[] = {
    "graph samples\ninput %x f32[N,3]\n%y = samples(%x)\noutput y %y\n",
    "graph samples\ninput %x f32[N,20,4,4]\n%k = samples(%x)\n%y = div(%x, %k)\noutput y %y\n",
    NULL,
};

static const char *const one_hot_samples[] = {
    "graph one_hot\ninput %i i32[N]\n%y = one_hot(%i) {classes=10}\noutput y %y\n",
    "graph one_hot\ninput %i i32[N,3]\n%y = one_hot(%i) {classes=37}\noutput y %y\n",
    "graph one_hot\ninput %i i32[N,2,2]\n%y = one_hot(%i) {classes=1}\noutput y %y\n",
    NULL,
};

static const char *const x_input[] = {"x", NULL};
static const char *const label_input[] = {"label", NULL};

const op op_samples = {
    .name = "samples",
    .summary = "how many samples the batch has",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = x_input,
    .scalar = S_COUNT,
    .infer = infer_samples,
    .grad = samples_grad,
    .candidates = samples_candidates,
    .samples = samples_samples,
};

const op op_one_hot = {
    .name = "one_hot",
    .summary = "a vector for every class number: 1 at its place, 0 elsewhere",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = label_input,
    .attrs = classes,
    .attr_size = sizeof(count_attrs),
    .scalar = S_COUNT,
    .infer = infer_one_hot,
    .candidates = one_hot_candidates,
    .samples = one_hot_samples,
};
