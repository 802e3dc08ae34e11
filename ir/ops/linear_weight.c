/* Gradients of linear: its input's and its weight's; and of embedding's table. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"

/* Operands agree in all axes but the last. */
static bool rows_fit(graph *g, const node *n, int a, int a_rank, int b, diags *d) {
    const shape *x = &n->in[a]->shape, *y = &n->in[b]->shape;
    bool same = y->rank >= 2 && a_rank == y->rank - 1;
    for (int k = 0; same && k < a_rank; k++) same = x->dim[k] == y->dim[k];
    if (same) return true;
    return op_error(n, d, "cannot %s %s with %s: both need the same rows", n->op->name, shape_text(g, x),
                    shape_text(g, y));
}

static bool infer_linear(graph *g, node *n, diags *d) {
    const shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
    if (!want_floats(n, d) || !rows_fit(g, n, 0, x->rank - 1, 1, d)) return false;
    return give_shape(g, n, (shape){2, {y->dim[y->rank - 1], x->dim[x->rank - 1]}}, d);
}

static bool infer_data(graph *g, node *n, diags *d) {
    const shape *y = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (!want_floats(n, d) || !want_weight(g, n, 1, 2, "[O,F]", d)) return false;
    if (y->rank < 2 || y->dim[y->rank - 1] != w->dim[0])
        return op_error(
            n, d, "cannot linear_data %s with weight %s: rows must have as many numbers as the weight has",
            shape_text(g, y), shape_text(g, w));
    shape s = *y;
    s.dim[s.rank - 1] = w->dim[1];
    return give_shape(g, n, s, d);
}

static int64_t work_data(const node *n) {
    return work_product(shape_count(&n->out[0]->shape), n->in[1]->shape.dim[0]);
}

static int64_t work(const node *n) {
    const shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
    return work_product(shape_count(x), y->dim[y->rank - 1]);
}

static bool infer_embedding(graph *g, node *n, diags *d) {
    const count_attrs *a = n->attrs;
    const value *index = n->in[0], *y = n->in[1];
    if (index->type != DT_I32 || (y->type != DT_F32 && y->type != DT_F64))
        return op_error(n, d, "cannot embedding_weight %s and %s: it takes integers and real numbers",
                        dtype_name(index->type), dtype_name(y->type));
    if (!want_within(n, "rows", a->count, 1, INT32_MAX, d) || !rows_fit(g, n, 0, index->shape.rank, 1, d))
        return false;
    bound_indices(n->in[0], a->count);
    return give(g, n, 0, y->type, (shape){2, {a->count, y->shape.dim[y->shape.rank - 1]}}, d);
}

static const attr attributes[] = {
    {"rows", ATTR_INT, offsetof(count_attrs, count), true, 0, NULL},
    {0},
};

#define LINEAR(x, dy)                                                                                        \
    "graph linear_weight\ninput %x f32" x "\ninput %g f32" dy "\n%y = linear_weight(%x, %g)\noutput y %y\n"
#define EMBEDDING(i, dy, rows)                                                                               \
    "graph embedding_weight\ninput %i i32" i "\ninput %g f32" dy                                             \
    "\n%y = embedding_weight(%i, %g) {rows=" rows "}\noutput y %y\n"

#define DATA(dy, w)                                                                                          \
    "graph linear_data\ninput %g f32" dy "\nparam %w \"w\" f32" w                                            \
    " trainable\n%y = linear_data(%g, %w)\noutput y %y\n"

static const char *const data_samples[] = {
    DATA("[N,16]", "[16,16]"),
    DATA("[N,3]", "[3,7]"),
    DATA("[N,37]", "[37,100]"),
    DATA("[N,300]", "[300,50]"),
    DATA("[N,5,33]", "[33,20]"),
    DATA("[N,3,2,4]", "[4,10]"),
    NULL,
};

static const char *const linear_samples[] = {
    LINEAR("[N,16]", "[N,16]"),
    LINEAR("[N,7]", "[N,3]"),
    LINEAR("[N,100]", "[N,37]"),
    LINEAR("[N,5,20]", "[N,5,33]"),
    LINEAR("[N,28,28]", "[N,28,48]"),
    LINEAR("[N,3,2,10]", "[N,3,2,4]"),
    "graph linear_weight\ninput %x f32[N,4]\nparam %a \"a\" f32[5,18] trainable\nparam %b \"b\" f32[5,20] "
    "trainable\n"
    "%w = linear_weight(%a, %b)\n%z = sum_to(%x) {shape=[1]}\n%y = add(%w, %z)\noutput y %y\n",
    NULL,
};

static const char *const embedding_samples[] = {
    EMBEDDING("[N,5]", "[N,5,16]", "11"),
    EMBEDDING("[N,4]", "[N,4,5]", "7"),
    EMBEDDING("[N]", "[N,33]", "3"),
    EMBEDDING("[N,2,3]", "[N,2,3,1]", "20"),
    NULL,
};

static const char *const data_inputs[] = {"dy", "weight", NULL};
static const char *const linear_inputs[] = {"x", "dy", NULL};
static const char *const embedding_inputs[] = {"indices", "dy", NULL};

const op op_linear_data = {
    .name = "linear_data",
    .summary = "the gradient of linear's input: every row [O] times the columns of the weight [O,F]",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = data_inputs,
    .scalar = S_COUNT,
    .infer = infer_data,
    .work = work_data,
    .candidates = linear_data_candidates,
    .samples = data_samples,
};

const op op_linear_weight = {
    .name = "linear_weight",
    .summary = "the gradient of linear's weight: the sum of dy·xᵀ over all rows",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = linear_inputs,
    .scalar = S_COUNT,
    .infer = infer_linear,
    .work = work,
    .candidates = linear_weight_candidates,
    .samples = linear_samples,
};

const op op_embedding_weight = {
    .name = "embedding_weight",
    .summary = "the gradient of embedding's weight: each row of dy added to the row of its index",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = embedding_inputs,
    .attrs = attributes,
    .attr_size = sizeof(count_attrs),
    .scalar = S_COUNT,
    .infer = infer_embedding,
    .candidates = embedding_weight_candidates,
    .samples = embedding_samples,
};
