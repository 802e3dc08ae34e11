/* embedding: a row of a table for every index. The input that the indices come from learns their bound, so
 * that programs can check what they are given. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

enum { INDICES, WEIGHT };

static bool infer(graph *g, node *n, diags *d) {
    const shape *w = &n->in[WEIGHT]->shape;
    shape s = n->in[INDICES]->shape;
    if (n->in[INDICES]->type != DT_I32)
        return op_error(n, d, "cannot embed %s of type %s: indices are integers; declare the input as `int`",
                        shape_text(g, &s), dtype_name(n->in[INDICES]->type));
    if (!want_weight(g, n, WEIGHT, 2, "[rows,D]", d)) return false;
    if (w->dim[0] > INT32_MAX || s.rank == MAX_RANK)
        return op_error(n, d, "cannot embed %s with weight %s: too many %s", shape_text(g, &s),
                        shape_text(g, w), s.rank == MAX_RANK ? "axes" : "rows");
    s.dim[s.rank++] = w->dim[1];
    bound_indices(n->in[INDICES], w->dim[0]);
    return give(g, n, 0, n->in[WEIGHT]->type, s, d);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *in[2] = {n->in[INDICES], out_grads[0]};
    count_attrs a = {.count = n->in[WEIGHT]->shape.dim[0]};
    in_grads[WEIGHT] = graph_make(g, "embedding_weight", in, 2, &a, n->scope, n->at);
}

#define SAMPLE(x, w)                                                                                         \
    "graph embedding\ninput %x i32" x "\nparam %w \"weight\" f32" w                                          \
    " trainable\n%y = embedding(%x, %w)\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,5]", "[11,16]"),
    SAMPLE("[N,4]", "[7,5]"),
    SAMPLE("[N]", "[3,33]"),
    SAMPLE("[N,2,3]", "[20,1]"),
    NULL,
};

static const char *const inputs[] = {"indices", "weight", NULL};

const op op_embedding = {
    .name = "embedding",
    .summary = "for every index its row of the weight [rows,D]",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = infer,
    .grad = grad,
    .candidates = embedding_candidates,
    .samples = samples,
};
