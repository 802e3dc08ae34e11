/* What plan-buffers does for a training step beyond what it does for any graph. */
#include "ir/ops/list.h"
#include "ir/recipe.h"
#include "passes/planner.h"

#include <string.h>

static void place_loss(planner *p) {
    value *loss = p->graph->loss;
    put(&p->places[loss->id], make_buffer(p, loss, AREA_LOSS, 1), loss);
}

static int position(const graph *g, const node *n) {
    int i = 0;
    while (g->nodes.at[i] != n) i++;
    return i;
}

static bool reads(const node *n, const value *v) {
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k] == v) return true;
    return false;
}

/* May the node that makes u->next write over u->target? Nobody reads that later; what it reads of it itself lies where
 * it writes. */
static bool writes_over(const planner *p, const update *u) {
    const graph *g = p->graph;
    const value *v = u->next, *t = u->target;
    if (v->kind != VALUE_NODE || v->def->op->view || p->places[v->id].buffer) return false;
    const node *n = v->def;
    bool own = reads(n, t), loop = node_elementwise(n) || n->op == &op_maps;
    if ((own || n->outputs != 1) && !(n->choice && n->choice->in_place && loop)) return false;
    if (!layout_equal(&v->layout, &t->layout) || !shape_equal(&v->shape, &t->shape)) return false;
    for (int i = position(g, n) + 1; i < g->nodes.count; i++)
        if (reads(g->nodes.at[i], t)) return false;
    return strcmp(n->op->name, "scan") != 0 && strcmp(n->op->name, "concat") != 0;
}

static void place_updates(planner *p) {
    for (int i = 0; i < p->graph->updates.count; i++) {
        const update *u = &p->graph->updates.at[i];
        if (writes_over(p, u)) p->places[u->next->id] = p->places[u->target->id];
    }
}

/* The output and what updates copy at the end. */
static void keep_results(planner *p) {
    graph *g = p->graph;
    touch(p, &p->places[g->outputs.at[0].value->id], g->nodes.count);
    for (int i = 0; i < g->updates.count; i++)
        touch(p, &p->places[g->updates.at[i].next->id], g->nodes.count);
}

static void list_moments(planner *p) {
    for (int i = 0; i < p->graph->moments.count; i++) {
        const value *v = p->graph->moments.at[i];
        moment m = {v->name, p->places[v->id].buffer, v->shape};
        VEC_PUSH(p->state->arena, &p->program->moments, m);
    }
}

static int input_index(const graph *g, const char *name) {
    for (int i = 0; i < g->inputs.count; i++)
        if (strcmp(g->inputs.at[i]->name, name) == 0) return i;
    return -1;
}

static void describe_inputs(planner *p) {
    const graph *g = p->graph;
    step_inputs *in = &p->program->step_inputs;
    *in = (step_inputs){.target = input_index(g, "netc.target"),
                        .learning_rate = input_index(g, "netc.learning_rate"),
                        .counter = input_index(g, "netc.counter")};
    if (in->target < 0) return;
    const value *answers = g->inputs.at[in->target];
    in->classes = answers->type == DT_I32;
    in->target_count = shape_count(&answers->shape);
    in->class_count = answers->as.input.bound;
}

static int output_index(const planner *p) {
    const graph *g = p->program->graph;
    for (int i = 0; i < g->outputs.count; i++)
        if (strcmp(g->outputs.at[i].name, p->graph->outputs.at[0].name) == 0) return i;
    return 0;
}

void plan_step(planner *p) {
    program *to = p->program;
    place_loss(p);
    place_updates(p);
    place_nodes(p, true);
    keep_results(p);
    list_moments(p);
    describe_inputs(p);
    to->step_graph = p->graph;
    to->step_output = p->places[p->graph->outputs.at[0].value->id].buffer;
    to->step_output_index = output_index(p);
    to->step_bytes = set_offsets(p, AREA_STEP);
}
