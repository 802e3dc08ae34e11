/* Golden cases on the interpreter. */
#include "tests/support/execute.h"
#include "backends/interp/interp.h"

#include <stdlib.h>
#include <string.h>

/* All optional passes by name, for `plain`. */
static const char *const *optional_passes(arena *a) {
    int count = 0;
    while (passes[count].name) count++;
    const char **names = NEW_ARRAY(a, const char *, count + 1);
    int at = 0;
    for (int k = 0; k < count; k++)
        if (!passes[k].required) names[at++] = passes[k].name;
    return names;
}

program *execute_compile(arena *a, const golden *g, const execute_options *o, diags *d) {
    pass_options p = {
        .real = o->real, .max_batch = g->batch, .max_threads = 2, .check = o->check, .prefer = o->prefer};
    p.targets[o->target] = true;
    if (o->plain) p.disabled = optional_passes(a);
    return passes_run(a, g->graph, &p, d);
}

static void *aligned(arena *a, int64_t bytes) {
    char *p = arena_alloc(a, (size_t)bytes + BUFFER_ALIGN, 1);
    return p + (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
}

/* The numbers of one input or parameter, in the element type that the program computes in. */
static void *filled(arena *a, const golden *g, const program *p, const value *v) {
    int64_t count = golden_count(g, v);
    if (v->type == DT_I32) {
        int32_t *x = NEW_ARRAY(a, int32_t, count);
        golden_fill_i32(g, v->name, count, x);
        return x;
    }
    float *x = NEW_ARRAY(a, float, count);
    golden_fill_f32(g, v->name, count, x);
    if (p->real == KB_F32) return x;
    double *y = NEW_ARRAY(a, double, count);
    for (int64_t k = 0; k < count; k++) y[k] = x[k];
    return y;
}

run_args execute_arguments(arena *a, const golden *g, const program *p) {
    const graph *net = g->graph;
    const void **inputs = NEW_ARRAY(a, const void *, net->inputs.count + 1);
    void **outputs = NEW_ARRAY(a, void *, net->outputs.count + 1);
    char *params = aligned(a, p->params_bytes + 8);
    int64_t offset = 0;
    for (int i = 0; i < net->inputs.count; i++) inputs[i] = filled(a, g, p, net->inputs.at[i]);
    for (int i = 0; i < net->params.count; i++) {
        const value *v = net->params.at[i];
        int64_t bytes = golden_count(g, v) * kbase_bytes(p->real);
        memcpy(params + offset, filled(a, g, p, v), (size_t)bytes);
        offset += bytes;
    }
    for (int i = 0; i < net->outputs.count; i++)
        outputs[i] = aligned(a, golden_count(g, net->outputs.at[i].value) * kbase_bytes(KB_F64));
    return (run_args){.n = g->batch,
                      .params = params,
                      .packed = aligned(a, p->packed_bytes),
                      .inputs = inputs,
                      .outputs = outputs,
                      .workspace = aligned(a, p->workspace_bytes + 1)};
}

float *execute_output(arena *a, const golden *g, const program *p, const run_args *args, int i) {
    const value *v = g->graph->outputs.at[i].value;
    int64_t count = golden_count(g, v);
    float *out = NEW_ARRAY(a, float, count);
    for (int64_t k = 0; k < count; k++) {
        if (v->type == DT_I32)
            out[k] = (float)((const int32_t *)args->outputs[i])[k];
        else if (p->real == KB_F64)
            out[k] = (float)((const double *)args->outputs[i])[k];
        else
            out[k] = ((const float *)args->outputs[i])[k];
    }
    return out;
}

float **execute_interp(arena *a, const golden *g, const execute_options *o, diags *d) {
    program *p = execute_compile(a, g, o, d);
    interp_options options = {.check = o->check};
    interp *in = p ? interp_new(a, p, o->target, &options, d) : NULL;
    if (!in) return NULL;
    run_args args = execute_arguments(a, g, p);
    if (!interp_run(in, ENTRY_PREPARE, &args, d) || !interp_run(in, ENTRY_FORWARD, &args, d)) return NULL;
    float **out = NEW_ARRAY(a, float *, g->graph->outputs.count + 1);
    for (int i = 0; i < g->graph->outputs.count; i++) out[i] = execute_output(a, g, p, &args, i);
    return out;
}

bool execute_matches(const golden *g, float *const *outputs, double tolerance, const char *how) {
    bool good = true;
    for (int i = 0; i < g->graph->outputs.count; i++) {
        const golden_tensor *want = golden_expected(g, g->graph->outputs.at[i].name);
        double distance = want ? golden_distance(want, outputs[i]) : 1e30;
        if (distance <= tolerance) continue;
        fprintf(stderr, "# %s, %s: output %s differs by %.3g of the largest (allowed %.1g)\n", g->name, how,
                g->graph->outputs.at[i].name, distance, tolerance);
        good = false;
    }
    return good;
}
