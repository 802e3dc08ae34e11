/* Recurrent layers as one product for all steps, x·w_ih, and a scan over what depends on the step before. */
#include "ir/ops/recurrent.h"
#include "ir/base/size.h"
#include "ir/ops/infer.h"
#include "ir/ops/scan.h"

/* Places of the operands behind the carries. */
static int w_ih(const cell *c) {
    return 1 + c->carries;
}

static bool has_bias(const node *n, const cell *c) {
    return n->own_inputs > w_ih(c) + 2;
}

static bool weights_fit(graph *g, const node *n, const cell *c, diags *d) {
    int wi = w_ih(c), wh = wi + 1;
    if (!want_weight(g, n, wi, 2, "[gates*H,F]", d) || !want_weight(g, n, wh, 2, "[gates*H,H]", d))
        return false;
    const shape *x = &n->in[0]->shape, *i = &n->in[wi]->shape, *h = &n->in[wh]->shape;
    if (x->dim[2] != i->dim[1])
        return op_error(n, d, "cannot %s %s with w_ih %s: features differ", n->op->name, shape_text(g, x),
                        shape_text(g, i));
    if (h->dim[0] % c->gates || h->dim[0] / c->gates != h->dim[1] || i->dim[0] != h->dim[0])
        return op_error(n, d, "cannot %s with w_ih %s and w_hh %s: they must be [%d*H,F] and [%d*H,H]",
                        n->op->name, shape_text(g, i), shape_text(g, h), c->gates, c->gates);
    if (n->own_inputs == wh + 2)
        return op_error(n, d, "cannot %s with one bias: give both b_ih and b_hh, or neither", n->op->name);
    return want_vector(g, n, wh + 1, h->dim[0], "gates", d) &&
           want_vector(g, n, wh + 2, h->dim[0], "gates", d);
}

bool recurrent_infer(graph *g, node *n, const cell *c, diags *d) {
    const shape *x = &n->in[0]->shape;
    if (!want_floats(n, d)) return false;
    if (x->rank != 3 || !shape_batched(x))
        return op_error(n, d, "cannot %s %s: it takes sequences [N,T,F]", n->op->name, shape_text(g, x));
    if (!weights_fit(g, n, c, d)) return false;
    shape carry = {2, {DIM_N, n->in[w_ih(c) + 1]->shape.dim[1]}};
    for (int k = 1; k <= c->carries; k++) {
        shape both;
        if (!shape_broadcast(&n->in[k]->shape, &carry, &both) || !shape_equal(&both, &carry))
            return op_error(n, d, "cannot %s with %s %s: it must be %s or [%lld]", n->op->name,
                            n->op->input_names[k], input_text(g, n, k), shape_text(g, &carry),
                            (long long)carry.dim[1]);
        if (!give(g, n, k, n->in[0]->type, carry, d)) return false;
    }
    return give_shape(g, n, (shape){3, {DIM_N, x->dim[1], carry.dim[1]}}, d);
}

int64_t recurrent_work(const node *n, const cell *c) {
    const shape *i = &n->in[w_ih(c)]->shape, *h = &n->in[w_ih(c) + 1]->shape;
    return work_product(shape_count(i) + shape_count(h), n->in[0]->shape.dim[1]);
}

void recurrent_gates(graph *body, const node *n, value *v, int gates, value **out) {
    split_attrs a = {.axis = 1, .sizes = {.count = gates}};
    for (int k = 0; k < gates; k++) a.sizes.at[k] = v->shape.dim[1] / gates;
    node *split = make_with(body, n, "split", v, &a)->def;
    for (int k = 0; k < gates; k++) out[k] = split->out[k];
}

static value *linear(graph *g, const node *n, value *x, value *weight, value *bias) {
    value *in[3] = {x, weight, bias};
    return graph_make(g, "linear", in, bias ? 3 : 2, NULL, n->scope, n->at);
}

/* x·w_ih for all steps, with the bias that does not have to wait. */
static value *hoisted(graph *g, node *n, const cell *c) {
    value *const *w = n->in + w_ih(c);
    value *bias = NULL;
    if (has_bias(n, c)) bias = c->one_bias ? make_two(g, n, "add", w[2], w[3]) : w[2];
    return linear(g, n, n->in[0], w[0], bias);
}

/* Arguments: gx, carries, w_hh and, where it could not be hoisted, b_hh. */
static graph *body_of(graph *g, node *n, const cell *c, value *const *in, int inputs) {
    graph *body = graph_new(g->arena, n->op->name);
    value *argument[4 + CARRIES_MAX], *next[CARRIES_MAX];
    shape gx = {2, {DIM_N, in[0]->shape.dim[2]}};
    for (int k = 0; k < inputs; k++) {
        bool carry = k >= 1 && k <= c->carries;
        argument[k] = graph_argument(body, NULL, in[k]->type,
                                     k == 0  ? gx
                                     : carry ? n->out[k]->shape
                                             : in[k]->shape);
    }
    value *const *w = argument + 1 + c->carries;
    value *gh = linear(body, n, argument[1], w[0], inputs > 2 + c->carries ? w[1] : NULL);
    c->step(body, n, argument[0], gh, argument + 1, next);
    for (int k = 0; k < c->carries; k++) VEC_PUSH(g->arena, &body->outputs, ((graph_output){NULL, next[k]}));
    VEC_PUSH(g->arena, &body->outputs, ((graph_output){NULL, next[0]}));
    return body;
}

void recurrent_expand(graph *g, node *n, const cell *c, value **results) {
    const recurrent_attrs *a = n->attrs;
    value *in[4 + CARRIES_MAX];
    int inputs = 0;
    in[inputs++] = hoisted(g, n, c);
    for (int k = 1; k <= c->carries; k++) in[inputs++] = n->in[k];
    in[inputs++] = n->in[w_ih(c) + 1];
    if (has_bias(n, c) && !c->one_bias) in[inputs++] = n->in[w_ih(c) + 3];
    scan_attrs s = {.sequences = 1, .carries = c->carries, .yields = 1, .reversed = a->reversed};
    s.body = body_of(g, n, c, in, inputs);
    node *scan = graph_make(g, "scan", in, inputs, &s, n->scope, n->at)->def;
    for (int k = 0; k <= c->carries; k++) results[k] = scan->out[k];
}
