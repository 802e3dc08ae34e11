/* Training steps on given numbers, for comparison with another framework (steps.py):
 *
 *   steps NET FOLDER f32|f64 BATCH STEPS RATE BACKEND[,exact] [NAME=VALUE ...]
 *
 * reads FOLDER/params (float64, in netc's order), FOLDER/inputs and FOLDER/target (STEPS batches one after the other;
 * float64 or int32) and writes FOLDER/params.after (float64) and FOLDER/losses. NAME=VALUE are arguments of the net or
 * entries of its train block. In f64 the interpreter runs the plain lowering. */
#include "backends/interp/interp.h"
#include "frontend/api/describe.h"
#include "frontend/api/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    arena *arena;
    diags *diags;
    graph *graph;
    const char *folder, *backend;
    bool wide;  /* float64 */
    bool exact; /* no Winograd */
    int64_t batch, steps;
    double rate;
    double *params;
    net net;
} job;

static void *slurp(job *j, const char *name, size_t *bytes) {
    FILE *f = fopen(arena_printf(j->arena, "%s/%s", j->folder, name), "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    *bytes = (size_t)ftell(f);
    rewind(f);
    void *at = arena_alloc(j->arena, *bytes + 64, 1);
    bool good = fread(at, 1, *bytes, f) == *bytes;
    fclose(f);
    return good ? at : NULL;
}

static bool spill(job *j, const char *name, const double *x, int64_t count) {
    FILE *f = fopen(arena_printf(j->arena, "%s/%s", j->folder, name), "wb");
    bool good = f && fwrite(x, sizeof *x, (size_t)count, f) == (size_t)count;
    return f && fclose(f) == 0 && good;
}

/* Numbers of file `name` as the net takes them. */
static void *numbers(job *j, const char *name, bool integer) {
    size_t bytes = 0;
    void *raw = slurp(j, name, &bytes);
    if (!raw || integer || j->wide) return raw;
    int64_t count = (int64_t)(bytes / sizeof(double));
    float *x = NEW_ARRAY(j->arena, float, count);
    for (int64_t i = 0; i < count; i++) x[i] = (float)((double *)raw)[i];
    return x;
}

static void *zeros(job *j, int64_t bytes) {
    char *p = arena_alloc(j->arena, (size_t)bytes + BUFFER_ALIGN, 1);
    return p + (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
}

static size_t width(const job *j, bool integer) {
    return integer ? sizeof(int32_t) : j->wide ? sizeof(double) : sizeof(float);
}

static bool run_wide(job *j, const program *p, double *losses) {
    const graph *g = p->step_graph;
    const void **in = NEW_ARRAY(j->arena, const void *, g->inputs.count);
    int32_t counter[4] = {0};
    run_args a = {.n = j->batch, .params = j->params, .inputs = in, .moments = zeros(j, p->moments_bytes)};
    a.workspace = zeros(j, p->step_bytes);
    interp *run = interp_new(j->arena, p, TARGET_AVX512, NULL, j->diags);
    bool integer = j->graph->inputs.at[0]->type == DT_I32;
    char *x = numbers(j, "inputs", integer), *t = numbers(j, "target", p->step_inputs.classes);
    if (!run || !x || !t) return false;
    for (int64_t k = 0; k < j->steps; k++) {
        in[0] = x + (size_t)(k * j->batch * shape_count(&j->graph->inputs.at[0]->shape)) * width(j, integer);
        in[p->step_inputs.target] =
            t + (size_t)(k * j->batch * p->step_inputs.target_count) * width(j, p->step_inputs.classes);
        in[p->step_inputs.learning_rate] = &j->rate;
        counter[0] = (int32_t)k;
        if (p->step_inputs.counter >= 0) in[p->step_inputs.counter] = counter;
        a.loss = &losses[k];
        if (!interp_run(run, ENTRY_STEP, &a, j->diags) || !interp_run(run, ENTRY_UPDATE, &a, j->diags))
            return false;
    }
    return true;
}

static bool run_narrow(job *j, const executor *e, double *losses) {
    executor_options o = {.compile = {.max_batch = j->batch, .train = true, .exact = j->exact}};
    describe_graph(&j->net, j->arena, j->graph);
    if (!executor_open(e, &j->net, j->arena, j->graph, &o, j->diags)) return false;
    float *params = zeros(j, j->net.values * (int64_t)sizeof(float)), loss;
    net_optimizer *memory = zeros(j, (int64_t)sizeof *memory + j->net.moment_values * (int64_t)sizeof(float));
    void *workspace = zeros(j, j->net.step_workspace_bytes);
    const net_recipe *r = j->net.recipe;
    bool integer = j->net.inputs[0].type == NET_I32, good = true;
    char *x = numbers(j, "inputs", integer), *t = numbers(j, "target", r->classes);
    for (int64_t i = 0; i < j->net.values; i++) params[i] = (float)j->params[i];
    for (int64_t k = 0; k < j->steps && good; k++) {
        const void *in = x + (size_t)(k * j->batch * j->net.inputs[0].count) * width(j, integer);
        net_step s = {.n = j->batch, .params = params, .optimizer = memory, .inputs = &in};
        s.target = t + (size_t)(k * j->batch * r->target_count) * width(j, r->classes);
        s.learning_rate = (float)j->rate;
        s.loss = &loss;
        s.workspace = workspace;
        good = j->net.step(j->net.self, &s, j->diags) == STEP_DONE;
        losses[k] = loss;
    }
    for (int64_t i = 0; i < j->net.values; i++) j->params[i] = params[i];
    net_close(&j->net);
    return good;
}

static bool run_job(job *j) {
    size_t bytes = 0;
    double *losses = NEW_ARRAY(j->arena, double, j->steps);
    j->params = slurp(j, "params", &bytes);
    if (!j->params) return false;
    pass_options o = {.real = KB_F64, .max_batch = j->batch, .max_threads = 1, .train = true, .exact = true};
    o.targets[TARGET_AVX512] = true;
    program *p = j->wide ? passes_run(j->arena, j->graph, &o, j->diags) : NULL;
    const executor *e = j->wide ? NULL : executor_find(j->backend, j->diags);
    if (j->wide ? !p || !run_wide(j, p, losses) : !e || !run_narrow(j, e, losses)) return false;
    return spill(j, "params.after", j->params, (int64_t)(bytes / sizeof(double))) &&
           spill(j, "losses", losses, j->steps);
}

int main(int count, char **given) {
    arena a;
    trap t;
    arena_init(&a, 0, &t);
    diags d = {.arena = &a};
    if (count < 8) {
        fprintf(stderr, "usage: steps NET FOLDER f32|f64 BATCH STEPS RATE BACKEND [NAME=VALUE ...]\n");
        return 2;
    }
    if (setjmp(t.jump)) {
        fprintf(stderr, "steps: %s\n", t.reason);
        return 70;
    }
    lang_options o = {.sets = (const char *const *)given + 8};
    job j = {.arena = &a, .diags = &d, .folder = given[2], .wide = strcmp(given[3], "f64") == 0};
    j.batch = atol(given[4]);
    j.steps = atol(given[5]);
    j.rate = atof(given[6]);
    j.backend = arena_text(&a, given[7], strcspn(given[7], ","));
    j.exact = strstr(given[7], ",exact") != NULL;
    j.graph = compile_read(&a, given[1], &o, &d);
    bool good = j.graph && run_job(&j);
    diags_print(&d, stderr, false);
    return good ? 0 : 1;
}
