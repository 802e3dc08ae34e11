/* Values that lie inside others: parts of concats and splits, reshapes, slices along the outermost axis. */
#include "ir/ops/attrs.h"
#include "ir/ops/list.h"
#include "passes/planner.h"

/* Values per step of everything behind the first axis that is not the batch. */
static int64_t part_start(const value *whole, int64_t axis, int64_t first) {
    int64_t inner = 1;
    for (int64_t k = axis + 1; k < whole->shape.rank; k++) inner *= whole->shape.dim[k];
    return first * inner;
}

/* Can channels [first, first + count) of an image be a run of its bytes? Elsewhere: is axis the outermost? */
static bool part_aligned(const value *whole, const value *part, int64_t axis, int64_t first,
                         int64_t *offset) {
    bool batched = shape_batched(&whole->shape);
    if (axis != batched || !layout_equal(&whole->layout, &part->layout)) return false;
    int64_t row = part_start(whole, axis, first);
    if (whole->layout.left || whole->layout.right || whole->layout.kind == LAYOUT_BLOCKED16) {
        int64_t wide = whole->shape.dim[whole->shape.rank - 1];
        row = row / wide * (wide + whole->layout.left + whole->layout.right);
    }
    *offset = row;
    if (whole->layout.kind != LAYOUT_BLOCKED16) return whole->layout.kind == LAYOUT_PLANAR;
    int64_t count = part->shape.dim[axis], end = first + count;
    return first % BLOCK == 0 && (count % BLOCK == 0 || end == whole->shape.dim[axis]);
}

static void place_inside(planner *p, const value *part, const value *whole, int64_t offset) {
    p->places[part->id] = p->places[whole->id];
    p->places[part->id].offset += offset;
    p->places[part->id].view = true;
    extent *e = extent_of(p, p->places[whole->id].buffer);
    if (e) e->shared = true;
}

/* A part that its producer can write straight into the whole. */
static bool can_move(const planner *p, const value *part, const value *whole) {
    if (part->kind != VALUE_NODE || p->places[part->id].buffer || part->def->op->view) return false;
    if (part->def->op == &op_scan || part->def->op == &op_split || part->def->op == &op_slice) return false;
    return p->weights[part->id] == p->weights[whole->id] &&
           shape_batched(&part->shape) == shape_batched(&whole->shape);
}

/* May some parts be written in place and others copied? Not where a halo or tail lanes must be cleared first, which
 * would clear the former too: there all are in place, or none. */
static bool may_mix(const planner *p, const node *n, int64_t axis) {
    const value *whole = n->out[0];
    int64_t first = 0, offset;
    if (elements(whole) == shape_count(&whole->shape)) return true;
    for (int k = 0; k < n->inputs; first += n->in[k++]->shape.dim[axis]) {
        if (!can_move(p, n->in[k], whole) || !part_aligned(whole, n->in[k], axis, first, &offset))
            return false;
        for (int j = 0; j < k; j++)
            if (n->in[j] == n->in[k]) return false;
    }
    return true;
}

/* Concats are placed from the last to the first, so that parts of parts find their place. */
void place_concats(planner *p) {
    for (int i = p->graph->nodes.count - 1; i >= 0; i--) {
        node *n = p->graph->nodes.at[i];
        if (n->op != &op_concat) continue;
        const axis_attrs *a = n->attrs;
        value *whole = n->out[0];
        if (!p->at_scan) p->step = i;
        if (!p->places[whole->id].buffer)
            put(&p->places[whole->id], new_extent(p, whole, elements(whole)), whole);
        int64_t first = 0, offset;
        bool any = may_mix(p, n, a->axis);
        for (int k = 0; k < n->inputs; k++) {
            value *part = n->in[k];
            if (any && can_move(p, part, whole) && part_aligned(whole, part, a->axis, first, &offset))
                place_inside(p, part, whole, offset);
            first += part->shape.dim[a->axis];
        }
    }
}

/* The same bytes under another name: reshapes, and reorders that move nothing. */
static bool is_alias(const node *n) {
    const value *x = n->in[0], *y = n->out[0];
    if (n->op->view) return true;
    if (n->op != &op_reorder || x->kind != VALUE_NODE || x->shape.rank != 4 || elements(x) != elements(y))
        return false;
    layout_kind from = x->layout.kind, to = y->layout.kind;
    bool dense = !x->layout.left && !x->layout.right && !y->layout.left && !y->layout.right;
    return dense && from != to && from <= LAYOUT_BLOCKED16 && to <= LAYOUT_BLOCKED16 &&
           x->shape.dim[1] % BLOCK == 0 && x->shape.dim[2] * x->shape.dim[3] == 1;
}

bool place_view(planner *p, const node *n) {
    int64_t first = 0, offset;
    bool done = false;
    if (n->op == &op_split) {
        const split_attrs *a = n->attrs;
        for (int k = 0; k < n->outputs; first += a->sizes.at[k++])
            if (!p->places[n->out[k]->id].buffer &&
                part_aligned(n->in[0], n->out[k], a->axis, first, &offset))
                place_inside(p, n->out[k], n->in[0], offset);
        return false; /* those that could not are placed as usual */
    }
    if (p->places[n->out[0]->id].buffer) return false;
    if (n->op == &op_slice) {
        const slice_attrs *a = n->attrs;
        done = a->step == 1 && part_aligned(n->in[0], n->out[0], a->axis, a->start, &offset);
        if (done) place_inside(p, n->out[0], n->in[0], offset);
    } else if (is_alias(n)) {
        done = true;
        place_inside(p, n->out[0], n->in[0], 0);
    }
    return done;
}
