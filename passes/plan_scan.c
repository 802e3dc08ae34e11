/* Where a scan's values lie: sequences by the step, carries stacked over time, the body's own values once. */
#include "ir/ops/list.h"
#include "ir/ops/scan.h"
#include "passes/planner.h"

#include <string.h>

/* Yields of a value that lies in a carry's stack are a view of that. */
static void view_yields(planner *p, const node *n, const value *v, const place *stack) {
    const scan_attrs *a = n->attrs;
    for (int64_t k = 0; k < a->yields; k++)
        if (a->body->outputs.at[a->carries + k].value == v) p->places[n->out[k]->id] = *stack;
}

/* Stacks of the carries, (T + 1) slots a sample: as the first step found them, then as each left them. */
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
        view_yields(p, n, next, &whole);
        whole.offset = a->reversed ? slot : 0;
        view_yields(p, n, argument, &whole);
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

void place_scan(planner *p, const node *n, int depth) {
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
