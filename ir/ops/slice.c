/* slice: elements start, start + step, ... of an axis, below stop. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

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
    .candidates = slice_candidates,
    .samples = samples,
};
