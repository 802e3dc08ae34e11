/* Counts while the loader works ahead. */
#include "runtime/evaluate.h"

#include "runtime/progress.h"

#include <time.h>

typedef struct evaluating {
    session *session;
    loader *loader;
    const evaluate_options *options;
    answers answers;
    void **outputs;
    tally *tally;
    diags *diags;
} evaluating;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void count(const evaluating *v, const loader_batch *b) {
    const float *output = v->outputs[v->answers.output];
    const int32_t *right = v->answers.given ? b->target : b->labels;
    tally_answers(v->tally, &v->answers, output, right, b->n, v->options->confusion);
    tally_loss(v->tally, &v->answers, output, b->target, b->n);
}

static bool compute(const evaluating *v) {
    const evaluate_options *o = v->options;
    progress bar;
    loader_batch b = {0};
    bool good = true;
    progress_begin(&bar, o->what, "images", loader_samples(v->loader));
    while (good && !b.last && !(o->stop && o->stop(o->user))) {
        good = loader_next(v->loader, &b, v->diags) &&
               session_run(v->session, b.n, b.inputs, v->outputs, v->diags);
        if (good) count(v, &b);
        progress_step(&bar, v->tally->samples);
    }
    progress_end(&bar);
    return good;
}

void **evaluate_outputs(arena *a, const net *n, int64_t batch) {
    void **list = NEW_ARRAY(a, void *, n->output_count + 1);
    for (int k = 0; k < n->output_count; k++) {
        int64_t samples = n->outputs[k].batched ? batch : 1;
        list[k] = arena_alloc(a, (size_t)samples, (size_t)n->outputs[k].count * sizeof(float));
    }
    return list;
}

bool evaluate(tally *t, double *seconds, session *s, loader *l, const evaluate_options *o, diags *d) {
    double began = now();
    evaluating v = {.session = s, .loader = l, .options = o, .tally = t, .diags = d};
    v.answers = answers_of(d->arena, s->net, loader_classes(l), loader_targets(l));
    v.outputs = o->outputs ? o->outputs : evaluate_outputs(d->arena, s->net, loader_batch_size(l));
    *t = (tally){0};
    bool good = compute(&v);
    *seconds = now() - began;
    return good;
}
