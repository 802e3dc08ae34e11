/* Epilogue operands: which there are, how they lie, how they are passed. */
#include "ir/kernel/epilogue.h"

#include <assert.h>

static bool is_channel(const node *n, const value *v) {
    const shape *s = &v->shape, *out = &n->out[0]->shape;
    if (shape_batched(s)) return false;
    if (out->rank == 4) return s->rank == 3 && s->dim[0] == out->dim[1] && s->dim[1] == 1 && s->dim[2] == 1;
    return s->rank == 1 && s->dim[0] == out->dim[out->rank - 1];
}

operand_kind operand_of(const node *n, const value *v) {
    if (v->type != DT_F32 && v->type != DT_F64) return 0;
    if (shape_equal(&v->shape, &n->out[0]->shape)) return OPERAND_FULL;
    if (is_channel(n, v)) return OPERAND_CHANNEL;
    if (!shape_batched(&v->shape) && shape_count(&v->shape) == 1) return OPERAND_SCALAR;
    return 0;
}

bool epilogue_accepts(const node *n, const value *v) {
    return operand_of(n, v) != 0 && n->inputs - n->own_inputs < MAX_OPERANDS;
}

void epilogue_layouts(const node *n, const layout *out, layout *in) {
    for (int k = n->own_inputs; k < n->inputs; k++) {
        operand_kind kind = operand_of(n, n->in[k]);
        in[k] = (layout){.kind = LAYOUT_PLANAR};
        if (kind == OPERAND_FULL) in[k].kind = out->kind;
        if (kind == OPERAND_CHANNEL && out->kind == LAYOUT_BLOCKED16) in[k].kind = LAYOUT_LANES16;
    }
}

epilogue epilogue_of(lower *l, const node *n) {
    epilogue ep = {.e = lower_expr(l, n->epilogue), .operands = n->inputs - n->own_inputs};
    double zeros[1 + MAX_OPERANDS] = {0};
    for (int k = 0; k < ep.operands; k++) {
        const value *v = n->in[n->own_inputs + k];
        ep.operand[k].kind = operand_of(n, v);
        if (ep.operand[k].kind == OPERAND_FULL && v->shape.rank == 4) ep.operand[k].view = lower_view(l, v);
        if (ep.operand[k].kind == OPERAND_SCALAR) ep.mask = 1;
    }
    if (ep.e && expr_eval(ep.e, zeros) != 0) ep.mask = 1;
    return ep;
}

int epilogue_params(lower *l, const node *n, kparam *params, call_arg *args, int count) {
    static const char *const names[MAX_OPERANDS] = {"e0", "e1", "e2", "e3"};
    for (int k = n->own_inputs; k < n->inputs; k++, count++) {
        params[count] = (kparam){names[k - n->own_inputs], k_ptr(l->program->real)};
        args[count] = lower_value(l, n->in[k]);
    }
    return count;
}

void layer_args_add(layer_args *a, const char *name, ktype type, call_arg arg) {
    a->params[a->count] = (kparam){name, type};
    a->args[a->count++] = arg;
}

layer_args layer_args_of(lower *l, const node *n) {
    static const char *const names[] = {"in", "w", "bias"};
    layer_args a = {.count = 0};
    assert(n->own_inputs <= (int)(sizeof names / sizeof *names));
    for (int k = 0; k < n->own_inputs; k++)
        layer_args_add(&a, names[k], k_ptr(l->program->real), lower_value(l, n->in[k]));
    a.count = epilogue_params(l, n, a.params, a.args, a.count);
    layer_args_add(&a, "out", k_out(l->program->real), lower_value(l, n->out[0]));
    return a;
}

void layer_call(lower *l, const node *n, const char *name, kernel_build *build, const void *recipe,
                size_t bytes, const layer_args *a, kcount runs, double work) {
    kernel *k = lower_kernel(l, name, build, recipe, bytes, a->params, a->count, runs, work);
    lower_call(l, k, a->args, a->count, n);
}
