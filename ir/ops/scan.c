/* scan: inference of the loop over a body graph (scan.h says what its operands are). */
#include "ir/ops/scan.h"
#include "ir/base/size.h"
#include "ir/ops/infer.h"

/* An element of a sequence; *steps is how many there are. False for what has no axis to walk along. */
static bool element_of(const shape *sequence, shape *element, int64_t *steps) {
    int batch = shape_batched(sequence);
    if (sequence->rank < batch + 1) return false;
    *element = (shape){.rank = sequence->rank - 1, .dim = {DIM_N}};
    for (int i = batch; i < element->rank; i++) element->dim[i] = sequence->dim[i + 1];
    *steps = sequence->dim[batch];
    return true;
}

static bool stack_of(const shape *element, int64_t steps, shape *sequence) {
    int batch = shape_batched(element);
    if (element->rank >= MAX_RANK) return false;
    *sequence = (shape){.rank = element->rank + 1, .dim = {DIM_N}};
    sequence->dim[batch] = steps;
    for (int i = batch; i < element->rank; i++) sequence->dim[i + 1] = element->dim[i];
    return true;
}

/* As many operands, arguments and body results as the attributes say. */
static bool counts_fit(const node *n, diags *d) {
    const scan_attrs *a = n->attrs;
    if (!want_within(n, "sequences", a->sequences, 0, n->own_inputs, d) ||
        !want_within(n, "carries", a->carries, 0, n->own_inputs - a->sequences, d) ||
        !want_within(n, "yields", a->yields, 0, a->body->outputs.count, d))
        return false;
    if (a->body->arguments.count != n->own_inputs)
        return op_error(n, d, "cannot scan: the body takes %d values, but %d are given",
                        a->body->arguments.count, n->own_inputs);
    if (a->carries + a->yields != a->body->outputs.count || a->body->outputs.count == 0)
        return op_error(n, d,
                        "cannot scan: the body must give %lld carries and %lld yields, at least one in all, "
                        "but gives %d",
                        (long long)a->carries, (long long)a->yields, a->body->outputs.count);
    return true;
}

static bool sequence_fits(graph *g, const node *n, int k, scan_attrs *a, diags *d) {
    const value *v = n->in[k], *argument = a->body->arguments.at[k];
    shape element;
    int64_t steps;
    if (!element_of(&v->shape, &element, &steps))
        return op_error(n, d,
                        "cannot scan %s: a sequence is [N,T,...], or [T,...] where it does not depend on "
                        "the input",
                        shape_text(g, &v->shape));
    if (a->steps && steps != a->steps)
        return op_error(n, d, "cannot scan %s: it has %lld steps, but the scan has %lld",
                        shape_text(g, &v->shape), (long long)steps, (long long)a->steps);
    a->steps = steps;
    if (shape_equal(&element, &argument->shape) && v->type == argument->type) return true;
    return op_error(n, d, "cannot scan %s: its elements are %s, but the body takes %s",
                    shape_text(g, &v->shape), shape_text(g, &element), shape_text(g, &argument->shape));
}

/* A carry must come out of the body as it went in; its first value may broadcast to that. */
static bool carry_fits(graph *g, const node *n, int k, const value *next, diags *d) {
    const scan_attrs *a = n->attrs;
    const value *first = n->in[k], *argument = a->body->arguments.at[k];
    shape both;
    if (!shape_broadcast(&first->shape, &argument->shape, &both) || !shape_equal(&both, &argument->shape) ||
        first->type != argument->type)
        return op_error(n, d, "cannot carry %s into a body that takes %s", shape_text(g, &first->shape),
                        shape_text(g, &argument->shape));
    if (shape_equal(&next->shape, &argument->shape) && next->type == argument->type) return true;
    return op_error(n, d, "cannot carry %s into the next step: the body takes %s; a carry keeps its shape",
                    shape_text(g, &next->shape), shape_text(g, &argument->shape));
}

static bool operands_fit(graph *g, const node *n, scan_attrs *a, diags *d) {
    for (int k = 0; k < n->own_inputs; k++) {
        const value *argument = a->body->arguments.at[k];
        bool carry = k >= a->sequences && k < a->sequences + a->carries;
        if (k < a->sequences && !sequence_fits(g, n, k, a, d)) return false;
        if (carry && !carry_fits(g, n, k, a->body->outputs.at[k - a->sequences].value, d)) return false;
        if (k >= a->sequences + a->carries &&
            (!shape_equal(&n->in[k]->shape, &argument->shape) || n->in[k]->type != argument->type))
            return op_error(n, d, "cannot scan with %s where the body takes %s", input_text(g, n, k),
                            shape_text(g, &argument->shape));
        if (argument->type == DT_I32 && argument->as.input.bound)
            bound_indices(n->in[k], argument->as.input.bound);
    }
    if (a->steps < 1 || a->steps > SIZE_LIMIT)
        return op_error(n, d, "cannot scan %lld steps: give a sequence, or at least 1 step",
                        (long long)a->steps);
    return true;
}

static bool infer(graph *g, node *n, diags *d) {
    scan_attrs *a = n->attrs;
    if (!counts_fit(n, d) || !operands_fit(g, n, a, d)) return false;
    int carries = (int)a->carries, yields = (int)a->yields;
    node_set_outputs(g, n, yields + carries);
    for (int k = 0; k < yields; k++) {
        const value *v = a->body->outputs.at[carries + k].value;
        shape s;
        if (!stack_of(&v->shape, a->steps, &s))
            return op_error(n, d, "cannot stack %s over time: too many axes", shape_text(g, &v->shape));
        if (!give(g, n, k, v->type, s, d)) return false;
    }
    for (int k = 0; k < carries; k++) {
        const value *v = a->body->outputs.at[k].value;
        if (!give(g, n, yields + k, v->type, v->shape, d)) return false;
    }
    return true;
}

static int64_t work(const node *n) {
    const scan_attrs *a = n->attrs;
    int64_t all = 0;
    for (int i = 0; i < a->body->nodes.count; i++) all = work_sum(all, node_work(a->body->nodes.at[i]));
    return work_product(all, a->steps);
}

static const attr attributes[] = {
    {"sequences", ATTR_INT, offsetof(scan_attrs, sequences), true, 0, NULL},
    {"carries", ATTR_INT, offsetof(scan_attrs, carries), true, 0, NULL},
    {"yields", ATTR_INT, offsetof(scan_attrs, yields), true, 0, NULL},
    {"steps", ATTR_INT, offsetof(scan_attrs, steps), false, 0, NULL},
    {"reversed", ATTR_BOOL, offsetof(scan_attrs, reversed), false, 0, NULL},
    {"body", ATTR_GRAPH, offsetof(scan_attrs, body), true, 0, NULL},
    {0},
};

static const char *const samples[] = {
    /* running sums, and the last one */
    "graph sums\ninput %x f32[N,5,3]\nconst %z f32[3] 0\n"
    "%y, %s = scan(%x, %z) {sequences=1, carries=1, yields=1, body={\n"
    "argument %e f32[N,3]\nargument %c f32[N,3]\n%t = add(%c, %e)\noutput %t\noutput %t\n}}\n"
    "output y %y\noutput s %s\n",
    /* a recurrent cell, from the last step to the first */
    "graph cell\ninput %x f32[N,4,6]\nparam %u \"u\" f32[7,6] trainable\nparam %w \"w\" f32[7,7] trainable\n"
    "input %h f32[N,7]\n%y, %l = scan(%x, %h, %u, %w) {sequences=1, carries=1, yields=1, reversed=true, "
    "body={\n"
    "argument %e f32[N,6]\nargument %h f32[N,7]\nargument %u f32[7,6]\nargument %w f32[7,7]\n"
    "%a = linear(%e, %u)\n%b = linear(%h, %w)\n%s = add(%a, %b)\n%n = tanh(%s)\noutput %n\noutput %n\n}}\n"
    "output y %y\noutput l %l\n",
    /* no sequence: a few steps from a vector, two carries */
    "graph steps\ninput %x f32[N,17]\nconst %one f32[] 1\n"
    "%y, %a, %b = scan(%x, %one, %x) {sequences=0, carries=2, yields=1, steps=3, body={\n"
    "argument %a f32[N,17]\nargument %b f32[N,17]\nargument %x f32[N,17]\n%s = mul(%a, %x)\n%t = add(%b, "
    "%s)\n"
    "output %s\noutput %t\noutput %t\n}}\noutput y %y\noutput a %a\noutput b %b\n",
    /* two sequences, one of them the same for every sample; no carry */
    "graph pairs\ninput %x f32[N,4,5]\nparam %p \"p\" f32[4,5] trainable\n"
    "%y = scan(%x, %p) {sequences=2, carries=0, yields=1, body={\n"
    "argument %e f32[N,5]\nargument %q f32[5]\n%m = mul(%e, %q)\noutput %m\n}}\noutput y %y\n",
    NULL,
};

static const char *const inputs[] = {"sequences, carries, captured", NULL};

const op op_scan = {
    .name = "scan",
    .summary = "a body run for every step of a sequence",
    .inputs_min = 0,
    .inputs_max = -1,
    .outputs = -1,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(scan_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .grad = scan_grad,
    .samples = samples,
};
