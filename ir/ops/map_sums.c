/* map_sums: what elementwise steps of several tensors sum up to over the batch, none of them written down; made by the
 * pass `sums` of map and sum_to. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

static bool broadcast_all(graph *g, const node *n, shape *s, diags *d) {
    *s = n->in[0]->shape;
    for (int k = 1; k < n->own_inputs; k++) {
        shape both;
        if (!shape_broadcast(s, &n->in[k]->shape, &both))
            return op_error(n, d, "cannot map_sums %s and %s: they do not broadcast", shape_text(g, s),
                            input_text(g, n, k));
        *s = both;
    }
    return true;
}

/* Images give one number a channel: what the only way to compute it can do. */
static bool fits(const shape *x, const shape *y) {
    shape both;
    if (!shape_broadcast(y, x, &both) || !shape_equal(&both, x)) return false;
    if (x->rank != 4 || !shape_batched(x)) return true;
    for (int k = 2; k < 4; k++) {
        int at = k - (4 - y->rank);
        if (at >= 0 && y->dim[at] != 1) return false;
    }
    return y->rank >= 3 && y->dim[y->rank - 3] == x->dim[1];
}

static bool infer(graph *g, node *n, diags *d) {
    const map_sums_attrs *a = n->attrs;
    shape x, y = shape_of(a->shape.count, a->shape.at);
    if (!want_floats(n, d) || !broadcast_all(g, n, &x, d)) return false;
    if (!fits(&x, &y))
        return op_error(n, d,
                        "cannot map_sums %s to %s: images are summed to [channels,1,1], others to what would "
                        "broadcast to them",
                        shape_text(g, &x), shape_text(g, &y));
    if (!want_within(n, "number of results", a->results.count, 1, 4, d)) return false;
    node_set_outputs(g, n, a->results.count);
    for (int k = 0; k < a->results.count; k++)
        if (!want_within(n, "results", a->results.at[k], 0, EXPR_STEPS_MAX - 1, d) ||
            !give(g, n, k, n->in[0]->type, y, d))
            return false;
    return true;
}

static const attr attributes[] = {
    {"shape", ATTR_INTS, offsetof(map_sums_attrs, shape), true, 0, NULL},
    {"results", ATTR_INTS, offsetof(map_sums_attrs, results), true, 0, NULL},
    {0},
};

static const char *const samples[] = {
    "graph map_sums\ninput %a f32[N,3,5,7]\ninput %b f32[N,3,5,7]\n"
    "%y, %z = map_sums(%a, %b) {shape=[3,1,1], results=[0,1], expr=\"s0=mul(i0,1.0); mul(i0,i1)\"}\n"
    "output y %y\noutput z %z\n",
    "graph map_sums\ninput %x f32[N,3,5,7]\ninput %d f32[N,20,5,7]\nparam %w \"w\" f32[20,3,1,1] trainable\n"
    "param %m \"m\" f32[20,1,1] trainable\n%c = conv2d(%x, %w)\n"
    "%y, %z = map_sums(%d, %c, %m) {shape=[20,1,1], results=[0,2], "
    "expr=\"s0=add(i0,1.0); s1=sub(i1,i2); mul(i0,s1)\"}\noutput y %y\noutput z %z\n",
    "graph map_sums\ninput %a f32[N,19]\ninput %b f32[N,1]\n"
    "%y = map_sums(%a, %b) {shape=[19], results=[0], expr=\"mul(i0,i1)\"}\noutput y %y\n",
    "graph map_sums\ninput %a f32[N,5,6]\n"
    "%y = map_sums(%a) {shape=[], results=[0], expr=\"exp(i0)\"}\noutput y %y\n",
    NULL,
};

static const char *const inputs[] = {"x", NULL};

const op op_map_sums = {
    .name = "map_sums",
    .summary = "sums, over the batch too, of steps of the node's expression of its inputs",
    .inputs_min = 1,
    .inputs_max = -1,
    .outputs = -1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(map_sums_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .expression = true,
    .candidates = map_sums_candidates,
    .samples = samples,
};
