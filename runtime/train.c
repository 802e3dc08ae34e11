/* The loop around the steps: epochs, checkpoints, the folder's files. What an epoch leaves is written before the
 * checkpoint that says that it is complete: a run killed in between tests that epoch again and writes the same. */
#include "runtime/train.h"

#include "ir/base/size.h"
#include "runtime/train_loop.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CONFUSED = 1000 /* classes in confusion.png */, MOST_FACTS = 64 };

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

float *trainer_output(const trainer *t) {
    return t->outputs[t->answers.output];
}

/* Adds what passed since the last lap to the run's time, and to *seconds where that is not NULL. */
static void lap(trainer *t, double *seconds) {
    double at = seconds_of(CLOCK_MONOTONIC);
    t->state->seconds += at - t->lap;
    if (seconds) *seconds += at - t->lap;
    t->lap = at;
}

/* Whether the caller wants to stop. */
static bool stops(trainer *t) {
    t->stopped = t->stopped || (t->options->stop && t->options->stop(t->options->user));
    return t->stopped;
}

/* ---- checkpoints ---- */

/* Numbers that are none are not saved over good ones: the next step would find them, too late. */
static bool check_finite(const trainer *t) {
    const net *n = t->net;
    for (int k = 0; k < n->param_count; k++) {
        const param *p = &n->params[k].at;
        for (int64_t i = 0; i < p->count; i++)
            if (!isfinite(t->at.params[p->offset + i]))
                return diag_file(
                    t->diags, n->name,
                    "epoch %" PRId64 ", step %" PRId64 ": '%s' is no longer finite, at %" PRId64
                    "; the last checkpoint is as it was, and a smaller learning rate or clip may help",
                    t->state->epoch + 1, t->state->position, p->name, i);
    }
    return true;
}

static bool save(trainer *t) {
    if (!check_finite(t) || !checkpoint_save(t->last, &t->at, t->diags)) return false;
    t->saved = seconds_of(CLOCK_MONOTONIC);
    return true;
}

/* ---- epochs ---- */

static void set_note(const trainer *t, char *note, size_t size) {
    const tally *sums = &t->state->sums;
    int length = snprintf(note, size, "loss %.4f", tally_mean_loss(sums));
    if (sums->answers && length > 0)
        snprintf(note + length, size - (size_t)length, "  accuracy %.1f %%", 100 * tally_accuracy(sums));
}

/* The steps that are left of this epoch. */
static bool run_steps(trainer *t, progress *bar, char *note, size_t size) {
    train_state *s = t->state;
    bool good = true;
    while (good && s->position < s->steps && !stops(t)) {
        good = train_step(t, schedule_rate(&t->schedule, s->epoch * s->steps + s->position));
        lap(t, &s->epoch_seconds);
        set_note(t, note, size);
        progress_step(bar, s->sums.samples);
        if (good && t->lap - t->saved >= t->options->save_every) good = save(t);
    }
    return good;
}

static bool train_epoch(trainer *t) {
    progress bar;
    char what[48], note[80] = "";
    snprintf(what, sizeof what, "epoch %" PRId64 "/%" PRId64, t->state->epoch + 1, t->options->epochs);
    progress_begin(&bar, what, "images", loader_samples(t->train));
    bar.note = note;
    bar.from = t->state->sums.samples;
    lap(t, NULL); /* what was saved before is no part of this epoch's speed */
    bar.later = (t->options->epochs - t->state->epoch - 1) * loader_samples(t->train);
    bool good = run_steps(t, &bar, note, sizeof note);
    progress_end(&bar);
    return good;
}

static bool test_stops(void *user) {
    return stops(user);
}

/* The test after an epoch: the eval net on every sample once, by the weights as they are. */
static bool test_epoch(trainer *t, tally *test) {
    char what[48];
    double seconds;
    *test = (tally){0};
    if (!t->test) return true;
    snprintf(what, sizeof what, "test %" PRId64 "/%" PRId64, t->state->epoch + 1, t->options->epochs);
    if (t->confusion)
        memset(t->confusion, 0, (size_t)(t->answers.classes * t->answers.classes) * sizeof *t->confusion);
    evaluate_options o = {what, t->outputs, t->confusion, test_stops, t};
    return session_prepare(&t->session, t->at.params, t->diags) &&
           evaluate(test, &seconds, &t->session, t->test, &o, t->diags);
}

static train_row row_of(trainer *t, const tally *test) {
    const train_state *s = t->state;
    int64_t step = (s->epoch + 1) * s->steps;
    lap(t, NULL);
    return (train_row){
        .epoch = (double)(s->epoch + 1),
        .step = (double)step,
        .learning_rate = schedule_rate(&t->schedule, step - 1),
        .train_loss = tally_mean_loss(&s->sums),
        .train_accuracy = tally_accuracy(&s->sums),
        .test_loss = tally_mean_loss(test),
        .test_accuracy = tally_accuracy(test),
        .images_per_second = s->epoch_seconds > 0 ? (double)s->sums.samples / s->epoch_seconds : 0,
        .seconds = s->seconds,
        .time = seconds_of(CLOCK_REALTIME),
    };
}

/* The larger the better: accuracy where there is one, of the test where there is one, else a loss. */
static double merit(const train_row *r) {
    double accuracy = isnan(r->test_loss) ? r->train_accuracy : r->test_accuracy;
    double loss = isnan(r->test_loss) ? r->train_loss : r->test_loss;
    return isnan(accuracy) ? -loss : accuracy;
}

static bool keep_best(trainer *t, const train_row *row, bool *best) {
    train_state *s = t->state;
    *best = !s->best_epoch || merit(row) > s->best;
    if (!*best) return true;
    s->best = merit(row);
    s->best_epoch = s->epoch;
    return checkpoint_save_weights(t->best, t->net, t->at.params, t->diags);
}

static bool end_epoch(trainer *t, const tally *test) {
    train_state *s = t->state;
    train_row row = row_of(t, test);
    bool best;
    VEC_PUSH(t->diags->arena, &s->rows, row);
    s->epoch++;
    s->position = 0;
    s->sums = (tally){0};
    s->epoch_seconds = 0;
    if (!keep_best(t, &row, &best) || !journal_add(&t->journal, s, t->diags)) return false;
    if (s->epoch == t->options->epochs)
        journal_draw(&t->journal, s, t->diags); /* before all is said to be done */
    if (!save(t)) return false;
    if (t->options->told) t->options->told(t->options->user, &row, best);
    return true;
}

static train_outcome run_epochs(trainer *t) {
    tally test;
    while (t->state->epoch < t->options->epochs) {
        if (!train_epoch(t)) return TRAIN_REFUSED;
        if (!t->stopped && !test_epoch(t, &test)) return TRAIN_REFUSED;
        if (t->stopped) return save(t) ? TRAIN_STOPPED : TRAIN_REFUSED;
        if (!end_epoch(t, &test)) return TRAIN_REFUSED;
    }
    return TRAIN_DONE;
}

static train_outcome run_and_draw(trainer *t) {
    train_outcome end = run_epochs(t);
    journal_draw(&t->journal, t->state, t->diags);
    return end;
}

/* ---- from a folder to a trainer ---- */

/* The caller's facts and those of this run, as a list for checkpoints. */
static const char *const *facts_of(const trainer *t) {
    arena *a = t->diags->arena;
    const train_options *o = t->options;
    const char **list = NEW_ARRAY(a, const char *, MOST_FACTS + 9);
    int count = 0;
    for (; o->facts && o->facts[count] && count < MOST_FACTS; count++) list[count] = o->facts[count];
    const struct {
        const char *name;
        int64_t number;
    } own[] = {{"netc.batch", t->net->recipe->batch},
               {"netc.training samples", dataset_count(o->train)},
               {"netc.test samples", o->test ? dataset_count(o->test) : 0},
               {"netc.limit", o->limit}};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) {
        list[count++] = own[k].name;
        list[count++] = arena_printf(a, "%" PRId64, own[k].number);
    }
    return list;
}

static bool resume(trainer *t) {
    const train_options *o = t->options;
    if (!checkpoint_load(t->last, &t->at, t->diags)) return false;
    if (!o->seed_given || o->seed == t->at.optimizer->seed) return true;
    return diag_file(t->diags, t->last, "this checkpoint is of a run with --seed %" PRIu64 ", not %" PRIu64,
                     t->at.optimizer->seed, o->seed);
}

static bool open_loaders(trainer *t, bool resumed) {
    const train_options *o = t->options;
    train_state *s = t->state;
    loader_options l = {.batch = t->net->recipe->batch,
                        .limit = o->limit,
                        .seed = t->at.optimizer->seed,
                        .epoch = s->epoch,
                        .start = s->position, /* of all of them: the next epoch's first */
                        .threads = o->loaders,
                        .shuffle = true,
                        .augment = true};
    t->train = loader_open(t->diags->arena, t->net, o->train, &l, t->diags);
    if (!t->train) return false;
    if (resumed && s->steps != loader_batches(t->train))
        return diag_file(t->diags, o->folder->path,
                         "its run had %" PRId64 " steps an epoch, but there are %" PRId64 " now", s->steps,
                         loader_batches(t->train));
    s->steps = loader_batches(t->train);
    t->answers = answers_of(t->diags->arena, t->net, loader_classes(t->train), loader_targets(t->train));
    l.shuffle = l.augment = false;
    l.epoch = l.start = 0;
    if (o->test) t->test = loader_open(t->diags->arena, t->net, o->test, &l, t->diags);
    return !o->test || t->test;
}

/* One workspace serves the step and the test. */
static bool make_room(trainer *t) {
    const net *n = t->net;
    int64_t bytes =
        n->workspace_bytes > n->step_workspace_bytes ? n->workspace_bytes : n->step_workspace_bytes;
    t->session = (session){.net = n};
    t->outputs = evaluate_outputs(t->diags->arena, n, n->recipe->batch);
    t->session.packed = net_memory(n->packed_bytes, "the net's weights", t->diags);
    t->session.workspace = net_memory(bytes, "the net's intermediate results and gradients", t->diags);
    return t->session.packed && t->session.workspace;
}

static void begin_journal(trainer *t) {
    const answers *a = &t->answers;
    bool classes =
        t->test && dataset_classes(t->options->test) > 0 && a->classes > 1 && a->classes <= MOST_CONFUSED;
    bool named = a->output == 0 && t->net->label_count == a->classes;
    if (classes) t->confusion = NEW_ARRAY(t->diags->arena, int64_t, a->classes * a->classes);
    t->journal =
        (journal){.folder = t->options->folder->path, .confusion = t->confusion, .classes = (int)a->classes};
    t->journal.names = named ? t->net->labels : NULL;
    t->journal.plain = t->options->plain;
}

static bool begin(trainer *t, float *params, bool resumed) {
    const net *n = t->net;
    t->last = run_folder_path(t->options->folder, "last.safetensors", t->diags->arena);
    t->best = run_folder_path(t->options->folder, "best.safetensors", t->diags->arena);
    t->at = (checkpoint){.net = n, .state = t->state, .facts = facts_of(t)};
    t->at.params = params;
    t->at.optimizer = net_optimizer_new(n, t->options->seed, t->diags);
    if (!t->at.optimizer || (resumed && !resume(t))) return false;
    if (!resumed) t->state->began = seconds_of(CLOCK_REALTIME);
    return true;
}

static train_outcome run(trainer *t, bool resumed) {
    if (t->state->epoch >= t->options->epochs) return TRAIN_NOTHING;
    if (!open_loaders(t, resumed) || !make_room(t)) return TRAIN_REFUSED;
    t->schedule = (schedule_run){&t->net->recipe->schedule, t->net->recipe->learning_rate, t->options->epochs,
                                 t->state->steps};
    begin_journal(t);
    if (!journal_begin(&t->journal, t->state, t->diags)) return TRAIN_REFUSED;
    train_beginning b = {t->state, t->at.optimizer->seed, loader_samples(t->train),
                         t->test ? loader_samples(t->test) : 0};
    if (t->options->begun && !t->options->begun(t->options->user, &b)) return TRAIN_REFUSED;
    t->lap = t->saved = seconds_of(CLOCK_MONOTONIC);
    return run_and_draw(t);
}

train_outcome train(const net *n, float *params, train_state *state, const train_options *o, diags *d) {
    trainer t = {.net = n, .options = o, .state = state, .diags = d};
    bool resumed = run_folder_has(o->folder, "last.safetensors");
    *state = (train_state){0};
    train_outcome end = begin(&t, params, resumed) ? run(&t, resumed) : TRAIN_REFUSED;
    loader_close(t.train);
    loader_close(t.test);
    session_close(&t.session);
    free(t.at.optimizer);
    return end;
}
