/* A ring of batches that threads fill a few samples at a time, always the oldest first. Which samples a batch
 * has is settled when it is opened, in order and under the lock; what a sample becomes is its own affair. */
#include "runtime/loader.h"

#include "ir/base/guard.h"
#include "ir/base/size.h"
#include "runtime/random.h"
#include "runtime/samples.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING = 3 /* one in use, two ahead */,
    MOST_THREADS = 64,
    MESSAGE = 1024,
    PIECE = 16,
    PIECE_BYTES = 1 << 20
};

typedef struct slot {
    loader_batch batch;
    char *input, *target;
    int64_t *samples;
    int32_t *labels;
    int64_t taken, done; /* samples */
    int64_t failed;      /* the first that did; INT64_MAX: none */
    char message[MESSAGE];
} slot;

struct loader {
    loader_options options;
    samples samples;
    const net *net;
    int64_t batches;                  /* of an epoch */
    size_t input_bytes, target_bytes; /* of a sample */
    int64_t piece;                    /* samples that a thread takes at once */
    int32_t *order;                   /* of the epoch; NULL: the set's */
    int64_t epoch, next;              /* of the batch that is opened next */
    slot ring[RING];
    int64_t opened, given; /* batches: so many were opened; handed out */
    const void *inputs[RING][1];

    bool begun, stop;
    int started; /* threads */
    pthread_t threads[MOST_THREADS];
    pthread_mutex_t lock; /* of all above from `order` on, but not of what a slot's samples become */
    pthread_cond_t room, ready;
};

/* ---- which samples ---- */

static void shuffle(loader *l) {
    if (l->order)
        random_order(l->order, l->samples.count,
                     (random_stream){l->options.seed, (uint32_t)(RANDOM_SHUFFLE + l->epoch)});
}

static slot *open_batch(loader *l) {
    slot *s = &l->ring[l->opened++ % RING];
    int64_t first = l->next * l->options.batch, left = l->samples.count - first;
    s->taken = s->done = 0;
    s->failed = INT64_MAX;
    s->batch.n = left < l->options.batch ? left : l->options.batch;
    s->batch.epoch = l->epoch;
    s->batch.batch = l->next;
    s->batch.last = ++l->next == l->batches;
    for (int64_t k = 0; k < s->batch.n; k++) s->samples[k] = l->order ? l->order[first + k] : first + k;
    if (s->batch.last) {
        l->next = 0;
        l->epoch++;
        shuffle(l);
    }
    return s;
}

/* ---- filling ---- */

typedef struct piece {
    loader *loader;
    slot *slot;
    int64_t first, count, at; /* in the slot; `at` is the one being worked on */
    char message[MESSAGE];
} piece;

/* The oldest batch with samples that nobody has taken, or a new one where there is room. */
static bool take(loader *l, piece *p) {
    slot *s = l->opened ? &l->ring[(l->opened - 1) % RING] : NULL;
    if (!s || s->taken == s->batch.n) {
        int64_t held = l->given ? l->given - 1 : 0; /* the one in use stays */
        if (l->opened - held == RING) return false;
        s = open_batch(l);
    }
    int64_t left = s->batch.n - s->taken;
    p->slot = s;
    p->first = s->taken;
    p->count = left < l->piece ? left : l->piece;
    s->taken += p->count;
    return true;
}

static void explain(piece *p, const diags *d) {
    for (const diag *g = d->first; g; g = g->next)
        if (g->severity == DIAG_ERROR && !*p->message) snprintf(p->message, MESSAGE, "%s", g->text);
}

static bool fill(arena *a, void *context) {
    piece *p = context;
    const loader *l = p->loader;
    slot *s = p->slot;
    diags d = {.arena = a};
    bool good = true;
    for (p->at = p->first; good && p->at < p->first + p->count; p->at += good) {
        const sample_place place = {s->batch.epoch, s->samples[p->at],
                                    s->input + (size_t)p->at * l->input_bytes,
                                    s->target + (size_t)p->at * l->target_bytes, &s->labels[p->at]};
        good = samples_fill(&p->loader->samples, &place, a, &d);
    }
    explain(p, &d);
    return good;
}

static void work(piece *p) {
    char reason[GUARD_REASON];
    *p->message = 0;
    guard_run(0, fill, p, reason);
    if (*reason) snprintf(p->message, MESSAGE, "%s", reason);
}

/* Of several failures the first sample's is told, whoever was faster. */
static void put_back(loader *l, const piece *p) {
    slot *s = p->slot;
    s->done += p->count;
    if (*p->message && p->at < s->failed) {
        s->failed = p->at;
        memcpy(s->message, p->message, MESSAGE);
    }
    if (s->done == s->batch.n) pthread_cond_signal(&l->ready);
}

static void *run(void *context) {
    loader *l = context;
    piece p = {.loader = l};
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (!take(l, &p)) {
            pthread_cond_wait(&l->room, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        work(&p);
        pthread_mutex_lock(&l->lock);
        put_back(l, &p);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- for the caller ---- */

static int processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* Where no thread can be had, loader_next does the work. */
static void begin(loader *l) {
    int threads = l->options.threads < 0 ? processors() : l->options.threads;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    l->begun = true;
    while (l->started < threads && pthread_create(&l->threads[l->started], NULL, run, l) == 0) l->started++;
}

static bool refuse(const slot *s, diags *d) {
    diag_add(d, DIAG_ERROR, (span){0}, "sample %lld: %s", (long long)s->samples[s->failed], s->message);
    return false;
}

bool loader_next(loader *l, loader_batch *out, diags *d) {
    piece p = {.loader = l};
    if (!l->begun) begin(l);
    pthread_mutex_lock(&l->lock);
    l->given++;
    pthread_cond_broadcast(&l->room);
    slot *s = &l->ring[(l->given - 1) % RING];
    while (l->opened < l->given || s->done < s->batch.n) {
        if (l->started)
            pthread_cond_wait(&l->ready, &l->lock);
        else if (take(l, &p))
            work(&p), put_back(l, &p);
    }
    pthread_mutex_unlock(&l->lock);
    *out = s->batch;
    return s->failed == INT64_MAX || refuse(s, d);
}

/* ---- opening and closing ---- */

static bool make_slot(loader *l, int k, diags *d) {
    slot *s = &l->ring[k];
    size_t n = (size_t)l->options.batch;
    s->input = net_memory((int64_t)(n * l->input_bytes), "batches of samples", d);
    s->target = net_memory((int64_t)(n * l->target_bytes), "batches of targets", d);
    s->samples = net_memory((int64_t)(n * sizeof *s->samples), "batches of samples", d);
    s->labels = net_memory((int64_t)(n * sizeof *s->labels), "batches of labels", d);
    l->inputs[k][0] = s->input;
    s->batch.inputs = l->inputs[k];
    s->batch.target = s->target;
    s->batch.labels = l->samples.class_of ? s->labels : NULL;
    s->batch.samples = s->samples;
    return s->input && s->target && s->samples && s->labels;
}

static bool measure(loader *l, diags *d) {
    const net_tensor *t = &l->net->inputs[0];
    int64_t bytes;
    if (l->options.batch > l->samples.count) l->options.batch = l->samples.count;
    l->batches = ceil_div(l->samples.count, l->options.batch);
    l->input_bytes = (size_t)t->count * 4;
    l->target_bytes = (size_t)l->samples.targets * 4;
    l->piece = PIECE_BYTES / (int64_t)(l->input_bytes + 1);
    l->piece = l->samples.kept || l->piece < 1 ? 1 : l->piece > PIECE ? PIECE : l->piece;
    if (size_mul(t->count + l->samples.targets + 4, l->options.batch, &bytes) && size_mul(bytes, 4, &bytes))
        return true;
    return diag_file(d, l->net->name, "batches of %lld samples are more than any memory holds",
                     (long long)l->options.batch);
}

static bool make_order(loader *l, diags *d) {
    l->epoch = l->options.epoch + l->options.start / l->batches;
    l->next = l->options.start % l->batches;
    if (!l->options.shuffle) return true;
    l->order = net_memory(l->samples.count * (int64_t)sizeof *l->order, "the order of samples", d);
    if (l->order) shuffle(l);
    return l->order;
}

loader *loader_open(arena *a, const net *n, const dataset *set, const loader_options *o, diags *d) {
    loader *l = NEW(a, loader);
    *l = (loader){.options = *o, .net = n};
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->room, NULL);
    pthread_cond_init(&l->ready, NULL);
    bool good = samples_open(&l->samples, a, n, set, &l->options, d) && measure(l, d) && make_order(l, d);
    for (int k = 0; good && k < RING; k++) good = make_slot(l, k, d);
    if (good) return l;
    loader_close(l);
    return NULL;
}

void loader_close(loader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
    for (int k = 0; k < l->started; k++) pthread_join(l->threads[k], NULL);
    for (int k = 0; k < RING; k++) {
        const slot *s = &l->ring[k];
        free(s->input), free(s->target), free(s->samples), free(s->labels);
    }
    free(l->order);
    samples_close(&l->samples);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->lock);
}

int64_t loader_samples(const loader *l) {
    return l->samples.count;
}

int64_t loader_batches(const loader *l) {
    return l->batches;
}

int64_t loader_batch_size(const loader *l) {
    return l->options.batch;
}

bool loader_classes(const loader *l) {
    return l->samples.classes;
}

int64_t loader_targets(const loader *l) {
    return l->samples.targets;
}
