/* Checks before anything changes, and the order of a step's two entries. */
#include "frontend/api/step.h"

#include <math.h>
#include <string.h>

bool step_possible(const program *p, diags *d) {
    if (!p->step_graph || p->step_graph->inputs.count <= STEP_INPUTS_MAX) return true;
    diag_add(d, DIAG_ERROR, (span){0}, "net %s cannot be trained here: it has more than %d inputs", p->name,
             STEP_INPUTS_MAX - 3);
    return false;
}

void step_fill(const program *p, const net_step *s, const float *rate, const int32_t *counter,
               const void *inputs[STEP_INPUTS_MAX]) {
    const step_inputs *own = &p->step_inputs;
    for (int k = 0; k < p->graph->inputs.count; k++) inputs[k] = s->inputs[k];
    if (own->target >= 0) inputs[own->target] = s->target;
    if (own->learning_rate >= 0) inputs[own->learning_rate] = rate;
    if (own->counter >= 0) inputs[own->counter] = counter;
}

static bool labels_valid(const program *p, const net_step *s) {
    const int32_t *label = s->target;
    const step_inputs *own = &p->step_inputs;
    if (!own->classes || own->target < 0) return true;
    for (int64_t k = 0; k < s->n * own->target_count; k++)
        if (label[k] < 0 || label[k] >= own->class_count) return false;
    return true;
}

void step_hand_over(const program *p, const net_step *s) {
    const buffer *b = p->step_output;
    if (!s->output || !b) return;
    memcpy(s->output, (const char *)s->workspace + b->offset, (size_t)(b->per_sample * s->n) * sizeof(float));
}

net_stepped step_run(const program *p, const net_step *s, step_entry *run, void *self, diags *d) {
    const net_optimizer *o = s->optimizer;
    const int32_t counter[4] = {(int32_t)(uint32_t)o->step, (int32_t)(uint32_t)(o->step >> 32),
                                (int32_t)(uint32_t)o->seed, (int32_t)(uint32_t)(o->seed >> 32)};
    const void *inputs[STEP_INPUTS_MAX];
    run_args args = {.n = s->n,
                     .params = s->params,
                     .inputs = inputs,
                     .workspace = s->workspace,
                     .moments = s->optimizer + 1,
                     .loss = s->loss};
    if (!labels_valid(p, s)) return STEP_BAD_LABEL;
    if (!isfinite(s->learning_rate)) return STEP_NOT_FINITE;
    step_fill(p, s, &s->learning_rate, counter, inputs);
    if (!run(self, ENTRY_STEP, &args, d)) return STEP_FAILED;
    if (!isfinite(*s->loss)) return STEP_NOT_FINITE;
    if (!run(self, ENTRY_UPDATE, &args, d)) return STEP_FAILED;
    s->optimizer->step++;
    step_hand_over(p, s);
    return STEP_DONE;
}
