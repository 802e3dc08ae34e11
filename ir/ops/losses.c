/* Losses, as PyTorch defines them with reduction 'mean': one number for the whole batch. */
#include "ir/ops/attrs.h"
#include "ir/ops/gradient.h"

enum { X, TARGET };

/* ---- of classes: cross_entropy, nll ---- */

/* Classes are the channels of an image, otherwise the last axis. */
static int class_axis(const node *n) {
    int rank = n->in[X]->shape.rank;
    return rank == 4 ? 1 : rank - 1;
}

static bool labels_fit(const shape *x, const shape *label, int axis) {
    if (x->rank < 2 || !shape_batched(x) || label->rank != x->rank - 1) return false;
    for (int i = 0; i < label->rank; i++)
        if (label->dim[i] != x->dim[i + (i >= axis)]) return false;
    return true;
}

static bool infer_classes(graph *g, node *n, diags *d) {
    const loss_attrs *a = n->attrs;
    const value *x = n->in[X], *label = n->in[TARGET];
    int axis = class_axis(n);
    if (x->type != DT_F32 && x->type != DT_F64)
        return op_error(n, d, "cannot take the %s of numbers of type %s: it needs floating point",
                        n->op->name, dtype_name(x->type));
    if (label->type != DT_I32)
        return op_error(n, d, "cannot take the %s with labels of type %s: they are numbers of classes, i32",
                        n->op->name, dtype_name(label->type));
    if (!labels_fit(&x->shape, &label->shape, axis))
        return op_error(
            n, d,
            "cannot take the %s of %s with labels %s: the labels have its shape without the classes, "
            "which are axis 1 of an image and else the last",
            n->op->name, input_text(g, n, X), input_text(g, n, TARGET));
    int64_t classes = x->shape.dim[axis];
    if (!(a->label_smoothing >= 0 && a->label_smoothing < 1))
        return op_error(n, d, "cannot take the %s with label_smoothing = %g: it is a share, 0 to below 1",
                        n->op->name, a->label_smoothing);
    if (a->weight.count && a->weight.count != classes)
        return op_error(n, d, "cannot take the %s with %d weights: there are %lld classes", n->op->name,
                        a->weight.count, (long long)classes);
    bound_indices(n->in[TARGET], classes);
    return give(g, n, 0, x->type, (shape){0}, d);
}

/* 1 at each label's class, in x's shape. */
static value *hot(graph *g, const node *n) {
    const shape *x = &n->in[X]->shape;
    count_attrs classes = {.count = x->dim[class_axis(n)]};
    transpose_attrs order = {.order = {4, {0, 3, 1, 2}}};
    value *v = make_with(g, n, "one_hot", n->in[TARGET], &classes);
    return class_axis(n) == x->rank - 1 ? v : make_with(g, n, "transpose", v, &order);
}

/* The weights of classes so that they broadcast to x; NULL without. */
static value *weights(graph *g, const node *n) {
    const loss_attrs *a = n->attrs;
    shape s = {.rank = n->in[X]->shape.rank - class_axis(n)};
    for (int i = 0; i < s.rank; i++) s.dim[i] = i ? 1 : a->weight.count;
    return a->weight.count ? graph_const(g, DT_F32, s, a->weight.at) : NULL;
}

static value *total(graph *g, const node *n, value *v) {
    return make_sum_to(g, n, v, (shape){0});
}

/* v where the label is: not v·hot, as 0·inf is not 0. */
static value *at_label(graph *g, const node *n, value *labels, value *v) {
    return make_three(g, n, "select", labels, v, graph_scalar(g, 0), NULL);
}

/* What the sum is divided by: the weights of all labels, or how many there are. */
static value *divisor(graph *g, const node *n, value *labels, value *weight) {
    if (weight) return total(g, n, at_label(g, n, labels, weight));
    return make_scaled(g, n, make_one(g, n, "samples", n->in[X]), (double)shape_count(&n->in[TARGET]->shape));
}

/* -Σ weight·logp·((1 - smoothing) at the label + smoothing/classes) / divisor */
static value *likelihood(graph *g, const node *n, value *logp, double smoothing) {
    value *labels = hot(g, n), *weight = weights(g, n);
    value *v = weight ? make_two(g, n, "mul", logp, weight) : logp;
    value *picked = at_label(g, n, labels, v);
    if (smoothing) {
        double all = smoothing / (double)logp->shape.dim[class_axis(n)];
        picked = make_two(g, n, "add", make_scaled(g, n, picked, 1 - smoothing), make_scaled(g, n, v, all));
    }
    value *sum = make_one(g, n, "neg", total(g, n, picked));
    return make_two(g, n, "div", sum, divisor(g, n, labels, weight));
}

static void expand_cross_entropy(graph *g, node *n, value **results) {
    const loss_attrs *a = n->attrs;
    axis_attrs axis = {.axis = class_axis(n)};
    results[0] = likelihood(g, n, make_with(g, n, "log_softmax", n->in[X], &axis), a->label_smoothing);
}

static void expand_nll(graph *g, node *n, value **results) {
    results[0] = likelihood(g, n, n->in[X], 0);
}

/* ---- of numbers: mse, l1, bce, bce_with_logits ---- */

static bool infer_numbers(graph *g, node *n, diags *d) {
    if (!want_floats(n, d)) return false;
    if (!shape_equal(&n->in[X]->shape, &n->in[TARGET]->shape))
        return op_error(n, d, "cannot take the %s of %s and target %s: both must have one shape", n->op->name,
                        input_text(g, n, X), input_text(g, n, TARGET));
    return give_shape(g, n, (shape){0}, d);
}

static value *mean(graph *g, const node *n, value *v) {
    return make_two(g, n, "div", total(g, n, v), make_count(g, n, n->in[X]));
}

static void expand_mse(graph *g, node *n, value **results) {
    value *d = make_two(g, n, "sub", n->in[X], n->in[TARGET]);
    results[0] = mean(g, n, make_two(g, n, "mul", d, d));
}

static void expand_l1(graph *g, node *n, value **results) {
    results[0] = mean(g, n, make_one(g, n, "abs", make_two(g, n, "sub", n->in[X], n->in[TARGET])));
}

/* log x, no lower than -100 */
static value *held_log(graph *g, const node *n, value *x) {
    return make_two(g, n, "max", make_one(g, n, "log", x), graph_scalar(g, -100));
}

static value *rest(graph *g, const node *n, value *x) {
    return make_two(g, n, "sub", graph_scalar(g, 1), x);
}

/* -(t·log x + (1 - t)·log(1 - x)) */
static void expand_bce(graph *g, node *n, value **results) {
    value *x = n->in[X], *t = n->in[TARGET];
    value *one = make_two(g, n, "mul", t, held_log(g, n, x));
    value *zero = make_two(g, n, "mul", rest(g, n, t), held_log(g, n, rest(g, n, x)));
    results[0] = mean(g, n, make_one(g, n, "neg", make_two(g, n, "add", one, zero)));
}

/* max(x, 0) - x·t + log(1 + exp(-|x|)), which is that of sigmoid(x) without an overflow */
static void expand_bce_with_logits(graph *g, node *n, value **results) {
    value *x = n->in[X], *t = n->in[TARGET];
    value *small = make_one(g, n, "exp", make_one(g, n, "neg", make_one(g, n, "abs", x)));
    value *bend = make_one(g, n, "log", make_two(g, n, "add", small, graph_scalar(g, 1)));
    value *line = make_two(g, n, "sub", make_one(g, n, "relu", x), make_two(g, n, "mul", x, t));
    results[0] = mean(g, n, make_two(g, n, "add", line, bend));
}

/* Each number's share of the loss's gradient. */
static value *share(graph *g, const node *n, value *const *out_grads) {
    return make_two(g, n, "div", out_grads[0], make_count(g, n, n->in[X]));
}

/* dx = (x - t)/(x·(1 - x)), held where x is 0 or 1 as PyTorch does; dt = log(1 - x) - log x. */
static void grad_bce(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *x = n->in[X], *each = share(g, n, out_grads);
    value *product = make_two(g, n, "max", make_two(g, n, "mul", x, rest(g, n, x)), graph_scalar(g, 1e-12));
    value *slope = make_two(g, n, "div", make_two(g, n, "sub", x, n->in[TARGET]), product);
    value *odds = make_two(g, n, "sub", held_log(g, n, rest(g, n, x)), held_log(g, n, x));
    in_grads[X] = make_two(g, n, "mul", slope, each);
    in_grads[TARGET] = make_two(g, n, "mul", odds, each);
}

static void grad_bce_with_logits(graph *g, node *n, value *const *out_grads, value **in_grads) {
    value *x = n->in[X], *each = share(g, n, out_grads);
    value *slope = make_two(g, n, "sub", make_one(g, n, "sigmoid", x), n->in[TARGET]);
    in_grads[X] = make_two(g, n, "mul", slope, each);
    in_grads[TARGET] = make_one(g, n, "neg", make_two(g, n, "mul", x, each));
}

/* ---- records ---- */

static const attr cross_entropy_attributes[] = {
    {"label_smoothing", ATTR_REAL, offsetof(loss_attrs, label_smoothing), false, 0, NULL},
    {"weight", ATTR_REALS, offsetof(loss_attrs, weight), false, 0, NULL},
    {0},
};

static const attr nll_attributes[] = {
    {"weight", ATTR_REALS, offsetof(loss_attrs, weight), false, 0, NULL},
    {0},
};

#define CLASSES(name, x, label, attrs)                                                                       \
    "graph " name "\ninput %x f32" x "\ninput %l i32" label "\n%y = " name "(%x, %l)" attrs "\noutput y "    \
    "%y\n"
#define NUMBERS(name, x)                                                                                     \
    "graph " name "\ninput %x f32" x "\ninput %t f32" x "\n%y = " name "(%x, %t)\noutput y %y\n"
/* of probabilities */
#define SHARES(name, x)                                                                                      \
    "graph " name "\ninput %a f32" x "\ninput %t f32" x "\n%x = sigmoid(%a)\n%y = " name                     \
    "(%x, %t)\noutput y %y\n"

static const char *const cross_entropy_samples[] = {
    CLASSES("cross_entropy", "[N,10]", "[N]", ""),
    CLASSES("cross_entropy", "[N,3]", "[N]", " {label_smoothing=0.1}"),
    CLASSES("cross_entropy", "[N,4,19]", "[N,4]", ""),
    CLASSES("cross_entropy", "[N,3,4,5]", "[N,4,5]", " {weight=[1.0,0.5,2.0]}"),
    CLASSES("cross_entropy", "[N,5]", "[N]", " {label_smoothing=0.3, weight=[1.0,0.5,2.0,0.25,3.0]}"),
    NULL,
};

static const char *const nll_samples[] = {
    CLASSES("nll", "[N,10]", "[N]", ""),
    CLASSES("nll", "[N,4,19]", "[N,4]", ""),
    CLASSES("nll", "[N,3,4,5]", "[N,4,5]", " {weight=[1.0,0.5,2.0]}"),
    NULL,
};

static const char *const mse_samples[] = {NUMBERS("mse", "[N,10]"), NUMBERS("mse", "[N,3,4,5]"), NULL};
static const char *const l1_samples[] = {NUMBERS("l1", "[N,10]"), NUMBERS("l1", "[N,3,4,5]"), NULL};
static const char *const bce_samples[] = {SHARES("bce", "[N,10]"), SHARES("bce", "[N,3,4,5]"), NULL};
static const char *const bce_with_logits_samples[] = {NUMBERS("bce_with_logits", "[N,10]"),
                                                      NUMBERS("bce_with_logits", "[N,3,4,5]"), NULL};

static const char *const class_inputs[] = {"x", "label", NULL};
static const char *const number_inputs[] = {"x", "target", NULL};

#define LOSS(NAME, does, names, attributes, size, how, back)                                                 \
    const op op_##NAME = {                                                                                   \
        .name = #NAME,                                                                                       \
        .summary = does,                                                                                     \
        .inputs_min = 2,                                                                                     \
        .inputs_max = 2,                                                                                     \
        .outputs = 1,                                                                                        \
        .input_names = names,                                                                                \
        .attrs = attributes,                                                                                 \
        .attr_size = size,                                                                                   \
        .scalar = S_COUNT,                                                                                   \
        .infer = how,                                                                                        \
        .expand = expand_##NAME,                                                                             \
        .grad = back,                                                                                        \
        .samples = NAME##_samples,                                                                           \
    }
LOSS(cross_entropy, "loss: minus the log of the label's probability, softmax included", class_inputs,
     cross_entropy_attributes, sizeof(loss_attrs), infer_classes, NULL);
LOSS(nll, "loss: minus the log-probability of the label", class_inputs, nll_attributes, sizeof(loss_attrs),
     infer_classes, NULL);
LOSS(mse, "loss: the mean squared difference", number_inputs, NULL, 0, infer_numbers, NULL);
LOSS(l1, "loss: the mean absolute difference", number_inputs, NULL, 0, infer_numbers, NULL);
LOSS(bce, "loss: binary cross entropy of probabilities", number_inputs, NULL, 0, infer_numbers, grad_bce);
LOSS(bce_with_logits, "loss: binary cross entropy, sigmoid included", number_inputs, NULL, 0, infer_numbers,
     grad_bce_with_logits);
