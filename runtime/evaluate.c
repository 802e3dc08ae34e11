/* Counts while the loader works ahead. */
#include "runtime/evaluate.h"

#include "runtime/progress.h"
#include "runtime/scores.h"

#include <time.h>

enum { TOP = 5 };

typedef struct evaluating {
    const net *net;
    net_scores scores;
    int output;                   /* whose numbers count */
    int64_t count, rows, classes; /* of a sample: all its numbers = rows × classes */
    bool told;                    /* targets are classes, one a row; else numbers, or labels beside them */
    void **outputs;
    evaluation *result;
} evaluating;

static void count_row(const evaluating *v, const float *row, int32_t class) {
    int64_t rank = scores_rank(v->scores, row, v->classes, class);
    v->result->answers++;
    v->result->correct += rank == 0;
    v->result->correct5 += rank < TOP;
    v->result->loss += scores_loss(v->scores, v->net->loss, row, v->classes, class) / (double)v->rows;
}

static void count(const evaluating *v, const loader_batch *b) {
    const float *output = v->outputs[v->output];
    const int32_t *classes = v->told ? b->target : b->labels;
    for (int64_t k = 0; k < b->n * v->rows; k++) {
        const float *row = output + k * v->classes;
        if (classes)
            count_row(v, row, classes[k]);
        else
            v->result->loss +=
                scores_distance(v->net->loss, row, (const float *)b->target + k * v->count, v->count);
    }
    v->result->samples += b->n;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool compute(const evaluating *v, session *s, loader *l, diags *d) {
    progress bar;
    loader_batch b = {0};
    bool good = true;
    double began = now();
    progress_begin(&bar, "eval", "images", loader_samples(l));
    while (good && !b.last) {
        good = loader_next(l, &b, d) && session_run(s, b.n, b.inputs, v->outputs, d);
        if (good) count(v, &b);
        progress_step(&bar, v->result->samples);
    }
    progress_end(&bar);
    v->result->seconds = now() - began;
    return good;
}

static void make_room(evaluating *v, arena *a, int64_t batch) {
    v->outputs = NEW_ARRAY(a, void *, v->net->output_count + 1);
    for (int k = 0; k < v->net->output_count; k++)
        v->outputs[k] = arena_alloc(a, (size_t)batch * (size_t)v->net->outputs[k].count, sizeof(float));
}

bool evaluate(evaluation *e, session *s, loader *l, diags *d) {
    const net *n = s->net;
    evaluating v = {.net = n, .rows = 1, .told = loader_classes(l), .result = e};
    v.output = n->recipe ? n->recipe->loss_output : 0;
    v.scores = v.output == 0 && n->scores != SCORES_NONE ? n->scores : SCORES_LOGITS;
    v.count = n->outputs[v.output].count;
    if (v.told) v.rows = loader_targets(l);
    v.classes = v.count / v.rows;
    *e = (evaluation){0};
    make_room(&v, d->arena, loader_batch_size(l));
    return compute(&v, s, l, d);
}
