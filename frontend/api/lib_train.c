/* Trainers: a net compiled to train, with weights and an optimizer of its own. */
#include "frontend/api/describe.h"
#include "frontend/api/lib.h"
#include "ir/base/guard.h"
#include "ir/recipe.h"
#include "runtime/checkpoint.h"
#include "runtime/weights.h"

#include <math.h>
#include <string.h>

struct netc_trainer {
    netc_model *model; /* whose graph it is */
    arena arena;
    net net;
    float *params;            /* [values] */
    net_optimizer *optimizer; /* its moments follow */
    void *workspace;
    uint64_t seed;
    atomic_flag busy;
};

static const netc_options *options_of(const netc_trainer *t) {
    return &t->model->options;
}

static float *new_params(const netc_trainer *t) {
    return lib_memory(options_of(t), t->net.values * (int64_t)sizeof(float));
}

static net_optimizer *new_optimizer(const netc_trainer *t) {
    return lib_memory(options_of(t),
                      (int64_t)sizeof(net_optimizer) + t->net.moment_values * (int64_t)sizeof(float));
}

/* ---- opening and closing ---- */

/* The model's values where it has them, the others by their rules. */
static void start_params(netc_trainer *t) {
    netc_model *m = t->model;
    weights_draw(&t->net, t->seed, t->params);
    pthread_mutex_lock(&m->lock);
    for (int k = 0; k < m->net.param_count; k++) {
        const param *p = &m->net.params[k].at;
        if (m->given[k])
            memcpy(t->params + p->offset, m->params + p->offset, (size_t)p->count * sizeof(float));
    }
    pthread_mutex_unlock(&m->lock);
}

static bool compile_step(lib_call *c, netc_trainer *t) {
    const netc_model *m = t->model;
    executor_options how = m->how;
    if (!m->graph->recipe)
        return lib_fail(c, NETC_UNSUPPORTED, "net %s has no recipe: write train { ... } in its text",
                        m->graph->name);
    describe_graph(&t->net, &t->arena, m->graph);
    how.compile.train = true;
    if (!m->options.max_batch && t->net.recipe->batch) how.compile.max_batch = t->net.recipe->batch;
    if (how.compile.max_batch > COMPILE_MAX_BATCH)
        return lib_fail(c, NETC_BAD_INPUT, "the batch of train {} is %lld: %d is the most",
                        (long long)how.compile.max_batch, (int)COMPILE_MAX_BATCH);
    if (!executor_open(m->executor, &t->net, &t->arena, m->graph, &how, c->diags)) return false;
    return t->net.step || lib_fail(c, NETC_UNSUPPORTED, "net %s: backend '%s' cannot train", m->graph->name,
                                   m->executor->name);
}

static bool open_trainer(lib_call *c, void *context) {
    netc_trainer *t = context;
    if (!compile_step(c, t)) return false;
    t->params = new_params(t);
    t->optimizer = new_optimizer(t);
    t->workspace = lib_memory(options_of(t), t->net.step_workspace_bytes);
    if (!t->params || !t->optimizer || !t->workspace)
        return lib_fail(c, NETC_NO_MEMORY, "out of memory: training net %s in batches of %lld needs %lld MB",
                        t->net.name, (long long)t->net.max_batch,
                        (long long)(t->net.step_workspace_bytes >> 20) + 1);
    t->optimizer->seed = t->seed;
    start_params(t);
    return true;
}

netc_trainer *netc_trainer_new(const netc_model *model, uint64_t seed, netc_error *error) {
    netc_model *m =
        (netc_model *)(uintptr_t)model; /* const is what the host sees: weights stay as they are */
    if (!m) return lib_refuse(error, NETC_BAD_CALL, "netc_trainer_new: model is NULL"), NULL;
    netc_trainer *t = lib_memory(&m->options, sizeof *t);
    if (!t) return lib_refuse(error, NETC_NO_MEMORY, "out of memory"), NULL;
    t->model = m;
    t->seed = seed;
    atomic_flag_clear(&t->busy);
    arena_init(&t->arena, guard_cap(), NULL);
    t->arena.from = lib_allocator(&m->options);
    lib_hold(m, 0, 1);
    lib_call c = {.options = &m->options, .error = error};
    if (lib_build(&c, &t->arena, open_trainer, t)) return t;
    netc_trainer_free(t);
    return NULL;
}

void netc_trainer_free(netc_trainer *t) {
    if (!t) return;
    netc_model *m = t->model;
    net_close(&t->net);
    lib_release(&m->options, t->params);
    lib_release(&m->options, t->optimizer);
    lib_release(&m->options, t->workspace);
    arena_free(&t->arena);
    lib_release(&m->options, t);
    lib_let_go(m, 0, 1);
}

/* ---- one thread at a time ---- */

typedef struct training {
    netc_trainer *trainer;
    net_step step;
    const char *path;
    netc_model *model; /* to publish to */
    float *params;     /* to be swapped in, or out */
    net_optimizer *optimizer;
} training;

static bool enter(training *x, const char *function, const netc_trainer *t,
                  bool (*work)(lib_call *c, void *context), netc_error *error) {
    x->trainer = (netc_trainer *)(uintptr_t)t; /* the flag is not part of what is const to the host */
    if (!t) return lib_refuse(error, NETC_BAD_CALL, "%s: trainer is NULL", function);
    if (atomic_flag_test_and_set(&x->trainer->busy))
        return lib_refuse(error, NETC_BUSY, "another thread is using this trainer");
    lib_call c = {.options = options_of(t), .error = error, .file = x->path};
    bool good = lib_run(&c, work, x);
    lib_release(options_of(t), x->params);
    lib_release(options_of(t), x->optimizer);
    atomic_flag_clear(&x->trainer->busy);
    return good;
}

/* ---- steps ---- */

static bool bad_label(lib_call *c, const net *n, const net_step *s) {
    const int32_t *labels = s->target;
    int64_t count = s->n * n->recipe->target_count, classes = n->recipe->class_count;
    for (int64_t k = 0; k < count; k++)
        if (labels[k] < 0 || labels[k] >= classes)
            return lib_fail(c, NETC_BAD_LABEL,
                            "target %lld is class %ld, but net %s has classes 0..%lld; nothing was learned",
                            (long long)k, (long)labels[k], n->name, (long long)classes - 1);
    return lib_fail(c, NETC_BUG, "internal: the step refuses a target, and all of them are classes");
}

static bool take_step(lib_call *c, void *context) {
    training *x = context;
    const net *n = &x->trainer->net;
    if (!lib_check_inputs(c, n, x->step.n, x->step.inputs)) return false;
    if (!x->step.target) return lib_fail(c, NETC_BAD_CALL, "target is NULL");
    if (!isfinite(x->step.learning_rate))
        return lib_fail(c, NETC_BAD_CALL, "learning_rate is NaN or infinite");
    x->step.params = x->trainer->params;
    x->step.optimizer = x->trainer->optimizer;
    x->step.workspace = x->trainer->workspace;
    switch (n->step(n->self, &x->step, c->diags)) {
    case STEP_DONE: return true;
    case STEP_BAD_LABEL: return bad_label(c, n, &x->step);
    case STEP_NOT_FINITE:
        return lib_fail(c, NETC_NOT_FINITE,
                        "net %s: the loss is NaN or infinite; nothing was learned from these samples: try a "
                        "smaller learning rate, and look for such numbers in the inputs",
                        n->name);
    case STEP_FAILED: break;
    }
    return false;
}

bool netc_train_step(netc_trainer *t, int n, const void *const *inputs, const void *wanted,
                     float learning_rate, float *loss, netc_error *error) {
    float found = 0;
    training x = {
        .step = {.n = n, .inputs = inputs, .target = wanted, .learning_rate = learning_rate, .loss = &found}};
    if (!enter(&x, "netc_train_step", t, take_step, error)) return false;
    if (loss) *loss = found;
    return true;
}

/* ---- files ---- */

static bool save(lib_call *c, void *context) {
    const training *x = context;
    const netc_trainer *t = x->trainer;
    checkpoint all = {.net = &t->net, .params = t->params, .optimizer = t->optimizer};
    return x->path ? checkpoint_save(x->path, &all, c->diags) : lib_fail(c, NETC_BAD_CALL, "path is NULL");
}

bool netc_trainer_save(const netc_trainer *t, const char *path, netc_error *error) {
    return enter(&(training){.path = path}, "netc_trainer_save", t, save, error);
}

static bool resume(lib_call *c, void *context) {
    training *x = context;
    netc_trainer *t = x->trainer;
    if (!x->path) return lib_fail(c, NETC_BAD_CALL, "path is NULL");
    x->params = new_params(t);
    x->optimizer = new_optimizer(t);
    if (!x->params || !x->optimizer) return lib_fail(c, NETC_NO_MEMORY, "out of memory");
    checkpoint all = {.net = &t->net, .params = x->params, .optimizer = x->optimizer};
    if (!checkpoint_load(x->path, &all, c->diags)) return false;
    float *params = t->params;
    net_optimizer *optimizer = t->optimizer;
    t->params = x->params;
    t->optimizer = x->optimizer;
    x->params = params;
    x->optimizer = optimizer;
    return true;
}

bool netc_trainer_resume(netc_trainer *t, const char *path, netc_error *error) {
    return enter(&(training){.path = path}, "netc_trainer_resume", t, resume, error);
}

/* ---- back to a model ---- */

static bool same_params(const net *a, const net *b) {
    bool same = a->param_count == b->param_count;
    for (int k = 0; same && k < a->param_count; k++) {
        const param *p = &a->params[k].at, *q = &b->params[k].at;
        same = strcmp(p->name, q->name) == 0 && p->rank == q->rank &&
               memcmp(p->dims, q->dims, (size_t)p->rank * sizeof *p->dims) == 0;
    }
    return same;
}

static bool publish(lib_call *c, void *context) {
    training *x = context;
    const netc_trainer *t = x->trainer;
    netc_model *m = x->model;
    if (!m) return lib_fail(c, NETC_BAD_CALL, "netc_trainer_publish: model is NULL");
    if (!same_params(&t->net, &m->net))
        return lib_fail(c, NETC_BAD_CALL, "net %s has other parameters than the trained %s", m->net.name,
                        t->net.name);
    float *values = lib_memory(&m->options, t->net.values * (int64_t)sizeof(float));
    if (!values) return lib_fail(c, NETC_NO_MEMORY, "out of memory: there is none for the weights");
    memcpy(values, t->params, (size_t)t->net.values * sizeof *values);
    return lib_take_weights(c, m, values);
}

bool netc_trainer_publish(const netc_trainer *t, netc_model *model, netc_error *error) {
    return enter(&(training){.model = model}, "netc_trainer_publish", t, publish, error);
}
