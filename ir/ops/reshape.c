/* reshape, flatten: the same numbers in the same order under another shape; the batch stays in front. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/gradient.h"

/* The product of the sizes given, and where -1 stands (or -1); false if a size is not positive. */
static bool product(const ints *sizes, int64_t *all, int *open) {
    *all = 1;
    *open = -1;
    for (int i = 0; i < sizes->count; i++) {
        if (sizes->at[i] == -1 && *open < 0)
            *open = i;
        else if (sizes->at[i] < 1 || !size_mul(*all, sizes->at[i], all))
            return false;
    }
    return true;
}

static bool infer_reshape(graph *g, node *n, diags *d) {
    reshape_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape;
    int64_t count = shape_count(x), all;
    int open, batch = shape_batched(x);
    bool good = product(&a->shape, &all, &open) && a->shape.count + batch <= MAX_RANK;
    if (good && open >= 0 && count % all == 0) a->shape.at[open] = count / all;
    shape s = {.rank = batch, .dim = {DIM_N}};
    text asked = text_in(g->arena);
    for (int i = 0; i < a->shape.count; i++) {
        text_printf(&asked, "%s%lld", i ? "," : "", (long long)a->shape.at[i]);
        if (good) s.dim[s.rank++] = a->shape.at[i];
    }
    if (good && (open >= 0 ? count % all == 0 : all == count)) return give_shape(g, n, s, d);
    return op_error(n, d, "cannot reshape %s to [%s]: %lld numbers%s must keep their count", shape_text(g, x),
                    asked.at ? asked.at : "", (long long)count, batch ? " of a sample (N is not given)" : "");
}

static bool infer_flatten(graph *g, node *n, diags *d) {
    const flatten_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape;
    int missing = !shape_batched(x); /* axes are counted as if there was a batch */
    if (!want_within(n, "start", a->start, 1, x->rank + missing > 1 ? x->rank + missing - 1 : 1, d))
        return false;
    shape s = {.rank = (int)a->start - missing + 1};
    for (int i = 0; i < s.rank - 1; i++) s.dim[i] = x->dim[i];
    s.dim[s.rank - 1] = 1;
    for (int i = s.rank - 1; i < x->rank; i++) s.dim[s.rank - 1] *= x->dim[i];
    return give_shape(g, n, s, d);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    in_grads[0] = make_shape(g, n, out_grads[0], n->in[0]->shape);
}

static const attr reshape_attributes[] = {
    {"shape", ATTR_INTS, offsetof(reshape_attrs, shape), true, 0, NULL},
    {0},
};

static const attr flatten_attributes[] = {
    {"start", ATTR_INT, offsetof(flatten_attrs, start), false, 1, NULL},
    {0},
};

static const char *const reshape_samples[] = {
    "graph reshape\ninput %x f32[N,6,4,5]\n%y = reshape(%x) {shape=[120]}\noutput y %y\n",
    "graph reshape\ninput %x f32[N,20,3,2]\n%z = relu(%x)\n%y = reshape(%z) {shape=[5,-1,6]}\noutput y %y\n",
    "graph reshape\ninput %x f32[N,36]\n%y = reshape(%x) {shape=[4,3,3]}\noutput y %y\n",
    ("graph reshape\nparam %w \"w\" f32[24] trainable\ninput %x f32[N,6]\n%v = reshape(%w) {shape=[4,6]}\n"
     "%y = linear(%x, %v)\noutput y %y\n"),
    NULL,
};

static const char *const flatten_samples[] = {
    "graph flatten\ninput %x f32[N,6,4,5]\n%y = flatten(%x)\noutput y %y\n",
    "graph flatten\ninput %x f32[N,20,3,2]\n%z = relu(%x)\n%y = flatten(%z)\noutput y %y\n",
    "graph flatten\ninput %x f32[N,5,4,3]\n%y = flatten(%x) {start=2}\noutput y %y\n",
    "graph flatten\ninput %x f32[N,7]\n%y = flatten(%x)\noutput y %y\n",
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_reshape = {
    .name = "reshape",
    .summary = "the same numbers under another shape (given without N; -1 once for what is left)",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = reshape_attributes,
    .attr_size = sizeof(reshape_attrs),
    .scalar = S_COUNT,
    .infer = infer_reshape,
    .grad = grad,
    .view = true,
    .samples = reshape_samples,
};

const op op_flatten = {
    .name = "flatten",
    .summary = "the axes from `start` on as one",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = flatten_attributes,
    .attr_size = sizeof(flatten_attrs),
    .scalar = S_COUNT,
    .infer = infer_flatten,
    .grad = grad,
    .view = true,
    .samples = flatten_samples,
};
