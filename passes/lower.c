/* lower: the graph's nodes as calls of kernels.
 * Does:   fills the program's entries: the weights' region becomes `prepare`, the rest `forward`, a scan a
 *         loop over the calls of its body. `forward_u8` is forward with the layout of the picture replaced
 *         by its conversion from 8 bits. Of a training step what comes before the loss is `step`, the rest
 *         `update`. Adds scratch to the workspaces and computes the hash of net and packing.
 * Needs:  plan-buffers.
 * Breaks: nothing. */
#include "ir/base/map.h"
#include "ir/kernel/elementwise.h"
#include "ir/kernel/pixels.h"
#include "ir/ops/list.h"
#include "ir/ops/scan.h"
#include "passes/passes.h"
#include "passes/plan.h"

#include <string.h>

static void lower_nodes(pass_state *s, lower *l, const graph *g);

static const scan_plan *plan_of(const pass_state *s, const node *n) {
    const scan_plan *p = s->scans;
    while (p->scan != n) p = p->next;
    return p;
}

/* Copies the first carry into its slot: an identity node that exists for this call only. */
static void start_carry(lower *outer, const scan_plan *plan, value *first, value *slot) {
    const node *n = plan->scan;
    int count = outer->graph->next_id;
    place *places = NEW_ARRAY(outer->arena, place, count + 1); /* both sides in one table */
    memcpy(places, outer->places, (size_t)count * sizeof *places);
    places[count] = plan->places[slot->id];
    value *to = arena_copy(outer->arena, slot, sizeof *slot);
    to->id = count;
    node *copy = arena_copy(outer->arena, n, sizeof *n);
    value **ends = NEW_ARRAY(outer->arena, value *, 2);
    ends[0] = first;
    ends[1] = to;
    copy->inputs = copy->own_inputs = copy->outputs = 1;
    copy->in = &ends[0];
    copy->out = &ends[1];
    lower l = *outer;
    l.places = places;
    lower_strided(&l, copy, expr_identity(outer->arena));
}

static void lower_scan(pass_state *s, lower *l, const node *n) {
    const scan_attrs *a = n->attrs;
    const scan_plan *plan = plan_of(s, n);
    for (int64_t k = 0; k < a->carries; k++) start_carry(l, plan, n->in[a->sequences + k], plan->start[k]);
    step loop = {.is_loop = true, .count = a->steps, .body = NEW(s->arena, steps)};
    lower inner = *l;
    inner.graph = a->body;
    inner.places = plan->places;
    inner.steps = loop.body;
    inner.loops = l->loops + 1;
    if (inner.loops > MAX_LOOPS) trap_spring(s->arena->trap, "scans nest deeper than 4");
    lower_nodes(s, &inner, a->body);
    VEC_PUSH(s->arena, &l->steps->list, loop);
}

/* Its result lies where its input does: nothing to run. */
static bool is_alias(const lower *l, const node *n) {
    if (n->op->view) return true;
    if (n->op != &op_reorder && n->op != &op_slice) return false;
    const place *from = &l->places[n->in[0]->id], *to = &l->places[n->out[0]->id];
    /* of a carry's stack, one step's slot is not the next one's */
    return to->view && to->buffer == from->buffer && (n->op == &op_slice || to->offset == from->offset);
}

static void lower_node(pass_state *s, lower *l, const node *n) {
    if (n->op == &op_scan)
        lower_scan(s, l, n);
    else if (!is_alias(l, n))
        n->choice->lower(l, n);
}

static void lower_nodes(pass_state *s, lower *l, const graph *g) {
    for (int i = 0; i < g->nodes.count; i++) lower_node(s, l, g->nodes.at[i]);
}

/* ---- forward_u8 ---- */

static const node *pixel_node(const pass_state *s) {
    const graph *g = s->graph;
    for (int i = 0; s->options->pixels && i < g->nodes.count; i++) {
        const node *n = g->nodes.at[i];
        bool image = n->op == &op_reorder && n->in[0]->kind == VALUE_INPUT && n->in[0]->as.input.mean;
        if (image && n->in[0]->shape.rank == 4 && n->in[0]->shape.dim[1] <= 8) return n;
    }
    return NULL;
}

static void lower_u8(pass_state *s, lower *l) {
    program *p = s->program;
    const node *image = pixel_node(s);
    if (!image) return;
    value *input = image->in[0];
    buffer *pixels = program_buffer(p, input->name, AREA_PIXELS, KB_U8, 0, shape_count(&input->shape));
    pixels->index = l->places[input->id].buffer->index;
    entry *from = &p->entries[ENTRY_FORWARD], *to = &p->entries[ENTRY_FORWARD_U8];
    *to = (entry){.kind = ENTRY_FORWARD_U8, .present = true};
    l->steps = &to->steps;
    for (int i = 0; i < from->steps.list.count; i++) {
        step *at = &from->steps.list.at[i];
        if (!at->is_loop && at->call.node == image)
            lower_pixels(l, image, pixels);
        else
            VEC_PUSH(s->arena, &to->steps.list, *at);
    }
}

/* ---- the whole ---- */

/* What `packed` must have been prepared for: the net's name, its parameters and where their packings lie. */
static uint64_t hash_program(const pass_state *s) {
    const program *p = s->program;
    uint64_t h = hash_bytes(p->name, strlen(p->name), 0);
    for (int i = 0; i < s->graph->params.count; i++) {
        const value *v = s->graph->params.at[i];
        h = hash_bytes(v->name, strlen(v->name), h);
        h = hash_bytes(v->shape.dim, (size_t)v->shape.rank * sizeof *v->shape.dim, h);
    }
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        int64_t lies[3] = {b->offset, b->fixed, b->elem};
        if (b->area == AREA_PACKED) h = hash_bytes(lies, sizeof lies, h);
    }
    for (int i = 0; i < p->kernels.count; i++)
        h = hash_bytes(p->kernels.at[i]->name, strlen(p->kernels.at[i]->name), h);
    return h;
}

static void lower_eval(pass_state *s, lower *l) {
    program *p = s->program;
    bool *weights = graph_weight_region(s->arena, s->graph);
    for (int k = 0; k < 2; k++) p->entries[k] = (entry){.kind = (entry_kind)k, .present = true};
    for (int i = 0; i < s->graph->nodes.count; i++) {
        const node *n = s->graph->nodes.at[i];
        l->steps = &p->entries[weights[n->out[0]->id] ? ENTRY_PREPARE : ENTRY_FORWARD].steps;
        lower_node(s, l, n);
    }
    lower_u8(s, l);
    p->packed_bytes = round_up(p->packed_bytes, BUFFER_ALIGN);
    p->scratch_offset = round_up(p->workspace_bytes, BUFFER_ALIGN);
    p->hash = hash_program(s);
}

/* Updates that could not be made where they belong. */
static void lower_copies(lower *l) {
    const graph *g = l->graph;
    for (int i = 0; i < g->updates.count; i++) {
        const update *u = &g->updates.at[i];
        const place *from = &l->places[u->next->id], *to = &l->places[u->target->id];
        if (from->buffer == to->buffer) continue;
        node copy = {.op = &op_identity, .inputs = 1, .own_inputs = 1, .outputs = 1};
        node *n = arena_copy(l->arena, &copy, sizeof copy);
        n->in = arena_copy(l->arena, &u->next, sizeof u->next);
        n->out = arena_copy(l->arena, &u->target, sizeof u->target);
        lower_strided(l, n, expr_identity(l->arena));
    }
}

static void lower_step(pass_state *s, lower *l) {
    program *p = s->program;
    for (int k = ENTRY_STEP; k <= ENTRY_UPDATE; k++)
        p->entries[k] = (entry){.kind = (entry_kind)k, .present = true};
    for (int i = 0; i < s->graph->nodes.count; i++) {
        l->steps = &p->entries[i < s->loss_nodes ? ENTRY_STEP : ENTRY_UPDATE].steps;
        lower_node(s, l, s->graph->nodes.at[i]);
    }
    lower_copies(l);
    p->step_scratch_offset = round_up(p->step_bytes, BUFFER_ALIGN);
    p->step_bytes = p->step_scratch_offset + p->scratch_bytes * p->max_threads;
}

static void number_calls(steps *s, int *next) {
    for (int i = 0; i < s->list.count; i++) {
        step *t = &s->list.at[i];
        if (t->is_loop)
            number_calls(t->body, next);
        else
            t->call.number = (*next)++;
    }
}

/* Room for the marks of a program that is profiled. */
static void lower_marks(program *p, bool trains) {
    p->profiled = true;
    for (int k = trains ? ENTRY_STEP : ENTRY_FORWARD; k < ENTRY_KINDS; k++)
        if (entry_marked(p, (entry_kind)k)) number_calls(&p->entries[k].steps, &p->entries[k].calls);
    p->workspace_bytes += BUFFER_ALIGN;
    if (trains) p->step_bytes += BUFFER_ALIGN;
}

void pass_lower(pass_state *s) {
    program *p = s->program;
    lower l = {.arena = s->arena, .program = p, .graph = s->graph, .places = s->places};
    if (s->graph->loss)
        lower_step(s, &l);
    else
        lower_eval(s, &l);
    p->workspace_bytes = p->scratch_offset + p->scratch_bytes * p->max_threads;
    if (s->options->profiled) lower_marks(p, s->graph->loss);
}
