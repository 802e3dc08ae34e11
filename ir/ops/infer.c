/* Checks of operands and results that inference shares. Texts follow one pattern: "cannot OP WHAT: why; way
 * out". */
#include "ir/ops/infer.h"
#include "ir/base/size.h"

bool op_error(const node *n, diags *d, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *s = arena_vprintf(d->arena, format, list);
    va_end(list);
    diag_add(d, DIAG_ERROR, n->at, "%s", s);
    return false;
}

const char *shape_text(graph *g, const shape *s) {
    text t = text_in(g->arena);
    shape_print(&t, s);
    return t.at;
}

const char *input_text(graph *g, const node *n, int k) {
    return shape_text(g, &n->in[k]->shape);
}

bool want_floats(const node *n, diags *d) {
    for (int k = 0; k < n->own_inputs; k++) {
        dtype t = n->in[k]->type;
        if (t != DT_F32 && t != DT_F64)
            return op_error(n, d,
                            "cannot %s numbers of type %s: it computes in floating point; cast them first",
                            n->op->name, dtype_name(t));
        if (t != n->in[0]->type)
            return op_error(n, d, "cannot %s %s and %s: the types differ; cast one of them", n->op->name,
                            dtype_name(n->in[0]->type), dtype_name(t));
    }
    return true;
}

bool want_image(graph *g, const node *n, diags *d) {
    const shape *x = &n->in[0]->shape;
    if (x->rank == 4 && shape_batched(x)) return true;
    return op_error(n, d, "cannot %s %s: it takes images [N,channels,height,width]; reshape the input first",
                    n->op->name, shape_text(g, x));
}

bool want_weight(graph *g, const node *n, int k, int rank, const char *dims, diags *d) {
    const shape *w = &n->in[k]->shape;
    if (w->rank == rank && !shape_batched(w)) return true;
    const char *why = shape_batched(w) ? "it may not depend on the net's input" : "its rank is wrong";
    return op_error(n, d, "cannot %s %s with %s %s: the %s must be %s, and %s", n->op->name,
                    input_text(g, n, 0), n->op->input_names[k], shape_text(g, w), n->op->input_names[k], dims,
                    why);
}

bool want_vector(graph *g, const node *n, int k, int64_t count, const char *of, diags *d) {
    if (k >= n->own_inputs) return true;
    const shape *v = &n->in[k]->shape;
    if (v->rank == 1 && v->dim[0] == count) return true;
    return op_error(n, d, "cannot %s %s with %s %s: it needs one number for each of %lld %s, [%lld]",
                    n->op->name, input_text(g, n, 0), n->op->input_names[k], shape_text(g, v),
                    (long long)count, of, (long long)count);
}

bool want_axis(graph *g, const node *n, int64_t *axis, diags *d) {
    const shape *x = &n->in[0]->shape;
    int64_t a = *axis < 0 ? *axis + x->rank : *axis;
    if (a < 0 || a >= x->rank)
        return op_error(n, d, "cannot %s %s along axis %lld: it has axes 0 to %d", n->op->name,
                        shape_text(g, x), (long long)*axis, x->rank - 1);
    if (a == 0 && shape_batched(x))
        return op_error(n, d,
                        "cannot %s %s along axis %lld: that is the batch, whose samples stay apart; "
                        "the others are 1 to %d",
                        n->op->name, shape_text(g, x), (long long)*axis, x->rank - 1);
    *axis = a;
    return true;
}

bool want_within(const node *n, const char *name, int64_t x, int64_t low, int64_t high, diags *d) {
    if (x >= low && x <= high) return true;
    return op_error(n, d, "cannot %s with %s = %lld: it must lie in %lld to %lld", n->op->name, name,
                    (long long)x, (long long)low, (long long)high);
}

bool give(graph *g, node *n, int k, dtype t, shape s, diags *d) {
    if (!shape_valid(&s))
        return op_error(n, d, "cannot %s %s: the result %s has an empty axis or is too large", n->op->name,
                        n->own_inputs ? input_text(g, n, 0) : "nothing", shape_text(g, &s));
    n->out[k]->type = t;
    n->out[k]->shape = s;
    return true;
}

bool give_shape(graph *g, node *n, shape s, diags *d) {
    return give(g, n, 0, n->in[0]->type, s, d);
}

static const int64_t work_most = (int64_t)1 << 45;

int64_t work_product(int64_t a, int64_t b) {
    int64_t all;
    return size_mul(a, b, &all) && all < work_most ? all : work_most;
}

int64_t work_sum(int64_t a, int64_t b) {
    return a + b < work_most ? a + b : work_most;
}

void bound_indices(value *v, int64_t rows) {
    while (v->kind == VALUE_NODE && v->def->own_inputs == 1 && v->def->in[0]->type == v->type &&
           !node_body(v->def))
        v = v->def->in[0];
    if (v->kind != VALUE_INPUT && v->kind != VALUE_BODY) return;
    if (!v->as.input.bound || v->as.input.bound > rows) v->as.input.bound = rows;
}
