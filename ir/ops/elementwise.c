/* Elementwise ops: one record for each GRAPH row of ir/scalar.def, all by one rule, and `map`, which applies
 * a whole expression. Operands broadcast as NumPy's do; the batch is never repeated along itself. */
#include "ir/derivative.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"
#include "ir/ops/infer.h"
#include "ir/ops/list.h"

/* What an axis is called in an error. */
static const char *axis_name(graph *g, const shape *s, int axis) {
    static const char *const image[] = {"the batch", "channels", "heights", "widths"};
    if (s->rank == 4) return image[axis];
    if (s->rank == 2 && shape_batched(s)) return axis ? "features" : "the batch";
    return arena_printf(g->arena, "sizes of axis %d", axis);
}

/* Why two shapes do not broadcast: the first axis from the left, aligned at the right, that does not fit. */
static const char *why_not(graph *g, const shape *a, const shape *b) {
    const shape *long_one = a->rank >= b->rank ? a : b, *short_one = a->rank >= b->rank ? b : a;
    int shift = long_one->rank - short_one->rank;
    if (shift && shape_batched(short_one))
        return arena_printf(g->arena, "both depend on the input, but the ranks differ; reshape %s first",
                            shape_text(g, short_one));
    for (int i = 0; i < short_one->rank; i++) {
        int64_t x = long_one->dim[i + shift], y = short_one->dim[i];
        if (x != y && x != 1 && y != 1)
            return arena_printf(g->arena, "%s differ", axis_name(g, long_one, i + shift));
    }
    return "one would have to be repeated along the batch";
}

static bool broadcast_error(graph *g, const node *n, int k, const shape *so_far, diags *d) {
    const shape *s = &n->in[k]->shape;
    return op_error(n, d, "cannot %s %s and %s: %s", n->op->name, shape_text(g, so_far), shape_text(g, s),
                    why_not(g, so_far, s));
}

static bool elementwise_infer(graph *g, node *n, diags *d) {
    if (!want_floats(n, d)) return false;
    shape s = n->in[0]->shape;
    for (int k = 1; k < n->own_inputs; k++) {
        shape both;
        if (!shape_broadcast(&s, &n->in[k]->shape, &both)) return broadcast_error(g, n, k, &s, d);
        s = both;
    }
    return give_shape(g, n, s, d);
}

/* Each operand's derivative times the gradient, summed back to the operand's shape. */
static void elementwise_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    for (int k = 0; k < n->own_inputs; k++) {
        derivative of;
        value *in[READS_MOST], *v = out_grads[0];
        if (!derivative_of(g->arena, n->op->scalar, k, &of)) continue;
        for (int i = 0; i < of.gradient.inputs; i++)
            in[i] = of.reads[i] == READS_GRADIENT ? v
                    : of.reads[i] == READS_RESULT ? n->out[0]
                                                  : n->in[of.reads[i]];
        if (of.gradient.steps) {
            v = graph_make(g, "map", in, of.gradient.inputs, NULL, n->scope, n->at);
            v->def->epilogue = expr_copy(g->arena, &of.gradient);
        }
        in_grads[k] = make_sum_to(g, n, v, n->in[k]->shape);
    }
}

static const char *const operands_1[] = {"a", NULL};
static const char *const operands_2[] = {"a", "b", NULL};
static const char *const operands_3[] = {"a", "b", "c", NULL};

/* Samples. Rows whose function wants positive numbers get them through exp. */
#define SAMPLES_1(name)                                                                                      \
    "graph " #name "\ninput %a f32[N,3,5,7]\n%y = " #name "(%a)\noutput y %y\n",                             \
        "graph " #name "\ninput %a f32[N,37]\n%y = " #name "(%a)\noutput y %y\n"
#define POSITIVE_1(name)                                                                                     \
    "graph " #name "\ninput %a f32[N,3,5,7]\n%p = exp(%a)\n%y = " #name "(%p)\noutput y %y\n",               \
        "graph " #name "\ninput %a f32[N,37]\n%p = exp(%a)\n%y = " #name "(%p)\noutput y %y\n"
#define SAMPLES_2(name)                                                                                      \
    "graph " #name "\ninput %a f32[N,3,5,7]\ninput %b f32[N,3,5,7]\n"                                        \
    "%y = " #name "(%a, %b)\noutput y %y\n",                                                                 \
        "graph " #name "\ninput %a f32[N,20,4,4]\nparam %b \"b\" f32[20,1,1] trainable\n"                    \
        "%y = " #name "(%a, %b)\noutput y %y\n",                                                             \
        "graph " #name "\ninput %a f32[N,1,4,3]\ninput %b f32[N,18,1,3]\n"                                   \
        "%y = " #name "(%a, %b)\noutput y %y\n",                                                             \
        "graph " #name "\ninput %a f32[N,19]\ninput %b f32[N,1]\n%y = " #name "(%b, %a)\noutput y %y\n"
#define POSITIVE_2(name)                                                                                     \
    "graph " #name "\ninput %a f32[N,3,5,7]\ninput %b f32[N,1,5,1]\n%p = exp(%a)\n"                          \
    "%y = " #name "(%p, %b)\noutput y %y\n",                                                                 \
        "graph " #name "\ninput %a f32[N,19]\nparam %b \"b\" f32[19] trainable\n%p = exp(%a)\n"              \
        "%y = " #name "(%p, %b)\noutput y %y\n"
#define SAMPLES_3(name)                                                                                      \
    "graph " #name "\ninput %a f32[N,3,5,7]\ninput %b f32[N,3,5,7]\ninput %c f32[N,3,1,7]\n"                 \
    "%z = relu(%a)\n%y = " #name "(%z, %b, %c)\noutput y %y\n",                                              \
        "graph " #name "\ninput %a f32[N,20]\ninput %b f32[N,20]\nparam %c \"c\" f32[20] trainable\n"        \
        "%z = relu(%a)\n%y = " #name "(%z, %b, %c)\noutput y %y\n"
#define POSITIVE_3        SAMPLES_3
#define WANTS_POSITIVE(s) ((s) == S_SQRT || (s) == S_RSQRT || (s) == S_LOG || (s) == S_POW)

#define RECORD_KERNEL(ROW, word, operands, does)
#define RECORD_GRAPH(ROW, word, operands, does)                                                              \
    static const char *const word##_samples[] = {SAMPLES_##operands(word), NULL};                            \
    static const char *const word##_positive[] = {POSITIVE_##operands(word), NULL};                          \
    const op op_scalar_##ROW = {                                                                             \
        .name = #word,                                                                                       \
        .summary = "each element: " does,                                                                    \
        .inputs_min = operands,                                                                              \
        .inputs_max = operands,                                                                              \
        .outputs = 1,                                                                                        \
        .input_names = operands_##operands,                                                                  \
        .scalar = S_##ROW,                                                                                   \
        .infer = elementwise_infer,                                                                          \
        .grad = elementwise_grad,                                                                            \
        .samples = WANTS_POSITIVE(S_##ROW) ? word##_positive : word##_samples,                               \
    };
#define SCALAR(NAME, name, arity, kind, eval, c, derivative) RECORD_##kind(NAME, name, arity, #eval)
#include "ir/scalar.def"

static const char *const map_samples[] = {
    "graph map\ninput %a f32[N,3,5,7]\n%y = map(%a) {expr=\"s0=mul(i0,i0); s1=add(s0,1); "
    "rsqrt(s1)\"}\noutput y %y\n",
    "graph map\ninput %a f32[N,20,4,4]\nparam %b \"b\" f32[20,1,1] trainable\n"
    "%y = map(%a, %b) {expr=\"s0=add(i0,i1); relu(s0)\"}\noutput y %y\n",
    "graph map\ninput %a f32[N,19]\ninput %b f32[N,19]\ninput %c f32[N,1]\n"
    "%y = map(%a, %b, %c) {expr=\"s0=sigmoid(i2); s1=sub(i0,i1); s2=mul(s0,s1); add(s2,i1)\"}\noutput y %y\n",
    NULL,
};

static const char *const map_inputs[] = {"x", NULL};

const op op_map = {
    .name = "map",
    .summary = "each element: the node's expression of its inputs",
    .inputs_min = 1,
    .inputs_max = -1,
    .outputs = 1,
    .input_names = map_inputs,
    .scalar = S_COUNT,
    .infer = elementwise_infer,
    .expression = true,
    .samples = map_samples,
};

/* ---- maps: several results of one expression, by one loop ---- */

static bool maps_infer(graph *g, node *n, diags *d) {
    const maps_attrs *a = n->attrs;
    shape s = n->in[0]->shape;
    for (int k = 1; k < n->own_inputs; k++) {
        shape both;
        if (!shape_broadcast(&s, &n->in[k]->shape, &both)) return broadcast_error(g, n, k, &s, d);
        s = both;
    }
    node_set_outputs(g, n, a->results.count);
    for (int k = 0; k < a->results.count; k++)
        if (!want_within(n, "results", a->results.at[k], 0, EXPR_STEPS_MAX - 1, d) ||
            !give(g, n, k, DT_F32, s, d))
            return false;
    return want_floats(n, d);
}

static const attr maps_attributes[] = {
    {"results", ATTR_INTS, offsetof(maps_attrs, results), true, 0, NULL},
    {0},
};

static const char *const maps_samples[] = {
    "graph maps\ninput %a f32[N,3,5,7]\ninput %b f32[N,3,5,7]\n"
    "%y, %z = maps(%a, %b) {results=[0,2], expr=\"s0=mul(i0,0.9); s1=mul(i1,0.1); add(s0,s1)\"}\n"
    "output y %y\noutput z %z\n",
    "graph maps\ninput %a f32[N,20,4,4]\nparam %b \"b\" f32[20,1,1] trainable\ninput %c f32[N,20,4,4]\n"
    "%y, %z, %w = maps(%a, %b, %c) {results=[2,0,1], expr=\"s0=add(i0,i1); s1=tanh(s0); mul(s1,i2)\"}\n"
    "output y %y\noutput z %z\noutput w %w\n",
    "graph maps\ninput %a f32[N,19]\ninput %b f32[N,1]\n"
    "%y, %z = maps(%a, %b) {results=[1,0], expr=\"s0=sigmoid(i0); mul(s0,i1)\"}\noutput y %y\noutput z %z\n",
    NULL,
};

const op op_maps = {
    .name = "maps",
    .summary = "each element: several steps of the node's expression of its inputs",
    .inputs_min = 1,
    .inputs_max = -1,
    .outputs = -1,
    .input_names = map_inputs,
    .attrs = maps_attributes,
    .attr_size = sizeof(maps_attrs),
    .scalar = S_COUNT,
    .infer = maps_infer,
    .candidates = maps_candidates,
    .expression = true,
    .samples = maps_samples,
};
