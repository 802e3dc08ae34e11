/* schedule
 * Does:   orders the nodes of a training step. What the loss depends on comes first, so that a step can be refused
 *         before it changes anything; then the rest, every update as soon as its gradient is there and nobody reads
 *         its parameter any more, so that gradients do not wait in memory for one another.
 * Needs:  all nodes, reorders of choose-layout too.
 * Breaks: nothing, while nobody adds nodes. */
#include "ir/ops/list.h"
#include "passes/passes.h"

typedef struct scheduler {
    graph *g;
    bool *before;   /* by node: the loss depends on it */
    bool *late;     /* by node: elementwise, and for updates alone */
    bool *placed;   /* by value id */
    int *readers;   /* by id of a parameter or moment: reads of it by nodes that stand nowhere yet */
    value **target; /* by value id: what it becomes in an update; NULL: nothing */
    VEC(node *) order, waiting;
} scheduler;

static void mark_before(scheduler *s) {
    bool *needed = NEW_ARRAY(s->g->arena, bool, s->g->next_id);
    needed[s->g->loss->id] = true;
    for (int i = s->g->nodes.count; i-- > 0;) {
        const node *n = s->g->nodes.at[i];
        for (int k = 0; k < n->outputs; k++) s->before[i] |= needed[n->out[k]->id];
        for (int k = 0; k < n->inputs && s->before[i]; k++) needed[n->in[k]->id] = true;
    }
}

/* Nodes whose results only updates need: they wait until their operands are there. */
static void mark_late(scheduler *s) {
    bool *other = NEW_ARRAY(s->g->arena, bool, s->g->next_id);
    for (int k = 0; k < s->g->outputs.count; k++) other[s->g->outputs.at[k].value->id] = true;
    other[s->g->loss->id] = true;
    for (int i = s->g->nodes.count; i-- > 0;) {
        const node *n = s->g->nodes.at[i];
        bool needed = false;
        for (int k = 0; k < n->outputs; k++) needed |= other[n->out[k]->id];
        s->late[i] = !needed && (node_elementwise(n) || n->op == &op_maps);
        for (int k = 0; k < n->inputs && !s->late[i]; k++) other[n->in[k]->id] = true;
    }
}

static bool remembered(const value *v) {
    return v->kind == VALUE_PARAM || v->kind == VALUE_MOMENT;
}

static void count_readers(scheduler *s) {
    for (int i = 0; i < s->g->nodes.count; i++)
        for (int k = 0; k < s->g->nodes.at[i]->inputs; k++)
            if (remembered(s->g->nodes.at[i]->in[k])) s->readers[s->g->nodes.at[i]->in[k]->id]++;
}

static void put_next(scheduler *s, node *n) {
    VEC_PUSH(s->g->arena, &s->order, n);
    for (int k = 0; k < n->outputs; k++) s->placed[n->out[k]->id] = true;
    for (int k = 0; k < n->inputs; k++)
        if (remembered(n->in[k])) s->readers[n->in[k]->id]--;
}

/* Its operands are there, and what it will overwrite is read by nobody else any more. */
static bool ready(const scheduler *s, const node *n) {
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k]->kind == VALUE_NODE && !s->placed[n->in[k]->id]) return false;
    for (int r = 0; r < n->outputs; r++) {
        const value *old = s->target[n->out[r]->id];
        int own = 0;
        for (int k = 0; old && k < n->inputs; k++) own += n->in[k] == old;
        if (old && s->readers[old->id] != own) return false;
    }
    return true;
}

static void place_waiting(scheduler *s) {
    int kept = 0, count = s->waiting.count;
    for (int i = 0; i < count; i++) {
        node *n = s->waiting.at[i];
        if (ready(s, n))
            put_next(s, n);
        else
            s->waiting.at[kept++] = n;
    }
    s->waiting.count = kept;
}

static void place_nodes(scheduler *s) {
    graph *g = s->g;
    for (int i = 0; i < g->nodes.count; i++)
        if (s->before[i]) put_next(s, g->nodes.at[i]);
    for (int i = 0; i < g->nodes.count; i++)
        if (!s->before[i] && s->late[i]) VEC_PUSH(g->arena, &s->waiting, g->nodes.at[i]);
    for (int i = 0; i < g->nodes.count; i++) {
        if (s->before[i] || s->late[i]) continue;
        place_waiting(s);
        put_next(s, g->nodes.at[i]);
    }
    place_waiting(s);
    for (int i = 0; i < s->waiting.count; i++)
        put_next(s, s->waiting.at[i]); /* no rule decides: as they stood */
}

void pass_schedule(pass_state *state) {
    graph *g = state->graph;
    scheduler s = {.g = g,
                   .before = NEW_ARRAY(g->arena, bool, g->nodes.count),
                   .late = NEW_ARRAY(g->arena, bool, g->nodes.count),
                   .placed = NEW_ARRAY(g->arena, bool, g->next_id),
                   .readers = NEW_ARRAY(g->arena, int, g->next_id),
                   .target = NEW_ARRAY(g->arena, value *, g->next_id)};
    for (int i = 0; i < g->updates.count; i++) s.target[g->updates.at[i].next->id] = g->updates.at[i].target;
    mark_before(&s);
    mark_late(&s);
    count_readers(&s);
    place_nodes(&s);
    for (int i = 0; i < g->nodes.count; i++) state->loss_nodes += s.before[i];
    for (int i = 0; i < g->nodes.count; i++) g->nodes.at[i] = s.order.at[i];
}
