/* plan-buffers: where every value lies.
 * Does:   makes the program's buffers and a place for every value. Reshapes, aligned parts of concats and
 * splits and scan results are views; elementwise results and epilogues take the bytes of an operand that
 * dies; what remains is put at the lowest offset that no value alive at the same time holds, largest first
 *         (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, greedy by
 * size). The same plan serves `packed` (values of the weights' region; what forward reads lives on). Needs:
 * choose-layout. Breaks: nothing; adding or moving nodes afterwards would. */
#include "ir/ops/attrs.h"
#include "ir/ops/list.h"
#include "ir/ops/scan.h"
#include "passes/passes.h"
#include "passes/plan.h"

#include <stdlib.h>
#include <string.h>

/* A buffer of the workspace or of packed, alive from step `first` to step `last` of its region. */
typedef struct extent {
    buffer *buffer;
    int64_t bytes;
    int first, last, order;
    bool shared; /* by views: in-place work would have to see all their uses */
} extent;

typedef struct planner {
    pass_state *state;
    program *program;
    graph *graph;
    place *places;
    bool *weights;  /* region by value id */
    int *uses_left; /* unplaced uses by value id, for in-place decisions */
    VEC(extent) extents;
    int *extent_of; /* by buffer id: index in extents + 1 */
    int extent_room;
    int step;  /* position in the node list; of the scan, in its body */
    int depth; /* loops around */
    bool at_scan;
} planner;

static int64_t elements(const value *v) {
    return layout_count(&v->layout, &v->shape);
}

static kbase base_of(const planner *p, const value *v) {
    return v->type == DT_I32 ? KB_I32 : v->type == DT_U8 ? KB_U8 : p->program->real;
}

static buffer *make_buffer(planner *p, const value *v, area a, int64_t count) {
    bool batched = shape_batched(&v->shape);
    const char *name = v->name ? v->name : arena_printf(p->state->arena, "t%d", v->id);
    return program_buffer(p->program, name, a, base_of(p, v), batched ? 0 : count, batched ? count : 0);
}

static void put(place *at, buffer *b, const value *v) {
    *at = (place){.buffer = b, .batch_stride = shape_batched(&v->shape) ? elements(v) : 0};
}

/* ---- lifetimes ---- */

static extent *extent_of(planner *p, const buffer *b) {
    if (b->id >= p->extent_room || !p->extent_of[b->id]) return NULL;
    return &p->extents.at[p->extent_of[b->id] - 1];
}

static void open_extent(planner *p, buffer *b) {
    if (b->id >= p->extent_room) {
        int room = 2 * b->id + 64;
        p->extent_of =
            arena_grow(p->state->arena, p->extent_of, (size_t)p->extent_room, (size_t)room, sizeof(int));
        p->extent_room = room;
    }
    int64_t count = b->fixed + b->per_sample * p->program->max_batch;
    extent e = {
        b, round_up(count * kbase_bytes(b->elem), BUFFER_ALIGN), p->step, p->step, p->extents.count, false};
    VEC_PUSH(p->state->arena, &p->extents, e);
    p->extent_of[b->id] = p->extents.count;
}

static void touch(planner *p, const place *at, int step_) {
    extent *e = at->buffer ? extent_of(p, at->buffer) : NULL;
    if (e && step_ > e->last) e->last = step_;
}

static buffer *new_extent(planner *p, const value *v, int64_t count) {
    area a = p->weights[v->id] ? AREA_PACKED : AREA_WORKSPACE;
    buffer *b = make_buffer(p, v, a, count);
    open_extent(p, b);
    return b;
}

/* ---- values from outside ---- */

static void place_inputs(planner *p) {
    graph *g = p->graph;
    for (int i = 0; i < g->inputs.count; i++) {
        value *v = g->inputs.at[i];
        buffer *b = make_buffer(p, v, AREA_INPUT, elements(v));
        b->index = i;
        put(&p->places[v->id], b, v);
    }
    int64_t offset = 0;
    for (int i = 0; i < g->params.count; i++) {
        value *v = g->params.at[i];
        buffer *b = make_buffer(p, v, AREA_PARAMS, elements(v));
        b->index = i;
        b->offset = offset;
        offset += elements(v) * kbase_bytes(b->elem);
        put(&p->places[v->id], b, v);
    }
    p->program->params_bytes = offset;
}

static void place_states(planner *p) {
    graph *g = p->graph;
    for (int i = 0; i < g->states.count; i++) {
        value *v = g->states.at[i];
        buffer *b = make_buffer(p, v, AREA_WORKSPACE, elements(v));
        put(&p->places[v->id], b, v);
        p->step = 0;
        open_extent(p, b);
    }
}

static void place_constant(planner *p, const value *v) {
    int64_t count = elements(v);
    buffer *b = make_buffer(p, v, AREA_CONST, count);
    double *data = NEW_ARRAY(p->state->arena, double, count);
    for (int64_t i = 0; i < count; i++) data[i] = v->as.constant.data[v->as.constant.splat ? 0 : i];
    b->data = data;
    put(&p->places[v->id], b, v);
}

static void place_outputs(planner *p) {
    graph *g = p->graph;
    for (int i = 0; i < g->outputs.count; i++) {
        value *v = g->outputs.at[i].value;
        buffer *b = make_buffer(p, v, AREA_OUTPUT, elements(v));
        b->index = i;
        b->name = g->outputs.at[i].name;
        put(&p->places[v->id], b, v);
        if (p->weights[v->id])
            diag_add(p->state->diags, DIAG_ERROR, v->at,
                     "output '%s' depends on no input: netc computes it never", g->outputs.at[i].name);
    }
}

/* ---- views ---- */

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

/* Concats are placed from the last to the first, so that parts of parts find their place. */
static void place_concats(planner *p) {
    for (int i = p->graph->nodes.count - 1; i >= 0; i--) {
        node *n = p->graph->nodes.at[i];
        if (n->op != &op_concat) continue;
        const axis_attrs *a = n->attrs;
        value *whole = n->out[0];
        if (!p->at_scan) p->step = i;
        if (!p->places[whole->id].buffer)
            put(&p->places[whole->id], new_extent(p, whole, elements(whole)), whole);
        int64_t first = 0, offset;
        for (int k = 0; k < n->inputs; k++) {
            value *part = n->in[k];
            if (can_move(p, part, whole) && part_aligned(whole, part, a->axis, first, &offset))
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

static bool place_view(planner *p, const node *n) {
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

/* ---- in place ---- */

/* May n's result take the bytes of its input k? The input must be read only here and only at the element that
 * is written, fill its buffer alone, and die. */
static bool dies_here(const planner *p, const node *n, int k) {
    const value *x = n->in[k], *y = n->out[0];
    const place *at = &p->places[x->id];
    if (x->kind != VALUE_NODE || at->view || at->offset || !at->buffer || at->buffer->area != AREA_WORKSPACE)
        return false;
    if (p->uses_left[x->id] != 1 || !layout_equal(&x->layout, &y->layout) || x->type != y->type) return false;
    const extent *e = extent_of((planner *)p, at->buffer);
    if (!shape_equal(&x->shape, &y->shape) || !e || e->shared || e->last > p->step) return false;
    for (int j = 0; j < n->inputs; j++)
        if (j != k && p->places[n->in[j]->id].buffer == at->buffer) return false;
    return true;
}

static bool place_over_operand(planner *p, const node *n) {
    if (!n->choice || !n->choice->in_place) return false;
    bool elementwise = node_elementwise(n);
    for (int k = elementwise ? 0 : n->own_inputs; k < n->inputs; k++) {
        if (!dies_here(p, n, k)) continue;
        p->places[n->out[0]->id] = p->places[n->in[k]->id];
        return true;
    }
    return false;
}

/* ---- scans ---- */

static void place_nodes(planner *p, bool reuse);

/* Stacks of the carries, (T + 1) slots a sample; the yields that are carries are views of them. */
static void place_carries(planner *p, const node *n, scan_plan *plan, int depth) {
    const scan_attrs *a = n->attrs;
    graph *body = a->body;
    for (int64_t k = 0; k < a->carries; k++) {
        value *argument = body->arguments.at[a->sequences + k], *next = body->outputs.at[k].value;
        int64_t slot = shape_count(&argument->shape), t = a->steps;
        value *last = n->out[a->yields + k];
        buffer *b = new_extent(p, last, slot * (t + 1));
        place at = {
            .buffer = b, .batch_stride = shape_batched(&argument->shape) ? slot * (t + 1) : 0, .view = true};
        memcpy(at.loop_stride, p->places[n->out[0]->id].loop_stride, sizeof at.loop_stride);
        place read = at, write = at, whole = at;
        read.offset = a->reversed ? slot * t : 0;
        write.offset = a->reversed ? slot * (t - 1) : slot;
        read.loop_stride[depth] = write.loop_stride[depth] = a->reversed ? -slot : slot;
        plan->places[argument->id] = read;
        plan->places[next->id] = write;
        read.loop_stride[depth] = 0;
        plan->places[plan->start[k]->id] = read;
        whole.offset = a->reversed ? 0 : slot;
        for (int64_t j = 0; j < a->yields; j++)
            if (body->outputs.at[a->carries + j].value == next) p->places[n->out[j]->id] = whole;
        whole.offset = a->reversed ? 0 : slot * t;
        p->places[last->id] = whole;
    }
}

static place step_of(const place *stack, const shape *element, const scan_attrs *a, int depth) {
    place at = *stack;
    int64_t stride = shape_count(element);
    at.offset += a->reversed ? stride * (a->steps - 1) : 0;
    at.loop_stride[depth] = a->reversed ? -stride : stride;
    at.view = true;
    return at;
}

static void place_yields(planner *p, const node *n, scan_plan *plan, int depth) {
    const scan_attrs *a = n->attrs;
    for (int64_t k = 0; k < a->yields; k++) {
        value *stack = n->out[k], *v = a->body->outputs.at[a->carries + k].value;
        if (p->places[stack->id].view && plan->places[v->id].buffer) continue; /* a carry's */
        if (!p->places[stack->id].buffer)
            put(&p->places[stack->id], new_extent(p, stack, elements(stack)), stack);
        plan->places[v->id] = step_of(&p->places[stack->id], &v->shape, a, depth);
    }
}

static void make_starts(planner *p, const node *n, scan_plan *plan) {
    const scan_attrs *a = n->attrs;
    graph *body = a->body;
    plan->start = NEW_ARRAY(p->state->arena, value *, a->carries);
    for (int64_t k = 0; k < a->carries; k++) {
        plan->start[k] = arena_copy(p->state->arena, body->arguments.at[a->sequences + k], sizeof(value));
        plan->start[k]->id = body->next_id++;
    }
    plan->places = NEW_ARRAY(p->state->arena, place, body->next_id);
}

static void place_scan(planner *p, const node *n, int depth) {
    const scan_attrs *a = n->attrs;
    graph *body = a->body;
    scan_plan *plan = NEW(p->state->arena, scan_plan);
    plan->scan = n;
    make_starts(p, n, plan);
    place_carries(p, n, plan, depth);
    place_yields(p, n, plan, depth);
    for (int k = 0; k < n->inputs; k++) {
        value *argument = body->arguments.at[k];
        if (k >= a->sequences && k < a->sequences + a->carries) continue;
        place at = p->places[n->in[k]->id];
        at.view = true;
        plan->places[argument->id] = k < a->sequences ? step_of(&at, &argument->shape, a, depth) : at;
    }
    plan->next = p->state->scans;
    p->state->scans = plan;
    planner inner = *p;
    inner.graph = body;
    inner.places = plan->places;
    inner.weights = NEW_ARRAY(p->state->arena, bool, body->next_id);
    inner.depth = depth + 1;
    inner.at_scan = true;
    place_nodes(&inner, false);
    p->extents = inner.extents;
    p->extent_of = inner.extent_of;
    p->extent_room = inner.extent_room;
}

/* ---- nodes ---- */

static void place_operands(planner *p, const node *n) {
    for (int k = 0; k < n->inputs; k++) {
        value *v = n->in[k];
        if (v->kind == VALUE_CONST && !p->places[v->id].buffer) place_constant(p, v);
        touch(p, &p->places[v->id], p->step);
        p->uses_left[v->id]--;
    }
}

static void place_result(planner *p, value *v) {
    place *at = &p->places[v->id];
    if (!at->buffer)
        put(at, new_extent(p, v, elements(v)), v);
    else
        touch(p, at, p->step);
    extent *e = extent_of(p, at->buffer);
    if (e && p->step < e->first) e->first = p->step; /* a part written before its concat runs */
}

static void place_nodes(planner *p, bool reuse) {
    graph *g = p->graph;
    p->uses_left = NEW_ARRAY(p->state->arena, int, g->next_id);
    int *counts = graph_use_counts(p->state->arena, g);
    memcpy(p->uses_left, counts, (size_t)g->next_id * sizeof(int));
    place_concats(p);
    for (int i = 0; i < g->nodes.count; i++) {
        node *n = g->nodes.at[i];
        if (!p->at_scan) p->step = i;
        bool alias = place_view(p, n);
        bool over = !alias && reuse && !p->places[n->out[0]->id].buffer && place_over_operand(p, n);
        place_operands(p, n);
        if (n->op == &op_scan) {
            if (p->weights[n->out[0]->id])
                diag_add(p->state->diags, DIAG_ERROR, n->at,
                         "this scan depends on no input: its result is a constant");
            place_scan(p, n, p->depth);
        }
        for (int k = 0; k < n->outputs && !alias && !over; k++) place_result(p, n->out[k]);
        for (int k = 0; k < n->outputs && (alias || over); k++) touch(p, &p->places[n->out[k]->id], p->step);
    }
}

/* ---- offsets ---- */

static int by_size(const void *a, const void *b) {
    const extent *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->order - y->order;
}

static int by_offset(const void *a, const void *b) {
    const extent *x = *(extent *const *)a, *y = *(extent *const *)b;
    if (x->buffer->offset != y->buffer->offset) return x->buffer->offset < y->buffer->offset ? -1 : 1;
    return x->order - y->order;
}

/* The lowest gap of `e`'s size among the buffers already set that live at the same time. */
static int64_t lowest_gap(extent **alive, int count, const extent *e) {
    int64_t at = 0;
    qsort(alive, (size_t)count, sizeof *alive, by_offset);
    for (int i = 0; i < count; i++) {
        if (alive[i]->buffer->offset >= at + e->bytes) break;
        int64_t end = alive[i]->buffer->offset + alive[i]->bytes;
        if (end > at) at = end;
    }
    return at;
}

static int64_t set_offsets(planner *p, area a) {
    extent *sorted = arena_copy(p->state->arena, p->extents.at, (size_t)p->extents.count * sizeof(extent));
    extent **alive = NEW_ARRAY(p->state->arena, extent *, p->extents.count);
    int64_t top = 0;
    qsort(sorted, (size_t)p->extents.count, sizeof *sorted, by_size);
    for (int i = 0; i < p->extents.count; i++) {
        int count = 0;
        if (sorted[i].buffer->area != a) continue;
        for (int j = 0; j < i; j++)
            if (sorted[j].buffer->area == a && sorted[j].first <= sorted[i].last &&
                sorted[i].first <= sorted[j].last)
                alive[count++] = &sorted[j];
        int64_t at = sorted[i].buffer->offset = lowest_gap(alive, count, &sorted[i]);
        if (at + sorted[i].bytes > top) top = at + sorted[i].bytes;
    }
    return top;
}

/* What forward reads of packed, and states with what they become, live to the end. */
static void keep_alive(planner *p) {
    graph *g = p->graph;
    int end = g->nodes.count;
    for (int i = 0; i < g->nodes.count; i++) {
        node *n = g->nodes.at[i];
        if (p->weights[n->out[0]->id]) continue;
        for (int k = 0; k < n->inputs; k++)
            if (p->weights[n->in[k]->id]) touch(p, &p->places[n->in[k]->id], end);
    }
    for (int i = 0; i < g->states.count; i++) {
        value *v = g->states.at[i];
        if (v->as.next) touch(p, &p->places[v->as.next->id], end);
    }
}

static void list_states(planner *p) {
    for (int i = 0; i < p->graph->states.count; i++) {
        value *v = p->graph->states.at[i], *next = v->as.next ? v->as.next : v;
        state_slot s = {v->name, p->places[v->id].buffer, p->places[next->id].buffer, elements(v), v->shape};
        VEC_PUSH(p->state->arena, &p->program->states, s);
    }
}

static program *new_program(const pass_state *s) {
    program *p = NEW(s->arena, program);
    p->arena = s->arena;
    p->name = s->graph->name;
    p->graph = s->graph;
    p->real = s->options->real;
    p->max_batch = s->options->max_batch;
    p->max_threads = s->options->max_threads;
    memcpy(p->wanted, s->options->targets, sizeof p->wanted);
    return p;
}

void pass_plan_buffers(pass_state *s) {
    planner p = {.state = s, .program = s->program = new_program(s), .graph = s->graph};
    p.places = s->places = NEW_ARRAY(s->arena, place, s->graph->next_id);
    p.weights = graph_weight_region(s->arena, s->graph);
    place_inputs(&p);
    place_states(&p);
    place_outputs(&p);
    place_nodes(&p, true);
    keep_alive(&p);
    list_states(&p);
    s->program->packed_bytes = PACKED_HEADER + set_offsets(&p, AREA_PACKED);
    for (int i = 0; i < p.extents.count; i++)
        if (p.extents.at[i].buffer->area == AREA_PACKED) p.extents.at[i].buffer->offset += PACKED_HEADER;
    s->program->workspace_bytes = set_offsets(&p, AREA_WORKSPACE);
}
