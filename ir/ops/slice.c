/* slice: elements start, start + step, ... of an axis, below stop. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool infer(graph *g, node *n, diags *d) {
    slice_attrs *a = n->attrs;
    if (!want_axis(g, n, &a->axis, d) || !want_within(n, "step", a->step, 1, SIZE_LIMIT, d)) return false;
    shape s = n->in[0]->shape;
    int64_t size = s.dim[a->axis], start = a->start, stop = a->stop;
    if (stop == SIZE_LIMIT) stop = size; /* not given */
    if (start < 0 && start >= -size) start += size;
    if (stop < 0 && stop >= -size) stop += size;
    if (start < 0 || stop > size || start >= stop)
        return op_error(
            n, d,
            "cannot slice %s along axis %lld from %lld to %lld: it has %lld elements, and a slice "
            "takes at least one",
            shape_text(g, &s), (long long)a->axis, (long long)start, (long long)stop, (long long)size);
    a->start = start;
    a->stop = stop;
    s.dim[a->axis] = ceil_div(stop - start, a->step);
    return give_shape(g, n, s, d);
}

/* [..,k,..] as [..,k·step,..] with zeros between. The axes around are taken as one, so that one more fits. */
static value *spread(graph *g, const node *n, value *v, int axis, int64_t step) {
    shape s = v->shape, apart = {.rank = 0}, wide = v->shape;
    int64_t outer = 1, inner = 1;
    if (step == 1) return v;
    for (int i = shape_batched(&s); i < axis; i++) outer *= s.dim[i];
    for (int i = axis + 1; i < s.rank; i++) inner *= s.dim[i];
    if (shape_batched(&s)) apart.dim[apart.rank++] = DIM_N;
    apart.dim[apart.rank++] = outer * s.dim[axis];
    apart.dim[apart.rank++] = 1;
    apart.dim[apart.rank++] = inner;
    wide.dim[axis] *= step;
    v = make_padded(g, n, make_shape(g, n, v, apart), apart.rank - 2, 0, step - 1);
    return make_shape(g, n, v, wide);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    const slice_attrs *a = n->attrs;
    int axis = (int)a->axis;
    int64_t size = n->in[0]->shape.dim[axis];
    value *v = spread(g, n, out_grads[0], axis, a->step);
    if (a->start + v->shape.dim[axis] > size) v = make_slice(g, n, v, axis, 0, size - a->start);
    in_grads[0] = make_padded(g, n, v, axis, a->start, size - a->start - v->shape.dim[axis]);
}

static const attr attributes[] = {
    {"axis", ATTR_INT, offsetof(slice_attrs, axis), false, 1, NULL},
    {"start", ATTR_INT, offsetof(slice_attrs, start), false, 0, NULL},
    {"stop", ATTR_INT, offsetof(slice_attrs, stop), false, SIZE_LIMIT, NULL},
    {"step", ATTR_INT, offsetof(slice_attrs, step), false, 1, NULL},
    {0},
};

#define SAMPLE(x, attrs) "graph slice\ninput %x f32" x "\n%y = slice(%x) " attrs "\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,6,4,5]", "{start=1, stop=5}"),  SAMPLE("[N,40,3,3]", "{start=16, stop=32}"),
    SAMPLE("[N,5,8,8]", "{axis=2, step=2}"),   SAMPLE("[N,5,7,9]", "{axis=-1, start=1, stop=-1, step=3}"),
    SAMPLE("[N,28,10]", "{axis=1, start=-1}"), NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_slice = {
    .name = "slice",
    .summary = "elements start, start + step, ... below stop of an axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(slice_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = slice_candidates,
    .samples = samples,
};
