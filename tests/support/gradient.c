/* Gradients against central differences. */
#include "tests/support/gradient.h"
#include "backends/interp/interp.h"
#include "ir/autodiff.h"
#include "passes/edit.h"
#include "tests/support/execute.h"

#include <math.h>
#include <string.h>

static bool is_float(const value *v) {
    return v->type == DT_F32 || v->type == DT_F64;
}

static bool has_no_gradient(const op *o) {
    return !o->grad;
}

static void expand_for_gradient(graph *g) {
    expand_nodes(g, has_no_gradient);
}

static value *random_factor(graph *g, const graph_output *o) {
    const char *name = arena_printf(g->arena, "r_%s", o->name);
    if (shape_batched(&o->value->shape)) return graph_input(g, name, DT_F32, o->value->shape, (span){0});
    return graph_param(g, name, o->value->shape, false, (init_rule){.rule = "ones"}, (span){0});
}

static void give_gradients(graph *g, value *const *leaves, int count, value *const *grads) {
    for (int i = 0; i < count; i++) {
        value *v = leaves[i];
        if (strncmp(v->name, "r_", 2) == 0 || !grads[v->id]) continue;
        graph_output o = {arena_printf(g->arena, "d_%s", v->name), grads[v->id]};
        VEC_PUSH(g->arena, &g->outputs, o);
    }
}

graph *gradient_graph(arena *a, const graph *from, diags *d) {
    graph *g = graph_clone(a, from);
    value *results[16], *seeds[16];
    int count = 0;
    expand_for_gradient(g);
    for (int i = 0; i < g->outputs.count && count < 16; i++) {
        if (!is_float(g->outputs.at[i].value)) continue;
        results[count] = g->outputs.at[i].value;
        seeds[count++] = random_factor(g, &g->outputs.at[i]);
    }
    value **grads = NEW_ARRAY(a, value *, g->next_id);
    if (!graph_differentiate(g, results, seeds, count, NULL, grads, d)) return NULL;
    give_gradients(g, g->inputs.at, g->inputs.count, grads);
    give_gradients(g, g->params.at, g->params.count, grads);
    return g;
}

/* ---- running ---- */

typedef struct runner {
    golden net;
    program *program;
    interp *interp;
    run_args args;
    diags *d;
} runner;

static bool make_runner(arena *a, const golden *g, graph *net, bool plain, runner *r, diags *d) {
    execute_options o = {.target = TARGET_C99, .plain = plain, .real = KB_F64};
    *r = (runner){.net = *g, .d = d};
    r->net.graph = net;
    r->program = execute_compile(a, &r->net, &o, d);
    r->interp = r->program ? interp_new(a, r->program, TARGET_C99, NULL, d) : NULL;
    if (r->interp) r->args = execute_arguments(a, &r->net, r->program);
    return r->interp != NULL;
}

static bool run(runner *r) {
    return interp_run(r->interp, ENTRY_PREPARE, &r->args, r->d) &&
           interp_run(r->interp, ENTRY_FORWARD, &r->args, r->d);
}

/* Where the runner keeps the numbers of an input or parameter. */
static double *numbers_of(const runner *r, const char *name) {
    const graph *g = r->net.graph;
    for (int i = 0; i < g->inputs.count; i++)
        if (strcmp(g->inputs.at[i]->name, name) == 0) return (double *)r->args.inputs[i];
    int64_t offset = 0;
    for (int i = 0; i < g->params.count; offset += golden_count(&r->net, g->params.at[i++]))
        if (strcmp(g->params.at[i]->name, name) == 0) return (double *)r->args.params + offset;
    return NULL;
}

static const double *output_of(const runner *r, const char *name) {
    const graph *g = r->net.graph;
    for (int i = 0; i < g->outputs.count; i++)
        if (strcmp(g->outputs.at[i].name, name) == 0) return r->args.outputs[i];
    return NULL;
}

/* Σ out·r of the plain graph's results, r being the gradient graph's. */
static double loss_of(arena *a, runner *forward, const runner *backward) {
    const graph *g = forward->net.graph;
    double sum = 0;
    if (!run(forward)) return NAN;
    for (int i = 0; i < g->outputs.count; i++) {
        const graph_output *o = &g->outputs.at[i];
        if (!is_float(o->value)) continue;
        const double *r = numbers_of(backward, arena_printf(a, "r_%s", o->name)),
                     *y = forward->args.outputs[i];
        for (int64_t k = 0, count = golden_count(&forward->net, o->value); k < count; k++) sum += r[k] * y[k];
    }
    return sum;
}

/* ---- comparing ---- */

typedef struct check {
    arena *arena;
    const gradient_options *options;
    runner forward, backward;
    double *direction; /* of the tensor at hand */
} check;

/* Difference along `direction`, whose numbers are those of x that move. */
static double difference(check *c, double *x, int64_t count) {
    double *was = arena_copy(c->arena, x, (size_t)count * sizeof *x), loss[2], eps = c->options->eps;
    for (int side = 0; side < 2; side++) {
        for (int64_t k = 0; k < count; k++) x[k] = was[k] + (side ? eps : -eps) * c->direction[k];
        loss[side] = loss_of(c->arena, &c->forward, &c->backward);
    }
    memcpy(x, was, (size_t)count * sizeof *x);
    return (loss[1] - loss[0]) / (2 * eps);
}

static bool agrees(check *c, const value *v, int64_t count, const char *where) {
    const double *grad = output_of(&c->backward, arena_printf(c->arena, "d_%s", v->name));
    double sum = 0, want = difference(c, numbers_of(&c->forward, v->name), count);
    for (int64_t k = 0; grad && k < count; k++) sum += grad[k] * c->direction[k];
    if (fabs(sum - want) <= c->options->atol + c->options->rtol * fabs(want)) return true;
    fprintf(stderr, "# %s: gradient of %s %s is %.9g, but the difference %.9g\n", c->forward.net.name,
            v->name, where, sum, want);
    return false;
}

static bool check_leaf(check *c, const value *v) {
    int64_t count = golden_count(&c->forward.net, v), stride = count / c->options->elements;
    float *random = NEW_ARRAY(c->arena, float, count);
    c->direction = NEW_ARRAY(c->arena, double, count);
    golden_fill_f32(&c->forward.net, arena_printf(c->arena, "direction %s", v->name), count, random);
    bool good = true;
    for (int64_t k = count - 1; k >= 0 && good; k -= stride ? stride : 1) {
        c->direction[k] = 1;
        good = agrees(c, v, count, arena_printf(c->arena, "at %lld", (long long)k));
        c->direction[k] = 0;
    }
    for (int64_t k = 0; k < count; k++) c->direction[k] = random[k];
    return good && agrees(c, v, count, "along a random direction");
}

static bool check_leaves(check *c, value *const *leaves, int count) {
    bool good = true;
    for (int i = 0; i < count && good; i++)
        if (is_float(leaves[i])) good = check_leaf(c, leaves[i]);
    return good;
}

bool gradient_matches(arena *a, const golden *g, const gradient_options *o) {
    diags d = {.arena = a};
    check c = {.arena = a, .options = o};
    graph *backward = gradient_graph(a, g->graph, &d);
    bool good = backward && make_runner(a, g, g->graph, true, &c.forward, &d) &&
                make_runner(a, g, backward, o->plain, &c.backward, &d) && run(&c.backward);
    if (good) good = check_leaves(&c, g->graph->inputs.at, g->graph->inputs.count);
    if (good) good = check_leaves(&c, g->graph->params.at, g->graph->params.count);
    if (!good && d.first) diags_print(&d, stderr, false);
    if (!good) fprintf(stderr, "# %s does not match\n", g->name);
    return good && !d.errors;
}

const double *gradient_numbers(arena *a, const golden *g, const char *name, diags *d) {
    runner r = {0};
    graph *backward = gradient_graph(a, g->graph, d);
    bool good = backward && make_runner(a, g, backward, false, &r, d) && run(&r);
    return good ? output_of(&r, arena_printf(a, "d_%s", name)) : NULL;
}

/* ---- against PyTorch ---- */

/* Σ grad·v for the direction v of that name, and the sum of the magnitudes. No gradient is zero everywhere. */
static double product(arena *a, const golden *g, const char *direction, const double *grad, int64_t count,
                      double *size) {
    float *v = NEW_ARRAY(a, float, count);
    double sum = 0;
    golden_fill_f32(g, direction, count, v);
    for (int64_t k = 0; k < count; k++) {
        sum += v[k] * grad[k];
        *size += fabs(v[k] * grad[k]);
    }
    return sum;
}

static bool expects(arena *a, const runner *r, const golden_tensor *want) {
    const graph *g = r->net.graph;
    const double *grad = output_of(r, want->name);
    int64_t count = 0;
    for (int i = 0; i < g->outputs.count; i++)
        if (strcmp(g->outputs.at[i].name, want->name) == 0)
            count = golden_count(&r->net, g->outputs.at[i].value);
    for (int64_t k = 0; k < want->count; k++) {
        double size = 1;
        double got = product(a, &r->net, arena_printf(a, "v%lld_%s", (long long)k, want->name + 2), grad,
                             count, &size);
        if (fabs(got - want->at[k]) <= 1e-11 * size) continue;
        fprintf(stderr, "# %s: %s along direction %lld is %.12g, but PyTorch's is %.12g\n", r->net.name,
                want->name, (long long)k, got, want->at[k]);
        return false;
    }
    return true;
}

bool gradient_expected(arena *a, const golden *g, bool plain) {
    diags d = {.arena = a};
    runner r = {0};
    graph *backward = gradient_graph(a, g->graph, &d);
    bool good = backward && make_runner(a, g, backward, plain, &r, &d) && run(&r);
    for (int i = 0; i < g->expected.count && good; i++) good = expects(a, &r, &g->expected.at[i]);
    if (d.first) diags_print(&d, stderr, false);
    return good;
}
