/* pad: elements added around a tensor: a value, its mirror image, or its border. */
#include "ir/base/size.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

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
    .candidates = pad_candidates,
    .samples = samples,
};
