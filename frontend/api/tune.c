/* Every way to compute a layer is timed in the net itself, where its neighbours' layouts and the caches are what they
 * will be: the net is compiled once a name of a candidate, with all layers in question computed so. */
#include "frontend/api/tune.h"

#include "frontend/api/profile.h"
#include "ir/ops/list.h"
#include "runtime/weights.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 /* of one op, at most */ };

/* Two rounds a way, of so long and at least PROFILE_LEAST passes; what other programs do makes a pass only longer. */
enum { ROUNDS = 2 };
static const double SECONDS = 0.2, PART = 0.25;

/* A layer without an answer. */
typedef struct question {
    const char *layer;
    bool step; /* only a training step has it */
    const char *standard;
    const char *way[WAYS];
    double ms[WAYS]; /* below 0: not timed */
    int ways;
} question;

struct tuning {
    arena *arena;
    tune_file file;
    const tune_options *options;
    executor_options how; /* of rounds */
    target_id target;
    int threads;
    bool any;         /* machine's answers are right, … */
    target_id any_of; /* … for this target; TARGET_COUNT: for whichever */
    bool asks;        /* layers without an answer become questions */
    bool step;
    const char *forced; /* in a round: how questions are computed */
    VEC(question *) questions;
    tuner tuner;
};

/* ---- choices ---- */

static int ways_of(const node *n, inexact most, const char **names) {
    int count = 0;
    for (const candidate *const *c = n->op->candidates; *c && count < WAYS; c++)
        if (candidate_possible(*c, n, most)) names[count++] = (*c)->name;
    return count;
}

static question *question_of(const tuning *t, const char *layer) {
    for (int k = 0; k < t->questions.count; k++)
        if (strcmp(t->questions.at[k]->layer, layer) == 0) return t->questions.at[k];
    return NULL;
}

static const char *answer(const tuning *t, const char *layer) {
    return t->any ? tune_find_any(&t->file, layer, t->any_of)
                  : tune_find(&t->file, layer, t->target, t->threads);
}

static const char *choose(void *user, const node *n, int64_t batch, inexact most) {
    tuning *t = user;
    const char *names[WAYS];
    int count = ways_of(n, most, names);
    if (count < 2) return NULL;
    const char *layer = tune_layer(t->arena, n, batch, most), *known = answer(t, layer);
    if (known) return known;
    if (question_of(t, layer)) return t->forced;
    if (!t->asks) return NULL;
    question *q = NEW(t->arena, question);
    *q = (question){.layer = layer, .step = t->step, .ways = count};
    q->standard = candidate_choose(n, batch, most, NULL)->name;
    for (int k = 0; k < count; k++) q->way[k] = names[k], q->ms[k] = -1;
    VEC_PUSH(t->arena, &t->questions, q);
    return NULL;
}

/* The layers of inference, then what a training step adds. */
static bool ask(tuning *t, const graph *g, diags *d) {
    compile_options o = t->how.compile;
    t->asks = true;
    memset(o.targets, 0, sizeof o.targets);
    o.max_threads = t->threads;
    o.train = false;
    o.dump_after = NULL;
    bool good = compile_program(t->arena, g, &o, d);
    o.train = t->step = t->options->how.compile.train;
    if (good && o.train) good = compile_program(t->arena, g, &o, d);
    t->asks = t->step = false;
    return good;
}

/* ---- rounds ---- */

static bool feeds(const node *from, const node *n) {
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k]->kind == VALUE_NODE && n->in[k]->def == from) return from->op == &op_reorder;
    return false;
}

/* What the node takes in a pass, with what is laid out anew for it. */
static double time_of(const tuning *t, const profile *p, const node *n) {
    int *calls = NEW_ARRAY(t->arena, int, p->count + 1), count = 0;
    for (int k = 0; k < p->count; k++) {
        const node *by = p->calls[k].call->node;
        if (by == n || (by && feeds(by, n))) calls[count++] = k;
    }
    return profile_quantile(p, calls, count, PART);
}

static void note(question *q, const char *way, double ms) {
    for (int k = 0; k < q->ways; k++)
        if (strcmp(q->way[k], way) == 0 && (q->ms[k] < 0 || ms < q->ms[k])) q->ms[k] = ms;
}

/* A layer that the net has several times gets the mean of these. */
static void note_round(tuning *t, const profile *p, const compile_options *o) {
    double *sum = NEW_ARRAY(t->arena, double, t->questions.count + 1);
    int *nodes = NEW_ARRAY(t->arena, int, t->questions.count + 1);
    const char **way = NEW_ARRAY(t->arena, const char *, t->questions.count + 1);
    const node *last = NULL;
    for (int k = 0; k < p->count; k++) {
        const node *n = p->calls[k].call->node;
        if (!n || n == last || !n->choice || !n->op->candidates) continue;
        bool trains = p->calls[k].entry >= ENTRY_STEP;
        inexact most = o->exact ? INEXACT_NOT : trains ? INEXACT_TWICE : INEXACT_MORE;
        const char *layer = tune_layer(t->arena, n, o->max_batch, most);
        last = n;
        for (int i = 0; i < t->questions.count; i++) {
            if (strcmp(t->questions.at[i]->layer, layer) != 0) continue;
            sum[i] += time_of(t, p, n);
            way[i] = n->choice->name;
            nodes[i]++;
        }
    }
    for (int i = 0; i < t->questions.count; i++)
        if (nodes[i]) note(t->questions.at[i], way[i], sum[i] / nodes[i]);
}

/* The net as it infers, or its training step. */
static bool round_of(tuning *t, const net *n, const graph *g, const float *params, bool train, diags *d) {
    net with = *n;
    profile p;
    profile_options o = {.executor = t->options->executor, .how = t->how, .seconds = SECONDS};
    o.how.compile.train = train;
    bool good = profile_run(&p, t->arena, &with, g, params, &o, d);
    if (good) note_round(t, &p, &o.how.compile);
    net_close(&with);
    return good;
}

static bool any_question(const tuning *t, const char *way, bool in_step) {
    for (int k = 0; k < t->questions.count; k++) {
        const question *q = t->questions.at[k];
        for (int i = 0; q->step == in_step && i < q->ways; i++)
            if (strcmp(q->way[i], way) == 0) return true;
    }
    return false;
}

static bool run_rounds(tuning *t, const net *n, const graph *g, const float *params, diags *d) {
    VEC(const char *) ways = {0};
    for (int k = 0; k < t->questions.count; k++) {
        const question *q = t->questions.at[k];
        for (int i = 0; i < q->ways; i++) {
            int met = 0;
            while (met < ways.count && strcmp(ways.at[met], q->way[i]) != 0) met++;
            if (met == ways.count) VEC_PUSH(t->arena, &ways, q->way[i]);
        }
    }
    bool good = true;
    for (int k = 0; good && k < ROUNDS * ways.count; k++) {
        t->forced = ways.at[k % ways.count];
        for (int trains = 0; good && trains < 2; trains++)
            if (any_question(t, t->forced, trains)) good = round_of(t, n, g, params, trains, d);
    }
    t->forced = NULL;
    return good;
}

/* What no pass computes (the weights' own region) stays as costs have it. */
static void give_answers(tuning *t) {
    for (int k = 0; k < t->questions.count; k++) {
        const question *q = t->questions.at[k];
        const char *best = q->standard;
        double least = -1;
        for (int i = 0; i < q->ways; i++)
            if (q->ms[i] >= 0 && (least < 0 || q->ms[i] < least)) {
                best = q->way[i];
                least = q->ms[i];
            }
        tune_add(&t->file, (tune_answer){q->layer, t->target, t->threads, best});
    }
    t->questions.count = 0;
}

/* ---- the whole ---- */

static int count_targets(const compile_options *o) {
    int count = 0;
    for (int k = 0; k < TARGET_COUNT; k++) count += o->targets[k];
    return count;
}

/* Whose kernels are timed: of those asked for the best that this machine runs. */
static target_id timed_target(const tune_options *o) {
    const compile_options *c = &o->how.compile;
    if (!count_targets(c)) return o->executor->target();
    target_id host = compile_host_target();
    if (c->targets[host]) return host;
    for (int k = 0; k < TARGET_COUNT; k++)
        if (c->targets[k] && (count_targets(c) == 1 || compile_host_runs((target_id)k))) return (target_id)k;
    return TARGET_C99;
}

static bool can_time(const tuning *t, diags *d) {
    const char *path = t->options->path;
    if (!t->options->executor->runs(t->target) || !compile_host_runs(t->target))
        return diag_file(
            d, path,
            "has no answer for %d layers, and this machine cannot time %s code: run it where that "
            "runs, or leave --tune out",
            t->questions.count, targets[t->target].name);
    if (t->options->executor == &interp_executor)
        return diag_file(
            d, path,
            "has no answer for %d layers, and the interpreter's times say nothing of theirs: take "
            "--backend llvm or c",
            t->questions.count);
    return true;
}

static bool complete(tuning *t, const net *n, const graph *g, const float *given, diags *d) {
    if (!ask(t, g, d)) return false;
    if (!t->questions.count) return true;
    if (!can_time(t, d)) return false;
    float *drawn = given ? NULL : net_memory(n->values * (int64_t)sizeof(float), "the weights", d);
    if (drawn) weights_draw(n, 1, drawn);
    bool good = (given || drawn) && run_rounds(t, n, g, given ? given : drawn, d);
    free(drawn);
    if (!good) return false;
    give_answers(t);
    return tune_write(&t->file, d);
}

const tuner *tune_net(arena *a, const net *n, const graph *g, const float *params, const tune_options *given,
                      diags *d) {
    tune_options *o = arena_copy(a, given, sizeof *given);
    tuning *t = NEW(a, tuning);
    if (!o->executor) o->executor = executor_find(NULL, d);
    if (!o->executor) return NULL;
    *t = (tuning){.arena = a, .options = o, .how = o->how, .target = timed_target(o)};
    t->threads = o->how.threads ? o->how.threads : executor_processors();
    if (o->how.compile.max_threads && t->threads > o->how.compile.max_threads)
        t->threads = o->how.compile.max_threads;
    t->any = o->elsewhere;
    t->any_of = count_targets(&o->how.compile) == 1 ? t->target : TARGET_COUNT;
    t->tuner = (tuner){choose, t};
    t->how.compile.tuner = &t->tuner;
    t->how.compile.dump_after = NULL;
    t->how.threads = t->threads;
    memset(t->how.compile.targets, 0, sizeof t->how.compile.targets);
    t->how.compile.targets[t->target] = true;
    return tune_read(&t->file, a, o->path, d) && complete(t, n, g, params, d) ? &t->tuner : NULL;
}
