/* pad: elements added around a tensor: a value, its mirror image, or its border. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

#include <string.h>

enum { PAD_LIMIT = 1 << 24 };

/* A list of one number for each axis but the batch; none means zeros. `pads` of the last two axes is added.
 */
static bool complete(graph *g, const node *n, const char *name, ints *list, const int64_t *pads, diags *d) {
    const shape *x = &n->in[0]->shape;
    int axes = x->rank - shape_batched(x);
    if (!list->count) *list = (ints){.count = axes};
    if (list->count != axes)
        return op_error(
            n, d, "cannot pad %s: '%s' has %d numbers, but needs one for each of %d axes besides the batch",
            shape_text(g, x), name, list->count, axes);
    if (axes < 2 && (pads[0] || pads[1]))
        return op_error(n, d, "cannot pad %s: 'pads' is for rows and columns; use 'before' and 'after'",
                        shape_text(g, x));
    for (int i = 0; i < axes; i++) {
        int64_t more = axes >= 2 && i >= axes - 2 ? pads[i - (axes - 2)] : 0;
        if (!size_add(list->at[i], more, &list->at[i]) || list->at[i] > PAD_LIMIT)
            return op_error(n, d, "cannot pad %s: add 0 to %d elements (to take some away, slice)",
                            shape_text(g, x), PAD_LIMIT);
    }
    return true;
}

static bool mirror_fits(graph *g, const node *n, int axis, int64_t amount, diags *d) {
    const pad_attrs *a = n->attrs;
    const shape *x = &n->in[0]->shape;
    if (strcmp(a->mode, "reflect") != 0 || amount < x->dim[axis]) return true;
    return op_error(n, d, "cannot pad %s by reflection: axis %d has %lld elements to reflect, not %lld",
                    shape_text(g, x), axis, (long long)x->dim[axis] - 1, (long long)amount);
}

static bool infer(graph *g, node *n, diags *d) {
    pad_attrs *a = n->attrs;
    shape s = n->in[0]->shape;
    int batch = shape_batched(&s);
    if (!complete(g, n, "before", &a->before, a->pads, d) ||
        !complete(g, n, "after", &a->after, a->pads + 2, d))
        return false;
    memset(a->pads, 0, sizeof a->pads);
    for (int i = batch; i < s.rank; i++) {
        int64_t before = a->before.at[i - batch], after = a->after.at[i - batch];
        if (!mirror_fits(g, n, i, before, d) || !mirror_fits(g, n, i, after, d)) return false;
        s.dim[i] += before + after;
    }
    return give_shape(g, n, s, d);
}

static bool is_mode(const node *n, const char *name) {
    return strcmp(((const pad_attrs *)n->attrs)->mode, name) == 0;
}

/* What was copied from x to its side, as it lay in x: the border's sum, or the mirror image turned back. */
static value *folded(graph *g, const node *n, value *side, int axis) {
    int64_t count = side->shape.dim[axis];
    if (is_mode(n, "replicate")) return make_reduce(g, n, "reduce_sum", side, (ints){1, {axis}});
    axis_attrs along = {.axis = axis};
    value **turned = NEW_ARRAY(g->arena, value *, count);
    for (int64_t i = 0; i < count; i++) turned[i] = make_slice(g, n, side, axis, count - 1 - i, count - i);
    return count == 1 ? side : graph_make(g, "concat", turned, (int)count, &along, n->scope, n->at);
}

/* dy without what was added along one axis, plus, if that came from x, its gradient. */
static value *unpad(graph *g, const node *n, value *dy, int axis, int64_t before, int64_t after) {
    int64_t size = dy->shape.dim[axis] - before - after;
    value *dx = make_slice(g, n, dy, axis, before, before + size);
    int64_t skip = is_mode(n, "reflect"); /* the border itself is not mirrored */
    if (is_mode(n, "constant")) return dx;
    if (before) {
        value *v = folded(g, n, make_slice(g, n, dy, axis, 0, before), axis);
        v = make_padded(g, n, v, axis, skip, size - skip - v->shape.dim[axis]);
        dx = make_two(g, n, "add", dx, v);
    }
    if (after) {
        value *v = folded(g, n, make_slice(g, n, dy, axis, before + size, before + size + after), axis);
        v = make_padded(g, n, v, axis, size - skip - v->shape.dim[axis], skip);
        dx = make_two(g, n, "add", dx, v);
    }
    return dx;
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const pad_attrs *a = n->attrs;
    int batch = shape_batched(&n->in[0]->shape);
    value *dx = out_grads[0];
    for (int i = a->before.count; i-- > 0;)
        if (a->before.at[i] || a->after.at[i])
            dx = unpad(g, n, dx, i + batch, a->before.at[i], a->after.at[i]);
    in_grads[0] = dx;
}

static const char *const modes[] = {"constant", "reflect", "replicate", NULL};

static const attr attributes[] = {
    {"pads", ATTR_PADS, offsetof(pad_attrs, pads), false, 0, NULL},
    {"before", ATTR_INTS, offsetof(pad_attrs, before), false, 0, NULL},
    {"after", ATTR_INTS, offsetof(pad_attrs, after), false, 0, NULL},
    {"value", ATTR_REAL, offsetof(pad_attrs, value), false, 0, NULL},
    {"mode", ATTR_NAME, offsetof(pad_attrs, mode), false, 0, modes},
    {0},
};

#define SAMPLE(x, attrs) "graph pad\ninput %x f32" x "\n%y = pad(%x) " attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,3,4,5]", "{pads=[1,2,0,3]}"),
    SAMPLE("[N,16,4,5]", "{pads=[1,1,1,1], value=-2.5}"),
    SAMPLE("[N,16,4,4]", "{before=[8,0,0], after=[8,0,0]}"),
    SAMPLE("[N,18,5,6]", "{pads=[2,1,3,4], mode=reflect}"),
    SAMPLE("[N,2,3,4]", "{pads=[1,5,2,0], mode=replicate}"),
    SAMPLE("[N,7]", "{before=[2], after=[1]}"),
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_pad = {
    .name = "pad",
    .summary = "elements added around: a value, a mirror image, or the border",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(pad_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = pad_candidates,
    .samples = samples,
};
