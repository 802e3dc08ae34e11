/* cast, reorder: the same values in another type, or in another place. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

#include <string.h>

static bool infer_cast(graph *g, node *n, diags *d) {
    return give(g, n, 0, DT_F32, n->in[0]->shape, d);
}

static layout_kind kind_of(const reorder_attrs *a) {
    int k = 0;
    while (k < LAYOUT_KINDS - 1 && strcmp(a->layout, layout_names[k]) != 0) k++;
    return (layout_kind)k;
}

/* Reorders are written by the pass that chooses layouts. */
static bool infer_reorder(graph *g, node *n, diags *d) {
    const reorder_attrs *a = n->attrs;
    if (!want_within(n, "left", a->left, 0, 1 << 20, d) ||
        !want_within(n, "right", a->right, 0, 1 << 20, d) ||
        !want_within(n, "groups", a->groups, 0, 1 << 24, d))
        return false;
    layout_kind kind = kind_of(a);
    int rank = n->in[0]->shape.rank;
    bool image = kind == LAYOUT_BLOCKED16 || a->left || a->right;
    if (image && rank != 3 && rank != 4)
        return op_error(n, d, "cannot reorder %s: only images are blocked or have a halo",
                        input_text(g, n, 0));
    n->out[0]->layout =
        (layout){.kind = kind, .left = (int)a->left, .right = (int)a->right, .groups = (int)a->groups};
    return give(g, n, 0, n->in[0]->type, n->in[0]->shape, d);
}

static const char *const types[] = {"f32", NULL};
static const char *const layouts[] = {"planar",   "blocked16", "lanes16",  "weights16",
                                      "weights1", "winograd",  "phases16", NULL};

static const attr cast_attributes[] = {
    {"to", ATTR_NAME, offsetof(cast_attrs, to), false, 0, types},
    {0},
};

static const attr reorder_attributes[] = {
    {"layout", ATTR_NAME, offsetof(reorder_attrs, layout), false, 0, layouts},
    {"left", ATTR_INT, offsetof(reorder_attrs, left), false, 0, NULL},
    {"right", ATTR_INT, offsetof(reorder_attrs, right), false, 0, NULL},
    {"groups", ATTR_INT, offsetof(reorder_attrs, groups), false, 0, NULL},
    {0},
};

static const char *const cast_samples[] = {
    "graph cast\ninput %x i32[N,5]\n%y = cast(%x)\noutput y %y\n",
    "graph cast\ninput %x i32[N,3,4,2]\n%z = cast(%x)\n%y = neg(%z)\noutput y %y\n",
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_cast = {
    .name = "cast",
    .summary = "integers as floating point numbers",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = cast_attributes,
    .attr_size = sizeof(cast_attrs),
    .scalar = S_COUNT,
    .infer = infer_cast,
    .candidates = cast_candidates,
    .samples = cast_samples,
};

const op op_reorder = {
    .name = "reorder",
    .summary = "the same values in another layout (written by passes)",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .input_names = inputs,
    .attrs = reorder_attributes,
    .attr_size = sizeof(reorder_attrs),
    .scalar = S_COUNT,
    .infer = infer_reorder,
    .candidates = reorder_candidates,
};
