/* Runs the net twice, or four times: with its layers as outputs, and as it is. */
#include "frontend/api/verify.h"

#include "backends/interp/interp.h"
#include "frontend/api/describe.h"
#include "frontend/api/inner.h"
#include "frontend/api/layers.h"
#include "ir/base/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a run gave: an array an output, all samples. */
typedef struct numbers {
    void **at;
    bool wide; /* real numbers are doubles */
} numbers;

static int64_t count_of(const value *v, int64_t samples) {
    return shape_count(&v->shape) * (shape_batched(&v->shape) ? samples : 1);
}

static bool make_numbers(numbers *n, arena *a, const graph *g, int64_t samples, bool wide, diags *d) {
    n->at = NEW_ARRAY(a, void *, g->outputs.count + 1);
    n->wide = wide;
    for (int k = 0; k < g->outputs.count; k++) {
        int64_t bytes;
        if (!size_mul(count_of(g->outputs.at[k].value, samples), wide ? 8 : 4, &bytes))
            return diag_file(d, "--input", "%lld samples of '%s' are more than any memory holds",
                             (long long)samples, g->outputs.at[k].name);
        n->at[k] = arena_alloc(a, (size_t)bytes, 1);
    }
    return true;
}

static double number_at(const numbers *n, const graph *g, int output, int64_t k) {
    if (g->outputs.at[output].value->type == DT_I32) return ((const int32_t *)n->at[output])[k];
    return n->wide ? ((const double *)n->at[output])[k] : (double)((const float *)n->at[output])[k];
}

/* ---- running ---- */

static bool run_backend(numbers *to, arena *a, const graph *g, const executor *e, const verify_options *o,
                        diags *d) {
    net n;
    session s = {0};
    executor_options run = o->run;
    run.compile.max_batch = o->samples < 32 ? o->samples : 32;
    describe_graph(&n, a, g);
    if (!make_numbers(to, a, g, o->samples, false, d) || !executor_open(e, &n, a, g, &run, d)) return false;
    bool good = session_open(&s, &n, d) && session_prepare(&s, o->params, d) &&
                session_run(&s, o->samples, o->inputs, to->at, d);
    session_close(&s);
    net_close(&n);
    return good;
}

static void *aligned(arena *a, int64_t bytes) {
    char *at = arena_alloc(a, (size_t)bytes + BUFFER_ALIGN, 1);
    return at + (BUFFER_ALIGN - (uintptr_t)at % BUFFER_ALIGN) % BUFFER_ALIGN;
}

static double *widened(arena *a, const float *from, int64_t count) {
    double *to = aligned(a, count * 8);
    for (int64_t k = 0; k < count; k++) to[k] = (double)from[k];
    return to;
}

/* Sample by sample, each from zero state, as session_run does it. */
static bool run_samples(numbers *to, arena *a, const graph *g, interp *i, run_args *args,
                        const verify_options *o, diags *d) {
    const void **in = NEW_ARRAY(a, const void *, g->inputs.count + 1);
    void **out = NEW_ARRAY(a, void *, g->outputs.count + 1);
    const double **wide = NEW_ARRAY(a, const double *, g->inputs.count + 1);
    for (int k = 0; k < g->inputs.count; k++)
        if (g->inputs.at[k]->type != DT_I32)
            wide[k] = widened(a, o->inputs[k], count_of(g->inputs.at[k], o->samples));
    args->inputs = in;
    args->outputs = out;
    for (int64_t sample = 0; sample < o->samples; sample++) {
        for (int k = 0; k < g->inputs.count; k++) {
            int64_t from = sample * shape_count(&g->inputs.at[k]->shape);
            in[k] = wide[k] ? (const void *)(wide[k] + from) : (const int32_t *)o->inputs[k] + from;
        }
        for (int k = 0; k < g->outputs.count; k++) {
            const value *v = g->outputs.at[k].value;
            int64_t from = shape_batched(&v->shape) ? sample * shape_count(&v->shape) : 0;
            out[k] = (char *)to->at[k] + from * (v->type == DT_I32 ? 4 : 8);
        }
        if (!interp_run(i, ENTRY_FORWARD, args, d)) return false;
    }
    return true;
}

static bool run_double(numbers *to, arena *a, const graph *g, const verify_options *o, diags *d) {
    pass_options wide = {.real = KB_F64, .max_batch = 1, .max_threads = 1, .exact = true};
    wide.targets[TARGET_C99] = true;
    if (!make_numbers(to, a, g, o->samples, true, d)) return false;
    program *p = passes_run(a, g, &wide, d);
    interp *i = p ? interp_new(a, p, TARGET_C99, NULL, d) : NULL;
    if (!i) return false;
    run_args args = {.n = 1,
                     .params = widened(a, o->params, p->params_bytes / 8),
                     .packed = aligned(a, p->packed_bytes),
                     .workspace = aligned(a, p->workspace_bytes)};
    return interp_run(i, ENTRY_PREPARE, &args, d) && run_samples(to, a, g, i, &args, o, d);
}

/* ---- comparing ---- */

static double distance(double x, double y) {
    if (x == y || (isnan(x) && isnan(y))) return 0;
    double apart = fabs(x - y);
    return isnan(apart) ? INFINITY : apart;
}

static void compare(verify_row *r, const graph *g, int output, int64_t samples, const numbers *x,
                    const numbers *y) {
    double most = 0;
    r->shape = g->outputs.at[output].value->shape;
    int64_t count = count_of(g->outputs.at[output].value, samples);
    for (int64_t k = 0; k < count; k++) {
        double first = number_at(x, g, output, k), second = number_at(y, g, output, k);
        double apart = distance(first, second);
        if (isfinite(second)) r->largest = fmax(r->largest, fabs(second));
        if (k && !(apart > most)) continue;
        most = apart;
        r->where = k;
        r->first = first;
        r->second = second;
    }
    r->apart = most > 0 ? most / (r->largest > 0 ? r->largest : 1) : 0;
}

/* ---- layers ---- */

static const scope *scope_of(const graph *g, const char *path) {
    for (int k = 0; k < g->scopes.count; k++)
        if (g->scopes.at[k]->layer && strcmp(g->scopes.at[k]->path, path) == 0) return g->scopes.at[k];
    return NULL;
}

static int place_of(const graph *g, const value *v) {
    for (int k = 0; k < g->nodes.count; k++)
        for (int i = 0; i < g->nodes.at[k]->outputs; i++)
            if (g->nodes.at[k]->out[i] == v) return k;
    return -1;
}

/* A copy of the net whose outputs are its layers, in the order in which they are computed. Those without a value of
 * their own (inside of scans) are passed over. */
static graph *with_layers(arena *a, const graph *g) {
    graph *all = graph_clone(a, g);
    layer_table t = layers_of(a, all);
    diags silent = {.arena = a};
    all->outputs.count = 0;
    for (int k = all->inputs.count; k < t.count; k++) inner_output(all, t.at[k].name, &silent);
    for (int k = 1; k < all->outputs.count; k++) { /* few, and mostly in order */
        graph_output moved = all->outputs.at[k];
        int i = k;
        for (; i && place_of(all, all->outputs.at[i - 1].value) > place_of(all, moved.value); i--)
            all->outputs.at[i] = all->outputs.at[i - 1];
        all->outputs.at[i] = moved;
    }
    return all;
}

static const char *op_of(const graph *g, const char *path) {
    const scope *s = scope_of(g, path);
    return s ? s->block : "layer";
}

static verify_row *add_rows(verify_table *t, arena *a, int count) {
    t->at = arena_grow(a, t->at, (size_t)t->count, (size_t)(t->count + count + 1), sizeof *t->at);
    t->count += count;
    return t->at + t->count - count;
}

static bool add_layers(verify_table *t, arena *a, const graph *g, const executor *const e[2],
                       const verify_options *o, diags *d) {
    numbers of[2];
    const graph *all = with_layers(a, g);
    t->layers = all->outputs.count;
    verify_row *row = add_rows(t, a, t->layers);
    if (!t->layers) return true;
    for (int k = 0; k < 2; k++)
        if (!run_backend(&of[k], a, all, e[k], o, d)) return false;
    for (int k = 0; k < t->layers; k++) {
        const scope *s = scope_of(g, all->outputs.at[k].name);
        row[k] = (verify_row){.name = all->outputs.at[k].name, .op = op_of(g, all->outputs.at[k].name)};
        if (s) row[k].at = s->at;
        compare(&row[k], all, k, o->samples, &of[0], &of[1]);
    }
    return true;
}

static void add_outputs(verify_table *t, arena *a, const graph *g, const verify_options *o,
                        const numbers of[2]) {
    verify_row *row = add_rows(t, a, g->outputs.count);
    for (int k = 0; k < g->outputs.count; k++) {
        row[k] = (verify_row){.name = g->outputs.at[k].name};
        compare(&row[k], g, k, o->samples, &of[0], &of[1]);
    }
}

bool verify_backends(verify_table *t, arena *a, const graph *g, const executor *first, const executor *second,
                     const verify_options *o, diags *d) {
    const executor *const e[2] = {first, second};
    numbers of[2];
    *t = (verify_table){0};
    if (!add_layers(t, a, g, e, o, d)) return false;
    for (int k = 0; k < 2; k++)
        if (!run_backend(&of[k], a, g, e[k], o, d)) return false;
    add_outputs(t, a, g, o, of);
    return true;
}

bool verify_error(verify_table *t, arena *a, const graph *g, const executor *backend, const verify_options *o,
                  diags *d) {
    numbers of[2];
    *t = (verify_table){0};
    if (!run_backend(&of[0], a, g, backend, o, d) || !run_double(&of[1], a, g, o, d)) return false;
    add_outputs(t, a, g, o, of);
    return true;
}

const verify_row *verify_first(const verify_table *t, double tolerance) {
    for (int k = 0; k < t->count; k++)
        if (!(t->at[k].apart <= tolerance)) return &t->at[k];
    return NULL;
}
