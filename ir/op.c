/* Questions about ops and the nodes that use them, answered from the records of ir/ops/. */
#include "ir/ops/list.h"

#include <string.h>

const op *op_find(const char *name) {
    for (const op *const *o = ops; *o; o++)
        if (strcmp((*o)->name, name) == 0) return *o;
    return NULL;
}

bool node_elementwise(const node *n) {
    return n->op->scalar != S_COUNT || n->op == &op_map;
}

const expr *node_expr(arena *a, const node *n) {
    if (n->epilogue || n->op->scalar == S_COUNT) return n->epilogue;
    return expr_single(a, n->op->scalar);
}

graph *node_body(const node *n) {
    for (const attr *at = n->op->attrs; at && at->name; at++)
        if (at->kind == ATTR_GRAPH) return *(graph *const *)((const char *)n->attrs + at->offset);
    return NULL;
}

int64_t node_work(const node *n) {
    return n->op->work ? n->op->work(n) : 0;
}

/* One dimension of the result: b alone, or the one that is not 1 where they differ. */
static bool broadcast_dim(int64_t a, int64_t b, int64_t *out) {
    if (a != b && a != 1 && b != 1) return false;
    *out = a == 1 ? b : a;
    return true;
}

bool shape_broadcast(const shape *a, const shape *b, shape *out) {
    shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};
    /* a batched operand whose N would not come first would be repeated once a sample of another */
    if ((shape_batched(a) && a->rank < s.rank) || (shape_batched(b) && b->rank < s.rank)) return false;
    for (int i = 0; i < s.rank; i++) {
        int ia = i - (s.rank - a->rank), ib = i - (s.rank - b->rank);
        if (!broadcast_dim(ia < 0 ? 1 : a->dim[ia], ib < 0 ? 1 : b->dim[ib], &s.dim[i])) return false;
    }
    *out = s;
    return true;
}
