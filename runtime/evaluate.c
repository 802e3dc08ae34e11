/* Two batches: one is computed while threads decode the next. */
#include "runtime/evaluate.h"

#include "ir/base/guard.h"
#include "ir/base/size.h"
#include "runtime/picture.h"
#include "runtime/progress.h"
#include "runtime/scores.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_DECODERS = 16, TOP = 5, MESSAGE = 512 };

typedef struct decoder {
    pthread_t thread;
    bool started;
    struct batch *batch;
    int index;
    bool good;
    char message[MESSAGE]; /* why not */
} decoder;

typedef struct batch {
    const struct evaluating *all;
    int64_t first, count;
    float *pictures; /* [count][C][H][W] */
    int *labels;
    decoder decoders[MOST_DECODERS];
} batch;

typedef struct evaluating {
    const net *net;
    const dataset *set;
    picture_input input;
    int64_t images, batch_size;
    int decoders;
    const int *class_of; /* a class of the set: of the net's */
    batch batches[2];
    float *scores; /* [batch][classes] */
    void **outputs;
    diags *diags;
} evaluating;

/* ---- what fits ---- */

/* Labels of folders are their order; where the net names its classes and has all the folders' names, names
 * count. */
static bool match_names(const net *n, const dataset *set, int *class_of) {
    bool all = n->label_count > 0 && strcmp(dataset_kind(set), "pictures") == 0;
    for (int k = 0; all && k < dataset_classes(set); k++) {
        int found = -1;
        for (int c = 0; c < n->label_count; c++)
            if (strcmp(n->labels[c], dataset_class_name(set, k)) == 0) found = c;
        class_of[k] = found;
        all = found >= 0;
    }
    for (int k = 0; !all && k < dataset_classes(set); k++) class_of[k] = k;
    return all;
}

bool evaluate_check(const net *n, const dataset *set, diags *d) {
    picture_input p;
    if (n->scores == SCORES_NONE)
        return diag_file(
            d, n->name,
            "only classifiers can be evaluated: their first output is a row of numbers, one a class");
    if (n->input_count != 1 || !picture_input_of(&n->inputs[0], &p))
        return diag_file(
            d, n->name,
            "only nets with one input that a picture fits can be evaluated: [1 or 3,height,width]");
    int64_t classes = n->outputs[0].count;
    int *class_of = NEW_ARRAY(d->arena, int, dataset_classes(set) + 1);
    if (match_names(n, set, class_of) || dataset_classes(set) <= classes) return true;
    return diag_file(d, n->name, "the data have %d classes, but output '%s' has %lld numbers",
                     dataset_classes(set), n->outputs[0].name, (long long)classes);
}

/* ---- decoding ---- */

static void explain(decoder *e, const diags *d) {
    for (const diag *g = d->first; g; g = g->next)
        if (g->severity == DIAG_ERROR && !*e->message) snprintf(e->message, MESSAGE, "%s", g->text);
}

static bool decode_one(const batch *b, int64_t i, unsigned char *pixels, diags *d) {
    const evaluating *v = b->all;
    const picture_input *p = &v->input;
    int64_t size = v->net->inputs[0].count;
    image m = {p->width, p->height, p->channels, pixels};
    if (!dataset_get(v->set, b->first + i, pixels, p->channels, p->height, p->width, &b->labels[i], d))
        return false;
    image_planar(b->pictures + i * size, &m, &p->norm);
    return true;
}

static bool decode_part(arena *a, void *context) {
    decoder *e = context;
    const batch *b = e->batch;
    diags d = {.arena = a};
    unsigned char *pixels = arena_alloc(a, (size_t)b->all->net->inputs[0].count, 1);
    bool good = true;
    for (int64_t i = e->index; good && i < b->count; i += b->all->decoders)
        good = decode_one(b, i, pixels, &d);
    explain(e, &d);
    return good;
}

static void *decode(void *context) {
    decoder *e = context;
    char reason[GUARD_REASON];
    e->message[0] = 0;
    e->good = guard_run(0, decode_part, e, reason);
    if (*reason) snprintf(e->message, MESSAGE, "%s", reason);
    return NULL;
}

/* Where a thread cannot be had the work is done here. */
static void start(evaluating *v, batch *b, int64_t first) {
    b->first = first;
    b->count = v->images - first < v->batch_size ? v->images - first : v->batch_size;
    for (int k = 0; k < v->decoders && b->count > 0; k++) {
        decoder *e = &b->decoders[k];
        e->batch = b;
        e->index = k;
        e->started = pthread_create(&e->thread, NULL, decode, e) == 0;
        if (!e->started) decode(e);
    }
}

static bool finish(evaluating *v, batch *b) {
    bool good = true;
    for (int k = 0; k < v->decoders && b->count > 0; k++) {
        decoder *e = &b->decoders[k];
        if (e->started) pthread_join(e->thread, NULL);
        if (!e->good && good) diag_add(v->diags, DIAG_ERROR, (span){0}, "%s", e->message);
        good = good && e->good;
    }
    return good;
}

/* ---- counting ---- */

static void count(const evaluating *v, const batch *b, evaluation *e) {
    const net *n = v->net;
    int64_t classes = n->outputs[0].count;
    for (int64_t i = 0; i < b->count; i++) {
        const float *row = v->scores + i * classes;
        int64_t class = v->class_of[b->labels[i]], rank = scores_rank(n->scores, row, classes, class);
        e->correct += rank == 0;
        e->correct5 += rank < TOP;
        e->loss += scores_loss(n->scores, n->loss, row, classes, class);
    }
    e->images += b->count;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool compute(evaluating *v, session *s, evaluation *e) {
    progress bar;
    bool good = true;
    double began = now();
    progress_begin(&bar, "eval", "images", v->images);
    start(v, &v->batches[0], 0);
    for (int turn = 0; v->batches[turn].count > 0 && good; turn = !turn) {
        batch *b = &v->batches[turn], *next = &v->batches[!turn];
        good = finish(v, b);
        next->count = 0;
        if (good) start(v, next, b->first + b->count);
        const void *in[] = {b->pictures};
        good = good && session_run(s, b->count, in, v->outputs, v->diags);
        if (good)
            count(v, b, e);
        else
            finish(v, next);
        progress_step(&bar, e->images);
    }
    progress_end(&bar);
    e->seconds = now() - began;
    return good;
}

static int processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static void make_room(evaluating *v, arena *a) {
    size_t batch_size = (size_t)v->batch_size;
    for (int k = 0; k < 2; k++) {
        v->batches[k] = (batch){.all = v};
        v->batches[k].pictures = arena_alloc(a, batch_size * (size_t)v->net->inputs[0].count, sizeof(float));
        v->batches[k].labels = NEW_ARRAY(a, int, batch_size);
    }
    v->outputs = NEW_ARRAY(a, void *, v->net->output_count + 1);
    for (int k = 0; k < v->net->output_count; k++)
        v->outputs[k] = arena_alloc(a, batch_size * (size_t)v->net->outputs[k].count, sizeof(float));
    v->scores = v->outputs[0];
}

bool evaluate(evaluation *e, session *s, const dataset *set, const evaluate_options *o, diags *d) {
    evaluating v = {
        .net = s->net, .set = set, .images = o->images, .batch_size = s->net->max_batch, .diags = d};
    int threads = o->threads ? o->threads : processors();
    int *class_of = NEW_ARRAY(d->arena, int, dataset_classes(set) + 1);
    match_names(s->net, set, class_of);
    v.class_of = class_of;
    v.decoders = threads < MOST_DECODERS ? threads : MOST_DECODERS;
    picture_input_of(&s->net->inputs[0], &v.input);
    make_room(&v, d->arena);
    *e = (evaluation){0};
    return compute(&v, s, e);
}
