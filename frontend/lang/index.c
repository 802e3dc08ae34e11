/* x.channels and x[...]: sizes of a tensor, elements of a list, slices of a tensor. Places count one sample's
 * axes, so x[0] of [N,T,F] is its first step, [N,F]. */
#include "frontend/lang/elab.h"
#include "ir/ops/attrs.h"

#include <string.h>

/* Fields of a tensor: which of a sample's sizes, counted from the end where negative. */
static const struct {
    const char *name;
    int axis, rank; /* rank a sample must have at least */
} sizes[] = {{"channels", 0, 1}, {"height", 1, 3}, {"width", 2, 3}, {"length", 0, 2}, {"features", -1, 1}};

static const char *const field_names[] = {"channels", "height", "width", "length",
                                          "features", "shape",  "rank"};

static val shape_list(elab *e, const int64_t *dims, int rank) {
    val items[MAX_RANK];
    for (int i = 0; i < rank; i++) items[i] = val_int(dims[i]);
    return val_list_of(e->arena, VAL_LIST, items, rank);
}

static val tensor_field(elab *e, const ast_expr *x, const value *v) {
    const char *name = x->as.field.name;
    const int64_t *dims;
    int rank = sample_sizes(&v->shape, &dims);
    if (strcmp(name, "shape") == 0) return shape_list(e, dims, rank);
    if (strcmp(name, "rank") == 0) return val_int(rank);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(name, sizes[i].name) != 0) continue;
        if (rank >= sizes[i].rank) return val_int(dims[sizes[i].axis < 0 ? rank - 1 : sizes[i].axis]);
        return fail(e, x->as.field.name_at, "a tensor %s has no %s", shape_string(e->arena, &v->shape), name);
    }
    int count = (int)(sizeof field_names / sizeof *field_names);
    return fail(e, x->as.field.name_at, "a tensor has no '%s'%s", name,
                suggest_or_list(e, name, field_names, count));
}

val eval_field(elab *e, const ast_expr *x) {
    val v = eval_one(e, x->as.field.of);
    if (v.kind == VAL_ERROR) return v;
    if (v.kind == VAL_TENSOR) return tensor_field(e, x, v.as.tensor);
    return fail(e, x->as.field.name_at, "'.%s' belongs to a tensor, but this is %s", x->as.field.name,
                val_kind_name(e->arena, v));
}

/* A place made positive; false with an error where there is none. */
static bool resolve(elab *e, const ast_expr *x, int64_t size, bool end, int64_t *out) {
    int64_t i;
    if (!eval_size(e, x, "a place", &i)) return false;
    *out = i < 0 ? i + size : i;
    if (*out >= 0 && *out < size + end) return true;
    if (size)
        fail(e, x->at, "there is no place %lld: places are %d to %lld, or -%lld to -1 from the end",
             (long long)i, 0, (long long)size - 1, (long long)size);
    else
        fail(e, x->at, "there is no place %lld: the list is empty", (long long)i);
    return false;
}

/* [from, to) of a place, whose width is 1 where it is no range. */
static bool resolve_range(elab *e, const ast_index *p, int64_t size, int64_t *from, int64_t *to) {
    *from = 0, *to = size;
    if (p->from && !resolve(e, p->from, size, p->range, from)) return false;
    if (!p->range) return *to = *from + 1, true;
    if (p->to && !resolve(e, p->to, size, true, to)) return false;
    if (*from < *to) return true;
    fail(e, p->at, "%lld .. %lld holds nothing", (long long)*from, (long long)*to);
    return false;
}

static val index_list(elab *e, const ast_expr *x, const val_list *list) {
    const ast_index *p = &x->as.index.places.at[0];
    int64_t from, to;
    if (x->as.index.places.count != 1)
        return fail(e, x->at, "a list has one place in brackets; write xs[i][j] for a list of lists");
    if (!resolve_range(e, p, list->count, &from, &to)) return val_error();
    if (!p->range) return list->at[from];
    return val_list_of(e->arena, VAL_LIST, list->at + from, (int)(to - from));
}

static val slice(elab *e, const ast_expr *x, val v, int64_t axis, int64_t from, int64_t to) {
    if (from == 0 && to == v.as.tensor->shape.dim[axis]) return v;
    slice_attrs attrs = {axis, from, to, 1};
    return make_node(e, op_find("slice"), &v, 1, &attrs, e->frame->scope, x->at, x->as.index.of, NULL);
}

static val index_tensor(elab *e, const ast_expr *x, val v) {
    const int64_t *dims;
    int rank = sample_sizes(&v.as.tensor->shape, &dims), places = x->as.index.places.count;
    int batch = shape_batched(&v.as.tensor->shape);
    reshape_attrs kept = {{0, {0}}};
    if (places > rank)
        return fail(e, x->at, "%d places for a tensor %s, which has %d besides the batch", places,
                    shape_string(e->arena, &v.as.tensor->shape), rank);
    for (int k = 0; k < places && v.kind == VAL_TENSOR; k++) {
        int64_t from, to;
        if (!resolve_range(e, &x->as.index.places.at[k], dims[k], &from, &to)) return val_error();
        v = slice(e, x, v, k + batch, from, to);
        if (x->as.index.places.at[k].range) kept.shape.at[kept.shape.count++] = to - from;
    }
    for (int k = places; k < rank; k++) kept.shape.at[kept.shape.count++] = dims[k];
    if (v.kind != VAL_TENSOR || kept.shape.count == rank) return v;
    return make_node(e, op_find("reshape"), &v, 1, &kept, e->frame->scope, x->at, x->as.index.of, NULL);
}

val eval_index(elab *e, const ast_expr *x) {
    val v = eval_one(e, x->as.index.of);
    if (v.kind == VAL_LIST) return index_list(e, x, v.as.list);
    if (v.kind == VAL_TENSOR) return index_tensor(e, x, v);
    if (v.kind == VAL_ERROR) return v;
    return fail(e, x->at, "brackets take a part of a list or tensor, but this is %s",
                val_kind_name(e->arena, v));
}
