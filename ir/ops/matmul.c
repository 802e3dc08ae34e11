/* matmul: products of matrices in the last two axes; the axes before broadcast. Either operand may depend on
 * the input; the batch is a stack of matrices, or the rows of a rank 2 operand a. */
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/gradient.h"

static bool cannot(graph *g, const node *n, diags *d, const char *why) {
    return op_error(n, d, "cannot matmul %s and %s: %s", input_text(g, n, 0), input_text(g, n, 1), why);
}

/* The axes before the matrices. */
static shape stack_of(const shape *s) {
    shape stack = *s;
    stack.rank -= 2;
    return stack;
}

static bool infer(graph *g, node *n, diags *d) {
    const shape *a = &n->in[0]->shape, *b = &n->in[1]->shape;
    if (!want_floats(n, d)) return false;
    if (a->rank < 2 || b->rank < 2)
        return cannot(g, n, d,
                      "both must be matrices [..,rows,columns]; reshape the vector to one row or column");
    if (b->rank == 2 && shape_batched(b))
        return cannot(g, n, d,
                      "the sum would run over the batch, whose samples stay apart; swap or reshape them");
    int64_t inner = a->dim[a->rank - 1];
    if (inner != b->dim[b->rank - 2])
        return cannot(g, n, d,
                      arena_printf(g->arena, "%lld columns of the first meet %lld rows of the second",
                                   (long long)inner, (long long)b->dim[b->rank - 2]));
    shape sa = stack_of(a), sb = stack_of(b), s;
    if ((a->rank == 2 && shape_batched(a) && b->rank > 2) || !shape_broadcast(&sa, &sb, &s))
        return cannot(g, n, d, "the axes before the matrices do not broadcast; reshape one of them");
    if (s.rank > MAX_RANK - 2) return cannot(g, n, d, "the result has too many axes");
    s.dim[s.rank++] = a->dim[a->rank - 2];
    s.dim[s.rank++] = b->dim[b->rank - 1];
    return give_shape(g, n, s, d);
}

static int64_t work(const node *n) {
    const shape *a = &n->in[0]->shape;
    return work_product(shape_count(&n->out[0]->shape), a->dim[a->rank - 1]);
}

/* A matrix that is the same for all samples meets the rows of all of them: a sum over the batch. */
static bool one_matrix(const node *n) {
    return n->in[1]->shape.rank == 2 && shape_batched(&n->in[0]->shape);
}

static void grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *a = n->in[0], *b = n->in[1], *dy = out_grads[0];
    in_grads[0] = make_sum_to(g, n, make_two(g, n, "matmul", dy, make_turned(g, n, b)), a->shape);
    if (one_matrix(n))
        in_grads[1] = make_two(g, n, "linear_weight", dy, a);
    else
        in_grads[1] = make_sum_to(g, n, make_two(g, n, "matmul", make_turned(g, n, a), dy), b->shape);
}

#define SAMPLE(a, b) "graph matmul\ninput %a f32" a "\ninput %b f32" b "\n%y = matmul(%a, %b)\noutput y %y\n"
#define SAMPLE_PARAM(a, b)                                                                                   \
    "graph matmul\ninput %a f32" a "\nparam %b \"b\" f32" b " trainable\n%y = matmul(%a, %b)\noutput y %y\n"

static const char *const samples[] = {
    SAMPLE("[N,5,7]", "[N,7,3]"),
    SAMPLE("[N,2,16,20]", "[N,2,20,33]"),
    SAMPLE("[N,3,4,6]", "[N,1,6,5]"),
    SAMPLE_PARAM("[N,19]", "[19,24]"),
    SAMPLE_PARAM("[N,6,8]", "[8,17]"),
    SAMPLE_PARAM("[N,3,4,6]", "[3,6,2]"),
    "graph matmul\nparam %a \"a\" f32[4,6] trainable\ninput %b f32[N,6,5]\n%y = matmul(%a, %b)\noutput y "
    "%y\n",
    NULL,
};

static const char *const inputs[] = {"a", "b", NULL};

const op op_matmul = {
    .name = "matmul",
    .summary = "products of the matrices in the last two axes",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .input_names = inputs,
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .grad = grad,
    .candidates = matmul_candidates,
    .samples = samples,
};
