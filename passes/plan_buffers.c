/* plan-buffers: where every value lies.
 * Does:   makes the program's buffers and a place for every value. Reshapes, aligned parts of concats and
 *         splits and scan results are views; elementwise results and epilogues take the bytes of an operand
 *         that dies; what remains is put at the lowest offset that no value alive at the same time holds,
 *         largest first (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
 *         2020, greedy by size). The same plan serves `packed` (values of the weights' region; what forward
 *         reads lives on).
 * Needs:  choose-layout.
 * Breaks: nothing; adding or moving nodes afterwards would. */
#include "ir/ops/list.h"
#include "passes/planner.h"

#include <string.h>

int64_t elements(const value *v) {
    return layout_count(&v->layout, &v->shape);
}

static kbase base_of(const planner *p, const value *v) {
    return v->type == DT_I32 ? KB_I32 : v->type == DT_U8 ? KB_U8 : p->program->real;
}

buffer *make_buffer(planner *p, const value *v, area a, int64_t count) {
    bool batched = shape_batched(&v->shape);
    const char *name = v->name ? v->name : arena_printf(p->state->arena, "t%d", v->id);
    return program_buffer(p->program, name, a, base_of(p, v), batched ? 0 : count, batched ? count : 0);
}

void put(place *at, buffer *b, const value *v) {
    *at = (place){.buffer = b, .batch_stride = shape_batched(&v->shape) ? elements(v) : 0};
}

/* ---- lifetimes ---- */

extent *extent_of(planner *p, const buffer *b) {
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

void touch(planner *p, const place *at, int step_) {
    extent *e = at->buffer ? extent_of(p, at->buffer) : NULL;
    if (e && step_ > e->last) e->last = step_;
}

buffer *new_extent(planner *p, const value *v, int64_t count) {
    area a = p->weights[v->id] ? AREA_PACKED : p->work;
    buffer *b = make_buffer(p, v, a, count);
    open_extent(p, b);
    return b;
}

/* ---- values from outside ---- */

static void place_inputs(planner *p) {
    graph *g = p->graph;
    for (int i = 0; i < g->inputs.count; i++) {
        value *v = g->inputs.at[i];
        buffer *b = make_buffer(p, v, g->loss ? AREA_STEP_INPUT : AREA_INPUT, elements(v));
        b->index = i;
        put(&p->places[v->id], b, v);
    }
}

/* One after the other without gaps; the bytes they take. */
static int64_t place_stored(planner *p, value *const *list, int count, area a) {
    int64_t offset = 0;
    for (int i = 0; i < count; i++) {
        buffer *b = make_buffer(p, list[i], a, elements(list[i]));
        b->index = i;
        b->offset = offset;
        offset += elements(list[i]) * kbase_bytes(b->elem);
        put(&p->places[list[i]->id], b, list[i]);
    }
    return offset;
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

/* ---- in place ---- */

/* May n's result take the bytes of its input k? The input must be read only here and only at the element that
 * is written, fill its buffer alone, and die. */
static bool dies_here(const planner *p, const node *n, int k) {
    const value *x = n->in[k], *y = n->out[0];
    const place *at = &p->places[x->id];
    if (x->kind != VALUE_NODE || at->view || at->offset || !at->buffer || at->buffer->area != p->work)
        return false;
    if (p->uses_left[x->id] != 1 || !layout_equal(&x->layout, &y->layout) || x->type != y->type) return false;
    const extent *e = extent_of((planner *)p, at->buffer);
    if (!shape_equal(&x->shape, &y->shape) || !e || e->shared || e->last > p->step) return false;
    for (int j = 0; j < n->inputs; j++)
        if (j != k && p->places[n->in[j]->id].buffer == at->buffer) return false;
    return true;
}

static void place_over_operand(planner *p, const node *n) {
    if (!n->choice || !n->choice->in_place) return;
    bool elementwise = node_elementwise(n) || n->op == &op_maps;
    for (int k = elementwise ? 0 : n->own_inputs; k < n->inputs; k++) {
        if (!dies_here(p, n, k)) continue;
        p->places[n->out[0]->id] = p->places[n->in[k]->id];
        return;
    }
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

/* What n's kernels share among threads lives as long as the node runs. */
static void place_room(planner *p, const node *n) {
    if (!n->choice || !n->choice->room) return;
    int64_t count = n->choice->room(n, p->program->max_batch);
    if (count) p->places[n->out[0]->id].room = new_extent(p, n->out[0], count);
}

void place_nodes(planner *p, bool reuse) {
    graph *g = p->graph;
    p->uses_left = NEW_ARRAY(p->state->arena, int, g->next_id);
    int *counts = graph_use_counts(p->state->arena, g);
    memcpy(p->uses_left, counts, (size_t)g->next_id * sizeof(int));
    place_concats(p);
    for (int i = 0; i < g->nodes.count; i++) {
        node *n = g->nodes.at[i];
        if (!p->at_scan) p->step = i;
        bool alias = place_view(p, n);
        if (!alias && reuse && !p->places[n->out[0]->id].buffer) place_over_operand(p, n);
        place_operands(p, n);
        if (n->op == &op_scan) {
            if (p->weights[n->out[0]->id])
                diag_add(p->state->diags, DIAG_ERROR, n->at,
                         "this scan depends on no input: its result is a constant");
            place_scan(p, n, p->depth);
        }
        for (int k = 0; k < n->outputs && !alias; k++) place_result(p, n->out[k]);
        for (int k = 0; k < n->outputs && alias; k++) touch(p, &p->places[n->out[k]->id], p->step);
        place_room(p, n);
    }
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

static void plan_eval(planner *p) {
    program *to = p->program;
    place_states(p);
    place_outputs(p);
    place_nodes(p, true);
    keep_alive(p);
    list_states(p);
    to->packed_bytes = PACKED_HEADER + set_offsets(p, AREA_PACKED);
    for (int i = 0; i < p->extents.count; i++)
        if (p->extents.at[i].buffer->area == AREA_PACKED) p->extents.at[i].buffer->offset += PACKED_HEADER;
    to->workspace_bytes = set_offsets(p, AREA_WORKSPACE);
}

void pass_plan_buffers(pass_state *s) {
    graph *g = s->graph;
    if (!s->program) s->program = new_program(s);
    planner p = {.state = s, .program = s->program, .graph = g};
    p.work = g->loss ? AREA_STEP : AREA_WORKSPACE;
    p.places = s->places = NEW_ARRAY(s->arena, place, g->next_id);
    p.extent_room = s->program->buffers.count + g->next_id;
    p.extent_of = NEW_ARRAY(s->arena, int, p.extent_room);
    p.weights = graph_weight_region(s->arena, g);
    place_inputs(&p);
    s->program->params_bytes = place_stored(&p, g->params.at, g->params.count, AREA_PARAMS);
    s->program->moments_bytes = place_stored(&p, g->moments.at, g->moments.count, AREA_MOMENTS);
    if (g->loss)
        plan_step(&p);
    else
        plan_eval(&p);
}
