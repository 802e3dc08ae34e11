/* Copies what a host needs to know of a net's interface. */
#include "frontend/api/describe.h"

#include "frontend/api/recipe.h"
#include "ir/op.h"

#include <assert.h>
#include <string.h>

static_assert((int)NET_MAX_RANK >= (int)MAX_RANK && (int)PARAM_MAX_RANK >= (int)MAX_RANK,
              "every shape has a place");

static net_tensor tensor_of(const char *name, const value *v) {
    const shape *s = &v->shape;
    int lead = shape_batched(s);
    net_tensor t = {.name = name, .batched = lead, .rank = s->rank - lead, .count = shape_count(s)};
    t.type = v->type == DT_I32 ? NET_I32 : NET_F32;
    for (int k = 0; k < t.rank; k++) t.dims[k] = s->dim[k + lead];
    if (v->kind != VALUE_INPUT) return t;
    t.bound = v->as.input.bound;
    t.mean = v->as.input.mean;
    t.std = v->as.input.std;
    t.channels = v->as.input.channels;
    return t;
}

static void describe_tensors(net *n, arena *a, const graph *g) {
    net_tensor *in = NEW_ARRAY(a, net_tensor, g->inputs.count + 1);
    net_tensor *out = NEW_ARRAY(a, net_tensor, g->outputs.count + 1);
    net_tensor *state = NEW_ARRAY(a, net_tensor, g->states.count + 1);
    for (int k = 0; k < g->inputs.count; k++) in[k] = tensor_of(g->inputs.at[k]->name, g->inputs.at[k]);
    for (int k = 0; k < g->outputs.count; k++)
        out[k] = tensor_of(g->outputs.at[k].name, g->outputs.at[k].value);
    for (int k = 0; k < g->states.count; k++) state[k] = tensor_of(g->states.at[k]->name, g->states.at[k]);
    n->inputs = in;
    n->outputs = out;
    n->states = state;
    n->input_count = g->inputs.count;
    n->output_count = g->outputs.count;
    n->state_count = g->states.count;
}

static void describe_params(net *n, arena *a, const graph *g) {
    net_param *list = NEW_ARRAY(a, net_param, g->params.count + 1);
    for (int k = 0; k < g->params.count; k++) {
        const value *v = g->params.at[k];
        const init_rule *r = &v->as.param.init;
        list[k] = (net_param){.trainable = v->as.param.trainable,
                              .rule = r->rule,
                              .scale = r->scale,
                              .fan_in = r->fan_in,
                              .fan_out = r->fan_out};
        list[k].at = (param){
            .name = v->name, .offset = n->values, .count = shape_count(&v->shape), .rank = v->shape.rank};
        memcpy(list[k].at.dims, v->shape.dim, (size_t)v->shape.rank * sizeof *v->shape.dim);
        n->values += list[k].at.count;
    }
    n->params = list;
    n->param_count = g->params.count;
}

/* What the op that ends the net makes of its numbers. */
static const struct {
    const char *op;
    net_scores scores;
} endings[] = {
    {"softmax", SCORES_PROBABILITIES},
    {"sigmoid", SCORES_PROBABILITIES},
    {"log_softmax", SCORES_LOGARITHMS},
    {"rbf", SCORES_DISTANCES},
};

static net_scores scores_of(const graph *g) {
    const value *v = g->outputs.count ? g->outputs.at[0].value : NULL;
    if (!v || !shape_batched(&v->shape) || v->shape.rank != 2 || v->shape.dim[1] < 2 || v->type != DT_F32)
        return SCORES_NONE;
    for (size_t k = 0; v->def && k < sizeof endings / sizeof *endings; k++)
        if (strcmp(v->def->op->name, endings[k].op) == 0) return endings[k].scores;
    return SCORES_LOGITS;
}

void describe_graph(net *n, arena *a, const graph *g) {
    *n = (net){.name = g->name, .labels = g->labels.at, .label_count = g->labels.count};
    describe_tensors(n, a, g);
    describe_params(n, a, g);
    n->scores = scores_of(g);
    n->recipe = recipe_describe(a, g);
    n->loss = n->recipe ? n->recipe->loss : NULL;
}

/* Moments lie one after the other. */
static void describe_moments(net *n, const program *p) {
    net_moment *list = NEW_ARRAY(p->arena, net_moment, p->moments.count + 1);
    n->moment_values = 0;
    for (int k = 0; k < p->moments.count; k++) {
        const moment *m = &p->moments.at[k];
        list[k].at = (param){.name = m->name,
                             .offset = n->moment_values,
                             .count = shape_count(&m->shape),
                             .rank = m->shape.rank};
        memcpy(list[k].at.dims, m->shape.dim, (size_t)m->shape.rank * sizeof *m->shape.dim);
        n->moment_values += list[k].at.count;
    }
    n->moments = list;
    n->moment_count = p->moments.count;
}

void describe_program(net *n, const program *p) {
    assert(p->params_bytes == 0 || p->params_bytes == n->values * (int64_t)sizeof(float));
    n->max_batch = p->max_batch;
    n->packed_bytes = p->packed_bytes;
    n->workspace_bytes = p->workspace_bytes;
    n->step_workspace_bytes = p->step_bytes;
    describe_moments(n, p);
}
