/* fold-constants
 * Does:   computes elementwise nodes and changes of shape whose operands are all known numbers. What
 *         depends on parameters stays: `prepare` computes that.
 * Needs:  nothing.
 * Breaks: nothing. Large results stay computed at run time, so that the output does not swell. */
#include "passes/edit.h"
#include "passes/passes.h"

enum { LARGEST = 4096 /* elements of a result that is not one number everywhere */ };

/* Element `index` (row major in s) of v, which broadcasts to s. */
static double element(const value *v, const shape *s, int64_t index) {
    if (v->as.constant.splat) return v->as.constant.data[0];
    int64_t at = 0, stride = 1;
    for (int k = 1; k <= v->shape.rank; k++) {
        int64_t size = v->shape.dim[v->shape.rank - k], whole = s->dim[s->rank - k];
        if (size > 1) at += index % whole * stride;
        index /= whole;
        stride *= size;
    }
    return v->as.constant.data[at];
}

static value *compute(graph *g, const node *n, int64_t count) {
    const shape *s = &n->out[0]->shape;
    const expr *e = node_expr(g->arena, n);
    double *x = NEW_ARRAY(g->arena, double, count), *in = NEW_ARRAY(g->arena, double, n->inputs);
    for (int64_t i = 0; i < count; i++) {
        for (int k = 0; k < n->inputs; k++) in[k] = element(n->in[k], s, i);
        x[i] = expr_eval(e, in);
    }
    if (count == 1) return graph_splat(g, n->out[0]->type, *s, x[0]);
    return graph_const(g, n->out[0]->type, *s, x);
}

/* The same numbers under another shape. */
static value *reshaped(graph *g, const node *n) {
    const value *v = n->in[0];
    if (v->as.constant.splat) return graph_splat(g, v->type, n->out[0]->shape, v->as.constant.data[0]);
    return graph_const(g, v->type, n->out[0]->shape, v->as.constant.data);
}

static value *fold(graph *g, const node *n) {
    bool splat = true;
    for (int k = 0; k < n->inputs; k++) {
        if (n->in[k]->kind != VALUE_CONST) return NULL;
        splat &= n->in[k]->as.constant.splat;
    }
    const shape *s = &n->out[0]->shape;
    if (!splat && (shape_batched(s) || shape_count(s) > LARGEST)) return NULL;
    if (n->op->view && !n->epilogue && n->in[0]->type == n->out[0]->type) return reshaped(g, n);
    return node_elementwise(n) ? compute(g, n, splat ? 1 : shape_count(s)) : NULL;
}

static void fold_graph(graph *g) {
    edit r = edit_begin(g);
    for (node *n; (n = edit_next(&r));) {
        value *known = fold(g, n);
        if (known)
            edit_replace(&r, n, &known);
        else
            edit_keep(&r, n);
    }
    edit_end(&r);
}

void pass_fold_constants(pass_state *s) {
    each_graph(s->graph, fold_graph);
}
