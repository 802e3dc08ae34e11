/* concat, split: tensors laid end to end along an axis, and taken apart again. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool joins(graph *g, const node *n, int k, int axis, diags *d) {
    const shape *a = &n->in[0]->shape, *b = &n->in[k]->shape;
    const char *why = a->rank != b->rank ? "the ranks differ" : NULL;
    for (int i = 0; !why && i < a->rank; i++)
        if (i != axis && a->dim[i] != b->dim[i]) why = arena_printf(g->arena, "sizes of axis %d differ", i);
    if (n->in[k]->type != n->in[0]->type) why = "the types differ";
    if (!why) return true;
    return op_error(n, d, "cannot concat %s and %s along axis %d: %s", shape_text(g, a), shape_text(g, b),
                    axis, why);
}

static bool infer_concat(graph *g, node *n, diags *d) {
    axis_attrs *a = n->attrs;
    if (!want_axis(g, n, &a->axis, d)) return false;
    shape s = n->in[0]->shape;
    for (int k = 1; k < n->own_inputs; k++) {
        if (!joins(g, n, k, (int)a->axis, d)) return false;
        if (!size_add(s.dim[a->axis], n->in[k]->shape.dim[a->axis], &s.dim[a->axis]))
            return op_error(n, d, "cannot concat %s and %d others: the result is too large",
                            input_text(g, n, 0), n->own_inputs - 1);
    }
    return give_shape(g, n, s, d);
}

static bool parts_fit(graph *g, const node *n, diags *d) {
    const split_attrs *a = n->attrs;
    int64_t size = n->in[0]->shape.dim[a->axis], sum = 0;
    bool good = a->sizes.count > 0;
    for (int i = 0; good && i < a->sizes.count; i++)
        good = a->sizes.at[i] > 0 && size_add(sum, a->sizes.at[i], &sum);
    if (good && sum == size) return true;
    return op_error(
        n, d, "cannot split %s: the sizes of the parts must be positive and add up to axis %lld's %lld%s",
        input_text(g, n, 0), (long long)a->axis, (long long)size,
        good ? arena_printf(g->arena, ", not to %lld", (long long)sum) : "");
}

static bool infer_split(graph *g, node *n, diags *d) {
    split_attrs *a = n->attrs;
    if (!want_axis(g, n, &a->axis, d) || !parts_fit(g, n, d)) return false;
    node_set_outputs(g, n, a->sizes.count);
    for (int k = 0; k < a->sizes.count; k++) {
        shape s = n->in[0]->shape;
        s.dim[a->axis] = a->sizes.at[k];
        if (!give(g, n, k, n->in[0]->type, s, d)) return false;
    }
    return true;
}

static void concat_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const axis_attrs *a = n->attrs;
    int64_t at = 0;
    for (int k = 0; k < n->own_inputs; k++) {
        int64_t next = at + n->in[k]->shape.dim[a->axis];
        in_grads[k] = make_slice(g, n, out_grads[0], (int)a->axis, at, next);
        at = next;
    }
}

/* The parts that nobody reads have gradient zero. */
static void split_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const split_attrs *a = n->attrs;
    axis_attrs along = {.axis = a->axis};
    value **parts = NEW_ARRAY(g->arena, value *, n->outputs);
    for (int k = 0; k < n->outputs; k++)
        parts[k] = out_grads[k] ? out_grads[k] : make_zeros(g, n, n->out[k]->shape);
    in_grads[0] = graph_make(g, "concat", parts, n->outputs, &along, n->scope, n->at);
}

static const attr concat_attributes[] = {
    {"axis", ATTR_INT, offsetof(axis_attrs, axis), false, 1, NULL},
    {0},
};

static const attr split_attributes[] = {
    {"sizes", ATTR_INTS, offsetof(split_attrs, sizes), true, 0, NULL},
    {"axis", ATTR_INT, offsetof(split_attrs, axis), false, 1, NULL},
    {0},
};

static const char *const concat_samples[] = {
    "graph concat\ninput %a f32[N,3,4,5]\ninput %b f32[N,2,4,5]\n%y = concat(%a, %b)\noutput y %y\n",
    "graph concat\ninput %a f32[N,16,4,5]\ninput %b f32[N,32,4,5]\n%y = concat(%a, %b)\noutput y %y\n",
    "graph concat\ninput %a f32[N,18,3,3]\ninput %b f32[N,7,3,3]\ninput %c f32[N,16,3,3]\n"
    "%y = concat(%a, %b, %c)\noutput y %y\n",
    "graph concat\ninput %a f32[N,3,4,5]\ninput %b f32[N,3,2,5]\n%y = concat(%a, %b) {axis=2}\noutput y %y\n",
    "graph concat\ninput %a f32[N,5]\ninput %b f32[N,6]\n%y = concat(%a, %b) {axis=-1}\noutput y %y\n",
    "graph concat\nparam %a \"a\" f32[5,2] trainable\nparam %b \"b\" f32[3,2] trainable\ninput %x f32[N,2]\n"
    "%w = concat(%a, %b) {axis=0}\n%y = linear(%x, %w)\noutput y %y\n",
    NULL,
};

static const char *const split_samples[] = {
    "graph split\ninput %x f32[N,6,4,5]\n%a, %b = split(%x) {sizes=[2,4]}\noutput a %a\noutput b %b\n",
    "graph split\ninput %x f32[N,40,3,3]\n%a, %b = split(%x) {sizes=[16,24]}\noutput a %a\noutput b %b\n",
    "graph split\ninput %x f32[N,12]\n%a, %b, %c = split(%x) {sizes=[3,4,5]}\n%d = mul(%a, %a)\n"
    "output d %d\noutput b %b\noutput c %c\n",
    "graph split\ninput %x f32[N,3,4,7]\n%a, %b = split(%x) {sizes=[5,2], axis=-1}\noutput a %a\noutput b "
    "%b\n",
    NULL,
};

static const char *const concat_inputs[] = {"x", NULL};
static const char *const split_inputs[] = {"x", NULL};

const op op_concat = {
    .name = "concat",
    .summary = "tensors end to end along an axis",
    .inputs_min = 1,
    .inputs_max = -1,
    .outputs = 1,
    .input_names = concat_inputs,
    .attrs = concat_attributes,
    .attr_size = sizeof(axis_attrs),
    .scalar = S_COUNT,
    .infer = infer_concat,
    .grad = concat_grad,
    .candidates = concat_candidates,
    .samples = concat_samples,
};

const op op_split = {
    .name = "split",
    .summary = "parts of a tensor along an axis, one result each",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = -1,
    .input_names = split_inputs,
    .attrs = split_attributes,
    .attr_size = sizeof(split_attrs),
    .scalar = S_COUNT,
    .infer = infer_split,
    .grad = split_grad,
    .candidates = split_candidates,
    .samples = split_samples,
};
