/* Runs a marked program again and again and keeps the time of every call. */
#include "frontend/api/profile.h"

#include "runtime/inputs.h"
#include "runtime/random.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PASSES = 10000,    /* at most */
    NUMBERS = 1 << 20, /* passes × calls, at most */
    WARM = 2           /* passes that are not counted */
};

/* Marks of one pass, in the order in which they come. */
typedef struct stamp {
    int64_t at;
    int entry, number;
} stamp;

typedef struct recorder {
    stamp *at;
    int count, room;
} recorder;

/* What a pass runs on. */
typedef struct pass_memory {
    session session;
    inputs in;
    void **outputs;
    float *params;
    net_optimizer *optimizer;
    void *target, *workspace;
    float loss;
} pass_memory;

typedef struct profiling {
    profile *result;
    arena *arena;
    net *net;
    const profile_options *options;
    diags *diags;
    pass_memory memory;
    recorder recorder, fastest;
    int first[ENTRY_KINDS]; /* number of an entry's first call among all */
    float *ms;
    double *totals;
} profiling;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void mark(void *user, int which, int number) {
    recorder *r = user;
    if (r->count < r->room) r->at[r->count] = (stamp){now_ns(), which, number};
    r->count++;
}

/* ---- which calls there are ---- */

static void add_calls(profiling *g, entry_kind kind, const steps *s, int64_t times) {
    profile *p = g->result;
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (t->is_loop)
            add_calls(g, kind, t->body, times * t->count);
        else
            p->calls[p->count++] = (profile_call){kind, &t->call, times};
    }
}

static void list_calls(profiling *g) {
    profile *p = g->result;
    int all = 0;
    bool trains = g->options->how.compile.train;
    for (int k = 0; k < ENTRY_KINDS; k++) all += p->program->entries[k].calls;
    p->calls = NEW_ARRAY(g->arena, profile_call, all + 1);
    for (int k = ENTRY_FORWARD; k < ENTRY_KINDS; k++) {
        g->first[k] = p->count;
        if (trains == (k >= ENTRY_STEP) && entry_marked(p->program, (entry_kind)k))
            add_calls(g, (entry_kind)k, &p->program->entries[k].steps, 1);
    }
}

/* ---- memory ---- */

static bool open_inputs(profiling *g) {
    const char *random = "random:1";
    return inputs_read(&g->memory.in, g->arena, g->net, &random, g->net->input_count ? 1 : 0,
                       g->net->max_batch, g->diags);
}

/* Classes, or numbers. */
static bool make_target(profiling *g) {
    const net_recipe *r = g->net->recipe;
    int64_t count = g->net->max_batch * r->target_count;
    int32_t *at = net_memory(count * 4, "the targets", g->diags);
    g->memory.target = at;
    if (at) memset(at, 0, (size_t)count * 4);
    for (int64_t k = 0; at && r->classes && k < count; k++) at[k] = (int32_t)(k % r->class_count);
    return at;
}

static bool open_step(profiling *g, const float *params) {
    const net *n = g->net;
    pass_memory *m = &g->memory;
    int64_t values = n->values * (int64_t)sizeof(float);
    int64_t moments = (int64_t)sizeof(net_optimizer) + n->moment_values * (int64_t)sizeof(float);
    m->params = net_memory(values, "the weights", g->diags);
    m->optimizer = m->params ? net_memory(moments, "the optimizer's numbers", g->diags) : NULL;
    m->workspace = m->optimizer ? net_memory(n->step_workspace_bytes, "a step's numbers", g->diags) : NULL;
    if (!m->workspace || !make_target(g)) return false;
    memcpy(m->params, params, (size_t)values);
    memset(m->optimizer, 0, (size_t)moments);
    return true;
}

static bool open_forward(profiling *g, const float *params) {
    const net *n = g->net;
    pass_memory *m = &g->memory;
    m->outputs = NEW_ARRAY(g->arena, void *, n->output_count + 1);
    for (int k = 0; k < n->output_count; k++)
        m->outputs[k] = arena_alloc(
            g->arena, (size_t)(n->outputs[k].count * (n->outputs[k].batched ? n->max_batch : 1)), 4);
    if (!session_open(&m->session, n, g->diags)) return false;
    return session_prepare(&m->session, params, g->diags);
}

static void close_memory(pass_memory *m) {
    session_close(&m->session);
    inputs_close(&m->in);
    free(m->params);
    free(m->optimizer);
    free(m->target);
    free(m->workspace);
}

/* ---- passes ---- */

static bool step_once(profiling *g) {
    pass_memory *m = &g->memory;
    const net_step s = {.n = g->net->max_batch,
                        .params = m->params,
                        .optimizer = m->optimizer,
                        .inputs = m->in.data,
                        .target = m->target,
                        .loss = &m->loss,
                        .workspace = m->workspace}; /* at rate 0 the net stays as it is */
    net_stepped done = g->net->step(g->net->self, &s, g->diags);
    if (done == STEP_DONE) return true;
    if (done != STEP_FAILED)
        diag_add(g->diags, DIAG_ERROR, (span){0},
                 "the loss of these weights on random numbers is no number: give others, --weights FILE");
    return false;
}

static bool pass_once(profiling *g) {
    pass_memory *m = &g->memory;
    g->recorder.count = 0;
    if (g->options->how.compile.train) return step_once(g);
    const net_call c = {.n = g->net->max_batch,
                        .packed = m->session.packed,
                        .inputs = m->in.data,
                        .outputs = m->outputs,
                        .workspace = m->session.workspace};
    return g->net->forward(g->net->self, &c, g->diags);
}

static void set_mark(profiling *g) {
    const program *p = g->result->program;
    bool trains = g->options->how.compile.train;
    char *workspace = trains ? g->memory.workspace : g->memory.session.workspace;
    profile_mark *m =
        (profile_mark *)(void *)(workspace + entry_mark_offset(p, trains ? ENTRY_STEP : ENTRY_FORWARD));
    *m = (profile_mark){mark, &g->recorder};
}

/* The call that a mark begins; -1 at an entry's end. */
static int call_of(const profiling *g, const stamp *s) {
    return s->number < g->result->program->entries[s->entry].calls ? g->first[s->entry] + s->number : -1;
}

/* Adds a pass to the record; in milliseconds what it took. */
static double record(profiling *g, float *ms) {
    const recorder *r = &g->recorder;
    for (int i = 0; i + 1 < r->count; i++) {
        int k = call_of(g, &r->at[i]);
        if (k >= 0) ms[k] += (float)((double)(r->at[i + 1].at - r->at[i].at) * 1e-6);
    }
    return r->count ? (double)(r->at[r->count - 1].at - r->at[0].at) * 1e-6 : 0;
}

static void keep_fastest(profiling *g, double total, double *least) {
    if (total >= *least) return;
    recorder old = g->fastest;
    g->fastest = g->recorder;
    g->recorder = old;
    *least = total;
}

/* The first pass says how many marks there are. */
static bool warm_up(profiling *g) {
    for (int k = 0; k < WARM; k++) {
        if (!pass_once(g)) return false;
        if (g->recorder.room) continue;
        int room = g->recorder.count;
        g->recorder = (recorder){NEW_ARRAY(g->arena, stamp, room + 1), 0, room};
        g->fastest = (recorder){NEW_ARRAY(g->arena, stamp, room + 1), 0, room};
    }
    return true;
}

static bool measure(profiling *g) {
    profile *p = g->result;
    int most = NUMBERS / (p->count + 1);
    double least = 1e300;
    if (most > PASSES) most = PASSES;
    if (most < PROFILE_LEAST) most = PROFILE_LEAST;
    g->ms = NEW_ARRAY(g->arena, float, (size_t)most *(size_t)p->count + 1);
    g->totals = NEW_ARRAY(g->arena, double, most);
    int64_t end = now_ns() + (int64_t)(g->options->seconds * 1e9);
    for (; p->passes < most && (p->passes < PROFILE_LEAST || now_ns() < end); p->passes++) {
        if (!pass_once(g)) return false;
        g->totals[p->passes] = record(g, g->ms + (size_t)p->passes * (size_t)p->count);
        keep_fastest(g, g->totals[p->passes], &least);
    }
    return true;
}

/* ---- results ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two that are nearest. */
static double quantile(double *x, int count, double part) {
    double at = part * (count - 1);
    int low = (int)at;
    if (!count) return 0;
    qsort(x, (size_t)count, sizeof *x, by_value);
    return low + 1 < count ? x[low] + (at - low) * (x[low + 1] - x[low]) : x[low];
}

double profile_median(const profile *p, const int *calls, int count) {
    return profile_quantile(p, calls, count, 0.5);
}

double profile_quantile(const profile *p, const int *calls, int count, double part) {
    double *sums = calloc((size_t)p->passes + 1, sizeof *sums), result;
    if (!sums) return 0;
    for (int i = 0; i < p->passes; i++)
        for (int k = 0; k < count; k++)
            sums[i] += (double)p->ms[(size_t)i * (size_t)p->count + (size_t)calls[k]];
    result = quantile(sums, p->passes, part);
    free(sums);
    return result;
}

static void finish(profiling *g) {
    profile *p = g->result;
    const recorder *r = &g->fastest;
    p->ms = g->ms;
    p->total = quantile(g->totals, p->passes, 0.5);
    p->events = NEW_ARRAY(g->arena, profile_event, r->count + 1);
    for (int i = 0; i + 1 < r->count; i++) {
        int k = call_of(g, &r->at[i]);
        int64_t start = r->at[0].at;
        if (k >= 0)
            p->events[p->event_count++] = (profile_event){k, r->at[i].at - start, r->at[i + 1].at - start};
    }
}

static bool run_all(profiling *g, const float *params) {
    bool trains = g->options->how.compile.train;
    if (!open_inputs(g) || !(trains ? open_step(g, params) : open_forward(g, params))) return false;
    set_mark(g);
    if (!warm_up(g) || !measure(g)) return false;
    finish(g);
    return true;
}

bool profile_run(profile *p, arena *a, net *n, const graph *g, const float *params, const profile_options *o,
                 diags *d) {
    profile_options with = *o;
    profiling all = {.result = p, .arena = a, .net = n, .options = &with, .diags = d};
    *p = (profile){0};
    with.how.compile.profiled = true;
    with.how.made = &p->program;
    if (!executor_open(o->executor, n, a, g, &with.how, d)) return false;
    p->threads = with.how.threads ? with.how.threads : executor_processors();
    for (int t = 0; t < TARGET_COUNT; t++)
        if (p->program->wanted[t]) p->target = (target_id)t;
    list_calls(&all);
    bool good = run_all(&all, params);
    close_memory(&all.memory);
    return good;
}
